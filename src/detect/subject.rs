//! Opaque ids of persons and accounts, by their shape.

use super::Hit;
use super::bytes::{
    Mix, before, byte, is_alnum, is_digit, is_hex, is_token, is_upper, is_word, reads, run_end, run_start,
    slice, starts_token,
};
use super::event_id;
use super::word_list::WordList;
use crate::class::Class;
use crate::detect::words;

/// The id before `@lid` (or `@hosted.lid`), WhatsApp's id of a person that is no number; a device suffix
/// (`:12`) belongs to it, the domain does not.
#[must_use]
pub fn lid_at(text: &[u8], at: usize) -> Option<Hit> {
    let domain = if reads(text, at, b"@lid") {
        at + 4
    } else if reads(text, at, b"@hosted.lid") {
        at + 11
    } else {
        return None;
    };
    if is_word(byte(text, domain)) {
        return None;
    }
    let mut start = run_start(text, at, 21, is_digit);
    if before(text, start) == b':' && at - start <= 3 {
        start = run_start(text, start - 1, 21, is_digit);
    }
    (at - start >= 5).then(|| Hit::new(Class::SubjectId, start, at))
}

/// An id with a prefix that providers give to persons and accounts: `usr_…`, `cus_…`, `acct_…`,
/// Twilio's `AC…`, Slack's `U…`, WhatsApp's business-scoped `US.…`.
#[must_use]
pub fn at(text: &[u8], start: usize) -> Option<Hit> {
    if !starts_token(text, start) {
        return None;
    }
    let end = prefixed(text, start)
        .or_else(|| account_sid(text, start))
        .or_else(|| slack(text, start))
        .or_else(|| business_scoped(text, start))?;
    Some(Hit::new(Class::SubjectId, start, end))
}

fn prefixed(text: &[u8], start: usize) -> Option<usize> {
    static PREFIXES: WordList = WordList::new(words::subject::PREFIXES);
    let (_, prefix) = PREFIXES.beginning(super::bytes::tail(text, start))?;
    let mut body = start + prefix.len();
    if matches!(byte(text, body), b'_' | b'-') {
        body += 1;
    } else if !prefix.ends_with('|') {
        return None;
    }
    let nested = prefix.starts_with("agency");
    let end = run_end(text, body, 64, |b| is_token(b) || (nested && b == b'/'));
    let run = slice(text, body..end);
    let mix = Mix::of(run);
    let number = mix.digits >= 5 && mix.letters() == 0;
    let random = run.len() >= 10 && mix.digits >= 2 && mix.others <= 1 && mix.changes * 4 >= run.len();
    let path = nested && run.contains(&b'/') && mix.digits >= 5;
    (number || random || path).then_some(end)
}

/// Twilio's account sid: `AC` and 32 hex digits.
fn account_sid(text: &[u8], start: usize) -> Option<usize> {
    let end = run_end(text, start + 2, 33, is_hex);
    (slice(text, start..start.saturating_add(2)) == b"AC" && end - start == 34 && !is_alnum(byte(text, end)))
        .then_some(end)
}

/// `U` or `W`, then 8 to 16 upper-case letters and digits, at least two digits.
fn slack(text: &[u8], start: usize) -> Option<usize> {
    if !matches!(byte(text, start), b'U' | b'W') {
        return None;
    }
    let end = run_end(text, start + 1, 18, |b| is_upper(b) || is_digit(b));
    let mix = Mix::of(slice(text, start + 1..end));
    let shape = (8..=16).contains(&mix.len()) && mix.digits >= 2 && mix.upper >= 2 && mix.changes >= 2;
    let queued = event_id::queued(text, start).is_some();
    (shape && !queued && !is_word(byte(text, end)) && byte(text, end) != b'-').then_some(end)
}

/// Two upper-case letters, a dot, 10 digits or more (Meta, business-scoped user ids).
fn business_scoped(text: &[u8], start: usize) -> Option<usize> {
    let country =
        is_upper(byte(text, start)) && is_upper(byte(text, start + 1)) && byte(text, start + 2) == b'.';
    let end = run_end(text, start + 3, 40, |b| is_digit(b) || is_upper(b));
    let digits = slice(text, start + 3..end).iter().filter(|b| is_digit(**b)).count();
    (country && digits >= 10 && !is_word(byte(text, end))).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, find: fn(&[u8], usize) -> Option<Hit>) -> Option<&str> {
        let hit = (0..text.len()).find_map(|start| find(text.as_bytes(), start))?;
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn lids() {
        assert_eq!(first("from 100000000000001@lid up", lid_at), Some("100000000000001"));
        assert_eq!(first("100000000000001:12@lid", lid_at), Some("100000000000001:12"));
        assert_eq!(first("100000000000001@hosted.lid", lid_at), Some("100000000000001"));
        for (text, why) in [
            ("14155550132@s.whatsapp.net", "a number"),
            ("100000000000001@lidar.example", "a domain"),
            ("x@lid", "no digits"),
        ] {
            assert_eq!(first(text, lid_at), None, "{text}: {why}");
        }
    }

    #[test]
    fn prefixed_ids() {
        for (text, want) in [
            ("by usr_q7Zk2Lm9Xw4Tb8 now", "usr_q7Zk2Lm9Xw4Tb8"),
            ("cus_q7Zk2Lm9Xw4Tb8", "cus_q7Zk2Lm9Xw4Tb8"),
            ("ext-100000001,", "ext-100000001"),
            ("agency-123/u-100000001", "agency-123/u-100000001"),
            ("AC0123456789abcdef0123456789abcdef", "AC0123456789abcdef0123456789abcdef"),
            ("<@U0Q7Z2K9L>", "U0Q7Z2K9L"),
            ("US.10000000000000000001", "US.10000000000000000001"),
        ] {
            assert_eq!(first(text, at), Some(want), "{text}");
        }
        for (text, why) in [
            ("user_agent", "a field's name"),
            ("user-verification-failed", "a name"),
            ("account_status_v2", "a name"),
            ("UNDELIVERED", "a word"),
            ("UTF8", "an encoding"),
            ("SM0123456789abcdef0123456789abcdef", "a message"),
            ("ext-7", "too short"),
            ("US.1234", "too short"),
        ] {
            assert_eq!(first(text, at), None, "{text}: {why}");
        }
    }
}

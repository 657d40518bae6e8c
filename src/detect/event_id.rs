//! Ids of requests, messages, traces, orders, and content hashes, by their shape: what joins one record
//! to others and never is a phone, a code or a card.
//!
//! `wamid.…` is not here: it carries a number and is the phone detector's.

use super::Hit;
use super::bytes::{
    Mix, before, byte, ends_before, is_alnum, is_digit, is_hex, is_token, is_upper, is_word, reads, run_end,
    slice, starts_token,
};
use super::validate::{not_epoch, not_uuid};
use super::word_list::WordList;
use crate::class::Class;
use crate::detect::words;

/// The id that starts at a place: UUID, trace context, digest, hex of 16 digits or more, ULID, KSUID,
/// provider sids (`SM…`), prefixed ids (`req_…`, `ORD-2026-000123`), SIP branches, numbers of 17 to 19
/// digits that are no time.
#[must_use]
pub fn at(text: &[u8], start: usize) -> Option<Hit> {
    let first = byte(text, start);
    if !is_alnum(first) || !starts_token(text, start) || before(text, start) == b'+' {
        return None;
    }
    if not_uuid::is_uuid_at(text, start) {
        return Some(hit(start, start + not_uuid::LENGTH));
    }
    let end = run_end(text, start, 160, is_alnum);
    let run = slice(text, start..end);
    let dotted = byte(text, end) == b'.' && is_digit(byte(text, end + 1)) && run.iter().all(|b| is_digit(*b));
    if !dotted && is_id_run(run) && byte(text, end) != b'@' {
        return Some(hit(start, end));
    }
    trace_context(text, start)
        .or_else(|| digest(text, start))
        .or_else(|| branch(text, start))
        .or_else(|| prefixed(text, start))
        .or_else(|| queued(text, start))
        .map(|end| hit(start, end))
}

/// `postfix/qmgr[4242]: U6F0LGDMABG: from=<…>`: where a mail's id in a queue ends.
#[must_use]
pub fn queued(text: &[u8], start: usize) -> Option<usize> {
    let end = run_end(text, start, 20, |b| is_upper(b) || is_digit(b));
    let behind_a_process = start >= 3 && slice(text, start - 3..start) == b"]: ";
    let digits = slice(text, start..end).iter().filter(|b| is_digit(**b)).count();
    let drawn = (8..=16).contains(&(end - start)) && (1..end - start).contains(&digits);
    (behind_a_process && drawn && slice(text, end..end + 2) == b": ").then_some(end)
}

fn hit(start: usize, end: usize) -> Hit {
    Hit::new(Class::EventId, start, end)
}

/// A whole run of letters and digits that is an id by its length and alphabet.
fn is_id_run(run: &[u8]) -> bool {
    // The shortest is a span's.
    if run.len() < 16 {
        return false;
    }
    let mix = Mix::of(run);
    if mix.letters() == 0 {
        return (17..=19).contains(&run.len()) && not_epoch::holds(run) && run.first() != Some(&b'0');
    }
    let hex = run.iter().all(|b| is_hex(*b));
    let one_case = mix.upper == 0 || mix.lower == 0;
    if hex && one_case && mix.digits > 0 {
        // Trace 32, span 16, ObjectId 24, SHA-1 40, SHA-256 64 …; WhatsApp's own: 3EB0…, 3A….
        return matches!(run.len(), 16 | 18 | 20 | 22 | 24 | 32 | 40 | 48 | 56 | 64 | 96 | 128);
    }
    is_sid(run) || is_ulid(run, mix) || is_ksuid(run, mix)
}

/// Twilio: two upper-case letters and 32 hex digits. `AC` is an account, `SK` a key.
fn is_sid(run: &[u8]) -> bool {
    let letters = run.iter().take(2).all(|b| is_upper(*b));
    run.len() == 34
        && letters
        && !run.starts_with(b"AC")
        && !run.starts_with(b"SK")
        && run.iter().skip(2).all(|b| is_hex(*b) && !is_upper(*b))
}

/// 26 characters of Crockford's base32, the first at most 7.
fn is_ulid(run: &[u8], mix: Mix) -> bool {
    run.len() == 26
        && matches!(run.first(), Some(b'0'..=b'7'))
        && (mix.upper == 0 || mix.lower == 0)
        && mix.digits >= 3
        && !run.iter().any(|b| matches!(b.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U'))
}

/// 27 base-62 characters; until 2060 the first is 0, 1 or 2.
fn is_ksuid(run: &[u8], mix: Mix) -> bool {
    run.len() == 27 && matches!(run.first(), Some(b'0'..=b'2')) && mix.is_random()
}

/// W3C `traceparent`: `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_context(text: &[u8], start: usize) -> Option<usize> {
    let mut place = start;
    for (index, width) in [2usize, 32, 16, 2].into_iter().enumerate() {
        let end = run_end(text, place, width + 1, is_hex);
        if end - place != width || (index < 3 && byte(text, end) != b'-') {
            return None;
        }
        place = end + 1;
    }
    (!is_word(byte(text, place - 1))).then_some(place - 1)
}

/// `sha256:<hex>`, `sha1-<hex>`, `md5:<hex>`, also base64 behind `sha384-` (subresource integrity).
fn digest(text: &[u8], start: usize) -> Option<usize> {
    if !matches!(byte(text, start), b's' | b'S' | b'm' | b'M' | b'b' | b'B') {
        return None;
    }
    let name = run_end(text, start, 8, is_alnum);
    static KNOWN: WordList = WordList::new(&["sha256", "sha1", "sha512", "sha384", "md5", "blake3", "sha3"]);
    if !matches!(byte(text, name), b':' | b'-') || !KNOWN.holds(slice(text, start..name)) {
        return None;
    }
    let end = run_end(text, name + 1, 160, |b| is_alnum(b) || matches!(b, b'+' | b'/'));
    (end - name > 16).then(|| run_end(text, end, 2, |b| b == b'='))
}

/// SIP's branch: RFC 3261 §8.1.1.7's cookie and what follows it.
fn branch(text: &[u8], start: usize) -> Option<usize> {
    if !reads(text, start, b"z9hg4bk") {
        return None;
    }
    let end = run_end(text, start, 128, |b| is_token(b) || b == b'.');
    (end > start + 7).then_some(end)
}

/// `req_q7Zk2Lm9`, `evt-…`, `ORD-2026-000123`, `SO123456789`.
fn prefixed(text: &[u8], start: usize) -> Option<usize> {
    static PREFIXES: WordList = WordList::new(words::event_id::PREFIXES);
    let word = run_end(text, start, 10, super::bytes::is_letter);
    if !PREFIXES.holds(slice(text, start..word)) {
        return None;
    }
    let separated = matches!(byte(text, word), b'_' | b'-');
    let end = run_end(text, word, 64, is_token);
    if is_pod(slice(text, start..end)) {
        return None;
    }
    let run = slice(text, word..end);
    let mix = Mix::of(run);
    let upper = slice(text, start..word).iter().all(|b| is_upper(*b));
    let number = mix.digits >= 6 && mix.letters() == 0 && (separated || upper);
    let random = separated && run.len() >= 9 && mix.digits >= 2 && mix.changes * 4 >= run.len();
    (number || random).then_some(end)
}

/// `sms-worker-413340e0c-pfpfh`: a replica of a program, as Kubernetes names them, and no message's id.
fn is_pod(name: &[u8]) -> bool {
    let mut pieces = name.rsplit(|b| *b == b'-');
    let (Some(replica), Some(template)) = (pieces.next(), pieces.next()) else { return false };
    let small = |piece: &[u8]| piece.iter().all(|b| is_digit(*b) || b.is_ascii_lowercase());
    let mut words = 0;
    let program = pieces.all(|piece| {
        words += 1;
        !piece.is_empty() && piece.iter().all(u8::is_ascii_lowercase)
    });
    let letters = replica.iter().filter(|b| !is_digit(**b)).count();
    let hash = (6..=10).contains(&template.len()) && template.iter().any(|b| !is_digit(*b));
    words >= 2 && program && replica.len() == 5 && letters >= 2 && small(replica) && hash && small(template)
}

/// Whether a whole value is a digest of something, cut short or not: hex with digits and letters in it, ten
/// or more. A commit is often written with seven.
#[must_use]
pub fn is_digest(value: &[u8]) -> bool {
    let hex = value.strip_prefix(b"sha256:").or_else(|| value.strip_prefix(b"sha1:")).unwrap_or(value);
    (10..=128).contains(&hex.len())
        && hex.iter().all(|b| is_hex(*b))
        && hex.iter().any(|b| is_digit(*b))
        && !hex.iter().all(|b| is_digit(*b))
}

/// A shorter id that a word announces: `id=1A2B3C4D`, `order #12345678`, `[FID:1234567890]`. `start` is
/// the id's first byte; the whole token is meant. Needs a digit; a plain number needs five.
#[must_use]
pub fn announced_at(text: &[u8], start: usize) -> Option<Hit> {
    const WORDS: &[&str] = words::event_id::ANNOUNCING;
    if !is_alnum(byte(text, start)) || !starts_token(text, start) {
        return None;
    }
    let gap = super::bytes::run_start(text, start, 5, |b| {
        matches!(b, b' ' | b'=' | b':' | b'"' | b'\'' | b'#' | b'[')
    });
    let named = gap < start
        && WORDS.iter().map(|word| word.as_bytes()).any(|word| {
            ends_before(text, gap, word)
                && (!super::bytes::is_letter(before(text, gap - word.len())) || is_camel(text, gap, word))
        });
    if !named {
        return None;
    }
    let end = run_end(text, start, 64, is_token);
    let run = slice(text, start..end);
    let mix = Mix::of(run);
    let enough = if mix.letters() == 0 { mix.digits >= 5 } else { mix.digits >= 1 && run.len() >= 5 };
    (enough && byte(text, end) != b'@').then(|| hit(start, end))
}

/// `messageId`: the word begins with its capital behind a lower-case letter.
fn is_camel(text: &[u8], end: usize, word: &[u8]) -> bool {
    is_upper(byte(text, end - word.len())) || reads(text, end.saturating_sub(word.len() + 3), b"msg")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, find: fn(&[u8], usize) -> Option<Hit>) -> Option<&str> {
        let hit = (0..text.len()).find_map(|start| find(text.as_bytes(), start))?;
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn ids_are_found_whole() {
        for (text, want) in [
            ("rid=f81d4fae-7dec-11d0-a765-00a0c91e6bf6;", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            ("trace 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
            ("0123456789abcdef", "0123456789abcdef"),
            ("507f1f77bcf86cd799439011", "507f1f77bcf86cd799439011"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            ("0ujtsYcgvSTl8PAuAdqWYSMnLOv", "0ujtsYcgvSTl8PAuAdqWYSMnLOv"),
            ("SM0123456789abcdef0123456789abcdef", "SM0123456789abcdef0123456789abcdef"),
            ("3EB00123456789ABCDEF01", "3EB00123456789ABCDEF01"),
            ("req_q7Zk2Lm9Xw", "req_q7Zk2Lm9Xw"),
            ("ORD-2026-000123", "ORD-2026-000123"),
            ("SO123456789", "SO123456789"),
            (";branch=z9hG4bK-12345678\n", "z9hG4bK-12345678"),
            (
                "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
                "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01",
            ),
            ("sha256:0123456789abcdef0123456789abcdef", "sha256:0123456789abcdef0123456789abcdef"),
            ("snowflake 175928847299117063", "175928847299117063"),
        ] {
            assert_eq!(first(text, at), Some(want), "{text}");
        }
    }

    #[test]
    fn other_words_and_numbers_are_left() {
        for (text, why) in [
            ("14155550132", "a phone"),
            ("+1234567890123456789", "a phone"),
            ("1767225600000000000", "a time in nanoseconds"),
            ("facade", "a word"),
            ("AC0123456789abcdef0123456789abcdef", "an account"),
            ("SK0123456789abcdef0123456789abcdef", "a key"),
            ("order_confirmation_v2", "a template's name"),
            ("sms-worker-413340e0c-pfpfh", "a pod"),
            ("message_count", "a field's name"),
            ("in-memory", "a word"),
            ("100000000000000001@lid", "a person"),
            ("Internationalization", "a word"),
        ] {
            assert_eq!(first(text, at), None, "{text}: {why}");
        }
    }

    #[test]
    fn digests() {
        for value in ["0987fafb1bf6", "sha256:0987fafb1bf6", "D773635D7C156EA0B28DF51BBA8A3779FAE0AC29"] {
            assert!(is_digest(value.as_bytes()), "{value}");
        }
        for value in ["861a29b", "1234567890123", "0x0987fafb1bf6", "facade-faced", "deadbeefdead"] {
            assert!(!is_digest(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn announced_ids() {
        for (text, want) in [
            ("id=1A2B3C4D,", Some("1A2B3C4D")),
            ("order #12345678", Some("12345678")),
            ("[FID:1234567890]", Some("1234567890")),
            ("messageId: 0A0000001", Some("0A0000001")),
            ("commit 1a2b3c4", Some("1a2b3c4")),
            ("paid 12345", None),
            ("order 1234", None),
            ("id=abcdef", None),
        ] {
            assert_eq!(first(text, announced_at), want, "{text}");
        }
    }
}

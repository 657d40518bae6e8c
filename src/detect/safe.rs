//! What may stay for ever in running text: the tokens that the last stage keeps.
//!
//! The question is asked token by token (between spaces), after every other detector had its say, so the
//! rules lean to the careful side:
//! - a bare number stays with at most three digits; four may be a code. Behind a word that counts things
//!   (`pid`, `seq`, `offset`) or before a unit (`ms`, `bytes`) it stays with up to twelve;
//! - a word stays only from a closed list of words that logs are made of: any other may be a name;
//! - a decimal stays if it is below one or has at most three places: coordinates have more.

use super::bytes::{
    before, byte, is_alnum, is_digit, is_hex, is_letter, is_lower, is_upper, is_word, run_end, run_start,
    slice, tail,
};
use super::safe_names::{is_announced, is_esme, is_machine};
use crate::detect::words::safe::{COUNTED, LARGE, MEASURES, NUMBERED, UNITS, VERSION_WORDS, WORDS};

/// Where WhatsApp sends what all contacts see: no chat and no person.
const BROADCAST: &[u8] = b"status@broadcast";
/// Most digits of a number behind a word that a code may follow, too.
const FEW_DIGITS: usize = 6;
/// A longer number may ring: only a word that speaks of large numbers, or a unit, speaks for it.
const MANY_DIGITS: usize = 8;
/// Longest word of the lists; a longer token is looked up in none.
const LONGEST_WORD: usize = 24;

/// Whether a token of a text may stay, given its neighbours (empty at the text's ends). Brackets, quotes
/// and punctuation around the three do not count. A token that holds `=` or `:` is judged by its parts:
/// `seq=1204` reads as `1204` behind `seq`.
#[must_use]
pub fn keep_token(token: &[u8], prev: &[u8], next: &[u8]) -> bool {
    let core = core_of(token);
    if core.is_empty() {
        return true;
    }
    if core.len() > 256 {
        return false;
    }
    if let Some(cut) = assignment(core) {
        let name = slice(core, 0..cut);
        let value = core_of(tail(core, cut + 1));
        return is_name(name) && (value.is_empty() || keep_value(value, core_of(name), core_of(next)));
    }
    keep_value(core, core_of(prev), core_of(next))
}

fn keep_value(core: &[u8], prev: &[u8], next: &[u8]) -> bool {
    if is_number(core) {
        return keep_number(core, prev, next);
    }
    is_in(WORDS, core)
        || is_in(COUNTED, core)
        || is_in(NUMBERED, core)
        || is_machine(core)
        || core == BROADCAST
        || is_in(UNITS, core)
        || is_quantity(core)
        || is_protocol(core)
        || is_address(core)
        || is_version(core, prev)
        || is_source_position(core)
        || is_symbol(core)
        || is_esme(core)
        || is_announced(core, prev)
}

/// The token without what brackets, quotes and punctuation are around it.
fn core_of(token: &[u8]) -> &[u8] {
    let edge = |b: &u8| !is_alnum(*b) && *b < 0x80 && !matches!(*b, b'/' | b'%' | b'-' | b'+' | b'$' | b'_');
    let start = token.iter().position(|b| !edge(b)).unwrap_or(token.len());
    let end = token.iter().rposition(|b| !edge(b)).map_or(start, |last| last + 1);
    let core = slice(token, start..end.max(start));
    // Dashes and arrows alone are grammar.
    if core.iter().any(|b| is_alnum(*b) || *b >= 0x80) { core } else { b"" }
}

/// Place of the `=` or `:` between a name and its value; not of `::`, `://` or a position (`a.java:12`).
fn assignment(core: &[u8]) -> Option<usize> {
    let name = run_end(core, 0, 48, |b| is_word(b) || b == b'-' || b == b'.');
    let separator = byte(core, name);
    let double = matches!(byte(core, name + 1), b':' | b'/');
    let fits = separator == b'=' || (separator == b':' && !double && !slice(core, 0..name).contains(&b'.'));
    (name > 0 && name < core.len() && fits && is_letter(byte(core, 0))).then_some(name)
}

/// Whether what stands before a `=` or `:` in a line may be a field's name. An id in base64 ends in `=`, too.
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    let short = name.len() <= 32 || !name.iter().any(|b| is_upper(*b));
    short && name.iter().filter(|b| is_digit(**b)).count() <= 4
}

/// A field's name: letters, `_`, `-`, `.`, at most two digits.
fn is_name(name: &[u8]) -> bool {
    name.iter().filter(|b| is_digit(**b)).count() <= 2
}

/// Digits, a sign, one point, `,` between thousands, `/` between two.
fn is_number(core: &[u8]) -> bool {
    core.iter().any(|b| is_digit(*b))
        && core.iter().all(|b| is_digit(*b) || matches!(b, b'.' | b',' | b'/' | b'-' | b'+' | b'#'))
}

fn keep_number(core: &[u8], prev: &[u8], next: &[u8]) -> bool {
    let digits = core.iter().filter(|b| is_digit(**b)).count();
    let points = core.iter().filter(|b| **b == b'.').count();
    if points > 1 {
        return is_version(core, prev);
    }
    if core.starts_with(b"+") || core.iter().skip(1).any(|b| *b == b'-') {
        return digits <= 3;
    }
    let measured = if digits <= MANY_DIGITS { is_in(UNITS, next) } else { is_in(MEASURES, next) };
    if (counts(prev, digits) || is_connection(prev, core) || measured) && digits <= 12 {
        return true;
    }
    if is_in(NUMBERED, last_word(prev)) && digits <= FEW_DIGITS {
        return true;
    }
    if points == 1 {
        let point = core.iter().position(|b| *b == b'.').unwrap_or_default();
        let whole = slice(core, 0..point).iter().filter(|b| is_digit(**b)).count();
        let small = slice(core, 0..point).iter().all(|b| matches!(b, b'0' | b'-'));
        return whole <= 6 && (small || core.len() - point <= 4) && (small || digits <= 8);
    }
    digits <= 3
}

/// Whether a value may stay whatever its field is called: one word that a line might have as well, and no
/// bare number.
#[must_use]
pub fn keep_alone(value: &[u8]) -> bool {
    let one = !value.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b'=' | b'"' | b'\''));
    one && core_of(value).len() == value.len()
        && !value.is_empty()
        && (!is_number(value) || is_version(value, b""))
        && keep_token(value, b"", b"")
}

/// Whether a value is a number of what its field's name counts or measures: `session_age_s: 52062`.
#[must_use]
pub fn keep_measured(name: &[u8], value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| is_digit(**b)).count();
    let points = value.iter().filter(|b| **b == b'.').count();
    let number = value.iter().skip(1).all(|b| is_digit(*b) || *b == b'.')
        && value.first().is_some_and(|b| is_digit(*b) || *b == b'-');
    // `reqTimeSec=1775935488`: a time since 1970, and no duration.
    let since_1970 = matches!(digits, 10 | 13) && value.first() == Some(&b'1') && points == 0;
    let time = since_1970 && !is_in(LARGE, last_word(name));
    number
        && !time
        && (1..=12).contains(&digits)
        && points <= 1
        && (counts(name, digits) || is_connection(name, value))
}

/// Whether a name and its value are a place in a program: `InvoiceJob.java:1710`, `c.e.billing.InvoiceJob:88`.
#[must_use]
pub fn is_place(name: &[u8], value: &[u8]) -> bool {
    let numbered = value.len() <= 12
        && value.first().is_some_and(|b| is_digit(*b))
        && value.split(|b| *b == b':').all(|part| part.len() <= 5 && part.iter().all(|b| is_digit(*b)));
    let Some(dot) = name.iter().rposition(|b| *b == b'.').filter(|_| numbered) else { return false };
    let (package, last) = (slice(name, 0..dot), tail(name, dot + 1));
    let class = is_upper(byte(last, 0))
        && last.iter().any(|b| is_lower(*b))
        && package.contains(&b'.')
        && package.iter().all(|b| is_lower(*b) || is_digit(*b) || matches!(b, b'.' | b'_'));
    class || ENDINGS.contains(&last)
}

/// Whether a file's name is followed by a place in it: `provider.js:4884:17`.
#[must_use]
pub fn is_numbered_source(name: &[u8]) -> bool {
    let name = core_of(name);
    name.contains(&b':') && !name.contains(&b'/') && is_source_position(name)
}

/// Whether a number stands right behind a word that counts: `seq 1204`, `conn=1112890995`, `*71234`.
#[must_use]
pub fn counted_before(text: &[u8], at: usize) -> bool {
    let gap = run_start(text, at, 3, |b| matches!(b, b' ' | b'=' | b':' | b'"'));
    let name = run_start(text, gap, LONGEST_WORD, |b| is_word(b) || b == b'.');
    let name = slice(text, name..gap);
    let number = slice(text, at..run_end(text, at, 20, is_digit));
    before(text, at) == b'*' || (gap < at && (counts(name, number.len()) || is_connection(name, number)))
}

/// Whether a number is a connection's in a server's own count. Up to 65535 it may be a client's port.
fn is_connection(name: &[u8], number: &[u8]) -> bool {
    number.len() >= 6
        && number.iter().all(|b| is_digit(*b))
        && (name.eq_ignore_ascii_case(b"conn") || name.eq_ignore_ascii_case(b"connection"))
}

/// Whether a word is a unit: `ms`, `bytes`.
#[must_use]
pub fn is_unit(word: &[u8]) -> bool {
    is_in(UNITS, word)
}

/// Whether a word is one that logs are made of or that counts.
#[must_use]
pub fn is_log_word(word: &[u8]) -> bool {
    is_in(WORDS, word) || is_in(COUNTED, word) || is_in(UNITS, word)
}

/// A number with its unit, alone: `12ms`.
#[must_use]
pub fn is_measure(value: &[u8]) -> bool {
    is_quantity(value)
}

/// Whether a name says that a number of so many digits counts or measures.
fn counts(name: &[u8], digits: usize) -> bool {
    let word = last_word(name);
    let list = if digits <= MANY_DIGITS { COUNTED } else { LARGE };
    is_in(list, word) || (word.len() < name.len() && is_in(MEASURES, word)) || is_in(list, name)
}

/// The last word of `queue_depth`, `upstream.status`: what a name counts.
fn last_word(name: &[u8]) -> &[u8] {
    let start = name.iter().rposition(|b| !is_letter(*b) && *b < 0x80).map_or(0, |place| place + 1);
    let camel = tail(name, start).iter().rposition(|b| is_upper(*b)).unwrap_or_default();
    let word = tail(name, start + camel);
    if is_in(COUNTED, word) || is_in(MEASURES, word) { word } else { tail(name, start) }
}

/// A number with its unit: `12ms`, `1.5s`, `+30µs`, `10KB`, `80%`, `3x`.
fn is_quantity(core: &[u8]) -> bool {
    let start = usize::from(matches!(byte(core, 0), b'+' | b'-' | b'~'));
    let end = run_end(core, start, 16, |b| is_digit(b) || b == b'.');
    let digits = slice(core, start..end).iter().filter(|b| is_digit(**b)).count();
    let unit = tail(core, end);
    // `1182767-byte body`.
    let unit = if byte(core, end) == b'-' && end > start { tail(core, end + 1) } else { unit };
    (1..=12).contains(&digits)
        && !unit.is_empty()
        && (unit == b"%" || unit == b"x" || is_in(UNITS, unit) || is_compound(unit) || is_rate(unit))
}

/// `/s` of `37.5/s`.
fn is_rate(unit: &[u8]) -> bool {
    matches!(unit, b"/s" | b"/sec" | b"/m" | b"/min" | b"/h" | b"/hour")
}

/// `m30s` of `5m30s`, `h0m0s`.
fn is_compound(unit: &[u8]) -> bool {
    let time = |b: &u8| is_digit(*b) || matches!(b, b'h' | b'm' | b's' | b'.' | b'd');
    unit.len() <= 12 && unit.iter().all(time) && unit.last().is_some_and(|b| is_letter(*b))
}

/// `HTTP/1.1`, `SIP/2.0`, `TLSv1.3`.
fn is_protocol(core: &[u8]) -> bool {
    let name = run_end(core, 0, 6, is_upper);
    let mut version = name;
    if matches!(byte(core, version), b'/' | b'v') {
        version += 1;
    }
    let end = run_end(core, version, 4, |b| is_digit(b) || b == b'.');
    let known: [&[u8]; 8] = [b"HTTP", b"SIP", b"TLS", b"SSL", b"RTP", b"SMPP", b"XMPP", b"SSH"];
    version > name && end > version && end == core.len() && known.contains(&slice(core, 0..name))
}

/// A place in memory: `0x7f3a…`, at most 16 digits.
fn is_address(core: &[u8]) -> bool {
    let digits = core.strip_prefix(b"0x").or_else(|| core.strip_prefix(b"@0x")).unwrap_or_default();
    (1..=16).contains(&digits.len()) && digits.iter().all(|b| is_hex(*b))
}

/// `1.2.3`, `v4.1`, `2.3000.1015901307`, `3.1.0-rc2`, `2026.1.7+build5`; four numbers up to 255 only with a
/// `v` or behind a word for versions, since they may be an address; three-three-four digits never (a phone).
fn is_version(core: &[u8], prev: &[u8]) -> bool {
    let announced = is_in(VERSION_WORDS, last_word(prev));
    let marked = matches!(byte(core, 0), b'v' | b'V') && is_digit(byte(core, 1));
    let start = usize::from(marked);
    let end = run_end(core, start, 32, |b| is_digit(b) || b == b'.');
    let numbers = slice(core, start..end);
    let mut parts = 0usize;
    let mut longest = 0usize;
    let mut octets = true;
    for part in numbers.split(|b| *b == b'.') {
        if part.is_empty() {
            return false;
        }
        parts += 1;
        longest = longest.max(part.len());
        octets &= part.len() <= 3;
    }
    let suffix = tail(core, end);
    let tagged = matches!(suffix.first(), Some(b'-' | b'+'))
        && suffix.len() <= 16
        && suffix.iter().any(|b| is_lower(*b));
    let tail_fits = suffix.is_empty() || tagged && suffix.iter().filter(|b| is_digit(**b)).count() <= 4;
    let whatsapp = numbers.starts_with(b"2.3000.") && parts == 3 && longest == 10;
    let short = longest <= 4 && numbers.len() <= 12;
    let address = parts == 4 && octets;
    let phone = numbers.len() >= 10 && parts <= 3;
    let plain = (parts >= 3 && short && !address && !phone) || whatsapp;
    let named = (marked || announced || tagged) && parts >= 2 && longest <= 5 && parts <= 5;
    tail_fits && (plain || named)
}

/// What the files of programs end in.
#[rustfmt::skip]
const ENDINGS: [&[u8]; 22] = [
    b"java", b"kt", b"py", b"js", b"mjs", b"ts", b"tsx", b"go", b"rs", b"rb", b"php", b"c", b"cc",
    b"cpp", b"h", b"cs", b"ex", b"erl", b"scala", b"swift", b"lua", b"pl",
];

/// `SmsController.java:1204`, `views.py`, `/srv/app/otp/views.py:88`, `chan_sip.c:`.
fn is_source_position(core: &[u8]) -> bool {
    let name_end = memchr::memchr(b':', core).unwrap_or(core.len());
    let position = tail(core, name_end);
    if position.len() > 12 {
        return false;
    }
    let name = slice(core, 0..name_end);
    let open = name.iter().rposition(|b| *b == b'(').map_or(0, |place| place + 1);
    let ending = name.iter().rposition(|b| *b == b'.').map(|dot| tail(name, dot + 1)).unwrap_or_default();
    let numbered = position.iter().all(|b| is_digit(*b) || *b == b':');
    open < name.len() && ENDINGS.contains(&ending) && numbered && is_identifier_path(name)
}

/// Paths of a program: `std::fmt::Display`, `com.example.sms.SmsController.send`, `IllegalStateException`.
fn is_symbol(core: &[u8]) -> bool {
    if !is_identifier_path(core) {
        return is_namespaced(core) || is_method(core);
    }
    let double = core.windows(2).any(|pair| pair == b"::");
    let dots = core.iter().filter(|b| **b == b'.').count();
    let class =
        core.windows(2).any(|pair| pair.first() == Some(&b'.') && pair.last().is_some_and(|b| is_upper(*b)));
    let error =
        [&b"Exception"[..], b"Error"].iter().any(|end| core.ends_with(end) && core.len() > end.len() + 2);
    double
        || (dots >= 2 && class && is_lower(byte(core, 0)))
        || (error && is_upper(byte(core, 0)))
        || is_method(core)
}

/// `SmsRouter.pickRoute`, `DeliveryWorker#perform`: a class whose name is made of words, and a method of it.
fn is_method(core: &[u8]) -> bool {
    let Some(sign) = core.iter().position(|b| matches!(b, b'.' | b'#')) else { return false };
    let (class, method) = (slice(core, 0..sign), tail(core, sign + 1));
    let hump = class
        .windows(2)
        .any(|pair| pair.first().is_some_and(|b| is_lower(*b)) && pair.last().is_some_and(|b| is_upper(*b)));
    let method = method.strip_suffix(b"()").unwrap_or(method);
    is_upper(byte(class, 0))
        && hump
        && class.iter().all(|b| is_letter(*b))
        && is_lower(byte(method, 0))
        && method.iter().all(|b| is_letter(*b) || *b == b'_')
}

/// `App\Jobs\SendOtp`: PHP's classes.
fn is_namespaced(core: &[u8]) -> bool {
    let mut parts = 0;
    let words = core.split(|b| *b == b'\\').filter(|part| !part.is_empty()).all(|part| {
        parts += 1;
        is_upper(byte(part, 0)) && part.iter().all(|b| is_letter(*b))
    });
    words && parts >= 2
}

/// Identifiers with `.`, `::`, `/`, `$`, brackets between; no run of five digits, no `@`.
fn is_identifier_path(core: &[u8]) -> bool {
    let mut digits = 0usize;
    for b in core {
        digits = if is_digit(*b) { digits + 1 } else { 0 };
        let part = is_word(*b) || matches!(b, b'.' | b':' | b'/' | b'$' | b'(' | b')' | b'<' | b'>' | b'-');
        if !part || digits >= 5 {
            return false;
        }
    }
    true
}

/// Looks a word up in a sorted list, in any case.
pub(super) fn is_in(list: &[&str], word: &[u8]) -> bool {
    let mut lower = [0u8; LONGEST_WORD];
    let Some(buffer) = lower.get_mut(..word.len()) else { return false };
    buffer.copy_from_slice(word);
    buffer.make_ascii_lowercase();
    list.binary_search_by(|entry| entry.as_bytes().cmp(buffer)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token between bars, its neighbours outside.
    fn keeps(text: &str) -> bool {
        let mut parts = text.split('|');
        let mut part = || parts.next().unwrap_or_default().trim().as_bytes();
        let (prev, token, next) = (part(), part(), part());
        keep_token(token, prev, next)
    }

    #[test]
    fn lists_are_sorted() {
        for list in [COUNTED, LARGE, NUMBERED, MEASURES, UNITS, VERSION_WORDS, WORDS] {
            for pair in list.windows(2) {
                assert!(pair[0] < pair[1], "{pair:?}");
            }
            assert!(list.iter().all(|word| word.len() <= LONGEST_WORD));
        }
    }

    #[test]
    fn what_stays() {
        for text in [
            "|GET|",
            "|[error]|",
            "|INFO:|",
            "|->|",
            "|---|",
            "|HTTP/1.1\"|",
            "|SIP/2.0|",
            "|TLSv1.3|",
            "took|1204ms|",
            "|+341ms|",
            "|1.5s|",
            "|80%|",
            "|5m30s|",
            "took|12045|ms",
            "|1204|bytes",
            "pid|31204|",
            "|pid=31204|",
            "|seq:100000001,|",
            "offset|10000000001|",
            "|offset=10000000001|",
            "queue_depth|120456|",
            "|200|",
            "|status=200|",
            "(line|1204|",
            "|0x7f3a12bc90de|",
            "|1.2.3|",
            "|v1.2.3.4|",
            "version|1.2.3.4|",
            "|2.3000.1015901307|",
            "|3.1.0-rc2|",
            "|0.01234|",
            "|12.345|",
            "|SmsController.java:1204)|",
            "|/srv/app/otp/views.py|",
            "|chan_sip.c:|",
            "|tokio::runtime::task::harness_ab12cd|",
            "|java.lang.IllegalStateException:|",
            "|ApiException|",
            "|failed|",
            "|Connection|",
            "|lag=12045|",
            "|CSeq:|",
            "|took=12045|",
            "CSeq|93436|INVITE",
            "offset|54850941904|",
            "conn|1112890995|",
            "|54850941904|bytes",
            "|1182767-byte|",
            "session_age_s|52062|",
            "|pool-9-thread-16|",
            "|gw-4|",
            "|SessionReaper|",
            "|otp-issuer|",
            "|RESOURCE_EXHAUSTED|",
            "|smpp.client|",
            "|sendRoutingInfoForSM|",
            "|ESME_RINVBNDSTS|",
            "country|GH|",
            "sqlstate|42P01|",
            "|7828|left",
        ] {
            assert!(keeps(text), "{text}");
        }
    }

    #[test]
    fn names() {
        for name in ["to", "x-b3-traceid", "http.response.status_code", "ipv4_addr_2", "código"] {
            assert!(is_field_name(name.as_bytes()), "{name}");
        }
        for name in ["wamid.HBgLMTQxNTU1NTAxMzIVAgASGBQzQUQ0", "tel4155550132"] {
            assert!(!is_field_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn whole_values() {
        for value in
            ["stdout", "27.1.42-rc2", "12ms", "sms-worker-3", "status@broadcast", "2.3000.1015901307"]
        {
            assert!(keep_alone(value.as_bytes()), "{value}");
        }
        for value in ["", "Otto", "482913", "42", "ok then", "a=b", "192.0.2.7", "415.555.0132", "a\"b"] {
            assert!(!keep_alone(value.as_bytes()), "{value}");
        }
        for (name, value) in
            [("session_age_s", "52062"), ("unread", "28273"), ("gcPauseUs", "12.5"), ("heap", "5898800123")]
        {
            assert!(keep_measured(name.as_bytes(), value.as_bytes()), "{name} {value}");
        }
        for (name, value) in [
            ("s", "52062"),
            ("reqTimeSec", "1775935488"),
            ("alter", "42"),
            ("unread", "14155550132"),
            ("took_ms", "1-2"),
            ("pages", "4.1.5"),
        ] {
            assert!(!keep_measured(name.as_bytes(), value.as_bytes()), "{name} {value}");
        }
        assert!(is_place(b"InvoiceJob.java", b"1710") && is_place(b"c.e.aviso.Envio", b"88"));
        assert!(
            !is_place(b"Otp.Code", b"4829")
                && !is_place(b"a.java", b"482913")
                && !is_place(b"a.b.code", b"4829")
        );
    }

    #[test]
    fn what_goes() {
        for (text, why) in [
            ("|482913|", "a code"),
            ("code|482913|", "a code behind a word of logs"),
            ("of|482913|", "a code behind a word that stands before anything"),
            ("line|14155550132|", "a phone line"),
            ("|14155550132|messages", "a phone that somebody writes to"),
            ("conn|50123|", "a client's port"),
            ("|otto-4|", "a name"),
            ("|OttoRelay|", "a name"),
            ("|otp-482|", "a code"),
            ("|GH|", "initials"),
            ("code|42P01|", "a code"),
            ("|pin-482-913|", "a code"),
            ("|4829|", "four digits may be a code"),
            ("|code=4829|", "a code"),
            ("|14155550132|", "a phone"),
            ("|+14155550132|", "a phone"),
            ("pid|14155550132000|", "longer than counts are"),
            ("|415.555.0132|", "a phone with points"),
            ("|415-555-0132|", "a phone"),
            ("|203.0.113.7|", "an address"),
            ("|52.520008|", "a coordinate"),
            ("|Otto|", "a name"),
            ("|otto@example.com|", "an address"),
            ("|api.example.com|", "a host"),
            ("|0x0123456789abcdef01|", "longer than places in memory"),
            ("|0123456789abcdef|", "an id"),
            ("|user=otto|", "a name"),
            ("|otto.meier.schmidt|", "a name"),
            ("|/verify/14155550132/482913|", "a path with a phone"),
            ("|14155550132.py|", "a file named by a phone"),
            ("|王小明|", "a name"),
            ("|1767225600|", "a time"),
        ] {
            assert!(!keeps(text), "{text}: {why}");
        }
    }
}

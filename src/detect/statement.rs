//! What commands and statements hold that a program was run with: Redis' `SETEX`, parameters that Hibernate binds,
//! SQL's `LIKE`.

use super::bytes::{before, byte, is_alnum, is_letter, run_end, run_start, slice};
use crate::finding::Span;

/// Longest value that is looked for.
const LONGEST_VALUE: usize = 64;

/// Calls `out` with the codes that Redis keeps for a while: `SETEX otp:4479… 300 482913`.
pub fn kept(text: &[u8], speaks: fn(&[u8]) -> bool, out: &mut dyn FnMut(Span)) {
    let sign = |b: u8| matches!(b, b' ' | b'"' | b'\'' | b'\n');
    for command in [&b"SETEX"[..], b"setex"] {
        for at in memchr::memmem::find_iter(text, command) {
            let mut words = [Span::default(); 3];
            let mut end = at + command.len();
            for word in &mut words {
                let mut start = run_end(text, end, 16, sign);
                end = run_end(text, start, 96, |b| !sign(b));
                // `3) "300"`: a line of the slow log.
                if matches!(text.get(start..end), Some([b'0'..=b'9', b')'])) {
                    start = run_end(text, end, 4, sign);
                    end = run_end(text, start, 96, |b| !sign(b));
                }
                *word = Span::new(start, end);
            }
            let [key, lifetime, value] = words;
            let digits = |span: Span, most| {
                !span.is_empty() && span.len() <= most && span.of(text).iter().all(u8::is_ascii_digit)
            };
            if digits(lifetime, 9) && is_kept_code(value.of(text)) && speaks(key.of(text)) {
                out(value);
            }
        }
    }
}

/// Calls `out` with the codes that a cache is given: `SET otp:4479… 482913 EX 300`, `cache.set("otp:4479…", "482913")`,
/// memcached's `set otp_4479… 0 300 6 482913`.
pub fn set(text: &[u8], speaks: fn(&[u8]) -> bool, out: &mut dyn FnMut(Span)) {
    const WORDS: usize = 5;
    let sign = |b: u8| matches!(b, b' ' | b'"' | b'\'' | b'\n' | b'\r' | b',' | b'(' | b')' | b'[' | b']');
    for command in [&b"SET"[..], b"set", b"Set", b"put", b"SETNX", b"setnx", b"GETSET"] {
        for at in memchr::memmem::find_iter(text, command) {
            let behind = at + command.len();
            if is_alnum(before(text, at)) || !sign(byte(text, behind)) {
                continue;
            }
            let mut words = [Span::default(); WORDS];
            let mut end = behind;
            for word in &mut words {
                let start = run_end(text, end, 4, sign);
                end = run_end(text, start, 96, |b| !sign(b));
                *word = Span::new(start, end);
            }
            let [key, first, _, size, last] = words;
            let key = key.of(text);
            // Of one somebody, not a setting: `set otp_ttl 3000`.
            let digits = key.iter().filter(|b| b.is_ascii_digit()).count();
            if !(speaks(key) && (digits >= 4 || key.contains(&b':') && digits >= 1)) {
                continue;
            }
            let sized = std::str::from_utf8(size.of(text)).ok().and_then(|size| size.parse().ok())
                == Some(last.len());
            if is_kept_code(first.of(text)) {
                out(first);
            } else if sized && is_kept_code(last.of(text)) {
                out(last);
            }
        }
    }
}

/// `482913`, `RV7V65`, `095-331`, digits of any script: no word, no JSON.
fn is_kept_code(value: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_digit() || b.is_ascii_uppercase() || *b == b'-';
    let numeric = |text: &str| text.chars().all(|c| c.is_numeric() || c == '-');
    let count = std::str::from_utf8(value).map_or(0, |text| text.chars().count());
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    (4..=10).contains(&count)
        && (digits >= 2 && value.iter().all(plain) || std::str::from_utf8(value).is_ok_and(numeric))
}

/// Calls `out` with the texts of four to eight digits that a statement was run with behind a telephone number, as
/// Hibernate logs them: `binding parameter [2] as [VARCHAR] - [482913]`, `binding parameter (2:VARCHAR) <- [482913]`.
pub fn bound(text: &[u8], out: &mut dyn FnMut(Span)) {
    const BINDING: &[u8] = b"binding parameter ";
    let mut numbered = false;
    let head = memchr::memmem::find(text, BINDING).and_then(|first| text.get(..first)).unwrap_or_default();
    if names_its_parameters(head) {
        return;
    }
    for at in memchr::memmem::find_iter(text, BINDING) {
        let start = at + BINDING.len();
        let head_end = run_end(text, start, 48, |b| b != b'-');
        let head = slice(text, start..head_end);
        let open = run_end(text, head_end + 1, 1, |b| b == b' ');
        if byte(text, open) != b'[' || memchr::memmem::find(head, b"CHAR").is_none() {
            continue;
        }
        let value = Span::new(open + 1, run_end(text, open + 1, 24, |b| b != b']' && b != b'\n'));
        let bytes = value.of(text);
        let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
        if numbered && digits == bytes.len() && (4..=8).contains(&digits) && byte(text, value.end()) == b']' {
            out(value);
        }
        numbered |= digits >= 9 || bytes.starts_with(b"[PHONE");
    }
}

/// Whether a statement says which columns its parameters are of: `… (phone, code) VALUES (?, ?)`, `… phone = $1`. Then
/// their places say nothing more.
#[must_use]
pub fn names_its_parameters(head: &[u8]) -> bool {
    let has = |sign: &[u8]| memchr::memmem::find(head, sign).is_some();
    has(b") VALUES") || has(b") values") || has(b"= $") || has(b"= ?") || has(b"=?")
}

/// Calls `out` with names of columns and what a statement looks for in each: `phone LIKE '%4479…%'`.
pub fn looked_for(text: &[u8], out: &mut dyn FnMut(Span, Span)) {
    for quote in memchr::memmem::find_iter(text, b"'%") {
        let head = slice(text, 0..quote).trim_ascii_end();
        let word = run_start(head, head.len(), 5, is_letter);
        let called = slice(head, word..head.len());
        if !(called.eq_ignore_ascii_case(b"like") || called.eq_ignore_ascii_case(b"ilike")) {
            continue;
        }
        let head = slice(head, 0..word).trim_ascii_end();
        let end = head.len() - head.iter().rev().take(2).take_while(|b| matches!(b, b'"' | b'`')).count();
        let name = run_start(head, end, 40, |b| is_alnum(b) || b == b'_');
        let stop = run_end(text, quote + 2, LONGEST_VALUE, |b| !matches!(b, b'%' | b'\'' | b'\n'));
        if byte(text, stop) == b'%' && name < end && stop > quote + 4 {
            out(Span::new(name, end), Span::new(quote + 2, stop));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cache_is_given() {
        let found = |text: &str| {
            let mut got = Vec::new();
            let speaks: fn(&[u8]) -> bool = |key| key.windows(3).any(|part| part == b"otp");
            set(text.as_bytes(), speaks, &mut |span| {
                got.push(String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
            });
            got
        };
        for text in [
            "SET otp:491511234567 482913 EX 300",
            "cache.set(\"otp:491511234567\", \"482913\", timeout=300)",
            "set otp_491511234567 0 300 6 482913",
            "redis: [\"SET\", \"otp:u8\", \"482913\"]",
        ] {
            assert_eq!(found(text), ["482913"], "{text}");
        }
        for text in [
            "set otp_ttl 3000",
            "SET lang:491511234567 482913",
            "reset otp:491511234567 482913",
            "set otp_491511234567 0 300 5 482913",
            "SET otp:491511234567 {\"a\":1}",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}

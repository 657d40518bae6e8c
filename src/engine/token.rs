//! What a token with digits can be, told from its first bytes and its neighbours: most are counts, ids and
//! times that no detector but one or none would take.

use crate::detect::bytes::{before, byte, is_alnum, is_digit, is_hex, is_high, is_letter, is_token, run_end};
use crate::detect::validate::not_uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `503`, `gw-3`: too short for anything, unless a word before it announces it.
    Short,
    Uuid,
    /// Small letters and digits of a hash's, a trace's, a span's length.
    Hex,
    /// A date begins with a year and a dash.
    Date,
    Other,
}

/// Longest token that may be [`Token::Short`].
const SHORT: usize = 8;

/// The token that begins at `start` and whose first digit stands at `at`.
pub fn of(text: &[u8], start: usize, at: usize) -> Token {
    if byte(text, start + 8) == b'-' && byte(text, start + 13) == b'-' && not_uuid::is_uuid_at(text, start) {
        return Token::Uuid;
    }
    let end = run_end(text, at, SHORT + 1, is_token);
    if end - start <= SHORT {
        return if is_short(text, start, at, end) { Token::Short } else { Token::Other };
    }
    if start == at && byte(text, at + 4) == b'-' && byte(text, at + 7) == b'-' {
        return Token::Date;
    }
    if is_hex_id(text, start) { Token::Hex } else { Token::Other }
}

fn is_short(text: &[u8], start: usize, at: usize, end: usize) -> bool {
    let last = before(text, start);
    if is_high(last) || matches!(last, b'/' | b'.' | b':' | b'+' | b'(' | b'%' | b'\\' | b'@') {
        return false;
    }
    let token = text.get(start..end).unwrap_or_default();
    let digits = token.iter().filter(|b| is_digit(**b)).count();
    let dashes = token.iter().filter(|b| **b == b'-').count();
    if dashes > 1 || digits > if digits == token.len() { 6 } else { 4 } {
        return false;
    }
    match byte(text, end) {
        // What is behind the text's end reads as 0.
        0 => end >= text.len(),
        b',' | b';' | b')' | b']' | b'}' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'&' | b'|' | b'<'
        | b'>' => true,
        b' ' => {
            // Digits behind it may be the rest of a number, a month that of a date, hex that of a dump.
            let beyond = run_end(text, end, 4, |b| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
            let next = byte(text, beyond);
            let alone = !is_digit(next) && !is_high(next) && !matches!(next, b'+' | b'%' | b' ' | b'(');
            alone && (end - at > 2 || !is_letter(next))
        }
        _ => false,
    }
}

fn is_hex_id(text: &[u8], start: usize) -> bool {
    let end = run_end(text, start, 65, |b| is_hex(b) && !b.is_ascii_uppercase());
    let next = byte(text, end);
    let run = text.get(start..end).unwrap_or_default();
    matches!(run.len(), 16 | 24 | 32 | 40 | 64)
        && !is_alnum(next)
        && !is_high(next)
        && !matches!(next, b'_' | b'-' | b'.' | b'@' | b'/' | b'+' | b'=' | b':' | b'%')
        && run.iter().any(|b| is_letter(*b))
        && !matches!(before(text, start), b'/' | b'+' | b'-' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Token) {
        let at = text.bytes().position(|b| b.is_ascii_digit()).unwrap();
        let start = text.as_bytes()[..at].iter().rposition(|b| !is_token(*b)).map_or(0, |place| place + 1);
        assert_eq!(of(text.as_bytes(), start, at), want, "{text}");
    }

    #[test]
    fn tokens() {
        check("took 503 ms", Token::Short);
        check("node gw-3, x", Token::Short);
        check("call 415 555 0132", Token::Other);
        check("12 Mar 2026", Token::Other);
        check("12 4f 00 61", Token::Other);
        check("at 192.0.2.7", Token::Other);
        check("tel:110", Token::Other);
        check("[f81d4fae-7dec-11d0-a765-00a0c91e6bf6]", Token::Uuid);
        check("span 15ebc160c59fbc9d done", Token::Hex);
        check("2026-03-02T01:28:17.611Z", Token::Date);
        check("to 14155550132", Token::Other);
    }
}

//! What a token with digits can be, told from its first bytes and its neighbours: most are counts, ids and
//! times that no detector but one or none would take.

use crate::detect::bytes::{
    before, byte, is_alnum, is_base64, is_digit, is_hex, is_high, is_letter, is_token, run_end, run_start,
};
use crate::detect::validate::not_uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `503`, `gw-3`, `17.5s`, `TLSv1.3`: too short for anything, unless a word before it announces it. Where to
    /// go on.
    Short(usize),
    /// Seven to eleven digits: a telephone's, or a count since 1970.
    Number,
    Uuid,
    /// Small letters and digits of a hash's, a trace's, a span's length.
    Hex,
    /// A date begins with a year and a dash, or a day and a month's name.
    Date,
    Other,
}

/// Longest token that may be [`Token::Short`].
const SHORT: usize = 12;
/// Most digits of one: seven may be a telephone's.
const FEW: usize = 6;

/// The token that begins at `start` and whose first digit stands at `at`.
pub fn of(text: &[u8], start: usize, at: usize) -> Token {
    if byte(text, start + 8) == b'-' && byte(text, start + 13) == b'-' && not_uuid::is_uuid_at(text, start) {
        return Token::Uuid;
    }
    if start == at {
        let run = run_end(text, at, 12, is_digit) - at;
        let month = byte(text, at + run) == b'/' && is_letter(byte(text, at + run + 1));
        if (run == 4 && byte(text, at + 4) == b'-' && byte(text, at + 7) == b'-') || (run <= 2 && month) {
            return Token::Date;
        }
    }
    if let Some(end) = short_end(text, start, at) {
        return Token::Short(end);
    }
    if start == at {
        let run = run_end(text, at, 12, is_digit) - at;
        let last = before(text, at);
        let apart = !is_high(last) && !matches!(last, b'/' | b'.' | b'+' | b'(' | b'%' | b'\\' | b'@');
        if (7..=11).contains(&run) && apart && ends(text, at + run) {
            return Token::Number;
        }
    }
    if is_hex_id(text, start) { Token::Hex } else { Token::Other }
}

/// Where a short token ends, with one decimal point and what follows it.
fn short_end(text: &[u8], start: usize, at: usize) -> Option<usize> {
    let mut end = run_end(text, at, SHORT + 1, is_token);
    let digits_only = start == at && run_end(text, at, SHORT, is_digit) == end;
    let last = before(text, start);
    match last {
        b'.' | b'+' | b'(' | b'%' | b'\\' | b'@' | 0x80.. => return None,
        // A product's version, or the end of something in base64.
        b'/' => {
            let product = run_start(text, start - 1, 12, |b| is_base64(b) || is_token(b));
            let segment = before(text, product) == b'/' || product == start - 1;
            let protocol = text.get(product..start).is_some_and(|name| name == b"HTTP/");
            if !(segment && !is_base64(before(text, product)) || protocol) {
                return None;
            }
        }
        _ => {}
    }
    let mut digits = count(text, start, end);
    if byte(text, end) == b'.' && is_digit(byte(text, end + 1)) && (digits_only || !is_token(last)) {
        let behind = run_end(text, end + 1, FEW + 1, is_digit);
        digits += behind - end - 1;
        // `86.279s`
        end = run_end(text, behind, 3, is_letter);
        if is_token(byte(text, end)) || matches!(byte(text, end), b'.' | b'-' | b'_') {
            return None;
        }
    }
    let token = text.get(start..end)?;
    let dashes = token.iter().filter(|b| **b == b'-').count();
    let letters = token.iter().any(|b| is_letter(*b));
    // `SO123456` and `u_12345` are ids, `10-0-0-1` is an address.
    let short = token.len() <= if letters { 8 } else { SHORT } || (digits <= 2 && token.len() <= SHORT);
    let fits = short && dashes <= 1 && digits <= if letters { 4 } else { FEW } && ends(text, end);
    // A month may follow a day, an octet the one before it in a dump.
    let paired = || end - at <= 2 && byte(text, end) == b' ' && may_go_on(text, end + 1);
    (fits && !paired() && !is_month(text, end)).then_some(end)
}

fn count(text: &[u8], start: usize, end: usize) -> usize {
    text.get(start..end).unwrap_or_default().iter().filter(|b| is_digit(**b)).count()
}

/// Whether a month's name, or an octet of a dump, may begin at a place.
fn may_go_on(text: &[u8], at: usize) -> bool {
    let word = run_end(text, at, 12, is_alnum) - at;
    let first = byte(text, at).to_ascii_lowercase();
    is_hex(first) && word <= 2 || (word >= 3 && b"jfmasond".contains(&first)) || is_digit(first)
}

/// `/Mar/2` of a date.
fn is_month(text: &[u8], end: usize) -> bool {
    let name = run_end(text, end + 1, 10, is_letter);
    byte(text, end) == b'/' && byte(text, name) == b'/' && is_digit(byte(text, name + 1))
}

/// Whether nothing that goes on at `end` makes a token longer: a separator before more digits, a letter.
fn ends(text: &[u8], end: usize) -> bool {
    match byte(text, end) {
        // What is behind the text's end reads as 0.
        0 => end >= text.len(),
        b',' | b';' | b']' | b'}' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'&' | b'|' | b'<' | b'>' => true,
        b')' | b':' => {
            !is_alnum(byte(text, end + 1)) && !matches!(byte(text, end + 1), b':' | b'-' | b'+' | b' ' | b'(')
        }
        b'\\' => matches!(byte(text, end + 1), b'n' | b'r' | b't' | b'"'),
        b'/' => is_letter(byte(text, end + 1)),
        b' ' => {
            // Digits behind it may be the rest of a number.
            let beyond = run_end(text, end, 4, |b| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
            let next = byte(text, beyond);
            !is_digit(next) && !is_high(next) && !matches!(next, b'+' | b'%' | b' ' | b'(')
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
        check("took 503 ms", Token::Short(8));
        check("node gw-3 is", Token::Short(9));
        check("rt=17.524 x", Token::Short(9));
        check("took 86.279s", Token::Short(12));
        check("GET HTTP/1.1\"", Token::Short(12));
        check("a /v2/messages", Token::Short(5));
        check("call 415 555 0132", Token::Other);
        check("from 4155550132, x", Token::Number);
        check("12 Mar 2026", Token::Other);
        check("12/Mar/2026", Token::Date);
        check("12 4f 00 61", Token::Other);
        check("at 192.0.2.7", Token::Other);
        check("okhttp/4.10.7", Token::Other);
        check("10-0-0-1", Token::Other);
        check("[f81d4fae-7dec-11d0-a765-00a0c91e6bf6]", Token::Uuid);
        check("span 15ebc160c59fbc9d done", Token::Hex);
        check("2026-03-02T01:28:17.611Z", Token::Date);
        check("to 14155550132", Token::Other);
    }
}

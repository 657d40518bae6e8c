//! The names of fields in running text: where they begin and end.

use super::around::{colour_end, colour_start};
use super::{byte_table, next_in, php};
use crate::finding::Span;

/// No name is longer.
pub(super) const NAME_BYTES: usize = 96;

/// ASCII that names have, and all bytes beyond it.
static OF_NAMES: [bool; 256] =
    with_high(byte_table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.$@"));

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn with_high(mut table: [bool; 256]) -> [bool; 256] {
    let mut byte = 0x80;
    while byte < 256 {
        table[byte] = true;
        byte += 1;
    }
    table
}

#[inline]
pub(super) fn is_name_byte(byte: u8) -> bool {
    OF_NAMES.get(usize::from(byte)).copied().unwrap_or(false)
}

/// Whether a word is a scheme or a kind, which stands before a colon without being a name.
pub(super) fn is_scheme(word: &[u8]) -> bool {
    let mut lower = [0; 8];
    let Some(to) = lower.get_mut(..word.len()) else { return false };
    for (to, from) in to.iter_mut().zip(word) {
        *to = from.to_ascii_lowercase();
    }
    matches!(
        &*to,
        b"http"
            | b"https"
            | b"sip"
            | b"sips"
            | b"tel"
            | b"sms"
            | b"whatsapp"
            | b"mailto"
            | b"urn"
            | b"ws"
            | b"wss"
            | b"sha1"
            | b"sha256"
            | b"sha512"
            | b"md5"
            | b"im"
    )
}

/// `payload={…}`, `body: {…}`: the name that a JSON value in text goes by.
pub(super) fn name_before_json(text: &[u8], at: usize, start: usize) -> Span {
    let mut end = at;
    while end > start && text.get(end - 1) == Some(&b' ') {
        end -= 1;
    }
    if end > start && matches!(text.get(end - 1), Some(b'=' | b':')) {
        return name_ending_at(text, end - 1, start);
    }
    Span::default()
}

/// Where a name begins whose word alone says too little: `verification code: 4829`, `error code: 4829`.
fn with_kind(text: &[u8], floor: usize, begin: usize, end: usize) -> usize {
    let is_code = text.get(begin..end).is_some_and(|name| name.eq_ignore_ascii_case(b"code"));
    let Some(before) =
        text.get(floor..begin).and_then(|before| before.strip_suffix(b" ")).filter(|_| is_code)
    else {
        return begin;
    };
    let word = before.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    let whole = match before.len().checked_sub(word + 1).and_then(|at| before.get(at)) {
        Some(byte) => matches!(byte, b' ' | b'\n' | b'\t' | b'(' | b'[' | b'"' | b'\''),
        None => floor == 0,
    };
    if (2..=16).contains(&word) && whole { begin - 1 - word } else { begin }
}

/// The name that ends at `end` (a quote there is stepped over), not reaching before `start`; empty
/// where there is none.
pub(super) fn name_ending_at(text: &[u8], end: usize, start: usize) -> Span {
    let bracket_end = end;
    let mut end = colour_start(text, end, start);
    let mut bracket = false;
    if end > start && matches!(text.get(end - 1), Some(b'"' | b'\'' | b'`')) {
        end -= 1;
    } else if end > start && text.get(end - 1) == Some(&b']') {
        // `user[phone]=…`, PHP's `["phone"]=>`
        end -= 1;
        bracket = true;
        end = php::name_end(text, start.max(end.saturating_sub(NAME_BYTES)), end);
        if end > start && matches!(text.get(end - 1), Some(b'"' | b'\'')) {
            end -= 1;
        }
    }
    let floor = start.max(end.saturating_sub(NAME_BYTES));
    let mut begin = end;
    let before = text.get(floor..end).unwrap_or_default();
    begin -= before.iter().rev().take_while(|b| is_name_byte(**b)).count();
    if begin == floor && begin > start && text.get(begin - 1).is_some_and(|b| is_name_byte(*b)) {
        return Span::default();
    }
    if bracket {
        let opens = begin.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'[');
        let named =
            begin.checked_sub(2).and_then(|at| text.get(at)).is_some_and(|b| is_name_byte(*b) || *b == b']');
        // `[phone] => …`, `["phone"]=>`: PHP's own.
        let rocket = text.get(bracket_end..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"=>"));
        let quoted = begin.checked_sub(2).and_then(|at| text.get(at)) == Some(&b'[');
        if !(rocket && (opens || quoted)) && !(opens && named) {
            return Span::default();
        }
    }
    while begin < end && matches!(text.get(begin), Some(b'-' | b'.' | b'@' | b'$')) {
        begin += 1;
    }
    begin = behind_colour(text, floor, begin, end);
    begin = coded_start(text, floor, begin, end);
    begin = with_kind(text, floor, begin, end);
    let factors = || text.get(begin..begin + 3).is_some_and(|name| name.eq_ignore_ascii_case(b"2fa"));
    let starts_well =
        text.get(begin).is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'%') || *b >= 0x80)
            || factors();
    if begin < end && starts_well { Span::new(begin, end) } else { Span::default() }
}

/// `ESC[3mbody`, `ESC[1;32mbody`: where a name begins that a colour stands before, whose last bytes a name may have too.
fn behind_colour(text: &[u8], floor: usize, begin: usize, end: usize) -> usize {
    if !matches!(begin.checked_sub(1).and_then(|at| text.get(at)), Some(b'[' | b';')) {
        return begin;
    }
    let head = text.get(floor..begin).unwrap_or_default();
    let Some(escape) = memchr::memrchr(0x1b, head).map(|at| floor + at) else { return begin };
    let name = colour_end(text, escape);
    if (begin..end).contains(&name) { name } else { begin }
}

/// Where a parameter's name begins that has `%E7%9F…` in it: behind the `?` or `&` before it.
fn coded_start(text: &[u8], floor: usize, begin: usize, end: usize) -> usize {
    if begin.checked_sub(1).and_then(|at| text.get(at)) != Some(&b'%') {
        return begin;
    }
    let coded = |b: &u8| is_name_byte(*b) || *b == b'%';
    let len = text.get(floor..end).unwrap_or_default().iter().rev().take_while(|b| coded(b)).count();
    let start = end - len;
    let opens = matches!(start.checked_sub(1).and_then(|at| text.get(at)), Some(b'?' | b'&' | b' ') | None);
    if opens { start } else { begin }
}

/// Longest `user:password@host:port` of an address.
const LOGIN: usize = 320;

/// Where `user:password@host:port` of an address ends, which has no fields in it; `from` itself where none is.
pub(super) fn login_end(text: &[u8], from: usize) -> usize {
    const STOPS: [bool; 256] = byte_table(b"/?# \"'<>\n\r\t");
    let rest = text.get(from..text.len().min(from + LOGIN)).unwrap_or_default();
    let end = next_in(&STOPS, rest, 0).unwrap_or(rest.len());
    let login = rest.get(..end).unwrap_or_default();
    if login.contains(&b'@') { from + end } else { from }
}

/// `app.sms:send:1450 - `, `[app.sms:send:1450]`: the end of a function and its line behind a module's name, as Python's
/// loggers write it; of the function alone where no more says so (`otp.user:code:4829 `).
pub(super) fn function_line_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..text.len().min(at + NAME_BYTES))?;
    let name =
        rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'<' | b'>')).count();
    let line = rest.get(name..)?.strip_prefix(b":")?;
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let stands = name > 0
        && !rest.first().is_some_and(u8::is_ascii_digit)
        && (1..=5).contains(&digits)
        && matches!(line.get(digits), None | Some(b' ' | b'\t' | b'\n' | b']' | b')'));
    let behind = line.get(digits..).unwrap_or_default();
    let said = matches!(behind, [b']' | b')', ..] | [b' ', b'-' | b'|', b' ', ..]);
    stands.then_some(if said { at + name + 1 + digits } else { at })
}

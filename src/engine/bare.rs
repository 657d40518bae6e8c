//! How far a bare value goes that has spaces in it.

use crate::detect::{bytes, safe};
use crate::finding::Span;

/// The end of words that go on behind a bare value: before the next `name=`, ` | `, a bracket, the
/// line's end. Reads no further than that.
pub(super) fn words_end(text: &[u8], span: Span) -> usize {
    // `msg:<see you at six> took 12`
    if bytes::before(text, span.start()) == b'<' {
        let inside = text.get(span.start()..text.len().min(span.start() + 2048)).unwrap_or_default();
        if let Some(close) = memchr::memchr2(b'>', b'\n', inside).filter(|at| inside.get(*at) == Some(&b'>'))
        {
            return span.start() + close;
        }
    }
    let rest = text.get(span.end()..).unwrap_or_default();
    let starts_field = |sign: usize| {
        // `耗时=12`: names are written in any script; beyond ASCII a colon is rather a sentence's.
        let wide = bytes::byte(rest, sign) == b'=';
        let name = bytes::run_start(rest, sign, 48, |b| bytes::is_word(b) || (wide && b >= 0x80));
        let named = name < sign && name > 0 && matches!(bytes::byte(rest, name - 1), b' ' | b'\t' | b',');
        let first = bytes::byte(rest, name);
        (named && bytes::byte(rest, sign + 1) != b' ' && (bytes::is_letter(first) || first >= 0x80))
            .then(|| name - 1)
    };
    // `Text = see you, Parts = 2 }`, `[text] => see you [parts] => 2`: the next member of what a program prints.
    let starts_member = |sign: usize| {
        let arrow = bytes::byte(rest, sign + 1) == b'>';
        let spaced = bytes::byte(rest, sign + 1 + usize::from(arrow)) == b' ';
        let end = if spaced { rest.get(..sign)?.strip_suffix(b" ")?.len() } else { return None };
        let bracket = arrow && bytes::before(rest, end) == b']';
        let end = end - usize::from(bracket);
        let name = bytes::run_start(rest, end, 48, |b| bytes::is_word(b) || b == b':');
        let before = rest.get(..name)?.strip_suffix(if bracket { b" [" } else { b", " })?;
        (name < end).then_some(before.len())
    };
    // `subject: not received, priority: high`: the next of a list, if its name is one that logs have.
    let starts_listed = |sign: usize| {
        let name = bytes::run_start(rest, sign, 24, bytes::is_letter);
        let before = rest.get(..name)?.strip_suffix(b", ")?;
        let known = safe::is_log_word(rest.get(name..sign)?);
        (bytes::byte(rest, sign) == b':' && bytes::byte(rest, sign + 1) == b' ' && known)
            .then_some(before.len())
    };
    let mut end = rest.len();
    let mut behind = 0;
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            _ if at < behind => continue,
            b'[' if let Some(close) = word_in_brackets(rest, at) => {
                behind = close + 1;
                continue;
            }
            // `text=see+you -> 200`: what came of it.
            b'-' if rest.get(at + 1..).is_some_and(|rest| rest.starts_with(b"> "))
                && bytes::before(rest, at) == b' '
                && bytes::is_digit(bytes::byte(rest, at + 3)) =>
            {
                end = at;
            }
            b']' if rest.get(at..).is_some_and(|rest| rest.starts_with(b"] => ")) => continue,
            b'\n' | b']' | b'}' | b'|' | b';' | b'"' => end = at,
            b'=' | b':' => match starts_field(at).or_else(|| starts_member(at)).or_else(|| starts_listed(at))
            {
                Some(before) => end = before,
                None => continue,
            },
            _ => continue,
        }
        break;
    }
    span.end() + rest.get(..end).unwrap_or_default().trim_ascii_end().len()
}

/// `[Brand]`, `[4829]`: where the bracket closes that somebody wrote in a text. One with a name or a value in it is a
/// program's.
fn word_in_brackets(text: &[u8], open: usize) -> Option<usize> {
    const LONGEST: usize = 48;
    let inside = text.get(open + 1..text.len().min(open + 1 + LONGEST))?;
    let len = memchr::memchr(b']', inside)?;
    let odd = |b: &u8| matches!(b, b':' | b'=' | b'[' | b'"' | b'\'' | b'\n' | b'{' | b'}' | b'|');
    (len > 0 && !inside.get(..len)?.iter().any(odd)).then_some(open + 1 + len)
}

/// `to=701 7610, text=…`: where the groups of digits end that go on behind a short one, up to a comma or a bracket.
pub(super) fn groups_end(text: &[u8], span: Span, most: std::ops::RangeInclusive<usize>) -> usize {
    let mut digits = span.len();
    let mut end = span.end();
    if !(2..=4).contains(&digits) || !span.of(text).iter().all(u8::is_ascii_digit) {
        return end;
    }
    for _ in 0..3 {
        let next = bytes::run_end(text, end + 1, 5, bytes::is_digit);
        if bytes::byte(text, end) != b' ' || !(2..=4).contains(&(next - end - 1)) {
            break;
        }
        digits += next - end - 1;
        end = next;
    }
    let ends = matches!(bytes::byte(text, end), b',' | b')');
    if ends && most.contains(&digits) { end } else { span.end() }
}

/// The same of a person's name, which a comma ends, too: `client: Ada Roe, attempt 7`. Not `Roe, Ada`.
pub(super) fn name_end(text: &[u8], span: Span) -> usize {
    let whole = words_end(text, span);
    let rest = text.get(span.end()..whole).unwrap_or_default();
    let ends = |at: &usize| {
        let next = rest.get(at + 2..).and_then(<[u8]>::first).copied().unwrap_or(b' ');
        at + 1 == rest.len()
            || rest.get(at + 1) == Some(&b' ')
                && !next.is_ascii_uppercase()
                && next < 0xe3
                && !is_capital(rest, at + 2)
    };
    let comma = memchr::memchr_iter(b',', rest).find(ends);
    // `set(caller=Ada Roe) [line:7]`, and the next column.
    let whole = text.get(span.start()..whole).unwrap_or_default();
    let opened = whole.contains(&b'(');
    let closes = rest.iter().position(|b| *b == b'\t' || *b == b')' && !opened);
    span.end() + comma.unwrap_or(rest.len()).min(closes.unwrap_or(rest.len()))
}

/// Whether a capital beyond ASCII stands at a place.
fn is_capital(text: &[u8], at: usize) -> bool {
    let head = text.get(at..text.len().min(at + 4)).unwrap_or_default();
    let first = head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    first.is_some_and(char::is_uppercase)
}

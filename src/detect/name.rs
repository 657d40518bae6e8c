//! Names that the grammar of a line shows: `"Name" <sip:…>`, `user Name <mail@…>`, `notify='Name'`.

use super::bytes::{byte, is_high, is_letter};
use crate::finding::Span;

/// Longest name, in bytes.
const NAME_BYTES: usize = 96;

/// The name before an angle bracket that opens an address: quoted, or two to four capitalised words.
/// `at` is the bracket.
#[must_use]
pub fn before_angle(text: &[u8], at: usize) -> Option<Span> {
    let inside = text.get(at + 1..)?;
    let address = inside.starts_with(b"sip:")
        || inside.starts_with(b"sips:")
        || inside.starts_with(b"tel:")
        || inside.first().is_some_and(|b| *b == b'+' || b.is_ascii_digit())
        || has_at_sign(inside);
    if !address {
        return None;
    }
    let end = at.checked_sub(usize::from(byte(text, at.checked_sub(1)?) == b' '))?;
    if end > 0 && byte(text, end - 1) == b'"' {
        let close = end - 1;
        let floor = close.saturating_sub(NAME_BYTES);
        let open = text.get(floor..close)?.iter().rposition(|b| *b == b'"')? + floor;
        let span = Span::new(open + 1, close);
        return speaks(span.of(text)).then_some(span);
    }
    words_before(text, end)
}

fn has_at_sign(inside: &[u8]) -> bool {
    let end = inside.iter().take(128).position(|b| matches!(b, b'>' | b' ' | b'<')).unwrap_or(0);
    inside.get(..end).is_some_and(|address| address.contains(&b'@') || address.starts_with(b"[EMAIL]"))
}

fn speaks(name: &[u8]) -> bool {
    name.iter().any(|b| is_letter(*b) || is_high(*b))
}

/// Up to four words that end at `end`, each with a capital or a letter beyond ASCII; `de`, `van` and
/// the like may stand between.
fn words_before(text: &[u8], end: usize) -> Option<Span> {
    let mut start = end;
    let mut pos = end;
    for _ in 0..5 {
        let floor = pos.saturating_sub(40);
        let begin =
            floor + text.get(floor..pos)?.iter().rposition(|b| !is_name_byte(*b)).map_or(0, |at| at + 1);
        let word = text.get(begin..pos)?;
        let first = word.first().copied().unwrap_or(b' ');
        let particle = word.len() <= 3 && word.iter().all(u8::is_ascii_lowercase) && start < end;
        if !(first.is_ascii_uppercase() || is_high(first) || first == b'~' || particle) {
            break;
        }
        // `INFO`, `WARN`: levels, not names.
        if word.len() >= 4 && word.iter().all(u8::is_ascii_uppercase) {
            break;
        }
        if !particle {
            start = begin;
        }
        if begin == 0 || byte(text, begin - 1) != b' ' {
            break;
        }
        pos = begin - 1;
    }
    (start < end).then(|| Span::new(start, end))
}

fn is_name_byte(byte: u8) -> bool {
    is_letter(byte) || is_high(byte) || matches!(byte, b'\'' | b'-' | b'.' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let at = text.rfind('<').unwrap();
        let got = before_angle(text.as_bytes(), at)
            .map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn before_addresses() {
        check("From: \"Zoë O'Neill\" <sip:1@pbx>", Some("Zoë O'Neill"));
        check("INFO  user Marta Roe <m@example.com>", Some("Marta Roe"));
        check("INFO user Pieter de Boer <p@example.com>", Some("Pieter de Boer"));
        check("INFO <m@example.com>", None);
        check("a < b", None);
        check("call \"Ann\" <+14155550132>", Some("Ann"));
    }
}

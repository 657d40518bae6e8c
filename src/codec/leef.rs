//! IBM's log event extended format: a header of five or six columns between bars, then `name=value` between tabs or
//! the sign that the header's last column names (LEEF 2.0: `^`, `x5E`).

use super::{Field, Form, Tree};
use crate::finding::Span;
use memchr::memmem;
use std::sync::LazyLock;

/// What may stand before the header: syslog's.
const BEFORE: usize = 256;
const SIGN: &[u8] = b"LEEF:";
static SIGNS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(SIGN));

/// Adds the fields of an event; gives where it ends. `None` where the text is none.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) -> Option<usize> {
    let rest = text.get(start..)?;
    let head = rest.get(..rest.len().min(BEFORE))?;
    memchr::memchr(b'|', head)?;
    let sign = SIGNS.find(head)?;
    let header = start + sign + SIGN.len();
    let second = text.get(header) == Some(&b'2');
    let mut at = header;
    for _ in 0..5 {
        at += memchr::memchr2(b'|', b'\n', text.get(at..)?)? + 1;
    }
    let mut delimiter = b'\t';
    if second {
        let len = text.get(at..)?.iter().take(5).position(|b| *b == b'|')?;
        delimiter = named(text.get(at..at + len)?)?;
        at += len + 1;
    }
    let end = memchr::memchr(b'\n', text.get(at..)?).map_or(text.len(), |newline| at + newline);
    for pair in text.get(at..end)?.split(|b| *b == delimiter) {
        if let Some(equals) = memchr::memchr(b'=', pair) {
            let value = Span::new(at + equals + 1, at + pair.trim_ascii_end().len().max(equals + 1));
            let name = pair.get(..equals)?;
            let lead = name.len() - name.trim_ascii_start().len();
            if !value.is_empty() && lead < name.len() {
                let name = Span::new(at + lead, at + equals);
                tree.fields.push(Field { name, value, container: 0, form: Form::Element });
            }
        }
        at += pair.len() + 1;
    }
    Some(end)
}

/// The delimiter that a header names: itself, or its number in hexadecimal digits; a tab where it names none.
fn named(column: &[u8]) -> Option<u8> {
    match column {
        [] => Some(b'\t'),
        [sign] => Some(*sign),
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => {
            u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut tree = Tree::default();
        tree.reset();
        walk(text.as_bytes(), 0, &mut tree);
        tree.assert_fields(text, want);
    }

    #[test]
    fn events() {
        let fields = [("devTime", "Mar 02 2026"), ("to", "+1"), ("bytesOut", "5")];
        check("LEEF:2.0|Acme|gw|1|7|^|devTime=Mar 02 2026^to=+1^bytesOut=5", &fields);
        check("<13>Mar 2 h LEEF:2.0|Acme|gw|1|7|x5E|devTime=Mar 02 2026^to=+1^bytesOut=5\nx=1", &fields);
        check("LEEF:1.0|Acme|gw|1|7|devTime=Mar 02 2026\tto=+1\tbytesOut=5", &fields);
        check("LEEF:2.0|Acme|gw|1|7||devTime=Mar 02 2026\tto=+1\tbytesOut=5", &fields);
        check("LEEF:2.0|Acme", &[]);
        check("to=1|2|3|4|5|6=7", &[]);
    }
}

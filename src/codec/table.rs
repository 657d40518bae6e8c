//! Rows under a header: CSV with commas, semicolons, bars or tabs (RFC 4180), whose first line names
//! the columns. Each cell becomes a field by its column's name.

use super::{Field, Form, Tree};
use crate::finding::Span;

const LEAST_COLUMNS: usize = 3;
const MOST_COLUMNS: usize = 64;
const SEPARATORS: [u8; 4] = [b';', b',', b'\t', b'|'];

/// Adds the cells of the rows under the header that begins at `start`; gives where the rows end.
/// `None` where no header stands there.
pub fn walk(text: &[u8], start: usize, tree: &mut Tree) -> Option<usize> {
    let rest = text.get(start..)?;
    let newline = memchr::memchr(b'\n', rest.get(..rest.len().min(4096))?)?;
    let header = rest.get(..newline)?.trim_ascii_end();
    let separator = SEPARATORS
        .into_iter()
        .find(|sep| header.iter().filter(|b| *b == sep).count() + 1 >= LEAST_COLUMNS)?;
    let mut names = [Span::default(); MOST_COLUMNS];
    let mut columns = 0;
    let mut at = start;
    for name in header.split(|b| *b == separator) {
        let bare = name.trim_ascii();
        let bare = bare.strip_prefix(b"\"").and_then(|n| n.strip_suffix(b"\"")).unwrap_or(bare);
        if !is_column_name(bare) {
            return None;
        }
        let lead = name.windows(bare.len()).position(|part| part == bare)?;
        *names.get_mut(columns)? = Span::new(at + lead, at + lead + bare.len());
        columns += 1;
        at += name.len() + 1;
    }
    let known = tree.fields.len();
    let mut pos = start + newline + 1;
    while pos < text.len() {
        let names = names.get(..columns)?;
        if let Some(end) = row(text, pos, separator, names, tree) {
            pos = end;
            continue;
        }
        // A row that nobody quoted as it should be ends no table that goes on behind it.
        let Some(newline) = text.get(pos..).and_then(|rest| memchr::memchr(b'\n', rest)) else { break };
        let Some(end) = row(text, pos + newline + 1, separator, names, tree) else { break };
        pos = end;
    }
    (tree.fields.len() > known).then_some(pos)
}

/// Adds one row's cells; gives where the next row begins. `None` where the columns do not match.
fn row(text: &[u8], start: usize, separator: u8, names: &[Span], tree: &mut Tree) -> Option<usize> {
    let known = tree.fields.len();
    let mut pos = start;
    for (place, name) in names.iter().enumerate() {
        let quoted = text.get(pos) == Some(&b'"');
        let (value, next) = if quoted {
            let close = closing_quote(text, pos + 1);
            (Span::new(pos + 1, close), close + 1)
        } else {
            let rest = text.get(pos..).unwrap_or_default();
            let end_of = |from: usize| {
                let rest = rest.get(from..).unwrap_or_default();
                from + rest.iter().position(|b| *b == separator || *b == b'\n').unwrap_or(rest.len())
            };
            let len = end_of(0);
            // `+4479…;ext=12` (RFC 3966)
            let extended = rest.get(len..).is_some_and(|rest| rest.starts_with(b";ext="));
            let len = if extended { end_of(len + 1) } else { len };
            let bare = rest.get(..len).unwrap_or_default().trim_ascii_end();
            (Span::new(pos, pos + bare.len()), pos + len)
        };
        if !value.is_empty() {
            tree.fields.push(Field { name: *name, value, container: 0, form: Form::Element });
        }
        let last = place + 1 == names.len();
        match text.get(next) {
            Some(byte) if *byte == separator && !last => pos = next + 1,
            Some(b'\r') if last => return Some(next + 2),
            Some(b'\n') | None if last => return Some(next + 1),
            _ => {
                tree.fields.truncate(known);
                return None;
            }
        }
    }
    None
}

/// RFC 4180: a quote inside is doubled.
fn closing_quote(text: &[u8], mut pos: usize) -> usize {
    loop {
        let Some(at) = text.get(pos..).and_then(|rest| memchr::memchr(b'"', rest)) else { return text.len() };
        if text.get(pos + at + 1) != Some(&b'"') {
            return pos + at;
        }
        pos += at + 2;
    }
}

/// Letters, digits and joiners, not only digits; words of prose are longer and have full stops.
fn is_column_name(name: &[u8]) -> bool {
    let letters = name.iter().filter(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    let fits = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' ' | b'/' | b'#') || *b >= 0x80
    };
    letters >= 1
        && name.len() <= 48
        && name.iter().all(fits)
        && !name.first().is_some_and(u8::is_ascii_digit)
        && name.iter().filter(|b| **b == b' ').count() <= 2
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
    fn rows_under_a_header() {
        check(
            "fecha;nro_celular;texto\n2026;+14155550132;\"a; b \"\"c\"\"\"\r\n1;2;3\n",
            &[
                ("fecha", "2026"),
                ("nro_celular", "+14155550132"),
                ("texto", "a; b \"\"c\"\""),
                ("fecha", "1"),
                ("nro_celular", "2"),
                ("texto", "3"),
            ],
        );
        check("to\tfrom\tbody\n1\t2\tsee you\n", &[("to", "1"), ("from", "2"), ("body", "see you")]);
    }

    #[test]
    fn what_is_no_table() {
        check("sent to a, b, and c\nthen left, at last, alone, again", &[]);
        check("a,b\n1,2", &[]);
        check("2026-03-02,1,2\n2026-03-02,1,2", &[]);
        check("one line, with commas, and no more", &[]);
    }
}

//! The commonest field by far, read in one look: `name=value` between spaces, the value of letters, digits and signs
//! that end or open nothing.

use super::name::is_name_byte;
use super::{Field, Form, byte_table};
use crate::finding::Span;

/// Longer names go the long way.
const NAME_BYTES: usize = 40;

/// What a value may have in it.
const OF_VALUES: [bool; 256] =
    byte_table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./+:@");

/// The field whose `=` stands at `at`, and where the walk goes on: inside a value that has a mark in it, behind any
/// other. `None` where anything unusual stands there; then [`super::text::assignment`] tells what it is, and of what is
/// usual it would tell the same.
pub(super) fn field(text: &[u8], at: usize, start: usize) -> Option<(Field, usize)> {
    let from = at + 1;
    if !text.get(from)?.is_ascii_alphanumeric() {
        return None;
    }
    let head = text.get(start.max(at.saturating_sub(NAME_BYTES))..at)?;
    let len = head.iter().rev().take_while(|b| is_name_byte(**b)).count();
    let begin = at - len;
    let spaced = match head.len().checked_sub(len + 1).and_then(|before| head.get(before)) {
        Some(before) => *before == b' ',
        None => begin == 0,
    };
    let name = text.get(begin..at)?;
    let (first, last) = (name.first()?, name.last()?);
    let usual =
        (first.is_ascii_alphabetic() || *first == b'_') && (last.is_ascii_alphanumeric() || *last == b'_');
    // `verification code=…`: the word before it belongs to the name.
    if !spaced || !usual || name.eq_ignore_ascii_case(b"code") {
        return None;
    }
    let rest = text.get(from..)?;
    let mut colons = false;
    let len = rest
        .iter()
        .take_while(|b| {
            colons |= **b == b':';
            OF_VALUES.get(usize::from(**b)).copied().unwrap_or(false)
        })
        .count();
    if !matches!(rest.get(len), None | Some(b' ')) || rest.get(..len)? == b"rejected" {
        return None;
    }
    let value = Span::new(from, from + len);
    let field = Field { name: Span::new(begin, at), value, container: 0, form: Form::Bare };
    Some((field, if colons { from } else { from + len }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Tree, text};

    /// Bytes that names, values and what stands around them are made of, the usual ones more often.
    const BYTES: &[u8] = b"aaabcodeCODEm_0123  ===  \"'[](){}<>&?%|:;,./@-$\n\t\x1b\xc3\xa4";

    /// Whatever the short way reads, the long way reads, too.
    #[test]
    fn the_long_way_tells_the_same() {
        let mut state = 7_u64;
        let mut next = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or(0) % most
        };
        let mut read = 0;
        for _ in 0..200_000 {
            let mut line = Vec::new();
            for _ in 0..next(6) {
                let piece: &[u8] = match next(9) {
                    0 => b" code=",
                    1 => b" to=4915112345678 ",
                    2 => b" x=rejected value [1] ",
                    3 => b" url=http://192.0.2.7:80/a ",
                    4 => b"?a=1&b=2 ",
                    5 => b"\x1b[3mname=1 ",
                    6 => b" n=b'1' ",
                    7 => b"{a=1, b=2}",
                    _ => b"",
                };
                line.extend_from_slice(piece);
                for _ in 0..next(8) {
                    line.push(BYTES.get(next(BYTES.len())).copied().unwrap_or(b' '));
                }
            }
            for at in memchr::memchr_iter(b'=', &line) {
                let Some((field, _)) = field(&line, at, 0) else { continue };
                let mut tree = Tree::default();
                tree.reset();
                let end = text::assignment(&line, at, 0, &|_| None, &mut tree);
                assert_eq!((tree.fields.as_slice(), end), (&[field][..], Some(at + 1)), "{line:?}");
                read += 1;
            }
        }
        assert!(read > 10_000, "{read}");
    }
}

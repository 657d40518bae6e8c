//! Business cards that people send each other (RFC 6350): `N:Roe;Ada;;;`, `ADR;TYPE=HOME:;;…`. Their properties stand in a
//! container that goes by the card's own word, so that a lone name in it is a person's.

use super::{Container, Field, Form, Tree};
use crate::finding::Span;
use memchr::memmem;
use std::sync::LazyLock;

const BEGIN: &[u8] = b"BEGIN:VCARD";
const WORD: &[u8] = b"VCARD";

static CARDS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(BEGIN));

/// Cards that are read of a text.
const MOST: usize = 64;
/// Longest property.
const LONGEST: usize = 2048;

/// Adds the names and addresses of cards.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) {
    let mut from = start;
    for _ in 0..MOST {
        let Some(at) = text.get(from..).and_then(|rest| CARDS.find(rest)).map(|at| from + at) else { return };
        let behind = at + BEGIN.len();
        from = behind;
        tree.containers.push(Container {
            parent: 0,
            name: Span::new(behind - WORD.len(), behind),
            array: false,
        });
        let container = u32::try_from(tree.containers.len() - 1).unwrap_or(0);
        for line in text.get(behind..).unwrap_or_default().split(|b| *b == b'\n') {
            if line.starts_with(b"END:VCARD") || line.len() > LONGEST {
                break;
            }
            if let Some((name, value)) = property(line) {
                let name = Span::new(from + name.start(), from + name.end());
                let value = Span::new(from + value.start(), from + value.end());
                tree.fields.push(Field { name, value, container, form: Form::Element });
            }
            from += line.len() + 1;
        }
        from = from.min(text.len());
    }
}

/// A property's name and value, where they are of the kinds that only a card says are somebody's; parts of a value that
/// are empty are none of it.
fn property(line: &[u8]) -> Option<(Span, Span)> {
    const NAMES: [&[u8]; 4] = [b"N", b"FN", b"NICKNAME", b"ADR"];
    let colon = memchr::memchr(b':', line)?;
    let len = line.iter().position(|b| matches!(b, b':' | b';'))?;
    let name = line.get(..len)?;
    // `item1.ADR`, as Apple groups them.
    let group = name.iter().rposition(|b| *b == b'.').map_or(0, |dot| dot + 1);
    let known =
        NAMES.iter().any(|known| name.get(group..).is_some_and(|name| name.eq_ignore_ascii_case(known)));
    let value = line.get(colon + 1..)?;
    let blank = |b: &u8| matches!(b, b';' | b' ' | b'\r');
    let lead = value.iter().take_while(|b| blank(b)).count();
    let trail = value.iter().rev().take_while(|b| blank(b)).count();
    let (from, end) = (colon + 1 + lead, line.len().checked_sub(trail)?);
    (known && from < end).then(|| (Span::new(group, len), Span::new(from, end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_card() {
        let mut tree = Tree::default();
        tree.reset();
        let card = b"x BEGIN:VCARD\nVERSION:3.0\nN:Roe;Ada;;;\r\nFN;CHARSET=UTF-8:Ada Roe\nTEL:+1\nitem1.ADR;TYPE=HOME:;;1 Main St;;\nEND:VCARD\nN:1";
        walk(card, 0, &mut tree);
        tree.assert_fields(
            std::str::from_utf8(card).unwrap_or_default(),
            &[("N", "Roe;Ada"), ("FN", "Ada Roe"), ("ADR", "1 Main St")],
        );
    }
}

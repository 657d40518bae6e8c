//! Values that a trace shows of a program's variables: Python's loguru and better_exceptions draw arrows from the names
//! in a line of code to their values below it, pydantic writes a field's name in the line above what was put in.

use super::name::is_name_byte;
use super::{Field, Form, Tree};
use crate::finding::Span;
use memchr::memmem;
use std::sync::LazyLock;

/// Longer lines are no code that a trace shows.
const LINE_BYTES: usize = 1024;

const ARROW: &str = "└ ";
const STEM: &str = "│";
const PUT_IN: &[u8] = b"input_value=";

static ARROWS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(ARROW.as_bytes()));
static STEMS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(STEM.as_bytes()));
static PUTS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(PUT_IN));

/// Adds the values that a trace shows.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) {
    let Some(rest) = text.get(start..) else { return };
    let (drawn, put) = (ARROWS.find(rest).is_some(), PUTS.find(rest).is_some());
    if !drawn && !put {
        return;
    }
    let mut from = start;
    let (mut code, mut above) = (Span::default(), Span::default());
    for line in rest.split(|b| *b == b'\n') {
        let span = Span::new(from, from + line.len());
        from = span.end() + 1;
        if line.len() <= LINE_BYTES {
            match ARROWS.find(line) {
                Some(arrow) if drawn => tree.fields.extend(pointed_at(text, code, span, arrow)),
                _ if drawn && STEMS.find(line).is_none() => code = span,
                _ => {}
            }
            if put && let Some(at) = PUTS.find(line) {
                tree.fields.extend(put_in(text, above, span, at));
            }
        }
        above = span;
    }
}

/// The value behind an arrow in `line`, by the name that stands above the arrow in `code`.
fn pointed_at(text: &[u8], code: Span, line: Span, arrow: usize) -> Option<Field> {
    let column = std::str::from_utf8(line.of(text).get(..arrow)?).ok()?.chars().count();
    let shown = std::str::from_utf8(code.of(text)).ok()?;
    let at = code.start() + shown.char_indices().nth(column)?.0;
    let name = name_at(text, at, code.end())?;
    field(text, name, line.start() + arrow + ARROW.len(), line.end())
}

/// What was put into the field that the line above names last: `body.phone`.
fn put_in(text: &[u8], above: Span, line: Span, at: usize) -> Option<Field> {
    let called = above.of(text).trim_ascii_end();
    let len = called.iter().rev().take_while(|b| is_name_byte(**b) && **b != b'.').count();
    let end = above.start() + called.len();
    let name = name_at(text, end - len, end).filter(|name| name.end() == end)?;
    field(text, name, line.start() + at + PUT_IN.len(), line.end())
}

fn name_at(text: &[u8], from: usize, end: usize) -> Option<Span> {
    let rest = text.get(from..end)?;
    let len = rest.iter().take_while(|b| is_name_byte(**b) && **b != b'.').count();
    let begins = rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80);
    begins.then(|| Span::new(from, from + len))
}

/// A value between quotes, or a number.
fn field(text: &[u8], name: Span, from: usize, end: usize) -> Option<Field> {
    let rest = text.get(from..end)?;
    let (value, form) = match rest.first()? {
        quote @ (b'"' | b'\'') => {
            let inner = rest.get(1..)?;
            let len = memchr::memchr2(*quote, b'\\', inner).filter(|at| inner.get(*at) == Some(quote))?;
            (Span::new(from + 1, from + 1 + len), Form::Quoted)
        }
        _ => {
            let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let whole = matches!(rest.get(len), None | Some(b',' | b'\r' | b' '));
            (Span::new(from, from + if whole { len } else { 0 }), Form::Bare)
        }
    };
    (!value.is_empty()).then_some(Field { name, value, container: 0, form })
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
    fn values_below_their_names() {
        check(
            "    return check(phone, code, n)\n           │     │      │     └ 42\n           │     │      └ '4829'\n           │     └ \"+1\"\n           └ <function check at 0x7f33a2>\nValueError: x",
            &[("n", "42"), ("code", "4829"), ("phone", "+1")],
        );
        check("x = ä(ö)\n      └ '1'\n", &[("ö", "1")]);
        check("  └ '1'\nx", &[]);
    }

    #[test]
    fn what_was_put_into_a_field() {
        let error = "1 validation error for Send\nbody.phone\n  Value error, no number [type=value_error, input_value='415', input_type=str]";
        check(error, &[("phone", "415")]);
        check("a b\n 1: input_value=5", &[("b", "5")]);
        check("input_value='415'\n", &[]);
    }
}

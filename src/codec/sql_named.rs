//! Parameters of SQL that go by a name of their own (`@p0`), as .NET's drivers print them beside a statement that
//! says which columns they are: `… WHERE mobile = @p0 AND code = @p1`, `@p0='+44…', @p1=N'4829'`.

use super::sql::{identifier, literal, operand_before};
use super::{Field, Tree};
use crate::finding::Span;

/// Parameters that are told apart.
const MOST: usize = 48;
/// No name of one is longer.
const NAME_BYTES: usize = 24;

/// A parameter's name, and the column that it stands for.
#[derive(Clone, Copy, Default)]
pub(super) struct Pair {
    parameter: Span,
    column: Span,
}

/// What parameters stand for.
pub(super) struct Pairs {
    list: [Pair; MOST],
    len: usize,
}

impl Pairs {
    pub(super) fn new() -> Pairs {
        Pairs { list: [Pair::default(); MOST], len: 0 }
    }

    /// Notes that a value of a row is a parameter.
    pub(super) fn note(&mut self, text: &[u8], parameter: Span, column: Span) {
        if parameter.of(text).starts_with(b"@")
            && !column.is_empty()
            && let Some(place) = self.list.get_mut(self.len)
        {
            *place = Pair { parameter, column };
            self.len += 1;
        }
    }

    fn column(&self, text: &[u8], parameter: &[u8]) -> Option<Span> {
        let known = self.list.get(..self.len).unwrap_or_default();
        known.iter().find(|pair| pair.parameter.of(text) == parameter).map(|pair| pair.column)
    }
}

/// Adds what parameters were given, by the columns they stand for.
pub(super) fn walk(text: &[u8], start: usize, pairs: &mut Pairs, tree: &mut Tree) {
    for parameter in parameters(text, start) {
        let column = operand_before(text, start, parameter.start())
            .and_then(|span| identifier(text, span.start(), span.end()));
        if let Some(column) = column {
            pairs.note(text, parameter, column);
        }
    }
    if pairs.len == 0 {
        return;
    }
    for parameter in parameters(text, start) {
        let Some(column) = pairs.column(text, parameter.of(text)) else { continue };
        let rest = text.get(parameter.end()..).unwrap_or_default();
        let spaces = |rest: &[u8]| rest.iter().take(2).take_while(|b| **b == b' ').count();
        let sign = spaces(rest);
        let Some(behind) = rest.get(sign..).and_then(|rest| rest.strip_prefix(b"=")) else { continue };
        let from = parameter.end() + sign + 1 + spaces(behind);
        if let Some((value, form, _)) = literal(text, from)
            && !value.is_empty()
            && !value.of(text).starts_with(b"@")
        {
            tree.fields.push(Field { name: column, value, container: 0, form });
        }
    }
}

/// `@p0`, `@__phone_0`, from `start` on.
fn parameters(text: &[u8], start: usize) -> impl Iterator<Item = Span> {
    memchr::memchr_iter(b'@', text.get(start..).unwrap_or_default()).filter_map(move |at| {
        let at = start + at;
        let name = text.get(at + 1..).unwrap_or_default();
        let len =
            name.iter().take(NAME_BYTES).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
        (len > 0).then(|| Span::new(at, at + 1 + len))
    })
}

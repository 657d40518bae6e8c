//! The last stage: what no rule knows is collected, so that only the grammar of a line and what is
//! safe remain.

use super::sink::{Found, Kind, Sink};
use crate::class::Class;
use crate::codec::decode::Map;
use crate::codec::{Form, Tree};
use crate::detect::safe;
use crate::finding::{Detail, RuleId, Span};

/// Adds the tokens of running text that nothing claims. `from` is where the text's own findings
/// begin in the sink; `skip` are spans (in the text, sorted) that are dealt with elsewhere.
pub fn tokens(text: &[u8], map: Map<'_>, tree: &Tree, skip: &[Span], from: usize, sink: &mut Sink) {
    let root = |span: Span| Span { start: map.at(span.start()), end: map.at(span.end()) };
    let mut claimed: Vec<Span> =
        sink.found.get(from..).unwrap_or_default().iter().map(|found| found.span).collect();
    claimed.sort_unstable();
    let mut names: Vec<Span> = tree.fields.iter().map(|field| field.name).collect();
    names.sort_unstable();
    let mut claims = Cursor::new(&claimed);
    let mut skips = Cursor::new(skip);
    let mut labels = Cursor::new(&names);
    let mut token = next_token(text, 0);
    let mut previous = Span::default();
    while let Some(span) = token {
        let following = next_token(text, span.end());
        let kept = claims.touches(root(span))
            || skips.touches(span)
            || labels.touches(span)
            || safe::keep_token(
                span.of(text),
                previous.of(text),
                following.map_or(&[][..], |next| next.of(text)),
            );
        if !kept {
            push(sink, root(span), Kind::UnknownToken);
        }
        previous = span;
        token = following;
    }
}

/// Adds the value of a JSON field that nothing claims; the quotes go with it.
pub fn value(text: &[u8], value: Span, form: Form, map: Map<'_>, sink: &mut Sink) {
    let quoted = matches!(form, Form::JsonString | Form::JsonEscaped);
    let start = value.start() - usize::from(quoted && value.start() > 0);
    let end = (value.end() + usize::from(quoted)).min(text.len());
    push(sink, Span { start: map.at(start), end: map.at(end) }, Kind::UnknownValue);
}

/// A whole text goes as one token.
pub fn whole(map: Map<'_>, len: usize, sink: &mut Sink) {
    push(sink, Span { start: map.at(0), end: map.at(len) }, Kind::UnknownToken);
}

fn push(sink: &mut Sink, span: Span, kind: Kind) {
    let found = Found {
        class: Class::Safe,
        rule: RuleId(0),
        span,
        detail: Detail::None,
        kind,
        bare_json: false,
        value: None,
    };
    sink.found.push(found);
}

/// A token: bytes between white space, brackets, quotes, commas and signs that make a line's grammar.
fn next_token(text: &[u8], from: usize) -> Option<Span> {
    let is_part = |b: &u8| {
        !matches!(
            b,
            b' ' | b'\t'
                | b'\n'
                | b'\r'
                | b'"'
                | b'\''
                | b'('
                | b')'
                | b'['
                | b']'
                | b'{'
                | b'}'
                | b'<'
                | b'>'
                | b','
                | b';'
                | b'='
                | b'|'
        )
    };
    let rest = text.get(from..)?;
    let start = from + rest.iter().position(is_part)?;
    let len = text.get(start..)?.iter().take_while(|b| is_part(b)).count();
    let end = start + len;
    // A colon at the end belongs to the grammar: `level:`.
    let trimmed = text.get(start..end)?.iter().rposition(|b| *b != b':').map_or(len, |at| at + 1);
    Some(Span::new(start, start + trimmed.max(1)))
}

/// Sorted spans, asked in the order of the text.
struct Cursor<'a> {
    spans: &'a [Span],
    place: usize,
}

impl<'a> Cursor<'a> {
    fn new(spans: &'a [Span]) -> Self {
        Cursor { spans, place: 0 }
    }

    fn touches(&mut self, span: Span) -> bool {
        while self.spans.get(self.place).is_some_and(|s| s.end <= span.start) {
            self.place += 1;
        }
        // Spans may nest: a few behind the first are looked at too.
        self.spans.iter().skip(self.place).take_while(|s| s.start < span.end).any(|s| s.overlaps(span))
    }
}

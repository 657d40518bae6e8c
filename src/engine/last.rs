//! The last stage: what no rule knows is collected, so that only the grammar of a line and what is
//! safe remain.

use super::sink::{Found, Kind, Sink};
use crate::class::Class;
use crate::codec::decode::Map;
use crate::codec::{Form, Tree};
use crate::detect::{line_grammar, safe};
use crate::finding::{Detail, RuleId, Span};

/// Adds the tokens of running text that nothing claims. `skip` are spans (in the text, sorted) that are dealt with elsewhere. Of a token
/// that is claimed in part, the other parts are judged by themselves.
///
/// A token may stay because of its neighbours (`12` before `ms`). Only neighbours that stay themselves
/// count, so that a second pass over what is left comes to the same.
pub fn tokens(text: &[u8], map: Map<'_>, tree: &Tree, skip: &[Span], sink: &mut Sink) {
    let root = |at: usize| usize::try_from(map.at(at)).unwrap_or(usize::MAX);
    let all = Span { start: map.at(0), end: map.at(text.len()) };
    let mut claimed: Vec<Span> =
        sink.found.iter().map(|found| found.span).filter(|span| span.overlaps(all)).collect();
    claimed.sort_unstable();
    let mut known: Vec<Span> =
        tree.fields.iter().map(|field| field.name).chain(skip.iter().copied()).collect();
    line_grammar::numbers(text, &mut |span| known.push(span));
    known.sort_unstable();
    let mut claims = Cursor::new(&claimed);
    let mut knowns = Cursor::new(&known);
    let mut previous = &b""[..];
    let mut token = next_token(text, 0);
    while let Some(span) = token {
        let following = next_token(text, span.end());
        let next = following.map_or(&[][..], |next| next.of(text));
        let mut free = Free { text, start: None, whole: span, previous, next, kept: true };
        let mut at = span.start();
        while at < span.end() {
            let covered = knowns.end_at(at).or_else(|| claims.end_at(root(at)).map(|_| at + 1));
            match covered {
                Some(end) => {
                    free.judge(at, map, sink);
                    at = end.max(at + 1);
                }
                None => {
                    free.start.get_or_insert(at);
                    at += 1;
                }
            }
        }
        free.judge(span.end(), map, sink);
        previous = if free.kept { span.of(text) } else { b"" };
        token = following;
    }
}

/// The part of a token that neither a finding nor a name nor another text covers.
struct Free<'t> {
    text: &'t [u8],
    start: Option<usize>,
    whole: Span,
    /// The token before, if it stays; empty otherwise.
    previous: &'t [u8],
    next: &'t [u8],
    kept: bool,
}

impl Free<'_> {
    /// Ends the part at `end` and adds it if it may not stay.
    fn judge(&mut self, end: usize, map: Map<'_>, sink: &mut Sink) {
        let Some(start) = self.start.take() else { return };
        let part = self.text.get(start..end).unwrap_or_default();
        let speaks = |b: &u8| b.is_ascii_alphanumeric() || *b >= 0x80;
        // Signs at its ends belong to the line's grammar.
        let (Some(first), Some(last)) = (part.iter().position(speaks), part.iter().rposition(speaks)) else {
            return;
        };
        let span = Span::new(start + first, start + last + 1);
        let bytes = span.of(self.text);
        let alone = span.start() > self.whole.start() + first || end < self.whole.end();
        // The rest of a percent-encoded sign.
        let sign = bytes.len() == 2
            && bytes.iter().all(u8::is_ascii_hexdigit)
            && span.start().checked_sub(1).and_then(|at| self.text.get(at)) == Some(&b'%');
        let stays =
            sign || matches!(bytes, b"null" | b"true" | b"false") || safe::keep_token(bytes, b"", b"");
        let next = if safe::keep_token(self.next, b"", b"") { self.next } else { b"" };
        if stays || (!alone && safe::keep_token(bytes, self.previous, next)) {
            return;
        }
        self.kept = false;
        push(sink, Span { start: map.at(span.start()), end: map.at(span.end()) }, Kind::UnknownToken);
    }
}

/// Adds the value of a JSON field that nothing claims, at its place in the part, quotes included.
pub fn value(root: Span, form: Form, sink: &mut Sink) {
    // What was no JSON before is not made to be.
    let kind = if form == Form::Junk { Kind::UnknownToken } else { Kind::UnknownValue };
    push(sink, root, kind);
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

    /// The end of a span that holds `at`. Asked with rising places.
    fn end_at(&mut self, at: usize) -> Option<usize> {
        while self.spans.get(self.place).is_some_and(|s| s.end() <= at) {
            self.place += 1;
        }
        // Spans may nest: those behind the first that begin before the place are looked at too.
        self.spans
            .iter()
            .skip(self.place)
            .take_while(|s| s.start() <= at)
            .find(|s| s.end() > at)
            .map(|s| s.end())
    }
}

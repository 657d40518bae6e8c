//! The last stage: what no rule knows is collected, so that only the grammar of a line and what is
//! safe remain.

use super::detectors::is_measured;
use super::sink::{Found, Kind, Sink};
use crate::class::Class;
use crate::codec::decode::Map;
use crate::codec::{Form, Tree};
use crate::detect::{line_grammar, safe};
use crate::finding::{Detail, RuleId, Span};

/// What judging a text takes; the buffers are kept from text to text.
#[derive(Default)]
pub struct Buffers {
    /// What is found in the text, in the part's bytes.
    claimed: Vec<Span>,
    /// Names, numbers that the line's grammar shows, and texts dealt with elsewhere, in the text's bytes.
    known: Vec<Span>,
}

/// Adds the tokens of running text that nothing claims. `skip` are spans (in the text, sorted) that are dealt with elsewhere. Of a token
/// that is claimed in part, the other parts are judged by themselves.
///
/// A token may stay because of its neighbours (`12` before `ms`). Only neighbours that stay themselves
/// count, and none that is claimed: then a second pass over what is left comes to the same.
pub fn tokens(text: &[u8], map: Map<'_>, tree: &Tree, skip: &[Span], sink: &mut Sink) {
    let mut buffers = std::mem::take(&mut sink.last);
    let Buffers { claimed, known } = &mut buffers;
    let root = |at: usize| usize::try_from(map.at(at)).unwrap_or(usize::MAX);
    let all = Span { start: map.at(0), end: map.at(text.len()) };
    // Fields are read in their order, so what is found in this text stands at the end.
    claimed.clear();
    let recent = sink.found.iter().rev().map(|found| found.span).take_while(|span| span.end > all.start);
    claimed.extend(recent.filter(|span| span.overlaps(all)));
    claimed.sort_unstable();
    known.clear();
    // `tel4155550132: `: a name that something is found in is none.
    let is_name = |name: &Span| {
        safe::is_field_name(name.of(text)) && !holds_claim(claimed, root(name.start()), root(name.end()))
    };
    let names = tree.fields.iter().map(|field| field.name);
    known.extend(names.chain(tree.containers.iter().map(|container| container.name)).filter(is_name));
    known.extend(skip.iter().copied());
    // `sonumite_arv=1455`; what the words of logs count is seen token by token.
    let counted = tree.fields.iter().filter(|field| {
        let value = field.value.of(text);
        let name = field.name.of(text);
        field.form == Form::Bare
            && value.len() > 3
            && value.first().is_some_and(u8::is_ascii_digit)
            && !safe::keep_measured(name, value)
            && !holds_claim(claimed, root(field.value.start()), root(field.value.end()))
            && is_measured(name, value)
    });
    known.extend(counted.map(|field| field.value));
    line_grammar::numbers(text, &mut |span| known.push(span));
    known.sort_unstable();
    let mut claims = Cursor::new(claimed);
    let mut knowns = Cursor::new(known);
    let mut previous = &b""[..];
    let mut row = Row::default();
    let mut token = next_token(text, 0);
    while let Some(span) = token {
        row.take_in(text, span, |token| {
            holds_claim(claimed, root(token.start()), root(token.end()))
                || holds_claim(known, token.start(), token.end())
        });
        let following = next_token(text, span.end());
        // What ends before the token is never asked for again.
        let _ = claims.end_at(root(span.start()));
        let is_claimed = |span: &Span| claims.overlaps(root(span.start()), root(span.end()));
        // `"to confirm 482913" retries=3`: the next field's name is no unit of what stands before it.
        let unit = |next: &Span| {
            let between = text.get(span.end()..next.start()).unwrap_or_default();
            text.get(next.end()) != Some(&b'=') && !between.iter().any(|b| matches!(b, b'"' | b'\''))
        };
        let next = following.filter(|next| !is_claimed(next) && unit(next));
        let next = next.map_or(&[][..], |next| next.of(text));
        let claimed = is_claimed(&span);
        let in_row = row.is_number;
        let mut free = Free { text, start: None, whole: span, previous, next, in_row, kept: true, claimed };
        let mut at = span.start();
        while at < span.end() {
            match knowns.end_at(at).or_else(|| claims.end_at(root(at)).map(|_| at + 1)) {
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
        previous = if free.kept && !free.claimed { span.of(text) } else { b"" };
        token = following;
    }
    sink.last = buffers;
}

/// Whether a byte of a text that `wanted` takes stands outside of what the findings from `from` on claim.
pub fn is_free(text: &[u8], map: Map<'_>, from: usize, wanted: fn(&u8) -> bool, sink: &mut Sink) -> bool {
    let mut buffers = std::mem::take(&mut sink.last);
    buffers.claimed.clear();
    let found = sink.found.get(from..).unwrap_or_default().iter();
    let claims = found.filter(|found| matches!(found.kind, Kind::Value | Kind::Placeholder | Kind::Coded(_)));
    buffers.claimed.extend(claims.map(|found| found.span));
    buffers.claimed.sort_unstable();
    let mut cursor = Cursor::new(&buffers.claimed);
    let root = |at: usize| usize::try_from(map.at(at)).unwrap_or(usize::MAX);
    let mut places = text.iter().enumerate().filter(|(_, byte)| wanted(byte));
    let free = places.any(|(at, _)| cursor.end_at(root(at)).is_none());
    sink.last = buffers;
    free
}

/// Three numbers or more in a row: `4 8 2 9 1 3`, `0612 34 56 78`, `12 04 1987`. Each is small enough to stay by itself,
/// together they are somebody's number, a code or a day of birth.
#[derive(Default)]
struct Row {
    /// Up to here it is known whether tokens are in one.
    end: usize,
    is_number: bool,
}

impl Row {
    /// Fewer digits are counts.
    const LEAST_DIGITS: usize = 4;

    /// Longer numbers are no groups: what stands beside one is a row of a table.
    const MOST_IN_A_GROUP: usize = 4;

    /// Looks from a token on, once for each row. What is claimed, or known to be
    /// something else, ends one.
    fn take_in(&mut self, text: &[u8], token: Span, is_claimed: impl Fn(Span) -> bool) {
        if token.start() < self.end {
            return;
        }
        let (mut numbers, mut digits, mut longest) = (0, 0, 0);
        self.end = token.end();
        let mut next = Some(token);
        while let Some(span) = next
            && let Some(count) = digits_alone(span.of(text)).filter(|_| !is_claimed(span))
        {
            (numbers, digits, longest) = (numbers + 1, digits + count, longest.max(count));
            self.end = span.end();
            next = next_token(text, span.end()).filter(|next| {
                let between = text.get(span.end()..next.start()).unwrap_or_default();
                between.iter().all(|b| *b == b' ')
            });
        }
        let groups = longest <= Self::MOST_IN_A_GROUP;
        self.is_number = numbers >= 3 && digits >= Self::LEAST_DIGITS && groups;
    }
}

/// How many digits a token has that has nothing else but signs at its ends: `4`, `(06)`, `8.`.
fn digits_alone(token: &[u8]) -> Option<usize> {
    let sign = |b: &u8| matches!(b, b'(' | b')' | b'.' | b',' | b'+' | b'#' | b'*' | b'"' | b'\'' | b'-');
    // Most tokens are words, and end with a letter.
    if !token.last().is_some_and(|b| b.is_ascii_digit() || sign(b)) {
        return None;
    }
    let head = token.iter().take_while(|b| sign(b)).count();
    let core = token.get(head..).unwrap_or_default();
    let tail = core.iter().rev().take_while(|b| sign(b)).count();
    let core = core.get(..core.len() - tail).unwrap_or_default();
    let digits = !core.is_empty() && core.len() <= 15 && core.iter().all(u8::is_ascii_digit);
    digits.then_some(core.len())
}

/// The part of a token that neither a finding nor a name nor another text covers.
struct Free<'t> {
    text: &'t [u8],
    start: Option<usize>,
    whole: Span,
    /// The token before, if it stays as it is; empty otherwise.
    previous: &'t [u8],
    next: &'t [u8],
    /// It is one of a row of numbers.
    in_row: bool,
    kept: bool,
    /// Whether something in the token is found.
    claimed: bool,
}

impl Free<'_> {
    /// Ends the part at `end` and adds it if it may not stay.
    fn judge(&mut self, end: usize, map: Map<'_>, sink: &mut Sink) {
        let Some(start) = self.start.take() else { return };
        let part = self.text.get(start..end).unwrap_or_default();
        let part = part.strip_prefix(BYTE_ORDER_MARK).unwrap_or(part);
        let start = end - part.len();
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
        let by_itself = !self.in_row && safe::keep_token(bytes, b"", b"");
        let stays = sign || matches!(bytes, b"null" | b"true" | b"false") || by_itself;
        let next = if safe::keep_token(self.next, b"", b"") { self.next } else { b"" };
        if stays || (!alone && !self.in_row && safe::keep_token(bytes, self.previous, next)) {
            return;
        }
        // `views.py:88`, of which a field's name is a part.
        if alone && !self.claimed && safe::keep_token(self.whole.of(self.text), b"", b"") {
            return;
        }
        self.kept = false;
        push(sink, Span { start: map.at(span.start()), end: map.at(span.end()) }, Kind::UnknownToken);
    }
}

/// U+FEFF, which some programs write before all else.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

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

/// A token: bytes between white space, brackets, quotes, commas and signs that make a line's grammar, and
/// between a terminal's colours.
fn next_token(text: &[u8], from: usize) -> Option<Span> {
    let mut start = from;
    loop {
        let rest = text.get(start..)?;
        let skipped = rest.iter().position(|b| is_part(*b) && *b != b':' || *b == ESCAPE)?;
        // What begins with a colon is a token, a colon alone is grammar.
        let colons = rest.get(..skipped).unwrap_or_default().iter().rev().take_while(|b| **b == b':').count();
        start += skipped;
        if rest.get(skipped) != Some(&ESCAPE) {
            start -= colons;
            break;
        }
        start = colour_end(text, start);
    }
    let len = text.get(start..)?.iter().take_while(|b| is_part(**b)).count();
    let end = start + len;
    // A colon at the end belongs to the grammar: `level:`.
    let trimmed = text.get(start..end)?.iter().rposition(|b| *b != b':').map_or(len, |at| at + 1);
    Some(Span::new(start, start + trimmed.max(1)))
}

const ESCAPE: u8 = 0x1b;

fn is_part(byte: u8) -> bool {
    !matches!(
        byte,
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
            | ESCAPE
    )
}

/// Behind `ESC [ 3 2 m` at a place, or behind the escape alone.
fn colour_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at + 1..).unwrap_or_default();
    let Some(codes) = rest.strip_prefix(b"[") else { return at + 1 };
    let len = codes.iter().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    if codes.get(len) == Some(&b'm') { at + 2 + len + 1 } else { at + 1 }
}

/// Whether one of the claims has a byte of `start..end`.
fn holds_claim(claimed: &[Span], start: usize, end: usize) -> bool {
    let behind = claimed.partition_point(|claim| claim.start() < end);
    claimed.get(..behind).unwrap_or_default().iter().rev().take(CLAIMS_NEAR).any(|claim| claim.end() > start)
}

/// A name is short: claims that begin further back are not looked at.
const CLAIMS_NEAR: usize = 16;

/// Sorted spans, asked in the order of the text.
struct Cursor<'a> {
    spans: &'a [Span],
    place: usize,
}

impl<'a> Cursor<'a> {
    fn new(spans: &'a [Span]) -> Self {
        Cursor { spans, place: 0 }
    }

    /// Whether a span has a byte of `start..end`; neither lies before a place that was asked for.
    fn overlaps(&self, start: usize, end: usize) -> bool {
        self.spans
            .get(self.place..)
            .unwrap_or_default()
            .iter()
            .take_while(|s| s.start() < end)
            .any(|s| s.end() > start)
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

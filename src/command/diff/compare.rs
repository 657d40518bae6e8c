//! What two lists of edits of the same bytes differ in.

use crate::engine::Edit;
use crate::finding::Span;

/// How B differs from A.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A replaces it, B lets it pass.
    NoLonger,
    /// B replaces it, A lets it pass.
    Newly,
    /// Both replace it, by something else.
    Otherwise,
}

/// Bytes that A and B do not make the same of.
pub struct Difference<'e> {
    pub change: Change,
    /// In the part; for what stands in base64 or hex, of all its letters.
    pub span: Span,
    /// The bytes themselves, decoded.
    pub bytes: &'e [u8],
    pub a: Option<&'e Edit>,
    pub b: Option<&'e Edit>,
}

/// Tells every difference in `bytes`. Both lists are in the order of the bytes, and none overlaps another of its list.
pub fn compare<'e>(bytes: &'e [u8], a: &'e [Edit], b: &'e [Edit], out: &mut dyn FnMut(Difference<'e>)) {
    let (mut a, mut b) = (a, b);
    while !(a.is_empty() && b.is_empty()) {
        let (ours, theirs) = together(a, b);
        let ((here_a, rest_a), (here_b, rest_b)) = (a.split_at(ours), b.split_at(theirs));
        in_one_place(bytes, here_a, here_b, out);
        (a, b) = (rest_a, rest_b);
    }
}

/// How many of each list, from the first on, overlap each other.
fn together(a: &[Edit], b: &[Edit]) -> (usize, usize) {
    let start = |list: &[Edit], place: usize| list.get(place).map_or(u32::MAX, |edit| edit.span.start);
    let (mut ours, mut theirs) = (0, 0);
    let mut end = 0;
    loop {
        let (next_a, next_b) = (start(a, ours), start(b, theirs));
        let first = ours + theirs == 0;
        if next_a.min(next_b) == u32::MAX || !first && next_a.min(next_b) >= end {
            return (ours, theirs);
        }
        let (list, place) = if next_a <= next_b { (a, &mut ours) } else { (b, &mut theirs) };
        end = end.max(list.get(*place).map_or(end, |edit| edit.span.end));
        *place += 1;
    }
}

fn in_one_place<'e>(bytes: &'e [u8], a: &'e [Edit], b: &'e [Edit], out: &mut dyn FnMut(Difference<'e>)) {
    let mut told = false;
    let mut tell = |difference| {
        told = true;
        out(difference);
    };
    for (change, from, other) in [(Change::NoLonger, a, b), (Change::Newly, b, a)] {
        for edit in from {
            for span in left_of(edit.span, other).filter(|span| says_something(span.of(bytes))) {
                let beside = other.iter().find(|one| one.span.overlaps(edit.span));
                let (a, b) =
                    if change == Change::NoLonger { (Some(edit), beside) } else { (beside, Some(edit)) };
                tell(Difference { change, span, bytes: span.of(bytes), a, b });
            }
        }
    }
    for (ours, theirs) in a.iter().flat_map(|ours| b.iter().map(move |theirs| (ours, theirs))) {
        if ours.span.overlaps(theirs.span) {
            inside(ours, theirs, &mut tell);
        }
    }
    let same = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.span == b.span && a.written == b.written);
    if !told && !same {
        let whole = a
            .iter()
            .chain(b)
            .map(|edit| edit.span)
            .reduce(|one, other| Span { start: one.start.min(other.start), end: one.end.max(other.end) });
        let span = whole.unwrap_or_default();
        out(Difference {
            change: Change::Otherwise,
            span,
            bytes: span.of(bytes),
            a: a.first(),
            b: b.first(),
        });
    }
}

/// Texts in base64 or hex that one of them or both looked into: what one replaces as a whole, the other may replace a
/// part of.
fn inside<'e>(a: &'e Edit, b: &'e Edit, out: &mut dyn FnMut(Difference<'e>)) {
    let whole = |change, text: &'e [u8], edits: &'e [Edit], out: &mut dyn FnMut(Difference<'e>)| {
        let all = Span::new(0, text.len());
        for span in left_of(all, edits).filter(|span| says_something(span.of(text))) {
            out(Difference { change, span: a.span, bytes: span.of(text), a: Some(a), b: Some(b) });
        }
    };
    match (&a.inside, &b.inside) {
        (None, None) => {}
        (None, Some(b)) => whole(Change::NoLonger, &b.text, &b.edits, out),
        (Some(a), None) => whole(Change::Newly, &a.text, &a.edits, out),
        (Some(ours), Some(theirs)) if ours.text == theirs.text => {
            compare(&ours.text, &ours.edits, &theirs.edits, &mut |inner| {
                out(Difference { span: a.span, ..inner });
            });
        }
        // Read in another way: what B leaves of it, A may not have.
        (Some(_), Some(theirs)) => whole(Change::NoLonger, &theirs.text, &theirs.edits, out),
    }
}

/// The pieces of a span that no edit of a list covers.
fn left_of(span: Span, edits: &[Edit]) -> impl Iterator<Item = Span> {
    let mut from = span.start;
    let ends = edits.iter().map(|edit| edit.span).chain([Span { start: span.end, end: span.end }]);
    ends.filter_map(move |covered| {
        let piece = Span { start: from, end: covered.start.min(span.end) };
        from = from.max(covered.end);
        (piece.start < piece.end).then_some(piece)
    })
}

/// Quotes and spaces alone tell nobody anything.
fn says_something(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::InsideEdits;
    use Change::{Newly, NoLonger, Otherwise};

    fn edit(start: usize, end: usize, written: &str) -> Edit {
        let span = Span::new(start, end);
        Edit { span, found: None, written: written.as_bytes().to_vec(), inside: None }
    }

    fn coded(start: usize, end: usize, text: &str, edits: Vec<Edit>) -> Edit {
        let inside = Some(InsideEdits { text: text.as_bytes().to_vec(), edits });
        Edit { inside, ..edit(start, end, "b64") }
    }

    fn told(bytes: &str, a: &[Edit], b: &[Edit]) -> Vec<(Change, u32, u32, String)> {
        let mut all = Vec::new();
        compare(bytes.as_bytes(), a, b, &mut |one| {
            let bytes = String::from_utf8_lossy(one.bytes).into_owned();
            all.push((one.change, one.span.start, one.span.end, bytes));
        });
        all
    }

    fn row(change: Change, start: u32, end: u32, bytes: &str) -> (Change, u32, u32, String) {
        (change, start, end, bytes.to_owned())
    }

    #[test]
    fn the_same_edits_differ_in_nothing() {
        let edits = [edit(0, 3, "x"), edit(3, 5, "y"), coded(6, 9, "abc", vec![edit(0, 1, "z")])];
        assert_eq!(told("0123456789", &edits, &edits), []);
        assert_eq!(told("0123456789", &[], &[]), []);
    }

    #[test]
    fn what_one_alone_replaces_is_told() {
        let (x, y) = (edit(0, 3, "x"), edit(5, 8, "y"));
        assert_eq!(told("0123456789", &[x.clone(), y.clone()], &[y.clone()]), [row(NoLonger, 0, 3, "012")]);
        assert_eq!(told("0123456789", &[y.clone()], &[x.clone(), y]), [row(Newly, 0, 3, "012")]);
        // Both at once, and beside each other.
        let moved = [row(NoLonger, 0, 2, "01"), row(Newly, 3, 6, "345")];
        assert_eq!(told("0123456789", &[edit(0, 3, "x")], &[edit(2, 6, "x")]), moved);
    }

    #[test]
    fn a_part_that_is_left_is_no_longer_replaced() {
        let b = [edit(1, 2, "x"), edit(4, 5, "x")];
        let left = [row(NoLonger, 0, 1, "0"), row(NoLonger, 2, 4, "23"), row(NoLonger, 5, 6, "5")];
        assert_eq!(told("0123456789", &[edit(0, 6, "x")], &b), left);
        // Quotes are nobody's secret.
        assert_eq!(told("\"12\"", &[edit(0, 4, "x")], &[edit(1, 3, "x")]), [row(Otherwise, 0, 4, "\"12\"")]);
    }

    #[test]
    fn another_replacement_is_told_as_such() {
        assert_eq!(told("0123", &[edit(0, 2, "x")], &[edit(0, 2, "y")]), [row(Otherwise, 0, 2, "01")]);
    }

    #[test]
    fn what_stands_in_base64_is_compared_by_what_it_holds() {
        let both = coded(0, 8, "to 447 ip", vec![edit(3, 6, "x"), edit(7, 9, "y")]);
        let one = coded(0, 8, "to 447 ip", vec![edit(3, 6, "x")]);
        let (both, one) = ([both], [one]);
        assert_eq!(told("dG8gNDQ3", &both, &one), [row(NoLonger, 0, 8, "ip")]);
        assert_eq!(told("dG8gNDQ3", &one, &both), [row(Newly, 0, 8, "ip")]);
        // As a whole, or a part of it.
        let whole = [edit(0, 8, "[X]")];
        let parts = [row(NoLonger, 0, 8, "to "), row(NoLonger, 0, 8, " ip")];
        assert_eq!(told("dG8gNDQ3", &whole, &one), parts);
        assert_eq!(told("dG8gNDQ3", &one, &whole).len(), 2);
        assert!(told("dG8gNDQ3", &one, &whole).iter().all(|(change, ..)| *change == Newly));
        // Read in another way: nobody can say that nothing more leaves.
        let other = [coded(0, 8, "7o 447 ip", vec![edit(3, 6, "x")])];
        assert!(told("dG8gNDQ3", &one, &other).iter().all(|(change, ..)| *change == NoLonger));
    }
}

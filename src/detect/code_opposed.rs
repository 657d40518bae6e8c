//! Codes that a line holds against each other: what was typed, and what it should have been.

use super::code_shape::Candidate;
use super::words;
use crate::finding::Span;

/// `typed 32820 instead of 601211`, `'165731' != '343630'`: what a code is held against is one, too.
pub(super) fn claim_opposed(text: &[u8], candidates: &mut [Candidate], spoken: bool) {
    for place in 1..candidates.len() {
        let [one, other] = candidates.get_mut(place - 1..=place).unwrap_or_default() else { return };
        // `expected IG-187545 but got 187546`: of two that nothing else is said of, where codes are spoken of.
        let alike = spoken && one.end - one.start >= 5 && other.end - other.start >= 5;
        let open = !one.taken && one.refused.is_none() && other.refused.is_none();
        if one.taken && other.taken || !one.taken && !other.taken && !(alike && open) {
            continue;
        }
        if let Some(signs) = opposed(text, one.end).filter(|at| at.end() == other.start)
            // `AssertionError: '165731' != '343630'`: what a sign holds against each other is alike.
            && (one.refused.or(other.refused).is_none() || signs.of(text).contains(&b'=') || signs.of(text).contains(&b'<'))
        {
            one.taken = true;
            other.taken = true;
        }
    }
}

/// The words or signs behind a code that hold it against another, quotes on both sides included; the other begins
/// where they end.
pub(super) fn opposed(text: &[u8], end: usize) -> Option<Span> {
    let rest = text.get(end..text.len().min(end + 32))?;
    let quote = |b: Option<&u8>| usize::from(matches!(b, Some(b'"' | b'\'')));
    let lead = quote(rest.first());
    let words = rest.get(lead..)?.strip_prefix(b" ")?;
    let known = words::code::OPPOSED
        .iter()
        .find(|known| words.strip_prefix(known.as_bytes()).is_some_and(|rest| rest.starts_with(b" ")))?;
    let at = lead + known.len() + 2;
    let trail = quote(rest.get(at));
    (lead == trail).then(|| Span::new(end, end + at + trail))
}

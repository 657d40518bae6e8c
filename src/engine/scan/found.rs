//! What a detector found, on its way into the sink.

use super::super::refused::turned_down;
use super::*;
use crate::detect::national_id;

/// The number that a state gave to a person.
pub(super) fn persons_number(
    detectors: &Detectors,
    here: &Here<'_>,
    start: usize,
    at: usize,
    sink: &mut Sink,
) -> Option<usize> {
    // The shortest has nine letters and digits.
    let long = bytes::is_alnum(bytes::byte(here.text, start + 8));
    let span = if long { national_id::at(here.text, start, at)? } else { return None };
    Some(found(detectors, Detector::SubjectShape, sink, here, Class::SubjectId, span))
}

/// Something that goes, if its detector is on; gives where to go on.
pub(super) fn found(
    detectors: &Detectors,
    detector: Detector,
    sink: &mut Sink,
    here: &Here<'_>,
    class: Class,
    span: Span,
) -> usize {
    if let Some(rule) = detectors.rule(detector) {
        push(sink, here, class, rule, span, Detail::None, false);
    }
    span.end()
}

/// Something that mostly stays, but that nobody else has to look at.
pub(super) fn known(
    detectors: &Detectors,
    detector: Detector,
    sink: &mut Sink,
    here: &Here<'_>,
    class: Class,
    span: Span,
) -> usize {
    found(detectors, detector, sink, here, class, span)
}

pub(super) fn push(
    sink: &mut Sink,
    here: &Here<'_>,
    class: Class,
    rule: RuleId,
    span: Span,
    detail: Detail,
    bare_json: bool,
) {
    // A URL is one whatever its parameters became.
    let crossed = class != Class::Url && crosses_placeholder(sink, here.root(span));
    if crossed || !here.detectors.accepts(rule, here.text, span) {
        turned_down(here.detectors, class, rule, here.text, span, here.root(span), sink);
        return;
    }
    let value = match here.map {
        Map::Base(_) => None,
        Map::Table(_) => Some(sink.keep(span.of(here.text))),
    };
    sink.found.push(Found {
        class,
        rule,
        span: here.root(span),
        detail,
        kind: Kind::Value,
        bare_json,
        value,
    });
}

pub(super) fn crosses_placeholder(sink: &Sink, root: Span) -> bool {
    // The nearest stand at the end.
    sink.placeholders.iter().rev().take(64).any(|placeholder| placeholder.overlaps(root))
}

pub(super) fn push_value(
    sink: &mut Sink,
    here: &Here<'_>,
    class: Class,
    rule: RuleId,
    span: Span,
    value: Span,
) {
    if crosses_placeholder(sink, here.root(span)) {
        return;
    }
    let found = Found {
        class,
        rule,
        span: here.root(span),
        detail: Detail::None,
        kind: Kind::Value,
        bare_json: false,
        value: Some(value),
    };
    sink.found.push(found);
}

//! Why the scan of a text found nothing in what looks like something: asked for by `explain` alone.

use super::super::refused::phone_reason;
use super::*;
use crate::detect::refusal::Refusal;

impl Scan {
    /// Notes what in a span of a text looks like something and is none; nothing where nobody asked.
    pub(super) fn refusals(
        &mut self,
        tools: Tools<'_>,
        here: &Here<'_>,
        area: Span,
        done: &[Span],
        sink: &mut Sink,
    ) {
        if sink.refused.is_none() {
            return;
        }
        let text = here.text.get(..area.end()).unwrap_or_default();
        let mut gaps = Gaps { done, place: 0 };
        let mut pos = area.start();
        while pos < area.end() {
            let at = pos;
            pos += 1;
            if let Some(end) = gaps.covers(at) {
                pos = end.max(pos);
                continue;
            }
            match bytes::byte(text, at) {
                b'0'..=b'9' => {
                    let end = bytes::run_end(text, at, usize::MAX, bytes::is_digit);
                    pos = number(tools.detectors, here, at, sink).max(end);
                }
                b'@' => {
                    let start =
                        bytes::run_start(text, at, 64, |b| bytes::is_token(b) || b == b'.' || b == b'+');
                    let end = bytes::run_end(text, at + 1, 255, |b| bytes::is_token(b) || b == b'.');
                    let refusal = email::why_not(here.text, at);
                    refuse(
                        tools.detectors,
                        here,
                        Class::Email,
                        Detector::Email,
                        Span::new(start, end),
                        refusal,
                        sink,
                    );
                }
                _ => {}
            }
        }
        let rule = tools.detectors.rule(Detector::CodeContext);
        let mut refused = Vec::new();
        tools
            .detectors
            .code_refusals(text, &mut self.codes, &mut |span, refusal| refused.push((span, refusal)));
        for (span, refusal) in refused {
            let own = span.start() >= area.start() && !done.iter().any(|d| d.overlaps(span));
            if own && !sink.is_settled(Class::Code, here.root(span)) {
                sink.refuse(Class::Code, rule, here.root(span), || refusal.says().to_owned());
            }
        }
        tools.detectors.pattern_refusals(text, &mut |class, rule, span, because| {
            sink.refuse(class, Some(rule), here.root(span), || because);
        });
    }
}

/// Digits: a telephone's, a card's, an address's. Gives where they end.
fn number(detectors: &Detectors, here: &Here<'_>, at: usize, sink: &mut Sink) -> usize {
    let text = here.text;
    let signed = at.checked_sub(1).filter(|sign| matches!(bytes::byte(text, *sign), b'+' | b'('));
    let start = signed.unwrap_or(at);
    let grouped = phone::digits_at(text, start);
    let run = bytes::run_end(text, at, usize::MAX, bytes::is_digit);
    let digits = grouped.of(text).iter().filter(|b| bytes::is_digit(**b)).count();
    let quad = bytes::run_end(text, at, 48, |b| bytes::is_digit(b) || b == b'.');
    let dots = text.get(at..quad).unwrap_or_default().iter().filter(|b| **b == b'.').count();
    if dots >= 3 {
        let refusal = ip::why_not(text, at);
        refuse(detectors, here, Class::Ip, Detector::Ip, Span::new(at, quad), refusal, sink);
        return quad;
    }
    // An id's digits, and a Unix time's, are asked about more than any others.
    let longest = grouped.of(text).split(|b| !bytes::is_digit(*b)).map(<[u8]>::len).max().unwrap_or(0);
    let root = here.root(grouped);
    let other = sink
        .found
        .iter()
        .find(|found| found.span.overlaps(root) && matches!(found.class, Class::EventId | Class::Timestamp));
    if let Some(found) = other.copied().filter(|_| longest >= 7) {
        let because = match found.class {
            Class::Timestamp => Refusal::Epoch.says(),
            _ => "it belongs to an id of an event",
        };
        sink.refuse(Class::Phone, Some(found.rule), root, || because.to_owned());
        return grouped.end().max(run);
    }
    if digits >= 7 {
        let context = detectors.phone_context(phone::FieldHint::None);
        let refusal = phone::why_not(text, start, &context);
        let international = bytes::byte(text, start) == b'+';
        let form = if international { phone::Form::International } else { phone::Form::National };
        if refusal.is_none() && !detectors.takes(form) {
            let rule = detectors.rule(form.detector());
            sink.refuse(Class::Phone, rule, here.root(grouped), || {
                "its options say: never bare digits".to_owned()
            });
        } else {
            refuse(detectors, here, Class::Phone, form.detector(), grouped, refusal, sink);
        }
    }
    if (13..=19).contains(&digits) {
        let refusal = card::why_not(text, at);
        refuse(detectors, here, Class::Card, Detector::Card, grouped, refusal, sink);
    }
    if digits >= 7 { grouped.end().max(run) } else { run }
}

fn refuse(
    detectors: &Detectors,
    here: &Here<'_>,
    class: Class,
    detector: Detector,
    span: Span,
    refusal: Option<Refusal>,
    sink: &mut Sink,
) {
    let (root, rule) = (here.root(span), detectors.rule(detector));
    if sink.is_settled(class, root) {
        return;
    }
    match refusal {
        Some(refusal) if class == Class::Phone => {
            sink.refuse(class, rule, root, || phone_reason(here.text, span, refusal));
        }
        Some(refusal) => sink.refuse(class, rule, root, || refusal.says().to_owned()),
        None if rule.is_none() => {
            sink.refuse(class, None, root, || format!("the rule of `{}` is switched off", detector.word()));
        }
        None => {}
    }
}

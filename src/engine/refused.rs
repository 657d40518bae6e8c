//! What looked like a finding and is none, with the reason: for `explain`. Nothing is noted, and nothing is
//! asked for reasons, unless a sink has a list for them.

use super::detectors::Detectors;
use super::find::Tools;
use super::resolve::Reading;
use super::sink::Sink;
use crate::class::Class;
use crate::codec::{Field, Form};
use crate::detect::phone;
use crate::detect::refusal::Refusal;
use crate::finding::{RuleId, Span};

/// Something that was looked at and refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it might have been.
    pub class: Class,
    /// Whose rule it would have been, or which rule says otherwise; `None` where no rule did.
    pub rule: Option<RuleId>,
    /// In the part's bytes.
    pub span: Span,
    pub because: String,
}

/// Digits that a number in a field has at least for somebody to ask about it.
const ASKED_DIGITS: usize = 4;
/// As many as a telephone number has at least.
const PHONE_DIGITS: usize = 7;

impl Sink {
    /// Notes a refusal, where anybody asked for them.
    pub fn refuse(
        &mut self,
        class: Class,
        rule: Option<RuleId>,
        span: Span,
        because: impl FnOnce() -> String,
    ) {
        if let Some(refused) = self.refused.as_mut() {
            refused.push(Refused { class, rule, span, because: because() });
        }
    }

    /// Whether something found, or refused already, has a byte of a span.
    pub fn is_settled(&self, class: Class, span: Span) -> bool {
        let refused = self.refused.iter().flatten();
        self.found.iter().any(|found| found.span.overlaps(span))
            || refused.filter(|refused| refused.class == class).any(|refused| refused.span.overlaps(span))
    }
}

/// A telephone number's refusal in words.
pub fn phone_reason(text: &[u8], span: Span, refusal: Refusal) -> String {
    let quoted = |word: Span| String::from_utf8_lossy(word.of(text)).into_owned();
    let digits =
        span.start() + text.get(span.start()..).map_or(0, |rest| usize::from(rest.first() == Some(&b'+')));
    match refusal {
        Refusal::Word => match phone::word_before(text, digits) {
            Some(word) if !word.is_empty() => {
                format!("`{}` before it says that it is something else", quoted(word))
            }
            _ => refusal.says().to_owned(),
        },
        Refusal::Unit => match phone::unit_after(text, span.end()) {
            Some(unit) => format!("`{}` behind it is a unit", quoted(unit)),
            None => refusal.says().to_owned(),
        },
        other => other.says().to_owned(),
    }
}

/// What a field's reading keeps from being found.
pub fn field(
    tools: Tools<'_>,
    name: &[u8],
    (value, span): (&[u8], Span),
    field: &Field,
    (reading, rule): (Reading, Option<RuleId>),
    meant: Option<Class>,
    sink: &mut Sink,
) {
    if sink.refused.is_none() || tools.detectors.allows(value) {
        return;
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let class = if digits >= PHONE_DIGITS { Class::Phone } else { Class::Code };
    let name = || String::from_utf8_lossy(name).into_owned();
    match reading {
        Reading::Safe if digits >= ASKED_DIGITS => match rule {
            Some(_) => sink.refuse(class, rule, span, || format!("the rule says that `{}` is safe", name())),
            None => sink.refuse(class, None, span, || format!("the name `{}` says that it is none", name())),
        },
        Reading::Text | Reading::Headline => match meant {
            Some(meant) if meant != Class::Safe && !value.is_empty() => {
                sink.refuse(meant, None, span, || {
                    format!("the name `{}` speaks of one, the value and what stands around it do not", name())
                });
            }
            _ if matches!(field.form, Form::JsonNumber) && digits >= ASKED_DIGITS => {
                sink.refuse(class, None, span, || {
                    format!("a JSON number, and the name `{}` says nothing", name())
                });
            }
            _ => {}
        },
        Reading::Safe | Reading::Claim(_) | Reading::Part(_) | Reading::Opaque(_) => {}
    }
}

/// A finding that its rule or the user's list turned down.
pub fn turned_down(
    detectors: &Detectors,
    class: Class,
    rule: RuleId,
    text: &[u8],
    span: Span,
    root: Span,
    sink: &mut Sink,
) {
    if sink.refused.is_some() {
        let because = detectors.objection(rule, text, span);
        sink.refuse(class, Some(rule), root, || {
            because.unwrap_or_else(|| "it stands across a placeholder".to_owned())
        });
    }
}

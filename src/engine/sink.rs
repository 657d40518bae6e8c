//! Where findings are collected, in the offsets of the record's part.

use super::inside::{DEEPEST, Inside, Piece, Place};
use super::refused::Refused;
use crate::class::Class;
use crate::codec::coding::Coding;
use crate::finding::{Detail, RuleId, Span};

/// What is to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value of a class, found by a rule.
    Value,
    /// One of our own placeholders of that class.
    Placeholder,
    /// A token of running text that nothing claims (last stage only).
    UnknownToken,
    /// The value of a field that nothing claims, quotes included (last stage only).
    UnknownValue,
    /// A text in base64 or hex, by its number in [`Inside`]: what is found in it decides.
    Coded(u32),
}

/// A finding with what the splicer needs.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub class: Class,
    pub rule: RuleId,
    /// In the part's bytes.
    pub span: Span,
    pub detail: Detail,
    pub kind: Kind,
    /// A JSON number or another bare value: a replacement brings its own quotes.
    pub bare_json: bool,
    /// Where the decoded value stands in [`Sink::values`]; `None`: as in the part.
    pub value: Option<Span>,
}

impl Found {
    /// The same finding in a text that begins at `start` of the part.
    #[must_use]
    pub fn moved(self, start: u32) -> Found {
        let span = Span { start: self.span.start + start, end: self.span.end + start };
        Found { span, ..self }
    }

    /// The other way round.
    #[must_use]
    pub fn moved_back(self, start: u32) -> Found {
        let span =
            Span { start: self.span.start.saturating_sub(start), end: self.span.end.saturating_sub(start) };
        Found { span, ..self }
    }
}

/// A value found by its field, to be looked for in the rest of the record.
#[derive(Clone, Copy, Debug)]
pub struct Needle {
    pub class: Class,
    pub rule: RuleId,
    pub detail: Detail,
    /// In [`Sink::values`].
    pub value: Span,
}

/// How much a sink held at a moment.
pub struct Amount {
    found: usize,
    others: [usize; 5],
    failed: bool,
}

/// The findings of one part. Kept and cleared from record to record.
#[derive(Default)]
pub struct Sink {
    pub found: Vec<Found>,
    /// Decoded values and needles, one behind the other.
    pub values: Vec<u8>,
    pub needles: Vec<Needle>,
    /// Values of `safe` fields: needles are not looked for there.
    pub safe: Vec<Span>,
    /// Our own placeholders: what a detector finds across one is none.
    pub placeholders: Vec<Span>,
    /// Where rules do not look: what they find there is taken back.
    pub denied: Vec<(RuleId, Span)>,
    /// Texts in base64 and hex.
    pub inside: Option<Box<Inside>>,
    /// In how many of those texts this one stands.
    pub depth: u8,
    /// Set where the bytes stand in a query, in which signs have to be percent-encoded.
    pub in_query: bool,
    /// What was refused and why, where somebody asks.
    pub refused: Option<Vec<Refused>>,
    /// What the last stage's look at a text takes.
    pub last: super::last::Buffers,
    /// Whether tokens and values that nothing claims are collected too.
    pub reduce_unknown: bool,
    /// Set where the part could not be walked to its end.
    pub gave_up: bool,
    /// Set where JSON is nested too deep.
    pub too_deep: bool,
}

impl Sink {
    /// Empties everything; the buffers stay.
    pub fn clear(&mut self) {
        self.found.clear();
        self.safe.clear();
        self.denied.clear();
        self.placeholders.clear();
        self.values.clear();
        self.needles.clear();
        self.gave_up = false;
        self.too_deep = false;
        self.in_query = false;
        if let Some(inside) = &mut self.inside {
            inside.clear();
        }
    }

    /// Takes back what rules found where they do not look.
    pub fn take_back(&mut self) {
        let Sink { found, denied, inside, refused, .. } = self;
        if !denied.is_empty() {
            found.retain(|found| {
                let denies = |(rule, span): &(RuleId, Span)| *rule == found.rule && span.contains(found.span);
                let stays = found.kind != Kind::Value || !denied.iter().any(denies);
                if let Some(refused) = refused.as_mut().filter(|_| !stays) {
                    let because = "the rule does not look in this field".to_owned();
                    let Found { class, rule, span, .. } = *found;
                    refused.push(Refused { class, rule: Some(rule), span, because });
                }
                stays
            });
        }
        let Some(inside) = inside.as_deref_mut() else { return };
        for piece in &inside.pieces {
            let here = denied.iter().filter(|(_, span)| span.contains(piece.letters));
            inside.sink.denied.extend(here.map(|(rule, _)| (*rule, piece.text)));
        }
        inside.sink.take_back();
    }

    /// Takes in a text that stands in base64 or hex at `letters`; `false` where texts stand in texts too deep.
    pub fn hide(&mut self, letters: Span, coding: Coding, place: Place, text: &[u8]) -> bool {
        if self.depth >= DEEPEST {
            return false;
        }
        let inside = self.inside.get_or_insert_with(Box::default);
        inside.sink.depth = self.depth + 1;
        let place = if self.in_query { Place::Query } else { place };
        let piece = Piece { letters, text: Span::default(), coding, place, reduced: self.reduce_unknown };
        let kind = Kind::Coded(inside.add(piece, text));
        self.found.push(Found {
            class: Class::Safe,
            rule: RuleId(0),
            span: letters,
            detail: Detail::None,
            kind,
            bare_json: false,
            value: None,
        });
        true
    }

    /// How much was collected so far.
    #[must_use]
    pub fn amount(&self) -> Amount {
        Amount {
            found: self.found.len(),
            others: [
                self.values.len(),
                self.needles.len(),
                self.safe.len(),
                self.placeholders.len(),
                self.inside.as_ref().map_or(0, |inside| inside.pieces.len()),
            ],
            failed: self.gave_up || self.too_deep,
        }
    }

    /// Whether nothing was collected since, safe values aside.
    #[must_use]
    pub fn holds_only(&self, before: &Amount) -> bool {
        let now = self.amount();
        let [values, needles, _, placeholders, pieces] = now.others;
        let [values_before, needles_before, _, placeholders_before, pieces_before] = before.others;
        now.found == before.found
            && now.failed == before.failed
            && (values, needles, placeholders, pieces)
                == (values_before, needles_before, placeholders_before, pieces_before)
    }

    /// What was collected since: `Some(None)` for nothing, `None` for more than one finding.
    #[must_use]
    pub fn since(&self, before: &Amount) -> Option<Option<Found>> {
        let now = self.amount();
        if now.others != before.others || now.failed != before.failed {
            return None;
        }
        match self.found.get(before.found..)? {
            [] => Some(None),
            [found] => Some(Some(*found)),
            _ => None,
        }
    }

    /// Keeps decoded bytes and gives their place.
    pub fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.values.len();
        self.values.extend_from_slice(bytes);
        Span::new(start, self.values.len())
    }
}

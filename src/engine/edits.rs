//! What a stage replaces in a record and with what, for comparing two sets of rules.

use super::sink::{Found, Kind};
use super::splice::{Remarks, Told, splice};
use super::*;

/// Bytes that a stage replaces.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// In the part's bytes; for what is written in base64 or hex, of all its letters.
    pub span: Span,
    /// What was found, and by which rule. `None` at the last stage where nothing claims the bytes, so that they go.
    pub found: Option<(Class, RuleId)>,
    /// What stands there now.
    pub written: Vec<u8>,
    /// For base64 and hex that was written again.
    pub inside: Option<InsideEdits>,
}

/// What is replaced in a text in base64 or hex.
#[derive(Clone, PartialEq, Eq)]
pub struct InsideEdits {
    /// What the letters held.
    pub text: Vec<u8>,
    /// In its offsets.
    pub edits: Vec<Edit>,
}

/// Gathers a part's edits, in the order of the bytes; none overlaps another.
#[derive(Default)]
struct Edits {
    all: Vec<Edit>,
    /// Where the edits begin of each text in base64 or hex that is being told of.
    opened: Vec<usize>,
}

impl Remarks for Edits {
    fn acted(&mut self, found: &Found, _action: Action, written: &[u8]) {
        let from = self.opened.last().copied().unwrap_or(0);
        if let Some(last) = self.all.get_mut(from..).and_then(<[Edit]>::last_mut)
            && found.span.start < last.span.end
        {
            last.span.end = last.span.end.max(found.span.end);
            return;
        }
        let known = matches!(found.kind, Kind::Value | Kind::Placeholder);
        let rule = known.then_some((found.class, found.rule));
        self.all.push(Edit { span: found.span, found: rule, written: written.to_vec(), inside: None });
    }

    fn inside(&mut self) {
        self.opened.push(self.all.len());
    }

    fn outside(&mut self, told: &Told<'_>) {
        let from = self.opened.pop().unwrap_or(0);
        let mut edits = self.all.split_off(from.min(self.all.len()));
        let Some(written) = told.written else { return };
        for Edit { span, .. } in &mut edits {
            *span = Span {
                start: span.start.saturating_sub(told.start),
                end: span.end.saturating_sub(told.start),
            };
        }
        let found = edits.first().and_then(|first| first.found);
        let inside = Some(InsideEdits { text: told.text.to_vec(), edits });
        // Without any the letters went as a whole.
        let inside = inside.filter(|inside| !inside.edits.is_empty());
        self.all.push(Edit { span: told.letters, found, written: written.to_vec(), inside });
    }
}

impl Engine {
    /// What [`apply`](Engine::apply) replaces, part by part, in the order of the bytes. Far slower.
    ///
    /// # Errors
    /// Why the record is withheld.
    pub fn edits(
        &self,
        scratch: &mut Scratch,
        policy: &Policy,
        stage: usize,
        record: &Record<'_>,
    ) -> Result<Vec<(Part, Edit)>, WithheldReason> {
        if size_of(record) > MAX_RECORD_BYTES {
            return Err(WithheldReason::TooLarge);
        }
        let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| {
            let plan = self.plan(policy, stage);
            let last = policy.position(stage) == Position::Last;
            self.find_all(scratch, &plan.context, record, last)?;
            let mut all = Vec::new();
            for (place, sink) in scratch.sinks.iter_mut().enumerate().take(2 + record.headers.len()) {
                let Some((_, bytes)) = part_of(record, place) else { continue };
                let mut edits = Edits::default();
                splice(bytes, sink, &plan, &mut edits, &mut Vec::new());
                all.extend(edits.all.into_iter().map(|edit| (part_at(place), edit)));
            }
            all.sort_by_key(|(part, edit)| (*part, edit.span.start));
            Ok(all)
        }));
        attempt.unwrap_or_else(|_| {
            scratch.finder = Finder::default();
            scratch.sinks.clear();
            Err(WithheldReason::Panic)
        })
    }
}

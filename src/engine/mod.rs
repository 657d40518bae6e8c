//! The engine: the steps in order. Pure: bytes in, bytes and findings out; no I/O, no clock.

use crate::policy::{Clock, Policy};
use crate::record::{Record, RecordBuf};
use crate::rule::RuleSet;
use crate::transform::Places;
use std::sync::Arc;

/// Rules, places and keys: everything that is the same for every record. Shared between threads.
pub struct Engine {
    rules: Arc<RuleSet>,
    places: Option<Arc<dyn Places>>,
}

/// What a thread needs to run the engine without allocating per record.
#[derive(Default)]
pub struct Scratch {}

/// What became of a record at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// No finding was acted on: the record leaves byte for byte. `out` holds the same bytes.
    Unchanged,
    /// `out` holds the changed record.
    Changed,
    /// The engine could not answer for the record (caps, a panic): `out` holds
    /// `[WITHHELD:reason=…,bytes=N]` as value and nothing of the input.
    Withheld(WithheldReason),
}

/// Why a record was withheld; the metric label and the placeholder's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WithheldReason {
    TooLarge,
    TooDeep,
    TimeOut,
    Panic,
    Binary,
}

impl WithheldReason {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            WithheldReason::TooLarge => "too_large",
            WithheldReason::TooDeep => "too_deep",
            WithheldReason::TimeOut => "time_out",
            WithheldReason::Panic => "panic",
            WithheldReason::Binary => "binary",
        }
    }
}

/// A record's event time, and where it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime {
    /// Milliseconds since 1970; `None` where neither field nor record has a time.
    pub ms: Option<i64>,
    pub source: TimeSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    Field,
    /// The policy's clock is the record's own time.
    Record,
    /// The field was absent or unreadable, so the record's time stands in; counted.
    FallBack,
}

impl Engine {
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, places: Option<Arc<dyn Places>>) -> Self {
        Engine { rules, places }
    }

    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Applies one stage of a policy to a record and writes the result to `out`, whose old contents
    /// go. Never panics: a panic inside is caught and the record withheld.
    pub fn apply(
        &self,
        scratch: &mut Scratch,
        policy: &Policy,
        stage: usize,
        record: &Record<'_>,
        out: &mut RecordBuf,
    ) -> Applied {
        let _ = (scratch, policy, stage, &self.places);
        out.key = record.key.map(<[u8]>::to_vec);
        out.value = record.value.map(<[u8]>::to_vec);
        out.headers = record.headers.iter().map(|(n, v)| (n.to_vec(), v.map(<[u8]>::to_vec))).collect();
        Applied::Unchanged
    }

    /// The record's event time under a clock.
    pub fn event_time(&self, scratch: &mut Scratch, clock: &Clock, record: &Record<'_>) -> EventTime {
        let _ = (scratch, clock);
        EventTime { ms: record.timestamp_ms, source: TimeSource::Record }
    }
}

//! The demo's traffic: made-up records in the order of their times, and what we keep of each for the
//! proof at the end.

use super::DAY_MS;
use super::machine::{Machine, PARTITIONS};
use crate::sample::pack::PackName;
use crate::sample::truth::Place;
use crate::sample::{Plan, Sample, SampleError, Sampler};
use crate::stage::store::StoreError;
use std::collections::BTreeSet;

/// Records in all.
const RECORDS: u64 = 4_000;

/// Days of logs that are there already when the demo begins.
const BACKLOG_DAYS: i64 = 60;

/// Values shorter than this stand in other records by chance.
const NEEDLE_BYTES: usize = 8;

/// One record that was sent.
pub struct Kept {
    pub value: Vec<u8>,
    pub partition: u32,
    /// Its offset in the source, and so in the scrubbed topic.
    pub offset: i64,
    /// When the last stage is due for it.
    pub due_ms: i64,
    /// How many classes stand in it that must go.
    pub classes: usize,
    /// What of its value must go, as it stands there.
    pub needles: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sample(#[from] SampleError),
}

pub struct Traffic {
    sampler: Sampler,
    sample: Sample,
    kept: Vec<Kept>,
    next_offset: [i64; PARTITIONS as usize],
    first_ms: i64,
    end_ms: i64,
}

impl Traffic {
    pub fn new(begin_ms: i64, end_ms: i64, seed: u64) -> Result<Self, TrafficError> {
        let first_ms = begin_ms - BACKLOG_DAYS * DAY_MS;
        let plan = Plan {
            pack: PackName::Ordinary,
            seed,
            from_ms: first_ms,
            to_ms: end_ms,
            partitions: PARTITIONS,
            single_line: true,
        };
        Ok(Traffic {
            sampler: Sampler::new(plan)?,
            sample: Sample::default(),
            kept: Vec::new(),
            next_offset: [0; PARTITIONS as usize],
            first_ms,
            end_ms,
        })
    }

    /// Every record that was sent, in the order of their times.
    pub fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// Sends what happened up to a moment.
    pub fn send_until(&mut self, machine: &mut Machine, now_ms: i64) -> Result<(), TrafficError> {
        loop {
            let number = self.kept.len() as u64;
            let event_ms = self.time_of(number);
            if number >= RECORDS || event_ms > now_ms {
                return Ok(());
            }
            self.sampler.make_at(number, event_ms, &mut self.sample)?;
            let due_ms = machine.send(&self.sample)?;
            self.keep(due_ms);
        }
    }

    /// Evenly from the first moment to the last.
    fn time_of(&self, number: u64) -> i64 {
        let span = i128::from(self.end_ms - self.first_ms);
        let into = span * i128::from(number) / i128::from(RECORDS);
        self.first_ms + i64::try_from(into).unwrap_or(0)
    }

    fn keep(&mut self, due_ms: i64) {
        let sample = &self.sample;
        let offset = usize::try_from(sample.partition).ok().and_then(|place| self.next_offset.get_mut(place));
        let Some(offset) = offset else { unreachable!("the plan has our number of partitions") };
        let in_value = || sample.truth.must_go.iter().filter(|go| go.place == Place::Value);
        let stands = |value: &&String| {
            value.len() >= NEEDLE_BYTES && memchr::memmem::find(&sample.value, value.as_bytes()).is_some()
        };
        self.kept.push(Kept {
            value: sample.value.clone(),
            partition: sample.partition,
            offset: *offset,
            due_ms,
            classes: in_value().map(|go| go.class).collect::<BTreeSet<_>>().len(),
            needles: in_value().map(|go| &go.value).filter(stands).cloned().collect(),
        });
        *offset += 1;
    }
}

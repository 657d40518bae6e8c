//! What a worker counts for whoever watches it: of committed work only, since it was last taken.

use super::outcome::Outcome;
use crate::class::Class;
use crate::engine::{Counts, WithheldReason};
use crate::finding::RuleId;
use crate::transform::Action;
use std::collections::BTreeMap;

/// Upper bounds of the buckets of [`Meter::engine_us`], in microseconds.
pub const ENGINE_US: [u64; 12] =
    [10, 20, 50, 100, 200, 500, 1000, 5000, 20_000, 100_000, 1_000_000, 10_000_000];
/// Upper bounds of the buckets of [`Meter::end_to_end_ms`], in milliseconds.
pub const END_TO_END_MS: [u64; 13] =
    [10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 15_000, 60_000, 600_000, 86_400_000];

/// A histogram: count and sum of each bucket, the last one of what lies above every bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    bounds: &'static [u64],
    rows: Vec<(u64, u64)>,
}

impl Samples {
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Samples { bounds, rows: vec![(0, 0); bounds.len() + 1] }
    }

    pub fn add(&mut self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some((count, sum)) = self.rows.get_mut(place) {
            *count += 1;
            *sum = sum.saturating_add(value);
        }
    }

    fn merge(&mut self, other: &Samples) {
        for ((count, sum), (more, more_sum)) in self.rows.iter_mut().zip(&other.rows) {
            *count += more;
            *sum = sum.saturating_add(*more_sum);
        }
    }

    /// Count and sum of each bucket that is not empty.
    pub fn rows(&self) -> impl Iterator<Item = (u64, u64)> {
        self.rows.iter().copied().filter(|(count, _)| *count > 0)
    }
}

/// Bytes of keys and values at a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    pub read: u64,
    pub written: u64,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// By the stage's number.
    pub records: BTreeMap<(usize, Outcome), u64>,
    pub bytes: BTreeMap<usize, Bytes>,
    pub findings: Vec<((usize, Class, RuleId, Action), u64)>,
    /// By [`WithheldReason::word`].
    pub quarantined: BTreeMap<&'static str, u64>,
    pub committed: u64,
    pub aborted: u64,
    /// How long the engine took for a record.
    pub engine_us: Samples,
    /// From the source's time of a record to the commit of its scrubbed copy.
    pub end_to_end_ms: Samples,
}

impl Default for Meter {
    fn default() -> Self {
        Meter {
            records: BTreeMap::new(),
            bytes: BTreeMap::new(),
            findings: Vec::new(),
            quarantined: BTreeMap::new(),
            committed: 0,
            aborted: 0,
            engine_us: Samples::new(&ENGINE_US),
            end_to_end_ms: Samples::new(&END_TO_END_MS),
        }
    }
}

impl Meter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.committed == 0 && self.aborted == 0
    }

    pub(super) fn record(&mut self, stage: usize, outcome: Outcome, count: u64) {
        *self.records.entry((stage, outcome)).or_default() += count;
    }

    pub(super) fn quarantined(&mut self, reason: WithheldReason) {
        *self.quarantined.entry(reason.word()).or_default() += 1;
    }

    pub(super) fn found(&mut self, stage: usize, counts: &Counts) {
        for (class, rule, action, count) in counts.iter() {
            let key = (stage, class, rule, action);
            match self.findings.iter_mut().find(|(known, _)| *known == key) {
                Some((_, sum)) => *sum += count,
                None => self.findings.push((key, count)),
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Meter) {
        for (key, count) in &other.records {
            *self.records.entry(*key).or_default() += count;
        }
        for (stage, more) in &other.bytes {
            let bytes = self.bytes.entry(*stage).or_default();
            bytes.read += more.read;
            bytes.written += more.written;
        }
        for (key, count) in &other.findings {
            match self.findings.iter_mut().find(|(known, _)| known == key) {
                Some((_, sum)) => *sum += count,
                None => self.findings.push((*key, *count)),
            }
        }
        for (reason, count) in &other.quarantined {
            *self.quarantined.entry(reason).or_default() += count;
        }
        self.committed += other.committed;
        self.aborted += other.aborted;
        self.engine_us.merge(&other.engine_us);
        self.end_to_end_ms.merge(&other.end_to_end_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_falls_into_the_first_bucket_that_holds_it() {
        let mut samples = Samples::new(&[10, 20]);
        for value in [0, 10, 11, 20, 21, u64::MAX] {
            samples.add(value);
        }
        assert_eq!(samples.rows().collect::<Vec<_>>(), [(2, 10), (2, 31), (2, u64::MAX)]);
    }
}

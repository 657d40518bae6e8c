//! What is done to one record at the later stages, by either worker.

use super::age::Times;
use super::cell::Level;
use super::clock::Clock;
use super::count::Counter;
use super::envelope::{self, Cover};
use super::member::Ledger;
use super::outcome::Outcome;
use super::pipeline::Pipeline;
use super::quarantine::{self, Notice};
use super::store::{Place, StoreError, Writer};
use crate::engine::{Applied, Scratch, WithheldReason};
use crate::policy::Policy;
use crate::record::{Header, Record, RecordBuf};
use std::sync::Arc;

/// Where a record stands, for notices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub topic: &'a str,
    pub place: Place,
    pub offset: i64,
}

impl<'a> Source<'a> {
    pub(super) fn notice(&self, stage: &'a str, record: &Record<'_>, reason: WithheldReason) -> Notice<'a> {
        Notice {
            stage,
            topic: self.topic,
            partition: self.place.partition,
            offset: self.offset,
            bytes: quarantine::size(record),
            reason,
        }
    }
}

/// Whether a record was in quarantine already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    New,
    Quarantined,
}

/// What lies ahead of a record that is not due for the last stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// It waits; `changed_by` is the middle stage that was due and changed it.
    Wait { until_ms: i64, changed_by: Option<usize> },
    /// A due middle stage cannot be applied: only a skeleton may go on.
    Skeleton(WithheldReason),
}

/// Buffers of a worker, kept from record to record.
pub(super) struct Desk {
    clock: Arc<dyn Clock>,
    pub scratch: Scratch,
    /// By stage, since each counts what was found.
    stages: Vec<Scratch>,
    /// For what is only tried.
    trial: Scratch,
    counter: Counter,
    pub out: RecordBuf,
    pub text: String,
    pub envelope: Vec<u8>,
    /// The held record after the middle stages; `None`: as it was.
    changed: Option<RecordBuf>,
}

impl Desk {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Desk {
            clock,
            scratch: Scratch::default(),
            stages: Vec::new(),
            trial: Scratch::default(),
            counter: Counter::default(),
            out: RecordBuf::default(),
            text: String::new(),
            envelope: Vec::new(),
            changed: None,
        }
    }

    /// Hands over what was found in committed records; call it when nothing is open.
    pub(super) fn settle(&mut self, ledger: &mut Ledger) {
        for (stage, scratch) in self.stages.iter_mut().enumerate() {
            ledger.found(stage, scratch.counts());
            scratch.counts().clear();
        }
        self.trial.counts().clear();
    }

    /// Forgets what was found in records that come again.
    pub(super) fn give_up(&mut self) {
        self.stages.iter_mut().for_each(|scratch| scratch.counts().clear());
        self.trial.counts().clear();
    }

    /// Applies a stage to a record, into `out`.
    pub(super) fn engine(
        &mut self,
        pipeline: &Pipeline,
        policy: &Policy,
        ledger: &mut Ledger,
        stage: usize,
        record: &Record<'_>,
    ) -> Applied {
        if self.stages.len() <= stage {
            self.stages.resize_with(stage + 1, Scratch::default);
        }
        let Some(scratch) = self.stages.get_mut(stage) else { unreachable!("it was made") };
        let begun_us = self.clock.ticks_us();
        let applied = pipeline.engine.apply(scratch, policy, stage, record, &mut self.out);
        ledger.meter.engine_us.add(self.clock.ticks_us().saturating_sub(begun_us));
        ledger.moved(stage, quarantine::size(record), size(&self.out));
        applied
    }

    /// The last stage: what comes out is released, and counted. The outcome says whether the engine could.
    #[expect(clippy::too_many_arguments, reason = "a record, its times, and where all of it goes")]
    pub(super) fn deidentify(
        &mut self,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
        writer: &mut impl Writer,
        source: &Source<'_>,
        record: &Record<'_>,
        times: &Times,
        known: Known,
        level: Level,
    ) -> Result<Outcome, StoreError> {
        let last = pipeline.schedule.last();
        let policy = pipeline.anonymity.as_ref().map_or(&pipeline.policy, |asked| asked.policy(level));
        match self.engine(pipeline, policy, ledger, last, record) {
            Applied::Unchanged | Applied::Changed => {
                self.count(pipeline, ledger, source, record, times);
                ledger.release(pipeline, source.place.partition, std::mem::take(&mut self.out));
                Ok(Outcome::Emitted)
            }
            Applied::Withheld(reason) => {
                self.skeleton(pipeline, ledger, source, record, reason);
                if known == Known::Quarantined {
                    return Ok(Outcome::Emitted);
                }
                ledger.notice(writer, pipeline, &source.notice(pipeline.stage_id(last), record, reason))?;
                Ok(Outcome::Quarantined)
            }
        }
    }

    /// Counts a record that leaves, in the groups of the policy's counts.
    pub(super) fn count(
        &mut self,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
        source: &Source<'_>,
        record: &Record<'_>,
        times: &Times,
    ) {
        let Some(counting) = &pipeline.counting else { return };
        let at_ms = pipeline.schedule.from_ms(pipeline.schedule.last(), times);
        counting.count(&pipeline.engine, &mut self.counter, record, at_ms, &mut |group, total| {
            ledger.add(source.place, group, total);
        });
    }

    /// Releases what may be known of a record that the engine cannot answer for, and counts it.
    pub(super) fn skeleton(
        &mut self,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
        source: &Source<'_>,
        record: &Record<'_>,
        reason: WithheldReason,
    ) {
        if let Some(counting) = &pipeline.counting {
            counting.count_withheld(record.timestamp_ms.unwrap_or(0), &mut |group, total| {
                ledger.add(source.place, group, total);
            });
        }
        let value = quarantine::skeleton(record.timestamp_ms.unwrap_or(0), reason, quarantine::size(record));
        let record = RecordBuf { value: Some(value.into_bytes()), ..RecordBuf::default() };
        ledger.release(pipeline, source.place.partition, record);
    }

    /// Applies the middle stages that are due, and says until when the record waits. A middle stage
    /// that would change nothing is not waited for. Call [`Desk::seal`] next.
    pub(super) fn prepare(
        &mut self,
        pipeline: &Pipeline,
        ledger: &mut Ledger,
        record: &Record<'_>,
        cover: &mut Cover,
        now_ms: i64,
    ) -> Ahead {
        self.changed = None;
        let schedule = &pipeline.schedule;
        let last = schedule.last();
        if cover.withheld {
            let until_ms = schedule.strictest_ms(&cover.times);
            if until_ms > now_ms {
                return Ahead::Wait { until_ms, changed_by: None };
            }
        }
        let mut changed_by = None;
        let due = |stage: usize, cover: &Cover| schedule.due_ms(stage, &cover.times) <= now_ms;
        for stage in 1..last {
            let id = pipeline.stage_id(stage);
            if !due(stage, cover) || cover.applied.iter().any(|applied| applied == id) {
                continue;
            }
            if !self.is_for(pipeline, stage, record) {
                continue;
            }
            match self.apply(pipeline, Some(ledger), stage, record) {
                Applied::Withheld(reason) => return Ahead::Skeleton(reason),
                Applied::Changed => {
                    self.changed = Some(std::mem::take(&mut self.out));
                    changed_by = Some(stage);
                }
                Applied::Unchanged => {}
            }
            cover.applied.push(id.to_owned());
        }
        // A record that was withheld and no longer is goes on like any other.
        cover.withheld = false;
        let mut until_ms = schedule.due_ms(last, &cover.times);
        for stage in 1..last {
            let due_ms = schedule.due_ms(stage, &cover.times);
            if due_ms > now_ms
                && due_ms < until_ms
                && self.apply(pipeline, None, stage, record) != Applied::Unchanged
            {
                until_ms = due_ms;
            }
        }
        Ahead::Wait { until_ms, changed_by }
    }

    /// Whether a middle stage is for the record, which its `when` says. (The first and the last stage
    /// are for every record: none may be left as it is.)
    fn is_for(&mut self, pipeline: &Pipeline, stage: usize, record: &Record<'_>) -> bool {
        let Some(when) = pipeline.policy.stages.get(stage).and_then(|stage| stage.when.as_ref()) else {
            return true;
        };
        when.holds(|field| pipeline.engine.extract(&mut self.scratch, record, field))
    }

    /// Applies a middle stage to the record as it is by now; the result is in `out`. Without a ledger it is
    /// only tried.
    fn apply(
        &mut self,
        pipeline: &Pipeline,
        ledger: Option<&mut Ledger>,
        stage: usize,
        record: &Record<'_>,
    ) -> Applied {
        let changed = self.changed.take();
        let headers = changed.as_ref().map_or_else(Vec::new, headers);
        let by_now = changed.as_ref().map_or(*record, |buf| borrowed(buf, &headers, record.timestamp_ms));
        let applied = match ledger {
            Some(ledger) => self.engine(pipeline, &pipeline.policy, ledger, stage, &by_now),
            None => pipeline.engine.apply(&mut self.trial, &pipeline.policy, stage, &by_now, &mut self.out),
        };
        self.changed = changed;
        applied
    }

    /// Writes the held form of the record, as the middle stages left it, to `envelope`.
    pub(super) fn seal(&mut self, record: &Record<'_>, cover: &Cover) {
        match &self.changed {
            None => envelope::encode(cover, record, &mut self.envelope),
            Some(changed) => {
                let headers = headers(changed);
                envelope::encode(cover, &borrowed(changed, &headers, None), &mut self.envelope);
            }
        }
    }
}

/// Bytes of key and value together.
fn size(record: &RecordBuf) -> usize {
    record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len)
}

fn headers(record: &RecordBuf) -> Vec<Header<'_>> {
    record.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect()
}

fn borrowed<'a>(record: &'a RecordBuf, headers: &'a [Header<'a>], timestamp_ms: Option<i64>) -> Record<'a> {
    Record { key: record.key.as_deref(), value: record.value.as_deref(), headers, timestamp_ms }
}

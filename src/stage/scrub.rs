//! The scrub worker: reads the source and writes, in one transaction, the scrubbed record, the held
//! original and the position. A record past its last window is only de-identified.

use super::cell::{self, Level};
use super::clock::Clock;
use super::crash::{self, CrashPoint};
use super::day_key::DayKeys;
use super::envelope::Cover;
use super::event::{self, Watch};
use super::header::{self, Origin, Stamp};
use super::member::{Ledger, Member, append_buf};
use super::meter::Meter;
use super::outcome::{Outcome, Tally};
use super::pipeline::Pipeline;
use super::quarantine;
use super::step::Step;
use super::store::{Fetched, Flow, Place, Reader as _, Session as _, SessionSpec, Store, StoreError, Writer};
use super::work::{Ahead, Desk, Known, Source};
use crate::engine::{Applied, WithheldReason};
use crate::record::{Header, Record, RecordBuf};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub struct ScrubWorker<S: Store> {
    member: Member<S>,
    pipeline: Arc<Pipeline>,
    clock: Arc<dyn Clock>,
    desk: Desk,
    watch: Watch,
    keys: DayKeys,
    /// Its number among the workers of its kind in this process.
    number: usize,
}

impl<S: Store> ScrubWorker<S> {
    /// Joins the group that reads the source. `seed` decides the order of records released in one
    /// transaction: draw it from the system's randomness.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn join(
        store: Arc<S>,
        pipeline: Arc<Pipeline>,
        clock: Arc<dyn Clock>,
        thread: usize,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let spec = SessionSpec {
            reader: pipeline.scrub_reader(),
            slot: pipeline.slot("scrub", thread),
            topics: vec![pipeline.topics.source.clone()],
        };
        let member =
            Member::join(store, &pipeline, spec, "scrub", StdRng::seed_from_u64(seed), clock.now_ms())?;
        let desk = Desk::new(clock.clone());
        let (watch, keys) = (Watch::default(), DayKeys::default());
        Ok(ScrubWorker { member, pipeline, clock, desk, watch, keys, number: thread })
    }

    /// Polls once, waiting at most so long, and commits when it is time to.
    ///
    /// # Errors
    /// What joining again mends, or leaving the process; see [`Remedy`].
    pub fn step(&mut self, wait: Duration) -> Result<Step, StoreError> {
        let now_ms = self.clock.now_ms();
        let step = self.try_step(wait, now_ms);
        self.member.end_step(&mut self.desk, step)
    }

    fn try_step(&mut self, wait: Duration, now_ms: i64) -> Result<Step, StoreError> {
        self.watch.look(self.member.store.as_ref(), &self.pipeline, now_ms)?;
        self.make_keys(now_ms)?;
        crash::reach(CrashPoint::BeforeBegin);
        let limit = self.pipeline.commit_records;
        let wait = self.member.may_wait(&self.pipeline, wait, now_ms);
        let Member { session, ledger, store, .. } = &mut self.member;
        let (reader, writer) = session.halves();
        let mut failure = None;
        let mut work = Work {
            pipeline: &self.pipeline,
            ledger,
            writer,
            desk: &mut self.desk,
            store: store.as_ref(),
            keys: &mut self.keys,
            now_ms,
        };
        let clock = &self.clock;
        let polled = reader.poll(wait, limit, &mut |fetched| {
            // The wait took time: a record that came meanwhile is none of the future.
            work.now_ms = clock.now_ms();
            match work.record(fetched) {
                Ok(()) => Flow::Next,
                Err(error) => {
                    failure = Some(error);
                    Flow::Stop
                }
            }
        });
        let (step, _) = self.member.answer(&self.pipeline, polled, failure, now_ms)?;
        // Records took time, too: a store that takes one writer at a time has every step committed.
        self.member.commit_if_due(&self.pipeline, self.clock.now_ms())?;
        Ok(step)
    }

    fn make_keys(&mut self, now_ms: i64) -> Result<(), StoreError> {
        if self.pipeline.anonymity.is_some() && self.member.ledger.is_settled() {
            self.keys.make(self.member.store.as_ref(), &self.pipeline, self.number, now_ms)?;
        }
        Ok(())
    }

    /// What was committed since the last call.
    pub fn take_meter(&mut self) -> Meter {
        if self.member.ledger.is_settled() {
            self.desk.settle(&mut self.member.ledger);
        }
        self.member.ledger.take_meter()
    }

    /// Commits what is open; call it before leaving.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn finish(&mut self) -> Result<(), StoreError> {
        self.member.commit(&self.pipeline, self.clock.now_ms())
    }

    /// Whether what was read stands at or behind these ends, markers aside.
    #[must_use]
    pub fn has_passed(&self, ends: &[(Place, i64)]) -> bool {
        self.member.has_passed(ends)
    }

    /// Whether the source was read up to these ends.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn reached(&mut self, ends: &[(Place, i64)]) -> Result<bool, StoreError> {
        self.member.reached(ends)
    }

    /// Committed totals by stage, since the counts topic began, of the partitions we own.
    #[must_use]
    pub fn tallies(&self) -> Vec<Tally> {
        self.member.tallies(self.pipeline.policy.stages.len())
    }

    /// How often a clock's field gave no believable time, since the start.
    #[must_use]
    pub fn fell_back(&self) -> u64 {
        self.member.ledger.fell_back
    }
}

/// One record's way through scrub.
struct Work<'w, W: Writer, S: Store> {
    store: &'w S,
    keys: &'w mut DayKeys,
    pipeline: &'w Pipeline,
    ledger: &'w mut Ledger,
    writer: &'w mut W,
    desk: &'w mut Desk,
    now_ms: i64,
}

impl<W: Writer, S: Store> Work<'_, W, S> {
    fn record(&mut self, fetched: &Fetched<'_>) -> Result<(), StoreError> {
        let mut headers: Vec<Header<'_>> = Vec::new();
        self.pipeline.allowed_headers(fetched.record.headers, &mut headers);
        let original = Record { headers: &headers, ..fetched.record };
        let schedule = &self.pipeline.schedule;
        // The clock may stand in any header, so it reads the record as it came.
        let (times, fell_back) =
            schedule.read(&self.pipeline.engine, &mut self.desk.scratch, &fetched.record, self.now_ms);
        self.ledger.fell_back += fell_back;
        let last = schedule.last();
        let place = fetched.place;
        let source = Source { topic: &self.pipeline.topics.source, place, offset: fetched.offset };
        if last > 0 && schedule.due_ms(last, &times) <= self.now_ms {
            let original = Record { timestamp_ms: Some(times.record_ms), ..original };
            let outcome = self.desk.deidentify(
                self.pipeline,
                self.ledger,
                self.writer,
                &source,
                &original,
                &times,
                Known::New,
                Level::Coarsest,
            )?;
            self.ledger.count(place, last, outcome);
        } else {
            self.ledger.sent(fetched.record.timestamp_ms.unwrap_or(self.now_ms));
            let event_ms = self.policy_time(&times);
            let original = Record { timestamp_ms: Some(times.record_ms), ..original };
            let withheld = self.scrub(&source, &original, event_ms)?;
            if withheld.is_none() {
                self.count_cell(place, &original, schedule.from_ms(last, &times))?;
            }
            let cover = Cover {
                times: times.clone(),
                laned_ms: self.now_ms,
                edition: self.pipeline.edition(),
                withheld: withheld.is_some(),
                applied: Vec::new(),
            };
            let held = self.hold(&source, &original, cover)?;
            let outcome = if withheld.is_some() { Outcome::Quarantined } else { held };
            self.ledger.count(place, 0, outcome);
        }
        let (writer, progress) = (&mut *self.writer, &self.pipeline.topics.progress);
        let at_ms = schedule.from_ms(last, &times);
        event::of_record(
            self.pipeline,
            &mut self.desk.scratch,
            &fetched.record,
            at_ms,
            &mut |key, value| {
                let record = Record { key: Some(key), value: Some(value), ..Record::default() };
                writer.append(progress, place.partition, &record)
            },
        )?;
        self.ledger.took(place, fetched.offset, self.now_ms);
        crash::reach(CrashPoint::AfterAppend);
        Ok(())
    }

    /// Counts what a record shows, where the policy asks that others show the same.
    fn count_cell(&mut self, place: Place, original: &Record<'_>, at_ms: i64) -> Result<(), StoreError> {
        let (pipeline, day) = (self.pipeline, cell::day_of(at_ms));
        let Some(anonymity) = &pipeline.anonymity else { return Ok(()) };
        let key = self.keys.of(self.store, pipeline, day, self.now_ms)?;
        let scratch = &mut self.desk.scratch;
        if let Some(cell) = key.and_then(|key| anonymity.cell(&pipeline.engine, scratch, original, day, key))
        {
            self.ledger.add_cell(place, cell);
        }
        Ok(())
    }

    /// What the record's age counts from under the policy's own clock.
    fn policy_time(&self, times: &super::age::Times) -> i64 {
        match &self.pipeline.policy.clock {
            crate::policy::Clock::Record => times.record_ms,
            crate::policy::Clock::Field(path) => {
                let id = super::age::clock_id(path);
                times.fields.iter().find(|(known, _)| *known == id).map_or(times.record_ms, |(_, ms)| *ms)
            }
        }
    }

    fn scrub(
        &mut self,
        source: &Source<'_>,
        original: &Record<'_>,
        event_ms: i64,
    ) -> Result<Option<WithheldReason>, StoreError> {
        let pipeline = self.pipeline;
        let desk = &mut *self.desk;
        let applied = desk.engine(pipeline, &pipeline.policy, self.ledger, 0, original);
        let digest = &pipeline.engine.rules().digest;
        let stamp = Stamp {
            policy: &pipeline.policy.id,
            stage: pipeline.stage_id(0),
            origin: Some(Origin { rules: header::short_digest(digest), event_ms }),
        };
        stamp.write(&mut desk.text);
        let ours = [(header::NAME, Some(desk.text.as_bytes()))];
        let (topic, partition) = (&pipeline.topics.scrubbed, source.place.partition);
        let reason = match append_buf(self.writer, topic, partition, &desk.out, &ours) {
            Ok(()) => match applied {
                Applied::Withheld(reason) => reason,
                Applied::Changed | Applied::Unchanged => return Ok(None),
            },
            Err(StoreError::TooLarge(_)) => {
                let value = quarantine::placeholder(WithheldReason::TooLarge, quarantine::size(original));
                let instead = RecordBuf { value: Some(value.into_bytes()), ..RecordBuf::default() };
                append_buf(self.writer, topic, partition, &instead, &ours)?;
                WithheldReason::TooLarge
            }
            Err(error) => return Err(error),
        };
        let notice = source.notice(pipeline.stage_id(0), original, reason);
        self.ledger.notice(self.writer, pipeline, &notice)?;
        Ok(Some(reason))
    }

    /// Puts the original into the lane of the stage that it waits for; nothing where nothing is held.
    fn hold(
        &mut self,
        source: &Source<'_>,
        original: &Record<'_>,
        mut cover: Cover,
    ) -> Result<Outcome, StoreError> {
        let pipeline = self.pipeline;
        let Some(lanes) = &pipeline.lanes else { return Ok(Outcome::Emitted) };
        match self.desk.prepare(pipeline, self.ledger, original, &mut cover, self.now_ms) {
            Ahead::Wait { until_ms, .. } => {
                self.desk.seal(original, &cover);
                let held = Record { value: Some(&self.desk.envelope), ..Record::default() };
                let lane = lanes.choose(until_ms.saturating_sub(self.now_ms));
                match self.writer.append(&lane.topic, source.place.partition, &held) {
                    Ok(()) => Ok(Outcome::Emitted),
                    Err(StoreError::TooLarge(_)) => {
                        self.let_go(source, original, &cover, WithheldReason::TooLarge)
                    }
                    Err(error) => Err(error),
                }
            }
            Ahead::Skeleton(reason) => self.let_go(source, original, &cover, reason),
        }
    }

    /// Releases a skeleton at once: the original cannot be held.
    fn let_go(
        &mut self,
        source: &Source<'_>,
        original: &Record<'_>,
        cover: &Cover,
        reason: WithheldReason,
    ) -> Result<Outcome, StoreError> {
        self.desk.skeleton(self.pipeline, self.ledger, source, original, reason);
        if !cover.withheld {
            let notice = source.notice(self.pipeline.stage_id(0), original, reason);
            self.ledger.notice(self.writer, self.pipeline, &notice)?;
        }
        Ok(Outcome::Quarantined)
    }
}

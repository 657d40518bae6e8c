//! The lane worker: waits for the heads of all lanes, releases what is due for the last stage, and
//! puts the rest into the lane for the time that remains.

use super::age::{Times, mark_ms};
use super::cell::{Level, day_of};
use super::clock::Clock;
use super::crash::{self, CrashPoint};
use super::day::{Days, Verdict};
use super::edition;
use super::envelope::{self, EnvelopeError, Held};
use super::event::Watch;
use super::member::{Ledger, Member};
use super::meter::Meter;
use super::outcome::{Outcome, Tally};
use super::pipeline::Pipeline;
use super::purge;
use super::quarantine;
use super::step::Step;
use super::store::{
    Fetched, Flow, Place, Reader as _, Session as _, SessionSpec, Store, StoreError, TopicSpec, Writer,
};
use super::work::{Ahead, Desk, Known, Source};
use crate::engine::WithheldReason;
use crate::record::{Header, Record};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// See the module.
pub struct LaneWorker<S: Store> {
    member: Member<S>,
    pipeline: Arc<Pipeline>,
    clock: Arc<dyn Clock>,
    desk: Desk,
    delays_ms: Vec<i64>,
    /// When the head of a paused partition is looked at again. The head itself stays in the log.
    heads: BTreeMap<Place, i64>,
    /// The clock at the last step.
    last_ms: i64,
    days: Days,
    watch: Watch,
    /// The one that heads wait under.
    edition: u32,
}

impl<S: Store> LaneWorker<S> {
    /// Joins the group that reads every lane that exists, those of an earlier policy too. The lanes
    /// of the policy must exist. `seed` as in `ScrubWorker::join`.
    ///
    /// # Errors
    /// `Refused` where records are held and the policy has no stage to release them; see [`StoreError`].
    pub fn join(
        store: Arc<S>,
        pipeline: Arc<Pipeline>,
        clock: Arc<dyn Clock>,
        thread: usize,
        seed: u64,
    ) -> Result<Self, StoreError> {
        let topics = purge::held_topics(store.as_ref(), &pipeline)?;
        let delay = |topic: &Arc<str>| {
            pipeline.topics.lane_delay(topic).and_then(|seconds| i64::try_from(seconds).ok())
        };
        let delays_ms =
            topics.iter().map(|topic| delay(topic).map_or(i64::MAX, |s| s.saturating_mul(1000))).collect();
        let spec =
            SessionSpec { reader: pipeline.lanes_reader(), slot: pipeline.slot("lanes", thread), topics };
        let member =
            Member::join(store, &pipeline, spec, "lanes", StdRng::seed_from_u64(seed), clock.now_ms())?;
        let edition = pipeline.edition();
        Ok(LaneWorker {
            member,
            pipeline,
            desk: Desk::new(clock.clone()),
            clock,
            delays_ms,
            heads: BTreeMap::new(),
            last_ms: i64::MIN,
            days: Days::default(),
            watch: Watch::default(),
            edition,
        })
    }

    /// Polls once, waiting at most so long, and commits when it is time to.
    ///
    /// # Errors
    /// What joining again mends, or leaving the process; see [`Remedy`].
    pub fn step(&mut self, wait: Duration) -> Result<Step, StoreError> {
        let now_ms = self.clock.now_ms();
        let step = self.try_step(wait, now_ms);
        if step.is_err() {
            // What waits comes again.
            self.heads.clear();
        }
        self.member.end_step(&mut self.desk, step)
    }

    fn try_step(&mut self, wait: Duration, now_ms: i64) -> Result<Step, StoreError> {
        self.watch.look(self.member.store.as_ref(), &self.pipeline, now_ms)?;
        let (store, pipeline) = (self.member.store.as_ref(), &self.pipeline);
        let begin = |key: &str, value: &[u8]| edition::begin(store, pipeline, key, value);
        if self.member.ledger.is_settled() && self.member.owns_the_first() {
            self.watch.sweep(pipeline, now_ms, begin)?;
        }
        let edition = self.pipeline.edition();
        if std::mem::replace(&mut self.edition, edition) != edition {
            // Whoever began it: every head is of an earlier one now.
            self.heads.values_mut().for_each(|at_ms| *at_ms = now_ms);
        }
        self.wake(now_ms)?;
        crash::reach(CrashPoint::BeforeBegin);
        let limit = self.pipeline.commit_records;
        let next_ms = self.heads.values().min().map_or(i64::MAX, |at_ms| at_ms.saturating_sub(now_ms));
        let until_next = Duration::from_millis(next_ms.max(0).unsigned_abs());
        let wait = self.member.may_wait(&self.pipeline, wait, now_ms).min(until_next);
        let Member { session, ledger, spec, store } = &mut self.member;
        let (reader, writer) = session.halves();
        let mut failure = None;
        let mut work = Work {
            pipeline: &self.pipeline,
            ledger,
            writer,
            desk: &mut self.desk,
            store: store.as_ref(),
            days: &mut self.days,
            topics: &spec.topics,
            delays_ms: &self.delays_ms,
            now_ms,
        };
        let heads = &mut self.heads;
        let tick_ms = self.pipeline.tick_ms;
        let polled = reader.poll(wait, limit, &mut |fetched| match work.record(fetched) {
            Ok(Turn::Taken) => Flow::Next,
            Ok(Turn::NotBefore(at_ms)) => {
                // Coarsely: each wake-up costs a fetch.
                heads.insert(fetched.place, at_ms.max(now_ms.saturating_add(tick_ms)));
                Flow::Hold
            }
            Err(error) => {
                failure = Some(error);
                Flow::Stop
            }
        });
        let (step, gone) = self.member.answer(&self.pipeline, polled, failure, now_ms)?;
        if let Some(gone) = gone {
            self.heads.retain(|place, _| !gone.places.contains(place));
        }
        self.member.commit_if_due(&self.pipeline, now_ms)?;
        Ok(step)
    }

    /// Resumes the partitions whose head may be due. A clock that went back wakes all of them, since
    /// the times they wait for were made by the clock as it was.
    fn wake(&mut self, now_ms: i64) -> Result<(), StoreError> {
        let (reader, _) = self.member.session.halves();
        let mut woken = Vec::new();
        let went_back = now_ms < self.last_ms;
        self.last_ms = now_ms;
        for (place, at_ms) in &self.heads {
            if *at_ms <= now_ms || went_back {
                reader.resume(*place)?;
                woken.push(*place);
            }
        }
        for place in woken {
            self.heads.remove(&place);
        }
        Ok(())
    }

    /// Whether every lane's head is waiting, or the lane was read to its end: `ends` are the lanes'
    /// ends by now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn all_wait(&mut self, ends: &[(Place, i64)]) -> Result<bool, StoreError> {
        let open: Vec<_> =
            ends.iter().filter(|(place, _)| !self.heads.contains_key(place)).copied().collect();
        self.member.reached(&open)
    }

    /// The topics that are read, by the index that [`Place::topic`] means.
    #[must_use]
    pub fn topics(&self) -> &[Arc<str>] {
        &self.member.spec.topics
    }

    /// How many partitions wait for their head.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.heads.len()
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

    /// Committed totals by stage, since the counts topic began, of the partitions we own.
    #[must_use]
    pub fn tallies(&self) -> Vec<Tally> {
        self.member.tallies(self.pipeline.policy.stages.len())
    }
}

/// Every topic that a pipeline needs beside its source, with the source's partitions.
#[must_use]
pub fn needed_topics(pipeline: &Pipeline, partitions: i32) -> Vec<TopicSpec> {
    let topics = &pipeline.topics;
    let plain = |name: &Arc<str>| TopicSpec { name: name.clone(), partitions, compacted: false };
    let compacted = |name: &Arc<str>| TopicSpec { compacted: true, ..plain(name) };
    let mut needed = vec![
        plain(&topics.scrubbed),
        plain(&topics.quarantine),
        compacted(&topics.counts),
        compacted(&topics.progress),
    ];
    if let Some(lanes) = &pipeline.lanes {
        needed.push(plain(&topics.deidentified));
        needed.extend(lanes.iter().map(|lane| plain(&lane.topic)));
    }
    needed
}

enum Turn {
    Taken,
    /// The head stays; look again then.
    NotBefore(i64),
}

/// One held record's way on.
struct Work<'w, W: Writer, S: Store> {
    store: &'w S,
    days: &'w mut Days,
    pipeline: &'w Pipeline,
    ledger: &'w mut Ledger,
    writer: &'w mut W,
    desk: &'w mut Desk,
    topics: &'w [Arc<str>],
    delays_ms: &'w [i64],
    now_ms: i64,
}

impl<W: Writer, S: Store> Work<'_, W, S> {
    fn record(&mut self, fetched: &Fetched<'_>) -> Result<Turn, StoreError> {
        if quarantine::is_heartbeat(&fetched.record) {
            self.ledger.took(fetched.place, fetched.offset, self.now_ms);
            return Ok(Turn::Taken);
        }
        let mut headers: Vec<Header<'_>> = Vec::new();
        let turn = match envelope::decode(fetched.record.value.unwrap_or_default(), &mut headers) {
            Ok(held) => self.held(fetched, held, &headers)?,
            Err(error @ (EnvelopeError::Version(_) | EnvelopeError::Sealed(_))) => {
                let topic = self.topic(fetched.place);
                let (partition, offset) = (fetched.place.partition, fetched.offset);
                return Err(StoreError::Refused(format!("topic `{topic}` {partition}@{offset}: {error}")));
            }
            Err(_) => self.unreadable(fetched)?,
        };
        if matches!(turn, Turn::Taken) {
            self.ledger.took(fetched.place, fetched.offset, self.now_ms);
            crash::reach(CrashPoint::AfterAppend);
        }
        Ok(turn)
    }

    fn topic(&self, place: Place) -> &str {
        self.topics.get(place.topic).map_or("", |topic| topic.as_ref())
    }

    /// When a record has waited its lane's delay. A stamp in the future is a clock's mistake: the
    /// record's way is looked at anew at once.
    fn matured_ms(&self, fetched: &Fetched<'_>, laned_ms: i64) -> i64 {
        let delay_ms = self.delays_ms.get(fetched.place.topic).copied().unwrap_or(0);
        let entered_ms = fetched.record.timestamp_ms.unwrap_or(laned_ms).min(laned_ms);
        if entered_ms > self.now_ms { self.now_ms } else { entered_ms.saturating_add(delay_ms) }
    }

    fn held(
        &mut self,
        fetched: &Fetched<'_>,
        held: Held<'_>,
        headers: &[Header<'_>],
    ) -> Result<Turn, StoreError> {
        let pipeline = self.pipeline;
        let Some(lanes) = &pipeline.lanes else {
            return Err(StoreError::Refused(format!(
                "topic `{}` holds records, and policy `{}` has no stage that releases them; use the policy they \
                 were held under",
                self.topic(fetched.place),
                pipeline.policy.id
            )));
        };
        let mut cover = held.cover;
        let record =
            Record { key: held.key, value: held.value, headers, timestamp_ms: Some(cover.times.record_ms) };
        pipeline.schedule.complete(&mut cover.times, &pipeline.engine, &mut self.desk.scratch, &record);
        let last = pipeline.schedule.last();
        let due_ms = pipeline.schedule.due_ms(last, &cover.times);
        let matured_ms = self.matured_ms(fetched, cover.laned_ms);
        let earlier = cover.edition < pipeline.edition();
        let out_ms = if earlier { self.now_ms } else { matured_ms.min(due_ms) };
        if out_ms > self.now_ms {
            return Ok(Turn::NotBefore(out_ms));
        }
        let topic: &str = self.topics.get(fetched.place.topic).map_or("", |topic| topic.as_ref());
        let source = Source { topic, place: fetched.place, offset: fetched.offset };
        if due_ms <= self.now_ms {
            let mark_ms = mark_ms(due_ms, pipeline.release_every_ms);
            if mark_ms > self.now_ms {
                return Ok(Turn::NotBefore(mark_ms));
            }
            let known = if cover.withheld { Known::Quarantined } else { Known::New };
            let level = match self.verdict(&record, &cover.times)? {
                Verdict::Release(level) => level,
                Verdict::TooFew => {
                    self.desk.count(pipeline, self.ledger, &source, &record, &cover.times);
                    self.ledger.count(fetched.place, last, Outcome::Dropped);
                    return Ok(Turn::Taken);
                }
            };
            let (ledger, writer, times) = (&mut *self.ledger, &mut *self.writer, &cover.times);
            let outcome =
                self.desk.deidentify(pipeline, ledger, writer, &source, &record, times, known, level)?;
            self.ledger.count(fetched.place, last, outcome);
            return Ok(Turn::Taken);
        }
        let was_withheld = cover.withheld;
        match self.desk.prepare(pipeline, self.ledger, &record, &mut cover, self.now_ms) {
            Ahead::Wait { until_ms, changed_by } => {
                cover.laned_ms = self.now_ms;
                cover.edition = pipeline.edition();
                self.desk.seal(&record, &cover);
                let again = Record { value: Some(&self.desk.envelope), ..Record::default() };
                let lane = lanes.choose(until_ms.saturating_sub(self.now_ms));
                match self.writer.append(&lane.topic, fetched.place.partition, &again) {
                    Ok(()) => {}
                    Err(StoreError::TooLarge(_)) => {
                        self.let_go(&source, &record, &cover, was_withheld, WithheldReason::TooLarge)?;
                        return Ok(Turn::Taken);
                    }
                    Err(error) => return Err(error),
                }
                crash::reach(CrashPoint::InRelane);
                self.ledger.count(fetched.place, changed_by.unwrap_or(last), Outcome::Relaned);
            }
            Ahead::Skeleton(reason) => self.let_go(&source, &record, &cover, was_withheld, reason)?,
        }
        Ok(Turn::Taken)
    }

    /// How much of a record may go out, by how many show the same.
    fn verdict(&mut self, record: &Record<'_>, times: &Times) -> Result<Verdict, StoreError> {
        let pipeline = self.pipeline;
        let Some(anonymity) = &pipeline.anonymity else { return Ok(Verdict::Release(Level::Coarsest)) };
        let day = day_of(pipeline.schedule.from_ms(pipeline.schedule.last(), times));
        let scratch = &mut self.desk.scratch;
        self.days.verdict(self.store, pipeline, day, self.now_ms, |key| {
            anonymity.cell(&pipeline.engine, scratch, record, day, key)
        })
    }

    /// Releases a skeleton before its time: the original cannot be held any longer.
    fn let_go(
        &mut self,
        source: &Source<'_>,
        record: &Record<'_>,
        cover: &envelope::Cover,
        was_withheld: bool,
        reason: WithheldReason,
    ) -> Result<(), StoreError> {
        let (pipeline, stage) = (self.pipeline, self.strictest_stage(cover));
        self.desk.skeleton(pipeline, self.ledger, source, record, reason);
        let outcome = if was_withheld {
            Outcome::Emitted
        } else {
            let notice = source.notice(pipeline.stage_id(stage), record, reason);
            self.ledger.notice(self.writer, pipeline, &notice)?;
            Outcome::Quarantined
        };
        self.ledger.count(source.place, stage, outcome);
        Ok(())
    }

    /// The stage whose window ends first.
    fn strictest_stage(&self, cover: &envelope::Cover) -> usize {
        let last = self.pipeline.schedule.last();
        (1..=last).min_by_key(|stage| self.pipeline.schedule.due_ms(*stage, &cover.times)).unwrap_or(last)
    }

    /// A record of a lane that is no held record of ours: it waits its lane's delay like the others,
    /// and a skeleton goes out.
    fn unreadable(&mut self, fetched: &Fetched<'_>) -> Result<Turn, StoreError> {
        let appended_ms = fetched.record.timestamp_ms.unwrap_or(self.now_ms);
        let matured_ms = self.matured_ms(fetched, appended_ms);
        if matured_ms > self.now_ms {
            return Ok(Turn::NotBefore(matured_ms));
        }
        let last = self.pipeline.schedule.last();
        let topic: &str = self.topics.get(fetched.place.topic).map_or("", |topic| topic.as_ref());
        let source = Source { topic, place: fetched.place, offset: fetched.offset };
        let reason = WithheldReason::Binary;
        self.desk.skeleton(self.pipeline, self.ledger, &source, &fetched.record, reason);
        let notice = source.notice(self.pipeline.stage_id(last), &fetched.record, reason);
        self.ledger.notice(self.writer, self.pipeline, &notice)?;
        self.ledger.count(fetched.place, last, Outcome::Quarantined);
        Ok(Turn::Taken)
    }
}

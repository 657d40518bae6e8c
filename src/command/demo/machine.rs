//! The demo's machine: the real stages over the real embedded store, and a clock that we move.

use crate::command::load::Loaded;
use crate::engine::Scratch;
use crate::record::{Header, Record};
use crate::sample::Sample;
use crate::stage::clock::{Clock as _, ManualClock};
use crate::stage::store::{Flow, Session as _, SessionSpec, Store as _, StoreError, TopicSpec, Writer as _};
use crate::stage::{LaneWorker, Pipeline, ScrubWorker, Settings, Step, needed_topics, purge};
use crate::store::embedded::{Access, Durability, Embedded, EmbeddedSession, Fault, Options};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Partitions of every topic.
pub const PARTITIONS: u32 = 4;

/// The topic that the made-up traffic goes to.
const SOURCE: &str = "ops.logs";

/// A whole pipeline on one thread.
pub struct Machine {
    pub pipeline: Arc<Pipeline>,
    clock: Arc<ManualClock>,
    store: Arc<Embedded>,
    sender: EmbeddedSession,
    scrub: ScrubWorker<Embedded>,
    lanes: LaneWorker<Embedded>,
    purged: u64,
    scratch: Scratch,
}

/// How many records are where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Put into the source.
    pub sent: u64,
    pub scrubbed: u64,
    /// What waits in each lane: its delay as people write it, longest first.
    pub lanes: Vec<(String, u64)>,
    pub deidentified: u64,
    /// Originals deleted from lanes, copies that only changed lanes included.
    pub purged: u64,
    /// Originals that the source still has.
    pub source: u64,
}

impl Counts {
    pub fn waiting(&self) -> u64 {
        self.lanes.iter().map(|(_, waiting)| waiting).sum()
    }
}

impl Machine {
    /// A store in `directory`, its clock at `now_ms`.
    pub fn new(loaded: &Loaded, directory: &Path, now_ms: i64, seed: u64) -> Result<Self, MachineError> {
        let clock = Arc::new(ManualClock::at(now_ms));
        let options = Options {
            access: Access::Service,
            durability: Durability::Process,
            clock: clock.clone(),
            fault: Fault::None,
        };
        let store = Arc::new(Embedded::open(directory, options)?);
        let settings = Settings { purge_source: true, ..Settings::of(SOURCE) };
        let pipeline = Pipeline::new((*loaded.policy).clone(), loaded.engine.clone(), settings)
            .map_err(|error| MachineError::Policy(error.to_string()))?;
        let pipeline = Arc::new(pipeline);
        let partitions = i32::try_from(PARTITIONS).unwrap_or(i32::MAX);
        let source = TopicSpec { name: pipeline.topics.source.clone(), partitions, compacted: false };
        for topic in std::iter::once(source).chain(needed_topics(&pipeline, partitions)) {
            store.ensure(&topic)?;
        }
        let spec = SessionSpec { reader: "demo".to_owned(), slot: "demo".to_owned(), topics: Vec::new() };
        let sender = store.join(&spec)?;
        let scrub = ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, seed)?;
        let lanes = LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, seed)?;
        Ok(Machine { pipeline, clock, store, sender, scrub, lanes, purged: 0, scratch: Scratch::default() })
    }

    pub fn set_clock(&self, now_ms: i64) {
        self.clock.set(now_ms);
    }

    /// Puts a record into the source; it is there after [`Machine::work`]. Says when the last stage is
    /// due for it.
    pub fn send(&mut self, sample: &Sample) -> Result<i64, StoreError> {
        let headers: Vec<Header<'_>> =
            sample.headers.iter().map(|(name, value)| (name.as_bytes(), Some(value.as_bytes()))).collect();
        let record = Record {
            key: sample.key.as_deref().map(str::as_bytes),
            value: Some(&sample.value),
            headers: &headers,
            timestamp_ms: Some(sample.timestamp_ms),
        };
        let partition = i32::try_from(sample.partition).unwrap_or(0);
        self.sender.halves().1.append(&self.pipeline.topics.source, partition, &record)?;
        let schedule = &self.pipeline.schedule;
        let (times, _) =
            schedule.read(&self.pipeline.engine, &mut self.scratch, &record, self.clock.now_ms());
        Ok(schedule.due_ms(schedule.last(), &times))
    }

    /// Everything that is to be done by the clock's time.
    pub fn work(&mut self) -> Result<(), StoreError> {
        self.sender.halves().1.commit(&[])?;
        until_idle(|| self.scrub.step(Duration::ZERO))?;
        until_idle(|| self.lanes.step(Duration::ZERO))
    }

    /// Deletes what the stages have finished with.
    pub fn purge(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.scrub.finish()?;
        self.lanes.finish()?;
        let lanes = purge::held_topics(self.store.as_ref(), &self.pipeline)?;
        let purged = purge::round(self.store.as_ref(), &self.pipeline, &lanes, now_ms)?;
        let source = &self.pipeline.topics.source;
        self.purged +=
            purged.0.iter().filter(|(topic, _)| *topic != source).map(|(_, count)| count).sum::<u64>();
        Ok(())
    }

    pub fn counts(&self) -> Result<Counts, StoreError> {
        let topics = &self.pipeline.topics;
        let source = self.store.bounds(&topics.source)?;
        let mut counts = Counts {
            sent: source.iter().map(|partition| distance(0, partition.end)).sum(),
            scrubbed: self.appended(&topics.scrubbed)?,
            deidentified: self.appended(&topics.deidentified)?,
            purged: self.purged,
            source: source.iter().map(|partition| distance(partition.log_start, partition.end)).sum(),
            lanes: Vec::new(),
        };
        for topic in purge::held_topics(self.store.as_ref(), &self.pipeline)? {
            let states = self.store.purge_states(&self.pipeline.lanes_reader(), &topic)?;
            let waiting = states
                .iter()
                .map(|state| distance(state.committed.unwrap_or(state.bounds.log_start), state.bounds.end));
            let delay = topic.strip_prefix(topics.held.as_ref()).unwrap_or_default().trim_start_matches('.');
            counts.lanes.push((delay.to_owned(), waiting.sum()));
        }
        Ok(counts)
    }

    fn appended(&self, topic: &str) -> Result<u64, StoreError> {
        Ok(self.store.bounds(topic)?.iter().map(|partition| distance(0, partition.end)).sum())
    }

    /// The scrubbed form of the source's record at that place: scrubbed keeps partition and order.
    pub fn scrubbed_at(&self, partition: u32, offset: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let mut found = None;
        self.scan(&self.pipeline.topics.scrubbed, partition, offset, &mut |at, value| {
            found = (at == offset).then(|| value.to_vec());
            Flow::Stop
        })?;
        Ok(found)
    }

    /// Whether a partition's de-identified records hold exactly this value.
    pub fn deidentified_holds(&self, value: &[u8]) -> Result<bool, StoreError> {
        let mut found = false;
        for partition in 0..PARTITIONS {
            self.scan(&self.pipeline.topics.deidentified, partition, 0, &mut |_, seen| {
                found |= seen == value;
                if found { Flow::Stop } else { Flow::Next }
            })?;
        }
        Ok(found)
    }

    /// Every value in the two topics that people may read.
    pub fn outputs(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let topics = &self.pipeline.topics;
        let mut values = Vec::new();
        for topic in [&topics.scrubbed, &topics.deidentified] {
            for partition in 0..PARTITIONS {
                self.scan(topic, partition, 0, &mut |_, value| {
                    values.push(value.to_vec());
                    Flow::Next
                })?;
            }
        }
        Ok(values)
    }

    fn scan(
        &self,
        topic: &str,
        partition: u32,
        from: i64,
        visit: &mut dyn FnMut(i64, &[u8]) -> Flow,
    ) -> Result<(), StoreError> {
        let partition = i32::try_from(partition).unwrap_or(0);
        self.store.scan(topic, partition, from, &mut |fetched| {
            visit(fetched.offset, fetched.record.value.unwrap_or_default())
        })?;
        Ok(())
    }
}

/// Steps until a worker has nothing left; the first steps report only what it was assigned.
fn until_idle(mut step: impl FnMut() -> Result<Step, StoreError>) -> Result<(), StoreError> {
    let mut idle = 0;
    while idle < 2 {
        match step()? {
            Step::Worked(_) | Step::GaveUp(_) => idle = 0,
            Step::Idle => idle += 1,
        }
    }
    Ok(())
}

/// Offsets have no gaps in the embedded store, so a distance is a count.
fn distance(from: i64, to: i64) -> u64 {
    u64::try_from(to.saturating_sub(from)).unwrap_or(0)
}

#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The policy cannot run as it is.
    #[error("{0}")]
    Policy(String),
}

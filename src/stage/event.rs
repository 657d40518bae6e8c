//! Events that end windows sooner: an account is closed, a line is released. Once such a record was scrubbed, everything
//! that is held under the same value of a field is due `after` the event at the latest.
//!
//! Scrub writes a *mark* of what it saw to the progress topic, in the transaction of the record: under
//! `event/<source>/<event>/<value>/<interval>` the time, the value as [`account_id`] names it. Every worker looks for what
//! is new each [`LOOK_MS`]. Records that are held already may stand behind a head that is due much later: the lane
//! worker of the first lane's first partition then begins a new [edition](super::edition), of which the others read, so
//! that each held record is taken up anew, which costs one copy of it. It does so [`SWEEP_MS`] after the last time at
//! the soonest, and says in the progress topic up to where it
//! knew the marks, so that none is forgotten by a restart. Where windows are shorter than a day, both are a part of the
//! shortest. A mark goes when no window depends on it any more ([`EventEnd`](super::EventEnd)).

use super::age::{account_id, event_id};
use super::cell::DAY_MS;
use super::clock::Last;
use super::edition;
use super::pipeline::Pipeline;
use super::store::{Flow, Remedy, Store, StoreError};
use crate::engine::Scratch;
use crate::policy::{Policy, Windows, milliseconds};
use crate::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often workers look for events that others saw.
pub const LOOK_MS: i64 = 600_000;
/// How long a new event waits for the others of its half day before held records are taken up anew.
pub const SWEEP_MS: i64 = 12 * 3_600_000;

/// How often a worker looks for events, and takes held records up anew, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub look_ms: i64,
    pub sweep_ms: i64,
}

impl Pace {
    pub(super) fn of(policy: &Policy, windows: &Windows) -> Self {
        let events = policy.events.iter().map(|event| milliseconds(event.after));
        match events.chain(windows.shortest_last_ms()).min().filter(|shortest_ms| *shortest_ms < DAY_MS) {
            Some(shortest_ms) => {
                Pace { look_ms: LOOK_MS.min(shortest_ms / 8), sweep_ms: SWEEP_MS.min(shortest_ms / 4) }
            }
            None => Pace { look_ms: LOOK_MS, sweep_ms: SWEEP_MS },
        }
    }
}

/// What a mark's key says: the event's and the value's names, and the interval of [`LOOK_MS`] that the event is of. Of one
/// interval the last mark holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    event: u32,
    of: i64,
    interval: i64,
}

impl Mark {
    /// `name` is the key behind the prefix. Marks of an earlier build have no interval.
    pub(super) fn read(name: &str) -> Option<Self> {
        let mut parts = name.split('/');
        let (event, of) = (event_id(parts.next()?), u64::from_str_radix(parts.next()?, 16).ok()?);
        let interval = parts.next().map_or(Some(0), |interval| interval.parse().ok())?;
        parts.next().is_none().then_some(Mark { event, of: of.cast_signed(), interval })
    }

    pub(super) fn event(&self) -> u32 {
        self.event
    }

    /// All marks of one event of one value.
    pub(super) fn all_of(event: u32, of: i64) -> std::ops::RangeInclusive<Self> {
        Mark { event, of, interval: i64::MIN }..=Mark { event, of, interval: i64::MAX }
    }
}

/// Times of events in milliseconds.
pub type Seen = BTreeMap<Mark, i64>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    /// Version, 1.
    v: u32,
    pub ms: i64,
}

impl Stored {
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Stored>(json).ok().filter(|stored| stored.v == 1)
    }
}

/// Up to where the marks were known when held records were last taken up anew.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Swept {
    /// Version, 2.
    v: u32,
    /// By partition of the progress topic.
    next: BTreeMap<i32, i64>,
}

pub(super) fn prefix(pipeline: &Pipeline) -> String {
    format!("event/{}/", pipeline.topics.source)
}

fn swept_key(pipeline: &Pipeline) -> String {
    format!("swept/{}", pipeline.topics.source)
}

/// Takes the key and the value of a progress record.
pub type Write<'w> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'w;

/// Calls `write` with key and value of each event that a record is.
///
/// # Errors
/// What `write` says.
pub fn of_record(
    pipeline: &Pipeline,
    scratch: &mut Scratch,
    record: &Record<'_>,
    at_ms: i64,
    write: &mut Write<'_>,
) -> Result<(), StoreError> {
    for event in &pipeline.policy.events {
        let engine = &pipeline.engine;
        if !event.when.holds(|field| engine.extract(scratch, record, field)) {
            continue;
        }
        let Some(value) = engine.extract(scratch, record, &event.by) else { continue };
        let interval = at_ms.div_euclid(pipeline.pace.look_ms.max(1));
        let key = format!("{}{}/{:016x}/{interval}", prefix(pipeline), event.id, account_id(value));
        let value = serde_json::to_vec(&Stored { v: 1, ms: at_ms })
            .map_err(|_| StoreError::Bug("an event cannot be written".into()))?;
        write(key.as_bytes(), &value)?;
    }
    Ok(())
}

/// What a worker knows of the events.
#[derive(Default)]
pub struct Watch {
    /// Where to read on, by partition.
    next: BTreeMap<i32, i64>,
    looked: Last,
    /// Behind the last mark of each partition.
    marks: BTreeMap<i32, i64>,
    /// As [`Swept`] has it.
    known: BTreeMap<i32, i64>,
    swept: Last,
}

impl Watch {
    /// Reads what is new, if it is time to, and lets the pipeline's schedule know. What cannot be read now is read the
    /// next time, but for the first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn look<S: Store>(&mut self, store: &S, pipeline: &Pipeline, now_ms: i64) -> Result<(), StoreError> {
        if pipeline.policy.events.is_empty() {
            return Ok(());
        }
        let Pace { look_ms, .. } = pipeline.pace;
        if !self.looked.is_over(look_ms, now_ms) {
            return Ok(());
        }
        let first = self.looked.is_never();
        match self.read(store, pipeline).map_err(StoreError::of_a_look) {
            Err(error) if !first && matches!(error.remedy(), Remedy::Retry | Remedy::Abort) => {}
            done => done?,
        }
        self.looked.was(now_ms);
        Ok(())
    }

    fn read<S: Store>(&mut self, store: &S, pipeline: &Pipeline) -> Result<(), StoreError> {
        let topic = &pipeline.topics.progress;
        let from =
            |partition: i32, log_start: i64| self.next.get(&partition).copied().unwrap_or(0).max(log_start);
        let starts: Vec<(i32, i64)> = store
            .bounds(topic)?
            .iter()
            .map(|bounds| (bounds.partition, from(bounds.partition, bounds.log_start)))
            .collect();
        let (prefix, swept_key, edition_key) =
            (prefix(pipeline), swept_key(pipeline), edition::key(pipeline));
        let mut begun = None;
        let (mut found, mut swept) = (Vec::new(), None);
        let marks = &mut self.marks;
        let ends = store.scan_each(topic, &starts, &mut |fetched| {
            let key = fetched.record.key.and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
            if let Some(mark) = key.strip_prefix(prefix.as_str()).and_then(Mark::read) {
                let stored = fetched.record.value.and_then(Stored::read);
                if stored.is_some() {
                    marks.insert(fetched.place.partition, fetched.offset + 1);
                }
                found.push((mark, stored.map(|stored| stored.ms)));
            } else if key == swept_key {
                swept = serde_json::from_slice::<Swept>(fetched.record.value.unwrap_or_default()).ok();
            } else if key == edition_key {
                begun = begun.max(fetched.record.value.and_then(|json| edition::begun(pipeline, json)));
            }
            Flow::Next
        })?;
        self.next = starts.iter().map(|(partition, _)| *partition).zip(ends).collect();
        if let Some(Swept { v: 2, next }) = swept {
            self.known = next;
        }
        pipeline.schedule.saw(found);
        // Known before it is in force: what is taken up anew is judged by the marks.
        if let Some(edition) = begun {
            pipeline.raise_edition(edition);
        }
        Ok(())
    }

    /// Takes held records up anew, if there are events that they do not know: `begin` begins the new edition, and
    /// writes what it is given with it. One worker of all is to do it.
    ///
    /// # Errors
    /// What `begin` says; it is tried again.
    pub fn sweep(
        &mut self,
        pipeline: &Pipeline,
        now_ms: i64,
        begin: impl FnOnce(&str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let is_new = |(partition, next): (&i32, &i64)| self.known.get(partition) < Some(next);
        let Pace { sweep_ms, .. } = pipeline.pace;
        if !self.marks.iter().any(is_new) || !self.swept.is_over(sweep_ms, now_ms) {
            return Ok(());
        }
        let value = serde_json::to_vec(&Swept { v: 2, next: self.marks.clone() })
            .map_err(|_| StoreError::Bug("the place of the marks cannot be written".into()))?;
        begin(&swept_key(pipeline), &value).map_err(StoreError::of_a_look)?;
        self.known.clone_from(&self.marks);
        self.swept.was(now_ms);
        Ok(())
    }
}

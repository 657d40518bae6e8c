//! Events that end windows sooner: an account is closed, a line is released. Once such a record was scrubbed, everything
//! that is held under the same value of a field is due `after` the event at the latest.
//!
//! Scrub writes what it saw to the progress topic, in the transaction of the record: under `event/<source>/<event>/<value>`
//! the time, the value as [`account_id`] names it. Every worker looks for what is new each [`LOOK_MS`]. Records that
//! are held already may stand behind a head that is due much later: the lane worker then begins a new
//! [edition](super::edition), so that each held record is taken up anew, which costs one copy of it. It does so
//! [`SWEEP_MS`] after the last time at the soonest, and says in the progress topic how many events it knew, so
//! that none is forgotten by a restart. Where windows are shorter than a day, both are a part of the shortest.

use super::age::{account_id, event_id};
use super::cell::DAY_MS;
use super::pipeline::Pipeline;
use super::store::{Flow, Store, StoreError};
use crate::engine::Scratch;
use crate::policy::{Period, Policy};
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
    look_ms: i64,
    sweep_ms: i64,
}

impl Pace {
    /// `window_ms` is the policy's last.
    pub(super) fn of(policy: &Policy, window_ms: Option<i64>) -> Self {
        let seconds = |after: Period| i64::try_from(after.shortest_seconds()).unwrap_or(i64::MAX / 1000);
        let events = policy.events.iter().map(|event| seconds(event.after).saturating_mul(1000));
        match events.chain(window_ms).min().filter(|shortest_ms| *shortest_ms < DAY_MS) {
            Some(shortest_ms) => {
                Pace { look_ms: LOOK_MS.min(shortest_ms / 8), sweep_ms: SWEEP_MS.min(shortest_ms / 4) }
            }
            None => Pace { look_ms: LOOK_MS, sweep_ms: SWEEP_MS },
        }
    }
}

/// Times of events in milliseconds, by the event's and the value's names.
pub type Seen = BTreeMap<(u32, i64), i64>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Version, 1.
    v: u32,
    ms: i64,
}

/// How many events were known when held records were last taken up anew.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Swept {
    /// Version, 1.
    v: u32,
    events: usize,
}

fn prefix(pipeline: &Pipeline) -> String {
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
        let key = format!("{}{}/{:016x}", prefix(pipeline), event.id, account_id(value));
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
    looked_ms: Option<i64>,
    swept: usize,
    swept_ms: Option<i64>,
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
        if self.looked_ms.is_some_and(|looked| now_ms.saturating_sub(looked).abs() < look_ms) {
            return Ok(());
        }
        let first = self.looked_ms.is_none();
        match self.read(store, pipeline).map_err(StoreError::of_a_look) {
            Err(StoreError::Void(_)) if !first => {}
            done => done?,
        }
        self.looked_ms = Some(now_ms);
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
        let (prefix, swept_key) = (prefix(pipeline), swept_key(pipeline));
        let (mut found, mut swept) = (Seen::new(), None);
        let ends = store.scan_each(topic, &starts, &mut |fetched| {
            let key = fetched.record.key.and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
            let value = fetched.record.value.unwrap_or_default();
            if let Some((event, of)) = key.strip_prefix(prefix.as_str()).and_then(|rest| rest.split_once('/'))
            {
                let of = u64::from_str_radix(of, 16).ok().map(u64::cast_signed);
                if let (Some(of), Ok(stored)) = (of, serde_json::from_slice::<Stored>(value)) {
                    found.insert((event_id(event), of), stored.ms);
                }
            } else if key == swept_key {
                swept = serde_json::from_slice::<Swept>(value).ok();
            }
            Flow::Next
        })?;
        self.next = starts.iter().map(|(partition, _)| *partition).zip(ends).collect();
        self.swept = swept.map_or(self.swept, |swept| swept.events.max(self.swept));
        pipeline.schedule.saw(found);
        Ok(())
    }

    /// Takes held records up anew, if there are events that they do not know: `begin` begins the new edition, and
    /// writes what it is given with it. `true` if it did.
    ///
    /// # Errors
    /// What `begin` says; it is tried again.
    pub fn sweep(
        &mut self,
        pipeline: &Pipeline,
        now_ms: i64,
        begin: impl FnOnce(&str, &[u8]) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let events = pipeline.schedule.seen();
        if events <= self.swept {
            return Ok(false);
        }
        let Pace { sweep_ms, .. } = pipeline.pace;
        if self.swept_ms.is_some_and(|swept| now_ms.saturating_sub(swept).abs() < sweep_ms) {
            return Ok(false);
        }
        let value = serde_json::to_vec(&Swept { v: 1, events })
            .map_err(|_| StoreError::Bug("the number of events cannot be written".into()))?;
        begin(&swept_key(pipeline), &value).map_err(StoreError::of_a_look)?;
        (self.swept, self.swept_ms) = (events, Some(now_ms));
        Ok(true)
    }
}

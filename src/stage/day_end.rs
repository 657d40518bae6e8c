//! The end of days: when nothing of a day is held any more, its key and its cells go.
//!
//! A day is *over* when the last of its records is due under the windows in force, and nothing that waits in a lane can
//! be one of them: a record is taken out of its lane no later than the shortest lane's delay after it is due, and the
//! heads are the next ones out. So an outage keeps the day, and so do longer windows; what arrives later is overdue on
//! arrival. The key goes in the same transaction as the first of the cells, and cells of a closed day without a key go
//! too: a kill in between is made good by the next look. Several processes may do so at once, since to delete twice is
//! to delete. Whatever is released of a day that was ended too early leaves in the coarsest form.

use super::cell;
use super::day;
use super::day_key;
use super::envelope::{self, EnvelopeError};
use super::pipeline::Pipeline;
use super::quarantine::is_heartbeat;
use super::store::{Fetched, Flow, Session as _, SessionSpec, Store, StoreError, Writer as _};
use crate::record::{Header, Record};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often it is looked for days that are over.
const LOOK_MS: i64 = 3_600_000;
/// How many deletions are one transaction.
const AT_ONCE: usize = 10_000;

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The days whose key was destroyed.
    pub days: BTreeSet<i64>,
    pub cells: usize,
}

/// Looks now and then for days that are over.
#[derive(Default)]
pub struct DayEnd {
    looked_ms: Option<i64>,
}

impl DayEnd {
    /// Ends the days that are over, if it is time to look. `lanes` are the [`held_topics`](super::purge::held_topics).
    ///
    /// # Errors
    /// See [`StoreError`]; the next call goes on.
    pub fn look<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        lanes: &[Arc<str>],
        now_ms: i64,
    ) -> Result<Ended, StoreError> {
        // Without `k` there is nothing new after the first look.
        let again = self.looked_ms.map(|looked| now_ms.saturating_sub(looked).abs() >= LOOK_MS);
        if again.is_some_and(|again| !again || pipeline.anonymity.is_none()) {
            return Ok(Ended::default());
        }
        let mut keys = day_key::read(store, pipeline)?;
        let over = over(store, pipeline, lanes, keys.keys().copied(), now_ms)?;
        let mut ended = Ended { days: over, cells: 0 };
        let gone =
            |day: i64| ended.days.contains(&day) || cell::is_closed(day, now_ms) && !keys.contains_key(&day);
        let cells = match again.is_none() || !ended.days.is_empty() {
            true => day::counted(store, pipeline, gone)?,
            false => return self.looked(now_ms, ended),
        };
        ended.cells = cells.len();
        let names = ended.days.iter().filter_map(|day| keys.remove(day)).flat_map(|entry| entry.names);
        let (progress, counts) = (&pipeline.topics.progress, &pipeline.topics.counts);
        let of_keys = names.map(|name| (progress, 0, name.into_bytes()));
        let of_cells = cells.into_keys().map(|(partition, key)| (counts, partition, key));
        delete(store, pipeline, of_keys.chain(of_cells))?;
        self.looked(now_ms, ended)
    }

    fn looked(&mut self, now_ms: i64, ended: Ended) -> Result<Ended, StoreError> {
        self.looked_ms = Some(now_ms);
        Ok(ended)
    }
}

/// Those of the days that are over.
fn over<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    lanes: &[Arc<str>],
    days: impl Iterator<Item = i64>,
    now_ms: i64,
) -> Result<BTreeSet<i64>, StoreError> {
    if pipeline.anonymity.is_none() {
        return Ok(days.collect());
    }
    let due_ms = |day: i64| pipeline.schedule.latest_due_ms(cell::ends_ms(day));
    let mut over: BTreeSet<i64> =
        days.filter(|day| cell::is_closed(*day, now_ms) && due_ms(*day) <= now_ms).collect();
    if !over.is_empty() {
        let next_ms = next_out_ms(store, pipeline, lanes)?;
        over.retain(|day| due_ms(*day).saturating_add(pipeline.release_slack_ms()) < next_ms);
    }
    Ok(over)
}

/// When the first record that waits in a lane is taken out; in the past where that cannot be told.
fn next_out_ms<S: Store>(store: &S, pipeline: &Pipeline, lanes: &[Arc<str>]) -> Result<i64, StoreError> {
    let mut next_ms = i64::MAX;
    for (topic, states) in lanes.iter().zip(store.purge_states_of(&pipeline.lanes_reader(), lanes)?) {
        let delay_ms = pipeline.topics.lane_delay(topic).and_then(|seconds| i64::try_from(seconds).ok());
        let delay_ms = delay_ms.map_or(i64::MAX, |seconds| seconds.saturating_mul(1000));
        let from = |committed: Option<i64>, log_start: i64| committed.unwrap_or(log_start).max(log_start);
        let heads: Vec<(i32, i64)> = states
            .iter()
            .filter(|state| state.data_waits)
            .map(|state| (state.bounds.partition, from(state.committed, state.bounds.log_start)))
            .collect();
        store.scan_each(topic, &heads, &mut |fetched| {
            if is_heartbeat(&fetched.record) {
                return Flow::Next;
            }
            next_ms = next_ms.min(out_ms(pipeline, fetched, delay_ms));
            Flow::Stop
        })?;
    }
    Ok(next_ms)
}

fn out_ms(pipeline: &Pipeline, fetched: &Fetched<'_>, delay_ms: i64) -> i64 {
    let mut headers: Vec<Header<'_>> = Vec::new();
    let appended_ms = fetched.record.timestamp_ms;
    let entered_ms = match envelope::decode(fetched.record.value.unwrap_or_default(), &mut headers) {
        // It is taken up anew, whatever its lane says.
        Ok(held) if held.cover.edition < pipeline.edition() => return i64::MIN,
        Ok(held) => appended_ms.unwrap_or(i64::MAX).min(held.cover.laned_ms),
        Err(EnvelopeError::Version(_) | EnvelopeError::Sealed(_)) => return i64::MIN,
        Err(_) => appended_ms.unwrap_or(i64::MIN),
    };
    entered_ms.saturating_add(delay_ms)
}

/// Deletes keys of compacted topics: topic, partition, key.
fn delete<'t, S: Store>(
    store: &S,
    pipeline: &Pipeline,
    keys: impl Iterator<Item = (&'t Arc<str>, i32, Vec<u8>)>,
) -> Result<(), StoreError> {
    let mut keys = keys.peekable();
    if keys.peek().is_none() {
        return Ok(());
    }
    let source = &pipeline.topics.source;
    let spec = SessionSpec {
        reader: format!("logscrub.{source}.day_end"),
        slot: format!("{}.{source}.day_end", pipeline.instance),
        topics: Vec::new(),
    };
    let mut session = store.join_as(&spec, &pipeline.delivery)?;
    let (_, writer) = session.halves();
    while keys.peek().is_some() {
        for (topic, partition, key) in keys.by_ref().take(AT_ONCE) {
            writer.append(topic, partition, &Record { key: Some(&key), ..Record::default() })?;
        }
        writer.commit(&[])?;
    }
    Ok(())
}

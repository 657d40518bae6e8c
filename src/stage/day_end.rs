//! The end of days: when nothing of a day is held any more, its key and its cells go.
//!
//! A day is over when nothing of it is held any more ([`Horizon`]). The key goes in the same transaction as the first
//! of the cells, and cells of a closed day without a key go too: a kill in between is made good by the next look.
//! Several processes may do so at once, since to delete twice is to delete. Whatever is released of a day that was
//! ended too early leaves in the coarsest form.

use super::cell;
use super::clock::Last;
use super::day;
use super::day_key;
use super::horizon::Horizon;
use super::pipeline::Pipeline;
use super::progress;
use super::store::{Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How often it is looked for days that are over.
const LOOK_MS: i64 = 3_600_000;

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
    looked: Last,
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
        let first = self.looked.is_never();
        if !self.looked.is_over(LOOK_MS, now_ms) || !first && pipeline.anonymity.is_none() {
            return Ok(Ended::default());
        }
        let mut keys = day_key::read(store, pipeline)?;
        let over = over(store, pipeline, lanes, keys.keys().copied(), now_ms)?;
        let mut ended = Ended { days: over, cells: 0 };
        let gone =
            |day: i64| ended.days.contains(&day) || cell::is_closed(day, now_ms) && !keys.contains_key(&day);
        let cells = match first || !ended.days.is_empty() {
            true => day::counted(store, pipeline, gone)?,
            false => return self.looked(now_ms, ended),
        };
        ended.cells = cells.len();
        let names = ended.days.iter().filter_map(|day| keys.remove(day)).flat_map(|entry| entry.names);
        let (progress, counts) = (&pipeline.topics.progress, &pipeline.topics.counts);
        let of_keys = names.map(|name| (progress, 0, name.into_bytes()));
        let of_cells = cells.into_keys().map(|(partition, key)| (counts, partition, key));
        progress::delete(store, pipeline, "day_end", of_keys.chain(of_cells))?;
        self.looked(now_ms, ended)
    }

    fn looked(&mut self, now_ms: i64, ended: Ended) -> Result<Ended, StoreError> {
        self.looked.was(now_ms);
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
    let mut over: BTreeSet<i64> = days.filter(|day| cell::is_closed(*day, now_ms)).collect();
    if !over.is_empty() {
        let horizon = Horizon::look(store, pipeline, lanes, now_ms)?;
        over.retain(|day| horizon.has_passed(pipeline, cell::ends_ms(*day)));
    }
    Ok(over)
}

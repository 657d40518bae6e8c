//! The purge planner: what may be deleted now, from positions read back from the log's keeper.

use super::header::{self, Stamp};
use super::pipeline::Pipeline;
use super::store::{Cut, Flow, PurgeState, Store, StoreError};
use crate::record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is to be done about one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    pub partition: i32,
    /// Delete what stands below.
    pub up_to: Option<i64>,
    /// Roll the segment, so that what was deleted leaves the disk.
    pub roll: bool,
}

/// Plans one topic. `groups` are the states as each group that must have seen a record has them: a
/// partition is purged up to the least of their positions, and not at all while one has none.
#[must_use]
pub fn plan(groups: &[Vec<PurgeState>]) -> Vec<Deed> {
    let Some((ours, others)) = groups.split_first() else { return Vec::new() };
    let mut deeds = Vec::new();
    for state in ours {
        let partition = state.bounds.partition;
        let of = |group: &Vec<PurgeState>| {
            group.iter().find(|other| other.bounds.partition == partition).and_then(|other| other.committed)
        };
        let least =
            others.iter().map(of).fold(state.committed, |least, next| least.zip(next).map(|(a, b)| a.min(b)));
        // Never beyond the end: a position can be stale, after a topic was made anew.
        let up_to =
            least.map(|next| next.min(state.bounds.end)).filter(|next| *next > state.bounds.log_start);
        let roll = state.unrolled && !state.data_waits;
        if up_to.is_some() || roll {
            deeds.push(Deed { partition, up_to, roll });
        }
    }
    deeds
}

/// How many records a round deleted, by topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purged(pub BTreeMap<Arc<str>, u64>);

/// Deletes what the pipeline has finished: behind the lane reader in every lane, behind scrub in the
/// source where the config says so, and in the scrubbed topic what has outlived its time where the
/// log does not do that by itself. `lanes` are the [`held_topics`]. Called every `purge_interval`; never in the
/// way of anything else.
///
/// # Errors
/// See [`StoreError`]; what was deleted before the error is deleted.
pub fn round<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    lanes: &[Arc<str>],
    now_ms: i64,
) -> Result<Purged, StoreError> {
    let mut deeds = Deeds::default();
    if pipeline.purge_source {
        let source = &pipeline.topics.source;
        let mut ours = store.purge_states(&pipeline.scrub_reader(), source)?;
        // Nothing of ours is written to the source, heartbeats neither: its own traffic rolls it.
        ours.iter_mut().for_each(|state| state.unrolled = false);
        let mut groups = vec![ours];
        for group in &pipeline.purge_after_groups {
            groups.push(store.purge_states(group, source)?);
        }
        deeds.add(source, &groups);
    }
    for (topic, states) in lanes.iter().zip(store.purge_states_of(&pipeline.lanes_reader(), lanes)?) {
        deeds.add(topic, &[states]);
    }
    let mut purged = Purged::default();
    deeds.carry_out(store, &mut purged)?;
    if let Some(keep_ms) = pipeline.scrubbed_keep_ms {
        expire(store, &pipeline.topics.scrubbed, now_ms.saturating_sub(keep_ms), &mut purged)?;
    }
    store.purged()?;
    Ok(purged)
}

/// The lanes that exist, those of an earlier policy too, longest first.
///
/// # Errors
/// See [`StoreError`].
pub fn held_topics<S: Store>(store: &S, pipeline: &Pipeline) -> Result<Vec<Arc<str>>, StoreError> {
    let mut lanes: Vec<(u64, Arc<str>)> = store
        .topics()?
        .into_iter()
        .filter_map(|spec| pipeline.topics.lane_delay(&spec.name).map(|delay| (delay, spec.name)))
        .collect();
    lanes.sort_by(|a, b| b.cmp(a));
    Ok(lanes.into_iter().map(|(_, name)| name).collect())
}

/// What a round does, over all topics.
#[derive(Default)]
struct Deeds {
    cuts: Vec<Cut>,
    /// Where the log of each cut's partition starts before it.
    starts: Vec<i64>,
    rolls: BTreeMap<Arc<str>, Vec<i32>>,
}

impl Deeds {
    fn add(&mut self, topic: &Arc<str>, groups: &[Vec<PurgeState>]) {
        for Deed { partition, up_to, roll } in plan(groups) {
            let state = groups.iter().flatten().find(|state| state.bounds.partition == partition);
            if let (Some(up_to), Some(state)) = (up_to, state) {
                self.cuts.push(Cut { topic: topic.clone(), partition, up_to });
                self.starts.push(state.bounds.log_start);
            }
            if roll {
                self.rolls.entry(topic.clone()).or_default().push(partition);
            }
        }
    }

    /// One partition that cannot be purged keeps no other from it.
    fn carry_out<S: Store>(&self, store: &S, purged: &mut Purged) -> Result<(), StoreError> {
        let mut failure = Ok(());
        if !self.cuts.is_empty() {
            let answers = store.purge_each(&self.cuts)?;
            for ((cut, before), answer) in self.cuts.iter().zip(&self.starts).zip(answers) {
                match answer {
                    Ok(start) => {
                        let gone = start.saturating_sub(*before).max(0).unsigned_abs();
                        *purged.0.entry(cut.topic.clone()).or_default() += gone;
                    }
                    Err(error) => failure = failure.and(Err(error)),
                }
            }
        }
        for (topic, partitions) in &self.rolls {
            failure = failure.and(store.roll(topic, partitions));
        }
        failure
    }
}

/// Deletes scrubbed records from before a moment, by their own time or the log's stamp, whichever is earlier. One that is
/// younger keeps those behind it, until its own time.
fn expire<S: Store>(
    store: &S,
    topic: &Arc<str>,
    before_ms: i64,
    purged: &mut Purged,
) -> Result<(), StoreError> {
    for bounds in store.bounds(topic)? {
        let mut up_to = bounds.log_start;
        store.scan(topic, bounds.partition, bounds.log_start, &mut |fetched| {
            if since_ms(&fetched.record).is_none_or(|ms| ms >= before_ms) {
                return Flow::Hold;
            }
            up_to = fetched.offset + 1;
            Flow::Next
        })?;
        if up_to > bounds.log_start {
            let start = store.purge(topic, bounds.partition, up_to)?;
            *purged.0.entry(topic.clone()).or_default() += (start - bounds.log_start).max(0).unsigned_abs();
        }
    }
    Ok(())
}

fn since_ms(record: &Record<'_>) -> Option<i64> {
    let ours = record.headers.iter().find(|(name, _)| *name == header::NAME).and_then(|(_, value)| *value);
    let stamp = ours.and_then(|text| std::str::from_utf8(text).ok()).and_then(Stamp::read);
    let event_ms = stamp.and_then(|stamp| stamp.origin).map_or(i64::MAX, |origin| origin.event_ms);
    record.timestamp_ms.map(|ms| ms.min(event_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::store::Bounds;

    fn state(log_start: i64, end: i64, committed: Option<i64>) -> PurgeState {
        let bounds = Bounds { partition: 0, log_start, end };
        PurgeState { bounds, committed, data_waits: committed.unwrap_or(log_start) < end, unrolled: false }
    }

    fn up_to(groups: &[PurgeState]) -> Option<i64> {
        let groups: Vec<_> = groups.iter().map(|state| vec![*state]).collect();
        plan(&groups).first().and_then(|deed| deed.up_to)
    }

    #[test]
    fn up_to_the_least_position_and_never_beyond() {
        assert_eq!(up_to(&[state(0, 10, Some(4))]), Some(4));
        assert_eq!(up_to(&[state(4, 10, Some(4))]), None, "nothing to do");
        assert_eq!(up_to(&[state(0, 10, None)]), None, "never committed");
        assert_eq!(up_to(&[state(0, 10, Some(8)), state(0, 10, Some(5))]), Some(5));
        assert_eq!(up_to(&[state(0, 10, Some(8)), state(0, 10, None)]), None, "a group has seen nothing");
        assert_eq!(up_to(&[state(0, 10, Some(99))]), Some(10));
    }

    #[test]
    fn a_segment_rolls_only_when_released_bytes_stay_and_nothing_waits() {
        for (unrolled, data_waits, roll) in
            [(true, false, true), (true, true, false), (false, false, false), (false, true, false)]
        {
            let state = PurgeState { unrolled, data_waits, ..state(4, 5, Some(4)) };
            assert_eq!(plan(&[vec![state]]).iter().any(|deed| deed.roll), roll);
        }
    }
}

//! How far the lanes are: up to when everything that was to be released is.
//!
//! What counts from before a moment is *over* when the last of it is due under the windows in force, and nothing that
//! waits in a lane can be of it: a record is taken out of its lane no later than the shortest lane's delay after it is
//! due, and the heads are the next ones out. So an outage keeps it, and so do longer windows; what arrives later is
//! overdue on arrival.

use super::envelope::{self, EnvelopeError};
use super::pipeline::Pipeline;
use super::quarantine::is_heartbeat;
use super::store::{Fetched, Flow, Store, StoreError};
use crate::record::Header;
use std::sync::Arc;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Horizon {
    now_ms: i64,
    /// When the first record that waits in a lane is taken out; in the past where that cannot be told.
    next_ms: i64,
}

impl Horizon {
    /// Looks at the heads of the lanes, which are the [`held_topics`](super::purge::held_topics).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn look<S: Store>(
        store: &S,
        pipeline: &Pipeline,
        lanes: &[Arc<str>],
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        Ok(Horizon { now_ms, next_ms: next_out_ms(store, pipeline, lanes)? })
    }

    /// Whether everything that counts from before a moment was released.
    pub(super) fn has_passed(&self, pipeline: &Pipeline, before_ms: i64) -> bool {
        let due_ms = pipeline.schedule.latest_due_ms(before_ms);
        due_ms <= self.now_ms && due_ms.saturating_add(pipeline.release_slack_ms()) < self.next_ms
    }
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

//! The end of events: when no window depends on one any more, its mark goes.
//!
//! A mark names an account or a line by a digest, and must not outlive what it was made for. It is needed as long as
//! something that counts from before the event can be held or can come ([`Horizon`]), and until the window that the
//! event began is over. What comes later of the same account is overdue by its own window, or is of its next life.

use super::clock::Last;
use super::event::{self, Mark, Stored};
use super::horizon::Horizon;
use super::pipeline::Pipeline;
use super::progress;
use super::store::{Flow, Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Looks now and then for marks that nothing depends on.
#[derive(Default)]
pub struct EventEnd {
    looked: Last,
}

impl EventEnd {
    /// Deletes such marks, if it is time to look, and says how many. `lanes` are the
    /// [`held_topics`](super::purge::held_topics).
    ///
    /// # Errors
    /// See [`StoreError`]; the next call goes on.
    pub fn look<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        lanes: &[Arc<str>],
        now_ms: i64,
    ) -> Result<usize, StoreError> {
        // An earlier policy may have left some; after that there are none without events.
        let wanted = self.looked.is_never() || !pipeline.policy.events.is_empty();
        if !wanted || !self.looked.is_over(pipeline.pace.sweep_ms, now_ms) {
            return Ok(0);
        }
        let mut marks = read(store, pipeline)?;
        marks.retain(|_, (mark, at_ms)| pipeline.schedule.event_is_over(mark, *at_ms, now_ms));
        if !marks.is_empty() {
            let horizon = Horizon::look(store, pipeline, lanes, now_ms)?;
            marks.retain(|_, (_, at_ms)| horizon.has_passed(pipeline, *at_ms));
        }
        let gone: Vec<_> = marks.values().map(|(mark, _)| (*mark, None)).collect();
        let keys = marks.into_keys().map(|(partition, key)| (&pipeline.topics.progress, partition, key));
        progress::delete(store, pipeline, "event_end", keys)?;
        let count = gone.len();
        // Other processes read of it; a log may have nothing left to read at once.
        pipeline.schedule.saw(gone);
        self.looked.was(now_ms);
        Ok(count)
    }
}

/// Marks and the times of their events, by partition and key.
type Marks = BTreeMap<(i32, Vec<u8>), (Mark, i64)>;

fn read<S: Store>(store: &S, pipeline: &Pipeline) -> Result<Marks, StoreError> {
    let (topic, prefix) = (&pipeline.topics.progress, event::prefix(pipeline));
    let starts: Vec<(i32, i64)> =
        store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    let mut marks = Marks::new();
    store.scan_each(topic, &starts, &mut |fetched| {
        let key = fetched.record.key.unwrap_or_default();
        let name = std::str::from_utf8(key).ok().and_then(|key| key.strip_prefix(prefix.as_str()));
        if let Some(mark) = name.and_then(Mark::read) {
            let of = (fetched.place.partition, key.to_vec());
            match fetched.record.value.and_then(Stored::read) {
                Some(stored) => marks.insert(of, (mark, stored.ms)),
                None => marks.remove(&of),
            };
        }
        Flow::Next
    })?;
    Ok(marks)
}

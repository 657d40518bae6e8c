//! Progress records: positions that outlive the log's own, which expire.

use super::pipeline::Pipeline;
use super::store::{Flow, Session as _, SessionSpec, Store, StoreError, Writer as _};
use crate::record::Record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How far a reader group got with a partition, written in the same transaction as what it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Version, 1.
    pub v: u32,
    /// The topic's id: the same name with another id is another topic, whose offsets mean nothing.
    pub topic_id: String,
    /// The first offset that is not finished.
    pub next: i64,
}

/// The key under which a compacted topic keeps it.
#[must_use]
pub fn key(reader: &str, topic: &str, partition: i32) -> String {
    format!("{reader}/{topic}/{partition}")
}

/// The newest value of a key that stands in the progress topic's first partition.
///
/// # Errors
/// See [`StoreError`].
pub(super) fn newest<S: Store>(store: &S, topic: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut newest = None;
    store.scan(topic, 0, 0, &mut |fetched| {
        if fetched.record.key == Some(key.as_bytes()) {
            newest = fetched.record.value.map(<[u8]>::to_vec);
        }
        Flow::Next
    })?;
    Ok(newest)
}

/// Writes keys and their values into the progress topic's first partition, all or none. `what` is who writes.
///
/// # Errors
/// See [`StoreError`].
pub(super) fn write<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    what: &str,
    records: &[(String, Vec<u8>)],
) -> Result<(), StoreError> {
    let mut session = store.join_as(&spec(pipeline, what), &pipeline.delivery)?;
    let (_, writer) = session.halves();
    for (key, value) in records {
        let record = Record { key: Some(key.as_bytes()), value: Some(value), ..Record::default() };
        writer.append(&pipeline.topics.progress, 0, &record)?;
    }
    writer.commit(&[])
}

/// Deletes keys of compacted topics: topic, partition, key. `what` is who deletes.
///
/// # Errors
/// See [`StoreError`]; what was committed before is deleted.
pub(super) fn delete<'t, S: Store>(
    store: &S,
    pipeline: &Pipeline,
    what: &str,
    keys: impl Iterator<Item = (&'t Arc<str>, i32, Vec<u8>)>,
) -> Result<(), StoreError> {
    /// How many deletions are one transaction.
    const AT_ONCE: usize = 10_000;
    let mut keys = keys.peekable();
    if keys.peek().is_none() {
        return Ok(());
    }
    let mut session = store.join_as(&spec(pipeline, what), &pipeline.delivery)?;
    let (_, writer) = session.halves();
    while keys.peek().is_some() {
        for (topic, partition, key) in keys.by_ref().take(AT_ONCE) {
            writer.append(topic, partition, &Record { key: Some(&key), ..Record::default() })?;
        }
        writer.commit(&[])?;
    }
    Ok(())
}

/// One who only writes.
fn spec(pipeline: &Pipeline, what: &str) -> SessionSpec {
    let source = &pipeline.topics.source;
    SessionSpec {
        reader: format!("logscrub.{source}.{what}"),
        slot: format!("{}.{source}.{what}", pipeline.instance),
        topics: Vec::new(),
    }
}

/// Why no start can be given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "topic `{topic}` was deleted and made again since our last progress: its offsets mean something else now; \
     move the progress topic away to begin with the new one at its start"
)]
pub struct AnotherTopic {
    pub topic: String,
}

/// Where to begin, and how many records the log deleted before we had them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    pub next: i64,
    /// Offsets between the last position and the log's start (on Kafka they include markers).
    pub expired: u64,
}

/// `max(committed, progress, log start)`, never "latest".
///
/// # Errors
/// [`AnotherTopic`].
pub fn start(
    topic: &str,
    topic_id: &str,
    committed: Option<i64>,
    progress: Option<&Progress>,
    log_start: i64,
) -> Result<Start, AnotherTopic> {
    if progress.is_some_and(|progress| progress.topic_id != topic_id) {
        return Err(AnotherTopic { topic: topic.to_owned() });
    }
    let known = committed.max(progress.map(|progress| progress.next));
    // A reader that never was here misses nothing: what is gone went before its time.
    let expired = known.map_or(0, |known| log_start.saturating_sub(known).max(0));
    Ok(Start { next: known.unwrap_or(log_start).max(log_start), expired: expired.unsigned_abs() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_furthest_of_the_three() {
        let progress = Progress { v: 1, topic_id: "a".into(), next: 7 };
        for (committed, known, log_start, next, expired) in [
            (None, None, 0, 0, 0),
            (None, None, 5, 5, 0),
            (Some(9), Some(&progress), 5, 9, 0),
            (Some(3), Some(&progress), 0, 7, 0),
            (None, Some(&progress), 0, 7, 0),
            (Some(3), None, 10, 10, 7),
        ] {
            assert_eq!(start("t", "a", committed, known, log_start), Ok(Start { next, expired }));
        }
        assert!(start("t", "b", Some(9), Some(&progress), 0).is_err());
        let json = serde_json::to_string(&progress).unwrap();
        assert_eq!(json, r#"{"v":1,"topic_id":"a","next":7}"#);
        assert_eq!(serde_json::from_str::<Progress>(&json).unwrap(), progress);
    }
}

//! What each stage of a policy makes of one record.

use super::load::Loaded;
use crate::engine::{Applied, Scratch};
use crate::policy::Position;
use crate::record::{Header, Record, RecordBuf};

/// One entry per stage, in the ladder's order. The first stage shapes a copy; the later ones work on
/// the held record, one after another. `when` is not asked: every stage shows what it would do.
pub fn climb(loaded: &Loaded, scratch: &mut Scratch, record: &Record<'_>) -> Vec<(Applied, RecordBuf)> {
    let Loaded { engine, policy, .. } = loaded;
    let mut held = owned(record);
    let mut rungs = Vec::with_capacity(policy.stages.len());
    for place in 0..policy.stages.len() {
        let mut out = RecordBuf::default();
        let headers = headers_of(&held);
        let before = Record {
            key: held.key.as_deref(),
            value: held.value.as_deref(),
            headers: &headers,
            timestamp_ms: record.timestamp_ms,
        };
        let applied = engine.apply(scratch, policy, place, &before, &mut out);
        if policy.position(place) == Position::Middle && !matches!(applied, Applied::Withheld(_)) {
            held = copy(&out);
        }
        rungs.push((applied, out));
    }
    rungs
}

/// A record of its own.
pub fn owned(record: &Record<'_>) -> RecordBuf {
    RecordBuf {
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| (name.to_vec(), value.map(<[u8]>::to_vec)))
            .collect(),
    }
}

fn copy(record: &RecordBuf) -> RecordBuf {
    RecordBuf { key: record.key.clone(), value: record.value.clone(), headers: record.headers.clone() }
}

/// The headers, borrowed.
pub fn headers_of(record: &RecordBuf) -> Vec<Header<'_>> {
    record.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect()
}

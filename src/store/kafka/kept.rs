//! A record in memory, for as long as its partition is paused.

use crate::record::{Header, Record};
use crate::stage::store::{Fetched, Flow, Place, TimeKind};

/// A record that was fetched and not taken, kept while its partition is paused.
pub(super) struct Kept {
    pub(super) offset: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    timestamp_ms: Option<i64>,
    time: TimeKind,
}

impl Kept {
    pub(super) fn of(fetched: &Fetched<'_>) -> Self {
        let record = &fetched.record;
        let header = |(name, value): &Header<'_>| (name.to_vec(), value.map(<[u8]>::to_vec));
        Kept {
            offset: fetched.offset,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(header).collect(),
            timestamp_ms: record.timestamp_ms,
            time: fetched.time,
        }
    }

    pub(super) fn show(&self, place: Place, visit: &mut dyn FnMut(&Fetched<'_>) -> Flow) -> Flow {
        let headers: Vec<Header<'_>> =
            self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect();
        let record = Record {
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
            timestamp_ms: self.timestamp_ms,
        };
        visit(&Fetched { place, offset: self.offset, record, time: self.time })
    }
}

//! Day keys: the names of a day's cells are made with a secret of that day, so that nobody finds a cell by trying what a
//! record could show.
//!
//! Scrub makes a day's key before it counts the first record of the day, and writes it into the progress topic's first
//! partition under `day_key/<source>/<day>/<number>`. Two workers may do so at the same time: the key that stands first
//! is the day's. Each has a number of its own, so that compaction takes away none before it is destroyed. Where a key
//! cannot be read, the day has none: its records leave in the coarsest form.

use super::cell;
use super::crash::{self, CrashPoint};
use super::pipeline::Pipeline;
use super::progress;
use super::store::{Flow, Store, StoreError};
use hmac::{Hmac, KeyInit as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use zeroize::{Zeroize as _, Zeroizing};

const SECRET_BYTES: usize = 32;
/// How often a key that was just written is looked for.
const TRIES: usize = 10;

/// The secret of one day, ready to make names with. It is zeroed when dropped.
#[derive(Clone)]
pub struct DayKey(Hmac<Sha256>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Version, 1.
    v: u32,
    secret: [u8; SECRET_BYTES],
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl DayKey {
    /// One that is used at once, and kept nowhere.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn passing() -> Result<Self, StoreError> {
        random().map(|secret| DayKey::of(&secret))
    }

    fn of(secret: &[u8; SECRET_BYTES]) -> Self {
        match Hmac::new_from_slice(secret) {
            Ok(mac) => DayKey(mac),
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// A new digest under the key.
    pub(super) fn digest(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

fn random() -> Result<Zeroizing<[u8; SECRET_BYTES]>, StoreError> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(secret.as_mut())
        .map_err(|_| StoreError::Io("the system has no random numbers".into()))?;
    Ok(secret)
}

/// A day's key, and under what names it and those that came too late stand in the progress topic.
#[derive(Default)]
pub(super) struct Entry {
    /// `None`: none that stands there can be read.
    pub key: Option<DayKey>,
    pub names: Vec<String>,
}

fn prefix(pipeline: &Pipeline) -> String {
    format!("day_key/{}/", pipeline.topics.source)
}

/// The keys that there are, by day.
///
/// # Errors
/// See [`StoreError`].
pub(super) fn read<S: Store>(store: &S, pipeline: &Pipeline) -> Result<BTreeMap<i64, Entry>, StoreError> {
    let prefix = prefix(pipeline);
    // By name: where it stands, and the key.
    let mut found: BTreeMap<String, (i64, Option<DayKey>)> = BTreeMap::new();
    store.scan(&pipeline.topics.progress, 0, 0, &mut |fetched| {
        let name = fetched.record.key.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        if name.starts_with(&prefix) {
            match fetched.record.value {
                Some(value) => {
                    let stored = serde_json::from_slice::<Stored>(value).ok().filter(|stored| stored.v == 1);
                    let key = stored.map(|stored| DayKey::of(&stored.secret));
                    found.insert(name.to_owned(), (fetched.offset, key));
                }
                None => {
                    found.remove(name);
                }
            }
        }
        Flow::Next
    })?;
    let mut in_order: Vec<_> = found.into_iter().collect();
    in_order.sort_by_key(|(_, (offset, _))| *offset);
    let mut days: BTreeMap<i64, Entry> = BTreeMap::new();
    for (name, (_, key)) in in_order {
        let day = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')?.0.parse().ok());
        let Some(day) = day else { continue };
        let entry = days.entry(day).or_default();
        entry.key = entry.key.take().or(key);
        entry.names.push(name);
    }
    Ok(days)
}

/// The keys of the days that a scrub worker counts for.
#[derive(Default)]
pub(super) struct DayKeys {
    /// `None`: nothing of the day could be released after it is closed.
    known: BTreeMap<i64, Option<DayKey>>,
    /// A day that a record asked for, and that has none.
    asked: Option<i64>,
}

impl DayKeys {
    /// The key of a day that scrub counts for; `None` where it does not. None is made here, beside an open transaction:
    /// a store may have one writer, and a reader sees no further than what is open.
    ///
    /// # Errors
    /// Where there is none yet, what is open is to be given up; [`DayKeys::make`] makes it. See [`StoreError`].
    pub(super) fn of<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        day: i64,
        now_ms: i64,
    ) -> Result<Option<&DayKey>, StoreError> {
        if !cell::is_open(day, now_ms) {
            return Ok(None);
        }
        if !self.known.contains_key(&day) {
            let key = match pipeline.uses_cells_of(day) {
                true => match find(store, pipeline, day).map_err(StoreError::of_a_look)? {
                    Some(key) => Some(key),
                    None => {
                        self.asked = Some(day);
                        return Err(StoreError::Void("the day's key is made first".into()));
                    }
                },
                false => None,
            };
            self.known.insert(day, key);
        }
        Ok(self.known.get(&day).and_then(Option::as_ref))
    }

    /// Makes the key of today, and of the day that was asked for, where there are none. Call it when nothing is open.
    /// `who` names the worker among those of its process.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) fn make<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        who: usize,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let today = cell::day_of(now_ms);
        for day in [Some(today), self.asked].into_iter().flatten() {
            if self.known.contains_key(&day) || !cell::is_open(day, now_ms) {
                continue;
            }
            self.known.retain(|day, _| cell::is_open(*day, now_ms));
            let key = match pipeline.uses_cells_of(day) {
                true => Some(find_or_make(store, pipeline, who, day).map_err(StoreError::of_a_look)?),
                false => None,
            };
            self.known.insert(day, key);
        }
        self.asked = None;
        Ok(())
    }
}

fn find<S: Store>(store: &S, pipeline: &Pipeline, day: i64) -> Result<Option<DayKey>, StoreError> {
    Ok(read(store, pipeline)?.remove(&day).and_then(|entry| entry.key))
}

fn find_or_make<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    who: usize,
    day: i64,
) -> Result<DayKey, StoreError> {
    if let Some(key) = find(store, pipeline, day)? {
        return Ok(key);
    }
    crash::reach(CrashPoint::InDayKey);
    let value = serde_json::to_vec(&Stored { v: 1, secret: *random()? }).map(Zeroizing::new);
    let value = value.map_err(|_| StoreError::Bug("a day's key cannot be written".into()))?;
    let mut number = [0; 8];
    getrandom::fill(&mut number).map_err(|_| StoreError::Io("the system has no random numbers".into()))?;
    let name = format!("{}{day}/{:016x}", prefix(pipeline), u64::from_be_bytes(number));
    progress::write(store, pipeline, &format!("day_key.{who}"), &[(name, value.to_vec())])?;
    // Another's may stand before it. While somebody's transaction is open, or ends, neither can be read.
    for _ in 0..TRIES {
        if let Some(key) = find(store, pipeline, day)? {
            return Ok(key);
        }
    }
    Err(StoreError::Void("the day's key cannot be read yet".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_pinned() {
        let stored = Stored { v: 1, secret: [7; SECRET_BYTES] };
        let json = serde_json::to_string(&stored).unwrap();
        let sevens = vec!["7"; SECRET_BYTES].join(",");
        assert_eq!(json, format!("{{\"v\":1,\"secret\":[{sevens}]}}"));
        assert_eq!(serde_json::from_str::<Stored>(&json).unwrap().secret, [7; SECRET_BYTES]);
    }
}

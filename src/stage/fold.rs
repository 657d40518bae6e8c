//! Small groups: what outlives the records tells of nobody among fewer than a count's `min`.
//!
//! When everything of a group's interval was released ([`Horizon`]), groups of fewer than `min` records are added up
//! under `count/<id>/<interval>/folded/[]`, and their own totals are deleted; where even together they are too few, under
//! `count/<id>/all/folded/[]`. What is released later of such an interval stands by itself until the next look.
//!
//! Only chunks that nobody writes to any more are folded: a chunk is of one day, by the clock of the worker that writes
//! it, and is left alone for a day after that. What is deleted and what is added are one transaction, under a slot
//! that all processes share: whoever joins later fences the others before it reads. Without transactions nothing is
//! folded.

use super::cell::day_of;
use super::clock::Last;
use super::count::{self, Group, Total, begins_ms};
use super::crash::{self, CrashPoint};
use super::horizon::Horizon;
use super::pipeline::Pipeline;
use super::store::{Delivery, Flow, Session as _, SessionSpec, Store, StoreError, Writer};
use crate::policy::Count;
use crate::record::Record;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How often small groups are looked for: it takes a walk through the counts topic.
const LOOK_MS: i64 = 86_400_000;
/// How long after its day a chunk is left alone, in days: clocks differ, and a transaction takes its time.
const LEFT_ALONE_DAYS: i64 = 2;
/// The chunk of what was folded.
const FOLDED: &str = "folded";
/// The interval of what is too few in its own.
pub const ALL: &str = "all";

/// Looks now and then for small groups.
#[derive(Default)]
pub struct Fold {
    looked: Last,
}

/// A group of one interval, over all its chunks.
#[derive(Default)]
struct Entry {
    total: Total,
    /// Partition and key of each chunk's total.
    keys: Vec<(i32, String)>,
    /// Somebody may still add to it.
    is_open: bool,
}

/// By interval and values.
type Intervals = BTreeMap<String, BTreeMap<Vec<(String, Option<String>)>, Entry>>;

impl Fold {
    /// Folds the small groups of what is over, if it is time to look, and says how many. `lanes` as for
    /// [`DayEnd`](super::DayEnd).
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
        let wanted = pipeline.policy.counts.iter().any(|count| count.min > 1);
        if !self.looked.is_over(LOOK_MS, now_ms) || !wanted || pipeline.delivery != Delivery::ExactlyOnce {
            return Ok(0);
        }
        let horizon = Horizon::look(store, pipeline, lanes, now_ms)?;
        let mut folded = 0;
        // The first walk only tells whether there is something to do, and fences nobody.
        if !plan(pipeline, &horizon, &read(store, pipeline, now_ms)?).is_empty() {
            let source = &pipeline.topics.source;
            let spec = SessionSpec {
                reader: format!("logscrub.{source}.fold"),
                slot: format!("{source}.fold"),
                topics: Vec::new(),
            };
            let mut session = store.join_as(&spec, &pipeline.delivery)?;
            let (_, writer) = session.halves();
            let counted = read(store, pipeline, now_ms)?;
            crash::reach(CrashPoint::InFold);
            let mut alls = BTreeMap::new();
            for small in plan(pipeline, &horizon, &counted) {
                folded += small.entries.len();
                small.write(writer, pipeline, &counted, &mut alls)?;
                writer.commit(&[])?;
            }
        }
        self.looked.was(now_ms);
        Ok(folded)
    }
}

/// Every group of the counts that are to be folded, by the count's id.
fn read<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    now_ms: i64,
) -> Result<BTreeMap<String, Intervals>, StoreError> {
    let topic = &pipeline.topics.counts;
    let starts: Vec<(i32, i64)> =
        store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    // The newest record of a key is all that counts.
    let mut newest: HashMap<(i32, String), Total> = HashMap::new();
    let mut unread = None;
    store.scan_each(topic, &starts, &mut |fetched| {
        let key = fetched.record.key.and_then(|key| std::str::from_utf8(key).ok()).unwrap_or_default();
        if key.starts_with("count/") {
            let of = (fetched.place.partition, key.to_owned());
            match fetched.record.value.map(Total::from_json) {
                Some(Some(total)) => drop(newest.insert(of, total)),
                // It is no deletion.
                Some(None) => drop(unread.get_or_insert((fetched.place.partition, fetched.offset))),
                None => drop(newest.remove(&of)),
            }
        }
        Flow::Next
    })?;
    unread.map_or(Ok(()), |(partition, offset)| Err(count::unread(topic, partition, offset)))?;
    let mut counts: BTreeMap<String, Intervals> = BTreeMap::new();
    for ((partition, key), total) in newest {
        let Some(group) = Group::from_key(&key) else { continue };
        let is_open = day_of_chunk(&key).is_some_and(|day| day > day_of(now_ms) - LEFT_ALONE_DAYS);
        let intervals = counts.entry(group.count).or_default();
        let entry = intervals.entry(group.from).or_default().entry(group.values).or_default();
        entry.total.merge(&total);
        entry.is_open |= is_open;
        entry.keys.push((partition, key));
    }
    Ok(counts)
}

/// The day of a chunk that a worker writes to; `None` for what was folded.
fn day_of_chunk(key: &str) -> Option<i64> {
    key.split('/').nth(3)?.rsplit_once('@')?.1.parse().ok()
}

/// The small groups of an interval that is over.
struct Small<'c> {
    count: &'c Count,
    from: &'c str,
    /// With those of the interval that were folded before, if there are any.
    entries: Vec<&'c Entry>,
    /// What they are together.
    total: Total,
}

fn plan<'c>(
    pipeline: &'c Pipeline,
    horizon: &Horizon,
    counted: &'c BTreeMap<String, Intervals>,
) -> Vec<Small<'c>> {
    let mut all = Vec::new();
    for count in pipeline.policy.counts.iter().filter(|count| count.min > 1) {
        for (from, groups) in counted.get(&count.id).into_iter().flatten() {
            let Some(ends_ms) = begins_ms(from).map(|begins_ms| count.every.due(begins_ms)) else { continue };
            // All at once: in parts more of it would be too few together.
            if !horizon.has_passed(pipeline, ends_ms) || groups.values().any(|entry| entry.is_open) {
                continue;
            }
            let is_small = |entry: &Entry| entry.total.records < count.min;
            let small = groups.iter().filter(|(values, entry)| !values.is_empty() && is_small(entry));
            let mut entries: Vec<&Entry> = small.map(|(_, entry)| entry).collect();
            if entries.is_empty() {
                continue;
            }
            entries.extend(groups.get([].as_slice()));
            let mut total = Total::default();
            entries.iter().for_each(|entry| total.merge(&entry.total));
            all.push(Small { count, from, entries, total });
        }
    }
    all
}

impl Small<'_> {
    /// Puts one total in the place of the others. `alls` are those of all intervals, as far as they changed.
    fn write(
        &self,
        writer: &mut impl Writer,
        pipeline: &Pipeline,
        counted: &BTreeMap<String, Intervals>,
        alls: &mut BTreeMap<String, Total>,
    ) -> Result<(), StoreError> {
        let topic = &pipeline.topics.counts;
        let (from, total) = if self.total.records >= self.count.min {
            (self.from, self.total.clone())
        } else {
            let before = || Some(&counted.get(&self.count.id)?.get(ALL)?.get([].as_slice())?.total);
            let all = alls.entry(self.count.id.clone());
            let all = all.or_insert_with(|| before().cloned().unwrap_or_default());
            all.merge(&self.total);
            (ALL, all.clone())
        };
        let group = Group { count: self.count.id.clone(), from: from.to_owned(), values: Vec::new() };
        let kept = group.key(FOLDED);
        for (partition, key) in
            self.entries.iter().flat_map(|entry| &entry.keys).filter(|(_, key)| *key != kept)
        {
            writer.append(topic, *partition, &Record { key: Some(key.as_bytes()), ..Record::default() })?;
        }
        let value = total.to_json();
        let record =
            Record { key: Some(kept.as_bytes()), value: Some(value.as_bytes()), ..Record::default() };
        writer.append(topic, 0, &record)
    }
}

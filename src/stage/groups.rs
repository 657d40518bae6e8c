//! Totals of the groups that records are counted in ([`super::count`]), as far as a worker has to know them.

use super::cell::{Cell, MOST_CELLS};
use super::count::{Group, Total, chunk};
use super::store::{Place, StoreError};
use std::collections::{BTreeMap, HashMap};

/// The most groups that are kept from one transaction to the next: some ten megabytes.
const MOST: usize = 20_000;

/// Takes partition, key and value of a counts record.
type Write<'w> = dyn FnMut(i32, &[u8], &[u8]) -> Result<(), StoreError> + 'w;

/// What totals are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Counted {
    Group(Group),
    Cell(Cell),
}

impl Counted {
    fn key(&self, chunk: &str) -> String {
        match self {
            Counted::Group(group) => group.key(chunk),
            Counted::Cell(cell) => cell.key(chunk),
        }
    }
}

/// What the chunk of each place has, and what the open transaction adds.
#[derive(Default)]
pub(super) struct Groups {
    open: BTreeMap<(Place, Counted), Total>,
    /// As committed.
    settled: HashMap<(Place, Counted), Total>,
    /// How many cells of each day the chunks have, as committed and in the open transaction.
    cells: BTreeMap<i64, usize>,
    chunks: BTreeMap<Place, Chunk>,
    most: Option<usize>,
}

struct Chunk {
    topic: String,
    topic_id: String,
    /// The first offset of it.
    begins: i64,
    /// Of which day it is, counted from 1970; `None`: nothing was written to it yet.
    day: Option<i64>,
}

impl Groups {
    /// A worker has got a place, and goes on at an offset.
    pub(super) fn begin(&mut self, place: Place, topic: &str, topic_id: &str, begins: i64) {
        self.end(place);
        let chunk = Chunk { topic: topic.to_owned(), topic_id: topic_id.to_owned(), begins, day: None };
        self.chunks.insert(place, chunk);
    }

    pub(super) fn end(&mut self, place: Place) {
        self.open.retain(|(of, _), _| *of != place);
        self.settled.retain(|(of, _), _| *of != place);
        self.chunks.remove(&place);
        self.recount();
    }

    pub(super) fn add(&mut self, place: Place, group: Group, total: &Total) {
        self.open.entry((place, Counted::Group(group))).or_default().merge(total);
    }

    /// Counts a record in its cell, if the day has not too many of them.
    pub(super) fn add_cell(&mut self, place: Place, cell: Cell) {
        let of = (place, Counted::Cell(cell));
        let cells = self.cells.entry(cell.day).or_default();
        if !self.open.contains_key(&of) && !self.settled.contains_key(&of) {
            if *cells >= MOST_CELLS {
                return;
            }
            *cells += 1;
        }
        self.open.entry(of).or_default().records += 1;
    }

    /// Begins a new chunk at each place whose own is of another day; `bases` says where the open transaction began. Call
    /// it before [`Groups::each`].
    pub(super) fn renew(&mut self, day: i64, bases: impl Iterator<Item = (Place, i64)>) {
        let mut renewed = false;
        for (place, base) in bases {
            let Some(chunk) = self.chunks.get_mut(&place).filter(|chunk| chunk.day != Some(day)) else {
                continue;
            };
            (chunk.day, chunk.begins) = (Some(day), base);
            self.settled.retain(|(of, _), _| *of != place);
            renewed = true;
        }
        if renewed {
            self.recount();
        }
    }

    /// Partition, key and value of every group that the open transaction adds to.
    pub(super) fn each(&self, write: &mut Write<'_>) -> Result<(), StoreError> {
        for (of, added) in &self.open {
            let (place, counted) = of;
            let Some(Chunk { topic, topic_id, begins, day: Some(day) }) = self.chunks.get(place) else {
                continue;
            };
            let mut total = self.settled.get(of).cloned().unwrap_or_default();
            total.merge(added);
            let key = counted.key(&chunk(topic, topic_id, *begins, *day));
            write(place.partition, key.as_bytes(), total.to_json().as_bytes())?;
        }
        Ok(())
    }

    /// The open transaction is committed; `bases` says where each place stands behind it. With too many groups a
    /// new chunk begins there.
    pub(super) fn settle(&mut self, bases: impl Iterator<Item = (Place, i64)>) {
        while let Some((counted, added)) = self.open.pop_first() {
            self.settled.entry(counted).or_default().merge(&added);
        }
        if self.settled.len() <= self.most.unwrap_or(MOST) {
            return;
        }
        self.settled.clear();
        self.cells.clear();
        for (place, base) in bases {
            if let Some(chunk) = self.chunks.get_mut(&place) {
                chunk.begins = base;
            }
        }
    }

    /// The open transaction is given up.
    pub(super) fn give_up(&mut self) {
        self.open.clear();
        self.recount();
    }

    /// Counts the cells of each day anew, where some have gone.
    fn recount(&mut self) {
        let Groups { open, settled, cells, .. } = self;
        cells.clear();
        let new = open.keys().filter(|of| !settled.contains_key(*of));
        for (_, counted) in settled.keys().chain(new) {
            if let Counted::Cell(cell) = counted {
                *cells.entry(cell.day).or_default() += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(value: &str) -> Group {
        let values = vec![("status".to_owned(), Some(value.to_owned()))];
        Group { count: "billing".into(), from: "2026-03-02".into(), values }
    }

    fn one() -> Total {
        Total { records: 1, sums: BTreeMap::new() }
    }

    /// What the counts topic holds after a commit.
    fn commit(groups: &mut Groups, log: &mut BTreeMap<String, u64>, base: i64) {
        commit_on(groups, log, base, 20_000, 7);
    }

    /// The same on a day; the transaction began at `from`.
    fn commit_on(groups: &mut Groups, log: &mut BTreeMap<String, u64>, base: i64, day: i64, from: i64) {
        groups.renew(day, [(PLACE, from)].into_iter());
        groups
            .each(&mut |_, key, value| {
                let records = Total::from_json(value).unwrap().records;
                log.insert(String::from_utf8(key.to_vec()).unwrap(), records);
                Ok(())
            })
            .unwrap();
        groups.settle([(PLACE, base)].into_iter());
    }

    const PLACE: Place = Place { topic: 0, partition: 0 };

    #[test]
    fn totals_grow_within_a_chunk_and_a_new_one_begins_with_too_many() {
        let mut groups = Groups { most: Some(3), ..Groups::default() };
        let mut log = BTreeMap::new();
        groups.begin(PLACE, "logs.held.90d", "id", 7);
        for step in 1..=5 {
            groups.add(PLACE, group("sent"), &one());
            groups.add(PLACE, group(&format!("only {step}")), &one());
            groups.add(PLACE, group("sent"), &one());
            if step == 2 {
                groups.give_up();
            }
            commit(&mut groups, &mut log, 7 + step * 3);
            assert!(groups.settled.len() <= 3);
        }
        let of = |value: &str| -> u64 {
            let here = |key: &str| Group::from_key(key).unwrap() == group(value);
            log.iter().filter(|(key, _)| here(key)).map(|(_, records)| records).sum()
        };
        assert_eq!((of("sent"), of("only 1"), of("only 2"), of("only 5")), (8, 1, 0, 1));
        assert!(
            log.keys().any(|key| key.contains("@id@7@")) && log.keys().any(|key| !key.contains("@id@7@"))
        );
    }

    /// A chunk is of one day, so that it is known when nobody adds to it any more.
    #[test]
    fn each_day_has_chunks_of_its_own() {
        let mut groups = Groups::default();
        let mut log = BTreeMap::new();
        groups.begin(PLACE, "logs", "id", 7);
        for (base, day, from) in [(9, 20_000, 7), (11, 20_000, 9), (13, 20_001, 11), (15, 20_001, 13)] {
            groups.add(PLACE, group("sent"), &one());
            commit_on(&mut groups, &mut log, base, day, from);
        }
        let chunks: Vec<(&str, u64)> =
            log.iter().map(|(key, records)| (key.split('/').nth(3).unwrap(), *records)).collect();
        assert_eq!(chunks, [("logs@id@11@20001", 2), ("logs@id@7@20000", 2)]);
    }

    #[test]
    fn a_place_that_goes_takes_what_was_open_with_it() {
        let mut groups = Groups::default();
        let mut log = BTreeMap::new();
        groups.begin(PLACE, "logs", "id", 0);
        groups.add(PLACE, group("sent"), &one());
        groups.end(PLACE);
        commit(&mut groups, &mut log, 1);
        assert!(log.is_empty());
    }
}

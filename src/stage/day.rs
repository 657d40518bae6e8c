//! Closed days: how much the records of a day may show, by how many of them show the same.

use super::cell::{Cell, DAY_MS, Level, Reading, is_closed};
use super::count::Total;
use super::day_key::{self, DayKey};
use super::pipeline::Pipeline;
use super::store::{Flow, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// How a record of a day goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Release(Level),
    /// Fewer than `k` show the same even at the coarsest level: it is only counted.
    TooFew,
}

/// A closed day: what at least `k` of its records show, by level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Day {
    enough: [HashSet<u64>; Level::ALL.len()],
    /// Whether all of its records were counted under the reading that releases, as far as they were.
    known: bool,
}

impl Day {
    /// From how often each cell was counted.
    fn of(cells: &BTreeMap<Cell, u64>, reading: Reading, k: u64) -> Self {
        let ours = |cell: &Cell| cell.reading == reading;
        let mut day = Day { known: !cells.is_empty() && cells.keys().all(ours), ..Day::default() };
        let mut rest: Vec<(&Cell, u64)> =
            cells.iter().filter(|(cell, _)| ours(cell)).map(|(cell, count)| (cell, *count)).collect();
        for (place, enough) in day.enough.iter_mut().enumerate() {
            let name = |cell: &Cell| cell.names.get(place).copied().unwrap_or(0);
            let mut sums: HashMap<u64, u64> = HashMap::new();
            for (cell, count) in &rest {
                *sums.entry(name(cell)).or_default() += count;
            }
            enough.extend(sums.into_iter().filter(|(_, count)| *count >= k).map(|(name, _)| name));
            rest.retain(|(cell, _)| !enough.contains(&name(cell)));
        }
        day
    }

    fn verdict(&self, cell: &Cell) -> Verdict {
        let mut levels = Level::ALL.into_iter().zip(&cell.names).zip(&self.enough);
        match levels.find(|((_, name), enough)| enough.contains(name)) {
            Some(((level, _), _)) => Verdict::Release(level),
            None if self.known => Verdict::TooFew,
            None => Verdict::Release(Level::Coarsest),
        }
    }
}

/// A closed day with its key.
struct Closed {
    key: DayKey,
    day: Day,
}

/// The closed days that a worker has at hand.
#[derive(Default)]
pub struct Days {
    /// `None`: the day has no key, since nothing of it was counted, or all of it was released.
    days: BTreeMap<i64, Option<Closed>>,
    /// When the first of them was read.
    read_ms: i64,
}

/// How many days are read at once: records come out of a lane day by day.
const AT_ONCE: i64 = 32;
/// The most days that are kept, and then so many as are read at once: accounts with windows of their own are days apart.
const MOST: usize = 128;
/// How long they are kept: no longer does a key that was destroyed stay in memory.
const KEPT_MS: i64 = DAY_MS;

impl Days {
    /// How a record of a day goes out; `cell` says what it shows under the day's key. Reads the day where it is not at
    /// hand.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn verdict<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        day: i64,
        now_ms: i64,
        cell: impl FnOnce(&DayKey) -> Option<Cell>,
    ) -> Result<Verdict, StoreError> {
        let coarsest = Ok(Verdict::Release(Level::Coarsest));
        if !is_closed(day, now_ms) {
            return coarsest;
        }
        if now_ms.saturating_sub(self.read_ms).abs() >= KEPT_MS || self.days.len() > MOST {
            self.days.clear();
        }
        if !self.days.contains_key(&day) {
            let next = day..day.saturating_add(AT_ONCE);
            let wanted = next.filter(|day| is_closed(*day, now_ms) && !self.days.contains_key(day)).collect();
            let read = read(store, pipeline, &wanted).map_err(StoreError::of_a_look)?;
            if self.days.is_empty() {
                self.read_ms = now_ms;
            }
            self.days.extend(read);
        }
        let Some(Closed { key, day }) = self.days.get(&day).and_then(Option::as_ref) else { return coarsest };
        // What the engine cannot answer for is withheld.
        cell(key).map_or(coarsest, |cell| Ok(day.verdict(&cell)))
    }
}

fn read<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    wanted: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Option<Closed>>, StoreError> {
    let Some(anonymity) = &pipeline.anonymity else { return Ok(BTreeMap::new()) };
    let mut keys = day_key::read(store, pipeline)?;
    let mut cells: BTreeMap<i64, BTreeMap<Cell, u64>> = BTreeMap::new();
    for (cell, count) in counted(store, pipeline, |day| wanted.contains(&day))?.into_values() {
        *cells.entry(cell.day).or_default().entry(cell).or_default() += count;
    }
    let mut closed = |day: &i64| {
        let key = keys.remove(day).and_then(|entry| entry.key);
        let day = Day::of(&cells.remove(day).unwrap_or_default(), anonymity.reading(), anonymity.k());
        key.map(|key| Closed { key, day })
    };
    Ok(wanted.iter().map(|day| (*day, closed(day))).collect())
}

/// Cells and how many records were counted in each, by partition and key of the counts topic.
pub(super) type Cells = HashMap<(i32, Vec<u8>), (Cell, u64)>;

/// Every cell of the days that the counts topic has.
///
/// # Errors
/// See [`StoreError`].
pub(super) fn counted<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    wanted: impl Fn(i64) -> bool,
) -> Result<Cells, StoreError> {
    let topic = &pipeline.topics.counts;
    let starts: Vec<(i32, i64)> =
        store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    // The newest record of a key is all that counts.
    let mut newest = Cells::new();
    store.scan_each(topic, &starts, &mut |fetched| {
        let Some(key) = fetched.record.key.filter(|key| key.starts_with(b"cell/")) else { return Flow::Next };
        let cell = std::str::from_utf8(key).ok().and_then(Cell::from_key).filter(|cell| wanted(cell.day));
        let Some(cell) = cell else { return Flow::Next };
        let of = (fetched.place.partition, key.to_vec());
        match fetched.record.value.map(Total::from_json) {
            Some(total) => newest.insert(of, (cell, total.map_or(0, |total| total.records))),
            None => newest.remove(&of),
        };
        Flow::Next
    })?;
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading::numbered(1);

    fn cell(names: [u64; 4]) -> Cell {
        Cell { day: 20_000, reading: READING, names }
    }

    #[test]
    fn the_finest_level_that_enough_records_share() {
        // London 12, Leeds 6 and York 5 of one country; another country 4 and 8 by user agent; 3 of nobody else.
        let cells = [
            (cell([1, 10, 100, 1000]), 12),
            (cell([2, 10, 100, 1000]), 6),
            (cell([3, 10, 100, 1000]), 5),
            (cell([4, 20, 200, 2000]), 4),
            (cell([5, 21, 200, 2000]), 8),
            (cell([6, 30, 300, 3000]), 3),
        ];
        let day = Day::of(&cells.into_iter().collect(), READING, 11);
        let of = |names| day.verdict(&cell(names));
        assert_eq!(of([1, 10, 100, 1000]), Verdict::Release(Level::Finest));
        assert_eq!(of([2, 10, 100, 1000]), Verdict::Release(Level::Country));
        assert_eq!(of([5, 21, 200, 2000]), Verdict::Release(Level::Day));
        assert_eq!(of([6, 30, 300, 3000]), Verdict::TooFew);
        assert_eq!(of([7, 10, 100, 1000]), Verdict::Release(Level::Country), "late, and among others");
        assert_eq!(Day::default().verdict(&cell([1, 10, 100, 1000])), Verdict::Release(Level::Coarsest));
    }

    #[test]
    fn what_was_counted_under_another_reading_says_nothing_of_this_one() {
        let other = |names| Cell { reading: Reading::numbered(2), ..cell(names) };
        let of = |cells: &[(Cell, u64)], names| {
            Day::of(&cells.iter().copied().collect(), READING, 11).verdict(&cell(names))
        };
        let many = [1, 10, 100, 1000];
        let few = [2, 20, 200, 2000];
        let ours = [(cell(many), 12), (cell(few), 3)];
        assert_eq!(of(&ours, few), Verdict::TooFew);
        let changed = [(cell(many), 12), (cell(few), 3), (other([7; 4]), 1)];
        assert_eq!(
            of(&changed, many),
            Verdict::Release(Level::Finest),
            "of those of this reading there are enough"
        );
        assert_eq!(
            of(&changed, few),
            Verdict::Release(Level::Coarsest),
            "nobody knows how many more there are"
        );
        assert_eq!(of(&[(other(many), 12)], many), Verdict::Release(Level::Coarsest));
        assert_eq!(of(&[(cell(many), 6), (other(many), 6)], many), Verdict::Release(Level::Coarsest));
    }

    proptest::proptest! {
        /// Whatever was counted, what is released at a level shares what it shows with at least `k`, unless it is none.
        #[test]
        fn no_released_group_is_smaller(
            counts in proptest::collection::vec((0u64..30, 1u64..9), 0..60), k in 2u64..15,
        ) {
            let mut cells: BTreeMap<Cell, u64> = BTreeMap::new();
            for (name, count) in counts {
                *cells.entry(cell([name, name / 2, name / 6, name / 15])).or_default() += count;
            }
            let day = Day::of(&cells, READING, k);
            let mut released: HashMap<(Level, u64), u64> = HashMap::new();
            for (cell, count) in &cells {
                if let Verdict::Release(level) = day.verdict(cell) {
                    *released.entry((level, cell.names[level as usize])).or_default() += count;
                }
            }
            proptest::prop_assert!(released.values().all(|count| *count >= k), "{released:?}");
        }
    }
}

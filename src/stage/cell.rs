//! Cells: how many records of a day show the same place, route, status, user agent and account, so that none
//! stands out among those that are released (k-anonymity).
//!
//! Scrub counts each record's cell in its own transaction, in the counts topic under
//! `cell/<day>/<chunk>/<names>`; the names are hashes of what the record would show at each [`Level`]. A day is
//! *closed* a day after its end: scrub counts for it no longer (it stops an hour earlier, so that what was begun
//! is committed), and the table of the day is the same for whoever reads it. At release a record of a closed day
//! gets the finest level at which at least `k` records show the same: those that are fine enough go, the rest
//! is looked at one level coarser, and what is too few at the coarsest level is only counted. A record of a day that
//! is not closed, or of which nothing was counted, gets the coarsest level.
//!
//! A worker counts [`MOST_CELLS`] different cells of a day in a chunk; the records of further ones are not counted,
//! which makes them coarser, or too few.

use super::count::Total;
use super::store::{Flow, Store, StoreError};
use crate::class::Class;
use crate::engine::{Engine, Scratch};
use crate::policy::{self, ActionTable, Policy, coarser};
use crate::record::Record;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// How long after its end a day is closed.
const CLOSED_AFTER_MS: i64 = DAY_MS;
/// See the module.
pub const MOST_CELLS: usize = 10_000;
/// Fields whose values are a record's status, in this order.
const STATUS: [&str; 4] = ["status", "status_code", "delivery_status", "http_status"];
/// What a record is told by, beside its day and its status.
const TELLING: [Class; 4] = [Class::Ip, Class::Url, Class::UserAgent, Class::SubjectId];

/// How much a released record shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As the policy's last stage says.
    Finest,
    /// No city.
    Country,
    /// Neither hour nor user agent: the hour alone is no part of a cell, so that a level without it would have the
    /// same records as the one before.
    Day,
    /// No account either. What [`Policy`] itself says where it asks for `k`.
    Coarsest,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::Finest, Level::Country, Level::Day, Level::Coarsest];
}

/// A record's cell: its day, counted from 1970 in UTC, and the name of what it shows at each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub day: i64,
    pub names: [u64; Level::ALL.len()],
}

impl Cell {
    /// The key of a counts record.
    #[must_use]
    pub fn key(&self, chunk: &str) -> String {
        let names: Vec<String> = self.names.iter().map(|name| format!("{name:016x}")).collect();
        format!("cell/{}/{chunk}/{}", self.day, names.join("-"))
    }

    /// Reads a key back; `None` where it is not one of a cell.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Cell> {
        let mut parts = key.strip_prefix("cell/")?.splitn(3, '/');
        let day = parts.next()?.parse().ok()?;
        let mut names = parts.nth(1)?.split('-').map(|name| u64::from_str_radix(name, 16));
        let mut next = || names.next()?.ok();
        Some(Cell { day, names: [next()?, next()?, next()?, next()?] })
    }
}

/// The day of a moment, counted from 1970 in UTC.
#[must_use]
pub fn day_of(at_ms: i64) -> i64 {
    at_ms.div_euclid(DAY_MS)
}

/// Whether scrub still counts for a day.
#[must_use]
pub fn is_open(day: i64, now_ms: i64) -> bool {
    now_ms < (day + 1).saturating_mul(DAY_MS) + CLOSED_AFTER_MS - HOUR_MS
}

/// Whether everything that scrub counted of a day is there.
#[must_use]
pub fn is_closed(day: i64, now_ms: i64) -> bool {
    now_ms >= (day + 1).saturating_mul(DAY_MS) + CLOSED_AFTER_MS
}

/// What a policy with `k` asks for.
pub struct Anonymity {
    k: u64,
    /// By level: the policy with what its last stage does at that level.
    levels: Vec<Policy>,
    last: usize,
}

impl Anonymity {
    /// `None` where the policy does not ask for it.
    #[must_use]
    pub fn of(policy: &Policy) -> Option<Self> {
        policy.anonymity.as_ref().map(|asked| Anonymity::asked(policy, asked))
    }

    /// For whoever looks at what a policy released, whether or not it asks for `k` itself.
    #[must_use]
    pub fn measuring(policy: &Policy, k: u64) -> Self {
        let finest = || policy.stages.last().map(|stage| stage.actions.clone());
        let own = policy.anonymity.as_ref().map(|asked| asked.finest.clone()).or_else(finest);
        let finest = own.unwrap_or_else(|| ActionTable::of_each(|_| None));
        Anonymity::asked(policy, &policy::Anonymity { k, finest })
    }

    fn asked(policy: &Policy, asked: &policy::Anonymity) -> Self {
        let last = policy.stages.len().saturating_sub(1);
        let at = |level: &Level| {
            let mut leveled = policy.clone();
            if let Some(stage) = leveled.stages.get_mut(last) {
                stage.actions = table(&asked.finest, *level);
            }
            leveled
        };
        Anonymity { k: asked.k, levels: Level::ALL.iter().map(at).collect(), last }
    }

    /// The policy whose last stage releases at a level.
    #[must_use]
    pub fn policy(&self, level: Level) -> &Policy {
        match self.levels.get(level as usize) {
            Some(policy) => policy,
            None => unreachable!("there is a policy for each level"),
        }
    }

    /// The cell of a record; `None` where the engine cannot answer for it.
    pub fn cell(
        &self,
        engine: &Engine,
        scratch: &mut Scratch,
        record: &Record<'_>,
        at_ms: i64,
    ) -> Option<Cell> {
        let day = day_of(at_ms);
        let tables: Vec<&ActionTable> = self
            .levels
            .iter()
            .filter_map(|level| level.stages.get(self.last))
            .map(|stage| &stage.actions)
            .collect();
        let mut digests: Vec<Sha256> = Level::ALL.iter().map(|level| start(day, *level)).collect();
        let policy = self.policy(Level::Coarsest);
        let told = engine.shown(scratch, policy, &TELLING, &tables, record, &mut |place, class, shown| {
            if let Some(digest) = digests.get_mut(place) {
                add(digest, class.word().as_bytes());
                add(digest, shown);
            }
        });
        scratch.counts().clear();
        told.ok()?;
        for field in STATUS {
            let Some(status) = engine.extract(scratch, record, field) else { continue };
            for digest in &mut digests {
                add(digest, field.as_bytes());
                add(digest, status);
            }
        }
        let mut names = [0; Level::ALL.len()];
        for (name, digest) in names.iter_mut().zip(digests) {
            let bytes: [u8; 32] = digest.finalize().into();
            let [a, b, c, d, e, f, g, h, ..] = bytes;
            *name = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        }
        Some(Cell { day, names })
    }
}

fn start(day: i64, level: Level) -> Sha256 {
    let mut digest = Sha256::new();
    digest.update([level as u8]);
    digest.update(day.to_be_bytes());
    digest
}

/// The length before the bytes: two values never run into each other.
fn add(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// What the last stage does at a level.
fn table(finest: &ActionTable, level: Level) -> ActionTable {
    ActionTable::of_each(|class| {
        let action = finest.of(class)?;
        let now = match class {
            Class::Ip => level >= Level::Country,
            Class::Timestamp | Class::UserAgent => level >= Level::Day,
            Class::SubjectId => level >= Level::Coarsest,
            _ => false,
        };
        Some(if now { coarser(class, action) } else { action })
    })
}

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
    /// Whether anything was counted.
    known: bool,
}

impl Day {
    /// From how often each cell was counted.
    fn of(cells: &BTreeMap<Cell, u64>, k: u64) -> Self {
        let mut day = Day { known: !cells.is_empty(), ..Day::default() };
        let mut rest: Vec<(&Cell, u64)> = cells.iter().map(|(cell, count)| (cell, *count)).collect();
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
        if !self.known {
            return Verdict::Release(Level::Coarsest);
        }
        let mut levels = Level::ALL.into_iter().zip(&cell.names).zip(&self.enough);
        let found = levels.find(|((_, name), enough)| enough.contains(name));
        found.map_or(Verdict::TooFew, |((level, _), _)| Verdict::Release(level))
    }
}

/// The tables of closed days that a worker has at hand.
#[derive(Default)]
pub struct Days {
    days: BTreeMap<i64, Day>,
}

/// How many days are read at once, and kept: records come out of a lane day by day.
const AT_ONCE: i64 = 32;

impl Days {
    /// How a record goes out. Reads the counts topic where the day's table is not at hand.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn verdict<S: Store>(
        &mut self,
        store: &S,
        topic: &str,
        k: u64,
        cell: &Cell,
        now_ms: i64,
    ) -> Result<Verdict, StoreError> {
        if !is_closed(cell.day, now_ms) {
            return Ok(Verdict::Release(Level::Coarsest));
        }
        if !self.days.contains_key(&cell.day) {
            let wanted: BTreeSet<i64> =
                (cell.day..cell.day.saturating_add(AT_ONCE)).filter(|day| is_closed(*day, now_ms)).collect();
            self.days = read(store, topic, k, &wanted).map_err(StoreError::of_a_look)?;
        }
        Ok(self.days.get(&cell.day).map_or(Verdict::Release(Level::Coarsest), |day| day.verdict(cell)))
    }
}

impl Anonymity {
    #[must_use]
    pub fn k(&self) -> u64 {
        self.k
    }
}

fn read<S: Store>(
    store: &S,
    topic: &str,
    k: u64,
    wanted: &BTreeSet<i64>,
) -> Result<BTreeMap<i64, Day>, StoreError> {
    let starts: Vec<(i32, i64)> =
        store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    // The newest record of a key is all that counts.
    let mut newest: HashMap<(i32, Vec<u8>), (Cell, u64)> = HashMap::new();
    store.scan_each(topic, &starts, &mut |fetched| {
        let key = fetched.record.key.filter(|key| key.starts_with(b"cell/"));
        let cell = key.and_then(|key| std::str::from_utf8(key).ok()).and_then(Cell::from_key);
        let total = fetched.record.value.and_then(Total::from_json);
        if let (Some(key), Some(cell), Some(total)) = (key, cell, total)
            && wanted.contains(&cell.day)
        {
            newest.insert((fetched.place.partition, key.to_vec()), (cell, total.records));
        }
        Flow::Next
    })?;
    let mut days: BTreeMap<i64, BTreeMap<Cell, u64>> =
        wanted.iter().map(|day| (*day, BTreeMap::new())).collect();
    for (cell, count) in newest.into_values() {
        *days.entry(cell.day).or_default().entry(cell).or_default() += count;
    }
    Ok(days.into_iter().map(|(day, cells)| (day, Day::of(&cells, k))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(names: [u64; 4]) -> Cell {
        Cell { day: 20_000, names }
    }

    #[test]
    fn keys_read_back() {
        let cell = cell([1, 2, u64::MAX, 0]);
        let key = cell.key("logs@id@7");
        assert_eq!(
            key,
            "cell/20000/logs@id@7/0000000000000001-0000000000000002-ffffffffffffffff-0000000000000000"
        );
        assert_eq!(Cell::from_key(&key), Some(cell));
        assert_eq!(Cell::from_key("count/billing/2026-03-02/c/[]"), None);
    }

    #[test]
    fn a_day_is_open_then_neither_then_closed() {
        let end = 20_001 * DAY_MS;
        for (now, open, closed) in [
            (end - 1, true, false),
            (end + 22 * HOUR_MS, true, false),
            (end + 23 * HOUR_MS, false, false),
            (end + 24 * HOUR_MS - 1, false, false),
            (end + 24 * HOUR_MS, false, true),
        ] {
            assert_eq!((is_open(20_000, now), is_closed(20_000, now)), (open, closed), "{}", now - end);
        }
        assert_eq!((day_of(end - 1), day_of(end), day_of(-1)), (20_000, 20_001, -1));
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
        let day = Day::of(&cells.into_iter().collect(), 11);
        let of = |names| day.verdict(&cell(names));
        assert_eq!(of([1, 10, 100, 1000]), Verdict::Release(Level::Finest));
        assert_eq!(of([2, 10, 100, 1000]), Verdict::Release(Level::Country));
        assert_eq!(of([5, 21, 200, 2000]), Verdict::Release(Level::Day));
        assert_eq!(of([6, 30, 300, 3000]), Verdict::TooFew);
        assert_eq!(of([7, 10, 100, 1000]), Verdict::Release(Level::Country), "late, and among others");
        assert_eq!(Day::default().verdict(&cell([1, 10, 100, 1000])), Verdict::Release(Level::Coarsest));
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
            let day = Day::of(&cells, k);
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

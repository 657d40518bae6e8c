//! Cells: how many records of a day show the same place, route, status, user agent and account, so that none
//! stands out among those that are released (k-anonymity).
//!
//! Scrub counts each record's cell in its own transaction, in the counts topic under
//! `cell/<day>/<chunk>/<names>`; the names are made of what the record would show at each [`Level`], under the day's own
//! secret ([`super::day_key`]). A day is *closed* a day after its end: scrub counts for it no longer (it stops an hour
//! earlier, so that what was begun is committed), and the table of the day is the same for whoever reads it
//! ([`super::day`]). At release a record of a closed day gets the finest level at which at least `k` records show the
//! same: those that are fine enough go, the rest is looked at one level coarser, and what is too few at the coarsest
//! level is only counted. A record of a day that is not closed, or of which nothing was counted, gets the coarsest
//! level.
//!
//! Names say what a record shows under the rules and the actions that made them ([`Reading`]). After those change, a
//! record of a day may show something else than what was counted of it, and others with it: only cells of the reading
//! that releases count, and what is not enough among them leaves in the coarsest form where the day was counted under
//! another reading, too. (A database of places is no part of it: one that was updated moves few addresses, and what it
//! moves among too few is only counted.)
//!
//! A worker counts [`MOST_CELLS`] different cells of a day in a chunk; the records of further ones are not counted,
//! which makes them coarser, or too few. When nothing of a day is held any more, its secret and its cells go
//! ([`super::day_end`]).

use super::day_key::DayKey;
use crate::class::Class;
use crate::engine::{Engine, Scratch};
use crate::policy::{self, ActionTable, Policy, coarser};
use crate::record::Record;
use crate::rule::RuleSet;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

pub(super) const DAY_MS: i64 = 86_400_000;
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

/// Names everything that decides what a record shows, beside the record itself and the places of addresses: this
/// logscrub, its rules, and what the policy's last stage does at each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading(u64);

impl Reading {
    #[cfg(test)]
    pub(super) const fn numbered(number: u64) -> Self {
        Reading(number)
    }

    fn of(policy: &Policy, levels: &[ActionTable], rules: &RuleSet) -> Self {
        let mut digest = Sha256::new();
        let Policy { unknown_fields, city_floor, region, .. } = policy;
        let actions = format!("{levels:?} {unknown_fields:?} {city_floor} {region:?} {:?}", rules.phone);
        for part in [env!("CARGO_PKG_VERSION"), &rules.digest, &actions] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = digest.finalize().into();
        Reading(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A record's cell: its day, counted from 1970 in UTC, and the name of what it shows at each level under a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub day: i64,
    pub reading: Reading,
    pub names: [u64; Level::ALL.len()],
}

impl Cell {
    /// The key of a counts record.
    #[must_use]
    pub fn key(&self, chunk: &str) -> String {
        let [finest, country, day, coarsest] = self.names;
        let Reading(reading) = self.reading;
        format!(
            "cell/{}/{chunk}/{reading:016x}-{finest:016x}-{country:016x}-{day:016x}-{coarsest:016x}",
            self.day
        )
    }

    /// Reads a key back; `None` where it is not one of a cell.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Cell> {
        let mut parts = key.strip_prefix("cell/")?.splitn(3, '/');
        let day = parts.next()?.parse().ok()?;
        let mut names = parts.nth(1)?.split('-').map(|name| u64::from_str_radix(name, 16));
        let mut next = || names.next()?.ok();
        Some(Cell { day, reading: Reading(next()?), names: [next()?, next()?, next()?, next()?] })
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
    now_ms < closed_ms(day) - HOUR_MS
}

/// Whether everything that scrub counted of a day is there.
#[must_use]
pub fn is_closed(day: i64, now_ms: i64) -> bool {
    now_ms >= closed_ms(day)
}

/// When a day is closed.
#[must_use]
pub fn closed_ms(day: i64) -> i64 {
    ends_ms(day).saturating_add(CLOSED_AFTER_MS)
}

/// The first moment that is no longer of a day.
#[must_use]
pub fn ends_ms(day: i64) -> i64 {
    day.saturating_add(1).saturating_mul(DAY_MS)
}

/// What a policy with `k` asks for.
pub struct Anonymity {
    k: u64,
    /// By level: the policy with what its last stage does at that level.
    levels: Vec<Policy>,
    last: usize,
    reading: Reading,
}

impl Anonymity {
    /// `None` where the policy does not ask for it.
    #[must_use]
    pub fn of(policy: &Policy, rules: &RuleSet) -> Option<Self> {
        policy.anonymity.as_ref().map(|asked| Anonymity::asked(policy, asked, rules))
    }

    /// For whoever looks at what a policy released, whether or not it asks for `k` itself.
    #[must_use]
    pub fn measuring(policy: &Policy, k: u64, rules: &RuleSet) -> Self {
        let finest = || policy.stages.last().map(|stage| stage.actions.clone());
        let own = policy.anonymity.as_ref().map(|asked| asked.finest.clone()).or_else(finest);
        let finest = own.unwrap_or_else(|| ActionTable::of_each(|_| None));
        Anonymity::asked(policy, &policy::Anonymity { k, finest }, rules)
    }

    fn asked(policy: &Policy, asked: &policy::Anonymity, rules: &RuleSet) -> Self {
        let last = policy.stages.len().saturating_sub(1);
        let tables = Level::ALL.map(|level| table(&asked.finest, level));
        let reading = Reading::of(policy, &tables, rules);
        let at = |actions| {
            let mut leveled = policy.clone();
            if let Some(stage) = leveled.stages.get_mut(last) {
                stage.actions = actions;
            }
            leveled
        };
        Anonymity { k: asked.k, levels: tables.map(at).into(), last, reading }
    }

    #[must_use]
    pub fn k(&self) -> u64 {
        self.k
    }

    /// Under what it makes names.
    #[must_use]
    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// The policy whose last stage releases at a level.
    #[must_use]
    pub fn policy(&self, level: Level) -> &Policy {
        match self.levels.get(level as usize) {
            Some(policy) => policy,
            None => unreachable!("there is a policy for each level"),
        }
    }

    /// The cell of a record of a day, whose key makes the names; `None` where the engine cannot answer for it.
    pub fn cell(
        &self,
        engine: &Engine,
        scratch: &mut Scratch,
        record: &Record<'_>,
        day: i64,
        key: &DayKey,
    ) -> Option<Cell> {
        let tables: Vec<&ActionTable> = self
            .levels
            .iter()
            .filter_map(|level| level.stages.get(self.last))
            .map(|stage| &stage.actions)
            .collect();
        let mut digests: Vec<Hmac<Sha256>> = Level::ALL.iter().map(|level| start(key, day, *level)).collect();
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
            let bytes: [u8; 32] = digest.finalize().into_bytes().into();
            let [a, b, c, d, e, f, g, h, ..] = bytes;
            *name = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        }
        Some(Cell { day, reading: self.reading, names })
    }
}

fn start(key: &DayKey, day: i64, level: Level) -> Hmac<Sha256> {
    let mut digest = key.digest();
    digest.update(&[level as u8]);
    digest.update(&day.to_be_bytes());
    digest
}

/// The length before the bytes: two values never run into each other.
fn add(digest: &mut Hmac<Sha256>, bytes: &[u8]) {
    digest.update(&(bytes.len() as u64).to_be_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(names: [u64; 4]) -> Cell {
        Cell { day: 20_000, reading: Reading::numbered(0xabc), names }
    }

    #[test]
    fn keys_read_back() {
        let cell = cell([1, 2, u64::MAX, 0]);
        let key = cell.key("logs@id@7");
        assert_eq!(
            key,
            "cell/20000/logs@id@7/0000000000000abc-0000000000000001-0000000000000002-ffffffffffffffff-0000000000000000"
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
}

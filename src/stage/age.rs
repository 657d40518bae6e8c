//! Ages: what time a record's age counts from, and when it is due for each stage.

use super::event::{Mark, Seen};
use crate::engine::{Engine, Scratch, TimeSource};
use crate::policy::{After, Clock, Margin, Period, Policy, milliseconds, shortest_of_ms};
use crate::record::Record;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The times of a record that its ages count from: never later than when we first read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// The record's own time as the source had it, made plausible.
    pub record_ms: i64,
    /// Per field clock of the policy then in force: [`clock_id`] and the event time. Where windows are per
    /// account: [`account_field_id`] and [`account_id`].
    pub fields: Vec<(u32, i64)>,
}

/// Names a clock in a held record: FNV-1a over its field's path.
#[must_use]
pub fn clock_id(field: &str) -> u32 {
    field.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Names the field that tells a record's account, beside the clocks.
#[must_use]
pub fn account_field_id(field: &str) -> u32 {
    clock_id(&format!("account {field}"))
}

/// Names an event.
#[must_use]
pub fn event_id(id: &str) -> u32 {
    clock_id(&format!("event {id}"))
}

/// Names an account in a held record: the first eight bytes of its SHA-256. A middle stage may remove
/// the account from the record itself.
#[must_use]
pub fn account_id(account: &[u8]) -> i64 {
    let digest: [u8; 32] = Sha256::digest(account).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    i64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// A policy's ladder in time.
#[derive(Clone, Debug)]
pub struct Schedule {
    stages: Vec<Rung>,
    /// The distinct field clocks: id and clock.
    fields: Vec<(u32, Clock)>,
    /// The distinct fields that tell the account: id and path.
    account_fields: Vec<(u32, String)>,
    /// What ends the last window sooner: the event, the field that tells whose, and how long after.
    events: Vec<(u32, u32, Period)>,
    seen: Arc<RwLock<Seen>>,
    margin_ms: i64,
    oldest_plausible_ms: i64,
}

#[derive(Clone, Debug)]
struct Rung {
    after: Period,
    /// `None`: the record's time.
    field: Option<u32>,
    /// The field that tells the account, and the windows of those that have their own.
    accounts: Option<(u32, BTreeMap<i64, Period>)>,
}

/// Why a policy cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error(
        "policy `{policy}` does not say how long stage `{stage}` waits, since its document does not: set it in the \
         config, `windows.{stage} = \"60d\"` under `[[pipeline]]`, or `default` in the stage's `after`"
    )]
    NoAge { policy: String, stage: String },
    #[error(
        "the margin of {margin_seconds} s is half of the {window_seconds} s window of stage `{stage}` or more: \
         shorten lanes, tick, release_every or purge_interval, or set a smaller margin"
    )]
    Margin { stage: String, margin_seconds: i64, window_seconds: i64 },
}

/// What the automatic margin is made of, each the most it can take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Slack {
    pub shortest_lane_ms: i64,
    pub tick_ms: i64,
    pub release_every_ms: i64,
    pub transaction_ms: i64,
    pub purge_interval_ms: i64,
    /// From a purge until the bytes have left the disk (segment roll, retention check, file delay).
    pub erase_ms: i64,
}

impl Slack {
    #[must_use]
    pub fn total_ms(&self) -> i64 {
        self.shortest_lane_ms
            + self.tick_ms
            + self.release_every_ms
            + self.transaction_ms
            + self.purge_interval_ms
            + self.erase_ms
    }
}

/// How long before the end of a window a policy releases.
#[must_use]
pub fn margin_ms(policy: &Policy, slack: &Slack) -> i64 {
    match policy.margin {
        Margin::Auto => slack.total_ms(),
        Margin::Fixed { seconds } => i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000),
    }
}

impl Schedule {
    /// # Errors
    /// See [`ScheduleError`].
    pub fn new(policy: &Policy, margin_ms: i64) -> Result<Self, ScheduleError> {
        let mut fields: Vec<(u32, Clock)> = Vec::new();
        let mut account_fields: Vec<(u32, String)> = Vec::new();
        let mut stages = Vec::new();
        for (place, stage) in policy.stages.iter().enumerate() {
            let Some(after) = stage.after.default_period() else {
                return Err(ScheduleError::NoAge { policy: policy.id.clone(), stage: stage.id.clone() });
            };
            let window_ms = shortest_of_ms(stage).unwrap_or(i64::MAX);
            if place > 0 && margin_ms > 0 && margin_ms.saturating_mul(2) >= window_ms {
                return Err(ScheduleError::Margin {
                    stage: stage.id.clone(),
                    margin_seconds: margin_ms / 1000,
                    window_seconds: window_ms / 1000,
                });
            }
            let field = match stage.clock.as_ref().unwrap_or(&policy.clock) {
                Clock::Record => None,
                clock @ Clock::Field(path) => {
                    let id = clock_id(path);
                    if !fields.iter().any(|(known, _)| *known == id) {
                        fields.push((id, clock.clone()));
                    }
                    Some(id)
                }
            };
            let accounts = match &stage.after {
                After::Period(_) | After::Unset => None,
                After::PerAccount { by, accounts, .. } => {
                    let id = account_field_id(by);
                    if !account_fields.iter().any(|(known, _)| *known == id) {
                        account_fields.push((id, by.clone()));
                    }
                    let windows =
                        accounts.0.iter().map(|(name, window)| (account_id(name.as_bytes()), *window));
                    Some((id, windows.collect()))
                }
            };
            stages.push(Rung { after, field, accounts });
        }
        let oldest_plausible_ms = milliseconds(policy.oldest_plausible);
        let mut events = Vec::new();
        for event in &policy.events {
            let field = account_field_id(&event.by);
            if !account_fields.iter().any(|(known, _)| *known == field) {
                account_fields.push((field, event.by.clone()));
            }
            events.push((event_id(&event.id), field, event.after));
        }
        let seen = Arc::default();
        Ok(Schedule { stages, fields, account_fields, events, seen, margin_ms, oldest_plausible_ms })
    }

    /// Reads a record's times. The second number says how many clocks fell back to the record's time
    /// because their field was absent, unreadable or not plausible.
    #[must_use]
    pub fn read(
        &self,
        engine: &Engine,
        scratch: &mut Scratch,
        record: &Record<'_>,
        now_ms: i64,
    ) -> (Times, u64) {
        let record_ms =
            record.timestamp_ms.filter(|ms| self.plausible(*ms, now_ms)).unwrap_or(now_ms).min(now_ms);
        let mut times = Times { record_ms, fields: Vec::with_capacity(self.fields.len()) };
        let mut fell_back = 0;
        for (id, clock) in &self.fields {
            let ms = self.read_field(engine, scratch, clock, record, now_ms);
            fell_back += u64::from(ms.is_none());
            times.fields.push((*id, ms.unwrap_or(record_ms)));
        }
        self.read_accounts(&mut times, engine, scratch, record);
        (times, fell_back)
    }

    /// Adds the clocks that the policy has now and a held record does not know yet.
    pub fn complete(&self, times: &mut Times, engine: &Engine, scratch: &mut Scratch, original: &Record<'_>) {
        for (id, clock) in &self.fields {
            if times.fields.iter().any(|(known, _)| known == id) {
                continue;
            }
            // Never later than the moment the record was first read, which is no earlier than this.
            let ms = self.read_field(engine, scratch, clock, original, times.record_ms);
            times.fields.push((*id, ms.unwrap_or(times.record_ms)));
        }
        self.read_accounts(times, engine, scratch, original);
    }

    fn read_accounts(&self, times: &mut Times, engine: &Engine, scratch: &mut Scratch, record: &Record<'_>) {
        for (id, path) in &self.account_fields {
            if times.fields.iter().any(|(known, _)| known == id) {
                continue;
            }
            // Without an account it is nobody's: no account has that number but by a chance of 1 in 2^64.
            let account = engine.extract(scratch, record, path).map_or(0, account_id);
            times.fields.push((*id, account));
        }
    }

    fn read_field(
        &self,
        engine: &Engine,
        scratch: &mut Scratch,
        clock: &Clock,
        record: &Record<'_>,
        latest_ms: i64,
    ) -> Option<i64> {
        let event = engine.event_time(scratch, clock, record);
        let ms = event.ms.filter(|_| event.source == TimeSource::Field)?;
        self.plausible(ms, latest_ms).then(|| ms.min(latest_ms))
    }

    fn plausible(&self, ms: i64, now_ms: i64) -> bool {
        ms >= now_ms.saturating_sub(self.oldest_plausible_ms)
    }

    /// What a record's age counts from at a stage.
    #[must_use]
    pub fn from_ms(&self, stage: usize, times: &Times) -> i64 {
        let field = self.stages.get(stage).and_then(|rung| rung.field);
        let known = field.and_then(|id| times.fields.iter().find(|(field, _)| *field == id));
        known.map_or(times.record_ms, |(_, ms)| *ms)
    }

    /// When a record is due for a stage: its window's end, less the margin.
    #[must_use]
    pub fn due_ms(&self, stage: usize, times: &Times) -> i64 {
        let Some(rung) = self.stages.get(stage) else { return i64::MAX };
        let from = self.from_ms(stage, times);
        let own = rung.accounts.as_ref().and_then(|(id, windows)| {
            let (_, account) = times.fields.iter().find(|(field, _)| field == id)?;
            windows.get(account)
        });
        let due_ms = own.unwrap_or(&rung.after).due(from);
        let ended_ms = if stage == self.last() { self.ended_ms(times, from) } else { None };
        ended_ms.map_or(due_ms, |ended_ms| due_ms.min(ended_ms)).saturating_sub(self.margin_ms)
    }

    /// When the last record that counts from before a moment is due for the last stage, whoever's it is.
    #[must_use]
    pub fn latest_due_ms(&self, before_ms: i64) -> i64 {
        let Some(rung) = self.stages.last() else { return i64::MAX };
        let own = rung.accounts.iter().flat_map(|(_, windows)| windows.values());
        let due_ms = own.map(|window| window.due(before_ms)).fold(rung.after.due(before_ms), i64::max);
        due_ms.saturating_sub(self.margin_ms)
    }

    /// When an event that was seen ends the last window of a record that counts from `from_ms`: the first event since
    /// then, however often it is told of again; of what came behind all of them, the last one before.
    fn ended_ms(&self, times: &Times, from_ms: i64) -> Option<i64> {
        if self.events.is_empty() {
            return None;
        }
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let ended = |(event, field, after): &(u32, u32, Period)| {
            let (_, of) = times.fields.iter().find(|(known, _)| known == field)?;
            let marks = || seen.range(Mark::all_of(*event, *of)).map(|(_, at_ms)| *at_ms);
            let since = marks().filter(|at_ms| *at_ms >= from_ms).min();
            since.or_else(|| marks().max()).map(|at_ms| after.due(at_ms))
        };
        self.events.iter().filter_map(ended).min()
    }

    /// Marks of events were seen, or seen to be gone, in this order.
    pub fn saw(&self, marks: Vec<(Mark, Option<i64>)>) {
        if marks.is_empty() {
            return;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        for (mark, at_ms) in marks {
            match at_ms {
                Some(at_ms) => seen.insert(mark, at_ms),
                None => seen.remove(&mark),
            };
        }
    }

    /// How many marks of events are known.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether the window that an event began is over, too: nothing of before it is due any later by the event.
    pub(super) fn event_is_over(&self, mark: &Mark, at_ms: i64, now_ms: i64) -> bool {
        let after = self.events.iter().find(|(event, ..)| *event == mark.event());
        after.is_none_or(|(_, _, after)| after.due(at_ms) <= now_ms) && self.latest_due_ms(at_ms) <= now_ms
    }

    /// The number of the last stage.
    #[must_use]
    pub fn last(&self) -> usize {
        self.stages.len().saturating_sub(1)
    }

    #[must_use]
    pub fn margin_ms(&self) -> i64 {
        self.margin_ms
    }

    /// When a record that cannot be worked on must be gone: the earliest of the later windows.
    #[must_use]
    pub fn strictest_ms(&self, times: &Times) -> i64 {
        (1..self.stages.len()).map(|stage| self.due_ms(stage, times)).min().unwrap_or(i64::MAX)
    }
}

/// The first whole multiple of `every_ms` at or after a moment; the moment itself where there are no
/// marks.
#[must_use]
pub fn mark_ms(at_ms: i64, every_ms: i64) -> i64 {
    if every_ms <= 0 {
        return at_ms;
    }
    match at_ms.rem_euclid(every_ms) {
        0 => at_ms,
        past => at_ms.saturating_add(every_ms - past),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::shipped;
    use crate::rule::RuleSet;
    use std::sync::Arc;

    const NOW: i64 = 1_800_000_000_000;
    const DAY: i64 = 86_400_000;

    #[test]
    fn a_record_without_a_believable_time_counts_from_now() {
        let policy = shipped("default", &[]).unwrap().unwrap().policy;
        let schedule = Schedule::new(&policy, 0).unwrap();
        let engine = Engine::new(Arc::new(RuleSet::default()), None);
        for (time, expected) in [
            (None, NOW),
            (Some(NOW - 5 * DAY), NOW - 5 * DAY),
            (Some(NOW + 5 * DAY), NOW),
            (Some(-1), NOW),
            (Some(0), NOW),
            (Some(i64::MIN), NOW),
            (Some(i64::MAX), NOW),
        ] {
            let record = Record { timestamp_ms: time, ..Record::default() };
            let (times, _) = schedule.read(&engine, &mut Scratch::default(), &record, NOW);
            assert_eq!(times.record_ms, expected, "{time:?}");
            assert_eq!(schedule.due_ms(1, &times), expected + 90 * DAY);
        }
    }

    #[test]
    fn a_margin_of_half_the_window_is_refused() {
        let policy = shipped("default", &[]).unwrap().unwrap().policy;
        assert!(Schedule::new(&policy, 45 * DAY - 1).is_ok());
        let refused = Schedule::new(&policy, 45 * DAY).unwrap_err();
        assert!(matches!(refused, ScheduleError::Margin { .. }), "{refused}");
    }

    #[test]
    fn marks_are_whole_multiples() {
        assert_eq!(mark_ms(7_200_000, 3_600_000), 7_200_000);
        assert_eq!(mark_ms(7_200_001, 3_600_000), 10_800_000);
        assert_eq!(mark_ms(-1, 3_600_000), 0);
        assert_eq!(mark_ms(12_345, 0), 12_345);
    }
}

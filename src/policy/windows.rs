//! How long a policy lets records be. Periods are as short as they can last (a month is 28 days), in milliseconds.

use super::{After, Period, Policy, Stage};
use std::collections::{BTreeSet, HashSet};

/// The windows of a policy's later stages, and of whom they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// Where no account has its own.
    usual: BTreeSet<i64>,
    /// Those of single accounts.
    own: BTreeSet<i64>,
    /// Of the last stage, whoever's.
    last: BTreeSet<i64>,
}

impl Windows {
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let mut windows = Windows::default();
        for (place, stage) in policy.stages.iter().enumerate().skip(1) {
            let own: BTreeSet<i64> = own(stage).collect();
            let usual = stage.after.default_period().map(milliseconds);
            if place + 1 == policy.stages.len() {
                windows.last = own.iter().copied().chain(usual).collect();
            }
            windows.own.extend(own);
            windows.usual.extend(usual);
        }
        windows
    }

    /// The different windows that hold where no account has its own, shortest first.
    pub fn usual_ms(&self) -> impl Iterator<Item = i64> {
        self.usual.iter().copied()
    }

    /// The last of those: the age at which most originals must be gone. `None` where nothing is held.
    #[must_use]
    pub fn usual_last_ms(&self) -> Option<i64> {
        self.usual.last().copied()
    }

    /// The longest that any original is held.
    #[must_use]
    pub fn longest_ms(&self) -> Option<i64> {
        self.usual.last().max(self.own.last()).copied()
    }

    /// The shortest after which an original, or a part of one, must be gone.
    #[must_use]
    pub fn shortest_ms(&self) -> Option<i64> {
        self.usual.iter().chain(&self.own).min().copied()
    }

    /// The shortest after which a record is de-identified.
    #[must_use]
    pub fn shortest_last_ms(&self) -> Option<i64> {
        self.last.first().copied()
    }
}

/// The shortest that a stage's window can last, for whichever account; `None` where the operator has to set one.
#[must_use]
pub fn shortest_of_ms(stage: &Stage) -> Option<i64> {
    let usual = stage.after.default_period().map(milliseconds)?;
    Some(own(stage).fold(usual, i64::min))
}

/// The least that a period lasts.
#[must_use]
pub fn milliseconds(period: Period) -> i64 {
    i64::try_from(period.shortest_seconds()).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
}

fn own(stage: &Stage) -> impl Iterator<Item = i64> {
    let accounts = match &stage.after {
        After::Period(_) | After::Unset => None,
        After::PerAccount { accounts, .. } => Some(accounts),
    };
    // Many accounts have few different windows.
    let own: HashSet<Period> =
        accounts.into_iter().flat_map(|accounts| accounts.0.values().copied()).collect();
    own.into_iter().map(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::policy::{Accounts, shipped};

    const DAY: i64 = 86_400_000;

    #[test]
    fn accounts_have_their_part_in_every_answer() {
        let mut policy = shipped("wasms", &[]).unwrap().unwrap().policy;
        let windows = Windows::of(&policy);
        assert_eq!(windows.usual_ms().collect::<Vec<_>>(), [90 * DAY]);
        assert_eq!((windows.shortest_ms(), windows.longest_ms()), (Some(90 * DAY), Some(90 * DAY)));
        let text = "\"acct-1\" = \"7d\"\n\"acct-2\" = \"400d\"\n".into();
        let accounts = Accounts::compile(&Source { name: "accounts.toml".into(), text });
        policy.set_accounts(&accounts.unwrap_or_else(|errors| panic!("{errors}"))).unwrap();
        let windows = Windows::of(&policy);
        assert_eq!(windows.usual_last_ms(), Some(90 * DAY));
        assert_eq!((windows.shortest_ms(), windows.longest_ms()), (Some(7 * DAY), Some(400 * DAY)));
        assert_eq!(windows.shortest_last_ms(), Some(7 * DAY));
        assert_eq!(policy.stages.last().and_then(shortest_of_ms), Some(7 * DAY));
    }

    #[test]
    fn a_ladder_ends_with_its_last_window() {
        let windows = Windows::of(&shipped("mossmoon", &[]).unwrap().unwrap().policy);
        assert_eq!(windows.usual_ms().collect::<Vec<_>>(), [30 * DAY, 90 * DAY]);
        assert_eq!((windows.shortest_ms(), windows.shortest_last_ms()), (Some(30 * DAY), Some(90 * DAY)));
    }
}

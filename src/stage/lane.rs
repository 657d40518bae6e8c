//! Lanes: a timing wheel made of topics.
//!
//! All records of a lane wait the same time from their append, so its head is always the next one
//! out, whatever the order of event times.

use super::topics::Topics;
use crate::policy::{Policy, Windows};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The lanes below a policy's own, where the config names none.
pub const DEFAULT_SECONDS: [u64; 5] = [30 * 86_400, 7 * 86_400, 86_400, 4 * 3600, 3600];

/// A held topic and how long its records wait from their append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    pub delay_ms: i64,
    pub topic: Arc<str>,
}

/// The lanes that records are put into, longest first. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lanes(Vec<Lane>);

/// A policy that holds nothing, since `scrub` is its only stage, has no lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldsNothing;

impl Lanes {
    /// The lanes of a policy: its windows less the margin, the gaps between its windows, and
    /// `below` where they are shorter than the longest of those.
    ///
    /// # Errors
    /// [`HoldsNothing`].
    pub fn of(policy: &Policy, margin_ms: i64, below: &[u64], topics: &Topics) -> Result<Self, HoldsNothing> {
        let usual = Windows::of(policy);
        let windows: Vec<u64> =
            usual.usual_ms().map(|ms| ms.unsigned_abs() / 1000).filter(|seconds| *seconds > 0).collect();
        let Some(longest) = windows.last().copied() else { return Err(HoldsNothing) };
        let margin = u64::try_from(margin_ms).unwrap_or(0).div_ceil(1000);
        let own = windows.iter().map(|window| window.saturating_sub(margin));
        let gaps = windows.iter().zip(windows.iter().skip(1)).map(|(shorter, longer)| longer - shorter);
        let below = below.iter().copied().filter(|delay| *delay < longest);
        let delays: BTreeSet<u64> = own.chain(gaps).chain(below).filter(|delay| *delay > 0).collect();
        let lanes: Vec<_> = delays
            .into_iter()
            .rev()
            .map(|seconds| Lane {
                delay_ms: i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000),
                topic: topics.lane(seconds),
            })
            .collect();
        if lanes.is_empty() { Err(HoldsNothing) } else { Ok(Lanes(lanes)) }
    }

    /// The shortest lane's delay: how late a record can be released for the lanes' sake.
    #[must_use]
    pub fn shortest_ms(&self) -> i64 {
        self.0.last().map_or(0, |lane| lane.delay_ms)
    }

    /// The longest lane that a record can wait in and still be out no later than the shortest
    /// lane's delay after its time. For `residual_ms > 0` there always is one.
    #[must_use]
    pub fn choose(&self, residual_ms: i64) -> &Lane {
        let latest = residual_ms.saturating_add(self.shortest_ms());
        let fits = self.0.iter().find(|lane| lane.delay_ms <= latest);
        match fits.or(self.0.last()) {
            Some(lane) => lane,
            None => unreachable!("there is at least one lane"),
        }
    }

    /// Longest first.
    pub fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::shipped;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;

    fn lanes(policy: &str, margin_ms: i64, below: &[u64]) -> Lanes {
        let policy = shipped(policy, &[]).unwrap().unwrap().policy;
        Lanes::of(&policy, margin_ms, below, &Topics::of("s")).unwrap()
    }

    fn names(lanes: &Lanes) -> Vec<String> {
        lanes.iter().map(|lane| lane.topic.strip_prefix("s.held.").unwrap().to_owned()).collect()
    }

    #[test]
    fn lanes_are_the_windows_the_gaps_and_what_is_below() {
        assert_eq!(names(&lanes("default", 0, &DEFAULT_SECONDS)), ["90d", "30d", "7d", "1d", "4h", "1h"]);
        assert_eq!(
            names(&lanes("mossmoon", 0, &DEFAULT_SECONDS)),
            ["90d", "60d", "30d", "7d", "1d", "4h", "1h"]
        );
        assert_eq!(names(&lanes("default", 7 * HOUR, &[100 * 86_400, 60])), ["2153h", "1min"]);
    }

    #[test]
    fn a_record_takes_the_longest_lane_that_fits() {
        let lanes = lanes("default", 0, &DEFAULT_SECONDS);
        for (residual, name) in [
            (90 * DAY, "s.held.90d"),
            (90 * DAY - HOUR, "s.held.90d"),
            (90 * DAY - HOUR - 1, "s.held.30d"),
            (30 * DAY, "s.held.30d"),
            (8 * DAY, "s.held.7d"),
            (5 * HOUR, "s.held.4h"),
            (HOUR, "s.held.1h"),
            (1, "s.held.1h"),
        ] {
            assert_eq!(lanes.choose(residual).topic.as_ref(), name, "{residual}");
        }
    }

    proptest::proptest! {
        /// Followed from lane to lane, a record comes out neither early nor more than the shortest
        /// lane late.
        #[test]
        fn out_in_time(residual in 1i64..90 * DAY) {
            let lanes = lanes("default", 0, &DEFAULT_SECONDS);
            let mut left = residual;
            let mut copies = 0;
            while left > 0 {
                left -= lanes.choose(left).delay_ms;
                copies += 1;
            }
            proptest::prop_assert!(left >= -lanes.shortest_ms());
            proptest::prop_assert!(copies <= 2 + 4 + 6 + 6 + 4 + 1, "{copies}");
        }
    }
}

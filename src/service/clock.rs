//! The machine's clock, for stages.

use crate::stage::clock::Clock;
use crate::stage::store::StoreError;
use crate::telemetry::Metric;
use metrics::gauge;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "here time comes in")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    #[allow(clippy::disallowed_methods, reason = "here time comes in")]
    fn ticks_us(&self) -> u64 {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        u64::try_from(BEGUN.get_or_init(Instant::now).elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// How far the broker's clock and ours may be apart: lanes wait by the broker's stamps and our time.
pub const MOST_SKEW_MS: i64 = 5000;

/// How often at most somebody is asked who is right.
const ASK_EVERY_US: u64 = 10_000_000;

/// The machine's clock as it was at the start, and the time that has passed since. A clock that is set ahead while
/// the service runs would release everything at once, and none of it could be taken back: where the machine's clock
/// moves by itself, it is followed only once somebody else's agrees with it.
pub struct SteadyClock {
    wall: Box<dyn Clock>,
    /// What is added to the time since the process began.
    begun_ms: AtomicI64,
    /// When somebody was asked last, by the same time; 0 before.
    asked_us: AtomicU64,
}

impl SteadyClock {
    #[must_use]
    pub fn new(wall: Box<dyn Clock>) -> Self {
        let begun_ms = AtomicI64::new(wall.now_ms().saturating_sub(passed_ms()));
        SteadyClock { wall, begun_ms, asked_us: AtomicU64::new(0) }
    }

    /// To be called often. `ahead_ms` tells how far somebody else's clock is ahead of the one that it is given.
    pub fn tend(&self, ahead_ms: &dyn Fn(&dyn Clock) -> Result<i64, StoreError>) {
        let moved_ms = self.moved_ms();
        if moved_ms.abs() > MOST_SKEW_MS {
            self.ask(moved_ms, ahead_ms);
        }
        tell_doubt(self.moved_ms());
    }

    /// How far the machine's clock is ahead of the time we go by.
    fn moved_ms(&self) -> i64 {
        self.wall.now_ms().saturating_sub(self.now_ms())
    }

    fn ask(&self, moved_ms: i64, ahead_ms: &dyn Fn(&dyn Clock) -> Result<i64, StoreError>) {
        let now_us = self.ticks_us();
        let asked_us = self.asked_us.load(Ordering::SeqCst);
        if asked_us > 0 && now_us.saturating_sub(asked_us) < ASK_EVERY_US {
            return;
        }
        self.asked_us.store(now_us.max(1), Ordering::SeqCst);
        let moved_s = moved_ms / 1000;
        match ahead_ms(self.wall.as_ref()) {
            Ok(ahead_ms) if ahead_ms.abs() <= MOST_SKEW_MS => {
                self.begun_ms.fetch_add(moved_ms, Ordering::SeqCst);
                tracing::warn!(moved_s, "the machine's clock was set, and is followed");
            }
            Ok(ahead_ms) => {
                let broker_ahead_s = ahead_ms / 1000;
                tracing::error!(
                    moved_s,
                    broker_ahead_s,
                    "the machine's clock was set and the broker's was not: it is not followed, records go on waiting \
                     by the time that passes; let both machines keep time by NTP"
                );
            }
            Err(reason) => {
                tracing::error!(%reason, moved_s, "the machine's clock was set: it is not followed until the broker's agrees");
            }
        }
    }
}

impl Clock for SteadyClock {
    fn now_ms(&self) -> i64 {
        self.begun_ms.load(Ordering::SeqCst).saturating_add(passed_ms())
    }

    fn ticks_us(&self) -> u64 {
        SystemClock.ticks_us()
    }
}

/// What is small is nobody's doubt: clocks are kept right a little at a time.
fn tell_doubt(moved_ms: i64) {
    let doubt_ms = if moved_ms.abs() > MOST_SKEW_MS { moved_ms } else { 0 };
    gauge!(Metric::ClockDoubt.name()).set(doubt_ms as f64 / 1000.0);
}

/// Since the process first asked.
fn passed_ms() -> i64 {
    i64::try_from(SystemClock.ticks_us() / 1000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::clock::ManualClock;
    use std::cell::Cell;
    use std::sync::Arc;

    const DAY: i64 = 86_400_000;
    const BEGIN: i64 = 1_800_000_000_000;

    struct Shared(Arc<ManualClock>);

    impl Clock for Shared {
        fn now_ms(&self) -> i64 {
            self.0.now_ms()
        }
    }

    fn clocks() -> (Arc<ManualClock>, SteadyClock) {
        let wall = Arc::new(ManualClock::at(BEGIN));
        (wall.clone(), SteadyClock::new(Box::new(Shared(wall))))
    }

    #[track_caller]
    fn is_about(clock: &SteadyClock, want_ms: i64) {
        let off_ms = clock.now_ms() - want_ms;
        assert!((0..60_000).contains(&off_ms), "{off_ms} ms off");
    }

    #[test]
    fn a_jump_is_followed_only_where_another_clock_agrees() {
        for by in [100 * DAY, -3 * DAY] {
            let (wall, clock) = clocks();
            is_about(&clock, BEGIN);
            wall.advance(by);
            is_about(&clock, BEGIN);
            clock.tend(&|_| Ok(-by));
            is_about(&clock, BEGIN);
            let (wall, clock) = clocks();
            wall.advance(by);
            clock.tend(&|ours| {
                assert_eq!(ours.now_ms(), BEGIN + by, "the machine's clock is asked about");
                Ok(MOST_SKEW_MS)
            });
            is_about(&clock, BEGIN + by);
        }
    }

    #[test]
    fn who_does_not_answer_agrees_to_nothing_and_is_not_asked_all_the_time() {
        let (wall, clock) = clocks();
        let asked = Cell::new(0);
        let away = |_: &dyn Clock| {
            asked.set(asked.get() + 1);
            Err(StoreError::Unreachable("no broker".into()))
        };
        clock.tend(&away);
        wall.advance(MOST_SKEW_MS / 2);
        clock.tend(&away);
        assert_eq!(asked.get(), 0, "so little is no jump");
        wall.advance(100 * DAY);
        for _ in 0..5 {
            clock.tend(&away);
        }
        assert_eq!(asked.get(), 1);
        is_about(&clock, BEGIN);
    }
}

//! Time as stages see it: a number that somebody else supplies.

use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds since 1970 (UTC, no leap seconds). May jump, also backwards.
pub trait Clock: Send + Sync {
    fn now_ms(&self) -> i64;

    /// Microseconds that only ever rise, to measure with; 0 where time is made up.
    fn ticks_us(&self) -> u64 {
        0
    }
}

/// A clock that stands until it is moved: tests, simulation and the demo.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        ManualClock(AtomicI64::new(now_ms))
    }

    pub fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }

    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// When something was done last that is done now and then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last(Option<i64>);

impl Last {
    /// Whether it was never done, or so long ago; a clock that was set back tells nothing of that.
    pub(super) fn is_over(self, every_ms: i64, now_ms: i64) -> bool {
        self.0.is_none_or(|done_ms| now_ms.saturating_sub(done_ms).abs() >= every_ms)
    }

    /// Whether it was never done.
    pub(super) fn is_never(self) -> bool {
        self.0.is_none()
    }

    pub(super) fn was(&mut self, now_ms: i64) {
        self.0 = Some(now_ms);
    }
}

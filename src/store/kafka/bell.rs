//! Waiting for a queue to have something in it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung when a client's queue stops being empty. The wrapper's own wait ends by asking again and again for a
/// millisecond, which ten times a second is a hundredth of a core.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Waits at most so long for a ring, unless it rang since the last wait.
    pub(super) fn wait(&self, within: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self
            .heard
            .wait_timeout_while(rung, within, |rung| !*rung)
            .unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_ring_ends_one_wait() {
        let bell = Bell::default();
        let begun = Instant::now();
        bell.ring();
        bell.wait(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(50));
        bell.wait(Duration::from_millis(20));
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }
}

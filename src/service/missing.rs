//! Sources that do not exist yet: their pipelines wait, and no other does.

use super::run::RunSpec;
use crate::stage::store::Store;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::warn;

/// How often they are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is said that they are missing.
const TELL: Duration = Duration::from_secs(60);

pub(super) struct Missing {
    sources: Vec<Arc<str>>,
    looked: Instant,
    told: Instant,
}

impl Missing {
    /// Says of each that it is missing.
    pub(super) fn new(sources: Vec<Arc<str>>) -> Self {
        let now = Instant::now();
        let missing = Missing { sources, looked: now, told: now };
        missing.tell();
        missing
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.sources.iter().map(ToString::to_string).collect()
    }

    /// Whether one of them exists by now. A log that does not answer is asked the next time.
    pub(super) fn has_come<S: Store>(&mut self, spec: &RunSpec<S>) -> bool {
        if self.sources.is_empty() || self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        let topics = spec.store.topics().unwrap_or_default();
        if topics.iter().any(|topic| self.sources.contains(&topic.name)) {
            return true;
        }
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            self.tell();
        }
        false
    }

    fn tell(&self) {
        for source in &self.sources {
            warn!(
                source = source.as_ref(),
                "the source topic is missing, its pipeline waits: `logscrub put` makes it, or correct `source`"
            );
        }
    }
}

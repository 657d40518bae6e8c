//! A member that fetches no more.
//!
//! librdkafka's consumer can stand still for ever after its broker came back (its issue 5153, and rust-rdkafka's 597):
//! no record, no error, and the group is content. Whoever compares the ends of its partitions with what it has taken
//! sees it.

use crate::stage::store::Place;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often partitions are compared with their ends.
const EVERY: Duration = Duration::from_secs(15);

/// What was seen of partitions, and when.
pub(super) struct Standstill {
    looked: Instant,
    /// The next offset of each as it was, and whether a record was there for it.
    seen: BTreeMap<Place, (i64, bool)>,
    /// Whether all that was fetched had been taken, at some time since.
    dry: bool,
}

impl Standstill {
    pub(super) fn new() -> Self {
        Standstill { looked: Instant::now(), seen: BTreeMap::new(), dry: false }
    }

    /// Nothing is left of what was fetched.
    pub(super) fn ran_dry(&mut self) {
        self.dry = true;
    }

    /// Those that did not move since the last look, with whether a record was there for each then. `None`: it is no
    /// time for a look, or nothing can be said since records were waiting to be taken all the time.
    pub(super) fn look(&mut self, places: impl Iterator<Item = (Place, i64)>) -> Option<Vec<(Place, bool)>> {
        if self.looked.elapsed() < EVERY {
            return None;
        }
        self.looked = Instant::now();
        let before = std::mem::take(&mut self.seen);
        let dry = std::mem::take(&mut self.dry);
        let mut still = Vec::new();
        for (place, next) in places {
            let was = before.get(&place).filter(|(was, _)| *was == next);
            if let (Some((_, waited)), true) = (was, dry) {
                still.push((place, *waited));
            }
            self.seen.insert(place, (next, false));
        }
        Some(still)
    }

    /// A record is there for it.
    pub(super) fn waits(&mut self, place: Place) {
        if let Some((_, waits)) = self.seen.get_mut(&place) {
            *waits = true;
        }
    }
}

//! Outcomes: how a record ended at a stage, exactly one each; and the counts that outlive restarts.

use std::collections::BTreeMap;

/// How a record ended at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Written to the stage's output topic.
    Emitted,
    /// Taken out of a lane and put into another, changed by a middle stage or not.
    Relaned,
    /// The engine could not answer for it: a placeholder or a skeleton went out in its place.
    Quarantined,
    /// The log deleted it before it was released.
    Expired,
    /// Made unreadable on request.
    Erased,
    /// Not a record that anything is to be done with.
    Dropped,
}

impl Outcome {
    pub const ALL: [Outcome; 6] = [
        Outcome::Emitted,
        Outcome::Relaned,
        Outcome::Quarantined,
        Outcome::Expired,
        Outcome::Erased,
        Outcome::Dropped,
    ];

    /// The metric's label, and the member in a counts record.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Emitted => "emitted",
            Outcome::Relaned => "relaned",
            Outcome::Quarantined => "quarantined",
            Outcome::Expired => "expired",
            Outcome::Erased => "erased",
            Outcome::Dropped => "dropped",
        }
    }

    fn place(self) -> usize {
        match self {
            Outcome::Emitted => 0,
            Outcome::Relaned => 1,
            Outcome::Quarantined => 2,
            Outcome::Expired => 3,
            Outcome::Erased => 4,
            Outcome::Dropped => 5,
        }
    }
}

/// How many records ended how, at one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; Outcome::ALL.len()]);

impl Tally {
    pub fn add(&mut self, outcome: Outcome, count: u64) {
        if let Some(slot) = self.0.get_mut(outcome.place()) {
            *slot += count;
        }
    }

    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(outcome.place()).copied().unwrap_or(0)
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub fn merge(&mut self, other: &Tally) {
        for (slot, count) in self.0.iter_mut().zip(other.0) {
            *slot += count;
        }
    }

    /// A counts record's value: `{"v":1,"emitted":…,…}`, totals since the topic began.
    #[must_use]
    pub fn to_json(&self) -> String {
        let members: Vec<String> = Outcome::ALL
            .iter()
            .map(|outcome| format!("\"{}\":{}", outcome.word(), self.of(*outcome)))
            .collect();
        format!("{{\"v\":1,{}}}", members.join(","))
    }

    /// `None` where it is not what [`Tally::to_json`] writes.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Tally> {
        let members: BTreeMap<String, u64> = serde_json::from_slice(json).ok()?;
        if members.get("v") != Some(&1) {
            return None;
        }
        let mut tally = Tally::default();
        for outcome in Outcome::ALL {
            tally.add(outcome, *members.get(outcome.word())?);
        }
        Some(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_reads_back() {
        let mut tally = Tally::default();
        for (count, outcome) in (1..).zip(Outcome::ALL) {
            tally.add(outcome, count);
        }
        let json = tally.to_json();
        assert_eq!(
            json,
            r#"{"v":1,"emitted":1,"relaned":2,"quarantined":3,"expired":4,"erased":5,"dropped":6}"#
        );
        assert_eq!(Tally::from_json(json.as_bytes()), Some(tally));
        assert_eq!(tally.total(), 21);
        assert_eq!(Tally::from_json(b"{\"v\":2}"), None);
        assert_eq!(Tally::from_json(b"\xff"), None);
    }
}

//! Names of a pipeline's topics.

use crate::policy::Period;
use std::sync::Arc;

/// What a pipeline reads and writes. Each name can be set in the config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    pub source: Arc<str>,
    pub scrubbed: Arc<str>,
    /// A lane's name is this, a dot and its delay: `ops.logs.held.30d`.
    pub held: Arc<str>,
    pub deidentified: Arc<str>,
    pub counts: Arc<str>,
    pub quarantine: Arc<str>,
    pub progress: Arc<str>,
}

impl Topics {
    /// The names that follow from the source's.
    #[must_use]
    pub fn of(source: &str) -> Self {
        let name = |ending: &str| format!("{source}.{ending}").into();
        Topics {
            source: source.into(),
            scrubbed: name("scrubbed"),
            held: name("held"),
            deidentified: name("deidentified"),
            counts: name("counts"),
            quarantine: name("quarantine"),
            progress: name("progress"),
        }
    }

    /// A topic that two pipelines would both use.
    #[must_use]
    pub fn shared(&self, other: &Topics) -> Option<Arc<str>> {
        let names = |topics: &Topics| {
            let Topics { source, scrubbed, held, deidentified, counts, quarantine, progress } = topics;
            [source, scrubbed, held, deidentified, counts, quarantine, progress].map(Arc::clone)
        };
        let (mine, theirs) = (names(self), names(other));
        let lane_of = |topics: &Topics, name: &Arc<str>| topics.lane_delay(name).is_some();
        let both = theirs.iter().find(|name| mine.contains(name) || lane_of(self, name));
        both.or_else(|| mine.iter().find(|name| lane_of(other, name))).cloned()
    }

    /// The group that reads all lanes.
    #[must_use]
    pub fn lanes_reader(&self) -> String {
        format!("logscrub.{}.lanes", self.source)
    }

    /// Whose lane a topic is by its name, where nobody named it otherwise.
    #[must_use]
    pub fn of_lane(topic: &str) -> Option<Self> {
        let (source, _) = topic.rsplit_once(".held.")?;
        Some(Topics::of(source)).filter(|topics| topics.lane_delay(topic).is_some())
    }

    /// The lane of a delay.
    #[must_use]
    pub fn lane(&self, delay_seconds: u64) -> Arc<str> {
        format!("{}.{}", self.held, Period { months: 0, seconds: delay_seconds }).into()
    }

    /// The delay of a lane in seconds; `None` where the topic is none of this pipeline's lanes.
    #[must_use]
    pub fn lane_delay(&self, topic: &str) -> Option<u64> {
        let delay = topic.strip_prefix(self.held.as_ref())?.strip_prefix('.')?;
        let period: Period = delay.parse().ok()?;
        (period.months == 0 && period.seconds > 0).then_some(period.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_source_and_lanes_lead_back() {
        let topics = Topics::of("ops.logs");
        assert_eq!(topics.scrubbed.as_ref(), "ops.logs.scrubbed");
        assert_eq!(topics.progress.as_ref(), "ops.logs.progress");
        for (seconds, name) in [
            (90 * 86_400, "ops.logs.held.90d"),
            (3600, "ops.logs.held.1h"),
            (40, "ops.logs.held.40s"),
            (90, "ops.logs.held.90s"),
        ] {
            assert_eq!(topics.lane(seconds).as_ref(), name);
            assert_eq!(topics.lane_delay(name), Some(seconds));
        }
        for other in
            ["ops.logs.held", "ops.logs.held.", "ops.logs.held.1mo", "ops.logs.held.x", "ops.logs2.held.1h"]
        {
            assert_eq!(topics.lane_delay(other), None, "{other}");
        }
    }
}

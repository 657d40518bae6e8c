//! Every metric that we export (a contract). Labels come from config, rules and policy, never from a record.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Records by how they ended at a stage, committed. `quarantined` or `expired` rises: look into the
    /// quarantine topic, and at what stood still.
    Records,
    /// Bytes of keys and values that a stage read and wrote.
    Bytes,
    /// Findings that an action was applied to. A rule that falls silent has lost its field.
    Findings,
    /// Age of the oldest original that the broker still has. Alert above `logscrub_window_seconds`.
    OldestIdentifiableAge,
    /// When originals of a topic must be gone, as an age.
    Window,
    /// Held records that should have been released and were not, at most 10,000 a partition. Alert above 0.
    Overdue,
    /// Records that wait in a lane (on Kafka, transaction markers among them).
    Pending,
    /// Records that our group has not committed yet.
    ConsumerLag,
    /// Transactions, committed and aborted. Aborts that go on mean a broker or a fencing problem.
    Transactions,
    /// Originals that were deleted. Standing still while records are released: the purge fails.
    Purged,
    /// Records that the engine could not answer for.
    Quarantined,
    /// Findings of `audit` in our outputs. Alert above 0.
    AuditLeaks,
    /// Reloads of config, rules and policies. `refused` rises: our log says what is wrong with them.
    Reload,
    /// 1 where a topic's settings are as they must be. Alert on 0: `logscrub topics verify` says why.
    TopicCompliant,
    /// When the oldest database of places was built, as a Unix time.
    GeoBuild,
    /// How far the machine's clock is ahead of the time we go by, since it was set and no other clock agrees. Alert
    /// where it is not 0: held records wait by the time that passes, and may outlive their window.
    ClockDoubt,
    /// How long the engine took for a record.
    Engine,
    /// From a record's time in the source to the commit of its scrubbed copy.
    EndToEnd,
}

const ENGINE_SECONDS: [f64; 12] = [1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 0.02, 0.1, 1.0, 10.0];
const END_TO_END_SECONDS: [f64; 13] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0, 86_400.0];

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Metric {
    pub const ALL: [Metric; 18] = [
        Metric::Records,
        Metric::Bytes,
        Metric::Findings,
        Metric::OldestIdentifiableAge,
        Metric::Window,
        Metric::Overdue,
        Metric::Pending,
        Metric::ConsumerLag,
        Metric::Transactions,
        Metric::Purged,
        Metric::Quarantined,
        Metric::AuditLeaks,
        Metric::Reload,
        Metric::TopicCompliant,
        Metric::GeoBuild,
        Metric::ClockDoubt,
        Metric::Engine,
        Metric::EndToEnd,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Metric::Records => "logscrub_records_total",
            Metric::Bytes => "logscrub_bytes_total",
            Metric::Findings => "logscrub_findings_total",
            Metric::OldestIdentifiableAge => "logscrub_oldest_identifiable_age_seconds",
            Metric::Window => "logscrub_window_seconds",
            Metric::Overdue => "logscrub_overdue_records",
            Metric::Pending => "logscrub_pending_records",
            Metric::ConsumerLag => "logscrub_consumer_lag_records",
            Metric::Transactions => "logscrub_transactions_total",
            Metric::Purged => "logscrub_purged_records_total",
            Metric::Quarantined => "logscrub_quarantined_total",
            Metric::AuditLeaks => "logscrub_audit_leaks_total",
            Metric::Reload => "logscrub_reload_total",
            Metric::TopicCompliant => "logscrub_topic_compliant",
            Metric::GeoBuild => "logscrub_geo_build_timestamp_seconds",
            Metric::ClockDoubt => "logscrub_clock_doubt_seconds",
            Metric::Engine => "logscrub_engine_seconds",
            Metric::EndToEnd => "logscrub_end_to_end_seconds",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Metric::Records
            | Metric::Bytes
            | Metric::Findings
            | Metric::Transactions
            | Metric::Purged
            | Metric::Quarantined
            | Metric::AuditLeaks
            | Metric::Reload => Kind::Counter,
            Metric::OldestIdentifiableAge
            | Metric::Window
            | Metric::Overdue
            | Metric::Pending
            | Metric::ConsumerLag
            | Metric::TopicCompliant
            | Metric::GeoBuild
            | Metric::ClockDoubt => Kind::Gauge,
            Metric::Engine | Metric::EndToEnd => Kind::Histogram,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Metric::Records => "records by how they ended at a stage",
            Metric::Bytes => "bytes of keys and values that a stage read and wrote",
            Metric::Findings => "findings that an action was applied to",
            Metric::OldestIdentifiableAge => "age of the oldest original that the topic still has",
            Metric::Window => "age at which originals of the topic must be gone",
            Metric::Overdue => "held records that should have been released",
            Metric::Pending => "records that wait in the lane",
            Metric::ConsumerLag => "records that our group has not committed yet",
            Metric::Transactions => "transactions by outcome",
            Metric::Purged => "originals that were deleted",
            Metric::Quarantined => "records that the engine could not answer for",
            Metric::AuditLeaks => "findings of the audit in our outputs",
            Metric::Reload => "reloads of config, rules and policies",
            Metric::TopicCompliant => "1 where the topic's settings are as they must be",
            Metric::GeoBuild => "when the oldest database of places was built",
            Metric::ClockDoubt => "how far the machine's clock was set from the time that is gone by",
            Metric::Engine => "seconds that the engine took for a record",
            Metric::EndToEnd => "seconds from a record's time in the source to its scrubbed copy",
        }
    }
}

/// What `/metrics` answers.
#[derive(Clone)]
pub struct Scrape(PrometheusHandle);

impl Scrape {
    /// Installs the process's recorder; `None` where there is one already.
    #[must_use]
    pub fn install() -> Option<Self> {
        let buckets = [(Metric::Engine, &ENGINE_SECONDS[..]), (Metric::EndToEnd, &END_TO_END_SECONDS[..])];
        let mut builder = PrometheusBuilder::new();
        for (metric, bounds) in buckets {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name().to_owned()), bounds).ok()?;
        }
        let handle = builder.install_recorder().ok()?;
        for metric in Metric::ALL {
            match metric.kind() {
                Kind::Counter => describe_counter!(metric.name(), Unit::Count, metric.help()),
                Kind::Gauge => describe_gauge!(metric.name(), Unit::Count, metric.help()),
                Kind::Histogram => describe_histogram!(metric.name(), Unit::Seconds, metric.help()),
            }
        }
        Some(Scrape(handle))
    }

    #[must_use]
    pub fn text(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::meter::{END_TO_END_MS, ENGINE_US};

    #[test]
    fn buckets_are_those_that_workers_count_in() {
        assert_eq!(ENGINE_SECONDS.map(|s| (s * 1e6).round() as u64), ENGINE_US);
        assert_eq!(END_TO_END_SECONDS.map(|s| (s * 1e3).round() as u64), END_TO_END_MS);
    }

    #[test]
    fn names_follow_their_kind() {
        for metric in Metric::ALL {
            let name = metric.name();
            assert!(
                name.starts_with("logscrub_") && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            );
            assert_eq!(name.ends_with("_total"), matches!(metric.kind(), Kind::Counter), "{name}");
        }
    }
}

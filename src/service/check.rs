//! What must be true of the cluster beside the topics' settings, each with what mends it.

use super::clock::MOST_SKEW_MS;
use super::topics::{Finding, Level};
use crate::stage::Pipeline;
use crate::stage::clock::Clock;
use crate::stage::purge::held_topics;
use crate::stage::store::{Store as _, StoreError};
use crate::store::kafka::{BrokerState, Kafka, TRANSACTION_TIMEOUT_MS};
use std::sync::Arc;

const MINUTE_MS: i64 = 60_000;

/// Looks at what topics' settings do not tell. The topics must exist.
///
/// # Errors
/// See [`StoreError`].
pub fn cluster(
    kafka: &Kafka,
    pipelines: &[Arc<Pipeline>],
    clock: &dyn Clock,
) -> Result<Vec<Finding>, StoreError> {
    let brokers = kafka.broker_states()?;
    let mut findings = settings(&brokers);
    for pipeline in pipelines {
        replication(kafka, pipeline, brokers.len(), &mut findings)?;
        rights(kafka, pipeline, &mut findings)?;
        if pipeline.purge_source {
            readers(kafka, pipeline, &mut findings)?;
        }
        let progress = pipeline.topics.progress.as_ref();
        findings.extend(skew(progress, kafka.clock_ahead_ms(progress, clock)?));
    }
    Ok(findings)
}

fn skew(topic: &str, ahead_ms: i64) -> Option<Finding> {
    (ahead_ms.abs() > MOST_SKEW_MS).then(|| {
        let side = if ahead_ms > 0 { "ahead of" } else { "behind" };
        let seconds = ahead_ms.abs() / 1000;
        Finding::refuse(
            topic,
            format!("the broker's clock is {seconds} s {side} ours, and records are released by both"),
            "let both machines keep time by NTP",
        )
    })
}

/// Broker settings that cannot be seen are unknown, never right.
fn settings(brokers: &[BrokerState]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for broker in brokers {
        let name = format!("broker {}", broker.id);
        let text = |setting: &str| broker.settings.get(setting).map(String::as_str);
        let number = |setting: &str| text(setting).and_then(|value| value.parse::<i64>().ok());
        let mut warn = |what: String, help: &str| {
            findings.push(Finding { level: Level::Warn, ..Finding::refuse(&name, what, help) });
        };
        let mut unknown = |setting: &str| {
            warn(
                format!("`{setting}` cannot be seen"),
                "grant DESCRIBE_CONFIGS on the cluster, or ask who runs it",
            );
        };
        for setting in [
            "transaction.max.timeout.ms",
            "transaction.partition.verification.enable",
            "offsets.retention.minutes",
            "log.retention.check.interval.ms",
            "auto.create.topics.enable",
        ] {
            if text(setting).is_none() {
                unknown(setting);
            }
        }
        if let Some(ms) = number("log.retention.check.interval.ms").filter(|ms| *ms > 5 * MINUTE_MS) {
            warn(
                format!(
                    "`log.retention.check.interval.ms` is `{ms}`: what is purged stays on the disk for longer than is said"
                ),
                "set it to 300000 or less",
            );
        }
        if let Some(ms) = number("log.segment.delete.delay.ms").filter(|ms| *ms > MINUTE_MS) {
            warn(
                format!(
                    "`log.segment.delete.delay.ms` is `{ms}`: what is purged stays on the disk for longer than is said"
                ),
                "set it to 60000 or less",
            );
        }
        if let Some(minutes) = number("offsets.retention.minutes").filter(|minutes| *minutes < 43_200) {
            warn(
                format!(
                    "`offsets.retention.minutes` is `{minutes}`: positions are forgotten {minutes} min after we stop, and then come from our progress topic"
                ),
                "set it to 43200 or more",
            );
        }
        if text("auto.create.topics.enable") == Some("true") {
            warn(
                "`auto.create.topics.enable` is `true`: a misspelt topic is made, and keeps what is put there".into(),
                "set it to false",
            );
        }
        for setting in ["offsets.topic.replication.factor", "transaction.state.log.replication.factor"] {
            let wanted = i64::try_from(brokers.len().min(3)).unwrap_or(3);
            if let Some(factor) = number(setting).filter(|factor| *factor < wanted) {
                warn(format!("`{setting}` is `{factor}`: one lost disk loses positions"), "set it to 3");
            }
        }
        if let Some(ms) = number("transaction.max.timeout.ms").filter(|ms| *ms < TRANSACTION_TIMEOUT_MS) {
            findings.push(Finding::refuse(
                &name,
                format!("`transaction.max.timeout.ms` is `{ms}`, and our transactions may take {TRANSACTION_TIMEOUT_MS}"),
                "raise it on the broker",
            ));
        }
        if text("transaction.partition.verification.enable") == Some("false") {
            findings.push(Finding::refuse(
                &name,
                "`transaction.partition.verification.enable` is `false`: a late message can join a later transaction".into(),
                "set it to true on the broker (Kafka 3.6 or later)",
            ));
        }
    }
    findings
}

fn replication(
    kafka: &Kafka,
    pipeline: &Pipeline,
    brokers: usize,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    for topic in held_topics(kafka, pipeline)? {
        let replicas = kafka.replicas(&topic)?;
        findings.extend(replicas.and_then(|replicas| too_few(&topic, replicas, brokers)));
    }
    Ok(())
}

fn too_few(topic: &str, replicas: usize, brokers: usize) -> Option<Finding> {
    let finding = Finding::refuse(
        topic,
        format!("has {replicas} replicas on {brokers} brokers: one lost disk loses what is held"),
        "reassign its partitions to 3 replicas (`kafka-reassign-partitions.sh`)",
    );
    let level = if brokers >= 3 { Level::Refuse } else { Level::Warn };
    (replicas < brokers.min(3)).then_some(Finding { level, ..finding })
}

/// Deletes what is deleted already: shows whether we may.
fn rights(kafka: &Kafka, pipeline: &Pipeline, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let mut topics = held_topics(kafka, pipeline)?;
    if pipeline.purge_source {
        topics.push(pipeline.topics.source.clone());
    }
    for topic in topics {
        let Some(bounds) = kafka.bounds(&topic)?.first().copied() else { continue };
        match kafka.purge(&topic, bounds.partition, bounds.log_start) {
            Ok(_) => {}
            Err(StoreError::Refused(why)) => {
                findings.push(Finding::refuse(&topic, why, "originals must be deletable to be purged"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Groups that read the source, and that the purge would overtake.
fn readers(kafka: &Kafka, pipeline: &Pipeline, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let source = &pipeline.topics.source;
    let ours = [pipeline.scrub_reader(), pipeline.lanes_reader()];
    for group in kafka.groups()? {
        if ours.contains(&group) || pipeline.purge_after_groups.contains(&group) {
            continue;
        }
        if kafka.purge_states(&group, source)?.iter().any(|state| state.committed.is_some()) {
            findings.push(Finding::refuse(
                source,
                format!("group `{group}` reads it too, and `purge_source` would delete what it has not read"),
                "add the group to `purge_after_groups`, or delete it if nobody uses it",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(settings_of: &[(&str, &str)]) -> Vec<(Level, String)> {
        let right = [
            ("transaction.max.timeout.ms", "900000"),
            ("transaction.partition.verification.enable", "true"),
            ("offsets.retention.minutes", "43200"),
            ("log.retention.check.interval.ms", "300000"),
            ("auto.create.topics.enable", "false"),
        ];
        let pairs = right.iter().chain(settings_of).filter(|(_, value)| *value != "hidden");
        let mut all: std::collections::BTreeMap<_, _> =
            pairs.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        all.retain(|name, _| !settings_of.contains(&(name.as_str(), "hidden")));
        settings(&[BrokerState { id: 1, settings: all }])
            .into_iter()
            .map(|finding| (finding.level, finding.what))
            .collect()
    }

    #[test]
    fn each_broker_setting_has_its_word() {
        assert_eq!(told(&[]), []);
        for (name, value, level, part) in [
            ("transaction.max.timeout.ms", "1000", Level::Refuse, "our transactions may take"),
            ("transaction.partition.verification.enable", "false", Level::Refuse, "late message"),
            ("offsets.retention.minutes", "10080", Level::Warn, "forgotten"),
            ("log.retention.check.interval.ms", "600000", Level::Warn, "for longer"),
            ("log.segment.delete.delay.ms", "60001", Level::Warn, "for longer"),
            ("auto.create.topics.enable", "true", Level::Warn, "misspelt"),
            ("offsets.topic.replication.factor", "0", Level::Warn, "one lost disk"),
            ("offsets.retention.minutes", "hidden", Level::Warn, "cannot be seen"),
        ] {
            let [(told_level, what)] = &told(&[(name, value)])[..] else { panic!("one finding for {name}") };
            assert!(*told_level == level && what.contains(name) && what.contains(part), "{what}");
        }
    }

    #[test]
    fn a_lost_disk_loses_nothing() {
        let level = |replicas, brokers| too_few("t", replicas, brokers).map(|found| found.level);
        assert_eq!([level(1, 1), level(2, 2), level(3, 3), level(3, 9)], [None; 4]);
        assert_eq!(level(1, 2), Some(Level::Warn));
        assert_eq!([level(1, 3), level(2, 3), level(2, 9)], [Some(Level::Refuse); 3]);
    }

    #[test]
    fn clocks_may_differ_by_seconds() {
        assert!(skew("t", 5000).is_none() && skew("t", -5000).is_none());
        assert!(skew("t", 5001).unwrap().what.contains("5 s ahead of ours"));
        assert!(skew("t", -60_000).unwrap().what.contains("60 s behind ours"));
    }
}

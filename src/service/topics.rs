//! What a pipeline's topics must be on Kafka: planned, compared with what is there, made or mended.

use crate::policy::{Policy, Windows, milliseconds};
use crate::stage::Pipeline;
use crate::stage::needed_topics;
use crate::stage::store::StoreError;
use crate::store::kafka::{Kafka, TopicState};
use serde::Serialize;
use std::collections::BTreeMap;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// What the broker takes to notice and to delete, at its defaults: `log.retention.check.interval.ms` and
/// `file.delete.delay.ms`.
pub const BROKER_DELETES_MS: i64 = 6 * MINUTE_MS;
/// The largest record of a source: below what our producers send.
const MAX_MESSAGE_BYTES: i64 = 18_000_000;
/// A held record is the original with its envelope and our header.
const ENVELOPE_BYTES: i64 = 64 * 1024;

/// A topic as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    pub topic: String,
    pub partitions: i32,
    pub replication: i32,
    pub settings: BTreeMap<&'static str, String>,
}

/// What is wrong with a topic. `mended_by_apply`: `logscrub topics apply` makes it right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The topic, or the broker.
    pub topic: String,
    pub what: String,
    pub mended_by_apply: bool,
    pub help: String,
    pub level: Level,
}

/// What a finding does to a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Refuse,
    Warn,
}

impl Finding {
    /// One that `topics apply` does not mend.
    #[must_use]
    pub fn refuse(topic: &str, what: String, help: &str) -> Self {
        let help = help.to_owned();
        Finding { topic: topic.to_owned(), what, mended_by_apply: false, help, level: Level::Refuse }
    }
}

/// Segments go whole: of this size one is deleted in a moment, and there are not too many.
const SEGMENT_BYTES: i64 = 256 << 20;

/// How old a lane's segment gets: a few hundred segments to a lane's delay, since each costs the broker two
/// memory maps, and none younger than is worth it.
#[must_use]
pub fn segment_ms(delay_ms: i64) -> i64 {
    (delay_ms / 360).max((delay_ms / 4).min(10 * MINUTE_MS)).clamp(1000, DAY_MS)
}

/// The most that the broker takes from a purge until the bytes have left the disk: the longest lane's segment
/// is rolled, and deleted.
#[must_use]
pub fn erase_ms(policy: &Policy) -> i64 {
    Windows::of(policy).longest_ms().map_or(0, |window_ms| segment_ms(window_ms) + BROKER_DELETES_MS)
}

/// What is known of a pipeline's source.
struct Source {
    partitions: i32,
    max_message_bytes: i64,
}

fn number(settings: &BTreeMap<String, String>, name: &str) -> Option<i64> {
    settings.get(name)?.parse().ok()
}

/// The topics that a pipeline needs beside its source. `budget_ms`: how much longer than its delay a lane
/// keeps what nobody released.
///
/// # Errors
/// `Refused` where the source does not exist; see [`StoreError`].
pub fn plan(kafka: &Kafka, pipeline: &Pipeline, budget_ms: i64) -> Result<Vec<Wanted>, StoreError> {
    let state = kafka.topic_state(&pipeline.topics.source)?.ok_or_else(|| {
        let source = &pipeline.topics.source;
        StoreError::Refused(format!("topic `{source}` does not exist; `logscrub put {source}` makes it"))
    })?;
    let source = Source {
        partitions: state.partitions,
        max_message_bytes: number(&state.settings, "max.message.bytes").unwrap_or(1_048_588),
    };
    let replication = kafka.brokers()?.min(3);
    Ok(wanted(pipeline, budget_ms, &source, replication))
}

fn wanted(pipeline: &Pipeline, budget_ms: i64, source: &Source, replication: i32) -> Vec<Wanted> {
    let topics = &pipeline.topics;
    let mut all = Vec::new();
    for spec in needed_topics(pipeline, source.partitions) {
        let mut settings = BTreeMap::from([
            ("cleanup.policy", if spec.compacted { "compact" } else { "delete" }.to_owned()),
            // Old times of events would be deleted by retention at once, forged ones never.
            ("message.timestamp.type", "LogAppendTime".to_owned()),
            ("max.message.bytes", (source.max_message_bytes + ENVELOPE_BYTES).to_string()),
            ("min.insync.replicas", (replication - 1).max(1).to_string()),
            ("unclean.leader.election.enable", "false".to_owned()),
            ("compression.type", "producer".to_owned()),
        ]);
        if spec.compacted {
            // What is deleted there, a day's key above all, leaves the disk with the next compaction.
            settings.insert("segment.ms", DAY_MS.to_string());
            settings.insert("max.compaction.lag.ms", DAY_MS.to_string());
            settings.insert("delete.retention.ms", DAY_MS.to_string());
        }
        if let Some(delay_seconds) = topics.lane_delay(&spec.name) {
            let delay_ms = i64::try_from(delay_seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000);
            settings.insert("retention.ms", delay_ms.saturating_add(budget_ms).to_string());
            settings.insert("retention.bytes", "-1".to_owned());
            settings.insert("segment.ms", segment_ms(delay_ms).to_string());
            settings.insert("segment.jitter.ms", "0".to_owned());
            settings.insert("segment.bytes", SEGMENT_BYTES.to_string());
        } else if let (true, Some(window_ms)) =
            (spec.name == topics.scrubbed, pipeline.windows.usual_last_ms())
        {
            // As old as the last window and no older, else it could be joined with what is de-identified.
            // A log deletes by whole segments: a day is the finest that is promised.
            let window_ms = window_ms.max(DAY_MS);
            let segment_ms = segment_ms(window_ms);
            settings.insert("retention.ms", (window_ms - segment_ms - BROKER_DELETES_MS).to_string());
            settings.insert("segment.ms", segment_ms.to_string());
            settings.insert("segment.jitter.ms", "0".to_owned());
        }
        all.push(Wanted { topic: spec.name.to_string(), partitions: spec.partitions, replication, settings });
    }
    all
}

/// Compares what is there with what must be.
///
/// # Errors
/// See [`StoreError`].
pub fn verify(kafka: &Kafka, pipeline: &Pipeline, wanted: &[Wanted]) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    for topic in wanted {
        match kafka.topic_state(&topic.topic)? {
            None => {
                let missing = Finding::refuse(&topic.topic, "does not exist".into(), APPLY);
                findings.push(Finding { mended_by_apply: true, ..missing });
            }
            Some(state) => compare(topic, &state, &mut findings),
        }
    }
    if let Some(state) = kafka.topic_state(&pipeline.topics.source)? {
        check_source(pipeline, &state, &mut findings);
    }
    Ok(findings)
}

const APPLY: &str = "run `logscrub topics apply`";

fn compare(wanted: &Wanted, state: &TopicState, findings: &mut Vec<Finding>) {
    if state.partitions != wanted.partitions {
        let what = format!("has {} partitions, the source has {}", state.partitions, wanted.partitions);
        let mended_by_apply = state.partitions < wanted.partitions;
        let help = if mended_by_apply {
            APPLY
        } else {
            "partitions cannot be taken away: name another topic in the pipeline's `topics`"
        };
        findings.push(Finding { mended_by_apply, ..Finding::refuse(&wanted.topic, what, help) });
    }
    for (name, value) in &wanted.settings {
        let is = state.settings.get(*name);
        if is == Some(value) {
            continue;
        }
        let is = is.map_or("unknown".to_owned(), |is| format!("`{is}`"));
        let (word, level) = match *name {
            "segment.bytes" => ("should", Level::Warn),
            _ => ("must", Level::Refuse),
        };
        let wrong =
            Finding::refuse(&wanted.topic, format!("`{name}` is {is} and {word} be `{value}`"), APPLY);
        findings.push(Finding { mended_by_apply: true, level, ..wrong });
    }
    let delay_ms = number(&state.settings, "file.delete.delay.ms");
    if let Some(ms) = delay_ms.filter(|ms| *ms > MINUTE_MS) {
        let what = format!(
            "`file.delete.delay.ms` is `{ms}`: what is purged stays on the disk for longer than is said"
        );
        let late = Finding::refuse(&wanted.topic, what, "set it to 60000 or less on the topic");
        findings.push(Finding { level: Level::Warn, ..late });
    }
    if state.settings.get("remote.storage.enable").is_some_and(|is| is == "true") {
        findings.push(Finding::refuse(
            &wanted.topic,
            "`remote.storage.enable` is `true`: copies elsewhere outlive what is purged".into(),
            "make the topic anew without tiered storage",
        ));
    }
}

/// The source is never ours to change.
fn check_source(pipeline: &Pipeline, state: &TopicState, findings: &mut Vec<Finding>) {
    let source = &pipeline.topics.source;
    let mut add = |what: String, help: &str| findings.push(Finding::refuse(source, what, help));
    let policy = state.settings.get("cleanup.policy").map_or("unknown", String::as_str);
    if policy != "delete" {
        add(
            format!("`cleanup.policy` is `{policy}`: the newest original of each key would stay for ever"),
            "set `cleanup.policy=delete` on the source",
        );
    }
    if state.settings.get("remote.storage.enable").is_some_and(|is| is == "true") {
        add(
            "`remote.storage.enable` is `true`: copies elsewhere outlive what is purged".into(),
            "read from a topic without tiered storage",
        );
    }
    if number(&state.settings, "max.message.bytes").is_some_and(|most| most > MAX_MESSAGE_BYTES) {
        add(
            format!("`max.message.bytes` is above {MAX_MESSAGE_BYTES}, and such records could not be held"),
            "set a smaller one on the source",
        );
    }
    let Some(window_ms) = pipeline.windows.shortest_ms() else { return };
    if pipeline.purge_source {
        return;
    }
    let (Some(retention_ms), Some(segment_ms)) =
        (number(&state.settings, "retention.ms"), number(&state.settings, "segment.ms"))
    else {
        add("its retention is unknown".into(), "grant DESCRIBE_CONFIGS on the source");
        return;
    };
    let worst_ms = match retention_ms {
        0.. => retention_ms.saturating_add(segment_ms).saturating_add(BROKER_DELETES_MS),
        _ => i64::MAX,
    };
    let keeps = match retention_ms {
        0.. => format!("for {} s at the worst", worst_ms / 1000),
        _ => "for ever".to_owned(),
    };
    let help = "set `purge_source = true` in the pipeline, or a shorter `retention.ms` and `segment.ms` on the source";
    let keeps = format!("keeps originals {keeps} (`retention.ms` + `segment.ms` + what the broker takes)");
    if worst_ms > window_ms {
        let usual = pipeline.windows.usual_ms().next() == Some(window_ms);
        let whose = if usual { "the first window" } else { "the shortest window of an account" };
        add(format!("{keeps}, and {whose} is {} s", window_ms / 1000), help);
        return;
    }
    // Whether one ever comes nobody knows: the records of whom it is about are few.
    let events = pipeline.policy.events.iter().map(|event| (milliseconds(event.after), &event.id));
    if let Some((after_ms, id)) = events.min().filter(|(after_ms, _)| worst_ms > *after_ms) {
        let what = format!("{keeps}, and event `{id}` ends windows {} s after it", after_ms / 1000);
        findings.push(Finding { level: Level::Warn, ..Finding::refuse(source, what, help) });
    }
}

/// Makes and mends our topics.
///
/// # Errors
/// See [`StoreError`]; what was made before the error is made.
pub fn apply(kafka: &Kafka, wanted: &[Wanted]) -> Result<Vec<String>, StoreError> {
    let mut done = Vec::new();
    for topic in wanted {
        let Some(state) = kafka.topic_state(&topic.topic)? else {
            kafka.make_topic(&topic.topic, topic.partitions, topic.replication, &topic.settings)?;
            done.push(format!("{}: made, with {} partitions", topic.topic, topic.partitions));
            continue;
        };
        if state.partitions < topic.partitions {
            kafka.add_partitions(&topic.topic, topic.partitions)?;
            done.push(format!("{}: {} partitions, from {}", topic.topic, topic.partitions, state.partitions));
        }
        let differs = |(name, value): &(&&str, &String)| state.settings.get(**name) != Some(*value);
        let changed: Vec<String> = topic
            .settings
            .iter()
            .filter(differs)
            .map(|(name, value)| format!("{}: {name} = {value}", topic.topic))
            .collect();
        if !changed.is_empty() {
            kafka.change_settings(&topic.topic, &state, &topic.settings)?;
            done.extend(changed);
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_some_hundreds_to_a_delay() {
        let hour = 60 * MINUTE_MS;
        for (delay, segment) in [
            (1000, 1000),
            (40_000, 10_000),
            (hour, 10 * MINUTE_MS),
            (DAY_MS, 10 * MINUTE_MS),
            (30 * DAY_MS, 2 * hour),
            (90 * DAY_MS, 6 * hour),
            (730 * DAY_MS, DAY_MS),
        ] {
            assert_eq!(segment_ms(delay), segment, "{delay}");
        }
    }

    #[test]
    fn a_setting_that_differs_is_told_with_its_cure() {
        let wanted = Wanted {
            topic: "logs.held.1h".into(),
            partitions: 2,
            replication: 1,
            settings: BTreeMap::from([("retention.ms", "5".to_owned())]),
        };
        let state = |partitions, retention: &str| TopicState {
            partitions,
            settings: BTreeMap::from([("retention.ms".to_owned(), retention.to_owned())]),
            own: BTreeMap::new(),
        };
        let told = |state: &TopicState| {
            let mut findings = Vec::new();
            compare(&wanted, state, &mut findings);
            findings
        };
        assert_eq!(told(&state(2, "5")), []);
        let [wrong] = &told(&state(2, "7"))[..] else { panic!("one finding") };
        assert_eq!(wrong.what, "`retention.ms` is `7` and must be `5`");
        assert!(wrong.mended_by_apply);
        let [more] = &told(&state(3, "5"))[..] else { panic!("one finding") };
        assert!(!more.mended_by_apply, "partitions cannot be taken away");
        let mut elsewhere = state(2, "5");
        elsewhere.settings.insert("remote.storage.enable".to_owned(), "true".to_owned());
        let [copies] = &told(&elsewhere)[..] else { panic!("one finding") };
        assert!(copies.level == Level::Refuse && copies.what.contains("copies elsewhere"), "{copies:?}");
        elsewhere.settings.insert("remote.storage.enable".to_owned(), "false".to_owned());
        elsewhere.settings.insert("file.delete.delay.ms".to_owned(), "60001".to_owned());
        let [late] = &told(&elsewhere)[..] else { panic!("one finding") };
        assert_eq!(late.level, Level::Warn);
    }
}

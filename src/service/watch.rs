//! What the workers counted, and what the log holds, as metrics.

use crate::stage::Pipeline;
use crate::stage::envelope;
use crate::stage::meter::{Meter, Samples};
use crate::stage::purge::Purged;
use crate::stage::quarantine::is_heartbeat;
use crate::stage::store::{Bounds, Fetched, Flow, PurgeState, Store, StoreError};
use crate::stage::topics::Topics;
use crate::telemetry::Metric;
use crate::transform::Action;
use metrics::{Gauge, counter, gauge, histogram};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How often the log is looked at.
pub const EVERY_MS: i64 = 15_000;
/// Overdue records are counted up to so many in a partition.
const MOST_OVERDUE: u64 = 10_000;

/// Adds what a worker counted.
pub fn add(pipeline: &Pipeline, meter: &Meter) {
    if meter.is_empty() {
        return;
    }
    let name = pipeline.topics.source.to_string();
    let stage = |number: usize| pipeline.stage_id(number).to_owned();
    for ((number, outcome), count) in &meter.records {
        counter!(Metric::Records.name(), "pipeline" => name.clone(), "stage" => stage(*number),
            "outcome" => outcome.word())
        .increment(*count);
    }
    for (number, bytes) in &meter.bytes {
        for (direction, count) in [("in", bytes.read), ("out", bytes.written)] {
            counter!(Metric::Bytes.name(), "pipeline" => name.clone(), "stage" => stage(*number),
                "direction" => direction)
            .increment(count);
        }
    }
    for ((number, class, rule, action), count) in &meter.findings {
        let rule = pipeline.engine.rules().info(*rule).map_or("none", |info| info.id.as_str());
        counter!(Metric::Findings.name(), "pipeline" => name.clone(), "stage" => stage(*number),
            "class" => class.word(), "rule" => rule.to_owned(), "action" => word(*action))
        .increment(*count);
    }
    for (reason, count) in &meter.quarantined {
        counter!(Metric::Quarantined.name(), "reason" => *reason).increment(*count);
    }
    counter!(Metric::Transactions.name(), "outcome" => "committed").increment(meter.committed);
    counter!(Metric::Transactions.name(), "outcome" => "aborted").increment(meter.aborted);
    record(Metric::Engine, &meter.engine_us, 1e6);
    record(Metric::EndToEnd, &meter.end_to_end_ms, 1e3);
}

/// Each bucket as its mean, which leaves counts and sum as they are.
fn record(metric: Metric, samples: &Samples, per_second: f64) {
    let histogram = histogram!(metric.name());
    for (count, sum) in samples.rows() {
        histogram.record_many(
            sum as f64 / count as f64 / per_second,
            usize::try_from(count).unwrap_or(usize::MAX),
        );
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Remove => "remove",
        Action::MaskCallingCode => "mask",
        Action::Pseudonym => "pseudonym",
        Action::Measure => "measure",
        Action::Geo(_) => "geo",
        Action::Round(_) => "round",
        Action::Family => "family",
        Action::Route => "route",
        Action::DropField => "drop_field",
    }
}

/// When the oldest database of places was built, in seconds since 1970.
pub fn places_built(at_seconds: u64) {
    gauge!(Metric::GeoBuild.name()).set(at_seconds as f64);
}

/// Whether a topic's settings are as they must be.
pub fn compliant(topic: &str, is: bool) {
    gauge!(Metric::TopicCompliant.name(), "topic" => topic.to_owned()).set(f64::from(u8::from(is)));
}

/// How a reload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    Done,
    /// Everything stays as it was.
    Refused,
}

pub fn reloaded(how: Reloaded) {
    let outcome = match how {
        Reloaded::Done => "done",
        Reloaded::Refused => "refused",
    };
    counter!(Metric::Reload.name(), "outcome" => outcome).increment(1);
}

pub fn purged(purged: &Purged) {
    for (topic, records) in &purged.0 {
        counter!(Metric::Purged.name(), "topic" => topic.to_string()).increment(*records);
    }
}

/// What stands first at an offset, which does not change: when it happened, and when it is due.
#[derive(Clone, Copy, Debug)]
struct Head {
    event_ms: i64,
    due_ms: i64,
}

/// Heads by topic and partition, looked at once each.
#[derive(Default)]
struct Heads(HashMap<(Arc<str>, i32), Looked>);

/// What was found at or above an offset, when the partition ended there.
#[derive(Clone, Copy, Debug)]
struct Looked {
    from: i64,
    end: i64,
    head: Option<Head>,
}

impl Heads {
    /// What stands first at or above an offset of each partition. What is not known yet is looked for, in one
    /// scan.
    fn first<S: Store>(
        &mut self,
        store: &S,
        pipeline: &Pipeline,
        topic: &Arc<str>,
        places: &[(Bounds, i64)],
    ) -> Result<Vec<Option<Head>>, StoreError> {
        let still = |looked: &Looked, bounds: &Bounds, from: i64| {
            looked.from == from && (looked.head.is_some() || looked.end == bounds.end)
        };
        let key = |bounds: &Bounds| (topic.clone(), bounds.partition);
        let mut open = Vec::new();
        for (bounds, from) in places {
            if !self.0.get(&key(bounds)).is_some_and(|looked| still(looked, bounds, *from)) {
                open.push((bounds.partition, *from));
                self.0.insert(key(bounds), Looked { from: *from, end: bounds.end, head: None });
            }
        }
        let of = |bounds: &Bounds, heads: &Self| heads.0.get(&key(bounds)).and_then(|looked| looked.head);
        if !open.is_empty() {
            let looked = store.scan_each(topic, &open, &mut |fetched| {
                if is_heartbeat(&fetched.record) {
                    return Flow::Next;
                }
                if let Some(looked) = self.0.get_mut(&(topic.clone(), fetched.place.partition)) {
                    looked.head = Some(read(pipeline, fetched));
                }
                Flow::Stop
            });
            if let Err(error) = looked {
                self.0.retain(|(known, _), _| known != topic);
                return Err(error);
            }
        }
        Ok(places.iter().map(|(bounds, _)| of(bounds, self)).collect())
    }
}

type Labels = Vec<(&'static str, String)>;

/// What the metrics show of a pipeline's topics, to be taken back when it runs no more: a gauge keeps its last
/// value for ever, and alerts with it.
pub struct Gauges {
    topics: Topics,
    set: BTreeMap<(&'static str, Labels), Gauge>,
}

impl Gauges {
    fn of(pipeline: &Pipeline) -> Self {
        Gauges { topics: pipeline.topics.clone(), set: BTreeMap::new() }
    }

    fn set(&mut self, metric: Metric, labels: Labels, value: f64) {
        let gauge = gauge!(metric.name(), &labels);
        gauge.set(value);
        self.set.insert((metric.name(), labels), gauge);
    }

    fn lag(&mut self, topic: &Arc<str>, states: &[PurgeState]) {
        for state in states {
            let partition = state.bounds.partition.to_string();
            let labels = vec![("topic", topic.to_string()), ("partition", partition)];
            self.set(Metric::ConsumerLag, labels, ahead(state) as f64);
        }
    }

    fn window(&mut self, topic: &Arc<str>, window_ms: Option<i64>) {
        if let Some(window_ms) = window_ms {
            self.set(Metric::Window, vec![("topic", topic.to_string())], window_ms as f64 / 1000.0);
        }
    }
}

/// Shows nothing any more of pipelines that are none of those that run. (Our metrics cannot be unset: 0 alerts
/// nobody.)
pub(super) fn zero_what_is_gone(gauges: &[Gauges], running: &[Arc<Pipeline>]) {
    let runs = |gauges: &&Gauges| running.iter().any(|pipeline| pipeline.topics == gauges.topics);
    for gone in gauges.iter().filter(|gauges| !runs(gauges)) {
        gone.set.values().for_each(|gauge| gauge.set(0.0));
    }
}

/// Looks at a pipeline's topics.
pub struct Watch {
    pipeline: Arc<Pipeline>,
    gauges: Gauges,
    /// Every lane that exists.
    lanes: Arc<[Arc<str>]>,
    /// What stands first in each partition.
    heads: Heads,
    /// What stands first of what our group has not committed.
    next: Heads,
    looked_ms: i64,
}

impl Watch {
    #[must_use]
    pub fn new(pipeline: Arc<Pipeline>, lanes: Arc<[Arc<str>]>) -> Self {
        let gauges = Gauges::of(&pipeline);
        Watch { pipeline, gauges, lanes, heads: Heads::default(), next: Heads::default(), looked_ms: 0 }
    }

    pub(super) fn take_gauges(&mut self) -> Gauges {
        std::mem::replace(&mut self.gauges, Gauges::of(&self.pipeline))
    }

    /// Looks, if it is time to.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn look<S: Store>(&mut self, store: &S, now_ms: i64) -> Result<(), StoreError> {
        if now_ms.saturating_sub(self.looked_ms).abs() < EVERY_MS {
            return Ok(());
        }
        self.looked_ms = now_ms;
        let pipeline = self.pipeline.clone();
        let source = pipeline.topics.source.clone();
        let window_ms = pipeline.windows.longest_ms();
        let states = store.purge_states(&pipeline.scrub_reader(), &source)?;
        self.gauges.lag(&source, &states);
        self.oldest(store, &source, states.iter().map(|state| state.bounds), now_ms)?;
        self.gauges.window(&source, window_ms);
        let (mut overdue, reader) = (0, pipeline.lanes_reader());
        let lanes = self.lanes.clone();
        for (topic, states) in lanes.iter().zip(store.purge_states_of(&reader, &lanes)?) {
            self.gauges.lag(topic, &states);
            let pending: u64 = states.iter().map(ahead).sum();
            let labels = vec![("pipeline", source.to_string()), ("lane", topic.to_string())];
            self.gauges.set(Metric::Pending, labels, pending as f64);
            self.oldest(store, topic, states.iter().map(|state| state.bounds), now_ms)?;
            self.gauges.window(topic, window_ms);
            overdue += self.overdue(store, topic, &states, now_ms)?;
        }
        if pipeline.lanes.is_some() {
            let stage = pipeline.stage_id(pipeline.schedule.last()).to_owned();
            let labels = vec![("pipeline", source.to_string()), ("stage", stage)];
            self.gauges.set(Metric::Overdue, labels, overdue as f64);
        }
        Ok(())
    }

    /// The age of a topic's oldest record, from the broker's own earliest data: 0 where there is none.
    fn oldest<S: Store>(
        &mut self,
        store: &S,
        topic: &Arc<str>,
        all: impl Iterator<Item = Bounds>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let places: Vec<(Bounds, i64)> = all
            .filter(|bounds| bounds.log_start < bounds.end)
            .map(|bounds| (bounds, bounds.log_start))
            .collect();
        let heads = self.heads.first(store, &self.pipeline, topic, &places)?;
        let oldest_ms = heads.iter().flatten().map(|head| head.event_ms).fold(now_ms, i64::min);
        let seconds = now_ms.saturating_sub(oldest_ms).max(0) as f64 / 1000.0;
        self.gauges.set(Metric::OldestIdentifiableAge, vec![("topic", topic.to_string())], seconds);
        Ok(())
    }

    /// How many held records of a lane should have been released, by more than what a release takes.
    fn overdue<S: Store>(
        &mut self,
        store: &S,
        topic: &Arc<str>,
        states: &[PurgeState],
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let from = |state: &PurgeState| state.committed.unwrap_or(0).max(state.bounds.log_start);
        let places: Vec<(Bounds, i64)> = states
            .iter()
            .map(|state| (state.bounds, from(state)))
            .filter(|(bounds, from)| *from < bounds.end)
            .collect();
        let late_ms = now_ms.saturating_sub(self.pipeline.release_slack_ms());
        let heads = self.next.first(store, &self.pipeline, topic, &places)?;
        let is_late = |head: &Option<Head>| head.is_some_and(|head| head.due_ms <= late_ms);
        let late: Vec<(i32, i64)> = places
            .iter()
            .zip(&heads)
            .filter(|(_, head)| is_late(head))
            .map(|((bounds, from), _)| (bounds.partition, *from))
            .collect();
        if late.is_empty() {
            return Ok(0);
        }
        let mut counts: HashMap<i32, u64> = HashMap::new();
        store.scan_each(topic, &late, &mut |fetched| {
            if is_heartbeat(&fetched.record) {
                return Flow::Next;
            }
            let count = counts.entry(fetched.place.partition).or_default();
            if read(&self.pipeline, fetched).due_ms > late_ms || *count >= MOST_OVERDUE {
                return Flow::Stop;
            }
            *count += 1;
            Flow::Next
        })?;
        Ok(counts.values().sum())
    }
}

/// How many offsets a group has before it.
fn ahead(state: &PurgeState) -> u64 {
    let from = state.committed.unwrap_or(0).max(state.bounds.log_start);
    state.bounds.end.saturating_sub(from).max(0).unsigned_abs()
}

fn read(pipeline: &Pipeline, fetched: &Fetched<'_>) -> Head {
    let held = envelope::decode(fetched.record.value.unwrap_or_default(), &mut Vec::new());
    match held {
        Ok(held) => Head {
            event_ms: held.cover.times.record_ms,
            due_ms: pipeline.schedule.due_ms(pipeline.schedule.last(), &held.cover.times),
        },
        // A record of the source, or one that is none of ours.
        Err(_) => Head { event_ms: fetched.record.timestamp_ms.unwrap_or(i64::MAX), due_ms: i64::MAX },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::stage::Settings;
    use metrics_exporter_prometheus::PrometheusBuilder;

    fn pipeline(source: &str) -> Arc<Pipeline> {
        let Some(Ok(compiled)) = crate::policy::shipped("default", &[]) else { panic!("shipped") };
        let rules = crate::rule::compile(&crate::rule::Sources {
            shipped: crate::rule::shipped_sources(),
            user: Vec::new(),
        });
        let engine = Engine::new(Arc::new(rules.unwrap().rules), None);
        Arc::new(Pipeline::new(compiled.policy, Arc::new(engine), Settings::of(source)).unwrap())
    }

    #[test]
    fn a_pipeline_that_is_gone_alerts_nobody() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = metrics::with_local_recorder(&recorder, || {
            let (stays, goes) = (pipeline("stays"), pipeline("goes"));
            let mut all = Vec::new();
            for pipeline in [&stays, &goes] {
                let mut gauges = Gauges::of(pipeline);
                let source = pipeline.topics.source.to_string();
                gauges.set(Metric::Overdue, vec![("pipeline", source)], 7.0);
                gauges.window(&pipeline.topics.source, Some(5000));
                all.push(gauges);
            }
            zero_what_is_gone(&all, &[stays]);
            recorder.handle().render()
        });
        for line in [
            "logscrub_overdue_records{pipeline=\"stays\"} 7",
            "logscrub_overdue_records{pipeline=\"goes\"} 0",
            "logscrub_window_seconds{topic=\"stays\"} 5",
            "logscrub_window_seconds{topic=\"goes\"} 0",
        ] {
            assert!(shown.contains(line), "{line}\n--\n{shown}");
        }
    }
}

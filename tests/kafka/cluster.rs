//! Processes in threads of the test on the real broker, whose clock is moved by hand.

use crate::process::{PATIENCE, until};
use logscrub::diagnostic::Source;
use logscrub::engine::Engine;
use logscrub::geo::Databases;
use logscrub::policy::{self, Policy};
use logscrub::rule::{self, Sources};
use logscrub::stage::clock::ManualClock;
use logscrub::stage::store::{Fetched, Flow, Store};
use logscrub::stage::{LaneWorker, Pipeline, ScrubWorker, Settings, Step, edition, needed_topics};
use logscrub::store::kafka::{Kafka, Options};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

/// One of several processes with the same pipeline.
pub struct Process {
    pub pipeline: Arc<Pipeline>,
    scrub: ScrubWorker<Kafka>,
    lanes: LaneWorker<Kafka>,
}

pub struct Cluster {
    pub store: Arc<Kafka>,
    /// Must not stand before the broker's: its stamps would lie in the future.
    pub clock: Arc<ManualClock>,
    source: &'static str,
    policy: Policy,
    engine: Arc<Engine>,
}

impl Cluster {
    pub fn new(options: Options, source: &'static str, policy: &str, now_ms: i64) -> Self {
        let text = Source { name: "policy.toml".into(), text: policy.into() };
        Cluster {
            store: Arc::new(Kafka::open(options).unwrap()),
            clock: Arc::new(ManualClock::at(now_ms)),
            source,
            policy: policy::compile(&text, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy,
            engine: engine(),
        }
    }

    fn pipeline(&self, instance: &str) -> Arc<Pipeline> {
        let mut settings = Settings::of(self.source);
        settings.instance = instance.to_owned();
        settings.headers = vec!["rid".to_owned()];
        settings.tick_ms = 100;
        settings.release_every_ms = Some(0);
        let pipeline = Arc::new(Pipeline::new(self.policy.clone(), self.engine.clone(), settings).unwrap());
        for topic in needed_topics(&pipeline, 4) {
            self.store.ensure(&topic).unwrap();
        }
        edition::agree(self.store.as_ref(), &pipeline, &mut |_, _| {}).unwrap();
        pipeline
    }

    fn join(&self, instance: &str, seed: u64) -> Process {
        let (store, clock, pipeline) = (&self.store, &self.clock, self.pipeline(instance));
        let scrub = ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, seed).unwrap();
        let lanes = LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, seed + 1).unwrap();
        Process { pipeline, scrub, lanes }
    }

    pub fn both(&self, seed: u64) -> Vec<Process> {
        vec![self.join("one", seed), self.join("two", seed + 10)]
    }

    /// How many records stand in a topic.
    pub fn count(&self, ending: &str) -> usize {
        let mut count = 0;
        self.visit(ending, &mut |_| count += 1);
        count
    }

    /// How many keys of a compacted topic have a value and begin so.
    pub fn keys(&self, ending: &str, prefix: &str) -> usize {
        keys(&self.store, &format!("{}.{ending}", self.source), prefix)
    }

    pub fn visit(&self, ending: &str, visit: &mut dyn FnMut(&Fetched<'_>)) {
        visit_all(&self.store, &format!("{}.{ending}", self.source), visit);
    }
}

fn engine() -> Arc<Engine> {
    let rule = "[[rule]]\nid = \"test.rid\"\nclass = \"safe\"\nfields = [\"rid\"]\n";
    let user = vec![Source { name: "rid.toml".into(), text: rule.into() }];
    let sources = Sources { shipped: rule::shipped_sources(), user };
    let rules = rule::compile(&sources).unwrap_or_else(|errors| panic!("{errors}")).rules;
    Arc::new(Engine::new(Arc::new(rules), Some(Arc::new(Databases::embedded()))))
}

fn visit_all(store: &Kafka, topic: &str, visit: &mut dyn FnMut(&Fetched<'_>)) {
    let bounds = store.bounds(topic).unwrap();
    let starts: Vec<_> = bounds.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    let visit = &mut |fetched: &Fetched<'_>| {
        visit(fetched);
        Flow::Next
    };
    store.scan_each(topic, &starts, visit).unwrap();
}

/// How many keys of a compacted topic have a value and begin so, each partition's for itself.
pub fn keys(store: &Kafka, topic: &str, prefix: &str) -> usize {
    let mut newest: BTreeMap<(i32, Vec<u8>), bool> = BTreeMap::new();
    visit_all(store, topic, &mut |fetched| {
        let key = fetched.record.key.unwrap().to_vec();
        newest.insert((fetched.place.partition, key), fetched.record.value.is_some());
    });
    newest.iter().filter(|((_, key), lives)| **lives && key.starts_with(prefix.as_bytes())).count()
}

/// All of them work, each in a thread of its own, until something holds.
pub fn work(processes: &mut [Process], what: &str, holds: impl FnMut() -> bool) {
    let done = &AtomicBool::new(false);
    let step = |step: Result<Step, _>| drop(step.unwrap_or_else(|error| panic!("{error}")));
    std::thread::scope(|scope| {
        for process in processes {
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    step(process.scrub.step(Duration::from_millis(50)));
                    step(process.lanes.step(Duration::from_millis(50)));
                }
            });
        }
        let held = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| until(what, PATIENCE, holds)));
        done.store(true, Ordering::SeqCst);
        held.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

//! A pipeline on an embedded store of its own, under a clock that the test moves.

#![allow(dead_code, reason = "each test file uses its part of it")]

use logscrub::diagnostic::Source;
use logscrub::engine::Engine;
use logscrub::policy::{self, Policy};
use logscrub::record::Record;
use logscrub::rule::{self, Sources};
use logscrub::stage::clock::{Clock, ManualClock};
use logscrub::stage::count::{Group, Total};
use logscrub::stage::edition;
use logscrub::stage::outcome::{Outcome, Tally};
use logscrub::stage::store::{Flow, Session, SessionSpec, Store, TopicSpec, Writer};
use logscrub::stage::{
    DayEnd, EventEnd, Fold, LaneWorker, Pipeline, ScrubWorker, Settings, envelope, needed_topics, purge,
};
use logscrub::store::embedded::{Access, Durability, Embedded, Fault, Options};
use logscrub::transform::Places;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub const SECOND: i64 = 1000;
pub const HOUR: i64 = 3600 * SECOND;
pub const DAY: i64 = 24 * HOUR;
pub const START: i64 = 1_800_000_000_000;

const RULES: &str = r#"
[[rule]]
id = "test.rid"
class = "safe"
fields = ["rid"]

[[rule]]
id = "test.secret"
class = "code"
fields = ["secret"]
"#;

pub fn policy(windows: &[(&str, &str)], margin: &str) -> Policy {
    let mut text =
        format!("id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"{margin}\"\n");
    text.push_str("[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n");
    for (id, after) in windows {
        text.push_str(&format!(
            "[[stage]]\nid = \"{id}\"\nafter = \"{after}\"\n[stage.do]\ncode = \"remove\"\n"
        ));
    }
    let source = Source { name: "sim.toml".into(), text };
    policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
}

/// With the shipped rules, and where addresses lie.
pub fn full_engine(places: Option<Arc<dyn Places>>) -> Arc<Engine> {
    full_engine_with("", places)
}

/// The same with further rules.
pub fn full_engine_with(rules: &str, places: Option<Arc<dyn Places>>) -> Arc<Engine> {
    let user = vec![Source { name: "sim-rules.toml".into(), text: format!("{RULES}\n{rules}") }];
    let sources = Sources { shipped: rule::shipped_sources(), user };
    let compiled = rule::compile(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::new(Engine::new(Arc::new(compiled.rules), places))
}

/// Every group of the counts topic, over all chunks.
pub fn groups(world: &World) -> BTreeMap<Group, Total> {
    let mut totals: BTreeMap<Group, Total> = BTreeMap::new();
    for partition in 0..PARTITIONS {
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            let key = std::str::from_utf8(fetched.record.key.unwrap()).unwrap();
            if let Some(group) = Group::from_key(key) {
                let total = Total::from_json(fetched.record.value.unwrap()).unwrap();
                totals.entry(group).or_default().merge(&total);
            }
            Flow::Next
        };
        world.store.scan("sim.counts", partition, 0, visit).unwrap();
    }
    totals
}

pub fn engine() -> Arc<Engine> {
    let user = vec![Source { name: "sim-rules.toml".into(), text: RULES.into() }];
    let compiled =
        rule::compile(&Sources { shipped: Vec::new(), user }).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::new(Engine::new(Arc::new(compiled.rules), None))
}

/// One made-up record, and what must become of it.
pub struct Sent {
    pub event_ms: i64,
}

/// A pipeline on a store of its own, and what the test knows of its records.
pub struct World {
    pub dir: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub store: Arc<Embedded>,
    pub pipeline: Arc<Pipeline>,
    pub scrub: ScrubWorker<Embedded>,
    pub lanes: LaneWorker<Embedded>,
    pub sent: BTreeMap<String, Sent>,
    pub released: BTreeMap<String, i64>,
    pub scrubbed: BTreeSet<String>,
    /// Days that were ended, counted from 1970.
    pub ended: BTreeSet<i64>,
    day_end: DayEnd,
    event_end: EventEnd,
    fold: Fold,
    /// Read so far, by topic and partition.
    read: BTreeMap<(Arc<str>, i32), i64>,
}

pub const PARTITIONS: i32 = 2;

pub fn settings() -> Settings {
    let mut settings = Settings::of("sim");
    settings.purge_source = true;
    settings
}

impl World {
    pub fn new(policy: Policy, settings: Settings) -> Self {
        World::with(policy, settings, engine())
    }

    pub fn with(policy: Policy, settings: Settings, engine: Arc<Engine>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START));
        let options = Options {
            access: Access::Service,
            durability: Durability::Process,
            clock: clock.clone(),
            fault: Fault::None,
        };
        let store = Arc::new(Embedded::open(dir.path(), options).unwrap());
        store.ensure(&TopicSpec { name: "sim".into(), partitions: PARTITIONS, compacted: false }).unwrap();
        let (pipeline, scrub, lanes) = workers(&store, &clock, policy, settings, engine);
        World {
            dir,
            clock,
            store,
            pipeline,
            scrub,
            lanes,
            sent: BTreeMap::new(),
            released: BTreeMap::new(),
            scrubbed: BTreeSet::new(),
            ended: BTreeSet::new(),
            day_end: DayEnd::default(),
            event_end: EventEnd::default(),
            fold: Fold::default(),
            read: BTreeMap::new(),
        }
    }

    /// The workers leave without a word, and others come, perhaps with another policy.
    pub fn restart(&mut self, policy: Policy, settings: Settings) {
        self.restart_with(policy, settings, self.pipeline.engine.clone());
    }

    /// The same with another engine.
    pub fn restart_with(&mut self, policy: Policy, settings: Settings, engine: Arc<Engine>) {
        let (pipeline, scrub, lanes) = workers(&self.store, &self.clock, policy, settings, engine);
        self.pipeline = pipeline;
        self.scrub = scrub;
        self.lanes = lanes;
        self.day_end = DayEnd::default();
        self.event_end = EventEnd::default();
        self.fold = Fold::default();
    }

    pub fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Sends a record whose `ts` is as given, to be scrubbed before the clock moves.
    pub fn send(&mut self, partition: i32, ts: &str, record_ms: i64, event_ms: i64, secret: bool) -> String {
        let rid = format!("rid-{:06}-x", self.sent.len());
        let secret = if secret { r#","secret":"774411""# } else { "" };
        let value = format!(r#"{{"rid":"{rid}","ts":"{ts}"{secret}}}"#);
        self.append(partition, &value, record_ms);
        self.sent.insert(rid.clone(), Sent { event_ms });
        rid
    }

    pub fn append(&self, partition: i32, value: &str, record_ms: i64) {
        self.append_all(&[(partition, value.to_owned(), record_ms)]);
    }

    /// Partition, value and time of each.
    pub fn append_all(&self, records: &[(i32, String, i64)]) {
        let spec = SessionSpec { reader: "put".into(), slot: "put".into(), topics: Vec::new() };
        let mut session = self.store.join(&spec).unwrap();
        let (_, writer) = session.halves();
        for (partition, value, record_ms) in records {
            let value = Some(value.as_bytes());
            let record = Record { value, timestamp_ms: Some(*record_ms), ..Record::default() };
            writer.append("sim", *partition, &record).unwrap();
        }
        writer.commit(&[]).unwrap();
    }

    /// Lets both workers take everything that there is to take now.
    pub fn settle(&mut self) {
        // The first step is the assignment; a step after the last record shows that there is none.
        let mut quiet = 0;
        while quiet < 3 {
            let scrub = self.scrub.step(Duration::ZERO).unwrap();
            let lanes = self.lanes.step(Duration::ZERO).unwrap();
            let worked = |step| matches!(step, logscrub::stage::Step::Worked(_));
            quiet = if worked(scrub) || worked(lanes) { 0 } else { quiet + 1 };
        }
        self.look();
    }

    /// Reads what is new in the outputs.
    pub fn look(&mut self) {
        let now = self.now();
        for (place, rid) in self.new_in("sim.deidentified") {
            let before = self.released.insert(rid.clone(), now);
            assert!(before.is_none(), "{rid} was released twice, {place}");
        }
        for (_, rid) in self.new_in("sim.scrubbed") {
            assert!(self.scrubbed.insert(rid.clone()), "{rid} was scrubbed twice");
        }
    }

    pub fn new_in(&mut self, topic: &str) -> Vec<(i32, String)> {
        let mut found = Vec::new();
        for partition in 0..PARTITIONS {
            let key = (Arc::from(topic), partition);
            let from = self.read.get(&key).copied().unwrap_or(0);
            let reached = self.store.scan(topic, partition, from, &mut |fetched| {
                let value = String::from_utf8(fetched.record.value.unwrap().to_vec()).unwrap();
                assert!(!value.contains("774411"), "a secret left: {topic}");
                found.push((partition, rid_of(&value)));
                Flow::Next
            });
            self.read.insert(key, reached.unwrap());
        }
        found
    }

    /// What the service does beside its workers.
    pub fn purge(&mut self) {
        let lanes = purge::held_topics(self.store.as_ref(), &self.pipeline).unwrap();
        let now = self.now();
        let ended = self.day_end.look(self.store.as_ref(), &self.pipeline, &lanes, now).unwrap();
        self.ended.extend(ended.days);
        self.event_end.look(self.store.as_ref(), &self.pipeline, &lanes, now).unwrap();
        self.fold.look(self.store.as_ref(), &self.pipeline, &lanes, now).unwrap();
        purge::round(self.store.as_ref(), &self.pipeline, &lanes, self.now()).unwrap();
    }

    /// Ids of what is still held, and whether each still has its secret.
    pub fn held(&self) -> BTreeMap<String, bool> {
        let mut held = BTreeMap::new();
        for topic in purge::held_topics(self.store.as_ref(), &self.pipeline).unwrap() {
            for bounds in self.store.bounds(&topic).unwrap() {
                let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
                    let mut headers = Vec::new();
                    let original = envelope::decode(fetched.record.value.unwrap(), &mut headers).unwrap();
                    let value = String::from_utf8(original.value.unwrap().to_vec()).unwrap();
                    held.insert(rid_of(&value), value.contains("774411"));
                    Flow::Next
                };
                self.store.scan(&topic, bounds.partition, bounds.log_start, visit).unwrap();
            }
        }
        held
    }

    pub fn in_files(&self, marker: &str) -> bool {
        std::fs::read_dir(self.dir.path()).unwrap().any(|entry| {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            memchr::memmem::find(&content, marker.as_bytes()).is_some()
        })
    }

    /// Totals of the counts topic, by key's part and stage.
    pub fn counts(&self) -> BTreeMap<String, Tally> {
        let mut totals: BTreeMap<String, Tally> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
                let key = String::from_utf8(fetched.record.key.unwrap().to_vec()).unwrap();
                if !key.starts_with("outcomes/") {
                    return Flow::Next;
                }
                let name = key.split('/').skip(1).take(2).collect::<Vec<_>>().join("/");
                let tally = Tally::from_json(fetched.record.value.unwrap()).unwrap();
                totals.entry(name).or_default().merge(&tally);
                Flow::Next
            };
            self.store.scan("sim.counts", partition, 0, visit).unwrap();
        }
        totals
    }
}

fn workers(
    store: &Arc<Embedded>,
    clock: &Arc<ManualClock>,
    policy: Policy,
    settings: Settings,
    engine: Arc<Engine>,
) -> (Arc<Pipeline>, ScrubWorker<Embedded>, LaneWorker<Embedded>) {
    let pipeline = Arc::new(Pipeline::new(policy, engine, settings).unwrap());
    for topic in needed_topics(&pipeline, PARTITIONS) {
        store.ensure(&topic).unwrap();
    }
    edition::agree(store.as_ref(), &pipeline, &mut |_, _| {}).unwrap();
    let scrub = ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 1).unwrap();
    let lanes = LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 2).unwrap();
    (pipeline, scrub, lanes)
}

pub fn rid_of(value: &str) -> String {
    let at = value.find("rid-").unwrap_or_else(|| panic!("no rid"));
    value[at..at + 12].to_owned()
}

pub fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

/// Records in = sum of outcomes, by worker and stage.
pub fn check_counts(world: &World) {
    let counts = world.counts();
    let of = |name: &str, outcome| counts.get(name).map_or(0, |tally| tally.of(outcome)) as usize;
    let overdue = of("scrub/deidentify", Outcome::Emitted);
    assert_eq!(of("scrub/scrub", Outcome::Emitted), world.scrubbed.len());
    assert_eq!(world.scrubbed.len() + overdue, world.sent.len());
    assert_eq!(of("lanes/deidentify", Outcome::Emitted), world.scrubbed.len());
    let others: u64 = counts
        .values()
        .map(|tally| tally.total() - tally.of(Outcome::Emitted) - tally.of(Outcome::Relaned))
        .sum();
    assert_eq!(others, 0);
}

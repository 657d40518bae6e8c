//! The stages under a clock that the test moves: whole years in seconds, by seed.

use logscrub::diagnostic::Source;
use logscrub::engine::Engine;
use logscrub::policy::{self, Policy};
use logscrub::record::Record;
use logscrub::rule::{self, Sources};
use logscrub::stage::clock::{Clock, ManualClock};
use logscrub::stage::edition::{self, Change, Effect};
use logscrub::stage::outcome::{Outcome, Tally};
use logscrub::stage::store::{Flow, Session, SessionSpec, Store, StoreError, TopicSpec, Writer};
use logscrub::stage::{LaneWorker, Pipeline, ScrubWorker, Settings, envelope, needed_topics, purge};
use logscrub::store::embedded::{Access, Durability, Embedded, Fault, Options};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;
const START: i64 = 1_800_000_000_000;

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

fn policy(windows: &[(&str, &str)], margin: &str) -> Policy {
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

fn engine() -> Arc<Engine> {
    let user = vec![Source { name: "sim-rules.toml".into(), text: RULES.into() }];
    let compiled =
        rule::compile(&Sources { shipped: Vec::new(), user }).unwrap_or_else(|errors| panic!("{errors}"));
    Arc::new(Engine::new(Arc::new(compiled.rules), None))
}

/// One made-up record, and what must become of it.
struct Sent {
    event_ms: i64,
}

/// A pipeline on a store of its own, and what the test knows of its records.
struct World {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    store: Arc<Embedded>,
    pipeline: Arc<Pipeline>,
    scrub: ScrubWorker<Embedded>,
    lanes: LaneWorker<Embedded>,
    sent: BTreeMap<String, Sent>,
    released: BTreeMap<String, i64>,
    scrubbed: BTreeSet<String>,
    /// Read so far, by topic and partition.
    read: BTreeMap<(Arc<str>, i32), i64>,
}

const PARTITIONS: i32 = 2;

fn settings() -> Settings {
    let mut settings = Settings::of("sim");
    settings.purge_source = true;
    settings
}

impl World {
    fn new(policy: Policy, settings: Settings) -> Self {
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
        let (pipeline, scrub, lanes) = workers(&store, &clock, policy, settings);
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
            read: BTreeMap::new(),
        }
    }

    /// The workers leave without a word, and others come, perhaps with another policy.
    fn restart(&mut self, policy: Policy, settings: Settings) {
        let (pipeline, scrub, lanes) = workers(&self.store, &self.clock, policy, settings);
        self.pipeline = pipeline;
        self.scrub = scrub;
        self.lanes = lanes;
    }

    fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Sends a record whose `ts` is as given, to be scrubbed before the clock moves.
    fn send(&mut self, partition: i32, ts: &str, record_ms: i64, event_ms: i64, secret: bool) -> String {
        let rid = format!("rid-{:06}-x", self.sent.len());
        let secret = if secret { r#","secret":"774411""# } else { "" };
        let value = format!(r#"{{"rid":"{rid}","ts":"{ts}"{secret}}}"#);
        let spec = SessionSpec { reader: "put".into(), slot: "put".into(), topics: Vec::new() };
        let mut session = self.store.join(&spec).unwrap();
        let record =
            Record { value: Some(value.as_bytes()), timestamp_ms: Some(record_ms), ..Record::default() };
        session.halves().1.append("sim", partition, &record).unwrap();
        session.halves().1.commit(&[]).unwrap();
        self.sent.insert(rid.clone(), Sent { event_ms });
        rid
    }

    /// Lets both workers take everything that there is to take now.
    fn settle(&mut self) {
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
    fn look(&mut self) {
        let now = self.now();
        for (place, rid) in self.new_in("sim.deidentified") {
            let before = self.released.insert(rid.clone(), now);
            assert!(before.is_none(), "{rid} was released twice, {place}");
        }
        for (_, rid) in self.new_in("sim.scrubbed") {
            assert!(self.scrubbed.insert(rid.clone()), "{rid} was scrubbed twice");
        }
    }

    fn new_in(&mut self, topic: &str) -> Vec<(i32, String)> {
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

    fn purge(&self) {
        purge::round(self.store.as_ref(), &self.pipeline, self.now()).unwrap();
    }

    /// Ids of what is still held, and whether each still has its secret.
    fn held(&self) -> BTreeMap<String, bool> {
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

    fn in_files(&self, marker: &str) -> bool {
        std::fs::read_dir(self.dir.path()).unwrap().any(|entry| {
            let content = std::fs::read(entry.unwrap().path()).unwrap();
            memchr::memmem::find(&content, marker.as_bytes()).is_some()
        })
    }

    /// Totals of the counts topic, by key's part and stage.
    fn counts(&self) -> BTreeMap<String, Tally> {
        let mut totals: BTreeMap<String, Tally> = BTreeMap::new();
        for partition in 0..PARTITIONS {
            let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
                let key = String::from_utf8(fetched.record.key.unwrap().to_vec()).unwrap();
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
) -> (Arc<Pipeline>, ScrubWorker<Embedded>, LaneWorker<Embedded>) {
    let pipeline = Arc::new(Pipeline::new(policy, engine(), settings).unwrap());
    for topic in needed_topics(&pipeline, PARTITIONS) {
        store.ensure(&topic).unwrap();
    }
    edition::agree(store.as_ref(), &pipeline, &mut |_, _| {}).unwrap();
    let scrub = ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 1).unwrap();
    let lanes = LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 2).unwrap();
    (pipeline, scrub, lanes)
}

fn rid_of(value: &str) -> String {
    let at = value.find("rid-").unwrap_or_else(|| panic!("no rid"));
    value[at..at + 12].to_owned()
}

fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

/// Sends a record with a time of some kind, and says what its age must count from.
fn send_any(world: &mut World, random: &mut StdRng) {
    let now = world.now();
    let record_ms = now - random.random_range(0..HOUR);
    let (ts, event) = match random.random_range(0..20) {
        0 => ("not a time".to_owned(), record_ms),
        1 => (written(0), record_ms),
        2 => (written(now + random.random_range(1..400 * DAY)), now),
        3 => (i64::MAX.to_string(), now),
        4..=7 => {
            let late = now - random.random_range(0..45 * DAY);
            (written(late), late)
        }
        8 => {
            let forged = random.random_range(0..2) * i64::MAX;
            // Nothing in the record tells its time: it counts from when it was read.
            let event = if forged > now { now } else { now };
            let partition = random.random_range(0..PARTITIONS);
            let secret = random.random_range(0..3) == 0;
            world.send(partition, "?", forged, event, secret);
            return;
        }
        _ => {
            let recent = now - random.random_range(0..10 * 60 * SECOND);
            (written(recent), recent)
        }
    };
    let partition = random.random_range(0..PARTITIONS);
    let secret = random.random_range(0..3) == 0;
    world.send(partition, &ts, record_ms, event, secret);
}

/// Who may be late, and by how much, when the clock stood at `before` the last time we looked.
fn check_step(world: &World, window: i64, before: i64, late: &[String]) {
    let now = world.now();
    let slack = world.pipeline.lanes.as_ref().unwrap().shortest_ms()
        + world.pipeline.tick_ms
        + world.pipeline.release_every_ms;
    for (rid, at) in world.released.iter().filter(|(_, at)| **at == now) {
        let due = world.sent[rid].event_ms + window;
        assert!(due <= *at, "{rid} was released {} ms early", due - at);
    }
    for (rid, sent) in &world.sent {
        let overdue = before - (sent.event_ms + window + slack);
        if overdue > 0 && !late.contains(rid) {
            assert!(world.released.contains_key(rid), "{rid} is {overdue} ms over its time");
        }
    }
}

fn simulate(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let ladder = [("codes", "10d"), ("deidentify", "30d")];
    let mut window = 30 * DAY;
    let mut world = World::new(policy(&ladder, "0s"), settings());
    let mut before = world.now();
    let forward = random.random_range(20..100);
    let backward = random.random_range(100..180);
    let change = random.random_range(180..300);
    for step in 0..(365 * 3) {
        let day = step / 3;
        before = before.max(world.now());
        world.clock.advance(random.random_range(6 * HOUR..10 * HOUR));
        if step == forward * 3 {
            world.clock.advance(5 * DAY);
        }
        if step == backward * 3 {
            world.clock.advance(-7 * HOUR);
        }
        if step == change * 3 {
            // Longer windows: nothing that is held may leave under the old ones.
            window = 45 * DAY;
            world.restart(policy(&[("codes", "10d"), ("deidentify", "45d")], "0s"), settings());
        } else if random.random_range(0..60) == 0 {
            let now_in_force = world.pipeline.policy.clone();
            world.restart(now_in_force, settings());
        }
        if day < 300 {
            for _ in 0..random.random_range(0..4) {
                send_any(&mut world, &mut random);
            }
        }
        world.settle();
        // Between two looks the clock may have gone back; only what was late by then counts.
        check_step(&world, window, before.min(world.now()), &[]);
        if step % 10 == 0 {
            world.purge();
            let held = world.held();
            for rid in held.keys() {
                assert!(!world.released.contains_key(rid), "{rid} is released and still readable");
            }
            let slack = HOUR + 10 * SECOND;
            let reached = before.min(world.now());
            for (rid, has_secret) in held {
                let overdue = reached - (world.sent[&rid].event_ms + 10 * DAY + slack);
                assert!(!has_secret || overdue <= 0, "{rid} has its code {overdue} ms over its time");
            }
        }
    }
    assert_eq!(world.released.len(), world.sent.len(), "every record is released");
    assert!(world.held().is_empty());
    check_counts(&world);
}

/// Records in = sum of outcomes, by worker and stage.
fn check_counts(world: &World) {
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

#[test]
fn a_year_seed_1() {
    simulate(1);
}

#[test]
fn a_year_seed_2() {
    simulate(2);
}

#[test]
fn a_year_seed_3() {
    simulate(3);
}

/// A policy of seconds over 200 s of event times: what is overdue leaves at once, the rest in its
/// interval; the originals are gone from the files after each purge, and a held one is there.
#[test]
fn a_policy_of_seconds() {
    let mut of_seconds = settings();
    of_seconds.lanes_seconds = vec![20, 5, 1];
    of_seconds.tick_ms = 500;
    let mut world = World::new(policy(&[("deidentify", "40s")], "0s"), of_seconds);
    assert_eq!(world.pipeline.release_every_ms, 0);
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..300 {
        let event = START - random.random_range(0..200 * SECOND);
        let partition = random.random_range(0..PARTITIONS);
        world.send(partition, &written(event), START, event, false);
    }
    world.settle();
    let overdue =
        |world: &World| world.sent.values().filter(|sent| sent.event_ms + 40 * SECOND <= START).count();
    assert_eq!(world.released.len(), overdue(&world), "exactly the overdue, at once");
    assert_eq!(world.scrubbed.len(), world.sent.len() - overdue(&world));
    for _ in 0..450 {
        world.clock.advance(100);
        world.settle();
        let now = world.now();
        for (rid, sent) in &world.sent {
            let due = sent.event_ms + 40 * SECOND;
            match world.released.get(rid) {
                Some(at) => assert!(due <= *at && (*at == START || *at <= due + 1700), "{rid}: {}", at - due),
                None => assert!(now <= due + 1700, "{rid} is late"),
            }
        }
    }
    assert_eq!(world.released.len(), world.sent.len());
    check_counts(&world);
}

#[test]
fn released_originals_leave_the_files_and_held_ones_stay() {
    let mut of_seconds = settings();
    of_seconds.lanes_seconds = vec![20, 5, 1];
    of_seconds.tick_ms = 0;
    let mut world = World::new(policy(&[("deidentify", "40s")], "0s"), of_seconds);
    // What is searched for stands in the originals only: the output keeps the rid alone.
    let marked = |world: &mut World, event: i64| {
        let rid = world.send(0, &format!("{}", written(event)), START, event, false);
        (rid, written(event))
    };
    let (_, old) = marked(&mut world, START - 30 * SECOND - 111);
    let (_, new) = marked(&mut world, START - 2 * SECOND - 222);
    world.settle();
    world.purge();
    assert!(world.in_files(&old) && world.in_files(&new), "held, so both are found");
    world.clock.advance(15 * SECOND);
    world.settle();
    world.purge();
    assert_eq!(world.released.len(), 1);
    // The scrubbed topic keeps times: it goes after its own time.
    world.store.purge("sim.scrubbed", 0, 2).unwrap();
    world.store.purged().unwrap();
    assert!(!world.in_files(&old), "released and purged");
    assert!(world.in_files(&new), "still held");
}

#[test]
fn a_margin_releases_early_and_never_earlier() {
    let mut world = World::new(policy(&[("deidentify", "30d")], "6h"), settings());
    let rid = world.send(0, &written(START), START, START, false);
    world.settle();
    let mut released = None;
    while released.is_none() {
        world.clock.advance(20 * 60 * SECOND);
        world.settle();
        released = world.released.get(&rid).copied();
    }
    let after = released.unwrap() - START;
    assert!((30 * DAY - 6 * HOUR..=30 * DAY - 4 * HOUR).contains(&after), "{after}");
}

#[test]
fn releases_come_at_whole_hours_in_no_order() {
    let mut world = World::new(policy(&[("deidentify", "30d")], "0s"), settings());
    let rids: Vec<String> = (0..40)
        .map(|n| world.send(0, &written(START - n * SECOND), START, START - n * SECOND, false))
        .collect();
    world.settle();
    world.clock.set(START + 30 * DAY - HOUR);
    while world.released.is_empty() {
        world.clock.advance(60 * SECOND);
        world.settle();
    }
    assert_eq!(world.released.len(), rids.len(), "all at one mark");
    assert!(world.now().rem_euclid(HOUR) < 2 * 60 * SECOND, "at a whole hour");
    let mut order = Vec::new();
    world
        .store
        .scan("sim.deidentified", 0, 0, &mut |fetched| {
            assert_eq!(fetched.record.headers, [(&b"logscrub"[..], Some(&b"v1 sim deidentify"[..]))]);
            order.push(rid_of(std::str::from_utf8(fetched.record.value.unwrap()).unwrap()));
            Flow::Next
        })
        .unwrap();
    assert_ne!(order, rids, "shuffled");
    order.sort();
    assert_eq!(order, rids);
}

#[test]
fn a_shorter_policy_lets_held_records_go_by_its_own_windows() {
    let mut world = World::new(policy(&[("deidentify", "90d")], "0s"), settings());
    let rid = world.send(0, &written(START), START, START, false);
    world.settle();
    world.restart(policy(&[("deidentify", "20d")], "0s"), settings());
    world.settle();
    world.clock.advance(20 * DAY - HOUR);
    world.settle();
    assert!(world.released.is_empty());
    world.clock.advance(3 * HOUR);
    world.settle();
    assert!(world.released.contains_key(&rid));
}

/// Records of all ages, held under 90 days in lanes of all lengths; then the window is 40 days. Without
/// editions a record would wait behind a head that is due a month later.
#[test]
fn a_shorter_window_holds_for_every_record_at_once() {
    for seed in 1..=2 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(policy(&[("deidentify", "90d")], "0s"), settings());
        for _ in 0..150 {
            world.clock.advance(random.random_range(0..10 * HOUR));
            let (now, partition) = (world.now(), random.random_range(0..PARTITIONS));
            let event = now - random.random_range(0..60 * DAY);
            world.send(partition, &written(event), now, event, false);
            world.settle();
        }
        let changed_ms = world.now();
        world.restart(policy(&[("deidentify", "40d")], "0s"), settings());
        let bound = HOUR + world.pipeline.tick_ms + world.pipeline.release_every_ms + HOUR;
        while world.released.len() < world.sent.len() {
            world.clock.advance(HOUR);
            world.settle();
            let now = world.now();
            for (rid, sent) in &world.sent {
                let due = sent.event_ms + 40 * DAY;
                let late = now - due.max(changed_ms) - bound;
                match world.released.get(rid) {
                    Some(at) => assert!(due <= *at || *at <= changed_ms, "{rid} left early"),
                    None => assert!(late <= 0, "seed {seed}: {rid} is {late} ms late"),
                }
            }
        }
        world.purge();
        assert!(world.held().is_empty());
        check_counts(&world);
    }
}

#[test]
fn a_changed_policy_is_told_with_what_is_held() {
    let told = |world: &World, windows: &[(&str, &str)]| {
        let pipeline = Pipeline::new(policy(windows, "0s"), engine(), settings()).unwrap();
        let mut told: Vec<(String, Effect, u64)> = Vec::new();
        edition::agree(world.store.as_ref(), &pipeline, &mut |changes: &[Change], held| {
            told.extend(changes.iter().map(|change| (change.stage.clone(), change.effect, held)));
        })
        .unwrap();
        (told, pipeline.edition())
    };
    let mut world = World::new(policy(&[("deidentify", "90d")], "0s"), settings());
    for n in 0..5 {
        world.send(n % PARTITIONS, &written(START), START, START, false);
    }
    world.settle();
    let of = |stage: &str, effect| (stage.to_owned(), effect, 5);
    assert_eq!(told(&world, &[("deidentify", "90d")]), (vec![], 0), "nothing changed");
    assert_eq!(told(&world, &[("deidentify", "120d")]), (vec![of("deidentify", Effect::Later)], 0));
    assert_eq!(told(&world, &[("deidentify", "20d")]), (vec![of("deidentify", Effect::Sooner)], 1));
    let more = [("codes", "5d"), ("deidentify", "20d")];
    assert_eq!(told(&world, &more), (vec![of("codes", Effect::Sooner)], 2));
    assert_eq!(told(&world, &more), (vec![], 2), "told once");
}

#[test]
fn a_tombstone_passes_and_scrub_alone_holds_nothing() {
    let mut world = World::new(policy(&[], "0s"), settings());
    let spec = SessionSpec { reader: "put".into(), slot: "put".into(), topics: Vec::new() };
    let mut session = world.store.join(&spec).unwrap();
    session.halves().1.append("sim", 0, &Record { key: Some(b"k"), ..Record::default() }).unwrap();
    session.halves().1.commit(&[]).unwrap();
    for _ in 0..4 {
        world.scrub.step(Duration::ZERO).unwrap();
    }
    let mut seen = Vec::new();
    world
        .store
        .scan("sim.scrubbed", 0, 0, &mut |fetched| {
            seen.push(fetched.record.value.is_none());
            Flow::Next
        })
        .unwrap();
    assert_eq!(seen, [true]);
    assert!(purge::held_topics(world.store.as_ref(), &world.pipeline).unwrap().is_empty());
    let _ = &world.lanes;
}

#[test]
fn a_policy_that_cannot_release_what_is_held_is_refused() {
    let mut world = World::new(policy(&[("deidentify", "30d")], "0s"), settings());
    world.send(0, &written(START), START, START, false);
    world.settle();
    world.restart(policy(&[], "0s"), settings());
    world.lanes.step(Duration::ZERO).unwrap();
    let refused = world.lanes.step(Duration::ZERO);
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
}

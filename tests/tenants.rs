//! Tenants side by side on one store: a record never reaches another tenant's topic, and no pseudonym of one is one
//! of another.

mod world;

use logscrub::diagnostic::Source;
use logscrub::engine::Engine;
use logscrub::policy;
use logscrub::record::Record;
use logscrub::rule::{self, Sources};
use logscrub::service::config;
use logscrub::stage::clock::{Clock, ManualClock};
use logscrub::stage::store::{Flow, Session, SessionSpec, Store, TopicSpec, Writer};
use logscrub::stage::{LaneWorker, Pipeline, ScrubWorker, Settings, edition, needed_topics, purge};
use logscrub::store::embedded::{Access, Durability, Embedded, Fault, Options};
use logscrub::transform::Keys;
use logscrub::transform::pseudonym::KeyScope;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use world::{DAY, HOUR, START};

fn engine(tenant: &str) -> Arc<Engine> {
    let rule = "[[rule]]\nid = \"test.mark\"\nclass = \"safe\"\nfields = [\"mark\"]\n";
    let user = vec![Source { name: "mark.toml".into(), text: rule.into() }];
    let compiled = rule::compile(&Sources { shipped: rule::shipped_sources(), user }).unwrap();
    let mut keys = Keys::default();
    // The same secret for all: the tenant alone must tell them apart.
    keys.add("k1", KeyScope::default(), vec![7; 32].into()).unwrap();
    Arc::new(Engine::new(Arc::new(compiled.rules), None).with_keys(Arc::new(keys), tenant.as_bytes()))
}

struct Tenant {
    name: &'static str,
    pipeline: Arc<Pipeline>,
    scrub: ScrubWorker<Embedded>,
    lanes: LaneWorker<Embedded>,
}

const TENANTS: [(&str, &str); 3] = [("acme", "10d"), ("acme.logs", "20d"), ("beta", "5d")];

fn open(store: &Arc<Embedded>, clock: &Arc<ManualClock>) -> Vec<Tenant> {
    let tenant = |(name, window): (&'static str, &str)| {
        let text = format!(
            "id = \"{}\"\nmargin = \"0s\"\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[stage.do]\nsubject_id = \"pseudonym\"\n\
             [[stage]]\nid = \"deidentify\"\nafter = \"{window}\"\n[[count]]\nid = \"marks\"\nby = [\"mark\"]\n",
            name.replace('.', "-")
        );
        let policy = policy::compile(&Source { name: "t.toml".into(), text }, &[]).unwrap().policy;
        let mut settings = Settings::of(name);
        settings.purge_source = true;
        let pipeline = Arc::new(Pipeline::new(policy, engine(name), settings).unwrap());
        store.ensure(&TopicSpec { name: name.into(), partitions: 2, compacted: false }).unwrap();
        for topic in needed_topics(&pipeline, 2) {
            store.ensure(&topic).unwrap();
        }
        edition::agree(store.as_ref(), &pipeline, &mut |_, _| {}).unwrap();
        let scrub = ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 1).unwrap();
        let lanes = LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, 2).unwrap();
        Tenant { name, pipeline, scrub, lanes }
    };
    TENANTS.into_iter().map(tenant).collect()
}

/// The topics that are a tenant's own.
fn own(tenant: &Tenant, store: &Embedded) -> BTreeSet<String> {
    let topics = &tenant.pipeline.topics;
    let mut own: BTreeSet<String> = [&topics.source, &topics.scrubbed, &topics.deidentified, &topics.counts]
        .into_iter()
        .chain([&topics.quarantine, &topics.progress])
        .map(|name| name.to_string())
        .collect();
    own.extend(purge::held_topics(store, &tenant.pipeline).unwrap().iter().map(|name| name.to_string()));
    own
}

/// Which marks stand in any part of any record of a topic.
fn marks(store: &Embedded, topic: &TopicSpec) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for partition in 0..topic.partitions {
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            let parts = [fetched.record.key, fetched.record.value];
            for part in parts.into_iter().flatten() {
                for (at, _) in String::from_utf8_lossy(part).match_indices("mark-") {
                    let text = String::from_utf8_lossy(part).into_owned();
                    found.insert(
                        text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect(),
                    );
                }
            }
            Flow::Next
        };
        store.scan(&topic.name, partition, 0, visit).unwrap();
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn a_record_never_reaches_another_tenants_topic(
        records in proptest::collection::vec((0usize..3, 0i64..30, 0i32..2), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START));
        let options = Options {
            access: Access::Service, durability: Durability::Process, clock: clock.clone(), fault: Fault::None,
        };
        let store = Arc::new(Embedded::open(dir.path(), options).unwrap());
        let mut tenants = open(&store, &clock);
        let mut tokens: BTreeMap<String, &str> = BTreeMap::new();
        let mut sent = 0;
        for (number, (of, days, partition)) in records.into_iter().enumerate() {
            let value = format!(r#"{{"mark":"mark-{of}-{number}","account_id":"acct-17","to":"+14155550132"}}"#);
            let spec = SessionSpec { reader: "put".into(), slot: "put".into(), topics: Vec::new() };
            let mut session = store.join(&spec).unwrap();
            let at = Some(clock.now_ms() - days * DAY);
            let record = Record { value: Some(value.as_bytes()), timestamp_ms: at, ..Record::default() };
            session.halves().1.append(tenants[of].name, partition, &record).unwrap();
            session.halves().1.commit(&[]).unwrap();
            sent += 1;
            clock.advance(7 * HOUR);
            for tenant in &mut tenants {
                for _ in 0..3 {
                    tenant.scrub.step(Duration::ZERO).unwrap();
                    tenant.lanes.step(Duration::ZERO).unwrap();
                }
            }
            for topic in store.topics().unwrap() {
                let owners: Vec<usize> = (0..tenants.len())
                    .filter(|place| own(&tenants[*place], &store).contains(topic.name.as_ref()))
                    .collect();
                prop_assert_eq!(owners.len(), 1, "{} has one owner", topic.name);
                for mark in marks(&store, &topic) {
                    let mine = format!("mark-{}-", owners[0]);
                    prop_assert!(mark.starts_with(&mine), "{} stands in {}", mark, topic.name);
                }
            }
        }
        for tenant in &tenants {
            for partition in 0..2 {
                store.scan(&tenant.pipeline.topics.scrubbed, partition, 0, &mut |fetched| {
                    let text = String::from_utf8_lossy(fetched.record.value.unwrap()).into_owned();
                    let at = text.find("[ID:k1.").expect("a pseudonym");
                    let before = tokens.insert(text[at..at + 29].to_owned(), tenant.name);
                    assert!(before.is_none_or(|of| of == tenant.name), "a pseudonym of two tenants");
                    Flow::Next
                }).unwrap();
            }
        }
        prop_assert!(sent > 0);
    }
}

/// Names that would mix two tenants' topics are refused before anything runs.
#[test]
fn pipelines_that_share_a_topic_are_refused() {
    let read = |pipelines: &str| {
        let text = format!("[embedded]\n{pipelines}");
        let source = Source { name: "logscrub.toml".into(), text };
        config::read(&source, BTreeMap::new()).map_err(|errors| errors.to_string())
    };
    let good = "[[pipeline]]\nsource = \"acme\"\n[[pipeline]]\nsource = \"acme.logs\"\n";
    assert!(read(good).is_ok());
    for (second, topic) in [
        ("source = \"acme.scrubbed\"", "acme.scrubbed"),
        ("source = \"beta\"\ntopics.scrubbed = \"acme.deidentified\"", "acme.deidentified"),
        ("source = \"acme.held.7d\"", "acme.held.7d"),
        ("source = \"beta\"\ntopics.counts = \"acme\"", "acme"),
        ("source = \"beta\"\ntopics.held = \"acme.held\"", "acme.held"),
    ] {
        let told = read(&format!("[[pipeline]]\nsource = \"acme\"\n[[pipeline]]\n{second}\n")).unwrap_err();
        assert!(told.contains(&format!("two pipelines use the topic `{topic}`")), "{second}: {told}");
    }
}

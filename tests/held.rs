//! What becomes of held records when a policy changes, under conditions and under clocks of stages.

mod world;

use logscrub::diagnostic::Source;
use logscrub::policy::{self, Accounts, After, Policy};
use logscrub::record::Record;
use logscrub::stage::edition::{self, Change, Effect};
use logscrub::stage::store::{Flow, Session, SessionSpec, Store, StoreError, Writer};
use logscrub::stage::{LaneWorker, Pipeline, purge};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;
use std::time::Duration;
use world::{DAY, HOUR, PARTITIONS, START, Sent, World, check_counts, engine, settings, written};

#[test]
fn a_shorter_policy_lets_held_records_go_by_its_own_windows() {
    let mut world = World::new(world::policy(&[("deidentify", "90d")], "0s"), settings());
    let rid = world.send(0, &written(START), START, START, false);
    world.settle();
    world.restart(world::policy(&[("deidentify", "20d")], "0s"), settings());
    world.settle();
    world.clock.advance(20 * DAY - HOUR);
    world.settle();
    assert!(world.released.is_empty());
    world.clock.advance(3 * HOUR);
    world.settle();
    assert!(world.released.contains_key(&rid));
}

/// Records of all ages, held under 90 days in lanes of all lengths.
fn held_of_all_ages(seed: u64) -> World {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new(world::policy(&[("deidentify", "90d")], "0s"), settings());
    for _ in 0..150 {
        world.clock.advance(random.random_range(0..10 * HOUR));
        let (now, partition) = (world.now(), random.random_range(0..PARTITIONS));
        let event = now - random.random_range(0..60 * DAY);
        world.send(partition, &written(event), now, event, false);
        world.settle();
    }
    world
}

/// What editions are for: without them records wait behind heads that are due much later.
#[test]
fn without_an_edition_a_shorter_window_comes_late() {
    let mut world = held_of_all_ages(1);
    let shorter = world::policy(&[("deidentify", "40d")], "0s");
    let (store, clock) = (world.store.clone(), world.clock.clone());
    let pipeline = Arc::new(Pipeline::new(shorter, engine(), settings()).unwrap());
    world.lanes = LaneWorker::join(store, pipeline, clock, 0, 2).unwrap();
    world.clock.advance(3 * HOUR);
    world.settle();
    let due = |sent: &&Sent| sent.event_ms + 40 * DAY <= world.now() - 3 * HOUR;
    let late = world.sent.values().filter(due).count() - world.released.len();
    assert!(late > 10, "only {late} wait behind others");
}

#[test]
fn a_shorter_window_holds_for_every_record_at_once() {
    for seed in 1..=2 {
        let mut world = held_of_all_ages(seed);
        let changed_ms = world.now();
        world.restart(world::policy(&[("deidentify", "40d")], "0s"), settings());
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
        let pipeline = Pipeline::new(world::policy(windows, "0s"), engine(), settings()).unwrap();
        let mut told: Vec<(String, Effect, u64)> = Vec::new();
        edition::agree(world.store.as_ref(), &pipeline, &mut |changes: &[Change], held| {
            told.extend(changes.iter().map(|change| (change.stage.clone(), change.effect, held)));
        })
        .unwrap();
        (told, pipeline.edition())
    };
    let mut world = World::new(world::policy(&[("deidentify", "90d")], "0s"), settings());
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

/// A ladder with one middle stage, which has a condition and a clock of its own.
fn conditional(condition: &str) -> Policy {
    let text = format!(
        "id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"0s\"\n\
         [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
         [[stage]]\nid = \"codes\"\nafter = \"10d\"\n{condition}\n[stage.do]\ncode = \"remove\"\n\
         [[stage]]\nid = \"deidentify\"\nafter = \"30d\"\n"
    );
    let source = Source { name: "sim.toml".into(), text };
    policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
}

/// Ids of the held records that still have their code when so many days and two hours have passed.
fn codes_left(world: &mut World, days: i64) -> Vec<String> {
    world.clock.set(START + days * DAY + 2 * HOUR);
    world.settle();
    world.purge();
    world.held().into_iter().filter(|(_, has_secret)| *has_secret).map(|(rid, _)| rid).collect()
}

#[test]
fn a_condition_says_which_records_a_middle_stage_is_for() {
    let cases = [
        (r#"when = { field = "kind", equals = ["otp", "pin"] }"#, vec!["rid-000002-x", "rid-000003-x"]),
        (r#"when = { field = "kind", matches = "^(otp|chat)$" }"#, vec!["rid-000001-x", "rid-000003-x"]),
        (r#"when = { field = "kind", exists = true }"#, vec!["rid-000003-x"]),
    ];
    for (condition, left) in cases {
        let mut world = World::new(conditional(condition), settings());
        for (number, kind) in
            [r#","kind":"otp""#, r#","kind":"pin""#, r#","kind":"chat""#, ""].iter().enumerate()
        {
            let rid = format!("rid-{number:06}-x");
            let value = format!(r#"{{"rid":"{rid}","ts":"{}","secret":"774411"{kind}}}"#, written(START));
            world.append(0, &value, START);
            world.sent.insert(rid, Sent { event_ms: START });
        }
        world.settle();
        assert_eq!(codes_left(&mut world, 9).len(), 4, "{condition}: not before its window");
        assert_eq!(codes_left(&mut world, 10), left, "{condition}");
        world.clock.set(START + 30 * DAY + 3 * HOUR);
        world.settle();
        assert_eq!(world.released.len(), 4, "{condition}: the last stage is for all");
        check_counts(&world);
    }
}

#[test]
fn a_stage_counts_from_its_own_clock() {
    let clock = r#"clock = { field = "ordered", else = "record" }"#;
    let mut world = World::new(conditional(clock), settings());
    for (number, days) in [8, 3, 0].into_iter().enumerate() {
        let rid = format!("rid-{number:06}-x");
        let ordered = match days {
            0 => String::new(),
            days => format!(r#","ordered":"{}""#, written(START - days * DAY)),
        };
        let value = format!(r#"{{"rid":"{rid}","ts":"{}","secret":"774411"{ordered}}}"#, written(START));
        world.append(0, &value, START);
        world.sent.insert(rid, Sent { event_ms: START });
    }
    world.settle();
    let (second, third) = ("rid-000001-x".to_owned(), "rid-000002-x".to_owned());
    assert_eq!(codes_left(&mut world, 1).len(), 3);
    assert_eq!(codes_left(&mut world, 2), [second.clone(), third.clone()]);
    assert_eq!(codes_left(&mut world, 6), [second, third.clone()]);
    assert_eq!(codes_left(&mut world, 7), [third.clone()]);
    assert_eq!(codes_left(&mut world, 9), [third]);
    assert!(codes_left(&mut world, 10).is_empty());
    assert!(world.released.is_empty(), "the last stage counts from the policy's clock");
    world.clock.set(START + 30 * DAY + 3 * HOUR);
    world.settle();
    assert_eq!(world.released.len(), 3);
    check_counts(&world);
}

#[test]
fn a_tombstone_passes_and_scrub_alone_holds_nothing() {
    let mut world = World::new(world::policy(&[], "0s"), settings());
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
    let mut world = World::new(world::policy(&[("deidentify", "30d")], "0s"), settings());
    world.send(0, &written(START), START, START, false);
    world.settle();
    world.restart(world::policy(&[], "0s"), settings());
    world.lanes.step(Duration::ZERO).unwrap();
    let refused = world.lanes.step(Duration::ZERO);
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
}

/// 90 days, but 20 for `acct-1` and 120 for `acct-2`. A middle stage takes the account out of the held
/// record, and its window still holds.
fn per_account(short_days: u32) -> Policy {
    let text = "id = \"sim\"\nclock = { field = \"ts\", else = \"record\" }\nmargin = \"0s\"\n\
                [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
                [[stage]]\nid = \"people\"\nafter = \"5d\"\n[stage.do]\nsubject_id = \"remove\"\n\
                [[stage]]\nid = \"deidentify\"\n\
                after = { default = \"90d\", by = \"account_id\", file = \"windows.toml\" }\n";
    let source = Source { name: "sim.toml".into(), text: text.into() };
    let compiled = policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let mut policy = compiled.policy;
    let windows = format!("acct-1 = \"{short_days}d\"\nacct-2 = \"120d\"\n");
    let read = Accounts::compile(&Source { name: "windows.toml".into(), text: windows }).unwrap();
    match &mut policy.stages[2].after {
        After::PerAccount { accounts, .. } => *accounts = read,
        After::Period(_) | After::Unset => panic!("not per account"),
    }
    policy
}

fn send_of(world: &mut World, account: &str, event_ms: i64) -> String {
    let rid = format!("rid-{:06}-x", world.sent.len());
    let value = format!(r#"{{"rid":"{rid}","ts":"{}","account_id":"{account}"}}"#, written(event_ms));
    world.append(0, &value, event_ms);
    world.sent.insert(rid.clone(), Sent { event_ms });
    rid
}

#[test]
fn an_account_has_its_own_window() {
    let mut world = World::new(per_account(20), settings());
    let of = |world: &mut World, account: &str| send_of(world, account, START);
    let windows = [("acct-2", 120), ("acct-1", 20), ("acct-3", 90), ("", 90)]
        .map(|(account, days)| (of(&mut world, account), days));
    world.settle();
    let slack = 2 * HOUR + world.pipeline.tick_ms;
    while world.now() < START + 125 * DAY {
        world.clock.advance(HOUR);
        world.settle();
        for (rid, days) in &windows {
            let over = world.now() - START - days * DAY;
            match world.released.get(rid) {
                Some(at) => assert!(*at >= START + days * DAY, "{rid} left early"),
                None => assert!(over <= slack, "{rid} is {over} ms over its {days} days"),
            }
        }
    }
    assert_eq!(world.released.len(), windows.len());
    check_counts(&world);
}

#[test]
fn a_shortened_account_goes_at_once() {
    let mut world = World::new(per_account(80), settings());
    let before = send_of(&mut world, "acct-3", START);
    let shortened = send_of(&mut world, "acct-1", START);
    world.settle();
    world.clock.advance(30 * DAY);
    world.settle();
    world.restart(per_account(20), settings());
    world.settle();
    world.clock.advance(2 * HOUR);
    world.settle();
    assert!(world.released.contains_key(&shortened), "behind one of 90 days, and it does not wait for it");
    assert!(!world.released.contains_key(&before));
}

//! Windows that an event ends: an account is closed, and what is held of it is due so long after.

mod world;

use logscrub::diagnostic::Source;
use logscrub::policy::{self, Policy};
use logscrub::stage::event::{LOOK_MS, SWEEP_MS};
use logscrub::stage::store::{Fetched, Flow, Store as _};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};
use world::{DAY, HOUR, PARTITIONS, START, Sent, World, settings, written};

fn closing(after: &str) -> Policy {
    let text = format!(
        "id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"0s\"\n\
         [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
         [[stage]]\nid = \"people\"\nafter = \"5d\"\n[stage.do]\nsubject_id = \"remove\"\n\
         [[stage]]\nid = \"deidentify\"\nafter = \"90d\"\n\
         [[event]]\nid = \"closed\"\nwhen = {{ field = \"kind\", equals = [\"account.closed\"] }}\nby = \"account_id\"\n\
         after = \"{after}\"\n"
    );
    let source = Source { name: "sim.toml".into(), text };
    policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
}

fn send(world: &mut World, partition: i32, account: &str, kind: &str, event_ms: i64) -> String {
    let rid = format!("rid-{:06}-x", world.sent.len());
    let ts = written(event_ms);
    let value = format!(r#"{{"rid":"{rid}","ts":"{ts}","account_id":"{account}","kind":"{kind}"}}"#);
    world.append(partition, &value, event_ms);
    world.sent.insert(rid.clone(), Sent { event_ms });
    rid
}

/// One account is closed on the thirtieth day; others live on. With restarts and a clock that goes back.
#[test]
fn a_closed_account_is_gone_in_its_time_and_no_other_is_early() {
    for seed in 1..=3 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(closing("20d"), settings());
        let mut accounts: BTreeMap<String, &str> = BTreeMap::new();
        let mut closed_ms = i64::MAX;
        for step in 0..(70 * 6) {
            world.clock.advance(4 * HOUR);
            let now = world.now();
            if step < 60 * 6 && random.random_range(0..3) == 0 {
                let account = ["acct-1", "acct-2", "acct-3"][random.random_range(0..3)];
                let event = now - random.random_range(0..3 * DAY);
                let rid = send(&mut world, random.random_range(0..PARTITIONS), account, "sms.sent", event);
                accounts.insert(rid, account);
            }
            if step == 30 * 6 {
                let rid = send(&mut world, 0, "acct-1", "account.closed", now);
                accounts.insert(rid, "acct-1");
                closed_ms = now;
            }
            match random.random_range(0..30) {
                0 => world.restart(closing("20d"), settings()),
                1 => world.clock.advance(-HOUR),
                _ => {}
            }
            world.settle();
            let slack = HOUR
                + world.pipeline.tick_ms
                + world.pipeline.release_every_ms
                + SWEEP_MS
                + LOOK_MS
                + 5 * HOUR;
            for (rid, account) in &accounts {
                let own = world.sent[rid].event_ms + 90 * DAY;
                let due = if *account == "acct-1" && closed_ms < i64::MAX {
                    own.min(closed_ms + 20 * DAY)
                } else {
                    own
                };
                match world.released.get(rid) {
                    Some(at) => {
                        assert!(*at >= due, "seed {seed}: {rid} of {account} left {} ms early", due - at)
                    }
                    None => assert!(
                        now - due <= slack,
                        "seed {seed}: {rid} of {account} is {} ms late",
                        now - due
                    ),
                }
            }
        }
        let of = |account: &str| -> Vec<&String> {
            accounts.iter().filter(|(_, of)| **of == account).map(|(rid, _)| rid).collect()
        };
        let is_released = |rid: &&String| world.released.contains_key(*rid);
        assert!(of("acct-1").len() > 20 && of("acct-1").iter().all(is_released));
        assert!(!of("acct-2").iter().any(is_released), "the others wait");
    }
}

/// What comes of a closed account after its time is over leaves at once, and never reaches scrubbed.
#[test]
fn what_comes_too_late_leaves_at_once() {
    let mut world = World::new(closing("20d"), settings());
    send(&mut world, 0, "acct-1", "account.closed", START);
    world.settle();
    world.clock.advance(21 * DAY);
    world.settle();
    let now = world.now();
    let late = send(&mut world, 1, "acct-1", "sms.sent", now);
    let other = send(&mut world, 1, "acct-2", "sms.sent", now);
    world.settle();
    assert!(world.released.contains_key(&late) && !world.scrubbed.contains(&late));
    assert!(!world.released.contains_key(&other) && world.scrubbed.contains(&other));
}

/// Each line of a closed account may say that it is closed: its window counts from the first that did.
#[test]
fn an_event_that_is_told_of_again_ends_nothing_later() {
    let mut world = World::new(closing("20d"), settings());
    let before = send(&mut world, 0, "acct-1", "sms.sent", START);
    let mut told = Vec::new();
    for _ in 0..20 {
        let now = world.now();
        told.push(send(&mut world, 1, "acct-1", "account.closed", now));
        world.settle();
        assert!(!world.released.contains_key(&before));
        world.clock.advance(DAY);
    }
    for _ in 0..2 {
        world.clock.advance(DAY);
        world.settle();
    }
    assert!(world.released.contains_key(&before), "twenty days after the first");
    assert!(world.released.contains_key(&told[0]) && !world.released.contains_key(&told[19]));
}

/// An event that came before a restart and was not swept for is swept for after it.
#[test]
fn a_restart_forgets_no_event() {
    let mut world = World::new(closing("10d"), settings());
    let first = send(&mut world, 0, "acct-2", "sms.sent", START);
    let behind = send(&mut world, 0, "acct-1", "sms.sent", START);
    world.settle();
    world.clock.advance(DAY);
    let closed = world.now();
    send(&mut world, 1, "acct-1", "account.closed", closed);
    // Scrub alone sees it; then all of them leave without a word.
    for _ in 0..3 {
        world.scrub.step(std::time::Duration::ZERO).unwrap();
    }
    world.restart(closing("10d"), settings());
    world.settle();
    for _ in 0..12 {
        world.clock.advance(DAY);
        world.settle();
    }
    assert!(world.released.contains_key(&behind), "it stood behind one that waits for 90 days");
    assert!(!world.released.contains_key(&first));
}

/// The marks that stand in the progress topic.
fn marks(world: &World) -> usize {
    let mut marks = BTreeSet::new();
    for partition in 0..PARTITIONS {
        let visit = &mut |fetched: &Fetched<'_>| {
            let key = String::from_utf8(fetched.record.key.unwrap().to_vec()).unwrap();
            if key.starts_with("event/") {
                match fetched.record.value {
                    Some(_) => marks.insert((partition, key)),
                    None => marks.remove(&(partition, key)),
                };
            }
            Flow::Next
        };
        world.store.scan("sim.progress", partition, 0, visit).unwrap();
    }
    marks.len()
}

/// A mark stays as long as something of before the event can be held, or can come; then it goes, for ever.
#[test]
fn a_mark_goes_when_no_window_depends_on_it() {
    for (after, gone) in [("20d", 90), ("120d", 120)] {
        let mut world = World::new(closing(after), settings());
        let before = send(&mut world, 0, "acct-1", "sms.sent", START - DAY);
        send(&mut world, 0, "acct-1", "account.closed", START);
        send(&mut world, 1, "acct-2", "sms.sent", START);
        for day in 0..gone {
            world.settle();
            world.purge();
            assert_eq!(marks(&world), 1, "{after}, day {day}");
            if day == 40 {
                world.restart(closing(after), settings());
            }
            world.clock.advance(DAY);
        }
        // The shortest lane is an hour, and the lanes are looked at twice a day.
        for _ in 0..3 {
            world.settle();
            world.purge();
            world.clock.advance(DAY);
        }
        assert_eq!((marks(&world), world.pipeline.schedule.seen()), (0, 0), "{after}");
        assert!(world.released.contains_key(&before));
    }
}

/// The account is opened anew, and closed again: it has windows like any other until then.
#[test]
fn the_next_life_of_an_account() {
    let mut world = World::new(closing("20d"), settings());
    send(&mut world, 0, "acct-1", "account.closed", START);
    for _ in 0..100 {
        world.settle();
        world.purge();
        world.clock.advance(DAY);
    }
    let now = world.now();
    let other = send(&mut world, 0, "acct-2", "sms.sent", now);
    let next = send(&mut world, 0, "acct-1", "sms.sent", now);
    for _ in 0..30 {
        world.settle();
        world.clock.advance(DAY);
    }
    assert!(!world.released.contains_key(&next), "nothing is left of its first life");
    let now = world.now();
    send(&mut world, 1, "acct-1", "account.closed", now);
    for _ in 0..22 {
        world.settle();
        world.clock.advance(DAY);
    }
    assert!(world.released.contains_key(&next), "it stood behind one that waits for 90 days");
    assert!(!world.released.contains_key(&other));
}

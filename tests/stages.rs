//! The stages under a clock that the test moves: whole years in seconds, by seed.

mod world;

use logscrub::stage::store::{Flow, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use world::{DAY, HOUR, PARTITIONS, SECOND, START, World, check_counts, policy, rid_of, settings, written};

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

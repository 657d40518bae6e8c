//! `k`: what is released shows the same as `k - 1` others of its day, or shows less, or is only counted.

mod site;
mod world;

use logscrub::diagnostic::Source;
use logscrub::policy::{self, Policy};
use logscrub::record::Record;
use logscrub::stage::outcome::Outcome;
use logscrub::stage::store::{Flow, Session, SessionSpec, Store, Writer};
use logscrub::transform::{Place, Places};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use site::{STORE, Site, now_ms, process};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use world::{
    DAY, HOUR, PARTITIONS, START, Sent, World, full_engine, full_engine_with, groups, settings, written,
};

const K: usize = 11;

/// Databases' own published test addresses.
struct Tested;

fn known(address: IpAddr) -> Option<(&'static str, &'static str)> {
    match address.to_string().as_str() {
        "81.2.69.0" => Some(("GB", "London")),
        "2.125.160.0" => Some(("GB", "Boxford")),
        "89.160.20.0" => Some(("SE", "Linkoping")),
        "216.160.83.0" => Some(("US", "Milton")),
        _ => None,
    }
}

impl Places for Tested {
    fn place(&self, truncated: IpAddr) -> Option<Place<'_>> {
        known(truncated).map(|(country, city)| Place { country, city: Some(city), city_addresses: 1_000_000 })
    }

    fn knows(&self, _country: &str, _city: Option<&str>) -> bool {
        true
    }

    fn city_addresses(&self, _country: &str, _city: &str) -> u64 {
        1_000_000
    }
}

fn anonymous(k: usize) -> Policy {
    let text = format!(
        "id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"0s\"\n\
         [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\nid = \"deidentify\"\nafter = \"10d\"\nk = {k}\n\
         [stage.do]\nip = {{ geo = \"city\" }}\nurl = \"route\"\nuser_agent = \"family\"\n\
         timestamp = {{ round = \"hour\" }}\nsafe = \"keep\"\n\
         [[count]]\nid = \"all\"\nby = [\"status\"]\n"
    );
    let source = Source { name: "sim.toml".into(), text };
    policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
}

/// Some traffic: London often, the other places seldom; two browsers, one of them seldom.
fn send(world: &mut World, random: &mut StdRng, late: bool) {
    let now = world.now();
    let event =
        if late { now - random.random_range(2 * DAY..5 * DAY) } else { now - random.random_range(0..HOUR) };
    let ip = match random.random_range(0..100) {
        0..60 => "81.2.69.142",
        60..75 => "2.125.160.216",
        75..90 => "89.160.20.112",
        _ => "216.160.83.56",
    };
    let version = if random.random_range(0..8) == 0 { 99 } else { 126 };
    let agent =
        format!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{version}.0.0.0 Safari/537.36");
    let path = ["/v1/messages/4711", "/v1/messages/4712", "/inbox"][random.random_range(0..3)];
    let status = if random.random_range(0..40) == 0 { 500 } else { 200 };
    let rid = format!("rid-{:06}-x", world.sent.len());
    let value = format!(
        r#"{{"rid":"{rid}","ts":"{}","ip":"{ip}","user_agent":"{agent}","path":"{path}","status":{status}}}"#,
        written(event)
    );
    world.append(random.random_range(0..PARTITIONS), &value, now);
    world.sent.insert(rid, Sent { event_ms: event });
}

/// What was released, without what tells one record from another here.
fn released(world: &World) -> Vec<BTreeMap<String, String>> {
    let mut all = Vec::new();
    for partition in 0..PARTITIONS {
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            let value: Value = serde_json::from_slice(fetched.record.value.unwrap()).unwrap();
            let members = value.as_object().unwrap().iter().filter(|(name, _)| *name != "rid");
            all.push(members.map(|(name, value)| (name.clone(), value.to_string())).collect());
            Flow::Next
        };
        world.store.scan("sim.deidentified", partition, 0, visit).unwrap();
    }
    all
}

/// The groups that a reader sees: everything but the hour.
fn cells(released: &[BTreeMap<String, String>]) -> BTreeMap<BTreeMap<String, String>, usize> {
    let mut cells = BTreeMap::new();
    for record in released {
        let mut cell = record.clone();
        let day = cell["ts"][..11].to_owned();
        cell.insert("ts".into(), day);
        *cells.entry(cell).or_default() += 1;
    }
    cells
}

#[test]
fn nobody_stands_out_among_fewer_than_k() {
    for seed in 1..=2 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::with(anonymous(K), settings(), full_engine(Some(Arc::new(Tested))));
        while world.now() < START + 15 * DAY {
            world.clock.advance(6 * HOUR);
            for _ in 0..random.random_range(10..60) {
                // Of days before the first nothing was counted.
                let late = world.now() > START + 6 * DAY && random.random_range(0..50) == 0;
                send(&mut world, &mut random, late);
            }
            world.settle();
            world.purge();
            if random.random_range(0..12) == 0 {
                world.restart(anonymous(K), settings());
            }
        }
        for _ in 0..30 {
            world.clock.advance(12 * HOUR);
            world.settle();
            world.purge();
        }
        assert!(world.ended.len() > 14, "every day is over: {:?}", world.ended);
        assert!(!secrets(&world).iter().any(|key| key.starts_with("cell/")), "and nothing of it is left");
        let released = released(&world);
        let dropped = world.counts()["lanes/deidentify"].of(Outcome::Dropped) as usize;
        assert_eq!(released.len() + dropped, world.sent.len());
        assert!(dropped > 0 && dropped * 2 < released.len(), "{dropped} of {}", world.sent.len());
        let counted: u64 = groups(&world).values().map(|total| total.records).sum();
        assert_eq!(counted as usize, world.sent.len(), "what is dropped is counted");
        let small: Vec<_> = cells(&released).into_iter().filter(|(_, count)| *count < K).collect();
        assert!(small.is_empty(), "{small:?}");
        let has =
            |part: &str| released.iter().any(|record| record.values().any(|value| value.contains(part)));
        assert!(has("[IP:GB/London]") && has("[IP:GB]") && has("Chrome/126") && has("[USER_AGENT]"));
        let at_midnight = |record: &BTreeMap<String, String>| record["ts"].contains("T00:00:00");
        assert!(released.iter().any(at_midnight) && !released.iter().all(at_midnight));
        let at_hours: BTreeSet<_> = released.iter().map(|record| record["ts"].clone()).collect();
        assert!(at_hours.len() > 20, "hours are kept where enough show the same");
    }
}

/// The keys of cells, and those under which days' keys stand.
fn secrets(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for topic in ["sim.counts", "sim.progress"] {
        for partition in 0..PARTITIONS {
            let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
                let key = String::from_utf8(fetched.record.key.unwrap().to_vec()).unwrap();
                found.extend(Some(key).filter(|key| key.starts_with("cell/") || key.starts_with("day_key/")));
                Flow::Next
            };
            world.store.scan(topic, partition, 0, visit).unwrap();
        }
    }
    found
}

/// Records that all show the same.
fn same(world: &mut World) {
    same_of(world, world.now());
}

fn same_of(world: &mut World, event_ms: i64) {
    for _ in 0..12 {
        send_from(world, "81.2.69.142", event_ms);
    }
}

fn send_from(world: &mut World, ip: &str, event_ms: i64) {
    let rid = format!("rid-{:06}-x", world.sent.len());
    let at = written(event_ms);
    let value = format!(r#"{{"rid":"{rid}","ts":"{at}","ip":"{ip}","status":200}}"#);
    world.append(0, &value, world.now());
    world.sent.insert(rid, Sent { event_ms });
}

/// A world under `k`, with so many records of its first day that show the same.
fn of_the_first_day(policy: Policy) -> World {
    let mut world = World::with(policy, settings(), full_engine(Some(Arc::new(Tested))));
    same(&mut world);
    world.settle();
    world
}

/// The names of cells are of their day and their store: nobody finds one by trying what a record could show.
#[test]
fn names_of_cells_are_made_with_a_secret() {
    let names = |world: &World| -> BTreeSet<String> {
        let of = |key: &String| {
            key.strip_prefix("cell/").map(|key| key.split('/').next_back().unwrap().to_owned())
        };
        secrets(world).iter().filter_map(of).collect()
    };
    let mut world = of_the_first_day(anonymous(K));
    let first = names(&world);
    assert_eq!(first.len(), 1, "all of a day show the same");
    world.restart(anonymous(K), settings());
    same(&mut world);
    world.settle();
    assert_eq!(names(&world), first, "a worker that comes later has the same key");
    world.clock.advance(DAY);
    same(&mut world);
    world.settle();
    assert_eq!(names(&world).len(), 2, "another day has another");
    let other = of_the_first_day(anonymous(K));
    assert!(names(&other).is_disjoint(&first), "another store has another");
    assert!(other.in_files("\"secret\""));
}

/// A day that nobody has a key for comes up in the middle of a transaction.
#[test]
fn late_records_are_counted_in_their_own_day() {
    let mut world = World::with(anonymous(K), settings(), full_engine(Some(Arc::new(Tested))));
    same(&mut world);
    same_of(&mut world, START - DAY);
    world.settle();
    let days: BTreeSet<String> =
        secrets(&world).iter().filter_map(|key| Some(key.strip_prefix("cell/")?[..5].to_owned())).collect();
    let day = START / DAY;
    assert_eq!(days, [(day - 1).to_string(), day.to_string()].into());
    world.clock.advance(11 * DAY);
    world.settle();
    let released = released(&world);
    assert_eq!(released.len(), 24);
    assert!(released.iter().all(|record| record["ip"].contains("London")), "{released:?}");
}

/// A day's key and cells stay while anything of the day is held, and go when nothing is.
#[test]
fn what_was_counted_goes_with_the_last_record_of_the_day() {
    let mut world = of_the_first_day(anonymous(K));
    let day = START / DAY;
    world.clock.advance(DAY);
    same(&mut world);
    world.settle();
    // Nobody releases anything for a month: what is due is still held.
    world.clock.advance(30 * DAY);
    world.purge();
    assert_eq!(world.ended, [].into(), "the lanes still hold the day");
    world.settle();
    assert!(released(&world).iter().all(|record| record["ip"].contains("London")), "the counts were there");
    assert_eq!(world.released.len(), 24);
    world.clock.advance(HOUR);
    world.purge();
    assert!(world.ended.is_superset(&[day, day + 1].into()), "{:?}", world.ended);
    let days = |keys: Vec<String>| -> BTreeSet<i64> {
        keys.iter()
            .filter_map(|key| key.split('/').nth(1 + usize::from(key.starts_with("day_key")))?.parse().ok())
            .collect()
    };
    let left = days(secrets(&world));
    assert!(left.iter().all(|left| *left > day + 1), "{left:?}");
}

/// The secret itself leaves every file of the store.
#[test]
fn a_destroyed_key_is_in_no_file() {
    let mut world = of_the_first_day(anonymous(K));
    let mut secret = String::new();
    let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
        let value = String::from_utf8(fetched.record.value.unwrap().to_vec()).unwrap();
        if let Some((_, rest)) = value.split_once("\"secret\":[") {
            secret = rest.split(']').next().unwrap().to_owned();
        }
        Flow::Next
    };
    world.store.scan("sim.progress", 0, 0, visit).unwrap();
    assert!(secret.len() > 60 && world.in_files(&secret));
    for _ in 0..12 {
        world.clock.advance(DAY);
        world.settle();
        world.purge();
    }
    assert!(world.ended.contains(&(START / DAY)));
    assert!(!world.in_files(&secret));
}

/// Longer windows keep a day, those of a single account too; later arrivals of a day that is over are coarse.
#[test]
fn a_day_lasts_as_long_as_the_longest_window() {
    let longer = |after: &str| {
        let text = format!(
            "id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"0s\"\n\
             [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\nid = \"deidentify\"\nafter = {after}\nk = 11\n\
             [stage.do]\nip = {{ geo = \"city\" }}\nsafe = \"keep\"\n"
        );
        let source = Source { name: "sim.toml".into(), text };
        policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
    };
    let day = START / DAY;
    for (after, days) in [("\"20d\"", 20), ("{ default = \"10d\", by = \"account_id\" }", 40)] {
        let mut policy = longer(after);
        if days == 40 {
            let text = "\"acct-1\" = \"40d\"".into();
            let accounts = policy::Accounts::compile(&Source { name: "accounts.toml".into(), text });
            policy.set_accounts(&accounts.unwrap_or_else(|errors| panic!("{errors}"))).unwrap();
        }
        let mut world = of_the_first_day(policy);
        for past in 1..days + 4 {
            world.clock.advance(DAY);
            world.settle();
            world.purge();
            assert!(!world.ended.contains(&day) || past > days, "{after}: after {past} days");
        }
        assert!(world.ended.contains(&day), "{after}");
    }
}

/// Without its key a day has no counts: the coarsest form leaves.
#[test]
fn without_the_key_the_coarsest_form_leaves() {
    for (what, value) in [("destroyed", None), ("garbage", Some(&b"{}"[..]))] {
        let mut world = of_the_first_day(anonymous(K));
        let name = secrets(&world).into_iter().find(|key| key.starts_with("day_key/")).unwrap();
        let spec = SessionSpec { reader: "test".into(), slot: "test".into(), topics: Vec::new() };
        let mut session = world.store.join(&spec).unwrap();
        let record = Record { key: Some(name.as_bytes()), value, ..Record::default() };
        session.halves().1.append("sim.progress", 0, &record).unwrap();
        session.halves().1.commit(&[]).unwrap();
        world.clock.advance(11 * DAY);
        world.settle();
        let released = released(&world);
        assert_eq!(released.len(), 12, "{what}");
        assert!(released.iter().all(|record| record["ip"] == "\"[IP:GB]\""), "{what}: {released:?}");
        world.purge();
        let cells = secrets(&world).into_iter().filter(|key| key.starts_with("cell/")).count();
        assert_eq!(cells, 0, "{what}: cells without a key are of no use");
    }
}

/// What was counted under other rules says nothing of what a record shows now: it leaves, in the coarsest form.
#[test]
fn a_change_of_rules_makes_what_was_counted_before_it_coarse() {
    // One rule is of a field that no record has; the other makes each record a cell of its own.
    for field in ["nowhere", "rid"] {
        let rules = format!("[[rule]]\nid = \"added\"\nclass = \"subject_id\"\nfields = [\"{field}\"]\n");
        let mut world = of_the_first_day(anonymous(K));
        let engine = full_engine_with(&rules, Some(Arc::new(Tested)));
        world.restart_with(anonymous(K), settings(), engine);
        world.clock.advance(11 * DAY);
        world.settle();
        assert_eq!(world.counts()["lanes/deidentify"].of(Outcome::Dropped), 0, "{field}");
        let released = released(&world);
        assert_eq!(released.len(), 12, "{field}");
        assert!(released.iter().all(|record| record["ip"] == "\"[IP:GB]\""), "{field}: {released:?}");
    }
}

/// Those of the same day that were counted under the rules in force are as fine as ever.
#[test]
fn what_is_counted_after_a_change_of_rules_counts() {
    let rules = "[[rule]]\nid = \"added\"\nclass = \"subject_id\"\nfields = [\"nowhere\"]\n";
    let mut world = of_the_first_day(anonymous(K));
    send_from(&mut world, "89.160.20.112", START);
    world.settle();
    world.restart_with(anonymous(K), settings(), full_engine_with(rules, Some(Arc::new(Tested))));
    same(&mut world);
    world.settle();
    world.clock.advance(11 * DAY);
    world.settle();
    let released = released(&world);
    let london = released.iter().filter(|record| record["ip"].contains("London")).count();
    assert_eq!((released.len(), london), (25, 24), "{released:?}");
}

/// Where nothing can be released after its day is closed nothing is counted.
#[test]
fn windows_too_short_for_counts_have_none() {
    let mut policy = anonymous(K);
    let short = policy::Period { months: 0, seconds: 3600 };
    policy.set_window("deidentify", short).unwrap();
    let mut settings = settings();
    settings.release_every_ms = Some(0);
    settings.lanes_seconds = vec![600];
    let mut world = World::with(policy, settings, full_engine(None));
    same(&mut world);
    world.settle();
    assert_eq!(secrets(&world), Vec::<String>::new());
}

/// Where nobody counted, the coarsest form leaves, and never a finer one.
#[test]
fn without_counts_the_coarsest_form_leaves() {
    let mut random = StdRng::seed_from_u64(3);
    let mut world = World::with(anonymous(K), settings(), full_engine(Some(Arc::new(Tested))));
    for _ in 0..100 {
        send(&mut world, &mut random, false);
    }
    // Read eleven days later: overdue on arrival.
    world.clock.advance(11 * DAY);
    world.settle();
    let released = released(&world);
    assert_eq!(released.len(), 100);
    for record in &released {
        assert!(
            record["ts"].contains("T00:00:00.") && record["user_agent"] == "\"[USER_AGENT]\"",
            "{record:?}"
        );
        assert!(!record["ip"].contains('/'), "{record:?}");
    }
}

/// `pipe` has no counts; `k` absent is off.
#[test]
fn pipe_emits_the_coarsest_form() {
    let site = Site::new();
    let _ = (STORE, now_ms());
    let text = |k: &str| {
        format!(
            "id = \"p\"\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\nid = \"deidentify\"\nafter = \"90d\"\n{k}\
             [stage.do]\ntimestamp = {{ round = \"hour\" }}\nuser_agent = \"family\"\n"
        )
    };
    site.write("with.toml", &text("k = 11\n"));
    site.write("without.toml", &text(""));
    let line = br#"{"timestamp":"2026-03-01T10:42:17Z","user_agent":"curl/8.5.0"}"#;
    let piped = |policy: &str| {
        let printed = site.output(&["pipe", "--policy", policy, "--stage", "deidentify"], line);
        String::from_utf8(printed).unwrap()
    };
    assert_eq!(piped("./with.toml"), r#"{"timestamp":"2026-03-01T00:00:00Z","user_agent":"[USER_AGENT]"}"#);
    assert_eq!(piped("./without.toml"), r#"{"timestamp":"2026-03-01T10:00:00Z","user_agent":"curl/8"}"#);
}

/// The measure on what was released.
#[test]
fn audit_measures_what_was_released() {
    let site = Site::new();
    site.write(
        "logscrub.toml",
        "[embedded]\npath = \"store\"\n[[pipeline]]\nsource = \"logs\"\npolicy = \"./p.toml\"\n",
    );
    site.write(
        "p.toml",
        "id = \"p\"\nclock = { field = \"timestamp\", else = \"record\" }\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
         [[stage]]\nid = \"deidentify\"\nafter = \"30d\"\n[stage.do]\ntimestamp = { round = \"hour\" }\nurl = \"route\"\n",
    );
    let line = |hour: u32, path: &str| {
        format!("{{\"timestamp\":\"2026-03-01T{hour:02}:42:17Z\",\"path\":\"{path}\"}}\n")
    };
    let mut input: String = (0..12).map(|hour| line(hour, "/v1/messages/4711")).collect();
    input.push_str(&line(1, "/inbox"));
    site.output(&["put", "logs"], input.as_bytes());
    site.output(&["run", "--once"], b"");
    let audit = |arguments: &[&str]| process::output(site.command(&[&["audit"], arguments].concat()), b"");
    let found = audit(&["--k", "11"]);
    let told = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{told}");
    assert!(told.contains("logs.deidentified: 13 records in 2 groups; the smallest has 1; 1 record in groups of fewer than 11"), "{told}");
    let json: Value = serde_json::from_slice(&audit(&["--k", "11", "--json"]).stdout).unwrap();
    assert_eq!(
        (&json[0]["records"], &json[0]["smallest"], &json[0]["too_few"]),
        (&13.into(), &1.into(), &1.into())
    );
    assert_eq!(audit(&["--k", "1"]).status.code(), Some(2), "one is no company");
    site.output(&["put", "logs"], line(2, "/inbox").repeat(10).as_bytes());
    site.output(&["run", "--once"], b"");
    assert_eq!(audit(&["--k", "11"]).status.code(), Some(0));
}

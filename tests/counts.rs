//! Counts that outlive the records: equal to a recount from the input, however the workers came and went, and
//! shown without small groups.

mod site;
mod world;

use logscrub::diagnostic::Source;
use logscrub::policy::{self, Policy};
use logscrub::stage::count::{Group, Total, amount, decimal};
use logscrub::stage::store::{Flow, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use site::{STORE, Site, now_ms};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use world::{DAY, HOUR, PARTITIONS, START, Sent, World, settings, written};

fn counting(after: &str) -> Policy {
    let text = format!(
        "id = \"sim\"\nclock = {{ field = \"ts\", else = \"record\" }}\nmargin = \"0s\"\n\
         [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\nid = \"deidentify\"\nafter = \"{after}\"\n\
         [[count]]\nid = \"billing\"\nby = [\"account\", \"status\"]\nsum = [\"segments\", \"price\"]\n\
         [[count]]\nid = \"hours\"\nby = [\"status\"]\nevery = \"1h\"\n\
         [[count]]\nid = \"failures\"\nby = [\"account\"]\nevery = \"1mo\"\nwhen = {{ field = \"status\", equals = \"failed\" }}\n"
    );
    let source = Source { name: "sim.toml".into(), text };
    policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy
}

type Totals = BTreeMap<Group, Total>;

fn add(totals: &mut Totals, count: &str, from: &str, values: &[(&str, &str)], sums: &[(&str, &str)]) {
    let values =
        values.iter().map(|(field, value)| ((*field).to_owned(), Some((*value).to_owned()))).collect();
    let group = Group { count: count.into(), from: from.into(), values };
    let sums =
        sums.iter().map(|(field, sum)| ((*field).to_owned(), amount(sum.as_bytes()).unwrap())).collect();
    totals.entry(group).or_default().merge(&Total { records: 1, sums });
}

/// Sends a record and counts it anew, by hand.
fn send(world: &mut World, random: &mut StdRng, expected: &mut Totals) {
    send_late(world, random, expected, 50 * DAY);
}

/// The same, no later than so long after it happened.
fn send_late(world: &mut World, random: &mut StdRng, expected: &mut Totals, latest: i64) {
    let now = world.now();
    let event = now - random.random_range(0..latest);
    let account = format!("acct-{}", random.random_range(0..7));
    let status = ["sent", "delivered", "failed"][random.random_range(0..3)];
    let segments = random.random_range(1..4).to_string();
    let price = decimal(i128::from(random.random_range(1..90_000_i64)) * 1000);
    let rid = format!("rid-{:06}-x", world.sent.len());
    let value = format!(
        r#"{{"rid":"{rid}","ts":"{}","account":"{account}","status":"{status}","segments":{segments},"price":"{price}"}}"#,
        written(event)
    );
    world.append(random.random_range(0..PARTITIONS), &value, now);
    world.sent.insert(rid, Sent { event_ms: event });
    let when = written(event);
    let (day, hour) = (&when[..10], format!("{}:00:00Z", &when[..13]));
    let of = [("account", account.as_str()), ("status", status)];
    add(expected, "billing", day, &of, &[("segments", &segments), ("price", &price)]);
    add(expected, "hours", &hour, &of[1..], &[]);
    if status == "failed" {
        add(expected, "failures", &format!("{}-01", &when[..7]), &of[..1], &[]);
    }
}

/// What the counts topic says, over all chunks, and in how many chunks.
fn told(world: &World) -> (Totals, usize) {
    let mut totals = Totals::new();
    let mut chunks = std::collections::BTreeSet::new();
    for partition in 0..PARTITIONS {
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            let key = std::str::from_utf8(fetched.record.key.unwrap()).unwrap();
            if let Some(group) = Group::from_key(key) {
                chunks.insert((partition, key.split('/').nth(3).unwrap().to_owned()));
                let total = Total::from_json(fetched.record.value.unwrap()).unwrap();
                totals.entry(group).or_default().merge(&total);
            }
            Flow::Next
        };
        world.store.scan("sim.counts", partition, 0, visit).unwrap();
    }
    (totals, chunks.len())
}

/// Late and early records, workers that leave without a word, a clock that goes back, another window.
#[test]
fn counts_equal_a_recount() {
    for seed in 1..=3 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(counting("30d"), settings());
        let mut expected = Totals::new();
        for step in 0..300 {
            world.clock.advance(random.random_range(HOUR..10 * HOUR));
            match random.random_range(0..20) {
                0 => world.restart(counting("30d"), settings()),
                1 => world.clock.advance(-3 * HOUR),
                _ => {}
            }
            if step == 150 {
                world.restart(counting("20d"), settings());
            }
            for _ in 0..random.random_range(0..6) {
                send(&mut world, &mut random, &mut expected);
            }
            world.settle();
        }
        world.clock.advance(60 * DAY);
        world.settle();
        assert_eq!(world.released.len(), world.sent.len());
        let (told, chunks) = told(&world);
        assert!(chunks > 5, "only {chunks} chunks");
        assert_eq!(told, expected, "seed {seed}");
    }
    assert!(START > 0);
}

/// By hand: what is too few is told for its interval, or for all.
fn folded(totals: &Totals, min: u64) -> Totals {
    let mut folded = Totals::new();
    let others = |count: &str, from: &str| Group { count: count.into(), from: from.into(), values: vec![] };
    for (group, total) in totals {
        let group = if total.records < min { others(&group.count, &group.from) } else { group.clone() };
        folded.entry(group).or_default().merge(total);
    }
    let few = |(group, total): &(&Group, &Total)| group.values.is_empty() && total.records < min;
    let few: Vec<Group> = folded.iter().filter(few).map(|(group, _)| group.clone()).collect();
    for group in few {
        let total = folded.remove(&group).unwrap();
        folded.entry(others(&group.count, "all")).or_default().merge(&total);
    }
    folded
}

/// How many records each count has, and its sums.
fn by_count(totals: &Totals) -> BTreeMap<String, Total> {
    let mut sums: BTreeMap<String, Total> = BTreeMap::new();
    totals.iter().for_each(|(group, total)| sums.entry(group.count.clone()).or_default().merge(total));
    sums
}

/// When the records are gone small groups are added up in the topic itself. No total changes by that, whoever comes
/// and goes, and whatever arrives when its interval is over.
#[test]
fn small_groups_do_not_outlive_their_records() {
    for (seed, latest) in [(1, 20 * DAY), (2, 50 * DAY)] {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new(counting("30d"), settings());
        let mut expected = Totals::new();
        let mut folds = 0;
        for _ in 0..300 {
            world.clock.advance(random.random_range(2 * HOUR..10 * HOUR));
            match random.random_range(0..20) {
                0 => world.restart(counting("30d"), settings()),
                1 => world.clock.advance(-3 * HOUR),
                _ => {}
            }
            for _ in 0..random.random_range(0..12) {
                send_late(&mut world, &mut random, &mut expected, latest);
            }
            world.settle();
            world.purge();
            let told = told(&world).0;
            let counted = by_count(&told).get("hours").map_or(0, |total| total.records);
            assert_eq!(counted, world.released.len() as u64, "each is counted once, at any time");
            folds += usize::from(told.keys().any(|group| group.values.is_empty()));
        }
        assert!(folds > 100, "{folds} looks at what was folded");
        for _ in 0..70 {
            world.clock.advance(DAY);
            world.settle();
            world.purge();
        }
        let told = told(&world).0;
        assert_eq!(by_count(&told), by_count(&expected));
        if latest == 20 * DAY {
            assert_eq!(told, folded(&expected, 11), "seed {seed}");
        }
        for (group, total) in &told {
            let even_together = group.from == "all" && group.values.is_empty();
            assert!(total.records >= 11 || even_together, "{group:?} tells of {}", total.records);
            let known = expected.get(group).map_or(u64::MAX, |total| total.records);
            assert!(total.records <= known, "{group:?}");
        }
    }
}

/// A record that waits is not counted yet: its window is not over.
#[test]
fn nothing_is_counted_before_its_release() {
    let mut world = World::new(counting("30d"), settings());
    let mut random = StdRng::seed_from_u64(5);
    let mut expected = Totals::new();
    for _ in 0..50 {
        send(&mut world, &mut random, &mut expected);
        world.settle();
        let counted: u64 =
            told(&world).0.iter().filter(|(g, _)| g.count == "hours").map(|(_, t)| t.records).sum();
        assert_eq!(counted, world.released.len() as u64);
    }
}

const CONFIG: &str = "[embedded]\npath = \"store\"\n[[pipeline]]\nsource = \"logs\"\npolicy = \"./p.toml\"\n";
const POLICY: &str = r#"
id = "p"
clock = { field = "timestamp", else = "record" }
[[stage]]
id = "scrub"
after = "0d"
[[stage]]
id = "deidentify"
after = "30d"
[[count]]
id = "billing"
by = ["account_id", "status"]
sum = ["price"]
"#;

fn counted() -> Site {
    let site = Site::new();
    site.write("logscrub.toml", CONFIG);
    site.write("p.toml", POLICY);
    let mut input = String::new();
    let mut line = |day: u32, account: &str, status: &str, times: usize| {
        for _ in 0..times {
            let _ = writeln!(
                input,
                r#"{{"timestamp":"2026-03-{day:02}T10:42:17Z","account_id":"{account}","status":"{status}","price":0.0065,"to":"+14155550132"}}"#
            );
        }
    };
    line(1, "acct-17", "sent", 12);
    line(1, "acct-18", "sent", 10);
    line(1, "acct-19", "failed", 3);
    line(2, "acct-17", "sent", 20);
    line(2, "+14155550132", "sent", 2);
    let _ = STORE;
    assert!(now_ms() > 0);
    site.output(&["put", "logs"], input.as_bytes());
    site.output(&["run", "--once"], b"");
    site
}

#[test]
fn counts_are_shown_as_a_table_as_csv_and_as_json_without_small_groups() {
    let site = counted();
    let shown = |arguments: &[&str]| String::from_utf8(site.output(arguments, b"")).unwrap();
    let table = shown(&["counts"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [
            vec!["billing", "of", "logs"],
            vec!["from", "account_id", "status", "records", "price"],
            vec!["2026-03-01", "acct-17", "sent", "12", "0.078"],
            vec!["2026-03-01", "others", "others", "13", "0.0845"],
            vec!["2026-03-02", "acct-17", "sent", "20", "0.13"],
            vec!["all", "others", "others", "fewer", "than", "11", "-"],
        ]
    );
    let ends: Vec<usize> = table.lines().skip(1).map(|line| line.chars().count()).collect();
    assert!(ends.iter().all(|end| *end == ends[0]), "numbers end in one column:\n{table}");
    assert_eq!(
        shown(&["counts", "--csv", "--from", "2026-03-02"]),
        "from,account_id,status,records,price\n2026-03-02,acct-17,sent,20,0.13\nall,others,others,fewer than 11,\n"
    );
    let json: Value = serde_json::from_str(&shown(&["counts", "--json", "--to", "2026-03-02"])).unwrap();
    assert_eq!(json[0]["by"]["account_id"], "acct-17");
    assert_eq!(
        (&json[1]["by"], &json[1]["records"], &json[1]["sum"]["price"]),
        (&Value::Null, &13.into(), &"0.0845".into())
    );
    // The policy's author may want each group: accounts are no persons.
    site.write("p.toml", &format!("{POLICY}min = 1\n"));
    let all = shown(&["counts", "--csv"]);
    assert_eq!(all.lines().count(), 6, "{all}");
    assert!(all.contains("],sent,2,0.013") && !all.contains("4155550132"), "{all}");
}

#[test]
fn no_counts_are_told() {
    let site = Site::new();
    site.write("logscrub.toml", CONFIG);
    site.write("p.toml", POLICY);
    let code = || site::process::output(site.command(&["counts"]), b"").status.code();
    assert_eq!(code(), Some(69), "there is no store");
    site.output(&["put", "logs"], b"x\n");
    assert_eq!(code(), Some(77), "there is no topic");
    site.output(&["run", "--once"], b"");
    assert_eq!(site.output(&["counts"], b""), b"nothing was counted\n");
}

//! Clocks and orders that are not as they should be, on the real broker: the clock jumps ahead, goes back and comes
//! again, records come weeks late, out of order and from the future. None leaves before its time, and none stays
//! behind a head for longer than the shortest lane.

use crate::broker::Broker;
use crate::cluster::{Cluster, DAY, HOUR, work};
use crate::process::{PATIENCE, until};
use crate::site::{Site, now_ms};
use logscrub::stage::clock::Clock as _;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

const SOURCE: &str = "jumps";
const WINDOW: i64 = 10 * DAY;
const SHORTEST_LANE: i64 = 4 * HOUR;
const POLICY: &str = r#"
id = "jumps"
clock = { field = "ts", else = "record" }
margin = "0s"
[[stage]]
id = "scrub"
after = "0d"
[[stage]]
id = "deidentify"
after = "10d"
"#;

/// Records of the clock's now, from weeks before it to a week behind it; adds what each counts from.
fn put(site: &mut Site, random: &mut StdRng, now: i64, from: &mut BTreeMap<String, i64>) {
    let mut input = String::new();
    for _ in 0..200 {
        let event = match random.random_range(0..10) {
            0 => now + random.random_range(HOUR..7 * DAY),
            1..5 => now - random.random_range(0..3 * WINDOW),
            _ => now - random.random_range(0..30_000),
        };
        let at = jiff::Timestamp::from_millisecond(event).unwrap();
        let value = format!(r#"{{"ts":"{at}","to":"+14155550132"}}"#);
        let line = serde_json::json!({ "value": value, "partition": random.random_range(0..4), "timestamp": now_ms() });
        let _ = writeln!(input, "{line}");
        // The log's own stamp lies before what the clock was set to.
        from.insert(format!("rid-{:06}", from.len()), event.min(now));
    }
    site.put(&input);
}

#[test]
fn a_clock_that_jumps_and_records_out_of_order() {
    let broker = Broker::get();
    let mut site = Site::on(broker, SOURCE, "10d", r#"["1d"]"#);
    site.file("policy.toml", POLICY);
    let begin = now_ms() + 40 * DAY;
    let mut random = StdRng::seed_from_u64(5);
    let mut from = BTreeMap::new();
    put(&mut site, &mut random, begin, &mut from);
    let cluster = Cluster::new(crate::options_on(broker), SOURCE, POLICY, begin);
    let mut processes = cluster.both(1);
    let mut furthest = begin;
    for days in [0, 3, -2, 5, -30, 26, 7, 1, 4] {
        cluster.clock.advance(days * DAY);
        let now = cluster.clock.now_ms();
        if now != begin {
            put(&mut site, &mut random, now, &mut from);
        }
        furthest = furthest.max(now);
        // Who is due now, however the clock came to stand here.
        let must: Vec<&String> = from
            .iter()
            .filter(|(_, from)| **from + WINDOW + SHORTEST_LANE < now)
            .map(|(rid, _)| rid)
            .collect();
        let mut released = BTreeMap::new();
        work(&mut processes, "what is due is released", || {
            released = site.ids("deidentified");
            let mut met = site.ids("scrubbed");
            met.extend(released.clone());
            met.len() == from.len() && must.iter().all(|rid| released.contains_key(*rid))
        });
        for (rid, count) in &released {
            let early = from[rid] + WINDOW - furthest;
            assert!(early <= 0 && *count == 1, "{rid} left {early} ms early, {count} times");
        }
    }
    cluster.clock.advance(2 * WINDOW);
    work(&mut processes, "all are released", || site.ids("deidentified").len() == from.len());
    assert_eq!(site.verdict(), Ok(()));
}

/// The machine's clock is set a hundred days ahead while the service runs, and the broker's is not: what was released
/// then could not be taken back.
#[test]
fn a_machine_whose_clock_is_set_ahead_releases_nothing() {
    let mut site = Site::new("ahead", "90d", r#"["1d"]"#);
    site.put_made_up(200, 1, "-9s");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[("LOGSCRUB_FAULT", "clock_jumps")]);
    until("it sees the jump", PATIENCE, || {
        service.said().contains("the machine's clock was set and the broker's was not")
    });
    until("all is scrubbed", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    // A release takes less than two of its ticks.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(site.ids("deidentified").len(), 0, "{}", service.tail());
    let told = site.get(&service, "/metrics").1;
    let doubt = told.lines().find_map(|line| line.strip_prefix("logscrub_clock_doubt_seconds "));
    let doubt_s: f64 = doubt.and_then(|number| number.parse().ok()).unwrap_or_default();
    assert!((doubt_s - 100.0 * 86_400.0).abs() < 5.0, "an alert goes by it: {told}");
    service.stop();
}

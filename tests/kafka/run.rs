//! `logscrub run` from end to end: scrubbed at once, de-identified in time, originals purged.

use crate::broker::Broker;
use crate::process::{PATIENCE, Service, until};
use crate::site::{Site, now_ms, owned};
use logscrub::stage::store::{Store, TopicSpec};
use logscrub::store::kafka::Kafka;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const NUMBER: &str = "+14155550132";

#[test]
fn twenty_thousand_records_through_their_windows() {
    let mut site = Site::new("e2e", "20s", r#"["5s", "1s"]"#);
    let mut options = crate::options();
    options.topic_settings = BTreeMap::from([("segment.ms".to_owned(), "2000".to_owned())]);
    let store = Kafka::open(options).unwrap();
    store.ensure(&TopicSpec { name: "e2e".into(), partitions: 4, compacted: false }).unwrap();
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    site.put_made_up(20_000, 7, "-40s");
    // One that we look for on the disk.
    let now = now_ms();
    site.put(&format!(
        r#"{{"value":"{{\"to\":\"{NUMBER}\",\"text\":\"zq-original-zq\"}}","partition":3,"timestamp":{now}}}"#
    ));
    assert!(Broker::get().on_disk(b"zq-original-zq"), "the search does find what is there");
    let begun_ms = now_ms();
    site.await_release(Duration::from_secs(180));
    site.verdict().unwrap();
    let told = metrics(&site, &service);
    let ended_ms = now_ms();

    let scrubbed = site.seen("scrubbed");
    assert!(!scrubbed.is_empty());
    for seen in &scrubbed {
        assert!(!seen.text.contains(NUMBER) && !seen.text.contains("zq-original-zq"));
        assert!(seen.text.contains("v1 brief scrub r="), "the header says what was done");
    }
    assert!(site.keeps_order());

    let mut latest = 0;
    for seen in site.seen("deidentified") {
        let due_ms = site.sent[&seen.rid] + 20_000;
        assert!(seen.timestamp_ms >= due_ms, "{} came {} ms early", seen.rid, due_ms - seen.timestamp_ms);
        latest = latest.max(seen.timestamp_ms - due_ms.max(begun_ms));
        assert!(!seen.text.contains(NUMBER));
        assert!(!seen.text.contains("zq-original-zq"));
    }
    // The shortest lane, the tick, a transaction; the rest is this machine's to explain.
    assert!(latest <= 1000 + 1000 + 30_000, "the latest came {latest} ms after its time");
    for label in ["e2e.held.5s", "e2e.held.1s"] {
        assert!(service.said().contains(label), "the start says what is held");
    }
    drop(told);
    println!("ran {} ms, latest release {latest} ms after its time", ended_ms - begun_ms);

    // The originals leave the broker's disk. The lanes are idle by now: heartbeats roll their segments.
    // The source is not ours to write to: its own traffic rolls it.
    site.put_made_up(40, 8, "-1s");
    let begun = Instant::now();
    while Broker::get().on_disk(b"zq-original-zq") && begun.elapsed() < Duration::from_secs(90) {
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(!Broker::get().on_disk(b"zq-original-zq"), "a released original is still on the disk");
    println!("gone from the disk {} ms after the last release was seen", begun.elapsed().as_millis());
    service.stop();
}

const DAY_MS: i64 = 86_400_000;

/// Event times from 200 days ago to now in random order, under a window of 90 days: what is older goes out
/// de-identified at once, the rest is scrubbed and held. Then the window shrinks to seconds, and all of it
/// goes.
#[test]
fn a_hundred_thousand_records_from_200_days() {
    let mut site = Site::new("days", "90d", r#"["30d", "1d"]"#);
    for part in 0..10 {
        site.put_made_up(10_000, part, "-200d");
    }
    site.does(&["topics", "apply"]);
    let now = now_ms();
    let mut service = site.start(&[]);
    until("all are scrubbed or released", PATIENCE * 2, || {
        let text = site.get(&service, "/metrics").1;
        let scrubbed = value(&text, "logscrub_records_total", &[r#"stage="scrub""#, r#"outcome="emitted""#]);
        scrubbed + released(&text) >= site.sent.len()
    });
    service.stop();
    let (scrubbed, early) = (site.ids("scrubbed"), site.ids("deidentified"));
    assert_eq!(scrubbed.len() + early.len(), site.sent.len());
    assert!(scrubbed.values().chain(early.values()).all(|count| *count == 1));
    assert!(early.keys().all(|rid| now - site.sent[rid] >= 90 * DAY_MS - 600_000), "nothing too early");
    assert!(scrubbed.keys().all(|rid| now - site.sent[rid] <= 90 * DAY_MS), "nothing over its age");
    assert!(site.keeps_order());

    let policy = site.read("policy.toml");
    site.file("policy.toml", &policy.replace("after = \"90d\"", "after = \"20s\""));
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &config.replace(r#"["30d", "1d"]"#, r#"["5s", "1s"]"#));
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("all are released", PATIENCE * 2, || released(&site.get(&service, "/metrics").1) >= scrubbed.len());
    assert_eq!(site.verdict(), Ok(()));
    assert!(service.said().contains("the policy changed"), "{}", service.tail());
    service.stop();
}

/// What `/metrics` says, checked against what was put in.
fn metrics(site: &Site, service: &Service) -> String {
    until("the last release is counted", PATIENCE, || {
        released(&site.get(service, "/metrics").1) >= site.sent.len()
    });
    // Gauges are read every 15 s.
    until("nothing is pending", PATIENCE, || {
        let text = site.get(service, "/metrics").1;
        let lanes = || text.lines().filter(|line| line.starts_with("logscrub_pending_records{"));
        lanes().count() > 0 && text.contains("logscrub_overdue_records{")
    });
    let text = site.get(service, "/metrics").1;
    let at_scrub = value(&text, "logscrub_records_total", &[r#"stage="scrub""#, r#"outcome="emitted""#]);
    assert_eq!(at_scrub, site.ids("scrubbed").len());
    assert_eq!(released(&text), site.sent.len());
    for name in [
        r#"logscrub_bytes_total{pipeline="e2e",stage="scrub",direction="in"}"#,
        r#"logscrub_findings_total{pipeline="e2e",stage="scrub",class="phone""#,
        r#"logscrub_oldest_identifiable_age_seconds{topic="e2e"}"#,
        r#"logscrub_oldest_identifiable_age_seconds{topic="e2e.held.5s"}"#,
        r#"logscrub_window_seconds{topic="e2e"} 20"#,
        r#"logscrub_overdue_records{pipeline="e2e",stage="deidentify"} 0"#,
        r#"logscrub_pending_records{pipeline="e2e",lane="e2e.held.1s"}"#,
        r#"logscrub_consumer_lag_records{topic="e2e",partition="3"}"#,
        r#"logscrub_transactions_total{outcome="committed"}"#,
        r#"logscrub_purged_records_total{topic="e2e"}"#,
        r#"logscrub_topic_compliant{topic="e2e.scrubbed"} 1"#,
        "logscrub_geo_build_timestamp_seconds ",
        "logscrub_engine_seconds_bucket{le=",
        "logscrub_end_to_end_seconds_count ",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
    assert!(!text.contains(NUMBER) && !text.contains("rid-0"), "no label carries data");
    assert_eq!(site.get(service, "/livez"), (200, "ok\n".into()));
    assert_eq!(site.get(service, "/readyz"), (200, "ok\n".into()));
    assert_eq!(site.get(service, "/other").0, 404);
    text
}

fn released(text: &str) -> usize {
    value(text, "logscrub_records_total", &[r#"stage="deidentify""#, r#"outcome="emitted""#])
}

/// The value of the metric whose line has these labels; 0 where there is none.
fn value(text: &str, name: &str, labels: &[&str]) -> usize {
    let has = |line: &&str| line.starts_with(name) && labels.iter().all(|label| line.contains(label));
    text.lines().find(has).and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or(0)
}

#[test]
fn once_takes_what_is_there_and_leaves() {
    let mut site = Site::new("once", "1h", r#"["10min"]"#);
    site.put_made_up(2000, 3, "-2h");
    site.does(&["topics", "apply"]);
    let now = now_ms();
    site.does(&["run", "--once"]);
    site.does(&["run", "--once"]);
    let overdue = site.sent.values().filter(|event| now - **event >= 3_600_000).count();
    let released = site.ids("deidentified");
    let scrubbed = site.ids("scrubbed");
    // Records on the edge may fall due between our clock and the program's.
    assert!(released.len() >= overdue && released.len() < overdue + 50, "{} of {overdue}", released.len());
    assert_eq!(released.len() + scrubbed.len(), 2000);
    assert!(released.values().chain(scrubbed.values()).all(|count| *count == 1));
}

#[test]
fn wrong_topics_are_refused_with_what_mends_them() {
    let site = Site::new("wrong", "1h", r#"["10min"]"#);
    let refused = |wanted: &str| {
        let output = site.output(&["run", "--once"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(77), "{said}");
        assert!(said.contains(wanted), "{said}");
    };
    refused("topic `wrong` does not exist");
    site.does(&["put", "wrong", "--partitions", "2"]);
    refused("wrong.scrubbed: does not exist; run `logscrub topics apply`");
    assert_eq!(site.output(&["topics", "verify"]).status.code(), Some(1));
    assert!(site.does(&["topics", "plan"]).contains("wrong.held.1h: 2 partitions"));
    assert!(site.does(&["topics", "apply"]).contains("wrong.held.1h: made"));
    assert_eq!(site.does(&["topics", "apply"]), "nothing to do\n");
    site.does(&["topics", "verify"]);
    site.does(&["run", "--once"]);
    // Another policy wants another retention: what is there is no longer right, and is mended.
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("{config}outage_budget = \"1d\"\n"));
    refused("wrong.held.1h: `retention.ms` is `608400000` and must be `90000000`");
    assert!(site.does(&["topics", "apply"]).contains("wrong.held.1h: retention.ms = 90000000"));
    site.does(&["run", "--once"]);
    // The source is not ours to change.
    site.file("logscrub.toml", &config.replace("purge_source = true", "purge_source = false"));
    refused("set `purge_source = true`");
}

#[test]
fn no_broker_is_told() {
    let site = Site::new("nobody", "1h", r#"["10min"]"#);
    let config = site.read("logscrub.toml").replace(&Broker::get().address, "127.0.0.1:9");
    site.file("logscrub.toml", &config);
    let output = site.output(&["run"]);
    assert_eq!(output.status.code(), Some(69));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("no broker of `127.0.0.1:9` answered"), "{said}");
}

/// The same name with another id is another topic: its offsets mean nothing to our positions.
#[test]
fn a_source_made_again_is_refused() {
    let mut site = Site::new("again", "1h", r#"["10min"]"#);
    site.put_made_up(50, 1, "-10s");
    site.does(&["topics", "apply"]);
    site.does(&["run", "--once"]);
    Broker::get().delete_topic("again");
    site.put_made_up(50, 2, "-10s");
    let output = site.output(&["run", "--once"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(77), "{said}");
    assert!(said.contains("was deleted and made again"), "{said}");
}

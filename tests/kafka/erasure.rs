//! Originals on the broker's disk: there while they are held, gone when they were released.

use crate::broker::Broker;
use crate::process::{PATIENCE, until};
use crate::site::{Site, now_ms, owned};
use logscrub::policy::Period;
use logscrub::stage::store::{Store, TopicSpec};
use logscrub::store::kafka::Kafka;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const WINDOW_MS: i64 = 20_000;
const BUSY: [i32; 2] = [0, 1];
const IDLE: [i32; 2] = [2, 3];

fn marker(name: &str, partition: i32) -> String {
    format!("zq-{name}-{partition}-zq")
}

/// A record whose text is found again, and must not be.
fn put_marker(site: &mut Site, name: &str, partition: i32) {
    let (text, now) = (marker(name, partition), now_ms());
    site.put(&format!(
        r#"{{"value":"{{\"to\":\"+14155550132\",\"text\":\"{text}\"}}","partition":{partition},"timestamp":{now}}}"#
    ));
}

fn put_traffic(site: &mut Site) {
    let now = now_ms();
    let line = |number: i32| {
        let partition = BUSY[number as usize % BUSY.len()];
        format!(r#"{{"value":"to +14155550132, {number}","partition":{partition},"timestamp":{now}}}"#)
    };
    site.put(&(0..20).map(line).collect::<Vec<_>>().join("\n"));
}

/// Until when bytes are gone, by the service's own words, from a record's time.
fn printed_bound(said: &str) -> Duration {
    let events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let bound = events.filter_map(|event| Some(event["fields"]["gone_from_disk_until"].as_str()?.to_owned()));
    let period: Period = bound.last().expect("the start says so").parse().unwrap();
    Duration::from_secs(period.seconds)
}

/// Markers in partitions that go on being written to and in such that nothing comes to any more. The broker's
/// files are searched while the records are held, and until they are gone.
#[test]
fn held_originals_stay_and_released_ones_leave_the_disk() {
    let broker = Broker::get();
    let mut site = Site::on(broker, "disk", "20s", r#"["5s", "1s"]"#);
    // What is purged of the source goes with its segments, which are its owner's: short ones, and an end for those
    // that nothing is written to any more.
    let mut options = crate::options_on(broker);
    let settings = [("segment.ms", "2000"), ("retention.ms", "30000")];
    options.topic_settings = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    let store = Kafka::open(options).unwrap();
    store.ensure(&TopicSpec { name: "disk".into(), partitions: 4, compacted: false }).unwrap();
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    let bound = printed_bound(&service.said());

    let partitions = || BUSY.into_iter().chain(IDLE);
    partitions().for_each(|partition| put_marker(&mut site, "first", partition));
    let (begun, begun_ms) = (Instant::now(), now_ms());
    let lanes =
        |name: &str, partition: i32| broker.topics_on_disk("disk.held.", marker(name, partition).as_bytes());
    until("all are held", Duration::from_secs(15), || {
        partitions().all(|partition| lanes("first", partition))
    });
    let mut looks = 0;
    while now_ms() < begun_ms + WINDOW_MS - 2000 {
        for partition in partitions() {
            let held = lanes("first", partition);
            // The search takes its time, too.
            assert!(held || now_ms() > begun_ms + WINDOW_MS, "{partition} is held and was not found");
            looks += usize::from(held);
        }
        put_traffic(&mut site);
        std::thread::sleep(Duration::from_millis(500));
    }
    assert!(looks >= 8, "{looks} looks");

    let mut gone = BTreeMap::new();
    while gone.len() < 4 && begun.elapsed() < bound {
        for partition in partitions() {
            if !gone.contains_key(&partition) && !broker.on_disk(marker("first", partition).as_bytes()) {
                gone.insert(partition, begun.elapsed().as_secs());
            }
        }
        put_traffic(&mut site);
        std::thread::sleep(Duration::from_millis(500));
    }
    println!(
        "printed: gone until {} s after its time; were gone (partition: seconds) {gone:?}",
        bound.as_secs()
    );
    assert_eq!(gone.len(), 4, "gone {gone:?} within {} s", bound.as_secs());
    let early: Vec<_> = gone.values().filter(|seconds| **seconds < WINDOW_MS as u64 / 1000).collect();
    assert!(early.is_empty(), "{early:?}");

    // What came later is still there: no more was deleted than what was released.
    partitions().for_each(|partition| put_marker(&mut site, "later", partition));
    until("the later ones are held", Duration::from_secs(15), || {
        partitions().all(|partition| lanes("later", partition))
    });
    site.await_release(PATIENCE);
    assert_eq!(site.verdict(), Ok(()));
    service.stop();
}

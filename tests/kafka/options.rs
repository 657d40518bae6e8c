//! What a config can ask for: several workers, delivery without transactions.

use crate::process::{PATIENCE, Service, until};
use crate::site::{Site, owned};
use std::collections::BTreeSet;
use std::time::Duration;

const LANES: &str = r#"["2s", "1s"]"#;

/// A site with its topics and one record, and a line more in its pipeline.
fn site(source: &str, line: &str) -> Site {
    let mut site = Site::new(source, "6s", LANES);
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("{config}{line}\n"));
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    site
}

/// How many assignments a service has got.
fn assignments(service: &Service) -> usize {
    service.said().matches("\"partitions were assigned\"").count()
}

/// Each worker is a member of its group, with a consumer and a producer of its own; they share the partitions, and
/// a crash of all of them is one of each.
#[test]
fn several_workers_share_the_partitions() {
    let mut site = site("workers", "workers = 3");
    for round in 0..3 {
        let mut service = site.start(&[]);
        until("all partitions are shared out", PATIENCE, || {
            owned(&service) == 16 && assignments(&service) >= 6
        });
        site.put_made_up(300, round + 1, "-9s");
        std::thread::sleep(Duration::from_millis(500 * round as u64));
        let threads = std::fs::read_dir(format!("/proc/{}/task", service.id())).unwrap();
        let names: Vec<String> = threads
            .map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap())
            .filter(|name| name.starts_with("workers "))
            .collect();
        assert_eq!(names.len(), 6, "a thread for each: {names:?}");
        service.kill();
    }
    let mut service = site.start(&[]);
    site.await_release(PATIENCE);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.verdict(), Ok(()));
    assert!(site.keeps_order());
    service.stop();
    site.does(&["run", "--once"]);
}

/// Without transactions nothing is lost over crashes, wherever they fall; and nothing is doubled without one.
#[test]
fn at_least_once_loses_nothing() {
    let mut site = site("atleast", "delivery = \"at_least_once\"");
    let mut service = site.start(&[]);
    site.put_made_up(300, 1, "-9s");
    site.await_release(PATIENCE);
    assert_eq!(site.verdict(), Ok(()), "without a crash each comes once");
    let transactions = |site: &Site| {
        let lines = site.lines("scrubbed");
        let offset =
            |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["offset"].as_i64();
        let of_one: BTreeSet<_> =
            lines.iter().filter(|line| line.contains("\"partition\":0")).filter_map(offset).collect();
        of_one.last().copied().unwrap_or(-1) + 1 - of_one.len() as i64
    };
    assert_eq!(transactions(&site), 0, "no offset is a marker's");
    service.stop();
    for (round, point) in
        ["after_append:50", "after_flush:8", "after_send_offsets:8", "after_commit:8"].into_iter().enumerate()
    {
        let mut service = site.start(&[("LOGSCRUB_CRASH_AT", point)]);
        until("it crashes", PATIENCE, || {
            site.put_made_up(50, 10 + round, "-9s");
            service.has_ended().is_some()
        });
    }
    let mut service = site.start(&[]);
    site.await_release(PATIENCE);
    let (scrubbed, released) = (site.ids("scrubbed"), site.ids("deidentified"));
    let lost = site.sent.keys().filter(|rid| !released.contains_key(*rid)).count();
    assert_eq!(lost, 0);
    let twice = scrubbed.values().chain(released.values()).filter(|count| **count > 1).count();
    println!("{twice} of {} came more than once", site.sent.len());
    service.stop();
}

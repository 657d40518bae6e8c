//! The real program on the real broker, killed: nothing is lost and nothing is doubled.

use crate::process::{PATIENCE, until};
use crate::site::{Site, owned};
use std::time::{Duration, Instant};

/// Runs until the process crashes. Records drip in meanwhile, so that any point is reached so often,
/// however many of them the machine does in one batch.
fn crash(site: &mut Site, environment: &[(&str, &str)], seed: usize) {
    let mut child = site.start(environment);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.has_ended() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            panic!("{environment:?} was not reached; it said:\n{}", child.tail());
        }
        site.put_made_up(20, seed * 1000 + site.sent.len(), "-9s");
    };
    assert!(!status.success(), "{environment:?} was to crash; it said:\n{}", child.tail());
}

/// Lets the policy count what it releases.
fn counts_all(site: &Site) {
    let policy = site.read("policy.toml");
    site.file("policy.toml", &format!("{policy}[[count]]\nid = \"all\"\nby = [\"status\"]\nmin = 1\n"));
}

/// Whether every record was counted, and once.
fn counted(site: &Site) -> Result<(), String> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(&site.does(&["counts", "--json"])).unwrap();
    let counted: u64 = rows.iter().filter_map(|row| row["records"].as_u64()).sum();
    match counted == site.sent.len() as u64 {
        true => Ok(()),
        false => Err(format!("{counted} of {} were counted", site.sent.len())),
    }
}

/// Lets what is left be done, and judges.
fn settle(site: &Site, environment: &[(&str, &str)]) -> Result<(), String> {
    let mut child = site.start(environment);
    site.await_release(PATIENCE);
    // Whatever would come twice still has the time to.
    std::thread::sleep(Duration::from_secs(2));
    child.stop();
    site.verdict()
}

/// Crashes at a point, several times over its first occurrences, then checks. The first few commits are claims of
/// slots and answers to assignments.
fn crash_at(point: &str, counts: &[usize]) {
    let mut site = Site::new(&point.replace('_', "-"), "6s", r#"["2s", "1s"]"#);
    counts_all(&site);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    for (round, count) in counts.iter().enumerate() {
        site.put_made_up(300, round + 1, "-9s");
        crash(&mut site, &[("LOGSCRUB_CRASH_AT", &format!("{point}:{count}"))], round + 1);
    }
    assert_eq!(settle(&site, &[]).and_then(|()| counted(&site)), Ok(()), "{point}");
}

#[test]
fn after_append() {
    crash_at("after_append", &[1, 200, 350]);
}

#[test]
fn after_flush() {
    crash_at("after_flush", &[1, 6, 9, 13]);
}

#[test]
fn after_send_offsets() {
    crash_at("after_send_offsets", &[1, 6, 9, 13]);
}

#[test]
fn after_commit() {
    crash_at("after_commit", &[1, 6, 9, 13]);
}

#[test]
fn between_commit_and_purge() {
    crash_at("between_commit_and_purge", &[1, 2, 3]);
}

#[test]
fn in_relane() {
    crash_at("in_relane", &[1, 4, 9]);
}

/// A second process joins, and the first one dies while it lets go of partitions.
#[test]
fn in_revoke() {
    let mut site = Site::new("in-revoke", "6s", r#"["2s", "1s"]"#);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    site.make_other();
    for round in 1..=3 {
        site.put_made_up(100, round, "-9s");
        let mut first = site.start(&[("LOGSCRUB_CRASH_AT", "in_revoke")]);
        until("it owns all partitions of both groups", PATIENCE, || owned(&first) == 16);
        let mut second = site.start_as("other.toml", &[]);
        let status = first.end(PATIENCE);
        assert!(!status.success(), "it was to crash");
        second.kill();
    }
    assert_eq!(settle(&site, &[]), Ok(()));
}

#[test]
fn random_moments() {
    let mut site = Site::new("random-moments", "6s", r#"["2s", "1s"]"#);
    counts_all(&site);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    let mut random = crate::site::now_ms() as u64;
    let mut moments = Vec::new();
    for round in 0..20 {
        site.put_made_up(50, round + 1, "-9s");
        let mut child = site.start(&[]);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = 300 + (random >> 33) % 2500;
        moments.push(moment);
        std::thread::sleep(Duration::from_millis(moment));
        child.kill();
    }
    assert_eq!(settle(&site, &[]).and_then(|()| counted(&site)), Ok(()), "killed after {moments:?} ms");
}

/// What the tests above are worth: with positions outside the transaction they fail.
#[cfg(debug_assertions)]
#[test]
fn positions_outside_the_transaction_are_seen() {
    let fault = ("LOGSCRUB_FAULT", "commit_positions_separately");
    let mut site = Site::new("apart", "6s", r#"["2s", "1s"]"#);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    // Under the fault the point lies between a commit's records and its positions. Claims and assignments commit
    // too, and come before the first commit that has records.
    for count in [8, 10, 13] {
        site.put_made_up(300, count, "-9s");
        crash(&mut site, &[fault, ("LOGSCRUB_CRASH_AT", &format!("after_send_offsets:{count}"))], count);
    }
    let outcome = settle(&site, &[fault]);
    assert!(matches!(&outcome, Err(wrong) if !wrong.contains(", 0 came twice")), "{outcome:?}");
}

//! The real program on the real broker, killed: nothing is lost and nothing is doubled.

use crate::site::{Site, stop};
use std::process::Child;
use std::time::{Duration, Instant};

/// Waits until the process has ended by itself.
fn ended(child: &mut Child, within: Duration) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    false
}

/// Crashes at a point, several times over its first occurrences, then checks.
fn crash_at(point: &str, counts: &[usize]) {
    let mut site = Site::new(&point.replace('_', "-"), "6s", r#"["2s", "1s"]"#);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    for (round, count) in counts.iter().enumerate() {
        site.put_made_up(300, round + 1, "-9s");
        let mut child = site.start(&[("LOGSCRUB_CRASH_AT", &format!("{point}:{count}"))]);
        let crashed = ended(&mut child, Duration::from_secs(90));
        if !crashed {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(crashed, "{point}:{count} was not reached");
    }
    let mut child = site.start(&[]);
    site.await_release(Duration::from_secs(120));
    // Whatever would come twice still has the time to.
    std::thread::sleep(Duration::from_secs(2));
    stop(&mut child);
    assert_eq!(site.verdict(), Ok(()), "{point}");
}

#[test]
fn after_append() {
    crash_at("after_append", &[1, 200, 350]);
}

#[test]
fn after_flush() {
    crash_at("after_flush", &[1, 3, 5]);
}

#[test]
fn after_send_offsets() {
    crash_at("after_send_offsets", &[1, 3, 5]);
}

#[test]
fn after_commit() {
    crash_at("after_commit", &[1, 3, 5]);
}

#[test]
fn between_commit_and_purge() {
    crash_at("between_commit_and_purge", &[1, 2, 3]);
}

#[test]
fn in_relane() {
    // How many re-lanes a run needs hangs on how its batches fall; three are always met.
    crash_at("in_relane", &[1, 2, 3]);
}

#[test]
fn random_moments() {
    let mut site = Site::new("random-moments", "6s", r#"["2s", "1s"]"#);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    let mut random = crate::site::now_ms() as u64;
    let mut moments = Vec::new();
    for round in 0..8 {
        site.put_made_up(100, round + 1, "-9s");
        let mut child = site.start(&[]);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = 300 + (random >> 33) % 4000;
        moments.push(moment);
        std::thread::sleep(Duration::from_millis(moment));
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut child = site.start(&[]);
    site.await_release(Duration::from_secs(120));
    std::thread::sleep(Duration::from_secs(2));
    stop(&mut child);
    assert_eq!(site.verdict(), Ok(()), "killed after {moments:?} ms");
}

/// What the tests above are worth: with positions outside the transaction they fail.
#[cfg(debug_assertions)]
#[test]
fn positions_outside_the_transaction_are_seen() {
    let fault = ("LOGSCRUB_FAULT", "commit_positions_separately");
    let mut site = Site::new("apart", "6s", r#"["2s", "1s"]"#);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    // Under the fault the point lies between a commit's records and its positions. The two assignments come
    // before the first commit that has records.
    for count in [3, 4, 5] {
        site.put_made_up(300, count, "-9s");
        let mut child = site.start(&[fault, ("LOGSCRUB_CRASH_AT", &format!("after_send_offsets:{count}"))]);
        assert!(ended(&mut child, Duration::from_secs(90)));
    }
    let mut child = site.start(&[fault]);
    site.await_release(Duration::from_secs(120));
    std::thread::sleep(Duration::from_secs(2));
    stop(&mut child);
    let outcome = site.verdict();
    assert!(matches!(&outcome, Err(wrong) if !wrong.contains(", 0 came twice")), "{outcome:?}");
}

//! Events on the real broker, in seconds: an account is closed, a line is released, and what is held of them is
//! due soon after, long before its own window ends.

use crate::cluster::keys;
use crate::process::{PATIENCE, until};
use crate::site::{Site, now_ms, owned};
use logscrub::store::kafka::Kafka;
use std::collections::BTreeMap;
use std::time::Duration;

/// The own window is longer than the test waits for anything.
const POLICY: &str = r#"
id = "p"
clock = { field = "timestamp", else = "record" }
margin = "0s"
[[stage]]
id = "scrub"
after = "0d"
[[stage]]
id = "deidentify"
after = "600s"
[[event]]
id = "closed"
when = { field = "event", equals = ["account.closed"] }
by = "account_id"
after = "8s"
[[event]]
id = "released"
when = { field = "event", equals = ["line.released"] }
by = "line_id"
after = "12s"
"#;

/// Puts one record into each partition; gives their ids.
fn put(site: &mut Site, members: &str) -> Vec<String> {
    let now = now_ms();
    let at = jiff::Timestamp::from_millisecond(now).unwrap();
    let value = format!(r#"{{"timestamp":"{at}","to":"+14155550132",{members}}}"#);
    let line = |partition: usize| {
        serde_json::json!({ "value": value, "partition": partition, "timestamp": now }).to_string()
    };
    let before = site.sent.len();
    site.put(&(0..4).map(line).collect::<Vec<_>>().join("\n"));
    (before..site.sent.len()).map(|number| format!("rid-{number:06}")).collect()
}

/// When each record was released, by the broker's clock.
fn released(site: &Site) -> BTreeMap<String, i64> {
    site.seen("deidentified").into_iter().map(|seen| (seen.rid, seen.timestamp_ms)).collect()
}

fn await_released(site: &Site, what: &str, rids: &[String]) -> BTreeMap<String, i64> {
    until(what, PATIENCE, || {
        let released = released(site);
        rids.iter().all(|rid| released.contains_key(rid))
    });
    released(site)
}

#[test]
fn closed_accounts_and_released_lines() {
    let mut site = Site::new("events", "600s", r#"["60s", "3s", "1s"]"#);
    site.file("policy.toml", POLICY);
    site.put("");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) >= 16);
    // In each lane others stand before and behind them.
    let mut others = put(&mut site, r#""account_id":"acct-2","line_id":"line-2""#);
    let mut of_account = put(&mut site, r#""account_id":"acct-1","line_id":"line-3""#);
    let mut of_line = put(&mut site, r#""account_id":"acct-3","line_id":"line-1""#);
    others.extend(put(&mut site, r#""account_id":"acct-4","line_id":"line-4""#));
    until("all are held", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    assert_eq!(released(&site).len(), 0);

    let closed_ms = now_ms();
    of_account.extend(put(&mut site, r#""event":"account.closed","account_id":"acct-1""#));
    let at = await_released(&site, "the account is gone", &of_account);
    for rid in &of_account {
        assert!(at[rid] >= closed_ms + 8000, "{rid} left {} ms early", closed_ms + 8000 - at[rid]);
    }
    assert_eq!(at.len(), of_account.len(), "only its records");

    // Killed between the event and what it ends: none is forgotten.
    let line_ms = now_ms();
    of_line.extend(put(&mut site, r#""event":"line.released","line_id":"line-1""#));
    until("it was seen", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    service.kill();
    let mut service = site.start(&[]);
    let at = await_released(&site, "the line is gone", &of_line);
    for rid in &of_line {
        assert!(at[rid] >= line_ms + 12_000, "{rid} left {} ms early", line_ms + 12_000 - at[rid]);
    }

    // What comes of a closed account leaves at once, and never reaches scrubbed.
    let late = put(&mut site, r#""account_id":"acct-1","line_id":"line-5""#);
    await_released(&site, "what came too late is gone", &late);
    let scrubbed = site.ids("scrubbed");
    assert!(late.iter().all(|rid| !scrubbed.contains_key(rid)), "overdue on arrival");
    let at = released(&site);
    assert!(others.iter().all(|rid| !at.contains_key(rid)), "the others wait");
    assert_eq!(at.len(), of_account.len() + of_line.len() + late.len());
    std::thread::sleep(Duration::from_secs(1));
    service.stop();
    assert_eq!(site.ids("deidentified").values().max(), Some(&1), "none twice");
}

/// Two processes share the lanes: what either holds of the account is gone, whichever of them saw the event and
/// whichever takes held records up anew.
#[test]
fn each_of_two_processes_ends_what_it_holds() {
    let mut site = Site::new("shares", "600s", r#"["60s", "3s", "1s"]"#);
    site.file("policy.toml", POLICY);
    site.put("");
    site.does(&["topics", "apply"]);
    site.make_other();
    let mut first = site.start(&[]);
    let mut second = site.start_as("other.toml", &[]);
    until("each has half of both groups", PATIENCE, || owned(&first) == 10 && owned(&second) == 10);
    let others = put(&mut site, r#""account_id":"acct-2","line_id":"line-2""#);
    let mut of_account = put(&mut site, r#""account_id":"acct-1","line_id":"line-3""#);
    until("all are held", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    // Until all of them wait in the longest lane, behind the others.
    std::thread::sleep(Duration::from_secs(3));
    of_account.extend(put(&mut site, r#""event":"account.closed","account_id":"acct-1""#));
    let at = await_released(&site, "the account is gone", &of_account);
    assert!(others.iter().all(|rid| !at.contains_key(rid)), "the others wait");
    first.stop();
    second.stop();
    assert_eq!(site.ids("deidentified").values().max(), Some(&1), "none twice");
}

/// How many marks of events stand in the progress topic.
fn marks(site: &Site) -> usize {
    keys(&Kafka::open(crate::options()).unwrap(), &format!("{}.progress", site.source), "event/")
}

/// The mark of a closed account stands for as long as a record of before could come in time, and no longer.
#[test]
fn a_mark_is_gone_with_the_last_window() {
    let mut site = Site::new("marks", "20s", r#"["3s", "1s"]"#);
    site.file("policy.toml", &POLICY.replace("600s", "20s"));
    site.put("");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) >= 12);
    let closed_ms = now_ms();
    let mut all = put(&mut site, r#""event":"account.closed","account_id":"acct-1""#);
    until("it is marked", PATIENCE, || marks(&site) == 4);
    all.extend(put(&mut site, r#""account_id":"acct-1""#));
    await_released(&site, "the account is gone", &all);
    if now_ms() < closed_ms + 20_000 {
        assert_eq!(marks(&site), 4, "a late record would need it");
    }
    until("nothing is left of it", PATIENCE, || marks(&site) == 0);
    assert!(now_ms() >= closed_ms + 20_000);
    service.stop();
}

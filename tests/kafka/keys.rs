//! Keys of pseudonyms on the real broker: made, rotated and destroyed while the service runs, and killed meanwhile.
//! Nothing is lost, and nobody can tell any more whose the pseudonyms of a destroyed key were.

use crate::process::{PATIENCE, Service, output, until};
use crate::site::{Site, now_ms, owned};
use std::collections::BTreeSet;
use std::time::Duration;

const POLICY: &str = r#"
id = "p"
margin = "0s"
[[stage]]
id = "scrub"
after = "0d"
[stage.do]
phone = "pseudonym"
subject_id = "pseudonym"
event_id = "keep"
[[stage]]
id = "deidentify"
after = "20s"
[stage.do]
event_id = "keep"
safe = "keep"
[[count]]
id = "all"
by = ["status"]
min = 1
"#;
const ACCOUNTS: usize = 5;

fn put(site: &mut Site, count: usize, quoted: &str) {
    let now = now_ms();
    let line = |number: usize| {
        let account = number % ACCOUNTS;
        let value = format!(
            r#"{{"to":"+14155550132","account_id":"acct-{account}","status":"sent","request_id":"{quoted}"}}"#
        );
        serde_json::json!({ "value": value, "partition": number % 4, "timestamp": now }).to_string()
    };
    site.put(&(0..count).map(line).collect::<Vec<_>>().join("\n"));
}

/// Every pseudonym in the scrubbed topic.
fn tokens(site: &Site) -> BTreeSet<String> {
    let mut tokens = BTreeSet::new();
    for line in site.lines("scrubbed") {
        let found = line.match_indices("[ID:").map(|(at, _)| line[at..].split_inclusive(']').next().unwrap());
        tokens.extend(found.map(str::to_owned));
    }
    tokens
}

fn of_key<'t>(tokens: &'t BTreeSet<String>, key: &str) -> BTreeSet<&'t str> {
    let prefix = format!("[ID:{key}.");
    tokens.iter().filter(|token| token.starts_with(&prefix)).map(String::as_str).collect()
}

/// Puts records until one of them is scrubbed under a key.
fn await_key(site: &mut Site, service: &Service, key: &str) {
    until(&format!("{key} writes; {}", service.tail()), PATIENCE, || {
        put(site, 20, "r-1");
        std::thread::sleep(Duration::from_millis(300));
        !of_key(&tokens(site), key).is_empty()
    });
}

/// What `keys lookup` finds of the test's subjects.
fn looked_up(site: &Site) -> BTreeSet<String> {
    let subjects = (0..ACCOUNTS).map(|account| format!("acct-{account}")).chain(["+14155550132".to_owned()]);
    let mut found = BTreeSet::new();
    for subject in subjects {
        let told = output(site.command(&["keys", "lookup", "--json"]), subject.as_bytes());
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&told.stdout).unwrap();
        found.extend(rows.iter().map(|row| row["token"].as_str().unwrap().to_owned()));
    }
    found
}

/// The secret in a key's file.
fn secret(site: &Site, key: &str) -> String {
    let text = site.read(&format!("keys/{key}.key"));
    text.split_once("secret ").unwrap().1.trim().to_owned()
}

#[test]
fn rotated_and_destroyed_while_it_runs_and_is_killed() {
    let mut site = Site::new("keys", "20s", r#"["5s", "1s"]"#);
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("{config}keys = \"keys\"\ntenant = \"acme\"\n"));
    site.file("policy.toml", POLICY);
    site.put("");
    site.does(&["keys", "init"]);
    site.does(&["topics", "apply"]);
    let first_secret = secret(&site, "k1");
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) >= 16);
    await_key(&mut site, &service, "k1");
    let first: BTreeSet<String> = of_key(&tokens(&site), "k1").into_iter().map(str::to_owned).collect();
    assert_eq!(first.len(), 1 + ACCOUNTS, "a number and the accounts");
    assert!(looked_up(&site).is_superset(&first), "incident work finds them");

    // Rotations that are killed, and the service with them, while records come in and leave.
    for round in 0..6u64 {
        let mut rotation = site.command(&["keys", "rotate"]).spawn().unwrap();
        put(&mut site, 30, "r-1");
        std::thread::sleep(Duration::from_millis(2 * round));
        let _ = rotation.kill();
        let _ = rotation.wait();
        if round % 2 == 1 {
            service.kill();
            service = site.start(&[]);
        }
    }
    let listed: Vec<serde_json::Value> =
        serde_json::from_str(&site.does(&["keys", "list", "--json"])).unwrap();
    let writes =
        listed.iter().find(|key| key["state"] == "writes").unwrap()["id"].as_str().unwrap().to_owned();
    // One that is not killed, and that one takes its place.
    let told = site.does(&["keys", "rotate"]);
    let newest = told.split(' ').next().unwrap().to_owned();
    assert_ne!(newest, writes);
    await_key(&mut site, &service, &newest);

    // The older ones go while their records are held; a log quotes a pseudonym in a field that the last stage keeps.
    let quoted = first.iter().next().unwrap().clone();
    for key in listed.iter().filter_map(|key| key["id"].as_str()) {
        site.does(&["keys", "destroy", key, "--yes"]);
    }
    put(&mut site, 20, &quoted);
    let left = looked_up(&site);
    assert!(
        left.is_disjoint(&first) && left.iter().all(|token| token.starts_with(&format!("[ID:{newest}.")))
    );
    assert!(!site.anywhere(first_secret.as_bytes()), "the key's secret is in no file of the folder");
    until("the service forgets them", PATIENCE, || {
        service.said().contains(&format!(r#""keys":"[\"{newest}\"]""#))
    });
    // Without any key values are removed.
    site.does(&["keys", "destroy", &newest, "--yes"]);
    until("the service has none", PATIENCE, || service.said().contains(r#""keys":"[]""#));
    let before = site.sent.len();
    put(&mut site, 20, "r-1");
    until("they are scrubbed", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    for seen in site.seen("scrubbed").iter().filter(|seen| seen.rid >= format!("rid-{before:06}")) {
        assert!(!seen.text.contains("[ID:"), "no key, no pseudonym: {}", seen.text);
    }

    site.await_release(PATIENCE);
    service.stop();
    assert_eq!(site.verdict(), Ok(()));
    for line in site.lines("deidentified") {
        assert!(!line.contains("[ID:") && !line.contains("4155550132"), "{line}");
    }
    let rows: Vec<serde_json::Value> = serde_json::from_str(&site.does(&["counts", "--json"])).unwrap();
    let counted: u64 = rows.iter().filter_map(|row| row["records"].as_u64()).sum();
    assert_eq!(counted as usize, site.sent.len());
}

//! The five policies in fast time: the shipped file with seconds in the place of its days, twenty thousand records of
//! mixed kinds each. At every look nothing is readable past its window, nothing left early, the counts are a
//! recount's.

use crate::process::{PATIENCE, until};
use crate::site::{Site, now_ms, owned};
use logscrub::stage::envelope;
use logscrub::stage::store::{Flow, Store};
use logscrub::store::kafka::Kafka;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const RECORDS: usize = 20_000;
const BATCHES: usize = 5;
const SECOND: i64 = 1000;
/// How much earlier than its window a record may leave.
const MARGIN: i64 = 14 * SECOND;
/// What a code or a text is known by.
const SECRET: &str = "774411";

struct Kinds {
    policy: &'static str,
    /// Lines of `[[stage]]` and what they are here: not to scale, in the same order.
    windows: &'static [(&'static str, &'static str)],
    last: i64,
    /// The age at which codes and texts must be gone.
    secret: i64,
    lines: &'static [&'static str],
}

const MOSSMOON: Kinds = Kinds {
    policy: "mossmoon",
    windows: &[("after = \"30d\"", "after = \"30s\""), ("after = \"90d\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 30 * SECOND,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","otp":"774411","status":"received","segments":1,"price":"0.0065"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","line_id":"line-A","wa_id":"14155550132","text":"see you at 774411","status":"read"}"#,
        r#"{"timestamp":"TS","ip":"203.0.113.7","path":"/v1/orders/4711","status":200,"duration_ms":12}"#,
    ],
};
const MASSIVESMS: Kinds = Kinds {
    policy: "massivesms",
    windows: &[("after = \"90d\"", "after = \"60s\""), ("after = \"24mo\"", "after = \"90s\"")],
    last: 90 * SECOND,
    secret: 60 * SECOND,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message_text":"sale 774411 ends","status":"delivered","segments":2,"price":"0.0130"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","status":"failed","segments":1}"#,
        r#"{"timestamp":"TS","event":"login","email":"jane@example.com","ip":"203.0.113.7"}"#,
    ],
};
const MESSAGEAPI: Kinds = Kinds {
    policy: "messageapi",
    windows: &[("after = \"unset\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","text":"see you at 774411","status":"delivered"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","check":"session","status":"open","duration_ms":12}"#,
    ],
};
const WASMS: Kinds = Kinds {
    policy: "wasms",
    windows: &[("default = \"90d\"", "default = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message":"parcel 774411 is here","status":"read","country":"US","segments":1}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","event":"login","ip":"203.0.113.7","status":200}"#,
    ],
};
const MESEJ: Kinds = Kinds {
    policy: "mesej",
    windows: &[("after = \"unset\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    lines: &[
        r#"{"event":"login","user_email":"jane@example.com","ip":"203.0.113.7","status":200}"#,
        r#"{"event":"message.sent","to":"+60123456789","text":"order 774411 is here","status":"sent"}"#,
    ],
};

/// The shipped file in fast time, and every group shown.
fn fast(kinds: &Kinds) -> String {
    let path = format!("{}/rules/policies/{}.toml", env!("CARGO_MANIFEST_DIR"), kinds.policy);
    let mut text = std::fs::read_to_string(path).unwrap();
    for (long, short) in kinds.windows {
        assert_eq!(text.matches(long).count(), 1, "{}: {long}", kinds.policy);
        text = text.replace(long, short);
    }
    text = text.replace("margin  = \"auto\"", &format!("margin  = \"{}s\"", MARGIN / SECOND));
    text.replace("margin = \"auto\"", &format!("margin = \"{}s\"", MARGIN / SECOND))
        .replace("[[count]]", "[[count]]\nmin   = 1")
}

/// A batch of records of the last seconds.
fn put(site: &mut Site, kinds: &Kinds, seed: usize) -> BTreeMap<String, usize> {
    let mut input = String::new();
    let mut accounts = BTreeMap::new();
    let now = now_ms();
    for number in 0..RECORDS / BATCHES {
        let event = now - ((number * 7919 + seed) % 3000) as i64;
        let at = jiff::Timestamp::from_millisecond(event).unwrap().to_string();
        let account = format!("acct-{}", number % 3);
        let line = kinds.lines[number % kinds.lines.len()].replace("TS", &at);
        let line = line.replace("acct-A", &account).replace("line-A", &format!("line-{}", number % 2));
        if line.contains("account_id") {
            *accounts.entry(account).or_default() += 1;
        }
        let _ = writeln!(
            input,
            "{}",
            serde_json::json!({ "value": line, "partition": number % 4, "timestamp": event })
        );
    }
    site.put(&input);
    accounts
}

/// What can be read of originals now, and whether it may be.
fn look(store: &Kafka, site: &Site, kinds: &Kinds) -> usize {
    let mut seen = 0;
    let topics = store.topics().unwrap();
    let held = format!("{}.held.", site.source);
    for topic in topics
        .iter()
        .map(|topic| topic.name.clone())
        .filter(|name| name.starts_with(&held) || **name == *site.source)
    {
        let starts: Vec<_> =
            store.bounds(&topic).unwrap().iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
        let asked = now_ms();
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            let bytes = fetched.record.value.unwrap_or_default();
            let mut headers = Vec::new();
            let (value, headers) = match envelope::decode(bytes, &mut headers) {
                Ok(held) => (held.value.unwrap_or_default(), headers.as_slice()),
                Err(_) => (bytes, fetched.record.headers),
            };
            let Some((_, Some(rid))) = headers.iter().find(|(name, _)| *name == b"rid") else {
                return Flow::Next;
            };
            let rid = std::str::from_utf8(rid).unwrap();
            let age = asked - site.sent[rid];
            seen += 1;
            assert!(age <= kinds.last, "{topic}: {rid} is readable {} ms past its window", age - kinds.last);
            let has_secret = memchr::memmem::find(value, SECRET.as_bytes()).is_some();
            assert!(
                !has_secret || age <= kinds.secret,
                "{topic}: {rid} has its content {} ms too long",
                age - kinds.secret
            );
            Flow::Next
        };
        store.scan_each(&topic, &starts, visit).unwrap();
    }
    seen
}

fn keeps(kinds: &Kinds) {
    let mut site = Site::new(&format!("keeps-{}", kinds.policy), "60s", r#"["10s", "3s"]"#);
    site.file("policy.toml", &fast(kinds));
    site.put("");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    let store = Kafka::open(crate::options()).unwrap();
    until("it runs", PATIENCE, || owned(&service) >= 16);
    let mut accounts: BTreeMap<String, usize> = BTreeMap::new();
    for batch in 0..BATCHES {
        for (account, count) in put(&mut site, kinds, batch) {
            *accounts.entry(account).or_default() += count;
        }
        std::thread::sleep(Duration::from_secs(3));
    }
    assert_eq!(site.sent.len(), RECORDS);
    let begun = Instant::now();
    let (mut looks, mut seen) = (0, 1);
    while seen > 0 {
        assert!(begun.elapsed() < PATIENCE * 2, "{seen} are still held; {}", service.tail());
        std::thread::sleep(Duration::from_secs(4));
        seen = look(&store, &site, kinds);
        looks += 1;
    }
    assert!(looks > 5, "only {looks} looks");
    until("all are released", PATIENCE, || site.ids("deidentified").len() == RECORDS);
    assert_eq!(site.verdict(), Ok(()));
    for topic in ["deidentified", "scrubbed"] {
        for record in site.seen(topic) {
            let early = site.sent[&record.rid] + kinds.last - MARGIN - record.timestamp_ms;
            assert!(topic == "scrubbed" || early <= 0, "{} left {early} ms early", record.rid);
            for person in [SECRET, "4155550132", "7700900123", "123456789", "jane@", "203.0.113"] {
                assert!(!record.text.contains(person), "{topic} has {person}");
            }
        }
    }
    service.stop();
    counted(&site, kinds, &accounts);
}

/// The counts are those of a recount.
fn counted(site: &Site, kinds: &Kinds, accounts: &BTreeMap<String, usize>) {
    if kinds.policy == "mesej" {
        return assert_eq!(site.does(&["counts"]), "nothing was counted\n");
    }
    let rows: Vec<serde_json::Value> = serde_json::from_str(&site.does(&["counts", "--json"])).unwrap();
    let records = |row: &serde_json::Value| row["records"].as_u64().unwrap() as usize;
    assert_eq!(rows.iter().map(records).sum::<usize>(), RECORDS, "each record is counted once");
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for row in &rows {
        if let Some(account) = row["by"]["account_id"].as_str() {
            *told.entry(account.to_owned()).or_default() += records(row);
        }
    }
    assert_eq!(told, *accounts, "{}", kinds.policy);
}

#[test]
fn mossmoon_in_fast_time() {
    keeps(&MOSSMOON);
}

#[test]
fn massivesms_in_fast_time() {
    keeps(&MASSIVESMS);
}

#[test]
fn messageapi_in_fast_time() {
    keeps(&MESSAGEAPI);
}

#[test]
fn wasms_in_fast_time() {
    keeps(&WASMS);
}

#[test]
fn mesej_in_fast_time() {
    keeps(&MESEJ);
}

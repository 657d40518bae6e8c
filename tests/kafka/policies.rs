//! The five policies in fast time: the shipped file with seconds in the place of its days, twenty thousand records of
//! mixed kinds each. At every look nothing is readable past its window, nothing left early, the counts are a
//! recount's; also where the service is killed while it releases, counts, and keys are rotated.

use crate::process::{PATIENCE, Service, until};
use crate::site::{Site, now_ms, owned};
use logscrub::diagnostic::Source;
use logscrub::policy::{self, Policy};
use logscrub::stage::count::{amount, decimal};
use logscrub::stage::envelope;
use logscrub::stage::store::{Fetched, Flow, Store};
use logscrub::store::kafka::Kafka;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const RECORDS: usize = 20_000;
const BATCHES: usize = 5;
const SECOND: i64 = 1000;
/// What a code or a text is known by.
const SECRET: &str = "774411";
/// What points to people in the lines below.
const PEOPLE: [&str; 7] = [SECRET, "4155550132", "7700900123", "123456789", "jane@", "Jane", "203.0.113"];

struct Kinds {
    policy: &'static str,
    /// Lines of `[[stage]]` and what they are here: not to scale, in the same order.
    windows: &'static [(&'static str, &'static str)],
    last: i64,
    /// The age at which codes and texts must be gone.
    secret: i64,
    /// How much earlier than its window a record may leave.
    margin: i64,
    /// An account with a window of its own.
    account: Option<(&'static str, i64)>,
    lines: &'static [&'static str],
}

const MOSSMOON: Kinds = Kinds {
    policy: "mossmoon",
    windows: &[("after = \"30d\"", "after = \"30s\""), ("after = \"90d\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 30 * SECOND,
    margin: 14 * SECOND,
    account: None,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","otp":"774411","status":"received","segments":1,"price":"0.0065"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","line_id":"line-A","wa_id":"14155550132","text":"see you at 774411","status":"read"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","line_id":"line-A","event":"wa.message","pushName":"Jane Doe","text":"it is 774411, thanks","status":"delivered","segments":1,"price":"0.0005"}"#,
        r#"{"timestamp":"TS","ip":"203.0.113.7","path":"/v1/orders/4711","status":200,"duration_ms":12}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","line_id":"line-A","event":"line.provisioned"}"#,
        "timestamp=TS level=error msg=\"webhook failed\" to=+447700900123 status=502 took_ms=212",
    ],
};
const MASSIVESMS: Kinds = Kinds {
    policy: "massivesms",
    windows: &[("after = \"90d\"", "after = \"60s\""), ("after = \"24mo\"", "after = \"90s\"")],
    last: 90 * SECOND,
    secret: 60 * SECOND,
    margin: 14 * SECOND,
    account: None,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message_text":"sale 774411 ends","status":"delivered","segments":2,"price":"0.0130"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","status":"failed","segments":1}"#,
        r#"{"timestamp":"TS","event":"login","email":"jane@example.com","ip":"203.0.113.7"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","event":"campaign.created","name":"Jane Doe","status":"queued"}"#,
        "timestamp=TS level=info msg=\"queue drained\" status=idle duration_ms=12",
    ],
};
const MESSAGEAPI: Kinds = Kinds {
    policy: "messageapi",
    windows: &[("after = \"unset\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    margin: 14 * SECOND,
    account: None,
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","text":"see you at 774411","status":"delivered"}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","check":"session","status":"open","duration_ms":12}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","event":"login","email":"jane@example.com","ip":"203.0.113.7","status":202}"#,
        "timestamp=TS level=info msg=\"health check\" check=session status=open",
    ],
};
const WASMS: Kinds = Kinds {
    policy: "wasms",
    windows: &[("default = \"90d\"", "default = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    margin: 14 * SECOND,
    account: Some(("acct-1", 40 * SECOND)),
    lines: &[
        r#"{"timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message":"parcel 774411 is here","status":"read","country":"US","segments":1}"#,
        r#"{"timestamp":"TS","account_id":"acct-A","event":"login","ip":"203.0.113.7","status":200}"#,
        r#"{"timestamp":"TS","event":"contact.added","name":"Jane Doe","phone":"+14155550132"}"#,
        "timestamp=TS level=info msg=\"report sent\" country=GB status=sent",
    ],
};
const MESEJ: Kinds = Kinds {
    policy: "mesej",
    windows: &[("after = \"unset\"", "after = \"60s\"")],
    last: 60 * SECOND,
    secret: 60 * SECOND,
    margin: 14 * SECOND,
    account: None,
    lines: &[
        r#"{"event":"login","user_email":"jane@example.com","ip":"203.0.113.7","status":200}"#,
        r#"{"event":"message.sent","to":"+60123456789","text":"order 774411 is here","status":"sent"}"#,
        r#"{"event":"template.approved","status":"approved","duration_ms":12}"#,
    ],
};
/// Windows that leave a killed service the time to come back.
const KILLED: Kinds = Kinds {
    windows: &[("after = \"30d\"", "after = \"140s\""), ("after = \"90d\"", "after = \"200s\"")],
    last: 200 * SECOND,
    secret: 140 * SECOND,
    margin: 69 * SECOND,
    ..MOSSMOON
};

/// The shipped file in fast time, and every group shown.
fn fast(kinds: &Kinds) -> String {
    let path = format!("{}/rules/policies/{}.toml", env!("CARGO_MANIFEST_DIR"), kinds.policy);
    let mut text = std::fs::read_to_string(path).unwrap();
    for (long, short) in kinds.windows {
        assert_eq!(text.matches(long).count(), 1, "{}: {long}", kinds.policy);
        text = text.replace(long, short);
    }
    let margin = format!("margin = \"{}s\"", kinds.margin / SECOND);
    text = text.replace("margin  = \"auto\"", &margin).replace("margin = \"auto\"", &margin);
    text.replace("[[count]]", "[[count]]\nmin   = 1")
}

/// A record as it was put, for the recount.
struct Put {
    line: String,
    event: i64,
}

/// Members of JSON, or of `name=value` text.
fn field(line: &str, name: &str) -> Option<String> {
    match serde_json::from_str::<Value>(line) {
        Ok(record) => match &record[name] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        Err(_) => {
            let mut pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
            pairs.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
        }
    }
}

/// A service under a policy, and what the test knows of its records.
struct Run<'k> {
    kinds: &'k Kinds,
    policy: Policy,
    site: Site,
    store: Kafka,
    service: Service,
    sent: BTreeMap<String, Put>,
    /// How often each record stood in scrubbed, read as it came.
    scrubbed: BTreeMap<String, usize>,
    next: BTreeMap<i32, i64>,
}

impl<'k> Run<'k> {
    fn start(name: &str, kinds: &'k Kinds) -> Self {
        let mut site = Site::new(name, "60s", r#"["10s", "3s"]"#);
        let text = fast(kinds);
        site.file("policy.toml", &text);
        let config = site.read("logscrub.toml");
        site.file("logscrub.toml", &format!("{config}keys = \"keys\"\n"));
        if let Some((account, window)) = kinds.account {
            let config = site.read("logscrub.toml");
            site.file("logscrub.toml", &format!("{config}accounts = \"accounts.toml\"\n"));
            site.file("accounts.toml", &format!("\"{account}\" = \"{}s\"\n", window / SECOND));
        }
        let source = Source { name: "policy.toml".into(), text };
        let policy = policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy;
        site.put("");
        site.does(&["keys", "init"]);
        site.does(&["topics", "apply"]);
        let service = site.start(&[]);
        let store = Kafka::open(crate::options()).unwrap();
        let (sent, scrubbed, next) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let run = Run { kinds, policy, site, store, service, sent, scrubbed, next };
        run.serves();
        run
    }

    fn serves(&self) {
        until("it runs", PATIENCE, || owned(&self.service) >= 16);
    }

    /// SIGKILL, and another start.
    fn kill(&mut self, environment: &[(&str, &str)]) {
        self.service.kill();
        self.service = self.site.start(environment);
    }

    /// A batch of records of the last seconds.
    fn put(&mut self, count: usize, seed: usize) {
        let mut input = String::new();
        let now = now_ms();
        for number in 0..count {
            let event = now - ((number * 7919 + seed) % 3000) as i64;
            let at = jiff::Timestamp::from_millisecond(event).unwrap().to_string();
            let line = self.kinds.lines[number % self.kinds.lines.len()].replace("TS", &at);
            let line = line.replace("acct-A", &format!("acct-{}", number % 3));
            let line = line.replace("line-A", &format!("line-{}", number % 2));
            let record = serde_json::json!({ "value": line, "partition": number % 4, "timestamp": event });
            let _ = writeln!(input, "{record}");
            let rid = format!("rid-{:06}", self.sent.len());
            self.sent.insert(rid, Put { line, event });
        }
        self.site.put(&input);
        assert_eq!(self.site.sent.len(), self.sent.len());
    }

    /// The last window of a record.
    fn window(&self, put: &Put) -> i64 {
        let own = self
            .kinds
            .account
            .filter(|(account, _)| field(&put.line, "account_id").as_deref() == Some(account));
        own.map_or(self.kinds.last, |(_, window)| window)
    }

    /// What can be read of originals now, and whether it may be.
    fn look(&mut self) -> usize {
        let held = format!("{}.held.", self.site.source);
        let topics = self.store.topics().unwrap().into_iter().map(|topic| topic.name);
        let mut seen = 0;
        for topic in topics.filter(|name| name.starts_with(&held) || **name == *self.site.source) {
            let starts = self.starts(&topic);
            let asked = now_ms();
            let visit = &mut |fetched: &Fetched<'_>| {
                let bytes = fetched.record.value.unwrap_or_default();
                let mut headers = Vec::new();
                let (value, headers) = match envelope::decode(bytes, &mut headers) {
                    Ok(held) => (held.value.unwrap_or_default(), headers.as_slice()),
                    Err(_) => (bytes, fetched.record.headers),
                };
                if let Some(rid) = rid(headers) {
                    seen += 1;
                    self.allows(&topic, rid, value, asked);
                }
                Flow::Next
            };
            self.store.scan_each(&topic, &starts, visit).unwrap();
        }
        self.look_at_scrubbed();
        seen
    }

    fn starts(&self, topic: &str) -> Vec<(i32, i64)> {
        let bounds = self.store.bounds(topic).unwrap();
        bounds.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect()
    }

    /// Whether a record may still be readable, as it is.
    fn allows(&self, topic: &str, rid: &str, value: &[u8], asked: i64) {
        let put = &self.sent[rid];
        let (age, window) = (asked - put.event, self.window(put));
        assert!(age <= window, "{topic}: {rid} is readable {} ms past its window", age - window);
        let has_secret = memchr::memmem::find(value, SECRET.as_bytes()).is_some();
        let late = age - self.kinds.secret;
        assert!(!has_secret || late <= 0, "{topic}: {rid} has its content {late} ms too long");
    }

    /// What stands in scrubbed is of nobody, once each, and not there for longer than the original.
    fn look_at_scrubbed(&mut self) {
        let topic = format!("{}.scrubbed", self.site.source);
        let starts = self.starts(&topic);
        let asked = now_ms();
        let (mut found, mut next) = (Vec::new(), self.next.clone());
        let visit = &mut |fetched: &Fetched<'_>| {
            let rid = rid(fetched.record.headers).unwrap();
            let age = asked - self.sent[rid].event;
            let late = age - self.kinds.last;
            assert!(late <= 0, "{topic}: {rid} is readable {late} ms past its window");
            let read = next.entry(fetched.place.partition).or_insert(0);
            if fetched.offset >= *read {
                *read = fetched.offset + 1;
                let text = String::from_utf8_lossy(fetched.record.value.unwrap_or_default());
                assert!(!PEOPLE.iter().any(|person| text.contains(person)), "scrubbed: {text}");
                found.push(rid.to_owned());
            }
            Flow::Next
        };
        self.store.scan_each(&topic, &starts, visit).unwrap();
        self.next = next;
        for rid in found {
            *self.scrubbed.entry(rid).or_default() += 1;
        }
    }

    /// Everything left once, in its time, and was counted once.
    fn verdict(&mut self) {
        let sent = self.sent.len();
        until("all are released", PATIENCE, || self.site.ids("deidentified").len() >= sent);
        assert_eq!(self.site.verdict(), Ok(()));
        assert!(self.scrubbed.values().all(|count| *count == 1), "scrubbed twice");
        assert!(self.scrubbed.len() * 2 > sent, "{} were read in scrubbed", self.scrubbed.len());
        for record in self.site.seen("deidentified") {
            let put = &self.sent[&record.rid];
            let early = put.event + self.window(put) - self.kinds.margin - record.timestamp_ms;
            assert!(early <= 0, "{} left {early} ms early", record.rid);
            let text = &record.text;
            assert!(!PEOPLE.iter().any(|person| text.contains(person)) && !text.contains("[ID:"), "{text}");
        }
        let scrubbed =
            || self.store.purge_states("nobody", &format!("{}.scrubbed", self.site.source)).unwrap();
        until("scrubbed is empty, too", PATIENCE, || scrubbed().iter().all(|state| !state.data_waits));
        self.service.stop();
        self.counted();
    }

    /// The counts are those of a recount.
    fn counted(&self) {
        type Groups =
            BTreeMap<(String, String, BTreeMap<String, Option<String>>), (u64, BTreeMap<String, String>)>;
        let told = self.site.does(&["counts", "--json"]);
        let rows: Vec<Value> =
            if told == "nothing was counted\n" { vec![] } else { serde_json::from_str(&told).unwrap() };
        let row = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let by = serde_json::from_value(row["by"].clone()).unwrap();
            let sums = serde_json::from_value(row["sum"].clone()).unwrap();
            ((text("count"), text("from"), by), (row["records"].as_u64().unwrap(), sums))
        };
        let told: Groups = rows.iter().map(row).collect();
        let mut recount: BTreeMap<_, (u64, BTreeMap<String, i128>)> = BTreeMap::new();
        for Put { line, event } in self.sent.values() {
            for count in &self.policy.counts {
                let from = jiff::Timestamp::from_millisecond(*event).unwrap().to_string()[..10].to_owned();
                let by: BTreeMap<_, _> =
                    count.by.iter().map(|name| (name.clone(), field(line, name))).collect();
                let group = recount.entry((count.id.clone(), from, by)).or_default();
                group.0 += 1;
                for name in &count.sum {
                    let sum = field(line, name).and_then(|sum| amount(sum.as_bytes())).unwrap_or(0);
                    *group.1.entry(name.clone()).or_default() += sum;
                }
            }
        }
        let write =
            |sums: BTreeMap<String, i128>| sums.into_iter().map(|(name, sum)| (name, decimal(sum))).collect();
        let recount: Groups =
            recount.into_iter().map(|(group, (records, sums))| (group, (records, write(sums)))).collect();
        assert_eq!(told, recount, "{}", self.kinds.policy);
        assert_eq!(recount.is_empty(), self.kinds.policy == "mesej", "its document speaks of no totals");
    }
}

/// The header by which the tests know a record again.
fn rid<'a>(headers: &[(&'a [u8], Option<&'a [u8]>)]) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(name, _)| *name == b"rid")?;
    std::str::from_utf8((*value)?).ok()
}

fn keeps(kinds: &Kinds) {
    let mut run = Run::start(&format!("keeps-{}", kinds.policy), kinds);
    for batch in 0..BATCHES {
        run.put(RECORDS / BATCHES, batch);
        std::thread::sleep(Duration::from_secs(3));
    }
    assert_eq!(run.sent.len(), RECORDS);
    let begun = Instant::now();
    let (mut looks, mut seen) = (0, 1);
    while seen > 0 {
        assert!(begun.elapsed() < PATIENCE * 2, "{seen} are still held; {}", run.service.tail());
        std::thread::sleep(Duration::from_secs(4));
        seen = run.look();
        looks += 1;
    }
    assert!(looks > 5, "only {looks} looks");
    run.verdict();
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

/// SIGKILL while it scrubs, while keys are rotated, while it releases and counts.
#[test]
fn killed_while_it_releases_counts_and_keys_are_rotated() {
    let mut run = Run::start("keeps-killed", &KILLED);
    run.put(1000, 0);
    run.kill(&[]);
    for round in 1..=8u64 {
        let mut rotation = run.site.command(&["keys", "rotate"]).spawn().unwrap();
        run.put(250, round as usize);
        std::thread::sleep(Duration::from_millis(3 * round));
        let _ = rotation.kill();
        let _ = rotation.wait();
        if round % 4 == 0 {
            run.kill(&[]);
        }
        run.look();
        // So that they do not all leave at once.
        std::thread::sleep(Duration::from_secs(2));
    }
    assert!(run.site.does(&["keys", "list"]).contains("writes"));
    run.serves();
    run.site.does(&["keys", "rotate"]);
    let begun = Instant::now();
    let (mut released, mut kills) = (0, 0);
    while run.look() > 0 {
        assert!(begun.elapsed() < PATIENCE * 2, "some are still held; {}", run.service.tail());
        let now = run.site.ids("deidentified").len();
        // By itself in the middle of a transaction that releases and counts, then from outside.
        let points = ["after_flush:4", "after_send_offsets:3", "before_commit:5"];
        if now > released && kills < 2 * points.len() {
            let point = [("LOGSCRUB_CRASH_AT", points[kills / 2])];
            run.kill(if kills % 2 == 0 { &point } else { &[] });
            kills += 1;
        } else if run.service.has_ended().is_some() {
            run.kill(&[]);
        }
        released = now;
        std::thread::sleep(Duration::from_secs(1));
    }
    // Whatever it was told to fall at: it is not to fall while it drains.
    run.kill(&[]);
    run.serves();
    assert!(kills > 2, "{kills} kills between the first release and the last");
    run.verdict();
}

//! The main job on the embedded store with the real program: made-up logs of 200 days with their
//! truth, scrubbed now, de-identified after their window, the originals gone from the disk.

mod site;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logscrub::sample::pack::PackName;
use logscrub::sample::score::{Output, Score};
use logscrub::sample::{Plan, Sample, Sampler};
use logscrub::stage::envelope;
use logscrub::stage::outcome::{Outcome, Tally};
use memchr::memmem;
use serde_json::{Value, json};
use site::{Row, STORE, Site, hits, lines, now_ms, process, search};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const DAY_MS: i64 = 86_400_000;
const WINDOW_MS: i64 = 90 * DAY_MS;
const PARTITIONS: u32 = 4;
const RECORDS: u64 = 50_000;
const SEED: u64 = 77;

fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap().to_string()
}

/// The same records as `gen` makes of these times, one by one.
struct Source {
    sampler: Sampler,
    sample: Sample,
}

impl Source {
    fn new(from_ms: i64, to_ms: i64) -> Self {
        let plan = Plan {
            pack: PackName::Dense,
            seed: SEED,
            from_ms,
            to_ms,
            partitions: PARTITIONS,
            single_line: false,
        };
        Source { sampler: Sampler::new(plan).unwrap(), sample: Sample::default() }
    }

    fn make(&mut self, number: u64) -> &mut Sample {
        self.sampler.make(number, &mut self.sample).unwrap();
        &mut self.sample
    }
}

/// Which records went to scrubbed and which were overdue, by number.
struct Split {
    /// By partition, in order.
    young: BTreeMap<u32, Vec<u64>>,
    overdue: Vec<u64>,
}

/// Splits the records by their age when they were read, which was while the program ran; a record
/// whose window ended in that time may be either, and the scrubbed topic tells.
fn split(source: &mut Source, ran: (i64, i64), scrubbed: &BTreeMap<u32, Vec<&Row>>) -> Split {
    let mut split = Split { young: BTreeMap::new(), overdue: Vec::new() };
    for number in 0..RECORDS {
        let sample = source.make(number);
        let due_ms = sample.timestamp_ms + WINDOW_MS;
        let young = split.young.entry(sample.partition).or_default();
        let is_next = || {
            let next = scrubbed.get(&sample.partition).and_then(|rows| rows.get(young.len()));
            next.is_some_and(|row| row.event_ms() == sample.timestamp_ms)
        };
        if due_ms > ran.1 || (due_ms > ran.0 && is_next()) {
            young.push(number);
        } else {
            split.overdue.push(number);
        }
    }
    split
}

/// What `pipe` makes of the overdue at the last stage: partition, key and value, how often.
fn expected(site: &Site, source: &mut Source, overdue: &[u64]) -> BTreeMap<Released, usize> {
    let mut input = Vec::new();
    for number in overdue {
        let sample = source.make(*number);
        let mut record = json!({ "partition": sample.partition, "timestamp": sample.timestamp_ms });
        record["value_b64"] = STANDARD.encode(&sample.value).into();
        if let Some(key) = &sample.key {
            record["key"] = key.as_str().into();
        }
        serde_json::to_writer(&mut input, &record).unwrap();
        input.push(b'\n');
    }
    let printed = site.output(&["pipe", "--records", "--stage", "deidentify"], &input);
    let mut expected = BTreeMap::new();
    for line in lines(&printed) {
        *expected.entry(released(Row::read(line))).or_default() += 1;
    }
    expected
}

type Released = (i64, Option<Vec<u8>>, Vec<u8>);

fn released(row: Row) -> Released {
    (row.partition, row.key, row.value)
}

/// Values that must go and stand in the record as they are: long enough to be its alone.
fn marks(sample: &Sample) -> impl Iterator<Item = Vec<u8>> + '_ {
    let goes = sample.truth.must_go.iter().map(|go| go.value.as_bytes());
    goes.filter(|value| value.len() >= 12 && memmem::find(&sample.value, value).is_some()).map(<[u8]>::to_vec)
}

/// Marks of the overdue records that stand neither in a young record nor in what was released, and
/// marks of the young ones.
fn needles(
    source: &mut Source,
    split: &Split,
    outputs: &BTreeMap<Released, usize>,
) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut gone = BTreeSet::new();
    for number in &split.overdue {
        gone.extend(marks(source.make(*number)));
    }
    let gone: Vec<Vec<u8>> = gone.into_iter().collect();
    let search = search(&gone);
    let mut elsewhere = BTreeSet::new();
    let mut held = BTreeSet::new();
    for number in split.young.values().flatten() {
        let sample = source.make(*number);
        elsewhere.extend(hits(&search, &sample.value));
        elsewhere.extend(hits(&search, sample.key.as_deref().unwrap_or_default().as_bytes()));
        for (_, value) in &sample.headers {
            elsewhere.extend(hits(&search, value.as_bytes()));
        }
        held.extend(marks(sample));
    }
    for (_, _, value) in outputs.keys() {
        elsewhere.extend(hits(&search, value));
    }
    let alone = |(place, mark)| (!elsewhere.contains(&place)).then_some(mark);
    (gone.into_iter().enumerate().filter_map(alone).collect(), held.into_iter().collect())
}

/// Outcomes by worker and stage, over all partitions and topics.
fn counts(site: &Site) -> BTreeMap<String, Tally> {
    let mut totals: BTreeMap<String, Tally> = BTreeMap::new();
    for row in site.cat("logs.counts") {
        let key = String::from_utf8(row.key.unwrap()).unwrap();
        if !key.starts_with("outcomes/") {
            continue;
        }
        let name = key.split('/').skip(1).take(2).collect::<Vec<_>>().join("/");
        totals.entry(name).or_default().merge(&Tally::from_json(&row.value).unwrap());
    }
    totals
}

fn by_partition(rows: &[Row]) -> BTreeMap<u32, Vec<&Row>> {
    let mut partitions: BTreeMap<u32, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        partitions.entry(u32::try_from(row.partition).unwrap()).or_default().push(row);
    }
    partitions
}

/// Scrubbed: every young record once, in the order of its partition, and clean.
fn check_scrubbed(source: &mut Source, split: &Split, scrubbed: &BTreeMap<u32, Vec<&Row>>) {
    let mut score = Score::default();
    for (partition, numbers) in &split.young {
        let rows = scrubbed.get(partition).map_or(&[][..], Vec::as_slice);
        assert_eq!(rows.len(), numbers.len(), "records in scrubbed, partition {partition}");
        for (place, (row, number)) in rows.iter().zip(numbers).enumerate() {
            let sample = source.make(*number);
            assert_eq!(row.event_ms(), sample.timestamp_ms, "scrubbed {partition}@{place} is another record");
            sample.count();
            let headers: Vec<Vec<u8>> =
                row.headers.iter().map(|(_, value)| value.clone().into_bytes()).collect();
            let output = Output { value: &row.value, key: row.key.as_deref(), headers: &headers };
            score.add(&sample.truth, &sample.value, &output);
        }
    }
    for (class, floor) in FLOORS {
        let tally = score.go.get(class).copied().unwrap_or_default();
        assert!(tally.all > 100, "too few of {class}\n{}", score.report());
        assert!(tally.right_percent() >= floor, "{class} below {floor} %\n{}", score.report());
    }
    assert!(score.all_stay().right_percent() >= 99.5, "too much is lost\n{}", score.report());
    assert_eq!(score.json.wrong, 0, "JSON was broken\n{}", score.report());
}

/// Per cent of what must go and is gone; `tests/accuracy.rs` and `gen --score` have the tables.
const FLOORS: [(&str, f64); 11] = [
    ("body", 99.0),
    ("card", 99.5),
    ("code", 98.5),
    ("credential", 99.5),
    ("device", 91.0),
    ("email", 99.8),
    ("imei", 99.5),
    ("ip", 98.8),
    ("name", 99.5),
    ("phone", 98.5),
    ("subject_id", 99.5),
];

/// Held: every young record's original once, byte for byte.
fn check_held(site: &Site, source: &mut Source, split: &Split) {
    let mut originals: BTreeMap<(i64, i64, Vec<u8>), i64> = BTreeMap::new();
    for lane in ["90d", "30d", "7d", "1d", "4h", "1h"] {
        for row in site.cat(&format!("logs.held.{lane}")) {
            let mut headers = Vec::new();
            let held = envelope::decode(&row.value, &mut headers).unwrap();
            let key = (row.partition, held.cover.times.record_ms, held.value.unwrap().to_vec());
            *originals.entry(key).or_default() += 1;
        }
    }
    for number in split.young.values().flatten() {
        let sample = source.make(*number);
        let key = (i64::from(sample.partition), sample.timestamp_ms, sample.value.clone());
        *originals.entry(key).or_default() -= 1;
    }
    let wrong = originals.values().filter(|count| **count != 0).count();
    assert_eq!(wrong, 0, "held records lost, doubled or changed");
}

#[test]
fn fifty_thousand_records_of_200_days() {
    let site = Site::new();
    let now = now_ms();
    let (from, to) = (now - 200 * DAY_MS, now);
    let (lines, seed) = (RECORDS.to_string(), SEED.to_string());
    let args = ["--pack", "dense", "--partitions", "4", "--topic", "logs", "--embedded", STORE];
    let times = ["gen", "--lines", &lines, "--seed", &seed, "--from", &written(from), "--to", &written(to)];
    site.output(&[&times[..], &args].concat(), b"");
    let source = &mut Source::new(from, to);

    let began = now_ms();
    site.told(&["run", "--embedded", STORE, "--once"]);
    let ran = (began, now_ms());

    let rows = site.cat("logs.scrubbed");
    let scrubbed = by_partition(&rows);
    let split = split(source, ran, &scrubbed);
    let young: usize = split.young.values().map(Vec::len).sum();
    assert_eq!(young + split.overdue.len(), usize::try_from(RECORDS).unwrap());
    check_scrubbed(source, &split, &scrubbed);

    let expected = expected(&site, source, &split.overdue);
    let mut deidentified = BTreeMap::new();
    for row in site.cat("logs.deidentified") {
        assert_eq!(row.header("logscrub"), Some("v1 default deidentify"));
        assert!((ran.0..=ran.1).contains(&row.timestamp_ms), "stamped when it was appended");
        *deidentified.entry(released(row)).or_default() += 1;
    }
    assert!(deidentified == expected, "de-identified are not exactly the overdue, as `pipe` makes them");

    let counts = counts(&site);
    let of = |name: &str| counts.get(name).copied().unwrap_or_default();
    assert_eq!(of("scrub/scrub").of(Outcome::Emitted), young as u64);
    assert_eq!(of("scrub/deidentify").of(Outcome::Emitted), split.overdue.len() as u64);
    assert_eq!(counts.values().map(Tally::total).sum::<u64>(), RECORDS, "one outcome each: {counts:?}");

    check_held(&site, source, &split);
    assert!(site.cat("logs").is_empty(), "the source is purged behind scrub");
    let (gone, held) = needles(source, &split, &expected);
    assert!(gone.len() > 10_000, "too little to look for: {}", gone.len());
    assert_eq!(site.found(&gone).len(), 0, "of {} values of released originals", gone.len());
    // One that crosses a page of the file is not found in one piece.
    let found = site.found(&held).len();
    assert!(found * 100 > held.len() * 90, "the search finds {found} of {} that are held", held.len());
}

/// The id that our records carry in a header of their own, which every stage lets pass.
const RULES: &str = r#"
[[rule]]
id = "journey.rid"
class = "safe"
fields = ["rid"]
"#;

const CONFIG: &str = r#"
[embedded]
path = "store"
[[pipeline]]
source = "logs"
policy = "./policy.toml"
rules = "rules"
headers = ["rid"]
"#;

fn field_policy(window: &str) -> String {
    format!(
        "id = \"journey\"\nclock = {{ field = \"event_time\", else = \"record\" }}\nmargin = \"0s\"\n\
         [[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\nid = \"deidentify\"\nafter = \"{window}\"\n"
    )
}

/// One record of the tests by id.
struct Sent {
    partition: u64,
    event_ms: i64,
    /// Key and value.
    bytes: Vec<u8>,
    /// Values of the original that must go.
    marks: Vec<Vec<u8>>,
}

/// Made-up records of the time from `oldest` to now, with an id each: every second JSON record has its
/// event time in a field and some later time of its own, the others have it as the record's time.
fn put_with_ids(site: &Site, count: usize, oldest: &str) -> Vec<Sent> {
    let lines_asked = count.to_string();
    let args =
        ["gen", "--records", "--pack", "dense", "--lines", &lines_asked, "--from", oldest, "--to", "now"];
    let printed = site.output(&[&args[..], &["--truth", "truth.ndjson"]].concat(), b"");
    let truth = std::fs::read(site.dir.path().join("truth.ndjson")).unwrap();
    let (mut input, mut sent, mut fields) = (Vec::new(), Vec::new(), 0);
    for (line, truth) in lines(&printed).zip(lines(&truth)) {
        let mut record: Value = serde_json::from_slice(line).unwrap();
        let truth: Value = serde_json::from_slice(truth).unwrap();
        let event_ms = record["timestamp"].as_i64().unwrap();
        let rid = format!("rid-{:06}-x", sent.len());
        record["headers"] = json!([["rid", rid], ["x-forwarded-for", "192.0.2.7"]]);
        let object = record["value"].as_str().and_then(|value| value.strip_prefix('{'));
        if let (0, Some(members)) = (sent.len() % 2, object) {
            record["value"] = format!("{{\"event_time\":\"{}\",{members}", written(event_ms)).into();
            record["timestamp"] = now_ms().into();
            fields += 1;
        }
        let mut bytes = record["key"].as_str().unwrap_or_default().as_bytes().to_vec();
        bytes.push(b'\n');
        match record["value"].as_str() {
            Some(value) => bytes.extend_from_slice(value.as_bytes()),
            None => bytes.extend(STANDARD.decode(record["value_b64"].as_str().unwrap()).unwrap()),
        }
        let goes = truth["must_go"].as_array().unwrap().iter().filter_map(|go| go["value"].as_str());
        let marks = goes.filter(|mark| mark.len() >= 12 && memmem::find(&bytes, mark.as_bytes()).is_some());
        sent.push(Sent {
            partition: record["partition"].as_u64().unwrap(),
            event_ms,
            marks: marks.map(|mark| mark.as_bytes().to_vec()).collect(),
            bytes,
        });
        serde_json::to_writer(&mut input, &record).unwrap();
        input.push(b'\n');
    }
    assert!(fields * 5 > count, "{fields} of {count} have their time in a field");
    site.output(&["put", "logs", "--records", "--partitions", "4", "--embedded", STORE], &input);
    sent
}

/// Number of the record, by its header.
fn rid(row: &Row) -> usize {
    assert!(row.header("x-forwarded-for").is_none(), "a header that is not allowed passed");
    let rid = row.header("rid").unwrap_or_else(|| panic!("no id at {}@{}", row.partition, row.offset));
    rid[4..10].parse().unwrap()
}

/// The scrubbed records' numbers: each once, every partition in the order of its source.
fn scrubbed_numbers(site: &Site, sent: &[Sent]) -> BTreeSet<usize> {
    let mut numbers = BTreeSet::new();
    let mut last: BTreeMap<u64, usize> = BTreeMap::new();
    for row in site.cat("logs.scrubbed") {
        let number = rid(&row);
        assert!(numbers.insert(number), "{number} was scrubbed twice");
        assert_eq!(i64::try_from(sent[number].partition).unwrap(), row.partition, "{number}");
        assert_eq!(row.event_ms(), sent[number].event_ms, "{number}");
        let before = last.insert(sent[number].partition, number);
        assert!(before < Some(number), "{number} came after {before:?}");
    }
    numbers
}

#[test]
fn event_times_in_a_field_and_as_record_times() {
    let site = Site::new();
    site.write("rules/rid.toml", RULES);
    site.write("logscrub.toml", CONFIG);
    site.write("policy.toml", &field_policy("90d"));
    let sent = put_with_ids(&site, 6000, "-200d");
    let began = now_ms();
    site.told(&["run", "--once"]);
    let ended = now_ms();
    let scrubbed = scrubbed_numbers(&site, &sent);
    let mut deidentified = BTreeSet::new();
    for row in site.cat("logs.deidentified") {
        let number = rid(&row);
        assert!(deidentified.insert(number), "{number} was de-identified twice");
    }
    for (number, record) in sent.iter().enumerate() {
        let due_ms = record.event_ms + WINDOW_MS;
        let places = (scrubbed.contains(&number), deidentified.contains(&number));
        let overdue = if (began..=ended).contains(&due_ms) { places.1 } else { due_ms <= ended };
        assert_eq!(places, (!overdue, overdue), "{number}, due {} ms before the end", ended - due_ms);
    }
    assert!(scrubbed.len() > 2000 && deidentified.len() > 2000);
}

#[test]
fn windows_of_accounts_come_from_a_file() {
    let site = Site::new();
    site.write("rules/rid.toml", RULES);
    site.write("logscrub.toml", &CONFIG.replace("./policy.toml", "./policies/policy.toml"));
    let after = "{ default = \"90d\", by = \"account_id\", file = \"windows.toml\" }";
    site.write("policies/policy.toml", &field_policy("90d").replace("\"90d\"", after));
    site.write("policies/windows.toml", "\"acct-1\" = \"30d\"\n\"acct-2\" = \"1y\"\n");
    let mut input = String::new();
    for (number, (account, days)) in
        [("acct-1", 45), ("acct-2", 45), ("acct-3", 45), ("acct-2", 200), ("acct-3", 200)]
            .into_iter()
            .enumerate()
    {
        let value = json!({ "account_id": account }).to_string();
        let headers = json!([["rid", format!("rid-{number:06}-x")]]);
        let record = json!({ "value": value, "headers": headers, "timestamp": now_ms() - days * DAY_MS });
        input.push_str(&format!("{record}\n"));
    }
    site.output(&["put", "logs", "--records", "--embedded", STORE], input.as_bytes());
    site.told(&["run", "--once"]);
    let numbers = |topic: &str| site.cat(topic).iter().map(rid).collect::<BTreeSet<_>>();
    assert_eq!(numbers("logs.scrubbed"), [1, 2, 3].into());
    assert_eq!(numbers("logs.deidentified"), [0, 4].into());
    site.write("policies/windows.toml", "\"acct-1\" = \"soon\"\n");
    let refused = process::output(site.command(&["run", "--once"]), b"");
    assert_eq!(refused.status.code(), Some(78));
}

/// MessageAPI's and Mesej's documents name no length of time, WaSMS's lets accounts have their own.
#[test]
fn windows_that_the_operator_sets() {
    let site = Site::new();
    let config = |policy: &str, more: &str| {
        format!(
            "[embedded]\npath = \"store\"\n[[pipeline]]\nsource = \"logs\"\npolicy = \"{policy}\"\n{more}\n"
        )
    };
    let mut input = String::new();
    for (account, days) in [("acct-1", 45), ("acct-2", 45), ("acct-1", 80), ("acct-2", 80)] {
        let value = json!({ "account_id": account, "status": "sent", "retries": days }).to_string();
        input.push_str(&format!("{}\n", json!({ "value": value, "timestamp": now_ms() - days * DAY_MS })));
    }
    site.output(&["put", "logs", "--records", "--embedded", STORE], input.as_bytes());
    let refused = |policy: &str, more: &str| {
        site.write("logscrub.toml", &config(policy, more));
        let refused = process::output(site.command(&["run", "--once"]), b"");
        assert_eq!(refused.status.code(), Some(78), "{policy} {more}");
        String::from_utf8(refused.stderr).unwrap()
    };
    for (policy, stage) in [("messageapi", "message_logs"), ("mesej", "usage")] {
        let told = refused(policy, "");
        let asked = format!("`windows.{stage} = \"60d\"` under `[[pipeline]]`");
        assert!(told.contains(&asked), "{told}");
    }
    let told = refused("messageapi", "windows.logs = \"60d\"");
    assert!(told.contains("has no later stage `logs`; its later stages are `message_logs`"), "{told}");
    let told = refused("messageapi", "windows.message_logs = \"60d\"\naccounts = \"accounts.toml\"");
    assert!(told.contains("accounts.toml"), "{told}");
    let retries = |topic: &str| {
        let number = |row: &Row| serde_json::from_slice::<Value>(&row.value).unwrap()["retries"].as_u64();
        let mut all: Vec<_> = site.cat(topic).iter().map(|row| number(row).unwrap()).collect();
        all.sort_unstable();
        all
    };
    site.write("accounts.toml", "\"acct-1\" = \"30d\"\n");
    site.write(
        "logscrub.toml",
        &config("wasms", "accounts = \"accounts.toml\"\nwindows.deidentify = \"60d\""),
    );
    site.told(&["run", "--once"]);
    assert_eq!(retries("logs.scrubbed"), [45], "of the account without a window of its own");
    assert_eq!(retries("logs.deidentified"), [45, 80, 80]);
}

/// Longer than any transaction here takes, on a machine that has much else to do.
const TRANSACTION_MS: i64 = 4000;

#[test]
fn a_window_of_seconds() {
    let site = Site::new();
    site.write("rules/rid.toml", RULES);
    let seconds =
        "lanes = [\"20s\", \"5s\", \"1s\"]\nrelease_every = \"0s\"\ntick = \"1s\"\npurge_interval = \"1s\"\n";
    site.write("logscrub.toml", &format!("{CONFIG}{seconds}"));
    site.write("policy.toml", &field_policy("40s"));
    let (window_ms, shortest_lane_ms, tick_ms) = (40_000, 1000, 1000);
    let sent = put_with_ids(&site, 5000, "-200s");
    let began_ms = now_ms();
    let mut service = site.start(&["run"]);
    let begun = Instant::now();
    let mut rows = Vec::new();
    let mut looked = false;
    while rows.len() < sent.len() && begun.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(1000));
        rows = site.cat("logs.deidentified");
        if !looked && begun.elapsed() > Duration::from_secs(25) {
            looked = true;
            look_into_the_files(&site, &sent, &rows);
        }
    }
    // Whatever would come twice still has the time to, and the last are purged.
    std::thread::sleep(Duration::from_millis(2500));
    rows = site.cat("logs.deidentified");
    service.stop();
    let scrubbed_rows = site.cat("logs.scrubbed");
    let scrubbed = scrubbed_numbers(&site, &sent);
    // Until then scrub was busy with what had piled up, and the lanes had to wait for their turn.
    let free_ms = scrubbed_rows.iter().map(|row| row.timestamp_ms).max().unwrap();
    assert!(free_ms < began_ms + 30_000, "scrub took {} ms", free_ms - began_ms);
    let mut released = BTreeSet::new();
    for row in &rows {
        let number = rid(row);
        assert!(released.insert(number), "{number} was released twice");
        let due_ms = sent[number].event_ms + window_ms;
        let early_ms = due_ms - row.timestamp_ms;
        assert!(early_ms <= 0, "{number} was released {early_ms} ms early");
        let late_ms = row.timestamp_ms - (due_ms.max(free_ms) + shortest_lane_ms + tick_ms + TRANSACTION_MS);
        assert!(late_ms <= 0, "{number} was released {late_ms} ms late");
        if due_ms <= began_ms {
            assert!(!scrubbed.contains(&number), "{number} was overdue and is in scrubbed");
            assert!(row.timestamp_ms <= free_ms.max(began_ms) + TRANSACTION_MS, "{number} waited");
        }
    }
    assert_eq!(released.len(), sent.len(), "every record is released");
    assert!(scrubbed.len() > 500, "too few were young: {}", scrubbed.len());
    let counts = counts(&site);
    let emitted = |name: &str| counts.get(name).map_or(0, |tally| tally.of(Outcome::Emitted));
    assert_eq!(emitted("scrub/scrub"), scrubbed.len() as u64);
    assert_eq!(emitted("scrub/scrub") + emitted("scrub/deidentify"), sent.len() as u64);
    assert_eq!(emitted("lanes/deidentify"), scrubbed.len() as u64);
    let outputs: Vec<Row> = rows.into_iter().chain(scrubbed_rows).collect();
    let all: Vec<&Sent> = sent.iter().collect();
    let gone = only_in_originals(&all, &outputs, &[]);
    assert!(gone.len() > 3000, "too little to look for: {}", gone.len());
    assert_eq!(site.found(&gone).len(), 0, "of {} values of released originals", gone.len());
}

/// Marks that stand in no output and in no other record.
fn only_in_originals(of: &[&Sent], outputs: &[Row], others: &[&Sent]) -> Vec<Vec<u8>> {
    let marks: BTreeSet<&Vec<u8>> = of.iter().flat_map(|record| &record.marks).collect();
    let marks: Vec<Vec<u8>> = marks.into_iter().cloned().collect();
    let search = search(&marks);
    let mut elsewhere = BTreeSet::new();
    for row in outputs {
        elsewhere.extend(hits(&search, &row.value));
        elsewhere.extend(hits(&search, row.key.as_deref().unwrap_or_default()));
    }
    for other in others {
        elsewhere.extend(hits(&search, &other.bytes));
    }
    let alone = |(place, mark)| (!elsewhere.contains(&place)).then_some(mark);
    marks.into_iter().enumerate().filter_map(alone).collect()
}

/// While the service runs: what was released a while ago is in no file, what is held is.
fn look_into_the_files(site: &Site, sent: &[Sent], rows: &[Row]) {
    let released: BTreeSet<usize> = rows.iter().map(rid).collect();
    let scrubbed = site.cat("logs.scrubbed");
    let now = now_ms();
    let mut groups: [Vec<&Sent>; 3] = Default::default();
    for (number, record) in sent.iter().enumerate() {
        let group = match (released.contains(&number), record.event_ms + 40_000) {
            (true, due_ms) if due_ms < now - 15_000 => 0,
            (false, due_ms) if due_ms > now + 8000 => 1,
            _ => 2,
        };
        groups[group].push(record);
    }
    let [gone, held, others] = groups;
    let outputs: Vec<Row> = rows.iter().cloned().chain(scrubbed).collect();
    let still: Vec<&Sent> = held.iter().chain(&others).copied().collect();
    let gone = only_in_originals(&gone, &outputs, &still);
    assert!(gone.len() > 2000, "too little to look for: {}", gone.len());
    assert_eq!(site.found(&gone).len(), 0, "of {} values of originals released before", gone.len());
    let held = only_in_originals(&held, &outputs, &[]);
    let found = site.found(&held).len();
    assert!(
        held.len() > 20 && found * 100 > held.len() * 80,
        "found {found} of {} that are held",
        held.len()
    );
}

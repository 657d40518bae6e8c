//! Input that nobody wants, all the way through the real program: one outcome each, nothing raw in any
//! output, and the originals gone from the disk when their window is over.

mod site;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use logscrub::engine::MAX_RECORD_BYTES;
use logscrub::stage::outcome::{Outcome, Tally};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use site::{Row, STORE, Site, now_ms};
use std::collections::BTreeMap;

const CONFIG: &str = r#"
[embedded]
path = "store"
[[pipeline]]
source = "logs"
policy = "./policy.toml"
lanes = ["10min", "1s"]
tick = "0s"
release_every = "0s"
purge_interval = "1s"
"#;

fn policy(window: &str) -> String {
    format!(
        "id = \"brief\"\nclock = \"record\"\nmargin = \"0s\"\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
         [[stage]]\nid = \"deidentify\"\nafter = \"{window}\"\n"
    )
}

/// A number that no output may show in any of the cases.
const NUMBER: &[u8] = b"+14155550132";
const SEARCHED: &[u8] = b"4155550132";

struct Case {
    name: &'static str,
    /// `None`: a tombstone.
    value: Option<Vec<u8>>,
    /// Why the engine cannot answer for it; `None`: it is scrubbed like any other.
    withheld: Option<&'static str>,
}

fn with_number(before: &[u8], after: &[u8]) -> Vec<u8> {
    [before, NUMBER, after].concat()
}

fn cases() -> Vec<Case> {
    let deep =
        [br#"{"a":"#.repeat(10_000), br#"{"to":"+14155550132"}"#.to_vec(), b"}".repeat(10_000)].concat();
    let mut long = with_number(br#"{"to":""#, br#"","note":""#);
    long.resize(10 << 20, b'x');
    long.extend_from_slice(b"\"}");
    let mut beyond = with_number(b"msisdn=", b" note=");
    beyond.resize(MAX_RECORD_BYTES + 1, b'x');
    let mut random = StdRng::seed_from_u64(11);
    let noise: Vec<u8> = (0..5000).map(|_| random.random()).collect();
    let case = |name, value: Vec<u8>, withheld| Case { name, value: Some(value), withheld };
    vec![
        case("a line of 10 MB", long, None),
        case("a line beyond the cap", beyond, Some("too_large")),
        case("JSON ten thousand deep", deep, Some("too_deep")),
        case("a gzip stream", with_number(b"\x1f\x8b\x08\x00 from=", b"\x00\x01"), Some("binary")),
        case("an empty value", Vec::new(), None),
        Case { name: "a tombstone", value: None, withheld: None },
        case("random bytes", noise, None),
        case("truncated JSON", with_number(br#"{"a":[{"to":""#, br#"","b":"#), None),
        case("lone surrogates", with_number(br#"{"a":"\ud800","\udc00":1,"to":""#, br#"\ud83d"}"#), None),
        case("NUL bytes", with_number(b"a\0\0b to=", b"\0 from=\0\0"), None),
        case("invalid UTF-8", with_number(b"\xff\xfe{\"to\":\"", b"\"}\xc3\x28"), None),
        case("an unpaired quote", with_number(b"msg=\"call ", b" now"), None),
    ]
}

fn put(site: &Site, cases: &[Case], timestamp_ms: i64) {
    let mut input = Vec::new();
    for case in cases {
        let value = case.value.as_ref().map_or(Value::Null, |value| STANDARD.encode(value).into());
        let record = json!({ "key": "k-1", "value_b64": value, "timestamp": timestamp_ms });
        serde_json::to_writer(&mut input, &record).unwrap();
        input.push(b'\n');
    }
    site.output(&["put", "logs", "--records", "--embedded", STORE], &input);
}

fn counts(site: &Site) -> BTreeMap<String, Tally> {
    let rows = site.cat("logs.counts");
    let name = |row: &Row| String::from_utf8(row.key.clone().unwrap()).unwrap();
    let mut totals: BTreeMap<String, Tally> = BTreeMap::new();
    for row in rows {
        let name = name(&row).split('/').skip(1).take(2).collect::<Vec<_>>().join("/");
        totals.entry(name).or_default().merge(&Tally::from_json(&row.value).unwrap());
    }
    totals
}

fn withheld(case: &Case) -> Option<String> {
    let bytes = case.value.as_ref().map_or(0, Vec::len) + 3;
    case.withheld.map(|reason| format!("[WITHHELD:reason={reason},bytes={bytes}]"))
}

#[test]
fn bad_input_has_an_outcome_and_leaves_nothing_raw() {
    let site = Site::new();
    site.write("logscrub.toml", CONFIG);
    site.write("policy.toml", &policy("1h"));
    let cases = cases();
    let (all, quarantined) = (cases.len(), cases.iter().filter(|case| case.withheld.is_some()).count());
    // Twice: overdue when it is read, and then young.
    put(&site, &cases, now_ms() - 2 * 3_600_000);
    site.told(&["run", "--once"]);
    assert!(site.cat("logs.scrubbed").is_empty());
    put(&site, &cases, now_ms());
    site.told(&["run", "--once"]);
    assert_eq!(site.cat("logs.scrubbed").len(), all);
    assert_eq!(site.cat("logs.deidentified").len(), all);
    let held = site.found(&[SEARCHED.to_vec()]);
    assert_eq!(held.len(), 1, "the search finds what is held");

    // A shorter window holds at once for what is held, and is told before it does.
    site.write("policy.toml", &policy("1s"));
    let told = site.told(&["run", "--once"]);
    let change =
        told.lines().find(|line| line.contains("the policy changed")).unwrap_or_else(|| panic!("{told}"));
    for word in ["deidentify", "1h", "1s", "12", "sooner"] {
        assert!(change.contains(word), "{change}");
    }

    let scrubbed = site.cat("logs.scrubbed");
    for (row, case) in scrubbed.iter().zip(&cases) {
        let name = case.name;
        assert!(memchr::memmem::find(&row.value, SEARCHED).is_none(), "{name}: the number left");
        match withheld(case) {
            Some(placeholder) => assert_eq!(String::from_utf8_lossy(&row.value), placeholder, "{name}"),
            None => assert!(!row.value.starts_with(b"[WITHHELD"), "{name} was withheld"),
        }
        assert_eq!(row.value.is_empty(), case.value.as_ref().is_none_or(Vec::is_empty), "{name}");
    }
    let released = site.cat("logs.deidentified");
    assert_eq!(released.len(), 2 * all);
    assert!(released.iter().all(|row| memchr::memmem::find(&row.value, SEARCHED).is_none()));
    for case in &cases {
        let Some(placeholder) = withheld(case) else { continue };
        let skeleton = format!("\"withheld\":\"{placeholder}\"}}");
        let is_its = |row: &&Row| row.value.ends_with(skeleton.as_bytes()) && row.key.is_none();
        assert_eq!(released.iter().filter(is_its).count(), 2, "skeletons of {}", case.name);
    }
    let notices = site.cat("logs.quarantine");
    assert_eq!(notices.len(), 2 * quarantined, "one notice for each, when it is met first");
    for notice in &notices {
        let notice: Value = serde_json::from_slice(&notice.value).unwrap();
        assert_eq!(notice["topic"], "logs");
        assert!(cases.iter().any(|case| case.withheld == notice["reason"].as_str()), "{notice}");
        assert_eq!(notice.as_object().unwrap().len(), 7, "{notice}");
    }
    let counts = counts(&site);
    let of = |name: &str, outcome| usize::try_from(counts[name].of(outcome)).unwrap();
    for part in ["scrub/scrub", "scrub/deidentify"] {
        assert_eq!(of(part, Outcome::Emitted), all - quarantined, "{part}");
        assert_eq!(of(part, Outcome::Quarantined), quarantined, "{part}");
    }
    // Those in quarantine were counted as such when they were met.
    assert_eq!(of("lanes/deidentify", Outcome::Emitted), all);
    assert_eq!(site.found(&[SEARCHED.to_vec()]).len(), 0, "an original is still in a file");
}

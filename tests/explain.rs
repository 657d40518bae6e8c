//! What `explain` tells: every finding, and what looked like one and is none, with its reason
//! (`tests/data/refusals.toml`).

use logscrub::diagnostic::Source;
use logscrub::engine::{Engine, Scratch};
use logscrub::record::Record;
use logscrub::rule::{Sources, compile, shipped_sources};
use logscrub::sample::pack::PackName;
use logscrub::sample::{Plan, Sample, Sampler};
use serde::Deserialize;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "in")]
    line: String,
    /// What it might have been.
    class: String,
    text: String,
    /// Whose rule it would have been.
    rule: Option<String>,
    because: String,
    /// A user's rule file.
    #[serde(default)]
    rules: String,
}

fn engine(rules: &str) -> Engine {
    let user = vec![Source { name: "mine.toml".into(), text: rules.into() }];
    let compiled = compile(&Sources { shipped: shipped_sources(), user });
    Engine::new(Arc::new(compiled.unwrap_or_else(|errors| panic!("{errors}")).rules), None)
}

#[test]
fn every_refusal_has_its_reason() {
    let table: Table = toml::from_str(include_str!("data/refusals.toml")).expect("the table parses");
    let mut wrong = Vec::new();
    for case in &table.case {
        let engine = engine(&case.rules);
        let record = Record { value: Some(case.line.as_bytes()), ..Record::default() };
        let told = engine.explain(&mut Scratch::default(), &record).expect("is not withheld");
        let rows: Vec<_> = told
            .refused
            .iter()
            .map(|(_, refused)| {
                let rule =
                    refused.rule.and_then(|rule| engine.rules().info(rule)).map(|info| info.id.clone());
                let text = String::from_utf8_lossy(refused.span.of(case.line.as_bytes())).into_owned();
                let class = refused.class.to_string();
                let class = if class.starts_with("custom") { "custom:ticket".to_owned() } else { class };
                (class, text, rule, refused.because.clone())
            })
            .collect();
        let want = (case.class.clone(), case.text.clone(), case.rule.clone(), case.because.clone());
        if !rows.contains(&want) {
            wrong.push(format!("{}\n  want {want:?}\n  got  {rows:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let mut reasons: Vec<&str> = table.case.iter().map(|case| case.because.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    assert!(reasons.len() >= 24, "only {} kinds of refusal", reasons.len());
}

/// Asking for reasons changes nothing of what is found.
#[test]
fn explain_finds_what_scrub_finds() {
    let engine = engine("");
    let (mut plain, mut sample) = (Scratch::default(), Sample::default());
    for pack in [PackName::Ordinary, PackName::Dense, PackName::Second] {
        let (from_ms, to_ms) = (1_767_225_600_000, 1_775_001_600_000);
        let plan = Plan { pack, seed: 17, from_ms, to_ms, partitions: 4, single_line: false };
        let mut sampler = Sampler::new(plan).expect("the pack is right");
        for number in 0..300 {
            sampler.make(number, &mut sample).expect("no template is ambiguous");
            let record = Record { value: Some(&sample.value), ..Record::default() };
            let found = engine.find(&mut plain, &record).expect("is not withheld");
            let told = engine.explain(&mut Scratch::default(), &record).expect("is not withheld");
            let mut told: Vec<_> =
                told.findings.into_iter().map(|(part, finding, _)| (part, finding)).collect();
            told.dedup();
            assert_eq!(told, found, "{}", String::from_utf8_lossy(&sample.value));
        }
    }
}

#[test]
fn programs_read_it_as_json() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(["explain", "--json", "--records"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let line = br#"{"key":"4155550132","value":"took 4155550199 ns, x=eyJ0byI6IisxNDE1NTU1MDEzMiJ9"}"#;
    child.stdin.take().expect("is piped").write_all(line).expect("is read");
    let out = child.wait_with_output().expect("ends");
    assert!(out.status.success());
    let report: Value = serde_json::from_slice(&out.stdout).expect("is JSON");
    assert_eq!(report["findings"][0]["inside"], "+14155550132");
    assert_eq!(report["findings"][0]["part"], "value");
    let refused = report["refused"].as_array().expect("a list");
    let row = refused.iter().find(|row| row["class"] == "phone" && row["part"] == "value").expect("is there");
    assert_eq!(row["because"], "`ns` behind it is a unit");
    assert_eq!((row["start"].as_u64(), row["end"].as_u64()), (Some(5), Some(15)));
    assert_eq!(row["rule"], "phone.national");
    assert_eq!(report["stages"][0]["id"], "scrub");
}

fn explained(arguments: &[&str], line: &[u8]) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .arg("explain")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    child.stdin.take().expect("is piped").write_all(line).expect("is read");
    let out = child.wait_with_output().expect("ends");
    assert!(out.status.success());
    String::from_utf8(out.stdout).expect("is text")
}

/// What remains of a record at each age, and in which topic.
#[test]
fn a_records_life_under_a_policy() {
    let line = br#"{"timestamp":"2026-03-01T10:42:17Z","to":"+14155550132","otp":"482913","status":"sent"}"#;
    assert_eq!(
        explained(&["--policy", "default", "--timeline"], line),
        "0d: scrub of default
    scrubbed     {\"timestamp\":\"2026-03-01T10:42:17Z\",\"to\":\"[PHONE:+1]\",\"otp\":\"[CODE]\",\"status\":\"sent\"}
    held         {\"timestamp\":\"2026-03-01T10:42:17Z\",\"to\":\"+14155550132\",\"otp\":\"482913\",\"status\":\"sent\"}
90d: deidentify of default
    deidentified {\"timestamp\":\"2026-03-01T10:00:00Z\",\"to\":\"[PHONE:+1]\",\"otp\":\"[CODE]\",\"status\":\"sent\"}
    held         nothing
    scrubbed     nothing
"
    );
    let json: Value =
        serde_json::from_str(&explained(&["--policy", "mossmoon", "--json"], line)).expect("is JSON");
    let moments = json["timeline"].as_array().expect("a list");
    let ages: Vec<_> = moments.iter().map(|moment| (moment["age"].as_str(), moment["at"].as_str())).collect();
    assert_eq!(
        ages,
        [
            (Some("0d"), Some("2026-03-01T10:42:17Z")),
            (Some("30d"), Some("2026-03-31T10:42:17Z")),
            (Some("90d"), Some("2026-05-30T10:42:17Z")),
        ]
    );
    assert_eq!(moments[1]["changes"][0]["topic"], "held");
    let held = moments[1]["changes"][0]["copy"]["value"].as_str().expect("is there");
    assert!(!held.contains("482913"), "{held}");
    // Where the document names no length, nobody can say when.
    let open: Value =
        serde_json::from_str(&explained(&["--policy", "mesej", "--json"], line)).expect("is JSON");
    assert!(open["timeline"][1].get("age").is_none());
}

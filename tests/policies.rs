//! What each of the five policies leaves of its lines at each stage, line by line: `rules/tests/<policy>/raw.logs`
//! beside a file for each stage, named after it.

use logscrub::policy::{Policy, Position, shipped, shipped_ids};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folder(policy: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/tests").join(policy)
}

fn pipe(policy: &str, stage: &str, input: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(["pipe", "--policy", policy, "--stage", stage])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap()
}

/// What shows that a part of a policy keeps what it promises.
fn shown_by(policy: &Policy, part: &str) -> &'static str {
    match policy.stage_by_id(part).map(|place| policy.position(place)) {
        Some(Position::First) => "`tests/policies.rs`",
        Some(Position::Middle | Position::Last) => "`tests/promises.rs`, `tests/kafka/policies.rs`",
        None if policy.events.iter().any(|event| event.id == part) => {
            "`tests/events.rs`, `tests/kafka/events.rs`"
        }
        None => "`tests/counts.rs`, `tests/promises.rs`, `tests/kafka/policies.rs`",
    }
}

/// The README's table: each sentence of each policy.
fn table() -> String {
    let mut rows = String::from("| policy | sentence | kept by | shown by |\n|---|---|---|---|\n");
    for id in shipped_ids().filter(|id| *id != "default") {
        let policy = shipped(id, &[]).unwrap().unwrap().policy;
        for sentence in &policy.sentences {
            let mut kept: Vec<String> = sentence.kept_by.iter().map(|part| format!("`{part}`")).collect();
            kept.extend(sentence.elsewhere.clone());
            let mut shown: Vec<&str> = sentence.kept_by.iter().map(|part| shown_by(&policy, part)).collect();
            shown.dedup();
            let later = sentence
                .elsewhere
                .as_ref()
                .is_some_and(|text| text.contains("logscrub erase") || text.contains("logscrub hold"));
            shown.extend(later.then_some("`erase` and `hold` are not built yet"));
            let shown = if shown.is_empty() { "the operator's".to_owned() } else { shown.join("; ") };
            let text = sentence.text.replace('|', "\\|");
            rows.push_str(&format!("| {id} | {text} | {} | {shown} |\n", kept.join(", ")));
        }
    }
    rows
}

/// To write it anew after a change of a policy: `LOGSCRUB_BLESS=1 cargo test --test policies`, then read it.
#[test]
fn the_readme_says_what_keeps_each_sentence() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = readme.split_once("<!-- kept -->\n").unwrap();
    let (told, tail) = rest.split_once("<!-- /kept -->").unwrap();
    if std::env::var_os("LOGSCRUB_BLESS").is_some() {
        std::fs::write(&path, format!("{head}<!-- kept -->\n{}<!-- /kept -->{tail}", table())).unwrap();
    } else {
        assert_eq!(told, table());
    }
}

/// What a line holds of people, and no stage but a middle one may leave.
const PEOPLE: [&str; 12] = [
    "4155550132",
    "7700900123",
    "123456789",
    "482913",
    "see you at ten",
    "Jane",
    "example.com",
    "4242 4242",
    "mk_live",
    "81.2.69",
    "203.0.113",
    "eyJhbGci",
];

#[test]
fn each_stage_leaves_what_its_file_says() {
    let mut wrong = Vec::new();
    for id in shipped_ids().filter(|id| *id != "default") {
        let raw = std::fs::read_to_string(folder(id).join("raw.logs")).unwrap();
        let policy = shipped(id, &[]).unwrap().unwrap().policy;
        assert!(raw.lines().count() >= 6, "{id} has lines of all kinds");
        for (place, stage) in policy.stages.iter().enumerate() {
            let file = folder(id).join(format!("{}.logs", stage.id));
            let want = std::fs::read_to_string(&file).unwrap_or_default();
            let left = pipe(id, &stage.id, &raw);
            if left != want {
                wrong.push(format!("{}:\n{left}", file.display()));
            }
            if policy.position(place) != Position::Middle {
                for person in PEOPLE {
                    assert!(!left.contains(person), "{id} leaves `{person}` at {}:\n{left}", stage.id);
                }
            }
        }
        let files = std::fs::read_dir(folder(id)).unwrap().count();
        assert_eq!(files, policy.stages.len() + 1, "{id}: a file that no stage has");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

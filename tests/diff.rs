//! `logscrub diff`: what two rule sets make of a sample.

mod process;

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn diff(args: &[&str], sample: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
    command.arg("diff").args(args);
    let output = process::output(command, sample.as_bytes());
    let text = |bytes| String::from_utf8(bytes).expect("is UTF-8");
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn json(args: &[&str], sample: &str) -> (Option<i32>, Value) {
    let ended = diff(&[args, &["--json"]].concat(), sample);
    assert_eq!(ended.err, "");
    (ended.code, serde_json::from_str(&ended.out).expect("is JSON"))
}

/// `[no longer, newly, changed]` values.
fn counts(report: &Value) -> [u64; 3] {
    ["no_longer_redacted", "newly_redacted", "changed"]
        .map(|change| report[change]["values"].as_u64().unwrap_or(u64::MAX))
}

/// A folder with one rule for the field `ticket`.
fn folder(class: &str) -> TempDir {
    folder_of("ticket", class)
}

fn folder_of(field: &str, class: &str) -> TempDir {
    let folder = TempDir::new().expect("can be made");
    let mut rule = format!("[[rule]]\nid = \"mine.ticket\"\nclass = \"{class}\"\nfields = [\"{field}\"]\n");
    for line in ["ticket=ab-1", "ticket=ab-2 row=4", "{\"ticket\":\"ab-3\"}"]
        .map(|line| line.replace("ticket", field))
    {
        let value = &line[line.find("ab-").unwrap_or(0)..][..4];
        rule += &format!("[[rule.hit]]\nin = '{line}'\nfind = ['{value}']\n");
    }
    for line in ["seats=ab-1", "row=ab-2", "{\"seat\":\"ab-3\"}"] {
        rule += &format!("[[rule.miss]]\nin = '{line}'\nwhy = 'another field'\n");
    }
    fs::write(folder.path().join("mine.toml"), rule).expect("can be written");
    folder
}

fn name(folder: &TempDir) -> &str {
    folder.path().to_str().expect("is UTF-8")
}

const SAMPLE: &str =
    "{\"ticket\":\"Zeta-77\",\"to\":\"+14155550132\"}\nnothing here\nticket=Zeta-78 seat=4\n";

#[test]
fn a_rule_set_differs_from_itself_in_nothing() {
    let mine = folder("name");
    for rules in ["shipped", name(&mine)] {
        let ended = diff(&[rules, rules], SAMPLE);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        let nothing = "compared            3 records\nno longer redacted  nothing\n\
                       newly redacted      nothing\nchanged             nothing\n";
        assert_eq!(ended.out, nothing);
    }
}

#[test]
fn what_leaves_again_is_an_answer_of_no() {
    let mine = folder("name");
    let (code, report) = json(&[name(&mine), "shipped"], SAMPLE);
    assert_eq!((code, counts(&report)), (Some(1), [2, 0, 0]));
    assert_eq!(report["records"], 3);
    let group = &report["groups"][0];
    assert_eq!(group["change"], "no_longer_redacted");
    assert_eq!(group["a"]["replaces"]["rule"], "mine.ticket");
    assert_eq!(group["b"], "passes");
    assert_eq!((group["values"].as_u64(), group["records"].as_u64()), (Some(2), Some(2)));
    let example = &group["examples"][0];
    assert_eq!((example["record"].as_u64(), example["part"].as_str()), (Some(1), Some("value")));
    assert_eq!((example["start"].as_u64(), example["end"].as_u64()), (Some(11), Some(18)));
    assert_eq!((example["text"].as_str(), example["a"].as_str()), (Some("Xxxx-99"), Some("[NAME]")));
    assert_eq!(example.get("b"), None);
}

#[test]
fn what_is_found_now_is_told_and_no_failure() {
    let mine = folder("name");
    let (code, report) = json(&["shipped", name(&mine)], SAMPLE);
    assert_eq!((code, counts(&report)), (Some(0), [0, 2, 0]));
    assert_eq!(report["groups"][0]["b"]["replaces"]["class"], "name");
}

#[test]
fn another_replacement_is_a_change() {
    let one = folder("name");
    let card = folder("card");
    let (code, report) = json(&[name(&one), name(&card)], SAMPLE);
    assert_eq!((code, counts(&report)), (Some(0), [0, 0, 2]));
    let example = &report["groups"][0]["examples"][0];
    assert_eq!((example["a"].as_str(), example["b"].as_str()), (Some("[NAME]"), Some("[CARD]")));
}

#[test]
fn keys_headers_and_what_stands_in_base64_are_compared() {
    use base64::Engine as _;
    let mine = folder("name");
    let inner =
        base64::engine::general_purpose::STANDARD.encode("{\"ticket\":\"Zeta-77\",\"to\":\"+14155550132\"}");
    let sample = format!(
        "{{\"key\":\"{{\\\"ticket\\\":\\\"k\\\"}}\",\"value\":null,\"headers\":[[\"ticket\",\"Zeta-79\"]]}}\n\
         {{\"value\":\"blob={inner}\"}}\n"
    );
    let (code, report) = json(&[name(&mine), "shipped", "--records", "--show", "9"], &sample);
    assert_eq!(code, Some(1));
    let examples = report["groups"].as_array().expect("a list").iter();
    let examples: Vec<_> = examples
        .flat_map(|group| group["examples"].as_array().cloned().unwrap_or_default())
        .map(|one| (one["record"].as_u64().unwrap_or(0), one["part"].to_string(), one["text"].to_string()))
        .collect();
    for (record, part, text) in
        [(1, "\"key\"", "\"x\""), (1, "\"header ticket\"", "\"Xxxx-99\""), (2, "\"value\"", "\"Xxxx-99\"")]
    {
        assert!(examples.contains(&(record, part.into(), text.into())), "no {text} in {part}: {examples:?}");
    }
}

#[test]
fn values_are_shown_only_where_somebody_asks() {
    let mine = folder("name");
    let (hidden, shown) =
        (diff(&[name(&mine), "shipped"], SAMPLE), diff(&[name(&mine), "shipped", "--values"], SAMPLE));
    assert!(!hidden.out.contains("Zeta") && hidden.out.contains("Xxxx-99"), "{}", hidden.out);
    assert!(shown.out.contains("record 1, value, bytes 11 to 18: Zeta-77\n           [NAME] -> passes"));
    assert!(!hidden.out.contains("4155550132") && !shown.out.contains("4155550132"), "both find that one");
    let none = diff(&[name(&mine), "shipped", "--values", "--show", "0"], SAMPLE);
    assert!(!none.out.contains("Zeta") && none.out.contains("2 values in 2 records"), "{}", none.out);
}

#[test]
fn a_stage_and_a_sample_file_can_be_named() {
    let mine = folder("safe");
    let path = mine.path().join("sample.log");
    fs::write(&path, SAMPLE).expect("can be written");
    let args = ["shipped", name(&mine), "--stage", "deidentify", "--sample", &path.display().to_string()];
    let (code, report) = json(&args, "");
    assert_eq!(code, Some(1), "{report}");
    let groups = report["groups"].as_array().expect("a list");
    let unclaimed = groups.iter().find(|group| group["change"] == "no_longer_redacted").expect("is there");
    assert_eq!(unclaimed["b"], "passes");
    // The scrub stage leaves the field as it is under both.
    assert_eq!(json(&["shipped", name(&mine), "--sample", &path.display().to_string()], "").0, Some(0));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let mine = folder("name");
    let missing = Path::new(name(&mine)).join("missing").display().to_string();
    let cases: [(&[&str], &str, i32, &str); 6] = [
        (&["shipped", &missing], "", 78, "cannot be read"),
        (&["shipped"], "", 2, "<B>"),
        (&["shipped", "shipped", "--rules", name(&mine)], "", 2, "named as A and B"),
        (&["shipped", "shipped", "--stage", "nope"], "", 2, "has no stage `nope`"),
        (&["shipped", "shipped", "--sample", &missing], "", 74, "missing"),
        (&["shipped", "shipped", "--records"], "{\"value_b64\":\"*\"}\n", 74, "stdin, line 1"),
    ];
    for (args, sample, code, says) in cases {
        let ended = diff(args, sample);
        assert_eq!((ended.code, ended.out.as_str()), (Some(code), ""), "{args:?}: {}", ended.err);
        assert!(ended.err.contains(says), "{args:?}: {}", ended.err);
    }
    let packed = process::output(
        {
            let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
            command.args(["diff", "shipped", "shipped"]);
            command
        },
        b"\x1f\x8b\x08\0rest",
    );
    assert_eq!(packed.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&packed.stderr).contains("gzip -dc FILE | logscrub diff A B"));
}

#[test]
fn a_record_that_is_withheld_by_neither_or_both_is_the_same() {
    let deep = format!("{}{}\n", "[".repeat(2000), "]".repeat(2000));
    let mine = folder("name");
    let (code, report) = json(&["shipped", name(&mine)], &deep);
    assert_eq!((code, counts(&report)), (Some(0), [0, 0, 0]));
}

/// What one rule set replaces as a whole, the other looks into: what it leaves is told, and not shown in its letters.
#[test]
fn letters_that_hold_the_rest_of_a_text_are_not_shown() {
    use base64::Engine as _;
    let whole = folder_of("blob", "card");
    let text = "{\"seat\":\"Zeta-77 by the window\",\"to\":\"+14155550132\"}";
    let letters = base64::engine::general_purpose::STANDARD.encode(text);
    let sample = format!("blob={letters}\n");
    for (args, code, told) in [
        ([name(&whole), "shipped"], Some(1), "no longer redacted  "),
        (["shipped", name(&whole)], Some(0), "newly redacted      "),
    ] {
        let ended = diff(&args, &sample);
        assert_eq!(ended.code, code, "{}", ended.out);
        assert!(
            ended.out.contains(told) && ended.out.contains("(a part of it is replaced)"),
            "{}",
            ended.out
        );
        assert!(!ended.out.contains(&letters[..16]) && !ended.out.contains("Zeta"), "{}", ended.out);
    }
}

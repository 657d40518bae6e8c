//! `logscrub gen` as people call it.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn gen_in(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logscrub")).arg("gen").args(args).current_dir(dir).output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn a_seed_gives_the_same_bytes_with_and_without_the_truth() {
    let dir = tempfile::tempdir().unwrap();
    for pack in ["ordinary", "dense", "second"] {
        let args = ["--lines", "300", "--seed", "7", "--pack", pack];
        let alone = gen_in(dir.path(), &args);
        let with_truth = gen_in(dir.path(), &[&args[..], &["--truth", "truth.ndjson"]].concat());
        assert_eq!(alone.stdout, with_truth.stdout);
        assert_eq!(lines(&alone).len(), 300);
        let truth = std::fs::read_to_string(dir.path().join("truth.ndjson")).unwrap();
        assert_eq!(truth.lines().count(), 300);
        for line in truth.lines() {
            let truth: Value = serde_json::from_str(line).unwrap();
            assert!(truth["must_go"].is_array() && truth["must_stay"].is_array() && truth["may"].is_array());
            for stay in truth["must_stay"].as_array().unwrap() {
                assert!(stay["n"].as_u64().unwrap() > 0, "{stay}");
            }
        }
        let other = gen_in(dir.path(), &["--lines", "300", "--seed", "8", "--pack", pack]);
        assert_ne!(alone.stdout, other.stdout);
    }
}

#[test]
fn records_carry_time_partition_and_the_truths_id() {
    let dir = tempfile::tempdir().unwrap();
    let args =
        ["--lines", "400", "--records", "--pack", "dense", "--truth", "t", "--from", "-200d", "--to", "now"];
    let out = lines(&gen_in(dir.path(), &args));
    let truth = std::fs::read_to_string(dir.path().join("t")).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let mut partitions = [0; 4];
    for (record, truth) in out.iter().zip(truth.lines()) {
        let record: Value = serde_json::from_str(record).unwrap();
        let truth: Value = serde_json::from_str(truth).unwrap();
        assert_eq!((&record["id"], &record["format"]), (&truth["id"], &truth["format"]));
        let age = now - record["timestamp"].as_i64().unwrap();
        assert!((0..=200 * 86_400_000 + 60_000).contains(&age), "{age}");
        partitions[usize::try_from(record["partition"].as_u64().unwrap()).unwrap()] += 1;
    }
    assert!(partitions.iter().all(|n| *n > 50), "{partitions:?}");
}

#[test]
fn a_topic_gets_every_record() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["--lines", "500", "--topic", "logs", "--embedded", "store", "--truth", "t"];
    assert!(lines(&gen_in(dir.path(), &args)).is_empty());
    let cat = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(["cat", "logs", "--embedded", "store", "--records"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    let mut partitions = [0; 4];
    for line in lines(&cat) {
        let record: Value = serde_json::from_str(&line).unwrap();
        assert!(record["timestamp"].as_i64().is_some());
        partitions[usize::try_from(record["partition"].as_u64().unwrap()).unwrap()] += 1;
    }
    assert_eq!(partitions.iter().sum::<u32>(), 500);
    assert!(partitions.iter().all(|n| *n > 60), "{partitions:?}");
}

#[test]
fn a_rate_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    assert_eq!(lines(&gen_in(dir.path(), &["--lines", "31", "--rate", "100"])).len(), 31);
    assert!(start.elapsed() >= std::time::Duration::from_millis(300));
}

#[test]
fn a_score_names_what_was_found() {
    let dir = tempfile::tempdir().unwrap();
    let out =
        lines(&gen_in(dir.path(), &["--score", "--pack", "dense", "--lines", "200", "--show", "1:stay"]));
    assert!(out.iter().any(|line| line.starts_with("200 records; found ")), "{out:?}");
    assert!(out.iter().any(|line| line.starts_with("| phone |")));
}

#[test]
fn what_cannot_be_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let cases: [(&[&str], i32, &str); 5] = [
        (&["--from", "now", "--to", "-1d"], 2, "--from lies after --to"),
        (&["--from", "yesterday"], 2, "`yesterday` is no time"),
        (&["--rate", "0"], 2, "above 0"),
        (&["--truth", "no/such/place"], 74, "no/such/place"),
        (&["--topic", "a b", "--embedded", "s"], 2, "a topic's name"),
    ];
    for (args, code, why) in cases {
        let out = gen_in(dir.path(), args);
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{args:?} {said}");
        assert!(said.contains(why), "{args:?} {said}");
    }
}

/// A full disk is told, a reader that has enough is none of our business, and neither is a panic.
#[test]
fn a_score_that_cannot_be_written() {
    let score = |to: &str| {
        let line = format!("{} gen --lines 200 --score --show 9 {to}", env!("CARGO_BIN_EXE_logscrub"));
        let output = Command::new("bash").args(["-c", &line]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("internal error"), "{said}");
        (output.status.code(), said)
    };
    let (code, said) = score("> /dev/full");
    assert_eq!(code, Some(74), "{said}");
    assert!(said.starts_with("error: stdout"), "{said}");
    assert_eq!(score("| true; exit ${PIPESTATUS[0]}").0, Some(0));
}

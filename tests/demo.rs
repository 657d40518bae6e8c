//! `logscrub demo` as a program: it proves its own claims, so the test asks for its verdict and looks
//! into the store that it leaves.

use std::process::{Command, Output};

fn logscrub(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_logscrub")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn ninety_days_add_up_and_leave_no_original() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("store");
    let store = store.to_str().unwrap();
    let ended = logscrub(&["demo", "--seconds", "0", "--embedded", store]);
    let out = text(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{out}{}", text(&ended.stderr));
    for part in ["day 90  in 4000  scrubbed 4000", "counts add up: yes", "originals gone: yes"] {
        assert!(out.contains(part), "{part} is missing from\n{out}");
    }
    let released = logscrub(&["cat", "ops.logs.deidentified", "--embedded", store]);
    assert_eq!(released.status.code(), Some(0), "{}", text(&released.stderr));
    let count = released.stdout.iter().filter(|byte| **byte == b'\n').count();
    assert!(out.contains(&format!("de-identified {count} ")), "{count} records in the store, but\n{out}");

    // The store is full now: it is not written over.
    let again = logscrub(&["demo", "--seconds", "0", "--embedded", store]);
    assert_eq!(again.status.code(), Some(77));
    assert!(text(&again.stderr).contains("is not empty"));
}

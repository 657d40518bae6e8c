//! What the program says when it is called wrongly: every message and exit code in
//! `tests/cli/*.toml` is exact, since scripts and people rely on them.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

/// One call of the program, in an empty directory that holds `files`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    args: Vec<String>,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    code: i32,
    #[serde(default)]
    stdout: String,
    #[serde(default)]
    stderr: String,
}

impl Case {
    /// What differs from what the case says, or nothing.
    fn run(&self) -> Option<String> {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
            .args(&self.args)
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The program may end without reading: a broken pipe is not this test's business.
        let _ = child.stdin.take().unwrap().write_all(self.stdin.as_bytes());
        let out = child.wait_with_output().unwrap();
        let got = (
            out.status.code(),
            String::from_utf8(out.stdout).unwrap(),
            String::from_utf8(out.stderr).unwrap(),
        );
        let want = (Some(self.code), self.stdout.clone(), self.stderr.clone());
        (got != want).then(|| {
            let (code, stdout, stderr) = got;
            format!("{}: exit {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}---", self.name)
        })
    }
}

#[test]
fn every_message_and_exit_code_is_the_pinned_one() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let mut ran = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let cases: Cases = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        ran += cases.case.len();
        wrong.extend(cases.case.iter().filter_map(Case::run));
    }
    assert!(ran > 5, "only {ran} cases were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Whoever reads what a verb prints may have had enough: `logscrub counts | head -0`.
#[test]
fn a_closed_pipe_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let logscrub = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        command.current_dir(directory.path()).args(args).stdin(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let config = "[embedded]\n[[pipeline]]\nsource = \"logs\"\n";
    fs::write(directory.path().join("logscrub.toml"), config).unwrap();
    let words = |line: &'static str| line.split(' ').collect::<Vec<&str>>();
    for line in ["put logs", "run --once", "keys init --keys keys"] {
        let done = logscrub(&words(line)).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let mut wrong = Vec::new();
    for line in [
        "counts",
        "topics plan",
        "check",
        "check --json",
        "check --policy default",
        "audit --k 2",
        "keys list --keys keys",
        "cat logs",
        "explain",
        "completions bash",
        "gen --lines 2 --score",
        "gen --lines 2",
        "geo lookup",
        "geo info",
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = logscrub(&words(line)).stdout(writer).output().unwrap();
        if ended.status.code() != Some(0) {
            wrong.push(format!("{line}: {:?} {}", ended.status, String::from_utf8_lossy(&ended.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines before the last whole transaction are in the topic: who mends the line goes on after them.
#[test]
fn a_line_that_is_no_record_says_what_is_in_the_topic() {
    let directory = tempfile::tempdir().unwrap();
    let put = |input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
            .args(["put", "--embedded", "store", "--records", "logs"])
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let out = child.wait_with_output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let good = "{\"value\":\"x\"}\n";
    let (code, told) = put(&format!("{}no record\n", good.repeat(10_002)));
    assert_eq!(code, Some(74));
    assert!(told.contains("line 10003 is no record: "), "{told}");
    assert!(told.contains("lines 1 to 10000 are in `logs`; go on with line 10001"), "{told}");
    let (_, told) = put(&format!("{good}{{\"value\":\"x\",\"partition\":7}}\n"));
    assert!(told.contains("line 2 is for partition 7"), "{told}");
    assert!(told.contains("nothing was written"), "{told}");
}

/// A program with its config in a directory: what it says to a line of arguments.
fn told(directory: &Path, line: &str) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .args(line.split(' '))
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8(out.stderr).unwrap())
}

/// Who misspells a name is told so, and what there is instead.
#[test]
fn a_misspelt_name_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    for line in ["cat logs --embedded stroe", "counts --embedded stroe", "audit --k 2 --embedded stroe"] {
        let (code, told) = told(directory, line);
        assert_eq!(code, Some(69), "{line}: {told}");
        assert!(told.contains("stroe: there is no store here"), "{line}: {told}");
    }
    let config = "[embedded]\n[[pipeline]]\nsource = \"logs\"\npolicy = \"mossmoon\"\n";
    fs::write(directory.join("logscrub.toml"), config).unwrap();
    let (code, online) = told(directory, "check --online");
    assert_eq!(code, Some(0), "{online}");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.collect::<Vec<_>>(), ["logscrub.toml"]);

    for line in ["put logs", "run --once"] {
        let (code, told) = told(directory, line);
        assert_eq!(code, Some(0), "{line}: {told}");
    }
    for (line, code, part) in [
        ("counts --id nope", 2, "no count is called `nope`\nhelp: the counts are billing\n"),
        ("counts --id biling", 2, "help: did you mean `billing`?"),
        ("counts --source nope", 2, "no pipeline reads `nope`\nhelp: the sources are logs\n"),
        ("cat lgs", 77, "topic `lgs` does not exist\nhelp: did you mean `logs`?"),
        ("cat logs.held.7y", 77, "help: `logscrub run` makes it"),
    ] {
        let (is, told) = told(directory, line);
        assert_eq!(is, Some(code), "{line}: {told}");
        assert!(told.contains(part), "{line}: {told}");
    }
    assert_eq!(told(directory, "counts --id billing").0, Some(0));
}

/// What pipelines write is theirs: a record that was never scrubbed does not stand in it.
#[test]
fn nobody_puts_into_a_topic_of_ours() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let config = "[embedded]\n[[pipeline]]\nsource = \"logs\"\ntopics.scrubbed = \"clean\"\n";
    fs::write(directory.join("logscrub.toml"), config).unwrap();
    for topic in
        ["clean", "logs.deidentified", "logs.held.90d", "logs.counts", "logs.progress", "logs.quarantine"]
    {
        for line in [format!("put {topic}"), format!("gen --lines 1 --topic {topic}")] {
            let (code, told) = told(directory, &line);
            assert_eq!(code, Some(77), "{line}: {told}");
            assert!(told.contains("`logscrub put logs`"), "{line}: {told}");
        }
    }
    assert_eq!(told(directory, "put logs.scrubbed --embedded other").0, Some(77));
    for topic in ["logs", "others"] {
        assert_eq!(told(directory, &format!("put {topic}")).0, Some(0), "{topic}");
    }
}

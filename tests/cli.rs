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

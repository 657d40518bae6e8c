//! A directory with an embedded store, the real program on it, and what a test reads back.

#![allow(dead_code, reason = "each test file uses its part of it")]

#[path = "../process/mod.rs"]
pub mod process;

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use process::Service;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the store stands in the site's directory; configs name it too.
pub const STORE: &str = "store";

pub fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A record as `cat --records` prints it.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub partition: i64,
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    /// Empty for a tombstone.
    pub value: Vec<u8>,
    pub headers: Vec<(String, String)>,
}

impl Row {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The event time that our header on a scrubbed record tells.
    pub fn event_ms(&self) -> i64 {
        let stamp = self.header("logscrub").expect("our header");
        stamp.rsplit_once(" t=").expect("a time").1.parse().unwrap()
    }

    pub fn read(line: &[u8]) -> Self {
        let record: Value = serde_json::from_slice(line).unwrap();
        let bytes = |name: &str| match (record.get(name), record.get(format!("{name}_b64"))) {
            (Some(Value::String(text)), _) => Some(text.clone().into_bytes()),
            (_, Some(Value::String(text))) => Some(STANDARD.decode(text).unwrap()),
            _ => None,
        };
        let number = |name: &str| record.get(name).and_then(Value::as_i64).unwrap_or(-1);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let headers = record.get("headers").and_then(Value::as_array).into_iter().flatten();
        Row {
            partition: number("partition"),
            offset: number("offset"),
            timestamp_ms: number("timestamp"),
            key: bytes("key"),
            value: bytes("value").unwrap_or_default(),
            headers: headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        }
    }
}

pub struct Site {
    pub dir: tempfile::TempDir,
}

impl Site {
    pub fn new() -> Self {
        Site { dir: tempfile::tempdir().unwrap() }
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it to its end, which must be a good one, and gives what it printed.
    pub fn output(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let output = process::output(self.command(arguments), input);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}\n{told}", output.status);
        output.stdout
    }

    /// What it wrote to stderr; its end must be a good one.
    pub fn told(&self, arguments: &[&str]) -> String {
        let output = process::output(self.command(arguments), b"");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}\n{told}", output.status);
        told
    }

    pub fn start(&self, arguments: &[&str]) -> Service {
        Service::start(self.command(arguments), process::next_log(self.dir.path()))
    }

    pub fn cat(&self, topic: &str) -> Vec<Row> {
        let printed = self.output(&["cat", topic, "--records", "--embedded", STORE], b"");
        lines(&printed).map(Row::read).collect()
    }

    /// Every file of the store.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut dirs = vec![self.dir.path().join(STORE)];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { dirs.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// Which of the needles stand in any file of the store.
    pub fn found(&self, needles: &[Vec<u8>]) -> BTreeSet<usize> {
        let search = search(needles);
        self.files().iter().flat_map(|file| hits(&search, &std::fs::read(file).unwrap())).collect()
    }

    pub fn store(&self) -> PathBuf {
        Path::new(self.dir.path()).join(STORE)
    }
}

pub fn lines(printed: &[u8]) -> impl Iterator<Item = &[u8]> {
    printed.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

pub fn search(needles: &[Vec<u8>]) -> AhoCorasick {
    AhoCorasick::new(needles).unwrap()
}

/// The places of the needles that stand in the bytes, overlapping ones too.
pub fn hits(search: &AhoCorasick, bytes: &[u8]) -> BTreeSet<usize> {
    search.find_overlapping_iter(bytes).map(|hit| hit.pattern().as_usize()).collect()
}

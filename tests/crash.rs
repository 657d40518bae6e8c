//! The real program, killed: at every named point and at random moments nothing is lost and nothing
//! is doubled. With positions committed outside the transaction the same check goes red.

mod process;

use process::{Service, output, until};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const POLICY: &str = r#"
id = "brief"
clock = "record"
margin = "0s"
[[stage]]
id = "scrub"
after = "0d"
[[stage]]
id = "deidentify"
after = "4s"
[[count]]
id = "kinds"
by = ["kind"]
sum = ["parts"]
every = "1y"
min = 1
"#;

const RULE: &str = r#"
[[rule]]
id = "crash.rid"
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
lanes = ["2s", "1s"]
tick = "0s"
release_every = "0s"
purge_interval = "1s"
"#;

struct Site {
    dir: tempfile::TempDir,
    sent: usize,
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("logscrub.toml"), CONFIG).unwrap();
        std::fs::write(dir.path().join("policy.toml"), POLICY).unwrap();
        std::fs::create_dir(dir.path().join("rules")).unwrap();
        std::fs::write(dir.path().join("rules/rid.toml"), RULE).unwrap();
        Site { dir, sent: 0 }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        for name in ["LOGSCRUB_CRASH_AT", "LOGSCRUB_FAULT"] {
            command.env_remove(name);
        }
        command
    }

    /// Puts records from `oldest_ms` ago to now into three partitions.
    fn put(&mut self, count: usize, oldest_ms: i64) {
        let mut input = String::new();
        for place in 0..count {
            let rid = self.sent;
            self.sent += 1;
            let time = now_ms() - oldest_ms * (place as i64 * 7919 % count as i64) / count as i64;
            let (kind, parts) = (rid % 4, rid % 7);
            let value = format!(
                r#"{{\"rid\":\"r{rid:05}\",\"to\":\"+14155550132\",\"kind\":\"kind-{kind}\",\"parts\":{parts}}}"#
            );
            writeln!(input, r#"{{"value":"{value}","partition":{},"timestamp":{time}}}"#, rid % 3).unwrap();
        }
        let put = self.command(&["put", "logs", "--records", "--partitions", "3"]);
        assert!(output(put, input.as_bytes()).status.success());
    }

    fn start(&self, environment: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["run"]);
        command.envs(environment.iter().copied());
        Service::start(command, process::next_log(self.dir.path()))
    }

    /// How often each record stands in a topic, by its id.
    fn ids(&self, topic: &str) -> BTreeMap<String, usize> {
        let output = output(self.command(&["cat", topic]), b"");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut ids = BTreeMap::new();
        for line in text.lines() {
            assert!(!line.contains("5550132"), "a number left");
            let at = line.find("r0").unwrap_or_else(|| panic!("a record without its id in {topic}"));
            *ids.entry(line[at..at + 6].to_owned()).or_default() += 1;
        }
        ids
    }

    /// Runs without crashes until everything is released, and says what is wrong with the outcome.
    fn verdict(&self, environment: &[(&str, &str)]) -> Result<(), String> {
        let mut child = self.start(environment);
        let begun = Instant::now();
        while self.ids("logs.deidentified").len() < self.sent && begun.elapsed() < Duration::from_secs(90) {
            std::thread::sleep(Duration::from_millis(300));
        }
        // Whatever would come twice still has the time to.
        std::thread::sleep(Duration::from_millis(1500));
        child.stop();
        let released = self.ids("logs.deidentified");
        let scrubbed = self.ids("logs.scrubbed");
        if released.len() < self.sent {
            return Err(format!("{} of {} were lost", self.sent - released.len(), self.sent));
        }
        let doubled = released.values().chain(scrubbed.values()).filter(|count| **count > 1).count();
        if doubled > 0 {
            return Err(format!("{doubled} came twice"));
        }
        self.counted()
    }

    /// Whether the counts are what a recount of all that was put gives. (A year may have ended meanwhile.)
    fn counted(&self) -> Result<(), String> {
        let mut recount: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for rid in 0..self.sent {
            let of = recount.entry(format!("kind-{}", rid % 4)).or_default();
            *of = (of.0 + 1, of.1 + rid % 7);
        }
        let output = output(self.command(&["counts", "--json"]), b"");
        let rows: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
        let mut told: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for row in &rows {
            let of = told.entry(row["by"]["kind"].as_str().unwrap().to_owned()).or_default();
            let parts: usize = row["sum"]["parts"].as_str().unwrap().parse().unwrap();
            *of = (of.0 + row["records"].as_u64().unwrap() as usize, of.1 + parts);
        }
        if told == recount { Ok(()) } else { Err(format!("counted {told:?}, and not {recount:?}")) }
    }
}

/// Crashes at a point, several times over its first occurrences, then checks.
fn crash_at(point: &str, counts: &[usize]) {
    let mut site = Site::new();
    for count in counts {
        site.put(120, 6000);
        let mut child = site.start(&[("LOGSCRUB_CRASH_AT", &format!("{point}:{count}"))]);
        assert!(!child.end(process::PATIENCE).success(), "it was to crash");
    }
    assert_eq!(site.verdict(&[]), Ok(()), "{point}");
}

#[test]
fn before_begin() {
    crash_at("before_begin", &[1, 3, 20]);
}

#[test]
fn after_append() {
    crash_at("after_append", &[1, 60, 150]);
}

#[test]
fn before_commit() {
    // The first two commits are those of the two assignments.
    crash_at("before_commit", &[1, 3, 4]);
}

#[test]
fn after_commit() {
    crash_at("after_commit", &[1, 3, 4]);
}

#[test]
fn between_commit_and_purge() {
    crash_at("between_commit_and_purge", &[1, 2]);
}

#[test]
fn in_relane() {
    crash_at("in_relane", &[1, 4, 9]);
}

#[test]
fn twenty_random_moments() {
    let mut site = Site::new();
    let mut random = now_ms() as u64;
    let mut moments = Vec::new();
    for _ in 0..20 {
        site.put(40, 6000);
        let mut child = site.start(&[]);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let moment = 100 + (random >> 33) % 1200;
        moments.push(moment);
        std::thread::sleep(Duration::from_millis(moment));
        child.kill();
    }
    assert_eq!(site.verdict(&[]), Ok(()), "killed after {moments:?} ms");
}

/// What the tests above are worth: with positions in a transaction of their own they fail.
#[cfg(debug_assertions)]
#[test]
fn positions_outside_the_transaction_are_seen() {
    let fault = ("LOGSCRUB_FAULT", "commit_positions_separately");
    let mut site = Site::new();
    site.put(120, 6000);
    // Under the fault each commit passes the point twice, first between records and positions; the
    // windows and the claim (once each) and the two assignments come before the first commit that has records.
    let mut child = site.start(&[fault, ("LOGSCRUB_CRASH_AT", "after_commit:7")]);
    assert!(!child.end(process::PATIENCE).success(), "it was to crash");
    let outcome = site.verdict(&[fault]);
    assert!(matches!(&outcome, Err(wrong) if wrong.contains("twice")), "{outcome:?}");
}

#[test]
fn a_second_service_is_told_and_visitors_work_beside_the_first() {
    let mut site = Site::new();
    site.put(3, 0);
    let mut first = site.start(&[]);
    let lock: PathBuf = site.dir.path().join("store/service.lock");
    until("the store is locked", process::PATIENCE, || lock.exists());
    std::thread::sleep(Duration::from_millis(500));
    let second = output(site.command(&["run", "--once"]), b"");
    assert_eq!(second.status.code(), Some(77));
    assert!(String::from_utf8(second.stderr).unwrap().contains("in use"));
    site.put(3, 0);
    until("all six are scrubbed", process::PATIENCE, || site.ids("logs.scrubbed").len() >= 6);
    assert_eq!(site.ids("logs.scrubbed").len(), 6);
    first.stop();
    assert!(Path::new(&lock).exists());
}

//! The real program on the real broker: a config of its own, a source of its own.

use crate::broker::{Broker, in_files};
use crate::process::{self, PATIENCE, Service};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Keeps the header by which the tests know a record again.
const RULE: &str = r#"
[[rule]]
id = "test.rid"
class = "safe"
fields = ["rid"]
"#;

pub struct Site {
    dir: tempfile::TempDir,
    pub source: String,
    /// When each record that was put happened, by its id.
    pub sent: BTreeMap<String, i64>,
}

pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// A record as `cat --records` shows it.
pub struct Seen {
    pub rid: String,
    pub partition: i64,
    pub timestamp_ms: i64,
    pub text: String,
}

/// How many partitions a service owns by its own words.
pub fn owned(service: &Service) -> i64 {
    let said = service.said();
    let events = said.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let change = |event: serde_json::Value| {
        let fields = &event["fields"];
        match (fields["message"].as_str(), fields["partitions"].as_i64()) {
            (Some("partitions were assigned"), Some(count)) => count,
            (Some("partitions were revoked" | "partitions were given up"), Some(count)) => -count,
            _ => 0,
        }
    };
    events.map(change).sum()
}

/// User and system time of a process so far.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// What a process has in memory.
pub fn memory_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

impl Site {
    /// `window` of the last stage; topics are not made yet.
    pub fn new(source: &str, window: &str, lanes: &str) -> Self {
        Site::on(Broker::get(), source, window, lanes)
    }

    pub fn on(broker: &Broker, source: &str, window: &str, lanes: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let site = Site { dir, source: source.to_owned(), sent: BTreeMap::new() };
        let address = &broker.address;
        site.file(
            "logscrub.toml",
            &format!(
                r#"
instance = "{source}"
listen = "127.0.0.1:0"
[kafka]
"bootstrap.servers" = "{address}"
"session.timeout.ms" = 6000
"compression.type" = "none"
[[pipeline]]
source = "{source}"
policy = "./policy.toml"
rules = "rules"
lanes = {lanes}
headers = ["rid"]
tick = "1s"
release_every = "0s"
purge_interval = "1s"
purge_source = true
"#
            ),
        );
        site.file(
            "policy.toml",
            &format!(
                "id = \"brief\"\nclock = \"record\"\nmargin = \"0s\"\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n\
                 [[stage]]\nid = \"deidentify\"\nafter = \"{window}\"\n"
            ),
        );
        std::fs::create_dir(site.dir.path().join("rules")).unwrap();
        site.file("rules/rid.toml", RULE);
        site
    }

    pub fn file(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    /// Whether the bytes stand in any file of the site.
    pub fn anywhere(&self, bytes: &[u8]) -> bool {
        in_files(self.dir.path(), bytes)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).env_remove("LOGSCRUB_CRASH_AT");
        command.env_remove("LOGSCRUB_FAULT");
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        process::output(self.command(arguments), b"")
    }

    /// Runs a verb that must succeed.
    pub fn does(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {:?}: {said}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives each line of `gen --records` an id in a header, and puts it into the source.
    pub fn put(&mut self, lines: &str) {
        let mut input = Vec::new();
        for line in lines.lines() {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            let rid = format!("rid-{:06}", self.sent.len());
            record["headers"] = serde_json::json!([["rid", rid]]);
            self.sent.insert(rid, record["timestamp"].as_i64().unwrap());
            writeln!(input, "{record}").unwrap();
        }
        let begun = Instant::now();
        loop {
            let put = self.command(&["put", &self.source, "--records", "--partitions", "4"]);
            let output = process::output(put, &input);
            let said = String::from_utf8_lossy(&output.stderr);
            // A broker that has just come back: nothing was put yet.
            let is_early = said.contains("no answer in time when topics were");
            if output.status.success() {
                return;
            }
            assert!(is_early && begun.elapsed() < PATIENCE, "{said}");
        }
    }

    /// Records of now, the same number in each partition of a source that has so many.
    pub fn put_spread(&self, partitions: usize, records: usize) {
        let line = |number: usize| {
            let partition = number % partitions;
            format!("{{\"value\":\"to +14155550132, {number}\",\"partition\":{partition}}}\n")
        };
        let lines: String = (0..records).map(line).collect();
        let partitions = partitions.to_string();
        let put = self.command(&["put", &self.source, "--records", "--partitions", &partitions]);
        let output = process::output(put, lines.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Waits and purges as a service does: the seconds of a site are for tests.
    pub fn as_a_service(&self) {
        let config = self.read("logscrub.toml");
        let config = config.replace("tick = \"1s\"\n", "").replace("purge_interval = \"1s\"\n", "");
        self.file("logscrub.toml", &config);
    }

    /// Made-up records from `oldest` to now.
    pub fn put_made_up(&mut self, count: usize, seed: usize, oldest: &str) {
        let (count, seed) = (count.to_string(), seed.to_string());
        let arguments = [
            "gen",
            "--records",
            "--lines",
            &count,
            "--seed",
            &seed,
            "--partitions",
            "4",
            "--from",
            oldest,
            "--to",
            "now",
        ];
        let lines = self.does(&arguments);
        self.put(&lines);
    }

    pub fn start(&self, environment: &[(&str, &str)]) -> Service {
        self.start_as("logscrub.toml", environment)
    }

    /// Another instance on the same topics: writes `other.toml`, to be started with it.
    pub fn make_other(&self) {
        let config = self.read("logscrub.toml");
        self.file("other.toml", &config.replacen("instance = \"", "instance = \"other-", 1));
    }

    pub fn start_as(&self, config: &str, environment: &[(&str, &str)]) -> Service {
        let mut command = self.command(&["run", "-c", config]);
        command.envs(environment.iter().copied());
        Service::start(command, process::next_log(self.dir.path()))
    }

    /// What a running service answers to a GET: status and body.
    pub fn get(&self, service: &Service, path: &str) -> (u16, String) {
        let marker = "metrics at http://";
        process::until("it says where it answers", PATIENCE, || service.said().contains(marker));
        let said = service.said();
        let (_, rest) = said.split_once(marker).unwrap();
        let address = rest.split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }

    /// The records in a topic, one line of JSON each.
    pub fn lines(&self, ending: &str) -> Vec<String> {
        let text = self.does(&["cat", &format!("{}.{ending}", self.source), "--records"]);
        text.lines().map(str::to_owned).collect()
    }

    pub fn seen(&self, ending: &str) -> Vec<Seen> {
        let text = self.does(&["cat", &format!("{}.{ending}", self.source), "--records"]);
        let parse = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let rid = record["headers"].as_array().and_then(|headers| {
                headers
                    .iter()
                    .find(|header| header[0] == "rid")
                    .map(|header| header[1].as_str().unwrap().to_owned())
            });
            Seen {
                rid: rid.unwrap_or_else(|| panic!("a record without its id in {ending}")),
                partition: record["partition"].as_i64().unwrap(),
                timestamp_ms: record["timestamp"].as_i64().unwrap(),
                text: line.to_owned(),
            }
        };
        text.lines().map(parse).collect()
    }

    /// How often each record stands in a topic.
    pub fn ids(&self, ending: &str) -> BTreeMap<String, usize> {
        let mut ids = BTreeMap::new();
        for seen in self.seen(ending) {
            *ids.entry(seen.rid).or_default() += 1;
        }
        ids
    }

    /// Waits until everything is released.
    pub fn await_release(&self, within: Duration) {
        let begun = Instant::now();
        loop {
            let released = self.ids("deidentified").len();
            if released >= self.sent.len() {
                return;
            }
            let of = self.sent.len();
            assert!(
                begun.elapsed() < within,
                "{released} of {of} are released within {} s",
                within.as_secs()
            );
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Whether each partition of the scrubbed topic has its records in the order of the source.
    pub fn keeps_order(&self) -> bool {
        let mut last: BTreeMap<i64, String> = BTreeMap::new();
        let in_order = |seen: Seen| {
            let before = last.insert(seen.partition, seen.rid.clone());
            before.is_none_or(|before| before < seen.rid)
        };
        self.seen("scrubbed").into_iter().all(in_order)
    }

    /// What is wrong with what came out: each record once, none lost.
    pub fn verdict(&self) -> Result<(), String> {
        let released = self.ids("deidentified");
        let lost = self.sent.keys().filter(|rid| !released.contains_key(*rid)).count();
        let scrubbed = self.ids("scrubbed");
        let doubled = released.values().chain(scrubbed.values()).filter(|count| **count > 1).count();
        match (lost, doubled) {
            (0, 0) => Ok(()),
            (lost, doubled) => Err(format!("{lost} of {} were lost, {doubled} came twice", self.sent.len())),
        }
    }
}

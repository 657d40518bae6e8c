//! A real broker for tests: `scripts/kafka.sh` gets and starts it, once for all tests of a program; it stops
//! when the program ends, however it ends.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::metadata::{MetadataPartition, MetadataTopic};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

pub struct Broker {
    dir: PathBuf,
    pub address: String,
    /// Closed with this process: then the script stops the broker.
    _stdin: ChildStdin,
    _script: Child,
}

static BROKER: OnceLock<Broker> = OnceLock::new();

impl Broker {
    /// The program's broker.
    pub fn get() -> &'static Broker {
        BROKER.get_or_init(|| Broker::start(&[]))
    }

    /// One of the test's own, to be stopped, killed or set up wrongly.
    pub fn own(environment: &[(&str, &str)]) -> Broker {
        Broker::start(environment)
    }

    fn start(environment: &[(&str, &str)]) -> Broker {
        let dir = tempfile::tempdir().unwrap().keep();
        let mut script = Command::new("scripts/kafka.sh")
            .args(["with", dir.to_str().unwrap()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = script.stdin.take().unwrap();
        let mut address = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.contains(':'), "the broker did not start; its words are above");
        Broker { dir, address: address.trim().to_owned(), _stdin: stdin, _script: script }
    }

    /// Runs the script on this broker.
    fn script(&self, verb: &str, arguments: &[&str]) {
        let mut command = Command::new("scripts/kafka.sh");
        command.args([verb, self.dir.to_str().unwrap()]).args(arguments);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = crate::process::output(command, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn delete_topic(&self, topic: &str) {
        self.script("delete-topic", &[topic]);
    }

    /// Forbids it to the user of the listener with passwords.
    pub fn forbid(&self, operation: &str, topic: &str) {
        self.script("forbid", &[operation, topic]);
    }

    /// Deletes a group's positions, once it has no members; `false` while it has some.
    pub fn forget(&self, group: &str) -> bool {
        let mut command = Command::new("scripts/kafka.sh");
        command.args(["forget", self.dir.to_str().unwrap(), group]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = crate::process::output(command, b"");
        String::from_utf8_lossy(&output.stdout).contains("was successful")
    }

    /// The address of the listener with passwords.
    pub fn sasl_address(&self) -> String {
        std::fs::read_to_string(self.dir.join("address.sasl")).unwrap().trim().to_owned()
    }

    /// The certificate of the listener with passwords, where that has TLS.
    pub fn certificate(&self) -> String {
        self.dir.join("tls.pem").display().to_string()
    }

    /// `KILL`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = std::fs::read_to_string(self.dir.join("broker.pid")).unwrap();
        assert!(Command::new("kill").args(["-s", name, pid.trim()]).status().unwrap().success());
    }

    /// Kills one of several brokers, from the second on.
    pub fn kill_node(&self, node: usize) {
        let pid = std::fs::read_to_string(self.dir.join(format!("node{node}/broker.pid"))).unwrap();
        assert!(Command::new("kill").args(["-s", "KILL", pid.trim()]).status().unwrap().success());
    }

    /// Starts one of several brokers again.
    pub fn node_again(&self, node: usize) {
        self.script("node", &[&node.to_string()]);
    }

    /// Whether a partition has what is asked of it, for every partition of the cluster.
    fn all(&self, mut holds: impl FnMut(&MetadataPartition) -> bool) -> bool {
        let mut config = ClientConfig::new();
        let consumer: BaseConsumer = config.set("bootstrap.servers", &self.address).create().unwrap();
        let Ok(metadata) = consumer.fetch_metadata(None, Duration::from_secs(10)) else { return false };
        metadata.topics().iter().flat_map(MetadataTopic::partitions).all(|partition| holds(partition))
    }

    /// Whether so many replicas are in step everywhere.
    pub fn in_step(&self, replicas: usize) -> bool {
        self.all(|partition| partition.isr().len() == replicas)
    }

    /// Whether others lead what one of several brokers led.
    pub fn is_replaced(&self, node: usize) -> bool {
        self.all(|partition| usize::try_from(partition.leader()).is_ok_and(|leader| leader != node))
    }

    /// Starts it again with its data and its ports.
    pub fn again(&self) {
        self.script("start", &[]);
    }

    /// Whether the bytes stand in any file of the broker.
    pub fn on_disk(&self, bytes: &[u8]) -> bool {
        in_files(&self.dir.join("data"), bytes)
    }

    /// The same, in topics whose names begin so.
    pub fn topics_on_disk(&self, prefix: &str, bytes: &[u8]) -> bool {
        let entries = std::fs::read_dir(self.dir.join("data")).unwrap().flatten();
        let mut folders = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.any(|folder| in_files(&folder.path(), bytes))
    }
}

/// Files come and go while we look.
pub fn in_files(dir: &Path, bytes: &[u8]) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return in_files(&path, bytes);
        }
        std::fs::read(&path).is_ok_and(|content| memchr::memmem::find(&content, bytes).is_some())
    })
}

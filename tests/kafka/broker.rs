//! A real broker for tests: `scripts/kafka.sh` gets and starts it, once for all tests of a program; it stops
//! when the program ends, however it ends.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;

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
        BROKER.get_or_init(Broker::start)
    }

    fn start() -> Broker {
        let dir = tempfile::tempdir().unwrap().keep();
        let mut script = Command::new("scripts/kafka.sh")
            .args(["with", dir.to_str().unwrap()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
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

    pub fn delete_topic(&self, topic: &str) {
        let mut command = Command::new("scripts/kafka.sh");
        command.args(["delete-topic", self.dir.to_str().unwrap(), topic]);
        command.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(crate::process::output(command, b"").status.success());
    }

    /// Whether the bytes stand in any file of the broker.
    pub fn on_disk(&self, bytes: &[u8]) -> bool {
        in_files(&self.dir.join("data"), bytes)
    }
}

/// Files come and go while we look.
fn in_files(dir: &Path, bytes: &[u8]) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return in_files(&path, bytes);
        }
        std::fs::read(&path).is_ok_and(|content| memchr::memmem::find(&content, bytes).is_some())
    })
}

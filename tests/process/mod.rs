//! Child processes that end: none is waited for without a deadline, none outlives its test.

#![allow(dead_code, reason = "each test file uses its part of it")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// How long any child may take, on any machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A running service. What it says on stderr goes to a file, whose end is told when it misbehaves.
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// `log` is written anew.
    pub fn start(mut command: Command, log: PathBuf) -> Self {
        let child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        Service { child, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said until now.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The last lines of what it said.
    pub fn tail(&self) -> String {
        tail(&self.said())
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits until it ends by itself. What still runs after `within` is killed, and the test fails.
    pub fn end(&mut self, within: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.has_ended() {
                return status;
            }
            if begun.elapsed() > within {
                self.kill();
                panic!("still running after {} s; it said:\n{}", within.as_secs(), self.tail());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// `TERM`, `STOP`, `CONT`, …
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Asks it to leave, and sees that it does so in good order.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let status = self.end(PATIENCE);
        assert!(status.success(), "SIGTERM drains and exits 0, not {status}; it said:\n{}", self.tail());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("the service said:\n{}", self.tail());
        }
    }
}

fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Runs a command to its end and collects what it prints, as [`Command::output`] does; what still runs
/// after [`PATIENCE`] is killed, and the test fails.
pub fn output(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
    // A program that reads nothing closes the pipe, which is no failure.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let stdout = drain(child.stdout.take().unwrap());
    let stderr = drain(child.stderr.take().unwrap());
    let begun = Instant::now();
    let mut in_time = true;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            in_time = false;
            let _ = child.kill();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    feeder.join().unwrap();
    let output = Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(in_time, "{command:?} still ran after {} s; it said:\n{}", PATIENCE.as_secs(), tail(&said));
    output
}

fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Waits until something holds; the test fails when it does not within the time.
pub fn until(what: &str, within: Duration, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < within, "not within {} s: {what}", within.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A file for what the next service of a directory says.
pub fn next_log(dir: &Path) -> PathBuf {
    (1..).map(|number| dir.join(format!("run-{number}.log"))).find(|path| !path.exists()).unwrap()
}

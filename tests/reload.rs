//! A running service takes up what changed in its files, a source that is made, and a clock that was set; on a store
//! of its own. With a broker: `tests/kafka/reload.rs` and `tests/kafka/clock.rs`.

mod process;

use process::{PATIENCE, Service, output, until};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const POLICY: &str = r#"
id      = "fast"
summary = "an hour, and less for some"
margin  = "0s"

[[stage]]
id    = "scrub"
after = "0d"

[[stage]]
id    = "deidentify"
after = { default = "3600s", by = "account_id" }
"#;

const CONFIG: &str = r#"
listen = "off"

[embedded]
path = "store"

[[pipeline]]
source        = "logs"
policy        = "fast.toml"
accounts      = "accounts.toml"
lanes         = ["600s", "5s", "1s"]
release_every = "0s"
tick          = "1s"
"#;

fn logscrub(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
    command.current_dir(dir).args(args);
    command
}

fn lines(dir: &Path, topic: &str) -> Vec<String> {
    let printed = output(logscrub(dir, &["cat", topic]), b"").stdout;
    String::from_utf8(printed).unwrap().lines().map(str::to_owned).collect()
}

/// An account's window is cut from an hour to seconds while its records are held: they are released within
/// seconds, and nobody else's are.
#[test]
fn a_shorter_window_holds_for_what_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    file("fast.toml", POLICY);
    file("logscrub.toml", CONFIG);
    file("accounts.toml", "\"acct-9\" = \"1800s\"\n");
    let records = "{\"to\":\"+14155550132\",\"account_id\":\"acct-17\",\"status\":200}\n\
                   {\"to\":\"+447700900123\",\"account_id\":\"acct-9\",\"status\":201}\n\
                   {\"to\":\"+447700900123\",\"account_id\":\"acct-8\",\"status\":202}\n";
    assert!(output(logscrub(dir, &["put", "logs"]), records.as_bytes()).status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("all are scrubbed", PATIENCE, || lines(dir, "logs.scrubbed").len() == 3);
    assert_eq!(lines(dir, "logs.deidentified").len(), 0, "an hour is not over");

    file("accounts.toml", "\"acct-9\" = \"1800s\"\n\"acct-17\" = \"5s\"\n");
    until("the record of acct-17 is released", PATIENCE, || !lines(dir, "logs.deidentified").is_empty());
    // Nothing else follows it.
    std::thread::sleep(std::time::Duration::from_secs(3));
    let released = lines(dir, "logs.deidentified");
    assert!(matches!(released.as_slice(), [line] if line.contains("\"status\":200")), "{released:?}");
    service.stop();
}

/// What is wrong in a file is told, and what ran goes on.
#[test]
fn what_is_wrong_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    file("fast.toml", POLICY);
    file("logscrub.toml", CONFIG);
    file("accounts.toml", "");
    assert!(output(logscrub(dir, &["put", "logs"]), b"to +14155550132\n").status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("it runs", PATIENCE, || lines(dir, "logs.scrubbed").len() == 1);

    file("accounts.toml", "\"acct-17\" = \"soon\"\n");
    until("it is refused", PATIENCE, || service.said().contains("accounts.toml:1"));
    file("accounts.toml", "");
    assert!(output(logscrub(dir, &["put", "logs"]), b"to +447700900123\n").status.success());
    until("it goes on", PATIENCE, || lines(dir, "logs.scrubbed").len() == 2);
    assert_eq!(lines(dir, "logs.scrubbed"), ["to [PHONE]", "to [PHONE]"]);
    service.stop();
}

/// Our own log says where something is wrong and what, never what stands there: examples of rules are lines of
/// somebody's logs, and accounts are somebody's.
#[test]
fn what_is_wrong_is_logged_without_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    file("fast.toml", POLICY);
    file(
        "logscrub.toml",
        &CONFIG.replace("[[pipeline]]", "[[pipeline]]\nrules = \"rules\"\nregion = \"GB\""),
    );
    file("accounts.toml", "");
    std::fs::create_dir(dir.join("rules")).unwrap();
    let rule = "[[rule]]\nid = 'ours'\nclass = 'custom:ticket'\npattern = 'T-\\d+'\n";
    // A warning at the start, about a line that shows nothing.
    file("rules/ours.toml", &format!("{rule}[[rule.miss]]\nin = 'call +14155550132'\n"));
    assert!(output(logscrub(dir, &["put", "logs"]), b"started\n").status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("it runs", PATIENCE, || lines(dir, "logs.scrubbed").len() == 1);

    let hit = "[[rule.hit]]\nin = 'call +14155550132'\nfind = ['+14155550199']\n";
    file("rules/ours.toml", &format!("{rule}{hit}\"+14155550133\" = 1\n"));
    file("accounts.toml", "\"acct +14155550134\" = \"+14155550135\"\n");
    until("it is refused", PATIENCE, || service.said().contains("nothing was changed"));
    let said = service.said();
    assert!(said.contains("\"region\":\"GB\""), "{said}");
    for place in [
        "rules/ours.toml:5:1: a miss without `why`",
        "rules/ours.toml:7:9: this text does not stand in the hit's `in`",
        "rules/ours.toml:8:1: a hit has no key `…`",
        "accounts.toml:1:23: this account's window is not a length of time above zero",
    ] {
        assert!(said.contains(place), "{place} is not in\n{said}");
    }
    assert!(!said.contains("4155550"), "{said}");
    assert!(said.lines().all(|line| line.starts_with('{')), "{said}");
    service.stop();

    // Nor does a start that fails.
    let ended = output(logscrub(dir, &["run"]), b"");
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(78), "{said}");
    assert!(said.contains("rules/ours.toml:8:1: a hit has no key `…`\nhelp: "), "{said}");
    assert!(!said.contains("4155550"), "{said}");
    // `check` is for whoever wrote it.
    let shown = String::from_utf8(output(logscrub(dir, &["check"]), b"").stderr).unwrap();
    assert!(shown.contains("  7 | find = ['+14155550199']"), "{shown}");
}

/// The file that a policy names beside itself is looked at like every other.
#[test]
fn windows_that_the_policy_names_are_taken_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    std::fs::create_dir(dir.join("policies")).unwrap();
    let named = "by = \"account_id\", file = \"windows.toml\"";
    file("policies/fast.toml", &POLICY.replace("by = \"account_id\"", named));
    file("policies/windows.toml", "\"acct-17\" = \"1800s\"\n");
    let config = CONFIG.replace("\"fast.toml\"", "\"policies/fast.toml\"");
    file("logscrub.toml", &config.replace("accounts      = \"accounts.toml\"\n", ""));
    let record = b"{\"to\":\"+14155550132\",\"account_id\":\"acct-17\",\"status\":200}\n";
    assert!(output(logscrub(dir, &["put", "logs"]), record).status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("it is scrubbed", PATIENCE, || lines(dir, "logs.scrubbed").len() == 1);
    assert_eq!(lines(dir, "logs.deidentified").len(), 0, "half an hour is not over");

    file("policies/windows.toml", "\"acct-17\" = \"5s\"\n");
    until("it is released", Duration::from_secs(40), || lines(dir, "logs.deidentified").len() == 1);
    service.stop();
}

/// Under other rules than those that counted what is held, fewer are known to show the same.
#[test]
fn a_reload_says_what_it_makes_coarse() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    std::fs::create_dir(dir.join("rules")).unwrap();
    file("rules/ours.toml", "[[rule]]\nid = 'ours'\nclass = 'custom:ticket'\npattern = 'T-\\d+'\n");
    file("fast.toml", &format!("{POLICY}k = 11\n"));
    file("logscrub.toml", &CONFIG.replace("policy ", "rules = \"rules\"\npolicy "));
    file("accounts.toml", "");
    assert!(output(logscrub(dir, &["put", "logs"]), b"started\n").status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("it runs", PATIENCE, || lines(dir, "logs.scrubbed").len() == 1);

    let words = "rules or actions are others than those that counted what is held";
    file("accounts.toml", "\"acct-17\" = \"1800s\"\n");
    until("it is read", PATIENCE, || service.said().contains("were read again"));
    assert!(!service.said().contains(words), "windows make nothing coarse: {}", service.said());
    file("rules/ours.toml", "[[rule]]\nid = 'ours'\nclass = 'custom:ticket'\npattern = 'U-\\d+'\n");
    until("it is said", PATIENCE, || service.said().contains(words));
    service.stop();
}

/// Lanes that got another name, and those of a pipeline that is no more, hold what nobody would release.
#[test]
fn nothing_held_is_left_lying() {
    let named = |source: &str, held: &str| {
        let config = CONFIG.replace("\"logs\"", &format!("\"{source}\""));
        config.replace("tick ", &format!("topics = {{ held = \"{held}\" }}\ntick "))
    };
    for first in ["logs.held", "waiting"] {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        file("fast.toml", POLICY);
        file("accounts.toml", "");
        file("logscrub.toml", &named("logs", first));
        for source in ["logs", "other"] {
            assert!(output(logscrub(dir, &["put", source]), b"to +14155550132\n").status.success());
        }
        let run = |source: &str, held: &str| {
            file("logscrub.toml", &named(source, held));
            let output = output(logscrub(dir, &["run", "--once"]), b"");
            (output.status.code(), String::from_utf8(output.stderr).unwrap())
        };
        assert_eq!(run("logs", first).0, Some(0));
        let (code, said) = run("logs", "elsewhere");
        assert_eq!(code, Some(77), "{said}");
        let parts = [format!("topic `{first}."), format!("set `topics.held = \"{first}\"` until")];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        if first == "logs.held" {
            let (code, said) = run("other", "other.held");
            assert_eq!(code, Some(77), "{said}");
            assert!(said.contains("topic `logs.held.") && said.contains("no pipeline reads it"), "{said}");
        }
        assert_eq!(run("logs", first).0, Some(0));
    }
}

/// What `/readyz` answers, in one line.
fn readyz(address: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET /readyz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().last().unwrap_or_default().to_owned()
}

/// A source that is missing keeps its own pipeline waiting, and no other.
#[test]
fn a_missing_source_stops_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let file = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let missing = "\n[[pipeline]]\nsource = \"absent\"\n";
    let head = format!("listen = \"{address}\"\n[embedded]\npath = \"store\"\n");
    file("logscrub.toml", &format!("{head}{missing}{}", missing.replace("absent", "logs")));
    assert!(output(logscrub(dir, &["put", "logs"]), b"to +14155550132\n").status.success());
    let mut service = Service::start(logscrub(dir, &["run"]), dir.join("run.log"));
    until("the other runs", Duration::from_secs(20), || lines(dir, "logs.scrubbed").len() == 1);
    until("the missing one is named", PATIENCE, || {
        readyz(&address) == "waiting for the source topic: absent"
            && service.said().lines().any(|line| line.contains("WARN") && line.contains("absent"))
    });

    assert!(output(logscrub(dir, &["put", "absent"]), b"to +447700900123\n").status.success());
    until("it runs, too", PATIENCE, || lines(dir, "absent.scrubbed").len() == 1);
    until("all is ready", PATIENCE, || readyz(&address) == "ok");
    service.stop();
}

/// The embedded store has no other clock to ask: the machine's is followed, and that is said.
#[test]
fn a_clock_that_was_set_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (name, text) in [("fast.toml", POLICY), ("logscrub.toml", CONFIG), ("accounts.toml", "")] {
        std::fs::write(dir.join(name), text).unwrap();
    }
    assert!(
        output(logscrub(dir, &["put", "logs"]), b"{\"to\":\"+14155550132\",\"status\":200}\n")
            .status
            .success()
    );
    let mut command = logscrub(dir, &["run"]);
    command.env("LOGSCRUB_FAULT", "clock_jumps");
    let mut service = Service::start(command, dir.join("run.log"));
    until("it is scrubbed", PATIENCE, || lines(dir, "logs.scrubbed").len() == 1);
    assert_eq!(lines(dir, "logs.deidentified").len(), 0, "an hour is not over");
    until("the jump is told", PATIENCE, || {
        service.said().contains("the machine's clock was set, and is followed")
    });
    until("what is due by then is released", PATIENCE, || lines(dir, "logs.deidentified").len() == 1);
    service.stop();
}

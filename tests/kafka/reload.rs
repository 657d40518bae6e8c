//! Config, rules and policies change while the service runs.

use crate::process::{PATIENCE, Service, until};
use crate::site::{Site, now_ms, owned};
use std::time::Duration;

const TICKET: &str =
    "[[rule]]\nid = \"ours.ticket\"\nclass = \"custom:ticket\"\npattern = '''TCK-\\d{6}'''\n";

/// How many reloads ended so.
fn reloads(site: &Site, service: &Service, outcome: &str) -> u64 {
    let text = site.get(service, "/metrics").1;
    let name = format!("logscrub_reload_total{{outcome=\"{outcome}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

/// What becomes of a ticket that comes now.
fn ticket_becomes(site: &mut Site) -> String {
    let (now, rid) = (now_ms(), format!("rid-{:06}", site.sent.len()));
    site.put(&format!(r#"{{"value":"reopened TCK-123456","partition":1,"timestamp":{now}}}"#));
    let mut text = None;
    until("it is scrubbed", PATIENCE, || {
        text = site.seen("scrubbed").into_iter().find(|seen| seen.rid == rid).map(|seen| seen.text);
        text.is_some()
    });
    text.unwrap()
}

/// By signal and by file; what is wrong changes nothing; records go on meanwhile, each once.
#[test]
fn all_or_nothing() {
    let mut site = Site::new("reload", "20s", r#"["5s", "1s"]"#);
    site.put_made_up(50, 0, "-1s");
    site.does(&["topics", "apply"]);
    // A config of its own, since a broken one is no other program's.
    site.file("service.toml", &site.read("logscrub.toml"));
    let mut service = site.start_as("service.toml", &[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    assert!(ticket_becomes(&mut site).contains("TCK-123456"));

    // A rule more: seen by itself.
    site.file("rules/ticket.toml", TICKET);
    until("the file is seen", PATIENCE, || reloads(&site, &service, "done") == 1);
    let with_rule = ticket_becomes(&mut site);
    assert!(with_rule.contains("[CUSTOM:ticket]"), "{with_rule}");

    // A rule that is wrong, a key that is unknown, an address that cannot change, lanes that have no topics.
    let (config, policy) = (site.read("service.toml"), site.read("policy.toml"));
    let broken = [
        ("rules/ticket.toml", TICKET.replace("'''TCK", "'''(TCK"), "`(` is never closed"),
        ("service.toml", format!("{config}tock = \"1s\"\n"), "a pipeline has no key"),
        ("service.toml", config.replace("127.0.0.1:0", "127.0.0.2:0"), "`listen` cannot change"),
        ("policy.toml", policy.replace("\"20s\"", "\"30s\""), "run `logscrub topics apply`"),
    ];
    for (number, (name, text, words)) in broken.iter().enumerate() {
        let right = site.read(name);
        site.file(name, text);
        let refused = number as u64 + 1;
        until("it is refused", PATIENCE, || reloads(&site, &service, "refused") >= refused);
        let told = || {
            service.said().lines().any(|line| line.contains("nothing was changed") && line.contains(words))
        };
        until("it says why", PATIENCE, told);
        assert!(ticket_becomes(&mut site).contains("[CUSTOM:ticket]"), "the old set stays");
        site.file(name, &right);
        until("what is right again is read", PATIENCE, || reloads(&site, &service, "done") == refused + 1);
    }

    // A longer window, once its lane is there.
    site.file("policy.toml", &policy.replace("\"20s\"", "\"30s\""));
    site.does(&["topics", "apply"]);
    let done = reloads(&site, &service, "done");
    service.signal("HUP");
    until("it is asked", PATIENCE, || reloads(&site, &service, "done") > done);
    until("it says what it holds now", PATIENCE, || {
        service.said().lines().any(|line| line.contains("pipeline runs") && line.contains("reload.held.30s"))
    });
    site.put_made_up(200, 7, "-40s");
    let put_ms = now_ms();
    site.await_release(PATIENCE);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.verdict(), Ok(()));
    assert!(site.keeps_order());
    for seen in site.seen("deidentified").iter().filter(|seen| seen.timestamp_ms > put_ms + 1000) {
        let waited_ms = seen.timestamp_ms - site.sent[&seen.rid];
        let after_ms = seen.timestamp_ms - put_ms;
        assert!(waited_ms >= 30_000, "{} waited {waited_ms} ms, {after_ms} ms after the put", seen.rid);
    }
    service.stop();
}

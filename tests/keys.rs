//! The keys of pseudonyms with the real program: made, rotated, looked up, destroyed, while it runs and killed.

mod site;

use serde_json::Value;
use site::process::{self, PATIENCE, until};
use site::{STORE, Site};
use std::os::unix::fs::PermissionsExt;

const CONFIG: &str = "listen = \"off\"\n[embedded]\npath = \"store\"\n[[pipeline]]\nsource = \"logs\"\npolicy = \"./p.toml\"\n\
                      keys = \"keys\"\ntenant = \"acme\"\ntick = \"0s\"\nlanes = [\"1s\"]\n";
const POLICY: &str = r#"
id = "p"
[[stage]]
id = "scrub"
after = "0d"
[stage.do]
phone = "pseudonym"
subject_id = "pseudonym"
[[stage]]
id = "deidentify"
after = "4s"
[stage.do]
event_id = "keep"
safe = "keep"
"#;

fn site() -> Site {
    let site = Site::new();
    site.write("logscrub.toml", CONFIG);
    site.write("p.toml", POLICY);
    let _ = STORE;
    site
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn keys(site: &Site, verb: &[&str]) -> String {
    text(site.output(&[&["keys"], verb].concat(), b""))
}

/// Every pseudonym in a text.
fn tokens(text: &str) -> Vec<String> {
    text.match_indices("[ID:")
        .map(|(at, _)| text[at..].split_inclusive(']').next().unwrap().to_owned())
        .collect()
}

const LINE: &str = "{\"to\":\"+14155550132\",\"account_id\":\"acct-17\"}\n";

#[test]
fn made_rotated_listed_and_destroyed() {
    let site = site();
    assert_eq!(keys(&site, &["init"]), "k1 made\n");
    assert_eq!(keys(&site, &["rotate"]), "k2 made; it writes from now on\n");
    let list = keys(&site, &["list"]);
    assert!(
        list.starts_with("k1     recognises made 20") && list.contains("\nk2     writes     made 20"),
        "{list}"
    );
    let refused = process::output(site.command(&["keys", "destroy", "k1"]), b"");
    assert_eq!(refused.status.code(), Some(2), "what destroys needs --yes");
    let told = keys(&site, &["destroy", "k1", "--yes"]);
    assert!(
        told.contains("k1 destroyed: overwritten and deleted; copies") && told.contains("k2 writes"),
        "{told}"
    );
    let json: Value = serde_json::from_str(&keys(&site, &["list", "--json"])).unwrap();
    assert_eq!((&json[0]["state"], &json[1]["state"]), (&"destroyed".into(), &"writes".into()));
    let again = process::output(site.command(&["keys", "init"]), b"");
    assert_eq!(again.status.code(), Some(77));
    assert!(!list.contains("secret"));
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let site = site();
    keys(&site, &["init"]);
    let path = site.dir.path().join("keys/k1.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o440)).unwrap();
    site.write("in", LINE);
    for verb in [&["keys", "list"][..], &["keys", "lookup"], &["pipe", "--keys", "keys"], &["run", "--once"]]
    {
        let output = process::output(site.command(verb), LINE.as_bytes());
        let told = text(output.stderr);
        assert_eq!(output.status.code(), Some(77), "{verb:?}: {told}");
        assert!(told.contains("mode is 0440") && told.contains("run `chmod 0400 "), "{told}");
    }
}

/// What stands in a log for a number is found again from the number, and never from argv.
#[test]
fn lookup_finds_what_pipe_and_run_wrote() {
    let site = site();
    keys(&site, &["init"]);
    let pipe = &["pipe", "--policy", "./p.toml", "--keys", "keys", "--tenant", "acme"];
    let first = text(site.output(pipe, LINE.as_bytes()));
    keys(&site, &["rotate"]);
    let second = text(site.output(pipe, LINE.as_bytes()));
    assert_eq!((tokens(&first).len(), tokens(&second).len()), (2, 2), "{first}{second}");
    assert!(first.contains("[ID:k1.") && second.contains("[ID:k2.") && !second.contains("[ID:k1."));
    let phone = text(site.output(&["keys", "lookup", "--class", "phone"], b"+1 (415) 555-0132\n"));
    for written in [&first, &second] {
        assert!(phone.contains(&tokens(written)[0]), "{phone}{written}");
    }
    let json = site.output(&["keys", "lookup", "--json"], b"acct-17");
    let json: Vec<Value> = serde_json::from_slice(&json).unwrap();
    let known =
        |token: &String| json.iter().any(|row| row["token"] == *token && row["class"] == "subject_id");
    assert!(known(&tokens(&first)[1]) && known(&tokens(&second)[1]));
    // Another tenant's pseudonyms are others.
    let other = text(site.output(&["keys", "lookup", "--tenant", "other"], b"+14155550132"));
    assert!(!other.contains(&tokens(&first)[0]));
    for wrong in [&b""[..], b"a\nb"] {
        assert_eq!(process::output(site.command(&["keys", "lookup"]), wrong).status.code(), Some(2));
    }
}

/// A service takes up a new key, and that one is gone, while it runs; at the end no pseudonym is left, not even
/// one that somebody logged.
#[test]
fn a_service_follows_the_folder() {
    let site = site();
    keys(&site, &["init"]);
    site.output(&["put", "logs"], LINE.as_bytes());
    let mut service = site.start(&["run"]);
    until("it runs", PATIENCE, || service.said().contains("pipeline runs"));
    let scrubbed = |count: usize| {
        until("it is scrubbed", PATIENCE, || site.cat("logs.scrubbed").len() == count);
        text(site.cat("logs.scrubbed").pop().unwrap().value)
    };
    let first = scrubbed(1);
    assert!(first.contains("[ID:k1."), "{first}");
    keys(&site, &["rotate"]);
    until("it is taken up", PATIENCE, || service.said().contains(r#"[\"k1\", \"k2\"]"#));
    // A log that quotes what was scrubbed before, in a field that the last stage keeps.
    let quoting = format!("{{\"request_id\":\"{}\",\"account_id\":\"acct-17\"}}\n", tokens(&first)[0]);
    site.output(&["put", "logs"], quoting.as_bytes());
    let second = scrubbed(2);
    assert!(second.contains("[ID:k2."), "{second}");
    keys(&site, &["destroy", "k1", "--yes"]);
    keys(&site, &["destroy", "k2", "--yes"]);
    until("they are gone", PATIENCE, || service.said().contains(r#""keys":"[]""#));
    site.output(&["put", "logs"], LINE.as_bytes());
    assert!(!scrubbed(3).contains("[ID:"), "no key, no pseudonym");
    until("all are released", PATIENCE, || site.cat("logs.deidentified").len() == 3);
    for row in site.cat("logs.deidentified") {
        assert!(!text(row.value).contains("[ID:"), "a pseudonym outlived its window");
    }
    assert_eq!(
        process::output(site.command(&["keys", "lookup"]), b"acct-17").stdout,
        b"",
        "nobody can tell any more"
    );
    service.stop();
}

#[test]
fn without_keys_it_is_told_at_the_start() {
    let site = site();
    site.write("logscrub.toml", &CONFIG.replace("keys = \"keys\"\n", ""));
    site.output(&["put", "logs"], LINE.as_bytes());
    let told = site.told(&["run", "--once"]);
    assert!(told.contains("there are no keys") && told.contains("logscrub keys init"), "{told}");
    assert!(!text(site.cat("logs.scrubbed").pop().unwrap().value).contains("[ID:"));
}

/// Killed at any moment, a rotation leaves a folder that reads.
#[test]
fn rotations_that_are_killed() {
    let site = site();
    keys(&site, &["init"]);
    let mut finished = 0;
    for round in 0..40u64 {
        let mut child = site.command(&["keys", "rotate"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(round * 400));
        let _ = child.kill();
        finished += usize::from(child.wait().unwrap().success());
        assert!(keys(&site, &["list"]).contains("writes"), "the folder reads after {round}");
    }
    let living = keys(&site, &["list"]).lines().count();
    assert!(living > finished, "each one that said so is there: {living} of {finished}");
    for id in 1..=living {
        let id = format!("k{id}");
        let mut child = site.command(&["keys", "destroy", &id, "--yes"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(id.len() as u64 * 700));
        let _ = child.kill();
        let _ = child.wait();
        keys(&site, &["list"]);
        if site.dir.path().join(format!("keys/{id}.key")).exists() {
            keys(&site, &["destroy", &id, "--yes"]);
        }
    }
    assert!(!keys(&site, &["list"]).contains("writes"));
}

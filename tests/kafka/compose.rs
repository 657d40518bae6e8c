//! docker-compose.yml without Docker: its form, its pins, and every command in it, on a broker with its settings.

use crate::broker::Broker;
use crate::process::{self, PATIENCE, Service, until};
use logscrub::telemetry::Metric;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use yaml_rust2::{Yaml, YamlLoader};

fn read(path: &str) -> Yaml {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap().remove(0)
}

fn words(list: &Yaml) -> Vec<String> {
    list.as_vec().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// A container's command line as it is here: paths as they are mounted, the broker that is there.
fn command(name: &str, service: &Yaml, broker: &Broker) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mounts: BTreeMap<String, String> = words(&service["volumes"])
        .iter()
        .map(|mount| {
            let mut parts = mount.split(':');
            let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
            (to.to_owned(), root.join(from).display().to_string())
        })
        .collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_logscrub"));
    for mut word in words(&service["command"]) {
        for (to, from) in &mounts {
            word = word.replace(to, from);
        }
        command.arg(word);
    }
    command.env("LOGSCRUB__KAFKA__BOOTSTRAP_SERVERS", &broker.address);
    command.env("LOGSCRUB__LISTEN", "127.0.0.1:0").env("LOGSCRUB__INSTANCE", name);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

#[test]
fn every_command_of_the_compose_file_runs() {
    let mut check = Command::new("scripts/compose-check");
    check.current_dir(env!("CARGO_MANIFEST_DIR"));
    let checked = process::output(check, b"");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let services = &read("docker-compose.yml")["services"];
    let mut names = Vec::new();
    for (name, service) in services.as_hash().unwrap() {
        let (image, name) = (service["image"].as_str().unwrap(), name.as_str().unwrap());
        let tag = image.rsplit_once(':').expect("a tag").1;
        assert!(tag == "local" || tag.chars().any(|c| c.is_ascii_digit()), "{image} is not pinned");
        let once = ["source", "topics", "traffic"].contains(&name);
        assert_eq!(service["healthcheck"]["test"].is_array(), !once, "{name} says how it is");
        names.push(name);
    }
    assert_eq!(names, ["kafka", "source", "topics", "traffic", "logscrub", "prometheus"]);

    // `KAFKA_SOME_NAME` of the image is `some.name` of the broker; where it listens is the script's.
    let mut settings = String::new();
    for (name, value) in services["kafka"]["environment"].as_hash().unwrap() {
        let name = name.as_str().unwrap().strip_prefix("KAFKA_").unwrap().to_lowercase().replace('_', ".");
        let place = ["listener", "quorum", "log.dirs", "node.id"].iter().any(|part| name.contains(part));
        if !place {
            settings += &format!("{name}={}\n", value.as_str().unwrap());
        }
    }
    let broker = Broker::own(&[("KAFKA_EXTRA", &settings)]);
    for name in ["source", "topics"] {
        let output = process::output(command(name, &services[name], &broker), b"");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| Service::start(command(name, &services[name], &broker), dir.path().join(name));
    let mut traffic = run("traffic");
    let mut service = run("logscrub");
    until("it answers", PATIENCE, || service.said().contains("metrics at http://"));
    let said = service.said();
    let address = said.split("metrics at http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let port = address.rsplit(':').next().unwrap();
    let health: Vec<String> = words(&services["logscrub"]["healthcheck"]["test"])
        .iter()
        .skip(1)
        .map(|word| word.replace("9464", port))
        .collect();
    until("it is healthy", PATIENCE, || {
        let mut check = Command::new(&health[0]);
        check.args(&health[1..]);
        process::output(check, b"").status.success()
    });
    until("traffic is scrubbed", PATIENCE, || {
        let mut cat = command("cat", &services["topics"], &broker);
        let config = cat.get_args().last().unwrap().to_owned();
        cat = Command::new(env!("CARGO_BIN_EXE_logscrub"));
        cat.args(["cat", "ops.logs.scrubbed", "-c"]).arg(config);
        cat.env("LOGSCRUB__KAFKA__BOOTSTRAP_SERVERS", &broker.address);
        process::output(cat, b"").stdout.len() > 100
    });
    assert!(!service.said().contains("\"help\""), "the check warns of nothing: {}", service.tail());
    traffic.kill();
    service.stop();
}

#[test]
fn alerts_name_metrics_that_there_are() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/compose/alerts.yml"));
    let text = text.unwrap();
    read("tools/compose/prometheus.yml");
    let mut found = 0;
    for (at, _) in text.match_indices("logscrub_") {
        let name: String = text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
        assert!(Metric::ALL.iter().any(|metric| metric.name() == name), "{name}");
        found += 1;
    }
    assert!(found >= 5);
}

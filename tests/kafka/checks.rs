//! What a start refuses, each with its message.

use crate::broker::Broker;
use crate::process;
use crate::site::Site;
use logscrub::stage::clock::ManualClock;
use logscrub::stage::store::{Position, Session, SessionSpec, Store, TopicSpec, Writer};
use logscrub::store::kafka::Kafka;

/// Refused with a message that has these parts.
fn refused(site: &Site, parts: &[&str]) {
    let output = site.output(&["run", "--once"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(77), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

/// A site with its topics.
fn site_on(broker: &Broker, source: &str) -> Site {
    let site = Site::on(broker, source, "1h", r#"["10min"]"#);
    let store = Kafka::open(crate::options_on(broker)).unwrap();
    store.ensure(&TopicSpec { name: source.into(), partitions: 2, compacted: false }).unwrap();
    site.does(&["topics", "apply"]);
    site
}

/// Changes one setting of a topic.
fn set(broker: &Broker, topic: &str, name: &'static str, value: &str) {
    let store = Kafka::open(crate::options_on(broker)).unwrap();
    let state = store.topic_state(topic).unwrap().unwrap();
    store.change_settings(topic, &state, &[(name, value.to_owned())].into()).unwrap();
}

#[test]
fn each_wrong_setting_of_a_topic_is_refused_and_mended() {
    let broker = Broker::get();
    let site = site_on(broker, "rows");
    site.does(&["run", "--once"]);
    for (topic, name, value) in [
        ("rows.held.1h", "cleanup.policy", "compact"),
        ("rows.held.1h", "message.timestamp.type", "CreateTime"),
        ("rows.held.1h", "retention.ms", "-1"),
        ("rows.held.10min", "retention.bytes", "1000000"),
        ("rows.held.10min", "segment.ms", "604800000"),
        ("rows.held.10min", "segment.jitter.ms", "1000"),
        ("rows.held.1h", "max.message.bytes", "1000"),
        ("rows.held.1h", "min.insync.replicas", "2"),
        ("rows.held.1h", "unclean.leader.election.enable", "true"),
        ("rows.scrubbed", "retention.ms", "-1"),
        ("rows.scrubbed", "compression.type", "gzip"),
        ("rows.deidentified", "message.timestamp.type", "CreateTime"),
        ("rows.progress", "cleanup.policy", "delete"),
    ] {
        set(broker, topic, name, value);
        refused(
            &site,
            &[&format!("{topic}: `{name}` is `{value}` and must be `"), "run `logscrub topics apply`"],
        );
        site.does(&["topics", "apply"]);
    }
    site.does(&["topics", "verify"]);
    // What deletion is slower by is told, and no reason to stand still.
    for (name, value, words) in [
        ("segment.bytes", "1073741824", "and should be `268435456`; run `logscrub topics apply`"),
        (
            "file.delete.delay.ms",
            "120000",
            "stays on the disk for longer than is said; set it to 60000 or less",
        ),
    ] {
        set(broker, "rows.held.1h", name, value);
        let told = site.does(&["topics", "verify"]);
        assert!(told.contains(&format!("warning: rows.held.1h: `{name}` is `{value}`")), "{told}");
        assert!(told.contains(words), "{told}");
        site.does(&["run", "--once"]);
    }
    set(broker, "rows.held.1h", "file.delete.delay.ms", "60000");
    site.does(&["topics", "apply"]);
    assert!(!site.does(&["topics", "verify"]).contains("warning: rows.held"));
    // The source grows.
    let store = Kafka::open(crate::options_on(broker)).unwrap();
    store.add_partitions("rows", 3).unwrap();
    refused(&site, &["rows.held.1h: has 2 partitions, the source has 3; run `logscrub topics apply`"]);
    site.does(&["topics", "apply"]);
    site.does(&["run", "--once"]);
    set(broker, "rows", "cleanup.policy", "compact");
    refused(&site, &["rows: `cleanup.policy` is `compact`", "set `cleanup.policy=delete` on the source"]);
    set(broker, "rows", "cleanup.policy", "delete");
    set(broker, "rows", "max.message.bytes", "19000000");
    refused(&site, &["rows: `max.message.bytes` is above 18000000"]);
}

/// What nobody purges in the source must be gone with the shortest window, whoever's it is.
#[test]
fn the_source_keeps_nothing_for_longer_than_an_account_is_promised() {
    let broker = Broker::get();
    let site = site_on(broker, "promised");
    let config = site.read("logscrub.toml").replace("purge_source = true\n", "");
    site.file("logscrub.toml", &config);
    let policy = |events: &str| {
        format!(
            "id = \"promised\"\nclock = \"record\"\n[[stage]]\nid = \"scrub\"\nafter = \"0d\"\n[[stage]]\n\
             id = \"deidentify\"\nafter = {{ default = \"30d\", by = \"account_id\", file = \"accounts.toml\" }}\n{events}"
        )
    };
    site.file("policy.toml", &policy(""));
    // Kafka's own: seven days, and segments of seven.
    set(broker, "promised", "retention.ms", "604800000");
    set(broker, "promised", "segment.ms", "604800000");
    site.file("accounts.toml", "\"acct-1\" = \"10d\"\n");
    site.does(&["topics", "apply"]);
    refused(
        &site,
        &[
            "promised: keeps originals for 1209", // 600 s, and what the broker takes
            "and the shortest window of an account is 864000 s; set `purge_source = true`",
        ],
    );
    site.file("accounts.toml", "\"acct-1\" = \"20d\"\n");
    site.does(&["run", "--once"]);
    site.file("accounts.toml", "");
    site.file("policy.toml", &policy("").replace("\"30d\"", "\"12d\""));
    site.does(&["topics", "apply"]);
    refused(&site, &["and the first window is 1036800 s"]);
    // Nobody knows whether an event comes.
    let event = "[[event]]\nid = \"closed\"\nwhen = { field = \"kind\", equals = [\"closed\"] }\n\
                 by = \"account_id\"\nafter = \"1d\"\n";
    site.file("policy.toml", &policy(event));
    site.does(&["topics", "apply"]);
    let told = site.does(&["topics", "verify"]);
    assert!(told.contains("warning: promised: keeps originals for 1209"), "{told}");
    assert!(told.contains("and event `closed` ends windows 86400 s after it"), "{told}");
    site.does(&["run", "--once"]);
}

#[test]
fn another_reader_of_the_source_is_refused_until_it_is_named() {
    let broker = Broker::get();
    let site = site_on(broker, "read");
    let store = Kafka::open(crate::options_on(broker)).unwrap();
    {
        let topics = vec!["read".into()];
        let spec = SessionSpec { reader: "billing".into(), slot: "billing".into(), topics };
        let mut session = store.join(&spec).unwrap();
        let (reader, writer) = session.halves();
        let place = crate::assigned(reader);
        writer.commit(&[Position { place, next: 0 }]).unwrap();
    }
    refused(&site, &["group `billing` reads it too", "add the group to `purge_after_groups`"]);
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("{config}purge_after_groups = [\"billing\"]\n"));
    site.does(&["run", "--once"]);
}

#[test]
fn a_clock_that_is_apart_is_seen() {
    let broker = Broker::get();
    let site = site_on(broker, "clocks");
    let store = Kafka::open(crate::options_on(broker)).unwrap();
    let ahead = |clock| store.clock_ahead_ms("clocks.progress", clock).unwrap();
    assert!(ahead(&logscrub::service::clock::SystemClock).abs() < 1000);
    let behind = ManualClock::at(crate::site::now_ms() - 3_600_000);
    assert!((3_590_000..3_700_000).contains(&ahead(&behind)));
    site.does(&["topics", "verify"]);
}

/// The site's config for the listener with passwords.
fn with_password(site: &Site, broker: &Broker, protocol: &str, mechanism: &str) -> String {
    let config = site.read("logscrub.toml").replace(&broker.address, &broker.sasl_address());
    let login = format!(
        "[kafka]\n\"security.protocol\" = \"{protocol}\"\n\"sasl.mechanism\" = \"{mechanism}\"\n\
         \"sasl.username\" = \"logscrub\"\n\"sasl.password\" = \"swordfish\"\n"
    );
    config.replace("[kafka]\n", &login)
}

/// Everything goes over a listener with TLS and SCRAM; whom we cannot know, and whoever does not know us, is
/// refused.
#[test]
fn tls_and_scram() {
    let broker = Broker::own(&[("KAFKA_SASL", "tls")]);
    let mut site = Site::on(&broker, "sealed", "6s", r#"["2s", "1s"]"#);
    let config = with_password(&site, &broker, "sasl_ssl", "SCRAM-SHA-512");
    let known = format!("[kafka]\n\"ssl.ca.location\" = \"{}\"\n", broker.certificate());
    let right = config.replace("[kafka]\n", &known);
    site.file("logscrub.toml", &right);
    site.put_made_up(100, 1, "-3s");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    site.await_release(process::PATIENCE);
    assert_eq!(site.verdict(), Ok(()));
    service.stop();
    let stranger = ["does not accept who we are, or we do not accept it", "`ssl.*`"];
    site.file("logscrub.toml", &config);
    refused(&site, &stranger);
    site.file("logscrub.toml", &right.replace("swordfish", "wrong"));
    refused(&site, &stranger);
    site.file("logscrub.toml", &right.replace("SCRAM-SHA-512", "PLAIN"));
    site.does(&["topics", "verify"]);
}

/// One broker on which everything is wrong.
#[test]
fn a_broker_that_breaks_promises_is_refused() {
    let broker = Broker::own(&[
        ("KAFKA_SASL", "plain"),
        (
            "KAFKA_EXTRA",
            "transaction.max.timeout.ms=20000\ntransaction.partition.verification.enable=false\n\
             auto.create.topics.enable=true\noffsets.retention.minutes=10\n",
        ),
    ]);
    let site = site_on(&broker, "wrongs");
    refused(
        &site,
        &[
            "broker 1: `transaction.max.timeout.ms` is `20000`, and our transactions may take 30000",
            "broker 1: `transaction.partition.verification.enable` is `false`",
            "`auto.create.topics.enable` is `true`",
            "`offsets.retention.minutes` is `10`",
        ],
    );
    // The rights are another user's.
    let config = with_password(&site, &broker, "sasl_plaintext", "PLAIN");
    site.file("logscrub.toml", &config);
    broker.forbid("Delete", "wrongs.held.1h");
    refused(&site, &["records of `wrongs.held.1h` may not be deleted; grant DELETE on it"]);
    site.file("logscrub.toml", &config.replace("swordfish", "wrong"));
    refused(&site, &["does not accept who we are", "check `security.protocol`, `sasl.*`"]);
}

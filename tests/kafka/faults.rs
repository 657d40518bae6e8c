//! What goes wrong around the service, on the real broker.

use crate::broker::Broker;
use crate::process::{PATIENCE, Service, until};
use crate::site::{Site, now_ms, owned};
use logscrub::stage::outcome::{Outcome, Tally};
use logscrub::stage::store::{Flow, Store};
use logscrub::store::kafka::Kafka;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LANES: &str = r#"["2s", "1s"]"#;

/// A site with its topics and one record.
fn site(broker: &Broker, source: &str) -> Site {
    let mut site = Site::on(broker, source, "6s", LANES);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    site.make_other();
    site
}

/// Everything came out once, and in order.
fn judge(site: &Site) {
    site.await_release(PATIENCE);
    // Whatever would come twice still has the time to.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(site.verdict(), Ok(()));
    assert!(site.keeps_order());
}

fn is_stopped(service: &Service) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", service.id())).unwrap();
    stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
}

/// It stands still in the middle of a transaction, for longer than its session lasts; another takes over;
/// then it comes back and believes that nothing happened.
#[test]
fn a_zombie_is_fenced() {
    let mut site = site(Broker::get(), "zombie");
    let mut zombie = site.start(&[("LOGSCRUB_CRASH_AT", "after_flush:6:stop")]);
    until("it stands still", PATIENCE, || {
        site.put_made_up(50, site.sent.len(), "-9s");
        is_stopped(&zombie)
    });
    let mut other = site.start_as("other.toml", &[]);
    site.put_made_up(100, 7, "-9s");
    site.await_release(PATIENCE);
    zombie.signal("CONT");
    site.put_made_up(100, 8, "-9s");
    until("it is back", PATIENCE, || owned(&zombie) == 8 && owned(&other) == 8);
    judge(&site);
    zombie.stop();
    other.stop();
    assert_eq!(site.verdict(), Ok(()));
}

/// It stands still in its transactions until the broker has given them up, again and again: that looks like
/// another owner of its slot, and is none.
#[test]
fn a_transaction_that_the_broker_gave_up_is_done_again() {
    let broker =
        Broker::own(&[("KAFKA_EXTRA", "transaction.abort.timed.out.transaction.cleanup.interval.ms=500")]);
    let mut site = site(&broker, "late");
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &config.replace("[kafka]\n", "[kafka]\n\"transaction.timeout.ms\" = 10000\n"));
    let mut service = site.start(&[("LOGSCRUB_CRASH_AT", "after_flush:6:stop:3")]);
    for _ in 0..3 {
        until("it stands still", PATIENCE, || {
            site.put_made_up(50, site.sent.len(), "-9s");
            is_stopped(&service)
        });
        std::thread::sleep(Duration::from_secs(12));
        // One of its workers may reach the point again at once: that it went on is seen by what comes out.
        service.signal("CONT");
    }
    judge(&site);
    let times = service.said().matches("the log lets this slot do no more").count();
    assert!(times >= 3 && service.said().contains("\"joined again\""), "{times} times\n{}", service.tail());
    service.stop();
}

/// Two live processes of one slot: one of them goes, and says why; the other one does all the work.
#[test]
fn a_second_process_of_a_slot_is_refused() {
    let mut site = site(Broker::get(), "twins");
    let mut first = site.start(&[]);
    until("it runs", PATIENCE, || owned(&first) == 16);
    let mut second = site.start(&[]);
    let mut ended = None;
    until("one of them leaves", PATIENCE, || {
        site.put_made_up(50, site.sent.len(), "-9s");
        ended = first.has_ended().map(|status| (status, true));
        ended = ended.or_else(|| second.has_ended().map(|status| (status, false)));
        ended.is_some()
    });
    let (status, is_first) = ended.unwrap();
    let (gone, mut left) = if is_first { (first, second) } else { (second, first) };
    assert_eq!(status.code(), Some(77), "{}", gone.tail());
    for part in ["another process took over this slot", "give each process an `instance` of its own"] {
        assert!(gone.said().contains(part), "{}", gone.tail());
    }
    until("the other one has all partitions", PATIENCE, || owned(&left) == 16);
    judge(&site);
    left.stop();
}

#[test]
fn one_joins_and_one_leaves() {
    let mut site = site(Broker::get(), "joins");
    let mut first = site.start(&[]);
    site.put_made_up(200, 1, "-9s");
    let mut second = site.start_as("other.toml", &[]);
    until("each has half of both groups", PATIENCE, || {
        site.put_made_up(50, site.sent.len(), "-9s");
        owned(&first) == 8 && owned(&second) == 8
    });
    first.stop();
    site.put_made_up(200, 2, "-9s");
    until("the second has all", PATIENCE, || owned(&second) == 16);
    judge(&site);
    second.stop();
}

/// Three brokers, three replicas: each of two that lead partitions is killed in its turn, and another leads on.
#[test]
fn a_leader_is_lost() {
    let broker = Broker::own(&[("KAFKA_NODES", "3")]);
    let mut site = site(&broker, "leaders");
    // With fewer replicas it would say so.
    site.does(&["topics", "verify"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    for node in [2, 3] {
        site.put_made_up(200, node, "-9s");
        broker.kill_node(node);
        until("another leads", PATIENCE, || broker.is_replaced(node));
        site.put_made_up(200, node + 10, "-9s");
        site.await_release(PATIENCE);
        broker.node_again(node);
        // Before that, the next loss would be one too many.
        until("every replica is in step", PATIENCE, || broker.in_step(3));
    }
    site.put_made_up(200, 1, "-9s");
    judge(&site);
    service.stop();
}

/// Under a running service it is said and refused; what it is given when it comes back is not what it had.
#[test]
fn the_source_grows() {
    let mut site = site(Broker::get(), "grows");
    let config = site.read("logscrub.toml");
    site.file(
        "logscrub.toml",
        &config.replace("[kafka]\n", "[kafka]\n\"topic.metadata.refresh.interval.ms\" = 1000\n"),
    );
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    let store = Kafka::open(crate::options()).unwrap();
    store.add_partitions("grows", 6).unwrap();
    assert_eq!(service.end(PATIENCE).code(), Some(77), "{}", service.tail());
    let words = "topic `grows` has grown: it has a partition 5, our own topics have 4 partitions";
    assert!(service.said().contains(words), "{}", service.tail());
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    let now = now_ms();
    let line =
        |partition| format!(r#"{{"value":"to +14155550132","partition":{partition},"timestamp":{now}}}"#);
    site.put(&(0..6).map(line).collect::<Vec<_>>().join("\n"));
    until("it owns all partitions", PATIENCE, || owned(&service) == 24);
    judge(&site);
    service.stop();
}

#[test]
fn the_broker_stands_still_and_dies() {
    let broker = Broker::own(&[]);
    let mut site = site(&broker, "outage");
    let mut service = site.start(&[]);
    site.put_made_up(200, 1, "-9s");
    until("it runs", PATIENCE, || owned(&service) == 16);
    broker.signal("STOP");
    std::thread::sleep(Duration::from_secs(25));
    broker.signal("CONT");
    site.put_made_up(200, 2, "-9s");
    broker.signal("KILL");
    std::thread::sleep(Duration::from_secs(3));
    broker.again();
    site.put_made_up(200, 3, "-9s");
    judge(&site);
    service.stop();
}

/// librdkafka's consumers do that after a broker came back, now and then: no error, no record.
#[test]
fn a_client_that_fetches_no_more_is_made_anew() {
    let mut site = site(Broker::get(), "still");
    let mut service = site.start(&[("LOGSCRUB_FAULT", "stand_still")]);
    site.put_made_up(100, 1, "-9s");
    judge(&site);
    assert!(service.said().contains("the client fetches none"), "{}", service.tail());
    service.stop();
}

#[test]
fn the_broker_is_away_for_two_minutes() {
    let broker = Broker::own(&[]);
    let mut site = site(&broker, "away");
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("drain_timeout = \"3s\"\n{config}"));
    let mut service = site.start(&[]);
    site.put_made_up(200, 1, "-9s");
    until("it runs", PATIENCE, || owned(&service) == 16);
    broker.signal("KILL");
    std::thread::sleep(Duration::from_secs(120));
    assert!(service.has_ended().is_none(), "it waits for the broker");
    broker.again();
    site.put_made_up(200, 2, "-9s");
    judge(&site);
    // Told to leave while nobody answers, it does not wait for ever.
    broker.signal("STOP");
    service.signal("TERM");
    assert_eq!(service.end(Duration::from_secs(30)).code(), Some(69), "{}", service.tail());
    assert!(service.said().contains("`drain_timeout`"), "{}", service.tail());
    broker.signal("CONT");
}

/// The group is forgotten, and records fell due while nobody ran: our own progress tells where to go on.
#[test]
fn positions_are_gone() {
    let broker = Broker::get();
    let mut site = site(broker, "gone");
    let config = site.read("logscrub.toml");
    // Without purges everything is still there to be taken twice.
    site.file("logscrub.toml", &config.replace("purge_interval = \"1s\"", "purge_interval = \"1h\""));
    let mut service = site.start(&[]);
    site.put_made_up(200, 1, "-9s");
    until("all are scrubbed or released", PATIENCE, || {
        let released = site.ids("deidentified");
        let seen: BTreeSet<String> = site.ids("scrubbed").into_keys().chain(released.into_keys()).collect();
        seen.len() == site.sent.len()
    });
    service.stop();
    std::thread::sleep(Duration::from_secs(8));
    for group in ["logscrub.gone.scrub", "logscrub.gone.lanes"] {
        until("the group is forgotten", PATIENCE, || broker.forget(group));
    }
    site.put_made_up(50, 2, "-1s");
    let mut service = site.start(&[]);
    judge(&site);
    service.stop();
}

/// Records go before anybody has read them, and the reader stands at a place that is no more: they are counted
/// as expired, and it goes on behind them.
#[test]
fn a_log_that_is_cut_is_read_on() {
    let mut site = Site::on(Broker::get(), "cut", "30s", LANES);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    site.put_made_up(200, 1, "-1s");
    until("all are scrubbed", PATIENCE, || site.ids("scrubbed").len() == site.sent.len());
    service.signal("STOP");
    until("it stands still", PATIENCE, || is_stopped(&service));
    // The answer to its last question may hold any of these, or none; and nothing that comes later.
    site.put_made_up(10, 2, "-1s");
    std::thread::sleep(Duration::from_secs(2));
    let before = site.sent.len();
    site.put_made_up(100, 3, "-1s");
    let cut = site.sent.len();
    let store = Kafka::open(crate::options()).unwrap();
    for bounds in store.bounds("cut").unwrap() {
        store.purge("cut", bounds.partition, bounds.end).unwrap();
    }
    service.signal("CONT");
    site.put_made_up(50, 4, "-1s");
    let seen = |site: &Site| -> BTreeSet<String> {
        site.ids("scrubbed").into_keys().chain(site.ids("deidentified").into_keys()).collect()
    };
    let rids: Vec<String> = site.sent.keys().cloned().collect();
    until("what comes after the cut is taken", PATIENCE, || {
        let seen = seen(&site);
        rids[cut..].iter().all(|rid| seen.contains(rid))
    });
    let came = seen(&site);
    let lost = rids.iter().filter(|rid| !came.contains(*rid)).count();
    assert!(rids[..before - 10].iter().all(|rid| came.contains(rid)), "what was taken stays");
    assert!(!rids[before..cut].iter().any(|rid| came.contains(rid)), "what was cut is gone");
    // Each put is a transaction, whose end takes an offset of each of the four partitions.
    let mut expired = 0;
    until("the lost are counted", PATIENCE, || {
        let text = site.get(&service, "/metrics").1;
        let name = r#"logscrub_records_total{pipeline="cut",stage="scrub",outcome="expired"} "#;
        let count = text.lines().find_map(|line| line.strip_prefix(name)?.parse::<usize>().ok());
        expired = count.unwrap_or(0);
        expired >= lost
    });
    assert!(expired <= lost + 12, "{expired} offsets for {lost} records");
    site.sent.retain(|rid, _| came.contains(rid));
    judge(&site);
    service.stop();
}

/// A reader sees either all that a transaction wrote to a partition or nothing: at any moment a partition
/// has as many scrubbed records as some committed count says.
#[test]
fn a_reader_never_sees_half_a_transaction() {
    let mut site = Site::new("torn", "20s", LANES);
    site.put_made_up(1, 0, "-1s");
    site.does(&["topics", "apply"]);
    let reader = Kafka::open(crate::options()).unwrap();
    let scrubbed = |partition: i32| {
        let mut count = 0;
        let visit = &mut |_: &logscrub::stage::store::Fetched<'_>| {
            count += 1;
            Flow::Next
        };
        reader.scan("torn.scrubbed", partition, 0, visit).unwrap();
        count
    };
    let done = AtomicBool::new(false);
    let mut seen = vec![BTreeSet::new(); 4];
    std::thread::scope(|scope| {
        let looks = scope.spawn(|| {
            let mut seen = vec![BTreeSet::new(); 4];
            while !done.load(Ordering::SeqCst) {
                for partition in 0..4 {
                    seen[partition as usize].insert(scrubbed(partition));
                }
            }
            seen
        });
        for round in 0..4 {
            let mut service = site.start(&[]);
            site.put_made_up(2000, round, "-2s");
            std::thread::sleep(Duration::from_millis(1500));
            service.kill();
        }
        let mut service = site.start(&[]);
        judge(&site);
        service.stop();
        done.store(true, Ordering::SeqCst);
        seen = looks.join().unwrap();
    });
    for partition in 0..4 {
        let mut committed = BTreeSet::from([0]);
        let visit = &mut |fetched: &logscrub::stage::store::Fetched<'_>| {
            if fetched.record.key == Some(b"outcomes/scrub/scrub/torn") {
                let tally = Tally::from_json(fetched.record.value.unwrap()).unwrap();
                committed.insert(tally.of(Outcome::Emitted));
            }
            Flow::Next
        };
        reader.scan("torn.counts", partition, 0, visit).unwrap();
        let torn: Vec<_> = seen[partition as usize].difference(&committed).collect();
        assert!(torn.is_empty(), "{torn:?} of partition {partition} are no committed counts: {committed:?}");
    }
    let looks: usize = seen.iter().map(BTreeSet::len).sum();
    assert!(looks > 5, "only {looks} different counts were seen");
}

/// The source takes larger records than it did when the topics were made: what cannot be written is
/// withheld, and the rest goes on.
#[test]
fn a_record_that_no_topic_takes_is_withheld() {
    let mut site = Site::new("large", "20s", LANES);
    site.put_made_up(1, 1, "-1s");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("it runs", PATIENCE, || owned(&service) == 16);
    let store = Kafka::open(crate::options()).unwrap();
    let state = store.topic_state("large").unwrap().unwrap();
    store.change_settings("large", &state, &[("max.message.bytes", "4000000".to_owned())].into()).unwrap();
    let (value, now) = ("no such thing ".repeat(200_000), now_ms());
    site.put(&format!(r#"{{"value":"{value}","partition":0,"timestamp":{now}}}"#));
    site.put_made_up(10, 2, "-1s");
    until("a notice stands in quarantine", PATIENCE, || {
        site.does(&["cat", "large.quarantine"]).contains(r#""reason":"too_large""#)
    });
    until("the rest is scrubbed and released", PATIENCE, || {
        site.lines("scrubbed").len() >= 11 && site.lines("deidentified").len() == 12
    });
    let withheld = |topic: &str| {
        let lines = site.lines(topic);
        lines.iter().filter(|line| line.contains("[WITHHELD:reason=too_large,bytes=2800000]")).count()
    };
    assert_eq!((withheld("scrubbed"), withheld("deidentified")), (1, 1));
    service.stop();
}

//! What the service costs on a real Kafka, which `scripts/kafka.sh` gets and starts.
//!
//!     cargo bench --bench kafka -- copy [RECORDS]    CPU and time of scrub, beside bare transactional copies
//!     cargo bench --bench kafka -- partitions [RECORDS]    CPU of scrub with 1 to 256 partitions
//!     cargo bench --bench kafka -- idle [SECONDS]    CPU and memory while 200 partitions wait for their heads
//!
//! A bare copy reads the same topic with the same client, writes each record with a header as long as ours, and
//! commits its positions in the same transactions (200 ms or 10,000 records). Scrub alone writes each record once,
//! like the first copy; with lanes it writes each twice, like the second, whose other record has no header. Each
//! figure is the median of five rounds in which everything takes its turn, without what the start of the process
//! takes.

#[path = "../tests/kafka/broker.rs"]
#[allow(dead_code)]
mod broker;
#[path = "../tests/process/mod.rs"]
mod process;
#[path = "../tests/kafka/site.rs"]
#[allow(dead_code)]
mod site;

use broker::Broker;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use site::{Site, cpu_seconds, memory_mb, owned};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PARTITIONS: i32 = 4;
const HEADER: &str = "v1 default scrub r=0123456789ab t=1795262709123";

fn main() {
    // `cargo bench` adds flags of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let number = |default| words.get(1).and_then(|word| word.parse().ok()).unwrap_or(default);
    match words.first().map(String::as_str) {
        Some("copy") => copy(number(200_000)),
        Some("partitions") => partitions(number(100_000)),
        Some("idle") => idle(number(180) as u64),
        // All benches are run: this one takes a broker and minutes.
        _ => println!("kafka: name what to measure: copy, partitions or idle"),
    }
}

/// User and system time in seconds: of a process, or of our own ended children.
fn cpu(pid: &str, children: bool) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap();
    (if children { ticks(13) + ticks(14) } else { ticks(11) + ticks(12) }) / 100.0
}

/// CPU and wall time of something that our children do.
fn measured(what: impl FnOnce()) -> (f64, f64) {
    let (before, begun) = (cpu("self", true), Instant::now());
    what();
    (cpu("self", true) - before, begun.elapsed().as_secs_f64())
}

fn config(broker: &Broker) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &broker.address).set("compression.type", "none");
    config
}

const ROUNDS: usize = 5;

/// CPU and wall time of the rounds of one thing.
#[derive(Default)]
struct Rounds(Vec<(f64, f64)>);

impl Rounds {
    fn median(&self, of: fn(&(f64, f64)) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.0.iter().map(of).collect();
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    }

    fn tell(&self, what: &str, records: usize) -> f64 {
        let cpu = self.median(|(cpu, _)| *cpu) * 1e6 / records as f64;
        println!("{what:<26} {cpu:>6.2} us of CPU a record, {:.2} s", self.median(|(_, wall)| *wall));
        cpu
    }
}

fn copy(records: usize) {
    let broker = Broker::get();
    let (alone, held) = (site("alone", "", records, PARTITIONS), site("held", "90d", records, PARTITIONS));
    for topic in ["copied", "copied.held"] {
        alone.does(&["put", topic, "--partitions", "4"]);
    }
    let [mut once, mut twice, mut scrub, mut hold] = [(); 4].map(|()| Rounds::default());
    for round in 0..ROUNDS {
        // The broker is warm after the first.
        bare(broker, &format!("warm-{round}"), records, &["copied"]);
        once.0.push(bare(broker, &format!("once-{round}"), records, &["copied"]));
        scrub.0.push(scrubbed(broker, &alone));
        twice.0.push(bare(broker, &format!("twice-{round}"), records, &["copied", "copied.held"]));
        hold.0.push(scrubbed(broker, &held));
    }
    println!("{records} records of {PARTITIONS} partitions:");
    let (once, scrub) = (once.tell("bare copy", records), scrub.tell("scrub, nothing held", records));
    println!("ratio {:.2}", scrub / once);
    let (twice, hold) =
        (twice.tell("bare copy, written twice", records), hold.tell("scrub and hold", records));
    println!("ratio {:.2}", hold / twice);
}

fn partitions(records: usize) {
    let broker = Broker::get();
    let counts = [1, 4, 16, 64, 256];
    let sites = counts.map(|count| site(&format!("p{count}"), "", records, count));
    let mut all = counts.map(|_| Rounds::default());
    for _ in 0..ROUNDS {
        for (site, rounds) in sites.iter().zip(&mut all) {
            rounds.0.push(scrubbed(broker, site));
        }
    }
    println!("{records} records, scrub, nothing held:");
    for (count, rounds) in counts.iter().zip(&all) {
        rounds.tell(&format!("{count} partitions"), records);
    }
}

/// A source with so many made-up records; a policy of one stage where no window is given.
fn site(source: &str, window: &str, records: usize, partitions: i32) -> Site {
    let site = Site::new(source, window, r#"["1h"]"#);
    let config = site.read("logscrub.toml").replace("purge_source = true", "purge_source = false");
    // What makes a test know a record again costs.
    let config = config.replace("headers = [\"rid\"]\n", "").replace("rules = \"rules\"\n", "");
    site.file("logscrub.toml", &config);
    if window.is_empty() {
        let policy = site.read("policy.toml");
        site.file("policy.toml", policy.rsplit_once("[[stage]]").unwrap().0);
    }
    let (lines, partitions) = (records.to_string(), partitions.to_string());
    let made_up =
        ["gen", "--records", "--partitions", &partitions, "--from", "-1s", "--to", "now", "--lines", &lines];
    let lines = site.does(&made_up);
    let put = site.command(&["put", source, "--records", "--partitions", &partitions]);
    let output = process::output(put, lines.as_bytes());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site.does(&["topics", "apply"]);
    site
}

/// CPU and wall time of scrub from the source's start to its end, without that of a start.
fn scrubbed(broker: &Broker, site: &Site) -> (f64, f64) {
    let run = || measured(|| drop(site.does(&["run", "--once", "--stage", "scrub"])));
    let (whole, start) = (run(), run());
    process::until("the group is forgotten", Duration::from_secs(60), || {
        broker.forget(&format!("logscrub.{}.scrub", site.source))
    });
    broker.delete_topic(&format!("{}.progress", site.source));
    site.does(&["topics", "apply"]);
    (whole.0 - start.0, whole.1 - start.1)
}

/// Copies the source to each of the topics as a new group.
fn bare(broker: &Broker, group: &str, records: usize, to: &[&str]) -> (f64, f64) {
    let consumer: BaseConsumer = config(broker)
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .create()
        .unwrap();
    let producer: ThreadedProducer<DefaultProducerContext> =
        config(broker).set("transactional.id", group).set("linger.ms", "5").create().unwrap();
    producer.init_transactions(Duration::from_secs(30)).unwrap();
    consumer.subscribe(&["held"]).unwrap();
    while consumer.assignment().unwrap().count() == 0 {
        assert!(consumer.poll(Duration::from_millis(100)).is_none_or(|polled| polled.is_ok()));
        consumer.pause(&consumer.assignment().unwrap()).unwrap();
    }
    let list = consumer.assignment().unwrap();
    for partition in 0..PARTITIONS {
        let start = rdkafka::Offset::Beginning;
        let _ = consumer.seek("held", partition, start, Duration::from_secs(5));
    }
    let (before, begun) = (cpu("self", false), Instant::now());
    consumer.resume(&list).unwrap();
    drop(list);
    let (mut copied, mut open) = (0, None::<Instant>);
    let mut next: BTreeMap<i32, i64> = BTreeMap::new();
    let mut taken = 0;
    while copied < records {
        if let Some(message) = consumer.poll(Duration::from_millis(20)) {
            let message = message.unwrap();
            if open.is_none() {
                producer.begin_transaction().unwrap();
                open = Some(Instant::now());
            }
            for (number, topic) in to.iter().enumerate() {
                let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(message.partition());
                record.key = message.key();
                record.payload = message.payload();
                if number == 0 {
                    let header = Header { key: "logscrub", value: Some(HEADER.as_bytes()) };
                    record = record.headers(OwnedHeaders::new().insert(header));
                }
                while let Err((_, back)) = producer.send(record) {
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            next.insert(message.partition(), message.offset() + 1);
            copied += 1;
            taken += 1;
        }
        let due = open.is_some_and(|at| at.elapsed() >= Duration::from_millis(200)) || taken >= 10_000;
        if due || (copied >= records && open.is_some()) {
            let mut list = rdkafka::TopicPartitionList::new();
            for (partition, offset) in &next {
                list.add_partition_offset("held", *partition, rdkafka::Offset::Offset(*offset)).unwrap();
            }
            let group = consumer.group_metadata().unwrap();
            producer.send_offsets_to_transaction(&list, &group, Duration::from_secs(30)).unwrap();
            producer.commit_transaction(Duration::from_secs(30)).unwrap();
            (open, taken) = (None, 0);
        }
    }
    (cpu("self", false) - before, begun.elapsed().as_secs_f64())
}

fn idle(seconds: u64) {
    let site = Site::new("idle", "90d", r#"["1h"]"#);
    site.put_spread(200, 2000);
    site.does(&["topics", "apply"]);
    site.as_a_service();
    let mut service = site.start(&[]);
    process::until("it owns all partitions", Duration::from_secs(300), || owned(&service) == 600);
    std::thread::sleep(Duration::from_secs(45));
    let (cpu_before, memory_before) = (cpu_seconds(service.id()), memory_mb(service.id()));
    std::thread::sleep(Duration::from_secs(seconds));
    let used = cpu_seconds(service.id()) - cpu_before;
    println!("200 partitions of the source and 400 of lanes, 2000 records held, for {seconds} s:");
    println!("CPU     {:.2} % of a core ({used:.2} s)", used * 100.0 / seconds as f64);
    println!("memory  {memory_before:.1} MB, then {:.1} MB", memory_mb(service.id()));
    service.stop();
}

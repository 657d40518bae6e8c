//! What the service costs on a real Kafka, which `scripts/kafka.sh` gets and starts.
//!
//!     cargo bench --bench kafka -- copy [RECORDS]    CPU and time of scrub, beside a bare transactional copy
//!     cargo bench --bench kafka -- idle [SECONDS]    CPU and memory while 200 partitions wait for their heads
//!
//! The bare copy reads the same topic with the same client, writes each record with a header as long as
//! ours, and commits its positions in the same transactions (200 ms or 10,000 records).

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
        Some("idle") => idle(number(180) as u64),
        // All benches are run: this one takes a broker and minutes.
        _ => println!("kafka: name what to measure: copy or idle"),
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

fn copy(records: usize) {
    let broker = Broker::get();
    let mut site = Site::new("bench", "90d", r#"["1h"]"#);
    let config = site.read("logscrub.toml");
    site.file("logscrub.toml", &format!("{config}purge_after_groups = [\"warm\", \"bare\"]\n"));
    for part in 0..records.div_ceil(50_000) {
        site.put_made_up(50_000.min(records - part * 50_000), part, "-1s");
    }
    site.does(&["topics", "apply"]);
    site.does(&["put", "copied", "--partitions", "4"]);
    // The broker is warm after the first.
    bare(broker, "warm", records);
    let (bare_cpu, bare_wall) = bare(broker, "bare", records);
    let (scrub_cpu, scrub_wall) = measured(|| drop(site.does(&["run", "--once", "--stage", "scrub"])));
    let (start_cpu, start_wall) = measured(|| drop(site.does(&["run", "--once", "--stage", "scrub"])));
    let (cpu, wall) = (scrub_cpu - start_cpu, scrub_wall - start_wall);
    let each = |seconds: f64| seconds * 1e6 / records as f64;
    println!("{records} records of {PARTITIONS} partitions, each with its start left out:");
    println!("bare copy        {bare_cpu:.2} s CPU, {:.1} us each, {bare_wall:.1} s", each(bare_cpu));
    println!("scrub and hold   {cpu:.2} s CPU, {:.1} us each, {wall:.1} s", each(cpu));
    println!("ratio            {:.1}", cpu / bare_cpu);
}

/// Copies the source to `copied` as a new group.
fn bare(broker: &Broker, group: &str, records: usize) -> (f64, f64) {
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
    consumer.subscribe(&["bench"]).unwrap();
    while consumer.assignment().unwrap().count() == 0 {
        assert!(consumer.poll(Duration::from_millis(100)).is_none_or(|polled| polled.is_ok()));
        consumer.pause(&consumer.assignment().unwrap()).unwrap();
    }
    let list = consumer.assignment().unwrap();
    for partition in 0..PARTITIONS {
        let start = rdkafka::Offset::Beginning;
        let _ = consumer.seek("bench", partition, start, Duration::from_secs(5));
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
            let headers =
                OwnedHeaders::new().insert(Header { key: "logscrub", value: Some(HEADER.as_bytes()) });
            let mut record = BaseRecord::<[u8], [u8]>::to("copied").partition(message.partition());
            record.key = message.key();
            record.payload = message.payload();
            record = record.headers(headers);
            while let Err((_, back)) = producer.send(record) {
                record = back;
                std::thread::sleep(Duration::from_millis(1));
            }
            next.insert(message.partition(), message.offset() + 1);
            copied += 1;
            taken += 1;
        }
        let due = open.is_some_and(|at| at.elapsed() >= Duration::from_millis(200)) || taken >= 10_000;
        if due || (copied >= records && open.is_some()) {
            let mut list = rdkafka::TopicPartitionList::new();
            for (partition, offset) in &next {
                list.add_partition_offset("bench", *partition, rdkafka::Offset::Offset(*offset)).unwrap();
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

//! What every store must do, written once and run on each of them.
//!
//! A store under test comes as a [`Bench`]: how to open it, how to open it a second time, and how to
//! search the bytes it leaves on disk.

use logscrub::record::Record;
use logscrub::stage::store::{
    Flow, Place, Polled, Position, Reader, Session, SessionSpec, Store, StoreError, TimeKind, TopicSpec,
    Writer,
};
use std::time::{Duration, Instant};

/// A store under test. Topics of different tests have different names, so one broker serves all.
pub trait Bench {
    type Store: Store;

    /// The store, as the running service has it.
    fn store(&self) -> &Self::Store;

    /// Lets the store's clock move on by a second at least (real stores sleep).
    fn tick(&self);

    /// Whether the bytes stand anywhere in the store's files; waits as long as the store is allowed
    /// to take for erasing when `expect` is `false`.
    fn on_disk(&self, bytes: &[u8], expect: bool) -> bool;
}

/// Longer than any group takes to be formed.
const PATIENCE: Duration = Duration::from_secs(60);

type SessionOf<B> = <<B as Bench>::Store as Store>::Session;

fn topic<B: Bench>(bench: &B, name: &str, partitions: i32, compacted: bool) {
    bench.store().ensure(&TopicSpec { name: name.into(), partitions, compacted }).unwrap();
}

/// Joins and starts every partition at its committed position, or the log's start.
fn join<B: Bench>(bench: &B, reader: &str, topics: &[&str]) -> SessionOf<B> {
    let spec = SessionSpec {
        reader: reader.into(),
        slot: format!("contract-{reader}"),
        topics: topics.iter().map(|&name| name.into()).collect(),
    };
    let mut session = bench.store().join(&spec).unwrap();
    if topics.is_empty() {
        return session;
    }
    let (half, _) = session.halves();
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Polled::Assigned(assigned) =
            half.poll(Duration::from_millis(50), 1, &mut |_| Flow::Hold).unwrap()
        {
            for partition in assigned {
                let next = partition.committed.unwrap_or(partition.log_start).max(partition.log_start);
                half.start(partition.place, next).unwrap();
            }
            return session;
        }
    }
    panic!("nothing was assigned");
}

fn text(value: Option<&[u8]>) -> String {
    value.map_or("null".into(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Reads until `count` records came.
fn read<B: Bench>(session: &mut SessionOf<B>, count: usize) -> Vec<(Place, i64, String)> {
    let seen = poll::<B>(session, count, count);
    assert_eq!(seen.len(), count, "{seen:?}");
    seen
}

/// Reads until `count` records came, and then some more, for those that must not come.
fn read_all<B: Bench>(session: &mut SessionOf<B>, count: usize) -> Vec<(Place, i64, String)> {
    poll::<B>(session, count, 1000)
}

fn poll<B: Bench>(session: &mut SessionOf<B>, count: usize, limit: usize) -> Vec<(Place, i64, String)> {
    let (reader, _) = session.halves();
    let mut seen = Vec::new();
    let mut idle = 0;
    let begun = Instant::now();
    while seen.len() < limit && idle < 10 && begun.elapsed() < PATIENCE {
        let left = limit - seen.len();
        let polled = reader.poll(Duration::from_millis(25), left, &mut |fetched| {
            seen.push((fetched.place, fetched.offset, text(fetched.record.value)));
            Flow::Next
        });
        match polled.unwrap() {
            Polled::Idle | Polled::Records(0) => idle += usize::from(seen.len() >= count),
            _ => {}
        }
    }
    seen
}

fn values(seen: &[(Place, i64, String)]) -> Vec<&str> {
    seen.iter().map(|(_, _, value)| value.as_str()).collect()
}

fn append(writer: &mut impl Writer, topic: &str, partition: i32, value: &str) {
    let record = Record { value: Some(value.as_bytes()), ..Record::default() };
    writer.append(topic, partition, &record).unwrap();
}

/// Writes values in one transaction, and waits until they can be read: on Kafka a moment after the commit.
fn put<B: Bench>(bench: &B, topic: &str, partition: i32, values: &[&str]) {
    let before = count(bench, topic);
    let mut session = join(bench, &format!("put.{topic}"), &[]);
    let (_, writer) = session.halves();
    for value in values {
        append(writer, topic, partition, value);
    }
    writer.commit(&[]).unwrap();
    settle(bench, topic, before + values.len());
}

/// Waits until a topic has so many readable records.
fn settle<B: Bench>(bench: &B, topic: &str, records: usize) {
    let begun = Instant::now();
    while count(bench, topic) != records {
        assert!(begun.elapsed() < PATIENCE, "`{topic}` has {} records, not {records}", count(bench, topic));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn next(topic: usize, partition: i32, next: i64) -> Position {
    Position { place: Place { topic, partition }, next }
}

/// The offset after the last record that was read of a partition.
fn after(seen: &[(Place, i64, String)]) -> i64 {
    seen.last().map_or(0, |(_, offset, _)| offset + 1)
}

pub fn all_parts_of_a_record_come_back<B: Bench>(bench: &B) {
    topic(bench, "c.parts", 1, false);
    let mut session = join(bench, "c.parts.put", &[]);
    let headers: &[(&[u8], Option<&[u8]>)] = &[(b"a", Some(b"1")), (b"a", None), (b"b", Some(b""))];
    let big = vec![0xffu8; 600_000];
    let records = [
        Record { key: Some(b"k"), value: Some(b"v"), headers, timestamp_ms: Some(1_700_000_000_000) },
        Record { key: None, value: None, headers: &[], timestamp_ms: None },
        Record { key: Some(b""), value: Some(b""), headers: &[], timestamp_ms: None },
        Record { key: None, value: Some(&big), headers: &[], timestamp_ms: None },
    ];
    let (_, writer) = session.halves();
    for record in &records {
        writer.append("c.parts", 0, record).unwrap();
    }
    writer.commit(&[]).unwrap();
    settle(bench, "c.parts", records.len());
    let mut at = 0;
    bench
        .store()
        .scan("c.parts", 0, 0, &mut |fetched| {
            let wrote = &records[at];
            assert_eq!(fetched.record.key, wrote.key);
            assert_eq!(fetched.record.value, wrote.value);
            assert_eq!(fetched.record.headers, wrote.headers);
            if wrote.timestamp_ms.is_some() {
                assert_eq!(fetched.record.timestamp_ms, wrote.timestamp_ms);
                assert_eq!(fetched.time, TimeKind::Create);
            }
            at += 1;
            Flow::Next
        })
        .unwrap();
    assert_eq!(at, records.len());
}

pub fn a_batch_is_atomic<B: Bench>(bench: &B) {
    topic(bench, "c.atomic.in", 1, false);
    topic(bench, "c.atomic.a", 2, false);
    topic(bench, "c.atomic.b", 2, false);
    put(bench, "c.atomic.in", 0, &["1", "2"]);
    let mut session = join(bench, "c.atomic", &["c.atomic.in"]);
    let seen = read::<B>(&mut session, 2);
    assert_eq!(values(&seen), ["1", "2"]);
    let outputs = ["c.atomic.a", "c.atomic.b"];
    {
        let (_, writer) = session.halves();
        append(writer, "c.atomic.a", 0, "gone");
        append(writer, "c.atomic.b", 1, "gone");
        for output in outputs {
            assert_eq!(count(bench, output), 0, "nothing is visible before the commit");
        }
        writer.abort().unwrap();
    }
    for output in outputs {
        assert_eq!(count(bench, output), 0, "nothing is visible after the abort");
    }
    assert_eq!(committed(bench, "c.atomic", "c.atomic.in"), None);
    let (reader, writer) = session.halves();
    reader.seek(Place { topic: 0, partition: 0 }, 0).unwrap();
    append(writer, "c.atomic.a", 0, "there");
    append(writer, "c.atomic.b", 1, "there");
    writer.commit(&[next(0, 0, after(&seen))]).unwrap();
    for output in outputs {
        settle(bench, output, 1);
    }
    assert_eq!(committed(bench, "c.atomic", "c.atomic.in"), Some(after(&seen)));
}

fn count<B: Bench>(bench: &B, topic: &str) -> usize {
    let mut count = 0;
    for bounds in bench.store().bounds(topic).unwrap() {
        let visit = &mut |_: &logscrub::stage::store::Fetched<'_>| {
            count += 1;
            Flow::Next
        };
        bench.store().scan(topic, bounds.partition, bounds.log_start, visit).unwrap();
    }
    count
}

fn committed<B: Bench>(bench: &B, reader: &str, topic: &str) -> Option<i64> {
    bench.store().purge_states(reader, topic).unwrap()[0].committed
}

pub fn a_reader_goes_on_where_it_committed<B: Bench>(bench: &B) {
    topic(bench, "c.resume", 1, false);
    put(bench, "c.resume", 0, &["1", "2", "3", "4"]);
    {
        let mut session = join(bench, "c.resume", &["c.resume"]);
        let seen = read::<B>(&mut session, 2);
        session.halves().1.commit(&[next(0, 0, after(&seen))]).unwrap();
        // Read, but never committed.
        assert_eq!(values(&read::<B>(&mut session, 1)), ["3"]);
    }
    let mut session = join(bench, "c.resume", &["c.resume"]);
    assert_eq!(values(&read_all::<B>(&mut session, 2)), ["3", "4"]);
    let mut other = join(bench, "c.resume.other", &["c.resume"]);
    assert_eq!(
        values(&read_all::<B>(&mut other, 4)),
        ["1", "2", "3", "4"],
        "another group begins at the start"
    );
}

/// A worker that dies with an open transaction: nothing of it shows, and its successor does it again.
pub fn a_worker_that_dies_leaves_nothing<B: Bench>(bench: &B) {
    topic(bench, "c.kill.in", 1, false);
    topic(bench, "c.kill.out", 1, false);
    put(bench, "c.kill.in", 0, &["1"]);
    {
        let mut session = join(bench, "c.kill", &["c.kill.in"]);
        read::<B>(&mut session, 1);
        append(session.halves().1, "c.kill.out", 0, "half done");
    }
    let mut session = join(bench, "c.kill", &["c.kill.in"]);
    assert_eq!(count(bench, "c.kill.out"), 0);
    let seen = read::<B>(&mut session, 1);
    assert_eq!(values(&seen), ["1"]);
    let (_, writer) = session.halves();
    append(writer, "c.kill.out", 0, "done");
    writer.commit(&[next(0, 0, after(&seen))]).unwrap();
    settle(bench, "c.kill.out", 1);
}

pub fn each_partition_keeps_its_order<B: Bench>(bench: &B) {
    topic(bench, "c.order", 3, false);
    let mut wrote = vec![Vec::new(); 3];
    for round in 0..20 {
        let mut session = join(bench, "c.order.put", &[]);
        let (_, writer) = session.halves();
        for partition in 0..3 {
            for step in 0..5 {
                let value = format!("{partition}.{round}.{step}");
                append(writer, "c.order", partition, &value);
                wrote[partition as usize].push(value);
            }
        }
        // Every third transaction is given up, and leaves no trace in the order.
        if round % 3 == 2 {
            writer.abort().unwrap();
            wrote.iter_mut().for_each(|values| values.truncate(values.len() - 5));
        } else {
            writer.commit(&[]).unwrap();
        }
    }
    let total = wrote.iter().map(Vec::len).sum();
    settle(bench, "c.order", total);
    let mut session = join(bench, "c.order", &["c.order"]);
    let seen = read_all::<B>(&mut session, total);
    for (partition, wrote) in wrote.iter().enumerate() {
        let of: Vec<_> = seen.iter().filter(|(place, _, _)| place.partition == partition as i32).collect();
        assert!(of.is_sorted_by(|a, b| a.1 < b.1), "offsets rise");
        assert_eq!(&of.iter().map(|(_, _, value)| value.clone()).collect::<Vec<_>>(), wrote);
    }
}

/// What the log stamps never falls within a partition, and moves with the clock: a head is due first.
pub fn append_times_rise<B: Bench>(bench: &B) {
    topic(bench, "c.due", 1, false);
    for value in ["1", "2", "3"] {
        put(bench, "c.due", 0, &[value]);
        bench.tick();
    }
    let mut times = Vec::new();
    bench
        .store()
        .scan("c.due", 0, 0, &mut |fetched| {
            times.push(fetched.record.timestamp_ms.unwrap());
            Flow::Next
        })
        .unwrap();
    assert_eq!(times.len(), 3);
    assert!(times.is_sorted(), "{times:?}");
    assert!(times[2] - times[0] >= 2000, "{times:?}");
}

pub fn a_held_record_comes_again_first<B: Bench>(bench: &B) {
    topic(bench, "c.hold", 2, false);
    put(bench, "c.hold", 0, &["a1", "a2", "a3"]);
    put(bench, "c.hold", 1, &["b1", "b2"]);
    let mut session = join(bench, "c.hold", &["c.hold"]);
    let mut seen = Vec::new();
    let (reader, _) = session.halves();
    let begun = Instant::now();
    // Then some more, for what must not come.
    let mut more = 0;
    while more < 10 && begun.elapsed() < PATIENCE {
        more += usize::from(seen.len() >= 3);
        reader
            .poll(Duration::from_millis(25), 10, &mut |fetched| {
                let value = text(fetched.record.value);
                if value == "a2" {
                    return Flow::Hold;
                }
                seen.push(value);
                Flow::Next
            })
            .unwrap();
    }
    seen.sort();
    assert_eq!(seen, ["a1", "b1", "b2"], "the other partition goes on");
    reader.resume(Place { topic: 0, partition: 0 }).unwrap();
    assert_eq!(values(&read_all::<B>(&mut session, 2)), ["a2", "a3"]);
}

pub fn a_stop_ends_the_call<B: Bench>(bench: &B) {
    topic(bench, "c.stop", 1, false);
    put(bench, "c.stop", 0, &["1", "2", "3"]);
    let mut session = join(bench, "c.stop", &["c.stop"]);
    let (reader, _) = session.halves();
    let mut seen = 0;
    let begun = Instant::now();
    while seen == 0 {
        assert!(begun.elapsed() < PATIENCE);
        reader
            .poll(Duration::from_millis(25), 10, &mut |_| {
                seen += 1;
                Flow::Stop
            })
            .unwrap();
    }
    assert_eq!(seen, 1);
    assert_eq!(values(&read_all::<B>(&mut session, 2)), ["2", "3"]);
}

pub fn the_end_is_known<B: Bench>(bench: &B) {
    topic(bench, "c.end", 1, false);
    put(bench, "c.end", 0, &["1", "2"]);
    let end = bench.store().bounds("c.end").unwrap()[0].end;
    let place = Place { topic: 0, partition: 0 };
    let mut session = join(bench, "c.end", &["c.end"]);
    assert!(!session.halves().0.reached(place, end).unwrap());
    put(bench, "c.end", 0, &["after"]);
    read::<B>(&mut session, 1);
    assert!(!session.halves().0.reached(place, end).unwrap());
    read::<B>(&mut session, 1);
    // Kafka's end lies behind a transaction marker, which only further polls pass.
    let begun = Instant::now();
    while !session.halves().0.reached(place, end).unwrap() {
        assert!(begun.elapsed() < PATIENCE);
        session.halves().0.poll(Duration::from_millis(100), 1, &mut |_| Flow::Hold).unwrap();
    }
}

pub fn a_purge_deletes_up_to_the_position<B: Bench>(bench: &B) {
    let gone = format!("marker-{}-gone", std::process::id());
    let held = format!("marker-{}-held", std::process::id());
    topic(bench, "c.purge", 1, false);
    put(bench, "c.purge", 0, &[&gone]);
    put(bench, "c.purge", 0, &[&held]);
    let mut session = join(bench, "c.purge", &["c.purge"]);
    let seen = read::<B>(&mut session, 1);
    session.halves().1.commit(&[next(0, 0, after(&seen))]).unwrap();
    assert!(bench.on_disk(gone.as_bytes(), true));
    let state = bench.store().purge_states("c.purge", "c.purge").unwrap()[0];
    assert_eq!(state.committed, Some(after(&seen)));
    assert!(state.data_waits);
    let start = bench.store().purge("c.purge", 0, after(&seen)).unwrap();
    assert!(start >= after(&seen));
    bench.store().roll("c.purge", &[0]).unwrap();
    bench.store().purged().unwrap();
    assert_eq!(bench.store().bounds("c.purge").unwrap()[0].log_start, start);
    assert_eq!(values(&read::<B>(&mut session, 1)), [held.as_str()], "a purge takes nothing at its position");
    assert!(!bench.on_disk(gone.as_bytes(), false), "what was purged is gone from the files");
    assert!(bench.on_disk(held.as_bytes(), true), "the search does find what is still held");
    // A newcomer below the start begins at the start.
    let mut late = join(bench, "c.purge.late", &["c.purge"]);
    late.halves().0.seek(Place { topic: 0, partition: 0 }, 0).unwrap();
    assert_eq!(values(&read::<B>(&mut late, 1)), [held.as_str()]);
}

pub fn a_purge_beyond_the_end_is_refused<B: Bench>(bench: &B) {
    topic(bench, "c.beyond", 1, false);
    put(bench, "c.beyond", 0, &["1"]);
    let end = bench.store().bounds("c.beyond").unwrap()[0].end;
    assert!(bench.store().purge("c.beyond", 0, end + 100).is_err());
    assert_eq!(count(bench, "c.beyond"), 1);
}

pub fn positions_alone_are_a_transaction<B: Bench>(bench: &B) {
    topic(bench, "c.alone", 1, false);
    put(bench, "c.alone", 0, &["1", "2"]);
    let mut session = join(bench, "c.alone", &["c.alone"]);
    let seen = read::<B>(&mut session, 1);
    session.halves().1.commit(&[next(0, 0, after(&seen))]).unwrap();
    session.halves().1.commit(&[next(0, 0, after(&seen))]).unwrap();
    assert_eq!(committed(bench, "c.alone", "c.alone"), Some(after(&seen)));
}

pub fn topics_are_listed_and_kept<B: Bench>(bench: &B) {
    topic(bench, "c.topics", 2, false);
    topic(bench, "c.topics", 2, false);
    topic(bench, "c.topics", 1, false);
    let listed = bench.store().topics().unwrap();
    let found = listed.iter().find(|spec| spec.name.as_ref() == "c.topics").unwrap();
    assert_eq!(found.partitions, 2);
    let more = TopicSpec { name: "c.topics".into(), partitions: 3, compacted: false };
    assert!(matches!(bench.store().ensure(&more), Err(StoreError::Refused(_))));
}

/// Runs the suite; `$bench` makes a fresh [`Bench`].
#[macro_export]
macro_rules! contract {
    ($bench:expr) => {
        $crate::contract!($bench;
            all_parts_of_a_record_come_back
            a_batch_is_atomic
            a_reader_goes_on_where_it_committed
            a_worker_that_dies_leaves_nothing
            each_partition_keeps_its_order
            append_times_rise
            a_held_record_comes_again_first
            a_stop_ends_the_call
            the_end_is_known
            a_purge_deletes_up_to_the_position
            a_purge_beyond_the_end_is_refused
            positions_alone_are_a_transaction
            topics_are_listed_and_kept
        );
    };
    ($bench:expr; $($name:ident)*) => {
        $(#[test]
        fn $name() {
            $crate::contract::$name(&$bench);
        })*
    };
}

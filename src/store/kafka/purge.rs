//! What the purge planner must know, and the heartbeat that rolls a segment.
//!
//! DeleteRecords only moves the log's start. The bytes leave the disk with their whole segment, once the
//! segment lies below the log's start and is not the active one; and a segment is rolled only by an append.
//! So where released data may stand in the active segment of a partition that nothing else is appended to,
//! a heartbeat is: a record with null key and value, which the lane reader passes over.

use super::context::{Quiet, is_critical, say};
use super::error::of_query;
use super::lazy::Lazy;
use super::{PATIENCE, Shared, native};
use crate::stage::quarantine::{HEARTBEAT, is_heartbeat};
use crate::stage::store::{Bounds, Flow, PurgeState, StoreError};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::debug;

/// What we know of a partition's active segment.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// The log's start when the active segment was known to hold nothing that was released.
    clean_at: Option<i64>,
    /// When released data was first seen that may stand in the active segment.
    released: Option<Instant>,
}

/// What was found at or above a position, when the partition ended there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looked {
    from: i64,
    end: i64,
    /// The first data record: there until a purge passes it.
    found: Option<i64>,
}

impl Looked {
    /// What it says of another position and end, if it does.
    fn data_waits(&self, from: i64, end: i64) -> Option<bool> {
        match self.found {
            Some(found) if self.from <= from && from <= found => Some(true),
            None if self.from <= from && end <= self.end => Some(false),
            _ => None,
        }
    }
}

/// Where heartbeats came to stand.
#[derive(Default)]
struct Heartbeats {
    /// By partition.
    offsets: Mutex<HashMap<i32, i64>>,
    /// The first that was not delivered.
    failure: OnceLock<KafkaError>,
}

impl ClientContext for Heartbeats {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        say(is_critical(level), facility, text);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        debug!(%error, "librdkafka");
    }
}

impl ProducerContext for Heartbeats {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, (): ()) {
        match delivered {
            Ok(heartbeat) => {
                let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
                offsets.insert(heartbeat.partition(), heartbeat.offset());
            }
            Err((error, _)) => {
                let _ = self.failure.set(error.clone());
            }
        }
    }
}

pub(super) struct Purger {
    shared: Arc<Shared>,
    /// How old a topic's segment gets before an append rolls it.
    segment_ages: Mutex<HashMap<String, Duration>>,
    /// Of groups that this process has no member of.
    watchers: Mutex<HashMap<String, Lazy<BaseConsumer<Quiet>>>>,
    segments: Mutex<HashMap<(String, i32), Segment>>,
    /// By topic and partition: each is looked at when what is known of it does not tell.
    looked: Mutex<HashMap<(String, i32), Looked>>,
}

impl Purger {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Purger {
            shared,
            segment_ages: Mutex::default(),
            watchers: Mutex::default(),
            segments: Mutex::default(),
            looked: Mutex::default(),
        }
    }

    /// Of each topic, by partition number.
    pub(super) fn states(
        &self,
        reader: &str,
        topics: &[Arc<str>],
    ) -> Result<Vec<Vec<PurgeState>>, StoreError> {
        let names: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
        self.sweep();
        let bounds = self.shared.scanner.bounds_of(&names)?;
        let mut committed = self.committed(reader, &names, &bounds)?.into_iter();
        let mut states = Vec::with_capacity(topics.len());
        for (topic, bounds) in names.into_iter().zip(bounds) {
            let committed: Vec<Option<i64>> = committed.by_ref().take(bounds.len()).collect();
            states.push(self.of_topic(topic, &bounds, &committed)?);
        }
        Ok(states)
    }

    /// Closes clients that are not needed.
    fn sweep(&self) {
        self.shared.sweep();
        let watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.values().for_each(Lazy::sweep);
    }

    fn of_topic(
        &self,
        topic: &str,
        bounds: &[Bounds],
        committed: &[Option<i64>],
    ) -> Result<Vec<PurgeState>, StoreError> {
        let segment_age = self.segment_age(topic)?;
        let waiting = self.data_waits(topic, bounds, committed)?;
        let state = |((bounds, committed), data_waits): ((&Bounds, &Option<i64>), bool)| PurgeState {
            bounds: *bounds,
            committed: *committed,
            data_waits,
            unrolled: self.unrolled(topic, bounds.partition, bounds.log_start, segment_age),
        };
        Ok(bounds.iter().zip(committed).zip(waiting).map(state).collect())
    }

    fn segment_age(&self, topic: &str) -> Result<Duration, StoreError> {
        let mut ages = self.segment_ages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(age) = ages.get(topic) {
            return Ok(*age);
        }
        let state = self.shared.admin.topic_state(topic)?;
        let age = state.and_then(|state| state.settings.get("segment.ms")?.parse().ok());
        // Kafka's default.
        let age = Duration::from_millis(age.unwrap_or(604_800_000));
        ages.insert(topic.to_owned(), age);
        Ok(age)
    }

    /// A group's positions, read back from the broker, open transactions waited for.
    fn committed(
        &self,
        reader: &str,
        topics: &[&str],
        bounds: &[Vec<Bounds>],
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let mut list = TopicPartitionList::new();
        for (topic, bounds) in topics.iter().zip(bounds) {
            for bounds in bounds {
                list.add_partition(topic, bounds.partition);
            }
        }
        // A member asks for the others too.
        if let Some(member) = self.shared.member(reader) {
            return committed_of(&**member, list);
        }
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let watcher = watchers.entry(reader.to_owned()).or_default();
        let watcher = watcher.get(|| self.shared.settings.group_watcher(reader))?;
        committed_of(&**watcher, list)
    }

    /// Whether readable data stand at or above each position. Only what is not known yet is looked for, in
    /// one scan.
    fn data_waits(
        &self,
        topic: &str,
        bounds: &[Bounds],
        committed: &[Option<i64>],
    ) -> Result<Vec<bool>, StoreError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut starts = Vec::new();
        let mut waiting = Vec::with_capacity(bounds.len());
        for (bounds, committed) in bounds.iter().zip(committed) {
            let from = committed.unwrap_or(0).max(bounds.log_start);
            let known = looked.get(&(topic.to_owned(), bounds.partition));
            let waits = match known.and_then(|looked| looked.data_waits(from, bounds.end)) {
                Some(waits) => waits,
                None if from >= bounds.end => false,
                None => {
                    starts.push((bounds.partition, from, bounds.end, waiting.len()));
                    false
                }
            };
            waiting.push(waits);
        }
        if starts.is_empty() {
            return Ok(waiting);
        }
        let mut found: HashMap<i32, i64> = HashMap::new();
        let from: Vec<(i32, i64)> = starts.iter().map(|(partition, from, ..)| (*partition, *from)).collect();
        self.shared.scanner.scan(topic, &from, &mut |fetched| {
            if is_heartbeat(&fetched.record) {
                return Flow::Next;
            }
            found.insert(fetched.place.partition, fetched.offset);
            Flow::Stop
        })?;
        for (partition, from, end, at) in starts {
            let found = found.get(&partition).copied();
            looked.insert((topic.to_owned(), partition), Looked { from, end, found });
            if let Some(waits) = waiting.get_mut(at) {
                *waits = found.is_some();
            }
        }
        Ok(waiting)
    }

    /// Whether released data may stand in the active segment, and a heartbeat would roll it: it is old
    /// enough when the released data have been seen for a segment's age. After a start nothing is
    /// known, so that each partition gets one heartbeat.
    fn unrolled(&self, topic: &str, partition: i32, log_start: i64, segment_age: Duration) -> bool {
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = Segment { clean_at: (log_start == 0).then_some(0), released: None };
        let segment = segments.entry((topic.to_owned(), partition)).or_insert(fresh);
        // Behind a heartbeat the start comes to stand just above it: that is no released data.
        if segment.clean_at.is_some_and(|clean| log_start <= clean) {
            segment.released = None;
            return false;
        }
        let released = *segment.released.get_or_insert_with(Instant::now);
        released.elapsed() >= segment_age
    }

    /// Appends a heartbeat to each partition. What is below it is then in segments that end.
    pub(super) fn roll(&self, topic: &str, partitions: &[i32]) -> Result<(), StoreError> {
        const WHAT: &str = "a segment was rolled";
        // Rolls are rare: no producer is kept for them.
        let producer = self.shared.settings.reporting(Heartbeats::default())?;
        let name = std::str::from_utf8(HEARTBEAT).unwrap_or_default();
        for partition in partitions {
            let headers = OwnedHeaders::new().insert(Header { key: name, value: Some(b"".as_slice()) });
            let record = BaseRecord::<'_, [u8], [u8]>::to(topic).partition(*partition).headers(headers);
            producer.send(record).map_err(|(error, _): (KafkaError, _)| of_query(&error, WHAT))?;
        }
        if !native::flush(producer.client().native_ptr(), PATIENCE) {
            return Err(super::error::unreachable_after(WHAT));
        }
        let Heartbeats { offsets, failure } = &**producer.context();
        if let Some(error) = failure.get() {
            return Err(of_query(error, WHAT));
        }
        // The log's start comes to stand right behind the heartbeat, which begins the segment; what others append
        // meanwhile stands in it, too, and will be released.
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, offset) in &*offsets.lock().unwrap_or_else(PoisonError::into_inner) {
            let clean = Segment { clean_at: Some(offset + 1), released: None };
            segments.insert((topic.to_owned(), *partition), clean);
        }
        Ok(())
    }
}

/// Positions as the broker has them, in the list's order.
pub(super) fn committed_of(
    consumer: &BaseConsumer<impl rdkafka::consumer::ConsumerContext>,
    list: TopicPartitionList,
) -> Result<Vec<Option<i64>>, StoreError> {
    let answered = match consumer.committed_offsets(list, PATIENCE) {
        Ok(answered) => answered,
        Err(error) => return Err(of_query(&error, "positions were read back")),
    };
    let position = |element: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        match element.error() {
            Ok(()) => {}
            Err(error) if super::error::code_of(&error) == Some(Code::NoError) => {}
            Err(error) => return Err(of_query(&error, "positions were read back")),
        }
        match element.offset() {
            Offset::Offset(next) => Ok(Some(next)),
            _ => Ok(None),
        }
    };
    answered.elements().iter().map(position).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Kafka, Options};
    use super::*;
    use crate::stage::store::Fetched;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::BaseProducer;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// What is appended right behind a heartbeat stands in the segment that it begins, which is not clean once that is
    /// released.
    #[test]
    fn a_rolled_segment_is_clean_up_to_its_heartbeat_whatever_others_append() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("held", 1, 1).unwrap();
        let brokers = cluster.bootstrap_servers();
        let kafka = Kafka::open(Options {
            settings: [("bootstrap.servers".to_owned(), brokers.clone())].into(),
            ..Options::default()
        })
        .unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut config = rdkafka::config::ClientConfig::new();
                config.set("bootstrap.servers", &brokers).set("linger.ms", "0");
                let producer: BaseProducer = config.create().unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let record = BaseRecord::<(), str>::to("held").partition(0).payload("another's");
                    producer.send(record).unwrap();
                    producer.flush(Duration::from_secs(10)).unwrap();
                }
            });
            let _ends = Ends(&stop);
            for _ in 0..5 {
                kafka.purger.roll("held", &[0]).unwrap();
                let segments = kafka.purger.segments.lock().unwrap();
                let clean = segments.get(&("held".to_owned(), 0)).unwrap().clean_at.unwrap();
                let mut last = None;
                let mut look = |fetched: &Fetched<'_>| {
                    last = Some((fetched.offset, is_heartbeat(&fetched.record)));
                    Flow::Stop
                };
                kafka.shared.scanner.scan("held", &[(0, clean - 1)], &mut look).unwrap();
                assert_eq!(last, Some((clean - 1, true)));
            }
        });
    }

    struct Ends<'a>(&'a AtomicBool);

    impl Drop for Ends<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

//! What the purge planner must know, and the heartbeat that rolls a segment.
//!
//! DeleteRecords only moves the log's start. The bytes leave the disk with their whole segment, once the
//! segment lies below the log's start and is not the active one; and a segment is rolled only by an append.
//! So where released data may stand in the active segment of a partition that nothing else is appended to,
//! a heartbeat is: a record with null key and value, which the lane reader passes over.

use super::closing::Client;
use super::context::Quiet;
use super::error::of_query;
use super::{PATIENCE, Shared, native};
use crate::stage::quarantine::{HEARTBEAT, is_heartbeat};
use crate::stage::store::{Flow, PurgeState, StoreError};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What we know of a partition's active segment.
#[derive(Clone, Copy, Debug)]
struct Segment {
    /// The log's start when the active segment was known to hold nothing that was released.
    clean_at: Option<i64>,
    /// When released data was first seen that may stand in the active segment.
    released: Option<Instant>,
}

/// The readable data at or above a position: looked for once per position and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looked {
    committed: i64,
    end: i64,
}

pub(super) struct Purger {
    shared: Arc<Shared>,
    /// How old a topic's segment gets before an append rolls it.
    segment_ages: Mutex<HashMap<String, Duration>>,
    watchers: Mutex<HashMap<String, Client<BaseConsumer<Quiet>>>>,
    segments: Mutex<HashMap<(String, i32), Segment>>,
    /// Partitions in which nothing but markers and heartbeats was found.
    empty: Mutex<HashMap<(String, String, i32), Looked>>,
    producer: Mutex<Option<Client<ThreadedProducer<Quiet>>>>,
}

impl Purger {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Purger {
            shared,
            segment_ages: Mutex::default(),
            watchers: Mutex::default(),
            segments: Mutex::default(),
            empty: Mutex::default(),
            producer: Mutex::default(),
        }
    }

    pub(super) fn states(&self, reader: &str, topic: &str) -> Result<Vec<PurgeState>, StoreError> {
        let all = self.shared.scanner.bounds(topic)?;
        let committed = self.committed(reader, topic, all.len())?;
        let segment_age = self.segment_age(topic)?;
        let mut states = Vec::with_capacity(all.len());
        for (bounds, committed) in all.into_iter().zip(committed) {
            let from = committed.unwrap_or(bounds.log_start);
            let data_waits = self.data_waits(reader, topic, bounds.partition, from, bounds.end)?;
            let unrolled = self.unrolled(topic, bounds.partition, bounds.log_start, segment_age);
            states.push(PurgeState { bounds, committed, data_waits, unrolled });
        }
        Ok(states)
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
        topic: &str,
        partitions: usize,
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if !watchers.contains_key(reader) {
            watchers.insert(reader.to_owned(), self.shared.settings.group_watcher(reader)?);
        }
        let Some(watcher) = watchers.get(reader) else { unreachable!("it was inserted") };
        let mut list = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
            list.add_partition(topic, partition);
        }
        committed_of(watcher, list)
    }

    fn data_waits(
        &self,
        reader: &str,
        topic: &str,
        partition: i32,
        committed: i64,
        end: i64,
    ) -> Result<bool, StoreError> {
        if committed >= end {
            return Ok(false);
        }
        let key = (reader.to_owned(), topic.to_owned(), partition);
        let looked = Looked { committed, end };
        if self.empty.lock().unwrap_or_else(PoisonError::into_inner).get(&key) == Some(&looked) {
            return Ok(false);
        }
        let mut found = false;
        self.shared.scanner.scan(topic, partition, committed, &mut |fetched| {
            if is_heartbeat(&fetched.record) {
                return Flow::Next;
            }
            found = true;
            Flow::Stop
        })?;
        if !found {
            self.empty.lock().unwrap_or_else(PoisonError::into_inner).insert(key, looked);
        }
        Ok(found)
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

    /// Appends a heartbeat. What is below it is then in segments that end.
    pub(super) fn roll(&self, topic: &str, partition: i32) -> Result<(), StoreError> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if producer.is_none() {
            *producer = Some(self.shared.settings.plain_producer()?);
        }
        let Some(producer) = producer.as_ref() else { unreachable!("it was made") };
        let name = std::str::from_utf8(HEARTBEAT).unwrap_or_default();
        let headers = OwnedHeaders::new().insert(Header { key: name, value: Some(b"".as_slice()) });
        let record = BaseRecord::<'_, [u8], [u8]>::to(topic).partition(partition).headers(headers);
        producer
            .send(record)
            .map_err(|(error, _): (KafkaError, _)| of_query(&error, "a segment was rolled"))?;
        if !native::flush(producer.client().native_ptr(), PATIENCE) {
            return Err(super::error::unreachable_after("a segment was rolled"));
        }
        // The heartbeat stands just below the end; the log's start comes to stand behind it.
        let mut segments = self.segments.lock().unwrap_or_else(PoisonError::into_inner);
        let bounds = self.shared.scanner.bounds(topic)?;
        let end = bounds.iter().find(|bounds| bounds.partition == partition).map(|bounds| bounds.end);
        segments.insert((topic.to_owned(), partition), Segment { clean_at: end, released: None });
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

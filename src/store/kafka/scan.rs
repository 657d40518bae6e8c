//! Reading a partition from an offset to its end, outside any group.

use super::PATIENCE;
use super::closing::Client;
use super::context::Quiet;
use super::error::{code_of, is_silence, missing, of_query, unreachable_after};
use super::native;
use super::settings::Settings;
use crate::record::{Header, Record};
use crate::stage::store::{Bounds, Fetched, Flow, Place, StoreError, TimeKind};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One consumer, one scan at a time.
pub(super) struct Scanner(Mutex<Client<BaseConsumer<Quiet>>>);

/// A message as stages see it.
pub(super) fn fetched<'m>(
    place: Place,
    message: &'m BorrowedMessage<'_>,
    headers: &'m [Header<'m>],
) -> Fetched<'m> {
    let (timestamp_ms, time) = match message.timestamp() {
        Timestamp::NotAvailable => (None, TimeKind::Create),
        Timestamp::CreateTime(ms) => (Some(ms), TimeKind::Create),
        Timestamp::LogAppendTime(ms) => (Some(ms), TimeKind::Append),
    };
    let record = Record { key: message.key(), value: message.payload(), headers, timestamp_ms };
    Fetched { place, offset: message.offset(), record, time }
}

/// A partition's log start and the offset after its last readable record (the last stable offset: the
/// client reads what is committed).
pub(super) fn watermarks(
    consumer: &BaseConsumer<impl rdkafka::consumer::ConsumerContext>,
    topic: &str,
    partition: i32,
) -> Result<(i64, i64), StoreError> {
    consumer.fetch_watermarks(topic, partition, PATIENCE).map_err(|error| match code_of(&error) {
        Some(Code::UnknownPartition | Code::UnknownTopic | Code::UnknownTopicOrPartition) => missing(topic),
        _ => of_query(&error, "a partition's extent was read"),
    })
}

/// One end of all of a topic's partitions in one request, by partition number; `None` where the answer has
/// none. (A question for offsets by time, where the two ends stand in for times: one partition at a time
/// takes as many requests.)
fn extent(consumer: &BaseConsumer<Quiet>, topic: &str, partitions: usize, end: Offset) -> Vec<Option<i64>> {
    let mut asked = TopicPartitionList::with_capacity(partitions);
    let mut all = vec![None; partitions];
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        if asked.add_partition_offset(topic, partition, end).is_err() {
            return all;
        }
    }
    let Ok(answered) = consumer.offsets_for_times(asked, PATIENCE) else { return all };
    for element in answered.elements() {
        let slot = usize::try_from(element.partition()).ok().and_then(|partition| all.get_mut(partition));
        if let (Some(slot), Ok(()), Offset::Offset(offset)) = (slot, element.error(), element.offset()) {
            *slot = Some(offset);
        }
    }
    all
}

impl Scanner {
    pub(super) fn open(settings: &Settings) -> Result<Self, StoreError> {
        settings.scanner().map(|consumer| Scanner(Mutex::new(consumer)))
    }

    /// By partition number.
    pub(super) fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, StoreError> {
        let consumer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let metadata = consumer
            .fetch_metadata(Some(topic), PATIENCE)
            .map_err(|error| of_query(&error, "a topic was looked up"))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic && found.error().is_none());
        let count = found.map_or(0, |found| found.partitions().len());
        if count == 0 {
            return Err(missing(topic));
        }
        let starts = extent(&consumer, topic, count, Offset::Beginning);
        let ends = extent(&consumer, topic, count, Offset::End);
        let mut all = Vec::with_capacity(count);
        for ((partition, start), end) in (0..).zip(starts).zip(ends) {
            let (log_start, end) = match start.zip(end) {
                Some(known) => known,
                // Its leader was not known yet.
                None => watermarks(&consumer, topic, partition)?,
            };
            all.push(Bounds { partition, log_start, end });
        }
        Ok(all)
    }

    pub(super) fn scan(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<i64, StoreError> {
        let consumer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (log_start, end) = watermarks(&consumer, topic, partition)?;
        let from = from.max(log_start);
        if from >= end {
            return Ok(from);
        }
        {
            let mut list = TopicPartitionList::new();
            list.add_partition_offset(topic, partition, Offset::Offset(from))
                .and_then(|()| consumer.assign(&list))
                .map_err(|error| of_query(&error, "a scan began"))?;
        }
        let walked = walk(&consumer, (topic, partition), from, end, visit);
        consumer.unassign().map_err(|error| of_query(&error, "a scan ended"))?;
        walked
    }
}

fn walk(
    consumer: &BaseConsumer<Quiet>,
    (topic, partition): (&str, i32),
    from: i64,
    end: i64,
    visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
) -> Result<i64, StoreError> {
    let place = Place { topic: 0, partition };
    let mut next = from;
    let mut heard = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(200)) {
            None if heard.elapsed() > PATIENCE => return Err(unreachable_after("a topic was scanned")),
            None => {}
            Some(Ok(message)) => {
                heard = Instant::now();
                if message.topic() != topic || message.partition() != partition || message.offset() < next {
                    continue;
                }
                if message.offset() >= end {
                    return Ok(end);
                }
                let mut headers = Vec::new();
                native::headers(&message, &mut headers);
                let flow = visit(&fetched(place, &message, &headers));
                if flow == Flow::Hold {
                    return Ok(message.offset());
                }
                next = message.offset() + 1;
                if flow == Flow::Stop {
                    return Ok(next);
                }
                if next >= end {
                    return Ok(end);
                }
            }
            // At the end by now, which lies no nearer than the end as it was: what is left are markers.
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(end),
            Some(Err(error)) => match code_of(&error) {
                Some(code) if is_silence(code) && heard.elapsed() < PATIENCE => {}
                _ => return Err(of_query(&error, "a topic was scanned")),
            },
        }
    }
}

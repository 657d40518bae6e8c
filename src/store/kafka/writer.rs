//! The writing half of a session: one transactional producer.
//!
//! Order of a commit: flush, positions, commit. A call that fails says whether to call it again, to abort,
//! or that the producer is dead: then its session is, too, and whoever joins next ends what it left open, one
//! way or the other. After an answer that was in doubt (a time-out, a second call) the producer is made again
//! under the same id: librdkafka has no KIP-890 part 2, so that a delayed end of one transaction could end
//! the next one of the same epoch.

use super::closing::Client;
use super::error::{TransactionError, code_of, of_query, of_transaction};
use super::plain::Plain;
use super::served::Served;
use super::{Fault, Member, Shared, native};
use crate::record::{Record, RecordBuf};
use crate::stage::crash::{self, CrashPoint};
use crate::stage::store::{Delivery, Position, SessionSpec, StoreError, Writer};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::warn;

/// What a batch has beside its one record's parts.
const BATCH_BYTES: usize = 120;
/// No topic of ours takes less.
const SMALL_BYTES: usize = 60_000;
/// What our producers send at the most: below their `message.max.bytes`.
const PRODUCER_BYTES: usize = 19_900_000;
/// How long one transactional call may block.
pub(super) const CALL: Duration = Duration::from_secs(15);
/// How long a broker may be away before we give up our place: above any restart, and above the two
/// minutes that an outage is allowed.
pub(super) const OUTAGE: Duration = Duration::from_secs(600);

/// See [`Writer`].
pub struct KafkaWriter {
    shared: Arc<Shared>,
    slot: String,
    pub(super) consumer: Option<Arc<Member>>,
    topics: Vec<Arc<str>>,
    /// `None` where one could not be made again.
    pub(super) producer: Option<Client<Served>>,
    pub(super) open: bool,
    /// `Some`: without transactions.
    pub(super) plain: Option<Plain>,
    /// `max.message.bytes` by topic, where a record was large enough to ask.
    most_bytes: HashMap<String, usize>,
}

/// How a commit's last call ended.
enum Ended {
    Committed,
    /// Committed, after an answer in doubt.
    InDoubt,
}

impl KafkaWriter {
    pub(super) fn open(
        shared: Arc<Shared>,
        slot: String,
        consumer: Option<Arc<Member>>,
        spec: &SessionSpec,
        delivery: &Delivery,
    ) -> Result<Self, StoreError> {
        let plain = match delivery {
            Delivery::ExactlyOnce => None,
            Delivery::AtLeastOnce { progress } => {
                Some(Plain { progress: progress.clone(), late: Vec::new() })
            }
        };
        let mut writer = KafkaWriter {
            shared,
            slot,
            consumer,
            topics: spec.topics.clone(),
            producer: None,
            open: false,
            plain,
            most_bytes: HashMap::new(),
        };
        writer.make_producer(Duration::from_secs(60))?;
        Ok(writer)
    }

    /// Makes the producer, anew if there is one, and ends what its predecessor left open. Blocks while
    /// the broker is away.
    fn make_producer(&mut self, within: Duration) -> Result<(), StoreError> {
        // Two of one id in one process would fence each other.
        self.producer = None;
        self.open = false;
        if self.plain.is_some() {
            self.producer = Some(self.shared.settings.plain()?);
            return Ok(());
        }
        let producer = self.shared.settings.transactional(&self.slot)?;
        let begun = Instant::now();
        loop {
            let Err(error) = producer.init_transactions(CALL) else { break };
            match of_transaction(&error) {
                TransactionError::Retry if begun.elapsed() < within => {
                    warn!(slot = self.slot, "the broker does not answer; trying again");
                    std::thread::sleep(Duration::from_millis(200));
                }
                TransactionError::Retry => {
                    return Err(StoreError::Unreachable(format!(
                        "no transaction coordinator answered in {} s",
                        within.as_secs()
                    )));
                }
                TransactionError::Abort | TransactionError::Dead => {
                    return Err(match self.dead(&error) {
                        fenced @ StoreError::Fenced(_) => fenced,
                        _ => of_query(&error, "a producer was made"),
                    });
                }
            }
        }
        self.producer = Some(producer);
        Ok(())
    }

    /// A dead producer's last word. A transaction that the broker gave up looks like another owner of the slot.
    fn dead(&self, error: &KafkaError) -> StoreError {
        match code_of(error) {
            Some(
                Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch | Code::FencedInstanceId,
            ) => self.fenced(),
            _ => StoreError::Rejoin(format!("the producer died: {error}")),
        }
    }

    pub(super) fn fenced(&self) -> StoreError {
        StoreError::Fenced(format!("the producer of `{}` is fenced", self.slot))
    }

    /// A batch that is too large makes its transaction fail, again and again.
    fn refuse_too_large(&mut self, topic: &str, record: &Record<'_>) -> Result<(), StoreError> {
        let headers: usize =
            record.headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len) + 10).sum();
        let (key, value) = (record.key.unwrap_or_default(), record.value.unwrap_or_default());
        let bytes = key.len() + value.len() + headers + BATCH_BYTES;
        // Every topic takes that much.
        if bytes <= SMALL_BYTES {
            return Ok(());
        }
        let most = match self.most_bytes.get(topic) {
            Some(most) => *most,
            None => {
                let most = self.shared.admin.max_message_bytes(topic)?;
                self.most_bytes.insert(topic.to_owned(), most);
                most
            }
        };
        if bytes <= most.min(PRODUCER_BYTES) {
            return Ok(());
        }
        let packed =
            || zstd::bulk::compress(value, 3).map_or(bytes, |packed| bytes - value.len() + packed.len());
        if bytes <= PRODUCER_BYTES && self.shared.settings.packs_with_zstd() && packed() <= most {
            return Ok(());
        }
        Err(StoreError::TooLarge(format!(
            "a record is too large for `{topic}`, which takes {most} bytes; raise its `max.message.bytes`"
        )))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        if self.open {
            return Ok(());
        }
        if self.producer.is_none() {
            self.make_producer(OUTAGE)?;
        }
        if self.plain.is_some() {
            self.open = true;
            return Ok(());
        }
        let Some(producer) = &self.producer else { unreachable!("it was made") };
        producer.begin_transaction().map_err(|error| match of_transaction(&error) {
            TransactionError::Retry => of_query(&error, "a transaction was begun"),
            TransactionError::Abort => StoreError::Void(format!("begin: {error}")),
            TransactionError::Dead => self.dead(&error),
        })?;
        self.open = true;
        Ok(())
    }

    fn send_positions(&self, positions: &[Position]) -> Result<(), StoreError> {
        let (Some(consumer), Some(producer)) = (&self.consumer, &self.producer) else { return Ok(()) };
        if positions.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            let list = self.position_list(positions)?;
            // Taken anew each time: it holds the generation, by which a stale owner is fenced.
            let Some(group) = consumer.group_metadata() else {
                return Err(StoreError::Void("the group was not joined yet".into()));
            };
            let Err(error) = producer.send_offsets_to_transaction(&list, &group, CALL) else { return Ok(()) };
            match of_transaction(&error) {
                TransactionError::Retry if begun.elapsed() < OUTAGE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                TransactionError::Retry | TransactionError::Abort => {
                    return Err(StoreError::Void(format!("positions: {error}")));
                }
                TransactionError::Dead => return Err(self.dead(&error)),
            }
        }
    }

    /// What the fault does.
    fn commit_apart(&self, positions: &[Position]) -> Result<(), StoreError> {
        let (Some(consumer), false) = (&self.consumer, positions.is_empty()) else { return Ok(()) };
        consumer
            .commit(&self.position_list(positions)?, CommitMode::Sync)
            .map_err(|error| of_query(&error, "positions were committed apart"))
    }

    pub(super) fn position_list(&self, positions: &[Position]) -> Result<TopicPartitionList, StoreError> {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for position in positions {
            let Some(topic) = self.topics.get(position.place.topic) else {
                return Err(StoreError::Bug("a position of a topic that is not read".into()));
            };
            list.add_partition_offset(topic, position.place.partition, Offset::Offset(position.next))
                .map_err(|error| of_query(&error, "positions were listed"))?;
        }
        Ok(list)
    }

    fn end(&self) -> Result<Ended, StoreError> {
        let begun = Instant::now();
        let mut ended = Ended::Committed;
        loop {
            let Some(producer) = &self.producer else {
                return Err(StoreError::Void("there is no producer".into()));
            };
            let Err(error) = producer.commit_transaction(CALL) else { return Ok(ended) };
            match of_transaction(&error) {
                TransactionError::Retry if begun.elapsed() < OUTAGE => {
                    ended = Ended::InDoubt;
                    std::thread::sleep(Duration::from_millis(50));
                }
                TransactionError::Retry => {
                    return Err(StoreError::Unreachable("a commit got no answer; a restart tells".into()));
                }
                TransactionError::Abort => return Err(StoreError::Void(format!("commit: {error}"))),
                // Whether it took place shows in the positions.
                TransactionError::Dead => return Err(self.dead(&error)),
            }
        }
    }
}

fn headers_of(record: &Record<'_>) -> Result<Option<OwnedHeaders>, StoreError> {
    if record.headers.is_empty() {
        return Ok(None);
    }
    let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
    for (name, value) in record.headers {
        match std::str::from_utf8(name) {
            Ok(key) if !key.contains('\0') => headers = headers.insert(Header { key, value: *value }),
            _ => return Err(StoreError::Refused("a header's name is no text; Kafka takes only text".into())),
        }
    }
    Ok(Some(headers))
}

impl KafkaWriter {
    /// Hands a record to the producer.
    pub(super) fn send(&self, topic: &str, partition: i32, record: &Record<'_>) -> Result<(), StoreError> {
        let Some(producer) = &self.producer else {
            return Err(StoreError::Void("there is no producer".into()));
        };
        let mut message = BaseRecord::<'_, [u8], [u8]>::to(topic).partition(partition);
        message.key = record.key;
        message.payload = record.value;
        message.timestamp = record.timestamp_ms;
        message.headers = headers_of(record)?;
        loop {
            // The bytes are copied before `send` returns.
            let Err((error, back)) = producer.send(message) else { return Ok(()) };
            match code_of(&error) {
                Some(Code::QueueFull) => {
                    message = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Some(Code::MessageSizeTooLarge) => {
                    return Err(StoreError::TooLarge(format!(
                        "a record is too large for `{topic}`; raise `message.max.bytes` in [kafka]"
                    )));
                }
                Some(Code::UnknownTopic | Code::UnknownPartition | Code::UnknownTopicOrPartition) => {
                    return Err(super::error::missing(topic));
                }
                // The open transaction failed before: its first error shows at the abort.
                _ => return Err(StoreError::Void(format!("append to `{topic}`: {error}"))),
            }
        }
    }
}

impl Writer for KafkaWriter {
    fn append(&mut self, topic: &str, partition: i32, record: &Record<'_>) -> Result<(), StoreError> {
        if self.shared.fault == Fault::CommitPositionsSeparately && topic.ends_with(".progress") {
            // Progress stands in the transaction, and would make the fault good again.
            return Ok(());
        }
        self.refuse_too_large(topic, record)?;
        self.begin()?;
        if let Some(plain) = &mut self.plain
            && *plain.progress == *topic
        {
            let [key, value] = [record.key, record.value].map(|part| part.map(<[u8]>::to_vec));
            plain.late.push((partition, RecordBuf { key, value, headers: Vec::new() }));
            return Ok(());
        }
        self.send(topic, partition, record)
    }

    fn commit(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        self.begin()?;
        if self.plain.is_some() {
            return self.deliver(positions);
        }
        if let Some(producer) = &self.producer {
            // What is not delivered by then, the commit's own flush waits for.
            native::flush(producer.client().native_ptr(), CALL);
        }
        crash::reach(CrashPoint::AfterFlush);
        let apart = self.shared.fault == Fault::CommitPositionsSeparately;
        if !apart {
            self.send_positions(positions)?;
            crash::reach(CrashPoint::AfterPositions);
        }
        let ended = self.end()?;
        self.open = false;
        if apart {
            // The point has another place here: in the gap that the fault makes.
            crash::reach(CrashPoint::AfterPositions);
            self.commit_apart(positions)?;
        }
        if let Ended::InDoubt = ended {
            self.make_producer(OUTAGE)?;
        }
        Ok(())
    }

    fn abort(&mut self) -> Result<(), StoreError> {
        if self.plain.is_some() {
            self.drop_open();
            return Ok(());
        }
        let mut in_doubt = false;
        let begun = Instant::now();
        while let (true, Some(producer)) = (self.open, &self.producer) {
            let Err(error) = producer.abort_transaction(CALL) else { break };
            match of_transaction(&error) {
                TransactionError::Retry if begun.elapsed() < OUTAGE => {
                    in_doubt = true;
                    std::thread::sleep(Duration::from_millis(50));
                }
                TransactionError::Retry => {
                    return Err(StoreError::Unreachable("an abort got no answer".into()));
                }
                TransactionError::Abort | TransactionError::Dead => return Err(self.dead(&error)),
            }
        }
        self.open = false;
        if in_doubt {
            self.make_producer(OUTAGE)?;
        }
        Ok(())
    }
}

//! The reading half of a session: one member of a group.

use super::closing::Client;
use super::context::{Change, Membership, Names, list};
use super::error::{code_of, of_query};
use super::purge::committed_of;
use super::scan::{fetched, watermarks};
use super::{Shared, native};
use crate::record::{Header, Record};
use crate::stage::store::{Assigned, Fetched, Flow, Place, Polled, Reader, Revoked, StoreError, TimeKind};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{debug, info};

/// A record that was fetched and not taken, kept while its partition is paused.
struct Kept {
    offset: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    timestamp_ms: Option<i64>,
    time: TimeKind,
}

impl Kept {
    fn of(fetched: &Fetched<'_>) -> Self {
        let record = &fetched.record;
        let header = |(name, value): &Header<'_>| (name.to_vec(), value.map(<[u8]>::to_vec));
        Kept {
            offset: fetched.offset,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(header).collect(),
            timestamp_ms: record.timestamp_ms,
            time: fetched.time,
        }
    }

    fn show(&self, place: Place, visit: &mut dyn FnMut(&Fetched<'_>) -> Flow) -> Flow {
        let headers: Vec<Header<'_>> =
            self.headers.iter().map(|(name, value)| (name.as_slice(), value.as_deref())).collect();
        let record = Record {
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: &headers,
            timestamp_ms: self.timestamp_ms,
        };
        visit(&Fetched { place, offset: self.offset, record, time: self.time })
    }
}

/// How long a seek may be refused.
const SEEKING: Duration = Duration::from_secs(60);

/// A partition that is ours.
struct Owned {
    /// The first offset that was not taken.
    next: i64,
    /// The worker waits for something: nothing is shown.
    held: bool,
    /// Whether fetching is paused. It is from a hold until everything kept was taken.
    paused: bool,
    kept: VecDeque<Kept>,
    /// Since when a seek to `next` is owed: until it is done, whatever comes is from elsewhere, and dropped.
    astray: Option<Instant>,
    /// An end below which nothing was found above `next`: (next, end).
    looked: Option<(i64, i64)>,
}

/// See [`Reader`].
pub struct KafkaReader {
    shared: Arc<Shared>,
    consumer: Option<Arc<Client<BaseConsumer<Membership>>>>,
    topics: Vec<Arc<str>>,
    owned: BTreeMap<Place, Owned>,
    /// Given and reported, not begun: where each starts, if that was said already.
    given: BTreeMap<Place, Option<i64>>,
    /// Log starts of those, for the ones that nobody gives a start.
    log_starts: BTreeMap<Place, i64>,
    /// Whether an assignment was reported and not answered yet; one of no partitions must be answered too.
    owes_begin: bool,
    /// Taken and reported: let go of at the next poll.
    letting_go: Option<Names>,
    /// Whether the group has answered at all.
    joined: bool,
}

impl KafkaReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        consumer: Option<Arc<Client<BaseConsumer<Membership>>>>,
        topics: &[Arc<str>],
    ) -> Self {
        KafkaReader {
            shared,
            consumer,
            topics: topics.to_vec(),
            owned: BTreeMap::new(),
            given: BTreeMap::new(),
            log_starts: BTreeMap::new(),
            owes_begin: false,
            letting_go: None,
            joined: false,
        }
    }

    fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        let topic = self.topics.iter().position(|name| name.as_ref() == topic)?;
        Some(Place { topic, partition })
    }

    fn name(&self, place: Place) -> (String, i32) {
        (self.topics.get(place.topic).map_or("", |name| name.as_ref()).to_owned(), place.partition)
    }

    fn places(&self, names: &Names) -> Vec<Place> {
        names.iter().filter_map(|(topic, partition)| self.place(topic, *partition)).collect()
    }

    /// What stands open from the last poll: partitions to let go of, partitions to begin with.
    fn settle(&mut self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        if let Some(names) = self.letting_go.take() {
            consumer
                .incremental_unassign(&list(&names))
                .map_err(|error| of_query(&error, "partitions were given up"))?;
        }
        if self.owes_begin {
            self.begin(consumer)?;
            self.owes_begin = false;
        }
        self.seek_astray(consumer)
    }

    /// Does the seeks that are owed. They are refused while a partition is on its way in or out.
    fn seek_astray(&mut self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        for (place, owned) in &mut self.owned {
            let Some(since) = owned.astray else { continue };
            let topic = self.topics.get(place.topic).map_or("", |name| name.as_ref());
            match consumer.seek(topic, place.partition, Offset::Offset(owned.next), Duration::from_secs(1)) {
                Ok(()) => {
                    owned.astray = None;
                    if std::mem::take(&mut owned.paused) {
                        consumer
                            .resume(&list(&vec![(topic.to_owned(), place.partition)]))
                            .map_err(|error| of_query(&error, "a partition was resumed"))?;
                    }
                }
                Err(error) if since.elapsed() > SEEKING => {
                    return Err(of_query(&error, "a partition was read again"));
                }
                Err(error) => debug!(topic, partition = place.partition, %error, "a seek is tried again"),
            }
        }
        Ok(())
    }

    fn begin(&mut self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        let given = std::mem::take(&mut self.given);
        {
            let mut starts = TopicPartitionList::with_capacity(given.len());
            for (place, start) in &given {
                let (topic, partition) = self.name(*place);
                let log_start = self.log_starts.get(place).copied().unwrap_or(0);
                let next = start.unwrap_or(log_start).max(log_start);
                starts
                    .add_partition_offset(&topic, partition, Offset::Offset(next))
                    .map_err(|error| of_query(&error, "starts were listed"))?;
                let held = start.is_none();
                let owned =
                    Owned { next, held, paused: false, kept: VecDeque::new(), astray: None, looked: None };
                self.owned.insert(*place, owned);
            }
            consumer
                .incremental_assign(&starts)
                .map_err(|error| of_query(&error, "partitions were taken over"))?;
            // A pause of ours outlives a revoke and comes back with the partition.
            consumer.resume(&starts).map_err(|error| of_query(&error, "partitions were resumed"))?;
        }
        self.log_starts.clear();
        Ok(())
    }

    /// Reports what the group decided.
    fn report(&mut self, consumer: &BaseConsumer<Membership>, change: Change) -> Result<Polled, StoreError> {
        self.joined = true;
        match change {
            Change::Given(names) => match self.look_up(consumer, &names) {
                Ok(assigned) => {
                    for partition in &assigned {
                        self.given.insert(partition.place, None);
                        self.log_starts.insert(partition.place, partition.log_start);
                    }
                    self.owes_begin = true;
                    info!(partitions = assigned.len(), "partitions were assigned");
                    Ok(Polled::Assigned(assigned))
                }
                Err(error) => {
                    consumer.context().put_back(Change::Given(names));
                    Err(error)
                }
            },
            Change::Taken { partitions, lost } => {
                let places = self.places(&partitions);
                for place in &places {
                    self.owned.remove(place);
                    self.given.remove(place);
                }
                self.letting_go = Some(partitions);
                info!(partitions = places.len(), lost, "partitions were revoked");
                Ok(Polled::Revoked(Revoked { places, lost }))
            }
        }
    }

    fn look_up(
        &self,
        consumer: &BaseConsumer<Membership>,
        names: &Names,
    ) -> Result<Vec<Assigned>, StoreError> {
        let ids = self.shared.admin.topic_ids(&self.topics)?;
        let committed = committed_of(consumer, list(names))?;
        let mut all = Vec::with_capacity(names.len());
        for ((topic, partition), committed) in names.iter().zip(committed) {
            let Some(place) = self.place(topic, *partition) else { continue };
            let Some(topic_id) = ids.get(place.topic).cloned() else { continue };
            let (log_start, _) = watermarks(consumer, topic, *partition)?;
            all.push(Assigned { place, topic_id, committed, log_start });
        }
        Ok(all)
    }

    /// Shows what was kept of partitions that are no longer held.
    fn show_kept(
        &mut self,
        consumer: &BaseConsumer<Membership>,
        limit: usize,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<(usize, Flow), StoreError> {
        let mut visited = 0;
        let mut resumed = Names::new();
        let mut last = Flow::Next;
        for (place, owned) in &mut self.owned {
            while let (false, Some(kept)) = (owned.held, owned.kept.front()) {
                if visited >= limit || last == Flow::Stop {
                    break;
                }
                match kept.show(*place, visit) {
                    Flow::Hold => owned.held = true,
                    flow => {
                        owned.next = kept.offset + 1;
                        owned.kept.pop_front();
                        visited += 1;
                        last = flow;
                    }
                }
            }
            if owned.paused && !owned.held && owned.kept.is_empty() && owned.astray.is_none() {
                owned.paused = false;
                let topic = self.topics.get(place.topic).map_or("", |name| name.as_ref());
                resumed.push((topic.to_owned(), place.partition));
            }
        }
        if !resumed.is_empty() {
            consumer.resume(&list(&resumed)).map_err(|error| of_query(&error, "partitions were resumed"))?;
        }
        Ok((visited, last))
    }

    /// Shows a message, or keeps it where its partition is held. `None`: it was not shown.
    fn show(
        &mut self,
        consumer: &BaseConsumer<Membership>,
        message: &BorrowedMessage<'_>,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Option<Flow>, StoreError> {
        let Some(place) = self.place(message.topic(), message.partition()) else { return Ok(None) };
        let Some(owned) = self.owned.get_mut(&place) else { return Ok(None) };
        // From before a seek.
        if message.offset() < owned.next || owned.astray.is_some() {
            return Ok(None);
        }
        let mut headers = Vec::new();
        native::headers(message, &mut headers);
        let fetched = fetched(place, message, &headers);
        if owned.held || !owned.kept.is_empty() {
            owned.kept.push_back(Kept::of(&fetched));
            return Ok(None);
        }
        let flow = visit(&fetched);
        if flow != Flow::Hold {
            owned.next = message.offset() + 1;
            return Ok(Some(flow));
        }
        owned.held = true;
        owned.paused = true;
        owned.kept.push_back(Kept::of(&fetched));
        let name = vec![(message.topic().to_owned(), message.partition())];
        consumer.pause(&list(&name)).map_err(|error| of_query(&error, "a partition was paused"))?;
        Ok(Some(flow))
    }

    /// An error in the place of a message.
    fn trouble(&mut self, error: &KafkaError) -> Result<(), StoreError> {
        if let KafkaError::MessageConsumptionFatal(code) = error {
            return Err(match code {
                Code::FencedInstanceId | Code::Fenced | Code::UnknownMemberId => {
                    StoreError::Fenced("give each process an `instance` of its own".into())
                }
                code => StoreError::Io(format!("kafka ends our membership: {code}")),
            });
        }
        match code_of(error) {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => self.skip_to_log_starts(),
            Some(
                code @ (Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::SaslAuthenticationFailed),
            ) => Err(StoreError::Refused(format!("kafka lets us read no more: {code}"))),
            // Passes, or shows as lost partitions.
            _ => {
                debug!(%error, "reading goes on");
                Ok(())
            }
        }
    }

    /// A position fell below its log's start: retention deleted what nobody had read.
    fn skip_to_log_starts(&mut self) -> Result<(), StoreError> {
        let Some(consumer) = self.consumer.clone() else { return Ok(()) };
        let places: Vec<(Place, i64)> =
            self.owned.iter().map(|(place, owned)| (*place, owned.next)).collect();
        for (place, next) in places {
            let (topic, partition) = self.name(place);
            let (log_start, _) = watermarks(&consumer, &topic, partition)?;
            if next < log_start {
                info!(topic, partition, next, log_start, "the log was cut before it was read");
                self.seek(place, log_start)?;
            }
        }
        Ok(())
    }
}

impl Reader for KafkaReader {
    fn poll(
        &mut self,
        wait: Duration,
        limit: usize,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Polled, StoreError> {
        let Some(consumer) = self.consumer.clone() else {
            std::thread::sleep(wait);
            return Ok(Polled::Idle);
        };
        self.settle(&consumer)?;
        if let Some(change) = consumer.context().next() {
            return self.report(&consumer, change);
        }
        let (mut visited, mut flow) = self.show_kept(&consumer, limit, visit)?;
        let begun = Instant::now();
        while visited < limit && flow != Flow::Stop {
            let left = if visited == 0 { wait.saturating_sub(begun.elapsed()) } else { Duration::ZERO };
            match consumer.poll(left) {
                Some(Ok(message)) => {
                    if let Some(shown) = self.show(&consumer, &message, visit)? {
                        flow = shown;
                        visited += usize::from(shown != Flow::Hold);
                    }
                }
                Some(Err(error)) => self.trouble(&error)?,
                // Also after a change of the group.
                None if visited > 0 || begun.elapsed() >= wait => break,
                None => {}
            }
            if consumer.context().is_waiting() {
                break;
            }
        }
        if visited > 0 {
            return Ok(Polled::Records(visited));
        }
        match consumer.context().next() {
            Some(change) => self.report(&consumer, change),
            None => Ok(Polled::Idle),
        }
    }

    fn start(&mut self, place: Place, next: i64) -> Result<(), StoreError> {
        self.seek(place, next)
    }

    fn seek(&mut self, place: Place, next: i64) -> Result<(), StoreError> {
        if let Some(start) = self.given.get_mut(&place) {
            *start = Some(next);
            return Ok(());
        }
        let Some(consumer) = self.consumer.clone() else { return Ok(()) };
        let (topic, partition) = self.name(place);
        let Some(owned) = self.owned.get_mut(&place) else { return Ok(()) };
        let next = match watermarks(&consumer, &topic, partition) {
            Ok((log_start, _)) => next.max(log_start),
            Err(_) => next,
        };
        owned.kept.clear();
        owned.held = false;
        owned.next = next;
        // Done at the next poll.
        owned.astray.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn resume(&mut self, place: Place) -> Result<(), StoreError> {
        // Fetching goes on when what was kept is taken.
        if let Some(owned) = self.owned.get_mut(&place) {
            owned.held = false;
        }
        Ok(())
    }

    fn reached(&mut self, place: Place, end: i64) -> Result<bool, StoreError> {
        if !self.joined || self.given.contains_key(&place) {
            return Ok(false);
        }
        let (topic, partition) = self.name(place);
        let Some(owned) = self.owned.get_mut(&place) else { return Ok(true) };
        if owned.next >= end {
            return Ok(true);
        }
        if owned.looked.is_some_and(|(next, looked)| next == owned.next && end <= looked) {
            return Ok(true);
        }
        // What is left may be markers and aborted records, which nobody can read: look.
        let mut found = false;
        self.shared.scanner.scan(&topic, partition, owned.next, &mut |fetched| {
            found = fetched.offset < end;
            Flow::Stop
        })?;
        if !found {
            owned.looked = Some((owned.next, end));
        }
        Ok(!found)
    }
}

impl Drop for KafkaReader {
    /// Answers what the group waits for, the changes that were not polled yet too: an answer that crosses
    /// the consumer's close is waited for in vain.
    fn drop(&mut self) {
        let Some(consumer) = &self.consumer else { return };
        consumer.context().close();
        if let Some(names) = self.letting_go.take()
            && let Err(error) = consumer.incremental_unassign(&list(&names))
        {
            debug!(%error, "leaving a group");
        }
        let given: Names = self.given.keys().map(|place| self.name(*place)).collect();
        let answer = |names: &Names| consumer.incremental_assign(&list(names));
        if self.owes_begin
            && let Err(error) = answer(&given)
        {
            debug!(%error, "leaving a group");
        }
        while let Some(change) = consumer.context().next() {
            let answered = match change {
                Change::Given(names) => answer(&names),
                Change::Taken { partitions, .. } => consumer.incremental_unassign(&list(&partitions)),
            };
            if let Err(error) = answered {
                debug!(%error, "leaving a group");
            }
        }
        // `None` comes after a change too.
        let (begun, mut nothing) = (Instant::now(), 0);
        while nothing < 3 && begun.elapsed() < Duration::from_secs(1) {
            nothing = if consumer.poll(Duration::ZERO).is_none() { nothing + 1 } else { 0 };
        }
    }
}

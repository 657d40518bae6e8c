//! The reading half of a session: one member of a group.

use super::context::{Change, Membership, Names, list};
use super::error::{code_of, of_query};
use super::kept::Kept;
use super::purge::committed_of;
use super::scan::{Name, extents, fetched};
use super::standstill::Standstill;
use super::{Fault, Member, Shared, native};
use crate::stage::store::{Assigned, Fetched, Flow, Place, Polled, Reader, Remedy, Revoked, StoreError};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{debug, info, warn};

/// So many polls in a row without a record mean that there is none.
const EMPTY: u32 = 3;
/// How often topics are looked at.
const TOPICS: Duration = Duration::from_secs(300);
/// How long seeks may take.
const SEEK: Duration = Duration::from_secs(1);
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

/// A partition that the group gave us.
struct Given {
    assigned: Assigned,
    /// Where it begins, once the worker has said so.
    start: Option<i64>,
}

/// See [`Reader`].
pub struct KafkaReader {
    shared: Arc<Shared>,
    consumer: Option<Arc<Member>>,
    topics: Vec<Arc<str>>,
    owned: BTreeMap<Place, Owned>,
    /// Those of them for which something is to be done at the next poll.
    loose: BTreeSet<Place>,
    /// Given and reported, not begun.
    given: BTreeMap<Place, Given>,
    /// Whether an assignment was reported and not answered yet; one of no partitions must be answered too.
    owes_begin: bool,
    /// Taken and reported: let go of at the next poll.
    letting_go: Option<Names>,
    /// Whether the group has answered at all.
    joined: bool,
    /// What the topics were like when we joined, and when they were last looked at.
    shape: String,
    looked: Instant,
    standstill: Standstill,
}

fn borrowed(names: &Names) -> Vec<Name<'_>> {
    names.iter().map(|(topic, partition)| (topic.as_str(), *partition)).collect()
}

impl KafkaReader {
    pub(super) fn new(
        shared: Arc<Shared>,
        consumer: Option<Arc<Member>>,
        topics: &[Arc<str>],
        shape: String,
    ) -> Self {
        KafkaReader {
            shared,
            consumer,
            topics: topics.to_vec(),
            owned: BTreeMap::new(),
            loose: BTreeSet::new(),
            given: BTreeMap::new(),
            owes_begin: false,
            letting_go: None,
            joined: false,
            shape,
            looked: Instant::now(),
            standstill: Standstill::new(),
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

    /// What stands open from the last poll: partitions to let go of, partitions to begin with. `Some`: those that
    /// the worker has not said a start for, since it failed to find it out.
    fn settle(&mut self, consumer: &BaseConsumer<Membership>) -> Result<Option<Polled>, StoreError> {
        if let Some(names) = self.letting_go.take() {
            consumer
                .incremental_unassign(&list(&names))
                .map_err(|error| of_query(&error, "partitions were given up"))?;
        }
        if self.owes_begin {
            let open = self.given.values().filter(|given| given.start.is_none());
            let open: Vec<Assigned> = open.map(|given| given.assigned.clone()).collect();
            if !open.is_empty() {
                return Ok(Some(Polled::Assigned(open)));
            }
            self.begin(consumer)?;
            self.owes_begin = false;
        }
        self.seek_astray(consumer)?;
        Ok(None)
    }

    /// Does the seeks that are owed. They are refused while a partition is on its way in or out.
    fn seek_astray(&mut self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        let mut targets = TopicPartitionList::new();
        for place in &self.loose {
            let Some(owned) = self.owned.get(place).filter(|owned| owned.astray.is_some()) else { continue };
            let topic = self.topics.get(place.topic).map_or("", |name| name.as_ref());
            targets
                .add_partition_offset(topic, place.partition, Offset::Offset(owned.next))
                .map_err(|error| of_query(&error, "partitions were read again"))?;
        }
        if targets.count() == 0 {
            return Ok(());
        }
        let answered = match consumer.seek_partitions(targets, SEEK) {
            Ok(answered) => answered,
            Err(error) => {
                debug!(%error, "seeks are tried again");
                return self.give_up_seeking();
            }
        };
        let mut resumed = Names::new();
        for element in answered.elements() {
            let Some(place) = self.place(element.topic(), element.partition()) else { continue };
            let Some(owned) = self.owned.get_mut(&place) else { continue };
            match element.error() {
                Ok(()) => {
                    owned.astray = None;
                    if std::mem::take(&mut owned.paused) {
                        resumed.push((element.topic().to_owned(), element.partition()));
                    }
                }
                Err(error) => debug!(place.partition, %error, "a seek is tried again"),
            }
        }
        if !resumed.is_empty() {
            consumer.resume(&list(&resumed)).map_err(|error| of_query(&error, "partitions were resumed"))?;
        }
        self.give_up_seeking()
    }

    /// A group whose leader came back under its old name has nobody who sees that a topic has more partitions.
    fn look_at_topics(&mut self) -> Result<(), StoreError> {
        if self.looked.elapsed() < TOPICS {
            return Ok(());
        }
        self.looked = Instant::now();
        match self.shared.admin.shape(&self.topics) {
            Ok(shape) if shape != self.shape => Err(StoreError::Rejoin("a topic has more partitions".into())),
            Err(error) if error.remedy() != Remedy::Retry => Err(error),
            _ => Ok(()),
        }
    }

    /// A record that was there for a partition at two looks, and was not fetched in between, never is.
    fn look_at_fetching(&mut self) -> Result<(), StoreError> {
        let read = self.owned.iter().filter(|(_, owned)| !owned.paused && owned.astray.is_none());
        let read = read.map(|(place, owned)| (*place, owned.next));
        let Some(still) = self.standstill.look(read).filter(|still| !still.is_empty()) else { return Ok(()) };
        let names: Names = still.iter().map(|(place, _)| self.name(*place)).collect();
        let ends = self.shared.scanner.ends(&borrowed(&names));
        for ((place, waited), end) in still.into_iter().zip(ends) {
            // What nobody answers for is looked at the next time.
            let Some(end) = end else { continue };
            match (self.reached(place, end), waited) {
                (Ok(false), true) => {
                    return Err(StoreError::Rejoin("records are there, and the client fetches none".into()));
                }
                (Ok(false), false) => self.standstill.waits(place),
                (Ok(true), _) => {}
                (Err(error), _) => debug!(%error, "the next look tells"),
            }
        }
        Ok(())
    }

    fn give_up_seeking(&self) -> Result<(), StoreError> {
        let mut astray = self.loose.iter().filter_map(|place| self.owned.get(place)?.astray);
        if astray.any(|since| since.elapsed() > SEEKING) {
            return Err(StoreError::Rejoin("partitions could not be read again".into()));
        }
        Ok(())
    }

    fn begin(&mut self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        let mut starts = TopicPartitionList::with_capacity(self.given.len());
        for (place, given) in std::mem::take(&mut self.given) {
            let (topic, partition) = self.name(place);
            let next = given.start.unwrap_or(0).max(given.assigned.log_start);
            starts
                .add_partition_offset(&topic, partition, Offset::Offset(next))
                .map_err(|error| of_query(&error, "starts were listed"))?;
            let owned =
                Owned { next, held: false, paused: false, kept: VecDeque::new(), astray: None, looked: None };
            self.owned.insert(place, owned);
        }
        // Half an assignment is none: there is no going on after an error.
        let failed = |error| StoreError::Io(format!("partitions cannot be taken over: {error}"));
        consumer.incremental_assign(&starts).map_err(failed)?;
        // A pause of ours outlives a revoke and comes back with the partition.
        consumer.resume(&starts).map_err(failed)
    }

    /// Reports what the group decided.
    fn report(&mut self, consumer: &BaseConsumer<Membership>, change: Change) -> Result<Polled, StoreError> {
        self.joined = true;
        match change {
            Change::Given(names) => match self.look_up(consumer, &names) {
                Ok(assigned) => {
                    for partition in &assigned {
                        let given = Given { assigned: partition.clone(), start: None };
                        self.given.insert(partition.place, given);
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
        let extents = extents(consumer, &borrowed(names))?;
        let mut all = Vec::with_capacity(names.len());
        for (((topic, partition), committed), (log_start, _)) in names.iter().zip(committed).zip(extents) {
            let Some(place) = self.place(topic, *partition) else { continue };
            let Some(topic_id) = ids.get(place.topic).cloned() else { continue };
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
        for place in std::mem::take(&mut self.loose) {
            let Some(owned) = self.owned.get_mut(&place) else { continue };
            while let (false, Some(kept)) = (owned.held, owned.kept.front()) {
                if visited >= limit || last == Flow::Stop {
                    break;
                }
                match kept.show(place, visit) {
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
            if owned.astray.is_some() || !(owned.held || owned.kept.is_empty()) {
                self.loose.insert(place);
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
            if self.shared.fault == Fault::StandStill && message.offset() == 0 {
                let name = vec![(message.topic().to_owned(), message.partition())];
                consumer.pause(&list(&name)).map_err(|error| of_query(&error, "a partition was paused"))?;
            }
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
                    StoreError::Fenced(format!("its member is fenced: {code}"))
                }
                code => StoreError::Io(format!("kafka ends our membership: {code}")),
            });
        }
        match code_of(error) {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation) => {
                let Some(consumer) = self.consumer.clone() else { return Ok(()) };
                self.misplaced(&consumer)
            }
            Some(Code::InconsistentGroupProtocol) => Err(StoreError::Refused(
                "our group has members of another protocol (`group.protocol=consumer`); nobody else may use its name"
                    .into(),
            )),
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

    /// A position is not in its log. Below its start, retention deleted what nobody had read; above its end,
    /// the brokers lost what they had committed. librdkafka does not say whose position it is, and reads no
    /// further there, whatever is sought.
    fn misplaced(&self, consumer: &BaseConsumer<Membership>) -> Result<(), StoreError> {
        let names: Names = self.owned.keys().map(|place| self.name(*place)).collect();
        for ((owned, (topic, partition)), (log_start, end)) in
            self.owned.values().zip(&names).zip(extents(consumer, &borrowed(&names))?)
        {
            let next = owned.next;
            if next > end {
                return Err(StoreError::Refused(format!(
                    "topic `{topic}` {partition} ends at {end}, and we have read up to {next}: its brokers lost \
                     records that were committed; delete our group (`kafka-consumer-groups.sh --delete`) and move \
                     the progress topic away to go on with what is there"
                )));
            }
            if next < log_start {
                warn!(topic, partition, next, log_start, "the log was cut before it was read");
            }
        }
        Err(StoreError::Rejoin("a log was cut before it was read".into()))
    }

    /// Reads a partition from an offset on, whatever was fetched of it.
    fn go_to(&mut self, place: Place, next: i64) {
        let Some(owned) = self.owned.get_mut(&place) else { return };
        owned.kept.clear();
        owned.held = false;
        owned.next = next;
        // Done at the next poll.
        owned.astray.get_or_insert_with(Instant::now);
        self.loose.insert(place);
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
        if let Some(open) = self.settle(&consumer)? {
            return Ok(open);
        }
        if let Some(change) = consumer.context().next() {
            return self.report(&consumer, change);
        }
        self.look_at_topics()?;
        self.look_at_fetching()?;
        let (mut visited, mut flow) = self.show_kept(&consumer, limit, visit)?;
        let begun = Instant::now();
        let mut nothing = 0;
        while visited < limit && flow != Flow::Stop {
            let polled = consumer.poll(Duration::ZERO);
            if polled.is_none() {
                self.standstill.ran_dry();
            }
            match polled {
                Some(Ok(message)) => {
                    if let Some(shown) = self.show(&consumer, &message, visit)? {
                        flow = shown;
                        visited += usize::from(shown != Flow::Hold);
                    }
                }
                Some(Err(error)) => self.trouble(&error)?,
                None if visited > 0 || begun.elapsed() >= wait => break,
                // Also after an event that is no record, behind which others may stand.
                None if nothing < EMPTY => nothing += 1,
                None => {
                    nothing = 0;
                    consumer.context().bell.wait(wait.saturating_sub(begun.elapsed()));
                }
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
        if let Some(given) = self.given.get_mut(&place) {
            given.start = Some(next);
            return Ok(());
        }
        match self.owned.get_mut(&place) {
            // Nothing was taken since: what is kept of it comes again.
            Some(owned) if owned.next == next && owned.astray.is_none() => {
                owned.held = false;
                self.loose.insert(place);
            }
            Some(_) => self.go_to(place, next),
            None => {}
        }
        Ok(())
    }

    fn resume(&mut self, place: Place) -> Result<(), StoreError> {
        // Fetching goes on when what was kept is taken.
        if let Some(owned) = self.owned.get_mut(&place) {
            owned.held = false;
            self.loose.insert(place);
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
        self.shared.scanner.scan(&topic, &[(partition, owned.next)], &mut |fetched| {
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
        let partitions = self.owned.len() + self.given.len();
        if partitions > 0 {
            info!(partitions, "partitions were given up");
        }
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
        while nothing < EMPTY && begun.elapsed() < Duration::from_secs(1) {
            nothing = if consumer.poll(Duration::ZERO).is_none() { nothing + 1 } else { 0 };
        }
    }
}

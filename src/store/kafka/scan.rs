//! Reading a partition from an offset to its end, outside any group.

use super::PATIENCE;
use super::closing::Client;
use super::context::Quiet;
use super::error::{code_of, is_silence, missing, of_query, unreachable_after};
use super::lazy::Lazy;
use super::native::{self, Described};
use super::settings::Settings;
use crate::record::{Header, Record};
use crate::stage::store::{Bounds, Fetched, Flow, Place, StoreError, TimeKind};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message as _, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::debug;

/// Asks for extents, and reads.
pub(super) struct Scanner {
    settings: Settings,
    /// Never assigned anything.
    asker: Client<BaseConsumer<Quiet>>,
    /// One scan at a time.
    reader: Mutex<()>,
    consumer: Lazy<BaseConsumer<Quiet>>,
}

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

/// A partition, as the cluster names it.
pub(super) type Name<'a> = (&'a str, i32);

/// How long a consumer may say nothing before another is made: one whose broker came back can stand still for ever
/// (librdkafka's issue 5153).
const SILENCE: Duration = Duration::from_secs(6);
/// How long the ends of partitions are waited for where nothing depends on them.
const SOON: Duration = Duration::from_secs(5);

/// How long partitions may be without a leader that answers: a broker takes up new partitions one by one.
const LEADERS: Duration = Duration::from_secs(60);

/// Of each partition its log's start and the offset after its last readable record (the last stable offset:
/// the client reads what is committed), in the order of the names: two requests to each leader, however many
/// partitions there are. Those that nobody answers for are asked again.
pub(super) fn extents(
    consumer: &BaseConsumer<impl ConsumerContext>,
    names: &[Name<'_>],
) -> Result<Vec<(i64, i64)>, StoreError> {
    let begun = Instant::now();
    let mut known = vec![None; names.len()];
    loop {
        let open: Vec<usize> =
            known.iter().enumerate().filter(|(_, known)| known.is_none()).map(|(at, _)| at).collect();
        let asked: Vec<Name<'_>> = open.iter().filter_map(|at| names.get(*at).copied()).collect();
        if asked.is_empty() {
            return Ok(known.into_iter().flatten().collect());
        }
        let starts = offsets(consumer, &asked, Offset::Beginning, PATIENCE)?;
        let ends = offsets(consumer, &asked, Offset::End, PATIENCE)?;
        let mut silent = None;
        for (((at, name), start), end) in open.iter().zip(asked).zip(starts).zip(ends) {
            match (start, end, known.get_mut(*at)) {
                (Ok(start), Ok(end), Some(slot)) => *slot = Some((start, end)),
                (Err(code), _, _) | (_, Err(code), _) => silent = silent.or(Some((name, code))),
                (_, _, None) => {}
            }
        }
        if let Some(((topic, partition), code)) = silent {
            if begun.elapsed() > LEADERS {
                return Err(StoreError::Busy(format!(
                    "no leader of `{topic}` {partition} answered in {} s ({code}); see that its brokers run",
                    LEADERS.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(500));
            // What the client knows of leaders it keeps for minutes.
            if let Err(error) = consumer.fetch_metadata(None, PATIENCE) {
                debug!(%error, "leaders are asked for again");
            }
        }
    }
}

/// One end of partitions, or why it is not known yet. (A question for offsets by time, where the two ends
/// stand in for times.)
fn offsets(
    consumer: &BaseConsumer<impl ConsumerContext>,
    names: &[Name<'_>],
    end: Offset,
    within: Duration,
) -> Result<Vec<Result<i64, Code>>, StoreError> {
    const WHAT: &str = "a partition's extent was read";
    let mut asked = TopicPartitionList::with_capacity(names.len());
    for (topic, partition) in names {
        asked.add_partition_offset(topic, *partition, end).map_err(|error| of_query(&error, WHAT))?;
    }
    let answered = match consumer.offsets_for_times(asked, within) {
        Ok(answered) => answered,
        Err(error) => match code_of(&error) {
            // None of the leaders is known.
            Some(code) if is_silence(code) || is_unknown(code) => return Ok(vec![Err(code); names.len()]),
            _ => return Err(of_query(&error, WHAT)),
        },
    };
    let mut all = Vec::with_capacity(names.len());
    for (element, (topic, _)) in answered.elements().iter().zip(names) {
        all.push(match (element.error(), element.offset()) {
            (Ok(()), Offset::Offset(offset)) => Ok(offset),
            (Ok(()), _) => Err(Code::LeaderNotAvailable),
            (Err(error), _) => match code_of(&error) {
                Some(code) if is_silence(code) || is_unknown(code) => Err(code),
                Some(Code::TopicAuthorizationFailed) => {
                    return Err(StoreError::Refused(format!(
                        "topic `{topic}` may not be read; grant READ and DESCRIBE on it"
                    )));
                }
                _ => return Err(of_query(&error, WHAT)),
            },
        });
    }
    all.resize(names.len(), Err(Code::LeaderNotAvailable));
    Ok(all)
}

/// Whether a partition is not known yet: its topic was looked up before, so that it will be.
fn is_unknown(code: Code) -> bool {
    matches!(code, Code::UnknownPartition | Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::NoEnt)
}

impl Scanner {
    pub(super) fn open(settings: &Settings) -> Result<Self, StoreError> {
        let asker = settings.scanner()?;
        Ok(Scanner { settings: settings.clone(), asker, reader: Mutex::new(()), consumer: Lazy::default() })
    }

    /// Topics, in the order of their names; `None` for one that does not exist.
    pub(super) fn describe(&self, topics: &[&str]) -> Result<Vec<Option<Described>>, StoreError> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        native::describe(self.asker.client().native_ptr(), topics, PATIENCE)
    }

    /// By partition number.
    pub(super) fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, StoreError> {
        self.bounds_of(&[topic]).map(|all| all.into_iter().flatten().collect())
    }

    /// The same for several topics, in their order.
    pub(super) fn bounds_of(&self, topics: &[&str]) -> Result<Vec<Vec<Bounds>>, StoreError> {
        let mut names = Vec::new();
        let mut counts = Vec::with_capacity(topics.len());
        for (topic, found) in topics.iter().zip(self.describe(topics)?) {
            let count = found.ok_or_else(|| missing(topic))?.partitions;
            names.extend((0..count).map(|partition| (*topic, partition)));
            counts.push(count);
        }
        let mut all = extents(&self.asker, &names)?.into_iter();
        let of = |count| {
            let bounds = |(partition, (log_start, end))| Bounds { partition, log_start, end };
            (0..count).zip(all.by_ref()).map(bounds).collect()
        };
        Ok(counts.into_iter().map(of).collect())
    }

    pub(super) fn scan(
        &self,
        topic: &str,
        starts: &[(i32, i64)],
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Vec<i64>, StoreError> {
        let names: Vec<Name<'_>> = starts.iter().map(|(partition, _)| (topic, *partition)).collect();
        let walk = |((partition, from), (log_start, end)): (&(i32, i64), (i64, i64))| Walk {
            partition: *partition,
            next: (*from).max(log_start),
            end,
        };
        let mut walks: Vec<Walk> = starts.iter().zip(extents(&self.asker, &names)?).map(walk).collect();
        if walks.iter().any(|walk| !walk.is_done()) {
            let _alone = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let mut walked = self.walk(topic, &mut walks, SILENCE, visit);
            if let Err(StoreError::Busy(_)) = walked {
                self.consumer.forget();
                walked = self.walk(topic, &mut walks, PATIENCE, visit);
            }
            walked?;
        }
        Ok(walks.iter().map(|walk| walk.next).collect())
    }

    /// Goes on with the walks that are not done.
    fn walk(
        &self,
        topic: &str,
        walks: &mut [Walk],
        silence: Duration,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<(), StoreError> {
        let mut list = TopicPartitionList::new();
        for walk in walks.iter().filter(|walk| !walk.is_done()) {
            list.add_partition_offset(topic, walk.partition, Offset::Offset(walk.next))
                .map_err(|error| of_query(&error, "a scan began"))?;
        }
        let consumer = self.consumer.get(|| self.settings.scanner())?;
        consumer.assign(&list).map_err(|error| of_query(&error, "a scan began"))?;
        let walked = walk_all(&consumer, topic, walks, silence, visit);
        consumer.unassign().map_err(|error| of_query(&error, "a scan ended"))?;
        walked
    }

    /// The offsets after the last readable records; `None` where nobody answers at once.
    pub(super) fn ends(&self, names: &[Name<'_>]) -> Vec<Option<i64>> {
        match offsets(&self.asker, names, Offset::End, SOON) {
            Ok(ends) => ends.into_iter().map(Result::ok).collect(),
            Err(error) => {
                debug!(%error, "ends are not known");
                vec![None; names.len()]
            }
        }
    }

    pub(super) fn sweep(&self) {
        self.consumer.sweep();
    }
}

/// One partition's way to its end.
struct Walk {
    partition: i32,
    next: i64,
    /// `next` once it was stopped.
    end: i64,
}

impl Walk {
    fn is_done(&self) -> bool {
        self.next >= self.end
    }

    fn stop_at(&mut self, next: i64) {
        (self.next, self.end) = (next, next);
    }
}

fn walk_all(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    walks: &mut [Walk],
    silence: Duration,
    visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
) -> Result<(), StoreError> {
    let mut open: HashMap<i32, &mut Walk> =
        walks.iter_mut().filter(|walk| !walk.is_done()).map(|walk| (walk.partition, walk)).collect();
    let mut heard = Instant::now();
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(200)) {
            None if heard.elapsed() > silence => return Err(unreachable_after("a topic was scanned")),
            None => {}
            Some(Ok(message)) => {
                heard = Instant::now();
                let Some(walk) = open.get_mut(&message.partition()) else { continue };
                if message.topic() != topic || message.offset() < walk.next {
                    continue;
                }
                if message.offset() < walk.end {
                    let mut headers = Vec::new();
                    native::headers(&message, &mut headers);
                    let place = Place { topic: 0, partition: walk.partition };
                    match visit(&fetched(place, &message, &headers)) {
                        Flow::Next => walk.next = message.offset() + 1,
                        Flow::Stop => walk.stop_at(message.offset() + 1),
                        Flow::Hold => walk.stop_at(message.offset()),
                    }
                } else {
                    walk.next = walk.end;
                }
                if walk.is_done() {
                    open.remove(&message.partition());
                }
            }
            // At the end by now, which lies no nearer than the end as it was: what is left are markers.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                heard = Instant::now();
                if let Some(walk) = open.remove(&partition) {
                    walk.next = walk.end;
                }
            }
            Some(Err(error)) => match code_of(&error) {
                Some(code) if is_silence(code) && heard.elapsed() < silence => {}
                _ => return Err(of_query(&error, "a topic was scanned")),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::config::ClientConfig;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

    /// A broker that leads for moments only is none that we can start: this is librdkafka's own stand-in.
    #[test]
    fn a_partition_without_a_leader_is_waited_for_and_named() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("led", 3, 1).unwrap();
        let settings = [("bootstrap.servers".to_owned(), cluster.bootstrap_servers())].into();
        let asker = Settings(settings).scanner().unwrap();
        let names = [("led", 0), ("led", 1), ("led", 2)];
        assert_eq!(extents(&asker, &names), Ok(vec![(0, 0); 3]));
        cluster.partition_leader("led", 1, None).unwrap();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| extents(&asker, &names));
            std::thread::sleep(Duration::from_secs(5));
            cluster.partition_leader("led", 1, Some(1)).unwrap();
            assert_eq!(asked.join().unwrap(), Ok(vec![(0, 0); 3]), "it came back in time");
        });
        cluster.partition_leader("led", 1, None).unwrap();
        let begun = Instant::now();
        // What a verb makes exit code 69 of.
        let Err(StoreError::Busy(said)) = extents(&asker, &names) else { panic!("nobody leads it") };
        assert!(said.contains("no leader of `led` 1 answered in 60 s"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", begun.elapsed());
    }

    /// What librdkafka's client does to itself when its broker comes back, a pause behind the scan's back does here.
    #[test]
    fn a_scan_whose_client_stands_still_goes_on_with_another() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("still", 1, 1).unwrap();
        let brokers = cluster.bootstrap_servers();
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
        for value in ["one", "two", "three"] {
            producer.send(BaseRecord::<(), str>::to("still").partition(0).payload(value)).unwrap();
            producer.flush(Duration::from_secs(10)).unwrap();
        }
        let scanner = Scanner::open(&Settings([("bootstrap.servers".to_owned(), brokers)].into())).unwrap();
        let mut seen = Vec::new();
        let next = scanner.scan("still", &[(0, 0)], &mut |fetched| {
            if fetched.offset == 0 {
                let client = scanner.consumer.get(|| scanner.settings.scanner()).unwrap();
                client.pause(&client.assignment().unwrap()).unwrap();
            }
            seen.push(fetched.offset);
            Flow::Next
        });
        assert_eq!((seen, next), (vec![0, 1, 2], Ok(vec![3])));
    }
}

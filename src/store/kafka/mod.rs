//! The store on Apache Kafka: the real thing.
//!
//! A [`KafkaSession`] is one consumer and one transactional producer, used by one thread. Positions go
//! through the producer's transactions (KIP-447), so that what a worker writes and where it stands become
//! visible together. Assignments are answered with explicit starts; nothing is ever guessed
//! (`auto.offset.reset = error`). What librdkafka leaves to its users, and its traps, stand beside the code
//! that deals with them.

mod admin;
mod bell;
mod closing;
mod context;
mod error;
mod kept;
mod lazy;
mod native;
mod plain;
mod probe;
mod purge;
mod reader;
mod scan;
mod served;
mod settings;
mod standstill;
mod writer;

pub use admin::{BrokerState, TopicState};
pub use reader::KafkaReader;
pub use writer::KafkaWriter;

use crate::stage::clock::Clock;
use crate::stage::store::{
    Bounds, Cut, Delivery, Fetched, Flow, PurgeState, Session, SessionSpec, Store, StoreError, TopicSpec,
};
use admin::Admin;
use closing::Client;
use context::Membership;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use scan::Scanner;
use settings::Settings;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How long a transaction of ours may be open before the broker aborts it.
pub const TRANSACTION_TIMEOUT_MS: i64 = 30_000;
/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mistake made on purpose, to show that the tests would see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The positions are committed by the consumer, after the transaction.
    CommitPositionsSeparately,
    /// After a partition's very first record the client fetches no more of it, as librdkafka can (its issue 5153).
    StandStill,
}

/// How to reach a cluster.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// librdkafka's settings; those that we own win over them.
    pub settings: BTreeMap<String, String>,
    /// Settings of topics that [`Store::ensure`] makes.
    pub topic_settings: BTreeMap<String, String>,
    pub fault: Fault,
}

/// What sessions and the administrator share.
struct Shared {
    settings: Settings,
    admin: Admin,
    scanner: Arc<Scanner>,
    /// Our own members by group, as long as they live.
    members: Mutex<HashMap<String, Weak<Member>>>,
    fault: Fault,
}

/// A member of a group.
type Member = Client<BaseConsumer<Membership>>;

impl Shared {
    /// The member that this process has of a group; one of them, where there are several.
    fn member(&self, group: &str) -> Option<Arc<Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).get(group)?.upgrade()
    }

    /// Closes clients that are not needed.
    fn sweep(&self) {
        self.admin.sweep();
        self.scanner.sweep();
    }
}

/// A cluster.
pub struct Kafka {
    shared: Arc<Shared>,
    purger: purge::Purger,
}

impl Kafka {
    /// Connects.
    ///
    /// # Errors
    /// `Unreachable` where no broker answers; `Refused` where a setting is wrong.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        let settings = Settings(options.settings);
        let scanner = Arc::new(Scanner::open(&settings)?);
        let admin = Admin::open(&settings, options.topic_settings, scanner.clone())?;
        let members = Mutex::default();
        let shared = Arc::new(Shared { settings, admin, scanner, members, fault: options.fault });
        Ok(Kafka { purger: purge::Purger::new(shared.clone()), shared })
    }

    /// A topic's partitions and settings; `None` where there is no such topic.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn topic_state(&self, topic: &str) -> Result<Option<TopicState>, StoreError> {
        self.shared.admin.topic_state(topic)
    }

    /// How many brokers the cluster has by now.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn brokers(&self) -> Result<i32, StoreError> {
        self.shared.admin.brokers()
    }

    /// Every broker with its settings; those that it hides are missing.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn broker_states(&self) -> Result<Vec<BrokerState>, StoreError> {
        self.shared.admin.broker_states()
    }

    /// The fewest replicas that any partition of a topic is assigned to; `None` where there is no such topic.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn replicas(&self, topic: &str) -> Result<Option<usize>, StoreError> {
        self.shared.admin.replicas(topic)
    }

    /// Every group that the cluster knows.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn groups(&self) -> Result<Vec<String>, StoreError> {
        self.shared.admin.groups()
    }

    /// How far the broker's clock is ahead of ours, as a record in a compacted topic is stamped: 0 within the
    /// time that the record took.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn clock_ahead_ms(&self, topic: &str, clock: &dyn Clock) -> Result<i64, StoreError> {
        probe::clock_ahead_ms(&self.shared.settings, topic, clock)
    }

    /// Makes a topic.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn make_topic(
        &self,
        topic: &str,
        partitions: i32,
        replication: i32,
        settings: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        self.shared.admin.make(topic, partitions, replication, settings)
    }

    /// Adds partitions until there are so many.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn add_partitions(&self, topic: &str, partitions: i32) -> Result<(), StoreError> {
        self.shared.admin.add_partitions(topic, partitions)
    }

    /// Sets settings of a topic; its own others stay.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn change_settings(
        &self,
        topic: &str,
        state: &TopicState,
        settings: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        self.shared.admin.change(topic, state, settings)
    }
}

/// The session of one worker.
pub struct KafkaSession {
    // In this order they are dropped: the producer's open transaction is left to its successor.
    writer: KafkaWriter,
    reader: KafkaReader,
}

impl Session for KafkaSession {
    type Reader = KafkaReader;
    type Writer = KafkaWriter;

    fn halves(&mut self) -> (&mut KafkaReader, &mut KafkaWriter) {
        (&mut self.reader, &mut self.writer)
    }
}

/// A slot as Kafka accepts it in ids: other characters become `_`.
fn legal(slot: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    slot.chars().map(keep).take(240).collect()
}

/// The answer about the only one that was asked about.
fn only<T>(answers: Vec<T>) -> T {
    let Some(answer) = answers.into_iter().next() else { unreachable!("each question has its answer") };
    answer
}

impl Store for Kafka {
    type Session = KafkaSession;

    fn join(&self, spec: &SessionSpec) -> Result<KafkaSession, StoreError> {
        self.join_as(spec, &Delivery::ExactlyOnce)
    }

    fn join_as(&self, spec: &SessionSpec, delivery: &Delivery) -> Result<KafkaSession, StoreError> {
        let slot = legal(&spec.slot);
        let (consumer, shape) = match spec.topics.is_empty() {
            true => (None, String::new()),
            false => {
                let shape = self.shared.admin.shape(&spec.topics)?;
                // Whoever comes back under its old name is given what it had, without a look at what it asks for.
                let name = format!("{slot}.{shape}");
                (Some(Arc::new(self.shared.settings.member(&spec.reader, &name)?)), shape)
            }
        };
        // The producer first: its `init_transactions` ends what a predecessor left open, and only then
        // are positions and progress what they will stay.
        let writer = KafkaWriter::open(self.shared.clone(), slot, consumer.clone(), spec, delivery)?;
        if let Some(consumer) = &consumer {
            let topics: Vec<&str> = spec.topics.iter().map(AsRef::as_ref).collect();
            consumer.subscribe(&topics).map_err(|error| error::of_query(&error, "a group was joined"))?;
            let mut members = self.shared.members.lock().unwrap_or_else(PoisonError::into_inner);
            members.insert(spec.reader.clone(), Arc::downgrade(consumer));
        }
        let reader = KafkaReader::new(self.shared.clone(), consumer, &spec.topics, shape);
        Ok(KafkaSession { writer, reader })
    }

    fn topics(&self) -> Result<Vec<TopicSpec>, StoreError> {
        self.shared.admin.topics()
    }

    fn ensure(&self, spec: &TopicSpec) -> Result<(), StoreError> {
        self.shared.admin.ensure(spec)
    }

    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, StoreError> {
        self.shared.scanner.bounds(topic)
    }

    fn scan(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<i64, StoreError> {
        self.scan_each(topic, &[(partition, from)], visit).map(only)
    }

    fn scan_each(
        &self,
        topic: &str,
        starts: &[(i32, i64)],
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Vec<i64>, StoreError> {
        self.shared.scanner.scan(topic, starts, visit)
    }

    fn purge_states(&self, reader: &str, topic: &str) -> Result<Vec<PurgeState>, StoreError> {
        self.purge_states_of(reader, &[topic.into()]).map(only)
    }

    fn purge_states_of(&self, reader: &str, topics: &[Arc<str>]) -> Result<Vec<Vec<PurgeState>>, StoreError> {
        self.purger.states(reader, topics)
    }

    fn purge(&self, topic: &str, partition: i32, up_to: i64) -> Result<i64, StoreError> {
        self.purge_each(&[Cut { topic: topic.into(), partition, up_to }]).and_then(only)
    }

    fn purge_each(&self, cuts: &[Cut]) -> Result<Vec<Result<i64, StoreError>>, StoreError> {
        self.shared.admin.delete_records(cuts)
    }

    fn roll(&self, topic: &str, partitions: &[i32]) -> Result<(), StoreError> {
        self.purger.roll(topic, partitions)
    }

    fn purged(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

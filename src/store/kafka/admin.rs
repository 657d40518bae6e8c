//! The administrator's calls: topics, their settings, their ids, deletion.

use super::PATIENCE;
use super::closing::Client;
use super::context::Quiet;
use super::error::{code_of, is_silence, missing, of_query};
use super::lazy::Lazy;
use super::native::Described;
use super::scan::Scanner;
use super::settings::Settings;
use crate::stage::store::{Cut, StoreError, TopicSpec};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// How long the first answer may take.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// A topic as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicState {
    pub partitions: i32,
    /// Every setting, the broker's defaults included. A hidden one is missing.
    pub settings: BTreeMap<String, String>,
    /// Those that were set on the topic itself.
    pub own: BTreeMap<String, String>,
}

/// A broker as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerState {
    pub id: i32,
    /// Every setting that it shows, defaults included.
    pub settings: BTreeMap<String, String>,
}

pub(super) struct Admin {
    settings: Settings,
    client: Lazy<AdminClient<Quiet>>,
    /// Looks topics up.
    scanner: Arc<Scanner>,
    new_topics: BTreeMap<String, String>,
    /// Which topics are compacted: asked for once each.
    compacted: Mutex<HashMap<String, bool>>,
}

/// Wakes the thread that waits for a future.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an answer on this thread. librdkafka bounds the time.
pub(super) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

fn cannot(topic: &str, what: &str, code: Code) -> StoreError {
    StoreError::Refused(format!("topic `{topic}` cannot {what}: {code}"))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

impl Admin {
    pub(super) fn open(
        settings: &Settings,
        new_topics: BTreeMap<String, String>,
        scanner: Arc<Scanner>,
    ) -> Result<Self, StoreError> {
        let admin = Admin {
            settings: settings.clone(),
            client: Lazy::default(),
            scanner,
            new_topics,
            compacted: Mutex::default(),
        };
        admin.client()?.inner().fetch_metadata(Some("logscrub"), FIRST_ANSWER).map_err(|error| {
            match code_of(&error) {
                _ if settings.is_turned_away() => StoreError::Refused(format!(
                    "`{}` does not accept who we are, or we do not accept it; check `security.protocol`, `sasl.*` \
                     and `ssl.*` in [kafka]",
                    settings.brokers()
                )),
                Some(code) if is_silence(code) => StoreError::Unreachable(format!(
                    "no broker of `{}` answered in {} s; check `bootstrap.servers` in [kafka], and that the \
                     broker runs",
                    settings.brokers(),
                    FIRST_ANSWER.as_secs()
                )),
                _ => of_query(&error, "the first question was asked"),
            }
        })?;
        Ok(admin)
    }

    fn client(&self) -> Result<Arc<Client<AdminClient<Quiet>>>, StoreError> {
        self.client.get(|| self.settings.admin())
    }

    pub(super) fn sweep(&self) {
        self.client.sweep();
    }

    /// By name; Kafka's own topics are left out.
    pub(super) fn topics(&self) -> Result<Vec<TopicSpec>, StoreError> {
        let client = self.client()?;
        let metadata = client
            .inner()
            .fetch_metadata(None, PATIENCE)
            .map_err(|error| of_query(&error, "topics were listed"))?;
        let mut topics: Vec<TopicSpec> = metadata
            .topics()
            .iter()
            .filter(|topic| topic.error().is_none() && !topic.name().starts_with("__"))
            .map(|topic| TopicSpec {
                name: topic.name().into(),
                partitions: i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
                compacted: false,
            })
            .collect();
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        let mut known = self.compacted.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown: Vec<&str> = topics
            .iter()
            .map(|topic| topic.name.as_ref())
            .filter(|name| !known.contains_key(*name))
            .collect();
        if !unknown.is_empty() {
            for (name, state) in self.settings_of(&unknown)? {
                let compacted =
                    state.settings.get("cleanup.policy").is_some_and(|policy| policy.contains("compact"));
                known.insert(name, compacted);
            }
        }
        for topic in &mut topics {
            topic.compacted = known.get(topic.name.as_ref()).copied().unwrap_or(false);
        }
        Ok(topics)
    }

    /// The settings of topics, those of the broker included. A topic that may not be described is left
    /// out: unknown is not "ok". `partitions` is not filled in.
    fn settings_of(&self, topics: &[&str]) -> Result<Vec<(String, TopicState)>, StoreError> {
        let resources: Vec<ResourceSpecifier<'_>> =
            topics.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let answers = wait(self.client()?.describe_configs(&resources, &options()))
            .map_err(|error| of_query(&error, "topic settings were read"))?;
        let mut all = Vec::new();
        for resource in answers.into_iter().flatten() {
            let rdkafka::admin::OwnedResourceSpecifier::Topic(name) = resource.specifier else { continue };
            let mut state = TopicState::default();
            for entry in resource.entries {
                let Some(value) = entry.value else { continue };
                if matches!(entry.source, ConfigSource::DynamicTopic) {
                    state.own.insert(entry.name.clone(), value.clone());
                }
                state.settings.insert(entry.name, value);
            }
            all.push((name, state));
        }
        Ok(all)
    }

    pub(super) fn topic_state(&self, topic: &str) -> Result<Option<TopicState>, StoreError> {
        let Some(partitions) = self.partitions(topic)? else { return Ok(None) };
        let state = self.settings_of(&[topic])?.into_iter().next().map(|(_, state)| state);
        Ok(Some(TopicState { partitions, ..state.unwrap_or_default() }))
    }

    pub(super) fn brokers(&self) -> Result<i32, StoreError> {
        let client = self.client()?;
        let metadata = client
            .inner()
            .fetch_metadata(Some("logscrub"), PATIENCE)
            .map_err(|error| of_query(&error, "brokers were counted"))?;
        Ok(i32::try_from(metadata.brokers().len()).unwrap_or(i32::MAX))
    }

    /// The largest batch that a topic takes; Kafka's default where it is hidden.
    pub(super) fn max_message_bytes(&self, topic: &str) -> Result<usize, StoreError> {
        let state = self.topic_state(topic)?;
        let most = state.and_then(|state| state.settings.get("max.message.bytes")?.parse().ok());
        Ok(most.unwrap_or(1_048_588))
    }

    pub(super) fn broker_states(&self) -> Result<Vec<BrokerState>, StoreError> {
        let client = self.client()?;
        let metadata = client
            .inner()
            .fetch_metadata(Some("logscrub"), PATIENCE)
            .map_err(|error| of_query(&error, "brokers were counted"))?;
        metadata.brokers().iter().map(|broker| self.broker_state(broker.id())).collect()
    }

    fn broker_state(&self, id: i32) -> Result<BrokerState, StoreError> {
        let resource = ResourceSpecifier::Broker(id);
        let answers = wait(self.client()?.describe_configs([&resource], &options()))
            .map_err(|error| of_query(&error, "broker settings were read"))?;
        let entries = answers.into_iter().flatten().flat_map(|resource| resource.entries);
        let settings = entries.filter_map(|entry| Some((entry.name, entry.value?))).collect();
        Ok(BrokerState { id, settings })
    }

    pub(super) fn replicas(&self, topic: &str) -> Result<Option<usize>, StoreError> {
        Ok(self.look_up(topic)?.map(|found| found.replicas))
    }

    pub(super) fn groups(&self) -> Result<Vec<String>, StoreError> {
        let client = self.client()?;
        let groups = client
            .inner()
            .fetch_group_list(None, PATIENCE)
            .map_err(|error| of_query(&error, "groups were listed"))?;
        Ok(groups.groups().iter().map(|group| group.name().to_owned()).collect())
    }

    pub(super) fn make(
        &self,
        name: &str,
        partitions: i32,
        replication: i32,
        settings: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication));
        for (name, value) in settings {
            topic = topic.set(name, value);
        }
        match self.create(&topic)? {
            Ok(()) | Err(Code::TopicAlreadyExists) => self.await_topic(name),
            Err(code) => Err(cannot(name, "be made", code)),
        }
    }

    fn create(&self, topic: &NewTopic<'_>) -> Result<Result<(), Code>, StoreError> {
        let answers = wait(self.client()?.create_topics([topic], &options()))
            .map_err(|error| of_query(&error, "a topic was made"))?;
        match answers.into_iter().next() {
            Some(answer) => Ok(answer.map(drop).map_err(|(_, code)| code)),
            None => Err(StoreError::Bug("no answer about a new topic".into())),
        }
    }

    pub(super) fn add_partitions(&self, topic: &str, partitions: i32) -> Result<(), StoreError> {
        let count = usize::try_from(partitions).unwrap_or(0);
        let wanted = NewPartitions::new(topic, count);
        let answers = wait(self.client()?.create_partitions([&wanted], &options()))
            .map_err(|error| of_query(&error, "partitions were added"))?;
        match answers.into_iter().next() {
            Some(Ok(_)) => Ok(()),
            Some(Err((_, code))) => Err(cannot(topic, "be given partitions", code)),
            None => Err(StoreError::Bug("no answer about partitions".into())),
        }
    }

    /// The call replaces all of a topic's own settings, so that the others are sent again.
    pub(super) fn change(
        &self,
        topic: &str,
        state: &TopicState,
        settings: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        let mut change = AlterConfig::new(ResourceSpecifier::Topic(topic));
        for (name, value) in &state.own {
            if !settings.contains_key(name.as_str()) {
                change = change.set(name, value);
            }
        }
        for (name, value) in settings {
            change = change.set(name, value);
        }
        let answers = wait(self.client()?.alter_configs([&change], &options()))
            .map_err(|error| of_query(&error, "topic settings were changed"))?;
        match answers.into_iter().next() {
            Some(Ok(_)) => self.await_settings(topic, settings),
            Some(Err((_, code))) => Err(cannot(topic, "be changed", code)),
            None => Err(StoreError::Bug("no answer about settings".into())),
        }
    }

    /// The controller knows a change at once, brokers a moment later.
    fn await_settings(
        &self,
        topic: &str,
        settings: &BTreeMap<&'static str, String>,
    ) -> Result<(), StoreError> {
        for _ in 0..200 {
            let known = self.topic_state(topic)?.map(|state| state.settings).unwrap_or_default();
            if settings.iter().all(|(name, value)| known.get(*name) == Some(value)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(StoreError::Busy(format!("topic `{topic}` was changed, and does not show it yet")))
    }

    pub(super) fn ensure(&self, spec: &TopicSpec) -> Result<(), StoreError> {
        if self.partitions(&spec.name)?.is_some() {
            return self.enough_partitions(spec);
        }
        let policy = if spec.compacted { "compact" } else { "delete" };
        let mut topic = NewTopic::new(&spec.name, spec.partitions, TopicReplication::Fixed(-1))
            .set("cleanup.policy", policy);
        for (name, value) in &self.new_topics {
            topic = topic.set(name, value);
        }
        match self.create(&topic)? {
            Ok(()) => self.await_topic(&spec.name),
            Err(Code::TopicAlreadyExists) => self.enough_partitions(spec),
            Err(code) => Err(cannot(&spec.name, "be made", code)),
        }
    }

    /// A new topic is known to the broker that made it; others learn of it a moment later.
    fn await_topic(&self, topic: &str) -> Result<(), StoreError> {
        for _ in 0..200 {
            if self.partitions(topic)?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Err(StoreError::Busy(format!("topic `{topic}` was made and is not there yet")))
    }

    fn enough_partitions(&self, spec: &TopicSpec) -> Result<(), StoreError> {
        let partitions = self.partitions(&spec.name)?.unwrap_or(0);
        if partitions < spec.partitions {
            return Err(StoreError::Refused(format!(
                "topic `{}` has {partitions} partitions, and {} are needed",
                spec.name, spec.partitions
            )));
        }
        Ok(())
    }

    /// How many partitions a topic has; `None` where there is no such topic.
    pub(super) fn partitions(&self, topic: &str) -> Result<Option<i32>, StoreError> {
        Ok(self.look_up(topic)?.map(|found| found.partitions).filter(|count| *count > 0))
    }

    /// What the cluster says of a topic; `None` where there is no such topic.
    fn look_up(&self, topic: &str) -> Result<Option<Described>, StoreError> {
        Ok(self.scanner.describe(&[topic])?.into_iter().next().flatten())
    }

    /// The topics' ids, in their order.
    pub(super) fn topic_ids(&self, topics: &[Arc<str>]) -> Result<Vec<Arc<str>>, StoreError> {
        Ok(self.look_up_all(topics)?.into_iter().map(|found| Arc::from(found.id)).collect())
    }

    /// Names the topics with their numbers of partitions: other topics, or more partitions, are another shape.
    pub(super) fn shape(&self, topics: &[Arc<str>]) -> Result<String, StoreError> {
        let found = self.look_up_all(topics)?;
        let named = topics.iter().zip(found).map(|(topic, found)| format!("{topic} {}\n", found.partitions));
        let digest = Sha256::digest(named.collect::<String>());
        Ok(digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }

    fn look_up_all(&self, topics: &[Arc<str>]) -> Result<Vec<Described>, StoreError> {
        let names: Vec<&str> = topics.iter().map(AsRef::as_ref).collect();
        let found = self.scanner.describe(&names)?.into_iter().zip(&names);
        found.map(|(found, name)| found.ok_or_else(|| missing(name))).collect()
    }

    /// Deletes what stands below offsets, in one call, and says where each log starts now.
    pub(super) fn delete_records(&self, cuts: &[Cut]) -> Result<Vec<Result<i64, StoreError>>, StoreError> {
        const WHAT: &str = "records were purged";
        let mut list = TopicPartitionList::with_capacity(cuts.len());
        for Cut { topic, partition, up_to } in cuts {
            // Never `Offset::End`: that is the high watermark, and deletes what nobody has read.
            list.add_partition_offset(topic, *partition, Offset::Offset(*up_to))
                .map_err(|error| of_query(&error, WHAT))?;
        }
        let answered =
            wait(self.client()?.delete_records(&list, &options())).map_err(|error| of_query(&error, WHAT))?;
        let mut answers: HashMap<(String, i32), Result<i64, StoreError>> = HashMap::new();
        for element in answered.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let answer = match (element.error(), element.offset()) {
                (Ok(()), Offset::Offset(start)) => Ok(start),
                (Ok(()), _) => continue,
                (Err(error), _) => Err(not_purged(&error, topic, partition)),
            };
            answers.insert((topic.to_owned(), partition), answer);
        }
        let answer = |Cut { topic, partition, .. }: &Cut| {
            let silence =
                || Err(StoreError::Busy(format!("no answer when `{topic}` {partition} was purged")));
            answers.remove(&(topic.to_string(), *partition)).unwrap_or_else(silence)
        };
        Ok(cuts.iter().map(answer).collect())
    }
}

fn not_purged(error: &KafkaError, topic: &str, partition: i32) -> StoreError {
    match code_of(error) {
        Some(Code::OffsetOutOfRange) => {
            StoreError::Bug(format!("purge of `{topic}` {partition} beyond its end"))
        }
        Some(Code::PolicyViolation) => StoreError::Refused(format!(
            "topic `{topic}` keeps what we purge: its `cleanup.policy` must be `delete`"
        )),
        Some(Code::TopicAuthorizationFailed) => {
            StoreError::Refused(format!("records of `{topic}` may not be deleted; grant DELETE on it"))
        }
        _ => of_query(error, &format!("`{topic}` {partition} was purged")),
    }
}

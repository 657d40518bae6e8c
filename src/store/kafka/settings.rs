//! The configs of our clients: the user's settings, over our defaults, under what we must own.

use super::TRANSACTION_TIMEOUT_MS;
use super::closing::Client;
use super::context::{Membership, Quiet, Visitor};
use super::served::Served;
use crate::stage::store::StoreError;
use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::producer::{BaseProducer, ProducerContext, ThreadedProducer};
use std::collections::BTreeMap;
use std::time::Duration;

/// librdkafka's settings as the config has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(pub BTreeMap<String, String>);

/// Positions are ours to commit, inside transactions, and only what was committed is read.
const CONSUMER: [(&str, &str); 5] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("isolation.level", "read_committed"),
    ("group.protocol", "classic"),
    ("partition.assignment.strategy", "cooperative-sticky"),
];

impl Settings {
    /// Where it looks for brokers.
    pub(super) fn brokers(&self) -> &str {
        self.0.get("bootstrap.servers").map_or("", String::as_str)
    }

    /// Whether batches are packed as our own setting says.
    pub(super) fn packs_with_zstd(&self) -> bool {
        let set = self.0.get("compression.type").or_else(|| self.0.get("compression.codec"));
        set.is_none_or(|codec| codec == "zstd")
    }

    fn config(&self, defaults: &[(&str, &str)], owned: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "logscrub").set("log.connection.close", "false");
        // Figures of ours for whoever runs the brokers.
        config.set("enable.metrics.push", "false");
        for (name, value) in defaults {
            config.set(*name, *value);
        }
        for (name, value) in &self.0 {
            config.set(name, value);
        }
        for (name, value) in owned {
            config.set(*name, *value);
        }
        // A question after a topic makes it, on a broker that allows it: producers too must not.
        config.set("allow.auto.create.topics", "false");
        config
    }

    fn consumer<C: ConsumerContext + 'static>(
        &self,
        defaults: &[(&str, &str)],
        owned: &[(&str, &str)],
        context: C,
    ) -> Result<BaseConsumer<C>, StoreError> {
        let mut config = self.config(defaults, &CONSUMER);
        for (name, value) in owned {
            config.set(*name, *value);
        }
        BaseConsumer::from_config_and_context(&config, context).map_err(|error| wrong(&error))
    }

    /// A member of a group. Prefetch is bounded: what is paused holds nothing, and lanes have many partitions.
    pub(super) fn member(
        &self,
        group: &str,
        slot: &str,
    ) -> Result<Client<BaseConsumer<Membership>>, StoreError> {
        let defaults = [
            ("queued.min.messages", "5000"),
            ("queued.max.messages.kbytes", "8192"),
            // With many partitions each question costs; an answer comes as soon as there is a record.
            ("fetch.wait.max.ms", "2000"),
            // A queue that was full is filled again at once; by default it is looked at after a second.
            ("fetch.queue.backoff.ms", "20"),
            ("max.poll.interval.ms", "300000"),
        ];
        let owned = [("group.id", group), ("group.instance.id", slot), ("auto.offset.reset", "error")];
        let context = Membership::default();
        let bell = context.bell.clone();
        let mut consumer = self.consumer(&defaults, &owned, context)?;
        consumer.set_nonempty_callback(move || bell.ring());
        Ok(Client::new(consumer))
    }

    /// Reads partitions from given offsets, outside any group.
    pub(super) fn scanner(&self) -> Result<Client<BaseConsumer<Quiet>>, StoreError> {
        let defaults = [("fetch.wait.max.ms", "50"), ("queued.max.messages.kbytes", "16384")];
        let owned = [
            ("group.id", "logscrub.scan"),
            ("auto.offset.reset", "earliest"),
            ("enable.partition.eof", "true"),
        ];
        self.consumer(&defaults, &owned, Quiet).map(Client::new)
    }

    /// Whether brokers turn us away: an administrator's client is told of no errors, since nobody polls it.
    pub(super) fn is_turned_away(&self) -> bool {
        let visitor = self.consumer(&[], &[("group.id", "logscrub.visit")], Visitor::default());
        let Ok(visitor) = visitor.map(Client::new) else { return false };
        let _ = visitor.fetch_metadata(Some("logscrub"), Duration::from_secs(3));
        (0..10).any(|_| {
            let _ = visitor.poll(Duration::from_millis(100));
            visitor.context().was_turned_away()
        })
    }

    /// Asks for a group's positions without being its member.
    pub(super) fn group_watcher(&self, group: &str) -> Result<Client<BaseConsumer<Quiet>>, StoreError> {
        self.consumer(&[], &[("group.id", group)], Quiet).map(Client::new)
    }

    /// The time-outs: a request is given up well before the broker gives up the transaction, so that a
    /// doubtful answer is ours to clear up.
    ///
    /// Idle connections are closed, since librdkafka looks for a lost group's coordinator only when the state of any
    /// connection changes, and does not heed the call's time-out (its issues 5456 and 5511): positions would not be sent
    /// for as long as nothing else happens in the cluster. Sooner than an answer is given up, so that it is done with
    /// well within the time that a drain has.
    pub(super) fn transactional(&self, slot: &str) -> Result<Client<Served>, StoreError> {
        let timeout = TRANSACTION_TIMEOUT_MS.to_string();
        let mut defaults = self.writing();
        defaults.push(("transaction.timeout.ms", &timeout));
        defaults.push(("connections.max.idle.ms", "9000"));
        self.served(&defaults, &[("transactional.id", slot)])
    }

    /// One without transactions, whose failures are told.
    pub(super) fn plain(&self) -> Result<Client<Served>, StoreError> {
        self.served(&self.writing(), &[])
    }

    fn served(
        &self,
        defaults: &[(&str, &str)],
        owned: &[(&str, &str)],
    ) -> Result<Client<Served>, StoreError> {
        let mut all = vec![("enable.idempotence", "true"), ("delivery.report.only.error", "true")];
        all.extend(owned);
        let producer = BaseProducer::from_config_and_context(&self.config(defaults, &all), Quiet)
            .map_err(|error| wrong(&error))?;
        Served::new(producer)
            .map(Client::new)
            .map_err(|error| StoreError::Io(format!("a thread cannot be started: {error}")))
    }

    /// One for single records outside any transaction, whose delivery reports the context sees.
    pub(super) fn reporting<C: ProducerContext + 'static>(
        &self,
        context: C,
    ) -> Result<Client<ThreadedProducer<C>>, StoreError> {
        let owned =
            [("enable.idempotence", "true"), ("linger.ms", "0"), ("delivery.report.only.error", "false")];
        let config = self.config(&self.writing(), &owned);
        ThreadedProducer::from_config_and_context(&config, context)
            .map(Client::new)
            .map_err(|error| wrong(&error))
    }

    fn writing<'a>(&self) -> Vec<(&'static str, &'a str)> {
        vec![
            // Nobody sees a record before its transaction is committed, which sends what waits.
            ("linger.ms", "50"),
            ("compression.type", "zstd"),
            ("socket.timeout.ms", "10000"),
            ("message.max.bytes", "20000000"),
            ("queue.buffering.max.messages", "500000"),
            ("queue.buffering.max.kbytes", "262144"),
        ]
    }

    pub(super) fn admin(&self) -> Result<Client<AdminClient<Quiet>>, StoreError> {
        AdminClient::from_config_and_context(&self.config(&[], &[]), Quiet)
            .map(Client::new)
            .map_err(|error| wrong(&error))
    }
}

/// A setting that librdkafka refuses. Values stay out of the text: one may be a secret.
fn wrong(error: &rdkafka::error::KafkaError) -> StoreError {
    match error {
        rdkafka::error::KafkaError::ClientConfig(_, reason, name, _) if !name.is_empty() => {
            StoreError::Refused(format!("[kafka] `{name}`: {reason}; mend it in the config"))
        }
        error => StoreError::Refused(format!("[kafka] gives no client: {error}")),
    }
}

//! What librdkafka calls back: its log lines, and the rebalances of a group.

use super::bell::Bell;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::{debug, warn};

/// librdkafka's own words; without `debug`, which only `allow_unsafe` admits, they hold no records.
pub(super) fn say(critical: bool, facility: &str, text: &str) {
    if critical {
        warn!(facility, text, "librdkafka");
    } else {
        // A broker that is away is said again and again; we say it once, where it matters.
        debug!(facility, text, "librdkafka");
    }
}

/// Whether a line is one that librdkafka does not go on after.
pub(super) fn is_critical(level: RDKafkaLogLevel) -> bool {
    matches!(level, RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical)
}

/// A client that is told nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        say(is_critical(level), facility, text);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        debug!(%error, "librdkafka");
    }
}

impl ConsumerContext for Quiet {}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    // A record that is not delivered makes its transaction fail, which the commit says.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// A client that remembers that it was turned away.
#[derive(Debug, Default)]
pub(super) struct Visitor {
    turned_away: AtomicBool,
}

impl Visitor {
    /// Whether a broker did not accept who we say we are, or we did not accept it.
    pub(super) fn was_turned_away(&self) -> bool {
        self.turned_away.load(Ordering::SeqCst)
    }
}

impl ClientContext for Visitor {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        say(is_critical(level), facility, text);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        debug!(%error, "librdkafka");
        if let Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) =
            error.rdkafka_error_code()
        {
            self.turned_away.store(true, Ordering::SeqCst);
        }
    }
}

impl ConsumerContext for Visitor {}

/// Topics and partitions, as the group's protocol names them.
pub(super) type Names = Vec<(String, i32)>;

/// What the group decided, to be answered by assigning or unassigning.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Given(Names),
    Taken { partitions: Names, lost: bool },
}

/// Keeps the group's changes until the reader answers them: librdkafka waits, so that a worker can
/// commit before it lets go.
#[derive(Debug, Default)]
pub(super) struct Membership {
    changes: Mutex<VecDeque<Change>>,
    closing: AtomicBool,
    /// Rung when there is something to poll.
    pub(super) bell: Arc<Bell>,
}

impl Membership {
    fn changes(&self) -> MutexGuard<'_, VecDeque<Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next(&self) -> Option<Change> {
        self.changes().pop_front()
    }

    pub(super) fn put_back(&self, change: Change) {
        self.changes().push_front(change);
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.changes().is_empty()
    }

    /// From now on changes are answered at once, by letting go.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }
}

pub(super) fn names(list: &TopicPartitionList) -> Names {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

pub(super) fn list(names: &Names) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(names.len());
    for (topic, partition) in names {
        list.add_partition(topic, *partition);
    }
    list
}

impl ClientContext for Membership {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        say(is_critical(level), facility, text);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        debug!(%error, "librdkafka");
    }
}

impl ConsumerContext for Membership {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let given = what == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        if self.closing.load(Ordering::SeqCst) {
            let answered = if given {
                consumer.incremental_assign(partitions)
            } else {
                consumer.incremental_unassign(partitions)
            };
            if let Err(error) = answered {
                debug!(%error, "leaving a group");
            }
            return;
        }
        let partitions = names(partitions);
        let change = if given {
            Change::Given(partitions)
        } else {
            Change::Taken { partitions, lost: consumer.assignment_lost() }
        };
        self.changes().push_back(change);
    }
}

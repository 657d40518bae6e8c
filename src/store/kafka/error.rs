//! librdkafka's errors as a store's: what can be done about each.

use crate::stage::store::StoreError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

/// What to do about an error of a transactional call (librdkafka's INTRODUCTION.md, "Transactional
/// Producer": anything that is neither retriable nor abortable is fatal to the producer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransactionError {
    /// Call the same function again. Its first call may have taken effect.
    Retry,
    /// Abort, go back, go on.
    Abort,
    /// The producer is dead: make it again under the same id.
    Dead,
}

pub(super) fn of_transaction(error: &KafkaError) -> TransactionError {
    match error {
        KafkaError::Transaction(error) if error.is_fatal() => TransactionError::Dead,
        KafkaError::Transaction(error) if error.txn_requires_abort() => TransactionError::Abort,
        KafkaError::Transaction(error) if error.is_retriable() => TransactionError::Retry,
        // The wrapper's own flush, which runs before a commit.
        KafkaError::Flush(Code::OperationTimedOut) => TransactionError::Retry,
        _ => TransactionError::Dead,
    }
}

/// The code inside an error, where there is one.
pub(super) fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::Transaction(error) => Some(error.code()),
        error => error.rdkafka_error_code(),
    }
}

/// Nobody answers; it may pass.
pub(super) fn is_silence(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::OperationTimedOut
            | Code::TimedOutQueue
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::Resolve
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator
            | Code::WaitingForCoordinator
            | Code::WaitCache
            | Code::BrokerNotAvailable
            // While brokers come and go.
            | Code::BrokerDestroy
            | Code::DestroyBroker
            | Code::NodeUpdate
            | Code::Fail
            | Code::InProgress
            | Code::PreviousInProgress
            | Code::State
            | Code::Retry
            | Code::Outdated
            | Code::MessageTimedOut
            | Code::ReplicaNotAvailable
            | Code::NotController
            | Code::StaleControllerEpoch
            | Code::StaleBrokerEpoch
            | Code::UnknownLeaderEpoch
            | Code::FencedLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::UnstableOffsetCommit
            | Code::RebalanceInProgress
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::ListenerNotFound
            | Code::KafkaStorageError
            | Code::ThrottlingQuotaExceeded
    )
}

pub(super) fn unreachable_after(what: &str) -> StoreError {
    StoreError::Busy(format!("no answer in time when {what}"))
}

/// An error of an administrative call or a query. `what` says what was being done, without content.
pub(super) fn of_query(error: &KafkaError, what: &str) -> StoreError {
    match code_of(error) {
        Some(code) if is_silence(code) => unreachable_after(what),
        Some(
            code @ (Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::SaslAuthenticationFailed
            | Code::Authentication),
        ) => StoreError::Refused(format!("kafka refuses us when {what}: {code}; grant the right")),
        Some(code) => StoreError::Io(format!("kafka fails when {what}: {code}")),
        None => StoreError::Io(format!("kafka fails when {what}: {error}")),
    }
}

/// A topic that is not there.
pub(super) fn missing(topic: &str) -> StoreError {
    StoreError::Refused(format!(
        "topic `{topic}` does not exist; `logscrub topics apply` makes ours, `logscrub put {topic}` any"
    ))
}

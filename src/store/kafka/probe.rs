//! The broker's clock.

use super::context::{is_critical, say};
use super::error::{of_query, unreachable_after};
use super::settings::Settings;
use super::{PATIENCE, native};
use crate::stage::clock::Clock;
use crate::stage::store::StoreError;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _, Timestamp};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext};
use std::sync::atomic::{AtomicI64, Ordering};
use tracing::debug;

/// Keeps the stamp of the last record that was delivered; 0 before.
#[derive(Default)]
struct Stamp(AtomicI64);

impl ClientContext for Stamp {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        say(is_critical(level), facility, text);
    }

    fn error(&self, error: KafkaError, _reason: &str) {
        debug!(%error, "librdkafka");
    }
}

impl ProducerContext for Stamp {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, (): ()) {
        if let Ok(message) = delivered
            && let Timestamp::LogAppendTime(ms) | Timestamp::CreateTime(ms) = message.timestamp()
        {
            self.0.store(ms, Ordering::SeqCst);
        }
    }
}

/// See `Kafka::clock_ahead_ms`. The record's key is no reader's.
pub(super) fn clock_ahead_ms(settings: &Settings, topic: &str, clock: &dyn Clock) -> Result<i64, StoreError> {
    let producer = settings.reporting(Stamp::default())?;
    let probe = || BaseRecord::<'_, [u8], [u8]>::to(topic).partition(0).key(b"clock").payload(b"");
    let mut ahead_ms = 0;
    // The first also connects, which takes its time.
    for _ in 0..2 {
        let before_ms = clock.now_ms();
        producer
            .send(probe())
            .map_err(|(error, _): (KafkaError, _)| of_query(&error, "the broker's clock was asked"))?;
        if !native::flush(producer.client().native_ptr(), PATIENCE) {
            return Err(unreachable_after("the broker's clock was asked"));
        }
        let after_ms = clock.now_ms();
        let stamp_ms = producer.context().0.load(Ordering::SeqCst);
        if stamp_ms == 0 {
            return Err(StoreError::Refused(format!(
                "topic `{topic}` takes no records from us; grant WRITE on it"
            )));
        }
        ahead_ms = (stamp_ms - after_ms).max(0) + (stamp_ms - before_ms).min(0);
    }
    Ok(ahead_ms)
}

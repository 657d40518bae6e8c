//! Writing without transactions (`delivery = "at_least_once"`): nothing is lost, and what was written and not
//! committed comes again.
//!
//! Order of a commit: everything but progress, until the broker has each record; then progress, which must not
//! run ahead of what it tells of; then the group's positions.

use super::error::{code_of, is_silence, of_query};
use super::native;
use super::writer::{CALL, KafkaWriter, OUTAGE};
use crate::record::{Record, RecordBuf};
use crate::stage::crash::{self, CrashPoint};
use crate::stage::store::{Position, StoreError};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode as Code;
use rdkafka::producer::{Producer as _, PurgeConfig};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a writer without transactions keeps.
pub(super) struct Plain {
    /// The topic whose records are written last.
    pub(super) progress: Arc<str>,
    /// Key and value of those of the open transaction.
    pub(super) late: Vec<(i32, RecordBuf)>,
}

impl KafkaWriter {
    /// Writes what is open, and then the positions.
    pub(super) fn deliver(&mut self, positions: &[Position]) -> Result<(), StoreError> {
        self.await_delivery()?;
        crash::reach(CrashPoint::AfterFlush);
        let Some(plain) = &mut self.plain else { return Ok(()) };
        let (progress, late) = (plain.progress.clone(), std::mem::take(&mut plain.late));
        for (partition, record) in &late {
            let record =
                Record { key: record.key.as_deref(), value: record.value.as_deref(), ..Record::default() };
            self.send(&progress, *partition, &record)?;
        }
        self.await_delivery()?;
        crash::reach(CrashPoint::AfterPositions);
        self.commit_positions(positions)?;
        self.open = false;
        Ok(())
    }

    /// Waits until the broker has every record.
    fn await_delivery(&self) -> Result<(), StoreError> {
        let Some(producer) = &self.producer else {
            return Err(StoreError::Void("there is no producer".into()));
        };
        let begun = Instant::now();
        while !native::flush(producer.client().native_ptr(), CALL) {
            if begun.elapsed() > OUTAGE {
                return Err(StoreError::Unreachable(
                    "records were not acknowledged; a restart writes them".into(),
                ));
            }
        }
        if producer.take_undelivered() {
            return Err(StoreError::Void("a record was not delivered".into()));
        }
        Ok(())
    }

    fn commit_positions(&self, positions: &[Position]) -> Result<(), StoreError> {
        let (Some(consumer), false) = (&self.consumer, positions.is_empty()) else { return Ok(()) };
        let begun = Instant::now();
        loop {
            let Err(error) = consumer.commit(&self.position_list(positions)?, CommitMode::Sync) else {
                return Ok(());
            };
            match code_of(&error) {
                Some(Code::FencedInstanceId | Code::Fenced) => return Err(self.fenced()),
                // Another owner goes on where we were.
                Some(Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress) => {
                    return Err(StoreError::Void(format!("positions: {error}")));
                }
                Some(code) if is_silence(code) && begun.elapsed() < OUTAGE => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => return Err(of_query(&error, "positions were committed")),
            }
        }
    }

    /// Forgets what was not sent; what was is there.
    pub(super) fn drop_open(&mut self) {
        if let Some(plain) = &mut self.plain {
            plain.late.clear();
        }
        if let Some(producer) = &self.producer {
            producer.purge(PurgeConfig::default().queue().inflight());
            native::flush(producer.client().native_ptr(), CALL);
            producer.take_undelivered();
        }
        self.open = false;
    }
}

//! One step of a worker: what both kinds of them do around the records of a poll.

use super::member::Member;
use super::pipeline::Pipeline;
use super::store::{Polled, Remedy, Revoked, Store, StoreError};
use super::work::Desk;

/// What a step of a worker did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Took so many records.
    Worked(usize),
    /// There was nothing to do.
    Idle,
    /// A transaction was given up; what it took comes again.
    GaveUp(StoreError),
}

impl<S: Store> Member<S> {
    /// Answers a poll: a record that failed ends the step, partitions that came are started, those that go are
    /// committed. Gives those that went, too.
    pub(super) fn answer(
        &mut self,
        pipeline: &Pipeline,
        polled: Result<Polled, StoreError>,
        failed: Option<StoreError>,
        now_ms: i64,
    ) -> Result<(Step, Option<Revoked>), StoreError> {
        if let Some(error) = failed {
            return Err(error);
        }
        match polled.map_err(|error| self.last_words(pipeline, error, now_ms))? {
            Polled::Records(count) if count > 0 => Ok((Step::Worked(count), None)),
            Polled::Records(_) | Polled::Idle => Ok((Step::Idle, None)),
            Polled::Assigned(assigned) => {
                self.assigned(pipeline, &assigned)?;
                Ok((Step::Idle, None))
            }
            Polled::Revoked(revoked) => {
                self.revoked(pipeline, &revoked, now_ms)?;
                Ok((Step::Idle, Some(revoked)))
            }
        }
    }

    /// Ends a step: one whose transaction cannot be committed is given up, and comes again.
    pub(super) fn end_step(
        &mut self,
        desk: &mut Desk,
        step: Result<Step, StoreError>,
    ) -> Result<Step, StoreError> {
        match step {
            Err(error) if matches!(error.remedy(), Remedy::Retry | Remedy::Abort) => {
                desk.give_up();
                self.give_up()?;
                Ok(Step::GaveUp(error))
            }
            done => done,
        }
    }
}

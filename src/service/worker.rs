//! The workers of a pipeline, of either kind, each at its post.

use super::run::RunSpec;
use crate::stage::meter::Meter;
use crate::stage::outcome::Tally;
use crate::stage::store::{Remedy, Store, StoreError};
use crate::stage::{LaneWorker, Pipeline, ScrubWorker, Step};
use std::sync::Arc;
use std::time::Duration;
use tracing::warn;

/// What a worker reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Scrub,
    Lanes,
}

/// A worker's place, which it can leave and take again.
pub(super) struct Post<S: Store> {
    pipeline: Arc<Pipeline>,
    duty: Duty,
    number: usize,
    worker: Option<Worker<S>>,
}

pub(super) enum Worker<S: Store> {
    Scrub(ScrubWorker<S>),
    Lanes(LaneWorker<S>),
}

impl<S: Store> Post<S> {
    /// Joins the group.
    pub(super) fn take(
        spec: &RunSpec<S>,
        pipeline: &Arc<Pipeline>,
        duty: Duty,
        number: usize,
    ) -> Result<Self, StoreError> {
        let mut post = Post { pipeline: pipeline.clone(), duty, number, worker: None };
        post.join(spec)?;
        Ok(post)
    }

    /// Joins the group, again if it was joined: two members of one slot would fence each other.
    fn join(&mut self, spec: &RunSpec<S>) -> Result<(), StoreError> {
        self.worker = None;
        let (store, pipeline, clock) = (spec.store.clone(), self.pipeline.clone(), spec.clock.clone());
        let seed = spec.seed.rotate_left(u32::try_from(self.number).unwrap_or(0));
        self.worker = Some(match self.duty {
            Duty::Scrub => Worker::Scrub(ScrubWorker::join(store, pipeline, clock, self.number, seed)?),
            Duty::Lanes => Worker::Lanes(LaneWorker::join(store, pipeline, clock, self.number, !seed)?),
        });
        Ok(())
    }

    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    pub(super) fn name(&self) -> String {
        let duty = match self.duty {
            Duty::Scrub => "scrub",
            Duty::Lanes => "lanes",
        };
        format!("{} {duty} {}", self.pipeline.topics.source, self.number)
    }

    /// One step; a membership that came to its end is begun anew.
    pub(super) fn step(&mut self, spec: &RunSpec<S>, wait: Duration) -> Result<Step, StoreError> {
        let Some(worker) = &mut self.worker else { unreachable!("a post is taken, or its run has failed") };
        match worker.step(wait) {
            Err(error) if error.remedy() == Remedy::Rejoin => {
                warn!(worker = self.name(), reason = %error, "joining again");
                self.join(spec)?;
                Ok(Step::GaveUp(error))
            }
            done => done,
        }
    }

    pub(super) fn worker(&mut self) -> Option<&mut Worker<S>> {
        self.worker.as_mut()
    }

    pub(super) fn is_for(&self, duty: Duty) -> bool {
        self.duty == duty
    }

    /// What was committed since the last call.
    pub(super) fn take_meter(&mut self) -> Meter {
        match &mut self.worker {
            Some(Worker::Scrub(worker)) => worker.take_meter(),
            Some(Worker::Lanes(worker)) => worker.take_meter(),
            None => Meter::default(),
        }
    }

    /// Commits what is open.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        match &mut self.worker {
            Some(Worker::Scrub(worker)) => worker.finish(),
            Some(Worker::Lanes(worker)) => worker.finish(),
            None => Ok(()),
        }
    }

    /// The outcomes by stage, as committed.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        match &self.worker {
            Some(Worker::Scrub(worker)) => worker.tallies(),
            Some(Worker::Lanes(worker)) => worker.tallies(),
            None => Vec::new(),
        }
    }
}

impl<S: Store> Worker<S> {
    fn step(&mut self, wait: Duration) -> Result<Step, StoreError> {
        match self {
            Worker::Scrub(worker) => worker.step(wait),
            Worker::Lanes(worker) => worker.step(wait),
        }
    }
}

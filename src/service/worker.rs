//! The workers of a pipeline, of either kind, each at its post.

use super::run::{OUTAGE, RunSpec};
use super::watch;
use crate::stage::meter::Meter;
use crate::stage::outcome::Tally;
use crate::stage::store::{Remedy, Store, StoreError};
use crate::stage::{LaneWorker, Pipeline, ScrubWorker, Step, claim};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// What a worker reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Scrub,
    Lanes,
}

/// Why a process must leave.
pub(super) fn taken(pipeline: &Pipeline) -> StoreError {
    let (instance, source) = (&pipeline.instance, &pipeline.topics.source);
    StoreError::Taken(format!("`{instance}` of `{source}`; give each process an `instance` of its own"))
}

impl Duty {
    pub(super) fn word(self) -> &'static str {
        match self {
            Duty::Scrub => "scrub",
            Duty::Lanes => "lanes",
        }
    }
}

/// A worker's place, which it can leave and take again.
pub(super) struct Post<S: Store> {
    pipeline: Arc<Pipeline>,
    duty: Duty,
    number: usize,
    /// What this process has claimed its parts with.
    word: Arc<str>,
    /// `None` while the place is lost.
    worker: Option<Worker<S>>,
    lost: Option<Loss>,
}

/// How a place was lost.
struct Loss {
    since: Instant,
    why: StoreError,
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
        word: &Arc<str>,
    ) -> Result<Self, StoreError> {
        let (pipeline, word) = (pipeline.clone(), word.clone());
        let mut post = Post { pipeline, duty, number, word, worker: None, lost: None };
        post.join(spec)?;
        Ok(post)
    }

    fn join(&mut self, spec: &RunSpec<S>) -> Result<(), StoreError> {
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
        format!("{} {} {}", self.pipeline.topics.source, self.duty.word(), self.number)
    }

    /// One step; a place that is lost is taken again, unless another has claimed it.
    pub(super) fn step(&mut self, spec: &RunSpec<S>, wait: Duration) -> Result<Step, StoreError> {
        let Some(worker) = &mut self.worker else { return self.take_again(spec) };
        match worker.step(wait) {
            Err(error) if matches!(error.remedy(), Remedy::Rejoin | Remedy::Prove) => {
                watch::add(&self.pipeline, &worker.take_meter());
                // Two members of one slot would fence each other.
                self.worker = None;
                warn!(worker = self.name(), reason = %error, "joining again");
                self.lost = Some(Loss { since: Instant::now(), why: error.clone() });
                Ok(Step::GaveUp(error))
            }
            done => done,
        }
    }

    fn take_again(&mut self, spec: &RunSpec<S>) -> Result<Step, StoreError> {
        let Some(Loss { since, why }) = &self.lost else {
            unreachable!("a post is taken, or its run has failed")
        };
        let (since, why) = (*since, why.clone());
        let taken = match why.remedy() {
            Remedy::Prove => match self.is_ours(spec) {
                Ok(false) => return Err(taken(&self.pipeline)),
                Ok(true) => self.join(spec),
                Err(error) => Err(error),
            },
            _ => self.join(spec),
        };
        let error = match taken {
            Ok(()) => {
                info!(worker = self.name(), after_ms = since.elapsed().as_millis(), "joined again");
                self.lost = None;
                return Ok(Step::Idle);
            }
            Err(error) => error,
        };
        if error.remedy() == Remedy::Prove {
            self.lost = Some(Loss { since, why: error.clone() });
        }
        if error.may_pass() && since.elapsed() < OUTAGE { Ok(Step::GaveUp(error)) } else { Err(error) }
    }

    /// Whether nobody has claimed our part since we did.
    fn is_ours(&self, spec: &RunSpec<S>) -> Result<bool, StoreError> {
        claim::is_ours(spec.store.as_ref(), &self.pipeline, self.duty.word(), &self.word)
    }

    pub(super) fn worker(&mut self) -> Option<&mut Worker<S>> {
        self.worker.as_mut()
    }

    pub(super) fn is_for(&self, duty: Duty) -> bool {
        self.duty == duty
    }

    /// What was committed since the last call.
    pub(super) fn take_meter(&mut self) -> Meter {
        self.worker.as_mut().map(Worker::take_meter).unwrap_or_default()
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

    fn take_meter(&mut self) -> Meter {
        match self {
            Worker::Scrub(worker) => worker.take_meter(),
            Worker::Lanes(worker) => worker.take_meter(),
        }
    }
}

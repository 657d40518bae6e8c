//! `--once`: the source to its end at start, then the lanes until every head waits, counts, one purge.

use super::line::{Line, end_of, rest_after};
use super::run::{RunSpec, Threads};
use super::worker::{Duty, Post, Worker};
use crate::stage::Step;
use crate::stage::store::{Place, Store, StoreError};
use std::time::Duration;

/// How long to wait for records before looking for the end.
const WAIT: Duration = Duration::from_millis(100);

pub(super) fn once<S: Store>(spec: &RunSpec<S>, line: &mut Line<S>) -> Result<(), StoreError> {
    let wait = match spec.threads {
        Threads::One => Duration::ZERO,
        Threads::PerWorker => WAIT,
    };
    let mut patience = Patience::default();
    for duty in [Duty::Scrub, Duty::Lanes] {
        let Line { posts, source_ends, .. } = line;
        let Some(post) = posts.iter_mut().find(|post| post.is_for(duty)) else { continue };
        while !spec.leaving.asked() && !is_done(spec, post, source_ends, patience.looks())? {
            patience.after(post.step(spec, wait)?)?;
        }
    }
    line.finish()?;
    line.upkeep.purge(spec)?;
    line.report("pipeline done");
    Ok(())
}

/// How closely to look for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    /// By what was read.
    Glance,
    /// By what is left: dear, and what is left may be nothing that can be read.
    Closely,
}

/// Whether a worker has nothing left to do now.
fn is_done<S: Store>(
    spec: &RunSpec<S>,
    post: &mut Post<S>,
    source_ends: &[(Place, i64)],
    looks: Looks,
) -> Result<bool, StoreError> {
    match post.worker() {
        Some(Worker::Scrub(scrub)) if looks == Looks::Glance => Ok(scrub.has_passed(source_ends)),
        Some(Worker::Scrub(scrub)) => scrub.reached(source_ends),
        Some(Worker::Lanes(_)) if looks == Looks::Glance => Ok(false),
        Some(Worker::Lanes(lanes)) => {
            let mut ends = Vec::new();
            for (number, topic) in lanes.topics().iter().enumerate() {
                ends.extend(spec.store.bounds(topic)?.iter().map(|bounds| end_of(number, bounds)));
            }
            lanes.all_wait(&ends)
        }
        None => Ok(false),
    }
}

/// Ends `--once` where transactions are given up again and again; a service goes on trying.
#[derive(Default)]
struct Patience {
    given_up: u32,
    /// Steps since one had nothing to do.
    busy: u32,
}

impl Patience {
    /// Closely when there was nothing to do, and now and then, since others may go on writing.
    fn looks(&self) -> Looks {
        if self.busy.is_multiple_of(1024) { Looks::Closely } else { Looks::Glance }
    }

    fn after(&mut self, step: Step) -> Result<(), StoreError> {
        rest_after(&step);
        match step {
            Step::Worked(_) => self.busy += 1,
            Step::Idle => self.busy = 0,
            Step::GaveUp(reason) => {
                self.given_up += 1;
                if self.given_up >= 100 {
                    let count = self.given_up;
                    return Err(StoreError::Io(format!(
                        "{count} transactions were given up; the last: {reason}"
                    )));
                }
            }
        }
        Ok(())
    }
}

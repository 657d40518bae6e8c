//! The service. On the embedded store every pipeline's workers take turns on one thread, since the store
//! has one writer at a time; on Kafka each worker has a thread of its own, and purges are nobody's way.

use super::health::Health;
use super::line::{self, Line, rest_after};
use super::once::once;
use super::watch;
use super::worker::Post;
use crate::stage::Pipeline;
use crate::stage::clock::Clock;
use crate::stage::store::{Store, StoreError};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Which workers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    All,
    /// `--stage scrub`.
    Scrub,
    /// `--stage <any later id>`: all lanes.
    Lanes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Until it is told to stop.
    Forever,
    /// The source to its end at start; then the lanes until every head waits; counts, one purge.
    Once,
}

/// What is to run.
pub struct RunSpec<S: Store> {
    pub store: Arc<S>,
    pub pipelines: Vec<Arc<Pipeline>>,
    pub clock: Arc<dyn Clock>,
    pub part: Part,
    pub mode: Mode,
    /// Draws the order of records released together.
    pub seed: u64,
    pub leaving: Arc<Leaving>,
    pub threads: Threads,
    pub health: Arc<Health>,
    /// What is checked again every hour.
    pub recheck: Option<Box<dyn Fn() + Send + Sync>>,
}

/// How far the end is, for whoever makes sure that it comes.
#[derive(Debug, Default)]
pub struct Leaving {
    asked: Arc<AtomicBool>,
    /// Workers with threads of their own that have committed their last.
    finished: AtomicUsize,
    workers: AtomicUsize,
    outcome: OnceLock<Result<(), StoreError>>,
}

impl Leaving {
    /// Finish the open transactions and leave.
    pub fn ask(&self) {
        self.asked.store(true, Ordering::SeqCst);
    }

    /// What a signal sets.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.asked.clone()
    }

    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// How the work ended, once all of it did: only the clients are left to be closed then.
    #[must_use]
    pub fn outcome(&self) -> Option<&Result<(), StoreError>> {
        self.outcome.get()
    }

    /// Whether every worker has committed its last: a purge that still goes on is gone on with next time.
    #[must_use]
    pub fn all_committed(&self) -> bool {
        let workers = self.workers.load(Ordering::SeqCst);
        workers > 0 && self.finished.load(Ordering::SeqCst) == workers
    }

    fn ended(&self, outcome: &Result<(), StoreError>) {
        let _ = self.outcome.set(outcome.clone());
        self.ask();
    }
}

/// Who works where while the service runs for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// All workers take turns.
    One,
    /// Each worker has its own.
    PerWorker,
}

/// How long to sleep when no worker had anything to do.
pub(super) const IDLE: Duration = Duration::from_millis(50);
/// How often the thread of purges and metrics looks whether there is one to do.
const LOOK: Duration = Duration::from_millis(500);
/// How often the log's settings are checked again.
const RECHECK_MS: i64 = 3_600_000;
/// How long a worker with a thread of its own waits for records when nothing else is to be done.
pub(super) const WAIT: Duration = Duration::from_millis(500);

/// Runs until the mode's end.
///
/// # Errors
/// What only leaving the process mends.
pub fn run<S: Store + Send + Sync>(spec: &RunSpec<S>) -> Result<(), StoreError>
where
    S::Session: Send,
{
    let mut lines = Vec::new();
    let outcome = serve(spec, &mut lines);
    spec.leaving.ended(&outcome);
    // Clients are closed from here on, which can take long.
    drop(lines);
    outcome
}

fn serve<S: Store + Send + Sync>(spec: &RunSpec<S>, lines: &mut Vec<Line<S>>) -> Result<(), StoreError>
where
    S::Session: Send,
{
    for pipeline in &spec.pipelines {
        lines.extend(line::open(spec, pipeline)?);
    }
    spec.health.serves();
    match (spec.mode, spec.threads) {
        (Mode::Once, _) => lines.iter_mut().try_for_each(|line| once(spec, line)),
        (Mode::Forever, Threads::One) => forever(spec, lines),
        (Mode::Forever, Threads::PerWorker) => in_threads(spec, lines),
    }
}

/// Each worker in its thread, purges in this one. The first failure stops all.
#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn in_threads<S: Store + Send + Sync>(spec: &RunSpec<S>, lines: &mut [Line<S>]) -> Result<(), StoreError>
where
    S::Session: Send,
{
    let leaving = spec.leaving.as_ref();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut upkeeps = Vec::new();
        for Line { posts, upkeep, .. } in lines.iter_mut() {
            upkeeps.push(upkeep);
            threads.extend(posts.iter_mut().map(|post| scope.spawn(|| serve_at(spec, post))));
        }
        leaving.workers.store(threads.len(), Ordering::SeqCst);
        let mut failure = Ok(());
        let mut checked_ms = spec.clock.now_ms();
        while !leaving.asked() && failure.is_ok() && !threads.iter().any(|t| t.is_finished()) {
            for upkeep in &mut upkeeps {
                failure = failure.and(upkeep.tend(spec));
            }
            if let Some(recheck) = &spec.recheck
                && spec.clock.now_ms().saturating_sub(checked_ms).abs() >= RECHECK_MS
            {
                checked_ms = spec.clock.now_ms();
                recheck();
            }
            std::thread::sleep(LOOK);
        }
        leaving.ask();
        for thread in threads {
            // A panic was told where it happened.
            let ended = thread.join().unwrap_or_else(|_| Err(StoreError::Bug("a worker panicked".into())));
            failure = failure.and(ended);
        }
        failure
    })?;
    for line in lines {
        line.report("pipeline stopped");
    }
    Ok(())
}

/// Works until it is told to stop.
fn serve_at<S: Store>(spec: &RunSpec<S>, post: &mut Post<S>) -> Result<(), StoreError> {
    let name = post.name();
    while !spec.leaving.asked() {
        let step = post.step(spec, WAIT)?;
        let meter = post.take_meter();
        watch::add(post.pipeline(), &meter);
        spec.health.stepped(&name);
        rest_after(&step);
    }
    post.finish()?;
    spec.leaving.finished.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn forever<S: Store>(spec: &RunSpec<S>, lines: &mut [Line<S>]) -> Result<(), StoreError> {
    while !spec.leaving.asked() {
        let mut worked = false;
        for line in &mut *lines {
            worked |= line.turn(spec)?;
            spec.health.stepped(&line.pipeline.topics.source);
            line.upkeep.tend(spec)?;
        }
        if !worked {
            std::thread::sleep(IDLE);
        }
    }
    for line in &mut *lines {
        line.finish()?;
        line.report("pipeline stopped");
    }
    Ok(())
}

//! The service. On the embedded store every pipeline's workers take turns on one thread, since the store
//! has one writer at a time; on Kafka each worker has a thread of its own, and purges are nobody's way.

use super::health::Health;
use super::line::{self, Claim, Line, rest_after};
use super::missing::Missing;
use super::once::once;
use super::watch::{self, Gauges, Reloaded};
use super::worker::Post;
use crate::stage::clock::Clock;
use crate::stage::store::{Remedy, Store, StoreError};
use crate::stage::{Pipeline, Step};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tracing::{error, warn};

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
    pub changes: Box<dyn Changes>,
    /// What is looked after all the time; it says itself how often there is something to do.
    pub tend: Box<dyn Fn() + Send + Sync>,
}

/// Who sees that something else is to run, or that the log is no longer as it was.
pub trait Changes: Send + Sync {
    /// What is to run from now on, where that has changed; asked every half second.
    fn look(&self) -> Option<Vec<Arc<Pipeline>>>;

    /// How that ended.
    fn ended(&self, how: Reloaded);

    /// Looks at the log's settings again; called every hour.
    fn check_again(&self);
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
/// How long a log may be out of reach before we give up: above any restart of a broker, and above the two
/// minutes that an outage is allowed.
pub(super) const OUTAGE: Duration = Duration::from_secs(600);
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
    let mut claim = Claim::new();
    let mut missing;
    (*lines, missing) = open(spec, &spec.pipelines, &claim)?;
    claim.again = true;
    let mut running = spec.pipelines.clone();
    loop {
        spec.health.serves(workers(spec, lines), missing.names());
        let next = match (spec.mode, spec.threads) {
            (Mode::Once, _) => return lines.iter_mut().try_for_each(|line| once(spec, line)),
            (Mode::Forever, Threads::One) => forever(spec, lines, &mut missing)?,
            (Mode::Forever, Threads::PerWorker) => in_threads(spec, lines, &mut missing)?,
        };
        let Some(next) = next.filter(|_| !spec.leaving.asked()) else { return Ok(()) };
        let gauges: Vec<Gauges> = lines.iter_mut().map(|line| line.upkeep.take_gauges()).collect();
        // Two members of one slot would fence each other.
        lines.clear();
        (*lines, missing) = match next {
            Next::Same => open_again(spec, &running, &claim)?,
            Next::Other(wanted) => match open_again(spec, &wanted, &claim) {
                Ok(opened) => {
                    tell_of_dropped(spec.store.as_ref(), &running, &wanted);
                    running = wanted;
                    spec.changes.ended(Reloaded::Done);
                    opened
                }
                Err(error) => {
                    error!(reason = %error, "nothing was changed: what was read cannot run");
                    spec.changes.ended(Reloaded::Refused);
                    open_again(spec, &running, &claim)?
                }
            },
        };
        watch::zero_what_is_gone(&gauges, &running);
    }
}

/// Says which pipelines hold records and run here no more: another process may run them.
fn tell_of_dropped<S: Store>(store: &S, were: &[Arc<Pipeline>], are: &[Arc<Pipeline>]) {
    let runs = |was: &&Arc<Pipeline>| are.iter().any(|is| is.topics.source == was.topics.source);
    for was in were.iter().filter(|was| !runs(was)) {
        match line::waiting_lane(store, &was.topics) {
            Ok(None) => {}
            Ok(Some(lane)) => {
                let source = was.topics.source.as_ref();
                warn!(
                    source,
                    lane = lane.as_ref(),
                    "the pipeline runs no more, and holds records: they wait until it runs again"
                );
            }
            Err(error) => warn!(reason = %error, "what a dropped pipeline holds could not be looked at"),
        }
    }
}

/// What runs next.
enum Next {
    /// A source has come: the same, and its pipeline.
    Same,
    Other(Vec<Arc<Pipeline>>),
}

fn look_for_next<S: Store>(spec: &RunSpec<S>, missing: &mut Missing) -> Option<Next> {
    let other = spec.changes.look().map(Next::Other);
    other.or_else(|| missing.has_come(spec).then_some(Next::Same))
}

/// The names that the workers step under.
fn workers<S: Store>(spec: &RunSpec<S>, lines: &[Line<S>]) -> Vec<String> {
    match spec.threads {
        Threads::One => lines.iter().map(|line| line.pipeline.topics.source.to_string()).collect(),
        Threads::PerWorker => lines.iter().flat_map(|line| line.posts.iter().map(Post::name)).collect(),
    }
}

/// What could be opened, and what is missing for the rest.
fn open<S: Store>(
    spec: &RunSpec<S>,
    pipelines: &[Arc<Pipeline>],
    claim: &Claim,
) -> Result<(Vec<Line<S>>, Missing), StoreError> {
    let (mut lines, mut missing) = (Vec::new(), Vec::new());
    if spec.store.is_exclusive()
        && let Some(lane) = line::lane_of_nobody(spec.store.as_ref(), pipelines)?
    {
        return Err(StoreError::Refused(format!(
            "topic `{lane}` holds records, and no pipeline reads it: nobody would release them; name the pipeline until \
             the topic is empty"
        )));
    }
    for pipeline in pipelines {
        match line::open(spec, pipeline, claim)? {
            Some(line) => lines.push(line),
            None => missing.push(pipeline.topics.source.clone()),
        }
    }
    Ok((lines, Missing::new(missing)))
}

/// The same in the middle of the service, where a log that does not answer is waited for.
#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn open_again<S: Store>(
    spec: &RunSpec<S>,
    pipelines: &[Arc<Pipeline>],
    claim: &Claim,
) -> Result<(Vec<Line<S>>, Missing), StoreError> {
    let begun = Instant::now();
    loop {
        match open(spec, pipelines, claim) {
            Err(error) if error.may_pass() && begun.elapsed() < OUTAGE && !spec.leaving.asked() => {
                warn!(reason = %error, "pipelines are opened again");
                std::thread::sleep(LOOK);
            }
            opened => return opened,
        }
    }
}

/// Each worker in its thread, purges in this one. The first failure stops all. Gives what is to run next, where
/// this ended for it.
#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn in_threads<S: Store + Send + Sync>(
    spec: &RunSpec<S>,
    lines: &mut [Line<S>],
    missing: &mut Missing,
) -> Result<Option<Next>, StoreError>
where
    S::Session: Send,
{
    let leaving = spec.leaving.as_ref();
    let changing = &AtomicBool::new(false);
    let next = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        let mut upkeeps = Vec::new();
        let mut failure = Ok(());
        for Line { posts, upkeep, .. } in lines.iter_mut() {
            upkeeps.push(upkeep);
            for post in posts {
                let named = std::thread::Builder::new().name(post.name());
                match named.spawn_scoped(scope, move || serve_at(spec, post, changing)) {
                    Ok(thread) => threads.push(thread),
                    Err(error) => {
                        failure =
                            Err(StoreError::Io(format!("a worker's thread cannot be started: {error}")));
                    }
                }
            }
        }
        leaving.finished.store(0, Ordering::SeqCst);
        leaving.workers.store(threads.len(), Ordering::SeqCst);
        let mut next = None;
        let mut checked_ms = spec.clock.now_ms();
        while !leaving.asked()
            && failure.is_ok()
            && next.is_none()
            && !threads.iter().any(|t| t.is_finished())
        {
            for upkeep in &mut upkeeps {
                failure = failure.and(upkeep.tend(spec));
            }
            if spec.clock.now_ms().saturating_sub(checked_ms).abs() >= RECHECK_MS {
                checked_ms = spec.clock.now_ms();
                spec.changes.check_again();
            }
            (spec.tend)();
            std::thread::sleep(LOOK);
            next = look_for_next(spec, missing);
        }
        if next.is_some() {
            changing.store(true, Ordering::SeqCst);
        } else {
            leaving.ask();
        }
        for thread in threads {
            // A panic was told where it happened.
            let ended = thread.join().unwrap_or_else(|_| Err(StoreError::Bug("a worker panicked".into())));
            failure = failure.and(ended);
        }
        failure.map(|()| next)
    })?;
    for line in lines {
        line.report("pipeline stopped");
    }
    Ok(next)
}

/// Works until it is told to stop.
fn serve_at<S: Store>(
    spec: &RunSpec<S>,
    post: &mut Post<S>,
    changing: &AtomicBool,
) -> Result<(), StoreError> {
    let name = post.name();
    while !spec.leaving.asked() && !changing.load(Ordering::SeqCst) {
        let step = post.step(spec, WAIT)?;
        let meter = post.take_meter();
        watch::add(post.pipeline(), &meter);
        // Whoever gives up again and again is not well.
        if !matches!(step, Step::GaveUp(_)) {
            spec.health.stepped(&name);
        }
        rest_after(&step);
    }
    match post.finish() {
        Err(error) if error.remedy() != Remedy::Leave => {
            warn!(worker = name, reason = %error, "a transaction was given up; the next start does it again");
        }
        ended => ended?,
    }
    spec.leaving.finished.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn forever<S: Store>(
    spec: &RunSpec<S>,
    lines: &mut [Line<S>],
    missing: &mut Missing,
) -> Result<Option<Next>, StoreError> {
    let (mut looked, mut next) = (Instant::now(), None);
    while !spec.leaving.asked() && next.is_none() {
        let mut worked = false;
        (spec.tend)();
        for line in &mut *lines {
            worked |= line.turn(spec)?;
            spec.health.stepped(&line.pipeline.topics.source);
            line.upkeep.tend(spec)?;
        }
        if !worked {
            std::thread::sleep(IDLE);
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            next = look_for_next(spec, missing);
        }
    }
    for line in &mut *lines {
        line.finish()?;
        line.report("pipeline stopped");
    }
    Ok(next)
}

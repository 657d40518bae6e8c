//! The service. On the embedded store every pipeline's workers take turns on one thread, since the store
//! has one writer at a time; on Kafka each worker has a thread of its own, and purges are nobody's way.

use super::health::Health;
use super::watch::{self, Watch};
use crate::policy::Period;
use crate::stage::clock::Clock;
use crate::stage::crash::{self, CrashPoint};
use crate::stage::edition::{self, Change};
use crate::stage::outcome::{Outcome, Tally};
use crate::stage::store::{Bounds, Place, Remedy, Store, StoreError, TopicSpec};
use crate::stage::{LaneWorker, Pipeline, ScrubWorker, Step, needed_topics, purge};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tracing::{debug, info, warn};

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
const IDLE: Duration = Duration::from_millis(50);
/// How often the log's settings are checked again.
const RECHECK_MS: i64 = 3_600_000;
/// How long a worker with a thread of its own waits for records.
const WAIT: Duration = Duration::from_millis(100);

/// One pipeline with its workers.
struct Line<S: Store> {
    pipeline: Arc<Pipeline>,
    scrub: Option<ScrubWorker<S>>,
    lanes: Option<LaneWorker<S>>,
    purged_ms: i64,
    source_ends: Vec<(Place, i64)>,
    watch: Watch,
}

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
        lines.extend(open(spec, pipeline)?);
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
        let mut plans = Vec::new();
        for line in lines.iter_mut() {
            let Line { pipeline, scrub, lanes, purged_ms, watch, .. } = line;
            plans.push((pipeline.clone(), purged_ms, watch));
            let (pipeline, health): (&Pipeline, &Health) = (&*pipeline, &spec.health);
            if let Some(scrub) = scrub {
                threads.push(scope.spawn(move || {
                    let name = format!("{} scrub", pipeline.topics.source);
                    until_asked(leaving, || {
                        let step = scrub.step(WAIT)?;
                        watch::add(pipeline, &scrub.take_meter());
                        health.stepped(&name);
                        Ok(step)
                    })?;
                    scrub.finish()?;
                    leaving.finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }));
            }
            if let Some(lanes) = lanes {
                threads.push(scope.spawn(move || {
                    let name = format!("{} lanes", pipeline.topics.source);
                    until_asked(leaving, || {
                        let step = lanes.step(WAIT)?;
                        watch::add(pipeline, &lanes.take_meter());
                        health.stepped(&name);
                        Ok(step)
                    })?;
                    lanes.finish()?;
                    leaving.finished.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                }));
            }
        }
        leaving.workers.store(threads.len(), Ordering::SeqCst);
        let mut failure = Ok(());
        let mut checked_ms = spec.clock.now_ms();
        while !leaving.asked() && failure.is_ok() && !threads.iter().any(|t| t.is_finished()) {
            for (pipeline, purged_ms, watch) in &mut plans {
                let now_ms = spec.clock.now_ms();
                look(watch, spec, now_ms);
                if now_ms.saturating_sub(**purged_ms).abs() >= pipeline.purge_interval_ms {
                    **purged_ms = now_ms;
                    failure = failure.and(purge_round(spec, pipeline));
                }
            }
            if let Some(recheck) = &spec.recheck
                && spec.clock.now_ms().saturating_sub(checked_ms).abs() >= RECHECK_MS
            {
                checked_ms = spec.clock.now_ms();
                recheck();
            }
            std::thread::sleep(IDLE);
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

/// Metrics that fail to be read are read the next time.
fn look<S: Store>(watch: &mut Watch, spec: &RunSpec<S>, now_ms: i64) {
    if let Err(error) = watch.look(spec.store.as_ref(), now_ms) {
        debug!(reason = %error, "the log could not be looked at");
    }
}

fn until_asked(
    leaving: &Leaving,
    mut step: impl FnMut() -> Result<Step, StoreError>,
) -> Result<(), StoreError> {
    while !leaving.asked() {
        rest_after(&step()?);
    }
    Ok(())
}

/// Makes a pipeline's topics and joins its groups; `None` if told to stop while its source was
/// still missing.
fn open<S: Store>(spec: &RunSpec<S>, pipeline: &Arc<Pipeline>) -> Result<Option<Line<S>>, StoreError> {
    let Some(source) = await_source(spec, pipeline)? else { return Ok(None) };
    for topic in needed_topics(pipeline, source.partitions) {
        spec.store.ensure(&topic)?;
    }
    refuse_orphans(spec.store.as_ref(), pipeline)?;
    edition::agree(spec.store.as_ref(), pipeline, &mut |changes, held| tell(pipeline, changes, held))?;
    let ends = spec.store.bounds(&pipeline.topics.source)?;
    let (store, clock) = (&spec.store, &spec.clock);
    let scrub = match spec.part {
        Part::All | Part::Scrub => {
            Some(ScrubWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, spec.seed)?)
        }
        Part::Lanes => None,
    };
    let lanes = match spec.part {
        Part::All | Part::Lanes if pipeline.lanes.is_some() => {
            Some(LaneWorker::join(store.clone(), pipeline.clone(), clock.clone(), 0, !spec.seed)?)
        }
        Part::All | Part::Lanes | Part::Scrub => None,
    };
    announce(spec.store.as_ref(), pipeline, source.partitions)?;
    let source_ends = ends.iter().map(|bounds| end_of(0, bounds)).collect();
    let watch = Watch::new(pipeline.clone());
    Ok(Some(Line { pipeline: pipeline.clone(), scrub, lanes, purged_ms: clock.now_ms(), source_ends, watch }))
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn await_source<S: Store>(spec: &RunSpec<S>, pipeline: &Pipeline) -> Result<Option<TopicSpec>, StoreError> {
    let source = &pipeline.topics.source;
    let mut told = false;
    loop {
        if let Some(found) = spec.store.topics()?.into_iter().find(|topic| topic.name == *source) {
            return Ok(Some(found));
        }
        if spec.mode == Mode::Once {
            return Err(StoreError::Refused(format!(
                "topic `{source}` does not exist; `logscrub put {source}` makes it"
            )));
        }
        if spec.leaving.asked() {
            return Ok(None);
        }
        if !told {
            info!(source = source.as_ref(), "waiting for the source topic: `logscrub put` makes it");
            told = true;
        }
        std::thread::sleep(IDLE);
    }
}

/// Says what is read, written and held, until when, and when deletion is done.
fn announce<S: Store>(store: &S, pipeline: &Pipeline, partitions: i32) -> Result<(), StoreError> {
    let topics = &pipeline.topics;
    let (source, policy) = (topics.source.as_ref(), pipeline.policy.id.as_str());
    let Some(window_ms) = pipeline.window_ms() else {
        info!(
            source,
            partitions,
            policy,
            writes = topics.scrubbed.as_ref(),
            "pipeline runs; nothing is held"
        );
        return Ok(());
    };
    let period = |ms: i64| {
        let seconds = ms.max(0).unsigned_abs().div_ceil(1000);
        Period { months: 0, seconds }.to_string()
    };
    let margin_ms = pipeline.schedule.margin_ms();
    let (due_ms, bound_ms) = (window_ms - margin_ms, pipeline.deletion_bound_ms());
    info!(
        source,
        partitions,
        policy,
        writes = format!("{}, {}", topics.scrubbed, topics.deidentified),
        holds = purge::held_topics(store, pipeline)?.join(", "),
        window = period(window_ms),
        released_from = period(due_ms),
        released_until = period(due_ms + pipeline.release_slack_ms()),
        gone_from_disk_until = period(due_ms + bound_ms),
        "pipeline runs"
    );
    Ok(())
}

/// Says what a changed policy does to the records that are held, before it does.
fn tell(pipeline: &Pipeline, changes: &[Change], held: u64) {
    for Change { stage, was_ms, is_ms, effect } in changes {
        let period = |ms: &Option<i64>| {
            let seconds = ms.map(|ms| ms.div_euclid(1000).max(0).unsigned_abs());
            seconds.map_or_else(|| "none".to_owned(), |seconds| Period { months: 0, seconds }.to_string())
        };
        let source = pipeline.topics.source.as_ref();
        warn!(
            source,
            stage,
            was = period(was_ms),
            is = period(is_ms),
            held,
            "the policy changed: {}",
            effect.word()
        );
    }
}

/// Held records that the policy would never release must not be left lying.
fn refuse_orphans<S: Store>(store: &S, pipeline: &Pipeline) -> Result<(), StoreError> {
    if pipeline.lanes.is_some() {
        return Ok(());
    }
    for topic in purge::held_topics(store, pipeline)? {
        if store.bounds(&topic)?.iter().any(|bounds| bounds.log_start < bounds.end) {
            return Err(StoreError::Refused(format!(
                "topic `{topic}` holds records, and policy `{}` has no stage that releases them; run the policy \
                 that they were held under until the topic is empty",
                pipeline.policy.id
            )));
        }
    }
    Ok(())
}

fn end_of(topic: usize, bounds: &Bounds) -> (Place, i64) {
    (Place { topic, partition: bounds.partition }, bounds.end)
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn forever<S: Store>(spec: &RunSpec<S>, lines: &mut [Line<S>]) -> Result<(), StoreError> {
    while !spec.leaving.asked() {
        let mut worked = false;
        for line in &mut *lines {
            worked |= line.turn()?;
            spec.health.stepped(&line.pipeline.topics.source);
            let now_ms = spec.clock.now_ms();
            look(&mut line.watch, spec, now_ms);
            if now_ms.saturating_sub(line.purged_ms).abs() >= line.pipeline.purge_interval_ms {
                line.purged_ms = now_ms;
                line.purge(spec)?;
            }
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

fn once<S: Store>(spec: &RunSpec<S>, line: &mut Line<S>) -> Result<(), StoreError> {
    let wait = match spec.threads {
        Threads::One => Duration::ZERO,
        Threads::PerWorker => WAIT,
    };
    let mut patience = Patience::default();
    while let Some(scrub) = &mut line.scrub {
        if spec.leaving.asked() || (patience.may_be_done() && scrub.reached(&line.source_ends)?) {
            break;
        }
        patience.after(scrub.step(wait)?)?;
    }
    while let Some(lanes) = &mut line.lanes {
        if spec.leaving.asked() {
            break;
        }
        if !patience.may_be_done() {
            patience.after(lanes.step(wait)?)?;
            continue;
        }
        let mut ends = Vec::new();
        for (number, topic) in lanes.topics().iter().enumerate() {
            ends.extend(spec.store.bounds(topic)?.iter().map(|bounds| end_of(number, bounds)));
        }
        if lanes.all_wait(&ends)? {
            break;
        }
        patience.after(lanes.step(wait)?)?;
    }
    line.finish()?;
    line.purge(spec)?;
    line.report("pipeline done");
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn rest_after(step: &Step) {
    match step {
        Step::Worked(_) | Step::Idle => {}
        Step::GaveUp(reason) => {
            warn!(%reason, "a transaction was given up; its records come again");
            std::thread::sleep(IDLE);
        }
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
    /// Whether to look for the end, which is dear: when there was nothing to do, and now and then.
    fn may_be_done(&self) -> bool {
        self.busy.is_multiple_of(32)
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

impl<S: Store> Line<S> {
    /// A step of each worker; `true` if there was something to do.
    fn turn(&mut self) -> Result<bool, StoreError> {
        let mut worked = false;
        let steps = [
            self.scrub.as_mut().map(|scrub| scrub.step(Duration::ZERO)),
            self.lanes.as_mut().map(|lanes| lanes.step(Duration::ZERO)),
        ];
        for step in steps.into_iter().flatten() {
            let step = step?;
            rest_after(&step);
            worked |= matches!(step, Step::Worked(_));
        }
        for meter in [
            self.scrub.as_mut().map(ScrubWorker::take_meter),
            self.lanes.as_mut().map(LaneWorker::take_meter),
        ] {
            watch::add(&self.pipeline, &meter.unwrap_or_default());
        }
        Ok(worked)
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        if let Some(scrub) = &mut self.scrub {
            scrub.finish()?;
        }
        if let Some(lanes) = &mut self.lanes {
            lanes.finish()?;
        }
        Ok(())
    }

    fn purge(&self, spec: &RunSpec<S>) -> Result<(), StoreError> {
        purge_round(spec, &self.pipeline)
    }

    /// The outcomes by stage, as committed.
    fn report(&self, what: &str) {
        let none = || vec![Tally::default(); self.pipeline.policy.stages.len()];
        let scrub = self.scrub.as_ref().map_or_else(none, ScrubWorker::tallies);
        let lanes = self.lanes.as_ref().map_or_else(none, LaneWorker::tallies);
        for (stage, (mut tally, other)) in
            self.pipeline.policy.stages.iter().zip(scrub.into_iter().zip(lanes))
        {
            tally.merge(&other);
            info!(
                source = self.pipeline.topics.source.as_ref(),
                stage = stage.id,
                emitted = tally.of(Outcome::Emitted),
                relaned = tally.of(Outcome::Relaned),
                quarantined = tally.of(Outcome::Quarantined),
                expired = tally.of(Outcome::Expired),
                erased = tally.of(Outcome::Erased),
                dropped = tally.of(Outcome::Dropped),
                "{what}"
            );
        }
    }
}

/// One round of purges. A visitor that reads can keep the log's files from being cut; the next
/// round does it.
#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn purge_round<S: Store>(spec: &RunSpec<S>, pipeline: &Pipeline) -> Result<(), StoreError> {
    crash::reach(CrashPoint::BetweenCommitAndPurge);
    let mut tries = if spec.mode == Mode::Once { 100 } else { 1 };
    loop {
        match purge::round(spec.store.as_ref(), pipeline, spec.clock.now_ms()) {
            Ok(purged) => {
                watch::purged(&purged);
                for (topic, records) in &purged.0 {
                    info!(topic = topic.as_ref(), records, "purged");
                }
                return Ok(());
            }
            // What a service cannot purge now it purges later; its workers know when to leave.
            Err(error) if error.remedy() == Remedy::Leave && spec.mode == Mode::Once => return Err(error),
            Err(error) => {
                tries -= 1;
                if tries == 0 {
                    warn!(reason = %error, "the purge is not complete; the next one goes on");
                    return Ok(());
                }
                std::thread::sleep(IDLE);
            }
        }
    }
}

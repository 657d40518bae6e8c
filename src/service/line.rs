//! One pipeline with its workers: opened, stepped, watched, purged behind, ended.

use super::run::{IDLE, Mode, Part, RunSpec};
use super::watch::{self, Gauges, Watch};
use super::worker::{Duty, Post, taken};
use crate::numbering::Region;
use crate::policy::Period;
use crate::stage::claim;
use crate::stage::crash::{self, CrashPoint};
use crate::stage::edition::{self, Change};
use crate::stage::outcome::{Outcome, Tally};
use crate::stage::store::{Bounds, Place, Remedy, Store, StoreError, TopicSpec};
use crate::stage::topics::Topics;
use crate::stage::{DayEnd, EventEnd, Fold, Pipeline, Step, needed_topics, purge};
use std::sync::Arc;
use std::time::Duration;
use tracing::{debug, error, info, warn};

pub(super) struct Line<S: Store> {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) posts: Vec<Post<S>>,
    pub(super) upkeep: Upkeep,
    /// The source's ends at the start.
    pub(super) source_ends: Vec<(Place, i64)>,
}

/// What is done about a pipeline now and then, beside its workers.
pub(super) struct Upkeep {
    pipeline: Arc<Pipeline>,
    /// Every lane that exists.
    lanes: Arc<[Arc<str>]>,
    watch: Watch,
    day_end: DayEnd,
    event_end: EventEnd,
    fold: Fold,
    purged_ms: i64,
    failed_purges: FailedPurges,
}

/// Rounds of purges in a row that did not end well.
#[derive(Debug, Default)]
struct FailedPurges(u32);

/// How bad it is that a purge failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    /// The next round may do it.
    Warning,
    /// Originals outlive their window.
    Error,
}

impl FailedPurges {
    /// So many rounds may fail before somebody has to do something.
    const MOST: u32 = 5;

    fn add(&mut self) -> Alarm {
        self.0 = self.0.saturating_add(1);
        if self.0 < Self::MOST { Alarm::Warning } else { Alarm::Error }
    }
}

impl Upkeep {
    /// What the metrics show of the pipeline, for whoever takes them back.
    pub(super) fn take_gauges(&mut self) -> Gauges {
        self.watch.take_gauges()
    }

    /// Looks and purges, if it is time to.
    pub(super) fn tend<S: Store>(&mut self, spec: &RunSpec<S>) -> Result<(), StoreError> {
        let now_ms = spec.clock.now_ms();
        // Metrics that fail to be read are read the next time.
        if let Err(error) = self.watch.look(spec.store.as_ref(), now_ms) {
            debug!(reason = %error, "the log could not be looked at");
        }
        if now_ms.saturating_sub(self.purged_ms).abs() >= self.pipeline.purge_interval_ms {
            self.purged_ms = now_ms;
            self.purge(spec)?;
        }
        Ok(())
    }

    /// What outlives records goes, too, once it is not needed any more. What cannot be done now is done the next time.
    fn end_what_is_over<S: Store>(&mut self, spec: &RunSpec<S>) {
        let now_ms = spec.clock.now_ms();
        let (store, pipeline, lanes) = (spec.store.as_ref(), &self.pipeline, &self.lanes);
        let source = pipeline.topics.source.as_ref();
        match self.day_end.look(store, pipeline, lanes, now_ms) {
            Ok(ended) if ended.days.is_empty() && ended.cells == 0 => {}
            Ok(ended) => {
                info!(
                    source,
                    days = ended.days.len(),
                    cells = ended.cells,
                    "days are over: their keys and cells are gone"
                );
            }
            Err(error) => warn!(reason = %error, "days that are over are ended the next time"),
        }
        match self.event_end.look(store, pipeline, lanes, now_ms) {
            Ok(0) => {}
            Ok(marks) => info!(source, marks, "events are over: their marks are gone"),
            Err(error) => warn!(reason = %error, "marks of events that are over are deleted the next time"),
        }
        match self.fold.look(store, pipeline, lanes, now_ms) {
            Ok(0) => {}
            Ok(groups) => info!(source, groups, "small groups were added up"),
            Err(error) => warn!(reason = %error, "small groups are added up the next time"),
        }
    }

    /// One round of purges. A visitor that reads can keep the log's files from being cut; the next
    /// round does it.
    #[allow(clippy::disallowed_methods, reason = "the edge waits")]
    pub(super) fn purge<S: Store>(&mut self, spec: &RunSpec<S>) -> Result<(), StoreError> {
        self.end_what_is_over(spec);
        crash::reach(CrashPoint::BetweenCommitAndPurge);
        let mut tries = if spec.mode == Mode::Once { 100 } else { 1 };
        loop {
            match purge::round(spec.store.as_ref(), &self.pipeline, &self.lanes, spec.clock.now_ms()) {
                Ok(purged) => {
                    self.failed_purges = FailedPurges::default();
                    watch::purged(&purged);
                    for (topic, records) in &purged.0 {
                        info!(topic = topic.as_ref(), records, "purged");
                    }
                    return Ok(());
                }
                // What a service cannot purge now it purges later; its workers know when to leave.
                Err(error) if error.remedy() == Remedy::Leave && spec.mode == Mode::Once => {
                    return Err(error);
                }
                Err(error) => {
                    tries -= 1;
                    if tries == 0 {
                        self.tell_of_failed_purge(&error);
                        return Ok(());
                    }
                    std::thread::sleep(IDLE);
                }
            }
        }
    }
}

impl Upkeep {
    fn tell_of_failed_purge(&mut self, reason: &StoreError) {
        let source = self.pipeline.topics.source.as_ref();
        match self.failed_purges.add() {
            Alarm::Warning => warn!(source, %reason, "the purge is not complete; the next one goes on"),
            Alarm::Error => error!(
                source,
                %reason,
                rounds = self.failed_purges.0,
                "the purge fails again and again, and originals stay on disk: mend what the reason says; on Kafka \
                 see that our user may delete records (`logscrub topics verify`), on the embedded store that no \
                 visitor reads for ever (`logscrub cat --follow`) and that the disk has room"
            ),
        }
    }
}

impl<S: Store> Line<S> {
    /// A step of each worker; `true` if there was something to do.
    pub(super) fn turn(&mut self, spec: &RunSpec<S>) -> Result<bool, StoreError> {
        let mut worked = false;
        for post in &mut self.posts {
            let step = post.step(spec, Duration::ZERO)?;
            rest_after(&step);
            worked |= matches!(step, Step::Worked(_));
            watch::add(&self.pipeline, &post.take_meter());
        }
        Ok(worked)
    }

    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.posts.iter_mut().try_for_each(Post::finish)
    }

    /// The outcomes by stage, as committed.
    pub(super) fn report(&self, what: &str) {
        let stages = &self.pipeline.policy.stages;
        let mut sums = vec![Tally::default(); stages.len()];
        for tallies in self.posts.iter().map(Post::tallies) {
            sums.iter_mut().zip(&tallies).for_each(|(sum, tally)| sum.merge(tally));
        }
        for (stage, tally) in stages.iter().zip(sums) {
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

/// How a process claims what it runs; see [`claim`].
pub(super) struct Claim {
    pub(super) word: Arc<str>,
    /// Whether it has done so before: then what another has claimed since is not taken back.
    pub(super) again: bool,
}

impl Claim {
    pub(super) fn new() -> Self {
        Claim { word: format!("{:016x}", rand::random::<u64>()).into(), again: false }
    }

    fn make<S: Store>(&self, store: &S, pipeline: &Pipeline, duties: &[Duty]) -> Result<(), StoreError> {
        let parts: Vec<&str> = duties.iter().map(|duty| duty.word()).collect();
        for part in parts.iter().filter(|_| self.again) {
            if !claim::is_ours(store, pipeline, part, &self.word)? {
                return Err(taken(pipeline));
            }
        }
        match claim::write(store, pipeline, &parts, &self.word) {
            // Another is about to claim them, or was.
            Err(StoreError::Fenced(_)) => Err(taken(pipeline)),
            done => done,
        }
    }
}

/// Makes a pipeline's topics and joins its groups; `None` where its source is missing.
pub(super) fn open<S: Store>(
    spec: &RunSpec<S>,
    pipeline: &Arc<Pipeline>,
    claim: &Claim,
) -> Result<Option<Line<S>>, StoreError> {
    let Some(source) = find_source(spec, pipeline)? else { return Ok(None) };
    for topic in needed_topics(pipeline, source.partitions) {
        spec.store.ensure(&topic)?;
    }
    refuse_orphans(spec.store.as_ref(), pipeline)?;
    edition::agree(spec.store.as_ref(), pipeline, &mut |changes, held| tell(pipeline, changes, held))?;
    let ends = spec.store.bounds(&pipeline.topics.source)?;
    let mut duties = Vec::new();
    if matches!(spec.part, Part::All | Part::Scrub) {
        duties.push(Duty::Scrub);
    }
    if matches!(spec.part, Part::All | Part::Lanes) && pipeline.lanes.is_some() {
        duties.push(Duty::Lanes);
    }
    claim.make(spec.store.as_ref(), pipeline, &duties)?;
    // The way to the end of `--once` is one worker's of each kind.
    let workers = if spec.mode == Mode::Once { 1 } else { pipeline.workers };
    let places = duties.into_iter().flat_map(|duty| (0..workers).map(move |number| (duty, number)));
    let posts: Vec<Post<S>> = places
        .map(|(duty, number)| Post::take(spec, pipeline, duty, number, &claim.word))
        .collect::<Result<_, _>>()?;
    announce(spec.store.as_ref(), pipeline, source.partitions)?;
    let source_ends = ends.iter().map(|bounds| end_of(0, bounds)).collect();
    let lanes: Arc<[Arc<str>]> = purge::held_topics(spec.store.as_ref(), pipeline)?.into();
    let watch = Watch::new(pipeline.clone(), lanes.clone());
    let upkeep = Upkeep {
        pipeline: pipeline.clone(),
        lanes,
        watch,
        day_end: DayEnd::default(),
        event_end: EventEnd::default(),
        fold: Fold::default(),
        purged_ms: spec.clock.now_ms(),
        failed_purges: FailedPurges::default(),
    };
    Ok(Some(Line { pipeline: pipeline.clone(), posts, upkeep, source_ends }))
}

fn find_source<S: Store>(spec: &RunSpec<S>, pipeline: &Pipeline) -> Result<Option<TopicSpec>, StoreError> {
    let source = &pipeline.topics.source;
    let found = spec.store.topics()?.into_iter().find(|topic| topic.name == *source);
    if found.is_none() && spec.mode == Mode::Once {
        return Err(StoreError::Refused(format!(
            "topic `{source}` does not exist; `logscrub put {source}` makes it"
        )));
    }
    Ok(found)
}

/// Says what is read, written and held, until when, and when deletion is done.
fn announce<S: Store>(store: &S, pipeline: &Pipeline, partitions: i32) -> Result<(), StoreError> {
    let topics = &pipeline.topics;
    let (source, policy) = (topics.source.as_ref(), pipeline.policy.id.as_str());
    // Not shown where there is none.
    let region = pipeline.policy.region.map(Region::code);
    let Some(window_ms) = pipeline.window_ms() else {
        info!(
            source,
            partitions,
            policy,
            region,
            writes = topics.scrubbed.as_ref(),
            "pipeline runs; nothing is held"
        );
        return Ok(());
    };
    let period = |ms: i64| {
        let seconds = ms.max(0).unsigned_abs().div_ceil(1000);
        Period { months: 0, seconds }.to_string()
    };
    let windows = &pipeline.windows;
    let own =
        windows.shortest_last_ms().zip(windows.longest_ms()).filter(|own| *own != (window_ms, window_ms));
    let own = own.map(|(shortest, longest)| format!("{} to {}", period(shortest), period(longest)));
    let margin_ms = pipeline.schedule.margin_ms();
    let (due_ms, bound_ms) = (window_ms - margin_ms, pipeline.deletion_bound_ms());
    info!(
        source,
        partitions,
        policy,
        region,
        writes = format!("{}, {}", topics.scrubbed, topics.deidentified),
        holds = purge::held_topics(store, pipeline)?.join(", "),
        window = period(window_ms),
        accounts = own,
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

/// Held records that nobody would release must not be left lying: those that the policy has no stage for, and those
/// in lanes of another name.
fn refuse_orphans<S: Store>(store: &S, pipeline: &Pipeline) -> Result<(), StoreError> {
    let topics = &pipeline.topics;
    let usual = Topics::of(&topics.source).held;
    let before = edition::held_before(store, pipeline)?;
    for held in before.into_iter().chain([usual]).filter(|held| *held != topics.held) {
        let lanes = Topics { held, ..topics.clone() };
        if let Some(lane) = waiting_lane(store, &lanes)? {
            return Err(StoreError::Refused(format!(
                "topic `{lane}` holds records of this pipeline, and its lanes are called `{}.…` now: nobody would \
                 release them; set `topics.held = \"{}\"` until the topic is empty",
                topics.held, lanes.held
            )));
        }
    }
    if pipeline.lanes.is_none()
        && let Some(topic) = waiting_lane(store, topics)?
    {
        return Err(StoreError::Refused(format!(
            "topic `{topic}` holds records, and policy `{}` has no stage that releases them; run the policy \
             that they were held under until the topic is empty",
            pipeline.policy.id
        )));
    }
    Ok(())
}

/// A lane of a pipeline that is none of these, and that holds records.
pub(super) fn lane_of_nobody<S: Store>(
    store: &S,
    pipelines: &[Arc<Pipeline>],
) -> Result<Option<Arc<str>>, StoreError> {
    for TopicSpec { name, .. } in store.topics()? {
        let Some(lanes) = Topics::of_lane(&name) else { continue };
        let known = |pipeline: &Arc<Pipeline>| {
            pipeline.topics.lane_delay(&name).is_some() || pipeline.topics.source == lanes.source
        };
        if !pipelines.iter().any(known) && waits(store, &lanes, &name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The first of the lanes with a record that was not released.
pub(super) fn waiting_lane<S: Store>(store: &S, lanes: &Topics) -> Result<Option<Arc<str>>, StoreError> {
    for TopicSpec { name, .. } in store.topics()? {
        if lanes.lane_delay(&name).is_some() && waits(store, lanes, &name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn waits<S: Store>(store: &S, lanes: &Topics, lane: &str) -> Result<bool, StoreError> {
    Ok(store.purge_states(&lanes.lanes_reader(), lane)?.iter().any(|state| state.data_waits))
}

pub(super) fn end_of(topic: usize, bounds: &Bounds) -> (Place, i64) {
    (Place { topic, partition: bounds.partition }, bounds.end)
}

#[allow(clippy::disallowed_methods, reason = "the edge waits")]
pub(super) fn rest_after(step: &Step) {
    match step {
        Step::Worked(_) | Step::Idle => {}
        Step::GaveUp(reason) => {
            warn!(%reason, "a transaction was given up; its records come again");
            std::thread::sleep(IDLE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purge_that_goes_on_failing_is_an_error() {
        let mut failed = FailedPurges::default();
        let alarms: Vec<Alarm> = (0..6).map(|_| failed.add()).collect();
        assert_eq!(alarms[..4], [Alarm::Warning; 4]);
        assert_eq!(alarms[4..], [Alarm::Error; 2]);
    }
}

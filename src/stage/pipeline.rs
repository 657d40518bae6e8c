//! A pipeline: one source, one policy, and everything its workers share.

use super::age::{self, Schedule, ScheduleError, Slack};
use super::cell::{self, Anonymity};
use super::count::Counting;
use super::event::Pace;
use super::header::{self, ALLOWED};
use super::lane::{DEFAULT_SECONDS, Lanes};
use super::store::Delivery;
use super::topics::Topics;
use crate::engine::Engine;
use crate::policy::{Policy, Windows};
use crate::record::Header;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// What the config says about a pipeline, times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Names this process in slots.
    pub instance: String,
    pub topics: Topics,
    /// Lanes below the policy's own, in seconds.
    pub lanes_seconds: Vec<u64>,
    /// `None`: an hour, or none where a window is shorter than a day.
    pub release_every_ms: Option<i64>,
    pub tick_ms: i64,
    pub purge_interval_ms: i64,
    pub purge_source: bool,
    pub purge_after_groups: Vec<String>,
    /// How many workers of each kind share the partitions in this process.
    pub workers: usize,
    /// Whether records may come twice after a crash, because they are written outside transactions.
    pub at_least_once: bool,
    /// Headers that pass beside the usual ones.
    pub headers: Vec<String>,
    /// A transaction is committed when it is this old, or has taken so many records.
    pub commit_every_ms: i64,
    pub commit_records: usize,
    /// The longest a transaction can take, and a purge until the bytes are gone: the store's.
    pub transaction_ms: i64,
    pub erase_ms: i64,
    /// Whether we delete from the scrubbed topic what has outlived a last window of a day or more, because the log
    /// does not do it by itself.
    pub expire_scrubbed: bool,
}

impl Settings {
    /// What holds where the config says nothing.
    #[must_use]
    pub fn of(source: &str) -> Self {
        Settings {
            instance: "local".into(),
            topics: Topics::of(source),
            lanes_seconds: DEFAULT_SECONDS.to_vec(),
            release_every_ms: None,
            tick_ms: 10_000,
            purge_interval_ms: 60_000,
            purge_source: false,
            purge_after_groups: Vec::new(),
            workers: 1,
            at_least_once: false,
            headers: Vec::new(),
            commit_every_ms: 0,
            commit_records: 10_000,
            transaction_ms: 0,
            erase_ms: 0,
            expire_scrubbed: false,
        }
    }
}

/// A pipeline that can run.
pub struct Pipeline {
    pub instance: String,
    pub policy: Policy,
    pub engine: Arc<Engine>,
    pub topics: Topics,
    pub windows: Windows,
    pub schedule: Schedule,
    /// `None`: the policy counts nothing.
    pub counting: Option<Counting>,
    /// `None`: the last stage does what it says.
    pub anonymity: Option<Anonymity>,
    /// `None`: `scrub` is the only stage, and nothing is held.
    pub lanes: Option<Lanes>,
    pub release_every_ms: i64,
    pub tick_ms: i64,
    pub purge_interval_ms: i64,
    pub purge_source: bool,
    pub purge_after_groups: Vec<String>,
    pub workers: usize,
    pub delivery: Delivery,
    pub commit_every_ms: i64,
    /// The most that one transaction takes.
    pub transaction_ms: i64,
    /// From a purge until the bytes have left the disk.
    pub erase_ms: i64,
    pub commit_records: usize,
    /// How long a scrubbed record stays, where the log does not see to that by itself.
    pub scrubbed_keep_ms: Option<i64>,
    headers: Vec<String>,
    /// How often workers look for events.
    pub(super) pace: Pace,
    /// See [`super::edition`].
    edition: AtomicU32,
}

const DAY_MS: i64 = 86_400_000;

impl Pipeline {
    /// # Errors
    /// Where the policy has a stage without an age, or too large a margin.
    pub fn new(policy: Policy, engine: Arc<Engine>, settings: Settings) -> Result<Self, ScheduleError> {
        let windows = Windows::of(&policy);
        let usual = if windows.shortest_ms().is_some_and(|ms| ms < DAY_MS) { 0 } else { 3_600_000 };
        let release_every_ms = settings.release_every_ms.unwrap_or(usual);
        let lanes = |margin| Lanes::of(&policy, margin, &settings.lanes_seconds, &settings.topics);
        let slack = Slack {
            shortest_lane_ms: lanes(0).as_ref().map_or(0, Lanes::shortest_ms),
            tick_ms: settings.tick_ms,
            release_every_ms,
            transaction_ms: settings.transaction_ms + settings.commit_every_ms,
            purge_interval_ms: settings.purge_interval_ms,
            erase_ms: settings.erase_ms,
        };
        let margin_ms = age::margin_ms(&policy, &slack);
        let schedule = Schedule::new(&policy, margin_ms)?;
        // A policy that holds nothing has no lanes.
        let lanes = lanes(margin_ms).ok();
        let pace = Pace::of(&policy, &windows);
        // Of accounts with shorter windows, too: the topic does not say whose a record is, and goes by its beginning.
        let scrubbed_keep_ms = windows.usual_last_ms().and_then(|window_ms| match window_ms {
            DAY_MS.. => settings.expire_scrubbed.then_some(window_ms - margin_ms),
            // A log deletes by whole segments, and a day is the finest that it promises: what is shorter is ours to do
            // where a policy says "up to".
            _ if margin_ms > 0 => Some(window_ms - margin_ms),
            _ => settings.expire_scrubbed.then_some(DAY_MS),
        });
        let mut headers: Vec<String> = ALLOWED.iter().map(|name| (*name).to_owned()).collect();
        headers.extend(settings.headers);
        let delivery = match settings.at_least_once {
            true => Delivery::AtLeastOnce { progress: settings.topics.progress.clone() },
            false => Delivery::ExactlyOnce,
        };
        Ok(Pipeline {
            instance: settings.instance,
            counting: Counting::of(&policy),
            anonymity: Anonymity::of(&policy, engine.rules()),
            policy,
            windows,
            engine,
            topics: settings.topics,
            schedule,
            lanes,
            release_every_ms,
            tick_ms: settings.tick_ms,
            purge_interval_ms: settings.purge_interval_ms,
            purge_source: settings.purge_source,
            purge_after_groups: settings.purge_after_groups,
            workers: settings.workers.max(1),
            delivery,
            commit_every_ms: settings.commit_every_ms,
            transaction_ms: slack.transaction_ms,
            erase_ms: slack.erase_ms,
            commit_records: settings.commit_records.max(1),
            scrubbed_keep_ms,
            headers,
            pace,
            edition: AtomicU32::new(0),
        })
    }

    /// The age at which originals must be gone where no account has a window of its own: the last window; `None` where
    /// nothing is held.
    #[must_use]
    pub fn window_ms(&self) -> Option<i64> {
        self.windows.usual_last_ms()
    }

    /// How long after it is due a record may be released.
    #[must_use]
    pub fn release_slack_ms(&self) -> i64 {
        let shortest_ms = self.lanes.as_ref().map_or(0, Lanes::shortest_ms);
        shortest_ms + self.tick_ms + self.release_every_ms + self.transaction_ms
    }

    /// Whether it matters how many records of a day show the same: only if any of them is released after the day is
    /// closed.
    pub(super) fn uses_cells_of(&self, day: i64) -> bool {
        let released_ms =
            self.schedule.latest_due_ms(cell::ends_ms(day)).saturating_add(self.release_slack_ms());
        self.anonymity.is_some() && released_ms >= cell::closed_ms(day)
    }

    /// How long after it is due a record's bytes may stay on the log's disk.
    #[must_use]
    pub fn deletion_bound_ms(&self) -> i64 {
        self.release_slack_ms() + self.purge_interval_ms + self.erase_ms
    }

    /// The group that reads the source.
    #[must_use]
    pub fn scrub_reader(&self) -> String {
        format!("logscrub.{}.scrub", self.topics.source)
    }

    /// The group that reads all lanes.
    #[must_use]
    pub fn lanes_reader(&self) -> String {
        self.topics.lanes_reader()
    }

    /// Names a worker's place over restarts: `part` is `scrub` or `lanes`.
    #[must_use]
    pub fn slot(&self, part: &str, thread: usize) -> String {
        format!("{}.{}.{part}.{thread}", self.instance, self.topics.source)
    }

    /// The edition of the windows in force; see [`super::edition`].
    #[must_use]
    pub fn edition(&self) -> u32 {
        self.edition.load(Ordering::SeqCst)
    }

    /// Another edition is in force, begun here or by another process; an earlier one never comes back.
    pub(super) fn raise_edition(&self, edition: u32) {
        self.edition.fetch_max(edition, Ordering::SeqCst);
    }

    /// The id of a stage; empty where there is none of that number.
    #[must_use]
    pub fn stage_id(&self, stage: usize) -> &str {
        self.policy.stages.get(stage).map_or("", |stage| stage.id.as_str())
    }

    /// Keeps the headers that pass.
    pub fn allowed_headers<'a>(&self, from: &[Header<'a>], to: &mut Vec<Header<'a>>) {
        let passes =
            |name: &[u8]| self.headers.iter().any(|allowed| name.eq_ignore_ascii_case(allowed.as_bytes()));
        to.clear();
        to.extend(from.iter().filter(|(name, _)| passes(name) && *name != header::NAME));
    }
}

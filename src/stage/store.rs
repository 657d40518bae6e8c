//! What stages need of a log: read as a group, write atomically with the positions, purge.
//!
//! Two stores implement it: `embedded` (SQLite) and Kafka. The shape is Kafka's: a [`Session`] is
//! what one worker thread owns (one consumer of a group and one transactional producer); the
//! [`Store`] itself is the administrator's view. Everything blocks; nothing is async.
//!
//! Order of calls in a session: [`Reader::poll`] reports `Assigned`; the worker answers with
//! [`Reader::start`] for each partition; then records are visited. What the worker appends becomes
//! visible at [`Writer::commit`], together with the positions, or never. After `Revoked` (not lost)
//! the worker may still commit for the partitions it gives up; the store lets go of them at the next
//! `poll`. After an error that asks for it the worker aborts and [`Reader::seek`]s back.

use crate::record::Record;
use std::sync::Arc;
use std::time::Duration;

/// One partition of one of the session's topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Index into [`SessionSpec::topics`].
    pub topic: usize,
    pub partition: i32,
}

/// Where a reader goes on: `next` is the first offset that it has not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub place: Place,
    pub next: i64,
}

/// What a worker asks for when it joins.
#[derive(Clone, Debug)]
pub struct SessionSpec {
    /// The group's name; positions are kept under it. One group per pipeline and part
    /// (`<pipeline>.scrub`, `<pipeline>.lanes`).
    pub reader: String,
    /// Names this worker over restarts (`transactional.id`, `group.instance.id`): instance,
    /// pipeline, stage and thread number. Two live sessions never share one.
    pub slot: String,
    /// The topics to read; all exist.
    pub topics: Vec<Arc<str>>,
}

/// What a worker's writes are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// Output, progress and positions are one transaction.
    #[default]
    ExactlyOnce,
    /// Output, then `progress` (the topic of that name), then positions: a crash in between doubles, and
    /// loses nothing.
    AtLeastOnce { progress: Arc<str> },
}

/// A partition that this session now owns, with what is needed to say where to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    pub place: Place,
    /// The topic's id: another id under the same name is another topic (deleted and made again).
    pub topic_id: Arc<str>,
    /// The group's committed position; `None` where there is none (never committed, or expired).
    pub committed: Option<i64>,
    /// The first offset that the log still has.
    pub log_start: i64,
}

/// What a call of [`Reader::poll`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
    /// That many records were visited.
    Records(usize),
    /// Nothing to read within the wait. Not a sign that the topics are at their end.
    Idle,
    /// Delivery begins when [`Reader::start`] was called for each of them.
    Assigned(Vec<Assigned>),
    Revoked(Revoked),
}

/// Partitions that go to another worker at the next `poll`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    pub places: Vec<Place>,
    /// `true`: they are gone already, and an open transaction must be aborted. `false`: the worker
    /// commits what it has before it polls again.
    pub lost: bool,
}

/// What a record's time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// The sender's word; may be forged.
    Create,
    /// The log's own clock at the append (Kafka's `LogAppendTime`); never falls within a partition
    /// of the embedded store, nearly never in Kafka's.
    Append,
}

/// A record under the reader's eyes; borrowed until the visit ends.
#[derive(Clone, Copy, Debug)]
pub struct Fetched<'a> {
    pub place: Place,
    pub offset: i64,
    pub record: Record<'a>,
    pub time: TimeKind,
}

/// The visitor's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Taken; go on.
    Next,
    /// Taken; visit no more in this call.
    Stop,
    /// Not taken: this record and those after it stay where they are, and the partition is paused
    /// at this offset until [`Reader::resume`]. Other partitions go on.
    Hold,
}

/// The reading half of a session. Reads what was committed only (`read_committed`), each partition
/// in the order of its offsets.
pub trait Reader {
    /// Waits at most `wait` for records and visits at most `limit` of them, from any of the
    /// partitions. A call that reports `Assigned` or `Revoked` visits none. Must be called often
    /// even while every partition is paused: it keeps the membership alive.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn poll(
        &mut self,
        wait: Duration,
        limit: usize,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Polled, StoreError>;

    /// Answers `Assigned`: delivery begins at `next`, not paused. Below the log's start it begins
    /// at the log's start.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn start(&mut self, place: Place, next: i64) -> Result<(), StoreError>;

    /// Delivery goes on at `next`, which may lie behind; a pause ends. A place that is not owned is
    /// passed over.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn seek(&mut self, place: Place, next: i64) -> Result<(), StoreError>;

    /// Ends a pause: the record that was held is delivered again, first.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn resume(&mut self, place: Place) -> Result<(), StoreError>;

    /// Whether every readable record below `end` was visited; transaction markers and aborted
    /// records are not readable. Used by `--once` with [`Bounds::end`].
    ///
    /// # Errors
    /// See [`StoreError`].
    fn reached(&mut self, place: Place, end: i64) -> Result<bool, StoreError>;
}

/// The writing half of a session.
pub trait Writer {
    /// Adds a record to the open transaction, which begins with the first append. Where
    /// `record.timestamp_ms` is `None` the log stamps the record when it appends it; stages write
    /// nothing else. `Err` with [`Remedy::Abort`] where the record cannot be written at all (too
    /// large for its topic).
    ///
    /// # Errors
    /// See [`StoreError`].
    fn append(&mut self, topic: &str, partition: i32, record: &Record<'_>) -> Result<(), StoreError>;

    /// Makes the appended records visible and moves the group's positions, all or nothing.
    /// Positions without records are a transaction too: it keeps positions and ids from expiring.
    ///
    /// # Errors
    /// After [`Remedy::Abort`] nothing of the transaction is or becomes visible once [`abort`] ran;
    /// after [`Remedy::Leave`] the process must end, and whether it was committed shows at restart.
    ///
    /// [`abort`]: Writer::abort
    fn commit(&mut self, positions: &[Position]) -> Result<(), StoreError>;

    /// Drops the open transaction, if there is one.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn abort(&mut self) -> Result<(), StoreError>;
}

/// A worker's membership: its two halves, to be used at the same time.
pub trait Session {
    type Reader: Reader;
    type Writer: Writer;

    fn halves(&mut self) -> (&mut Self::Reader, &mut Self::Writer);
}

/// How a topic is made. Every topic of ours deletes (never compacts) unless it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicSpec {
    pub name: Arc<str>,
    pub partitions: i32,
    /// The newest record of a key is all that counts.
    pub compacted: bool,
}

/// A partition's extent and what a reader group has finished of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub partition: i32,
    /// First offset the log still has.
    pub log_start: i64,
    /// The offset after the last readable one (Kafka: the last stable offset).
    pub end: i64,
}

/// A purge of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    pub topic: Arc<str>,
    pub partition: i32,
    /// What stands below goes.
    pub up_to: i64,
}

/// What the purge planner must know of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurgeState {
    pub bounds: Bounds,
    /// As the log's keeper has it, read back, not as we remember it. `None`: never committed.
    pub committed: Option<i64>,
    /// Whether a data record (no marker, no heartbeat) stands at or above `committed`.
    pub data_waits: bool,
    /// Whether records that are now released were appended since the last segment roll: their bytes
    /// stay on disk until the segment rolls. Always `false` where a purge erases at once.
    pub unrolled: bool,
}

/// The administrator's view of a store, and the way to a [`Session`].
pub trait Store {
    type Session: Session;

    /// Joins a group. On Kafka this fences whoever else uses the slot.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn join(&self, spec: &SessionSpec) -> Result<Self::Session, StoreError>;

    /// The same, with less than [`join`] gives where the store has less.
    ///
    /// # Errors
    /// See [`StoreError`].
    ///
    /// [`join`]: Store::join
    fn join_as(&self, spec: &SessionSpec, _delivery: &Delivery) -> Result<Self::Session, StoreError> {
        self.join(spec)
    }

    /// Every topic, with its number of partitions.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn topics(&self) -> Result<Vec<TopicSpec>, StoreError>;

    /// Whether no other process runs pipelines on it.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// Makes a topic where it is missing. An existing one is left as it is, unless it has fewer
    /// partitions than asked for, which is refused (77).
    ///
    /// # Errors
    /// See [`StoreError`].
    fn ensure(&self, spec: &TopicSpec) -> Result<(), StoreError>;

    /// By partition number, from 0.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn bounds(&self, topic: &str) -> Result<Vec<Bounds>, StoreError>;

    /// Visits every readable record of a partition from `from` to the end at the time of the call,
    /// outside any group; `place.topic` is 0. Ends early at [`Flow::Stop`] or [`Flow::Hold`].
    /// Returns where it ended: the offset to go on from.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn scan(
        &self,
        topic: &str,
        partition: i32,
        from: i64,
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<i64, StoreError>;

    /// The same for several partitions of a topic, each given once with where to begin, in any order among
    /// themselves: [`Flow::Stop`] and [`Flow::Hold`] end the walk of the record's partition only. Returns
    /// where each ended, in the order of `starts`.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn scan_each(
        &self,
        topic: &str,
        starts: &[(i32, i64)],
        visit: &mut dyn FnMut(&Fetched<'_>) -> Flow,
    ) -> Result<Vec<i64>, StoreError> {
        starts.iter().map(|(partition, from)| self.scan(topic, *partition, *from, visit)).collect()
    }

    /// The state of each partition of a topic for a reader group.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn purge_states(&self, reader: &str, topic: &str) -> Result<Vec<PurgeState>, StoreError>;

    /// The same for several topics, in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn purge_states_of(&self, reader: &str, topics: &[Arc<str>]) -> Result<Vec<Vec<PurgeState>>, StoreError> {
        topics.iter().map(|topic| self.purge_states(reader, topic)).collect()
    }

    /// Deletes what stands below `up_to`, and nothing at or above it. Returns the new log start.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn purge(&self, topic: &str, partition: i32, up_to: i64) -> Result<i64, StoreError>;

    /// The same for several partitions; each answers for itself, in their order.
    ///
    /// # Errors
    /// See [`StoreError`]; then nothing is known of any.
    fn purge_each(&self, cuts: &[Cut]) -> Result<Vec<Result<i64, StoreError>>, StoreError> {
        Ok(cuts.iter().map(|cut| self.purge(&cut.topic, cut.partition, cut.up_to)).collect())
    }

    /// Rolls partitions' segments, so that what was purged leaves the disk (Kafka: appends a
    /// heartbeat record, outside any transaction). Nothing where a purge erases at once.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn roll(&self, topic: &str, partitions: &[i32]) -> Result<(), StoreError>;

    /// Ends a round of purges: what was deleted is now to leave every file.
    ///
    /// # Errors
    /// See [`StoreError`].
    fn purged(&self) -> Result<(), StoreError>;
}

/// What can be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Call the same function again.
    Retry,
    /// Abort the transaction, seek back to the last commit, and go on.
    Abort,
    /// End the session, with its open transaction, and join again.
    Rejoin,
    /// End the session, and join again unless another has claimed the slot (see [`super::claim`]).
    Prove,
    /// Leave the process: the store cannot go on.
    Leave,
}

/// An error of a store. The text names topic, partition, file, setting; never a record's content.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    /// Exit 69.
    #[error("the log cannot be reached: {0}")]
    Unreachable(String),
    /// A passing condition; [`Remedy::Retry`].
    #[error("the log is busy: {0}")]
    Busy(String),
    /// A record is larger than its topic takes; the transaction is none the worse. Exit 77 where nobody
    /// has another record for its place.
    #[error("{0}")]
    TooLarge(String),
    /// The open transaction is void; [`Remedy::Abort`].
    #[error("the transaction was given up: {0}")]
    Void(String),
    /// The membership has come to its end; [`Remedy::Rejoin`].
    #[error("the group must be joined again: {0}")]
    Rejoin(String),
    /// The log lets us do no more under this slot, which someone else may have; [`Remedy::Prove`].
    #[error("the log lets this slot do no more: {0}")]
    Fenced(String),
    /// Someone else has this slot; exit 77.
    #[error("another process took over this slot: {0}")]
    Taken(String),
    /// Running would lose data or break a promise; exit 77. Says how to mend it.
    #[error("{0}")]
    Refused(String),
    /// Exit 74.
    #[error("{0}")]
    Io(String),
    /// The store's own data does not read back; exit 74.
    #[error("{0}")]
    Corrupt(String),
    /// Exit 70.
    #[error("logscrub's own mistake: {0}")]
    Bug(String),
}

impl StoreError {
    /// Whether a session that ended so, or did not begin, may begin later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.remedy() != Remedy::Leave || matches!(self, StoreError::Unreachable(_))
    }

    /// For a look at the log beside the open transaction: where it cannot be reached, what is open is given up and comes
    /// again, as for the reader and the writer.
    #[must_use]
    pub fn of_a_look(self) -> Self {
        match self {
            StoreError::Unreachable(reason) => StoreError::Void(reason),
            other => other,
        }
    }

    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self {
            StoreError::Busy(_) => Remedy::Retry,
            StoreError::Void(_) => Remedy::Abort,
            StoreError::Rejoin(_) => Remedy::Rejoin,
            StoreError::Fenced(_) => Remedy::Prove,
            StoreError::Unreachable(_)
            | StoreError::Taken(_)
            | StoreError::TooLarge(_)
            | StoreError::Refused(_)
            | StoreError::Io(_)
            | StoreError::Corrupt(_)
            | StoreError::Bug(_) => Remedy::Leave,
        }
    }
}

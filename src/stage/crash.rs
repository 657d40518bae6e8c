//! Named points at which a test can end the process. Inert until the edge installs a handler.

use std::sync::OnceLock;

/// Where. The words are what `LOGSCRUB_CRASH_AT` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// A batch is about to be read; no transaction is open.
    BeforeBegin,
    /// A record was appended to the open transaction.
    AfterAppend,
    /// Everything is appended, nothing committed.
    BeforeCommit,
    /// Kafka: everything is with the broker, positions are not sent.
    AfterFlush,
    /// Kafka: positions are sent, and the transaction is open.
    AfterPositions,
    AfterCommit,
    /// A transaction is committed, what it released is not purged yet.
    BetweenCommitAndPurge,
    /// Partitions are taken from us; what is open for them is not committed.
    InRevoke,
    /// A held record was appended to its next lane; it still stands in the old one.
    InRelane,
    /// There is no key of the day, and one is about to be written.
    InDayKey,
    /// It is known what is to be folded, and nothing is written.
    InFold,
}

impl CrashPoint {
    pub const ALL: [CrashPoint; 11] = [
        CrashPoint::BeforeBegin,
        CrashPoint::AfterAppend,
        CrashPoint::BeforeCommit,
        CrashPoint::AfterFlush,
        CrashPoint::AfterPositions,
        CrashPoint::AfterCommit,
        CrashPoint::BetweenCommitAndPurge,
        CrashPoint::InRevoke,
        CrashPoint::InRelane,
        CrashPoint::InDayKey,
        CrashPoint::InFold,
    ];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            CrashPoint::BeforeBegin => "before_begin",
            CrashPoint::AfterAppend => "after_append",
            CrashPoint::BeforeCommit => "before_commit",
            CrashPoint::AfterFlush => "after_flush",
            CrashPoint::AfterPositions => "after_send_offsets",
            CrashPoint::AfterCommit => "after_commit",
            CrashPoint::BetweenCommitAndPurge => "between_commit_and_purge",
            CrashPoint::InRevoke => "in_revoke",
            CrashPoint::InRelane => "in_relane",
            CrashPoint::InDayKey => "in_day_key",
            CrashPoint::InFold => "in_fold",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<CrashPoint> {
        CrashPoint::ALL.into_iter().find(|point| point.word() == word)
    }
}

type Handler = Box<dyn Fn(CrashPoint) + Send + Sync>;

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Installs what happens at the points; the first caller wins.
pub fn install(handler: Handler) {
    let _ = HANDLER.set(handler);
}

/// The code is at this point.
#[inline]
pub fn reach(point: CrashPoint) {
    if let Some(handler) = HANDLER.get() {
        handler(point);
    }
}

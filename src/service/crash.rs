//! Crashes on demand, for tests of what a crash leaves: `LOGSCRUB_CRASH_AT=<point>[:<n>[:stop[:<times>]]]` ends
//! the process at once, without unwinding, when the point is reached for the n-th time (the first, where
//! none is given); with `stop` it stands still (SIGSTOP) instead, at each n-th time, so many times in all, to
//! come back as a zombie. Points: `before_begin after_append before_commit after_flush after_send_offsets
//! after_commit between_commit_and_purge in_revoke in_relane in_day_key in_fold`. Without the variable nothing is
//! installed.

use crate::stage::crash::{self, CrashPoint};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable's name.
pub const VARIABLE: &str = "LOGSCRUB_CRASH_AT";

/// Installs the crash that the variable's value asks for.
///
/// # Errors
/// A text that says how to write it.
pub fn install(value: &str) -> Result<(), String> {
    let Some(asked) = asked(value) else {
        let words = CrashPoint::ALL.map(CrashPoint::word).join(", ");
        return Err(format!(
            "{VARIABLE}: write <point>, <point>:<n> or <point>:<n>:stop, where the point is one of {words}"
        ));
    };
    let reached = AtomicU64::new(0);
    crash::install(Box::new(move |point| {
        if point != asked.at || !asked.is_due(reached.fetch_add(1, Ordering::SeqCst) + 1) {
            return;
        }
        if asked.deed == Deed::Die || signal_hook::low_level::raise(signal_hook::consts::SIGSTOP).is_err() {
            std::process::abort();
        }
    }));
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Die,
    StandStill,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    at: CrashPoint,
    /// At each n-th visit of the point.
    every: u64,
    times: u64,
    deed: Deed,
}

impl Asked {
    /// `visit` counts from 1.
    fn is_due(&self, visit: u64) -> bool {
        visit.is_multiple_of(self.every) && visit / self.every <= self.times
    }
}

fn asked(value: &str) -> Option<Asked> {
    let mut parts = value.split(':');
    let at = CrashPoint::from_word(parts.next()?)?;
    let number = |part: Option<&str>| part.map_or(Some(1), |part| part.parse().ok().filter(|n: &u64| *n > 0));
    let every = number(parts.next())?;
    let (deed, times) = match parts.next() {
        None => (Deed::Die, 1),
        Some("stop") => (Deed::StandStill, number(parts.next())?),
        Some(_) => return None,
    };
    parts.next().is_none().then_some(Asked { at, every, times, deed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_for() {
        let wanted = |every, times, deed| Some(Asked { at: CrashPoint::AfterFlush, every, times, deed });
        for (value, expected) in [
            ("after_flush", wanted(1, 1, Deed::Die)),
            ("after_flush:7", wanted(7, 1, Deed::Die)),
            ("after_flush:7:stop", wanted(7, 1, Deed::StandStill)),
            ("after_flush:7:stop:3", wanted(7, 3, Deed::StandStill)),
            ("after_flush:0", None),
            ("after_flush:1:die", None),
            ("after_flush:1:stop:1:1", None),
            ("somewhere", None),
        ] {
            assert_eq!(asked(value), expected, "{value}");
        }
    }

    #[test]
    fn when_it_is_due() {
        let asked = asked("after_flush:3:stop:2").unwrap();
        let due: Vec<u64> = (1..20).filter(|visit| asked.is_due(*visit)).collect();
        assert_eq!(due, [3, 6]);
    }
}

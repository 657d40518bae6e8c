//! Crashes on demand, for tests of what a crash leaves: `LOGSCRUB_CRASH_AT=<point>[:<n>[:stop]]` ends the
//! process at once, without unwinding, when the point is reached for the n-th time (the first, where
//! none is given); with `stop` it stands still (SIGSTOP) instead, to come back as a zombie. Points:
//! `before_begin after_append before_commit after_flush after_send_offsets after_commit between_commit_and_purge
//! in_revoke in_relane`. Without the variable nothing is installed.

use crate::stage::crash::{self, CrashPoint};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable's name.
pub const VARIABLE: &str = "LOGSCRUB_CRASH_AT";

/// Installs the crash that the variable's value asks for.
///
/// # Errors
/// A text that says how to write it.
pub fn install(value: &str) -> Result<(), String> {
    let (value, stop) = value.strip_suffix(":stop").map_or((value, false), |value| (value, true));
    let (word, count) = value.split_once(':').unwrap_or((value, "1"));
    let (Some(at), Ok(count @ 1..)) = (CrashPoint::from_word(word), count.parse::<u64>()) else {
        let words = CrashPoint::ALL.map(CrashPoint::word).join(", ");
        return Err(format!("{VARIABLE}: write <point> or <point>:<n>, where the point is one of {words}"));
    };
    let left = AtomicU64::new(count);
    crash::install(Box::new(move |point| {
        if point != at || left.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        if !stop || signal_hook::low_level::raise(signal_hook::consts::SIGSTOP).is_err() {
            std::process::abort();
        }
    }));
    Ok(())
}

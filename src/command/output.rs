//! What a verb prints on stdout.

use super::failure::Failure;
use std::io::{self, ErrorKind, Write as _};

/// Prints a verb's result.
pub(super) fn print(text: impl AsRef<[u8]>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    judge(stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()))
}

/// Whoever read our output may have had enough, as in `logscrub counts | head`: that is nobody's failure, and the
/// exit code is the one that the result has.
pub(super) fn judge(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::io("stdout", &error)),
        _ => Ok(()),
    }
}

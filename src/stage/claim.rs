//! Who runs a pipeline under an instance's name: whoever claimed it last.
//!
//! A log that fences a worker does not say why. Another process may have its slot; or a transaction of its own
//! took too long, or a request of its own was answered so late that it was sent again. So each process, before
//! its workers join, writes a word of its own for each part that it runs into the progress topic, and whoever is
//! fenced reads what stands there: its own word sends it back to work, another's sends it away. All parts are
//! claimed at once, so that of two processes one has everything.

use super::pipeline::Pipeline;
use super::progress;
use super::store::{Store, StoreError};

/// The key under which the compacted topic keeps it, in partition 0.
fn key(pipeline: &Pipeline, part: &str) -> String {
    format!("claim/{}/{}/{part}", pipeline.topics.source, pipeline.instance)
}

/// Claims the parts (`scrub`, `lanes`).
///
/// # Errors
/// See [`StoreError`].
pub fn write<S: Store>(store: &S, pipeline: &Pipeline, parts: &[&str], word: &str) -> Result<(), StoreError> {
    let records: Vec<(String, Vec<u8>)> =
        parts.iter().map(|part| (key(pipeline, part), word.as_bytes().to_vec())).collect();
    progress::write(store, pipeline, &format!("claim.{}", parts.join(".")), &records)
}

/// Whether nobody has claimed a part since the word was written.
///
/// # Errors
/// See [`StoreError`].
pub fn is_ours<S: Store>(store: &S, pipeline: &Pipeline, part: &str, word: &str) -> Result<bool, StoreError> {
    let holder = progress::newest(store, &pipeline.topics.progress, &key(pipeline, part))?;
    Ok(holder.is_none_or(|holder| holder == word.as_bytes()))
}

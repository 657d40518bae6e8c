//! Who has a slot: whoever claimed it last.
//!
//! A log that fences a worker does not say why. Another process may have its slot; or a transaction of its own
//! took too long, or a request of its own was answered so late that it was sent again. So each process writes,
//! when it joins, a word of its own under the slot's name into the progress topic, and whoever is fenced reads
//! what stands there: its own word sends it back to work, another's sends it away.

use super::progress;
use super::store::{Store, StoreError, Writer};
use crate::record::Record;

/// The key under which the compacted topic keeps it, in partition 0.
fn key(slot: &str) -> String {
    format!("slot/{slot}")
}

/// Claims a slot in a transaction of its own.
pub(super) fn write(
    writer: &mut impl Writer,
    progress: &str,
    slot: &str,
    word: &str,
) -> Result<(), StoreError> {
    let key = key(slot);
    let record = Record { key: Some(key.as_bytes()), value: Some(word.as_bytes()), ..Record::default() };
    writer.append(progress, 0, &record)?;
    writer.commit(&[])
}

/// Whether nobody has claimed a slot since the word was written.
///
/// # Errors
/// See [`StoreError`].
pub fn is_ours<S: Store>(store: &S, progress: &str, slot: &str, word: &str) -> Result<bool, StoreError> {
    let holder = progress::newest(store, progress, &key(slot))?;
    Ok(holder.is_none_or(|holder| holder == word.as_bytes()))
}

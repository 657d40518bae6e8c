//! Editions of a pipeline's windows: what a changed policy means for records that are held already.
//!
//! A lane's head is the next one out only among records that were laned under the same windows: under
//! shorter ones a record may be due while the head before it is not. So a change that can let any held
//! record go sooner begins a new edition, and the lane worker takes every record of an earlier edition
//! up anew at once: one copy of each. Every worker learns of it, wherever it was begun: those of other processes read
//! of it in the progress topic. A change that only lengthens windows begins none, since records
//! come out of their lanes no later than before and go into the next one.
//!
//! The windows in force are kept in the progress topic. A change of rules begins no edition: it holds
//! for a held record from when it is taken up next.

use super::age::clock_id;
use super::pipeline::Pipeline;
use super::progress;
use super::purge;
use super::store::{Store, StoreError};
use crate::policy::{After, Stage, milliseconds};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A pipeline's windows, as the progress topic keeps them under `windows/<source>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Version, 1.
    v: u32,
    edition: u32,
    /// The later stages, in their order.
    stages: Vec<Window>,
    /// What the names of its lanes begin with.
    #[serde(default)]
    held: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    id: String,
    /// From a record's time until it is due: the shortest the window can last, less the margin.
    ms: i64,
    /// Names the rest of what decides when a record is due: its clock, the accounts' windows, and of a
    /// middle stage its condition and its actions, since one that changes nothing is not waited for.
    rest: u32,
}

/// What is new about one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub stage: String,
    /// Milliseconds from a record's time; `None`: there was no such stage.
    pub was_ms: Option<i64>,
    /// `None`: there is no such stage now.
    pub is_ms: Option<i64>,
    pub effect: Effect,
}

/// What a change does to the records that are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// They go on sooner; those older than the window at once.
    Sooner,
    Later,
    /// Another clock, condition, action or account's window: each goes on by its own.
    Otherwise,
}

impl Effect {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Effect::Sooner => "held records go on sooner, those older than the window at once",
            Effect::Later => "held records go on later",
            Effect::Otherwise => "held records are looked at anew",
        }
    }
}

/// Compares the windows with those of the last start, tells what changed and how many records are
/// held, and then lets the new ones be in force. Call it before the workers join.
///
/// # Errors
/// See [`StoreError`].
pub fn agree<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    tell: &mut dyn FnMut(&[Change], u64),
) -> Result<(), StoreError> {
    if pipeline.lanes.is_none() {
        return Ok(());
    }
    let known = read(store, pipeline)?;
    let edition = known.as_ref().map_or(0, |known| known.edition);
    let mut windows = Stored { edition, ..stored(pipeline) };
    let changes = known.as_ref().map_or_else(Vec::new, |known| compare(&known.stages, &windows.stages));
    if !changes.is_empty() {
        tell(&changes, held(store, pipeline)?);
    }
    let soon = |change: &Change| match change.effect {
        Effect::Sooner | Effect::Otherwise => true,
        Effect::Later => false,
    };
    if changes.iter().any(soon) {
        windows.edition += 1;
    }
    if known.as_ref() != Some(&windows) {
        write(store, pipeline, &windows, None)?;
    }
    pipeline.raise_edition(windows.edition);
    Ok(())
}

fn stored(pipeline: &Pipeline) -> Stored {
    let held = Some(pipeline.topics.held.to_string());
    Stored { v: 1, edition: 0, stages: stages(pipeline), held }
}

/// What the names of the pipeline's lanes began with at its last start; `None`: it never started.
///
/// # Errors
/// See [`StoreError`].
pub fn held_before<S: Store>(store: &S, pipeline: &Pipeline) -> Result<Option<Arc<str>>, StoreError> {
    Ok(read(store, pipeline)?.and_then(|stored| stored.held).map(Arc::from))
}

fn stages(pipeline: &Pipeline) -> Vec<Window> {
    let last = pipeline.schedule.last();
    let window = |(place, stage): (usize, &Stage)| {
        let window_ms = stage.after.default_period().map_or(0, milliseconds);
        let clock = stage.clock.as_ref().unwrap_or(&pipeline.policy.clock);
        let mut rest = format!("{clock:?}");
        if place != last {
            rest.push_str(&format!(" {:?} {:?}", stage.when, stage.actions));
        }
        if place == last && !pipeline.policy.events.is_empty() {
            rest.push_str(&format!(" {:?}", pipeline.policy.events));
        }
        if let After::PerAccount { by, accounts, .. } = &stage.after {
            rest.push_str(&format!(" {by} {accounts:?}"));
        }
        let ms = window_ms.saturating_sub(pipeline.schedule.margin_ms());
        Window { id: stage.id.clone(), ms, rest: clock_id(&rest) }
    };
    pipeline.policy.stages.iter().enumerate().skip(1).map(window).collect()
}

fn compare(old: &[Window], new: &[Window]) -> Vec<Change> {
    let mut changes = Vec::new();
    let change = |stage: &str, was: Option<&Window>, is: Option<&Window>, effect| Change {
        stage: stage.to_owned(),
        was_ms: was.map(|window| window.ms),
        is_ms: is.map(|window| window.ms),
        effect,
    };
    for (place, is) in new.iter().enumerate() {
        // What the last stage is called changes nothing.
        let same = |was: &&Window| was.id == is.id;
        let was = if place + 1 == new.len() { old.last() } else { old.iter().rev().skip(1).find(same) };
        let effect = match was {
            None => Effect::Sooner,
            Some(was) if is.ms < was.ms => Effect::Sooner,
            Some(was) if is.rest != was.rest => Effect::Otherwise,
            Some(was) if is.ms > was.ms => Effect::Later,
            Some(_) => continue,
        };
        changes.push(change(&is.id, was, Some(is), effect));
    }
    let middle = new.split_last().map_or(new, |(_, middle)| middle);
    for was in old.split_last().map_or(old, |(_, middle)| middle) {
        if !middle.iter().any(|is| is.id == was.id) {
            changes.push(change(&was.id, Some(was), None, Effect::Later));
        }
    }
    changes
}

/// How many records stand in the lanes (on Kafka, transaction markers among them).
fn held<S: Store>(store: &S, pipeline: &Pipeline) -> Result<u64, StoreError> {
    let mut held = 0;
    for topic in purge::held_topics(store, pipeline)? {
        for state in store.purge_states(&pipeline.lanes_reader(), &topic)? {
            let from = state.committed.unwrap_or(0).max(state.bounds.log_start);
            held += state.bounds.end.saturating_sub(from).max(0).unsigned_abs();
        }
    }
    Ok(held)
}

/// The key in the progress topic under which the windows in force stand.
pub(super) fn key(pipeline: &Pipeline) -> String {
    format!("windows/{}", pipeline.topics.source)
}

/// The number of the edition that a value under [`key`] is of. `None` where its windows are not the pipeline's, as in
/// a process that has not read a changed policy yet: what it laned under its own would pass for laned under these.
pub(super) fn begun(pipeline: &Pipeline, json: &[u8]) -> Option<u32> {
    same_windows(json, &stages(pipeline))
}

fn same_windows(json: &[u8], own: &[Window]) -> Option<u32> {
    let windows = serde_json::from_slice::<Stored>(json).ok()?;
    (windows.v == 1 && windows.stages == own).then_some(windows.edition)
}

fn read<S: Store>(store: &S, pipeline: &Pipeline) -> Result<Option<Stored>, StoreError> {
    let topic = &pipeline.topics.progress;
    let newest = progress::newest(store, topic, &key(pipeline))?;
    match newest.map(|json| serde_json::from_slice::<Stored>(&json)).transpose() {
        Ok(Some(windows)) if windows.v != 1 => Err(StoreError::Refused(format!(
            "topic `{topic}` has windows of version {}, this logscrub reads version 1; use the logscrub that wrote it",
            windows.v
        ))),
        Ok(windows) => Ok(windows),
        Err(_) => Err(StoreError::Corrupt(format!(
            "the windows in topic `{topic}` do not read; move the topic away"
        ))),
    }
}

/// Begins an edition under the same windows, since something else lets held records go sooner. `name` and `value`
/// are written with it.
///
/// # Errors
/// See [`StoreError`].
pub fn begin<S: Store>(store: &S, pipeline: &Pipeline, name: &str, value: &[u8]) -> Result<(), StoreError> {
    let known = read(store, pipeline)?.map_or(0, |known| known.edition).max(pipeline.edition());
    let windows = Stored { edition: known + 1, ..stored(pipeline) };
    write(store, pipeline, &windows, Some((name, value)))?;
    pipeline.raise_edition(windows.edition);
    Ok(())
}

fn write<S: Store>(
    store: &S,
    pipeline: &Pipeline,
    windows: &Stored,
    more: Option<(&str, &[u8])>,
) -> Result<(), StoreError> {
    let value = serde_json::to_vec(windows)
        .map_err(|_| StoreError::Bug("a pipeline's windows cannot be written".into()))?;
    let mut records = vec![(key(pipeline), value)];
    records.extend(more.map(|(name, value)| (name.to_owned(), value.to_vec())));
    progress::write(store, pipeline, "windows", &records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(id: &str, ms: i64, rest: u32) -> Window {
        Window { id: id.into(), ms, rest }
    }

    #[test]
    fn what_each_change_does() {
        let old = [window("codes", 30, 1), window("end", 90, 2)];
        let effects = |new: &[Window]| -> Vec<(String, Effect)> {
            compare(&old, new).into_iter().map(|change| (change.stage, change.effect)).collect()
        };
        assert_eq!(effects(&old), []);
        let cases = [
            (vec![window("codes", 30, 1), window("end", 60, 2)], vec![("end", Effect::Sooner)]),
            (
                vec![window("codes", 40, 1), window("end", 99, 2)],
                vec![("codes", Effect::Later), ("end", Effect::Later)],
            ),
            (vec![window("codes", 30, 7), window("end", 90, 2)], vec![("codes", Effect::Otherwise)]),
            (vec![window("codes", 30, 1), window("other name", 90, 2)], vec![]),
            (vec![window("end", 90, 2)], vec![("codes", Effect::Later)]),
            (
                vec![window("early", 9, 3), window("codes", 30, 1), window("end", 90, 2)],
                vec![("early", Effect::Sooner)],
            ),
            (vec![window("codes", 30, 2)], vec![("codes", Effect::Sooner), ("codes", Effect::Later)]),
        ];
        for (new, expected) in cases {
            let expected: Vec<_> = expected.into_iter().map(|(id, effect)| (id.to_owned(), effect)).collect();
            assert_eq!(effects(&new), expected, "{new:?}");
        }
    }

    #[test]
    fn the_stored_form_is_pinned() {
        let windows =
            Stored { v: 1, edition: 2, stages: vec![window("end", 90, 7)], held: Some("logs.held".into()) };
        let json = serde_json::to_string(&windows).unwrap();
        let first = r#"{"v":1,"edition":2,"stages":[{"id":"end","ms":90,"rest":7}]"#;
        assert_eq!(json, format!(r#"{first},"held":"logs.held"}}"#));
        assert_eq!(serde_json::from_str::<Stored>(&json).unwrap(), windows);
        let earlier = serde_json::from_str::<Stored>(&format!("{first}}}")).unwrap();
        assert_eq!(earlier, Stored { held: None, ..windows });
        assert_eq!(same_windows(json.as_bytes(), &[window("end", 90, 7)]), Some(2));
        for other in [window("end", 60, 7), window("end", 90, 8)] {
            assert_eq!(
                same_windows(json.as_bytes(), &[other]),
                None,
                "another policy's edition is none of ours"
            );
        }
    }
}

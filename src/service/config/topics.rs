//! `topics.*`: a pipeline's names, of which no two are the same.

use super::PipelineConfig;
use super::values::Values;
use crate::diagnostic::TableReader;
use crate::stage::topics::Topics;
use std::sync::Arc;

/// Takes the names that are given. Those of one pipeline must differ: what it wrote into its source it would
/// read again, and two outputs in one topic are neither.
pub(super) fn read(table: &TableReader<'_, '_, '_>, values: &Values<'_, '_>, topics: &mut Topics) {
    let Topics { source: _, scrubbed, held, deidentified, counts, quarantine, progress } = topics;
    let names = [
        ("scrubbed", scrubbed),
        ("held", held),
        ("deidentified", deidentified),
        ("counts", counts),
        ("quarantine", quarantine),
        ("progress", progress),
    ];
    for (key, name) in names {
        if let Some(given) = values.string(table, key) {
            *name = values.topic(table, key, given).into();
        }
    }
    refuse_one_topic_twice(table, values, topics);
}

/// The pipeline that writes a topic, and nobody else: what it emits, holds, counts and remembers.
#[must_use]
pub fn owner<'c>(pipelines: &'c [PipelineConfig], topic: &str) -> Option<&'c PipelineConfig> {
    pipelines.iter().find(|pipeline| {
        let names = &pipeline.settings.topics;
        let held = || topic.strip_prefix(names.held.as_ref()).is_some_and(|rest| rest.starts_with('.'));
        let written =
            |(key, name): &(&str, &Arc<str>)| !matches!(*key, "source" | "held") && name.as_ref() == topic;
        by_key(names).iter().any(written) || held()
    })
}

fn refuse_one_topic_twice(table: &TableReader<'_, '_, '_>, values: &Values<'_, '_>, topics: &Topics) {
    let names = by_key(topics);
    for (at, (key, name)) in names.iter().enumerate() {
        let earlier = names.iter().take(at).find(|(_, earlier)| earlier == name);
        let (message, other) = match earlier {
            Some((other, _)) => (format!("`{key}` and `{other}` are one topic, `{name}`"), *other),
            None if topics.lane_delay(name).is_some() => {
                (format!("`{key}` is the name of a lane, `{name}`"), "held")
            }
            None => continue,
        };
        // What follows from the source's name differs: one of the two was given.
        let given = if values.has(table, key) { key } else { other };
        values.wrong(table, given, &message, "give each topic of a pipeline a name of its own");
    }
}

fn by_key(topics: &Topics) -> [(&'static str, &Arc<str>); 7] {
    let Topics { source, scrubbed, held, deidentified, counts, quarantine, progress } = topics;
    [
        ("source", source),
        ("scrubbed", scrubbed),
        ("held", held),
        ("deidentified", deidentified),
        ("counts", counts),
        ("quarantine", quarantine),
        ("progress", progress),
    ]
}

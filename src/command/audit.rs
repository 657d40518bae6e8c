//! `logscrub audit --k N`: whether anybody stands out among what was released.

use super::exit;
use super::failure::Failure;
use super::output::print;
use super::run::pipelines_of;
use super::store::{self, Opened, StoreArgs, failure};
use crate::engine::Scratch;
use crate::stage::DayKey;
use crate::stage::Pipeline;
use crate::stage::cell::{Anonymity, day_of};
use crate::stage::store::{Flow, Store, StoreError};
use clap::Args as ClapArgs;
use serde_json::json;
use std::collections::HashMap;

/// Measures what was released: how many records of a day show the same place, route, status, user agent and account
///
/// Exit code 1 if a group has fewer than `--k`. What was released before its day was counted (overdue when it was
/// read) is in the coarsest form, and can be in a small group.
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// The fewest records that may show the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    k: u64,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

/// What one topic holds.
struct Measured {
    topic: String,
    records: u64,
    groups: usize,
    smallest: u64,
    /// Records in groups of fewer than `k`.
    too_few: u64,
    /// Records that the engine cannot read: skeletons of what was withheld are among the others.
    unreadable: u64,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.audit().unwrap_or_else(|failure| failure.report())
    }

    fn audit(&self) -> Result<u8, Failure> {
        let config = self.store.read(None)?;
        let pipelines = pipelines_of(&config)?;
        let store = store::open_to_read(&config.store)?;
        let mut all = Vec::new();
        for pipeline in pipelines.iter().filter(|pipeline| pipeline.lanes.is_some()) {
            let measured = match &store {
                Opened::Embedded(store) => self.measure(store, pipeline),
                Opened::Kafka(store) => self.measure(store, pipeline),
            };
            all.push(measured.map_err(|error| failure(&error))?);
        }
        let shown = if self.json { as_json(&all) } else { as_text(&all, self.k) };
        print(shown)?;
        Ok(if all.iter().any(|measured| measured.too_few > 0) { exit::NO } else { 0 })
    }

    fn measure<S: Store>(&self, store: &S, pipeline: &Pipeline) -> Result<Measured, StoreError> {
        let topic = &pipeline.topics.deidentified;
        if !store.topics()?.iter().any(|known| known.name == *topic) {
            return Err(StoreError::Refused(format!(
                "topic `{topic}` does not exist: nothing was released yet; `logscrub run` makes it"
            )));
        }
        let last = pipeline.schedule.last();
        let clock = pipeline.policy.stages.get(last).and_then(|stage| stage.clock.as_ref());
        let clock = clock.unwrap_or(&pipeline.policy.clock);
        let measuring = Anonymity::measuring(&pipeline.policy, self.k, pipeline.engine.rules());
        let key = DayKey::passing()?;
        let (mut scratch, mut unreadable) = (Scratch::default(), 0);
        let mut groups: HashMap<(i64, u64), u64> = HashMap::new();
        let starts: Vec<(i32, i64)> =
            store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
        store.scan_each(topic, &starts, &mut |fetched| {
            // Our own header is the same on all.
            let record = crate::record::Record { headers: &[], ..fetched.record };
            let at_ms = pipeline.engine.event_time(&mut scratch, clock, &record).ms.unwrap_or(0);
            match measuring.cell(&pipeline.engine, &mut scratch, &record, day_of(at_ms), &key) {
                Some(cell) => {
                    let [finest, ..] = cell.names;
                    *groups.entry((cell.day, finest)).or_default() += 1;
                }
                None => unreadable += 1,
            }
            Flow::Next
        })?;
        let few = groups.values().filter(|count| **count < self.k);
        Ok(Measured {
            topic: topic.to_string(),
            records: groups.values().sum::<u64>() + unreadable,
            groups: groups.len(),
            smallest: groups.values().copied().min().unwrap_or(0),
            too_few: few.sum(),
            unreadable,
        })
    }
}

fn as_text(all: &[Measured], k: u64) -> String {
    let mut text = String::new();
    for Measured { topic, records, groups, smallest, too_few, unreadable } in all {
        let are = if *too_few == 1 { "record" } else { "records" };
        text += &format!("{topic}: {records} records in {groups} groups; the smallest has {smallest}; ");
        text += &format!("{too_few} {are} in groups of fewer than {k}");
        if *unreadable > 0 {
            text += &format!("; {unreadable} cannot be read");
        }
        text.push('\n');
    }
    text
}

fn as_json(all: &[Measured]) -> String {
    let one = |measured: &Measured| {
        json!({
            "topic": measured.topic,
            "records": measured.records,
            "groups": measured.groups,
            "smallest": measured.smallest,
            "too_few": measured.too_few,
            "unreadable": measured.unreadable,
        })
    };
    serde_json::Value::from(all.iter().map(one).collect::<Vec<_>>()).to_string() + "\n"
}

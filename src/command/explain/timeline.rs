//! A record's life under a policy: what remains of it at each age, and in which topic.

use super::report::Copy;
use crate::command::ladder::{headers_of, owned};
use crate::command::load::Loaded;
use crate::engine::{Applied, Scratch, TimeSource};
use crate::policy::{After, Clock, Period, Position, Stage};
use crate::record::{Record, RecordBuf};
use serde::Serialize;

/// What changes at one age. A topic that is not named holds what it held before.
#[derive(Serialize)]
pub struct Moment {
    /// `0d`, `90d`; absent where the operator has to set the window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<String>,
    /// The stage's id.
    pub stage: String,
    /// When that is, by the record's own clock; absent where nothing tells its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    pub changes: Vec<Change>,
}

#[derive(Serialize)]
pub struct Change {
    /// `scrubbed`, `held`, or `deidentified`.
    pub topic: &'static str,
    /// What stands there from then on; `null`: nothing of it.
    pub copy: Option<Copy>,
    /// What there is to say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Change {
    fn of(topic: &'static str, copy: Option<Copy>) -> Self {
        Change { topic, copy, note: None }
    }
}

/// The moments of a record's life, in their order.
pub fn timeline(loaded: &Loaded, scratch: &mut Scratch, record: &Record<'_>) -> Vec<Moment> {
    let policy = &loaded.policy;
    let mut moments = Vec::new();
    let mut held = owned(record);
    for (place, stage) in policy.stages.iter().enumerate() {
        let headers = headers_of(&held);
        let before = Record {
            key: held.key.as_deref(),
            value: held.value.as_deref(),
            headers: &headers,
            timestamp_ms: record.timestamp_ms,
        };
        let mut out = RecordBuf::default();
        let position = policy.position(place);
        let is_for = position != Position::Middle
            || stage
                .when
                .as_ref()
                .is_none_or(|when| when.holds(|field| loaded.engine.extract(scratch, &before, field)));
        let applied = match is_for {
            true => loaded.engine.apply(scratch, policy, place, &before, &mut out),
            false => Applied::Unchanged,
        };
        let changes = match position {
            Position::First if policy.stages.len() == 1 => vec![Change::of("scrubbed", Some(Copy::of(&out)))],
            Position::First => {
                let original = Change::of("held", Some(Copy::of(&held)));
                vec![Change::of("scrubbed", Some(Copy::of(&out))), original]
            }
            Position::Middle => {
                let copy = if applied == Applied::Unchanged { &held } else { &out };
                let note = match (is_for, applied) {
                    (false, _) => Some("the stage is not for this record (`when`)"),
                    (true, Applied::Unchanged) => {
                        Some("nothing changes: the record does not wait for this stage")
                    }
                    (true, Applied::Changed | Applied::Withheld(_)) => None,
                };
                vec![Change { note: note.map(str::to_owned), ..Change::of("held", Some(Copy::of(copy))) }]
            }
            Position::Last => {
                let note = policy.anonymity.as_ref().map(|asked| in_company(asked.k));
                let released = Change { note, ..Change::of("deidentified", Some(Copy::of(&out))) };
                vec![released, Change::of("held", None), Change::of("scrubbed", None)]
            }
        };
        let age = window(loaded, scratch, stage, record);
        let at = age.and_then(|age| at(loaded, scratch, stage, record, age));
        moments.push(Moment { age: age.map(|age| age.to_string()), stage: stage.id.clone(), at, changes });
        if position == Position::Middle && applied != Applied::Unchanged {
            held = out;
        }
    }
    moments
}

fn in_company(k: u64) -> String {
    format!(
        "with hour, city and user agent where {k} records of its day show the same; only counted where fewer show even this"
    )
}

/// How long the stage waits for this record, whose account may have a window of its own.
fn window(loaded: &Loaded, scratch: &mut Scratch, stage: &Stage, record: &Record<'_>) -> Option<Period> {
    if let After::PerAccount { by, accounts, .. } = &stage.after {
        let account = loaded.engine.extract(scratch, record, by);
        let own = account
            .and_then(|account| std::str::from_utf8(account).ok())
            .and_then(|name| accounts.0.get(name));
        return own.copied().or(stage.after.default_period());
    }
    stage.after.default_period()
}

/// When a stage is due by the record's clock, as text. A margin is not taken off: it depends on the pipeline.
fn at(
    loaded: &Loaded,
    scratch: &mut Scratch,
    stage: &Stage,
    record: &Record<'_>,
    age: Period,
) -> Option<String> {
    let clock: &Clock = stage.clock.as_ref().unwrap_or(&loaded.policy.clock);
    let event = loaded.engine.event_time(scratch, clock, record);
    let from = event.ms.filter(|_| event.source != TimeSource::FallBack || record.timestamp_ms.is_some())?;
    let due = jiff::Timestamp::from_millisecond(age.due(from)).ok()?;
    Some(due.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

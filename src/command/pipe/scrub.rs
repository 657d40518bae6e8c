//! What `pipe` does with one line.

use super::names::{Names, Stage};
use super::pump::Work;
use crate::command::records::{Framing, Renamed, Shape};
use crate::engine::{Applied, Engine, Scratch, WithheldReason};
use crate::policy::Policy;
use crate::record::{Record, RecordBuf};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::ops::Add;
use std::sync::Arc;

/// What a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The line is a record's value.
    Lines,
    /// The line is a record in the JSON of [`crate::command::records`].
    Records,
}

/// One worker: everything it needs for a line, kept from line to line.
pub struct Scrubber {
    engine: Arc<Engine>,
    policy: Arc<Policy>,
    stage: usize,
    form: Form,
    scratch: Scratch,
    framing: Framing,
    names: Names,
    scrubbed: RecordBuf,
    totals: Totals,
}

impl Scrubber {
    pub fn new(engine: Arc<Engine>, policy: Arc<Policy>, stage: usize, form: Form) -> Self {
        Scrubber {
            engine,
            policy,
            stage,
            form,
            scratch: Scratch::default(),
            framing: Framing::default(),
            names: Names::default(),
            scrubbed: RecordBuf::default(),
            totals: Totals::default(),
        }
    }

    /// What this worker did so far.
    pub fn totals(&mut self) -> &Totals {
        let findings = &mut self.totals.findings;
        for (class, _, _, count) in self.scratch.counts().iter() {
            *findings.entry(class.word()).or_default() += count;
        }
        self.scratch.counts().clear();
        &self.totals
    }

    fn plain(&mut self, line: &[u8], out: &mut Vec<u8>) -> Outcome {
        let record = Record { value: Some(line), ..Record::default() };
        let applied =
            self.engine.apply(&mut self.scratch, &self.policy, self.stage, &record, &mut self.scrubbed);
        match applied {
            Applied::Unchanged => out.extend_from_slice(line),
            Applied::Changed | Applied::Withheld(_) => {
                let value = self.scrubbed.value.as_deref().unwrap_or_default();
                // No action writes a line break. Should one ever, the count of lines still holds.
                if memchr::memchr(b'\n', value).is_some() {
                    return withhold(WithheldReason::Panic, line.len() as u64, out);
                }
                out.extend_from_slice(value);
            }
        }
        Outcome::of(applied)
    }

    fn record(&mut self, line: &[u8], out: &mut Vec<u8>) -> Outcome {
        let shape = self.framing.parse(line);
        if shape == Shape::Unreadable {
            return self.withheld_record(WithheldReason::Binary, line.len() as u64, out);
        }
        let headers = self.framing.scrub_headers(line);
        let record = self.framing.record(line, &headers);
        let applied =
            self.engine.apply(&mut self.scratch, &self.policy, self.stage, &record, &mut self.scrubbed);
        let stage = Stage { engine: &self.engine, policy: &self.policy, place: self.stage };
        // Nothing is written of what was withheld, its names neither.
        let renamed = match applied {
            Applied::Withheld(_) => Renamed::new(),
            Applied::Unchanged | Applied::Changed => self.names.scrub(&stage, &mut self.scratch, &headers),
        };
        self.framing.write(line, &self.scrubbed, &renamed, out);
        self.totals.malformed += u64::from(shape == Shape::Text);
        match Outcome::of(applied) {
            Outcome::Unchanged if !renamed.is_empty() => Outcome::Changed,
            outcome => outcome,
        }
    }

    fn withheld_record(&mut self, reason: WithheldReason, bytes: u64, out: &mut Vec<u8>) -> Outcome {
        out.extend_from_slice(b"{\"value\":\"");
        let outcome = withhold(reason, bytes, out);
        out.extend_from_slice(b"\"}");
        outcome
    }

    fn count(&mut self, outcome: Outcome, bytes_in: u64, bytes_out: usize) {
        let totals = &mut self.totals;
        totals.bytes_in += bytes_in;
        totals.bytes_out += bytes_out as u64;
        match outcome {
            Outcome::Unchanged => totals.unchanged += 1,
            Outcome::Changed => totals.changed += 1,
            Outcome::Withheld(reason) => {
                for (known, count) in &mut totals.withheld {
                    *count += u64::from(*known == reason);
                }
            }
        }
    }
}

impl Work for Scrubber {
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        let outcome = match self.form {
            Form::Lines => self.plain(line, out),
            Form::Records => self.record(line, out),
        };
        self.count(outcome, line.len() as u64, out.len() - start);
    }

    fn too_long(&mut self, line_bytes: u64, out: &mut Vec<u8>) {
        let start = out.len();
        let outcome = match self.form {
            Form::Lines => withhold(WithheldReason::TooLarge, line_bytes, out),
            Form::Records => self.withheld_record(WithheldReason::TooLarge, line_bytes, out),
        };
        self.count(outcome, line_bytes, out.len() - start);
    }
}

fn withhold(reason: WithheldReason, bytes: u64, out: &mut Vec<u8>) -> Outcome {
    let _ = write!(out, "[WITHHELD:reason={},bytes={bytes}]", reason.word());
    Outcome::Withheld(reason)
}

/// How one line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Unchanged,
    Changed,
    Withheld(WithheldReason),
}

impl Outcome {
    fn of(applied: Applied) -> Self {
        match applied {
            Applied::Unchanged => Outcome::Unchanged,
            Applied::Changed => Outcome::Changed,
            Applied::Withheld(reason) => Outcome::Withheld(reason),
        }
    }
}

const REASONS: [WithheldReason; 5] = [
    WithheldReason::TooLarge,
    WithheldReason::TooDeep,
    WithheldReason::TimeOut,
    WithheldReason::Panic,
    WithheldReason::Binary,
];

/// What `--stats` prints.
#[derive(Clone, Debug)]
pub struct Totals {
    bytes_in: u64,
    bytes_out: u64,
    unchanged: u64,
    changed: u64,
    withheld: [(WithheldReason, u64); REASONS.len()],
    /// Of all of these: lines that were no record line under `--records`.
    malformed: u64,
    /// Findings that were acted on, by the word of their class.
    findings: BTreeMap<&'static str, u64>,
}

impl Default for Totals {
    fn default() -> Self {
        let withheld = REASONS.map(|reason| (reason, 0));
        Totals {
            bytes_in: 0,
            bytes_out: 0,
            unchanged: 0,
            changed: 0,
            withheld,
            malformed: 0,
            findings: BTreeMap::new(),
        }
    }
}

impl Add<&Totals> for Totals {
    type Output = Totals;

    fn add(mut self, other: &Totals) -> Totals {
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.unchanged += other.unchanged;
        self.changed += other.changed;
        self.malformed += other.malformed;
        for ((_, sum), (_, more)) in self.withheld.iter_mut().zip(&other.withheld) {
            *sum += more;
        }
        for (class, more) in &other.findings {
            *self.findings.entry(class).or_default() += more;
        }
        self
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let withheld: u64 = self.withheld.iter().map(|(_, count)| count).sum();
        writeln!(f, "records    {}", self.unchanged + self.changed + withheld)?;
        writeln!(f, "unchanged  {}", self.unchanged)?;
        writeln!(f, "changed    {}", self.changed)?;
        writeln!(f, "withheld   {withheld}")?;
        for (reason, count) in self.withheld.iter().filter(|(_, count)| *count > 0) {
            writeln!(f, "  {:<9}{count}", reason.word())?;
        }
        if self.malformed > 0 {
            writeln!(f, "malformed  {}", self.malformed)?;
        }
        writeln!(f, "bytes in   {}", self.bytes_in)?;
        writeln!(f, "bytes out  {}", self.bytes_out)?;
        for (class, count) in &self.findings {
            writeln!(f, "acted on   {class} {count}")?;
        }
        Ok(())
    }
}

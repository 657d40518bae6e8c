//! `logscrub explain`: what is found in one record, by which rule, what looked so and was refused, and what
//! each stage makes of it.
//!
//! It shows the operator what the operator typed: on stdout and nowhere else.

mod report;
mod timeline;

use super::exit;
use super::failure::Failure;
use super::ladder::climb;
use super::load::{EngineArgs, Loaded};
use super::output::print;
use super::records::{Framing, Shape};
use crate::engine::{Explained, Scratch};
use crate::record::Record;
use clap::Args as ClapArgs;
use report::{FindingReport, RefusedReport, Report, StageReport};
use std::io::{self, Read};
use timeline::timeline;

/// Shows what is found in one record from stdin, what is not and why, and what each stage makes of it
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    engine: EngineArgs,
    /// The record is a line of JSON: {"value": …, "key": …, "headers": [[name, value], …]}
    #[arg(long)]
    records: bool,
    /// The policy's timeline alone: what remains of the record at each age, and in which topic
    #[arg(long)]
    timeline: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.explain().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn explain(self) -> Result<(), Failure> {
        let loaded = self.engine.load()?;
        let mut input = Vec::new();
        io::stdin().read_to_end(&mut input).map_err(|error| Failure::io("stdin", &error))?;
        let line = without_ending(&input);
        let report = if self.records {
            let mut framing = Framing::default();
            if framing.parse(line) == Shape::Unreadable {
                return Err(Failure::new(exit::NO, "the base64 in this record line cannot be read"));
            }
            let headers = framing.scrub_headers(line);
            explain(&loaded, &framing.record(line, &headers))
        } else {
            explain(&loaded, &Record { value: Some(line), ..Record::default() })
        };
        let text = match (self.json, self.timeline) {
            (true, false) => report.json(),
            (true, true) => report.timeline_json(),
            (false, false) => report.to_string(),
            (false, true) => report.timeline_text(),
        };
        print(text)
    }
}

fn without_ending(input: &[u8]) -> &[u8] {
    let line = input.strip_suffix(b"\n").unwrap_or(input);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn explain(loaded: &Loaded, record: &Record<'_>) -> Report {
    let Loaded { engine, policy, .. } = loaded;
    let mut scratch = Scratch::default();
    let (told, withheld) = match engine.explain(&mut scratch, record) {
        Ok(told) => (told, None),
        Err(reason) => (Explained { findings: Vec::new(), refused: Vec::new() }, Some(reason.word())),
    };
    let findings = told.findings.iter();
    let findings = findings
        .map(|(part, finding, inside)| FindingReport::of(loaded, record, *part, finding, inside.as_deref()));
    let refused =
        told.refused.iter().map(|(part, refused)| RefusedReport::of(loaded, record, *part, refused));
    let rungs = climb(loaded, &mut scratch, record);
    let timeline = timeline(loaded, &mut scratch, record);
    let stages = policy.stages.iter().zip(&rungs);
    let stages = stages.map(|(stage, (applied, out))| StageReport::new(stage, *applied, out));
    Report {
        policy: policy.id.clone(),
        withheld,
        findings: findings.collect(),
        refused: refused.collect(),
        stages: stages.collect(),
        timeline,
    }
}

//! `logscrub diff`: what two sets of rules make of a sample, value by value, before one of them is deployed.
//!
//! A sample is somebody's logs, and what is printed may be kept by whoever ran it (a build's log): values are shown by
//! their shape, unless they are asked for.

mod compare;
mod report;

use super::exit;
use super::failure::Failure;
use super::load::{EngineArgs, Loaded, stage_of};
use super::not_text;
use super::output::print;
use super::records::{Framing, Shape};
use crate::engine::{Applied, Edit, Part, Scratch, WithheldReason};
use crate::record::{Record, RecordBuf};
use clap::Args as ClapArgs;
use compare::compare;
use report::{Place, Report, Side, Sides};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Compares two rule sets on a sample from stdin: what is newly redacted, no longer redacted, replaced otherwise.
/// Exits with 1 if anything is no longer redacted
#[derive(ClapArgs, Debug)]
#[command(mut_arg("rules", |arg| arg.hide(true)))]
pub struct Args {
    /// The rules to compare with: a folder of your own rules, as for `pipe --rules`, or `shipped` for none
    #[arg(value_name = "A")]
    a: PathBuf,
    /// The rules to be judged: the same
    #[arg(value_name = "B")]
    b: PathBuf,
    #[command(flatten)]
    engine: EngineArgs,
    /// The policy's stage to compare at [default: scrub]
    #[arg(long, value_name = "ID")]
    stage: Option<String>,
    /// A line is a Kafka record in JSON: {"value": …, "key": …, "headers": [[name, value], …]}
    #[arg(long)]
    records: bool,
    /// The sample, instead of stdin
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// Examples of each difference
    #[arg(long, value_name = "N", default_value_t = 3)]
    show: usize,
    /// Show the values themselves: without it letters are shown as `x`, digits as `9`
    #[arg(long)]
    values: bool,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// The word for a rule set of the shipped rules alone.
const SHIPPED: &str = "shipped";

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.diff().unwrap_or_else(|failure| failure.report())
    }

    fn diff(self) -> Result<u8, Failure> {
        if self.engine.rules.is_some() {
            let help = "`logscrub diff shipped my-rules < sample.log`";
            return Err(Failure::usage("the rules to compare are named as A and B").help(help));
        }
        let mut loaded = [&self.a, &self.b].map(|rules| self.load(rules));
        let [a, b] = &mut loaded;
        let (a, b) = match (a, b) {
            (Ok(a), Ok(b)) => (&*a, &*b),
            _ => return Err(both(loaded)),
        };
        let stage = stage_of(&a.policy, self.stage.as_deref())?;
        let mut report = Report::new(self.show, self.values);
        let mut pair = Pair::new(a, b, stage);
        self.each_record(&mut |record| pair.look(record, &mut report))?;
        let text = if self.json { report.json() } else { report.to_string() };
        print(text)?;
        Ok(if report.loses() { exit::NO } else { 0 })
    }

    fn load(&self, rules: &Path) -> Result<Loaded, Failure> {
        let rules = (rules != Path::new(SHIPPED)).then(|| rules.to_owned());
        EngineArgs { rules, ..self.engine.clone() }.load()
    }

    /// Calls `look` with each record of the sample.
    fn each_record(&self, look: &mut dyn FnMut(&Record<'_>)) -> Result<(), Failure> {
        let (name, input): (String, Box<dyn Read>) = match &self.sample {
            None => ("stdin".to_owned(), Box::new(io::stdin().lock())),
            Some(path) => {
                let name = path.display().to_string();
                let file = File::open(path).map_err(|error| Failure::io(&name, &error))?;
                (name, Box::new(file))
            }
        };
        let mut input = BufReader::new(not_text::refuse(input, "diff A B")?);
        let (mut line, mut number) = (Vec::new(), 0_u64);
        let mut framing = Framing::default();
        loop {
            line.clear();
            number += 1;
            let read = input.read_until(b'\n', &mut line).map_err(|error| Failure::io(&name, &error))?;
            if read == 0 {
                return Ok(());
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !self.records {
                look(&Record { value: Some(line), ..Record::default() });
                continue;
            }
            if framing.parse(line) == Shape::Unreadable {
                let what = format!("{name}, line {number}: the base64 in this record cannot be read");
                return Err(Failure::new(exit::IO, what).help("leave the line out of the sample"));
            }
            let headers = framing.scrub_headers(line);
            look(&framing.record(line, &headers));
        }
    }
}

/// What is wrong with either set, said once.
fn both(loaded: [Result<Loaded, Failure>; 2]) -> Failure {
    let failures = loaded.into_iter().filter_map(Result::err);
    failures.reduce(Failure::and).unwrap_or_else(|| unreachable!("one of them failed"))
}

/// Both rule sets at work.
struct Pair<'l> {
    sets: [Set<'l>; 2],
    stage: usize,
}

struct Set<'l> {
    loaded: &'l Loaded,
    scratch: Scratch,
    out: RecordBuf,
}

impl<'l> Pair<'l> {
    fn new(a: &'l Loaded, b: &'l Loaded, stage: usize) -> Self {
        let set = |loaded| Set { loaded, scratch: Scratch::default(), out: RecordBuf::default() };
        Pair { sets: [set(a), set(b)], stage }
    }

    fn look(&mut self, record: &Record<'_>, report: &mut Report) {
        report.record();
        let stage = self.stage;
        let [a, b] = self.sets.each_mut();
        // Most records come out the same; only the others are asked for what was replaced.
        let (was, is) = (a.apply(stage, record), b.apply(stage, record));
        if was == is && a.out == b.out {
            return;
        }
        let (was, is) = (a.edits(stage, record), b.edits(stage, record));
        let sides = Sides { a: a.loaded.engine.rules(), b: b.loaded.engine.rules() };
        match (was, is) {
            (Ok(was), Ok(is)) => {
                for (part, bytes) in parts_of(record) {
                    let of = |edits: &[(Part, Edit)]| -> Vec<Edit> {
                        edits.iter().filter(|(own, _)| *own == part).map(|(_, edit)| edit.clone()).collect()
                    };
                    compare(bytes, &of(&was), &of(&is), &mut |one| {
                        report.take(&sides, &Place { record, part, span: one.span }, &one);
                    });
                }
            }
            (was, is) => {
                report.withheld([was, is].map(|side| side.err().map_or(Side::Passes, Side::Withheld)))
            }
        }
    }
}

impl Set<'_> {
    fn apply(&mut self, stage: usize, record: &Record<'_>) -> Applied {
        let Loaded { engine, policy, .. } = self.loaded;
        engine.apply(&mut self.scratch, policy, stage, record, &mut self.out)
    }

    fn edits(&mut self, stage: usize, record: &Record<'_>) -> Result<Vec<(Part, Edit)>, WithheldReason> {
        let Loaded { engine, policy, .. } = self.loaded;
        engine.edits(&mut self.scratch, policy, stage, record)
    }
}

fn parts_of<'r>(record: &Record<'r>) -> impl Iterator<Item = (Part, &'r [u8])> {
    let headers = record.headers.iter().enumerate().map(|(place, (_, value))| (Part::Header(place), *value));
    let parts =
        [(Part::Value, record.value), (Part::Key, record.key)].into_iter().chain(headers.collect::<Vec<_>>());
    parts.filter_map(|(part, bytes)| Some((part, bytes?)))
}

//! `gen --score`: each made-up record is scrubbed and its truth looked for in what comes out.

use super::broken;
use crate::command::failure::Failure;
use crate::command::load::{EngineArgs, stage_of};
use crate::command::output::print;
use crate::engine::Scratch;
use crate::policy::Position;
use crate::record::{Record, RecordBuf};
use crate::sample::score::{Misses, Output, Score};
use crate::sample::truth::Truth;
use crate::sample::{Plan, Sample, Sampler};
use std::str::FromStr;

/// What to print of what went wrong.
#[derive(Clone, Debug)]
pub struct Show {
    left: u64,
    /// Empty: any class that must go; `stay`: what was lost.
    class: String,
}

impl FromStr for Show {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, class) = text.split_once(':').unwrap_or((text, ""));
        let left = count.parse().map_err(|_| "write a number, or `20:phone`".to_owned())?;
        Ok(Show { left, class: class.to_owned() })
    }
}

impl Show {
    fn misses(&mut self, truth: &Truth, misses: &Misses, input: &[u8], output: &[u8]) -> Result<(), Failure> {
        let lines: Vec<String> = if self.class == "stay" {
            let lost = misses.lost.iter().filter_map(|at| truth.must_stay.get(*at));
            lost.map(|stay| format!("lost {} `{}`", stay.kind, stay.value)).collect()
        } else {
            let wanted = |class: &str| self.class.is_empty() || self.class == class;
            let survived = misses.survived.iter().filter_map(|at| truth.must_go.get(*at));
            let survived = survived.filter(|go| wanted(go.class));
            survived.map(|go| format!("survived {} {} `{}`", go.class, go.form, go.value)).collect()
        };
        if lines.is_empty() || self.left == 0 {
            return Ok(());
        }
        self.left = self.left.saturating_sub(lines.len() as u64);
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        let (input, output) = (String::from_utf8_lossy(input), String::from_utf8_lossy(output));
        let Truth { id, format, template, .. } = truth;
        print(format!("{id} {format} {template}\n{lines}  in   {input}\n  out  {output}\n"))
    }
}

/// How to score.
pub struct Ask<'a> {
    pub lines: u64,
    pub stage: Option<&'a str>,
    pub show: Option<Show>,
}

/// Prints the tables.
pub fn run(plan: Plan, engine: &EngineArgs, ask: &Ask<'_>) -> Result<(), Failure> {
    let loaded = engine.load()?;
    let stage = stage_of(&loaded.policy, ask.stage)?;
    let last = loaded.policy.position(stage) == Position::Last;
    let mut sampler = Sampler::new(plan).map_err(|error| broken(&error))?;
    let (mut sample, mut scratch, mut out) = (Sample::default(), Scratch::default(), RecordBuf::default());
    let mut score = Score::default();
    let mut show = ask.show.clone();
    for number in 0..ask.lines {
        sampler.make(number, &mut sample).map_err(|error| broken(&error))?;
        sample.count();
        if last {
            sample.truth.at_the_last_stage();
        }
        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_bytes(), Some(value.as_bytes()))).collect();
        let record = Record {
            key: sample.key.as_deref().map(str::as_bytes),
            value: Some(&sample.value),
            headers: &headers,
            timestamp_ms: Some(sample.timestamp_ms),
        };
        loaded.engine.apply(&mut scratch, &loaded.policy, stage, &record, &mut out);
        let headers: Vec<Vec<u8>> = out.headers.iter().filter_map(|(_, value)| value.clone()).collect();
        let value = out.value.as_deref().unwrap_or_default();
        let output = Output { value, key: out.key.as_deref(), headers: &headers };
        let misses = score.add(&sample.truth, &sample.value, &output);
        if let Some(show) = &mut show {
            show.misses(&sample.truth, &misses, &sample.value, value)?;
        }
    }
    print(score.report())
}

//! `logscrub gen`: made-up messaging logs, with their truth.

mod score;
mod sink;

use super::exit;
use super::failure::Failure;
use super::load::EngineArgs;
use super::store::{Opened, StoreArgs};
use crate::sample::pack::PackName;
use crate::sample::time::{default_interval, now_ms, parse_point};
use crate::sample::{Plan, Sample, SampleError, Sampler};
use crate::stage::store::Store;
use sink::{Form, Out, Sink, Topic};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Writes made-up messaging logs, with their truth
///
/// The same seed gives the same bytes. Without --from and --to the records fall on 2 March 2026, so
/// that a seed means the same on any day; with --topic on the day that ends now; with --rate each
/// happens when it is written.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many records
    #[arg(long, value_name = "N", default_value_t = 1000)]
    lines: u64,
    /// Which ones
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Records a second; as fast as possible without it
    #[arg(long, value_name = "R", value_parser = rate)]
    rate: Option<f64>,
    /// First event time: RFC 3339, `now`, or a distance from now like -200d, -40s (s m h d w)
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    from: Option<String>,
    /// End of the event times; they are spread over the interval in random order
    #[arg(long, value_name = "T", allow_hyphen_values = true)]
    to: Option<String>,
    /// What is in each record, one JSON object a line: what must go, what must stay
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// What kind of logs
    #[arg(long, value_enum, default_value = "ordinary")]
    pack: PackName,
    /// A Kafka record a line, in JSON, instead of a log line
    #[arg(long)]
    records: bool,
    /// Partitions that the records are spread over
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    partitions: u32,
    /// Into a topic instead of standard output; made where it is missing
    #[arg(long, value_name = "TOPIC", conflicts_with = "records")]
    topic: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// Print no records: scrub each here and now, and say how much of the truth was found
    #[arg(long, conflicts_with_all = ["topic", "records", "truth", "rate"])]
    score: bool,
    /// With --score: print that many values that survived, of one class if named; `N:stay` what was lost
    #[arg(long, value_name = "N[:CLASS]", requires = "score")]
    show: Option<score::Show>,
    /// With --score: the policy's stage to apply [default: scrub]
    #[arg(long, value_name = "ID", requires = "score")]
    stage: Option<String>,
    #[command(flatten, next_help_heading = "With --score")]
    engine: EngineArgs,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("a rate is a number above 0".to_owned()),
    }
}

fn broken(error: &SampleError) -> Failure {
    Failure::new(exit::OUR_BUG, error.to_string())
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.generate().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn interval(&self) -> Result<(i64, i64), Failure> {
        let now = now_ms();
        let day = 86_400_000;
        let point = |text: &str| parse_point(text, now).map_err(Failure::usage);
        let (from, to) = match (&self.from, &self.to) {
            (None, None) if self.topic.is_some() => (now - day, now),
            (None, None) => default_interval(),
            (Some(from), None) => (point(from)?, now),
            (None, Some(to)) => (point(to)?.saturating_sub(day), point(to)?),
            (Some(from), Some(to)) => (point(from)?, point(to)?),
        };
        if from > to {
            return Err(Failure::usage("--from lies after --to\nhelp: swap them"));
        }
        Ok((from, to))
    }

    fn generate(self) -> Result<(), Failure> {
        let (from_ms, to_ms) = self.interval()?;
        let plan = Plan {
            pack: self.pack,
            seed: self.seed,
            from_ms,
            to_ms,
            partitions: self.partitions,
            single_line: !self.records && self.topic.is_none() && !self.score,
        };
        if self.score {
            let ask = score::Ask { lines: self.lines, stage: self.stage.as_deref(), show: self.show };
            return score::run(plan, &self.engine, &ask);
        }
        let truth = self.truth.as_deref().map(Out::file).transpose()?;
        match &self.topic {
            None => {
                let form = if self.records { Form::Records } else { Form::Lines };
                self.write(plan, &mut Out::stdout(form), truth)
            }
            Some(name) => {
                super::put::check_topic(name)?;
                match self.store.visit_to_write(name)? {
                    Opened::Embedded(store) => self.write_topic(&store, name, plan, truth),
                    Opened::Kafka(store) => self.write_topic(&store, name, plan, truth),
                }
            }
        }
    }

    fn write_topic(
        &self,
        store: &impl Store,
        name: &str,
        mut plan: Plan,
        truth: Option<Out>,
    ) -> Result<(), Failure> {
        let mut topic = Topic::make(store, name, self.partitions)?;
        plan.partitions = topic.partitions;
        self.write(plan, &mut topic, truth)
    }

    /// A reader that closes the pipe early is nobody's failure.
    fn write(&self, plan: Plan, sink: &mut impl Sink, mut truth: Option<Out>) -> Result<(), Failure> {
        let mut sampler = Sampler::new(plan).map_err(|error| broken(&error))?;
        let mut sample = Sample::default();
        let happens_now = self.rate.is_some() && self.from.is_none() && self.to.is_none();
        let start = Instant::now();
        for number in 0..self.lines {
            if let Some(rate) = self.rate {
                #[allow(clippy::cast_precision_loss)] // exact far beyond any count that a rate reaches
                let due = start + Duration::from_secs_f64(number as f64 / rate);
                let wait = due.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    if !sink.flush()? {
                        return Ok(());
                    }
                    std::thread::sleep(wait);
                }
            }
            let made = if happens_now {
                sampler.make_at(number, now_ms(), &mut sample)
            } else {
                sampler.make(number, &mut sample)
            };
            made.map_err(|error| broken(&error))?;
            if !sink.put(&sample)? {
                return Ok(());
            }
            if let Some(truth) = &mut truth {
                sample.count();
                truth.truth(&sample.truth)?;
            }
        }
        sink.flush()?;
        truth.map_or(Ok(()), |mut truth| truth.flush().map(|_| ()))
    }
}

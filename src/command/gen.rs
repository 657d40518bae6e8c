//! `logscrub gen`: made-up messaging logs, with their truth.

use super::exit;
use crate::sample::pack::PackName;
use crate::sample::time::{default_interval, now_ms, parse_point};
use crate::sample::{Plan, Sample, SampleError, Sampler, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Writes made-up messaging logs: the same seed, the same bytes.
///
/// Without --from and --to the records fall on 2 March 2026, so that a seed means the same on any day;
/// with --rate alone each record happens when it is written.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// How many records.
    #[arg(long, default_value_t = 1000)]
    lines: u64,
    /// Which ones.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Records a second; as fast as possible without it.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// First event time: RFC 3339, `now`, or a distance from now like -200d, -40s (s m h d w).
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// End of the event times; they are spread over the interval in random order.
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// What is in each record, one JSON object a line: what must go, what must stay.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// What kind of logs.
    #[arg(long, value_enum, default_value = "ordinary")]
    pack: PackName,
    /// A Kafka record a line, in JSON, instead of a log line.
    #[arg(long)]
    records: bool,
    /// Partitions that the records name.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    partitions: u32,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("a rate is a number above 0".to_owned()),
    }
}

/// Why `gen` stopped early.
#[derive(Debug, thiserror::Error)]
enum GenError {
    #[error("{0}")]
    Usage(String),
    #[error("cannot write {what}: {source}")]
    Write { what: String, source: io::Error },
    #[error("{0}")]
    Sample(#[from] SampleError),
}

impl Args {
    /// The exit code. A reader that closes the pipe early is no error.
    #[must_use]
    pub fn run(self) -> u8 {
        match self.write_all() {
            Ok(()) => 0,
            Err(GenError::Write { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => 0,
            Err(error) => {
                eprintln!("error: {error}");
                match error {
                    GenError::Usage(_) => exit::USAGE,
                    GenError::Write { .. } => exit::IO,
                    GenError::Sample(_) => exit::OUR_BUG,
                }
            }
        }
    }

    fn interval(&self) -> Result<(i64, i64), GenError> {
        let now = now_ms();
        let point = |text: &str| parse_point(text, now).map_err(GenError::Usage);
        let (from, to) = match (&self.from, &self.to) {
            (None, None) => default_interval(),
            (Some(from), None) => (point(from)?, now),
            (None, Some(to)) => (point(to)? - 86_400_000, point(to)?),
            (Some(from), Some(to)) => (point(from)?, point(to)?),
        };
        if from > to {
            return Err(GenError::Usage("--from lies after --to: swap them".to_owned()));
        }
        Ok((from, to))
    }

    fn write_all(&self) -> Result<(), GenError> {
        let (from_ms, to_ms) = self.interval()?;
        let plan = Plan {
            pack: self.pack,
            seed: self.seed,
            from_ms,
            to_ms,
            partitions: self.partitions,
            single_line: !self.records,
        };
        let mut sampler = Sampler::new(plan)?;
        let mut truth = self.truth.as_deref().map(Out::file).transpose()?;
        let mut out = Out {
            what: "standard output".to_owned(),
            to: BufWriter::with_capacity(1 << 18, io::stdout().lock()),
        };
        let happens_now = self.rate.is_some() && self.from.is_none() && self.to.is_none();
        let start = Instant::now();
        let (mut sample, mut line) = (Sample::default(), Vec::new());
        for number in 0..self.lines {
            if let Some(rate) = self.rate {
                #[allow(clippy::cast_precision_loss)] // exact far beyond any count that a rate reaches
                let due = start + Duration::from_secs_f64(number as f64 / rate);
                let wait = due.saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    out.flush()?;
                    std::thread::sleep(wait);
                }
            }
            if happens_now {
                sampler.make_at(number, now_ms(), &mut sample)?;
            } else {
                sampler.make(number, &mut sample)?;
            }
            line.clear();
            if self.records {
                record_line(&sample, &mut line);
            } else {
                line.extend_from_slice(&sample.value);
            }
            line.push(b'\n');
            out.write(&line)?;
            if let Some(truth) = &mut truth {
                sample.count();
                line.clear();
                serde_json::to_writer(&mut line, &sample.truth)
                    .map_err(|error| GenError::Write { what: truth.what.clone(), source: error.into() })?;
                line.push(b'\n');
                truth.write(&line)?;
            }
        }
        out.flush()?;
        truth.map_or(Ok(()), |mut truth| truth.flush())
    }
}

/// Somewhere to write, and its name for errors.
struct Out<W: Write> {
    what: String,
    to: BufWriter<W>,
}

impl Out<File> {
    fn file(path: &Path) -> Result<Self, GenError> {
        let what = path.display().to_string();
        match File::create(path) {
            Ok(file) => Ok(Out { what, to: BufWriter::with_capacity(1 << 18, file) }),
            Err(source) => Err(GenError::Write { what, source }),
        }
    }
}

impl<W: Write> Out<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), GenError> {
        self.to.write_all(bytes).map_err(|source| GenError::Write { what: self.what.clone(), source })
    }

    fn flush(&mut self) -> Result<(), GenError> {
        self.to.flush().map_err(|source| GenError::Write { what: self.what.clone(), source })
    }
}

/// The record as `pipe --records` and `put --records` read it.
pub fn record_line(sample: &Sample, out: &mut Vec<u8>) {
    let mut line = String::with_capacity(sample.value.len() + 160);
    let mut member = |name: &str, value: &str| {
        line.push_str(if line.is_empty() { "{\"" } else { ",\"" });
        line.push_str(name);
        line.push_str("\":\"");
        text::json(value, false, &mut line);
        line.push('"');
    };
    member("id", &sample.truth.id);
    member("format", &sample.truth.format);
    match std::str::from_utf8(&sample.value) {
        Ok(value) => member("value", value),
        Err(_) => member("value_b64", &STANDARD.encode(&sample.value)),
    }
    if let Some(key) = &sample.key {
        member("key", key);
    }
    for (i, (name, value)) in sample.headers.iter().enumerate() {
        line.push_str(if i == 0 { ",\"headers\":[[\"" } else { ",[\"" });
        text::json(name, false, &mut line);
        line.push_str("\",\"");
        text::json(value, false, &mut line);
        line.push_str("\"]");
    }
    if !sample.headers.is_empty() {
        line.push(']');
    }
    line.push_str(&format!(",\"partition\":{},\"timestamp\":{}}}", sample.partition, sample.timestamp_ms));
    out.extend_from_slice(line.as_bytes());
}

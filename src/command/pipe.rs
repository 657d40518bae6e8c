//! `logscrub pipe`: stdin to stdout, one line out per line in, in order; no config, no broker.

mod names;
mod pump;
mod scrub;

use super::exit;
use super::failure::Failure;
use super::load::{EngineArgs, stage_of};
use super::not_text;
use clap::Args as ClapArgs;
use pump::{PumpError, pump};
use scrub::{Form, Scrubber, Totals};
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::os::fd::AsFd;

/// Scrubs lines from stdin to stdout
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    engine: EngineArgs,
    /// The policy's stage to apply [default: scrub]
    #[arg(long, value_name = "ID")]
    stage: Option<String>,
    /// A line is a Kafka record in JSON: {"value": …, "key": …, "headers": [[name, value], …]}
    #[arg(long)]
    records: bool,
    /// Counts on stderr at the end
    #[arg(long)]
    stats: bool,
    /// Worker threads, 1 to 256 [default: one per core]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZero<usize>>,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.pipe().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn pipe(self) -> Result<(), Failure> {
        let loaded = self.engine.load()?;
        let stage = stage_of(&loaded.policy, self.stage.as_deref())?;
        let form = if self.records { Form::Records } else { Form::Lines };
        let threads =
            self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let scrubber = || Scrubber::new(loaded.engine.clone(), loaded.policy.clone(), stage, form);
        let workers = std::iter::repeat_with(scrubber).take(threads).collect();

        let (input, mut output) =
            standard_streams().map_err(|error| Failure::io("stdin or stdout", &error))?;
        let input = not_text::refuse(input, "pipe")?;
        match pump(input, &mut output, workers) {
            Ok(mut workers) => {
                if self.stats {
                    let totals =
                        workers.iter_mut().fold(Totals::default(), |sum, worker| sum + worker.totals());
                    eprint!("{totals}");
                }
                Ok(())
            }
            Err(error) => failure_of(&error).map_or(Ok(()), Err),
        }
    }
}

/// More than any machine has use for; each has buffers of its own.
const MOST_THREADS: usize = 256;

/// The value of `--threads`.
fn threads(text: &str) -> Result<NonZero<usize>, String> {
    let number = text.parse().ok().and_then(NonZero::new).filter(|number| number.get() <= MOST_THREADS);
    number.ok_or_else(|| format!("it is a number from 1 to {MOST_THREADS}"))
}

/// Stdin and stdout without the standard library's line buffering.
fn standard_streams() -> io::Result<(File, File)> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    Ok((File::from(input), File::from(output)))
}

/// `None`: whoever read our output has had enough, which is nobody's failure.
fn failure_of(error: &PumpError) -> Option<Failure> {
    match error {
        PumpError::Write(cause) if cause.kind() == io::ErrorKind::BrokenPipe => None,
        PumpError::Read(_) | PumpError::Write(_) | PumpError::Thread(_) => {
            Some(Failure::new(exit::IO, error.to_string()))
        }
        PumpError::WorkerLost => Some(Failure::new(exit::OUR_BUG, error.to_string())),
    }
}

//! Which store a verb works on: `-c FILE` or `--embedded DIR`.

use super::exit;
use super::failure::Failure;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, Source};
use crate::service::clock::SystemClock;
use crate::service::config::{self, Config, StoreConfig, owner};
use crate::service::file;
use crate::stage::clock::Clock;
use crate::stage::store::StoreError;
use crate::store::embedded::{Access, Durability, Embedded, Fault, Options};
use crate::store::kafka::{self, Kafka};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The flags of every verb that needs a store.
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    /// Config file [default: logscrub.toml here]
    #[arg(short = 'c', long = "config", value_name = "FILE", conflicts_with = "embedded")]
    pub config: Option<PathBuf>,
    /// A directory with an embedded store; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub embedded: Option<PathBuf>,
}

impl StoreArgs {
    /// The config that the flags name; with `--embedded`, the one pipeline that needs none.
    pub fn read(&self, policy: Option<&str>) -> Result<Config, Failure> {
        if let Some(dir) = &self.embedded {
            return Ok(config::without_config(dir, policy.unwrap_or("default")));
        }
        let path = self.config_path();
        let name = path.display().to_string();
        let text = file::read(path).map_err(|why| {
            let help = "name a config with -c FILE, or an embedded store with --embedded DIR";
            Failure::invalid(&Diagnostics(vec![Diagnostic::of_file(Severity::Error, &name, why).help(help)]))
        })?;
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        config::read(&Source { name, text }, environment).map_err(|errors| Failure::invalid(&errors))
    }

    pub fn config_path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new("logscrub.toml"))
    }

    /// Opens the store for a visit that writes into a topic: into none of our own, which hold what the pipelines made
    /// and nothing else.
    pub fn visit_to_write(&self, topic: &str) -> Result<Opened, Failure> {
        let config = self.read(None)?;
        if let Some(pipeline) = owner(&config.pipelines, topic) {
            let source = pipeline.settings.topics.source.as_ref();
            let message =
                format!("topic `{topic}` is written by the pipeline of `{source}`, and by nobody else");
            let help = format!("what is to be scrubbed goes into its source: `logscrub put {source}`");
            return Err(Failure::new(exit::REFUSED, message).help(&help));
        }
        open(&config.store, Access::Visitor)
    }
}

/// Either store. A verb does the same with each: it matches and goes on with the `Store` trait.
pub enum Opened {
    Embedded(Embedded),
    Kafka(Kafka),
}

/// Opens the store that a config names for a visit that only reads. A store that is not there yet is not made: its
/// name may be misspelt.
pub fn open_to_read(store: &StoreConfig) -> Result<Opened, Failure> {
    if let StoreConfig::Embedded { path } = store
        && !is_made(path)
    {
        let help = "name the directory that `logscrub put` or `logscrub run` made";
        let message = format!("{}: there is no store here", path.display());
        return Err(Failure::new(exit::BROKER_UNREACHABLE, message).help(help));
    }
    open(store, Access::Visitor)
}

/// Whether somebody has made an embedded store here.
pub fn is_made(dir: &Path) -> bool {
    dir.join("store.db").is_file()
}

/// Opens the store that a config names, and makes it where it is missing.
pub fn open(store: &StoreConfig, access: Access) -> Result<Opened, Failure> {
    match store {
        StoreConfig::Embedded { path } => {
            let options = Options {
                access,
                durability: Durability::Full,
                clock: Arc::new(SystemClock),
                fault: if asks_for("commit_positions_separately") {
                    Fault::CommitPositionsSeparately
                } else {
                    Fault::None
                },
            };
            Embedded::open(path, options).map(Opened::Embedded).map_err(|error| failure(&error))
        }
        StoreConfig::Kafka { settings } => {
            let fault = if asks_for("commit_positions_separately") {
                kafka::Fault::CommitPositionsSeparately
            } else if asks_for("stand_still") {
                kafka::Fault::StandStill
            } else {
                kafka::Fault::None
            };
            let settings = settings.clone();
            let options = kafka::Options { settings, fault, ..kafka::Options::default() };
            Kafka::open(options).map(Opened::Kafka).map_err(|error| failure(&error))
        }
    }
}

/// The machine's clock, for a service.
pub(super) fn wall() -> Box<dyn Clock> {
    if asks_for("clock_jumps") { Box::new(Jumping(SystemClock)) } else { Box::new(SystemClock) }
}

/// Set a hundred days ahead once the process has run for some seconds, as a test asks.
struct Jumping(SystemClock);

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        const AFTER_US: u64 = 8_000_000;
        const BY_MS: i64 = 100 * 86_400_000;
        self.0.now_ms() + if self.0.ticks_us() < AFTER_US { 0 } else { BY_MS }
    }
}

/// Whether a test asks for a fault, in builds for tests only.
fn asks_for(fault: &str) -> bool {
    cfg!(debug_assertions) && std::env::var_os("LOGSCRUB_FAULT").is_some_and(|asked| asked == fault)
}

/// A store's error with its exit code.
pub fn failure(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::Unreachable(_) | StoreError::Busy(_) => exit::BROKER_UNREACHABLE,
        StoreError::Fenced(_) | StoreError::Taken(_) | StoreError::Refused(_) | StoreError::TooLarge(_) => {
            exit::REFUSED
        }
        StoreError::Void(_) | StoreError::Rejoin(_) | StoreError::Io(_) | StoreError::Corrupt(_) => exit::IO,
        StoreError::Bug(_) => exit::OUR_BUG,
    };
    Failure::new(code, error.to_string())
}

//! `logscrub cat TOPIC`: a topic's records to stdout.

use super::exit;
use super::failure::Failure;
use super::output::judge;
use super::records::{self, Position};
use super::store::{self, Opened, StoreArgs, failure};
use crate::diagnostic::did_you_mean;
use crate::service::config::{Config, owner};
use crate::stage::store::{Fetched, Flow, Store, StoreError};
use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// Prints a topic's records
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    topic: String,
    /// Go on with what comes
    #[arg(long)]
    follow: bool,
    /// A Kafka record in JSON a line, with partition, offset and timestamp; else the value alone
    #[arg(long)]
    records: bool,
}

/// Why printing ended.
enum End {
    Store(StoreError),
    Output(std::io::Error),
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.cat().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn cat(self) -> Result<(), Failure> {
        let config = self.store.read(None)?;
        let store = store::open_to_read(&config.store)?;
        let printed = match &store {
            Opened::Embedded(store) => self.print(store),
            Opened::Kafka(store) => self.print(store),
        };
        match printed {
            Ok(()) => Ok(()),
            Err(End::Output(error)) => judge(Err(error)),
            Err(End::Store(StoreError::Refused(_))) if self.is_missing(&store) => Err(self.no_topic(&config)),
            Err(End::Store(error)) => Err(failure(&error)),
        }
    }

    fn is_missing(&self, store: &Opened) -> bool {
        let known = match store {
            Opened::Embedded(store) => store.topics(),
            Opened::Kafka(store) => store.topics(),
        };
        known.is_ok_and(|known| known.iter().all(|topic| *topic.name != *self.topic))
    }

    fn no_topic(&self, config: &Config) -> Failure {
        let topic = self.topic.as_str();
        let help = match owner(&config.pipelines, topic) {
            Some(_) => "`logscrub run` makes it when it has something to write".to_owned(),
            None => {
                let sources =
                    config.pipelines.iter().map(|pipeline| pipeline.settings.topics.source.as_ref());
                let near = did_you_mean(topic, sources).map(|near| format!("did you mean `{near}`? "));
                format!("{}`logscrub put {topic}` makes it", near.unwrap_or_default())
            }
        };
        Failure::new(exit::REFUSED, format!("topic `{topic}` does not exist")).help(&help)
    }

    #[allow(clippy::disallowed_methods, reason = "the edge waits")]
    fn print(&self, store: &impl Store) -> Result<(), End> {
        let mut output = std::io::BufWriter::new(std::io::stdout().lock());
        let mut next: BTreeMap<i32, i64> = BTreeMap::new();
        loop {
            let mut printed = false;
            for bounds in store.bounds(&self.topic).map_err(End::Store)? {
                let from = next.get(&bounds.partition).copied().unwrap_or(0).max(bounds.log_start);
                let mut failed = None;
                let mut line = Vec::new();
                let reached = store.scan(&self.topic, bounds.partition, from, &mut |fetched| {
                    line.clear();
                    self.line(fetched, &mut line);
                    printed = true;
                    match output.write_all(&line) {
                        Ok(()) => Flow::Next,
                        Err(error) => {
                            failed = Some(error);
                            Flow::Stop
                        }
                    }
                });
                if let Some(error) = failed {
                    return Err(End::Output(error));
                }
                next.insert(bounds.partition, reached.map_err(End::Store)?);
            }
            output.flush().map_err(End::Output)?;
            if !self.follow {
                return Ok(());
            }
            if !printed {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }

    fn line(&self, fetched: &Fetched<'_>, line: &mut Vec<u8>) {
        if self.records {
            let position =
                Position { partition: Some(fetched.place.partition), offset: Some(fetched.offset) };
            records::write_record(&fetched.record, position, line);
        } else {
            line.extend_from_slice(fetched.record.value.unwrap_or_default());
        }
        line.push(b'\n');
    }
}

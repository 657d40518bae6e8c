//! `logscrub put TOPIC`: lines from stdin into a topic.

use super::exit;
use super::failure::Failure;
use super::records::{Framing, Shape};
use super::store::{Opened, StoreArgs, failure};
use crate::record::Record;
use crate::stage::store::{Session as _, SessionSpec, Store, StoreError, TopicSpec, Writer};
use clap::Args as ClapArgs;
use std::io::BufRead;

/// Writes lines from stdin into a topic
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// Made where it is missing
    topic: String,
    /// A line is a Kafka record in JSON; `partition` and `timestamp` say where and when
    #[arg(long)]
    records: bool,
    /// How many partitions a new topic gets [default: 1]; lines without one go round them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=10_000))]
    partitions: Option<i32>,
}

/// A transaction ends after so many lines, or so many bytes.
const BATCH_LINES: usize = 10_000;
const BATCH_BYTES: usize = 32 << 20;

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.put().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn put(self) -> Result<(), Failure> {
        check_topic(&self.topic)?;
        match self.store.visit_to_write(&self.topic)? {
            Opened::Embedded(store) => self.put_into(&store),
            Opened::Kafka(store) => self.put_into(&store),
        }
    }

    fn put_into(&self, store: &impl Store) -> Result<(), Failure> {
        let partitions = make_topic(store, &self.topic, self.partitions).map_err(|error| failure(&error))?;
        let spec =
            SessionSpec { reader: "logscrub.put".into(), slot: passing_slot("put"), topics: Vec::new() };
        let mut session = store.join(&spec).map_err(|error| failure(&error))?;
        let (_, writer) = session.halves();
        self.copy(writer, partitions)
    }

    fn copy(&self, writer: &mut impl Writer, partitions: i32) -> Result<(), Failure> {
        let mut input = std::io::stdin().lock();
        let mut framing = Framing::default();
        let mut line = Vec::new();
        let (mut number, mut lines, mut bytes, mut committed) = (0u64, 0, 0, 0u64);
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line).map_err(|error| Failure::io("stdin", &error))?;
            if read == 0 {
                break;
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            let turn = i32::try_from(number % u64::from(partitions.unsigned_abs().max(1))).unwrap_or(0);
            number += 1;
            self.one(writer, &mut framing, &line, number, (turn, partitions))
                .map_err(|failure| failure.help(&self.how_to_go_on(committed)))?;
            lines += 1;
            bytes += line.len();
            if lines >= BATCH_LINES || bytes >= BATCH_BYTES {
                writer.commit(&[]).map_err(|error| failure(&error))?;
                (lines, bytes, committed) = (0, 0, number);
            }
        }
        if lines > 0 {
            writer.commit(&[]).map_err(|error| failure(&error))?;
        }
        Ok(())
    }

    /// Says what a part of the lines that was committed means for whoever starts again.
    fn how_to_go_on(&self, committed: u64) -> String {
        match committed {
            0 => "nothing was written; mend the line and start again".to_owned(),
            last => {
                let (topic, next) = (&self.topic, last + 1);
                format!("lines 1 to {last} are in `{topic}`; go on with line {next}")
            }
        }
    }

    fn one(
        &self,
        writer: &mut impl Writer,
        framing: &mut Framing,
        line: &[u8],
        number: u64,
        (turn, partitions): (i32, i32),
    ) -> Result<(), Failure> {
        let now = Some(crate::stage::clock::Clock::now_ms(&crate::service::clock::SystemClock));
        if !self.records {
            let record = Record { value: Some(line), timestamp_ms: now, ..Record::default() };
            return writer.append(&self.topic, turn, &record).map_err(|error| failure(&error));
        }
        match framing.parse(line) {
            Shape::Record => {}
            Shape::Text | Shape::Unreadable => {
                return Err(Failure::new(exit::IO, format!("line {number} is no record: {FORM}")));
            }
        }
        let partition = framing.partition().unwrap_or(turn);
        if !(0..partitions).contains(&partition) {
            let topic = &self.topic;
            return Err(Failure::new(
                exit::IO,
                format!(
                    "line {number} is for partition {partition}, and `{topic}` has {partitions} of them, from 0"
                ),
            ));
        }
        let headers = framing.own_headers(line);
        let record = framing.record(line, &headers);
        let record = Record { timestamp_ms: record.timestamp_ms.or(now), ..record };
        writer.append(&self.topic, partition, &record).map_err(|error| failure(&error))
    }
}

/// A slot for once: a process of the same number on another machine is not to be fenced.
pub fn passing_slot(verb: &str) -> String {
    format!("{verb}.{}.{:08x}", std::process::id(), rand::random::<u32>())
}

/// Whether a topic may have that name, on either store.
pub fn check_topic(name: &str) -> Result<(), Failure> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > 249 || !name.bytes().all(legal) {
        return Err(Failure::usage("a topic's name is 1 to 249 of A-Z, a-z, 0-9, `.`, `_` and `-`"));
    }
    Ok(())
}

/// Makes the topic where it is missing, and says how many partitions it has.
pub fn make_topic(store: &impl Store, name: &str, partitions: Option<i32>) -> Result<i32, StoreError> {
    let found = store.topics()?.into_iter().find(|topic| *topic.name == *name);
    let partitions = partitions.or(found.map(|topic| topic.partitions)).unwrap_or(1);
    store.ensure(&TopicSpec { name: name.into(), partitions, compacted: false })?;
    let found = store.topics()?.into_iter().find(|topic| *topic.name == *name);
    Ok(found.map_or(partitions, |topic| topic.partitions))
}

const FORM: &str =
    r#"write {"value": "…", "key": "…", "headers": [["name", "value"]], "partition": 0, "timestamp": ms}"#;

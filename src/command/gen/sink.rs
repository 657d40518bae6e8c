//! Where made-up records go: lines, records in JSON, a topic.

use crate::command::failure::Failure;
use crate::command::{put, store};
use crate::record::Record;
use crate::sample::truth::Truth;
use crate::sample::{Sample, text};
use crate::stage::store::{Session as _, SessionSpec, Store, Writer as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Takes records. `false`: whoever read them has had enough.
pub trait Sink {
    fn put(&mut self, sample: &Sample) -> Result<bool, Failure>;
    fn flush(&mut self) -> Result<bool, Failure>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The value alone.
    Lines,
    /// As `pipe --records` and `put --records` read it.
    Records,
}

/// A file, or standard output.
pub struct Out {
    name: String,
    form: Form,
    to: BufWriter<Box<dyn Write>>,
    line: Vec<u8>,
}

const BUFFER: usize = 1 << 18;

impl Out {
    pub fn stdout(form: Form) -> Self {
        let to: Box<dyn Write> = Box::new(io::stdout().lock());
        Out {
            name: "standard output".to_owned(),
            form,
            to: BufWriter::with_capacity(BUFFER, to),
            line: Vec::new(),
        }
    }

    pub fn file(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file = File::create(path).map_err(|error| Failure::io(&name, &error))?;
        let to: Box<dyn Write> = Box::new(file);
        Ok(Out { name, form: Form::Lines, to: BufWriter::with_capacity(BUFFER, to), line: Vec::new() })
    }

    pub fn truth(&mut self, truth: &Truth) -> Result<(), Failure> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, truth)
            .map_err(|error| Failure::io(&self.name, &error.into()))?;
        self.write_line().map(|_| ())
    }

    fn write_line(&mut self) -> Result<bool, Failure> {
        self.line.push(b'\n');
        let written = self.to.write_all(&self.line);
        self.judge(written)
    }

    fn judge(&self, written: io::Result<()>) -> Result<bool, Failure> {
        match written {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Failure::io(&self.name, &error)),
        }
    }
}

impl Sink for Out {
    fn put(&mut self, sample: &Sample) -> Result<bool, Failure> {
        self.line.clear();
        match self.form {
            Form::Lines => self.line.extend_from_slice(&sample.value),
            Form::Records => record_line(sample, &mut self.line),
        }
        self.write_line()
    }

    fn flush(&mut self) -> Result<bool, Failure> {
        let flushed = self.to.flush();
        self.judge(flushed)
    }
}

/// A topic of a store; committed in batches.
pub struct Topic<S: Store> {
    name: String,
    session: S::Session,
    waiting: usize,
    /// As the topic has them, which may be more than was asked for.
    pub partitions: u32,
}

/// Records a transaction.
const BATCH: usize = 5000;

impl<S: Store> Topic<S> {
    /// Opens the topic, and makes it where it is missing.
    pub fn make(on: &S, name: &str, partitions: u32) -> Result<Self, Failure> {
        let failed = |error| store::failure(&error);
        let wanted = i32::try_from(partitions).unwrap_or(i32::MAX);
        let partitions = put::make_topic(on, name, Some(wanted)).map_err(failed)?.unsigned_abs();
        let slot = put::passing_slot("gen");
        let spec = SessionSpec { reader: "logscrub.gen".into(), slot, topics: Vec::new() };
        let session = on.join(&spec).map_err(failed)?;
        Ok(Topic { name: name.to_owned(), session, waiting: 0, partitions })
    }
}

impl<S: Store> Sink for Topic<S> {
    fn put(&mut self, sample: &Sample) -> Result<bool, Failure> {
        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_bytes(), Some(value.as_bytes()))).collect();
        let record = Record {
            key: sample.key.as_deref().map(str::as_bytes),
            value: Some(&sample.value),
            headers: &headers,
            timestamp_ms: Some(sample.timestamp_ms),
        };
        let partition = i32::try_from(sample.partition).unwrap_or(0);
        let (_, writer) = self.session.halves();
        writer.append(&self.name, partition, &record).map_err(|error| store::failure(&error))?;
        self.waiting += 1;
        if self.waiting >= BATCH { self.flush() } else { Ok(true) }
    }

    fn flush(&mut self) -> Result<bool, Failure> {
        if self.waiting > 0 {
            self.waiting = 0;
            let (_, writer) = self.session.halves();
            writer.commit(&[]).map_err(|error| store::failure(&error))?;
        }
        Ok(true)
    }
}

fn record_line(sample: &Sample, out: &mut Vec<u8>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_line_is_json_with_everything_of_the_record() {
        let mut sample = Sample {
            value: b"say \"hi\"\n\x01".to_vec(),
            key: Some("k\\1".to_owned()),
            headers: vec![("a".into(), "1".into()), ("b".into(), "2".into())],
            partition: 3,
            timestamp_ms: 1_772_443_800_250,
            ..Sample::default()
        };
        sample.truth.id = "o0000001".to_owned();
        let parsed = |sample: &Sample| {
            let mut line = Vec::new();
            record_line(sample, &mut line);
            serde_json::from_slice::<serde_json::Value>(&line).unwrap_or_else(|error| panic!("{error}"))
        };
        let record = parsed(&sample);
        assert_eq!(record["value"], "say \"hi\"\n\u{1}");
        assert_eq!((&record["key"], &record["partition"]), (&"k\\1".into(), &3.into()));
        assert_eq!(record["headers"], serde_json::json!([["a", "1"], ["b", "2"]]));
        assert_eq!(record["timestamp"], 1_772_443_800_250_i64);
        sample.value = b"\xff\xfe".to_vec();
        assert_eq!(parsed(&sample)["value_b64"], "//4=");
    }
}

//! The engine on one core, in bytes a second: `cargo bench --bench engine`.
//!
//! Beside it a plain copy of the same bytes, and what a scrubber written the usual way does: parse
//! with `serde_json`, a chain of regexes over every string, write again. Ratios in one run say more
//! than the figures themselves, which follow the machine.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use logscrub::engine::{Engine, Scratch};
use logscrub::policy;
use logscrub::record::{Record, RecordBuf};
use logscrub::rule;
use logscrub::sample::pack::PackName;
use logscrub::sample::{Plan, Sample, Sampler};
use std::hint::black_box;
use std::sync::Arc;

/// So many that what a thread remembers of a record is gone when it comes again.
const RECORDS: u64 = 100_000;

fn records(pack: PackName) -> Vec<Vec<u8>> {
    let plan = Plan {
        pack,
        seed: 1,
        from_ms: 1_767_225_600_000,
        to_ms: 1_775_001_600_000,
        partitions: 4,
        single_line: false,
    };
    let mut sampler = Sampler::new(plan).expect("a pack");
    let mut sample = Sample::default();
    let make = |number| {
        sampler.make(number, &mut sample).expect("a record");
        sample.value.clone()
    };
    (0..RECORDS).map(make).collect()
}

fn engine(criterion: &mut Criterion) {
    let places = logscrub::geo::Databases::embedded();
    let engine = Engine::new(Arc::new(rule::shipped().expect("shipped rules").rules), Some(Arc::new(places)));
    let policy = policy::shipped("default", &[]).expect("a shipped policy").expect("is right").policy;
    let last = policy.stages.len() - 1;
    for (name, pack) in [("ordinary", PackName::Ordinary), ("dense", PackName::Dense)] {
        let records = records(pack);
        let bytes: usize = records.iter().map(Vec::len).sum();
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
        let mut scratch = Scratch::default();
        let mut out = RecordBuf::default();
        for (what, stage) in [("scrub", 0), ("deidentify", last)] {
            group.bench_function(what, |bencher| {
                bencher.iter(|| {
                    for value in &records {
                        let record = Record { value: Some(value), ..Record::default() };
                        black_box(engine.apply(&mut scratch, &policy, stage, &record, &mut out));
                    }
                });
            });
        }
        group.bench_function("copy", |bencher| {
            let mut to = Vec::new();
            bencher.iter(|| {
                for value in &records {
                    to.clear();
                    to.extend_from_slice(value);
                    black_box(&to);
                }
            });
        });
        let chain = naive::Chain::new();
        group.bench_function("regex_chain", |bencher| {
            bencher.iter_batched(
                || (),
                |()| records.iter().map(|value| chain.scrub(value).len()).sum::<usize>(),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
}

/// A scrubber as they are usually written.
mod naive {
    use regex::Regex;
    use serde_json::Value;

    pub struct Chain(Vec<Regex>);

    impl Chain {
        pub fn new() -> Self {
            let patterns = [
                r"\+?[0-9][0-9 ().-]{7,}[0-9]",
                r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",
                r"\b[0-9]{1,3}(\.[0-9]{1,3}){3}\b",
                r"(?i)\b([0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}\b",
                r"(?i)bearer [A-Za-z0-9._-]+",
                r"\bsk_(live|test)_[A-Za-z0-9]+",
                r"(?i)\b(code|otp|pin)\b[^0-9]{0,12}[0-9]{4,8}",
                r#"(?i)(password|secret|token)["']?[=:]\s*["']?[^\s"',]+"#,
                r"\b[0-9]{13,19}\b",
                r"(?i)(text|body|message)=[^&\s]+",
            ];
            Chain(patterns.iter().map(|pattern| Regex::new(pattern).expect("a pattern")).collect())
        }

        pub fn scrub(&self, value: &[u8]) -> Vec<u8> {
            match serde_json::from_slice::<Value>(value) {
                Ok(mut tree) => {
                    self.walk(&mut tree);
                    serde_json::to_vec(&tree).expect("a tree can be written")
                }
                Err(_) => self.text(&String::from_utf8_lossy(value)).into_bytes(),
            }
        }

        fn walk(&self, value: &mut Value) {
            match value {
                Value::String(text) => *text = self.text(text),
                Value::Array(items) => items.iter_mut().for_each(|item| self.walk(item)),
                Value::Object(members) => members.values_mut().for_each(|member| self.walk(member)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }

        fn text(&self, text: &str) -> String {
            self.0
                .iter()
                .fold(text.to_owned(), |text, pattern| pattern.replace_all(&text, "[X]").into_owned())
        }
    }
}

criterion_group!(benches, engine);
criterion_main!(benches);

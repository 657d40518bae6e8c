//! The engine on one core: `cargo bench --bench engine`, some ten minutes.
//!
//! Beside it, in the same rounds, a plain copy of the same bytes and what a scrubber written the usual way does
//! ([`naive`]). Figures are medians of [`rounds::ROUNDS`] rounds in which everything takes its turn, in CPU time of the
//! thread: other work on the machine adds to all alike, so that ratios say more than the figures themselves. Writes
//! `benches/results/engine.md` and `growth.svg`.

mod growth;
mod naive;
mod rounds;

use logscrub::engine::{Engine, Scratch};
use logscrub::policy::{self, Policy};
use logscrub::record::{Record, RecordBuf};
use logscrub::rule::{self, Sources};
use logscrub::sample::pack::PackName;
use logscrub::sample::{Plan, Sample, Sampler};
use rounds::{Subject, interleaved};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/results");
/// So many that what a thread remembers of a record is gone when it comes again.
const RECORDS: u64 = 50_000;

fn main() {
    let mut told = String::from("Written by `cargo bench --bench engine`: MB/s of one core, medians.\n\n");
    corpora(&mut told);
    alone(&mut told);
    pipe(&mut told);
    growth::measure(&mut told);
    print!("{told}");
    std::fs::create_dir_all(RESULTS).expect("a folder for the results");
    std::fs::write(format!("{RESULTS}/engine.md"), told).expect("the results are written");
}

fn records(pack: PackName) -> Vec<Vec<u8>> {
    let plan = Plan {
        pack,
        seed: 1,
        from_ms: 1_767_225_600_000,
        to_ms: 1_775_001_600_000,
        partitions: 4,
        single_line: true,
    };
    let mut sampler = Sampler::new(plan).expect("a pack");
    let mut sample = Sample::default();
    let make = |number| {
        sampler.make(number, &mut sample).expect("a record");
        sample.value.clone()
    };
    (0..RECORDS).map(make).collect()
}

/// An engine with some of the shipped rules and others.
fn engine(shipped: impl Fn(&str) -> bool, user: Vec<logscrub::diagnostic::Source>) -> Engine {
    let mut sources = Sources { shipped: rule::shipped_sources(), user };
    sources.shipped.retain(|source| shipped(&source.name));
    let rules = rule::compile(&sources).unwrap_or_else(|errors| panic!("{errors}")).rules;
    Engine::new(Arc::new(rules), Some(Arc::new(logscrub::geo::Databases::embedded())))
}

fn default_policy() -> Policy {
    policy::shipped("default", &[]).expect("a shipped policy").expect("is right").policy
}

/// What an engine does with all records.
fn applied<'r>(name: &str, engine: Engine, stage: usize, records: &'r [Vec<u8>]) -> Subject<'r> {
    let policy = default_policy();
    let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
    Subject::new(name, records, move || {
        for value in records {
            let record = Record { value: Some(value), ..Record::default() };
            black_box(engine.apply(&mut scratch, &policy, stage, &record, &mut out));
        }
    })
}

fn corpora(told: &mut String) {
    let last = default_policy().stages.len() - 1;
    told.push_str("| corpus | scrub | last stage | chain of regexes | copy | scrub : chain |\n|---|---|---|---|---|---|\n");
    for (name, pack) in
        [("ordinary", PackName::Ordinary), ("dense", PackName::Dense), ("second", PackName::Second)]
    {
        let records = records(pack);
        let chain = naive::Chain::new();
        let mut to = Vec::new();
        let mut subjects = [
            applied("scrub", engine(|_| true, Vec::new()), 0, &records),
            applied("last stage", engine(|_| true, Vec::new()), last, &records),
            Subject::new("chain", &records, || {
                black_box(records.iter().map(|value| chain.scrub(value).len()).sum::<usize>());
            }),
            Subject::new("copy", &records, || {
                for value in &records {
                    to.clear();
                    to.extend_from_slice(value);
                    black_box(&to);
                }
            }),
        ];
        let [scrub, last, chain, copy] = interleaved(&mut subjects)[..] else {
            unreachable!("there are four")
        };
        let _ = writeln!(
            told,
            "| {name} | {scrub:.0} | {last:.0} | {chain:.0} | {copy:.0} | {:.2} |",
            scrub / chain
        );
    }
}

/// Each file of rules alone: what its detectors cost, with what every engine does.
fn alone(told: &mut String) {
    told.push_str("\n| rules alone, ordinary | scrub |\n|---|---|\n");
    let records = records(PackName::Ordinary);
    let files: Vec<String> = rule::shipped_sources().into_iter().map(|source| source.name).collect();
    let rules_of = |file: &str| engine(|name| name == file, Vec::new());
    let mut subjects: Vec<_> = files.iter().map(|file| applied(file, rules_of(file), 0, &records)).collect();
    subjects.push(applied("none", engine(|_| false, Vec::new()), 0, &records));
    let speeds = interleaved(&mut subjects);
    for (subject, speed) in subjects.iter().zip(speeds) {
        let _ = writeln!(told, "| {} | {speed:.0} |", subject.name);
    }
}

/// The program as users run it, on one thread and on two: reading and writing pipes, too.
fn pipe(told: &mut String) {
    let input = records(PackName::Ordinary).join(&b'\n');
    let run = |threads: &str, input: &[u8]| {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
            .args(["pipe", "--threads", threads])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
        assert!(child.wait().expect("it ends").success());
        begun.elapsed().as_secs_f64()
    };
    told.push_str("\n| `pipe`, wall time | MB/s |\n|---|---|\n");
    for threads in ["1", "2"] {
        let mut seconds: Vec<f64> = (0..rounds::ROUNDS).map(|_| run(threads, &input)).collect();
        let _ = writeln!(
            told,
            "| {threads} thread(s) | {:.0} |",
            input.len() as f64 / 1e6 / rounds::median(&mut seconds)
        );
    }
    let mut starts: Vec<f64> = (0..rounds::ROUNDS).map(|_| run("1", b"{}\n")).collect();
    let _ = writeln!(
        told,
        "\nFrom the start to the end of one record: {:.0} ms.",
        rounds::median(&mut starts) * 1e3
    );
}

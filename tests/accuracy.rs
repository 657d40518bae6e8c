//! How much of the made-up logs' truth the shipped rules find, and how much they destroy: floors per
//! class. The tables behind them: `logscrub gen --score --pack dense --lines 20000 --seed 5`.

use logscrub::engine::{Engine, Scratch};
use logscrub::record::{Record, RecordBuf};
use logscrub::sample::pack::PackName;
use logscrub::sample::score::{Output, Score};
use logscrub::sample::{Plan, Sample, Sampler, time};
use std::sync::Arc;

const RECORDS: u64 = 2000;

fn score(pack: PackName) -> Score {
    let rules = logscrub::rule::shipped().expect("the shipped rules compile").rules;
    let policy = logscrub::policy::shipped("default", &rules.custom).expect("is shipped");
    let policy = policy.expect("compiles").policy;
    let engine = Engine::new(Arc::new(rules), None);
    let (from_ms, to_ms) = time::default_interval();
    let plan = Plan { pack, seed: 31, from_ms, to_ms, partitions: 4, single_line: false };
    let mut sampler = Sampler::new(plan).expect("the pack is right");
    let (mut sample, mut scratch, mut out) = (Sample::default(), Scratch::default(), RecordBuf::default());
    let mut score = Score::default();
    for number in 0..RECORDS {
        sampler.make(number, &mut sample).expect("no template is ambiguous");
        sample.count();
        let headers: Vec<_> =
            sample.headers.iter().map(|(name, value)| (name.as_bytes(), Some(value.as_bytes()))).collect();
        let record = Record {
            key: sample.key.as_deref().map(str::as_bytes),
            value: Some(&sample.value),
            headers: &headers,
            timestamp_ms: Some(sample.timestamp_ms),
        };
        let _ = engine.apply(&mut scratch, &policy, 0, &record, &mut out);
        let headers: Vec<Vec<u8>> = out.headers.iter().filter_map(|(_, value)| value.clone()).collect();
        let output = Output {
            value: out.value.as_deref().unwrap_or_default(),
            key: out.key.as_deref(),
            headers: &headers,
        };
        score.add(&sample.truth, &sample.value, &output);
    }
    score
}

/// Floors in per cent: of what must go, found, by class; of what must stay, kept.
fn holds(pack: PackName, found: &[(&str, f64)], kept: f64) {
    let score = score(pack);
    let report = score.report();
    for (class, floor) in found {
        let tally = score.go.get(class).copied().unwrap_or_default();
        assert!(tally.all > 0, "no {class} in {pack:?}");
        assert!(tally.right_percent() >= *floor, "{pack:?} {class} below {floor} %\n{report}");
    }
    assert!(score.all_stay().right_percent() >= kept, "{pack:?} keeps less than {kept} %\n{report}");
    assert_eq!(score.json.wrong, 0, "{pack:?} broke JSON\n{report}");
    assert_eq!(score.records, RECORDS);
}

#[test]
fn an_ordinary_day() {
    let found = [
        ("body", 99.9),
        ("email", 99.9),
        ("ip", 99.9),
        ("name", 99.0),
        ("phone", 99.5),
        ("subject_id", 99.5),
    ];
    holds(PackName::Ordinary, &found, 99.9);
}

#[test]
fn dense_logs() {
    let found = [
        ("body", 99.9),
        ("card", 99.9),
        ("code", 99.5),
        ("credential", 99.9),
        ("device", 99.5),
        ("email", 99.9),
        ("imei", 99.9),
        ("ip", 99.9),
        ("name", 99.0),
        ("phone", 99.5),
        ("subject_id", 99.5),
    ];
    holds(PackName::Dense, &found, 99.5);
}

/// The hold-out: other shapes, field names, languages, countries. No rule is written from it.
#[test]
fn logs_that_no_rule_was_written_from() {
    let found = [
        ("body", 99.9),
        ("code", 99.5),
        ("credential", 99.9),
        ("device", 99.5),
        ("email", 99.9),
        ("ip", 99.9),
        ("name", 99.0),
        ("phone", 99.5),
        ("subject_id", 99.5),
    ];
    holds(PackName::Second, &found, 99.7);
}

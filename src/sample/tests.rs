use super::*;
use std::collections::HashMap;

const PACKS: [PackName; 3] = [PackName::Ordinary, PackName::Dense, PackName::Second];

fn plan(pack: PackName, seed: u64) -> Plan {
    let (from_ms, to_ms) = time::default_interval();
    Plan { pack, seed, from_ms, to_ms, partitions: 4, single_line: false }
}

fn each(plan: Plan, count: u64, mut see: impl FnMut(&Sample)) {
    let mut sampler = Sampler::new(plan).unwrap();
    let mut sample = Sample::default();
    for number in 0..count {
        sampler.make(number, &mut sample).unwrap();
        sample.count();
        see(&sample);
    }
}

#[test]
fn a_seed_gives_the_same_records_and_another_others() {
    for pack in PACKS {
        let all = |seed| {
            let mut out = Vec::new();
            each(plan(pack, seed), 200, |s| {
                out.push((
                    s.value.clone(),
                    s.key.clone(),
                    s.timestamp_ms,
                    serde_json::to_string(&s.truth).unwrap(),
                ));
            });
            out
        };
        assert_eq!(all(5), all(5));
        assert_ne!(all(5), all(6));
    }
}

#[test]
fn a_record_is_the_same_whatever_came_before_it() {
    let mut sampler = Sampler::new(plan(PackName::Dense, 9)).unwrap();
    let (mut alone, mut after) = (Sample::default(), Sample::default());
    sampler.make(40, &mut alone).unwrap();
    for number in 30..=40 {
        sampler.make(number, &mut after).unwrap();
    }
    assert_eq!((alone.value, alone.timestamp_ms), (after.value, after.timestamp_ms));
}

#[test]
fn every_template_is_used_and_json_ones_are_json() {
    for pack in PACKS {
        let mut seen: HashMap<String, u64> = HashMap::new();
        each(plan(pack, 3), 4000, |s| {
            *seen.entry(s.truth.template.clone()).or_default() += 1;
            if s.truth.json {
                let parsed = serde_json::from_slice::<serde_json::Value>(&s.value);
                assert!(parsed.is_ok(), "{} {}", s.truth.template, String::from_utf8_lossy(&s.value));
            }
        });
        for template in &Pack::load(pack, 1).unwrap().templates {
            assert!(seen.contains_key(&template.name), "{} never came up", template.name);
        }
    }
}

#[test]
fn what_must_stay_stands_in_the_perfect_scrub() {
    for pack in PACKS {
        for single_line in [false, true] {
            each(Plan { single_line, ..plan(pack, 4) }, 3000, |s| {
                for stay in &s.truth.must_stay {
                    let oracle = String::from_utf8_lossy(&s.oracle);
                    assert!(stay.n > 0, "{} {} {:?}: {oracle}", s.truth.template, stay.kind, stay.value);
                }
                assert_eq!(s.truth.clean_sha256.is_some(), s.truth.is_clean());
            });
        }
    }
}

#[test]
fn nothing_must_both_go_and_stay() {
    for pack in PACKS {
        each(plan(pack, 8), 5000, |s| {
            for go in &s.truth.must_go {
                let stays =
                    s.truth.must_stay.iter().any(|stay| read::fold(&stay.value) == read::fold(&go.value));
                assert!(!stays, "{} {}", s.truth.template, go.class);
            }
        });
    }
}

#[test]
fn an_ordinary_day_is_mostly_json_of_the_usual_size() {
    let (mut bytes, mut json, mut with_something) = (0, 0, 0);
    each(plan(PackName::Ordinary, 5), 20_000, |s| {
        bytes += s.value.len();
        json += usize::from(s.truth.json);
        with_something += usize::from(!s.truth.must_go.is_empty());
    });
    let (mean, json) = (bytes / 20_000, json / 200);
    assert!((380..=500).contains(&mean), "mean {mean} bytes");
    assert!((65..=75).contains(&json), "{json} % JSON");
    assert!((30..=75).contains(&(with_something / 200)), "{} %", with_something / 200);
}

#[test]
fn times_lie_in_the_interval_in_no_order_and_are_shown_as_they_are() {
    let (from_ms, to_ms) = (1_700_000_000_000, 1_700_000_200_000);
    let mut times = Vec::new();
    each(Plan { from_ms, to_ms, ..plan(PackName::Ordinary, 6) }, 2000, |s| {
        times.push(s.timestamp_ms);
        assert!((from_ms..to_ms).contains(&s.timestamp_ms));
        let shown = s.truth.must_stay.iter().any(|stay| matches!(stay.kind, "ts" | "epoch"));
        assert!(shown, "{} shows no time", s.truth.template);
    });
    let later = times.windows(2).filter(|w| w[0] < w[1]).count();
    assert!((800..1200).contains(&later), "{later} of 1999 steps go forward");
    assert!(times.iter().max().unwrap() - times.iter().min().unwrap() > 195_000);
}

#[test]
fn records_are_spread_over_the_partitions() {
    let mut counts = [0; 4];
    each(plan(PackName::Ordinary, 1), 4000, |s| counts[s.partition as usize] += 1);
    assert!(counts.iter().all(|n| *n > 800), "{counts:?}");
}

#[test]
fn on_one_line_no_record_has_a_line_end() {
    for pack in PACKS {
        each(Plan { single_line: true, ..plan(pack, 2) }, 3000, |s| assert!(!s.value.contains(&b'\n')));
    }
}

/// The proof that a score means something: the record itself scores nothing, its perfect scrub all.
#[test]
fn every_truth_is_found_in_the_record_and_nothing_of_it_in_the_perfect_scrub() {
    for pack in PACKS {
        for single_line in [false, true] {
            let mut score = score::Score::default();
            each(Plan { single_line, ..plan(pack, 12) }, 1500, |s| {
                let headers: Vec<Vec<u8>> = s.headers.iter().map(|(_, v)| v.clone().into_bytes()).collect();
                let key = s.key.as_deref().map(str::as_bytes);
                let as_it_is =
                    score::check(&s.truth, &score::Output { value: &s.value, key, headers: &headers });
                let unseen = (0..s.truth.must_go.len()).find(|at| !as_it_is.survived.contains(at));
                let unseen = unseen.map(|at| &s.truth.must_go[at]);
                assert!(
                    unseen.is_none(),
                    "{} {unseen:?} in {}",
                    s.truth.template,
                    String::from_utf8_lossy(&s.value)
                );
                let scrubbed =
                    score.add(&s.truth, &s.oracle, &score::Output { value: &s.oracle, ..Default::default() });
                let survived = scrubbed.survived.first().map(|at| &s.truth.must_go[*at]);
                assert!(
                    survived.is_none(),
                    "{} {survived:?} in {}",
                    s.truth.template,
                    String::from_utf8_lossy(&s.oracle)
                );
                let lost = scrubbed.lost.first().map(|at| &s.truth.must_stay[*at]);
                assert!(lost.is_none(), "{} {lost:?}", s.truth.template);
            });
            assert_eq!((score.all_go().wrong, score.all_stay().wrong, score.json.wrong), (0, 0, 0));
        }
    }
}

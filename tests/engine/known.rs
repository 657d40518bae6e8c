//! What a thread remembers of the records before makes it faster, and nothing else.

use super::*;

/// At each stage a thread that has seen much comes to the same as one that has seen nothing.
#[track_caller]
fn remembers_nothing_wrong(scratch: &mut Scratch, policy: &Policy, value: &[u8]) {
    for stage in 0..policy.stages.len() {
        let known = apply(scratch, policy, stage, value);
        let fresh = apply(&mut Scratch::default(), policy, stage, value);
        let shown = String::from_utf8_lossy(value);
        assert!(known == fresh, "{shown}\nknown {known:?}\nfresh {fresh:?}");
    }
}

#[test]
fn a_thread_that_has_seen_much_comes_to_the_same() {
    let policy = shipped("default");
    let mut scratch = Scratch::default();
    samples(&PACKS, 1500, 31, |sample| {
        let _ = apply(&mut scratch, &policy, 0, &sample.value);
    });
    samples(&PACKS, 150, 32, |sample| remembers_nothing_wrong(&mut scratch, &policy, &sample.value));
}

/// JSON in a string is walked while the record around it is: what was found in it is none of the record's.
#[test]
fn a_number_that_is_always_the_same_goes_every_time() {
    let policy = shipped("default");
    for inside in ["{\\\"a\\\":1,\\\"b\\\":\\\"x\\\"}", "queue=7 worker=a-3 state=ok", "plain words"] {
        let mut scratch = Scratch::default();
        for round in 0..60 {
            let value = format!(
                "{{\"n\":{round},\"payload\":\"{inside}\",\"level\":\"info\",\"to\":\"+14155550132\",\
                 \"mail\":\"otto@example.com\",\"attempt\":1,\"zone\":\"eu\"}}"
            );
            remembers_nothing_wrong(&mut scratch, &policy, value.as_bytes());
            let (_, out) = apply(&mut scratch, &policy, 0, value.as_bytes());
            let out = String::from_utf8(out).unwrap();
            assert!(!out.contains("4155550132") && !out.contains("otto"), "round {round}: {out}");
        }
    }
}

/// What `message` is goes by the number beside it and by the level, also where the same words came before.
#[test]
fn what_came_before_beside_a_number_is_read_anew_without_one() {
    let policy = shipped("default");
    let mut scratch = Scratch::default();
    let messages = ["Ihr Paket kommt heute", "request done", "rejected by the carrier"];
    let mut bodies = [0; 2];
    for round in 0..240 {
        let (number, other) = (round % 2 == 0, round % 3 == 0);
        let beside = if number { "+14155550132" } else { "gateway" };
        let level = if other { "error" } else { "info" };
        let message = messages[round / 6 % 3];
        let value = format!(
            "{{\"n\":{round},\"level\":\"{level}\",\"beside\":\"{beside}\",\"message\":\"{message}\",\"zone\":\"eu\"}}"
        );
        remembers_nothing_wrong(&mut scratch, &policy, value.as_bytes());
        let (_, out) = apply(&mut scratch, &policy, 0, value.as_bytes());
        bodies[usize::from(number)] += usize::from(String::from_utf8(out).unwrap().contains("[BODY"));
    }
    assert!(bodies[1] > bodies[0], "{bodies:?}: a number beside it says nothing of a message");
}

/// Values that take the places of others in records whose names are the same.
const VALUES: [&str; 24] = [
    "\"info\"",
    "\"\"",
    "12",
    "131047",
    "-1.5e3",
    "null",
    "true",
    "nul",
    "\"+14155550132\"",
    "14155550132",
    "\"14155550132@s.whatsapp.net\"",
    "\"482913\"",
    "482913",
    "\"Your code is 482913\"",
    "\"say \\\"hi\\\" to otto@example.com\"",
    "\"203.0.113.7\"",
    "\"2026-03-02T10:15:04Z\"",
    "{\"to\":\"+447700900123\"}",
    "[\"+447700900123\",1]",
    "[]",
    "\"[PHONE:+1]\"",
    "\"{\\\"to\\\":\\\"+447700900123\\\"}\"",
    "\"a\",\"b\":\"c\"",
    "\"not closed",
];

#[test]
fn records_that_look_alike_are_told_apart() {
    let policy = shipped("default");
    let names = ["ts", "level", "to", "code", "status", "message", "name", "ip", "attempt"];
    let record = |values: &[&str], space: &str| {
        let member = |(name, value): (&&str, &&str)| format!("\"{name}\":{space}{value}");
        let members: Vec<String> = names.iter().zip(values).map(member).collect();
        format!("{{{},\"meta\":{{\"rows\":1}}}}", members.join(&format!(",{space}")))
    };
    let usual = [
        "\"2026-03-02T10:15:04Z\"",
        "\"info\"",
        "\"+14155550132\"",
        "131047",
        "200",
        "\"sent\"",
        "\"gateway\"",
        "\"203.0.113.7\"",
        "1",
    ];
    let mut scratch = Scratch::default();
    for space in ["", " "] {
        // Enough for the thread to know them by heart.
        for _ in 0..40 {
            let _ = apply(&mut scratch, &policy, 0, record(&usual, space).as_bytes());
        }
        for (place, other) in (0..names.len()).flat_map(|place| VALUES.map(|other| (place, other))) {
            let mut values = usual;
            values[place] = other;
            remembers_nothing_wrong(&mut scratch, &policy, record(&values, space).as_bytes());
            if let Some(next) = values.get_mut(place + 1) {
                *next = "\"verification code\"";
            }
            let text = record(&values, space);
            remembers_nothing_wrong(&mut scratch, &policy, text.as_bytes());
            for end in [text.len() - 1, text.len() / 2] {
                remembers_nothing_wrong(&mut scratch, &policy, &text.as_bytes()[..end]);
            }
        }
    }
}

/// Records whose names could make pairs, `"name": "to", "value": "…"`, and others that only look so.
#[test]
fn pairs_are_found_in_records_that_are_known_by_heart() {
    let policy = shipped("default");
    let record = |label: &str, value: &str, form: usize| match form {
        0 => format!(
            "{{\"@timestamp\":\"2026-03-02T10:15:04Z\",\"field\":{label},\"value\":{{\"note\":{value},\"n\":1}}}}"
        ),
        1 => format!("{{\"name\":{label},\"value\":{value},\"n\":1}}"),
        2 => {
            format!("{{\"attributes\":[{{\"key\":{label},\"value\":{{\"stringValue\":{value}}}}}],\"n\":1}}")
        }
        _ => format!("{{\"PWD\":{value},\"key\":{label},\"n\":{{\"cwd\":{value}}},\"a@example.com\":1}}"),
    };
    for (form, label) in (0..4).flat_map(|form| ["\"messages\"", "12"].map(|label| (form, label))) {
        let mut scratch = Scratch::default();
        for round in 0..40 {
            let usual = record(label, &format!("\"/srv/app/{round}\""), form);
            let _ = apply(&mut scratch, &policy, 0, usual.as_bytes());
        }
        for (label, value) in VALUES.iter().flat_map(|label| VALUES.map(|value| (*label, value))) {
            remembers_nothing_wrong(&mut scratch, &policy, record(label, value, form).as_bytes());
        }
        for label in ["\"to\"", "\"verification_code\"", "\"password\"", "\"messages\""] {
            for value in ["\"hunter2-x9\"", "482913", "\"07700900123\"", "\"/srv/app/7\""] {
                remembers_nothing_wrong(&mut scratch, &policy, record(label, value, form).as_bytes());
            }
        }
    }
}

/// Rules of a user that look into fields of records which the engine knows by heart.
static OURS: LazyLock<Engine> = LazyLock::new(|| {
    with_rules(
        "[[rule]]\nid = \"ours.seat\"\nclass = \"name\"\nsummary = \"x\"\nfields = [\"rows\", \"meta.zone\"]\n\
         [[rule]]\nid = \"ours.ticket\"\nclass = \"subject_id\"\nsummary = \"x\"\npattern = 'T-[0-9]{3}'\n",
    )
});

/// A record of any build: members, objects in it and lists, in one way of writing.
#[derive(Clone, Debug)]
struct Built {
    /// Names and what they hold: one value, an object of values, a list of values.
    members: Vec<(&'static str, Vec<(&'static str, usize)>, u8)>,
    space: &'static str,
}

impl Built {
    fn places(&self) -> usize {
        self.members.iter().map(|(_, inner, _)| inner.len()).sum()
    }

    /// Written with the values of its places.
    fn write(&self, values: &[&str]) -> String {
        let space = self.space;
        let mut values = values.iter();
        let mut next = || *values.next().unwrap_or(&"0");
        let mut members = Vec::new();
        for (name, inner, kind) in &self.members {
            let value = match kind {
                0 => next().to_owned(),
                1 => {
                    let inner: Vec<String> =
                        inner.iter().map(|(name, _)| format!("\"{name}\":{space}{}", next())).collect();
                    format!("{{{}}}", inner.join(","))
                }
                _ => format!("[{}]", inner.iter().map(|_| next()).collect::<Vec<_>>().join(",")),
            };
            members.push(format!("\"{name}\":{space}{value}"));
        }
        format!("{{{}}}", members.join(","))
    }

    fn usual(&self) -> Vec<&'static str> {
        self.members
            .iter()
            .flat_map(|(_, inner, _)| inner)
            .map(|(_, value)| USUAL[value % USUAL.len()])
            .collect()
    }
}

const USUAL: [&str; 10] = [
    "\"info\"",
    "200",
    "\"+14155550132\"",
    "\"2026-03-02T10:15:04Z\"",
    "\"request done\"",
    "131047",
    "true",
    "\"T-123\"",
    "\"queue=7 worker=a-3\"",
    "\"{\\\"to\\\":\\\"x\\\"}\"",
];

fn built() -> impl Strategy<Value = Built> {
    let name = prop::sample::select(vec![
        "ts", "level", "to", "code", "status", "message", "name", "value", "ip", "rows", "zone", "meta",
        "id", "text", "",
    ]);
    let inner = prop::collection::vec((name.clone(), 0..USUAL.len()), 1..4);
    let member = (name, inner, 0..3_u8).prop_map(|(name, mut inner, kind)| {
        if kind == 0 {
            inner.truncate(1);
        }
        (name, inner, kind)
    });
    (prop::collection::vec(member, 1..8), prop::sample::select(vec!["", " "]))
        .prop_map(|(members, space)| Built { members, space })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, rng_seed: RngSeed::Fixed(23), failure_persistence: None, ..ProptestConfig::default() })]

    /// However a record is built: once a thread knows it by heart, other values in its places are read as if it
    /// had never been seen.
    #[test]
    fn records_of_any_build_are_told_apart(
        built in built(),
        other in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 12),
        ours in any::<bool>(),
    ) {
        let policy = shipped("default");
        let engine = if ours { &*OURS } else { &*ENGINE };
        let mut scratch = Scratch::default();
        let usual = built.usual();
        for round in 0..40 {
            // One place differs from record to record, as in any log.
            let count = round.to_string();
            let mut values: Vec<&str> = usual.clone();
            if round % 2 == 1 && let Some(value) = values.iter_mut().find(|value| **value == "200") {
                *value = &count;
            }
            let text = built.write(&values);
            prop_assert_eq!(scrub(engine, &policy, &mut scratch, &text), scrub(engine, &policy, &mut Scratch::default(), &text));
        }
        for (place, value) in other {
            let mut values = usual.clone();
            values[place.index(built.places())] = VALUES[value.index(VALUES.len())];
            let text = built.write(&values);
            for text in [text.as_str(), &text[..text.len() / 2]] {
                let known = scrub(engine, &policy, &mut scratch, text);
                prop_assert_eq!(known, scrub(engine, &policy, &mut Scratch::default(), text), "{}", text);
            }
        }
    }
}

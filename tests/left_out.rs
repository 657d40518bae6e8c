//! What is found without the words that say so: a language, or the names of fields, taken out of the lexicons, and
//! field names of a language that nobody speaks, given as a tenant's bare rules. Rules are written for logs that are
//! at hand; these floors say what remains for those that were not.

use logscrub::detect::code::{CodeContext, CodeLexicon, CodeScratch};
use logscrub::detect::field_name::FieldLexicon;
use logscrub::diagnostic::Source;
use logscrub::engine::{Engine, Lexicons, Scratch};
use logscrub::numbering::{self, Region};
use logscrub::policy::{self, Policy};
use logscrub::record::{Record, RecordBuf};
use logscrub::rule;
use logscrub::sample::pack::PackName;
use logscrub::sample::score::{Output, Score};
use logscrub::sample::{Plan, Sample, Sampler, time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const CODES: &str = include_str!("../rules/lexicons/codes.toml");
const FIELDS: &str = include_str!("../rules/lexicons/fields.toml");

fn lexicons(fields: &str, codes: &str) -> &'static Lexicons {
    let fields = FieldLexicon::load(fields).unwrap();
    // A test's few lexicons live as long as the test.
    Box::leak(Box::new(Lexicons { fields, codes: CodeLexicon::load(codes).unwrap() }))
}

fn default_policy() -> Policy {
    policy::shipped("default", &[]).unwrap().unwrap().policy
}

fn scrub(engine: &Engine, policy: &Policy, scratch: &mut Scratch, value: &str) -> String {
    let mut out = RecordBuf::default();
    let record = Record { value: Some(value.as_bytes()), ..Record::default() };
    let _ = engine.apply(scratch, policy, 0, &record, &mut out);
    String::from_utf8(out.value.unwrap_or_default()).unwrap()
}

#[derive(serde::Deserialize)]
struct Cases {
    language: Vec<Language>,
}

#[derive(serde::Deserialize)]
#[allow(dead_code)] // the table has more columns than this test reads
struct Language {
    id: String,
    #[serde(default)]
    hit: Vec<String>,
    #[serde(default)]
    miss: Vec<String>,
    #[serde(default)]
    log_hit: Vec<String>,
    #[serde(default)]
    log_miss: Vec<String>,
}

fn cases() -> Vec<Language> {
    let cases: Cases = toml::from_str(include_str!("data/codes.toml")).unwrap();
    cases.language
}

/// The lexicon of codes without a language.
fn codes_without(id: &str) -> String {
    let blocks = CODES.split("[[language]]").filter(|block| !block.contains(&format!("id = \"{id}\"")));
    blocks.collect::<Vec<_>>().join("[[language]]")
}

/// A share in per cent, and what it is a share of.
#[derive(Default, Clone, Copy)]
struct Share {
    right: u32,
    all: u32,
}

impl Share {
    fn add(&mut self, right: bool) {
        self.all += 1;
        self.right += u32::from(right);
    }

    fn percent(self) -> f64 {
        100.0 * f64::from(self.right) / f64::from(self.all.max(1))
    }
}

/// Each language of the table in turn is taken out: what other languages' words, the message's grammar and the line
/// around it still find.
#[test]
fn a_language_is_left_out() {
    let policy = default_policy();
    let rules = Arc::new(rule::shipped().unwrap().rules);
    let (mut alone, mut in_field, mut in_line) = (Share::default(), Share::default(), Share::default());
    let mut report = String::new();
    for language in cases() {
        let codes = codes_without(&language.id);
        if codes.len() == CODES.len() {
            continue;
        }
        let lexicon = CodeLexicon::load(&codes).unwrap();
        let engine = Engine::new(rules.clone(), None).with_lexicons(lexicons(FIELDS, &codes));
        let mut own = Share::default();
        for case in &language.hit {
            let text = case.replace(['«', '»'], "");
            let code = &case[case.find('«').unwrap() + 2..case.find('»').unwrap()];
            let mut found = false;
            let message = CodeContext { in_body: true, field_says_code: false };
            lexicon.codes(text.as_bytes(), message, &mut CodeScratch::default(), &mut |start, end| {
                found |= &text[start..end] == code;
            });
            own.add(found);
            alone.add(found);
            let mut scratch = Scratch::default();
            let json = serde_json::json!({"to": "+14155550132", "text": &text, "took_ms": 41}).to_string();
            in_field.add(!scrub(&engine, &policy, &mut scratch, &json).contains(code));
            let line = format!("10:11:12 INFO SMS to +14155550132: \"{}\" in 12 ms", text.replace('\n', " "));
            in_line.add(!scrub(&engine, &policy, &mut scratch, &line).contains(code));
        }
        report += &format!("{} {}/{}  ", language.id, own.right, own.all);
    }
    println!(
        "codes in messages {:.1} %, in a field {:.1} %, in a line {:.1} %",
        alone.percent(),
        in_field.percent(),
        in_line.percent()
    );
    println!("{report}");
    assert!(alone.all >= 100, "only {} cases", alone.all);
    assert!(alone.percent() >= 35.0, "{}: {report}", alone.percent());
    assert!(
        in_field.percent() >= 99.9 && in_line.percent() >= 99.9,
        "{} {}",
        in_field.percent(),
        in_line.percent()
    );
}

/// The words that the second pack's own field names are made of.
fn words_of_the_second_pack() -> BTreeSet<String> {
    let words = include_str!("../src/sample/packs/second.words");
    let section = words.split("\n[fields]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section
        .lines()
        .filter_map(|line| line.split_once('='))
        .flat_map(|(_, names)| names.split_whitespace());
    names.flat_map(|name| name.split('_').chain([name]).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The lexicon of field names without the words of a list, as they stand there and as parts of its phrases.
fn fields_without(words: &BTreeSet<String>) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in FIELDS.lines() {
        let listed = line.starts_with("words = ") || line.starts_with("names = ");
        if !(listed || inside) {
            out += line;
            out.push('\n');
            continue;
        }
        let (head, body) = if listed { line.split_at(line.find('"').unwrap()) } else { ("", line) };
        let kept = body.split_inclusive(' ').filter(|word| {
            let bare = word.trim_matches(['"', ' ']);
            bare.is_empty()
                || word.contains("\"\"\"")
                || word.contains('"')
                || !bare.split('_').any(|part| words.contains(part))
        });
        out += head;
        out.extend(kept);
        out.push('\n');
        let marks = line.matches("\"\"\"").count();
        inside = if listed { marks == 1 } else { inside && marks == 0 };
    }
    out
}

/// The second pack without the words of its field names: what values, neighbours and grammar still say.
#[test]
fn names_of_fields_are_left_out() {
    let words = words_of_the_second_pack();
    assert!(words.len() >= 80, "{}", words.len());
    let fields = fields_without(&words);
    assert!(fields.len() + 500 < FIELDS.len(), "nothing was taken out");
    let rules = Arc::new(rule::shipped().unwrap().rules);
    let engine = Engine::new(rules, None).with_lexicons(lexicons(&fields, CODES));
    let policy = default_policy();
    let (from_ms, to_ms) = time::default_interval();
    let plan = Plan { pack: PackName::Second, seed: 77, from_ms, to_ms, partitions: 4, single_line: false };
    let mut sampler = Sampler::new(plan).unwrap();
    let (mut sample, mut scratch, mut out) = (Sample::default(), Scratch::default(), RecordBuf::default());
    let mut score = Score::default();
    for number in 0..1500 {
        sampler.make(number, &mut sample).unwrap();
        sample.count();
        let record = Record { value: Some(&sample.value), ..Record::default() };
        let _ = engine.apply(&mut scratch, &policy, 0, &record, &mut out);
        let output = Output { value: out.value.as_deref().unwrap_or_default(), key: None, headers: &[] };
        let _ = score.add(&sample.truth, &sample.value, &output);
    }
    let report = score.report();
    println!("{report}");
    for (class, floor) in [
        ("phone", 95.0),
        ("code", 95.0),
        ("body", 88.0),
        ("ip", 99.9),
        ("email", 99.9),
        ("credential", 99.0),
        ("name", 83.0),
        ("subject_id", 65.0),
    ] {
        let tally = score.go.get(class).copied().unwrap_or_default();
        assert!(tally.all > 0 && tally.right_percent() >= floor, "{class} below {floor} %\n{report}");
    }
    assert!(score.all_stay().right_percent() >= 99.0, "{report}");
}

/// A small generator of numbers, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn letters(&mut self, n: usize) -> String {
        const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
        (0..n).map(|_| char::from(*self.pick(ALPHABET))).collect()
    }

    fn digits(&mut self, n: usize) -> String {
        (0..n).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }
}

/// Names of fields in a language that is none, by class; the last list is of innocent ones.
const NAMES: [(&str, [&str; 3]); 9] = [
    ("phone", ["zvembal", "koritta_um", "plexiduNor"]),
    ("code", ["brultik", "mavo_snee", "ikkeTrom"]),
    ("body", ["gwendorf", "sulla_pree", "otvaNimm"]),
    ("ip", ["lorpax", "demme_ta", "urskVol"]),
    ("email", ["fintuk", "barra_goo", "pelvoDim"]),
    ("credential", ["hrumbel", "zizza_kem", "braxuMorn"]),
    ("name", ["quosper", "nelle_vau", "grimoVeb"]),
    ("subject_id", ["yotrand", "pamba_lii", "sekkuRov"]),
    ("safe", ["dorvik", "immer_sot", "valpoGren"]),
];

/// Lines in which each name stands before its value: `N0 V0` is the first name and its value.
const LINES: [&str; 10] = [
    r#"{"ts":"2026-03-02T10:15:04Z","N0":"V0","meta":{"N1":"V1","N2":"V2"},"took_ms":41}"#,
    r#"{"N2":"V2","items":[{"N0":"V0"},{"N0":"V3"}],"N1":"V1","status":200}"#,
    r#"ts=2026-03-02T10:15:04Z level=info N0="V0" N1="V1" N2="V2" took=41ms"#,
    r#"10:15:04 INFO worker-3 N0="V0", N1="V1" attempt=2 N2="V2""#,
    "- N0: \"V0\"\n  N1: \"V1\"\n  N2: \"V2\"\n  took_ms: 41",
    r#"<record took="41"><N0>V0</N0><N1>V1</N1><item N2="V2"/></record>"#,
    r#"[10:15:04] call {"N0":"V0","N1":"V1"} -> 200 {"N2":"V2"} in 41 ms"#,
    r#"{"level":"info","message":"done","payload":"{\"N0\":\"V0\",\"N1\":\"V1\",\"N2\":\"V2\"}"}"#,
    "Request(N0='V0', N1='V1', N2='V2', retries=2)",
    r#"192.0.2.1 - - [02/Mar/2026:10:15:04 +0000] "GET /x?N0=Q0&N1=Q1&N2=Q2 HTTP/1.1" 200 512"#,
];

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Names of fields as a tenant gives them: an id, a class, the names. Nothing shipped knows one of them.
#[test]
fn a_tenants_bare_rules_are_enough() {
    let mut rules = String::new();
    let lexicon = FieldLexicon::load(FIELDS).unwrap();
    for (class, names) in NAMES {
        let known: Vec<_> =
            names.iter().filter(|name| lexicon.classify(name.as_bytes()).class.is_some()).collect();
        assert!(known.is_empty(), "{known:?} are known");
        if class != "safe" {
            rules += &format!("[[rule]]\nid = \"tenant.{class}\"\nclass = \"{class}\"\nfields = {names:?}\n");
        }
    }
    let user = vec![Source { name: "tenant.toml".into(), text: rules }];
    let compiled = rule::compile(&rule::Sources { shipped: rule::shipped_sources(), user });
    let engine = Engine::new(Arc::new(compiled.unwrap_or_else(|errors| panic!("{errors}")).rules), None);
    let policy = default_policy();
    let (regions, mut dice): (Vec<Region>, Dice) = (Region::all().collect(), Dice(5));
    let texts: Vec<String> = cases()
        .iter()
        .flat_map(|language| language.hit.iter().chain(&language.miss))
        .map(|text| text.replace(['«', '»'], "").replace(['"', '\'', '<', '>', '&', '\n', '\\'], " "))
        .collect();
    let people = [
        "Ada Roe",
        "Jürgen Ångström",
        "佐藤健",
        "Анна Смирнова",
        "Nguyễn Anh",
        "Bo Li",
        "O.K. Ray-Lee",
        "مريم",
    ];
    let mut score: BTreeMap<&str, Share> = BTreeMap::new();
    let mut wrong = Vec::new();
    for round in 0..6000 {
        let mut scratch = Scratch::default();
        let mut line = LINES[round % LINES.len()].to_owned();
        let mut values = Vec::new();
        for place in 0..3 {
            let (class, names) = *dice.pick(&NAMES);
            let mut value = || match class {
                "phone" => {
                    let region = *dice.pick(&regions);
                    let number = numbering::random_valid(region, &mut || dice.next()).unwrap();
                    match dice.below(4) {
                        0 => number.format_e164(),
                        1 => number.format_e164()[1..].to_owned(),
                        2 => number.format_international(),
                        _ => number.format_national(),
                    }
                }
                "code" => match dice.below(3) {
                    0 => dice.letters(6).to_uppercase(),
                    1 => format!("{}-{}", dice.digits(3), dice.digits(3)),
                    _ => {
                        let len = 4 + dice.below(5);
                        dice.digits(len)
                    }
                },
                "body" => dice.pick(&texts).clone(),
                "ip" => match dice.below(3) {
                    0 => format!("2001:db8::{:x}", 1 + dice.below(60_000)),
                    1 => format!("203.0.113.{}:{}", 1 + dice.below(250), 1024 + dice.below(60_000)),
                    _ => format!("198.51.100.{}", 1 + dice.below(250)),
                },
                "email" => format!("{}@example.com", dice.letters(8)),
                "credential" => dice.letters(24),
                "name" => (*dice.pick(&people)).to_owned(),
                "subject_id" => dice.letters(11),
                _ => dice.digits(5),
            };
            let (first, second) = (value(), value());
            let name = *dice.pick(&names);
            line = line.replace(&format!("N{place}"), name);
            line = line
                .replace(&format!("V{place}"), &first)
                .replace(&format!("Q{place}"), &percent_encoded(&first));
            values.push((class, first));
            if place == 0 && line.contains("V3") {
                line = line.replace("V3", &second);
                values.push((class, second));
            }
        }
        let out = scrub(&engine, &policy, &mut scratch, &line);
        for (class, value) in values {
            let there = out.contains(&value) || out.contains(&percent_encoded(&value));
            let right = there == (class == "safe");
            score.entry(class).or_default().add(right);
            if !right && wrong.len() < 40 {
                wrong.push(format!("{class} {value}\n   {line}\n   {out}"));
            }
        }
    }
    let report: Vec<String> = score
        .iter()
        .map(|(class, share)| format!("{class} {:.2} % of {}", share.percent(), share.all))
        .collect();
    println!("{report:?}");
    for (class, floor) in [
        ("phone", 99.5),
        ("ip", 99.5),
        ("email", 99.5),
        ("code", 99.0),
        ("body", 99.0),
        ("credential", 99.0),
        ("name", 97.0),
        ("subject_id", 97.0),
        ("safe", 99.0),
    ] {
        let share = score[class];
        assert!(
            share.all >= 1000 && share.percent() >= floor,
            "{class} below {floor} %: {report:?}\n{}",
            wrong.join("\n")
        );
    }
}

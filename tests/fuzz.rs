//! Bytes that were a log once: made-up records, cut, spliced, flipped and strewn with signs, for every decoder and
//! for the engine. Seeds are fixed, so that a failure comes again; `LOGSCRUB_FUZZ_TIMES=20` makes each test look
//! at twenty times as much.

use logscrub::codec::coding::{Charset, Coding};
use logscrub::codec::decode::{self, Decoded, Map};
use logscrub::codec::{Tree, json, table, text, time};
use logscrub::detect::field_name::FieldLexicon;
use logscrub::engine::{Applied, Engine, Scratch};
use logscrub::finding::Span;
use logscrub::policy::{self, Policy, Position};
use logscrub::record::{Record, RecordBuf};
use logscrub::rule;
use logscrub::sample::pack::PackName;
use logscrub::sample::{Plan, Sample, Sampler};
use logscrub::stage::envelope;
use std::sync::Arc;

/// A small generator of numbers (a linear congruential one), so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }
}

/// What decoders look for: signs, escapes, halves of things.
const SIGNS: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b"\\",
    b"\\\"",
    b"\\u",
    b"\\ud83d",
    b"\\x",
    b"%",
    b"%2B",
    b"%25",
    b"+",
    b"=",
    b":",
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"\t",
    b"<",
    b"</a>",
    b"<![CDATA[",
    b"]]>",
    b"&amp;",
    b"|",
    b"\0",
    b"\xff",
    b"\xe2\x80\x8b",
    b"\xef\xbb\xbf",
    b"\x1b[31m",
    b" VALUES (",
    b"[msg:9999:",
    b"[PHONE:+1]",
    b"[WITHHELD:reason=binary,bytes=3]",
    b"wamid.",
    b"14155550132@s.whatsapp.net",
    b"otp 482913",
];

fn mutate(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(12)).min(bytes.len());
        match dice.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..end, SIGNS[dice.below(SIGNS.len())].iter().copied())),
            3 => drop(bytes.splice(at..at, SIGNS[dice.below(SIGNS.len())].iter().copied())),
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
            5 => {
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(80)).min(other.len());
                drop(bytes.splice(at..at, other[from..to].iter().copied()));
            }
            _ => {
                let piece = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, piece));
            }
        }
    }
}

/// `rounds` records of each pack, as they are and changed.
fn strewn(rounds: u64, seed: u64, mut look: impl FnMut(&[u8])) {
    let times = std::env::var("LOGSCRUB_FUZZ_TIMES").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut dice = Dice(seed);
    let mut before = b"to=+14155550132 text=\"Your code is 482913\"".to_vec();
    for pack in [PackName::Ordinary, PackName::Dense, PackName::Second] {
        let plan = Plan {
            pack,
            seed,
            from_ms: 1_767_225_600_000,
            to_ms: 1_775_001_600_000,
            partitions: 4,
            single_line: false,
        };
        let mut sampler = Sampler::new(plan).unwrap();
        let mut sample = Sample::default();
        for number in 0..rounds * times {
            sampler.make(number, &mut sample).unwrap();
            let mut bytes = sample.value.clone();
            mutate(&mut bytes, &before, &mut dice);
            look(&bytes);
            before.clone_from(&sample.value);
        }
    }
}

#[track_caller]
fn lies_in(span: Span, len: usize) {
    assert!(span.start() <= span.end() && span.end() <= len, "{span:?} of {len}");
}

/// Spans lie in the text, and containers in those before them.
#[track_caller]
fn is_sound(tree: &Tree, len: usize) {
    for (place, container) in tree.containers.iter().enumerate() {
        lies_in(container.name, len);
        assert!(place == 0 || (container.parent as usize) < place);
    }
    for field in &tree.fields {
        lies_in(field.name, len);
        lies_in(field.value, len);
        assert!((field.container as usize) < tree.containers.len());
        lies_in(tree.name_of(field), len);
    }
    tree.keys.iter().chain(&tree.labels).for_each(|span| lies_in(*span, len));
}

#[test]
fn json_is_walked() {
    let (mut walker, mut tree) = (json::Walker::default(), Tree::default());
    strewn(4000, 1, |bytes| {
        for start in (0..bytes.len()).filter(|at| json::starts_at(bytes, *at)).take(3) {
            tree.reset();
            let end = walker.walk(bytes, start, 0, Span::new(0, 0), &mut tree);
            assert!(end > start && end <= bytes.len());
            tree.name_pairs(bytes, 0, 0);
            is_sound(&tree, bytes.len());
        }
    });
}

#[test]
fn text_is_walked() {
    let (mut walker, mut tree) = (json::Walker::default(), Tree::default());
    let mut inside = Vec::new();
    strewn(4000, 2, |bytes| {
        tree.reset();
        inside.clear();
        let start = bytes.len() / 7;
        if text::walk(bytes, start, &|_| None, &mut walker, &mut tree, &mut inside).is_ok() {
            is_sound(&tree, bytes.len());
        }
        inside.iter().for_each(|span| lies_in(*span, bytes.len()));
        tree.name_neighbours(bytes);
        is_sound(&tree, bytes.len());
    });
}

#[test]
fn tables_are_walked() {
    let mut tree = Tree::default();
    strewn(2000, 3, |bytes| {
        let rows: Vec<u8> = [b"time;to,from|text\t;id\n", bytes].concat();
        for start in [0, 4] {
            tree.reset();
            if let Some(end) = table::walk(&rows, start, &mut tree) {
                assert!(end > start && end <= rows.len());
            }
            is_sound(&tree, rows.len());
        }
    });
}

/// Of every decoded byte is known where it came from, in order.
#[track_caller]
fn leads_back(out: &Decoded, len: usize) {
    assert_eq!(out.from.len(), out.bytes.len() + 1);
    assert!(out.from.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(out.from.last().is_some_and(|end| *end as usize <= len));
}

#[test]
fn escapes_are_undone() {
    let mut out = Decoded::default();
    strewn(4000, 4, |bytes| {
        decode::backslashes(bytes, 0, Map::Base(0), &mut out);
        leads_back(&out, bytes.len());
        let (inner, table) = (out.bytes.clone(), out.from.clone());
        decode::percent(&inner, 0, Map::Table(&table), &|at| (at % 5 == 0).then_some(at + 3), &mut out);
        leads_back(&out, bytes.len());
    });
}

#[test]
fn base64_hex_and_ucs2_are_read_and_written() {
    let mut read = Vec::new();
    strewn(3000, 5, |bytes| {
        for charset in [Charset::Utf8, Charset::Ucs2] {
            let coding = Coding::of_hex(bytes, charset);
            let mut run = Vec::new();
            coding.encode(bytes, &mut run);
            assert!(run.iter().all(u8::is_ascii_hexdigit));
            read.clear();
            assert_eq!(decode::hex_run(&run, &mut read), !run.is_empty());
            assert!(charset == Charset::Ucs2 || read == bytes);
        }
        let mut run = Vec::new();
        Coding::of_base64(bytes).encode(bytes, &mut run);
        read.clear();
        assert_eq!(decode::base64(&run, &mut read), !bytes.is_empty());
        assert_eq!(read, bytes);
        // What is none leaves nothing behind.
        for reader in [decode::base64, decode::hex_run, decode::ucs2] {
            read.clear();
            if !reader(bytes, &mut read) {
                assert!(read.is_empty());
            }
        }
    });
}

#[test]
fn times_and_names_are_read() {
    let fields = FieldLexicon::load(include_str!("../rules/lexicons/fields.toml")).unwrap();
    strewn(3000, 6, |bytes| {
        for piece in bytes.split(|b| matches!(b, b' ' | b'"')).take(40) {
            let parsed = time::parse(piece).map(|time| time.ms);
            assert_eq!(time::parse_ms(piece), parsed);
            let _ = fields.classify(piece);
            let _ = fields.classify_in(bytes, piece);
        }
    });
}

/// The envelope of held records: what was not written by us is an error or a record, never a panic.
#[test]
fn envelopes_are_opened() {
    let mut dice = Dice(7);
    let mut sealed = Vec::new();
    strewn(2000, 7, |bytes| {
        let headers = [(&b"trace"[..], Some(&b"1"[..])), (b"none", None)];
        let record = Record { key: Some(b"k"), value: Some(bytes), headers: &headers, timestamp_ms: Some(5) };
        sealed.clear();
        envelope::encode(&envelope::Cover::default(), &record, &mut sealed);
        let mut opened = Vec::new();
        let held = envelope::decode(&sealed, &mut opened).unwrap();
        assert_eq!((held.key, held.value, opened.as_slice()), (record.key, record.value, &headers[..]));
        mutate(&mut sealed, bytes, &mut dice);
        opened = Vec::new();
        if let Ok(held) = envelope::decode(&sealed, &mut opened) {
            assert!(held.value.is_none_or(|value| value.len() <= sealed.len()));
        }
    });
}

struct Machine {
    engine: Engine,
    policies: Vec<Policy>,
    scratch: Scratch,
}

impl Machine {
    fn new() -> Self {
        let engine = Engine::new(Arc::new(rule::shipped().unwrap().rules), None);
        let policies =
            policy::shipped_ids().map(|id| policy::shipped(id, &[]).unwrap().unwrap().policy).collect();
        Machine { engine, policies, scratch: Scratch::default() }
    }

    fn apply(&mut self, policy: usize, stage: usize, value: &[u8]) -> (Applied, Vec<u8>) {
        let mut out = RecordBuf::default();
        let record = Record { value: Some(value), ..Record::default() };
        let applied = self.engine.apply(&mut self.scratch, &self.policies[policy], stage, &record, &mut out);
        (applied, out.value.unwrap_or_default())
    }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

/// JSON stays JSON, a thread that has seen much comes to what a fresh one does, and a second pass changes nothing but
/// in the oddest of torn texts.
#[test]
fn the_engine_scrubs() {
    let mut machine = Machine::new();
    let (mut round, mut unstable) = (0, Vec::new());
    strewn(1500, 8, |bytes| {
        let policy = round % machine.policies.len();
        round += 1;
        let stages = &machine.policies[policy].stages;
        let stage = round % stages.len();
        let last = machine.policies[policy].position(stage) == Position::Last;
        let (applied, once) = machine.apply(policy, stage, bytes);
        assert_eq!(applied == Applied::Unchanged, once == bytes);
        let withheld = matches!(applied, Applied::Withheld(_));
        let shown = String::from_utf8_lossy(bytes);
        assert!(!is_json(bytes) || is_json(&once) || withheld, "{shown}");
        // At the last stage, what is left of text that is no log may read as something else.
        let (_, again) = machine.apply(policy, stage, &once);
        if !last && again != once {
            unstable.push(format!(
                "{shown}\n{}\n{}",
                String::from_utf8_lossy(&once),
                String::from_utf8_lossy(&again)
            ));
        }
        if round % 8 == 0 {
            let known = std::mem::take(&mut machine.scratch);
            let (_, fresh) = machine.apply(policy, stage, bytes);
            machine.scratch = known;
            assert!(fresh == once, "{shown}");
        }
    });
    assert!(round >= 4500);
    // Text that was torn may be read otherwise once a part of it is replaced: one in five hundred at most.
    assert!(unstable.len() * 500 <= round, "{} of {round}:\n{}", unstable.len(), unstable.join("\n\n"));
}

//! Lines of many kinds, written by hand (`tests/data/*.toml`): what has to go and what has to stay, with the
//! shipped rules and the default policy.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use logscrub::engine::{Engine, Scratch};
use logscrub::numbering::Region;
use logscrub::record::{Record, RecordBuf};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "in")]
    line: String,
    go: Vec<String>,
    stay: Vec<String>,
}

/// `{DE}`, `{+DE}`, `{0DE}`, `{0DE_}`: the region's published example number, as the table's head says.
fn fill(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, open) = rest.split_at(at);
        out.push_str(before);
        let end = open.find('}').map_or(0, |end| end + 1);
        match open.get(1..end.max(2) - 1).and_then(number) {
            Some(number) if end > 0 => {
                out.push_str(&number);
                rest = &open[end..];
            }
            _ => {
                out.push('{');
                rest = &open[1..];
            }
        }
    }
    out + rest
}

fn number(word: &str) -> Option<String> {
    let code = word.trim_start_matches(['0', '+']).trim_end_matches('_');
    let whole = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    let example = Region::from_code(code).filter(|_| whole)?.example_mobile()?;
    let digits = |text: String| text.chars().filter(char::is_ascii_digit).collect::<String>();
    Some(match (word.starts_with('0'), word.starts_with('+'), word.ends_with('_')) {
        (true, _, true) => digits(example.format_national()),
        (true, _, false) => example.format_national(),
        (_, true, _) => example.format_e164(),
        _ => digits(example.format_e164()),
    })
}

#[test]
fn what_goes_and_what_stays() {
    let tables = [
        include_str!("data/lines.toml"),
        include_str!("data/grammar.toml"),
        include_str!("data/arguments.toml"),
    ];
    let cases_of = |text| toml::from_str::<Table>(text).expect("the table parses").case;
    let cases: Vec<Case> = tables.into_iter().flat_map(cases_of).collect();
    let rules = logscrub::rule::shipped().expect("the shipped rules compile").rules;
    let policy = logscrub::policy::shipped("default", &rules.custom).expect("is shipped");
    let policy = policy.expect("compiles").policy;
    let engine = Engine::new(Arc::new(rules), None);
    let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
    let mut wrong = Vec::new();
    for case in &cases {
        let line = fill(&case.line);
        let record = Record { key: None, value: Some(line.as_bytes()), headers: &[], timestamp_ms: None };
        let _ = engine.apply(&mut scratch, &policy, 0, &record, &mut out);
        let text = String::from_utf8_lossy(out.value.as_deref().unwrap_or_default()).into_owned();
        for value in case.go.iter().map(|value| fill(value)) {
            assert!(line.contains(&value), "{}: {value} is not in the line", case.name);
            if text.contains(&value) {
                wrong.push(format!("{}: {value} is still in {text}", case.name));
            }
        }
        for value in case.stay.iter().map(|value| fill(value)) {
            assert!(line.contains(&value), "{}: {value} is not in the line", case.name);
            if !text.contains(&value) {
                wrong.push(format!("{}: {value} is gone from {text}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases.len() >= 110, "a table is cut short");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LastTable {
    case: Vec<LastCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LastCase {
    name: String,
    #[serde(rename = "in")]
    line: String,
    out: String,
}

#[test]
fn what_the_last_stage_leaves() {
    let table: LastTable = toml::from_str(include_str!("data/last.toml")).expect("the table parses");
    let rules = logscrub::rule::shipped().expect("the shipped rules compile").rules;
    let policy = logscrub::policy::shipped("default", &rules.custom).expect("is shipped");
    let policy = policy.expect("compiles").policy;
    let engine = Engine::new(Arc::new(rules), None);
    let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
    let mut last = |line: &str| {
        let record = Record { key: None, value: Some(line.as_bytes()), headers: &[], timestamp_ms: None };
        let _ = engine.apply(&mut scratch, &policy, policy.stages.len() - 1, &record, &mut out);
        String::from_utf8_lossy(out.value.as_deref().unwrap_or_default()).into_owned()
    };
    let mut wrong = Vec::new();
    for case in &table.case {
        let once = last(&fill(&case.line));
        let again = last(&once);
        if once != case.out || again != once {
            wrong.push(format!("{}\n  want  {}\n  once  {once}\n  again {again}", case.name, case.out));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(table.case.len() >= 30, "the table is cut short");
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InsideTable {
    case: Vec<InsideCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InsideCase {
    name: String,
    #[serde(rename = "in")]
    line: String,
    /// What scrub writes; as `in` where it is absent.
    out: Option<String>,
    /// What the last stage writes, where that is asked.
    last: Option<String>,
}

/// `«b64 text»` and the like, the innermost first: the text in that coding.
fn coded(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(end) = text.find('»') {
        let start = text[..end].rfind('«').expect("a mark that is closed was opened");
        let (word, inner) = text[start + '«'.len_utf8()..end].split_once(' ').expect("a coding and a text");
        let hex = |octets: Vec<u8>| octets.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let ucs2 = || inner.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        let letters = match word {
            "b64" => STANDARD.encode(inner),
            "b64-bare" => STANDARD_NO_PAD.encode(inner),
            "url" => URL_SAFE_NO_PAD.encode(inner),
            "percent" => STANDARD.encode(inner).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"),
            "hex" => hex(inner.into()),
            "HEX" => hex(inner.into()).to_uppercase(),
            "ucs2" => hex(ucs2()).to_uppercase(),
            other => panic!("no coding is called {other}"),
        };
        text.replace_range(start..end + '»'.len_utf8(), &letters);
    }
    text
}

#[test]
fn what_stands_in_base64_and_hex() {
    let table: InsideTable = toml::from_str(include_str!("data/inside.toml")).expect("the table parses");
    let rules = logscrub::rule::shipped().expect("the shipped rules compile").rules;
    let policy = logscrub::policy::shipped("default", &rules.custom).expect("is shipped");
    let policy = policy.expect("compiles").policy;
    let engine = Engine::new(Arc::new(rules), None);
    let (mut scratch, mut out) = (Scratch::default(), RecordBuf::default());
    let mut apply = |line: &str, stage: usize| {
        let record = Record { key: None, value: Some(line.as_bytes()), headers: &[], timestamp_ms: None };
        let _ = engine.apply(&mut scratch, &policy, stage, &record, &mut out);
        String::from_utf8_lossy(out.value.as_deref().unwrap_or_default()).into_owned()
    };
    let mut wrong = Vec::new();
    for case in &table.case {
        let line = coded(&fill(&case.line));
        let last = policy.stages.len() - 1;
        let stages = [(0, Some(case.out.as_ref().unwrap_or(&case.line))), (last, case.last.as_ref())];
        for (stage, want) in stages.into_iter().filter_map(|(stage, want)| Some((stage, coded(&fill(want?)))))
        {
            let once = apply(&line, stage);
            let again = apply(&once, stage);
            if once != want || again != once {
                wrong.push(format!(
                    "{}\n  in    {line}\n  want  {want}\n  once  {once}\n  again {again}",
                    case.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(table.case.len() >= 30, "the table is cut short");
}

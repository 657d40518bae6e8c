//! The phone detector against its table of cases (`tests/phone.toml`), against every region's
//! published example number, and against bytes of any kind.

use logscrub::detect::phone::{self, Context, FieldHint, Form};
use logscrub::finding::Detail;
use logscrub::numbering::{Number, Region};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    case: Vec<Case>,
}

/// `{DE}`, `{DE.national}` … in `text` and `find` stand for the published example number of a region.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    text: String,
    /// What is found, in order; empty: nothing.
    #[serde(default)]
    find: Vec<String>,
    /// Calling codes of what is found; 0: not known.
    #[serde(default)]
    code: Vec<u16>,
    #[serde(default)]
    form: Option<String>,
    #[serde(default)]
    field: Option<String>,
    /// One or several, the likeliest first.
    #[serde(default)]
    region: String,
    /// Why nothing is found; needed there.
    #[serde(default)]
    why: Option<String>,
}

impl Case {
    fn regions(&self) -> Vec<Region> {
        self.region.split_whitespace().map(|code| Region::from_code(code).unwrap()).collect()
    }

    fn context<'r>(&self, regions: &'r [Region]) -> Context<'r> {
        let field = match self.field.as_deref() {
            None => FieldHint::None,
            Some("phone") => FieldHint::Phone,
            Some("maybe") => FieldHint::MaybePhone,
            Some("not") => FieldHint::NotPhone,
            Some("prose") => FieldHint::Prose,
            Some(other) => panic!("unknown field hint {other}"),
        };
        Context { field, regions }
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn written(number: &Number, style: &str) -> String {
    match style {
        "" => number.format_e164(),
        "digits" => number.format_e164()[1..].to_owned(),
        "intl" => number.format_international(),
        "national" => number.format_national(),
        "natdigits" => digits(&number.format_national()),
        "rfc" => number.format_rfc3966(),
        "00" => format!("00{}", &number.format_e164()[1..]),
        "query" => format!("%2B{}", &number.format_e164()[1..]),
        other => panic!("unknown style {other}"),
    }
}

fn fill(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let close = open + rest[open..].find('}').unwrap();
        let (code, style) = rest[open + 1..close].split_once('.').unwrap_or((&rest[open + 1..close], ""));
        match Region::from_code(code) {
            Some(region) => out.push_str(&written(&region.example_mobile().unwrap(), style)),
            None => out.push_str(&rest[open..=close]),
        }
        rest = &rest[close + 1..];
    }
    out + rest
}

/// What the engine does with a text: every hit, in order.
fn find(text: &[u8], context: &Context<'_>) -> Vec<phone::Hit> {
    let mut hits = Vec::new();
    let mut pos = 0;
    while pos < text.len() {
        let hit =
            Some(pos).filter(|_| phone::may_begin(text[pos])).and_then(|pos| phone::at(text, pos, context));
        match hit {
            Some(hit) => {
                assert!(hit.span.start() == pos && hit.span.end() > pos && hit.span.end() <= text.len());
                pos = hit.span.end();
                hits.push(hit);
            }
            None if phone::may_begin(text[pos]) => {
                let next = phone::skip(text, pos);
                assert!(next > pos);
                pos = next;
            }
            None => pos += 1,
        }
    }
    hits
}

#[test]
fn table() {
    let table: Table = toml::from_str(include_str!("phone.toml")).unwrap();
    let (mut hits, mut misses, mut wrong) = (0, 0, Vec::new());
    for case in &table.case {
        let text = fill(&case.text);
        let found = find(text.as_bytes(), &case.context(&case.regions()));
        let spans: Vec<_> = found
            .iter()
            .map(|hit| String::from_utf8_lossy(hit.span.of(text.as_bytes())).into_owned())
            .collect();
        let codes: Vec<u16> = found
            .iter()
            .map(|hit| match hit.detail {
                Detail::CallingCode(code) => code,
                Detail::None => 0,
            })
            .collect();
        let expected: Vec<String> = case.find.iter().map(|find| fill(find)).collect();
        if case.find.is_empty() {
            assert!(case.why.is_some(), "a miss needs its reason: {text}");
            misses += 1;
        } else {
            hits += 1;
        }
        let form =
            case.form.as_deref().is_none_or(|form| found.iter().all(|hit| format!("{:?}", hit.form) == form));
        if spans != expected || (!case.code.is_empty() && codes != case.code) || !form {
            wrong.push(format!("{text}\n   found {spans:?} {codes:?}, not {expected:?} {:?}", case.code));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), table.case.len(), wrong.join("\n"));
    assert!(hits >= 60 && misses >= 60, "{hits} hits, {misses} misses");
}

/// Each published example, in each written form, in log lines that say nothing special.
#[test]
fn every_regions_example_is_found_in_log_lines() {
    let mut missed = Vec::new();
    let mut cases = 0;
    for region in Region::all() {
        for number in [region.example_mobile().unwrap(), region.example_fixed().unwrap()] {
            let e164 = number.format_e164();
            let forms = [
                (format!("delivered {e164} in 12 ms"), e164.clone(), None),
                (format!("ts=2026-01-07 dst {e164}, id 7"), e164, None),
                (
                    format!("gateway accepted {} (2 parts)", number.format_international()),
                    number.format_international(),
                    None,
                ),
                (
                    format!("link <{}>", number.format_rfc3966()),
                    number.format_rfc3966()[4..].to_owned(),
                    None,
                ),
                (
                    format!("sent to {} via smsc-3", number.format_national()),
                    number.format_national(),
                    Some(region).filter(|region| region.code() != "001"),
                ),
            ];
            for (text, expected, region) in forms {
                let hits =
                    find(text.as_bytes(), &Context { field: FieldHint::None, regions: region.as_slice() });
                let right = hits.len() == 1
                    && hits[0].span.of(text.as_bytes()) == expected.as_bytes()
                    && matches!(hits[0].detail, Detail::CallingCode(code) if code == number.calling_code());
                cases += 1;
                // Shared codes (+800 …) have no national form to give a region for.
                if !right && (region.is_some() || text.contains('+')) {
                    missed.push(format!("{region:?}: {text}"));
                }
            }
        }
    }
    let share = 1.0 - missed.len() as f64 / f64::from(cases);
    assert!(share >= 0.995, "{} of {cases} missed ({share}):\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn a_value_in_a_phones_place_always_gives_a_span() {
    let us = Region::from_code("US");
    let whole = |text: &str| {
        let hit = phone::whole(text.as_bytes(), us.as_slice());
        let code = if let Detail::CallingCode(code) = hit.detail { code } else { 0 };
        (String::from_utf8_lossy(hit.span.of(text.as_bytes())).into_owned(), code)
    };
    assert_eq!(whole("+14155550132"), ("+14155550132".into(), 1));
    assert_eq!(whole("4155550132"), ("4155550132".into(), 1));
    assert_eq!(whole("447700900123"), ("447700900123".into(), 44));
    assert_eq!(whole("tel:+44-7700-900123"), ("+44-7700-900123".into(), 44));
    assert_eq!(whole("whatsapp:+447700900123"), ("+447700900123".into(), 44));
    assert_eq!(whole("447700900123@s.whatsapp.net"), ("447700900123".into(), 44));
    assert_eq!(whole("24453").0, "24453");
    assert_eq!(whole("LUMETA"), ("LUMETA".into(), 0));
    assert_eq!(whole(""), (String::new(), 0));
    assert_eq!(whole("+1 415 555 0132, +44 7700 900123").0, "+1 415 555 0132, +44 7700 900123");
    assert_eq!(whole("0000000").0, "0000000");
}

/// The same digits, written with other digits, separators and invisible characters, stay found.
#[test]
fn other_scripts_and_separators_change_nothing() {
    let number = Region::from_code("DE").unwrap().example_mobile().unwrap();
    let (e164, international) = (number.format_e164(), number.format_international());
    let in_script = |zero: u32| -> String {
        e164.chars().map(|c| c.to_digit(10).map_or(c, |d| char::from_u32(zero + d).unwrap())).collect()
    };
    let mut forms: Vec<String> =
        [0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0x17E0, 0x1040, 0xFF10, 0x1D7CE, 0x1E950].map(in_script).to_vec();
    forms.push(in_script(0xFF10).replace('+', "\u{FF0B}"));
    for gap in [
        "\u{A0}", "\u{202F}", "\u{2009}", "\u{2011}", "\u{2013}", "\u{2212}", ".", "-", " - ", "\u{3000}",
        "%20",
    ] {
        forms.push(international.replace(' ', gap));
    }
    for invisible in ["\u{200B}", "\u{2060}", "\u{AD}", "\u{200D}", "\u{200E}", "\u{FEFF}"] {
        forms.push(format!("{}{invisible}{}{invisible}{}", &e164[..4], &e164[4..7], &e164[7..]));
    }
    forms.push(e164.replace('+', "%2B"));
    forms.push(e164.replace('+', "%252B"));
    for form in forms {
        let text = format!("moved {form} elsewhere");
        let hits = find(text.as_bytes(), &Context::default());
        let found: Vec<_> =
            hits.iter().map(|hit| String::from_utf8_lossy(hit.span.of(text.as_bytes()))).collect();
        assert_eq!(found, [form.as_str()]);
        assert_eq!(hits[0].detail, Detail::CallingCode(49));
    }
}

#[test]
fn form_names_the_rule() {
    assert_eq!(Form::Lid.class(), logscrub::class::Class::SubjectId);
    assert_eq!(Form::Wamid.detector(), logscrub::detect::Detector::PhoneJid);
}

/// Looking at a text twice as long takes about twice as long: counted in calls, not in time.
#[test]
fn the_work_is_linear_in_the_text() {
    for unit in
        ["1", "1 ", "(1", "+1", "1-", "a1", "+1 (", "1\u{200B}", "w", "%2B", "\u{661}", "1@", "\x1b[1m2"]
    {
        let text = unit.repeat(20_000);
        let started = std::time::Instant::now();
        find(
            text.as_bytes(),
            &Context { field: FieldHint::Phone, regions: Region::from_code("DE").as_slice() },
        );
        assert!(started.elapsed().as_secs() < 5, "{unit:?} took {:?}", started.elapsed());
    }
}

/// Bytes that numbers and their surroundings are made of, and any others.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[0-9]{1,12}".prop_map(String::into_bytes),
        3 => "[-+ ().:/@_#%<>='\"x]{1,3}".prop_map(String::into_bytes),
        2 => prop_oneof![
            Just("tel:"), Just("to "), Just("@s.whatsapp.net"), Just("@g.us"), Just("@lid"), Just("wamid."), Just("ms"),
            Just(" ext. 12"), Just("%2B"), Just("\u{FF0B}"), Just("\u{664}"), Just("\u{200B}"), Just("\u{A0}"),
            Just("电话"), Just("phone "), Just("\x1b[36m"), Just("(0)"), Just("00")
        ].prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes: no panic, hits within the text, in order and apart (asserted in `find`).
    #[test]
    fn any_bytes_are_fine(text in texts(), field in 0..5, region in proptest::option::of(0usize..254)) {
        let field = [FieldHint::None, FieldHint::Phone, FieldHint::MaybePhone, FieldHint::NotPhone, FieldHint::Prose][field as usize];
        let region = region.and_then(|n| Region::all().nth(n));
        find(&text, &Context { field, regions: region.as_slice() });
        let whole = phone::whole(&text, region.as_slice());
        prop_assert!(whole.span.end() <= text.len());
        for pos in 0..=text.len() {
            prop_assert!(phone::skip(&text, pos) > pos);
            let _ = phone::at(&text, pos, &Context { field, regions: region.as_slice() });
        }
    }
}

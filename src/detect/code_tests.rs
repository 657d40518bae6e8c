use serde::Deserialize;

use super::*;

const LEXICON: &str = include_str!("../../rules/lexicons/codes.toml");
const CASES: &str = include_str!("../../tests/data/codes.toml");

#[derive(Deserialize)]
struct Cases {
    language: Vec<Language>,
}

#[derive(Deserialize)]
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

fn lexicon() -> CodeLexicon {
    CodeLexicon::load(LEXICON).expect("the shipped lexicon loads")
}

/// The text with every code found put between « and ».
fn marked(lexicon: &CodeLexicon, text: &str, context: CodeContext) -> String {
    let mut spans = Vec::new();
    lexicon.codes(text.as_bytes(), context, &mut CodeScratch::default(), &mut |start, end| {
        spans.push((start, end))
    });
    let mut out = String::new();
    let mut at = 0;
    for (start, end) in spans {
        out.push_str(&text[at..start]);
        out.push('«');
        out.push_str(&text[start..end]);
        out.push('»');
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

#[test]
fn codes_are_found_in_every_language_of_the_table() {
    let lexicon = lexicon();
    let cases: Cases = toml::from_str(CASES).expect("the table is TOML");
    let message = CodeContext { in_body: true, field_says_code: false };
    let log = CodeContext::default();
    let mut wrong = Vec::new();
    for language in &cases.language {
        assert!(language.hit.len() >= 2 && language.miss.len() >= 2, "{}: two hits, two misses", language.id);
        for (list, context) in [
            (&language.hit, message),
            (&language.miss, message),
            (&language.log_hit, log),
            (&language.log_miss, log),
        ] {
            for case in list {
                let text = case.replace(['«', '»'], "");
                let found = marked(&lexicon, &text, context);
                if found != *case {
                    wrong.push(format!("{}: {found}\n   not {case}", language.id));
                }
            }
        }
    }
    assert!(cases.language.len() >= 45, "{} languages", cases.language.len());
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_field_that_says_code_takes_what_is_no_amount() {
    let lexicon = lexicon();
    let field = CodeContext { in_body: false, field_says_code: true };
    assert_eq!(marked(&lexicon, "482913", field), "«482913»");
    assert_eq!(marked(&lexicon, "482-913", field), "«482-913»");
    assert_eq!(marked(&lexicon, "1250 EUR", field), "1250 EUR");
}

#[test]
fn numbers_of_other_kinds_are_left() {
    let lexicon = lexicon();
    for text in [
        "code +1 415 555 0142",
        "code (415) 555-0142",
        "code 2026-05-01 12:30:15",
        "code 192.0.2.17",
        "code 12.50",
        "code 123e4567-e89b-42d3-a456-426614174000",
        "code of 1234567890123456",
        "code /v1/123456/x",
        "code 4111 1111 1111 1111",
    ] {
        for in_body in [false, true] {
            let context = CodeContext { in_body, field_says_code: false };
            assert_eq!(marked(&lexicon, text, context), text);
        }
    }
}

#[test]
fn any_bytes_in_linear_time() {
    let lexicon = lexicon();
    let mut scratch = CodeScratch::default();
    let mut noise: Vec<u8> = (0..40_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    noise.extend("code 1234 ".repeat(3000).bytes());
    noise.extend("otp ".repeat(9000).bytes());
    noise.extend("1-".repeat(9000).bytes());
    noise.extend("1 ".repeat(9000).bytes());
    let mut last = 0;
    for in_body in [false, true] {
        let context = CodeContext { in_body, field_says_code: false };
        lexicon.codes(&noise, context, &mut scratch, &mut |start, end| {
            assert!(start < end && end <= noise.len());
            last = end;
        });
        assert!(last > 40_000);
    }
    for cut in 0..64 {
        lexicon.codes(&noise[..cut], CodeContext::default(), &mut scratch, &mut |_, _| {});
    }
}

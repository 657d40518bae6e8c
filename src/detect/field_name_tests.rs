use serde::Deserialize;

use super::*;

const LEXICON: &str = include_str!("../../rules/lexicons/fields.toml");
const CASES: &str = include_str!("../../tests/data/field_names.toml");

#[derive(Deserialize)]
struct Cases {
    group: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    means: String,
    names: String,
}

/// `phone!`, `phone`, `phone?`, `-` or nothing, as the lexicon writes it.
fn spelled(meaning: Meaning) -> String {
    if meaning.blocked {
        return "-".to_owned();
    }
    let Some(class) = meaning.class else { return String::new() };
    let mark = match meaning.strength {
        Strength::Sure => "!",
        Strength::Likely => "",
        Strength::Ambiguous => "?",
    };
    format!("{class}{mark}")
}

#[test]
fn names_mean_what_the_table_says() {
    let lexicon = FieldLexicon::load(LEXICON).expect("the shipped lexicon loads");
    let cases: Cases = toml::from_str(CASES).expect("the table is TOML");
    let mut wrong = Vec::new();
    let mut count = 0;
    for group in &cases.group {
        for name in group.names.split_whitespace() {
            count += 1;
            let is = spelled(lexicon.classify(name.as_bytes()));
            // `phone` without a mark in the table: at least likely
            let right = is == group.means || (is.strip_suffix('!') == Some(&group.means));
            if !right {
                wrong.push(format!("{name}: {is:?}, not {:?}", group.means));
            }
        }
    }
    assert!(count >= 400, "{count} names");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn any_bytes_are_a_name() {
    let lexicon = FieldLexicon::load(LEXICON).expect("the shipped lexicon loads");
    for name in
        [&b""[..], b"\xff\xfe", b"___", b"phone\xff", &[b'a'; 500], b"\xe9t\xe9", "ß".repeat(200).as_bytes()]
    {
        let _ = lexicon.classify(name);
        let _ = lexicon.classify_in(name, name);
    }
    assert_eq!(lexicon.classify(b"phone\xff").class, Some(Class::Phone));
}

#[test]
fn a_parent_tells_what_a_bare_name_does_not() {
    let lexicon = FieldLexicon::load(LEXICON).expect("the shipped lexicon loads");
    let class = |parent: &str, name: &str| spelled(lexicon.classify_in(parent.as_bytes(), name.as_bytes()));
    assert_eq!(class("profile", "name"), "name!");
    assert_eq!(class("template", "name"), "-");
    assert_eq!(class("sms", "text"), "body!");
    assert_eq!(class("error", "code"), "-");
    assert_eq!(class("otp", "code"), "code!");
    assert_eq!(class("call", "from"), "phone!");
}

#[test]
fn a_lexicon_with_a_slip_is_refused() {
    for (text, says) in [
        ("[kind.a]\nalone = \"phon\"", "`phon` is no meaning"),
        ("[kind.a]\nwith = [\"b phone\"]", "`b` is no kind"),
        ("[kind.a]\n[[word]]\nkind = \"c\"\nwords = \"x\"", "`c` is no kind"),
        ("[kind.a]\nranks = 3", "unknown field"),
    ] {
        let error = FieldLexicon::load(text).err().expect("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}

//! What is in a made-up record: what must go, what must stay.

use super::read;
use memchr::memmem;
use serde::Serialize;

/// The truth about one record, in the form scorers read (one JSON object a line).
#[derive(Clone, Debug, Default, Serialize)]
pub struct Truth {
    pub id: String,
    pub format: String,
    pub template: String,
    /// The value parses as JSON, and has to afterwards.
    pub json: bool,
    pub must_go: Vec<Go>,
    pub must_stay: Vec<Stay>,
    /// Free choice, not scored.
    pub may: Vec<May>,
    /// What was done to the bytes on purpose: `truncated`, `bom`, `nul`, `bad_utf8`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<&'static str>,
    /// Of the value, where nothing in it must go or may: it has to come out byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_sha256: Option<String>,
}

/// A value that must not survive.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Go {
    /// The glossary's word.
    pub class: &'static str,
    /// As written, before what surrounds it encoded it.
    pub value: String,
    pub tier: Tier,
    /// How it is written: `e164`, `in_body`, `numeric6`, `v4_port` …
    #[serde(skip_serializing_if = "str::is_empty")]
    pub form: &'static str,
    /// Language of a text, and of the text a code stands in (BCP 47).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// Country of a phone number (ISO 3166).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// The subscriber's digits; more than one where a country writes a number differently at home.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub digits: Vec<String>,
    /// The address in its usual form.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub addr: String,
    /// `key` or `headers`; the value where it is absent.
    #[serde(rename = "where", skip_serializing_if = "Place::is_value")]
    pub place: Place,
}

/// How hard a value is to find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    #[default]
    Core,
    Hard,
}

/// Which part of the record a value stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    #[default]
    Value,
    Key,
    Headers,
}

impl Place {
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
    pub fn is_value(&self) -> bool {
        *self == Place::Value
    }
}

/// A value that must survive the first stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stay {
    pub kind: &'static str,
    pub value: String,
    /// How often a perfect scrub leaves it.
    pub n: usize,
    /// What the last stage does to it: `drop`, `coarsen`, `family`; kept where it is empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub s2: &'static str,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct May {
    pub kind: &'static str,
    pub value: String,
}

/// What the last stage does to a kind of value that the first keeps.
fn last_stage(kind: &str) -> &'static str {
    match kind {
        "uuid" | "trace" | "span" | "order_id" | "msgid" | "hash" | "port" | "campaign" => "drop",
        "ts" | "epoch" => "coarsen",
        "ua" => "family",
        _ => "",
    }
}

impl Truth {
    /// Forgets everything about the record before, keeping the buffers.
    pub fn clear(&mut self) {
        self.id.clear();
        self.format.clear();
        self.template.clear();
        self.json = false;
        self.must_go.clear();
        self.must_stay.clear();
        self.may.clear();
        self.tags.clear();
        self.clean_sha256 = None;
    }

    /// Nothing in it that a scrub may touch.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.must_go.is_empty() && self.may.is_empty()
    }

    pub fn go(&mut self, go: Go) {
        let same = |g: &Go| g.class == go.class && g.value == go.value && g.place == go.place;
        if !self.must_go.iter().any(same) {
            self.must_go.push(go);
        }
    }

    pub fn stay(&mut self, kind: &'static str, value: &str) {
        if !self.must_stay.iter().any(|s| s.kind == kind && s.value == value) {
            self.must_stay.push(Stay { kind, value: value.to_owned(), n: 0, s2: last_stage(kind) });
        }
    }

    pub fn may(&mut self, kind: &'static str, value: &str) {
        self.may.push(May { kind, value: value.to_owned() });
    }

    /// Makes of the first stage's truth the last one's: ids, times and user agents must go too, and no
    /// record is clean any more.
    pub fn at_the_last_stage(&mut self) {
        let (go, stay) = std::mem::take(&mut self.must_stay).into_iter().partition(|s| !s.s2.is_empty());
        self.must_stay = stay;
        let go: Vec<Stay> = go;
        self.must_go.extend(go.into_iter().map(|s| Go { class: s.kind, value: s.value, ..Go::default() }));
    }

    /// Whether no value that must go happens to stand in the perfectly scrubbed text too: a code equal
    /// to a count, a number inside a hash. Such a record could not be scored, so it is drawn again.
    #[must_use]
    pub fn is_clear(&self, oracle: &str) -> bool {
        let mut squeezed = None;
        self.must_go.iter().all(|go| match go.class {
            "phone" => {
                let squeezed: &String = squeezed.get_or_insert_with(|| read::squeeze(oracle));
                !go.digits.iter().any(|d| has(squeezed, d))
            }
            "code" => {
                let core: String =
                    read::fold(&go.value).chars().filter(|c| !matches!(c, '-' | ' ')).collect();
                let squeezed: &String = squeezed.get_or_insert_with(|| read::squeeze(oracle));
                !has(squeezed, &core) && !has(oracle, &core) && !has(oracle, &core.to_lowercase())
            }
            "ip" => !has(oracle, &go.addr) && !has(oracle, &go.value),
            _ => !has(oracle, &go.value),
        })
    }
}

fn has(text: &str, needle: &str) -> bool {
    memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(class: &'static str, value: &str, digits: &[&str]) -> Truth {
        let mut truth = Truth::default();
        let digits = digits.iter().map(|d| (*d).to_owned()).collect();
        truth.go(Go { class, value: value.to_owned(), digits, ..Go::default() });
        truth
    }

    #[test]
    fn a_value_that_also_stands_in_the_scrubbed_text_is_not_clear() {
        let cases = [
            (one("code", "123-456", &[]), "count=123456 [code]", false),
            (one("code", "123-456", &[]), "count=123457 [code]", true),
            (one("phone", "+14155550132", &["4155550132"]), "id 415 555-0132 [phone]", false),
            (one("phone", "+14155550132", &["4155550132"]), "id 415 555-0133 [phone]", true),
            (one("name", "Otto Kern", &[]), "Otto Kern", false),
        ];
        for (truth, oracle, clear) in cases {
            assert_eq!(truth.is_clear(oracle), clear, "{oracle}");
        }
    }

    #[test]
    fn the_last_stage_lets_only_what_is_safe_stay() {
        let mut truth = one("name", "Otto Kern", &[]);
        truth.stay("uuid", "x");
        truth.stay("status", "200");
        truth.at_the_last_stage();
        assert_eq!(truth.must_go.iter().map(|g| g.class).collect::<Vec<_>>(), ["name", "uuid"]);
        assert_eq!(truth.must_stay.iter().map(|s| s.kind).collect::<Vec<_>>(), ["status"]);
    }

    #[test]
    fn the_json_form_leaves_out_what_is_empty() {
        let mut truth = one("phone", "+14155550132", &["4155550132"]);
        truth.stay("uuid", "x");
        let json = serde_json::to_string(&truth).unwrap();
        assert!(json.contains(r#""must_go":[{"class":"phone","value":"+14155550132","tier":"core","digits":["4155550132"]}]"#), "{json}");
        assert!(json.contains(r#""must_stay":[{"kind":"uuid","value":"x","n":0,"s2":"drop"}]"#), "{json}");
    }
}

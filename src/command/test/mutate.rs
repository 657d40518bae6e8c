//! `--mutate`: every hit once more, written in other ways that logs have. What a rule finds in one of them it
//! should find in all.

use super::run::Found;
use crate::rule::{Example, Expected};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// A way to write a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What stands around the values in capitals.
    Capitals,
    /// Other signs between a number's groups of digits.
    Separators,
    /// As a string in JSON.
    Json,
    /// The same with every sign and letter beyond ASCII as `\uXXXX`.
    Escaped,
    /// As a parameter, percent-encoded.
    Percent,
    /// In base64.
    Base64,
}

pub const WAYS: [Way; 6] =
    [Way::Capitals, Way::Separators, Way::Json, Way::Escaped, Way::Percent, Way::Base64];

impl Way {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Way::Capitals => "capitals",
            Way::Separators => "separators",
            Way::Json => "json",
            Way::Escaped => "escaped",
            Way::Percent => "percent",
            Way::Base64 => "base64",
        }
    }

    /// The line written so, and the values in it as they are then; `None` where it would be the same.
    fn write(self, line: &str, values: &[String]) -> Option<(String, Vec<String>)> {
        let same = values.to_vec();
        match self {
            Way::Capitals => {
                let written = in_capitals(line, values);
                (written != line).then_some((written, same))
            }
            Way::Separators => {
                let other: Vec<String> = values.iter().map(|value| other_separators(value)).collect();
                let pairs = values.iter().zip(&other);
                let written = pairs.fold(line.to_owned(), |line, (old, new)| line.replace(old, new));
                (written != line).then_some((written, other))
            }
            Way::Json => Some((format!("{{\"line\":{}}}", serde_json::Value::from(line)), same)),
            Way::Escaped => Some((format!("{{\"line\":\"{}\"}}", escaped(line)), same)),
            Way::Percent => Some((format!("GET /hook?line={}&n=1", percent(line)), same)),
            Way::Base64 => Some((format!("line={}", STANDARD.encode(line)), same)),
        }
    }

    /// What an analyst reads in what is left.
    fn read(self, left: &str) -> String {
        match self {
            Way::Capitals | Way::Separators => left.to_owned(),
            Way::Json | Way::Escaped => {
                let value: serde_json::Value = serde_json::from_str(left).unwrap_or_default();
                value.get("line").and_then(|line| line.as_str()).unwrap_or(left).to_owned()
            }
            Way::Percent => unpercent(left),
            Way::Base64 => {
                let coded = left.strip_prefix("line=").unwrap_or(left);
                let bytes = STANDARD.decode(coded).unwrap_or_else(|_| left.as_bytes().to_vec());
                String::from_utf8_lossy(&bytes).into_owned()
            }
        }
    }
}

/// A value that stayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    pub file: String,
    pub line: usize,
    pub rule: String,
    pub value: String,
}

/// How a way of writing fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub way: Way,
    pub values: usize,
    pub lost: Vec<Lost>,
}

/// What mutants are judged by: everything found in a line, and what is left when all of it is removed.
pub trait Engine {
    fn find(&mut self, line: &[u8]) -> Vec<Found>;
    fn leave(&mut self, line: &[u8]) -> Vec<u8>;
}

/// Runs the hits of all rules in every way. A value counts if it goes from the line as it is.
pub fn run(examples: &[Example], engine: &mut impl Engine) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> =
        WAYS.into_iter().map(|way| Outcome { way, values: 0, lost: Vec::new() }).collect();
    for example in examples {
        let Expected::Hit { find } = &example.expected else { continue };
        if engine.find(example.input.as_bytes()).is_empty() {
            continue;
        }
        let left = String::from_utf8_lossy(&engine.leave(example.input.as_bytes())).into_owned();
        // A word that stands in the line twice, once as a name, says nothing.
        let values: Vec<String> = find.iter().filter(|value| !left.contains(*value)).cloned().collect();
        if values.is_empty() {
            continue;
        }
        for outcome in &mut outcomes {
            let Some((written, values)) = outcome.way.write(&example.input, &values) else { continue };
            let left = engine.leave(written.as_bytes());
            let left = outcome.way.read(&String::from_utf8_lossy(&left));
            for value in values {
                outcome.values += 1;
                if left.contains(&value) {
                    let (file, line, rule) = (example.file.clone(), example.line, example.rule.clone());
                    outcome.lost.push(Lost { file, line, rule, value });
                }
            }
        }
    }
    outcomes
}

/// A line for each way, and what stayed.
#[must_use]
pub fn as_text(outcomes: &[Outcome]) -> String {
    let mut text = String::from("\n\nwritten otherwise:\n");
    for outcome in outcomes {
        let found = outcome.values - outcome.lost.len();
        let _ = writeln!(text, "  {:<12} {found} of {} values found", outcome.way.word(), outcome.values);
        for lost in &outcome.lost {
            let _ = writeln!(text, "    {}:{}: {}: `{}` stays", lost.file, lost.line, lost.rule, lost.value);
        }
    }
    text.truncate(text.trim_end().len());
    text
}

#[must_use]
pub fn as_json(outcomes: &[Outcome]) -> serde_json::Value {
    let lost = |lost: &Lost| serde_json::json!({"file": lost.file, "line": lost.line, "rule": lost.rule, "value": lost.value});
    let one = |outcome: &Outcome| {
        let lost: Vec<_> = outcome.lost.iter().map(lost).collect();
        serde_json::json!({"way": outcome.way.word(), "values": outcome.values, "lost": lost})
    };
    outcomes.iter().map(one).collect()
}

/// The line in capitals, its values as they are.
fn in_capitals(line: &str, values: &[String]) -> String {
    let mut written = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let next = values.iter().filter_map(|value| Some((rest.find(value.as_str())?, value))).min();
        let (at, value) = next.map_or((rest.len(), ""), |(at, value)| (at, value.as_str()));
        let (head, tail) = rest.split_at(at);
        written.push_str(&head.to_ascii_uppercase());
        written.push_str(value);
        rest = tail.strip_prefix(value).unwrap_or_default();
    }
    written
}

/// The next sign in turn for each space, dash and full stop between two digits.
fn other_separators(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    // Addresses and decimals have full stops of their own, versions and dates dashes.
    let number = value.starts_with('+') || value.starts_with('(');
    let other = |(at, c): (usize, &char)| match c {
        ' ' if number && digit(at.checked_sub(1)) && digit(Some(at + 1)) => '-',
        '-' if number && digit(at.checked_sub(1)) && digit(Some(at + 1)) => '.',
        '.' if number && digit(at.checked_sub(1)) && digit(Some(at + 1)) => ' ',
        c => *c,
    };
    chars.iter().enumerate().map(other).collect()
}

fn escaped(line: &str) -> String {
    let mut written = String::new();
    for unit in line.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii_alphanumeric() || byte == b' ' => written.push(char::from(byte)),
            _ => {
                let _ = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written
}

fn percent(line: &str) -> String {
    let mut written = String::new();
    for byte in line.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            written.push(char::from(byte));
        } else {
            let _ = write!(written, "%{byte:02X}");
        }
    }
    written
}

fn unpercent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let coded = behind.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match coded.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_read_back() {
        let line = "to=+1 415-555-0132 text=\"Grüße & mehr\"";
        for way in WAYS {
            let (written, values) = way.write(line, &["+1 415-555-0132".to_owned()]).unwrap();
            assert!(way.read(&written).contains(&values[0]), "{way:?} {written}");
        }
        assert_eq!(other_separators("+1 415-555-0132"), "+1-415.555.0132");
        assert_eq!(other_separators("192.0.2.1"), "192.0.2.1");
        assert_eq!(in_capitals("to x, from x!", &["x".to_owned()]), "TO x, FROM x!");
    }
}

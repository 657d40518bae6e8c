//! What `diff` says, for people and for programs.

use super::compare::{Change, Difference};
use crate::command::shown::{class_word, on_one_line, part_of, text};
use crate::engine::{Edit, Part, WithheldReason};
use crate::finding::Span;
use crate::record::Record;
use crate::rule::RuleSet;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The longest value that is shown whole, in characters.
const SHOWN: usize = 80;

/// What is said in place of base64 and hex in which a part was replaced.
const PART: &str = "(a part of it is replaced)";

/// The rules of both sides.
pub struct Sides<'r> {
    pub a: &'r RuleSet,
    pub b: &'r RuleSet,
}

/// Where a difference is.
pub struct Place<'r> {
    pub record: &'r Record<'r>,
    pub part: Part,
    pub span: Span,
}

/// What one of the rule sets makes of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It leaves as it is.
    Passes,
    /// A rule finds it, and the stage replaces it.
    Replaces { class: String, rule: String },
    /// Nothing claims it: the last stage takes it for that.
    Unclaimed,
    /// The whole record is withheld.
    #[serde(serialize_with = "word")]
    Withheld(WithheldReason),
}

fn word<S: Serializer>(reason: &WithheldReason, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(reason.word())
}

impl Side {
    fn of(rules: &RuleSet, edit: Option<&Edit>) -> Side {
        match edit.map(|edit| edit.found) {
            None => Side::Passes,
            Some(None) => Side::Unclaimed,
            Some(Some((class, rule))) => Side::Replaces {
                class: class_word(rules, class),
                rule: rules.info(rule).map(|info| info.id.clone()).unwrap_or_default(),
            },
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::Passes => f.write_str("passes"),
            Side::Replaces { class, rule } => write!(f, "{class}, by {rule}"),
            Side::Unclaimed => f.write_str("goes, since nothing claims it"),
            Side::Withheld(reason) => write!(f, "the record is withheld: {}", reason.word()),
        }
    }
}

/// A value that differs.
#[derive(Debug, Serialize)]
struct Example {
    /// From 1.
    record: u64,
    part: String,
    start: u32,
    end: u32,
    /// The value, or its shape; absent where the whole record is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What A and B write in its place; absent where it passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<String>,
}

/// How often something was met.
#[derive(Debug, Default, Serialize)]
struct Count {
    values: u64,
    records: u64,
    /// The record that was counted last.
    #[serde(skip)]
    last: u64,
}

impl Count {
    fn one(&mut self, record: u64) {
        self.values += 1;
        self.records += u64::from(self.last != record);
        self.last = record;
    }
}

#[derive(Debug, Default)]
struct Group {
    count: Count,
    examples: Vec<Example>,
}

/// What was learnt so far: as much as there are pairs of rules, whatever the sample's size.
pub struct Report {
    show: usize,
    values: bool,
    records: u64,
    changes: BTreeMap<Change, Count>,
    groups: BTreeMap<(Change, Side, Side), Group>,
}

impl Report {
    /// `show` examples of each group; `values`: as they are.
    pub fn new(show: usize, values: bool) -> Self {
        Report { show, values, records: 0, changes: BTreeMap::new(), groups: BTreeMap::new() }
    }

    /// The next record begins.
    pub fn record(&mut self) {
        self.records += 1;
    }

    /// Whether B lets anything pass that A does not.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.changes.contains_key(&Change::NoLonger)
    }

    pub fn take(&mut self, sides: &Sides<'_>, place: &Place<'_>, one: &Difference<'_>) {
        let pair = (Side::of(sides.a, one.a), Side::of(sides.b, one.b));
        // Letters written again hold the rest of their text, too.
        let written = |edit: Option<&Edit>| {
            edit.map(|edit| if edit.inside.is_some() { PART.to_owned() } else { text(&edit.written) })
        };
        let example = Example {
            record: self.records,
            part: part_of(place.record, place.part).0,
            start: place.span.start,
            end: place.span.end,
            text: Some(self.shown(one.bytes)),
            a: written(one.a),
            b: written(one.b),
        };
        self.add(one.change, pair, example);
    }

    /// One of both sides withheld the record, or both did for other reasons.
    pub fn withheld(&mut self, [a, b]: [Side; 2]) {
        let change = match (&a, &b) {
            (Side::Withheld(_), Side::Withheld(_)) => Change::Otherwise,
            (Side::Withheld(_), _) => Change::NoLonger,
            _ => Change::Newly,
        };
        let part = "record".to_owned();
        let example = Example { record: self.records, part, start: 0, end: 0, text: None, a: None, b: None };
        self.add(change, (a, b), example);
    }

    fn add(&mut self, change: Change, (a, b): (Side, Side), example: Example) {
        self.changes.entry(change).or_default().one(self.records);
        let group = self.groups.entry((change, a, b)).or_default();
        group.count.one(self.records);
        if group.examples.len() < self.show {
            group.examples.push(example);
        }
    }

    fn shown(&self, bytes: &[u8]) -> String {
        let whole = text(bytes);
        let mut shown: String =
            whole.chars().take(SHOWN).map(|c| if self.values { c } else { shape(c) }).collect();
        if whole.chars().nth(SHOWN).is_some() {
            shown.push('…');
        }
        shown
    }

    pub fn json(&self) -> String {
        let count = |change| match self.changes.get(&change) {
            Some(count) => serde_json::json!(count),
            None => serde_json::json!(Count::default()),
        };
        let groups = self.groups.iter().map(|((change, a, b), group)| {
            let Group { count, examples } = group;
            serde_json::json!({ "change": change.word(), "a": a, "b": b, "values": count.values,
                "records": count.records, "examples": examples })
        });
        let whole = serde_json::json!({
            "records": self.records,
            "no_longer_redacted": count(Change::NoLonger),
            "newly_redacted": count(Change::Newly),
            "changed": count(Change::Otherwise),
            "groups": groups.collect::<Vec<_>>(),
        });
        serde_json::to_string_pretty(&whole)
            .unwrap_or_else(|_| unreachable!("strings and numbers are always JSON"))
            + "\n"
    }
}

/// A character that tells what kind of one it stands for.
fn shape(char: char) -> char {
    match char {
        char if char.is_numeric() => '9',
        char if char.is_uppercase() => 'X',
        char if char.is_alphabetic() => 'x',
        char if char.is_ascii() && !char.is_control() => char,
        _ => '·',
    }
}

impl Change {
    fn word(self) -> &'static str {
        match self {
            Change::NoLonger => "no_longer_redacted",
            Change::Newly => "newly_redacted",
            Change::Otherwise => "changed",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Change::NoLonger => "no longer redacted",
            Change::Newly => "newly redacted",
            Change::Otherwise => "changed",
        }
    }
}

fn many(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", many(self.values, "value"), many(self.records, "record"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20}{}", "compared", many(self.records, "record"))?;
        for change in [Change::NoLonger, Change::Newly, Change::Otherwise] {
            match self.changes.get(&change) {
                Some(count) => writeln!(f, "{:<20}{count}", change.told())?,
                None => writeln!(f, "{:<20}nothing", change.told())?,
            }
        }
        for ((change, a, b), Group { count, examples }) in &self.groups {
            writeln!(f, "\n{}: {count}", change.told())?;
            writeln!(f, "    A  {a}\n    B  {b}")?;
            for Example { record, part, start, end, text, a, b } in examples {
                let Some(text) = text else {
                    writeln!(f, "       record {record}")?;
                    continue;
                };
                let written =
                    |side: &Option<String>| side.as_deref().map_or("passes".to_owned(), on_one_line);
                let part = on_one_line(part);
                writeln!(f, "       record {record}, {part}, bytes {start} to {end}: {}", on_one_line(text))?;
                writeln!(f, "           {} -> {}", written(a), written(b))?;
            }
        }
        Ok(())
    }
}

//! What `explain` says, for people and for programs.

use super::Loaded;
use super::timeline::{Change, Moment};
use crate::command::shown::{class_word, on_one_line, part_of, text};
use crate::engine::{Applied, Part, Refused};
use crate::finding::Finding;
use crate::policy::Stage;
use crate::record::{Record, RecordBuf};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
pub struct Report {
    pub policy: String,
    /// Why nothing could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<&'static str>,
    pub findings: Vec<FindingReport>,
    /// What looked like a finding and is none.
    pub refused: Vec<RefusedReport>,
    pub stages: Vec<StageReport>,
    pub timeline: Vec<Moment>,
}

#[derive(Serialize)]
pub struct FindingReport {
    /// `value`, `key`, or `header <name>`.
    part: String,
    class: String,
    rule: String,
    /// What the rule says of itself.
    summary: String,
    /// Byte offsets into the part, end not included.
    start: u32,
    end: u32,
    text: String,
    /// What the text holds there, where it is written in base64 or hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<String>,
}

#[derive(Serialize)]
pub struct RefusedReport {
    /// As in a finding.
    part: String,
    /// What it might have been.
    class: String,
    /// Whose rule it would have been, or which rule says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    start: u32,
    end: u32,
    text: String,
    because: String,
}

/// A copy of the record.
#[derive(Serialize)]
pub struct Copy {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// `null` for a tombstone.
    value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, Option<String>)>,
}

impl Copy {
    pub fn of(record: &RecordBuf) -> Self {
        let header = |(name, value): &(Vec<u8>, Option<Vec<u8>>)| (text(name), value.as_deref().map(text));
        Copy {
            key: record.key.as_deref().map(text),
            value: record.value.as_deref().map(text),
            headers: record.headers.iter().map(header).collect(),
        }
    }
}

#[derive(Serialize)]
pub struct StageReport {
    id: String,
    /// The age at which it acts; absent where only accounts have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    /// `unchanged`, `changed`, or `withheld`.
    applied: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Absent for a tombstone.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, Option<String>)>,
}

impl FindingReport {
    pub fn of(
        loaded: &Loaded,
        record: &Record<'_>,
        part: Part,
        finding: &Finding,
        inside: Option<&[u8]>,
    ) -> Self {
        let rules = loaded.engine.rules();
        let (part, bytes) = part_of(record, part);
        let info = rules.info(finding.rule);
        FindingReport {
            part,
            class: class_word(rules, finding.class),
            rule: info.map(|info| info.id.clone()).unwrap_or_default(),
            summary: info.map(|info| info.summary.clone()).unwrap_or_default(),
            start: finding.span.start,
            end: finding.span.end,
            text: text(finding.span.of(bytes)),
            inside: inside.map(text),
        }
    }
}

impl RefusedReport {
    pub fn of(loaded: &Loaded, record: &Record<'_>, part: Part, refused: &Refused) -> Self {
        let rules = loaded.engine.rules();
        let (part, bytes) = part_of(record, part);
        let info = refused.rule.and_then(|rule| rules.info(rule));
        RefusedReport {
            part,
            class: class_word(rules, refused.class),
            rule: info.map(|info| info.id.clone()),
            start: refused.span.start,
            end: refused.span.end,
            text: text(refused.span.of(bytes)),
            because: refused.because.clone(),
        }
    }
}

impl StageReport {
    pub fn new(stage: &Stage, applied: Applied, out: &RecordBuf) -> Self {
        StageReport {
            id: stage.id.clone(),
            after: stage.after.default_period().map(|period| period.to_string()),
            applied: match applied {
                Applied::Unchanged => "unchanged",
                Applied::Changed => "changed",
                Applied::Withheld(_) => "withheld",
            },
            key: out.key.as_deref().map(text),
            value: out.value.as_deref().map(text),
            headers: out
                .headers
                .iter()
                .map(|(name, value)| (text(name), value.as_deref().map(text)))
                .collect(),
        }
    }
}

impl Report {
    pub fn json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.unwrap_or_else(|_| unreachable!("strings and numbers are always JSON")) + "\n"
    }
}

impl Report {
    /// The timeline alone.
    pub fn timeline_json(&self) -> String {
        let whole = serde_json::json!({ "policy": self.policy, "timeline": self.timeline });
        serde_json::to_string_pretty(&whole)
            .unwrap_or_else(|_| unreachable!("strings and numbers are always JSON"))
            + "\n"
    }

    /// The timeline alone, for people.
    pub fn timeline_text(&self) -> String {
        let mut out = String::new();
        for Moment { age, stage, at, changes } in &self.timeline {
            let age = age.as_deref().unwrap_or("as the operator sets");
            let at = at.as_ref().map(|at| format!(", {at}")).unwrap_or_default();
            out += &format!("{age}{at}: {stage} of {}\n", self.policy);
            for Change { topic, copy, note } in changes {
                let Some(Copy { key, value, headers }) = copy else {
                    out += &format!("    {topic:<12} nothing\n");
                    continue;
                };
                out += &format!("    {topic:<12} {}\n", on_one_line(value.as_deref().unwrap_or("null")));
                let key = key.iter().map(|key| ("key".to_owned(), on_one_line(key)));
                let headers = headers.iter().map(|(name, value)| {
                    (format!("header {}", on_one_line(name)), on_one_line(value.as_deref().unwrap_or("null")))
                });
                for (name, value) in key.chain(headers) {
                    out += &format!("    {:<12} {name}: {value}\n", "");
                }
                if let Some(note) = note {
                    out += &format!("    {:<12} ({note})\n", "");
                }
            }
        }
        out
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.withheld {
            Some(reason) => writeln!(f, "withheld: {reason}")?,
            None if self.findings.is_empty() => writeln!(f, "nothing found")?,
            None => {}
        }
        for finding in &self.findings {
            let FindingReport { part, class, rule, summary, start, end, text, inside } = finding;
            writeln!(f, "{class} in {part}, bytes {start} to {end}: {}", on_one_line(text))?;
            if let Some(inside) = inside {
                writeln!(f, "    which holds {}", on_one_line(inside))?;
            }
            write!(f, "    rule {rule}")?;
            if !summary.is_empty() {
                write!(f, ": {summary}")?;
            }
            writeln!(f)?;
        }
        for refused in &self.refused {
            let RefusedReport { part, class, rule, start, end, text, because } = refused;
            writeln!(f, "no {class} in {part}, bytes {start} to {end}: {}", on_one_line(text))?;
            match rule {
                Some(rule) => writeln!(f, "    rule {rule}: {because}")?,
                None => writeln!(f, "    {because}")?,
            }
        }
        for stage in &self.stages {
            let after = stage.after.as_deref().unwrap_or("its account's window");
            writeln!(f, "\n{} of {}, after {after}: {}", stage.id, self.policy, stage.applied)?;
            if let Some(key) = &stage.key {
                writeln!(f, "    key      {}", on_one_line(key))?;
            }
            for (name, value) in &stage.headers {
                writeln!(
                    f,
                    "    header   {}: {}",
                    on_one_line(name),
                    on_one_line(value.as_deref().unwrap_or("null"))
                )?;
            }
            writeln!(f, "    value    {}", on_one_line(stage.value.as_deref().unwrap_or("null")))?;
        }
        Ok(())
    }
}

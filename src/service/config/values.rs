//! Values of the config: from the file or from the environment, with `${…}` filled in.

use crate::diagnostic::{Diagnostic, Report, Severity, TableReader};
use crate::policy::Period;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The process's environment, and which of its variables the config asked for.
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

const PREFIX: &str = "LOGSCRUB__";

impl Environment {
    pub(super) fn new(variables: BTreeMap<String, String>) -> Self {
        Environment { variables, used: RefCell::default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&String> {
        let value = self.variables.get(name);
        if value.is_some() {
            self.used.borrow_mut().insert(name.to_owned());
        }
        value
    }

    /// Variables that begin with a prefix, by their whole names: what follows it, and the value.
    pub(super) fn under(&self, prefix: &str) -> Vec<(&str, &str, &str)> {
        let mut found = Vec::new();
        for (name, value) in &self.variables {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            self.used.borrow_mut().insert(name.clone());
            found.push((name.as_str(), rest, value.as_str()));
        }
        found
    }

    /// A variable that sets nothing is a misspelt one.
    pub(super) fn report_unused(&self, report: &Report<'_>) {
        let used = self.used.borrow();
        for name in self.variables.keys().filter(|name| name.starts_with(PREFIX) && !used.contains(*name)) {
            let message = "this environment variable sets nothing that the config has".to_owned();
            let help = "unset it, or spell it LOGSCRUB__EMBEDDED__PATH, LOGSCRUB__KAFKA__…, LOGSCRUB__PIPELINE__0__…";
            report.add(Diagnostic::of_file(Severity::Error, name, message).help(help));
        }
    }
}

/// Where a value came from, for messages.
pub(super) enum Origin {
    File(Range<usize>),
    Variable(String),
}

/// Reads the keys of one table, each of which a variable of the environment can override.
pub(super) struct Values<'v, 's> {
    report: &'v Report<'s>,
    environment: &'v Environment,
    prefix: String,
}

impl<'v, 's> Values<'v, 's> {
    pub(super) fn new(report: &'v Report<'s>, environment: &'v Environment, prefix: &str) -> Self {
        Values { report, environment, prefix: prefix.to_owned() }
    }

    pub(super) fn error(&self, origin: &Origin, message: &str, help: &str) {
        match origin {
            Origin::File(span) => self.report.error(span.clone(), message, help),
            Origin::Variable(name) => {
                self.report.add(Diagnostic::of_file(Severity::Error, name, message.to_owned()).help(help));
            }
        }
    }

    fn variable(&self, key: &str) -> Option<(String, Origin)> {
        let name = format!("{}__{}", self.prefix, key.to_uppercase());
        self.environment.get(&name).map(|value| (value.clone(), Origin::Variable(name)))
    }

    /// Whether the key is given, here or there.
    pub(super) fn has(&self, table: &TableReader<'_, '_, '_>, key: &str) -> bool {
        table.has(key) || self.variable(key).is_some()
    }

    fn text(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<(String, Origin)> {
        let file = table.string(key).map(|text| {
            let span = text.span();
            (text.into_inner(), Origin::File(span))
        });
        let (text, origin) = self.variable(key).or(file)?;
        self.fill(&text, &origin).map(|text| (text, origin))
    }

    /// The value with `${…}` filled in; `None` where that cannot be, which the report says.
    pub(super) fn fill(&self, text: &str, origin: &Origin) -> Option<String> {
        let filled = fill(text, self.environment);
        let help = "write `${env:NAME}` or `${file:PATH}` as the whole value";
        filled.map_err(|message| self.error(origin, &message, help)).ok()
    }

    pub(super) fn string(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<String> {
        self.text(table, key).map(|(text, _)| text)
    }

    pub(super) fn required(
        &self,
        table: &TableReader<'_, '_, '_>,
        key: &'static str,
        example: &str,
    ) -> Option<String> {
        if self.variable(key).is_some() {
            return self.string(table, key);
        }
        table.required_string(key, example).map(toml::Spanned::into_inner)
    }

    /// A legal topic name, or an error.
    pub(super) fn topic(&self, key: &str, name: String) -> String {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        // Lanes and the like add up to 24 characters to a name; Kafka's limit is 249.
        if name.is_empty() || name.len() > 220 || !name.bytes().all(legal) {
            let origin = Origin::File(0..0);
            let message = format!("`{key}` is no topic name");
            self.error(&origin, &message, "a topic's name is 1 to 220 of A-Z, a-z, 0-9, `.`, `_` and `-`");
        }
        name
    }

    pub(super) fn duration_ms(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<i64> {
        let (text, origin) = self.text(table, key)?;
        let ms = seconds(&text).and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000));
        if ms.is_none() {
            self.error(
                &origin,
                &format!("`{key}` is no length of time"),
                "write `90d`, `12h`, `30min` or `40s`",
            );
        }
        ms
    }

    /// A whole number from 1 up.
    pub(super) fn count(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<usize> {
        let file = table.integer(key).map(|number| {
            let span = number.span();
            (number.into_inner().to_string(), Origin::File(span))
        });
        let (text, origin) = self.variable(key).or(file)?;
        let count = text.parse().ok().filter(|count| *count > 0);
        if count.is_none() {
            self.error(&origin, &format!("`{key}` is no number from 1 up"), "write `1`, `2`, …");
        }
        count
    }

    /// Lengths of time in seconds, none of them zero.
    pub(super) fn durations(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<Vec<u64>> {
        let mut all = Vec::new();
        for (text, origin) in self.list(table, key)? {
            match seconds(&text).filter(|seconds| *seconds > 0) {
                Some(seconds) => all.push(seconds),
                None => self.error(
                    &origin,
                    &format!("a length of time in `{key}` does not read"),
                    "write `[\"7d\", \"1d\", \"1h\"]`, each longer than nothing",
                ),
            }
        }
        Some(all)
    }

    pub(super) fn strings(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<Vec<String>> {
        Some(self.list(table, key)?.into_iter().map(|(text, _)| text).collect())
    }

    fn list(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<Vec<(String, Origin)>> {
        let file = table.strings(key);
        if let Some((text, origin)) = self.variable(key) {
            let Origin::Variable(name) = origin else { return None };
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            return Some(items.map(|item| (item.to_owned(), Origin::Variable(name.clone()))).collect());
        }
        table.value(key)?;
        let with_span = |item: toml::Spanned<String>| {
            let span = item.span();
            (item.into_inner(), Origin::File(span))
        };
        Some(file.into_iter().map(with_span).collect())
    }

    pub(super) fn boolean(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<bool> {
        let file = table.boolean(key).map(toml::Spanned::into_inner);
        let Some((text, origin)) = self.variable(key) else { return file };
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.error(&origin, &format!("`{key}` must be true or false"), "write `true` or `false`");
                None
            }
        }
    }

    /// An error about a key that was read.
    pub(super) fn wrong(
        &self,
        table: &TableReader<'_, '_, '_>,
        key: &'static str,
        message: &str,
        help: &str,
    ) {
        let span = table.value(key).map_or_else(|| table.span(), toml::Spanned::span);
        self.error(&self.variable(key).map_or(Origin::File(span), |(_, origin)| origin), message, help);
    }
}

fn seconds(text: &str) -> Option<u64> {
    let period: Period = text.parse().ok()?;
    (period.months == 0).then_some(period.seconds)
}

/// Fills in a value that is `${env:NAME}` or `${file:PATH}` as a whole. A file's last line ending
/// does not count.
fn fill(text: &str, environment: &Environment) -> Result<String, String> {
    let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        if text.contains("${") {
            return Err("`${…}` stands inside a longer value".into());
        }
        return Ok(text.to_owned());
    };
    match inner.split_once(':') {
        Some(("env", name)) => {
            environment.get(name).cloned().ok_or_else(|| format!("the environment has no variable `{name}`"))
        }
        Some(("file", path)) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| format!("{path}: cannot be read: {}", error.kind()))?;
            Ok(text
                .strip_suffix('\n')
                .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text))
                .to_owned())
        }
        _ => Err("`${…}` names neither `env:` nor `file:`".into()),
    }
}

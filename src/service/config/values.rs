//! Values of the config: from the file or from the environment, with `${…}` filled in.

use crate::diagnostic::{Diagnostic, Report, Severity, TableReader};
use crate::numbering::Region;
use crate::policy::Period;
use crate::service::file;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

/// The process's environment, and which of its variables the config asked for.
pub(super) struct Environment {
    variables: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

const PREFIX: &str = "LOGSCRUB__";

/// The most of anything that is counted: threads.
const MOST: usize = 256;

const DAY_MS: i64 = 86_400_000;

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
        filled.map_err(|(message, help)| self.error(origin, &message, help)).ok()
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
        if !self.has(table, key) {
            return table.required_string(key, example).map(toml::Spanned::into_inner);
        }
        self.string(table, key)
    }

    /// A legal topic name, or an error.
    pub(super) fn topic(&self, table: &TableReader<'_, '_, '_>, key: &'static str, name: String) -> String {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        // Lanes and the like add up to 24 characters to a name; Kafka's limit is 249.
        if name.is_empty() || name.len() > 220 || !name.bytes().all(legal) {
            let message = format!("`{key}` is no topic name");
            let help = "a topic's name is 1 to 220 of A-Z, a-z, 0-9, `.`, `_` and `-`";
            self.wrong(table, key, &message, help);
        }
        name
    }

    pub(super) fn duration_ms(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<i64> {
        if let Some(number) = table.value(key).filter(|value| value.get_ref().is_integer()) {
            let help = format!("write `{key} = \"10s\"`, in quotes");
            self.report.error(
                number.span(),
                format!("`{key}` is a length of time, and needs its unit"),
                help,
            );
            return None;
        }
        let (text, origin) = self.text(table, key)?;
        let ms = seconds(&text).and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000));
        if ms.is_none() {
            // 24m for 24 months would be 24 minutes.
            let calendar = text.parse::<Period>().is_ok_and(|period| period.months > 0);
            let help = match calendar {
                true => "months and years differ in length: write it in days, as in `90d`",
                false => "write `90d`, `12h`, `30min` or `40s`",
            };
            self.error(&origin, &format!("`{key}` is no length of time"), help);
        }
        ms
    }

    /// How often something is done: a length of time of a day at most.
    pub(super) fn pace_ms(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<i64> {
        let ms = self.duration_ms(table, key)?;
        if ms > DAY_MS {
            let message = format!("`{key}` is how often something is done, a day (`1d`) at most");
            self.wrong(table, key, &message, "write `10s`, or leave the line out");
        }
        Some(ms)
    }

    /// `host:port`, or `off`.
    pub(super) fn address(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<String> {
        let (text, origin) = self.text(table, key)?;
        let named = |host: &str| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        };
        let with_name =
            text.rsplit_once(':').is_some_and(|(host, port)| named(host) && port.parse::<u16>().is_ok());
        if text != "off" && !with_name && text.parse::<std::net::SocketAddr>().is_err() {
            let message = format!("`{key}` is no address with a port");
            self.error(&origin, &message, "write `127.0.0.1:9464`, `[::1]:9464`, or `off`");
        }
        Some(text)
    }

    /// A country by its two letters.
    pub(super) fn region(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<Region> {
        let (text, origin) = self.text(table, key)?;
        let region = Region::from_code(&text);
        if region.is_none() {
            let message = format!("no country has the two-letter code `{text}`");
            self.error(&origin, &message, "write one of ISO 3166, as in `US`, `GB`");
        }
        region
    }

    /// A key's place, for what turns out wrong later; nothing where it is not given.
    pub(super) fn place(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<Diagnostic> {
        let variable = self.variable(key).map(|(_, origin)| origin);
        let origin = variable.or_else(|| table.value(key).map(|value| Origin::File(value.span())))?;
        Some(self.at(&origin))
    }

    /// A place, and nothing said of it yet.
    pub(super) fn at(&self, origin: &Origin) -> Diagnostic {
        match origin {
            Origin::File(span) => {
                Diagnostic::at(Severity::Error, self.report.source, span.clone(), String::new())
            }
            Origin::Variable(name) => Diagnostic::of_file(Severity::Error, name, String::new()),
        }
    }

    /// A whole number from 1 to [`MOST`].
    pub(super) fn count(&self, table: &TableReader<'_, '_, '_>, key: &'static str) -> Option<usize> {
        let file = table.integer(key).map(|number| {
            let span = number.span();
            (number.into_inner().to_string(), Origin::File(span))
        });
        let (text, origin) = self.variable(key).or(file)?;
        let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
        if count.is_none() {
            let message = format!("`{key}` is no number from 1 to {MOST}");
            self.error(&origin, &message, "write `1`, `2`, …");
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

const WHOLE: &str = "write `${env:NAME}` or `${file:PATH}` as the whole value";

/// Fills in a value that is `${env:NAME}` or `${file:PATH}` as a whole. A file's last line ending
/// does not count.
fn fill(text: &str, environment: &Environment) -> Result<String, (String, &'static str)> {
    let Some(inner) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        if text.contains("${") {
            return Err(("`${…}` stands inside a longer value".into(), WHOLE));
        }
        return Ok(text.to_owned());
    };
    match inner.split_once(':') {
        Some(("env", name)) => environment.get(name).cloned().ok_or_else(|| {
            (format!("the environment has no variable `{name}`"), "set it where the program is started")
        }),
        Some(("file", path)) => {
            let text = file::read(Path::new(path)).map_err(|why| {
                (format!("{path}: {why}"), "the value is what stands in that file: make it readable to us")
            })?;
            Ok(text
                .strip_suffix('\n')
                .map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text))
                .to_owned())
        }
        _ => Err(("`${…}` names neither `env:` nor `file:`".into(), WHOLE)),
    }
}

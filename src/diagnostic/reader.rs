//! Reads TOML tables key by key and reports every mistake: wrong types, missing keys, unknown keys.

use super::{Report, did_you_mean};
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The document's top table; `None` where it is not TOML, with every syntax error in the report. (What a
/// broken file seems to lack is not reported: it may stand in the part that could not be read.)
#[must_use]
pub fn parse<'s>(report: &Report<'s>) -> Option<Spanned<DeTable<'s>>> {
    let (document, errors) = DeTable::parse_recoverable(&report.source.text);
    let good = errors.is_empty();
    for error in errors {
        let span = error.span().unwrap_or_default();
        report.error(
            span,
            format!("not valid TOML: {}", first_line(error.message())),
            syntax_help(error.message()),
        );
    }
    good.then_some(document)
}

fn first_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

fn syntax_help(message: &str) -> &'static str {
    if message.contains("escape") {
        "put patterns and paths in single quotes: '…' and '''…''' take backslashes as they are"
    } else if message.contains("duplicate") {
        "each key stands once in a table; a second rule starts with its own [[rule]]"
    } else {
        "strings need quotes, lists [a, b], tables [name] or { key = value }"
    }
}

/// Where the text between the quotes starts in the source, if it stands there unescaped: then an offset
/// into the string is an offset into the file.
#[must_use]
pub fn content_start(source: &str, value: &Spanned<String>) -> Option<usize> {
    let span = value.span();
    let raw = source.get(span.clone())?;
    let at = raw.find(value.get_ref().as_str())?;
    // An empty or repeated text could be found in the quotes themselves; only quotes may stand before it.
    raw.get(..at)?.chars().all(|c| matches!(c, '\'' | '"' | '\n' | '\r')).then_some(span.start + at)
}

/// One table. Each key is asked for once; [`TableReader::finish`] reports the keys that nobody asked for.
pub struct TableReader<'r, 't, 's> {
    report: &'r Report<'s>,
    table: &'t DeTable<'t>,
    span: Range<usize>,
    /// `a rule`, `a stage`: how messages call the table.
    what: &'static str,
    asked: RefCell<Vec<&'static str>>,
}

impl<'r, 't, 's> TableReader<'r, 't, 's> {
    #[must_use]
    pub fn new(
        report: &'r Report<'s>,
        table: &'t DeTable<'t>,
        span: Range<usize>,
        what: &'static str,
    ) -> Self {
        TableReader { report, table, span, what, asked: RefCell::default() }
    }

    /// Where the table's header, or the inline table, stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    #[must_use]
    pub fn report(&self) -> &'r Report<'s> {
        self.report
    }

    /// The value of a key, whatever its type.
    pub fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.ask(key);
        self.table.get(key)
    }

    /// Whether the key is there with any value but the empty list.
    pub fn has(&self, key: &str) -> bool {
        let value = self.table.get(key);
        value.is_some_and(|value| value.get_ref().as_array().is_none_or(|list| list.iter().next().is_some()))
    }

    fn ask(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    /// Every key and value; no key is unknown afterwards.
    pub fn entries(&self) -> impl Iterator<Item = (Spanned<String>, &'t Spanned<DeValue<'t>>)> {
        self.table
            .iter()
            .map(|(key, value)| (Spanned::new(key.span(), key.get_ref().clone().into_owned()), value))
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, example: &str) {
        let message = format!("`{key}` must be {wanted}, not {}", type_word(value.get_ref()));
        self.report.error(value.span(), message, format!("write {example}"));
    }

    fn missing(&self, key: &str, example: &str) {
        self.report.error(self.span(), format!("{} needs `{key}`", self.what), format!("add {example}"));
    }

    pub fn string(&self, key: &'static str) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        let text = spanned_string(value);
        if text.is_none() {
            self.wrong_type(key, value, "a string", &format!("`{key} = \"…\"`"));
        }
        text
    }

    /// `example`: the whole line that would mend a missing key.
    pub fn required_string(&self, key: &'static str, example: &str) -> Option<Spanned<String>> {
        if self.table.get(key).is_none() {
            self.ask(key);
            self.missing(key, example);
            return None;
        }
        self.string(key)
    }

    /// A list of strings; a string alone is a list of one.
    pub fn strings(&self, key: &'static str) -> Vec<Spanned<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        if let Some(one) = spanned_string(value) {
            return vec![one];
        }
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings", &format!("`{key} = [\"…\"]`"));
            return Vec::new();
        };
        let mut strings = Vec::new();
        for item in items.iter() {
            match spanned_string(item) {
                Some(text) => strings.push(text),
                None => self.wrong_type(key, item, "a list of strings", &format!("`{key} = [\"…\"]`")),
            }
        }
        strings
    }

    pub fn integer(&self, key: &'static str) -> Option<Spanned<i64>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok());
        if number.is_none() {
            let example = match value.get_ref().as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
                Some(number) => format!("`{key} = {number}`, without quotes"),
                None => format!("`{key} = 40`"),
            };
            self.wrong_type(key, value, "a whole number", &example);
        }
        number.map(|n| Spanned::new(value.span(), n))
    }

    pub fn boolean(&self, key: &'static str) -> Option<Spanned<bool>> {
        let value = self.value(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong_type(key, value, "true or false", &format!("`{key} = true`"));
        }
        truth.map(|t| Spanned::new(value.span(), t))
    }

    pub fn table(&self, key: &'static str, what: &'static str) -> Option<TableReader<'r, 't, 's>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong_type(key, value, "a table", &format!("`{key} = {{ … }}`"));
            return None;
        };
        Some(TableReader::new(self.report, table, value.span(), what))
    }

    /// `[[key]]`, any number of times.
    pub fn tables(&self, key: &'static str, what: &'static str) -> Vec<TableReader<'r, 't, 's>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        // Tables within a rule are written with its name before theirs.
        let within = if self.what == "a rule" { "rule." } else { "" };
        let example = format!("`[[{within}{key}]]` with two brackets");
        let Some(items) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables", &example);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            match item.get_ref().as_table() {
                Some(table) => tables.push(TableReader::new(self.report, table, item.span(), what)),
                None => self.wrong_type(key, item, "a list of tables", &example),
            }
        }
        tables
    }

    /// Reports the keys that nobody asked for, and says whether there were any.
    pub fn finish(self) -> bool {
        self.finish_but(&[], "")
    }

    /// As [`finish`](TableReader::finish); `elsewhere` are keys that belong into another table, and `help` says into
    /// which.
    pub fn finish_but(self, elsewhere: &[&str], help_elsewhere: &str) -> bool {
        let asked = self.asked.into_inner();
        let mut strangers = false;
        for key in self.table.keys().filter(|key| !asked.contains(&key.get_ref().as_ref())) {
            let word = key.get_ref();
            let help = match did_you_mean(word, asked.iter().copied()) {
                _ if elsewhere.contains(&word.as_ref()) => help_elsewhere.to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{} knows {}", self.what, list(&asked)),
            };
            self.report.error(key.span(), format!("{} has no key `{word}`", self.what), help);
            strangers = true;
        }
        strangers
    }
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn spanned_string(value: &Spanned<DeValue<'_>>) -> Option<Spanned<String>> {
    value.get_ref().as_str().map(|text| Spanned::new(value.span(), text.to_owned()))
}

fn type_word(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

//! What is wrong with a file that a person wrote: where, what, and how to mend it.
//!
//! Everything that reads rules, policies or configuration collects [`Diagnostic`]s in a [`Report`] and
//! goes on, so that all mistakes are shown at once. They quote the file's own line, which is for whoever asked; our own
//! logs take [`Diagnostic::without_content`].

mod content;
mod reader;
mod similar;

pub use reader::{TableReader, content_start, parse};
pub use similar::did_you_mean;

use serde::Serialize;
use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

/// A file as errors name it, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Path as the user wrote it, or as it stands in the project for what is shipped.
    pub name: String,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing that is wrong, or, for a warning, that should be better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub file: String,
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub message: String,
    /// How to mend it; empty where the message says all.
    pub help: String,
    #[serde(skip)]
    excerpt: Option<Excerpt>,
    /// The part of the file that is meant, its first line; `None` where the message is not about what stands there.
    #[serde(skip)]
    marked: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    line: String,
    /// What stands before the caret: the line's own tabs, else spaces.
    indent: String,
    carets: usize,
    label: String,
}

/// The longest part of a source line that is quoted, in characters.
const QUOTED_CHARS: usize = 100;

impl Diagnostic {
    /// About the bytes `span` of the source's text; a span outside points to the text's end.
    #[must_use]
    pub fn at(severity: Severity, source: &Source, span: Range<usize>, message: String) -> Self {
        let text = source.text.as_str();
        let start = floor_char(text, span.start);
        let end = floor_char(text, span.end.max(start));
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let column = text.get(line_start..start).unwrap_or_default().chars().count();
        let line_left = line.chars().count().saturating_sub(column);
        let marked = text.get(start..end).unwrap_or_default().split('\n').next().unwrap_or_default();
        let carets = marked.chars().count().clamp(1, line_left.max(1));
        Diagnostic {
            severity,
            file: source.name.clone(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            message,
            help: String::new(),
            excerpt: Some(Excerpt::cut(line, column, carets)),
            marked: Some(marked.to_owned()),
        }
    }

    /// About the file as a whole: it cannot be read, or something is missing from it.
    #[must_use]
    pub fn of_file(severity: Severity, file: &str, message: String) -> Self {
        let (file, help, marked) = (file.to_owned(), String::new(), None);
        Diagnostic { severity, file, line: 0, column: 0, message, help, excerpt: None, marked }
    }

    /// The same place with something else to say: what it led to, which quotes nothing of the file.
    #[must_use]
    pub fn says(&self, message: String) -> Self {
        Diagnostic { message, marked: None, ..self.clone() }
    }

    /// Leaves out the file's own line, what the message quotes of it, and a help that does.
    pub fn hide_content(&mut self) {
        if let Some(marked) = self.marked.take() {
            self.message = content::without(&self.message, &marked);
            if content::is_quoted(&self.help, &marked) {
                "`logscrub check` shows the line, and how to mend it".clone_into(&mut self.help);
            }
        }
        self.excerpt = None;
    }

    /// Where and what, in one line, without anything that stands in the file: neither its line nor the words that a
    /// message quotes. Examples of rules are lines of somebody's logs.
    #[must_use]
    pub fn without_content(&self) -> String {
        let message = match &self.marked {
            Some(marked) => content::without(&self.message, marked),
            None => self.message.clone(),
        };
        self.place() + &message
    }

    /// `file:line:column: `, as far as it is known.
    fn place(&self) -> String {
        match (self.file.as_str(), self.line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}:{}: ", self.column),
        }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// A few words beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(excerpt) = &mut self.excerpt {
            excerpt.label = label.into();
        }
        self
    }
}

impl Excerpt {
    /// A long line is cut to a window around its caret.
    fn cut(line: &str, column: usize, carets: usize) -> Self {
        let total = line.chars().count();
        let mut from = 0;
        if total > QUOTED_CHARS {
            from = column.saturating_sub(QUOTED_CHARS / 2);
        }
        let mut shown: String = line.chars().skip(from).take(QUOTED_CHARS).collect();
        let mut indent: String =
            shown.chars().take(column - from).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let carets = carets.min(QUOTED_CHARS.saturating_sub(column - from)).max(1);
        if from > 0 {
            shown.insert(0, '…');
            indent.insert(0, ' ');
        }
        if from + QUOTED_CHARS < total {
            shown.push('…');
        }
        Excerpt { line: shown, indent, carets, label: String::new() }
    }
}

fn floor_char(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{word}: {}{}", self.place(), self.message)?;
        if let Some(excerpt) = &self.excerpt {
            let number = self.line.to_string();
            let gutter = " ".repeat(number.len());
            let carets = "^".repeat(excerpt.carets);
            write!(f, "\n  {number} | {}\n  {gutter} | {}{carets}", excerpt.line, excerpt.indent)?;
            if !excerpt.label.is_empty() {
                write!(f, " {}", excerpt.label)?;
            }
        }
        if !self.help.is_empty() {
            write!(f, "\nhelp: {}", self.help)?;
        }
        Ok(())
    }
}

/// Everything wrong with a set of files; as an error, at least one of them is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|one| one.severity == Severity::Error)
    }

    /// `Err` with the errors if there is one (warnings would hide them), else `Ok` with the warnings.
    ///
    /// # Errors
    /// Every error, in the order of files and lines.
    pub fn into_result(mut self) -> Result<Diagnostics, Diagnostics> {
        if !self.has_errors() {
            return Ok(self);
        }
        self.0.retain(|one| one.severity == Severity::Error);
        Err(self)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, one) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n\n")?;
            }
            one.fmt(f)?;
        }
        Ok(())
    }
}

/// Collects what is wrong with one source while it is read.
#[derive(Debug)]
pub struct Report<'s> {
    pub source: &'s Source,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'s> Report<'s> {
    #[must_use]
    pub fn new(source: &'s Source) -> Self {
        Report { source, found: RefCell::default() }
    }

    pub fn add(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// The usual case: an error at a place, with a way to mend it.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Diagnostic::at(Severity::Error, self.source, span, message.into()).help(help));
    }

    pub fn warning(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Diagnostic::at(Severity::Warning, self.source, span, message.into()).help(help));
    }

    /// What was collected, by line and column.
    #[must_use]
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|one| (one.line, one.column));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { name: "a.toml".into(), text: text.into() }
    }

    #[test]
    fn shows_place_line_caret_and_help() {
        let source = source("id = 1\npattern = '''\\+[1-9(\\d{7,14}'''\n");
        let shown = Diagnostic::at(Severity::Error, &source, 22..23, "`[` is never closed".into())
            .label("opened here")
            .help("write `\\[` if you mean the character itself")
            .to_string();
        assert_eq!(
            shown,
            "error: a.toml:2:16: `[` is never closed\n  2 | pattern = '''\\+[1-9(\\d{7,14}'''\n    |                \
             ^ opened here\nhelp: write `\\[` if you mean the character itself"
        );
    }

    #[test]
    fn any_span_of_any_text_is_shown_without_a_panic() {
        let source = source("é\t\"日本\"\r\nx = 1");
        for start in 0..20 {
            for end in 0..20 {
                let one = Diagnostic::at(Severity::Warning, &source, start..end, String::new());
                assert!(one.line >= 1 && one.column >= 1, "{one}");
            }
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let long = source(&format!("{}X{}", "a".repeat(500), "b".repeat(500)));
        let shown = Diagnostic::at(Severity::Error, &long, 500..501, "m".into()).to_string();
        let lines: Vec<&str> = shown.lines().collect();
        let caret = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(caret), Some('X'));
        assert!(lines[1].chars().count() < 120);
    }
}

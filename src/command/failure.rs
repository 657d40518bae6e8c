//! How a verb ends badly: one message on stderr, one exit code.

use super::exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use std::fmt;
use std::io::IsTerminal as _;

/// Why a verb could not do its work. The message says what, where and how to mend it; it never
/// holds a record's content.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    /// At least one.
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// Begins with `error: `.
    Text(String),
    Of(Diagnostic),
}

impl Failure {
    /// Lower case, no full stop; further lines may give help.
    #[must_use]
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Failure { code, parts: vec![Part::Text(format!("{ERROR}{}", message.into()))] }
    }

    /// The arguments do not fit together, or name something that does not exist.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(exit::USAGE, message)
    }

    /// Adds how to go on.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        match self.parts.last_mut() {
            Some(Part::Text(text)) => *text += &format!("{HELP}{help}"),
            Some(Part::Of(one)) => help.clone_into(&mut one.help),
            None => {}
        }
        self
    }

    #[must_use]
    pub fn io(doing: &str, error: &std::io::Error) -> Self {
        Failure::new(exit::IO, format!("{doing}: {error}"))
    }

    /// Rules, policy or config are not right.
    #[must_use]
    pub fn invalid(diagnostics: &Diagnostics) -> Self {
        let parts = diagnostics.0.iter().cloned().map(Part::Of).collect();
        Failure { code: exit::INVALID, parts }
    }

    /// Both; what they have in common is said once. The exit code is the first one's.
    #[must_use]
    pub fn and(mut self, other: Failure) -> Self {
        for part in other.parts {
            if !self.parts.contains(&part) {
                self.parts.push(part);
            }
        }
        self
    }

    /// Gives what has no place the place of the line that led to it. `at` says it there.
    #[must_use]
    pub fn placed(mut self, at: impl Fn(String) -> Diagnostic) -> Self {
        for part in &mut self.parts {
            if let Part::Text(text) = part {
                let Diagnostic { message, help, .. } = diagnostic(text);
                *part = Part::Of(at(message).help(help));
            }
        }
        self
    }

    /// The same for a verb whose answer it is.
    #[must_use]
    pub fn with_code(self, code: u8) -> Self {
        Failure { code, ..self }
    }

    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Each thing that is wrong, for programs.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let one = |part: &Part| match part {
            Part::Text(text) => diagnostic(text),
            Part::Of(one) => one.clone(),
        };
        self.parts.iter().map(one).collect()
    }

    /// For our own logs: where and what, and nothing that stands in a file.
    #[must_use]
    pub fn without_content(&self) -> String {
        let one = |part: &Part| match part {
            Part::Text(text) => text.strip_prefix(ERROR).unwrap_or(text).to_owned(),
            Part::Of(one) => one.without_content(),
        };
        self.parts.iter().map(one).collect::<Vec<_>>().join("\n")
    }

    /// Says it on stderr and gives the exit code.
    #[must_use]
    pub fn report(&self) -> u8 {
        eprintln!("{self}");
        self.code
    }

    /// As [`report`](Failure::report), where stderr is the service's log: on no terminal what stands in a file, which can
    /// be lines of somebody's logs, is left out.
    #[must_use]
    pub fn report_to_log(mut self) -> u8 {
        if !std::io::stderr().is_terminal() {
            for part in &mut self.parts {
                if let Part::Of(one) = part {
                    one.hide_content();
                }
            }
        }
        self.report()
    }
}

const ERROR: &str = "error: ";
const HELP: &str = "\nhelp: ";

fn diagnostic(text: &str) -> Diagnostic {
    let text = text.strip_prefix(ERROR).unwrap_or(text);
    let (message, help) = text.split_once(HELP).unwrap_or((text, ""));
    Diagnostic::of_file(Severity::Error, "", message.to_owned()).help(help)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts.iter().enumerate() {
            if place > 0 {
                f.write_str("\n\n")?;
            }
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Of(one) => one.fmt(f)?,
            }
        }
        Ok(())
    }
}

/// Collects what is wrong from step to step, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Wrong(Option<Failure>);

impl Wrong {
    /// What a step gave; what was wrong in it is kept.
    pub fn take<T>(&mut self, step: Result<T, Failure>) -> Option<T> {
        match step {
            Ok(value) => Some(value),
            Err(failure) => {
                self.0 = Some(match self.0.take() {
                    Some(earlier) => earlier.and(failure),
                    None => failure,
                });
                None
            }
        }
    }

    /// # Errors
    /// All that was wrong.
    pub fn into_result(self) -> Result<(), Failure> {
        self.0.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn a_log_gets_the_place_and_not_the_line() {
        let source = Source { name: "a.toml".into(), text: "in = 'call +447700900123'\n".into() };
        let one = Diagnostic::at(Severity::Error, &source, 5..25, "`call +447700900123` is odd".into());
        let failure = Failure::invalid(&Diagnostics(vec![one.help("take +447700900123 out")]));
        let failure = failure.and(Failure::new(exit::INVALID, "b.toml: cannot be read\nhelp: mend it"));
        assert_eq!(
            failure.without_content(),
            "a.toml:1:6: `…` is odd\nb.toml: cannot be read\nhelp: mend it"
        );
        assert!(failure.to_string().contains("call +447700900123"));
        let [first, second] = &failure.diagnostics()[..] else { panic!("two") };
        assert_eq!((first.line, second.line, second.help.as_str()), (1, 0, "mend it"));
    }

    #[test]
    fn what_two_steps_find_is_said_once() {
        let mut wrong = Wrong::default();
        let one = || Err::<(), _>(Failure::new(exit::INVALID, "one"));
        assert_eq!((wrong.take(one()), wrong.take(one()), wrong.take(Ok(3))), (None, None, Some(3)));
        let _ = wrong.take(Err::<(), _>(Failure::new(exit::IO, "two")));
        let told = wrong.into_result().unwrap_err();
        assert_eq!((told.to_string().as_str(), told.code()), ("error: one\n\nerror: two", exit::INVALID));
        assert!(Wrong::default().into_result().is_ok());
    }
}

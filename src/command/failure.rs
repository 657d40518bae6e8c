//! How a verb ends badly: one message on stderr, one exit code.

use super::exit;
use crate::diagnostic::Diagnostics;
use std::fmt;

/// Why a verb could not do its work. The message says what, where and how to mend it; it never
/// holds a record's content.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// Lower case, no full stop; further lines may give help.
    #[must_use]
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Failure { code, message: format!("error: {}", message.into()) }
    }

    /// The arguments do not fit together, or name something that does not exist.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Failure::new(exit::USAGE, message)
    }

    /// Adds how to go on.
    #[must_use]
    pub fn help(mut self, help: &str) -> Self {
        self.message += &format!("\nhelp: {help}");
        self
    }

    #[must_use]
    pub fn io(doing: &str, error: &std::io::Error) -> Self {
        Failure::new(exit::IO, format!("{doing}: {error}"))
    }

    /// Rules, policy or config are not right.
    #[must_use]
    pub fn invalid(diagnostics: &Diagnostics) -> Self {
        Failure { code: exit::INVALID, message: diagnostics.to_string() }
    }

    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Says it on stderr and gives the exit code.
    #[must_use]
    pub fn report(&self) -> u8 {
        eprintln!("{self}");
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

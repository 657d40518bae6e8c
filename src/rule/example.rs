//! What rules say of themselves: lines in which they find something, and lines in which they must not.

/// A hit or a miss of a rule, for `logscrub test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The rule it stands under.
    pub rule: String,
    /// A shipped rule's, or a user's.
    pub shipped: bool,
    /// Where it stands: file and line, from 1.
    pub file: String,
    pub line: usize,
    pub input: String,
    pub expected: Expected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The rule finds exactly these texts, in any order.
    Hit { find: Vec<String> },
    /// The rule finds nothing here.
    Miss { why: String },
}

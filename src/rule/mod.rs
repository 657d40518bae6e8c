//! Rules: how a class is recognised. `syntax` is the TOML one to one; `compile` checks all of it and
//! reports every error; what stands here is what runs.

use crate::class::Class;
use crate::finding::RuleId;

/// Where a rule looks, as its `fields` and `not_fields` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldPath {
    /// A bare name: matches at any depth, in any case, in every format. Kept in lower case.
    Name(String),
    /// A full path (`entry[].changes[].value`, `**.wa_id`), segments from the root.
    Path(Vec<Segment>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// `**`: any number of members and array places.
    Any,
    /// A member of that name, in any case.
    Name(String),
    /// `[]`: any place of an array.
    Item,
}

/// A rule that claims fields: a value there is of this class whatever it looks like.
#[derive(Clone, Debug)]
pub struct FieldRule {
    pub rule: RuleId,
    pub class: Class,
    pub path: FieldPath,
    /// A user's rule beats a shipped one.
    pub shipped: bool,
}

/// A rule with a regular expression of its own.
#[derive(Clone, Debug)]
pub struct PatternRule {
    pub rule: RuleId,
    pub class: Class,
    pub pattern: regex::bytes::Regex,
    /// Lower case; empty: no keyword needed.
    pub keywords: Vec<String>,
    /// How many bytes may stand between keyword and match.
    pub within: usize,
    pub not_fields: Vec<FieldPath>,
}

/// A value that is never acted on.
#[derive(Clone, Debug)]
pub enum Allow {
    Value(Vec<u8>),
    Network(ipnet::IpNet),
    Pattern(regex::bytes::Regex),
}

/// Name and class of a rule, for people and metrics.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    pub id: String,
    pub class: Class,
    pub summary: String,
    pub shipped: bool,
}

/// A rule set that was checked whole.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Indexed by [`RuleId`].
    pub rules: Vec<RuleInfo>,
    /// For each built-in detector that is on, its rule. The first rule that names a detector has it.
    pub detectors: Vec<(crate::detect::Detector, RuleId)>,
    pub fields: Vec<FieldRule>,
    /// `not_fields` of detector rules.
    pub detector_not_fields: Vec<(crate::detect::Detector, FieldPath)>,
    pub patterns: Vec<PatternRule>,
    pub allow: Vec<Allow>,
    /// Names of the custom classes, by `CustomClass::place`.
    pub custom: Vec<String>,
    /// SHA-256 over the canonical rule set, lower-case hex; its first 12 digits go into headers.
    pub digest: String,
}

//! Rules: how a class is recognised. `syntax` is the TOML one to one; `compile` checks all of it and
//! reports every error; what stands here is what runs.

mod compile;
mod example;
mod merge;
mod path;
mod pattern;
mod shipped;
mod syntax;
mod validator;

pub use compile::{KEYWORD_WITHIN, Sources};
pub use example::{Example, Expected};
pub use merge::{Compiled, compile, custom_names};
pub use path::PathError;
pub use pattern::{COMPILED_BYTES, PATTERN_BYTES, PatternError};
pub use shipped::{shipped, shipped_sources};
pub use validator::Validator;

use crate::class::Class;
use crate::detect::Detector;
use crate::finding::{RuleId, Span};
use aho_corasick::AhoCorasick;
use std::sync::Arc;

/// Where a rule looks, as its `fields` and `not_fields` say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldPath {
    /// A bare name: matches at any depth, in any case, in every format. Kept in lower case.
    Name(String),
    /// A full path (`entry[].changes[].value`, `**.wa_id`), segments from the root.
    Path(Vec<Segment>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// Paths that this rule does not claim although `path` fits.
    pub not_fields: Arc<[FieldPath]>,
}

/// A rule with a regular expression of its own.
#[derive(Clone, Debug)]
pub struct PatternRule {
    pub rule: RuleId,
    pub class: Class,
    pub pattern: regex::bytes::Regex,
    /// Bytes of the shortest text that the pattern matches.
    pub shortest: usize,
    pub look: SecondLook,
    pub not_fields: Arc<[FieldPath]>,
}

/// What must hold beside the match itself: a keyword nearby, validators.
#[derive(Clone, Debug, Default)]
pub struct SecondLook {
    /// Lower case; empty: no keyword needed.
    pub keywords: Vec<String>,
    /// How many bytes may stand between keyword and match, before or after it.
    pub within: usize,
    pub validate: Vec<Validator>,
    /// The keywords' automaton, in any ASCII case; `None` where there are none.
    near: Option<AhoCorasick>,
}

impl SecondLook {
    /// `None` where the keywords are too many for an automaton.
    fn new(keywords: Vec<String>, within: usize, validate: Vec<Validator>) -> Option<Self> {
        let near = if keywords.is_empty() {
            None
        } else {
            Some(AhoCorasick::builder().ascii_case_insensitive(true).build(&keywords).ok()?)
        };
        Some(SecondLook { keywords, within, validate, near })
    }

    /// Whether nothing is asked: every match stands.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keywords.is_empty() && self.validate.is_empty()
    }

    /// Why a match does not stand; `None` where it does.
    #[must_use]
    pub fn objection(&self, input: &[u8], span: Span, key: &[u8]) -> Option<String> {
        if let Some(validator) = self.validate.iter().find(|validator| !validator.accepts(input, span)) {
            return Some(format!("the validator `{}` refuses it", validator.word()));
        }
        let words = || self.keywords.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        (!self.accepts(input, span, key))
            .then(|| format!("no keyword within {} characters: {}", self.within, words()))
    }

    /// Whether a match at `span` of `input` stands. `input` is what the pattern ran over; a keyword may
    /// also stand in the value's key, which the caller hands over as `key` (empty where there is none).
    #[must_use]
    pub fn accepts(&self, input: &[u8], span: Span, key: &[u8]) -> bool {
        self.validate.iter().all(|validator| validator.accepts(input, span))
            && self.near.as_ref().is_none_or(|near| {
                let before = input.get(span.start().saturating_sub(self.within)..span.start());
                let end = span.end().saturating_add(self.within).min(input.len());
                let after = input.get(span.end()..end);
                [Some(key), before, after].into_iter().flatten().any(|text| near.is_match(text))
            })
    }
}

/// Settings of the phone detectors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhoneOptions {
    /// ISO 3166-1 alpha-2, upper case: the countries whose national formats are looked for.
    pub regions: Vec<[u8; 2]>,
    pub bare_digits: BareDigits,
}

/// Where digits alone, without `+`, count as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BareDigits {
    Never,
    #[default]
    NearKeyword,
    Anywhere,
}

/// A value that is never acted on.
#[derive(Clone, Debug)]
pub enum Allow {
    /// The whole value, byte for byte.
    Value(Vec<u8>),
    /// Addresses in this network.
    Network(ipnet::IpNet),
    /// Matches the whole value (it is compiled between anchors).
    Pattern(regex::bytes::Regex),
}

/// Name and class of a rule, for people and metrics.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    pub id: String,
    /// `None`: the rule's detector says of each finding what class it is.
    pub class: Option<Class>,
    pub summary: String,
    /// Standards and documents that it follows.
    pub source: Vec<String>,
    pub shipped: bool,
}

/// A rule set that was checked whole.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Indexed by [`RuleId`].
    pub rules: Vec<RuleInfo>,
    /// For each built-in detector that is on, its rule. A user's rule takes a detector from a shipped
    /// one; among rules of the same origin the first that names it has it.
    pub detectors: Vec<(Detector, RuleId)>,
    /// What detector rules ask beside their detector's own judgement; detectors without are absent.
    pub detector_looks: Vec<(Detector, SecondLook)>,
    pub phone: PhoneOptions,
    pub fields: Vec<FieldRule>,
    /// `not_fields` of detector rules.
    pub detector_not_fields: Vec<(Detector, FieldPath)>,
    pub patterns: Vec<PatternRule>,
    pub allow: Vec<Allow>,
    /// Names of the custom classes, by `CustomClass::place`.
    pub custom: Vec<String>,
    /// SHA-256 over the canonical rule set, lower-case hex; its first 12 digits go into headers.
    pub digest: String,
}

impl RuleSet {
    /// The rule that a detector works for; `None` where it is off.
    #[must_use]
    pub fn rule_of(&self, detector: Detector) -> Option<RuleId> {
        self.detectors.iter().find(|(known, _)| *known == detector).map(|(_, rule)| *rule)
    }

    /// The first rule of a user's: those that come with the program stand before it.
    #[must_use]
    pub fn first_user(&self) -> RuleId {
        let place = self.rules.iter().position(|rule| !rule.shipped).unwrap_or(self.rules.len());
        RuleId(u16::try_from(place).unwrap_or(u16::MAX))
    }

    /// What is known of a rule; `None` for a number of another rule set.
    #[must_use]
    pub fn info(&self, rule: RuleId) -> Option<&RuleInfo> {
        self.rules.get(usize::from(rule.0))
    }
}

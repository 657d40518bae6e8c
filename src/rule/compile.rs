//! From one rule file to checked rules. What concerns several files (ids, custom classes, the order of
//! rules) is `merge`'s.

use super::example::{Example, Expected};
use super::syntax::{AllowSyntax, FileSyntax, OptionsSyntax, RuleSyntax};
use super::{Allow, BareDigits, FieldPath, PhoneOptions, SecondLook, Validator, pattern};
use crate::class::Class;
use crate::detect::Detector;
use crate::diagnostic::{Diagnostic, Report, Severity, Source, content_start, did_you_mean};
use crate::numbering::Region;
use std::ops::Range;
use toml::Spanned;

/// How far from its keyword a match may stand, in bytes, where a rule does not say.
pub const KEYWORD_WITHIN: usize = 40;

/// The farthest that `within` may reach.
const WITHIN_MAX: usize = 1000;

/// The word that stands for every phone detector.
const EVERY_PHONE: &str = "phone";

/// Rule files: what is shipped, and what a user adds to it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub shipped: Vec<Source>,
    pub user: Vec<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Shipped,
    User,
}

/// What a rule's `class` says, before the custom classes of all files have their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClassWord {
    BuiltIn(Class),
    Custom {
        name: String,
        span: Range<usize>,
    },
    /// The detector says it of each finding.
    OfDetector,
}

/// A rule that is right in itself.
#[derive(Debug)]
pub(super) struct Draft {
    pub id: String,
    pub id_span: Range<usize>,
    pub class: ClassWord,
    pub summary: String,
    pub source: Vec<String>,
    pub detectors: Vec<Detector>,
    pub phone: Option<PhoneOptions>,
    pub pattern: Option<regex::bytes::Regex>,
    pub look: SecondLook,
    pub fields: Vec<FieldPath>,
    pub not_fields: Vec<FieldPath>,
    pub examples: Vec<Example>,
}

pub(super) struct FileCompiler<'r, 's> {
    pub report: &'r Report<'s>,
    pub origin: Origin,
}

impl FileCompiler<'_, '_> {
    /// Every rule that is right; the others are in the report.
    pub fn rules(&self, file: &FileSyntax) -> Vec<Draft> {
        file.rules.iter().filter_map(|rule| self.rule(rule)).collect()
    }

    fn rule(&self, syntax: &RuleSyntax) -> Option<Draft> {
        let (id, id_span) = match &syntax.id {
            Some(id) => (self.id(id), id.span()),
            None => (String::new(), syntax.span.clone()),
        };
        let detectors = self.detectors(syntax);
        let class = self.class(syntax, &detectors);
        let pattern = syntax.pattern.as_ref().and_then(|pattern| self.pattern(pattern));
        if !syntax.has_finder {
            self.report.error(
                id_span.clone(),
                "the rule finds nothing: it has neither `fields` nor `pattern` nor `detector`",
                "add `fields = [\"msisdn\"]`, or `pattern = '''…'''`",
            );
        }
        let draft = Draft {
            look: self.second_look(syntax),
            phone: syntax.options.as_ref().and_then(|options| self.options(options, syntax, &detectors)),
            fields: self.paths(&syntax.fields),
            not_fields: self.paths(&syntax.not_fields),
            examples: self.examples(syntax, &id),
            summary: syntax.summary.as_ref().map(|s| s.get_ref().clone()).unwrap_or_default(),
            source: syntax.source.iter().map(|s| s.get_ref().clone()).collect(),
            class: class?,
            id,
            id_span,
            detectors,
            pattern,
        };
        if self.origin == Origin::User {
            self.warn_of_missing_examples(syntax, &draft);
        }
        Some(draft)
    }

    fn id(&self, id: &Spanned<String>) -> String {
        let text = id.get_ref();
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.'));
        if !good {
            self.report.error(
                id.span(),
                "a rule's id is 1 to 64 of a-z, 0-9, `.`, `_` and `-`",
                "ids stand in metrics; put the long name into `summary`",
            );
        }
        text.clone()
    }

    fn detectors(&self, syntax: &RuleSyntax) -> Vec<Detector> {
        let Some(word) = &syntax.detector else { return Vec::new() };
        if let Some(pattern) = &syntax.pattern {
            self.report.error(
                pattern.span(),
                "a rule has a detector or a pattern, not both",
                "make two rules of it; they may have the same class",
            );
        }
        let text = word.get_ref().as_str();
        if text == EVERY_PHONE {
            return Detector::ALL.into_iter().filter(|d| d.class() == Some(Class::Phone)).collect();
        }
        if let Some(detector) = Detector::from_word(text) {
            return vec![detector];
        }
        let words = Detector::ALL.map(Detector::word);
        let help = match did_you_mean(text, words.into_iter().chain([EVERY_PHONE])) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the detectors are {}; anything else is a `pattern`", words.join(", ")),
        };
        self.report.error(word.span(), format!("there is no detector `{text}`"), help);
        Vec::new()
    }

    fn class(&self, syntax: &RuleSyntax, detectors: &[Detector]) -> Option<ClassWord> {
        let Some(word) = &syntax.class else {
            if detectors == [Detector::FieldName] {
                return Some(ClassWord::OfDetector);
            }
            if syntax.has_class {
                return None;
            }
            let span = syntax.id.as_ref().map_or(syntax.span.clone(), Spanned::span);
            self.report.error(
                span,
                "a rule needs `class`: what kind of information it finds",
                "add `class = \"phone\"`, or \"custom:<name>\" for a kind of your own",
            );
            return None;
        };
        let text = word.get_ref().as_str();
        if detectors == [Detector::FieldName] {
            self.report.error(
                word.span(),
                "the detector `field_name` says of each field what class it is",
                "take `class` out of this rule",
            );
            return None;
        }
        if let Some(name) = text.strip_prefix("custom:") {
            return self.custom_class(word, name, detectors);
        }
        let Some(class) = Class::from_word(text) else {
            let help = match did_you_mean(text, Class::ALL.iter().map(|class| class.word())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "the classes are {}; a kind of your own is `custom:{}`",
                    Class::ALL.map(Class::word).join(", "),
                    custom_name(text),
                ),
            };
            self.report.error(word.span(), format!("there is no class `{text}`"), help);
            return None;
        };
        if let Some(found) = detectors.first().and_then(|d| d.class()).filter(|found| *found != class) {
            let detector = syntax.detector.as_ref().map_or("", |d| d.get_ref());
            self.report.error(
                word.span(),
                format!("the detector `{detector}` finds `{found}`, not `{class}`"),
                format!("write `class = \"{found}\"`"),
            );
            return None;
        }
        Some(ClassWord::BuiltIn(class))
    }

    fn custom_class(&self, word: &Spanned<String>, name: &str, detectors: &[Detector]) -> Option<ClassWord> {
        if name.is_empty() || name != custom_name(name) {
            self.report.error(
                word.span(),
                "the name of a custom class is 1 to 32 of a-z, 0-9, `_` and `-`",
                format!("write `custom:{}`", custom_name(name)),
            );
            return None;
        }
        if let Some(found) = detectors.first().and_then(|d| d.class()) {
            self.report.error(
                word.span(),
                format!("a built-in detector finds its own class, here `{found}`"),
                format!("write `class = \"{found}\"`, or a `pattern` instead of the detector"),
            );
            return None;
        }
        Some(ClassWord::Custom { name: name.to_owned(), span: word.span() })
    }

    fn pattern(&self, text: &Spanned<String>) -> Option<regex::bytes::Regex> {
        match pattern::compile(text.get_ref()) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let source = self.report.source;
                let span = within(source, text, &error.at);
                self.report.add(
                    Diagnostic::at(Severity::Error, source, span, error.message)
                        .label(error.label)
                        .help(error.help),
                );
                None
            }
        }
    }

    fn second_look(&self, syntax: &RuleSyntax) -> SecondLook {
        let mut keywords = Vec::new();
        for keyword in &syntax.keywords {
            let word = keyword.get_ref().trim().to_lowercase();
            if word.is_empty() {
                self.report.error(keyword.span(), "a keyword is empty", "take it out, or write the word");
            } else {
                keywords.push(word);
            }
        }
        let mut reach = KEYWORD_WITHIN;
        if let Some(bytes) = &syntax.within {
            match usize::try_from(*bytes.get_ref()).ok().filter(|bytes| (1..=WITHIN_MAX).contains(bytes)) {
                Some(bytes) => reach = bytes,
                None => self.report.error(
                    bytes.span(),
                    format!("`within` is 1 to {WITHIN_MAX} characters"),
                    format!("write `within = {KEYWORD_WITHIN}`"),
                ),
            }
            if syntax.keywords.is_empty() {
                self.report.error(
                    bytes.span(),
                    "`within` says how near a keyword must be, but there is no keyword",
                    "add `keywords = [\"phone\"]`, or take `within` out",
                );
            }
        }
        let validate = syntax.validate.iter().filter_map(|word| self.validator(word)).collect();
        if syntax.pattern.is_none() && syntax.detector.is_none() && !syntax.fields.is_empty() {
            for word in syntax.keywords.iter().chain(&syntax.validate) {
                self.report.error(
                    word.span(),
                    "a rule that claims fields looks at nothing but the field's path",
                    "take `keywords` and `validate` out, or add a `pattern`",
                );
            }
        }
        SecondLook::new(keywords, reach, validate).unwrap_or_else(|| {
            let span = syntax.keywords.first().map_or(syntax.span.clone(), Spanned::span);
            self.report.error(span, "too many keywords", "split the rule");
            SecondLook::default()
        })
    }

    fn validator(&self, word: &Spanned<String>) -> Option<Validator> {
        let text = word.get_ref().as_str();
        let found = Validator::from_word(text);
        if found.is_none() {
            let words = Validator::ALL.map(Validator::word);
            let help = match did_you_mean(text, words) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the validators are {}", words.join(", ")),
            };
            self.report.error(word.span(), format!("there is no validator `{text}`"), help);
        }
        found
    }

    fn options(
        &self,
        options: &OptionsSyntax,
        syntax: &RuleSyntax,
        detectors: &[Detector],
    ) -> Option<PhoneOptions> {
        if !detectors.iter().any(|detector| detector.class() == Some(Class::Phone)) {
            let message = match &syntax.detector {
                Some(detector) => format!("the detector `{}` has no options", detector.get_ref()),
                None => "options belong to a detector, and this rule has none".to_owned(),
            };
            self.report.error(options.span.clone(), message, "take `options` out");
            return None;
        }
        let bare_digits = options.bare_digits.as_ref().map(|word| match word.get_ref().as_str() {
            "never" => BareDigits::Never,
            "near_keyword" => BareDigits::NearKeyword,
            "anywhere" => BareDigits::Anywhere,
            other => {
                self.report.error(
                    word.span(),
                    format!("`bare_digits` cannot be `{other}`"),
                    "write \"never\", \"near_keyword\" or \"anywhere\"",
                );
                BareDigits::NearKeyword
            }
        });
        let regions = options.regions.iter().filter_map(|region| self.region(region)).collect();
        Some(PhoneOptions { regions, bare_digits: bare_digits.unwrap_or_default() })
    }

    fn region(&self, region: &Spanned<String>) -> Option<[u8; 2]> {
        let bytes = <[u8; 2]>::try_from(region.get_ref().as_bytes()).ok();
        let good = bytes.filter(|bytes| {
            bytes.iter().all(u8::is_ascii_uppercase) && Region::from_code(region.get_ref()).is_some()
        });
        if good.is_none() {
            self.report.error(
                region.span(),
                format!("`{}` is not a country", region.get_ref()),
                "write the two capital letters of ISO 3166, as in \"US\", \"GB\"",
            );
        }
        good
    }

    fn paths(&self, paths: &[Spanned<String>]) -> Vec<FieldPath> {
        let mut parsed = Vec::new();
        for path in paths {
            match FieldPath::parse(path.get_ref()) {
                Ok(path) => parsed.push(path),
                Err(error) => {
                    let span = within(self.report.source, path, &error.at);
                    self.report.error(span, error.message, error.help);
                }
            }
        }
        parsed
    }

    fn examples(&self, syntax: &RuleSyntax, id: &str) -> Vec<Example> {
        let mut examples = Vec::new();
        let mut add = |span: &Range<usize>, input: &Option<Spanned<String>>, expected| {
            let Some(input) = input else { return };
            examples.push(Example {
                rule: id.to_owned(),
                shipped: self.origin == Origin::Shipped,
                file: self.report.source.name.clone(),
                line: line_of(self.report.source, span.start),
                input: input.get_ref().clone(),
                expected,
            });
        };
        for hit in &syntax.hits {
            if hit.find.is_empty() {
                self.report.error(
                    hit.span.clone(),
                    "a hit needs `find`: the texts that the rule finds",
                    "add `find = [\"…\"]`",
                );
            }
            for text in &hit.find {
                if hit.input.as_ref().is_some_and(|input| !input.get_ref().contains(text.get_ref().as_str()))
                {
                    self.report.error(
                        text.span(),
                        "this text does not stand in the hit's `in`",
                        "copy it from `in`, character for character",
                    );
                }
            }
            let find = hit.find.iter().map(|text| text.get_ref().clone()).collect();
            add(&hit.span, &hit.input, Expected::Hit { find });
        }
        for miss in &syntax.misses {
            if miss.why.is_none() {
                self.report.warning(
                    miss.span.clone(),
                    "a miss without `why`",
                    "add `why = \"…\"`: what this is instead",
                );
            }
            let why = miss.why.as_ref().map(|why| why.get_ref().clone()).unwrap_or_default();
            add(&miss.span, &miss.input, Expected::Miss { why });
        }
        examples
    }

    fn warn_of_missing_examples(&self, syntax: &RuleSyntax, draft: &Draft) {
        let missing = match (syntax.hits.is_empty(), syntax.misses.is_empty()) {
            (true, true) => "hits and misses",
            (true, false) => "hits",
            (false, true) => "misses",
            (false, false) => return,
        };
        self.report.warning(
            draft.id_span.clone(),
            format!("rule `{}` has no {missing}", draft.id),
            "add [[rule.hit]] with `in` and `find`, [[rule.miss]] with `in` and `why`; `logscrub test` runs them",
        );
    }

    /// What is never acted on.
    pub fn allow(&self, file: &FileSyntax) -> Vec<Allow> {
        file.allow.iter().flat_map(|one| self.allowance(one)).collect()
    }

    fn allowance(&self, syntax: &AllowSyntax) -> Vec<Allow> {
        if syntax.values.is_empty() && syntax.cidrs.is_empty() && syntax.patterns.is_empty() {
            self.report.error(
                syntax.span.clone(),
                "the allowance allows nothing",
                "add `values = [\"…\"]`, `cidrs = [\"192.0.2.0/24\"]` or `patterns = ['''…''']`",
            );
        }
        if let Some(why) = syntax.why.as_ref().filter(|why| why.get_ref().trim().is_empty()) {
            self.report.error(why.span(), "`why` says nothing", "write why these values may stay");
        }
        let mut allow = Vec::new();
        for value in &syntax.values {
            if value.get_ref().is_empty() {
                self.report.error(value.span(), "an allowed value is empty", "take it out");
            }
            allow.push(Allow::Value(value.get_ref().clone().into_bytes()));
        }
        for cidr in &syntax.cidrs {
            let network = cidr.get_ref().parse::<ipnet::IpNet>();
            let address = cidr.get_ref().parse::<std::net::IpAddr>().map(ipnet::IpNet::from);
            match network.ok().or(address.ok()) {
                Some(network) => allow.push(Allow::Network(network.trunc())),
                None => self.report.error(
                    cidr.span(),
                    format!("`{}` is not a network", cidr.get_ref()),
                    "write `192.0.2.0/24` or `2001:db8::/32`",
                ),
            }
        }
        for text in &syntax.patterns {
            let Some(_) = self.pattern(text) else { continue };
            match regex::bytes::Regex::new(&format!("^(?:{})$", text.get_ref())) {
                Ok(pattern) => allow.push(Allow::Pattern(pattern)),
                Err(_) => self.report.error(
                    text.span(),
                    "the pattern cannot stand between anchors",
                    "flags and comments that reach to its end need a group of their own: `(?i:…)`",
                ),
            }
        }
        allow
    }
}

/// The nearest good name for a custom class.
fn custom_name(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = text.chars().map(|c| if c == '-' { c } else { fit(c) }).take(32).collect();
    if name.is_empty() { "name".into() } else { name }
}

/// A place in a string value as a place in the file; the whole value where escapes stand between.
fn within(source: &Source, value: &Spanned<String>, at: &Range<usize>) -> Range<usize> {
    match content_start(&source.text, value) {
        Some(start) => start + at.start..start + at.end,
        None => value.span(),
    }
}

pub(super) fn line_of(source: &Source, at: usize) -> usize {
    source.text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

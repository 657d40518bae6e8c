//! From all rule files to the rule set that runs: who beats whom, what is off, numbers for everything.

use super::compile::{ClassWord, Draft, FileCompiler, Origin, line_of};
use super::example::Example;
use super::pattern::shortest;
use super::syntax::{FileSyntax, read};
use super::{Allow, FieldPath, FieldRule, PatternRule, RuleInfo, RuleSet, Sources};
use crate::class::{BUILT_IN, Class, CustomClass, SLOTS};
use crate::diagnostic::{Diagnostics, Report, Source, did_you_mean};
use crate::finding::RuleId;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use toml::Spanned;

/// A rule set that is right, its examples, and what should be better.
#[derive(Debug)]
pub struct Compiled {
    pub rules: RuleSet,
    /// Of the rules that are on, in their order.
    pub examples: Vec<Example>,
    pub warnings: Diagnostics,
}

/// Checks all files together and makes one rule set of them.
///
/// # Errors
/// Everything that is wrong in any of them, at once.
pub fn compile(sources: &Sources) -> Result<Compiled, Diagnostics> {
    let shipped = sources.shipped.iter().map(|source| (Origin::Shipped, source));
    let user = sources.user.iter().map(|source| (Origin::User, source));
    let mut files: Vec<File<'_>> =
        shipped.chain(user).map(|(origin, source)| File::read(origin, source)).collect();
    refuse_duplicates(&files);
    let disabled = disabled(&files);
    let (custom, custom_places) = custom_classes(&files);

    let mut merge = Merge { custom_places, ..Merge::default() };
    merge.rules.custom = custom;
    let overridden: Vec<String> = ids(&files, Origin::User);
    for file in &mut files {
        for draft in std::mem::take(&mut file.drafts) {
            let beaten = file.origin == Origin::Shipped && overridden.contains(&draft.id);
            if !beaten && !disabled.contains(&draft.id) {
                merge.add(file.origin, draft);
            }
        }
        merge.rules.allow.append(&mut file.allow);
    }
    let mut found = Vec::new();
    for file in files {
        found.extend(file.report.into_diagnostics());
    }
    let warnings = Diagnostics(found).into_result()?;
    let (rules, examples) = merge.finish();
    Ok(Compiled { rules, examples, warnings })
}

/// The custom classes that the files name, right or wrong as they may be otherwise: what a policy is
/// checked against when the rules cannot be compiled.
#[must_use]
pub fn custom_names(sources: &Sources) -> Vec<String> {
    let mut names = Vec::new();
    for source in sources.shipped.iter().chain(&sources.user) {
        let Some(file) = read(&Report::new(source)) else { continue };
        for class in file.rules.into_iter().filter_map(|rule| rule.class) {
            if let Some(name) = class.get_ref().strip_prefix("custom:")
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
        }
    }
    names
}

struct File<'s> {
    origin: Origin,
    report: Report<'s>,
    drafts: Vec<Draft>,
    disable: Vec<Spanned<String>>,
    allow: Vec<Allow>,
}

impl<'s> File<'s> {
    fn read(origin: Origin, source: &'s Source) -> Self {
        let report = Report::new(source);
        let syntax = read(&report);
        let mut file = File { origin, report, drafts: Vec::new(), disable: Vec::new(), allow: Vec::new() };
        if let Some(syntax) = syntax {
            let compiler = FileCompiler { report: &file.report, origin };
            let (drafts, allow) = (compiler.rules(&syntax), compiler.allow(&syntax));
            file.drafts = drafts;
            file.allow = allow;
            let FileSyntax { disable, .. } = syntax;
            file.disable = disable;
        }
        file
    }
}

fn ids(files: &[File<'_>], origin: Origin) -> Vec<String> {
    let of_origin = files.iter().filter(|file| file.origin == origin);
    of_origin.flat_map(|file| file.drafts.iter().map(|draft| draft.id.clone())).collect()
}

/// Two rules of one origin with the same id: the second would silently beat the first.
fn refuse_duplicates(files: &[File<'_>]) {
    for origin in [Origin::Shipped, Origin::User] {
        let mut seen: HashMap<&str, (&Source, usize)> = HashMap::new();
        for file in files.iter().filter(|file| file.origin == origin) {
            for draft in file.drafts.iter().filter(|draft| !draft.id.is_empty()) {
                let Some((source, at)) = seen.get(draft.id.as_str()) else {
                    seen.insert(&draft.id, (file.report.source, draft.id_span.start));
                    continue;
                };
                file.report.error(
                    draft.id_span.clone(),
                    format!("two rules have the id `{}`", draft.id),
                    format!("the first is at {}:{}; give one another id", source.name, line_of(source, *at)),
                );
            }
        }
    }
}

fn disabled(files: &[File<'_>]) -> Vec<String> {
    let known: Vec<String> =
        [Origin::Shipped, Origin::User].into_iter().flat_map(|origin| ids(files, origin)).collect();
    let mut disabled = Vec::new();
    for file in files {
        for id in &file.disable {
            let text = id.get_ref();
            if known.contains(text) {
                disabled.push(text.clone());
                continue;
            }
            let help = match did_you_mean(text, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`logscrub test` lists the ids of all rules".to_owned(),
            };
            file.report.error(id.span(), format!("no rule has the id `{text}`"), help);
        }
    }
    disabled
}

/// The custom classes in the order in which they are first named, and their places.
fn custom_classes(files: &[File<'_>]) -> (Vec<String>, HashMap<String, CustomClass>) {
    let mut names = Vec::new();
    let mut places = HashMap::new();
    for file in files {
        for draft in &file.drafts {
            let ClassWord::Custom { name, span } = &draft.class else { continue };
            if places.contains_key(name) {
                continue;
            }
            match CustomClass::new(names.len()) {
                Some(place) => {
                    places.insert(name.clone(), place);
                    names.push(name.clone());
                }
                None => file.report.error(
                    span.clone(),
                    format!("more than {} custom classes", SLOTS - BUILT_IN),
                    "give kinds that are treated alike one class",
                ),
            }
        }
    }
    (names, places)
}

#[derive(Default)]
struct Merge {
    rules: RuleSet,
    examples: Vec<Example>,
    custom_places: HashMap<String, CustomClass>,
    /// Everything that decides what is found, in order; its hash is the digest.
    canonical: String,
}

impl Merge {
    fn add(&mut self, origin: Origin, draft: Draft) {
        let class = match &draft.class {
            ClassWord::BuiltIn(class) => Some(*class),
            // A class beyond the limit is in the report.
            ClassWord::Custom { name, .. } => self.custom_places.get(name).copied().map(Class::Custom),
            ClassWord::OfDetector => None,
        };
        // 65,536 rules would not compile in any useful time; the last number stands for the rest.
        let rule = RuleId(u16::try_from(self.rules.rules.len()).unwrap_or(u16::MAX));
        let shipped = origin == Origin::Shipped;
        self.note(&draft, shipped);
        let not_fields: Arc<[FieldPath]> = draft.not_fields.into();
        for detector in draft.detectors {
            self.give(detector, rule, shipped, &draft.look, &not_fields);
        }
        if let Some(phone) = draft.phone {
            self.rules.phone = phone;
        }
        if let Some(class) = class {
            for path in draft.fields {
                let not_fields = not_fields.clone();
                self.rules.fields.push(FieldRule { rule, class, path, shipped, not_fields });
            }
            if let Some(pattern) = draft.pattern {
                let look = draft.look.clone();
                let shortest = shortest(&pattern);
                self.rules.patterns.push(PatternRule { rule, class, pattern, shortest, look, not_fields });
            }
        }
        self.rules.rules.push(RuleInfo {
            id: draft.id,
            class,
            summary: draft.summary,
            source: draft.source,
            shipped,
        });
        self.examples.extend(draft.examples);
    }

    /// Gives a detector to a rule, unless an earlier one of the same origin has it.
    fn give(
        &mut self,
        detector: crate::detect::Detector,
        rule: RuleId,
        shipped: bool,
        look: &super::SecondLook,
        not_fields: &[FieldPath],
    ) {
        let rules = &mut self.rules;
        if let Some((_, holder)) = rules.detectors.iter().find(|(known, _)| *known == detector) {
            let holder_shipped = rules.rules.get(usize::from(holder.0)).is_some_and(|info| info.shipped);
            if shipped || !holder_shipped {
                return;
            }
        }
        rules.detectors.retain(|(known, _)| *known != detector);
        rules.detector_looks.retain(|(known, _)| *known != detector);
        rules.detector_not_fields.retain(|(known, _)| *known != detector);
        rules.detectors.push((detector, rule));
        if !look.is_empty() {
            rules.detector_looks.push((detector, look.clone()));
        }
        rules.detector_not_fields.extend(not_fields.iter().map(|path| (detector, path.clone())));
    }

    fn note(&mut self, draft: &Draft, shipped: bool) {
        let canonical = &mut self.canonical;
        let class = match &draft.class {
            ClassWord::BuiltIn(class) => class.word().to_owned(),
            ClassWord::Custom { name, .. } => format!("custom:{name}"),
            ClassWord::OfDetector => String::new(),
        };
        let _ = write!(canonical, "rule {:?} {class:?} shipped={shipped}", draft.id);
        let _ = write!(canonical, " detectors={:?} phone={:?}", draft.detectors, draft.phone);
        let _ = write!(canonical, " pattern={:?}", draft.pattern.as_ref().map(regex::bytes::Regex::as_str));
        let look = &draft.look;
        let _ = write!(
            canonical,
            " keywords={:?} within={} validate={:?}",
            look.keywords, look.within, look.validate
        );
        let _ = writeln!(canonical, " fields={:?} not_fields={:?}", draft.fields, draft.not_fields);
    }

    fn finish(mut self) -> (RuleSet, Vec<Example>) {
        for allow in &self.rules.allow {
            let _ = match allow {
                Allow::Value(value) => writeln!(self.canonical, "allow value {value:?}"),
                Allow::Network(network) => writeln!(self.canonical, "allow network {network}"),
                Allow::Pattern(pattern) => writeln!(self.canonical, "allow pattern {:?}", pattern.as_str()),
            };
        }
        let mut digest = String::with_capacity(64);
        for byte in Sha256::digest(self.canonical.as_bytes()) {
            let _ = write!(digest, "{byte:02x}");
        }
        self.rules.digest = digest;
        (self.rules, self.examples)
    }
}

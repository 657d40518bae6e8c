//! From what a policy's file says to what runs: everything is checked, every mistake reported.

use super::action::resolve;
use super::syntax::{AfterSyntax, ClockSyntax, PolicySyntax, StageSyntax, WhenSyntax, read};
use super::{
    Accounts, ActionTable, After, Anonymity, Clock, Margin, Period, Policy, Sentence, Stage, UnknownFields,
    When, coarser,
};
use crate::class::{BUILT_IN, Class, ClassSet, CustomClass, SLOTS};
use crate::diagnostic::{Diagnostics, Report, Source, did_you_mean};
use crate::numbering::Region;
use crate::transform::Action;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

/// The least number of addresses behind a city's name, where a policy says nothing.
pub const CITY_FLOOR: u64 = 10_000;

/// The fewest records that a group of a count is shown with, where a policy says nothing: what agencies of
/// statistics commonly ask of a cell.
pub const SMALLEST_GROUP: u64 = 11;

/// What is kept in the scrubbed topic where the first stage does not name the class.
const KEPT_AT_FIRST: [Class; 6] =
    [Class::EventId, Class::Url, Class::UserAgent, Class::Timestamp, Class::Port, Class::Safe];

/// A policy that is right, and what should be better in it.
#[derive(Debug)]
pub struct Compiled {
    pub policy: Policy,
    pub warnings: Diagnostics,
}

/// Checks a policy whole. `custom` are the custom classes of the rule set that it will run with, by
/// their place.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn compile(source: &Source, custom: &[String]) -> Result<Compiled, Diagnostics> {
    let report = Report::new(source);
    let policy = read(&report).map(|syntax| Compiler { report: &report, custom }.policy(&syntax));
    let warnings = Diagnostics(report.into_diagnostics()).into_result()?;
    match policy {
        Some(policy) => Ok(Compiled { policy, warnings }),
        None => unreachable!("a file that could not be read is reported as an error"),
    }
}

/// The files with accounts' windows that a policy names, as it writes them; what is wrong with it is not judged.
#[must_use]
pub fn account_files(source: &Source) -> Vec<PathBuf> {
    let stages = read(&Report::new(source)).map(|syntax| syntax.stages).unwrap_or_default();
    let named = |stage: StageSyntax| match stage.after {
        Some(AfterSyntax::PerAccount { file, .. }) => file.map(|file| PathBuf::from(file.into_inner())),
        Some(AfterSyntax::Period(_)) | None => None,
    };
    stages.into_iter().filter_map(named).collect()
}

/// An age that could not be read; its policy is refused.
const UNKNOWN_AGE: After =
    After::PerAccount { default: None, by: String::new(), file: None, accounts: Accounts(BTreeMap::new()) };

pub(super) struct Compiler<'r, 's> {
    pub(super) report: &'r Report<'s>,
    custom: &'r [String],
}

impl Compiler<'_, '_> {
    fn policy(&self, syntax: &PolicySyntax) -> Policy {
        if !syntax.has_stages {
            self.report.error(
                0..0,
                "a policy needs at least one stage",
                "add `[[stage]]` with `id = \"scrub\"` and `after = \"0d\"`",
            );
        }
        let mut stages = self.stages(&syntax.stages);
        let anonymity = self.anonymity(&syntax.stages, &mut stages);
        Policy {
            id: self.id(syntax.id.as_ref()),
            summary: syntax.summary.as_ref().map(|s| s.get_ref().clone()).unwrap_or_default(),
            clock: syntax.clock.as_ref().and_then(|c| self.clock(c)).unwrap_or(Clock::Record),
            margin: self.margin(syntax.margin.as_ref(), &stages),
            unknown_fields: self.unknown_fields(syntax.unknown_fields.as_ref()),
            city_floor: self.city_floor(syntax.city_floor.as_ref()),
            oldest_plausible: self.oldest_plausible(syntax.oldest_plausible.as_ref()),
            geo_fields: syntax.geo_fields.as_ref().is_some_and(|yes| *yes.get_ref()),
            region: syntax.region.as_ref().and_then(|code| self.region(code)),
            counts: self.counts(&syntax.counts, syntax.stages.len()),
            anonymity,
            events: self.events(&syntax.events, syntax.stages.len()),
            sentences: self.sentences(syntax),
            stages,
        }
    }

    /// Ids stand in topic names, headers and metrics.
    pub(super) fn id(&self, id: Option<&Spanned<String>>) -> String {
        let Some(id) = id else { return String::new() };
        let text = id.get_ref();
        let good = (1..=64).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if !good {
            self.report.error(
                id.span(),
                "an id is 1 to 64 of a-z, 0-9, `_` and `-`",
                "ids stand in topic names and metrics; put the long name into `summary`",
            );
        }
        text.clone()
    }

    fn stages(&self, syntax: &[StageSyntax]) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        for (place, one) in syntax.iter().enumerate() {
            let mut stage = self.stage(one);
            let is_last = place > 0 && place + 1 == syntax.len();
            if let Some(twin) = syntax.iter().take(place).find(|s| same(s.id.as_ref(), one.id.as_ref())) {
                self.duplicate(twin, one);
            }
            self.check_age(place, one, &stage, stages.last());
            if place == 0 || is_last {
                self.refuse_when(one, is_last);
            }
            stage.actions = resolved(place, is_last, &stage, &stages);
            if is_last {
                self.check_last(one, &stage);
            }
            stages.push(stage);
        }
        stages
    }

    /// The first and the last stage are for every record: none may leave as it is.
    fn refuse_when(&self, syntax: &StageSyntax, is_last: bool) {
        let Some(when) = &syntax.when else { return };
        let place = if is_last { "last" } else { "first" };
        self.report.error(
            when.span.clone(),
            format!("the {place} stage is for every record, and cannot have `when`"),
            "take it out, or write it into a stage between the first and the last",
        );
    }

    fn duplicate(&self, first: &StageSyntax, second: &StageSyntax) {
        let (Some(first), Some(second)) = (&first.id, &second.id) else { return };
        let line = line_of(self.report.source, first.span().start);
        self.report.error(
            second.span(),
            format!("two stages have the id `{}`", second.get_ref()),
            format!("the first is on line {line}; topics and metrics are named after stages"),
        );
    }

    fn check_age(&self, place: usize, syntax: &StageSyntax, stage: &Stage, before: Option<&Stage>) {
        let Some(after) = &syntax.after else { return };
        let span = match after {
            AfterSyntax::Period(text) => text.span(),
            AfterSyntax::PerAccount { span, .. } => span.clone(),
        };
        let age = stage.after.default_period();
        if place == 0 {
            if stage.after != After::Period(Period::ZERO) {
                self.report.error(
                    span,
                    "the first stage must have the age zero",
                    "write `after = \"0d\"`: what leaves at once; what waits comes in the next stages",
                );
            }
            return;
        }
        let Some((age, earlier)) = age.zip(before.and_then(|b| b.after.default_period())) else { return };
        if age.shortest_seconds() <= earlier.shortest_seconds() {
            self.report.error(
                span,
                format!("ages must rise: {age} comes after {earlier}"),
                "put the stages in the order of their ages; what is due at the same age belongs in one stage",
            );
        }
    }

    /// What comes out of the last stage is meant to be de-identified.
    fn check_last(&self, syntax: &StageSyntax, stage: &Stage) {
        for class in Class::ALL {
            let Some(action) = stage.actions.of(class) else { continue };
            let span = syntax
                .actions
                .iter()
                .find(|(word, _)| word.get_ref() == class.word())
                .map_or_else(|| syntax.span.clone(), |(_, action)| action.span.clone());
            if action == Action::Pseudonym {
                self.report.error(
                    span,
                    format!("at the last stage `{class}` would still be a pseudonym"),
                    format!("while its key exists it can be traced back: write `{class} = \"remove\"`"),
                );
            } else if action == Action::Keep && !KEPT_AT_FIRST.contains(&class) {
                self.report.warning(
                    span,
                    format!("the last stage keeps `{class}` as it is"),
                    "what the last stage keeps is never deleted: keep only what can point to nobody",
                );
            }
        }
    }

    fn stage(&self, syntax: &StageSyntax) -> Stage {
        let mut actions = [None; SLOTS];
        let mut named = ClassSet::EMPTY;
        for (word, action) in &syntax.actions {
            let Some(class) = self.class(word) else { continue };
            named = named.with(class);
            let resolved = resolve(self.report, class, word.get_ref(), action);
            if let Some(slot) = actions.get_mut(class.slot()) {
                *slot = resolved;
            }
        }
        Stage {
            id: self.id(syntax.id.as_ref()),
            after: syntax.after.as_ref().map_or(UNKNOWN_AGE, |after| self.after(after)),
            clock: syntax.clock.as_ref().and_then(|clock| self.clock(clock)),
            when: syntax.when.as_ref().and_then(|when| self.when(when)),
            actions: ActionTable::new(actions),
            named,
        }
    }

    fn class(&self, word: &Spanned<String>) -> Option<Class> {
        let text = word.get_ref().as_str();
        if let Some(name) = text.strip_prefix("custom:") {
            let place = self.custom.iter().position(|known| known == name);
            let class = place.and_then(CustomClass::new).map(Class::Custom);
            if class.is_none() {
                let help = match did_you_mean(name, self.custom.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `custom:{near}`?"),
                    None => {
                        format!("add a rule with `class = \"custom:{name}\"`, or load it with --rules DIR")
                    }
                };
                self.report.error(word.span(), format!("no rule has the class `{text}`"), help);
            }
            return class;
        }
        let class = Class::from_word(text);
        if class.is_none() {
            let help = match did_you_mean(text, Class::ALL.iter().map(|class| class.word())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the classes are {}, and \"custom:<name>\"", class_list()),
            };
            self.report.error(word.span(), format!("there is no class `{text}`"), help);
        }
        class
    }

    fn after(&self, syntax: &AfterSyntax) -> After {
        match syntax {
            // An unreadable age is reported; as an unknown one it breaks no order.
            AfterSyntax::Period(text) if text.get_ref() == "unset" => After::Unset,
            AfterSyntax::Period(text) => self.period(text).map_or(UNKNOWN_AGE, After::Period),
            AfterSyntax::PerAccount { span, default, by, file } => {
                if default.is_none() && file.is_none() {
                    self.report.error(
                        span.clone(),
                        "a stage per account needs a default or a file",
                        "add `default = \"90d\"`, or `file = \"windows.toml\"` with a length for each account",
                    );
                }
                After::PerAccount {
                    default: default.as_ref().and_then(|text| self.period(text)),
                    by: by.as_ref().map(|by| by.get_ref().clone()).unwrap_or_default(),
                    file: file.as_ref().map(|file| PathBuf::from(file.get_ref())),
                    accounts: Accounts::default(),
                }
            }
        }
    }

    pub(super) fn period(&self, text: &Spanned<String>) -> Option<Period> {
        match text.get_ref().parse() {
            Ok(period) => {
                // 24m for 24 months would delete after 24 minutes.
                let word = text.get_ref().trim();
                if let Some(number) = word.strip_suffix('m') {
                    self.report.warning(
                        text.span(),
                        format!("`{word}` is {number} minutes"),
                        format!("write `{number}mo` for months, `{number}min` for minutes"),
                    );
                }
                Some(period)
            }
            Err(error) => {
                let message = format!("`{}` is not a length of time", text.get_ref());
                let error = error.to_string();
                let help = error.split_once(": ").map_or(error.as_str(), |(_, help)| help);
                self.report.error(text.span(), message, help);
                None
            }
        }
    }

    fn clock(&self, syntax: &ClockSyntax) -> Option<Clock> {
        match syntax {
            ClockSyntax::Word(word) if word.get_ref() == "record" => Some(Clock::Record),
            ClockSyntax::Word(word) => {
                self.report.error(
                    word.span(),
                    format!("there is no clock `{}`", word.get_ref()),
                    format!("write \"record\", or {{ field = \"{}\", else = \"record\" }}", word.get_ref()),
                );
                None
            }
            ClockSyntax::Field { field, otherwise, .. } => {
                if let Some(word) = otherwise.as_ref().filter(|word| word.get_ref() != "record") {
                    self.report.error(
                        word.span(),
                        "a record without the field can only go by its own time",
                        "write `else = \"record\"`",
                    );
                }
                let field = field.as_ref()?;
                self.field_name(field);
                Some(Clock::Field(field.get_ref().clone()))
            }
        }
    }

    pub(super) fn field_name(&self, field: &Spanned<String>) {
        if field.get_ref().trim().is_empty() {
            self.report.error(field.span(), "the field has no name", "write the key that holds the value");
        }
    }

    pub(super) fn when(&self, syntax: &WhenSyntax) -> Option<When> {
        let field = syntax.field.as_ref()?;
        self.field_name(field);
        let name = field.get_ref().clone();
        match (syntax.equals.as_slice(), &syntax.matches, &syntax.exists) {
            ([], None, Some(exists)) if *exists.get_ref() => Some(When::Exists { field: name }),
            ([_, ..], None, None) => {
                let values = syntax.equals.iter().map(|value| value.get_ref().clone()).collect();
                Some(When::Equals { field: name, values })
            }
            ([], Some(pattern), None) => match regex::bytes::Regex::new(pattern.get_ref()) {
                Ok(pattern) => Some(When::Matches { field: name, pattern }),
                Err(error) => {
                    let error = error.to_string();
                    let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    self.report.error(
                        pattern.span(),
                        format!("the pattern cannot be read: {reason}"),
                        "patterns are of Rust's regex crate: no look-around, no back-references",
                    );
                    None
                }
            },
            _ => {
                self.report.error(
                    syntax.span.clone(),
                    "`when` needs exactly one of `equals`, `matches`, `exists`",
                    "write { field = \"type\", equals = [\"sms\"] }, or matches = '''…''', or exists = true",
                );
                None
            }
        }
    }

    fn margin(&self, margin: Option<&Spanned<String>>, stages: &[Stage]) -> Margin {
        // Nothing said: `after = "90d"` means at or after 90 days.
        let Some(margin) = margin else { return Margin::Fixed { seconds: 0 } };
        if margin.get_ref() == "auto" {
            return Margin::Auto;
        }
        let Some(period) = self.period(margin) else { return Margin::Auto };
        if period.months > 0 {
            self.report.error(
                margin.span(),
                "a margin is a fixed length of time",
                "write it in days or shorter: `7d`, `12h`",
            );
        }
        for stage in stages {
            let Some(window) = stage.after.default_period().filter(|window| !window.is_zero()) else {
                continue;
            };
            if period.seconds.saturating_mul(2) >= window.shortest_seconds() {
                self.report.error(
                    margin.span(),
                    format!(
                        "a margin of {period} is half or more of the window {window} of stage `{}`",
                        stage.id
                    ),
                    "records would be gone long before their time: make the margin smaller",
                );
            }
        }
        Margin::Fixed { seconds: period.seconds }
    }

    fn unknown_fields(&self, word: Option<&Spanned<String>>) -> UnknownFields {
        let Some(word) = word else { return UnknownFields::DropValue };
        match word.get_ref().as_str() {
            "drop_value" => UnknownFields::DropValue,
            "drop_field" => UnknownFields::DropField,
            "keep" => UnknownFields::Keep,
            other => {
                let words = ["drop_value", "drop_field", "keep"];
                let near = did_you_mean(other, words).map(|near| format!("did you mean `{near}`? "));
                self.report.error(
                    word.span(),
                    format!("`unknown_fields` cannot be `{other}`"),
                    format!("{}write \"drop_value\", \"drop_field\" or \"keep\"", near.unwrap_or_default()),
                );
                UnknownFields::DropValue
            }
        }
    }

    fn city_floor(&self, floor: Option<&Spanned<i64>>) -> u64 {
        let Some(floor) = floor else { return CITY_FLOOR };
        u64::try_from(*floor.get_ref()).unwrap_or_else(|_| {
            self.report.error(
                floor.span(),
                "`city_floor` is a number of addresses, 0 or more",
                format!("write `city_floor = {CITY_FLOOR}`"),
            );
            CITY_FLOOR
        })
    }

    fn oldest_plausible(&self, text: Option<&Spanned<String>>) -> Period {
        let ten_years = Period { months: 120, seconds: 0 };
        text.map_or(Some(ten_years), |text| self.period(text)).unwrap_or(ten_years)
    }

    fn region(&self, code: &Spanned<String>) -> Option<Region> {
        let region = Region::from_code(code.get_ref());
        if region.is_none() {
            self.report.error(
                code.span(),
                format!("no country has the two-letter code `{}`", code.get_ref()),
                "write one of ISO 3166, as in \"US\", \"GB\"",
            );
        }
        region
    }

    /// `k` of the last stage, whose own actions become the coarsest.
    fn anonymity(&self, syntax: &[StageSyntax], stages: &mut [Stage]) -> Option<Anonymity> {
        let (last, earlier) = syntax.split_last()?;
        for k in
            earlier.iter().chain((syntax.len() == 1).then_some(last)).filter_map(|stage| stage.k.as_ref())
        {
            self.report.error(
                k.span(),
                "only the last of several stages can ask for `k`",
                "write it into the stage that releases the records",
            );
        }
        let k = last.k.as_ref()?;
        let Some(number) = u64::try_from(*k.get_ref()).ok().filter(|k| *k >= 2) else {
            let help = "write `k = 11`, or leave it out";
            self.report.error(k.span(), "`k` is how many records must show the same, 2 or more", help);
            return None;
        };
        let stage = stages.last_mut().filter(|_| syntax.len() > 1)?;
        let finest = stage.actions.clone();
        stage.actions = ActionTable::of_each(|class| finest.of(class).map(|action| coarser(class, action)));
        Some(Anonymity { k: number, finest })
    }

    /// What the document promises: each by a part of the file, or by something else that is named.
    fn sentences(&self, syntax: &PolicySyntax) -> Vec<Sentence> {
        let stages = syntax.stages.iter().filter_map(|stage| stage.id.as_ref());
        let counts = syntax.counts.iter().filter_map(|count| count.id.as_ref());
        let events = syntax.events.iter().filter_map(|event| event.id.as_ref());
        let ids: Vec<&str> = stages.chain(counts).chain(events).map(|id| id.get_ref().as_str()).collect();
        let mut sentences = Vec::new();
        for one in &syntax.sentences {
            for part in one.kept_by.iter().filter(|part| !ids.contains(&part.get_ref().as_str())) {
                let help = match did_you_mean(part.get_ref(), ids.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the stages, counts and events here are {}", ids.join(", ")),
                };
                let message = format!("no stage, count or event is called `{}`", part.get_ref());
                self.report.error(part.span(), message, help);
            }
            if one.kept_by.is_empty() && one.elsewhere.is_none() {
                self.report.error(
                    one.span.clone(),
                    "nothing keeps this sentence",
                    "name stages or counts in `kept_by = [\"deidentify\"]`, or say in `elsewhere` what does",
                );
            }
            sentences.push(Sentence {
                text: one.text.as_ref().map(|text| text.get_ref().clone()).unwrap_or_default(),
                kept_by: one.kept_by.iter().map(|part| part.get_ref().clone()).collect(),
                elsewhere: one.elsewhere.as_ref().map(|text| text.get_ref().clone()),
            });
        }
        sentences
    }
}

/// What a stage does with every class, its place in the ladder included (DESIGN: what a stage acts on).
fn resolved(place: usize, is_last: bool, stage: &Stage, earlier: &[Stage]) -> ActionTable {
    let mut actions = [None; SLOTS];
    for (slot, class) in every_class().enumerate() {
        let named = stage.actions.of(class);
        let action = if place == 0 {
            let default = if KEPT_AT_FIRST.contains(&class) { Action::Keep } else { Action::Remove };
            Some(named.unwrap_or(default))
        } else if is_last {
            // The latest earlier stage that names the class has the last word.
            let said =
                earlier.iter().rev().find(|s| s.named.contains(class)).and_then(|s| s.actions.of(class));
            // No pseudonym outlives the window, since its key does.
            Some(named.or(said.filter(|said| *said != Action::Pseudonym)).unwrap_or(Action::Remove))
        } else {
            named
        };
        if let Some(cell) = actions.get_mut(slot) {
            *cell = action;
        }
    }
    ActionTable::new(actions)
}

/// Every class there can be, in slot order.
pub(super) fn every_class() -> impl Iterator<Item = Class> {
    let custom = (0..SLOTS - BUILT_IN).filter_map(CustomClass::new).map(Class::Custom);
    Class::ALL.into_iter().chain(custom)
}

pub(super) fn same(a: Option<&Spanned<String>>, b: Option<&Spanned<String>>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a.get_ref() == b.get_ref())
}

fn class_list() -> String {
    Class::ALL.iter().map(|class| class.word()).collect::<Vec<_>>().join(", ")
}

fn line_of(source: &Source, at: usize) -> usize {
    source.text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

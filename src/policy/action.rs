//! Which actions a class can have, how a policy spells them, and what is wrong with the rest.

use super::syntax::ActionSyntax;
use crate::class::Class;
use crate::diagnostic::{Report, did_you_mean};
use crate::transform::{Action, GeoDetail, RoundTo};

/// How a policy spells an action: the word, and the detail if it takes one.
#[must_use]
pub fn spelling(action: Action) -> (&'static str, Option<&'static str>) {
    match action {
        Action::Keep => ("keep", None),
        Action::Remove => ("remove", None),
        Action::MaskCallingCode => ("mask", Some("calling_code")),
        Action::Pseudonym => ("pseudonym", None),
        Action::Measure => ("measure", None),
        Action::Geo(GeoDetail::City) => ("geo", Some("city")),
        Action::Geo(GeoDetail::Country) => ("geo", Some("country")),
        Action::Round(RoundTo::Hour) => ("round", Some("hour")),
        Action::Round(RoundTo::Day) => ("round", Some("day")),
        Action::Family => ("family", None),
        Action::Route => ("route", None),
        Action::DropField => ("drop_field", None),
    }
}

/// Every action there is.
const ACTIONS: [Action; 12] = [
    Action::Keep,
    Action::Remove,
    Action::MaskCallingCode,
    Action::Pseudonym,
    Action::Measure,
    Action::Geo(GeoDetail::City),
    Action::Geo(GeoDetail::Country),
    Action::Round(RoundTo::Hour),
    Action::Round(RoundTo::Day),
    Action::Family,
    Action::Route,
    Action::DropField,
];

/// Whether the action can be carried out on values of the class.
#[must_use]
pub fn possible(class: Class, action: Action) -> bool {
    match action {
        Action::Keep | Action::Remove | Action::DropField => true,
        Action::MaskCallingCode => class == Class::Phone,
        // Codes, cards and credentials are never tokenised: a token would still tell two of them
        // apart, and nobody needs to join on them.
        Action::Pseudonym => match class {
            Class::Phone
            | Class::Email
            | Class::Imei
            | Class::Ip
            | Class::Name
            | Class::SubjectId
            | Class::EventId
            | Class::Device
            | Class::Custom(_) => true,
            Class::Code
            | Class::Body
            | Class::Credential
            | Class::Card
            | Class::UserAgent
            | Class::Url
            | Class::Location
            | Class::Timestamp
            | Class::Port
            | Class::Safe => false,
        },
        Action::Measure => class == Class::Body,
        Action::Geo(_) => class == Class::Ip,
        Action::Round(_) => class == Class::Timestamp,
        Action::Family => class == Class::UserAgent,
        Action::Route => class == Class::Url,
    }
}

/// The action that a policy's words mean for a class; `None` with an error in the report.
pub fn resolve(report: &Report<'_>, class: Class, class_word: &str, syntax: &ActionSyntax) -> Option<Action> {
    let word = syntax.word.get_ref().as_str();
    if !ACTIONS.iter().any(|action| spelling(*action).0 == word) {
        let near = did_you_mean(word, ACTIONS.iter().map(|action| spelling(*action).0));
        let mut help = match near {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        help.push_str(&possible_actions(class, class_word));
        report.error(syntax.word.span(), format!("there is no action `{word}`"), help);
        return None;
    }
    if !ACTIONS.iter().any(|action| spelling(*action).0 == word && possible(class, *action)) {
        report.error(
            syntax.span.clone(),
            format!("`{word}` is not possible for `{class_word}`"),
            possible_actions(class, class_word),
        );
        return None;
    }
    let detail = syntax.detail.as_ref().map(|detail| detail.get_ref().as_str());
    let action = ACTIONS.into_iter().find(|action| spelling(*action) == (word, detail));
    if action.is_none() {
        report_detail(report, word, syntax);
    }
    action
}

/// The word is an action, but not with this detail, or not without one.
fn report_detail(report: &Report<'_>, word: &str, syntax: &ActionSyntax) {
    let details: Vec<&str> =
        ACTIONS.iter().map(|action| spelling(*action)).filter(|s| s.0 == word).filter_map(|s| s.1).collect();
    let forms: Vec<String> = details.iter().map(|detail| format!("{{ {word} = \"{detail}\" }}")).collect();
    match &syntax.detail {
        Some(detail) if details.is_empty() => report.error(
            detail.span(),
            format!("`{word}` takes no detail"),
            format!("write \"{word}\" alone"),
        ),
        Some(detail) => report.error(
            detail.span(),
            format!("`{word}` has no detail `{}`", detail.get_ref()),
            format!("write {}", forms.join(" or ")),
        ),
        None => report.error(
            syntax.span.clone(),
            format!("`{word}` needs to know what to keep"),
            format!("write {}", forms.join(" or ")),
        ),
    }
}

fn possible_actions(class: Class, class_word: &str) -> String {
    let forms: Vec<String> = ACTIONS
        .into_iter()
        .filter(|action| possible(class, *action))
        .map(|action| match spelling(action) {
            (word, Some(detail)) => format!("{{ {word} = \"{detail}\" }}"),
            (word, None) => format!("\"{word}\""),
        })
        .collect();
    format!("`{class_word}` can have {}", forms.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_one_action_and_every_action_is_possible_for_some_class() {
        for (place, action) in ACTIONS.into_iter().enumerate() {
            let same = ACTIONS.iter().position(|other| spelling(*other) == spelling(action));
            assert_eq!(same, Some(place));
            assert!(Class::ALL.into_iter().any(|class| possible(class, action)), "{action:?}");
        }
    }
}

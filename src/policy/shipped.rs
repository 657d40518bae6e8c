//! The policies that come with the program.

use super::{Compiled, compile};
use crate::diagnostic::{Diagnostics, Source};

/// (path in the project, text) of every file in `rules/policies`, put together by `build.rs`.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_policies.rs"));

/// Ids of the shipped policies, in the order of their names.
pub fn shipped_ids() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(path, _)| id_of(path))
}

/// The shipped policy of that id; `None` where there is none. `custom` as in [`compile`].
///
/// # Errors
/// What is wrong with it; a test keeps the shipped ones right.
pub fn shipped(id: &str, custom: &[String]) -> Option<Result<Compiled, Diagnostics>> {
    let (path, text) = FILES.iter().find(|(path, _)| id_of(path) == id)?;
    let source = Source { name: (*path).to_owned(), text: (*text).to_owned() };
    Some(compile(&source, custom))
}

/// A shipped policy's file is named after its id.
fn id_of(path: &'static str) -> &'static str {
    path.rsplit('/').next().and_then(|name| name.strip_suffix(".toml")).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::{Class, CustomClass};
    use crate::policy::{After, Clock, Margin, Period, Policy, Position, UnknownFields};
    use crate::transform::{Action, GeoDetail, RoundTo};

    fn policy(id: &str) -> Policy {
        shipped(id, &[]).unwrap().unwrap_or_else(|errors| panic!("{errors}")).policy
    }

    #[test]
    fn every_shipped_policy_is_right_and_named_after_its_file() {
        for id in shipped_ids() {
            let compiled = shipped(id, &[]).unwrap().unwrap_or_else(|errors| panic!("{errors}"));
            assert_eq!(compiled.policy.id, id);
            assert!(!compiled.policy.summary.is_empty(), "{id}");
            assert_eq!(compiled.warnings.to_string(), "", "{id}");
        }
        assert!(shipped("nobody", &[]).is_none());
    }

    #[test]
    fn default_scrubs_at_once_and_deidentifies_after_90_days_of_the_record() {
        let policy = policy("default");
        assert_eq!(policy.clock, Clock::Record);
        assert_eq!(policy.margin, Margin::Fixed { seconds: 0 });
        let ages: Vec<_> = policy.stages.iter().map(|s| (s.id.as_str(), s.after.clone())).collect();
        assert_eq!(
            ages,
            [("scrub", After::Period(Period::ZERO)), ("deidentify", After::Period(Period::days(90))),]
        );
        let scrub = &policy.stages[0].actions;
        for (class, action) in [
            (Class::Phone, Action::MaskCallingCode),
            (Class::Body, Action::Measure),
            (Class::Ip, Action::Geo(GeoDetail::City)),
            (Class::SubjectId, Action::Pseudonym),
            (Class::Device, Action::Pseudonym),
            (Class::Code, Action::Remove),
            (Class::Custom(CustomClass::new(3).unwrap()), Action::Remove),
            (Class::EventId, Action::Keep),
            (Class::Safe, Action::Keep),
        ] {
            assert_eq!(scrub.of(class), Some(action), "{class}");
        }
    }

    /// What a policy's last stage may leave, whatever the policy.
    #[test]
    fn the_last_stage_of_every_shipped_policy_is_deidentified() {
        for id in shipped_ids() {
            let policy = policy(id);
            let last = policy.stages.len() - 1;
            if policy.position(last) != Position::Last {
                continue;
            }
            assert_eq!(policy.unknown_fields, UnknownFields::DropValue, "{id}");
            for class in Class::ALL {
                let action = policy.stages[last].actions.of(class).unwrap();
                let allowed: &[Action] = match class {
                    Class::Phone => &[Action::MaskCallingCode, Action::Remove],
                    Class::Body => &[Action::Measure, Action::Remove],
                    Class::Ip => {
                        &[Action::Geo(GeoDetail::City), Action::Geo(GeoDetail::Country), Action::Remove]
                    }
                    Class::Timestamp => &[Action::Round(RoundTo::Hour), Action::Round(RoundTo::Day)],
                    Class::UserAgent => &[Action::Family, Action::Remove],
                    Class::Url => &[Action::Route, Action::Remove],
                    Class::Safe => &[Action::Keep],
                    _ => &[Action::Remove, Action::DropField],
                };
                assert!(allowed.contains(&action), "{id}: {class} is {action:?}");
            }
        }
    }

    #[test]
    fn mossmoon_keeps_its_windows() {
        let policy = policy("mossmoon");
        let ages: Vec<_> = policy.stages.iter().map(|s| s.after.default_period().unwrap()).collect();
        assert_eq!(ages, [Period::ZERO, Period::days(30), Period::days(90)]);
        assert_eq!(policy.margin, Margin::Auto);
        let middle = &policy.stages[1].actions;
        assert_eq!(middle.of(Class::Code), Some(Action::Remove));
        assert_eq!(middle.of(Class::Body), Some(Action::Remove));
        assert_eq!(middle.of(Class::Ip), None);
        let counted: Vec<_> = policy.counts.iter().map(|count| count.id.as_str()).collect();
        assert_eq!(counted, ["billing"]);
    }
}

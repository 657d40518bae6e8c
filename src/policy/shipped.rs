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

    /// What a policy's document promises, whether a part of the policy keeps it or something else does.
    #[test]
    fn every_sentence_of_a_document_is_kept_and_every_stage_keeps_one() {
        for id in shipped_ids().filter(|id| *id != "default") {
            let policy = policy(id);
            assert!(policy.sentences.len() >= 5, "{id} lists the sentences that it keeps");
            for (place, sentence) in policy.sentences.iter().enumerate() {
                assert!(sentence.text.len() >= 20, "{id}: {}", sentence.text);
                let twice = policy.sentences.iter().skip(place + 1).any(|other| other.text == sentence.text);
                assert!(!twice, "{id} names it twice: {}", sentence.text);
            }
            let parts = policy.stages.iter().map(|stage| &stage.id);
            let counts = policy.counts.iter().map(|count| &count.id);
            for part in parts.chain(counts).chain(policy.events.iter().map(|event| &event.id)) {
                let kept = policy.sentences.iter().any(|sentence| sentence.kept_by.contains(part));
                assert!(kept, "{id}: no sentence asks for `{part}`");
            }
        }
    }

    #[test]
    fn the_five_documents_and_their_windows() {
        let ages = |id: &str| -> Vec<(String, Option<Period>)> {
            let of = |stage: &crate::policy::Stage| (stage.id.clone(), stage.after.default_period());
            policy(id).stages.iter().skip(1).map(of).collect()
        };
        let months = |months| Some(Period { months, seconds: 0 });
        let days = |days| Some(Period::days(days));
        let want = |stages: &[(&str, Option<Period>)]| -> Vec<(String, Option<Period>)> {
            stages.iter().map(|(id, age)| ((*id).to_owned(), *age)).collect()
        };
        assert_eq!(ages("mossmoon"), want(&[("codes_and_content", days(30)), ("deidentify", days(90))]));
        assert_eq!(ages("massivesms"), want(&[("bodies", days(90)), ("deidentify", months(24))]));
        assert_eq!(ages("wasms"), want(&[("deidentify", days(90))]));
        // Their documents name no length.
        assert_eq!(ages("messageapi"), want(&[("message_logs", None)]));
        assert_eq!(ages("mesej"), want(&[("usage", None)]));
        assert!(
            matches!(&policy("wasms").stages[1].after, After::PerAccount { by, .. } if by == "account_id")
        );
    }

    #[test]
    fn an_operator_sets_windows() {
        let mut unset = policy("messageapi");
        assert_eq!(unset.unset().map(|stage| stage.id.as_str()), Some("message_logs"));
        unset.set_window("message_logs", Period::days(60)).unwrap();
        assert!(unset.unset().is_none() && unset.check_windows().is_ok());
        let told = unset.set_window("mesage_logs", Period::days(60)).unwrap_err().to_string();
        assert_eq!(
            told,
            "policy `messageapi` has no later stage `mesage_logs`; its later stages are `message_logs`"
        );
        let none = unset.set_accounts(&crate::policy::Accounts::default()).unwrap_err().to_string();
        assert_eq!(none, "no stage of policy `messageapi` is per account");
        let mut falling = policy("mossmoon");
        falling.set_window("deidentify", Period::days(20)).unwrap();
        let told = falling.check_windows().unwrap_err().to_string();
        assert_eq!(
            told,
            "ages must rise: stage `deidentify` at 20d comes after stage `codes_and_content` at 30d"
        );
        let mut own = policy("wasms");
        let windows = crate::policy::Accounts([("acct-17".to_owned(), Period::days(30))].into());
        own.set_accounts(&windows).unwrap();
        assert!(matches!(&own.stages[1].after, After::PerAccount { accounts, .. } if *accounts == windows));
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

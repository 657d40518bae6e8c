//! What an action makes of a placeholder that is already there: less detail, never more.

use super::placeholder::{self, Note, Placeholder};
use super::pseudonym::Origin;
use super::{Action, Context, GeoDetail, Outcome, Value, geo};
use crate::class::Class;
use crate::finding::Detail;

/// Applies the action of the placeholder's class to a placeholder found in the input.
///
/// A detail stays only under the action that writes it (`[PHONE:+49]` under `mask`), or shrinks
/// (`[IP:DE/Berlin]` under `geo = "country"`, or when the databases map too few addresses to the
/// city); under any other action the bare placeholder of the class remains. What is bare already,
/// and what stands for a withheld record, stays. `Keep` where the bytes would be the same.
pub fn reduce(action: Action, found: &Placeholder<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> Outcome {
    let custom_name = match found.class {
        Class::Custom(custom) => context.custom.get(custom.place()).map_or("", String::as_str),
        _ => "",
    };
    reduce_within(
        action,
        found,
        &Value { class: found.class, bytes: b"", detail: Detail::None, custom_name },
        context,
        out,
    )
}

/// As [`reduce`], for a placeholder that is the whole of a value which something else than its own
/// form gave a class: that class is only used where the placeholder does not tell its own.
pub(super) fn reduce_within(
    action: Action,
    found: &Placeholder<'_>,
    value: &Value<'_>,
    context: &Context<'_>,
    out: &mut Vec<u8>,
) -> Outcome {
    match action {
        Action::Keep => return Outcome::Keep,
        Action::DropField => return Outcome::Drop,
        _ => {}
    }
    let (class, custom_name) = match (found.note, found.class) {
        (Note::Bare | Note::Withheld, _) => return Outcome::Keep,
        (Note::CallingCode(_), _) if action == Action::MaskCallingCode => return Outcome::Keep,
        (Note::Size(_), _) if action == Action::Measure => return Outcome::Keep,
        (Note::PrivateAddress | Note::UnknownAddress, _) if matches!(action, Action::Geo(_)) => {
            return Outcome::Keep;
        }
        (Note::Place { country, city }, _) if let Action::Geo(detail) = action => {
            let Some(city) = city else {
                return Outcome::Keep;
            };
            if detail == GeoDetail::City && is_large_enough(country, city, context) {
                return Outcome::Keep;
            }
            geo::write_country(country, out);
            return Outcome::Replaced;
        }
        (Note::Token(Origin::Ours(_)), _) if action == Action::Pseudonym => return Outcome::Keep,
        (Note::Token(Origin::Unverified), _) => (value.class, value.custom_name),
        (_, Class::Custom(custom)) => {
            (found.class, context.custom.get(custom.place()).map_or(value.custom_name, String::as_str))
        }
        (_, class) => (class, ""),
    };
    placeholder::write_bare(class, custom_name, out);
    Outcome::Replaced
}

/// Without a database no city has a size, so that only a floor of 0 lets its name stand.
fn is_large_enough(country: &str, city: &str, context: &Context<'_>) -> bool {
    context.city_floor == 0
        || context.places.is_some_and(|places| places.city_addresses(country, city) >= context.city_floor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Place, Places, RoundTo, apply};

    struct Sizes;
    impl Places for Sizes {
        fn place(&self, _: std::net::IpAddr) -> Option<Place<'_>> {
            None
        }
        fn knows(&self, country: &str, city: Option<&str>) -> bool {
            matches!((country, city), ("GB", None | Some("London" | "Boxford")))
        }
        fn city_addresses(&self, _: &str, city: &str) -> u64 {
            if city == "London" { 1_000_000 } else { 996 }
        }
    }

    #[test]
    fn less_never_more() {
        let context = Context { places: Some(&Sizes), city_floor: 10_000, ..Context::default() };
        let city = Action::Geo(GeoDetail::City);
        let country = Action::Geo(GeoDetail::Country);
        for (text, action, expected) in [
            ("[IP:GB/London]", city, "[IP:GB/London]"),
            ("[IP:GB/Boxford]", city, "[IP:GB]"),
            ("[IP:GB/London]", country, "[IP:GB]"),
            ("[IP:GB]", city, "[IP:GB]"),
            ("[IP:GB/London]", Action::Remove, "[IP]"),
            ("[IP:GB/London]", Action::Pseudonym, "[IP]"),
            ("[IP:private]", city, "[IP:private]"),
            ("[IP:private]", Action::Remove, "[IP]"),
            ("[IP:unknown]", country, "[IP:unknown]"),
            ("[IP]", city, "[IP]"),
            ("[PHONE:+49]", Action::MaskCallingCode, "[PHONE:+49]"),
            ("[PHONE:+49]", Action::Remove, "[PHONE]"),
            ("[PHONE]", Action::MaskCallingCode, "[PHONE]"),
            ("[BODY:chars=42,segments=1]", Action::Measure, "[BODY:chars=42,segments=1]"),
            ("[BODY:chars=42,segments=1]", Action::Remove, "[BODY]"),
            ("[BODY:chars=42,segments=1]", Action::Route, "[BODY]"),
            ("[TIME]", Action::Round(RoundTo::Hour), "[TIME]"),
            ("[WITHHELD:reason=panic,bytes=1]", Action::Remove, "[WITHHELD:reason=panic,bytes=1]"),
        ] {
            let found = placeholder::parse(text.as_bytes(), &context).unwrap();
            for action in [action, Action::Keep] {
                let mut out = Vec::new();
                let outcome = reduce(action, &found, &context, &mut out);
                let expected = if action == Action::Keep { text } else { expected };
                match outcome {
                    Outcome::Keep => assert_eq!((expected, out.len()), (text, 0)),
                    Outcome::Replaced => assert_eq!(String::from_utf8(out).unwrap(), expected),
                    Outcome::Drop => panic!("{text}"),
                }
            }
            assert_eq!(reduce(Action::DropField, &found, &context, &mut Vec::new()), Outcome::Drop);
        }
    }

    #[test]
    fn a_placeholder_in_another_class_s_field_keeps_its_own_word() {
        let value =
            |bytes| Value { class: Class::Phone, bytes, detail: Detail::CallingCode(49), custom_name: "" };
        for (text, expected) in [
            (&b"[EMAIL]"[..], None),
            (b"[IP:GB/London]", Some(&b"[IP]"[..])),
            // Whose token it is no one can tell; the field can.
            (b"[ID:k1.AAAAAAAAAAAAAAAAAAAAAA]", Some(b"[PHONE]")),
        ] {
            let mut out = Vec::new();
            let outcome = apply(Action::MaskCallingCode, &value(text), &Context::default(), &mut out);
            assert_eq!((outcome == Outcome::Replaced).then_some(out.as_slice()), expected);
        }
    }
}

//! What every action promises, on any bytes: it never panics, its output is a fixed point, and what
//! it writes is a placeholder that the strict parser knows, or the plain value that the action names.

use logscrub::class::{Class, CustomClass};
use logscrub::engine::WithheldReason;
use logscrub::finding::Detail;
use logscrub::transform::pseudonym::KeyScope;
use logscrub::transform::{
    Action, Context, GeoDetail, Keys, Outcome, Place, Places, RoundTo, UNKNOWN, Value, apply, placeholder,
    reduce,
};
use proptest::prelude::*;
use std::net::IpAddr;

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

/// Every address with an even first octet is in one of three cities.
struct ThreeCities;

impl Places for ThreeCities {
    fn place(&self, truncated: IpAddr) -> Option<Place<'_>> {
        let first = match truncated {
            IpAddr::V4(v4) => v4.octets()[0],
            IpAddr::V6(v6) => v6.octets()[0],
        };
        match first % 8 {
            0 => Some(Place { country: "DE", city: Some("Köln"), city_addresses: 100_000 }),
            2 => Some(Place { country: "GB", city: Some("Boxford"), city_addresses: 996 }),
            4 => Some(Place { country: "JP", city: Some("東京"), city_addresses: 9_000_000 }),
            _ => None,
        }
    }

    fn knows(&self, country: &str, city: Option<&str>) -> bool {
        matches!((country, city), ("DE", None | Some("Koln")) | ("GB", None | Some("Boxford")) | ("JP", None))
    }

    fn city_addresses(&self, _: &str, city: &str) -> u64 {
        if city == "Koln" { 100_000 } else { 996 }
    }
}

fn keys() -> Keys {
    let mut keys = Keys::default();
    keys.add("k1", KeyScope::default(), vec![7; 32].into()).unwrap();
    keys
}

fn classes() -> impl Strategy<Value = Class> {
    let custom = CustomClass::new(0).map(Class::Custom);
    proptest::sample::select(Class::ALL.into_iter().chain(custom).collect::<Vec<_>>())
}

/// Bytes in the forms that actions look for, mutated placeholders, and anything.
fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        any::<[u8; 4]>().prop_map(|octets| IpAddr::from(octets).to_string().into_bytes()),
        any::<[u8; 16]>().prop_map(|octets| format!("[{}]:443", IpAddr::from(octets)).into_bytes()),
        any::<u64>().prop_map(|number| number.to_string().into_bytes()),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?".prop_map(String::into_bytes),
        "[0-9]{1,2}[/. -](Jan|jun|[0-9]{2})[/. -][0-9]{2,4}[ :,]{1,2}[0-9]{1,2}:[0-5][0-9](:[0-5][0-9])?( [AP]M)?".prop_map(String::into_bytes),
        "(https?:/)?(/[a-zA-Z0-9{}%._-]{0,12}){0,6}/?([?#][a-z=]{0,5})?".prop_map(String::into_bytes),
        "(Mozilla/5.0 )?(Chrome|Safari|Version|curl|Edg|MSIE|Ruby)[/ ][0-9v.]{0,6}( Safari/[0-9]{1,4})?".prop_map(String::into_bytes),
        r"\[(PHONE|BODY|IP|ID|CUSTOM|CODE|WITHHELD|TIME)(:[+A-Za-z0-9=,/._-]{0,30})?\]".prop_map(String::into_bytes),
        r"\[(PHONE:\+(49|1|44)|BODY:chars=[0-9]{1,4},segments=[0-9]|IP:(DE|GB|JP|XX)(/(Koln|Boxford|Paris))?|CUSTOM:badge)\]".prop_map(String::into_bytes),
        "\\PC{0,200}".prop_map(String::into_bytes),
    ]
}

fn context<'a>(keys: &'a Keys, custom: &'a [String], floor: u64) -> Context<'a> {
    Context { places: Some(&ThreeCities), city_floor: floor, keys: Some(keys), tenant: b"t", custom }
}

/// The bytes that stand in the value's place, or `None` where the field is dropped.
fn done(
    action: Action,
    class: Class,
    bytes: &[u8],
    detail: Detail,
    context: &Context<'_>,
) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    let value = Value { class, bytes, detail, custom_name: "badge" };
    let outcome = apply(action, &value, context, &mut out);
    assert!(out.starts_with(b"before"), "out is only appended to");
    match outcome {
        Outcome::Replaced => Some(out.split_off(6)),
        Outcome::Keep => {
            assert_eq!(out, b"before");
            Some(bytes.to_vec())
        }
        Outcome::Drop => {
            assert_eq!(out, b"before");
            None
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn every_action_is_idempotent_and_its_output_recognised(
        class in classes(),
        bytes in values(),
        code in 0u16..1000,
        floor in proptest::sample::select(vec![0u64, 1_000, 1_000_000]),
    ) {
        let (keys, custom) = (keys(), ["badge".to_owned()]);
        let context = context(&keys, &custom, floor);
        for action in ACTIONS {
            let Some(once) = done(action, class, &bytes, Detail::CallingCode(code), &context) else {
                prop_assert_eq!(action, Action::DropField);
                continue;
            };
            let twice = done(action, class, &once, Detail::None, &context);
            prop_assert_eq!(twice.as_deref(), Some(once.as_slice()), "{:?} of {}", action, class);
            if action == Action::Keep {
                prop_assert_eq!(&once, &bytes);
                continue;
            }
            let plain = matches!(action, Action::Round(_) | Action::Family | Action::Route);
            match placeholder::parse(&once, &context) {
                Some(found) => {
                    // As a finding of its own class the same action leaves it, too.
                    let mut out = Vec::new();
                    prop_assert_eq!(reduce(action, &found, &context, &mut out), Outcome::Keep);
                    prop_assert!(once.is_ascii() && !once.iter().any(|b| b" \"'\\".contains(b) || *b < b' '));
                }
                None => prop_assert!(plain || once == UNKNOWN, "{:?} of {} wrote no placeholder", action, class),
            }
        }
    }

    /// Removing at once and removing what another action left of it come to the same.
    #[test]
    fn a_later_remove_leaves_what_an_earlier_one_would_have(class in classes(), bytes in values(), code in 0u16..1000) {
        let (keys, custom) = (keys(), ["badge".to_owned()]);
        let context = context(&keys, &custom, 0);
        prop_assume!(placeholder::parse(&bytes, &context).is_none());
        let at_once = done(Action::Remove, class, &bytes, Detail::None, &context);
        for action in [Action::MaskCallingCode, Action::Pseudonym, Action::Measure, Action::Geo(GeoDetail::City)] {
            let first = done(action, class, &bytes, Detail::CallingCode(code), &context).unwrap();
            let later = match placeholder::parse(&first, &context) {
                Some(found) => {
                    let mut out = Vec::new();
                    match reduce(Action::Remove, &found, &context, &mut out) {
                        Outcome::Replaced => out,
                        Outcome::Keep | Outcome::Drop => first,
                    }
                }
                None => first,
            };
            // An event id's bare placeholder is a subject id's, by contract.
            prop_assert_eq!(Some(later), at_once.clone(), "{:?} of {}", action, class);
        }
    }

    /// What is parsed somewhere in a text has exactly the bytes it says.
    #[test]
    fn a_placeholder_in_a_text_ends_where_it_says(text in values(), pos in 0usize..8) {
        let (keys, custom) = (keys(), ["badge".to_owned()]);
        let context = context(&keys, &custom, 0);
        if let Some(found) = placeholder::at(&text, pos, &context) {
            let own = &text[pos..pos + found.len];
            prop_assert_eq!(placeholder::parse(own, &context), Some(found));
        }
    }
}

#[test]
fn every_reason_to_withhold_has_its_placeholder() {
    let reasons = [
        WithheldReason::TooLarge,
        WithheldReason::TooDeep,
        WithheldReason::TimeOut,
        WithheldReason::Panic,
        WithheldReason::Binary,
    ];
    for reason in reasons {
        let mut out = Vec::new();
        placeholder::write_withheld(reason.word(), usize::MAX >> 12, &mut out);
        let found = placeholder::parse(&out, &Context::default()).unwrap();
        assert_eq!((found.class, found.note), (Class::Safe, placeholder::Note::Withheld));
    }
}

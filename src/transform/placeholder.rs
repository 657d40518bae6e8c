//! Placeholders: what they look like, and telling ours from text that a sender typed.
//!
//! The bare ones: `[PHONE]` `[CODE]` `[BODY]` `[EMAIL]` `[CREDENTIAL]` `[CARD]` `[NAME]` `[ID]`
//! (subject and event ids) `[DEVICE]` `[IMEI]` `[IP]` `[LOCATION]` `[TIME]` `[PORT]` `[URL]`
//! `[USER_AGENT]` `[CUSTOM:name]`. With a detail:
//!
//! | written by | form | recognised only if |
//! |---|---|---|
//! | mask | `[PHONE:+49]` | the calling code is in use |
//! | measure | `[BODY:chars=42,segments=1]` | a text of that many characters can take that many SMS |
//! | geo | `[IP:DE]` `[IP:DE/Berlin]` `[IP:private]` `[IP:unknown]` | ISO 3166-1 country; the databases know the city (without any: letters, `_`, `-`, `.`) |
//! | pseudonym | `[ID:<key id>.<22 base64url>]` | canonical base64url; made by our key, else the class is not known |
//! | the engine | `[WITHHELD:reason=…,bytes=N]` | one of [`WITHHELD_REASONS`] |
//! | any, for custom classes | `[CUSTOM:name]` | the rule set has the class |
//!
//! Numbers are canonical: no sign, no leading zero. Everything else is text.

use super::measure::{self, Size};
use super::pseudonym::{self, Origin};
use super::{Context, UNKNOWN, country, geo};
use crate::class::{Class, CustomClass};
use crate::numbering::is_calling_code;

/// No placeholder is longer; what is longer is text.
pub const MAX_LEN: usize = 96;

/// Why a record can be withheld, as the placeholder spells it.
pub const WITHHELD_REASONS: [&str; 5] = ["too_large", "too_deep", "time_out", "panic", "binary"];

/// A placeholder found in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placeholder<'t> {
    /// Whose class's action is for it. `[ID]` and a token that no key of ours made count as
    /// `subject_id`, `[WITHHELD:…]` as `safe`.
    pub class: Class,
    /// Bytes, brackets included.
    pub len: usize,
    pub note: Note<'t>,
}

/// What a placeholder says beside its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'t> {
    Bare,
    CallingCode(u16),
    Size(Size),
    Place { country: &'static str, city: Option<&'t str> },
    PrivateAddress,
    UnknownAddress,
    Token(Origin),
    Withheld,
}

/// The word in brackets of a class; `None` for `safe`, which has none, and for custom classes,
/// whose placeholder has the name behind the word.
#[must_use]
pub fn word(class: Class) -> Option<&'static str> {
    Some(match class {
        Class::Phone => "PHONE",
        Class::Code => "CODE",
        Class::Body => "BODY",
        Class::Email => "EMAIL",
        Class::Credential => "CREDENTIAL",
        Class::Card => "CARD",
        Class::Imei => "IMEI",
        Class::Ip => "IP",
        Class::Name => "NAME",
        Class::SubjectId | Class::EventId => "ID",
        Class::Device => "DEVICE",
        Class::UserAgent => "USER_AGENT",
        Class::Url => "URL",
        Class::Location => "LOCATION",
        Class::Timestamp => "TIME",
        Class::Port => "PORT",
        Class::Safe | Class::Custom(_) => return None,
    })
}

/// The class a word in brackets stands for.
/// Whether one of the words of placeholders may begin a text, by its first two letters.
fn may_be_word(text: &[u8]) -> bool {
    matches!(
        text,
        [b'P', b'H' | b'O', ..]
            | [b'C', b'O' | b'R' | b'A' | b'U', ..]
            | [b'B', b'O', ..]
            | [b'E', b'M', ..]
            | [b'I', b'M' | b'P' | b'D', ..]
            | [b'N', b'A', ..]
            | [b'D', b'E', ..]
            | [b'U', b'S' | b'R', ..]
            | [b'L', b'O', ..]
            | [b'T', b'I', ..]
            | [b'W', b'I', ..]
    )
}

fn class_of(word: &[u8]) -> Option<Class> {
    Some(match word {
        b"PHONE" => Class::Phone,
        b"CODE" => Class::Code,
        b"BODY" => Class::Body,
        b"EMAIL" => Class::Email,
        b"CREDENTIAL" => Class::Credential,
        b"CARD" => Class::Card,
        b"IMEI" => Class::Imei,
        b"IP" => Class::Ip,
        b"NAME" => Class::Name,
        b"ID" => Class::SubjectId,
        b"DEVICE" => Class::Device,
        b"USER_AGENT" => Class::UserAgent,
        b"URL" => Class::Url,
        b"LOCATION" => Class::Location,
        b"TIME" => Class::Timestamp,
        b"PORT" => Class::Port,
        _ => return None,
    })
}

/// Appends a class's bare placeholder; for `safe`, and for a custom class whose name can not stand
/// in a placeholder, [`UNKNOWN`].
pub fn write_bare(class: Class, custom_name: &str, out: &mut Vec<u8>) {
    match (class, word(class)) {
        (Class::Custom(_), _) if is_custom_name(custom_name.as_bytes()) => {
            out.extend_from_slice(b"[CUSTOM:");
            out.extend_from_slice(custom_name.as_bytes());
            out.push(b']');
        }
        (_, Some(word)) => {
            out.push(b'[');
            out.extend_from_slice(word.as_bytes());
            out.push(b']');
        }
        (_, None) => out.extend_from_slice(UNKNOWN),
    }
}

/// Appends `[WITHHELD:reason=…,bytes=N]`; `reason` is one of [`WITHHELD_REASONS`].
pub fn write_withheld(reason: &str, bytes: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[WITHHELD:reason=");
    out.extend_from_slice(reason.as_bytes());
    out.extend_from_slice(b",bytes=");
    write_number(bytes as u64, out);
    out.push(b']');
}

/// Appends a number in decimal.
pub(super) fn write_number(mut number: u64, out: &mut Vec<u8>) {
    let start = out.len();
    loop {
        out.push(b'0' + (number % 10) as u8);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// The placeholder that `text` is, whole.
#[must_use]
pub fn parse<'t>(text: &'t [u8], context: &Context<'_>) -> Option<Placeholder<'t>> {
    if text.last() != Some(&b']') || text.len() > MAX_LEN {
        return None;
    }
    at(text, 0, context).filter(|found| found.len == text.len())
}

/// The placeholder that begins at `pos`. Looks at [`MAX_LEN`] bytes at the most.
#[must_use]
pub fn at<'t>(text: &'t [u8], pos: usize, context: &Context<'_>) -> Option<Placeholder<'t>> {
    let rest = text.get(pos..)?.strip_prefix(b"[")?;
    if !may_be_word(rest) {
        return None;
    }
    let end = memchr::memchr(b']', rest.get(..MAX_LEN - 1).unwrap_or(rest))?;
    let inside = rest.get(..end)?;
    let (class, note) = match memchr::memchr(b':', inside) {
        None => (class_of(inside)?, Note::Bare),
        Some(colon) => detailed(inside.get(..colon)?, inside.get(colon + 1..)?, context)?,
    };
    Some(Placeholder { class, len: end + 2, note })
}

fn detailed<'t>(word: &[u8], detail: &'t [u8], context: &Context<'_>) -> Option<(Class, Note<'t>)> {
    match word {
        b"PHONE" => {
            let code = u16::try_from(number(detail.strip_prefix(b"+")?)?).ok()?;
            is_calling_code(code).then_some((Class::Phone, Note::CallingCode(code)))
        }
        b"BODY" => {
            let detail = detail.strip_prefix(b"chars=")?;
            let (chars, segments) = detail.split_at_checked(memchr::memchr(b',', detail)?)?;
            let segments = segments.strip_prefix(b",segments=")?;
            let size = Size { chars: number(chars)?, segments: number(segments)? };
            measure::possible(size).then_some((Class::Body, Note::Size(size)))
        }
        b"IP" => Some((Class::Ip, address(detail, context)?)),
        b"ID" => {
            let origin = pseudonym::parse(detail, context)?;
            let class = match origin {
                Origin::Ours(class) => class,
                Origin::Unverified => Class::SubjectId,
            };
            Some((class, Note::Token(origin)))
        }
        b"CUSTOM" => {
            let place = context.custom.iter().position(|name| name.as_bytes() == detail)?;
            is_custom_name(detail).then_some((Class::Custom(CustomClass::new(place)?), Note::Bare))
        }
        b"WITHHELD" => {
            let detail = detail.strip_prefix(b"reason=")?;
            let (reason, bytes) = detail.split_at_checked(memchr::memchr(b',', detail)?)?;
            number(bytes.strip_prefix(b",bytes=")?)?;
            let known = WITHHELD_REASONS.iter().any(|known| known.as_bytes() == reason);
            known.then_some((Class::Safe, Note::Withheld))
        }
        _ => None,
    }
}

fn address<'t>(detail: &'t [u8], context: &Context<'_>) -> Option<Note<'t>> {
    match detail {
        b"private" => return Some(Note::PrivateAddress),
        b"unknown" => return Some(Note::UnknownAddress),
        _ => {}
    }
    let (code, city) = match detail.split_at_checked(2)? {
        (code, b"") => (code, None),
        (code, rest) => (code, Some(std::str::from_utf8(rest.strip_prefix(b"/")?).ok()?)),
    };
    let country = country::known(code)?;
    let city_is_known = match (city, context.places) {
        (None, _) => true,
        (Some(city), Some(places)) => {
            geo::is_written_city(city.as_bytes()) && places.knows(country, Some(city))
        }
        (Some(city), None) => {
            geo::is_written_city(city.as_bytes()) && !city.bytes().any(|byte| byte.is_ascii_digit())
        }
    };
    city_is_known.then_some(Note::Place { country, city })
}

/// A canonical decimal number of at most 16 digits.
fn number(digits: &[u8]) -> Option<u64> {
    let canonical = digits.first() != Some(&b'0') || digits.len() == 1;
    if digits.is_empty() || digits.len() > 16 || !canonical {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0')))
}

fn is_custom_name(name: &[u8]) -> bool {
    (1..=64).contains(&name.len())
        && name
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Place, Places};

    struct Berlin;
    impl Places for Berlin {
        fn place(&self, _: std::net::IpAddr) -> Option<Place<'_>> {
            None
        }
        fn knows(&self, country: &str, city: Option<&str>) -> bool {
            country == "DE" && matches!(city, None | Some("Berlin" | "Halle_1"))
        }
        fn city_addresses(&self, _: &str, _: &str) -> u64 {
            0
        }
    }

    #[test]
    fn bare_ones_lead_back_to_their_class() {
        for class in Class::ALL {
            let mut text = Vec::new();
            write_bare(class, "", &mut text);
            let expected = match class {
                Class::EventId => Some(Class::SubjectId),
                Class::Safe => None,
                _ => Some(class),
            };
            assert_eq!(parse(&text, &Context::default()).map(|found| found.class), expected);
        }
    }

    #[test]
    fn details() {
        let custom = ["badge".to_owned(), "no space".to_owned()];
        let context = Context { custom: &custom, ..Context::default() };
        let place = |country, city| Note::Place { country, city };
        for (text, note) in [
            ("[PHONE:+49]", Note::CallingCode(49)),
            ("[BODY:chars=42,segments=1]", Note::Size(Size { chars: 42, segments: 1 })),
            ("[IP:DE]", place("DE", None)),
            ("[IP:DE/Berlin]", place("DE", Some("Berlin"))),
            ("[IP:US/St._Louis]", place("US", Some("St._Louis"))),
            ("[IP:private]", Note::PrivateAddress),
            ("[IP:unknown]", Note::UnknownAddress),
            ("[CUSTOM:badge]", Note::Bare),
            ("[WITHHELD:reason=too_large,bytes=10485760]", Note::Withheld),
        ] {
            let found = parse(text.as_bytes(), &context).unwrap();
            assert_eq!((found.note, found.len), (note, text.len()), "{text}");
            let line = format!("from {text}] and more");
            assert_eq!(at(line.as_bytes(), 5, &context), Some(found));
        }
    }

    #[test]
    fn what_a_sender_typed_is_text() {
        let custom = ["no space".to_owned()];
        let context = Context { custom: &custom, ..Context::default() };
        for (text, why) in [
            ("", "nothing"),
            ("[", "nothing in it"),
            ("[]", "no word"),
            ("[phone]", "lower case"),
            ("[PHONE", "never closed"),
            ("[PHONE ]", "a space"),
            ("[PHONE:]", "no detail"),
            ("[PHONE:49]", "no plus"),
            ("[PHONE:+049]", "a leading zero"),
            ("[PHONE:+999]", "no such calling code"),
            ("[PHONE:+4915]", "more than a calling code"),
            ("[PHONE:14155550132]", "a number"),
            ("[CODE:482913]", "codes have no detail"),
            ("[EMAIL:a]", "nor have addresses"),
            ("[BODY:chars=042,segments=1]", "a leading zero"),
            ("[BODY:chars=10,segments=2]", "ten characters fit in one"),
            ("[BODY:chars=482913,segments=482913]", "a code in the count"),
            ("[BODY:chars=10]", "no segments"),
            ("[BODY:chars=99999999999999999999,segments=1]", "too many digits"),
            ("[IP:de]", "lower case"),
            ("[IP:ZZ]", "no country"),
            ("[IP:DE/]", "no city"),
            ("[IP:DE/4155550132]", "digits"),
            ("[IP:DE/Ber lin]", "a space"),
            ("[IP:DE/Köln]", "not ASCII"),
            ("[IP:192.0.2.1]", "an address"),
            ("[CUSTOM:other]", "not in the rule set"),
            ("[CUSTOM:no space]", "in the rule set, but no name"),
            ("[WITHHELD:reason=because,bytes=1]", "no such reason"),
            ("[WITHHELD:reason=panic,bytes=x]", "no number"),
            ("[WITHHELD]", "no reason"),
            ("[SAFE]", "no such word"),
            ("[PHONE]]", "one bracket too many"),
        ] {
            assert_eq!(parse(text.as_bytes(), &context), None, "{text}: {why}");
        }
        let long = format!("[IP:DE/{}]", "a".repeat(65));
        assert_eq!(parse(long.as_bytes(), &context), None);
    }

    #[test]
    fn with_databases_a_city_is_one_they_know() {
        let context = Context { places: Some(&Berlin), ..Context::default() };
        for (text, known) in [
            ("[IP:DE/Berlin]", true),
            ("[IP:DE/Halle_1]", true),
            ("[IP:FR]", true),
            ("[IP:FR/Berlin]", false),
            ("[IP:DE/Ada]", false),
        ] {
            assert_eq!(parse(text.as_bytes(), &context).is_some(), known, "{text}");
        }
    }
}

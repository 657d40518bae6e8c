//! What a name that is safe promises of its value: `latency_ms` a measure, `provider` a word. A value that is
//! something else is none of what its field is called, and the last stage reads it as text.

use super::detectors::Lexicons;
use super::resolve::Reading;
use crate::detect::safe;
use crate::detect::word_list::WordList;
use crate::detect::words;

static HOLDERS: WordList = WordList::new(words::neighbours::HOLDERS);

/// How the last stage reads a value whose field's name says that it may stay.
pub fn reading(name: &[u8], value: &[u8]) -> Reading {
    if HOLDERS.holds(last_word(name)) || Lexicons::shipped().fields.measures(name) {
        return if is_amount(value) { Reading::Safe } else { Reading::Text };
    }
    // `tid=0a5f9a67`: drawn, and the same wherever it stands; `routing_key=sms.out.4479…`: whose queue it is.
    if is_drawn(value) || ends_in_number(value) {
        return Reading::Text;
    }
    if is_one_word(value) { Reading::Safe } else { Reading::Headline }
}

/// `reqTimeSec: 1775935488`: seconds or milliseconds since 1970, and no duration.
#[must_use]
pub fn is_since_1970(name: &[u8], value: &[u8]) -> bool {
    const UNITS: [&[u8]; 5] = [b"sec", b"secs", b"seconds", b"ms", b"millis"];
    matches!(value.len(), 10 | 13)
        && value.first() == Some(&b'1')
        && value.iter().all(u8::is_ascii_digit)
        && UNITS.iter().any(|unit| {
            name.get(name.len().saturating_sub(unit.len())..)
                .is_some_and(|end| end.eq_ignore_ascii_case(unit))
        })
}

/// Letters, a sign and nine to fifteen digits at the end.
fn ends_in_number(value: &[u8]) -> bool {
    let digits = value.iter().rev().take(16).take_while(|b| b.is_ascii_digit()).count();
    let head = value.get(..value.len() - digits).unwrap_or_default();
    (9..=15).contains(&digits)
        && matches!(head.last(), Some(b'.' | b':' | b'_' | b'-' | b'/'))
        && head.first().is_some_and(u8::is_ascii_alphabetic)
}

/// Eight hexadecimal digits or more, letters among them, and nothing else.
fn is_drawn(value: &[u8]) -> bool {
    value.len() >= 8
        && value.iter().all(u8::is_ascii_hexdigit)
        && value.iter().any(u8::is_ascii_digit)
        && !value.iter().all(u8::is_ascii_digit)
}

/// `params` of `request_params` and `requestParams`.
fn last_word(name: &[u8]) -> &[u8] {
    let joint = name.iter().rposition(|b| !b.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let capital = name.iter().rposition(u8::is_ascii_uppercase).unwrap_or(0);
    name.get(joint.max(capital)..).unwrap_or_default()
}

/// `12 ms`, `3 of 5`, `none`: numbers, units and words of logs.
fn is_amount(value: &[u8]) -> bool {
    value.split(u8::is_ascii_whitespace).all(|word| {
        is_figure(word)
            || is_numbered(word)
            || safe::is_measure(word)
            || safe::is_unit(word)
            || safe::is_log_word(word)
    })
}

/// `1,204`, `0:12.5`, `-3`, `3/5`, `PT1M30S` (ISO 8601), a dash for none.
fn is_figure(word: &[u8]) -> bool {
    let period = word.first() == Some(&b'P');
    let unsigned = word.strip_prefix(b"-").unwrap_or(word);
    let part = |b: &u8| {
        b.is_ascii_digit()
            || matches!(b, b'.' | b',' | b':' | b'/' | b'%' | b'_')
            || period && b"PTDHMS".contains(b)
    };
    unsigned.iter().all(part)
}

/// `seg3`, `p95`: a few small letters and a small number.
fn is_numbered(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|b| b.is_ascii_lowercase()).count();
    let number = word.get(letters..).unwrap_or_default();
    (1..=4).contains(&letters) && (1..=3).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}

/// Beyond ASCII a sentence may have no spaces.
const WIDE: usize = 30;

fn is_one_word(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_whitespace) && value.iter().filter(|b| **b >= 0x80).count() < WIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_since_1970() {
        assert!(is_since_1970(b"reqTimeSec", b"1775935488") && is_since_1970(b"at_ms", b"1775935488123"));
        assert!(!is_since_1970(b"bytes", b"1775935488") && !is_since_1970(b"took_ms", b"17759"));
    }

    #[test]
    fn a_value_is_what_its_name_promises() {
        for (name, value) in [
            ("latency_ms", "12"),
            ("latency_ms", "1.5 s"),
            ("попытки", "3"),
            ("message_count", "3 of 5"),
            ("retries", "none"),
            ("timeout", "PT1M30S"),
            ("sms_segments", "seg3"),
            ("provider", "route-mobile-7"),
            ("страна", "Казахстан"),
        ] {
            assert_eq!(reading(name.as_bytes(), value.as_bytes()), Reading::Safe, "{name} {value}");
        }
        for (name, value, want) in [
            ("latency_ms", "Ada", Reading::Text),
            ("requestParams", "Ada", Reading::Text),
            ("order_items", "Ada", Reading::Text),
            ("latency_ms", "Ada7", Reading::Text),
            ("tid", "0a5f9a67", Reading::Text),
            ("routing_key", "sms.out.14155550132", Reading::Text),
            ("latency_ms", "415-555-0132", Reading::Text),
            ("message_count", "Ada asked twice", Reading::Text),
            ("provider", "Ada Roe", Reading::Headline),
            ("状态", "明天下午三点在门口见面吧", Reading::Headline),
        ] {
            assert_eq!(reading(name.as_bytes(), value.as_bytes()), want, "{name} {value}");
        }
    }
}

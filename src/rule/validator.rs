//! Validators: a second look at what a pattern matched.

use crate::finding::Span;

/// What `validate` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Validator {
    /// Its digits pass the Luhn check (ISO/IEC 7812-1 annex B): cards, IMEIs.
    Luhn,
    /// Its letters and digits pass ISO 7064 MOD 97-10: IBANs, creditor ids.
    Mod97,
    /// 7 to 15 digits that do not start with 0 (ITU-T E.164), whatever stands between them.
    E164,
    /// An IPv4 or IPv6 address.
    Ip,
    /// Not a Unix time of the years 2001 to 2038 in s, ms, µs or ns.
    NotEpoch,
    /// Not a part of a UUID.
    NotUuid,
}

impl Validator {
    pub const ALL: [Validator; 6] = [
        Validator::Luhn,
        Validator::Mod97,
        Validator::E164,
        Validator::Ip,
        Validator::NotEpoch,
        Validator::NotUuid,
    ];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Validator::Luhn => "luhn",
            Validator::Mod97 => "mod97",
            Validator::E164 => "e164",
            Validator::Ip => "ip",
            Validator::NotEpoch => "not_epoch",
            Validator::NotUuid => "not_uuid",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Validator> {
        Validator::ALL.into_iter().find(|validator| validator.word() == word)
    }

    /// Whether the bytes of `input` under `span` pass. Only the bytes around a UUID's length are
    /// looked at beside the span.
    #[must_use]
    pub fn accepts(self, input: &[u8], span: Span) -> bool {
        let value = span.of(input);
        match self {
            Validator::Luhn => luhn(value),
            Validator::Mod97 => mod97(value),
            Validator::E164 => e164(value),
            Validator::Ip => {
                std::str::from_utf8(value).is_ok_and(|text| text.parse::<std::net::IpAddr>().is_ok())
            }
            Validator::NotEpoch => !epoch(value),
            Validator::NotUuid => !in_uuid(input, span),
        }
    }
}

fn digits(value: &[u8]) -> impl DoubleEndedIterator<Item = u8> + '_ {
    value.iter().filter(|b| b.is_ascii_digit()).map(|b| b - b'0')
}

fn luhn(value: &[u8]) -> bool {
    let mut sum = 0u64;
    let mut count = 0usize;
    for digit in digits(value).rev() {
        let doubled = if count % 2 == 1 { digit * 2 } else { digit };
        sum += u64::from(if doubled > 9 { doubled - 9 } else { doubled });
        count += 1;
    }
    count >= 2 && sum.is_multiple_of(10)
}

fn mod97(value: &[u8]) -> bool {
    let mut rotated = value.iter().filter(|b| b.is_ascii_alphanumeric());
    let head: Vec<&u8> = rotated.by_ref().take(4).collect();
    let mut rest = 0u32;
    let mut count = 0usize;
    for byte in rotated.chain(head) {
        rest = match byte {
            b'0'..=b'9' => rest * 10 + u32::from(byte - b'0'),
            _ => rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10,
        } % 97;
        count += 1;
    }
    count >= 5 && rest == 1
}

fn e164(value: &[u8]) -> bool {
    let count = digits(value).count();
    (7..=15).contains(&count) && digits(value).next() != Some(0)
}

/// 2001-09-09 (a billion seconds) to 2038-01-19 (the end of 32-bit time).
fn epoch(value: &[u8]) -> bool {
    if !value.iter().all(u8::is_ascii_digit) || !matches!(value.len(), 10 | 13 | 16 | 19) {
        return false;
    }
    let seconds = value.iter().take(10).fold(0u64, |sum, b| sum * 10 + u64::from(b - b'0'));
    (1_000_000_000..=2_147_483_647).contains(&seconds)
}

/// Whether the span lies in 8-4-4-4-12 hexadecimal digits.
fn in_uuid(input: &[u8], span: Span) -> bool {
    const LENGTH: usize = 36;
    let from = span.end().saturating_sub(LENGTH);
    (from..=span.start()).any(|start| input.get(start..start + LENGTH).is_some_and(is_uuid))
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(validator: Validator, value: &str) -> bool {
        validator.accepts(value.as_bytes(), Span::new(0, value.len()))
    }

    #[test]
    fn every_right_value_has_a_wrong_twin() {
        for (validator, right, wrong) in [
            (Validator::Luhn, "4242 4242 4242 4242", "4242 4242 4242 4243"),
            (Validator::Luhn, "49-015420-323751-8", "49-015420-323751-7"),
            (Validator::Mod97, "GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 91"),
            (Validator::E164, "+1 (415) 555-0132", "0415 555 0132"),
            (Validator::E164, "14155550132", "141555"),
            (Validator::Ip, "2001:db8::1", "2001:db8::g"),
            (Validator::Ip, "192.0.2.1", "192.0.2.256"),
            (Validator::NotEpoch, "4155550132", "1715550132"),
            (Validator::NotEpoch, "9999999999999", "1715550132000"),
        ] {
            assert!(accepts(validator, right), "{validator:?} {right}");
            assert!(!accepts(validator, wrong), "{validator:?} {wrong}");
        }
        assert!(!accepts(Validator::Luhn, ""));
        assert!(!accepts(Validator::Mod97, ""));
    }

    #[test]
    fn a_part_of_a_uuid_is_told_by_what_stands_around_it() {
        let input = b"id=41555501-3212-4abc-8def-123456789012 next";
        assert!(!Validator::NotUuid.accepts(input, Span::new(3, 11)));
        assert!(!Validator::NotUuid.accepts(input, Span::new(27, 39)));
        assert!(!Validator::NotUuid.accepts(input, Span::new(3, 39)));
        assert!(Validator::NotUuid.accepts(input, Span::new(40, 44)));
        assert!(Validator::NotUuid.accepts(b"41555501", Span::new(0, 8)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60),
                                                start in 0usize..70, end in 0usize..70) {
            for validator in Validator::ALL {
                let _ = validator.accepts(&bytes, Span::new(start, end));
            }
        }
    }
}

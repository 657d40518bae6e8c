//! Whether a number is a time: seconds, milliseconds, microseconds or nanoseconds since 1970.

/// 2001-09-09 and 2040-01-01 in seconds since 1970: what a log of people's messages can be about. From the
/// first on, a count has 10, 13, 16 or 19 digits; shorter ones collide with phones (12 digits from 962 on are
/// Jordan, Kyrgyzstan and others).
const FROM_S: u64 = 1_000_000_000;
const TO_S: u64 = 2_208_988_800;

/// The unit in which a number counts since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

/// The unit that makes a time between 2001 and 2040 of the digits; `None` if none does. Only 10, 13,
/// 16 or 19 digits can be one; a leading zero never.
#[must_use]
pub fn unit(digits: &[u8]) -> Option<Unit> {
    // From `FROM_S` to `TO_S` seconds have ten digits, and their thousandths three more each.
    if !matches!(digits.len(), 10 | 13 | 16 | 19)
        || digits.first() == Some(&b'0')
        || !digits.iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let number = digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    [
        (Unit::Seconds, 1),
        (Unit::Milliseconds, 1_000),
        (Unit::Microseconds, 1_000_000),
        (Unit::Nanoseconds, 1_000_000_000),
    ]
    .into_iter()
    .find(|(_, per_second)| (FROM_S..TO_S).contains(&(number / per_second)))
    .map(|(unit, _)| unit)
}

/// Whether the digits are no such time.
#[must_use]
pub fn holds(digits: &[u8]) -> bool {
    unit(digits).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_closed_below_and_open_above_in_every_unit() {
        for (unit_of, factor) in [
            (Unit::Seconds, 1u64),
            (Unit::Milliseconds, 1_000),
            (Unit::Microseconds, 1_000_000),
            (Unit::Nanoseconds, 1_000_000_000),
        ] {
            let first = FROM_S * factor;
            let behind = TO_S * factor;
            assert_eq!(unit(first.to_string().as_bytes()), Some(unit_of));
            assert_eq!(unit((behind - 1).to_string().as_bytes()), Some(unit_of));
            assert_ne!(unit((first - 1).to_string().as_bytes()), Some(unit_of));
            assert_ne!(unit(behind.to_string().as_bytes()), Some(unit_of));
        }
    }

    #[test]
    fn phones_and_others_are_no_times() {
        for (digits, why) in [
            ("14155550132", "eleven digits"),
            ("4155550132", "after 2040"),
            ("962790000000", "twelve digits: Jordan"),
            ("447700900123", "before 2001 in milliseconds"),
            ("01767225600", "a leading zero"),
            ("17672256", "too short"),
            ("17672256000000000000", "too long"),
            ("1767225x00", "no number"),
            ("", "nothing"),
        ] {
            assert!(holds(digits.as_bytes()), "{digits}: {why}");
        }
        assert!(!holds(b"1767225600"));
    }
}

//! Digits that are something else than a telephone number, by their own shape.

use super::scan::{Gap, Scan};

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, from 2001-09-09 to 2040-01-01.
/// (Nine-digit seconds, 1973 to 2001, are not looked for.)
pub(super) fn is_epoch(digits: &[u8]) -> bool {
    let seconds = match digits.len() {
        10 | 13 | 16 | 19 => digits.get(..10),
        _ => None,
    };
    seconds.is_some_and(|seconds| (b"1000000000".as_slice()..b"2208988800").contains(&seconds))
}

/// Whether the first groups are a calendar date: `2026-08-22`, `08/22/2026`, `22.08.2026`.
pub(super) fn begins_with_date(scan: &Scan) -> bool {
    let (groups, count) = scan.groups(scan.digits().len());
    let digits = scan.digits();
    let year = |at: usize| matches!(digits.get(at..at + 2), Some(b"19" | b"20"));
    let at_most = |at: usize, most: u8| {
        let two = digits.get(at..at + 2).unwrap_or_default();
        two.iter().fold(0, |value: u8, digit| value * 10 + (digit - b'0')) <= most
    };
    match groups {
        [4, 2, 2, ..] if count >= 3 => year(0) && at_most(4, 12) && at_most(6, 31),
        [2, 2, 4, ..] if count >= 3 => year(4) && at_most(0, 31) && at_most(2, 31),
        // 3/10/1984: only between slashes or full stops, since 1-415-… begins alike.
        [1, 2, 4, ..] | [2, 1, 4, ..] if count == 3 && scan.gap(3) != Gap::Dash => year(3),
        [1, 1, 4, ..] if count == 3 => year(2),
        // Compact: 20260822, perhaps with a time behind it.
        [8 | 14, ..] => year(0) && at_most(4, 12) && at_most(6, 31) && digits.get(4..6) != Some(b"00"),
        _ => false,
    }
}

/// Versions, addresses and decimals: groups between full stops that no telephone number has.
/// Full stops are taken as a number's own only in 3.3.4 and in pairs after a zero.
pub(super) fn is_dotted_otherwise(scan: &Scan, n: usize) -> bool {
    let dots = (1..n).filter(|place| scan.gap(*place) == Gap::Dot).count();
    if dots == 0 {
        return false;
    }
    let (groups, count) = scan.groups(n);
    let groups = groups.get(..count).unwrap_or_default();
    let pairs = groups.iter().all(|group| *group == 2) && count >= 4 && scan.first(1) == b"0";
    !(groups == [3, 3, 4] || groups == [1, 3, 3, 4] || pairs || (count >= 3 && scan.first(1) == b"0"))
}

/// Four groups of four, as cards are printed.
pub(super) fn is_card(scan: &Scan) -> bool {
    matches!(scan.groups(scan.digits().len()), ([4, 4, 4, 4, ..], 4..))
}

/// An IPv4 address as host names have it: `192-0-2-44`.
pub(super) fn is_dashed_address(scan: &Scan) -> bool {
    let (groups, count) = scan.groups(scan.digits().len());
    let mut place = 0;
    count == 4
        && groups.iter().take(4).all(|group| {
            let number = scan.digits().get(place..place + usize::from(*group)).unwrap_or_default();
            let dashed = place == 0 || scan.gap(place) == Gap::Dash;
            place += usize::from(*group);
            dashed
                && number.len() <= 3
                && number.iter().fold(0u16, |n, digit| n * 10 + u16::from(digit - b'0')) < 256
        })
}

/// Whether `n` digits are grouped as nobody groups telephone numbers: more than six groups, a long
/// one, one of a single digit that is not the first (but for the zero of `+44 (0)20 …`), or with two
/// kinds of separators between two digits.
pub(super) fn is_odd_grouping(scan: &Scan, n: usize) -> bool {
    is_odd_grouping_behind(scan, 0, n)
}

/// The same of a number whose calling code has `code` digits: `+33 6 …` has a single one behind it.
pub(super) fn is_odd_grouping_behind(scan: &Scan, code: usize, n: usize) -> bool {
    let (groups, count) = scan.groups(n);
    let mut place = 0;
    let odd = groups.iter().take(count).enumerate().any(|(nth, group)| {
        let start = place;
        place += usize::from(*group);
        let trunk = scan.gap(start) == Gap::Paren && scan.digits().get(start) == Some(&b'0');
        *group > 9 || (nth > 0 && *group < 2 && !trunk && start != code) || scan.gap(start) == Gap::Mixed
    });
    odd || count > 6 + usize::from(code > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs() {
        for epoch in ["1736500000", "1736500000123", "1736500000123456", "1736500000123456789"] {
            assert!(is_epoch(epoch.as_bytes()), "{epoch}");
        }
        for other in ["4155550132", "0999999999", "2208988800", "17365000001", "14155550132"] {
            assert!(!is_epoch(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn dates_and_dots() {
        let scan = |text: &str| Scan::new(text.as_bytes(), 0);
        for date in [
            "2026-08-22 10",
            "22.08.2026",
            "08/22/2026",
            "3/10/1984",
            "20260822",
            "20260822 1030",
            "20260822103000",
        ] {
            assert!(begins_with_date(&scan(date)), "{date}");
        }
        for other in ["2026-55-0132", "415 555 0132", "2099 1122", "20001322"] {
            assert!(!begins_with_date(&scan(other)), "{other}");
        }
        for dotted in ["192.0.2.44", "126.0.6478.127", "0.123456", "1.2.3.4"] {
            let scan = scan(dotted);
            assert!(is_dotted_otherwise(&scan, scan.digits().len()), "{dotted}");
        }
        for phone in ["415.555.0132", "01.23.45.67.89"] {
            let scan = scan(phone);
            assert!(!is_dotted_otherwise(&scan, scan.digits().len()), "{phone}");
        }
    }
}

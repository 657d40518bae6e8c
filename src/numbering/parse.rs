//! Digits → number: calling code, trunk prefix, validity. Follows libphonenumber's `parse` and
//! `isValidNumber` step by step (`tests/numbering.rs` compares them).

use super::table::{Outcome, RegionRow, table};
use super::{Digits, Kind, MAX_NATIONAL_DIGITS, Number, Region, Verdict, pattern};

/// Whether the number is a country calling code that someone has been given.
#[must_use]
pub fn is_calling_code(code: u16) -> bool {
    table().has_code(code)
}

/// The calling code that the digits after `+` or `00` begin with, and how many digits it has. No
/// calling code is the beginning of another.
#[must_use]
pub fn split_calling_code(digits: &[u8]) -> Option<(u16, usize)> {
    let mut code = 0;
    for (place, digit) in digits.iter().take(3).enumerate() {
        let digit = u16::from(digit.wrapping_sub(b'0'));
        if digit > 9 || (place == 0 && digit == 0) {
            return None;
        }
        code = code * 10 + digit;
        if table().has_code(code) {
            return Some((code, place + 1));
        }
    }
    None
}

/// Reads the digits of a number in international form: what stands after `+` or `00`. A trunk prefix
/// behind the calling code, as in `+49 (0)30 …`, is taken out. `None` where no calling code begins
/// the digits, or too few or too many follow it.
#[must_use]
pub fn international(digits: &[u8]) -> Option<Number> {
    let (code, len) = split_calling_code(digits)?;
    let region = table().region(table().code(code)?.main_region)?;
    finish(code, &region, Digits::from_slice(digits.get(len..)?)?)
}

/// Reads digits as someone in `region` would dial them: with or without the trunk prefix, a carrier
/// code where the region has such, the international prefix (`00`, `011`), or the calling code alone.
/// The result may belong to another region. `None` where too few or too many digits are left.
#[must_use]
pub fn national(region: Region, digits: &[u8]) -> Option<Number> {
    let row = table().region(region.0)?;
    if let Some(rest) = without_international_prefix(&row, digits) {
        return international(rest);
    }
    let all = Digits::from_slice(digits)?;
    if let Some(rest) = without_own_calling_code(&row, all) {
        let main = table().region(table().code(row.calling_code)?.main_region)?;
        return finish(row.calling_code, &main, rest);
    }
    finish(row.calling_code, &row, all)
}

/// Judges a national significant number as it stands.
pub(super) fn judge(calling_code: u16, national: &[u8]) -> Option<Number> {
    if !(2..=MAX_NATIONAL_DIGITS).contains(&national.len()) {
        return None;
    }
    let code = table().code(calling_code)?;
    let (region, kind, verdict) = match table().walk(code.root, national) {
        Outcome::Valid(region, kind) => (Some(Region(region)), kind, Verdict::Valid),
        Outcome::None | Outcome::General => {
            let main = table().region(code.main_region)?;
            (None, Kind::Unknown, length_verdict(&main, national.len()))
        }
    };
    Some(Number { calling_code, region, kind, verdict, national: Digits::from_slice(national)? })
}

fn finish(calling_code: u16, region: &RegionRow, digits: Digits) -> Option<Number> {
    if digits.as_bytes().len() < 2 {
        return None;
    }
    let stripped = without_national_prefix(region, digits);
    let enough = fit(region, stripped.as_bytes().len()) != Fit::Not && stripped != digits;
    let national = if enough { stripped } else { digits };
    judge(calling_code, national.as_bytes())
}

/// `00`, `011` …: only where no calling code could begin with what follows, never before a zero.
fn without_international_prefix<'d>(region: &RegionRow, digits: &'d [u8]) -> Option<&'d [u8]> {
    let end = pattern::at_start(region.international_prefix?, digits)?.end;
    digits.get(end..).filter(|rest| rest.first().is_none_or(|digit| *digit != b'0'))
}

/// Digits that begin with the region's own calling code, where that reading is the better one: the
/// rest is a number of the plan and the whole is not, or the whole is too long.
fn without_own_calling_code(region: &RegionRow, digits: Digits) -> Option<Digits> {
    let (code, len) = split_calling_code(digits.as_bytes())?;
    if code != region.calling_code {
        return None;
    }
    let rest = Digits::from_slice(digits.as_bytes().get(len..)?)?;
    let rest = without_national_prefix(region, rest);
    let better = !is_general(region, digits) && is_general(region, rest);
    let too_long = fit(region, digits.as_bytes().len()) == Fit::TooLong;
    (better || too_long).then_some(rest)
}

/// Takes a trunk prefix and carrier code off, and adds what the region's rule adds (`9` for mobile
/// numbers in Argentina, the area code in small islands). The digits unchanged where that would turn
/// a number of the plan into none.
fn without_national_prefix(region: &RegionRow, digits: Digits) -> Digits {
    let bytes = digits.as_bytes();
    let Some(found) = region.national_prefix.and_then(|prefix| pattern::at_start(prefix, bytes)) else {
        return digits;
    };
    let rest = bytes.get(found.end..).unwrap_or_default();
    let last_group = found.get(bytes, region.groups).filter(|_| region.groups > 0);
    let mut changed = Digits::EMPTY;
    if !region.transform.is_empty() && last_group.is_some() {
        for byte in region.transform {
            let piece = if *byte < 7 { found.get(bytes, *byte).unwrap_or_default() } else { &[*byte] };
            if changed.extend(piece).is_none() {
                return digits;
            }
        }
    }
    if changed.extend(rest).is_none() || (is_general(region, digits) && !is_general(region, changed)) {
        return digits;
    }
    changed
}

fn is_general(region: &RegionRow, digits: Digits) -> bool {
    table().walk(region.general_root, digits.as_bytes()) == Outcome::General
}

#[derive(PartialEq)]
enum Fit {
    Yes,
    TooLong,
    /// Too short, only local, or between two possible lengths.
    Not,
}

fn fit(region: &RegionRow, len: usize) -> Fit {
    match length_verdict(region, len) {
        Verdict::Possible | Verdict::Valid => Fit::Yes,
        Verdict::LocalOnly => Fit::Not,
        Verdict::Impossible => {
            let longest = u32::BITS - region.possible.leading_zeros();
            if len >= longest as usize { Fit::TooLong } else { Fit::Not }
        }
    }
}

fn length_verdict(region: &RegionRow, len: usize) -> Verdict {
    let has = |mask: u32| len < 32 && mask >> len & 1 != 0;
    if has(region.local_only) {
        Verdict::LocalOnly
    } else if has(region.possible) {
        Verdict::Possible
    } else {
        Verdict::Impossible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(number: Option<Number>) -> (u16, String, Verdict) {
        let number = number.unwrap();
        let national = String::from_utf8(number.national_digits().to_vec()).unwrap();
        (number.calling_code(), national, number.verdict())
    }

    fn region(code: &str) -> Region {
        Region::from_code(code).unwrap()
    }

    #[test]
    fn calling_codes() {
        assert_eq!(split_calling_code(b"14155550132"), Some((1, 1)));
        assert_eq!(split_calling_code(b"447700900123"), Some((44, 2)));
        assert_eq!(split_calling_code(b"35"), None);
        assert_eq!(split_calling_code(b"0447700900123"), None);
        assert_eq!(split_calling_code(b"4a"), None);
        assert!(is_calling_code(999) == table().has_code(999) && is_calling_code(49) && !is_calling_code(0));
    }

    #[test]
    fn international_form() {
        // The numbers that Ofcom keeps for drama are assigned to nobody, so that no plan has them.
        let (valid, possible) = (Verdict::Valid, Verdict::Possible);
        assert_eq!(digits(international(b"14155550132")), (1, "4155550132".into(), valid));
        assert_eq!(digits(international(b"447700900123")), (44, "7700900123".into(), possible));
        // +44 (0)7700 …: the trunk zero is no part of the number.
        assert_eq!(digits(international(b"4407700900123")), (44, "7700900123".into(), possible));
        assert_eq!(digits(international(b"11155550132")), (1, "1155550132".into(), Verdict::Possible));
        assert_eq!(digits(international(b"1415")), (1, "415".into(), Verdict::Impossible));
        assert_eq!(international(b""), None);
        assert_eq!(international(b"1"), None);
        assert_eq!(international(b"1234567890123456789012345"), None);
    }

    #[test]
    fn national_form() {
        // The numbers that Ofcom keeps for drama are assigned to nobody, so that no plan has them.
        let (valid, possible) = (Verdict::Valid, Verdict::Possible);
        assert_eq!(digits(national(region("GB"), b"07700900123")), (44, "7700900123".into(), possible));
        assert_eq!(digits(national(region("US"), b"4155550132")), (1, "4155550132".into(), valid));
        assert_eq!(digits(national(region("US"), b"14155550132")), (1, "4155550132".into(), valid));
        assert_eq!(digits(national(region("US"), b"011447700900123")), (44, "7700900123".into(), possible));
        assert_eq!(digits(national(region("DE"), b"00447700900123")), (44, "7700900123".into(), possible));
        assert_eq!(digits(national(region("US"), b"5550132")), (1, "5550132".into(), Verdict::LocalOnly));
    }

    /// Argentina: dialled 0 + area + 15 + subscriber, written abroad +54 9 area subscriber.
    #[test]
    fn argentina_moves_its_mobile_prefix() {
        let example = region("AR").example_mobile().unwrap();
        let national_digits = example.national_digits();
        let dialled = [b"0".as_slice(), &national_digits[1..3], b"15", &national_digits[3..]].concat();
        let read = national(region("AR"), &dialled).unwrap();
        assert_eq!(read.national_digits(), national_digits);
        assert!(read.is_valid());
    }

    #[test]
    fn every_published_example_is_valid_in_its_region() {
        let (mut regions, mut shared) = (0, 0);
        for region in Region::all() {
            let (mobile, fixed) = (region.example_mobile().unwrap(), region.example_fixed().unwrap());
            assert!(mobile.is_valid() && fixed.is_valid(), "{region:?}");
            // Regions that share a code and no leading digits: the first in the list has the number.
            shared +=
                usize::from(mobile.region() != Some(region)) + usize::from(fixed.region() != Some(region));
            regions += 1;
        }
        assert_eq!((regions, shared), (254, 11));
    }
}

//! `round`: a time rounded down to the hour or the day, in the form it came in.
//!
//! The **local reading** is rounded: in a zone of half an hour's offset the hour that comes out is
//! the hour of that zone's clock. Date, zone and form stay; what is smaller than the unit becomes
//! zeros of the same length (only a one-digit hour before `AM` or `PM` grows, to `12`). A time in no
//! known form becomes `[TIME]`: a half-read time is not rounded.
//!
//! Forms: RFC 3339 and its looser kin (space, `_`, comma or point before up to 12 digits of
//! fraction), Common Log Format, RFC 2822 and 850, asctime, syslog (`Jun  6 15:04:05`), JavaScript's
//! `Date`, day-month-year with `/ . -`, a date or a clock alone, compact digits (`20240606150405`,
//! SMPP's `YYMMDDhhmmsstnnp`, receipts' `YYMMDDhhmm`), and seconds (fraction too), milli-, micro- and
//! nanoseconds since 1970.

mod scan;

use super::RoundTo;
use scan::{Clock, scan};
use std::ops::Range;

/// No form is longer.
const MAX_LEN: usize = 96;

/// Appends the rounded time; `false` where the form is not known.
pub(super) fn write(value: &[u8], to: RoundTo, out: &mut Vec<u8>) -> bool {
    if value.len() > MAX_LEN {
        return false;
    }
    let start = out.len();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = value.get(digits..).unwrap_or_default();
    if digits >= 8 && (rest.is_empty() || matches!(rest.first(), Some(b'.' | b'+' | b'-' | b'R'))) {
        if let Some(done) = write_number(value, digits, rest, to, out) {
            return done;
        }
        out.truncate(start);
    }
    match scan(value) {
        // A day long before any log is rather one of birth, and rounding it to an hour hides nothing.
        Some(None) if is_long_ago(value) => return false,
        Some(clock) => write_clock(value, clock.as_ref(), to, out),
        None => return false,
    }
    true
}

/// Whether a day is of a year before 2010.
fn is_long_ago(day: &[u8]) -> bool {
    day.split(|byte| !byte.is_ascii_digit())
        .any(|part| part.len() == 4 && (part.starts_with(b"19") || part.starts_with(b"200")))
}

fn write_clock(value: &[u8], clock: Option<&Clock>, to: RoundTo, out: &mut Vec<u8>) {
    let base = out.len();
    out.extend_from_slice(value);
    let Some(clock) = clock else {
        return;
    };
    let zero = |out: &mut Vec<u8>, range: &Range<usize>| {
        let digits = out.get_mut(base + range.start..base + range.end).unwrap_or_default();
        digits.iter_mut().filter(|byte| byte.is_ascii_digit()).for_each(|byte| *byte = b'0');
    };
    zero(out, &clock.smaller);
    if to == RoundTo::Hour {
        return;
    }
    zero(out, &clock.hour);
    if let Some(meridiem) = clock.meridiem {
        if let Some(letter) = out.get_mut(base + meridiem) {
            *letter = if letter.is_ascii_uppercase() { b'A' } else { b'a' };
        }
        out.splice(base + clock.hour.start..base + clock.hour.end, *b"12");
    }
}

/// Times that are digits only, a fraction of seconds or an SMPP zone behind them. `None`: not such a
/// time, though it may be another form; `Some(false)`: digits in no known form.
fn write_number(value: &[u8], digits: usize, rest: &[u8], to: RoundTo, out: &mut Vec<u8>) -> Option<bool> {
    let text = value.get(..digits)?;
    if rest.is_empty() {
        return Some(match digits {
            8 => date_fits(text, 4).then(|| out.extend_from_slice(text)).is_some(),
            9 => write_epoch(text, 1, to, out),
            10 if number(text).is_some_and(|n| n > i32::MAX as u64) && compact_fits(text, 2) => {
                write_compact(text, 6, to, out)
            }
            10 => write_epoch(text, 1, to, out),
            // Where both readings are possible the coarser one: hours at the sixth digit.
            12 if compact_fits(text, 2) => write_compact(text, 6, to, out),
            12 if compact_fits(text, 4) => write_compact(text, 8, to, out),
            13 => write_epoch(text, 1_000, to, out),
            14 | 17 if compact_fits(text, 4) => write_compact(text, 8, to, out),
            16 => write_epoch(text, 1_000_000, to, out),
            19 => write_epoch(text, 1_000_000_000, to, out),
            _ => false,
        });
    }
    match rest.split_first()? {
        (b'.', fraction) if digits == 10 || digits == 9 => {
            let fits = (1..=12).contains(&fraction.len()) && fraction.iter().all(u8::is_ascii_digit);
            if !fits || !write_epoch(text, 1, to, out) {
                return Some(false);
            }
            out.push(b'.');
            out.extend(fraction.iter().map(|_| b'0'));
            Some(true)
        }
        // SMPP 3.4 §7.1.1: tenths and quarters of an hour of offset before the sign.
        (b'+' | b'-' | b'R', b"") if digits == 15 && compact_fits(text, 2) => {
            let zone = value.get(13..)?;
            write_compact(text.get(..13)?, 6, to, out);
            out.extend_from_slice(zone);
            Some(true)
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, digit| {
        sum.checked_mul(10)?.checked_add(u64::from(digit.checked_sub(b'0').filter(|value| *value < 10)?))
    })
}

fn write_epoch(digits: &[u8], per_second: u64, to: RoundTo, out: &mut Vec<u8>) -> bool {
    let seconds = match to {
        RoundTo::Hour => 3_600,
        RoundTo::Day => 86_400,
    };
    let Some(time) = number(digits) else {
        return false;
    };
    let rounded = time - time % (seconds * per_second);
    let start = out.len();
    super::placeholder::write_number(rounded, out);
    // A day that would lose a digit would be read as another form the next time.
    out.len() - start == digits.len()
}

/// Compact digits: the hour stands at `hour`, all behind it is smaller.
fn write_compact(digits: &[u8], hour: usize, to: RoundTo, out: &mut Vec<u8>) -> bool {
    let kept = match to {
        RoundTo::Hour => hour + 2,
        RoundTo::Day => hour,
    };
    out.extend(digits.iter().enumerate().map(|(place, digit)| if place < kept { *digit } else { b'0' }));
    true
}

fn pair(digits: &[u8], at: usize) -> Option<u64> {
    number(digits.get(at..at + 2)?)
}

fn date_fits(digits: &[u8], year_len: usize) -> bool {
    let year_fits = year_len == 2
        || number(digits.get(..4).unwrap_or_default()).is_some_and(|y| (1970..2100).contains(&y));
    let month_fits = pair(digits, year_len).is_some_and(|month| (1..=12).contains(&month));
    year_fits && month_fits && pair(digits, year_len + 2).is_some_and(|day| (1..=31).contains(&day))
}

fn compact_fits(digits: &[u8], year_len: usize) -> bool {
    let second_fits =
        digits.len() < year_len + 10 || pair(digits, year_len + 8).is_some_and(|second| second <= 60);
    date_fits(digits, year_len)
        && pair(digits, year_len + 4).is_some_and(|hour| hour < 24)
        && pair(digits, year_len + 6).is_some_and(|minute| minute < 60)
        && second_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(value: &str, to: RoundTo) -> Option<String> {
        let mut out = Vec::new();
        write(value.as_bytes(), to, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn forms() {
        // The value, to the hour, to the day; `None`: not a time we know.
        let cases: &[(&str, Option<&str>, Option<&str>)] = &[
            ("2024-06-26T15:04:05Z", Some("2024-06-26T15:00:00Z"), Some("2024-06-26T00:00:00Z")),
            (
                "2024-06-26T15:04:05.123456789Z",
                Some("2024-06-26T15:00:00.000000000Z"),
                Some("2024-06-26T00:00:00.000000000Z"),
            ),
            (
                "2024-06-26T15:04:05+05:30",
                Some("2024-06-26T15:00:00+05:30"),
                Some("2024-06-26T00:00:00+05:30"),
            ),
            ("2024-06-26t15:04:05.1z", Some("2024-06-26t15:00:00.0z"), Some("2024-06-26t00:00:00.0z")),
            ("2024-06-26 15:04:05", Some("2024-06-26 15:00:00"), Some("2024-06-26 00:00:00")),
            ("2024-06-26 15:04:05,123", Some("2024-06-26 15:00:00,000"), Some("2024-06-26 00:00:00,000")),
            (
                "2024-06-26 15:04:05.123 UTC",
                Some("2024-06-26 15:00:00.000 UTC"),
                Some("2024-06-26 00:00:00.000 UTC"),
            ),
            (
                "2024-06-26 15:04:05.123 +0000 UTC",
                Some("2024-06-26 15:00:00.000 +0000 UTC"),
                Some("2024-06-26 00:00:00.000 +0000 UTC"),
            ),
            ("2024-06-26T15:04", Some("2024-06-26T15:00"), Some("2024-06-26T00:00")),
            ("2024/06/26 15:04:05", Some("2024/06/26 15:00:00"), Some("2024/06/26 00:00:00")),
            ("26/06/2024 15:04:05", Some("26/06/2024 15:00:00"), Some("26/06/2024 00:00:00")),
            ("26.06.2024, 15:04", Some("26.06.2024, 15:00"), Some("26.06.2024, 00:00")),
            ("6/26/2024, 3:04:05 PM", Some("6/26/2024, 3:00:00 PM"), Some("6/26/2024, 12:00:00 AM")),
            ("6/26/2024 03:04 pm", Some("6/26/2024 03:00 pm"), Some("6/26/2024 12:00 am")),
            (
                "26/Jun/2024:15:04:05 +0000",
                Some("26/Jun/2024:15:00:00 +0000"),
                Some("26/Jun/2024:00:00:00 +0000"),
            ),
            (
                "[26/Jun/2024:15:04:05 -0700]",
                Some("[26/Jun/2024:15:00:00 -0700]"),
                Some("[26/Jun/2024:00:00:00 -0700]"),
            ),
            (
                "Wed, 26 Jun 2024 15:04:05 +0000",
                Some("Wed, 26 Jun 2024 15:00:00 +0000"),
                Some("Wed, 26 Jun 2024 00:00:00 +0000"),
            ),
            (
                "Wed, 26 Jun 2024 15:04:05 GMT",
                Some("Wed, 26 Jun 2024 15:00:00 GMT"),
                Some("Wed, 26 Jun 2024 00:00:00 GMT"),
            ),
            (
                "Wed, 26 Jun 2024 15:04:05 +0200 (CEST)",
                Some("Wed, 26 Jun 2024 15:00:00 +0200 (CEST)"),
                Some("Wed, 26 Jun 2024 00:00:00 +0200 (CEST)"),
            ),
            (
                "Sunday, 06-Nov-94 08:49:37 GMT",
                Some("Sunday, 06-Nov-94 08:00:00 GMT"),
                Some("Sunday, 06-Nov-94 00:00:00 GMT"),
            ),
            ("Wed Jun 26 15:04:05 2024", Some("Wed Jun 26 15:00:00 2024"), Some("Wed Jun 26 00:00:00 2024")),
            (
                "Wed Jun 26 15:04:05 UTC 2024",
                Some("Wed Jun 26 15:00:00 UTC 2024"),
                Some("Wed Jun 26 00:00:00 UTC 2024"),
            ),
            (
                "Wed Jun 26 2024 15:04:05 GMT+0200 (Central European Summer Time)",
                Some("Wed Jun 26 2024 15:00:00 GMT+0200 (Central European Summer Time)"),
                Some("Wed Jun 26 2024 00:00:00 GMT+0200 (Central European Summer Time)"),
            ),
            ("06-26 15:04:05.123", Some("06-26 15:00:00.000"), Some("06-26 00:00:00.000")),
            ("06-26", None, None),
            ("Jun 26 15:04:05", Some("Jun 26 15:00:00"), Some("Jun 26 00:00:00")),
            ("Jun  6 15:04:05", Some("Jun  6 15:00:00"), Some("Jun  6 00:00:00")),
            ("June 6, 2024 15:04", Some("June 6, 2024 15:00"), Some("June 6, 2024 00:00")),
            ("20240626T150405Z", Some("20240626T150000Z"), Some("20240626T000000Z")),
            ("20240626T150405.123+0000", Some("20240626T150000.000+0000"), Some("20240626T000000.000+0000")),
            ("20240626150405", Some("20240626150000"), Some("20240626000000")),
            ("20240626150405123", Some("20240626150000000"), Some("20240626000000000")),
            ("202413011504", None, None),
            ("202406261504", Some("202406261500"), Some("202406260000")),
            ("240626150405", Some("240626150000"), Some("240626000000")),
            ("2406261504", Some("2406261500"), Some("2406260000")),
            ("240626150405000+", Some("240626150000000+"), Some("240626000000000+")),
            ("240626150405108-", Some("240626150000008-"), Some("240626000000008-")),
            ("1719414245", Some("1719414000"), Some("1719360000")),
            ("1719414245.123456", Some("1719414000.000000"), Some("1719360000.000000")),
            ("1719414245123", Some("1719414000000"), Some("1719360000000")),
            ("1719414245123456", Some("1719414000000000"), Some("1719360000000000")),
            ("1719414245123456789", Some("1719414000000000000"), Some("1719360000000000000")),
            ("2024-06-26", Some("2024-06-26"), Some("2024-06-26")),
            ("20240626", Some("20240626"), Some("20240626")),
            ("15:04:05", Some("15:00:00"), Some("00:00:00")),
            ("23:59:60", Some("23:00:00"), Some("00:00:00")),
            ("", None, None),
            ("yesterday at 3", None, None),
            ("2024-06-26T15:04:05Z by Ada", None, None),
            ("2024-13-26T15:04:05Z", None, None),
            ("2024-06-26T25:04:05Z", None, None),
            ("2024-06-26T15:64:05Z", None, None),
            ("2024-06-26T", None, None),
            ("[2024-06-26", None, None),
            ("12345678901", None, None),
            ("4155550132x", None, None),
            ("1.7194e9", None, None),
            ("-1719414245", None, None),
            ("1719414245.", None, None),
            ("1000000000123", None, None),
            ("Wed Jun 26 2024 15:04:05 GMT+0200 (Ada Lovelace)", None, None),
            ("2024-06-26T15:04:05.1234567890123Z", None, None),
            ("99990626", None, None),
        ];
        for (value, hour, day) in cases {
            for (to, expected) in [(RoundTo::Hour, hour), (RoundTo::Day, day)] {
                assert_eq!(rounded(value, to).as_deref(), *expected, "{value} {to:?}");
                assert_eq!(
                    expected.and_then(|once| rounded(once, to)).as_deref(),
                    *expected,
                    "{value} {to:?} twice"
                );
            }
            let day_of_hour = hour.and_then(|hour| rounded(hour, RoundTo::Day));
            assert_eq!(day_of_hour.as_deref(), *day, "{value}: the day of its hour");
        }
    }

    #[test]
    fn appends() {
        let mut out = b"at 3: ".to_vec();
        assert!(write(b"3:04 PM", RoundTo::Day, &mut out));
        assert_eq!(out, b"at 3: 12:00 AM");
    }
}

//! Times in text: RFC 3339 and its relatives, access logs, syslog, mail, slashed and dotted dates, Android's
//! logcat, plain times of day, and counts since 1970.
//!
//! Left alone: a lone year, a lone date of eight digits (`20260107` may be an order), `HH:MM` (a ratio, a
//! port) and relative times.

use super::Hit;
use super::bytes::{
    before, byte, ends_before, is_alnum, is_digit, is_letter, reads, run_end, run_start, slice, starts_token,
};
use super::safe;
use super::validate::not_epoch::{self, Unit};
use super::word_list::WordList;
use crate::class::Class;

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A date with a time of day.
    DateTime,
    Date,
    /// A time of day alone.
    Time,
    /// A count since 1970.
    Epoch(Unit),
}

/// A time in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    pub hit: Hit,
    pub form: Form,
}

/// The time that starts at a place, zone and fraction in it.
#[must_use]
pub fn at(text: &[u8], start: usize) -> Option<Time> {
    let first = byte(text, start);
    if !starts_token(text, start) {
        return None;
    }
    let (end, form) = if is_digit(first) {
        let last = before(text, start);
        // Behind a comma it is a fraction (`15,523`) or the next column of a table.
        let column = last == b',' && !matches!(run_end(text, start, 20, is_digit) - start, 3 | 6 | 9);
        let inside = matches!(last, b'.' | b'-' | b'/' | b':' | b',')
            && !column
            && is_digit(before(text, start.saturating_sub(1)));
        if inside || matches!(last, b'+' | b'.' | b'@') {
            return None;
        }
        numeric(text, start)?
    } else if is_letter(first) {
        named(text, start)?
    } else {
        return None;
    };
    let next = byte(text, end);
    let longer =
        is_alnum(next) || (matches!(next, b'-' | b'/') && is_digit(byte(text, end + 1))) || next == b'@';
    (!longer).then(|| Time { hit: Hit::new(Class::Timestamp, start, end), form })
}

/// The time that the digit at a place is the first of: its month or its weekday may stand before it.
#[must_use]
pub fn around(text: &[u8], at_digit: usize) -> Option<Time> {
    let month = word_before(text, at_digit);
    let weekday = month.and_then(|month| word_before(text, month));
    let starts = [weekday, month, Some(at_digit)].into_iter().flatten();
    starts.filter_map(|start| at(text, start)).find(|time| time.hit.span.end() > at_digit)
}

/// How months and weekdays begin.
static NAMES: WordList = WordList::new(&[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed",
    "thu", "fri", "sat", "sun",
]);

/// Where the month or weekday begins that stands right before a place, as in `Jan 7` and `Wed, 07`.
fn word_before(text: &[u8], end: usize) -> Option<usize> {
    let gap = run_start(text, end, 3, |b| matches!(b, b' ' | b',' | b'.'));
    let word = run_start(text, gap, 10, is_letter);
    let named = || NAMES.holds(slice(text, word..word + 3));
    (gap < end && gap - word >= 3 && named()).then_some(word)
}

/// The end of the English month that begins at a place.
#[must_use]
pub fn month_at(text: &[u8], start: usize) -> Option<usize> {
    month_name(text, start)
}

fn numeric(text: &[u8], start: usize) -> Option<(usize, Form)> {
    let end = run_end(text, start, 20, is_digit);
    match end - start {
        4 => machine_time(text, start).map(|end| (end, Form::DateTime)).or_else(|| year_first(text, start)),
        1 | 2 => day_or_hour_first(text, start, end),
        8 => compact(text, start),
        14 => compact_whole(text, start),
        _ => epoch(text, start, end),
    }
}

/// `2026-01-07T11:25:15.523Z`, as most programs write it: its end. [`year_first`] says the same of it, in more steps.
fn machine_time(text: &[u8], start: usize) -> Option<usize> {
    const ZERO: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    const DIGITS: [u64; 3] = [0x000f_0f00_0f0f_0f0f, 0x0f0f_000f_0f00_0f0f, 0x000f_0f0f_000f_0f00];
    let end = start + ZERO.len();
    let written: &[u8; 24] = text.get(start..)?.first_chunk()?;
    let (words, _) = written.as_chunks::<8>();
    let (zeros, _) = ZERO.as_chunks::<8>();
    let other = words.iter().zip(zeros).zip(DIGITS).fold(0, |other, ((word, zero), digits)| {
        // What is left of a digit is its value, and of the other signs nothing.
        let values = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*zero);
        let over = (values & digits) + (digits & 0x0606_0606_0606_0606);
        other | (values & !digits) | (over & 0x1010_1010_1010_1010)
    });
    let two = |at: usize| {
        let digit = |at: usize| written.get(at).copied().unwrap_or(0) & 0x0f;
        digit(at) * 10 + digit(at + 1)
    };
    let fits = |at: usize, first: u8, last: u8| (first..=last).contains(&two(at));
    let year = two(0) == 19 && two(2) >= 70 || two(0) == 20;
    let date = year && fits(5, 1, 12) && fits(8, 1, 31);
    let time = fits(11, 0, 24) && fits(14, 0, 59) && fits(17, 0, 60);
    (other == 0 && date && time && !is_alnum(byte(text, end))).then_some(end)
}

/// The value of exactly `width` digits at a place.
fn number(text: &[u8], at: usize, width: usize) -> Option<u32> {
    let digits = slice(text, at..at.saturating_add(width));
    (digits.len() == width && digits.iter().all(|b| is_digit(*b)))
        .then(|| digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn in_range(text: &[u8], at: usize, width: usize, first: u32, last: u32) -> Option<()> {
    number(text, at, width).filter(|value| (first..=last).contains(value)).map(|_| ())
}

fn is_year(text: &[u8], at: usize) -> Option<()> {
    in_range(text, at, 4, 1970, 2099)
}

/// `2026-01-07T11:25:15.523Z`, `2026/01/07 11:25:15`, `2026.01.07`, `2026-01-07-11:25`.
fn year_first(text: &[u8], start: usize) -> Option<(usize, Form)> {
    is_year(text, start)?;
    let separator = byte(text, start + 4);
    if !matches!(separator, b'-' | b'/' | b'.') {
        return None;
    }
    let month = start + 5;
    let day = match month_name(text, month) {
        Some(end) => end + 1,
        None => {
            in_range(text, month, 2, 1, 12)?;
            month + 3
        }
    };
    (byte(text, day - 1) == separator).then_some(())?;
    in_range(text, day, 2, 1, 31)?;
    Some(with_time(text, day + 2))
}

/// The time of day behind a date, or the date alone.
fn with_time(text: &[u8], date_end: usize) -> (usize, Form) {
    let gap = match byte(text, date_end) {
        b'T' | b't' | b'_' | b'-' | b':' => 1,
        b' ' | b',' => run_end(text, date_end, 3, |b| b == b' ' || b == b',') - date_end,
        b'\\' if byte(text, date_end + 1) == b'/' => 0,
        _ => 0,
    };
    let time = (gap > 0).then(|| time_of_day(text, date_end + gap)).flatten();
    time.map_or((date_end, Form::Date), |end| (end, Form::DateTime))
}

/// `HH:MM`, seconds, fraction, AM or PM, zone; `HHMMSS` behind a `T`.
fn time_of_day(text: &[u8], at: usize) -> Option<usize> {
    let hour = run_end(text, at, 3, is_digit);
    if byte(text, hour) != b':' {
        in_range(text, at, 2, 0, 24)?;
        in_range(text, at + 2, 2, 0, 59)?;
        let seconds = in_range(text, at + 4, 2, 0, 60).map_or(at + 4, |()| at + 6);
        let compact = before(text, at).eq_ignore_ascii_case(&b't') && !is_digit(byte(text, seconds));
        return compact.then(|| zone(text, fraction(text, seconds)));
    }
    let width = hour - at;
    in_range(text, at, width, 0, 24).filter(|()| matches!(width, 1 | 2))?;
    in_range(text, hour + 1, 2, 0, 59)?;
    let mut end = hour + 3;
    if byte(text, end) == b':' && in_range(text, end + 1, 2, 0, 60).is_some() {
        end = fraction(text, end + 3);
    }
    (!is_digit(byte(text, end))).then(|| zone(text, end))
}

/// `.523`, `,523`, `:606` behind seconds.
fn fraction(text: &[u8], at: usize) -> usize {
    if !matches!(byte(text, at), b'.' | b',' | b':') {
        return at;
    }
    let end = run_end(text, at + 1, 12, is_digit);
    let width = end - at - 1;
    let fits = if byte(text, at) == b'.' {
        (1..=9).contains(&width)
    } else {
        width == 3 || width == 6 || width == 9
    };
    if fits { end } else { at }
}

/// ` PM`, `Z`, `+01:00`, ` +0100`, ` UTC`.
fn zone(text: &[u8], mut at: usize) -> usize {
    const NAMES: [&[u8]; 18] = [
        b"UTC", b"GMT", b"CEST", b"CET", b"EST", b"EDT", b"CST", b"CDT", b"MST", b"MDT", b"PST", b"PDT",
        b"MSK", b"IST", b"JST", b"BST", b"EET", b"WAT",
    ];
    let space = usize::from(byte(text, at) == b' ');
    if [&b"am"[..], b"pm", b"a.m.", b"p.m."].iter().any(|half| reads(text, at + space, half))
        && !is_alnum(byte(text, at + space + 2))
    {
        at += space + if byte(text, at + space + 1) == b'.' { 4 } else { 2 };
    }
    let space = usize::from(byte(text, at) == b' ');
    let sign = at + space;
    match byte(text, sign) {
        b'Z' | b'z' if !is_alnum(byte(text, sign + 1)) => sign + 1,
        b'+' | b'-' => {
            let digits = run_end(text, sign + 1, 5, is_digit);
            let width = digits - sign - 1;
            let minutes = byte(text, digits) == b':' && number(text, digits + 1, 2).is_some();
            match width {
                2 if minutes && !is_digit(byte(text, digits + 3)) => digits + 3,
                2 if space == 0 => digits,
                4 if !is_alnum(byte(text, digits)) => digits,
                _ => at,
            }
        }
        _ => NAMES
            .iter()
            .find(|name| {
                slice(text, sign..sign + name.len()) == **name && !is_alnum(byte(text, sign + name.len()))
            })
            .map_or(at, |name| sign + name.len()),
    }
}

fn day_or_hour_first(text: &[u8], start: usize, end: usize) -> Option<(usize, Form)> {
    let width = end - start;
    let separator = byte(text, end);
    match separator {
        b':' => {
            if width != 2 || byte(text, end + 3) != b':' {
                return None;
            }
            in_range(text, end + 4, 2, 0, 60)?;
            let stop = time_of_day(text, start)?;
            (byte(text, stop) != b':').then_some((stop, Form::Time))
        }
        b'/' | b'-' | b'.' | b' ' => {
            in_range(text, start, width, 1, 31)?;
            if let Some(month) = month_name(text, end + 1) {
                let year = month + 1;
                let separated = byte(text, month) == separator || byte(text, month) == b' ';
                is_year(text, year).filter(|()| separated)?;
                return Some(with_time(text, year + 4));
            }
            if separator == b' ' { None } else { numbers_first(text, end, separator) }
        }
        _ => None,
    }
}

/// `01/07/2026, 11:25:15 AM`, `07.01.2026 11:25`, `01-07 11:25:15.523`, `01/07/26 11:25:15`.
fn numbers_first(text: &[u8], first_end: usize, separator: u8) -> Option<(usize, Form)> {
    let second = first_end + 1;
    let second_end = run_end(text, second, 3, is_digit);
    in_range(text, second, second_end - second, 1, 31).filter(|()| second_end - second <= 2)?;
    if byte(text, second_end) != separator {
        let seconds = byte(text, second_end + 6) == b':';
        let (end, form) = with_time(text, second_end);
        return (form == Form::DateTime && byte(text, second_end) == b' ' && seconds && separator != b'.')
            .then_some((end, form));
    }
    let year = second_end + 1;
    match run_end(text, year, 5, is_digit) - year {
        4 => {
            is_year(text, year)?;
            Some(with_time(text, year + 4))
        }
        2 => {
            let (end, form) = with_time(text, year + 2);
            (form == Form::DateTime).then_some((end, form))
        }
        _ => None,
    }
}

/// `20260107T112515Z`, `20260107-11:25:15:606`.
fn compact(text: &[u8], start: usize) -> Option<(usize, Form)> {
    compact_date(text, start)?;
    let (end, form) = with_time(text, start + 8);
    (form == Form::DateTime).then_some((end, form))
}

fn compact_date(text: &[u8], start: usize) -> Option<()> {
    is_year(text, start)?;
    in_range(text, start + 4, 2, 1, 12)?;
    in_range(text, start + 6, 2, 1, 31)
}

/// `20260107112515`.
fn compact_whole(text: &[u8], start: usize) -> Option<(usize, Form)> {
    in_range(text, start, 4, 2000, 2039)?;
    compact_date(text, start)?;
    in_range(text, start + 8, 2, 0, 23)?;
    in_range(text, start + 10, 2, 0, 59)?;
    in_range(text, start + 12, 2, 0, 59)?;
    Some((zone(text, fraction(text, start + 14)), Form::DateTime))
}

/// A count since 1970; behind `date:` also SMPP's `YYMMDDhhmm` and `YYMMDDhhmmss` (receipts).
fn epoch(text: &[u8], start: usize, end: usize) -> Option<(usize, Form)> {
    let digits = slice(text, start..end);
    let dated = ends_before(text, start, b"date:") || ends_before(text, start, b"date=");
    if dated && matches!(digits.len(), 10 | 12) {
        in_range(text, start + 2, 2, 1, 12)?;
        in_range(text, start + 4, 2, 1, 31)?;
        in_range(text, start + 6, 2, 0, 23)?;
        in_range(text, start + 8, 2, 0, 59)?;
        return Some((end, Form::DateTime));
    }
    let unit = not_epoch::unit(digits)?;
    if safe::counted_before(text, start) {
        return None;
    }
    let stop = if unit == Unit::Seconds && byte(text, end) == b'.' { fraction(text, end) } else { end };
    let more = byte(text, stop) == b'.' && is_digit(byte(text, stop + 1));
    (!more).then_some((stop, Form::Epoch(unit)))
}

/// End of an English month's name, short or whole, at a place.
fn month_name(text: &[u8], at: usize) -> Option<usize> {
    const MONTHS: [&[u8]; 12] = [
        b"january",
        b"february",
        b"march",
        b"april",
        b"may",
        b"june",
        b"july",
        b"august",
        b"september",
        b"october",
        b"november",
        b"december",
    ];
    let end = run_end(text, at, 10, is_letter);
    let word = slice(text, at..end);
    MONTHS
        .iter()
        .any(|month| word.eq_ignore_ascii_case(month) || (word.len() == 3 && reads(month, 0, &lower(word))))
        .then_some(end)
}

/// Three letters in lower case.
fn lower(word: &[u8]) -> [u8; 3] {
    let mut letters = [0u8; 3];
    for (to, from) in letters.iter_mut().zip(word) {
        *to = from.to_ascii_lowercase();
    }
    letters
}

/// `Jan  7 11:25:15`, `Wed, 07 Jan 2026 11:25:15 GMT`, `Wed Jan 07 11:25:15 2026`, `Jan 7, 2026`.
fn named(text: &[u8], start: usize) -> Option<(usize, Form)> {
    const DAYS: [&[u8]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];
    let word = run_end(text, start, 10, is_letter);
    let weekday = word - start >= 3
        && DAYS.iter().any(|day| reads(text, start, day))
        && (word - start == 3 || ends_before(text, word, b"day"));
    let mut at = start;
    if weekday {
        at = run_end(text, word, 3, |b| b == b' ' || b == b',');
        if at == word {
            return None;
        }
        if is_digit(byte(text, at)) {
            let end = run_end(text, at, 3, is_digit);
            return day_or_hour_first(text, at, end).filter(|(_, form)| *form != Form::Time);
        }
    }
    let month = month_name(text, at)?;
    let day = run_end(text, month, 3, |b| b == b' ' || b == b'.');
    let day_end = run_end(text, day, 3, is_digit);
    in_range(text, day, day_end - day, 1, 31).filter(|()| day > month && day_end - day <= 2)?;
    let gap = run_end(text, day_end, 3, |b| b == b' ' || b == b',');
    if is_year(text, gap).is_some() && gap > day_end {
        return Some(with_time(text, gap + 4));
    }
    let end = time_of_day(text, gap).filter(|_| gap > day_end)?;
    let year = byte(text, end) == b' ' && is_year(text, end + 1).is_some() && !is_alnum(byte(text, end + 5));
    Some((if year { end + 5 } else { end }, Form::DateTime))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(&str, Form)> {
        let time = (0..text.len()).find_map(|start| at(text.as_bytes(), start))?;
        Some((text.get(time.hit.span.start()..time.hit.span.end())?, time.form))
    }

    #[test]
    fn a_machine_s_time_reads_as_any_other() {
        let whole = *b"2026-01-07T11:25:15.523Z ";
        for at in 0..whole.len() {
            for byte in 0..=u8::MAX {
                let mut text = whole;
                text[at] = byte;
                let machine = machine_time(&text, 0).map(|end| (end, Form::DateTime));
                assert!(machine.is_none() || machine == year_first(&text, 0), "{at} {byte}");
            }
        }
        for text in ["2026-01-07T11:25:15.523Z", "2099-12-31T24:59:60.000Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(machine_time(text.as_bytes(), 0), Some(24), "{text}");
        }
        for text in [
            "1969-01-01T00:00:00.000Z",
            "2026-13-01T00:00:00.000Z",
            "2026-00-01T00:00:00.000Z",
            "2026-01-32T00:00:00.000Z",
            "2026-01-01T25:00:00.000Z",
            "2026-01-01T00:60:00.000Z",
            "2026-01-01T00:00:61.000Z",
            "2026-01-01T00:00:00.000Zx",
            "2026-01-01T00:00:00.000",
        ] {
            assert_eq!(machine_time(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn times_are_found_whole() {
        for (text, want) in [
            ("2026-01-07T11:25:15Z", "2026-01-07T11:25:15Z"),
            ("at 2026-01-07T11:25:15.523456+00:00,", "2026-01-07T11:25:15.523456+00:00"),
            ("[2026-01-07 11:25:15,523] VERBOSE", "2026-01-07 11:25:15,523"),
            ("2026/01/07 11:25:15 [error]", "2026/01/07 11:25:15"),
            ("2026-01-07 11:25:15 +0000 x", "2026-01-07 11:25:15 +0000"),
            ("2026-01-07 11:25:15 UTC", "2026-01-07 11:25:15 UTC"),
            ("[07/Jan/2026:11:25:15 +0000]", "07/Jan/2026:11:25:15 +0000"),
            ("<86>Jan  7 11:25:15 host", "Jan  7 11:25:15"),
            ("Jan 07 2026 11:25:15", "Jan 07 2026 11:25:15"),
            ("Wed, 07 Jan 2026 11:25:15 GMT", "Wed, 07 Jan 2026 11:25:15 GMT"),
            ("Wed Jan 07 11:25:15 2026]", "Wed Jan 07 11:25:15 2026"),
            ("01/07/2026, 11:25:15 AM  x", "01/07/2026, 11:25:15 AM"),
            ("01/07/2026, 11:25:15   x", "01/07/2026, 11:25:15"),
            ("07.01.2026 11:25:15", "07.01.2026 11:25:15"),
            ("01-07 11:25:15.523  1234", "01-07 11:25:15.523"),
            ("17/06/09 20:10:40 INFO", "17/06/09 20:10:40"),
            ("20260107T112515Z", "20260107T112515Z"),
            ("20171223-22:15:29:606|x", "20171223-22:15:29:606"),
            ("id 20260107112515 x", "20260107112515"),
            ("submit date:2601071125 done", "2601071125"),
        ] {
            assert_eq!(first(text), Some((want, Form::DateTime)), "{text}");
        }
        for (text, want, form) in [
            ("on 2026-01-07.", "2026-01-07", Form::Date),
            ("11:25:15.523 x", "11:25:15.523", Form::Time),
            ("t=1767225600,", "1767225600", Form::Epoch(Unit::Seconds)),
            ("1767225600.123 x", "1767225600.123", Form::Epoch(Unit::Seconds)),
            ("1767225600123", "1767225600123", Form::Epoch(Unit::Milliseconds)),
            ("1767225600123456", "1767225600123456", Form::Epoch(Unit::Microseconds)),
            ("1767225600123456789", "1767225600123456789", Form::Epoch(Unit::Nanoseconds)),
        ] {
            assert_eq!(first(text), Some((want, form)), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left() {
        for (text, why) in [
            ("14155550132", "a phone"),
            ("+1767225600", "a phone"),
            ("2026", "a year"),
            ("20260107", "may be an order"),
            ("ORD-2026-000123", "an order"),
            ("2026-13-07", "no such month"),
            ("2026-01-32", "no such day"),
            ("25:61:15", "no such time"),
            ("00:00:5e:00:53:af", "a MAC address"),
            ("10:20", "a ratio"),
            ("1.2.3", "a version"),
            ("01-07-15", "no time behind"),
            ("x1767225600", "inside a word"),
            ("1767225600@lid", "an id"),
            ("may 12 people", "a word"),
            ("1767225600.123.4", "a version"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}

//! Times as logs write them: bytes → milliseconds since 1970, and where each component stands.
//!
//! Read: RFC 3339 and its relatives (`2026-11-21T14:05:09.123Z`, a space for the `T`, a comma before
//! the fraction, zone absent or `+0200`), `2026/11/21 14:05:09`, access logs
//! (`21/Nov/2026:14:05:09 +0000`, in brackets or not), RFC 5322 (`Sat, 21 Nov 2026 14:05:09 +0000`),
//! and seconds, milliseconds, microseconds or nanoseconds since 1970 by their number of digits.
//! A time without a zone is UTC. No allocation.

use crate::finding::Span;

/// A time that was read, and the digits a rounding would have to overwrite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrittenTime {
    /// Milliseconds since 1970, UTC; finer digits are cut off (towards the past).
    pub ms: i64,
    pub form: TimeForm,
}

/// How it was written. Spans are byte offsets into the parsed text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// Components in some calendar notation; absent ones are `None`.
    Civil { hour: Option<Span>, minute: Option<Span>, second: Option<Span>, fraction: Option<Span> },
    /// A count since 1970 in units of `1 / per_second` s; `fraction` are the digits after the point.
    Epoch { per_second: i64, whole: Span, fraction: Option<Span> },
}

/// Milliseconds since 1970 of a written time; `None` where the text is no time that we know.
#[must_use]
pub fn parse_ms(text: &[u8]) -> Option<i64> {
    parse(text).map(|time| time.ms)
}

/// Reads a whole text as a time. Blanks around it do not count.
#[must_use]
pub fn parse(text: &[u8]) -> Option<WrittenTime> {
    let start = text.iter().position(|b| !b.is_ascii_whitespace())?;
    let end = text.iter().rposition(|b| !b.is_ascii_whitespace())? + 1;
    // The longest form is well below: "Wednesday, 21 November …" is none of ours.
    if end - start > 48 {
        return None;
    }
    let mut at = Cursor { text: text.get(..end)?, at: start };
    let time = if at.peek()?.is_ascii_digit() && at.digits_ahead() >= 9 { at.epoch()? } else { at.civil()? };
    (at.at == end).then_some(time)
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, or `None` where there is no
/// such date. (Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.)
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

#[derive(Default)]
struct TimeOfDay {
    ms: i64,
    hour: Option<Span>,
    minute: Option<Span>,
    second: Option<Span>,
    fraction: Option<Span>,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn digits_ahead(&self) -> usize {
        self.text.get(self.at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn eat_any(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|b| bytes.contains(b))?;
        self.at += 1;
        Some(byte)
    }

    /// Exactly `count` digits.
    fn number(&mut self, count: usize) -> Option<(i64, Span)> {
        let digits = self.text.get(self.at..self.at + count)?;
        let mut value = 0i64;
        for byte in digits {
            if !byte.is_ascii_digit() {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
        }
        let span = Span::new(self.at, self.at + count);
        self.at += count;
        Some((value, span))
    }

    fn month_name(&mut self) -> Option<i64> {
        const NAMES: [&[u8; 3]; 12] =
            [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
        let word = self.text.get(self.at..self.at + 3)?;
        let month = (1..).zip(NAMES).find(|(_, name)| word.eq_ignore_ascii_case(*name))?.0;
        self.at += 3;
        Some(month)
    }

    /// Everything but a count since 1970.
    fn civil(&mut self) -> Option<WrittenTime> {
        if self.peek()?.is_ascii_alphabetic() {
            return self.mail();
        }
        if self.peek() == Some(b'[') {
            self.at += 1;
            let time = self.access_log()?;
            self.eat(b']')?;
            return Some(time);
        }
        match self.digits_ahead() {
            4 => self.year_first(),
            1 | 2 => match self.text.get(self.at + self.digits_ahead()) {
                Some(b'/') => self.access_log(),
                Some(b' ') => self.mail(),
                _ => None,
            },
            _ => None,
        }
    }

    /// `2026-11-21T14:05:09.123Z`, `2026/11/21 14:05:09`, `2026-11-21`.
    fn year_first(&mut self) -> Option<WrittenTime> {
        let (year, _) = self.number(4)?;
        let separator = self.eat_any(b"-/")?;
        let (month, _) = self.number(2)?;
        self.eat(separator)?;
        let (day, _) = self.number(2)?;
        let days = days(year, month, day)?;
        if self.peek().is_none() {
            return Some(civil_time(days, &TimeOfDay::default(), 0));
        }
        self.eat_any(b"Tt _")?;
        let time = self.time_of_day()?;
        let zone_ms = self.zone()?;
        Some(civil_time(days, &time, zone_ms))
    }

    /// `21/Nov/2026:14:05:09 +0000`.
    fn access_log(&mut self) -> Option<WrittenTime> {
        let (day, _) = self.number(self.digits_ahead().min(2))?;
        self.eat(b'/')?;
        let month = self.month_name()?;
        self.eat(b'/')?;
        let (year, _) = self.number(4)?;
        self.eat_any(b": ")?;
        let days = days(year, month, day)?;
        let time = self.time_of_day()?;
        let zone_ms = if self.peek() == Some(b']') { 0 } else { self.zone()? };
        Some(civil_time(days, &time, zone_ms))
    }

    /// `Sat, 21 Nov 2026 14:05:09 +0000`; the day of the week may be missing, and is not checked.
    fn mail(&mut self) -> Option<WrittenTime> {
        if self.peek()?.is_ascii_alphabetic() {
            let name = self.text.get(self.at..self.at + 3)?;
            if !name.iter().all(u8::is_ascii_alphabetic) {
                return None;
            }
            self.at += 3;
            self.eat(b',')?;
            self.eat(b' ')?;
        }
        let (day, _) = self.number(self.digits_ahead().min(2))?;
        self.eat_any(b" -")?;
        let month = self.month_name()?;
        self.eat_any(b" -")?;
        let (year, _) = self.number(4)?;
        self.eat(b' ')?;
        let days = days(year, month, day)?;
        let time = self.time_of_day()?;
        let zone_ms = self.zone()?;
        Some(civil_time(days, &time, zone_ms))
    }

    /// `14:05`, `14:05:09`, `14:05:09.123456789`, `14:05:09,123`; a leap second counts as the next.
    fn time_of_day(&mut self) -> Option<TimeOfDay> {
        let (hour, hour_span) = self.number(2)?;
        self.eat(b':')?;
        let (minute, minute_span) = self.number(2)?;
        let mut time = TimeOfDay { hour: Some(hour_span), minute: Some(minute_span), ..TimeOfDay::default() };
        let mut second = 0;
        if self.eat(b':').is_some() {
            let (value, span) = self.number(2)?;
            second = value;
            time.second = Some(span);
            if self.eat_any(b".,").is_some() {
                let (ms, span) = self.fraction_ms()?;
                time.ms = ms;
                time.fraction = Some(span);
            }
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        time.ms += ((hour * 60 + minute) * 60 + second) * 1000;
        Some(time)
    }

    /// One to twelve digits after the point, as milliseconds.
    fn fraction_ms(&mut self) -> Option<(i64, Span)> {
        let count = self.digits_ahead();
        if !(1..=12).contains(&count) {
            return None;
        }
        let start = self.at;
        let (value, _) = self.number(count.min(3))?;
        self.at = start + count;
        let ms = match count {
            1 => value * 100,
            2 => value * 10,
            _ => value,
        };
        Some((ms, Span::new(start, start + count)))
    }

    /// The zone's offset in milliseconds, to subtract; the end of the text is UTC.
    fn zone(&mut self) -> Option<i64> {
        if self.peek().is_none() {
            return Some(0);
        }
        if self.eat_any(b"Zz").is_some() {
            return Some(0);
        }
        let _ = self.eat(b' ');
        if let Some(sign) = self.eat_any(b"+-") {
            let (hours, _) = self.number(2)?;
            let _ = self.eat(b':');
            let minutes = if self.digits_ahead() == 2 { self.number(2)?.0 } else { 0 };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let ms = (hours * 60 + minutes) * 60_000;
            return Some(if sign == b'-' { -ms } else { ms });
        }
        // The named zones of RFC 5322; other abbreviations mean different things in different places.
        const NAMED: [(&[u8], i64); 12] = [
            (b"UTC", 0),
            (b"GMT", 0),
            (b"UT", 0),
            (b"EST", -5),
            (b"EDT", -4),
            (b"CST", -6),
            (b"CDT", -5),
            (b"MST", -7),
            (b"MDT", -6),
            (b"PST", -8),
            (b"PDT", -7),
            (b"Z", 0),
        ];
        let rest = self.text.get(self.at..)?;
        let rest = rest.strip_suffix(b"]").unwrap_or(rest);
        let (name, hours) = NAMED.into_iter().find(|(name, _)| rest == *name)?;
        self.at += name.len();
        Some(hours * 3_600_000)
    }

    /// 9 to 11 digits are seconds, up to 14 milliseconds, up to 17 microseconds, up to 19
    /// nanoseconds; a point makes them seconds.
    fn epoch(&mut self) -> Option<WrittenTime> {
        let count = self.digits_ahead();
        if count > 19 {
            return None;
        }
        let (value, whole) = self.number(count)?;
        if count <= 11 && self.eat(b'.').is_some() {
            let (ms, fraction) = self.fraction_ms()?;
            let form = TimeForm::Epoch { per_second: 1, whole, fraction: Some(fraction) };
            return Some(WrittenTime { ms: value * 1000 + ms, form });
        }
        let (per_second, ms) = match count {
            0..=11 => (1, value * 1000),
            12..=14 => (1000, value),
            15..=17 => (1_000_000, value / 1000),
            _ => (1_000_000_000, value / 1_000_000),
        };
        Some(WrittenTime { ms, form: TimeForm::Epoch { per_second, whole, fraction: None } })
    }
}

fn civil_time(days: i64, time: &TimeOfDay, zone_ms: i64) -> WrittenTime {
    let form = TimeForm::Civil {
        hour: time.hour,
        minute: time.minute,
        second: time.second,
        fraction: time.fraction,
    };
    WrittenTime { ms: days * 86_400_000 + time.ms - zone_ms, form }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_262_709_000; // 2026-11-21T12:05:09Z, by `date -u -d … +%s`

    #[test]
    fn every_form_reads_as_the_same_moment() {
        let cases: &[(&str, i64)] = &[
            ("2026-11-21T12:05:09Z", NOON),
            ("2026-11-21t12:05:09z", NOON),
            ("2026-11-21T12:05:09.123Z", NOON + 123),
            ("2026-11-21T12:05:09.123456789Z", NOON + 123),
            ("2026-11-21T12:05:09.5", NOON + 500),
            ("2026-11-21T14:05:09+02:00", NOON),
            ("2026-11-21T14:05:09+0200", NOON),
            ("2026-11-21T14:05:09+02", NOON),
            ("2026-11-21T06:35:09-05:30", NOON),
            ("2026-11-21 12:05:09", NOON),
            ("2026-11-21 12:05:09 UTC", NOON),
            ("2026-11-21 12:05:09 +0000", NOON),
            ("2026-11-21 12:05:09,123", NOON + 123),
            ("2026-11-21T12:05Z", NOON - 9000),
            ("2026-11-21", NOON - 43_509_000),
            ("2026/11/21 12:05:09", NOON),
            ("2026/11/21 12:05:09.25", NOON + 250),
            ("21/Nov/2026:12:05:09 +0000", NOON),
            ("[21/Nov/2026:14:05:09 +0200]", NOON),
            ("[21/Nov/2026:12:05:09]", NOON),
            ("Sat, 21 Nov 2026 12:05:09 +0000", NOON),
            ("Sat, 21 Nov 2026 12:05:09 GMT", NOON),
            ("21 Nov 2026 07:05:09 EST", NOON),
            ("5 Nov 2026 12:05:09 +0000", NOON - 16 * 86_400_000),
            ("1795262709", NOON),
            ("1795262709.123456", NOON + 123),
            ("1795262709123", NOON + 123),
            ("1795262709123456", NOON + 123),
            ("1795262709123456789", NOON + 123),
            (" 1795262709 ", NOON),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_ms(text.as_bytes()), Some(*ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            " ",
            "T",
            "2026",
            "2026-13-01",
            "2026-02-29T00:00:00Z",
            "2026-11-31",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:60:00Z",
            "2026-11-21T12:05:09.Z",
            "2026-11-21T12:05:09Zx",
            "2026-11/21 12:05:09",
            "12345678",
            "12345678901234567890",
            "1795262709.",
            "1795262709x",
            "21/Nov/2026",
            "21/Foo/2026:12:05:09 +0000",
            "Saturday, 21 Nov 2026 12:05:09 +0000",
            "[21/Nov/2026:12:05:09 +0000",
            "-1795262709",
            "\u{ff11}795262709",
            "2026-11-21T12:05:09+25:00",
            "2026-11-21T12:05:09 CEST",
        ] {
            assert_eq!(parse_ms(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_ms(&[b' '; 4096]), None);
        assert_eq!(parse_ms(&[b'1'; 4096]), None);
    }

    #[test]
    fn spans_name_the_components() {
        let text = b"2026-11-21T12:05:09.123Z";
        let Some(TimeForm::Civil { hour, minute, second, fraction }) = parse(text).map(|time| time.form)
        else {
            panic!("a civil time");
        };
        assert_eq!(
            [hour, minute, second, fraction].map(|span| span.map(|span| span.of(&text[..]))),
            [Some(&b"12"[..]), Some(b"05"), Some(b"09"), Some(b"123")]
        );
        let text = b"1795262709.25";
        let Some(TimeForm::Epoch { per_second, whole, fraction }) = parse(text).map(|time| time.form) else {
            panic!("an epoch");
        };
        assert_eq!(
            (per_second, whole.of(text), fraction.map(|span| span.of(&text[..]))),
            (1, &b"1795262709"[..], Some(&b"25"[..]))
        );
    }

    #[test]
    fn every_day_of_ten_thousand_years_follows_the_one_before() {
        let mut expected = days(1, 1, 1);
        assert!(expected.is_some());
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(found) = days(year, month, day) {
                        assert_eq!(Some(found), expected, "{year}-{month}-{day}");
                        expected = Some(found + 1);
                    }
                }
            }
        }
        assert_eq!(expected, days(9999, 12, 31).map(|last| last + 1));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_legal(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = parse_ms(&bytes);
        }

        #[test]
        fn what_jiff_writes_we_read(ms in -62_135_596_800_000i64..253_402_207_200_000) {
            let written = jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string());
            proptest::prop_assert_eq!(written.ok().and_then(|written| parse_ms(written.as_bytes())), Some(ms));
        }
    }
}

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

use super::RoundTo;
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
        Some(clock) => write_clock(value, clock.as_ref(), to, out),
        None => return false,
    }
    true
}

/// Where the parts of a clock's reading stand in the value.
#[derive(Default)]
struct Clock {
    hour: Range<usize>,
    /// Minutes, seconds and fraction: digits in here become zeros.
    smaller: Range<usize>,
    /// Place of the `A` or `P` of a twelve-hour clock.
    meridiem: Option<usize>,
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
    let year_fits = year_len == 2 || number(digits.get(..4).unwrap_or_default()).is_some_and(|y| (1970..2100).contains(&y));
    let month_fits = pair(digits, year_len).is_some_and(|month| (1..=12).contains(&month));
    year_fits && month_fits && pair(digits, year_len + 2).is_some_and(|day| (1..=31).contains(&day))
}

fn compact_fits(digits: &[u8], year_len: usize) -> bool {
    let second_fits = digits.len() < year_len + 10 || pair(digits, year_len + 8).is_some_and(|second| second <= 60);
    date_fits(digits, year_len)
        && pair(digits, year_len + 4).is_some_and(|hour| hour < 24)
        && pair(digits, year_len + 6).is_some_and(|minute| minute < 60)
        && second_fits
}

/// Reads the whole value as a date, a clock or both; `Some(None)` is a date alone.
fn scan(value: &[u8]) -> Option<Option<Clock>> {
    let mut cursor = Cursor { text: value, at: 0 };
    let bracket = cursor.eat(b'[');
    cursor.weekday();
    let has_date = cursor.attempt(Cursor::date).is_some();
    if has_date && (cursor.rest().is_empty() || cursor.rest() == b"]") {
        return (cursor.eat(b']') == bracket).then_some(None);
    }
    if has_date {
        cursor.separator()?;
    }
    let clock = cursor.clock()?;
    cursor.zone();
    // asctime and `date` have the year last.
    cursor.attempt(|cursor| {
        cursor.eat(b' ').then_some(())?;
        cursor.number(4, 4, 1970..=2099)
    });
    (cursor.eat(b']') == bracket && cursor.rest().is_empty()).then_some(Some(clock))
}

struct Cursor<'v> {
    text: &'v [u8],
    at: usize,
}

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
const LONG_MONTHS: [&[u8]; 12] = [
    b"january", b"february", b"march", b"april", b"may", b"june", b"july", b"august", b"september", b"october",
    b"november", b"december",
];
const WEEKDAYS: [&[u8]; 14] = [
    b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun", b"monday", b"tuesday", b"wednesday", b"thursday", b"friday",
    b"saturday", b"sunday",
];

impl<'v> Cursor<'v> {
    fn rest(&self) -> &'v [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn eat_any(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.rest().first().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// Stays where it is unless the reader succeeds.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.at;
        let read = read(self);
        if read.is_none() {
            self.at = before;
        }
        read
    }

    /// Digits, as many as there are, in count and value within bounds.
    fn number(&mut self, least: usize, most: usize, bounds: std::ops::RangeInclusive<u64>) -> Option<usize> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.rest().get(..count)?;
        let fits = (least..=most).contains(&count) && number(digits).is_some_and(|value| bounds.contains(&value));
        fits.then(|| self.at += count)?;
        Some(count)
    }

    fn word(&mut self, words: &[&[u8]]) -> Option<()> {
        let letters = self.rest().iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = self.rest().get(..letters)?;
        words.iter().any(|known| known.eq_ignore_ascii_case(word)).then(|| self.at += letters)
    }

    /// `Wed `, `Wed, `, `Wednesday, `.
    fn weekday(&mut self) {
        self.attempt(|cursor| {
            cursor.word(&WEEKDAYS)?;
            cursor.eat(b',');
            cursor.eat(b' ').then_some(())
        });
    }

    fn month(&mut self) -> Option<()> {
        self.attempt(|cursor| cursor.word(&MONTHS)).or_else(|| self.attempt(|cursor| cursor.word(&LONG_MONTHS)))
    }

    fn date(&mut self) -> Option<()> {
        self.attempt(Cursor::year_first)
            .or_else(|| self.attempt(Cursor::compact_date))
            .or_else(|| self.attempt(Cursor::day_first))
            .or_else(|| self.attempt(Cursor::month_first))
    }

    /// `2024-06-06`, `2024/6/6`, `2024.06.06`, `2024-Jun-06`.
    fn year_first(&mut self) -> Option<()> {
        self.number(4, 4, 1000..=9999)?;
        let separator = self.eat_any(b"-/.")?;
        self.attempt(|cursor| cursor.number(1, 2, 1..=12)).map(drop).or_else(|| self.month())?;
        self.eat(separator).then_some(())?;
        self.number(1, 2, 1..=31).map(drop)
    }

    /// `20240606`.
    fn compact_date(&mut self) -> Option<()> {
        date_fits(self.rest().get(..8)?, 4).then_some(())?;
        self.number(8, 8, 0..=99_999_999).map(drop)
    }

    /// `06/Jun/2024`, `6 Jun 2024`, `06-Jun-94`, `06.06.2024`, and month before day the same.
    fn day_first(&mut self) -> Option<()> {
        self.number(1, 2, 1..=31)?;
        let separator = self.eat_any(b"-/. ")?;
        if self.month().is_none() {
            (separator != b' ').then_some(())?;
            self.number(1, 2, 1..=31)?;
        }
        self.eat(separator).then_some(())?;
        self.attempt(|cursor| cursor.number(4, 4, 1000..=9999)).or_else(|| self.number(2, 2, 0..=99)).map(drop)
    }

    /// `Jun  6`, `Jun 6 2024`, `June 6, 2024`.
    fn month_first(&mut self) -> Option<()> {
        self.month()?;
        self.eat(b' ').then_some(())?;
        self.eat(b' ');
        self.number(1, 2, 1..=31)?;
        self.attempt(|cursor| {
            cursor.eat(b',');
            cursor.eat(b' ').then_some(())?;
            cursor.number(4, 4, 1000..=9999)
        });
        Some(())
    }

    /// Between date and clock.
    fn separator(&mut self) -> Option<()> {
        if self.eat_any(b"Tt:_").is_some() {
            return Some(());
        }
        let comma = self.eat(b',');
        let space = self.eat(b' ');
        self.eat(b' ');
        (comma || space).then_some(())
    }

    fn clock(&mut self) -> Option<Clock> {
        self.attempt(Cursor::clock_with_colons).or_else(|| self.attempt(Cursor::compact_clock))
    }

    /// `15:04`, `15:04:05`, `15:04:05.123`, `15:04:05,123`, `3:04 PM`.
    fn clock_with_colons(&mut self) -> Option<Clock> {
        let start = self.at;
        self.number(1, 2, 0..=24)?;
        let hour = start..self.at;
        self.eat(b':').then_some(())?;
        self.number(2, 2, 0..=59)?;
        self.attempt(|cursor| {
            cursor.eat(b':').then_some(())?;
            cursor.number(2, 2, 0..=60)?;
            cursor.fraction();
            Some(())
        });
        let smaller = hour.end..self.at;
        Some(Clock { hour, smaller, meridiem: self.meridiem() })
    }

    /// `1504`, `150405`, `150405.123`: behind a date and a `T`, and only there.
    fn compact_clock(&mut self) -> Option<Clock> {
        let after_t = self.at.checked_sub(1).and_then(|before| self.text.get(before)).is_some_and(|b| matches!(b, b'T' | b't'));
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = self.rest().get(..digits).filter(|_| after_t && matches!(digits, 4 | 6))?;
        let fits = pair(text, 0)? < 24 && pair(text, 2)? < 60 && (digits == 4 || pair(text, 4)? <= 60);
        fits.then_some(())?;
        let hour = self.at..self.at + 2;
        self.at += digits;
        if digits == 6 {
            self.fraction();
        }
        Some(Clock { smaller: hour.end..self.at, hour, meridiem: None })
    }

    fn fraction(&mut self) {
        self.attempt(|cursor| {
            cursor.eat_any(b".,")?;
            let count = cursor.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
            (1..=12).contains(&count).then(|| cursor.at += count)
        });
    }

    fn meridiem(&mut self) -> Option<usize> {
        self.attempt(|cursor| {
            cursor.eat(b' ');
            let at = cursor.at;
            cursor.eat_any(b"AaPp")?;
            cursor.eat_any(b"Mm")?;
            Some(at)
        })
    }

    /// `Z`, `+02:00`, ` +0200`, ` UTC`, ` GMT+0200`, ` +0000 UTC`, ` +0200 (CEST)`, ` GMT+0200
    /// (Central European Summer Time)`; a name is at most five capitals, or ends in `Time`.
    fn zone(&mut self) {
        if self.eat(b'Z') || self.eat(b'z') {
            return;
        }
        self.attempt(|cursor| {
            cursor.eat(b' ');
            cursor.offset()
        });
        self.attempt(|cursor| {
            cursor.eat(b' ').then_some(())?;
            cursor.capitals()
        });
        self.attempt(|cursor| {
            cursor.eat(b' ');
            cursor.offset()
        });
        self.attempt(|cursor| {
            cursor.eat(b' ').then_some(())?;
            cursor.eat(b'(').then_some(())?;
            if cursor.capitals().is_none() {
                let length = memchr::memchr(b')', cursor.rest())?;
                let name = cursor.rest().get(..length)?;
                let fits = name.ends_with(b" Time") && name.iter().all(|b| b.is_ascii_alphabetic() || *b == b' ');
                fits.then(|| cursor.at += length)?;
            }
            cursor.eat(b')').then_some(())
        });
    }

    fn offset(&mut self) -> Option<()> {
        self.eat_any(b"+-")?;
        let compact = self.attempt(|cursor| cursor.number(4, 4, 0..=1_500));
        compact.map(drop).or_else(|| {
            self.number(2, 2, 0..=15)?;
            self.attempt(|cursor| {
                cursor.eat(b':').then_some(())?;
                cursor.number(2, 2, 0..=59)
            });
            Some(())
        })
    }

    fn capitals(&mut self) -> Option<()> {
        let count = self.rest().iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        (1..=5).contains(&count).then(|| self.at += count)
    }
}

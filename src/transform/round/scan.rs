//! Reading a written time: where its clock stands.

use super::{date_fits, number, pair};
use std::ops::Range;

/// Where the parts of a clock's reading stand in the value.
#[derive(Default)]
pub(super) struct Clock {
    pub hour: Range<usize>,
    /// Minutes, seconds and fraction: digits in here become zeros.
    pub smaller: Range<usize>,
    /// Place of the `A` or `P` of a twelve-hour clock.
    pub meridiem: Option<usize>,
}

/// Reads the whole value as a date, a clock or both; `Some(None)` is a date alone.
pub(super) fn scan(value: &[u8]) -> Option<Option<Clock>> {
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
const WEEKDAYS: [&[u8]; 14] = [
    b"mon",
    b"tue",
    b"wed",
    b"thu",
    b"fri",
    b"sat",
    b"sun",
    b"monday",
    b"tuesday",
    b"wednesday",
    b"thursday",
    b"friday",
    b"saturday",
    b"sunday",
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
        let fits =
            (least..=most).contains(&count) && number(digits).is_some_and(|value| bounds.contains(&value));
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
        self.attempt(|cursor| cursor.word(&MONTHS))
            .or_else(|| self.attempt(|cursor| cursor.word(&LONG_MONTHS)))
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
        let named = self.month();
        if named.is_none() {
            (separator != b' ').then_some(())?;
            self.number(1, 2, 1..=31)?;
        }
        if separator == b'-' && self.rest().first() == Some(&b' ') && named.is_none() {
            // Logcat has no year: `06-26 15:04:05.123`.
            return Some(());
        }
        self.eat(separator).then_some(())?;
        self.attempt(|cursor| cursor.number(4, 4, 1000..=9999))
            .or_else(|| self.number(2, 2, 0..=99))
            .map(drop)
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
        let after_t = self
            .at
            .checked_sub(1)
            .and_then(|before| self.text.get(before))
            .is_some_and(|b| matches!(b, b'T' | b't'));
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
                let fits =
                    name.ends_with(b" Time") && name.iter().all(|b| b.is_ascii_alphabetic() || *b == b' ');
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
        let ends = !self.rest().get(count).is_some_and(u8::is_ascii_alphanumeric);
        ((1..=5).contains(&count) && ends).then(|| self.at += count)
    }
}

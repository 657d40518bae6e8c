//! A length of time as people promise it: `30d`, `24mo`, `7y`, `40s`, `12h`.

use std::fmt;
use std::str::FromStr;

/// A length of time as people promise it. Months and years are calendar-exact when a due time is
/// computed from a date; a lane's delay takes the shortest the period can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Period {
    pub months: u32,
    pub seconds: u64,
}

/// Not a length of time. Says how to write one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a length of time: write a whole number and a unit, as in `30d`, `12h`, `40s`, `24mo`, `7y`")]
pub struct NotAPeriod;

const DAY_SECONDS: u64 = 86_400;

impl Period {
    pub const ZERO: Period = Period { months: 0, seconds: 0 };

    #[must_use]
    pub const fn days(days: u32) -> Period {
        Period { months: 0, seconds: days as u64 * DAY_SECONDS }
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self == Period::ZERO
    }

    /// The moment, in milliseconds since 1970 UTC, at which something from `from_ms` is this old.
    /// Months are calendar months of UTC; the 31st becomes the last day of a shorter month.
    /// Beyond the calendar's end (year 9999) it saturates: never due.
    #[must_use]
    pub fn due(self, from_ms: i64) -> i64 {
        let after_months = if self.months == 0 { Some(from_ms) } else { add_months(from_ms, self.months) };
        let ms = i64::try_from(self.seconds).ok().and_then(|seconds| seconds.checked_mul(1000));
        after_months.zip(ms).and_then(|(from, ms)| from.checked_add(ms)).unwrap_or(i64::MAX)
    }

    /// The fewest seconds the period can last, wherever in the calendar it starts: `1mo` → 28 days,
    /// `24mo` → 730 days. Walks the calendar's 400-year cycle: ask once, not per record.
    #[must_use]
    pub fn shortest_seconds(self) -> u64 {
        shortest_days(self.months) * DAY_SECONDS + self.seconds
    }
}

fn add_months(from_ms: i64, months: u32) -> Option<i64> {
    let start = jiff::Timestamp::from_millisecond(from_ms).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    let span = jiff::Span::new().try_months(months).ok()?;
    Some(start.checked_add(span).ok()?.timestamp().as_millisecond())
}

/// Fewest days that so many months can have; the due day is cut to the length of its month.
fn shortest_days(months: u32) -> u64 {
    /// Months in the Gregorian cycle, and its days.
    const CYCLE_MONTHS: u32 = 4800;
    const CYCLE_DAYS: u64 = 146_097;
    let cycles = u64::from(months / CYCLE_MONTHS);
    let rest = months % CYCLE_MONTHS;
    if rest == 0 {
        return cycles * CYCLE_DAYS;
    }
    let mut first_of_month = Vec::with_capacity(2 * CYCLE_MONTHS as usize + 1);
    let mut day = 0u64;
    for month in 0..=2 * CYCLE_MONTHS {
        first_of_month.push(day);
        day += month_days(month);
    }
    let mut shortest = u64::MAX;
    for start in 0..CYCLE_MONTHS {
        let end = start + rest;
        let (Some(from), Some(to)) = (first_of_month.get(start as usize), first_of_month.get(end as usize))
        else {
            continue;
        };
        // From the month's last day is the shortest where the end month has fewer days.
        let (start_days, end_days) = (month_days(start), month_days(end));
        shortest = shortest.min(to - from - start_days.saturating_sub(end_days));
    }
    cycles * CYCLE_DAYS + shortest
}

/// Days of the month, counted from January 2000.
fn month_days(month: u32) -> u64 {
    let year = month / 12 % 400;
    match month % 12 {
        1 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year == 0) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    /// One or more numbers with their units, largest unit first or not: `90d`, `1y6mo`.
    /// Units: `s`, `m` or `min` (minutes), `h`, `d`, `w`, `mo` (months), `y`.
    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        let mut period = Period::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(NotAPeriod);
        }
        while !rest.is_empty() {
            let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or(NotAPeriod)?;
            let (number, tail) = rest.split_at(unit_at);
            let next = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(next);
            let number: u32 = number.parse().map_err(|_| NotAPeriod)?;
            period.add(number, unit).ok_or(NotAPeriod)?;
            rest = tail;
        }
        Ok(period)
    }
}

impl Period {
    fn add(&mut self, number: u32, unit: &str) -> Option<()> {
        let (months, seconds) = match unit {
            "s" => (0, 1),
            "m" | "min" => (0, 60),
            "h" => (0, 3600),
            "d" => (0, DAY_SECONDS),
            "w" => (0, 7 * DAY_SECONDS),
            "mo" => (1, 0),
            "y" => (12, 0),
            _ => return None,
        };
        self.months = self.months.checked_add(number.checked_mul(months)?)?;
        self.seconds = self.seconds.checked_add(u64::from(number) * seconds)?;
        Some(())
    }
}

impl fmt::Display for Period {
    /// In the largest unit that fits without a rest, as topic names and messages write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.months {
            0 => {}
            months if months % 12 == 0 => write!(f, "{}y", months / 12)?,
            months => write!(f, "{months}mo")?,
        }
        match self.seconds {
            0 if self.months > 0 => Ok(()),
            0 => f.write_str("0d"),
            s if s % DAY_SECONDS == 0 => write!(f, "{}d", s / DAY_SECONDS),
            s if s % 3600 == 0 => write!(f, "{}h", s / 3600),
            s if s % 60 == 0 => write!(f, "{}min", s / 60),
            s => write!(f, "{s}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(time: &str) -> i64 {
        time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
    }

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn due_times_are_calendar_exact() {
        for (from, after, due) in [
            ("2024-01-31T10:00:00Z", "1mo", "2024-02-29T10:00:00Z"),
            ("2023-01-31T10:00:00Z", "1mo", "2023-02-28T10:00:00Z"),
            ("2024-02-29T00:00:00Z", "24mo", "2026-02-28T00:00:00Z"),
            ("2024-02-29T00:00:00Z", "4y", "2028-02-29T00:00:00Z"),
            ("2026-01-01T00:00:00.123Z", "90d", "2026-04-01T00:00:00.123Z"),
            ("2026-01-01T00:00:00Z", "0d", "2026-01-01T00:00:00Z"),
            ("1969-12-31T00:00:00Z", "40s", "1969-12-31T00:00:40Z"),
        ] {
            assert_eq!(period(after).due(ms(from)), ms(due), "{from} + {after}");
        }
        assert_eq!(period("7y").due(i64::MAX), i64::MAX);
        assert_eq!(period("4000000000mo").due(0), i64::MAX);
    }

    #[test]
    fn the_shortest_length_of_calendar_periods() {
        for (text, days) in [
            ("1mo", 28),
            ("2mo", 59),
            ("3mo", 89),
            ("12mo", 365),
            ("24mo", 730),
            ("7y", 2555),
            ("400y", 146_097),
            ("30d", 30),
        ] {
            assert_eq!(period(text).shortest_seconds(), days * DAY_SECONDS, "{text}");
        }
        assert_eq!(period("40s").shortest_seconds(), 40);
    }

    #[test]
    fn what_is_not_a_period_is_refused() {
        for text in ["", "30", "d", "30 d", "-1d", "1.5h", "30days", "99999999999d", "3０d", "1d-"] {
            assert_eq!(text.parse::<Period>(), Err(NotAPeriod), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(months in 0..5000u32, seconds in 0..1_000_000_000u64) {
            let period = Period { months, seconds };
            prop_assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        }

        #[test]
        fn due_is_never_earlier_than_the_shortest_length(months in 0..600u32, from in 0..4_000_000_000_000i64) {
            let period = Period { months, seconds: 0 };
            let shortest_ms = i64::try_from(period.shortest_seconds()).unwrap() * 1000;
            prop_assert!(period.due(from) - from >= shortest_ms);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC*") {
            let _ = text.parse::<Period>();
        }
    }
}

//! A record's time in the shapes logs write it, and the interval `gen` spreads records over.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use std::fmt::Write as _;

/// How a time is written. All in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// `2026-03-02T09:30:00.250Z`
    IsoMs,
    /// `2026-03-02T09:30:00.250000+00:00`
    IsoMicros,
    /// `2026-03-02T09:30:00Z`
    Iso,
    /// `2026-03-02 09:30:00`
    Space,
    /// `2026-03-02 09:30:00,250`
    SpaceComma,
    /// `2026-03-02 09:30:00.250`
    SpaceMs,
    /// `2026-03-02 09:30:00.250000`
    SpaceMicros,
    /// `2026/03/02 09:30:00`
    Slashes,
    /// `02/Mar/2026:09:30:00 +0000`
    Clf,
    /// `Mar  2 09:30:00`
    Syslog,
    /// `Mon, 02 Mar 2026 09:30:00 GMT`
    Http,
    /// `03-02 09:30:00.250`
    Logcat,
    /// `20260302093000`
    Compact,
    /// `02.03.2026 09:30:00`
    Dots,
    /// `2603020930`
    Minute,
    Seconds,
    Milliseconds,
    Nanoseconds,
    /// `1772443800.250`
    SecondsFraction,
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl TimeForm {
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "iso_ms" => TimeForm::IsoMs,
            "iso_us" => TimeForm::IsoMicros,
            "iso" => TimeForm::Iso,
            "space" => TimeForm::Space,
            "comma" => TimeForm::SpaceComma,
            "space_ms" => TimeForm::SpaceMs,
            "space_us" => TimeForm::SpaceMicros,
            "slashes" => TimeForm::Slashes,
            "clf" => TimeForm::Clf,
            "syslog" => TimeForm::Syslog,
            "http" => TimeForm::Http,
            "logcat" => TimeForm::Logcat,
            "compact" => TimeForm::Compact,
            "dots" => TimeForm::Dots,
            "minute" => TimeForm::Minute,
            "s" => TimeForm::Seconds,
            "ms" => TimeForm::Milliseconds,
            "ns" => TimeForm::Nanoseconds,
            "s_ms" => TimeForm::SecondsFraction,
            _ => return None,
        })
    }

    #[must_use]
    pub fn has_milliseconds(self) -> bool {
        match self {
            TimeForm::IsoMs
            | TimeForm::IsoMicros
            | TimeForm::SpaceComma
            | TimeForm::SpaceMs
            | TimeForm::SpaceMicros
            | TimeForm::Logcat
            | TimeForm::Milliseconds
            | TimeForm::Nanoseconds
            | TimeForm::SecondsFraction => true,
            TimeForm::Iso
            | TimeForm::Space
            | TimeForm::Slashes
            | TimeForm::Clf
            | TimeForm::Syslog
            | TimeForm::Http
            | TimeForm::Compact
            | TimeForm::Dots
            | TimeForm::Minute
            | TimeForm::Seconds => false,
        }
    }

    /// A bare count of seconds (or parts of one) since 1970.
    #[must_use]
    pub fn is_epoch(self) -> bool {
        matches!(
            self,
            TimeForm::Seconds | TimeForm::Milliseconds | TimeForm::Nanoseconds | TimeForm::SecondsFraction
        )
    }

    /// Appends the time, milliseconds since 1970.
    pub fn write(self, ms: i64, out: &mut String) {
        let at = Offset::UTC.to_datetime(Timestamp::from_millisecond(ms).unwrap_or_default());
        let (y, mo, d) = (at.year(), at.month(), at.day());
        let (h, mi, s, milli) = (at.hour(), at.minute(), at.second(), at.millisecond());
        let month = MONTHS.get(usize::from(mo.unsigned_abs()).wrapping_sub(1)).copied().unwrap_or("Jan");
        let _ = match self {
            TimeForm::IsoMs => write!(out, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{milli:03}Z"),
            TimeForm::IsoMicros => {
                write!(out, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{milli:03}000+00:00")
            }
            TimeForm::Iso => write!(out, "{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z"),
            TimeForm::Space => write!(out, "{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}"),
            TimeForm::SpaceComma => write!(out, "{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02},{milli:03}"),
            TimeForm::SpaceMs => write!(out, "{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{milli:03}"),
            TimeForm::SpaceMicros => write!(out, "{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{milli:03}000"),
            TimeForm::Slashes => write!(out, "{y:04}/{mo:02}/{d:02} {h:02}:{mi:02}:{s:02}"),
            TimeForm::Clf => write!(out, "{d:02}/{month}/{y:04}:{h:02}:{mi:02}:{s:02} +0000"),
            TimeForm::Syslog => write!(out, "{month} {d:>2} {h:02}:{mi:02}:{s:02}"),
            TimeForm::Http => {
                let day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
                    .get(at.weekday().to_monday_zero_offset().unsigned_abs() as usize)
                    .copied()
                    .unwrap_or("Mon");
                write!(out, "{day}, {d:02} {month} {y:04} {h:02}:{mi:02}:{s:02} GMT")
            }
            TimeForm::Logcat => write!(out, "{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}.{milli:03}"),
            TimeForm::Compact => write!(out, "{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}"),
            TimeForm::Dots => write!(out, "{d:02}.{mo:02}.{y:04} {h:02}:{mi:02}:{s:02}"),
            TimeForm::Minute => write!(out, "{:02}{mo:02}{d:02}{h:02}{mi:02}", y % 100),
            TimeForm::Seconds => write!(out, "{}", ms.div_euclid(1000)),
            TimeForm::Milliseconds => write!(out, "{ms}"),
            TimeForm::Nanoseconds => write!(out, "{ms}000000"),
            TimeForm::SecondsFraction => {
                write!(out, "{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
            }
        };
    }
}

/// A point in time on the command line, milliseconds since 1970: RFC 3339, a date, `now`, or a distance
/// from now like `-200d`, `-90s`, `+1h` (units s m h d w).
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_point(text: &str, now_ms: i64) -> Result<i64, String> {
    let wrong =
        || format!("`{text}` is no time: write RFC 3339, `2026-03-02`, `now`, or `-200d` (s m h d w)");
    if text == "now" {
        return Ok(now_ms);
    }
    if let Some(distance) = text.strip_prefix(['-', '+']) {
        let unit = distance.chars().last().ok_or_else(wrong)?;
        let number: i64 = distance.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 7 * 86_400,
            _ => return Err(wrong()),
        };
        let ms = number.checked_mul(seconds * 1000).ok_or_else(wrong)?;
        let ms = if text.starts_with('-') { now_ms.checked_sub(ms) } else { now_ms.checked_add(ms) };
        return ms.filter(|ms| Timestamp::from_millisecond(*ms).is_ok()).ok_or_else(wrong);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let at = Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).map_err(|_| wrong())?;
    Ok(at.as_millisecond())
}

/// Now, milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The made-up day that records fall on when nobody says otherwise: 2 March 2026, in milliseconds.
/// Fixed, so that a seed gives the same bytes on any day.
#[must_use]
pub fn default_interval() -> (i64, i64) {
    let day = SignedDuration::from_hours(24).as_millis();
    (1_772_409_600_000, 1_772_409_600_000 + i64::try_from(day).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_writes_the_same_instant() {
        let at = 1_772_443_800_250;
        let cases = [
            ("iso_ms", "2026-03-02T09:30:00.250Z"),
            ("iso_us", "2026-03-02T09:30:00.250000+00:00"),
            ("iso", "2026-03-02T09:30:00Z"),
            ("space", "2026-03-02 09:30:00"),
            ("comma", "2026-03-02 09:30:00,250"),
            ("space_ms", "2026-03-02 09:30:00.250"),
            ("space_us", "2026-03-02 09:30:00.250000"),
            ("slashes", "2026/03/02 09:30:00"),
            ("clf", "02/Mar/2026:09:30:00 +0000"),
            ("syslog", "Mar  2 09:30:00"),
            ("http", "Mon, 02 Mar 2026 09:30:00 GMT"),
            ("logcat", "03-02 09:30:00.250"),
            ("compact", "20260302093000"),
            ("dots", "02.03.2026 09:30:00"),
            ("minute", "2603020930"),
            ("s", "1772443800"),
            ("ms", "1772443800250"),
            ("ns", "1772443800250000000"),
            ("s_ms", "1772443800.250"),
        ];
        for (word, expected) in cases {
            let mut out = String::new();
            TimeForm::from_word(word).unwrap().write(at, &mut out);
            assert_eq!(out, expected, "{word}");
        }
    }

    #[test]
    fn points_in_time_are_read_and_what_is_none_is_refused() {
        let now = 1_772_443_800_000;
        for (text, expected) in [
            ("now", now),
            ("-200d", now - 200 * 86_400_000),
            ("-40s", now - 40_000),
            ("+2h", now + 7_200_000),
            ("2026-03-02T09:30:00Z", now),
            ("2026-03-02T10:30:00+01:00", now),
            ("2026-03-02", default_interval().0),
        ] {
            assert_eq!(parse_point(text, now), Ok(expected), "{text}");
        }
        for text in ["", "-", "-d", "-1y", "yesterday", "-9999999999999999w", "2026-13-01"] {
            assert!(parse_point(text, now).is_err(), "{text}");
        }
    }
}

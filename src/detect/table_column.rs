//! Rows of values without a header, in which one column plainly holds telephone numbers: valid ones in every row.
//! One random number of eleven digits in five is valid, in three rows one in more than a hundred.

use super::validate::not_epoch;
use crate::finding::{Detail, Span};
use crate::numbering;

const LEAST_ROWS: usize = 3;
const MOST_ROWS: usize = 4096;
const MOST_COLUMNS: usize = 32;
const SEPARATORS: [u8; 4] = *b",;|\t";

/// Calls `out` with every number in such a column.
pub fn numbers(text: &[u8], out: &mut dyn FnMut(Span, Detail)) {
    let Some(newline) = memchr::memchr(b'\n', text) else { return };
    let Some(first) = text.get(..newline) else { return };
    let Some(separator) = SEPARATORS.into_iter().find(|sign| first.contains(sign)) else { return };
    // A column's bit is set while all its values are numbers.
    let mut valid = u32::MAX;
    let (mut columns, mut count) = (0, 0);
    for row in rows(text) {
        let mut here = 0;
        for (place, value) in row.of(text).split(|b| *b == separator).enumerate() {
            if place >= MOST_COLUMNS {
                return;
            }
            if valid & (1 << place) != 0 && number(value.trim_ascii()).is_none() {
                valid &= !(1 << place);
            }
            here += 1;
        }
        if count > 0 && here != columns {
            return;
        }
        (columns, count) = (here, count + 1);
        if columns < 2 || valid & ((1 << (columns - 1)) | ((1 << (columns - 1)) - 1)) == 0 {
            return;
        }
    }
    if count < LEAST_ROWS {
        return;
    }
    for row in rows(text) {
        let mut at = row.start();
        for (place, value) in row.of(text).split(|b| *b == separator).enumerate() {
            if valid & (1 << place.min(MOST_COLUMNS - 1)) != 0
                && let Some(detail) = number(value.trim_ascii())
            {
                let start = at + value.len() - value.trim_ascii_start().len();
                out(Span::new(start, start + value.trim_ascii().len()), detail);
            }
            at += value.len() + 1;
        }
    }
}

/// The lines of a text that are not empty.
fn rows(text: &[u8]) -> impl Iterator<Item = Span> {
    let mut at = 0;
    let lines = text.split(|b| *b == b'\n').take(MOST_ROWS).map(move |line| {
        let span = Span::new(at, at + line.len());
        at += line.len() + 1;
        span
    });
    lines.filter(|span| !span.is_empty())
}

/// Ten digits or more that are valid with their calling code, and no time.
fn number(value: &[u8]) -> Option<Detail> {
    if !(10..=15).contains(&value.len()) || !value.iter().all(u8::is_ascii_digit) || !not_epoch::holds(value)
    {
        return None;
    }
    let number = numbering::international(value).filter(|number| number.is_valid())?;
    Some(Detail::CallingCode(number.calling_code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        numbers(text.as_bytes(), &mut |span, _| found.extend(text.get(span.start()..span.end())));
        found
    }

    #[test]
    fn a_column_of_numbers() {
        assert_eq!(
            found("1,14155550132,ok\n2,447400123456,ok\n3, 14155550133,late\n"),
            ["14155550132", "447400123456", "14155550133"]
        );
    }

    #[test]
    fn what_is_no_column_of_numbers() {
        for text in [
            "1,14155550132,ok\n2,447400123456,ok",
            "1,14155550132,ok\n2,447400123456,ok\n3,n/a,late",
            "1,14155550132,ok\n2,447400123456,ok\n3,14155550133",
            "1,1771286398123\n2,1771286399123\n3,1771286400123",
            "14155550132\n447400123456\n14155550133",
            "",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }
}

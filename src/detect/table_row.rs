//! Rows of values parted by commas, semicolons, bars or tabs, with no header at hand: call and message
//! detail records. What a column holds shows only in the company it keeps.

use super::safe;
use super::said::is_written;
use super::validate::not_epoch;
use super::written::is_known;
use crate::finding::{Detail, Span};
use crate::numbering;

/// Fewer columns are prose.
const LEAST_COLUMNS: usize = 6;
const MOST_COLUMNS: usize = 64;

/// A column of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Column {
    span: Span,
    quoted: bool,
}

/// What stands in a row.
pub enum Cell {
    Phone(Detail),
    /// Quoted text of several words.
    Text,
    /// Two to four words with capitals.
    Name,
}

/// Calls `out` for every cell of a row in `text` that holds a telephone number or a text. A number is taken
/// where it has a `+` or stands beside another column that is valid too, as sender and recipient do:
/// one random number of eleven digits in five is valid, two beside each other are one in twenty-five.
pub fn cells(text: &[u8], out: &mut dyn FnMut(Cell, Span)) {
    arguments(text, out);
    let mut from = 0;
    while let Some(rest) = text.get(from..) {
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..len).unwrap_or_default();
        row(line, &mut |cell, span| out(cell, Span::new(from + span.start(), from + span.end())));
        from += len + 1;
    }
}

fn row(line: &[u8], out: &mut dyn FnMut(Cell, Span)) {
    let Some(separator) = separator(line) else { return };
    let mut columns = [Column::default(); MOST_COLUMNS];
    let Some(count) = split(line, separator, &mut columns) else { return };
    let columns = columns.get(..count).unwrap_or_default();
    let number = |place: usize| columns.get(place).and_then(|column| phone(column.span.of(line)));
    let pair = best_pair(columns, line);
    let numbered = pair.is_some() || columns.iter().any(|column| is_marked(column.span.of(line)));
    let moved = || columns.iter().any(|column| is_way(column.span.of(line)));
    let lone = || {
        let least = if moved() { 10 } else { 11 };
        (0..columns.len()).any(|place| number(place).is_some_and(|found| found.digits >= least))
    };
    for (place, column) in columns.iter().enumerate() {
        let value = column.span.of(line);
        let worded = separator != b','
            && reads_like_text(value)
            && (numbered
                || (is_written(value) || moved()) && !is_known_text(value) && lone()
                || moved() && holds_a_code(value) && lone());
        if numbered && reads_like_name(value) {
            out(Cell::Name, column.span);
            continue;
        }
        if column.quoted && is_text(value) || worded {
            out(Cell::Text, column.span);
            continue;
        }
        let Some(found) = number(place) else { continue };
        let beside = pair.is_some_and(|first| place == first || place == first + 1);
        let least = if moved() { 10 } else { 11 };
        let lone = found.marked || (found.digits >= least && !has_pair(columns, line));
        if found.marked || beside || lone {
            out(Cell::Phone(found.detail), column.span);
        }
    }
}

/// `Sms(+4479…,4478…,see you, then,12)`: an object that prints its members without names. Numbers come first, and
/// what has words between them and the last ones is a text, commas in it or not.
fn arguments(line: &[u8], out: &mut dyn FnMut(Cell, Span)) {
    const LONGEST: usize = 2048;
    let mut from = 0;
    while let Some(open) = line.get(from..).and_then(|rest| memchr::memchr(b'(', rest)).map(|at| from + at) {
        from = open + 1;
        let named = open.checked_sub(1).and_then(|at| line.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        let rest = line.get(from..line.len().min(from + LONGEST)).unwrap_or_default();
        // Most brackets in prose have no comma behind their first word.
        let first = rest.iter().take(24).position(|b| *b == b',').and_then(|comma| rest.get(..comma));
        let Some(number) = first.filter(|_| named).and_then(phone) else { continue };
        let Some(close) = memchr::memrchr(b')', rest) else { continue };
        let inside = rest.get(..close).unwrap_or_default();
        if inside.iter().any(|b| matches!(b, b'=' | b'"' | b'\n')) {
            continue;
        }
        let mut text: Option<Span> = None;
        let mut at = from;
        for (place, value) in inside.split(|b| *b == b',').enumerate() {
            let span = Span::new(at, at + value.len());
            at += value.len() + 1;
            let found =
                if place == 0 { Some(number.detail) } else { phone(value.trim_ascii()).map(|f| f.detail) };
            match found {
                Some(detail) if text.is_none() => out(Cell::Phone(detail), span),
                _ if is_text(value) || text.is_some() && value.starts_with(b" ") => {
                    text = Some(Span { start: text.map_or(span.start, |text| text.start), end: span.end });
                }
                _ => {}
            }
        }
        if let Some(text) = text {
            out(Cell::Text, text);
        }
        from += close;
    }
}

struct Candidate {
    detail: Detail,
    digits: usize,
    /// Written with `+` or `00`.
    marked: bool,
}

/// The two columns beside each other that are sender and recipient most likely: ids that happen to be
/// valid numbers have no `+`, and mostly ten digits or fewer.
fn best_pair(columns: &[Column], line: &[u8]) -> Option<usize> {
    (0..columns.len())
        .filter_map(|place| Some((worth(columns, line, place)?, place)))
        .max_by_key(|(worth, place)| (*worth, std::cmp::Reverse(*place)))
        .map(|(_, place)| place)
}

/// How likely the column at a place and the next one are sender and recipient; `None` where one is no number.
fn worth(columns: &[Column], line: &[u8], place: usize) -> Option<usize> {
    let of_one = |place: usize| {
        let value = columns.get(place)?.span.of(line);
        let found = phone(value)?;
        let before = place.checked_sub(1).and_then(|before| columns.get(before));
        // `SMS-MT;330218840322;+66…;49…`: an id stands behind what happened; `330…` has a zero that nobody writes.
        let id = !found.marked
            && (before.is_some_and(|column| is_way(column.span.of(line))) || has_trunk_zero(value));
        Some(2 + 4 * usize::from(found.marked) + 2 * usize::from(found.digits >= 11) - usize::from(id))
    };
    Some(of_one(place)? + of_one(place + 1)?)
}

/// `MO`, `SMS-MT`, `sms`: what gateways call a message's way.
fn is_way(value: &[u8]) -> bool {
    value.len() <= 12
        && value
            .split(|b| matches!(b, b'-' | b'_'))
            .any(|word| matches!(word, b"MO" | b"MT" | b"SMS" | b"mo" | b"mt" | b"sms"))
}

/// Whether a zero stands behind the calling code, as it does in no number that machines write; Italy and some African
/// countries have such numbers.
fn has_trunk_zero(value: &[u8]) -> bool {
    numbering::split_calling_code(value).is_some_and(|(code, len)| {
        value.get(len) == Some(&b'0') && !matches!(code, 39 | 225 | 229 | 241 | 242 | 378)
    })
}

/// Whether the line of `at` is a row in which other columns are plainly sender and recipient.
#[must_use]
pub fn has_another_pair(text: &[u8], at: usize) -> bool {
    let from = text.get(at.saturating_sub(HEAD)..at).unwrap_or_default();
    let start = at - from.iter().rev().take_while(|b| **b != b'\n').count();
    let rest = text.get(start..text.len().min(at + HEAD)).unwrap_or_default();
    let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
    let mut columns = [Column::default(); MOST_COLUMNS];
    let Some(count) = separator(line).and_then(|sign| split(line, sign, &mut columns)) else { return false };
    let columns = columns.get(..count).unwrap_or_default();
    let Some(first) = best_pair(columns, line) else { return false };
    let marked = |place: usize| columns.get(place).is_some_and(|column| is_marked(column.span.of(line)));
    let own = columns.iter().position(|column| column.span.contains(Span::new(at - start, at - start + 1)));
    let touched = own.is_some_and(|own| (first..=first + 1).contains(&own));
    (marked(first) || marked(first + 1)) && own.is_some() && !touched
}

fn has_pair(columns: &[Column], line: &[u8]) -> bool {
    // Columns that were scrubbed before count as what they were.
    columns.iter().any(|column| column.span.of(line).starts_with(b"[PHONE"))
        || columns.windows(2).any(|pair| pair.iter().all(|column| phone(column.span.of(line)).is_some()))
}

fn phone(value: &[u8]) -> Option<Candidate> {
    let plus = value.strip_prefix(b"+");
    let zeros = value.strip_prefix(b"00");
    let digits = plus.or(zeros).unwrap_or(value);
    if !(7..=15).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let marked = plus.is_some() || zeros.is_some();
    let number = numbering::international(digits);
    let valid = number.is_some_and(|number| number.is_valid());
    if !marked && (!valid || digits.len() < 9 || !not_epoch::holds(value)) {
        return None;
    }
    let detail =
        numbering::split_calling_code(digits).map_or(Detail::None, |(code, _)| Detail::CallingCode(code));
    Some(Candidate { detail, digits: digits.len(), marked })
}

/// Splits a row; `None` where the line is none: fewer than six columns, or spaces outside quotes.
fn split(line: &[u8], separator: u8, columns: &mut [Column; MOST_COLUMNS]) -> Option<usize> {
    let mut count = 0;
    let mut pos = 0;
    loop {
        let quoted = line.get(pos) == Some(&b'"');
        let (start, end, next) = if quoted {
            let close = closing_quote(line, pos + 1)?;
            (pos + 1, close, close + 1)
        } else {
            let rest = line.get(pos..)?;
            let len = rest.iter().position(|b| *b == separator).unwrap_or(rest.len());
            let value = rest.get(..len)?;
            let spaces = value.iter().filter(|b| **b == b' ').count();
            // Only commas are written in prose.
            if separator == b',' && spaces > 2 || separator != b'\t' && value.contains(&b'=') {
                return None;
            }
            (pos, pos + len, pos + len)
        };
        *columns.get_mut(count)? = Column { span: Span::new(start, end), quoted };
        count += 1;
        match line.get(next) {
            Some(byte) if *byte == separator => pos = next + 1,
            None | Some(b'\r' | b'\n') => break,
            Some(_) => return None,
        }
    }
    (count >= LEAST_COLUMNS).then_some(count)
}

const SEPARATORS: [u8; 4] = *b",;|\t";
/// How far a row is looked through for what parts it: fewer bytes than a lane of [`LANES`] counts to.
const HEAD: usize = 512;

/// Counts the separators, sixteen bits each, in one sum.
static LANES: [u64; 256] = lanes();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn lanes() -> [u64; 256] {
    let mut table = [0; 256];
    let mut lane = 0;
    while lane < SEPARATORS.len() {
        table[SEPARATORS[lane] as usize] = 1 << (16 * lane);
        lane += 1;
    }
    table
}

fn separator(line: &[u8]) -> Option<u8> {
    let head = line.get(..line.len().min(HEAD))?;
    // Most lines have fewer signs of all four than a row has of one.
    let mut signs = memchr::memchr3_iter(b',', b';', b'|', head);
    if signs.nth(LEAST_COLUMNS - 2).is_none() && memchr::memchr(b'\t', head).is_none() {
        return None;
    }
    let lane = |byte: &u8| LANES.get(usize::from(*byte)).copied().unwrap_or(0);
    let counts: u64 = head.iter().map(lane).sum();
    let counts = counts.to_le_bytes();
    let (counts, _) = counts.as_chunks::<2>();
    counts
        .iter()
        .map(|count| usize::from(u16::from_le_bytes(*count)))
        .zip(SEPARATORS)
        .filter(|(count, _)| *count + 1 >= LEAST_COLUMNS)
        .max_by_key(|(count, _)| *count)
        .map(|(_, separator)| separator)
}

/// RFC 4180: a quote inside is doubled.
fn closing_quote(line: &[u8], mut pos: usize) -> Option<usize> {
    loop {
        let at = pos + memchr::memchr(b'"', line.get(pos..)?)?;
        if line.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        pos = at + 2;
    }
}

/// A number with `+`, or what was put for one.
fn is_marked(value: &[u8]) -> bool {
    value.starts_with(b"[PHONE") || phone(value).is_some_and(|found| found.marked)
}

/// Whether a text is in words that programs log.
fn is_known_text(value: &[u8]) -> bool {
    value.is_ascii() && value.split(|b| *b == b' ').filter(|word| is_known(word)).count() >= 3
}

/// `482913 is your code.`, `Acme: enter 482913 to log in.`: several words and a code, where what programs log begins
/// with a small letter.
fn holds_a_code(value: &[u8]) -> bool {
    let code = |word: &[u8]| {
        let word = word.strip_suffix(b".").or_else(|| word.strip_suffix(b",")).unwrap_or(word);
        (4..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_digit)
    };
    value.first().is_some_and(|b| !b.is_ascii_lowercase())
        && value.iter().filter(|b| **b == b' ').count() >= 4
        && value.split(|b| *b == b' ').any(code)
}

/// `[Brand] your code …`, no list and no object.
fn begins_with_a_bracketed_word(value: &[u8]) -> bool {
    let inside = value.strip_prefix(b"[").unwrap_or_default();
    let len = memchr::memchr2(b']', b'=', inside.get(..inside.len().min(32)).unwrap_or_default());
    len.is_some_and(|len| inside.get(len..).is_some_and(|rest| rest.starts_with(b"] ")))
        && inside.first().is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80)
}

/// Several words without quotes, in a row with numbers: no date, no product, no line of fields.
fn reads_like_text(value: &[u8]) -> bool {
    let spaces = value.iter().filter(|b| **b == b' ').count();
    let high = value.iter().filter(|b| **b >= 0x80).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let tag = value.first() == Some(&b'<') && !value.starts_with(b"<#>");
    let list = value.first() == Some(&b'[') && !begins_with_a_bracketed_word(value);
    let technical = value.contains(&b'=') || tag || list || matches!(value.first(), Some(b'{' | b'/'));
    is_text(value) && !technical && (high >= 4 || spaces >= 2 && letters >= 6)
}

/// `Ada Roe`, `K. Ray`, `Пётр Иванов`: two to four words of letters, each with a capital.
pub(super) fn reads_like_name(value: &[u8]) -> bool {
    let mut words = 0;
    let named = value.split(|b| *b == b' ').all(|word| {
        words += 1;
        let first = word.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        let shouted = word.len() > 2 && word.iter().all(u8::is_ascii_uppercase);
        first.is_some_and(char::is_uppercase)
            && !shouted
            && word.iter().all(|b| b.is_ascii_alphabetic() || *b >= 0x80 || matches!(b, b'.' | b'-' | b'\''))
            && !safe::is_log_word(word)
    });
    named && (2..=4).contains(&words) && value.len() <= 60
}

fn is_text(value: &[u8]) -> bool {
    let high = value.iter().any(|b| *b >= 0x80);
    let spaces = value.iter().filter(|b| **b == b' ').count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let technical = value.starts_with(b"Mozilla/") || value.starts_with(b"http");
    !technical && (high || (spaces >= 1 && letters >= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &[&str]) {
        let mut got = Vec::new();
        cells(line.as_bytes(), &mut |_, span| {
            got.push(String::from_utf8_lossy(span.of(line.as_bytes())).into_owned())
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn objects_without_names() {
        check(
            "got Sms(+14155550132,14155550133,see you, then,12) in 3 ms",
            &["+14155550132", "14155550133", "see you, then"],
        );
        check("f(1771286398, 12, a b)", &[]);
        check("took (14155550132, 3 ms)", &[]);
    }

    #[test]
    fn rows() {
        check(
            "MT,1771286398,7,14155550132,14155550133,8,2,\"see you \"\"there\"\"\"",
            &["14155550132", "14155550133", "see you \"\"there\"\""],
        );
        check("MT;x;+14155550132;a;b;c", &["+14155550132"]);
        check(
            "2026-03-02 10:11:12\tMO\t14155550132\t14155550133\tsee you there\t200\t12",
            &["14155550132", "14155550133", "see you there"],
        );
        check(
            "2026-03-02|MO|14155550132|14155550133|ab12|see you there|DELIVRD|12",
            &["14155550132", "14155550133", "see you there"],
        );
        check("2026-03-02\tINFO\tsend.go:88\tmessage was sent\ta b c\t12", &[]);
        check("a,b,c,1771286398,1771286399,f", &[]);
        check("sent to a, b, c, d, e, f and 14155550132 others are waiting", &[]);
    }
}

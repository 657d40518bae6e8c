//! What looks like a verification code: the cheap scan that comes before any word is looked up.

use crate::detect::refusal::Refusal;
use crate::detect::safe::is_measure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Four to ten digits, split or not.
    Digits,
    /// Four digits that read as a year since 1900.
    Year,
    /// `G-123456`.
    Prefixed,
    /// Capitals and digits.
    Mixed,
    /// Capitals alone in two groups of four, as WhatsApp pairs devices: `ABCD-EFGH`.
    Paired,
    /// Small letters and digits: only right after its word.
    Weak,
}

#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub start: usize,
    pub end: usize,
    pub shape: Shape,
    /// `#482913` after `@host`.
    pub bound: bool,
    pub refused: Option<Refusal>,
    pub taken: bool,
}

/// Candidates judged together.
const BATCH: usize = 64;

/// Length in bytes of the digit that `text` begins with, in any of the scripts that messages use.
pub fn digit(text: &[u8]) -> Option<usize> {
    match text {
        [b'0'..=b'9', ..] => Some(1),
        // Arabic-Indic, Persian, N'Ko
        [0xD9, 0xA0..=0xA9, ..] | [0xDB, 0xB0..=0xB9, ..] => Some(2),
        // Devanagari, Bengali, Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam, Thai, Lao,
        // Burmese, Khmer, full-width
        [0xE0, 0xA5 | 0xA7 | 0xA9 | 0xAB | 0xAD | 0xAF | 0xB1 | 0xB3 | 0xB5, 0xA6..=0xAF, ..]
        | [0xE0, 0xB9 | 0xBB, 0x90..=0x99, ..]
        | [0xE1, 0x81, 0x80..=0x89, ..]
        | [0xE1, 0x9F, 0xA0..=0xA9, ..]
        | [0xEF, 0xBC, 0x90..=0x99, ..] => Some(3),
        _ => None,
    }
}

/// A run of letters, digits and inner hyphens.
#[derive(Clone, Copy, Debug, Default)]
struct Token {
    start: usize,
    end: usize,
    digits: usize,
    capitals: usize,
    smalls: usize,
    /// Lengths of the hyphen's parts, in characters; more than six parts are no code.
    parts: [u8; 8],
    part_count: usize,
    /// Letters before the first hyphen only.
    letters_first: bool,
}

fn token(text: &[u8], start: usize) -> Token {
    let mut token = Token { start, end: start, ..Token::default() };
    let mut at = start;
    let mut part = 0u8;
    let mut part_letters = 0u8;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let len = match rest {
            [b'A'..=b'Z', ..] => {
                token.capitals += 1;
                part_letters = part_letters.saturating_add(1);
                1
            }
            [b'a'..=b'z', ..] => {
                token.smalls += 1;
                part_letters = part_letters.saturating_add(1);
                1
            }
            [b'-', next, ..] if part > 0 && (next.is_ascii_alphanumeric() || *next >= 0x80) => {
                if digit(rest.get(1..).unwrap_or_default()).is_none() && !next.is_ascii_alphabetic() {
                    break;
                }
                token.letters_first |= token.part_count == 0 && part_letters == part;
                token.close(part);
                part = 0;
                part_letters = 0;
                at += 1;
                continue;
            }
            _ => match digit(rest) {
                Some(len) => {
                    token.digits += 1;
                    len
                }
                None => break,
            },
        };
        part = part.saturating_add(1);
        at += len;
        token.end = at;
    }
    token.close(part);
    token
}

impl Token {
    fn close(&mut self, part: u8) {
        if let Some(place) = self.parts.get_mut(self.part_count) {
            *place = part;
        }
        self.part_count += 1;
    }

    fn parts(&self) -> &[u8] {
        self.parts.get(..self.part_count).unwrap_or_default()
    }

    fn letters(&self) -> usize {
        self.capitals + self.smalls
    }

    fn shape(&self, text: &[u8]) -> Option<Shape> {
        let all = self.digits + self.letters();
        match self.parts() {
            [_] if self.letters() == 0 => match self.digits {
                4 if matches!(text.get(self.start..self.start + 2), Some(b"19" | b"20")) => Some(Shape::Year),
                4..=10 => Some(Shape::Digits),
                _ => None,
            },
            [4..=10] if self.digits > 0 && self.smalls == 0 => Some(Shape::Mixed),
            // `10637ms`, `3860k`
            [5..=10] if self.smalls == 1 && text.get(self.end - 1) == Some(&b'k') => None,
            [5..=10] if self.smalls > 0 && is_measure(text.get(self.start..self.end).unwrap_or_default()) => {
                None
            }
            [5..=10] if self.digits > 1 => Some(Shape::Weak),
            [1..=4, 4..=8] if self.letters_first && self.smalls == 0 && all > self.letters() => {
                let paired = self.parts() == [4, 4];
                match self.digits == usize::from(self.parts[1]) {
                    true => Some(Shape::Prefixed),
                    false => paired.then_some(Shape::Mixed),
                }
            }
            [3, 3] | [4, 4] | [2, 2, 2] | [3, 3, 3] if self.letters() == 0 => Some(Shape::Digits),
            [3, 3] | [4, 4] if self.smalls == 0 && self.digits > 0 => Some(Shape::Mixed),
            [4, 4] if self.smalls == 0 => Some(Shape::Paired),
            parts if parts.len() >= 4 && parts.len() <= 8 && parts.iter().all(|len| *len == 1) => {
                (self.letters() == 0).then_some(Shape::Digits)
            }
            _ => None,
        }
    }
}

/// Gathers the next batch of candidates from `at`; where to go on.
pub fn collect(text: &[u8], mut at: usize, out: &mut Vec<Candidate>) -> usize {
    let first_reach = |out: &Vec<Candidate>| out.first().map_or(usize::MAX, |c| c.start.saturating_add(4096));
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let starts = rest.first().is_some_and(u8::is_ascii_alphabetic) || digit(rest).is_some();
        if !starts {
            at += 1;
            continue;
        }
        let found = token(text, at);
        if found.end > first_reach(out) || out.len() >= BATCH {
            return at;
        }
        at = found.end.max(at + 1);
        if found.digits == 0 && found.part_count < 2 {
            continue;
        }
        let (whole, end) = spaced(text, &found);
        if let Some(shape) = whole.or_else(|| found.shape(text))
            && stands_alone(text, found.start, end)
        {
            at = at.max(end);
            let bound = text.get(..found.start).is_some_and(is_bound);
            out.push(Candidate { start: found.start, end, shape, bound, refused: None, taken: false });
        }
    }
    at
}

/// `123 456`, `12 34 56`, `1 2 3 4 5 6`: groups of one length with one space between.
fn spaced(text: &[u8], first: &Token) -> (Option<Shape>, usize) {
    let plain = (None, first.end);
    if first.letters() > 0 || first.part_count != 1 || first.digits > 4 {
        return plain;
    }
    let before = text.get(..first.start).unwrap_or_default();
    if let [.., last, b' '] = before
        && last.is_ascii_digit()
    {
        return plain;
    }
    let mut end = first.end;
    let mut groups = 1;
    while groups < 9 {
        let gap = match text.get(end..) {
            Some([b' ', ..]) => 1,
            Some([0xC2, 0xA0, ..]) => 2,
            Some([0xE2, 0x80, 0xAF, ..]) => 3,
            _ => break,
        };
        let next = token(text, end + gap);
        if next.digits == 0 || next.letters() > 0 || next.part_count != 1 {
            break;
        }
        if next.digits != first.digits {
            // a longer or shorter group belongs to a phone number or an amount, a short one to a unit
            if next.digits > 2 {
                return plain;
            }
            break;
        }
        end = next.end;
        groups += 1;
    }
    match (first.digits, groups) {
        (3, 2 | 3) | (4, 2) | (2, 3) | (1, 4..=8) => (Some(Shape::Digits), end),
        _ => plain,
    }
}

/// `@host #482913`, as origin-bound codes are written.
fn is_bound(before: &[u8]) -> bool {
    let [line @ .., b' ', b'#'] = before else { return false };
    let from = line.iter().rposition(|byte| byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
    line.get(from..).is_some_and(|host| host.len() > 3 && host.starts_with(b"@") && host.contains(&b'.'))
}

/// Whether nothing around the token makes it a part of something else: a path, an address, a decimal,
/// a time, a date, a telephone number.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let left = match before {
        [.., b'_' | b'/' | b'\\' | b'@' | b'+' | b'-' | b'%' | b'~' | b'^'] => false,
        [.., last, b'.'] => !last.is_ascii_alphanumeric(),
        [.., last, b',' | b':'] => !last.is_ascii_digit(),
        [.., b'.'] => false,
        // `*384*7933#`, which a telephone dials; `object(Otp)#1870`, an object's handle
        [.., last, b'*'] => !(last.is_ascii_digit() || matches!(last, b'*' | b'=' | b' ')),
        [.., b')', b'#'] => false,
        _ => true,
    };
    let right = match after {
        [b'_' | b'/' | b'\\' | b'@' | b'%' | b'^', ..] => false,
        [b',', next, ..] if next.is_ascii_digit() => end - start >= 4 && is_minutes(after),
        [b'.' | b',' | b':', next, ..] => !next.is_ascii_alphanumeric() || (*next).is_ascii_alphabetic(),
        [0xC2, 0xB0, ..] => false,
        _ => true,
    };
    // `sms.Otp[45630]:`, a process; `otp-events[2110]@27322`, a partition; `I/flutter (61552):`, an app's process
    let logcat = matches!(before, [.., last, b' ', b'('] if last.is_ascii_alphanumeric())
        && matches!(after, [b')', b':', ..])
        && before.iter().rev().skip(2).take(32).take_while(|b| **b != b' ').any(|b| *b == b'/');
    let process = matches!(before, [.., last, b'['] if last.is_ascii_alphanumeric())
        && matches!(after, [b']'] | [b']', b':' | b'\n' | b'\r' | b' ' | b'@', ..]);
    left && right
        && !process
        && !logcat
        && !is_in_number(before, text.get(start..end).unwrap_or_default(), after)
}

/// `660214,5分钟内有效`, `660214,10 minutes`: how long a code is good for, behind a comma that makes no decimal.
fn is_minutes(after: &[u8]) -> bool {
    let behind = after.get(1..).unwrap_or_default();
    let digits = behind.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let unit = behind.get(digits..).unwrap_or_default();
    let word = unit.strip_prefix(b" ").unwrap_or(unit);
    (1..=3).contains(&digits)
        && (unit.first().is_some_and(|b| *b >= 0x80)
            || ["min", "Min", "sec", "sek", "мин", "хв", "сек"]
                .iter()
                .any(|own| word.starts_with(own.as_bytes())))
}

/// Whether the digits around make a longer number of it: `+351 (0)912 …`, `040 123 25 97`.
fn is_in_number(before: &[u8], own: &[u8], after: &[u8]) -> bool {
    const REACH: usize = 24;
    let joins = |byte: &u8| {
        byte.is_ascii_digit()
            || matches!(byte, b' ' | b'-' | b'(' | b')' | b'.' | 0xC2 | 0xA0 | 0xE2 | 0x80..=0x8F | 0xAF)
    };
    let mut left = 0;
    for byte in before.iter().rev().take(REACH) {
        if *byte == b'+' {
            return left > 0;
        }
        if !joins(byte) {
            break;
        }
        left += usize::from(byte.is_ascii_digit());
    }
    // `40054 (3269 tries left)`: what stands in brackets with words is no part of it.
    let bracket = after.iter().take(REACH).position(|byte| *byte == b'(').filter(|open| {
        let inside = after.get(open + 1..).unwrap_or_default().iter().find(|byte| !joins(byte));
        matches!(inside, Some(byte) if byte.is_ascii_alphabetic())
    });
    let reach = bracket.unwrap_or(REACH);
    let right =
        after.iter().take(reach).take_while(|byte| joins(byte)).filter(|byte| byte.is_ascii_digit()).count();
    let own = own.iter().filter(|byte| byte.is_ascii_digit()).count();
    // one or two digits behind it are the minutes it is valid for
    let right = if left == 0 && right <= 2 { 0 } else { right };
    left + right > 0 && left + own + right >= 9
}

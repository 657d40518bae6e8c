//! Characters of written numbers: digits of every script, plus signs, separators, invisible ones.
//! Offsets are bytes into the text.

/// Digits a scan holds; more than any number has, so that "too long" can be seen.
pub(super) const CAPACITY: usize = 20;

/// Visible separator characters that may stand between two digits of one number.
const MAX_VISIBLE: u8 = 3;
/// Invisible characters that may.
const MAX_INVISIBLE: u8 = 8;

/// One character as a number writer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Digit(u8),
    Plus,
    Space,
    Dash,
    Dot,
    Slash,
    Open,
    Close,
    /// Zero-width, soft hyphen, directional mark: on nobody's screen.
    Invisible,
    Other,
}

/// What stands before a digit within a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing, or invisible characters only.
    None,
    Space,
    Dash,
    Dot,
    Slash,
    /// An opening or closing parenthesis, perhaps with more.
    Paren,
    /// More than one kind.
    Mixed,
}

/// A run of digits with separators, read from one place onwards.
pub(super) struct Scan {
    digits: [u8; CAPACITY],
    gaps: [Gap; CAPACITY],
    ends: [usize; CAPACITY],
    /// Whether the digit stands in parentheses that close further on.
    inside: [bool; CAPACITY],
    len: usize,
    /// Whether the first parenthesis stands before the first digit.
    pub opened: bool,
    /// Digits go on beyond the capacity.
    pub more: bool,
}

/// The sign at `pos` and its length in bytes; `None` at the end.
pub(super) fn sign_at(text: &[u8], pos: usize) -> Option<(Sign, usize)> {
    let byte = *text.get(pos)?;
    Some(match byte {
        b'0'..=b'9' => (Sign::Digit(byte), 1),
        b'+' => (Sign::Plus, 1),
        b' ' => (Sign::Space, 1),
        b'-' | b'~' => (Sign::Dash, 1),
        b'.' => (Sign::Dot, 1),
        b'/' => (Sign::Slash, 1),
        b'(' => (Sign::Open, 1),
        b')' => (Sign::Close, 1),
        b'%' => percent(text.get(pos..).unwrap_or_default()),
        0..=0x7F => (Sign::Other, 1),
        _ => {
            let (point, len) = decode(text, pos);
            (wide(point), len)
        }
    })
}

/// `%2B`, `%20` and the like, and `%252B` from a URL that was encoded twice.
fn percent(rest: &[u8]) -> (Sign, usize) {
    let twice = rest.starts_with(b"%25");
    let hex = if twice { rest.get(3..5) } else { rest.get(1..3) };
    let sign = match hex {
        Some(b"2B" | b"2b") => Sign::Plus,
        Some(b"20") => Sign::Space,
        Some(b"2D" | b"2d") => Sign::Dash,
        Some(b"28") => Sign::Open,
        Some(b"29") => Sign::Close,
        Some(_) | None => return (Sign::Other, 1),
    };
    (sign, if twice { 5 } else { 3 })
}

/// The code point at `pos` and its length; 0xFFFD and one byte where it is no UTF-8.
pub(super) fn decode(text: &[u8], pos: usize) -> (u32, usize) {
    let byte = |n: usize| text.get(pos + n).copied().map_or(0, u32::from);
    let tail = |n: usize| byte(n) & 0xC0 == 0x80;
    let low = |n: usize| byte(n) & 0x3F;
    match byte(0) {
        first @ 0..=0x7F => (first, 1),
        first @ 0xC2..=0xDF if tail(1) => ((first & 0x1F) << 6 | low(1), 2),
        first @ 0xE0..=0xEF if tail(1) && tail(2) => ((first & 0x0F) << 12 | low(1) << 6 | low(2), 3),
        first @ 0xF0..=0xF4 if tail(1) && tail(2) && tail(3) => {
            ((first & 0x07) << 18 | low(1) << 12 | low(2) << 6 | low(3), 4)
        }
        _ => (0xFFFD, 1),
    }
}

/// Zeros of the decimal digits that Unicode has (general category Nd), sorted; nine more follow each.
const ZEROS: [u32; 40] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0,
    0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50,
    0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x11066, 0x1E950, 0x1FBF0,
];

/// Mathematical digits: five alphabets of ten, one after the other.
const MATHEMATICAL: std::ops::RangeInclusive<u32> = 0x1D7CE..=0x1D7FF;

fn wide(point: u32) -> Sign {
    match point {
        0xFF0B | 0xFE62 => Sign::Plus,
        0xA0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => Sign::Space,
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 | 0xFF0D | 0x30FC | 0x2053 | 0x223C | 0xFF5E => Sign::Dash,
        0xB7 | 0xFF0E => Sign::Dot,
        0xFF0F => Sign::Slash,
        0xFF08 => Sign::Open,
        0xFF09 => Sign::Close,
        0xAD
        | 0x34F
        | 0x180E
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x2064
        | 0x2066..=0x2069
        | 0xFE0F
        | 0xFEFF
        | 0x20E3 => Sign::Invisible,
        point if MATHEMATICAL.contains(&point) => ascii((point - 0x1D7CE) % 10),
        point => {
            let below = ZEROS.partition_point(|zero| *zero <= point);
            match below.checked_sub(1).and_then(|n| ZEROS.get(n)) {
                Some(zero) if point - zero < 10 => ascii(point - zero),
                _ => Sign::Other,
            }
        }
    }
}

fn ascii(value: u32) -> Sign {
    Sign::Digit(b'0' + u8::try_from(value).unwrap_or_default())
}

impl Scan {
    /// Reads digits and separators from `pos`, which is at a digit or at an opening parenthesis before
    /// one. Bounded: at most [`CAPACITY`] digits.
    pub(super) fn new(text: &[u8], pos: usize) -> Scan {
        Scan::read(text, pos, 0)
    }

    /// As [`Scan::new`], where `pos` is the first digit in a parenthesis that is open already.
    pub(super) fn behind_parenthesis(text: &[u8], pos: usize) -> Scan {
        Scan::read(text, pos, 1)
    }

    fn read(text: &[u8], pos: usize, mut depth: u8) -> Scan {
        let mut scan = Scan {
            digits: [0; CAPACITY],
            gaps: [Gap::None; CAPACITY],
            ends: [pos; CAPACITY],
            inside: [false; CAPACITY],
            len: 0,
            opened: false,
            more: false,
        };
        let mut at = pos;
        let (mut visible, mut invisible) = (0u8, 0u8);
        let mut gap = Gap::None;
        while let Some((sign, len)) = sign_at(text, at) {
            let kind = match sign {
                Sign::Digit(digit) => {
                    if scan.len == CAPACITY {
                        scan.more = gap == Gap::None;
                        break;
                    }
                    scan.push(digit, gap, at + len, depth);
                    (visible, invisible, gap) = (0, 0, Gap::None);
                    at += len;
                    continue;
                }
                Sign::Invisible => {
                    invisible += 1;
                    if invisible > MAX_INVISIBLE {
                        break;
                    }
                    at += len;
                    continue;
                }
                Sign::Space => Gap::Space,
                Sign::Dash => Gap::Dash,
                Sign::Dot => Gap::Dot,
                Sign::Slash => Gap::Slash,
                Sign::Open if depth == 0 => {
                    depth = 1;
                    scan.opened |= scan.len == 0;
                    Gap::Paren
                }
                Sign::Close if depth == 1 => {
                    depth = 0;
                    if gap == Gap::None {
                        scan.close(at + len);
                    }
                    Gap::Paren
                }
                Sign::Open | Sign::Close | Sign::Plus | Sign::Other => break,
            };
            visible += 1;
            if visible > MAX_VISIBLE {
                break;
            }
            gap = match (gap, kind) {
                (Gap::None, kind) => kind,
                (Gap::Paren, Gap::Space | Gap::Dash) | (Gap::Space | Gap::Dash, Gap::Paren) => Gap::Paren,
                (old, kind) if old == kind => kind,
                _ => Gap::Mixed,
            };
            at += len;
        }
        scan
    }

    fn push(&mut self, digit: u8, gap: Gap, end: usize, depth: u8) {
        let n = self.len;
        if let (Some(d), Some(g), Some(e), Some(i)) =
            (self.digits.get_mut(n), self.gaps.get_mut(n), self.ends.get_mut(n), self.inside.get_mut(n))
        {
            (*d, *g, *e, *i) = (digit, gap, end, depth > 0);
            self.len += 1;
        }
    }

    /// A closing parenthesis right behind the last digit belongs to it.
    fn close(&mut self, end: usize) {
        let last = self.len.wrapping_sub(1);
        if let (Some(e), Some(i)) = (self.ends.get_mut(last), self.inside.get_mut(last)) {
            (*e, *i) = (end, false);
        }
    }

    pub(super) fn digits(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }

    /// The first `n` digits.
    pub(super) fn first(&self, n: usize) -> &[u8] {
        self.digits.get(..n.min(self.len)).unwrap_or_default()
    }

    /// What stands before digit `n` (from 0); `None` at the end of the digits too.
    pub(super) fn gap(&self, n: usize) -> Gap {
        if n < self.len { self.gaps.get(n).copied().unwrap_or(Gap::None) } else { Gap::None }
    }

    /// Byte offset behind the first `n` digits, a parenthesis that closes there included.
    pub(super) fn end(&self, n: usize) -> usize {
        n.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default()
    }

    /// How many digits stand before the first visible separator.
    pub(super) fn run(&self) -> usize {
        (1..self.len).find(|n| self.gap(*n) != Gap::None).unwrap_or(self.len)
    }

    /// Digit counts at which a number could end, longest first: before a visible separator, and not
    /// within parentheses.
    pub(super) fn stops(&self) -> impl Iterator<Item = usize> + '_ {
        (1..=self.len).rev().filter(|n| {
            let inside = self.inside.get(n - 1).copied().unwrap_or_default();
            !inside && (*n == self.len || self.gap(*n) != Gap::None)
        })
    }

    /// Lengths of the groups among the first `n` digits, and how many groups there are.
    pub(super) fn groups(&self, n: usize) -> ([u8; CAPACITY], usize) {
        let mut lengths = [0; CAPACITY];
        let mut group = 0;
        for place in 0..n.min(self.len) {
            if place > 0 && self.gap(place) != Gap::None {
                group += 1;
            }
            if let Some(length) = lengths.get_mut(group) {
                *length += 1;
            }
        }
        (lengths, if n == 0 { 0 } else { group + 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Vec<usize>) {
        let scan = Scan::new(text.as_bytes(), 0);
        let digits = String::from_utf8(scan.digits().to_vec()).unwrap();
        (digits, scan.stops().map(|n| scan.end(n)).collect())
    }

    #[test]
    fn separators_and_scripts() {
        assert_eq!(read("415-555 0132x"), ("4155550132".into(), vec![12, 7, 3]));
        assert_eq!(read("(415) 555-0132)"), ("4155550132".into(), vec![14, 9, 5]));
        assert_eq!(read("49 (0)30 1"), ("490301".into(), vec![10, 8, 6, 2]));
        assert_eq!(read("415 (2"), ("4152".into(), vec![3]));
        assert_eq!(read("٤١٥\u{200b}۵٥"), ("41555".into(), vec![13]));
        assert_eq!(read("𝟜\u{ad}１%20२"), ("412".into(), vec![15, 9]));
        assert_eq!(read("12  -- 3"), ("12".into(), vec![2]));
        assert!(Scan::new(b"123456789012345678901", 0).more);
    }

    #[test]
    fn zeros_are_sorted() {
        assert!(ZEROS.is_sorted());
    }
}

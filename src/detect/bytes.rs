//! Small questions about bytes of a text that every detector asks. Nothing here can panic: a place
//! outside the text reads as the byte 0, which belongs to no class.

use std::ops::Range;

const DIGIT: u8 = 1;
const HEX: u8 = 2;
const UPPER: u8 = 4;
const LOWER: u8 = 8;
const TOKEN: u8 = 16;
const SPACE: u8 = 32;
const QUOTE: u8 = 64;
const HIGH: u8 = 128;

/// One look-up instead of range comparisons on the scanning path.
static CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn classes() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut at = 0usize;
    while at < 256 {
        let mut class = 0;
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        if byte.is_ascii_digit() {
            class |= DIGIT | HEX | TOKEN;
        }
        if byte.is_ascii_uppercase() {
            class |= UPPER | TOKEN;
        }
        if byte.is_ascii_lowercase() {
            class |= LOWER | TOKEN;
        }
        if byte.is_ascii_hexdigit() {
            class |= HEX;
        }
        if byte == b'_' || byte == b'-' {
            class |= TOKEN;
        }
        if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            class |= SPACE;
        }
        if matches!(byte, b'"' | b'\'' | b'`') {
            class |= QUOTE;
        }
        if byte >= 0x80 {
            class |= HIGH;
        }
        table[at] = class;
        at += 1;
    }
    table
}

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// The byte at a place, 0 outside the text.
#[inline]
#[must_use]
pub fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or_default()
}

/// The byte before a place, 0 at the text's start.
#[inline]
#[must_use]
pub fn before(text: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(0, |place| byte(text, place))
}

/// The bytes of a range; empty where the range does not lie in the text.
#[inline]
#[must_use]
pub fn slice(text: &[u8], range: Range<usize>) -> &[u8] {
    text.get(range).unwrap_or_default()
}

/// Everything from a place on; empty behind the text's end.
#[inline]
#[must_use]
pub fn tail(text: &[u8], at: usize) -> &[u8] {
    text.get(at..).unwrap_or_default()
}

/// Everything up to a place.
#[inline]
#[must_use]
pub fn head(text: &[u8], at: usize) -> &[u8] {
    text.get(..at).unwrap_or(text)
}

#[inline]
#[must_use]
pub fn is_digit(byte: u8) -> bool {
    class(byte) & DIGIT != 0
}

#[inline]
#[must_use]
pub fn is_hex(byte: u8) -> bool {
    class(byte) & HEX != 0
}

#[inline]
#[must_use]
pub fn is_upper(byte: u8) -> bool {
    class(byte) & UPPER != 0
}

#[inline]
#[must_use]
pub fn is_lower(byte: u8) -> bool {
    class(byte) & LOWER != 0
}

#[inline]
#[must_use]
pub fn is_letter(byte: u8) -> bool {
    class(byte) & (UPPER | LOWER) != 0
}

#[inline]
#[must_use]
pub fn is_alnum(byte: u8) -> bool {
    class(byte) & (UPPER | LOWER | DIGIT) != 0
}

/// Letters, digits, `-` and `_`: the alphabet of tokens and of base64 for URLs.
#[inline]
#[must_use]
pub fn is_token(byte: u8) -> bool {
    class(byte) & TOKEN != 0
}

/// Letters, digits and `_`.
#[inline]
#[must_use]
pub fn is_word(byte: u8) -> bool {
    class(byte) & TOKEN != 0 && byte != b'-'
}

/// Space, tab, carriage return, line feed.
#[inline]
#[must_use]
pub fn is_space(byte: u8) -> bool {
    class(byte) & SPACE != 0
}

/// Double quote, apostrophe, back-tick.
#[inline]
#[must_use]
pub fn is_quote(byte: u8) -> bool {
    class(byte) & QUOTE != 0
}

/// Part of a character outside ASCII, or of no character at all.
#[inline]
#[must_use]
pub fn is_high(byte: u8) -> bool {
    class(byte) & HIGH != 0
}

/// Alphabet of base64 as RFC 4648 §4 has it, without the padding.
#[inline]
#[must_use]
pub fn is_base64(byte: u8) -> bool {
    is_alnum(byte) || byte == b'+' || byte == b'/'
}

/// First place at or after `start` whose byte is not wanted; at most `limit` bytes are looked at.
#[inline]
#[must_use]
pub fn run_end(text: &[u8], start: usize, limit: usize, mut wanted: impl FnMut(u8) -> bool) -> usize {
    let rest = tail(text, start);
    let rest = rest.get(..limit).unwrap_or(rest);
    start + rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len())
}

/// First place of the run of wanted bytes that ends before `end`; at most `limit` bytes back.
#[inline]
#[must_use]
pub fn run_start(text: &[u8], end: usize, limit: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let end = end.min(text.len());
    let floor = end.saturating_sub(limit);
    let run = slice(text, floor..end);
    run.iter().rposition(|byte| !wanted(*byte)).map_or(floor, |at| floor + at + 1)
}

/// The first capital at or behind a place, eight bytes at a time.
#[must_use]
pub fn next_upper(text: &[u8], pos: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let rest = text.get(pos..)?;
    let (words, last) = rest.as_chunks::<8>();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let low = word & !HIGHS;
        // Adding carries into the highest bit of a byte that is large enough, and never beyond it.
        let from = |least: u8| low + ONES * u64::from(0x80 - least);
        let capitals = from(b'A') & !from(b'Z' + 1) & !word & HIGHS;
        if capitals != 0 {
            return Some(pos + nth * 8 + (capitals.trailing_zeros() / 8) as usize);
        }
    }
    let behind = last.iter().position(|byte| is_upper(*byte))?;
    Some(text.len() - last.len() + behind)
}

/// Whether the text at a place reads as `word` (lower case), in any case.
#[inline]
#[must_use]
pub fn reads(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..at.saturating_add(word.len())).is_some_and(|part| part.eq_ignore_ascii_case(word))
}

/// Where a word begins in a short text, for which a searcher costs more to set up than to run.
#[must_use]
pub fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    // Spaces stand everywhere.
    let place = word.iter().position(|b| *b != b' ')?;
    let rare = *word.get(place)?;
    memchr::memchr_iter(rare, text).find_map(|at| {
        let start = at.checked_sub(place)?;
        (text.get(start..start + word.len()) == Some(word)).then_some(start)
    })
}

/// Whether the text before a place ends with `word` (lower case), in any case.
#[inline]
#[must_use]
pub fn ends_before(text: &[u8], at: usize, word: &[u8]) -> bool {
    at.checked_sub(word.len()).is_some_and(|start| at <= text.len() && reads(text, start, word))
}

/// Whether a token may start at a place: the byte before is no letter, digit or `_`, or it is the end
/// of an escape that a log wrote out (`\n`, `\t`, `\r`) or of a terminal colour (`ESC [ 3 2 m`).
#[must_use]
pub fn starts_token(text: &[u8], at: usize) -> bool {
    let last = before(text, at);
    if !is_word(last) {
        return true;
    }
    match last {
        b'n' | b't' | b'r' => before(text, at - 1) == b'\\',
        b'm' => {
            let bracket = run_start(text, at - 1, 12, |b| is_digit(b) || b == b';');
            before(text, bracket) == b'[' && bracket >= 2 && is_escape(text, bracket - 1)
        }
        _ => false,
    }
}

/// Whether an escape character, raw or written out, ends before a place.
fn is_escape(text: &[u8], at: usize) -> bool {
    before(text, at) == 0x1b
        || ends_before(text, at, b"\\x1b")
        || ends_before(text, at, b"\\u001b")
        || ends_before(text, at, b"#033")
        || ends_before(text, at, b"\\e")
}

/// The character that starts at a place and its length in bytes; `None` where the bytes are no UTF-8.
#[must_use]
pub fn char_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let lead = byte(text, at);
    let length = match lead {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let part = text.get(at..at.checked_add(length)?)?;
    let character = std::str::from_utf8(part).ok()?.chars().next()?;
    Some((character, length))
}

/// The character that ends before a place and its length in bytes.
#[must_use]
pub fn char_before(text: &[u8], at: usize) -> Option<(char, usize)> {
    let mut start = at.checked_sub(1)?;
    for _ in 0..3 {
        if byte(text, start) & 0xc0 != 0x80 {
            break;
        }
        start = start.checked_sub(1)?;
    }
    let (character, length) = char_at(text, start)?;
    (start + length == at).then_some((character, length))
}

/// Characters that print nothing and are put between others: zero width space and joiners, word
/// joiner, soft hyphen, direction marks, byte order mark (Unicode 15, `Default_Ignorable_Code_Point`).
#[must_use]
pub fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Scripts that are written without spaces between words: a change to ASCII letters is a word's edge.
#[must_use]
pub fn is_unspaced(character: char) -> bool {
    matches!(character, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// How a run of ASCII looks: what tells a random token from a word or a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mix {
    pub upper: usize,
    pub lower: usize,
    pub digits: usize,
    pub others: usize,
    /// Neighbours of different kind: random tokens change often, words and numbers seldom.
    pub changes: usize,
}

impl Mix {
    #[must_use]
    pub fn of(run: &[u8]) -> Mix {
        let mut mix = Mix::default();
        let mut last = 0;
        for byte in run {
            let kind = match class(*byte) & (DIGIT | UPPER | LOWER) {
                DIGIT => {
                    mix.digits += 1;
                    1
                }
                UPPER => {
                    mix.upper += 1;
                    2
                }
                LOWER => {
                    mix.lower += 1;
                    3
                }
                _ => {
                    mix.others += 1;
                    4
                }
            };
            mix.changes += usize::from(last != 0 && kind != last);
            last = kind;
        }
        mix
    }

    #[must_use]
    pub fn letters(&self) -> usize {
        self.upper + self.lower
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.upper + self.lower + self.digits + self.others
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drawn at random rather than chosen by a person: letters of both cases and digits that change
    /// places often (three changes in ten characters; base-62 tokens have six on average).
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.upper > 0 && self.lower > 0 && self.digits > 0 && self.changes * 10 >= self.len() * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_outside_the_text_belong_to_no_class() {
        assert_eq!(byte(b"a", 9), 0);
        assert_eq!(before(b"a", 0), 0);
        assert!(!is_word(0) && !is_space(0) && !is_high(0));
        assert_eq!(slice(b"abc", 2..9), b"");
        assert_eq!(tail(b"abc", 9), b"");
        assert_eq!(run_end(b"abc", 9, 4, is_letter), 9);
        assert_eq!(run_start(b"abc", 9, 4, is_letter), 0);
        assert!(!ends_before(b"abc", 9, b"abc"));
    }

    #[test]
    fn tokens_start_after_escapes_and_colours_but_not_inside_words() {
        for (text, at, starts) in [
            (&b"a 1"[..], 2, true),
            (b"a1", 1, false),
            (b"\\n1", 2, true),
            (b"xn1", 2, false),
            (b"\x1b[32m1", 5, true),
            (b"\\u001b[1;32m1", 12, true),
            (b"[32m1", 4, false),
            (b"", 0, true),
        ] {
            assert_eq!(starts_token(text, at), starts, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn characters_are_read_in_both_directions() {
        let text = "aé字🙂".as_bytes();
        assert_eq!(char_at(text, 1), Some(('é', 2)));
        assert_eq!(char_at(text, 2), None, "inside a character");
        assert_eq!(char_before(text, text.len()), Some(('🙂', 4)));
        assert_eq!(char_before(text, 6), Some(('字', 3)));
        assert_eq!(char_before(b"\x80\x80\x80\x80", 4), None, "no lead byte");
    }

    #[test]
    fn random_tokens_are_told_from_words() {
        assert!(Mix::of(b"q7Zk2Lm9Xw4Tb8Rc3Vn6").is_random());
        for word in
            ["ConnectionPoolTimeoutException2", "ORDER20260101", "verification", "12345678901234567890"]
        {
            assert!(!Mix::of(word.as_bytes()).is_random(), "{word}");
        }
    }
}

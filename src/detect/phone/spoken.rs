//! The country of the language that a number is spoken of in: `手机 138…` is one of China's.

use crate::detect::words::phone as words;
use crate::numbering::{self, Number, Region};

/// How far before a number its word is looked for, in bytes.
const BACK: usize = 40;

/// A region's code, and the endings of what stands before its numbers.
const COUNTRIES: &[(&str, &[&str])] = &[
    ("CN", words::OF_CHINA),
    ("TW", words::OF_TAIWAN),
    ("JP", words::OF_JAPAN),
    ("KR", words::OF_KOREA),
    ("TH", words::OF_THAILAND),
    ("VN", words::OF_VIETNAM),
    ("IL", words::OF_ISRAEL),
    ("IR", words::OF_IRAN),
    ("IN", words::OF_INDIA),
    ("BD", words::OF_BANGLADESH),
    ("GR", words::OF_GREECE),
    ("GE", words::OF_GEORGIA),
    ("AM", words::OF_ARMENIA),
    ("ET", words::OF_ETHIOPIA),
    ("KH", words::OF_CAMBODIA),
    ("LA", words::OF_LAOS),
    ("MM", words::OF_MYANMAR),
];

/// Digits behind a word of one country's language that are valid there, read as that country's.
pub(super) fn national(text: &[u8], start: usize, digits: &[u8]) -> Option<Number> {
    let word = word_before(text, start)?;
    let spoken = COUNTRIES.iter().filter(|(_, endings)| endings.iter().any(|ending| word.ends_with(ending)));
    spoken
        .filter_map(|(code, _)| numbering::national(Region::from_code(code)?, digits))
        .find(|number| number.is_valid() && number.national_digits().len() <= digits.len())
}

/// The letters beyond ASCII that end before `start`, signs between them left out.
fn word_before(text: &[u8], start: usize) -> Option<&str> {
    let near = text.get(start.saturating_sub(BACK)..start)?;
    // Mostly the byte before is ASCII, and the one before that as well.
    if near.iter().rev().take(4).all(u8::is_ascii_alphanumeric) || near.is_ascii() {
        return None;
    }
    // The piece may begin within a character.
    let whole = near.iter().position(|byte| byte & 0xC0 != 0x80)?;
    let near = std::str::from_utf8(near.get(whole..)?).ok()?;
    let word = near.trim_end_matches(|c: char| !c.is_alphanumeric() && !is_mark(c));
    (near.len() - word.len() <= 8).then_some(word).filter(|word| !word.ends_with(|c: char| c.is_ascii()))
}

/// Vowel signs of Indic scripts, Thai, Khmer and Burmese, which are no letters by themselves.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0900..=0x0DFF | 0x0E31..=0x0E4E | 0x0EB1..=0x0ECD | 0x102B..=0x103E | 0x17B4..=0x17D3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_is_one() {
        for (code, _) in COUNTRIES {
            assert!(Region::from_code(code).is_some(), "{code}");
        }
    }

    #[test]
    fn the_word_says_whose_number_it_is() {
        for (code, words) in [
            ("CN", "手机 手机号： 发送到"),
            ("TW", "手機 手機號碼："),
            ("JP", "電話番号: 携帯"),
            ("KR", "전화 휴대폰:"),
            ("TH", "เบอร์โทร"),
            ("IL", "טלפון"),
        ] {
            let region = Region::from_code(code).expect("a region");
            let digits: String = region
                .example_mobile()
                .expect("an example")
                .format_national()
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            for word in words.split(' ') {
                let text = format!("{word} {digits}");
                let number = national(text.as_bytes(), word.len() + 1, digits.as_bytes());
                assert_eq!(number.map(|number| number.calling_code()), Some(region.calling_code()), "{text}");
            }
        }
        assert!(national("order 13800138000".as_bytes(), 6, b"13800138000").is_none());
        assert!(national("手机 order 13800138000".as_bytes(), 13, b"13800138000").is_none());
    }
}

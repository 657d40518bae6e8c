//! Whether a text is what somebody wrote to somebody, or what a program says of itself.

use crate::detect::word_list::WordList;
use crate::detect::{safe, words};

/// Words of English that log messages are made of, beside the words of logs.
static ENGLISH: WordList = WordList::new(words::message::ENGLISH);

/// Whether a text is a program's figures, `waiting 7612, rate 37.7/s, offset 40148`: names and numbers by turns.
#[must_use]
pub fn reads_like_figures(text: &[u8]) -> bool {
    let (mut words, mut numbers, mut commas, mut after_number) = (0, 0, 0, false);
    for word in text.split(|b| *b == b' ').filter(|word| !word.is_empty()) {
        words += 1;
        commas += usize::from(word.ends_with(b","));
        // A hash is a figure, too.
        let hash = word.len() >= 12 && word.iter().filter(|b| b.is_ascii_digit()).count() >= 4;
        let number = word.first().is_some_and(u8::is_ascii_digit) || hash;
        if number && after_number {
            return false;
        }
        after_number = number;
        numbers += usize::from(number);
    }
    numbers >= 3 && commas >= 2 && numbers * 5 >= words * 2
}

/// Whether a word is one that programs log, or English that they log beside it.
#[must_use]
pub fn is_known(word: &[u8]) -> bool {
    safe::is_log_word(word) || ENGLISH.holds(word)
}

/// Whether a text ends in a measure: `… in 12 ms`, `…: 12ms`.
#[must_use]
pub fn ends_in_measure(text: &[u8]) -> bool {
    let sign = |b: &u8| matches!(b, b' ' | b',' | b'(' | b')');
    let mut last = text.rsplit(sign).filter(|word| !word.is_empty());
    match (last.next(), last.next()) {
        (Some(unit), Some(number)) if number.iter().all(u8::is_ascii_digit) => safe::is_unit(unit),
        (Some(word), _) => safe::is_measure(word),
        (None, _) => false,
    }
}

/// Words that people write to each other: three small ones or more, of which hardly one is a word that programs log or
/// English. Log lines are in English or in words of their own; a text that is neither was written by somebody.
#[must_use]
pub fn reads_foreign(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(240)).unwrap_or_default();
    let is_letter = |b: &u8| b.is_ascii_alphabetic() || *b >= 0x80 || *b == b'\'';
    let all = || {
        head.split(|b| matches!(b, b' ' | b',' | b'!' | b'?' | b'\n'))
            .map(|word| word.strip_suffix(b".").or_else(|| word.strip_suffix(b":")).unwrap_or(word))
            .filter(|word| !word.is_empty())
    };
    // What a program prints has odd words early; looking words up costs more.
    let (mut words, mut small, mut odd) = (0_usize, 0_usize, 0);
    for word in all() {
        words += 1;
        if word.iter().all(is_letter) {
            small += usize::from(word.first().is_some_and(|b| !b.is_ascii_uppercase()));
        } else if !word.iter().all(|b| b.is_ascii_digit() || *b == b'-') {
            odd += 1;
            if odd > 2 {
                return false;
            }
        }
    }
    if small < 3 || words < 4 {
        return false;
    }
    let known = all().filter(|word| word.iter().all(is_letter) && is_known(word)).count();
    known * 4 <= small && !reads_like_figures(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_that_no_list_knows() {
        for text in [
            "Koodu ijerisi Tamaro re ni 4829",
            "Pershendetje Ada, shihemi neser ne mengjes te stacioni",
            "Gebruik 4829 om by Tamaro aan te meld",
            "Sannu Ada, zan zo gida gobe da yamma",
        ] {
            assert!(reads_foreign(text.as_bytes()), "{text}");
        }
        for text in [
            "connection timed out while reading the response",
            "delivered after three retries",
            "queued for later delivery by the scheduler",
            "id=12 took=3 state=ok x",
            "com.tamaro.Sms com.tamaro.Otp a.b.C d.e.F",
            "STOP",
        ] {
            assert!(!reads_foreign(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn figures() {
        assert!(reads_like_figures(b"7612 waiting, rate 37.7/s, offset 40148, x"));
        assert!(ends_in_measure(b"sent after 12ms") && ends_in_measure(b"sent (12 ms)"));
        assert!(!ends_in_measure(b"see you at 6"));
        for text in
            ["Your code is 4829, valid for 10 minutes", "see you at 6", "call 415 and then 555 or so, please"]
        {
            assert!(!reads_like_figures(text.as_bytes()), "{text}");
        }
    }
}

//! Payment card numbers: 13 to 19 digits of a known issuer range with a right check digit.

use super::Hit;
use super::bytes::{before, byte, ends_before, is_alnum, is_digit, is_word, run_end, run_start, slice};
use super::refusal::Refusal;
use super::validate::{luhn, not_epoch};
use crate::class::Class;
use crate::detect::words;

/// First and last issuer prefix (inclusive, same number of digits) and the lengths it is issued in.
/// Sources: ISO/IEC 7812; the networks' published ranges.
const ISSUERS: [(u32, u32, &[usize]); 20] = [
    (4, 4, &[13, 16, 19]),           // Visa
    (51, 55, &[16]),                 // Mastercard
    (2221, 2720, &[16]),             // Mastercard
    (34, 34, &[15]),                 // American Express
    (37, 37, &[15]),                 // American Express
    (300, 305, &[14, 16]),           // Diners Club
    (36, 36, &[14, 16]),             // Diners Club
    (38, 39, &[14, 16]),             // Diners Club
    (6011, 6011, &[16, 17, 18, 19]), // Discover
    (644, 649, &[16, 17, 18, 19]),   // Discover
    (65, 65, &[16, 17, 18, 19]),     // Discover, RuPay, Elo
    (3528, 3589, &[16]),             // JCB
    (62, 62, &[16, 17, 18, 19]),     // UnionPay
    (81, 82, &[16]),                 // UnionPay, RuPay
    (2200, 2204, &[16, 19]),         // Mir
    (50, 50, &[16, 19]),             // Maestro, Verve, Elo, RuPay
    (56, 58, &[16, 19]),             // Maestro
    (60, 60, &[16]),                 // RuPay, Hipercard
    (63, 63, &[16]),                 // Elo, Maestro
    (67, 67, &[16, 19]),             // Maestro
];

/// A card number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    pub hit: Hit,
    /// Written in a card's groups, or behind a word for cards. Without either, one random number of an
    /// issuer's range in ten has a right check digit: the caller asks what stands around.
    pub sure: bool,
}

/// The card number whose first digit is at `start`. Groups are parted by one space or one dash.
#[must_use]
pub fn at(text: &[u8], start: usize) -> Option<Card> {
    judge(text, start).ok()
}

/// Why the digits at `start` are no card that goes in running text; `None` where they are one.
#[must_use]
pub fn why_not(text: &[u8], start: usize) -> Option<Refusal> {
    match judge(text, start) {
        Ok(card) => (!card.sure).then_some(Refusal::Unspoken),
        Err(refusal) => Some(refusal),
    }
}

fn judge(text: &[u8], start: usize) -> Result<Card, Refusal> {
    let touching = before(text, start);
    if !is_digit(byte(text, start))
        || is_word(touching) && touching != b'_'
        || matches!(touching, b'+' | b'.')
    {
        return Err(Refusal::Joined);
    }
    let mut digits = [0u8; 20];
    let mut groups = [0usize; 8];
    let (count, group_count, end) = read(text, start, &mut digits, &mut groups).ok_or(Refusal::Short)?;
    let number = slice(&digits, 0..count);
    let grouped = group_count > 1;
    let next = byte(text, end);
    let decimal = next == b'.' && is_digit(byte(text, end + 1));
    if is_alnum(next) || next == b'@' || decimal {
        return Err(Refusal::Joined);
    }
    if !issued(number) {
        return Err(Refusal::Issuer);
    }
    if !luhn::holds(number) {
        return Err(Refusal::CheckDigit);
    }
    if grouped && !is_grouping(slice_of(&groups, group_count)) {
        return Err(Refusal::Grouping);
    }
    if number.iter().all(|digit| Some(digit) == number.first()) {
        return Err(Refusal::Repeated);
    }
    if !grouped && !not_epoch::holds(number) {
        return Err(Refusal::Epoch);
    }
    let sure = grouped || follows_card_word(text, start);
    Ok(Card { hit: Hit::new(Class::Card, start, end), sure })
}

/// Copies the digits and counts the groups; `None` outside 13 to 19 digits.
fn read(
    text: &[u8],
    start: usize,
    digits: &mut [u8; 20],
    groups: &mut [usize; 8],
) -> Option<(usize, usize, usize)> {
    let mut count = 0;
    let mut group = 0;
    let mut place = start;
    let separator = separator_of(text, start);
    loop {
        let end = run_end(text, place, 20, is_digit);
        for digit in slice(text, place..end) {
            *digits.get_mut(count)? = *digit;
            count += 1;
        }
        *groups.get_mut(group)? = end - place;
        group += 1;
        place = end;
        if separator.is_none() || Some(byte(text, place)) != separator || !is_digit(byte(text, place + 1)) {
            break;
        }
        place += 1;
    }
    (13..=19).contains(&count).then_some((count, group, place))
}

/// The separator behind the first group of four.
fn separator_of(text: &[u8], start: usize) -> Option<u8> {
    let first = run_end(text, start, 5, is_digit);
    let separator = byte(text, first);
    (first - start == 4 && matches!(separator, b' ' | b'-')).then_some(separator)
}

fn slice_of(groups: &[usize; 8], count: usize) -> &[usize] {
    groups.get(..count).unwrap_or_default()
}

/// As cards show them: fours, American Express's 4-6-5, Diners Club's 4-6-4.
fn is_grouping(groups: &[usize]) -> bool {
    let fours = groups
        .split_last()
        .is_some_and(|(last, rest)| rest.iter().all(|n| *n == 4) && (1..=4).contains(last));
    fours || matches!(groups, [4, 6, 4 | 5])
}

fn issued(number: &[u8]) -> bool {
    ISSUERS.iter().any(|(first, last, lengths)| {
        let width = width(*first);
        let prefix =
            slice(number, 0..width).iter().fold(0u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        (*first..=*last).contains(&prefix) && lengths.contains(&number.len())
    })
}

/// How many digits a prefix has.
fn width(prefix: u32) -> usize {
    prefix.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// `card`, `pan`, `cc` and the like end before the number, separators skipped.
fn follows_card_word(text: &[u8], start: usize) -> bool {
    let end = run_start(text, start, 6, |b| matches!(b, b' ' | b'=' | b':' | b'"' | b'\'' | b'#' | b'\\'));
    let words = words::subject::CARDS;
    end < start
        && words.iter().any(|word| {
            ends_before(text, end, word.as_bytes())
                && !super::bytes::is_letter(before(text, end - word.len()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(String, bool)> {
        let card = (0..text.len()).find_map(|start| at(text.as_bytes(), start))?;
        Some((String::from_utf8_lossy(card.hit.span.of(text.as_bytes())).into_owned(), card.sure))
    }

    /// Test numbers that payment processors publish.
    #[test]
    fn published_test_numbers_are_found() {
        for (text, want, sure) in [
            ("card 4111111111111111 declined", "4111111111111111", true),
            ("4111 1111 1111 1111", "4111 1111 1111 1111", true),
            ("4242-4242-4242-4242,", "4242-4242-4242-4242", true),
            ("pan=5555555555554444", "5555555555554444", true),
            ("x 2223003122003222 y", "2223003122003222", false),
            ("3782 822463 10005", "3782 822463 10005", true),
            ("378282246310005", "378282246310005", false),
            ("6011111111111117", "6011111111111117", false),
            ("3530111333300000", "3530111333300000", false),
            ("3056 930902 5904", "3056 930902 5904", true),
            ("Karte: 6200000000000005.", "6200000000000005", true),
            ("4222222222222", "4222222222222", false),
        ] {
            assert_eq!(first(text), Some((want.to_owned(), sure)), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_cards() {
        for (text, why) in [
            ("4111111111111112", "wrong check digit"),
            ("4111 1111 1111 1112", "wrong check digit"),
            ("4242 42424242 4242", "no card's groups"),
            ("1111111111111117", "no issuer"),
            ("1767225600000002", "a time in microseconds"),
            ("+4111111111111111", "a phone"),
            ("41111111111111111", "a digit too many for its issuer"),
            ("4111111111111111@lid", "an id"),
            ("a4111111111111111", "inside a word"),
            ("0.4111111111111111", "a fraction"),
            ("490154203237518", "an IMEI"),
            ("0000000000000000", "one digit only"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}

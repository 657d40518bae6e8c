//! Mobile equipment identities (3GPP TS 23.003 §6), and behind their word subscribers' (§2).

use super::Hit;
use super::bytes::{before, byte, ends_before, is_alnum, is_digit, is_word, run_end, slice};
use super::validate::luhn;
use crate::class::Class;

/// Reporting bodies that issue nearly all type allocation codes today: BABT (35), TAF (86), CTIA (01),
/// GHA (99).
const BODIES: [&[u8]; 4] = [b"35", b"86", b"01", b"99"];

/// The IMEI (15 digits) or IMEISV (16) whose first digit is at `start`, in one piece or as
/// `35-209900-176148-1`. Behind a word for it any such number is one; behind a device's word it must come
/// from a known body; without a word its check digit must be right as well.
#[must_use]
pub fn at(text: &[u8], start: usize) -> Option<Hit> {
    if !is_digit(byte(text, start))
        || is_word(before(text, start))
        || matches!(before(text, start), b'+' | b'.' | b'-')
    {
        return None;
    }
    let (digits, end) = dashed(text, start).unwrap_or_else(|| {
        let end = run_end(text, start, 18, is_digit);
        (end - start, end)
    });
    let next = byte(text, end);
    if !matches!(digits, 14..=16) || is_alnum(next) || next == b'@' {
        return None;
    }
    let number = slice(text, start..end);
    let body = BODIES.iter().any(|body| number.starts_with(body));
    let named = [&b"imei"[..], b"imeisv", b"meid", b"imsi"].iter().any(|word| is_near(text, start, word));
    let device = [&b"device"[..], b"equipment", b"handset", b"hw_id", b"hwid", b"serial"]
        .iter()
        .any(|word| is_near(text, start, word));
    let found = named || (digits == 15 && body && (device || luhn::holds(number)));
    found.then(|| Hit::new(Class::Imei, start, end))
}

/// 2-6-6-1 or 2-6-6-2 with dashes or spaces: how many digits, and the end.
fn dashed(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut place = start;
    for (index, width) in [2usize, 6, 6].into_iter().enumerate() {
        let end = run_end(text, place, 7, is_digit);
        if end - place != width
            || !matches!(byte(text, end), b'-' | b' ')
            || (index > 0 && byte(text, end) != byte(text, place - 1))
        {
            return None;
        }
        place = end + 1;
    }
    let end = run_end(text, place, 3, is_digit);
    matches!(end - place, 1 | 2).then_some((14 + end - place, end))
}

/// Whether the word stands within 16 bytes before the place.
fn is_near(text: &[u8], start: usize, word: &[u8]) -> bool {
    let from = start.saturating_sub(16);
    (from..=start).rev().any(|end| ends_before(text, end, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&str> {
        let hit = (0..text.len()).find_map(|start| at(text.as_bytes(), start))?;
        text.get(hit.span.start()..hit.span.end())
    }

    /// 490154203237518 is the example in the literature; the others are its pattern with a body in use.
    #[test]
    fn identities_are_found() {
        for (text, want) in [
            ("imei=490154203237518", "490154203237518"),
            ("IMEI: 49-015420-323751-8.", "49-015420-323751-8"),
            ("\"imeisv\": \"4901542032375101\"", "4901542032375101"),
            ("from 350154203237517 up", "350154203237517"),
            ("device 350154203237512", "350154203237512"),
        ] {
            assert_eq!(first(text), Some(want), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left() {
        for (text, why) in [
            ("350154203237512", "wrong check digit, no word"),
            ("490154203237518", "no body in use, no word"),
            ("+350154203237517", "a phone"),
            ("350154203237517@lid", "a WhatsApp id"),
            ("x350154203237517", "inside a word"),
            ("3501542032375171", "sixteen digits, no word"),
            ("imei missing", "no number"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}

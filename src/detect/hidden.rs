//! Text hidden in hex and base64: dumps of octets, SMS PDUs, encoded copies of messages.

use super::bytes::{byte, is_alnum, is_base64, is_hex, run_end};
use crate::finding::Span;

/// What a run of encoded bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// Pairs of hex digits with spaces between: a dump of octets. What it holds is not asked.
    Dump,
    /// Hex digits without a gap.
    Hex,
    Base64,
}

/// Least octets in a row of a dump.
const DUMP_OCTETS: usize = 4;

/// A dump of octets that begins at `at` (`00 41 00 62 …`, at least four pairs, one space apart), to
/// the end of its line.
#[must_use]
pub fn dump_at(text: &[u8], at: usize) -> Option<Span> {
    if at > 0 && is_alnum(byte(text, at - 1)) {
        return None;
    }
    let mut pos = at;
    let mut octets = 0;
    while is_hex(byte(text, pos)) && is_hex(byte(text, pos + 1)) && !is_alnum(byte(text, pos + 2)) {
        octets += 1;
        pos += 2;
        if byte(text, pos) != b' ' {
            break;
        }
        pos += 1;
    }
    let end = if pos > at && byte(text, pos - 1) == b' ' { pos - 1 } else { pos };
    // Columns of two-digit numbers are not a dump: some pair has a letter, or the row is long.
    let letters = text.get(at..end)?.iter().any(|b| b.is_ascii_alphabetic());
    (octets >= DUMP_OCTETS && (letters || octets >= 8)).then(|| Span::new(at, end))
}

/// The run of hex digits around `at`, if it has an even number of them, at least `least`.
#[must_use]
pub fn hex_at(text: &[u8], at: usize, least: usize) -> Option<Span> {
    if at > 0 && is_alnum(byte(text, at - 1)) {
        return None;
    }
    let end = run_end(text, at, usize::MAX, is_hex);
    let len = end - at;
    (len >= least && len.is_multiple_of(2) && !is_alnum(byte(text, end))).then(|| Span::new(at, end))
}

/// The run of base64 characters at `at`, padding included, if it has at least `least` of them and
/// both letters and (capitals or digits).
#[must_use]
pub fn base64_at(text: &[u8], at: usize, least: usize) -> Option<Span> {
    if at > 0 && is_base64(byte(text, at - 1)) {
        return None;
    }
    let mut end = run_end(text, at, usize::MAX, is_base64);
    let run = text.get(at..end)?;
    let lower = run.iter().any(u8::is_ascii_lowercase);
    let other = run.iter().any(|b| b.is_ascii_uppercase());
    if run.len() < least || !lower || !other || run.len() % 4 == 1 {
        return None;
    }
    end += usize::from(byte(text, end) == b'=');
    end += usize::from(byte(text, end) == b'=');
    Some(Span::new(at, end))
}

/// Whether decoded bytes are text that people or programs wrote: valid UTF-8 (its end may be cut),
/// nearly no control characters, and a letter or digits in it.
#[must_use]
pub fn is_text(bytes: &[u8]) -> bool {
    if bytes.len() < 4 {
        return false;
    }
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if bytes.len() - error.valid_up_to() <= 3 => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let all = valid.chars().count();
    let odd = valid.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')).count();
    all > 0 && odd * 20 <= all && valid.chars().any(char::is_alphanumeric)
}

/// Whether octets are UTF-16 in big-endian order: every second one is small.
#[must_use]
pub fn is_ucs2(bytes: &[u8]) -> bool {
    if bytes.len() < 8 || !bytes.len().is_multiple_of(2) {
        return false;
    }
    let pairs = bytes.len() / 2;
    // Octets of the alphabets between Greek and Georgian, by their page; and what all texts share.
    let mut pages = [0usize; 16];
    let mut shared = 0;
    for high in bytes.iter().step_by(2) {
        match high {
            0x00 | 0x20 => shared += 1,
            0x01..=0x0f => {
                if let Some(count) = pages.get_mut(usize::from(*high)) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    let latin = bytes.iter().step_by(2).filter(|b| **b == 0).count();
    let page = pages.iter().copied().max().unwrap_or(0);
    latin * 10 >= pairs * 7 || (page * 4 >= pairs && (page + shared) * 10 >= pairs * 9) || is_cjk(bytes)
}

/// CJK ideographs, kana, hangul and their punctuation in nine of ten units.
fn is_cjk(bytes: &[u8]) -> bool {
    let pairs = bytes.len() / 2;
    let cjk = bytes
        .iter()
        .step_by(2)
        .filter(|b| matches!(**b, 0x00 | 0x30 | 0x4e..=0x9f | 0xac..=0xd7 | 0xff))
        .count();
    let wide = bytes.iter().step_by(2).filter(|b| matches!(**b, 0x30 | 0x4e..=0x9f | 0xac..=0xd7)).count();
    // A random octet lies in these ranges in half of all cases, so ten units in a row do in one of a thousand.
    pairs >= 10 && cjk * 100 >= pairs * 95 && wide * 2 >= pairs
}

/// Whether a modem's command or answer stands before `at`: what follows is a PDU, whatever its length.
#[must_use]
pub fn from_a_modem(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(24)..at).unwrap_or_default();
    [&b"AT+CMG"[..], b"+CMT", b"+CMG"].iter().any(|word| memchr::memmem::find(before, word).is_some())
}

/// Whether words before `at` say that hex digits of a message follow: a modem's commands, a PDU.
#[must_use]
pub fn announced(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(48)..at).unwrap_or_default();
    [
        &b"AT+CMG"[..],
        b"+CMT",
        b"+CMG",
        b"PDU",
        b"pdu",
        b"short_message",
        b"message_payload",
        b"user_data",
        b"octets",
    ]
    .iter()
    .any(|word| memchr::memmem::find(before, word).is_some())
}

/// Whether hex digits are an SMS in PDU form (3GPP TS 23.040): an optional SMSC address, a first
/// octet of a known type, an address with the type-of-number octet 0x91 or 0x81.
#[must_use]
pub fn is_pdu(octets: &[u8]) -> bool {
    let smsc = usize::from(octets.first().copied().unwrap_or(0));
    let starts = [0, if smsc <= 10 { smsc + 1 } else { 0 }];
    starts.into_iter().any(|start| {
        let at = |offset: usize| octets.get(start + offset).copied().unwrap_or(0xff);
        // SMS-SUBMIT has a message reference before the address, SMS-DELIVER has not.
        let address = |offset: usize| {
            (3..=20).contains(&at(offset)) && matches!(at(offset + 1), 0x91 | 0x81 | 0xa1 | 0xd0)
        };
        at(0) & 0x03 <= 0x02 && (address(1) || address(2))
    }) && octets.len() >= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps() {
        assert_eq!(dump_at(b"data: 00 4f 00 69 x", 6), Some(Span::new(6, 17)));
        assert_eq!(dump_at(b"10 20 30 40", 0), None, "columns of numbers");
        assert_eq!(dump_at(b"12:30", 0), None);
    }

    #[test]
    fn texts() {
        assert!(is_text("Grüße".as_bytes()));
        assert!(!is_text(&[0x8f, 0x12, 0xff, 0x00, 0x41]));
        assert!(is_ucs2(&[0, b'H', 0, b'e', 0, b'l', 0, b'l']));
        assert!(is_ucs2(&[0x04, 0x1f, 0x04, 0x40, 0x04, 0x38, 0x04, 0x32]));
        assert!(!is_ucs2(&[0x9f, 0x86, 0xd0, 0x81, 0x88, 0x4c, 0x7d, 0x65]));
    }

    #[test]
    fn pdus() {
        let mut octets = vec![0x00, 0x11, 0x00, 0x0b, 0x91];
        octets.extend([0x41; 12]);
        assert!(is_pdu(&octets));
        assert!(!is_pdu(&[0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef]));
    }
}

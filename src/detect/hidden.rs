//! Text hidden in hex and base64: dumps of octets, SMS PDUs, encoded copies of messages.

use super::bytes::{before, byte, find, is_alnum, is_hex, is_token, next_upper, run_end, run_start};
use crate::finding::Span;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

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

/// Least letters of a run in base64 that is looked at: ten bytes stand in them.
pub const BASE64_LEAST: usize = 14;

/// Least digits of a run in hex that is looked at: ten octets.
pub const HEX_LEAST: usize = 20;

/// Letters of both alphabets of base64 (RFC 4648 §4, §5), without the padding: capitals, and others.
static BASE64: [u8; 256] = base64_letters();
const CAPITAL: u8 = 1;
const OTHER: u8 = 1 << 1;
const SIGN: u8 = 1 << 2;

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn base64_letters() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0_usize;
    while at < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "below 256")]
        let byte = at as u8;
        table[at] = match byte {
            b'A'..=b'Z' => CAPITAL,
            b'a'..=b'z' | b'0'..=b'9' => OTHER,
            b'+' | b'/' | b'-' | b'_' => SIGN,
            _ => 0,
        };
        at += 1;
    }
    table
}

/// The next run of letters of base64 that begins at or behind `from` and may hold a text: long enough, with
/// capitals and others. Its padding is included. `from` is the text's start or the end of a run.
#[must_use]
pub fn base64_run(text: &[u8], from: usize) -> Option<Span> {
    let kind = |byte: u8| BASE64.get(usize::from(byte)).copied().unwrap_or_default();
    let mut pos = from;
    loop {
        // Ordinary lines have few capitals.
        let capital = next_upper(text, pos)?;
        let start = run_start(text, capital, capital - pos, |byte| kind(byte) != 0);
        let mut kinds = 0;
        let end = run_end(text, start, usize::MAX, |byte| {
            let kind = kind(byte);
            kinds |= kind;
            kind != 0
        });
        if end - start >= BASE64_LEAST && kinds & OTHER != 0 {
            let padding = run_end(text, end, 2, |byte| byte == b'=');
            return Some(Span::new(start, padding));
        }
        pos = end;
    }
}

/// Whether the first letters of a run in base64 hold what may be a text's beginning: no control characters,
/// UTF-8 but for its end. Names and ids, which most runs are, are told apart here.
#[must_use]
pub fn begins_text(run: &[u8]) -> bool {
    let letters = run_end(run, 0, 24, |byte| byte != b'=') / 4 * 4;
    let head = run.get(..letters).unwrap_or_default();
    if is_words(run) {
        return false;
    }
    let engine = if head.iter().any(|b| matches!(b, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    let mut bytes = [0; 18];
    let Ok(len) = engine.decode_slice(head, &mut bytes) else { return false };
    let bytes = bytes.get(..len).unwrap_or_default();
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && !valid.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// `InvalidSenderId`: words with a capital each, as programs write names; base64 of as many letters has a digit or
/// two capitals in a row.
fn is_words(run: &[u8]) -> bool {
    let mut before = b' ';
    let mut smalls = 0;
    let mut capitals = 0;
    for byte in run.iter().take(LONGEST_WORDS + 1) {
        match byte {
            b'A'..=b'Z' if before.is_ascii_uppercase() => return false,
            b'A'..=b'Z' => capitals += 1,
            b'a'..=b'z' => smalls += 1,
            _ => return false,
        }
        before = *byte;
    }
    run.len() <= LONGEST_WORDS && before.is_ascii_lowercase() && smalls >= 3 * capitals
}

/// Longer runs are no name.
const LONGEST_WORDS: usize = 40;

/// Whether a value is one run in base64 that may hold a text.
#[must_use]
pub fn is_coded(value: &[u8]) -> bool {
    base64_run(value, 0).is_some_and(|run| run.len() == value.len()) && begins_text(value)
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

/// Whether hex digits may be words, before they are decoded: [`is_text`] and [`is_written`], or
/// [`is_alphabetic_ucs2`], cannot hold of their octets otherwise. Those of a hash are told by their first few.
#[must_use]
pub fn may_be_words(digits: &[u8]) -> bool {
    may_be_written(digits) || may_be_alphabetic_ucs2(digits)
}

fn may_be_written(digits: &[u8]) -> bool {
    let (octets, _) = digits.as_chunks::<2>();
    // The text's end may be cut.
    let whole = octets.len().saturating_sub(3);
    let mut lacking = 0_u8;
    for [high, low] in octets.iter().take(whole.min(8)) {
        let octet = nibble(*high) << 4 | nibble(*low);
        match (octet, lacking) {
            (0x80..=0xbf, 1..) => lacking -= 1,
            (_, 1..) => return false,
            (0xc2..=0xdf, _) => lacking = 1,
            (0xe0..=0xef, _) => lacking = 2,
            (0xf0..=0xf4, _) => lacking = 3,
            (..0x80, _) if is_usual(octet) => {}
            _ => return false,
        }
    }
    true
}

fn may_be_alphabetic_ucs2(digits: &[u8]) -> bool {
    let (units, _) = digits.as_chunks::<4>();
    let mut large = 0;
    units.iter().all(|[high, ..]| {
        large += usize::from(!matches!(high, b'0'..=b'2'));
        large * 10 <= units.len() * 3
    })
}

fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { (digit | 0x20).wrapping_sub(b'a' - 10) & 0xf }
}

fn is_usual(byte: u8) -> bool {
    is_alnum(byte) || byte >= 0x80 || b" .,:;!?'\"-+@/=_&{}[]()<>%#\r\n\t".contains(&byte)
}

/// Whether text has the signs that people and programs write, where a few random octets that happen to be
/// UTF-8 have others.
#[must_use]
pub fn is_written(text: &[u8]) -> bool {
    let plain = |b: &&u8| is_alnum(**b) || **b == b' ' || **b >= 0x80;
    text.iter().all(|b| is_usual(*b)) && text.iter().filter(plain).count() * 3 >= text.len() * 2
}

/// Whether a run stands in a query: `?q=…`, `&state=…`, `payload=…&`.
#[must_use]
pub fn is_in_query(text: &[u8], run: Span) -> bool {
    let name = run_start(text, run.start().saturating_sub(1), 48, |b| is_token(b) || b == b'.');
    let named = before(text, run.start()) == b'=' && name + 1 < run.start();
    named && (byte(text, run.end()) == b'&' || matches!(before(text, name), b'?' | b'&'))
}

/// Whether octets are UTF-16 in big-endian order.
#[must_use]
pub fn is_ucs2(bytes: &[u8]) -> bool {
    is_alphabetic_ucs2(bytes) || (bytes.len() >= 8 && bytes.len().is_multiple_of(2) && is_cjk(bytes))
}

/// Whether octets are UTF-16 in big-endian order of an alphabet: every second one is small, as no hash has
/// them.
#[must_use]
pub fn is_alphabetic_ucs2(bytes: &[u8]) -> bool {
    if bytes.len() < 8 || !bytes.len().is_multiple_of(2) {
        return false;
    }
    let pairs = bytes.len() / 2;
    // Octets of the alphabets between Greek and Khmer, by their page; and what all texts share.
    let mut pages = [0usize; 25];
    let mut shared = 0;
    for high in bytes.iter().step_by(2) {
        match high {
            0x00 | 0x1e | 0x20 => shared += 1,
            0x01..=0x18 => {
                if let Some(count) = pages.get_mut(usize::from(*high)) {
                    *count += 1;
                }
            }
            _ => {}
        }
    }
    let latin = bytes.iter().step_by(2).filter(|b| **b == 0).count();
    // An alphabet may lie on two of them.
    let page = pages.windows(2).map(|two| two.iter().sum::<usize>()).max().unwrap_or(0);
    latin * 10 >= pairs * 7 || (page * 4 >= pairs && (page + shared) * 10 >= pairs * 9)
}

/// CJK ideographs, kana, hangul and their punctuation in nine of ten units.
fn is_cjk(bytes: &[u8]) -> bool {
    let pairs = bytes.len() / 2;
    let cjk = bytes
        .iter()
        .step_by(2)
        .filter(|b| matches!(**b, 0x00 | 0x20 | 0x30 | 0x4e..=0x9f | 0xac..=0xd7 | 0xff))
        .count();
    let wide = bytes.iter().step_by(2).filter(|b| matches!(**b, 0x30 | 0x4e..=0x9f | 0xac..=0xd7)).count();
    let latin = bytes.iter().step_by(2).filter(|b| **b == 0).count();
    // A random octet lies in these ranges in half of all cases, so ten units in a row do in one of a thousand;
    // and is zero in one of 256.
    pairs >= 10 && cjk * 100 >= pairs * 95 && (wide * 2 >= pairs || wide * 5 >= pairs && latin * 4 >= pairs)
}

/// Whether a modem's command or answer stands before `at`: what follows is a PDU, whatever its length.
#[must_use]
pub fn from_a_modem(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(24)..at).unwrap_or_default();
    memchr::memchr(b'+', before).is_some()
        && [&b"AT+CMG"[..], b"+CMT", b"+CMG"].iter().any(|word| find(before, word).is_some())
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
    .any(|word| find(before, word).is_some())
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

/// Whether octets hold an address as SMPP writes it (3.4, 3.1 and 4.8.1): its type and plan, seven to twenty digits, a zero.
/// Of random octets one in ten thousand million has such a run.
#[must_use]
pub fn holds_smpp_address(octets: &[u8]) -> bool {
    memchr::memchr_iter(0, octets).any(|end| {
        let digits = octets
            .get(..end)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(21)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let plan = end.checked_sub(digits + 2).and_then(|from| octets.get(from..from + 2));
        (7..=20).contains(&digits) && matches!(plan, Some([0..=6, 0..=18]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_smpp() {
        assert!(holds_smpp_address(b"\0\0\0\x04\0\0\x01\x01491511234567\0\0"));
        assert!(!holds_smpp_address(b"\0\0\0\x04\0\0\x41\x01491511234567\0\0"));
        assert!(!holds_smpp_address(b"\x01\x01491511\0"));
        assert!(!holds_smpp_address(b"\x01\x01491511234567"));
    }

    #[test]
    fn dumps() {
        assert_eq!(dump_at(b"data: 00 4f 00 69 x", 6), Some(Span::new(6, 17)));
        assert_eq!(dump_at(b"10 20 30 40", 0), None, "columns of numbers");
        assert_eq!(dump_at(b"12:30", 0), None);
    }

    #[test]
    fn runs_in_base64() {
        let find =
            |text: &str| base64_run(text.as_bytes(), 0).map(|span| text[span.start()..span.end()].to_owned());
        assert_eq!(find("blob=aGVsbG8gd29ybGQ=, x").as_deref(), Some("aGVsbG8gd29ybGQ="));
        assert_eq!(find("QWxhZGRpbjpvcGVu").as_deref(), Some("QWxhZGRpbjpvcGVu"));
        assert_eq!(find("a YWI_YWI-YWJj_YWI-YQ==;").as_deref(), Some("YWI_YWI-YWJj_YWI-YQ=="));
        assert_eq!(find("QWxhZGRpbjpvc"), None, "too short");
        assert_eq!(find("de305d54-75b4-431b-adb2-eb6b9e546014"), None, "no capitals");
        assert_eq!(find("one two three four five six"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn beginnings() {
        assert!(begins_text(b"aGVsbG8gd29ybGQ="));
        assert!(begins_text(b"R3LDvMOfZSBhdXMgQmVybGlu"));
        assert!(!begins_text(b"AAECAwQFBgcICQ=="), "control characters");
        assert!(!begins_text(b"InternalServerErrorHandler"));
        assert!(!begins_text(b"InvalidSenderId"));
        assert!(begins_text(b"SW52YWxpZFNlbmRlcklk"));
        assert!(!begins_text(b"SMf81d4fae7dec11d0a76500a0c91e6bf6"));
        assert!(!begins_text(b""));
    }

    #[test]
    fn texts() {
        assert!(is_text("Grüße".as_bytes()));
        assert!(!is_text(&[0x8f, 0x12, 0xff, 0x00, 0x41]));
        assert!(is_ucs2(&[0, b'H', 0, b'e', 0, b'l', 0, b'l']));
        assert!(is_ucs2(&[0x04, 0x1f, 0x04, 0x40, 0x04, 0x38, 0x04, 0x32]));
        for text in ["የማረጋገጫ ኮድዎ A-932093", "ទូរស័ព្ទមកខ្ញុំ", "2055 を入力してZebrano", "გასაღები დავკარგე"]
        {
            let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert!(is_ucs2(&octets), "{text}");
        }
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

//! Text written in letters that do not show it: base64 and hex, read, and written again in the same way.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// How a run of letters and digits holds a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 4648 §4 and §5.
    Base64(Alphabet, Padding),
    /// Two hex digits an octet.
    Hex(LetterCase, Charset),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// With `+` and `/`.
    Standard,
    /// With `-` and `_`.
    UrlSafe,
}

/// Whether `=` fills up the last four letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Written,
    LeftOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterCase {
    Lower,
    Upper,
}

/// What the octets of a text in hex are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    /// UTF-16 in big-endian order.
    Ucs2,
}

impl Coding {
    /// How a run in base64 is written.
    #[must_use]
    pub fn of_base64(run: &[u8]) -> Coding {
        let has = |wanted: &[u8]| run.iter().any(|b| wanted.contains(b));
        let padding = match run.last() {
            Some(b'=') => Padding::Written,
            // Whole groups of four need none, and would have none either way.
            _ if run.len().is_multiple_of(4) && !has(b"-_") => Padding::Written,
            _ => Padding::LeftOut,
        };
        // Where no letter tells, padding is left out in URLs and tokens only.
        let url_safe = has(b"-_") || (padding == Padding::LeftOut && !has(b"+/"));
        Coding::Base64(if url_safe { Alphabet::UrlSafe } else { Alphabet::Standard }, padding)
    }

    /// How a run in hex is written.
    #[must_use]
    pub fn of_hex(run: &[u8], charset: Charset) -> Coding {
        let upper = run.iter().any(u8::is_ascii_uppercase);
        Coding::Hex(if upper { LetterCase::Upper } else { LetterCase::Lower }, charset)
    }

    /// Appends the text, which is UTF-8 where the run's was, in this coding.
    pub fn encode(self, text: &[u8], out: &mut Vec<u8>) {
        match self {
            Coding::Base64(alphabet, padding) => {
                let engine = match (alphabet, padding) {
                    (Alphabet::Standard, Padding::Written) => &STANDARD,
                    (Alphabet::Standard, Padding::LeftOut) => &STANDARD_NO_PAD,
                    (Alphabet::UrlSafe, Padding::Written) => &URL_SAFE,
                    (Alphabet::UrlSafe, Padding::LeftOut) => &URL_SAFE_NO_PAD,
                };
                let start = out.len();
                out.resize(start + text.len().div_ceil(3) * 4, 0);
                let place = out.get_mut(start..).unwrap_or_default();
                match engine.encode_slice(text, place) {
                    Ok(written) => out.truncate(start + written),
                    Err(_) => unreachable!("four letters hold three bytes"),
                }
            }
            Coding::Hex(case, Charset::Utf8) => text.iter().for_each(|octet| push_hex(*octet, case, out)),
            Coding::Hex(case, Charset::Ucs2) => {
                for c in text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        unit.to_be_bytes().into_iter().for_each(|octet| push_hex(octet, case, out));
                    }
                }
            }
        }
    }

    /// Whether `text`, written in this coding, gives the run of letters that it was read from, so that what is
    /// not touched in it stays as it was. `buffer` is left empty.
    #[must_use]
    pub fn leads_back(self, text: &[u8], run: &[u8], buffer: &mut Vec<u8>) -> bool {
        let start = buffer.len();
        self.encode(text, buffer);
        let same = buffer.get(start..) == Some(run);
        buffer.truncate(start);
        same
    }
}

fn push_hex(octet: u8, case: LetterCase, out: &mut Vec<u8>) {
    for nibble in [octet >> 4, octet & 0x0f] {
        out.push(match (nibble, case) {
            (0..=9, _) => b'0' + nibble,
            (_, LetterCase::Lower) => b'a' + nibble - 10,
            (_, LetterCase::Upper) => b'A' + nibble - 10,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::decode;

    #[track_caller]
    fn check(run: &str, coding: Coding, text: &str) {
        let run = run.as_bytes();
        let (mut octets, mut read) = (Vec::new(), Vec::new());
        let (seen, done) = match coding {
            Coding::Base64(..) => (Coding::of_base64(run), decode::base64(run, &mut read)),
            Coding::Hex(_, Charset::Utf8) => {
                (Coding::of_hex(run, Charset::Utf8), decode::hex_run(run, &mut read))
            }
            Coding::Hex(_, Charset::Ucs2) => (
                Coding::of_hex(run, Charset::Ucs2),
                decode::hex_run(run, &mut octets) && decode::ucs2(&octets, &mut read),
            ),
        };
        assert!(done && read == text.as_bytes(), "{text}");
        assert_eq!(seen, coding, "{text}");
        assert!(coding.leads_back(text.as_bytes(), run, &mut Vec::new()), "{text}");
    }

    #[test]
    fn each_is_written_as_it_was_read() {
        use Alphabet::{Standard, UrlSafe};
        use Padding::{LeftOut, Written};
        check("aGVsbG8gd29ybGQ=", Coding::Base64(Standard, Written), "hello world");
        check("aGVsbG8gd29ybGQ", Coding::Base64(UrlSafe, LeftOut), "hello world");
        check("YWI/YWI+YQ", Coding::Base64(Standard, LeftOut), "ab?ab>a");
        check("YWI_YWI-YQ==", Coding::Base64(UrlSafe, Written), "ab?ab>a");
        check("aGVsbG8h", Coding::Base64(Standard, Written), "hello!");
        check("4a6f7a", Coding::Hex(LetterCase::Lower, Charset::Utf8), "Joz");
        check("4A6F7A", Coding::Hex(LetterCase::Upper, Charset::Utf8), "Joz");
        check("004A00F6D83DDCAB", Coding::Hex(LetterCase::Upper, Charset::Ucs2), "Jö💫");
    }
}

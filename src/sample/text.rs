//! Text in its two readings, and the encodings logs put around it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::fmt::Write as _;

/// A piece of a record twice over: as the log has it, and as a perfect scrub would leave it (every
/// sensitive value a word in brackets). Written side by side, so that the two never drift apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pub real: String,
    pub oracle: String,
}

impl Text {
    /// The same in both readings: nothing sensitive in it.
    #[must_use]
    pub fn same(text: &str) -> Self {
        Text { real: text.to_owned(), oracle: text.to_owned() }
    }

    pub fn push(&mut self, text: &str) {
        self.real.push_str(text);
        self.oracle.push_str(text);
    }

    pub fn append(&mut self, other: &Text) {
        self.real.push_str(&other.real);
        self.oracle.push_str(&other.oracle);
    }

    pub fn clear(&mut self) {
        self.real.clear();
        self.oracle.clear();
    }

    /// Appends `other`, encoded.
    pub fn append_encoded(&mut self, other: &Text, encoding: Encoding) {
        encoding.write(&other.real, &mut self.real);
        encoding.write(&other.oracle, &mut self.oracle);
    }
}

/// How a value is written inside what surrounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Raw,
    /// Inside a JSON string, letters as they are.
    Json,
    /// Inside a JSON string, everything beyond ASCII as `\uXXXX`.
    JsonAscii,
    /// Percent, a space as `%20`.
    Url,
    /// Percent, a space as `+`.
    Form,
    /// nginx's error log: bytes beyond ASCII as `\xHH`, and the query's own percent.
    Nginx,
    /// A logfmt value, in quotes where it needs them.
    Logfmt,
    /// Backslashes before quotes and backslashes.
    Quoted,
    /// RFC 5424 structured data: `]` too.
    StructuredData,
    /// Quotes doubled, line ends as spaces.
    Csv,
    Xml,
    /// A Python or JavaScript string in single quotes, quotes included.
    Repr,
    /// A Python bytes literal, quotes included.
    PyBytes,
    /// Hexadecimal of the UTF-8.
    Hex,
    /// The same, a space between bytes.
    HexSpaced,
    /// Hexadecimal of the UTF-16BE, upper case: what modems and gateways print.
    Ucs2,
    Base64,
    Base64Url,
}

impl Encoding {
    /// The encoding of that word in a template; `None` where there is none.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "raw" => Encoding::Raw,
            "json" => Encoding::Json,
            "jsonascii" => Encoding::JsonAscii,
            "url" => Encoding::Url,
            "form" => Encoding::Form,
            "nginx" => Encoding::Nginx,
            "lf" => Encoding::Logfmt,
            "q" => Encoding::Quoted,
            "sd" => Encoding::StructuredData,
            "csv" => Encoding::Csv,
            "xml" => Encoding::Xml,
            "repr" => Encoding::Repr,
            "pybytes" => Encoding::PyBytes,
            "hex" => Encoding::Hex,
            "hexspaced" => Encoding::HexSpaced,
            "ucs2" => Encoding::Ucs2,
            "b64" => Encoding::Base64,
            "b64url" => Encoding::Base64Url,
            _ => return None,
        })
    }

    /// Whether a plain search still finds a word written this way (backslashes undone).
    #[must_use]
    pub fn is_readable(self) -> bool {
        match self {
            Encoding::Raw
            | Encoding::Json
            | Encoding::JsonAscii
            | Encoding::Logfmt
            | Encoding::Quoted
            | Encoding::StructuredData
            | Encoding::Csv
            | Encoding::Repr => true,
            Encoding::Url
            | Encoding::Form
            | Encoding::Nginx
            | Encoding::Xml
            | Encoding::PyBytes
            | Encoding::Hex
            | Encoding::HexSpaced
            | Encoding::Ucs2
            | Encoding::Base64
            | Encoding::Base64Url => false,
        }
    }

    pub fn write(self, text: &str, out: &mut String) {
        match self {
            Encoding::Raw => out.push_str(text),
            Encoding::Json => json(text, false, out),
            Encoding::JsonAscii => json(text, true, out),
            Encoding::Url => percent(text, "%20", out),
            Encoding::Form => percent(text, "+", out),
            Encoding::Nginx => nginx(text, out),
            Encoding::Logfmt => logfmt(text, out),
            Encoding::Quoted => backslashed(text, &['"', '\\'], out),
            Encoding::StructuredData => backslashed(text, &['"', '\\', ']'], out),
            Encoding::Csv => csv(text, out),
            Encoding::Xml => xml(text, out),
            Encoding::Repr => {
                out.push('\'');
                backslashed(text, &['\'', '\\'], out);
                out.push('\'');
            }
            Encoding::PyBytes => py_bytes(text, out),
            Encoding::Hex => text.bytes().for_each(|b| hex_byte(b, out)),
            Encoding::HexSpaced => hex_spaced(text, out),
            Encoding::Ucs2 => {
                for unit in text.encode_utf16() {
                    let _ = write!(out, "{unit:04X}");
                }
            }
            Encoding::Base64 => STANDARD.encode_string(text, out),
            Encoding::Base64Url => URL_SAFE_NO_PAD.encode_string(text, out),
        }
    }
}

fn hex_byte(byte: u8, out: &mut String) {
    for nibble in [byte >> 4, byte & 15] {
        out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
    }
}

fn hex_spaced(text: &str, out: &mut String) {
    for (i, byte) in text.bytes().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        hex_byte(byte, out);
    }
}

/// The inside of a JSON string.
pub fn json(text: &str, ascii: bool, out: &mut String) {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\' && (!ascii || b < 0x80);
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 || (ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
}

fn percent(text: &str, space: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push_str(space),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

fn nginx(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'&' | b'\n' | b'#' | b'%' | b'+' => {
                let _ = write!(out, "%{byte:02X}");
            }
            b'"' | b'\\' | 0..0x20 | 0x7F.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
}

fn logfmt(text: &str, out: &mut String) {
    if !text.is_empty() && text.chars().all(|c| !c.is_whitespace() && c != '"' && c != '=') {
        out.push_str(text);
        return;
    }
    out.push('"');
    backslashed(text, &['"', '\\'], out);
    out.push('"');
}

fn backslashed(text: &str, special: &[char], out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            c => {
                if special.contains(&c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
    }
}

fn csv(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '"' => out.push_str("\"\""),
            c => out.push(c),
        }
    }
}

fn xml(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

fn py_bytes(text: &str, out: &mut String) {
    out.push_str("b'");
    for byte in text.bytes() {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\'' => out.push_str("\\'"),
            b'\n' => out.push_str("\\n"),
            0x20..0x7F => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_writes_what_its_log_does() {
        let cases = [
            (Encoding::Json, "a\"é\n", "a\\\"é\\n"),
            (Encoding::JsonAscii, "é😀", "\\u00e9\\ud83d\\ude00"),
            (Encoding::Url, "+1 é", "%2B1%20%C3%A9"),
            (Encoding::Form, "+1 é", "%2B1+%C3%A9"),
            (Encoding::Nginx, "a é&", "a+\\xC3\\xA9%26"),
            (Encoding::Logfmt, "plain", "plain"),
            (Encoding::Logfmt, "two words", "\"two words\""),
            (Encoding::StructuredData, "a]\"", "a\\]\\\""),
            (Encoding::Csv, "a \"b\"\n", "a \"\"b\"\" "),
            (Encoding::Xml, "<a & b>", "&lt;a &amp; b&gt;"),
            (Encoding::Repr, "it's", "'it\\'s'"),
            (Encoding::PyBytes, "é", "b'\\xc3\\xa9'"),
            (Encoding::Hex, "Az", "417a"),
            (Encoding::HexSpaced, "Az", "41 7a"),
            (Encoding::Ucs2, "Aé", "004100E9"),
            (Encoding::Base64, "ab", "YWI="),
        ];
        for (encoding, text, expected) in cases {
            let mut out = String::new();
            encoding.write(text, &mut out);
            assert_eq!(out, expected, "{encoding:?}");
        }
    }
}

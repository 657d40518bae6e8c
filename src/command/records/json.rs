//! The little JSON that a record line needs: a cursor over its bytes, and a writer.

use super::{Piece, Place};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Standard alphabet; written with padding, read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads a line from left to right. Every method that returns `None` found something else than it
/// was asked for.
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
    decoded: &'a mut Vec<u8>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a [u8], decoded: &'a mut Vec<u8>) -> Self {
        Cursor { line, at: 0, decoded }
    }

    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    pub(super) fn bytes(&self, piece: Piece) -> &[u8] {
        piece.of(self.line, self.decoded)
    }

    pub(super) fn skip_space(&mut self) {
        let space = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        self.at += space.count();
    }

    /// Steps over spaces and the byte, if it stands there.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.rest().first() == Some(&byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    /// Nothing but space follows.
    pub(super) fn end(&mut self) -> Option<()> {
        self.skip_space();
        self.rest().is_empty().then_some(())
    }

    pub(super) fn null(&mut self) -> bool {
        let there = self.rest().starts_with(b"null");
        self.at += if there { 4 } else { 0 };
        there
    }

    pub(super) fn string_or_null(&mut self) -> Option<Option<Piece>> {
        if self.null() { Some(None) } else { self.string().map(Some) }
    }

    pub(super) fn base64_or_null(&mut self) -> Option<Option<Piece>> {
        if self.null() {
            return Some(None);
        }
        let written = self.string()?;
        let text = self.bytes(written).to_vec();
        let start = self.decoded.len();
        BASE64.decode_vec(&text, self.decoded).ok()?;
        Some(Some(Piece { place: Place::Decoded, start, end: self.decoded.len() }))
    }

    /// Any value: where its JSON starts and ends.
    pub(super) fn token(&mut self) -> Option<Piece> {
        let start = self.at;
        let rest = self.rest();
        let end = match rest {
            [b'"', ..] => {
                // Read leniently, as `string` does; what was decoded on the way is not needed here.
                let mark = self.decoded.len();
                self.string()?;
                self.decoded.truncate(mark);
                self.at
            }
            _ => {
                // Ignoring a value never recurses in serde_json, however deep the value is.
                let values = serde_json::Deserializer::from_slice(rest);
                let mut values = values.into_iter::<serde::de::IgnoredAny>();
                values.next()?.ok()?;
                start + values.byte_offset()
            }
        };
        self.at = end;
        Some(Piece { place: Place::Line, start, end })
    }

    /// The string whose quotes stand at the ends of `token`.
    pub(super) fn string_at(&mut self, token: Piece) -> Option<Piece> {
        let after = std::mem::replace(&mut self.at, token.start);
        let string = self.string();
        self.at = after;
        string
    }

    /// A string's bytes. Without escapes they stand in the line itself.
    pub(super) fn string(&mut self) -> Option<Piece> {
        if self.rest().first() != Some(&b'"') {
            return None;
        }
        let start = self.at + 1;
        let stop = start + memchr::memchr2(b'"', b'\\', self.line.get(start..)?)?;
        if self.line.get(stop) == Some(&b'"') {
            self.at = stop + 1;
            return Some(Piece { place: Place::Line, start, end: stop });
        }
        let decoded_start = self.decoded.len();
        self.decoded.extend_from_slice(self.line.get(start..stop)?);
        self.at = stop;
        loop {
            let rest = self.rest();
            let plain = memchr::memchr2(b'"', b'\\', rest)?;
            self.decoded.extend_from_slice(rest.get(..plain)?);
            self.at += plain + 1;
            if rest.get(plain) == Some(&b'"') {
                break;
            }
            self.escape()?;
        }
        Some(Piece { place: Place::Decoded, start: decoded_start, end: self.decoded.len() })
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<()> {
        let letter = *self.rest().first()?;
        self.at += 1;
        let byte = match letter {
            b'"' | b'\\' | b'/' => letter,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(),
            _ => return None,
        };
        self.decoded.push(byte);
        Some(())
    }

    fn unicode_escape(&mut self) -> Option<()> {
        let unit = self.hex4()?;
        if (0xD800..0xDC00).contains(&unit) && self.rest().starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.hex4()?;
            if (0xDC00..0xE000).contains(&low) {
                push_code_point(self.decoded, 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
                return Some(());
            }
            self.at = before;
        }
        push_code_point(self.decoded, unit);
        Some(())
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let mut unit = 0;
        for digit in digits {
            unit = unit << 4 | char::from(*digit).to_digit(16)?;
        }
        self.at += 4;
        Some(unit)
    }
}

/// UTF-8; a lone surrogate becomes the three bytes that UTF-8 would give it (WTF-8), which is not
/// UTF-8, so that it leaves as base64.
fn push_code_point(to: &mut Vec<u8>, point: u32) {
    if let Some(char) = char::from_u32(point) {
        to.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        return;
    }
    let six_bits = |shift: u32| 0x80 | (point >> shift & 0x3F) as u8;
    to.extend_from_slice(&[0xE0 | (point >> 12 & 0x0F) as u8, six_bits(6), six_bits(0)]);
}

/// Whether the bytes are one JSON value, in UTF-8.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// Writes one object, member by member.
pub(super) struct Object<'a> {
    to: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn open(to: &'a mut Vec<u8>) -> Self {
        to.push(b'{');
        Object { to, first: true }
    }

    pub(super) fn close(self) {
        self.to.push(b'}');
    }

    fn name(&mut self, name: &[u8]) {
        if !std::mem::replace(&mut self.first, false) {
            self.to.push(b',');
        }
        write_string(name, self.to);
        self.to.push(b':');
    }

    /// A member whose value is JSON already.
    pub(super) fn json(&mut self, name: &[u8], json: &[u8]) {
        self.name(name);
        self.to.extend_from_slice(json);
    }

    pub(super) fn string(&mut self, name: &[u8], value: &[u8]) {
        self.name(name);
        write_string(value, self.to);
    }

    /// `name`, or `name_b64` where the bytes are not UTF-8, or `null`.
    pub(super) fn text_or_base64(&mut self, name: &str, value: Option<&[u8]>) {
        match value {
            None => self.json(name.as_bytes(), b"null"),
            Some(value) if std::str::from_utf8(value).is_ok() => self.string(name.as_bytes(), value),
            Some(value) => {
                self.name(format!("{name}_b64").as_bytes());
                write_base64(value, self.to);
            }
        }
    }

    /// `headers`, or `headers_b64` where a value is not UTF-8.
    pub(super) fn headers<'h>(
        &mut self,
        headers: impl Iterator<Item = (&'h [u8], Option<&'h [u8]>)> + Clone,
    ) {
        let text = headers.clone().all(|(_, value)| std::str::from_utf8(value.unwrap_or_default()).is_ok());
        self.name(if text { b"headers" } else { b"headers_b64" });
        self.to.push(b'[');
        for (place, (name, value)) in headers.enumerate() {
            self.to.extend_from_slice(if place == 0 { b"[" } else { b",[" });
            write_string(name, self.to);
            self.to.push(b',');
            match value {
                None => self.to.extend_from_slice(b"null"),
                Some(value) if text => write_string(value, self.to),
                Some(value) => write_base64(value, self.to),
            }
            self.to.push(b']');
        }
        self.to.push(b']');
    }
}

fn write_base64(bytes: &[u8], to: &mut Vec<u8>) {
    to.push(b'"');
    to.extend_from_slice(BASE64.encode(bytes).as_bytes());
    to.push(b'"');
}

/// A JSON string. Bytes that are not UTF-8 become U+FFFD: names have no base64 form.
fn write_string(bytes: &[u8], to: &mut Vec<u8>) {
    to.push(b'"');
    for chunk in bytes.utf8_chunks() {
        write_escaped(chunk.valid().as_bytes(), to);
        if !chunk.invalid().is_empty() {
            to.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
    to.push(b'"');
}

fn write_escaped(text: &[u8], to: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(plain) = rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')) {
        let (before, after) = rest.split_at(plain);
        to.extend_from_slice(before);
        let Some((byte, after)) = after.split_first() else { return };
        match byte {
            b'"' | b'\\' => to.extend_from_slice(&[b'\\', *byte]),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            b'\t' => to.extend_from_slice(b"\\t"),
            _ => to.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    to.extend_from_slice(rest);
}

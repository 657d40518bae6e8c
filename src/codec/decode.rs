//! Escapes undone, with the way back: for every decoded byte, the offset it came from.
//!
//! The offsets are those of the outermost text (the record's part), whatever the depth, so that a
//! finding in the innermost text is a span of the record at once.

/// From offsets in some text to offsets in the record's part.
#[derive(Clone, Copy, Debug)]
pub enum Map<'a> {
    /// The text stands in the part as it is, from this offset on.
    Base(u32),
    /// The text was decoded: entry `i` is where byte `i` came from; one entry more than bytes.
    Table(&'a [u32]),
}

impl Map<'_> {
    /// Where the byte at `offset` came from; an offset at or past the end gives the end.
    #[must_use]
    pub fn at(&self, offset: usize) -> u32 {
        match self {
            Map::Base(base) => base.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)),
            Map::Table(table) => table.get(offset).or(table.last()).copied().unwrap_or(0),
        }
    }

    /// Where the byte stands in the text that came from `place` in the part; `None` where none did.
    #[must_use]
    pub fn back(&self, place: u32) -> Option<usize> {
        match self {
            Map::Base(base) => usize::try_from(place.checked_sub(*base)?).ok(),
            Map::Table(table) => {
                let at = table.partition_point(|from| *from < place);
                (table.get(at) == Some(&place)).then_some(at)
            }
        }
    }
}

/// A decoded text. The buffers are kept from record to record.
#[derive(Debug, Default)]
pub struct Decoded {
    pub bytes: Vec<u8>,
    /// One entry per byte, and one for the end.
    pub from: Vec<u32>,
}

impl Decoded {
    fn clear(&mut self) {
        self.bytes.clear();
        self.from.clear();
    }

    fn push(&mut self, byte: u8, from: u32) {
        self.bytes.push(byte);
        self.from.push(from);
    }

    /// Bytes that stand in the text that `map` maps as they are, from `start` on.
    fn push_run(&mut self, bytes: &[u8], start: usize, map: Map<'_>) {
        self.bytes.extend_from_slice(bytes);
        let places = start..start + bytes.len();
        match map {
            Map::Base(_) => self.from.extend(map.at(places.start)..map.at(places.end)),
            Map::Table(table) if let Some(own) = table.get(places.clone()) => {
                self.from.extend_from_slice(own)
            }
            Map::Table(_) => self.from.extend(places.map(|place| map.at(place))),
        }
    }

    fn push_char(&mut self, c: char, from: u32) {
        let mut utf8 = [0; 4];
        for byte in c.encode_utf8(&mut utf8).bytes() {
            self.push(byte, from);
        }
    }
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    match byte? {
        b @ b'0'..=b'9' => Some(b - b'0'),
        b @ b'a'..=b'f' => Some(b - b'a' + 10),
        b @ b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hex digits at `pos` stand for.
#[must_use]
pub fn hex_byte(text: &[u8], pos: usize) -> Option<u8> {
    Some(hex(text.get(pos))? << 4 | hex(text.get(pos + 1))?)
}

fn hex_unit(text: &[u8], pos: usize) -> Option<u16> {
    Some(u16::from(hex_byte(text, pos)?) << 8 | u16::from(hex_byte(text, pos + 2)?))
}

/// Undoes backslash escapes: JSON's (RFC 8259 §7), and `\xHH` and `\'` as nginx, Python and
/// JavaScript write them. A lone surrogate becomes U+FFFD; an unknown escape keeps its backslash.
/// `at` is where `text` begins in the text that `map` maps.
pub fn backslashes(text: &[u8], at: usize, map: Map<'_>, out: &mut Decoded) {
    out.clear();
    let mut pos = 0;
    loop {
        let plain = text.get(pos..).unwrap_or_default();
        let plain = plain.get(..memchr::memchr(b'\\', plain).unwrap_or(plain.len())).unwrap_or_default();
        out.push_run(plain, at + pos, map);
        pos += plain.len();
        if pos >= text.len() {
            break;
        }
        let from = map.at(at + pos);
        let (decoded, len) = match text.get(pos + 1) {
            Some(b'n') => ('\n', 2),
            Some(b't') => ('\t', 2),
            Some(b'r') => ('\r', 2),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b @ (b'"' | b'\\' | b'/' | b'\'')) => (char::from(*b), 2),
            Some(b'u') => unicode_escape(text, pos).unwrap_or(('\\', 1)),
            Some(b'x') => {
                // A raw byte, not a character: UTF-8 sequences come in several of them.
                if let Some(raw) = hex_byte(text, pos + 2) {
                    out.push(raw, from);
                    pos += 4;
                    continue;
                }
                ('\\', 1)
            }
            _ => ('\\', 1),
        };
        out.push_char(decoded, from);
        pos += len;
    }
    out.from.push(map.at(at + text.len()));
}

/// The character and the length of a `\uXXXX` escape or of a surrogate pair of two at `pos`.
#[must_use]
pub fn unicode_escape(text: &[u8], pos: usize) -> Option<(char, usize)> {
    let first = hex_unit(text, pos + 2)?;
    if (0xD800..0xDC00).contains(&first)
        && text.get(pos + 6) == Some(&b'\\')
        && text.get(pos + 7) == Some(&b'u')
        && let Some(second) = hex_unit(text, pos + 8)
        && let Some(Ok(c)) = char::decode_utf16([first, second]).next()
        && (0xDC00..0xE000).contains(&second)
    {
        return Some((c, 12));
    }
    Some((char::from_u32(u32::from(first)).unwrap_or('\u{FFFD}'), 6))
}

/// Undoes percent-encoding (RFC 3986 §2.1) and, in query and form text, `+` for a space. `skip` gives
/// the end of something at a `[` that is copied as it is (our own placeholders).
pub fn percent(
    text: &[u8],
    at: usize,
    map: Map<'_>,
    skip: &dyn Fn(usize) -> Option<usize>,
    out: &mut Decoded,
) {
    out.clear();
    let mut pos = 0;
    let mut verbatim = 0;
    while let Some(&byte) = text.get(pos) {
        let from = map.at(at + pos);
        if byte == b'['
            && pos >= verbatim
            && let Some(end) = skip(pos)
        {
            verbatim = end;
        }
        match byte {
            _ if pos < verbatim => {
                out.push(byte, from);
                pos += 1;
            }
            b'%' => match hex_byte(text, pos + 1) {
                Some(raw) => {
                    out.push(raw, from);
                    pos += 3;
                }
                None => {
                    out.push(b'%', from);
                    pos += 1;
                }
            },
            b'+' => {
                out.push(b' ', from);
                pos += 1;
            }
            b'\\' if text.get(pos + 1) == Some(&b'x') && hex_byte(text, pos + 2).is_some() => {
                out.push(hex_byte(text, pos + 2).unwrap_or(b'?'), from);
                pos += 4;
            }
            _ => {
                out.push(byte, from);
                pos += 1;
            }
        }
    }
    out.from.push(map.at(at + text.len()));
}

/// Hex digits in pairs, upper or lower case, single spaces or colons between pairs allowed; appended
/// to `out`. `false`, and nothing appended, where the text is something else.
pub fn hex_run(text: &[u8], out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    let mut pos = 0;
    while pos < text.len() {
        if matches!(text.get(pos), Some(b' ' | b':')) && pos > 0 {
            pos += 1;
            continue;
        }
        let Some(byte) = hex_byte(text, pos) else {
            out.truncate(begin);
            return false;
        };
        out.push(byte);
        pos += 2;
    }
    out.len() > begin
}

/// Base64 in the standard or the URL-safe alphabet (RFC 4648 §4, §5), padding optional; appended to
/// `out`. `false`, and nothing appended, where the text is something else.
pub fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    use ::base64::Engine as _;
    use ::base64::engine::DecodePaddingMode::Indifferent;
    use ::base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&::base64::alphabet::STANDARD, CONFIG);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&::base64::alphabet::URL_SAFE, CONFIG);
    let begin = out.len();
    let engine = if text.iter().any(|b| matches!(b, b'-' | b'_')) { &URL_SAFE } else { &STANDARD };
    if engine.decode_vec(text, out).is_ok() && out.len() > begin {
        return true;
    }
    out.truncate(begin);
    false
}

/// UTF-16 in big-endian order (GSM's UCS-2) as UTF-8, appended to `out`; `false`, and nothing
/// appended, where less than nine in ten units are plausible text.
pub fn ucs2(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let begin = out.len();
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u16::from(*high) << 8 | u16::from(*low),
        _ => unreachable!("chunks_exact(2) gives pairs"),
    });
    let (mut all, mut odd) = (0usize, 0usize);
    for c in char::decode_utf16(units) {
        all += 1;
        let c = c.unwrap_or('\u{FFFD}');
        if c == '\u{FFFD}' || (c.is_control() && !c.is_whitespace()) || ('\u{E000}'..='\u{F8FF}').contains(&c)
        {
            odd += 1;
        }
        let mut utf8 = [0; 4];
        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
    if all == 0 || odd * 10 > all {
        out.truncate(begin);
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_lead_back() {
        let mut out = Decoded::default();
        backslashes(br#"a\u00e9\ud83d\udcab\"\x41\q"#, 3, Map::Base(10), &mut out);
        assert_eq!(out.bytes, "aé💫\"A\\q".as_bytes());
        assert_eq!(out.from.len(), out.bytes.len() + 1);
        assert_eq!(out.from.first(), Some(&13));
        assert_eq!(out.from.get(1), Some(&14));
        assert_eq!(out.from.last(), Some(&(13 + 27)));
    }

    #[test]
    fn lone_surrogates_become_the_replacement_character() {
        let mut out = Decoded::default();
        backslashes(br"\ud800x\udc00", 0, Map::Base(0), &mut out);
        assert_eq!(out.bytes, "\u{FFFD}x\u{FFFD}".as_bytes());
    }

    #[test]
    fn percent_and_plus() {
        let mut out = Decoded::default();
        percent(b"%2B1+a%zz%4", 0, Map::Base(0), &|_| None, &mut out);
        assert_eq!(out.bytes, b"+1 a%zz%4");
        assert_eq!(out.from, [0, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn hex_and_base64_or_nothing() {
        let mut out = Vec::new();
        assert!(hex_run(b"48 65 6c6C:6f", &mut out));
        assert_eq!(out, b"Hello");
        assert!(!hex_run(b"48 6", &mut out));
        assert_eq!(out, b"Hello");
        out.clear();
        assert!(base64(b"SGVsbG8", &mut out));
        assert_eq!(out, b"Hello");
        assert!(!base64(b"SGV$", &mut out));
    }
}

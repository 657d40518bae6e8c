//! Readings of a text: what an analyst sees who tries every cheap decoding.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The zeros of decimal digit blocks in Unicode (general category Nd), Basic Multilingual Plane.
const DIGIT_ZEROS: [u32; 25] = [
    0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0xA620, 0xABF0, 0xFF10,
];

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Invisible characters out; every decimal digit, full-width letter and odd space as its ASCII one.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        if is_invisible(c) {
            continue;
        }
        let code = c as u32;
        let folded = match c {
            '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(code - 0xFEE0).unwrap_or(c),
            c => DIGIT_ZEROS
                .iter()
                .find(|zero| (**zero..**zero + 10).contains(&code))
                .and_then(|zero| char::from_digit(code - zero, 10))
                .unwrap_or(c),
        };
        out.push(folded);
    }
    out
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '.' | '(' | ')' | '/' | '·' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Up to three separators between two digits left out: a number as its digits.
#[must_use]
pub fn squeeze(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut held: Vec<char> = Vec::new();
    let mut after_digit = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            if !(after_digit && held.len() <= 3) {
                out.extend(held.iter());
            }
            held.clear();
            out.push(c);
            after_digit = true;
        } else if after_digit && is_separator(c) {
            held.push(c);
        } else {
            out.extend(held.drain(..));
            out.push(c);
            after_digit = false;
        }
    }
    out.extend(held);
    out
}

/// Backslash escapes undone, up to three layers: JSON's, Python's, nginx's.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut now = text.to_owned();
    for _ in 0..3 {
        if !now.contains('\\') {
            break;
        }
        let next = unescape_once(&now);
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn hex_of(text: &str, from: usize, len: usize) -> Option<u32> {
    let digits = text.get(from..from + len)?;
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

fn unescape_once(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut units: Vec<u16> = Vec::new();
    let mut at = 0;
    let flush = |units: &mut Vec<u16>, out: &mut Vec<u8>| {
        if !units.is_empty() {
            out.extend_from_slice(String::from_utf16_lossy(units).as_bytes());
            units.clear();
        }
    };
    while let Some(&byte) = bytes.get(at) {
        let sign = bytes.get(at + 1).copied();
        if byte == b'\\'
            && sign == Some(b'u')
            && let Some(unit) = hex_of(text, at + 2, 4)
        {
            units.push(u16::try_from(unit).unwrap_or(0xFFFD));
            at += 6;
            continue;
        }
        flush(&mut units, &mut out);
        if byte == b'\\'
            && sign == Some(b'x')
            && let Some(code) = hex_of(text, at + 2, 2)
        {
            out.push(u8::try_from(code).unwrap_or(b'?'));
            at += 4;
            continue;
        }
        let plain = match sign {
            Some(s @ (b'"' | b'\'' | b'\\' | b'/')) => Some(s),
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(b't') => Some(b'\t'),
            Some(b'b') => Some(8),
            Some(b'f') => Some(12),
            _ => None,
        };
        match plain {
            Some(c) if byte == b'\\' => {
                out.push(c);
                at += 2;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    flush(&mut units, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent escapes undone once.
#[must_use]
pub fn unpercent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%'
            && let Some(code) = hex_of(text, at + 1, 2)
        {
            out.push(u8::try_from(code).unwrap_or(b'?'));
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn unentity(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, sign)| text.replace(entity, sign))
}

fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        rest = rest.strip_prefix('m').unwrap_or(rest);
    }
    out.push_str(rest);
    out
}

/// Text hidden in runs of hexadecimal and base64.
fn hidden(text: &str, out: &mut Vec<String>) {
    for run in hex_runs(text) {
        from_hex(&run, out);
    }
    let rows: String = text.lines().filter_map(dump_row).collect();
    if !rows.is_empty() {
        from_hex(&rows, out);
    }
    let in_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    for run in text.split(|c| !in_base64(c)).filter(|r| (16..1 << 16).contains(&r.len())) {
        let only_lower = run.bytes().all(|b| b.is_ascii_lowercase());
        if run.bytes().all(|b| b.is_ascii_digit()) || only_lower {
            continue;
        }
        let url = run.replace('+', "-").replace('/', "_");
        let whole = if url.len() % 4 == 1 { url.get(..url.len() - 1).unwrap_or_default() } else { &url };
        if let Ok(raw) = LENIENT.decode(whole)
            && (raw.iter().filter(|b| (32..127).contains(*b)).count() * 2 >= raw.len()
                || std::str::from_utf8(&raw).is_ok())
        {
            out.push(String::from_utf8_lossy(&raw).into_owned());
        }
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Runs of at least eight bytes in hexadecimal, single spaces or colons between bytes allowed.
fn hex_runs(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let is_hex = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let (mut runs, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let prefixed = bytes.get(..at).is_some_and(|before| before.ends_with(b"0x"));
        let glued = at > 0 && bytes.get(at - 1).is_some_and(u8::is_ascii_alphanumeric);
        if !is_hex(at) || glued && !prefixed {
            at += 1;
            continue;
        }
        let (mut run, mut end) = (String::new(), at);
        while is_hex(end) && is_hex(end + 1) {
            run.push_str(text.get(end..end + 2).unwrap_or_default());
            end += 2;
            if matches!(bytes.get(end), Some(b' ' | b':')) && is_hex(end + 1) && is_hex(end + 2) {
                end += 1;
            }
        }
        if run.len() >= 16 {
            runs.push(run);
        }
        at = end.max(at + 1);
    }
    runs
}

/// The bytes of a hex dump's line: the pairs at its end.
fn dump_row(line: &str) -> Option<String> {
    let pair = |w: &&str| w.len() == 2 && w.bytes().all(|b| b.is_ascii_hexdigit());
    let mut pairs: Vec<&str> = line.split(' ').rev().take_while(pair).collect();
    pairs.reverse();
    (pairs.len() >= 2).then(|| pairs.concat())
}

fn from_hex(run: &str, out: &mut Vec<String>) {
    let nibbles: Vec<u8> =
        run.chars().filter_map(|c| c.to_digit(16)).filter_map(|d| u8::try_from(d).ok()).collect();
    let raw: Vec<u8> = nibbles.chunks_exact(2).filter_map(|c| Some((c.first()? << 4) | c.get(1)?)).collect();
    for skip in [0, 1] {
        let units: Vec<u16> = raw
            .get(skip..)
            .unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|c| Some(u16::from_be_bytes([*c.first()?, *c.get(1)?])))
            .collect();
        out.push(String::from_utf16_lossy(&units));
    }
    out.push(String::from_utf8_lossy(&raw).into_owned());
    // SMS half-octets: digits swapped in pairs, F as filler.
    let swapped = run.as_bytes().chunks_exact(2).flat_map(|c| c.iter().rev().copied().collect::<Vec<u8>>());
    out.push(swapped.map(|b| if matches!(b, b'f' | b'F') { 'x' } else { char::from(b) }).collect());
}

/// Every cheap reading of one part of a record.
pub struct Reading {
    /// Undecoded but for backslashes and colours, folded: where what must stay is counted.
    pub plain: Vec<String>,
    /// All readings, folded, one after the other.
    pub all: String,
    /// The same in lower case.
    pub lower: String,
    /// The same with white space as single spaces.
    pub words: String,
    /// All readings, separators between digits left out.
    pub squeezed: String,
}

impl Reading {
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut views = vec![String::from_utf8_lossy(bytes).into_owned()];
        if std::str::from_utf8(bytes).is_err() {
            views.push(bytes.iter().map(|b| char::from(*b)).collect());
        }
        more(&mut views, |v| v.contains('\u{1b}').then(|| without_colours(v)));
        more(&mut views, |v| v.contains('\\').then(|| unescape(v)));
        let plain = views.iter().map(|v| fold(v)).collect();
        more(&mut views, |v| v.contains('%').then(|| unpercent(v)));
        more(&mut views, |v| v.contains('%').then(|| unpercent(v)));
        more(&mut views, |v| v.contains('&').then(|| unentity(v)));
        more(&mut views, |v| v.contains('+').then(|| v.replace('+', " ")));
        let mut found = Vec::new();
        views.iter().for_each(|v| hidden(v, &mut found));
        // One layer more: what was hidden may itself be escaped or percent-encoded.
        more(&mut found, |v| v.contains('\\').then(|| unescape(v)));
        views.extend(found);
        let all = fold(&views.join("\0"));
        let lower = all.to_lowercase();
        let words = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        let squeezed = squeeze(&all);
        Reading { plain, all, lower, words, squeezed }
    }
}

fn more(views: &mut Vec<String>, other: impl Fn(&str) -> Option<String>) {
    let new: Vec<String> = views.iter().filter_map(|v| other(v)).collect();
    for view in new {
        if !views.contains(&view) {
            views.push(view);
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// Occurrences of `value` that are not glued to an ASCII letter or digit.
#[must_use]
pub fn count_token(text: &str, value: &str) -> usize {
    occurrences(text, value, is_word_byte)
}

/// The same for what must stay: a unit may be glued to a number's end (`1200ms`).
#[must_use]
pub fn count_stay(text: &str, value: &str) -> usize {
    let ends_in_digit = value.bytes().next_back().is_some_and(|b| b.is_ascii_digit());
    occurrences(text, value, |next| if ends_in_digit { next.is_ascii_digit() } else { is_word_byte(next) })
}

fn occurrences(text: &str, value: &str, glued_after: impl Fn(u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let head = value.bytes().next().is_some_and(is_word_byte);
    let tail = value.bytes().next_back().is_some_and(is_word_byte);
    let mut count = 0;
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, value.as_bytes())) {
        let (start, end) = (from + found, from + found + value.len());
        let before = start.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(|b| is_word_byte(*b));
        let after = bytes.get(end).is_some_and(|b| glued_after(*b));
        if !(head && before || tail && after) {
            count += 1;
        }
        from = start + 1;
        if value.is_empty() {
            break;
        }
    }
    count
}

/// How often a value that must stay stands in the text, by the reading that shows it most often.
#[must_use]
pub fn stay_count(plain: &[String], value: &str) -> usize {
    let value = fold(value);
    plain.iter().map(|view| count_stay(view, &value)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cheap_hiding_place_is_read() {
        let text = "secret words 123456 here";
        let hex = |upper: bool| -> String {
            text.bytes().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x} ") }).collect()
        };
        let ucs2: String = text.encode_utf16().map(|u| format!("{u:04X}")).collect();
        let b64 = base64::engine::general_purpose::STANDARD.encode(text);
        let cases = [
            text.to_owned(),
            r#"{"m":"{\"t\":\"secret words \u0031\u00323456 here\"}"}"#.to_owned(),
            "q=secret%20words%20123456+here".to_owned(),
            "q=secret%2520words%2520123456%2520here".to_owned(),
            format!("raw {}", hex(true)),
            format!("raw=0x{}", hex(true)),
            format!("dump {}", hex(false)),
            format!("pdu {ucs2}"),
            format!("blob={b64}"),
            "secret words \u{ff11}\u{ff12}\u{0663}\u{200b}456 here".to_owned(),
            "secret\u{a0}words 123456 h\u{1b}[31mere".to_owned(),
        ];
        for case in cases {
            assert!(Reading::new(case.as_bytes()).words.contains(text), "{case}");
        }
        assert!(!Reading::new(b"secret words 123457 here").words.contains(text));
    }

    #[test]
    fn a_swapped_number_is_read_back() {
        let read = Reading::new(b"0791 0011000B914151550510F2 00");
        assert!(read.all.contains("14155550012") || read.squeezed.contains("1415550"), "{}", read.all);
    }

    #[test]
    fn separators_between_digits_go_and_others_stay() {
        assert_eq!(squeeze("+1 (415) 555-0132, 7 a-b 1 - - 2"), "+14155550132, 7 a-b 1 - - 2");
    }

    #[test]
    fn tokens_are_counted_whole() {
        assert_eq!(count_token("ab 12 x12 12ms 12", "12"), 2);
        assert_eq!(count_stay("ab 12 x12 12ms 12", "12"), 3);
    }
}

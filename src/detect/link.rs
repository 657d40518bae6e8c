//! Links whose token is the code: `https://host/verify/Ab3x9k`, `…?code=482913`, and the same in a
//! request path without a host (`POST /otp/482913/check`).

use crate::detect::word_list::WordList;
use crate::detect::words;

/// Path words behind which a code stands.
static PATH_WORDS: WordList = WordList::new(words::code::LINK_PATHS);

/// Query parameters that carry one.
static PARAMETERS: WordList = WordList::new(words::code::LINK_PARAMETERS);

/// What stands in every text in which [`link_codes`] finds something, or ` link` does; in ASCII, in any case.
pub fn signs() -> impl Iterator<Item = String> {
    let segments = words::code::LINK_PATHS.iter().map(|word| format!("/{word}"));
    segments.chain(words::code::LINK_PARAMETERS.iter().map(|name| format!("{name}=")))
}

/// Tells where the codes of links stand in `text`, in order. Linear; allocates nothing.
pub fn link_codes(text: &[u8], out: &mut impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'/', text.get(at..).unwrap_or_default()) {
        let start = at + found;
        let end = start + extent(text.get(start..).unwrap_or_default());
        let address = text.get(start..end).unwrap_or_default();
        let path = if address.starts_with(b"//") {
            // past the host
            let host = address.get(2..).unwrap_or_default();
            start + 2 + host.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(host.len())
        } else {
            start
        };
        read_path(text, path, end, out);
        at = end.max(start + 1);
    }
}

/// Length of the address that `text` begins with.
fn extent(text: &[u8]) -> usize {
    let outside = |byte: &u8| OUTSIDE.get(usize::from(*byte)).copied().unwrap_or(true);
    text.iter().position(outside).unwrap_or(text.len())
}

/// Bytes that no address has: white space, quotes, closing brackets, control characters, and those beyond ASCII.
static OUTSIDE: [bool; 256] = outside();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn outside() -> [bool; 256] {
    let mut table = [true; 256];
    let mut byte = b'!';
    while byte < 0x7f {
        table[byte as usize] =
            matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b')' | b']' | b'}' | b'|' | b',');
        byte += 1;
    }
    table
}

fn read_path(text: &[u8], start: usize, end: usize, out: &mut impl FnMut(usize, usize)) {
    let address = text.get(start..end).unwrap_or_default();
    let query = address.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(address.len());
    let mut spoken = false;
    let mut at = start;
    for segment in address.get(..query).unwrap_or_default().split(|byte| *byte == b'/') {
        if is_secret(segment) && (spoken || is_announced(text, start)) {
            out(at, at + without_stop(segment));
        }
        spoken |= PATH_WORDS.holds(segment);
        at += segment.len() + 1;
    }
    at = start + query + 1;
    for parameter in
        address.get(query + 1..).unwrap_or_default().split(|byte| matches!(byte, b'&' | b';' | b'?'))
    {
        if let Some(equals) = memchr::memchr(b'=', parameter) {
            let (name, value) = parameter.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            let len = without_stop(value);
            // `/verify?c=482913`
            let short =
                spoken && name.len() == 1 && (4..=8).contains(&len) && value.iter().all(u8::is_ascii_digit);
            if len >= 4 && PARAMETERS.holds(name) || short {
                out(at + equals + 1, at + equals + 1 + len);
            }
        }
        at += parameter.len() + 1;
    }
}

/// `magic link https://…`, `reset link: https://…`: whether what stands before an address says that it carries a code.
/// `path` is where the address's path begins.
fn is_announced(text: &[u8], path: usize) -> bool {
    let head = text.get(path.saturating_sub(96)..path).unwrap_or_default();
    let Some(scheme) = head.windows(3).rposition(|part| part == b"://") else { return false };
    let word = |text: &[u8]| text.iter().rev().take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
    let head = head.get(..scheme).unwrap_or_default();
    let head = head.get(..head.len() - word(head)).unwrap_or_default().trim_ascii_end();
    let head = head.strip_suffix(b":").unwrap_or(head);
    let Some(head) = head.strip_suffix(b" link") else { return false };
    PATH_WORDS.holds(head.get(head.len() - word(head)..).unwrap_or_default())
}

/// A full stop or the like at the end belongs to the sentence, not to the link.
fn without_stop(value: &[u8]) -> usize {
    value.iter().rposition(|byte| !matches!(byte, b'.' | b';' | b':' | b'!' | b'?')).map_or(0, |at| at + 1)
}

/// Four to eight digits, letters with digits, or too long for a word. Longer digit runs are numbers of
/// other kinds.
fn is_secret(segment: &[u8]) -> bool {
    let segment = segment.get(..without_stop(segment)).unwrap_or_default();
    let digits = segment.iter().filter(|byte| byte.is_ascii_digit()).count();
    let plain =
        segment.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~'));
    if !plain {
        return false;
    }
    match segment.len() {
        4..=8 if digits == segment.len() => true,
        len if digits == len => false,
        5..=15 => digits >= 2 && !(segment.first() == Some(&b'v') && digits == segment.len() - 1),
        len => len >= 16 && (digits > 0 || segment.iter().any(u8::is_ascii_uppercase)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        link_codes(text.as_bytes(), &mut |start, end| out.push(&text[start..end]));
        out
    }

    #[test]
    fn where_addresses_end() {
        for byte in 0..=u8::MAX {
            let ends = byte.is_ascii_whitespace()
                || byte.is_ascii_control()
                || byte >= 0x80
                || br#""'<>`\)]}|,"#.contains(&byte);
            assert_eq!(extent(&[byte]) == 0, ends, "{byte}");
        }
    }

    #[test]
    fn tokens_of_links_are_codes() {
        assert_eq!(found("Tap https://tamaro.example/verify/Ab3x9k to go on."), ["Ab3x9k"]);
        assert_eq!(found("https://tamaro.example/in?code=482913&lang=de."), ["482913"]);
        assert_eq!(found("see https://t.example/?lang=de&token=ZmFrZXRva2Vu."), ["ZmFrZXRva2Vu"]);
        assert_eq!(found("\"POST /otp/482913/check HTTP/1.1\""), ["482913"]);
        assert_eq!(found("GET /verify/14155550142/482913"), ["482913"]);
        assert_eq!(found("https://t.example/magic/aGVsbG8td29ybGQtMTIz"), ["aGVsbG8td29ybGQtMTIz"]);
    }

    #[test]
    fn other_links_have_none() {
        for text in [
            "https://tamaro.example/orders/482913",
            "https://tamaro.example/verify/email",
            "https://tamaro.example/login?step=2&lang=de",
            "https://tamaro.example/?country=1234",
            "GET /v1/messages HTTP/1.1",
            "/",
            "//",
            "https://",
            "a/b?c",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}

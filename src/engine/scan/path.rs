//! Paths that stand for themselves, and codes in them.

use super::*;

/// Whether a slash is a path's first.
#[inline]
pub(super) fn opens_path(text: &[u8], at: usize) -> bool {
    let opens = at == 0 || matches!(bytes::before(text, at), b' ' | b'"' | b'\'' | b'=' | b'(' | b'\t');
    opens && bytes::is_letter(bytes::byte(text, at + 1))
}

/// A path that stands for itself, its query included: `/v1/messages?to=…` behind a space or a quote.
pub(super) fn path_at(text: &[u8], at: usize) -> Option<Span> {
    if !opens_path(text, at) {
        return None;
    }
    let is_path = |b: u8| {
        !matches!(b, b' ' | b'"' | b'\'' | b'<' | b'>' | b')' | b',' | b'\t' | b'\n' | b'\r' | b'\\' | b';')
    };
    let mut end = bytes::run_end(text, at, 4096, is_path);
    // The marker of SMS Retriever texts in a parameter.
    if text.get(end..end + 3) == Some(b"<#>") {
        end = bytes::run_end(text, end + 3, 4096, is_path);
    }
    // A question mark without a query behind it is the sentence's.
    end -= usize::from(end > at + 1 && bytes::before(text, end) == b'?');
    // A placeholder is a segment or a part of the query, else it stands behind the path.
    let path = bytes::run_end(text, at, end - at, |b| !matches!(b, b'[' | b'?'));
    let behind = bytes::byte(text, path) == b'[' && bytes::before(text, path) != b'/';
    let end = if behind { path } else { end };
    // Of `/srv/app/provider.js:4884:17` the place in the file is no part of a path.
    let folder = memchr::memrchr(b'/', text.get(at + 1..end)?).map(|slash| at + 1 + slash);
    let end = match folder {
        Some(slash) if safe::is_numbered_source(text.get(slash + 1..end)?) => slash,
        _ => end,
    };
    Some(Span::new(at, end))
}

/// `/verify/<number>/<code>`: the digits of the path segment behind a number.
pub(super) fn code_in_path(text: &[u8], number_end: usize) -> Option<Span> {
    if bytes::byte(text, number_end) != b'/' {
        return None;
    }
    let start = number_end + 1;
    let end = bytes::run_end(text, start, 11, bytes::is_digit);
    let whole = !bytes::is_alnum(bytes::byte(text, end));
    ((4..=10).contains(&(end - start)) && whole).then(|| Span::new(start, end))
}

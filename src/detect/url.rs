//! URLs with a scheme and `//`, and where their parts are.

use super::Hit;
use super::bytes::{
    before, byte, is_alnum, is_digit, is_high, is_letter, is_space, run_end, run_start, slice,
};
use crate::class::Class;
use crate::finding::Span;

/// Longer ones are cut: servers refuse them, and the scan must stay linear where `://` comes often.
const LONGEST: usize = 4096;

/// A URL in a text; every span in bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url {
    /// From the scheme to the last byte; a full stop or a bracket that closes a sentence is not in it.
    pub hit: Hit,
    pub scheme: Span,
    /// `user:password`, without the `@`; `None` where there is no user.
    pub userinfo: Option<Span>,
    /// Host name or address, brackets of an IPv6 address in it; without the port.
    pub host: Span,
    pub port: Option<Span>,
    /// From the first `/`, empty where there is none.
    pub path: Span,
    /// Between `?` and `#`, neither in it.
    pub query: Option<Span>,
    /// Behind `#`.
    pub fragment: Option<Span>,
}

/// The URL whose `://` is at `separator`: http, https, ws, wss, ftp, and every other scheme of letters,
/// digits, `+`, `-`, `.` (RFC 3986 §3.1).
#[must_use]
pub fn at(text: &[u8], separator: usize) -> Option<Url> {
    if slice(text, separator..separator.saturating_add(3)) != b"://" {
        return None;
    }
    let start = run_start(text, separator, 24, |b| is_alnum(b) || matches!(b, b'+' | b'-' | b'.'));
    let start = start + run_end(text, start, 24, |b| !is_letter(b)).saturating_sub(start);
    if start >= separator {
        return None;
    }
    let authority = separator + 3;
    let end = end_of(text, start, authority);
    let authority_end =
        run_end(text, authority, end.saturating_sub(authority), |b| !matches!(b, b'/' | b'?' | b'#'));
    let at_sign =
        slice(text, authority..authority_end).iter().rposition(|b| *b == b'@').map(|place| authority + place);
    let host = at_sign.map_or(authority, |place| place + 1);
    let (host_end, port) = host_and_port(text, host, authority_end);
    if host_end == host {
        return None;
    }
    let path_end = run_end(text, authority_end, end - authority_end, |b| b != b'?' && b != b'#');
    let query = (byte(text, path_end) == b'?' && path_end < end).then(|| {
        let stop = run_end(text, path_end + 1, end - path_end - 1, |b| b != b'#');
        Span::new(path_end + 1, stop)
    });
    let hash = query.map_or(path_end, Span::end);
    let fragment = (byte(text, hash) == b'#' && hash < end).then(|| Span::new(hash + 1, end));
    Some(Url {
        hit: Hit::new(Class::Url, start, end),
        scheme: Span::new(start, separator),
        userinfo: at_sign.map(|place| Span::new(authority, place)),
        host: Span::new(host, host_end),
        port,
        path: Span::new(authority_end, path_end),
        query,
        fragment,
    })
}

/// End of the URL: a space, a quote, `<`, `>`, or the bracket that closes what stands around it.
fn end_of(text: &[u8], start: usize, authority: usize) -> usize {
    let quoted = before(text, start) == b'\'';
    let mut depth = 0i32;
    let mut end = authority;
    let stop = authority.saturating_add(LONGEST).min(text.len());
    while end < stop {
        let next = byte(text, end);
        match next {
            b'(' => depth += 1,
            b')' if depth == 0 => break,
            b')' => depth -= 1,
            b'"' | b'<' | b'>' | b'`' | b'\\' | b'{' | b'}' | b'|' | b'^' => break,
            b'\'' if quoted => break,
            b']' if !in_brackets(text, authority, end) => break,
            _ if is_space(next) || next < b' ' || next == 0x7f => break,
            // Punctuation of Chinese and Japanese, which no URL holds unescaped.
            0xe3 if byte(text, end + 1) == 0x80 => break,
            0xef if matches!(byte(text, end + 1), 0xbc | 0xbd) => break,
            _ => {}
        }
        end += 1;
    }
    while end > authority && matches!(before(text, end), b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'') {
        end -= 1;
    }
    end
}

/// Whether the `]` closes an IPv6 address of the authority, or a bracket in the query (`a[0]=1`).
fn in_brackets(text: &[u8], authority: usize, close: usize) -> bool {
    let open = run_start(text, close, 64, |b| b != b'[' && b != b']');
    open > authority && before(text, open) == b'['
}

fn host_and_port(text: &[u8], host: usize, end: usize) -> (usize, Option<Span>) {
    let limit = end.saturating_sub(host);
    let host_end = if byte(text, host) == b'[' {
        let close = run_end(text, host, limit, |b| b != b']');
        (close + 1).min(end)
    } else {
        run_end(text, host, limit, |b| {
            is_alnum(b) || is_high(b) || matches!(b, b'.' | b'-' | b'_' | b'%' | b'*' | b',')
        })
    };
    let digits = run_end(text, host_end + 1, 6, is_digit).min(end);
    let port = byte(text, host_end) == b':' && host_end < end && digits > host_end + 1;
    (host_end, port.then(|| Span::new(host_end + 1, digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Option<Vec<String>> {
        let url = at(text.as_bytes(), text.find("://")?)?;
        let part = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        let maybe = |span: Option<Span>| span.map_or("-".to_owned(), part);
        Some(vec![
            part(url.hit.span),
            part(url.scheme),
            maybe(url.userinfo),
            part(url.host),
            maybe(url.port),
            part(url.path),
            maybe(url.query),
            maybe(url.fragment),
        ])
    }

    #[test]
    fn urls_and_their_parts() {
        for (text, want) in [
            (
                "see https://example.com/a/b?c=d#e.",
                "https://example.com/a/b?c=d#e https - example.com - /a/b c=d e",
            ),
            ("<http://example.com>", "http://example.com http - example.com -  - -"),
            ("(https://example.com/a(b))", "https://example.com/a(b) https - example.com - /a(b) - -"),
            ("'https://example.com/x'", "https://example.com/x https - example.com - /x - -"),
            ("ws://[2001:db8::1]:80/x,", "ws://[2001:db8::1]:80/x ws - [2001:db8::1] 80 /x - -"),
            ("[https://example.com]", "https://example.com https - example.com -  - -"),
            (
                "ftp://svc:p@w@example.com:21/f",
                "ftp://svc:p@w@example.com:21/f ftp svc:p@w example.com 21 /f - -",
            ),
            (
                "https://example.com?a[0]=1&b=2",
                "https://example.com?a[0]=1&b=2 https - example.com -  a[0]=1&b=2 -",
            ),
            ("链接https://example.com/x。", "https://example.com/x https - example.com - /x - -"),
            ("url=https://bücher.example/", "https://bücher.example/ https - bücher.example - / - -"),
        ] {
            assert_eq!(parts(text).map(|parts| parts.join(" ")), Some(want.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_url() {
        for (text, why) in
            [("://example.com", "no scheme"), ("https://", "no host"), ("https:///x", "no host")]
        {
            assert_eq!(parts(text), None, "{text}: {why}");
        }
    }
}

//! Messages that go by SIP (RFC 3428): the text stands behind the headers of a `MESSAGE` request.

use crate::finding::Span;
use memchr::memmem;

/// What parts a request's headers from its body (RFC 3261, section 7), as logs write line ends.
const GAPS: [&[u8]; 2] = [b"\r\n\r\n", b"\n\n"];

/// The text of the `MESSAGE` request that a record of several lines holds.
#[must_use]
pub fn message_text(text: &[u8]) -> Option<Span> {
    // Most records are one line.
    memchr::memchr(b'\n', text)?;
    let request = memmem::find(text, b"MESSAGE sip")?;
    let line = text.get(request..)?;
    let line = line.get(..memchr::memchr(b'\n', line)?)?;
    if !line.trim_ascii_end().ends_with(b" SIP/2.0") {
        return None;
    }
    let headers = text.get(request..)?;
    let gap = GAPS.iter().filter_map(|gap| Some((memmem::find(headers, gap)?, gap.len()))).min()?;
    let start = request + gap.0 + gap.1;
    let body = text.get(start..)?;
    let end = start + body.trim_ascii_end().len();
    (end > start).then(|| Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::message_text;

    #[test]
    fn the_text_stands_behind_the_headers() {
        for gap in ["\n\n", "\r\n\r\n"] {
            let line = &gap[..gap.len() / 2];
            let head = [
                "recv 512 bytes",
                "MESSAGE sip:ada@example.com SIP/2.0",
                "CSeq: 7 MESSAGE",
                "Content-Length: 16",
            ];
            let text = format!("{}{gap}see you at six\nor seven\n", head.join(line));
            let span = message_text(text.as_bytes()).expect("is there");
            assert_eq!(&text[span.start()..span.end()], "see you at six\nor seven");
        }
    }

    #[test]
    fn other_requests_have_no_text() {
        for text in [
            "MESSAGE sip:ada@example.com SIP/2.0",
            "MESSAGE sip:ada@example.com SIP/2.0\nCSeq: 7 MESSAGE\n",
            "INVITE sip:ada@example.com SIP/2.0\nCSeq: 7 INVITE\n\nv=0\n",
            "MESSAGE sip:ada@example.com failed\n\nretrying",
            "",
        ] {
            assert_eq!(message_text(text.as_bytes()), None, "{text}");
        }
    }
}

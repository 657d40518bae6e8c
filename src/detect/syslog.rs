//! The header of a syslog line.

/// RFC 5424, section 6.2: the time, the host, the program, its process's number and the message's kind.
const HEADER_WORDS: usize = 5;

/// Where the message or its structured data begins in a line with the header of RFC 5424 (`<165>1 2026-03-02T… host app
/// 57735 - `); 0 in any other line.
#[must_use]
pub fn header_end(line: &[u8]) -> usize {
    let Some(rest) = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"<") else { return 0 };
    let priority = rest.iter().take(3).take_while(|b| b.is_ascii_digit()).count();
    let Some(rest) = rest.get(priority..).and_then(|rest| rest.strip_prefix(b">1 ")) else { return 0 };
    // The time begins with a year, or is not known.
    if priority == 0 || !(rest.first().is_some_and(u8::is_ascii_digit) || rest.starts_with(b"- ")) {
        return 0;
    }
    let begin = line.len() - rest.len();
    let end = memchr::memchr_iter(b' ', rest).nth(HEADER_WORDS - 1).map_or(rest.len(), |at| at + 1);
    begin + end
}

#[cfg(test)]
mod tests {
    use super::header_end;

    #[test]
    fn a_header_ends_before_the_message() {
        for (line, message) in [
            ("<165>1 2026-03-02T10:11:12.003Z gw-1 otpd 57735 ID47 - code 482913", "- code 482913"),
            ("<34>1 - - otpd 57735 - [x@32473 a=\"1\"] sent", "[x@32473 a=\"1\"] sent"),
            ("<34>1 2026-03-02T10:11:12Z gw", ""),
            ("<34>Oct 11 22:14:15 gw su: failed", "<34>Oct 11 22:14:15 gw su: failed"),
            ("<34>1 code 482913", "<34>1 code 482913"),
            ("<b>1 2 3 4 5 6", "<b>1 2 3 4 5 6"),
            ("sent", "sent"),
            ("", ""),
        ] {
            assert_eq!(&line[header_end(line.as_bytes())..], message, "{line}");
        }
    }
}

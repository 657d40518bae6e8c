//! Accounts that the grammar of a line shows: the remote user of an access log, the user of a failed
//! login.

use super::bytes::{byte, find, is_alnum};
use crate::detect::words;
use crate::finding::Span;

/// Longest account name, in bytes.
const NAME_BYTES: usize = 64;

/// Words before an account's name in the messages of sshd, su, sudo, PAM and the like.
const ANNOUNCE: &[&str] = words::subject::ACCOUNTS;

/// Calls `out` with the account names of a line, in its order. `announced`: ` user `, ` for ` or ` in as `
/// stands in it, as in all announcements.
pub fn names(line: &[u8], announced: bool, out: &mut dyn FnMut(Span)) {
    if let Some(span) = remote_user(line) {
        out(span);
    }
    if !announced {
        return;
    }
    // `password for invalid user x` has two announcements: the name stands behind the last.
    for words in ANNOUNCE {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|rest| find(rest, words.as_bytes())) {
            let start = from + at + words.len() + 1;
            from = start;
            if line.get(start - 1) != Some(&b' ') {
                continue;
            }
            let len = line
                .get(start..)
                .unwrap_or_default()
                .iter()
                .take(NAME_BYTES)
                .take_while(|b| is_name(**b))
                .count();
            let span = Span::new(start, start + len);
            let name = span.of(line);
            let again = matches!(name, b"invalid" | b"illegal" | b"user");
            if len >= 2 && !again && !matches!(name, b"root" | b"unknown") {
                out(span);
            }
        }
    }
}

fn is_name(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'.' | b'_' | b'-' | b'@' | b'+' | b'\\' | b'$') || byte >= 0x80
}

/// The third field of the common log format: `host ident user [time]`.
fn remote_user(line: &[u8]) -> Option<Span> {
    let head = line.get(..line.len().min(256))?;
    let bracket = memchr::memchr_iter(b'[', head).find(|at| *at > 0 && byte(head, at - 1) == b' ')? - 1;
    if !byte(head, bracket + 2).is_ascii_digit() {
        return None;
    }
    let mut words = head.get(..bracket)?.rsplitn(4, |b| *b == b' ');
    let user = words.next()?;
    let ident = words.next()?;
    words.next()?;
    (ident == b"-" && user != b"-" && !user.is_empty()).then(|| Span::new(bracket - user.len(), bracket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &[&str]) {
        let mut got = Vec::new();
        names(line.as_bytes(), true, &mut |span| {
            got.push(String::from_utf8_lossy(span.of(line.as_bytes())).into_owned())
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn accounts() {
        check("192.0.2.7 - ops.jane [06/May/2026:10:51:55 +0000] \"GET / HTTP/1.1\" 200", &["ops.jane"]);
        check("192.0.2.7 - - [06/May/2026:10:51:55 +0000] \"GET / HTTP/1.1\" 200", &[]);
        check("Failed password for invalid user admin7 from 192.0.2.7 port 1 ssh2", &["admin7"]);
        check("Accepted publickey for deploy from 192.0.2.7", &["deploy"]);
        check("a - b [x] c", &[]);
    }
}

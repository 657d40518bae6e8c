//! What a function was called with whose name says what: `Auth->login('ada@example.com', 'hunter2')`, as traces of PHP,
//! Python and Ruby print it.

use super::bytes::{byte, is_alnum, is_digit, run_end, run_start, slice};
use crate::detect::word_list::WordList;
use crate::detect::words::{code, credential};
use crate::finding::Span;

/// Arguments that are read of a call.
const ARGUMENTS: usize = 8;
/// Bytes of an argument.
const LONGEST: usize = 256;
/// Bytes of a call: calls may stand in calls without end.
const CALL: usize = 2048;

/// Which arguments open a door.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    /// Behind whose it is.
    Second,
    /// Behind where it opens, and whose it is.
    Third,
    All,
}

/// Calls `out` with the secrets that functions were called with.
pub fn secrets(text: &[u8], out: &mut dyn FnMut(Span)) {
    static SIGN_IN: WordList = WordList::new(credential::SIGN_IN_CALLS);
    static CONNECT: WordList = WordList::new(credential::CONNECT_CALLS);
    static PASSWORD: WordList = WordList::new(credential::PASSWORD_CALLS);
    for open in memchr::memchr_iter(b'(', text) {
        let start = run_start(text, open, 48, |b| is_alnum(b) || b == b'_');
        let name = slice(text, start..open);
        let secret = if SIGN_IN.holds(name) {
            Secret::Second
        } else if CONNECT.holds(name) {
            Secret::Third
        } else if PASSWORD.holds(name) {
            Secret::All
        } else {
            continue;
        };
        let mut count = 0;
        let call = text.get(..text.len().min(open + CALL)).unwrap_or_default();
        let arguments = Arguments { text: call, at: open + 1 };
        for value in arguments.take(ARGUMENTS) {
            count += 1;
            let wanted = match secret {
                Secret::Second => count == 2,
                Secret::Third => count == 3,
                Secret::All => true,
            };
            let word = value.of(text);
            if wanted && word.len() >= 4 && !word.contains(&b' ') && word.first() != Some(&b'[') {
                out(value);
            }
        }
    }
}

/// Calls `out` with the digits that a telephone exchange says to somebody: `SayDigits("SIP/trunk-1", "482913")`.
pub fn digits_said(text: &[u8], out: &mut dyn FnMut(Span)) {
    static SAY: WordList = WordList::new(code::SAY_CALLS);
    for open in memchr::memchr_iter(b'(', text) {
        let start = run_start(text, open, 24, |b| is_alnum(b) || b == b'_');
        if !SAY.holds(slice(text, start..open)) {
            continue;
        }
        let call = text.get(..text.len().min(open + CALL)).unwrap_or_default();
        let said = Arguments { text: call, at: open + 1 }.take(ARGUMENTS).last().or_else(|| {
            let end = run_end(text, open + 1, 16, is_digit);
            (byte(text, end) == b')').then(|| Span::new(open + 1, end))
        });
        let digits = |span: &Span| {
            let word = span.of(text);
            (3..=16).contains(&word.len())
                && word.iter().all(|b| is_alnum(*b) || matches!(b, b' ' | b'-' | b'*' | b'#'))
                && word.iter().any(u8::is_ascii_digit)
        };
        if let Some(span) = said.filter(digits) {
            out(span);
        }
    }
}

/// The arguments in quotes of a call.
struct Arguments<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Arguments<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let mut depth = 0;
        loop {
            let rest = self.text.get(self.at..self.text.len().min(self.at + LONGEST))?;
            let next = rest.iter().position(|b| matches!(b, b'\'' | b'"' | b'(' | b')' | b'\n'))?;
            let quote = byte(self.text, self.at + next);
            // `Object(Client)`
            if !matches!(quote, b'\'' | b'"') {
                match quote {
                    b'(' => depth += 1,
                    b')' if depth > 0 => depth -= 1,
                    _ => return None,
                }
                self.at += next + 1;
                continue;
            }
            let start = self.at + next + 1;
            let inside = self.text.get(start..self.text.len().min(start + LONGEST))?;
            let len = inside.iter().position(|b| *b == quote || *b == b'\n')?;
            self.at = start + len + 1;
            let end = byte(self.text, self.at);
            if matches!(end, b',' | b')' | b' ') {
                return Some(Span::new(start, start + len));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_that_are_said() {
        for (text, want) in [
            ("Executing [s@ivr:1] SayDigits(\"SIP/trunk-1\", \"482913\") in new stack", Some("482913")),
            ("SayDigits(482913)", Some("482913")),
            ("SayAlpha(\"PJSIP/x\", \"4K2-9Q\")", Some("4K2-9Q")),
            ("SayDigits(\"SIP/trunk\")", None),
            ("Playback(\"SIP/trunk-1\", \"482913\")", None),
        ] {
            let mut got = None;
            digits_said(text.as_bytes(), &mut |span| {
                got = Some(String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
            });
            assert_eq!(got.as_deref(), want, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let mut got = Vec::new();
        secrets(text.as_bytes(), &mut |span| {
            got.push(String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
        });
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn calls() {
        check("#1 Auth.php(88): Auth->login('ada@example.com', 'hunter2')", &["hunter2"]);
        check("client.sign_in(\"ada\", \"hunter2\", true)", &["hunter2"]);
        check("mysqli_connect('db.example', 'app', 'hunter2')", &["hunter2"]);
        check("password_verify('hunter2', '$2y$10$abc')", &["hunter2", "$2y$10$abc"]);
        check("ldap_bind(Object(LDAP), 'cn=ada', 'hunter2')", &["hunter2"]);
    }

    #[test]
    fn calls_in_calls_without_end() {
        let text = "login(".repeat(100_000);
        check(&text, &[]);
    }

    #[test]
    fn other_calls() {
        check("login('ada')", &[]);
        check("send('14155550132', 'hunter2')", &[]);
        check("login(ada, 7)", &[]);
        check("login failed (ada, 'x')", &[]);
        check("login('ada', '[CREDENTIAL]')", &[]);
        check("login('ada', 'open", &[]);
    }
}

//! What a function was called with whose name says what: `Auth->login('ada@example.com', 'hunter2')`, as traces of PHP,
//! Python and Ruby print it.

use super::bytes::{byte, is_alnum, run_start, slice};
use crate::detect::word_list::WordList;
use crate::detect::words::credential;
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

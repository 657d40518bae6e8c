//! Passwords between `://` and `@`, and the secret part of webhooks' addresses.

use super::hit;
use crate::detect::Hit;
use crate::detect::bytes::{byte, is_digit, is_quote, is_space, run_end, slice, tail};

/// Passwords are short; farther on an `@` belongs to something else.
const LONGEST: usize = 256;

/// The password in `scheme://user:password@host`, given the place of its `://`. The user may be missing
/// (`redis://:password@host`); the password may hold `@`, `#`, `/`, `?` though RFC 3986 wants them
/// escaped. A lone user that is itself a token (`https://<token>@host`) is found as well.
#[must_use]
pub fn url_password(text: &[u8], separator: usize) -> Option<Hit> {
    let user = authority(text, separator)?;
    let colon = run_end(text, user, 128, |b| !matches!(b, b':' | b'@' | b'/' | b'?' | b'#') && !ends(b));
    match byte(text, colon) {
        b'@' => {
            let name = slice(text, user..colon);
            let token = name.len() >= 20 && name.iter().any(|b| is_digit(*b));
            token.then(|| hit(user, colon))
        }
        b':' => {
            let at = password_end(text, colon + 1)?;
            (at > colon + 1).then(|| hit(colon + 1, at))
        }
        _ => None,
    }
}

/// The user in `scheme://user:password@host`: span of its bytes. Not a finding by itself.
#[must_use]
pub fn url_user(text: &[u8], separator: usize) -> Option<(usize, usize)> {
    let user = authority(text, separator)?;
    let password = url_password(text, separator)?;
    let end = password.span.start().saturating_sub(1);
    (end > user).then_some((user, end))
}

/// Hosts whose addresses are secrets, and what of the path is none. Sources: the services' pages on incoming
/// webhooks; gitleaks and trufflehog look for the same.
const WEBHOOKS: [(&[u8], &[u8]); 8] = [
    (b"hooks.slack.com", b"/services/"),
    (b"hooks.slack.com", b"/workflows/"),
    (b"hooks.slack.com", b"/triggers/"),
    (b"discord.com", b"/api/webhooks/"),
    (b"discordapp.com", b"/api/webhooks/"),
    (b".webhook.office.com", b"/webhookb2/"),
    (b"hooks.zapier.com", b"/hooks/catch/"),
    (b"maker.ifttt.com", b"/trigger/"),
];

/// What of a webhook's address whoever has it can post with, given the place of its `://`.
#[must_use]
pub fn webhook_secret(text: &[u8], separator: usize) -> Option<Hit> {
    let host = authority(text, separator)?;
    let path = run_end(text, host, 128, |b| b != b'/' && !ends(b));
    let name = slice(text, host..path);
    let (_, prefix) = WEBHOOKS.iter().find(|(known, prefix)| {
        let ending = name.len().checked_sub(known.len()).and_then(|from| name.get(from..));
        let whole = known.first() == Some(&b'.') || name.len() == known.len();
        whole
            && ending.is_some_and(|ending| ending.eq_ignore_ascii_case(known))
            && tail(text, path).starts_with(prefix)
    })?;
    let start = path + prefix.len();
    let end = run_end(text, start, 1024, |b| !ends(b) && !matches!(b, b'?' | b',' | b')' | b'[' | b';'));
    (end > start + 8).then(|| hit(start, end))
}

fn authority(text: &[u8], separator: usize) -> Option<usize> {
    (slice(text, separator..separator + 3) == b"://").then_some(separator + 3)
}

fn ends(byte: u8) -> bool {
    byte == 0 || is_space(byte) || is_quote(byte) || matches!(byte, b'<' | b'>' | b'\\')
}

/// The `@` that ends the password which starts at a place: the last one before the host's end.
fn password_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = None;
    let stop = start.saturating_add(LONGEST);
    for place in start..stop {
        match byte(text, place) {
            b'@' => at = Some(place),
            b'/' | b'?' => {
                let port = slice(text, start..place).iter().all(|b| is_digit(*b));
                if at.is_some() || port {
                    break;
                }
            }
            b',' | b';' | b')' | b']' | b'}' if at.is_some() => break,
            other if ends(other) => break,
            _ => {}
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Option<&str> {
        let hit = url_password(text.as_bytes(), text.find("://")?)?;
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn passwords_are_found_whole() {
        for (text, want) in [
            ("postgres://svc:hunter2@db.example:5432/app", "hunter2"),
            ("redis://:hunter2@cache.example", "hunter2"),
            ("https://svc:P@ss@db.example/x?mail=otto@example.com", "P@ss"),
            ("amqp://svc:a/b#c@mq.example/v", "a/b#c"),
            ("smtp://otto%40example.com:p%40ss@mail.example", "p%40ss"),
            ("\"mongodb+srv://svc:hunter2@a.example,b.example/db\"", "hunter2"),
            ("https://0123456789abcdef0123@git.example/r", "0123456789abcdef0123"),
            ("https://ghs1234567890abcdefgh:x-oauth-basic@git.example/r", "x-oauth-basic"),
        ] {
            assert_eq!(password(text), Some(want), "{text}");
        }
        let text = b"redis://svc:hunter2@cache.example";
        assert_eq!(url_user(text, 5), Some((8, 11)));
    }

    #[test]
    fn urls_without_one() {
        for (text, why) in [
            ("https://example.com/x", "no user"),
            ("https://example.com:8080/x?mail=otto@example.com", "a port, and an address behind"),
            ("https://otto@example.com/x", "no password"),
            ("https://svc:@example.com/x", "an empty password"),
            ("http://[2001:db8::1]:80/", "an address"),
            ("http://example.com:8080 otto@example.com", "a space between"),
        ] {
            assert_eq!(password(text), None, "{text}: {why}");
        }
    }
}

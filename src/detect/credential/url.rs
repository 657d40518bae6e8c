//! Passwords between `://` and `@`, and the secret part of webhooks' addresses.

use super::hit;
use crate::detect::bytes::{byte, is_alnum, is_digit, is_quote, is_space, run_end, run_start, slice, tail};
use crate::detect::word_list::WordList;
use crate::detect::{Hit, ip, words};
use crate::finding::Span;

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

/// `/v1/<key>/sms/send.json`: the key that stands in a path right behind the interface's version (Kavenegar's API), where
/// other paths say first what they are about. The path begins at `at`.
#[must_use]
pub fn path_key(text: &[u8], at: usize) -> Option<Hit> {
    let at = if tail(text, at).starts_with(b"/api/") { at + 4 } else { at };
    let version = tail(text, at).strip_prefix(b"/v")?;
    let digits = version.iter().take(3).take_while(|b| is_digit(**b) || **b == b'.').count();
    let start = at + 2 + digits + 1;
    let end = run_end(text, start, 129, is_alnum);
    let key = slice(text, start..end);
    let count = key.iter().filter(|b| is_digit(**b)).count();
    let drawn = (32..=128).contains(&key.len()) && count >= 4 && count + 4 <= key.len();
    let goes_on = byte(text, end) == b'/' && byte(text, end + 1).is_ascii_lowercase();
    (digits > 0 && byte(text, start - 1) == b'/' && drawn && goes_on).then(|| hit(start, end))
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

/// The account and its password before the `@` at `at` and a machine's address: `bind ops.ray/nebel42!@192.0.2.7`, as
/// SQL*Plus and SMPP clients are told.
#[must_use]
pub fn slash_account(text: &[u8], at: usize) -> Option<(Span, Span)> {
    /// Channels of telephone exchanges are written so, too: `SIP/provider1@192.0.2.7`.
    static CHANNELS: WordList = WordList::new(words::neighbours::CHANNELS);
    let v6 = || byte(text, at + 1) == b'[' && slice(text, at + 2..at + 8).contains(&b':');
    let v4 = ip::v4_at(text, at + 1).is_some_and(|hit| hit.span.start() == at + 1);
    if !v4 && !v6() {
        return None;
    }
    let secret =
        |b| b > b' ' && b < 0x7F && !matches!(b, b'/' | b'"' | b'\'' | b'=' | b':' | b'<' | b'(' | b'@');
    let start = run_start(text, at, 64, secret);
    let slash = start.checked_sub(1).filter(|slash| byte(text, *slash) == b'/')?;
    let password = slice(text, start..at);
    let letters = password.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let user_start = run_start(text, slash, 64, |b| is_alnum(b) || matches!(b, b'.' | b'_' | b'-'));
    let user = slice(text, user_start..slash);
    let opens = user_start == 0 || matches!(byte(text, user_start - 1), b' ' | b'"' | b'\'' | b'=' | b'(');
    let channel = CHANNELS.holds(user);
    let fits = password.len() >= 6 && letters > 0 && letters < password.len();
    (fits && opens && !channel && user.iter().any(u8::is_ascii_alphabetic))
        .then(|| (Span::new(user_start, slash), Span::new(start, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_behind_a_version() {
        let key = "6B7A8C9D0E1F2A3B4C5D6E7F8091A2B3";
        let found = |text: String| {
            let hit = path_key(text.as_bytes(), 0)?;
            Some(String::from_utf8_lossy(hit.span.of(text.as_bytes())).into_owned())
        };
        for path in [format!("/v1/{key}/sms/send.json"), format!("/api/v2.1/{key}/verify")] {
            assert_eq!(found(path.clone()).as_deref(), Some(key), "{path}");
        }
        for path in [
            format!("/v1/messages/{key}/events"),
            format!("/v1/{key}"),
            format!("/{key}/sms"),
            "/v1/organisationsandtheirsubaccounts/x".to_owned(),
            format!("/v1/{}/sms", &key[..30]),
        ] {
            assert_eq!(found(path.clone()), None, "{path}");
        }
    }

    #[test]
    fn accounts_before_a_slash() {
        let parts = |text: &str| {
            let at = text.find('@')?;
            let (user, password) = slash_account(text.as_bytes(), at)?;
            let part = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
            Some((part(user), part(password)))
        };
        let want = Some(("ops.ray".to_owned(), "nebel42!".to_owned()));
        assert_eq!(parts("bind ops.ray/nebel42!@192.0.2.7:2775 as transceiver"), want);
        for text in ["SIP/provider1@192.0.2.7", "git/repo1@v4", "a b/1@192.0.2.7", "x/y/name12@192.0.2.7"] {
            assert_eq!(parts(text), None, "{text}");
        }
    }

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

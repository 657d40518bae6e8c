//! Credentials: by their own shape ([`token_at`], [`pem_at`], [`opaque_at`]), by the word that announces
//! them ([`after_word`]), and in URLs ([`url_password`]).
//!
//! Left alone: UUIDs, trace and span ids, commit hashes and digests, message ids (`SM…`, `wamid.…`),
//! public certificates.

mod announced;
mod prefixes;
mod url;

pub use announced::{after_word, announces, curl_account, may_announce};
pub use url::{path_key, slash_account, url_password, url_user, webhook_secret};

use super::Hit;
use super::bytes::{
    Mix, before, byte, is_alnum, is_base64, is_digit, is_hex, is_letter, is_token, is_upper, reads, run_end,
    run_start, slice, starts_token,
};
use crate::class::Class;
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::finding::Span;

/// Longer runs are data, not tokens; the longest documented token (a JWT with many claims) stays below.
const LONGEST: usize = 8192;

/// Twice the block of an RSA key of 16,384 bits.
const LONGEST_KEY: usize = 32_768;

pub(super) fn hit(start: usize, end: usize) -> Hit {
    Hit::new(Class::Credential, start, end)
}

/// A credential whose own shape gives it away, from its first byte on: a documented prefix
/// (`ghp_…`), a JWT, a signed cookie, a Telegram bot token, `<word>_live_<random>`.
#[must_use]
pub fn token_at(text: &[u8], start: usize) -> Option<Hit> {
    let bot = is_digit(byte(text, start)) && is_after_bot(text, start);
    if !starts_token(text, start) && !bot {
        return None;
    }
    // `api.telegram.org/bot110201543:AAH…`
    if reads(text, start, b"bot") && is_after_bot(text, start + 3) {
        return bot_token_end(text, start + 3).map(|end| hit(start + 3, end));
    }
    let end = prefixes::known_end(text, start)
        .or_else(|| jwt_end(text, start))
        .or_else(|| signed_cookie_end(text, start))
        .or_else(|| bot_token_end(text, start))
        .or_else(|| long_end(text, start))?;
    // `<an installation's id>:APA91…`, Firebase Cloud Messaging.
    let named = before(text, start) == b':' && reads(text, start, b"apa91");
    let start = if named { run_start(text, start - 1, 64, is_token) } else { start };
    Some(hit(start, end))
}

/// `apns: pushed to <64 hexadecimal digits>`: whether a word before a run says that it is a device's push token.
#[must_use]
pub fn is_push_token(text: &[u8], run: Span) -> bool {
    /// How far before the run the word may stand, in bytes.
    const REACH: usize = 32;
    const WORDS: [&[u8]; 5] = [b"apns", b"apn ", b"push", b"device", b"fcm"];
    if run.len() != 64 {
        return false;
    }
    let near = slice(text, run.start().saturating_sub(REACH)..run.start());
    let line = near.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let speaks =
        |line: &[u8], word: &[u8]| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    // `device=handset-b layer 7f3a…`: what stands behind a field is another thing's, if it is not called a token.
    let behind = line.iter().rposition(|b| *b == b'=').and_then(|sign| {
        let space = line.get(sign..)?.iter().position(|b| *b == b' ')?;
        line.get(sign + space..)
    });
    WORDS.iter().any(|word| speaks(line, word))
        && behind.is_none_or(|behind| speaks(behind, b"tok") || WORDS.iter().any(|word| speaks(behind, word)))
}

/// Tokens that begin with a run of at least [`LONG`] letters, digits, dashes and underscores.
fn long_end(text: &[u8], start: usize) -> Option<usize> {
    if run_end(text, start, LONG, is_token) < start + LONG {
        return None;
    }
    discord_end(text, start).or_else(|| keyed_id_end(text, start)).or_else(|| named_token_end(text, start))
}

/// What [`named_token_end`] asks for; the others want more.
const LONG: usize = 20;

/// `eyJ…` (`{"` in base64): three parts of a JWT, five of a JWE, RFC 7515 §3.1 and RFC 7516 §3.1. The
/// signature may be empty.
fn jwt_end(text: &[u8], start: usize) -> Option<usize> {
    let inside = matches!(before(text, start), b'-' | b'.');
    if inside || !reads(text, start, b"eyj") || byte(text, start + 2) != b'J' {
        return None;
    }
    let header = run_end(text, start, LONGEST, is_token);
    if header < start + 10 || byte(text, header) != b'.' {
        return None;
    }
    let mut end = run_end(text, header + 1, LONGEST, is_token);
    let payload = end - header - 1;
    if byte(text, end) != b'.' || (payload < 8 && payload != 0) {
        return None;
    }
    for _ in 0..3 {
        if byte(text, end) != b'.' {
            break;
        }
        let stop = run_end(text, end + 1, LONGEST, is_token);
        if stop == end + 1 && payload > 0 {
            break;
        }
        end = stop;
    }
    Some(end)
}

/// `s:<value>.<signature>` as Express signs cookies, percent-encoded or not.
fn signed_cookie_end(text: &[u8], start: usize) -> Option<usize> {
    let width = if reads(text, start, b"s:") {
        2
    } else if reads(text, start, b"s%3a") {
        4
    } else {
        return None;
    };
    let dot = run_end(text, start + width, 256, is_token);
    let value = dot - start - width;
    let end = run_end(text, dot + 1, 256, |b| is_base64(b) || matches!(b, b'-' | b'_' | b'=' | b'%'));
    (byte(text, dot) == b'.' && value >= 16 && end - dot > 20).then_some(end)
}

/// `<8 to 10 digits>:<35 characters>`, a Telegram bot's token; in its URLs `bot` stands before.
fn bot_token_end(text: &[u8], start: usize) -> Option<usize> {
    let colon = run_end(text, start, 11, is_digit);
    if !(8..=10).contains(&(colon - start)) || byte(text, colon) != b':' {
        return None;
    }
    let end = run_end(text, colon + 1, 64, is_token);
    let random = Mix::of(slice(text, colon + 1..end)).is_random();
    (random && (33..=37).contains(&(end - colon - 1))).then_some(end)
}

/// `<id in base64>.<6 characters>.<27 or more>`, a Discord bot's token (Discord API reference, "Bot users").
fn discord_end(text: &[u8], start: usize) -> Option<usize> {
    let id = run_end(text, start, 29, is_token);
    let time = run_end(text, id + 1, 8, is_token);
    let end = run_end(text, time + 1, 64, is_token);
    let dotted = byte(text, id) == b'.' && byte(text, time) == b'.';
    let parts = (24..=28).contains(&(id - start)) && time - id == 7 && (27..=45).contains(&(end - time - 1));
    (dotted && parts && Mix::of(slice(text, start..id)).is_random()).then_some(end)
}

/// `<32 hex digits>-us12`, a Mailchimp key; `sdk-<UUID>` and `mob-<UUID>`, those of LaunchDarkly.
fn keyed_id_end(text: &[u8], start: usize) -> Option<usize> {
    let hex = run_end(text, start, 33, is_hex);
    if hex - start == 32 && reads(text, hex, b"-us") {
        let end = run_end(text, hex + 3, 3, is_digit);
        return ((1..=2).contains(&(end - hex - 3)) && !is_alnum(byte(text, end))).then_some(end);
    }
    let named = reads(text, start, b"sdk-") || reads(text, start, b"mob-");
    (named && is_uuid(slice(text, start + 4..start + 40))).then_some(start + 40)
}

fn is_after_bot(text: &[u8], start: usize) -> bool {
    super::bytes::ends_before(text, start, b"/bot")
}

/// `acme_live_q7Zk…`, `tok-q7Zk…`: words of which one means a secret, then a random part.
fn named_token_end(text: &[u8], start: usize) -> Option<usize> {
    static WORDS: WordList = WordList::new(words::credential::TOKEN_PARTS);
    let end = run_end(text, start, 256, is_token);
    if end - start < LONG || !is_letter(byte(text, start)) {
        return None;
    }
    let mut part = start;
    let mut means_secret = false;
    for _ in 0..3 {
        let stop = run_end(text, part, 12, is_alnum);
        if !matches!(byte(text, stop), b'_' | b'-') {
            return None;
        }
        means_secret |= WORDS.holds(slice(text, part..stop));
        part = stop + 1;
        if means_secret && is_random_run(slice(text, part..end)) {
            return Some(end);
        }
    }
    None
}

/// Drawn at random and no id of a known form: 16 characters or more, either of both cases with digits,
/// or lower case and digits without a separator (names of pods have separators).
fn is_random_run(run: &[u8]) -> bool {
    let mix = Mix::of(run);
    if run.len() < 16 || is_uuid(run) {
        return false;
    }
    let plain = mix.others == 0 && mix.digits >= 3 && mix.letters() >= 3 && mix.changes * 10 >= run.len() * 3;
    mix.is_random() || plain
}

/// 8-4-4-4-12 hex digits.
fn is_uuid(run: &[u8]) -> bool {
    run.len() == 36
        && run.iter().enumerate().all(
            |(place, b)| {
                if matches!(place, 8 | 13 | 18 | 23) { *b == b'-' } else { is_hex(*b) }
            },
        )
}

/// Whether all of it is hex in a length that digests, trace ids and commits have.
fn is_digest(run: &[u8]) -> bool {
    matches!(run.len(), 7 | 8 | 16 | 32 | 40 | 56 | 64 | 96 | 128) && run.iter().all(|b| is_hex(*b))
}

/// A private key's block, from its first dash to the last of its `END` line. Without an `END` line, as in
/// a cut log line, to the end of what can be its content. Certificates and public keys are public.
#[must_use]
pub fn pem_at(text: &[u8], start: usize) -> Option<Hit> {
    const BEGIN: &[u8] = b"-----begin ";
    if !reads(text, start, BEGIN) || before(text, start) == b'-' {
        return None;
    }
    let label = start + BEGIN.len();
    let label_end = run_end(text, label, 64, |b| is_upper(b) || is_digit(b) || b == b' ');
    let name = slice(text, label..label_end);
    let private = name.windows(11).any(|part| part == b"PRIVATE KEY");
    if !private || !reads(text, label_end, b"-----") {
        return None;
    }
    let body = label_end + 5;
    let longest = slice(text, body..text.len().min(body + LONGEST_KEY));
    let end = match memchr::memmem::find(longest, b"-----END ") {
        Some(offset) => {
            let close = run_end(text, body + offset + 9, 64, |b| is_upper(b) || is_digit(b) || b == b' ');
            run_end(text, close, 5, |b| b == b'-')
        }
        None => run_end(text, body, LONGEST_KEY, |b| {
            is_base64(b) || matches!(b, b'=' | b'\n' | b'\r' | b' ' | b'\\' | b'-' | b':' | b',')
        }),
    };
    Some(hit(start, end))
}

/// A run that nothing announces and that can hardly be anything but a key or an encrypted value: 40
/// characters of base64 or more, random, and no path, digest, image, message id. The caller decides
/// whether its place lets a content hash or an encoded text stand there.
#[must_use]
pub fn opaque_at(text: &[u8], start: usize) -> Option<Hit> {
    let last = before(text, start);
    let inside = !starts_token(text, start) || is_base64(last) || matches!(last, b'.' | b'-');
    if inside || !is_base64(byte(text, start)) {
        return None;
    }
    let end = run_end(text, start, LONGEST, |b| is_base64(b) || b == b'-' || b == b'_');
    let run = slice(text, start..end);
    let digest = run_start(text, start, 8, |b| is_alnum(b) || b == b'-' || b == b':');
    let named = reads(text, digest, b"sha") || reads(text, digest, b"md5") || reads(run, 0, b"sha");
    let image = reads(run, 0, b"ivbor") || reads(run, 0, b"/9j/") || reads(run, 0, b"r0lgod");
    let slashes = run.iter().filter(|b| **b == b'/').count();
    let path = slashes * 12 > run.len();
    let mix = Mix::of(run);
    let padded = byte(text, end) == b'=' && !run.len().is_multiple_of(4);
    let random = mix.is_random() && (mix.digits >= 2 || padded);
    if run.len() < 40 || !random || named || image || path || is_uuid(run) || is_digest(run) {
        return None;
    }
    Some(hit(start, run_end(text, end, 2, |b| b == b'=')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 characters that look random; put together here so that no scanner takes them for a key.
    pub(super) const RANDOM: &str = "q7Zk2Lm9Xw4Tb8Rc3Vn6Yp1Hd5Jf0Gs";

    fn found(text: &str, find: fn(&[u8], usize) -> Option<Hit>) -> Option<String> {
        let hit = (0..text.len()).find_map(|at| find(text.as_bytes(), at))?;
        assert_eq!(hit.class, Class::Credential);
        text.get(hit.span.start()..hit.span.end()).map(str::to_owned)
    }

    #[test]
    fn tokens_that_name_themselves() {
        let hex = "0123456789abcdef0123456789abcdef";
        for (token, rest) in [
            (format!("{}_live_{RANDOM}", "sk"), "."),
            (format!("{}_{RANDOM}", "whsec"), ""),
            (format!("acme_live_{RANDOM}"), ","),
            (format!("tok-{RANDOM}"), "\""),
            (format!("{}b-1234567890-{RANDOM}", "xox"), ""),
            (format!("gh{}_{RANDOM}abcd", "p"), ""),
            (format!("{}{}", "AKI", "AQ7ZK2LM9XW4TB8RC"), ""),
            (format!("SK{hex}"), " "),
            (format!("EAA{RANDOM}{RANDOM}"), ""),
            (format!("eyJhbGciOiJIUzI1NiJ9.{RANDOM}.{RANDOM}"), ""),
            (format!("eyJhbGciOiJub25lIn0.{RANDOM}."), " x"),
            (format!("s:{RANDOM}.{RANDOM}"), ";"),
            (format!("s%3A{RANDOM}.{RANDOM}"), ";"),
            (format!("123456789:AA{RANDOM}x"), ""),
        ] {
            let text = format!("use {token}{rest}");
            let want = token.trim_end_matches('.');
            assert_eq!(
                found(&text, token_at).as_deref().map(|t| t.trim_end_matches('.')),
                Some(want),
                "{text}"
            );
        }
        let url = format!("https://api.example/bot123456789:AA{RANDOM}x/getMe");
        assert_eq!(found(&url, token_at), Some(format!("123456789:AA{RANDOM}x")));
    }

    #[test]
    fn ids_names_and_hashes_are_no_tokens() {
        let hex = "0123456789abcdef0123456789abcdef";
        for (text, why) in [
            (format!("SM{hex}"), "a message's id"),
            (format!("AC{hex}"), "an account's id"),
            (hex.to_owned(), "a trace id"),
            (format!("sha256:{hex}{hex}"), "a digest"),
            ("key-6f1c2a34-7b1d-4c2e-a9f0-1b2c3d4e5f60".to_owned(), "a UUID"),
            ("api-gateway-7d9f8b6c5d-x2k4q".to_owned(), "a pod"),
            ("access-token-refresh-handler-v2".to_owned(), "a name"),
            ("test_verification_code_expired_42".to_owned(), "a test's name"),
            ("sk_sport".to_owned(), "too short"),
            ("eyJ is how they begin".to_owned(), "no parts"),
            ("ask_live_now".to_owned(), "words"),
            ("usr_q7Zk2Lm9Xw4Tb8".to_owned(), "a person's id"),
            (format!("x{}_live_{RANDOM}", "sk").replace("_live_", "y"), "no prefix"),
        ] {
            assert_eq!(found(&text, token_at), None, "{text}: {why}");
        }
    }

    #[test]
    fn private_keys_go_and_certificates_stay() {
        let block = |kind: &str| format!("-----BEGIN {kind}-----\nMIIB\nAQAB\n-----END {kind}-----");
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let text = format!("key: {} done", block(kind));
            assert_eq!(found(&text, pem_at), Some(block(kind)));
        }
        let cut = "-----BEGIN PRIVATE KEY-----\\nMIIBAQAB";
        assert_eq!(found(&format!("{cut}\" status"), pem_at).as_deref(), Some(cut));
        for (kind, why) in [("CERTIFICATE", "public"), ("PUBLIC KEY", "public"), ("RSA PUBLIC KEY", "public")]
        {
            assert_eq!(found(&block(kind), pem_at), None, "{kind}: {why}");
        }
    }

    #[test]
    fn long_random_runs_are_opaque() {
        let run = format!("{RANDOM}{RANDOM}");
        assert_eq!(found(&format!("key: +{run}="), opaque_at), Some(format!("+{run}=")));
        assert_eq!(found(&format!("secret {run}== x"), opaque_at), Some(format!("{run}==")));
        for (text, why) in [
            (RANDOM.to_owned(), "too short"),
            ("0123456789abcdef".repeat(4), "a digest"),
            (format!("sha384-{run}"), "a digest"),
            (format!("sha256:{run}"), "a digest"),
            (format!("iVBORw0KGgo{run}"), "an image"),
            ("/srv/app/Otp/Views/Verify2/Handler/Thing3/Deep4/file".to_owned(), "a path"),
            ("ThisIsAVeryLongNameOfAClassThatNobodyWouldWrite1".to_owned(), "a name"),
        ] {
            assert_eq!(found(&text, opaque_at), None, "{text}: {why}");
        }
    }
}

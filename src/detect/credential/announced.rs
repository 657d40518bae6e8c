//! Credentials that a word announces: `Bearer X`, `Authorization: …`, `Cookie: …`, `password=X`,
//! `token X`, `curl -u user:X`.

use super::{hit, is_digest, is_random_run, is_uuid, prefixes};
use crate::detect::Hit;
use crate::detect::account_name;
use crate::detect::bytes::{
    Mix, before, byte, ends_before, is_alnum, is_base64, is_digit, is_high, is_letter, is_lower, is_quote,
    is_space, is_token, is_upper, is_word, reads, run_end, run_start, slice, tail,
};
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::finding::Span;

/// What kind of value a word announces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bearer,
    Basic,
    Digest,
    Header,
    Cookie,
    /// Chosen by a person: may look like anything.
    Password,
    /// Drawn at random: must look so.
    Secret,
    /// The `-u` of curl.
    User,
}

use Kind::{Basic, Bearer, Cookie, Digest, Header, Password, Secret, User};

static NAMES: WordList = WordList::new(&[
    "bearer",
    "basic",
    "digest",
    "authorization",
    "set-cookie",
    "cookie",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pass",
    "contraseña",
    "contrasena",
    "senha",
    "passwort",
    "kennwort",
    "wachtwoord",
    "пароль",
    "şifre",
    "hasło",
    "parola",
    "heslo",
    "salasana",
    "lösenord",
    "mật khẩu",
    "passe",
    "sandi",
    "密码",
    "パスワード",
    "비밀번호",
    "كلمة المرور",
    "secret",
    "apikey",
    "token",
    "key",
    "signature",
    "sig",
    "hmac",
    "credential",
    "session",
    "sessionid",
    "jsessionid",
    "-u",
    "--user",
]);

/// The kind of each of [`NAMES`].
const KINDS: [Kind; 44] = [
    Bearer, Basic, Digest, Header, Cookie, Cookie, Password, Password, Password, Password, Password,
    Password, Password, Password, Password, Password, Password, Password, Password, Password, Password,
    Password, Password, Password, Password, Password, Password, Password, Password, Password, Password,
    Secret, Secret, Secret, Secret, Secret, Secret, Secret, Secret, Secret, Secret, Secret, User, User,
];

/// Whether a word that [`announces`] may end with two bytes.
#[must_use]
#[inline]
pub fn may_announce(last_but_one: u8, last: u8) -> bool {
    NAMES.may_end_with(last_but_one, last)
}

/// Whether a word of ASCII letters alone announces credentials.
#[must_use]
pub fn announces(word: &[u8]) -> bool {
    NAMES.holds(word)
}

/// The credential that the word at `word` announces. The word (one of [`NAMES`]) may be the last part of
/// a longer name (`x-api-key`, `clientSecret`); the span is the value alone.
#[must_use]
pub fn after_word(text: &[u8], word: usize) -> Option<Hit> {
    let (place, name) = NAMES.beginning(tail(text, word))?;
    let (kind, end) = (KINDS.get(place).copied()?, word + name.len());
    if is_word(byte(text, end)) && byte(text, end) != b'_' || !may_start(text, word) {
        return None;
    }
    if byte(text, end) == b'_' || (byte(text, end) == b'-' && is_alnum(byte(text, end + 1))) {
        // `token_type`, `password-reset`: the name goes on, but for `x-hub-signature-256`.
        let version = run_end(text, end + 1, 4, is_digit);
        if version == end + 1 || is_word(byte(text, version)) || kind != Secret {
            return None;
        }
        return secret(text, word, version);
    }
    match kind {
        Bearer => bearer(text, end),
        Basic => basic(text, end),
        Digest => digest(text, end),
        Header => header(text, end),
        Cookie => cookie(text, end),
        Password => password(text, word, end),
        Secret => secret(text, word, end),
        User => curl_user(text, word, end),
    }
}

/// A word, or the last part of `access_token`, `x-api-key`, `clientSecret`.
fn may_start(text: &[u8], word: usize) -> bool {
    let last = before(text, word);
    !is_alnum(last) && !is_high(last)
        || is_upper(byte(text, word)) && is_lower(last)
        || ends_before(text, word, b"api")
        || ends_before(text, word, b"\\n")
        || is_high(byte(text, word))
}

/// What stands between a word and its value.
struct Gap {
    /// Where the value starts, behind an opening quote.
    value: usize,
    /// The opening quote, 0 if there is none.
    quote: u8,
    /// `=`, `:` or `>` is in the gap.
    assigned: bool,
}

/// Closing quote of the name, spaces, one separator, spaces, opening quote; `\"` counts as a quote.
fn gap(text: &[u8], end: usize) -> Option<Gap> {
    let mut place = end;
    if byte(text, place) == b'\\' && is_quote(byte(text, place + 1)) {
        place += 2;
    } else if is_quote(byte(text, place)) || byte(text, place) == b']' {
        place += 1;
    }
    let spaces = run_end(text, place, 3, |b| b == b' ' || b == b'\t');
    let mut assigned = true;
    let mut next = spaces;
    if reads(text, next, b"=>") || reads(text, next, b":=") {
        next += 2;
    } else if matches!(byte(text, next), b'=' | b':' | b'>') {
        next += 1;
    } else if reads(text, next, "：".as_bytes()) {
        next += "：".len();
    } else if reads(text, next, b"%3d") || reads(text, next, b"%3a") {
        next += 3;
    } else {
        assigned = false;
        if spaces == place {
            return None;
        }
    }
    if assigned {
        next = run_end(text, next, 3, |b| b == b' ' || b == b'\t');
    }
    if byte(text, next) == b'\\' && is_quote(byte(text, next + 1)) {
        next += 1;
    }
    let quote = byte(text, next);
    let quoted = is_quote(quote);
    let value = if quoted { next + 1 } else { next };
    Some(Gap { value, quote: if quoted { quote } else { 0 }, assigned })
}

/// RFC 6750 §2.1's `b64token`, not a word: `Bearer authentication failed`.
fn bearer(text: &[u8], end: usize) -> Option<Hit> {
    let gap = gap(text, end)?;
    let stop = run_end(text, gap.value, 8192, |b| {
        is_base64(b) || matches!(b, b'-' | b'.' | b'_' | b'~' | b'=' | b'|')
    });
    let stop = trim_end(text, gap.value, stop);
    let run = slice(text, gap.value..stop);
    let mix = Mix::of(run);
    let word = mix.digits == 0 && (mix.upper == 0 || mix.lower == 0 || mix.changes < 4) && run.len() < 24;
    (run.len() >= 8 && !word).then(|| hit(gap.value, stop))
}

/// RFC 7617: base64 of `user:password`. It is decoded as it is read.
fn basic(text: &[u8], end: usize) -> Option<Hit> {
    let gap = gap(text, end)?;
    let stop = run_end(text, gap.value, 1024, |b| is_base64(b) || b == b'-' || b == b'_');
    let padded = run_end(text, stop, 2, |b| b == b'=');
    let run = slice(text, gap.value..stop);
    if run.len() < 6 || run.len() % 4 == 1 || (padded > stop && !(padded - gap.value).is_multiple_of(4)) {
        return None;
    }
    holds_colon(run).then(|| hit(gap.value, padded))
}

/// Whether base64 stands for printable text with a colon.
fn holds_colon(run: &[u8]) -> bool {
    let mut bits = 0u32;
    let mut held = 0u32;
    let mut colon = false;
    for letter in run {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = u8::try_from(bits >> held & 0xff).unwrap_or_default();
            colon |= decoded == b':';
            if decoded < b' ' {
                return false;
            }
        }
        bits &= 0xffff;
    }
    colon
}

/// RFC 7616: `username="…", realm="…", response="…"`, all of it.
fn digest(text: &[u8], end: usize) -> Option<Hit> {
    let start = run_end(text, end, 3, |b| b == b' ');
    let first: [&[u8]; 5] = [b"username=", b"realm=", b"nonce=", b"response=", b"uri="];
    if start == end || !first.iter().any(|name| reads(text, start, name)) {
        return None;
    }
    let mut place = start;
    for _ in 0..16 {
        let equals = run_end(text, place, 24, |b| is_token(b) || b == b'*');
        if equals == place || byte(text, equals) != b'=' {
            break;
        }
        let quoted = byte(text, equals + 1) == b'"';
        let value = equals + 1 + usize::from(quoted);
        let stop = run_end(text, value, 512, |b| if quoted { b != b'"' && b != b'\n' } else { is_token(b) });
        place = stop + usize::from(quoted && byte(text, stop) == b'"');
        let next = run_end(text, place, 3, |b| b == b',' || b == b' ');
        if byte(text, place) != b',' || next == place {
            break;
        }
        place = next;
    }
    (place > start).then(|| hit(start, place))
}

/// `Authorization: <scheme> <value>`, `authorization=<token>`.
fn header(text: &[u8], end: usize) -> Option<Hit> {
    let gap = gap(text, end).filter(|gap| gap.assigned)?;
    let scheme_end = run_end(text, gap.value, 32, |b| is_token(b) || b == b'+');
    for (name, find) in
        [(&b"bearer"[..], bearer as fn(&[u8], usize) -> Option<Hit>), (b"basic", basic), (b"digest", digest)]
    {
        if slice(text, gap.value..scheme_end).eq_ignore_ascii_case(name) {
            return find(text, scheme_end).or_else(|| rest_of_header(text, scheme_end + 1, gap.quote));
        }
    }
    let next = byte(text, scheme_end + 1);
    if byte(text, scheme_end) == b' ' && (is_alnum(next) || is_quote(next)) {
        let schemes: [&[u8]; 12] = [
            b"token",
            b"apikey",
            b"api-key",
            b"key",
            b"app",
            b"negotiate",
            b"ntlm",
            b"hawk",
            b"signature",
            b"accesskey",
            b"ssws",
            b"oauth",
        ];
        let named = schemes.iter().any(|name| slice(text, gap.value..scheme_end).eq_ignore_ascii_case(name));
        if named || reads(text, gap.value, b"aws4-") {
            return rest_of_header(text, scheme_end + 1, gap.quote);
        }
    }
    let stop = trim_end(text, gap.value, password_end(text, gap.value));
    let run = slice(text, gap.value..stop);
    let chosen = run.len() >= 8 && run.iter().any(|b| is_digit(*b)) && run.iter().any(|b| is_letter(*b));
    (chosen || run.len() >= 24).then(|| hit(gap.value, stop))
}

/// To the header's end: the quote that opened it, a line's end, written out or not. `key="value"` pairs
/// have quotes of their own.
fn rest_of_header(text: &[u8], start: usize, quote: u8) -> Option<Hit> {
    let pairs = run_end(text, start, 64, |b| is_token(b) || b == b'*');
    let parameters = byte(text, pairs) == b'=' && pairs > start;
    let stop = run_end(text, start, 4096, |b| {
        let foreign = if quote == 0 { is_quote(b) && !parameters } else { b == quote };
        !foreign && b != b'\n' && b != b'\r' && b != b'\\' && (parameters || !is_space(b))
    });
    let stop = trim_end(text, start, stop);
    (stop >= start + 4).then(|| hit(start, stop))
}

/// RFC 6265 §4: `name=value` pairs with `; ` between them, all of them.
fn cookie(text: &[u8], end: usize) -> Option<Hit> {
    let gap = gap(text, end).filter(|gap| gap.assigned)?;
    let mut place = gap.value;
    let mut stop = place;
    for _ in 0..64 {
        let equals = run_end(text, place, 128, |b| is_token(b) || matches!(b, b'.' | b'%' | b'*' | b'!'));
        if equals == place || byte(text, equals) != b'=' {
            // `HttpOnly`, `Secure` are attributes without a value.
            if stop > gap.value
                && equals > place
                && matches!(byte(text, equals), b';' | b'\r' | b'\n' | b'"' | 0)
            {
                stop = equals;
            }
            break;
        }
        let date = reads(text, place, b"expires=");
        stop = run_end(text, equals + 1, 4096, |b| {
            b >= b' ' && !matches!(b, b';' | b'"' | b'\'' | b'\\') && (date || (b != b' ' && b != b','))
        });
        if byte(text, stop) != b';' {
            break;
        }
        place = run_end(text, stop + 1, 2, |b| b == b' ');
    }
    (stop > gap.value + 2).then(|| hit(gap.value, stop))
}

/// Any value behind `password=` or `password:`; behind a space only what no sentence has.
fn password(text: &[u8], word: usize, end: usize) -> Option<Hit> {
    let gap = gap(text, end)?;
    let assigned = gap.assigned || ends_before(text, word, b"--");
    let short = end - word <= 4;
    if short && !assigned {
        return None;
    }
    let stop = if gap.quote == 0 {
        trim_end(text, gap.value, password_end(text, gap.value))
    } else {
        run_end(text, gap.value, 200, |b| b != gap.quote && b != b'\n' && b != b'\\')
    };
    let value = slice(text, gap.value..stop);
    let folder = reads(text, word, b"PWD=/");
    if value.is_empty()
        || folder
        || is_no_secret(value)
        || (gap.quote == 0 && is_prose(text, gap.value, stop))
    {
        return None;
    }
    let mix = Mix::of(value);
    let chosen = value.len() >= 6 && mix.digits > 0 && mix.letters() > 0 && !value.ends_with(b":");
    (assigned || chosen).then(|| hit(gap.value, stop))
}

/// A password without quotes ends at a space or a separator; `&` separates only where `name=` follows.
fn password_end(text: &[u8], start: usize) -> usize {
    let mut place = start;
    let stop = start.saturating_add(1024).min(text.len());
    while place < stop {
        match byte(text, place) {
            b'&' => {
                let name = run_end(text, place + 1, 48, |b| is_token(b) || b == b'.');
                if name > place + 1 && byte(text, name) == b'=' {
                    return place;
                }
            }
            b';' | b',' | b'<' | b'>' | b')' | b'}' | b']' | b'"' | b'\'' | b'`' | b'\\' => return place,
            other if is_space(other) || other < b' ' => return place,
            _ => {}
        }
        place += 1;
    }
    stop
}

/// Words that stand in a password's place, and what was masked before.
fn is_no_secret(value: &[u8]) -> bool {
    static WORDS: WordList = WordList::new(words::credential::NO_SECRETS);
    let masked = value.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | b'#'));
    let placeholder = matches!(value.first(), Some(b'[' | b'<' | b'{' | b'(')) || value.starts_with(b"${");
    masked || placeholder || WORDS.holds(value)
}

/// A lower-case word that a lower-case word follows: a sentence goes on (`password: please try again`).
fn is_prose(text: &[u8], start: usize, stop: usize) -> bool {
    let word = slice(text, start..stop).iter().all(|b| is_letter(*b) || is_high(*b));
    word && byte(text, stop) == b' ' && {
        let next = run_end(text, stop + 1, 16, |b| is_lower(b) || is_high(b));
        next > stop + 1 && matches!(byte(text, next), b' ' | b'.' | b',' | 0)
    }
}

/// A random value behind `token`, `secret`, `key`, `signature` …
fn secret(text: &[u8], word: usize, end: usize) -> Option<Hit> {
    if reads(text, word, b"key") && names_no_secret(text, word) {
        return None;
    }
    let gap = gap(text, end)?;
    let mut start = gap.value;
    for scheme in [&b"sha256="[..], b"sha1=", b"sha512=", b"v0=", b"v1="] {
        if reads(text, start, scheme) {
            start += scheme.len();
        }
    }
    if let Some(stop) = prefixes::known_end(text, start) {
        return Some(hit(start, stop));
    }
    let stop = run_end(text, start, 4096, |b| is_base64(b) || matches!(b, b'-' | b'.' | b'_' | b'~' | b'%'));
    let stop = trim_end(text, start, run_end(text, stop, 2, |b| b == b'='));
    let run = slice(text, start..stop);
    let mix = Mix::of(run);
    let assigned = gap.assigned || gap.quote != 0 || ends_before(text, word, b"--");
    let dotted = run.iter().filter(|b| **b == b'.').count();
    if is_uuid(run) || mix.letters() == 0 || (dotted > 2 && mix.changes * 3 > run.len() * 2) {
        return None;
    }
    let random = is_random_run(run) || (is_digest(run) && run.len() >= 32);
    let short = assigned && run.len() >= 8 && mix.is_random() && !reads(text, word, b"key");
    let long = run.len() >= 16 && mix.digits >= 2 && mix.letters() >= 4 && mix.changes * 4 >= run.len();
    let enough = if assigned { random || short || long } else { random && run.len() >= 20 };
    enough.then(|| hit(start, stop))
}

/// `cache key`, `idempotency-key`: keys that open nothing.
fn names_no_secret(text: &[u8], word: usize) -> bool {
    let end = run_start(text, word, 2, |b| matches!(b, b' ' | b'_' | b'-'));
    let others = words::credential::OTHER_KEYS;
    others.iter().any(|name| ends_before(text, end, name.as_bytes()))
}

/// `curl -u user:password`: the password. The command's name must stand before, within 256 bytes.
fn curl_user(text: &[u8], word: usize, end: usize) -> Option<Hit> {
    if !is_space(before(text, word)) || !matches!(byte(text, end), b' ' | b'=') {
        return None;
    }
    let line = slice(text, word.saturating_sub(256)..word);
    let command =
        [&b"curl"[..], b"wget", b"http"].iter().any(|name| memchr::memmem::find(line, name).is_some());
    let gap = gap(text, end)?;
    let colon = run_end(text, gap.value, 128, |b| b != b':' && !is_space(b) && !is_quote(b));
    if !command || byte(text, colon) != b':' {
        return None;
    }
    let stop = run_end(text, colon + 1, 200, |b| {
        if gap.quote == 0 { !is_space(b) && !is_quote(b) } else { b != gap.quote && b != b'\n' }
    });
    (stop > colon + 1).then(|| hit(colon + 1, stop))
}

/// `curl -u ops.ray:hunter2`: the account before the password that stands in `password`, if it has an account's shape.
#[must_use]
pub fn curl_account(text: &[u8], option: usize, password: Span) -> Option<Span> {
    if byte(text, option) != b'-' || byte(text, option + 1) == b'-' && byte(text, option + 2) != b'u' {
        return None;
    }
    let end = password.start().checked_sub(1).filter(|at| byte(text, *at) == b':')?;
    let start = run_start(text, end, 64, |b| !is_space(b) && !is_quote(b) && b != b'=');
    let user = Span::new(start, end);
    (start > option && account_name::has_shape(user.of(text))).then_some(user)
}

/// A full stop or a comma behind a value is the sentence's.
fn trim_end(text: &[u8], start: usize, end: usize) -> usize {
    run_start(text, end, end - start.min(end), |b| matches!(b, b'.' | b',' | b':' | b'!' | b'?'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::RANDOM;
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let hit = (0..text.len()).find_map(|at| after_word(text.as_bytes(), at))?;
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn announced_values_are_found() {
        for (text, want) in [
            ("Authorization: Bearer {R}", "{R}"),
            ("{\"authorization\":\"Bearer {R}\"}", "{R}"),
            ("authorization={R} x", "{R}"),
            ("authorization=a!b#c-12345 host=x", "a!b#c-12345"),
            ("Authorization: Basic c3ZjOmh1bnRlcjI=", "c3ZjOmh1bnRlcjI="),
            ("curl -H 'Authorization: Token {R}' https://x", "{R}"),
            ("Authorization: App {R}", "{R}"),
            (
                "Authorization: Digest username=\"otto\", realm=\"x\", response=\"{R}\"",
                "username=\"otto\", realm=\"x\", response=\"{R}\"",
            ),
            ("Cookie: sid={R}; theme=dark", "sid={R}; theme=dark"),
            ("Set-Cookie: sid={R}; Path=/; HttpOnly\r\nX: 1", "sid={R}; Path=/; HttpOnly"),
            ("cookie=sid={R} status=200", "sid={R}"),
            ("password=hunter2", "hunter2"),
            ("password: \"two words\"", "two words"),
            ("db_password='hunter2'", "hunter2"),
            ("Server=x;Password=a!b;Database=y", "a!b"),
            ("pwd=Wint3r&Snow12&user=otto", "Wint3r&Snow12"),
            ("password hunter2-482 rejected", "hunter2-482"),
            ("--password hunter", "hunter"),
            ("<password>hunter2</password>", "hunter2"),
            ("Senha: abacaxi", "abacaxi"),
            ("пароль: секрет", "секрет"),
            ("token {R} throttled", "{R}"),
            ("api_key={R}&to=1", "{R}"),
            ("apiKey: '{R}'", "{R}"),
            ("x-api-key: 0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"),
            ("clientSecret => {R}", "{R}"),
            ("sig={R}%3D", "{R}%3D"),
            (
                "X-Hub-Signature-256: sha256=0123456789abcdef0123456789abcdef",
                "0123456789abcdef0123456789abcdef",
            ),
            ("curl -u svc:hunter2 https://x", "hunter2"),
            ("curl --user 'svc:two words' https://x", "two words"),
        ] {
            let (text, want) = (text.replace("{R}", RANDOM), want.replace("{R}", RANDOM));
            assert_eq!(found(&text), Some(want.as_str()), "{text}");
        }
    }

    #[test]
    fn sentences_and_other_names_announce_nothing() {
        for (text, why) in [
            ("Bearer authentication failed", "a word"),
            ("token_type=bearer", "nothing behind"),
            ("token_type=bearer_v2 x", "the name goes on"),
            ("Basic authentication required", "no user and password in it"),
            ("Basic plan", "too short"),
            ("Failed password for invalid user", "a sentence"),
            ("password_reset=requested", "the name goes on"),
            ("password: required", "a word that is no secret"),
            ("password: please try again", "a sentence"),
            ("password=********", "masked before"),
            ("password=[CREDENTIAL]", "masked before"),
            ("max_tokens=4096", "the name goes on"),
            ("secret_version=v17", "the name goes on"),
            ("idempotency-key: 0123456789abcdef0123456789abcdef", "opens nothing"),
            ("cache key 0123456789abcdef0123456789abcdef", "opens nothing"),
            ("token 6f1c2a34-7b1d-4c2e-a9f0-1b2c3d4e5f60", "a UUID"),
            ("key order-created", "a word"),
            ("monkey={R}", "inside a word"),
            ("cookie: accepted", "no pair"),
            ("date -u 12:30", "no curl"),
            ("token expired at 2026-01-07", "a sentence"),
            ("authorization: accepted", "a word"),
        ] {
            let text = text.replace("{R}", RANDOM);
            assert_eq!(found(&text), None, "{text}: {why}");
        }
    }
}

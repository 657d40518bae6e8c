//! E-mail addresses: RFC 5321, with Unicode on both sides (RFC 6531), seen from their `@`.
//!
//! Left alone: hosts without a dot (`root@db1`, unless `mailto:` stands before) and addresses in IP
//! literals, which the IP detector breaks; the rest of RFC 5322's local part (`!#$&*/=?^{|}` and back-tick),
//! which in logs are separators.

use super::Hit;
use super::bytes::{
    before, byte, char_at, char_before, ends_before, is_alnum, is_digit, is_hex, is_high, is_invisible,
    is_letter, is_space, is_token, is_unspaced, is_word, reads, run_end, run_start, slice, tail,
};
use super::refusal::Refusal;
use crate::class::Class;

/// RFC 5321 §4.5.3.1.1 allows 64 octets; percent-encoded ones are up to three times as long.
const LONGEST_LOCAL: usize = 192;

/// RFC 5321 §4.5.3.1.2.
const LONGEST_DOMAIN: usize = 255;

/// The address around a separator at `at`: `@`, `＠`, `%40` or `%2540`. The span is local part,
/// separator and domain. Never found: WhatsApp ids (`@s.whatsapp.net`), numbers in `sip:` URIs,
/// user and password of a URL, `git@host:path`, package versions, file names (`logo@2x.png`), SIP and
/// mail message ids behind their header's name.
#[must_use]
pub fn at(text: &[u8], at: usize) -> Option<Hit> {
    judge(text, at).ok()
}

/// Why no address stands around the separator at `at`; `None` where one does.
#[must_use]
pub fn why_not(text: &[u8], at: usize) -> Option<Refusal> {
    judge(text, at).err()
}

fn judge(text: &[u8], at: usize) -> Result<Hit, Refusal> {
    let width = separator(text, at).ok_or(Refusal::Mailbox)?;
    let start = local_start(text, at, width > 1 && byte(text, at) == b'%');
    let end = domain_end(text, at + width).ok_or(Refusal::Host)?;
    let start = unquote(text, start, at, end);
    if start >= at {
        let quoted = quoted_local(text, at).ok_or(Refusal::Mailbox)?;
        return Ok(Hit::new(Class::Email, quoted, end));
    }
    let domain = slice(text, at + width..end);
    if is_not_mail(domain) {
        return Err(Refusal::Host);
    }
    if is_address_of_something_else(text, start, at, end) {
        return Err(Refusal::Address);
    }
    Ok(Hit::new(Class::Email, start, end))
}

/// Width of the separator in bytes.
fn separator(text: &[u8], at: usize) -> Option<usize> {
    let written: [&[u8]; 4] = [b"@", b"%40", b"%2540", "＠".as_bytes()];
    written.into_iter().find(|separator| reads(text, at, separator)).map(<[u8]>::len)
}

/// Walks back over the local part. A change from a script without spaces to ASCII is its start
/// (`邮箱otto@…`), and so is the end of a written-out escape (`\notto@…`). In percent-encoded text a `+`
/// is a space.
fn local_start(text: &[u8], at: usize, encoded: bool) -> usize {
    let floor = at.saturating_sub(LONGEST_LOCAL);
    let ascii = is_alnum(before(text, at));
    let mut start = at;
    while start > floor {
        let last = before(text, start);
        if is_token(last) || last == b'.' || (last == b'+' && !encoded) {
            start -= 1;
        } else if last == b'\'' {
            if !is_letter(byte(text, start)) || !is_letter(before(text, start - 1)) {
                break;
            }
            start -= 1;
        } else if is_high(last) {
            let Some((character, length)) = char_before(text, start) else { break };
            let edge = ascii && is_unspaced(character);
            if edge || !(character.is_alphanumeric() || is_mark(character) || is_invisible(character)) {
                break;
            }
            start -= length;
        } else {
            break;
        }
        if before(text, start) == b'%' {
            match separator_escape(text, start) {
                // `%3Dotto%40…`: the escape stands for a separator.
                Some(behind) => {
                    start = behind;
                    break;
                }
                None if is_hex(byte(text, start)) && is_hex(byte(text, start + 1)) => start -= 1,
                None => break,
            }
        }
    }
    let start = skip_escape(text, start.min(at));
    let start =
        start + slice(text, start..at).iter().take_while(|b| matches!(b, b'.' | b'-' | b'+' | b'\'')).count();
    skip_invisible(text, start)
}

/// Where the escape whose two digits start at `digits` ends, if it stands for no character of a local
/// part. Escaped twice, the `25` comes first.
fn separator_escape(text: &[u8], digits: usize) -> Option<usize> {
    let decoded = escaped(text, digits)?;
    if decoded == b'%' && escaped(text, digits + 2).is_some() {
        return separator_escape_once(text, digits + 2);
    }
    separator_escape_once(text, digits)
}

fn separator_escape_once(text: &[u8], digits: usize) -> Option<usize> {
    let decoded = escaped(text, digits)?;
    let part = is_token(decoded) || matches!(decoded, b'.' | b'+' | b'\'') || is_high(decoded);
    (!part).then_some(digits + 2)
}

/// The byte that two hex digits stand for.
fn escaped(text: &[u8], digits: usize) -> Option<u8> {
    let high = char::from(byte(text, digits)).to_digit(16)?;
    let low = char::from(byte(text, digits + 1)).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Combining marks of the scripts that write vowels as marks; `char::is_alphanumeric` leaves out some.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{93c}' | '\u{94d}' | '\u{9cd}' | '\u{64b}'..='\u{652}')
}

/// Letters that belong to an escape which a log wrote out: `\n`, `\t`, `\r`, `\x3c`, `\u003c`.
fn skip_escape(text: &[u8], start: usize) -> usize {
    if before(text, start) != b'\\' {
        return start;
    }
    match byte(text, start) {
        b'n' | b't' | b'r' | b'b' | b'f' => start + 1,
        b'x' if is_hex(byte(text, start + 1)) && is_hex(byte(text, start + 2)) => start + 3,
        b'u' if run_end(text, start + 1, 4, is_hex) == start + 5 => start + 5,
        _ => start,
    }
}

fn skip_invisible(text: &[u8], mut start: usize) -> usize {
    while let Some((character, length)) = char_at(text, start) {
        if !is_invisible(character) {
            break;
        }
        start += length;
    }
    start
}

/// Where the address ends with an apostrophe that was never opened, the first one in it is the opening
/// quote of `b'otto@example.com'`.
fn unquote(text: &[u8], start: usize, at: usize, end: usize) -> usize {
    let opened = before(text, start) == b'\'';
    if opened || byte(text, end) != b'\'' {
        return start;
    }
    slice(text, start..at).iter().position(|b| *b == b'\'').map_or(start, |quote| start + quote + 1)
}

/// `"otto schreiber"@example.com`: where the quote opens.
fn quoted_local(text: &[u8], at: usize) -> Option<usize> {
    let close = at.checked_sub(1).filter(|close| byte(text, *close) == b'"')?;
    let start = run_start(text, close, 64, |b| b != b'"' && b != b'\\' && b >= b' ');
    let open = start.checked_sub(1).filter(|open| byte(text, *open) == b'"')?;
    let fresh = open == 0 || is_space(before(text, open)) || matches!(before(text, open), b'<' | b':' | b'=');
    (start < close && fresh).then_some(open)
}

/// End of the domain that starts at a place; `None` where there is no dot or no top-level name. A
/// script without spaces behind a finished ASCII name ends it (`example.comへ`).
fn domain_end(text: &[u8], start: usize) -> Option<usize> {
    let ceiling = start.saturating_add(LONGEST_DOMAIN).min(text.len());
    let mut end = start;
    let mut dots = 0usize;
    let mut label = start;
    while end < ceiling {
        let next = byte(text, end);
        if is_alnum(next) || next == b'-' {
            end += 1;
        } else if next == b'.' {
            if label == end {
                break;
            }
            dots += 1;
            end += 1;
            label = end;
        } else if is_high(next) {
            let Some((character, length)) = char_at(text, end) else { break };
            if character == '。' || character == '．' {
                let goes_on = is_alnum(byte(text, end + length)) || is_high(byte(text, end + length));
                if label == end || !goes_on {
                    break;
                }
                dots += 1;
                end += length;
                label = end;
                continue;
            }
            let name = slice(text, label..end);
            let finished = dots > 0 && name.len() >= 2 && name.iter().all(|b| is_letter(*b));
            let part = character.is_alphanumeric() || is_mark(character) || is_invisible(character);
            if !part || (finished && is_unspaced(character)) {
                break;
            }
            end += length;
        } else {
            break;
        }
    }
    finish_domain(text, start, label, end, dots)
}

/// Cuts what a sentence or a cache key put behind the last label: dots, dashes, digits.
fn finish_domain(text: &[u8], start: usize, label: usize, end: usize, dots: usize) -> Option<usize> {
    if label == end && dots > 0 {
        // A full stop behind the name.
        let stop = end - 1;
        let last = run_start(text, stop, LONGEST_DOMAIN, |b| b != b'.').max(start);
        return (dots > 1 || last == start)
            .then(|| finish_domain(text, start, last, stop, dots - 1))
            .flatten();
    }
    if dots == 0 {
        let mailto = end > start && is_after_mailto(text, start);
        return mailto.then_some(end);
    }
    let name = slice(text, label..end);
    if name.len() > 4 && reads(text, label, b"xn--") {
        return Some(end);
    }
    if name.iter().any(|b| is_high(*b)) {
        return Some(end);
    }
    let letters = name.iter().take_while(|b| is_letter(**b)).count();
    (letters >= 2).then_some(label + letters)
}

/// Whether `mailto:` stands before the local part of the address whose domain starts at a place.
fn is_after_mailto(text: &[u8], domain: usize) -> bool {
    let local = run_start(text, domain.saturating_sub(1), 64, |b| is_token(b) || b == b'.' || b == b'+');
    ends_before(text, local, b"mailto:")
}

/// Domains that end in a file's ending or belong to WhatsApp's ids, and package versions.
fn is_not_mail(domain: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 26] = [
        b"png", b"jpg", b"jpeg", b"gif", b"webp", b"svg", b"avif", b"ico", b"css", b"scss", b"js", b"mjs",
        b"cjs", b"ts", b"tsx", b"jsx", b"json", b"tgz", b"jar", b"woff", b"html", b"service", b"socket",
        b"timer", b"mount", b"pdf",
    ];
    const IDS: [&[u8]; 5] = [b"s.whatsapp.net", b"c.us", b"g.us", b"hosted.lid", b"call.whatsapp.net"];
    let last = domain.iter().rposition(|b| *b == b'.').map_or(domain, |dot| tail(domain, dot + 1));
    let mut labels = domain.split(|b| *b == b'.');
    let first = labels.next().unwrap_or_default();
    let second = labels.next().unwrap_or_default();
    let major = first.strip_prefix(b"v").unwrap_or(first);
    let version = !major.is_empty()
        && major.iter().all(|b| is_digit(*b))
        && second.first().copied().is_some_and(is_digit);
    version
        || ENDINGS.iter().any(|ending| last.eq_ignore_ascii_case(ending))
        || IDS.iter().any(|id| domain.eq_ignore_ascii_case(id))
}

/// Whether the whole has an address's shape and something around it says that it is none.
fn is_address_of_something_else(text: &[u8], start: usize, at: usize, end: usize) -> bool {
    let local = slice(text, start..at);
    let number = local.iter().all(|b| is_digit(*b) || matches!(b, b'+' | b'-' | b'.'));
    if number && is_after_call_scheme(text, start) {
        return true;
    }
    if local == b"git" && byte(text, end) == b':' && is_word(byte(text, end + 1)) {
        return true;
    }
    is_user_of_url(text, start) || is_message_id(text, start, local)
}

/// `sip:`, `sips:`, `tel:`, `PJSIP/` … before a number: the phone detector's.
fn is_after_call_scheme(text: &[u8], start: usize) -> bool {
    let start = start - usize::from(before(text, start) == b'+');
    let schemes: [&[u8]; 6] = [b"sip:", b"sips:", b"tel:", b"sip/", b"sip%3a", b"whatsapp:"];
    schemes.iter().any(|scheme| ends_before(text, start, scheme))
}

/// Whether the local part is the user or the password of a URL: `://user:part@host`.
fn is_user_of_url(text: &[u8], start: usize) -> bool {
    if ends_before(text, start, b"://") {
        return true;
    }
    if !matches!(before(text, start), b':' | b'!' | b'#' | b'$' | b'&' | b'*' | b'^' | b'~' | b'@') {
        return false;
    }
    let begin = run_start(text, start, 128, |b| {
        !is_space(b) && !matches!(b, b'/' | b'"' | b'\'' | b'<' | b'>' | b'?')
    });
    ends_before(text, begin, b"://")
}

/// Behind `Call-ID:` or `Message-ID:` the part before the `@` is drawn at random.
fn is_message_id(text: &[u8], start: usize, local: &[u8]) -> bool {
    let digits = local.iter().filter(|b| is_digit(**b)).count();
    if digits == 0 {
        return false;
    }
    let hex = local.len() >= 16 && local.iter().all(|b| is_hex(*b) || *b == b'-');
    if hex && digits >= 4 {
        return true;
    }
    let end = run_start(text, start, 4, |b| matches!(b, b' ' | b'<' | b':' | b'=' | b'"'));
    let headers: [&[u8]; 8] = [
        b"call-id",
        b"call_id",
        b"callid",
        b"message-id",
        b"message_id",
        b"messageid",
        b"in-reply-to",
        b"references",
    ];
    end < start && headers.iter().any(|header| ends_before(text, end, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&str> {
        let hit = (0..text.len()).find_map(|place| at(text.as_bytes(), place))?;
        assert_eq!(hit.class, Class::Email);
        text.get(hit.span.start()..hit.span.end())
    }

    #[test]
    fn addresses_are_found_whole() {
        for (text, want) in [
            ("otto@example.com", "otto@example.com"),
            ("<otto@example.com>", "otto@example.com"),
            ("email=otto.s+sms12@example.co.uk,", "otto.s+sms12@example.co.uk"),
            ("mailto:otto@example.com?subject=x", "otto@example.com"),
            ("to o'brien.k@example.com now", "o'brien.k@example.com"),
            ("'o'brien.k@example.com'", "o'brien.k@example.com"),
            ("b'otto@example.com'", "otto@example.com"),
            ("[otto@example.com]", "otto@example.com"),
            ("write to otto@example.com.", "otto@example.com"),
            ("otto@example.com. Then", "otto@example.com"),
            ("otto_99@xn--bcher-kva.example", "otto_99@xn--bcher-kva.example"),
            ("otto@bücher.example", "otto@bücher.example"),
            ("otto@mail.fräulein.example", "otto@mail.fräulein.example"),
            ("jürgen@example.com", "jürgen@example.com"),
            ("иван@пример.рф", "иван@пример.рф"),
            ("राम@उदाहरण.भारत", "राम@उदाहरण.भारत"),
            ("邮箱otto@example.com，", "otto@example.com"),
            ("メールはotto@example.comへ", "otto@example.com"),
            ("用户@例子.测试", "用户@例子.测试"),
            ("to=otto%40example.com&x=1", "otto%40example.com"),
            ("to=otto%2Bsms%40example.com", "otto%2Bsms%40example.com"),
            ("text=write+to+otto%40example.com+now", "otto%40example.com"),
            ("q%3Dotto%40example.com", "otto%40example.com"),
            ("to=otto%2540example.com", "otto%2540example.com"),
            ("q%253Dotto%252Bsms%2540example.com", "otto%252Bsms%2540example.com"),
            ("to=otto%2Bsms@example.com", "otto%2Bsms@example.com"),
            ("100%otto@example.com", "otto@example.com"),
            ("otto＠example.com", "otto＠example.com"),
            ("\\notto@example.com\\n", "otto@example.com"),
            ("\\u003cotto@example.com\\u003e", "otto@example.com"),
            ("otto@example.com_1767225600", "otto@example.com"),
            ("otto@example.com-1767225600", "otto@example.com"),
            ("415555@example.com", "415555@example.com"),
            ("sip:otto@example.com", "otto@example.com"),
            ("\"otto schreiber\"@example.com", "\"otto schreiber\"@example.com"),
            ("mailto:otto@intranet", "otto@intranet"),
            ("a@b@example.com", "b@example.com"),
            ("ot\u{200b}to@example.com", "ot\u{200b}to@example.com"),
            ("login: otto@example.com:8080", "otto@example.com"),
        ] {
            assert_eq!(first(text), Some(want), "{text}");
        }
    }

    #[test]
    fn other_things_with_an_at_sign_are_left() {
        for (text, why) in [
            ("logo@2x.png", "a file"),
            ("whatsapp-web.js@1.34.2", "a package"),
            ("next@15.0.0-canary.3", "a package"),
            ("foo@v1.2", "a version"),
            ("root@db1", "a host without a dot"),
            ("status@broadcast", "a WhatsApp id"),
            ("14155550132@s.whatsapp.net", "a WhatsApp id"),
            ("14155550132@c.us", "a WhatsApp id"),
            ("279474142707850@lid", "a WhatsApp id"),
            ("sip:14155550132@pbx.example", "a number in a URI"),
            ("<sip:+14155550132@pbx.example>", "a number in a URI"),
            ("https://svc:hunter2@db.example.com/x", "the password of a URL"),
            ("https://svc:P@ss@db.example.com/x", "the password of a URL"),
            ("redis://default@cache.example.com", "the user of a URL"),
            ("Call-ID: 1-548@203.0.113.7", "an IP address"),
            ("Call-ID: 3848276298220188511@pbx.example.com", "a call's id"),
            ("Message-ID: <20260107.9f2@mail.example.com>", "a message's id"),
            ("0123456789abcdef0123@pbx.example.com", "a random id"),
            ("git@example.com:org/repo.git", "a repository"),
            ("@example.com", "no local part"),
            ("otto@", "no domain"),
            ("otto@.com", "no domain"),
            ("otto@example.c", "no top-level name"),
            ("com.example.Foo@1f2e3d4c", "an object's address"),
            ("user@1000.service", "a unit of systemd"),
            ("otto at example.com", "no at sign"),
            ("@otto.example #482913", "a code's origin"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}

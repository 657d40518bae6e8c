//! IPv4 in text: four octets, and not a version, an OID or a part of something longer.

use super::{Form, IpHit, number, port_at, prefix_at};
use crate::detect::bytes::{
    before, byte, ends_before, is_alnum, is_digit, is_letter, is_token, is_upper, reads, run_end, run_start,
    slice, starts_token, tail,
};
use crate::detect::refusal::Refusal;
use crate::finding::Span;
use std::net::{IpAddr, Ipv4Addr};

/// Four numbers up to 255 with `separator` between them at a place, and where they end. No leading
/// zeros, unless every number is padded to three digits. The caller looks at what is around.
pub(super) fn octets(text: &[u8], at: usize, separator: u8) -> Option<([u8; 4], usize)> {
    let mut octets = [0u8; 4];
    let mut place = at;
    let mut led_by_zero = false;
    let mut all_padded = true;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index > 0 {
            if byte(text, place) != separator {
                return None;
            }
            place += 1;
        }
        let end = run_end(text, place, 4, is_digit);
        let digits = slice(text, place..end);
        if digits.is_empty() || digits.len() > 3 {
            return None;
        }
        led_by_zero |= digits.len() > 1 && digits.first() == Some(&b'0');
        all_padded &= digits.len() == 3;
        *octet = u8::try_from(number(digits)).ok()?;
        place = end;
    }
    (!led_by_zero || all_padded).then_some((octets, place))
}

/// The IPv4 address whose first digit is at `at`. Not found: versions (`Chrome/126.0.0.0`, `v1.2.3.4`,
/// `build 1.2.3.4`), OIDs, runs of five or more numbers (but for tcpdump's `203.0.113.7.5060`),
/// networks without a length (`126.0.0.0`), file names (`app-1.2.3.4.jar`).
#[must_use]
pub fn v4_at(text: &[u8], at: usize) -> Option<IpHit> {
    judge(text, at).ok()
}

/// Why [`v4_at`] finds nothing where digits begin; `None` where it does.
#[must_use]
pub fn why_not(text: &[u8], at: usize) -> Option<Refusal> {
    judge(text, at).err()
}

fn judge(text: &[u8], at: usize) -> Result<IpHit, Refusal> {
    let (octets, end) = octets(text, at, b'.').ok_or(Refusal::Octet)?;
    if !starts_token(text, at) && !begins_after_underscore(text, at) {
        return Err(Refusal::Joined);
    }
    let reverse = reads(text, end, b".in-addr.arpa");
    let mut port = port_at(text, end);
    let prefix = prefix_at(text, end, 32);
    if byte(text, end) == b'.' && is_digit(byte(text, end + 1)) {
        port = Some(dotted_port(text, at, end).ok_or(Refusal::Octet)?);
    } else if port.is_none() && is_version_tail(text, end) {
        return Err(Refusal::Version);
    }
    if port.is_none() && prefix.is_none() && !reverse {
        let network = matches!(octets, [a, _, 0, 0] if a > 0);
        if network {
            return Err(Refusal::Network);
        }
        if follows_version_word(text, at) {
            return Err(Refusal::Version);
        }
    }
    if !may_follow(text, at, port.is_some() || prefix.is_some()) {
        return Err(Refusal::Version);
    }
    let [a, b, c, d] = octets;
    let (address, form) = if reverse {
        (Ipv4Addr::new(d, c, b, a), Form::Reverse)
    } else {
        (Ipv4Addr::new(a, b, c, d), Form::Plain)
    };
    Ok(IpHit { span: Span::new(at, end), address: IpAddr::V4(address), form, port, prefix })
}

/// Cache keys glue values with `_`; a version's name ends before its `_`.
fn begins_after_underscore(text: &[u8], at: usize) -> bool {
    before(text, at) == b'_' && !is_version_word(text, at - 1)
}

/// `203.0.113.7.5060 >`, as tcpdump writes address and port: the port's digits.
fn dotted_port(text: &[u8], at: usize, end: usize) -> Option<Span> {
    let start = end + 1;
    let stop = run_end(text, start, 6, is_digit);
    let digits = slice(text, start..stop);
    let next = byte(text, stop);
    let longer = next == b'.' && is_digit(byte(text, stop + 1));
    if digits.len() > 5 || longer || is_alnum(next) || number(digits) > 65_535 {
        return None;
    }
    let shown = ends_before(text, at, b"ip ") || ends_before(text, at, b"> ") || reads(text, stop, b" >");
    shown.then(|| Span::new(start, stop))
}

/// `-rc1`, `-beta`, `-SNAPSHOT`, `+build`, a letter: what follows versions, not addresses.
fn is_version_tail(text: &[u8], end: usize) -> bool {
    let next = byte(text, end);
    if is_letter(next) {
        return true;
    }
    if next == b'+' {
        return is_alnum(byte(text, end + 1));
    }
    let words: [&[u8]; 11] = [
        b"rc",
        b"beta",
        b"alpha",
        b"snapshot",
        b"dev",
        b"pre",
        b"build",
        b"ga",
        b"final",
        b"release",
        b"hotfix",
    ];
    next == b'-' && words.iter().any(|word| reads(text, end + 1, word))
        || reads(text, end, b".jar")
        || reads(text, end, b".tar")
        || reads(text, end, b".tgz")
        || reads(text, end, b".zip")
        || reads(text, end, b".whl")
        || reads(text, end, b".so")
}

/// Whether the word before the place, quotes and separators skipped, announces a version.
fn follows_version_word(text: &[u8], at: usize) -> bool {
    let word_end =
        run_start(text, at, 5, |b| matches!(b, b' ' | b'=' | b':' | b'"' | b'\'' | b'(' | b'>' | b'\\'));
    word_end < at && is_version_word(text, word_end)
}

/// Whether a word that means a version ends before `end`: alone, or as the last part of a longer name
/// (`swVersion`, `app_ver`). `server` and `driver` only end in the same letters.
fn is_version_word(text: &[u8], end: usize) -> bool {
    let long: [&[u8]; 4] = [b"version", b"firmware", b"release", b"build"];
    if long.iter().any(|word| ends_before(text, end, word)) {
        return true;
    }
    let short: [&[u8]; 9] = [b"ver", b"vers", b"rev", b"fw", b"oid", b"sdk", b"v", b"revision", b"upgrade"];
    short.iter().any(|word| {
        if !ends_before(text, end, word) {
            return false;
        }
        let start = end - word.len();
        let camel = is_upper(byte(text, start)) && !is_upper(before(text, start));
        camel || !is_letter(before(text, start))
    })
}

/// Whether what touches the address on its left lets it be one.
fn may_follow(text: &[u8], at: usize, sure: bool) -> bool {
    match before(text, at) {
        b'.' => !is_alnum(before(text, at - 1)),
        b'-' => may_follow_dash(text, at - 1),
        b'/' => may_follow_slash(text, at - 1, sure),
        _ => true,
    }
}

/// The second end of a range, or a name that says it is an address; else a version (`app-1.2.3.4`).
fn may_follow_dash(text: &[u8], dash: usize) -> bool {
    if !is_alnum(before(text, dash)) {
        return true;
    }
    let run = run_start(text, dash, 16, |b| is_digit(b) || b == b'.');
    if octets(text, run, b'.').is_some_and(|(_, end)| end == dash) {
        return true;
    }
    let names: [&[u8]; 9] = [b"ip", b"host", b"addr", b"client", b"from", b"src", b"dst", b"peer", b"pool"];
    names.iter().any(|name| ends_before(text, dash, name))
}

/// `//203…`, `host.example/203…`, `UDP/203…`, a path's segment; not a product (`okhttp/4.9.1.2`).
fn may_follow_slash(text: &[u8], slash: usize, sure: bool) -> bool {
    let start = run_start(text, slash, 48, |b| is_token(b) || b == b'.');
    let word = slice(text, start..slash);
    if word.is_empty() {
        return true;
    }
    let path = before(text, start) == b'/';
    let versions: [&[u8]; 10] = [
        b"v",
        b"version",
        b"versions",
        b"release",
        b"releases",
        b"download",
        b"dist",
        b"lib",
        b"pkg",
        b"tags",
    ];
    if versions.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return false;
    }
    let transports: [&[u8]; 14] = [
        b"udp",
        b"tcp",
        b"tls",
        b"ws",
        b"wss",
        b"sctp",
        b"ip",
        b"ip4",
        b"ipv4",
        b"inet",
        b"host",
        b"localhost",
        b"client",
        b"peer",
    ];
    if transports.iter().any(|name| word.eq_ignore_ascii_case(name)) {
        return true;
    }
    // A path starts with `/`, a product does not: `/v1/numbers/203…` against `WhatsApp/2.24.1.7`.
    let in_path = path && !is_upper(byte(text, start));
    sure || in_path || word.contains(&b'.') || word.last().copied().is_some_and(is_digit)
}

/// The dashed address whose first digit is at `at`, as in `ip-203-0-113-7.pool.example`,
/// `host-203-0-113-7.dyn.example`, `203-0-113-7.cust.example`. The span is the numbers with their
/// dashes. A host name must go on after them, or a word for address must stand before.
#[must_use]
pub fn dashed_at(text: &[u8], at: usize) -> Option<IpHit> {
    let (octets, end) = octets(text, at, b'-')?;
    let named = before(text, at) == b'-' && follows_a_label(text, at - 1);
    if !(named || (starts_token(text, at) && before(text, at) != b'-')) || is_alnum(byte(text, end)) {
        return None;
    }
    let host = is_host_tail(text, end);
    let words: [&[u8]; 10] =
        [b"ip-", b"host-", b"ec2-", b"addr-", b"dsl-", b"cpe-", b"pool-", b"static-", b"dyn-", b"dynamic-"];
    let word = words.iter().any(|word| ends_before(text, at, word));
    let longer = byte(text, end) == b'-' && is_digit(byte(text, end + 1));
    if longer || !(host || word) {
        return None;
    }
    let address = IpAddr::V4(Ipv4Addr::from(octets));
    Some(IpHit { span: Span::new(at, end), address, form: Form::Dashed, port: None, prefix: None })
}

/// Whether a label with a letter in it ends before the dash.
fn follows_a_label(text: &[u8], dash: usize) -> bool {
    let start = run_start(text, dash, 32, is_token);
    slice(text, start..dash).iter().any(|b| is_letter(*b))
}

/// `.pool.example`, `-static.example`: labels with a letter and a dot among them.
fn is_host_tail(text: &[u8], at: usize) -> bool {
    if !matches!(byte(text, at), b'.' | b'-') {
        return false;
    }
    let end = run_end(text, at, 64, |b| is_token(b) || b == b'.');
    let name = slice(text, at..end);
    let dot = name.iter().position(|b| *b == b'.');
    // A date or a version may be dashed too; a file name after it has one dot and a short end.
    dot.is_some_and(|dot| tail(name, dot + 1).iter().any(|b| is_letter(*b))) && !looks_like_file(name)
}

fn looks_like_file(name: &[u8]) -> bool {
    let ends: [&[u8]; 9] = [b".log", b".gz", b".json", b".txt", b".csv", b".jar", b".zip", b".tar", b".xml"];
    ends.iter().any(|end| ends_before(name, name.len(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address, port and prefix of every hit of `find` at a digit run's start, left to right.
    fn all(text: &str, find: fn(&[u8], usize) -> Option<IpHit>) -> Vec<String> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let start = is_digit(bytes[at]) && !is_digit(before(bytes, at));
            match start.then(|| find(bytes, at)).flatten() {
                Some(hit) => {
                    let part = |span: Span| String::from_utf8_lossy(span.of(bytes)).into_owned();
                    let port = hit.port.map_or(String::new(), |span| format!(" port {}", part(span)));
                    let prefix = hit.prefix.map_or(String::new(), |span| format!(" of {}", part(span)));
                    found.push(format!("{}{port}{prefix}", part(hit.span)));
                    at = hit.span.end();
                }
                None => at += 1,
            }
        }
        found
    }

    #[test]
    fn addresses_are_found() {
        for (text, want) in [
            ("203.0.113.7", "203.0.113.7"),
            ("from 203.0.113.7.", "203.0.113.7"),
            ("client: 203.0.113.7, server", "203.0.113.7"),
            ("UDP:203.0.113.7:5060 --->", "203.0.113.7 port 5060"),
            ("SIP/2.0/UDP 203.0.113.7:5060;branch", "203.0.113.7 port 5060"),
            ("Call-ID: 1-548@203.0.113.7", "203.0.113.7"),
            ("[203.0.113.7]", "203.0.113.7"),
            ("203.0.113.0/24", "203.0.113.0 of 24"),
            ("http://203.0.113.7/send", "203.0.113.7"),
            ("address /203.0.113.7:41000", "203.0.113.7 port 41000"),
            ("kafka-1/203.0.113.7:9092", "203.0.113.7 port 9092"),
            ("api.example.com/203.0.113.7", "203.0.113.7"),
            ("/v1/hosts/203.0.113.7/state", "203.0.113.7"),
            ("client 203.0.113.7#53221 (example.com)", "203.0.113.7 port 53221"),
            ("IP 203.0.113.7.5060 > 198.51.100.2.5080:", "203.0.113.7 port 5060|198.51.100.2 port 5080"),
            ("203.0.113.1-203.0.113.9", "203.0.113.1|203.0.113.9"),
            ("203.0.113.1, 198.51.100.2,192.0.2.3", "203.0.113.1|198.51.100.2|192.0.2.3"),
            ("\\n203.0.113.7\\n", "203.0.113.7"),
            ("\x1b[36m203.0.113.7\x1b[0m", "203.0.113.7"),
            ("ratelimit_203.0.113.7_60", "203.0.113.7"),
            ("来自203.0.113.7的请求", "203.0.113.7"),
            ("7.113.0.203.in-addr.arpa", "7.113.0.203"),
            ("203.000.113.007", "203.000.113.007"),
            ("server 203.0.113.7 up", "203.0.113.7"),
            ("took 203.0.113.7:12:30", "203.0.113.7"),
        ] {
            let want: Vec<&str> = want.split('|').filter(|part| !part.is_empty()).collect();
            assert_eq!(all(text, v4_at), want, "{text}");
        }
    }

    #[test]
    fn versions_and_their_like_are_no_addresses() {
        for (text, why) in [
            ("Chrome/126.0.0.0 Safari/537.36", "a product"),
            ("Chrome/126.0.6478.55", "a product, and an octet above 255"),
            ("okhttp/4.9.1.2", "a product"),
            ("WhatsApp/2.24.10.85 A", "a product"),
            ("v1.2.3.4", "a version"),
            ("version 1.2.3.4", "a version"),
            ("swVersion=\"1.2.3.4\"", "a version"),
            ("app_ver: 4.2.1.9", "a version"),
            ("build=4.2.1.9", "a version"),
            ("1.2.3.4-rc1", "a version"),
            ("app-1.2.3.4.jar", "a file"),
            ("release 126.0.0.0", "a version"),
            ("oid 1.3.6.1", "an object identifier"),
            ("1.3.6.1.4.1.2021", "an object identifier"),
            ("1.2.3.4.5", "five numbers"),
            ("203.0.113", "three numbers"),
            ("203.0.113.1234", "a number above 255"),
            ("x203.0.113.7", "inside a word"),
            ("203.0.113.7x", "inside a word"),
            ("01.02.03.04", "leading zeros: a time or a version"),
            ("126.0.0.0", "a network without length: a version"),
            ("1.203.0.113.7", "the end of five numbers"),
        ] {
            assert_eq!(all(text, v4_at), Vec::<String>::new(), "{text}: {why}");
        }
    }

    #[test]
    fn dashed_host_names() {
        for (text, want) in [
            ("ip-203-0-113-7.pool.example.com", "203-0-113-7"),
            ("host-203-0-113-7.dyn.example.com", "203-0-113-7"),
            ("203-0-113-7.cust.example.com", "203-0-113-7"),
            ("ec2-203-0-113-7 up", "203-0-113-7"),
            ("c-203-0-113-7.hsd1.example.net", "203-0-113-7"),
            ("203-0-113-7-static.example.com", "203-0-113-7"),
        ] {
            assert_eq!(all(text, dashed_at), [want], "{text}");
        }
        for (text, why) in [
            ("203-0-113-7", "nothing says that it is a host"),
            ("2026-01-02-03.log", "a date"),
            ("1-2-3-4-5.example.com", "five numbers"),
            ("203-0-113-7.log", "a file"),
            ("415-555-0132", "a phone"),
        ] {
            assert_eq!(all(text, dashed_at), Vec::<String>::new(), "{text}: {why}");
        }
    }
}

//! IPv6 in text, all forms of RFC 4291 §2.2 and RFC 5952: compressed, exploded, upper case, mapped,
//! with a zone, in brackets with a port. Times, MAC addresses, fingerprints, and the `::` of programs
//! look alike.

use super::{Form, IpHit, is_zone, port_at, prefix_at};
use crate::detect::bytes::{
    before, byte, is_digit, is_hex, is_word, reads, run_end, run_start, slice, starts_token,
};
use crate::finding::Span;
use std::net::{IpAddr, Ipv6Addr};

/// Longest written address: eight groups, or six and an IPv4 address.
const LONGEST: usize = 45;

/// The IPv6 address that the colon at `colon` belongs to. Any colon of the address will do; the first
/// is cheapest. At most 45 bytes on either side are looked at.
#[must_use]
pub fn v6_at(text: &[u8], colon: usize) -> Option<IpHit> {
    if byte(text, colon) != b':' {
        return None;
    }
    let next = byte(text, colon + 1);
    if next != b':' && !is_hex(next) {
        return None;
    }
    let first = run_start(text, colon, LONGEST, |b| is_hex(b) || b == b':');
    let start = start_of(text, first, colon)?;
    let (address, end) = end_of(text, start)?;
    if end <= colon || !is_plausible(text, start, end) {
        return None;
    }
    let bracketed = before(text, start) == b'[' && byte(text, end) == b']';
    let behind = if bracketed { end + 1 } else { end };
    let form = if bracketed { Form::Bracketed } else { Form::Plain };
    let port = if bracketed || byte(text, behind) == b'#' { port_at(text, behind) } else { None };
    Some(IpHit {
        span: Span::new(start, end),
        address: IpAddr::V6(address),
        form,
        port,
        prefix: prefix_at(text, end, 128),
    })
}

/// Where the address starts: at the run's start, or behind a word's colon (`node:2001:db8::1`, of which
/// `de:` reads as hex).
fn start_of(text: &[u8], first: usize, colon: usize) -> Option<usize> {
    let lone = byte(text, first) == b':' && byte(text, first + 1) != b':';
    if lone {
        return Some(first + 1);
    }
    let glued = !starts_token(text, first) || matches!(before(text, first), b'.' | b'-');
    if !glued {
        return Some(first);
    }
    let behind = run_end(text, first, 5, is_hex);
    let named = byte(text, behind) == b':' && byte(text, behind + 1) != b':';
    (named && behind <= colon && before(text, first) != b'.').then_some(behind + 1)
}

/// The longest address that starts at a place, and its end.
fn end_of(text: &[u8], start: usize) -> Option<(Ipv6Addr, usize)> {
    let mut end = run_end(text, start, LONGEST + 1, |b| is_hex(b) || b == b':');
    if end - start > LONGEST || !may_be_whole(slice(text, start..end)) {
        return None;
    }
    if byte(text, end) == b'.' && is_digit(before(text, end)) {
        let tail = run_start(text, end, 3, is_digit);
        if let Some((_, stop)) = super::v4::octets(text, tail, b'.') {
            let longer = byte(text, stop) == b'.' && is_digit(byte(text, stop + 1));
            if !longer && !is_word(byte(text, stop)) {
                return read(slice(text, start..stop)).map(|address| (address, stop));
            }
        }
    }
    if is_word(byte(text, end)) {
        // `2001:db8::1:error`: the last group is a word's beginning.
        end = run_start(text, end, 5, is_hex);
        if before(text, end) != b':' || end < start + 2 {
            return None;
        }
        end -= 1;
    } else if before(text, end) == b':' && before(text, end - 1) != b':' {
        end -= 1;
    }
    if end <= start {
        return None;
    }
    // `2001:db8:0:0:0:0:0:7:443`, `2001:db8::7:61000`: behind eight groups, or of five digits, a port.
    let run = slice(text, start..end);
    if let Some(last) = ninth_group(run).or_else(|| long_port(run)) {
        end = start + last;
    }
    let address = read(slice(text, start..end))?;
    Some((address, zone_end(text, address, end)))
}

/// Whether hex digits and colons have groups enough, an IPv4 address behind them or not, or a gap for the others:
/// times of day have neither.
fn may_be_whole(run: &[u8]) -> bool {
    let (mut colons, mut gap, mut last) = (0, false, 0);
    for byte in run {
        gap |= *byte == b':' && last == b':';
        colons += usize::from(*byte == b':');
        last = *byte;
    }
    gap || colons >= 6
}

/// Where the eight groups of a run end that has nine, the last of digits.
fn ninth_group(run: &[u8]) -> Option<usize> {
    let colons = run.iter().filter(|b| **b == b':').count();
    let last = run.iter().rposition(|b| *b == b':')?;
    let port = slice(run, last + 1..run.len());
    let long = run.split(|b| *b == b':').any(|group| group.len() == 4);
    let ported = (2..=5).contains(&port.len()) && port.iter().all(|b| is_digit(*b));
    (colons == 8 && long && ported).then_some(last)
}

/// Where a compressed address ends that has five digits behind its last colon: no group has as many.
fn long_port(run: &[u8]) -> Option<usize> {
    let last = run.iter().rposition(|b| *b == b':')?;
    let port = slice(run, last + 1..run.len());
    (port.len() == 5 && port.iter().all(|b| is_digit(*b)) && before(run, last) != b':').then_some(last)
}

/// End of `%eth0` behind a link-local or multicast address. Elsewhere a `%` begins an escape.
fn zone_end(text: &[u8], address: Ipv6Addr, end: usize) -> usize {
    let scoped = address.is_unicast_link_local() || address.is_multicast();
    if !scoped || byte(text, end) != b'%' {
        return end;
    }
    let stop = run_end(text, end + 1, 32, is_zone);
    if stop == end + 1 { end } else { stop }
}

fn read(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Whether a run that reads as an address is one: `a::b`, `5::dec`, eight bytes of a MAC are not.
fn is_plausible(text: &[u8], start: usize, end: usize) -> bool {
    let run = slice(text, start..end);
    if run.starts_with(b"::") {
        let scope = is_word(before(text, start)) || before(text, start) == b'>';
        let known = run == b"::1" || reads(text, start, b"::ffff:") || run.contains(&b'.');
        return known && !scope;
    }
    let compressed = run.windows(2).any(|pair| pair == b"::");
    let mut groups = run.split(|b| *b == b':').filter(|group| !group.is_empty());
    if !compressed {
        // Extended identifiers (EUI-64) and short fingerprints are eight pairs.
        return !groups.all(|group| group.len() == 2);
    }
    // Every assigned unicast block begins with a full group, but for these (IANA registry).
    let full = groups.next().is_some_and(|group| group.len() == 4);
    let short = reads(text, start, b"64:ff9b:") || reads(text, start, b"100::");
    (full || short) && run.iter().any(|b| is_digit(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(String, Form, String)> {
        let bytes = text.as_bytes();
        let hit = (0..bytes.len()).find_map(|at| v6_at(bytes, at))?;
        let part = |span: Span| String::from_utf8_lossy(span.of(bytes)).into_owned();
        let more = hit.port.or(hit.prefix).map_or(String::new(), part);
        Some((part(hit.span), hit.form, more))
    }

    #[test]
    fn addresses_are_found_whole() {
        for (text, address, more) in [
            ("2001:db8::1", "2001:db8::1", ""),
            ("from 2001:DB8:0:0:8:800:200C:417A.", "2001:DB8:0:0:8:800:200C:417A", ""),
            ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:0db8:0000:0000:0000:0000:0000:0001", ""),
            ("[2001:db8::1]:443", "2001:db8::1", "443"),
            ("2001:db8::/32", "2001:db8::", "32"),
            ("from 2001:db8::7:61000 to", "2001:db8::7", ""),
            ("client:2001:db8::1", "2001:db8::1", ""),
            ("node:2001:db8::1", "2001:db8::1", ""),
            ("ip=2001:db8::1,", "2001:db8::1", ""),
            ("2001:db8::1: refused", "2001:db8::1", ""),
            ("2001:db8::1:error", "2001:db8::1", ""),
            ("::ffff:203.0.113.7", "::ffff:203.0.113.7", ""),
            ("(::FFFF:203.0.113.7)", "::FFFF:203.0.113.7", ""),
            ("::ffff:cb00:7107", "::ffff:cb00:7107", ""),
            ("64:ff9b::203.0.113.7", "64:ff9b::203.0.113.7", ""),
            ("fe80::1%eth0 up", "fe80::1%eth0", ""),
            ("ff02::fb%3", "ff02::fb%3", ""),
            ("on ::1 port", "::1", ""),
            ("\\n2001:db8::1", "2001:db8::1", ""),
            ("\x1b[36m2001:db8::1\x1b[0m", "2001:db8::1", ""),
            ("来自2001:db8::1的", "2001:db8::1", ""),
        ] {
            let (span, form, rest) = first(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((span.as_str(), rest.as_str()), (address, more), "{text}");
            assert_eq!(form == Form::Bracketed, text.contains('[') && !text.contains('\x1b'), "{text}");
        }
    }

    #[test]
    fn colons_of_other_things_are_left() {
        for (text, why) in [
            ("12:30:45", "a time"),
            ("2026-01-07T11:25:15Z", "a time"),
            ("node=10:41:22", "a time"),
            ("00:00:5e:00:53:af", "a MAC address"),
            ("00:00:5e:ff:fe:00:53:af", "an extended identifier"),
            ("5e:00:53:af:5e:00:53:af:5e:00:53:af:5e:00:53:af", "a fingerprint"),
            ("std::fmt::Display", "a path in a program"),
            ("C++::scopes", "a path in a program"),
            ("a::b", "a path in a program"),
            ("dead::beef", "a path in a program: no digit"),
            ("tokio::runtime::task::harness_ab12cd", "a path in a program"),
            ("Foo::1", "a path in a program"),
            ("SELECT 5::decimal, '5'::text", "a cast"),
            ("10::bigint", "a cast"),
            ("::", "nothing is told by it"),
            ("0000:00:1f.2", "a device on a bus"),
            ("abc:def", "two words"),
            ("[msg:12:hello]", "fields"),
            ("1:2:3:4:5:6:7:8:9", "nine numbers"),
        ] {
            assert_eq!(first(text), None, "{text}: {why}");
        }
    }
}

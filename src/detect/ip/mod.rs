//! IP addresses in every written form.
//!
//! Decimal integers (`3405803783`) and octal or hex octets (`0313.0.0x71.7`) are left alone: logs don't
//! write addresses so, and every ten-digit number would be one.

use super::bytes::{byte, is_alnum, is_digit, run_end, slice, tail};
use crate::class::Class;
use crate::detect::Hit;
use crate::finding::Span;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod reserved;
mod v4;
mod v6;

pub use reserved::{Reach, is_private, reach};
pub use v4::{dashed_at, v4_at, why_not};
pub use v6::v6_at;

/// How the address stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    /// `[2001:db8::1]`: the brackets are not in the span.
    Bracketed,
    /// `203-0-113-7` in a host name.
    Dashed,
    /// `7.113.0.203.in-addr.arpa`: the span is the number, the address is the one meant.
    Reverse,
}

/// An address in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpHit {
    /// The address alone: no port, no prefix length, no brackets; a zone (`%eth0`) is in it.
    pub span: Span,
    pub address: IpAddr,
    pub form: Form,
    /// Digits of the port behind the address.
    pub port: Option<Span>,
    /// Digits of the prefix length behind the address (`/24`).
    pub prefix: Option<Span>,
}

impl IpHit {
    #[must_use]
    pub fn hit(&self) -> Hit {
        Hit { span: self.span, class: Class::Ip }
    }
}

/// The address that is the whole text, spaces around it, brackets, a port, a prefix length or a zone
/// aside; `None` for anything else. Unlike [`v4_at`] and [`v6_at`] it asks for no context: the caller
/// knows that the value stands in an address's place.
#[must_use]
pub fn parse(text: &[u8]) -> Option<IpAddr> {
    let text = text.trim_ascii();
    if text.len() > 80 {
        return None;
    }
    if let Some(rest) = text.strip_prefix(b"[") {
        let close = rest.iter().position(|b| *b == b']')?;
        let behind = tail(rest, close + 1);
        let port = behind.strip_prefix(b":").is_some_and(is_port);
        return (behind.is_empty() || port).then(|| parse_v6(slice(rest, 0..close))).flatten();
    }
    if let Some((octets, end)) = v4::octets(text, 0, b'.') {
        let behind = tail(text, end);
        let port = behind.strip_prefix(b":").or_else(|| behind.strip_prefix(b"#")).is_some_and(is_port);
        let prefix = behind.strip_prefix(b"/").is_some_and(|n| is_number_up_to(n, 32));
        return (behind.is_empty() || port || prefix).then(|| IpAddr::V4(Ipv4Addr::from(octets)));
    }
    let slash = text.iter().position(|b| *b == b'/').unwrap_or(text.len());
    let prefix = tail(text, slash);
    if !prefix.is_empty() && !is_number_up_to(tail(prefix, 1), 128) {
        return None;
    }
    parse_v6(slice(text, 0..slash))
}

fn parse_v6(text: &[u8]) -> Option<IpAddr> {
    let zone = text.iter().position(|b| *b == b'%').unwrap_or(text.len());
    let name = tail(text, zone + 1);
    let zoned = zone == text.len() || (!name.is_empty() && name.iter().all(|b| is_zone(*b)));
    let address = std::str::from_utf8(slice(text, 0..zone)).ok()?;
    zoned.then(|| address.parse::<Ipv6Addr>().ok()).flatten().map(IpAddr::V6)
}

fn is_zone(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'.' | b'_' | b'-')
}

fn is_port(digits: &[u8]) -> bool {
    is_number_up_to(digits, 65_535)
}

fn is_number_up_to(digits: &[u8], most: u32) -> bool {
    (1..=5).contains(&digits.len()) && digits.iter().all(|b| is_digit(*b)) && number(digits) <= most
}

/// Value of at most nine decimal digits.
fn number(digits: &[u8]) -> u32 {
    digits.iter().take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0')))
}

/// `:5060` or `#53` at a place: the digits. Not the start of a time or of a longer run.
fn port_at(text: &[u8], at: usize) -> Option<Span> {
    if !matches!(byte(text, at), b':' | b'#') {
        return None;
    }
    let start = at + 1;
    let end = run_end(text, start, 6, is_digit);
    let next = byte(text, end);
    let glued = is_alnum(next) || (next == b':' && is_digit(byte(text, end + 1)));
    let decimal = next == b'.' && is_digit(byte(text, end + 1));
    (is_port(slice(text, start..end)) && !glued && !decimal).then(|| Span::new(start, end))
}

/// `/24` at a place: the digits.
fn prefix_at(text: &[u8], at: usize, most: u32) -> Option<Span> {
    if byte(text, at) != b'/' {
        return None;
    }
    let start = at + 1;
    let end = run_end(text, start, 4, is_digit);
    let next = byte(text, end);
    let glued = is_alnum(next) || next == b'/' || (next == b'.' && is_digit(byte(text, end + 1)));
    (end - start <= 3 && is_number_up_to(slice(text, start..end), most) && !glued)
        .then(|| Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_value_is_read_with_what_may_stand_around_an_address() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7 ", "203.0.113.7"),
            ("203.0.113.7:5060", "203.0.113.7"),
            ("203.0.113.7#53", "203.0.113.7"),
            ("203.0.113.0/24", "203.0.113.0"),
            ("203.000.113.007", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8::1/64", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("::ffff:203.0.113.7", "::ffff:203.0.113.7"),
            ("::", "::"),
        ] {
            assert_eq!(parse(text.as_bytes()), address.parse().ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, why) in [
            ("", "nothing"),
            ("203.0.113", "three octets"),
            ("203.0.113.256", "octet above 255"),
            ("203.0.113.7.1", "five octets"),
            ("203.0.113.7:70000", "no such port"),
            ("203.0.113.0/33", "no such prefix length"),
            ("[2001:db8::1", "bracket never closed"),
            ("2001:db8::1/129", "no such prefix length"),
            ("2001:db8::1%", "empty zone"),
            ("12:30:45", "a time"),
            ("3405803783", "a decimal number"),
            ("example.com", "a host name"),
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}: {why}");
        }
    }
}

//! `geo`: a place in an address's stead.
//!
//! Order of work: read the address in its written form; if it is private or reserved say only that;
//! else cut it to its network (IPv4 /24, IPv6 /48) and look that up, so that no database and no
//! cache ever sees a whole address.

use super::{Context, GeoDetail, Place, Places, country};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address is, as far as may be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Located<'a> {
    /// In a private or reserved range (IANA special-purpose registries, multicast): nowhere.
    Private,
    /// No database, not in it, or not an address.
    Unknown,
    /// The country is an ISO 3166-1 code; a city only where at least `city_floor` addresses are
    /// mapped to it.
    Place { country: &'static str, city: Option<&'a str> },
}

/// Looks an address up. For `<field>_country` and `<field>_city` members as well as placeholders;
/// the city is as the database spells it, [`write_city`] gives its written form.
#[must_use]
pub fn locate<'a>(written: &[u8], context: &Context<'a>) -> Located<'a> {
    let Some(address) = parse_address(written) else {
        return Located::Unknown;
    };
    if is_special(address) {
        return Located::Private;
    }
    match context.places {
        Some(places) => look_up(places, truncate(address), context.city_floor),
        None => Located::Unknown,
    }
}

fn look_up(places: &dyn Places, truncated: IpAddr, city_floor: u64) -> Located<'_> {
    let Some(Place { country, city, city_addresses }) = places.place(truncated) else {
        return Located::Unknown;
    };
    match country::known(country.as_bytes()) {
        Some(country) => Located::Place { country, city: city.filter(|_| city_addresses >= city_floor) },
        None => Located::Unknown,
    }
}

/// Appends `[IP:DE/Berlin]`, `[IP:DE]`, `[IP:private]` or `[IP:unknown]`; always has an answer.
pub(super) fn write(written: &[u8], detail: GeoDetail, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
    match locate(written, context) {
        Located::Private => out.extend_from_slice(b"[IP:private]"),
        Located::Unknown => out.extend_from_slice(b"[IP:unknown]"),
        Located::Place { country, city } => {
            out.extend_from_slice(b"[IP:");
            out.extend_from_slice(country.as_bytes());
            let end = out.len();
            if let (GeoDetail::City, Some(city)) = (detail, city) {
                out.push(b'/');
                if !write_city(city, out) {
                    out.truncate(end);
                }
            }
            out.push(b']');
        }
    }
    true
}

pub(super) fn write_country(country: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[IP:");
    out.extend_from_slice(country.as_bytes());
    out.push(b']');
}

/// The network an address is looked up by: IPv4 /24, IPv6 /48.
#[must_use]
pub fn truncate(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00)),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80))),
    }
}

/// Reads an address as logs write it: `192.0.2.7`, with port, prefix length, brackets or zone,
/// octets padded with zeros or split by dashes, IPv6 in any form; an IPv4 address inside an IPv6 one
/// (mapped, NAT64's well-known prefix) is that IPv4 address.
#[must_use]
pub fn parse_address(written: &[u8]) -> Option<IpAddr> {
    // The longest form: brackets, eight groups with an IPv4 tail, a zone, a port.
    if written.len() > 128 {
        return None;
    }
    let text = written.trim_ascii();
    if let Some(inner) = text.strip_prefix(b"[") {
        let end = memchr::memchr(b']', inner)?;
        is_tail(inner.get(end + 1..)?).then_some(())?;
        return parse_v6(inner.get(..end)?).or_else(|| parse_v4(inner.get(..end)?));
    }
    parse_v4(text).or_else(|| parse_v6(text))
}

/// A port or a prefix length, or nothing.
fn is_tail(tail: &[u8]) -> bool {
    match tail.split_first() {
        None => true,
        Some((b':' | b'/', digits)) => (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    }
}

fn parse_v4(text: &[u8]) -> Option<IpAddr> {
    let end = text.iter().position(|byte| matches!(byte, b':' | b'/')).unwrap_or(text.len());
    let (address, tail) = text.split_at_checked(end)?;
    if !is_tail(tail) {
        return None;
    }
    let separator = *address.iter().find(|byte| !byte.is_ascii_digit())?;
    if !matches!(separator, b'.' | b'-') {
        return None;
    }
    let mut octets = [0u8; 4];
    let mut parts = address.split(|byte| *byte == separator);
    for octet in &mut octets {
        let part = parts.next().filter(|part| (1..=3).contains(&part.len()))?;
        *octet = std::str::from_utf8(part).ok().filter(|part| !part.starts_with('+'))?.parse().ok()?;
    }
    parts.next().is_none().then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}

fn parse_v6(text: &[u8]) -> Option<IpAddr> {
    let end = text.iter().position(|byte| matches!(byte, b'%' | b'/')).unwrap_or(text.len());
    let (address, tail) = text.split_at_checked(end)?;
    if tail.first() == Some(&b'/') && !is_tail(tail) {
        return None;
    }
    let v6: Ipv6Addr = std::str::from_utf8(address).ok()?.parse().ok()?;
    let nat64 = matches!(v6.segments(), [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
    let embedded = v6.to_ipv4_mapped().or_else(|| nat64.then(|| Ipv4Addr::from_bits(v6.to_bits() as u32)));
    Some(embedded.map_or(IpAddr::V6(v6), IpAddr::V4))
}

/// Whether an address has no place in the world: IANA IPv4 and IPv6 special-purpose address
/// registries (RFC 6890, state of 2025), multicast, and IPv4's reserved 240.0.0.0/4. The relays that
/// are globally reachable (AS112, AMT, PCP/TURN anycast) count as special too: they are nobody.
#[must_use]
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(
            v4.octets(),
            [0 | 10 | 127 | 224..=255, ..]
                | [100, 64..=127, ..]
                | [169, 254, ..]
                | [172, 16..=31, ..]
                | [192, 0, 0 | 2, _]
                | [192, 31, 196, _]
                | [192, 52, 193, _]
                | [192, 88, 99, _]
                | [192, 168, ..]
                | [192, 175, 48, _]
                | [198, 18..=19, ..]
                | [198, 51, 100, _]
                | [203, 0, 113, _]
        ),
        IpAddr::V6(v6) => match v6.segments() {
            // Unspecified, loopback, IPv4-compatible (deprecated), and all else below 0100::/8.
            [0..=0xff, ..] => true,
            [0x100, 0, 0, 0..=1, ..] => true,
            // IETF protocol assignments (Teredo, benchmarking, ORCHID …): 2001::/23.
            [0x2001, 0..=0x1ff, ..] => true,
            [0x2001, 0xdb8, ..] => true,
            [0x2620, 0x4f, 0x8000, ..] => true,
            [0x3fff, 0..=0xfff, ..] => true,
            [0x5f00, ..] => true,
            // Unique local, link-local, site-local (deprecated), multicast.
            [0xfc00..=0xfdff | 0xfe80..=0xfeff | 0xff00..=0xffff, ..] => true,
            _ => false,
        },
    }
}

/// Longest written city name.
const MAX_CITY: usize = 64;

/// Appends a city's written form: ASCII letters, digits, `_` for a space, `-` and `.`; diacritics and
/// ligatures transliterated, apostrophes gone. What stands in parentheses or after a comma is gone
/// too: databases put a district there, which is finer than a city. `false`, with nothing to be used
/// appended, where a letter has no ASCII form or the name is empty or too long.
pub fn write_city(city: &str, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let name = city.split(['(', ',', '/', ';']).next().unwrap_or(city).trim();
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' => out.push(c as u8),
            ' ' | '_' | '\u{a0}' => out.push(b'_'),
            '\'' | '`' | '’' | '‘' | 'ʻ' | 'ʼ' | 'ʹ' | '´' | '"' | '\u{300}'..='\u{36f}' => {}
            '\u{2010}'..='\u{2014}' => out.push(b'-'),
            _ => match ascii_of(c) {
                Some(letters) => out.extend_from_slice(letters),
                None => return false,
            },
        }
        if out.len() - start > MAX_CITY {
            return false;
        }
    }
    out.get(start..).is_some_and(is_written_city)
}

/// Whether a name has the form that [`write_city`] gives.
#[must_use]
pub fn is_written_city(name: &[u8]) -> bool {
    name.len() <= MAX_CITY
        && name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// Base letters of U+00C0 to U+024F and of U+1E00 to U+1EFF (Unicode's canonical decomposition, and
/// the stroked and hooked letters by their look); `.` has none here.
const LATIN: &[u8] = b"AAAAAA.CEEEEIIIIDNOOOOO.OUUUUY..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y\
AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi..JjKkkLlLlLl.\
.LlNnNnNn.NnOoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs\
bB.......DD....E....G..IKk.....OOo.............Uu..YyZz.........\
.............AaIiOoUuUuUuUuUueAaAa..GgGgKkOoOo..j...Gg..NnAa....\
AaAaEeEeIiIiOoOoRrRrUuUuSsTt..Hh......AaEeOoOoOoOoYy............\
................";
const LATIN_ADDITIONAL: &[u8] = b"AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMm\
MmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSsTtTtTtTtUuUuUuUuUuVvVv\
WwWwWwWwWwXxXxYyZzZzZzhtwy......AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEe\
EeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOoUuUuUuUuUuUuUuYyYyYyYy......";

fn ascii_of(c: char) -> Option<&'static [u8]> {
    Some(match c {
        'Æ' => b"AE",
        'æ' => b"ae",
        'Œ' => b"OE",
        'œ' => b"oe",
        'Þ' => b"Th",
        'þ' => b"th",
        'ß' => b"ss",
        'Ĳ' => b"IJ",
        'ĳ' => b"ij",
        'ə' => b"e",
        _ => {
            let code = c as usize;
            let (table, first) = if code < 0x1e00 { (LATIN, 0xc0) } else { (LATIN_ADDITIONAL, 0x1e00) };
            let index = code.checked_sub(first)?;
            table.get(index..=index).filter(|letter| *letter != b".")?
        }
    })
}

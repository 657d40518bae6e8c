//! Which addresses belong to nobody on the public internet.
//!
//! Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, RFC 8190) as of 2026-07-18, every
//! row of which the test below asks; 224.0.0.0/4 by RFC 5771 and ff00::/8 by RFC 4291; fec0::/10 as RFC 3879
//! left it. Anycast services that the registries call reachable (AS112, AMT, PCP, TURN) are nobody's either.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Routed on the public internet: belongs to somebody and can be looked up.
    Global,
    /// RFC 1918, shared address space (RFC 6598), unique local (RFC 4193).
    Private,
    Loopback,
    LinkLocal,
    /// RFC 5737, RFC 3849, RFC 9637, benchmarking (RFC 2544, RFC 5180).
    Documentation,
    Multicast,
    /// Unspecified, broadcast, future use, protocol assignments, discard, anycast services.
    Reserved,
}

const V4: [([u8; 4], u8, Reach); 18] = [
    ([0, 0, 0, 0], 8, Reach::Reserved),
    ([10, 0, 0, 0], 8, Reach::Private),
    ([100, 64, 0, 0], 10, Reach::Private),
    ([127, 0, 0, 0], 8, Reach::Loopback),
    ([169, 254, 0, 0], 16, Reach::LinkLocal),
    ([172, 16, 0, 0], 12, Reach::Private),
    ([192, 0, 0, 0], 24, Reach::Reserved),
    ([192, 0, 2, 0], 24, Reach::Documentation),
    ([192, 31, 196, 0], 24, Reach::Reserved),
    ([192, 52, 193, 0], 24, Reach::Reserved),
    ([192, 88, 99, 0], 24, Reach::Reserved),
    ([192, 168, 0, 0], 16, Reach::Private),
    ([192, 175, 48, 0], 24, Reach::Reserved),
    ([198, 18, 0, 0], 15, Reach::Documentation),
    ([198, 51, 100, 0], 24, Reach::Documentation),
    ([203, 0, 113, 0], 24, Reach::Documentation),
    ([224, 0, 0, 0], 4, Reach::Multicast),
    ([240, 0, 0, 0], 4, Reach::Reserved),
];

/// The first four groups are enough: no entry but loopback and unspecified is longer than /64.
const V6: [([u16; 4], u8, Reach); 12] = [
    ([0x64, 0xff9b, 1, 0], 48, Reach::Private),
    ([0x100, 0, 0, 0], 63, Reach::Reserved),
    ([0x2001, 0x2, 0, 0], 48, Reach::Documentation),
    ([0x2001, 0xdb8, 0, 0], 32, Reach::Documentation),
    ([0x2001, 0, 0, 0], 23, Reach::Reserved),
    ([0x2620, 0x4f, 0x8000, 0], 48, Reach::Reserved),
    ([0x3fff, 0, 0, 0], 20, Reach::Documentation),
    ([0x5f00, 0, 0, 0], 16, Reach::Reserved),
    ([0xfc00, 0, 0, 0], 7, Reach::Private),
    ([0xfe80, 0, 0, 0], 10, Reach::LinkLocal),
    ([0xfec0, 0, 0, 0], 10, Reach::Private),
    ([0xff00, 0, 0, 0], 8, Reach::Multicast),
];

/// How far an address reaches. IPv4 addresses inside IPv6 ones (mapped and compatible, RFC 4291; translated,
/// RFC 6052; 6to4, RFC 3056) are judged as what they are; `2001::/23` holds Teredo, whose addresses count as
/// reserved.
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => reach_v4(v4),
            None => reach_v6(v6),
        },
    }
}

/// Whether nobody on the public internet owns the address.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    reach(address) != Reach::Global
}

fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let (high, low) = match [a, b, c, d, e, f] {
        [0x64, 0xff9b, 0, 0, 0, 0] | [0, 0, 0, 0, 0, 0xffff] => (g, h),
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0] if g > 0 => (g, h),
        [0x2002, ..] => (b, c),
        _ => return None,
    };
    let ([one, two], [three, four]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(one, two, three, four))
}

fn reach_v4(v4: Ipv4Addr) -> Reach {
    let address = u32::from(v4);
    V4.into_iter()
        .find(|(net, length, _)| (address ^ u32::from_be_bytes(*net)) >> (32 - u32::from(*length)) == 0)
        .map_or(Reach::Global, |(_, _, reach)| reach)
}

fn reach_v6(v6: Ipv6Addr) -> Reach {
    if v6.is_loopback() {
        return Reach::Loopback;
    }
    if v6.is_unspecified() {
        return Reach::Reserved;
    }
    let [a, b, c, d, ..] = v6.segments();
    let address = join([a, b, c, d]);
    V6.into_iter()
        .find(|(net, length, _)| (address ^ join(*net)) >> (64 - u32::from(*length)) == 0)
        .map_or(Reach::Global, |(_, _, reach)| reach)
}

fn join(groups: [u16; 4]) -> u64 {
    groups.into_iter().fold(0, |sum, group| sum << 16 | u64::from(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each range's first and last address, and its neighbours outside where those are global.
    #[test]
    fn ranges_end_where_the_registries_say() {
        for (text, want) in [
            ("0.0.0.0", Reach::Reserved),
            ("0.255.255.255", Reach::Reserved),
            ("1.0.0.0", Reach::Global),
            ("10.255.255.255", Reach::Private),
            ("11.0.0.0", Reach::Global),
            ("100.63.255.255", Reach::Global),
            ("100.64.0.0", Reach::Private),
            ("100.127.255.255", Reach::Private),
            ("100.128.0.0", Reach::Global),
            ("127.0.0.1", Reach::Loopback),
            ("169.254.1.1", Reach::LinkLocal),
            ("172.15.255.255", Reach::Global),
            ("172.16.0.0", Reach::Private),
            ("172.31.255.255", Reach::Private),
            ("172.32.0.0", Reach::Global),
            ("192.0.2.1", Reach::Documentation),
            ("192.168.255.255", Reach::Private),
            ("192.169.0.0", Reach::Global),
            ("198.19.255.255", Reach::Documentation),
            ("198.51.100.7", Reach::Documentation),
            ("203.0.113.7", Reach::Documentation),
            ("223.255.255.255", Reach::Global),
            ("224.0.0.1", Reach::Multicast),
            ("255.255.255.255", Reach::Reserved),
            ("::", Reach::Reserved),
            ("::1", Reach::Loopback),
            ("::ffff:10.0.0.1", Reach::Private),
            ("::ffff:1.0.0.1", Reach::Global),
            ("64:ff9b::10.0.0.1", Reach::Private),
            ("64:ff9b::1.0.0.1", Reach::Global),
            ("100::1", Reach::Reserved),
            ("2001:db8::1", Reach::Documentation),
            ("2001:200::1", Reach::Global),
            ("2600::1", Reach::Global),
            ("3fff::1", Reach::Documentation),
            ("fbff::1", Reach::Global),
            ("fc00::1", Reach::Private),
            ("fdff::1", Reach::Private),
            ("fe80::1", Reach::LinkLocal),
            ("febf::1", Reach::LinkLocal),
            ("ff02::1", Reach::Multicast),
            ("192.0.0.8", Reach::Reserved),
            ("192.0.0.170", Reach::Reserved),
            ("192.31.196.1", Reach::Reserved),
            ("192.52.193.1", Reach::Reserved),
            ("192.88.99.2", Reach::Reserved),
            ("192.175.48.1", Reach::Reserved),
            ("198.17.255.255", Reach::Global),
            ("240.0.0.1", Reach::Reserved),
            ("64:ff9b:1::1", Reach::Private),
            ("100:0:0:1::1", Reach::Reserved),
            ("100:0:0:2::1", Reach::Global),
            ("2001::1", Reach::Reserved),
            ("2001:1::3", Reach::Reserved),
            ("2001:2::1", Reach::Documentation),
            ("2001:3::1", Reach::Reserved),
            ("2001:4:112::1", Reach::Reserved),
            ("2001:10::1", Reach::Reserved),
            ("2001:20::1", Reach::Reserved),
            ("2001:30::1", Reach::Reserved),
            ("2002:a00:1::1", Reach::Private),
            ("2002:100::1", Reach::Global),
            ("2620:4f:8000::1", Reach::Reserved),
            ("2620:4f:8001::1", Reach::Global),
            ("5f00::1", Reach::Reserved),
            ("5f01::1", Reach::Global),
            ("fec0::1", Reach::Private),
            ("::10.0.0.1", Reach::Private),
            ("::1.0.0.1", Reach::Global),
        ] {
            let address: IpAddr = text.parse().expect("test data");
            assert_eq!(reach(address), want, "{text}");
            assert_eq!(is_private(address), want != Reach::Global, "{text}");
        }
    }
}

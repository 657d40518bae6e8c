//! The country table in the binary: which country an IPv4 /24 or an IPv6 /48 is in.
//!
//! `tools/geo-country.sh` makes `data/countries.bin.zst` from npm's
//! `@ip-location-db/geo-whois-asn-country-mmdb`; `data/README.md` says from which version, and under
//! which licence. Inside the zstd frame, all numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `LSGEO\0\0\1` |
//! | 8 | when the source was built, seconds since 1970 |
//! | 4, 4 | how many IPv4 and IPv6 ranges |
//! | 2 × 256 | countries; number 0 is "none" |
//! | LEB128 each | starts of the IPv4 ranges, as differences, in /24 networks |
//! | 1 each | countries of the IPv4 ranges |
//! | LEB128 each, 1 each | the same for IPv6, in /48 networks |
//!
//! A range ends where the next begins. The first begins at 0.

use crate::transform::country;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::OnceLock;

const MAGIC: &[u8; 8] = b"LSGEO\0\0\x01";
const COMPRESSED: &[u8] = include_bytes!("data/countries.bin.zst");
/// The table's length when unpacked is far below this.
const MAX_BYTES: usize = 16 << 20;

/// Ranges of networks and their countries.
#[derive(Default)]
pub struct CountryTable {
    build_timestamp_seconds: u64,
    countries: Vec<Option<&'static str>>,
    v4: Ranges<u32>,
    /// Where the IPv4 ranges of each /16 begin, and at the end their number: a look at one place instead of at
    /// eighteen that lie far apart.
    v4_sixteens: Vec<u32>,
    v6: Ranges<u64>,
}

#[derive(Default)]
struct Ranges<T> {
    starts: Vec<T>,
    countries: Vec<u8>,
}

/// The table in the binary, unpacked at the first call.
#[must_use]
pub fn embedded() -> &'static CountryTable {
    static TABLE: OnceLock<CountryTable> = OnceLock::new();
    TABLE.get_or_init(|| unpack(COMPRESSED).unwrap_or_default())
}

impl CountryTable {
    /// The country of an address's /24 or /48.
    #[must_use]
    pub fn country(&self, address: IpAddr) -> Option<&'static str> {
        let number = match address {
            IpAddr::V4(v4) => self.v4(v4.to_bits() >> 8),
            IpAddr::V6(v6) => self.v6.of((v6.to_bits() >> 80) as u64, 0..self.v6.starts.len()),
        };
        self.countries.get(usize::from(number?)).copied().flatten()
    }

    #[must_use]
    pub fn build_timestamp_seconds(&self) -> u64 {
        self.build_timestamp_seconds
    }

    /// The country's number of a /24.
    fn v4(&self, network: u32) -> Option<u8> {
        let sixteen = (network >> 8) as usize;
        let among = *self.v4_sixteens.get(sixteen)? as usize..*self.v4_sixteens.get(sixteen + 1)? as usize;
        self.v4.of(network, among)
    }

    /// How many IPv4 and IPv6 ranges.
    #[must_use]
    pub fn ranges(&self) -> (usize, usize) {
        (self.v4.starts.len(), self.v6.starts.len())
    }
}

impl<T: Ord + Copy> Ranges<T> {
    /// The country of a network, whose range begins in `among` or right before.
    fn of(&self, network: T, among: Range<usize>) -> Option<u8> {
        let before = among.start;
        let after = before + self.starts.get(among)?.partition_point(|start| *start <= network);
        self.countries.get(after.checked_sub(1)?).copied()
    }
}

/// Reads a packed table; `None` where it is not one.
#[must_use]
pub fn unpack(compressed: &[u8]) -> Option<CountryTable> {
    let bytes = zstd::bulk::decompress(compressed, MAX_BYTES).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?;
    let (build, rest) = rest.split_first_chunk::<8>()?;
    let (v4_count, rest) = rest.split_first_chunk::<4>()?;
    let (v6_count, rest) = rest.split_first_chunk::<4>()?;
    let (countries, rest) = rest.split_at_checked(512)?;
    let (v4, rest) = ranges(rest, u32::from_le_bytes(*v4_count) as usize)?;
    let (v6, rest) = ranges(rest, u32::from_le_bytes(*v6_count) as usize)?;
    let v4_starts = v4.starts.iter().map(|start| u32::try_from(*start).ok()).collect::<Option<_>>()?;
    let v4 = Ranges { starts: v4_starts, countries: v4.countries };
    rest.is_empty().then(|| CountryTable {
        build_timestamp_seconds: u64::from_le_bytes(*build),
        countries: countries.chunks(2).map(country::known).collect(),
        v4_sixteens: sixteens(&v4.starts),
        v4,
        v6,
    })
}

/// For each /16, how many ranges begin before it; and the number of all.
fn sixteens(starts: &[u32]) -> Vec<u32> {
    let mut begins = Vec::with_capacity((1 << 16) + 1);
    for (place, start) in starts.iter().enumerate() {
        let before = (*start >> 8) as usize + 1;
        begins.resize(before.max(begins.len()), u32::try_from(place).unwrap_or(u32::MAX));
    }
    begins.resize((1 << 16) + 1, u32::try_from(starts.len()).unwrap_or(u32::MAX));
    begins
}

fn ranges(bytes: &[u8], count: usize) -> Option<(Ranges<u64>, &[u8])> {
    let mut bytes = bytes.iter();
    let mut starts = Vec::with_capacity(count.min(MAX_BYTES));
    let mut start = 0u64;
    for _ in 0..count {
        let mut shift = 0;
        loop {
            let byte = *bytes.next()?;
            start = start.checked_add(u64::from(byte & 0x7f).checked_shl(shift)?)?;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        starts.push(start);
    }
    let (countries, rest) = bytes.as_slice().split_at_checked(count)?;
    Some((Ranges { starts, countries: countries.to_vec() }, rest))
}

/// Packs a table: what `tools/geo-country.rs` writes. The ranges are (first network, country),
/// sorted; neighbours of one country become one.
#[must_use]
pub fn pack(
    build_timestamp_seconds: u64,
    v4: &[(u64, Option<&'static str>)],
    v6: &[(u64, Option<&'static str>)],
) -> Option<Vec<u8>> {
    let mut countries: Vec<&str> = v4.iter().chain(v6).filter_map(|(_, country)| *country).collect();
    countries.sort_unstable();
    countries.dedup();
    let (mut packed, mut columns) = (MAGIC.to_vec(), Vec::new());
    packed.extend_from_slice(&build_timestamp_seconds.to_le_bytes());
    for ranges in [v4, v6] {
        let mut merged = ranges.to_vec();
        merged.dedup_by_key(|(_, country)| *country);
        packed.extend_from_slice(&u32::try_from(merged.len()).ok()?.to_le_bytes());
        let mut before = 0;
        for (start, _) in &merged {
            let mut difference = start.checked_sub(before)?;
            before = *start;
            while difference >= 0x80 {
                columns.push(difference as u8 | 0x80);
                difference >>= 7;
            }
            columns.push(difference as u8);
        }
        for (_, country) in &merged {
            let place = country.map(|country| countries.binary_search(&country).map(|place| place + 1));
            columns.push(u8::try_from(place.transpose().ok()?.unwrap_or(0)).ok()?);
        }
    }
    let mut names = [0u8; 512];
    let letters = countries.iter().flat_map(|country| country.bytes());
    names.get_mut(2..)?.iter_mut().zip(letters).for_each(|(to, from)| *to = from);
    packed.extend_from_slice(&names);
    packed.extend_from_slice(&columns);
    zstd::bulk::compress(&packed, 22).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(table: &CountryTable, address: &str) -> Option<&'static str> {
        table.country(address.parse().unwrap())
    }

    #[test]
    fn packs_and_unpacks() {
        let v4 = [
            (0, None),
            (0x01_00_00, Some("AU")),
            (0x01_00_01, Some("AU")),
            (0x01_00_02, None),
            (0xff_ff_ff, Some("DE")),
        ];
        let v6 = [(0x2a00_0000_0000, Some("GB")), (0xffff_ffff_ffff, Some("AU"))];
        let packed = pack(1_700_000_000, &v4, &v6).unwrap();
        let table = unpack(&packed).unwrap();
        assert_eq!(table.build_timestamp_seconds(), 1_700_000_000);
        assert_eq!(table.ranges(), (4, 2));
        for (address, expected) in [
            ("0.0.0.0", None),
            ("0.255.255.255", None),
            ("1.0.0.0", Some("AU")),
            ("1.0.1.255", Some("AU")),
            ("1.0.2.0", None),
            ("255.255.254.255", None),
            ("255.255.255.255", Some("DE")),
            ("::", None),
            ("29ff:ffff:ffff:ffff::", None),
            ("2a00::", Some("GB")),
            ("ffff:ffff:ffff::1", Some("AU")),
        ] {
            assert_eq!(country(&table, address), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_table() {
        let packed = pack(0, &[(0, Some("DE"))], &[]).unwrap();
        assert!(unpack(&packed[..packed.len() - 1]).is_none());
        let mut plain = zstd::bulk::decompress(&packed, MAX_BYTES).unwrap();
        plain.push(0);
        assert!(unpack(&zstd::bulk::compress(&plain, 1).unwrap()).is_none(), "a byte too many");
        plain.truncate(plain.len() - 2);
        assert!(unpack(&zstd::bulk::compress(&plain, 1).unwrap()).is_none(), "a byte too few");
        plain[0] = b'x';
        assert!(unpack(&zstd::bulk::compress(&plain, 1).unwrap()).is_none(), "another magic");
    }

    #[test]
    fn the_data_is_what_its_readme_says() {
        use sha2::{Digest, Sha256};
        let digest: String = Sha256::digest(COMPRESSED).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(include_str!("data/README.md").contains(&digest), "README.md does not name {digest}");
    }

    #[test]
    fn unpacking_is_quick() {
        let start = std::time::Instant::now();
        let (v4, _) = unpack(COMPRESSED).unwrap().ranges();
        // 20 ms where the machine is ours alone and the code optimised; tests run beside each other.
        assert!(start.elapsed().as_millis() < 500, "{v4} ranges in {:?}", start.elapsed());
    }

    #[test]
    fn the_embedded_table_is_whole() {
        let table = unpack(COMPRESSED).unwrap();
        let (v4, v6) = table.ranges();
        assert!(v4 > 100_000 && v6 > 50_000, "{v4} {v6}");
        // Addresses that MaxMind's test databases publish, and whose holders have not moved.
        for (address, expected) in
            [("81.2.69.142", "GB"), ("89.160.20.112", "SE"), ("2.125.160.216", "GB"), ("2606:4700::1", "US")]
        {
            assert_eq!(country(embedded(), address), Some(expected), "{address}");
        }
    }
}

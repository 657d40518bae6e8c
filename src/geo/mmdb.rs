//! One MMDB file, in MaxMind's nested schema or in ip-location-db's flat one.
//!
//! The file lies in memory whole (a memory map would need `unsafe`). At opening, the search tree is
//! walked once: every record is decoded once, and every city's IPv4 addresses are counted. A look-up
//! then walks the tree and finds the record's place by its offset, decoding nothing.
//! Format: MaxMind DB File Format Specification, version 2.0.

use super::GeoError;
use super::cities::{Cities, PlaceId};
use crate::transform::country;
use maxminddb::{LookupResult, Reader};
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// How a database spells a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// `country.iso_code`, `city.names.en`: MaxMind, and DB-IP's own files.
    Nested,
    /// `country_code`, `city`: npm's `@ip-location-db`.
    Flat,
}

impl Schema {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Schema::Nested => "nested",
            Schema::Flat => "flat",
        }
    }
}

/// An opened database.
pub struct Database {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
    schema: Schema,
    /// By the record's offset in the data section; a record without a country is not in it.
    places: HashMap<usize, PlaceId, PointerHash>,
    networks: u64,
    has_ipv4: bool,
}

#[derive(Deserialize)]
struct NestedRecord<'r> {
    #[serde(borrow, default)]
    country: Option<NestedCountry<'r>>,
    #[serde(borrow, default)]
    city: Option<NestedCity<'r>>,
}

#[derive(Deserialize)]
struct NestedCountry<'r> {
    #[serde(default)]
    iso_code: Option<&'r str>,
}

#[derive(Deserialize)]
struct NestedCity<'r> {
    #[serde(borrow, default)]
    names: Option<Names<'r>>,
}

#[derive(Deserialize)]
struct Names<'r> {
    #[serde(default)]
    en: Option<&'r str>,
}

#[derive(Deserialize)]
struct FlatRecord<'r> {
    #[serde(default)]
    country_code: Option<&'r str>,
    #[serde(default)]
    city: Option<&'r str>,
}

impl Database {
    /// Reads a file and adds its places to the list.
    pub(super) fn open(path: &Path, cities: &mut Cities) -> Result<Self, GeoError> {
        let bytes =
            std::fs::read(path).map_err(|source| GeoError::Unreadable { path: path.to_owned(), source })?;
        Database::from_bytes(path, bytes, cities)
    }

    fn from_bytes(path: &Path, bytes: Vec<u8>, cities: &mut Cities) -> Result<Self, GeoError> {
        let not_a_database = |reason: String| GeoError::NotADatabase { path: path.to_owned(), reason };
        let borrowed =
            Reader::from_source(bytes.as_slice()).map_err(|error| not_a_database(error.to_string()))?;
        let leaves = Tree::of(&borrowed, &bytes)
            .leaves()
            .ok_or_else(|| not_a_database("its tree is broken".into()))?;
        let mut schema = None;
        let mut places = HashMap::with_capacity_and_hasher(leaves.records.len(), PointerHash::default());
        for record in leaves.records.values() {
            let Ok(found) = borrowed.lookup(record.first) else { continue };
            let (Some(offset), Some((own_schema, country, city))) = (found.offset(), row(&found)) else {
                continue;
            };
            schema = schema.or(Some(own_schema));
            let id = cities.id(country, city);
            cities.add_addresses(id, record.ipv4_addresses);
            places.insert(offset, id);
        }
        let Some(schema) = schema else {
            let kind = borrowed.metadata().database_type.clone();
            return Err(GeoError::NoPlaces { path: path.to_owned(), kind });
        };
        let has_ipv4 = leaves.records.values().any(|record| record.ipv4_addresses > 0);
        drop(borrowed);
        let reader = Reader::from_source(bytes).map_err(|error| not_a_database(error.to_string()))?;
        Ok(Database { path: path.to_owned(), reader, schema, places, networks: leaves.networks, has_ipv4 })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[must_use]
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// What the file says it is: `GeoLite2-City`, `city ipv4`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.reader.metadata().database_type
    }

    /// Its makers' English description, if it has one.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.reader.metadata().description.get("en").map(String::as_str)
    }

    /// When it was built, in seconds since 1970.
    #[must_use]
    pub fn build_timestamp_seconds(&self) -> u64 {
        self.reader.metadata().build_epoch
    }

    /// Networks with a record.
    #[must_use]
    pub fn networks(&self) -> u64 {
        self.networks
    }

    #[must_use]
    pub fn has_ipv4(&self) -> bool {
        self.has_ipv4
    }

    #[must_use]
    pub fn has_ipv6(&self) -> bool {
        self.reader.metadata().ip_version == 6
    }

    /// The place of a truncated network: of its first part that has one. Databases that know the
    /// addresses of one street apart answer with one place for all of the network.
    pub(super) fn place(&self, network: IpAddr) -> Option<PlaceId> {
        first_in(network, |address| {
            let found = self.reader.lookup(address).ok()?;
            let id = found.offset().and_then(|offset| self.places.get(&offset).copied());
            // IPv4 in an IPv6 tree: a prefix that ends above the IPv4 part covers it whole.
            let prefix = found.network().ok().filter(|net| net.ip().is_ipv4() == address.is_ipv4());
            Some((id, prefix.map_or(0, |net| net.prefix())))
        })
    }
}

/// Probes a truncated network from its first address on, network by network of the database, until
/// one has an answer. `look_up` gives the answer for an address, and the length of the prefix that
/// it goes for. At most 256 probes; IPv6 networks that are cut finer are taken by their first 256.
pub(super) fn first_in<T>(network: IpAddr, look_up: impl Fn(IpAddr) -> Option<(Option<T>, u8)>) -> Option<T> {
    let (mut bits, size, width) = match network {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 1u128 << 8, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 1u128 << 80, 128),
    };
    let last = bits | (size - 1);
    for _ in 0..256 {
        let address = match network {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        let (answer, prefix) = look_up(address)?;
        if answer.is_some() {
            return answer;
        }
        let host_bits = u32::from(width - prefix.min(width));
        let host_mask = if host_bits >= 128 { u128::MAX } else { (1u128 << host_bits) - 1 };
        bits = (bits | host_mask).checked_add(1).filter(|next| *next <= last)?;
    }
    None
}

/// Spreads offsets into a file by one multiplication (Fibonacci hashing): the file is the operator's
/// own, so that nobody chooses offsets that collide.
#[derive(Clone, Copy, Default)]
struct OffsetHasher(u64);

type PointerHash = std::hash::BuildHasherDefault<OffsetHasher>;

impl std::hash::Hasher for OffsetHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        let product = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ (product >> 32);
    }
}

/// Country and city of a record, and how it spells them. `None` where it names no ISO country.
fn row<'r>(found: &LookupResult<'r, &'r [u8]>) -> Option<(Schema, &'static str, Option<&'r str>)> {
    let known = |code: Option<&str>| country::known(code?.as_bytes());
    if let Ok(Some(FlatRecord { country_code, city })) = found.decode::<FlatRecord<'r>>()
        && let Some(country) = known(country_code)
    {
        return Some((Schema::Flat, country, city.filter(|name| !name.is_empty())));
    }
    let record = found.decode::<NestedRecord<'r>>().ok()??;
    let country = known(record.country.and_then(|country| country.iso_code))?;
    Some((Schema::Nested, country, record.city.and_then(|city| city.names).and_then(|names| names.en)))
}

/// The search tree of an MMDB as its specification lays it out.
struct Tree<'b> {
    bytes: &'b [u8],
    nodes: u32,
    record_bits: u16,
    ip_version: u16,
}

/// What the tree's leaves come to.
struct Leaves {
    networks: u64,
    /// By the pointer into the data section.
    records: HashMap<u32, RecordUse, PointerHash>,
}

struct RecordUse {
    /// First address of a network with the record.
    first: IpAddr,
    ipv4_addresses: u64,
}

impl<'b> Tree<'b> {
    fn of(reader: &Reader<&'b [u8]>, bytes: &'b [u8]) -> Self {
        let metadata = reader.metadata();
        Tree {
            bytes,
            nodes: metadata.node_count,
            record_bits: metadata.record_size,
            ip_version: metadata.ip_version,
        }
    }

    /// The left (0) and right (1) records of a node.
    fn children(&self, node: u32) -> Option<[u32; 2]> {
        let size = usize::from(self.record_bits / 4);
        let at = (node as usize).checked_mul(size)?;
        let node = self.bytes.get(at..at.checked_add(size)?)?;
        match *node {
            [a, b, c, d, e, f] => Some([u32::from_be_bytes([0, a, b, c]), u32::from_be_bytes([0, d, e, f])]),
            [a, b, c, m, d, e, f] => {
                Some([u32::from_be_bytes([m >> 4, a, b, c]), u32::from_be_bytes([m & 15, d, e, f])])
            }
            [a, b, c, d, e, f, g, h] => {
                Some([u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])])
            }
            _ => None,
        }
    }

    /// Walks the whole tree. `None` where it is broken: nodes outside of the file, or more paths
    /// than nodes.
    fn leaves(&self) -> Option<Leaves> {
        let mut leaves = Leaves { networks: 0, records: HashMap::default() };
        let width: u8 = if self.ip_version == 6 { 128 } else { 32 };
        let ipv4_root = self.ipv4_root()?;
        let mut steps = 0u64;
        // A node (or leaf) and the network it stands for: its first address and prefix length.
        let mut waiting = vec![(0u32, 0u128, 0u8)];
        while let Some((node, bits, depth)) = waiting.pop() {
            let is_ipv4 = width == 32 || (depth >= 96 && bits >> 32 == 0);
            if node < self.nodes {
                // IPv6 forms of IPv4 (mapped, 6to4) point into the IPv4 part once more.
                if node == ipv4_root && width == 128 && !is_ipv4 {
                    continue;
                }
                steps += 1;
                if depth >= width || steps > u64::from(self.nodes) * 2 {
                    return None;
                }
                let [left, right] = self.children(node)?;
                waiting.push((right, bits | 1 << (width - depth - 1), depth + 1));
                waiting.push((left, bits, depth + 1));
            } else if node > self.nodes {
                leaves.networks += 1;
                let record = leaves.records.entry(node).or_insert_with(|| RecordUse {
                    first: if is_ipv4 {
                        IpAddr::V4(Ipv4Addr::from_bits(bits as u32))
                    } else {
                        IpAddr::V6(Ipv6Addr::from_bits(bits))
                    },
                    ipv4_addresses: 0,
                });
                record.ipv4_addresses += if is_ipv4 { 1 << (width - depth) } else { 0 };
            }
        }
        Some(leaves)
    }

    /// The node of `::/96`, or what ends above it; the root in an IPv4 database.
    fn ipv4_root(&self) -> Option<u32> {
        let mut node = 0;
        if self.ip_version == 6 {
            for _ in 0..96 {
                if node >= self.nodes {
                    break;
                }
                [node, _] = self.children(node)?;
            }
        }
        Some(node)
    }
}

#[cfg(test)]
mod tests;

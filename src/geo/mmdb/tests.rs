//! Databases made here, byte by byte after the specification, in every record size and both schemas.

use super::*;
use crate::geo::Databases;
use crate::transform::{Place, Places};

/// What a record holds: country and city in one of the schemas, or something else.
#[derive(Clone, Copy)]
enum Data {
    Nested(&'static str, Option<&'static str>),
    Flat(&'static str, &'static str),
    Asn(u8),
}

fn string(text: &str, out: &mut Vec<u8>) {
    assert!(text.len() < 29);
    out.push(0x40 | text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

fn map(pairs: u8, out: &mut Vec<u8>) {
    out.push(0xe0 | pairs);
}

fn number(value: u32, kind: u8, out: &mut Vec<u8>) {
    // Type 5 is uint16, 6 uint32; 9, uint64, stands in a byte of its own, less 7.
    let bytes = value.to_be_bytes();
    let bytes = if kind == 5 { &bytes[2..] } else { &bytes[..] };
    if kind > 7 {
        out.extend([bytes.len() as u8, kind - 7]);
    } else {
        out.push(kind << 5 | bytes.len() as u8);
    }
    out.extend_from_slice(bytes);
}

impl Data {
    fn write(self, out: &mut Vec<u8>) {
        match self {
            Data::Flat(country, city) => {
                map(3, out);
                for (key, value) in [("city", city), ("country_code", country), ("state1", "")] {
                    string(key, out);
                    string(value, out);
                }
            }
            Data::Nested(country, city) => {
                map(2, out);
                string("city", out);
                map(u8::from(city.is_some()), out);
                if let Some(city) = city {
                    string("names", out);
                    map(2, out);
                    string("de", out);
                    string("anders", out);
                    string("en", out);
                    string(city, out);
                }
                string("country", out);
                map(2, out);
                string("geoname_id", out);
                number(2_921_044, 6, out);
                string("iso_code", out);
                string(country, out);
            }
            Data::Asn(asn) => {
                map(1, out);
                string("autonomous_system_number", out);
                number(u32::from(asn), 6, out);
            }
        }
    }
}

/// An MMDB with a record for each network, given as `192.0.2.0/24`; IPv4 stands below `::/96` in an
/// IPv6 tree.
fn mmdb(ip_version: u16, record_bits: u16, networks: &[(&str, Data)]) -> Vec<u8> {
    const EMPTY: usize = usize::MAX;
    const LEAF: usize = usize::MAX / 2;
    let mut nodes = vec![[EMPTY; 2]];
    let mut data = Vec::new();
    for (network, record) in networks {
        let (address, prefix) = network.split_once('/').unwrap();
        let prefix: u32 = prefix.parse().unwrap();
        let (bits, depth) = match (address.parse().unwrap(), ip_version) {
            (IpAddr::V4(v4), 4) => (u128::from(v4.to_bits()) << 96, prefix),
            (IpAddr::V4(v4), _) => (u128::from(v4.to_bits()), 96 + prefix),
            (IpAddr::V6(v6), _) => (v6.to_bits(), prefix),
        };
        let offset = data.len();
        record.write(&mut data);
        let mut node = 0;
        for level in 0..depth {
            let side = (bits >> (127 - level) & 1) as usize;
            if level + 1 == depth {
                nodes[node][side] = LEAF + offset;
            } else {
                if nodes[node][side] == EMPTY {
                    nodes.push([EMPTY; 2]);
                    nodes[node][side] = nodes.len() - 1;
                }
                node = nodes[node][side];
            }
        }
    }
    let mut file = Vec::new();
    for node in &nodes {
        let [left, right] = node.map(|record| match record {
            EMPTY => nodes.len() as u32,
            leaf if leaf >= LEAF => (nodes.len() + 16 + leaf - LEAF) as u32,
            inner => inner as u32,
        });
        let (l, r) = (left.to_be_bytes(), right.to_be_bytes());
        match record_bits {
            24 => file.extend([l[1], l[2], l[3], r[1], r[2], r[3]]),
            28 => file.extend([l[1], l[2], l[3], l[0] << 4 | r[0], r[1], r[2], r[3]]),
            _ => file.extend(l.into_iter().chain(r)),
        }
    }
    file.extend([0; 16]);
    file.extend(data);
    file.extend(b"\xab\xcd\xefMaxMind.com");
    map(8, &mut file);
    for (key, value, kind) in [
        ("binary_format_major_version", 2, 5),
        ("binary_format_minor_version", 0, 5),
        ("build_epoch", 1_700_000_000, 9),
        ("ip_version", u32::from(ip_version), 5),
        ("node_count", nodes.len() as u32, 6),
        ("record_size", u32::from(record_bits), 5),
    ] {
        string(key, &mut file);
        number(value, kind, &mut file);
    }
    string("database_type", &mut file);
    string("Test-City", &mut file);
    string("languages", &mut file);
    file.extend([0, 4]);
    // `description` is required; an empty map. The map above says 8 pairs, this is the ninth.
    let pairs = file.windows(14).rposition(|window| window == b"\xab\xcd\xefMaxMind.com").unwrap() + 14;
    file[pairs] = 0xe9;
    string("description", &mut file);
    map(0, &mut file);
    file
}

fn open(files: &[Vec<u8>]) -> Result<Databases, GeoError> {
    let mut cities = Cities::default();
    let opened =
        files.iter().map(|bytes| Database::from_bytes(Path::new("t.mmdb"), bytes.clone(), &mut cities));
    Ok(Databases { files: opened.collect::<Result<_, _>>()?, cities })
}

fn place(databases: &Databases, address: &str) -> Option<(String, Option<String>, u64)> {
    let Place { country, city, city_addresses } = databases.place(address.parse().unwrap())?;
    Some((country.to_owned(), city.map(str::to_owned), city_addresses))
}

fn city(country: &str, name: &str, addresses: u64) -> Option<(String, Option<String>, u64)> {
    Some((country.to_owned(), Some(name.to_owned()), addresses))
}

const NESTED: &[(&str, Data)] = &[
    ("81.2.69.0/24", Data::Nested("GB", Some("London"))),
    ("2.125.160.216/29", Data::Nested("GB", Some("Boxford"))),
    ("89.160.20.0/23", Data::Nested("SE", Some("Linköping"))),
    ("89.160.32.0/24", Data::Nested("SE", None)),
    ("90.0.0.0/24", Data::Nested("ZZ", Some("Nowhere"))),
    ("91.0.0.0/24", Data::Asn(7)),
];
const FLAT: &[(&str, Data)] = &[
    ("81.2.69.0/24", Data::Flat("GB", "London")),
    ("2.125.160.216/29", Data::Flat("GB", "Boxford")),
    ("89.160.20.0/23", Data::Flat("SE", "Linköping")),
    ("89.160.32.0/24", Data::Flat("SE", "")),
    ("90.0.0.0/24", Data::Flat("ZZ", "Nowhere")),
    ("91.0.0.0/24", Data::Asn(7)),
];

#[test]
fn both_schemas_in_every_record_size_and_ip_version() {
    for (networks, schema) in [(NESTED, Schema::Nested), (FLAT, Schema::Flat)] {
        for (ip_version, record_bits) in [(4, 24), (4, 28), (4, 32), (6, 24), (6, 28), (6, 32)] {
            let databases = open(&[mmdb(ip_version, record_bits, networks)]).unwrap();
            let file = &databases.files()[0];
            assert_eq!((file.schema(), file.kind(), file.networks()), (schema, "Test-City", 6));
            assert_eq!((file.has_ipv4(), file.has_ipv6()), (true, ip_version == 6));
            assert_eq!(place(&databases, "81.2.69.142"), city("GB", "London", 256));
            assert_eq!(place(&databases, "89.160.21.7"), city("SE", "Linkoping", 512));
            // The /24 begins outside of what the database knows of it.
            assert_eq!(place(&databases, "2.125.160.1"), city("GB", "Boxford", 8));
            assert_eq!(place(&databases, "89.160.32.1"), Some(("SE".into(), None, 0)));
            assert_eq!(databases.city_count(), 3);
            assert_eq!((databases.cities_of_at_least(9), databases.cities_of_at_least(513)), (2, 0));
        }
    }
}

#[test]
fn what_no_file_knows_gets_the_embedded_country() {
    let databases = open(&[mmdb(4, 24, FLAT)]).unwrap();
    for address in ["2.125.161.1", "2606:4700::1"] {
        let country = crate::geo::country_table::embedded().country(address.parse().unwrap()).unwrap();
        assert_eq!(place(&databases, address), Some((country.to_owned(), None, 0)), "{address}");
    }
    assert_eq!(place(&databases, "0.0.0.0"), None);
}

#[test]
fn files_are_asked_in_order_and_count_together() {
    let v6: &[(&str, Data)] =
        &[("2a00:1::/48", Data::Flat("GB", "London")), ("2a00:2::/32", Data::Flat("GB", "Leeds"))];
    let databases = open(&[mmdb(6, 28, v6), mmdb(4, 28, FLAT), mmdb(4, 24, NESTED)]).unwrap();
    assert_eq!(place(&databases, "2a00:1::7"), city("GB", "London", 512));
    assert_eq!(place(&databases, "2a00:2:9::7"), city("GB", "Leeds", 0));
    assert_eq!(databases.city_addresses("GB", "London"), 512);
    assert!(databases.knows("GB", Some("Leeds")) && databases.knows("GB", None));
    for (country, name) in [("DE", "London"), ("GB", "london"), ("GB", ""), ("GB", "Lon don")] {
        assert!(!databases.knows(country, Some(name)), "{country} {name}");
    }
}

#[test]
fn a_part_of_an_ipv6_48_answers_for_it() {
    let fine: &[(&str, Data)] = &[("2a00:1:0:8000::/56", Data::Flat("GB", "London"))];
    let databases = open(&[mmdb(6, 24, fine)]).unwrap();
    assert_eq!(place(&databases, "2a00:1::1"), city("GB", "London", 0));
}

#[test]
fn files_that_give_no_places() {
    let asn = mmdb(4, 24, &[("1.0.0.0/24", Data::Asn(7))]);
    assert!(matches!(open(&[asn]), Err(GeoError::NoPlaces { kind, .. }) if kind == "Test-City"));
    let whole = mmdb(4, 24, FLAT);
    for bytes in [Vec::new(), b"hello".to_vec(), whole[..whole.len() / 2].to_vec()] {
        assert!(matches!(open(&[bytes]), Err(GeoError::NotADatabase { .. })));
    }
    assert!(open(&[whole[100..].to_vec()]).is_err(), "its beginning is lost");
    let missing = Databases::open(&["/nonexistent/geo.mmdb"]);
    assert!(matches!(missing, Err(GeoError::Unreadable { .. })));
}

#[test]
fn a_broken_file_is_no_panic() {
    let whole = mmdb(6, 28, NESTED);
    let mut opened = 0;
    for place in 0..whole.len() {
        for value in [0, 0xff, 0x20, 0xe1] {
            let mut broken = whole.clone();
            broken[place] = value;
            if let Ok(databases) = open(&[broken]) {
                opened += 1;
                for address in ["81.2.69.1", "2.125.160.1", "2a00:1::1"] {
                    let _ = databases.place(address.parse().unwrap());
                }
            }
        }
    }
    assert!(opened > 100, "most broken files are refused at once: {opened}");
}

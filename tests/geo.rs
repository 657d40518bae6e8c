//! The real city database (DB-IP's, 134 MB, fetched once by `tools/fetch-geo.sh`), and the `geo`
//! command. Without a network and without an earlier fetch this file's tests fail: they are the only
//! proof that the real thing can be read.

use logscrub::geo::{Databases, Schema};
use logscrub::transform::geo::truncate;
use logscrub::transform::{Action, Context, GeoDetail, Outcome, Places, Value, apply, placeholder};
use logscrub::{class::Class, finding::Detail};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

/// The paths of the fetched files.
fn files() -> &'static [PathBuf] {
    static FILES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut fetch = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/fetch-geo.sh"));
        if std::env::var_os("LOGSCRUB_GEO_CACHE").is_none() {
            fetch.arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/geo"));
        }
        let done = fetch.output().expect("tools/fetch-geo.sh runs");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "the city database could not be fetched: {said}");
        String::from_utf8(done.stdout).unwrap().lines().map(PathBuf::from).collect()
    })
}

fn databases() -> &'static Databases {
    static DATABASES: OnceLock<Databases> = OnceLock::new();
    DATABASES.get_or_init(|| {
        let files = files();
        let start = Instant::now();
        let databases = Databases::open(files).unwrap();
        eprintln!("opened in {:?}, {} cities", start.elapsed(), databases.city_count());
        databases
    })
}

fn replaced(address: &str, detail: GeoDetail, city_floor: u64) -> String {
    let context = Context { places: Some(databases()), city_floor, ..Context::default() };
    let value = Value { class: Class::Ip, bytes: address.as_bytes(), detail: Detail::None, custom_name: "" };
    let mut out = Vec::new();
    assert_eq!(apply(Action::Geo(detail), &value, &context, &mut out), Outcome::Replaced);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_real_database_names_cities() {
    let [v4, v6] = databases().files() else { panic!("two files") };
    assert_eq!((v4.schema(), v4.has_ipv4(), v4.has_ipv6()), (Schema::Flat, true, false));
    assert_eq!((v6.schema(), v6.has_ipv4(), v6.has_ipv6()), (Schema::Flat, false, true));
    assert!(databases().city_count() > 50_000);

    // Addresses that MaxMind's test databases publish.
    assert_eq!(replaced("81.2.69.142", GeoDetail::City, 10_000), "[IP:GB/London]");
    assert_eq!(replaced("::ffff:81.2.69.142", GeoDetail::City, 10_000), "[IP:GB/London]");
    assert_eq!(replaced("[::ffff:81.2.69.142]:443", GeoDetail::Country, 0), "[IP:GB]");
    assert_eq!(replaced("2a02:d2c0::1", GeoDetail::City, 10_000), "[IP:IR/Tehran]");
    assert_eq!(replaced("81.2.69.142", GeoDetail::City, u64::MAX), "[IP:GB]");
    assert_eq!(replaced("192.168.1.7", GeoDetail::City, 0), "[IP:private]");
}

#[test]
fn large_cities_are_above_the_floor_and_villages_are_not() {
    for (country, city) in
        [("GB", "London"), ("DE", "Berlin"), ("BR", "Sao_Paulo"), ("CH", "Zurich"), ("IR", "Tehran")]
    {
        let addresses = databases().city_addresses(country, city);
        assert!(addresses > 100_000, "{country}/{city} has {addresses}");
    }
    let above = databases().cities_of_at_least(10_000);
    assert!(above > 1_000 && above * 2 < databases().city_count(), "{above} of {}", databases().city_count());
}

#[test]
fn whatever_it_answers_is_recognised_and_stays() {
    let context = Context { places: Some(databases()), ..Context::default() };
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut cities = 0;
    for turn in 0..200_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let address = if turn % 2 == 0 {
            IpAddr::V4(Ipv4Addr::from_bits((random >> 32) as u32))
        } else {
            let (registry, rest) = (0x2001 + (random >> 40) % 0xc00, u128::from(random >> 16));
            IpAddr::V6(Ipv6Addr::from_bits(u128::from(registry) << 112 | rest << 64))
        };
        let written = replaced(&address.to_string(), GeoDetail::City, 0);
        let found = placeholder::parse(written.as_bytes(), &context);
        assert!(found.is_some(), "{written} is not recognised");
        cities += usize::from(written.contains('/'));
    }
    assert!(cities > 100_000, "{cities}");
}

#[test]
fn a_look_up_is_quick() {
    let places = databases();
    let start = Instant::now();
    let mut found = 0;
    for number in 0..200_000u32 {
        let address = truncate(IpAddr::V4(Ipv4Addr::from_bits(number.wrapping_mul(2_654_435_761))));
        found += usize::from(places.place(address).is_some());
    }
    let each = start.elapsed() / 200_000;
    eprintln!("{each:?} a look-up, {found} found");
    assert!(each.as_micros() < 20, "{each:?}");
}

/// Runs `logscrub geo`: exit code, stdout, stderr.
fn geo(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_logscrub"))
        .arg("geo")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A child that ended at a wrong flag reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn lookup_answers_line_by_line_and_never_with_the_address() {
    let input = "81.2.69.142\n\n10.0.0.1\nnot an address\n[2a02:d2c0::1]:443\n";
    let (code, out, err) = geo(&["lookup"], input);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "GB\nunknown\nprivate\nunknown\nIR\n", ""));

    let files: Vec<_> = files().iter().map(|file| file.to_str().unwrap()).collect();
    let (code, out, _) = geo(&["lookup", "--geo", files[0], files[1]], input);
    assert_eq!((code, out.as_str()), (Some(0), "GB/London\nunknown\nprivate\nunknown\nIR/Tehran\n"));

    let (_, out, _) =
        geo(&["lookup", "--json", "--city-floor", "10000", "--geo", files[0]], "81.2.69.142\n10.0.0.1\n");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["country"], &lines[0]["city"]), (&"GB".into(), &"London".into()));
    assert!(lines[0]["city_addresses"].as_u64().unwrap() > 10_000);
    assert_eq!(lines[1], serde_json::json!({"kind": "private"}));
}

#[test]
fn info_names_sources_ages_and_whom_to_credit() {
    let (code, out, _) = geo(&["info", "--json"], "");
    let info: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, info["databases"][0]["name"].as_str()), (Some(0), Some("embedded")));
    assert!(out.contains("nro.net"));

    let files: Vec<_> = files().iter().map(|file| file.to_str().unwrap()).collect();
    let (_, out, _) = geo(&["info", "--geo", files[0], "--geo", files[1]], "");
    assert!(
        out.contains("flat schema, IPv4\n")
            && out.contains("flat schema, IPv6\n")
            && out.contains("db-ip.com"),
        "{out}"
    );
    let (_, out, _) = geo(&["info", "--geo", files[1]], "");
    assert!(out.contains("no file has IPv4"), "{out}");
}

#[test]
fn a_missing_or_wrong_file_ends_at_start() {
    let (code, out, err) = geo(&["lookup", "--geo", "/nonexistent.mmdb"], "81.2.69.142\n");
    assert_eq!((code, out.as_str()), (Some(74), ""));
    assert!(err.starts_with("error: /nonexistent.mmdb: cannot be read") && err.contains("help: "), "{err}");

    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, _, err) = geo(&["info", "--geo", manifest], "");
    assert_eq!(code, Some(78));
    assert!(err.contains("is not a MaxMind database"), "{err}");
}

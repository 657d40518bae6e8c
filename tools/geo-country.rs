//! Makes the embedded country table from ip-location-db's MMDB files; run by `tools/geo-country.sh`.
//!
//! Each IPv4 /24 and IPv6 /48 gets the country of its first part that has one, which is what
//! a look-up in the file itself answers.

use anyhow::{Context, bail};
use logscrub::geo::country_table::{pack, unpack};
use maxminddb::{Reader, WithinOptions};
use serde::Deserialize;
use std::net::IpAddr;

#[derive(Deserialize)]
struct Row<'r> {
    country_code: Option<&'r str>,
}

type Ranges = Vec<(u64, Option<&'static str>)>;

fn main() -> anyhow::Result<()> {
    let [v4, v6, output] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        bail!("usage: geo-country IPV4.mmdb IPV6.mmdb OUTPUT");
    };
    let (v4, v4_build) = ranges(v4)?;
    let (v6, v6_build) = ranges(v6)?;
    let packed = pack(v4_build.min(v6_build), &v4, &v6).context("the table cannot be packed")?;
    let table = unpack(&packed).context("what was packed cannot be unpacked")?;
    std::fs::write(output, &packed).with_context(|| format!("{output} cannot be written"))?;
    eprintln!("{output}: {} bytes, {:?} IPv4 and IPv6 ranges", packed.len(), table.ranges());
    Ok(())
}

/// The first network of each range in /24s or /48s, and its country; gaps are ranges without one.
fn ranges(path: &str) -> anyhow::Result<(Ranges, u64)> {
    let reader = Reader::open_readfile(path).with_context(|| path.to_owned())?;
    let mut ranges: Ranges = vec![(0, None)];
    let mut end = 0;
    for found in reader.networks(WithinOptions::default())? {
        let found = found?;
        let network = found.network()?;
        let (first, host_bits, width) = match network.ip() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 8, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 80, 128),
        };
        let last = first + ((1u128 << (width - u32::from(network.prefix()))) - 1);
        let (first, last) = ((first >> host_bits) as u64, (last >> host_bits) as u64);
        let row: Option<Row<'_>> = found.decode()?;
        let code = row.and_then(|row| row.country_code).unwrap_or_default();
        let Some(country) = logscrub::transform::country::known(code.as_bytes()) else { continue };
        // A network below the unit whose unit has an answer already adds nothing.
        let first = first.max(end);
        if last < first {
            continue;
        }
        if first > end {
            ranges.push((end, None));
        }
        ranges.push((first, Some(country)));
        end = last + 1;
    }
    ranges.push((end, None));
    Ok((ranges, reader.metadata().build_epoch))
}

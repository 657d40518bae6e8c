//! Places from addresses: MMDB files and the embedded country table.
//!
//! [`Databases`] asks the files in the order they were given, then the embedded table, so that an
//! address that no city database knows still gets a country. It is the only implementation of
//! [`Places`] that reads files; after `open` it never touches a disk and never allocates.
//!
//! **The size of a city** is the number of IPv4 addresses that all files together map to its name in
//! its country. IPv6 counts nothing: one provider's allocation holds more networks than any city has
//! homes, so it says nothing about how many people share the name. A city that only IPv6 data knows
//! has size 0 and is below every floor.

mod cities;
pub mod country_table;
mod mmdb;

pub use mmdb::{Database, Schema};

use crate::transform::geo::{is_written_city, truncate};
use crate::transform::{Place, Places, country};
use cities::Cities;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Every source of places that a process uses.
pub struct Databases {
    files: Vec<Database>,
    cities: Cities,
}

/// Why a file gives no places.
#[derive(Debug, thiserror::Error)]
pub enum GeoError {
    #[error("{path}: cannot be read: {source}\nhelp: fetch a city database with tools/fetch-geo.sh, or leave --geo out for countries only", path = .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}: is not a MaxMind database (.mmdb): {reason}\nhelp: give an unpacked .mmdb file, downloaded whole", path = .path.display())]
    NotADatabase { path: PathBuf, reason: String },
    #[error("{path}: a database of type `{kind}` holds no countries or cities\nhelp: give a city or country database", path = .path.display())]
    NoPlaces { path: PathBuf, kind: String },
}

impl Databases {
    /// The embedded country table alone: countries, no cities.
    #[must_use]
    pub fn embedded() -> Self {
        Databases { files: Vec::new(), cities: Cities::default() }
    }

    /// Reads the files into memory and counts their cities: 2.7 s of one core for DB-IP's 134 MB
    /// (opt-level 3), and up to 210 MB of memory, the files' own bytes included.
    ///
    /// # Errors
    /// A file that cannot be read, is no database, or holds no places.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, GeoError> {
        let mut cities = Cities::default();
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.push(Database::open(path.as_ref(), &mut cities)?);
        }
        Ok(Databases { files, cities })
    }

    #[must_use]
    pub fn files(&self) -> &[Database] {
        &self.files
    }

    /// When the oldest of them was built, in seconds since 1970: of the embedded table where there is no file.
    #[must_use]
    pub fn build_timestamp_seconds(&self) -> u64 {
        let oldest = self.files.iter().map(Database::build_timestamp_seconds).min();
        oldest.unwrap_or_else(|| country_table::embedded().build_timestamp_seconds())
    }

    /// How many cities have a name of their own, over all files.
    #[must_use]
    pub fn city_count(&self) -> usize {
        self.cities.city_count()
    }

    /// How many of them have at least so many addresses.
    #[must_use]
    pub fn cities_of_at_least(&self, addresses: u64) -> usize {
        self.cities.of_at_least(addresses)
    }
}

impl Places for Databases {
    fn place(&self, truncated: IpAddr) -> Option<Place<'_>> {
        // Whoever calls with a whole address still gets the answer of its network.
        let network = truncate(truncated);
        let from_file = self.files.iter().find_map(|file| file.place(network));
        from_file.and_then(|id| self.cities.place(id)).or_else(|| {
            let country = country_table::embedded().country(network)?;
            Some(Place { country, city: None, city_addresses: 0 })
        })
    }

    fn knows(&self, country: &str, city: Option<&str>) -> bool {
        match city {
            None => country::known(country.as_bytes()).is_some(),
            Some(city) => is_written_city(city.as_bytes()) && self.cities.addresses(country, city).is_some(),
        }
    }

    fn city_addresses(&self, country: &str, city: &str) -> u64 {
        self.cities.addresses(country, city).unwrap_or(0)
    }
}

//! The list of places that all databases together know, and how many addresses each has.

use crate::transform::{Place, geo};
use std::collections::HashMap;

/// Place of a place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaceId(u32);

/// Places by their written form: `DE`, `DE/Berlin`.
#[derive(Default)]
pub(super) struct Cities {
    /// Seeded per process, so that nobody can choose names that collide.
    ids: HashMap<Box<str>, u32>,
    list: Vec<Entry>,
}

struct Entry {
    /// The country's two letters, then, for a city, `/` and its written form.
    written: Box<str>,
    addresses: u64,
}

/// Two letters, `/`, and a city of at most 64 bytes.
const MAX_WRITTEN: usize = 67;

impl Cities {
    /// The id of a place, new or known. A city whose name has no written form counts as its country.
    pub(super) fn id(&mut self, country: &str, city: Option<&str>) -> PlaceId {
        let mut written = country.as_bytes().to_vec();
        if let Some(city) = city {
            written.push(b'/');
            if !geo::write_city(city, &mut written) {
                written.truncate(country.len());
            }
        }
        let Ok(written) = String::from_utf8(written) else {
            unreachable!("a country's letters and a written city are ASCII")
        };
        if let Some(id) = self.ids.get(written.as_str()) {
            return PlaceId(*id);
        }
        // A database has fewer places than an MMDB has nodes, and those are counted in 32 bits.
        let id = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.ids.insert(written.clone().into(), id);
        self.list.push(Entry { written: written.into(), addresses: 0 });
        PlaceId(id)
    }

    pub(super) fn add_addresses(&mut self, id: PlaceId, addresses: u64) {
        if let Some(entry) = self.list.get_mut(id.0 as usize) {
            entry.addresses += addresses;
        }
    }

    pub(super) fn place(&self, id: PlaceId) -> Option<Place<'_>> {
        let entry = self.list.get(id.0 as usize)?;
        Some(match entry.written.split_once('/') {
            Some((country, city)) => Place { country, city: Some(city), city_addresses: entry.addresses },
            None => Place { country: &entry.written, city: None, city_addresses: 0 },
        })
    }

    /// Addresses of a city in its written form; `None` where no database knows it.
    pub(super) fn addresses(&self, country: &str, city: &str) -> Option<u64> {
        let mut written = [0; MAX_WRITTEN];
        let length = country.len() + 1 + city.len();
        let bytes = country.bytes().chain([b'/']).chain(city.bytes());
        written.get_mut(..length)?.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        let id = self.ids.get(std::str::from_utf8(written.get(..length)?).ok()?)?;
        self.list.get(*id as usize).map(|entry| entry.addresses)
    }

    pub(super) fn city_count(&self) -> usize {
        self.of_at_least(0)
    }

    pub(super) fn of_at_least(&self, addresses: u64) -> usize {
        self.list.iter().filter(|entry| entry.written.len() > 2 && entry.addresses >= addresses).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_city_are_one_place() {
        let mut cities = Cities::default();
        let id = cities.id("DE", Some("Köln"));
        for spelling in ["Köln", "Koln", "Ko\u{308}ln", "Köln (Altstadt)"] {
            let same = cities.id("DE", Some(spelling));
            assert_eq!(same, id);
            cities.add_addresses(same, 256);
        }
        assert_eq!(cities.place(id), Some(Place { country: "DE", city: Some("Koln"), city_addresses: 1024 }));
        assert_eq!(cities.addresses("DE", "Koln"), Some(1024));
        assert_ne!(cities.id("AT", Some("Köln")), id, "another country's is another city");
    }

    #[test]
    fn what_has_no_written_form_is_its_country() {
        let mut cities = Cities::default();
        let country = cities.id("JP", None);
        assert_eq!(cities.id("JP", Some("東京")), country);
        assert_eq!(cities.id("JP", Some("")), country);
        cities.add_addresses(country, 256);
        assert_eq!(cities.place(country), Some(Place { country: "JP", city: None, city_addresses: 0 }));
        assert_eq!((cities.city_count(), cities.addresses("JP", "")), (0, None));
        assert_eq!(cities.addresses("JP", &"a".repeat(100)), None);
    }
}

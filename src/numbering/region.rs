//! Regions: a small number for each numbering plan's area.

use super::Number;
use super::parse;
use super::table::table;

/// An area with a numbering plan of its own: a country, a territory, or one of the nine shared
/// calling codes, whose `code` is `001` as in libphonenumber.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(pub(super) u8);

impl Region {
    /// By ISO 3166-1 alpha-2 code in any case; `None` for a code without a plan, and for `001`, which
    /// nine plans share.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Region> {
        Region::all().find(|region| region.code().eq_ignore_ascii_case(code) && region.code() != "001")
    }

    /// The region that comes first in libphonenumber's list for a calling code: the US for 1, Russia
    /// for 7, the United Kingdom for 44.
    #[must_use]
    pub fn main_of(calling_code: u16) -> Option<Region> {
        table().code(calling_code).map(|code| Region(code.main_region))
    }

    /// Every region, by code.
    pub fn all() -> impl Iterator<Item = Region> {
        (0..table().region_count()).filter_map(|number| u8::try_from(number).ok()).map(Region)
    }

    /// ISO 3166-1 alpha-2 in upper case, or `001`.
    #[must_use]
    pub fn code(self) -> &'static str {
        table().region(self.0).map_or("", |row| row.code)
    }

    #[must_use]
    pub fn calling_code(self) -> u16 {
        table().region(self.0).map_or(0, |row| row.calling_code)
    }

    /// libphonenumber's published example of a mobile number here; of another kind where a region has
    /// none. `None` never in practice: every region has an example.
    #[must_use]
    pub fn example_mobile(self) -> Option<Number> {
        self.example(table().region(self.0)?.example_mobile)
    }

    /// libphonenumber's published example of a fixed line here; of another kind where a region has none.
    #[must_use]
    pub fn example_fixed(self) -> Option<Number> {
        self.example(table().region(self.0)?.example_fixed)
    }

    fn example(self, national: &[u8]) -> Option<Number> {
        parse::judge(self.calling_code(), national)
    }
}

impl std::fmt::Debug for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Region({} +{})", self.code(), self.calling_code())
    }
}

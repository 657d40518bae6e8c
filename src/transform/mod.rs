//! Actions: what becomes of a value. They change, they never find.

use crate::class::Class;
use crate::finding::Detail;

/// What a policy says is done to the values of a class at a stage (DESIGN: actions).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Left as it is, byte for byte.
    Keep,
    /// Replaced by the class's bare placeholder.
    Remove,
    /// `[PHONE:+49]`: keeps what is named, here the calling code.
    MaskCallingCode,
    /// `[ID:<key id>.<token>]`: HMAC-SHA-256 under a key with an id; without a key, `Remove`.
    Pseudonym,
    /// `[BODY:chars=42,segments=1]`: sizes of a text.
    Measure,
    /// `[IP:DE/Berlin]` or `[IP:DE]`.
    Geo(GeoDetail),
    /// A time rounded down to the unit; a plain value in the form the input had.
    Round(RoundTo),
    /// `Chrome/126`: family and major version; a plain value.
    Family,
    /// `/v1/numbers/{}/messages`: a URL's route; a plain value.
    Route,
    /// The whole field goes, key included, where the format has fields; elsewhere `Remove`.
    DropField,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GeoDetail {
    City,
    Country,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoundTo {
    Hour,
    Day,
}

/// A place as a database knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// ISO 3166-1 alpha-2, upper case.
    pub country: &'a str,
    /// The database's English name, as it stands there (not yet ASCII); `None` where the database
    /// has none or maps fewer addresses to it than the floor.
    pub city: Option<&'a str>,
}

/// Looks places up; implemented by `geo`, named here so that actions need no file access.
pub trait Places: Send + Sync {
    /// The place of an address that was already truncated (IPv4 to /24, IPv6 to /48);
    /// `None` where no database knows it.
    fn place(&self, truncated: std::net::IpAddr) -> Option<Place<'_>>;

    /// Whether some database has a place written so: used to tell our placeholders from text.
    fn knows(&self, country: &str, city: Option<&str>) -> bool;
}

/// One value to replace.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub class: Class,
    /// The decoded bytes of the value (escapes undone); for an address, the written form.
    pub bytes: &'a [u8],
    pub detail: Detail,
    /// For `Class::Custom`: its name, as the rule set spells it.
    pub custom_name: &'a str,
}

//! Actions: what becomes of a value. They change, they never find.
//!
//! [`apply`] carries out one action on one value; one file per action lies beside this one.
//! What an action writes is either a placeholder ([`placeholder`] has the grammar and the strict
//! parser) or, for `round`, `family` and `route`, a plain value. A value that is itself a
//! placeholder is only ever reduced ([`reduce`]), so applying an action twice gives the same bytes.

pub mod country;
pub mod family;
pub mod geo;
pub mod mask;
pub mod measure;
pub mod placeholder;
pub mod pseudonym;
pub mod reduce;
pub mod round;
pub mod route;

pub use placeholder::{Note, Placeholder};
pub use pseudonym::Keys;
pub use reduce::reduce;

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
    /// has none.
    pub city: Option<&'a str>,
    /// How many addresses the database maps to that city; 0 without a city, or where unknown.
    pub city_addresses: u64,
}

/// Looks places up; implemented by `geo`, named here so that actions need no file access.
pub trait Places: Send + Sync {
    /// The place of an address that was already truncated (IPv4 to /24, IPv6 to /48);
    /// `None` where no database knows it.
    fn place(&self, truncated: std::net::IpAddr) -> Option<Place<'_>>;

    /// Whether some database has a place written so: used to tell our placeholders from text. The
    /// city is in its written form ([`geo::write_city`]): ASCII, `_` for a space.
    fn knows(&self, country: &str, city: Option<&str>) -> bool;

    /// How many addresses the databases map to a city in its written form; 0 where unknown.
    fn city_addresses(&self, country: &str, city: &str) -> u64;
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

impl std::fmt::Debug for Value<'_> {
    /// The size only: a value never reaches a log line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Value").field("class", &self.class).field("bytes", &self.bytes.len()).finish()
    }
}

/// What an action may look at beside the value: the same for every value of a record.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// `None`: no address has a place, and `[IP:…]` in the input is recognised by its form alone.
    pub places: Option<&'a dyn Places>,
    /// The least number of addresses a database must map to a city before its name is written;
    /// 0 writes every city.
    pub city_floor: u64,
    /// `None`: `Pseudonym` does what `Remove` does.
    pub keys: Option<&'a Keys>,
    /// Whose records these are: part of every pseudonym. Empty where there is one tenant only.
    pub tenant: &'a [u8],
    /// Names of the custom classes by `CustomClass::place`: the rule set's list.
    pub custom: &'a [String],
}

/// What `apply` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The replacement was appended to `out`; nothing of the value stands beside it.
    Replaced,
    /// The value stays byte for byte; nothing was appended.
    Keep,
    /// The whole field goes, key included; where the format has no fields the caller applies
    /// [`Action::Remove`] instead. Nothing was appended.
    Drop,
}

/// What stands for a value that has no class of its own, and for `safe` values that a policy
/// removes: the token that log templates use.
pub const UNKNOWN: &[u8] = b"<*>";

/// Whether an action says more about a class than `Remove` does. Where it does not, [`apply`] does
/// what `Remove` does; a policy compiler refuses the pair.
///
/// Credentials, codes, cards and texts have no pseudonym: four to ten digits or a leaked password
/// can be tried out by whoever ever gets the key, and a token of a text answers "was it this?".
#[must_use]
pub fn fits(action: Action, class: Class) -> bool {
    match action {
        Action::Keep | Action::Remove | Action::DropField => true,
        Action::MaskCallingCode => class == Class::Phone,
        Action::Measure => class == Class::Body,
        Action::Geo(_) => class == Class::Ip,
        Action::Round(_) => class == Class::Timestamp,
        Action::Family => class == Class::UserAgent,
        Action::Route => class == Class::Url,
        Action::Pseudonym => match class {
            Class::Phone
            | Class::Email
            | Class::Imei
            | Class::Ip
            | Class::Name
            | Class::SubjectId
            | Class::EventId
            | Class::Device
            | Class::Url
            | Class::UserAgent
            | Class::Location
            | Class::Port
            | Class::Custom(_) => true,
            Class::Code | Class::Body | Class::Credential | Class::Card | Class::Timestamp | Class::Safe => {
                false
            }
        },
    }
}

/// Carries out an action on a value: appends the replacement to `out`, or says that there is none.
///
/// `out` is only appended to. No allocation beyond the growth of `out`; time linear in the value.
/// Where the action can not answer (no database, no key, a time in no known form) the value is
/// replaced by a coarser placeholder, never kept.
pub fn apply(action: Action, value: &Value<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> Outcome {
    match action {
        Action::Keep => return Outcome::Keep,
        Action::DropField => return Outcome::Drop,
        _ => {}
    }
    if value.bytes == UNKNOWN {
        return Outcome::Keep;
    }
    if let Some(found) = placeholder::parse(value.bytes, context) {
        return reduce::reduce_within(action, &found, value, context, out);
    }
    let start = out.len();
    if !fits(action, value.class) || !write(action, value, context, out) {
        out.truncate(start);
        placeholder::write_bare(value.class, value.custom_name, out);
    }
    if out.get(start..) == Some(value.bytes) {
        out.truncate(start);
        return Outcome::Keep;
    }
    Outcome::Replaced
}

/// Appends what an action that fits the class makes of the value; `false` where it has no answer
/// (what it then appended is void).
fn write(action: Action, value: &Value<'_>, context: &Context<'_>, out: &mut Vec<u8>) -> bool {
    match action {
        Action::Keep | Action::DropField | Action::Remove => false,
        Action::MaskCallingCode => mask::write(value.detail, out),
        Action::Pseudonym => pseudonym::write(value, context, out),
        Action::Measure => measure::write(value.bytes, out),
        Action::Geo(detail) => geo::write(value.bytes, detail, context, out),
        Action::Round(to) => round::write(value.bytes, to, out),
        Action::Family => family::write(value.bytes, out),
        Action::Route => route::write(value.bytes, out),
    }
}

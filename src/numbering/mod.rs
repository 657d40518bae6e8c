//! The world's numbering plans as small tables: calling codes, which digits are a valid number
//! where, and how numbers are grouped. Data only; made from libphonenumber's metadata.
//!
//! All functions take ASCII digits and nothing else: separators, `+` and Unicode digits are the
//! caller's business. Nothing here allocates except the formatters, and one look-up is a walk of at
//! most seventeen steps through an automaton that holds every plan (`table/plans.bin`).
//!
//! ```
//! use logscrub::numbering::{self, Region, Verdict};
//! let number = numbering::international(b"14155550132").unwrap();
//! assert_eq!((number.calling_code(), number.verdict()), (1, Verdict::Valid));
//! let us = Region::from_code("US").unwrap();
//! let same = numbering::national(us, b"4155550132").unwrap();
//! assert_eq!(same.format_international(), "+1 415-555-0132");
//! ```

mod format;
mod parse;
mod pattern;
mod random;
mod region;
mod table;

pub use parse::{international, is_calling_code, national, split_calling_code};
pub use random::random_valid;
pub use region::Region;

/// Digits of a national number at most, calling code not included (libphonenumber's limit; E.164
/// itself allows fifteen with the calling code).
pub const MAX_NATIONAL_DIGITS: usize = 17;

/// Digits in ASCII, held inline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    len: u8,
    bytes: [u8; Digits::CAPACITY],
}

impl Digits {
    pub(crate) const CAPACITY: usize = 24;
    pub(crate) const EMPTY: Digits = Digits { len: 0, bytes: [0; Digits::CAPACITY] };

    /// `None` where there are more than fit.
    pub(crate) fn from_slice(digits: &[u8]) -> Option<Digits> {
        let mut all = Digits::EMPTY;
        all.extend(digits)?;
        Some(all)
    }

    pub(crate) fn extend(&mut self, digits: &[u8]) -> Option<()> {
        let start = usize::from(self.len);
        self.bytes.get_mut(start..start + digits.len())?.copy_from_slice(digits);
        self.len = u8::try_from(start + digits.len()).ok()?;
        Some(())
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl std::fmt::Debug for Digits {
    /// The count only: digits are a person's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<{} digits>", self.len)
    }
}

/// What a number is for, as far as its plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Mobile,
    Fixed,
    /// The plan gives both the same numbers, as North America's does.
    FixedOrMobile,
    /// Toll-free, premium, shared cost, personal, pager, internet telephony, company wide, voicemail.
    Other,
    /// Not a valid number.
    Unknown,
}

/// How much a numbering plan says for a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// No number behind this calling code has that length.
    Impossible,
    /// The length of a number dialled within its own area.
    LocalOnly,
    /// The length is right, the digits are in no assigned range.
    Possible,
    /// In an assigned range.
    Valid,
}

/// A number taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    calling_code: u16,
    region: Option<Region>,
    kind: Kind,
    verdict: Verdict,
    national: Digits,
}

impl Number {
    /// Country calling code (ITU-T E.164), 1 to 999; shared codes stay shared.
    #[must_use]
    pub fn calling_code(&self) -> u16 {
        self.calling_code
    }

    /// The region whose plan has the number; `None` unless it is valid.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.region
    }

    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.verdict == Verdict::Valid
    }

    /// The national significant number: no calling code, no trunk prefix, no carrier code; leading
    /// zeros that belong to the number (Italy) stay.
    #[must_use]
    pub fn national_digits(&self) -> &[u8] {
        self.national.as_bytes()
    }
}

//! Why something that looks like a finding is none: what `explain` tells. The detectors give it instead of
//! nothing, so that it is their own reason and costs no more.

/// A detector's reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Letters, digits or signs stand right beside it: it is a part of something longer.
    Joined,
    /// Fewer digits than one has.
    Short,
    /// More digits than one has.
    Long,
    /// The field says that it is another number.
    Field,
    /// A word before it says what else it is.
    Word,
    /// The unit behind it says so.
    Unit,
    /// Nothing beside it says what it is.
    Unspoken,
    /// What stands beside it would take a valid number, and no plan has this one.
    NoPlan,
    /// Seconds, milliseconds, microseconds or nanoseconds since 1970.
    Epoch,
    Date,
    /// A version, an address, a decimal: groups between full stops.
    Dotted,
    Version,
    /// A part of an address is larger than 255.
    Octet,
    /// A network, without its length.
    Network,
    Coordinate,
    Address,
    /// Groups of four, as cards have them.
    Card,
    /// Grouped as nobody groups one.
    Grouping,
    /// No issuer has cards that begin so, or of that length.
    Issuer,
    CheckDigit,
    /// One digit again and again.
    Repeated,
    /// The host has no dot, or is none.
    Host,
    /// Nothing that a mailbox could be called stands before the sign.
    Mailbox,
    /// No word nearby speaks of codes.
    NoWord,
    /// A word for codes means another number, or stands too far away.
    Taken,
}

impl Refusal {
    /// The reason in words, for the line that tells of it.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Refusal::Joined => "a part of a longer token",
            Refusal::Short => "too few digits",
            Refusal::Long => "too many digits",
            Refusal::Field => "the field holds another kind of number",
            Refusal::Word => "the word before it says that it is something else",
            Refusal::Unit => "a unit stands behind it",
            Refusal::Unspoken => "nothing beside it says that it is one",
            Refusal::NoPlan => "no numbering plan has it",
            Refusal::Epoch => "a Unix time",
            Refusal::Date => "a date",
            Refusal::Dotted => "a version, an address or a decimal",
            Refusal::Version => "a version",
            Refusal::Octet => "a part above 255, or not four parts",
            Refusal::Network => "a network without its length, or a version",
            Refusal::Coordinate => "a coordinate",
            Refusal::Address => "an address of a machine",
            Refusal::Card => "grouped as cards are",
            Refusal::Grouping => "grouped as nobody groups one",
            Refusal::Issuer => "no issuer has such cards",
            Refusal::CheckDigit => "the check digit is wrong",
            Refusal::Repeated => "the same digit again and again",
            Refusal::Host => "what follows is no mail host",
            Refusal::Mailbox => "nothing before the sign is a mailbox",
            Refusal::NoWord => "no word nearby speaks of codes",
            Refusal::Taken => "the word for codes nearby means another number, or is too far away",
        }
    }
}

//! What kind of information a span of bytes is: the closed list that rules name and policies act on.

use std::fmt;

/// How many classes are built in. Custom classes are numbered from here on.
pub const BUILT_IN: usize = 18;

/// How many classes there can be at all: one bit each in a [`ClassSet`].
pub const SLOTS: usize = 64;

/// A kind of information. The words are the glossary's; rules and policies spell them in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// A telephone number in any written form, WhatsApp ids that are numbers included.
    Phone,
    /// A verification code: something a person reads from a message and types elsewhere.
    Code,
    /// What people wrote to each other: message text, caption, button text, template parameter.
    Body,
    Email,
    /// Whatever opens a door: passwords, keys, tokens, cookies, private keys, session material.
    Credential,
    /// A payment card's primary account number.
    Card,
    Imei,
    Ip,
    /// A person's name, or a name a person chose to be shown by.
    Name,
    /// The opaque id of a person or an account.
    SubjectId,
    /// Order, request, trace, span and message ids, content hashes: what joins one record to others.
    EventId,
    /// A device's own id.
    Device,
    UserAgent,
    Url,
    /// A place on the ground: coordinates, a postal address, a city or postcode of a person.
    Location,
    Timestamp,
    /// A client's network port.
    Port,
    /// What may stay for ever: status, error code, duration, bytes, counts, price, versions, MCC/MNC.
    Safe,
    /// A class of the user's own, `custom:<name>`; the number is its place in the rule set's list.
    Custom(CustomClass),
}

/// Place of a custom class in the rule set's list of names; below `SLOTS - BUILT_IN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomClass(u8);

impl CustomClass {
    /// `None` where the rule set would have more custom classes than there are slots.
    #[must_use]
    pub fn new(place: usize) -> Option<Self> {
        u8::try_from(place).ok().filter(|p| usize::from(*p) < SLOTS - BUILT_IN).map(Self)
    }

    #[must_use]
    pub fn place(self) -> usize {
        usize::from(self.0)
    }
}

impl Class {
    /// Every built-in class, in slot order.
    pub const ALL: [Class; BUILT_IN] = [
        Class::Phone,
        Class::Code,
        Class::Body,
        Class::Email,
        Class::Credential,
        Class::Card,
        Class::Imei,
        Class::Ip,
        Class::Name,
        Class::SubjectId,
        Class::EventId,
        Class::Device,
        Class::UserAgent,
        Class::Url,
        Class::Location,
        Class::Timestamp,
        Class::Port,
        Class::Safe,
    ];

    /// The class's number, below [`SLOTS`]: the index into per-class tables.
    #[must_use]
    pub fn slot(self) -> usize {
        match self {
            Class::Phone => 0,
            Class::Code => 1,
            Class::Body => 2,
            Class::Email => 3,
            Class::Credential => 4,
            Class::Card => 5,
            Class::Imei => 6,
            Class::Ip => 7,
            Class::Name => 8,
            Class::SubjectId => 9,
            Class::EventId => 10,
            Class::Device => 11,
            Class::UserAgent => 12,
            Class::Url => 13,
            Class::Location => 14,
            Class::Timestamp => 15,
            Class::Port => 16,
            Class::Safe => 17,
            Class::Custom(custom) => BUILT_IN + custom.place(),
        }
    }

    /// The word rules, policies and metrics use; `custom` for every custom class, since metric
    /// labels come from closed sets.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Class::Phone => "phone",
            Class::Code => "code",
            Class::Body => "body",
            Class::Email => "email",
            Class::Credential => "credential",
            Class::Card => "card",
            Class::Imei => "imei",
            Class::Ip => "ip",
            Class::Name => "name",
            Class::SubjectId => "subject_id",
            Class::EventId => "event_id",
            Class::Device => "device",
            Class::UserAgent => "user_agent",
            Class::Url => "url",
            Class::Location => "location",
            Class::Timestamp => "timestamp",
            Class::Port => "port",
            Class::Safe => "safe",
            Class::Custom(_) => "custom",
        }
    }

    /// The built-in class of that word; `None` for custom classes and for words that are none.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.word() == word)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A set of classes, one bit per slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSet(u64);

impl ClassSet {
    pub const EMPTY: ClassSet = ClassSet(0);

    #[must_use]
    pub fn with(self, class: Class) -> Self {
        ClassSet(self.0 | 1 << class.slot())
    }

    #[must_use]
    pub fn contains(self, class: Class) -> bool {
        self.0 & (1 << class.slot()) != 0
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_the_places_in_the_list_and_words_lead_back() {
        for (place, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.slot(), place);
            assert_eq!(Class::from_word(class.word()), Some(class));
        }
        assert_eq!(CustomClass::new(SLOTS - BUILT_IN), None);
    }
}

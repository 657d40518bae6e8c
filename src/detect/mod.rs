//! Detectors: the executable form of rules. One file per detector; each is a set of functions over a
//! decoded text (any bytes are legal) that the engine calls at a place where a detector may start.

use crate::class::Class;
use crate::finding::Span;

pub mod account_name;
#[cfg(test)]
mod any_bytes;
pub mod body;
pub mod bytes;
pub mod call;
pub mod card;
pub mod chat_export;
pub mod code;
mod code_opposed;
mod code_refusal;
mod code_shape;
pub mod code_words;
pub mod credential;
pub mod email;
pub mod event_id;
pub mod field_name;
pub mod fold;
pub mod hidden;
pub mod imei;
pub mod ip;
pub mod line_grammar;
pub mod link;
pub mod listed;
pub mod mac;
pub mod name;
pub mod name_parts;
pub mod national_id;
pub mod phone;
pub mod positional;
pub mod prose;
pub mod receipt;
pub mod refusal;
pub mod safe;
mod safe_names;
mod said;
pub mod sent;
pub mod sip;
pub mod statement;
pub mod subject;
pub mod syslog;
pub mod table_column;
pub mod table_row;
pub mod timestamp;
mod trie;
pub mod url;
pub mod user_agent;
pub mod validate;
pub mod word_list;
pub mod words;
pub mod written;

/// What a detector found: byte offsets into the text it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    pub span: Span,
    pub class: Class,
}

impl Hit {
    #[must_use]
    pub fn new(class: Class, start: usize, end: usize) -> Hit {
        Hit { span: Span::new(start, end), class }
    }
}

/// A built-in detector. A rule names one by its word; a disabled rule switches its detector off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Detector {
    /// `+` or `00` before a calling code; full-width and other Unicode digits included.
    PhoneInternational,
    /// A number written as its own country writes it, beside a keyword or with a region given.
    PhoneNational,
    /// `tel:`, `sip:`, `sms:`, `whatsapp:` URIs.
    PhoneUri,
    /// WhatsApp ids: `…@s.whatsapp.net`, `@c.us`, group ids, `wamid.…`, device suffixes.
    PhoneJid,
    /// A code spoken of in one of the lexicon's languages.
    CodeContext,
    /// Message text by the shape of the line: Kannel, Jasmin, SMPP dumps, quoted text in prose.
    BodyShape,
    Email,
    Ip,
    /// Known prefixes (`sk_live_`, `xoxb-`, …), `Bearer`, `Basic`, JWTs, PEM blocks, passwords in URLs.
    CredentialShape,
    Card,
    Imei,
    /// UUIDs, trace ids, long hashes, provider message ids.
    EventIdShape,
    UserAgent,
    Url,
    Timestamp,
    /// Names that the line's grammar shows: `"Name" <…>`, `user Name <mail>`.
    NameShape,
    /// Statuses, durations, sizes, counts and the like in running text.
    SafeShape,
    /// WhatsApp `@lid` and other opaque ids of persons by their shape.
    SubjectShape,
    /// A field's name, taken apart into words of many languages, says what its value is.
    FieldName,
}

impl Detector {
    pub const ALL: [Detector; 19] = [
        Detector::PhoneInternational,
        Detector::PhoneNational,
        Detector::PhoneUri,
        Detector::PhoneJid,
        Detector::CodeContext,
        Detector::BodyShape,
        Detector::Email,
        Detector::Ip,
        Detector::CredentialShape,
        Detector::Card,
        Detector::Imei,
        Detector::EventIdShape,
        Detector::UserAgent,
        Detector::Url,
        Detector::Timestamp,
        Detector::NameShape,
        Detector::SafeShape,
        Detector::SubjectShape,
        Detector::FieldName,
    ];

    /// The word a rule file writes after `detector =`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Detector::PhoneInternational => "phone_international",
            Detector::PhoneNational => "phone_national",
            Detector::PhoneUri => "phone_uri",
            Detector::PhoneJid => "phone_jid",
            Detector::CodeContext => "code_context",
            Detector::BodyShape => "body_shape",
            Detector::Email => "email",
            Detector::Ip => "ip",
            Detector::CredentialShape => "credential_shape",
            Detector::Card => "card",
            Detector::Imei => "imei",
            Detector::EventIdShape => "event_id_shape",
            Detector::UserAgent => "user_agent",
            Detector::Url => "url",
            Detector::Timestamp => "timestamp",
            Detector::NameShape => "name_shape",
            Detector::SafeShape => "safe_shape",
            Detector::SubjectShape => "subject_shape",
            Detector::FieldName => "field_name",
        }
    }

    /// The class of what it finds; `None` where each finding says its own.
    #[must_use]
    pub fn class(self) -> Option<Class> {
        match self {
            Detector::PhoneInternational
            | Detector::PhoneNational
            | Detector::PhoneUri
            | Detector::PhoneJid => Some(Class::Phone),
            Detector::CodeContext => Some(Class::Code),
            Detector::BodyShape => Some(Class::Body),
            Detector::Email => Some(Class::Email),
            Detector::Ip => Some(Class::Ip),
            Detector::CredentialShape => Some(Class::Credential),
            Detector::Card => Some(Class::Card),
            Detector::Imei => Some(Class::Imei),
            Detector::EventIdShape => Some(Class::EventId),
            Detector::UserAgent => Some(Class::UserAgent),
            Detector::Url => Some(Class::Url),
            Detector::Timestamp => Some(Class::Timestamp),
            Detector::NameShape => Some(Class::Name),
            Detector::SafeShape => Some(Class::Safe),
            Detector::SubjectShape => Some(Class::SubjectId),
            Detector::FieldName => None,
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Detector> {
        Detector::ALL.into_iter().find(|detector| detector.word() == word)
    }
}

//! The words for values in templates.

use super::template::{Names, range_of};
use super::time::TimeForm;

/// A kind of value that a template asks for.
#[derive(Clone, Debug)]
pub enum Maker {
    /// One of these words, never scored.
    Any(Vec<String>),
    /// A number in that range, never scored.
    Number(u64, u64),
    /// Hexadecimal digits, never scored.
    HexDigits(usize),
    /// The record's own time.
    Time(TimeForm),
    /// Must stay.
    Benign(Benign),
    /// An innocent field whose name smells sensitive: `name=value`, or `"name":"value"`.
    InnocentPair {
        json: bool,
    },
    Brand,
    Host,
    Phone(PhoneStyle),
    Body(BodyStyle),
    Code(CodeStyle),
    Ip(IpStyle),
    /// An address of a private network: free choice.
    PrivateIp,
    Name,
    Email,
    Credential(Credential),
    Subject(SubjectStyle),
    Device,
    Imei,
    Card,
    /// A GSM PDU: a number in swapped half-octets and a text in UCS-2.
    Pdu,
    /// `latitude,longitude`: free choice.
    Place,
}

/// Values that must stay, by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benign {
    Uuid,
    Trace,
    Span,
    Hash,
    Order,
    OrderNumber,
    MessageId,
    TwilioId,
    WhatsAppId,
    Status,
    Bytes,
    Duration,
    DurationFraction,
    Pid,
    Line,
    Port,
    Offset,
    Sequence,
    ErrorCode,
    Version,
    UserAgent,
    Price,
    Campaign,
    Address,
    Network,
    Count(u64, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneStyle {
    /// As a field of its own has it.
    Field,
    /// As running text has it.
    Free,
    /// As a query or form has it, percent signs included.
    Query,
    /// As WhatsApp's libraries have it.
    Jid,
    Exactly(PhoneForm),
}

/// How a phone number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneForm {
    E164,
    Digits,
    Spaced,
    Dashed,
    Dotted,
    Parentheses,
    ZeroZero,
    Extension,
    National,
    NationalDigits,
    Fullwidth,
    Invisible,
    NoBreak,
    ForeignDigits,
    Base64,
    Invalid,
    PlusAsSpace,
    Tel,
    WhatsApp,
    ParenthesesZero,
    Percent,
    PercentTwice,
    PercentSeparated,
    Jid,
    JidDevice,
    ContactJid,
    GroupJid,
    Wamid,
    /// A JSON number.
    Integer,
}

impl PhoneForm {
    pub const ALL: [(PhoneForm, &'static str); 29] = [
        (PhoneForm::E164, "e164"),
        (PhoneForm::Digits, "digits"),
        (PhoneForm::Spaced, "intl_space"),
        (PhoneForm::Dashed, "intl_dash"),
        (PhoneForm::Dotted, "intl_dot"),
        (PhoneForm::Parentheses, "intl_paren"),
        (PhoneForm::ZeroZero, "zz"),
        (PhoneForm::Extension, "ext"),
        (PhoneForm::National, "national"),
        (PhoneForm::NationalDigits, "natdigits"),
        (PhoneForm::Fullwidth, "fullwidth"),
        (PhoneForm::Invisible, "invisible"),
        (PhoneForm::NoBreak, "nbsp"),
        (PhoneForm::ForeignDigits, "idigits"),
        (PhoneForm::Base64, "b64"),
        (PhoneForm::Invalid, "invalid"),
        (PhoneForm::PlusAsSpace, "plus_space"),
        (PhoneForm::Tel, "tel"),
        (PhoneForm::WhatsApp, "wa"),
        (PhoneForm::ParenthesesZero, "paren0"),
        (PhoneForm::Percent, "url"),
        (PhoneForm::PercentTwice, "url2"),
        (PhoneForm::PercentSeparated, "url_sep"),
        (PhoneForm::Jid, "jid"),
        (PhoneForm::JidDevice, "jid_dev"),
        (PhoneForm::ContactJid, "c_us"),
        (PhoneForm::GroupJid, "gjid"),
        (PhoneForm::Wamid, "wamid"),
        (PhoneForm::Integer, "json_number"),
    ];

    #[must_use]
    pub fn word(self) -> &'static str {
        PhoneForm::ALL.iter().find(|(form, _)| *form == self).map_or("", |(_, word)| word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyStyle {
    Any,
    Otp,
    Chat,
    /// The length in bytes and a colon before it, as Kannel writes.
    Measured,
    /// At most 66 characters.
    Short,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeStyle {
    Any,
    Digits,
    /// A JSON number.
    Integer,
    /// Eight letters and digits, as WhatsApp pairs devices.
    Pairing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpStyle {
    Any,
    Plain,
    V4,
    Port,
    Mapped,
    Dashed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    Any,
    Key,
    Bearer,
    Jwt,
    Hex,
    Password,
    Base64Key,
    Session,
    WebhookSecret,
    Basic,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectStyle {
    Any,
    /// WhatsApp's opaque id of a person: 14 or 15 digits.
    Lid,
    /// A login name.
    Login,
}

fn none_of(what: &str, word: &str) -> String {
    format!("no {what} `{word}`")
}

impl Maker {
    /// # Errors
    /// A sentence fragment: which word nobody knows.
    pub fn parse(name: &str, args: &str, names: &dyn Names) -> Result<Self, String> {
        let benign = |b| Ok(Maker::Benign(b));
        match name {
            "any" => Ok(Maker::Any(args.split(',').map(str::to_owned).collect())),
            "f" => match names.field(args) {
                Some(list) => Ok(Maker::Any(list.to_vec())),
                None => Err(format!("the pack has no field names for `{args}`")),
            },
            "n" => range_of(args).map(|(low, high)| Maker::Number(low, high)),
            "hex" => args.parse().map(Maker::HexDigits).map_err(|_| none_of("length", args)),
            "ts" => TimeForm::from_word(args).map(Maker::Time).ok_or(none_of("time form", args)),
            "count" if args.is_empty() => benign(Benign::Count(1000, 99_999)),
            "count" => range_of(args).and_then(|(low, high)| benign(Benign::Count(low, high))),
            "kv" => Ok(Maker::InnocentPair { json: args == "json" }),
            "brand" => Ok(Maker::Brand),
            "host" => Ok(Maker::Host),
            "phone" => phone(args).map(Maker::Phone),
            "body" => Ok(Maker::Body(match args {
                "" => BodyStyle::Any,
                "otp" => BodyStyle::Otp,
                "chat" => BodyStyle::Chat,
                "len" => BodyStyle::Measured,
                "short" => BodyStyle::Short,
                _ => return Err(none_of("kind of body", args)),
            })),
            "code" => Ok(Maker::Code(match args {
                "" => CodeStyle::Any,
                "num" => CodeStyle::Digits,
                "int" => CodeStyle::Integer,
                "pairing" => CodeStyle::Pairing,
                _ => return Err(none_of("kind of code", args)),
            })),
            "ip" => Ok(Maker::Ip(match args {
                "" => IpStyle::Any,
                "plain" => IpStyle::Plain,
                "v4" => IpStyle::V4,
                "port" => IpStyle::Port,
                "mapped" => IpStyle::Mapped,
                "dashed" => IpStyle::Dashed,
                _ => return Err(none_of("kind of address", args)),
            })),
            "private_ip" => Ok(Maker::PrivateIp),
            "name" => Ok(Maker::Name),
            "email" => Ok(Maker::Email),
            "cred" => credential(args).map(Maker::Credential),
            "id" => Ok(Maker::Subject(match args {
                "" => SubjectStyle::Any,
                "lid" => SubjectStyle::Lid,
                "login" => SubjectStyle::Login,
                _ => return Err(none_of("kind of id", args)),
            })),
            "device" => Ok(Maker::Device),
            "imei" => Ok(Maker::Imei),
            "card" => Ok(Maker::Card),
            "pdu" => Ok(Maker::Pdu),
            "place" => Ok(Maker::Place),
            _ => benign_of(name).map(Maker::Benign).ok_or(none_of("maker", name)),
        }
    }

    #[must_use]
    pub fn is_pair(&self) -> bool {
        matches!(self, Maker::InnocentPair { .. })
    }

    /// Whether it shows a time without its milliseconds.
    #[must_use]
    pub fn needs_whole_seconds(&self) -> bool {
        matches!(self, Maker::Time(form) if !form.has_milliseconds())
    }
}

fn benign_of(name: &str) -> Option<Benign> {
    Some(match name {
        "uuid" => Benign::Uuid,
        "trace" => Benign::Trace,
        "span" => Benign::Span,
        "hash" => Benign::Hash,
        "order" => Benign::Order,
        "order_number" => Benign::OrderNumber,
        "msgid" => Benign::MessageId,
        "twilio_id" => Benign::TwilioId,
        "wa_id" => Benign::WhatsAppId,
        "status" => Benign::Status,
        "bytes" => Benign::Bytes,
        "dur" => Benign::Duration,
        "durf" => Benign::DurationFraction,
        "pid" => Benign::Pid,
        "line" => Benign::Line,
        "port" => Benign::Port,
        "offset" => Benign::Offset,
        "seq" => Benign::Sequence,
        "errcode" => Benign::ErrorCode,
        "version" => Benign::Version,
        "ua" => Benign::UserAgent,
        "price" => Benign::Price,
        "campaign" => Benign::Campaign,
        "addr" => Benign::Address,
        "mccmnc" => Benign::Network,
        _ => return None,
    })
}

fn phone(args: &str) -> Result<PhoneStyle, String> {
    Ok(match args {
        "" | "field" => PhoneStyle::Field,
        "free" => PhoneStyle::Free,
        "query" => PhoneStyle::Query,
        "anyjid" => PhoneStyle::Jid,
        "int" => PhoneStyle::Exactly(PhoneForm::Integer),
        word => match PhoneForm::ALL.iter().find(|(_, w)| *w == word) {
            Some((form, _)) => PhoneStyle::Exactly(*form),
            None => return Err(none_of("phone form", word)),
        },
    })
}

fn credential(args: &str) -> Result<Credential, String> {
    Ok(match args {
        "" => Credential::Any,
        "key" => Credential::Key,
        "bearer" => Credential::Bearer,
        "jwt" => Credential::Jwt,
        "hex32" => Credential::Hex,
        "pw" => Credential::Password,
        "b64key" => Credential::Base64Key,
        "sid" => Credential::Session,
        "whsec" => Credential::WebhookSecret,
        "basic" => Credential::Basic,
        _ => return Err(none_of("kind of credential", args)),
    })
}

//! What a field's value is, when its name alone does not say: `code` beside an error's title,
//! `message` beside a phone number, `name` of a person or of a server.

mod account;

use super::value_shape::{
    ValueShape, begins_with_members, has_fields, is_form, is_machine_and_port, is_provider_id, is_short_time,
    is_uuid, reads_human,
};
use crate::class::Class;
use crate::codec::coding::{Charset, Coding};
use crate::codec::{Form, byte_table, next_in};
use crate::detect::body::{has_escaped_letters, is_status_line};
use crate::detect::field_name::{Meaning, Strength};
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::detect::written::{reads_foreign, reads_like_figures};
use crate::detect::{account_name, bytes, hidden, ip, safe};
use crate::numbering;
use account::{credential, is_account, subject};

/// What the fields of a container say together: one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts(u32);

impl Facts {
    /// A phone number stands in a phone's field.
    pub const PHONE: Facts = Facts(1);
    /// Fields that log lines have: level, logger, pid.
    pub const LOG: Facts = Facts(1 << 1);
    /// An error is described: title, stack, reason.
    pub const ERROR: Facts = Facts(1 << 2);
    /// The container is, or speaks of, a person.
    pub const PERSON: Facts = Facts(1 << 3);
    /// A message is spoken of: sms, segments, encoding, wamid.
    pub const MESSAGE: Facts = Facts(1 << 4);
    /// Codes are spoken of: otp, verification, expires.
    pub const CODES: Facts = Facts(1 << 5);
    /// Technical things: service, provider, template, version.
    pub const THING: Facts = Facts(1 << 6);
    /// A field is named as the message of a log line (`msg`, `event`).
    pub const HEADLINE: Facts = Facts(1 << 7);
    /// More than one field is: then `message` beside `msg` is what somebody wrote.
    pub const HEADLINES: Facts = Facts(1 << 8);
    /// What somebody wrote stands in a field for that.
    pub const TEXT: Facts = Facts(1 << 10);
    /// A record of a queue is described: topic, partition, offset.
    pub const QUEUE: Facts = Facts(1 << 9);
    /// A template is named, whose parameters stand beside it.
    pub const TEMPLATE: Facts = Facts(1 << 11);
    /// It is, or stands in, what fills a template's gaps, if one is named beside it.
    pub const PARAMETERS: Facts = Facts(1 << 12);
    /// The line is one of an error, by its level.
    pub const FAILED: Facts = Facts(1 << 13);
    /// It stands in what describes an event, a process, an answer of a program's.
    pub const OCCURRENCE: Facts = Facts(1 << 14);

    /// A place is described by its degrees.
    pub const PLACE: Facts = Facts(1 << 15);
    /// A request is described: its method, the page it came from.
    pub const REQUEST: Facts = Facts(1 << 16);

    #[must_use]
    pub fn with(self, other: Facts) -> Facts {
        Facts(self.0 | other.0)
    }

    #[must_use]
    pub fn has(self, other: Facts) -> bool {
        self.0 & other.0 != 0
    }
}

/// What the names of members say about what they stand in.
static MEMBERS: [(WordList, Facts); 10] = [
    (WordList::new(words::neighbours::LOG), Facts::LOG),
    (WordList::new(words::neighbours::ERROR), Facts::ERROR),
    (WordList::new(words::neighbours::MESSAGE_MEMBERS), Facts::MESSAGE),
    (WordList::new(words::neighbours::CODE), Facts::CODES),
    (WordList::new(words::neighbours::THING), Facts::THING),
    (WordList::new(words::neighbours::HEADLINE), Facts::HEADLINE),
    (WordList::new(words::neighbours::QUEUE), Facts::QUEUE),
    (WordList::new(words::neighbours::TEMPLATE), Facts::TEMPLATE),
    (WordList::new(words::neighbours::DEGREES), Facts::PLACE),
    (WordList::new(words::neighbours::REQUEST), Facts::REQUEST),
];
/// What the names of containers say about what stands in them.
static CONTAINERS: [(WordList, Facts); 7] = [
    (WordList::new(words::neighbours::ERROR), Facts::ERROR),
    (WordList::new(words::neighbours::PERSON), Facts::PERSON),
    (WordList::new(words::neighbours::MESSAGE), Facts::MESSAGE),
    (WordList::new(words::neighbours::CODE), Facts::CODES),
    (WordList::new(words::neighbours::THING), Facts::THING),
    (WordList::new(words::neighbours::PARAMETERS), Facts::PARAMETERS),
    (WordList::new(words::neighbours::OCCURRENCE), Facts::OCCURRENCE),
];
static TOKENS: WordList = WordList::new(words::neighbours::TOKENS);
static SIGN_IN: WordList = WordList::new(words::neighbours::SIGN_IN);
static HEADLINE_NAMES: WordList = WordList::new(words::neighbours::HEADLINE);
static ENVELOPES: WordList = WordList::new(words::neighbours::ENVELOPES);

/// Whether a container is one that only holds: `labels.empfaenger` is an `empfaenger`, no label.
#[must_use]
pub fn is_envelope(name: &[u8]) -> bool {
    ENVELOPES.holds(name)
}

fn facts_of(name: &[u8], lists: &[(WordList, Facts)]) -> Facts {
    let held = lists.iter().filter(|(names, _)| names.holds(name));
    held.fold(Facts::default(), |facts, (_, bit)| facts.with(*bit))
}

/// What a member's name says about the container it stands in.
#[must_use]
pub fn facts_of_name(name: &[u8]) -> Facts {
    facts_of(name, &MEMBERS)
}

/// What a container's own name says about what stands in it.
#[must_use]
pub fn facts_of_container(name: &[u8]) -> Facts {
    facts_of(name, &CONTAINERS)
}

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The whole value is of this class.
    Claim(Class),
    /// A part of the value may be of this class; what its detector finds goes, else nothing.
    Part(Class),
    /// Safe by its name; only what shows itself beyond doubt is taken from it.
    Safe,
    /// An id, a time, a count of something: bare digits in it are no phone number and no code.
    Opaque(Class),
    /// Running text.
    Text,
    /// The message of a log line.
    Headline,
}

/// What surrounds a field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Of the container the field stands in.
    pub own: Facts,
    /// Of the containers around that one, up to three.
    pub around: Facts,
    /// What the names of the container and those around it say.
    pub named: Facts,
}

/// Reads a field by what its name means, what its value looks like and what stands around it.
/// `name` in lower case; `value` as written.
#[must_use]
pub fn read(name: &[u8], meaning: Meaning, value: &[u8], form: Form, around: &Surroundings) -> Reading {
    if matches!(form, Form::JsonWord) || value.is_empty() {
        return Reading::Safe;
    }
    if meaning.blocked {
        return Reading::Safe;
    }
    let Some(class) = meaning.class else { return Reading::Text };
    match class {
        Class::Safe => return Reading::Safe,
        // `t=12ms`, `epoch=27`: how long, how often.
        Class::Timestamp
            if safe::is_measure(value)
                || value.len() <= 5 && value.iter().all(u8::is_ascii_digit)
                || is_short_time(value) =>
        {
            return Reading::Safe;
        }
        Class::Timestamp | Class::UserAgent => return Reading::Opaque(class),
        // Korea's gateways call the sender's number so.
        Class::Url if name.ends_with(b"callback") && is_dialled(value) => {
            return Reading::Claim(Class::Phone);
        }
        // `"id":"cus_NffrFeUfNV2Hib"`: a customer's, as it says itself.
        Class::EventId if account_name::is_persons_id(value) => return Reading::Claim(Class::SubjectId),
        // An id, a URL, a port is one word; `request: "GET /x HTTP/1.1"` is none.
        Class::EventId | Class::Url | Class::Port => {
            const ENDS_WORDS: [bool; 256] = byte_table(b" \t\n\r\"");
            return if next_in(&ENDS_WORDS, value, 0).is_some() {
                Reading::Text
            } else if class == Class::EventId && value.first() == Some(&b'/') {
                // `reqPath: "/hooks/dlr"`, `Bad Request: /hooks/dlr`
                Reading::Opaque(Class::Url)
            } else {
                Reading::Opaque(class)
            };
        }
        _ => {}
    }
    if hidden::is_coded(value) {
        // What its letters look like says nothing of the text in them.
        let sure = meaning.strength != Strength::Ambiguous;
        return if sure { Reading::Claim(class) } else { Reading::Text };
    }
    let shape = ValueShape::of(value);
    let sure = meaning.strength == Strength::Sure;
    let likely = meaning.strength != Strength::Ambiguous;
    match class {
        // `cid=554f9473-5b1d-…`: a call's.
        Class::Phone if !likely && is_uuid(value) => Reading::Opaque(Class::EventId),
        // `sender.id: "0g6JDB0j…=="`: nobody's number, but somebody's.
        Class::Phone
            if !likely
                && (name.ends_with(b"id") || name.starts_with(b"id"))
                && name != b"jid"
                && shape.is_opaque_id() =>
        {
            Reading::Claim(Class::SubjectId)
        }
        // `jid=7070614f5e9cb44d30915a41`: a job's.
        Class::Phone if name.ends_with(b"id") && is_hash(value, &shape) => Reading::Opaque(Class::EventId),
        Class::Phone => phone(value, &shape, meaning.strength, around),
        Class::Code => code(name, value, &shape, meaning.strength, form, around),
        Class::Body => body(name, value, &shape, meaning.strength, form, around),
        Class::Name => person(value, &shape, meaning.strength, around),
        // A message's key is often its recipient.
        Class::Credential
            if !likely && around.own.has(Facts::PHONE.with(Facts::QUEUE)) && is_valid_number(value) =>
        {
            Reading::Claim(Class::Phone)
        }
        // `partition=3 key=7f3a52c1-…`: a record's, and no key to anything.
        Class::Credential if !likely && around.own.has(Facts::QUEUE) && is_uuid(value) => {
            Reading::Opaque(Class::EventId)
        }
        // `"token": "482913"`, beside a number: what somebody was sent.
        Class::Credential
            if !sure
                && TOKENS.holds(name)
                && around.own.has(Facts::PHONE.with(Facts::CODES))
                && is_lone_code(value) =>
        {
            Reading::Claim(Class::Code)
        }
        // `verification.sid: "VE…"`: a provider's id.
        Class::Credential if !likely && is_provider_id(value) => Reading::Opaque(Class::EventId),
        Class::Credential => credential(value, &shape, sure, likely),
        Class::Email => Reading::Part(Class::Email),
        // `address=4479…` of a message: no address of a machine.
        Class::Ip
            if !likely
                && shape.digits == shape.len
                && ((9..=15).contains(&shape.digits)
                    || (6..=8).contains(&shape.digits) && around.own.has(Facts::MESSAGE)) =>
        {
            phone(value, &shape, meaning.strength, around)
        }
        Class::Ip => Reading::Part(Class::Ip),
        Class::Card if shape.digits >= 12 => Reading::Claim(Class::Card),
        Class::Imei if shape.digits >= 14 => Reading::Claim(Class::Imei),
        Class::Device if likely && shape.len >= 6 && shape.spaces == 0 => Reading::Claim(Class::Device),
        Class::SubjectId if is_address(value) => Reading::Part(Class::Ip),
        Class::SubjectId => subject(name, value, &shape, likely, around),
        // `lat=1744` of a gateway: how long; degrees have a point.
        Class::Location
            if shape.digits == shape.len && matches!(name, b"lat" | b"lon" | b"lng" | b"long") =>
        {
            Reading::Text
        }
        Class::Location if likely && shape.len >= 2 => Reading::Claim(Class::Location),
        Class::Card
        | Class::Imei
        | Class::Device
        | Class::Location
        | Class::EventId
        | Class::Timestamp
        | Class::UserAgent
        | Class::Url
        | Class::Port
        | Class::Safe
        | Class::Custom(_) => Reading::Text,
    }
}

/// Letters that a sender's name has at most (3GPP TS 23.040, 9.1.2.5): more are no brand's, but somebody's.
const ALPHANUMERIC_SENDER: usize = 11;

/// Letters of a sender's name, or two digits at most: nothing that anybody can be called by.
pub fn is_no_number(value: &[u8]) -> bool {
    value.len() <= ALPHANUMERIC_SENDER
        && value.iter().filter(|b| b.is_ascii_digit()).count() <= 2
        && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

fn phone(value: &[u8], shape: &ValueShape, strength: Strength, around: &Surroundings) -> Reading {
    // `destinataire: "Núria Capdevila"`
    if shape.digits == 0 && shape.len > ALPHANUMERIC_SENDER && is_persons_name(value, shape) {
        return Reading::Claim(Class::Name);
    }
    if shape.digits < 5 && shape.high == 0 {
        return Reading::Text;
    }
    if is_address(value) {
        return Reading::Part(Class::Ip);
    }
    if value.contains(&b'@') || value.contains(&b':') {
        if strength == Strength::Ambiguous && is_machine_and_port(value) {
            return Reading::Text;
        }
        // A URI or a WhatsApp id; an e-mail address too.
        return Reading::Part(Class::Phone);
    }
    match strength {
        Strength::Sure | Strength::Likely => {
            let numbers = shape.digits * 2 >= shape.len.saturating_sub(shape.high);
            if numbers || shape.high > 0 || shape.spaces == 0 {
                Reading::Claim(Class::Phone)
            } else {
                Reading::Part(Class::Phone)
            }
        }
        // `nr: 32949` counts rows.
        Strength::Ambiguous if shape.digits == shape.len && shape.digits < 6 => Reading::Text,
        Strength::Ambiguous => {
            let spoken_of =
                around.own.with(around.around).with(around.named).has(Facts::MESSAGE.with(Facts::CODES))
                    || around.own.has(Facts::TEXT);
            if !shape.is_number_like() && shape.high == 0 {
                return Reading::Part(Class::Phone);
            }
            let marked = matches!(value.first(), Some(b'+')) || value.starts_with(b"00");
            if marked || shape.digits >= 9 || (shape.digits >= 6 && spoken_of) || is_in_groups(value) {
                Reading::Claim(Class::Phone)
            } else {
                Reading::Part(Class::Phone)
            }
        }
    }
}

/// `212.629.51`, `500 15993`: seven or eight digits in groups, as people write a number, and neither a date nor a postcode.
fn is_in_groups(value: &[u8]) -> bool {
    let mut lengths = [0; 4];
    let mut count = 0;
    for group in value.split(|b| matches!(b, b' ' | b'-' | b'.')) {
        let Some(length) = lengths.get_mut(count) else { return false };
        if !(2..=5).contains(&group.len()) || !group.iter().all(u8::is_ascii_digit) {
            return false;
        }
        *length = group.len();
        count += 1;
    }
    let digits: usize = lengths.iter().sum();
    let dated = matches!(lengths, [4, 2, 2, 0] | [2, 2, 4, 0]);
    // Brazil's postcode.
    let postcode = lengths == [5, 3, 0, 0];
    (2..=4).contains(&count) && (7..=8).contains(&digits) && !dated && !postcode
}

/// Whether a value is two to four words of a person's name, none of them one that programs log.
fn is_persons_name(value: &[u8], shape: &ValueShape) -> bool {
    shape.reads_like_a_name(value)
        && shape.phone_marks <= 2
        && !value.split(|b| *b == b' ').any(safe::is_log_word)
}

/// `192.0.2.7:443`, `[2001:db8::7]:443`, `2001:db8::7`: what a `peer` has where others have a number.
fn is_address(value: &[u8]) -> bool {
    if value.contains(&b'@') {
        return false;
    }
    let colons = value.iter().filter(|b| **b == b':').count();
    ip::v4_at(value, 0).is_some_and(|hit| hit.span.start() == 0)
        || value.first() == Some(&b'[') && colons >= 2
        || colons >= 2 && value.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.' | b'%'))
}

fn code(
    name: &[u8],
    value: &[u8],
    shape: &ValueShape,
    strength: Strength,
    form: Form,
    around: &Surroundings,
) -> Reading {
    // Digits of other scripts take two bytes at the least.
    let kernel = shape.digits + shape.letters() + shape.high / 2;
    let token = (3..=12).contains(&kernel) && shape.len <= 16 && shape.spaces <= 3 && shape.underscores == 0;
    let mixed = shape.digits > 0 || (shape.lower == 0 && shape.upper >= 4);
    let plausible = (token && mixed && shape.lower <= shape.digits + shape.upper)
        || (shape.high > 0 && shape.len <= 40 && shape.lower == 0);
    // A telephone's type has eight digits (3GPP TS 23.003), a bank's authorisation six.
    if is_telephone_type(name, value) {
        return Reading::Safe;
    }
    match strength {
        Strength::Sure | Strength::Likely if plausible => Reading::Claim(Class::Code),
        _ if shape.is_secret() => Reading::Claim(Class::Credential),
        // `sms_token`: of an account at a gateway.
        Strength::Sure | Strength::Likely if shape.is_token() => Reading::Claim(Class::Credential),
        Strength::Sure | Strength::Likely => Reading::Text,
        Strength::Ambiguous => {
            let spoken_of = Facts::PHONE.with(Facts::MESSAGE).with(Facts::CODES);
            let error = around.own.has(Facts::ERROR)
                || around.named.has(Facts::ERROR.with(Facts::OCCURRENCE)) && !around.own.has(Facts::CODES);
            let here =
                around.own.has(spoken_of) || around.named.has(spoken_of) || around.around.has(Facts::CODES);
            let long_enough = kernel >= 4;
            if !plausible && shape.spaces > 0 {
                return Reading::Text;
            }
            // `<usercode>ops.ray</usercode>`: who asks.
            if !plausible && name.starts_with(b"user") && account_name::has_shape(value) {
                return Reading::Claim(Class::SubjectId);
            }
            if !plausible || !long_enough || (error && !around.own.has(Facts::PHONE)) {
                return Reading::Opaque(Class::Safe);
            }
            // Nothing speaks for it and nothing against it: text of digits may be a code, a JSON
            // number is rather a status.
            if here
                || !matches!(form, Form::JsonNumber | Form::Bare)
                || value.len() == 6 && form == Form::Bare && !around.own.has(Facts::THING)
            {
                Reading::Claim(Class::Code)
            } else if form == Form::Bare && !matches!(name, b"code" | b"codes") {
                // `telefonszámra elküldött kód: 9327`: the words around it decide.
                Reading::Text
            } else {
                Reading::Opaque(Class::Safe)
            }
        }
    }
}

/// `tac=35291611`: a telephone's type, or a code where one is spoken of.
pub fn is_telephone_type(name: &[u8], value: &[u8]) -> bool {
    name == b"tac" && value.len() == 8 && value.iter().all(u8::is_ascii_digit)
}

fn body(
    name: &[u8],
    value: &[u8],
    shape: &ValueShape,
    strength: Strength,
    form: Form,
    around: &Surroundings,
) -> Reading {
    let list = value.first() == Some(&b'[')
        && matches!(value.get(1), Some(b'"' | b'{' | b'[' | b'\'' | b' ' | b'\n' | b']' | b'0'..=b'9'));
    let structured = (list || value.first() == Some(&b'{')) && value.len() > 8
        || is_form(value)
        || bytes::find(value, b"{\"").is_some();
    if structured {
        return Reading::Text;
    }
    if begins_with_members(value) {
        return Reading::Text;
    }
    // `short_message: Octet string at 0x…:`, the heading of a dump.
    if value.ends_with(b":") && bytes::find(value, b" 0x").is_some() {
        return Reading::Headline;
    }
    if strength != Strength::Ambiguous {
        return Reading::Claim(Class::Body);
    }
    if has_fields(value) || reads_like_figures(value) {
        return Reading::Text;
    }
    if is_status_line(value) {
        return Reading::Headline;
    }
    // `subject=31c76873df52…`: whom a token is of.
    if name == b"subject" && form == Form::Bare && is_account(value, shape) {
        return Reading::Claim(Class::SubjectId);
    }
    // `woo-sms: order ORD-2026-832866`: a word and its number, of a program.
    if shape.spaces == 1 && shape.digits >= 6 && form == Form::Bare && name.contains(&b'-') {
        return Reading::Headline;
    }
    // An element of XML is no log line's.
    let headline = HEADLINE_NAMES.holds(name) && (form != Form::Element || around.own.has(Facts::LOG));
    let words = shape.spaces > 0 || shape.high > 0 || has_escaped_letters(value);
    let spoken_of = Facts::PHONE.with(Facts::MESSAGE);
    let near =
        around.own.has(Facts::PHONE) || around.around.has(Facts::PHONE) || around.named.has(Facts::MESSAGE);
    if headline && around.own.has(Facts::LOG) {
        // A log line's message, unless people speak in it.
        let second = around.own.has(Facts::HEADLINES) && matches!(name, b"message" | b"short_message");
        let human = around.own.has(spoken_of) && words && (reads_human(value) || second);
        return if human { Reading::Claim(Class::Body) } else { Reading::Headline };
    }
    if !words {
        // One word: an answer to somebody (`STOP`), or a constant of a program's.
        if is_lone_code(value) && matches!(form, Form::JsonString | Form::Quoted) {
            return Reading::Claim(Class::Body);
        }
        let constant =
            shape.underscores > 0 || shape.is_token() || value.contains(&b'.') || value.contains(&b':');
        return if near && !constant && !headline { Reading::Claim(Class::Body) } else { Reading::Headline };
    }
    if near
        || matches!(name, b"body" | b"caption" | b"conversation")
        || (shape.spaces >= 2 && !headline)
        || reads_human(value)
    {
        return Reading::Claim(Class::Body);
    }
    Reading::Headline
}

/// `774411`, `G-774411`: a code is all that somebody was sent.
fn is_lone_code(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"G-").or_else(|| value.strip_prefix(b"FB-")).unwrap_or(value);
    (4..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// Whether a value that no name speaks for is what somebody wrote to somebody else whose number stands near it.
#[must_use]
pub fn is_said(value: &[u8], at_least: usize) -> bool {
    let spaces = value.iter().filter(|b| **b == b' ').count();
    let wide = value.iter().filter(|b| **b >= 0x80).count() >= 18;
    let structured = matches!(value.first(), Some(b'{' | b'[' | b'<' | b'/')) || is_form(value);
    (spaces >= at_least || wide)
        && !structured
        && !has_fields(value)
        && (reads_human(value) || spaces >= at_least && reads_foreign(value))
}

/// Sixteen hex digits or more, with letters among them.
fn is_hash(value: &[u8], shape: &ValueShape) -> bool {
    shape.len >= 16 && shape.digits < shape.len && value.iter().all(u8::is_ascii_hexdigit)
}

/// Digits and dashes of a number as people dial it.
fn is_dialled(value: &[u8]) -> bool {
    let shape = ValueShape::of(value);
    shape.is_number_like() && (7..=15).contains(&shape.digits) && !value.contains(&b'/')
}

/// Digits that are a valid number with its calling code.
pub fn is_valid_number(value: &[u8]) -> bool {
    (10..=15).contains(&value.len())
        && value.iter().all(u8::is_ascii_digit)
        && numbering::international(value).is_some_and(|number| number.is_valid())
}

/// Whether a text that stood in base64 or hex is what somebody wrote. In hex, programs write nothing else that
/// has words in it; JSON, XML, a form, a line with names and values say by their fields what they are.
pub fn is_message(text: &[u8], coding: Coding) -> bool {
    let words = text.trim_ascii().iter().any(|b| *b == b' ' || *b >= 0x80);
    let written = match coding {
        Coding::Hex(_, Charset::Utf8) => words,
        Coding::Hex(_, Charset::Ucs2) => true,
        Coding::Base64(..) => words && reads_human(text),
    };
    let structured = || {
        matches!(text.trim_ascii_start().first(), Some(b'{' | b'[' | b'<'))
            || is_form(text)
            || has_fields(text)
            || memchr::memmem::find(text, b"\":").is_some()
    };
    written && !structured()
}

fn person(value: &[u8], shape: &ValueShape, strength: Strength, around: &Surroundings) -> Reading {
    // `_Ada_`, `~Ada~`, as people mark what they write.
    let marked = match value {
        [first @ (b'_' | b'*' | b'~'), inside @ .., last] if first == last => Some(inside),
        _ => None,
    };
    let is_name = |inside: &[u8]| {
        let shape = ValueShape::of(inside);
        shape.is_capitalised(inside) || shape.reads_like_a_name(inside)
    };
    if marked.is_some_and(is_name) {
        return Reading::Claim(Class::Name);
    }
    if shape.letters() + shape.high == 0 || shape.len > 120 {
        return Reading::Text;
    }
    let one_word = marked.is_some_and(|inside| !inside.is_empty() && !inside.contains(&b'_'));
    let underscores = if one_word { 0 } else { shape.underscores };
    if strength == Strength::Sure || (strength == Strength::Likely && underscores == 0) {
        return Reading::Claim(Class::Name);
    }
    let person = around.named.has(Facts::PERSON) || around.own.has(Facts::PHONE);
    let thing = around.named.has(Facts::THING);
    let looks_so = shape.high > 0 || (shape.spaces >= 1 && shape.upper >= 2 && shape.digits == 0);
    let constant = shape.digits > 0
        || underscores > 0
        || value.contains(&b'.') && shape.spaces == 0
        || value.contains(&b'/');
    // `"name":"sms-relay","hostname":…,"pid":…`: a logger's (bunyan).
    let logger = around.own.has(Facts::LOG) && shape.upper == 0 && value.contains(&b'-');
    if (thing || logger) && !looks_so {
        Reading::Safe
    } else if (person && !constant) || looks_so {
        Reading::Claim(Class::Name)
    } else {
        Reading::Text
    }
}

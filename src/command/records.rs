//! `--records`: one Kafka record per line of JSON, in and out.
//!
//! ```json
//! {"value": "…" or "value_b64": "…", "key" or "key_b64": "…"?, "headers": [["name", "value" or null], …]?}
//! ```
//!
//! - `null` as value is a tombstone, as key Kafka's null key.
//! - `id` and `format` pass as they are if they are at most 64 of `[A-Za-z0-9_.-]`; `partition`
//!   (32 bits), `offset` and `timestamp` pass if they are whole numbers.
//! - Any other member is scrubbed: it is handed to the engine as a header and written back as a member. Its name, and
//!   those of headers, are scrubbed like names of members in JSON.
//! - What comes out has the members of what went in, in their order; bytes that are not UTF-8 come out
//!   under `value_b64`, `key_b64` or `headers_b64` (header values in base64, names as text).
//! - A line that is no such record is taken as a plain value, the whole line, and comes out as
//!   `{"value": …}`. If it speaks of base64 that we cannot read, nothing of it can be vouched for, so
//!   [`Framing::parse`] says [`Shape::Unreadable`] and the caller withholds it.
//!
//! A member that stands twice, a value that is neither string nor null, headers that are not pairs:
//! each makes the line "no such record". Strings are read leniently: a lone surrogate and invalid
//! UTF-8 become the bytes they stand for.

mod json;

use crate::record::{Header, Record, RecordBuf};
use json::Cursor;
use std::collections::BTreeMap;

/// Members that pass untouched.
const PASSING: [&str; 5] = ["id", "format", "partition", "offset", "timestamp"];

/// The longest `id` and `format` that pass, in bytes.
const PASSING_BYTES: usize = 64;

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Record,
    /// No record line: the whole line stands as the value.
    Text,
    /// No record line, and it names base64 members that may hide anything: withhold it.
    Unreadable,
}

/// One parsed line; its buffers are kept from line to line.
#[derive(Default)]
pub struct Framing {
    /// Strings whose bytes differ from how they are written.
    decoded: Vec<u8>,
    members: Vec<Member>,
    value: Option<Piece>,
    key: Option<Piece>,
    headers: Vec<(Piece, Option<Piece>)>,
    others: Vec<Other>,
    /// Which of [`PASSING`] the line had already.
    passed: [bool; PASSING.len()],
    partition: Option<i32>,
    offset: Option<i64>,
    timestamp_ms: Option<i64>,
}

/// Bytes in the line, or in the decoded buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    place: Place,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Line,
    Decoded,
}

impl Piece {
    fn of<'a>(self, line: &'a [u8], decoded: &'a [u8]) -> &'a [u8] {
        let from = match self.place {
            Place::Line => line,
            Place::Decoded => decoded,
        };
        from.get(self.start..self.end).unwrap_or_default()
    }
}

/// A member in the order of the line.
#[derive(Clone, Copy, Debug)]
enum Member {
    /// Written back as it stands: name, and the span of its JSON in the line.
    Passing(&'static str, Piece),
    Value,
    Key,
    Headers,
    /// The n-th of [`Framing::others`].
    Other(usize),
}

/// A member that the framing does not know.
#[derive(Clone, Copy, Debug)]
struct Other {
    name: Piece,
    /// The string's bytes, or the JSON as written.
    piece: Piece,
    form: OtherForm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OtherForm {
    String,
    /// Number, `true`, object, array: goes out as JSON again if it still is JSON.
    Json,
    Null,
}

impl Framing {
    /// Takes a line apart (its line ending already gone). Linear in its length; never recurses.
    pub fn parse(&mut self, line: &[u8]) -> Shape {
        self.clear();
        if self.parse_record(line).is_some() {
            return Shape::Record;
        }
        self.clear();
        self.members.push(Member::Value);
        self.value = Some(Piece { place: Place::Line, start: 0, end: line.len() });
        if memchr::memmem::find(line, b"_b64").is_some() { Shape::Unreadable } else { Shape::Text }
    }

    fn clear(&mut self) {
        self.decoded.clear();
        self.members.clear();
        self.headers.clear();
        self.others.clear();
        self.value = None;
        self.key = None;
        self.passed = [false; PASSING.len()];
        self.partition = None;
        self.offset = None;
        self.timestamp_ms = None;
    }

    fn parse_record(&mut self, line: &[u8]) -> Option<()> {
        let mut decoded = std::mem::take(&mut self.decoded);
        let mut cursor = Cursor::new(line, &mut decoded);
        let parsed = self.members(&mut cursor);
        self.decoded = decoded;
        parsed?;
        self.members.iter().any(|member| matches!(member, Member::Value)).then_some(())
    }

    fn members(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.expect(b'{')?;
        if cursor.take(b'}') {
            return cursor.end();
        }
        loop {
            cursor.skip_space();
            let name = cursor.string()?;
            cursor.expect(b':')?;
            cursor.skip_space();
            self.member(cursor, name)?;
            if !cursor.take(b',') {
                cursor.expect(b'}')?;
                return cursor.end();
            }
        }
    }

    fn member(&mut self, cursor: &mut Cursor<'_>, name: Piece) -> Option<()> {
        match cursor.bytes(name) {
            b"value" => {
                self.add_once(Member::Value)?;
                self.value = cursor.string_or_null()?;
            }
            b"value_b64" => {
                self.add_once(Member::Value)?;
                self.value = cursor.base64_or_null()?;
            }
            b"key" => {
                self.add_once(Member::Key)?;
                self.key = cursor.string_or_null()?;
            }
            b"key_b64" => {
                self.add_once(Member::Key)?;
                self.key = cursor.base64_or_null()?;
            }
            b"headers" => {
                self.add_once(Member::Headers)?;
                self.headers(cursor, |cursor| cursor.string_or_null())?;
            }
            b"headers_b64" => {
                self.add_once(Member::Headers)?;
                self.headers(cursor, |cursor| cursor.base64_or_null())?;
            }
            _ => {
                let token = cursor.token()?;
                match self.passing(cursor, name, token) {
                    Some(known) => self.members.push(Member::Passing(known, token)),
                    None => self.other(cursor, name, token)?,
                }
            }
        }
        Some(())
    }

    /// The same thing said twice has no meaning that every reader agrees on.
    fn add_once(&mut self, member: Member) -> Option<()> {
        let kind = std::mem::discriminant(&member);
        if self.members.iter().any(|seen| std::mem::discriminant(seen) == kind) {
            return None;
        }
        self.members.push(member);
        Some(())
    }

    fn headers(
        &mut self,
        cursor: &mut Cursor<'_>,
        read_value: fn(&mut Cursor<'_>) -> Option<Option<Piece>>,
    ) -> Option<()> {
        if cursor.null() {
            return Some(());
        }
        cursor.expect(b'[')?;
        if cursor.take(b']') {
            return Some(());
        }
        loop {
            cursor.expect(b'[')?;
            cursor.skip_space();
            let name = cursor.string()?;
            cursor.expect(b',')?;
            cursor.skip_space();
            let value = read_value(cursor)?;
            cursor.expect(b']')?;
            self.headers.push((name, value));
            if !cursor.take(b',') {
                return cursor.expect(b']');
            }
        }
    }

    /// The member's own name if it is one that passes untouched; a second one of a name never does.
    fn passing(&mut self, cursor: &Cursor<'_>, name: Piece, token: Piece) -> Option<&'static str> {
        let written = cursor.bytes(token);
        let number = || std::str::from_utf8(written).ok()?.parse::<i64>().ok();
        let name = cursor.bytes(name);
        let (known, passed) =
            PASSING.into_iter().zip(&mut self.passed).find(|(known, _)| known.as_bytes() == name)?;
        if *passed {
            return None;
        }
        match known {
            "partition" => self.partition = Some(i32::try_from(number()?).ok()?),
            "offset" => self.offset = Some(number()?),
            "timestamp" => self.timestamp_ms = Some(number()?),
            _ => plain_word(written).then_some(())?,
        }
        *passed = true;
        Some(known)
    }

    fn other(&mut self, cursor: &mut Cursor<'_>, name: Piece, token: Piece) -> Option<()> {
        let (piece, form) = match cursor.bytes(token) {
            [b'"', ..] => (cursor.string_at(token)?, OtherForm::String),
            b"null" => (token, OtherForm::Null),
            _ => (token, OtherForm::Json),
        };
        self.members.push(Member::Other(self.others.len()));
        self.others.push(Other { name, piece, form });
        Some(())
    }

    /// The record's headers, then the members that the framing does not know as headers too: what
    /// the engine is to scrub. `line` is the line that was parsed.
    #[must_use]
    pub fn scrub_headers<'a>(&'a self, line: &'a [u8]) -> Vec<Header<'a>> {
        let mut all = self.own_headers(line);
        all.extend(self.others.iter().map(|other| {
            let value = (other.form != OtherForm::Null).then(|| other.piece.of(line, &self.decoded));
            (other.name.of(line, &self.decoded), value)
        }));
        all
    }

    /// The record's own headers: what `put` writes.
    #[must_use]
    pub fn own_headers<'a>(&'a self, line: &'a [u8]) -> Vec<Header<'a>> {
        let of = |piece: Piece| piece.of(line, &self.decoded);
        self.headers.iter().map(|(name, value)| (of(*name), value.map(of))).collect()
    }

    /// The parsed line as a record. `headers` come from [`Framing::scrub_headers`] or
    /// [`Framing::own_headers`].
    #[must_use]
    pub fn record<'a>(&'a self, line: &'a [u8], headers: &'a [Header<'a>]) -> Record<'a> {
        Record {
            key: self.key.map(|piece| piece.of(line, &self.decoded)),
            value: self.value.map(|piece| piece.of(line, &self.decoded)),
            headers,
            timestamp_ms: self.timestamp_ms,
        }
    }

    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        self.partition
    }

    #[must_use]
    pub fn offset(&self) -> Option<i64> {
        self.offset
    }

    #[must_use]
    pub fn timestamp_ms(&self) -> Option<i64> {
        self.timestamp_ms
    }

    /// Appends the parsed line with the contents of `scrubbed`, without a line ending. Nothing of
    /// the line but the passing members is written; `scrubbed.headers` are those of
    /// [`Framing::scrub_headers`], in their order, changed or missing, with their names as they were; `renamed` has what
    /// is written for names that cannot stay.
    pub fn write(&self, line: &[u8], scrubbed: &RecordBuf, renamed: &Renamed, to: &mut Vec<u8>) {
        let owners = self.owners(line, scrubbed);
        let pairs = scrubbed.headers.iter().zip(&owners);
        let headers = pairs.clone().filter(|(_, owner)| **owner == Owner::Header).map(|(pair, _)| pair);
        // Both run in the order of the line, so one pass over them is enough.
        let mut others = pairs.filter(|(_, owner)| **owner != Owner::Header).peekable();
        let mut object = json::Object::open(to);
        for member in &self.members {
            match member {
                Member::Passing(name, token) => object.json(name.as_bytes(), token.of(line, &self.decoded)),
                Member::Value => object.text_or_base64("value", scrubbed.value.as_deref()),
                Member::Key => object.text_or_base64("key", scrubbed.key.as_deref()),
                Member::Headers => {
                    let headers = headers.clone();
                    object.headers(headers.map(|(name, value)| (shown(renamed, name), value.as_deref())));
                }
                Member::Other(place) => {
                    let form = self.others.get(*place).map_or(OtherForm::String, |other| other.form);
                    while let Some(((name, value), _)) =
                        others.next_if(|(_, owner)| **owner == Owner::Other(*place))
                    {
                        let name = shown(renamed, name);
                        match (value, form) {
                            (None, _) => object.json(name, b"null"),
                            (Some(value), OtherForm::Json) if json::is_json(value) => {
                                object.json(name, value);
                            }
                            (Some(value), _) => object.string(name, value),
                        }
                    }
                }
            }
        }
        object.close();
    }

    /// Which part of the line each header of `scrubbed` came from. The engine keeps their order; where
    /// it dropped some, names decide, and what cannot be told is a header.
    fn owners(&self, line: &[u8], scrubbed: &RecordBuf) -> Vec<Owner> {
        let sources = || {
            let headers = self.headers.iter().map(|(name, _)| (*name, Owner::Header));
            let others = self.others.iter().enumerate();
            headers.chain(others.map(|(place, other)| (other.name, Owner::Other(place))))
        };
        if scrubbed.headers.len() == self.headers.len() + self.others.len() {
            return sources().map(|(_, owner)| owner).collect();
        }
        let mut rest = sources();
        let mut owners = Vec::with_capacity(scrubbed.headers.len());
        for (name, _) in &scrubbed.headers {
            let found = rest.find(|(source, _)| source.of(line, &self.decoded) == name.as_slice());
            owners.push(found.map_or(Owner::Header, |(_, owner)| owner));
        }
        owners
    }
}

/// Names that cannot stay, and what is written for them.
pub type Renamed = BTreeMap<Vec<u8>, Vec<u8>>;

fn shown<'n>(renamed: &'n Renamed, name: &'n [u8]) -> &'n [u8] {
    renamed.get(name).map_or(name, Vec::as_slice)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Header,
    Other(usize),
}

/// `id` and `format`: a short word in quotes, or a number.
fn plain_word(written: &[u8]) -> bool {
    let word = written.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(written);
    (1..=PASSING_BYTES).contains(&word.len())
        && word.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Where a record stands in its log, for [`write_record`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub partition: Option<i32>,
    pub offset: Option<i64>,
}

/// Appends a record that a store gave us as one line, without a line ending.
pub fn write_record(record: &Record<'_>, position: Position, to: &mut Vec<u8>) {
    let mut object = json::Object::open(to);
    let numbers = [
        ("partition", position.partition.map(i64::from)),
        ("offset", position.offset),
        ("timestamp", record.timestamp_ms),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            object.json(name.as_bytes(), number.to_string().as_bytes());
        }
    }
    if record.key.is_some() {
        object.text_or_base64("key", record.key);
    }
    object.text_or_base64("value", record.value);
    if !record.headers.is_empty() {
        object.headers(record.headers.iter().copied());
    }
    object.close();
}

#[cfg(test)]
mod tests;

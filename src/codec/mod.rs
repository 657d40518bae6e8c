//! Bytes to values with a name, a place and a span; nothing is copied and nothing is decided.
//!
//! [`json`] and [`text`] both fill one [`Tree`]: flat lists of containers and fields that are
//! cleared and used again for the next record. Spans are offsets into the bytes that were walked.
//! [`decode`] undoes escapes and keeps, for every decoded byte, where it came from; [`coding`] reads
//! and writes base64 and hex.

mod around;
pub mod block;
pub mod coding;
pub mod decode;
mod drawn;
mod escaped;
pub mod json;
mod leef;
pub mod markup;
mod name;
mod object;
mod php;
mod plain;
mod redis;
pub mod sql;
mod sql_binds;
mod sql_named;
pub mod table;
pub mod text;
pub mod time;
mod traced;
mod vcard;

use crate::finding::Span;

/// A table that says of every byte whether it is one of `bytes`, made at compile time.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "runs at compile time only, where a wrong index fails the build")]
pub const fn byte_table(bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut at = 0;
    while at < bytes.len() {
        table[bytes[at] as usize] = true;
        at += 1;
    }
    table
}

/// The first byte at or behind `pos` that the table has.
#[must_use]
#[inline]
pub fn next_in(table: &[bool; 256], text: &[u8], pos: usize) -> Option<usize> {
    let is_in = |byte: &u8| table.get(usize::from(*byte)).copied().unwrap_or(false);
    text.get(pos..)?.iter().position(is_in).map(|at| pos + at)
}

/// The first byte at or behind `pos` that the table has not.
#[inline]
#[must_use]
pub fn next_out_of(table: &[bool; 256], text: &[u8], pos: usize) -> Option<usize> {
    let is_out = |byte: &u8| !table.get(usize::from(*byte)).copied().unwrap_or(false);
    text.get(pos..)?.iter().position(is_out).map(|at| pos + at)
}

/// How a value is written, and so how a replacement has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Inside JSON double quotes, nothing escaped.
    JsonString,
    /// Inside JSON double quotes, with at least one backslash.
    JsonEscaped,
    /// A JSON number; a replacement has to bring its own quotes.
    JsonNumber,
    /// `true`, `false`, `null`, and any other bare word in JSON.
    JsonWord,
    /// Text between quotes in running text, nothing escaped.
    Quoted,
    /// Text between quotes in running text, with backslashes.
    QuotedEscaped,
    /// A bare token after `name=` or `name:`.
    Bare,
    /// The value of a query or form parameter: percent-encoding and `+` may stand in it.
    Query,
    /// Text between XML tags.
    Element,
    /// Bytes where JSON should have been.
    Junk,
}

/// A named value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name's bytes, without quotes, escapes not undone; empty for items of an array.
    pub name: Span,
    /// The value's bytes, without quotes.
    pub value: Span,
    /// Index into [`Tree::containers`].
    pub container: u32,
    pub form: Form,
}

/// An object, an array, or (the first one) the text itself.
#[derive(Clone, Copy, Debug)]
pub struct Container {
    /// Index of the container around this one; the root is its own parent.
    pub parent: u32,
    pub name: Span,
    pub array: bool,
}

/// What a walk found, in the order of the bytes.
#[derive(Debug, Default)]
pub struct Tree {
    pub containers: Vec<Container>,
    pub fields: Vec<Field>,
    /// Spans of JSON member names, quotes excluded.
    pub keys: Vec<Span>,
    /// Spans of values that are the names of others (see [`Tree::name_pairs`]).
    pub labels: Vec<Span>,
    /// The deepest nesting met.
    pub depth: usize,
}

impl Tree {
    /// Empties the tree and gives it a root.
    pub fn reset(&mut self) {
        self.containers.clear();
        self.fields.clear();
        self.keys.clear();
        self.labels.clear();
        self.depth = 0;
        self.containers.push(Container { parent: 0, name: Span::new(0, 0), array: false });
    }

    /// Becomes a copy of another; the buffers stay.
    pub fn copy(&mut self, other: &Tree) {
        self.containers.clone_from(&other.containers);
        self.fields.clone_from(&other.fields);
        self.keys.clone_from(&other.keys);
        self.labels.clone_from(&other.labels);
        self.depth = other.depth;
    }

    #[must_use]
    #[inline]
    pub fn container(&self, index: u32) -> Container {
        self.containers.get(index as usize).copied().unwrap_or(Container {
            parent: 0,
            name: Span::new(0, 0),
            array: false,
        })
    }

    /// The name a field goes by: its own, or for items of arrays that of the nearest named container.
    #[must_use]
    #[inline]
    pub fn name_of(&self, field: &Field) -> Span {
        if !field.name.is_empty() {
            return field.name;
        }
        self.named(field.container)
    }

    /// `{"key": N, "value": V}` and `{"name": N, "value": {"stringValue": V}}` mean `N: V`: gives the
    /// values the name N, in the fields from `first_field` on and the containers from
    /// `first_container` on (OpenTelemetry's attributes, forms, template parameters).
    pub fn name_pairs(&mut self, text: &[u8], first_field: usize, first_container: usize) {
        let is_label = |field: &Field| {
            self::is_label(text, field)
                && matches!(field.form, Form::JsonString | Form::JsonEscaped)
                && (1..=96).contains(&field.value.len())
        };
        let mut from = first_field;
        while let Some(place) =
            self.fields.get(from..).and_then(|rest| rest.iter().position(is_label)).map(|at| from + at)
        {
            from = place + 1;
            let Some(label) = self.fields.get(place).copied() else { break };
            let home = label.container;
            for other in self.near(place, first_field) {
                let Some(field) = self.fields.get(other).copied() else { break };
                if other == place {
                    continue;
                }
                if self.is_value_of(text, &label, &field, first_container)
                    && let Some(field) = self.fields.get_mut(other)
                {
                    field.name = label.value;
                    self.labels.push(label.value);
                } else if other > place && field.container < home {
                    break;
                }
            }
        }
    }

    /// Whether other values in the same places could make pairs of names and values.
    #[must_use]
    pub fn may_pair(&self, text: &[u8]) -> bool {
        self.fields.iter().enumerate().filter(|(_, label)| is_label(text, label)).any(|(place, label)| {
            let mut others = self.near(place, 0).filter(|other| *other != place);
            others.any(|other| {
                self.fields.get(other).is_some_and(|field| self.is_value_of(text, label, field, 0))
            })
        })
    }

    /// The fields among which the value of a name at `place` stands: before it or behind it.
    fn near(&self, place: usize, first_field: usize) -> std::ops::Range<usize> {
        const SOUGHT: usize = 64;
        place.saturating_sub(4).max(first_field)..self.fields.len().min(place + SOUGHT)
    }

    /// Whether a field is a value by its name, in the container of a pair's name or in one that holds the value.
    fn is_value_of(&self, text: &[u8], label: &Field, field: &Field, first_container: usize) -> bool {
        let home = label.container;
        let direct = field.container == home && is_one_of(field.name.of(text), &PAIR_VALUES);
        let holder = self.container(field.container);
        let inner = field.container != home
            && holder.parent == home
            && field.container as usize >= first_container
            && is_one_of(holder.name.of(text), &PAIR_VALUES)
            && (field.name.is_empty() || is_value_kind(field.name.of(text)));
        direct || inner
    }

    /// The same in running text, where the two stand side by side: `name: TO⏎value: 4479…`, `name="to" value="…"`.
    pub fn name_neighbours(&mut self, text: &[u8]) {
        for place in 1..self.fields.len() {
            let (Some(label), Some(field)) = (self.fields.get(place - 1), self.fields.get(place)) else {
                break;
            };
            let pair = (3..=9).contains(&label.name.len())
                && may_name_a_pair(text, label.name)
                && label.container == 0
                && field.container == 0
                && field.name.len() >= 3
                && is_pair_name(label.name.of(text))
                && is_one_of(field.name.of(text), &PAIR_VALUES)
                && (1..=96).contains(&label.value.len());
            // `cs1Label=msisdn cs1=…` (ArcSight, Common Event Format).
            let custom = label.name.len() == field.name.len() + 5
                && label.name.of(text).strip_suffix(b"Label") == Some(field.name.of(text))
                && label.container == 0
                && field.container == 0
                && (1..=96).contains(&label.value.len());
            // `cs1=4479… cs1Label=msisdn`
            let labelled = field.name.len() == label.name.len() + 5
                && field.name.of(text).strip_suffix(b"Label") == Some(label.name.of(text))
                && label.container == 0
                && field.container == 0
                && !label.name.is_empty()
                && (1..=96).contains(&field.value.len());
            if labelled {
                let name = field.value;
                self.labels.push(name);
                if let Some(value) = self.fields.get_mut(place - 1) {
                    value.name = name;
                }
                continue;
            }
            let pair = pair || custom;
            let between = Span { start: label.value.end, end: field.name.start };
            let joint = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'' | b',' | b';');
            if pair
                && between.start <= between.end
                && between.len() <= 24
                && between.of(text).iter().all(joint)
            {
                let name = label.value;
                self.labels.push(name);
                if let Some(field) = self.fields.get_mut(place) {
                    field.name = name;
                }
            }
        }
    }

    /// Whether a member's name says only that its value is one: `value`, `stringValue`, `raw`.
    #[must_use]
    pub fn is_value_name(name: &[u8]) -> bool {
        is_one_of(name, &PAIR_VALUES)
            || is_value_kind(name)
            || is_one_of(name, &[b"raw", b"#text", b"_text", b"$t", b"_"])
    }

    /// The name of the nearest named container at or above `index`.
    #[must_use]
    #[inline]
    pub fn named(&self, mut index: u32) -> Span {
        loop {
            let container = self.container(index);
            if !container.name.is_empty() || container.parent == index {
                return container.name;
            }
            index = container.parent;
        }
    }
}

#[cfg(test)]
impl Tree {
    /// Fails where its fields are not called so, or have other values.
    #[track_caller]
    fn assert_fields(&self, text: &str, want: &[(&str, &str)]) {
        let read = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        let got: Vec<_> = self.fields.iter().map(|f| (read(self.name_of(f)), read(f.value))).collect();
        let got: Vec<_> = got.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(got, want, "{text}");
    }
}

/// Whether a field's name says that it holds the name of a pair. Most are told by their length or first letter.
fn is_label(text: &[u8], field: &Field) -> bool {
    (1..=9).contains(&field.name.len())
        && may_name_a_pair(text, field.name)
        && is_pair_name(field.name.of(text))
}

/// Members that hold its value.
const PAIR_VALUES: [&[u8]; 7] = [b"value", b"val", b"v", b"values", b"answer", b"field_value", b"fieldvalue"];

/// Whether a name's first letter is that of one for [`is_pair_name`], as most are not.
#[inline]
fn may_name_a_pair(text: &[u8], name: Span) -> bool {
    const FIRST: [bool; 256] = byte_table(b"knflapqhKNFLAPQH");
    text.get(name.start()).is_some_and(|b| FIRST.get(usize::from(*b)).copied().unwrap_or(false))
}

/// Members that hold the name of a pair.
#[inline]
fn is_pair_name(name: &[u8]) -> bool {
    let mut lower = [0; 9];
    let Some(to) = lower.get_mut(..name.len()) else { return false };
    for (to, from) in to.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    matches!(
        &*to,
        b"key"
            | b"name"
            | b"field"
            | b"k"
            | b"label"
            | b"attribute"
            | b"param"
            | b"parameter"
            | b"question"
            | b"header"
    )
}

fn is_one_of(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// `stringValue`, `int_value`, `S`: what kind of value a pair has.
fn is_value_kind(name: &[u8]) -> bool {
    let value = name.len().checked_sub(5).and_then(|from| name.get(from..));
    value.is_some_and(|tail| tail.eq_ignore_ascii_case(b"value"))
        || is_one_of(name, &[b"s", b"n", b"string", b"int", b"v"])
}

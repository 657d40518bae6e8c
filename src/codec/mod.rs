//! Bytes to values with a name, a place and a span; nothing is copied and nothing is decided.
//!
//! [`json`] and [`text`] both fill one [`Tree`]: flat lists of containers and fields that are
//! cleared and used again for the next record. Spans are offsets into the bytes that were walked.
//! [`decode`] undoes escapes and keeps, for every decoded byte, where it came from.

pub mod decode;
pub mod json;
pub mod text;
pub mod time;

use crate::finding::Span;

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
#[derive(Clone, Copy, Debug)]
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
    /// The deepest nesting met.
    pub depth: usize,
}

impl Tree {
    /// Empties the tree and gives it a root.
    pub fn reset(&mut self) {
        self.containers.clear();
        self.fields.clear();
        self.keys.clear();
        self.depth = 0;
        self.containers.push(Container { parent: 0, name: Span::new(0, 0), array: false });
    }

    #[must_use]
    pub fn container(&self, index: u32) -> Container {
        self.containers.get(index as usize).copied().unwrap_or(Container {
            parent: 0,
            name: Span::new(0, 0),
            array: false,
        })
    }

    /// The name a field goes by: its own, or for items of arrays that of the nearest named container.
    #[must_use]
    pub fn name_of(&self, field: &Field) -> Span {
        if !field.name.is_empty() {
            return field.name;
        }
        self.named(field.container)
    }

    /// The name of the nearest named container at or above `index`.
    #[must_use]
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

//! Texts that a part holds in base64 or hex: found in by the same finder, written again in the same letters.
//!
//! All texts of a part stand in one buffer, one behind the other, and share one sink, so that a record of
//! many of them needs no more buffers than a record of one.

use super::sink::{Found, Sink};
use super::splice::{Plan, Remarks, write};
use crate::codec::coding::Coding;
use crate::finding::Span;
use crate::policy::UnknownFields;
use crate::transform;

/// Base64 in hex in base64: deeper than this nobody writes; what is there goes as a whole.
pub const DEEPEST: u8 = 3;

/// Bytes that a text in base64 or hex has at least.
const SHORTEST: usize = 10;

/// One text and its way back.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Its letters, in the bytes around it.
    pub letters: Span,
    /// What they hold, in [`Inside::text`].
    pub text: Span,
    pub coding: Coding,
    pub place: Place,
    /// At the last stage: nothing that is known claims the text around it, so that it goes.
    pub reduced: bool,
}

/// What letters a coding may use where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Plain,
    /// A query, in which `+`, `/` and `=` are percent-encoded.
    Query,
}

/// The texts of one part, or of the texts of another.
#[derive(Default)]
pub struct Inside {
    pub text: Vec<u8>,
    pub pieces: Vec<Piece>,
    /// What is found in `text`.
    pub sink: Sink,
    /// A text with its replacements, and its letters.
    plain: Vec<u8>,
    letters: Vec<u8>,
}

impl Inside {
    /// Empties everything; the buffers stay.
    pub fn clear(&mut self) {
        if !self.pieces.is_empty() {
            self.text.clear();
            self.pieces.clear();
            self.sink.clear();
        }
    }

    /// Takes a text in; gives its number.
    pub fn add(&mut self, piece: Piece, text: &[u8]) -> u32 {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        let text = Span::new(start, self.text.len());
        // Nothing is one word with what stands in the next text.
        self.text.push(b'\n');
        self.pieces.push(Piece { text, ..piece });
        u32::try_from(self.pieces.len() - 1).unwrap_or(u32::MAX)
    }

    /// The piece of a number.
    #[must_use]
    pub fn piece(&self, number: u32) -> Option<Piece> {
        self.pieces.get(number as usize).copied()
    }

    /// Appends a text's letters with its replacements; `false`, and nothing appended, where it stays.
    pub fn replace(
        &mut self,
        number: u32,
        plan: &Plan<'_>,
        remarks: &mut dyn Remarks,
        out: &mut Vec<u8>,
    ) -> bool {
        let Some(piece) = self.piece(number) else { return false };
        if piece.reduced && plan.unknown != UnknownFields::Keep {
            out.extend_from_slice(transform::UNKNOWN);
            return true;
        }
        self.plain.clear();
        let Sink { found, values, inside, .. } = &mut self.sink;
        let found = within(found, piece.text);
        let inner = inside.as_deref_mut();
        if !write(&self.text, piece.text, found, values, inner, plan, remarks, &mut self.plain) {
            return false;
        }
        // What is too short would not be read as a text again, but as somebody's id.
        let len = self.plain.len().max(SHORTEST);
        self.plain.resize(len, b' ');
        if piece.place == Place::Plain {
            piece.coding.encode(&self.plain, out);
            return true;
        }
        self.letters.clear();
        piece.coding.encode(&self.plain, &mut self.letters);
        for letter in &self.letters {
            match letter {
                b'+' => out.extend_from_slice(b"%2B"),
                b'/' => out.extend_from_slice(b"%2F"),
                b'=' => out.extend_from_slice(b"%3D"),
                other => out.push(*other),
            }
        }
        true
    }
}

/// Of sorted findings those that begin in a span.
fn within(found: &[Found], span: Span) -> &[Found] {
    let from = found.partition_point(|one| one.span.start < span.start);
    let to = found.partition_point(|one| one.span.start <= span.end);
    found.get(from..to).unwrap_or_default()
}

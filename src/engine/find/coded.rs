//! What is done with a text that stood in base64 or hex: it is looked into as any other.

use super::*;
use crate::detect::Detector;
use crate::engine::inside::Piece;
use crate::engine::value_shape::ValueShape;

impl Finder {
    /// Finds in the texts that the scan met in base64 or hex, and in those that they hold themselves.
    pub(super) fn coded(&mut self, tools: Tools<'_>, sink: &mut Sink) {
        let Some(mut inside) = sink.inside.take() else { return };
        let mut place = 0;
        while let Some(piece) = inside.pieces.get(place).copied() {
            place += 1;
            let text = piece.text.of(&inside.text);
            let inner = &mut inside.sink;
            inner.reduce_unknown = piece.reduced;
            if sink.refused.is_some() {
                inner.refused.get_or_insert_default();
            }
            if sink.safe.iter().any(|safe| safe.contains(piece.letters)) {
                inner.safe.push(piece.text);
            }
            let from = inner.found.len();
            self.text(tools, text, Map::Base(piece.text.start), 0, inner);
            if let Some(rule) = tools.detectors.rule(Detector::PhoneNational)
                && is_number(&piece, text, from, inner)
            {
                let (class, span) = (Class::Phone, piece.text);
                let (kind, detail) = (Kind::Value, tools.detectors.detail(class, text));
                inner.found.push(Found { class, rule, span, detail, kind, bare_json: false, value: None });
            }
            sink.gave_up |= inner.gave_up;
            sink.too_deep |= inner.too_deep;
        }
        if place > 0 {
            self.coded(tools, &mut inside.sink);
            sink.gave_up |= inside.sink.gave_up;
            sink.too_deep |= inside.sink.too_deep;
        }
        sink.inside = Some(inside);
    }
}

/// Whether a text is digits that nobody writes so but of a telephone, where nothing in it says what they are.
fn is_number(piece: &Piece, text: &[u8], from: usize, sink: &Sink) -> bool {
    (7..=20).contains(&text.len())
        && ValueShape::of(text).is_number_like()
        && !whole_is_found(Map::Base(piece.text.start), Span::new(0, text.len()), from, sink)
}

//! A user's patterns in the fields of JSON: they run over every value, whatever it was read as, and a keyword
//! may stand in the field's name.

use super::*;

impl Finder {
    /// Finds a user's patterns in a field's value; `from` is where its own findings begin.
    pub(super) fn patterned(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        from: usize,
        sink: &mut Sink,
    ) {
        let mut buffer = std::mem::take(&mut self.claimed);
        let escaped = decodes(field, lone.text);
        if escaped {
            decode_field(tools.context, field, lone, &mut buffer);
        }
        let (text, map) = if escaped {
            (buffer.bytes.as_slice(), Map::Table(&buffer.from))
        } else {
            let map = match lone.map {
                Map::Base(base) => Map::Base(base + field.value.start),
                Map::Table(table) => Map::Table(table.get(field.value.start()..).unwrap_or_default()),
            };
            (field.value.of(lone.text), map)
        };
        tools.detectors.user_patterns(text, lone.name, &mut |class, rule, span| {
            let root = Span { start: map.at(span.start()), end: map.at(span.end()) };
            let known = sink.found.get(from..).unwrap_or_default();
            let placed = sink.placeholders.iter().any(|placeholder| placeholder.overlaps(root));
            if placed || known.iter().any(|found| found.rule == rule && found.span == root) {
                return;
            }
            let bare_json = matches!(field.form, Form::JsonNumber | Form::JsonWord);
            // Of a number nothing stays beside a placeholder.
            let whole = Span { start: map.at(0), end: map.at(text.len()) };
            let value = act::keep_if_decoded(map, span.of(text), sink);
            let (span, detail, kind) = (if bare_json { whole } else { root }, Detail::None, Kind::Value);
            sink.found.push(Found { class, rule, span, detail, kind, bare_json, value });
        });
        self.claimed = buffer;
    }
}

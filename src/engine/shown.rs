//! What actions would show of a record's findings, without writing the record.

use super::{Engine, Part, Scratch, WithheldReason};
use crate::class::Class;
use crate::finding::Finding;
use crate::policy::{ActionTable, Policy};
use crate::record::Record;
use crate::transform::{self, Outcome, Value};

impl Engine {
    /// Calls `show` for each finding of the classes, part by part in the order of the bytes, and for each table: the
    /// table's place in the list, the class, and what the table's action leaves of the value.
    ///
    /// # Errors
    /// Why the record would be withheld.
    pub fn shown(
        &self,
        scratch: &mut Scratch,
        policy: &Policy,
        classes: &[Class],
        tables: &[&ActionTable],
        record: &Record<'_>,
        show: &mut dyn FnMut(usize, Class, &[u8]),
    ) -> Result<(), WithheldReason> {
        let context = self.context(Some(policy));
        let mut out = Vec::new();
        for (part, Finding { class, span, detail, .. }) in self.find(scratch, record)? {
            if !classes.contains(&class) {
                continue;
            }
            let bytes = match part {
                Part::Value => record.value,
                Part::Key => record.key,
                Part::Header(place) => record.headers.get(place).and_then(|(_, value)| *value),
            };
            let bytes = span.of(bytes.unwrap_or_default());
            let value = Value { class, bytes, detail, custom_name: "" };
            for (place, table) in tables.iter().enumerate() {
                let Some(action) = table.of(class) else { continue };
                out.clear();
                match transform::apply(action, &value, &context, &mut out) {
                    Outcome::Replaced => show(place, class, &out),
                    Outcome::Keep => show(place, class, bytes),
                    Outcome::Drop => {}
                }
            }
        }
        Ok(())
    }
}

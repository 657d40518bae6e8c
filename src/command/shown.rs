//! How records and what is found in them are written for people.

use crate::class::Class;
use crate::engine::Part;
use crate::record::Record;
use crate::rule::RuleSet;

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A record's text on one line of a terminal: what would move the cursor or change its colours is
/// shown as an escape.
pub fn on_one_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() {
            shown.extend(char.escape_default());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// What a part is called (`value`, `key`, `header <name>`), and its bytes.
pub fn part_of<'r>(record: &Record<'r>, part: Part) -> (String, &'r [u8]) {
    let (name, bytes) = match part {
        Part::Value => ("value".to_owned(), record.value),
        Part::Key => ("key".to_owned(), record.key),
        Part::Header(place) => {
            let header = record.headers.get(place);
            let name = header.map(|(name, _)| text(name)).unwrap_or_default();
            (format!("header {name}"), header.and_then(|(_, value)| *value))
        }
    };
    (name, bytes.unwrap_or_default())
}

/// A class as rules write it.
pub fn class_word(rules: &RuleSet, class: Class) -> String {
    match class {
        Class::Custom(custom) => {
            let name = rules.custom.get(custom.place()).map_or("", String::as_str);
            format!("custom:{name}")
        }
        class => class.word().to_owned(),
    }
}

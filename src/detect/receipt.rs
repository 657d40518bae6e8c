//! Delivery receipts as a short message carries them (SMPP 3.4, appendix B): `id:… sub:… dlvrd:… submit date:… done
//! date:… stat:… err:… text:…`. What happened to the message stays readable, what it said does not.

use crate::finding::Span;

/// The names of a receipt's parts but the last, in any order.
const PARTS: [&[u8]; 7] = [b"id:", b"sub:", b"dlvrd:", b"submit date:", b"done date:", b"stat:", b"err:"];
/// A part's value is a word: an id, a count, a date, a state.
const LONGEST_VALUE: usize = 72;
/// Receipts have more; fewer may be anything.
const FEWEST_PARTS: usize = 4;

/// The span of the message's text in a value that is a receipt and nothing else, empty where it holds none. `None`
/// where it is no receipt.
#[must_use]
pub fn text_in(value: &[u8]) -> Option<Span> {
    let mut pos = value.len() - value.trim_ascii_start().len();
    let (mut parts, mut stated) = (0, false);
    loop {
        let rest = value.get(pos..)?;
        if parts >= FEWEST_PARTS && stated {
            let name = rest.get(..5).filter(|name| name.eq_ignore_ascii_case(b"text:"));
            if name.is_some() {
                return Some(Span::new(pos + 5, value.len()));
            }
            if rest.is_empty() {
                return Some(Span::new(pos, pos));
            }
        }
        let begins =
            |part: &&[u8]| rest.get(..part.len()).is_some_and(|name| name.eq_ignore_ascii_case(part));
        let part = PARTS.iter().find(|part| begins(part))?;
        let behind = rest.get(part.len()..)?;
        let len = behind.iter().take(LONGEST_VALUE).take_while(|b| is_value_byte(**b)).count();
        pos += part.len() + len;
        match value.get(pos) {
            None => {}
            Some(b' ') => pos += 1,
            Some(_) => return None,
        }
        parts += 1;
        stated |= *part == b"stat:";
    }
}

fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_says_where_its_text_is() {
        let all =
            "id:7F3A-9 sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000 ";
        for (text, found) in
            [("text:Your code is 482913", Some("Your code is 482913")), ("Text:", Some("")), ("", Some(""))]
        {
            let value = format!("{all}{text}");
            let span = text_in(value.as_bytes());
            assert_eq!(span.map(|span| &value[span.start()..span.end()]), found, "{value}");
        }
        let short = "id:1 stat:EXPIRED err:12 sub:001";
        assert_eq!(text_in(short.as_bytes()), Some(Span::new(short.len(), short.len())));
    }

    #[test]
    fn what_people_write_is_no_receipt() {
        for value in [
            "",
            "id:1 stat:DELIVRD",
            "see you at six, stat:OK text:no",
            "id:1 sub:001 dlvrd:001 submit date:26 done date:26 err:0 text:no state",
            "id:1 sub:001 dlvrd:001 stat:DELIVRD err:call me at six text:x",
            "id:1 sub:001 dlvrd:001 stat:DELIVRD see you",
            "id:(555) sub:001 dlvrd:001 stat:DELIVRD text:x",
        ] {
            assert_eq!(text_in(value.as_bytes()), None, "{value}");
        }
    }
}

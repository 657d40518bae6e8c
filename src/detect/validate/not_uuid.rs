//! Whether a candidate lies in a UUID: RFC 9562 §4, any version, any case.

use crate::detect::bytes::{byte, is_alnum, is_hex};
use crate::finding::Span;

/// Digits and dashes of a written UUID.
pub const LENGTH: usize = 36;

/// Whether a UUID stands at a place, alone: no letter or digit touches it.
#[must_use]
pub fn is_uuid_at(text: &[u8], start: usize) -> bool {
    let Some(run) = text.get(start..).and_then(<[u8]>::first_chunk::<LENGTH>) else { return false };
    let dashes = [8, 13, 18, 23];
    dashes.iter().all(|place| run.get(*place) == Some(&b'-'))
        && run.iter().filter(|b| is_hex(**b)).count() == LENGTH - dashes.len()
        && !is_alnum(byte(text, start + LENGTH))
        && (start == 0 || !is_alnum(byte(text, start - 1)))
}

/// Whether the span is no part of a UUID.
#[must_use]
pub fn holds(text: &[u8], span: Span) -> bool {
    let first = (span.end().saturating_sub(LENGTH)).min(span.start());
    !(first..=span.start()).any(|start| is_uuid_at(text, start) && span.end() <= start + LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: [&str; 5] = [
        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "919108f7-52d1-4320-9bac-f847db4148a8",
        "00000000-0000-0000-0000-000000000000",
    ];

    #[test]
    fn published_ones_are_seen_and_a_wrong_character_breaks_them() {
        for uuid in PUBLISHED {
            assert!(is_uuid_at(uuid.as_bytes(), 0), "{uuid}");
            for place in 0..uuid.len() {
                let mut wrong = uuid.as_bytes().to_vec();
                wrong[place] = b'g';
                assert!(!is_uuid_at(&wrong, 0), "{uuid} broken at {place}");
            }
        }
    }

    #[test]
    fn spans_in_and_out_of_one() {
        let text = b"id 12345678-1234-4234-a234-123456789012 to 4155550132";
        assert!(!holds(text, Span::new(3, 11)), "its first group");
        assert!(!holds(text, Span::new(27, 39)), "its last group");
        assert!(!holds(text, Span::new(3, 39)), "all of it");
        assert!(holds(text, Span::new(43, 53)), "a number behind it");
        assert!(!is_uuid_at(b"x12345678-1234-4234-a234-123456789012", 1), "in a longer word");
    }
}

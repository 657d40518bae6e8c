//! What may stand before a value's first byte and is none of it.

use super::text::Skip;

/// Behind a terminal's colour (`ESC [ 32 m`) at `pos`; `pos` where there is none.
pub(super) fn colour_end(text: &[u8], pos: usize) -> usize {
    if text.get(pos) != Some(&0x1b) || text.get(pos + 1) != Some(&b'[') {
        return pos;
    }
    let rest = text.get(pos + 2..).unwrap_or_default();
    let len = rest.iter().take(12).take_while(|b| b.is_ascii_digit() || **b == b';').count();
    if rest.get(len) == Some(&b'm') { pos + 2 + len + 1 } else { pos }
}

/// Spring's `on field 'phone': rejected value [4479 …]`: what was rejected, where the words begin at `from`. What `skip`
/// skips there has brackets of its own.
pub(super) fn rejected(text: &[u8], from: usize, skip: Skip<'_>) -> Option<(usize, usize)> {
    const WORDS: &[u8] = b"rejected value [";
    const LONGEST: usize = 4096;
    let start = from + WORDS.len();
    if text.get(from..start) != Some(WORDS) {
        return None;
    }
    let inner = skip(start).unwrap_or(start);
    let rest = text.get(inner..text.len().min(start + LONGEST))?;
    Some((start, inner + memchr::memchr(b']', rest)?))
}

/// What stands around a quoted value before its quote: Python's `b'…'`, `u'…'`, and `Some("…")`, `Optional("…")`,
/// `ObjectId('…')`; its length.
pub(super) fn wrapper(text: &[u8], from: usize) -> usize {
    const LONGEST: usize = 24;
    let rest = text.get(from..).unwrap_or_default();
    // Most values are numbers, or end where no bracket opens.
    if !rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') {
        return 0;
    }
    let name = rest.iter().take(LONGEST).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let call = name > 0 && rest.get(name) == Some(&b'(');
    let prefix = name == 1 && matches!(rest.first(), Some(b'b' | b'u' | b'r' | b'f'));
    let len = name + usize::from(call);
    let quoted = matches!(rest.get(len), Some(b'\'' | b'"'));
    if (call || prefix) && quoted { len } else { 0 }
}

//! What may stand before a value's first byte and is none of it.

use super::text::Skip;

/// Longest `1;38;2;255;100;0` of a terminal's colour.
const COLOUR: usize = 20;

fn is_of_a_colour(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b';'
}

/// Behind a terminal's colours (`ESC [ 32 m`; ECMA-48, 8.3.117) at `pos`; `pos` where there are none.
pub(super) fn colour_end(text: &[u8], mut pos: usize) -> usize {
    while text.get(pos) == Some(&0x1b) && text.get(pos + 1) == Some(&b'[') {
        let rest = text.get(pos + 2..).unwrap_or_default();
        let len = rest.iter().take(COLOUR).take_while(|b| is_of_a_colour(**b)).count();
        if rest.get(len) != Some(&b'm') {
            break;
        }
        pos += 2 + len + 1;
    }
    pos
}

/// `ESC[35mAda Roe ESC[0m`: where a value ends that stands in a colour of its own, behind which the next
/// begins.
pub(super) fn end_in_colour(text: &[u8], from: usize) -> Option<usize> {
    const LONGEST: usize = 512;
    let rest = text.get(from..text.len().min(from + LONGEST))?;
    let len = memchr::memchr2(0x1b, b'\n', rest).filter(|len| rest.get(*len) == Some(&0x1b))?;
    let value = rest.get(..len)?;
    let plain = !matches!(value.first(), None | Some(b' ' | b'"' | b'\'' | b'[' | b'{' | b'<'));
    (plain && !value.contains(&b'=')).then_some(from + len)
}

/// Before a terminal's colours that end at `end`, not before `start`: `ESC[3mbody ESC[0m ESC[2m=` as Rust's `tracing`
/// writes it (without the spaces); `end` where there are none.
pub(super) fn colour_start(text: &[u8], mut end: usize, start: usize) -> usize {
    while end > start && text.get(end - 1) == Some(&b'm') {
        let head = text.get(start..end - 1).unwrap_or_default();
        let len = head.iter().rev().take(COLOUR).take_while(|b| is_of_a_colour(**b)).count();
        match head.get(..head.len() - len).and_then(|head| head.strip_suffix(b"\x1b[")) {
            Some(head) => end = start + head.len(),
            None => break,
        }
    }
    end
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
/// `ObjectId('…')`, Erlang's `<<"…">>`, an address of SMPP with its type and plan (`(1,1,"…")`); its length.
pub(super) fn wrapper(text: &[u8], from: usize) -> usize {
    const LONGEST: usize = 24;
    let rest = text.get(from..).unwrap_or_default();
    // Most values are numbers, or end where no bracket opens.
    match rest.first() {
        Some(b'<') if rest.starts_with(b"<<\"") => return 2,
        Some(b'(') => return address_types(rest),
        Some(first) if first.is_ascii_alphabetic() || *first == b'_' => {}
        _ => return 0,
    }
    let name = rest.iter().take(LONGEST).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    let call = name > 0 && rest.get(name) == Some(&b'(');
    let prefix = name == 1 && matches!(rest.first(), Some(b'b' | b'u' | b'r' | b'f'));
    let len = name + usize::from(call);
    let quoted = matches!(rest.get(len), Some(b'\'' | b'"'));
    if (call || prefix) && quoted { len } else { 0 }
}

/// `(5, 0, "`: the type of a number and its numbering plan (SMPP 3.4, 5.2.5 and 5.2.6), before the number in quotes.
fn address_types(rest: &[u8]) -> usize {
    let mut pos = 1;
    for _ in 0..2 {
        let number = rest.get(pos..).unwrap_or_default();
        let len = number.iter().take(4).take_while(|b| b.is_ascii_hexdigit() || **b == b'x').count();
        let space = usize::from(number.get(len + 1) == Some(&b' '));
        if len == 0 || number.get(len) != Some(&b',') {
            return 0;
        }
        pos += len + 1 + space;
    }
    if matches!(rest.get(pos), Some(b'\'' | b'"')) { pos } else { 0 }
}

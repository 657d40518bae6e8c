//! `measure`: how long a text was, and how many SMS it took.
//!
//! Alphabet and packing: 3GPP TS 23.038 (GSM 7-bit default alphabet §6.2.1, extension table §6.2.1.1,
//! UCS-2 §6.2.3); what a part of a concatenated message holds: 3GPP TS 23.040 §9.2.3.24.1.

/// The size of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Unicode scalar values; a maximal invalid UTF-8 sequence counts as one.
    pub chars: u64,
    /// SMS parts; 1 for an empty text, which still takes one message.
    pub segments: u64,
}

/// A text longer than this is not measured: the engine's caps withhold it before.
pub(super) const MAX_CHARS: u64 = 1 << 30;

/// Counts parts as they fill: a character that no longer fits opens the next part, since neither
/// an escape pair nor a surrogate pair is split.
struct Parts {
    single: u64,
    multi: u64,
    total: u64,
    parts: u64,
    filled: u64,
}

impl Parts {
    const fn new(single: u64, multi: u64) -> Self {
        Parts { single, multi, total: 0, parts: 1, filled: 0 }
    }

    fn push(&mut self, units: u64) {
        self.total += units;
        if self.filled + units > self.multi {
            self.parts += 1;
            self.filled = 0;
        }
        self.filled += units;
    }

    fn count(&self) -> u64 {
        if self.total <= self.single { 1 } else { self.parts }
    }
}

/// Measures a text: 7-bit (160, or 153 a part) if every character is in the default alphabet or its
/// extension, else UCS-2 (70, or 67 a part) counted in UTF-16 units.
#[must_use]
pub fn size(text: &[u8]) -> Size {
    let mut chars = 0;
    let mut septets = Parts::new(160, 153);
    let mut units = Parts::new(70, 67);
    let mut seven_bit = true;
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            chars += 1;
            match septets_of(c) {
                Some(count) => septets.push(count),
                None => seven_bit = false,
            }
            units.push(c.len_utf16() as u64);
        }
        if !chunk.invalid().is_empty() {
            chars += 1;
            seven_bit = false;
            units.push(1);
        }
    }
    Size { chars, segments: if seven_bit { septets.count() } else { units.count() } }
}

/// Whether a text of so many characters can take so many parts in some alphabet: 153 characters a
/// part at the most, 33 (surrogate pairs) at the least.
pub(super) fn possible(size: Size) -> bool {
    let Size { chars, segments } = size;
    let least = if chars <= 160 { 1 } else { chars.div_ceil(153) };
    let most = if chars <= 35 { 1 } else { chars.div_ceil(33) };
    chars <= MAX_CHARS && least <= segments && segments <= most
}

/// Septets that a character takes in the 7-bit alphabet; `None`: it is not in it.
fn septets_of(c: char) -> Option<u64> {
    match c {
        '\x0c' | '^' | '{' | '}' | '\\' | '[' | '~' | ']' | '|' | '€' => Some(2),
        '`' => None,
        ' '..='~' | '\n' | '\r' => Some(1),
        '£' | '¥' | 'è' | 'é' | 'ù' | 'ì' | 'ò' | 'Ç' | 'Ø' | 'ø' | 'Å' | 'å' | 'Δ' | 'Φ' | 'Γ' | 'Λ'
        | 'Ω' | 'Π' | 'Ψ' | 'Σ' | 'Θ' | 'Ξ' | 'Æ' | 'æ' | 'ß' | 'É' | '¤' | '¡' | 'Ä' | 'Ö' | 'Ñ' | 'Ü'
        | '§' | '¿' | 'ä' | 'ö' | 'ñ' | 'ü' | 'à' => Some(1),
        _ => None,
    }
}

/// Appends `[BODY:chars=42,segments=1]`.
pub(super) fn write(text: &[u8], out: &mut Vec<u8>) -> bool {
    let size = size(text);
    if size.chars > MAX_CHARS {
        return false;
    }
    write_size(size, out);
    true
}

pub(super) fn write_size(size: Size, out: &mut Vec<u8>) {
    out.extend_from_slice(b"[BODY:chars=");
    super::placeholder::write_number(size.chars, out);
    out.extend_from_slice(b",segments=");
    super::placeholder::write_number(size.segments, out);
    out.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let cases: &[(String, u64, u64, &str)] = &[
            (String::new(), 0, 1, "an empty text"),
            ("Your code is 482913".into(), 19, 1, "seven bit"),
            ("a".repeat(160), 160, 1, "one full message"),
            ("a".repeat(161), 161, 2, "153 a part"),
            ("a".repeat(306), 306, 2, "two full parts"),
            ("a".repeat(307), 307, 3, "three"),
            ("€".repeat(80), 80, 1, "extension: two septets each"),
            ("€".repeat(81), 81, 2, "162 septets"),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), 305, 3, "an escape pair is not split"),
            ("ж".repeat(70), 70, 1, "UCS-2"),
            ("ж".repeat(71), 71, 2, "67 a part"),
            ("ж".repeat(134), 134, 2, "two full parts"),
            ("ж".repeat(135), 135, 3, "three"),
            ("😀".repeat(35), 35, 1, "two UTF-16 units each"),
            ("😀".repeat(36), 36, 2, "72 units"),
            ("😀".repeat(67), 67, 3, "33 pairs a part"),
            (format!("`{}", "a".repeat(70)), 71, 2, "the back quote is in no GSM table"),
            (format!("\t{}", "a".repeat(69)), 70, 1, "a tab forces UCS-2"),
            ("ê".into(), 1, 1, "not in the default alphabet"),
            ("Ωàéß§¿".repeat(26), 156, 1, "national letters of the default alphabet"),
        ];
        for (text, chars, segments, why) in cases {
            let found = size(text.as_bytes());
            assert_eq!(found, Size { chars: *chars, segments: *segments }, "{why}");
            assert!(possible(found), "{why}");
        }
        assert_eq!(size(b"ab\xff\xfe"), Size { chars: 4, segments: 1 });
    }

    #[test]
    fn the_default_alphabet_has_its_128_places() {
        let one = (0..=0x10_ffffu32).filter_map(char::from_u32).filter(|c| septets_of(*c) == Some(1)).count();
        let two = (0..=0x10_ffffu32).filter_map(char::from_u32).filter(|c| septets_of(*c) == Some(2)).count();
        assert_eq!(one, 127, "128 places, one of which is the escape");
        assert_eq!(two, 10);
    }

    #[test]
    fn what_no_text_can_have() {
        for (chars, segments) in [(10, 2), (161, 1), (0, 0), (36, 3), (MAX_CHARS + 1, MAX_CHARS / 100)] {
            assert!(!possible(Size { chars, segments }), "{chars} {segments}");
        }
    }
}

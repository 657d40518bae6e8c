//! Where the scan stops.

use crate::codec::byte_table;

/// Bytes at which a detector may start: digits and the signs before numbers; `@`, `:`, `%`, `/` of
/// addresses; `[` of placeholders; `<`; `-----BEGIN`; `Bearer` and `Basic`; lead bytes of digits and
/// signs beyond ASCII (Arabic, NKo, Indic, general punctuation, full width, mathematical).
pub(super) const STOPS: [bool; 256] = byte_table(b"0123456789+(@:%[</-B\xd9\xdb\xdf\xe0\xe1\xe2\xef\xf0");

/// The first byte at or behind `pos` at which a detector may start. Small letters, which most bytes are, are stepped
/// over eight at a time.
pub(super) fn next_stop(text: &[u8], mut pos: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let is_stop = |at: usize| text.get(at).is_some_and(|byte| STOPS.get(usize::from(*byte)) == Some(&true));
    let (words, _) = text.get(pos..)?.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        // From 0x60 to 0x7f no detector starts, nor within a character of several bytes (0x80 to 0xbf).
        let small = word >> 5 & word >> 6 & !(word >> 7);
        let within = word >> 7 & !(word >> 6);
        let mut others = !(small | within) & ONES;
        while others != 0 {
            let at = pos + (others.trailing_zeros() / 8) as usize;
            if is_stop(at) {
                return Some(at);
            }
            others &= others - 1;
        }
        pos += 8;
    }
    (pos..text.len()).find(|at| is_stop(*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::next_in;

    /// Eight at a time, the same places are met as byte by byte.
    #[test]
    fn every_stop_is_met() {
        let mut state = 11_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for round in 0..20_000_u64 {
            let plain = round % 3 > 0;
            let text: Vec<u8> = (0..next() % 40)
                .map(|_| match next() {
                    byte if plain && byte % 7 > 0 => b'a' + u8::try_from(byte % 26).unwrap_or(0),
                    byte => byte.to_le_bytes()[0],
                })
                .collect();
            for from in 0..=text.len() {
                assert_eq!(next_stop(&text, from), next_in(&STOPS, &text, from), "{text:?} {from}");
            }
        }
    }
}

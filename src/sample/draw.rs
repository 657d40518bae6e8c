//! Where chance comes from: a small generator of our own, so that a seed gives the same records
//! whatever version a dependency has.

/// xoshiro256++ (Blackman and Vigna, 2018), seeded by SplitMix64. Not for secrets.
#[derive(Clone)]
pub struct Draw {
    state: [u64; 4],
}

fn split_mix(x: &mut u64) -> u64 {
    *x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *x;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Draw {
    /// Streams of one seed are independent of each other: a record's stream is its number, so that
    /// it comes out the same whatever was drawn before it.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut x = seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93);
        let mut mixed = split_mix(&mut x) ^ stream;
        let mut next = || split_mix(&mut mixed);
        Draw { state: [next(), next(), next(), next()] }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (b, a) = (b ^ c, a ^ d);
        self.state = [a, b, c ^ (self.state[1] << 17), d.rotate_left(45)];
        result
    }

    /// Below `n`; 0 where `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// `low` to `high`, both included; `low` where they are the wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// An index below `len`; 0 where the list is empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// One of the list; `""` where it is empty.
    pub fn word<'a, S: AsRef<str>>(&mut self, list: &'a [S]) -> &'a str {
        let at = self.index(list.len());
        list.get(at).map_or("", AsRef::as_ref)
    }

    /// One character of an ASCII alphabet.
    pub fn letter(&mut self, alphabet: &[u8]) -> char {
        let at = self.index(alphabet.len());
        char::from(alphabet.get(at).copied().unwrap_or(b'x'))
    }

    /// `len` characters of an ASCII alphabet.
    pub fn string(&mut self, len: usize, alphabet: &[u8]) -> String {
        (0..len).map(|_| self.letter(alphabet)).collect()
    }

    /// `len` decimal digits, the first not 0.
    pub fn number(&mut self, len: usize) -> String {
        (0..len).map(|i| self.letter(if i == 0 { b"123456789" } else { b"0123456789" })).collect()
    }

    pub fn hex(&mut self, len: usize) -> String {
        self.string(len, b"0123456789abcdef")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_stream_give_the_same_and_others_differ() {
        let take = |seed, stream| {
            let mut d = Draw::new(seed, stream);
            [d.bits(), d.bits(), d.bits()]
        };
        assert_eq!(take(1, 2), take(1, 2));
        assert_ne!(take(1, 2), take(1, 3));
        assert_ne!(take(1, 2), take(2, 2));
    }

    #[test]
    fn draws_stay_in_bounds_and_reach_them() {
        let mut d = Draw::new(7, 7);
        let seen: Vec<u64> = (0..1000).map(|_| d.between(3, 6)).collect();
        assert_eq!((seen.iter().min(), seen.iter().max()), (Some(&3), Some(&6)));
        assert_eq!(d.below(0), 0);
        assert_eq!(d.word::<&str>(&[]), "");
    }
}

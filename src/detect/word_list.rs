//! Fixed lists of words, asked at every token: mostly the answer is no, and costs one look.

/// Words in lower case. Letters are compared in any case where they are ASCII.
pub struct WordList {
    words: &'static [&'static str],
    /// One bit for each length with a first and a last byte that a word has.
    ends: [u64; BITS / 64],
    /// One bit for each byte that a word begins with.
    begins: [u64; 4],
}

const BITS: usize = 2048;

const fn bit(first: u8, last: u8, len: usize) -> usize {
    let (first, last) = (first.to_ascii_lowercase() as usize, last.to_ascii_lowercase() as usize);
    (first.wrapping_mul(97) ^ last.wrapping_mul(31) ^ len.wrapping_mul(389)) % BITS
}

impl WordList {
    /// A list; its words are neither empty nor in capitals.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler, where a wrong index fails the build"
    )]
    pub const fn new(words: &'static [&'static str]) -> WordList {
        let mut ends = [0; BITS / 64];
        let mut begins = [0; 4];
        let mut row = 0;
        while row < words.len() {
            let word = words[row].as_bytes();
            let bit = bit(word[0], word[word.len() - 1], word.len());
            ends[bit / 64] |= 1 << (bit % 64);
            begins[(word[0] / 64) as usize] |= 1 << (word[0] % 64);
            row += 1;
        }
        WordList { words, ends, begins }
    }

    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// The place of a whole word in the list.
    #[must_use]
    pub fn place(&self, word: &[u8]) -> Option<usize> {
        let ([first, ..], [.., last]) = (word, word) else { return None };
        let bit = bit(*first, *last, word.len());
        if self.ends.get(bit / 64).is_none_or(|bits| bits >> (bit % 64) & 1 == 0) {
            return None;
        }
        self.words.iter().position(|known| word.eq_ignore_ascii_case(known.as_bytes()))
    }

    #[must_use]
    pub fn holds(&self, word: &[u8]) -> bool {
        self.place(word).is_some()
    }

    /// Whether any word begins with a byte.
    #[must_use]
    pub fn begins_with(&self, first: u8) -> bool {
        let first = first.to_ascii_lowercase();
        self.begins.get(usize::from(first / 64)).is_some_and(|bits| bits >> (first % 64) & 1 == 1)
    }

    /// The longest word that a text begins with, and its place in the list.
    #[must_use]
    pub fn beginning(&self, text: &[u8]) -> Option<(usize, &'static str)> {
        if !self.begins_with(*text.first()?) {
            return None;
        }
        let begins = |word: &str| {
            text.get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word.as_bytes()))
        };
        self.words
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, word)| begins(word))
            .max_by_key(|(_, word)| word.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static LIST: WordList = WordList::new(&["to", "token", "téléphone", "x"]);

    #[test]
    fn words() {
        for (place, word) in LIST.words().iter().enumerate() {
            assert_eq!(LIST.place(word.as_bytes()), Some(place));
        }
        assert_eq!(LIST.place(b"ToKen"), Some(1));
        for other in ["", "t", "tok", "tokens", "tooen"] {
            assert!(!LIST.holds(other.as_bytes()), "{other}");
        }
        assert_eq!(LIST.beginning(b"Tokens"), Some((1, "token")));
        assert_eq!(LIST.beginning(b"tomorrow"), Some((0, "to")));
        assert_eq!(LIST.beginning(b""), None);
        assert_eq!(LIST.beginning(b"a"), None);
    }
}

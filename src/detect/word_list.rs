//! Fixed lists of words, asked at every token: mostly the answer is no, and costs one look.

/// Words in lower case. Letters are compared in any case where they are ASCII.
pub struct WordList {
    words: &'static [&'static str],
    /// One bit for each length with a first and a last byte that a word has.
    ends: [u64; BITS / 64],
    /// One bit for each byte that a word begins with.
    begins: [u64; 4],
    /// One bit for each two bytes that a word begins with, or the byte that one is.
    pairs: [u64; PAIRS / 64],
    /// One bit for each two bytes that a word ends with, likewise.
    last_pairs: [u64; PAIRS / 64],
    /// The words' places plus one, by their hash; the next free place where two meet.
    places: [u16; PLACES],
}

const BITS: usize = 2048;
/// More than four times as many as the longest list has words.
const PLACES: usize = 1024;

const PAIRS: usize = 1024;

const fn pair(first: u8, second: u8) -> usize {
    let (first, second) = (first.to_ascii_lowercase() as usize, second.to_ascii_lowercase() as usize);
    (first.wrapping_mul(37) ^ second.wrapping_mul(11)) % PAIRS
}

const fn step(hash: u32, byte: u8) -> u32 {
    (hash ^ byte.to_ascii_lowercase() as u32).wrapping_mul(0x9e37_79b1)
}

#[inline]
const fn place(hash: u32) -> usize {
    (hash >> 15) as usize % PLACES
}

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
        let mut pairs = [0; PAIRS / 64];
        let mut last_pairs = [0; PAIRS / 64];
        let mut places = [0; PLACES];
        assert!(words.len() <= PLACES / 2, "the list is too long for its table");
        let mut row = 0;
        while row < words.len() {
            let word = words[row].as_bytes();
            let bit = bit(word[0], word[word.len() - 1], word.len());
            ends[bit / 64] |= 1 << (bit % 64);
            begins[(word[0] / 64) as usize] |= 1 << (word[0] % 64);
            let second = if word.len() > 1 { word[1] } else { 0 };
            let bit = pair(word[0], second);
            pairs[bit / 64] |= 1 << (bit % 64);
            let last = word[word.len() - 1];
            let bit = if word.len() > 1 { pair(word[word.len() - 2], last) } else { pair(0, last) };
            last_pairs[bit / 64] |= 1 << (bit % 64);
            row += 1;
            let (mut hash, mut at) = (0, 0);
            while at < word.len() {
                hash = step(hash, word[at]);
                at += 1;
            }
            let mut free = place(hash);
            while places[free] != 0 {
                free = (free + 1) % PLACES;
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most `PLACES`")]
            let number = row as u16;
            places[free] = number;
        }
        WordList { words, ends, begins, pairs, last_pairs, places }
    }

    #[must_use]
    pub fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// The place of a whole word in the list.
    #[must_use]
    #[inline]
    pub fn place(&self, word: &[u8]) -> Option<usize> {
        let mark = Self::mark(word)?;
        if self.may_hold(mark) { self.look_up(word) } else { None }
    }

    #[inline(never)]
    fn look_up(&self, word: &[u8]) -> Option<usize> {
        let mut place = place(word.iter().fold(0, |hash, byte| step(hash, *byte)));
        loop {
            let row = usize::from(*self.places.get(place)?).checked_sub(1)?;
            if self.words.get(row)?.as_bytes().eq_ignore_ascii_case(word) {
                return Some(row);
            }
            place = (place + 1) % PLACES;
        }
    }

    #[must_use]
    #[inline]
    pub fn holds(&self, word: &[u8]) -> bool {
        self.place(word).is_some()
    }

    /// Where lists keep whether a word may be one of theirs: the same for all, so that many are asked at once.
    #[must_use]
    #[inline]
    pub fn mark(word: &[u8]) -> Option<usize> {
        let ([first, ..], [.., last]) = (word, word) else { return None };
        Some(bit(*first, *last, word.len()))
    }

    /// Whether a word with a [`mark`](Self::mark) may be one of the list's: most are not.
    #[must_use]
    #[inline]
    pub fn may_hold(&self, mark: usize) -> bool {
        self.ends.get(mark / 64).is_some_and(|bits| bits >> (mark % 64) & 1 == 1)
    }

    /// As [`holds`](Self::holds), also for a word that begins with a capital beyond ASCII, as one at a sentence's
    /// start does: `Échec`, `Ошибка`.
    #[must_use]
    #[inline]
    pub fn holds_capital(&self, word: &[u8]) -> bool {
        self.holds(word) || word.first().is_some_and(|first| *first >= 0xC3) && self.holds_lowered(word)
    }

    #[cold]
    fn holds_lowered(&self, word: &[u8]) -> bool {
        /// No word of a list is longer.
        const LONGEST: usize = 64;
        let small = match word {
            // Latin, Greek and Cyrillic, whose capitals and small letters are as many bytes.
            [0xC3, second @ 0x80..=0x9E, ..] => [0xC3, second + 0x20],
            [0xD0, second @ 0x90..=0x9F, ..] => [0xD0, second + 0x20],
            [0xD0, second @ 0xA0..=0xAF, ..] => [0xD1, second - 0x20],
            [0xCE, second @ 0x91..=0x9F, ..] => [0xCE, second + 0x20],
            [0xCE, second @ 0xA0..=0xA9, ..] => [0xCF, second - 0x20],
            _ => return false,
        };
        let mut buffer = [0; LONGEST];
        let Some(lowered) = buffer.get_mut(..word.len()) else { return false };
        lowered.copy_from_slice(word);
        for (to, from) in lowered.iter_mut().zip(small) {
            *to = from;
        }
        self.holds(lowered)
    }

    /// Whether any word begins with a byte.
    #[must_use]
    #[inline]
    pub fn begins_with(&self, first: u8) -> bool {
        let first = first.to_ascii_lowercase();
        self.begins.get(usize::from(first / 64)).is_some_and(|bits| bits >> (first % 64) & 1 == 1)
    }

    #[inline]
    fn has_pair(&self, first: u8, second: u8) -> bool {
        let bit = pair(first, second);
        self.pairs.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }

    /// Whether a word of two bytes or more may end so: one look, before the word's beginning is looked for.
    #[must_use]
    #[inline]
    pub fn may_end_with(&self, last_but_one: u8, last: u8) -> bool {
        let bit = pair(last_but_one, last);
        self.last_pairs.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 == 1)
    }

    /// The longest word that a text begins with, and its place in the list.
    #[must_use]
    pub fn beginning(&self, text: &[u8]) -> Option<(usize, &'static str)> {
        let first = *text.first()?;
        let second = text.get(1).copied().unwrap_or(0);
        if !self.begins_with(first) || !(self.has_pair(first, second) || self.has_pair(first, 0)) {
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
        for word in LIST.words().iter().filter(|word| word.len() > 1) {
            assert!(matches!(word.as_bytes(), [.., one, two] if LIST.may_end_with(*one, *two)), "{word}");
        }
        assert!(LIST.may_end_with(b'E', b'N') && !LIST.may_end_with(b'e', b'm'));
        static BEYOND: WordList = WordList::new(&["échec", "ошибка", "сбой", "σφάλμα"]);
        for word in ["Échec", "échec", "Ошибка", "Сбой", "Σφάλμα"] {
            assert!(BEYOND.holds_capital(word.as_bytes()), "{word}");
        }
        assert!(!BEYOND.holds_capital("Ünbekannt".as_bytes()) && !BEYOND.holds_capital(b"\xC3"));
        for other in ["", "t", "tok", "tokens", "tooen"] {
            assert!(!LIST.holds(other.as_bytes()), "{other}");
        }
        assert_eq!(LIST.beginning(b"Tokens"), Some((1, "token")));
        assert_eq!(LIST.beginning(b"tomorrow"), Some((0, "to")));
        assert_eq!(LIST.beginning(b""), None);
        assert_eq!(LIST.beginning(b"a"), None);
    }
}

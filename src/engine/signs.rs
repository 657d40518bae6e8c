//! Words that must stand somewhere in a text for a slower look to be worth it: one pass tells of all of them.

use crate::detect::code_words::SpeakingWord;
use crate::detect::words::{message, subject};
use crate::rule::PatternRule;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, StartKind};
use std::collections::HashMap;

/// What was seen in a text: one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(u64);

impl Seen {
    pub const NONE: Seen = Seen(0);
    /// A word that speaks for a verification code.
    pub const CODE: Seen = Seen(1);
    /// `+CM`, of a modem's answers.
    pub const MODEM: Seen = Seen(1 << 1);
    /// ` stat:`, of a delivery receipt.
    pub const RECEIPT: Seen = Seen(1 << 2);
    /// ` user `, ` for `, ` in as `: an account's name may follow.
    pub const ACCOUNT: Seen = Seen(1 << 3);
    /// Another word for a person or an account.
    pub const PERSON: Seen = Seen(1 << 4);

    /// A command that speaks of codes, or a bracket before a national number.
    pub const PLACES: Seen = Seen(1 << 5);
    /// ` wrote: `, ` dice: `: what somebody says may follow.
    pub const SAYS: Seen = Seen(1 << 6);

    /// Any keyword of a pattern rule.
    pub const KEYWORDS: Seen = Seen(u64::MAX << 7);

    /// A keyword of the pattern rule at a place; rules beyond the bits' number share the last.
    fn keyword(rule: usize) -> Seen {
        Seen(1 << (7 + rule).min(63))
    }

    #[must_use]
    pub fn has(self, other: Seen) -> bool {
        self.0 & other.0 != 0
    }

    #[must_use]
    pub fn with(self, other: Seen) -> Seen {
        Seen(self.0 | other.0)
    }
}

/// One word that is looked for.
#[derive(Clone, Copy)]
struct Word {
    tells: Seen,
    /// Its length, where it can be told where it began; 0: its left side is not asked.
    len: usize,
    /// Whether letters may stand before it, behind it.
    open_left: bool,
    open_right: bool,
}

/// Shorter texts are walked as fast in one piece.
const SHORT: usize = 48;
/// The state in which no word has begun.
const START: u32 = 0;

/// All words in one automaton, laid out for one look a byte.
pub struct Signs {
    /// The class of each byte: capitals are with small letters, all white space is one.
    classes: [u8; 256],
    /// State by state, the next one for each class; a state's number is where its row begins.
    rows: Vec<u32>,
    /// Rows from this one on end a word; these are the words, by row.
    first_match: u32,
    matches: Vec<Vec<Word>>,
    stride: usize,
    /// Pattern rules that any text is worth.
    always: Seen,
}

const LITERALS: [(&str, Seen); 25] = [
    ("+CM", Seen::MODEM),
    (" stat:", Seen::RECEIPT),
    ("user ", Seen::ACCOUNT),
    (" for ", Seen::ACCOUNT),
    ("message from ", Seen::ACCOUNT),
    (" in as ", Seen::ACCOUNT),
    (" : TTY=", Seen::PERSON),
    (" (id ", Seen::PERSON),
    (", dob", Seen::PERSON),
    (", born ", Seen::PERSON),
    (", geb. ", Seen::PERSON),
    ("'@'", Seen::PERSON),
    ("user@host: ", Seen::PERSON),
    ("users\\", Seen::PERSON),
    ("/users/", Seen::PERSON),
    ("/home/", Seen::PERSON),
    (" (0", Seen::PLACES),
    ("otp_", Seen::PLACES),
    ("otp.", Seen::PLACES),
    ("_otp ", Seen::PLACES),
    ("verify_", Seen::PLACES),
    (".verify ", Seen::PLACES),
    ("pin_", Seen::PLACES),
    ("_pin ", Seen::PLACES),
    ("_code ", Seen::PLACES),
];

/// Words for a person or an account; `user` is one of [`LITERALS`].
fn persons() -> impl Iterator<Item = &'static str> {
    let words = subject::ACCOUNT_WORDS.iter().chain(subject::PERSON_WORDS);
    words.copied().filter(|word| *word != "user")
}

impl Signs {
    /// # Errors
    /// More words than an automaton takes.
    pub fn new(speaking: &[SpeakingWord], patterns: &[PatternRule]) -> Result<Signs, BuildError> {
        let mut texts: Vec<&str> = Vec::new();
        let mut words = Vec::new();
        for word in speaking {
            let one = !word.text.contains(' ');
            let len = if one { word.text.len() } else { 0 };
            texts.push(&word.text);
            words.push(Word {
                tells: Seen::CODE,
                len,
                open_left: word.open_left,
                open_right: word.open_right,
            });
        }
        let mut always = Seen::NONE;
        let open = |tells| Word { tells, len: 0, open_left: true, open_right: true };
        for (text, tells) in LITERALS {
            texts.push(text);
            words.push(open(tells));
        }
        let says: Vec<String> =
            message::SAYS.iter().filter(|word| word.is_ascii()).map(|word| format!(" {word}: ")).collect();
        for text in &says {
            texts.push(text);
            words.push(open(Seen::SAYS));
        }
        for text in persons() {
            texts.push(text);
            let whole = Word { tells: Seen::PERSON, len: text.len(), open_left: false, open_right: false };
            words.push(whole);
        }
        for (place, rule) in patterns.iter().enumerate() {
            let tells = Seen::keyword(place);
            let keywords = &rule.look.keywords;
            if keywords.is_empty() || keywords.iter().any(|word| word.contains(char::is_whitespace)) {
                always = always.with(tells);
                continue;
            }
            for keyword in keywords {
                texts.push(keyword);
                words.push(open(tells));
            }
        }
        let automaton =
            DFA::builder().ascii_case_insensitive(true).start_kind(StartKind::Unanchored).build(&texts)?;
        let (classes, letters) = classes(&texts);
        let rows = Rows::of(&automaton, &letters);
        let stride = letters.len();
        let number = |row: usize| u32::try_from(row * stride).unwrap_or(0);
        let words_of = |state: &State| {
            let count = if automaton.is_match(state.id) { automaton.match_len(state.id) } else { 0 };
            (0..count)
                .filter_map(|place| words.get(automaton.match_pattern(state.id, place).as_usize()).copied())
                .collect::<Vec<Word>>()
        };
        // States without a word come first.
        let mut order: Vec<usize> = (0..rows.states.len()).collect();
        order.sort_by_key(|place| rows.states.get(*place).is_some_and(|state| automaton.is_match(state.id)));
        let mut places = vec![0; order.len()];
        for (row, place) in order.iter().enumerate() {
            if let Some(to) = places.get_mut(*place) {
                *to = number(row);
            }
        }
        let mut next = Vec::with_capacity(order.len() * stride);
        let mut matches = Vec::new();
        let mut first_match = u32::MAX;
        for (row, state) in order.iter().filter_map(|place| rows.states.get(*place)).enumerate() {
            next.extend(state.next.iter().map(|to| places.get(*to).copied().unwrap_or(0)));
            let words = words_of(state);
            if !words.is_empty() {
                first_match = first_match.min(number(row));
                matches.push(words);
            }
        }
        Ok(Signs { classes, rows: next, first_match, matches, stride, always })
    }

    /// Every text is worth every pattern rule.
    ///
    /// # Errors
    /// More words than an automaton takes.
    pub fn without_keywords(speaking: &[SpeakingWord]) -> Result<Signs, BuildError> {
        let signs = Signs::new(speaking, &[])?;
        Ok(Signs { always: (0..64).map(Seen::keyword).fold(Seen::NONE, Seen::with), ..signs })
    }

    /// What may stand in a text: a bit that is not set is certain. White space of any length reads as one
    /// space. Words for codes are told in ASCII texts; in others the bit is set.
    #[must_use]
    pub fn of(&self, text: &[u8]) -> Seen {
        let high = text.iter().fold(0, |high, byte| high | byte);
        let part = if text.len() < SHORT { 0 } else { text.len() / 4 };
        let mut seen = self.always;
        let last = if part > 0 { self.of_four(text, part, &mut seen) } else { START };
        self.walk(text, part * 4, last, |_| true, &mut seen);
        if high >= 0x80 { seen.with(Seen::CODE) } else { seen }
    }

    /// Walks four parts of a text side by side: one walk waits for memory at every byte. Gives the state in which the
    /// fourth ends.
    fn of_four(&self, text: &[u8], part: usize, seen: &mut Seen) -> u32 {
        let (one, rest) = text.split_at_checked(part).unwrap_or_default();
        let (two, rest) = rest.split_at_checked(part).unwrap_or_default();
        let (three, four) = rest.split_at_checked(part).unwrap_or_default();
        let (mut a, mut b, mut c, mut d) = (START, START, START, START);
        for (at, (((one, two), three), four)) in one.iter().zip(two).zip(three).zip(four).enumerate() {
            a = self.next(a, *one);
            b = self.next(b, *two);
            c = self.next(c, *three);
            d = self.next(d, *four);
            if a.max(b).max(c.max(d)) >= self.first_match {
                for (place, state) in [a, b, c, d].into_iter().enumerate() {
                    if state >= self.first_match {
                        *seen = seen.with(self.words_ending(text, place * part + at, state));
                    }
                }
            }
        }
        // A word may go on behind a part; where none does, the next part's walk began.
        for (place, state) in [a, b, c].into_iter().enumerate() {
            self.walk(text, (place + 1) * part, state, |state| state != START, seen);
        }
        d
    }

    #[inline]
    fn next(&self, state: u32, byte: u8) -> u32 {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        self.rows.get((state + u32::from(class)) as usize).copied().unwrap_or(START)
    }

    /// Walks on from `start` while it is worth it.
    fn walk(
        &self,
        text: &[u8],
        start: usize,
        mut state: u32,
        goes_on: impl Fn(u32) -> bool,
        seen: &mut Seen,
    ) {
        for (at, byte) in text.iter().enumerate().skip(start) {
            if !goes_on(state) {
                return;
            }
            state = self.next(state, *byte);
            if state >= self.first_match {
                *seen = seen.with(self.words_ending(text, at, state));
            }
        }
    }

    /// What the words tell that end in a state.
    #[cold]
    #[inline(never)]
    fn words_ending(&self, text: &[u8], at: usize, state: u32) -> Seen {
        let row = (state - self.first_match) as usize / self.stride;
        let words = self.matches.get(row).into_iter().flatten();
        words.filter(|word| word.stands(text, at)).fold(Seen::NONE, |seen, word| seen.with(word.tells))
    }

    /// Whether the pattern rule at a place may match.
    #[must_use]
    pub fn allow(seen: Seen, rule: usize) -> bool {
        seen.has(Seen::keyword(rule))
    }
}

/// Sorts bytes by what the words tell apart; one byte for each class. Class 0 is in no word.
fn classes(words: &[&str]) -> ([u8; 256], Vec<u8>) {
    let mut classes = [0; 256];
    let mut letters = vec![0];
    let bytes = words.iter().flat_map(|word| word.bytes()).map(|byte| byte.to_ascii_lowercase());
    for byte in bytes {
        let class = u8::try_from(letters.len()).unwrap_or(u8::MAX);
        if let Some(place) = classes.get_mut(usize::from(byte)).filter(|place| **place == 0) {
            *place = class;
            letters.push(byte);
        }
    }
    for (one, other) in
        ('a'..='z').map(|c| (c, c.to_ascii_uppercase())).chain("\t\n\x0b\x0c\r".chars().map(|c| (' ', c)))
    {
        let class = classes.get(one as usize).copied().unwrap_or(0);
        if let Some(place) = classes.get_mut(other as usize) {
            *place = class;
        }
    }
    (classes, letters)
}

/// A state of the automaton and the places of the next ones, by class.
struct State {
    id: StateID,
    next: Vec<usize>,
}

struct Rows {
    states: Vec<State>,
}

impl Rows {
    /// All states that can be reached, the start first. White space behind white space changes nothing.
    fn of(automaton: &DFA, letters: &[u8]) -> Rows {
        let Ok(start) = automaton.start_state(Anchored::No) else { return Rows { states: Vec::new() } };
        let mut ids = vec![(start, false)];
        let mut places = HashMap::from([((start, false), 0)]);
        let mut states = Vec::new();
        while let Some((id, spaced)) = ids.get(states.len()).copied() {
            let mut next = Vec::with_capacity(letters.len());
            for (class, letter) in letters.iter().enumerate() {
                // Class 0 is what no word has; 0xff is in none.
                let byte = if class == 0 { 0xff } else { *letter };
                let to = if spaced && byte == b' ' {
                    (id, true)
                } else {
                    (automaton.next_state(Anchored::No, id, byte), byte == b' ')
                };
                let place = *places.entry(to).or_insert_with(|| {
                    ids.push(to);
                    ids.len() - 1
                });
                next.push(place);
            }
            states.push(State { id, next });
        }
        Rows { states }
    }
}

impl Word {
    /// Whether a word whose last byte is at `at` is not a part of a longer one.
    fn stands(&self, text: &[u8], at: usize) -> bool {
        let glued = |inside: u8, outside: u8, open: bool| {
            inside.is_ascii_alphabetic() && (outside == b'_' || (!open && outside.is_ascii_alphabetic()))
        };
        let byte = |at: usize| text.get(at).copied().unwrap_or(b' ');
        let start = (at + 1).checked_sub(self.len).filter(|_| self.len > 0);
        let left = start.and_then(|start| Some((byte(start), byte(start.checked_sub(1)?))));
        let all = self.len == 0 && self.tells != Seen::CODE;
        all || !glued(byte(at), byte(at + 1), self.open_right)
            && !left.is_some_and(|(inside, outside)| glued(inside, outside, self.open_left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs() -> Signs {
        let word = |text: &str, open_right| SpeakingWord { text: text.into(), open_left: false, open_right };
        Signs::new(&[word("pin", false), word("one time code", false), word("codig", true)], &[]).unwrap()
    }

    #[test]
    fn words_stand_for_themselves() {
        let signs = signs();
        for (text, want) in [
            ("your PIN is", true),
            ("pinned", false),
            ("spin", false),
            ("my_pin", false),
            ("pin_ttl", false),
            ("one  time\ncode", true),
            ("codigo 1", true),
            ("пин", true),
            ("", false),
        ] {
            assert_eq!(signs.of(text.as_bytes()).has(Seen::CODE), want, "{text}");
        }
        assert!(signs.of(b"x +CMT: y").has(Seen::MODEM));
        assert!(signs.of(b"login for\tx").has(Seen::ACCOUNT));
        assert!(signs.of(b"courier Ada Roe").has(Seen::PERSON));
        assert!(!signs.of(b"user_agent couriers").has(Seen::PERSON));
        assert_eq!(signs.of(b"nothing of it"), Seen::NONE);
    }

    #[test]
    fn words_are_seen_wherever_they_stand() {
        let signs = signs();
        for before in 0..80 {
            for behind in 0..80 {
                let text = format!("{}one   time code{}", ". ".repeat(before), " .".repeat(behind));
                assert!(signs.of(text.as_bytes()).has(Seen::CODE), "{text}");
            }
        }
    }
}

//! Words that must stand somewhere in a text for a slower look to be worth it: one pass tells of all of them.

use crate::detect::code_words::SpeakingWord;
use crate::detect::link;
use crate::detect::words::{message, subject};
use crate::rule::PatternRule;
use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, StartKind};
use std::collections::HashMap;

/// What was seen in a text: one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

    /// A command that speaks of codes.
    pub const PLACES: Seen = Seen(1 << 5);
    /// ` wrote: `, ` dice: `: what somebody says may follow.
    pub const SAYS: Seen = Seen(1 << 6);

    /// A segment of a path or a parameter that a link's code stands behind, or in; or ` link` before an address.
    pub const LINK: Seen = Seen(1 << 7);
    /// `<person id="`, `UserDto[id=`: the id of what is called by a person's word may follow.
    pub const OBJECT: Seen = Seen(1 << 8);

    /// `wamid.`, of WhatsApp's ids of messages.
    pub const MESSAGE_ID: Seen = Seen(1 << 9);

    /// `login(`, `password(`: a call whose arguments open a door.
    pub const CALL: Seen = Seen(1 << 10);
    /// ` (4`: a number in brackets, of somebody whose name stands before it perhaps.
    pub const BRACKET: Seen = Seen(1 << 11);
    /// A word for a number that a state gives to a person.
    pub const STATE_NUMBER: Seen = Seen(1 << 12);
    /// `user#`, `customer/`: an id may be joined to a word for a person.
    pub const JOINED: Seen = Seen(1 << 13);
    /// `('7`, `["7`: digits in quotes that open a list.
    pub const PAIR: Seen = Seen(1 << 14);
    /// `<- 7`: digits behind an arrow.
    pub const ARROW: Seen = Seen(1 << 15);

    /// `.wav`, `.mp3`: the name of a recording.
    pub const RECORDING: Seen = Seen(1 << 16);
    /// `set otp`: what a cache is given by a key that speaks of codes.
    pub const CACHE: Seen = Seen(1 << 17);

    /// Any keyword of a pattern rule.
    pub const KEYWORDS: Seen = Seen(u64::MAX << 18);

    /// A keyword of the pattern rule at a place; rules beyond the bits' number share the last.
    fn keyword(rule: usize) -> Seen {
        Seen(1 << (18 + rule).min(63))
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
    /// It goes on behind what is looked for.
    cut: bool,
}

/// Shorter texts are walked as fast in one piece.
const SHORT: usize = 48;
/// The state in which no word has begun.
const START: u16 = 0;
/// Bytes that words have are told apart by so many classes at most; what is beyond them shares the last.
const CLASSES: usize = 64;
/// Longer words are looked for by so many of their first letters: the table must stay in a core's own cache.
const PREFIX: usize = 8;

/// All words in one automaton, laid out for one look a byte.
pub struct Signs {
    /// The class of each byte: capitals are with small letters, all white space is one.
    classes: [u8; 256],
    /// State by state, the next one for each class.
    rows: Vec<u16>,
    /// States from this one on end a word; these are the words, by state.
    first_match: u16,
    matches: Vec<Vec<Word>>,
    /// What any text may have, and any with letters beyond ASCII.
    always: Seen,
    beyond_ascii: Seen,
}

/// Why there are no [`Signs`]: the words are more than an automaton takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

const LITERALS: [(&str, Seen); 72] = [
    ("wamid.", Seen::MESSAGE_ID),
    (" t=\"", Seen::SAYS),
    (".wav", Seen::RECORDING),
    (".mp3", Seen::RECORDING),
    (".ogg", Seen::RECORDING),
    (".m4a", Seen::RECORDING),
    (".gsm", Seen::RECORDING),
    (".opus", Seen::RECORDING),
    (".amr", Seen::RECORDING),
    ("saydigits(", Seen::CALL),
    ("sayalpha(", Seen::CALL),
    (" link", Seen::LINK),
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
    ("conversation with ", Seen::PERSON),
    ("chat with ", Seen::PERSON),
    ("ed by ", Seen::PERSON),
    ("mail by ", Seen::PERSON),
    (" id=\"", Seen::OBJECT),
    ("[id=", Seen::OBJECT),
    ("(id=", Seen::OBJECT),
    ("{id=", Seen::OBJECT),
    ("setex", Seen::PLACES),
    ("registry, ", Seen::PLACES),
    ("like '%", Seen::PLACES),
    ("binding parameter ", Seen::PLACES),
    ("login(", Seen::CALL),
    ("log_in(", Seen::CALL),
    ("logon(", Seen::CALL),
    ("signin(", Seen::CALL),
    ("sign_in(", Seen::CALL),
    ("authenticate(", Seen::CALL),
    ("credentials(", Seen::CALL),
    ("auth(", Seen::CALL),
    ("attempt(", Seen::CALL),
    ("bind(", Seen::CALL),
    ("password(", Seen::CALL),
    ("password_verify(", Seen::CALL),
    ("password_hash(", Seen::CALL),
    ("connect(", Seen::CALL),
    (" (0", Seen::BRACKET),
    (" (1", Seen::BRACKET),
    (" (2", Seen::BRACKET),
    (" (3", Seen::BRACKET),
    (" (4", Seen::BRACKET),
    (" (5", Seen::BRACKET),
    (" (6", Seen::BRACKET),
    (" (7", Seen::BRACKET),
    (" (8", Seen::BRACKET),
    (" (9", Seen::BRACKET),
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
    pub fn new(speaking: &[SpeakingWord], patterns: &[PatternRule]) -> Result<Signs, TooMany> {
        let mut signs = Words { beyond_ascii: Seen::CODE, ..Words::default() };
        for word in speaking {
            let len = if word.text.contains(' ') { 0 } else { word.text.len() };
            let (open_left, open_right) = (word.open_left, word.open_right);
            signs.add(&word.text, Word { tells: Seen::CODE, len, open_left, open_right, cut: false });
        }
        let open = |tells| Word { tells, len: 0, open_left: true, open_right: true, cut: false };
        for (text, tells) in LITERALS {
            signs.add_whole(text, open(tells));
        }
        for word in message::SAYS.iter().filter(|word| word.is_ascii()) {
            signs.add_whole(&format!(" {word}: "), open(Seen::SAYS));
        }
        for text in link::signs() {
            signs.add(&text, open(Seen::LINK));
        }
        for text in persons() {
            let len = text.len();
            let whole = Word { tells: Seen::PERSON, len, open_left: false, open_right: false, cut: false };
            signs.add(text, whole);
        }
        for digit in 0..10 {
            for opening in ["('", "[\"", "(\"", "['"] {
                signs.add_whole(&format!("{opening}{digit}"), open(Seen::PAIR));
            }
            for arrow in ["<- ", "-> ", "<< ", ">> "] {
                signs.add_whole(&format!("{arrow}{digit}"), open(Seen::ARROW));
            }
        }
        for opening in
            ["set ", "set \"", "set(\"", "set('", "\"set\" \"", "\"set\", \"", "put(\"", "put('", "setnx "]
        {
            for key in ["otp", "pin", "mfa", "2fa", "verif", "code", "login", "sms"] {
                signs.add_whole(&format!("{opening}{key}"), open(Seen::CACHE));
            }
        }
        for text in persons().chain(subject::JOINED.iter().copied()) {
            for sign in ["#", "/"] {
                signs.add_whole(&format!("{text}{sign}"), open(Seen::JOINED));
            }
        }
        for text in subject::STATE_NUMBERS {
            let len = text.len();
            let tells = Seen::STATE_NUMBER;
            signs.add(text, Word { tells, len, open_left: false, open_right: false, cut: false });
        }
        for (place, rule) in patterns.iter().enumerate() {
            let tells = Seen::keyword(place);
            let keywords = &rule.look.keywords;
            if keywords.is_empty() || keywords.iter().any(|word| word.contains(char::is_whitespace)) {
                signs.always = signs.always.with(tells);
                continue;
            }
            for keyword in keywords {
                signs.add(keyword, open(tells));
            }
        }
        signs.laid_out()
    }

    /// Every text is worth every pattern rule.
    ///
    /// # Errors
    /// More words than an automaton takes.
    pub fn without_keywords(speaking: &[SpeakingWord]) -> Result<Signs, TooMany> {
        let signs = Signs::new(speaking, &[])?;
        Ok(Signs { always: (0..64).map(Seen::keyword).fold(Seen::NONE, Seen::with), ..signs })
    }

    /// What may stand in a text: a bit that is not set is certain. White space of any length reads as one
    /// space. Where letters beyond ASCII stand in it, so may words that have some.
    #[must_use]
    pub fn of(&self, text: &[u8]) -> Seen {
        let high = text.iter().fold(0, |high, byte| high | byte);
        let part = if text.len() < SHORT { 0 } else { text.len() / 4 };
        let mut seen = self.always;
        let last = if part > 0 { self.of_four(text, part, &mut seen) } else { START };
        self.walk(text, part * 4, last, |_| true, &mut seen);
        if high >= 0x80 { seen.with(self.beyond_ascii) } else { seen }
    }

    /// Walks four parts of a text side by side: one walk waits for memory at every byte. Gives the state in which the
    /// fourth ends.
    fn of_four(&self, text: &[u8], part: usize, seen: &mut Seen) -> u16 {
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
    fn next(&self, state: u16, byte: u8) -> u16 {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(0);
        self.rows.get(usize::from(state) * CLASSES + usize::from(class)).copied().unwrap_or(START)
    }

    /// Walks on from `start` while it is worth it.
    fn walk(
        &self,
        text: &[u8],
        start: usize,
        mut state: u16,
        goes_on: impl Fn(u16) -> bool,
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
    fn words_ending(&self, text: &[u8], at: usize, state: u16) -> Seen {
        let words = self.matches.get(usize::from(state - self.first_match)).into_iter().flatten();
        words.filter(|word| word.stands(text, at)).fold(Seen::NONE, |seen, word| seen.with(word.tells))
    }

    /// Whether the pattern rule at a place may match.
    #[must_use]
    pub fn allow(seen: Seen, rule: usize) -> bool {
        seen.has(Seen::keyword(rule))
    }
}

/// Words on their way into an automaton.
#[derive(Default)]
struct Words {
    texts: Vec<String>,
    words: Vec<Word>,
    always: Seen,
    beyond_ascii: Seen,
}

impl Words {
    fn add(&mut self, text: &str, word: Word) {
        match text.get(..PREFIX).filter(|_| text.is_ascii()) {
            Some(first) => {
                self.add_whole(first, Word { len: word.len.min(PREFIX), cut: text.len() > PREFIX, ..word });
            }
            None => self.add_whole(text, word),
        }
    }

    fn add_whole(&mut self, text: &str, word: Word) {
        if text.is_ascii() {
            self.texts.push(text.to_owned());
            self.words.push(word);
        } else {
            self.beyond_ascii = self.beyond_ascii.with(word.tells);
        }
    }

    /// The automaton, states in which no word ends first.
    fn laid_out(self) -> Result<Signs, TooMany> {
        let Words { mut texts, words, always, beyond_ascii } = self;
        let (classes, letters) = classes(&mut texts);
        let built =
            DFA::builder().ascii_case_insensitive(true).start_kind(StartKind::Unanchored).build(&texts);
        let automaton = built.map_err(|_| TooMany)?;
        let rows = Rows::of(&automaton, &letters);
        let words_of = |state: &State| {
            let count = if automaton.is_match(state.id) { automaton.match_len(state.id) } else { 0 };
            (0..count)
                .filter_map(|place| words.get(automaton.match_pattern(state.id, place).as_usize()).copied())
                .collect::<Vec<Word>>()
        };
        let mut order: Vec<usize> = (0..rows.states.len()).collect();
        order.sort_by_key(|place| rows.states.get(*place).is_some_and(|state| automaton.is_match(state.id)));
        let mut places = vec![START; order.len()];
        for (row, place) in order.iter().enumerate() {
            if let Some(to) = places.get_mut(*place) {
                *to = u16::try_from(row).map_err(|_| TooMany)?;
            }
        }
        let mut next = Vec::with_capacity(order.len() * CLASSES);
        let mut matches = Vec::new();
        let mut first_match = u16::MAX;
        for state in order.iter().filter_map(|place| rows.states.get(*place)) {
            let words = words_of(state);
            if !words.is_empty() {
                first_match = first_match.min(u16::try_from(next.len() / CLASSES).map_err(|_| TooMany)?);
                matches.push(words);
            }
            next.extend(state.next.iter().map(|to| places.get(*to).copied().unwrap_or(START)));
            next.resize(next.len().next_multiple_of(CLASSES), START);
        }
        Ok(Signs { classes, rows: next, first_match, matches, always, beyond_ascii })
    }
}

/// Sorts bytes by what the words tell apart; one byte for each class. Class 0 is in no word. Of the words, bytes that
/// share a class become the same: a sign more is seen then, none less.
fn classes(words: &mut [String]) -> ([u8; 256], Vec<u8>) {
    let mut met = [false; 0x80];
    for byte in words.iter().flat_map(|word| word.bytes()) {
        if let Some(met) = met.get_mut(usize::from(byte.to_ascii_lowercase())) {
            *met = true;
        }
    }
    let met = (0_u8..0x80).filter(|byte| met.get(usize::from(*byte)).is_some_and(|met| *met));
    let (common, rare): (Vec<u8>, Vec<u8>) =
        met.partition(|byte| byte.is_ascii_alphanumeric() || *byte == b' ');
    let mut classes = [0; 256];
    let mut letters = vec![0];
    for byte in common.into_iter().chain(rare) {
        let class = u8::try_from(letters.len().min(CLASSES - 1)).unwrap_or(0);
        match letters.get(usize::from(class)).copied() {
            None => letters.push(byte),
            Some(shared) => {
                for word in words.iter_mut() {
                    *word = word.replace(char::from(byte), &char::from(shared).to_string());
                }
            }
        }
        if let Some(place) = classes.get_mut(usize::from(byte)) {
            *place = class;
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
        all || !(!self.cut && glued(byte(at), byte(at + 1), self.open_right))
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

//! Words that must stand somewhere in a text for a slower look to be worth it: one pass tells of all of them.

use crate::detect::code_words::SpeakingWord;
use crate::rule::PatternRule;
use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Anchored, BuildError, StartKind};

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

    /// A keyword of the pattern rule at a place; rules beyond the bits' number share the last.
    fn keyword(rule: usize) -> Seen {
        Seen(1 << (4 + rule).min(63))
    }

    #[must_use]
    pub fn has(self, other: Seen) -> bool {
        self.0 & other.0 != 0
    }

    fn with(self, other: Seen) -> Seen {
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

/// All words in one automaton.
pub struct Signs {
    automaton: DFA,
    words: Vec<Word>,
    /// Pattern rules that any text is worth.
    always: Seen,
}

const LITERALS: [(&str, Seen); 5] = [
    ("+CM", Seen::MODEM),
    (" stat:", Seen::RECEIPT),
    (" user ", Seen::ACCOUNT),
    (" for ", Seen::ACCOUNT),
    (" in as ", Seen::ACCOUNT),
];

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
        Ok(Signs { automaton, words, always })
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
        let dfa = &self.automaton;
        let Ok(mut state) = dfa.start_state(Anchored::No) else { return Seen(u64::MAX) };
        let mut seen = self.always;
        let mut space = false;
        let mut high = 0;
        for (at, byte) in text.iter().enumerate() {
            high |= *byte;
            if matches!(byte, b' ' | b'\t'..=b'\r') {
                if space {
                    continue;
                }
                space = true;
                state = dfa.next_state(Anchored::No, state, b' ');
            } else {
                space = false;
                state = dfa.next_state(Anchored::No, state, *byte);
            }
            if dfa.is_special(state) && dfa.is_match(state) {
                for place in 0..dfa.match_len(state) {
                    let word = self.words.get(dfa.match_pattern(state, place).as_usize());
                    if let Some(word) = word.filter(|word| word.stands(text, at)) {
                        seen = seen.with(word.tells);
                    }
                }
            }
        }
        if high >= 0x80 { seen.with(Seen::CODE) } else { seen }
    }

    /// Whether the pattern rule at a place may match.
    #[must_use]
    pub fn allow(seen: Seen, rule: usize) -> bool {
        seen.has(Seen::keyword(rule))
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
        let all = self.tells != Seen::CODE;
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
        assert_eq!(signs.of(b"nothing of it"), Seen::NONE);
    }
}

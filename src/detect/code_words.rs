//! The lexicon of verification codes: `rules/lexicons/codes.toml`, ready to search with.

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use crate::detect::fold::{fold, folded};

/// What a word of the lexicon does for the numbers around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Names a verification code by itself.
    Code,
    /// May name one: "code", "password".
    Word,
    /// Asks to enter it.
    Enter,
    /// The text is about logging in or verifying.
    Topic,
    /// "Never share it", "expires in".
    Hint,
    /// What other numbers are called.
    Order,
    /// Errors, statuses and failures.
    Fault,
    /// "Number", "no.".
    Number,
    Money,
    Unit,
}

impl Role {
    /// A number right behind such a word may be a code.
    #[must_use]
    pub fn speaks_for_a_code(self) -> bool {
        matches!(self, Role::Code | Role::Word | Role::Enter)
    }
}

/// A lexicon word in a text: byte offsets into the text as it was given.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub start: usize,
    pub end: usize,
    pub role: Role,
}

/// Why the lexicon could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum CodeLexiconError {
    #[error("code lexicon: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("code lexicon: {0}")]
    Automaton(#[from] aho_corasick::BuildError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Syntax {
    language: Vec<Language>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    #[serde(rename = "id")]
    _id: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    word: String,
    #[serde(default)]
    enter: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    hint: String,
    #[serde(default)]
    order: String,
    #[serde(default)]
    fault: String,
    #[serde(default)]
    number: String,
    #[serde(default)]
    money: String,
    #[serde(default)]
    unit: String,
}

#[derive(Clone, Copy)]
struct Entry {
    role: Role,
    /// Letters may stand before it, after it.
    open_left: bool,
    open_right: bool,
}

/// All languages' words in one automaton.
pub struct CodeWords {
    automaton: AhoCorasick,
    entries: Vec<Entry>,
    speaking: Vec<SpeakingWord>,
}

/// A word in ASCII that speaks for a code, in small letters.
pub struct SpeakingWord {
    pub text: String,
    /// Letters may stand before it, behind it.
    pub open_left: bool,
    pub open_right: bool,
}

/// A stretch of text, folded, with the way back; reused from text to text.
#[derive(Default)]
pub struct Folded {
    text: Vec<u8>,
    /// Source offset of each folded byte, and of the end.
    back: Vec<u32>,
}

impl Folded {
    /// Folds `text`, whose first byte stands at `base`.
    fn read(&mut self, text: &[u8], base: usize) {
        self.text.clear();
        self.back.clear();
        let mut at = base;
        let mut space = false;
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                // runs of white space count as one space: phrases may be broken over lines
                if c.is_whitespace() {
                    if !space {
                        self.push(' ', at);
                    }
                    space = true;
                } else if let Some(folded) = fold(if c == '’' { '\'' } else { c }) {
                    space = false;
                    self.push(folded, at);
                }
                at += c.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                self.push('\u{1}', at);
                at += chunk.invalid().len();
            }
        }
        self.back.push(u32::try_from(at).unwrap_or(u32::MAX));
    }

    fn push(&mut self, c: char, at: usize) {
        let mut utf8 = [0; 4];
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        for byte in c.encode_utf8(&mut utf8).as_bytes() {
            self.text.push(*byte);
            self.back.push(at);
        }
    }

    fn source(&self, at: usize) -> usize {
        self.back.get(at).copied().unwrap_or(u32::MAX) as usize
    }
}

impl CodeWords {
    pub fn load(toml: &str) -> Result<CodeWords, CodeLexiconError> {
        let syntax: Syntax = toml::from_str(toml)?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut patterns: Vec<String> = Vec::new();
        let mut known: HashMap<(String, u8), usize> = HashMap::new();
        for language in &syntax.language {
            for (role, list) in [
                (Role::Code, &language.code),
                (Role::Word, &language.word),
                (Role::Enter, &language.enter),
                (Role::Topic, &language.topic),
                (Role::Hint, &language.hint),
                (Role::Order, &language.order),
                (Role::Fault, &language.fault),
                (Role::Number, &language.number),
                (Role::Money, &language.money),
                (Role::Unit, &language.unit),
            ] {
                for phrase in list.split(',').map(str::trim).filter(|phrase| !phrase.is_empty()) {
                    let open_left = phrase.starts_with('*');
                    let open_right = phrase.ends_with('*');
                    for key in spelled_out(phrase.trim_matches('*')) {
                        let place = *known.entry((key.clone(), role as u8)).or_insert_with(|| {
                            patterns.push(key);
                            entries.push(Entry { role, open_left: false, open_right: false });
                            entries.len() - 1
                        });
                        if let Some(entry) = entries.get_mut(place) {
                            entry.open_left |= open_left;
                            entry.open_right |= open_right;
                        }
                    }
                }
            }
        }
        let speaking = patterns
            .iter()
            .zip(&entries)
            .filter(|(word, entry)| word.is_ascii() && entry.role.speaks_for_a_code())
            .map(|(word, entry)| SpeakingWord {
                text: word.clone(),
                open_left: entry.open_left,
                open_right: entry.open_right,
            })
            .collect();
        Ok(CodeWords { automaton: AhoCorasick::new(&patterns)?, entries, speaking })
    }

    /// The words that speak for a code, as far as they are ASCII: where a text in ASCII has none of them, and
    /// no `#` behind a space, it has no code that a log line would show.
    #[must_use]
    pub fn speaking(&self) -> &[SpeakingWord] {
        &self.speaking
    }

    /// Every lexicon word in `text`, in the order of ends. Offsets count from `base`.
    pub fn find(&self, text: &[u8], base: usize, folded: &mut Folded, hits: &mut Vec<Hit>) {
        folded.read(text, base);
        for found in self.automaton.find_overlapping_iter(&folded.text) {
            let Some(entry) = self.entries.get(found.pattern().as_usize()) else { continue };
            if ends_word(&folded.text, found.start(), Side::Left, entry.open_left)
                && ends_word(&folded.text, found.end(), Side::Right, entry.open_right)
            {
                hits.push(Hit {
                    start: folded.source(found.start()),
                    end: folded.source(found.end()),
                    role: entry.role,
                });
            }
        }
    }
}

/// The phrase as it is searched for; a `*` inside it stands for the endings of its script.
fn spelled_out(phrase: &str) -> Vec<String> {
    let words: Vec<String> = phrase.split_whitespace().map(folded).collect();
    let mut phrases = vec![String::new()];
    for word in words.iter().filter(|word| !word.is_empty()) {
        let (stem, endings): (&str, &[&str]) = match word.strip_suffix('*') {
            Some(stem) => (stem, endings_for(stem)),
            None => (word, &[""]),
        };
        let mut longer = Vec::with_capacity(phrases.len() * endings.len());
        for phrase in &phrases {
            for ending in endings {
                let space = if phrase.is_empty() { "" } else { " " };
                longer.push(format!("{phrase}{space}{stem}{ending}"));
            }
        }
        phrases = longer;
    }
    phrases.retain(|phrase| !phrase.is_empty());
    phrases
}

fn endings_for(stem: &str) -> &'static [&'static str] {
    match stem.chars().next_back() {
        Some('α'..='ω') => &["", "σ", "υ", "ι", "ν"],
        Some('\u{400}'..='\u{52f}') => &["", "а", "у", "е", "ы", "и", "ом", "ов", "ът"],
        _ => &["", "a", "u", "i", "e", "y", "o", "em", "om", "ul", "ului", "urile"],
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Whether a word may begin or end at `at`: not between two letters of a script that puts spaces
/// between words, unless the word is open there.
fn ends_word(text: &[u8], at: usize, side: Side, open: bool) -> bool {
    let before = text.get(..at).and_then(last_char);
    let after = text.get(at..).and_then(first_char);
    let (inside, outside) = match side {
        Side::Left => (after, before),
        Side::Right => (before, after),
    };
    // `otp_ttl` is a name of its own, not a word about codes
    !(inside.is_some_and(is_spaced_letter)
        && outside.is_some_and(|c| c == '_' || (!open && is_spaced_letter(c))))
}

fn first_char(text: &[u8]) -> Option<char> {
    let len = text.len().min(4);
    text.get(..len)?.utf8_chunks().next()?.valid().chars().next()
}

fn last_char(text: &[u8]) -> Option<char> {
    let mut from = text.len().saturating_sub(4);
    while text.get(from).is_some_and(|byte| byte & 0xC0 == 0x80) {
        from += 1;
    }
    text.get(from..)?.utf8_chunks().next()?.valid().chars().next_back()
}

/// A letter of a script whose words stand apart: not Thai, Lao, Khmer, Burmese, Chinese, Japanese or
/// Korean (whose particles are glued on).
fn is_spaced_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.is_alphabetic()
        && !matches!(c as u32, 0xE00..=0xEFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x1100..=0x11FF | 0x2E80..=0xD7FF | 0xF900..=0xFAFF | 0xFF66..=0xFFDC)
}

/// Letters of addresses of electronic mail among words, but for a word's length each: `otp for <address> is 4829`.
pub(super) fn letters_of_addresses(between: &[u8]) -> usize {
    const WORD: usize = 4;
    if memchr::memchr(b'@', between).is_none() {
        return 0;
    }
    let words = between.split(|b| *b == b' ').filter(|word| word.contains(&b'@'));
    words.map(|word| word.len().saturating_sub(WORD)).sum()
}

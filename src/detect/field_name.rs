//! What a field's name says its value is.
//!
//! A name (`nro_celular`, `handynummer`, `X-Forwarded-For`, `messageId`) is taken apart into words:
//! at `_ - . : / space`, at camelCase humps, and inside a part by a dictionary of many languages
//! (`nachrichtentext` = `nachricht·en·text`). Every word is of a kind; kinds and what they mean
//! together stand in `rules/lexicons/fields.toml`:
//!
//! 1. a name that the lexicon lists whole (`authorization`) means what stands there;
//! 2. a word that measures (`phone_count`, `tipo_telefono`) blocks: the value is about the thing, not
//!    the thing;
//! 3. else the word of the highest rank is the head (same rank: the last one, or the first one where
//!    its language puts heads first), and the kinds of the other words pick its meaning.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::class::Class;
use crate::detect::fold::folded;
use crate::detect::name_parts::{NAME_BYTES, Name};
use crate::detect::trie::{Trie, Value};

/// How far a name can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// `code`, `to`, `key`: the value's shape and the neighbours decide.
    Ambiguous,
    /// Take it unless the value's shape says otherwise.
    Likely,
    /// Take it whatever the value looks like, short of an empty one.
    Sure,
}

/// What a name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// `None`: the name says nothing.
    pub class: Option<Class>,
    pub strength: Strength,
    /// The name speaks of a thing's property (`phone_type`), or of a technical thing
    /// (`template_name`): the value is not of a sensitive class by its name. `class` is then `Safe`.
    pub blocked: bool,
}

impl Meaning {
    pub const NONE: Meaning = Meaning { class: None, strength: Strength::Ambiguous, blocked: false };
    pub const BLOCKED: Meaning =
        Meaning { class: Some(Class::Safe), strength: Strength::Likely, blocked: true };

    /// `phone!` sure, `phone` likely, `phone?` ambiguous, `-` blocked, empty: nothing.
    fn from_words(word: &str) -> Option<Meaning> {
        match word {
            "" => return Some(Meaning::NONE),
            "-" => return Some(Meaning::BLOCKED),
            _ => {}
        }
        let (class, strength) = match word.strip_suffix('!') {
            Some(class) => (class, Strength::Sure),
            None => match word.strip_suffix('?') {
                Some(class) => (class, Strength::Ambiguous),
                None => (word, Strength::Likely),
            },
        };
        Some(Meaning { class: Some(Class::from_word(class)?), strength, blocked: false })
    }
}

/// Why a lexicon could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LexiconError {
    #[error("field lexicon: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("field lexicon: `{0}` is no meaning; write a class and `!`, `?` or nothing, or `-`")]
    Meaning(String),
    #[error("field lexicon: `{0}` is no kind; declare it as [kind.{0}]")]
    Kind(String),
    #[error("field lexicon: more than 63 kinds")]
    TooManyKinds,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Syntax {
    kind: BTreeMap<String, KindSyntax>,
    #[serde(default)]
    word: Vec<WordSyntax>,
    #[serde(default)]
    whole: Vec<WholeSyntax>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindSyntax {
    #[serde(default)]
    rank: u8,
    #[serde(default)]
    alone: String,
    /// `"kind meaning"` each; the first whose kind is in the name counts.
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    blocks: Blocks,
    /// The same for words of languages that put heads first; else as `blocks`.
    blocks_head_first: Option<Blocks>,
}

/// Where in a name a word of the kind blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Blocks {
    #[default]
    Never,
    First,
    Last,
    Ends,
    Anywhere,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordSyntax {
    kind: String,
    /// For readers only.
    #[serde(default, rename = "lang")]
    _language: String,
    /// `true`: the language puts the head first (`numero_telefono`).
    #[serde(default)]
    head_first: bool,
    words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeSyntax {
    meaning: String,
    names: String,
}

struct Kind {
    rank: u8,
    alone: Meaning,
    with: Vec<(u8, Meaning)>,
    blocks: Blocks,
    blocks_head_first: Blocks,
}

impl Kind {
    fn blocks(&self, word: &Word) -> Blocks {
        if word.head_first { self.blocks_head_first } else { self.blocks }
    }

    fn may_block(&self) -> bool {
        self.blocks != Blocks::Never
    }
}

/// Kinds that the code itself knows.
const NEUTRAL: u8 = 0;
const UNKNOWN: u8 = 1;
const OF: u8 = 2;
const NUMBER: u8 = 3;
const OWN_KINDS: [&str; 4] = ["neutral", "unknown", "of", "number"];

/// The dictionary, ready to run.
pub struct FieldLexicon {
    kinds: Vec<Kind>,
    trie: Trie,
    /// Meanings of whole names, by the trie's `whole` value.
    whole: Vec<Meaning>,
    /// The kinds that say that a value counts or measures.
    measure: Option<u8>,
    unit: Option<u8>,
}

/// Most words in a name; further ones are not looked at.
const WORDS: usize = 24;
/// Parts above this are ids, not words.
const LONGEST_COMPOUND: usize = 64;
/// Shorter words stand in others by chance: `lat` in `latencia`, `red` in `redefinida`.
const TELLING_LETTERS: u8 = 5;

#[derive(Clone, Copy)]
struct Word {
    kind: u8,
    head_first: bool,
    /// Ends in `s`: after a word for number, something counted (`num_phones`).
    plural: bool,
}

const UNKNOWN_WORD: Word = Word { kind: UNKNOWN, head_first: false, plural: false };

struct Words {
    list: [Word; WORDS],
    len: usize,
}

impl Words {
    fn push(&mut self, word: Word) {
        if let Some(place) = self.list.get_mut(self.len) {
            *place = word;
            self.len += 1;
        }
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = &Word> {
        self.list.iter().take(self.len)
    }
}

impl FieldLexicon {
    /// Reads the TOML of `rules/lexicons/fields.toml`.
    pub fn load(text: &str) -> Result<FieldLexicon, LexiconError> {
        let syntax: Syntax = toml::from_str(text)?;
        let mut names: Vec<&str> = OWN_KINDS.to_vec();
        names.extend(syntax.kind.keys().map(String::as_str).filter(|name| !OWN_KINDS.contains(name)));
        if names.len() > 63 {
            return Err(LexiconError::TooManyKinds);
        }
        let number_of = |name: &str| -> Result<u8, LexiconError> {
            let place = names.iter().position(|known| *known == name);
            place
                .and_then(|place| u8::try_from(place).ok())
                .ok_or_else(|| LexiconError::Kind(name.to_owned()))
        };
        let meaning_of =
            |word: &str| Meaning::from_words(word).ok_or_else(|| LexiconError::Meaning(word.to_owned()));
        let mut kinds = Vec::with_capacity(names.len());
        for name in &names {
            let Some(kind) = syntax.kind.get(*name) else {
                kinds.push(Kind {
                    rank: 0,
                    alone: Meaning::NONE,
                    with: Vec::new(),
                    blocks: Blocks::Never,
                    blocks_head_first: Blocks::Never,
                });
                continue;
            };
            let mut with = Vec::with_capacity(kind.with.len());
            for row in &kind.with {
                let (others, meaning) = row.split_once(' ').unwrap_or((row, ""));
                let meaning = meaning_of(meaning.trim())?;
                for other in others.split('|') {
                    with.push((number_of(other)?, meaning));
                }
            }
            kinds.push(Kind {
                rank: kind.rank,
                alone: meaning_of(&kind.alone)?,
                with,
                blocks: kind.blocks,
                blocks_head_first: kind.blocks_head_first.unwrap_or(kind.blocks),
            });
        }
        let mut trie = Trie::builder();
        for group in &syntax.word {
            let kind = number_of(&group.kind)?;
            for word in group.words.split_whitespace() {
                trie.word(&key_of(word), kind, group.head_first);
            }
        }
        let mut whole = Vec::new();
        for group in &syntax.whole {
            let meaning = meaning_of(&group.meaning)?;
            let place = u16::try_from(whole.len()).map_err(|_| LexiconError::TooManyKinds)?;
            whole.push(meaning);
            for name in group.names.split_whitespace() {
                trie.whole(&key_of(name), place);
            }
        }
        let (measure, unit) = (number_of("measure").ok(), number_of("unit").ok());
        Ok(FieldLexicon { kinds, trie: trie.build(), whole, measure, unit })
    }

    /// What the name says. Allocates nothing; a long name is read by its last 120 bytes.
    #[must_use]
    pub fn classify(&self, name: &[u8]) -> Meaning {
        let mut folded = Name::default();
        folded.read(name);
        self.meaning(&folded)
    }

    /// Whether the name says that its value counts or measures something: `anzahl_versuche`, `длительность_мс`.
    #[must_use]
    pub fn measures(&self, name: &[u8]) -> bool {
        let mut folded = Name::default();
        folded.read(name);
        let mut words = Words { list: [UNKNOWN_WORD; WORDS], len: 0 };
        self.split(&folded, &mut words);
        let is = |word: Option<&Word>, kind: Option<u8>| word.is_some_and(|word| Some(word.kind) == kind);
        words.iter().any(|word| is(Some(word), self.measure)) || is(words.iter().next_back(), self.unit)
    }

    /// What the name says below a parent (`template` + `name`, `profile` + `name`). Worth asking
    /// where [`classify`](Self::classify) of the bare name is ambiguous.
    #[must_use]
    pub fn classify_in(&self, parent: &[u8], name: &[u8]) -> Meaning {
        let mut folded = Name::default();
        let room = NAME_BYTES.saturating_sub(name.len());
        folded.read(parent.get(parent.len().saturating_sub(room)..).unwrap_or_default());
        folded.read(name);
        self.meaning(&folded)
    }

    fn meaning(&self, name: &Name) -> Meaning {
        if name.len == 0 {
            return Meaning::NONE;
        }
        let whole = |text: &[u8]| self.trie.find_whole(text).and_then(|at| self.whole.get(usize::from(at)));
        if let Some(meaning) = whole(name.text()) {
            return *meaning;
        }
        // `VAR1`, `text2`: the one of several.
        let text = name.text();
        let digits = text.iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let stem = text.get(..text.len() - digits).unwrap_or_default();
        if (1..=2).contains(&digits)
            && stem.len() >= 3
            && let Some(meaning) = whole(stem).filter(|meaning| !meaning.blocked)
        {
            return *meaning;
        }
        let mut words = Words { list: [UNKNOWN_WORD; WORDS], len: 0 };
        self.split(name, &mut words);
        self.combine(&words)
    }

    /// Name → words: at each part the longest dictionary entry that ends where a part ends, else the
    /// part's own pieces.
    fn split(&self, name: &Name, words: &mut Words) {
        let text = name.text();
        let mut at = 0;
        while at < text.len() {
            let mut longest = None;
            self.trie.walk(text.get(at..).unwrap_or_default(), |len, value| {
                let end = at + len;
                if name.is_start(end) {
                    longest = Some((end, value, false));
                } else if len >= 3 && text.get(end) == Some(&b's') && name.is_start(end + 1) {
                    longest = Some((end + 1, value, true));
                }
            });
            if let Some((end, value, plural)) = longest {
                let plural = plural || text.get(end - 1) == Some(&b's');
                words.push(Word { kind: value.kind, head_first: value.head_first, plural });
                at = end;
                continue;
            }
            let mut end = at + 1;
            while end < text.len() && !name.is_start(end) {
                end += 1;
            }
            let part = text.get(at..end).unwrap_or_default();
            if part.len() > LONGEST_COMPOUND {
                words.push(UNKNOWN_WORD);
            } else if !part.iter().all(u8::is_ascii_digit) {
                self.segment(part, words);
            }
            at = end;
        }
    }

    /// A part that is no word by itself, cut into words at the least cost: German `s`, `en` … may
    /// link, a word of five letters or more may carry an ending of three or have unknown letters behind it, and what
    /// is left is unknown.
    fn segment(&self, part: &[u8], words: &mut Words) {
        #[derive(Clone, Copy)]
        struct Step {
            cost: u16,
            from: u8,
            word: Option<Value>,
            /// Of the word itself, without what links it.
            letters: u8,
            open: bool,
        }
        const FAR: Step = Step { cost: u16::MAX, from: 0, word: None, letters: 0, open: false };
        let mut steps = [FAR; LONGEST_COMPOUND + 1];
        if let Some(first) = steps.first_mut() {
            *first = Step { cost: 0, ..FAR };
        }
        let relax = |steps: &mut [Step], to: usize, step: Step| {
            if let Some(known) = steps.get_mut(to)
                && step.cost < known.cost
            {
                *known = step;
            }
        };
        for at in 0..part.len() {
            let Some(here) = steps.get(at).copied() else { break };
            let rest = part.get(at..).unwrap_or_default();
            let from = u8::try_from(at).unwrap_or(u8::MAX);
            let telling = here.word.is_some() && here.letters >= TELLING_LETTERS;
            // a run of unknown letters reaches any later place; only from the start or after a word that is long
            // enough to be no chance
            if here.cost < u16::MAX && (at == 0 || telling) {
                for len in 1..=rest.len() {
                    let cost = here.cost + 30 + 3 * u16::try_from(len).unwrap_or(0);
                    relax(&mut steps, at + len, Step { cost, from, open: true, ..FAR });
                }
            }
            if here.cost == u16::MAX {
                continue;
            }
            if here.word.is_some() {
                let linked: &[&[u8]] = &[b"s", b"n", b"en", b"es", b"e", b"er", b"o", b"a", b"i"];
                for link in linked {
                    if rest.starts_with(link) && rest.len() > link.len() + 2 {
                        // a link is part of the word before it
                        let step = Step { cost: here.cost + 4, ..here };
                        relax(&mut steps, at + link.len(), step);
                    }
                }
                if rest.len() <= 3 && telling {
                    let ending = u16::try_from(rest.len()).unwrap_or(3);
                    relax(&mut steps, part.len(), Step { cost: here.cost + 12 + 2 * ending, ..here });
                }
            }
            let open = here.open;
            self.trie.walk(rest, |len, value| {
                // `kundeid`: of two letters only the endings that names are made with.
                let ending = len == 2 && here.word.is_some() && matches!(rest, b"id" | b"nr" | b"no" | b"ip");
                let blocks = self.kinds.get(usize::from(value.kind)).is_some_and(Kind::may_block);
                let least = if blocks { usize::from(TELLING_LETTERS) } else { 4 };
                if !ending && (len < 3 || (open && len < least)) {
                    return;
                }
                let cost = here.cost + 10 + if len == 3 { 6 } else { 0 };
                let letters = u8::try_from(len).unwrap_or(u8::MAX);
                let step = Step { cost, from, word: Some(value), letters, open: false };
                relax(&mut steps, at + len, step);
            });
        }
        let mut found = [UNKNOWN_WORD; WORDS];
        let mut count = 0;
        let mut at = part.len();
        while at > 0 && count < WORDS {
            let Some(step) = steps.get(at) else { break };
            if let Some(place) = found.get_mut(count) {
                *place = step.word.map_or(UNKNOWN_WORD, |value| Word {
                    kind: value.kind,
                    head_first: value.head_first,
                    plural: false,
                });
            }
            count += 1;
            at = usize::from(step.from).min(at - 1);
        }
        for word in found.iter().take(count).rev() {
            words.push(*word);
        }
    }

    fn kind(&self, word: &Word) -> Option<&Kind> {
        self.kinds.get(usize::from(word.kind))
    }

    fn blocks(&self, words: &Words) -> bool {
        let telling = || words.iter().filter(|word| word.kind != NEUTRAL && word.kind != OF);
        let blocks = |word: Option<&Word>, places: [Blocks; 2]| {
            word.is_some_and(|word| self.kind(word).is_some_and(|kind| places.contains(&kind.blocks(word))))
        };
        let counted = words.iter().next().is_some_and(|word| word.kind == NUMBER)
            && words.iter().nth(1).is_some_and(|word| word.plural);
        counted
            || blocks(telling().next(), [Blocks::First, Blocks::Ends])
            || blocks(telling().next_back(), [Blocks::Last, Blocks::Ends])
            || words.iter().any(|word| blocks(Some(word), [Blocks::Anywhere; 2]))
    }

    fn combine(&self, words: &Words) -> Meaning {
        if self.blocks(words) {
            return Meaning::BLOCKED;
        }
        let mut head: Option<(usize, &Word, u8)> = None;
        let mut of_between = false;
        for (place, word) in words.iter().enumerate() {
            let Some(kind) = self.kind(word) else { continue };
            of_between |= word.kind == OF;
            if kind.rank == 0 {
                continue;
            }
            let takes = match head {
                None => true,
                Some((_, first, rank)) => {
                    kind.rank > rank || (kind.rank == rank && !first.head_first && !of_between)
                }
            };
            if takes {
                head = Some((place, word, kind.rank));
                of_between = false;
            }
        }
        let Some((head_place, head, _)) = head else { return Meaning::NONE };
        let Some(kind) = self.kind(head) else { return Meaning::NONE };
        self.qualified(kind, head_place, words)
    }

    /// The meaning that the nearest other word gives the head; a nearer word that leaves it ambiguous
    /// yields to a farther one that does not.
    fn qualified(&self, head: &Kind, head_place: usize, words: &Words) -> Meaning {
        let mut unsure: Option<Meaning> = None;
        let meaning_at = |place: Option<usize>| {
            let word = place.filter(|p| *p < words.len).and_then(|p| words.list.get(p))?;
            head.with.iter().find(|(other, _)| *other == word.kind).map(|(_, meaning)| *meaning)
        };
        for distance in 1..words.len {
            let before = meaning_at(head_place.checked_sub(distance));
            let after = meaning_at(head_place.checked_add(distance));
            // `req_kodi_verifikimit`: of two that are as near, the one that is sure.
            let surest = match (before, after) {
                (Some(before), Some(after)) if after.strength == Strength::Sure => {
                    Some(if before.strength == Strength::Sure { before } else { after })
                }
                (before, after) => before.or(after),
            };
            match surest {
                Some(meaning) if meaning.strength > Strength::Ambiguous => return meaning,
                _ => {}
            }
            if let Some(meaning) = after.filter(|meaning| meaning.strength > Strength::Ambiguous) {
                return meaning;
            }
            unsure = unsure.or(surest).or(after);
        }
        unsure.unwrap_or(head.alone)
    }
}

/// A lexicon entry as the trie holds it: folded, without separators.
fn key_of(word: &str) -> Vec<u8> {
    folded(word).into_bytes().into_iter().filter(|b| *b >= 0x80 || b.is_ascii_alphanumeric()).collect()
}

#[cfg(test)]
#[path = "field_name_tests.rs"]
mod tests;

//! Words of running text that announce what comes next: a telephone number, a text, a name.

use std::collections::HashMap;

use serde::Deserialize;

use crate::detect::fold::{fold, folded};

/// What the words before a place announce.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    pub phone: bool,
    pub text: bool,
    pub name: bool,
}

impl Announced {
    #[must_use]
    pub fn nothing(self) -> bool {
        self == Announced::default()
    }
}

/// Why the lexicon could not be loaded.
#[derive(Debug, thiserror::Error)]
#[error("prose lexicon: {0}")]
pub struct ProseError(#[from] toml::de::Error);

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
    phone: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    small: String,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    announces: Announced,
    small: bool,
}

/// The lexicon of `rules/lexicons/prose.toml`.
pub struct Prose {
    entries: HashMap<Vec<u8>, Entry>,
    longest: usize,
}

/// How many bytes before a place are read.
const REACH: usize = 40;
/// Room for them folded.
const ROOM: usize = 2 * REACH;
/// Most words passed over between an announcing word and the place.
const SMALL_WORDS: usize = 2;

impl Prose {
    /// Reads the TOML of `rules/lexicons/prose.toml`.
    pub fn load(toml: &str) -> Result<Prose, ProseError> {
        let syntax: Syntax = toml::from_str(toml)?;
        let mut entries: HashMap<Vec<u8>, Entry> = HashMap::new();
        let mut add = |list: &str, mark: fn(&mut Entry)| {
            for phrase in list.split(',').map(folded) {
                let words: Vec<&str> = phrase.split_whitespace().collect();
                if !words.is_empty() {
                    mark(entries.entry(words.join(" ").into_bytes()).or_default());
                }
            }
        };
        for language in &syntax.language {
            add(&language.phone, |entry| entry.announces.phone = true);
            add(&language.text, |entry| entry.announces.text = true);
            add(&language.name, |entry| entry.announces.name = true);
            add(&language.small, |entry| entry.small = true);
        }
        let longest = entries.keys().map(Vec::len).max().unwrap_or(0);
        Ok(Prose { entries, longest })
    }

    /// What the words right before byte `at` of `text` announce; nothing beyond a sentence's or a
    /// line's end, nor beyond 40 bytes. Allocates nothing.
    #[must_use]
    pub fn before(&self, text: &[u8], at: usize) -> Announced {
        let mut window = Window::default();
        window.read(text.get(at.saturating_sub(REACH)..at).unwrap_or_default());
        let mut end = window.len;
        let mut announced = Announced::default();
        for _ in 0..=SMALL_WORDS {
            end = window.without_signs(end);
            let Some((start, entry)) = self.longest_ending_at(&window, end) else { break };
            announced.phone |= entry.announces.phone;
            announced.text |= entry.announces.text;
            announced.name |= entry.announces.name;
            if !entry.small {
                break;
            }
            end = start;
        }
        announced
    }

    /// The longest lexicon entry that ends at `end` of the window, and where it begins.
    fn longest_ending_at(&self, window: &Window, end: usize) -> Option<(usize, Entry)> {
        let text = window.text();
        (end.saturating_sub(self.longest)..end)
            .filter(|start| window.begins_word(*start))
            .find_map(|start| Some((start, *self.entries.get(text.get(start..end)?)?)))
    }
}

/// The bytes before a place, folded; white space runs are one space.
struct Window {
    bytes: [u8; ROOM],
    len: usize,
}

impl Default for Window {
    fn default() -> Self {
        Window { bytes: [0; ROOM], len: 0 }
    }
}

impl Window {
    fn read(&mut self, text: &[u8]) {
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                if matches!(c, '\n' | '!' | '?' | '。' | '！' | '？' | '।') {
                    // another sentence: forget it
                    self.len = 0;
                } else if c.is_whitespace() {
                    if self.text().last().is_some_and(|last| *last != b' ') {
                        self.push(' ');
                    }
                } else if let Some(c) = fold(if c == '’' { '\'' } else { c }) {
                    self.push(c);
                }
            }
        }
    }

    fn push(&mut self, c: char) {
        let mut utf8 = [0; 4];
        let utf8 = c.encode_utf8(&mut utf8).as_bytes();
        if let Some(room) = self.bytes.get_mut(self.len..self.len + utf8.len()) {
            room.copy_from_slice(utf8);
            self.len += utf8.len();
        }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// `end` without the signs and spaces before it.
    fn without_signs(&self, end: usize) -> usize {
        let text = self.text().get(..end).unwrap_or_default();
        let mut end = end;
        loop {
            let before = text.get(..end).unwrap_or_default();
            end -= match before {
                [.., 0xEF, 0xBC, 0x9A] | [.., 0xE3, 0x80, 0x8C] | [.., 0xE3, 0x80, 0x90] => 3,
                [.., 0xE2, 0x80, 0x98..=0x9F] => 3,
                [.., 0xC2, 0xAB | 0xBF | 0xA1] => 2,
                [.., b'@' | b'/' | b'_' | b'%' | b'&' | b'$'] | [] => return end,
                [.., last] if last.is_ascii() && !last.is_ascii_alphanumeric() => 1,
                _ => return end,
            };
        }
    }

    /// Whether a word may begin at `at`: not inside a run of letters of a script with spaces.
    fn begins_word(&self, at: usize) -> bool {
        let text = self.text();
        let Some(first) = text.get(at) else { return false };
        match at.checked_sub(1).and_then(|before| text.get(before)) {
            None => true,
            Some(before) if before.is_ascii() => {
                !(before.is_ascii_alphanumeric() || *before == b'_') || !first.is_ascii()
            }
            // letters of CJK and Thai need no space; others do
            Some(_) => first & 0xC0 != 0x80 && matches!(*first, 0xE0 | 0xE3..=0xED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEXICON: &str = include_str!("../../rules/lexicons/prose.toml");

    fn announced(text: &str) -> String {
        let prose = Prose::load(LEXICON).expect("the shipped lexicon loads");
        let at = text.find('«').expect("the place is marked");
        let found = prose.before(text.as_bytes(), at);
        let words = [(found.phone, "phone"), (found.text, "text"), (found.name, "name")];
        words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_right_before_a_value_announce_it() {
        for (text, expected) in [
            ("please call «", "phone"),
            ("Call me back on «", "phone"),
            ("inbound sms from «", "phone"),
            ("tel: «", "phone"),
            ("Ruf mich bitte unter «", "phone"),
            ("Перезвони мне на «", "phone"),
            ("下班后给我打电话«", "phone"),
            ("電話：«", "phone"),
            ("मुझे «", "phone"),
            ("اتصل بي على «", "phone"),
            ("Gọi lại cho mình số «", "phone"),
            ("Tolong telepon saya di «", "phone"),
            ("body=\"«", "text"),
            ("Nachricht: „«", "text"),
            ("mensaje: «", "text"),
            ("сообщение «", "text"),
            ("内容：«", "text"),
            ("Dear «", "name"),
            ("Hola «", "name"),
            ("user «", "phone name"),
            ("Уважаемая «", "name"),
            ("您好«", "name"),
            ("phone number is «", "phone"),
        ] {
            assert_eq!(announced(text), expected, "{text}");
        }
    }

    #[test]
    fn other_words_announce_nothing() {
        for text in [
            "offset «",
            "took «",
            "call. Then «",
            "call me\n«",
            "recall «",
            "hotel «",
            "https://call/«",
            "my_phone_«",
            "«",
            "call the office before you go home «",
        ] {
            assert_eq!(announced(text), "", "{text}");
        }
    }

    #[test]
    fn any_bytes_and_places() {
        let prose = Prose::load(LEXICON).expect("the shipped lexicon loads");
        let text = b"\xff\xfetel \xe9\x80 call \xe7\x94\xb5\xe8\xaf\x9d 415";
        for at in 0..text.len() + 3 {
            let _ = prose.before(text, at);
        }
        assert!(prose.before(b"anything", 99).nothing());
    }
}

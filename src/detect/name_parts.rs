//! A field's name, folded, with the places where its parts begin: at `_ - . : / space`, at camelCase humps.

use crate::detect::fold::fold;

/// Longest name read, in bytes after folding; of a longer one its end.
pub const NAME_BYTES: usize = 120;

/// A folded name and where its parts begin.
pub struct Name {
    bytes: [u8; NAME_BYTES],
    pub len: usize,
    /// Bit i: a part begins at byte i. Bit `len` is set too.
    starts: u128,
}

impl Default for Name {
    fn default() -> Self {
        Name { bytes: [0; NAME_BYTES], len: 0, starts: 1 }
    }
}

impl Name {
    fn push(&mut self, c: char) {
        let mut utf8 = [0; 4];
        let utf8 = c.encode_utf8(&mut utf8).as_bytes();
        if let Some(room) = self.bytes.get_mut(self.len..self.len + utf8.len()) {
            room.copy_from_slice(utf8);
            self.len += utf8.len();
        }
    }

    fn cut(&mut self) {
        self.starts |= 1 << self.len;
    }

    pub fn is_start(&self, at: usize) -> bool {
        self.starts >> at & 1 != 0
    }

    pub fn text(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub fn read(&mut self, name: &[u8]) {
        let from = name.len().saturating_sub(NAME_BYTES);
        let name = name.get(from..).unwrap_or_default();
        self.cut();
        if name.is_ascii() {
            self.read_chars(name.iter().map(|b| char::from(*b)));
        } else {
            for chunk in name.utf8_chunks() {
                self.read_chars(chunk.valid().chars());
            }
        }
        self.cut();
    }

    fn read_chars(&mut self, chars: impl Iterator<Item = char>) {
        let mut chars = chars.peekable();
        let mut before = Sort::Separator;
        while let Some(c) = chars.next() {
            let sort = Sort::of(c);
            if sort == Sort::Separator {
                self.cut();
                before = sort;
                continue;
            }
            let hump = match (before, sort) {
                (Sort::Lower, Sort::Upper) => true,
                // the last capital of a run begins the next word: HTTPServer
                (Sort::Upper, Sort::Upper) => chars.peek().is_some_and(|next| Sort::of(*next) == Sort::Lower),
                (Sort::Separator, _) => false,
                (Sort::Upper, Sort::Lower) => false,
                (before, now) => before != now,
            };
            // marks that are dropped do not end a run of letters
            if let Some(folded) = fold(c) {
                if hump {
                    self.cut();
                }
                before = sort;
                self.push(folded);
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Separator,
    Lower,
    Upper,
    Digit,
    /// Letters of scripts without capitals.
    Uncased,
}

impl Sort {
    fn of(c: char) -> Sort {
        match c {
            'a'..='z' => Sort::Lower,
            'A'..='Z' => Sort::Upper,
            '0'..='9' => Sort::Digit,
            _ if c.is_ascii() => Sort::Separator,
            '\u{ff10}'..='\u{ff19}' => Sort::Digit,
            '\u{2010}'..='\u{2015}' | '\u{b7}' | '\u{30fb}' | '\u{3000}' | '\u{a0}' | '：' | '／' | '＿' => {
                Sort::Separator
            }
            _ if c.is_uppercase() => Sort::Upper,
            _ if c.is_lowercase() => Sort::Lower,
            _ => Sort::Uncased,
        }
    }
}

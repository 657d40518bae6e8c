//! A byte trie, built once, read without allocation: dictionary words of field names.

use std::collections::BTreeMap;

/// What a dictionary word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Number of the word's kind.
    pub kind: u8,
    /// The word's language puts heads first.
    pub head_first: bool,
}

#[derive(Clone, Copy)]
struct Node {
    first_edge: u32,
    edges: u16,
    word: Option<Value>,
    whole: Option<u16>,
}

/// Words and whole names, keyed by their bytes.
pub struct Trie {
    nodes: Vec<Node>,
    labels: Vec<u8>,
    targets: Vec<u32>,
}

#[derive(Default)]
struct Draft {
    edges: BTreeMap<u8, usize>,
    word: Option<Value>,
    whole: Option<u16>,
}

/// A trie being filled.
pub struct Builder {
    nodes: Vec<Draft>,
}

impl Builder {
    fn leaf(&mut self, key: &[u8]) -> Option<&mut Draft> {
        let mut at = 0;
        for byte in key {
            let next = self.nodes.len();
            let node = self.nodes.get_mut(at)?;
            at = *node.edges.entry(*byte).or_insert(next);
            if at == next {
                self.nodes.push(Draft::default());
            }
        }
        if key.is_empty() { None } else { self.nodes.get_mut(at) }
    }

    /// The first entry of a word counts.
    pub fn word(&mut self, key: &[u8], kind: u8, head_first: bool) {
        if let Some(leaf) = self.leaf(key) {
            leaf.word.get_or_insert(Value { kind, head_first });
        }
    }

    /// The first entry of a name counts.
    pub fn whole(&mut self, key: &[u8], place: u16) {
        if let Some(leaf) = self.leaf(key) {
            leaf.whole.get_or_insert(place);
        }
    }

    #[must_use]
    pub fn build(self) -> Trie {
        let mut trie = Trie { nodes: Vec::new(), labels: Vec::new(), targets: Vec::new() };
        for draft in &self.nodes {
            trie.nodes.push(Node {
                first_edge: u32::try_from(trie.labels.len()).unwrap_or(u32::MAX),
                edges: u16::try_from(draft.edges.len()).unwrap_or(u16::MAX),
                word: draft.word,
                whole: draft.whole,
            });
            trie.labels.extend(draft.edges.keys());
            trie.targets.extend(draft.edges.values().map(|to| u32::try_from(*to).unwrap_or(u32::MAX)));
        }
        trie
    }
}

impl Trie {
    #[must_use]
    pub fn builder() -> Builder {
        Builder { nodes: vec![Draft::default()] }
    }

    fn next(&self, node: &Node, byte: u8) -> Option<&Node> {
        let first = node.first_edge as usize;
        let labels = self.labels.get(first..first + usize::from(node.edges))?;
        let edge = labels.iter().position(|label| *label == byte)?;
        self.nodes.get(*self.targets.get(first + edge)? as usize)
    }

    /// Tells every word that `text` begins with, shorter ones first: its length and what it is.
    pub fn walk(&self, text: &[u8], mut found: impl FnMut(usize, Value)) {
        let Some(mut node) = self.nodes.first() else { return };
        for (place, byte) in text.iter().enumerate() {
            let Some(next) = self.next(node, *byte) else { return };
            node = next;
            if let Some(value) = node.word {
                found(place + 1, value);
            }
        }
    }

    /// The whole name's number, if `text` is one.
    #[must_use]
    pub fn find_whole(&self, text: &[u8]) -> Option<u16> {
        let mut node = self.nodes.first()?;
        for byte in text {
            node = self.next(node, *byte)?;
        }
        node.whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_shorter_first_and_wholes_only_whole() {
        let mut builder = Trie::builder();
        builder.word(b"phone", 1, false);
        builder.word(b"phonebook", 2, true);
        builder.word(b"phone", 3, false);
        builder.whole(b"phones", 7);
        let trie = builder.build();
        let mut seen = Vec::new();
        trie.walk(b"phonebooks", |len, value| seen.push((len, value.kind)));
        assert_eq!(seen, [(5, 1), (9, 2)]);
        assert_eq!(trie.find_whole(b"phones"), Some(7));
        assert_eq!(trie.find_whole(b"phone"), None);
        assert_eq!(trie.find_whole(b""), None);
    }
}

//! What the names in a text say of its fields, whatever their values: worked out once for every sequence of
//! names that comes by, since the lines of one log call all have the same.

use super::frame::Commons;
use super::*;

/// Shapes that a thread remembers: a service has some hundred log calls.
const SHAPES: usize = 512;
/// Texts with more names, or more bytes of them, are worked out each time: what a thread remembers stays below
/// some 20 MB whatever it reads.
const MOST: usize = 256;
const LONGEST: usize = 8192;

/// What is known of one sequence of names.
#[derive(Default)]
pub(super) struct Shape {
    /// The names that it is told by, one behind the other, and whose they are.
    names: Vec<u8>,
    owners: Vec<Owner>,
    pub(super) fields: Vec<Shaped>,
    /// Per container: what the names of its fields say.
    pub(super) facts: Vec<Facts>,
    /// Fields in which rules do not look.
    pub(super) denied: Vec<(usize, RuleId)>,
    /// What the texts had in common besides.
    pub(super) commons: Commons,
}

/// What has a name: where it stands, and how long the name is.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Owner {
    /// The container around a container, or that of a field.
    place: u32,
    len: u32,
    kind: Owns,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owns {
    Object,
    Array,
    Value,
}

/// What is known of one field by its name and the names around it.
#[derive(Clone, Copy)]
pub(super) struct Shaped {
    /// What a rule says that claims the field.
    pub(super) claimed: Option<(Reading, RuleId)>,
    /// How it is read where its value has no say in it.
    pub(super) always: Option<Reading>,
    /// What its name says, and what that of its container adds.
    pub(super) meaning: Meaning,
    /// The class it is meant to be of.
    pub(super) meant: Option<Class>,
    /// A full stop stands in its name, as in that of a source file.
    pub(super) dotted: bool,
    /// It is that of the folder in which a program runs.
    pub(super) folder: bool,
    /// It has no name and stands in a list.
    pub(super) listed: bool,
    /// What its name says may not be so where it stands.
    pub(super) again: Again,
    /// It holds the line's level.
    pub(super) is_level: bool,
    /// A number in it says that a phone is spoken of.
    pub(super) counts_phones: bool,
    /// What the names of the containers around it say, where its own leaves a doubt.
    pub(super) named: Option<Facts>,
    /// Its name in lower case, where the name's letters are asked.
    pub(super) lower: Name,
}

/// Names that mean somebody, and something else in the lines of some programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    No,
    /// A logger's id for a request, perhaps.
    Uid,
    /// The same, beside what a request has.
    UidOfARequest,
    /// A device's number for an event, in its event format.
    External,
    /// Where a time begins or ends, perhaps.
    Period,
}

/// The shapes of a thread.
pub(super) struct Shapes {
    slots: Vec<Option<Box<Shape>>>,
    /// Those that had to leave their slot, whose buffers are used again: texts in texts may want one slot.
    #[expect(clippy::vec_box, reason = "they go back into slots as they are")]
    spare: Vec<Box<Shape>>,
}

/// Spare shapes that are kept: one for each level of texts in texts.
const SPARE: usize = DEPTH + 1;

impl Default for Shapes {
    fn default() -> Self {
        let slots = std::iter::repeat_with(|| None).take(SHAPES).collect();
        Shapes { slots, spare: Vec::with_capacity(SPARE) }
    }
}

impl Shapes {
    /// Takes out the shape of a tree, worked out by `make` where it is not known yet, and its place.
    pub(super) fn take(
        &mut self,
        tree: &Tree,
        bytes: &[u8],
        make: impl FnOnce(&mut Shape),
    ) -> (usize, Box<Shape>) {
        let place = place_of(tree, bytes);
        let kept = self.slots.get_mut(place).and_then(Option::take);
        let mut shape = kept.or_else(|| self.spare.pop()).unwrap_or_default();
        if !shape.is_of(tree, bytes) {
            shape.clear();
            make(&mut shape);
            // Last: a shape that was not finished is not taken for one.
            shape.sign(tree, bytes);
        }
        (place, shape)
    }

    pub(super) fn put_back(&mut self, place: usize, shape: Box<Shape>) {
        if shape.names.len() > LONGEST || shape.owners.len() > MOST {
            return;
        }
        let left = self.slots.get_mut(place).and_then(|slot| slot.replace(shape));
        self.spare.extend(left.filter(|_| self.spare.len() < SPARE));
    }
}

impl Shape {
    fn clear(&mut self) {
        self.names.clear();
        self.owners.clear();
        self.fields.clear();
        self.facts.clear();
        self.denied.clear();
        self.commons.clear();
    }

    fn sign(&mut self, tree: &Tree, bytes: &[u8]) {
        for (owner, name) in owners(tree, bytes) {
            self.owners.push(owner);
            self.names.extend_from_slice(name);
        }
    }

    fn is_of(&self, tree: &Tree, bytes: &[u8]) -> bool {
        let mut names = self.names.as_slice();
        self.owners.len() == tree.containers.len() + tree.fields.len()
            && self.owners.iter().zip(owners(tree, bytes)).all(|(known, (owner, name))| {
                let (same, rest) = names.split_at_checked(name.len()).unwrap_or_default();
                names = rest;
                *known == owner && same == name
            })
    }
}

/// All that may have a name, with the names.
fn owners<'a>(tree: &'a Tree, bytes: &'a [u8]) -> impl Iterator<Item = (Owner, &'a [u8])> {
    let named = |span: Span, place: u32, kind: Owns| {
        let name = span.of(bytes);
        (Owner { place, len: u32::try_from(name.len()).unwrap_or(u32::MAX), kind }, name)
    };
    let containers = tree.containers.iter().map(move |container| {
        let kind = if container.array { Owns::Array } else { Owns::Object };
        named(container.name, container.parent, kind)
    });
    containers.chain(tree.fields.iter().map(move |field| named(field.name, field.container, Owns::Value)))
}

/// Where the shape of a tree is kept: told by the lengths and the first letters of its names.
fn place_of(tree: &Tree, bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = tree.containers.len() as u64;
    for field in &tree.fields {
        let first = bytes.get(field.name.start()).copied().unwrap_or(0);
        hash =
            (hash ^ u64::from(first) ^ (field.name.len() as u64) << 8).wrapping_mul(FACTOR).rotate_left(23);
    }
    usize::try_from(hash >> 40).unwrap_or(0) & (SHAPES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::json::Walker;

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        tree.reset();
        Walker::default().walk(text.as_bytes(), 0, 0, Span::default(), &mut tree);
        tree
    }

    /// How often a text's shape had to be worked out.
    fn made(shapes: &mut Shapes, text: &str) -> usize {
        let mut made = 0;
        let (place, shape) = shapes.take(&tree(text), text.as_bytes(), |_| made += 1);
        shapes.put_back(place, shape);
        made
    }

    #[test]
    fn a_shape_is_that_of_its_names_and_nothing_else() {
        let mut shapes = Shapes::default();
        let known = r#"{"to":"x","meta":{"id":1},"tags":["a"]}"#;
        assert_eq!(made(&mut shapes, known), 1);
        assert_eq!(made(&mut shapes, r#"{"to":"yy", "meta":{"id":"22"},"tags":[null]}"#), 0, "other values");
        for other in [
            r#"{"TO":"x","meta":{"id":1},"tags":["a"]}"#,
            r#"{"to":"x","meta":{"id":1},"tags":["a","b"]}"#,
            r#"{"to":"x","meta":{"id":1},"tags":{"a":1}}"#,
            r#"{"to":"x","meta":[1],"tags":["a"]}"#,
            r#"{"t":"x","ometa":{"id":1},"tags":["a"]}"#,
            r#"{"meta":{"to":"x","id":1},"tags":["a"]}"#,
            r#"{"to":"x","meta":{"id":1},"tagz":["a"]}"#,
        ] {
            assert_eq!(made(&mut shapes, other), 1, "{other}");
            assert_eq!(made(&mut shapes, other), 0, "{other}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut shapes = Shapes::default();
        let wide = format!("{{{}}}", vec!["\"a\":1"; MOST + 1].join(","));
        let long = format!("{{\"{}\":1}}", "a".repeat(LONGEST + 1));
        for text in [wide, long] {
            assert_eq!((made(&mut shapes, &text), made(&mut shapes, &text)), (1, 1));
        }
    }
}

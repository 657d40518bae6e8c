//! What a field's name says: the rules that claim it and what its words mean, looked up once per
//! name and kept in a small cache.

use super::find::path_of;
use super::memo::Memo;
use crate::class::Class;
use crate::codec::Tree;
use crate::codec::decode::{hex_byte, unicode_escape};
use crate::finding::RuleId;
use crate::rule::{FieldPath, RuleSet, Segment};
use std::collections::HashMap;

/// Longer names are judged by their first bytes only.
pub const NAME_BYTES: usize = 64;

/// A name in lower case (ASCII only; other letters as they are), `\uXXXX` and `%XX` in it undone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    len: u8,
    bytes: [u8; NAME_BYTES],
}

impl Name {
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        if Name::is_coded(name) {
            return Name::unescaped(name);
        }
        let mut bytes = [0; NAME_BYTES];
        let len = name.len().min(NAME_BYTES);
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = from.to_ascii_lowercase();
        }
        Name { len: u8::try_from(len).unwrap_or(0), bytes }
    }

    /// Whether `\uXXXX` or `%XX` may stand in a name.
    #[must_use]
    pub fn is_coded(name: &[u8]) -> bool {
        memchr::memchr2(b'\\', b'%', name).is_some()
    }

    fn unescaped(name: &[u8]) -> Self {
        let mut bytes = [0; NAME_BYTES];
        let (mut len, mut pos) = (0, 0);
        while let Some(byte) = name.get(pos) {
            let escaped =
                if name.get(pos..pos + 2) == Some(b"\\u") { unicode_escape(name, pos) } else { None };
            let mut utf8 = [0; 4];
            let step = match escaped {
                Some((c, step)) => {
                    let written = c.encode_utf8(&mut utf8).len();
                    let Some(to) = bytes.get_mut(len..len + written) else { break };
                    to.copy_from_slice(utf8.get(..written).unwrap_or_default());
                    len += written;
                    step
                }
                None => {
                    let octet = if *byte == b'%' { hex_byte(name, pos + 1) } else { None };
                    let Some(to) = bytes.get_mut(len) else { break };
                    *to = octet.unwrap_or(*byte).to_ascii_lowercase();
                    len += 1;
                    if octet.is_some() { 3 } else { 1 }
                }
            };
            pos += step;
        }
        Name { len: u8::try_from(len).unwrap_or(0), bytes }
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Which rules claim a name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims {
    /// A bare name: the class and the rule, and whether the rule is a shipped one.
    pub bare: Option<(Class, RuleId, bool)>,
    /// Rules with a full path end in this name, and have to be compared: their place in the table.
    pub paths: Option<u32>,
}

/// The rule set's field rules, ready to be asked.
#[derive(Default)]
pub struct FieldTable {
    bare: HashMap<Vec<u8>, (Class, RuleId, bool)>,
    /// The last name of a path to its rules' place.
    path_places: HashMap<Vec<u8>, u32>,
    paths: Vec<Vec<PathRule>>,
    not_fields: Vec<(RuleId, FieldPath)>,
}

/// A field rule with a full path.
pub struct PathRule {
    pub segments: Vec<Segment>,
    pub class: Class,
    pub rule: RuleId,
    pub shipped: bool,
}

impl FieldTable {
    #[must_use]
    pub fn new(rules: &RuleSet) -> Self {
        let mut table = FieldTable::default();
        for field in &rules.fields {
            match &field.path {
                FieldPath::Name(name) => {
                    let key = name.to_lowercase().into_bytes();
                    let new = (field.class, field.rule, field.shipped);
                    // A user's rule beats a shipped one; among equals the first stands.
                    let entry = table.bare.entry(key).or_insert(new);
                    if entry.2 && !field.shipped {
                        *entry = new;
                    }
                }
                FieldPath::Path(segments) => {
                    let last = segments.iter().rev().find_map(|segment| match segment {
                        Segment::Name(name) => Some(name.to_lowercase().into_bytes()),
                        Segment::Any | Segment::Item => None,
                    });
                    table.paths_of(last.unwrap_or_default()).push(PathRule {
                        segments: segments.clone(),
                        class: field.class,
                        rule: field.rule,
                        shipped: field.shipped,
                    });
                }
            }
        }
        for (detector, path) in &rules.detector_not_fields {
            if let Some(rule) = rules.rule_of(*detector) {
                table.not_fields.push((rule, path.clone()));
            }
        }
        let of_fields = rules.fields.iter().map(|field| (field.rule, &field.not_fields));
        let of_patterns = rules.patterns.iter().map(|pattern| (pattern.rule, &pattern.not_fields));
        for (rule, paths) in of_fields.chain(of_patterns) {
            for path in paths.iter() {
                let new = (rule, path.clone());
                if !table.not_fields.contains(&new) {
                    table.not_fields.push(new);
                }
            }
        }
        table
    }

    /// Adds to `denied` the fields in which rules do not look, by their place in the tree.
    pub fn deny(&self, bytes: &[u8], tree: &Tree, denied: &mut Vec<(usize, RuleId)>) {
        if self.not_fields.is_empty() {
            return;
        }
        for (place, field) in tree.fields.iter().enumerate() {
            for (rule, path) in &self.not_fields {
                let fits = match path {
                    FieldPath::Name(name) => {
                        tree.name_of(field).of(bytes).eq_ignore_ascii_case(name.as_bytes())
                    }
                    FieldPath::Path(segments) => path_matches(segments, &mut path_of(tree, field, bytes)),
                };
                if fits {
                    denied.push((place, *rule));
                }
            }
        }
    }

    #[must_use]
    pub fn claims(&self, name: &Name) -> Claims {
        let bytes = name.as_bytes();
        let last = bytes.rsplit(|b| matches!(b, b'.' | b':')).next().unwrap_or(bytes);
        let bare = self.bare.get(bytes).or_else(|| self.bare.get(last)).copied();
        Claims { bare, paths: self.path_places.get(bytes).or_else(|| self.path_places.get(last)).copied() }
    }

    /// The rules with paths at a place, a user's rules first.
    pub fn path_rules(&self, place: u32) -> impl Iterator<Item = &PathRule> {
        let rules = || self.paths.get(place as usize).into_iter().flatten();
        rules().filter(|r| !r.shipped).chain(rules().filter(|r| r.shipped))
    }

    fn paths_of(&mut self, last: Vec<u8>) -> &mut Vec<PathRule> {
        let next = self.paths.len();
        let place = *self.path_places.entry(last).or_insert(u32::try_from(next).unwrap_or(u32::MAX));
        if place as usize == next {
            self.paths.push(Vec::new());
        }
        match self.paths.get_mut(place as usize) {
            Some(rules) => rules,
            None => unreachable!("more than four billion names"),
        }
    }
}

/// A direct-mapped cache from names, as they are written, to what is known of them.
pub struct NameCache<T> {
    slots: Memo<T, NAME_BYTES>,
}

/// Names that a thread remembers: logs have some hundred.
const NAMES: usize = 2048;

impl<T: Copy> Default for NameCache<T> {
    fn default() -> Self {
        NameCache { slots: Memo::new(NAMES) }
    }
}

impl<T: Copy> NameCache<T> {
    pub fn get(&mut self, name: &[u8], make: impl FnOnce(&Name) -> T) -> T {
        if let Some(info) = self.slots.get(name) {
            return info;
        }
        let info = make(&Name::new(name));
        self.slots.put(name, info);
        info
    }
}

/// Whether a path fits a rule's segments. `path` gives the names from the innermost outwards:
/// `Some(name)` for a member, `None` for a place in an array.
pub fn path_matches(segments: &[Segment], path: &mut dyn Iterator<Item = Option<&[u8]>>) -> bool {
    // Nearly all rules have no `**`, or one at the front.
    let (fixed, open) = match segments {
        [Segment::Any, rest @ ..] => (rest, true),
        all => (all, false),
    };
    if !fixed.iter().any(|segment| matches!(segment, Segment::Any)) {
        let ends_so =
            fixed.iter().rev().all(|segment| path.next().is_some_and(|step| is_step(segment, step)));
        return ends_so && (open || path.next().is_none());
    }
    // Paths are short and `**` is rare: compare from the end, and let `**` at the front take the rest.
    let mut steps: [Option<Option<&[u8]>>; 64] = [None; 64];
    let mut len = 0;
    for step in path {
        match steps.get_mut(len) {
            Some(place) => *place = Some(step),
            None => return false,
        }
        len += 1;
    }
    let steps = steps.get(..len).unwrap_or_default();
    fits(segments, steps)
}

fn is_step(segment: &Segment, step: Option<&[u8]>) -> bool {
    match (segment, step) {
        (Segment::Name(name), Some(step)) => name.as_bytes().eq_ignore_ascii_case(step),
        (Segment::Item, None) => true,
        (Segment::Name(_) | Segment::Item | Segment::Any, _) => false,
    }
}

fn fits(segments: &[Segment], steps: &[Option<Option<&[u8]>>]) -> bool {
    let Some((last, segments)) = segments.split_last() else { return steps.is_empty() };
    let Some((first, rest)) = steps.split_first() else {
        return matches!(last, Segment::Any) && fits(segments, steps);
    };
    match (last, first) {
        (Segment::Any, _) => fits(segments, steps) || fits_any(segments, rest),
        (_, Some(step)) => is_step(last, *step) && fits(segments, rest),
        (_, None) => false,
    }
}

fn fits_any(segments: &[Segment], mut steps: &[Option<Option<&[u8]>>]) -> bool {
    loop {
        if fits(segments, steps) {
            return true;
        }
        match steps.split_first() {
            Some((_, rest)) => steps = rest,
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Segment {
        Segment::Name(text.to_owned())
    }

    #[track_caller]
    fn check(segments: &[Segment], path: &[Option<&str>], want: bool) {
        let mut steps = path.iter().rev().map(|step| step.map(str::as_bytes));
        assert_eq!(path_matches(segments, &mut steps), want, "{segments:?} {path:?}");
    }

    #[test]
    fn names_are_written_with_escapes_too() {
        for (written, read) in [
            ("To", "to"),
            (r"\u672c\u6587", "本文"),
            (r"x\u005fid", "x_id"),
            ("%E6%9C%ac", "本"),
            (r"a\n", r"a\n"),
        ] {
            assert_eq!(Name::new(written.as_bytes()).as_bytes(), read.as_bytes());
        }
        let long = r"\u0444".repeat(40);
        assert_eq!(Name::new(long.as_bytes()).as_bytes(), "ф".repeat(32).as_bytes());
    }

    #[test]
    fn paths() {
        let errors = [name("errors"), Segment::Item, name("code")];
        check(&errors, &[Some("errors"), None, Some("code")], true);
        check(&errors, &[Some("errors"), Some("code")], false);
        check(&errors, &[Some("x"), Some("errors"), None, Some("code")], false);
        let any = [Segment::Any, name("wa_id")];
        check(&any, &[Some("wa_id")], true);
        check(&any, &[Some("a"), None, Some("WA_ID")], true);
        check(&any, &[Some("a")], false);
        let middle = [name("a"), Segment::Any, name("b")];
        check(&middle, &[Some("a"), Some("b")], true);
        check(&middle, &[Some("a"), Some("x"), None, Some("b")], true);
        check(&middle, &[Some("x"), Some("b")], false);
    }
}

//! Field paths as rules write them: a bare name, or a path from the root.

use super::{FieldPath, Segment};
use std::ops::Range;

/// Why a path cannot be read: what, where in its text, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    /// Bytes of the path's text.
    pub at: Range<usize>,
    pub message: &'static str,
    pub help: &'static str,
}

impl FieldPath {
    /// Reads `to`, `entry[].changes[].value`, `**.wa_id`, `$.to` (a member of the root only),
    /// `"client.address"` (quotes: a name that has a dot in it).
    ///
    /// # Errors
    /// The first thing that is no path.
    pub fn parse(text: &str) -> Result<FieldPath, PathError> {
        let error = |at: Range<usize>, message, help| Err(PathError { at, message, help });
        if text.trim().is_empty() {
            return error(0..text.len(), "the field has no name", "write the key that holds the value");
        }
        let rooted = text.strip_prefix("$.");
        let mut rest = rooted.unwrap_or(text);
        let mut segments = Vec::new();
        // What may come: after a dot or at the start a name, after a name or `[]` a dot, `[]` or the end.
        let mut name_next = true;
        while let Some(first) = rest.chars().next() {
            let here = text.len() - rest.len();
            if first == '[' {
                let Some(after) = rest.strip_prefix("[]") else {
                    return error(
                        here..text.len().min(here + 1),
                        "an array place is written `[]`",
                        "`[]` stands for every place of the array; one place alone cannot be named",
                    );
                };
                segments.push(Segment::Item);
                rest = after;
                name_next = false;
            } else if first == '.' {
                if name_next {
                    return error(
                        here..here + 1,
                        "a name is missing before this dot",
                        "write one dot between names",
                    );
                }
                rest = rest.get(1..).unwrap_or_default();
                name_next = true;
                if rest.is_empty() {
                    return error(
                        here..here + 1,
                        "a name is missing after this dot",
                        "write one dot between names",
                    );
                }
            } else {
                if !name_next {
                    return error(here..text.len(), "a dot is missing here", "write `places[].name`");
                }
                let (segment, after) = name(rest, here)?;
                segments.push(segment);
                rest = after;
                name_next = false;
            }
        }
        if segments.last() == Some(&Segment::Any) {
            return error(
                0..text.len(),
                "`**` stands for any depth, not for a field",
                "add the field's name: `**.wa_id`",
            );
        }
        match segments.as_slice() {
            [Segment::Name(name)] if rooted.is_none() => Ok(FieldPath::Name(name.clone())),
            _ => Ok(FieldPath::Path(segments)),
        }
    }
}

/// One name, `**`, or a name in quotes, and what follows it.
fn name(rest: &str, here: usize) -> Result<(Segment, &str), PathError> {
    if let Some(quoted) = rest.strip_prefix('"') {
        return match quoted.split_once('"') {
            Some((name, after)) if !name.is_empty() => Ok((Segment::Name(name.to_lowercase()), after)),
            _ => Err(PathError {
                at: here..here + rest.len(),
                message: "the quote is never closed",
                help: "write `\"client.address\"` for a name that has a dot in it",
            }),
        };
    }
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    if name == "**" {
        return Ok((Segment::Any, after));
    }
    if name.contains('*') {
        return Err(PathError {
            at: here..here + name.len(),
            message: "`*` cannot stand in a name",
            help: "`**` stands for any number of members and array places; a bare name matches at any depth",
        });
    }
    Ok((Segment::Name(name.to_lowercase()), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(name: &str) -> Segment {
        Segment::Name(name.into())
    }

    #[test]
    fn names_and_paths() {
        use Segment::{Any, Item};
        for (text, path) in [
            ("MSISDN", FieldPath::Name("msisdn".into())),
            ("x-forwarded-for", FieldPath::Name("x-forwarded-for".into())),
            ("\"client.address\"", FieldPath::Name("client.address".into())),
            ("$.to", FieldPath::Path(vec![named("to")])),
            ("errors[].code", FieldPath::Path(vec![named("errors"), Item, named("code")])),
            ("**.wa_id", FieldPath::Path(vec![Any, named("wa_id")])),
            ("[].to", FieldPath::Path(vec![Item, named("to")])),
            ("a[][]", FieldPath::Path(vec![named("a"), Item, Item])),
            (
                "attributes.\"client.address\"",
                FieldPath::Path(vec![named("attributes"), named("client.address")]),
            ),
        ] {
            assert_eq!(FieldPath::parse(text), Ok(path), "{text}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_place() {
        for (text, at) in [
            ("", 0..0),
            ("a..b", 2..3),
            ("a.", 1..2),
            ("a[0].b", 1..2),
            ("a.*.b", 2..3),
            ("a[]b", 3..4),
            ("a.**", 0..4),
            ("\"a", 0..2),
        ] {
            assert_eq!(FieldPath::parse(text).map_err(|e| e.at), Err(at), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "[a-z.*\\[\\]\"$é]{0,12}") {
            if let Err(error) = FieldPath::parse(&text) {
                prop_assert!(error.at.end <= text.len());
            }
        }
    }
}

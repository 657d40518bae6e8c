//! One field of a value by its path: for clocks, conditions and windows per account.

use super::find::Finder;
use super::names::path_matches;
use crate::codec::{Form, Tree};
use crate::finding::Span;
use crate::rule::Segment;

/// The span of the first field in `value` whose path is `path`. A bare name matches at any depth and
/// in any format; a path with a dot or `[]` is compared from the root.
pub fn field(finder: &mut Finder, value: &[u8], path: &str) -> Option<Span> {
    let bare = !path.contains(['.', '[', '*']);
    let segments = if bare { vec![Segment::Any, Segment::Name(path.to_owned())] } else { segments(path) };
    finder.first_field(value, &mut |tree: &Tree, field, bytes| {
        if bare {
            return tree.name_of(field).of(bytes).eq_ignore_ascii_case(path.as_bytes())
                && field.form != Form::Junk;
        }
        path_matches(&segments, &mut super::find::path_of(tree, field, bytes))
    })
}

fn segments(path: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    for step in path.split('.') {
        let name = step.trim_end_matches("[]");
        if name == "**" {
            out.push(Segment::Any);
        } else if !name.is_empty() {
            out.push(Segment::Name(name.to_owned()));
        }
        out.extend(std::iter::repeat_n(Segment::Item, (step.len() - name.len()) / 2));
    }
    out
}

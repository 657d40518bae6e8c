//! What was put for a statement's parameters, where more than a value is written of each: Rails' pairs of a column and
//! what was bound (`[["mobile", "0412…"], ["LIMIT", 1]]`), and MyBatis' values with their types behind them
//! (`==> Parameters: 0412…(String), a text, with commas(String), null, 3(Integer)`). And less: Go's slices, whose values only
//! spaces part (`args="[0412… 482913]"`); the columns of a key that was violated.

use super::sql::{identifier, literal};
use super::{Field, Form, Tree};
use crate::finding::Span;
use memchr::memmem;

const MOST_LISTS: usize = 8;
const MOST_PAIRS: usize = 256;
/// No list is longer, in bytes.
const LIST_BYTES: usize = 16 * 1024;
/// Longest name of a type: `InputStreamReader`.
const TYPE_BYTES: usize = 32;

/// Adds what the pairs behind a statement name; gives whether there are some.
pub(super) fn pairs(text: &[u8], start: usize, tree: &mut Tree) -> bool {
    let known = tree.fields.len();
    let lists = memmem::find_iter(text.get(start..).unwrap_or_default(), b"[[\"");
    for at in lists.take(MOST_LISTS) {
        let mut pos = start + at + 1;
        for _ in 0..MOST_PAIRS {
            let Some(next) = pair(text, pos, tree) else { break };
            pos = next;
        }
    }
    tree.fields.len() > known
}

/// `["mobile", "0412…"]` at `pos`; gives where the next pair begins.
fn pair(text: &[u8], pos: usize, tree: &mut Tree) -> Option<usize> {
    let rest = text.get(pos..)?.strip_prefix(b"[\"")?;
    let len = memchr::memchr(b'"', rest.get(..rest.len().min(64))?)?;
    let name = identifier(text, pos + 2, pos + 2 + len)?;
    let from = pos + 2 + len + b"\", ".len();
    (text.get(from - 3..from) == Some(b"\", ")).then_some(())?;
    let (value, form, next) = literal(text, from)?;
    let behind = text.get(next..)?.strip_prefix(b"]")?;
    if !value.is_empty() {
        tree.fields.push(Field { name, value, container: 0, form });
    }
    behind.starts_with(b", ").then_some(next + b"], ".len())
}

/// PostgreSQL's `Key (phone, code)=(4479…, 482913) already exists.`: adds the columns of a key that was violated, whose sign
/// stands at `at`; gives where to go on.
pub(super) fn violated_key(text: &[u8], at: usize, start: usize, tree: &mut Tree) -> Option<usize> {
    const NAMES_BYTES: usize = 256;
    let head = text.get(start.max(at.saturating_sub(NAMES_BYTES))..at)?.strip_suffix(b")")?;
    let rest = text.get(at + 1..text.len().min(at + LIST_BYTES))?.strip_prefix(b"(")?;
    let open = at - 1 - head.len() + key_opens(head)?;
    let line = rest.get(..memchr::memchr(b'\n', rest).unwrap_or(rest.len()))?;
    // What somebody wrote may have brackets of its own, and more of one kind.
    let close = closes(line).or_else(|| memchr::memrchr(b')', line))?;
    let names = text.get(open..at - 1)?;
    let count = names.split(|b| *b == b',').count();
    let values = line.get(..close)?;
    if memmem::find_iter(values, b", ").count() + 1 < count {
        return None;
    }
    let (mut name_at, mut from) = (open, at + 2);
    for (place, written) in names.split(|b| *b == b',').enumerate() {
        let left = text.get(from..at + 2 + close).unwrap_or_default();
        let len = if place + 1 == count { left.len() } else { memmem::find(left, b", ")? };
        let column = column_of(written);
        let name = identifier(text, name_at + column.start, name_at + column.end);
        if let Some(name) = name.filter(|_| len > 0) {
            let value = Span::new(from, from + len);
            tree.fields.push(Field { name, value, container: 0, form: Form::Element });
        }
        name_at += written.len() + 1;
        from += len + b", ".len();
    }
    Some(at + 2 + close)
}

/// Where the bracket closes that opened before a text.
fn closes(text: &[u8]) -> Option<usize> {
    let mut open = 1_usize;
    memchr::memchr2_iter(b'(', b')', text).find(|at| {
        open = if text.get(*at) == Some(&b'(') { open + 1 } else { open - 1 };
        open == 0
    })
}

/// Where the list of a key's columns opens, which ends where `head` does; behind a bracket that functions may have, too.
fn key_opens(head: &[u8]) -> Option<usize> {
    let mut open = 0_usize;
    let depth = |at: &usize| {
        match head.get(*at) {
            Some(b')') => open += 1,
            Some(b'(') if open == 0 => return true,
            Some(b'(') => open -= 1,
            _ => {}
        }
        false
    };
    (0..head.len()).rev().find(depth).map(|at| at + 1)
}

/// The column in `phone`, ` "phone"`, ` lower(email::text)`.
fn column_of(written: &[u8]) -> std::ops::Range<usize> {
    let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b >= 0x80;
    let inner = memchr::memrchr(b'(', written).map_or(0, |at| at + 1);
    let from = inner + written.get(inner..).unwrap_or_default().iter().take_while(|b| !part(b)).count();
    from..from + written.get(from..).unwrap_or_default().iter().take_while(|b| part(b)).count()
}

/// Where a list opens whose values are parted by spaces alone, as Go prints a slice: `args="[4479… 482913]"`.
pub(super) fn spaced_list(text: &[u8], from: usize) -> Option<usize> {
    const SIGN: &[u8] = b" args=\"[";
    memmem::find(text.get(from..)?, SIGN).map(|at| from + at + SIGN.len())
}

/// Adds the values of such a list, one for each of `count` places. Numbers at either end are one word each; what is left
/// between them is one value if one place is left, else a word for each.
pub(super) fn spaced(
    text: &[u8],
    open: usize,
    count: usize,
    name_of: &dyn Fn(usize) -> Option<Span>,
    tree: &mut Tree,
) {
    let rest = text.get(open..text.len().min(open + LIST_BYTES)).unwrap_or_default();
    let Some(len) = memmem::find(rest, b"]\"") else { return };
    let (mut from, mut to, mut first, mut last) = (open, open + len, 0, count);
    let mut add = |place: usize, value: Span| {
        if let Some(name) = name_of(place).filter(|_| !value.is_empty()) {
            tree.fields.push(Field { name, value, container: 0, form: Form::Element });
        }
    };
    let number = |word: &[u8]| !word.is_empty() && word.iter().all(|b| b.is_ascii_digit() || *b == b'+');
    while last > first + 1 {
        let word = text.get(from..to).unwrap_or_default().split(|b| *b == b' ').next().unwrap_or_default();
        if !number(word) || from + word.len() == to {
            break;
        }
        add(first, Span::new(from, from + word.len()));
        (from, first) = (from + word.len() + 1, first + 1);
    }
    while last > first + 1 {
        let word = text.get(from..to).unwrap_or_default().rsplit(|b| *b == b' ').next().unwrap_or_default();
        if !number(word) || from + word.len() == to {
            break;
        }
        add(last - 1, Span::new(to - word.len(), to));
        (to, last) = (to - word.len() - 1, last - 1);
    }
    let between = text.get(from..to).unwrap_or_default();
    if last == first + 1 {
        add(first, Span::new(from, to));
    } else if between.split(|b| *b == b' ').count() == last - first {
        for (place, word) in (first..last).zip(between.split(|b| *b == b' ')) {
            add(place, Span::new(from, from + word.len()));
            from += word.len() + 1;
        }
    }
}

/// Whether a list of values with their types opens at `from`, behind the word for it.
pub(super) fn is_typed(text: &[u8], from: usize) -> bool {
    text.get(..from).is_some_and(|head| head.ends_with(b"==> Parameters"))
}

/// Adds the values of such a list, by what each place stands for.
pub(super) fn typed(text: &[u8], from: usize, name_of: &dyn Fn(usize) -> Option<Span>, tree: &mut Tree) {
    let mut pos = from + b": ".len();
    let rest = text.get(pos..text.len().min(pos + LIST_BYTES)).unwrap_or_default();
    let end = pos + rest.len();
    for place in 0..MOST_PAIRS {
        let Some((value, next)) = typed_value(text, pos, end) else { return };
        if let Some(name) = name_of(place)
            && !value.is_empty()
        {
            tree.fields.push(Field { name, value, container: 0, form: Form::Element });
        }
        match text.get(next..) {
            Some(behind) if behind.starts_with(b", ") => pos = next + 2,
            _ => return,
        }
    }
}

/// A value that begins at `pos`, and where its type ends; one that is nothing has none.
fn typed_value(text: &[u8], pos: usize, end: usize) -> Option<(Span, usize)> {
    let rest = text.get(pos..end)?;
    let ends = |at: usize| {
        rest.get(at..).is_some_and(|behind| behind.is_empty() || behind.starts_with(b", "))
            || matches!(rest.get(at), Some(b'\n' | b'\r'))
    };
    if rest.starts_with(b"null") && ends(4) {
        return Some((Span::new(pos, pos), pos + 4));
    }
    memchr::memchr_iter(b'(', rest).find_map(|open| {
        let kind = rest.get(open + 1..)?;
        let len = kind.iter().take(TYPE_BYTES).take_while(|b| b.is_ascii_alphanumeric()).count();
        let close = open + 1 + len;
        let is_type = kind.first()?.is_ascii_uppercase() && rest.get(close) == Some(&b')') && ends(close + 1);
        is_type.then(|| (Span::new(pos, pos + open), pos + close + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut tree = Tree::default();
        tree.reset();
        super::super::sql::walk(text.as_bytes(), 0, &mut tree);
        tree.assert_fields(text, want);
    }

    #[test]
    fn pairs_of_a_column_and_its_value() {
        check(
            "SELECT * FROM m WHERE m.\"mobile\" = $1 LIMIT $2  [[\"mobile\", \"12\"], [\"LIMIT\", 1]]",
            &[("mobile", "12"), ("LIMIT", "1")],
        );
        check(
            "INSERT INTO m (a, b) VALUES ($1, $2) RETURNING \"id\" [[\"a\", \"x, ]] y\"], [\"b\", nil]]",
            &[("a", "x, ]] y"), ("b", "nil")],
        );
        check("SELECT 1 WHERE a = ? [[\"12\", \"13\"]]", &[]);
    }

    #[test]
    fn keys_that_were_violated() {
        #[track_caller]
        fn check(text: &str, want: &[(&str, &str)]) {
            let mut tree = Tree::default();
            tree.reset();
            let at = text.find(")=(").map_or(0, |at| at + 1);
            let _ = violated_key(text.as_bytes(), at, 0, &mut tree);
            tree.assert_fields(text, want);
        }
        check("Key (phone)=(12) already exists.", &[("phone", "12")]);
        check("Key (a, b)=(12, x y) is not present in table \"t\".", &[("a", "12"), ("b", "x y")]);
        check("Key (lower(email::text))=(a@b.example) already exists.", &[("email", "a@b.example")]);
        check("Key (name)=(Ada (2nd) Roe) already exists.", &[("name", "Ada (2nd) Roe")]);
        check("Key (name)=(Ada :( Roe) already exists.", &[("name", "Ada :( Roe")]);
        check("Key (a, body)=(12, x, y) already exists.", &[("a", "12"), ("body", "x, y")]);
        check("Key (a, b)=(12) already exists.", &[]);
        check("f(2)=(3)", &[]);
    }

    #[test]
    fn values_parted_by_spaces() {
        let sql = "sql=\"insert into o (a, b, c) values ($1, $2, $3)\"";
        for (list, want) in [
            ("12 x y z 13", &[("a", "12"), ("c", "13"), ("b", "x y z")][..]),
            ("12 x y", &[("a", "12"), ("b", "x"), ("c", "y")]),
            ("12 x y z", &[("a", "12")]),
            ("12 13 14", &[("a", "12"), ("b", "13"), ("c", "14")]),
            ("", &[]),
        ] {
            check(&format!("{sql} args=\"[{list}]\" took=3"), want);
        }
    }

    #[test]
    fn values_with_their_types() {
        check(
            "insert into o (a, b, c, d) values (?, ?, ?, ?)\n==> Parameters: 12(String), x, (y), z(String), null, 3(Integer)\n<== Updates: 1",
            &[("a", "12"), ("b", "x, (y), z"), ("d", "3")],
        );
        check("select 1 from o where a = ?\n==> Parameters: 12", &[]);
    }
}

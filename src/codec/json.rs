//! A walk over JSON that never gives up: what is broken or cut off is walked as far as it parses and
//! handed on as junk, so that the rest is still looked at (RFC 8259 where the input keeps to it).
//!
//! Iterative: nesting costs a list entry, never stack. No document tree: spans only.

use super::{Container, Field, Form, Tree};
use crate::finding::Span;
use memchr::memchr2;

/// Whether a JSON value may start at `pos`: an object or an array whose first byte inside fits.
#[must_use]
pub fn starts_at(text: &[u8], pos: usize) -> bool {
    match text.get(pos) {
        Some(b'{') => object_starts(text, pos),
        Some(b'[') => match first_inside(text, pos) {
            Some((at, b'{')) => object_starts(text, at),
            Some((_, b'"' | b']')) => true,
            // Arrays in arrays; `[[` before a word is somebody's bracket.
            Some((at, b'[')) => {
                at == pos + 1
                    && matches!(text.get(at + 1), Some(b'{' | b'"' | b'[' | b']' | b'-' | b'0'..=b'9'))
            }
            _ => false,
        },
        _ => false,
    }
}

/// The longest member name that is looked through for its colon.
const NAME_BYTES: usize = 256;

/// `{}` or `{"name":`; not Ruby's `{"name"=>`, not PHP's nor Java's `{name=`.
fn object_starts(text: &[u8], pos: usize) -> bool {
    match first_inside(text, pos) {
        Some((_, b'}')) => true,
        Some((at, b'"')) => {
            let near = text.get(..text.len().min(at + NAME_BYTES)).unwrap_or_default();
            let (end, _) = string_end(near, at + 1);
            // A name that is cut off or very long: JSON, as far as can be seen.
            end >= near.len()
                || text
                    .get(end + 1..)
                    .unwrap_or_default()
                    .iter()
                    .copied()
                    .find(|b| !is_space(*b))
                    .is_none_or(|b| b == b':')
        }
        _ => false,
    }
}

/// The first byte behind the bracket at `pos` that is no white space, and where it stands.
fn first_inside(text: &[u8], pos: usize) -> Option<(usize, u8)> {
    let rest = text.get(pos + 1..)?;
    let at = rest.iter().position(|b| !is_space(*b))?;
    rest.get(at).map(|byte| (pos + 1 + at, *byte))
}

/// White space as RFC 8259 has it.
#[must_use]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Open {
    container: u32,
    array: bool,
    /// The member name that waits for its value.
    name: Span,
}

/// The walk's stack, kept between records.
#[derive(Default)]
pub struct Walker {
    stack: Vec<Open>,
}

impl Walker {
    /// Walks the value at `start` (an object or an array) and adds what it finds to `tree` under
    /// `root`, whose member name is `name`. Gives the position behind the value, or the end of the
    /// text where the value is cut off.
    pub fn walk(&mut self, text: &[u8], start: usize, root: u32, name: Span, tree: &mut Tree) -> usize {
        self.stack.clear();
        let mut pos = start;
        let mut pending = name;
        loop {
            let Some(&byte) = text.get(pos) else { return text.len() };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => pos += 1,
                b':' => pos += 1,
                b'{' | b'[' => {
                    let name = self.take_name(&mut pending);
                    let parent = self.stack.last().map_or(root, |open| open.container);
                    let index = u32::try_from(tree.containers.len()).unwrap_or(u32::MAX);
                    tree.containers.push(Container { parent, name, array: byte == b'[' });
                    self.stack.push(Open { container: index, array: byte == b'[', name: Span::new(0, 0) });
                    tree.depth = tree.depth.max(self.stack.len());
                    pos += 1;
                }
                b'}' | b']' => {
                    pos += 1;
                    self.stack.pop();
                    if self.stack.is_empty() {
                        return pos;
                    }
                }
                b'"' => pos = self.string(text, pos + 1, &mut pending, root, tree),
                _ => pos = self.bare(text, pos, &mut pending, root, tree),
            }
        }
    }

    fn take_name(&mut self, pending: &mut Span) -> Span {
        match self.stack.last_mut() {
            Some(open) => std::mem::take(&mut open.name),
            None => std::mem::take(pending),
        }
    }

    /// A string whose opening quote stands before `pos`: a member name or a value.
    fn string(&mut self, text: &[u8], pos: usize, pending: &mut Span, root: u32, tree: &mut Tree) -> usize {
        let (end, escaped) = string_end(text, pos);
        let span = Span::new(pos, end);
        let behind = end + 1;
        let is_name = self.stack.last().is_some_and(|open| !open.array && open.name.is_empty())
            && next_is_colon(text, behind);
        if is_name {
            if let Some(open) = self.stack.last_mut() {
                open.name = span;
            }
            tree.keys.push(span);
            return behind;
        }
        let form = if escaped { Form::JsonEscaped } else { Form::JsonString };
        self.push(span, form, pending, root, tree);
        behind.min(text.len())
    }

    /// A number, a word, or bytes that are no JSON.
    fn bare(&mut self, text: &[u8], pos: usize, pending: &mut Span, root: u32, tree: &mut Tree) -> usize {
        let rest = text.get(pos..).unwrap_or_default();
        let len = rest
            .iter()
            .position(|b| matches!(b, b',' | b'}' | b']' | b'"' | b'{' | b'[' | b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(rest.len())
            .max(1);
        let bytes = rest.get(..len).unwrap_or_default();
        let form = if is_number(bytes) {
            Form::JsonNumber
        } else if bytes.iter().all(u8::is_ascii_alphabetic) {
            Form::JsonWord
        } else {
            Form::Junk
        };
        self.push(Span::new(pos, pos + len), form, pending, root, tree);
        pos + len
    }

    fn push(&mut self, value: Span, form: Form, pending: &mut Span, root: u32, tree: &mut Tree) {
        let name = self.take_name(pending);
        let container = self.stack.last().map_or(root, |open| open.container);
        tree.fields.push(Field { name, value, container, form });
    }
}

/// End of the string that begins at `pos` (position of its closing quote, or of the text's end), and
/// whether a backslash stands in it.
#[must_use]
pub fn string_end(text: &[u8], mut pos: usize) -> (usize, bool) {
    let mut escaped = false;
    loop {
        let Some(at) = quote_or_backslash(text.get(pos..).unwrap_or_default()) else {
            return (text.len(), escaped);
        };
        if text.get(pos + at) == Some(&b'"') {
            return (pos + at, escaped);
        }
        escaped = true;
        pos += at + 2;
    }
}

/// As `memchr2`, which is slower to begin than most strings are long.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const QUOTES: u64 = ONES * b'"' as u64;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    let (words, _) = text.as_chunks::<8>();
    for (place, word) in words.iter().take(4).enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest byte that is zero has its highest bit set; bytes above it may have.
        let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & HIGHS;
        let found = zero(word ^ QUOTES) | zero(word ^ BACKSLASHES);
        if found != 0 {
            return Some(place * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let read = words.len().min(4) * 8;
    memchr2(b'"', b'\\', text.get(read..)?).map(|at| read + at)
}

fn next_is_colon(text: &[u8], pos: usize) -> bool {
    text.get(pos..).unwrap_or_default().iter().copied().find(|b| !is_space(*b)) == Some(b':')
}

/// The number grammar of RFC 8259, and nothing else.
#[must_use]
pub fn is_number(bytes: &[u8]) -> bool {
    let digits =
        |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
    let mut pos = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(pos);
    if whole == 0 || (whole > 1 && bytes.get(pos) == Some(&b'0')) {
        return false;
    }
    pos += whole;
    if bytes.get(pos) == Some(&b'.') {
        let fraction = digits(pos + 1);
        if fraction == 0 {
            return false;
        }
        pos += 1 + fraction;
    }
    if matches!(bytes.get(pos), Some(b'e' | b'E')) {
        pos += 1;
        if matches!(bytes.get(pos), Some(b'+' | b'-')) {
            pos += 1;
        }
        let exponent = digits(pos);
        if exponent == 0 {
            return false;
        }
        pos += exponent;
    }
    pos == bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<(String, String, Form)> {
        let mut tree = Tree::default();
        tree.reset();
        let end = Walker::default().walk(text.as_bytes(), 0, 0, Span::default(), &mut tree);
        assert!(end <= text.len());
        let read = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        tree.fields.iter().map(|f| (read(tree.name_of(f)), read(f.value), f.form)).collect()
    }

    #[test]
    fn members_items_duplicates_and_numbers() {
        let got = fields(r#"{"a":1,"b":{"c":["x","y\n"]},"a":"2","d":null,"n":-1.5e3}"#);
        let want = [
            ("a", "1", Form::JsonNumber),
            ("c", "x", Form::JsonString),
            ("c", "y\\n", Form::JsonEscaped),
            ("a", "2", Form::JsonString),
            ("d", "null", Form::JsonWord),
            ("n", "-1.5e3", Form::JsonNumber),
        ];
        assert_eq!(got, want.map(|(n, v, f)| (n.to_owned(), v.to_owned(), f)));
    }

    #[test]
    fn what_is_cut_off_or_broken_is_still_walked() {
        assert_eq!(fields(r#"{"to":"+4420"#), [("to".to_owned(), "+4420".to_owned(), Form::JsonString)]);
        assert_eq!(fields(r#"{"a":tru"#), [("a".to_owned(), "tru".to_owned(), Form::JsonWord)]);
        assert_eq!(fields(r#"{"a":+1"#), [("a".to_owned(), "+1".to_owned(), Form::Junk)]);
        assert_eq!(fields(r#"{"a""b":"c"}"#).len(), 2);
        assert_eq!(fields("{\"a\":\"x\\").len(), 1);
    }

    #[test]
    fn numbers_keep_to_the_rfc() {
        for good in ["0", "-0", "10", "1.0", "1e5", "1E-5", "0.1e+9"] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1a", "NaN"] {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }
}

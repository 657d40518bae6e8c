//! A walk over JSON that never gives up: what is broken or cut off is walked as far as it parses and
//! handed on as junk, so that the rest is still looked at (RFC 8259 where the input keeps to it).
//!
//! Iterative: nesting costs a list entry, never stack. No document tree: spans only.

use super::{Container, Field, Form, Tree, byte_table, next_in};
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

/// A container that the walk is in.
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
        // What the value stands in takes it as an array takes its items.
        let mut open = Open { container: root, array: true, name };
        loop {
            let Some(&byte) = text.get(pos) else { return text.len() };
            match byte {
                b'"' => {
                    let (end, escaped) = string_end(text, pos + 1);
                    let span = Span::new(pos + 1, end);
                    pos = end + 1;
                    if !open.array
                        && open.name.is_empty()
                        && let Some(colon) = colon_at(text, pos)
                    {
                        open.name = span;
                        tree.keys.push(span);
                        pos = colon + 1;
                        continue;
                    }
                    pos = pos.min(text.len());
                    let form = if escaped { Form::JsonEscaped } else { Form::JsonString };
                    open.take(span, form, tree);
                }
                b' ' | b'\t' | b'\n' | b'\r' | b',' | b':' => pos += 1,
                b'{' | b'[' => {
                    let index = u32::try_from(tree.containers.len()).unwrap_or(u32::MAX);
                    let array = byte == b'[';
                    let name = std::mem::take(&mut open.name);
                    tree.containers.push(Container { parent: open.container, name, array });
                    let inner = Open { container: index, array, name: Span::new(0, 0) };
                    self.stack.push(std::mem::replace(&mut open, inner));
                    tree.depth = tree.depth.max(self.stack.len());
                    pos += 1;
                }
                b'}' | b']' => {
                    pos += 1;
                    match self.stack.pop() {
                        Some(outer) if !self.stack.is_empty() => open = outer,
                        _ => return pos,
                    }
                }
                _ => {
                    let end = bare_end(text, pos);
                    let span = Span::new(pos, end);
                    open.take(span, bare_form(span.of(text)), tree);
                    pos = end;
                }
            }
        }
    }
}

impl Open {
    /// A value that stands in the container.
    fn take(&mut self, value: Span, form: Form, tree: &mut Tree) {
        let name = std::mem::take(&mut self.name);
        tree.fields.push(Field { name, value, container: self.container, form });
    }
}

/// Bytes that end a number or a word.
const ENDS: [bool; 256] = byte_table(b",}]\"{[ \t\n\r");

/// End of a number, a word, or bytes that are no JSON: of one byte at the least.
#[must_use]
pub fn bare_end(text: &[u8], pos: usize) -> usize {
    next_in(&ENDS, text, pos + 1).unwrap_or(text.len())
}

/// How a value without quotes is to be read.
#[must_use]
pub fn bare_form(bytes: &[u8]) -> Form {
    if is_number(bytes) {
        Form::JsonNumber
    } else if bytes.iter().all(u8::is_ascii_alphabetic) {
        Form::JsonWord
    } else {
        Form::Junk
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

/// The colon that comes next, white space aside.
fn colon_at(text: &[u8], pos: usize) -> Option<usize> {
    let rest = text.get(pos..)?;
    let at = pos + rest.iter().position(|b| !is_space(*b))?;
    (text.get(at) == Some(&b':')).then_some(at)
}

/// The number grammar of RFC 8259, and nothing else.
#[must_use]
pub fn is_number(bytes: &[u8]) -> bool {
    // Most are whole numbers.
    if matches!(bytes.first(), Some(b'1'..=b'9')) && bytes.iter().all(u8::is_ascii_digit) {
        return true;
    }
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

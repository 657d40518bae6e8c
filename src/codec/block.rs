//! Block scalars of YAML (YAML 1.2.2 §8.1): `name: |` and `name: >`, whose value is the lines below that are
//! indented further.

use crate::finding::Span;

/// The lines that belong to the block whose sign stands at `sign`, behind the name; `None` where it is none.
pub(super) fn at(text: &[u8], name: Span, sign: usize) -> Option<Span> {
    let mut pos = sign + 1;
    // An indentation indicator and a chomping one, in either order.
    pos += text.get(pos..)?.iter().take(2).take_while(|b| matches!(b, b'+' | b'-' | b'1'..=b'9')).count();
    pos += text.get(pos..)?.iter().take_while(|b| matches!(b, b' ' | b'\r')).count();
    if text.get(pos) != Some(&b'\n') {
        return None;
    }
    let line = memchr::memrchr(b'\n', text.get(..name.start())?).map_or(0, |newline| newline + 1);
    let lead = text.get(line..name.start())?;
    if !lead.iter().all(|b| matches!(b, b' ' | b'-' | b'"' | b'\'')) {
        return None;
    }
    let (mut start, mut end) = (None, 0);
    pos += 1;
    while pos < text.len() {
        let rest = text.get(pos..)?;
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..len)?;
        let content = line.trim_ascii();
        let indent = line.iter().take_while(|b| **b == b' ').count();
        if !content.is_empty() {
            if indent <= lead.len() {
                break;
            }
            start.get_or_insert(pos + indent);
            end = pos + indent + content.len();
        }
        pos += len + 1;
    }
    start.map(|start| Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let (Some(name), Some(sign)) = (text.find('n'), text.find(['|', '>'])) else { panic!("{text}") };
        let got = at(text.as_bytes(), Span::new(name, name + 1), sign);
        let got = got.map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn blocks() {
        check("n: |\n  a b\n\n  c\nm: 1", Some("a b\n\n  c"));
        check("  - n: >-\n      a b\n    m: 1", Some("a b"));
        check("n: |2\n   a", Some("a"));
    }

    #[test]
    fn what_is_none() {
        check("n: | a\n  b", None);
        check("n: |\nm: 1", None);
        check("x of n: |\n  a", None);
        check("n: |", None);
    }
}

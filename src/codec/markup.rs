//! Elements of XML in running text.

use super::name::{NAME_BYTES, is_name_byte};
use super::{Field, Form, Tree, json};
use crate::finding::Span;

const CDATA: &[u8] = b"<![CDATA[";

/// The tag name that begins at `pos`, without the prefix of its namespace; empty for closing tags, comments
/// and whatever is no tag.
pub(super) fn tag_name(text: &[u8], pos: usize) -> Span {
    let rest = text.get(pos..).unwrap_or_default();
    if !rest.first().is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80) {
        return Span::default();
    }
    let len = rest.iter().take(NAME_BYTES).take_while(|b| is_name_byte(**b) || **b == b':').count();
    let name = rest.get(..len).unwrap_or_default();
    if !name.is_ascii() && std::str::from_utf8(name).is_err() {
        return Span::default();
    }
    let prefix = memchr::memrchr(b':', name).filter(|colon| colon + 1 < len).map_or(0, |colon| colon + 1);
    Span::new(pos + prefix, pos + len)
}

/// Elements that say only of what kind their value is: `<key>to</key><string>4479…</string>` in property lists
/// and XML-RPC, whose name stands before them.
const KINDS: [&[u8]; 8] = [b"string", b"integer", b"int", b"i4", b"real", b"value", b"val", b"data"];

/// The text of the `<key>` or `<name>` that ends right before the element whose tag's name begins at `tag`.
fn key_before(text: &[u8], tag: Span) -> Option<Span> {
    if !KINDS.iter().any(|kind| tag.of(text).eq_ignore_ascii_case(kind)) {
        return None;
    }
    let open = memchr::memrchr(b'<', text.get(tag.start().saturating_sub(NAME_BYTES)..tag.start())?)?;
    let mut before = text.get(..tag.start().saturating_sub(NAME_BYTES) + open)?.trim_ascii_end();
    before = before.strip_suffix(b"<value>").unwrap_or(before).trim_ascii_end();
    let ends: [&[u8]; 4] = [b"</key>", b"</name>", b"</Key>", b"</Name>"];
    let name = ends.iter().find_map(|end| before.strip_suffix(*end))?;
    let start = memchr::memrchr(b'>', name.get(name.len().saturating_sub(NAME_BYTES)..)?)?;
    let start = name.len().saturating_sub(NAME_BYTES) + start + 1;
    (start < name.len()).then(|| Span::new(start, name.len()))
}

/// `<name …>value</…`: adds the value, white space around it left out. What stands in `<![CDATA[ ]]>` is a
/// value whatever it looks like.
pub(super) fn element(text: &[u8], close: usize, tag: Span, tree: &mut Tree) {
    if tag.is_empty() || close.checked_sub(1).and_then(|p| text.get(p)) == Some(&b'/') {
        return;
    }
    let rest = text.get(close + 1..).unwrap_or_default();
    let space = rest.iter().take(64).take_while(|b| json::is_space(**b)).count();
    let (inside, from) = match rest.get(space..).and_then(|rest| rest.strip_prefix(CDATA)) {
        Some(data) => {
            let Some(end) = memchr::memmem::find(data, b"]]>") else { return };
            (data.get(..end).unwrap_or_default(), close + 1 + space + CDATA.len())
        }
        None => {
            // What the last stage put for a word is no tag.
            let tags = memchr::memchr_iter(b'<', rest).find(|at| rest.get(at + 1) != Some(&b'*'));
            let Some(end) = tags.filter(|end| rest.get(end + 1) == Some(&b'/')) else { return };
            (rest.get(..end).unwrap_or_default(), close + 1)
        }
    };
    let lead = inside.iter().take_while(|b| json::is_space(**b)).count();
    let tail = inside.iter().rev().take_while(|b| json::is_space(**b)).count();
    if lead + tail < inside.len() {
        let value = Span::new(from + lead, from + inside.len() - tail);
        let name = key_before(text, tag).unwrap_or(tag);
        tree.fields.push(Field { name, value, container: 0, form: Form::Element });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<(&str, &str)>) {
        let mut tree = Tree::default();
        tree.reset();
        let Some(close) = text.find('>') else { panic!("{text}") };
        element(text.as_bytes(), close, tag_name(text.as_bytes(), 1), &mut tree);
        let read = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
        let got = tree.fields.first().map(|f| (read(f.name), read(f.value)));
        assert_eq!(got.as_ref().map(|(n, v)| (n.as_str(), v.as_str())), want, "{text}");
    }

    #[test]
    fn elements() {
        check("<to> 12 </to>", Some(("to", "12")));
        check("<ns:to id='1'>12</ns:to>", Some(("to", "12")));
        check("<текст>a b</текст>", Some(("текст", "a b")));
        check("<m><![CDATA[a <b> & c]]></m>", Some(("m", "a <b> & c")));
        check("<m>\n  <![CDATA[ a ]]>\n</m>", Some(("m", "a")));
    }

    #[test]
    fn keys_before_values() {
        let mut tree = Tree::default();
        for text in ["<key>to</key> <string>12</string>", "<name>to</name><value><string>12</string></value>"]
        {
            let Some(tag) = text.find("<string").map(|at| at + 1) else { panic!("{text}") };
            tree.reset();
            element(text.as_bytes(), tag + 6, tag_name(text.as_bytes(), tag), &mut tree);
            assert_eq!(tree.fields.first().map(|f| f.name.of(text.as_bytes())), Some(&b"to"[..]), "{text}");
        }
    }

    #[test]
    fn what_is_no_value() {
        check("<m><n>a</n></m>", None);
        check("<m/>", None);
        check("<m>  </m>", None);
        check("<m><![CDATA[cut off", None);
        check("</m>12</m>", None);
    }
}

//! What PHP writes of its values: `serialize` (`a:1:{s:2:"to";s:12:"+14155550132";}`) and `print_r`'s
//! `[to:protected] => …`. Sources: php.net, `serialize` and `print_r`.

use super::{Field, Form, Tree};
use crate::finding::Span;

/// Arrays in arrays whose names are kept; deeper ones go by the last name.
const NAMES: usize = 16;
/// The head of an object, `O:9:"Sms\Entry":2:`, is no longer.
const HEAD_BYTES: usize = 160;

/// Whether the brace at `at` opens the members of a serialized array or object: `a:2:{s:`, `O:3:"Sms":2:{s:`.
pub(super) fn opens(text: &[u8], at: usize) -> bool {
    let members = text.get(at + 1..).unwrap_or_default();
    let before = text.get(at.saturating_sub(12)..at).unwrap_or_default();
    let Some(count) = before.strip_suffix(b":") else { return false };
    let digits = count.iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let typed = count.get(..count.len() - digits).unwrap_or_default();
    digits > 0
        && (typed.ends_with(b"a:") || typed.ends_with(b"\":"))
        && matches!(members, [b's' | b'i', b':', b'0'..=b'9' | b'-', ..])
}

/// Adds the members behind the brace at `brace`, of arrays in arrays too; where to go on. Linear: every byte is
/// passed once.
pub(super) fn members(text: &[u8], brace: usize, tree: &mut Tree) -> usize {
    let mut around = [Span::default(); NAMES];
    let mut depth = 1usize;
    let mut name: Option<Span> = None;
    let mut pos = brace + 1;
    while depth > 0 {
        let list = around.get(depth.min(NAMES) - 1).copied().unwrap_or_default();
        let (value, form, next) = match text.get(pos) {
            Some(b'}') => {
                depth -= 1;
                pos += 1;
                name = None;
                continue;
            }
            Some(b's') => {
                let Some((value, next)) = string(text, pos) else { break };
                (value, Form::Quoted, next)
            }
            Some(b'i' | b'd' | b'b' | b'N' | b'r' | b'R') => {
                let rest = text.get(pos..).unwrap_or_default();
                let Some(len) = rest.iter().take(40).position(|b| *b == b';') else { break };
                (Span::new(pos + len.min(2), pos + len), Form::Bare, pos + len + 1)
            }
            Some(b'a' | b'O') => {
                let head = text.get(pos..text.len().min(pos + HEAD_BYTES)).unwrap_or_default();
                let Some(len) = memchr::memchr(b'{', head) else { break };
                if let Some(place) = around.get_mut(depth) {
                    *place = name.unwrap_or(list);
                }
                depth += 1;
                pos += len + 1;
                name = None;
                continue;
            }
            _ => break,
        };
        pos = next;
        match name.take() {
            Some(name) => tree.fields.push(Field { name, value, container: 0, form }),
            // A list's members are counted; they go by the list's name.
            None => name = Some(if form == Form::Quoted { own_name(text, value) } else { list }),
        }
    }
    pos
}

/// `s:5:"hello";` at `pos`: the text, and where to go on. Where the count is not of the text (a part of it was
/// replaced, or its encoding changed), it ends with the next `";`.
fn string(text: &[u8], pos: usize) -> Option<(Span, usize)> {
    let rest = text.get(pos..)?.strip_prefix(b"s:")?;
    let digits = rest.iter().take(9).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || rest.get(digits..digits + 2) != Some(b":\"") {
        return None;
    }
    let bytes: usize = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let start = pos + 2 + digits + 2;
    let counted = start.saturating_add(bytes);
    let fits = text.get(counted..).is_some_and(|rest| rest.starts_with(b"\";"));
    let behind = text.get(start..)?;
    let end = match fits {
        true => counted,
        false => start + memchr::memmem::find(behind, b"\";").unwrap_or(behind.len()),
    };
    Some((Span::new(start, end), (end + 2).min(text.len())))
}

/// A member's name without what PHP writes before private and protected ones: `\0*\0to`, `\0Sms\0to`.
fn own_name(text: &[u8], name: Span) -> Span {
    let nul = memchr::memrchr(0, name.of(text)).map_or(0, |at| at + 1);
    Span::new(name.start() + nul, name.end())
}

/// The value behind the arrow that ends at `from`, of a member that `print_r` wrote on a line of its own: all of the
/// line, `    [text] => [Brand] see you`, and the lines behind it up to the next member.
pub(super) fn printed(text: &[u8], name: Span, from: usize) -> Option<Span> {
    const LINES: usize = 16;
    let margin = text.get(name.start().saturating_sub(32)..name.start())?.strip_suffix(b"[")?;
    let blank = margin.iter().rev().take_while(|b| **b == b' ').count();
    let opens = margin.get(..margin.len() - blank)?;
    if !(opens.ends_with(b"\n") || opens.is_empty() && margin.len() < 31) || blank == 0 {
        return None;
    }
    let line_end = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        at + memchr::memchr(b'\n', rest).unwrap_or(rest.len())
    };
    let first = line_end(from);
    let mut end = first;
    for _ in 0..LINES {
        let next = text.get(end + 1..line_end(end + 1)).unwrap_or_default();
        let member = next.trim_ascii_start();
        let closes = matches!(member, b")")
            || member.starts_with(b"[") && memchr::memmem::find(member, b"] =>").is_some();
        if closes || end >= text.len() {
            break;
        }
        end += next.len() + 1;
    }
    // Where no other member follows, the lines behind are somebody else's.
    let end = if end >= text.len() { first } else { end };
    let raw = text.get(from..end)?;
    let value = raw.trim_ascii();
    let nested =
        value.starts_with(b"Array") || memchr::memmem::find(value, b" Object").is_some_and(|at| at < 64);
    let start = from + raw.len() - raw.trim_ascii_start().len();
    (!value.is_empty() && !nested).then(|| Span::new(start, start + value.len()))
}

/// Whether what stands behind the colon at `colon` says only who may see a member: `[to:protected] => `,
/// `[to:Sms\Entry:private] => `, `["to":protected]=>`.
pub(super) fn is_visibility(text: &[u8], colon: usize) -> bool {
    let near = text.get(colon + 1..text.len().min(colon + 1 + HEAD_BYTES)).unwrap_or_default();
    let Some(close) = memchr::memchr2(b']', b' ', near) else { return false };
    let inside = near.get(..close).unwrap_or_default();
    (inside.ends_with(b"protected") || inside.ends_with(b"private"))
        && near.get(close + 1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"=>"))
}

/// Where a member's name ends before the bracket at `end`: at its first colon, if `:protected` or `:private` follows.
pub(super) fn name_end(text: &[u8], floor: usize, end: usize) -> usize {
    let inside = text.get(floor..end).unwrap_or_default();
    if !(inside.ends_with(b":protected") || inside.ends_with(b":private")) {
        return end;
    }
    let open = memchr::memrchr(b'[', inside).map_or(0, |at| at + 1);
    let member = inside.get(open..).unwrap_or_default();
    memchr::memchr(b':', member).map_or(end, |colon| floor + open + colon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let Some(brace) = text.find('{') else { panic!("{text}") };
        assert!(opens(text.as_bytes(), brace), "{text}");
        let mut tree = Tree::default();
        tree.reset();
        members(text.as_bytes(), brace, &mut tree);
        tree.assert_fields(text, want);
    }

    #[test]
    fn serialized_members() {
        check(r#"a:2:{s:2:"to";s:12:"+14155550132";s:1:"n";i:3;}"#, &[("to", "+14155550132"), ("n", "3")]);
        check(r#"O:3:"Sms":1:{s:4:"text";s:7:"a";"b";";}"#, &[("text", "a\";\"b\";")]);
        check("O:3:\"Sms\":1:{s:5:\"\0*\0to\";s:1:\"x\";}", &[("to", "x")]);
        check(
            r#"a:2:{s:2:"to";a:2:{i:0;s:1:"x";i:1;s:1:"y";}s:1:"n";N;}"#,
            &[("to", "x"), ("to", "y"), ("n", "")],
        );
    }

    #[test]
    fn counts_that_do_not_fit() {
        check(r#"a:1:{s:2:"to";s:12:"[PHONE:+1]";}"#, &[("to", "[PHONE:+1]")]);
        check(r#"a:1:{s:2:"to";s:12:"+1415"#, &[("to", "+1415")]);
        check(r#"a:1:{s:2:"to";x"#, &[]);
    }

    #[test]
    fn other_braces() {
        for text in ["{s:1:\"x\"}", "a:2:{x", "b{s:1", "12:{s:1:"] {
            let Some(brace) = text.find('{') else { panic!("{text}") };
            assert!(!opens(text.as_bytes(), brace), "{text}");
        }
    }

    #[test]
    fn who_may_see_a_member() {
        for (text, want) in [
            ("[to:protected] => x", true),
            ("[to:Sms\\Entry:private] => x", true),
            ("[to:private]", false),
            ("[to:1] => x", false),
        ] {
            assert_eq!(is_visibility(text.as_bytes(), 3), want, "{text}");
        }
        assert_eq!(name_end(b"[to:Sms:private", 0, 15), 3);
        assert_eq!(name_end(b"[to:Sms", 0, 7), 7);
    }
}

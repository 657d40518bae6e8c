//! Redis commands as `MONITOR` prints them, each argument in quotes: `"HSET" "otp:7" "phone" "+4479…" "code" "4829"`.

use super::{Field, Form, Tree};
use crate::finding::Span;
use memchr::memmem;
use std::sync::LazyLock;

static PARTED: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(b"\" \""));

/// Commands that write pairs, and how many arguments stand before them.
const COMMANDS: [(&[u8], usize); 6] =
    [(b"HSET", 1), (b"HMSET", 1), (b"HSETNX", 1), (b"XADD", 2), (b"MSET", 0), (b"MSETNX", 0)];
/// Arguments that are read of a command.
const MOST: usize = 128;
const LONGEST: usize = 4096;

/// Adds the fields of hashes and streams that a command writes.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) {
    // A time stands first, or the command itself.
    let begins = |rest: &&[u8]| matches!(rest.first(), Some(b'0'..=b'9' | b'"'));
    let Some(rest) = text.get(start..).filter(begins) else { return };
    let Some(first) = PARTED.find(rest) else { return };
    let open = rest.get(..first).and_then(|head| memchr::memrchr(b'"', head));
    let Some(open) = open.map(|open| start + open) else { return };
    let mut arguments = Arguments { text, at: open };
    let Some((command, _)) = arguments.next() else { return };
    // Before the pairs: the key; a stream has an id, too.
    let before = COMMANDS.iter().find(|(known, _)| command.of(text).eq_ignore_ascii_case(known));
    let Some((_, before)) = before else { return };
    let mut arguments = arguments.skip(*before).take(MOST);
    while let (Some((name, _)), Some((value, escaped))) = (arguments.next(), arguments.next()) {
        if !value.is_empty() {
            let form = if escaped { Form::QuotedEscaped } else { Form::Quoted };
            tree.fields.push(Field { name, value, container: 0, form });
        }
    }
}

/// Arguments in quotes with a space between, and whether escapes stand in them.
struct Arguments<'a> {
    text: &'a [u8],
    at: usize,
}

impl Iterator for Arguments<'_> {
    type Item = (Span, bool);

    fn next(&mut self) -> Option<(Span, bool)> {
        let start = self.at + 1;
        let rest = self.text.get(start..self.text.len().min(start + LONGEST))?;
        if self.text.get(self.at) != Some(&b'"') {
            return None;
        }
        let (mut pos, mut escaped) = (0, false);
        loop {
            let at = pos + memchr::memchr2(b'"', b'\\', rest.get(pos..)?)?;
            if rest.get(at) == Some(&b'"') {
                self.at = start + at + 1 + usize::from(rest.get(at + 1) == Some(&b' '));
                return Some((Span::new(start, start + at), escaped));
            }
            escaped = true;
            pos = at + 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut tree = Tree::default();
        tree.reset();
        walk(text.as_bytes(), 0, &mut tree);
        tree.assert_fields(text, want);
    }

    #[test]
    fn commands() {
        let fields = [("phone", "+1"), ("code", "48\\\"29")];
        check("1.5 [0 192.0.2.7:1] \"hset\" \"otp:7\" \"phone\" \"+1\" \"code\" \"48\\\"29\"", &fields);
        check("\"XADD\" \"stream:sms\" \"*\" \"phone\" \"+1\" \"code\" \"48\\\"29\" x", &fields);
        check("\"GET\" \"otp:7\" \"phone\" \"+1\"", &[]);
        check("\"HSET\" \"otp:7\" \"phone", &[]);
        check("\" \"\" \" \"", &[]);
    }
}

//! Objects as programs print them: `Customer(id=7, name=Ada)`, `Customer{id='7', name='Ada'}`, `Customer { Id: 7 }`, `Customer[id=7]`. Their
//! members stand in a container that goes by the class's name.

use super::name::{is_name_byte, name_ending_at};
use super::{Container, Tree};
use crate::finding::Span;

/// The object that the walk is in.
#[derive(Default)]
pub(super) struct Object {
    container: Option<u32>,
    /// Where the last member's value ended.
    end: usize,
}

impl Object {
    /// Puts the first field that was added from `known` on into the object it is a member of.
    pub(super) fn take_in(&mut self, text: &[u8], start: usize, known: usize, tree: &mut Tree) {
        let Some(field) = tree.fields.get(known).copied().filter(|field| !field.name.is_empty()) else {
            return;
        };
        if field.container != 0 {
            self.container = None;
            return;
        }
        let begin = field.name.start();
        if self.container.is_none() && begins_no_object(text.get(start..begin).unwrap_or_default()) {
            self.end = field.value.end();
            return;
        }
        let quoted = matches!(begin.checked_sub(1).and_then(|at| text.get(at)), Some(b'"' | b'\''));
        let begin = begin - usize::from(quoted);
        // Behind a comma no object begins.
        let follows = text.get(self.end..begin).is_some_and(|between| {
            self.container.is_some()
                && between.len() <= MEMBER_GAP
                && between.trim_ascii_end().ends_with(b",")
                && !between.iter().any(|b| matches!(b, b')' | b'}' | b']' | b'\n'))
        });
        if !follows {
            self.container = class_before(text, start, begin).map(|name| {
                tree.containers.push(Container { parent: 0, name, array: false });
                u32::try_from(tree.containers.len() - 1).unwrap_or(0)
            });
        }
        self.end = field.value.end();
        if let (Some(container), Some(field)) = (self.container, tree.fields.get_mut(known)) {
            field.container = container;
        }
    }
}

/// Whether what stands before a name ends in a space and a byte that opens nothing, as most names do.
fn begins_no_object(head: &[u8]) -> bool {
    matches!(head, [.., last, b' '] if !matches!(last, b'(' | b'{' | b'[') && !last.is_ascii_whitespace())
}

/// Between two members: the rest of a value of several words, a quote, a comma.
const MEMBER_GAP: usize = 64;
/// No class's name is longer.
const CLASS_BYTES: usize = 64;

/// What the names of classes end in that are about programs.
const TECHNICAL: [&[u8]; 24] = [
    b"Record",
    b"Request",
    b"Response",
    b"Event",
    b"Message",
    b"Entity",
    b"Dto",
    b"DTO",
    b"Command",
    b"Result",
    b"Entry",
    b"Item",
    b"Info",
    b"Data",
    b"Job",
    b"Task",
    b"Payload",
    b"State",
    b"Config",
    b"Exception",
    b"Error",
    b"Context",
    b"Object",
    b"Sms",
];

/// The class's name before the bracket that opens right before `at`: capital first, small letters in it.
fn class_before(text: &[u8], start: usize, at: usize) -> Option<Span> {
    let head = text.get(start..at)?.trim_ascii_end();
    // `'chat': {'id': 7, …}`, `chat: { id: 7, … }`: what a dictionary stands behind in another.
    if let Some(named) = head.strip_suffix(b"{").map(<[u8]>::trim_ascii_end)
        && named.ends_with(b":")
    {
        return Some(name_ending_at(text, start + named.len() - 1, start)).filter(|name| !name.is_empty());
    }
    let open =
        head.strip_suffix(b"(").or_else(|| head.strip_suffix(b"{")).or_else(|| head.strip_suffix(b"["));
    let class = open?.trim_ascii_end();
    let len = class.iter().rev().take(CLASS_BYTES).take_while(|b| is_name_byte(**b) && **b != b'.').count();
    let name = class.get(class.len() - len..)?;
    // What every program has says nothing of its members: `ConsumerRecord(key = …)`.
    if TECHNICAL.iter().any(|end| name.ends_with(end)) {
        return None;
    }
    let camel = name.first().is_some_and(u8::is_ascii_uppercase) && name.iter().any(u8::is_ascii_lowercase);
    (camel && len >= 3).then(|| Span::new(start + class.len() - len, start + class.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let Some(at) = text.find('|') else { panic!("{text}") };
        let text = text.replace('|', "");
        let got = class_before(text.as_bytes(), 0, at);
        let got = got.map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn classes() {
        check("created Customer(|id=7", Some("Customer"));
        check("x.y.Member { |id: 7", Some("Member"));
        check("saved Customer[|id=7", Some("Customer"));
        check("update={'chat': {|'id': 7", Some("chat"));
        check("got { from: { |id: 7", Some("from"));
        check("ConsumerRecord(|key = 7", None);
        check("(|id=7", None);
        check("SELECT(|id=7", None);
        check("call(|id=7", None);
        check("Customer, |id=7", None);
    }
}

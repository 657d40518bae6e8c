//! WhatsApp ids: `<digits>@s.whatsapp.net`, with device and agent, groups, opaque ids.

use super::scan::Scan;
use super::{Confidence, Form, Hit};
use crate::numbering;

/// Bytes looked at behind the digits: `-<13 digits>`, `.0:12`, and the host.
const AHEAD: usize = 48;

/// An id whose digits begin at `start`, in one piece.
pub(super) fn at(text: &[u8], start: usize, scan: &Scan) -> Option<Hit> {
    let mut len = scan.run();
    let mut end = scan.end(len);
    if end - start != len || scan.opened {
        // Digits of other scripts or invisible characters: no machine wrote this.
        return None;
    }
    if scan.more && len == scan.digits().len() {
        // A group's id may be longer than a scan.
        len += text.get(end..).unwrap_or_default().iter().take(12).take_while(|b| b.is_ascii_digit()).count();
        end = start + len;
    }
    let rest = text.get(end..text.len().min(end + AHEAD)).unwrap_or_default();
    let mut parts = Behind { rest, len: 0 };
    let created = parts.take_number(b'-', 13);
    let number_end = end + parts.len;
    parts.take_number(b'.', 3);
    parts.take_number(b'_', 3);
    parts.take_number(b':', 4);
    let form = match parts.host()? {
        Host::Person => Form::Jid,
        Host::Group if created => Form::Jid,
        Host::Group => Form::Group,
        Host::Opaque => Form::Lid,
    };
    if len < 5 || (form == Form::Jid && len > 15) {
        return None;
    }
    let code =
        numbering::split_calling_code(scan.digits()).map(|(code, _)| code).filter(|_| form == Form::Jid);
    let end = if created { number_end } else { end };
    Some(Hit::new(start, end, code, form, Confidence::Sure))
}

enum Host {
    Person,
    Group,
    Opaque,
}

struct Behind<'t> {
    rest: &'t [u8],
    /// Bytes taken so far.
    len: usize,
}

impl Behind<'_> {
    /// Takes `mark` and up to `most` digits; whether they were there.
    fn take_number(&mut self, mark: u8, most: usize) -> bool {
        let Some(digits) = self.rest.strip_prefix(&[mark]) else { return false };
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=most).contains(&count) {
            return false;
        }
        self.rest = digits.get(count..).unwrap_or_default();
        self.len += 1 + count;
        true
    }

    fn host(&self) -> Option<Host> {
        let host = self.rest.strip_prefix(b"@").or_else(|| self.rest.strip_prefix(b"%40"))?;
        let is = |name: &[u8]| {
            let behind = host.strip_prefix(name)?;
            let glued = match behind {
                [b'.', next, ..] => next.is_ascii_alphanumeric(),
                [next, ..] => next.is_ascii_alphanumeric(),
                [] => false,
            };
            (!glued).then_some(())
        };
        let person = is(b"s.whatsapp.net").or(is(b"c.us")).or(is(b"whatsapp.net")).or(is(b"hosted"));
        let opaque = || is(b"lid").or(is(b"hosted.lid")).map(|()| Host::Opaque);
        person.map(|()| Host::Person).or_else(|| is(b"g.us").map(|()| Host::Group)).or_else(opaque)
    }
}

//! Numbers behind a URI scheme or a channel's technology: `tel:`, `sip:`, `PJSIP/`.

use super::scan::{Gap, Scan};
use super::{Confidence, Form, Hit, extension_end, likely_code};
use crate::numbering::Region;

const SCHEMES: [&str; 22] = [
    "tel:",
    "sip:",
    "sips:",
    "sms:",
    "smsto:",
    "mms:",
    "mmsto:",
    "whatsapp:",
    "callto:",
    "facetime:",
    "facetime-audio:",
    "viber:",
    "h323:",
    "pjsip/",
    "sip/",
    "iax2/",
    "sccp/",
    "local/",
    "wa.me/",
    "tel%3a",
    "sip%3a",
    "whatsapp%3a",
];

/// Whether a scheme ends right before `start`; `//` may stand between.
pub(super) fn scheme_before(text: &[u8], start: usize) -> bool {
    let before = text.get(start.saturating_sub(20)..start).unwrap_or_default();
    // The last bytes of the schemes.
    if !matches!(before.last(), Some(b':' | b'/' | b'a' | b'A')) {
        return false;
    }
    let before = before.strip_suffix(b"//").unwrap_or(before);
    if in_a_dial_string(text, start) {
        return true;
    }
    SCHEMES.iter().any(|scheme| {
        let tail = before.len().checked_sub(scheme.len()).and_then(|from| before.get(from..));
        let head = before.len().checked_sub(scheme.len() + 1).and_then(|at| before.get(at));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(scheme.as_bytes()))
            && !head.is_some_and(u8::is_ascii_alphanumeric)
    })
}

/// `sofia/gateway/<carrier>/4930…`: the last segment of a channel's path.
fn in_a_dial_string(text: &[u8], start: usize) -> bool {
    if start.checked_sub(1).and_then(|at| text.get(at)) != Some(&b'/') {
        return false;
    }
    let head = text.get(start.saturating_sub(72)..start).unwrap_or_default();
    let from =
        head.iter().rposition(|b| matches!(b, b' ' | b'"' | b'\'' | b'(' | b'[' | b'=' | b',' | b'\n'));
    let token = head.get(from.map_or(0, |at| at + 1)..).unwrap_or_default();
    [&b"sofia/"[..], b"PJSIP/", b"SIP/", b"IAX2/", b"DAHDI/", b"Local/", b"OOH323/", b"freetdm/", b"openzap/"]
        .iter()
        .any(|channel| token.starts_with(channel))
}

/// Whether digits from `start` to `end` are the user part of an address of a switch: `[4930…@context:1]`,
/// `sofia/external/4930…@192.0.2.7`. A host with letters and full stops makes an e-mail address of it.
pub(super) fn is_user_part(text: &[u8], start: usize, end: usize) -> bool {
    if text.get(end) != Some(&b'@') {
        return false;
    }
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    if !matches!(before, Some(b'/' | b'[' | b'<' | b'"' | b'\'' | b'(' | b' ' | b',')) {
        return false;
    }
    let host = text.get(end + 1..text.len().min(end + 49)).unwrap_or_default();
    let len =
        host.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')).count();
    let host = host.get(..len).unwrap_or_default();
    let letters = host.iter().any(u8::is_ascii_alphabetic);
    let dots = host.iter().filter(|b| **b == b'.').count();
    // `00000001@2016/9/27` is a record's number.
    len > 0 && if letters { dots == 0 } else { dots == 3 }
}

/// Bare digits at `start`, behind a scheme: no plus sign, so that a plan can only guess.
pub(super) fn at(text: &[u8], start: usize, scan: &Scan, regions: &[Region]) -> Option<Hit> {
    let joined = |n: &usize| {
        (1..*n).all(|place| matches!(scan.gap(place), Gap::None | Gap::Dash | Gap::Dot | Gap::Paren))
    };
    // `PJSIP/4930…-00003ae8`: the channel's own number stands behind.
    let run = scan.run();
    let tail = text.get(scan.end(run)..).and_then(|tail| tail.strip_prefix(b"-")).unwrap_or_default();
    let hex = tail.iter().take(9).take_while(|b| b.is_ascii_hexdigit()).count();
    if (7..=15).contains(&run) && hex == 8 && !tail.get(8).is_some_and(u8::is_ascii_alphanumeric) {
        let code = likely_code(scan.first(run), regions);
        return Some(Hit::new(start, scan.end(run), code, Form::Uri, Confidence::Sure));
    }
    // Extensions and short codes have fewer digits: `sip:1001@pbx` is no person's number.
    let len = scan.stops().find(|n| (7..=17).contains(n) && joined(n))?;
    if scan.more && len == scan.digits().len() {
        return None;
    }
    let end = scan.end(len);
    let glued = text.get(end).is_some_and(u8::is_ascii_alphabetic);
    if glued {
        return None;
    }
    let code = likely_code(scan.first(len), regions);
    Some(Hit::new(start, extension_end(text, end), code, Form::Uri, Confidence::Sure))
}

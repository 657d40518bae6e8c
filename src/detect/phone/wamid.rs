//! WhatsApp Cloud API message ids: `wamid.` and base64, in which the other side's number stands.

use super::{Confidence, Form, Hit};
use crate::numbering;

const PREFIX: &[u8] = b"wamid.";
/// Characters of base64 that hold the header and the number.
const HEAD: usize = 32;
/// Characters of base64 that an id has at most.
const LONGEST: usize = 512;
/// Fewest digits of a number in it.
const FEWEST: usize = 7;

/// The id that begins at `pos`.
pub(super) fn at(text: &[u8], pos: usize) -> Option<Hit> {
    let body = text.get(pos..)?.strip_prefix(PREFIX)?;
    let len = body.iter().take(LONGEST).take_while(|byte| value(**byte).is_some()).count();
    let padding = padding(body.get(len..)?);
    let mut head = [0; HEAD / 4 * 3];
    let decoded = decode(body.get(..len.min(HEAD))?, &mut head);
    let number = digits_in(head.get(..decoded)?)?;
    let code = numbering::split_calling_code(number).map(|(code, _)| code);
    Some(Hit::new(pos, pos + PREFIX.len() + len + padding, code, Form::Wamid, Confidence::Sure))
}

/// `=` once or twice, plain or as `%3D`.
fn padding(rest: &[u8]) -> usize {
    let mut len = 0;
    for _ in 0..2 {
        let rest = rest.get(len..).unwrap_or_default();
        len += if rest.starts_with(b"=") {
            1
        } else if rest.starts_with(b"%3D") || rest.starts_with(b"%3d") {
            3
        } else {
            0
        };
    }
    len
}

/// Both alphabets of RFC 4648.
fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn decode(base64: &[u8], out: &mut [u8]) -> usize {
    let mut written = 0;
    let (mut bits, mut held) = (0u32, 0);
    for value in base64.iter().map_while(|byte| value(*byte)) {
        bits = bits << 6 | value;
        held += 6;
        if held >= 8 {
            held -= 8;
            let Some(place) = out.get_mut(written) else { break };
            *place = u8::try_from(bits >> held & 0xFF).unwrap_or_default();
            written += 1;
        }
    }
    written
}

/// The first run of digits long enough for a number; a length byte stands before it.
fn digits_in(bytes: &[u8]) -> Option<&[u8]> {
    let mut runs = bytes.split(|byte| !byte.is_ascii_digit());
    let run = runs.find(|run| run.len() >= FEWEST)?;
    run.get(..run.len().min(15))
}

//! What the text around digits says of them. Looks at a bounded piece on either side.

use super::colour_before;
use super::words::{self, Word};
use crate::detect::positional;
use crate::detect::table_row;
use crate::detect::validate::not_uuid;
use crate::finding::Span;

/// How far to look back, in bytes.
const BACK: usize = 64;
/// How far to look ahead, in bytes.
const AHEAD: usize = 48;
/// Words to look at before the digits.
const WORDS: usize = 4;
/// Bytes a word may have to be looked up.
const LONGEST_WORD: usize = 40;

/// How much the surroundings speak for a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cue {
    /// They name another kind of number.
    Against,
    None,
    /// A preposition or the like: a valid number is one, other digits are not.
    Weak,
    /// A telephone's own word.
    Strong,
}

/// Text in lower case, held inline; what does not fit is cut.
pub(super) struct Lower {
    bytes: [u8; BACK],
    len: usize,
}

impl Lower {
    pub(super) fn new(text: &[u8]) -> Lower {
        let mut lower = Lower { bytes: [0; BACK], len: 0 };
        if text.is_ascii() {
            lower.len = text.len().min(BACK);
            for (to, from) in lower.bytes.iter_mut().zip(text) {
                *to = from.to_ascii_lowercase();
            }
            return lower;
        }
        let valid = match std::str::from_utf8(text) {
            Ok(valid) => valid,
            Err(error) => text
                .get(..error.valid_up_to())
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
        };
        for letter in valid.chars().flat_map(char::to_lowercase) {
            let mut buffer = [0; 4];
            let encoded = letter.encode_utf8(&mut buffer).as_bytes();
            let Some(place) = lower.bytes.get_mut(lower.len..lower.len + encoded.len()) else { break };
            place.copy_from_slice(encoded);
            lower.len += encoded.len();
        }
        lower
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// What stands before `start`.
pub(super) fn before(text: &[u8], start: usize) -> Cue {
    told_before(text, start).0
}

/// The word before digits that says they are something else: `took`, `order`; or the sign.
#[must_use]
pub fn word_before(text: &[u8], start: usize) -> Option<Span> {
    let (cue, told) = told_before(text, start);
    (cue == Cue::Against).then_some(told)
}

/// The unit behind `end`.
#[must_use]
pub fn unit_after(text: &[u8], end: usize) -> Option<Span> {
    let start = end + usize::from(text.get(end) == Some(&b' '));
    let rest = text.get(start..)?;
    let len = rest.iter().take(24).take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    unit_follows(text, end).then(|| Span::new(start, start + len.max(1)))
}

/// What stands before `start`, and the word that says so.
fn told_before(text: &[u8], start: usize) -> (Cue, Span) {
    let mut told = Span::new(start, start);
    let cue = judge_before(text, start, &mut told);
    (cue, told)
}

fn judge_before(text: &[u8], start: usize, told: &mut Span) -> Cue {
    let floor = start.saturating_sub(BACK);
    let mut end = start;
    let mut found = Cue::None;
    // The word met last, going back, was `number`.
    let mut number = false;
    for nth in 0..WORDS {
        let joint = joint_before(text, floor, end);
        // `${4479…}` is a variable's place, no money.
        if nth == 0 && joint.mark == Mark::Money && text.get(joint.start) != Some(&b'{') {
            return Cue::Against;
        }
        if joint.stops || (nth > 0 && joint.ends_clause) {
            break;
        }
        if nth == 0 {
            match joint.mark {
                Mark::NameThenAngle => return Cue::Strong,
                Mark::Angle | Mark::Arrow => found = Cue::Weak,
                Mark::Hash => found = Cue::Against,
                Mark::Money | Mark::None => {}
            }
        }
        let word_start = word_start(text, floor, joint.start);
        let word = text.get(word_start..joint.start).unwrap_or_default();
        if word.is_empty() {
            break;
        }
        *told = Span::new(word_start, joint.start);
        // `Phone.normalize/1: "4479…"`: how many values a function takes.
        if nth == 0
            && joint.assigns
            && word.len() == 1
            && word_start.checked_sub(1).and_then(|at| text.get(at)) == Some(&b'/')
            && names_a_phone(text, floor, joint.start)
        {
            return Cue::Strong;
        }
        // `addr: 1 1 4479…`, `addr [0x01 0x01 [4479…`: type and plan of a number stand before it.
        let octet = matches!(word.len(), 4..=6) && word.starts_with(b"0x");
        if octet || word.len() == 1 && word.iter().all(u8::is_ascii_digit) {
            end = word_start;
            continue;
        }
        let cut = word.get(word.len().saturating_sub(LONGEST_WORD)..).unwrap_or_default();
        // The cut may fall within a character.
        let whole = cut.iter().position(|byte| byte & 0xC0 != 0x80).unwrap_or_default();
        let lower = Lower::new(cut.get(whole..).unwrap_or_default());
        let meaning = match words::meaning(lower.as_str()) {
            // `AttributeDNIS`: the word that its last capitals begin.
            // In a row (`StandReportReceiver|30002312|`) the word is another column, not the number's name.
            Word::Unknown if nth == 0 && text.get(joint.start..end) != Some(b"|") => {
                words::meaning(lower.as_str().get(hump(cut)..).unwrap_or_default())
            }
            meaning => meaning,
        };
        match meaning {
            // `submit {sms,<<"4479…">>`
            Word::Other if nth == 1 && found == Cue::Weak && words::is_sending(lower.as_str()) => {
                return found;
            }
            // `msg from 4479…`
            Word::Other if nth == 1 && found == Cue::Weak && words::is_message(word) => return Cue::Strong,
            // `GatewayTimeout('4479…')`
            Word::Other
                if nth == 0
                    && matches!(text.get(joint.start..end), Some([b'(', b'\'' | b'"']))
                    && words::is_thrown(lower.as_str().get(hump(cut)..).unwrap_or_default()) =>
            {
                break;
            }
            // `{error,timeout,"4479…"}`: what stands before a comma is another thing.
            Word::Other if nth == 0 && joint.ends_clause && joint.mark == Mark::None => break,
            Word::Other => return if found == Cue::Weak && nth > 1 { found } else { Cue::Against },
            Word::Phone => return Cue::Strong,
            Word::Number | Word::Preposition if found == Cue::Against => return Cue::Against,
            // `al número 55…`
            Word::Preposition if number && !joint.assigns && words::is_towards(lower.as_str()) => {
                return Cue::Strong;
            }
            _ if nth > 0 && found == Cue::Weak && !joint.assigns && words::is_sending(lower.as_str()) => {
                return Cue::Strong;
            }
            Word::Preposition if nth == 0 && joint.assigns && words::is_direction(lower.as_str()) => {
                return Cue::Strong;
            }
            meaning @ (Word::Number | Word::Preposition) => {
                found = Cue::Weak;
                number = meaning == Word::Number;
            }
            Word::Filler => {}
            // `Gw.Phone.normalize/1: "4155550132"`: a function of telephones', and what it was given.
            Word::Unknown if nth == 0 && joint.assigns && names_a_phone(text, floor, joint.start) => {
                return Cue::Strong;
            }
            // `phone number not in allowed list: 14155550132`
            Word::Unknown if nth == 0 && joint.assigns && clause_names_a_phone(text, floor, word_start) => {
                found = found.max(Cue::Weak);
                break;
            }
            Word::Unknown => break,
        }
        end = word_start;
    }
    found
}

/// Whether the path of names that ends at `end` (`Gw.Phone.normalize/1`, `to.0`, `recipients[0].phone`) has a
/// telephone's own word in it.
fn names_a_phone(text: &[u8], floor: usize, end: usize) -> bool {
    let piece = text.get(floor..end).unwrap_or_default();
    let part =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'[' | b']' | b':' | b'#');
    let from = piece.iter().rposition(|b| !part(b)).map_or(0, |at| at + 1);
    let path = piece.get(from..).unwrap_or_default();
    path.iter().any(|b| matches!(b, b'.' | b'/' | b'#'))
        && path.split(|b| !b.is_ascii_alphabetic()).any(says_phone)
}

/// Whether a telephone's own word stands before `end` in the same clause, with a few words between.
fn clause_names_a_phone(text: &[u8], floor: usize, end: usize) -> bool {
    let piece = text.get(floor..end).unwrap_or_default();
    let ends = |b: &u8| {
        matches!(b, b'.' | b',' | b';' | b':' | b'!' | b'?' | b'=' | b'\n' | b'"' | b'[' | b'{' | b'}')
    };
    let from = piece.iter().rposition(ends).map_or(0, |at| at + 1);
    // Where the piece is cut off, its first word may be the end of another.
    let whole = from > 0 || floor == 0;
    let clause = piece.get(from..).unwrap_or_default();
    clause.split(|b| *b == b' ').skip(usize::from(!whole)).any(says_phone)
}

fn says_phone(word: &[u8]) -> bool {
    !word.is_empty() && word.len() <= LONGEST_WORD && words::meaning(Lower::new(word).as_str()) == Word::Phone
}

/// Whether the words behind `end` only follow telephone numbers.
pub(super) fn after(text: &[u8], end: usize) -> Cue {
    let rest = text.get(end..text.len().min(end + AHEAD)).unwrap_or_default();
    let skipped =
        rest.iter().take(3).take_while(|byte| matches!(byte, b'\'' | b'"' | b' ' | b')' | b'>')).count();
    let rest = rest.get(skipped..).unwrap_or_default();
    // MySQL: `Duplicate entry '…' for key 'users.phone'`
    if let Some(key) = rest.strip_prefix(b"for key ") {
        let name =
            key.iter().skip(1).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')).count();
        let name = Lower::new(key.get(1..=name).unwrap_or_default());
        let says = name.as_str().split(['_', '.']).any(|part| words::meaning(part) == words::Word::Phone);
        return if says { Cue::Strong } else { Cue::None };
    }
    // `447700900123 code=482913`
    if positional::name_of_a_code(rest).is_some() {
        return Cue::Weak;
    }
    // MyBatis: `Parameters: 447700900123(String), 482913(String)`
    if rest.starts_with(b"(String)") {
        return Cue::Weak;
    }
    // `447700900123 <- "see you"`
    if matches!(rest, [b'<' | b'-', b'-' | b'>', b' ', b'"' | b'\'', ..]) {
        return Cue::Weak;
    }
    let behind = text.get(end..text.len().min(end + AHEAD)).unwrap_or_default();
    if goes_to_another(behind) || says_something(behind) || is_paired_with_an_id(text, end) {
        return Cue::Weak;
    }
    if !words::may_follow_phone(rest) {
        return Cue::None;
    }
    let lower = Lower::new(rest);
    if words::follows_phone(lower.as_str()) { Cue::Strong } else { Cue::None }
}

/// `SMS-MT;4479…;+49…;1;DELIVRD;56954950517;7`: whether digits are a column of a row in which two others are sender and
/// recipient.
pub(super) fn is_another_column(text: &[u8], start: usize, end: usize) -> bool {
    let parts = |byte: Option<&u8>| matches!(byte, Some(b';' | b'|' | b'\t'));
    parts(start.checked_sub(1).and_then(|at| text.get(at)))
        && parts(text.get(end))
        && table_row::has_another_pair(text, start)
}

/// `number 66125703 in country DK is not reachable`: whether what stands behind digits is said of a subscriber.
pub(super) fn speaks_of_a_subscriber(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..text.len().min(end + AHEAD)).unwrap_or_default();
    let rest = rest.split(|b| matches!(b, b'\n' | b',' | b';')).next().unwrap_or_default();
    rest.first() == Some(&b' ') && rest.split(|b| !b.is_ascii_alphabetic()).any(words::is_of_a_subscriber)
}

/// `447700900123 -> 22384`, `447700900123->22384`: another number, or a short one, behind an arrow.
fn goes_to_another(behind: &[u8]) -> bool {
    let rest = behind.strip_prefix(b" -> ").or_else(|| behind.strip_prefix(b" => "));
    let rest = rest.or_else(|| behind.strip_prefix(b"->")).or_else(|| behind.strip_prefix(b"=>"));
    let rest = rest.or_else(|| behind.strip_prefix(" → ".as_bytes())).unwrap_or_default();
    let rest = rest.strip_prefix(b"+").unwrap_or(rest);
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    digits >= 4 && matches!(rest.get(digits), None | Some(b' ' | b':' | b',' | b'\n'))
}

/// `447700900123 "see you at six"`: several words in quotes behind digits.
fn says_something(behind: &[u8]) -> bool {
    let Some(text) = behind.strip_prefix(b" \"") else { return false };
    let text = text.get(..text.iter().position(|b| *b == b'"').unwrap_or(text.len())).unwrap_or_default();
    let letters = text.first().is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80);
    letters && text.iter().filter(|b| **b == b' ').count() >= 2
}

/// `447700900123:f81d4fae-…`: a gateway's answer pairs a number with its message's id.
fn is_paired_with_an_id(text: &[u8], end: usize) -> bool {
    text.get(end) == Some(&b':') && not_uuid::is_uuid_at(text, end + 1)
}

/// Whether a unit stands behind `end`, glued or after one space: `ms`, `bytes`, `%`.
pub(super) fn unit_follows(text: &[u8], end: usize) -> bool {
    let rest = text.get(end..text.len().min(end + 24)).unwrap_or_default();
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let letters = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    let len = if letters == 0 { 1 } else { letters };
    // `req=…` is the next field, not a unit.
    if letters > 0 && matches!(rest.get(len), Some(b'=' | b'_' | b'-' | b':')) {
        return false;
    }
    let lower = Lower::new(rest.get(..len).unwrap_or_default());
    words::is_unit(lower.as_str())
}

/// The path segment before a slash that ends at `start`, as in `/numbers/`.
pub(super) fn path_before(text: &[u8], start: usize) -> bool {
    let floor = start.saturating_sub(BACK);
    let Some(b'/') = start.checked_sub(1).and_then(|at| text.get(at)) else { return false };
    let end = start - 1;
    let word = text.get(floor..end).unwrap_or_default();
    let from =
        word.iter().rposition(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')));
    let lower = Lower::new(word.get(from.map_or(0, |at| at + 1)..).unwrap_or_default());
    words::is_path(lower.as_str())
}

/// Whether the segment before a slash that ends at `start` says that another number follows: `/orders/`, or is one.
pub(super) fn segment_names_another(text: &[u8], start: usize) -> bool {
    let head = text.get(start.saturating_sub(BACK)..start.saturating_sub(1)).unwrap_or_default();
    let word =
        head.rsplit(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))).next().unwrap_or_default();
    if word.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let word = Lower::new(word);
    let (word, one) = (word.as_str(), word.as_str().strip_suffix('s').unwrap_or_default());
    // Accounts go by their holders' numbers.
    one != "account" && [word, one].map(words::meaning).contains(&Word::Other)
}

/// Whether the digits at `start` stand behind a path's segment that holds people's conversations.
pub(super) fn conversation_before(text: &[u8], start: usize) -> bool {
    let head = text.get(start.saturating_sub(24)..start).unwrap_or_default();
    if !head.ends_with(b"/") {
        return false;
    }
    [
        &b"/inbox/"[..],
        b"/conversation/",
        b"/conversations/",
        b"/thread/",
        b"/threads/",
        b"/dialogs/",
        b"/dialog/",
        b"/outbox/",
    ]
    .iter()
    .any(|segment| head.ends_with(segment))
}

/// `sms.mo.4479…`, `/u/4479…/verify`: whether a part of the path or the topic's name that digits stand in is one of
/// numbers or of messages.
pub(super) fn topic_around(text: &[u8], start: usize, end: usize) -> bool {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let head = text.get(start.saturating_sub(BACK)..start).unwrap_or_default();
    let from = head.iter().rposition(|byte| !part(byte)).map_or(0, |at| at + 1);
    let rest = text.get(end..text.len().min(end + AHEAD)).unwrap_or_default();
    let to = rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len());
    let parts =
        |text: &[u8]| text.split(|byte| matches!(byte, b'.' | b'/' | b'_' | b'-')).any(words::is_topic);
    parts(head.get(from..).unwrap_or_default()) || parts(rest.get(..to).unwrap_or_default())
}

/// Whether the letters right before `start` (an underscore between them is fine) are a word that
/// digits of a telephone get glued to.
pub(super) fn glued_before(text: &[u8], start: usize) -> bool {
    let floor = start.saturating_sub(BACK);
    let piece = text.get(floor..start).unwrap_or_default();
    // `SMS_404977502`: a template of Aliyun's.
    if piece.ends_with(b"SMS_") {
        return false;
    }
    let piece = piece.strip_suffix(b"_").or(piece.strip_suffix(b"-")).unwrap_or(piece);
    let from = piece.iter().rposition(|byte| !byte.is_ascii_alphabetic()).map_or(0, |at| at + 1);
    let lower = Lower::new(piece.get(from..).unwrap_or_default());
    words::is_glued(lower.as_str())
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    None,
    /// `<` before the digits.
    Angle,
    /// `"Name" <` before the digits.
    NameThenAngle,
    Arrow,
    Hash,
    Money,
}

struct Joint {
    /// Where the joint begins: the end of the word before it.
    start: usize,
    mark: Mark,
    /// Something stands there that no word reaches across.
    stops: bool,
    /// `=` or `:` stands in it.
    assigns: bool,
    /// A comma or full stop: an earlier word belongs to something else.
    ends_clause: bool,
}

/// Reads back over spaces and punctuation that may stand between a word and digits.
fn joint_before(text: &[u8], floor: usize, end: usize) -> Joint {
    let mut joint = Joint { start: end, mark: Mark::None, stops: false, assigns: false, ends_clause: false };
    let mut steps = 0;
    while joint.start > floor && steps < 8 {
        let rest = text.get(floor..joint.start).unwrap_or_default();
        let len = match rest {
            [.., b'-', b'>'] => {
                joint.mark = Mark::Arrow;
                2
            }
            [.., b'=', b'>'] => {
                joint.assigns = true;
                2
            }
            [.., 0xE2, 0x86, 0x92] => {
                joint.mark = Mark::Arrow;
                3
            }
            [.., 0xEF, 0xBC, 0x9A] | [.., 0xEF, 0xBC, 0x88] | [.., 0xE2, 0x80, 0x98..=0x9F] => 3,
            [.., 0xC2, 0xAB | 0xBB | 0xA0] => 2,
            [.., 0xE2, 0x82, 0xA0..=0xBF] | [.., b'$'] | [.., 0xC2, 0xA3 | 0xA5] => {
                joint.mark = Mark::Money;
                joint.stops = true;
                return joint;
            }
            [.., b'#'] | [.., 0xE2, 0x84, 0x96] => {
                joint.mark = Mark::Hash;
                if rest.ends_with(b"#") { 1 } else { 3 }
            }
            [.., b'<'] => {
                joint.mark = Mark::Angle;
                1
            }
            [.., b'"' | b'\''] if joint.mark == Mark::Angle => {
                joint.mark = Mark::NameThenAngle;
                return joint;
            }
            [.., b':' | b'='] => {
                joint.assigns = true;
                1
            }
            [.., b'm'] if colour_before(text, joint.start).is_some() => {
                joint.start - colour_before(text, joint.start).unwrap_or(joint.start - 1)
            }
            // `LIKE '%4479…%'`
            [.., b'\'' | b'"', b'%'] => 2,
            [.., b' ' | b'\t' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'{' | b'*' | b'~' | b'|' | b'\\'] => 1,
            [.., b',' | b'.' | b';'] => {
                joint.ends_clause = true;
                1
            }
            [.., b'\n' | b'\r'] => {
                joint.stops = true;
                return joint;
            }
            _ => break,
        };
        joint.start -= len;
        steps += 1;
    }
    joint
}

/// Where the last capital behind a small letter stands; 0 where none does, or letters beyond ASCII may shift it.
fn hump(word: &[u8]) -> usize {
    let turns =
        |pair: &[u8]| matches!(pair, [small, big] if small.is_ascii_lowercase() && big.is_ascii_uppercase());
    let last = word.windows(2).rposition(turns).filter(|_| word.is_ascii());
    last.map_or(0, |at| at + 1)
}

/// Start of the word that ends at `end`: letters, digits, `_`, `-`, `.`, and anything beyond ASCII.
fn word_start(text: &[u8], floor: usize, end: usize) -> usize {
    let piece = text.get(floor..end).unwrap_or_default();
    let part =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || *byte >= 0x80;
    floor + piece.iter().rposition(|byte| !part(byte)).map_or(0, |at| at + 1)
}

//! What a token with digits can be, told from its first bytes and its neighbours: most are counts, ids and
//! times that no detector but one or none would take.

use crate::detect::bytes::{
    before, byte, ends_before, is_alnum, is_base64, is_digit, is_hex, is_high, is_letter, is_token, run_end,
    run_start, slice,
};
use crate::detect::validate::not_uuid;
use crate::detect::word_list::WordList;
use crate::detect::words;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `503`, `gw-3`, `17.5s`, `TLSv1.3`: too short for anything, unless a word before it announces it. Where to
    /// go on.
    Short(usize),
    /// A name with a number in it, `sender-47b33d`: somebody's id or key, or nothing. Where it ends.
    Name(usize),
    /// Three numbers with full stops between: a version, or a date. Where it ends.
    Version(usize),
    /// Seven to eleven digits: a telephone's, or a count since 1970.
    /// Where they end.
    Number(usize),
    Uuid(usize),
    /// Small letters and digits of a hash's, a trace's, a span's length.
    Hex(usize),
    /// A date begins with a year and a dash, or a day and a month's name.
    Date,
    Other,
}

/// Longest token that may be [`Token::Short`].
const SHORT: usize = 12;
/// Most digits of one: seven may be a telephone's.
const FEW: usize = 6;

/// What a run of letters, digits, dashes and underscores is made of.
#[derive(Clone, Copy)]
struct Run {
    end: usize,
    digits: usize,
    dashes: usize,
    /// A bit for each kind of byte in it.
    kinds: u8,
}

const DIGIT: u8 = 1;
const DASH: u8 = 1 << 1;
/// A small letter that is a hexadecimal digit.
const LOW_HEX: u8 = 1 << 2;
const LETTER: u8 = 1 << 3;
const UNDERSCORE: u8 = 1 << 4;

static KINDS: [u8; 256] = kinds();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn kinds() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        table[byte as usize] = match byte {
            b'0'..=b'9' => DIGIT,
            b'-' => DASH,
            b'_' => UNDERSCORE,
            b'a'..=b'f' => LOW_HEX,
            b'g'..=b'z' | b'A'..=b'Z' => LETTER,
            _ => 0,
        };
        byte += 1;
    }
    table
}

impl Run {
    /// Looks at no more bytes than the longest token has that is told apart, and one.
    fn of(text: &[u8], start: usize) -> Run {
        let mut run = Run { end: start, digits: 0, dashes: 0, kinds: 0 };
        for byte in text.get(start..).unwrap_or_default().iter().take(65) {
            let kind = KINDS.get(usize::from(*byte)).copied().unwrap_or(0);
            if kind == 0 {
                break;
            }
            run.end += 1;
            run.digits += usize::from(kind & DIGIT);
            run.dashes += usize::from(kind >> 1 & 1);
            run.kinds |= kind;
        }
        run
    }

    fn has(&self, kinds: u8) -> bool {
        self.kinds & kinds != 0
    }
}

/// The token that begins at `start` and whose first digit stands at `at`.
pub fn of(text: &[u8], start: usize, at: usize) -> Token {
    let dashes = byte(text, start + 8) == b'-' && byte(text, start + 13) == b'-';
    if dashes && before(text, start) != b'+' && not_uuid::is_uuid_at(text, start) {
        return Token::Uuid(start + not_uuid::LENGTH);
    }
    let run = Run::of(text, start);
    let digits = if start == at { run_end(text, at, 12, is_digit) - at } else { 0 };
    let month = digits <= 2 && byte(text, at + digits) == b'/' && is_letter(byte(text, at + digits + 1));
    let year = digits == 4 && byte(text, at + 4) == b'-' && byte(text, at + 7) == b'-';
    if start == at && (year || month) {
        return Token::Date;
    }
    if let Some(end) = short_end(text, start, at, &run) {
        return Token::Short(end);
    }
    if let Some(end) = name_end(text, start, at, &run) {
        return Token::Name(end);
    }
    if let Some(end) = version_end(text, start, at) {
        return Token::Version(end);
    }
    let last = before(text, at);
    let apart = !is_high(last) && !matches!(last, b'/' | b'.' | b':' | b'+' | b'(' | b'%' | b'\\' | b'@');
    if (7..=11).contains(&digits) && apart && ends(text, at + digits) {
        return Token::Number(at + digits);
    }
    if is_hex_id(text, start, &run) { Token::Hex(run.end) } else { Token::Other }
}

/// Where a short token ends, with one decimal point and what follows it.
fn short_end(text: &[u8], start: usize, at: usize, run: &Run) -> Option<usize> {
    if run.end - start > SHORT {
        return None;
    }
    let mut end = run.end;
    let digits_only = run.kinds == DIGIT;
    let last = before(text, start);
    let mut protocol = false;
    match last {
        b'.' if is_letter(byte(text, start)) && !ends_before(text, start, b"wamid.") => {}
        // `[origin@32473`: an enterprise's number, RFC 5424 section 7.2.2.
        b'@' if digits_only && run.digits <= FEW && is_letter(before(text, start - 1)) => {}
        b' ' if digits_only && run.digits == 3 && is_status(text, start) => return Some(end),
        // `<34>1`: RFC 5424's priority and version.
        b'<' if start == 1 && digits_only && byte(text, end) == b'>' => return Some(end),
        b'>' if digits_only && run.digits <= 2 && is_behind_priority(text, start) => return Some(end),
        b'.' | b'+' | b'(' | b'%' | b'\\' | b'@' | 0x80.. => return None,
        // A product's version, or the end of something in base64.
        b'/' => {
            let product = run_start(text, start - 1, 12, |b| is_base64(b) || is_token(b));
            let segment = before(text, product) == b'/' || product == start - 1;
            protocol = text.get(product..start).is_some_and(|name| name == b"HTTP/");
            if !(segment && !is_base64(before(text, product)) || protocol) {
                return None;
            }
        }
        // `provider.js:3698:17`
        b':' if digits_only && byte(text, end) == b':' && is_digit(byte(text, end + 1)) => {
            let column = run_end(text, end + 1, 6, is_digit);
            let both = end - start <= 5 && column - end <= 6;
            return (both && is_letter(before(text, start - 1)) && ends(text, column)).then_some(column);
        }
        _ => {}
    }
    if start == at && is_measure(text, start, run) {
        return ends(text, end).then_some(end);
    }
    let mut digits = run.digits;
    let mut letters = run.has(LETTER | LOW_HEX);
    if byte(text, end) == b'.' && is_digit(byte(text, end + 1)) && (digits_only || !is_token(last)) {
        let behind = run_end(text, end + 1, FEW + 1, is_digit);
        digits += behind - end - 1;
        if byte(text, behind) == b'.' && is_digit(byte(text, behind + 1)) {
            return None;
        }
        // `86.279s`
        end = run_end(text, behind, 3, is_letter);
        if is_token(byte(text, end)) || byte(text, end) == b'.' {
            return None;
        }
        // A unit behind digits is none of the token's letters.
        letters |= !digits_only && end > behind;
    }
    // `SO123456` and `u_12345` are ids, `10-0-0-1` is an address.
    let most = if letters && digits > 2 { 8 } else { SHORT };
    let few = digits <= if letters { 4 } else { FEW } && (run.dashes <= 1 || digits <= 3);
    let over = ends(text, end) || (protocol && byte(text, end) == b' ');
    // A month may follow a day, an octet the one before it in a dump.
    let paired = || end - at <= 2 && byte(text, end) == b' ' && may_go_on(text, end + 1);
    let dated = || byte(text, end) == b'/' && is_month(text, end + 1);
    (end - start <= most && few && over && !paired() && !dated()).then_some(end)
}

/// Whether three digits are the status behind an access log's request: `"GET / HTTP/1.1" 200 5124`.
fn is_status(text: &[u8], start: usize) -> bool {
    let request = start.checked_sub(11).and_then(|from| text.get(from..start)).unwrap_or_default();
    matches!(request, [b' ', b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9', b'"', b' '])
}

/// Whether a line's first bytes are `<34>`, up to `start`.
fn is_behind_priority(text: &[u8], start: usize) -> bool {
    let number = text.get(1..start.saturating_sub(1)).unwrap_or_default();
    byte(text, 0) == b'<' && (1..=3).contains(&number.len()) && number.iter().all(u8::is_ascii_digit)
}

/// Whether a run is digits and a unit against them, none of it hexadecimal: `6848927s`, `72051ms`.
fn is_measure(text: &[u8], start: usize, run: &Run) -> bool {
    static UNITS: WordList = WordList::new(words::neighbours::GLUED_UNITS);
    let unit = start + run.digits;
    run.digits <= 10
        && unit < run.end
        && is_digit(byte(text, unit - 1))
        && UNITS.holds(slice(text, unit..run.end))
}

/// Where a name ends that has too few digits for a telephone's, and is too short for text in hex or base64.
fn name_end(text: &[u8], start: usize, at: usize, run: &Run) -> Option<usize> {
    let end = run.end;
    let next = byte(text, end);
    if start == at || !is_letter(byte(text, start)) || next == b'/' {
        return None;
    }
    let last = before(text, start);
    if is_high(last) || matches!(last, b'.' | b'+' | b'(' | b'%' | b'\\' | b'@' | b'/' | b':') {
        return None;
    }
    // `sha256:2c26b46b68ffc68f`
    let hash = || run_end(text, end + 1, 16, is_hex) - end == 17 && !is_hex(byte(text, start));
    if next == b':' && run.digits <= 3 && run.dashes == 0 && hash() {
        return Some(end);
    }
    let few = run.digits <= FEW && (run.dashes <= 1 || run.digits <= 3);
    let name = few && (4..16).contains(&(end - start));
    if !name && !(run.dashes >= 2 && is_joined_name(text.get(start..end).unwrap_or_default())) {
        return None;
    }
    (ends(text, end) && !(next == b' ' && may_go_on(text, end + 1))).then_some(end)
}

/// `svc-84a8ee7b-c17bd`: words and short hashes with dashes between, too few digits beside each other for anything.
fn is_joined_name(name: &[u8]) -> bool {
    let mut numbers = 0;
    name.len() < 40
        && name.split(|byte| *byte == b'-').all(|part| {
            let digits = part.iter().filter(|byte| is_digit(**byte)).count();
            numbers += usize::from(digits == part.len());
            let few = if digits == part.len() { digits <= 4 } else { part.len() <= 10 || digits <= 3 };
            few && numbers <= 1
        })
}

/// `7.23.1`, `v19.34.52`: three numbers, six digits at most. Four are an address.
fn version_end(text: &[u8], start: usize, at: usize) -> Option<usize> {
    let letter = usize::from(byte(text, start) == b'v');
    let last = before(text, start);
    // `flusher:16.16.49`
    let tag = last == b':' && is_letter(before(text, start - 1));
    if start + letter != at || !tag && !matches!(last, 0 | b' ' | b'=' | b'"' | b'\'' | b'(' | b'[' | b'-') {
        return None;
    }
    let mut end = at;
    for group in 0..3 {
        let stop = run_end(text, end, if group == 2 { 10 } else { 4 }, is_digit);
        if stop == end || (group < 2 && byte(text, stop) != b'.') {
            return None;
        }
        end = stop + usize::from(group < 2);
    }
    // WhatsApp Web's has ten digits at the end: `2.3000.1023456789`.
    let few = count(text, at, end) <= FEW || text.get(at..at + 7) == Some(b"2.3000.");
    let over = ends(text, end) || (matches!(byte(text, end), b'-' | b'+') && is_letter(byte(text, end + 1)));
    (few && over).then(|| pre_release_end(text, end))
}

/// Behind a version's `-rc2` or `+build` where nothing else goes on, <https://semver.org>; else where it began.
fn pre_release_end(text: &[u8], end: usize) -> usize {
    if !matches!(byte(text, end), b'-' | b'+') {
        return end;
    }
    let letters = run_end(text, end + 1, 12, is_letter);
    let digits = run_end(text, letters, 3, is_digit);
    if letters > end + 1 && ends(text, digits) { digits } else { end }
}

fn count(text: &[u8], start: usize, end: usize) -> usize {
    text.get(start..end).unwrap_or_default().iter().filter(|b| is_digit(**b)).count()
}

/// Whether a month's name, or an octet of a dump, may begin at a place.
fn may_go_on(text: &[u8], at: usize) -> bool {
    let first = byte(text, at);
    is_digit(first) || is_month(text, at) || is_hex(first) && run_end(text, at, 3, is_alnum) - at <= 2
}

/// Whether an English month's name begins at a place.
fn is_month(text: &[u8], at: usize) -> bool {
    static MONTHS: WordList =
        WordList::new(&["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]);
    MONTHS.holds(text.get(at..at + 3).unwrap_or_default())
}

/// Whether nothing that goes on at `end` makes a token longer: a separator before more digits, a letter.
fn ends(text: &[u8], end: usize) -> bool {
    match byte(text, end) {
        // What is behind the text's end reads as 0.
        0 => end >= text.len(),
        b',' | b';' | b']' | b'}' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'&' | b'|' | b'<' | b'>' => true,
        b')' | b':' => {
            !is_alnum(byte(text, end + 1)) && !matches!(byte(text, end + 1), b':' | b'-' | b'+' | b' ' | b'(')
        }
        b'\\' => matches!(byte(text, end + 1), b'n' | b'r' | b't' | b'"'),
        b'/' => is_letter(byte(text, end + 1)),
        b' ' => {
            // Digits behind it may be the rest of a number.
            let beyond = run_end(text, end, 4, |b| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
            let next = byte(text, beyond);
            !is_digit(next) && !is_high(next) && !matches!(next, b'+' | b'%' | b' ' | b'(')
        }
        _ => false,
    }
}

fn is_hex_id(text: &[u8], start: usize, run: &Run) -> bool {
    let next = byte(text, run.end);
    run.kinds == DIGIT | LOW_HEX
        && matches!(run.end - start, 16 | 24 | 32 | 40 | 64)
        && !is_high(next)
        && !matches!(next, b'.' | b'@' | b'/' | b'+' | b'=' | b':' | b'%')
        && !matches!(before(text, start), b'/' | b'+' | b'-' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Token) {
        let at = text.bytes().position(|b| b.is_ascii_digit()).unwrap();
        let start = text.as_bytes()[..at].iter().rposition(|b| !is_token(*b)).map_or(0, |place| place + 1);
        assert_eq!(of(text.as_bytes(), start, at), want, "{text}");
    }

    #[test]
    fn a_status_is_none_of_the_number_behind_it() {
        let of_status = |text: &str| {
            let at = text.find("200").unwrap();
            of(text.as_bytes(), at, at)
        };
        assert_eq!(of_status("\"GET / HTTP/1.1\" 200 5124998 x"), Token::Short(20));
        assert_eq!(of_status("\"GET / HTTP\" 200 5124998 x"), Token::Other);
        assert_eq!(of_status("\"GET / HTTP/1.1\" 2005 124998 x"), Token::Other);
    }

    #[test]
    fn tokens() {
        check("took 503 ms", Token::Short(8));
        check("node gw-3 is", Token::Short(9));
        check("rt=17.524 x", Token::Short(9));
        check("took 86.279s", Token::Short(12));
        check("GET HTTP/1.1\"", Token::Short(12));
        check("a /v2/messages", Token::Short(5));
        check("at x.js:3698:17)", Token::Short(15));
        check("sms-api-eu-2 x", Token::Short(12));
        check("sms.events-3", Token::Short(12));
        check("<34>1 2026", Token::Short(3));
        check("<345> x", Token::Short(4));
        check("[origin@32473 x]", Token::Short(13));
        check("a b@4155550132", Token::Other);
        check("up 6848927s, x", Token::Short(11));
        check("after 72051ms\\n\\tat", Token::Short(13));
        check("id 72051ec", Token::Other);
        check("call 415 555 0132", Token::Other);
        check("from 4155550132, x", Token::Number(15));
        check("12 Mar 2026", Token::Other);
        check("12/Mar/2026", Token::Date);
        check("12 4f 00 61", Token::Other);
        check("at 192.0.2.7", Token::Other);
        check("okhttp/4.10.7", Token::Other);
        check("client version v15.13.58, x", Token::Version(24));
        check("7.23.1-rc2", Token::Version(10));
        check("7.23.1+build.5550132", Token::Version(6));
        check("7.23.1-rc5550132", Token::Version(6));
        check("10-0-0-1", Token::Other);
        check("[f81d4fae-7dec-11d0-a765-00a0c91e6bf6]", Token::Uuid(37));
        check("span 15ebc160c59fbc9d done", Token::Hex(21));
        check("2026-03-02T01:28:17.611Z", Token::Date);
        check("to 14155550132", Token::Number(14));
        check("at sender-47b33d, x", Token::Name(16));
        check("at ip-10-0-0-1", Token::Other);
        check("mail otto12@example.com", Token::Other);
        check("pod svc-84a8ee7b-c17bd", Token::Name(22));
        check("pod api-5f4d8c7b9-x2x4z", Token::Name(23));
        check("sms-415-555-0132", Token::Other);
        check("x-2026-01-07", Token::Other);
        check("registry/flusher:16.16.49", Token::Version(25));
        check("sha256:2c26b46b68ffc68ff99b453c1d304134", Token::Name(6));
        check("sha256:482913", Token::Other);
    }
}

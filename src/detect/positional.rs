//! Codes, names and numbers that their place beside a telephone number shows: `otp_check 4479… 482913`,
//! `generated 482913 for 4479…`, `('4479…', 'Ada Roe', 3)`, `Ada Roe (099 …)`.

use super::bytes::{before, byte, is_alnum, is_digit, is_letter, run_end, run_start, slice, tail};
use super::code_opposed::opposed;
use super::name::two_words_before;
use super::safe;
use super::table_row::reads_like_name;
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::finding::Span;
use crate::numbering;

/// Longest word of a command that is looked at.
const LONGEST_COMMAND: usize = 32;

/// What stands between a number and what was sent to it.
const ARROWS: [&[u8]; 4] = [b" -> ", b" => ", b" = ", b"/"];

/// Calls `out` with the codes beside the number at `number`. `speaks` tells whether a word speaks of codes.
pub fn codes(text: &[u8], number: Span, speaks: fn(&[u8]) -> bool, out: &mut dyn FnMut(Span)) {
    // `4479… typed 4821 instead of 4822`
    let out: &mut dyn FnMut(Span) = &mut |span: Span| {
        let other = opposed(text, span.end()).and_then(|signs| code_at(text, signs.end()));
        other.into_iter().for_each(&mut *out);
        out(span);
    };
    let end = number.end();
    // `otp_check 4479… 482913`
    if byte(text, end) == b' '
        && let Some(code) = code_at(text, end + 1)
        && speaks(command_before(text, number.start()))
    {
        out(code);
    }
    // `SET otp/4479… 482913 EX 300`; a lifetime stands there behind `SETEX`.
    let key_byte = |b| is_alnum(b) || matches!(b, b'_' | b'.' | b':' | b'/' | b'-');
    let key = run_start(text, number.start(), 40, key_byte);
    let command = slice(text, key.saturating_sub(7)..key);
    let kept = !command.windows(5).any(|word| word.eq_ignore_ascii_case(b"setex"));
    if key + 3 < number.start()
        && kept
        && byte(text, end) == b' '
        && let Some(code) = code_at(text, end + 1)
        && speaks(slice(text, key..number.start()))
    {
        out(code);
    }
    // `pin accepted for 4479… (482913)`
    if slice(text, end..end + 2) == b" ("
        && let Some(code) = code_at(text, end + 2)
        && byte(text, code.end()) == b')'
        && speaks(clause_before(text, number.start()))
    {
        out(code);
    }
    // `[OTP] +4479… -> 482913 (expires in 300 s)`, `otp for +4479… => 482913`
    if let Some(arrow) = ARROWS.iter().find(|arrow| slice(text, end..end + arrow.len()) == **arrow)
        && let Some(code) = code_at(text, end + arrow.len())
        && speaks(line_before(text, number.start()))
    {
        out(code);
    }
    // `4479… code=482913`
    if byte(text, end) == b' '
        && let Some(name) = name_of_a_code(tail(text, end + 1))
        && let Some(code) = code_at(text, end + 1 + name)
    {
        out(code);
    }
    entered(text, end, out);
    made(text, number.start(), speaks, out);
}

/// How long the name is that a code's field has, its sign counted, where one begins a text: `code=`.
#[must_use]
pub fn name_of_a_code(text: &[u8]) -> Option<usize> {
    static NAMES: WordList = WordList::new(words::code::FIELDS);
    let end = run_end(text, 0, 8, is_letter);
    (byte(text, end) == b'=' && NAMES.holds(slice(text, 0..end))).then_some(end + 1)
}

/// `4479…: got 482913, expected 482914`.
fn entered(text: &[u8], end: usize, out: &mut dyn FnMut(Span)) {
    static VALUES: WordList = WordList::new(words::code::VALUES);
    let mut at = run_end(text, end, 1, |b| matches!(b, b':' | b','));
    for _ in 0..2 {
        if byte(text, at) != b' ' {
            return;
        }
        let word = run_end(text, at + 1, 24, |b| is_letter(b) || b >= 0x80);
        let spaced = byte(text, word) == b' ' && VALUES.holds(slice(text, at + 1..word));
        let Some(code) = code_at(text, word + 1).filter(|_| spaced) else { return };
        out(code);
        at = code.end() + usize::from(byte(text, code.end()) == b',');
    }
}

/// `generated 482913 for 4479…`; where the line speaks of codes, `sent 482913 by sms to 4479…`.
fn made(text: &[u8], start: usize, speaks: fn(&[u8]) -> bool, out: &mut dyn FnMut(Span)) {
    static MADE: WordList = WordList::new(words::code::MADE);
    static SENT: WordList = WordList::new(words::phone::SENDING);
    static CARRIERS: WordList = WordList::new(words::neighbours::CARRIERS);
    let head = slice(text, 0..start);
    let Some(head) = head.strip_suffix(b" for ").or_else(|| head.strip_suffix(b" to ")) else { return };
    let (before_carrier, carrier) = head.split_at(run_start(head, head.len(), 12, is_letter));
    let by = before_carrier.strip_suffix(b" by ").or_else(|| before_carrier.strip_suffix(b" via "));
    let head = by.filter(|_| CARRIERS.holds(carrier)).unwrap_or(head);
    let code = run_start(head, head.len(), 9, is_digit);
    if !(4..=8).contains(&(head.len() - code)) || before(head, code) != b' ' {
        return;
    }
    let word = run_start(head, code - 1, 16, is_letter);
    let verb = slice(head, word..code - 1);
    if MADE.holds(verb) || SENT.holds(verb) && speaks(line_before(text, word)) {
        out(Span::new(code, head.len()));
    }
}

/// `GenServer {Relay.Registry, "4479…"}`, `{:via, Registry, {Relay.Sessions, "4479…"}}`: calls `out` with numbers that Elixir's
/// processes are registered under.
pub fn registered(text: &[u8], out: &mut dyn FnMut(Span)) {
    const SIGN: &[u8] = b"Registry, ";
    for at in memchr::memmem::find_iter(text, SIGN) {
        let tuple = run_start(text, at, 64, is_module);
        let behind = at + SIGN.len();
        let by_name = byte(text, behind) == b'{';
        let named = if by_name { run_end(text, behind + 1, 64, is_module) } else { behind };
        let opens =
            if by_name { slice(text, named..named + 3) == b", \"" } else { byte(text, behind) == b'"' };
        let start = if by_name { named + 3 } else { behind + 1 };
        let end = run_end(text, start + usize::from(byte(text, start) == b'+'), 16, is_digit);
        let number = slice(text, start..end);
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let stands = by_name || before(text, tuple) == b'{';
        if opens
            && stands
            && slice(text, end..end + 2) == b"\"}"
            && numbering::international(digits).is_some_and(|number| number.is_valid())
        {
            out(Span::new(start, end));
        }
    }
}

/// Whether a byte may stand in the name of one of Elixir's modules.
fn is_module(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'.' | b'_')
}

/// Four to eight digits that stand alone and have no unit.
fn code_at(text: &[u8], at: usize) -> Option<Span> {
    let end = run_end(text, at, 9, is_digit);
    let ends = matches!(byte(text, end), 0 | b' ' | b',' | b';' | b')' | b'\n' | b'\r');
    let next_end = run_end(text, end + 1, 16, is_letter);
    // `code=4829 attempts=1` has the next field's name behind it.
    let next = if byte(text, next_end) == b'=' { b"" } else { slice(text, end + 1..next_end) };
    ((4..=8).contains(&(end - at)) && ends && (next.is_empty() || !safe::is_unit(next)))
        .then(|| Span::new(at, end))
}

/// The word right before a number, without a colon: `otp_check`, `otp.verify`, `VERIFYPIN`.
fn command_before(text: &[u8], start: usize) -> &[u8] {
    let Some(head) = slice(text, 0..start).strip_suffix(b" ") else { return b"" };
    let head = head.strip_suffix(b":").unwrap_or(head);
    let word =
        run_start(head, head.len(), LONGEST_COMMAND, |b| is_alnum(b) || matches!(b, b'_' | b'.' | b'-'));
    slice(head, word..head.len())
}

/// What stands before a number in its line, up to a sign that ends a clause.
fn clause_before(text: &[u8], start: usize) -> &[u8] {
    let from = run_start(text, start, 48, |b| !matches!(b, b',' | b';' | b'\n' | b'|' | b'=' | b']'));
    slice(text, from..start)
}

/// What stands before a number in its line, as far as it is near.
fn line_before(text: &[u8], start: usize) -> &[u8] {
    let from = run_start(text, start, 80, |b| b != b'\n');
    slice(text, from..start)
}

/// A number that only its command shows, and the code behind it: `otp.verify 712123456 482913`.
pub fn commands(text: &[u8], speaks: fn(&[u8]) -> bool, out: &mut dyn FnMut(Span, Span)) {
    /// Such lines are terse.
    const LONGEST_LINE: usize = 200;
    if text.len() > LONGEST_LINE {
        return;
    }
    for space in memchr::memchr_iter(b' ', text) {
        if !is_digit(before(text, space)) || !is_digit(byte(text, space + 1)) {
            continue;
        }
        let start = run_start(text, space, 16, is_digit);
        let Some(code) = code_at(text, space + 1).filter(|_| (7..=15).contains(&(space - start))) else {
            continue;
        };
        let command = command_before(text, start);
        if before(text, start) == b' ' && command.iter().any(|b| matches!(b, b'_' | b'.')) && speaks(command)
        {
            out(Span::new(start, space), code);
        }
    }
}

/// What stands beside a number or an address in a list of values.
pub enum Beside {
    Name,
    Phone,
}

/// Calls `out` with the names and numbers in the two values on either side of what was found at `found`, in a list
/// whose values are in quotes or brackets or are parted by semicolons or tabs.
pub fn beside(text: &[u8], found: Span, out: &mut dyn FnMut(Beside, Span)) {
    let quote = byte(text, found.end());
    let quoted = matches!(quote, b'"' | b'\'') && before(text, found.start()) == quote;
    let (mut left, mut right) = (found.start() - usize::from(quoted), found.end() + usize::from(quoted));
    let sign = match (byte(text, right), before(text, left)) {
        (sign @ (b',' | b';' | b'\t'), _) => sign,
        (_, sign @ (b',' | b';' | b'\t')) => sign,
        (_, b' ') if slice(text, 0..left).ends_with(b", ") => b',',
        _ => return,
    };
    // Prose has commas, too, and spaces behind them.
    let bracketed = matches!(before(text, left), b'(' | b'[' | b'{');
    let listed = quoted
        || sign != b','
        || bracketed
        || is_in_row(text, left, right)
        || is_in_brackets(text, left)
        || is_beside_contact(text, right);
    if !listed {
        return;
    }
    for _ in 0..2 {
        if byte(text, right) != sign {
            break;
        }
        let start = right + 1 + usize::from(sign == b',' && byte(text, right + 1) == b' ');
        let Some((value, end)) = value_from(text, start, sign) else { break };
        judge(text, value, out);
        right = end;
    }
    let mut digits = None;
    for _ in 0..2 {
        let gap = usize::from(sign == b',' && before(text, left) == b' ');
        if left < gap + 1 || before(text, left - gap) != sign {
            break;
        }
        let end = left - gap - 1;
        let Some((value, start)) = value_to(text, end, sign) else { break };
        // `Ada Roe,70127114,a@example.com`: a number between a name and an address.
        if let Some(digits) = digits.take().filter(|_| reads_like_name(value.of(text))) {
            out(Beside::Phone, digits);
        }
        digits = is_short_number(value.of(text)).then_some(value);
        judge(text, value, out);
        left = start;
    }
}

/// `7,Ada Roe,a@example.com,1971-03-09`: whether commas without spaces stand on both sides of a value, or two on one.
fn is_in_row(text: &[u8], left: usize, right: usize) -> bool {
    let part = |b: u8| !matches!(b, b',' | b'\n' | b'"' | b'(' | b'{' | b'=');
    let tight =
        |comma: usize| byte(text, comma) == b',' && !matches!(byte(text, comma + 1), b' ' | 0 | b'\n');
    let last = left.wrapping_sub(1);
    let (behind, ahead) = (tight(right), left > 0 && tight(last));
    let next = run_end(text, right + 1, LONGEST_VALUE, part);
    let previous = run_start(text, last, LONGEST_VALUE, part);
    behind && ahead || behind && tight(next) || ahead && previous > 0 && tight(previous - 1)
}

/// `values (Ada Roe, 4479…, a@example.com)`: whether a bracket begins before one of the three values before one.
fn is_in_brackets(text: &[u8], left: usize) -> bool {
    let part = |b: u8| !matches!(b, b',' | b'\n' | b'(' | b'[' | b'{' | b'=' | b':');
    let mut left = left;
    for _ in 0..3 {
        let Some(end) = left.checked_sub(2).filter(|end| slice(text, *end..left) == b", ") else {
            return false;
        };
        let start = run_start(text, end, LONGEST_VALUE, part);
        match before(text, start) {
            _ if start == end => return false,
            b'(' | b'[' => return true,
            // The space behind a comma is the value's first byte.
            b',' if byte(text, start) == b' ' => left = start + 1,
            _ => return false,
        }
    }
    false
}

/// `Ada Roe, +4479…, a@example.com`: whether an address or another number comes next, as in no sentence.
fn is_beside_contact(text: &[u8], right: usize) -> bool {
    let next = run_end(text, right + 2, LONGEST_VALUE, |b| !matches!(b, b',' | b' ' | b'\n'));
    let value = slice(text, right + 2..next);
    slice(text, right..right + 2) == b", "
        && (value.contains(&b'@')
            || value.starts_with(b"[EMAIL")
            || value.starts_with(b"[PHONE")
            || value.first() == Some(&b'+') && value.len() > 8)
}

/// Seven to eleven digits.
fn is_short_number(value: &[u8]) -> bool {
    (7..=11).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

fn judge(text: &[u8], value: Span, out: &mut dyn FnMut(Beside, Span)) {
    let bytes = value.of(text);
    // Scripts without capitals have names of two words at the least.
    let wide = |b: &u8| *b >= 0xD6 || *b == b' ';
    let foreign = bytes.len() <= 60
        && bytes.first().is_some_and(|b| *b >= 0xD6)
        && bytes.iter().all(|b| wide(b) || (0x80..0xC0).contains(b));
    if reads_like_name(bytes) || foreign {
        out(Beside::Name, value);
    } else if (9..=12).contains(&bytes.len())
        && bytes.first() == Some(&b'0')
        && bytes.iter().all(u8::is_ascii_digit)
    {
        out(Beside::Phone, value);
    }
}

/// The value that begins at `start`, without its quotes, and where it ends with them.
fn value_from(text: &[u8], start: usize, sign: u8) -> Option<(Span, usize)> {
    let quote = byte(text, start);
    if matches!(quote, b'"' | b'\'') {
        let end = run_end(text, start + 1, LONGEST_VALUE, |b| b != quote && b != b'\n');
        return (byte(text, end) == quote).then(|| (Span::new(start + 1, end), end + 1));
    }
    let end = run_end(text, start, LONGEST_VALUE, |b| b != sign && !matches!(b, b'\n' | b')' | b']' | b'}'));
    Some((Span::new(start, end), end))
}

/// The value that ends at `end`, without its quotes, and where it begins with them.
fn value_to(text: &[u8], end: usize, sign: u8) -> Option<(Span, usize)> {
    let quote = before(text, end);
    if matches!(quote, b'"' | b'\'') {
        let start = run_start(text, end - 1, LONGEST_VALUE, |b| b != quote && b != b'\n');
        return (before(text, start) == quote).then(|| (Span::new(start, end - 1), start - 1));
    }
    let part = |b| b != sign && !matches!(b, b'\n' | b'(' | b'[' | b'{' | b'=' | b':');
    let start = run_start(text, end, LONGEST_VALUE, part);
    let lead = usize::from(byte(text, start) == b' ');
    (start + lead < end).then(|| (Span::new(start + lead, end), start))
}

/// Longer values are no names.
const LONGEST_VALUE: usize = 64;

/// Calls `out` with names of fields and the one value in the list that each has: `'otp': ['482913']`, `otp=[482913]`.
pub fn lists_of_one(text: &[u8], out: &mut dyn FnMut(Span, Span)) {
    for open in memchr::memchr_iter(b'[', text) {
        let quote = byte(text, open + 1);
        let quoted = usize::from(matches!(quote, b'"' | b'\''));
        let name_end = match slice(text, open.saturating_sub(3)..open) {
            [.., b'"' | b'\'', b':', b' '] if quoted == 1 => open - 3,
            [.., b'='] if quoted == 0 => open - 1,
            _ => continue,
        };
        let start = open + 1 + quoted;
        let end = run_end(text, start, 24, |b| is_alnum(b) || b == b'-');
        let closed = quoted == 0 || byte(text, end) == quote;
        let name = run_start(text, name_end, 40, |b| is_alnum(b) || matches!(b, b'_' | b'-' | b'.'));
        if end > start && closed && byte(text, end + quoted) == b']' && name < name_end {
            out(Span::new(name, name_end), Span::new(start, end));
        }
    }
}

/// The name in brackets right behind a number: `+4479… (Ada Roe) variant B`. `end` is the number's end.
#[must_use]
pub fn name_behind(text: &[u8], end: usize) -> Option<Span> {
    if slice(text, end..end + 2) != b" (" {
        return None;
    }
    let close = run_end(text, end + 2, LONGEST_VALUE, |b| !matches!(b, b')' | b'\n' | b'('));
    let name = two_words_before(text, close).filter(|_| byte(text, close) == b')')?;
    (name.start() == end + 2).then_some(name)
}

/// `<- 321 1228021 «see you at six»`: the number between an arrow and a text in quotes that begins at `start`.
pub fn before_quoted(text: &[u8], start: usize) -> Option<Span> {
    const ARROWS: [&str; 4] = ["<-", "->", "<<", ">>"];
    let open = run_start(text, start, 3, |b| !is_alnum(b) && b != b' ');
    let head = slice(text, 0..open).strip_suffix(b" ").filter(|_| open < start)?;
    let from = run_start(text, head.len(), 20, |b| is_digit(b) || matches!(b, b' ' | b'-' | b'.'));
    let number = slice(text, from..head.len());
    let lead = number.iter().take_while(|b| **b == b' ').count();
    let digits = number.iter().filter(|b| is_digit(**b)).count();
    let arrow = slice(text, 0..from);
    let behind = lead == 1 && ARROWS.iter().any(|sign| arrow.ends_with(sign.as_bytes()));
    // The last byte of an arrow may be a dash.
    let dash = number.starts_with(b"- ") && matches!(arrow.last(), Some(b'<' | b'-'));
    let start = from + if dash { 2 } else { lead };
    ((behind || dash) && (7..=12).contains(&digits)).then(|| Span::new(start, head.len()))
}

/// Calls `out` with a name of two words or more and the number in brackets behind it, written as a country writes its
/// own: `Ada Roe (099 123 45 67)`.
pub fn bracketed(text: &[u8], out: &mut dyn FnMut(Span, Span)) {
    for open in memchr::memchr_iter(b'(', text) {
        if !is_digit(byte(text, open + 1)) || before(text, open) != b' ' {
            continue;
        }
        let end = run_end(text, open + 1, 20, |b| is_digit(b) || matches!(b, b' ' | b'-' | b'.'));
        let number = Span::new(open + 1, end);
        let digits = number.of(text).iter().filter(|b| is_digit(**b)).count();
        // Not the day somebody was born on.
        let least = if byte(text, open + 1) == b'0' { 8 } else { 9 };
        if byte(text, end) != b')' || !(least..=12).contains(&digits) {
            continue;
        }
        if let Some(name) = two_words_before(text, open - 1) {
            out(name, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(word: &[u8]) -> bool {
        word.windows(3).any(|part| part.eq_ignore_ascii_case(b"otp") || part.eq_ignore_ascii_case(b"pin"))
    }

    #[track_caller]
    fn check(line: &str, number: &str, want: &[&str]) {
        let text = line.as_bytes();
        let start = line.find(number).unwrap();
        let mut got = Vec::new();
        codes(text, Span::new(start, start + number.len()), speaks, &mut |span| {
            got.push(String::from_utf8_lossy(span.of(text)).into_owned());
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn codes_beside_numbers() {
        let number = "14155550132";
        check("otp_check 14155550132 482913 OK 12", number, &["482913"]);
        check("CMD VERIFYPIN 14155550132 4829", number, &["4829"]);
        check("pin accepted for 14155550132 (482913), session 7", number, &["482913"]);
        check("generated 482913 for 14155550132 ttl 300", number, &["482913"]);
        check("[relay] 14155550132: got 482913, expected 482914, retry", number, &["482913", "482914"]);
        check("issue 14155550132 code=4829 attempts=1", number, &["4829"]);
        check("otp_sent 14155550132 4829 ms", number, &[]);
        check("sent 14155550132 482913 OK", number, &[]);
        check("lookup 14155550132 (482913)", number, &[]);
        check("sent 482913 to 14155550132", number, &[]);
        check("[relay] 14155550132: took 482913", number, &[]);
    }

    #[test]
    fn commands_show_numbers() {
        let pairs = |line: &str| {
            let mut got = 0;
            commands(line.as_bytes(), speaks, &mut |_, _| got += 1);
            got
        };
        assert_eq!(pairs("otp.verify 712123456 482913 ABORTED"), 1);
        assert_eq!(pairs("otp.verify 712123456 482 ABORTED"), 0);
        assert_eq!(pairs("sms.verify 712123456 482913 ABORTED"), 0);
        assert_eq!(pairs("otp 712123456 482913"), 0);
    }

    #[track_caller]
    fn check_beside(line: &str, found: &str, want: &[&str]) {
        let text = line.as_bytes();
        let start = line.find(found).unwrap();
        let mut got = Vec::new();
        beside(text, Span::new(start, start + found.len()), &mut |_, span| {
            got.push(String::from_utf8_lossy(span.of(text)).into_owned());
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn values_beside_numbers() {
        let mail = "a@example.com";
        check_beside("['094285883', 'Ada Roe', '1969', 'a@example.com']", mail, &["Ada Roe"]);
        check_beside("['094285883', 'Ada Roe', 'a@example.com']", mail, &["Ada Roe", "094285883"]);
        check_beside("sample=(14155550132, Ada Roe, 7927)", "14155550132", &["Ada Roe"]);
        check_beside("first=+14155550132;Ada Roe;1971", "+14155550132", &["Ada Roe"]);
        check_beside("sent to +14155550132, Ada Roe, 7", "+14155550132", &[]);
        check_beside("['a@example.com', 'delivery report', 3]", mail, &[]);
        check_beside("['a@example.com', 'Delivery Failed', 3]", mail, &[]);
    }

    #[test]
    fn lists_and_brackets() {
        let mut got = Vec::new();
        let line =
            "POST=<QueryDict: {'signInCode': ['482913'], 'tries': ['2', '3']}> otp=[4829] [x] a: ['b c']";
        lists_of_one(line.as_bytes(), &mut |name, value| {
            got.push((name.of(line.as_bytes()), value.of(line.as_bytes())));
        });
        assert_eq!(got, [(&b"signInCode"[..], &b"482913"[..]), (b"otp", b"4829")]);
        let behind = |line: &str| name_behind(line.as_bytes(), 12).is_some();
        assert!(behind("+14155550132 (Zoe Roe) variant B"));
        assert!(!behind("+14155550132 (retry 3) x") && !behind("+14155550132 (Delivery Failed)"));
    }

    #[test]
    fn names_before_brackets() {
        let found = |line: &str| {
            let mut got = String::new();
            bracketed(line.as_bytes(), &mut |name, _| {
                got = String::from_utf8_lossy(name.of(line.as_bytes())).into_owned();
            });
            got
        };
        assert_eq!(found("queue support: Ada Roe (099 121 1856) waiting"), "Ada Roe");
        assert_eq!(found("retry (0991211856) waiting"), "");
        assert_eq!(found("Ada Roe (0991) waiting"), "");
    }
}

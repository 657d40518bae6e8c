//! What stands right beside a value in the text, where its name and its neighbours' leave a doubt.

use super::super::signs::Seen;
use super::shape::Again;
use super::*;
use crate::detect::body::has_escaped_letters;
use crate::detect::word_list::WordList;
use crate::detect::words::neighbours;

/// Whether an id that could be somebody's is the line's own: Monolog's `"extra":{"http_method":"POST","uid":"7f3a52c"}` and its
/// `… {} {"uid":"7f3a52c"}`, the `externalId` of ArcSight's event format.
pub(super) fn is_of_the_line(again: Again, text: &[u8], field: &Field) -> bool {
    const LONE: &[u8] = b"{\"uid\":\"";
    const HEADER: usize = 256;
    let value = field.value.of(text);
    let hex = || value.iter().all(u8::is_ascii_hexdigit);
    let digits = || value.iter().all(u8::is_ascii_digit);
    match again {
        Again::No => false,
        Again::UidOfARequest => matches!(value.len(), 7..=32) && hex(),
        Again::Uid => {
            let head = text.get(..field.value.start()).and_then(|head| head.strip_suffix(LONE));
            let extra = |head: &[u8]| head.ends_with(b"} ") || head.ends_with(b"[] ");
            value.len() == 7 && head.is_some_and(extra) && hex()
        }
        // `"window":{"from":1769249216,"to":1769249276}`
        Again::Period => matches!(value, [b'1', ..]) && matches!(value.len(), 10 | 13) && digits(),
        Again::External => {
            let header = text.get(..text.len().min(HEADER)).unwrap_or_default();
            field.form == Form::Bare && memchr::memmem::find(header, b"CEF:").is_some()
        }
    }
}

/// Whether a name may be that of a time's beginning or end, by what it stands in.
pub(super) fn bounds_a_period(text: &[u8], tree: &Tree, field: &Field, name: &[u8]) -> bool {
    static PERIODS: WordList = WordList::new(neighbours::PERIODS);
    matches!(name, b"from" | b"to" | b"start" | b"end" | b"since" | b"until")
        && PERIODS.holds(tree.container(field.container).name.of(text))
}

/// `["4479…", "see you at six", {…}]`: what a job was called with that sends a text to a number.
pub(super) fn argument_of_a_job(tools: Tools<'_>, text: &[u8], field: &Field) -> Option<Class> {
    const LONGEST_TEXT: usize = 2048;
    if !matches!(field.form, Form::JsonString | Form::JsonEscaped) {
        return None;
    }
    let value = field.value.of(text);
    let said = |value: &[u8]| {
        let words = value.iter().filter(|b| **b == b' ').count();
        let spoken = words >= 3 && tools.detectors.signs(value).has(Seen::CODE);
        resolve::is_said(value, 2) || has_escaped_letters(value) || spoken
    };
    let head = text.get(..field.value.start())?;
    // `["SmsJob", "4479…", "see you at six"]`: a job's own name may stand first.
    let first = |head: &[u8]| head.ends_with(b"[\"") || begins_with_a_class(head);
    if resolve::is_valid_number(value.strip_prefix(b"+").unwrap_or(value)) {
        let rest = first(head).then(|| text.get(field.value.end()..))??;
        let next = rest.strip_prefix(b"\", \"").or_else(|| rest.strip_prefix(b"\",\""))?;
        let next = next.get(..next.len().min(LONGEST_TEXT))?;
        let mut quotes = memchr::memchr_iter(b'"', next);
        let end = quotes.find(|at| at.checked_sub(1).and_then(|at| next.get(at)) != Some(&b'\\'))?;
        return said(next.get(..end)?).then_some(Class::Phone);
    }
    let head = head.strip_suffix(b"\", \"").or_else(|| head.strip_suffix(b"\",\""))?;
    let digits = head.iter().rev().take(16).take_while(|b| b.is_ascii_digit()).count();
    let (before, number) = head.split_at_checked(head.len() - digits)?;
    let before = before.strip_suffix(b"+").unwrap_or(before);
    (first(before) && resolve::is_valid_number(number) && said(value)).then_some(Class::Body)
}

/// Whether a list whose first item is a class's name goes on with a string: `["SmsJob", "`.
fn begins_with_a_class(head: &[u8]) -> bool {
    let Some(head) = head.strip_suffix(b"\", \"").or_else(|| head.strip_suffix(b"\",\"")) else {
        return false;
    };
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'\\');
    let len = head.iter().rev().take(96).take_while(|b| part(b)).count();
    let (before, class) = head.split_at(head.len() - len);
    before.ends_with(b"[\"")
        && class.first().is_some_and(u8::is_ascii_uppercase)
        && class.iter().any(u8::is_ascii_lowercase)
}

/// `InboundSms(address=7715202, body=…)`, `Sms{address='7715202', body='…'}`: whether a value is a member of what is called a message.
pub(super) fn is_member_of_a_message(text: &[u8], field: &Field) -> bool {
    const REACH: usize = 160;
    let head = text.get(field.name.start().saturating_sub(REACH)..field.name.start()).unwrap_or_default();
    let head = head.get(memchr::memrchr2(b')', b'\n', head).map_or(0, |at| at + 1)..).unwrap_or_default();
    let Some(open) = memchr::memrchr3(b'(', b'{', b'[', head) else { return false };
    let called = head.get(..open).unwrap_or_default().trim_ascii_end();
    let len = called.iter().rev().take(40).take_while(|b| b.is_ascii_alphanumeric()).count();
    let called = called.get(called.len() - len..).unwrap_or_default();
    called.first().is_some_and(u8::is_ascii_uppercase)
        && neighbours::MESSAGE.iter().any(|word| ends_in(called, word))
}

/// Whether a code is an error's: `TransportException(code: 131056)`, or a number in a delivery report.
pub(super) fn is_of_a_failure(text: &[u8], field: &Field) -> bool {
    let head = text.get(field.name.start().saturating_sub(48)..field.name.start()).unwrap_or_default();
    let thrown = |called: &[u8]| neighbours::THROWN.iter().any(|word| ends_in(called, word));
    let around = || read::text_around(text, field.value);
    head.strip_suffix(b"(").is_some_and(thrown)
        || SQLSTATES.holds(field.value.of(text)) && tells_of_a_statement(around())
        || field.form == Form::JsonNumber
            && tells_of_delivery(around())
            && !detectors::speaks_of_codes(around())
}

static SQLSTATES: WordList = WordList::new(neighbours::SQLSTATES);

/// Whether a text is what a database says of a statement that failed.
fn tells_of_a_statement(text: &[u8]) -> bool {
    neighbours::STATEMENT_ERRORS.iter().any(|words| memchr::memmem::find(text, words.as_bytes()).is_some())
}

/// Whether a text says that it is a delivery report.
fn tells_of_delivery(text: &[u8]) -> bool {
    memchr::memchr2_iter(b'd', b'D', text).any(|at| {
        let rest = text.get(at..).unwrap_or_default();
        neighbours::REPORTS.iter().any(|word| {
            rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
        })
    })
}

fn ends_in(text: &[u8], word: &str) -> bool {
    let from = text.len().checked_sub(word.len());
    from.and_then(|from| text.get(from..)).is_some_and(|end| end.eq_ignore_ascii_case(word.as_bytes()))
}

/// `verify check(request_id=7f3a, code=482913)`: whether digits of a code's length are what a function was called
/// with that speaks of codes.
pub(super) fn is_argument_of_a_check(text: &[u8], value: Span) -> bool {
    const REACH: usize = 96;
    let digits = value.of(text);
    if !(4..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let head = text.get(value.start().saturating_sub(REACH)..value.start()).unwrap_or_default();
    let Some(open) = head.iter().rposition(|b| matches!(b, b'(' | b')' | b'\n')) else { return false };
    let called = head.get(open.saturating_sub(40)..open).unwrap_or_default();
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':');
    let word = called.iter().rposition(|b| !part(b)).map_or(0, |at| at + 1);
    let before = called.get(..word).unwrap_or_default().trim_ascii_end();
    let before =
        before.get(before.iter().rposition(|b| !part(b)).map_or(0, |at| at + 1)..).unwrap_or_default();
    head.get(open) == Some(&b'(')
        && word < called.len()
        && (detectors::speaks_of_codes(called.get(word..).unwrap_or_default())
            || detectors::speaks_of_codes(before))
}

//! Whom a text was sent to, or who said it, where only their places say so: the arguments of a call or of a job, the
//! elements of a list, a name right before a number.

use super::bytes::{before, byte, is_alnum, is_digit, is_letter, run_end, run_start, slice};
use super::name::two_words_before;
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::finding::Span;

/// Longest text that is an argument.
const LONGEST_TEXT: usize = 2048;

/// `args=('691 302 84', 'see you at six')`, `send_sms("691…", "see you at six")`: calls `out` with the number and the text
/// that a function was called with that sends.
pub fn arguments(text: &[u8], out: &mut dyn FnMut(Span, Span)) {
    for open in memchr::memchr2_iter(b'(', b'[', text) {
        let start = open + 2;
        let sign = byte(text, open + 1);
        if !matches!(sign, b'"' | b'\'') || !(is_digit(byte(text, start)) || byte(text, start) == b'+') {
            continue;
        }
        let end =
            run_end(text, start, 24, |b| is_digit(b) || matches!(b, b' ' | b'-' | b'.' | b'+' | b'(' | b')'));
        let number = Span::new(start, end);
        let digits = number.of(text).iter().filter(|b| is_digit(**b)).count();
        if !(7..=15).contains(&digits)
            || byte(text, end) != sign
            || byte(text, end + 1) != b','
            || !is_sending(text, open)
        {
            continue;
        }
        let quote = end + 2 + usize::from(byte(text, end + 2) == b' ');
        let sign = byte(text, quote);
        if !matches!(sign, b'"' | b'\'') {
            continue;
        }
        let rest = text.get(quote + 1..text.len().min(quote + LONGEST_TEXT)).unwrap_or_default();
        let closes = |at: &usize| {
            matches!(rest.get(at + 1), None | Some(b',' | b')' | b']'))
                && rest.get(at.wrapping_sub(1)) != Some(&b'\\')
        };
        let Some(len) = memchr::memchr_iter(sign, rest).find(closes) else { continue };
        let said = Span::new(quote + 1, quote + 1 + len);
        let words = said.of(text).iter().filter(|b| **b == b' ').count();
        let wide = said.of(text).iter().filter(|b| **b >= 0x80).count() >= 12;
        if words >= 2 || wide {
            out(number, said);
        }
    }
}

/// Whether what opens at `open` are the arguments of a job or of a call that sends.
fn is_sending(text: &[u8], open: usize) -> bool {
    static ARGUMENTS: WordList = WordList::new(words::message::ARGUMENTS);
    let end = run_start(text, open, 2, |b| matches!(b, b'=' | b':' | b' '));
    let end = end - usize::from(matches!(before(text, end), b'"' | b'\''));
    let start = run_start(text, end, 48, |b| is_alnum(b) || b == b'_');
    let name = slice(text, start..end);
    let sends = |name: &[u8]| {
        words::message::SENDING_CALLS
            .iter()
            .any(|word| name.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes())))
    };
    if end < open { ARGUMENTS.holds(name) } else { sends(name) }
}

/// `rec/4479…_3361…_1769249216.wav`: calls `out` with the numbers in the name of a recording, parted by dashes or underscores.
pub fn recordings(text: &[u8], out: &mut dyn FnMut(Span)) {
    for dot in memchr::memchr_iter(b'.', text) {
        let end = run_end(text, dot + 1, 6, is_alnum);
        let kind = slice(text, dot + 1..end);
        if !words::message::RECORDINGS.iter().any(|known| kind.eq_ignore_ascii_case(known.as_bytes())) {
            continue;
        }
        let start = run_start(text, dot, 160, |b| is_alnum(b) || matches!(b, b'_' | b'-' | b'+'));
        let mut at = start;
        for part in slice(text, start..dot).split(|b| matches!(b, b'_' | b'-')) {
            let digits = part.strip_prefix(b"+").unwrap_or(part);
            let number = Span::new(at, at + part.len());
            at = number.end() + 1;
            if (9..=15).contains(&digits.len())
                && digits.iter().all(u8::is_ascii_digit)
                && !(digits.len() == 10 && digits.first() == Some(&b'1') || digits.len() == 14)
            {
                out(number);
            }
        }
    }
}

/// `{send,<<"4479…">>,<<"see you at six">>}`, `('4479…', 'see you at six')`: the number in quotes before a text in quotes that
/// begins at `start`, in one list.
pub fn listed_before_quoted(text: &[u8], start: usize) -> Option<Span> {
    let sign = before(text, start);
    if !matches!(sign, b'"' | b'\'') {
        return None;
    }
    let opens = |at: usize, pieces: &[&[u8]]| {
        pieces.iter().find(|piece| slice(text, 0..at).ends_with(piece)).map(|piece| at - piece.len())
    };
    let at = opens(start - 1, &[b"<<", b"b", b"u", b""])?;
    let at = opens(at, &[b", ", b","])?;
    let at = opens(at, &[b">>", b""])?;
    if before(text, at) != sign {
        return None;
    }
    let end = at - 1;
    let digits = run_start(text, end, 16, is_digit);
    let from = digits - usize::from(before(text, digits) == b'+');
    let number = Span::new(from, end);
    ((9..=15).contains(&(end - digits)) && before(text, from) == sign).then_some(number)
}

/// `6610 6954 wrote: «see you at six»`: the number of who says the text in quotes that begins at `start`.
pub fn says(text: &[u8], start: usize) -> Option<Span> {
    static SAYS: WordList = WordList::new(words::message::SAYS);
    let open = run_start(text, start, 4, |b| !is_alnum(b) && b != b':');
    let word_end = open.checked_sub(1).filter(|colon| byte(text, *colon) == b':')?;
    let word = run_start(text, word_end, 16, |b| is_letter(b) || b >= 0x80);
    let end = word.checked_sub(1).filter(|space| byte(text, *space) == b' ')?;
    if !SAYS.holds(slice(text, word..word_end)) {
        return None;
    }
    let from = run_start(text, end, 20, |b| is_digit(b) || matches!(b, b' ' | b'-' | b'.'));
    let lead = slice(text, from..end).iter().take_while(|b| !is_digit(**b)).count();
    let number = Span::new(from + lead, end);
    let digits = number.of(text).iter().filter(|b| is_digit(**b)).count();
    let apart = from + lead == 0 || matches!(before(text, from + lead), b' ' | b'(' | b'<' | b'[');
    (apart && (7..=12).contains(&digits)).then_some(number)
}

/// `pairing Ada Roe +4479…`, `row for 陳志豪 (+4479…`: the name of two words, or in letters of another script, right before a
/// number that begins at `start`, behind a word in small letters.
pub fn name_before(text: &[u8], start: usize) -> Option<Span> {
    /// What stands before the names of firms and machines.
    const WAYS: [&[u8]; 9] =
        [b"via", b"through", b"over", b"using", b"on", b"at", b"into", b"under", b"from"];
    // `Ada Roe whatsapp:+4479…`
    let scheme = usize::from(before(text, start) == b':');
    let start = run_start(text, start - scheme, 10 * scheme, is_letter);
    if !matches!(before(text, start), b' ' | b'(') {
        return None;
    }
    // `Ada Roe (tel. 512 …`
    let word = run_start(text, start, 8, |b| is_letter(b) || matches!(b, b'.' | b':' | b' '));
    let start = if word < start && before(text, word) == b'(' { word } else { start };
    let opened = byte(text, start.checked_sub(1)?) == b'(';
    let end = start.checked_sub(1 + usize::from(opened)).filter(|space| byte(text, *space) == b' ')?;
    let name = two_words_before(text, end)?;
    let space = name.start().checked_sub(1).filter(|space| byte(text, *space) == b' ')?;
    let word = run_start(text, space, 24, |b| b.is_ascii_lowercase());
    let led = slice(text, word..space);
    let apart = word == 0 || matches!(before(text, word), b' ' | b':' | b'"' | b'[' | b'(' | b'\t');
    (led.len() >= 2 && apart && !WAYS.contains(&led)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Option<Span>) -> Option<String> {
        span.map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned())
    }

    #[test]
    fn what_a_job_was_called_with() {
        let found = |text: &str| {
            let mut got = None;
            arguments(text.as_bytes(), &mut |number, said| {
                got = Some((shown(text, Some(number)), shown(text, Some(said))));
            });
            got
        };
        let pair = |number: &str, said: &str| Some((Some(number.to_owned()), Some(said.to_owned())));
        assert_eq!(
            found("t[7f] args=('691 302 84', 'see you at six') x"),
            pair("691 302 84", "see you at six")
        );
        assert_eq!(found("sendSms(\"+69130284\", \"it's me again\", 3)"), pair("+69130284", "it's me again"));
        assert_eq!(found("\"args\": [\"69130284\", \"see you soon\"]"), pair("69130284", "see you soon"));
        for text in [
            "insert('69130284', 'see you at six')",
            "args=('69130284', 'done')",
            "args=('6913', 'see you at six')",
            "args=('69130284', see you at six)",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_before_what_was_said() {
        let listed = |text: &str| {
            let start = text.rfind("see")?;
            shown(text, listed_before_quoted(text.as_bytes(), start))
        };
        assert_eq!(listed("{send,<<\"447911123456\">>,<<\"see\">>}").as_deref(), Some("447911123456"));
        assert_eq!(listed("('+447911123456', 'see you')").as_deref(), Some("+447911123456"));
        assert_eq!(listed("('+447911123456', see you)"), None);
        assert_eq!(listed("447911123456', 'see you'"), None);
        let says = |text: &str| shown(text, says(text.as_bytes(), text.find("see")?));
        assert_eq!(says("(mo) 6610 6954 wrote: «see").as_deref(), Some("6610 6954"));
        assert_eq!(says("66106954 says: \"see").as_deref(), Some("66106954"));
        assert_eq!(says("66106954 took: \"see"), None);
        assert_eq!(says("took 954 wrote: \"see"), None);
    }

    #[test]
    fn numbers_in_names_of_recordings() {
        let found = |text: &str| {
            let mut got = Vec::new();
            recordings(text.as_bytes(), &mut |span| got.extend(shown(text, Some(span))));
            got
        };
        assert_eq!(
            found("s3://rec/491511234567_+33612345678_1769249216.wav 1"),
            ["491511234567", "+33612345678"]
        );
        assert_eq!(found("call-20260302101112-491511234567.mp3"), ["491511234567"]);
        assert!(found("rec/491511234567_1.csv app-1234567890123456.wav").is_empty());
    }

    #[test]
    fn names_before_numbers() {
        let named = |text: &str| shown(text, name_before(text.as_bytes(), text.find("+1")?));
        assert_eq!(named("pairing Rizal bin Abdullah +1").as_deref(), Some("Rizal bin Abdullah"));
        assert_eq!(named("row for 陳志豪 (+1)").as_deref(), Some("陳志豪"));
        assert_eq!(named("pairing Ada Roe whatsapp:+1").as_deref(), Some("Ada Roe"));
        assert_eq!(named("kod do Jana Roe (tel. +1)").as_deref(), Some("Jana Roe"));
        for text in
            ["via Ada Roe +1", "pairing Ada +1", "Ada Roe +1", "sent Message Id +1", "pairing Ada Roe: +1"]
        {
            assert_eq!(named(text), None, "{text}");
        }
    }
}

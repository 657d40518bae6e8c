//! Names that the grammar of a line shows: `"Name" <sip:…>`, `user Name <mail@…>`, `notify='Name'`.

use super::bytes::{byte, is_high, is_letter};
use crate::detect::word_list::WordList;
use crate::detect::{safe, words};
use crate::finding::Span;

/// Words of three letters or fewer that stand before a name of two words and are no part of it.
const LINKS: &[&str] = words::subject::NAME_LINKS;

/// Longest name, in bytes.
const NAME_BYTES: usize = 96;

/// The name before an angle bracket that opens an address: quoted, or two to four capitalised words.
/// `at` is the bracket.
#[must_use]
pub fn before_angle(text: &[u8], at: usize) -> Option<Span> {
    let inside = text.get(at + 1..)?;
    let address = inside.starts_with(b"sip:")
        || inside.starts_with(b"sips:")
        || inside.starts_with(b"tel:")
        // Not the `<134>` of syslog.
        || inside.iter().take(5).filter(|b| b.is_ascii_digit()).count() == 5
        // `<+1 (415) 555-0132>`
        || inside.first() == Some(&b'+') && inside.iter().take(10).filter(|b| b.is_ascii_digit()).count() >= 4
        || has_at_sign(inside);
    if !address {
        return None;
    }
    let end = at.checked_sub(usize::from(byte(text, at.checked_sub(1)?) == b' '))?;
    if end > 0 && byte(text, end - 1) == b'"' {
        let close = end - 1;
        let floor = close.saturating_sub(NAME_BYTES);
        let open = text.get(floor..close)?.iter().rposition(|b| *b == b'"')? + floor;
        let span = Span::new(open + 1, close);
        return speaks(span.of(text)).then_some(span);
    }
    // `'Ada Roe' <ada@example.com>`
    let closing = usize::from(end > 0 && byte(text, end - 1) == b'\'');
    let name = words_before(text, end - closing)?;
    let opened = name.start().checked_sub(1).is_some_and(|at| byte(text, at) == b'\'');
    (closing == 0 || opened).then_some(name)
}

/// The name before a number in parentheses: `Anmeldung von Marta Roe (+49 …)`, `Marta Roe (tel:+49 …)`:
/// two words at least. `at` is the number's first byte.
#[must_use]
pub fn before_number(text: &[u8], at: usize) -> Option<Span> {
    let head = text.get(..at)?;
    let scheme = head.iter().rev().take(12).take_while(|b| is_letter(**b) || **b == b':').count();
    let bare = head.get(..at - scheme)?;
    if let Some(span) = in_a_phrase(text, bare.len()) {
        return Some(span);
    }
    let end = bare.strip_suffix(b" (").or_else(|| bare.strip_suffix(b" <"))?.len();
    let span = words_before(text, end)?;
    let spaced = span.of(text).contains(&b' ');
    // `nuevo mensaje de Beth (4479…@s.whatsapp.net)`
    let sent = || {
        static BEFORE: WordList = WordList::new(words::message::INBOUND);
        let before = text.get(..span.start())?.strip_suffix(b" ")?;
        let from = memchr::memrchr(b' ', before.get(before.len().saturating_sub(16)..)?)?;
        let chat = text.get(at..)?.iter().find(|b| !b.is_ascii_digit()) == Some(&b'@');
        (chat && BEFORE.holds(before.get(before.len().saturating_sub(16) + from + 1..)?)).then_some(())
    };
    (spaced || sent().is_some()).then_some(span)
}

/// The name that a phrase before a number holds: `texted to Marta Roe at +49 …`, `Marta Roe için +90 …`. `end` is
/// where the number's part of the line begins.
fn in_a_phrase(text: &[u8], end: usize) -> Option<Span> {
    static BETWEEN: WordList = WordList::new(words::subject::NAME_THEN_NUMBER);
    static BEHIND: WordList = WordList::new(words::subject::NAME_BEFORE_POSTPOSITION);
    static BEFORE: WordList = WordList::new(words::subject::PREPOSITIONS);
    let head = text.get(..end)?.strip_suffix(b" ")?;
    let space = memchr::memrchr(b' ', head.get(head.len().saturating_sub(24)..)?)?;
    let space = head.len().saturating_sub(24) + space;
    let word = head.get(space + 1..)?;
    let post = BEHIND.holds(word);
    if !post && !BETWEEN.holds(word) {
        return None;
    }
    let mut span = words_before(text, space)?;
    let opens = span.of(text);
    // In scripts without capitals every word reads like a name: two at most are one.
    if is_high(*opens.first()?) && opens.iter().all(|b| is_high(*b) || *b == b' ') {
        let spaces = memchr::memchr_iter(b' ', opens).rev().nth(1);
        span = Span::new(span.start() + spaces.map_or(0, |at| at + 1), span.end());
    }
    let name = span.of(text);
    let several = name.contains(&b' ') || name.iter().all(|b| is_high(*b));
    if post {
        return several.then_some(span);
    }
    let before = text.get(..span.start())?.strip_suffix(b" ")?;
    let from = memchr::memrchr(b' ', before.get(before.len().saturating_sub(16)..)?)?;
    let from = before.len().saturating_sub(16) + from + 1;
    (several && BEFORE.holds(before.get(from..)?)).then_some(span)
}

/// The name before what its owner does with a number: `Marta Roe verified phone +49 …`. `at` is the number's first
/// byte.
#[must_use]
pub fn before_act(text: &[u8], at: usize) -> Option<Span> {
    static ACTS: WordList = WordList::new(words::subject::ACTS);
    let mut end = text.get(..at)?.strip_suffix(b" ")?.len();
    // `changed phone from`: three small words at most.
    for _ in 0..3 {
        let from = end.saturating_sub(16);
        let space = from + memchr::memrchr(b' ', text.get(from..end)?)?;
        let word = text.get(space + 1..end)?;
        if ACTS.holds(word) {
            return two_words_before(text, space);
        }
        if !word.iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        end = space;
    }
    None
}

/// The name in parentheses behind a number or a chat's id, before what its owner says: `4479…@g.us (Marta Roe): …`.
/// `at` is the number's end.
#[must_use]
pub fn after_number(text: &[u8], at: usize) -> Option<Span> {
    let rest = text.get(at..text.len().min(at + 32 + NAME_BYTES))?;
    let host = match rest.strip_prefix(b"@") {
        Some(host) => 1 + host.iter().take(24).take_while(|b| is_letter(**b) || **b == b'.').count(),
        None => 0,
    };
    let inside = rest.get(host..)?.strip_prefix(b" (")?;
    let len = memchr::memchr(b')', inside)?;
    let name = inside.get(..len)?;
    let start = at + host + 2;
    let behind = inside.get(len + 1..)?;
    let named = behind.starts_with(b": ") || says(behind);
    let span = words_before(text, start + len).filter(|span| span.start() == start)?;
    (named && name.first().is_some_and(|b| b.is_ascii_uppercase() || is_high(*b))).then_some(span)
}

/// Whether ` dice: ` or the like begins here: one word, a colon and a space.
fn says(behind: &[u8]) -> bool {
    let word = behind.strip_prefix(b" ").unwrap_or_default();
    let len = word.iter().take(24).take_while(|b| is_letter(**b) || is_high(**b)).count();
    SAYS.holds(word.get(..len).unwrap_or_default())
        && word.get(len..).is_some_and(|rest| rest.starts_with(b": "))
}

/// What is said of somebody before a text: `dice: …`.
static SAYS: WordList = WordList::new(words::message::SAYS);

/// The name before an e-mail address in parentheses: `Marta Roe (m.roe@example.com) opted out`. `at` is the
/// address's first byte.
#[must_use]
pub fn before_address(text: &[u8], at: usize) -> Option<Span> {
    let end = text.get(..at)?.strip_suffix(b" (")?.len();
    let name = words_before(text, end)?;
    let words = name.of(text);
    (words.contains(&b' ') || words.iter().all(|b| is_high(*b))).then_some(name)
}

/// Whether a word for a device stands right before `at`: `paired device <id>`.
#[must_use]
pub fn device_before(text: &[u8], at: usize) -> bool {
    const WORDS: &[&str] = words::subject::DEVICES;
    let head = text.get(at.saturating_sub(28)..at).unwrap_or_default();
    let head = head.trim_ascii_end();
    let head = head.strip_suffix(b":").or_else(|| head.strip_suffix(b"=")).unwrap_or(head);
    head.len() < at.min(28)
        && WORDS.iter().any(|word| {
            head.len()
                .checked_sub(word.len())
                .and_then(|from| head.get(from..))
                .is_some_and(|t| t.eq_ignore_ascii_case(word.as_bytes()))
        })
}

fn has_at_sign(inside: &[u8]) -> bool {
    let end = inside.iter().take(128).position(|b| matches!(b, b'>' | b' ' | b'<')).unwrap_or(0);
    inside.get(..end).is_some_and(|address| address.contains(&b'@') || address.starts_with(b"[EMAIL]"))
}

fn speaks(name: &[u8]) -> bool {
    name.iter().any(|b| is_letter(*b) || is_high(*b))
}

/// Two to four words of a name that end at `end`, none of them one of logs.
pub(super) fn two_words_before(text: &[u8], end: usize) -> Option<Span> {
    let span = words_before(text, end)?;
    let name = span.of(text);
    let spaced = name.contains(&b' ') || name.iter().all(|b| is_high(*b));
    let logged = name.split(|b| *b == b' ').any(safe::is_log_word);
    (spaced && !logged).then_some(span)
}

/// Up to four words that end at `end`, each with a capital or a letter beyond ASCII; `de`, `van` and
/// the like may stand between.
fn words_before(text: &[u8], end: usize) -> Option<Span> {
    let mut start = end;
    let mut pos = end;
    for _ in 0..5 {
        let floor = pos.saturating_sub(40);
        let begin =
            floor + text.get(floor..pos)?.iter().rposition(|b| !is_name_byte(*b)).map_or(0, |at| at + 1);
        let word = text.get(begin..pos)?;
        let first = word.first().copied().unwrap_or(b' ');
        let particle = word.len() <= 3 && word.iter().all(u8::is_ascii_lowercase) && start < end;
        let named = text.get(start..end)?.contains(&b' ');
        if particle && named && LINKS.iter().any(|link| link.as_bytes() == word) {
            break;
        }
        if !(first.is_ascii_uppercase() || is_high(first) || first == b'~' || particle) {
            break;
        }
        // `INFO`, `WARN`: levels, not names.
        if word.len() >= 4 && word.iter().all(u8::is_ascii_uppercase) {
            break;
        }
        if !particle {
            start = begin;
        }
        if begin == 0 || byte(text, begin - 1) != b' ' {
            break;
        }
        pos = begin - 1;
    }
    (start < end).then(|| Span::new(start, end))
}

fn is_name_byte(byte: u8) -> bool {
    is_letter(byte) || is_high(byte) || matches!(byte, b'\'' | b'-' | b'.' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let at = text.rfind('<').unwrap();
        let got = before_angle(text.as_bytes(), at)
            .map(|span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned());
        assert_eq!(got.as_deref(), want, "{text}");
    }

    #[test]
    fn before_numbers() {
        for (text, want) in [
            ("Anmeldung von Marta Roe (+14155550132) über", Some("Marta Roe")),
            ("call of Zoë O'Neill (tel:+14155550132)", Some("Zoë O'Neill")),
            ("retry (+14155550132)", None),
            ("passcode was texted to Marta Roe at +14155550132", Some("Marta Roe")),
            ("[tr] Marta Roe için +14155550132 numarasına", Some("Marta Roe")),
            ("failover to Region West at +14155550132", Some("Region West")),
            ("sent to Gateway at +14155550132", None),
            ("could not reach Marta Roe at +14155550132", Some("Marta Roe")),
        ] {
            let at = text.find('+').unwrap();
            let got = before_number(text.as_bytes(), at);
            assert_eq!(got.map(|span| span.of(text.as_bytes())), want.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn before_addresses() {
        check("From: \"Zoë O'Neill\" <sip:1@pbx>", Some("Zoë O'Neill"));
        check("INFO  user Marta Roe <m@example.com>", Some("Marta Roe"));
        check("INFO user Pieter de Boer <p@example.com>", Some("Pieter de Boer"));
        check("INFO <m@example.com>", None);
        check("a < b", None);
        check("call \"Ann\" <+14155550132>", Some("Ann"));
    }
}

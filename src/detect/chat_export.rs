//! Chats as people export them: `[02/03/26, 10:11:12] Ada Roe: see you at six`, `02/03/2026 10:11 - Ada Roe: see you`
//! (WhatsApp, "How to export your chat history").

use super::bytes::{byte, is_digit, is_high, is_letter, run_end};
use super::safe;
use crate::finding::Span;

/// Longest name of somebody who writes.
const LONGEST_NAME: usize = 64;
/// Words of a name.
const NAME_WORDS: usize = 6;

/// Who wrote a message of a chat, and what; a text may have several lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    pub who: Span,
    pub said: Span,
}

/// Whether a text's first bytes may be a message's: ISO 8601's date, as programs write it, has no comma behind it.
#[inline]
#[must_use]
pub fn may_begin(text: &[u8]) -> bool {
    match text.first() {
        Some(b'[') => is_digit(byte(text, 1)) && byte(text, 5) != b'-',
        Some(b'0'..=b'9') => byte(text, 4) != b'-' || byte(text, 10) == b',',
        Some(0xe2) => true,
        _ => false,
    }
}

/// Calls `out` for every message, where the text's first line is one.
pub fn messages(text: &[u8], out: &mut dyn FnMut(Message)) {
    let mut open = head(text, 0);
    let mut line = 0;
    while let Some((who, from)) = open {
        let mut next = None;
        let mut end = text.len();
        while let Some(newline) = text.get(line..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            line += newline + 1;
            next = head(text, line);
            if next.is_some() {
                end = line - 1;
                break;
            }
        }
        let said = text.get(from..end).unwrap_or_default().trim_ascii_end();
        if !said.is_empty() {
            out(Message { who, said: Span::new(from, from + said.len()) });
        }
        open = next;
    }
}

/// Who writes in the line that begins at `start`, and where their text begins.
fn head(text: &[u8], start: usize) -> Option<(Span, usize)> {
    // The mark that has the line run from left to right.
    let start = start + 3 * usize::from(text.get(start..start + 3) == Some("\u{200e}".as_bytes()));
    let bracket = byte(text, start) == b'[';
    let (date, comma) = date_end(text, start + usize::from(bracket))?;
    let (time, seconds) = time_end(text, date)?;
    let who = if bracket {
        text.get(time..)?.strip_prefix(b"] ").filter(|_| comma)?;
        time + 2
    } else {
        text.get(time..)?.strip_prefix(b" - ").filter(|_| comma || !seconds)?;
        time + 3
    };
    let who = who + 3 * usize::from(text.get(who..who + 3) == Some("\u{200e}".as_bytes()));
    let rest = text.get(who..text.len().min(who + LONGEST_NAME))?;
    let len = rest.iter().position(|b| matches!(b, b':' | b'\n'))?;
    let named = rest.get(len) == Some(&b':') && byte(text, who + len + 1) == b' ';
    (named && is_somebody(rest.get(..len)?)).then_some((Span::new(who, who + len), who + len + 2))
}

/// Behind `02/03/26, ` or `2.3.2026 `, and whether the comma stands there.
fn date_end(text: &[u8], start: usize) -> Option<(usize, bool)> {
    let first = run_end(text, start, 4, is_digit);
    let sign = byte(text, first);
    let second = run_end(text, first + 1, 2, is_digit);
    let third = run_end(text, second + 1, 4, is_digit);
    let dated = first > start
        && second > first + 1
        && third > second + 2
        && matches!(sign, b'/' | b'.' | b'-')
        && byte(text, second) == sign;
    let comma = byte(text, third) == b',';
    let end = third + usize::from(comma);
    // ISO 8601's dates are programs'.
    (dated && byte(text, end) == b' ' && (comma || sign != b'-')).then_some((end + 1, comma))
}

/// Behind `10:11`, `10:11:12`, `1:04 PM`, and whether there are seconds.
fn time_end(text: &[u8], start: usize) -> Option<(usize, bool)> {
    let hour = run_end(text, start, 2, is_digit);
    let minute = run_end(text, hour + 1, 2, is_digit);
    if hour == start || byte(text, hour) != b':' || minute != hour + 3 {
        return None;
    }
    let second = run_end(text, minute + 1, 2, is_digit);
    let seconds = byte(text, minute) == b':' && second == minute + 3;
    let end = if seconds { second } else { minute };
    let rest = text.get(end..)?;
    let space = match rest {
        [b' ', ..] => 1,
        // A narrow one, or one that does not break.
        [0xe2, 0x80, 0xaf, ..] => 3,
        [0xc2, 0xa0, ..] => 2,
        _ => return Some((end, seconds)),
    };
    let half = rest.get(space..space + 2).unwrap_or_default();
    let half = half.eq_ignore_ascii_case(b"am") || half.eq_ignore_ascii_case(b"pm");
    Some((if half { end + space + 2 } else { end }, seconds))
}

/// A number, or words with capitals that no program logs.
fn is_somebody(who: &[u8]) -> bool {
    let number = |b: &u8| is_digit(*b) || is_high(*b) || matches!(b, b'+' | b' ' | b'-' | b'(' | b')' | b'.');
    if matches!(who.first(), Some(b'+')) && who.iter().all(number) {
        return true;
    }
    let mut words = 0;
    for word in who.split(|b| *b == b' ').filter(|word| !word.is_empty()) {
        words += 1;
        let sign = |b: &u8| {
            is_letter(*b)
                || is_high(*b)
                || is_digit(*b)
                || matches!(b, b'\'' | b'-' | b'.' | b'~' | b'(' | b')')
        };
        let level = word.len() >= 4 && word.iter().all(u8::is_ascii_uppercase);
        let inner = word.len() > 1 && word.get(..word.len() - 1).is_some_and(|word| word.contains(&b'.'));
        if !word.iter().all(sign) || level || inner || safe::is_log_word(word) {
            return false;
        }
    }
    let capital = who.iter().find(|b| is_letter(**b) || is_high(**b));
    (1..=NAME_WORDS).contains(&words) && capital.is_some_and(|b| b.is_ascii_uppercase() || is_high(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut got = Vec::new();
        messages(text.as_bytes(), &mut |one| {
            let of = |span: Span| String::from_utf8_lossy(span.of(text.as_bytes())).into_owned();
            got.push((of(one.who), of(one.said)));
        });
        let got: Vec<_> = got.iter().map(|(who, said)| (who.as_str(), said.as_str())).collect();
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn exported_chats() {
        check(
            "[02/03/26, 10:11:12] Ada Roe: see you\nat six\n\u{200e}[02/03/26, 10:12:00] +1 415 555 0132: ok",
            &[("Ada Roe", "see you\nat six"), ("+1 415 555 0132", "ok")],
        );
        check("3/2/26, 1:04\u{202f}PM - Ada: yes: now\n", &[("Ada", "yes: now")]);
        check("02.03.2026 10:11 - Зоя: да", &[("Зоя", "да")]);
        check("2026-03-02, 10:11 - Zoë O'Neill: no", &[("Zoë O'Neill", "no")]);
    }

    #[test]
    fn lines_of_programs() {
        check("[2026-03-02 10:11:12] production.NOTICE: code made", &[]);
        check("2026-03-02 10:11:12 - Gateway: up", &[]);
        check("2026-03-02 10:11 - Ada: up", &[]);
        check("[02/03/26, 10:11:12] ERROR: no route", &[]);
        check("[02/03/26, 10:11:12] app.sms.Sender: no route", &[]);
        check("02/03/2026 10:11 - worker-7: up", &[]);
        check("02/03/26, 10:11 - Messages are encrypted.", &[]);
        check("[02/03/26, 10:11:12] [NAME]: [BODY:chars=1,segments=1]", &[]);
        check("02/03/26", &[]);
    }
}

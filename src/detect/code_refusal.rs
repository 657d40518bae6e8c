//! Why a token of a code's shape is none: what the words and signs right beside it say.

use crate::detect::code::{gap, is_blank, word_after, word_before};
use crate::detect::code_shape::{Candidate, digit};
use crate::detect::code_words::{Hit, Role};
use crate::detect::refusal::Refusal;
use crate::detect::word_list::WordList;
use crate::detect::words;

/// Why a candidate is no code, if something beside it says so.
pub(super) fn refusal(text: &[u8], candidate: &Candidate, hits: &[Hit]) -> Option<Refusal> {
    let before = text.get(..candidate.start).unwrap_or_default();
    // `attempts=1003`: only a word for a code may stand before the sign, or one that says nothing
    if let [key @ .., b'='] = before
        && !names_a_value(key)
        && !word_before(text, hits, key.len()).is_some_and(|hit| hit.role.speaks_for_a_code())
    {
        return Some(Refusal::Word);
    }
    if is_line_number(before) {
        return Some(Refusal::Word);
    }
    if is_lifetime(before) {
        return Some(Refusal::Unit);
    }
    // `26-03-02 10:11:12`
    let parts = |b: &u8| *b == b'-';
    let rest = text.get(candidate.end..).unwrap_or_default();
    let clock = matches!(rest, [b' ' | b'T', a, b, b':', ..] if a.is_ascii_digit() && b.is_ascii_digit());
    if clock && gap(text, candidate.start, candidate.end).iter().any(parts) {
        return Some(Refusal::Unit);
    }
    let mut at = candidate.start;
    for _ in 0..3 {
        match word_before(text, hits, at) {
            Some(hit) => match hit.role {
                Role::Number if is_id(gap(text, hit.start, hit.end)) && !said_before(text, hits, &hit) => {
                    return Some(Refusal::Word);
                }
                Role::Number => at = hit.start,
                Role::Order | Role::Money | Role::Fault => return Some(Refusal::Word),
                Role::Code | Role::Word | Role::Enter | Role::Topic | Role::Hint | Role::Unit => break,
            },
            None => break,
        }
    }
    // `blocking OTP for 5687 s`
    if matches!(rest, [b' ', b's'] | [b' ', b's', b' ' | b',' | b';' | b')' | b'\n', ..]) {
        return Some(Refusal::Unit);
    }
    let hit = word_after(text, hits, candidate.end)?;
    let measured = match hit.role {
        // an amount, unless the currency belongs to the next number: "code 4821 USD 50"
        Role::Money => {
            is_blank(gap(text, candidate.end, hit.start))
                && text.get(hit.end..).is_none_or(|rest| digit(rest.trim_ascii_start()).is_none())
        }
        // "4821 minutes" is a measure, "code 4821 min" is none
        Role::Unit => {
            let unit = gap(text, hit.start, hit.end);
            is_blank(gap(text, candidate.end, hit.start))
                && (is_machine_unit(unit) || !adjoined_by_code(text, hits, candidate))
        }
        Role::Number => word_after(text, hits, hit.end).is_some_and(|next| matches!(next.role, Role::Order)),
        Role::Code | Role::Word | Role::Enter | Role::Topic | Role::Hint | Role::Order | Role::Fault => false,
    };
    measured.then_some(Refusal::Unit)
}

/// `"SETEX" "otp:4479…" "300" "482913"`: whether a text ends where a lifetime follows, as Redis' commands have it.
fn is_lifetime(before: &[u8]) -> bool {
    const REACH: usize = 96;
    let sign = |b: &u8| matches!(b, b' ' | b'"' | b'\'');
    let head = before.get(before.len().saturating_sub(REACH)..).unwrap_or_default();
    if !head.last().is_some_and(sign) {
        return false;
    }
    let mut words = head.split(sign).rev().filter(|word| !word.is_empty());
    let _key = words.next();
    words
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case(b"setex") || word.eq_ignore_ascii_case(b"psetex"))
}

fn adjoined_by_code(text: &[u8], hits: &[Hit], candidate: &Candidate) -> bool {
    word_before(text, hits, candidate.start).is_some_and(|hit| matches!(hit.role, Role::Code | Role::Word))
}

/// `app.otp:check:2175 - bad code`: whether a module, a function and a colon end a text.
fn is_line_number(before: &[u8]) -> bool {
    let Some(place) = before.strip_suffix(b":") else { return false };
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'<' | b'>');
    let len = place.iter().rev().take(64).take_while(|b| part(b)).count();
    let place = place.get(place.len() - len..).unwrap_or_default();
    let mut names = place.splitn(2, |b| *b == b':');
    let (module, function) = (names.next().unwrap_or_default(), names.next().unwrap_or_default());
    let letters =
        |name: &[u8]| name.first().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'<'));
    module.contains(&b'.') && letters(module) && letters(function) && !function.contains(&b':')
}

/// Units in which nobody tells how long a code is good for.
fn is_machine_unit(word: &[u8]) -> bool {
    let known: [&[u8]; 8] = [b"ms", b"us", b"ns", b"msec", b"byte", b"bytes", b"kb", b"mb"];
    known.iter().any(|unit| word.eq_ignore_ascii_case(unit))
}

fn is_id(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"id")
}

/// `code id 4821`: whether a word for a code stands right before another.
fn said_before(text: &[u8], hits: &[Hit], hit: &Hit) -> bool {
    word_before(text, hits, hit.start).is_some_and(|before| before.role.speaks_for_a_code())
}

/// `OTP generated …, value=482913`: whether the last word of a text says only that a value follows.
pub(super) fn names_a_value(text: &[u8]) -> bool {
    static VALUES: WordList = WordList::new(words::code::VALUES);
    let len = text.iter().rev().take(16).take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
    VALUES.holds(text.get(text.len() - len..).unwrap_or_default())
}

//! Names that programs have for their parts and their states, made of words that logs are made of.

use super::bytes::{byte, is_digit, is_lower, is_upper, slice};
use super::safe::is_in;
use crate::detect::words::safe::{COUNTED, PARTS, WORDS};

/// Names of machines, threads, classes, functions, statuses and zones made of words that logs are made of:
/// `pool-9-thread-16`, `gw-4`, `OutboxRelay`, `RESOURCE_EXHAUSTED`, `smpp.client`. Digits are few and stand apart:
/// `pin-482-913` is none.
pub(super) fn is_machine(core: &[u8]) -> bool {
    let joined = core.iter().skip(1).any(|b| matches!(b, b'-' | b'_' | b'.' | b'/') || is_upper(*b));
    if !joined {
        return false;
    }
    let mut pieces = 0;
    let mut words = 0;
    let mut numbers = 0;
    let mut number_before = true;
    // A thread's number may be long.
    let mut most = 3;
    for piece in core.split(|b| matches!(b, b'-' | b'_' | b'.' | b'/')) {
        let number = (1..=most).contains(&piece.len()) && piece.iter().all(|b| is_digit(*b));
        let humps = humps(piece);
        let word = humps > 0 || words > 0 && is_in(COUNTED, piece);
        most = if matches!(piece, b"thread" | b"Thread" | b"exec" | b"worker" | b"executor") { 5 } else { 3 };
        if !(word || number && !number_before) {
            return false;
        }
        number_before = number;
        words += usize::from(word);
        numbers += usize::from(number);
        pieces += humps.max(1);
    }
    pieces >= 2 && words >= 1 && !(numbers > 0 && SECRETS.iter().any(|word| core.starts_with(word)))
}

/// How many words of logs a piece is made of, each with a capital: two of `OutboxRelay`, one of `relay`; 0 where one
/// of them is no such word.
fn humps(piece: &[u8]) -> usize {
    let mut count = 0;
    let mut start = 0;
    for at in 1..=piece.len() {
        let next = byte(piece, at);
        let cut = at == piece.len()
            || is_upper(next) && (is_lower(byte(piece, at - 1)) || is_lower(byte(piece, at + 1)));
        if cut {
            if !is_part(slice(piece, start..at)) {
                return usize::from(count == 0 && at < piece.len() && is_part(piece));
            }
            count += 1;
            start = at;
        }
    }
    count
}

/// A word that names of programs' parts are made of.
fn is_part(word: &[u8]) -> bool {
    is_in(WORDS, word) || is_in(PARTS, word)
}

/// A status of SMPP: `ESME_RINVBNDSTS`.
pub(super) fn is_esme(core: &[u8]) -> bool {
    core.strip_prefix(b"ESME_R").is_some_and(|rest| rest.len() < 20 && rest.iter().all(|b| is_upper(*b)))
}

/// A country's two letters behind a word for one, a state of SQL behind its name: `country GH`, `sqlstate 42P01`.
pub(super) fn is_announced(core: &[u8], prev: &[u8]) -> bool {
    let shaped = match core.len() {
        2 => core.iter().all(|b| is_upper(*b)),
        5 => core.iter().all(|b| is_upper(*b) || is_digit(*b)) && is_digit(byte(core, 0)),
        _ => return false,
    };
    let words: [&[u8]; 5] = [b"country", b"region", b"cc", b"iso", b"countryIso"];
    let states: [&[u8]; 3] = [b"sqlstate", b"SQLSTATE", b"SQLState"];
    shaped && if core.len() == 2 { words.contains(&prev) } else { states.contains(&prev) }
}

/// Words of logs that a code may be tied to.
const SECRETS: [&[u8]; 8] = [b"code", b"token", b"password", b"verif", b"otp", b"auth", b"confirm", b"login"];

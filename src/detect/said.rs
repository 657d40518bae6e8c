//! What somebody says behind their number, or the number they say it to.

use super::body::{MARKS, has_message_word, reads_like_text};
use super::bytes::{byte, find, is_alnum, is_digit, is_high, is_letter};
use super::safe;
use super::timestamp;
use super::word_list::WordList;
use super::written::{ends_in_measure, is_known, reads_foreign, reads_like_figures};
use crate::detect::words;
use crate::finding::Span;
use memchr::{memchr, memmem};

/// `SMS from +4479…: see you at six`, `→ +4479… | see you at six`, `<- 4479…@s.whatsapp.net see you at six`: what
/// somebody says, from the sign behind the number to the line's end.
pub(super) fn spoken(line: &[u8], out: &mut dyn FnMut(Span)) {
    let mut pos = 0;
    while let Some(space) = line.get(pos..).and_then(|rest| memchr(b' ', rest)).map(|at| pos + at) {
        pos = space + 1;
        let sign = space.checked_sub(1).map_or(0, |at| byte(line, at));
        // The host of a chat's id ends in one of these letters, a number in a digit.
        let host = || {
            let end = line.get(..space).unwrap_or_default();
            end.ends_with(b".net") || end.ends_with(b".us") || end.ends_with(b"@lid")
        };
        let bare = matches!(sign, b'0'..=b'9' | b']') || matches!(sign, b't' | b's' | b'd') && host();
        if !bare && !matches!(sign, b':' | b'>' | b'|') {
            continue;
        }
        let end = if bare { space } else { space - 1 };
        let head = line.get(end.saturating_sub(96)..end).unwrap_or_default();
        let head = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
        let Some(teller) = (if bare { behind_arrow(head) } else { behind_sign(line, head, sign, pos) })
        else {
            continue;
        };
        // No message is longer: many colons must not make the line cost its square.
        let rest = line.get(pos..line.len().min(pos + 8192)).unwrap_or_default();
        let rest = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
        // `… | see you at six | id=7 | 12 ms`
        let rest = match sign {
            b'|' => rest.get(..memmem::find(rest, b" | ").unwrap_or(rest.len())).unwrap_or_default(),
            _ => rest,
        };
        let whole = without_a_cut_letter(behind_bars(rest).trim_ascii());
        let text = without_fields(whole);
        if is_said(head, text, teller) && (text.len() == whole.len() || is_more_than_a_state(text)) {
            let start = pos + rest.len() - behind_bars(rest).trim_ascii_start().len();
            out(Span::new(start, start + text.len()));
            return;
        }
    }
}

/// Who is told to have said something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Teller {
    Number,
    /// A chat's id: nothing but what is said stands behind it.
    Chat,
}

/// Whether a number, or a chat's id, ends before a colon, a bracket or a bar.
fn behind_sign(line: &[u8], head: &[u8], sign: u8, next: usize) -> Option<Teller> {
    // `<+4479…> see you`; else an arrow, or Erlang's `#Reference<0.214286461.1.2>`.
    if sign == b'>' {
        let open = memchr::memrchr(b'<', head).filter(|open| head.len() - open <= 40)?;
        let word = open.checked_sub(1).is_some_and(|at| is_alnum(byte(head, at)));
        if word || head.get(open + 1..).is_some_and(|inside| inside.starts_with(b"0.")) {
            return None;
        }
    }
    // `from <4479…> to <4479…> text <…>`: what stands in brackets of its own is a field's, not said.
    if sign == b'>' && is_word_in_angles(line, next) {
        return None;
    }
    let head = if sign == b'|' { head.strip_suffix(b" ")? } else { head };
    // `message from Ada Roe (4479…@s.whatsapp.net): …`
    let inner = head.strip_suffix(b")").and_then(|inside| {
        let open = memchr::memrchr(b'(', inside)?;
        inside
            .get(open + 1..)
            .filter(|id| id.iter().filter(|b| is_digit(**b)).count() >= 7 || id.starts_with(b"[PHONE"))
    });
    // `Kunde (Ada Roe): …`
    if inner.is_none() && sign == b':' && is_speaker_by_name(head) {
        return Some(Teller::Number);
    }
    // `4479…@s.whatsapp.net (Ada) dice: …`, `+4479… in 12 ms: …`
    if inner.is_none() && sign == b':' && is_somebody_saying(head) {
        return Some(Teller::Chat);
    }
    let head = head.strip_suffix(b" with").unwrap_or(head);
    let head = inner.unwrap_or_else(|| without_measure(without_verb(head)));
    let head = without_other_end(head);
    let bare = without_name(head);
    let chat = bare.len() < head.len() && head.get(bare.len()) == Some(&b'@');
    ends_in_number(without_extension(bare)).then_some(if chat { Teller::Chat } else { Teller::Number })
}

/// `Kunde (Ada Roe)`: a person's word and a name in brackets.
fn is_speaker_by_name(head: &[u8]) -> bool {
    static SPEAKERS: WordList = WordList::new(words::message::SPEAKERS);
    let Some(inside) = head.strip_suffix(b")") else { return false };
    let Some(open) = memchr::memrchr(b'(', inside) else { return false };
    let name = inside.get(open + 1..).unwrap_or_default();
    let word = inside.get(..open).and_then(|before| before.strip_suffix(b" ")).unwrap_or_default();
    let word = word.rsplit(|b| *b == b' ').next().unwrap_or_default();
    name.len() >= 2
        && name.iter().all(|b| is_letter(*b) || is_high(*b) || matches!(b, b' ' | b'.' | b'-' | b'\''))
        && SPEAKERS.holds(word)
}

/// `+4479… to 71234`, `+4479… an ACME`: without who is written to, a short number or a name of one word.
fn without_other_end(head: &[u8]) -> &[u8] {
    static PREPOSITION: WordList = WordList::new(words::phone::PREPOSITION);
    let other = head.iter().rev().take(12).take_while(|b| is_alnum(**b)).count();
    let before = head.get(..head.len() - other).unwrap_or_default();
    let Some(before) = before.strip_suffix(b" ").filter(|_| (3..=11).contains(&other)) else { return head };
    let word = before.iter().rev().take(12).take_while(|b| is_letter(**b) || is_high(**b)).count();
    let (number, word) = before.split_at(before.len() - word);
    match number.strip_suffix(b" ") {
        Some(number) if PREPOSITION.holds(word) && ends_in_number(number) => number,
        _ => head,
    }
}

/// `Customer wrote`: whether a person's word and what is said of one end a text.
fn is_somebody_saying(head: &[u8]) -> bool {
    static SAYS: WordList = WordList::new(words::message::SAYS);
    static SPEAKERS: WordList = WordList::new(words::message::SPEAKERS);
    let mut last = head.rsplit(|b| *b == b' ');
    if !last.next().is_some_and(|verb| SAYS.holds(verb)) {
        return false;
    }
    // `Cliente Ada Roe respondeu`: a name may stand between.
    for word in last.take(5) {
        if SPEAKERS.holds(word) {
            return true;
        }
        let named = word.first().is_some_and(|b| b.is_ascii_uppercase() || is_high(*b));
        if !named && !(2..=3).contains(&word.len()) {
            return false;
        }
    }
    false
}

/// `<- +4479…`, `→ 4479…@c.us`: a chat's id behind any arrow, a number behind one that points from it.
fn behind_arrow(head: &[u8]) -> Option<Teller> {
    const FROM: [&[u8]; 5] = [b"<- ", b"<-- ", b"<< ", b"<<< ", "← ".as_bytes()];
    const TO: [&[u8]; 4] = [b"-> ", b">> ", b">>> ", "→ ".as_bytes()];
    const HOSTS: [&[u8]; 4] = [b"@s.whatsapp.net", b"@c.us", b"@g.us", b"@lid"];
    let number = HOSTS.iter().find_map(|host| head.strip_suffix(*host));
    let chat = number.is_some();
    let number = number.unwrap_or(head);
    let part = |b: &u8| is_digit(*b) || matches!(b, b'+' | b'-' | b':');
    let len = number.iter().rev().take(40).take_while(|b| part(b)).count();
    let before = match number.strip_suffix(b"]") {
        // A number that was scrubbed before.
        Some(inside) => inside.get(..memchr::memmem::rfind(inside, b"[PHONE")?)?,
        None if len >= 7 => number.get(..number.len() - len)?,
        None => return None,
    };
    let from = FROM.iter().any(|arrow| before.ends_with(arrow));
    // `bot-> +4479… see you`: an arrow right behind its word.
    let glued = before.strip_suffix(b"-> ").is_some_and(|word| word.last().is_some_and(|b| is_letter(*b)));
    (from || glued || chat && TO.iter().any(|arrow| before.ends_with(arrow))).then_some(Teller::Number)
}

fn ends_in_number(head: &[u8]) -> bool {
    let sign = |b: &u8| {
        is_digit(*b) || is_high(*b) || matches!(b, b' ' | b'-' | b'.' | b'(' | b')' | b'+' | b'>' | b'"')
    };
    let number = head.iter().rev().take_while(|b| sign(b)).filter(|b| is_digit(**b)).count();
    number >= 7 || head.ends_with(b"]") && find(head, b"[PHONE").is_some()
}

/// Whether a text is what somebody said, given what stands before the number.
fn is_said(head: &[u8], text: &[u8], teller: Teller) -> bool {
    static INBOUND: WordList = WordList::new(words::message::INBOUND);
    static FAILURES: WordList = WordList::new(words::message::FAILURES);
    static SENDING: WordList = WordList::new(words::phone::SENDING);
    static KINDS: WordList = WordList::new(words::message::KINDS);
    let words = || head.split(|b| !(is_letter(*b) || is_high(*b) || *b == b'_'));
    // `MT to +4479…: see you`
    let way = words().any(|word| KINDS.holds(word));
    let inbound = (way || has_message_word(head)) && words().any(|word| INBOUND.holds_capital(word));
    let fields = text.contains(&b'=') && text.split(|b| *b == b' ').any(is_field);
    let marked = matches!(text.first(), Some(b'"' | b'\'' | b'`'))
        || MARKS.iter().any(|(open, _)| text.starts_with(open));
    // `failed to send to +4479…: error 21211 after 12 ms`
    let failed = words().any(|word| FAILURES.holds_capital(word))
        || text.split(|b| matches!(b, b' ' | b':')).take(3).any(|word| FAILURES.holds_capital(word))
        || is_constant(text);
    let sending = way || words().any(|word| SENDING.holds_capital(word));
    let measured =
        text.len() < 20 && text.iter().filter(|b| **b == b' ').count() <= 2 && ends_in_measure(text);
    let said = inbound
        || teller == Teller::Chat
        || sending && is_no_program(text)
        || is_written(text) && !ends_in_machine_measure(text);
    let dated = timestamp::month_at(text, 0).is_some();
    !fields
        && !measured
        && !dated
        && !marked
        && !failed
        && reads_like_text(text)
        && !reads_like_figures(text)
        && said
}

/// `ref=7f3a`; no link.
fn is_field(word: &[u8]) -> bool {
    let Some(at) = memchr(b'=', word) else { return false };
    let name = word.get(..at).unwrap_or_default();
    name.last().is_some_and(|b| is_alnum(*b)) && find(name, b"://").is_none()
}

/// `see you at six ref=7f3a parts=1`, `… (id=7f3a, parts=1)`, `… [id:7f3a] [parts:1]`: without the fields behind a text.
fn without_fields(text: &[u8]) -> &[u8] {
    const MOST: usize = 24;
    // A measure behind a bar is no longer, the bar counted.
    const MEASURE: usize = 15;
    let mut rest = text;
    for _ in 0..MOST {
        let last = memchr::memrchr(b' ', rest).map_or(0, |at| at + 1);
        let word = rest.get(last..).unwrap_or_default();
        // `… | 12 ms`
        let near = rest.len().saturating_sub(MEASURE);
        let bar = memmem::rfind(rest.get(near..).unwrap_or_default(), b" | ").map(|bar| near + bar);
        if let Some(bar) = bar.filter(|bar| ends_in_measure(rest.get(bar + 3..).unwrap_or_default())) {
            rest = rest.get(..bar).unwrap_or_default();
            continue;
        }
        let start = match word.last() {
            Some(b')' | b']') => bracketed_fields(rest),
            // `reason="no route"`
            Some(b'"') => memmem::rfind(rest.get(..rest.len() - 1).unwrap_or_default(), b"=\"")
                .map(|at| memchr::memrchr(b' ', rest.get(..at).unwrap_or_default()).map_or(0, |at| at + 1)),
            _ => None,
        };
        let start = start.or((is_named(word, b'=')).then_some(last));
        let Some(start) = start else { break };
        let head = rest.get(..start).unwrap_or_default().trim_ascii_end();
        rest = head.strip_suffix(b" |").or_else(|| head.strip_suffix(b" -")).unwrap_or(head);
    }
    rest
}

/// Whether a name stands before a sign, and something behind it: `ref=7f3a`.
fn is_named(word: &[u8], sign: u8) -> bool {
    let name = word.iter().take(40).take_while(|b| is_alnum(**b) || matches!(b, b'_' | b'-' | b'.')).count();
    name > 0 && is_letter(byte(word, 0)) && byte(word, name) == sign && word.len() > name + 1
}

/// Where the brackets open that a text ends in, if there are fields in them: `(id=7f3a, parts=1)`, `[id:7f3a]`.
fn bracketed_fields(text: &[u8]) -> Option<usize> {
    let opening = if text.last() == Some(&b')') { b'(' } else { b'[' };
    let open = memchr::memrchr(opening, text)?;
    let inside = text.get(open + 1..text.len() - 1)?;
    let parts = || inside.split(|b| *b == b',').map(<[u8]>::trim_ascii);
    let named = |part: &[u8]| is_named(part, b'=') || is_named(part, b':');
    let apart = open == 0 || matches!(byte(text, open - 1), b' ' | b']');
    (apart && parts().all(named)).then_some(open)
}

/// Without the first bytes of a letter that was cut off.
fn without_a_cut_letter(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Err(error) if error.error_len().is_none() => {
            text.get(..error.valid_up_to()).unwrap_or_default().trim_ascii_end()
        }
        _ => text,
    }
}

/// Whether words before fields are more than what became of a message: three of them, or a text's own.
fn is_more_than_a_state(text: &[u8]) -> bool {
    text.split(|b| *b == b' ').filter(|word| word.iter().any(|b| is_letter(*b))).count() >= 3
        || is_written(text)
}

/// `SIGNATURE_MISMATCH (8409)`: what begins with a constant is a program's.
fn is_constant(text: &[u8]) -> bool {
    let word = text.split(|b| *b == b' ').next().unwrap_or_default();
    let part = |b: &u8| b.is_ascii_uppercase() || is_digit(*b) || *b == b'_';
    word.len() >= 5 && word.contains(&b'_') && word.iter().all(part)
}

/// Two words or more, none of which programs log, or one small one among many: behind a verb for sending, a text in
/// whatever language.
fn is_no_program(text: &[u8]) -> bool {
    let head = text.get(..text.len().min(240)).unwrap_or_default();
    let (mut count, mut known, mut small) = (0, 0, true);
    for word in head.split(|b| !(is_letter(*b) || is_high(*b))).filter(|word| word.len() > 1) {
        count += 1;
        if is_known(word) {
            known += 1;
            small &= word.len() <= 3;
        }
    }
    count >= 2 && (known == 0 || known == 1 && small && count >= 4)
}

/// `… in 12 ms`; nobody's `… in 10 minutes`.
fn ends_in_machine_measure(text: &[u8]) -> bool {
    let human: [&[u8]; 6] = [b"minutes", b"minutes.", b"minute", b"minutos", b"hours", b"hours."];
    ends_in_measure(text) && !human.iter().any(|unit| text.ends_with(unit))
}

/// `| Call-ID: 7f3a | Content-Type: text/plain | | see you`: without headers between bars, as a message of several
/// lines is written on one.
fn behind_bars(rest: &[u8]) -> &[u8] {
    static HEADERS: WordList = WordList::new(words::message::HEADERS);
    let mut rest = rest;
    while let Some(part) = rest.trim_ascii_start().strip_prefix(b"|") {
        let part = part.trim_ascii_start();
        let name =
            part.iter().take(32).take_while(|b| is_alnum(**b) || matches!(b, b'-' | b'_' | b'.')).count();
        let header = name > 0 && part.get(name..name + 2) == Some(b": ");
        let known = || part.get(..name).is_some_and(|name| name.contains(&b'-') || HEADERS.holds(name));
        rest = match memchr(b'|', part) {
            Some(bar) if header => part.get(bar..).unwrap_or_default(),
            None if header && known() => b"",
            _ => part,
        };
    }
    rest
}

/// `+4479… in 12.5s`, `+4479… (12 ms)`: without how long it took.
fn without_measure(head: &[u8]) -> &[u8] {
    let open = head.strip_suffix(b")").unwrap_or(head);
    let unit = open.iter().rev().take(5).take_while(|b| is_letter(**b)).count();
    let number = open.get(..open.len() - unit).unwrap_or_default();
    let number = number.strip_suffix(b" ").unwrap_or(number);
    let digits = number.iter().rev().take(12).take_while(|b| is_digit(**b) || **b == b'.').count();
    let word = open.get(open.len() - unit..).unwrap_or_default();
    if digits == 0 || !(safe::is_unit(word)) {
        return head;
    }
    let before = number.get(..number.len() - digits).unwrap_or_default();
    if let Some(before) = before.strip_suffix(b"(").filter(|_| open.len() < head.len()) {
        return before.trim_ascii_end();
    }
    // One small word: `in`, `за`, `en`.
    let Some(before) = before.strip_suffix(b" ") else { return head };
    let small = before.iter().rev().take(8).take_while(|b| is_letter(**b) || is_high(**b)).count();
    before.get(..before.len() - small).unwrap_or_default().trim_ascii_end()
}

/// `收到来自+4479…的短信：…`: what is said behind the wide colon that a word for a message stands before, and a
/// number before that.
pub(super) fn spoken_behind_word(line: &[u8], out: &mut dyn FnMut(Span)) {
    const COLON: &[u8] = "：".as_bytes();
    const WIDE_WORDS: [&[u8]; 18] = [
        b"SMS",
        b"sms",
        "短信".as_bytes(),
        "消息".as_bytes(),
        "信息".as_bytes(),
        "簡訊".as_bytes(),
        "訊息".as_bytes(),
        "讯息".as_bytes(),
        "内容".as_bytes(),
        "內容".as_bytes(),
        "回复".as_bytes(),
        "回覆".as_bytes(),
        "正文".as_bytes(),
        "メッセージ".as_bytes(),
        "ショートメール".as_bytes(),
        "本文".as_bytes(),
        "返信".as_bytes(),
        "메시지".as_bytes(),
    ];
    let Some(colon) = memmem::find(line, COLON) else { return };
    let head = line.get(..colon).unwrap_or_default();
    let near = head.get(head.len().saturating_sub(64)..).unwrap_or_default();
    let digits = near.iter().filter(|b| is_digit(**b)).count();
    let numbered = digits >= 7 || find(near, b"[PHONE").is_some();
    if !numbered || !WIDE_WORDS.iter().any(|word| head.ends_with(word)) {
        return;
    }
    let start = colon + COLON.len();
    let rest = line.get(start..line.len().min(start + 8192)).unwrap_or_default();
    let rest = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
    let text = rest.trim_ascii();
    let marked = MARKS.iter().any(|(open, _)| text.starts_with(open)) || text.first() == Some(&b'"');
    if !marked && reads_like_text(text) && !reads_like_figures(text) {
        let lead = rest.len() - rest.trim_ascii_start().len();
        out(Span::new(start + lead, start + lead + text.len()));
    }
}

/// Whether one word and an angle bracket stand at `at`: `to <`, `text <`, `msg:<`.
fn is_word_in_angles(line: &[u8], at: usize) -> bool {
    let rest = line.get(at..).unwrap_or_default();
    let len = rest.iter().take(24).take_while(|b| is_alnum(**b) || **b == b'_').count();
    len > 0 && matches!(rest.get(len..), Some([b' ' | b':' | b'=', b'<', ..]))
}

/// Whether somebody wrote it, in a language that is known or not.
pub(super) fn is_written(text: &[u8]) -> bool {
    reads_human(text) || reads_foreign(text)
}

/// Without ` dice`, ` wrote`, ` numarasına gönderildi` or the like.
fn without_verb(head: &[u8]) -> &[u8] {
    static SAYS: WordList = WordList::new(words::message::SAYS);
    static SENT: WordList = WordList::new(words::phone::SENDING);
    static CASES: WordList = WordList::new(words::phone::CASES);
    let mut head = head;
    for _ in 0..3 {
        let len = head.iter().rev().take(32).take_while(|b| is_letter(**b) || is_high(**b)).count();
        let (rest, word) = head.split_at(head.len() - len);
        if !(SAYS.holds(word) || SENT.holds(word) || CASES.holds(word)) {
            break;
        }
        head = rest.strip_suffix(b" ").unwrap_or(rest);
    }
    head
}

/// `4479…@s.whatsapp.net (Ada)`: without the name and the host.
fn without_name(head: &[u8]) -> &[u8] {
    let bare = match head.strip_suffix(b")").and_then(|name| memchr::memrchr(b'(', name)) {
        Some(open) => head.get(..open).unwrap_or_default().trim_ascii_end(),
        None => head,
    };
    let host = bare.iter().rev().take(32).take_while(|b| is_letter(**b) || **b == b'.').count();
    bare.get(..bare.len() - host).and_then(|number| number.strip_suffix(b"@")).unwrap_or(bare)
}

/// `+49 … ext. 1010`, `+49 … x5879`, `+49…;ext=2732`: without the extension.
fn without_extension(head: &[u8]) -> &[u8] {
    let digits = head.iter().rev().take_while(|b| is_digit(**b)).count();
    let bare = head.get(..head.len() - digits).unwrap_or_default();
    let marks: [&[u8]; 4] = [b" ext. ", b";ext=", b" ext ", b" x"];
    match marks.iter().find_map(|mark| bare.strip_suffix(*mark)) {
        Some(number) if (1..=6).contains(&digits) => number,
        _ => head,
    }
}

/// Letters beyond ASCII, a question, or a word that people use and programs do not.
fn reads_human(text: &[u8]) -> bool {
    static HUMAN: WordList = WordList::new(words::message::HUMAN);
    let head = text.get(..text.len().min(400)).unwrap_or_default();
    head.iter().filter(|b| is_high(**b)).count() >= 2
        || head.ends_with(b"?")
        || head.ends_with(b"!")
        || head.split(|b| !(is_letter(*b) || *b == b'\'' || is_high(*b))).any(|word| HUMAN.holds(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &str) {
        let mut got = String::new();
        spoken(line.as_bytes(), &mut |span| {
            got = String::from_utf8_lossy(span.of(line.as_bytes())).into_owned()
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn what_is_said_goes_from_its_sign_on() {
        for (line, want) in [
            ("SMS → +447700900123 | can you call me", "can you call me"),
            ("OUT> +447700900123 | can you call me | id=7 | 12 ms", "can you call me"),
            ("bot <- 447700900123@s.whatsapp.net can you call me", "can you call me"),
            ("bot -> 447700900123@c.us can you call me", "can you call me"),
            ("rx <- +447700900123 can you call me", "can you call me"),
            ("delivered to +447700900123 in 12.5s: can you call me", "can you call me"),
            ("sent to +447700900123 (12 ms): can you call me", "can you call me"),
            (
                "MESSAGE <sip:+447700900123@ims.example> | Call-ID: 7f3a | Content-Type: text/plain | | can you call me",
                "can you call me",
            ),
            ("10:11:12 Customer wrote: can you call me", "can you call me"),
            ("replying to +447700900123 with: can you call me", "can you call me"),
        ] {
            check(line, want);
        }
    }

    #[test]
    fn a_letter_that_was_cut_off() {
        let mut line = "codigo para +447700900123: QDJX-X6L6 (wa 135.0, intento 8495, vence en 97402ms)"
            .as_bytes()
            .to_vec();
        line.push(0xf0);
        let mut got = 0;
        spoken(&line, &mut |_| got += 1);
        assert_eq!(got, 0);
    }

    #[test]
    fn fields_behind_what_is_said() {
        for (line, want) in [
            ("MO from +447700900123: can you call me ref=3EB0 cost=0.009", "can you call me"),
            ("MT to +447700900123: can you call me (id=7f3a, parts=1)", "can you call me"),
            ("MT to +447700900123: can you call me [id:7f3a] [parts:1]", "can you call me"),
            (
                "SMS from +447700900123: can you call me (today) reason=\"no route\" | n=1",
                "can you call me (today)",
            ),
            ("MT to +447700900123: rejected status=8", ""),
            ("#Reference<0.2142864617.1.2> handle the message you sent", ""),
            ("pid <0.214286461.0> handle the message you sent", ""),
            ("stored -> 447700900123@s.whatsapp.net in 31797 \u{b5}s", ""),
        ] {
            check(line, want);
        }
    }

    #[test]
    fn what_programs_say_of_a_number() {
        for line in [
            "INVITE <sip:+447700900123@ims.example> | Call-ID: 7f3a | CSeq: 1 INVITE",
            "+447700900123 -> +447700900124 took your time",
            "relayed -> +447700900123 in your region",
            "bot <- 447700900123@s.whatsapp.net delivered in 12 ms",
            "a | +447700900123 | 200 | 12 ms",
            "server replied: no such file or directory",
            "user said: timeout=3 retries=4",
        ] {
            check(line, "");
        }
    }
}

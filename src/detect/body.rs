//! Message text by the shape of the line it stands in.
//!
//! - Kannel's access log: `[msg:12:Hello, world]`, the length in bytes before the text, which may
//!   hold brackets itself (Kannel 1.4 user's guide, "access-log").
//! - SMPP delivery receipts: `… stat:DELIVRD err:000 text:Hello` (SMPP 3.4, appendix B).
//! - What stands behind a number and a colon: `SMS from +4479…: see you`.
//! - The plain text behind headers: `Content-Type: text/plain`, an empty line, the text.
//! - Quoted text in prose beside a word that speaks of messages: `failed to send "…" to …`.

use super::bytes::{byte, find, is_alnum, is_high, is_letter, is_word};
use super::said::{is_written, spoken, spoken_behind_word};
use super::word_list::WordList;
use super::written::reads_like_figures;
use crate::detect::words;
use crate::finding::Span;
use memchr::{memchr, memmem};

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// It has a phone number: then quoted text needs no word beside it.
    pub near_phone: bool,
    /// `+CM` stands in it.
    pub modem: bool,
    /// ` stat:` does.
    pub receipt: bool,
    /// ` wrote: ` or the like does.
    pub says: bool,
}

/// Calls `out` with the span of every message text in a line that has one of the shapes above.
/// Spans come in the order of the text and do not overlap.
pub fn texts(line: &[u8], about: About, announced: &dyn Fn(usize) -> bool, out: &mut dyn FnMut(Span)) {
    let near_phone = about.near_phone;
    if about.modem {
        modem(line, out);
    }
    let mut done = 0;
    while let Some((span, end)) = bracketed(line, done) {
        if !span.is_empty() {
            out(span);
        }
        done = end;
    }
    if done == 0 {
        if about.says
            && let Some(span) = mail_subject(line)
        {
            out(span);
        }
        if about.receipt
            && let Some(span) = receipt(line, Span::new(0, line.len()))
        {
            out(span);
            return;
        }
        quoted(line, near_phone, announced, out);
        typographic(line, near_phone, announced, out);
        // `message from Ada Roe (id 7411108459): …`
        if near_phone || about.says || memmem::find(line, b"): ").is_some() {
            spoken(line, out);
        }
        if near_phone {
            spoken_behind_word(line, out);
            angled(line, announced, out);
            in_brackets(line, announced, out);
            behind_structure(line, out);
        }
        behind_headers(line, out);
    }
}

/// Exim's `S=8903147 T="see you at six" for …`: the subject, which gateways from mail make a message of.
fn mail_subject(line: &[u8]) -> Option<Span> {
    const SIGN: &[u8] = b" T=\"";
    let open = memmem::find(line, SIGN)? + SIGN.len();
    let head = line.get(..open - SIGN.len())?;
    let size = head.rsplit(|b| *b == b' ').next().and_then(|word| word.strip_prefix(b"S="));
    let sized = size.is_some_and(|size| !size.is_empty() && size.iter().all(u8::is_ascii_digit));
    let named = || memmem::find(head, b" id=").is_some() && memmem::find(head, b" <= ").is_some();
    let len = memmem::find(line.get(open..)?, b"\" ")
        .or_else(|| line.get(open..)?.strip_suffix(b"\"").map(<[u8]>::len))?;
    ((sized || named()) && len > 0).then(|| Span::new(open, open + len))
}

/// `text <see you at six> seq 7`, `msg:<see you at six>`: what stands between angle brackets behind a word for a text.
fn angled(line: &[u8], announced: &dyn Fn(usize) -> bool, out: &mut dyn FnMut(Span)) {
    let mut pos = 0;
    while let Some(open) = line.get(pos..).and_then(|rest| memchr(b'<', rest)).map(|at| pos + at) {
        pos = open + 1;
        if !open.checked_sub(1).is_some_and(|before| matches!(byte(line, before), b' ' | b':' | b'=')) {
            continue;
        }
        let rest = line.get(pos..line.len().min(pos + 2048)).unwrap_or_default();
        let Some(len) = memchr(b'>', rest) else { return };
        let text = Span::new(pos, pos + len);
        let said = reads_like_text(text.of(line)) && !text.of(line).contains(&b'<');
        if said && announced(open) {
            out(text);
        }
        pos += len;
    }
}

/// `sending [see you at six] to [4479…]`: what stands between brackets behind a verb for sending or a word for a text.
fn in_brackets(line: &[u8], announced: &dyn Fn(usize) -> bool, out: &mut dyn FnMut(Span)) {
    const TOWARDS: [&[u8]; 4] = [b"] to ", b"] from ", b"] -> ", b"] => "];
    static SENDING: WordList = WordList::new(words::phone::SENDING);
    let mut pos = 0;
    while let Some(at) = line.get(pos..).and_then(|rest| memmem::find(rest, b" [")).map(|at| pos + at) {
        pos = at + 2;
        let word = line.get(..at).unwrap_or_default();
        let len = word.iter().rev().take(32).take_while(|b| is_letter(**b) || is_high(**b)).count();
        if !(SENDING.holds(word.get(at - len..).unwrap_or_default()) || announced(at + 1)) {
            continue;
        }
        let rest = line.get(pos..line.len().min(pos + 2048)).unwrap_or_default();
        let close = TOWARDS.iter().filter_map(|sign| memmem::find(rest, sign)).min();
        let Some(len) = close.or_else(|| closing_bracket(rest)).or_else(|| memchr(b']', rest)) else {
            return;
        };
        let text = Span::new(pos, pos + len);
        let said = text.of(line);
        if reads_like_text(said) && is_written(said) && !said.contains(&b'\n') {
            out(text);
            pos += len;
        }
    }
}

/// Where the bracket closes that stands before a text, which may have some itself: `message [[Brand] code [4821]]`.
fn closing_bracket(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let line = text.get(..memchr(b'\n', text).unwrap_or(text.len()))?;
    for at in memchr::memchr2_iter(b'[', b']', line) {
        match (byte(line, at), depth) {
            (b'[', _) => depth += 1,
            (_, 0) => return Some(at),
            _ => depth -= 1,
        }
    }
    None
}

/// Of syslog (RFC 5424), the message behind structured data that has a number: `[sms@1 to="4479…"] see you at six`.
fn behind_structure(line: &[u8], out: &mut dyn FnMut(Span)) {
    if byte(line, 0) != b'<' {
        return;
    }
    let Some(at) = find(line, b"\"] ") else { return };
    let rest = line.get(at + 3..).unwrap_or_default();
    let text = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default().trim_ascii();
    let fields = memchr::memchr_iter(b'=', text).any(|at| at > 0 && is_alnum(byte(text, at - 1)));
    if !fields && reads_like_text(text) && !reads_like_figures(text) && is_written(text) {
        let start = at + 3 + rest.len() - rest.trim_ascii_start().len();
        out(Span::new(start, start + text.len()));
    }
}

/// The body behind the headers of a message: in SIP or HTTP where it is plain text, in mails and the files of SMS
/// gateways where they say who it is from.
fn behind_headers(line: &[u8], out: &mut dyn FnMut(Span)) {
    const HEADERS_BYTES: usize = 8192;
    if memchr(b'\n', line).is_none() {
        return;
    }
    let reach = line.get(..line.len().min(HEADERS_BYTES)).unwrap_or_default();
    let ends = memmem::find(reach, b"\n\n").map(|at| (at, 2));
    let Some((at, len)) = memmem::find(reach, b"\n\r\n").map(|at| (at, 3)).or(ends) else { return };
    let headers = line.get(..at).unwrap_or_default();
    let named = |line: &&[u8]| {
        let name = line.iter().take_while(|b| is_alnum(**b) || matches!(b, b'-' | b'_')).count();
        name > 0 && byte(line, name) == b':'
    };
    let lines = || headers.split(|b| *b == b'\n');
    let all_named = lines().skip(1).all(|line| named(&line)) && lines().count() > 2;
    let plain = memmem::find(headers, b"text/plain").is_some();
    let from = memmem::find(headers, b"From: ").or_else(|| memmem::find(headers, b"To: ")).is_some();
    if !all_named || !(plain || from) {
        return;
    }
    let rest = line.get(at + len..).unwrap_or_default();
    let text = rest.trim_ascii();
    // `v=0`, of a session's description, is a field, too.
    let fields = is_letter(byte(text, 0)) && byte(text, 1) == b'=';
    let structured = fields || matches!(text.first(), None | Some(b'{' | b'[' | b'<'));
    if !structured && text.iter().any(|b| is_letter(*b) || is_high(*b)) {
        let start = at + len + rest.len() - rest.trim_ascii_start().len();
        out(Span::new(start, start + text.len()));
    }
}

/// Marks that open and close a text in print: `« »`, `“ ”`, `„ “`, `「 」`, `『 』`, `《 》`.
pub(super) const MARKS: [(&[u8], &[u8]); 6] = [
    (b"\xc2\xab", b"\xc2\xbb"),
    (b"\xe2\x80\x9c", b"\xe2\x80\x9d"),
    (b"\xe2\x80\x9e", b"\xe2\x80"),
    (b"\xe3\x80\x8c", b"\xe3\x80\x8d"),
    (b"\xe3\x80\x8e", b"\xe3\x80\x8f"),
    (b"\xe3\x80\x8a", b"\xe3\x80\x8b"),
];

/// Text between marks of print.
fn typographic(line: &[u8], near_phone: bool, announced: &dyn Fn(usize) -> bool, out: &mut dyn FnMut(Span)) {
    let mut pos = 0;
    while let Some(at) = line.get(pos..).and_then(|rest| memchr::memchr3(0xc2, 0xe2, 0xe3, rest)) {
        let at = pos + at;
        pos = at + 1;
        let rest = line.get(at..).unwrap_or_default();
        let Some((open, close)) = MARKS.iter().find(|(open, _)| rest.starts_with(open)) else { continue };
        let start = at + open.len();
        let reach = line.get(start..line.len().min(start + 4096)).unwrap_or_default();
        let Some(len) = memmem::find(reach, close) else { continue };
        let raw = reach.get(..len).unwrap_or_default();
        let lead = raw.iter().take_while(|b| **b == b' ').count();
        let text = Span::new(start + lead, start + lead + raw.trim_ascii().len());
        pos = start + len;
        if reads_like_text(text.of(line))
            && (near_phone
                || announced(at)
                || message_word_before(line, at)
                || message_word_after(line, pos + close.len()))
        {
            out(text);
        }
    }
}

/// `+CMT: "…",,"…"`: a modem's answer in text mode has the message on the line behind it (3GPP TS 27.005).
fn modem(line: &[u8], out: &mut dyn FnMut(Span)) {
    for answer in [&b"+CMT: "[..], b"+CMGR: ", b"+CMGL: "] {
        for at in memmem::find_iter(line, answer) {
            let Some(end) = line.get(at..).and_then(|rest| memchr(b'\n', rest)) else { continue };
            let start = at + end + 1;
            let rest = line.get(start..).unwrap_or_default();
            let text =
                rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default().trim_ascii_end();
            let hex = text.iter().all(u8::is_ascii_hexdigit);
            if !text.is_empty() && !hex && !text.starts_with(b"+CM") && text != b"OK" {
                out(Span::new(start, start + text.len()));
            }
        }
    }
    // `AT+CMGS="4479…" > see you at six`: what is sent.
    for at in memmem::find_iter(line, b"+CMGS=\"") {
        let open = at + b"+CMGS=\"".len();
        let Some(close) = line.get(open..line.len().min(open + 64)).and_then(|rest| memchr(b'"', rest))
        else {
            continue;
        };
        let start = open + close + 1;
        let rest = line.get(start..).unwrap_or_default();
        // The modem's sign may stand on a line of its own.
        let lead = rest.iter().take(4).take_while(|b| b.is_ascii_whitespace()).count();
        let rest = rest.get(lead..).unwrap_or_default();
        let rest = rest.get(..memchr(b'\n', rest).unwrap_or(rest.len())).unwrap_or_default();
        let Some(text) = rest.strip_prefix(b"> ") else { continue };
        let start = start + lead + rest.len() - text.len();
        let text = text.get(..memmem::rfind(text, b" OK").unwrap_or(text.len())).unwrap_or_default();
        if !text.is_empty() && !text.iter().all(u8::is_ascii_hexdigit) {
            out(Span::new(start, start + text.len()));
        }
    }
}

/// `[msg:12:…]` from `from` on: the text, and where to go on.
fn bracketed(line: &[u8], from: usize) -> Option<(Span, usize)> {
    let mut at = from;
    loop {
        let open = at + memchr(b'[', line.get(at..)?)?;
        at = open + 1;
        let rest = line.get(at..)?;
        let name_len = rest.iter().take(16).take_while(|b| is_letter(**b)).count();
        let name = rest.get(..name_len)?;
        let known = [&b"msg"[..], b"text", b"content", b"body", b"message"]
            .iter()
            .any(|n| name.eq_ignore_ascii_case(n));
        if !known || rest.get(name_len) != Some(&b':') {
            continue;
        }
        let mut pos = at + name_len + 1;
        pos += usize::from(byte(line, pos) == b' ');
        let digits = line.get(pos..)?.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
        let counted = line
            .get(pos..pos + digits)
            .and_then(|d| std::str::from_utf8(d).ok())
            .and_then(|d| d.parse::<usize>().ok())
            .filter(|_| byte(line, pos + digits) == b':');
        let Some(bytes) = counted else { continue };
        let mut start = pos + digits + 1;
        start += usize::from(byte(line, start) == b' ' && line.get(start + 1 + bytes) == Some(&b']'));
        let end = match line.get(start + bytes) {
            Some(b']') => start + bytes,
            // The count is of something else (characters, a cut-off text): up to the bracket that
            // the next field follows, or the line's last one.
            _ => bracket_end(line, start),
        };
        let text = Span::new(start, end);
        let span = receipt(line, text).unwrap_or(text);
        return Some((span, end));
    }
}

fn bracket_end(line: &[u8], start: usize) -> usize {
    let rest = line.get(start..).unwrap_or_default();
    if let Some(at) = memmem::find(rest, b"] [") {
        return start + at;
    }
    rest.iter().rposition(|b| *b == b']').map_or(line.len(), |at| start + at)
}

/// The text of an SMPP delivery receipt that lies in `within`.
fn receipt(line: &[u8], within: Span) -> Option<Span> {
    let text = within.of(line);
    let stat = memmem::find(text, b" stat:")?;
    let rest = text.get(stat..)?;
    let at = memmem::find(rest, b" text:").or_else(|| memmem::find(rest, b" Text:"))?;
    let mut start = stat + at + 6;
    start += usize::from(byte(text, start) == b' ');
    let end = match memmem::find(text.get(start..)?, b"] [") {
        Some(at) => start + at,
        None => quoted_receipt_end(text, stat, start).unwrap_or(text.len()),
    };
    Some(Span::new(within.start() + start, within.start() + end))
}

/// `body="id:… stat:DELIVRD err:000 text:Hello" esm=4`: the end of a receipt in quotes that the next field follows.
fn quoted_receipt_end(line: &[u8], stat: usize, text: usize) -> Option<usize> {
    let begin = memmem::rfind(line.get(..stat)?, b"id:")?;
    let quote = begin.checked_sub(1).map(|at| byte(line, at)).filter(|b| matches!(b, b'"' | b'\''))?;
    let named = |rest: &[u8]| {
        let name = rest.iter().skip(1).take_while(|b| is_word(**b) || **b == b'.').count();
        rest.first() == Some(&b' ') && name > 0 && rest.get(1 + name) == Some(&b'=')
    };
    memchr::memchr_iter(quote, line.get(text..)?)
        .map(|at| text + at)
        .find(|at| line.get(at + 1..).is_some_and(|rest| rest.is_empty() || named(rest)))
}

/// Words (lower case) that speak of messages, in the languages that log lines are written in.
static MESSAGE_WORDS: WordList = WordList::new(words::message::SPOKEN_OF);

/// `reply=603 Decline`, `488 Not Acceptable Here`: a status of SIP or HTTP, and what it is called.
#[must_use]
pub fn is_status_line(value: &[u8]) -> bool {
    let mut words = value.split(|b| *b == b' ');
    let code = words.next().unwrap_or_default();
    let called = |word: &[u8]| {
        word.first().is_some_and(u8::is_ascii_uppercase) && word.iter().all(u8::is_ascii_alphabetic)
    };
    let mut count = 0;
    let named = words.all(|word| {
        count += 1;
        called(word)
    });
    matches!(code, [b'1'..=b'6', b'0'..=b'9', b'0'..=b'9']) && named && (1..=4).contains(&count)
}

/// How a message stands that a modem holds (3GPP TS 27.005, 3.1).
const MODEM_STATES: [&[u8]; 4] = [b"REC READ", b"REC UNREAD", b"STO SENT", b"STO UNSENT"];

/// Quoted text in prose.
fn quoted(line: &[u8], near_phone: bool, announced: &dyn Fn(usize) -> bool, out: &mut dyn FnMut(Span)) {
    let mut pos = 0;
    while let Some(at) = line.get(pos..).and_then(|rest| memchr::memchr2(b'"', b'\'', rest)) {
        let open = pos + at;
        let quote = byte(line, open);
        let before = open.checked_sub(1).map_or(b' ', |p| byte(line, p));
        // Erlang's `<<"…">>`.
        let binary = before == b'<' && open.checked_sub(2).is_some_and(|p| byte(line, p) == b'<');
        if !binary && !matches!(before, b' ' | b'(' | b'[' | b',' | b'\t' | b':' | b'=' | b'\n') {
            pos = open + 1;
            continue;
        }
        let Some(close) = closing(line, open + 1, quote) else { return };
        let text = Span::new(open + 1, close);
        pos = close + 1;
        // `"姓名"=>"…"`: a name.
        if line.get(pos..).is_some_and(|rest| rest.starts_with(b"=>") || rest.starts_with(b" => \"")) {
            continue;
        }
        // `name="value"` is a field and was read as one; `@p1='…'` and `arg2="…"` are a call's.
        let parameter = || {
            let name = line.get(open.saturating_sub(6)..open - 1).unwrap_or_default();
            name.last().is_some_and(u8::is_ascii_digit) && near_phone && is_written(text.of(line))
        };
        if before == b'=' && !parameter() {
            continue;
        }
        if MODEM_STATES.contains(&text.of(line)) {
            continue;
        }
        if !reads_like_text(text.of(line)) || names_a_person(line, close) || is_status_line(text.of(line)) {
            continue;
        }
        if near_phone
            || announced(open)
            || message_word_before(line, open)
            || message_word_after(line, close + 1)
        {
            out(text);
        }
    }
}

/// The closing quote: not escaped, and not between two letters.
fn closing(line: &[u8], mut pos: usize, quote: u8) -> Option<usize> {
    // No message is longer; a lone quote must not make the line cost its square.
    let limit = pos + 8192;
    loop {
        let at = pos + memchr::memchr2(quote, b'\\', line.get(pos..limit.min(line.len()))?)?;
        if byte(line, at) == b'\\' {
            pos = at + 2;
            continue;
        }
        let next = line.get(at + 1).copied().unwrap_or(b' ');
        if quote == b'\'' && (is_alnum(next) || is_high(next)) {
            pos = at + 1;
        } else if quote == b'"' && next == b'"' {
            pos = at + 2;
        } else {
            return Some(at);
        }
    }
}

/// Words or letters beyond ASCII; no path, no URL, no request line, no user agent.
pub(super) fn reads_like_text(text: &[u8]) -> bool {
    let tag = byte(text, 0) == b'<' && !text.starts_with(b"<#>") && !text.starts_with(b"<%23>");
    // `[Brand] your code is [4821]` is none.
    let list = byte(text, 0) == b'['
        && closing_bracket(text.get(1..).unwrap_or_default()).is_none_or(|close| close + 2 == text.len());
    let technical = tag
        || list
        || matches!(byte(text, 0), b'/' | b'{')
        || text.starts_with(b"http")
        || is_product(text)
        || find(text, b" HTTP/").is_some();
    if technical || text.len() < 2 {
        return false;
    }
    let spaces = text.iter().filter(|b| **b == b' ').count();
    let high = text.iter().any(|b| is_high(*b)) || has_escaped_letters(text);
    let letters = text.iter().filter(|b| b.is_ascii_alphabetic()).count();
    if (letters < 2 && !high) || spaces == 0 && find(text, b"://").is_some() {
        return false;
    }
    high || spaces >= 2 || (spaces >= 1 && letters >= 6)
}

/// `\xe6\x98\x8e\xe6\x97\xa5`: letters beyond ASCII as Python and nginx write their bytes.
pub fn has_escaped_letters(text: &[u8]) -> bool {
    let octets = memchr::memchr_iter(b'\\', text).filter(|at| {
        matches!(text.get(at + 1..at + 4), Some([b'x', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', octet]) if octet.is_ascii_hexdigit())
    });
    octets.take(6).count() == 6
}

/// `Mozilla/5.0 …`, `okhttp/4.9`: a user agent.
fn is_product(text: &[u8]) -> bool {
    let word = text.iter().take(40).take_while(|b| is_alnum(**b) || matches!(b, b'-' | b'_' | b'.')).count();
    word > 0 && byte(text, word) == b'/' && byte(text, word + 1).is_ascii_digit()
}

/// `"Name" <sip:…>`: a name, no text.
fn names_a_person(line: &[u8], close: usize) -> bool {
    let Some(rest) = line.get(close + 1..) else { return false };
    // `"see you" <- +4479…` points at who said it.
    (rest.starts_with(b" <") || rest.starts_with(b"<"))
        && !rest.starts_with(b" <-")
        && !rest.starts_with(b" <=")
}

fn message_word_before(line: &[u8], open: usize) -> bool {
    let start = open.saturating_sub(80);
    has_message_word(line.get(start..open).unwrap_or_default())
}

fn message_word_after(line: &[u8], from: usize) -> bool {
    let rest = line.get(from..line.len().min(from + 40)).unwrap_or_default();
    rest.starts_with(b" to ")
        || rest.starts_with(b" from ")
        || rest.starts_with(b" (segments")
        || has_message_word(rest)
}

pub(super) fn has_message_word(text: &[u8]) -> bool {
    text.split(|b| !(is_letter(*b) || is_high(*b) || *b == b'_'))
        .any(|word| MESSAGE_WORDS.holds_capital(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, near_phone: bool, want: &[&str]) {
        let mut got = Vec::new();
        let about = About { near_phone, modem: true, receipt: true, says: false };
        texts(line.as_bytes(), about, &|_| false, &mut |span| {
            got.push(String::from_utf8_lossy(span.of(line.as_bytes())).into_owned());
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn said_behind_a_number() {
        check("SMS from +447700900123: paid the rent", true, &["paid the rent"]);
        check("10:11:12 +447700900123: can you call me", true, &["can you call me"]);
        check("SMS from [PHONE:+44]: paid the rent", true, &["paid the rent"]);
        check("[10:11] <+447700900123> can you call me", true, &["can you call me"]);
        check("from 447700900123@s.whatsapp.net (Ada): can you call me", true, &["can you call me"]);
        check("+447700900123 -> +447700900124 took your time", true, &[]);
        check("SMS to +447700900123: delivered in 12 s", true, &[]);
        check("SMS from +447700900123: id=12 took=3 ms", true, &[]);
        check("SMS at 10:11:12: paid the rent", true, &[]);
        check("sms_sent,<<\"447700900123\">>,<<\"paid the rent\">>", true, &["paid the rent"]);
    }

    #[test]
    fn behind_headers_of_a_message() {
        let head = "MESSAGE sip:a@b SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 3";
        check(&format!("{head}\r\n\r\nOk 12"), false, &["Ok 12"]);
        check(&format!("{head}\n\n{{\"a\":1}}"), false, &[]);
        check(head, false, &[]);
        check("one\n\ntwo words", false, &[]);
        check("From: 447700900123\nSent: 26-03-02\nLength: 3\n\nOk then\n", false, &["Ok then"]);
        check("INVITE sip:a@b SIP/2.0\r\nFrom: <sip:a@b>\r\nCSeq: 1\r\n\r\nv=0\r\n", false, &[]);
    }

    #[test]
    fn kannel() {
        check("Sent SMS [to:1] [msg:5:test8] [udh:0:]", false, &["test8"]);
        check("Sent SMS [msg: 5: test8] [udh:0:]", false, &["test8"]);
        check("Sent SMS [msg:8:a] [b] c] [udh:0:]", false, &["a] [b] c"]);
        check("Sent SMS [msg:99:cut off] [udh:0:]", false, &["cut off"]);
        check("Sent SMS [FID:12] [udh:0:]", false, &[]);
        check(
            "DLR [msg:70:id:1 sub:001 submit date:2601 stat:DELIVRD err:000 text:Hello you] [udh:0:]",
            false,
            &["Hello you"],
        );
    }

    #[test]
    fn receipts() {
        check(
            "id:1 sub:001 dlvrd:001 done date:26 stat:DELIVRD err:000 text:Hello you",
            false,
            &["Hello you"],
        );
    }

    #[test]
    fn quotes_in_prose() {
        check("Failed to send \"Your table is ready\" to somebody", false, &["Your table is ready"]);
        check("inbound sms: 'see you at six'", false, &["see you at six"]);
        check("inbound sms from x: \"see you at six\" (segments=1)", false, &["see you at six"]);
        check("GET \"GET /send HTTP/1.1\" 200 \"Mozilla/5.0 (X11)\"", true, &[]);
        check("File \"/srv/app/send.py\", line 12, in send", true, &[]);
        check("envoi \u{ab} on se voit demain \u{bb} req=1", false, &["on se voit demain"]);
        check("an x \u{201e}bis morgen um acht\u{201c} gesendet", true, &["bis morgen um acht"]);
        check("opened \"the blue folder\" in 12 ms", false, &[]);
        check("opened \"the blue folder\" in 12 ms", true, &["the blue folder"]);
        check("\"see you at six\" <- +447700900123 [relay]", true, &["see you at six"]);
        check("\"Ada Zoe Roe\" <sip:+447700900123@pbx>", true, &[]);
    }
}

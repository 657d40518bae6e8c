//! Numbers that a line's grammar shows to be counts: process ids, sizes and durations at their fixed
//! places in syslog, logcat, access and error logs. They may stay for ever.

use super::bytes::{byte, is_alnum, is_digit, is_letter, is_upper, run_end};
use super::timestamp;
use crate::finding::Span;

/// Process and thread ids are shorter than this; a code in brackets is found by its words before.
const LONGEST_PID: usize = 7;
/// A line's head, as far as process ids stand in it: month, day, time, host, program, level.
const HEAD_WORDS: usize = 7;
/// What stands for a word that the last stage took.
const UNKNOWN: &[u8] = b"<*>";
/// Sizes are shorter than this.
const LONGEST_COUNT: usize = 12;

/// Calls `out` for every such number of every line in `text`.
pub fn numbers(text: &[u8], out: &mut dyn FnMut(Span)) {
    let mut start = 0;
    for line in text.split(|b| *b == b'\n') {
        let mut place = |from: usize, to: usize| out(Span::new(start + from, start + to));
        bracketed_pid(line, &mut place);
        syslog_pid(line, &mut place);
        logcat(line, &mut place);
        access(line, &mut place);
        nginx_error(line, &mut place);
        start += line.len() + 1;
    }
}

/// `sshd[4242]:`, `VERBOSE[1204][C-0a1b]`, `2026-03-02 … [4242] [7] DEBUG:` in the line's head.
///
/// Where the head ends is counted in words, which a placeholder leaves as they are, and not in bytes.
fn bracketed_pid(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let dated = matches!(byte(line, 0), b'0'..=b'9' | b'[' | b'<') || timestamp::month_at(line, 0).is_some();
    let mut words = 0;
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'[', line.get(at..).unwrap_or_default()).map(|found| at + found) {
        words += memchr::memchr_iter(b' ', line.get(at..open).unwrap_or_default()).count();
        if words > HEAD_WORDS {
            break;
        }
        at = open + 1;
        let end = run_end(line, open + 1, LONGEST_PID + 1, is_digit);
        let before = line.get(..open).unwrap_or_default();
        let named = before.last().is_some_and(|b| is_letter(*b)) || before.ends_with(UNKNOWN);
        let known = named || (dated && matches!(before.last(), None | Some(b' ' | b']')));
        if known && (1..=LONGEST_PID).contains(&(end - open - 1)) && byte(line, end) == b']' {
            out(open + 1, end);
        }
        // `[C-0a1b2c3d]`: Asterisk's number of a call.
        if line.get(open + 1..open + 3) == Some(b"C-") {
            let end = run_end(line, open + 3, 9, |b| b.is_ascii_hexdigit());
            if byte(line, end) == b']' {
                out(open + 1, end);
            }
        }
    }
}

/// RFC 5424: `<134>1 time host app pid msgid …`.
fn syslog_pid(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    if byte(line, 0) != b'<' {
        return;
    }
    let pri = run_end(line, 1, 4, is_digit);
    if pri == 1 || byte(line, pri) != b'>' || byte(line, pri + 1) != b'1' {
        return;
    }
    let mut at = 0;
    for (nth, token) in line.splitn(6, |b| *b == b' ').enumerate() {
        if nth == 4 && !token.is_empty() && token.len() <= LONGEST_PID && token.iter().all(|b| is_digit(*b)) {
            out(at, at + token.len());
        }
        at += token.len() + 1;
    }
}

/// `03-02 10:11:12.123  8383  3453 D Tag: …`.
fn logcat(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let time = line.get(..18).unwrap_or_default();
    let dated = byte(time, 2) == b'-'
        && byte(time, 5) == b' '
        && byte(time, 8) == b':'
        && matches!(byte(time, 14), b'.' | b' ');
    if !dated {
        return;
    }
    let spaces = |from: usize| run_end(line, from, 8, |b| b == b' ');
    let pid = spaces(18);
    let pid_end = run_end(line, pid, LONGEST_PID, is_digit);
    let tid = spaces(pid_end);
    let tid_end = run_end(line, tid, LONGEST_PID, is_digit);
    let level = spaces(tid_end);
    if pid_end > pid && tid_end > tid && is_upper(byte(line, level)) && byte(line, level + 1) == b' ' {
        out(pid, pid_end);
        out(tid, tid_end);
        out(level, level + 1);
    }
}

/// `"GET … HTTP/1.1" 200 5120 …`: the size behind the status, and times at the line's end.
fn access(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let Some(close) =
        memchr::memmem::find(line, b"\" ").filter(|_| memchr::memmem::find(line, b" HTTP/").is_some())
    else {
        return;
    };
    let mut search = close;
    loop {
        let status = search + 2;
        let status_end = run_end(line, status, 4, is_digit);
        let size_end = run_end(line, status_end + 1, LONGEST_COUNT + 1, is_digit);
        let size = size_end.saturating_sub(status_end + 1);
        if status_end == status + 3 && byte(line, status_end) == b' ' && (1..=LONGEST_COUNT).contains(&size) {
            if !is_alnum(byte(line, size_end)) {
                out(status_end + 1, size_end);
            }
            break;
        }
        match line.get(search + 1..).and_then(|rest| memchr::memmem::find(rest, b"\" ")) {
            Some(next) => search += 1 + next,
            None => return,
        }
    }
    // Times behind the last quote.
    let Some(quote) = memchr::memrchr(b'"', line) else { return };
    let mut at = quote + 1;
    for token in line.get(quote + 1..).unwrap_or_default().split(|b| *b == b' ') {
        let point = memchr::memchr(b'.', token);
        let decimal = point.is_some_and(|point| (1..=6).contains(&point) && token.len() - point <= 7)
            && token.iter().all(|b| is_digit(*b) || *b == b'.')
            && memchr::memchr_iter(b'.', token).count() == 1;
        if decimal {
            out(at, at + token.len());
        }
        at += token.len() + 1;
    }
}

/// `2026/03/02 10:11:12 [error] 4242#0: *71234 …`.
fn nginx_error(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    // Behind the level: `[error] `.
    let Some(level) = memchr::memmem::find(line, b"] ") else { return };
    let from = level + 2;
    let hash = run_end(line, from, LONGEST_PID + 1, is_digit);
    let pid = hash - from;
    let end = run_end(line, hash + 1, 5, is_digit);
    if pid == 0 || byte(line, hash) != b'#' || end == hash + 1 || byte(line, end) != b':' {
        return;
    }
    out(hash - pid, end);
    if byte(line, end + 1) == b' ' && byte(line, end + 2) == b'*' {
        let stop = run_end(line, end + 3, 12, is_digit);
        if stop > end + 3 {
            out(end + 2, stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let mut got = Vec::new();
        numbers(text.as_bytes(), &mut |span| {
            got.push(String::from_utf8_lossy(span.of(text.as_bytes())).into_owned())
        });
        assert_eq!(got, want, "{text}");
    }

    #[test]
    fn numbers_at_their_places() {
        check("Mar  2 10:11:12 gw-2 smsd[4242]: sent", &["4242"]);
        check("[2026-03-02] VERBOSE[61395][C-d389a5fd] pbx.c: x", &["61395", "C-d389a5fd"]);
        check("<134>1 2026-03-02T10:11:12Z gw smsd 4242 - - x", &["4242"]);
        check("03-02 10:11:12.123  8383  3453 D SmsGateway: x", &["8383", "3453", "D"]);
        check(
            "a - - [x] \"GET /a HTTP/1.1\" 200 4044831 \"-\" \"curl\" 14.9541 120",
            &["4044831", "14.9541"],
        );
        check("2026/03/02 10:11:12 [error] 4242#0: *71234 upstream", &["4242#0", "*71234"]);
    }

    #[test]
    fn numbers_elsewhere() {
        check("sent code=[482913]", &[]);
        check("sent 482913 to 14155550132", &[]);
        check("x[14155550132]", &[]);
        check("<14155550132> said 482913", &[]);
    }
}

//! Numbers that a line's grammar shows to be counts: process ids, sizes and durations at their fixed
//! places in syslog, logcat, access and error logs. They may stay for ever.

use super::bytes::{byte, find, is_alnum, is_digit, is_letter, is_upper, run_end, run_start};
use super::timestamp;
use crate::finding::Span;

/// Process and thread ids are shorter than this; a code in brackets is found by its words before.
const LONGEST_PID: usize = 7;
/// Codes are rarely longer than five digits and shorter than this.
const SHORTEST_LONG_CODE: usize = 6;
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
        pid_by_level(line, &mut place);
        spring_pid(line, &mut place);
        frame(line, &mut place);
        colon_pid(line, &mut place);
        haproxy(line, &mut place);
        closing_numbers(line, &mut place);
        closing_size(line, &mut place);
        call_record(line, &mut place);
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

/// `INFO [gateway,4bf9,00f0] 4242 --- [main] …`: Spring's process.
fn spring_pid(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let head = line.get(..line.len().min(256)).unwrap_or_default();
    let Some(end) = find(head, b" --- [") else { return };
    let digits = head.iter().take(end).rev().take_while(|b| b.is_ascii_digit()).count();
    if (1..=LONGEST_PID).contains(&digits)
        && end > digits
        && head.get(..end - digits).is_some_and(|before| before.ends_with(b"] "))
    {
        out(end - digits, end);
    }
}

/// `   at sendOtp() in Worker.cs`, `\tat retry_loop(Router.java:1916)`: the function of a trace's frame.
fn frame(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let start = line.len() - line.trim_ascii_start().len();
    if start == 0 || line.get(start..start + 3) != Some(b"at ") {
        return;
    }
    let name = start + 3;
    let end = run_end(line, name, 160, |b| {
        is_alnum(b) || matches!(b, b'_' | b'.' | b'$' | b'#' | b':' | b'\\' | b'<' | b'>')
    });
    let function = line.get(name..end).unwrap_or_default();
    let digits = function.iter().filter(|b| b.is_ascii_digit()).count();
    if byte(line, end) == b'(' && digits <= 3 && function.first().is_some_and(|b| is_letter(*b)) {
        out(name, end);
    }
}

/// The words that programs write for a line's level.
const LEVELS: [&[u8]; 16] = [
    b"TRACE",
    b"DEBUG",
    b"INFO",
    b"NOTICE",
    b"WARN",
    b"WARNING",
    b"ERROR",
    b"CRITICAL",
    b"FATAL",
    b"SEVERE",
    b"VERBOSE",
    b"ALERT",
    b"EMERG",
    b"LOG",
    b"FINE",
    b"CONFIG",
];

/// The process behind the level: `2026-03-02 10:11:12,400 INFO     4242 …`, `… DEBUG 4242 --- [main] …`,
/// and Nest's `[Nest] 4242  - `.
fn pid_by_level(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let mut words = 0;
    let mut at = 0;
    while at < line.len() && words <= HEAD_WORDS {
        let start = run_end(line, at, usize::MAX, |b| b == b' ');
        let end = run_end(line, start, usize::MAX, |b| b != b' ');
        words += 1;
        at = end;
        let word = line.get(start..end).unwrap_or_default();
        let level = LEVELS.contains(&word);
        if !level && !word.ends_with(b"]") {
            continue;
        }
        let pid = run_end(line, end, 8, |b| b == b' ');
        let pid_end = run_end(line, pid, LONGEST_PID + 1, is_digit);
        let len = pid_end - pid;
        if pid == end || !(2..=LONGEST_PID).contains(&len) || byte(line, pid_end) != b' ' {
            continue;
        }
        let next = run_end(line, pid_end, 8, |b| b == b' ');
        let sign = matches!(byte(line, next), b'-' | b'[');
        // A code of six digits has no brackets or dashes behind it.
        if level && words > 1 && (sign || len < SHORTEST_LONG_CODE)
            || byte(line, next) == b'-' && dated(line, next)
        {
            out(pid, pid_end);
            return;
        }
    }
}

/// Whether a date stands behind the dash at a place, a terminal's colour between them or not.
fn dated(line: &[u8], dash: usize) -> bool {
    let mut at = run_end(line, dash + 1, 8, |b| b == b' ');
    if byte(line, at) == 0x1b {
        at = run_end(line, at, 8, |b| b != b'm') + 1;
    }
    let end = run_end(line, at, 5, is_digit);
    end > at && matches!(byte(line, end), b'/' | b'-' | b'.') && is_digit(byte(line, end + 1))
}

/// Ruby's `[2026-03-02T10:11:12.063000 #4242]`, logcat's `D/Tag( 4242):`, glog's `I0302 10:11:12.123456 4242
/// file.cc:123]` and the kernel's `[12345.678901]`.
fn colon_pid(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let head = line.get(..line.len().min(96)).unwrap_or_default();
    if let Some(hash) = find(head, b" #") {
        let end = run_end(line, hash + 2, LONGEST_PID + 1, is_digit);
        if end > hash + 2 && end - hash - 2 <= LONGEST_PID && byte(line, end) == b']' {
            out(hash + 2, end);
        }
    }
    let level = matches!(byte(line, 0), b'V' | b'D' | b'I' | b'W' | b'E' | b'F');
    if level && byte(line, 1) == b'/' {
        let Some(open) = memchr::memchr(b'(', head) else { return };
        let pid = run_end(line, open + 1, 6, |b| b == b' ');
        let end = run_end(line, pid, LONGEST_PID, is_digit);
        if end > pid && byte(line, end) == b')' && byte(line, end + 1) == b':' {
            out(0, 1);
            out(pid, end);
        }
    }
    let day_end = run_end(line, 1, 5, is_digit);
    if level && day_end == 5 && byte(line, 5) == b' ' && byte(line, 8) == b':' {
        out(0, 5);
        let pid = run_end(line, run_end(line, 6, 16, |b| b != b' '), 8, |b| b == b' ');
        let end = run_end(line, pid, LONGEST_PID, is_digit);
        if end > pid && byte(line, end) == b' ' {
            out(pid, end);
        }
    }
    let second = run_end(line, 1, 8, |b| b == b' ');
    let point = run_end(line, second, 8, is_digit);
    let end = run_end(line, point + 1, 7, is_digit);
    let clock = point > second && byte(line, point) == b'.' && end == point + 7;
    if clock && byte(line, 0) == b'[' && byte(line, end) == b']' {
        out(second, end);
    }
}

/// HAProxy's timers, status and size: `0/0/1/77900/99362 409 1432951 - - ----`.
fn haproxy(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let Some(dashes) = find(line, b" - - ") else { return };
    let head = line.get(..dashes).unwrap_or_default();
    let mut tokens = head.rsplitn(4, |b| *b == b' ');
    let (Some(size), Some(status), Some(timers)) = (tokens.next(), tokens.next(), tokens.next()) else {
        return;
    };
    let number =
        |token: &[u8], most: usize| (1..=most).contains(&token.len()) && token.iter().all(|b| is_digit(*b));
    let timed = timers.split(|b| *b == b'/').count() == 5
        && timers.split(|b| *b == b'/').all(|time| {
            number(time.strip_prefix(b"+").or(time.strip_prefix(b"-")).unwrap_or(time), LONGEST_COUNT)
        });
    if timed && number(status, 3) && number(size, LONGEST_COUNT) {
        let from = dashes - size.len() - status.len() - timers.len() - 2;
        out(from, from + timers.len());
        out(dashes - size.len(), dashes);
    }
}

/// `… 404 0 0 24266` at a line's end: status, and what took how long (IIS, W3C).
fn closing_numbers(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let line = line.trim_ascii_end();
    let mut tokens = line.rsplitn(5, |b| *b == b' ');
    let (Some(time), Some(code), Some(sub), Some(status)) =
        (tokens.next(), tokens.next(), tokens.next(), tokens.next())
    else {
        return;
    };
    let number =
        |token: &[u8], most: usize| (1..=most).contains(&token.len()) && token.iter().all(|b| is_digit(*b));
    let is_status = status.len() == 3 && number(status, 3) && matches!(byte(status, 0), b'1'..=b'5');
    if is_status && number(sub, 3) && number(code, 5) && number(time, LONGEST_PID) {
        out(line.len() - time.len(), line.len());
        out(line.len() - time.len() - 1 - code.len(), line.len() - time.len() - 1);
    }
}

/// A network's number behind a message's state in a table without a head: `…,DELIVRD,26201,…`.
fn call_record(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    const STATES: [&[u8]; 8] =
        [b"DELIVRD", b"UNDELIV", b"EXPIRED", b"REJECTD", b"ACCEPTD", b"ENROUTE", b"DELETED", b"UNKNOWN"];
    if memchr::memchr(b',', line).is_none() {
        return;
    }
    for state in STATES {
        let Some(at) = find(line, state) else { continue };
        let from = at + state.len() + 1;
        let end = run_end(line, from, 7, is_digit);
        // ITU-T E.212: the first digit of a country's code is 2 to 7.
        let country = matches!(byte(line, from), b'2'..=b'7');
        if byte(line, from - 1) == b','
            && country
            && (5..=6).contains(&(end - from))
            && byte(line, end) == b','
        {
            out(from, end);
        }
        return;
    }
}

/// RFC 5424: `<134>1 time host app pid msgid …`.
fn syslog_pid(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let lead = if line.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let line = line.get(lead..).unwrap_or_default();
    if byte(line, 0) != b'<' {
        return;
    }
    let pri = run_end(line, 1, 4, is_digit);
    if pri == 1 || byte(line, pri) != b'>' || byte(line, pri + 1) != b'1' {
        return;
    }
    let mut at = lead;
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
    let request = || find(line, b" HTTP/").is_some() || has_request(line);
    let Some(close) = find(line, b"\" ").filter(|_| request()) else {
        return;
    };
    balancer(line, out);
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
        // Envoy's flags, sizes and times, up to the next quote: `" 200 - 5120 34 84610 55 "`.
        if status_end == status + 3 && line.get(status_end..status_end + 3) == Some(b" - ") {
            let mut at = status_end + 3;
            loop {
                let end = run_end(line, at, LONGEST_COUNT + 1, is_digit);
                if end == at || end - at > LONGEST_COUNT || byte(line, end) != b' ' {
                    break;
                }
                out(at, end);
                at = end + 1;
            }
            break;
        }
        match line.get(search + 1..).and_then(|rest| find(rest, b"\" ")) {
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

/// `"GET /sms" 200 …`: a request without a protocol.
fn has_request(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 7] = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"];
    memchr::memchr_iter(b'"', line).take(8).any(|quote| {
        let rest = line.get(quote + 1..).unwrap_or_default();
        METHODS.iter().any(|method| rest.strip_prefix(*method).is_some_and(|rest| rest.starts_with(b" /")))
    })
}

/// `0.001 68.108 0.000 500 502 412 2025917 "GET …`: times, statuses and sizes as load balancers write them
/// (AWS, "access log entries").
fn balancer(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    const MOST: usize = 7;
    let Some(quote) = find(line, b" \"") else { return };
    let mut end = quote;
    let mut found = [(0, 0); MOST];
    let mut count = 0;
    let mut times = 0;
    while count < MOST {
        let start = run_start(line, end, 12, |b| is_digit(b) || matches!(b, b'.' | b'-'));
        if start == end || start == 0 || byte(line, start - 1) != b' ' {
            break;
        }
        times += usize::from(line.get(start..end).is_some_and(|token| token.contains(&b'.')));
        if let Some(place) = found.get_mut(count) {
            *place = (start, end);
        }
        count += 1;
        end = start - 1;
    }
    if count >= 5 && times >= 2 {
        found.iter().take(count).for_each(|(start, end)| out(*start, *end));
    }
}

/// `POST /sms 200 42 ms - 7117`: the size that Node's loggers write last (morgan, "dev" and "tiny").
fn closing_size(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    let line = line.trim_ascii_end();
    let start = run_start(line, line.len(), LONGEST_COUNT, is_digit);
    let timed = line.get(..start).is_some_and(|head| head.ends_with(b"ms - "));
    if timed && start < line.len() {
        out(start, line.len());
    }
}

/// `2026/03/02 10:11:12 [error] 4242#0: *71234 …`.
fn nginx_error(line: &[u8], out: &mut dyn FnMut(usize, usize)) {
    // Behind the level: `[error] `.
    let Some(level) = find(line, b"] ") else { return };
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
        check("a \"GET /a?b=1\" 200 5120 54.3071 x", &["5120", "54.3071"]);
        check("POST /a {} 200 42637 ms - 7117414", &["7117414"]);
        check(
            "app/lb x:1 y:2 0.001 68.1081 0.000 500 502 2025 \"GET http://x/ HTTP/1.1\" \"-\"",
            &["2025", "502", "500", "0.000", "68.1081", "0.001"],
        );
        check("\"GET /a HTTP/2\" 200 - 5120 34 84610 \"x\"", &["5120", "34", "84610"]);
        check("2026/03/02 10:11:12 [error] 4242#0: *71234 upstream", &["4242#0", "*71234"]);
        check("2026-03-02 17:57:20,400 INFO     85763 SMS-MT [cid:x]", &["85763"]);
        check("2026-03-02 10:11:12.123  WARN 4242 --- [main] c.e.App : x", &["4242"]);
        check("WARN [gateway,4bf9,00f0] 42421 --- [main] x", &["42421"]);
        check("x.Timeout: after 3 s\n   at sendOtp() in Worker.cs", &["sendOtp"]);
        check("at six(or so)", &[]);
        check("[Nest] 20679  - 03/02/2026, 10:11:12 AM", &["20679"]);
        check("I, [2026-03-02T00:16:20.299000 #54675]  INFO -- : x", &["54675"]);
        check("D/SmsGateway( 4242): x", &["D", "4242"]);
        check("I0302 10:11:12.123456   4242 send.cc:88] x", &["I0302", "4242"]);
        check("[12345.678901] usb 1-1: x", &["12345.678901"]);
        check(
            "lb haproxy: x app/s1 0/0/1/77900/+99362 409 1432951 - - ---- 1",
            &["0/0/1/77900/+99362", "1432951"],
        );
        check("2026-03-02 10:11:12 GET /hlr/1 443 - curl/8.5.0 404 0 0 24266", &["24266", "0"]);
        check("MT,4242,2,0.00394,DELIVRD,72405,x", &["72405"]);
    }

    #[test]
    fn numbers_elsewhere() {
        check("sent code=[482913]", &[]);
        check("[otp] 482913 for you", &[]);
        check("code - 482913", &[]);
        check("say \"GET it\" 200 482913", &[]);
        check("INFO 482913 is your code", &[]);
        check("2026-03-02 10:11:12 INFO 482913 is your code", &[]);
        check("[otp] 482913 - for you", &[]);
        check("x,DELIVRD,482913", &[]);
        check("your codes are 482 0 1 482913", &["482913", "1"]);
        check("x #482913 y", &[]);
        check("sent 482913 to 14155550132", &[]);
        check("x[14155550132]", &[]);
        check("<14155550132> said 482913", &[]);
    }
}

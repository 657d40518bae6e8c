//! Accounts that the grammar of a line shows: the remote user of an access log, the user of a failed
//! login.

use super::bytes::{byte, find, is_alnum};
use crate::detect::word_list::WordList;
use crate::detect::{safe, words};
use crate::finding::Span;

/// Longest account name, in bytes.
const NAME_BYTES: usize = 64;

/// Words before an account's name in the messages of sshd, su, sudo, PAM and the like.
const ANNOUNCE: &[&str] = words::subject::ACCOUNTS;

/// What is known of a line.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// `user `, ` for ` or ` in as ` stands in it, as in all announcements.
    pub announced: bool,
    /// One of these, or another word for a person or an account.
    pub spoken_of: bool,
}

/// Calls `out` with the account names of a line.
pub fn names(line: &[u8], about: About, out: &mut dyn FnMut(Span)) {
    if let Some(span) = remote_user(line) {
        out(span);
    }
    if let Some(span) = iis_user(line) {
        out(span);
    }
    if !about.spoken_of {
        return;
    }
    at_signs(line, out);
    home(line, out);
    behind_words(line, out);
    if let Some(span) = sudo_user(line) {
        out(span);
    }
    if !about.announced {
        return;
    }
    if !is_announced(line) {
        return;
    }
    // `password for invalid user x` has two announcements: the name stands behind the last.
    for words in ANNOUNCE {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|rest| find(rest, words.as_bytes())) {
            let start = from + at + words.len() + 1;
            from = start;
            if line.get(start - 1) != Some(&b' ') {
                continue;
            }
            let len = line
                .get(start..)
                .unwrap_or_default()
                .iter()
                .take(NAME_BYTES)
                .take_while(|b| is_name(**b))
                .count();
            let span = Span::new(start, start + len);
            let name = span.of(line);
            let again = matches!(name, b"invalid" | b"illegal" | b"user");
            if len >= 2 && !again && !matches!(name, b"root" | b"unknown") {
                out(span);
            }
        }
    }
}

/// Accounts as MySQL writes them: `'ops.ray'@'192.0.2.7'`, `# User@Host: ops.ray[ops] @ [192.0.2.7]`.
fn at_signs(line: &[u8], out: &mut dyn FnMut(Span)) {
    for at in memchr::memchr_iter(b'@', line) {
        let (head, rest) = line.split_at(at);
        if let Some(name) = head.strip_suffix(b"'")
            && rest.starts_with(b"@'")
        {
            let len = name.iter().rev().take(NAME_BYTES).take_while(|b| is_name(**b)).count();
            let start = name.len() - len;
            if len >= 2
                && byte(line, start.wrapping_sub(1)) == b'\''
                && !is_root(name.get(start..).unwrap_or_default())
            {
                out(Span::new(start, name.len()));
            }
        }
        let Some(names) = rest.strip_prefix(b"@Host: ").filter(|_| head.ends_with(b"User")) else { continue };
        let mut start = at + b"@Host: ".len();
        for name in names.split(|b| !is_name(*b)).take(2) {
            if name.len() >= 2 && !is_root(name) {
                out(Span::new(start, start + name.len()));
            }
            start += name.len() + 1;
        }
    }
}

/// Accounts that every machine has.
fn is_root(name: &[u8]) -> bool {
    matches!(name, b"root" | b"unknown" | b"mysql" | b"postgres" | b"Public" | b"Default") || is_service(name)
}

/// Whose folder a path is in: `C:\\Users\\ops.ray\\x.csv`, `/home/ops.ray/x.csv`.
fn home(line: &[u8], out: &mut dyn FnMut(Span)) {
    const FOLDERS: [&[u8]; 3] = [b"Users\\", b"/home/", b"/Users/"];
    for folder in FOLDERS {
        let mut from = 0;
        while let Some(at) = line.get(from..).and_then(|rest| find(rest, folder)) {
            // Escaped, the sign is there twice.
            let start = from + at + folder.len();
            let start = start + usize::from(folder.ends_with(b"\\") && byte(line, start) == b'\\');
            from = start;
            let part = |b: &u8| is_alnum(*b) || matches!(b, b'.' | b'_' | b'-') || *b >= 0x80;
            let len =
                line.get(start..).unwrap_or_default().iter().take(NAME_BYTES).take_while(|b| part(b)).count();
            let name = line.get(start..start + len).unwrap_or_default();
            let closed = matches!(byte(line, start + len), b'\\' | b'/');
            if len >= 2 && closed && !is_root(name) && !safe::is_log_word(name) {
                out(Span::new(start, start + len));
            }
        }
    }
}

/// Whether an announcement stands somewhere, a space behind it. Few words are the last of one.
fn is_announced(line: &[u8]) -> bool {
    memchr::memchr_iter(b' ', line).any(|end| {
        let head = line.get(..end).unwrap_or_default();
        matches!(head, [.., b'r' | b's']) && ANNOUNCE.iter().any(|words| head.ends_with(words.as_bytes()))
    })
}

/// Words for a person or an account, in the languages that log lines are written in.
static WORDS: WordList = WordList::new(words::subject::ACCOUNT_WORDS);

/// Small words within names.
static PARTICLES: WordList = WordList::new(words::subject::PARTICLES);

/// Words for persons that have no account.
static PERSONS: WordList = WordList::new(words::subject::PERSON_WORDS);

/// `Benutzer ops.ray angemeldet`, `for cus_q7Zk2Lm9`: names of an account's shape behind a word for one.
fn behind_words(line: &[u8], out: &mut dyn FnMut(Span)) {
    let mut word = &b""[..];
    let mut start = 0;
    for token in line.split(|b| *b == b' ') {
        let called = std::mem::replace(&mut word, token);
        let called = called.strip_prefix(b"[").or_else(|| called.strip_prefix(b"(")).unwrap_or(called);
        if !WORDS.holds(called) {
            start += token.len() + 1;
            continue;
        }
        let lead = token.iter().take_while(|b| !is_name(**b)).count();
        let bare = token.get(lead..).unwrap_or_default();
        let len = bare.iter().take_while(|b| is_name(**b)).count();
        let name = bare.get(..len).unwrap_or_default();
        let ends = bare.len() <= len + 1;
        let behind = line.get(start + token.len() + 1..).unwrap_or_default();
        let shaped = has_shape(name) || is_numbered(name) || is_drawn(name);
        if lead <= 1 && ends && (shaped || lead == 0 && is_who_signs_in(name, behind)) {
            out(Span::new(start + lead, start + lead + len));
        }
        start += token.len() + 1;
    }
}

/// Words for a number that a state gives to a person.
static STATE_NUMBERS: WordList = WordList::new(words::subject::STATE_NUMBERS);

/// Calls `out` with numbers that a state gave to persons, behind a word for one: `CPF 111.444.777-35`.
pub fn state_numbers(line: &[u8], out: &mut dyn FnMut(Span)) {
    let mut start = 0;
    for token in line.split(|b| matches!(b, b' ' | b'\n')) {
        start += token.len() + 1;
        let word = token.strip_suffix(b":").unwrap_or(token);
        let word = word.strip_prefix(b"(").or_else(|| word.strip_prefix(b"[")).unwrap_or(word);
        if STATE_NUMBERS.holds(word)
            && let Some(number) = state_number(line, start)
        {
            out(number);
        }
    }
}

/// `111.444.777-35`, `AB1234567`, `1234 5678 9012`: a number of six digits or more that begins at `start`, behind a word for
/// one.
fn state_number(line: &[u8], start: usize) -> Option<Span> {
    let rest = line.get(start..line.len().min(start + NAME_BYTES))?;
    let part = |b: &u8| is_alnum(*b) || matches!(b, b'.' | b'-' | b'/');
    let mut len = rest.iter().take_while(|b| part(b)).count();
    // Groups of four.
    while rest.get(len) == Some(&b' ')
        && rest.get(len + 1..len + 5).is_some_and(|group| group.iter().all(u8::is_ascii_digit))
        && !rest.get(len + 5).is_some_and(part)
    {
        len += 5;
    }
    let number = rest.get(..len)?;
    let number = number.strip_suffix(b".").unwrap_or(number);
    let digits = number.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = number.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let capitals = number.iter().all(|b| !b.is_ascii_lowercase());
    (digits >= 6 && letters <= 8 && capitals).then(|| Span::new(start, start + number.len()))
}

/// `user 792504799`: a count has fewer digits, a card more.
fn is_numbered(name: &[u8]) -> bool {
    (6..=12).contains(&name.len()) && name.iter().all(u8::is_ascii_digit)
}

/// `usr_GiuixWWYNJkoLH`, `UNVIGNZMUFMPMLO`: letters in no word's order.
fn is_drawn(name: &[u8]) -> bool {
    let tail =
        name.iter().rposition(|b| *b == b'_').map_or(name, |at| name.get(at + 1..).unwrap_or_default());
    let capitals = tail.iter().filter(|b| b.is_ascii_uppercase()).count();
    let smalls = tail.iter().filter(|b| b.is_ascii_lowercase()).count();
    let plain = tail.iter().all(u8::is_ascii_alphanumeric);
    let mixed = tail.len() < name.len() && tail.len() >= 8 && capitals >= 2 && smalls >= 2;
    plain
        && (mixed || tail.len() >= 12 && smalls == 0 && capitals + 4 >= tail.len() && !safe::keep_alone(name))
}

/// Names of users that are no persons.
static SERVICES: WordList = WordList::new(words::neighbours::SERVICE);

static SIGNS_IN: WordList = WordList::new(words::neighbours::SIGNS_IN);

/// Whether a user's name is that of a program, not of a person.
#[must_use]
pub fn is_service(name: &[u8]) -> bool {
    SERVICES.holds(name)
}

/// `user jdoe logged in`: a small word that does what only accounts do.
fn is_who_signs_in(name: &[u8], behind: &[u8]) -> bool {
    let does = behind.split(|b| *b == b' ').next().unwrap_or_default();
    (3..=32).contains(&name.len())
        && name.iter().all(u8::is_ascii_lowercase)
        && SIGNS_IN.holds(does)
        && !is_service(name)
}

/// Calls `out` with names of persons behind a word for one: `Benutzer Marta Roe (192.0.2.7)`, `customer: Ada Roe.`,
/// `用户 王小明`. Two words with capitals, or one where a bracket, a colon or its script says enough.
pub fn persons(line: &[u8], out: &mut dyn FnMut(Span)) {
    let mut start = 0;
    let mut before = &b""[..];
    let mut tokens = line.split(|b| *b == b' ').peekable();
    while let Some(token) = tokens.next() {
        let last = std::mem::replace(&mut before, token);
        let end = start + token.len();
        let opened = token.iter().take_while(|b| matches!(b, b'(' | b'[' | b',')).count();
        let word = token.get(opened..).unwrap_or_default();
        let colon = word.last() == Some(&b':');
        let word = word.strip_suffix(b":").unwrap_or(word);
        start = end + 1;
        if tokens.peek().is_none() {
            continue;
        }
        // `reminder: Ada Roe, born 1971-03-09`
        if matches!(word, b"born" | b"DOB" | b"dob" | b"geb.")
            && let Some(name) = end.checked_sub(token.len() + 2).filter(|comma| byte(line, *comma) == b',')
            && let Some(span) = super::name::two_words_before(line, name)
        {
            out(span);
            continue;
        }
        // `sent to +4479… for Ada Roe`, `message from Ada Roe (id 7411108459)`, `New message from Ada Roe`
        let small = matches!(word, b"by" | b"for" | b"from" | b"with");
        if !(WORDS.holds(word) || PERSONS.holds(word) || small) {
            continue;
        }
        // `Kunde (Ada Roe): …`
        let opens = usize::from(!small && byte(line, start) == b'(');
        let closes =
            |span: &Span| opens == 0 || line.get(span.end()..).is_some_and(|rest| rest.starts_with(b"): "));
        let Some(span) = person(line, start + opens, colon).filter(closes) else { continue };
        let numbered = || last.iter().filter(|b| b.is_ascii_digit()).count() >= 7;
        if !small
            || word == b"for" && numbered()
            || word == b"with" && is_talk(last)
            || word == b"by" && MADE_BY.holds(last)
            || last == b"message" && word == b"from" && span.end() == line.len()
            || bracketed_id(line, span.end()).is_some()
        {
            out(span);
        }
    }
}

static MADE_BY: WordList = WordList::new(words::subject::MADE_BY);

/// `Conversation with Ada Roe`
fn is_talk(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"conversation") || word.eq_ignore_ascii_case(b"chat")
}

/// Calls `out` with the id of what is called by a person's word: `<person id="7f3a9c">`, `UserDto[id=7f3a9c, …]`.
pub fn ids_of_objects(line: &[u8], out: &mut dyn FnMut(Span)) {
    for at in memchr::memmem::find_iter(line, b"id=") {
        let head = line.get(..at).unwrap_or_default();
        let Some(called) = head.strip_suffix(b" ").or_else(|| {
            let open = head.last().filter(|b| matches!(b, b'[' | b'(' | b'{'));
            open.and_then(|_| head.get(..head.len() - 1))
        }) else {
            continue;
        };
        let element = head.ends_with(b" ");
        let letters = called.iter().rev().take(32).take_while(|b| is_alnum(**b) || **b >= 0x80).count();
        let (before, called) = called.split_at(called.len() - letters);
        if element && !before.ends_with(b"<") || !names_a_person(called) {
            continue;
        }
        let start = at + 3;
        let start = start + usize::from(matches!(byte(line, start), b'"' | b'\''));
        let part = |b: &u8| is_alnum(*b) || matches!(b, b'-' | b'_' | b'/' | b'.');
        let len =
            line.get(start..).unwrap_or_default().iter().take(NAME_BYTES).take_while(|b| part(b)).count();
        let ends = matches!(byte(line, start + len), b'"' | b'\'' | b',' | b']' | b')' | b'}');
        if ends && len >= 3 {
            out(Span::new(start, start + len));
        }
    }
}

/// Calls `out` with ids that a sign joins to a word for a person: `Customer#7415923`, `object=user/1b34b902a2ce`.
pub fn joined_ids(line: &[u8], out: &mut dyn FnMut(Span)) {
    for at in memchr::memchr2_iter(b'#', b'/', line) {
        if !is_alnum(byte(line, at + 1)) || at == 0 || matches!(byte(line, at - 1), b'/' | b' ' | b':') {
            continue;
        }
        let part = |b: &u8| is_alnum(*b) || matches!(b, b'-' | b'_');
        let rest = line.get(at + 1..line.len().min(at + 1 + NAME_BYTES)).unwrap_or_default();
        let id = rest.get(..rest.iter().take_while(|b| part(b)).count()).unwrap_or_default();
        let digits = id.iter().filter(|b| b.is_ascii_digit()).count();
        let ends = !matches!(byte(line, at + 1 + id.len()), b'/' | b'.' | b'@' | b'#');
        if !ends || id.len() < 5 || digits < 3 && !is_drawn(id) {
            continue;
        }
        let head = line.get(at.saturating_sub(32)..at).unwrap_or_default();
        let letters = head.iter().rev().take_while(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
        let (before, called) = head.split_at(head.len() - letters);
        // Not a segment of a path.
        let apart = !matches!(before.last(), Some(b'/' | b'.' | b'-' | b'_' | b'\\'));
        if letters >= 4 && apart && (WORDS.holds(called) || PERSONS.holds(called) || names_a_person(called)) {
            out(Span::new(at + 1, at + 1 + id.len()));
        }
    }
}

/// `person`, `UserDto`, `Customer`: whether the first word of a type's or an element's name is a person's.
fn names_a_person(called: &[u8]) -> bool {
    static PERSONS: WordList = WordList::new(words::neighbours::PERSON);
    let capital = |at: &usize| called.get(*at).is_some_and(u8::is_ascii_uppercase);
    let first = (1..called.len()).find(capital).unwrap_or(called.len());
    let word = called.get(..first).unwrap_or_default();
    word.len() >= 4 && PERSONS.holds(word)
}

/// The id in a bracket behind somebody's name or address that ends at `end`: `Ada Roe (cus_q7Zk2Lm9)`.
#[must_use]
pub fn bracketed_id(text: &[u8], end: usize) -> Option<Span> {
    let rest = text.get(end..)?.strip_prefix(b" (")?;
    const NAMES: [&[u8]; 3] = [b"id ", b"id=", b"id: "];
    let named = NAMES.iter().find(|name| rest.starts_with(name));
    let start = end + 2 + named.map_or(0, |name| name.len());
    let part = |b: &u8| is_alnum(*b) || matches!(b, b'-' | b'_' | b'/');
    let len = text.get(start..)?.iter().take(NAME_BYTES).take_while(|b| part(b)).count();
    let id = text.get(start..start + len)?;
    let digits = id.iter().filter(|b| b.is_ascii_digit()).count();
    let drawn = len >= 10 && digits >= 1 && id.iter().any(u8::is_ascii_uppercase);
    let dashes = id.iter().filter(|b| matches!(b, b'-' | b'/')).count();
    let dated = dashes == 2 && digits + dashes == len;
    (len >= 6 && (digits >= 3 || drawn || is_drawn(id)) && !dated && byte(text, start + len) == b')')
        .then(|| Span::new(start, start + len))
}

/// Up to four words of a name from `start` on.
fn person(line: &[u8], start: usize, colon: bool) -> Option<Span> {
    let quoted = usize::from(matches!(byte(line, start), b'"' | b'\''));
    let start = start + quoted;
    let mut end = start;
    // In scripts without capitals: where the first word ends.
    let mut first_end = None;
    let mut count = 0;
    let mut at = start;
    while count < 4 {
        let len = line.get(at..)?.iter().take(40).take_while(|b| is_person(**b)).count();
        let word = line.get(at..at + len)?;
        let word = word.strip_suffix(b".").filter(|bare| bare.len() > 1).unwrap_or(word);
        let capital = word.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        let named = capital.is_some_and(|c| c.is_uppercase() || has_no_case(c));
        // `用户 Marta Roe 登录成功`: a name stays in its script.
        let wide = |at: usize| byte(line, at) >= 0xE3;
        if count > 0 && wide(at) != wide(start) {
            break;
        }
        let shouted = word.len() >= 3 && word.iter().all(u8::is_ascii_uppercase);
        // `Ada van der Roe`: the name ends with the last capital.
        if count > 0 && PARTICLES.holds(word) && byte(line, at + word.len()) == b' ' {
            at += word.len() + 1;
            continue;
        }
        if !named || shouted || safe::is_log_word(word) {
            break;
        }
        count += 1;
        end = at + word.len();
        if capital.is_some_and(|c| !c.is_uppercase()) {
            first_end.get_or_insert(end);
        }
        if line.get(end) != Some(&b' ') {
            break;
        }
        at = end + 1;
    }
    // There only a bracket or a comma tells where a name of several words ends.
    if let Some(first) = first_end
        && !line.get(end..).is_some_and(|rest| rest.starts_with(b" (") || rest.starts_with(b","))
    {
        (end, count) = (first, 1);
    }
    // `titular: Some("…")`
    if matches!(line.get(end..end + 2), Some([b'(', b'"' | b'\''])) {
        return None;
    }
    let whole = Span::new(start, end);
    let ends =
        matches!(line.get(end), None | Some(b' ' | b',' | b';' | b'.' | b')' | b'(' | b'"' | b'\'' | b'\n'))
            || byte(line, end) >= 0x80;
    let bracket = line.get(end..).is_some_and(|rest| rest.starts_with(b" ("));
    let wide = count == 1 && whole.of(line).iter().all(|b| *b >= 0x80);
    (ends && (count >= 2 || count == 1 && (colon || bracket || wide || quoted == 1))).then_some(whole)
}

/// Whether a letter is of a script in which names begin like other words. Georgian has capitals, but for
/// headings only.
fn has_no_case(c: char) -> bool {
    c.is_alphabetic() && (!c.is_lowercase() || matches!(c, '\u{10D0}'..='\u{10FF}'))
}

fn is_person(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'\'' | b'-' | b'.')
}

/// Small letters with a point, or letters with two digits: no word of a sentence.
#[must_use]
pub fn has_shape(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let digits = name.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = name.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let joined = digits == 0 && name.iter().filter(|b| **b == b'.').count() == 1 && letters >= 5;
    let numbered = digits >= 2 && letters >= 3;
    let plain = name.iter().all(|b| is_alnum(*b) || matches!(b, b'.' | b'_' | b'-'));
    // `host-192-0-2-7.example` is a machine's.
    let dashes = name.iter().filter(|b| **b == b'-').count();
    plain
        && dashes <= 1
        && (4..=NAME_BYTES).contains(&name.len())
        && (joined || numbered)
        && !safe::keep_alone(name)
}

/// `cus_NffrFeUfNV2Hib`: an id drawn at random behind a person's word.
#[must_use]
pub fn is_persons_id(value: &[u8]) -> bool {
    static PREFIXES: WordList = WordList::new(words::subject::ID_PREFIXES);
    let Some(at) = value.iter().take(12).position(|b| *b == b'_') else { return false };
    let (prefix, drawn) = value.split_at(at);
    let drawn = drawn.get(1..).unwrap_or_default();
    PREFIXES.holds(prefix)
        && (8..=40).contains(&drawn.len())
        && drawn.iter().all(|b| is_alnum(*b))
        && drawn.iter().any(u8::is_ascii_digit)
}

fn is_name(byte: u8) -> bool {
    is_alnum(byte) || matches!(byte, b'.' | b'_' | b'-' | b'@' | b'+' | b'\\' | b'$') || byte >= 0x80
}

/// The user of a line of IIS, in W3C's extended format: between the port and the caller's address behind the query,
/// `GET /x a=1 443 ops.ray 192.0.2.7 Mozilla/5.0+…`.
fn iis_user(line: &[u8]) -> Option<Span> {
    let mut words = line.get(..line.len().min(4096))?.split(|b| *b == b' ');
    let mut start = 0;
    let mut next = || {
        let word = words.next()?;
        let at = start;
        start += word.len() + 1;
        Some((at, word))
    };
    let dated = next()?.1;
    if !(dated.len() == 10 && byte(dated, 4) == b'-' && byte(dated, 7) == b'-') {
        return None;
    }
    let (time, _host, method) = (next()?.1, next()?.1, next()?.1);
    let verb = method.len() >= 3 && method.iter().all(u8::is_ascii_uppercase);
    if !(time.len() == 8 && verb && next()?.1.starts_with(b"/")) {
        return None;
    }
    let (_query, port, (at, user), caller) = (next()?, next()?.1, next()?, next()?.1);
    let ports = (1..=5).contains(&port.len()) && port.iter().all(u8::is_ascii_digit);
    let address = caller.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'))
        || caller.first() == Some(&b'[');
    (ports && address && user != b"-" && !user.is_empty()).then(|| Span::new(at, at + user.len()))
}

/// `sudo: ops.ray : TTY=pts/0 ; PWD=/srv`.
fn sudo_user(line: &[u8]) -> Option<Span> {
    let end = find(line, b" : TTY=")?;
    let start = line.get(..end)?.iter().rposition(|b| *b == b' ').map_or(0, |at| at + 1);
    let name = line.get(start..end)?;
    (!name.is_empty() && name.len() <= NAME_BYTES && name != b"root").then(|| Span::new(start, end))
}

/// The third field of the common log format: `host ident user [time]`.
fn remote_user(line: &[u8]) -> Option<Span> {
    let head = line.get(..line.len().min(256))?;
    let bracket = memchr::memchr_iter(b'[', head).find(|at| *at > 0 && byte(head, at - 1) == b' ')? - 1;
    if !byte(head, bracket + 2).is_ascii_digit() {
        return None;
    }
    let mut words = head.get(..bracket)?.rsplitn(4, |b| *b == b' ');
    let user = words.next()?;
    let ident = words.next()?;
    let host = words.next();
    // Without what identd says: `192.0.2.7 ops.ray [time]`.
    if host.is_none() {
        let caller = super::ip::parse(ident).is_some() && user != b"-" && !user.is_empty();
        return caller.then(|| Span::new(bracket - user.len(), bracket));
    }
    (ident == b"-" && user != b"-" && !user.is_empty()).then(|| Span::new(bracket - user.len(), bracket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &[&str]) {
        let mut got = Vec::new();
        names(line.as_bytes(), About { announced: true, spoken_of: true }, &mut |span| {
            got.push(String::from_utf8_lossy(span.of(line.as_bytes())).into_owned())
        });
        assert_eq!(got, want, "{line}");
    }

    #[test]
    fn announcements_end_in_two_letters() {
        assert!(ANNOUNCE.iter().all(|words| words.ends_with(['r', 's'])));
    }

    #[test]
    fn accounts() {
        check("192.0.2.7 - ops.jane [06/May/2026:10:51:55 +0000] \"GET / HTTP/1.1\" 200", &["ops.jane"]);
        check("192.0.2.7 - - [06/May/2026:10:51:55 +0000] \"GET / HTTP/1.1\" 200", &[]);
        check("Failed password for invalid user admin7 from 192.0.2.7 port 1 ssh2", &["admin7"]);
        check("Accepted publickey for deploy from 192.0.2.7", &["deploy"]);
        check("a - b [x] c", &[]);
        check("192.0.2.7 ops.jane [06/May/2026:10:51:55 +0000] \"GET / HTTP/1.1\" 200", &["ops.jane"]);
        check("Access denied for user 'ops.jane'@'192.0.2.7' (using password: YES)", &["ops.jane"]);
        check("Access denied for user 'root'@'localhost'", &[]);
        check("# User@Host: ops.jane[jane] @  [192.0.2.7]  Id: 7", &["ops.jane", "jane"]);
        check("mail 'ops'@x", &[]);
        check("wrote C:\\Users\\ops.jane\\a.csv and /home/jane.r/b.csv", &["ops.jane", "jane.r"]);
        check("wrote /home/app/releases/7 and C:\\Users\\Public\\x", &[]);
    }
}

//! What needs the whole text, or what was found in it: codes, names behind a word for a person, rows, quoted text.

use super::super::reach::Reach;
use super::super::resolve;
use super::*;
use crate::detect::positional::{self, Beside};
use crate::detect::statement;
use crate::detect::table_column;
use crate::detect::table_row::{self, Cell};
use crate::detect::{account_name, body, call, chat_export, link, listed, sent, sip, syslog};

impl Scan {
    /// `done` are the spans that were dealt with already (sorted), `from` is where the text's own findings begin.
    pub(super) fn afterwards(
        &mut self,
        detectors: &Detectors,
        here: &Here<'_>,
        done: &[Span],
        from: usize,
        seen: Seen,
        sink: &mut Sink,
    ) {
        self.spoken_codes(detectors, here, done, seen, sink);
        people(detectors, here, done, seen, sink);
        bracketed_ids(detectors, here, from, sink);
        rows(detectors, here, done, sink);
        chats(detectors, here, sink);
        texts(detectors, here, done, from, seen, sink);
        listed_codes(detectors, here, from, sink);
        by_place(detectors, here, from, seen, sink);
        if seen.has(Seen::CALL) {
            secrets(detectors, here, sink);
        }
    }

    /// Codes that a word speaks of, and those of links.
    fn spoken_codes(
        &mut self,
        detectors: &Detectors,
        here: &Here<'_>,
        done: &[Span],
        seen: Seen,
        sink: &mut Sink,
    ) {
        let text = here.text;
        let Some(rule) = detectors.rule(Detector::CodeContext) else { return };
        let spoken = seen.has(Seen::CODE) || bytes::find(text, b" #").is_some();
        if spoken && text.iter().any(|b| b.is_ascii_digit() || *b >= 0x80 || *b == b'-') {
            let mut dealt = Reach::default();
            // A process's number stands there, close to the message's first words.
            let header = syslog::header_end(text);
            detectors.codes(text, &mut self.codes, &mut |span| {
                if span.start() >= header && is_open(&mut dealt, done, span) {
                    push(sink, here, Class::Code, rule, span, Detail::None, false);
                }
            });
        }
        if seen.has(Seen::LINK) {
            let mut dealt = Reach::default();
            link::link_codes(text, &mut |start, end| {
                let span = Span::new(start, end);
                // A parameter was read as a field.
                if is_open(&mut dealt, done, span) {
                    push(sink, here, Class::Code, rule, span, Detail::None, false);
                }
            });
        }
    }
}

/// Ids in brackets behind names and addresses of persons.
fn bracketed_ids(detectors: &Detectors, here: &Here<'_>, from: usize, sink: &mut Sink) {
    let Some(rule) = detectors.rule(Detector::SubjectShape) else { return };
    for place in from..sink.found.len() {
        let Some(found) = sink.found.get(place) else { continue };
        let end = Some(found.span.end).filter(|_| matches!(found.class, Class::Name | Class::Email));
        let Some(end) = end.and_then(|end| here.map.back(end)) else { continue };
        if let Some(span) = account_name::bracketed_id(here.text, end) {
            push(sink, here, Class::SubjectId, rule, span, Detail::None, false);
        }
    }
}

/// Codes behind numbers in lists of values, where the text speaks of codes or a statement was run with them.
fn listed_codes(detectors: &Detectors, here: &Here<'_>, from: usize, sink: &mut Sink) {
    let Some(rule) = detectors.rule(Detector::CodeContext) else { return };
    for place in from..sink.found.len() {
        let Some(found) = sink.found.get(place).filter(|found| found.class == Class::Phone) else { continue };
        let Some(end) = here.map.back(found.span.end) else { continue };
        let Some(listed) = listed::behind(here.text, end) else { continue };
        // A statement that stands there says what its parameters are.
        let head = here.text.get(..end).unwrap_or_default();
        if statement::names_its_parameters(head) {
            continue;
        }
        let bound = listed.parameter.is_some_and(|sign| bytes::find(head, sign.of(here.text)).is_none());
        // `['+4479…', '482913', …]`: a call's first two arguments.
        let first = here.map.back(found.span.start).is_some_and(|start| {
            listed.quoted
                && matches!(
                    here.text.get(..start),
                    Some([.., b'[' | b'(', b'"' | b'\''] | [.., b'[' | b'(', b' ', b'"' | b'\''])
                )
        });
        if bound || first || speaks_of_codes_near(here.text, listed.span) {
            push(sink, here, Class::Code, rule, listed.span, Detail::None, false);
        }
    }
}

/// Codes, names and numbers that their place beside a number or an address shows.
fn by_place(detectors: &Detectors, here: &Here<'_>, from: usize, seen: Seen, sink: &mut Sink) {
    let rules = [Detector::CodeContext, Detector::NameShape, Detector::PhoneNational];
    let [Some(code), Some(name), Some(phone)] = rules.map(|detector| detectors.rule(detector)) else {
        return;
    };
    let text = here.text;
    let speaks: fn(&[u8]) -> bool = detectors::speaks_of_a_code;
    if seen.has(Seen::PLACES) {
        positional::commands(text, speaks, &mut |number, span| {
            push(sink, here, Class::Phone, phone, number, Detail::None, false);
            push(sink, here, Class::Code, code, span, Detail::None, false);
        });
        let mut push_code = |span| push(sink, here, Class::Code, code, span, Detail::None, false);
        statement::kept(text, speaks, &mut push_code);
        statement::bound(text, &mut push_code);
        positional::registered(text, &mut |number| {
            push(sink, here, Class::Phone, phone, number, Detail::None, false);
        });
        statement::looked_for(text, &mut |column, value| {
            let digits = value.of(text).iter().filter(|b| b.is_ascii_digit()).count();
            let numeric = digits == value.len();
            let (class, rule) = match detectors.meaning(column.of(text)).class {
                Some(Class::Phone) if numeric => (Class::Phone, phone),
                Some(Class::Code | Class::Body) if numeric && (4..=8).contains(&digits) => {
                    (Class::Code, code)
                }
                Some(Class::Name) if digits == 0 => (Class::Name, name),
                _ => return,
            };
            push(sink, here, class, rule, value, Detail::None, false);
        });
    }
    if seen.has(Seen::RECORDING) {
        sent::recordings(text, &mut |number| {
            let digits = number.of(text);
            if resolve::is_valid_number(digits.strip_prefix(b"+").unwrap_or(digits)) {
                push(sink, here, Class::Phone, phone, number, Detail::None, false);
            }
        });
    }
    if seen.has(Seen::CACHE) {
        statement::set(text, speaks, &mut |span| {
            push(sink, here, Class::Code, code, span, Detail::None, false)
        });
    }
    if seen.has(Seen::BRACKET.with(Seen::PAIR)) {
        arguments(detectors, here, seen, sink);
    }
    positional::lists_of_one(text, &mut |field, value| {
        let shaped = (4..=10).contains(&value.len()) && value.of(text).iter().any(u8::is_ascii_digit);
        if shaped && detectors.meaning(field.of(text)).class == Some(Class::Code) {
            push(sink, here, Class::Code, code, value, Detail::None, false);
        }
    });
    for place in from..sink.found.len() {
        let Some(found) = sink.found.get(place) else { continue };
        if found.class == Class::Body
            && let Some(start) = here.map.back(found.span.start)
            && let Some(number) = number_of_a_text(text, start, seen)
        {
            push(sink, here, Class::Phone, phone, number, Detail::None, false);
        }
        let Some(found) = sink.found.get(place) else { continue };
        let number = found.class == Class::Phone;
        let listed = number || found.class == Class::Email;
        let (Some(start), Some(end)) =
            (here.map.back(found.span.start), here.map.back(found.span.end).filter(|_| listed))
        else {
            continue;
        };
        let span = Span::new(start, end);
        if number {
            if let Some(who) = sent::name_before(text, span.start()) {
                push(sink, here, Class::Name, name, who, Detail::None, false);
            }
            if let Some(who) = positional::name_behind(text, span.end()) {
                push(sink, here, Class::Name, name, who, Detail::None, false);
            }
            positional::codes(text, span, speaks, &mut |span| {
                push(sink, here, Class::Code, code, span, Detail::None, false);
            });
        }
        positional::beside(text, span, &mut |what, span| match what {
            Beside::Name => push(sink, here, Class::Name, name, span, Detail::None, false),
            Beside::Phone => push(sink, here, Class::Phone, phone, span, Detail::None, false),
        });
    }
}

/// The number of who got or said the text that begins at `start`.
fn number_of_a_text(text: &[u8], start: usize, seen: Seen) -> Option<Span> {
    let valid = |number: &Span| {
        let digits = number.of(text);
        resolve::is_valid_number(digits.strip_prefix(b"+").unwrap_or(digits))
    };
    let listed = sent::listed_before_quoted(text, start).filter(valid);
    let says = || seen.has(Seen::SAYS).then(|| sent::says(text, start)).flatten();
    let arrow = || seen.has(Seen::ARROW).then(|| positional::before_quoted(text, start)).flatten();
    listed.or_else(says).or_else(arrow)
}

/// What functions were called with that open a door.
fn secrets(detectors: &Detectors, here: &Here<'_>, sink: &mut Sink) {
    if let Some(rule) = detectors.rule(Detector::CodeContext) {
        call::digits_said(here.text, &mut |span| {
            push(sink, here, Class::Code, rule, span, Detail::None, false);
        });
    }
    let Some(rule) = detectors.rule(Detector::CredentialShape) else { return };
    call::secrets(here.text, &mut |span| {
        push(sink, here, Class::Credential, rule, span, Detail::None, false);
    });
}

/// Names and numbers in brackets, and what functions were called with.
fn arguments(detectors: &Detectors, here: &Here<'_>, seen: Seen, sink: &mut Sink) {
    let rules = [Detector::CodeContext, Detector::NameShape, Detector::PhoneNational];
    let [Some(code), Some(name), Some(phone)] = rules.map(|detector| detectors.rule(detector)) else {
        return;
    };
    let text = here.text;
    if seen.has(Seen::BRACKET) {
        positional::bracketed(text, &mut |who, number| {
            push(sink, here, Class::Name, name, who, Detail::None, false);
            push(sink, here, Class::Phone, phone, number, Detail::None, false);
        });
    }
    if seen.has(Seen::PAIR) {
        if let Some(body) = detectors.rule(Detector::BodyShape) {
            sent::arguments(text, &mut |number, said| {
                push(sink, here, Class::Phone, phone, number, Detail::None, false);
                let value = sink.keep(said.of(text));
                push_value(sink, here, Class::Body, body, said, value);
            });
        }
        listed::pairs(text, &mut |number, span| {
            if speaks_of_codes_near(text, number) {
                push(sink, here, Class::Phone, phone, number, Detail::None, false);
                push(sink, here, Class::Code, code, span, Detail::None, false);
            }
        });
    }
}

/// Whether a word before a value in a list, or a cell of one word behind it, speaks of codes. Not what is written
/// behind it.
fn speaks_of_codes_near(text: &[u8], value: Span) -> bool {
    const BEFORE: usize = 160;
    const BEHIND: usize = 48;
    let head = text.get(value.start().saturating_sub(BEFORE)..value.start()).unwrap_or_default();
    let rest = text.get(value.end()..text.len().min(value.end() + BEHIND)).unwrap_or_default();
    let line = head.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let cells = rest.split(|b| matches!(b, b'\n' | b' ' | b'"' | b'\'')).next().unwrap_or_default();
    detectors::speaks_of_codes(line) || detectors::speaks_of_codes(cells)
}

/// Whether none of the spans that were dealt with overlaps one; spans are asked for in the order of the text.
fn is_open(dealt: &mut Reach, done: &[Span], span: Span) -> bool {
    dealt.over(done, |d| (d.start < span.end).then_some(*d)) <= span.start
}

/// Names of persons and accounts.
fn people(detectors: &Detectors, here: &Here<'_>, done: &[Span], seen: Seen, sink: &mut Sink) {
    let text = here.text;
    let announced = seen.has(Seen::ACCOUNT);
    let spoken_of = announced || seen.has(Seen::PERSON);
    if let Some(rule) = detectors.rule(Detector::NameShape)
        && spoken_of
    {
        let mut dealt = Reach::default();
        account_name::persons(text, &mut |span| {
            if is_open(&mut dealt, done, span) {
                push(sink, here, Class::Name, rule, span, Detail::None, false);
            }
        });
    }
    if seen.has(Seen::JOINED.with(Seen::STATE_NUMBER))
        && let Some(rule) = detectors.rule(Detector::SubjectShape)
    {
        let mut push_id = |span| push(sink, here, Class::SubjectId, rule, span, Detail::None, false);
        if seen.has(Seen::JOINED) {
            account_name::joined_ids(text, &mut push_id);
        }
        if seen.has(Seen::STATE_NUMBER) {
            account_name::state_numbers(text, &mut push_id);
        }
    }
    if let Some(rule) = detectors.rule(Detector::SubjectShape)
        && memchr::memchr(b' ', text).is_some()
    {
        account_name::names(text, account_name::About { announced, spoken_of }, &mut |span| {
            push(sink, here, Class::SubjectId, rule, span, Detail::None, false);
        });
        if seen.has(Seen::OBJECT) {
            account_name::ids_of_objects(text, &mut |span| {
                push(sink, here, Class::SubjectId, rule, span, Detail::None, false);
            });
        }
    }
}

/// Cells of rows without a header.
fn rows(detectors: &Detectors, here: &Here<'_>, done: &[Span], sink: &mut Sink) {
    let text = here.text;
    let (Some(body), Some(number)) =
        (detectors.rule(Detector::BodyShape), detectors.rule(Detector::PhoneNational))
    else {
        return;
    };
    table_column::numbers(text, &mut |span, detail| {
        push(sink, here, Class::Phone, number, span, detail, false);
    });
    table_row::cells(text, &mut |cell, span| match cell {
        _ if done.iter().any(|d| d.overlaps(span) && !span.contains(*d)) => {}
        Cell::Phone(detail) => push(sink, here, Class::Phone, number, span, detail, false),
        Cell::Name => {
            if let Some(rule) = detectors.rule(Detector::NameShape) {
                push(sink, here, Class::Name, rule, span, Detail::None, false);
            }
        }
        Cell::Text => {
            let value = sink.keep(span.of(text));
            push_value(sink, here, Class::Body, body, span, value);
        }
    });
}

/// Who wrote what, in a chat that was exported.
fn chats(detectors: &Detectors, here: &Here<'_>, sink: &mut Sink) {
    let text = here.text;
    if !chat_export::may_begin(text) {
        return;
    }
    let (Some(name), Some(body)) = (detectors.rule(Detector::NameShape), detectors.rule(Detector::BodyShape))
    else {
        return;
    };
    chat_export::messages(text, &mut |message| {
        // A number is found as one.
        if message.who.of(text).first() != Some(&b'+') {
            push(sink, here, Class::Name, name, message.who, Detail::None, false);
        }
        let value = sink.keep(message.said.of(text));
        push_value(sink, here, Class::Body, body, message.said, value);
    });
}

/// Message texts by the shape of the line.
fn texts(detectors: &Detectors, here: &Here<'_>, done: &[Span], from: usize, seen: Seen, sink: &mut Sink) {
    let text = here.text;
    let Some(rule) = detectors.rule(Detector::BodyShape).filter(|_| text.len() >= 6) else { return };
    let near_phone = sink.found.get(from..).unwrap_or_default().iter().any(|f| f.class == Class::Phone);
    let announced = |at: usize| detectors.announced(text, at).text;
    let [modem, receipt, says] = [Seen::MODEM, Seen::RECEIPT, Seen::SAYS].map(|sign| seen.has(sign));
    let about = body::About { near_phone, modem, receipt, says };
    let (mut dealt, mut last) = (Reach::default(), 0);
    body::texts(text, about, &announced, &mut |span| {
        // One kind of quotes comes after the other.
        if span.start < std::mem::replace(&mut last, span.start) {
            dealt = Reach::default();
        }
        // A field's value was read as what it is.
        if dealt.over(done, |d| (d.start <= span.start).then_some(*d)) >= span.end {
            return;
        }
        let value = sink.keep(span.of(text));
        push_value(sink, here, Class::Body, rule, span, value);
    });
    if let Some(span) = sip::message_text(text) {
        let value = sink.keep(span.of(text));
        push_value(sink, here, Class::Body, rule, span, value);
    }
}

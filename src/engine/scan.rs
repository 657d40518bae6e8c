//! The scan of running text: one pass that stops only where a detector may start.

mod afterwards;
mod coded;
mod digitless;
mod found;
mod path;
mod refused;
mod stops;

use super::detectors::{self, Detectors};
use super::find::Tools;
use super::signs::Seen;
use super::sink::{Found, Kind, Sink};
use super::token::{self, Token};
use crate::class::Class;
use crate::codec::decode::Map;
use crate::codec::next_in;
use crate::detect::code::CodeScratch;
use crate::detect::{
    Detector, account_name, bytes, card, credential, email, imei, ip, name, phone, safe, url,
};
use crate::finding::{Detail, RuleId, Span};
use digitless::digitless_ids;
use found::{crosses_placeholder, found, known, persons_number, push, push_value};
use path::{code_in_path, opens_path, path_at};
use stops::{STOPS, next_stop};

/// A thread's buffers for scanning.
#[derive(Default)]
pub struct Scan {
    octets: Vec<u8>,
    text: Vec<u8>,
    codes: CodeScratch,
    /// Where a token begins that none of its detectors takes: it may have several numbers in it.
    barren: Option<usize>,
}

/// Whether a text has more in it than JSON, whose strings are texts of their own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Prose {
    Some,
    /// One word: nothing in it speaks of anything.
    Word,
    None,
}

/// A text on its way through the scan.
#[derive(Clone, Copy)]
struct Here<'a> {
    text: &'a [u8],
    map: Map<'a>,
    detectors: &'a Detectors,
}

impl Here<'_> {
    fn root(&self, span: Span) -> Span {
        Span { start: self.map.at(span.start()), end: self.map.at(span.end()) }
    }
}

impl Scan {
    /// Scans a text; `done` are spans in it (sorted) that were dealt with already.
    pub fn text(
        &mut self,
        tools: Tools<'_>,
        text: &[u8],
        map: Map<'_>,
        done: &[Span],
        prose: Prose,
        sink: &mut Sink,
    ) {
        let here = Here { text, map, detectors: tools.detectors };
        let from = sink.found.len();
        let mut gaps = Gaps { done, place: 0 };
        let mut pos = 0;
        self.barren = None;
        while let Some(at) = next_stop(text, pos) {
            if begins_nothing(text, at) {
                pos = at + 1;
                continue;
            }
            if let Some(end) = gaps.covers(at) {
                pos = end.max(at + 1);
                continue;
            }
            pos = self.stop(tools, &here, at, sink).max(at + 1);
        }
        let agent = sink.found.get(from).is_some_and(|found| is_whole_agent(&here, found));
        if agent && !tools.detectors.has_user_patterns() {
            self.refusals(tools, &here, Span::new(0, text.len()), done, sink);
            return;
        }
        if prose != Prose::None {
            self.base64(&here, done, sink);
        }
        let seen = (prose == Prose::Some).then(|| tools.detectors.signs(text));
        digitless_ids(&here, done, prose, seen, sink);
        if let Some(seen) = seen {
            self.afterwards(tools.detectors, &here, done, from, seen, sink);
        }
        // Our own patterns have signs in them that no word has.
        if prose == Prose::Some || prose == Prose::Word && tools.detectors.has_user_patterns() {
            tools.detectors.patterns(text, b"", seen, &mut |class, rule, span| {
                push(sink, &here, class, rule, span, Detail::None, false);
            });
        }
        self.refusals(tools, &here, Span::new(0, text.len()), done, sink);
    }

    /// Scans a part of a text that stands for itself (a member's name).
    pub fn within(&mut self, tools: Tools<'_>, text: &[u8], span: Span, map: Map<'_>, sink: &mut Sink) {
        let mut pos = span.start();
        self.barren = None;
        while let Some(at) = next_stop(text.get(..span.end()).unwrap_or_default(), pos) {
            pos = at + 1;
            if !begins_nothing(text, at) {
                pos = self.stop(tools, &Here { text, map, detectors: tools.detectors }, at, sink).max(pos);
            }
        }
        self.refusals(tools, &Here { text, map, detectors: tools.detectors }, span, &[], sink);
    }

    /// A JSON number that no field name speaks for: only what is beyond doubt.
    pub fn number(&mut self, tools: Tools<'_>, text: &[u8], span: Span, map: Map<'_>, sink: &mut Sink) {
        let digits = span.of(text);
        if !(13..=19).contains(&digits.len()) {
            return;
        }
        let Some(rule) = tools.detectors.rule(Detector::Card) else { return };
        let here = Here { text, map, detectors: tools.detectors };
        if card::at(text, span.start()).is_some_and(|card| card.sure && card.hit.span == span) {
            push(sink, &here, Class::Card, rule, span, Detail::None, true);
        }
    }

    /// A record's key, and a member's name that is all digits: a number is somebody's, where its plan allows it. Gives
    /// whether it is one.
    pub fn key(&mut self, tools: Tools<'_>, text: &[u8], span: Span, map: Map<'_>, sink: &mut Sink) -> bool {
        let Some(rule) = tools.detectors.rule(Detector::PhoneNational) else { return false };
        let context = tools.detectors.phone_context(phone::FieldHint::MaybePhone);
        let Some(hit) = phone::at(text, span.start(), &context).filter(|hit| hit.span == span) else {
            return false;
        };
        let here = Here { text, map, detectors: tools.detectors };
        push(sink, &here, hit.form.class(), rule, hit.span, hit.detail, false);
        true
    }

    /// Looks for one class in a span of a text; gives whether something was found.
    #[expect(clippy::too_many_arguments, reason = "a place in a text is four of them")]
    pub fn part(
        &mut self,
        tools: Tools<'_>,
        class: Class,
        text: &[u8],
        span: Span,
        map: Map<'_>,
        bare_json: bool,
        sink: &mut Sink,
    ) -> bool {
        let detectors = tools.detectors;
        let Some(rule) = detectors.by_name() else { return false };
        let here = Here { text, map, detectors: tools.detectors };
        let mut found = false;
        let mut pos = span.start();
        let within = text.get(..span.end()).unwrap_or_default();
        while let Some(at) = next_in(&STOPS, within, pos) {
            let hit = match class {
                Class::Ip => ip_at(within, at).map(|hit| (hit, Detail::None)),
                Class::Email => email::at(within, at).map(|hit| (hit.span, Detail::None)),
                Class::Phone => phone::at(text, at, &detectors.phone_context(phone::FieldHint::Phone))
                    .map(|hit| (hit.span, hit.detail)),
                _ => None,
            };
            pos = at + 1;
            if let Some((hit, detail)) = hit {
                if hit.end() <= pos.max(span.start()) && !hit.contains(Span::new(at, at + 1)) {
                    continue;
                }
                push(sink, &here, class, rule, hit, detail, bare_json);
                pos = hit.end().max(pos);
                found = true;
            }
        }
        found
    }

    /// Asks the detectors at one place; gives where to go on.
    fn stop(&mut self, tools: Tools<'_>, here: &Here<'_>, at: usize, sink: &mut Sink) -> usize {
        let text = here.text;
        let detectors = tools.detectors;
        match bytes::byte(text, at) {
            b'0'..=b'9' => self.digit(detectors, here, at, sink),
            b'@' => {
                if let Some(hit) = email::at(text, at) {
                    if let Some(name) = name::before_address(text, hit.span.start()) {
                        found(detectors, Detector::NameShape, sink, here, Class::Name, name);
                    }
                    return found(detectors, Detector::Email, sink, here, hit.class, hit.span);
                }
                if let Some((user, password)) = credential::slash_account(text, at) {
                    found(detectors, Detector::SubjectShape, sink, here, Class::SubjectId, user);
                    found(detectors, Detector::CredentialShape, sink, here, Class::Credential, password);
                }
                at + 1
            }
            b'%' => {
                if let Some(hit) = email::at(text, at) {
                    return found(detectors, Detector::Email, sink, here, hit.class, hit.span);
                }
                phone_at(detectors, here, at, sink).unwrap_or(at + 1)
            }
            b':' => colon(detectors, here, at, sink),
            b'[' => match detectors::placeholder_at(text, at, tools.context) {
                Some((class, end)) => {
                    let rule = detectors.by_name().unwrap_or(RuleId(0));
                    let span = Span::new(at, end);
                    sink.placeholders.push(here.root(span));
                    sink.found.push(Found {
                        class,
                        rule,
                        span: here.root(span),
                        detail: Detail::None,
                        kind: Kind::Placeholder,
                        bare_json: false,
                        value: None,
                    });
                    end
                }
                None => at + 1,
            },
            b'<' => {
                if let Some(span) = name::before_angle(text, at) {
                    found(detectors, Detector::NameShape, sink, here, Class::Name, span);
                }
                at + 1
            }
            b'/' => match path_at(text, at) {
                Some(span) => {
                    path_key(detectors, here, at, sink);
                    if let Some(rule) = detectors.rule(Detector::Url) {
                        push(sink, here, Class::Url, rule, span, Detail::None, false);
                    }
                    // Numbers and codes may stand in it.
                    at + 1
                }
                None => at + 1,
            },
            b'-' => match detectors.pem_at(text, at) {
                Some(hit) => {
                    if let Some(user) = credential::curl_account(text, at, hit.span) {
                        found(detectors, Detector::SubjectShape, sink, here, Class::SubjectId, user);
                    }
                    found(detectors, Detector::CredentialShape, sink, here, hit.class, hit.span)
                }
                None => at + 1,
            },
            b'B' => match detectors.scheme_at(text, at) {
                Some(hit) => found(detectors, Detector::CredentialShape, sink, here, hit.class, hit.span),
                None => at + 1,
            },
            b'+' | b'(' => phone_at(detectors, here, at, sink).unwrap_or(at + 1),
            _ => phone_at(detectors, here, at, sink).unwrap_or(at + 1),
        }
    }

    /// The first digit of a token: what the token is decides who is asked.
    fn digit(&mut self, detectors: &Detectors, here: &Here<'_>, at: usize, sink: &mut Sink) -> usize {
        let text = here.text;
        let start = bytes::run_start(text, at, 96, bytes::is_token);
        let wamid = start.checked_sub(6).filter(|from| text.get(*from..start) == Some(b"wamid."));
        if let Some(from) = wamid
            && let Some(end) = phone_at(detectors, here, from, sink)
        {
            return end;
        }
        let token = token::of(text, start, at);
        let barren = self.barren == Some(start);
        if !barren && (start == at || !bytes::is_digit(bytes::byte(text, start))) {
            let hit = match token {
                Token::Short(_)
                | Token::Number(_)
                | Token::Version(_)
                | Token::Uuid(_)
                | Token::Hex(_)
                | Token::Date => detectors.announced_at(text, start),
                Token::Name(_) | Token::Other => detectors.credential_at(text, start),
            };
            if let Some(hit) = hit {
                return found(detectors, Detector::CredentialShape, sink, here, hit.class, hit.span);
            }
        }
        match token {
            Token::Short(end) if !detectors.short_phones() => return end,
            Token::Name(end) if !detectors.short_phones() => {
                return event_id(detectors, here, start, sink).unwrap_or(end);
            }
            Token::Number(end) => {
                let context = detectors.phone_context(phone::FieldHint::None);
                return phone::plain(text, at, end, &context)
                    .and_then(|hit| phone(detectors, here, at, hit, sink))
                    .or_else(|| {
                        // `20260107`, and seconds since 1970.
                        let hit =
                            matches!(end - at, 8 | 10).then(|| detectors.time_at(text, at)).flatten()?;
                        Some(known(detectors, Detector::Timestamp, sink, here, hit.class, hit.span))
                    })
                    .unwrap_or(end);
            }
            Token::Date | Token::Version(_) => {
                if let Some(end) = persons_number(detectors, here, start, at, sink) {
                    return end;
                }
                if let Some(hit) = detectors.time_at(text, at) {
                    return known(detectors, Detector::Timestamp, sink, here, hit.class, hit.span);
                }
                if let Token::Version(end) = token {
                    return end;
                }
            }
            Token::Uuid(end) | Token::Hex(end) => {
                if let Some(end) = self.hidden_words(here, start, sink) {
                    return end;
                }
                let run = Span::new(start, end);
                if credential::is_push_token(text, run) {
                    return found(detectors, Detector::CredentialShape, sink, here, Class::Credential, run);
                }
                return event(detectors, here, run, sink);
            }
            Token::Short(_) | Token::Name(_) | Token::Other => {}
        }
        if let Some(end) = persons_number(detectors, here, start, at, sink) {
            return end;
        }
        // `500 4125691`: the next number may go on with it, and nothing else can.
        let number = start == at && is_short_number(text, at);
        if !barren && !number {
            let product = if start > 0 && bytes::byte(text, start - 1) == b'/' {
                bytes::run_start(text, start - 1, 40, bytes::is_token)
            } else {
                start
            };
            if let Some(hit) = detectors.user_agent_at(text, product) {
                return known(detectors, Detector::UserAgent, sink, here, hit.class, hit.span);
            }
        }
        if !number && let Some(span) = ip_at(text, at) {
            return found(detectors, Detector::Ip, sink, here, Class::Ip, span);
        }
        if let Some(end) = phone_at(detectors, here, at, sink) {
            return end;
        }
        if let Some(hit) = detectors.time_at(text, at) {
            return known(detectors, Detector::Timestamp, sink, here, hit.class, hit.span);
        }
        if !barren
            && !number
            && let Some(end) = self.hidden_words(here, start, sink)
        {
            return end;
        }
        if !barren
            && !number
            && let Some(end) = event_id(detectors, here, start, sink)
        {
            return end;
        }
        if let Some(card) = card::at(text, at).filter(|card| card.sure) {
            return found(detectors, Detector::Card, sink, here, Class::Card, card.hit.span);
        }
        if let Some(hit) = imei::at(text, at) {
            return found(detectors, Detector::Imei, sink, here, hit.class, hit.span);
        }
        let device = || if barren { None } else { detectors.device_at(text, start) };
        if let Some(hit) = detectors.device_at(text, at).or_else(device) {
            return found(detectors, Detector::FieldName, sink, here, hit.class, hit.span);
        }
        if !barren && let Some(end) = self.hidden(detectors, here, start, sink) {
            return end;
        }
        self.barren = Some(start);
        let end = bytes::run_end(text, at, usize::MAX, bytes::is_digit);
        end.max(phone::skip(text, at))
    }
}

/// Whether six digits at most stand at `at`, and a space behind them.
fn is_short_number(text: &[u8], at: usize) -> bool {
    let end = bytes::run_end(text, at, 6, bytes::is_digit);
    bytes::byte(text, end) == b' ' && !matches!(bytes::before(text, at), b'/' | b'.' | b':')
}

/// Whether a text is a user agent and nothing else.
fn is_whole_agent(here: &Here<'_>, found: &Found) -> bool {
    found.class == Class::UserAgent && found.span == here.root(Span::new(0, here.text.len()))
}

/// Whether a sign that mostly means nothing means nothing here: a lone dash, a slash in a path, another `B`.
#[inline]
fn begins_nothing(text: &[u8], at: usize) -> bool {
    match bytes::byte(text, at) {
        b'-' => !matches!(bytes::byte(text, at + 1), b'-' | b'u'),
        b'B' => !matches!(bytes::byte(text, at + 1), b'e' | b'a'),
        b'/' => !opens_path(text, at),
        _ => false,
    }
}

/// The spans that were dealt with, asked in the order of the text.
struct Gaps<'a> {
    done: &'a [Span],
    place: usize,
}

impl Gaps<'_> {
    /// The end of a span that holds `at`.
    fn covers(&mut self, at: usize) -> Option<usize> {
        let mut end = None;
        // Spans may nest, so those that begin before `at` are looked at until one reaches past it.
        while let Some(span) = self.done.get(self.place) {
            if span.start() > at {
                break;
            }
            if span.end() > at {
                end = end.max(Some(span.end()));
                break;
            }
            self.place += 1;
        }
        end
    }
}

fn event_id(detectors: &Detectors, here: &Here<'_>, start: usize, sink: &mut Sink) -> Option<usize> {
    let hit = detectors.event_id_at(here.text, start)?;
    if hit.class == Class::EventId {
        return Some(event(detectors, here, hit.span, sink));
    }
    let class = if name::device_before(here.text, hit.span.start()) { Class::Device } else { hit.class };
    Some(known(detectors, Detector::EventIdShape, sink, here, class, hit.span))
}

/// An id of something that happened, or of a device.
fn event(detectors: &Detectors, here: &Here<'_>, span: Span, sink: &mut Sink) -> usize {
    let class = if name::device_before(here.text, span.start()) { Class::Device } else { Class::EventId };
    known(detectors, Detector::EventIdShape, sink, here, class, span)
}

fn ip_at(text: &[u8], at: usize) -> Option<Span> {
    match bytes::byte(text, at) {
        b'0'..=b'9' => ip::v4_at(text, at).or_else(|| ip::dashed_at(text, at)).map(|hit| hit.span),
        b':' => ip::v6_at(text, at).map(|hit| hit.span),
        _ => None,
    }
}

fn phone_at(detectors: &Detectors, here: &Here<'_>, at: usize, sink: &mut Sink) -> Option<usize> {
    let hit = phone::at(here.text, at, &detectors.phone_context(phone::FieldHint::None))?;
    phone(detectors, here, at, hit, sink)
}

fn phone(
    detectors: &Detectors,
    here: &Here<'_>,
    at: usize,
    hit: phone::Hit,
    sink: &mut Sink,
) -> Option<usize> {
    let (class, detector) = (hit.form.class(), hit.form.detector());
    let rule = detectors.rule(detector)?;
    if !detectors.takes(hit.form) {
        return None;
    }
    push(sink, here, class, rule, hit.span, hit.detail, false);
    if let Some(rule) = detectors.rule(Detector::NameShape) {
        let (start, end) = (hit.span.start(), hit.span.end());
        let names = [
            name::before_number(here.text, start),
            name::after_number(here.text, end),
            name::before_act(here.text, start),
        ];
        for name in names.into_iter().flatten() {
            push(sink, here, Class::Name, rule, name, Detail::None, false);
        }
    }
    if let (Some(code), Some(rule)) =
        (code_in_path(here.text, hit.span.end()), detectors.rule(Detector::CodeContext))
    {
        push(sink, here, Class::Code, rule, code, Detail::None, false);
        return Some(code.end());
    }
    Some(hit.span.end().max(at + 1))
}

/// A key in the path that begins at `at`.
fn path_key(detectors: &Detectors, here: &Here<'_>, at: usize, sink: &mut Sink) {
    if let Some(hit) = credential::path_key(here.text, at) {
        found(detectors, Detector::CredentialShape, sink, here, hit.class, hit.span);
    }
}

fn colon(detectors: &Detectors, here: &Here<'_>, at: usize, sink: &mut Sink) -> usize {
    let text = here.text;
    if text.get(at + 1..at + 3) == Some(b"//") {
        if let Some(hit) = detectors.url_password(text, at) {
            found(detectors, Detector::CredentialShape, sink, here, hit.class, hit.span);
            // `amqp://ops.roe:…@…`; a service's name stays.
            let user = credential::url_user(text, at).map(|(start, end)| Span::new(start, end));
            if let Some(user) = user.filter(|user| account_name::has_shape(user.of(text))) {
                found(detectors, Detector::SubjectShape, sink, here, Class::SubjectId, user);
            }
        }
        if let Some(url) = url::at(text, at) {
            known(detectors, Detector::Url, sink, here, Class::Url, url.hit.span);
            let behind = text.get(at + 3..url.hit.span.end()).unwrap_or_default();
            if let Some(slash) = memchr::memchr(b'/', behind) {
                path_key(detectors, here, at + 3 + slash, sink);
            }
        }
        return at + 3;
    }
    // A network card's address that begins with a letter; others are met at their first digit.
    let pair = at.checked_sub(2).filter(|start| bytes::is_letter(bytes::byte(text, *start)));
    if let Some(hit) = pair.and_then(|start| detectors.device_at(text, start)) {
        return found(detectors, Detector::FieldName, sink, here, hit.class, hit.span);
    }
    match ip::v6_at(text, at) {
        Some(hit) => found(detectors, Detector::Ip, sink, here, Class::Ip, hit.span),
        None => at + 1,
    }
}

//! What is done with a field once it is read: its value is claimed, looked into, or left to the scan.

use super::*;
use crate::codec::{byte_table, next_out_of};

impl Finder {
    /// A field whose value is written with escapes: what they mean is looked at.
    #[expect(clippy::too_many_arguments, reason = "the level's buffers are lent out one by one")]
    pub(super) fn decoded(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        reading: Reading,
        rule: Option<RuleId>,
        buffer: &mut Decoded,
        sink: &mut Sink,
    ) {
        decode_field(tools.context, field, lone, buffer);
        let inner = Lone {
            text: &buffer.bytes,
            map: Map::Table(&buffer.from),
            depth: lone.depth,
            whole: Some(lone.with_quotes(field)),
            name: lone.name,
            meant: lone.meant,
        };
        // In a line every quoted text goes by its tokens, with escapes in it or without.
        let line = field.form == Form::QuotedEscaped && reading == Reading::Text;
        let reading = if line { Reading::Headline } else { reading };
        let whole = Field { value: Span::new(0, buffer.bytes.len()), form: Form::JsonString, ..*field };
        let outside = sink.in_query;
        sink.in_query |= field.form == Form::Query;
        self.act(tools, &inner, &whole, reading, rule, sink);
        sink.in_query = outside;
    }

    /// Does what a reading says; gives the span that the scan has not to look at again.
    pub(super) fn act(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        reading: Reading,
        rule: Option<RuleId>,
        sink: &mut Sink,
    ) -> Option<Span> {
        let Lone { text, map, .. } = *lone;
        let value = field.value.of(text);
        let root = |span: Span| Span { start: map.at(span.start()), end: map.at(span.end()) };
        let bare_json = matches!(field.form, Form::JsonNumber | Form::JsonWord | Form::Junk);
        if sink.refused.is_some() {
            let value = (value, root(field.value));
            refused::field(tools, lone.name, value, field, (reading, rule), lone.meant, sink);
        }
        match reading {
            Reading::Claim(class) => {
                let rule = rule.or_else(|| tools.detectors.by_name())?;
                self.claim(tools, lone, field, class, rule, sink)
            }
            Reading::Part(class) => {
                let found = self.scan.part(tools, class, text, field.value, map, bare_json, sink);
                // `38631087893:54@s.whats`, cut off: whatever the rest was, the number is somebody's.
                let digits =
                    value.strip_prefix(b"+").unwrap_or(value).iter().take_while(|b| b.is_ascii_digit());
                if !found
                    && class == Class::Phone
                    && (7..=15).contains(&digits.count())
                    && let Some(rule) = rule.or_else(|| tools.detectors.by_name())
                {
                    return self.claim(tools, lone, field, class, rule, sink);
                }
                // The rest of the value may hold something else.
                let found = found || sink.reduce_unknown && detectors::has_placeholder(value, tools.context);
                let rest = if found { Unknown::ByToken } else { Unknown::Goes };
                self.inside(tools, lone, field, rest, sink)
            }
            // `build=6f554363e22b`: what joins to other records goes in the end, whatever it is called.
            Reading::Safe if sink.reduce_unknown && event_id::is_digest(value) => {
                self.act(tools, lone, field, Reading::Opaque(Class::EventId), None, sink)
            }
            // `reqTimeSec: 1775935488`: a time, though its name measures.
            Reading::Safe if sink.reduce_unknown && promise::is_since_1970(lone.name, value) => {
                self.act(tools, lone, field, Reading::Opaque(Class::Timestamp), None, sink)
            }
            Reading::Safe
                if sink.reduce_unknown
                    && !bare_json
                    && !is_number(value)
                    && !rule.is_some_and(|rule| tools.detectors.is_users(rule))
                    && promise::reading(lone.name, value) != Reading::Safe =>
            {
                self.act(tools, lone, field, promise::reading(lone.name, value), None, sink)
            }
            Reading::Safe => {
                sink.safe.push(root(field.value));
                if bare_json || is_number(value) {
                    Some(field.value)
                } else {
                    self.inside(tools, lone, field, Unknown::Stays, sink)
                }
            }
            Reading::Opaque(_) if detectors::placeholder_whole(value, tools.context).is_some() => {
                self.inside(tools, lone, field, Unknown::ByToken, sink)
            }
            Reading::Opaque(class) => {
                let timed = class == Class::Timestamp
                    && field.form == Form::JsonString
                    && tools.detectors.is_time(value);
                if let Some(rule) = rule.or_else(|| tools.detectors.by_name()) {
                    let span = root(field.value);
                    let value = keep_if_decoded(map, value, sink);
                    let detail = Detail::None;
                    sink.found.push(Found { class, rule, span, detail, kind: Kind::Value, bare_json, value });
                }
                // One word without the signs that other things show themselves by.
                let opaque = !timed
                    && word_of(value)
                        .is_some_and(|word| word == WordOf::Plain || !tools.detectors.shows_itself(value));
                if timed || opaque || bare_json {
                    Some(field.value)
                } else {
                    self.inside(tools, lone, field, Unknown::Stays, sink)
                }
            }
            Reading::Text => self.inside(tools, lone, field, Unknown::Goes, sink),
            Reading::Headline => self.inside(tools, lone, field, Unknown::ByToken, sink),
        }
    }

    /// Looks into a value that is no claim: JSON strings are texts of their own, values in running
    /// text are left to the scan of the line.
    pub(super) fn inside(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        unknown: Unknown,
        sink: &mut Sink,
    ) -> Option<Span> {
        let Lone { text, map, depth, .. } = *lone;
        let value = field.value.of(text);
        let from = sink.found.len();
        match field.form {
            Form::JsonString | Form::JsonEscaped => {
                let start = map.at(field.value.start());
                let looks = looks_of(value);
                let marked = looks & MARK != 0;
                // A word of a pod's or a version's length is read as fast as it is remembered.
                let worth = looks != 0 || !ONE_OFF.contains(&value.len());
                let here = matches!(map, Map::Base(_)) && depth < DEPTH && value.len() <= KNOWN_BYTES;
                let remembers = here
                    && worth
                    && !sink.reduce_unknown
                    && sink.placeholders.is_empty()
                    && sink.refused.is_none();
                if remembers && let Some(known) = self.known.get(value) {
                    sink.found.extend(known.map(|found| found.moved(start)));
                    return Some(field.value);
                }
                let before = sink.amount();
                let inner = match map {
                    Map::Base(base) => Map::Base(base + field.value.start),
                    Map::Table(table) => Map::Table(table.get(field.value.start()..).unwrap_or_default()),
                };
                let reduce = sink.reduce_unknown;
                sink.reduce_unknown = reduce && unknown != Unknown::Stays;
                if marked || sink.reduce_unknown {
                    self.text(tools, value, inner, depth + 1, sink);
                } else {
                    let prose = if looks & WORDS != 0 { Prose::Some } else { Prose::Word };
                    self.scan.text(tools, value, inner, &[], prose, sink);
                }
                sink.reduce_unknown = reduce;
                if reduce
                    && unknown == Unknown::Goes
                    && !whole_is_found(map, field.value, from, sink)
                    && !holds_what_is_meant(lone.meant, from, sink)
                    && !(sink.found.len() == from && stays_alone(lone.name, value))
                    && !(marked && last::is_free(value, inner, from, is_mark, sink))
                {
                    let open = lone.whole.is_none() && field.value.end() >= text.len();
                    match open {
                        // A string that is cut off is no value: its words go, its quote stays.
                        true if value == transform::UNKNOWN => {}
                        true => last::whole(inner, value.len(), sink),
                        false => last::value(lone.with_quotes(field), field.form, sink),
                    }
                }
                if remembers && let Some(found) = sink.since(&before) {
                    self.known.put(value, found.map(|found| found.moved_back(start)));
                }
                Some(field.value)
            }
            Form::JsonNumber | Form::JsonWord | Form::Junk => {
                self.scan.number(tools, text, field.value, map, sink);
                if sink.reduce_unknown
                    && unknown != Unknown::Stays
                    && sink.found.len() == from
                    && !safe::keep_measured(lone.name, value)
                    && !detectors::is_measured(lone.name, value)
                {
                    last::value(lone.with_quotes(field), field.form, sink);
                }
                Some(field.value)
            }
            Form::Quoted | Form::QuotedEscaped | Form::Bare | Form::Query | Form::Element => {
                let nested = value.iter().any(|b| matches!(b, b'=' | b':' | b'{' | b'['));
                if !sink.reduce_unknown || unknown != Unknown::Stays || nested {
                    return None;
                }
                self.scan.within(tools, text, field.value, map, sink);
                if sink.found.len() == from {
                    return Some(field.value);
                }
                // Something else stands in it: then it is none of what its name says.
                sink.found.truncate(from);
                None
            }
        }
    }

    /// A whole value of a class; where the class's detector finds its kind in a part of it, that
    /// part only.
    pub(super) fn claim(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        class: Class,
        rule: RuleId,
        sink: &mut Sink,
    ) -> Option<Span> {
        let mut buffer = std::mem::take(&mut self.claimed);
        let span = self.claim_with(tools, lone, field, class, rule, &mut buffer, sink);
        self.claimed = buffer;
        span
    }

    #[expect(clippy::too_many_arguments, reason = "the buffer is lent out beside the finder")]
    pub(super) fn claim_with(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        class: Class,
        rule: RuleId,
        buffer: &mut Decoded,
        sink: &mut Sink,
    ) -> Option<Span> {
        let Lone { text, map, .. } = *lone;
        let escaped = decodes(field, text);
        if escaped {
            decode_field(tools.context, field, lone, buffer);
        }
        let (bytes, span, inner) = if escaped {
            (buffer.bytes.as_slice(), Span::new(0, buffer.bytes.len()), Map::Table(&buffer.from))
        } else {
            (text, field.value, map)
        };
        let value = span.of(bytes);
        let bare_json = matches!(field.form, Form::JsonNumber | Form::JsonWord | Form::Junk);
        if let Some(placeholder) = detectors::placeholder_whole(value, tools.context) {
            let root = Span { start: inner.at(span.start()), end: inner.at(span.end()) };
            sink.found.push(Found {
                class: placeholder,
                rule,
                span: root,
                detail: Detail::None,
                kind: Kind::Placeholder,
                bare_json: false,
                value: None,
            });
            return Some(field.value);
        }
        if detectors::has_placeholder(value, tools.context) {
            // Part of it was dealt with before; the rest is text.
            return if escaped { None } else { self.inside(tools, lone, field, Unknown::ByToken, sink) };
        }
        if tools.detectors.allows(value) {
            let root = Span { start: inner.at(span.start()), end: inner.at(span.end()) };
            sink.refuse(class, Some(rule), root, || "on the list of allowed values".to_owned());
            return Some(field.value);
        }
        if class == Class::Code
            && field.form == Form::Bare
            && !tools.detectors.is_users(rule)
            && is_word_of_a_sentence(text, field.value)
        {
            return None;
        }
        // `Authorization: Bearer eyJ…`: the scheme is no secret, nor to be looked for elsewhere.
        let scheme = if class == Class::Credential { scheme_of(value) } else { 0 };
        if scheme > 0 && scheme == value.len() {
            return if escaped { None } else { self.inside(tools, lone, field, Unknown::Stays, sink) };
        }
        let span = Span::new(span.start() + scheme, span.end());
        let value = span.of(bytes);
        // A user who calls a field a message's text means all of it.
        if class == Class::Body
            && !tools.detectors.is_users(rule)
            && let Some(said) = receipt::text_in(value)
        {
            return self.receipt(tools, lone, field, (bytes, inner, span), said, rule, sink);
        }
        let extent = if matches!(field.form, Form::Bare) {
            tools.detectors.extend_bare(bytes, span, class)
        } else {
            span
        };
        let from = sink.found.len();
        let partial = !bare_json
            && matches!(class, Class::Ip | Class::Email | Class::Phone)
            && self.scan.part(tools, class, bytes, extent, inner, bare_json, sink);
        let json = matches!(field.form, Form::JsonString | Form::JsonEscaped);
        let whole =
            if partial { whole_found(inner, span, from, sink).map(|found| found.detail) } else { None };
        if let Some(detail) = whole
            && class == Class::Phone
            && value.len() <= 256
        {
            // Addresses show themselves wherever they stand; bare digits do not.
            let kept = sink.keep(value);
            sink.needles.push(Needle { class, rule, detail, value: kept });
        }
        if whole.is_some() && json {
            return Some(field.value);
        }
        if partial {
            let form = if escaped { Form::JsonString } else { field.form };
            let whole = Some(lone.with_quotes(field));
            let rest = Lone { text: bytes, map: inner, whole, ..*lone };
            let done =
                self.inside(tools, &rest, &Field { value: span, form, ..*field }, Unknown::ByToken, sink);
            return if escaped { Some(field.value) } else { done };
        }
        if !partial {
            let value = extent.of(bytes);
            let detail = tools.detectors.detail(class, value);
            let kept = sink.keep(value);
            sink.found.push(Found {
                class,
                rule,
                span: Span { start: inner.at(extent.start()), end: inner.at(extent.end()) },
                detail,
                kind: Kind::Value,
                bare_json,
                value: Some(kept),
            });
            let enough = match class {
                Class::Code => 4,
                _ => 5,
            };
            if value.len() >= enough && value.len() <= 256 {
                sink.needles.push(Needle { class, rule, detail, value: kept });
            }
        }
        // The scheme before it was read, too.
        let whole = Span { start: extent.start.min(field.value.start), end: extent.end };
        Some(if escaped { field.value } else { whole })
    }
}

impl Finder {
    /// A delivery receipt in a message's place: `said` of it is what the message said.
    #[expect(clippy::too_many_arguments, reason = "a place in a text is three of them")]
    fn receipt(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        (bytes, map, span): (&[u8], Map<'_>, Span),
        said: Span,
        rule: RuleId,
        sink: &mut Sink,
    ) -> Option<Span> {
        let said = Span::new(span.start() + said.start(), span.start() + said.end());
        if !said.is_empty() {
            let root = Span { start: map.at(said.start()), end: map.at(said.end()) };
            let value = Some(sink.keep(said.of(bytes)));
            let (class, detail, kind) = (Class::Body, Detail::None, Kind::Value);
            sink.found.push(Found { class, rule, span: root, detail, kind, bare_json: false, value });
        }
        let escaped = decodes(field, lone.text);
        let form = if escaped { Form::JsonString } else { field.form };
        let rest = Lone { text: bytes, map, whole: Some(lone.with_quotes(field)), ..*lone };
        let done = self.inside(tools, &rest, &Field { value: span, form, ..*field }, Unknown::ByToken, sink);
        if escaped { Some(field.value) } else { done }
    }
}

/// `otp: code 482913`: a word about codes, not one of them.
fn is_word_of_a_sentence(text: &[u8], value: Span) -> bool {
    let word = value.of(text);
    text.get(..value.start()).is_some_and(|head| head.ends_with(b": "))
        && word.iter().all(u8::is_ascii_lowercase)
        && (safe::is_log_word(word) || detectors::speaks_of_a_code(word))
}

/// How long the scheme before a credential is, its space counted: `Bearer `. Of a value that is nothing else, its length.
fn scheme_of(value: &[u8]) -> usize {
    const SCHEMES: [&[u8]; 4] = [b"Bearer", b"bearer", b"Basic", b"basic"];
    let Some(scheme) = SCHEMES.iter().find(|scheme| value.starts_with(scheme)) else { return 0 };
    match value.get(scheme.len()..) {
        Some([]) => scheme.len(),
        Some([b' ', rest @ ..]) => scheme.len() + 1 + rest.iter().take_while(|b| **b == b' ').count(),
        _ => 0,
    }
}

/// Most words of so many bytes never come again; shorter ones are `gw-9`, longer ones cost more than a look.
const ONE_OFF: std::ops::RangeInclusive<usize> = 12..=48;

/// What becomes of the rest of a value at the last stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It stays: its field is known.
    Stays,
    /// The value goes as a whole.
    Goes,
    /// It is text: each token for itself.
    ByToken,
}

/// What one word is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WordOf {
    /// Small letters, digits, dashes and underscores.
    Plain,
    /// Capitals or full stops too.
    Mixed,
}

/// What a value is made of that is one word of letters, digits, dashes, underscores and full stops.
fn word_of(value: &[u8]) -> Option<WordOf> {
    const PLAIN: [bool; 256] = byte_table(b"abcdefghijklmnopqrstuvwxyz0123456789-_");
    const MIXED: [bool; 256] =
        byte_table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");
    let Some(from) = next_out_of(&PLAIN, value, 0) else { return Some(WordOf::Plain) };
    next_out_of(&MIXED, value, from).is_none().then_some(WordOf::Mixed)
}

/// Whether a value is a number, a time, a version. `rate limit: 192.0.2.7`: an address is none of the name's
/// numbers.
#[inline]
fn is_number(value: &[u8]) -> bool {
    let (mut stops, mut colons) = (0, 0);
    for byte in value {
        match byte {
            b'0'..=b'9' | b'-' => {}
            b'.' => stops += 1,
            b':' => colons += 1,
            _ => return false,
        }
    }
    (stops < 3 && colons < 2) || ip::parse(value).is_none()
}

/// Whether the value of a field that no rule knows may stay at the last stage.
pub(super) fn stays_alone(name: &[u8], value: &[u8]) -> bool {
    safe::keep_alone(value) || safe::keep_measured(name, value) || detectors::is_measured(name, value)
}

/// Whether one of the findings from `from` on, or a placeholder of one, is what the field's name promised.
pub(super) fn holds_what_is_meant(meant: Option<Class>, from: usize, sink: &Sink) -> bool {
    let found = sink.found.get(from..).unwrap_or_default();
    // Where a number is meant, an address of a machine may stand: a peer.
    let also = if meant == Some(Class::Phone) { Some(Class::Ip) } else { meant };
    let is_meant = |class| meant == Some(class) || also == Some(class);
    meant.is_some()
        && found.iter().any(|f| is_meant(f.class) && !matches!(f.kind, Kind::UnknownToken | Kind::Coded(_)))
}

/// What a byte says of the text it stands in: fields may stand there ([`is_mark`]), or words.
const MARK: u8 = 1;
const WORDS: u8 = 2;

static LOOKS: [u8; 256] = looks();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, the index is below 256")]
const fn looks() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        if is_mark(&byte) {
            table[byte as usize] |= MARK;
        }
        if byte == b' ' || byte >= 0x80 {
            table[byte as usize] |= WORDS;
        }
        if byte == u8::MAX {
            return table;
        }
        byte += 1;
    }
}

fn looks_of(text: &[u8]) -> u8 {
    text.iter().fold(0, |looks, byte| looks | LOOKS.get(usize::from(*byte)).copied().unwrap_or(0))
}

/// What makes a text more than words: fields may stand in it.
#[inline]
pub(super) const fn is_mark(byte: &u8) -> bool {
    matches!(byte, b'=' | b':' | b'{' | b'[' | b'<' | b'"' | b'\'')
}

/// The first of the findings from `from` on that covers a whole value.
fn whole_found<'s>(map: Map<'_>, value: Span, from: usize, sink: &'s Sink) -> Option<&'s Found> {
    let root = Span { start: map.at(value.start()), end: map.at(value.end()) };
    let claims = |found: &Found| matches!(found.kind, Kind::Value | Kind::Placeholder);
    let mut found = sink.found.get(from..).unwrap_or_default().iter();
    found.find(|found| claims(found) && found.span.contains(root))
}

/// Whether one of the findings from `from` on covers a whole value.
pub(super) fn whole_is_found(map: Map<'_>, value: Span, from: usize, sink: &Sink) -> bool {
    whole_found(map, value, from, sink).is_some()
}

pub(super) fn keep_if_decoded(map: Map<'_>, value: &[u8], sink: &mut Sink) -> Option<Span> {
    match map {
        Map::Base(_) => None,
        Map::Table(_) => Some(sink.keep(value)),
    }
}

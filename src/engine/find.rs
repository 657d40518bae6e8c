//! Finding: a part's bytes are walked, every field is read, running text is scanned, and what is
//! written inside something else is looked at too.

use super::detectors::{self, Detectors};
use super::last;
use super::memo::Memo;
use super::names::{Claims, FieldTable, Name, NameCache, PathRule, path_matches};
use super::resolve::{self, Facts, Reading, Surroundings};
use super::scan::{Prose, Scan};
use super::sink::{Found, Kind, Needle, Sink};
use crate::class::Class;
use crate::codec::decode::{self, Decoded, Map};
use crate::codec::{Field, Form, Tree, json, text};
use crate::detect::field_name::{Meaning, Strength};
use crate::detect::{event_id, ip, safe};
use crate::finding::{Detail, RuleId, Span};
use crate::transform::{self, Context};

/// Texts in texts are looked at this deep: JSON in a string in JSON in a string …
const DEPTH: usize = 8;
/// Deeper JSON is withheld: the walk could go on, but no log is like that.
pub const JSON_DEPTH: usize = 1024;

/// The name that a record's key goes by.
pub const KEY: &[u8] = b"kafka_key";

/// What is known of a name.
#[derive(Clone, Copy)]
struct NameInfo {
    claims: Claims,
    meaning: Meaning,
    facts: Facts,
    inside: Facts,
    /// The name says only that its value is one.
    is_value: bool,
    /// It says nothing without the name of what it stands in.
    leans: bool,
}

impl NameInfo {
    fn class(&self) -> Option<Class> {
        self.claims.bare.map(|(class, ..)| class).or(self.meaning.class)
    }
}

/// The buffers of one level of text in text.
#[derive(Default)]
struct Level {
    tree: Tree,
    json_spans: Vec<Span>,
    decoded: Decoded,
    /// Per container: what its fields say.
    facts: Vec<Facts>,
    /// Per field: what its name says.
    infos: Vec<NameInfo>,
    /// Per field: how it is read.
    readings: Vec<(Reading, Option<RuleId>)>,
    /// What the scan has not to look at again, in the order of the text.
    done: Vec<Span>,
    /// Values that nothing was done with: the scan's.
    open: Vec<Span>,
}

/// A thread's buffers for finding.
pub struct Finder {
    walker: json::Walker,
    /// One for each depth; `None` while it is lent out.
    levels: Vec<Option<Box<Level>>>,
    names: NameCache<NameInfo>,
    scan: Scan,
    /// JSON strings in which one thing at most was found.
    known: Memo<Option<Found>, KNOWN_BYTES>,
    /// A claimed value, decoded.
    claimed: Decoded,
}

/// JSON strings that a thread remembers, and how long they may be: user agents are among them.
const KNOWN: usize = 4096;
const KNOWN_BYTES: usize = 160;

impl Default for Finder {
    fn default() -> Self {
        let levels = std::iter::repeat_with(|| Some(Box::default())).take(DEPTH + 1).collect();
        Finder {
            walker: json::Walker::default(),
            levels,
            names: NameCache::default(),
            scan: Scan::default(),
            known: Memo::new(KNOWN),
            claimed: Decoded::default(),
        }
    }
}

/// What finding needs of the engine.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    pub fields: &'a FieldTable,
    pub detectors: &'a Detectors,
    pub context: &'a Context<'a>,
}

impl Finder {
    /// Finds in a whole part. `name` is the field it stands in (a header's name), or empty.
    pub fn part(&mut self, tools: Tools<'_>, name: &[u8], bytes: &[u8], sink: &mut Sink) {
        if name.is_empty() {
            self.text(tools, bytes, Map::Base(0), 0, sink);
            return;
        }
        if name == KEY {
            if !self.scan.key(tools, bytes, sink) {
                self.text(tools, bytes, Map::Base(0), 0, sink);
            }
            return;
        }
        let claims = tools.fields.claims(&Name::new(name));
        if name == KEY && claims.bare.is_none() && claims.paths.is_none() {
            self.text(tools, bytes, Map::Base(0), 0, sink);
            return;
        }
        let field =
            Field { name: Span::default(), value: Span::new(0, bytes.len()), container: 0, form: Form::Bare };
        let info = self.info(tools, name);
        let around = Surroundings::default();
        let (reading, rule) = read_field(tools, info, name, bytes, &field, &around, None);
        let lone = Lone { text: bytes, map: Map::Base(0), depth: 0, whole: None, name: b"", meant: None };
        if self.act(tools, &lone, &field, reading, rule, sink).is_none() {
            self.text(tools, bytes, Map::Base(0), 0, sink);
        }
    }

    /// The span of the first field that `wanted` takes, JSON in the value included.
    pub fn first_field(
        &mut self,
        bytes: &[u8],
        wanted: &mut dyn FnMut(&Tree, &Field, &[u8]) -> bool,
    ) -> Option<Span> {
        let level = self.levels.first_mut()?.as_mut()?;
        level.tree.reset();
        level.json_spans.clear();
        text::walk(bytes, 0, &|_| None, &mut self.walker, &mut level.tree, &mut level.json_spans).ok()?;
        level.tree.fields.iter().find(|field| wanted(&level.tree, field, bytes)).map(|field| field.value)
    }

    fn info(&mut self, tools: Tools<'_>, name: &[u8]) -> NameInfo {
        self.names.get(name, |name: &Name| NameInfo {
            claims: tools.fields.claims(name),
            meaning: tools.detectors.meaning(name.as_bytes()),
            facts: resolve::facts_of_name(name.as_bytes()),
            inside: resolve::facts_of_container(name.as_bytes()),
            is_value: Tree::is_value_name(name.as_bytes()),
            leans: leans_on_parent(name.as_bytes()),
        })
    }

    /// A text of any kind: JSON, a line with fields, or prose.
    fn text(&mut self, tools: Tools<'_>, bytes: &[u8], map: Map<'_>, depth: usize, sink: &mut Sink) {
        let Some(mut level) = self.levels.get_mut(depth).and_then(Option::take) else {
            self.scan.text(tools, bytes, map, &[], Prose::Some, sink);
            if sink.reduce_unknown {
                // Too deep to be understood: nothing of it stays.
                last::whole(map, bytes.len(), sink);
            }
            return;
        };
        self.walk(tools, bytes, map, depth, &mut level, sink);
        if sink.reduce_unknown {
            last::tokens(bytes, map, &level.tree, &level.done, sink);
        }
        if let Some(place) = self.levels.get_mut(depth) {
            *place = Some(level);
        }
    }

    fn walk(
        &mut self,
        tools: Tools<'_>,
        bytes: &[u8],
        map: Map<'_>,
        depth: usize,
        level: &mut Level,
        sink: &mut Sink,
    ) {
        level.tree.reset();
        level.json_spans.clear();
        level.done.clear();
        level.open.clear();
        let skip = |at: usize| detectors::placeholder_at(bytes, at, tools.context).map(|(_, end)| end);
        let walked = text::walk(bytes, 0, &skip, &mut self.walker, &mut level.tree, &mut level.json_spans);
        sink.gave_up |= walked.is_err();
        sink.too_deep |= level.tree.depth > JSON_DEPTH;
        if sink.gave_up || sink.too_deep {
            return;
        }
        level.tree.labels.sort_unstable();
        self.read_fields(tools, bytes, level);
        tools.fields.deny(bytes, &level.tree, map, &mut sink.denied);
        for index in 0..level.tree.fields.len() {
            let (Some(field), Some((reading, rule))) =
                (level.tree.fields.get(index).copied(), level.readings.get(index).copied())
            else {
                break;
            };
            // Values in JSON do not hold each other.
            let in_json = matches!(
                field.form,
                Form::JsonString | Form::JsonEscaped | Form::JsonNumber | Form::JsonWord
            );
            if !in_json && covered(&level.done, field.value) {
                continue;
            }
            let meant = level.infos.get(index).and_then(|info| info.class());
            let name = level.tree.name_of(&field).of(bytes);
            let lone = Lone { text: bytes, map, depth, whole: None, name, meant };
            if sink.reduce_unknown && self.is_label(tools, bytes, &level.tree, &field, reading) {
                // The name of a pair stays as a member's name does.
                self.scan.within(tools, bytes, field.value, map, sink);
                level.done.push(field.value);
                continue;
            }
            let done = if decodes(&field, bytes) && !matches!(reading, Reading::Claim(_)) {
                self.decoded(tools, &lone, &field, reading, rule, &mut level.decoded, sink);
                Some(field.value)
            } else {
                self.act(tools, &lone, &field, reading, rule, sink)
            };
            level.done.extend(done);
            if done.is_none() {
                level.open.push(field.value);
            }
        }
        for key in &level.tree.keys {
            let name = key.of(bytes);
            // Five digits, or an at sign.
            let tell = |b: &u8| if *b == b'@' { 5 } else { u32::from(b.is_ascii_digit()) };
            if name.iter().map(tell).sum::<u32>() >= 5 && (name.len() >= 7 || name.contains(&b'@')) {
                self.scan.within(tools, bytes, *key, map, sink);
            }
            level.done.push(*key);
        }
        let json: usize = level.json_spans.iter().map(|span| span.len()).sum();
        // A few bytes beside JSON are its line's end, a byte-order mark, a schema's id.
        let whole = level.tree.fields.iter().all(|field| field.form != Form::Junk);
        let only = json + 8 >= bytes.len() && json > 0;
        if only && whole {
            self.beside(tools, bytes, map, level, sink);
        } else {
            level.done.sort_unstable();
            let prose = if only { Prose::None } else { Prose::Some };
            self.scan.text(tools, bytes, map, &level.done, prose, sink);
        }
    }

    /// Scans what no field has of a text that is JSON and little else.
    fn beside(&mut self, tools: Tools<'_>, bytes: &[u8], map: Map<'_>, level: &mut Level, sink: &mut Sink) {
        for span in &level.open {
            self.scan.within(tools, bytes, *span, map, sink);
        }
        let mut from = 0;
        for span in &level.json_spans {
            self.scan.within(tools, bytes, Span::new(from, span.start().max(from)), map, sink);
            from = from.max(span.end());
        }
        self.scan.within(tools, bytes, Span::new(from, bytes.len()), map, sink);
        if sink.reduce_unknown {
            level.done.sort_unstable();
        }
    }

    /// Whether a value is the name of another, `{"key": "http.status_code", "value": …}`, and one that a
    /// rule or the lexicon knows.
    fn is_label(
        &mut self,
        tools: Tools<'_>,
        text: &[u8],
        tree: &Tree,
        field: &Field,
        reading: Reading,
    ) -> bool {
        if field.form != Form::JsonString
            || !matches!(reading, Reading::Text | Reading::Headline)
            || tree.labels.binary_search(&field.value).is_err()
        {
            return false;
        }
        let info = self.info(tools, field.value.of(text));
        info.claims.bare.is_some() || info.meaning.class.is_some() || info.meaning.blocked
    }

    /// Reads every field of the level's tree: names first, then what the names say together.
    fn read_fields(&mut self, tools: Tools<'_>, bytes: &[u8], level: &mut Level) {
        let Level { tree, facts, infos, readings, decoded, .. } = level;
        infos.clear();
        facts.clear();
        facts.resize(tree.containers.len(), Facts::default());
        readings.clear();
        for field in &tree.fields {
            let info = self.info(tools, tree.name_of(field).of(bytes));
            infos.push(info);
            let Some(own) = facts.get_mut(field.container as usize) else { continue };
            if own.has(Facts::HEADLINE) && info.facts.has(Facts::HEADLINE) {
                *own = own.with(Facts::HEADLINES);
            }
            *own = own.with(info.facts);
            let phone = info.meaning.class == Some(Class::Phone)
                || matches!(info.claims.bare, Some((Class::Phone, ..)));
            let value = field.value.of(bytes);
            if value.len() <= 64 && matches!(value.last(), Some(b't' | b's' | b'd')) && is_chat_id(value) {
                *own = own.with(Facts::PHONE);
            }
            if phone
                && field.value.of(bytes).iter().filter(|b| b.is_ascii_digit() || **b >= 0x80).count() >= 6
            {
                *own = own.with(Facts::PHONE);
            }
            if info.meaning.class == Some(Class::Code) && info.meaning.strength != Strength::Ambiguous {
                *own = own.with(Facts::CODES);
            }
        }
        for (field, info) in tree.fields.iter().zip(infos) {
            let name = tree.name_of(field).of(bytes);
            let ambiguous = info.meaning.strength == Strength::Ambiguous;
            if info.meaning.class.is_some() && ambiguous && info.leans {
                let parent = tree.named(field.container).of(bytes);
                if !parent.is_empty() && !field.name.is_empty() && !resolve::is_envelope(parent) {
                    let below = tools.detectors.meaning_in(parent, name);
                    // An id is one whatever it is of: `statuses[].id` is a message's.
                    if !(below.blocked && name.eq_ignore_ascii_case(b"id")) {
                        info.meaning = below;
                    }
                }
            }
            // `"lastname": {"value": "…"}`: the value of what its container is called.
            if info.meaning.class.is_none() && info.is_value {
                let parent = tree.named(tree.container(field.container).parent.min(field.container));
                let own = tree.container(field.container).name;
                let parent = if own.is_empty() { parent } else { own };
                if !parent.is_empty() {
                    info.meaning = self.info(tools, parent.of(bytes)).meaning;
                }
            }
            // Neighbours are asked only where the name leaves a doubt, and a value is decoded only
            // where its looks matter.
            let asks = info.meaning.class.is_some() && info.claims.bare.is_none();
            let around = if asks && info.meaning.strength == Strength::Ambiguous {
                self.surroundings(tools, bytes, tree, facts, field)
            } else {
                Surroundings::default()
            };
            let words = field.form == Form::Bare
                && field
                    .value
                    .of(bytes)
                    .first()
                    .is_some_and(|b| b.is_ascii_alphabetic() || *b >= 0x80 || *b == b'[')
                && matches!(info.meaning.class, Some(Class::Body | Class::Name))
                && field.value.len() < 64;
            let value = if words {
                tools.detectors.extend_bare(bytes, field.value, Class::Body).of(bytes)
            } else if asks && decodes(field, bytes) {
                let here =
                    Lone { text: bytes, map: Map::Base(0), depth: 0, whole: None, name: b"", meant: None };
                decode_field(tools.context, field, &here, decoded);
                decoded.bytes.as_slice()
            } else {
                field.value.of(bytes)
            };
            readings.push(read_field(tools, *info, name, value, field, &around, Some((tree, bytes))));
        }
    }

    fn surroundings(
        &mut self,
        tools: Tools<'_>,
        bytes: &[u8],
        tree: &Tree,
        facts: &[Facts],
        field: &Field,
    ) -> Surroundings {
        let of = |index: u32| facts.get(index as usize).copied().unwrap_or_default();
        let mut out = Surroundings { own: of(field.container), ..Surroundings::default() };
        let mut index = field.container;
        for _ in 0..4 {
            let container = tree.container(index);
            if !container.name.is_empty() {
                out.named = out.named.with(self.info(tools, container.name.of(bytes)).inside);
            }
            if container.parent == index {
                break;
            }
            index = container.parent;
            out.around = out.around.with(of(index));
        }
        out
    }

    /// A field whose value is written with escapes: what they mean is looked at.
    #[expect(clippy::too_many_arguments, reason = "the level's buffers are lent out one by one")]
    fn decoded(
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
        self.act(tools, &inner, &whole, reading, rule, sink);
    }

    /// Does what a reading says; gives the span that the scan has not to look at again.
    fn act(
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
                    && digits.count() >= 7
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
            Reading::Safe => {
                sink.safe.push(root(field.value));
                let number = value.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':'));
                // `rate limit: 192.0.2.7`: an address is none of the name's numbers.
                if bare_json || (number && ip::parse(value).is_none()) {
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
                    && value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                    && !tools.detectors.shows_itself(value);
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
    fn inside(
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
                let here = matches!(map, Map::Base(_)) && depth < DEPTH && value.len() <= KNOWN_BYTES;
                let remembers = here && !sink.reduce_unknown && sink.placeholders.is_empty();
                if remembers && let Some(known) = self.known.get(value) {
                    sink.found.extend(known.map(|found| found.moved(start)));
                    return Some(field.value);
                }
                let before = sink.amount();
                let inner = match map {
                    Map::Base(base) => Map::Base(base + field.value.start),
                    Map::Table(table) => Map::Table(table.get(field.value.start()..).unwrap_or_default()),
                };
                let marked = value.iter().any(is_mark);
                let reduce = sink.reduce_unknown;
                sink.reduce_unknown = reduce && unknown != Unknown::Stays;
                if marked || sink.reduce_unknown {
                    self.text(tools, value, inner, depth + 1, sink);
                } else {
                    let words = value.iter().any(|b| *b == b' ' || *b >= 0x80);
                    self.scan.text(
                        tools,
                        value,
                        inner,
                        &[],
                        if words { Prose::Some } else { Prose::Word },
                        sink,
                    );
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
    fn claim(
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
    fn claim_with(
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
            return Some(field.value);
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
        if partial && json && whole_is_found(inner, span, from, sink) {
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
        Some(if escaped { field.value } else { extent })
    }
}

/// What becomes of the rest of a value at the last stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    /// It stays: its field is known.
    Stays,
    /// The value goes as a whole.
    Goes,
    /// It is text: each token for itself.
    ByToken,
}

/// Names that say nothing without the name of what they stand in: `profile.name`, `noiseKey.public`.
fn leans_on_parent(name: &[u8]) -> bool {
    [
        &b"name"[..],
        b"id",
        b"key",
        b"value",
        b"number",
        b"public",
        b"private",
        b"title",
        b"label",
        b"display",
        b"data",
    ]
    .iter()
    .any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether the value of a field that no rule knows may stay at the last stage.
fn stays_alone(name: &[u8], value: &[u8]) -> bool {
    safe::keep_alone(value) || safe::keep_measured(name, value)
}

/// Whether one of the findings from `from` on, or a placeholder of one, is what the field's name promised.
fn holds_what_is_meant(meant: Option<Class>, from: usize, sink: &Sink) -> bool {
    let found = sink.found.get(from..).unwrap_or_default();
    // Where a number is meant, an address of a machine may stand: a peer.
    let also = if meant == Some(Class::Phone) { Some(Class::Ip) } else { meant };
    let is_meant = |class| meant == Some(class) || also == Some(class);
    meant.is_some() && found.iter().any(|f| is_meant(f.class) && f.kind != Kind::UnknownToken)
}

/// What makes a text more than words: fields may stand in it.
fn is_mark(byte: &u8) -> bool {
    matches!(byte, b'=' | b':' | b'{' | b'[' | b'<' | b'"' | b'\'')
}

/// Whether one of the findings from `from` on covers a whole value.
fn whole_is_found(map: Map<'_>, value: Span, from: usize, sink: &Sink) -> bool {
    let root = Span { start: map.at(value.start()), end: map.at(value.end()) };
    let claims = |found: &Found| matches!(found.kind, Kind::Value | Kind::Placeholder);
    let mut found = sink.found.get(from..).unwrap_or_default().iter();
    found.any(|found| claims(found) && found.span.contains(root))
}

/// A text with its way back to the part, and how deep it stands.
#[derive(Clone, Copy)]
struct Lone<'a> {
    text: &'a [u8],
    map: Map<'a>,
    depth: usize,
    /// For a JSON value that was decoded: where it stands in the part, quotes included.
    whole: Option<Span>,
    /// The field's name, and what it says its value is.
    name: &'a [u8],
    meant: Option<Class>,
}

impl Lone<'_> {
    /// Where a field's value stands in the part, the quotes of a JSON string included.
    fn with_quotes(&self, field: &Field) -> Span {
        let quoted = usize::from(matches!(field.form, Form::JsonString | Form::JsonEscaped));
        let start = field.value.start().saturating_sub(quoted);
        let end = (field.value.end() + quoted).min(self.text.len());
        self.whole.unwrap_or(Span { start: self.map.at(start), end: self.map.at(end) })
    }
}

fn keep_if_decoded(map: Map<'_>, value: &[u8], sink: &mut Sink) -> Option<Span> {
    match map {
        Map::Base(_) => None,
        Map::Table(_) => Some(sink.keep(value)),
    }
}

/// `14155550132@s.whatsapp.net`: who a message is from or to.
fn is_chat_id(value: &[u8]) -> bool {
    [&b"@s.whatsapp.net"[..], b"@c.us", b"@g.us", b"@lid"].iter().any(|host| value.ends_with(host))
}

/// Whether a value's bytes are not what they mean.
fn decodes(field: &Field, text: &[u8]) -> bool {
    match field.form {
        Form::JsonEscaped | Form::QuotedEscaped => true,
        Form::Query => field.value.of(text).iter().any(|b| matches!(b, b'%' | b'+' | b'\\')),
        Form::JsonString
        | Form::JsonNumber
        | Form::JsonWord
        | Form::Quoted
        | Form::Bare
        | Form::Element
        | Form::Junk => false,
    }
}

fn decode_field(context: &Context<'_>, field: &Field, lone: &Lone<'_>, out: &mut Decoded) {
    let value = field.value.of(lone.text);
    if field.form == Form::Query {
        let skip = |at: usize| detectors::placeholder_at(value, at, context).map(|(_, end)| end);
        decode::percent(value, field.value.start(), lone.map, &skip, out);
    } else {
        decode::backslashes(value, field.value.start(), lone.map, out);
    }
}

fn covered(done: &[Span], span: Span) -> bool {
    // Fields come in the order of the text, so what covers one stands near the end.
    done.iter().rev().take(8).any(|d| d.contains(span) && !span.is_empty())
}

/// A field's reading, and the rule that claims it where one does.
fn read_field(
    tools: Tools<'_>,
    info: NameInfo,
    name: &[u8],
    value: &[u8],
    field: &Field,
    around: &Surroundings,
    place: Option<(&Tree, &[u8])>,
) -> (Reading, Option<RuleId>) {
    if matches!(field.form, Form::JsonWord) && matches!(value, b"true" | b"false" | b"null")
        || value.is_empty()
    {
        return (Reading::Safe, None);
    }
    if field.form == Form::Bare && safe::is_place(name, value) {
        return (Reading::Safe, None);
    }
    // Only bodies are told apart by the name's letters.
    let asked = info.meaning.class == Some(Class::Body);
    let lower = Name::new(if asked { name } else { b"" });
    if let Some(paths) = info.claims.paths
        && let Some((tree, bytes)) = place
        && let Some(rule) = path_rule(tools.fields, paths, field, tree, bytes)
    {
        return (by_class(rule.class), Some(rule.rule));
    }
    if let Some((class, rule, _)) = info.claims.bare {
        return (by_class(class), Some(rule));
    }
    (resolve::read(lower.as_bytes(), info.meaning, value, field.form, around), None)
}

/// What a rule that claims a field says of it.
fn by_class(class: Class) -> Reading {
    match class {
        Class::Safe => Reading::Safe,
        Class::EventId | Class::Timestamp | Class::UserAgent | Class::Url | Class::Port => {
            Reading::Opaque(class)
        }
        Class::Phone
        | Class::Code
        | Class::Body
        | Class::Email
        | Class::Credential
        | Class::Card
        | Class::Imei
        | Class::Ip
        | Class::Name
        | Class::SubjectId
        | Class::Device
        | Class::Location
        | Class::Custom(_) => Reading::Claim(class),
    }
}

fn path_rule<'t>(
    fields: &'t FieldTable,
    paths: u32,
    field: &Field,
    tree: &Tree,
    bytes: &[u8],
) -> Option<&'t PathRule> {
    fields.path_rules(paths).find(|rule| path_matches(&rule.segments, &mut path_of(tree, field, bytes)))
}

/// A field's path from the inside out: `Some(name)` for a member, `None` for a place in an array.
pub fn path_of<'a>(tree: &'a Tree, field: &Field, bytes: &'a [u8]) -> impl Iterator<Item = Option<&'a [u8]>> {
    let mut index = field.container;
    let mut name = field.name;
    let mut item = tree.container(index).array;
    std::iter::from_fn(move || {
        loop {
            if !name.is_empty() {
                return Some(Some(std::mem::take(&mut name).of(bytes)));
            }
            if std::mem::take(&mut item) {
                return Some(None);
            }
            let container = tree.container(index);
            if container.parent == index {
                return None;
            }
            name = container.name;
            index = container.parent;
            item = tree.container(index).array;
        }
    })
}

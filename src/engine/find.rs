//! Finding: a part's bytes are walked, every field is read, running text is scanned, and what is
//! written inside something else is looked at too.

mod act;
mod beside;
mod changes;
mod coded;
mod frame;
mod parts;
mod pattern;
mod read;
mod shape;
mod staff;

use super::detectors::{self, Detectors};
use super::last;
use super::memo::Memo;
use super::names::{Claims, FieldTable, Name, NameCache, PathRule, path_matches};
use super::resolve::{self, Facts, Reading, Surroundings};
use super::scan::{Prose, Scan};
use super::sink::{Found, Kind, Needle, Sink};
use super::{promise, refused};
use crate::class::Class;
use crate::codec::decode::{self, Decoded, Map};
use crate::codec::{Field, Form, Tree, json, text};
use crate::detect::field_name::{Meaning, Strength};
use crate::detect::word_list::WordList;
use crate::detect::words;
use crate::detect::{event_id, ip, receipt, safe};
use crate::finding::{Detail, RuleId, Span};
use crate::transform::{self, Context};
use act::whole_is_found;
use frame::{Frames, Held, Value};
use read::{
    gather, leans_on_parent, note_value, read_alone, read_shaped, reads_alone, reads_by_facts, says_failure,
    says_phone,
};
use shape::{Shape, Shaped, Shapes};

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

/// The buffers of one level of text in text.
#[derive(Default)]
struct Level {
    tree: Tree,
    json_spans: Vec<Span>,
    decoded: Decoded,
    /// Per container: what its fields say.
    facts: Vec<Facts>,
    /// What the scan has not to look at again, in the order of the text.
    done: Vec<Span>,
    /// Values that nothing was done with: the scan's.
    open: Vec<Span>,
    /// Of a text that fits a frame: the values that are to be looked at.
    values: Vec<Value>,
    /// Of a record that is looked at to make a frame: what was found in each field. One for each level, since
    /// texts in its fields are walked meanwhile.
    held: Vec<Held>,
}

/// A thread's buffers for finding.
pub struct Finder {
    walker: json::Walker,
    /// One for each depth; `None` while it is lent out.
    levels: Vec<Option<Box<Level>>>,
    names: NameCache<NameInfo>,
    shapes: Shapes,
    frames: Frames,
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
            shapes: Shapes::default(),
            frames: Frames::default(),
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
        self.open_part(tools, name, bytes, sink);
        self.coded(tools, sink);
    }

    fn open_part(&mut self, tools: Tools<'_>, name: &[u8], bytes: &[u8], sink: &mut Sink) {
        if name.is_empty() {
            self.text(tools, bytes, Map::Base(0), 0, sink);
            return;
        }
        if name == KEY {
            if !self.scan.key(tools, bytes, Span::new(0, bytes.len()), Map::Base(0), sink) {
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
        let info = info(tools, &mut self.names, name);
        let (reading, rule) = read_alone(info, name, bytes, field.form);
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
        if self.framed(tools, bytes, map, depth, level, sink) {
            return;
        }
        let skip = |at: usize| detectors::placeholder_at(bytes, at, tools.context).map(|(_, end)| end);
        let walked = text::walk(bytes, 0, &skip, &mut self.walker, &mut level.tree, &mut level.json_spans);
        sink.gave_up |= walked.is_err();
        sink.too_deep |= level.tree.depth > JSON_DEPTH;
        if sink.gave_up || sink.too_deep {
            return;
        }
        self.name_changes(tools, bytes, &mut level.tree);
        level.tree.labels.sort_unstable();
        self.fields(tools, bytes, map, depth, level, sink);
        for key in &level.tree.keys {
            let name = key.of(bytes);
            if may_be_somebodys(name)
                && !(name.iter().all(u8::is_ascii_digit) && self.scan.key(tools, bytes, *key, map, sink))
            {
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

    /// Reads every field and does what its reading says.
    fn fields(
        &mut self,
        tools: Tools<'_>,
        bytes: &[u8],
        map: Map<'_>,
        depth: usize,
        level: &mut Level,
        sink: &mut Sink,
    ) {
        let Level { tree, facts, decoded, done, open, json_spans, held, .. } = level;
        let (place, mut shape) = self.shape(tools, bytes, tree);
        let looking = shape.commons.looking(bytes, tree, json_spans, sink);
        held.clear();
        for (field, rule) in &shape.denied {
            let Some(field) = tree.fields.get(*field) else { continue };
            let root = Span { start: map.at(field.value.start()), end: map.at(field.value.end()) };
            sink.denied.push((*rule, root));
        }
        gather(&shape, tree, bytes, facts);
        let plain = looking.is_none() && !sink.reduce_unknown && sink.refused.is_none();
        // Where the last of what was dealt with ends: most values begin behind it.
        let mut reach = 0;
        for (field, shaped) in tree.fields.iter().zip(&shape.fields) {
            // Values in JSON do not hold each other.
            if field.value.start < reach && !is_in_json(field.form) && covered(done, field.value) {
                continue;
            }
            if plain && holds_nothing(shaped, field, bytes) {
                open.push(field.value);
                continue;
            }
            let (reading, rule) = read_shaped(tools, shaped, bytes, tree, facts, field, decoded);
            let name = tree.name_of(field).of(bytes);
            let lone = Lone { text: bytes, map, depth, whole: None, name, meant: shaped.meant };
            if sink.reduce_unknown && self.is_label(tools, bytes, tree, field, reading) {
                // The name of a pair stays as a member's name does.
                self.scan.within(tools, bytes, field.value, map, sink);
                done.push(field.value);
                reach = reach.max(field.value.end);
                continue;
            }
            let before = looking.map(|_| (sink.amount(), sink.safe.len()));
            let dealt = self.deal(tools, &lone, field, (reading, rule), decoded, sink);
            if let Some((before, safe)) = before {
                held.push(Held::of(dealt, &before, safe, sink));
            }
            match dealt {
                Some(span) => {
                    done.push(span);
                    reach = reach.max(span.end);
                }
                None => open.push(field.value),
            }
        }
        if let Some(looking) = looking {
            self.frames.learn(looking, &mut shape, bytes, tree, held);
        }
        self.shapes.put_back(place, shape);
    }

    /// Does what a field's reading says, and what a user's patterns say of a value in JSON.
    fn deal(
        &mut self,
        tools: Tools<'_>,
        lone: &Lone<'_>,
        field: &Field,
        (reading, rule): (Reading, Option<RuleId>),
        decoded: &mut Decoded,
        sink: &mut Sink,
    ) -> Option<Span> {
        let from = sink.found.len();
        let dealt = if decodes(field, lone.text) && !matches!(reading, Reading::Claim(_)) {
            self.decoded(tools, lone, field, reading, rule, decoded, sink);
            Some(field.value)
        } else {
            self.act(tools, lone, field, reading, rule, sink)
        };
        if is_in_json(field.form) && tools.detectors.has_user_patterns() {
            self.patterned(tools, lone, field, from, sink);
        }
        dealt
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
}

static OPERATORS: WordList = WordList::new(words::neighbours::OPERATORS);

/// What is known of a name.
fn info(tools: Tools<'_>, names: &mut NameCache<NameInfo>, name: &[u8]) -> NameInfo {
    names.get(name, |lower: &Name| {
        // Capitals part words: `idUsuario`. With escapes in it, or too long, the name is read as it was undone.
        let parted = if Name::is_coded(name) { lower.as_bytes() } else { name };
        NameInfo {
            claims: tools.fields.claims(lower),
            meaning: tools.detectors.meaning(parted),
            facts: resolve::facts_of_name(lower.as_bytes()),
            inside: resolve::facts_of_container(lower.as_bytes()),
            is_value: Tree::is_value_name(lower.as_bytes())
                || changes::is_side(lower.as_bytes())
                || OPERATORS.holds(lower.as_bytes()),
            leans: leans_on_parent(lower.as_bytes()),
        }
    })
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

/// Whether a field in running text is left to the scan of the line, whatever its value is: its name says nothing.
/// Not so at the last stage.
fn holds_nothing(shaped: &Shaped, field: &Field, text: &[u8]) -> bool {
    let left = match field.form {
        Form::Bare | Form::Quoted | Form::Element => true,
        Form::Query => !decodes(field, text),
        Form::QuotedEscaped | Form::JsonString | Form::JsonEscaped => false,
        Form::JsonNumber | Form::JsonWord | Form::Junk => false,
    };
    let nameless = shaped.claimed.is_none() && shaped.always == Some(Reading::Text) && !shaped.dotted;
    left && nameless && !field.value.is_empty()
}

fn is_in_json(form: Form) -> bool {
    matches!(form, Form::JsonString | Form::JsonEscaped | Form::JsonNumber | Form::JsonWord)
}

/// Whether a value's bytes are not what they mean.
fn decodes(field: &Field, text: &[u8]) -> bool {
    match field.form {
        Form::JsonEscaped | Form::QuotedEscaped => true,
        Form::Query => field.value.of(text).iter().any(|b| matches!(b, b'%' | b'+' | b'\\')),
        Form::Bare => is_percent_coded(field.value.of(text)),
        Form::JsonString | Form::JsonNumber | Form::JsonWord | Form::Quoted | Form::Element | Form::Junk => {
            false
        }
    }
}

/// `text=%D0%9A%D0%BE%D0%B4+482913` in a line that has no address around it: two bytes in percent at the least.
fn is_percent_coded(value: &[u8]) -> bool {
    let coded = |at: usize| {
        value.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            && value.get(at) == Some(&b'%')
    };
    // Most values are short and have no such sign.
    if value.len() < 6 || value.len() <= 24 && !has_percent(value) {
        return false;
    }
    // `request: to=4479…&text=%D0%9A`: a form is walked field by field.
    memchr::memchr_iter(b'%', value).filter(|at| coded(*at)).take(2).count() == 2
        && memchr::memchr2(b'=', b'&', value).is_none()
}

/// Whether a `%` stands in a value of at most 24 bytes.
fn has_percent(value: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let has = |bytes: &[u8; 8]| {
        let other = u64::from_le_bytes(*bytes) ^ (ONES * u64::from(b'%'));
        other.wrapping_sub(ONES) & !other & (ONES << 7) != 0
    };
    match (value.first_chunk(), value.last_chunk()) {
        (Some(first), Some(last)) => {
            has(first)
                || has(last)
                || value.len() > 16 && value.get(8..16).is_some_and(|rest| rest.contains(&b'%'))
        }
        _ => value.contains(&b'%'),
    }
}

fn decode_field(context: &Context<'_>, field: &Field, lone: &Lone<'_>, out: &mut Decoded) {
    let value = field.value.of(lone.text);
    if matches!(field.form, Form::Query | Form::Bare) {
        let skip = |at: usize| detectors::placeholder_at(value, at, context).map(|(_, end)| end);
        decode::percent(value, field.value.start(), lone.map, &skip, out);
    } else {
        decode::backslashes(value, field.value.start(), lone.map, out);
    }
}

/// Whether a member's name has an at sign behind its first byte, or the digits of the shortest number: a map by
/// phone number. Not `@timestamp`.
fn may_be_somebodys(name: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Eight bytes at a time: `0` to `?` have the high half of a digit, and most names have none of it.
    let tells = |word: u64| {
        let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & (ONES << 7);
        zero((word & (ONES * 0xf0)) ^ (ONES * 0x30)) | zero(word ^ (ONES * u64::from(b'@'))) != 0
    };
    let (words, rest) = name.as_chunks::<8>();
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    if !words.iter().any(|word| tells(u64::from_le_bytes(*word))) && !tells(rest) {
        return false;
    }
    let digits = name.iter().filter(|b| b.is_ascii_digit()).count();
    name.iter().skip(1).any(|b| *b == b'@') || digits >= 5 && name.len() >= 7
}

fn covered(done: &[Span], span: Span) -> bool {
    // Fields come in the order of the text, so what covers one stands near the end.
    done.iter().rev().take(8).any(|d| d.contains(span) && !span.is_empty())
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

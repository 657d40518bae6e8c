//! What the records of one log call have in common: bytes that are the same in each of them, and places where
//! values stand that differ. A record that fits a frame is not walked: its values stand where the frame's bytes
//! end, what their names say is known, and members that were the same in all records so far hold nothing.
//!
//! A record fits only if all bytes outside the places are the frame's own and every value ends where the walk
//! would have ended it, so the walk would have found the same tree. Members that a frame takes for granted are
//! those in which the engine found nothing and whose reading no neighbour can change.

use super::super::sink::Amount;
use super::*;
use crate::codec::json::{bare_end, bare_form, string_end};
use crate::codec::sql;

/// Records of one shape that are looked at before a frame is made of them.
const LOOKED_AT: u16 = 16;
/// Records above this size have no frame, and more frames than these are not kept: a thread's frames stay below
/// some 10 MB whatever it reads.
const LARGEST: usize = 8192;
const FRAMES: usize = 256;

/// What was found in a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Something,
    Nothing,
    /// Nothing, and needles are not looked for in it.
    Safe,
}

impl Held {
    /// What was found since, by what a field's value was dealt with as.
    pub(super) fn of(dealt: Option<Span>, before: &Amount, safe: usize, sink: &Sink) -> Held {
        match sink.safe.len() - safe {
            _ if dealt.is_none() || !sink.holds_only(before) => Held::Something,
            0 => Held::Nothing,
            _ => Held::Safe,
        }
    }
}

/// What records with the same names, written in the same way, had in common so far.
#[derive(Default)]
struct Common {
    /// The first of them.
    sample: Vec<u8>,
    tree: Tree,
    /// Per field: what was found in it, and whether it was the same in all.
    held: Vec<(Held, bool)>,
    looked_at: u16,
    /// A frame was made, or none can be.
    done: bool,
}

/// Ways of writing the same names that are told apart: white space, and members beside each other.
const WAYS: usize = 4;

/// What the records of a shape had in common, by the way they are written.
#[derive(Default)]
pub(super) struct Commons {
    all: Vec<Common>,
    /// How many of them are in use; the others' buffers wait.
    used: usize,
    /// Most shapes that come once never come again.
    met: bool,
}

impl Commons {
    pub(super) fn clear(&mut self) {
        self.used = 0;
        self.met = false;
    }

    /// Which of them is to look at a record that was walked, if one is.
    pub(super) fn looking(&mut self, bytes: &[u8], tree: &Tree, json: &[Span], sink: &Sink) -> Option<usize> {
        let whole = matches!(json, [span] if span.start == 0
            && bytes.get(span.end()..).is_some_and(|rest| rest.iter().all(|b| json::is_space(*b))));
        if !whole || bytes.len() > LARGEST || sink.reduce_unknown || sink.refused.is_some() {
            return None;
        }
        if !std::mem::replace(&mut self.met, true) {
            return None;
        }
        let used = self.all.get_mut(..self.used).unwrap_or_default();
        if let Some(place) = used.iter().position(|common| common.is_written_so(bytes, tree)) {
            return used.get(place).is_some_and(|common| !common.done).then_some(place);
        }
        if self.used == WAYS {
            return None;
        }
        if self.used == self.all.len() {
            self.all.push(Common::default());
        }
        self.all.get_mut(self.used)?.begin(bytes, tree);
        self.used += 1;
        Some(self.used - 1)
    }
}

impl Common {
    fn begin(&mut self, bytes: &[u8], tree: &Tree) {
        self.sample.clear();
        // Its place may be another shape's next time.
        self.sample.reserve(bytes.len().max(1024));
        self.sample.extend_from_slice(bytes);
        self.tree.copy(tree);
        self.held.clear();
        self.looked_at = 0;
        self.done = false;
    }

    /// Takes in a record, with what was found in each of its fields.
    fn take(&mut self, bytes: &[u8], tree: &Tree, held: &[Held]) {
        if self.held.is_empty() {
            self.held.extend(held.iter().map(|held| (*held, true)));
        }
        self.looked_at += 1;
        let fields = tree.fields.iter().zip(&self.tree.fields);
        for ((known, held), (field, first)) in self.held.iter_mut().zip(held).zip(fields) {
            let same = field.form == first.form && field.value.of(bytes) == first.value.of(&self.sample);
            known.1 &= same && known.0 == *held;
        }
    }

    /// Whether a record is the sample but for its values.
    fn is_written_so(&self, bytes: &[u8], tree: &Tree) -> bool {
        let between = |bytes: &[u8], tree: &Tree, place: usize| {
            let from = place.checked_sub(1).and_then(|before| tree.fields.get(before));
            let to = tree.fields.get(place).map_or(bytes.len(), |field| field.value.start());
            Span::new(from.map_or(0, |field| field.value.end()), to)
        };
        (0..=tree.fields.len()).all(|place| {
            between(bytes, tree, place).of(bytes) == between(&self.sample, &self.tree, place).of(&self.sample)
        })
    }
}

/// Bytes that all records of a frame have, and the value behind them.
#[derive(Clone, Copy)]
struct Part {
    /// In the sample.
    bytes: Span,
    quoted: bool,
    /// Members from here on that were the same in all records so far, if any are.
    run: Option<Run>,
}

/// Members in which nothing was found and that were the same in all records so far: a record that has them too
/// has nothing in them either.
#[derive(Clone, Copy)]
struct Run {
    /// From the first part's bytes to the first byte behind the last value, which ends it.
    bytes: Span,
    /// The part to go on with.
    next: usize,
    /// Of [`Frame::safe`].
    safe: (usize, usize),
}

/// Values of one field in which nothing was found, nor will be: the field is read by its name alone.
#[derive(Clone, Default)]
struct Empty {
    /// What a number in it is, where that is settled.
    number: Option<Held>,
    recent: [Option<Recent>; 4],
    next: usize,
}

/// Values up to this length are remembered: messages of a log call are.
const REMEMBERED: usize = 64;

/// A value that came by.
#[derive(Clone)]
struct Recent {
    len: usize,
    form: Form,
    held: Held,
    /// What its neighbours said, where they have a say.
    said: u64,
    bytes: [u8; REMEMBERED],
}

impl Empty {
    fn of(shaped: &Shaped) -> Empty {
        let reading = shaped.claimed.map(|(reading, _)| reading).or(shaped.always);
        Empty {
            number: reading.filter(|reading| *reading == Reading::Safe).map(|_| Held::Safe),
            ..Empty::default()
        }
    }

    #[inline]
    fn known(&self, value: &[u8], form: Form, said: u64) -> Option<Held> {
        let same = |recent: &&Recent| {
            recent.len == value.len()
                && recent.form == form
                && recent.said == said
                && recent.bytes.get(..recent.len) == Some(value)
        };
        self.recent.iter().flatten().find(same).map(|recent| recent.held)
    }

    fn note(&mut self, value: &[u8], form: Form, said: u64, held: Held) {
        if held == Held::Something {
            return;
        }
        let mut bytes = [0; REMEMBERED];
        if let (Some(to), Some(place)) = (bytes.get_mut(..value.len()), self.recent.get_mut(self.next)) {
            to.copy_from_slice(value);
            *place = Some(Recent { len: value.len(), form, held, said, bytes });
            self.next = (self.next + 1) % self.recent.len();
        }
    }
}

/// A value of a record that fits.
#[derive(Clone, Copy)]
pub(super) struct Value {
    /// The place of its field.
    field: usize,
    span: Span,
    form: Form,
}

#[derive(Default)]
pub(super) struct Frame {
    sample: Vec<u8>,
    tree: Tree,
    shaped: Vec<Shaped>,
    /// Per field: values that came before and hold nothing.
    empty: Vec<Empty>,
    /// Per container: what the names of its fields say.
    facts: Vec<Facts>,
    /// One for each field.
    parts: Vec<Part>,
    /// The bytes behind the last value.
    tail: Span,
    /// Values in runs in which needles are not looked for, in the sample.
    safe: Vec<Span>,
}

impl Frame {
    /// Makes the frame of what records had in common; `false` where there can be none.
    fn make(&mut self, common: &Common, shape: &Shape) -> bool {
        let Common { sample, tree, held, .. } = common;
        let in_json = |field: &Field| {
            is_in_json(field.form) && (!field.name.is_empty() || tree.container(field.container).array)
        };
        if !shape.denied.is_empty()
            || !tree.fields.iter().all(in_json)
            || !tree.labels.is_empty()
            || tree.may_pair(sample)
            || changes::may_stand(tree, sample)
            || tree.keys.iter().any(|key| may_be_somebodys(key.of(sample)))
        {
            return false;
        }
        self.sample.clone_from(sample);
        self.tree.copy(tree);
        self.shaped.clone_from(&shape.fields);
        self.facts.clone_from(&shape.facts);
        self.parts.clear();
        let mut from = 0;
        for field in &tree.fields {
            let quoted = matches!(field.form, Form::JsonString | Form::JsonEscaped);
            self.parts.push(Part { bytes: Span::new(from, field.value.start()), quoted, run: None });
            from = field.value.end();
        }
        self.tail = Span::new(from, sample.len());
        if self.parts.is_empty() || self.tail.is_empty() {
            return false;
        }
        self.empty.clear();
        self.empty.extend(shape.fields.iter().map(Empty::of));
        self.find_runs(held);
        true
    }

    /// Puts members beside each other that are the same in all records into runs.
    fn find_runs(&mut self, held: &[(Held, bool)]) {
        let Frame { sample, tree, shaped, parts, safe, .. } = self;
        safe.clear();
        let skips = |place: usize| {
            let (Some(field), Some(shaped), Some((held, same))) =
                (tree.fields.get(place), shaped.get(place), held.get(place))
            else {
                return false;
            };
            // What its neighbours are has no say in how it is read, and it has none in theirs.
            let value = field.value.of(sample);
            *same
                && reads_alone(shaped, field.form, value)
                && *held != Held::Something
                && !says_phone(shaped, field.form, value)
                && !says_failure(shaped, value)
        };
        let mut place = 0;
        while place < parts.len() {
            let next = (place..parts.len()).find(|place| !skips(*place)).unwrap_or(parts.len());
            let Some(last) = next.checked_sub(1).filter(|last| *last >= place) else {
                place += 1;
                continue;
            };
            let from = safe.len();
            let run =
                (place..next).filter(|place| held.get(*place).is_some_and(|(held, _)| *held == Held::Safe));
            safe.extend(run.filter_map(|place| Some(tree.fields.get(place)?.value)));
            let end = tree.fields.get(last).map_or(0, |field| field.value.end());
            if let Some(part) = parts.get_mut(place) {
                let bytes = Span::new(part.bytes.start(), (end + 1).min(sample.len()));
                part.run = Some(Run { bytes, next, safe: (from, safe.len()) });
            }
            place = next;
        }
    }

    /// Whether a record fits; then `values` has what is to be looked at, and `safe` the values in runs in which
    /// needles are not looked for.
    fn fits(&self, bytes: &[u8], values: &mut Vec<Value>, safe: &mut Vec<Span>) -> bool {
        values.clear();
        safe.clear();
        let (mut pos, mut place) = (0, 0);
        while let Some(part) = self.parts.get(place) {
            if let Some(run) = part.run
                && self.stands_at(run.bytes, bytes, pos)
            {
                let moved = |at: u32| at - run.bytes.start + u32::try_from(pos).unwrap_or(u32::MAX);
                let own = self.safe.get(run.safe.0..run.safe.1).unwrap_or_default();
                safe.extend(own.iter().map(|own| Span { start: moved(own.start), end: moved(own.end) }));
                pos += run.bytes.len() - 1;
                place = run.next;
                continue;
            }
            if !self.stands_at(part.bytes, bytes, pos) {
                return false;
            }
            pos += part.bytes.len();
            let Some((end, form)) = value_at(bytes, pos, part.quoted) else { return false };
            values.push(Value { field: place, span: Span::new(pos, end), form });
            pos = end;
            place += 1;
        }
        bytes.get(pos..) == Some(self.tail.of(&self.sample))
    }

    fn stands_at(&self, own: Span, bytes: &[u8], pos: usize) -> bool {
        bytes.get(pos..pos + own.len()) == Some(own.of(&self.sample))
    }
}

/// Where a value ends that begins at `pos`, and how it is to be read; `None` where the walk would see another
/// thing than a value.
fn value_at(bytes: &[u8], pos: usize, quoted: bool) -> Option<(usize, Form)> {
    if quoted {
        let (end, escaped) = string_end(bytes, pos);
        return Some((end, if escaped { Form::JsonEscaped } else { Form::JsonString }));
    }
    let first = bytes.get(pos)?;
    if matches!(first, b'"' | b'{' | b'[' | b'}' | b']' | b',' | b':') || json::is_space(*first) {
        return None;
    }
    let end = bare_end(bytes, pos);
    let form = bare_form(bytes.get(pos..end)?);
    (form != Form::Junk).then_some((end, form))
}

/// What values say of their neighbours ([`note_value`]) in all containers, beside what the frame's names do. `None`
/// where containers are too many.
fn said_by_values(facts: &[Facts]) -> Option<u64> {
    let bits = |own: &Facts| u64::from(own.has(Facts::PHONE)) << 1 | u64::from(own.has(Facts::FAILED));
    // A first bit tells it from nothing that is asked.
    (facts.len() < 32).then(|| facts.iter().fold(1, |said, own| said << 2 | bits(own)))
}

impl Frame {
    /// The fields that are to be looked at, with their names, in a record that fits.
    fn fields<'a>(&'a self, values: &'a [Value]) -> impl Iterator<Item = (&'a [u8], Field, &'a Shaped)> {
        values.iter().filter_map(|value| {
            let (field, shaped) = (self.tree.fields.get(value.field)?, self.shaped.get(value.field)?);
            let field = Field { value: value.span, form: value.form, ..*field };
            Some((self.tree.name_of(&field).of(&self.sample), field, shaped))
        })
    }
}

/// The frames of a thread, those that fitted last in front.
#[derive(Default)]
pub(super) struct Frames {
    all: Vec<Option<Box<Frame>>>,
    /// Places of `all` in the order in which they are tried.
    order: Vec<usize>,
    /// The next to be made anew where there are too many.
    oldest: usize,
}

impl Frames {
    /// Takes out the frame that a record fits, with its place.
    fn fitting(
        &mut self,
        bytes: &[u8],
        values: &mut Vec<Value>,
        safe: &mut Vec<Span>,
    ) -> Option<(usize, Box<Frame>)> {
        let fits = |place: &usize| {
            self.all
                .get(*place)
                .is_some_and(|frame| frame.as_ref().is_some_and(|f| f.fits(bytes, values, safe)))
        };
        let tried = self.order.iter().position(fits)?;
        let place = *self.order.get(tried)?;
        if tried > 0 {
            self.order.swap(tried, tried - 1);
        }
        Some((place, self.all.get_mut(place)?.take()?))
    }

    fn put_back(&mut self, place: usize, frame: Box<Frame>) {
        if let Some(slot) = self.all.get_mut(place) {
            *slot = Some(frame);
        }
    }

    /// Takes in a record of a shape that was walked, with what was found in each of its fields, and makes a frame
    /// once enough were.
    pub(super) fn learn(
        &mut self,
        place: usize,
        shape: &mut Shape,
        bytes: &[u8],
        tree: &Tree,
        held: &[Held],
    ) {
        // A field that nothing is known of must not take the place of another.
        if held.len() != tree.fields.len() {
            return;
        }
        let mut commons = std::mem::take(&mut shape.commons);
        if let Some(common) = commons.all.get_mut(place) {
            common.take(bytes, tree, held);
            if common.looked_at >= LOOKED_AT {
                common.done = true;
                self.make(common, shape);
            }
        }
        shape.commons = commons;
    }

    fn make(&mut self, common: &Common, shape: &Shape) {
        let place = if self.all.len() < FRAMES {
            self.all.push(None);
            self.all.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % FRAMES;
            self.oldest
        };
        let mut frame = self.all.get_mut(place).and_then(Option::take).unwrap_or_default();
        if frame.make(common, shape) {
            if !self.order.contains(&place) {
                self.order.push(place);
            }
            self.put_back(place, frame);
        }
    }
}

impl Finder {
    /// Finds in a text that fits a frame; `false` where it fits none.
    pub(super) fn framed(
        &mut self,
        tools: Tools<'_>,
        bytes: &[u8],
        map: Map<'_>,
        depth: usize,
        level: &mut Level,
        sink: &mut Sink,
    ) -> bool {
        if bytes.first() != Some(&b'{')
            || sink.reduce_unknown
            || sink.refused.is_some()
            || sql::may_stand(bytes)
        {
            return false;
        }
        let Level { facts, decoded, open, done, values, .. } = level;
        let Some((place, mut frame)) = self.frames.fitting(bytes, values, done) else { return false };
        sink.safe
            .extend(done.iter().map(|span| Span { start: map.at(span.start()), end: map.at(span.end()) }));
        facts.clear();
        facts.extend_from_slice(&frame.facts);
        for (_, field, shaped) in frame.fields(values) {
            note_value(shaped, &field, field.value.of(bytes), facts);
        }
        let together = said_by_values(facts);
        let patterns = tools.detectors.has_user_patterns();
        let Frame { sample, tree, shaped, empty, .. } = &mut *frame;
        for Value { field, span, form } in values.iter().copied() {
            let (Some(first), Some(shaped), Some(empty)) =
                (tree.fields.get(field), shaped.get(field), empty.get_mut(field))
            else {
                continue;
            };
            let field = Field { value: span, form, ..*first };
            let root = || Span { start: map.at(span.start()), end: map.at(span.end()) };
            let known = match empty.number.filter(|_| matches!(form, Form::JsonNumber | Form::JsonWord)) {
                Some(held) if !patterns => Some(held),
                _ => None,
            };
            let value = span.of(bytes);
            // Its neighbours have no say in how it is read, or they have by what they say together.
            let said = match known.is_none() && value.len() <= REMEMBERED {
                true if reads_alone(shaped, form, value) => Some(0),
                true if reads_by_facts(shaped) => together,
                _ => None,
            };
            match known.or_else(|| empty.known(value, form, said?)) {
                Some(Held::Safe) => {
                    sink.safe.push(root());
                    continue;
                }
                Some(_) => continue,
                None => {}
            }
            let before = said.map(|said| (said, sink.amount(), sink.safe.len()));
            let (reading, rule) = read_shaped(tools, shaped, bytes, tree, facts, &field, decoded);
            let name = tree.name_of(&field).of(sample);
            let lone = Lone { text: bytes, map, depth, whole: None, name, meant: shaped.meant };
            let dealt = self.deal(tools, &lone, &field, (reading, rule), decoded, sink);
            if dealt.is_none() {
                open.push(span);
            }
            if let Some((said, before, safe)) = before {
                empty.note(value, form, said, Held::of(dealt, &before, safe, sink));
            }
        }
        for span in open.iter() {
            self.scan.within(tools, bytes, *span, map, sink);
        }
        self.frames.put_back(place, frame);
        true
    }
}

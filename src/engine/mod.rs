//! The engine: the steps in order. Pure: bytes in, bytes and findings out; no I/O, no clock.
//!
//! A part of a record (key, header value, value) is walked once ([`find`]); what its fields are is
//! read from their names, their looks and their neighbours ([`resolve`]); running text is scanned
//! ([`scan`]); values found by their field are looked for in the rest of the record; at a policy's last
//! stage, what nothing claims is collected too ([`last`]); then the stage's actions are put into the
//! bytes ([`splice`]). What stands in base64 or hex goes the same way ([`inside`]). All buffers stay in [`Scratch`].

mod bare;
pub mod detectors;
mod edits;
mod extract;
mod find;
mod inside;
mod last;
mod memo;
mod names;
mod needles;
mod promise;
mod reach;
mod refused;
mod resolve;
mod scan;
mod shown;
mod signs;
mod sink;
mod splice;
mod token;
mod value_shape;

use crate::class::Class;
use crate::finding::{Finding, RuleId, Span};
use crate::numbering::Region;
use crate::policy::{ActionTable, Clock, Policy, Position, UnknownFields};
use crate::record::{Record, RecordBuf};
use crate::rule::RuleSet;
use crate::transform::{self, Action, Context, Keys, Places};
use detectors::Detectors;
pub use detectors::Lexicons;
pub use edits::{Edit, InsideEdits};
use find::{Finder, Tools};
use names::FieldTable;
pub use refused::Refused;
use sink::{Found, Kind, Sink};
use splice::{Plan, Remarks, splice};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Records above this size are withheld. A broker's default limit is 1 MiB; lines of 10 MB occur.
pub const MAX_RECORD_BYTES: usize = 64 << 20;

/// Rules, places and keys: everything that is the same for every record. Shared between threads.
pub struct Engine {
    /// Tells engines apart, from 1.
    number: u64,
    rules: Arc<RuleSet>,
    places: Option<Arc<dyn Places>>,
    keys: Option<Arc<Keys>>,
    tenant: Vec<u8>,
    fields: FieldTable,
    detectors: Detectors,
}

/// What a thread needs to run the engine without allocating per record, and what it counted.
#[derive(Default)]
pub struct Scratch {
    /// Whose findings the finder remembers.
    engine: u64,
    finder: Finder,
    /// One per part: the value, the key, then the headers.
    sinks: Vec<Sink>,
    counts: Counts,
}

/// Findings acted on, by class slot, rule and action.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    rows: Vec<((Class, RuleId, Action), u64)>,
}

impl Counts {
    /// What was acted on how often since the counts were last emptied.
    pub fn iter(&self) -> impl Iterator<Item = (Class, RuleId, Action, u64)> {
        self.rows.iter().map(|((class, rule, action), count)| (*class, *rule, *action, *count))
    }

    pub fn clear(&mut self) {
        self.rows.clear();
    }
}

impl Remarks for Counts {
    fn acted(&mut self, found: &Found, action: Action, _written: &[u8]) {
        let key = (found.class, found.rule, action);
        // A policy has few classes and actions; a walk over the rows beats hashing.
        match self.rows.iter_mut().find(|(row, _)| *row == key) {
            Some((_, count)) => *count += 1,
            None => self.rows.push((key, 1)),
        }
    }
}

/// Which part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    Value,
    Key,
    /// The value of the header at that place.
    Header(usize),
}

/// What [`Engine::explain`] tells, each in the order of the bytes.
#[derive(Debug)]
pub struct Explained {
    /// With what stood there, where it was written in base64 or hex.
    pub findings: Vec<(Part, Finding, Option<Vec<u8>>)>,
    pub refused: Vec<(Part, Refused)>,
}

/// What became of a record at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// No finding was acted on: the record leaves byte for byte. `out` holds the same bytes.
    Unchanged,
    /// `out` holds the changed record.
    Changed,
    /// The engine could not answer for the record (caps, a panic): `out` holds
    /// `[WITHHELD:reason=…,bytes=N]` as value and nothing of the input.
    Withheld(WithheldReason),
}

/// Why a record was withheld; the metric label and the placeholder's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WithheldReason {
    TooLarge,
    TooDeep,
    TimeOut,
    Panic,
    Binary,
}

impl WithheldReason {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            WithheldReason::TooLarge => "too_large",
            WithheldReason::TooDeep => "too_deep",
            WithheldReason::TimeOut => "time_out",
            WithheldReason::Panic => "panic",
            WithheldReason::Binary => "binary",
        }
    }
}

/// A record's event time, and where it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTime {
    /// Milliseconds since 1970; `None` where neither field nor record has a time.
    pub ms: Option<i64>,
    pub source: TimeSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    Field,
    /// The policy's clock is the record's own time.
    Record,
    /// The field was absent or unreadable, so the record's time stands in; counted.
    FallBack,
}

impl Engine {
    /// An engine for a checked rule set. `places` `None`: no address has a place.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, places: Option<Arc<dyn Places>>) -> Self {
        let fields = FieldTable::new(&rules);
        let detectors = Detectors::new(&rules, Lexicons::shipped());
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Engine { number, rules, places, keys: None, tenant: Vec::new(), fields, detectors }
    }

    /// Other lexicons than the shipped ones, for tests of what a word is worth. Before a region is set.
    #[must_use]
    pub fn with_lexicons(mut self, lexicons: &'static Lexicons) -> Self {
        self.detectors = Detectors::new(&self.rules, lexicons);
        self
    }

    /// The region whose numbering plan national numbers are read by, where nothing else tells.
    #[must_use]
    pub fn with_region(mut self, region: Option<Region>) -> Self {
        self.detectors.set_region(region);
        self
    }

    /// The keys that pseudonyms are made with, and whose records these are.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<Keys>, tenant: &[u8]) -> Self {
        self.keys = Some(keys);
        self.tenant = tenant.to_vec();
        self
    }

    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn context(&self, policy: Option<&Policy>) -> Context<'_> {
        Context {
            places: self.places.as_deref(),
            city_floor: policy.map_or(0, |policy| policy.city_floor),
            keys: self.keys.as_deref(),
            tenant: &self.tenant,
            custom: &self.rules.custom,
        }
    }

    /// Applies one stage of a policy to a record and writes the result to `out`, whose old contents
    /// go. Never panics: a panic inside is caught and the record withheld.
    pub fn apply(
        &self,
        scratch: &mut Scratch,
        policy: &Policy,
        stage: usize,
        record: &Record<'_>,
        out: &mut RecordBuf,
    ) -> Applied {
        let size = size_of(record);
        let applied = if size > MAX_RECORD_BYTES {
            Err(WithheldReason::TooLarge)
        } else {
            let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| {
                self.apply_unguarded(scratch, policy, stage, record, out)
            }));
            attempt.unwrap_or_else(|_| {
                // Buffers may be half written; their contents are never read again.
                scratch.finder = Finder::default();
                scratch.sinks.clear();
                Err(WithheldReason::Panic)
            })
        };
        match applied {
            Ok(applied) => applied,
            Err(reason) => {
                withhold(reason, size, out);
                Applied::Withheld(reason)
            }
        }
    }

    fn apply_unguarded(
        &self,
        scratch: &mut Scratch,
        policy: &Policy,
        stage: usize,
        record: &Record<'_>,
        out: &mut RecordBuf,
    ) -> Result<Applied, WithheldReason> {
        let plan = self.plan(policy, stage);
        let last = policy.position(stage) == Position::Last;
        self.find_all(scratch, &plan.context, record, last)?;
        let applied = write_all(scratch, &plan, record, out);
        // A class may be kept at the last stage; a pseudonym of it that somebody logged is not.
        Ok(if last && forget_pseudonyms(out) { Applied::Changed } else { applied })
    }

    /// What a stage does with what is found.
    fn plan<'p>(&'p self, policy: &'p Policy, stage: usize) -> Plan<'p> {
        let Some(rung) = policy.stages.get(stage) else {
            unreachable!("a caller takes the stage's place from the same policy")
        };
        let last = policy.position(stage) == Position::Last;
        let unknown = if last { policy.unknown_fields } else { UnknownFields::Keep };
        let context = self.context(Some(policy));
        Plan { actions: &rung.actions, context, unknown, first_user: self.rules.first_user() }
    }

    /// Fills one sink per part.
    fn find_all(
        &self,
        scratch: &mut Scratch,
        context: &Context<'_>,
        record: &Record<'_>,
        reduce_unknown: bool,
    ) -> Result<(), WithheldReason> {
        let parts = 2 + record.headers.len();
        if scratch.sinks.len() < parts {
            scratch.sinks.resize_with(parts, Sink::default);
        }
        if scratch.engine != self.number {
            scratch.engine = self.number;
            scratch.finder = Finder::default();
        }
        let tools = Tools { fields: &self.fields, detectors: &self.detectors, context };
        for (place, sink) in scratch.sinks.iter_mut().enumerate().take(parts) {
            sink.clear();
            sink.reduce_unknown = reduce_unknown;
            let Some((name, bytes)) = part_of(record, place) else { continue };
            if is_binary(bytes) {
                return Err(WithheldReason::Binary);
            }
            scratch.finder.part(tools, name, bytes, sink);
            sink.take_back();
            if sink.too_deep {
                return Err(WithheldReason::TooDeep);
            }
            if sink.gave_up {
                return Err(WithheldReason::TimeOut);
            }
        }
        needles::search(record, scratch.sinks.get_mut(..parts).unwrap_or_default());
        Ok(())
    }

    /// Every finding of every part, in the order of the bytes, overlapping ones included; for
    /// `explain`, `test` and `audit`. `Err` where the record would be withheld.
    pub fn find(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
    ) -> Result<Vec<(Part, Finding)>, WithheldReason> {
        let attempt = std::panic::catch_unwind(AssertUnwindSafe(|| {
            self.find_all(scratch, &self.context(None), record, false)?;
            let mut findings = Vec::new();
            for (place, sink) in scratch.sinks.iter().enumerate().take(2 + record.headers.len()) {
                let part = part_at(place);
                all_found(sink, &mut |span| span, None, &mut |finding, _| findings.push((part, finding)));
            }
            findings.sort_by_key(|(part, finding)| {
                (*part, finding.span.start, std::cmp::Reverse(finding.span.end))
            });
            findings.dedup();
            Ok(findings)
        }));
        attempt.unwrap_or_else(|_| {
            scratch.finder = Finder::default();
            scratch.sinks.clear();
            Err(WithheldReason::Panic)
        })
    }

    /// As [`find`](Engine::find), with everything that looked like a finding and is none. Far slower.
    ///
    /// # Errors
    /// Why the record would be withheld.
    pub fn explain(&self, scratch: &mut Scratch, record: &Record<'_>) -> Result<Explained, WithheldReason> {
        scratch.sinks.clear();
        scratch
            .sinks
            .resize_with(2 + record.headers.len(), || Sink { refused: Some(Vec::new()), ..Sink::default() });
        let _ = self.find(scratch, record)?;
        let mut told = Explained { findings: Vec::new(), refused: Vec::new() };
        for (place, mut sink) in scratch.sinks.drain(..).enumerate() {
            let part = part_at(place);
            all_found(&sink, &mut |span| span, None, &mut |finding, inside| {
                told.findings.push((part, finding, inside.map(<[u8]>::to_vec)));
            });
            all_refused(&mut sink, &mut |span| span, &mut |refused| told.refused.push((part, refused)));
        }
        told.findings.sort_by_key(|(part, finding, _)| {
            (*part, finding.span.start, std::cmp::Reverse(finding.span.end))
        });
        told.findings.dedup();
        told.refused.sort_by_key(|(part, refused)| (*part, refused.span, refused.class.slot()));
        told.refused.dedup();
        Ok(told)
    }

    /// The bytes of the first field of the value that a clock's or a condition's path names.
    /// Escapes are not undone. `None` where there is no such field.
    pub fn extract<'r>(&self, scratch: &mut Scratch, record: &Record<'r>, path: &str) -> Option<&'r [u8]> {
        let value = record.value?;
        if value.len() > MAX_RECORD_BYTES {
            return None;
        }
        let attempt =
            std::panic::catch_unwind(AssertUnwindSafe(|| extract::field(&mut scratch.finder, value, path)));
        attempt.ok().flatten().map(|span: Span| span.of(value))
    }

    /// The record's event time under a clock.
    pub fn event_time(&self, scratch: &mut Scratch, clock: &Clock, record: &Record<'_>) -> EventTime {
        match clock {
            Clock::Record => EventTime { ms: record.timestamp_ms, source: TimeSource::Record },
            Clock::Field(path) => {
                let read = self.extract(scratch, record, path).and_then(crate::codec::time::parse_ms);
                match read {
                    Some(ms) => EventTime { ms: Some(ms), source: TimeSource::Field },
                    None => EventTime { ms: record.timestamp_ms, source: TimeSource::FallBack },
                }
            }
        }
    }
}

impl Scratch {
    /// What was acted on since the counts were last emptied.
    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }
}

fn size_of(record: &Record<'_>) -> usize {
    let headers: usize =
        record.headers.iter().map(|(name, value)| name.len() + value.map_or(0, <[u8]>::len)).sum();
    headers + record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
}

/// The field name and the bytes of a part.
fn part_of<'r>(record: &Record<'r>, place: usize) -> Option<(&'r [u8], &'r [u8])> {
    match place {
        0 => record.value.map(|bytes| (&b""[..], bytes)),
        1 => record.key.map(|bytes| (find::KEY, bytes)),
        _ => record.headers.get(place - 2).and_then(|(name, value)| value.map(|value| (*name, value))),
    }
}

/// Formats that hold text in a form we can't read: Confluent's wire format around something that is
/// no JSON, compressed streams, UTF-16 and UTF-32.
fn is_binary(bytes: &[u8]) -> bool {
    const MAGIC: [&[u8]; 7] = [
        b"\x1f\x8b\x08",
        b"\x28\xb5\x2f\xfd",
        b"PK\x03\x04",
        b"\x04\x22\x4d\x18",
        b"\xfd7zXZ\0",
        b"7z\xbc\xaf\x27\x1c",
        b"BZh91AY&SY",
    ];
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) || has_wide_letters(bytes) || is_marked_wide(bytes)
    {
        return true;
    }
    // Magic byte 0 and a schema id of four bytes; ids are small numbers.
    let framed = bytes.len() > 6 && bytes.starts_with(&[0, 0]);
    framed
        && !bytes
            .get(5..)
            .unwrap_or_default()
            .iter()
            .find(|b| !b.is_ascii_whitespace())
            .is_some_and(|b| matches!(b, b'{' | b'[' | b'"'))
        && bytes.iter().filter(|b| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r')).count() * 10
            > bytes.len()
}

/// Whether three ASCII characters in a row have a NUL each between them, or three: UTF-16 or UTF-32, whose NULs hide
/// what they part. (A word between two NULs has more letters, an end of a text fewer.)
fn has_wide_letters(bytes: &[u8]) -> bool {
    // Nearly no record has a NUL.
    let Some(first) = memchr::memchr(0, bytes) else { return false };
    let seen = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, 0x20..0x7f));
    let rest = bytes.get(first.saturating_sub(1)..).unwrap_or_default();
    [2, 4].into_iter().any(|width| {
        // So many characters before this place, at each of the places that a character can begin at.
        let mut row = [0; 4];
        rest.iter().enumerate().any(|(at, _)| {
            let Some(row) = row.get_mut(at % width) else { return false };
            let padded = rest.get(at + 1..at + width).is_some_and(|pad| pad.iter().all(|byte| *byte == 0));
            *row = if seen(rest.get(at)) && padded { *row + 1 } else { 0 };
            *row == WIDE_LETTERS
        })
    })
}

/// Whether a mark of UTF-16 begins a text of which a quarter is no ASCII: of other letters than Latin, then. (Behind
/// the same two bytes lines in ASCII are met, too, and are read.)
fn is_marked_wide(bytes: &[u8]) -> bool {
    let Some((b"\xff\xfe" | b"\xfe\xff", text)) = bytes.split_first_chunk::<2>() else { return false };
    let other = |byte: &&u8| !matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..0x7f);
    text.iter().filter(other).count() * 4 > text.len()
}

/// So many in a row are no accident.
const WIDE_LETTERS: usize = 3;

fn write_all(scratch: &mut Scratch, plan: &Plan<'_>, record: &Record<'_>, out: &mut RecordBuf) -> Applied {
    let Scratch { sinks, counts, .. } = scratch;
    let mut changed = false;
    let mut write = |place: usize, bytes: Option<&[u8]>, to: &mut Option<Vec<u8>>| {
        let Some(bytes) = bytes else {
            *to = None;
            return;
        };
        let to = to.get_or_insert_with(Vec::new);
        to.clear();
        match sinks.get_mut(place) {
            Some(sink) => changed |= splice(bytes, sink, plan, counts, to),
            None => unreachable!("there is a sink for every part"),
        }
    };
    write(0, record.value, &mut out.value);
    write(1, record.key, &mut out.key);
    out.headers.resize_with(record.headers.len(), Default::default);
    for (place, ((name, value), (to_name, to_value))) in
        record.headers.iter().zip(&mut out.headers).enumerate()
    {
        to_name.clear();
        to_name.extend_from_slice(name);
        write(place + 2, *value, to_value);
    }
    if changed { Applied::Changed } else { Applied::Unchanged }
}

fn forget_pseudonyms(out: &mut RecordBuf) -> bool {
    let values = out.headers.iter_mut().filter_map(|(_, value)| value.as_mut());
    let parts = out.value.iter_mut().chain(out.key.iter_mut()).chain(values);
    // Each of them, whether or not one had some.
    parts.filter_map(|part| transform::pseudonym::forget(part).then_some(())).count() > 0
}

/// Every finding of a sink; what is found in base64 or hex has the span of the letters, and is given beside it.
/// `place` tells where in the part a span of the sink is, `text` is what the sink is of where that is no part.
fn all_found(
    sink: &Sink,
    place: &mut dyn FnMut(Span) -> Span,
    text: Option<&[u8]>,
    out: &mut dyn FnMut(Finding, Option<&[u8]>),
) {
    for found in &sink.found {
        let Found { class, rule, span, detail, .. } = *found;
        if !matches!(found.kind, Kind::Coded(_)) {
            out(Finding { class, rule, span: place(span), detail }, text.map(|text| span.of(text)));
        }
    }
    let Some(inside) = sink.inside.as_ref().filter(|inside| !inside.pieces.is_empty()) else { return };
    let letters = |span: Span| inside.pieces.iter().find(|piece| piece.text.contains(span));
    let mut place = |span: Span| place(letters(span).map_or(span, |piece| piece.letters));
    all_found(&inside.sink, &mut place, Some(&inside.text), out);
}

/// As [`all_found`], for what was refused.
fn all_refused(sink: &mut Sink, place: &mut dyn FnMut(Span) -> Span, out: &mut dyn FnMut(Refused)) {
    for refused in sink.refused.iter_mut().flat_map(|refused| refused.drain(..)) {
        let span = place(refused.span);
        out(Refused { span, ..refused });
    }
    let Some(inside) = sink.inside.as_deref_mut() else { return };
    let pieces = &inside.pieces;
    let letters =
        |span: Span| pieces.iter().find(|piece| piece.text.contains(span)).map(|piece| piece.letters);
    all_refused(&mut inside.sink, &mut |span| place(letters(span).unwrap_or(span)), out);
}

fn part_at(place: usize) -> Part {
    match place {
        0 => Part::Value,
        1 => Part::Key,
        _ => Part::Header(place - 2),
    }
}

fn withhold(reason: WithheldReason, size: usize, out: &mut RecordBuf) {
    out.key = None;
    out.headers.clear();
    let value = out.value.get_or_insert_with(Vec::new);
    value.clear();
    transform::placeholder::write_withheld(reason.word(), size, value);
}

/// Whether a table acts on a class at all.
#[must_use]
pub fn acts(actions: &ActionTable, class: Class) -> bool {
    actions.of(class).is_some_and(|action| action != Action::Keep)
}

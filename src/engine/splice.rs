//! Replacements put into the input: runs that nothing acts on are copied as they are.

use super::inside::Inside;
use super::sink::{Found, Kind, Sink};
use crate::class::Class;
use crate::finding::{RuleId, Span};
use crate::policy::{ActionTable, UnknownFields};
use crate::transform::{self, Action, Context, Outcome, Value};
use std::cmp::Reverse;

/// Is told what [`splice`] does.
pub trait Remarks {
    /// An action was carried out, and this is what stands there now: nothing, where the finding only goes on with the one
    /// before it.
    fn acted(&mut self, found: &Found, action: Action, written: &[u8]);

    /// What is told next is of a text in base64 or hex …
    fn inside(&mut self) {}

    /// … up to here.
    fn outside(&mut self, _text: &Told<'_>) {}
}

/// A text in base64 or hex whose findings were told.
pub struct Told<'a> {
    /// Where it stands, in the bytes around it.
    pub letters: Span,
    /// What the letters hold, and where that begins in the offsets in which its findings were told.
    pub text: &'a [u8],
    pub start: u32,
    /// The letters that are written now; `None` where they stay.
    pub written: Option<&'a [u8]>,
}

/// What a stage does with what it finds.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    pub actions: &'a ActionTable,
    pub context: Context<'a>,
    pub unknown: UnknownFields,
    /// Where a user's rules begin.
    pub first_user: RuleId,
}

/// Writes `input` to `out` with every finding that the plan acts on replaced. Gives whether a byte
/// was changed. Where findings overlap, the outer one decides; where they cross, both go.
pub fn splice(
    input: &[u8],
    sink: &mut Sink,
    plan: &Plan<'_>,
    remarks: &mut dyn Remarks,
    out: &mut Vec<u8>,
) -> bool {
    sort(sink, plan.first_user);
    let Sink { found, values, inside, .. } = sink;
    let all = Span::new(0, input.len());
    write(input, all, found, values, inside.as_deref_mut(), plan, remarks, out)
}

/// The outer one first; of two readings of the same bytes, a placeholder, then a user's rule, then the class
/// that comes first in the list: what points at a person before what points at an event.
fn sort(sink: &mut Sink, first_user: RuleId) {
    sink.found.sort_unstable_by_key(|found| {
        let shipped = found.rule < first_user;
        (found.span.start, Reverse(found.span.end), rank(found.kind), shipped, found.class.slot())
    });
    if let Some(inside) = sink.inside.as_mut().filter(|inside| !inside.pieces.is_empty()) {
        sort(&mut inside.sink, first_user);
    }
}

/// As [`splice`], for a span of the input and the findings in it, in their order.
#[expect(clippy::too_many_arguments, reason = "a sink's parts are lent out one by one")]
pub fn write(
    input: &[u8],
    span: Span,
    findings: &[Found],
    values: &[u8],
    mut inside: Option<&mut Inside>,
    plan: &Plan<'_>,
    remarks: &mut dyn Remarks,
    out: &mut Vec<u8>,
) -> bool {
    let mut changed = false;
    // Everything before this offset of the input is written or replaced.
    let mut done = span.start();
    // Up to here the input is what an action would make of it.
    let mut kept = done;
    let mut before: Option<&Found> = None;
    for (place, found) in findings.iter().enumerate() {
        // A number or a code in quotes is no message as well, not even at a stage that acts on those alone.
        let is_code = |one: &Found| one.span == found.span && matches!(one.class, Class::Phone | Class::Code);
        if found.class == Class::Body && before.is_some_and(is_code) {
            continue;
        }
        before = Some(found);
        let coded = matches!(found.kind, Kind::Coded(_));
        let action = match found.kind {
            // What is found in it brings its own actions.
            Kind::Coded(_) if yields(found, findings.get(place + 1..).unwrap_or_default(), plan) => None,
            Kind::Coded(_) => Some(Action::Keep),
            _ => action_for(found, plan),
        };
        let Some(action) = action else { continue };
        if found.span.end() <= done.max(kept) && done.max(kept) > span.start() {
            continue;
        }
        if found.span.start() < done {
            // Crosses the finding before it: its tail goes too, without a placeholder of its own.
            done = found.span.end();
            changed = true;
            if !coded {
                remarks.acted(found, action, b"");
            }
            continue;
        }
        let written = out.len();
        out.extend_from_slice(input.get(done..found.span.start()).unwrap_or_default());
        let from = out.len();
        let replaced = match (found.kind, &mut inside) {
            (Kind::Coded(number), Some(inside)) => {
                remarks.inside();
                let replaced = inside.replace(number, plan, remarks, out);
                let text = inside.piece(number).map_or(Span::default(), |piece| piece.text);
                remarks.outside(&Told {
                    letters: found.span,
                    text: text.of(&inside.text),
                    start: text.start,
                    written: replaced.then(|| out.get(from..).unwrap_or_default()),
                });
                replaced
            }
            (Kind::Coded(_), None) => unreachable!("a coded text's number is the sink's"),
            _ => replace(found, action, input, values, plan, out),
        };
        if replaced {
            done = found.span.end();
            changed = true;
            if !coded {
                remarks.acted(found, action, out.get(from..).unwrap_or_default());
            }
        } else {
            out.truncate(written);
            kept = if coded { kept } else { found.span.end() };
        }
    }
    out.extend_from_slice(input.get(done..span.end()).unwrap_or_default());
    changed
}

/// Whether what is acted on anyhow covers most of a text in base64 or hex: then the text is not looked into.
fn yields(coded: &Found, behind: &[Found], plan: &Plan<'_>) -> bool {
    let mut nested = behind.iter().take_while(|other| other.span.start < coded.span.end);
    nested.any(|other| {
        !matches!(other.kind, Kind::Coded(_))
            && action_for(other, plan).is_some()
            && other.span.len() * 2 >= coded.span.len()
    })
}

fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Placeholder => 0,
        Kind::Value => 1,
        Kind::UnknownValue => 2,
        Kind::UnknownToken => 3,
        Kind::Coded(_) => 4,
    }
}

fn action_for(found: &Found, plan: &Plan<'_>) -> Option<Action> {
    match found.kind {
        Kind::UnknownToken | Kind::UnknownValue => match plan.unknown {
            UnknownFields::Keep => None,
            UnknownFields::DropValue | UnknownFields::DropField => Some(Action::Remove),
        },
        Kind::Value | Kind::Placeholder => {
            plan.actions.of(found.class).filter(|action| *action != Action::Keep)
        }
        Kind::Coded(_) => None,
    }
}

/// Appends the replacement; `false`, and nothing appended, where the value stays.
fn replace(
    found: &Found,
    action: Action,
    input: &[u8],
    values: &[u8],
    plan: &Plan<'_>,
    out: &mut Vec<u8>,
) -> bool {
    match found.kind {
        Kind::UnknownToken => {
            out.extend_from_slice(transform::UNKNOWN);
            return true;
        }
        Kind::UnknownValue => {
            out.extend_from_slice(b"null");
            return true;
        }
        Kind::Value | Kind::Placeholder | Kind::Coded(_) => {}
    }
    let custom_name = match found.class {
        Class::Custom(custom) => plan.context.custom.get(custom.place()).map_or("", String::as_str),
        _ => "",
    };
    let bytes = found.value.map_or_else(|| found.span.of(input), |span| span.of(values));
    let value = Value { class: found.class, bytes, detail: found.detail, custom_name };
    let before = out.len();
    let quote = if found.bare_json { quote_around(found, input) } else { &[][..] };
    out.extend_from_slice(quote);
    let start = out.len();
    // A field that goes as a whole is the walker's business; where it can't, the value goes.
    let action = if action == Action::DropField { Action::Remove } else { action };
    match transform::apply(action, &value, &plan.context, out) {
        Outcome::Replaced if found.bare_json => {
            // A number that stays a number (a rounded epoch) needs no quotes.
            if out.get(start..).is_some_and(crate::codec::json::is_number) {
                out.drain(before..start);
            } else {
                out.extend_from_slice(quote);
            }
            true
        }
        Outcome::Replaced => true,
        Outcome::Keep | Outcome::Drop => {
            out.truncate(before);
            false
        }
    }
}

/// The quote that a string needs where a number stood. In JSON that stands in a string of JSON it is escaped as the
/// quotes around it are: as that of the value's name, or of the last string before. Where nothing tells, none is
/// written: what is around stays JSON.
fn quote_around<'i>(found: &Found, input: &'i [u8]) -> &'i [u8] {
    const REACH: usize = 4096;
    let head = input.get(found.span.start().saturating_sub(REACH)..found.span.start()).unwrap_or_default();
    let Some(at) = memchr::memrchr(b'"', head) else { return b"\"" };
    let escapes = head.iter().take(at).rev().take_while(|b| **b == b'\\').count();
    match escapes {
        1 | 3 | 7 => head.get(at - escapes..=at).unwrap_or_default(),
        // An escaped backslash ends the string before.
        odd if odd % 2 == 1 => b"\\\"",
        _ => {
            // Behind a string's end go on a name's colon, the next item or the end; else the quote opens one.
            let behind = head.get(at + 1..).unwrap_or_default().trim_ascii_start().first();
            if matches!(behind, Some(b':' | b',' | b']' | b'}')) { b"\"" } else { b"" }
        }
    }
}

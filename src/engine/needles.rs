//! A value that was found by its field is also found as a whole token elsewhere in the record.

use super::reach::Reach;
use super::sink::{Found, Kind, Needle, Sink};
use crate::class::Class;
use crate::finding::Span;
use crate::numbering;
use crate::record::Record;
use memchr::memmem;

/// More needles than this come from bulk requests, whose values stand in fields anyhow; without a
/// limit a record of many fields would cost its square.
const MOST: usize = 24;
/// Digits of a telephone number, with its calling code or without, that are looked for.
const LEAST_DIGITS: usize = 8;

/// Looks for every needle in every part and adds what it finds.
pub fn search(record: &Record<'_>, sinks: &mut [Sink]) {
    let mut searched = 0;
    for from in 0..sinks.len() {
        let mut place = 0;
        while let Some((needle, value)) = sinks.get(from).and_then(|sink| needle_of(sink, place)) {
            place += 1;
            let mut buffer = [0; 256];
            let Some(text) = searchable(&needle, value, &mut buffer) else { continue };
            searched += 1;
            if searched > MOST {
                return;
            }
            for (part, sink) in sinks.iter_mut().enumerate() {
                let Some((_, bytes)) = super::part_of(record, part) else { continue };
                find_all(text, &needle, bytes, sink);
            }
        }
    }
}

/// The needle at a place and its value; those of texts in base64 and hex come behind the part's own.
fn needle_of(sink: &Sink, place: usize) -> Option<(Needle, &[u8])> {
    if let Some(needle) = sink.needles.get(place) {
        return Some((*needle, needle.value.of(&sink.values)));
    }
    needle_of(&sink.inside.as_ref()?.sink, place - sink.needles.len())
}

/// Looks in a part and in the texts that it holds.
fn find_all(text: &[u8], needle: &Needle, bytes: &[u8], sink: &mut Sink) {
    let code = match needle.class {
        Class::Phone => numbering::split_calling_code(text).map_or(0, |(_, len)| len),
        _ => 0,
    };
    let code = if text.len() - code >= LEAST_DIGITS { code } else { 0 };
    find(text, code, needle, bytes, sink);
    if let Some(inside) = sink.inside.as_deref_mut().filter(|inside| !inside.pieces.is_empty()) {
        find_all(text, needle, &inside.text, &mut inside.sink);
    }
}

/// The bytes to look for; `None` where the value is too common to be looked for.
fn searchable<'b>(needle: &Needle, value: &[u8], buffer: &'b mut [u8; 256]) -> Option<&'b [u8]> {
    let mut len = 0;
    let mut push = |byte: u8| {
        if let Some(place) = buffer.get_mut(len) {
            *place = byte;
            len += 1;
        }
    };
    match needle.class {
        Class::Phone => {
            value.iter().copied().filter(u8::is_ascii_digit).for_each(&mut push);
            if len < LEAST_DIGITS {
                return None;
            }
        }
        Class::Code if value.len() < 6 => return None,
        Class::Name | Class::SubjectId => {
            // `sender` as a name would wipe the log's own words.
            let plain = value.iter().all(u8::is_ascii_lowercase);
            if plain || value.len() < 5 {
                return None;
            }
            value.iter().copied().for_each(&mut push);
        }
        _ => value.iter().copied().for_each(&mut push),
    }
    buffer.get(..len)
}

/// Looks for a value with its first `code` bytes, or without.
fn find(text: &[u8], code: usize, needle: &Needle, bytes: &[u8], sink: &mut Sink) {
    let (code, rest) = text.split_at_checked(code).unwrap_or((b"", text));
    // Every needle occurs once, in its own field: the common case costs one search.
    let finder = Search::new(rest);
    let Sink { found, safe, .. } = sink;
    let (mut from, mut claims, mut kept) = (0, None, None);
    while let Some(at) = bytes.get(from..).and_then(|bytes| finder.find(bytes)) {
        let start = from + at;
        let end = start + rest.len();
        from = end;
        let before = start.checked_sub(code.len()).filter(|at| bytes.get(*at..start) == Some(code));
        let spans = [before, Some(start)].map(|start| Span::new(start.unwrap_or(end), end));
        let Some(span) = spans.into_iter().find(|span| !span.is_empty() && whole_token(needle, bytes, *span))
        else {
            continue;
        };
        // Asked in the order of the text: each list is gone through once, however often the needle occurs.
        let kept = kept.get_or_insert_with(|| {
            if !safe.is_sorted() {
                safe.sort_unstable();
            }
            Reach::default()
        });
        if kept.over(safe, |safe| (safe.start < span.end).then_some(*safe)) > span.start {
            continue;
        }
        let known = found.len();
        let claims = claims.get_or_insert_with(|| {
            if !found.is_sorted_by_key(|found| found.span.start) {
                found.sort_unstable_by_key(|found| found.span.start);
            }
            (Reach::default(), known)
        });
        let own = |one: &Found| one.kind == Kind::Placeholder || one.class == needle.class;
        let before = found.get(..claims.1).unwrap_or_default();
        let holds = |one: &Found| {
            let none = Span { start: one.span.start, end: 0 };
            (one.span.start <= span.start).then_some(if own(one) { one.span } else { none })
        };
        if claims.0.over(before, holds) >= span.end {
            continue;
        }
        found.push(Found {
            class: needle.class,
            rule: needle.rule,
            span,
            detail: needle.detail,
            kind: Kind::Value,
            bare_json: is_bare_json(bytes, span),
            value: None,
        });
    }
}

/// How a value is looked for that is looked for once. What [`memmem`] makes ready for needles that repeat themselves
/// costs more than a record has bytes; a value is short, so that comparing it at every place where two of its bytes
/// stand costs no more than its length for each.
enum Search<'n> {
    #[cfg(target_arch = "x86_64")]
    Pair(memchr::arch::x86_64::avx2::packedpair::Finder, &'n [u8]),
    Any(memmem::Finder<'n>),
}

impl<'n> Search<'n> {
    #[cfg(target_arch = "x86_64")]
    fn new(needle: &'n [u8]) -> Self {
        use memchr::arch::{all::packedpair::Pair, x86_64::avx2::packedpair::Finder};
        // Digits are all as rare: the first and the last do.
        let last = needle.len().checked_sub(1).and_then(|last| u8::try_from(last).ok());
        let pair = last.and_then(|last| Pair::with_indices(needle, 0, last));
        match pair.and_then(|pair| Finder::with_pair(needle, pair)) {
            Some(pair) => Search::Pair(pair, needle),
            None => Search::Any(memmem::Finder::new(needle)),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn new(needle: &'n [u8]) -> Self {
        Search::Any(memmem::Finder::new(needle))
    }

    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Search::Pair(pair, needle) if text.len() >= pair.min_haystack_len() => pair.find(text, needle),
            #[cfg(target_arch = "x86_64")]
            Search::Pair(_, needle) => memmem::find(text, needle),
            Search::Any(finder) => finder.find(text),
        }
    }
}

/// Whether a token is a number in JSON, whose replacement needs quotes: `"id":931…`, `"ids":[1, 931…]`.
fn is_bare_json(bytes: &[u8], span: Span) -> bool {
    const FAR: usize = 512;
    let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'.' | b',') || b.is_ascii_whitespace();
    let whole = span.of(bytes).iter().all(u8::is_ascii_digit);
    let ends =
        bytes.get(span.end()).is_none_or(|b| matches!(b, b',' | b'}' | b']') || b.is_ascii_whitespace());
    let before = bytes.get(span.start().saturating_sub(FAR)..span.start()).unwrap_or_default();
    let trimmed = before.trim_ascii_end();
    let list = before.iter().rposition(|b| !number(b)).map(|at| before.get(..=at).unwrap_or_default());
    let name = match list.and_then(|list| list.strip_suffix(b"[")) {
        Some(list) if trimmed.ends_with(b"[") || trimmed.ends_with(b",") => list.trim_ascii_end(),
        _ => trimmed,
    };
    let name = name.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
    whole && ends && name.ends_with(b"\"") && !name.ends_with(b"\\\"")
}

fn whole_token(needle: &Needle, bytes: &[u8], span: Span) -> bool {
    let before = span.start().checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let after = bytes.get(span.end()).copied().unwrap_or(b' ');
    let glued = |b: u8| b.is_ascii_alphanumeric();
    let zero = needle.class == Class::Phone && before == b'0';
    (zero || !glued(before)) && !glued(after)
}

//! Fields in running text: `name=value`, `name: value`, `[name:value]`, `'name': 'value'`,
//! `name='value'`, `?name=value&…`, `"name"=>"value"`, `<name>value</name>`, YAML's `name: |`, the
//! columns of SQL, and JSON in between.
//!
//! One walk serves logfmt, query strings, headers, gateway brackets, Python and JavaScript objects
//! and XML, since their lines are mixed in practice. Values may nest (a form body in a logfmt
//! value): the outer field comes first, the inner ones follow.

use super::around::{colour_end, end_in_colour, rejected, wrapper};
use super::json::{self, Walker};
use super::name::{function_line_end, is_name_byte, is_scheme, login_end, name_before_json, name_ending_at};
use super::object::Object;
use super::{
    Field, Form, Tree, block, byte_table, drawn, escaped, leef, markup, next_in, php, plain, redis, sql,
    sql_binds, table, traced, vcard,
};
use crate::finding::Span;

/// Values nest, so their ends are looked for from several starts. This is how many bytes may be
/// looked at in all, per byte of text; ordinary lines need less than three.
const LOOKS_PER_BYTE: usize = 16;

/// Gives the end of something at a position that is not to be looked into.
pub type Skip<'a> = &'a dyn Fn(usize) -> Option<usize>;

/// The walk gave up: the text is made so that values nest without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooTangled;

/// Walks `text` from `start` and adds the fields to `tree`, under its root. `json_spans` receives the
/// spans of the JSON values met on the way. Linear in the text's length, or an error.
/// `skip` gives the end of something at a `[` that is not to be looked into (our own placeholders).
pub fn walk(
    text: &[u8],
    start: usize,
    skip: Skip<'_>,
    walker: &mut Walker,
    tree: &mut Tree,
    json_spans: &mut Vec<Span>,
) -> Result<(), TooTangled> {
    let mut pos = table::walk(text, start, tree).or_else(|| leef::walk(text, start, tree)).unwrap_or(start);
    redis::walk(text, start, tree);
    sql::walk(text, start, tree);
    if memchr::memchr(b'\n', text.get(start..).unwrap_or_default()).is_some() {
        traced::walk(text, start, tree);
        drawn::walk(text, start, tree);
        vcard::walk(text, start, tree);
    }
    let mut tag = Span::default();
    let mut object = Object::default();
    let mut looks = text.len().saturating_mul(LOOKS_PER_BYTE).saturating_add(4096);
    while let Some(at) = next_mark(text, pos) {
        let known = tree.fields.len();
        if text.get(at) == Some(&b'[')
            && let Some(end) = skip(at)
        {
            pos = end.max(at + 1);
            continue;
        }
        pos = match text.get(at) {
            Some(b'{' | b'[') if json::starts_at(text, at) => {
                let name = name_before_json(text, at, start);
                let (fields, containers) = (tree.fields.len(), tree.containers.len());
                let end = walker.walk(text, at, 0, name, tree);
                tree.name_pairs(text, fields, containers);
                json_spans.push(Span::new(at, end));
                pos = end;
                continue;
            }
            Some(b'{' | b'[') if let Some(end) = escaped::end(text, at) => {
                let name = name_before_json(text, at, start);
                let value = Span::new(at, end);
                tree.fields.push(Field { name, value, container: 0, form: Form::QuotedEscaped });
                pos = end;
                continue;
            }
            Some(b'{') if php::opens(text, at) => {
                pos = php::members(text, at, tree);
                continue;
            }
            Some(b'=')
                if at > start
                    && text.get(at - 1) == Some(&b')')
                    && let Some(end) = sql_binds::violated_key(text, at, start, tree) =>
            {
                end
            }
            Some(b'=') if let Some((field, next)) = plain::field(text, at, start) => {
                tree.fields.push(field);
                next
            }
            Some(b'=') => assignment(text, at, start, skip, tree).unwrap_or(at + 1),
            Some(b':') => colon(text, at, start, skip, tree).unwrap_or(at + 1),
            Some(b'<') => {
                tag = markup::tag_name(text, at + 1);
                at + 1
            }
            Some(b'>') => {
                markup::element(text, at, std::mem::take(&mut tag), tree);
                at + 1
            }
            _ => at + 1,
        };
        object.take_in(text, start, known, tree);
        let looked: usize =
            tree.fields.get(known..).unwrap_or_default().iter().map(|f| f.value.len() + 1).sum();
        looks = looks.checked_sub(looked).ok_or(TooTangled)?;
    }
    tree.name_neighbours(text);
    Ok(())
}

/// The next byte that may begin or separate something.
fn next_mark(text: &[u8], mut pos: usize) -> Option<usize> {
    let (words, _) = text.get(pos..)?.as_chunks::<8>();
    for word in words {
        let mut marks = marks_in(u64::from_le_bytes(*word));
        while marks != 0 {
            let at = pos + (marks.trailing_zeros() / 8) as usize;
            if text.get(at).is_some_and(|byte| is_mark(*byte)) {
                return Some(at);
            }
            marks &= marks - 1;
        }
        pos += 8;
    }
    text.get(pos..)?.iter().position(|byte| is_mark(*byte)).map(|at| pos + at)
}

/// The highest bit of each byte of eight that is one of `:` to `>`, or a bracket.
fn marks_in(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let low = word & !HIGHS;
    // Adding carries into the highest bit of a byte that is large enough, and never beyond it.
    let from = |least: u8| low + ONES * u64::from(0x80 - least);
    let signs = from(b':') & !from(b'>' + 1);
    let brackets = !(((low | (ONES * 0x20)) ^ (ONES * u64::from(b'{'))) + ONES * 0x7f);
    (signs | brackets) & !word & HIGHS
}

fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'[' | b'=' | b':' | b'<' | b'>')
}

pub(super) fn assignment(
    text: &[u8],
    at: usize,
    start: usize,
    skip: Skip<'_>,
    tree: &mut Tree,
) -> Option<usize> {
    if matches!(text.get(at + 1), Some(b'=')) {
        return Some(at + 2);
    }
    if at > start && matches!(text.get(at - 1), Some(b'!' | b'<' | b'>' | b'=')) {
        return None;
    }
    let rocket = text.get(at + 1) == Some(&b'>');
    let behind = at + 1 + usize::from(rocket);
    let spaced = at > start && text.get(at - 1) == Some(&b' ') && text.get(behind) == Some(&b' ');
    let end = if spaced { at - 1 } else { at };
    let name = name_ending_at(text, end, start);
    if name.is_empty() {
        return None;
    }
    if rocket
        && spaced
        && let Some(value) = php::printed(text, name, behind)
    {
        tree.fields.push(Field { name, value, container: 0, form: Form::Element });
        return Some(value.start());
    }
    let blanks =
        if rocket { text.get(behind..)?.iter().take(4).take_while(|b| **b == b' ').count() } else { 1 };
    let from =
        if rocket && !spaced { behind_type(text, behind) } else { behind + blanks * usize::from(spaced) };
    let before = name.start().checked_sub(1).and_then(|p| text.get(p));
    let query = matches!(before, Some(b'?' | b'&')) || next_is_parameter(text, from);
    value(text, name, from, if query { Style::Query } else { Style::Plain }, skip, tree)
}

/// `=>⏎  string(12) "…"`, `=> int(12)` as PHP's `var_dump` writes it: behind the type, else `from`.
fn behind_type(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let space = rest.iter().take(64).take_while(|b| json::is_space(**b)).count();
    if rest.get(space..).is_some_and(|rest| rest.starts_with(b"int(")) {
        return from + space + 4;
    }
    let Some(typed) = rest.get(space..).and_then(|rest| rest.strip_prefix(b"string(")) else { return from };
    let digits = typed.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    if typed.get(digits..).is_some_and(|rest| rest.starts_with(b") \"")) {
        from + space + 7 + digits + 2
    } else {
        from
    }
}

/// Whether the bare value at `from` is followed by `&name=`: then it is a parameter of a form.
fn next_is_parameter(text: &[u8], from: usize) -> bool {
    // It ends at the next `=` at the latest, so that all looks together are linear in the text.
    const STOPS: [bool; 256] = byte_table(b"& \"'\n=");
    let Some(end) = next_in(&STOPS, text, from).filter(|end| text.get(*end) == Some(&b'&')) else {
        return false;
    };
    let name = text.get(end + 1..).unwrap_or_default();
    let len = name.iter().take_while(|b| is_name_byte(**b)).count();
    len > 0 && name.get(len) == Some(&b'=')
}

fn colon(text: &[u8], at: usize, start: usize, skip: Skip<'_>, tree: &mut Tree) -> Option<usize> {
    let next = text.get(at + 1).copied()?;
    if next == b':' {
        return Some(at + 2);
    }
    if next == b'/' && text.get(at + 2) == Some(&b'/') {
        return Some(login_end(text, at + 3));
    }
    if php::is_visibility(text, at) {
        return Some(at + 3);
    }
    let name = name_ending_at(text, at, start);
    // `registry.example/app@sha256:7f3a…`
    let word = name.of(text).rsplit(|b| *b == b'@').next().unwrap_or_default();
    if name.is_empty() || is_scheme(word) {
        return None;
    }
    if name.of(text).contains(&b'.')
        && let Some(end) = function_line_end(text, at + 1)
    {
        return Some(end);
    }
    let spaces = text.get(at + 1..)?.iter().take(8).take_while(|b| matches!(b, b' ' | b'\t')).count();
    if let Some((name, value)) = headed_line(text, name, at) {
        tree.fields.push(Field { name, value, container: 0, form: Form::Element });
        return Some(value.start());
    }
    value(text, name, at + 1 + spaces, Style::Plain, skip, tree)
}

/// `Name: words to the end of the line`, in a block of at least two such lines: headers, mails,
/// records of a form. The name may have two words.
fn headed_line(text: &[u8], name: Span, colon: usize) -> Option<(Span, Span)> {
    let begins = line_start(text, name.start(), 40)?;
    let lead = text.get(begins..name.start())?.trim_ascii_start();
    // A list's.
    let lead = lead.strip_prefix(b"- ").unwrap_or(lead);
    let one_word_before = lead.len() <= 24
        && lead
            .strip_suffix(b" ")
            .is_some_and(|word| !word.is_empty() && word.iter().all(|b| is_name_byte(*b)));
    if !(lead.is_empty() || one_word_before) || text.get(colon + 1) != Some(&b' ') {
        return None;
    }
    let rest = text.get(colon + 2..)?;
    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let value = rest.get(..end)?;
    let trimmed = value.trim_ascii();
    let list = trimmed.first() == Some(&b'[') && trimmed.last() == Some(&b']');
    let structured =
        list || matches!(trimmed.first(), None | Some(b'"' | b'\'' | b'{' | b'<' | b'`' | b'|' | b'>'));
    if structured || memchr::memmem::find(trimmed, b"://").is_some() || has_assignment(trimmed) {
        return None;
    }
    let next = colon + 2 + end + 1;
    let before = begins.checked_sub(1).and_then(|end| line_start(text, end, 1024));
    if !(is_headed(text, next) || before.is_some_and(|from| is_headed(text, from))) {
        return None;
    }
    let from = colon + 2 + (value.len() - value.trim_ascii_start().len());
    let name = Span::new(name.start() - lead.len(), name.end());
    Some((name, Span::new(from, from + trimmed.len())))
}

/// `took=3` in a line: then the line is no mere value.
fn has_assignment(value: &[u8]) -> bool {
    memchr::memchr_iter(b'=', value).any(|at| {
        let name = value.get(..at).unwrap_or_default().iter().rev().take_while(|b| is_name_byte(**b)).count();
        name > 1 && value.get(at + 1).is_some_and(|b| !matches!(b, b' ' | b'='))
    })
}

/// Where the line of `at` begins, if within `reach` bytes.
fn line_start(text: &[u8], at: usize, reach: usize) -> Option<usize> {
    let floor = at.saturating_sub(reach);
    let newline = memchr::memrchr(b'\n', text.get(floor..at)?);
    newline.map(|newline| floor + newline + 1).or((floor == 0).then_some(0))
}

/// Whether the line that begins at `at` is `Name: …` too.
fn is_headed(text: &[u8], at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let line = rest.get(..rest.len().min(64)).unwrap_or_default().trim_ascii_start();
    let len = line.iter().take_while(|b| is_name_byte(**b) || **b == b' ').count();
    len > 0
        && line.get(len) == Some(&b':')
        && line.get(len + 1) == Some(&b' ')
        && line.get(..len).is_some_and(|name| name.iter().filter(|b| **b == b' ').count() <= 1)
        && !line.first().is_some_and(u8::is_ascii_digit)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Query,
}

/// Adds the field whose value begins at `from`; gives the position to go on from.
fn value(
    text: &[u8],
    name: Span,
    mut from: usize,
    style: Style,
    skip: Skip<'_>,
    tree: &mut Tree,
) -> Option<usize> {
    if text.get(from) == Some(&0x1b) {
        from = colour_end(text, from);
        if let Some(end) = end_in_colour(text, from) {
            let value = Span::new(from, end);
            let form = if value.of(text).contains(&b' ') { Form::Element } else { Form::Bare };
            tree.fields.push(Field { name, value, container: 0, form });
            return Some(from);
        }
    }
    from += wrapper(text, from);
    let (value, form, next) = match text.get(from).copied()? {
        quote @ (b'"' | b'\'' | b'`') => {
            let (end, escaped) = quoted_end(text, from + 1, quote);
            let form = if escaped { Form::QuotedEscaped } else { Form::Quoted };
            // Inside a quoted value the walk goes on; an escaped one is decoded and walked later.
            (Span::new(from + 1, end), form, if escaped { end } else { from + 1 })
        }
        b'{' | b'\n' | b'\r' => return None,
        b'|' | b'>' if let Some(block) = block::at(text, name, from) => (block, Form::Element, block.end()),
        b'r' if let Some((start, end)) = rejected(text, from, skip) => {
            (Span::new(start, end), Form::Element, end)
        }
        _ if let Some((start, end)) = counted(text, name, from, skip) => {
            (Span::new(start, end), Form::Element, end)
        }
        b'<' if let Some(end) = angled_end(text, from) => (Span::new(from + 1, end), Form::Bare, end),
        b'[' if let Some(end) = skip(from) => (Span::new(from, end), Form::Bare, end),
        b'[' if json::starts_at(text, from) => return Some(from),
        b'[' if is_bracketed_word(text, from) => {
            let end = bare_end(text, list_end(text, from + 1, skip) + 1, style, skip).min(text.len());
            (Span::new(from, end), Form::Bare, from + 1)
        }
        b'[' => {
            let end = quoted_item_end(text, from + 1).unwrap_or_else(|| list_end(text, from + 1, skip));
            (Span::new(from + 1, end), Form::Bare, from + 1)
        }
        _ => {
            // The marker of SMS Retriever texts, `<#> `, is no tag.
            let at = text.get(from..).unwrap_or_default();
            let marker = if at.starts_with(b"<#>") { 3 } else { 5 * usize::from(at.starts_with(b"<%23>")) };
            let end = bare_end(text, from + marker, style, skip);
            let query = style == Style::Query;
            let next = if query && text.get(from..end)?.contains(&b'%') { end } else { from };
            (Span::new(from, end), if query { Form::Query } else { Form::Bare }, next)
        }
    };
    tree.fields.push(Field { name, value, container: 0, form });
    Some(next.max(from))
}

/// `content=<see you there>`: the end of words between angle brackets that are no tag; of the same line.
fn angled_end(text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from + 1..text.len().min(from + 2048))?;
    let len = memchr::memchr3(b'>', b'\n', b'=', rest)?;
    let inside = rest.get(..len)?;
    let words = inside.contains(&b' ') && !inside.starts_with(b"#") && !inside.contains(&b'<');
    (rest.get(len) == Some(&b'>') && words && !inside.starts_with(b"/")).then_some(from + 1 + len)
}

/// Position of the closing quote (or of the text's end), and whether a backslash stands before it.
/// A single quote between two letters is an apostrophe; a doubled quote is CSV's or SQL's escape.
fn quoted_end(text: &[u8], start: usize, quote: u8) -> (usize, bool) {
    let mut pos = start;
    let mut escaped = false;
    while let Some(at) = memchr::memchr2(quote, b'\\', text.get(pos..).unwrap_or_default()) {
        let at = pos + at;
        if text.get(at) == Some(&b'\\') {
            escaped = true;
            pos = at + 2;
            continue;
        }
        let next = text.get(at + 1).copied();
        let apostrophe =
            quote == b'\'' && at > start && next.is_some_and(|b| b.is_ascii_alphanumeric() || b >= 0x80);
        let doubled = quote != b'`' && at > start && next == Some(quote);
        if apostrophe {
            pos = at + 1;
        } else if doubled {
            pos = at + 2;
        } else {
            return (at, escaped);
        }
    }
    (text.len(), escaped)
}

/// `[msg:12:…]`: a value whose length in bytes stands before it, as Kannel writes it; it may hold
/// brackets itself. `None` where the count is not of this value.
///
/// Where a placeholder stands in the text, the count is of what was there before it.
fn counted(text: &[u8], name: Span, from: usize, skip: Skip<'_>) -> Option<(usize, usize)> {
    if name.start().checked_sub(1).and_then(|at| text.get(at)) != Some(&b'[') {
        return None;
    }
    let digits = text.get(from..)?.iter().take(8).take_while(|b| b.is_ascii_digit()).count();
    let bytes: usize = std::str::from_utf8(text.get(from..from + digits)?).ok()?.parse().ok()?;
    let mut start = from + digits + 1;
    if text.get(start - 1) != Some(&b':') {
        return None;
    }
    if text.get(start) == Some(&b' ') && text.get(start + 1 + bytes) == Some(&b']') {
        start += 1;
    }
    let span = (bytes > 0 && text.get(start + bytes) == Some(&b']')).then_some((start, start + bytes))?;
    let mut places = memchr::memchr_iter(b'[', text.get(start..start + bytes)?);
    (!places.any(|at| skip(start + at).is_some())).then_some(span)
}

/// `[Brand] your code …`: a text that begins with a bracket, no list.
fn is_bracketed_word(text: &[u8], from: usize) -> bool {
    let close = list_end(text, from + 1, &|_| None);
    let rest = behind_brackets(text, from, close);
    let Some(behind) = rest.strip_prefix(b"] ").or_else(|| rest.strip_prefix(b"]")) else { return false };
    let word = behind.iter().take_while(|b| b.is_ascii_alphanumeric() || **b >= 0x80 || **b == b'_').count();
    close - from < 48 && word > 0 && !matches!(behind.get(word), Some(b'=' | b':'))
}

/// `[Web] [Brand] your code …`: the text from the last of such brackets' end on; the first closes at `close`.
fn behind_brackets(text: &[u8], open: usize, close: usize) -> &[u8] {
    let rest = text.get(close..).unwrap_or_default();
    let first = text.get(open + 1..close).unwrap_or_default();
    let word = first.iter().any(|b| b.is_ascii_alphabetic() || *b >= 0x80)
        && !first.iter().any(|b| matches!(b, b':' | b'=' | b'\'' | b'"'));
    let Some(next) = rest.strip_prefix(b"] [").filter(|_| word) else { return rest };
    let len = next.iter().take(48).position(|b| matches!(b, b']' | b'[' | b':' | b'=' | b'\n'));
    match len.filter(|len| next.get(*len) == Some(&b']')) {
        Some(len) => next.get(len..).unwrap_or_default(),
        None => rest,
    }
}

/// Where the list ends whose only item is in quotes, with brackets of its own perhaps: `[b'[Brand] your code …']`.
fn quoted_item_end(text: &[u8], from: usize) -> Option<usize> {
    // Lists may open in lists without end.
    const LONGEST: usize = 4096;
    let text = text.get(..text.len().min(from + LONGEST))?;
    let quote = from + usize::from(matches!(text.get(from), Some(b'b' | b'u')));
    let sign = text.get(quote).copied().filter(|b| matches!(b, b'\'' | b'"'))?;
    let (end, _) = quoted_end(text, quote + 1, sign);
    (text.get(end + 1) == Some(&b']')).then_some(end + 1)
}

fn list_end(text: &[u8], from: usize, skip: Skip<'_>) -> usize {
    let mut pos = from;
    loop {
        let rest = text.get(pos..).unwrap_or_default();
        let Some(at) = rest.iter().position(|b| matches!(b, b']' | b'\n' | b'[')).map(|at| pos + at) else {
            return text.len();
        };
        if text.get(at) != Some(&b'[') {
            return at;
        }
        pos = skip(at).unwrap_or(at + 1);
    }
}

const QUERY_STOPS: [bool; 256] = byte_table(b"& \"'<>#\n\r\t])}[|\x1b");
const PLAIN_STOPS: [bool; 256] = byte_table(b" \"'<>\n\r\t])},;|[\x1b");

/// `ada|GET /send?to=…|403`: whether bars part the columns of a log, so that one ends the query before `from`. In a form's
/// body one may be a part of a password.
fn stands_in_a_column(text: &[u8], from: usize) -> bool {
    const REACH: usize = 2048;
    let head = text.get(from.saturating_sub(REACH)..from).unwrap_or_default();
    let line = head.get(memchr::memrchr(b'\n', head).map_or(0, |at| at + 1)..).unwrap_or_default();
    memchr::memchr(b'?', line).is_some_and(|query| line.get(..query).unwrap_or_default().contains(&b'|'))
}

fn bare_end(text: &[u8], from: usize, style: Style, skip: Skip<'_>) -> usize {
    let stops = match style {
        Style::Query => &QUERY_STOPS,
        Style::Plain => &PLAIN_STOPS,
    };
    let apostrophe = |at: usize| {
        style == Style::Query
            && at > from
            && text.get(at) == Some(&b'\'')
            && text.get(at + 1).is_some_and(|b| b.is_ascii_alphabetic())
    };
    let (mut pos, mut in_a_column) = (from, None);
    loop {
        let Some(at) = next_in(stops, text, pos) else { return text.len() };
        // `{}` stands in a route for what was there.
        let hole = text.get(at) == Some(&b'}') && at > from && text.get(at - 1) == Some(&b'{');
        let bar = style == Style::Query
            && text.get(at) == Some(&b'|')
            && !*in_a_column.get_or_insert_with(|| stands_in_a_column(text, from));
        if hole || bar || apostrophe(at) {
            pos = at + 1;
            continue;
        }
        if text.get(at) != Some(&b'[') {
            return at;
        }
        // A bracket may belong to a value (`a[0]`); one of our own placeholders does.
        pos = skip(at).unwrap_or(at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut tree = Tree::default();
        tree.reset();
        let mut spans = Vec::new();
        let walked = walk(text.as_bytes(), 0, &|_| None, &mut Walker::default(), &mut tree, &mut spans);
        assert_eq!(walked, Ok(()), "{text}");
        tree.assert_fields(text, want);
    }

    #[test]
    fn the_written_forms_of_a_field() {
        check(
            "level=info to=+14155550132 text=\"a b=c\"",
            &[("level", "info"), ("to", "+14155550132"), ("text", "a b=c"), ("b", "c")],
        );
        check("[from: entersrl] [to:39] x", &[("from", "entersrl"), ("to", "39")]);
        check("send(to='+1', body='it\\'s O'Neil')", &[("to", "+1"), ("body", "it\\'s O'Neil")]);
        check("{b'to': [b'1'], 'n': 2}", &[("to", "b'1'"), ("n", "2")]);
        check("GET /send?to=%2B1&text=a+b&n= HTTP/1.1", &[("to", "%2B1"), ("text", "a+b"), ("n", "")]);
        check("body=To=%2B1&From=2", &[("body", "To=%2B1&From=2"), ("To", "%2B1"), ("From", "2")]);
        check("\"to\"=>\"x\", :y=>1", &[("to", "x"), ("y", "1")]);
        check("[\"to\"]=>\n  string(1) \"x\"\n", &[("", "to"), ("to", "x")]);
        check("'to' => 'x', 'n' => 12,", &[("to", "x"), ("n", "12")]);
        check("{\"to\"=>\"x\"}", &[("to", "x")]);
        check("To: a b\nFrom me: c d\n", &[("To", "a b"), ("From me", "c d")]);
        check("x: [Ab] said y", &[("x", "[Ab]")]);
        check("<a b='c'>\n d </a><e/>", &[("b", "c"), ("a", "d")]);
        check("password = hunter2", &[("password", "hunter2")]);
        check("content=<see you> took=1", &[("content", "see you"), ("took", "1")]);
        check("GET /a?%E7%9F%AD=1&x%5F=2", &[("%E7%9F%AD", "1"), ("x%5F", "2")]);
        check("pin=a|b&x=1|2", &[("pin", "a|b"), ("x", "1|2")]);
        check("c|GET /s?to=1&pin=a|403", &[("to", "1"), ("pin", "a")]);
        check("C(name: Optional(\"Ada\"), to=Some('1'))", &[("name", "Ada"), ("to", "1")]);
        check("#{host => <<\"a.b\">>,pin => <<\"1\">>}", &[("host", "a.b"), ("pin", "1")]);
        check("dst=(1,1,\"49\"), src=(0x05, 0, '1')", &[("dst", "49"), ("src", "1")]);
        check("at=(1,2) to=(x,\"1\")", &[("at", "(1"), ("to", "(x")]);
        check("a.b:send:12 - x, a.otp:code:4829 x", &[("code", "4829")]);
        check("\x1b[3mto\x1b[0m\x1b[2m=\x1b[0m\"1\" \x1b[1;32mn\x1b[0m: x", &[("to", "1"), ("n", "x")]);
        check("- name: TO\n  value: \"1\"\n", &[("name", "TO"), ("TO", "1")]);
        check("<param name='to' value='1'/>", &[("name", "to"), ("to", "1")]);
        check("name=a, b value=1", &[("name", "a"), ("value", "1")]);
        check("user[phone]=12&x=1", &[("phone", "12"), ("x", "1")]);
    }

    #[test]
    fn json_in_text_is_walked_as_json() {
        check("body: {\"to\": \"1\"} took=3", &[("to", "1"), ("took", "3")]);
        check("items=[\"a\",\"b\"]", &[("items", "a"), ("items", "b")]);
    }

    #[test]
    fn nesting_without_end_is_given_up() {
        let mut tree = Tree::default();
        tree.reset();
        let text = "a=".repeat(20_000);
        let got = walk(text.as_bytes(), 0, &|_| None, &mut Walker::default(), &mut tree, &mut Vec::new());
        assert_eq!(got, Err(TooTangled));
    }

    #[test]
    fn what_is_no_field() {
        check("12:30:45 a::b https://x/y C++ == 3 -> x", &[]);
        check("sip:+1@host tel:+2", &[]);
        check("at amqp://svc:hunter2@192.0.2.7:5672/v gone", &[]);
    }
}

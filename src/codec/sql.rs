//! Values in SQL that their columns name: `INSERT INTO t (phone, code) VALUES ('…', '…')`, and the parameters
//! that drivers print behind a statement with `$1`, `?` or `%s` in it.

use super::sql_binds;
use super::sql_named::{self, Pairs};
use super::{Field, Form, Tree};
use crate::finding::Span;
use aho_corasick::packed;
use memchr::memmem;
use std::sync::LazyLock;

const MOST_COLUMNS: usize = 48;
const MOST_ROWS: usize = 256;
const MOST_STATEMENTS: usize = 8;
/// No list of columns is longer, in bytes.
const COLUMNS_BYTES: usize = 2048;

/// Names by their place: columns, or what each parameter stands for.
struct Names {
    list: [Span; MOST_COLUMNS],
    len: usize,
}

impl Names {
    const fn new() -> Names {
        Names { list: [Span { start: 0, end: 0 }; MOST_COLUMNS], len: 0 }
    }

    fn push(&mut self, name: Span) {
        self.set(self.len, name);
    }

    fn set(&mut self, place: usize, name: Span) {
        if let Some(slot) = self.list.get_mut(place) {
            *slot = name;
            self.len = self.len.max(place + 1);
        }
    }

    fn get(&self, place: usize) -> Option<Span> {
        self.list.get(place).copied().filter(|name| !name.is_empty())
    }
}

static VALUES: LazyLock<[memmem::Finder<'static>; 2]> =
    LazyLock::new(|| [memmem::Finder::new(b"VALUES"), memmem::Finder::new(b"values")]);
static PARAMETERS: LazyLock<[memmem::Finder<'static>; 2]> =
    LazyLock::new(|| [memmem::Finder::new(b"arameters"), memmem::Finder::new(b"ARAMETERS")]);

/// What stands before a list of parameters where no word for them does.
static LISTS: LazyLock<[memmem::Finder<'static>; 5]> = LazyLock::new(|| {
    let signs: [&[u8]; 5] = [b"params: [", b"bindings: [", b" args=[", b" args=(", b" args: ["];
    signs.map(memmem::Finder::new)
});

/// What shows that conditions or settings have parameters: `SET phone = $1`, `WHERE (o.phone = ?)`.
static COMPARED: LazyLock<[memmem::Finder<'static>; 4]> = LazyLock::new(|| {
    let signs: [&[u8]; 4] = [b"= $1", b"=$1", b"= ?", b"=?"];
    signs.map(memmem::Finder::new)
});

/// How far behind its last parameter a statement may go on, with `RETURNING "id"` or another program's name.
const BEHIND_BYTES: usize = 512;

/// What shows that parameters with names of their own are given.
static NAMED: LazyLock<[memmem::Finder<'static>; 4]> = LazyLock::new(|| {
    let signs: [&[u8]; 4] = [b"executesql", b"@p0=", b"@p1=", b"@p0 ="];
    signs.map(memmem::Finder::new)
});

/// All of these in one search; none where the processor cannot do it.
static SIGNS: LazyLock<Option<packed::Searcher>> = LazyLock::new(|| {
    let finders = finders();
    packed::Config::new().builder().extend(finders.map(memmem::Finder::needle)).build()
});

fn finders() -> impl Iterator<Item = &'static memmem::Finder<'static>> {
    VALUES.iter().chain(LISTS.iter()).chain(COMPARED.iter()).chain(NAMED.iter()).chain(PARAMETERS.iter())
}

/// Whether [`walk`] may find something in a text.
#[must_use]
pub fn may_stand(text: &[u8]) -> bool {
    memchr::memchr3(b'(', b'$', b'?', text).is_some()
        && match &*SIGNS {
            Some(signs) => signs.find(text).is_some(),
            None => finders().any(|one| one.find(text).is_some()),
        }
}

/// Adds the values that columns name.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) {
    let Some(rest) = text.get(start..).filter(|rest| may_stand(rest)) else { return };
    let (mut slots, mut pairs) = (Names::new(), Pairs::new());
    let mut behind = start;
    // A statement may be written twice, with signs for its parameters and with what was put for them.
    for _ in 0..MOST_STATEMENTS {
        let rest = text.get(behind..).unwrap_or_default();
        let Some(at) = VALUES.iter().filter_map(|values| values.find(rest)).min() else { break };
        let at = behind + at;
        behind = insert(text, start, at, (&mut slots, &mut pairs), tree).unwrap_or(at + b"VALUES".len());
    }
    if memchr::memchr(b'@', rest).is_some() {
        sql_named::walk(text, start, &mut pairs, tree);
    }
    if sql_binds::pairs(text, start, tree) {
        return;
    }
    if let Some(open) = sql_binds::spaced_list(text, behind) {
        compared(text, start.max(open.saturating_sub(4096)), open, &mut slots);
        return sql_binds::spaced(text, open, slots.len, &|place| slots.get(place), tree);
    }
    let rest = text.get(behind..).unwrap_or_default();
    let list = PARAMETERS.iter().find_map(|word| word.find(rest));
    let open = match list.map(|at| behind + at + b"arameters".len()) {
        Some(open) => open,
        // `… WHERE phone = ? AND code = ? ["…","…"]`
        None => match LISTS.iter().find_map(|list| Some((list.find(rest)?, list.needle()))) {
            Some((at, sign)) => behind + at + sign.iter().position(|b| matches!(b, b'[' | b'(')).unwrap_or(0),
            None => match bound(text, start, &mut slots, tree) {
                Bound::No => list_behind(text, behind, slots.len > 0).unwrap_or(text.len()),
                Bound::Read => return,
            },
        },
    };
    compared(text, start.max(open.saturating_sub(4096)), open, &mut slots);
    parameters(text, open, &slots, tree);
}

/// Where the list of parameters opens that stands behind a statement's last one, and nothing is said of it:
/// `… RETURNING "id" ["+44…", 3]`, `…] ('+44…', 3)`, `…; "+44…", "3"`.
fn list_behind(text: &[u8], from: usize, inserted: bool) -> Option<usize> {
    let rest = text.get(from..)?;
    let last = COMPARED.iter().filter_map(|sign| sign.find(rest)).min();
    let from = match last {
        Some(first) => from + first + last_sign(rest.get(first..)?),
        None if inserted => from,
        None => return None,
    };
    let rest = text.get(from..text.len().min(from + BEHIND_BYTES))?;
    let begins = |at: usize| {
        matches!(
            rest.get(at),
            Some(b'"' | b'\'' | b'~' | b'-' | b'+' | b'<' | b'n' | b't' | b'f' | b'0'..=b'9')
        )
    };
    memchr::memchr3_iter(b'[', b'(', b';', rest).find_map(|at| {
        let before = at.checked_sub(1).and_then(|before| rest.get(before));
        let tuple = || before == Some(&b' ') && at >= 2 && rest.get(at - 2) == Some(&b']');
        let opens = match rest.get(at) {
            Some(b'[') => before == Some(&b' ') && begins(at + 1),
            Some(b'(') => tuple() && begins(at + 1),
            _ => rest.get(at + 1) == Some(&b' ') && matches!(rest.get(at + 2), Some(b'"' | b'\'')),
        };
        // `[generated in 0.1 s]` stands before a tuple.
        let measured = rest.get(at) == Some(&b'[')
            && rest.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
            && !rest.get(at + 1..).is_some_and(|word| {
                word.starts_with(b"nil") || word.starts_with(b"true") || word.starts_with(b"false")
            });
        (opens && !measured).then_some(from + at + usize::from(rest.get(at) == Some(&b';')))
    })
}

/// Behind the last parameter's sign of the line that a text begins with.
fn last_sign(text: &[u8]) -> usize {
    let line = text.get(..memchr::memchr(b'\n', text).unwrap_or(text.len())).unwrap_or_default();
    let quoted = memmem::find(line, b" [\"").unwrap_or(line.len());
    let line = line.get(..quoted).unwrap_or_default();
    memchr::memrchr2(b'$', b'?', line).map_or(0, |at| at + 1)
}

/// Whether parameters were told one by one.
enum Bound {
    No,
    Read,
}

/// Hibernate's `binding parameter [2] as [VARCHAR] - [482913]`, `binding parameter (2:VARCHAR) <- [482913]`.
fn bound(text: &[u8], start: usize, slots: &mut Names, tree: &mut Tree) -> Bound {
    const BINDING: &[u8] = b"binding parameter ";
    let Some(first) = text.get(start..).and_then(|rest| memmem::find(rest, BINDING)) else {
        return Bound::No;
    };
    compared(text, start.max((start + first).saturating_sub(4096)), start + first, slots);
    if slots.len == 0 {
        return Bound::Read;
    }
    for at in memmem::find_iter(text.get(start + first..).unwrap_or_default(), BINDING) {
        let at = start + first + at + BINDING.len() + 1;
        let line = text.get(at..).unwrap_or_default();
        let line = line.get(..memchr::memchr(b'\n', line).unwrap_or(line.len())).unwrap_or_default();
        let digits = line.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
        let number = line.get(..digits).and_then(|d| std::str::from_utf8(d).ok()?.parse::<usize>().ok());
        let sign = memmem::find(line, b"- [").map(|sign| sign + 3);
        let Some(open) = sign.or_else(|| memmem::find(line, b") [").map(|sign| sign + 3)) else { continue };
        let close = memchr::memrchr(b']', line).filter(|close| *close > open);
        if let (Some(close), Some(number)) = (close, number)
            && let Some(name) = number.checked_sub(1).and_then(|place| slots.get(place))
        {
            tree.fields.push(Field {
                name,
                value: Span::new(at + open, at + close),
                container: 0,
                form: Form::Element,
            });
        }
    }
    Bound::Read
}

/// `(a, b) VALUES ('…', $1), (…)` around `values`: adds what stands there and notes what parameters stand for;
/// gives where the rows end.
fn insert(
    text: &[u8],
    start: usize,
    values: usize,
    (slots, pairs): (&mut Names, &mut Pairs),
    tree: &mut Tree,
) -> Option<usize> {
    let head = text.get(start..values)?.trim_ascii_end().strip_suffix(b")")?;
    let floor = head.len().saturating_sub(COLUMNS_BYTES);
    let open = floor + memchr::memrchr(b'(', head.get(floor..)?)?;
    let mut columns = Names::new();
    let mut at = start + open + 1;
    for column in head.get(open + 1..)?.split(|b| *b == b',') {
        columns.push(identifier(text, at, at + column.len())?);
        at += column.len() + 1;
    }
    let mut pos = values + b"VALUES".len();
    for place in 0..MOST_ROWS {
        let next = skip(text, pos, b" \n\r\t,");
        // `VALUES (?, ?) (parameters: …)`: a row stands behind a comma.
        let parted = place == 0 || text.get(pos..next).is_some_and(|between| between.contains(&b','));
        if text.get(next) != Some(&b'(') || !parted {
            break;
        }
        pos = row(text, next + 1, &columns, (slots, pairs), tree)?;
    }
    Some(pos)
}

/// One row's values; gives where the row ends, behind its bracket.
fn row(
    text: &[u8],
    mut pos: usize,
    columns: &Names,
    (slots, pairs): (&mut Names, &mut Pairs),
    tree: &mut Tree,
) -> Option<usize> {
    for place in 0..MOST_COLUMNS {
        pos = skip(text, pos, b" \n\r\t");
        let (value, form, next) = literal(text, pos)?;
        let name = columns.get(place).unwrap_or_default();
        match slot(value.of(text)) {
            Some(number) if form == Form::Bare => slots.set(number.unwrap_or(slots.len), name),
            _ if name.is_empty() || value.is_empty() => {}
            _ if form == Form::Bare && value.of(text).starts_with(b"@") => pairs.note(text, value, name),
            _ => tree.fields.push(Field { name, value, container: 0, form }),
        }
        pos = skip(text, next, b" \n\r\t");
        match text.get(pos)? {
            b',' => pos += 1,
            b')' => return Some(pos + 1),
            _ => return None,
        }
    }
    None
}

/// A value that begins at `pos`: in quotes, or bare to the next comma or bracket. A call's brackets belong to it.
pub(super) fn literal(text: &[u8], pos: usize) -> Option<(Span, Form, usize)> {
    let first = *text.get(pos)?;
    // `E'…'`, `N'…'`, `_utf8'…'` have a prefix.
    let quote = if matches!(first, b'E' | b'N' | b'e' | b'n') && text.get(pos + 1) == Some(&b'\'') {
        pos + 1
    } else {
        pos
    };
    if let Some(sign @ (b'\'' | b'"')) = text.get(quote) {
        let (end, escaped) = closing(text, quote + 1, *sign)?;
        let form = if escaped { Form::QuotedEscaped } else { Form::Quoted };
        return Some((Span::new(quote + 1, end), form, end + 1));
    }
    let mut depth = 0_usize;
    let rest = text.get(pos..text.len().min(pos + 1024))?;
    // Erlang's octets.
    if rest.starts_with(b"<<") {
        let end = pos + memmem::find(rest, b">>")? + 2;
        return Some((Span::new(pos, end), Form::Bare, end));
    }
    let len = rest.iter().position(|b| {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth > 0 => depth -= 1,
            b',' | b')' | b']' | b';' | b'\n' => return depth == 0,
            _ => {}
        }
        false
    });
    let bare = rest.get(..len.unwrap_or(rest.len()))?.trim_ascii_end();
    Some((Span::new(pos, pos + bare.len()), Form::Bare, pos + bare.len()))
}

/// The closing quote, and whether a backslash stands before it. A doubled quote is one in the text.
fn closing(text: &[u8], mut pos: usize, quote: u8) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        let at = pos + memchr::memchr2(quote, b'\\', text.get(pos..)?)?;
        if text.get(at) == Some(&b'\\') {
            escaped = true;
            pos = at + 2;
        } else if text.get(at + 1) == Some(&quote) {
            pos = at + 2;
        } else {
            return Some((at, escaped));
        }
    }
}

/// Whether a value is a parameter's sign; `$3` says which.
fn slot(value: &[u8]) -> Option<Option<usize>> {
    match value {
        b"?" | b"%s" | b"%d" => Some(None),
        [b'$' | b':', digits @ ..] if (1..=2).contains(&digits.len()) => {
            let number: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
            Some(number.checked_sub(1))
        }
        _ => None,
    }
}

/// `phone = $1`, `code LIKE ?`: notes what the parameters of conditions stand for.
fn compared(text: &[u8], start: usize, end: usize, slots: &mut Names) {
    let mut pos = start;
    while let Some(at) = text.get(pos..end).and_then(|rest| memchr::memchr3(b'$', b'?', b'%', rest)) {
        let at = pos + at;
        pos = at + 1;
        let sign = text.get(at..end).unwrap_or_default();
        let len = sign.iter().skip(1).take(2).take_while(|b| b.is_ascii_digit() || **b == b's').count() + 1;
        let Some(number) = slot(sign.get(..len).unwrap_or_default()) else { continue };
        let Some(operand) = operand_before(text, start, at) else { continue };
        if let Some(name) = identifier(text, operand.start(), operand.end()) {
            slots.set(number.unwrap_or(slots.len), name);
        }
    }
}

/// What a parameter at `at` is compared with or set to be: the word before `=`, `<`, `LIKE` or `IN (`.
pub(super) fn operand_before(text: &[u8], start: usize, at: usize) -> Option<Span> {
    const WORDS: [&[u8]; 6] = [b" LIKE", b" like", b" ILIKE", b" ilike", b" IN (", b" in ("];
    let before = text.get(start..at)?.trim_ascii_end();
    let operator = before.iter().rev().take_while(|b| matches!(b, b'=' | b'<' | b'>' | b'!' | b'~')).count();
    let named = match WORDS.iter().find_map(|word| before.strip_suffix(*word)) {
        Some(named) => named.trim_ascii_end(),
        None if operator > 0 => before.get(..before.len() - operator)?.trim_ascii_end(),
        None => return None,
    };
    let part =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'"' | b'`' | b'[' | b']') || *b >= 0x80;
    let len = named.iter().rev().take(64).take_while(|b| part(b)).count();
    Some(Span::new(start + named.len() - len, start + named.len()))
}

/// `: $1 = '…', $2 = '…'`, `: ('…', '…')`; what has its type behind it is [`sql_binds`]'.
fn parameters(text: &[u8], from: usize, slots: &Names, tree: &mut Tree) {
    if slots.len == 0 {
        return;
    }
    if sql_binds::is_typed(text, from) {
        return sql_binds::typed(text, from, &|place| slots.get(place), tree);
    }
    let mut pos = skip(text, from, b":= ([;");
    if text.get(pos..).is_some_and(|rest| rest.starts_with(b"array{")) {
        pos += b"array{".len();
    }
    for place in 0..MOST_COLUMNS {
        let sign = text.get(pos..).unwrap_or_default();
        // Doctrine's `array{"1":"…","2":"…"}` counts from one.
        if let Some(key) = sign.strip_prefix(b"\"") {
            let digits = key.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 && key.get(digits..).is_some_and(|rest| rest.starts_with(b"\":")) {
                pos = skip(text, pos + digits + 3, b" ");
            }
        }
        let sign = text.get(pos..).unwrap_or_default();
        let digits = sign.iter().skip(1).take(2).take_while(|b| b.is_ascii_digit()).count();
        let numbered = slot(sign.get(..=digits).unwrap_or_default()).flatten();
        let place = numbered.unwrap_or(place);
        if numbered.is_some() {
            pos = skip(text, pos + 1 + digits, b" =");
        }
        let Some((value, form, next)) = literal(text, pos) else { return };
        if let Some(name) = slots.get(place)
            && !value.is_empty()
        {
            tree.fields.push(Field { name, value, container: 0, form });
        }
        pos = skip(text, next, b" ");
        if text.get(pos) != Some(&b',') {
            return;
        }
        pos = skip(text, pos + 1, b" ");
    }
}

/// The name in `start..end` without its quotes and spaces; `None` where it is no column's.
pub(super) fn identifier(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let name = text.get(start..end)?;
    let around = |b: &u8| matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'`' | b'[' | b']' | b'\\');
    let lead = name.iter().take_while(|b| around(b)).count();
    let tail = name.iter().rev().take_while(|b| around(b)).count();
    let span = Span::new(start + lead, (end - tail).max(start + lead));
    let name = span.of(text);
    let letters = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$') || *b >= 0x80;
    let fits = (1..=64).contains(&name.len()) && name.iter().all(letters) && !name.first()?.is_ascii_digit();
    fits.then_some(span)
}

fn skip(text: &[u8], pos: usize, bytes: &[u8]) -> usize {
    pos + text.get(pos..).unwrap_or_default().iter().take_while(|b| bytes.contains(b)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, &str)]) {
        let mut tree = Tree::default();
        tree.reset();
        walk(text.as_bytes(), 0, &mut tree);
        tree.assert_fields(text, want);
    }

    #[test]
    fn rows_of_an_insert() {
        check(
            "INSERT INTO m (msisdn, `body`, at) VALUES ('12', 'it''s (a), b', NOW()), ('13', 'c', NULL) -- 3 ms",
            &[
                ("msisdn", "12"),
                ("body", "it''s (a), b"),
                ("at", "NOW()"),
                ("msisdn", "13"),
                ("body", "c"),
                ("at", "NULL"),
            ],
        );
        check("insert into t(\"a\",b) values(1,E'x')", &[("a", "1"), ("b", "x")]);
    }

    #[test]
    fn parameters_by_their_place() {
        check(
            "INSERT INTO o (phone, code) VALUES ($1, $2)\nDETAIL:  parameters: $1 = '12', $2 = '34'",
            &[("phone", "12"), ("code", "34")],
        );
        check(
            "SELECT 1 FROM u WHERE u.phone = $1 AND (x LIKE $2) parameters: $1 = '12', $2 = 'b'",
            &[("phone", "12"), ("x", "b")],
        );
        check(
            "insert into o (phone, code) values (?, ?)\n==> Parameters: 12(String), 34(String)",
            &[("phone", "12"), ("code", "34")],
        );
        check(
            "[SQL: INSERT INTO o (phone, code) VALUES (%s, %s)] [parameters: ('12', '34')]",
            &[("phone", "12"), ("code", "34")],
        );
    }

    #[test]
    fn parameters_that_are_counted() {
        check(
            "INSERT INTO o (phone, body) VALUES (?, ?) (parameters: array{\"1\":\"12\",\"2\":\"a, b : code 34\"}, types: array{\"1\":2})",
            &[("phone", "12"), ("body", "a, b : code 34")],
        );
    }

    #[test]
    fn parameters_with_names() {
        check(
            "exec sp_executesql N'UPDATE Otp SET Used=1 WHERE Mobile=@p0 AND [Code] = @p1',N'@p0 nvarchar(20),@p1 nvarchar(10)',@p0=N'+1',@p1=N'48'",
            &[("Mobile", "+1"), ("Code", "48")],
        );
        check(
            "[Parameters=[@p0='+1' (Size = 20), @p1='48' (Size = 8)]] INSERT INTO [Otp] ([Phone], [Code]) VALUES (@p0, @p1)",
            &[("Phone", "+1"), ("Code", "48")],
        );
        check("SELECT f(1) WHERE a = @p0; @p0 = 12", &[("a", "12")]);
        check("INSERT INTO t (a, b) VALUES (%s, %s) args=('12', '13')", &[("a", "12"), ("b", "13")]);
        check("mail @p0='12'", &[]);
    }

    #[test]
    fn what_is_no_sql() {
        check("the values (12, 13) are wrong", &[]);
        check("bad parameters: ('12', '13')", &[]);
        check("f(a, b) VALUES", &[]);
        check("(a b c, d e f) VALUES ('1', '2')", &[]);
    }
}

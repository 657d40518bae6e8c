//! Tables drawn with lines, as database shells, reports and Markdown have them: a line of dashes below the header says
//! how wide the columns are. Each cell becomes a field by its column's name.

use super::{Field, Form, Tree};
use crate::finding::Span;

const LEAST_COLUMNS: usize = 2;
const MOST_COLUMNS: usize = 64;
const LINE_BYTES: usize = 4096;
const MOST_ROWS: usize = 4096;

/// A column: its name, and where it begins and ends in a line, in characters.
type Column = (Span, usize, usize);

/// Adds the cells of every drawn table in the text.
pub(super) fn walk(text: &[u8], start: usize, tree: &mut Tree) {
    let mut lines = Lines { text, pos: start };
    let mut header = None;
    while let Some(line) = lines.next() {
        match header.filter(|_| is_rule(line.of(text))) {
            Some(names) => {
                let mut columns = [(Span::default(), 0, 0); MOST_COLUMNS];
                let count = columns_of(text, names, line, &mut columns);
                if let Some(columns) = columns.get(..count).filter(|columns| columns.len() >= LEAST_COLUMNS) {
                    rows(text, &mut lines, columns, tree);
                }
                header = None;
            }
            // The upper border is no header.
            None => header = Some(line).filter(|line| !is_rule(line.of(text))),
        }
    }
}

/// The lines of a text from a place on.
struct Lines<'a> {
    text: &'a [u8],
    pos: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<Span> {
        let rest = self.text.get(self.pos..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = Span::new(self.pos, self.pos + len);
        self.pos += len + 1;
        Some(line)
    }
}

/// `----+------+---`, `+----+------+`, `|---|:--|`, `---- ------ ---`
fn is_rule(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let part = |b: &u8| matches!(b, b'-' | b'=' | b'+' | b'|' | b' ' | b':');
    (5..=LINE_BYTES).contains(&line.len())
        && line.iter().all(part)
        && line.windows(3).any(|three| matches!(three, b"---" | b"==="))
        && line.iter().any(|b| matches!(b, b'+' | b'|' | b' '))
}

/// The columns that a rule has, with their names from the line above it.
fn columns_of(text: &[u8], names: Span, rule: Span, columns: &mut [Column; MOST_COLUMNS]) -> usize {
    let rule = rule.of(text).trim_ascii_end();
    let mut count = 0;
    let mut pos = 0;
    while let Some(from) = next(rule, pos, is_drawn) {
        let end = next(rule, from, |b| !is_drawn(b)).unwrap_or(rule.len());
        // Between columns that only spaces part, a cell may be as wide as up to the next.
        let wide = next(rule, end, is_drawn).map_or(usize::MAX, |next| next - 1);
        pos = end;
        let reach = if rule.get(end) == Some(&b' ') || end == rule.len() { wide } else { end };
        let Some(name) = cell(text, names, from, reach) else { continue };
        match columns.get_mut(count) {
            Some(column) => *column = (name, from, reach),
            None => return 0,
        }
        count += 1;
    }
    count
}

fn is_drawn(byte: u8) -> bool {
    matches!(byte, b'-' | b'=' | b':')
}

fn next(line: &[u8], pos: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    line.get(pos..)?.iter().position(|b| wanted(*b)).map(|at| pos + at)
}

/// Adds the cells of the rows from here on, up to an empty line or one that ends the table.
fn rows(text: &[u8], lines: &mut Lines<'_>, columns: &[Column], tree: &mut Tree) {
    for _ in 0..MOST_ROWS {
        let before = lines.pos;
        let Some(line) = lines.next() else { return };
        let row = line.of(text);
        if is_rule(row) {
            continue;
        }
        if row.trim_ascii().is_empty() || row.len() > LINE_BYTES || row.starts_with(b"(") {
            lines.pos = before.max(line.end());
            return;
        }
        for (name, from, end) in columns {
            if let Some(value) = cell(text, line, *from, *end) {
                tree.fields.push(Field { name: *name, value, container: 0, form: Form::Element });
            }
        }
    }
}

/// What stands in a line from one column on up to another, without what parts the cells.
fn cell(text: &[u8], line: Span, from: usize, end: usize) -> Option<Span> {
    let bytes = line.of(text);
    let at = |column: usize| match bytes.is_ascii() {
        true => column.min(bytes.len()),
        false => std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.char_indices().nth(column))
            .map_or(bytes.len(), |(at, _)| at),
    };
    let (from, end) = (at(from), at(end));
    let cell = bytes.get(from..end)?;
    let trim = |b: &u8| matches!(b, b' ' | b'|' | b'\t' | b'\r');
    let lead = cell.iter().take_while(|b| trim(b)).count();
    let trail = cell.iter().rev().take_while(|b| trim(b)).count();
    let (from, end) = (line.start() + from + lead, (line.start() + end).checked_sub(trail)?);
    (from < end).then(|| Span::new(from, end))
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
    fn tables_of_shells_and_reports() {
        let cells = [("id", "1"), ("name", "Ada Łoe"), ("code", "4829"), ("id", "2"), ("code", "1182")];
        check(
            "x\n id |  name   | code \n----+---------+------\n  1 | Ada Łoe | 4829\n  2 |         | 1182\n(2 rows)\n7 |x|y",
            &cells,
        );
        check(
            "+----+---------+------+\n| id | name    | code |\n+----+---------+------+\n|  1 | Ada Łoe | 4829 |\n|  2 |         | 1182 |\n+----+---------+------+\n",
            &cells,
        );
        check("| id | name |\n|----|:-----|\n| 1  | Ada  |", &[("id", "1"), ("name", "Ada")]);
        check(
            "id   name      code\n---- --------- ----\n1    Ada Roe   4829\n\n2    x         y",
            &[("id", "1"), ("name", "Ada Roe"), ("code", "4829")],
        );
    }

    #[test]
    fn what_is_no_table() {
        check("a\n-----\nb c\n", &[]);
        check("-- - --\nx y z\n", &[]);
        check("sent a, b\nto c\n", &[]);
    }
}

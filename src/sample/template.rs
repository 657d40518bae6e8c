//! Record templates: text with placeholders, compiled once.
//!
//! | in a template | becomes |
//! |---|---|
//! | `${maker:arg,arg}` | a value of that maker, encoded for where it stands |
//! | `${maker\|url\|b64}` | the same, put through these encodings first |
//! | `${maker>a}` … `${@a}` | a value, and the same value again |
//! | `$[json\|b64: … $]` | what stands inside, its values encoded as JSON, the whole as base64 |
//! | `$(one$\|other$)` | one of them |
//! | `$~,(a$\|b$\|c$)` | all, shuffled, joined with what stands before the parenthesis |
//! | `$*2-5,(x$)` | two to five times, joined |
//! | `$$` | a dollar |
//!
//! A file holds templates, each after a line `== weight format name context [option=…]`. In JSON
//! templates line breaks and indentation are left out; in others a line that ends in `\` goes on.

use super::maker::Maker;
use super::pack::PackError;
use super::text::Encoding;

/// One compiled step of a template.
#[derive(Debug)]
pub enum Op {
    Literal(String),
    Value { maker: Maker, filters: Vec<Encoding>, save: Option<char> },
    Again { saved: char, filters: Vec<Encoding> },
    Block { context: Encoding, filters: Vec<Encoding>, inner: Vec<Op> },
    Choice(Vec<Vec<Op>>),
    Shuffle { joint: String, parts: Vec<Vec<Op>> },
    Repeat { least: u64, most: u64, joint: String, part: Vec<Op> },
}

/// A template of a pack.
#[derive(Debug)]
pub struct Template {
    pub weight: u64,
    pub format: String,
    pub name: String,
    /// How values are encoded at the outermost level.
    pub context: Encoding,
    /// Times in a thousand that the record has a phone number as its key.
    pub phone_key: u64,
    /// Times in a thousand that a header names a recipient.
    pub phone_header: u64,
    /// As written.
    pub ops: Vec<Op>,
    /// JSON with a space after each `:` and `,`; empty where the template is no JSON.
    pub spaced: Vec<Op>,
    /// A time in it has no fraction, so the record's own time has none either.
    pub whole_seconds: bool,
}

/// What is known while a template compiles: the pack's field names.
pub trait Names {
    /// The field names of a role.
    fn field(&self, role: &str) -> Option<&[String]>;
}

/// Compiles a file of templates.
pub fn parse_file(file: &str, names: &dyn Names) -> Result<Vec<Template>, PackError> {
    let mut templates = Vec::new();
    let mut head: Option<(usize, &str)> = None;
    let mut body = String::new();
    for (at, line) in file.lines().enumerate() {
        if let Some(rest) = line.strip_prefix("== ") {
            if let Some((at, head)) = head {
                templates.push(template(head, &body, names).map_err(|e| PackError::at(at + 1, e))?);
            }
            head = Some((at, rest));
            body.clear();
        } else if head.is_some() {
            body.push_str(line);
            body.push('\n');
        }
    }
    if let Some((at, head)) = head {
        templates.push(template(head, &body, names).map_err(|e| PackError::at(at + 1, e))?);
    }
    Ok(templates)
}

fn template(head: &str, body: &str, names: &dyn Names) -> Result<Template, String> {
    let mut words = head.split_whitespace();
    let mut word = |what: &str| words.next().ok_or(format!("{what} is missing"));
    let weight = word("weight")?.parse().map_err(|_| "the weight is no number".to_owned())?;
    let format = word("format")?.to_owned();
    let name = word("name")?.to_owned();
    let context = word("context")?;
    let context = Encoding::from_word(context).ok_or(format!("no encoding `{context}`"))?;
    let (mut phone_key, mut phone_header) = (0, 0);
    for option in words {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.parse().map_err(|_| format!("`{key}` needs a number"))?;
        match key {
            "key" => phone_key = value,
            "header" => phone_header = value,
            _ => return Err(format!("no option `{key}`")),
        }
    }
    let is_json = context == Encoding::Json;
    let text = if is_json { joined(body) } else { continued(body) };
    let ops = compile(&text, names, false)?;
    let spaced = if is_json { compile(&text, names, true)? } else { Vec::new() };
    let whole_seconds = any_maker(&ops, &|m| m.needs_whole_seconds());
    Ok(Template { weight, format, name, context, phone_key, phone_header, ops, spaced, whole_seconds })
}

fn joined(body: &str) -> String {
    body.lines().map(str::trim_start).collect()
}

fn continued(body: &str) -> String {
    let body = body.trim_end_matches('\n');
    let mut out = String::new();
    let mut after_break = false;
    for line in body.split('\n') {
        let line = if after_break { line.trim_start() } else { line };
        after_break = line.ends_with('\\');
        match line.strip_suffix('\\') {
            Some(head) => out.push_str(head),
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

fn any_maker(ops: &[Op], test: &dyn Fn(&Maker) -> bool) -> bool {
    ops.iter().any(|op| match op {
        Op::Literal(_) | Op::Again { .. } => false,
        Op::Value { maker, .. } => test(maker),
        Op::Block { inner, .. } => any_maker(inner, test),
        Op::Choice(parts) | Op::Shuffle { parts, .. } => parts.iter().any(|p| any_maker(p, test)),
        Op::Repeat { part, .. } => any_maker(part, test),
    })
}

fn compile(text: &str, names: &dyn Names, spaced: bool) -> Result<Vec<Op>, String> {
    let mut parser = Parser { rest: text, names, spaced };
    let ops = parser.sequence()?;
    if parser.rest.is_empty() { Ok(ops) } else { Err(format!("unexpected `{}`", parser.here())) }
}

struct Parser<'a> {
    rest: &'a str,
    names: &'a dyn Names,
    spaced: bool,
}

impl<'a> Parser<'a> {
    fn here(&self) -> String {
        self.rest.chars().take(24).collect()
    }

    fn literal(&self, text: &str, ops: &mut Vec<Op>) {
        if text.is_empty() {
            return;
        }
        let text =
            if self.spaced { text.replace("\":", "\": ").replace(",\"", ", \"") } else { text.to_owned() };
        if let Some(Op::Literal(last)) = ops.last_mut() {
            last.push_str(&text);
        } else {
            ops.push(Op::Literal(text));
        }
    }

    /// Up to the end, or to `$|`, `$)` or `$]`, which stay.
    fn sequence(&mut self) -> Result<Vec<Op>, String> {
        let mut ops = Vec::new();
        loop {
            let Some((before, after)) = self.rest.split_once('$') else {
                self.literal(self.rest, &mut ops);
                self.rest = "";
                return Ok(ops);
            };
            self.literal(before, &mut ops);
            let mut chars = after.chars();
            let sign = chars.next().ok_or("a lone `$` at the end")?;
            let tail = chars.as_str();
            if matches!(sign, '|' | ')' | ']') {
                self.rest = self.rest.get(before.len()..).unwrap_or_default();
                return Ok(ops);
            }
            self.rest = tail;
            match sign {
                '$' => self.literal("$", &mut ops),
                '{' => ops.push(self.value()?),
                '[' => ops.push(self.block()?),
                '(' => ops.push(Op::Choice(self.parts()?)),
                '~' => {
                    let joint = self.joint()?;
                    ops.push(Op::Shuffle { joint, parts: self.parts()? });
                }
                '*' => ops.push(self.repeat()?),
                other => return Err(format!("`${other}` means nothing")),
            }
        }
    }

    /// What stands before the next `(`.
    fn joint(&mut self) -> Result<String, String> {
        let (joint, rest) = self.rest.split_once('(').ok_or("`(` is missing")?;
        self.rest = rest;
        let space = if self.spaced && joint == "," { " " } else { "" };
        Ok(format!("{}{space}", joint.replace("\\n", "\n")))
    }

    /// Parts between `$|`, up to and with `$)`.
    fn parts(&mut self) -> Result<Vec<Vec<Op>>, String> {
        let mut parts = Vec::new();
        loop {
            parts.push(self.sequence()?);
            if let Some(rest) = self.rest.strip_prefix("$|") {
                self.rest = rest;
            } else if let Some(rest) = self.rest.strip_prefix("$)") {
                self.rest = rest;
                return Ok(parts);
            } else {
                return Err(format!("`$)` is missing before `{}`", self.here()));
            }
        }
    }

    fn repeat(&mut self) -> Result<Op, String> {
        let joint = self.joint()?;
        let at = joint.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(joint.len());
        let (range, joint) = joint.split_at_checked(at).ok_or("a range like `2-5` is missing")?;
        let (least, most) = range_of(range)?;
        let part = self.parts()?.into_iter().next().unwrap_or_default();
        Ok(Op::Repeat { least, most, joint: joint.to_owned(), part })
    }

    fn block(&mut self) -> Result<Op, String> {
        let (head, rest) = self.rest.split_once(':').ok_or("`:` is missing after `$[`")?;
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        let mut words = encodings(head)?.into_iter();
        let context = words.next().ok_or("a block needs a context")?;
        let filters = words.collect();
        let was_spaced = self.spaced;
        self.spaced = was_spaced && context == Encoding::Json;
        let mut inner = self.sequence()?;
        self.spaced = was_spaced;
        if let Some(Op::Literal(last)) = inner.last_mut()
            && let Some(trimmed) = last.strip_suffix(' ')
        {
            last.truncate(trimmed.len());
        }
        self.rest =
            self.rest.strip_prefix("$]").ok_or(format!("`$]` is missing before `{}`", self.here()))?;
        Ok(Op::Block { context, filters, inner })
    }

    fn value(&mut self) -> Result<Op, String> {
        let (inside, rest) = self.rest.split_once('}').ok_or("`}` is missing")?;
        self.rest = rest;
        let (inside, save) = match inside.rsplit_once('>') {
            Some((head, name)) => (head, name.chars().next()),
            None => (inside, None),
        };
        let (call, filters) = inside.split_once('|').unwrap_or((inside, ""));
        let filters = encodings(filters)?;
        if let Some(saved) = call.strip_prefix('@') {
            let saved = saved.chars().next().ok_or("`@` needs a letter")?;
            return Ok(Op::Again { saved, filters });
        }
        let (name, args) = call.split_once(':').unwrap_or((call, ""));
        let maker = Maker::parse(name, args, self.names)?;
        Ok(Op::Value { maker, filters, save })
    }
}

fn encodings(list: &str) -> Result<Vec<Encoding>, String> {
    let words = list.split('|').filter(|w| !w.is_empty());
    words.map(|w| Encoding::from_word(w).ok_or(format!("no encoding `{w}`"))).collect()
}

/// `3-9`, or `3` for just that.
pub fn range_of(text: &str) -> Result<(u64, u64), String> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    match (least.parse(), most.parse()) {
        (Ok(least), Ok(most)) if least <= most => Ok((least, most)),
        _ => Err(format!("`{text}` is no range")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct NoNames;
    impl Names for NoNames {
        fn field(&self, _: &str) -> Option<&[String]> {
            None
        }
    }

    #[test]
    fn what_does_not_compile_says_why() {
        let cases = [
            ("${nothing}", "no maker `nothing`"),
            ("${uuid|rot13}", "no encoding `rot13`"),
            ("$(a$|b", "`$)` is missing before ``"),
            ("$[json: a", "`$]` is missing before ``"),
            ("$!", "`$!` means nothing"),
            ("a$)", "unexpected `$)`"),
            ("${f:colour}", "the pack has no field names for `colour`"),
        ];
        for (text, why) in cases {
            assert_eq!(compile(text, &NoNames, false).unwrap_err(), why);
        }
    }

    #[test]
    fn json_templates_lose_their_layout_and_others_keep_theirs() {
        assert_eq!(joined("{\n  \"a\":1,\n  \"b\":2}\n"), "{\"a\":1,\"b\":2}");
        assert_eq!(continued("one \\\n   two\n  three\n\n"), "one two\n  three");
    }

    #[test]
    fn the_spaced_form_has_spaces_after_colons_and_commas_but_not_inside_other_text() {
        let ops = compile(r#"{"a":1,"b":"$[raw: x,"y":1 $]"}"#, &NoNames, true).unwrap();
        let Some(Op::Literal(head)) = ops.first() else { panic!("a literal first") };
        assert_eq!(head, r#"{"a": 1, "b": ""#);
        let Some(Op::Block { inner, .. }) = ops.get(1) else { panic!("then a block") };
        assert!(matches!(inner.first(), Some(Op::Literal(t)) if t == r#"x,"y":1"#));
    }
}

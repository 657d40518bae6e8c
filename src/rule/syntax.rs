//! A rule file as it is written, one to one, every value with its place. Nothing is judged here but the
//! shape of the TOML.

use crate::diagnostic::{Report, TableReader, parse};
use std::ops::Range;
use toml::Spanned;

#[derive(Debug)]
pub struct FileSyntax {
    pub rules: Vec<RuleSyntax>,
    pub disable: Vec<Spanned<String>>,
    pub allow: Vec<AllowSyntax>,
}

#[derive(Debug)]
pub struct RuleSyntax {
    pub span: Range<usize>,
    pub id: Option<Spanned<String>>,
    pub class: Option<Spanned<String>>,
    pub summary: Option<Spanned<String>>,
    pub source: Vec<Spanned<String>>,
    pub detector: Option<Spanned<String>>,
    pub pattern: Option<Spanned<String>>,
    pub options: Option<OptionsSyntax>,
    pub keywords: Vec<Spanned<String>>,
    pub within: Option<Spanned<i64>>,
    pub fields: Vec<Spanned<String>>,
    pub not_fields: Vec<Spanned<String>>,
    pub validate: Vec<Spanned<String>>,
    pub hits: Vec<HitSyntax>,
    pub misses: Vec<MissSyntax>,
    /// `class` is there, if perhaps of a wrong type.
    pub has_class: bool,
    /// Something is there that may be meant to say what to find: `fields`, `pattern`, `detector`, or a
    /// key that nobody knows.
    pub has_finder: bool,
}

/// `options = { regions = ["US", "GB"], bare_digits = "near_keyword" }`.
#[derive(Debug)]
pub struct OptionsSyntax {
    pub span: Range<usize>,
    pub regions: Vec<Spanned<String>>,
    pub bare_digits: Option<Spanned<String>>,
}

#[derive(Debug)]
pub struct HitSyntax {
    pub input: Option<Spanned<String>>,
    pub find: Vec<Spanned<String>>,
    pub span: Range<usize>,
}

#[derive(Debug)]
pub struct MissSyntax {
    pub input: Option<Spanned<String>>,
    pub why: Option<Spanned<String>>,
    pub span: Range<usize>,
}

#[derive(Debug)]
pub struct AllowSyntax {
    pub span: Range<usize>,
    pub values: Vec<Spanned<String>>,
    pub cidrs: Vec<Spanned<String>>,
    pub patterns: Vec<Spanned<String>>,
    pub why: Option<Spanned<String>>,
}

/// Reads the file; `None` where it is not TOML at all, which the report says.
#[must_use]
pub fn read(report: &Report<'_>) -> Option<FileSyntax> {
    let document = parse(report)?;
    let top = TableReader::new(report, document.get_ref(), 0..0, "a rule file");
    let file = FileSyntax {
        rules: top.tables("rule", "a rule").into_iter().map(rule).collect(),
        disable: top.strings("disable"),
        allow: top.tables("allow", "an allowance").into_iter().map(allow).collect(),
    };
    let _ = top.finish();
    Some(file)
}

fn rule(table: TableReader<'_, '_, '_>) -> RuleSyntax {
    let mut rule = RuleSyntax {
        span: table.span(),
        id: table.required_string("id", "`id = \"phone.mine\"`"),
        class: table.string("class"),
        summary: table.string("summary"),
        source: table.strings("source"),
        detector: table.string("detector"),
        pattern: table.string("pattern"),
        options: table.table("options", "`options`").map(options),
        keywords: table.strings("keywords"),
        within: table.integer("within"),
        fields: table.strings("fields"),
        not_fields: table.strings("not_fields"),
        validate: table.strings("validate"),
        hits: table.tables("hit", "a hit").into_iter().map(hit).collect(),
        misses: table.tables("miss", "a miss").into_iter().map(miss).collect(),
        has_class: table.has("class"),
        has_finder: ["fields", "pattern", "detector"].into_iter().any(|key| table.has(key)),
    };
    rule.has_finder |= table.finish();
    rule
}

fn options(table: TableReader<'_, '_, '_>) -> OptionsSyntax {
    let options = OptionsSyntax {
        span: table.span(),
        regions: table.strings("regions"),
        bare_digits: table.string("bare_digits"),
    };
    let _ = table.finish();
    options
}

fn hit(table: TableReader<'_, '_, '_>) -> HitSyntax {
    let hit = HitSyntax {
        span: table.span(),
        input: table.required_string("in", "`in = '''…'''`: a line that has such a value"),
        find: table.strings("find"),
    };
    let _ = table.finish();
    hit
}

fn miss(table: TableReader<'_, '_, '_>) -> MissSyntax {
    let miss = MissSyntax {
        span: table.span(),
        input: table.required_string("in", "`in = '''…'''`: a line in which the rule must find nothing"),
        why: table.string("why"),
    };
    let _ = table.finish();
    miss
}

/// One value or a list, so both spellings of the key are known.
fn allow(table: TableReader<'_, '_, '_>) -> AllowSyntax {
    let both = |one: &'static str, many: &'static str| {
        let mut values = table.strings(many);
        values.extend(table.strings(one));
        values
    };
    let allow = AllowSyntax {
        span: table.span(),
        values: both("value", "values"),
        cidrs: both("cidr", "cidrs"),
        patterns: both("pattern", "patterns"),
        why: table.required_string(
            "why",
            "`why = \"our own switchboard\"`: who reads this later must see the reason",
        ),
    };
    let _ = table.finish();
    allow
}

//! A policy as its file writes it, one to one, every value with its place. Nothing is judged here but
//! the shape of the TOML.

use crate::diagnostic::{Report, TableReader, parse};
use std::ops::Range;
use toml::Spanned;
use toml::de::DeValue;

#[derive(Debug)]
pub struct PolicySyntax {
    pub id: Option<Spanned<String>>,
    pub summary: Option<Spanned<String>>,
    pub clock: Option<ClockSyntax>,
    pub margin: Option<Spanned<String>>,
    pub unknown_fields: Option<Spanned<String>>,
    pub city_floor: Option<Spanned<i64>>,
    pub oldest_plausible: Option<Spanned<String>>,
    pub geo_fields: Option<Spanned<bool>>,
    pub region: Option<Spanned<String>>,
    pub stages: Vec<StageSyntax>,
    /// `stage` is there, if perhaps of a wrong type.
    pub has_stages: bool,
    pub counts: Vec<CountSyntax>,
    pub events: Vec<EventSyntax>,
    pub sentences: Vec<SentenceSyntax>,
}

#[derive(Debug)]
pub struct StageSyntax {
    pub span: Range<usize>,
    pub id: Option<Spanned<String>>,
    pub after: Option<AfterSyntax>,
    pub clock: Option<ClockSyntax>,
    pub when: Option<WhenSyntax>,
    /// `k = 11`: how many records must show the same.
    pub k: Option<Spanned<i64>>,
    /// `[stage.do]`: class → action, in no order.
    pub actions: Vec<(Spanned<String>, ActionSyntax)>,
}

/// `clock = "record"` or `clock = { field = "timestamp", else = "record" }`.
#[derive(Debug)]
pub enum ClockSyntax {
    Word(Spanned<String>),
    Field { field: Option<Spanned<String>>, otherwise: Option<Spanned<String>> },
}

/// `after = "30d"`, `after = "unset"` where the operator has to say how long, or `after = { default = "90d", by = "account_id", file = "windows.toml" }`.
#[derive(Debug)]
pub enum AfterSyntax {
    Period(Spanned<String>),
    PerAccount {
        span: Range<usize>,
        default: Option<Spanned<String>>,
        by: Option<Spanned<String>>,
        file: Option<Spanned<String>>,
    },
}

/// `when = { field = "type", equals = "sms" }`, or `matches = '''…'''`, or `exists = true`.
#[derive(Debug)]
pub struct WhenSyntax {
    pub span: Range<usize>,
    pub field: Option<Spanned<String>>,
    pub equals: Vec<Spanned<String>>,
    pub matches: Option<Spanned<String>>,
    pub exists: Option<Spanned<bool>>,
}

/// `"remove"` or `{ mask = "calling_code" }`.
#[derive(Debug)]
pub struct ActionSyntax {
    pub word: Spanned<String>,
    pub detail: Option<Spanned<String>>,
    /// The whole value.
    pub span: Range<usize>,
}

/// `[[count]]`: an aggregate that outlives the records.
#[derive(Debug)]
pub struct CountSyntax {
    pub span: Range<usize>,
    pub id: Option<Spanned<String>>,
    pub by: Vec<Spanned<String>>,
    pub sum: Vec<Spanned<String>>,
    pub every: Option<Spanned<String>>,
    pub when: Option<WhenSyntax>,
    pub min: Option<Spanned<i64>>,
}

/// `[[event]]`: what ends windows sooner.
#[derive(Debug)]
pub struct EventSyntax {
    pub span: Range<usize>,
    pub id: Option<Spanned<String>>,
    pub when: Option<WhenSyntax>,
    pub by: Option<Spanned<String>>,
    pub after: Option<Spanned<String>>,
}

/// `[[sentence]]`: what a document promises, word for word, and what keeps it.
#[derive(Debug)]
pub struct SentenceSyntax {
    pub span: Range<usize>,
    pub text: Option<Spanned<String>>,
    /// Stages and counts of this file.
    pub kept_by: Vec<Spanned<String>>,
    /// What keeps it that is none of a policy's parts.
    pub elsewhere: Option<Spanned<String>>,
}

/// Reads the file; `None` where it is not TOML at all, which the report says.
#[must_use]
pub fn read(report: &Report<'_>) -> Option<PolicySyntax> {
    let document = parse(report)?;
    let top = TableReader::new(report, document.get_ref(), 0..0, "a policy");
    let policy = PolicySyntax {
        id: top.required_string("id", "`id = \"my-policy\"` as the first line"),
        summary: top.string("summary"),
        clock: clock(&top),
        margin: top.string("margin"),
        unknown_fields: top.string("unknown_fields"),
        city_floor: top.integer("city_floor"),
        oldest_plausible: top.string("oldest_plausible"),
        geo_fields: top.boolean("geo_fields"),
        region: top.string("region"),
        stages: top.tables("stage", "a stage").into_iter().map(stage).collect(),
        has_stages: top.has("stage"),
        counts: top.tables("count", "a count").into_iter().map(count).collect(),
        events: top.tables("event", "an event").into_iter().map(event).collect(),
        sentences: top.tables("sentence", "a sentence").into_iter().map(sentence).collect(),
    };
    let _ = top.finish();
    Some(policy)
}

fn stage(table: TableReader<'_, '_, '_>) -> StageSyntax {
    let stage = StageSyntax {
        span: table.span(),
        id: table.required_string("id", "`id = \"deidentify\"`"),
        after: after(&table),
        clock: clock(&table),
        when: table.table("when", "`when`").map(when),
        k: table.integer("k"),
        actions: table.table("do", "`[stage.do]`").map(|table| actions(&table)).unwrap_or_default(),
    };
    let _ = table.finish();
    stage
}

fn clock(table: &TableReader<'_, '_, '_>) -> Option<ClockSyntax> {
    let value = table.value("clock")?;
    if value.get_ref().is_str() {
        return table.string("clock").map(ClockSyntax::Word);
    }
    let inner = table.table("clock", "`clock`")?;
    let clock = ClockSyntax::Field {
        field: inner.required_string("field", "`field = \"timestamp\"`"),
        otherwise: inner.string("else"),
    };
    let _ = inner.finish();
    Some(clock)
}

fn after(table: &TableReader<'_, '_, '_>) -> Option<AfterSyntax> {
    let Some(value) = table.value("after") else {
        let _ = table.required_string("after", "`after = \"90d\"`");
        return None;
    };
    if !value.get_ref().is_table() {
        return table.string("after").map(AfterSyntax::Period);
    }
    let inner = table.table("after", "`after`")?;
    let after = AfterSyntax::PerAccount {
        span: inner.span(),
        default: inner.string("default"),
        by: inner.required_string("by", "`by = \"account_id\"`: the field that names the account"),
        file: inner.string("file"),
    };
    let _ = inner.finish();
    Some(after)
}

fn when(table: TableReader<'_, '_, '_>) -> WhenSyntax {
    let when = WhenSyntax {
        span: table.span(),
        field: table.required_string("field", "`field = \"type\"`"),
        equals: table.strings("equals"),
        matches: table.string("matches"),
        exists: table.boolean("exists"),
    };
    let _ = table.finish();
    when
}

fn actions(table: &TableReader<'_, '_, '_>) -> Vec<(Spanned<String>, ActionSyntax)> {
    let report = table.report();
    let mut actions = Vec::new();
    for (class, value) in table.entries() {
        match action(value) {
            Some(action) => actions.push((class, action)),
            None => report.error(
                value.span(),
                format!("the action for `{}` must be a word, or one word with its detail", class.get_ref()),
                "write \"remove\", or { mask = \"calling_code\" }",
            ),
        }
    }
    actions.sort_by_key(|(class, _)| class.span().start);
    actions
}

fn action(value: &Spanned<DeValue<'_>>) -> Option<ActionSyntax> {
    if let Some(word) = value.get_ref().as_str() {
        let word = Spanned::new(value.span(), word.to_owned());
        return Some(ActionSyntax { word, detail: None, span: value.span() });
    }
    let table = value.get_ref().as_table()?;
    let mut entries = table.iter();
    let (key, detail) = entries.next()?;
    if entries.next().is_some() {
        return None;
    }
    let word = Spanned::new(key.span(), key.get_ref().clone().into_owned());
    let detail = Spanned::new(detail.span(), detail.get_ref().as_str()?.to_owned());
    Some(ActionSyntax { word, detail: Some(detail), span: value.span() })
}

fn count(table: TableReader<'_, '_, '_>) -> CountSyntax {
    let count = CountSyntax {
        span: table.span(),
        id: table.required_string("id", "`id = \"billing\"`"),
        by: table.strings("by"),
        sum: table.strings("sum"),
        every: table.string("every"),
        when: table.table("when", "`when`").map(when),
        min: table.integer("min"),
    };
    let _ = table.finish();
    count
}

fn event(table: TableReader<'_, '_, '_>) -> EventSyntax {
    let event = EventSyntax {
        span: table.span(),
        id: table.required_string("id", "`id = \"closed\"`"),
        when: table.table("when", "`when`").map(when),
        by: table.required_string("by", "`by = \"account_id\"`: the field whose value it holds for"),
        after: table.required_string("after", "`after = \"30d\"`"),
    };
    let _ = table.finish();
    event
}

fn sentence(table: TableReader<'_, '_, '_>) -> SentenceSyntax {
    let sentence = SentenceSyntax {
        span: table.span(),
        text: table.required_string("text", "`text = \"Up to 90 days, then deleted\"`"),
        kept_by: table.strings("kept_by"),
        elsewhere: table.string("elsewhere"),
    };
    let _ = table.finish();
    sentence
}

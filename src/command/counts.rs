//! `logscrub counts`: what was counted of records that are gone.

mod fold;

use super::exit;
use super::failure::Failure;
use super::load::policy_of;
use super::output::print;
use super::store::{self, Opened, StoreArgs, failure};
use crate::diagnostic::did_you_mean;
use crate::policy::SMALLEST_GROUP;
use crate::service::config::PipelineConfig;
use crate::stage::count::{self, Group, Total, decimal};
use crate::stage::store::{Flow, Store, StoreError};
use clap::Args as ClapArgs;
use fold::{Row, fold};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

/// Shows the counts that outlive the records: how many were released, by the fields that policies count by
///
/// Groups of fewer records than the count's `min` (11 where the policy says nothing) are shown together, as `others`:
/// first those of one interval, and what is still too few, of all of them.
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    /// One count alone, by the id that its policy gives it
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// One pipeline alone, by its source
    #[arg(long, value_name = "TOPIC")]
    source: Option<String>,
    /// Intervals that begin at or after this, as they are shown: 2026-03-02
    #[arg(long, value_name = "FROM")]
    from: Option<String>,
    /// Intervals that begin before this
    #[arg(long, value_name = "TO")]
    to: Option<String>,
    /// Comma-separated values of one count, with their names in the first line
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// One JSON array on stdout
    #[arg(long)]
    json: bool,
}

/// The rows of one count.
struct Table {
    source: String,
    count: String,
    min: u64,
    by: Vec<String>,
    sums: Vec<String>,
    rows: Vec<Row>,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.counts().map_or_else(|failure| failure.report(), |()| 0)
    }

    fn counts(self) -> Result<(), Failure> {
        let config = self.store.read(None)?;
        let wanted = |pipeline: &&PipelineConfig| {
            let source = pipeline.settings.topics.source.as_ref();
            self.source.as_deref().is_none_or(|asked| asked == source)
        };
        let pipelines: Vec<&PipelineConfig> = config.pipelines.iter().filter(wanted).collect();
        if let (Some(asked), []) = (&self.source, pipelines.as_slice()) {
            let sources = config.pipelines.iter().map(|pipeline| pipeline.settings.topics.source.to_string());
            return Err(unknown("no pipeline reads", asked, "sources", sources.collect()));
        }
        let mut ids = BTreeSet::new();
        for pipeline in &pipelines {
            let policy = policy_of(&pipeline.policy, pipeline.rules.as_deref())?;
            ids.extend(policy.counts.into_iter().map(|count| count.id));
        }
        let store = store::open_to_read(&config.store)?;
        let mut tables = Vec::new();
        for pipeline in pipelines {
            let read = match &store {
                Opened::Embedded(store) => read(store, &pipeline.settings.topics.counts),
                Opened::Kafka(store) => read(store, &pipeline.settings.topics.counts),
            };
            let read = read.map_err(|error| failure(&error))?;
            // Of an earlier policy, too.
            ids.extend(read.keys().map(|group| group.count.clone()));
            tables.extend(self.tables(pipeline, read)?);
        }
        if let Some(asked) = self.id.as_ref().filter(|id| !ids.contains(*id)) {
            return Err(unknown("no count is called", asked, "counts", ids));
        }
        let shown = match (self.csv, self.json) {
            (true, _) => as_csv(&tables)?,
            (_, true) => as_json(&tables),
            _ => as_text(&tables),
        };
        print(shown)
    }

    fn tables(&self, pipeline: &PipelineConfig, read: BTreeMap<Group, Total>) -> Result<Vec<Table>, Failure> {
        let policy = policy_of(&pipeline.policy, pipeline.rules.as_deref())?;
        let mut by_count: BTreeMap<String, BTreeMap<Group, Total>> = BTreeMap::new();
        for (group, total) in read {
            let early = self.from.as_ref().is_some_and(|from| group.from < *from);
            let late = self.to.as_ref().is_some_and(|to| group.from >= *to);
            let other = self.id.as_ref().is_some_and(|id| group.count != *id);
            if !(early || late || other) {
                by_count.entry(group.count.clone()).or_default().insert(group, total);
            }
        }
        let table = |(count, groups): (String, BTreeMap<Group, Total>)| {
            let known = policy.counts.iter().find(|known| known.id == count);
            let min = known.map_or(SMALLEST_GROUP, |known| known.min);
            let fields = groups.keys().flat_map(|group| group.values.iter().map(|(field, _)| field.clone()));
            let mut by: Vec<String> = known.map(|known| known.by.clone()).unwrap_or_default();
            by.extend(
                fields
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .filter(|field| !known.is_some_and(|known| known.by.contains(field))),
            );
            let sums: BTreeSet<_> = groups.values().flat_map(|total| total.sums.keys().cloned()).collect();
            let sums = sums.into_iter().collect();
            let rows = fold(groups, min);
            let source = pipeline.settings.topics.source.to_string();
            Table { source, count, min, by, sums, rows }
        };
        Ok(by_count.into_iter().map(table).collect())
    }
}

/// `asked` is none of those that there are.
fn unknown(what: &str, asked: &str, all: &str, known: BTreeSet<String>) -> Failure {
    let help = match did_you_mean(asked, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the policy has no `[[count]]`".to_owned(),
        None => format!("the {all} are {}", known.iter().cloned().collect::<Vec<_>>().join(", ")),
    };
    Failure::usage(format!("{what} `{asked}`")).help(&help)
}

/// The totals of each group, over all chunks.
fn read<S: Store>(store: &S, topic: &str) -> Result<BTreeMap<Group, Total>, StoreError> {
    if !store.topics()?.iter().any(|known| *known.name == *topic) {
        return Err(StoreError::Refused(format!(
            "topic `{topic}` does not exist: nothing was counted yet; `logscrub run` makes it"
        )));
    }
    let starts: Vec<(i32, i64)> =
        store.bounds(topic)?.iter().map(|bounds| (bounds.partition, bounds.log_start)).collect();
    // The newest record of a key is all that counts.
    let mut newest: HashMap<(i32, Vec<u8>), Total> = HashMap::new();
    let mut unread = None;
    store.scan_each(topic, &starts, &mut |fetched| {
        let key = fetched.record.key.filter(|key| key.starts_with(b"count/"));
        if let Some(key) = key {
            let of = (fetched.place.partition, key.to_vec());
            match fetched.record.value.map(Total::from_json) {
                Some(Some(total)) => drop(newest.insert(of, total)),
                // It is no deletion.
                Some(None) => drop(unread.get_or_insert((fetched.place.partition, fetched.offset))),
                None => drop(newest.remove(&of)),
            }
        }
        Flow::Next
    })?;
    unread.map_or(Ok(()), |(partition, offset)| Err(count::unread(topic, partition, offset)))?;
    let mut totals: BTreeMap<Group, Total> = BTreeMap::new();
    for ((_, key), total) in newest {
        let group = std::str::from_utf8(&key).ok().and_then(Group::from_key);
        if let Some(group) = group {
            totals.entry(group).or_default().merge(&total);
        }
    }
    Ok(totals)
}

impl Table {
    fn head(&self) -> Vec<String> {
        let ends = ["records".to_owned()].into_iter().chain(self.sums.iter().cloned());
        ["from".to_owned()].into_iter().chain(self.by.iter().cloned()).chain(ends).collect()
    }

    /// A row's cells; `none` stands where a record has no such field.
    fn cells(&self, row: &Row, none: &str) -> Vec<String> {
        let value = |field: &String| match &row.values {
            None => "others".to_owned(),
            Some(values) => {
                let found = values.iter().find(|(name, _)| name == field);
                found.and_then(|(_, value)| value.clone()).unwrap_or_else(|| none.to_owned())
            }
        };
        let records = match &row.total {
            Some(total) => total.records.to_string(),
            None => format!("fewer than {}", self.min),
        };
        let sum = |field: &String| match &row.total {
            Some(total) => total.sums.get(field).map_or_else(|| none.to_owned(), |sum| decimal(*sum)),
            None => none.to_owned(),
        };
        let from = row.from.clone().unwrap_or_else(|| "all".to_owned());
        let by = self.by.iter().map(value);
        [from].into_iter().chain(by).chain([records]).chain(self.sums.iter().map(sum)).collect()
    }
}

/// Columns, each as wide as its widest cell.
fn as_text(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "{} of {}", table.count, table.source);
        let rows: Vec<Vec<String>> =
            [table.head()].into_iter().chain(table.rows.iter().map(|row| table.cells(row, "-"))).collect();
        let columns = rows.first().map_or(0, Vec::len);
        let width = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let counted = 1 + table.by.len();
        for row in &rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let _ = match column < counted {
                    true => write!(line, "{cell:<width$}  "),
                    false => write!(line, "{cell:>width$}  "),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    if text.is_empty() { "nothing was counted\n".to_owned() } else { text }
}

/// RFC 4180, with `\n`. A cell that a spreadsheet would take for a formula gets an apostrophe.
fn as_csv(tables: &[Table]) -> Result<String, Failure> {
    let table = match tables {
        [] => return Ok(String::new()),
        [table] => table,
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|table| format!("--source {} --id {}", table.source, table.count))
                .collect();
            let message = format!("CSV holds one count\nhelp: name it: {}", names.join(", or "));
            return Err(Failure::new(exit::USAGE, message));
        }
    };
    let mut text = String::new();
    for row in [table.head()].into_iter().chain(table.rows.iter().map(|row| table.cells(row, ""))) {
        let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        let _ = writeln!(text, "{}", cells.join(","));
    }
    Ok(text)
}

fn csv_cell(cell: &str) -> String {
    let number = crate::stage::count::amount(cell.as_bytes()).is_some();
    let formula = !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

fn as_json(tables: &[Table]) -> String {
    let mut all = Vec::new();
    for table in tables {
        for row in &table.rows {
            let by = row.values.as_ref().map(|values| values.iter().cloned().collect::<BTreeMap<_, _>>());
            let sums = row.total.as_ref().map(|total| {
                total.sums.iter().map(|(field, sum)| (field, decimal(*sum))).collect::<BTreeMap<_, _>>()
            });
            all.push(json!({
                "source": table.source,
                "count": table.count,
                "from": row.from,
                // `null`: groups of fewer than `min`, together.
                "by": by,
                // `null`: fewer than `min`.
                "records": row.total.as_ref().map(|total| total.records),
                "sum": sums,
                "min": table.min,
            }));
        }
    }
    serde_json::Value::from(all).to_string() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula_leaves() {
        for (cell, written) in [
            ("acct-17", "acct-17"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-3.5", "-3.5"),
            ("-x", "'-x"),
        ] {
            assert_eq!(csv_cell(cell), written);
        }
    }
}

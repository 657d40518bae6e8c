//! The layer rule: a module imports only from the rows above its own. The rows are read from the
//! table in `src/lib.rs`, so that the description cannot drift from the code.

use std::fs;
use std::path::{Path, PathBuf};

/// A row of the table: its name and the modules that stand in it.
struct Row {
    name: String,
    modules: Vec<String>,
}

/// In these rows modules may import one another.
const OPEN_ROWS: [&str; 4] = ["nouns", "rules", "engine", "edge"];

/// `(word, where it may stand, why)`: crates that only one place may name.
const OWNED_CRATES: [(&str, &[&str], &str); 3] = [
    ("rdkafka", &["src/store/kafka"], "stages know only the Store trait"),
    (
        "tokio",
        &["src/telemetry", "src/store", "src/geo", "src/service", "src/studio", "src/command", "src/main.rs"],
        "everything below the edge is pure and blocking",
    ),
    ("rusqlite", &["src/store/embedded"], "stages know only the Store trait"),
];

/// The table of `src/lib.rs`: `//! | name | [`module`] … |`.
fn rows(lib: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in lib.lines().filter_map(|line| line.strip_prefix("//! | ")) {
        let mut cells = line.split('|').map(str::trim);
        let (Some(name), Some(cell)) = (cells.next(), cells.next()) else { continue };
        let modules: Vec<String> = cell
            .split("[`")
            .skip(1)
            .filter_map(|rest| rest.split_once("`]").map(|(module, _)| module.to_owned()))
            .collect();
        if !modules.is_empty() {
            rows.push(Row { name: name.to_owned(), modules });
        }
    }
    rows
}

/// The code of a file without comments and without its tests.
fn code(text: &str) -> String {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = shipped.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// `src/store/embedded/body.rs` → `["store", "embedded", "body"]`.
fn module_path(path: &str) -> Vec<&str> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    inner.split('/').filter(|part| *part != "mod").collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// First names of a path or of a brace group: `a::b` → `a`; `{a::b, c}` → `a`, `c`.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// The top-level modules that a file names: by `crate::…`, by `logscrub::…`, or by as many `super::`
/// as lead to the top.
fn imports(path: &str, code: &str) -> Vec<String> {
    let own = module_path(path);
    let mut found = Vec::new();
    for root in ["crate::", "logscrub::"] {
        for (at, _) in code.match_indices(root) {
            if at == 0 || !is_word(code.as_bytes()[at - 1]) {
                found.extend(first_names(&code[at + root.len()..]));
            }
        }
    }
    let mut at = 0;
    while let Some(next) = code[at..].find("super::") {
        let start = at + next;
        let mut end = start;
        let mut ups = 0;
        while code[end..].starts_with("super::") {
            end += "super::".len();
            ups += 1;
        }
        if ups >= own.len() {
            found.extend(first_names(&code[end..]));
        }
        at = end;
    }
    found
}

/// Everything in `files` (path from the project's root, text) that breaks the rule.
fn violations(rows: &[Row], files: &[(String, String)]) -> Vec<String> {
    let place = |module: &str| rows.iter().position(|row| row.modules.iter().any(|m| m == module));
    let mut wrong = Vec::new();
    for (path, text) in files {
        let code = code(text);
        for (word, homes, why) in OWNED_CRATES {
            let named = code.match_indices(word).any(|(at, _)| {
                let before = at > 0 && is_word(code.as_bytes()[at - 1]);
                let after = code.as_bytes().get(at + word.len()).is_some_and(|byte| is_word(*byte));
                !before && !after
            });
            if named && !homes.iter().any(|home| path.starts_with(home)) {
                wrong.push(format!("{path} names {word}: {why}"));
            }
        }
        let own = module_path(path)[0];
        if ["lib", "main"].contains(&own) {
            continue;
        }
        let Some(own_row) = place(own) else {
            wrong.push(format!("{path}: module `{own}` stands in no row of the table in src/lib.rs"));
            continue;
        };
        for import in imports(path, &code) {
            let Some(row) = place(&import) else { continue };
            let same_row = row == own_row && (import == own || OPEN_ROWS.contains(&rows[row].name.as_str()));
            // The engine is above the stages, though they share a row.
            let engine_from_stage = own == "engine" && import == "stage";
            if engine_from_stage || !(row < own_row || same_row) {
                wrong.push(format!(
                    "{path}: `{own}` ({}) imports `{import}` ({})",
                    rows[own_row].name, rows[row].name
                ));
            }
        }
    }
    wrong
}

/// Every source file that ships, as (path, text).
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let shown = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else if shown.ends_with(".rs") && !shown.ends_with("tests.rs") && !shown.contains("/tests/") {
                files.push((shown, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

fn table() -> Vec<Row> {
    rows(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap())
}

#[test]
fn every_module_imports_only_from_the_rows_above() {
    let rows = table();
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["nouns", "steps", "rules", "engine", "edge"]);
    let files = sources();
    assert!(files.len() > 20, "the search found only {} files", files.len());
    let wrong = violations(&rows, &files);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Unsafe code stands in one file, and that is what the compiler was told.
#[test]
fn unsafe_code_stays_in_its_file() {
    const HOME: &str = "src/store/kafka/native.rs";
    let files = sources();
    let named: Vec<&str> = files
        .iter()
        .filter(|(_, text)| {
            let code = code(text);
            let words: Vec<&str> = code.split_whitespace().collect();
            words.iter().any(|word| *word == "unsafe") || code.contains("allow(unsafe_code)")
        })
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(named, [HOME]);
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    assert!(lib.contains("#![deny(unsafe_code)]"));
}

#[test]
fn main_stays_thin() {
    let main = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 60);
}

#[test]
fn planted_violations_are_found() {
    let rows = table();
    let planted = [
        ("src/codec/json.rs", "use crate::engine::Engine;", 1),
        ("src/codec/json.rs", "use crate::detect::Detector;", 1),
        ("src/detect/ip.rs", "fn f() { crate::transform::apply() }", 1),
        ("src/engine/mod.rs", "use crate::stage::Lane;", 1),
        ("src/engine/mod.rs", "use crate::{class::Class, store::{self, Store}, record::Record};", 1),
        ("src/record.rs", "use super::policy::Policy;", 1),
        ("src/codec/walk/mod.rs", "use super::super::store;", 1),
        ("src/rule/mod.rs", "pub(in crate::rule) fn f() {}\nuse crate::command::exit;", 1),
        ("src/stage/run.rs", "use rdkafka::producer::Producer;", 1),
        ("src/store/mod.rs", "use rusqlite::Connection;", 1),
        ("src/engine/mod.rs", "tokio::spawn(async {});", 1),
        ("src/new/mod.rs", "", 1),
        (
            "src/engine/mod.rs",
            "// use crate::store::Store;\nuse crate::rule::RuleSet;\nuse super::policy;",
            0,
        ),
        ("src/stage/mod.rs", "use crate::engine::Engine;", 0),
        ("src/codec/mod.rs", "#[cfg(test)]\nmod tests { use crate::engine::Engine; }", 0),
        ("src/codec/json.rs", "use super::walk;", 0),
    ];
    for (path, text, count) in planted {
        let wrong = violations(&rows, &[(path.to_owned(), text.to_owned())]);
        assert_eq!(wrong.len(), count, "{path}: {text}: {wrong:?}");
    }
}

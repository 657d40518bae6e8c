//! Embeds the rules, policies, lexicons and fixtures under `rules/`: one table of (path, text) per folder.
//! Fixed lists of words (`rules/lexicons/words`) become constants, so that looking one up costs nothing at
//! the start.
//!
//! The folders themselves are watched, so that a new file is never missed.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods)] // it reads files, and `println!` is how it speaks to cargo

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let project = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    // `rules` is watched too: a folder that does not exist yet may come.
    println!("cargo::rerun-if-changed=rules");
    for folder in ["detectors", "policies", "lexicons", "tests"] {
        embed(&project, folder, &out.join(format!("embedded_{folder}.rs")))?;
    }
    word_lists(&project, &out.join("word_lists.rs"))
}

/// Writes a module for each file of `rules/lexicons/words` and a sorted list for each of its tables.
fn word_lists(project: &Path, to: &Path) -> io::Result<()> {
    let shown = "rules/lexicons/words";
    println!("cargo::rerun-if-changed={shown}");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(project.join(shown))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let mut source = String::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        println!("cargo::rerun-if-changed={}", path.display());
        let wrong = |what: String| io::Error::other(format!("{}: {what}", path.display()));
        let module = path.file_stem().unwrap_or_default().to_string_lossy();
        let lists: toml::Table =
            fs::read_to_string(path)?.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
        let _ = writeln!(source, "pub mod {module} {{");
        for (name, list) in &lists {
            let field = |key: &str| list.get(key).and_then(toml::Value::as_str);
            let what = field("what").ok_or_else(|| wrong(format!("[{name}] does not say `what` it is")))?;
            let mut words: Vec<&str> = match (field("words"), field("phrases")) {
                (Some(words), None) => words.split_whitespace().collect(),
                (None, Some(phrases)) => phrases.split(',').map(str::trim).collect(),
                _ => return Err(wrong(format!("[{name}] has either `words` or `phrases`"))),
            };
            words.sort_unstable();
            if let Some(twice) = words.windows(2).find(|pair| pair.first() == pair.last()) {
                return Err(wrong(format!("[{name}] has {:?} twice", twice.first())));
            }
            if let Some(bad) = words.iter().find(|word| word.is_empty() || **word != word.to_lowercase()) {
                return Err(wrong(format!("[{name}] {bad:?}: words are neither empty nor in capitals")));
            }
            let _ = writeln!(source, "    #[doc = {what:?}]");
            let _ = writeln!(source, "    pub const {}: &[&str] = &{words:?};", name.to_uppercase());
        }
        source.push_str("}\n");
    }
    fs::write(to, source)
}

/// Writes `&[("rules/<folder>/<file>.toml", include_str!(…)), …]`, in the order of names.
fn embed(project: &Path, folder: &str, table: &Path) -> io::Result<()> {
    let shown = format!("rules/{folder}");
    let directory = project.join(&shown);
    let mut names = Vec::new();
    if directory.is_dir() {
        println!("cargo::rerun-if-changed={shown}");
        for entry in fs::read_dir(&directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".toml") {
                names.push(name);
            }
        }
    }
    names.sort();
    let mut source = String::from("&[\n");
    for name in names {
        println!("cargo::rerun-if-changed={shown}/{name}");
        let path = directory.join(&name).display().to_string();
        let _ = writeln!(source, "    ({:?}, include_str!({path:?})),", format!("{shown}/{name}"));
    }
    source.push_str("]\n");
    fs::write(table, source)
}

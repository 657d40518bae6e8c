//! Embeds the rules, policies, lexicons and fixtures under `rules/`: one table of (path, text) per folder.
//!
//! The folders themselves are watched, so that a new file is never missed.
#![allow(clippy::disallowed_macros)] // `println!` is how a build script speaks to cargo

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
    Ok(())
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

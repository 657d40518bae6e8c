//! The rules that come with the program.

use super::{Compiled, Sources, compile};
use crate::diagnostic::{Diagnostics, Source};

/// (path in the project, text) of every file in `rules/detectors`, put together by `build.rs`.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_detectors.rs"));

/// The shipped rule files, in the order of their names.
#[must_use]
pub fn shipped_sources() -> Vec<Source> {
    FILES.iter().map(|(path, text)| Source { name: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

/// The shipped rules alone.
///
/// # Errors
/// What is wrong with them; a test keeps them right.
pub fn shipped() -> Result<Compiled, Diagnostics> {
    compile(&Sources { shipped: shipped_sources(), user: Vec::new() })
}

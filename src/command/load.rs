//! The engine as the command line asks for it: policy, rules, region, places.

use super::exit;
use super::failure::Failure;
use crate::diagnostic::Source;
use crate::engine::Engine;
use crate::policy::{self, Policy};
use crate::rule::RuleSet;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The flags that every verb with an engine has.
#[derive(Args, Clone, Debug)]
pub struct EngineArgs {
    /// A shipped policy's id, or a policy file
    #[arg(long, value_name = "ID|FILE", default_value = "default")]
    pub policy: String,
    /// Your own rules: every *.toml below it is added to the shipped rules
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
}

/// What the flags come to.
pub struct Loaded {
    pub engine: Arc<Engine>,
    pub policy: Arc<Policy>,
}

impl EngineArgs {
    /// Reads and checks everything that the flags name. Warnings go to stderr.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let rules = RuleSet::default();
        let policy = load_policy(&self.policy, &rules.custom)?;
        let engine = Engine::new(Arc::new(rules), None);
        Ok(Loaded { engine: Arc::new(engine), policy: Arc::new(policy) })
    }
}

/// A shipped policy by its id, or the policy in a file. What holds a `/` or ends in `.toml` is a file.
fn load_policy(id_or_file: &str, custom: &[String]) -> Result<Policy, Failure> {
    let is_file = id_or_file.contains('/') || id_or_file.ends_with(".toml");
    let compiled = if is_file {
        policy::compile(&read_source(Path::new(id_or_file))?, custom)
    } else {
        policy::shipped(id_or_file, custom).ok_or_else(|| no_such_policy(id_or_file))?
    };
    let compiled = compiled.map_err(|errors| Failure::invalid(&errors))?;
    for warning in &compiled.warnings.0 {
        eprintln!("{warning}");
    }
    Ok(compiled.policy)
}

fn no_such_policy(id: &str) -> Failure {
    let ids: Vec<_> = policy::shipped_ids().collect();
    let message = format!(
        "there is no policy `{id}`\nhelp: shipped policies are {}; a file's name ends in .toml",
        ids.join(", ")
    );
    Failure::new(exit::INVALID, message)
}

/// A file that a person wrote.
fn read_source(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::new(exit::INVALID, format!("{name}: cannot be read: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(exit::INVALID, format!("{name}: is not UTF-8 text")))?;
    Ok(Source { name, text })
}

/// The place of the stage that `--stage` names; without the flag, of `scrub`, or of the first stage
/// where a policy calls it otherwise.
pub fn stage_of(policy: &Policy, id: Option<&str>) -> Result<usize, Failure> {
    let Some(id) = id else {
        return Ok(policy.stage_by_id("scrub").unwrap_or(0));
    };
    policy.stage_by_id(id).ok_or_else(|| {
        let ids: Vec<_> = policy.stages.iter().map(|stage| stage.id.as_str()).collect();
        Failure::usage(format!(
            "policy `{}` has no stage `{id}`\nhelp: its stages are {}",
            policy.id,
            ids.join(", ")
        ))
    })
}

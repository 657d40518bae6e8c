//! `logscrub check`: are the rules and the policy right?

use super::exit;
use super::failure::Failure;
use super::load::{compile_policy, rule_sources};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::policy::{self, Policy};
use crate::rule::{self, RuleSet};
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;

/// Checks rules and policy and shows everything that is wrong, at once
///
/// Exit code 0 if all is right (warnings included), 78 if not.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// A shipped policy's id, or a policy file
    #[arg(long, value_name = "ID|FILE", default_value = "default")]
    pub policy: String,
    /// Your own rules: every *.toml below it is added to the shipped rules
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// The result as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

impl Args {
    pub fn run(self) -> u8 {
        match self.check() {
            Ok(code) => code,
            Err(failure) => failure.report(),
        }
    }

    fn check(&self) -> Result<u8, Failure> {
        let sources = rule_sources(self.rules.as_deref())?;
        let rules = rule::compile(&sources);
        // A policy is checked even where the rules are wrong: against the classes that they name.
        let custom = match &rules {
            Ok(compiled) => compiled.rules.custom.clone(),
            Err(_) => rule::custom_names(&sources),
        };
        let policy = compile_policy(&self.policy, &custom)?;

        let mut found = Vec::new();
        let rules = split(rules.map(|compiled| (compiled.rules, compiled.warnings)), &mut found);
        let policy = split(policy.map(|compiled| (compiled.policy, compiled.warnings)), &mut found);
        for one in &found {
            eprintln!("{one}\n");
        }
        let shown = if self.json {
            as_json(&found, rules.as_ref(), policy.as_ref()).to_string()
        } else {
            as_text(rules.as_ref(), policy.as_ref())
        };
        let written = if shown.is_empty() { Ok(()) } else { writeln!(std::io::stdout(), "{shown}") };
        written.map_err(|error| Failure::io("stdout", &error))?;
        Ok(if rules.is_some() && policy.is_some() { 0 } else { exit::INVALID })
    }
}

/// What was compiled, if it was; errors or warnings go to `found`.
fn split<T>(compiled: Result<(T, Diagnostics), Diagnostics>, found: &mut Vec<Diagnostic>) -> Option<T> {
    match compiled {
        Ok((value, warnings)) => {
            found.extend(warnings.0);
            Some(value)
        }
        Err(errors) => {
            found.extend(errors.0);
            None
        }
    }
}

/// Two lines, or nothing where something is wrong: that is on stderr.
fn as_text(rules: Option<&RuleSet>, policy: Option<&Policy>) -> String {
    let Some((rules, policy)) = rules.zip(policy) else { return String::new() };
    let own = rules.rules.iter().filter(|rule| !rule.shipped).count();
    let digest = rules.digest.get(..12).unwrap_or_default();
    let stages: Vec<String> = policy.stages.iter().map(stage_in_words).collect();
    format!(
        "rules: {} ({own} of your own), digest {digest}\npolicy: {} ({})",
        rules.rules.len(),
        policy.id,
        stages.join(", ")
    )
}

fn stage_in_words(stage: &policy::Stage) -> String {
    match stage.after.default_period() {
        Some(age) => format!("{} {age}", stage.id),
        None => format!("{} per account", stage.id),
    }
}

fn as_json(found: &[Diagnostic], rules: Option<&RuleSet>, policy: Option<&Policy>) -> serde_json::Value {
    json!({
        "ok": rules.is_some() && policy.is_some(),
        "diagnostics": found,
        "rules": rules.map(|rules| json!({
            "count": rules.rules.len(),
            "own": rules.rules.iter().filter(|rule| !rule.shipped).count(),
            "digest": rules.digest,
            "custom_classes": rules.custom,
        })),
        "policy": policy.map(|policy| json!({
            "id": policy.id,
            "stages": policy.stages.iter().map(|stage| json!({
                "id": stage.id,
                "after": stage.after.default_period().map(|age| age.to_string()),
            })).collect::<Vec<_>>(),
        })),
    })
}

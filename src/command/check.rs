//! `logscrub check`: are the config, the rules and the policies right?

use super::exit;
use super::failure::Failure;
use super::load::{compile_policy, rule_sources};
use super::output::print;
use super::run::Given;
use super::store::{self, Opened, StoreArgs};
use super::topics::check_at_start;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::numbering::Region;
use crate::policy::{self, Policy};
use crate::rule::{self, RuleSet};
use crate::service::config::StoreConfig;
use crate::stage::Pipeline;
use crate::store::embedded::Access;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Checks config, rules and policies and shows everything that is wrong, at once
///
/// With --policy or --rules these alone; else the config with all that its pipelines name, if there is one. Exit code 0
/// if all is right (warnings included), 78 if not; with --online 69 or 77 where the service would not start.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Config file [default: logscrub.toml here, if there is one]
    #[arg(short = 'c', long = "config", value_name = "FILE", conflicts_with_all = ["policy", "rules"])]
    pub config: Option<PathBuf>,
    /// The store of the config too: is it there, are its topics, rights and brokers as they must be?
    #[arg(long, conflicts_with_all = ["policy", "rules"])]
    pub online: bool,
    /// A shipped policy's id, or a policy file [default: default]
    #[arg(long, value_name = "ID|FILE")]
    pub policy: Option<String>,
    /// Your own rules: every *.toml below it is added to the shipped rules
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// The result as one JSON object on stdout
    #[arg(long)]
    pub json: bool,
}

impl Args {
    pub fn run(self) -> u8 {
        self.check().unwrap_or_else(|failure| self.refused(&failure))
    }

    /// What is wrong, for people on stderr, and for programs on stdout.
    fn refused(&self, failure: &Failure) -> u8 {
        let found = failure.diagnostics();
        if self.json
            && let Err(failure) = print(format!("{}\n", json!({ "ok": false, "diagnostics": found })))
        {
            return failure.report();
        }
        failure.report()
    }

    fn check(&self) -> Result<u8, Failure> {
        let alone = self.policy.is_some() || self.rules.is_some();
        if self.config.is_some() || self.online || (!alone && Path::new("logscrub.toml").exists()) {
            return self.check_config();
        }
        let sources = rule_sources(self.rules.as_deref())?;
        let rules = rule::compile(&sources);
        // A policy is checked even where the rules are wrong: against the classes that they name.
        let custom = match &rules {
            Ok(compiled) => compiled.rules.custom.clone(),
            Err(_) => rule::custom_names(&sources),
        };
        let policy = compile_policy(self.policy.as_deref().unwrap_or("default"), &custom)
            .unwrap_or_else(|failure| Err(Diagnostics(failure.diagnostics())));

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
        if !shown.is_empty() {
            print(format!("{shown}\n"))?;
        }
        Ok(if rules.is_some() && policy.is_some() { 0 } else { exit::INVALID })
    }

    /// The config, and of each pipeline its rules, its policy with the operator's windows, and its databases.
    fn check_config(&self) -> Result<u8, Failure> {
        let config = StoreArgs { config: self.config.clone(), embedded: None }.read(None)?;
        let mut warnings: Vec<Diagnostic> = Vec::new();
        let pipelines = Given::default().pipelines(&config, &mut |found| {
            for one in &found.0 {
                if !warnings.contains(one) {
                    eprintln!("{one}\n");
                    warnings.push(one.clone());
                }
            }
        });
        // Whatever a file that is named cannot be: the config is not right.
        let pipelines = pipelines.map_err(|failure| failure.with_code(exit::INVALID))?;
        let is_there = match &config.store {
            StoreConfig::Kafka { .. } => true,
            StoreConfig::Embedded { path } => store::is_made(path),
        };
        if self.online
            && is_there
            && let Opened::Kafka(kafka) = store::open(&config.store, Access::Visitor)?
        {
            check_at_start(&kafka, &pipelines, &config)?;
        }
        let shown = if self.json {
            let pipelines: Vec<_> = pipelines.iter().map(|pipeline| pipeline_as_json(pipeline)).collect();
            json!({ "ok": true, "online": self.online, "diagnostics": warnings, "pipelines": pipelines })
                .to_string()
        } else {
            let mut lines: Vec<_> = pipelines.iter().map(|pipeline| pipeline_as_text(pipeline)).collect();
            lines.extend(self.online.then(|| match is_there {
                true => "online: the store is as it must be".to_owned(),
                false => {
                    "online: there is no store yet; `logscrub put` or `logscrub run` makes it".to_owned()
                }
            }));
            lines.join("\n")
        };
        print(format!("{shown}\n"))?;
        Ok(0)
    }
}

fn pipeline_as_text(pipeline: &Pipeline) -> String {
    let rules = as_text(Some(pipeline.engine.rules()), Some(&pipeline.policy));
    format!("pipeline: {}\n{rules}", pipeline.topics.source)
}

fn pipeline_as_json(pipeline: &Pipeline) -> serde_json::Value {
    let mut json = as_json(&[], Some(pipeline.engine.rules()), Some(&pipeline.policy));
    if let Some(members) = json.as_object_mut() {
        members.insert("source".to_owned(), json!(pipeline.topics.source.as_ref()));
    }
    json
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
    let region = policy.region.map(|region| format!(", region {}", region.code())).unwrap_or_default();
    format!(
        "rules: {} ({own} of your own), digest {digest}\npolicy: {} ({}){region}",
        rules.rules.len(),
        policy.id,
        stages.join(", ")
    )
}

fn stage_in_words(stage: &policy::Stage) -> String {
    match stage.after.default_period() {
        Some(age) => format!("{} {age}", stage.id),
        None if stage.after == policy::After::Unset => format!("{} as the operator sets", stage.id),
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
            "region": policy.region.map(Region::code),
            "stages": policy.stages.iter().map(|stage| json!({
                "id": stage.id,
                "after": stage.after.default_period().map(|age| age.to_string()),
            })).collect::<Vec<_>>(),
        })),
    })
}

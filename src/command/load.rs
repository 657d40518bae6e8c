//! The engine as the command line asks for it: policy, rules, region, places.

use super::exit;
use super::failure::{Failure, Wrong};
use super::geo::GeoArgs;
use super::keys;
use crate::diagnostic::{Diagnostics, Source, did_you_mean};
use crate::engine::Engine;
use crate::numbering::Region;
use crate::policy::{self, Accounts, After, Policy};
use crate::rule::{self, Sources};
use crate::service::file;
use crate::transform::Keys;
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
    /// The country whose national numbers are meant where nothing else tells (ISO 3166: US, GB, …)
    #[arg(long, value_name = "CC", value_parser = region)]
    pub region: Option<Region>,
    #[command(flatten)]
    pub geo: GeoArgs,
    /// The folder with the keys that pseudonyms are made with; without keys such values are removed
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
    /// Whose records these are: pseudonyms of two tenants cannot be joined
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub tenant: String,
}

/// The value of `--region`.
pub fn region(code: &str) -> Result<Region, String> {
    Region::from_code(code)
        .ok_or_else(|| "no country has this two-letter code (ISO 3166: US, GB, …)".to_owned())
}

/// What the flags come to.
pub struct Loaded {
    pub engine: Arc<Engine>,
    pub policy: Arc<Policy>,
    /// When the oldest database of places was built, in seconds since 1970.
    pub geo_build_seconds: u64,
    /// The keys that the engine makes pseudonyms with.
    pub keys: Option<Arc<Keys>>,
}

impl EngineArgs {
    /// Reads and checks everything that the flags name. Warnings go to stderr.
    pub fn load(&self) -> Result<Loaded, Failure> {
        let mut show = |warnings: &Diagnostics| show(warnings);
        self.load_with(&mut show, &|_, failure| failure)
    }

    /// As [`load`](EngineArgs::load). `tell` gets the warnings; `at` gives what is wrong with the thing of a key its
    /// place.
    pub fn load_with(
        &self,
        tell: &mut dyn FnMut(&Diagnostics),
        at: &dyn Fn(&'static str, Failure) -> Failure,
    ) -> Result<Loaded, Failure> {
        let mut wrong = Wrong::default();
        let sources = wrong.take(rule_sources(self.rules.as_deref()).map_err(|failure| at("rules", failure)));
        let rules = sources.as_ref().and_then(|sources| {
            wrong.take(rule::compile(sources).map_err(|errors| Failure::invalid(&errors)))
        });
        // A policy is checked even where the rules are wrong: against the classes that they name.
        let custom = match (&rules, &sources) {
            (Some(compiled), _) => Some(compiled.rules.custom.clone()),
            (None, Some(sources)) => Some(rule::custom_names(sources)),
            (None, None) => None,
        };
        let policy = custom.and_then(|custom| {
            let compiled = compile_policy(&self.policy, &custom).map_err(|failure| at("policy", failure));
            wrong.take(compiled.and_then(|it| it.map_err(|errors| Failure::invalid(&errors))))
        });
        let places = wrong.take(self.geo.open().map_err(|failure| at("geo", failure)));
        let keys = self.keys.as_deref().map(keys::load).transpose().map_err(|failure| at("keys", failure));
        let keys = wrong.take(keys);
        wrong.into_result()?;
        let (Some(rules), Some(policy), Some(places), Some(keys)) = (rules, policy, places, keys) else {
            unreachable!("what is missing was reported")
        };
        tell(&rules.warnings);
        tell(&policy.warnings);
        let mut policy = policy.policy;
        policy.region = self.region.or(policy.region);
        let geo_build_seconds = places.build_timestamp_seconds();
        let mut engine =
            Engine::new(Arc::new(rules.rules), Some(Arc::new(places))).with_region(policy.region);
        if let Some(keys) = &keys {
            engine = engine.with_keys(keys.clone(), self.tenant.as_bytes());
        }
        Ok(Loaded { engine: Arc::new(engine), policy: Arc::new(policy), geo_build_seconds, keys })
    }
}

/// The shipped rule files, and those in the user's directory. A folder without any is one that was not mounted: what
/// its rules find would leave.
pub fn rule_sources(directory: Option<&Path>) -> Result<Sources, Failure> {
    let user = directory.map(rule_files).transpose()?;
    if let (Some(directory), Some([])) = (directory, user.as_deref()) {
        let none = format!("{}: there is no rule file (*.toml) in this folder", directory.display());
        let help = "fill or mount it; without rules of your own leave `rules` (`--rules`) out";
        return Err(Failure::new(exit::INVALID, none).help(help));
    }
    Ok(Sources { shipped: rule::shipped_sources(), user: user.unwrap_or_default() })
}

/// Every `*.toml` below a directory, in the order of their paths; hidden names and linked folders
/// are passed over.
pub fn rule_files(directory: &Path) -> Result<Vec<Source>, Failure> {
    rule_paths(directory)?.iter().map(|path| read_source(path)).collect()
}

/// Their paths.
pub fn rule_paths(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error: std::io::Error| {
            let help = "name a folder with *.toml files";
            Failure::new(exit::INVALID, format!("{}: cannot be read: {error}", folder.display())).help(help)
        };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            // Hidden folders are Kubernetes' copies behind the links that we read anyway.
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type().map_err(unreadable)?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// A policy alone, checked against the classes of the rules that it runs with. Nothing is told of warnings.
pub fn policy_of(id_or_file: &str, rules: Option<&Path>) -> Result<Policy, Failure> {
    let custom = rule::custom_names(&rule_sources(rules)?);
    let compiled = compile_policy(id_or_file, &custom)?.map_err(|errors| Failure::invalid(&errors))?;
    Ok(compiled.policy)
}

/// The policy that an id or a path means, or what is wrong with it; a failure where there is none. What holds a `/` or
/// ends in `.toml` is a file.
pub fn compile_policy(
    id_or_file: &str,
    custom: &[String],
) -> Result<Result<policy::Compiled, Diagnostics>, Failure> {
    if id_or_file.contains('/') || id_or_file.ends_with(".toml") {
        let compiled = policy::compile(&read_source(Path::new(id_or_file))?, custom);
        return compiled
            .map_or_else(|errors| Ok(Err(errors)), |compiled| with_accounts(compiled, id_or_file));
    }
    policy::shipped(id_or_file, custom).ok_or_else(|| no_such_policy(id_or_file))
}

/// Reads the files with accounts' windows that a policy names, from the policy file's directory.
fn with_accounts(
    mut compiled: policy::Compiled,
    policy_file: &str,
) -> Result<Result<policy::Compiled, Diagnostics>, Failure> {
    let base = Path::new(policy_file).parent().unwrap_or(Path::new(""));
    for stage in &mut compiled.policy.stages {
        let After::PerAccount { file: Some(file), accounts, .. } = &mut stage.after else { continue };
        match Accounts::compile(&read_source(&base.join(file))?) {
            Ok(read) => *accounts = read,
            Err(errors) => return Ok(Err(errors)),
        }
    }
    Ok(Ok(compiled))
}

/// Every file that a policy of a file is made of: its own, and those with accounts' windows that it names.
pub fn policy_paths(policy_file: &Path) -> Vec<PathBuf> {
    let base = policy_file.parent().unwrap_or(Path::new(""));
    let named = read_source(policy_file).map(|source| policy::account_files(&source)).unwrap_or_default();
    let named = named.into_iter().map(|file| base.join(file));
    std::iter::once(policy_file.to_owned()).chain(named).collect()
}

/// Warnings for whoever called us.
pub fn show(warnings: &Diagnostics) {
    for warning in &warnings.0 {
        eprintln!("{warning}");
    }
}

/// Warnings for the service's log, which never holds what stands in a file.
pub fn log(warnings: &Diagnostics) {
    for warning in &warnings.0 {
        tracing::warn!("{}", warning.without_content());
    }
}

fn no_such_policy(id: &str) -> Failure {
    let ids: Vec<_> = policy::shipped_ids().collect();
    let near = did_you_mean(id, ids.iter().copied()).map(|near| format!("did you mean `{near}`? "));
    let message = format!(
        "there is no policy `{id}`\nhelp: {}shipped policies are {}; a file's name ends in .toml",
        near.unwrap_or_default(),
        ids.join(", ")
    );
    Failure::new(exit::INVALID, message)
}

/// A file that a person wrote.
pub fn read_source(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let text = file::read(path).map_err(|why| Failure::new(exit::INVALID, format!("{name}: {why}")))?;
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

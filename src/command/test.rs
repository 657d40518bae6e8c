//! `logscrub test`: do rules find what they say, and do stages emit what their fixtures say?

mod fixture;
mod mutate;
mod report;
mod run;

use super::exit;
use super::failure::Failure;
use super::load::{compile_policy, read_source, rule_files};
use super::output::print;
use crate::diagnostic::{Diagnostics, Source};
use crate::engine::{Engine, Scratch};
use crate::geo::Databases;
use crate::numbering::Region;
use crate::policy::{self, Policy};
use crate::record::{Record, RecordBuf};
use crate::rule::{self, Sources};
use fixture::{Case, FileKind, kind_of};
use report::Results;
use run::Found;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The shipped fixtures: (path in the project, text), put together by `build.rs`.
static FIXTURES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded_tests.rs"));

/// Runs the hits and misses of all rules, and the cases of fixtures
///
/// Shipped ones always, and those of the given files: rules are added to the shipped rules, policies can be
/// named by fixtures, fixtures are run. Exit code 0 if all is as it should be, 1 if not, 78 if a file is
/// wrong.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Rules, policies and fixtures of your own: files, or directories with *.toml below them
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Writes the results as JUnit's XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// The results as one JSON object on stdout
    #[arg(long)]
    json: bool,
    /// Runs every hit in other ways of writing, too (capitals, separators, escapes, encodings), and says what stays
    #[arg(long)]
    mutate: bool,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.test().unwrap_or_else(|failure| failure.report())
    }

    fn test(&self) -> Result<u8, Failure> {
        let suite = Suite::load(&self.paths)?;
        let mut results = suite.run();
        if self.mutate {
            results.mutants = Some(suite.mutate());
        }
        let shown = if self.json { results.as_json().to_string() } else { results.as_text() };
        print(format!("{shown}\n"))?;
        if let Some(path) = &self.junit {
            std::fs::write(path, results.as_junit())
                .map_err(|error| Failure::io(&path.display().to_string(), &error))?;
        }
        Ok(if results.failed() == 0 { 0 } else { exit::NO })
    }
}

/// Everything to run.
struct Suite {
    engine: Engine,
    /// Of the regions that policies name.
    of_regions: BTreeMap<Region, Engine>,
    examples: Vec<rule::Example>,
    safe_only: Policy,
    /// Each case with its policy.
    cases: Vec<(Case, Arc<Policy>)>,
}

impl Suite {
    /// The shipped files, and the user's. Everything wrong in any of them is one failure.
    fn load(paths: &[PathBuf]) -> Result<Suite, Failure> {
        let mut fixtures: Vec<Source> = FIXTURES
            .iter()
            .map(|(path, text)| Source { name: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        let mut rules = Sources { shipped: rule::shipped_sources(), user: Vec::new() };
        let mut policies = Vec::new();
        for source in user_files(paths)? {
            match kind_of(&source) {
                FileKind::Fixture => fixtures.push(source),
                FileKind::Policy => policies.push(source),
                FileKind::Rules => rules.user.push(source),
            }
        }

        let mut wrong = Diagnostics::default();
        let compiled = collect(rule::compile(&rules), &mut wrong);
        let custom = compiled
            .as_ref()
            .map_or_else(|| rule::custom_names(&rules), |compiled| compiled.rules.custom.clone());
        let mut known = Policies { custom, by_name: HashMap::new() };
        for source in &policies {
            if let Some(compiled) = collect(policy::compile(source, &known.custom), &mut wrong) {
                wrong.0.extend(compiled.warnings.0);
                known.by_name.insert(compiled.policy.id.clone(), Arc::new(compiled.policy));
            }
        }
        let mut cases = Vec::new();
        for source in &fixtures {
            for case in collect(fixture::read(source), &mut wrong).unwrap_or_default() {
                if let Some(policy) = known.of_case(&case, &mut wrong) {
                    cases.push((case, policy));
                }
            }
        }

        if let Some(compiled) = &compiled {
            wrong.0.extend(compiled.warnings.0.iter().cloned());
        }
        let warnings = wrong.into_result().map_err(|errors| Failure::invalid(&errors))?;
        for warning in &warnings.0 {
            eprintln!("{warning}\n");
        }
        let Some(compiled) = compiled else { unreachable!("rules that do not compile are an error") };
        let (rules, places) = (Arc::new(compiled.rules), Arc::new(Databases::embedded()));
        let engine = || Engine::new(rules.clone(), Some(places.clone()));
        let regions = cases.iter().filter_map(|(_, policy)| policy.region);
        let of_regions = regions.collect::<BTreeSet<_>>().into_iter();
        let of_regions = of_regions.map(|region| (region, engine().with_region(Some(region)))).collect();
        let safe_only = Source { name: "safe_only".to_owned(), text: SAFE_ONLY.to_owned() };
        let safe_only = policy::compile(&safe_only, &[]).map_err(|errors| Failure::invalid(&errors))?.policy;
        Ok(Suite { engine: engine(), of_regions, examples: compiled.examples, safe_only, cases })
    }

    fn run(&self) -> Results {
        let mut probe =
            Probe { engine: &self.engine, safe_only: &self.safe_only, scratch: Scratch::default() };
        let (mut verdicts, coverage) = run::examples(self.engine.rules(), &self.examples, &mut probe);
        let mut scratch = Scratch::default();
        let mut out = RecordBuf::default();
        for (case, policy) in &self.cases {
            let of_region = policy.region.and_then(|region| self.of_regions.get(&region));
            let engine = of_region.unwrap_or(&self.engine);
            verdicts.extend(run::case(case, |stage, line| {
                let Some(stage) = policy.stage_by_id(stage) else {
                    return Err(format!("policy `{}` has no stage `{stage}`", policy.id));
                };
                let record = Record { value: Some(line), ..Record::default() };
                engine.apply(&mut scratch, policy, stage, &record, &mut out);
                Ok(out.value.clone().unwrap_or_default())
            }));
        }
        Results { verdicts, coverage, mutants: None }
    }

    fn mutate(&self) -> Vec<mutate::Outcome> {
        let mut probe =
            Probe { engine: &self.engine, safe_only: &self.safe_only, scratch: Scratch::default() };
        mutate::run(&self.examples, &mut probe)
    }
}

/// A policy whose first stage removes every finding, and whose last one keeps safe values and nothing else.
const SAFE_ONLY: &str = "id = 'safe_only'\n[[stage]]\nid = 'scrub'\nafter = '0d'\n\
                         [stage.do]\nevent_id = 'remove'\nurl = 'remove'\nuser_agent = 'remove'\n\
                         timestamp = 'remove'\nport = 'remove'\n\
                         [[stage]]\nid = 'last'\nafter = '1d'\ndo.safe = 'keep'\n";

/// The engine as the judge of examples asks it.
struct Probe<'s> {
    engine: &'s Engine,
    safe_only: &'s Policy,
    scratch: Scratch,
}

impl run::Engine for Probe<'_> {
    /// A line that the engine cannot read has no findings.
    fn find(&mut self, line: &[u8]) -> Vec<Found> {
        let record = Record { value: Some(line), ..Record::default() };
        let found = self.engine.find(&mut self.scratch, &record).unwrap_or_default();
        found
            .into_iter()
            .map(|(_, one)| Found {
                rule: one.rule,
                class: one.class,
                span: one.span,
                text: one.span.of(line).to_vec(),
            })
            .collect()
    }

    fn leave_safe(&mut self, line: &[u8]) -> Vec<u8> {
        let record = Record { value: Some(line), ..Record::default() };
        let mut out = RecordBuf::default();
        let last = self.safe_only.stages.len().saturating_sub(1);
        self.engine.apply(&mut self.scratch, self.safe_only, last, &record, &mut out);
        out.value.unwrap_or_default()
    }
}

impl mutate::Engine for Probe<'_> {
    fn find(&mut self, line: &[u8]) -> Vec<Found> {
        run::Engine::find(self, line)
    }

    fn leave(&mut self, line: &[u8]) -> Vec<u8> {
        let record = Record { value: Some(line), ..Record::default() };
        let mut out = RecordBuf::default();
        self.engine.apply(&mut self.scratch, self.safe_only, 0, &record, &mut out);
        out.value.unwrap_or_default()
    }
}

fn user_files(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = rule_files(path)?;
            if found.is_empty() {
                let none = format!("{}: there is no *.toml file in this folder", path.display());
                return Err(
                    Failure::new(exit::INVALID, none).help("name a folder with rules, policies or fixtures")
                );
            }
            files.extend(found);
        } else {
            files.push(read_source(path)?);
        }
    }
    Ok(files)
}

/// The value, or what is wrong goes to `wrong`.
fn collect<T>(outcome: Result<T, Diagnostics>, wrong: &mut Diagnostics) -> Option<T> {
    outcome.map_err(|errors| wrong.0.extend(errors.0)).ok()
}

/// The policies that fixtures name, each compiled once.
struct Policies {
    custom: Vec<String>,
    by_name: HashMap<String, Arc<Policy>>,
}

impl Policies {
    /// A policy of the given files by its id, a shipped one by its id, or a file beside the fixture.
    fn of_case(&mut self, case: &Case, wrong: &mut Diagnostics) -> Option<Arc<Policy>> {
        let is_file = case.policy.contains('/') || case.policy.ends_with(".toml");
        let name = if is_file {
            let folder = Path::new(&case.file).parent().unwrap_or(Path::new("."));
            folder.join(&case.policy).display().to_string()
        } else {
            case.policy.clone()
        };
        if let Some(policy) = self.by_name.get(&name) {
            return Some(policy.clone());
        }
        let compiled = compile_policy(&name, &self.custom).unwrap_or_else(|failure| {
            let placed = match &case.policy_place {
                Some(place) => failure.placed(|message| place.says(message)),
                None => failure,
            };
            Err(Diagnostics(placed.diagnostics()))
        });
        // Cases of one file may name the same one.
        let compiled = compiled.map_err(|mut errors| {
            errors.0.retain(|one| !wrong.0.contains(one));
            errors
        });
        collect(compiled, wrong).map(|compiled| {
            let policy = Arc::new(compiled.policy);
            self.by_name.insert(name, policy.clone());
            policy
        })
    }
}

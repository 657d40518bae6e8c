//! `logscrub topics plan|apply|verify`: what a pipeline's topics must be on Kafka.

use super::exit;
use super::failure::Failure;
use super::run::pipelines_of;
use super::store::{self, Opened, StoreArgs, failure};
use crate::service::topics::{self, Finding, Wanted};
use crate::service::watch;
use crate::store::embedded::Access;
use crate::store::kafka::Kafka;
use clap::{Args as ClapArgs, Subcommand};
use std::io::Write as _;

/// Plans, makes and checks the topics of all pipelines
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Shows every topic that is needed, with its settings
    Plan(Common),
    /// Makes what is missing and mends what is wrong, in our own topics only
    Apply(Common),
    /// Says what is wrong; exit code 1 if anything is
    Verify(Common),
}

#[derive(ClapArgs, Debug)]
struct Common {
    #[command(flatten)]
    store: StoreArgs,
    /// The result as one JSON array on stdout
    #[arg(long)]
    json: bool,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.topics().unwrap_or_else(|failure| failure.report())
    }

    fn topics(self) -> Result<u8, Failure> {
        let (What::Plan(common) | What::Apply(common) | What::Verify(common)) = &self.what;
        let config = common.store.read(None)?;
        let pipelines = pipelines_of(&config)?;
        let Opened::Kafka(kafka) = store::open(&config.store, Access::Visitor)? else {
            return print(common.json, &[] as &[Finding], "the embedded store makes its topics itself\n")
                .map(|()| 0);
        };
        let mut wanted = Vec::new();
        let mut findings = Vec::new();
        let mut done = Vec::new();
        for (pipeline, config) in pipelines.iter().zip(&config.pipelines) {
            let plan =
                topics::plan(&kafka, pipeline, config.outage_budget_ms).map_err(|error| failure(&error))?;
            match &self.what {
                What::Plan(_) => {}
                What::Apply(_) => {
                    done.extend(topics::apply(&kafka, &plan).map_err(|error| failure(&error))?);
                }
                What::Verify(_) => {
                    findings
                        .extend(topics::verify(&kafka, pipeline, &plan).map_err(|error| failure(&error))?);
                }
            }
            wanted.extend(plan);
        }
        match &self.what {
            What::Plan(_) => print(common.json, &wanted, &plan_text(&wanted)).map(|()| 0),
            What::Apply(_) => {
                let text: String = done.iter().map(|line| format!("{line}\n")).collect();
                let text = if text.is_empty() { "nothing to do\n".to_owned() } else { text };
                print(common.json, &done, &text).map(|()| 0)
            }
            What::Verify(_) => {
                let text = if findings.is_empty() {
                    "all topics are as they must be\n".into()
                } else {
                    tell(&findings)
                };
                print(common.json, &findings, &text)?;
                Ok(if findings.is_empty() { 0 } else { exit::NO })
            }
        }
    }
}

fn print(json: bool, all: &(impl serde::Serialize + ?Sized), text: &str) -> Result<(), Failure> {
    let shown = match json {
        true => serde_json::to_string(all)
            .map(|json| json + "\n")
            .map_err(|_| Failure::new(exit::OUR_BUG, "a result cannot be written as JSON"))?,
        false => text.to_owned(),
    };
    std::io::stdout().write_all(shown.as_bytes()).map_err(|error| Failure::io("stdout", &error))
}

fn plan_text(wanted: &[Wanted]) -> String {
    let mut text = String::new();
    for topic in wanted {
        text +=
            &format!("{}: {} partitions, {} replicas\n", topic.topic, topic.partitions, topic.replication);
        for (name, value) in &topic.settings {
            text += &format!("    {name} = {value}\n");
        }
    }
    text
}

fn tell(findings: &[Finding]) -> String {
    findings.iter().map(|found| format!("{}: {}; {}\n", found.topic, found.what, found.help)).collect()
}

/// Refuses to run on topics that lose data early or keep it too long.
pub(super) fn check_at_start(
    kafka: &Kafka,
    pipelines: &[std::sync::Arc<crate::stage::Pipeline>],
    config: &crate::service::config::Config,
) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for (pipeline, config) in pipelines.iter().zip(&config.pipelines) {
        let plan = topics::plan(kafka, pipeline, config.outage_budget_ms).map_err(|error| failure(&error))?;
        findings.extend(topics::verify(kafka, pipeline, &plan).map_err(|error| failure(&error))?);
        for topic in plan.iter().map(|wanted| wanted.topic.as_str()).chain([pipeline.topics.source.as_ref()])
        {
            watch::compliant(topic, !findings.iter().any(|finding| finding.topic == topic));
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    let text = tell(&findings);
    Err(Failure::new(exit::REFUSED, format!("the topics are not as they must be\n{}", text.trim_end())))
}

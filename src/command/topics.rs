//! `logscrub topics plan|apply|verify`: what a pipeline's topics must be on Kafka.

use super::exit;
use super::failure::Failure;
use super::output;
use super::run::pipelines_of;
use super::store::{self, Opened, StoreArgs, failure};
use crate::policy::Period;
use crate::service::check;
use crate::service::clock::SystemClock;
use crate::service::config::{Config, StoreConfig};
use crate::service::topics::{self, Finding, Level, Wanted};
use crate::service::watch;
use crate::stage::Pipeline;
use crate::stage::store::StoreError;
use crate::store::embedded::Access;
use crate::store::kafka::Kafka;
use clap::{Args as ClapArgs, Subcommand};
use std::sync::Arc;

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
        let itself = || {
            print(common.json, &[] as &[Finding], "the embedded store makes its topics itself\n").map(|()| 0)
        };
        if let StoreConfig::Embedded { .. } = &config.store {
            return itself();
        }
        let Opened::Kafka(kafka) = store::open(&config.store, Access::Visitor)? else { return itself() };
        let mut wanted = Vec::new();
        let mut done = Vec::new();
        for (pipeline, config) in pipelines.iter().zip(&config.pipelines) {
            let plan =
                topics::plan(&kafka, pipeline, config.outage_budget_ms).map_err(|error| failure(&error))?;
            if let What::Apply(_) = &self.what {
                done.extend(topics::apply(&kafka, &plan).map_err(|error| failure(&error))?);
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
                let findings = check(&kafka, &pipelines, &config).map_err(|error| failure(&error))?;
                let right = !findings.iter().any(|found| found.level == Level::Refuse);
                let mut text = tell(&findings);
                if right {
                    text.push_str("all topics are as they must be\n");
                    text.extend(pipelines.iter().map(|pipeline| bound(pipeline)));
                }
                print(common.json, &findings, &text)?;
                Ok(if right { 0 } else { exit::NO })
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
    output::print(shown)
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
    let line = |found: &Finding| {
        let warning = if found.level == Level::Warn { "warning: " } else { "" };
        format!("{warning}{}: {}; {}\n", found.topic, found.what, found.help)
    };
    findings.iter().map(line).collect()
}

/// Until when a released original is gone from the disk.
fn bound(pipeline: &Pipeline) -> String {
    let Some(window_ms) = pipeline.window_ms() else { return String::new() };
    let period = |ms: i64| Period { months: 0, seconds: ms.max(0).unsigned_abs().div_ceil(1000) };
    let due_ms = window_ms - pipeline.schedule.margin_ms();
    format!(
        "{}: window {}; released from {} on, gone from the broker's disk by {}\n",
        pipeline.topics.source,
        period(window_ms),
        period(due_ms),
        period(due_ms + pipeline.deletion_bound_ms())
    )
}

/// Refuses to run on topics and a cluster that lose data early or keep it too long.
pub(super) fn check_at_start(
    kafka: &Kafka,
    pipelines: &[Arc<Pipeline>],
    config: &Config,
) -> Result<(), Failure> {
    let findings = check(kafka, pipelines, config).map_err(|error| failure(&error))?;
    for Finding { topic, what, help, .. } in findings.iter().filter(|found| found.level == Level::Warn) {
        tracing::warn!(topic, help, "{what}");
    }
    let wrong: Vec<Finding> = findings.into_iter().filter(|found| found.level == Level::Refuse).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let text = tell(&wrong);
    Err(Failure::new(exit::REFUSED, format!("the topics are not as they must be\n{}", text.trim_end())))
}

/// The same while the service runs: what was changed meanwhile is told, and shows in the metrics.
pub(super) fn check_again(kafka: &Kafka, pipelines: &[Arc<Pipeline>], config: &Config) {
    match check(kafka, pipelines, config) {
        Ok(findings) => {
            for Finding { topic, what, help, .. } in
                findings.iter().filter(|found| found.level == Level::Refuse)
            {
                tracing::error!(topic, help, "{what}");
            }
        }
        Err(error) => tracing::warn!(reason = %error, "the topics could not be checked"),
    }
}

/// All findings; the cluster's only where the topics are right.
fn check(kafka: &Kafka, pipelines: &[Arc<Pipeline>], config: &Config) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut topics_of_all = Vec::new();
    for (pipeline, config) in pipelines.iter().zip(&config.pipelines) {
        let plan = topics::plan(kafka, pipeline, config.outage_budget_ms)?;
        findings.extend(topics::verify(kafka, pipeline, &plan)?);
        topics_of_all.extend(plan.into_iter().map(|wanted| wanted.topic));
        topics_of_all.push(pipeline.topics.source.to_string());
    }
    if findings.iter().all(|found| found.level == Level::Warn) {
        findings.extend(check::cluster(kafka, pipelines, &SystemClock)?);
    }
    for topic in &topics_of_all {
        let wrong = |found: &Finding| found.topic == *topic && found.level == Level::Refuse;
        watch::compliant(topic, !findings.iter().any(wrong));
    }
    Ok(findings)
}

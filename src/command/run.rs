//! `logscrub run`: the service.

use super::exit;
use super::failure::{Failure, Wrong};
use super::geo::GeoArgs;
use super::load::{EngineArgs, log, read_source, region, show};
use super::reload::Reload;
use super::store::{self, Opened, StoreArgs};
use crate::class::Class;
use crate::diagnostic::Diagnostics;
use crate::numbering::Region;
use crate::policy::{Accounts, Policy, Stage, WindowError};
use crate::service::clock::SteadyClock;
use crate::service::config::{Config, PipelineConfig, StoreConfig};
use crate::service::keys::{InUse, KeyFolder, KeysInUse};
use crate::service::topics::erase_ms;
use crate::service::watch;
use crate::service::{Health, Leaving, Mode, Part, RunSpec, Threads, crash, listen, run};
use crate::stage::Pipeline;
use crate::stage::age::ScheduleError;
use crate::store::embedded::Access;
use crate::telemetry::Scrape;
use crate::transform::Action;
use clap::Args as ClapArgs;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Scrubs, holds, de-identifies and purges, until told to stop
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    given: Given,
    /// Run a part only: `scrub`, or any later stage's id for all lanes
    #[arg(long, value_name = "ID")]
    stage: Option<String>,
    /// The source to its end at start, then the lanes until every head waits; then leave
    #[arg(long)]
    once: bool,
}

/// What goes before the config's own words.
#[derive(ClapArgs, Clone, Debug, Default)]
pub(super) struct Given {
    /// A shipped policy's id, or a policy file [default: the config's, else `default`]
    #[arg(long, value_name = "ID|FILE")]
    pub(super) policy: Option<String>,
    /// Your own rules: every *.toml below it is added to the shipped rules
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    /// The country whose national numbers are meant where nothing else tells (ISO 3166: US, GB, …)
    #[arg(long, value_name = "CC", value_parser = region)]
    region: Option<Region>,
    /// Databases with cities (.mmdb), asked in this order; without them there are countries only
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) geo: Vec<PathBuf>,
    /// The folder with the keys that pseudonyms are made with; without keys such values are removed
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Those of the pipelines that were made.
    #[arg(skip)]
    in_use: InUse,
}

impl Args {
    #[must_use]
    pub fn run(self) -> u8 {
        self.serve().map_or_else(|failure| failure.report_to_log(), |()| 0)
    }

    fn serve(self) -> Result<(), Failure> {
        start_logs();
        if let Ok(at) = std::env::var(crash::VARIABLE) {
            crash::install(&at).map_err(Failure::usage)?;
        }
        let scrape = if self.once { None } else { Scrape::install() };
        let config = self.store.read(self.given.policy.as_deref())?;
        let pipelines = self.given.pipelines(&config, &mut |warnings| log(warnings))?;
        let part = self.part(&pipelines)?;
        let leaving = Arc::new(Leaving::default());
        let health = Arc::new(Health::default());
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::flag::register(signal, leaving.flag())
                .map_err(|error| Failure::io("signals", &error))?;
        }
        if let Some(scrape) = scrape {
            answer(config.listen.as_deref(), scrape, health.clone(), leaving.clone())?;
        }
        let seed =
            getrandom::u64().map_err(|_| Failure::new(exit::IO, "the system gives no random numbers"))?;
        let mode = if self.once { Mode::Once } else { Mode::Forever };
        let clock = Arc::new(SteadyClock::new(store::wall()));
        let reload = |kafka| {
            let (store, given) = (self.store.clone(), self.given.clone());
            Reload::new(store, given, kafka, config.clone(), pipelines.clone()).map(Box::new)
        };
        let (in_use, kept) = (self.given.in_use.clone(), clock.clone());
        let ended = match store::open(&config.store, Access::Service)? {
            Opened::Embedded(store) => {
                let (changes, store, threads) = (reload(None)?, Arc::new(store), Threads::One);
                let tend: Box<dyn Fn() + Send + Sync> = Box::new(move || {
                    in_use.tend();
                    // There is no other clock to ask.
                    kept.tend(&|_| Ok(0));
                });
                run(&RunSpec {
                    store,
                    pipelines,
                    clock,
                    part,
                    mode,
                    seed,
                    leaving,
                    threads,
                    health,
                    changes,
                    tend,
                })
            }
            Opened::Kafka(store) => {
                super::topics::check_at_start(&store, &pipelines, &config)?;
                watch_the_end(leaving.clone(), config.drain_timeout_ms);
                let (store, threads) = (Arc::new(store), Threads::PerWorker);
                let changes = reload(Some(store.clone()))?;
                let (broker, topic) =
                    (store.clone(), pipelines.first().map(|one| one.topics.progress.clone()));
                let tend: Box<dyn Fn() + Send + Sync> = Box::new(move || {
                    in_use.tend();
                    kept.tend(&|ours| match &topic {
                        Some(topic) => broker.clock_ahead_ms(topic, ours),
                        None => Ok(0),
                    });
                });
                run(&RunSpec {
                    store,
                    pipelines,
                    clock,
                    part,
                    mode,
                    seed,
                    leaving,
                    threads,
                    health,
                    changes,
                    tend,
                })
            }
        };
        ended.map_err(|error| store::failure(&error))
    }

    fn part(&self, pipelines: &[Arc<Pipeline>]) -> Result<Part, Failure> {
        let Some(id) = &self.stage else { return Ok(Part::All) };
        let places: Vec<usize> =
            pipelines.iter().filter_map(|pipeline| pipeline.policy.stage_by_id(id)).collect();
        match places.first() {
            Some(0) => Ok(Part::Scrub),
            Some(_) => Ok(Part::Lanes),
            None => Err(Failure::usage(format!("no policy that runs here has a stage `{id}`"))),
        }
    }
}

/// Says which key writes, or that none does where the policy asks for pseudonyms.
fn tell_of_keys(pipeline: &Pipeline, keys: Option<&KeysInUse>) {
    let source = pipeline.topics.source.as_ref();
    let asks =
        |stage: &Stage| Class::ALL.iter().any(|class| stage.actions.of(*class) == Some(Action::Pseudonym));
    match keys {
        Some(keys) => tracing::info!(source, keys = ?keys.keys, "keys of pseudonyms, the last one writes"),
        None if pipeline.policy.stages.iter().any(asks) => tracing::warn!(
            source,
            "the policy asks for pseudonyms and there are no keys: such values are removed; `logscrub keys init \
             --keys keys` and `keys = \"keys\"` in the pipeline give it some"
        ),
        None => {}
    }
}

/// Where metrics are answered if the config says nothing.
const LISTEN: &str = "127.0.0.1:9464";

/// Answers `/metrics`, `/livez` and `/readyz`. What the config asks for must be free; the usual address
/// may be another process's.
fn answer(
    asked: Option<&str>,
    scrape: Scrape,
    health: Arc<Health>,
    leaving: Arc<Leaving>,
) -> Result<(), Failure> {
    let address = asked.unwrap_or(LISTEN);
    if address == "off" {
        return Ok(());
    }
    match (listen(address, scrape, health, leaving), asked) {
        (Ok(bound), _) => {
            tracing::info!("metrics at http://{bound}/metrics, health at /livez and /readyz");
            Ok(())
        }
        (Err(reason), None) => {
            tracing::warn!(reason, "no metrics: nothing can listen at {LISTEN}; set `listen` in the config");
            Ok(())
        }
        (Err(reason), Some(address)) => {
            Err(Failure::new(exit::IO, format!("nothing can listen at `{address}` (`listen`): {reason}")))
        }
    }
}

/// How long the clients may take to be closed when all work is done.
const CLOSING: Duration = Duration::from_secs(20);

/// Ends the process where leaving hangs: a call to a broker that is away takes minutes, and a client can
/// wait for ever when it is dropped. What is open then is a transaction, which its successor aborts.
#[allow(clippy::disallowed_methods, reason = "the edge waits")]
fn watch_the_end(leaving: Arc<Leaving>, drain_timeout_ms: i64) {
    let step = Duration::from_millis(500);
    let drain = Duration::from_millis(drain_timeout_ms.unsigned_abs());
    std::thread::spawn(move || {
        while !leaving.asked() {
            std::thread::sleep(step);
        }
        let begun = Instant::now();
        while leaving.outcome().is_none() && !leaving.all_committed() && begun.elapsed() < drain {
            std::thread::sleep(step);
        }
        if leaving.outcome().is_none() && !leaving.all_committed() {
            let late = format!(
                "the open transactions did not end in {} s (`drain_timeout`); they are aborted, and done again at \
                 the next start",
                drain.as_secs()
            );
            exit_now(Failure::new(exit::BROKER_UNREACHABLE, late).report());
        }
        std::thread::sleep(CLOSING);
        let failed = leaving.outcome().and_then(|outcome| outcome.as_ref().err());
        let code = failed.map_or(0, |error| store::failure(error).report());
        tracing::warn!(seconds = CLOSING.as_secs(), "all is committed, and a client was not closed in time");
        exit_now(code);
    });
}

/// Leaves without running anything that could wait for a stuck client.
fn exit_now(code: u8) -> ! {
    signal_hook::low_level::exit(code.into());
}

/// The pipelines of a config, without flags. Warnings go to stderr.
pub(super) fn pipelines_of(config: &Config) -> Result<Vec<Arc<Pipeline>>, Failure> {
    Given::default().pipelines(config, &mut |warnings| show(warnings))
}

impl Given {
    /// Every pipeline, or what is wrong with any of them. `tell` gets the warnings.
    pub(super) fn pipelines(
        &self,
        config: &Config,
        tell: &mut dyn FnMut(&Diagnostics),
    ) -> Result<Vec<Arc<Pipeline>>, Failure> {
        let mut wrong = Wrong::default();
        let mut pipelines = Vec::new();
        for pipeline in &config.pipelines {
            pipelines.extend(wrong.take(self.pipeline(pipeline, &config.store, tell)));
        }
        wrong.into_result().map(|()| pipelines)
    }

    /// Whether a flag stands before the config's key.
    fn has(&self, key: &str) -> bool {
        match key {
            "policy" => self.policy.is_some(),
            "rules" => self.rules.is_some(),
            "geo" => !self.geo.is_empty(),
            "keys" => self.keys.is_some(),
            _ => false,
        }
    }

    /// Flags go before the config.
    fn pipeline(
        &self,
        config: &PipelineConfig,
        store: &StoreConfig,
        tell: &mut dyn FnMut(&Diagnostics),
    ) -> Result<Arc<Pipeline>, Failure> {
        let engine = EngineArgs {
            policy: self.policy.clone().unwrap_or_else(|| config.policy.clone()),
            rules: self.rules.clone().or_else(|| config.rules.clone()),
            region: self.region.or(config.region),
            geo: GeoArgs { geo: if self.geo.is_empty() { config.geo.clone() } else { self.geo.clone() } },
            keys: self.keys.clone().or_else(|| config.keys.clone()),
            tenant: config.tenant.clone().unwrap_or_default(),
        };
        let at = |key: &'static str, failure: Failure| match self.has(key) {
            true => failure,
            false => failure.placed(|message| config.wrong(key, message)),
        };
        let mut wrong = Wrong::default();
        let accounts = wrong.take(accounts_of(config)).flatten();
        // As it is before it is read: what changes meanwhile has changed.
        let folder = engine.keys.as_deref().map(KeyFolder::at).map(|folder| (folder.state(), folder));
        let loaded = wrong.take(engine.load_with(tell, &at));
        let loaded = loaded.and_then(|mut loaded| {
            wrong.take(set_windows(Arc::make_mut(&mut loaded.policy), config, accounts.as_ref()))?;
            Some(loaded)
        });
        wrong.into_result()?;
        let Some(loaded) = loaded else { unreachable!("what is missing was reported") };
        watch::places_built(loaded.geo_build_seconds);
        let keys = folder.zip(loaded.keys).map(|((state, folder), keys)| KeysInUse::new(folder, state, keys));
        let mut settings = config.settings.clone();
        if let StoreConfig::Kafka { .. } = store {
            settings.erase_ms = erase_ms(&loaded.policy);
        }
        Pipeline::new((*loaded.policy).clone(), loaded.engine, settings)
            .map(|pipeline| {
                tell_of_keys(&pipeline, keys.as_ref());
                keys.into_iter().for_each(|keys| self.in_use.add(keys));
                Arc::new(pipeline)
            })
            .map_err(|error| Failure::new(exit::REFUSED, error.to_string()))
            .map_err(|failure| failure.placed(|message| config.wrong("policy", message)))
    }
}

/// What stands in the file with accounts' windows that the config names.
fn accounts_of(config: &PipelineConfig) -> Result<Option<Accounts>, Failure> {
    let Some(file) = &config.accounts else { return Ok(None) };
    let source =
        read_source(file).map_err(|failure| failure.placed(|message| config.wrong("accounts", message)))?;
    Accounts::compile(&source).map(Some).map_err(|errors| Failure::invalid(&errors))
}

/// Puts the operator's windows into the policy.
fn set_windows(
    policy: &mut Policy,
    config: &PipelineConfig,
    accounts: Option<&Accounts>,
) -> Result<(), Failure> {
    let mut wrong = Wrong::default();
    let refuse = |key: &str, reason: String| {
        Failure::new(exit::INVALID, reason).placed(|message| config.wrong(key, message))
    };
    let at = |key: String| move |error: WindowError| refuse(&key, error.to_string());
    for (stage, window) in &config.windows {
        wrong.take(policy.set_window(stage, *window).map_err(at(format!("windows.{stage}"))));
    }
    if let Some(accounts) = accounts {
        wrong.take(policy.set_accounts(accounts).map_err(at("accounts".into())));
    }
    let last = config.windows.last().map_or("policy".into(), |(stage, _)| format!("windows.{stage}="));
    wrong.take(policy.check_windows().map_err(at(last)));
    if let Some(stage) = policy.unset() {
        let (policy, stage) = (policy.id.clone(), stage.id.clone());
        let unset = ScheduleError::NoAge { policy, stage }.to_string();
        wrong.take(Err::<(), _>(refuse("policy", unset)));
    }
    wrong.into_result()
}

/// Our own logs go to stderr: for people on a terminal, else one JSON object a line. `LOGSCRUB_LOG`
/// sets the level (`info`; `warn`; `debug`).
fn start_logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LOGSCRUB_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let logs =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second start in one process (tests) keeps the first one's logs.
    let _ = if std::io::stderr().is_terminal() { logs.try_init() } else { logs.json().try_init() };
}

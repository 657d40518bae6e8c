//! Config, rules and policies that change while the service runs: read again on SIGHUP, and when one of their
//! files changes. All or nothing: what is wrong in any way is told, and everything stays as it was.

use super::exit;
use super::failure::Failure;
use super::load::{log, policy_paths, rule_paths};
use super::run::Given;
use super::store::StoreArgs;
use super::topics::{check_again, check_at_start};
use crate::service::Changes;
use crate::service::config::Config;
use crate::service::watch::{self, Reloaded};
use crate::stage::cell::Anonymity;
use crate::stage::{Pipeline, needed_topics};
use crate::store::kafka::Kafka;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often files are looked at. What has changed is read when it has not changed again since the last look:
/// whoever writes several files has that long.
const LOOK: Duration = Duration::from_secs(1);

/// After how long a reload is tried again that the broker did not let be checked.
const AGAIN: Duration = Duration::from_secs(10);

/// What tells one state of a file from another: device, number, length, time of its last change in seconds and
/// nanoseconds. A link is what it leads to; Kubernetes changes where links lead.
type Stamp = (u64, u64, u64, i64, i64);
type Stamps = BTreeMap<PathBuf, Option<Stamp>>;

/// See the module.
pub(super) struct Reload {
    store: StoreArgs,
    given: Given,
    kafka: Option<Arc<Kafka>>,
    asked: Arc<AtomicBool>,
    state: Mutex<State>,
}

struct State {
    /// Of all files, as they were read last.
    stamps: Stamps,
    /// Seen at the last look, and other than `stamps`.
    changing: Option<Stamps>,
    looked: Instant,
    /// When to read again what could not be judged, since the broker was away.
    again: Option<Instant>,
    running: Running,
    /// What was read and is not running: its files may be what makes it right.
    read: Option<Config>,
    /// What it came to.
    tried: Option<Vec<Arc<Pipeline>>>,
}

#[derive(Clone)]
struct Running {
    config: Config,
    pipelines: Vec<Arc<Pipeline>>,
}

impl Reload {
    pub(super) fn new(
        store: StoreArgs,
        given: Given,
        kafka: Option<Arc<Kafka>>,
        config: Config,
        pipelines: Vec<Arc<Pipeline>>,
    ) -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGHUP, asked.clone())
            .map_err(|error| Failure::io("signals", &error))?;
        let stamps = stamps(&files(&store, &given, &config));
        let running = Running { config, pipelines };
        let state = State {
            stamps,
            changing: None,
            looked: Instant::now(),
            again: None,
            running,
            read: None,
            tried: None,
        };
        Ok(Reload { store, given, kafka, asked, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every file that may change what runs.
    fn files(&self, state: &State) -> Vec<PathBuf> {
        let configs = std::iter::once(&state.running.config).chain(&state.read);
        configs.flat_map(|config| files(&self.store, &self.given, config)).collect()
    }

    fn load(&self, state: &mut State) -> Result<Vec<Arc<Pipeline>>, Failure> {
        // As they are before they are read: what changes meanwhile has changed.
        state.read = None;
        state.stamps = stamps(&self.files(state));
        state.changing = None;
        state.again = None;
        let config = self.store.read(self.given.policy.as_deref())?;
        for (path, stamp) in stamps(&files(&self.store, &self.given, &config)) {
            state.stamps.entry(path).or_insert(stamp);
        }
        state.read = Some(config.clone());
        refuse_what_needs_a_start(&state.running.config, &config)?;
        let pipelines = self.given.pipelines(&config, &mut |warnings| log(warnings))?;
        if let Some(kafka) = &self.kafka {
            check_at_start(kafka, &pipelines, &config)?;
        }
        state.tried = Some(pipelines.clone());
        Ok(pipelines)
    }
}

impl Changes for Reload {
    fn look(&self) -> Option<Vec<Arc<Pipeline>>> {
        let mut state = self.state();
        let asked = self.asked.swap(false, Ordering::SeqCst);
        if !state.has_changed(|state| self.files(state)) && !asked {
            return None;
        }
        tracing::info!("reading config, rules and policies again");
        match self.load(&mut state) {
            Ok(pipelines) => Some(pipelines),
            Err(failure) => {
                watch::reloaded(Reloaded::Refused);
                let reason = failure.without_content();
                if state.is_tried_again(&failure) {
                    let seconds = AGAIN.as_secs();
                    tracing::warn!(
                        reason,
                        seconds,
                        "nothing was changed yet: the broker did not let what was read be checked; it is read again"
                    );
                } else {
                    tracing::error!(
                        reason,
                        "nothing was changed: what was read is not right; `logscrub check` shows the lines"
                    );
                }
                None
            }
        }
    }

    fn ended(&self, how: Reloaded) {
        watch::reloaded(how);
        let mut state = self.state();
        let tried = state.tried.take();
        if how == Reloaded::Refused {
            return;
        }
        if let (Some(config), Some(pipelines)) = (state.read.take(), tried) {
            if self.kafka.is_some() {
                want_nothing_of_what_is_gone(&state.running.pipelines, &pipelines);
            }
            tell_of_new_readings(&state.running.pipelines, &pipelines);
            state.running = Running { config, pipelines };
            let files = self.files(&state);
            state.stamps.retain(|path, _| files.contains(path));
            tracing::info!("config, rules and policies were read again");
        }
    }

    fn check_again(&self) {
        let Some(kafka) = &self.kafka else { return };
        let Running { config, pipelines } = self.state().running.clone();
        check_again(kafka, &pipelines, &config);
    }
}

impl State {
    /// Whether what was read may be right: then it is read again, though its files stay as they are.
    fn is_tried_again(&mut self, failure: &Failure) -> bool {
        let broker_is_away = failure.code() == exit::BROKER_UNREACHABLE;
        self.again = broker_is_away.then(|| Instant::now() + AGAIN);
        broker_is_away
    }

    fn has_changed(&mut self, files: impl Fn(&State) -> Vec<PathBuf>) -> bool {
        if self.looked.elapsed() < LOOK {
            return false;
        }
        self.looked = Instant::now();
        if self.again.is_some_and(|at| at <= Instant::now()) {
            return true;
        }
        let now = stamps(&files(self));
        if now == self.stamps {
            self.changing = None;
            return false;
        }
        let settled = self.changing.as_ref() == Some(&now);
        self.changing = Some(now);
        settled
    }
}

/// Topics that no pipeline uses any more are as they must be, whatever they are: their gauges would alert for ever.
fn want_nothing_of_what_is_gone(were: &[Arc<Pipeline>], are: &[Arc<Pipeline>]) {
    let of = |pipelines: &[Arc<Pipeline>]| -> BTreeSet<Arc<str>> {
        let ours = |pipeline: &Arc<Pipeline>| needed_topics(pipeline, 1).into_iter().map(|topic| topic.name);
        let sources = pipelines.iter().map(|pipeline| pipeline.topics.source.clone());
        pipelines.iter().flat_map(ours).chain(sources).collect()
    };
    of(were).difference(&of(are)).for_each(|gone| watch::compliant(gone, true));
}

/// Says which pipelines release what was counted until now in the coarsest form: what was counted under other rules says
/// nothing of what these show.
fn tell_of_new_readings(were: &[Arc<Pipeline>], are: &[Arc<Pipeline>]) {
    let reading = |pipeline: &Pipeline| pipeline.anonymity.as_ref().map(Anonymity::reading);
    for pipeline in are {
        let source = pipeline.topics.source.as_ref();
        let was =
            were.iter().find(|was| was.topics.source == pipeline.topics.source).and_then(|was| reading(was));
        if was.is_some() && was != reading(pipeline) {
            tracing::warn!(
                source,
                "rules or actions are others than those that counted what is held: where fewer than `k` show the same \
                 under the new ones, it is released in the coarsest form"
            );
        }
    }
}

/// Where the store is, who we are there, and where we answer is settled once.
fn refuse_what_needs_a_start(was: &Config, is: &Config) -> Result<(), Failure> {
    let instance = |config: &Config| config.pipelines.first().map(|first| first.settings.instance.clone());
    let differs = [
        (was.store != is.store, "the store"),
        (was.listen != is.listen, "`listen`"),
        (was.drain_timeout_ms != is.drain_timeout_ms, "`drain_timeout`"),
        (instance(was) != instance(is), "`instance`"),
    ];
    let changed: Vec<&str> = differs.iter().filter(|(differs, _)| *differs).map(|(_, what)| *what).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let changed = changed.join(", ");
    Err(Failure::new(
        exit::REFUSED,
        format!("{changed} cannot change while the service runs; start it again"),
    ))
}

/// Every file that a config is made of. A directory of rules stands for itself and for what is in it.
fn files(store: &StoreArgs, given: &Given, config: &Config) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if store.embedded.is_none() {
        files.push(store.config_path().to_owned());
    }
    for pipeline in &config.pipelines {
        let policy = given.policy.as_ref().unwrap_or(&pipeline.policy);
        if policy.contains('/') || policy.ends_with(".toml") {
            files.extend(policy_paths(Path::new(policy)));
        }
        if let Some(rules) = given.rules.as_ref().or(pipeline.rules.as_ref()) {
            files.extend(rule_paths(rules).unwrap_or_default());
            files.push(rules.clone());
        }
        files.extend(if given.geo.is_empty() { pipeline.geo.clone() } else { given.geo.clone() });
        files.extend(pipeline.accounts.clone());
    }
    files
}

fn stamps(files: &[PathBuf]) -> Stamps {
    files.iter().map(|path| (path.clone(), stamp(path))).collect()
}

/// `None`: there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::run::pipelines_of;
    use crate::service::config;

    #[test]
    fn what_changed_is_read_once_it_stands_still() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("policy.toml");
        let files = [file.clone()];
        let config = config::without_config(dir.path(), "default");
        let past = Instant::now().checked_sub(LOOK * 2).unwrap();
        let running = Running { config, pipelines: Vec::new() };
        let mut state = State {
            stamps: stamps(&files),
            changing: None,
            looked: past,
            again: None,
            running,
            read: None,
            tried: None,
        };
        let look = |state: &mut State| {
            state.looked = past;
            state.has_changed(|_| files.to_vec())
        };
        assert!(!look(&mut state));
        std::fs::write(&file, "a").unwrap();
        assert!(!look(&mut state), "it may go on changing");
        std::fs::write(&file, "ab").unwrap();
        assert!(!look(&mut state), "it went on changing");
        assert!(look(&mut state));
        state.stamps = stamps(&files);
        assert!(!look(&mut state));
        // As Kubernetes does: a link leads elsewhere.
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::rename(&file, &old).unwrap();
        std::fs::write(&new, "ab").unwrap();
        std::os::unix::fs::symlink(&old, &file).unwrap();
        state.stamps = stamps(&files);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&new, &file).unwrap();
        assert!(!look(&mut state) && look(&mut state));
    }

    #[test]
    fn what_the_broker_did_not_let_be_checked_is_read_again() {
        let config = config::without_config(Path::new("a"), "default");
        let past = Instant::now().checked_sub(LOOK * 2).unwrap();
        let running = Running { config, pipelines: Vec::new() };
        let (stamps, changing, again) = (Stamps::new(), None, None);
        let mut state = State { stamps, changing, looked: past, again, running, read: None, tried: None };
        let look = |state: &mut State| {
            state.looked = past;
            state.has_changed(|_| Vec::new())
        };
        assert!(!state.is_tried_again(&Failure::new(exit::INVALID, "not right")));
        assert!(!look(&mut state));
        assert!(state.is_tried_again(&Failure::new(exit::BROKER_UNREACHABLE, "away")));
        assert!(!look(&mut state), "not at once");
        state.again = Some(past);
        assert!(look(&mut state));
    }

    #[test]
    fn topics_that_nobody_uses_any_more_alert_nobody() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let shown = metrics::with_local_recorder(&recorder, || {
            let pipelines = |source: &str| {
                let mut config = config::without_config(Path::new("a"), "default");
                config.pipelines[0].settings.topics = crate::stage::topics::Topics::of(source);
                pipelines_of(&config).unwrap()
            };
            let (stays, goes) = (pipelines("stays"), pipelines("goes"));
            for topic in ["stays", "stays.scrubbed", "goes", "goes.scrubbed"] {
                watch::compliant(topic, false);
            }
            want_nothing_of_what_is_gone(&[stays.clone(), goes].concat(), &stays);
            recorder.handle().render()
        });
        for line in [
            r#"{topic="stays"} 0"#,
            r#"{topic="stays.scrubbed"} 0"#,
            r#"{topic="goes"} 1"#,
            r#"{topic="goes.scrubbed"} 1"#,
        ] {
            assert!(shown.contains(&format!("logscrub_topic_compliant{line}")), "{line}\n--\n{shown}");
        }
    }

    #[test]
    fn what_a_start_settles_does_not_change() {
        let was = config::without_config(Path::new("a"), "default");
        assert!(refuse_what_needs_a_start(&was, &was).is_ok());
        let is = Config { listen: Some("off".into()), ..config::without_config(Path::new("b"), "default") };
        let told = refuse_what_needs_a_start(&was, &is).unwrap_err().to_string();
        assert!(told.contains("the store, `listen` cannot change while the service runs"), "{told}");
    }
}

//! `logscrub.toml`: the store, and what runs on it.
//!
//! Environment over file over defaults: `LOGSCRUB__EMBEDDED__PATH`, `LOGSCRUB__KAFKA__BOOTSTRAP_SERVERS`,
//! `LOGSCRUB__PIPELINE__0__TICK` (pipelines count from 0; lists with commas). A whole value may be
//! `${env:NAME}` or `${file:PATH}`.

mod kafka;
mod topics;
mod values;

pub use topics::owner;

use crate::diagnostic::{Diagnostic, Diagnostics, Report, Severity, Source, TableReader, parse};
use crate::numbering::Region;
use crate::policy::Period;
use crate::stage::Settings;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use values::{Environment, Origin, Values};

/// A config that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub store: StoreConfig,
    /// At least one.
    pub pipelines: Vec<PipelineConfig>,
    /// How long the end of the open transactions may take once the service is told to leave.
    pub drain_timeout_ms: i64,
    /// Address and port of `/metrics`, `/livez` and `/readyz`; `off`.
    pub listen: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// The directory; one relative to the config file's own directory was made whole.
    Embedded { path: PathBuf },
    /// librdkafka's settings, secrets filled in.
    Kafka { settings: BTreeMap<String, String> },
}

/// One `[[pipeline]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineConfig {
    pub settings: Settings,
    /// A shipped policy's id, or a file.
    pub policy: String,
    pub rules: Option<PathBuf>,
    pub geo: Vec<PathBuf>,
    /// How much longer than its delay a lane keeps records that nobody released, in milliseconds.
    pub outage_budget_ms: i64,
    /// How long stages of the policy wait, by their ids, where it is not as the policy says.
    pub windows: Vec<(String, Period)>,
    /// The file with windows of single accounts.
    pub accounts: Option<PathBuf>,
    /// The folder with the keys of pseudonyms.
    pub keys: Option<PathBuf>,
    /// Whose records these are: a part of every pseudonym.
    pub tenant: Option<String>,
    /// The country whose national numbers are meant where nothing else tells; before the policy's.
    pub region: Option<Region>,
    /// Where keys are given whose files can be wrong; `windows.x=` is the value of `windows.x`, the empty key the
    /// pipeline.
    places: BTreeMap<String, Diagnostic>,
}

impl PipelineConfig {
    /// Something that turned out wrong with a key when what it names was read: at the key, or at the pipeline where it
    /// is not given.
    #[must_use]
    pub fn wrong(&self, key: &str, message: String) -> Diagnostic {
        match self.places.get(key).or_else(|| self.places.get("")) {
            Some(place) => place.says(message),
            None => Diagnostic::of_file(Severity::Error, "", message),
        }
    }
}

const DAY_MS: i64 = 86_400_000;
const DRAIN_TIMEOUT_MS: i64 = 30_000;

/// What one pipeline on an embedded store is, where there is no config.
#[must_use]
pub fn without_config(dir: &Path, policy: &str) -> Config {
    let mut settings = Settings::of("logs");
    settings.purge_source = true;
    settings.expire_scrubbed = true;
    let pipeline = PipelineConfig {
        settings,
        policy: policy.to_owned(),
        rules: None,
        geo: Vec::new(),
        outage_budget_ms: 7 * DAY_MS,
        windows: Vec::new(),
        accounts: None,
        keys: None,
        tenant: None,
        region: None,
        places: BTreeMap::new(),
    };
    Config {
        store: StoreConfig::Embedded { path: dir.to_owned() },
        pipelines: vec![pipeline],
        drain_timeout_ms: DRAIN_TIMEOUT_MS,
        listen: None,
    }
}

/// Reads a config. `environment` are the variables as the process has them.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read(source: &Source, environment: BTreeMap<String, String>) -> Result<Config, Diagnostics> {
    let report = Report::new(source);
    let environment = Environment::new(environment);
    let config = parse(&report).and_then(|document| {
        let top = TableReader::new(&report, document.get_ref(), 0..0, "the config");
        let base = Path::new(&source.name).parent().unwrap_or(Path::new("")).to_owned();
        let config = whole(&top, &report, &environment, &base);
        top.finish();
        config
    });
    environment.report_unused(&report);
    Diagnostics(report.into_diagnostics()).into_result()?;
    match config {
        Some(config) => Ok(config),
        None => unreachable!("what is missing was reported as an error"),
    }
}

fn whole(
    top: &TableReader<'_, '_, '_>,
    report: &Report<'_>,
    environment: &Environment,
    base: &Path,
) -> Option<Config> {
    let values = Values::new(report, environment, "LOGSCRUB");
    let instance = values.string(top, "instance");
    let drain_timeout_ms = values.duration_ms(top, "drain_timeout").unwrap_or(DRAIN_TIMEOUT_MS);
    let listen = values.address(top, "listen");
    let store = store(top, report, environment, base);
    let tables = top.tables("pipeline", "a pipeline");
    if tables.is_empty() && !top.has("pipeline") {
        report.error(
            0..0,
            "nothing to run: there is no `[[pipeline]]`",
            "add `[[pipeline]]` with `source = \"logs\"`",
        );
    }
    let embedded = matches!(store, Some(StoreConfig::Embedded { .. }));
    let mut pipelines: Vec<PipelineConfig> = Vec::new();
    for (number, table) in tables.into_iter().enumerate() {
        let values = Values::new(report, environment, &format!("LOGSCRUB__PIPELINE__{number}"));
        let span = table.span();
        let Some(mut pipeline) = pipeline(table, &values, base, embedded) else { continue };
        if let Some(instance) = &instance {
            pipeline.settings.instance.clone_from(instance);
        }
        let same = |other: &PipelineConfig| other.settings.topics.source == pipeline.settings.topics.source;
        if pipelines.iter().any(same) {
            report.error(span, "two pipelines read the same source", "give each source one pipeline");
        } else if let Some(topic) =
            pipelines.iter().find_map(|other| other.settings.topics.shared(&pipeline.settings.topics))
        {
            report.error(
                span,
                format!("two pipelines use the topic `{topic}`"),
                "one tenant's records would stand among another's: give each pipeline topics of its own",
            );
        }
        pipelines.push(pipeline);
    }
    Some(Config { store: store?, pipelines, drain_timeout_ms, listen })
}

fn store(
    top: &TableReader<'_, '_, '_>,
    report: &Report<'_>,
    environment: &Environment,
    base: &Path,
) -> Option<StoreConfig> {
    let embedded = top.table("embedded", "the embedded store");
    let kafka = top.table("kafka", "kafka");
    match (embedded, kafka) {
        (Some(table), None) => {
            let values = Values::new(report, environment, "LOGSCRUB__EMBEDDED");
            let path = store_path(&table, &values, base);
            table.finish();
            Some(StoreConfig::Embedded { path })
        }
        (None, Some(table)) => {
            let settings = kafka::settings(&table, report, environment);
            Some(StoreConfig::Kafka { settings })
        }
        (Some(table), Some(_)) => {
            report.error(table.span(), "two stores: `[embedded]` and `[kafka]`", "keep one of them");
            None
        }
        (None, None) if top.has("embedded") || top.has("kafka") => None,
        (None, None) => {
            report.error(
                0..0,
                "no store: there is neither `[kafka]` nor `[embedded]`",
                "add `[embedded]` with `path = \"logscrub-data\"`, or `[kafka]` with `\"bootstrap.servers\" = \"…\"`",
            );
            None
        }
    }
}

/// The directory of the store, which is made where it is missing.
fn store_path(table: &TableReader<'_, '_, '_>, values: &Values<'_, '_>, base: &Path) -> PathBuf {
    let given = values.string(table, "path").unwrap_or_else(|| "logscrub-data".into());
    let path = base.join(&given);
    if given.trim().is_empty() {
        let help = "write `path = \"logscrub-data\"`, or leave the line out";
        values.wrong(table, "path", "the store has no name", help);
    } else if path.exists() && !path.is_dir() {
        let help = "name a directory; it is made where it is missing";
        values.wrong(table, "path", "the store cannot be here: this is a file", help);
    }
    path
}

fn pipeline(
    table: TableReader<'_, '_, '_>,
    values: &Values<'_, '_>,
    base: &Path,
    embedded: bool,
) -> Option<PipelineConfig> {
    let source = values.required(&table, "source", "`source = \"logs\"`");
    let source = source.map(|name| values.topic(&table, "source", name));
    let mut settings = Settings::of(source.as_deref().unwrap_or_default());
    if let Some(names) = table.table("topics", "the table of topics") {
        topics::read(&names, values, &mut settings.topics);
        names.finish();
    }
    if let Some(lanes) = values.durations(&table, "lanes") {
        settings.lanes_seconds = lanes;
    }
    settings.release_every_ms = values.duration_ms(&table, "release_every");
    settings.tick_ms = values.pace_ms(&table, "tick").unwrap_or(settings.tick_ms);
    settings.purge_interval_ms =
        values.pace_ms(&table, "purge_interval").unwrap_or(settings.purge_interval_ms);
    let purge_source = values.boolean(&table, "purge_source");
    if embedded && purge_source == Some(false) {
        values.wrong(
            &table,
            "purge_source",
            "the embedded store keeps its topics for ever, so the originals would outlive their window",
            "write `purge_source = true`, or leave the line out",
        );
    }
    settings.purge_source = purge_source.unwrap_or(embedded);
    settings.expire_scrubbed = embedded;
    if !embedded {
        // A transaction costs the broker some ten milliseconds.
        settings.commit_every_ms = 200;
        settings.instance = host_name();
        settings.transaction_ms = 30_000;
    }
    let workers = values.count(&table, "workers");
    if embedded && workers.is_some() {
        values.wrong(&table, "workers", "the embedded store has one writer at a time", "leave the line out");
    }
    settings.workers = workers.unwrap_or(1);
    settings.at_least_once = match values.string(&table, "delivery").as_deref() {
        None | Some("exactly_once") => false,
        // The embedded store has nothing to gain, and gives more than is asked for.
        Some("at_least_once") => !embedded,
        Some(_) => {
            let help = "write `exactly_once` (so it is where nothing is said) or `at_least_once`";
            values.wrong(&table, "delivery", "`delivery` is neither of the two", help);
            false
        }
    };
    settings.purge_after_groups = values.strings(&table, "purge_after_groups").unwrap_or_default();
    settings.headers = values.strings(&table, "headers").unwrap_or_default();
    let policy = values.string(&table, "policy").unwrap_or_else(|| "default".into());
    let mut places = BTreeMap::from([(String::new(), values.at(&Origin::File(table.span())))]);
    for key in ["policy", "rules", "geo", "accounts", "keys"] {
        places.extend(values.place(&table, key).map(|place| (key.to_owned(), place)));
    }
    let windows = table.table("windows", "the windows").map(|table| windows(&table)).unwrap_or_default();
    for (stage, value, _) in &windows {
        let key = format!("windows.{}", stage.get_ref());
        places.insert(format!("{key}="), values.at(&Origin::File(value.clone())));
        places.insert(key, values.at(&Origin::File(stage.span())));
    }
    let is_file = policy.contains('/') || policy.ends_with(".toml");
    let config = PipelineConfig {
        settings,
        policy: if is_file { base.join(policy).display().to_string() } else { policy },
        rules: values.string(&table, "rules").map(|path| base.join(path)),
        geo: values
            .strings(&table, "geo")
            .unwrap_or_default()
            .into_iter()
            .map(|path| base.join(path))
            .collect(),
        outage_budget_ms: values.duration_ms(&table, "outage_budget").unwrap_or(7 * DAY_MS),
        windows: windows.into_iter().map(|(stage, _, period)| (stage.into_inner(), period)).collect(),
        accounts: values.string(&table, "accounts").map(|path| base.join(path)),
        keys: values.string(&table, "keys").map(|path| base.join(path)),
        tenant: values.string(&table, "tenant"),
        region: values.region(&table, "region"),
        places,
    };
    let help = "it stands at the top of the config, before the first table";
    table.finish_but(&["instance", "listen", "drain_timeout"], help);
    source.map(|_| config)
}

/// `windows.message_logs = "60d"`: how long a stage waits. With the place of each.
fn windows(table: &TableReader<'_, '_, '_>) -> Vec<(Spanned<String>, Range<usize>, Period)> {
    let mut windows = Vec::new();
    for (stage, value) in table.entries() {
        let text = value.get_ref().as_str().unwrap_or_default();
        // 24m for 24 months would delete after 24 minutes.
        let period = text.parse::<Period>().ok().filter(|period| !period.is_zero() && !text.ends_with('m'));
        match period {
            Some(period) => windows.push((stage, value.span(), period)),
            None => table.report().error(
                value.span(),
                format!("the window of `{}` is not a length of time above zero", stage.get_ref()),
                "write a whole number and a unit, as in \"30d\", \"40s\", \"24mo\", \"7y\"",
            ),
        }
    }
    windows
}

/// Two processes of one host need an `instance` each.
fn host_name() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = named.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if name.trim().is_empty() { "local".to_owned() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let source = Source { name: "dir/logscrub.toml".into(), text: text.into() };
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        read(&source, variables).map_err(|errors| errors.to_string())
    }

    const SMALL: &str = "[embedded]\n[[pipeline]]\nsource = \"logs\"\n";

    #[test]
    fn what_is_not_said_has_its_default() {
        let config = config(SMALL, &[]).unwrap();
        assert_eq!(config.store, StoreConfig::Embedded { path: "dir/logscrub-data".into() });
        let pipeline = &config.pipelines[0];
        assert_eq!(pipeline.policy, "default");
        assert!(pipeline.settings.purge_source, "the embedded store deletes nothing by itself");
        assert_eq!((pipeline.settings.tick_ms, pipeline.settings.release_every_ms), (10_000, None));
    }

    #[test]
    fn everything_that_can_be_said_is_read() {
        let text = "drain_timeout = \"5s\"\nlisten = \"[::]:9464\"\n[embedded]\npath = \"${env:WHERE}\"\n[[pipeline]]\nsource = \"ops.logs\"\npolicy = \"p.toml\"\n\
                    lanes = [\"20s\", \"5s\"]\nrelease_every = \"0s\"\ntick = \"1s\"\npurge_interval = \"2s\"\n\
                    outage_budget = \"3d\"\nrules = \"rules\"\ngeo = [\"a.mmdb\"]\ntopics.scrubbed = \"clean\"\n\
                    windows.deidentify = \"24mo\"\naccounts = \"accounts.toml\"\n\
                    keys = \"keys\"\ntenant = \"acme\"\nregion = \"gb\"\n";
        let variables = [("WHERE", "/data"), ("LOGSCRUB__PIPELINE__0__TICK", "3s")];
        let config = config(text, &variables).unwrap();
        assert_eq!(config.store, StoreConfig::Embedded { path: "/data".into() });
        assert_eq!((config.drain_timeout_ms, config.listen.as_deref()), (5000, Some("[::]:9464")));
        let PipelineConfig {
            settings,
            policy,
            rules,
            geo,
            outage_budget_ms,
            windows,
            accounts,
            keys,
            tenant,
            region,
            places: _,
        } = &config.pipelines[0];
        assert_eq!(region.map(Region::code), Some("GB"));
        assert_eq!((keys.as_deref(), tenant.as_deref()), (Some(Path::new("dir/keys")), Some("acme")));
        assert_eq!(*windows, [("deidentify".to_owned(), "24mo".parse().unwrap())]);
        assert_eq!(accounts.as_deref(), Some(Path::new("dir/accounts.toml")));
        assert_eq!(settings.lanes_seconds, [20, 5]);
        assert_eq!(
            (settings.tick_ms, settings.release_every_ms),
            (3000, Some(0)),
            "the environment goes first"
        );
        assert_eq!(settings.topics.scrubbed.as_ref(), "clean");
        assert_eq!(settings.topics.held.as_ref(), "ops.logs.held");
        assert_eq!((policy.as_str(), rules.as_deref()), ("dir/p.toml", Some(Path::new("dir/rules"))));
        assert_eq!((geo.len(), *outage_budget_ms), (1, 3 * DAY_MS));
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = "[embedded]\npath = \"a${env:X}b\"\n[[pipeline]]\nsuorce = \"logs\"\ntick = \"soon\"\n\
                    lanes = [\"0s\"]\npurge_source = false\nwindows.deidentify = \"24m\"\n";
        let told = config(text, &[("LOGSCRUB__PIPELINE__0__TOCK", "1s")]).unwrap_err();
        for part in [
            "dir/logscrub.toml:2:8: `${…}` stands inside a longer value",
            "dir/logscrub.toml:3:1: a pipeline needs `source`",
            "dir/logscrub.toml:4:1: a pipeline has no key `suorce`",
            "did you mean `source`?",
            "dir/logscrub.toml:5:8: `tick` is no length of time",
            "dir/logscrub.toml:6:10: a length of time in `lanes` does not read",
            "dir/logscrub.toml:7:16: the embedded store keeps its topics for ever",
            "dir/logscrub.toml:8:22: the window of `deidentify` is not a length of time above zero",
            "LOGSCRUB__PIPELINE__0__TOCK: this environment variable sets nothing",
        ] {
            assert!(told.contains(part), "{part}\n--\n{told}");
        }
        let none = config("", &[]).unwrap_err();
        assert!(
            none.contains("neither `[kafka]` nor `[embedded]`") && none.contains("nothing to run"),
            "{none}"
        );
    }

    #[test]
    fn what_cannot_be_is_told_before_anything_runs() {
        for (text, part) in [
            (format!("listen = \"9464\"\n{SMALL}"), ":1:10: `listen` is no address with a port"),
            (format!("listen = \"localhost:http\"\n{SMALL}"), ":1:10: `listen` is no address with a port"),
            (format!("{SMALL}tick = \"3650d\"\n"), ":4:8: `tick` is how often something is done"),
            (format!("{SMALL}purge_interval = \"8d\"\n"), ":4:18: `purge_interval` is how often"),
            (format!("{SMALL}outage_budget = \"2mo\"\n"), "write it in days, as in `90d`"),
            (format!("{SMALL}tick = 10\n"), ":4:8: `tick` is a length of time, and needs its unit"),
            (format!("{SMALL}listen = \"off\"\n"), "help: it stands at the top of the config"),
            (format!("{SMALL}tenant = \"${{env:NO}}\"\n"), "help: set it where the program is started"),
            (format!("{SMALL}region = \"XX\"\n"), ":4:10: no country has the two-letter code `XX`"),
            (format!("{SMALL}topics.counts = \"a b\"\n"), ":4:17: `counts` is no topic name"),
            (SMALL.replace("logs", "a/b"), ":3:10: `source` is no topic name"),
            (SMALL.replace("]\n[", "]\npath = \"\"\n["), ":2:8: the store has no name"),
        ] {
            let told = config(&text, &[]).expect_err(&text);
            assert!(
                told.contains(&format!("dir/logscrub.toml{part}")) || told.contains(part),
                "{part}\n--\n{told}"
            );
        }
        for listen in ["off", "127.0.0.1:0", "[::]:9464", "localhost:9464", "metrics.example.com:80"] {
            config(&format!("listen = \"{listen}\"\n{SMALL}"), &[]).unwrap();
        }
        let named = config(&SMALL.replace("\"logs\"", "\"${env:SOURCE}\""), &[("SOURCE", "ops")]).unwrap();
        assert_eq!(named.pipelines[0].settings.topics.source.as_ref(), "ops");
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let name = dir.path().join("logscrub.toml").display().to_string();
        let text = SMALL.replace("]\n[", "]\npath = \"file\"\n[");
        let told = read(&Source { name, text }, BTreeMap::new()).unwrap_err().to_string();
        assert!(told.contains(":2:8: the store cannot be here: this is a file"), "{told}");
    }

    #[test]
    fn what_is_of_the_wrong_type_is_not_said_to_be_missing() {
        let told = config("embedded = \"store\"\n[pipeline]\nsource = \"logs\"\n", &[]).unwrap_err();
        assert!(told.contains(":1:12: `embedded` must be a table"), "{told}");
        assert!(told.contains(":2:1: `pipeline` must be a list of tables"), "{told}");
        assert_eq!(told.matches("error: ").count(), 2, "{told}");
    }

    #[test]
    fn what_turns_out_wrong_later_has_its_place() {
        let text = format!("{SMALL}policy = \"a.toml\"\nwindows.later = \"1d\"\n");
        let pipeline = &config(&text, &[]).unwrap().pipelines[0];
        for (key, line) in [("policy", 4), ("windows.later", 5), ("rules", 2)] {
            let told = pipeline.wrong(key, "it is".into());
            assert_eq!((told.line, told.message.as_str()), (line, "it is"), "{key}");
        }
        let variable = [("LOGSCRUB__PIPELINE__0__RULES", "r")];
        let told = config(&text, &variable).unwrap().pipelines[0].wrong("rules", "it is".into());
        assert_eq!(told.file, "LOGSCRUB__PIPELINE__0__RULES");
    }

    #[test]
    fn each_topic_but_a_source_has_its_owner() {
        let config = config(&format!("{SMALL}topics.scrubbed = \"clean\"\n"), &[]).unwrap();
        let owned = |topic: &str| owner(&config.pipelines, topic).is_some();
        for topic in ["clean", "logs.held.90d", "logs.held.x", "logs.deidentified", "logs.counts"] {
            assert!(owned(topic), "{topic}");
        }
        for topic in ["logs", "logs.scrubbed", "logs.held", "others"] {
            assert!(!owned(topic), "{topic}");
        }
    }

    #[test]
    fn workers_and_delivery_are_kafkas() {
        let on = |store: &str, lines: &str| {
            let text = format!("{store}[[pipeline]]\nsource = \"logs\"\n{lines}");
            config(&text, &[]).map(|config| config.pipelines[0].settings.clone())
        };
        let kafka = "[kafka]\n\"bootstrap.servers\" = \"localhost:9092\"\n";
        let usual = on(kafka, "").unwrap();
        assert_eq!((usual.workers, usual.at_least_once), (1, false));
        let asked = on(kafka, "workers = 3\ndelivery = \"at_least_once\"\n").unwrap();
        assert_eq!((asked.workers, asked.at_least_once), (3, true));
        for (lines, part) in [
            ("workers = 0\n", ":5:11: `workers` is no number from 1 to 256"),
            ("workers = 100000\n", ":5:11: `workers` is no number from 1 to 256"),
            ("delivery = \"twice\"\n", ":5:12: `delivery` is neither of the two"),
        ] {
            let told = on(kafka, lines).unwrap_err();
            assert!(told.contains(part), "{told}");
        }
        let told = on("[embedded]\n", "workers = 2\n").unwrap_err();
        assert!(told.contains("the embedded store has one writer at a time"), "{told}");
        assert!(!on("[embedded]\n", "delivery = \"at_least_once\"\n").unwrap().at_least_once);
    }

    #[test]
    fn kafka_settings_that_are_ours_or_dangerous_are_refused() {
        let text = "[kafka]\n\"bootstrap.servers\" = \"localhost:9092\"\n\"isolation.level\" = \"read_uncommitted\"\n\
                    debug = \"all\"\n[[pipeline]]\nsource = \"logs\"\n";
        let told = config(text, &[]).unwrap_err();
        assert!(told.contains(":3:1: `isolation.level` is not yours to set"), "{told}");
        assert!(told.contains(":4:1: `debug` can run code"), "{told}");
        let good = text
            .replace("\"isolation.level\" = \"read_uncommitted\"\n", "")
            .replace("debug", "allow_unsafe = true\ndebug");
        let StoreConfig::Kafka { settings } = config(&good, &[]).unwrap().store else { panic!("kafka") };
        assert_eq!(settings["bootstrap.servers"], "localhost:9092");
    }

    #[test]
    fn kafka_settings_of_the_environment_go_through_the_same_checks() {
        let text = "[kafka]\n\"bootstrap.servers\" = \"localhost:9092\"\n[[pipeline]]\nsource = \"logs\"\n";
        let variable = |name: &str| format!("LOGSCRUB__KAFKA__{name}");
        for (name, value, part) in [
            ("DEBUG", "all", "`debug` can run code"),
            ("PLUGIN_LIBRARY_PATHS", "/tmp/x.so", "`plugin.library.paths` can run code"),
            ("ENABLE_SSL_CERTIFICATE_VERIFICATION", "false", "trust a stranger"),
            ("ISOLATION_LEVEL", "read_uncommitted", "`isolation.level` is not yours to set"),
            ("SASL_PASSWORD", "${file:/nowhere/secret}", "/nowhere/secret: cannot be read"),
            ("SASL_PASSWORD", "a${env:X}", "`${…}` stands inside a longer value"),
            ("ALLOW_UNSAFE", "perhaps", "`allow_unsafe` must be true or false"),
        ] {
            let told = config(text, &[(&variable(name), value)]).unwrap_err();
            let begin = format!("error: {}: ", variable(name));
            assert!(told.contains(&begin) && told.contains(part), "{told}");
        }
        let filled = [("LOGSCRUB__KAFKA__SASL_PASSWORD", "${env:SECRET}"), ("SECRET", "s3")];
        let StoreConfig::Kafka { settings } = config(text, &filled).unwrap().store else { panic!("kafka") };
        assert_eq!(settings["sasl.password"], "s3");
        let asked = [("LOGSCRUB__KAFKA__ALLOW_UNSAFE", "true"), ("LOGSCRUB__KAFKA__DEBUG", "eos")];
        let StoreConfig::Kafka { settings } = config(text, &asked).unwrap().store else { panic!("kafka") };
        assert_eq!(settings["debug"], "eos");
        assert!(!settings.contains_key("allow.unsafe"));
    }

    #[test]
    fn topics_of_one_pipeline_differ() {
        let with = |lines: &str| config(&format!("{SMALL}{lines}"), &[]);
        for (lines, part) in [
            ("topics.scrubbed = \"logs\"\n", ":4:19: `scrubbed` and `source` are one topic, `logs`"),
            ("topics.progress = \"logs.counts\"\n", ":4:19: `progress` and `counts` are one topic"),
            (
                "topics.deidentified = \"x\"\ntopics.quarantine = \"x\"\n",
                ":5:21: `quarantine` and `deidentified`",
            ),
            // The one that was written is shown.
            ("topics.deidentified = \"logs.quarantine\"\n", ":4:23: `quarantine` and `deidentified`"),
            (
                "topics.scrubbed = \"logs.held.90d\"\n",
                ":4:19: `scrubbed` is the name of a lane, `logs.held.90d`",
            ),
            ("topics.counts = \"a.5s\"\ntopics.held = \"a\"\n", ":4:17: `counts` is the name of a lane"),
        ] {
            let told = with(lines).expect_err(lines);
            assert!(told.contains(part), "{part}\n--\n{told}");
        }
        let told =
            config("[embedded]\n[[pipeline]]\nsource = \"a.1h\"\ntopics.held = \"a\"\n", &[]).unwrap_err();
        assert!(told.contains(":4:15: `source` is the name of a lane, `a.1h`"), "{told}");
        with("topics.held = \"logs.scrubbed.held\"\n").unwrap();
    }
}

//! `k` on the real broker: two processes count and release some thousands of records, and what comes out is what
//! the test works out by itself. When all of a day is released its key and its cells go, from the disk too.

use crate::broker::Broker;
use crate::cluster::{Cluster, DAY, HOUR, Process, work};
use crate::process::{PATIENCE, output, until};
use crate::site::{Site, now_ms};
use logscrub::stage::count::Total;
use logscrub::stage::crash::{self, CrashPoint};
use logscrub::stage::{DayEnd, Ended, Fold, Pipeline, claim, purge};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

const RECORDS: usize = 4000;
const K: usize = 11;
const SOURCE: &str = "k";

const POLICY: &str = r#"
id = "k"
clock = { field = "ts", else = "record" }
margin = "0s"
[[stage]]
id = "scrub"
after = "0d"
[[stage]]
id = "deidentify"
after = "10d"
k = 11
[stage.do]
ip = { geo = "country" }
url = "route"
user_agent = "family"
subject_id = "keep"
timestamp = { round = "hour" }
safe = "keep"
[[count]]
id = "all"
by = ["status"]
min = 1
[[count]]
id = "accounts"
by = ["account_id", "status"]
"#;

/// What a record shows, as the test knows it.
#[derive(Clone, Debug)]
struct Shown {
    country: &'static str,
    route: &'static str,
    status: u32,
    agent: &'static str,
    account: String,
    hour: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Finest,
    /// Neither hour nor user agent.
    Day,
    /// No account either.
    Coarsest,
    Dropped,
}

impl Shown {
    fn draw(random: &mut StdRng) -> (Self, String) {
        let (ip, country) = match random.random_range(0..100) {
            0..60 => ("81.2.69.142", "GB"),
            60..95 => ("89.160.20.112", "SE"),
            _ => ("216.160.83.56", "US"),
        };
        let (path, route) = match random.random_range(0..3) {
            0 => ("/v1/messages/4711", "messages"),
            1 => ("/v1/messages/4712", "messages"),
            _ => ("/inbox", "inbox"),
        };
        let (version, agent) =
            if random.random_range(0..8) == 0 { (99, "Chrome/99") } else { (126, "Chrome/126") };
        let status = if random.random_range(0..60) == 0 { 500 } else { 200 };
        let account = match random.random_range(0..2) {
            0 => random.random_range(1..4),
            _ => random.random_range(4..70),
        };
        let account = format!("acct-{account}");
        let hour = random.random_range(0..12);
        let rest = format!(
            r#""ip":"{ip}","user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{version}.0.0.0 Safari/537.36","path":"{path}","status":{status},"account_id":"{account}""#
        );
        (Shown { country, route, status, agent, account, hour }, rest)
    }

    /// What others must show, too.
    fn group(&self, level: Level) -> (String, String, String) {
        let rest = format!("{} {} {}", self.country, self.route, self.status);
        let agent = if level == Level::Finest { self.agent } else { "" };
        let account = if level < Level::Coarsest { self.account.as_str() } else { "" };
        (rest, agent.to_owned(), account.to_owned())
    }
}

/// Each level takes those of which enough show the same, out of what the one before has left.
fn levels(sent: &BTreeMap<String, Shown>) -> BTreeMap<String, Level> {
    let mut levels: BTreeMap<String, Level> = BTreeMap::new();
    for level in [Level::Finest, Level::Day, Level::Coarsest] {
        let mut sizes: HashMap<_, usize> = HashMap::new();
        let left: Vec<_> = sent.iter().filter(|(rid, _)| !levels.contains_key(*rid)).collect();
        left.iter().for_each(|(_, shown)| *sizes.entry(shown.group(level)).or_default() += 1);
        let enough: Vec<_> = left.into_iter().filter(|(_, shown)| sizes[&shown.group(level)] >= K).collect();
        levels.extend(enough.into_iter().map(|(rid, _)| (rid.clone(), level)));
    }
    for rid in sent.keys() {
        levels.entry(rid.clone()).or_insert(Level::Dropped);
    }
    levels
}

/// The records, all of the first half of a day: what each shows.
fn put(site: &mut Site, midnight: i64) -> BTreeMap<String, Shown> {
    let mut random = StdRng::seed_from_u64(11);
    let (mut input, mut sent) = (String::new(), BTreeMap::new());
    for number in 0..RECORDS {
        let (shown, rest) = Shown::draw(&mut random);
        let at = midnight + shown.hour * HOUR + random.random_range(0..HOUR);
        let at = jiff::Timestamp::from_millisecond(at).unwrap();
        let value = format!(r#"{{"ts":"{at}",{rest}}}"#);
        let partition = random.random_range(0..4);
        let line = serde_json::json!({ "value": value, "partition": partition, "timestamp": now_ms() });
        let _ = writeln!(input, "{line}");
        sent.insert(format!("rid-{number:06}"), shown);
    }
    site.put(&input);
    sent
}

/// Whether a released record shows what its level allows, and no less.
fn check(text: &str, shown: &Shown, level: Level, midnight: i64) {
    let record: Value = serde_json::from_str(text).unwrap();
    let value: Value = serde_json::from_str(record["value"].as_str().unwrap()).unwrap();
    let told = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let hour = if level == Level::Finest { midnight + shown.hour * HOUR } else { midnight };
    assert_eq!(told("ts").parse::<jiff::Timestamp>().unwrap().as_millisecond(), hour, "{level:?}: {text}");
    let agent = if level == Level::Finest { shown.agent } else { "[USER_AGENT]" };
    assert_eq!(told("user_agent"), agent, "{level:?}: {text}");
    let account = if level < Level::Coarsest { shown.account.as_str() } else { "[ID]" };
    assert_eq!(told("account_id"), account, "{level:?}: {text}");
    assert_eq!(told("ip"), format!("[IP:{}]", shown.country), "{level:?}: {text}");
    assert!(told("path").contains(shown.route) && !told("path").contains("471"), "{text}");
    assert_eq!(value["status"], shown.status, "{text}");
}

/// The first two who come to where each works on what it has read wait for each other: one of them is too late.
fn meet(point: CrashPoint) {
    static MET: Mutex<BTreeMap<&str, usize>> = Mutex::new(BTreeMap::new());
    static CAME: Condvar = Condvar::new();
    if !matches!(point, CrashPoint::InDayKey | CrashPoint::InFold) {
        return;
    }
    let mut met = MET.lock().unwrap();
    *met.entry(point.word()).or_default() += 1;
    CAME.notify_all();
    let alone = |met: &mut BTreeMap<&str, usize>| met[point.word()] < 2;
    drop(CAME.wait_timeout_while(met, PATIENCE, alone).unwrap());
}

#[test]
fn what_leaves_shows_what_k_records_share() {
    let broker = Broker::get();
    let mut site = Site::on(broker, SOURCE, "10d", r#"["1d"]"#);
    site.file("policy.toml", POLICY);
    // The broker's stamps must not lie in the future.
    let midnight = (now_ms() / DAY + 1) * DAY;
    let sent = put(&mut site, midnight);
    let mut options = crate::options_on(broker);
    let brief = [("segment.ms", "1000"), ("max.compaction.lag.ms", "1000"), ("delete.retention.ms", "0")];
    options.topic_settings = brief.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let cluster = Cluster::new(options, SOURCE, POLICY, midnight + 12 * HOUR);

    crash::install(Box::new(meet));
    let mut processes = cluster.both(1);
    work(&mut processes, "all are scrubbed", || cluster.count("scrubbed") == RECORDS);
    assert!(cluster.keys("counts", "cell/") > 100);
    assert_eq!(cluster.keys("progress", "day_key/"), 2, "each process has made one");

    let expected = levels(&sent);
    let of = |level: Level| expected.values().filter(|expected| **expected == level).count();
    assert!([Level::Finest, Level::Day, Level::Coarsest].iter().all(|level| of(*level) > 100));
    assert!(of(Level::Dropped) > 10);
    let leaves = RECORDS - of(Level::Dropped);

    // The last is due, and some are released: all leave without a word, and others come.
    cluster.clock.set(midnight + 11 * DAY + HOUR);
    let lanes = purge::held_topics(cluster.store.as_ref(), &processes[0].pipeline).unwrap();
    let now = midnight + 11 * DAY + HOUR;
    let early = DayEnd::default().look(cluster.store.as_ref(), &processes[0].pipeline, &lanes, now);
    assert_eq!(early.unwrap(), Ended::default(), "the day is held");
    work(&mut processes, "some are released", || cluster.count("deidentified") > 100);
    drop(processes);
    let mut processes = cluster.both(3);
    work(&mut processes, "all are released", || cluster.count("deidentified") >= leaves);

    let released = site.seen("deidentified");
    assert_eq!(released.len(), leaves, "none twice, and those of too few are only counted");
    for record in &released {
        check(&record.text, &sent[&record.rid], expected[&record.rid], midnight);
    }
    assert_eq!(counted(&site, "all"), (RECORDS, 2), "what is dropped is counted");
    let audit = |k: &str| output(site.command(&["audit", "--k", k]), b"");
    let told = audit("11");
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stdout));
    assert_eq!(audit("12").status.code(), Some(1), "some groups are no larger than they must be");

    the_day_ends(&cluster, &processes[1].pipeline, &lanes, now + 2 * HOUR);
    small_groups_are_folded(&cluster, &site, &processes, &lanes, now + 3 * DAY);
}

/// Records and rows of a count.
fn counted(site: &Site, id: &str) -> (usize, usize) {
    let rows: Vec<Value> = serde_json::from_str(&site.does(&["counts", "--json", "--id", id])).unwrap();
    let counted: u64 = rows.iter().filter_map(|row| row["records"].as_u64()).sum();
    (counted as usize, rows.len())
}

/// Two processes add up what is too few at the same time: nothing is lost and nothing is doubled.
fn small_groups_are_folded(
    cluster: &Cluster,
    site: &Site,
    processes: &[Process],
    lanes: &[Arc<str>],
    now: i64,
) {
    let before = counted(site, "accounts");
    assert_eq!(before.0, RECORDS);
    let values = "[[\"account_id\",";
    let groups = |cluster: &Cluster| {
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        let mut newest = BTreeMap::new();
        cluster.visit("counts", &mut |fetched| {
            let key = String::from_utf8(fetched.record.key.unwrap().to_vec()).unwrap();
            let total = fetched.record.value.and_then(Total::from_json).map(|total| total.records);
            newest.insert((fetched.place.partition, key), total);
        });
        for ((_, key), total) in newest {
            if let (Some((_, values)), Some(total)) = (key.split_once(values), total) {
                *groups.entry(values.to_owned()).or_default() += total;
            }
        }
        groups
    };
    assert!(groups(cluster).values().any(|records| *records < K as u64), "some are small");
    std::thread::scope(|scope| {
        for process in processes {
            scope.spawn(|| {
                // One of them may be fenced by the other, and does it again.
                let mut fold = Fold::default();
                until("it has folded", PATIENCE, || {
                    fold.look(cluster.store.as_ref(), &process.pipeline, lanes, now).is_ok()
                });
            });
        }
    });
    until("none is small", PATIENCE, || groups(cluster).values().all(|records| *records >= K as u64));
    assert_eq!(counted(site, "accounts"), before, "as it was shown before");
}

/// The day's key and cells go, whichever process sees it first, and the key leaves the disk.
fn the_day_ends(cluster: &Cluster, pipeline: &Pipeline, lanes: &[Arc<str>], now: i64) {
    let store = cluster.store.as_ref();
    let mut secrets = Vec::new();
    let of_day = format!("day_key/{SOURCE}/{}/", now / DAY - 11);
    cluster.visit("progress", &mut |fetched| {
        if !fetched.record.key.unwrap().starts_with(of_day.as_bytes()) {
            return;
        }
        let text = std::str::from_utf8(fetched.record.value.unwrap_or_default()).unwrap_or_default();
        let secret =
            text.split_once("\"secret\":[").map(|(_, rest)| rest.split(']').next().unwrap().to_owned());
        secrets.extend(secret);
    });
    assert!(!secrets.is_empty());
    let on_disk = || {
        let found =
            |secret: &String| Broker::get().topics_on_disk(&format!("{SOURCE}.progress"), secret.as_bytes());
        secrets.iter().any(found)
    };
    assert!(on_disk());
    let ended = DayEnd::default().look(store, pipeline, lanes, now).unwrap();
    assert_eq!(ended.days.len(), 1);
    assert!(ended.cells > 100);
    until("key and cells are gone", PATIENCE, || {
        cluster.keys("counts", "cell/") + cluster.keys("progress", &of_day) == 0
    });
    assert!(cluster.keys("counts", "count/") > 0, "what outlives the records stays");
    assert_eq!(DayEnd::default().look(store, pipeline, lanes, now).unwrap(), Ended::default());
    // Compaction leaves alone what is still written to.
    until("the key has left the disk", PATIENCE, || {
        claim::write(store, pipeline, &["test"], "again").unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        !on_disk()
    });
}

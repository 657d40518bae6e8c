//! The five policies as they are shipped, through all their stages under a clock that the test moves: at each look
//! nothing is readable past its window, nothing was released early, and the counts are those of a recount.

mod world;

use logscrub::policy::{Period, Policy, shipped};
use logscrub::stage::Settings;
use logscrub::stage::count::{Group, Total, amount};
use logscrub::stage::outcome::Outcome;
use logscrub::stage::store::{Flow, Store};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use std::collections::BTreeMap;
use world::{DAY, HOUR, PARTITIONS, SECOND, START, Sent, World, full_engine, groups, settings, written};

const RECORDS: usize = 8_000;
/// How long records come in, and how late the latest is.
const TRAFFIC_DAYS: i64 = 40;
const LATEST: i64 = 21 * DAY;

/// What a code or a text is known by; no output may hold it.
const SECRET: &str = "774411";

/// Lines of one policy's kinds. `RID` and `TS` are filled in; each has its own body or code, or none.
struct Kinds {
    policy: &'static str,
    lines: &'static [&'static str],
    /// The age at which the secret must be gone from held records.
    secret: Period,
    /// What the operator sets where the document says nothing.
    set: Option<(&'static str, Period)>,
}

const MOSSMOON: Kinds = Kinds {
    policy: "mossmoon",
    lines: &[
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","otp":"774411","status":"received","segments":1,"price":"0.0065"}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","line_id":"line-A","wa_id":"14155550132","text":"see you at 774411","status":"read"}"#,
        r#"{"rid":"RID","timestamp":"TS","ip":"203.0.113.7","path":"/v1/orders/4711","status":200,"duration_ms":12}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","line_id":"line-A","event":"line.provisioned"}"#,
    ],
    secret: Period::days(30),
    set: None,
};
const MASSIVESMS: Kinds = Kinds {
    policy: "massivesms",
    lines: &[
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message_text":"sale 774411 ends","status":"delivered","segments":2,"price":"0.0130"}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","status":"failed","segments":1}"#,
        r#"{"rid":"RID","timestamp":"TS","event":"login","email":"jane@example.com","ip":"203.0.113.7"}"#,
    ],
    secret: Period::days(90),
    set: None,
};
const MESSAGEAPI: Kinds = Kinds {
    policy: "messageapi",
    lines: &[
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","recipient":"+447700900123","text":"see you at 774411","status":"delivered"}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","check":"session","status":"open","duration_ms":12}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","api_key":"mk_live_q7Zk2Lm9Xw4Tn8Rb","status":202}"#,
    ],
    secret: Period::days(60),
    set: Some(("message_logs", Period::days(60))),
};
const WASMS: Kinds = Kinds {
    policy: "wasms",
    lines: &[
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","recipient":"+14155550132","message":"parcel 774411 is here","status":"read","country":"US","segments":1}"#,
        r#"{"rid":"RID","timestamp":"TS","account_id":"acct-A","event":"login","ip":"203.0.113.7","status":200}"#,
        r#"{"rid":"RID","timestamp":"TS","event":"contact.added","name":"Jane Doe","phone":"+14155550132"}"#,
    ],
    secret: Period::days(90),
    set: None,
};
const MESEJ: Kinds = Kinds {
    policy: "mesej",
    lines: &[
        r#"{"rid":"RID","event":"login","user_email":"jane@example.com","ip":"203.0.113.7","status":200}"#,
        r#"{"rid":"RID","event":"message.sent","to":"+60123456789","text":"order 774411 is here","status":"sent"}"#,
    ],
    secret: Period::days(60),
    set: Some(("usage", Period::days(60))),
};

impl Kinds {
    fn policy(&self) -> Policy {
        let mut policy = shipped(self.policy, &[]).unwrap().unwrap().policy;
        if let Some((stage, window)) = self.set {
            policy.set_window(stage, window).unwrap();
        }
        // Every group is told.
        policy.counts.iter_mut().for_each(|count| count.min = 1);
        policy
    }

    fn line(&self, random: &mut StdRng, rid: &str, event: i64) -> String {
        let line = self.lines[random.random_range(0..self.lines.len())];
        let account = random.random_range(1..4).to_string();
        let of = |name: &str| format!("{name}-{account}");
        let line = line.replace("RID", rid).replace("TS", &written(event));
        line.replace("acct-A", &of("acct")).replace("line-A", &of("line"))
    }
}

/// Lanes of days, and a look every twelve hours: the margin covers it.
fn coarse() -> Settings {
    let mut settings = settings();
    settings.lanes_seconds = vec![30 * 86_400, 7 * 86_400, 86_400];
    settings.tick_ms = 13 * HOUR;
    settings.purge_interval_ms = HOUR;
    settings
}

/// A record by hand in the policy's counts.
fn recount(policy: &Policy, line: &str, event: i64, totals: &mut BTreeMap<Group, Total>) {
    let record: Value = serde_json::from_str(line).unwrap();
    let text = |field: &String| match &record[field] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    for count in &policy.counts {
        assert_eq!(count.every, Period::days(1), "the shipped counts are by day");
        let values = count.by.iter().map(|field| (field.clone(), text(field))).collect();
        let sum = |field: &String| text(field).and_then(|sum| amount(sum.as_bytes())).unwrap_or(0);
        let sums = count.sum.iter().map(|field| (field.clone(), sum(field))).collect();
        let group = Group { count: count.id.clone(), from: written(event)[..10].to_owned(), values };
        totals.entry(group).or_default().merge(&Total { records: 1, sums });
    }
}

/// What can be read now, and whether it may be.
fn look(world: &World, kinds: &Kinds, last: Period) {
    let now = world.now();
    for (rid, has_secret) in world.held() {
        let event = world.sent[&rid].event_ms;
        assert!(
            now < last.due(event),
            "{}: {rid} is readable {} ms past its window",
            kinds.policy,
            now - last.due(event)
        );
        assert!(
            !has_secret || now < kinds.secret.due(event),
            "{}: {rid} still has its content",
            kinds.policy
        );
    }
    for partition in 0..PARTITIONS {
        let start = world.store.bounds("sim").unwrap()[partition as usize].log_start;
        let mut left = 0;
        let visit = &mut |_: &logscrub::stage::store::Fetched<'_>| {
            left += 1;
            Flow::Next
        };
        world.store.scan("sim", partition, start, visit).unwrap();
        assert_eq!(left, 0, "{}: the source still holds originals", kinds.policy);
    }
}

fn keeps(kinds: &Kinds) {
    let policy = kinds.policy();
    let last = policy.stages.last().unwrap().after.default_period().unwrap();
    let mut random = StdRng::seed_from_u64(kinds.lines.len() as u64);
    let mut world = World::with(policy.clone(), coarse(), full_engine(None));
    let margin = world.pipeline.schedule.margin_ms();
    assert!(margin > 24 * HOUR, "`margin = \"auto\"` counts lanes, looks and purges");
    let (mut expected, mut steps) = (BTreeMap::new(), 0);
    let per_step = RECORDS as i64 / (TRAFFIC_DAYS * 2) + 1;
    while world.released.len() < world.sent.len()
        || world.now() < START + TRAFFIC_DAYS * DAY
        || !world.held().is_empty()
    {
        world.clock.advance(12 * HOUR);
        // Between its inner and its last window nothing happens.
        if last.shortest_seconds() > 500 * 86_400 && world.now() > START + 140 * DAY {
            world.clock.set(world.now().max(START + 680 * DAY));
        }
        let mut batch = Vec::new();
        for _ in 0..if world.now() < START + TRAFFIC_DAYS * DAY { per_step } else { 0 } {
            let now = world.now();
            // Disorder from seconds to weeks; some come from the future, and count from now.
            let event = match random.random_range(0..10) {
                0 => now + random.random_range(0..400 * DAY),
                1..=6 => now - random.random_range(0..60 * SECOND),
                7 | 8 => now - random.random_range(0..2 * DAY),
                _ => now - random.random_range(0..LATEST),
            };
            let rid = format!("rid-{:06}-x", world.sent.len());
            let line = kinds.line(&mut random, &rid, event);
            // Mesej's lines tell no time: the record's own counts.
            let record_ms = if line.contains("timestamp") { now } else { event };
            let event = event.min(now);
            world.sent.insert(rid, Sent { event_ms: event });
            recount(&policy, &line, event, &mut expected);
            batch.push((random.random_range(0..PARTITIONS), line, record_ms));
        }
        world.append_all(&batch);
        world.settle();
        world.purge();
        // Twice a day while records come in, then daily: the margin is more than that.
        steps += 1;
        if world.now() < START + TRAFFIC_DAYS * DAY || steps % 2 == 0 {
            look(&world, kinds, last);
        }
        for (rid, at) in world.released.iter().filter(|(_, at)| **at == world.now()) {
            let due = last.due(world.sent[rid].event_ms) - margin;
            assert!(due <= *at, "{}: {rid} was released {} ms early", kinds.policy, due - at);
        }
        if world.now() > START + (TRAFFIC_DAYS + 1) * DAY && world.held().is_empty() {
            break;
        }
    }
    let counts = world.counts();
    let outcome = |name: &str, outcome| counts.get(name).map_or(0, |tally| tally.of(outcome)) as usize;
    let dropped = outcome("lanes/deidentify", Outcome::Dropped)
        + outcome("lanes/message_logs", Outcome::Dropped)
        + outcome("lanes/usage", Outcome::Dropped);
    assert_eq!(world.released.len() + dropped, world.sent.len(), "{}: {counts:?}", kinds.policy);
    assert!(!world.released.is_empty(), "{}: all are only counted", kinds.policy);
    assert_eq!(groups(&world), expected, "{}", kinds.policy);
    let _ = SECRET;
}

#[test]
fn mossmoon() {
    keeps(&MOSSMOON);
}

#[test]
fn massivesms() {
    keeps(&MASSIVESMS);
}

#[test]
fn messageapi() {
    keeps(&MESSAGEAPI);
}

#[test]
fn wasms() {
    keeps(&WASMS);
}

#[test]
fn mesej() {
    keeps(&MESEJ);
}

//! Counts that outlive the records: how many were released, by the values of some fields and the interval of
//! their time.
//!
//! A record is counted in the transaction that releases it, never before. Its group's values are read from a
//! copy in which only what points to nobody, and ids of accounts, is left: a number, a name, an address can
//! not become a part of a key. What is no short word, and what could be a phone's digits, is counted
//! under a name for all of its kind.
//!
//! A group's totals stand in the counts topic under `count/<id>/<interval>/<chunk>/<values>`. A *chunk* is a
//! stretch of one partition of what a worker read, named after where it begins: its totals are of that stretch
//! alone, so that nobody has to know what was counted before. A worker begins a new chunk when it gets a
//! partition, on each day, and when it has too many groups in memory. The group's total is the sum over all chunks.
//! Small groups are folded when their records are gone ([`super::fold`]): they have no values.

use super::store::StoreError;
use crate::class::{Class, CustomClass};
use crate::engine::{Applied, Engine, Scratch};
use crate::policy::{ActionTable, Count, Period, Policy};
use crate::record::{Record, RecordBuf};
use crate::transform::{Action, GeoDetail, RoundTo};
use std::collections::{BTreeMap, HashMap};

/// The longest value of a group's field, in bytes.
const LONGEST: usize = 64;
/// A value that is no short word.
pub const OTHER: &str = "[OTHER]";
/// A value of as many digits as a phone's number can have, and nothing else.
pub const NUMBER: &str = "[NUMBER]";
/// What the engine could not answer for.
pub const WITHHELD: &str = "[WITHHELD]";
/// The fewest digits that could be somebody's number.
const NUMBER_DIGITS: usize = 8;
/// Sums are kept in billionths.
const UNIT: i128 = 1_000_000_000;
const DECIMALS: usize = 9;
/// What is larger is no amount of anything: 10^15.
const LARGEST: i128 = 1_000_000_000_000_000 * UNIT;

/// How many records, and the sum of each field that is added up, in billionths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub records: u64,
    pub sums: BTreeMap<String, i128>,
}

impl Total {
    pub fn merge(&mut self, other: &Total) {
        self.records = self.records.saturating_add(other.records);
        for (field, sum) in &other.sums {
            let own = self.sums.entry(field.clone()).or_default();
            *own = own.saturating_add(*sum);
        }
    }

    /// A counts record's value: `{"v":1,"records":3,"sum":{"price":"0.0195"}}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let sums: BTreeMap<&str, String> =
            self.sums.iter().map(|(field, sum)| (field.as_str(), decimal(*sum))).collect();
        serde_json::json!({ "v": 1, "records": self.records, "sum": sums }).to_string()
    }

    /// `None` where it is not what [`Total::to_json`] writes.
    #[must_use]
    pub fn from_json(json: &[u8]) -> Option<Total> {
        let value: serde_json::Value = serde_json::from_slice(json).ok()?;
        if value.get("v")?.as_u64()? != 1 {
            return None;
        }
        let mut total = Total { records: value.get("records")?.as_u64()?, sums: BTreeMap::new() };
        for (field, sum) in value.get("sum")?.as_object()? {
            // However large: what was added up is no amount of one record.
            total.sums.insert(field.clone(), billionths(sum.as_str()?.as_bytes())?);
        }
        Some(total)
    }
}

/// A total that another logscrub wrote, or that broke.
#[must_use]
pub fn unread(topic: &str, partition: i32, offset: i64) -> StoreError {
    StoreError::Corrupt(format!(
        "topic `{topic}` partition {partition} offset {offset}: the total does not read; use the logscrub that wrote it"
    ))
}

/// A sum as people write it, without needless zeros.
#[must_use]
pub fn decimal(billionths: i128) -> String {
    let sign = if billionths < 0 { "-" } else { "" };
    let all = billionths.unsigned_abs();
    let (whole, rest) = (all / UNIT.unsigned_abs(), all % UNIT.unsigned_abs());
    let fraction = format!("{rest:09}");
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// Reads a record's amount in billionths; what stands behind the ninth decimal is cut. `None` for what is no
/// number, or no amount.
#[must_use]
pub fn amount(text: &[u8]) -> Option<i128> {
    billionths(text).filter(|sum| sum.abs() <= LARGEST)
}

/// Reads a decimal number.
fn billionths(text: &[u8]) -> Option<i128> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let dot = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at_checked(dot)?;
    let fraction = fraction.strip_prefix(b".").unwrap_or_default();
    if whole.is_empty() || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    let mut sum: i128 = 0;
    let decimals = fraction.iter().chain(std::iter::repeat(&b'0')).take(DECIMALS);
    for digit in whole.iter().chain(decimals) {
        sum = sum.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
    }
    Some(if negative { -sum } else { sum })
}

/// A group of one count: where its totals stand, chunk aside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The count's id.
    pub count: String,
    /// When the interval begins: `2026-03-02`, or `2026-03-02T10:00:00Z`.
    pub from: String,
    /// Field and value, in the order of the count's `by`; `None` where the record has no such field. None at all: small
    /// groups together.
    pub values: Vec<(String, Option<String>)>,
}

impl Group {
    /// The key of a counts record. `chunk` has no `/`.
    #[must_use]
    pub fn key(&self, chunk: &str) -> String {
        let pairs: Vec<_> =
            self.values.iter().map(|(field, value)| serde_json::json!([field, value])).collect();
        format!("count/{}/{}/{chunk}/{}", self.count, self.from, serde_json::Value::from(pairs))
    }

    /// Reads a key back; `None` where it is not one of a group.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Group> {
        let mut parts = key.strip_prefix("count/")?.splitn(4, '/');
        let (count, from, _) = (parts.next()?, parts.next()?, parts.next()?);
        let values = serde_json::from_str(parts.next()?).ok()?;
        Some(Group { count: count.to_owned(), from: from.to_owned(), values })
    }
}

/// Names the stretch of a partition that begins at an offset, on a day counted from 1970. The topic's id, since a topic
/// that was deleted and made again has the same offsets once more.
#[must_use]
pub fn chunk(topic: &str, topic_id: &str, begins: i64, day: i64) -> String {
    format!("{topic}@{}@{begins}@{day}", topic_id.replace('/', "_"))
}

/// What a policy counts.
pub struct Counting {
    counts: Vec<Count>,
    /// What is left of a record to read groups from, as the only stage of a policy.
    reading: Policy,
}

/// Buffers of [`Counting::count`].
#[derive(Default)]
pub struct Counter {
    scratch: Scratch,
    out: RecordBuf,
    labels: Labels,
}

/// What values are called in keys, as far as they came before.
#[derive(Default)]
struct Labels {
    scratch: Scratch,
    out: RecordBuf,
    known: HashMap<Vec<u8>, String>,
}

/// The most values that are remembered.
const MOST_LABELS: usize = 4096;

impl Counting {
    /// `None` where a policy counts nothing.
    #[must_use]
    pub fn of(policy: &Policy) -> Option<Self> {
        if policy.counts.is_empty() {
            return None;
        }
        let mut reading = policy.clone();
        reading.stages.truncate(1);
        if let Some(stage) = reading.stages.first_mut() {
            stage.actions = ActionTable::of_each(|class| Some(readable(class)));
        }
        Some(Counting { counts: policy.counts.clone(), reading })
    }

    /// The groups that a record is counted in, with what it adds to each.
    pub fn count(
        &self,
        engine: &Engine,
        counter: &mut Counter,
        record: &Record<'_>,
        at_ms: i64,
        add: &mut dyn FnMut(Group, Total),
    ) {
        // A tombstone is no message.
        if record.value.is_none() {
            return;
        }
        // Headers and key are not read.
        let value = Record { value: record.value, ..Record::default() };
        let Counter { scratch, out, labels } = counter;
        let applied = engine.apply(scratch, &self.reading, 0, &value, out);
        scratch.counts().clear();
        if let Applied::Withheld(_) = applied {
            return self.count_withheld(at_ms, add);
        }
        let read = Record { value: out.value.as_deref(), ..Record::default() };
        for count in &self.counts {
            if count
                .when
                .as_ref()
                .is_some_and(|when| !when.holds(|field| engine.extract(scratch, &value, field)))
            {
                continue;
            }
            let mut values = Vec::with_capacity(count.by.len());
            for field in &count.by {
                let value = engine.extract(scratch, &read, field);
                values.push((field.clone(), value.map(|value| self.label(engine, labels, value))));
            }
            let mut total = Total { records: 1, sums: BTreeMap::new() };
            for field in &count.sum {
                let sum = engine.extract(scratch, &read, field).and_then(amount).unwrap_or(0);
                total.sums.insert(field.clone(), sum);
            }
            add(Group { count: count.id.clone(), from: begins(count.every, at_ms), values }, total);
        }
    }

    /// A value as it stands in a key. Whatever its field promised, it is looked at once more for what it shows by
    /// itself: an account can be called by somebody's address.
    fn label(&self, engine: &Engine, labels: &mut Labels, value: &[u8]) -> String {
        if let Some(known) = labels.known.get(value) {
            return known.clone();
        }
        let Labels { scratch, out, known } = labels;
        let record = Record { value: Some(value), ..Record::default() };
        let applied = engine.apply(scratch, &self.reading, 0, &record, out);
        scratch.counts().clear();
        let label = match applied {
            Applied::Unchanged | Applied::Changed => word(out.value.as_deref().unwrap_or_default()),
            Applied::Withheld(_) => OTHER.to_owned(),
        };
        if known.len() >= MOST_LABELS {
            known.clear();
        }
        known.insert(value.to_owned(), label.clone());
        label
    }

    /// The same for a record that cannot be read: it is counted, under no values.
    pub fn count_withheld(&self, at_ms: i64, add: &mut dyn FnMut(Group, Total)) {
        for count in self.counts.iter().filter(|count| count.when.is_none()) {
            let values = count.by.iter().map(|field| (field.clone(), Some(WITHHELD.to_owned()))).collect();
            let sums = count.sum.iter().map(|field| (field.clone(), 0)).collect();
            let group = Group { count: count.id.clone(), from: begins(count.every, at_ms), values };
            add(group, Total { records: 1, sums });
        }
    }
}

/// What of a class may stand in a group's key.
fn readable(class: Class) -> Action {
    match class {
        Class::Safe | Class::SubjectId => Action::Keep,
        Class::Phone => Action::MaskCallingCode,
        Class::Ip => Action::Geo(GeoDetail::Country),
        Class::Timestamp => Action::Round(RoundTo::Day),
        Class::UserAgent => Action::Family,
        Class::Url => Action::Route,
        Class::Code
        | Class::Body
        | Class::Email
        | Class::Credential
        | Class::Card
        | Class::Imei
        | Class::Name
        | Class::EventId
        | Class::Device
        | Class::Location
        | Class::Port => Action::Remove,
        Class::Custom(CustomClass { .. }) => Action::Remove,
    }
}

/// A group's value as it stands in a key.
fn word(value: &[u8]) -> String {
    let Some(text) = std::str::from_utf8(value).ok().filter(|text| text.len() <= LONGEST) else {
        return OTHER.to_owned();
    };
    if text.chars().any(char::is_control) {
        return OTHER.to_owned();
    }
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let numeric = |sign: char| sign.is_numeric() || sign.is_whitespace() || "+-().".contains(sign);
    if digits >= NUMBER_DIGITS && text.chars().all(numeric) {
        return NUMBER.to_owned();
    }
    text.to_owned()
}

/// When the interval of a moment begins, in UTC.
fn begins(every: Period, at_ms: i64) -> String {
    let seconds = at_ms.div_euclid(1000);
    let length = i64::try_from(every.seconds).unwrap_or(i64::MAX);
    let begins = if every.months > 0 {
        month_of(seconds, every.months)
    } else {
        seconds.div_euclid(length.max(1)).saturating_mul(length.max(1))
    };
    let Ok(begins) = jiff::Timestamp::from_second(begins) else { return "never".to_owned() };
    let whole_days = every.months > 0 || every.seconds.is_multiple_of(86_400);
    begins.strftime(if whole_days { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%SZ" }).to_string()
}

/// The moment that an interval begins at, from how it is written.
pub(super) fn begins_ms(from: &str) -> Option<i64> {
    let at = match from.parse::<jiff::civil::Date>() {
        Ok(date) => date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
        Err(_) => from.parse().ok()?,
    };
    Some(at.as_millisecond())
}

/// The first second of the months that a second lies in, counted from January 1970.
fn month_of(seconds: i64, months: u32) -> i64 {
    let Ok(at) = jiff::Timestamp::from_second(seconds) else { return seconds };
    let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let number = (i64::from(date.year()) - 1970) * 12 + i64::from(date.month()) - 1;
    let first = number.div_euclid(i64::from(months)).saturating_mul(i64::from(months));
    let (year, month) = (1970 + first.div_euclid(12), first.rem_euclid(12) + 1);
    let year = i16::try_from(year).unwrap_or(i16::MAX);
    let month = i8::try_from(month).unwrap_or(1);
    let first = jiff::civil::Date::new(year, month, 1);
    let first = first.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    first.map_or(seconds, |first| first.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::rule::{self, Sources};
    use std::sync::Arc;

    #[test]
    fn amounts_are_exact() {
        for (text, written) in [
            ("0", "0"),
            ("12", "12"),
            ("0.0065", "0.0065"),
            ("-3.50", "-3.5"),
            ("007.1", "7.1"),
            ("0.1234567899", "0.123456789"),
            ("1000000000000000", "1000000000000000"),
        ] {
            assert_eq!(amount(text.as_bytes()).map(decimal).as_deref(), Some(written), "{text}");
        }
        for text in [
            "",
            "-",
            ".5",
            "1e3",
            "+1",
            "1,5",
            "NaN",
            "1000000000000001",
            "99999999999999999999999999999999999999999",
        ] {
            assert_eq!(amount(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn totals_and_keys_read_back() {
        let mut total = Total { records: 2, sums: [("price".to_owned(), 6_500_000)].into() };
        total.merge(&Total { records: 1, sums: [("price".to_owned(), UNIT)].into() });
        assert_eq!(total.to_json(), r#"{"records":3,"sum":{"price":"1.0065"},"v":1}"#);
        assert_eq!(Total::from_json(total.to_json().as_bytes()), Some(total));
        // Days of nanoseconds.
        let large = Total { records: 2, sums: [("duration_ns".to_owned(), 9 * LARGEST)].into() };
        let most =
            Total { records: 3, sums: [("a".to_owned(), i128::MAX), ("b".to_owned(), -i128::MAX)].into() };
        for total in [large, most] {
            assert_eq!(Total::from_json(total.to_json().as_bytes()), Some(total));
        }
        for other in ["", "{}", r#"{"v":2,"records":3,"sum":{}}"#, r#"{"v":1,"records":3,"sum":{"a":1}}"#] {
            assert_eq!(Total::from_json(other.as_bytes()), None, "{other}");
        }
        let values = vec![("account_id".to_owned(), Some("a/b\"c".to_owned())), ("status".to_owned(), None)];
        let group = Group { count: "billing".into(), from: "2026-03-02".into(), values };
        let key = group.key(&chunk("ops.logs.held.90d", "x/y", 12, 20_000));
        assert_eq!(
            key,
            r#"count/billing/2026-03-02/ops.logs.held.90d@x_y@12@20000/[["account_id","a/b\"c"],["status",null]]"#
        );
        assert_eq!(Group::from_key(&key), Some(group));
        assert_eq!(Group::from_key("outcomes/lanes/deidentify/ops.logs.held.90d"), None);
    }

    #[test]
    fn intervals_begin_where_the_calendar_says() {
        let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        for (every, moment, begin) in [
            ("1d", "2026-03-02T23:59:59.999Z", "2026-03-02"),
            ("1h", "2026-03-02T10:15:04Z", "2026-03-02T10:00:00Z"),
            ("30s", "2026-03-02T10:15:44Z", "2026-03-02T10:15:30Z"),
            ("1mo", "2026-03-31T10:15:44Z", "2026-03-01"),
            ("3mo", "2026-06-30T00:00:00Z", "2026-04-01"),
            ("1y", "1969-12-31T23:59:59Z", "1969-01-01"),
            ("1d", "1969-12-31T23:59:59Z", "1969-12-31"),
        ] {
            assert_eq!(begins(every.parse().unwrap(), at(moment)), begin, "{every} {moment}");
        }
    }

    fn groups(count: &str, value: &str) -> Vec<(Vec<Option<String>>, u64, Vec<String>)> {
        let text = format!(
            "id = 'p'\n[[stage]]\nid = 'scrub'\nafter = '0d'\n[[stage]]\nid = 'last'\nafter = '90d'\n[[count]]\nid = 'c'\n{count}\n"
        );
        let source = Source { name: "p.toml".into(), text };
        let policy = crate::policy::compile(&source, &[]).unwrap_or_else(|errors| panic!("{errors}")).policy;
        let rules =
            rule::compile(&Sources { shipped: rule::shipped_sources(), user: Vec::new() }).unwrap().rules;
        let engine = Engine::new(Arc::new(rules), None);
        let mut all = Vec::new();
        let record = Record { value: Some(value.as_bytes()), ..Record::default() };
        Counting::of(&policy).unwrap().count(
            &engine,
            &mut Counter::default(),
            &record,
            0,
            &mut |group, total| {
                let values = group.values.into_iter().map(|(_, value)| value).collect();
                all.push((values, total.records, total.sums.into_values().map(decimal).collect()));
            },
        );
        all
    }

    /// Whatever a field holds, no number, name or address of a person comes into a key.
    #[test]
    fn a_key_never_holds_a_person() {
        let by = "by = ['account_id', 'status']\nsum = ['price']";
        for (account, counted) in [
            ("acct-17", "acct-17"),
            ("+14155550132", NUMBER),
            ("14155550132", NUMBER),
            ("4155550132", NUMBER),
            ("(415) 555-0132", NUMBER),
            ("jane@example.com", "[EMAIL]"),
            ("1234567", "1234567"),
            ("a very long text, as nobody would give an account for its own name: who would", OTHER),
        ] {
            let value = format!(r#"{{"account_id":"{account}","status":"sent","price":0.0065}}"#);
            let [(values, 1, sums)] = &groups(by, &value)[..] else { panic!("one group") };
            let told = values[0].as_deref().unwrap();
            let number = counted == NUMBER && told == "[PHONE:+1]";
            assert!(told == counted || number, "{account}: {told}");
            assert_eq!((values[1].as_deref(), sums.as_slice()), (Some("sent"), &["0.0065".to_owned()][..]));
        }
        let [(values, ..)] =
            &groups("by = ['to', 'text', 'status']", r#"{"to":"+447700900123","text":"see you at ten"}"#)[..]
        else {
            panic!("one group")
        };
        assert_eq!(values, &[Some("[PHONE:+44]".into()), Some("[BODY]".into()), None]);
    }

    #[test]
    fn a_condition_says_which_records_are_counted() {
        let count = "by = ['status']\nwhen = { field = 'event', equals = 'sms.sent' }";
        assert_eq!(groups(count, r#"{"event":"sms.sent","status":"sent"}"#).len(), 1);
        assert_eq!(groups(count, r#"{"event":"login","status":"sent"}"#).len(), 0);
    }
}

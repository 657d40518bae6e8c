//! The `[kafka]` table: librdkafka's own names, less those that we must own.

use super::values::{Environment, Origin, Values};
use crate::diagnostic::{Report, TableReader};
use std::collections::BTreeMap;
use toml::de::DeValue;

const ALLOW_UNSAFE: &str = "allow_unsafe";

/// Settings that exactly-once delivery rests on, and why each is ours.
const OWNED: [(&str, &str); 16] = [
    ("enable.auto.commit", "positions are committed with the records, in one transaction"),
    ("enable.auto.offset.store", "positions are committed with the records, in one transaction"),
    ("auto.commit.interval.ms", "positions are committed with the records, in one transaction"),
    ("isolation.level", "stages read only what was committed"),
    ("enable.idempotence", "transactions need it"),
    ("transactional.id", "it names this process's slot, so that its successor ends what it left open"),
    ("group.id", "a pipeline's groups are named after its source"),
    ("group.instance.id", "it names this process's slot"),
    ("group.protocol", "start positions are given by the classic protocol's assignment"),
    ("partition.assignment.strategy", "lanes and source are shared out one partition at a time"),
    ("auto.offset.reset", "a start is never guessed: it is the furthest of commit, progress and log start"),
    ("acks", "transactions need every replica's word"),
    ("request.required.acks", "transactions need every replica's word"),
    ("max.in.flight.requests.per.connection", "order rests on it"),
    ("max.in.flight", "order rests on it"),
    ("enable.partition.eof", "`--once` rests on it"),
];

/// Settings that run programs, load code, print records or drop the broker's identity check.
const DANGEROUS: [&str; 6] = [
    "plugin.library.paths",
    "ssl.engine.location",
    "sasl.kerberos.kinit.cmd",
    "enable.ssl.certificate.verification",
    "ssl.endpoint.identification.algorithm",
    "debug",
];

const PREFIX: &str = "LOGSCRUB__KAFKA";

/// Reads the table, and what the environment puts in its place; `allow_unsafe = true` admits what is dangerous.
pub(super) fn settings(
    table: &TableReader<'_, '_, '_>,
    report: &Report<'_>,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let values = Values::new(report, environment, PREFIX);
    let allow_unsafe = values.boolean(table, ALLOW_UNSAFE).unwrap_or(false);
    let mut settings = BTreeMap::new();
    for (key, value) in table.entries().filter(|(key, _)| key.get_ref() != ALLOW_UNSAFE) {
        let name = key.get_ref().as_str();
        if let Some((message, help)) = refused(name, allow_unsafe) {
            values.error(&Origin::File(key.span()), &message, &format!("leave the line out{help}"));
            continue;
        }
        let Some(text) = plain(value.get_ref()) else {
            let message = format!("`{name}` must be a string, a number, true or false");
            report.error(value.span(), message, "write it in quotes");
            continue;
        };
        let filled = values.fill(&text, &Origin::File(value.span()));
        settings.extend(filled.map(|text| (name.to_owned(), text)));
    }
    for (variable, name, value) in environment.under(&format!("{PREFIX}__")) {
        let (name, origin) = (name.to_lowercase(), Origin::Variable(variable.to_owned()));
        if name == ALLOW_UNSAFE {
            continue;
        }
        let name = name.replace('_', ".");
        if let Some((message, help)) = refused(&name, allow_unsafe) {
            values.error(&origin, &message, &format!("unset the variable{help}"));
            continue;
        }
        settings.extend(values.fill(value, &origin).map(|text| (name, text)));
    }
    if !settings.contains_key("bootstrap.servers") {
        report.error(
            table.span(),
            "kafka needs `bootstrap.servers`",
            "add `\"bootstrap.servers\" = \"localhost:9092\"`",
        );
    }
    settings
}

/// Why a setting is not taken, and what else than leaving it out mends that.
fn refused(name: &str, allow_unsafe: bool) -> Option<(String, &'static str)> {
    if let Some((_, why)) = OWNED.iter().find(|(owned, _)| *owned == name) {
        return Some((format!("`{name}` is not yours to set: {why}"), ""));
    }
    let dangerous = DANGEROUS.contains(&name) && !allow_unsafe;
    dangerous.then(|| {
        let message = format!("`{name}` can run code, show records or trust a stranger");
        (message, ", or add `allow_unsafe = true` to `[kafka]`")
    })
}

/// A value as librdkafka takes it; `None` for a list and the like.
fn plain(value: &DeValue<'_>) -> Option<String> {
    match (value.as_str(), value.as_bool(), value.as_integer()) {
        (Some(text), _, _) => Some(text.to_owned()),
        (_, Some(truth), _) => Some(truth.to_string()),
        (_, _, Some(number)) => Some(number.as_str().replace('_', "")),
        _ => None,
    }
}

//! The `[kafka]` table: librdkafka's own names, less those that we must own.

use super::values::{Environment, fill};
use crate::diagnostic::{Report, TableReader};
use std::collections::BTreeMap;

/// Settings that exactly-once delivery rests on, and why each is ours.
const OWNED: [(&str, &str); 14] = [
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
    ("max.in.flight.requests.per.connection", "order rests on it"),
    ("enable.partition.eof", "`--once` rests on it"),
];

/// Settings that run programs, load code, print records or drop the broker's identity check.
const DANGEROUS: [&str; 5] = [
    "plugin.library.paths",
    "sasl.kerberos.kinit.cmd",
    "enable.ssl.certificate.verification",
    "ssl.endpoint.identification.algorithm",
    "debug",
];

/// Reads the table; `allow_unsafe = true` admits what is dangerous.
pub(super) fn settings(
    table: &TableReader<'_, '_, '_>,
    report: &Report<'_>,
    environment: &Environment,
) -> BTreeMap<String, String> {
    let allow_unsafe = table.boolean("allow_unsafe").is_some_and(|yes| *yes.get_ref());
    let mut settings = BTreeMap::new();
    for (key, value) in table.entries() {
        let name = key.get_ref().as_str();
        if name == "allow_unsafe" {
            continue;
        }
        if let Some((_, why)) = OWNED.iter().find(|(owned, _)| *owned == name) {
            report.error(key.span(), format!("`{name}` is not yours to set: {why}"), "leave the line out");
            continue;
        }
        if DANGEROUS.contains(&name) && !allow_unsafe {
            report.error(
                key.span(),
                format!("`{name}` can run code, show records or trust a stranger"),
                "leave the line out, or add `allow_unsafe = true` to `[kafka]`",
            );
            continue;
        }
        let plain = value.get_ref();
        let text = match (plain.as_str(), plain.as_bool(), plain.as_integer()) {
            (Some(text), _, _) => text.to_owned(),
            (_, Some(truth), _) => truth.to_string(),
            (_, _, Some(number)) => number.as_str().replace('_', ""),
            _ => {
                report.error(
                    value.span(),
                    format!("`{name}` must be a string, a number, true or false"),
                    "write it in quotes",
                );
                continue;
            }
        };
        match fill(&text, environment) {
            Ok(text) => drop(settings.insert(name.to_owned(), text)),
            Err(message) => {
                report.error(
                    value.span(),
                    message,
                    "write `${env:NAME}` or `${file:PATH}` as the whole value",
                );
            }
        }
    }
    for (name, value) in environment.under("LOGSCRUB__KAFKA__") {
        settings.insert(name.to_lowercase().replace('_', "."), value);
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

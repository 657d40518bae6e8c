//! The contract suite on a real broker, and what is Kafka's own.

mod broker;
#[path = "../contract/mod.rs"]
mod contract;
mod crashes;
#[path = "../process/mod.rs"]
mod process;
mod run;
mod site;

use broker::Broker;
use logscrub::store::kafka::{Kafka, Options};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

struct KafkaBench {
    store: Kafka,
}

fn options() -> Options {
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Options {
        // Uncompressed, so that a search through the broker's files finds what is there.
        settings: pairs(&[
            ("bootstrap.servers", Broker::get().address.as_str()),
            ("session.timeout.ms", "6000"),
            ("compression.type", "none"),
        ]),
        // Each append rolls a segment, so that a purge can erase record by record.
        topic_settings: pairs(&[("segment.ms", "1")]),
        ..Options::default()
    }
}

impl KafkaBench {
    fn new() -> Self {
        KafkaBench { store: Kafka::open(options()).unwrap() }
    }
}

impl contract::Bench for KafkaBench {
    type Store = Kafka;

    fn store(&self) -> &Kafka {
        &self.store
    }

    fn tick(&self) {
        std::thread::sleep(Duration::from_millis(1100));
    }

    fn on_disk(&self, bytes: &[u8], expect: bool) -> bool {
        // The broker looks every 2 s what is to go, and deletes a second later.
        let begun = Instant::now();
        while Broker::get().on_disk(bytes) != expect && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(200));
        }
        Broker::get().on_disk(bytes)
    }
}

contract!(KafkaBench::new());

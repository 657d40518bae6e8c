//! The contract suite on a real broker, and what is Kafka's own.

mod anonymity;
mod broker;
mod checks;
mod clock;
mod cluster;
mod compose;
#[path = "../contract/mod.rs"]
mod contract;
mod crashes;
mod erasure;
mod events;
mod faults;
mod idle;
mod keys;
mod options;
mod policies;
#[path = "../process/mod.rs"]
mod process;
mod reload;
mod run;
mod site;

use broker::Broker;
use logscrub::stage::store::{Flow, Place, Polled, Reader};
use logscrub::store::kafka::{Kafka, Options};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

struct KafkaBench {
    store: Kafka,
}

fn options() -> Options {
    options_on(Broker::get())
}

fn options_on(broker: &Broker) -> Options {
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Options {
        // Uncompressed, so that a search through the broker's files finds what is there.
        settings: pairs(&[
            ("bootstrap.servers", broker.address.as_str()),
            ("session.timeout.ms", "6000"),
            ("compression.type", "none"),
        ]),
        // Each append rolls a segment, so that a purge can erase record by record.
        topic_settings: pairs(&[("segment.ms", "1")]),
        ..Options::default()
    }
}

/// Waits for an assignment, and gives its first place.
fn assigned(reader: &mut impl Reader) -> Place {
    let begun = Instant::now();
    while begun.elapsed() < process::PATIENCE {
        let polled = reader.poll(Duration::from_millis(50), 1, &mut |_| Flow::Hold).unwrap();
        if let Polled::Assigned(assigned) = polled {
            return assigned[0].place;
        }
    }
    panic!("nothing was assigned");
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

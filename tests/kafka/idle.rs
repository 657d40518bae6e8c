//! What waiting costs: many partitions, each with a head that is not due for weeks.

use crate::broker::Broker;
use crate::process::{self, PATIENCE, until};
use crate::site::{Site, cpu_seconds, memory_mb, owned};
use std::time::Duration;

const PARTITIONS: usize = 200;

/// CPU and memory over a while, under bounds that a loaded machine keeps too; `benches/kafka.rs` measures.
#[test]
fn two_hundred_partitions_wait_for_next_to_nothing() {
    let broker = Broker::own(&[]);
    let site = Site::on(&broker, "idle", "90d", r#"["1h"]"#);
    site.put_spread(PARTITIONS, 2000);
    site.does(&["topics", "apply"]);
    site.as_a_service();
    let mut service = site.start(&[]);
    until("it owns all partitions", PATIENCE, || owned(&service) == 3 * PARTITIONS as i64);
    until("all is held", PATIENCE, || {
        let text = site.get(&service, "/metrics").1;
        text.contains(r#"logscrub_pending_records{pipeline="idle",lane="idle.held.90d"}"#)
            && site.lines("scrubbed").len() == 2000
    });
    // What is looked at once each is looked at.
    std::thread::sleep(Duration::from_secs(20));
    let (cpu, memory) = (cpu_seconds(service.id()), memory_mb(service.id()));
    let seconds = 25;
    std::thread::sleep(Duration::from_secs(seconds));
    let share = (cpu_seconds(service.id()) - cpu) * 100.0 / seconds as f64;
    let more = memory_mb(service.id()) - memory;
    println!("{share:.2} % of a core, {memory:.1} MB and then {more:.1} MB more");
    assert!(share < 2.0, "{share:.2} % of a core");
    assert!(more < 4.0, "{memory:.1} MB grew by {more:.1} MB");
    service.stop();
    process::until("the broker has its records", PATIENCE, || site.lines("scrubbed").len() == 2000);
}

//! What goes wrong around the service, on the real broker.

use crate::process::{PATIENCE, until};
use crate::site::{Site, now_ms};
use logscrub::store::kafka::Kafka;

/// The source takes larger records than it did when the topics were made: what cannot be written is
/// withheld, and the rest goes on.
#[test]
fn a_record_that_no_topic_takes_is_withheld() {
    let mut site = Site::new("large", "6s", r#"["2s", "1s"]"#);
    site.put_made_up(10, 1, "-1s");
    site.does(&["topics", "apply"]);
    let mut service = site.start(&[]);
    until("the service runs", PATIENCE, || site.ids("scrubbed").len() == 10);
    let store = Kafka::open(crate::options()).unwrap();
    let state = store.topic_state("large").unwrap().unwrap();
    store.change_settings("large", &state, &[("max.message.bytes", "4000000".to_owned())].into()).unwrap();
    let (value, now) = ("no such thing ".repeat(200_000), now_ms());
    site.put(&format!(r#"{{"value":"{value}","partition":0,"timestamp":{now}}}"#));
    site.put_made_up(10, 2, "-1s");
    until("a notice stands in quarantine", PATIENCE, || {
        site.does(&["cat", "large.quarantine"]).contains(r#""reason":"too_large""#)
    });
    until("the rest is scrubbed and released", PATIENCE, || {
        site.lines("scrubbed").len() == 21 && site.lines("deidentified").len() == 21
    });
    let withheld = |topic: &str| {
        let lines = site.lines(topic);
        lines.iter().filter(|line| line.contains("[WITHHELD:reason=too_large,bytes=2800000]")).count()
    };
    assert_eq!((withheld("scrubbed"), withheld("deidentified")), (1, 1));
    service.stop();
}

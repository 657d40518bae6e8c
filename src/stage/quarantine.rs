//! What is written about records that the engine could not answer for: never their content.

use crate::engine::WithheldReason;

/// A record of the quarantine topic, and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    pub stage: &'a str,
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Bytes of key and value together.
    pub bytes: usize,
    pub reason: WithheldReason,
}

impl Notice<'_> {
    /// `{"v":1,"stage":…,"topic":…,"partition":…,"offset":…,"bytes":…,"reason":…}`. Stage ids, topic
    /// names and reasons need no escapes: all are of a closed alphabet.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!(
            "{{\"v\":1,\"stage\":\"{}\",\"topic\":\"{}\",\"partition\":{},\"offset\":{},\"bytes\":{},\"reason\":\"{}\"}}",
            self.stage,
            self.topic,
            self.partition,
            self.offset,
            self.bytes,
            self.reason.word()
        )
    }
}

/// Bytes of key and value together.
#[must_use]
pub fn size(record: &crate::record::Record<'_>) -> usize {
    record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
}

/// What stands in the scrubbed topic in a record's place.
#[must_use]
pub fn placeholder(reason: WithheldReason, bytes: usize) -> String {
    format!("[WITHHELD:reason={},bytes={bytes}]", reason.word())
}

/// What is released in a record's place: the hour it is from, its size, the reason.
#[must_use]
pub fn skeleton(record_ms: i64, reason: WithheldReason, bytes: usize) -> String {
    let hour =
        jiff::Timestamp::from_millisecond(record_ms - record_ms.rem_euclid(3_600_000)).unwrap_or_default();
    format!("{{\"hour\":\"{hour}\",\"withheld\":\"{}\"}}", placeholder(reason, bytes))
}

/// Whether a record of a held topic is a heartbeat of the purge, which no stage counts.
#[must_use]
pub fn is_heartbeat(record: &crate::record::Record<'_>) -> bool {
    record.key.is_none()
        && record.value.is_none()
        && record.headers.iter().any(|(name, _)| *name == HEARTBEAT)
}

/// The header of a heartbeat record (null key, null value).
pub const HEARTBEAT: &[u8] = b"scrub-hb";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_and_a_skeleton_are_json_without_content() {
        let notice = Notice {
            stage: "scrub",
            topic: "logs",
            partition: 3,
            offset: 9,
            bytes: 12,
            reason: WithheldReason::TooLarge,
        };
        let json: serde_json::Value = serde_json::from_str(&notice.to_json()).unwrap();
        assert_eq!(json["reason"], "too_large");
        assert_eq!(json["offset"], 9);
        assert_eq!(
            skeleton(1_795_262_709_123, WithheldReason::Panic, 5),
            r#"{"hour":"2026-11-21T12:00:00Z","withheld":"[WITHHELD:reason=panic,bytes=5]"}"#
        );
    }
}

//! The one header that we add to what we write, and the headers that pass.

/// The header's name.
pub const NAME: &[u8] = b"logscrub";

/// Headers that pass where the config says nothing: what a reader needs to make sense of the value.
/// Everything else (forwarded addresses, baggage, user ids) is dropped.
pub const ALLOWED: [&str; 8] = [
    "content-type",
    "content-encoding",
    "traceparent",
    "__key_schema_id",
    "__value_schema_id",
    "ce_specversion",
    "ce_type",
    "ce_dataschema",
];

/// What the header says; its text form is `v1 <policy> <stage> r=<rules digest> t=<event time ms>`
/// on scrubbed records, `v1 <policy> <stage>` on de-identified ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp<'a> {
    pub policy: &'a str,
    pub stage: &'a str,
    /// On scrubbed records only: it would join a de-identified record to others.
    pub origin: Option<Origin<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The first 12 hexadecimal digits of the rule set's digest; fewer where there are fewer.
    pub rules: &'a str,
    /// Milliseconds since 1970.
    pub event_ms: i64,
}

impl<'a> Stamp<'a> {
    /// Replaces `out` by the header's value. Not by `write!`, which costs as much as reading a record from the broker.
    pub fn write(&self, out: &mut String) {
        out.clear();
        for word in ["v1 ", self.policy, " ", self.stage] {
            out.push_str(word);
        }
        if let Some(origin) = &self.origin {
            for word in [" r=", origin.rules, " t="] {
                out.push_str(word);
            }
            out.push_str(itoa::Buffer::new().format(origin.event_ms));
        }
    }

    /// Reads the value back; `None` where it is not exactly what [`Stamp::write`] writes.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next()? != "v1" {
            return None;
        }
        let policy = words.next().filter(|word| is_id(word))?;
        let stage = words.next().filter(|word| is_id(word))?;
        let origin = match words.next() {
            None => None,
            Some(rules) => {
                let rules = rules.strip_prefix("r=").filter(|hex| hex.len() <= 12 && is_hex(hex))?;
                let event_ms = words.next()?.strip_prefix("t=")?.parse().ok()?;
                Some(Origin { rules, event_ms })
            }
        };
        words.next().is_none().then_some(Stamp { policy, stage, origin })
    }
}

/// The part of a rule set's digest that the header carries.
#[must_use]
pub fn short_digest(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

fn is_id(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|b| matches!(b, b'a'..=b'f' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let origin = Some(Origin { rules: "0123456789ab", event_ms: 1_795_262_709_123 });
        let mut text = String::new();
        for (origin, written) in
            [(origin, "v1 mossmoon scrub r=0123456789ab t=1795262709123"), (None, "v1 mossmoon scrub")]
        {
            let stamp = Stamp { policy: "mossmoon", stage: "scrub", origin };
            stamp.write(&mut text);
            assert_eq!(text, written);
            assert_eq!(Stamp::read(&text), Some(stamp));
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "v1",
            "v1 a",
            "v2 a b",
            "v1 a b c",
            "v1 a b r=x t=1",
            "v1 a b r=0a",
            "v1 a b r=0a t=1 ",
            "v1 A b",
            "v1  a b",
        ] {
            assert_eq!(Stamp::read(text), None, "{text}");
        }
    }
}

//! A record as it comes in (borrowed) and as it goes out (owned, reused).

/// One header: its name and its value, `None` for Kafka's null.
pub type Header<'a> = (&'a [u8], Option<&'a [u8]>);

/// A Kafka message, or one line of `pipe`, borrowed from whoever read it. Any bytes are legal.
#[derive(Clone, Copy, Default)]
pub struct Record<'a> {
    /// `None` is Kafka's null key.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    pub headers: &'a [Header<'a>],
    /// Milliseconds since 1970 as the log has them; `None` where the source has no time.
    pub timestamp_ms: Option<i64>,
}

/// A record that we are about to write. The buffers are kept from record to record.
#[derive(Default, PartialEq, Eq)]
pub struct RecordBuf {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl std::fmt::Debug for Record<'_> {
    /// Sizes only: a record's bytes never reach a log line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("key_bytes", &self.key.map(<[u8]>::len))
            .field("value_bytes", &self.value.map(<[u8]>::len))
            .field("headers", &self.headers.len())
            .field("timestamp_ms", &self.timestamp_ms)
            .finish()
    }
}

impl std::fmt::Debug for RecordBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordBuf")
            .field("key_bytes", &self.key.as_ref().map(Vec::len))
            .field("value_bytes", &self.value.as_ref().map(Vec::len))
            .field("headers", &self.headers.len())
            .finish()
    }
}

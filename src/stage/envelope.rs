//! The held format: an original record as it waits in a lane.
//!
//! ```text
//! "LSH" version(1)=1 flags(1) seal: length(1) key id
//! record_ms(8) laned_ms(8) edition(4)  field clocks: count(1) of [clock(4) ms(8)]  applied: count(1) of [length(1) id]
//! key value  headers: count of [name value]
//! ```
//! Numbers are little-endian; key, value, names and header values are a LEB128 length plus one and
//! the bytes, zero for null. From `key` on, the bytes will be sealed under the key id once there is
//! one; this version writes an empty id and refuses any other.

use super::age::Times;
use crate::record::{Header, Record};

const MAGIC: &[u8; 3] = b"LSH";
const VERSION: u8 = 1;
const FLAG_WITHHELD: u8 = 1;

/// What travels with a held original.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cover {
    pub times: Times,
    /// Our clock when the record was put into its lane: stands in where the log's stamp lies in the
    /// future.
    pub laned_ms: i64,
    /// The edition of the windows that its lane was chosen by; see [`super::edition`].
    pub edition: u32,
    /// The engine could not answer for the record: it waits for its strictest window as it is.
    pub withheld: bool,
    /// Ids of the middle stages that were applied to the original.
    pub applied: Vec<String>,
}

/// Why held bytes do not read back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    #[error("not a held record")]
    Magic,
    #[error("held format version {0}, this logscrub reads version {VERSION}; use the logscrub that wrote it")]
    Version(u8),
    #[error("sealed under key `{0}`, and this logscrub has no keys")]
    Sealed(String),
    #[error("unknown flags {0:#04x}")]
    Flags(u8),
    #[error("cut short at `{0}`")]
    Short(&'static str),
    #[error("`{0}` does not read")]
    Field(&'static str),
    #[error("{0} bytes follow the end")]
    Trailing(usize),
}

/// Replaces `out` by the held form of a record. More than 255 clocks or stages, or an id longer than
/// 255 bytes, cannot come out of a compiled policy; what is beyond is left out.
pub fn encode(cover: &Cover, record: &Record<'_>, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.push(if cover.withheld { FLAG_WITHHELD } else { 0 });
    out.push(0);
    out.extend_from_slice(&cover.times.record_ms.to_le_bytes());
    out.extend_from_slice(&cover.laned_ms.to_le_bytes());
    out.extend_from_slice(&cover.edition.to_le_bytes());
    let clocks = cover.times.fields.get(..255).unwrap_or(&cover.times.fields);
    out.push(clocks.len() as u8);
    for (clock, ms) in clocks {
        out.extend_from_slice(&clock.to_le_bytes());
        out.extend_from_slice(&ms.to_le_bytes());
    }
    let fitting = || cover.applied.iter().filter(|id| id.len() <= 255).take(255);
    out.push(fitting().count() as u8);
    for id in fitting() {
        out.push(id.len() as u8);
        out.extend_from_slice(id.as_bytes());
    }
    put_bytes(record.key, out);
    put_bytes(record.value, out);
    put_count(record.headers.len() as u64, out);
    for (name, value) in record.headers {
        put_bytes(Some(name), out);
        put_bytes(*value, out);
    }
}

fn put_bytes(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    put_count(bytes.map_or(0, |bytes| bytes.len() as u64 + 1), out);
    out.extend_from_slice(bytes.unwrap_or_default());
}

fn put_count(mut count: u64, out: &mut Vec<u8>) {
    while count > 0x7f {
        out.push(0x80 | (count & 0x7f) as u8);
        count >>= 7;
    }
    out.push(count as u8);
}

/// A held record read back: the cover, key and value; headers go to `headers`, whose old contents go.
///
/// # Errors
/// Whatever is not exactly what [`encode`] writes.
pub fn decode<'a>(bytes: &'a [u8], headers: &mut Vec<Header<'a>>) -> Result<Held<'a>, EnvelopeError> {
    headers.clear();
    let mut rest = Rest(bytes);
    if rest.take(3, "magic").map_err(|_| EnvelopeError::Magic)? != MAGIC {
        return Err(EnvelopeError::Magic);
    }
    match rest.byte("version")? {
        VERSION => {}
        other => return Err(EnvelopeError::Version(other)),
    }
    let flags = rest.byte("flags")?;
    if flags & !FLAG_WITHHELD != 0 {
        return Err(EnvelopeError::Flags(flags));
    }
    let seal = rest.text("key id")?;
    if !seal.is_empty() {
        return Err(EnvelopeError::Sealed(seal));
    }
    let mut cover = Cover { withheld: flags & FLAG_WITHHELD != 0, ..Cover::default() };
    cover.times.record_ms = rest.i64("record time")?;
    cover.laned_ms = rest.i64("lane time")?;
    cover.edition = rest.array("edition").map(u32::from_le_bytes)?;
    for _ in 0..rest.byte("clocks")? {
        let clock = rest.array("clock").map(u32::from_le_bytes)?;
        cover.times.fields.push((clock, rest.i64("event time")?));
    }
    for _ in 0..rest.byte("stages")? {
        cover.applied.push(rest.text("stage")?);
    }
    let key = rest.bytes("key")?;
    let value = rest.bytes("value")?;
    for _ in 0..rest.count("headers")? {
        let name = rest.bytes("header name")?.ok_or(EnvelopeError::Field("header name"))?;
        headers.push((name, rest.bytes("header value")?));
    }
    if !rest.0.is_empty() {
        return Err(EnvelopeError::Trailing(rest.0.len()));
    }
    Ok(Held { cover, key, value })
}

/// See [`decode`].
#[derive(Debug, PartialEq, Eq)]
pub struct Held<'a> {
    pub cover: Cover,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], EnvelopeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(EnvelopeError::Short(what))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, EnvelopeError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], EnvelopeError> {
        self.take(N, what)?.try_into().map_err(|_| EnvelopeError::Short(what))
    }

    fn i64(&mut self, what: &'static str) -> Result<i64, EnvelopeError> {
        self.array(what).map(i64::from_le_bytes)
    }

    fn text(&mut self, what: &'static str) -> Result<String, EnvelopeError> {
        let length = self.byte(what)?;
        let bytes = self.take(usize::from(length), what)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| EnvelopeError::Field(what))
    }

    fn count(&mut self, what: &'static str) -> Result<u64, EnvelopeError> {
        let mut count = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte(what)?;
            count |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // One spelling per number.
                return if byte == 0 && shift > 0 { Err(EnvelopeError::Field(what)) } else { Ok(count) };
            }
        }
        Err(EnvelopeError::Field(what))
    }

    fn bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, EnvelopeError> {
        let Some(length) = self.count(what)?.checked_sub(1) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| EnvelopeError::Short(what))?;
        self.take(length, what).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::num::u8::ANY;
    use proptest::option::of;

    fn example() -> Vec<u8> {
        let cover = Cover {
            times: Times { record_ms: -1, fields: vec![(7, i64::MAX)] },
            laned_ms: 1_800_000_000_000,
            edition: 3,
            withheld: true,
            applied: vec!["codes".into()],
        };
        let record = Record { key: None, value: Some(b"v"), headers: &[(b"n", None)], timestamp_ms: None };
        let mut out = Vec::new();
        encode(&cover, &record, &mut out);
        out
    }

    /// The bytes on disk today: a change of format must change the version.
    #[test]
    fn version_1_is_pinned() {
        let hex: String = example().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "4c5348010100ffffffffffffffff00505c18a30100000300000001\
             07000000ffffffffffffff7f0105636f6465730002760102 6e00"
                .replace(' ', "")
        );
    }

    #[test]
    fn every_cut_and_every_addition_is_refused() {
        let bytes = example();
        let mut headers = Vec::new();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length], &mut headers).is_err(), "{length}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode(&longer, &mut headers), Err(EnvelopeError::Trailing(1)));
        for (at, byte, error) in
            [(0, 0, EnvelopeError::Magic), (3, 2, EnvelopeError::Version(2)), (4, 6, EnvelopeError::Flags(6))]
        {
            let mut other = bytes.clone();
            other[at] = byte;
            assert_eq!(decode(&other, &mut Vec::new()), Err(error));
        }
        let sealed = [b"LSH\x01\x00\x02k1".as_slice(), &bytes[6..]].concat();
        assert_eq!(decode(&sealed, &mut Vec::new()), Err(EnvelopeError::Sealed("k1".into())));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(
            record_ms: i64, laned_ms: i64, edition: u32, withheld: bool,
            fields in vec((0u32.., i64::MIN..), 0..3),
            applied in vec("[a-z]{1,64}", 0..3),
            key in of(vec(ANY, 0..200)), value in of(vec(ANY, 0..200)),
            own in vec((vec(ANY, 0..9), of(vec(ANY, 0..9))), 0..4),
        ) {
            let own: Vec<_> = own.iter().map(|(n, v)| (n.as_slice(), v.as_deref())).collect();
            let cover = Cover { times: Times { record_ms, fields }, laned_ms, edition, withheld, applied };
            let record = Record { key: key.as_deref(), value: value.as_deref(), headers: &own, timestamp_ms: None };
            let mut bytes = Vec::new();
            encode(&cover, &record, &mut bytes);
            let mut headers = Vec::new();
            let held = decode(&bytes, &mut headers).unwrap();
            proptest::prop_assert_eq!(held, Held { cover, key: record.key, value: record.value });
            proptest::prop_assert_eq!(headers, own);
        }

        #[test]
        fn any_bytes_are_legal(mut bytes in vec(ANY, 0..200), ours: bool) {
            if ours {
                bytes.splice(0..bytes.len().min(6), *b"LSH\x01\x00\x00");
            }
            let _ = decode(&bytes, &mut Vec::new());
        }
    }
}

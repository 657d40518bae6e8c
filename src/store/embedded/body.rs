//! How a record's bytes lie in the database.
//!
//! SQLite's `secure_delete` overwrites freed pages and freed cells with zeros. It gives no word for
//! what a page keeps outside its cells after the b-tree was rebalanced and cells moved to another
//! page. So nothing of a record lies in a cell: each body starts with [`PAD`] zero bytes, more than a
//! cell holds before it spills into overflow pages; everything after them is in overflow pages, which
//! belong to one row and are zeroed whole when the row goes. It costs some 230 bytes a record.

use crate::record::{Header, Record};

/// The database's page size in bytes.
pub(super) const PAGE_BYTES: usize = 1024;

/// Zero bytes before a body. The most that a `WITHOUT ROWID` cell keeps of its payload on a page of
/// 1024 bytes is (1024 - 12) * 64 / 255 - 23 = 230 bytes (SQLite's file format, "Cell Payload
/// Overflow Pages").
pub(super) const PAD: usize = (PAGE_BYTES - 12) * 64 / 255 - 23 + 2;

/// `out` becomes the pad and the record; its old contents go.
pub(super) fn encode(record: &Record<'_>, out: &mut Vec<u8>) {
    out.clear();
    out.resize(PAD, 0);
    put_bytes(record.key, out);
    put_bytes(record.value, out);
    put_count(record.headers.len() as u64, out);
    for (name, value) in record.headers {
        put_bytes(Some(name), out);
        put_bytes(*value, out);
    }
}

/// A record's key and its value, `None` for Kafka's null.
type KeyAndValue<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Key and value of a body; headers go to `headers`, whose old contents go. `None` where the body
/// was not written by [`encode`].
pub(super) fn decode<'a>(body: &'a [u8], headers: &mut Vec<Header<'a>>) -> Option<KeyAndValue<'a>> {
    headers.clear();
    let mut rest = body.get(PAD..)?;
    let key = take_bytes(&mut rest)?;
    let value = take_bytes(&mut rest)?;
    for _ in 0..take_count(&mut rest)? {
        let name = take_bytes(&mut rest)??;
        headers.push((name, take_bytes(&mut rest)?));
    }
    rest.is_empty().then_some((key, value))
}

/// Length plus one, then the bytes; zero is null.
fn put_bytes(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        None => put_count(0, out),
        Some(bytes) => {
            put_count(bytes.len() as u64 + 1, out);
            out.extend_from_slice(bytes);
        }
    }
}

fn put_count(mut count: u64, out: &mut Vec<u8>) {
    while count > 0x7f {
        out.push(0x80 | (count & 0x7f) as u8);
        count >>= 7;
    }
    out.push(count as u8);
}

fn take_count(rest: &mut &[u8]) -> Option<u64> {
    let mut count = 0u64;
    for shift in (0..63).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        count |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(count);
        }
    }
    None
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let count = take_count(rest)?;
    if count == 0 {
        return Some(None);
    }
    let (bytes, tail) = rest.split_at_checked(usize::try_from(count - 1).ok()?)?;
    *rest = tail;
    Some(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::num::u8::ANY;
    use proptest::option::of;

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(
            key in of(vec(ANY, 0..300)),
            value in of(vec(ANY, 0..300)),
            headers in vec((vec(ANY, 0..9), of(vec(ANY, 0..9))), 0..4),
        ) {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_slice(), v.as_deref())).collect();
            let record = Record { key: key.as_deref(), value: value.as_deref(), headers: &headers, timestamp_ms: None };
            let mut body = Vec::new();
            encode(&record, &mut body);
            let mut read = Vec::new();
            proptest::prop_assert_eq!(decode(&body, &mut read), Some((record.key, record.value)));
            proptest::prop_assert_eq!(read, headers);
        }

        #[test]
        fn any_bytes_are_legal(body in vec(ANY, 0..64)) {
            let mut padded = vec![0; PAD];
            padded.extend(body);
            let _ = decode(&padded, &mut Vec::new());
        }
    }
}

//! Device ids: MAC addresses (IEEE 802) and advertising ids.

use super::Hit;
use super::bytes::{before, byte, ends_before, is_alnum, is_digit, is_hex, run_end, starts_token};
use super::validate::not_uuid;
use crate::class::Class;
use crate::detect::words;

/// The MAC address (48 or 64 bits) whose first digit is at `start`: `00:00:5e:00:53:af`, with dashes, or
/// as `0000.5e00.53af`. A longer run of pairs is a fingerprint, three pairs are a time.
#[must_use]
pub fn mac_at(text: &[u8], start: usize) -> Option<Hit> {
    if !is_hex(byte(text, start)) || !starts_token(text, start) || matches!(before(text, start), b'-' | b'.')
    {
        return None;
    }
    let end = pairs(text, start).or_else(|| quads(text, start))?;
    Some(Hit::new(Class::Device, start, end))
}

fn pairs(text: &[u8], start: usize) -> Option<usize> {
    let separator = byte(text, start + 2);
    if !matches!(separator, b':' | b'-') || before(text, start) == b':' && is_hex(before(text, start - 1)) {
        return None;
    }
    let mut place = start;
    let mut groups = 0;
    loop {
        let end = run_end(text, place, 3, is_hex);
        if end - place != 2 {
            return None;
        }
        groups += 1;
        if groups > 8 || byte(text, end) != separator || !is_hex(byte(text, end + 1)) {
            let alone = !is_alnum(byte(text, end));
            return (alone && matches!(groups, 6 | 8)).then_some(end);
        }
        place = end + 1;
    }
}

fn quads(text: &[u8], start: usize) -> Option<usize> {
    let mut place = start;
    for group in 0..3 {
        let end = run_end(text, place, 5, is_hex);
        if end - place != 4 || (group < 2 && byte(text, end) != b'.') {
            return None;
        }
        place = end + 1;
    }
    let end = place - 1;
    let letters = text.get(start..end)?.iter().any(|b| !is_digit(*b) && *b != b'.');
    (letters && !is_alnum(byte(text, end)) && byte(text, end) != b'.').then_some(end)
}

/// An advertising or vendor id: a UUID within 24 bytes behind a word for one.
#[must_use]
pub fn ad_id_at(text: &[u8], start: usize) -> Option<Hit> {
    const WORDS: &[&str] = words::subject::AD_IDS;
    if !not_uuid::is_uuid_at(text, start) {
        return None;
    }
    let from = start.saturating_sub(24);
    let named = (from..=start).any(|end| WORDS.iter().any(|word| ends_before(text, end, word.as_bytes())));
    named.then(|| Hit::new(Class::Device, start, start + not_uuid::LENGTH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str, find: fn(&[u8], usize) -> Option<Hit>) -> Option<&str> {
        let hit = (0..text.len()).find_map(|start| find(text.as_bytes(), start))?;
        text.get(hit.span.start()..hit.span.end())
    }

    /// 00:00:5e:00:53:xx is reserved for documentation (RFC 9542 §2.1.2).
    #[test]
    fn mac_addresses() {
        for (text, want) in [
            ("hw 00:00:5e:00:53:af up", "00:00:5e:00:53:af"),
            ("mac=00-00-5E-00-53-AF", "00-00-5E-00-53-AF"),
            ("0000.5e00.53af", "0000.5e00.53af"),
            ("00:00:5e:ff:fe:00:53:af", "00:00:5e:ff:fe:00:53:af"),
        ] {
            assert_eq!(first(text, mac_at), Some(want), "{text}");
        }
        for (text, why) in [
            ("12:30:45", "a time"),
            ("00:00:5e:00:53:af:00:00:5e:00:53:af:00:00:5e:00", "a fingerprint"),
            ("00:00:5e:00:53", "five pairs"),
            ("0000.0000.1234", "no letter"),
            ("2001:db8::1", "an IP address"),
            ("x00:00:5e:00:53:af", "inside a word"),
        ] {
            assert_eq!(first(text, mac_at), None, "{text}: {why}");
        }
    }

    #[test]
    fn advertising_ids() {
        let id = "6F1C2A34-7B1D-4C2E-A9F0-1B2C3D4E5F60";
        assert_eq!(first(&format!("IDFA: {id}"), ad_id_at), Some(id));
        assert_eq!(first(&format!("device_id={id}"), ad_id_at).map(str::len), Some(36));
        assert_eq!(first(&format!("request {id}"), ad_id_at), None, "a request's id");
        assert_eq!(first("idfa: none", ad_id_at), None, "no id");
    }
}

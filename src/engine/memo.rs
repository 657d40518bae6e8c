//! What is known of short runs of bytes that come again and again: field names, levels, services, the words
//! of a log call.

struct Slot<T, const LONGEST: usize> {
    len: u8,
    bytes: [u8; LONGEST],
    known: T,
}

/// A direct-mapped cache for runs of at most `LONGEST` bytes: a new run takes the place of the one that stood
/// there. Runs are compared whole, and kept when they come the second time: most that come once never come
/// again.
pub struct Memo<T, const LONGEST: usize> {
    slots: Vec<Option<Slot<T, LONGEST>>>,
    /// A piece of the hash of the run in each slot: most that are not known are told by it, from few bytes.
    marks: Vec<u16>,
    /// A byte of the hash of the run that came last for a place.
    met: Vec<u8>,
}

/// Runs met for each one that is kept.
const MET: usize = 8;

impl<T: Copy, const LONGEST: usize> Memo<T, LONGEST> {
    /// Room for `slots` runs, which is a power of two.
    pub fn new(slots: usize) -> Self {
        Memo {
            slots: std::iter::repeat_with(|| None).take(slots).collect(),
            marks: vec![0; slots],
            met: vec![0; slots * MET],
        }
    }

    #[inline]
    pub fn get(&self, bytes: &[u8]) -> Option<T> {
        let hash = hash(bytes);
        let place = hash & (self.slots.len() - 1);
        if *self.marks.get(place)? != mark(hash) {
            return None;
        }
        let slot = self.slots.get(place)?.as_ref()?;
        let same = usize::from(slot.len) == bytes.len() && slot.bytes.get(..bytes.len())? == bytes;
        same.then_some(slot.known)
    }

    pub fn put(&mut self, bytes: &[u8], known: T) {
        let hash = hash(bytes);
        let place = hash & (self.met.len() - 1);
        let [_, high] = mark(hash).to_le_bytes();
        let met = self.met.get_mut(place).is_some_and(|met| std::mem::replace(met, high) == high);
        if !met {
            return;
        }
        let place = hash & (self.slots.len() - 1);
        let (Ok(len), Some(slot)) = (u8::try_from(bytes.len()), self.slots.get_mut(place)) else { return };
        let mut kept = [0; LONGEST];
        if let Some(to) = kept.get_mut(..bytes.len()) {
            to.copy_from_slice(bytes);
            *slot = Some(Slot { len, bytes: kept, known });
            if let Some(to) = self.marks.get_mut(place) {
                *to = mark(hash);
            }
        }
    }
}

/// A piece of a hash that does not tell the place; never 0, of which empty places are.
fn mark(hash: usize) -> u16 {
    let [.., low, high] = (hash as u32).to_le_bytes();
    u16::from_le_bytes([low, high | 1])
}

/// Eight bytes at a time; a collision costs time only.
#[inline]
pub fn hash(bytes: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = bytes.len() as u64;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR).rotate_left(29);
    }
    let mut last = 0;
    for byte in rest {
        last = last << 8 | u64::from(*byte);
    }
    hash = (hash ^ last).wrapping_mul(FACTOR);
    usize::try_from(hash >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_is_known_until_its_place_is_taken() {
        const LONGEST: usize = 24;
        let mut memo = Memo::<u32, LONGEST>::new(64);
        for number in 0..10_000_u32 {
            let name = format!("name-{number}");
            memo.put(name.as_bytes(), number);
            memo.put(name.as_bytes(), number);
            assert_eq!(memo.get(name.as_bytes()), Some(number));
            for other in 0..number.min(50) {
                let known = memo.get(format!("name-{other}").as_bytes());
                assert!(known.is_none_or(|known| known == other));
            }
        }
        memo.put(&[b'x'; LONGEST + 1], 1);
        assert_eq!(memo.get(&[b'x'; LONGEST + 1]), None);
        memo.put(b"", 7);
        assert_eq!(memo.get(b""), None, "met once");
        memo.put(b"", 7);
        assert_eq!(memo.get(b""), Some(7));
        assert_eq!(memo.get(b"\0"), None);
    }
}

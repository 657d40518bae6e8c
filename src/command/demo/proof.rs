//! The demo's last word: do the counts add up, and are the originals gone.

use super::machine::Counts;
use super::traffic::Kept;
use aho_corasick::AhoCorasick;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;

/// What was counted and searched for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub counts: Counts,
    /// Values that must go, of records that are surely released by now.
    pub released_values: usize,
    /// How many of them stand in a file of the store.
    pub released_found: usize,
    /// The same for records that are surely still held: they show that the search can find.
    pub held_values: usize,
    pub held_found: usize,
    /// Values that must go and that no rule found: they stand in what people may read. The released
    /// and held values leave them out.
    pub missed_values: usize,
    pub all_values: usize,
    /// Bytes searched.
    pub file_bytes: usize,
}

impl Proof {
    /// `outputs`: what people may read. `files`: everything on disk. `edge_ms`: a record due before
    /// the first moment is released, one due after the second is held, between them either may be.
    pub fn of(
        counts: &Counts,
        kept: &[Kept],
        outputs: &[Vec<u8>],
        files: &[Vec<u8>],
        edge_ms: (i64, i64),
    ) -> Proof {
        let needles = |wanted: &dyn Fn(i64) -> bool| -> BTreeSet<&str> {
            let records = kept.iter().filter(|record| wanted(record.due_ms));
            records.flat_map(|record| record.needles.iter().map(String::as_str)).collect()
        };
        let all = needles(&|_| true);
        let missed = found(&all, outputs.iter().map(Vec::as_slice));
        // A person writes more than once: what a later record holds too may still be there.
        let later = kept.iter().filter(|record| record.due_ms > edge_ms.0);
        let released = needles(&|due| due <= edge_ms.0);
        let again = found(&released, later.map(|record| record.value.as_slice()));
        let released: BTreeSet<_> = released
            .into_iter()
            .filter(|needle| !missed.contains(needle) && !again.contains(needle))
            .collect();
        let held: BTreeSet<_> =
            needles(&|due| due > edge_ms.1).into_iter().filter(|needle| !missed.contains(needle)).collect();
        Proof {
            counts: counts.clone(),
            released_values: released.len(),
            released_found: found(&released, files.iter().map(Vec::as_slice)).len(),
            held_values: held.len(),
            held_found: found(&held, files.iter().map(Vec::as_slice)).len(),
            missed_values: missed.len(),
            all_values: all.len(),
            file_bytes: files.iter().map(Vec::len).sum(),
        }
    }

    /// Every record is where it should be, once.
    pub fn adds_up(&self) -> bool {
        let Counts { sent, scrubbed, deidentified, .. } = self.counts;
        sent > 0 && scrubbed == sent && deidentified + self.counts.waiting() == sent
    }

    /// No original is left, and the search would have seen one.
    pub fn originals_gone(&self) -> bool {
        self.released_values > 0 && self.released_found == 0 && self.held_found > 0
    }

    pub fn holds(&self) -> bool {
        self.adds_up() && self.originals_gone()
    }
}

/// Which of the needles stand somewhere in the texts.
fn found<'n, 't>(needles: &BTreeSet<&'n str>, texts: impl Iterator<Item = &'t [u8]>) -> BTreeSet<&'n str> {
    let list: Vec<&str> = needles.iter().copied().collect();
    let Ok(search) = AhoCorasick::new(&list) else { unreachable!("a few thousand short needles fit") };
    let mut seen = BTreeSet::new();
    for text in texts {
        let hits = search.find_overlapping_iter(text);
        seen.extend(hits.filter_map(|hit| list.get(hit.pattern().as_usize()).copied()));
    }
    seen
}

/// The contents of every file in a directory.
pub fn files(directory: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            contents.push(std::fs::read(path)?);
        }
    }
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(due_ms: i64, needle: &str) -> Kept {
        Kept {
            value: format!("to={needle}").into_bytes(),
            partition: 0,
            offset: 0,
            due_ms,
            classes: 1,
            needles: vec![needle.to_owned()],
        }
    }

    fn counts(sent: u64, scrubbed: u64, deidentified: u64, waiting: u64) -> Counts {
        Counts { sent, scrubbed, deidentified, lanes: vec![("1h".into(), waiting)], ..Counts::default() }
    }

    fn proof(outputs: &[u8], file: &[u8]) -> Proof {
        let records = [
            kept(10, "released-one"),
            kept(10, "released-again"),
            kept(15, "either-way"),
            kept(30, "held-one"),
            kept(30, "released-again"),
        ];
        Proof::of(&counts(5, 5, 2, 3), &records, &[outputs.to_vec()], &[file.to_vec()], (10, 20))
    }

    #[test]
    fn a_store_that_holds_only_what_is_held_proves_it() {
        let proof = proof(b"to=[PHONE]", b"..held-one..either-way..released-again");
        assert!(proof.holds(), "{proof:?}");
        assert_eq!((proof.released_values, proof.held_values), (1, 2));
    }

    #[test]
    fn a_released_original_in_a_file_is_seen() {
        assert!(!proof(b"", b"held-one released-one").holds());
    }

    #[test]
    fn a_search_that_finds_nothing_at_all_proves_nothing() {
        assert!(!proof(b"", b"").holds());
    }

    #[test]
    fn what_the_rules_missed_is_counted_apart() {
        let proof = proof(b"to=released-one", b"held-one released-one");
        assert_eq!((proof.missed_values, proof.released_values, proof.released_found), (1, 0, 0));
    }

    #[test]
    fn counts_that_do_not_add_up_are_seen() {
        for wrong in [counts(5, 4, 2, 3), counts(5, 5, 2, 2), counts(5, 5, 3, 3), counts(0, 0, 0, 0)] {
            assert!(!Proof { counts: wrong, ..Proof::default() }.adds_up());
        }
    }
}

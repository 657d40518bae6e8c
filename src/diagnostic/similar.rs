//! Did-you-mean: the known word nearest to what was written.

/// Words that people bring from other tools, and ours.
const SYNONYMS: [(&str, &str); 17] = [
    ("regex", "pattern"),
    ("regexp", "pattern"),
    ("description", "summary"),
    ("name", "id"),
    ("type", "class"),
    ("paths", "fields"),
    ("exclude", "not_fields"),
    ("delete", "remove"),
    ("drop", "remove"),
    ("redact", "remove"),
    ("hash", "pseudonym"),
    ("tokenize", "pseudonym"),
    ("hmac", "pseudonym"),
    ("allow", "keep"),
    ("otp", "code"),
    ("secret", "credential"),
    ("message", "body"),
];

/// The one of `known` that `word` most likely means, or `None` if none is near.
pub fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let lower = word.to_lowercase();
    let limit = (lower.chars().count() / 3).max(1);
    let mut best: Option<(usize, &'k str)> = None;
    for candidate in known {
        if SYNONYMS.contains(&(lower.as_str(), candidate)) {
            return Some(candidate);
        }
        let distance = distance(&lower, candidate);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance: insert, delete, replace, swap neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    // Long texts are not words; their length says enough.
    if a.len() > 100 || b.len() > 100 {
        return a.len().max(b.len());
    }
    let width = b.len() + 1;
    let mut before: Vec<usize> = vec![0; width];
    let mut above: Vec<usize> = (0..width).collect();
    for (row, x) in a.iter().enumerate() {
        let mut current = vec![row + 1; width];
        for (column, y) in b.iter().enumerate() {
            let get = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut least = (get(&above, column + 1) + 1)
                .min(get(&current, column) + 1)
                .min(get(&above, column) + usize::from(x != y));
            let swapped = row > 0 && column > 0 && a.get(row - 1) == Some(y) && b.get(column - 1) == Some(x);
            if swapped {
                least = least.min(get(&before, column - 1) + 1);
            }
            if let Some(cell) = current.get_mut(column + 1) {
                *cell = least;
            }
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_typos_swaps_and_other_tools_words_and_leaves_strangers() {
        let known = ["pattern", "fields", "class", "phone", "pseudonym", "remove"];
        for (word, meant) in [
            ("pattren", Some("pattern")),
            ("field", Some("fields")),
            ("Phone", Some("phone")),
            ("phnoe", Some("phone")),
            ("regex", Some("pattern")),
            ("hash", Some("pseudonym")),
            ("delete", Some("remove")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(did_you_mean(word, known), meant, "{word}");
        }
    }

    #[test]
    fn a_swap_costs_one() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}

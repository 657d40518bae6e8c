//! Groups of few records are shown together.

use crate::stage::ALL;
use crate::stage::count::{Group, Total};
use std::collections::BTreeMap;

/// What is shown of one group, or of several small ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the interval begins; `None`: of all intervals.
    pub from: Option<String>,
    /// `None`: of several groups.
    pub values: Option<Vec<(String, Option<String>)>>,
    /// `None`: even together they are too few.
    pub total: Option<Total>,
}

/// The rows of one count, interval by interval. Groups of fewer than `min` records are added up with those of
/// the same interval; what is still fewer than `min`, over all intervals.
pub fn fold(groups: BTreeMap<Group, Total>, min: u64) -> Vec<Row> {
    let mut by_interval: BTreeMap<String, Vec<(Group, Total)>> = BTreeMap::new();
    for (group, total) in groups {
        by_interval.entry(group.from.clone()).or_default().push((group, total));
    }
    let mut rows = Vec::new();
    let mut left = Total::default();
    for (from, groups) in by_interval {
        let mut small = Total::default();
        for (group, total) in groups {
            // What was folded in the log has no values any more.
            if total.records >= min && !group.values.is_empty() {
                rows.push(Row { from: Some(from.clone()), values: Some(group.values), total: Some(total) });
            } else {
                small.merge(&total);
            }
        }
        if small.records >= min && from != ALL {
            rows.push(Row { from: Some(from), values: None, total: Some(small) });
        } else {
            left.merge(&small);
        }
    }
    if left.records > 0 {
        let total = (left.records >= min).then_some(left);
        rows.push(Row { from: None, values: None, total });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(all: &[(&str, &str, u64)]) -> BTreeMap<Group, Total> {
        let one = |(from, status, records): &(&str, &str, u64)| {
            let values = vec![("status".to_owned(), Some((*status).to_owned()))];
            let group = Group { count: "c".into(), from: (*from).to_owned(), values };
            (group, Total { records: *records, sums: [("price".to_owned(), i128::from(*records))].into() })
        };
        all.iter().map(one).collect()
    }

    fn shown(all: &[(&str, &str, u64)]) -> Vec<(String, String, Option<u64>)> {
        let row = |row: Row| {
            let value = row.values.and_then(|mut values| values.pop()?.1);
            let records = row.total.map(|total| total.records);
            (row.from.unwrap_or("all".into()), value.unwrap_or("others".into()), records)
        };
        fold(groups(all), 11).into_iter().map(row).collect()
    }

    fn row(from: &str, value: &str, records: Option<u64>) -> (String, String, Option<u64>) {
        (from.into(), value.into(), records)
    }

    #[test]
    fn small_groups_are_shown_together() {
        assert_eq!(shown(&[("1", "sent", 11), ("1", "read", 12)]).len(), 2);
        assert_eq!(
            shown(&[("1", "a", 10), ("1", "b", 1), ("1", "c", 11), ("2", "a", 10), ("3", "a", 5)]),
            [row("1", "c", Some(11)), row("1", "others", Some(11)), row("all", "others", Some(15))]
        );
        assert_eq!(shown(&[("1", "a", 10)]), [row("all", "others", None)], "even together too few");
        let mut folded = groups(&[("1", "a", 11), ("1", "b", 2)]);
        for (from, records) in [("1", 12), ("all", 30)] {
            let group = Group { count: "c".into(), from: from.into(), values: vec![] };
            folded.insert(group, Total { records, sums: BTreeMap::new() });
        }
        let rows = fold(folded, 11)
            .into_iter()
            .map(|row| (row.from, row.values.is_some(), row.total.map(|total| total.records)));
        let day = || Some("1".to_owned());
        assert_eq!(
            rows.collect::<Vec<_>>(),
            [(day(), true, Some(11)), (day(), false, Some(14)), (None, false, Some(30))]
        );
        assert_eq!(shown(&[]), []);
    }

    proptest::proptest! {
        /// Nothing is lost but the last too few, and no row is of fewer than `min`.
        #[test]
        fn rows_add_up(all in proptest::collection::vec((0u8..5, 0u8..9, 1u64..30), 0..40)) {
            let named: Vec<_> = all.iter().map(|(from, of, n)| (from.to_string(), of.to_string(), *n)).collect();
            let named: Vec<_> = named.iter().map(|(from, of, n)| (from.as_str(), of.as_str(), *n)).collect();
            let groups = groups(&named);
            let all: u64 = groups.values().map(|total| total.records).sum();
            let rows = fold(groups, 11);
            let shown: u64 = rows.iter().filter_map(|row| row.total.as_ref()).map(|total| total.records).sum();
            let hidden = rows.iter().any(|row| row.total.is_none());
            proptest::prop_assert!(all == shown || (hidden && all - shown < 11));
            proptest::prop_assert!(rows.iter().filter_map(|row| row.total.as_ref()).all(|total| total.records >= 11));
        }
    }
}

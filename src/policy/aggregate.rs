//! Counts and events of a policy, checked.

use super::compile::{Compiler, SMALLEST_GROUP, same};
use super::syntax::{CountSyntax, EventSyntax};
use super::{Count, Event, Period};
use toml::Spanned;

impl Compiler<'_, '_> {
    pub(super) fn counts(&self, syntax: &[CountSyntax], stages: usize) -> Vec<Count> {
        let mut counts = Vec::new();
        for (place, one) in syntax.iter().enumerate() {
            if syntax.iter().take(place).any(|other| same(other.id.as_ref(), one.id.as_ref())) {
                let span = one.id.as_ref().map_or(one.span.clone(), Spanned::span);
                self.report.error(span, "two counts have the same id", "give each its own id");
            }
            if one.by.is_empty() {
                self.report.error(
                    one.span.clone(),
                    "a count needs `by`: the fields it counts by",
                    "write `by = [\"account_id\", \"country\", \"status\"]`",
                );
            }
            if stages == 1 {
                self.report.error(
                    one.span.clone(),
                    "records are counted when they are released, and this policy releases none",
                    "add the stage that releases them: `[[stage]]` with `id = \"deidentify\"`, `after = \"90d\"`",
                );
            }
            counts.push(Count {
                id: self.id(one.id.as_ref()),
                by: one.by.iter().map(|field| field.get_ref().clone()).collect(),
                sum: one.sum.iter().map(|field| field.get_ref().clone()).collect(),
                every: one
                    .every
                    .as_ref()
                    .map_or(Some(Period::days(1)), |text| self.interval(text))
                    .unwrap_or_default(),
                when: one.when.as_ref().and_then(|when| self.when(when)),
                min: one.min.as_ref().map_or(SMALLEST_GROUP, |min| self.min(min)),
            });
        }
        counts
    }

    /// What one count covers.
    fn interval(&self, text: &Spanned<String>) -> Option<Period> {
        let period = self.period(text)?;
        if period.is_zero() || (period.months > 0 && period.seconds > 0) {
            self.report.error(
                text.span(),
                format!("`{}` is no interval to count by", text.get_ref()),
                "write one unit, above zero: \"1h\", \"1d\", \"1mo\"",
            );
        }
        Some(period)
    }

    fn min(&self, min: &Spanned<i64>) -> u64 {
        let number = u64::try_from(*min.get_ref()).ok().filter(|min| *min > 0);
        number.unwrap_or_else(|| {
            self.report.error(
                min.span(),
                "`min` is the fewest records that a group is shown with, 1 or more",
                format!("write `min = {SMALLEST_GROUP}`"),
            );
            SMALLEST_GROUP
        })
    }

    pub(super) fn events(&self, syntax: &[EventSyntax], stages: usize) -> Vec<Event> {
        let mut events = Vec::new();
        for (place, one) in syntax.iter().enumerate() {
            if syntax.iter().take(place).any(|other| same(other.id.as_ref(), one.id.as_ref())) {
                let span = one.id.as_ref().map_or(one.span.clone(), Spanned::span);
                self.report.error(span, "two events have the same id", "give each its own id");
            }
            if stages == 1 {
                let help = "add the stage that releases them: `[[stage]]` with `id = \"deidentify\"`, `after = \"90d\"`";
                self.report.error(one.span.clone(), "an event ends windows, and this policy has none", help);
            }
            if one.when.is_none() {
                let help = "write `when = { field = \"event\", equals = [\"account.closed\"] }`";
                self.report.error(one.span.clone(), "an event needs `when`: which records tell of it", help);
            }
            let when = one.when.as_ref().and_then(|when| self.when(when));
            if let Some(by) = &one.by {
                self.field_name(by);
            }
            let after = one.after.as_ref().and_then(|after| self.period(after));
            let (Some(when), Some(by), Some(after)) = (when, &one.by, after) else { continue };
            events.push(Event { id: self.id(one.id.as_ref()), when, by: by.get_ref().clone(), after });
        }
        events
    }
}

//! Policies: a ladder of stages, each with an age and an action per class.
//!
//! `syntax` is the TOML one to one; `compile` checks all of it and reports every error; what stands
//! here is what runs.

mod accounts;
mod action;
mod aggregate;
mod compile;
mod period;
mod shipped;
mod syntax;
mod windows;

pub use accounts::Accounts;
pub use action::{possible, spelling};
pub use compile::{CITY_FLOOR, Compiled, SMALLEST_GROUP, account_files, compile};
pub use period::{NotAPeriod, Period};
pub use shipped::{shipped, shipped_ids};
pub use windows::{Windows, milliseconds, shortest_of_ms};

use crate::class::{Class, ClassSet, SLOTS};
use crate::numbering::Region;
use crate::transform::{Action, GeoDetail, RoundTo};

/// A policy that was checked whole. Everything in it can be carried out.
#[derive(Clone, Debug)]
pub struct Policy {
    /// `[a-z0-9_-]{1,64}`.
    pub id: String,
    pub summary: String,
    pub clock: Clock,
    pub margin: Margin,
    /// At least one; the first has age zero; ages rise.
    pub stages: Vec<Stage>,
    /// What the last stage does with a field that no rule knows.
    pub unknown_fields: UnknownFields,
    /// The least number of addresses the database must map to a city before its name is written.
    pub city_floor: u64,
    /// Times before `now - oldest_plausible` are not believed.
    pub oldest_plausible: Period,
    /// `geo_fields = true`: JSON gets `<field>_country` and `<field>_city` members.
    pub geo_fields: bool,
    /// The country whose national numbers are meant where nothing else tells.
    pub region: Option<Region>,
    /// Aggregates that outlive the records.
    pub counts: Vec<Count>,
    /// What ends windows sooner.
    pub events: Vec<Event>,
    /// `None`: the last stage does what it says, whoever else shows the same.
    pub anonymity: Option<Anonymity>,
    /// What the policy's document promises.
    pub sentences: Vec<Sentence>,
}

/// `k` of the last stage: a released record shares what it shows with so many, or shows less. The last stage's own
/// actions are the coarsest form, so that nothing finer leaves where nobody counted.
#[derive(Clone, Debug)]
pub struct Anonymity {
    /// 2 or more.
    pub k: u64,
    /// What the last stage does where enough records show the same.
    pub finest: ActionTable,
}

/// What is done to a class instead of an action where too few records show the same.
#[must_use]
pub fn coarser(class: Class, action: Action) -> Action {
    match (class, action) {
        (_, Action::Remove | Action::DropField) => action,
        (Class::Ip, Action::Geo(GeoDetail::City)) => Action::Geo(GeoDetail::Country),
        (Class::Ip, Action::Keep) => Action::Geo(GeoDetail::Country),
        (Class::Timestamp, _) => Action::Round(RoundTo::Day),
        (Class::UserAgent | Class::SubjectId, _) => Action::Remove,
        _ => action,
    }
}

/// A sentence of a document, and what keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Word for word; `…` where words are left out.
    pub text: String,
    /// Stages and counts of the policy, by their ids.
    pub kept_by: Vec<String>,
    /// What keeps it that is none of a policy's parts: another command, a setting, the operator.
    pub elsewhere: Option<String>,
}

/// Something that ends the last window of everything under one value of a field: an account is closed.
#[derive(Clone, Debug)]
pub struct Event {
    /// `[a-z0-9_-]{1,64}`, unique in its policy.
    pub id: String,
    /// Which records tell of it.
    pub when: When,
    /// The field whose value it holds for.
    pub by: String,
    /// How long after the event records are due for the last stage at the latest.
    pub after: Period,
}

/// An aggregate kept after its records are gone: how many, by the values of some fields.
#[derive(Clone, Debug)]
pub struct Count {
    /// `[a-z0-9_-]{1,64}`, unique in its policy.
    pub id: String,
    /// Fields (bare names or full paths) whose values make a group; at least one.
    pub by: Vec<String>,
    /// Numeric fields that are added up in each group.
    pub sum: Vec<String>,
    /// Length of the interval that one count covers: months, or seconds.
    pub every: Period,
    /// `None`: every record.
    pub when: Option<When>,
    /// Groups of fewer records are shown together.
    pub min: u64,
}

/// One rung of the ladder.
#[derive(Clone, Debug)]
pub struct Stage {
    /// `[a-z0-9_-]{1,64}`, unique in its policy.
    pub id: String,
    pub after: After,
    /// `None`: the policy's clock.
    pub clock: Option<Clock>,
    /// Of a middle stage; `None`: every record.
    pub when: Option<When>,
    /// The action per class slot, resolved: what this stage does, defaults of its position included.
    /// `None` leaves the value alone (a middle stage that does not name the class).
    pub actions: ActionTable,
    /// The classes that the file names at this stage.
    pub named: ClassSet,
}

/// Where a stage stands in its ladder decides its defaults (DESIGN: what a stage acts on).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Shapes only the scrubbed topic.
    First,
    /// Applies only the classes it names to the held record.
    Middle,
    /// Applies everything to the held record; what comes out is de-identified. In a policy with
    /// one stage only, that stage is `First`.
    Last,
}

#[derive(Clone, Debug)]
pub struct ActionTable([Option<Action>; SLOTS]);

impl ActionTable {
    #[must_use]
    pub fn new(actions: [Option<Action>; SLOTS]) -> Self {
        ActionTable(actions)
    }

    /// The same question for each class there can be.
    #[must_use]
    pub fn of_each(mut action: impl FnMut(Class) -> Option<Action>) -> Self {
        let mut actions = [None; SLOTS];
        for (cell, class) in actions.iter_mut().zip(compile::every_class()) {
            *cell = action(class);
        }
        ActionTable(actions)
    }

    #[must_use]
    pub fn of(&self, class: Class) -> Option<Action> {
        self.0.get(class.slot()).copied().flatten()
    }
}

impl Policy {
    #[must_use]
    pub fn position(&self, stage: usize) -> Position {
        if stage == 0 {
            Position::First
        } else if stage + 1 == self.stages.len() {
            Position::Last
        } else {
            Position::Middle
        }
    }

    /// Gives a later stage the age that the operator wants; where it is one per account, that of accounts
    /// without their own.
    ///
    /// # Errors
    /// There is no such stage.
    pub fn set_window(&mut self, stage: &str, window: Period) -> Result<(), WindowError> {
        let Some(found) = self.stages.iter_mut().skip(1).find(|known| known.id == stage) else {
            let later: Vec<_> = self.stages.iter().skip(1).map(|stage| format!("`{}`", stage.id)).collect();
            let (policy, stage) = (self.id.clone(), stage.to_owned());
            return Err(WindowError::NoStage { policy, stage, later: later.join(", ") });
        };
        match &mut found.after {
            After::PerAccount { default, .. } => *default = Some(window),
            after @ (After::Period(_) | After::Unset) => *after = After::Period(window),
        }
        Ok(())
    }

    /// Gives single accounts windows of their own.
    ///
    /// # Errors
    /// No stage is per account.
    pub fn set_accounts(&mut self, windows: &Accounts) -> Result<(), WindowError> {
        let mut none = true;
        for stage in &mut self.stages {
            if let After::PerAccount { accounts, .. } = &mut stage.after {
                accounts.clone_from(windows);
                none = false;
            }
        }
        if none { Err(WindowError::NoAccounts { policy: self.id.clone() }) } else { Ok(()) }
    }

    /// Whether the ages rise, as those that the file names were found to.
    ///
    /// # Errors
    /// The first two that do not.
    pub fn check_windows(&self) -> Result<(), WindowError> {
        let known = self.stages.iter().filter_map(|stage| Some((stage, stage.after.default_period()?)));
        let mut last: Option<(&Stage, Period)> = None;
        for (stage, age) in known {
            if let Some((earlier, before)) = last
                && age.shortest_seconds() <= before.shortest_seconds()
            {
                let (stage, earlier) = (stage.id.clone(), earlier.id.clone());
                return Err(WindowError::NotRising { stage, age, earlier, before });
            }
            last = Some((stage, age));
        }
        Ok(())
    }

    /// The first stage whose age the operator has to set.
    #[must_use]
    pub fn unset(&self) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.after == After::Unset)
    }

    #[must_use]
    pub fn stage_by_id(&self, id: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.id == id)
    }
}

/// What a record's age counts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The record's own timestamp as the source topic has it.
    Record,
    /// A field of the value; where it is absent or unreadable, the record's time.
    Field(String),
}

/// Released how long before the window ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Margin {
    /// So early that the bytes have left the disk when the window ends.
    Auto,
    Fixed {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// The key stays, the value becomes the bare placeholder of an unknown value.
    DropValue,
    DropField,
    Keep,
}

/// A stage's age: one for all, or one per account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    Period(Period),
    /// The policy's document names no length: the operator has to set one ([`Policy::set_window`]).
    Unset,
    /// `{ default = "90d", by = "account_id", file = "windows.toml" }`; `default` is `None` where
    /// the policy's document names no length and the operator has to set one.
    PerAccount {
        default: Option<Period>,
        by: String,
        file: Option<std::path::PathBuf>,
        /// What stands in the file, once it was read.
        accounts: Accounts,
    },
}

impl After {
    /// The age that holds where no account has its own; `None` where the operator has to set one.
    #[must_use]
    pub fn default_period(&self) -> Option<Period> {
        match self {
            After::Period(period) => Some(*period),
            After::PerAccount { default, .. } => *default,
            After::Unset => None,
        }
    }
}

/// Why an operator's window can not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("policy `{policy}` has no later stage `{stage}`; its later stages are {later}")]
    NoStage { policy: String, stage: String, later: String },
    #[error("ages must rise: stage `{stage}` at {age} comes after stage `{earlier}` at {before}")]
    NotRising { stage: String, age: Period, earlier: String, before: Period },
    #[error("no stage of policy `{policy}` is per account")]
    NoAccounts { policy: String },
}

/// Which records a stage or a count is for.
#[derive(Clone, Debug)]
pub enum When {
    Equals { field: String, values: Vec<String> },
    Matches { field: String, pattern: regex::bytes::Regex },
    Exists { field: String },
}

impl When {
    /// Whether it holds for a record, whose fields `extract` gives.
    pub fn holds<'r>(&self, extract: impl FnOnce(&str) -> Option<&'r [u8]>) -> bool {
        let (When::Equals { field, .. } | When::Matches { field, .. } | When::Exists { field }) = self;
        let Some(bytes) = extract(field) else { return false };
        match self {
            When::Equals { values, .. } => values.iter().any(|value| value.as_bytes() == bytes),
            When::Matches { pattern, .. } => pattern.is_match(bytes),
            When::Exists { .. } => true,
        }
    }
}

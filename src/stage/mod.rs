//! Stages: what is done with a record, given a clock and a log. A pure state machine over the
//! traits in [`store`] and [`clock`]: no I/O, no wall clock.
//!
//! A [`Pipeline`] has two kinds of worker. [`ScrubWorker`] reads the source and writes the scrubbed
//! record, the held original and its position in one transaction. [`LaneWorker`] reads all lanes: it
//! waits for each head ([`lane`]), and when a record has waited its lane's delay decides by its age
//! ([`age`]) under the policy now in force whether it is released or goes into the next lane.
//! [`purge`] then deletes what both have left behind, [`DayEnd`] what was counted of a day that is over, [`EventEnd`]
//! marks of events that no window depends on, and [`Fold`] what totals tell of few. How a record ended is counted in the same
//! transaction ([`outcome`]), as are the policy's own counts ([`count`]) and positions ([`progress`]). A worker that is
//! fenced asks who has its slot ([`claim`]).

pub mod age;
pub mod cell;
pub mod claim;
pub mod clock;
pub mod count;
pub mod crash;
mod day;
mod day_end;
mod day_key;
pub mod edition;
pub mod envelope;
pub mod event;
mod event_end;
mod fold;
mod groups;
pub mod header;
mod horizon;
pub mod lane;
mod lane_worker;
mod member;
pub mod meter;
pub mod outcome;
mod pipeline;
pub mod progress;
pub mod purge;
pub mod quarantine;
mod scrub;
mod step;
pub mod store;
pub mod topics;
mod work;

pub use day_end::{DayEnd, Ended};
pub use day_key::DayKey;
pub use event_end::EventEnd;
pub use fold::{ALL, Fold};
pub use lane_worker::{LaneWorker, needed_topics};
pub use member::counts_key;
pub use pipeline::{Pipeline, Settings};
pub use scrub::ScrubWorker;
pub use step::Step;

//! Stages: what is done with a record, given a clock and a log. A pure state machine over the
//! traits in [`store`] and [`clock`]: no I/O, no wall clock.

pub mod clock;
pub mod crash;
pub mod store;

//! Config, run, health, drain.

pub mod clock;
pub mod config;
pub mod crash;
mod run;

pub use run::{Mode, Part, RunSpec, run};

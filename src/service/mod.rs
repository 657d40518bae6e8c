//! Config, run, health, drain.

pub mod clock;
pub mod config;
pub mod crash;
mod run;
pub mod topics;

pub use run::{Leaving, Mode, Part, RunSpec, Threads, run};

//! Config, run, health, drain.

pub mod check;
pub mod clock;
pub mod config;
pub mod crash;
pub mod file;
mod health;
pub mod keys;
mod line;
mod missing;
mod once;
mod run;
pub mod topics;
pub mod watch;
mod worker;

pub use health::{Health, listen};
pub use run::{Changes, Leaving, Mode, Part, RunSpec, Threads, run};

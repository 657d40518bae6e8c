//! Config, run, health, drain.

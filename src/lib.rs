//! logscrub: scrubs messaging logs at once, de-identifies them after their window, and purges the
//! originals.
//!
//! # Architecture
//!
//! Layers, each importing only from those above it (`tests/layers.rs` checks it):
//!
//! | layer | modules |
//! |---|---|
//! | nouns | [`record`] [`class`] [`finding`] [`numbering`] [`diagnostic`] |
//! | steps | [`codec`] [`detect`] [`transform`]: bytes → values, values → findings, values → replacements; none imports another |
//! | rules | [`rule`] [`policy`] |
//! | engine | [`engine`], then [`stage`]: no I/O, no wall clock |
//! | edge | [`telemetry`] [`store`] [`geo`] [`service`] [`command`] |
#![forbid(unsafe_code)]

pub mod class;
pub mod diagnostic;
pub mod finding;
pub mod numbering;
pub mod record;

pub mod codec;
pub mod detect;
pub mod transform;

pub mod policy;
pub mod rule;

pub mod engine;
pub mod stage;

pub mod command;
pub mod geo;
pub mod service;
pub mod store;
pub mod telemetry;

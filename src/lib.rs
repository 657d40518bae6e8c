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
//! | edge | [`telemetry`] [`store`] [`geo`] [`service`] [`sample`] (made-up logs with their truth) [`command`] |
//!
//! `clippy.toml` bans clocks, sleeping, files and printing; only the edge is let off, below.
#![deny(unsafe_code)] // but for one file, `store/kafka/native.rs`, which says why
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

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

// The edge: waits, reads files and clocks. Only commands print.
#[allow(clippy::disallowed_methods, clippy::disallowed_macros)]
pub mod command;
#[allow(clippy::disallowed_methods)]
pub mod geo;
#[allow(clippy::disallowed_methods)]
pub mod sample;
#[allow(clippy::disallowed_methods)]
pub mod service;
#[allow(clippy::disallowed_methods)]
pub mod store;
#[allow(clippy::disallowed_methods)]
pub mod telemetry;

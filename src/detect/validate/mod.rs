//! Validators: a second look at a candidate. One file per checksum or property.

pub mod luhn;
pub mod not_epoch;
pub mod not_uuid;

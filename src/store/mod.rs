//! The stores behind the `Store` trait.
pub mod embedded;
pub mod kafka;

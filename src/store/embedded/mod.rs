//! The whole pipeline on one machine: SQLite.

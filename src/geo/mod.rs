//! Places from addresses: MMDB files and the embedded country table.

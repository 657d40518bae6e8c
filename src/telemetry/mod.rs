//! What we say of ourselves: metrics and logs.

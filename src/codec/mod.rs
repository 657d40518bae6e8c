//! Bytes to values with a path and a span: JSON, logfmt, access logs, syslog, gateway lines, text.
pub mod time;

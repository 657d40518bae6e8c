//! `logscrub pipe`: stdin to stdout, one line out per line in, in order.

mod pump;

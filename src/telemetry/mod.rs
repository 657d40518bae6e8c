//! What we say of ourselves: metrics and logs.

mod metric;

pub use metric::{Metric, Scrape};

//! The lists of `rules/lexicons/words`: a module for each file, a list in the order of its bytes for each table.

include!(concat!(env!("OUT_DIR"), "/word_lists.rs"));

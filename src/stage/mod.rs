//! What a stage does with an outcome, given a clock and a store.

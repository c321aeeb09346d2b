//! Placeholder.

pub mod epmd;

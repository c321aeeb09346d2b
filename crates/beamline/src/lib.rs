//! Erlang-style clustering for Rust.

#[cfg(feature = "flags")]
pub mod flags;

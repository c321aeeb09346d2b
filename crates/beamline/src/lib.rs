//! Erlang-style clustering for Rust.

//! Real Elixir.

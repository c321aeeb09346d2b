//! Prompts at a node, and the service that lets `iex --remsh` to one.
//!
//! A [`Prompt`] is a session of Elixir expressions: they run here, by `beamline-elixir`, and each call that is not known to
//! the language is one call of a node's function table. The terminal is somebody else's: the console's, or, over the io
//! protocol, that of an `iex --remsh`.
//!
//! This crate never evaluates what a peer sent unless the program has said so.

mod asked;
mod calls;
mod helpers;
mod io_client;
mod led;
mod letters;
mod prompt;
mod service;
mod told;
mod topic;
mod wrappers;

pub use calls::{Calls, Reach};
pub use io_client::Line;
pub use led::led_call;
pub use prompt::{Entered, Outcome, Output, Prompt};
pub use service::{Remsh, known};
pub use told::syntax;

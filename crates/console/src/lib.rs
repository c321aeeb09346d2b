//! The terminal programs: the shell, and single expressions for scripts.
//!
//! Who evaluates follows from the node that is looked at ([`Kind`]): an Elixir node does it itself, hidden and with nothing
//! loaded there; for others `beamline-elixir` does it here, and each call that is not of the language is one call to the node.

mod evaluator;
mod io_server;
mod kind;
mod oneshot;
mod shell;

pub use evaluator::{Completion, Context, Evaluated, Evaluator, Lane, Language, Outlet, Style, Table, Text};
pub use io_server::{Device, Reading};
pub use kind::Kind;
pub use oneshot::{Format, Oneshot, OneshotError, check, json};
pub use shell::{Shell, ShellError};

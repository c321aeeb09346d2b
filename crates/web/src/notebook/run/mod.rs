//! The notebook's evaluation: its cells at a node of the cluster, with no page and no file in it.
//!
//! `outline` is what is to be run, `plan` the rules of what runs when and what still holds, `output` what came of it,
//! `engine` brings them to a node, and `state` is what viewers see. `file` is the way from a notebook's file and back;
//! `headless` runs one without viewers.

mod engine;
mod file;
pub mod headless;
mod outline;
mod output;
mod plan;
mod state;

pub(crate) use engine::Engine;
pub(crate) use file::{cell_id, kept, outline, section_id};
pub(crate) use outline::CellId;
pub(crate) use output::{Failure, Outcome, Output, Table};
pub(crate) use plan::{Ask, Evaluation, Mark};
pub(crate) use state::{CellState, Question, RuntimeState, Update};

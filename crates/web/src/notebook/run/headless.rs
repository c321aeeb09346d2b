//! A notebook that is run once, from its first cell to its last, without anybody who looks on: for CI, and for scripts.

mod report;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use beamline_livemd::Notebook;
use beamline_node::Node;
use beamline_proto::NodeName;
use tokio::time::Instant;

use super::engine::Engine;
use super::file::{cell_id, code_cell, outline};
use super::outline::{CellId, Language};
use super::output::{Outcome, Output};
use super::plan::{Ask, Mark};
use super::state::RuntimeState;
use crate::site::Permit;
pub use report::{Ran, Report, Status};

/// A notebook that is to be run once: all its cells, in their order, branches beside each other.
///
/// ```no_run
/// # async fn example(node: beamline_node::Node, text: &str) -> Result<(), beamline_web::headless::RunError> {
/// use beamline_web::{headless::Run, livemd::Notebook};
/// let report = Run::new(&node, Notebook::read(text)).run(|_| {}).await?;
/// println!("{}", report.junit());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing runs before `run`"]
pub struct Run {
    node: Node,
    notebook: Notebook,
    target: NodeName,
    given: Vec<(String, String)>,
    timeout: Option<Duration>,
}

/// Why a notebook was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The name of a variable that is none.
    #[error("{0:?} is no name of a variable: it begins with a small letter or _ and has letters, digits and _")]
    Variable(String),
    /// The node could not be reached, or did not take the variables.
    #[error("{told}")]
    Node {
        /// The node.
        node: NodeName,
        /// What it said, and what to try.
        told: String,
    },
}

impl Run {
    /// A notebook whose cells run at this node itself.
    pub fn new(node: &Node, notebook: Notebook) -> Run {
        Run { node: node.clone(), notebook, target: node.name().clone(), given: Vec::new(), timeout: None }
    }

    /// Runs the cells at another node.
    pub fn at(mut self, target: NodeName) -> Run {
        self.target = target;
        self
    }

    /// Binds a variable, which all cells see, to a text.
    ///
    /// # Errors
    /// That is no name of a variable.
    pub fn set(mut self, name: &str, value: &str) -> Result<Run, RunError> {
        let begins = name.starts_with(|first: char| first == '_' || first.is_ascii_lowercase());
        if !begins || !name.chars().all(|next| next == '_' || next.is_ascii_alphanumeric()) {
            return Err(RunError::Variable(name.to_owned()));
        }
        self.given.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// How long all cells together may take. Without it they take as long as they take.
    pub fn timeout(mut self, time: Duration) -> Run {
        self.timeout = Some(time);
        self
    }

    /// Runs the cells. Each is told to `progress` when it is done, in the order of their ends.
    ///
    /// # Errors
    /// Nothing ran. A cell that fails is no error here: the report has it.
    pub async fn run(self, mut progress: impl FnMut(&Ran)) -> Result<Report, RunError> {
        let Run { node, notebook, target, given, timeout } = self;
        let engine = Engine::unwatched(&node);
        engine.set_outline(&outline(&notebook));
        engine.give(given);
        engine.attach(&target, None);
        let kind = match engine.attached().await {
            RuntimeState::Ready { kind, .. } => kind,
            RuntimeState::Failed { node, told } | RuntimeState::Lost { node, told } => {
                return Err(RunError::Node { node, told });
            }
            _ => return Err(RunError::Node { told: format!("{target} was let go"), node: target }),
        };
        let began = Instant::now();
        let mut cells = all_cells(&notebook);
        engine.run(Ask::All, &Permit::operator());
        let mut number = 0;
        let watched = async {
            loop {
                let update = engine.since(number);
                number = update.number;
                for cell in update.cells {
                    let Some(ran) = cells.get_mut(&cell.id) else { continue };
                    if take(ran, cell.mark, cell.output) {
                        progress(ran);
                    }
                }
                if engine.is_idle() {
                    return;
                }
                engine.changed(number).await;
            }
        };
        let is_late = match timeout {
            Some(time) => tokio::time::timeout(time, watched).await.is_err(),
            None => {
                watched.await;
                false
            }
        };
        if is_late {
            engine.cancel_all();
            // A node that does not let go of a cell is let go itself.
            engine.idle().await;
        }
        let runtime = engine.since(u64::MAX).runtime;
        for cell in engine.since(0).cells {
            if let Some(ran) = cells.get_mut(&cell.id)
                && take(ran, cell.mark, cell.output)
            {
                progress(ran);
            }
        }
        let mut cells: Vec<Ran> = cells.into_values().collect();
        cells.sort_by_key(|ran| ran.number);
        let lost = match runtime {
            RuntimeState::Lost { told, .. } => Some(told),
            _ => None,
        };
        Ok(Report { notebook, target, kind, cells, took: began.elapsed(), is_late, lost })
    }
}

/// All cells that are code, none of which has run.
fn all_cells(notebook: &Notebook) -> HashMap<CellId, Ran> {
    let setup = notebook.setup().iter().map(|cell| ("Setup", cell));
    let others =
        notebook.sections().iter().flat_map(|section| section.cells().iter().map(|cell| (section.name(), cell)));
    let code = setup.chain(others).filter_map(|(section, cell)| Some((section, cell.id(), code_cell(cell)?)));
    let ran = |(number, (section, id, cell)): (usize, (&str, _, super::outline::CodeCell))| {
        let first = cell.source.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let ran = Ran {
            id,
            number: number + 1,
            section: section.to_owned(),
            language: cell.language,
            title: first.trim().chars().take(80).collect(),
            status: Status::Skipped,
            output: None,
            is_told: cell.language == Language::Python || cell.source.trim().is_empty(),
        };
        (cell_id(id), ran)
    };
    code.enumerate().map(ran).collect()
}

/// Takes what there is of a cell; true if it is the first time that it has come to its end.
fn take(ran: &mut Ran, mark: Mark, output: Option<Arc<Output>>) -> bool {
    let result = output.as_ref().and_then(|output| output.result.as_ref());
    ran.status = match (result, mark) {
        (Some(Outcome::Value { .. } | Outcome::Silent), _) => Status::Passed,
        (Some(Outcome::Failed(_)), _) => Status::Failed,
        (Some(Outcome::Aborted(_)), _) => Status::Aborted,
        _ => Status::Skipped,
    };
    let is_done = result.is_some() || mark == Mark::Aborted;
    ran.output = output;
    let is_news = is_done && !ran.is_told;
    ran.is_told |= is_done;
    is_news
}

//! One evaluation: from the plan to the node, and what came of it back.

use std::sync::Arc;
use std::time::Duration;

use beamline_console::{Context, Evaluated, Evaluator, Lane, Outlet, Text};
use beamline_elixir::{Highlight, highlight};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::device::CellDevice;
use super::{Shared, State};
use crate::notebook::run::outline::{self, Language};
use crate::notebook::run::output::{Failure, Outcome, Output, SHOWN_BYTES, Table, whole};
use crate::notebook::run::plan::{End, Job};

/// How many columns a value may take.
pub(super) const WIDTH: usize = 98;
/// How many rows of a table are shown.
const ROWS: usize = 1000;
/// How many columns of it.
const COLUMNS: usize = 50;
/// How many bytes of a text in it.
const CELL: usize = 1000;

pub(super) fn lane(lane: outline::Lane) -> Lane {
    Lane(lane.map_or(0, |section| section.0.wrapping_add(1)))
}

impl Shared {
    /// Begins an evaluation.
    pub(super) fn launch(self: &Arc<Self>, state: &mut State, evaluator: &Evaluator, job: Job) {
        let id = job.cell.id;
        let root = state.root();
        let changed = state.next();
        let held = state.cells.entry(id).or_default();
        let before = held.output.replace(Arc::new(Output::new(job.number)));
        held.changed = changed;
        let device = || CellDevice::new(Arc::downgrade(self), id);
        let outlet = held.outlet.get_or_insert_with(|| Arc::new(Outlet::new(&self.node, Arc::new(device()))));
        let (outlet, by) = (Arc::clone(outlet), held.by.clone());
        state.kept = state.kept.saturating_sub(before.map_or(0, |output| output.printed.kept().len()));
        if let Some(by) = by {
            let code = HEXLOWER.encode(&Sha256::digest(job.cell.source.as_bytes()));
            by.audit("eval", evaluator.target().as_str(), &format!("sha256 {}", code.get(..12).unwrap_or_default()));
        }
        let (shared, evaluator, generation) = (Arc::clone(self), evaluator.clone(), state.generation);
        tokio::spawn(async move {
            let began = Instant::now();
            let evaluated = evaluate(&evaluator, &job, root, &outlet).await;
            shared.finish(generation, &job, evaluated, began.elapsed());
        });
    }

    fn finish(self: &Arc<Self>, generation: u64, job: &Job, evaluated: Evaluated, took: Duration) {
        if evaluated == Evaluated::Lost {
            return self.lost(generation);
        }
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        let is_cancelled = state.cancelled.remove(&job.number);
        let (end, outcome) = outcome(evaluated, is_cancelled, job.cell.source.lines().count());
        state.plan.done(job.cell.id, job.number, end);
        if let Some(output) = state.output(job.cell.id).filter(|output| output.evaluation == job.number) {
            (output.result, output.took) = (Some(outcome), Some(took));
        }
        state.touch(job.cell.id);
        self.settle(state);
    }
}

async fn evaluate(evaluator: &Evaluator, job: &Job, root: Option<Context>, outlet: &Outlet) -> Evaluated {
    if let Some(line) = installs(job) {
        let told = format!(
            "Mix.install is not run here: the cells run at {}, which has its own packages. Delete it to go on",
            evaluator.target()
        );
        return Evaluated::Failed { told, line: Some(line) };
    }
    let language = match job.cell.language {
        Language::Erlang => beamline_console::Language::Erlang,
        _ => beamline_console::Language::Elixir,
    };
    let text = Text {
        code: &job.cell.source,
        language,
        file: &format!("notebook#{}", job.cell.id.0),
        line: 1,
        width: WIDTH,
        rows: ROWS,
        lane: lane(job.lane),
        context: Context(job.cell.id.0),
        above: job.context.map(|cell| Context(cell.0)).or(root),
    };
    evaluator.evaluate(&text, outlet).await
}

/// The line on which a cell installs packages, if it does.
fn installs(job: &Job) -> Option<usize> {
    let source = job.cell.source.as_ref();
    if job.cell.language != Language::Elixir {
        return None;
    }
    let told = source.match_indices("Mix.install").map(|(at, _)| at);
    let parts = highlight(source);
    let is_text = |at: usize| {
        let quiet = |kind: &Highlight| matches!(kind, Highlight::String | Highlight::Comment);
        parts.iter().any(|(span, kind)| span.start <= at && at < span.end && quiet(kind))
    };
    let at = told.into_iter().find(|at| !is_text(*at))?;
    Some(source.get(..at)?.matches('\n').count() + 1)
}

/// What the node tells, as far as it is shown: its own limits are none that can be relied on.
fn bounded(mut text: String, bytes: usize) -> String {
    text.truncate(whole(&text, bytes).len());
    text
}

fn few(table: beamline_console::Table) -> Table {
    let cut = |texts: Vec<String>| texts.into_iter().take(COLUMNS).map(|text| bounded(text, CELL)).collect();
    let rows = table.rows.into_iter().take(ROWS).map(cut).collect();
    Table { columns: cut(table.columns), rows, total_rows: table.total }
}

fn outcome(evaluated: Evaluated, is_cancelled: bool, lines: usize) -> (End, Outcome) {
    match evaluated {
        Evaluated::Value { text, table } => {
            (End::Value, Outcome::Value { text: bounded(text, SHOWN_BYTES), table: table.map(few) })
        }
        Evaluated::Failed { told, line } => {
            // What has no end fails behind its last line.
            let line = line.map(|line| line.min(lines));
            (End::Failed, Outcome::Failed(Failure { message: bounded(told, SHOWN_BYTES), line }))
        }
        Evaluated::Ended(_) if is_cancelled => (End::Aborted, Outcome::Aborted("it was cancelled".into())),
        Evaluated::Ended(reason) => {
            let message = format!("** (EXIT) the process that evaluated the cell has ended: {reason}");
            (End::Failed, Outcome::Failed(Failure { message, line: None }))
        }
        _ => (End::Value, Outcome::Silent),
    }
}

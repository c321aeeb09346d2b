//! From a node's name to a node at which cells can run.

use std::sync::{Arc, Weak};
use std::time::Duration;

use beamline_console::{Evaluated, Evaluator, Lane, Language, Outlet, Style, Text};
use beamline_node::{CallError, Node};
use beamline_proto::NodeName;
use beamline_term::{Inspect, Term};

use super::device::Quiet;
use super::job::WIDTH;
use super::{ROOT, Shared};
use crate::notebook::run::state::RuntimeState;

/// How long a node may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);

/// Reaches a node, and watches it then.
pub(super) async fn reach(node: &Node, target: &NodeName, shared: &Weak<Shared>, generation: u64) {
    let outlet = Outlet::new(node, Arc::new(Quiet));
    let given = shared.upgrade().map(|shared| shared.lock().given.clone()).unwrap_or_default();
    let reached = async {
        let evaluator = Evaluator::start(node, target, Style::default(), &outlet, CONNECT).await;
        let evaluator = evaluator.map_err(|error| told(&error))?;
        give(&evaluator, &outlet, &given).await.map(|()| evaluator)
    };
    let reached = tokio::time::timeout(CONNECT, reached).await;
    let late = |_| Err(told(&CallError::Timeout { node: target.clone(), after: CONNECT }));
    match reached.unwrap_or_else(late) {
        Ok(evaluator) => {
            let is_ready = shared.upgrade().is_some_and(|shared| shared.ready(generation, target, &evaluator));
            if is_ready {
                evaluator.lost().await;
                shared.upgrade().into_iter().for_each(|shared| shared.lost(generation));
            }
        }
        Err(told) => {
            let Some(shared) = shared.upgrade() else { return };
            if shared.is_of(generation) {
                shared.detach(RuntimeState::Failed { node: target.clone(), told });
            }
        }
    }
}

/// Why a node was not reached, and what to try.
fn told(error: &CallError) -> String {
    match error {
        CallError::NodeDown { node } | CallError::Timeout { node, .. } => {
            format!("{error}; run: beamline doctor {node}")
        }
        _ => error.to_string(),
    }
}

/// Binds the variables that all cells see.
async fn give(evaluator: &Evaluator, outlet: &Outlet, given: &[(String, String)]) -> Result<(), String> {
    if given.is_empty() {
        return Ok(());
    }
    let bind = |(name, value): &(String, String)| {
        format!("{name} = {}\n", Inspect::new(&Term::from(value.as_str())).printable_limit(usize::MAX))
    };
    let code: String = given.iter().map(bind).collect();
    let text = Text {
        code: &code,
        language: Language::Elixir,
        file: "notebook",
        line: 1,
        width: WIDTH,
        rows: 0,
        lane: Lane(0),
        context: ROOT,
        above: None,
    };
    match evaluator.evaluate(&text, outlet).await {
        Evaluated::Failed { told, .. } => Err(format!("the variables could not be bound: {told}")),
        Evaluated::Lost | Evaluated::Ended(_) => Err(format!("the connection to {} was lost", evaluator.target())),
        _ => Ok(()),
    }
}

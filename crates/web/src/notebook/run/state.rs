//! What viewers of a notebook see of its evaluation: a snapshot, and what has changed since one. There is no queue of
//! events: each cell has the number of its last change, so a viewer that was away for any time is told no more than what there
//! is now, and costs nothing meanwhile.

use std::sync::Arc;

use beamline_console::Kind;
use beamline_proto::NodeName;
use serde::{Serialize, Serializer};

use super::outline::CellId;
use super::output::Output;
use super::plan::Mark;

/// How it is with the node at which the cells run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub(crate) enum RuntimeState {
    /// There is none.
    Detached,
    /// It is being reached.
    Connecting {
        /// Which node.
        #[serde(serialize_with = "text")]
        node: NodeName,
    },
    /// Cells can run.
    Ready {
        /// Which node.
        #[serde(serialize_with = "text")]
        node: NodeName,
        /// What it is: `elixir`, `erlang` or `rust`.
        kind: &'static str,
    },
    /// It could not be reached.
    Failed {
        /// Which node.
        #[serde(serialize_with = "text")]
        node: NodeName,
        /// Why, and what to try.
        told: String,
    },
    /// It has gone, and all variables with it.
    Lost {
        /// Which node.
        #[serde(serialize_with = "text")]
        node: NodeName,
        /// What that means.
        told: String,
    },
}

fn text<S: Serializer>(node: &NodeName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(node.as_str())
}

impl RuntimeState {
    /// The node, if there is one.
    pub(crate) fn node(&self) -> Option<&NodeName> {
        match self {
            RuntimeState::Detached => None,
            RuntimeState::Connecting { node }
            | RuntimeState::Ready { node, .. }
            | RuntimeState::Failed { node, .. }
            | RuntimeState::Lost { node, .. } => Some(node),
        }
    }
}

/// What a node of that kind is called.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Elixir(_) => "elixir",
        Kind::Erlang => "erlang",
        _ => "rust",
    }
}

/// A cell as viewers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct CellState {
    /// Which.
    pub(crate) id: CellId,
    /// How it is with it.
    pub(crate) mark: Mark,
    /// What its last evaluation gave, or has given so far.
    #[serde(serialize_with = "inner")]
    pub(crate) output: Option<Arc<Output>>,
    /// What its processes ask, and wait for: the oldest first.
    pub(crate) asks: Vec<Question>,
}

/// A line that a process of a cell wants to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Question {
    /// Tells it from all others of the notebook.
    pub(crate) number: u64,
    /// What it is asked with.
    pub(crate) prompt: String,
}

fn inner<S: Serializer>(output: &Option<Arc<Output>>, serializer: S) -> Result<S::Ok, S::Error> {
    output.as_deref().serialize(serializer)
}

/// What has changed since a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Update {
    /// To be asked from next time: the number of the last change.
    pub(crate) number: u64,
    /// How it is with the node, whether or not that has changed.
    pub(crate) runtime: RuntimeState,
    /// The cells that have changed, in their order. What is not in the outline any more is not in here.
    pub(crate) cells: Vec<CellState>,
}

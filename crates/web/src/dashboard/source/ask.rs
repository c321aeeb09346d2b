//! Questions to nodes. Each has a deadline, and nothing is loaded into the node: what it exports is called.

use std::time::Duration;

use beamline_node::{Node, NodeName};
use beamline_term::{Atom, Term};
use serde::Serialize;

use super::trouble::Trouble;

/// How long a page waits for a node.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// Asks one node, in the name of the dashboard's own.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    node: &'a Node,
    peer: &'a NodeName,
    within: Duration,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(node: &'a Node, peer: &'a NodeName) -> Ask<'a> {
        Ask { node, peer, within: PATIENCE }
    }

    /// With another deadline than [`PATIENCE`].
    pub(crate) fn within(self, within: Duration) -> Ask<'a> {
        Ask { within, ..self }
    }

    pub(crate) fn peer(&self) -> &'a NodeName {
        self.peer
    }

    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// The function's answer.
    pub(crate) async fn call(
        &self,
        module: &'static str,
        function: &'static str,
        arguments: impl Serialize,
    ) -> Result<Term, Trouble> {
        let call = self.node.call::<Term>(self.peer, (module, function), arguments).timeout(self.within);
        call.await.map_err(|error| Trouble::of(self.peer, &format!("{module}:{function}"), error))
    }

    /// `erlang:system_info(Item)`.
    pub(crate) async fn system_info(&self, item: &'static str) -> Result<Term, Trouble> {
        self.call("erlang", "system_info", (Atom::from_static(item),)).await
    }

    /// For an answer whose shape is not known.
    pub(crate) fn strange(&self, question: &str) -> Trouble {
        Trouble::Strange { node: self.peer.clone(), question: question.to_owned() }
    }
}

/// What a node may lack without anything being wrong: `None` if it does.
pub(crate) fn optional<T>(answer: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Trouble::Missing { .. } | Trouble::Failed { .. } | Trouble::Strange { .. }) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

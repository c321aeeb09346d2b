//! What a node says of its own entry: the struct `%NodeRegistry{name, node, pid}` of the Elixir library.

use beamline_node::CallError;
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Term, atom};

use crate::NodeRegistry;
use crate::lookup::node_of;

/// An entry of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Info {
    /// The name.
    pub name: Term,
    /// The node that holds it.
    pub node: NodeName,
    /// Its process there.
    pub pid: Pid,
}

impl Info {
    /// As Elixir's struct.
    pub fn to_term(&self) -> Term {
        let pairs: [(Term, Term); 4] = [
            (atom("__struct__").into(), atom("Elixir.NodeRegistry").into()),
            (atom("name").into(), self.name.clone()),
            (atom("node").into(), (&self.node).into()),
            (atom("pid").into(), self.pid.clone().into()),
        ];
        Term::map(pairs)
    }

    fn from_term(term: &Term) -> Option<Info> {
        let map = term.as_map()?;
        let field = |name: Atom| map.get(&name.into());
        let node = NodeName::from_atom(field(atom("node"))?.as_atom()?).ok()?;
        Some(Info { name: field(atom("name"))?.clone(), node, pid: field(atom("pid"))?.as_pid()?.clone() })
    }
}

impl NodeRegistry {
    /// This node's own entry; the first by name if it has several.
    pub fn info(&self) -> Option<Info> {
        let own = self.node.name();
        let (name, pid) = self.entries().into_iter().find(|(_, pid)| pid.node() == own.as_atom())?;
        Some(Info { name, node: own.clone(), pid })
    }

    /// Asks a node for its entry; `None` if it has none.
    ///
    /// # Errors
    /// The node cannot be reached, or runs no NodeRegistry.
    pub async fn info_of(&self, node: &NodeName) -> Result<Option<Info>, CallError> {
        if node == self.node.name() {
            return Ok(self.info());
        }
        let called = self.node.call::<Term>(node, ("Elixir.NodeRegistry", "info"), (atom("self"),)).await;
        match called {
            Ok(term) => Ok(Info::from_term(&term)),
            // An Elixir node's registry process does not run.
            Err(CallError::Exited { reason, .. }) if is_noproc(&reason) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Asks each registered node, all at once; in the order of the names.
    pub async fn info_of_all(&self) -> Vec<(NodeName, Result<Option<Info>, CallError>)> {
        let asked: Vec<_> = self
            .entries()
            .into_iter()
            .filter_map(|(_, pid)| node_of(&pid))
            .map(|node| {
                let (registry, peer) = (self.clone(), node.clone());
                (node, tokio::spawn(async move { registry.info_of(&peer).await }))
            })
            .collect();
        let mut all = Vec::with_capacity(asked.len());
        for (node, asked) in asked {
            let answer = asked.await.unwrap_or_else(|_| Err(CallError::NodeDown { node: node.clone() }));
            all.push((node, answer));
        }
        all
    }
}

/// `noproc`, alone or as `{noproc, Call}`.
fn is_noproc(reason: &Term) -> bool {
    reason.is_atom("noproc")
        || reason.as_tuple().and_then(|parts| parts.first()).is_some_and(|first| first.is_atom("noproc"))
}

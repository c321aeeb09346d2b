//! NodeRegistry: nodes of a cluster by the names of what they run.
//!
//! Does what the Elixir library NodeRegistry 0.1 does, in the same place, so that either sees the other's entries: the
//! global name `{:node_registry, NAME}`, held by a process of the node. When the process or the node ends, the name is
//! free. This crate knows nothing of discovery.

use std::collections::BTreeMap;

use beamline_node::{Module, Node, RegisterError};
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Term, atom};

/// The registry, seen from one node.
#[derive(Clone)]
pub struct NodeRegistry {
    node: Node,
}

impl NodeRegistry {
    /// That of the cluster in which `node` is. Costs nothing.
    pub fn new(node: &Node) -> Self {
        Self { node: node.clone() }
    }

    /// Registers this node under a name in the whole cluster, until the entry is dropped or the node ends.
    ///
    /// # Errors
    /// The name is taken, and by whom; or the cluster's lock was not to be had.
    pub async fn register(&self, name: impl Into<Term>) -> Result<Entry, RegistryError> {
        let name = name.into();
        let holder = self.node.spawn(|mut me| async move { while me.receive().await.is_some() {} });
        let entry = Entry { node: self.node.clone(), name: name.clone(), holder };
        match self.node.global().register(key(name.clone()), &entry.holder).await {
            Ok(()) => Ok(entry),
            Err(RegisterError::Taken { pid, .. }) => Err(RegistryError::Taken { name, node: pid.node().clone() }),
            Err(source) => Err(RegistryError::Global { name, source }),
        }
    }

    /// Every name and its node, as this node knows them now; nobody is asked. A name is a string or an atom, as whoever
    /// registered it gave it.
    pub fn all(&self) -> Vec<(Term, NodeName)> {
        let names = self.node.global().names();
        let entries = names.iter().filter_map(|(key, pid)| Some((name_of(key)?.clone(), node_of(pid.node())?)));
        // Several keys cannot have one name; ordered, so that two looks at it compare.
        let ordered: BTreeMap<String, (Term, NodeName)> = entries.map(|entry| (entry.0.to_string(), entry)).collect();
        ordered.into_values().collect()
    }

    /// The node that holds this name.
    pub fn node_with_name(&self, name: &str) -> Option<NodeName> {
        node_of(self.node.global().whereis(&key(name.into()))?.node())
    }

    /// Exports `NodeRegistry.all/0` and `list/0` to the other nodes.
    pub fn export(&self) {
        let (all, list) = (self.clone(), self.clone());
        self.node.export(
            Module::new("Elixir.NodeRegistry")
                .function("all", move || {
                    let all = all.as_map();
                    async { Ok(all) }
                })
                .function("list", move || {
                    let list = list.as_map();
                    async { Ok(list) }
                }),
        );
    }

    /// [`all`](Self::all) as the map that Elixir's NodeRegistry returns; its text is the article's page.
    pub fn as_map(&self) -> Term {
        Term::map(self.all().into_iter().map(|(name, node)| (name, Term::from(&node))))
    }
}

impl std::fmt::Debug for NodeRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeRegistry").field("node", self.node.name()).finish()
    }
}

/// Keeps a node registered under a name; dropping it frees the name.
#[derive(Debug)]
#[must_use = "the name is free again when the entry is dropped"]
pub struct Entry {
    node: Node,
    name: Term,
    holder: Pid,
}

impl Entry {
    /// The name.
    pub fn name(&self) -> &Term {
        &self.name
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.node.exit(&self.holder, atom("kill"));
    }
}

/// Why a name was not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Another node has it.
    #[error("the name {name} is taken by the node {node}; choose another (POSTFIX), or stop that node")]
    Taken {
        /// The name.
        name: Term,
        /// Who has it.
        node: Atom,
    },
    /// `global` did not register it.
    #[error("the name {name} was not registered: {source}")]
    Global {
        /// The name.
        name: Term,
        /// Why.
        source: RegisterError,
    },
}

fn key(name: Term) -> Term {
    Term::tuple([atom("node_registry").into(), name])
}

fn name_of(key: &Term) -> Option<&Term> {
    match key.as_tuple()? {
        [tag, name] if tag.is_atom("node_registry") => Some(name),
        _ => None,
    }
}

fn node_of(node: &Atom) -> Option<NodeName> {
    NodeName::from_atom(node).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_elixir_library() {
        let key = key("app_a_1".into());
        assert_eq!(key.to_string(), "{:node_registry, \"app_a_1\"}");
        assert_eq!(name_of(&key), Some(&"app_a_1".into()));
        assert_eq!(name_of(&atom("node_registry").into()), None);
        assert_eq!(name_of(&Term::tuple([atom("other").into(), "app_a_1".into()])), None);
    }
}

//! Registering: how a name becomes a key of `global`, and the guard that holds it.

use beamline_node::{Node, RegisterError};
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Term, atom};

use crate::NodeRegistry;

/// How a name becomes the key that stands in `global`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rule {
    /// The name as it is given, a string or an atom: NodeRegistry 0.1.
    #[default]
    AsGiven,
    /// An atom of the name, `_` and the node, `:"service_a_node@host"`, so that many nodes may share a name:
    /// NodeRegistry 0.2.
    WithNode,
}

impl Rule {
    fn name(self, name: Term, node: &NodeName) -> Result<Term, RegistryError> {
        match self {
            Rule::AsGiven => Ok(name),
            Rule::WithNode => {
                let Some(text) = text(&name) else { return Err(RegistryError::NoText { name }) };
                let long = || RegistryError::TooLong { name: name.clone() };
                Ok(Atom::new(&format!("{text}_{node}")).map_err(|_| long())?.into())
            }
        }
    }
}

/// A name as text: a string, or an atom.
pub(crate) fn text(name: &Term) -> Option<&str> {
    name.as_str().or_else(|| name.as_atom().map(Atom::as_str))
}

/// The global name of a registered name.
pub(crate) fn key(name: Term) -> Term {
    Term::tuple([atom("node_registry").into(), name])
}

/// The registered name of a global name, if it is one of ours.
pub(crate) fn name_of(key: &Term) -> Option<&Term> {
    match key.as_tuple()? {
        [tag, name] if tag.is_atom("node_registry") => Some(name),
        _ => None,
    }
}

impl NodeRegistry {
    /// Registers this node under a name in the whole cluster, until the entry is dropped or the node ends.
    ///
    /// If another part of the cluster, met later, has the name too, one of both keeps it, and the other's entry ends; see
    /// [`Entry::lost`].
    ///
    /// # Errors
    /// The name is taken, and by whom; or the cluster's lock was not to be had.
    pub async fn register(&self, name: impl Into<Term>) -> Result<Entry, RegistryError> {
        let name = self.rule.name(name.into(), self.node.name())?;
        let (held, lost) = tokio::sync::watch::channel(());
        let holder = self.node.spawn(|mut me| async move {
            while me.receive().await.is_some() {}
            drop(held);
        });
        let entry = Entry { node: self.node.clone(), name: name.clone(), holder, lost };
        match self.node.global().register(key(name.clone()), &entry.holder).await {
            Ok(()) => Ok(entry),
            Err(RegisterError::Taken { pid, .. }) => Err(RegistryError::Taken { name, node: pid.node().clone() }),
            Err(source) => Err(RegistryError::Global { name, source }),
        }
    }
}

/// Keeps a node registered under a name; dropping it frees the name.
#[derive(Debug)]
#[must_use = "the name is free again when the entry is dropped"]
pub struct Entry {
    node: Node,
    name: Term,
    holder: Pid,
    lost: tokio::sync::watch::Receiver<()>,
}

impl Entry {
    /// The name, as it stands in the registry.
    pub fn name(&self) -> &Term {
        &self.name
    }

    /// The process that holds it.
    pub fn pid(&self) -> &Pid {
        &self.holder
    }

    /// Waits until the name is lost, because another node had it too when two parts of a cluster met, or because this node
    /// has stopped. An Elixir application ends then; what a Rust service does is its own decision.
    pub async fn lost(&mut self) {
        while self.lost.changed().await.is_ok() {}
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
    /// [`Rule::WithNode`] makes an atom of the name, which must be a string or an atom for that.
    #[error("the name {name} is no text: with the node's name appended it must make an atom")]
    NoText {
        /// The name.
        name: Term,
    },
    /// The atom that [`Rule::WithNode`] makes of it would have more than 255 characters.
    #[error(
        "the name {name} is too long: with the node's name appended it has more than the 255 characters of an atom"
    )]
    TooLong {
        /// The name.
        name: Term,
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

    #[test]
    fn the_newer_rule_makes_an_atom_of_name_and_node() {
        let node: NodeName = "a@h".parse().expect("a name");
        let named = |name: Term| Rule::WithNode.name(name, &node).map(|name| name.to_string());
        assert_eq!(named(atom("service_a").into()).expect("an atom"), ":service_a_a@h");
        assert_eq!(named("service_a".into()).expect("an atom"), ":service_a_a@h");
        assert!(matches!(named(7.into()), Err(RegistryError::NoText { .. })));
        assert!(matches!(named("x".repeat(254).into()), Err(RegistryError::TooLong { .. })));
        assert_eq!(Rule::AsGiven.name(7.into(), &node).expect("anything"), 7.into());
    }
}

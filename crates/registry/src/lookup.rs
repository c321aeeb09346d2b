//! Looking up: all from the table that this node has. Nobody is asked.

use std::collections::BTreeMap;

use beamline_proto::NodeName;
use beamline_term::{Pid, Term};

use crate::NodeRegistry;
use crate::entry::{key, name_of, text};

impl NodeRegistry {
    /// Every name and its node, as this node knows them now, in the order of the names as printed. A name is a string or an
    /// atom, as whoever registered it gave it.
    pub fn all(&self) -> Vec<(Term, NodeName)> {
        self.entries().into_iter().filter_map(|(name, pid)| Some((name, node_of(&pid)?))).collect()
    }

    /// [`all`](Self::all) as the map that Elixir's NodeRegistry returns; its text is the article's page.
    pub fn as_map(&self) -> Term {
        Term::map(self.all().into_iter().map(|(name, node)| (name, Term::from(&node))))
    }

    /// The node that holds this name: a string, or else the atom of that text.
    pub fn node_with_name(&self, name: impl Into<Term>) -> Option<NodeName> {
        let name = name.into();
        let global = self.node.global();
        let atom = || Some(beamline_term::Atom::new(name.as_str()?).ok()?.into());
        let pid = global.whereis(&key(name.clone())).or_else(|| global.whereis(&key(atom()?)))?;
        node_of(&pid)
    }

    /// The nodes with a name that begins with this text, in the order of the names; a node once for each such name.
    pub fn nodes_with_prefix(&self, prefix: &str) -> Vec<NodeName> {
        self.names_with_prefix(prefix).into_iter().map(|(_, node)| node).collect()
    }

    /// As [`nodes_with_prefix`](Self::nodes_with_prefix), with the names.
    pub(crate) fn names_with_prefix(&self, prefix: &str) -> Vec<(Term, NodeName)> {
        let mut all = self.all();
        all.retain(|(name, _)| text(name).is_some_and(|text| text.starts_with(prefix)));
        all
    }

    /// The names with their processes, ordered so that two looks at them compare.
    pub(crate) fn entries(&self) -> Vec<(Term, Pid)> {
        let names = self.node.global().names();
        let entries = names.iter().filter_map(|(key, pid)| Some((name_of(key)?.clone(), pid.clone())));
        let ordered: BTreeMap<String, (Term, Pid)> = entries.map(|entry| (entry.0.to_string(), entry)).collect();
        ordered.into_values().collect()
    }
}

pub(crate) fn node_of(pid: &Pid) -> Option<NodeName> {
    NodeName::from_atom(pid.node()).ok()
}

//! Watching a prefix: nodes that get or lose a name that begins with a text.

use std::collections::{BTreeMap, VecDeque};

use beamline_node::NameChanges;
use beamline_proto::NodeName;
use beamline_term::Term;

use crate::NodeRegistry;

/// A name came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A node has registered the name.
    Added {
        /// The name.
        name: Term,
        /// The node.
        node: NodeName,
    },
    /// The name is gone, with its process or its node, or another node has it now: then [`Event::Added`] follows.
    Removed {
        /// The name.
        name: Term,
        /// The node that had it.
        node: NodeName,
    },
}

/// The events of a prefix, as they happen. Costs nothing while nobody looks, and never falls behind: what came and went
/// between two looks is not told.
#[derive(Debug)]
pub struct PrefixWatch {
    registry: NodeRegistry,
    prefix: String,
    seen: BTreeMap<String, (Term, NodeName)>,
    ready: VecDeque<Event>,
    changes: NameChanges,
}

impl NodeRegistry {
    /// Watches the names that begin with this text: first those that are there are told, then what changes.
    pub fn watch(&self, prefix: impl Into<String>) -> PrefixWatch {
        let changes = self.node.global().changes();
        let (registry, prefix) = (self.clone(), prefix.into());
        PrefixWatch { registry, prefix, seen: BTreeMap::new(), ready: VecDeque::new(), changes }
    }
}

impl PrefixWatch {
    /// The next event. `None` when the node has stopped.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            self.look();
            if self.ready.is_empty() {
                self.changes.next().await?;
            }
        }
    }

    fn look(&mut self) {
        let names = self.registry.names_with_prefix(&self.prefix);
        let now: BTreeMap<String, (Term, NodeName)> =
            names.into_iter().map(|entry| (entry.0.to_string(), entry)).collect();
        let gone = self.seen.iter().filter(|(key, entry)| now.get(*key) != Some(entry));
        let gone = gone.map(|(_, (name, node))| Event::Removed { name: name.clone(), node: node.clone() });
        let come = now.iter().filter(|(key, entry)| self.seen.get(*key) != Some(entry));
        let come = come.map(|(_, (name, node))| Event::Added { name: name.clone(), node: node.clone() });
        self.ready.extend(gone.chain(come).collect::<Vec<_>>());
        self.seen = now;
    }
}

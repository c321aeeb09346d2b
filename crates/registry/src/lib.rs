//! NodeRegistry: nodes of a cluster by the names of what they run.
//!
//! Does what the Elixir library NodeRegistry does, in the same place, so that either sees the other's entries: the global
//! name `{:node_registry, NAME}`, held by a process of the node. When the process or the node ends, the name is free. Looking
//! up asks nobody: every node has the whole table.
//!
//! ```no_run
//! use beamline_registry::{Choice, NodeRegistry};
//! # async fn example(node: beamline_node::Node) -> Result<(), Box<dyn std::error::Error>> {
//! let registry = NodeRegistry::new(&node);
//! let _entry = registry.register("service_a_1").await?; // free again when it is dropped
//!
//! // A function on any node whose name begins so; on another one if the first fails.
//! let sum: i64 = registry
//!     .remote("service_b", ("Elixir.ServiceB", "add"), (1, 2))
//!     .choice(Choice::LeastLatency)
//!     .repeatable(3)
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! | Elixir | here |
//! | --- | --- |
//! | `{NodeRegistry, name}` among the children | [`NodeRegistry::register`] |
//! | `all/0`, `list/0` | [`NodeRegistry::all`] |
//! | `info/1` | [`NodeRegistry::info`], [`info_of`](NodeRegistry::info_of), [`info_of_all`](NodeRegistry::info_of_all) |
//! | `node_with_name/1`, `nodes_with_prefix/1`, `random_node_with_prefix/1` | the same; [`Choice`] has other ways to choose |
//! | `NodeRegistry.Remote.remote/4` | [`NodeRegistry::remote`] |
//!
//! [`NodeRegistry::export`] answers these calls for nodes that run Elixir. This crate knows nothing of discovery.

mod choose;
mod entry;
mod info;
mod lookup;
mod module;
mod remote;
mod watch;

use std::sync::Arc;

use beamline_node::Node;

pub use choose::Choice;
pub use entry::{Entry, RegistryError, Rule};
pub use info::Info;
pub use remote::{Remote, RemoteError};
pub use watch::{Event, PrefixWatch};

/// The registry, seen from one node. Clones share what they have learnt of other nodes' latency.
#[derive(Clone)]
pub struct NodeRegistry {
    node: Node,
    rule: Rule,
    chooser: Arc<choose::Chooser>,
}

impl NodeRegistry {
    /// That of the cluster in which `node` is. Costs nothing.
    pub fn new(node: &Node) -> NodeRegistry {
        NodeRegistry { node: node.clone(), rule: Rule::default(), chooser: Arc::default() }
    }

    /// How names become keys; for a cluster whose Elixir nodes use NodeRegistry 0.2.
    pub fn rule(mut self, rule: Rule) -> NodeRegistry {
        self.rule = rule;
        self
    }
}

impl std::fmt::Debug for NodeRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeRegistry").field("node", self.node.name()).field("rule", &self.rule).finish()
    }
}

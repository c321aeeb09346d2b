//! What the pages are made from: who is in the cluster, and what each node says of itself.

use beamline_node::{Node, NodeSet};
use beamline_proto::NodeName;

/// What is known of the cluster; a cheap clone.
#[derive(Clone)]
pub(crate) struct Sources {
    node: Node,
    targets: Vec<NodeName>,
}

impl Sources {
    /// Looks at the cluster of `targets`, or, where there are none, at that of the node itself.
    pub(crate) fn new(node: &Node, targets: Vec<NodeName>) -> Self {
        Self { node: node.clone(), targets }
    }

    /// The nodes that the frame's picker offers.
    pub(crate) fn names(&self) -> Vec<NodeName> {
        if self.targets.is_empty() { self.node.nodes(NodeSet::Visible) } else { self.targets.clone() }
    }
}

//! What a strategy needs of a node.

use std::error::Error;

use beamline_node::{ConnectError, Node};
use beamline_proto::NodeName;

/// A node, as the reconciler sees it: it has a name and can be told to connect.
///
/// Implemented for the running node, and in tests for what stands in for one.
pub trait Connector: Clone + Send + Sync + 'static {
    /// Why a connection failed; its text goes to the log.
    type Error: Error + Send + Sync + 'static;

    /// The node's own name.
    fn name(&self) -> &NodeName;

    /// Whether there is a connection to this node.
    fn is_connected(&self, node: &NodeName) -> bool;

    /// Connects, or finds that it is connected. Must end by itself, within the node's set-up time.
    fn connect(&self, node: &NodeName) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl Connector for Node {
    type Error = ConnectError;

    fn name(&self) -> &NodeName {
        self.name()
    }

    fn is_connected(&self, node: &NodeName) -> bool {
        self.is_connected(node)
    }

    async fn connect(&self, node: &NodeName) -> Result<(), ConnectError> {
        self.connect(node).await
    }
}

//! What the reconciler needs of a node: libcluster's `connect`, `disconnect` and `list_nodes`.
//!
//! [`Node`] is one. To have your own functions in their place, wrap it. Here is one that never disconnects, so that a node
//! that drains keeps its connections to the end:
//!
//! ```
//! use beamline_cluster::Connector;
//! use beamline_node::{ConnectError, Node, NodeName};
//!
//! #[derive(Clone)]
//! struct Draining(Node);
//!
//! impl Connector for Draining {
//!     type Error = ConnectError;
//!
//!     fn name(&self) -> &NodeName {
//!         self.0.name()
//!     }
//!
//!     fn is_connected(&self, node: &NodeName) -> bool {
//!         self.0.is_connected(node)
//!     }
//!
//!     fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
//!         Connector::changes(&self.0)
//!     }
//!
//!     async fn connect(&self, node: &NodeName) -> Result<(), ConnectError> {
//!         self.0.connect(node).await
//!     }
//!
//!     async fn disconnect(&self, node: &NodeName) -> Result<bool, ConnectError> {
//!         println!("{node} left; it may close the connection itself");
//!         Ok(false)
//!     }
//! }
//! ```

use std::error::Error;

use beamline_node::{Cause, ConnectError, Module, Node, NodeSet};
use beamline_proto::NodeName;

/// A node, as the reconciler sees it. See the example [above](self).
pub trait Connector: Clone + Send + Sync + 'static {
    /// Why a connection failed; its text goes to the log.
    type Error: Error + Send + Sync + 'static;

    /// The node's own name.
    fn name(&self) -> &NodeName;

    /// Whether there is a connection to this node, visible or hidden.
    fn is_connected(&self, node: &NodeName) -> bool;

    /// Whether a node that is connected is hidden, for the status.
    fn is_hidden(&self, _node: &NodeName) -> bool {
        false
    }

    /// Ends when a connection came or went since this was called; sooner or more often does no harm.
    fn changes(&self) -> impl Future<Output = ()> + Send + 'static;

    /// Connects, or finds that it is connected. Must end by itself, within the node's set-up time.
    fn connect(&self, node: &NodeName) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Disconnects; false if there was no connection. After an error it is asked again.
    fn disconnect(&self, node: &NodeName) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Takes the module that tells the cluster's status to other nodes, if it can.
    fn export(&self, _module: Module) {}

    /// A short code for an error, which does not change with its text: for metrics, and to know a failure that repeats.
    fn code(_error: &Self::Error) -> &'static str {
        "error"
    }

    /// Whether an error says that the node belongs to another cluster.
    fn is_foreign(_error: &Self::Error) -> bool {
        false
    }
}

impl Connector for Node {
    type Error = ConnectError;

    fn name(&self) -> &NodeName {
        self.name()
    }

    fn is_connected(&self, node: &NodeName) -> bool {
        self.is_connected(node)
    }

    fn is_hidden(&self, node: &NodeName) -> bool {
        self.nodes(NodeSet::Hidden).contains(node)
    }

    fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut events = self.events();
        async move {
            if events.recv().await.is_none() {
                // The node has stopped.
                std::future::pending().await
            }
        }
    }

    async fn connect(&self, node: &NodeName) -> Result<(), ConnectError> {
        self.connect(node).await
    }

    async fn disconnect(&self, node: &NodeName) -> Result<bool, ConnectError> {
        Ok(self.disconnect(node))
    }

    fn export(&self, module: Module) {
        self.export(module);
    }

    fn code(error: &ConnectError) -> &'static str {
        error.cause().code()
    }

    fn is_foreign(error: &ConnectError) -> bool {
        matches!(error.cause(), Cause::Cookie { .. })
    }
}

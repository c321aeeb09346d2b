//! Nodes of the test's own process: what a group's closure gives, and what runs.

use std::any::Any;
use std::pin::Pin;
use std::sync::Arc;

use beamline_node::{Node, NodeBuilder};

use super::error::BoxError;

/// A node that a closure has started, with whatever shall live as long as it does: an entry in the registry, servers. A [`Node`]
/// alone becomes one, and so does a pair of a node and the rest.
pub struct Started {
    pub(super) node: Node,
    pub(super) kept: Box<dyn Any + Send>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").field("node", &self.node).finish_non_exhaustive()
    }
}

impl From<Node> for Started {
    fn from(node: Node) -> Started {
        Started { node, kept: Box::new(()) }
    }
}

impl<K: Send + 'static> From<(Node, K)> for Started {
    fn from((node, kept): (Node, K)) -> Started {
        Started { node, kept: Box::new(kept) }
    }
}

type Starting = Pin<Box<dyn Future<Output = Result<Started, BoxError>> + Send>>;

/// How a node of this process is started, as often as it is.
#[derive(Clone)]
pub(super) struct Start(Arc<dyn Fn(NodeBuilder) -> Starting + Send + Sync>);

impl Start {
    pub(super) fn new<F, Fut, S, E>(start: F) -> Start
    where
        F: Fn(NodeBuilder) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, E>> + Send + 'static,
        S: Into<Started>,
        E: Into<BoxError>,
    {
        Start(Arc::new(move |builder| {
            let starting = start(builder);
            Box::pin(async move { starting.await.map(Into::into).map_err(Into::into) })
        }))
    }

    pub(super) async fn run(&self, builder: NodeBuilder) -> Result<Started, BoxError> {
        (self.0)(builder).await
    }
}

//! What topologies report, for programs; the log has the same for people.

use std::sync::Arc;

use beamline_proto::NodeName;
use tokio::sync::broadcast;

/// How many events a slow reader may be behind before it loses the oldest.
const BACKLOG: usize = 256;

/// Something a topology noticed or did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// The strategy named a node that the topology did not know.
    Discovered {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
    },
    /// A node that the strategy named is connected, by our dial.
    Connected {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
    },
    /// A dial failed. It is made again, after a pause, while the node is wanted.
    Unreachable {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
        /// The code of the cause: see [`Cause::code`](beamline_node::Cause::code).
        code: &'static str,
        /// Why, in words.
        reason: Arc<str>,
    },
    /// The connection to a node that is wanted was lost; it is dialed again.
    Lost {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
    },
    /// A node was disconnected because an answer removed it and its grace period was over.
    Disconnected {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
    },
    /// The strategy could not find out who should be here, so its last answer was kept. Once for each reason in a row.
    AnswerKept {
        /// The topology's name.
        topology: Arc<str>,
        /// Why, in words.
        reason: Arc<str>,
    },
    /// Nodes of another cluster, which do not share our secret, are heard here. Once for each kind.
    Foreign {
        /// The topology's name.
        topology: Arc<str>,
        /// How it shows, in words.
        what: Arc<str>,
    },
    /// The receiver was too slow; so many events are lost to it.
    Missed(u64),
}

/// A stream of [`ClusterEvent`]s.
#[derive(Debug)]
pub struct ClusterEvents(broadcast::Receiver<ClusterEvent>);

impl ClusterEvents {
    /// The next one; `None` when the cluster is dropped.
    pub async fn recv(&mut self) -> Option<ClusterEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(ClusterEvent::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// The side that reports.
#[derive(Debug, Clone)]
pub(crate) struct Publisher(broadcast::Sender<ClusterEvent>);

impl Default for Publisher {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

impl Publisher {
    pub(crate) fn publish(&self, event: ClusterEvent) {
        // That nobody listens is no error.
        let _ = self.0.send(event);
    }

    pub(crate) fn subscribe(&self) -> ClusterEvents {
        ClusterEvents(self.0.subscribe())
    }
}

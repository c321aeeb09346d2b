//! What topologies report, for programs; the log has the same for people.

use std::sync::Arc;

use beamline_proto::NodeName;
use tokio::sync::broadcast;

/// How many events a slow reader may be behind before it loses the oldest.
const BACKLOG: usize = 256;

/// Something a topology did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClusterEvent {
    /// A node that the strategy named is connected, by our dial.
    Connected {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
    },
    /// A dial failed. It is tried again if the strategy still names the node.
    Unreachable {
        /// The topology's name.
        topology: Arc<str>,
        /// The node.
        node: NodeName,
        /// Why, in words.
        reason: Arc<str>,
    },
}

/// A stream of [`ClusterEvent`]s.
#[derive(Debug)]
pub struct ClusterEvents(broadcast::Receiver<ClusterEvent>);

impl ClusterEvents {
    /// The next one; `None` when the cluster is dropped. A reader that falls far behind loses the oldest events.
    pub async fn recv(&mut self) -> Option<ClusterEvent> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
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

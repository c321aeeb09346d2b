//! What happens to connections, as a stream.

use std::fmt;

use beamline_proto::NodeName;
use tokio::sync::broadcast;

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownReason {
    /// The peer closed it, or ended.
    ConnectionClosed,
    /// We disconnected.
    Disconnect,
    /// Nothing came for the tick time.
    NetTickTimeout,
    /// The peer broke the protocol, and how.
    Protocol(String),
    /// The peer has restarted and took a new connection.
    WaitPending,
    /// This node was stopped.
    Stopped,
    /// The peer did not read what it had asked for.
    Flooded,
}

impl DownReason {
    /// The atom that OTP gives for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            DownReason::ConnectionClosed => "connection_closed",
            DownReason::Disconnect | DownReason::Stopped => "disconnect",
            DownReason::NetTickTimeout => "net_tick_timeout",
            DownReason::Protocol(_) | DownReason::Flooded => "killed",
            DownReason::WaitPending => "wait_pending",
        }
    }
}

impl fmt::Display for DownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DownReason::Protocol(what) => write!(f, "the peer broke the protocol: {what}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// A node came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeEvent {
    /// A connection was made.
    Up {
        /// With whom.
        node: NodeName,
        /// Whether the peer is hidden.
        hidden: bool,
    },
    /// A connection was lost.
    Down {
        /// With whom.
        node: NodeName,
        /// Whether the peer was hidden.
        hidden: bool,
        /// Why.
        reason: DownReason,
    },
    /// The receiver was too slow; so many events are lost to it.
    Missed(u64),
}

/// A stream of [`NodeEvent`]s from the moment of its making.
#[derive(Debug)]
pub struct Events(pub(crate) broadcast::Receiver<NodeEvent>);

impl Events {
    /// The next event. `None` when the node is gone.
    pub async fn recv(&mut self) -> Option<NodeEvent> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(count)) => Some(NodeEvent::Missed(count)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

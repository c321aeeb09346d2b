//! What the topologies know at this moment.

use std::{sync::Arc, time::Duration};

use beamline_proto::NodeName;
use tokio::time::Instant;

/// The state of all topologies, from [`Cluster::status`](crate::Cluster::status).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// One after another, as they were given.
    pub topologies: Vec<TopologyStatus>,
}

/// The state of one topology. Times are ages, or what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopologyStatus {
    /// Its name.
    pub name: Arc<str>,
    /// The name of its strategy.
    pub strategy: Arc<str>,
    /// Whether nodes that an answer removes are disconnected.
    pub prune: bool,
    /// How long after.
    pub grace_period: Duration,
    /// The last full answer of the strategy, and how old it is. `None` for strategies that only hear of single nodes.
    pub last_answer: Option<(Vec<NodeName>, Duration)>,
    /// Why the strategy could not find out, and how long ago, if no answer came since.
    pub last_error: Option<(Arc<str>, Duration)>,
    /// How long ago a single node was heard of.
    pub last_sighting: Option<Duration>,
    /// Everybody whom it knows, by name.
    pub peers: Vec<PeerStatus>,
}

/// The state of one node, as a topology sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerStatus {
    /// The node.
    pub node: NodeName,
    /// How it is with it.
    pub state: PeerState,
    /// Why the last dial failed, if no connection came since.
    pub last_failure: Option<Arc<str>>,
}

/// How it is with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerState {
    /// There is a connection.
    Connected,
    /// There is a connection, and the node is hidden.
    ConnectedHidden,
    /// It is being dialed.
    Connecting,
    /// It is wanted, and will be dialed.
    Waiting {
        /// In so long.
        retry_in: Duration,
    },
    /// It was heard of, had its dial, and is dialed again when it is heard of again.
    Heard,
    /// An answer removed it.
    Leaving {
        /// It is disconnected in so long.
        disconnect_in: Duration,
    },
}

impl PeerState {
    /// `connected`, `connected_hidden`, `connecting`, `waiting`, `heard` or `leaving`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::ConnectedHidden => "connected_hidden",
            Self::Connecting => "connecting",
            Self::Waiting { .. } => "waiting",
            Self::Heard => "heard",
            Self::Leaving { .. } => "leaving",
        }
    }
}

#[derive(Debug)]
pub(crate) struct LastAnswer {
    pub(crate) nodes: Vec<NodeName>,
    pub(crate) at: Instant,
}

#[derive(Debug)]
pub(crate) struct LastError {
    pub(crate) reason: Arc<str>,
    pub(crate) at: Instant,
}

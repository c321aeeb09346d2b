//! Why a node has stopped.

use std::fmt;

use beamline_term::Term;

/// Why a node has stopped; of [`Node::stopped`](crate::Node::stopped).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StopReason {
    /// By [`Node::stop`](crate::Node::stop), or because the last handle was dropped.
    Asked,
    /// It was a [guest](crate::Node::guest), and the connection with its host has ended.
    HostLost,
    /// A service has ended without which it can be no member of its cluster, and which cannot be started anew.
    ServiceLost {
        /// The registered name of the service.
        service: &'static str,
        /// The reason with which it ended.
        reason: Term,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StopReason::Asked => f.write_str("it was asked to"),
            StopReason::HostLost => f.write_str("its host is gone"),
            StopReason::ServiceLost { service, reason } => write!(f, "its {service} has ended: {reason}"),
        }
    }
}

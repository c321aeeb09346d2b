//! Why topologies do not start.

use std::{error::Error, sync::Arc};

use crate::config::ConfigError;

/// Topologies that could not be started. None of them runs.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A strategy could not start.
    #[error("[libcluster:{topology}] {source}")]
    Strategy {
        /// The topology.
        topology: String,
        /// Why: for the built-in ones a [`GossipError`](crate::strategy::gossip::GossipError).
        source: Arc<dyn Error + Send + Sync>,
    },
    /// Two topologies have the same name.
    #[error("there are two topologies named {topology:?}")]
    SameName {
        /// The name.
        topology: String,
    },
    /// The configuration file is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

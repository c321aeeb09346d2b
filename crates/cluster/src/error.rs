//! Why topologies do not start.

use std::{io, sync::Arc};

/// A topology that could not be started. None of the others runs either.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The strategy's socket could not be opened.
    #[error(
        "[libcluster:{topology}] cannot listen on UDP port {port}: {source}; does another program hold it without sharing?"
    )]
    Socket {
        /// The topology.
        topology: String,
        /// The port.
        port: u16,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

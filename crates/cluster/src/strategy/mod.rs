//! The strategies, one a file; each file's head says when to choose it and which keys it has.

pub mod gossip;
pub mod local_epmd;

pub use gossip::Gossip;
pub use local_epmd::LocalEpmd;

/// A way to know who should be in the cluster.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// Heartbeats by UDP multicast.
    Gossip(Gossip),
    /// All nodes of this host's epmd.
    LocalEpmd(LocalEpmd),
}

impl Strategy {
    /// The module of libcluster that it does the work of.
    pub fn module(&self) -> &'static str {
        match self {
            Self::Gossip(_) => "Cluster.Strategy.Gossip",
            Self::LocalEpmd(_) => "Cluster.Strategy.LocalEpmd",
        }
    }
}

impl From<Gossip> for Strategy {
    fn from(gossip: Gossip) -> Self {
        Self::Gossip(gossip)
    }
}

impl From<LocalEpmd> for Strategy {
    fn from(local_epmd: LocalEpmd) -> Self {
        Self::LocalEpmd(local_epmd)
    }
}

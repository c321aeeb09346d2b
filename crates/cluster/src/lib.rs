//! Cluster discovery: who belongs to the cluster, and connecting to them.
//!
//! A [`Topology`] is a name and a strategy. Strategies (one file each under `strategy/`) say which nodes should be there;
//! the [`reconciler`] dials those that are not, one try at a time for each, with pauses that grow. The strategies, their
//! keys and their log lines are libcluster's; a node can be dialed through anything that is a [`Connector`].
//!
//! ```no_run
//! # async fn example(node: beamline_node::Node) -> Result<(), beamline_cluster::ClusterError> {
//! use beamline_cluster::Cluster;
//!
//! let cluster = Cluster::from_env(&node).start().await?; // LIBCLUSTER_STRATEGY=gossip, for one
//! # drop(cluster);
//! # Ok(())
//! # }
//! ```
//!
//! This crate has no wire code of its own: datagrams and epmd's messages are `beamline_proto`'s.

mod config;
mod connector;
mod error;
mod events;
pub mod reconciler;
pub mod strategy;
mod topology;

use std::fmt;

use tokio::task::JoinSet;
use tracing::warn;

pub use config::{STRATEGY_VARIABLE, StrategyNotice};
pub use connector::Connector;
pub use error::ClusterError;
pub use events::{ClusterEvent, ClusterEvents};
pub use strategy::{Gossip, LocalEpmd, Strategy};
pub use topology::{Topologies, Topology};

use events::Publisher;
use reconciler::Reconciler;

/// Running topologies. Dropping it ends their tasks; connections stay as they are.
pub struct Cluster {
    topologies: Topologies,
    publisher: Publisher,
    _tasks: JoinSet<()>,
}

impl Cluster {
    /// The topologies that the environment asks for: see [`Topologies::from_env`].
    pub fn from_env<C: Connector>(node: &C) -> ClusterBuilder<C> {
        Self::of(node, Topologies::from_env())
    }

    /// These topologies.
    pub fn of<C: Connector>(node: &C, topologies: Topologies) -> ClusterBuilder<C> {
        ClusterBuilder { node: node.clone(), topologies }
    }

    /// What runs.
    pub fn topologies(&self) -> &Topologies {
        &self.topologies
    }

    /// What happens from now on.
    pub fn events(&self) -> ClusterEvents {
        self.publisher.subscribe()
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("topologies", &self.topologies).finish_non_exhaustive()
    }
}

/// Topologies that do not run yet.
#[derive(Debug)]
#[must_use = "topologies do nothing until they are started"]
pub struct ClusterBuilder<C> {
    node: C,
    topologies: Topologies,
}

impl<C: Connector> ClusterBuilder<C> {
    /// One topology more.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topologies.push(topology);
        self
    }

    /// Starts them all, or none: an error says which could not open its socket. Does not wait for connections.
    pub async fn start(self) -> Result<Cluster, ClusterError> {
        let publisher = Publisher::default();
        let mut tasks = JoinSet::new();
        if let Some(notice) = self.topologies.notice() {
            warn!("{notice}");
        }
        for topology in self.topologies.iter() {
            let reconciler = Reconciler::new(topology.name(), self.node.clone(), publisher.clone());
            match topology.strategy() {
                Strategy::Gossip(gossip) => {
                    let socket = gossip.open().map_err(|source| ClusterError::Socket {
                        topology: topology.name().to_owned(),
                        port: gossip.port,
                        source: source.into(),
                    })?;
                    tasks.spawn(strategy::gossip::run(gossip.clone(), socket, reconciler));
                }
                Strategy::LocalEpmd(local_epmd) => {
                    tasks.spawn(strategy::local_epmd::run(local_epmd.clone(), reconciler));
                }
            }
        }
        Ok(Cluster { topologies: self.topologies, publisher, _tasks: tasks })
    }
}

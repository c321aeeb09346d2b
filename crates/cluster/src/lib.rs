//! Cluster discovery: who belongs to the cluster, and connecting to them.
//!
//! A [`Topology`] is a name and a strategy. Strategies (one file each under [`strategy`]) say which nodes should be there;
//! the [`reconciler`] dials those that are not, one try at a time for each, with pauses that grow, and disconnects those
//! that have left. The strategies, their keys and their log lines are libcluster's; a node can be dialed through anything
//! that is a [`Connector`], and a [`Strategy`] of your own is as good as the built-in ones.
//!
//! ```no_run
//! # async fn example(node: beamline_node::Node) -> Result<(), beamline_cluster::ClusterError> {
//! use beamline_cluster::Cluster;
//!
//! let cluster = Cluster::from_env(&node).start().await?; // LIBCLUSTER_STRATEGY=gossip, for one, or beamline.toml
//! # drop(cluster);
//! # Ok(())
//! # }
//! ```
//!
//! Topologies come from code, from the environment, or from a file: see [`config`]. What they do is in the log, in
//! [`Cluster::events`], in [`metrics`], and, at any moment, in [`Cluster::status`], which other nodes get by calling
//! `Beamline.Cluster.status()`.
//!
//! This crate has no wire code of its own: datagrams and epmd's messages are `beamline_proto`'s.

pub mod config;
pub mod connector;
mod error;
mod events;
pub mod metrics;
mod module;
pub mod reconciler;
mod reports;
mod status;
pub mod strategy;
mod topology;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, OnceLock},
};

use beamline_node::epmd;
use tokio::task::JoinSet;
use tracing::warn;

pub use beamline_proto::gossip::Secret;
pub use config::{CONFIG_VARIABLE, ConfigError, Problem, STRATEGY_VARIABLE, StrategyNotice};
pub use connector::Connector;
pub use error::ClusterError;
pub use events::{ClusterEvent, ClusterEvents};
pub use module::MODULE;
pub use reports::Reports;
pub use status::{PeerState, PeerStatus, Status, TopologyStatus};
#[cfg(feature = "kubernetes")]
pub use strategy::Kubernetes;
#[cfg(feature = "dns")]
pub use strategy::{DnsPoll, KubernetesDns, KubernetesDnsSrv};
pub use strategy::{Epmd, ErlangHosts, Gossip, LocalEpmd, Running, StartFailure, Strategy};
pub use topology::{DEFAULT_GRACE, Topologies, Topology};

use events::Publisher;
use reconciler::{Reconciler, Shared};

/// Running topologies. Dropping it ends their tasks; connections stay as they are.
pub struct Cluster {
    topologies: Topologies,
    shared: Vec<Arc<Shared>>,
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
        ClusterBuilder { node: node.clone(), topologies, publisher: Publisher::default() }
    }

    /// What runs.
    pub fn topologies(&self) -> &Topologies {
        &self.topologies
    }

    /// What happens from now on.
    pub fn events(&self) -> ClusterEvents {
        self.publisher.subscribe()
    }

    /// What each strategy last said and when, and how it is with each node.
    pub fn status(&self) -> Status {
        Status { topologies: self.shared.iter().map(|shared| shared.status()).collect() }
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
    publisher: Publisher,
}

impl<C: Connector> ClusterBuilder<C> {
    /// One topology more.
    pub fn topology(mut self, topology: Topology) -> Self {
        self.topologies.push(topology);
        self
    }

    /// What will happen, from the first event on.
    pub fn events(&self) -> ClusterEvents {
        self.publisher.subscribe()
    }

    /// Starts them all, or none. Does not wait for connections, nor for any other node.
    ///
    /// # Errors
    /// A strategy cannot start, two topologies have one name, or the configuration file is wrong.
    pub async fn start(self) -> Result<Cluster, ClusterError> {
        let Self { node, topologies, publisher } = self;
        if let Some(error) = topologies.error() {
            return Err(error.clone().into());
        }
        if let Some(notice) = topologies.notice() {
            warn!("{notice}");
        }
        let mut names = HashSet::new();
        if let Some(twice) = topologies.iter().find(|topology| !names.insert(topology.name())) {
            return Err(ClusterError::SameName { topology: twice.name().to_owned() });
        }
        let epmd_port = topologies.epmd_port().or_else(|| epmd::Epmd::from_env().lookup_port());
        let epmd_port = epmd_port.unwrap_or(epmd::DEFAULT_PORT);
        let all = Arc::new(OnceLock::new());
        // If one cannot start, those before it end with this.
        let mut tasks = JoinSet::new();
        let mut shared = Vec::new();
        for topology in topologies.iter() {
            let one = Arc::new(Shared::new(topology.clone(), node.name().clone()));
            let (reports, receiver) = Reports::new(node.name().clone(), epmd_port, one.clone());
            let strategy = topology.strategy().start(reports).map_err(|source| ClusterError::Strategy {
                topology: topology.name().to_owned(),
                source: source.into(),
            })?;
            let reconciler = Reconciler::new(one.clone(), all.clone(), node.clone(), publisher.clone());
            tasks.spawn(strategy);
            tasks.spawn(reconciler.run(receiver));
            shared.push(one);
        }
        // Nobody else sets it.
        let _ = all.set(shared.clone());
        node.export(module::module(shared.iter().map(Arc::downgrade).collect()));
        Ok(Cluster { topologies, shared, publisher, _tasks: tasks })
    }
}

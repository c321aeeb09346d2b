//! A list of nodes that is known beforehand. `Cluster.Strategy.Epmd`.
//!
//! Choose it when the nodes and their names are fixed.
//!
//! ```toml
//! [topologies.fixed]
//! strategy = "epmd"
//! config.hosts = ["app_a@10.0.0.1", "app_b@10.0.0.2"]
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `hosts` | none, required | the names of the nodes; our own among them does no harm |
//! | `timeout` | infinity | ms; how often libcluster connects to those that are missing. Here that is done all the time, and the key is read only so that a configuration can be taken over |
//!
//! In Rust: `Epmd::new(["app_a@10.0.0.1".parse()?])`.

use std::sync::Arc;

use beamline_proto::NodeName;

use super::{Running, StartFailure, Strategy};
use crate::{Reports, config::Section};

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Epmd {
    /// The nodes.
    pub hosts: Vec<NodeName>,
}

impl Epmd {
    pub(crate) const MODULE: &str = "Cluster.Strategy.Epmd";

    /// These nodes.
    pub fn new(hosts: impl IntoIterator<Item = NodeName>) -> Self {
        Self { hosts: hosts.into_iter().collect() }
    }

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let hosts = section.names("hosts");
        section.milliseconds("timeout");
        Some(Arc::new(Self { hosts: hosts? }))
    }
}

impl Strategy for Epmd {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let hosts = self.hosts.clone();
        Ok(Box::pin(async move {
            reports.answer(hosts).await;
            // The list never changes, and the topology lives as long as its strategy does.
            std::future::pending().await
        }))
    }

    fn prunes(&self) -> bool {
        false
    }
}

//! All nodes of this host: those that its epmd knows. `Cluster.Strategy.LocalEpmd`.
//!
//! Choose it for several nodes on one machine, in development and in tests. It needs no configuration:
//!
//! ```sh
//! LIBCLUSTER_STRATEGY=local_epmd app_a --name app_a@127.0.0.1 --cookie secret
//! ```
//!
//! ```toml
//! [topologies.here]
//! strategy = "local_epmd"
//! config.polling_interval = 500
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `port` | the program's, or `ERL_EPMD_PORT`, or 4369 | the port of epmd on 127.0.0.1 |
//! | `polling_interval` | 2000 | ms between two questions |
//!
//! libcluster has neither key and asks epmd once, when it starts; here it is asked again and again, so that nodes
//! that start later are found. Who leaves epmd is not disconnected, since a daemon that starts anew knows nobody.
//!
//! Hidden nodes are connected too, as libcluster does it: epmd does not know them apart, since Erlang's nodes all register as
//! visible. The status tells them apart once they are connected. Nodes with another cookie are dialed once a minute, and the
//! log has each once.

use std::{sync::Arc, time::Duration};

use beamline_node::epmd::{Client, EpmdError};
use beamline_proto::NodeName;

use super::{Running, StartFailure, Strategy};
use crate::{Reports, config::Section};

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalEpmd {
    /// The port of epmd on 127.0.0.1; `None` is the one that this program's nodes ask.
    pub port: Option<u16>,
    /// How often epmd is asked.
    pub polling_interval: Duration,
}

impl Default for LocalEpmd {
    fn default() -> Self {
        Self { port: None, polling_interval: Duration::from_secs(2) }
    }
}

impl LocalEpmd {
    pub(crate) const MODULE: &str = "Cluster.Strategy.LocalEpmd";

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let port = section.port("port");
        let polling_interval = section.milliseconds("polling_interval").unwrap_or(Self::default().polling_interval);
        Some(Arc::new(Self { port, polling_interval }))
    }
}

impl Strategy for LocalEpmd {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let client = Client::local(self.port.unwrap_or(reports.epmd_port()));
        let pause = self.polling_interval;
        Ok(Box::pin(async move {
            let host = reports.own_name().host().to_owned();
            reports.poll(pause, || names_of(client.clone(), host.clone())).await;
        }))
    }

    fn prunes(&self) -> bool {
        false
    }
}

async fn names_of(client: Client, host: String) -> Result<Vec<NodeName>, EpmdError> {
    let listed = client.names().await?;
    // Whatever epmd knows that is no node's name is nobody to connect to.
    Ok(listed.iter().filter_map(|node| format!("{}@{host}", node.name).parse().ok()).collect())
}

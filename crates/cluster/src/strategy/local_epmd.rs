//! All nodes of this host: those that its epmd knows. `Cluster.Strategy.LocalEpmd`.
//!
//! Choose it for several nodes on one machine, in development and in tests. It needs no configuration:
//!
//! ```sh
//! LIBCLUSTER_STRATEGY=local_epmd app_a --name app_a@127.0.0.1 --cookie secret
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `port` | 4369, or `ERL_EPMD_PORT` | the port of epmd on 127.0.0.1 |
//! | `polling_interval` | 2 s | how often epmd is asked |
//!
//! libcluster asks epmd once, when it starts; here it is asked again and again, so that nodes that start later are found
//! and lost connections come back. Hidden nodes are connected too. Nobody is ever disconnected.

use std::time::Duration;

use beamline_node::epmd::{Client, DEFAULT_PORT};
use beamline_proto::NodeName;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::{Connector, reconciler::Reconciler};

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalEpmd {
    /// The port of epmd on 127.0.0.1.
    pub port: u16,
    /// How often epmd is asked.
    pub polling_interval: Duration,
}

impl Default for LocalEpmd {
    fn default() -> Self {
        Self { port: DEFAULT_PORT, polling_interval: Duration::from_secs(2) }
    }
}

/// Asks epmd for ever.
pub(crate) async fn run<C: Connector>(config: LocalEpmd, mut reconciler: Reconciler<C>) {
    let client = Client::local(config.port);
    let mut polls = interval(config.polling_interval.max(Duration::from_millis(1)));
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reachable = true;
    loop {
        tokio::select! {
            _ = polls.tick() => {}
            _ = reconciler.finished() => continue,
        }
        // Dials go on meanwhile; their results wait.
        let topology = reconciler.topology().clone();
        match client.names().await {
            Ok(listed) => {
                if !std::mem::replace(&mut reachable, true) {
                    info!("[libcluster:{topology}] epmd answers again");
                }
                let host = reconciler.own_name().host().to_owned();
                for node in listed {
                    // Whatever epmd knows that is no node's name is nobody to connect to.
                    if let Ok(name) = format!("{}@{host}", node.name).parse::<NodeName>() {
                        reconciler.want(&name);
                    }
                }
            }
            Err(error) => {
                if std::mem::replace(&mut reachable, false) {
                    warn!("[libcluster:{topology}] {error}");
                }
            }
        }
    }
}

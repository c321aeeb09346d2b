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
//! config.hidden = false
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `port` | the program's, or `ERL_EPMD_PORT`, or 4369 | the port of epmd on 127.0.0.1 |
//! | `polling_interval` | 2000 | ms between two questions |
//! | `hidden` | true | whether hidden nodes are connected too, as libcluster does it |
//!
//! libcluster has none of these keys and asks epmd once, when it starts; here it is asked again and again, so that nodes
//! that start later are found. Who leaves epmd is not disconnected, since a daemon that starts anew knows nobody. Nodes with
//! another cookie are dialed once a minute, and the log has each once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use beamline_node::epmd::{Client, EpmdError, Name, NodeType};
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
    /// Whether hidden nodes are connected too.
    pub hidden: bool,
}

impl Default for LocalEpmd {
    fn default() -> Self {
        Self { port: None, polling_interval: Duration::from_secs(2), hidden: true }
    }
}

impl LocalEpmd {
    pub(crate) const MODULE: &str = "Cluster.Strategy.LocalEpmd";

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let default = Self::default();
        Some(Arc::new(Self {
            port: section.port("port"),
            polling_interval: section.milliseconds("polling_interval").unwrap_or(default.polling_interval),
            hidden: section.boolean("hidden").unwrap_or(default.hidden),
        }))
    }
}

impl Strategy for LocalEpmd {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let client = Client::local(self.port.unwrap_or(reports.epmd_port()));
        let Self { polling_interval, hidden, .. } = *self;
        Ok(Box::pin(async move {
            let host = reports.own_name().host().to_owned();
            let mut kinds = Kinds::default();
            loop {
                match listed(&client, &host, (!hidden).then_some(&mut kinds)).await {
                    Ok(nodes) => reports.answer(nodes).await,
                    Err(error) => reports.failed(error).await,
                }
                tokio::time::sleep(polling_interval.max(Duration::from_millis(1))).await;
            }
        }))
    }

    fn prunes(&self) -> bool {
        false
    }
}

/// Which of the registered nodes are visible, by name and port: a node does not change its kind while it runs.
#[derive(Debug, Default)]
struct Kinds(HashMap<(Name, u16), bool>);

async fn listed(client: &Client, host: &str, kinds: Option<&mut Kinds>) -> Result<Vec<NodeName>, EpmdError> {
    let listed = client.names().await?;
    let mut visible = Vec::new();
    let mut known = HashMap::new();
    for node in listed {
        if let Some(Kinds(before)) = kinds.as_deref() {
            let key = (node.name.clone(), node.port);
            let is_visible = match before.get(&key) {
                Some(is_visible) => *is_visible,
                None => match client.lookup(&node.name).await {
                    Ok(info) => info.node_type != NodeType::Hidden,
                    // It has just gone, or the next question tells.
                    Err(_) => continue,
                },
            };
            known.insert(key, is_visible);
            if !is_visible {
                continue;
            }
        }
        // Whatever epmd knows that is no node's name is nobody to connect to.
        visible.extend(format!("{}@{host}", node.name).parse::<NodeName>());
    }
    if let Some(kinds) = kinds {
        kinds.0 = known;
    }
    Ok(visible)
}

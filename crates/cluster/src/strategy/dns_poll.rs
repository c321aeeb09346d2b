//! All addresses that a name has in DNS. `Cluster.Strategy.DNSPoll`; cargo feature `dns`.
//!
//! Choose it outside Kubernetes where all nodes have the same name before the `@` and their address behind it, and something
//! keeps a name in DNS that has these addresses: fly.io (`APP.internal`, IPv6), Docker's `tasks.SERVICE`, a zone of your own.
//!
//! ```toml
//! [topologies.fly]
//! strategy = "dns_poll"
//! config.query = "my-app.internal"
//! config.node_basename = "my-app"
//! config.polling_interval = 5000
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `query` | none, required | the name in DNS |
//! | `node_basename` | none, required | what stands before the `@` |
//! | `polling_interval` | 5000 | ms from an answer to the next question, or the answer's TTL if that is longer |
//! | `nameserver`, `search`, `ndots`, `family` | | see [`dns`] |
//!
//! As in libcluster, A and AAAA records count (`my-app@fdaa::3`), our own name is left out, and the query is asked as it
//! stands, however few its dots; only if there is no such name the search list is tried (`ndots` is 0 unless set). When DNS
//! has no answer the last list stays, other than in libcluster.
//!
//! In Rust: `DnsPoll::new("my-app", "my-app.internal")`.

use std::{sync::Arc, time::Duration};

use beamline_node::{Family, dns::DnsOptions};

use super::{Running, StartFailure, Strategy, dns};
use crate::{Reports, config::Section};

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsPoll {
    /// What stands before the `@`.
    pub node_basename: String,
    /// The name in DNS.
    pub query: String,
    /// How long after an answer to ask again, at the earliest.
    pub polling_interval: Duration,
    /// Which addresses to ask for; `None` is both.
    pub family: Option<Family>,
    /// Whom to ask, and how.
    pub options: DnsOptions,
}

impl DnsPoll {
    pub(crate) const MODULE: &str = "Cluster.Strategy.DNSPoll";

    /// The nodes of this name at the addresses of this query.
    pub fn new(node_basename: impl Into<String>, query: impl Into<String>) -> Self {
        let mut options = DnsOptions::default();
        options.ndots = Some(0);
        Self {
            node_basename: node_basename.into(),
            query: query.into(),
            polling_interval: dns::DEFAULT_INTERVAL,
            family: None,
            options,
        }
    }

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let query = section.required_string("query", "a string such as \"my-app.internal\"");
        let node_basename = dns::read_base(section, "node_basename");
        let mut config = Self::new("", "");
        config.polling_interval = section.milliseconds("polling_interval").unwrap_or(dns::DEFAULT_INTERVAL);
        config.family = dns::read_family(section);
        dns::read_servers(section, &mut config.options);
        dns::read_search(section, &mut config.options);
        Some(Arc::new(Self { query: query?, node_basename: node_basename?, ..config }))
    }
}

impl Strategy for DnsPoll {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        dns::check_base("node_basename", &self.node_basename)?;
        let (config, client) = (self.clone(), dns::client(&self.options));
        Ok(Box::pin(async move {
            let ask = async || {
                let answer = client.addresses(&config.query, config.family).await;
                let mut names = dns::names(&config.query, &config.node_basename, answer)?;
                names.nodes.retain(|node| node != reports.own_name());
                Ok(names)
            };
            dns::poll(&reports, config.polling_interval, ask).await;
        }))
    }
}

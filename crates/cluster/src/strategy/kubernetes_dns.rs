//! All pods behind a headless service of Kubernetes, by its addresses in DNS. `Cluster.Strategy.Kubernetes.DNS`; cargo feature
//! `dns`.
//!
//! Choose it when all nodes have the same name before the `@` and their pod's address behind it (`cluster-app@10.0.0.7`). It
//! needs no rights in Kubernetes, only a service with `clusterIP: None` whose selector finds the pods; a service also shows
//! pods that are not ready if it has `publishNotReadyAddresses: true`. How soon a change is seen is the TTL of the cluster's
//! DNS, mostly 5 or 30 s.
//!
//! ```toml
//! [topologies.k8s_dns]
//! strategy = "kubernetes.dns"
//! config.service = "beam-cluster"
//! config.application_name = "cluster-app"
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `service` | none, required | the service's name: as it stands, or under a domain of the search list, which in a pod has its namespace |
//! | `application_name` | none, required | what stands before the `@` |
//! | `polling_interval` | 5000 | ms from an answer to the next question, or the answer's TTL if that is longer |
//! | `nameserver`, `search`, `ndots`, `family` | | see [`dns`] |
//!
//! `LIBCLUSTER_STRATEGY=kubernetes.dns` is the one above. Unlike libcluster it knows AAAA records and CNAMEs, asks once an
//! interval instead of twice, and keeps the last list when DNS has no answer.
//!
//! In Rust: `KubernetesDns::new("cluster-app", "beam-cluster")`.

use std::{sync::Arc, time::Duration};

use beamline_node::{Family, dns::DnsOptions};

use super::{Running, StartFailure, Strategy, dns};
use crate::{Reports, config::Section};

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KubernetesDns {
    /// What stands before the `@`.
    pub application_name: String,
    /// The service's name.
    pub service: String,
    /// How long after an answer to ask again, at the earliest.
    pub polling_interval: Duration,
    /// Which addresses to ask for; `None` is both.
    pub family: Option<Family>,
    /// Whom to ask, and how.
    pub options: DnsOptions,
}

impl KubernetesDns {
    pub(crate) const MODULE: &str = "Cluster.Strategy.Kubernetes.DNS";

    /// The nodes of this name behind this service.
    pub fn new(application_name: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            application_name: application_name.into(),
            service: service.into(),
            polling_interval: dns::DEFAULT_INTERVAL,
            family: None,
            options: DnsOptions::default(),
        }
    }

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let service = section.required_string("service", "a string such as \"beam-cluster\"");
        let application_name = dns::read_base(section, "application_name");
        let mut config = Self::new("", "");
        config.polling_interval = section.milliseconds("polling_interval").unwrap_or(dns::DEFAULT_INTERVAL);
        config.family = dns::read_family(section);
        dns::read_servers(section, &mut config.options);
        dns::read_search(section, &mut config.options);
        Some(Arc::new(Self { service: service?, application_name: application_name?, ..config }))
    }
}

impl Strategy for KubernetesDns {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        dns::check_base("application_name", &self.application_name)?;
        let (config, client) = (self.clone(), dns::client(&self.options));
        Ok(Box::pin(async move {
            let ask = async || {
                let answer = client.addresses(&config.service, config.family).await;
                dns::names(&config.service, &config.application_name, answer)
            };
            dns::poll(&reports, config.polling_interval, ask).await;
        }))
    }
}

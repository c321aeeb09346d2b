//! All pods of a StatefulSet of Kubernetes, by the SRV records of its service. `Cluster.Strategy.Kubernetes.DNSSRV`; cargo
//! feature `dns`.
//!
//! Choose it when all nodes have the same name before the `@` and the stable name of their pod behind it
//! (`cluster-app@app-a-0.beam-cluster.default.svc.cluster.local`). The service must be headless and have a port, whichever:
//! without one it has no SRV records.
//!
//! ```toml
//! [topologies.k8s_dns_srv]
//! strategy = "kubernetes.dns_srv"
//! config.service = "beam-cluster"
//! config.namespace = "default"
//! config.application_name = "cluster-app"
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `service` | none, required | the service's name |
//! | `namespace` | none, required | its namespace |
//! | `application_name` | none, required | what stands before the `@` |
//! | `polling_interval` | 5000 | ms from an answer to the next question, or the answer's TTL if that is longer |
//! | `nameserver` | | see [`dns`] |
//!
//! The name that is asked is `SERVICE.NAMESPACE.svc.cluster.local`; the variable `CLUSTER_DOMAIN` has another domain of the
//! cluster in place of `cluster.local`. Priorities, weights and ports do not count. When DNS has no answer the last list
//! stays, other than in libcluster.
//!
//! In Rust: `KubernetesDnsSrv::new("cluster-app", "beam-cluster", "default")`.

use std::{sync::Arc, time::Duration};

use beamline_node::dns::DnsOptions;

use super::{Running, StartFailure, Strategy, dns};
use crate::{Reports, config::Section};

/// The variable that has the domain of the cluster.
pub const DOMAIN_VARIABLE: &str = "CLUSTER_DOMAIN";

/// The domain of a cluster that has no other.
const DOMAIN: &str = "cluster.local.";

/// The configuration of the strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KubernetesDnsSrv {
    /// What stands before the `@`.
    pub application_name: String,
    /// The service's name.
    pub service: String,
    /// Its namespace.
    pub namespace: String,
    /// The domain of the cluster.
    pub cluster_domain: String,
    /// How long after an answer to ask again, at the earliest.
    pub polling_interval: Duration,
    /// Whom to ask. The name is asked as it stands, without a search list.
    pub options: DnsOptions,
}

impl KubernetesDnsSrv {
    pub(crate) const MODULE: &str = "Cluster.Strategy.Kubernetes.DNSSRV";

    /// The nodes of this name behind this service of this namespace. The domain is that of `CLUSTER_DOMAIN`, else
    /// `cluster.local`.
    pub fn new(application_name: impl Into<String>, service: impl Into<String>, namespace: impl Into<String>) -> Self {
        let domain = std::env::var(DOMAIN_VARIABLE).ok().filter(|domain| !domain.is_empty());
        Self {
            application_name: application_name.into(),
            service: service.into(),
            namespace: namespace.into(),
            cluster_domain: domain.unwrap_or_else(|| DOMAIN.to_owned()),
            polling_interval: dns::DEFAULT_INTERVAL,
            options: DnsOptions::default(),
        }
    }

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let service = section.required_string("service", "a string such as \"beam-cluster\"");
        let namespace = section.required_string("namespace", "a string such as \"default\"");
        let application_name = dns::read_base(section, "application_name");
        let mut config = Self::new("", "", "");
        config.polling_interval = section.milliseconds("polling_interval").unwrap_or(dns::DEFAULT_INTERVAL);
        dns::read_servers(section, &mut config.options);
        Some(Arc::new(Self { service: service?, namespace: namespace?, application_name: application_name?, ..config }))
    }

    /// The name under which the records are.
    fn record(&self) -> String {
        let domain = self.cluster_domain.trim_matches('.');
        format!("{}.{}.svc.{domain}.", self.service, self.namespace)
    }
}

impl Strategy for KubernetesDnsSrv {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        dns::check_base("application_name", &self.application_name)?;
        let (config, client, record) = (self.clone(), dns::client(&self.options), self.record());
        Ok(Box::pin(async move {
            let ask = async || dns::names(&config.service, &config.application_name, client.targets(&record).await);
            dns::poll(&reports, config.polling_interval, ask).await;
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_service_in_the_clusters_domain() {
        let mut config = KubernetesDnsSrv::new("cluster-app", "beam-cluster", "default");
        for (domain, whole) in [
            ("cluster.local.", "beam-cluster.default.svc.cluster.local."),
            ("example.org", "beam-cluster.default.svc.example.org."),
        ] {
            config.cluster_domain = domain.to_owned();
            assert_eq!(config.record(), whole);
        }
    }
}

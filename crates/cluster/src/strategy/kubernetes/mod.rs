//! The pods that the Kubernetes API lists. `Cluster.Strategy.Kubernetes`; cargo feature `kubernetes`.
//!
//! Choose it in a Kubernetes cluster when the pods' service account may read pods (or endpoints): it knows at once who comes
//! and who goes, and needs no headless service but for names in `hostname` mode. Where no such right is to be had, take the
//! DNS strategies.
//!
//! The article's set-up, a StatefulSet whose pods are `cluster-app@POD.beam-cluster.NAMESPACE.svc.cluster.local`, needs no
//! file: `LIBCLUSTER_STRATEGY=kubernetes`. The same as a file:
//!
//! ```toml
//! [topologies.k8s]
//! strategy = "Cluster.Strategy.Kubernetes"
//!
//! [topologies.k8s.config]
//! mode = "hostname"
//! kubernetes_ip_lookup_mode = "pods"
//! kubernetes_service_name = "beam-cluster"
//! kubernetes_node_basename = "cluster-app"
//! kubernetes_selector = "cluster=beam"
//! ```
//!
//! A Deployment whose pods are `app@POD_IP`, and the rights that it needs:
//!
//! ```toml
//! [topologies.k8s]
//! strategy = "kubernetes"
//! config.kubernetes_ip_lookup_mode = "pods"
//! config.kubernetes_node_basename = "app"
//! config.kubernetes_selector = "app=my-app"
//! ```
//!
//! ```yaml
//! kind: Role
//! apiVersion: rbac.authorization.k8s.io/v1
//! metadata: {name: read-pods}
//! rules:
//! - {apiGroups: [""], resources: [pods], verbs: [get, list, watch]}
//! ```
//!
//! | key | default | meaning |
//! | --- | --- | --- |
//! | `kubernetes_node_basename` | none, required | the part of the nodes' names before the `@` |
//! | `kubernetes_selector` | none, required | label selector: of the pods in look-up `pods`, else of the service |
//! | `mode` | `"ip"` | `"ip"`: `BASE@10.0.0.1`; `"hostname"`: `BASE@POD.SERVICE.NAMESPACE.svc.CLUSTER.local`; `"dns"`: `BASE@10-0-0-1.NAMESPACE.pod.CLUSTER.local` |
//! | `kubernetes_ip_lookup_mode` | `"endpoints"` | what is listed: `"endpoints"`, `"pods"`, or `"endpointslices"` (not in libcluster), in the version that the API has |
//! | `kubernetes_service_name` | none; required by `hostname` | the headless service |
//! | `kubernetes_cluster_name` | `"cluster"` | the cluster's domain without `.local` |
//! | `kubernetes_namespace` | that of the service account, or of the kubeconfig's context | where to look |
//! | `kubernetes_master` | where `KUBERNETES_SERVICE_HOST` says, else `"kubernetes.default.svc"` | the API's host; the cluster's domain (`CLUSTER_DOMAIN`, or by the cluster's name) is added unless it has it, ends with a dot, or is an address |
//! | `kubernetes_service_account_path` | `"/var/run/secrets/kubernetes.io/serviceaccount"` | folder with `token`, `ca.crt` and `namespace`; read again at every question |
//! | `kubernetes_use_cached_resources` | false | lists may come from the API server's cache (`resourceVersion=0`), which costs it less |
//! | `polling_interval` | 5000 | ms between two questions, 10 % more or less; when watching, the pause after a failure |
//! | `kubeconfig` | none | a kubeconfig file in place of the service account (not a key of libcluster) |
//!
//! Outside a pod, where there is no service account's token, `KUBECONFIG` or `~/.kube/config` is taken.
//!
//! **Who is listed.** A pod that runs and has an address, from when it is first Ready until it is deleted or ends. It stays when
//! it is not Ready for a while: what makes all pods unready must not part the cluster. A pod that drains is not dialed, and is
//! disconnected after the topology's grace period; it dials nobody either from then on. Endpoints count in the same way. In
//! `endpointslices` of two families the one of our own name counts, else IPv4. In `hostname` mode pods without a hostname have
//! no name and are left out.
//!
//! **Watching and polling.** Changes are watched as they come, if the account has the right `watch`; a watch that ends goes on
//! where it was, and after too long a gap the list is read anew. Without the right the list is read every `polling_interval`, as
//! libcluster does, and the right is tried again after 1, 2, 4 and 8 lists and then each 12.
//!
//! **When it cannot be found out** (API not reachable, token or rights wrong, no such namespace) the last list stays, and the log
//! says why, once. The API's certificate is always verified; there is no key to switch that off, and a kubeconfig that wants it
//! is refused. Plain HTTP is used only toward this machine (`kubectl proxy`).
//!
//! A program that uses `k8s-openapi` itself must choose the feature `earliest` of it: there can be but one.

mod access;
mod api;
mod course;
mod error;
mod known;
mod names;
mod objects;
mod run;
mod stream;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use beamline_proto::NodeName;

pub use error::KubernetesError;

use super::{Running, StartFailure, Strategy};
use crate::{Reports, config::Section};

/// Where Kubernetes puts a pod's service account.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How the nodes are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Mode {
    /// By the pod's address.
    #[default]
    Ip,
    /// By the pod's hostname under the headless service.
    Hostname,
    /// By the pod's address under the domain `pod`.
    Dns,
}

/// What is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Lookup {
    /// The service's endpoints.
    #[default]
    Endpoints,
    /// The pods.
    Pods,
    /// The service's endpoint slices, which replace endpoints from Kubernetes 1.33 on.
    EndpointSlices,
}

/// The configuration of the strategy, with libcluster's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kubernetes {
    /// The part of the nodes' names before the `@`.
    pub node_basename: String,
    /// The label selector, as `kubectl get --selector` takes it.
    pub selector: String,
    /// How the nodes are named.
    pub mode: Mode,
    /// What is listed.
    pub ip_lookup_mode: Lookup,
    /// The headless service, for [`Mode::Hostname`].
    pub service_name: Option<String>,
    /// The cluster's domain without `.local`.
    pub cluster_name: String,
    /// Where to look; `None` is the service account's namespace, or that of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The host of the API, perhaps with a port; `None` is the one that the pod's environment names.
    pub master: Option<String>,
    /// The folder with `token`, `ca.crt` and `namespace`.
    pub service_account_path: PathBuf,
    /// Whether lists may come from the API server's cache.
    pub use_cached_resources: bool,
    /// The pause between two questions.
    pub polling_interval: Duration,
    /// A kubeconfig file in place of the service account.
    pub kubeconfig: Option<PathBuf>,
}

impl Kubernetes {
    pub(crate) const MODULE: &str = "Cluster.Strategy.Kubernetes";

    /// Nodes `BASENAME@IP` of the endpoints of the services that this selector selects; all else as by default.
    pub fn new(node_basename: impl Into<String>, selector: impl Into<String>) -> Self {
        Self {
            node_basename: node_basename.into(),
            selector: selector.into(),
            mode: Mode::default(),
            ip_lookup_mode: Lookup::default(),
            service_name: None,
            cluster_name: "cluster".to_owned(),
            namespace: None,
            master: None,
            service_account_path: SERVICE_ACCOUNT.into(),
            use_cached_resources: false,
            polling_interval: Duration::from_secs(5),
            kubeconfig: None,
        }
    }

    /// What `LIBCLUSTER_STRATEGY=kubernetes` stands for.
    pub(crate) fn without_file() -> Self {
        Self {
            mode: Mode::Hostname,
            ip_lookup_mode: Lookup::Pods,
            service_name: Some("beam-cluster".to_owned()),
            ..Self::new("cluster-app", "cluster=beam")
        }
    }

    /// Asks the API once who should be here, for a tool. `own` is the node that would ask.
    ///
    /// # Errors
    /// As the log of a node has them: no way to the API, no right to ask it, nobody there.
    pub async fn ask(&self, own: &NodeName) -> Result<BTreeSet<NodeName>, KubernetesError> {
        run::ask(self, own).await
    }

    pub(super) fn read(section: &mut Section<'_>) -> Option<Arc<dyn Strategy>> {
        let basename =
            section.required_string("kubernetes_node_basename", "the part of the nodes' names before the `@`");
        let selector = section.required_string("kubernetes_selector", "a label selector such as \"cluster=beam\"");
        let modes = [("ip", Mode::Ip), ("hostname", Mode::Hostname), ("dns", Mode::Dns)];
        let mode = section.choice("mode", &modes).unwrap_or_default();
        let lookups =
            [("endpoints", Lookup::Endpoints), ("pods", Lookup::Pods), ("endpointslices", Lookup::EndpointSlices)];
        let ip_lookup_mode = section.choice("kubernetes_ip_lookup_mode", &lookups).unwrap_or_default();
        let service_name = match mode {
            Mode::Hostname => {
                let expected = "the headless service, which names of the mode \"hostname\" contain";
                Some(section.required_string("kubernetes_service_name", expected))
            }
            Mode::Ip | Mode::Dns => section.string("kubernetes_service_name").map(Some),
        };
        let default = Self::new(basename.clone().unwrap_or_default(), selector.clone().unwrap_or_default());
        let read = Self {
            mode,
            ip_lookup_mode,
            cluster_name: section.string("kubernetes_cluster_name").unwrap_or(default.cluster_name),
            namespace: section.string("kubernetes_namespace").filter(|namespace| !namespace.is_empty()),
            master: section.string("kubernetes_master"),
            service_account_path: section
                .string("kubernetes_service_account_path")
                .map_or(default.service_account_path, PathBuf::from),
            use_cached_resources: section.boolean("kubernetes_use_cached_resources").unwrap_or_default(),
            polling_interval: section.milliseconds("polling_interval").unwrap_or(default.polling_interval),
            kubeconfig: section.string("kubeconfig").map(PathBuf::from),
            service_name: service_name.clone().flatten(),
            ..default
        };
        if basename.is_some() && !names::is_basename(&read.node_basename) {
            section.wrong("kubernetes_node_basename", "this cannot be the part of a node's name before the `@`");
            return None;
        }
        (basename.is_some() && selector.is_some() && service_name != Some(None)).then(|| Arc::new(read) as _)
    }
}

impl Strategy for Kubernetes {
    fn name(&self) -> &str {
        Self::MODULE
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        if self.mode == Mode::Hostname && self.service_name.is_none() {
            return Err(KubernetesError::NoService.into());
        }
        if !names::is_basename(&self.node_basename) {
            return Err(KubernetesError::Basename { basename: self.node_basename.clone() }.into());
        }
        let config = self.clone();
        Ok(Box::pin(run::run(config, reports)))
    }
}

#[cfg(test)]
mod tests;

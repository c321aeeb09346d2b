//! The strategies, one a file; each file's head says when to choose it and which keys it has.
//!
//! A [`Strategy`] only says who should be here. Connecting, disconnecting, pauses and retries are the
//! [`reconciler`](crate::reconciler)'s. Your own is as good as the built-in ones; here is one that reads the names from a
//! file, a name a line, again every 5 seconds:
//!
//! ```
//! use std::{io, path::PathBuf, time::Duration};
//!
//! use beamline_cluster::{Reports, Running, StartFailure, Strategy, Topology};
//! use beamline_node::NodeName;
//!
//! #[derive(Debug)]
//! struct NamesFile(PathBuf);
//!
//! async fn read(path: PathBuf) -> io::Result<Vec<NodeName>> {
//!     let text = std::fs::read_to_string(path)?;
//!     let names = text.lines().map(|line| line.trim().parse().map_err(io::Error::other));
//!     names.collect()
//! }
//!
//! impl Strategy for NamesFile {
//!     fn name(&self) -> &str {
//!         "NamesFile"
//!     }
//!
//!     fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
//!         let path = self.0.clone();
//!         // While the file cannot be read, its last content counts.
//!         Ok(Box::pin(async move { reports.poll(Duration::from_secs(5), || read(path.clone())).await }))
//!     }
//! }
//!
//! let topology = Topology::new("ours", NamesFile("nodes.txt".into())).grace(Duration::from_secs(30));
//! ```
//!
//! [`kubernetes`] needs the cargo feature of that name, those that ask DNS the feature `dns`.

#[cfg(feature = "dns")]
pub mod dns;
#[cfg(feature = "dns")]
pub mod dns_poll;
pub mod epmd;
pub mod erlang_hosts;
pub mod gossip;
#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(feature = "dns")]
pub mod kubernetes_dns;
#[cfg(feature = "dns")]
pub mod kubernetes_dns_srv;
pub mod local_epmd;

use std::{any::Any, error::Error, fmt, pin::Pin, sync::Arc};

#[cfg(feature = "dns")]
pub use dns_poll::DnsPoll;
pub use epmd::Epmd;
pub use erlang_hosts::ErlangHosts;
pub use gossip::Gossip;
#[cfg(feature = "kubernetes")]
pub use kubernetes::Kubernetes;
#[cfg(feature = "dns")]
pub use kubernetes_dns::KubernetesDns;
#[cfg(feature = "dns")]
pub use kubernetes_dns_srv::KubernetesDnsSrv;
pub use local_epmd::LocalEpmd;

use crate::{Reports, config::Section};

/// What a strategy does until the cluster is dropped.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why a strategy could not start.
pub type StartFailure = Box<dyn Error + Send + Sync>;

/// A way to know who should be in the cluster. See the example [above](self). That it is [`Any`] lets a program that is
/// given topologies see which strategies they have.
pub trait Strategy: Any + fmt::Debug + Send + Sync {
    /// What to call it: libcluster's module for those that libcluster has.
    fn name(&self) -> &str;

    /// Opens what it needs, a socket for one, and gives what it then does. Must not wait for any other node.
    ///
    /// # Errors
    /// It cannot work at all. What may come right by itself is reported with [`Reports::failed`] when it runs.
    fn start(&self, reports: Reports) -> Result<Running, StartFailure>;

    /// Whether who is missing from an answer has left, and should be disconnected; unless the topology's
    /// [`prune`](crate::Topology::prune) says otherwise.
    fn prunes(&self) -> bool {
        true
    }
}

/// Reads the `config` of a strategy.
type Read = fn(&mut Section<'_>) -> Option<Arc<dyn Strategy>>;

/// A strategy that topologies may name.
pub(crate) struct BuiltIn {
    /// As `LIBCLUSTER_STRATEGY` has it.
    pub(crate) short: &'static str,
    /// libcluster's module.
    pub(crate) module: &'static str,
    /// Or the cargo feature without which it is not in this build.
    pub(crate) read: Result<Read, &'static str>,
}

const fn built_in(short: &'static str, module: &'static str, read: Result<Read, &'static str>) -> BuiltIn {
    BuiltIn { short, module, read }
}

/// What a strategy of a cargo feature has for `read`.
macro_rules! with_feature {
    ($feature:literal, $strategy:path) => {{
        #[cfg(feature = $feature)]
        let read = Ok(<$strategy>::read as Read);
        #[cfg(not(feature = $feature))]
        let read = Err($feature);
        read
    }};
}

/// All that libcluster has, but for Rancher's, whose platform is gone.
pub(crate) const BUILT_IN: [BuiltIn; 8] = [
    built_in("epmd", Epmd::MODULE, Ok(Epmd::read)),
    built_in("local_epmd", LocalEpmd::MODULE, Ok(LocalEpmd::read)),
    built_in("erlang_hosts", ErlangHosts::MODULE, Ok(ErlangHosts::read)),
    built_in("gossip", Gossip::MODULE, Ok(Gossip::read)),
    built_in("kubernetes", "Cluster.Strategy.Kubernetes", with_feature!("kubernetes", Kubernetes)),
    built_in("kubernetes.dns", "Cluster.Strategy.Kubernetes.DNS", with_feature!("dns", KubernetesDns)),
    built_in("kubernetes.dns_srv", "Cluster.Strategy.Kubernetes.DNSSRV", with_feature!("dns", KubernetesDnsSrv)),
    built_in("dns_poll", "Cluster.Strategy.DNSPoll", with_feature!("dns", DnsPoll)),
];

impl BuiltIn {
    /// By either name; Elixir's full atom too.
    pub(crate) fn named(name: &str) -> Option<&'static BuiltIn> {
        let name = name.strip_prefix("Elixir.").unwrap_or(name);
        BUILT_IN.iter().find(|built_in| name == built_in.short || name == built_in.module)
    }

    /// Those that this build has.
    pub(crate) fn present() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().filter(|built_in| built_in.read.is_ok()).map(|built_in| built_in.short)
    }
}

//! The way to a node by `/etc/hosts` and DNS.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use beamline_proto::NodeName;

use super::{Answer, Dns, ask::Question, names, read};
use crate::resolver::{BoxFuture, Family, Resolver, Route};

/// Finds hosts without the C library; see the [module](super) for when that is needed.
///
/// In this order: an address stands for itself; a name in the file of hosts is what that file says; `localhost` is this
/// machine; all else is asked of DNS, for both families, with the search list. Nothing is cached.
///
/// ```
/// use beamline_node::{Node, dns::DnsResolver};
///
/// let builder = Node::builder("app-a1@app-a1.docker").resolver(DnsResolver::default());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DnsResolver {
    /// Which addresses come first.
    pub family: Family,
    /// The file that goes before DNS, read for each look-up. It need not be there. Default `/etc/hosts`.
    pub hosts: PathBuf,
    /// Whom to ask.
    pub dns: Dns,
}

impl Default for DnsResolver {
    fn default() -> Self {
        Self { family: Family::default(), hosts: "/etc/hosts".into(), dns: Dns::default() }
    }
}

impl DnsResolver {
    /// The addresses of a host, at least one.
    ///
    /// # Errors
    /// There are none, or they could not be found out; a [`DnsError`](super::DnsError) is inside.
    pub async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let hosts = read(&self.hosts).await.unwrap_or_default();
        let mut addresses = names::in_hosts(&hosts, host);
        if addresses.is_empty() && names::is_localhost(host) {
            addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        if addresses.is_empty() {
            let Answer { records, .. } = self.dns.find(host, Question::Reachable(self.family)).await?.addresses();
            addresses = records;
        }
        self.family.sort(&mut addresses);
        Ok(addresses)
    }
}

impl Resolver for DnsResolver {
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>> {
        Box::pin(async move { Ok(Route::host(self.addresses(peer.host()).await?)) })
    }
}

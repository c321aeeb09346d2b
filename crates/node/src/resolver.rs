//! From a node's name to where it listens.
//!
//! The default is what Erlang does: the host part goes through the system's resolver, or in a static program through
//! our own ([`HostResolver`]); the port comes from the epmd there or is the same for all ([`NodeBuilder::peer_port`](crate::NodeBuilder::peer_port)). Where a cluster knows better, from a
//! static list or from Kubernetes, a [`Resolver`] says so, and may name the port as well.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

use beamline_proto::NodeName;

/// A future that a trait object gives.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a node may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Route {
    /// Its addresses; the first that answers is taken.
    pub addresses: Vec<IpAddr>,
    /// The port on which it listens. `None`: epmd is asked at these addresses, unless the node has a `peer_port`.
    pub port: Option<u16>,
}

impl Route {
    /// A node on a host, whose port epmd knows.
    pub fn host(addresses: impl IntoIterator<Item = IpAddr>) -> Route {
        Route { addresses: addresses.into_iter().collect(), port: None }
    }

    /// A node that listens on this port; no epmd is asked.
    pub fn port(address: IpAddr, port: u16) -> Route {
        Route { addresses: vec![address], port: Some(port) }
    }
}

/// Finds nodes; for [`NodeBuilder::resolver`](crate::NodeBuilder::resolver).
///
/// An async closure is one:
///
/// ```
/// use std::io;
/// use beamline_node::{Node, NodeName, Route};
///
/// let builder = Node::builder("app_a@127.0.0.1").resolver(async |peer: NodeName| match peer.alive() {
///     "app_b" => Ok(Route::port([10, 0, 0, 2].into(), 9000)),
///     _ => Err(io::Error::other("not on the list")),
/// });
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// Where this node may be. It need not end by itself: each look-up has the deadline
    /// [`setup_time`](crate::Limits::setup_time).
    ///
    /// # Errors
    /// The node is not known; the connection fails with [`Cause::NotResolvable`](crate::Cause::NotResolvable).
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>>;
}

impl<F, Fut> Resolver for F
where
    F: Fn(NodeName) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = io::Result<Route>> + Send + 'static,
{
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>> {
        Box::pin(self(peer.clone()))
    }
}

/// Which addresses a node listens on and prefers in others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Family {
    /// IPv4, as Erlang unless told otherwise.
    #[default]
    V4,
    /// IPv6, as `-proto_dist inet6_tcp`.
    V6,
}

impl Family {
    /// That of a name whose host is an address; else IPv4.
    pub(crate) fn of(host: &str) -> Family {
        match host.parse() {
            Ok(IpAddr::V6(_)) => Family::V6,
            _ => Family::V4,
        }
    }

    /// The address at which a host knows itself.
    pub fn loopback(self) -> IpAddr {
        match self {
            Family::V4 => Ipv4Addr::LOCALHOST.into(),
            Family::V6 => Ipv6Addr::LOCALHOST.into(),
        }
    }

    /// Puts the addresses of this family before the others, and leaves each out but once.
    pub(crate) fn sort(self, addresses: &mut Vec<IpAddr>) {
        addresses.sort_by_key(|address| address.is_ipv6() != (self == Family::V6));
        addresses.dedup();
    }

    pub(crate) fn unspecified(self) -> IpAddr {
        match self {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// The resolver of the system, as Erlang uses it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver {
    /// Which addresses come first.
    pub family: Family,
}

impl SystemResolver {
    /// The addresses of a host, at least one.
    ///
    /// # Errors
    /// As the system has them.
    pub async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // Also spares the trip to the thread on which the system's resolver runs.
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let found = tokio::net::lookup_host((host, 0)).await?;
        let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        self.family.sort(&mut addresses);
        Ok(addresses)
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>> {
        Box::pin(async move { Ok(Route::host(self.addresses(peer.host()).await?)) })
    }
}

/// The resolver of hosts that suits this program, and a node's default: the system's, as in Erlang; in a static program with
/// the feature `dns` our own (`dns::DnsResolver`), since the system's cannot be relied on there.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum HostResolver {
    /// That of the system.
    System(SystemResolver),
    /// Our own.
    #[cfg(feature = "dns")]
    Dns(crate::dns::DnsResolver),
}

impl HostResolver {
    /// The one that suits, with the addresses of this family first.
    pub fn new(family: Family) -> HostResolver {
        #[cfg(all(feature = "dns", target_feature = "crt-static"))]
        {
            let mut resolver = crate::dns::DnsResolver::default();
            resolver.family = family;
            HostResolver::Dns(resolver)
        }
        #[cfg(not(all(feature = "dns", target_feature = "crt-static")))]
        HostResolver::System(SystemResolver { family })
    }

    /// The addresses of a host, at least one.
    ///
    /// # Errors
    /// There are none, or they could not be found out.
    pub async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            HostResolver::System(system) => system.addresses(host).await,
            #[cfg(feature = "dns")]
            HostResolver::Dns(dns) => dns.addresses(host).await,
        }
    }
}

impl Default for HostResolver {
    fn default() -> Self {
        HostResolver::new(Family::default())
    }
}

impl Resolver for HostResolver {
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>> {
        Box::pin(async move { Ok(Route::host(self.addresses(peer.host()).await?)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_its_own_route() {
        for (name, address) in [("a@127.0.0.1", "127.0.0.1"), ("a@::1", "::1")] {
            let route = SystemResolver::default().resolve(&name.parse().unwrap()).await.unwrap();
            assert_eq!(route, Route::host([address.parse().unwrap()]));
        }
        let localhost = SystemResolver::default().resolve(&"a@localhost".parse().unwrap()).await.unwrap();
        assert!(localhost.addresses[0].is_loopback() && localhost.addresses[0].is_ipv4());
    }

    #[test]
    fn the_family_is_the_names() {
        assert_eq!(
            (Family::of("::1"), Family::of("127.0.0.1"), Family::of("box")),
            (Family::V6, Family::V4, Family::V4)
        );
    }
}

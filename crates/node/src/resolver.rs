//! From a node's name to where it listens.
//!
//! The default is what Erlang does: the host part goes through the system's resolver, the port comes from the epmd there or
//! is the same for all ([`NodeBuilder::peer_port`](crate::NodeBuilder::peer_port)). Where a cluster knows better, from a
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

    pub(crate) fn unspecified(self) -> IpAddr {
        match self {
            Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
        }
    }
}

/// The resolver of the system, as Erlang uses it. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver {
    /// Which addresses come first.
    pub family: Family,
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, peer: &'a NodeName) -> BoxFuture<'a, io::Result<Route>> {
        Box::pin(async move {
            // Also spares the trip to the thread on which the system's resolver runs.
            if let Ok(address) = peer.host().parse() {
                return Ok(Route::host([address]));
            }
            let found = tokio::net::lookup_host((peer.host(), 0)).await?;
            let mut addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            addresses.sort_by_key(|address| address.is_ipv6() != (self.family == Family::V6));
            addresses.dedup();
            Ok(Route::host(addresses))
        })
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

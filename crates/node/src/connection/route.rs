//! The way to a node: its addresses, its port, and a channel.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::epmd::Name;
use tokio::time::timeout;

use super::stream::Stream;
use crate::cause::{Cause, Step};
use crate::config::Settings;
use crate::epmd::{self, EpmdError};

/// Opens a channel to a node.
pub(super) async fn open(settings: &Settings, peer: &NodeName) -> Result<Stream, Cause> {
    let limit = settings.limits.setup_time;
    let failed = |source| Cause::NotResolvable { host: peer.host().to_owned(), source: Arc::new(source) };
    let route = timeout(limit, settings.resolver.resolve(peer)).await;
    let route = route.map_err(|_| Cause::TimedOut { step: Step::Resolving, after: limit })?.map_err(failed)?;
    if route.addresses.is_empty() {
        return Err(failed(std::io::ErrorKind::NotFound.into()));
    }
    let port = match (route.port.or(settings.peer_port), settings.epmd.lookup_port()) {
        (Some(port), _) => port,
        (None, Some(epmd_port)) => port_of(settings, peer, &route.addresses, epmd_port).await?,
        (None, None) => return Err(Cause::NotRegistered { registered: Vec::new() }),
    };
    let mut last = None;
    for address in route.addresses {
        let address = SocketAddr::new(address, port);
        last = Some(match timeout(limit, settings.transport.connect(peer, address)).await {
            Ok(Ok(channel)) => return Ok(Stream::new(channel, settings.transport.framing(), limit)),
            Ok(Err(source)) => Cause::PortRefused { address, source: Arc::new(source) },
            Err(_) => Cause::TimedOut { step: Step::Connecting, after: limit },
        });
    }
    Err(last.unwrap_or(Cause::NotRegistered { registered: Vec::new() }))
}

async fn port_of(settings: &Settings, peer: &NodeName, addresses: &[IpAddr], epmd_port: u16) -> Result<u16, Cause> {
    let asked: Vec<SocketAddr> = addresses.iter().map(|address| SocketAddr::new(*address, epmd_port)).collect();
    match epmd::lookup(asked, &Name::from(peer), settings.limits.setup_time).await {
        Ok(info) => Ok(info.port),
        Err(EpmdError::NotRegistered { registered, .. }) => {
            Err(Cause::NotRegistered { registered: registered.iter().map(|name| name.as_str().to_owned()).collect() })
        }
        Err(EpmdError::TimedOut { after, .. }) => Err(Cause::TimedOut { step: Step::Epmd, after }),
        Err(error) => Err(Cause::EpmdUnreachable(error)),
    }
}

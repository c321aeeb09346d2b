//! Reaching a node: its address, its port, the handshake, and the other attempt that may come toward us meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::epmd::Name;
use beamline_proto::handshake::{HandshakeError, Initiator, Progress};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::Connection;
use super::slots::{Begin, Verdict};
use super::stream::{self, Stream};
use crate::cause::{Cause, Side};
use crate::config::SETUP_TIME;
use crate::epmd::{self, EpmdError};
use crate::node::Inner;

/// How often we try again when the peer prefers its own attempt, and that does not arrive.
const CLASHES: u32 = 3;

/// Connects with a node, or waits for the attempt that runs already.
pub(crate) async fn connect(node: &Arc<Inner>, peer: &NodeName) -> Result<(), Cause> {
    if *peer == node.name {
        return Err(Cause::Itself);
    }
    if node.slots.is_calling(peer) && inbound(node, peer).await {
        return Ok(());
    }
    let mut verdict = match node.slots.begin(peer) {
        Begin::Up => return Ok(()),
        Begin::Wait(verdict) => verdict,
        Begin::Dial { tell, verdict, give_way } => {
            let (node, peer) = (Arc::clone(node), peer.clone());
            let end = DialEnd(Arc::clone(&node), peer.clone());
            Arc::clone(&node).spawn(async move {
                let mut result = Err(Cause::NameClash);
                for _ in 0..CLASHES {
                    result = tokio::select! {
                        result = attempt(&node, &peer) => result,
                        () = give_way.notified() => Err(Cause::NameClash),
                    };
                    if !matches!(result, Err(Cause::NameClash)) {
                        break;
                    }
                    if inbound(&node, &peer).await {
                        result = Ok(());
                        break;
                    }
                }
                drop(end);
                tell.send_replace(Some(result));
            });
            verdict
        }
    };
    let verdict: Verdict = verdict.wait_for(Option::is_some).await.map_or(None, |verdict| verdict.clone());
    verdict.unwrap_or(Err(Cause::Stopped))
}

/// Frees the slot, also when the task ends early because the node stops.
struct DialEnd(Arc<Inner>, NodeName);

impl Drop for DialEnd {
    fn drop(&mut self) {
        self.0.slots.end(&self.1);
    }
}

/// Waits for the peer's own attempt to succeed; a second at most, as it may be gone, or not be the peer at all.
async fn inbound(node: &Inner, peer: &NodeName) -> bool {
    for _ in 0..100 {
        if node.slots.get(peer.as_atom()).is_some() {
            return true;
        }
        sleep(std::time::Duration::from_millis(10)).await;
    }
    false
}

async fn attempt(node: &Arc<Inner>, peer: &NodeName) -> Result<(), Cause> {
    let addresses = resolve(peer.host()).await?;
    let port = match (node.settings.peer_port, node.settings.epmd.lookup_port()) {
        (Some(port), _) => port,
        (None, Some(epmd_port)) => port_of(peer, &addresses, epmd_port).await?,
        (None, None) => return Err(Cause::NotRegistered { registered: Vec::new() }),
    };
    let socket = open(&addresses, port).await?;
    let mut stream = Stream::new(socket, SETUP_TIME).map_err(|error| Cause::Broken(Arc::new(error)))?;
    let (mut initiator, hello) = Initiator::new(node.local(), peer.clone(), rand::random());
    stream.write(&hello).await?;
    loop {
        let packet = match stream.read().await {
            Ok(Some(packet)) => packet,
            Ok(None) | Err(Cause::Broken(_)) if initiator.awaits_verdict() => {
                return Err(Cause::Cookie { side: Side::Theirs });
            }
            Ok(None) => {
                let what = "it closed the connection without an answer".to_owned();
                return Err(Cause::NotErlang { what });
            }
            Err(cause) => return Err(cause),
        };
        match initiator.packet(&packet) {
            Ok(Progress::Send(reply)) => stream.write(&reply).await?,
            Ok(Progress::Alive) => {
                // If the peer's own attempt has succeeded meanwhile, that is the good one.
                let is_stale = node.slots.get(peer.as_atom()).is_none();
                stream.write(&initiator.answer_alive(is_stale)).await?;
                if !is_stale {
                    return Ok(());
                }
            }
            Ok(Progress::Done(found, _)) => {
                let connection = Arc::new(Connection::new(found));
                return super::accept::begin(node, connection, stream, false).map_err(|()| Cause::NameClash);
            }
            Ok(_) => {}
            Err(error @ HandshakeError::Nok) => return Err(stream::cause(&error)),
            Err(error) => return Err(stream::cause(&error)),
        }
    }
}

pub(crate) async fn resolve(host: &str) -> Result<Vec<SocketAddr>, Cause> {
    let failed = |source| Cause::NotResolvable { host: host.to_owned(), source: Arc::new(source) };
    let found = timeout(SETUP_TIME, tokio::net::lookup_host((host, 0))).await;
    let found = found.map_err(|_| Cause::TimedOut { step: "resolving the host", after: SETUP_TIME })?;
    let mut addresses: Vec<SocketAddr> = found.map_err(failed)?.collect();
    // Distribution is IPv4 unless the name says otherwise.
    addresses.sort_by_key(|address| !address.is_ipv4());
    addresses.dedup();
    if addresses.is_empty() {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::NotFound)));
    }
    Ok(addresses)
}

async fn port_of(peer: &NodeName, addresses: &[SocketAddr], epmd_port: u16) -> Result<u16, Cause> {
    let asked: Vec<SocketAddr> = addresses.iter().map(|address| SocketAddr::new(address.ip(), epmd_port)).collect();
    match epmd::lookup(asked, &Name::from(peer), SETUP_TIME).await {
        Ok(info) => Ok(info.port),
        Err(EpmdError::NotRegistered { registered, .. }) => {
            Err(Cause::NotRegistered { registered: registered.iter().map(|name| name.as_str().to_owned()).collect() })
        }
        Err(EpmdError::TimedOut { after, .. }) => Err(Cause::TimedOut { step: "asking epmd", after }),
        Err(error) => Err(Cause::EpmdUnreachable(error)),
    }
}

async fn open(addresses: &[SocketAddr], port: u16) -> Result<TcpStream, Cause> {
    let mut last = None;
    for address in addresses {
        let address = SocketAddr::new(address.ip(), port);
        last = Some(match timeout(SETUP_TIME, TcpStream::connect(address)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(source)) => Cause::PortRefused { address, source: Arc::new(source) },
            Err(_) => Cause::TimedOut { step: "connecting to its port", after: SETUP_TIME },
        });
    }
    Err(last.unwrap_or(Cause::NotRegistered { registered: Vec::new() }))
}

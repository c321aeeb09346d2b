//! Nodes of one process, connected without sockets.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beamline_proto::NodeName;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use super::{BoxFuture, Channel, Incoming, Listener, Transport};

/// How many bytes are under way in each direction before a writer waits.
const PIPE: usize = 64 << 10;

/// How many callers wait at a door.
const BACKLOG: usize = 128;

/// A network within this process: nodes that hold clones of it reach each other by port, whatever the address. Tests of
/// programs use it to run clusters without sockets, epmd or ports that are taken:
///
/// ```
/// use beamline_node::{transport::Memory, Epmd, Listen, Node, Route};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let network = Memory::new();
/// let node = |name: &str, port| {
///     let builder = Node::builder(name).cookie("secret").epmd(Epmd::None).transport(network.clone());
///     builder.listen(Listen::Ports(port, port)).resolver(async |peer: beamline_node::NodeName| {
///         let port = if peer.alive() == "a" { 1 } else { 2 };
///         Ok(Route::port([127, 0, 0, 1].into(), port))
///     })
/// };
/// let a = node("a@memory", 1).start().await?;
/// let b = node("b@memory", 2).start().await?;
/// a.ping(b.name()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    doors: Arc<Mutex<Doors>>,
}

#[derive(Debug, Default)]
struct Doors {
    by_port: HashMap<u16, mpsc::Sender<(SocketAddr, DuplexStream)>>,
    /// Counts callers, so that each has an address of its own.
    callers: u16,
}

impl Memory {
    /// An empty network.
    pub fn new() -> Memory {
        Memory::default()
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Memory {
    fn connect<'a>(&'a self, _node: &'a NodeName, address: SocketAddr) -> BoxFuture<'a, io::Result<Channel>> {
        Box::pin(async move {
            let (door, local) = {
                let mut doors = self.doors();
                let door = doors.by_port.get(&address.port()).cloned();
                doors.callers = doors.callers.wrapping_add(1);
                (door.ok_or(io::ErrorKind::ConnectionRefused)?, SocketAddr::new(address.ip(), doors.callers))
            };
            let (ours, theirs) = tokio::io::duplex(PIPE);
            door.send((local, theirs)).await.map_err(|_| io::ErrorKind::ConnectionRefused)?;
            Ok(channel(ours, local, address))
        })
    }

    fn listen(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let mut doors = self.doors();
            let is_free = |port: &u16| doors.by_port.get(port).is_none_or(mpsc::Sender::is_closed);
            let port = match address.port() {
                0 => (1..=u16::MAX).find(is_free),
                port => Some(port).filter(is_free),
            };
            let port = port.ok_or(io::ErrorKind::AddrInUse)?;
            let (door, callers) = mpsc::channel(BACKLOG);
            doors.by_port.insert(port, door);
            Ok(Box::new(Door { address: SocketAddr::new(address.ip(), port), callers }) as Box<dyn Listener>)
        })
    }
}

fn channel(stream: DuplexStream, local: SocketAddr, peer: SocketAddr) -> Channel {
    let (read, write) = tokio::io::split(stream);
    Channel::new(read, write, local, peer)
}

struct Door {
    address: SocketAddr,
    callers: mpsc::Receiver<(SocketAddr, DuplexStream)>,
}

impl Listener for Door {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Incoming>> {
        Box::pin(async move {
            // The network holds the other end for as long as the door is open.
            let (peer, stream) = self.callers.recv().await.ok_or(io::ErrorKind::NotConnected)?;
            let local = self.address;
            Ok(Incoming::new(peer, async move { Ok(channel(stream, local, peer)) }))
        })
    }
}

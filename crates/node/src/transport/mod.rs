//! What carries a connection: TCP, or whatever a program puts in its place.
//!
//! A [`Transport`] opens and takes [`Channel`]s: two halves of bytes, with the addresses of both ends. All above it, the
//! handshake, frames and queues, knows nothing else of it. A transport with a handshake of its own, such as TLS, does it
//! within [`Transport::connect`] and [`Incoming::open`], before the first byte of Erlang's.
//!
//! [`Tcp`] is the default; [`Memory`] connects nodes of one process without sockets, for tests.

mod memory;
mod tcp;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

pub use beamline_proto::handshake::Framing;
pub use memory::Memory;
pub use tcp::Tcp;

pub use crate::resolver::BoxFuture;
use beamline_proto::NodeName;

/// The half of a channel that is read.
pub type ReadHalf = Pin<Box<dyn AsyncRead + Send>>;

/// The half of a channel that is written.
pub type WriteHalf = Pin<Box<dyn AsyncWrite + Send>>;

/// An open way to a peer. Dropping both halves closes it.
#[non_exhaustive]
pub struct Channel {
    /// What the peer sends.
    pub read: ReadHalf,
    /// What is sent to the peer. Each write goes out at once, however small.
    pub write: WriteHalf,
    /// Our end.
    pub local: SocketAddr,
    /// The peer's end.
    pub peer: SocketAddr,
}

impl Channel {
    /// A channel of these halves.
    pub fn new(
        read: impl AsyncRead + Send + 'static,
        write: impl AsyncWrite + Send + 'static,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Channel {
        Channel { read: Box::pin(read), write: Box::pin(write), local, peer }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("local", &self.local).field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Somebody at the door.
#[non_exhaustive]
pub struct Incoming {
    /// From where.
    pub peer: SocketAddr,
    /// What is left to do until bytes flow; it runs beside other callers, within
    /// [`setup_time`](crate::Limits::setup_time).
    pub open: BoxFuture<'static, io::Result<Channel>>,
}

impl Incoming {
    /// A caller from that address.
    pub fn new(peer: SocketAddr, open: impl Future<Output = io::Result<Channel>> + Send + 'static) -> Incoming {
        Incoming { peer, open: Box::pin(open) }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// Carries connections; for [`NodeBuilder::transport`](crate::NodeBuilder::transport).
pub trait Transport: Send + Sync + 'static {
    /// How long the length before each packet of the handshake is.
    fn framing(&self) -> Framing {
        Framing::Short
    }

    /// Opens a channel to a node at that address. It need not end by itself: the caller has a deadline.
    fn connect<'a>(&'a self, node: &'a NodeName, address: SocketAddr) -> BoxFuture<'a, io::Result<Channel>>;

    /// Listens at that address; port 0 is any.
    fn listen(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Box<dyn Listener>>>;
}

/// An open door. Dropping it closes it.
pub trait Listener: Send + 'static {
    /// Where it listens, with the port that was chosen.
    fn address(&self) -> SocketAddr;

    /// The next caller. Can be dropped and called again without losing one.
    fn accept(&mut self) -> BoxFuture<'_, io::Result<Incoming>>;
}

//! Plain TCP, what Erlang's nodes use unless told otherwise.

use std::io;
use std::net::SocketAddr;

use beamline_proto::NodeName;
use tokio::net::{TcpListener, TcpStream};

use super::{BoxFuture, Channel, Incoming, Listener, Transport};

/// TCP without Nagle's algorithm, which would make small frames wait for each other.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tcp;

impl Transport for Tcp {
    fn connect<'a>(&'a self, _node: &'a NodeName, address: SocketAddr) -> BoxFuture<'a, io::Result<Channel>> {
        Box::pin(async move {
            let socket = TcpStream::connect(address).await?;
            channel(socket, address)
        })
    }

    fn listen(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Box::new(Door { listener, address }) as Box<dyn Listener>)
        })
    }
}

fn channel(socket: TcpStream, peer: SocketAddr) -> io::Result<Channel> {
    socket.set_nodelay(true)?;
    let local = socket.local_addr()?;
    let (read, write) = socket.into_split();
    Ok(Channel::new(read, write, local, peer))
}

struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener for Door {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn accept(&mut self) -> BoxFuture<'_, io::Result<Incoming>> {
        Box::pin(async move {
            let (socket, peer) = self.listener.accept().await?;
            Ok(Incoming::new(peer, async move { channel(socket, peer) }))
        })
    }
}

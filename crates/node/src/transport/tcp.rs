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
        Box::pin(async move { channel(call(address).await?, address) })
    }

    fn listen(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<Box<dyn Listener>>> {
        Box::pin(async move {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Box::new(Door { listener, address }) as Box<dyn Listener>)
        })
    }
}

async fn call(address: SocketAddr) -> io::Result<TcpStream> {
    prompt(TcpStream::connect(address).await?)
}

fn prompt(socket: TcpStream) -> io::Result<TcpStream> {
    socket.set_nodelay(true)?;
    Ok(socket)
}

fn channel(socket: TcpStream, peer: SocketAddr) -> io::Result<Channel> {
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
            Ok(Incoming::new(peer, async move { channel(prompt(socket)?, peer) }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn no_side_delays_small_frames() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let called = call(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert!(called.nodelay().unwrap() && !accepted.nodelay().unwrap());
        assert!(prompt(accepted).unwrap().nodelay().unwrap());
    }
}

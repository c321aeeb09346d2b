//! The relay of a pair, in the direction in which it is dialed. It passes bytes on, and holds or cuts them as it is told.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Mode, Place, Shared};

/// Takes callers until the network ends.
pub(super) async fn serve(door: TcpListener, to: Place, mode: watch::Receiver<Mode>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = door.accept() => match accepted {
                Ok((near, _)) => drop(connections.spawn(connection(near, to, mode.clone(), Arc::clone(&shared)))),
                // Out of descriptors, most likely: others close theirs.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One caller, to the end of either side or of the way between them.
async fn connection(near: TcpStream, to: Place, mode: watch::Receiver<Mode>, shared: Arc<Shared>) {
    let mut cut = mode.clone();
    tokio::select! {
        // Its sender goes with the network, which is the end as well.
        _ = cut.wait_for(|mode| *mode == Mode::Cut) => {}
        _ = relay(near, to, mode, &shared) => {}
    }
}

async fn relay(near: TcpStream, to: Place, mode: watch::Receiver<Mode>, shared: &Shared) -> io::Result<()> {
    let port = shared.state().port_of(to).ok_or(io::ErrorKind::ConnectionRefused)?;
    let far = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let ((near_read, near_write), (far_read, far_write)) = (near.into_split(), far.into_split());
    tokio::select! {
        ended = pass(near_read, far_write, mode.clone()) => ended,
        ended = pass(far_read, near_write, mode) => ended,
    }
}

/// Passes bytes on in one direction; also the end waits while the link is held.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await;
        if mode.wait_for(|mode| *mode != Mode::Held).await.is_err() {
            return Ok(());
        }
        match read? {
            0 => return to.shutdown().await,
            count => to.write_all(&buffer[..count]).await?,
        }
    }
}

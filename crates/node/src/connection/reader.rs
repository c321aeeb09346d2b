//! The reading side: one task a connection, so that the order between two processes is kept. It never waits on a mailbox
//! or on the queue toward the peer.

use std::sync::Arc;
use std::time::Duration;

use beamline_proto::frame::{Frame, Reader};
use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::{Instant, timeout_at};

use super::{Connection, dispatch};
use crate::config::MAX_MESSAGE;
use crate::events::DownReason;
use crate::node::Inner;

/// Reads until the connection ends, and gives the reason.
pub(super) async fn run(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    mut socket: OwnedReadHalf,
    mut buffer: BytesMut,
    tick_time: Duration,
) -> DownReason {
    let mut frames = Reader::new(connection.peer.flags, MAX_MESSAGE);
    let mut heard = Instant::now();
    loop {
        loop {
            match frames.next(&mut buffer) {
                Ok(Some(Frame::Message(message))) => {
                    if let Err(what) = dispatch::message(node, connection, message) {
                        return DownReason::Protocol(what.to_owned());
                    }
                }
                Ok(Some(Frame::Tick | Frame::Part)) => {}
                Ok(None) => break,
                Err(error) => return DownReason::Protocol(error.to_string()),
            }
        }
        if buffer.capacity() - buffer.len() < 4096 {
            buffer.reserve(64 << 10);
        }
        tokio::select! {
            read = timeout_at(heard + tick_time, socket.read_buf(&mut buffer)) => match read {
                Ok(Ok(count)) if count > 0 => heard = Instant::now(),
                Ok(_) => return DownReason::ConnectionClosed,
                Err(_) => return DownReason::NetTickTimeout,
            },
            reason = connection.closed() => return reason,
        }
    }
}

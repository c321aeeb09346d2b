//! The reading side: one task a connection, so that the order between two processes is kept. It never waits on a mailbox
//! or on the queue toward the peer.

use std::sync::Arc;
use std::time::Duration;

use beamline_proto::frame::{Frame, Reader};
use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use super::{Connection, dispatch};
use crate::events::DownReason;
use crate::node::Inner;
use crate::transport::ReadHalf;

/// Reads until the connection ends, and gives the reason.
pub(super) async fn run(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    mut socket: ReadHalf,
    mut buffer: BytesMut,
    tick_time: Duration,
) -> DownReason {
    let mut frames = Reader::new(connection.peer.flags, node.settings.limits.max_message);
    let mut heard = Instant::now();
    let mut arrived = buffer.len();
    loop {
        let (mut count, mut ticks) = (0, 0);
        loop {
            match frames.next(&mut buffer) {
                Ok(Some(Frame::Message(message))) => {
                    count += 1;
                    if let Err(what) = dispatch::message(node, connection, message) {
                        return DownReason::Protocol(what.to_owned());
                    }
                }
                Ok(Some(Frame::Tick)) => ticks += 1,
                Ok(Some(Frame::Part)) => count += 1,
                Ok(None) => break,
                Err(error) => return DownReason::Protocol(error.to_string()),
            }
        }
        connection.metrics.read.add(arrived, count, ticks);
        if buffer.capacity() - buffer.len() < 4096 {
            buffer.reserve(64 << 10);
        }
        tokio::select! {
            read = timeout_at(heard + tick_time, socket.read_buf(&mut buffer)) => match read {
                Ok(Ok(count)) if count > 0 => (arrived, heard) = (count, Instant::now()),
                Ok(_) => return DownReason::ConnectionClosed,
                Err(_) => return DownReason::NetTickTimeout,
            },
            reason = connection.closed() => return reason,
        }
    }
}

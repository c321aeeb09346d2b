//! The reading side: one task a connection, so that the order between two processes is kept. It never waits on a mailbox
//! or on the queue toward the peer. Many frames come with one read; what they cause goes out with one write behind them.

use std::pin::pin;
use std::sync::Arc;

use beamline_proto::frame::{Frame, Reader};
use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use super::{Connection, dispatch};
use crate::events::DownReason;
use crate::node::Inner;
use crate::transport::ReadHalf;

/// Reads until the connection ends, and gives the reason. `buffer` is what came behind the handshake.
pub(super) async fn run(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    mut socket: ReadHalf,
    buffer: BytesMut,
) -> DownReason {
    let buffer_len = buffer.len();
    let mut frames = Reader::new(connection.peer.flags, node.settings.limits.max_message, buffer);
    let (mut arrived, mut since) = (buffer_len, 0);
    let mut closed = pin!(connection.closed());
    loop {
        connection.cork();
        let handled = batch(node, connection, &mut frames, std::mem::take(&mut arrived));
        connection.uncork(*handled.as_ref().unwrap_or(&0));
        match handled {
            Ok(count) if count >= BATCH => {
                since = 0;
                tokio::task::yield_now().await;
                continue;
            }
            Ok(_) if since >= TURN => {
                since = 0;
                tokio::task::yield_now().await;
            }
            Ok(_) => {}
            Err(reason) => return reason,
        }
        let mut space = frames.space();
        tokio::select! {
            biased;
            read = socket.read_buf(&mut space) => match read {
                Ok(count) if count > 0 => {
                    arrived = count;
                    since += count;
                    connection.hear();
                }
                Ok(_) | Err(_) => return DownReason::ConnectionClosed,
            },
            reason = &mut closed => return reason,
        }
    }
}

/// After so many frames others have their turn. A frame takes a microsecond or less; one that calls a quick function may
/// take twenty.
const BATCH: usize = 256;

/// After so many bytes, too: who gets them shall take them while they are in the processor's cache, and their memory shall be
/// free for the next.
const TURN: usize = 256 << 10;

/// Handles the frames that are there, and says how many.
fn batch(
    node: &Arc<Inner>,
    connection: &Arc<Connection>,
    frames: &mut Reader,
    arrived: usize,
) -> Result<usize, DownReason> {
    let (mut count, mut ticks) = (0, 0);
    while count + ticks < BATCH {
        match frames.next_frame().map_err(|error| DownReason::Protocol(error.to_string()))? {
            Some(Frame::Message(message)) => {
                count += 1;
                dispatch::message(node, connection, message).map_err(|what| DownReason::Protocol(what.to_owned()))?;
            }
            Some(Frame::Part) => count += 1,
            Some(Frame::Tick) => ticks += 1,
            None => break,
        }
    }
    connection.metrics.read.add(arrived, count, ticks);
    Ok(count + ticks)
}

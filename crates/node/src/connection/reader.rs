//! The reading side: one task a connection, so that the order between two processes is kept. It never waits on a mailbox
//! or on the queue toward the peer. Many frames come with one read; what they cause goes out with one write behind them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

use beamline_proto::frame::{Frame, Reader};
use bytes::BytesMut;
use tokio::io::AsyncReadExt;

use super::Connection;
use super::dispatch;
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
    let frames = Reader::new(connection.peer.flags, node.settings.limits.max_message, buffer);
    let mut frames = frames.of_node(node.numbers.origin());
    let (mut arrived, mut since) = (buffer_len, 0);
    let mut answered = Vec::new();
    let (mut closed, mut is_first) = (pin!(connection.closed()), true);
    loop {
        connection.cork();
        let handled = batch(node, connection, &mut frames, std::mem::take(&mut arrived), &mut answered);
        connection.uncork(*handled.as_ref().unwrap_or(&0));
        // All at once: told one by one, they would wake another worker several times, which finds one of them each time.
        answered.drain(..).for_each(Waker::wake);
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
        let mut read = pin!(socket.read_buf(&mut space));
        let read = poll_fn(|context| {
            if let Poll::Ready(read) = read.as_mut().poll(context) {
                return Poll::Ready(Ok(read));
            }
            // A task is woken the same way all its life, so it is enough to ask once, and then to look.
            if std::mem::take(&mut is_first) || connection.is_closed() {
                return closed.as_mut().poll(context).map(Err);
            }
            Poll::Pending
        });
        match read.await {
            Ok(Ok(count)) if count > 0 => {
                arrived = count;
                since += count;
                connection.hear();
            }
            Ok(_) => return DownReason::ConnectionClosed,
            Err(reason) => return reason,
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
    answered: &mut Vec<Waker>,
) -> Result<usize, DownReason> {
    let (mut count, mut ticks, mut clock, mut ends) = (0, 0, None, node.waiting.ends());
    while count + ticks < BATCH {
        if let Some(answer) = frames.next_answer()
            && dispatch::answer(node, answer, &mut ends, answered)
        {
            count += 1;
            continue;
        }
        ends.release();
        let message = match frames.next_frame() {
            Ok(Some(Frame::Message(message))) => message,
            // It stays where it was put: a move would wait until it is there.
            Ok(Some(Frame::Execute(ref execute))) => {
                count += 1;
                dispatch::execute(node, connection, execute, &mut clock)?;
                continue;
            }
            Ok(Some(Frame::Part)) => {
                count += 1;
                continue;
            }
            Ok(Some(Frame::Tick)) => {
                ticks += 1;
                continue;
            }
            Ok(None) => break,
            Err(error) => return Err(DownReason::Protocol(error.to_string())),
        };
        count += 1;
        dispatch::message(node, connection, message, &mut clock)
            .map_err(|what| DownReason::Protocol(what.to_owned()))?;
    }
    connection.metrics.read.add(arrived, count, ticks);
    Ok(count + ticks)
}

//! The writing side: takes over what a sender could not write at once, gathers where many send, and ticks when there was
//! nothing to say. Also sees that the peer is silent for too long.

use std::future::{pending, poll_fn};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::Connection;
use super::outlet::Sink;
use crate::events::DownReason;

/// Ends when the connection is closed. A tick goes out after each `part` of the tick time in which
/// nothing else did; after `intensity` of them a silent peer is down.
pub(super) async fn run(
    connection: Arc<Connection>,
    socket: impl AsyncWrite + Send + 'static,
    part: Duration,
    intensity: u32,
) {
    connection.open(Box::pin(socket));
    // The ticks of many connections are spread over the time between them.
    let first = Instant::now() + part.mul_f64(rand::random());
    let mut ticker = interval_at(first, part);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut silent, turns) = (0, turns());
    let mut writing: Option<Box<Sink>> = None;
    loop {
        tokio::select! {
            biased;
            _ = ticker.tick() => {
                silent = if connection.was_heard() { 0 } else { silent + 1 };
                if silent >= intensity {
                    connection.close(DownReason::NetTickTimeout);
                }
                connection.tick();
            }
            () = connection.woken() => {}
            written = write(writing.as_deref_mut(), &connection) => match written {
                Ok(()) => writing = writing.take().and_then(|sink| connection.written(sink)),
                Err(_) => connection.close(DownReason::ConnectionClosed),
            },
        }
        if connection.is_closed() {
            break;
        }
        if writing.is_none() {
            // Who has something to send, and is about to run, shall come first: then it goes out in one write.
            let mut known = 0;
            for _ in 0..turns {
                let Some(queued) = connection.gathered().filter(|queued| *queued > known) else { break };
                known = queued;
                tokio::task::yield_now().await;
            }
            writing = connection.take();
        }
    }
    if let Some(mut sink) = writing.or_else(|| connection.take_socket()) {
        // A peer that does not read may not keep us.
        let _ = timeout(connection.limits.setup_time, sink.socket.shutdown()).await;
    }
}

/// So often others have their turn at most before what they send is written, for as long as more comes. With a single worker
/// all of them come on its thread, and a turn costs no time in which the peer could have been at work.
fn turns() -> usize {
    if Handle::current().metrics().num_workers() == 1 { 3 } else { 1 }
}

/// Writes all of a batch. May be given up and begun again at any point.
async fn write(sink: Option<&mut Sink>, connection: &Connection) -> io::Result<()> {
    let Some(sink) = sink else { return pending().await };
    while !sink.batch.is_empty() {
        let cost = poll_fn(|context| sink.poll_write(context)).await?;
        connection.give_back(cost);
    }
    sink.socket.flush().await
}

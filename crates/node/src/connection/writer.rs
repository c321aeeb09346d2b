//! The writing side: drains all that is queued in one write, and ticks when there was nothing to say.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use beamline_proto::frame::TICK;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Connection;
use crate::events::DownReason;

/// Ends when the connection is closed.
pub(super) async fn run(connection: Arc<Connection>, mut socket: OwnedWriteHalf, tick_time: Duration) {
    let mut batch = Vec::new();
    let quarter = tick_time / 4;
    let mut ticker = interval_at(Instant::now() + quarter, quarter);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        {
            let mut out = connection.out.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut batch, &mut out);
        }
        if batch.is_empty() {
            tokio::select! {
                () = connection.wake.notified() => continue,
                _ = ticker.tick() => {
                    if connection.wrote.swap(false, Ordering::Relaxed) {
                        continue;
                    }
                    batch.extend_from_slice(&TICK);
                    connection.pending.fetch_add(TICK.len(), Ordering::Relaxed);
                }
                _ = connection.closed() => break,
            }
        }
        let written = tokio::select! {
            written = socket.write_all(&batch) => written,
            _ = connection.closed() => break,
        };
        if written.is_err() {
            connection.close(DownReason::ConnectionClosed);
            break;
        }
        connection.wrote.store(true, Ordering::Relaxed);
        connection.pending.fetch_sub(batch.len(), Ordering::Relaxed);
        connection.room.notify_waiters();
        batch.clear();
        // What a large message needed is not kept for small ones.
        batch.shrink_to(64 << 10);
    }
    let _ = socket.shutdown().await;
}

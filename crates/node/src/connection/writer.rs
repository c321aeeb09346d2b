//! The writing side: drains all that is queued in one write, and ticks when there was nothing to say.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use beamline_proto::frame::TICK;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Connection;
use crate::events::DownReason;
use crate::transport::WriteHalf;

/// Ends when the connection is closed.
pub(super) async fn run(connection: Arc<Connection>, mut socket: WriteHalf, tick_interval: Duration) {
    let mut batch = Vec::new();
    let mut ticker = interval_at(Instant::now() + tick_interval, tick_interval);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut ticks = 0;
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
                    ticks = 1;
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
        let left = connection.pending.fetch_sub(batch.len(), Ordering::Relaxed) - batch.len();
        connection.metrics.written.add(batch.len(), connection.queued.swap(0, Ordering::Relaxed), ticks);
        connection.metrics.queue_bytes.set(left as f64);
        connection.room.notify_waiters();
        batch.clear();
        // What a large message needed is not kept for small ones.
        batch.shrink_to(64 << 10);
    }
    connection.metrics.queue_bytes.set(0.0);
    let _ = socket.shutdown().await;
}

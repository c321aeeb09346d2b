//! One connection: its queue toward the peer, its writer and its reader.

pub(crate) mod accept;
pub(crate) mod dial;
mod dispatch;
pub(crate) mod guests;
mod reader;
mod route;
pub(crate) mod slots;
pub(crate) mod start;
mod stream;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use beamline_proto::control::Control;
use beamline_proto::flags::Flags;
use beamline_proto::frame::{self, FrameError};
use beamline_proto::handshake::Peer;
use tokio::sync::{Notify, watch};

use crate::config::Limits;
use crate::events::DownReason;
use crate::metrics::ConnectionMetrics;
use crate::process::Roll;

/// A connection that is up.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) metrics: ConnectionMetrics,
    queue_bytes: usize,
    queue_reserve: usize,
    out: Mutex<Vec<u8>>,
    /// Bytes queued or being written.
    pending: AtomicUsize,
    /// Messages queued since the writer last took them.
    queued: AtomicUsize,
    /// Whether anything was written since the last look of the ticker.
    wrote: AtomicBool,
    wake: Notify,
    room: Notify,
    closed: watch::Sender<Option<DownReason>>,
    /// The processes with ties over it.
    pub(crate) roll: Roll,
}

/// The connection is closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Connection {
    pub(crate) fn new(peer: Peer, limits: &Limits, metrics: ConnectionMetrics) -> Connection {
        Connection {
            peer,
            metrics,
            queue_bytes: limits.queue_bytes,
            queue_reserve: limits.queue_reserve,
            out: Mutex::default(),
            pending: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            wrote: AtomicBool::new(false),
            wake: Notify::new(),
            room: Notify::new(),
            closed: watch::Sender::new(None),
            roll: Roll::default(),
        }
    }

    pub(crate) fn is_hidden(&self) -> bool {
        !self.peer.flags.contains(Flags::PUBLISHED)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.borrow().is_some()
    }

    /// Closes the connection; the first reason counts.
    pub(crate) fn close(&self, reason: DownReason) {
        self.closed.send_if_modified(|closed| closed.is_none() && closed.replace(reason).is_none());
        self.room.notify_waiters();
    }

    /// Waits until it is closed, and says why.
    pub(crate) async fn closed(&self) -> DownReason {
        let mut closed = self.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(DownReason::ConnectionClosed),
            Err(_) => DownReason::ConnectionClosed,
        }
    }

    /// Queues a signal at once. For answers and acknowledgements, which may not wait; a peer that lets them pile up is cut.
    pub(crate) fn send(&self, control: &Control, payload: impl FnOnce(&mut Vec<u8>)) -> Result<(), FrameError> {
        if self.is_closed() {
            return Ok(());
        }
        let (added, pending) = {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let before = out.len();
            frame::write(&mut out, self.peer.flags, control, payload)?;
            self.queued.fetch_add(1, Ordering::Relaxed);
            let added = out.len() - before;
            // Under the lock: the writer must not take off what has not been counted.
            (added, self.pending.fetch_add(added, Ordering::Relaxed) + added)
        };
        // A single large message passes when the queue was empty.
        if pending > self.queue_reserve && pending > added {
            self.close(DownReason::Flooded);
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Waits until the queue has room.
    pub(crate) async fn ready(&self) -> Result<(), Closed> {
        loop {
            let room = self.room.notified();
            if self.is_closed() {
                return Err(Closed);
            }
            if self.pending.load(Ordering::Relaxed) < self.queue_bytes {
                return Ok(());
            }
            room.await;
        }
    }
}

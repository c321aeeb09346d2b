//! One connection: what goes to the peer, and its end. The way out is [`outlet`] and [`queue`], the way in is [`reader`] and
//! [`dispatch`].

pub(crate) mod accept;
mod barred;
pub(crate) mod dial;
mod dispatch;
pub(crate) mod guests;
#[cfg(test)]
mod order_tests;
mod outlet;
mod queue;
mod reader;
mod room;
mod route;
mod send;
pub(crate) mod slots;
pub(crate) mod start;
mod stream;
mod writer;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use beamline_proto::flags::Flags;
use beamline_proto::handshake::Peer;
use beamline_term::Port;
use tokio::sync::{Notify, watch};

use self::outlet::{Next, Outlet, Sink, Socket};
use self::queue::Cost;
pub(crate) use self::send::{Held, Unsent, payload};
use crate::config::Limits;
use crate::events::DownReason;
use crate::metrics::ConnectionMetrics;
use crate::process::Roll;

/// Between which addresses a connection runs, and the port that stands for it: tools know connections as ports.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    pub(crate) port: Port,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// A connection that is up.
pub(crate) struct Connection {
    pub(crate) peer: Peer,
    pub(crate) ends: Ends,
    pub(crate) metrics: ConnectionMetrics,
    limits: Limits,
    outlet: Mutex<Outlet>,
    /// Bytes of answers that wait for room.
    waiting_answers: AtomicUsize,
    /// A large message is out, so that later signals of its sender can go.
    large_done: Notify,
    wake: Notify,
    /// Whether anything came since the last look of the ticker.
    heard: AtomicBool,
    closed: watch::Sender<Option<DownReason>>,
    /// The processes with ties over it.
    pub(crate) roll: Roll,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({})", self.peer.name)
    }
}

/// The connection is closed.
#[derive(Debug)]
pub(crate) struct Closed;

impl Connection {
    pub(crate) fn new(peer: Peer, ends: Ends, limits: &Limits, metrics: ConnectionMetrics) -> Connection {
        Connection {
            outlet: Mutex::new(Outlet::new(peer.flags, limits.queue_bytes)),
            peer,
            ends,
            metrics,
            limits: limits.clone(),
            waiting_answers: AtomicUsize::new(0),
            large_done: Notify::new(),
            wake: Notify::new(),
            heard: AtomicBool::new(true),
            closed: watch::Sender::new(None),
            roll: Roll::default(),
        }
    }

    /// Tells it from all others of this node.
    pub(crate) fn number(&self) -> u64 {
        self.ends.port.id()
    }

    fn lock(&self) -> MutexGuard<'_, Outlet> {
        self.outlet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_hidden(&self) -> bool {
        !self.peer.flags.contains(Flags::PUBLISHED)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.borrow().is_some()
    }

    /// Closes the connection; the first reason counts. What is queued is lost.
    pub(crate) fn close(&self, reason: DownReason) {
        let is_stopped = reason == DownReason::Stopped;
        if !self.closed.send_if_modified(|closed| closed.is_none() && closed.replace(reason).is_none()) {
            return;
        }
        let socket = {
            let mut outlet = self.lock();
            outlet.close();
            // When the node is stopped its tasks are gone, so that nobody else would close it.
            if is_stopped { outlet.take_socket() } else { None }
        };
        drop(socket);
        self.large_done.notify_waiters();
        self.wake.notify_one();
    }

    /// Waits until it is closed, and says why.
    pub(crate) async fn closed(&self) -> DownReason {
        let mut closed = self.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(DownReason::ConnectionClosed),
            Err(_) => DownReason::ConnectionClosed,
        }
    }

    /// Does what is to be done after something was queued.
    fn proceed(&self, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Wake => self.wake.notify_one(),
            Next::Write(mut sink) => match sink.write_now() {
                Ok(cost) => {
                    self.count(&mut sink);
                    let (wake, queued) = {
                        let mut outlet = self.lock();
                        outlet.give_back(cost);
                        (outlet.bring_back(sink), outlet.queued())
                    };
                    self.given_back(cost, queued);
                    if wake {
                        self.wake.notify_one();
                    }
                }
                Err(_) => self.close(DownReason::ConnectionClosed),
            },
        }
    }

    /// Counts what somebody has taken to write.
    fn count(&self, sink: &mut Sink) {
        let flow = std::mem::take(&mut sink.batch.flow);
        self.metrics.written.add(flow.bytes, flow.messages, flow.ticks);
    }

    /// Gives back what written bytes had taken.
    fn give_back(&self, cost: Cost) {
        let queued = {
            let mut outlet = self.lock();
            outlet.give_back(cost);
            outlet.queued()
        };
        self.given_back(cost, queued);
    }

    /// Tells of what was given back.
    fn given_back(&self, cost: Cost, queued: usize) {
        if cost.large > 0 || cost.large_reserve > 0 {
            self.large_done.notify_waiters();
        }
        self.metrics.queue_bytes.set(queued as f64);
    }

    /// How many bytes wait to be written.
    pub(crate) fn queued(&self) -> usize {
        self.lock().queued()
    }
}

/// For the reader.
impl Connection {
    /// A batch of frames begins: what it causes gathers until [`Connection::uncork`].
    fn cork(&self) {
        self.lock().cork();
    }

    fn uncork(&self, frames: usize) {
        let next = self.lock().uncork_batch(frames);
        self.proceed(next);
    }

    /// Something has come from the peer.
    fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }
}

/// For the writer.
impl Connection {
    fn open(&self, socket: Socket) {
        self.lock().open(socket);
        self.wake.notify_one();
    }

    async fn woken(&self) {
        self.wake.notified().await;
    }

    fn was_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed)
    }

    fn tick(&self) {
        let queued = {
            let mut outlet = self.lock();
            outlet.tick();
            outlet.queued()
        };
        // What a peer does not read shall be seen, too, and that it is no more.
        self.metrics.queue_bytes.set(queued as f64);
    }

    fn gathered(&self) -> Option<usize> {
        self.lock().gathered()
    }

    /// What there is to write, unless somebody is about it.
    fn take(&self) -> Option<Box<Sink>> {
        let mut sink = self.lock().take_gathered()?;
        self.count(&mut sink);
        Some(sink)
    }

    /// A batch is out: gives the next, if it does not pay to let more come before, or takes the socket back.
    fn written(&self, mut sink: Box<Sink>) -> Option<Box<Sink>> {
        let mut outlet = self.lock();
        if outlet.gathered().is_none() && outlet.refill(&mut sink) {
            drop(outlet);
            self.count(&mut sink);
            return Some(sink);
        }
        outlet.bring_back(sink);
        None
    }

    fn take_socket(&self) -> Option<Box<Sink>> {
        self.lock().take_socket()
    }
}

#[cfg(test)]
mod tests {
    use beamline_proto::control::Control;
    use beamline_proto::frame::Payload;
    use beamline_term::{Creation, Origin, Pid, atom};
    use bytes::Bytes;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

    use super::*;
    use crate::metrics::NodeMetrics;

    fn queue_bytes(snapshotter: &Snapshotter) -> f64 {
        let all = snapshotter.snapshot().into_vec();
        let value =
            all.into_iter().find(|(key, ..)| key.key().name() == "beamline_queue_bytes").map(|(.., value)| value);
        let Some(DebugValue::Gauge(bytes)) = value else { panic!("no such gauge") };
        bytes.0
    }

    #[tokio::test]
    async fn what_a_peer_does_not_read_is_seen() {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let peer = Peer { name: "b@h".parse().unwrap(), flags: Flags::OFFERED, creation: Creation::new(9) };
        let metrics =
            metrics::with_local_recorder(&recorder, || NodeMetrics::new(&"a@h".parse().unwrap()).connection(&peer));
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let port = Port::at(&Origin::new(atom("a@h"), Creation::new(1)), 1);
        let limits = Limits { queue_bytes: 10_000, ..Limits::default() };
        let connection = Connection::new(peer, Ends { port, local: anywhere, remote: anywhere }, &limits, metrics);
        let pid = |id| Pid::new(atom("a@h"), id, 0, Creation::new(1));
        let (message, payload) = (Control::Send { from: Some(pid(1)), to: pid(2) }, Bytes::from(vec![106; 6000]));
        let whole_payload = Payload::from(payload.clone());
        connection.deliver(&message, &whole_payload).await.unwrap();
        connection.tick();
        let whole = queue_bytes(&snapshotter);
        assert!((6000.0..7000.0).contains(&whole), "{whole}");
        // What may not wait counts as well.
        connection.send_bytes(&message, &payload).unwrap();
        connection.tick();
        assert!(queue_bytes(&snapshotter) >= whole + 6000.0);
        // Who waits shows it at once, without a tick.
        connection.metrics.queue_bytes.set(0.0);
        tokio::select! {
            biased;
            _ = connection.deliver(&message, &whole_payload) => panic!("there is no room"),
            () = std::future::ready(()) => {}
        }
        assert!(queue_bytes(&snapshotter) >= whole + 6000.0);
        connection.open(Box::pin(tokio::io::sink()));
        let mut sink = connection.take().unwrap();
        let cost = sink.write_now().unwrap();
        connection.give_back(cost);
        assert!((queue_bytes(&snapshotter), connection.queued()) == (0.0, 0));
    }
}

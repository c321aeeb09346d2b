//! What a node measures, through the [`metrics`] facade: the program chooses the exporter, or none.
//!
//! | name | kind | unit | labels | meaning |
//! | --- | --- | --- | --- | --- |
//! | `beamline_connections` | gauge | connections | `node` | connections that are up |
//! | `beamline_half_open` | gauge | connections | `node` | callers whose handshake is not done |
//! | `beamline_connects_total` | counter | attempts | `node`, `direction`, `outcome` | attempts to connect that ended |
//! | `beamline_bytes_total` | counter | bytes | `node`, `peer`, `direction` | what went over connections, handshakes apart |
//! | `beamline_frames_total` | counter | frames | `node`, `peer`, `direction` | messages, or parts of such |
//! | `beamline_ticks_total` | counter | frames | `node`, `peer`, `direction` | empty frames that only say "alive" |
//! | `beamline_queue_bytes` | gauge | bytes | `node`, `peer` | what waits to be written to the peer |
//! | `beamline_running_calls` | gauge | calls | `node` | calls of peers that run |
//! | `beamline_call_seconds` | histogram | seconds | `node`, `side`, `outcome` | calls, from their start to their answer |
//!
//! `node` is this node's name and `peer` a visible peer's; hidden peers, whose names may be new each time, share the value
//! `hidden`. `direction` is `in` or `out`, seen from this node; `side` is `made` or `served`. `outcome` is `ok`, and else
//! `error` for calls, or the [code of the cause](crate::Cause::code) for connects.
//!
//! A recorder must be installed before the node starts. Without one every figure costs a branch; handles are asked for once
//! a connection, and counters are added to once a read or write, not once a message.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, Gauge, Histogram, IntoF64, counter, gauge, histogram};

use beamline_proto::NodeName;
use beamline_proto::handshake::Peer;
use tokio::time::Instant;

use crate::cause::Cause;

/// The figures of a node.
pub(crate) struct NodeMetrics {
    node: String,
    pub(crate) connections: Gauge,
    pub(crate) half_open: Gauge,
    pub(crate) running_calls: Gauge,
    pub(crate) made: CallMetrics,
    pub(crate) served: CallMetrics,
    /// What went over connections that are no more.
    past: [AtomicU64; 2],
}

/// How long calls of one side take.
pub(crate) struct CallMetrics {
    ok: Histogram,
    error: Histogram,
}

impl CallMetrics {
    fn new(node: &str, side: &'static str) -> CallMetrics {
        let of = |outcome: &'static str| histogram!("beamline_call_seconds", "node" => node.to_owned(), "side" => side, "outcome" => outcome);
        CallMetrics { ok: of("ok"), error: of("error") }
    }

    pub(crate) fn record(&self, is_ok: bool, time: impl IntoF64) {
        if is_ok { &self.ok } else { &self.error }.record(time);
    }
}

/// The time since then, in seconds. The clock is read only if there is somebody who records it.
pub(crate) struct Since(pub(crate) Instant);

impl IntoF64 for Since {
    fn into_f64(self) -> f64 {
        self.0.elapsed().into_f64()
    }
}

impl NodeMetrics {
    pub(crate) fn new(name: &NodeName) -> NodeMetrics {
        let node = name.to_string();
        NodeMetrics {
            connections: gauge!("beamline_connections", "node" => node.clone()),
            half_open: gauge!("beamline_half_open", "node" => node.clone()),
            running_calls: gauge!("beamline_running_calls", "node" => node.clone()),
            made: CallMetrics::new(&node, "made"),
            served: CallMetrics::new(&node, "served"),
            past: [AtomicU64::new(0), AtomicU64::new(0)],
            node,
        }
    }

    /// An attempt to connect has ended.
    pub(crate) fn connect_ended(&self, direction: &'static str, outcome: Result<(), &Cause>) {
        let outcome = outcome.map_or_else(Cause::code, |()| "ok");
        let node = self.node.clone();
        counter!("beamline_connects_total", "node" => node, "direction" => direction, "outcome" => outcome)
            .increment(1);
    }

    /// The figures of a connection with this peer.
    pub(crate) fn connection(&self, peer: &Peer) -> ConnectionMetrics {
        let is_hidden = !peer.flags.contains(beamline_proto::flags::Flags::PUBLISHED);
        let (node, peer) = (&self.node, if is_hidden { "hidden" } else { peer.name.as_str() });
        ConnectionMetrics {
            read: FlowMetrics::new(node, peer, "in"),
            written: FlowMetrics::new(node, peer, "out"),
            queue_bytes: gauge!("beamline_queue_bytes", "node" => node.clone(), "peer" => peer.to_owned()),
        }
    }
}

impl NodeMetrics {
    /// A connection is over; what went over it stays counted.
    pub(crate) fn connection_over(&self, connection: &ConnectionMetrics) {
        for (past, flow) in self.past.iter().zip([&connection.read, &connection.written]) {
            past.fetch_add(flow.total().bytes, Ordering::Relaxed);
        }
    }

    /// Bytes in and out over connections that are no more.
    pub(crate) fn past_bytes(&self) -> (u64, u64) {
        let [read, written] = &self.past;
        (read.load(Ordering::Relaxed), written.load(Ordering::Relaxed))
    }
}

/// The figures of one connection.
pub(crate) struct ConnectionMetrics {
    pub(crate) read: FlowMetrics,
    pub(crate) written: FlowMetrics,
    pub(crate) queue_bytes: Gauge,
}

/// The figures of one direction.
pub(crate) struct FlowMetrics {
    bytes: Counter,
    frames: Counter,
    ticks: Counter,
    /// The same, for whom the node itself tells them.
    total: [AtomicU64; 3],
}

/// What has gone one way over a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) bytes: u64,
    pub(crate) frames: u64,
    pub(crate) ticks: u64,
}

impl FlowMetrics {
    fn new(node: &str, peer: &str, direction: &'static str) -> FlowMetrics {
        let of = |name: &'static str| counter!(name, "node" => node.to_owned(), "peer" => peer.to_owned(), "direction" => direction);
        FlowMetrics {
            bytes: of("beamline_bytes_total"),
            frames: of("beamline_frames_total"),
            ticks: of("beamline_ticks_total"),
            total: Default::default(),
        }
    }

    /// So much went this way since the last time; once a read or write.
    pub(crate) fn add(&self, bytes: usize, frames: usize, ticks: usize) {
        self.bytes.increment(bytes as u64);
        self.frames.increment(frames as u64);
        self.ticks.increment(ticks as u64);
        for (total, more) in self.total.iter().zip([bytes, frames, ticks]) {
            total.fetch_add(more as u64, Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> Total {
        let [bytes, frames, ticks] = self.total.each_ref().map(|total| total.load(Ordering::Relaxed));
        Total { bytes, frames, ticks }
    }
}

impl std::fmt::Debug for ConnectionMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConnectionMetrics")
    }
}

/// Counts one in a gauge for as long as it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn one(gauge: &Gauge) -> Counted {
        gauge.increment(1.0);
        Counted(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

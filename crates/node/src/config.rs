//! What a running node was told, with the defaults.

use std::sync::Arc;
use std::time::Duration;

use crate::auto_connect::AutoConnect;
use crate::epmd::Epmd;
use crate::resolver::{Family, Resolver};
use crate::transport::Transport;

/// A peer that is silent for so long is down, as OTP's `net_ticktime`.
pub(crate) const TICK_TIME: Duration = Duration::from_secs(60);

/// How many ticks go into a tick time, as OTP's `net_tickintensity`.
pub(crate) const TICK_INTENSITY: u32 = 4;

/// The deadlines and caps of a node, for [`NodeBuilder::limits`](crate::NodeBuilder::limits).
///
/// | field | what it bounds | unit | default | how to choose |
/// | --- | --- | --- | --- | --- |
/// | [`setup_time`](Limits::setup_time) | each step of making a connection: resolving, asking epmd, connecting, each packet of the handshake | time | 7 s, as OTP's `net_setuptime` | a few round trips to the farthest peer; lower it to hear of dead hosts sooner |
/// | [`half_open`](Limits::half_open) | accepted connections that have not finished their handshake; the oldest makes room | connections | 256 | how many peers may call within one round trip; a whole cluster that restarts at once |
/// | [`queue_bytes`](Limits::queue_bytes) | what is queued toward one peer before senders wait; as much again of messages over 72 KiB | bytes | 1 MiB, as OTP's `+zdbbl` | bandwidth × round trip time; larger only costs memory |
/// | [`queue_reserve`](Limits::queue_reserve) | what may not wait (acknowledgements, ends, ticks) beside that; past it the peer is cut. Ends over 72 KiB, and answers, which wait, have `max_message` each. As much of one process waits for a node that is not connected | bytes | 16 MiB | 120 bytes for each process of a peer that may watch one of ours: all hear of its end at once |
/// | [`max_message`](Limits::max_message) | one message from a peer, its parts together; a longer one ends the connection | bytes | 512 MiB | the largest that you send, and some |
/// | [`mailbox_bytes`](Limits::mailbox_bytes) | messages that wait for one process; past it the process ends with `message_queue_limit` | bytes | 64 MiB | the largest burst that a process must ride out |
/// | [`running_calls`](Limits::running_calls) | calls of peers that run at a time; past it they are answered with `system_limit` | calls | 100 000 | memory ÷ what a call needs |
/// | [`call_timeout`](Limits::call_timeout) | a call from its start to its answer, connecting included, unless [`Call::timeout`](crate::Call::timeout) says otherwise | time | 5 s, as OTP's | what your callers would rather not wait |
///
/// Beside these, [`NodeBuilder::net_ticktime`](crate::NodeBuilder::net_ticktime) (60 s) bounds silence. Two caps cannot be set: a
/// peer may have 16 384 fragmented messages under way, and the next ends its connection; and of the names that were given to
/// [guests](crate::Node::guest) the last 1000 that are free are remembered, to be given again with another creation.
///
/// ```
/// use beamline_node::{Limits, Node};
///
/// let mut limits = Limits::default();
/// limits.max_message = 16 << 20;
/// let builder = Node::builder("app_a@127.0.0.1").limits(limits);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Each step of making a connection.
    pub setup_time: Duration,
    /// Accepted connections in their handshake.
    pub half_open: usize,
    /// Bytes toward one peer before senders wait. A larger message passes when nothing else is queued.
    pub queue_bytes: usize,
    /// Bytes toward one peer before it is cut.
    pub queue_reserve: usize,
    /// Bytes of one message from a peer.
    pub max_message: usize,
    /// Bytes of messages that wait for one process.
    pub mailbox_bytes: usize,
    /// Calls of peers that run at a time.
    pub running_calls: usize,
    /// A call, unless it says otherwise.
    pub call_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            setup_time: Duration::from_secs(7),
            half_open: 256,
            queue_bytes: 1 << 20,
            queue_reserve: 16 << 20,
            max_message: 512 << 20,
            mailbox_bytes: 64 << 20,
            running_calls: 100_000,
            call_timeout: Duration::from_secs(5),
        }
    }
}

/// What a running node was told.
pub(crate) struct Settings {
    pub(crate) hidden: bool,
    pub(crate) epmd: Epmd,
    pub(crate) peer_port: Option<u16>,
    pub(crate) net_ticktime: Duration,
    pub(crate) net_tickintensity: u32,
    pub(crate) connect_all: bool,
    pub(crate) auto_connect: AutoConnect,
    pub(crate) prevent_overlapping_partitions: bool,
    pub(crate) family: Family,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limits: Limits,
}

impl Settings {
    /// How often there is a tick to a peer that is told nothing else.
    pub(crate) fn tick_interval(&self) -> Duration {
        self.net_ticktime / self.net_tickintensity
    }
}

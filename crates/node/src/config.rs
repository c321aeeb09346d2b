//! Deadlines and limits, with their defaults.

use std::time::Duration;

/// How long each step of setting up a connection may take, as OTP's `net_setuptime`.
pub(crate) const SETUP_TIME: Duration = Duration::from_secs(7);

/// A peer that is silent for so long is down, as OTP's `net_ticktime`.
pub(crate) const TICK_TIME: Duration = Duration::from_secs(60);

/// How many accepted connections may be in their handshake; the oldest makes room for a newer one.
pub(crate) const HALF_OPEN: usize = 256;

/// How many bytes may wait for a peer before senders wait.
pub(crate) const QUEUE_BYTES: usize = 1 << 20;

/// How many bytes may be queued when what may not wait is counted too (acknowledgements, answers); past it the peer is cut.
pub(crate) const QUEUE_RESERVE: usize = 64 << 20;

/// The largest message.
pub(crate) const MAX_MESSAGE: usize = 512 << 20;

/// How many bytes of messages may wait for a process; past it the process ends with `message_queue_limit`.
pub(crate) const MAILBOX_BYTES: usize = 64 << 20;

/// How many calls of peers may run at a time; past it they are answered with `system_limit`.
pub(crate) const RUNNING_CALLS: usize = 100_000;

/// How long a call waits for its answer unless it says otherwise, as OTP's.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(5);

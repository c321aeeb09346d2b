//! `erlang:statistics/1`: what the node has done so far.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use beamline_term::{Atom, Term, atom};

use super::badarg;
use crate::functions::Raise;
use crate::node::Inner;

/// Milliseconds that were told when an item was last asked for.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    wall: AtomicU64,
    busy: AtomicU64,
}

impl Clocks {
    /// One item.
    pub(super) fn item(&self, node: &Inner, item: &Atom) -> Result<Term, Raise> {
        Ok(match item.as_str() {
            "io" => io(node),
            "run_queue" | "total_run_queue_lengths" | "total_run_queue_lengths_all" => run_queue(node).into(),
            "wall_clock" => since_last(&self.wall, uptime(node)),
            "runtime" => since_last(&self.busy, busy(node).iter().sum()),
            "scheduler_wall_time" | "scheduler_wall_time_all" => scheduler_wall_time(node),
            _ => return Err(badarg()),
        })
    }
}

/// `{Total, SinceLast}` in milliseconds.
fn since_last(last: &AtomicU64, now: Duration) -> Term {
    let now = now.as_millis() as u64;
    (now, now.saturating_sub(last.swap(now, Ordering::Relaxed))).into()
}

/// How long the node has run.
pub(super) fn uptime(node: &Inner) -> Duration {
    node.started.elapsed()
}

/// Tasks that wait for a worker in the queue that all workers share; those in a worker's own queue are not told by the runtime.
pub(super) fn run_queue(node: &Inner) -> usize {
    node.runtime().metrics().global_queue_depth()
}

/// Bytes in and out over all connections, those that are no more included.
pub(super) fn io_bytes(node: &Inner) -> (u64, u64) {
    let past = node.metrics.past_bytes();
    node.slots.all().iter().fold(past, |(read, written), connection| {
        let metrics = &connection.metrics;
        (read + metrics.read.total().bytes, written + metrics.written.total().bytes)
    })
}

/// `{{input, Bytes}, {output, Bytes}}`
pub(super) fn io(node: &Inner) -> Term {
    let (read, written) = io_bytes(node);
    ((atom("input"), read), (atom("output"), written)).into()
}

/// How long each worker of the runtime has been busy.
fn busy(node: &Inner) -> Vec<Duration> {
    let metrics = node.runtime().metrics();
    #[cfg(target_has_atomic = "64")]
    return (0..metrics.num_workers()).map(|worker| metrics.worker_total_busy_duration(worker)).collect();
    #[cfg(not(target_has_atomic = "64"))]
    return vec![Duration::ZERO; metrics.num_workers()];
}

/// `[{Worker, BusyTime, TotalTime}]` in nanoseconds. What tools show is the quotient of two differences.
pub(super) fn scheduler_wall_time(node: &Inner) -> Term {
    let total = uptime(node).as_nanos() as u64;
    let workers = busy(node).into_iter().zip(1u64..);
    Term::list(workers.map(|(busy, worker)| (worker, busy.as_nanos() as u64, total).into()))
}

/// How busy all workers were, as (busy, total).
pub(super) fn load(node: &Inner) -> (Duration, Duration) {
    let busy = busy(node);
    (busy.iter().sum(), uptime(node) * busy.len() as u32)
}

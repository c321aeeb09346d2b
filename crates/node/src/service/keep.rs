//! What follows when a service ends, which only a peer's exit signal or a fault of ours can bring about. A node without its
//! services would still be a member of the cluster, and do half of what members do. So what keeps no state is started anew;
//! without the others the node stops, as a node of OTP does when one of `kernel`'s own processes has ended.

use std::sync::Arc;

use beamline_term::codec::Decoder;
use beamline_term::{Atom, Pid, Term};
use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::error;

use crate::node::Inner;
use crate::process::{Cell, Process};
use crate::resolver::BoxFuture;
use crate::stopped::StopReason;

/// A service that keeps no state.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) name: &'static str,
    /// The pid that it always has, if others know it by that.
    pub(super) pid: Option<Pid>,
    pub(super) run: fn(Process) -> BoxFuture<'static, ()>,
}

impl Service {
    /// Starts it, now and whenever it has ended.
    pub(super) fn keep(self, node: &Arc<Inner>) {
        let mut ended = self.begin(node);
        let this = Arc::clone(node);
        node.spawn(async move {
            while let Ok(reason) = ended.await {
                error!("the service {} has ended, and is started anew: {}", self.name, shown(&reason));
                ended = self.begin(&this);
            }
        });
    }

    /// Gives the reason of its end, when that has come.
    fn begin(&self, node: &Arc<Inner>) -> oneshot::Receiver<Bytes> {
        let cell = node.service_cell(self.name, self.pid.clone());
        if let Err(error) = node.processes.register(&Atom::from_static(self.name), &cell) {
            error!(%error, "a service has no name");
        }
        let process = Process::of(node, &cell);
        process.trap_exit(true);
        let ended = cell.when_ended();
        node.run(cell, (self.run)(process));
        ended
    }
}

/// Stops the node when this process ends, which must not run yet.
pub(super) fn stop_with(node: &Arc<Inner>, cell: &Cell, service: &'static str) {
    let (ended, this) = (cell.when_ended(), Arc::clone(node));
    node.spawn(async move {
        if let Ok(reason) = ended.await {
            error!("the node stops: its service {service} has ended: {}", shown(&reason));
            this.stop(StopReason::ServiceLost { service, reason: shown(&reason) });
        }
    });
}

pub(super) fn shown(reason: &Bytes) -> Term {
    Decoder::new(reason).term().unwrap_or_else(|_| Term::atom("unknown"))
}

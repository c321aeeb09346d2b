//! Signals of a process to a node that is not connected yet. They wait in order, and whatever the process sends there
//! meanwhile waits behind them; when the connection is made they leave, and when it cannot be made the process hears
//! `noconnection` of each that would have told it something.

use std::collections::HashMap;

use beamline_proto::control::Target;
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;
use tokio::sync::oneshot;

/// A signal that a process sends to another node.
#[derive(Debug)]
pub(crate) enum Parcel {
    Link(Pid),
    Monitor {
        reference: Reference,
        target: Target,
        tag: Option<Term>,
    },
    Exit {
        to: Pid,
        reason: Bytes,
    },
    GroupLeader {
        leader: Pid,
        to: Pid,
    },
    Message {
        to: Target,
        payload: Bytes,
    },
    AliasMessage {
        to: Reference,
        payload: Bytes,
    },
    /// Somebody who sends next waits for this to be sent or dropped.
    Turn(oneshot::Sender<()>),
}

/// What waits, by node.
#[derive(Debug, Default)]
pub(crate) struct Parked(HashMap<Atom, Vec<Parcel>>);

impl Parked {
    /// The queue to a node, if signals wait for it.
    pub(super) fn queue(&mut self, node: &Atom) -> Option<&mut Vec<Parcel>> {
        self.0.get_mut(node)
    }

    pub(super) fn open(&mut self, node: &Atom, first: Parcel) {
        self.0.insert(node.clone(), vec![first]);
    }

    pub(super) fn take(&mut self, node: &Atom) -> Vec<Parcel> {
        self.0.remove(node).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes back a link that has not been sent.
    pub(super) fn unlink(&mut self, pid: &Pid) {
        if let Some(queue) = self.queue(pid.node()) {
            queue.retain(|parcel| !matches!(parcel, Parcel::Link(other) if other == pid));
        }
    }

    /// Takes back a monitor that has not been sent.
    pub(super) fn demonitor(&mut self, reference: &Reference) {
        for queue in self.0.values_mut() {
            queue.retain(|parcel| !matches!(parcel, Parcel::Monitor { reference: other, .. } if other == reference));
        }
    }
}

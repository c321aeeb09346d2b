//! Signals of a process that cannot leave yet: to a node that is not connected, and answers for which the queue toward their
//! node has no room. They wait in order, and whatever the process sends there meanwhile waits behind them, its end too. When
//! the connection is made, or there is room, they leave; when it cannot be made the process hears `noconnection` of each that
//! would have told it something.
//!
//! To a node that is not connected no more waits than `Limits::queue_reserve`: what comes then is lost as if the node were
//! down. Answers that wait for room count as those of functions do, `Limits::max_message` for a connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use beamline_proto::control::{Control, Target};
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::roll::Line;
use crate::connection::{Connection, Held};

/// What a signal counts for beside its payload.
const OVERHEAD: usize = 96;

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
    /// The end of the process, for one that has a tie with it.
    End {
        line: Line,
        control: Control,
        reason: Bytes,
    },
    /// Somebody who sends next waits for this to be sent or dropped.
    Turn(oneshot::Sender<()>),
}

impl Parcel {
    /// A message, as this process sends it.
    pub(super) fn message(&self, from: &Pid) -> Option<(Control, &Bytes)> {
        let from = from.clone();
        Some(match self {
            Parcel::Message { to: Target::Pid(to), payload } => {
                (Control::Send { from: Some(from), to: to.clone() }, payload)
            }
            Parcel::Message { to: Target::Name(to), payload } => (Control::RegSend { from, to: to.clone() }, payload),
            Parcel::AliasMessage { to, payload } => (Control::AliasSend { from, to: to.clone() }, payload),
            _ => return None,
        })
    }

    /// How long a message is, for which there must be room; other signals need none.
    pub(super) fn needs_room(&self) -> Option<usize> {
        match self {
            Parcel::Message { payload, .. } | Parcel::AliasMessage { payload, .. } => Some(payload.len()),
            _ => None,
        }
    }

    fn size(&self) -> usize {
        let payload = match self {
            Parcel::Exit { reason, .. } | Parcel::End { reason, .. } => reason.len(),
            _ => self.needs_room().unwrap_or(0),
        };
        payload + OVERHEAD
    }

    /// Whether others wait for it, who would do so for ever if it were lost.
    fn must_wait(&self) -> bool {
        matches!(self, Parcel::Turn(_) | Parcel::End { .. })
    }
}

/// What waits for one node.
#[derive(Debug, Default)]
struct Queue {
    parcels: VecDeque<(Parcel, Option<Held>)>,
    bytes: usize,
    /// More came than may wait.
    is_full: bool,
    /// What waits for room; a connection that is only being made is not there yet.
    connection: Option<Arc<Connection>>,
    /// Told when something has left.
    eased: Arc<Notify>,
}

impl Queue {
    fn push(&mut self, parcel: Parcel, limit: usize) -> Result<(), Parcel> {
        let size = parcel.size();
        if self.connection.is_none() && !parcel.must_wait() {
            self.is_full |= self.bytes > 0 && self.bytes + size > limit;
            if self.is_full {
                return Err(parcel);
            }
        }
        let held = self.connection.as_ref().map(|connection| Held::new(Arc::clone(connection), size));
        self.bytes += size;
        self.parcels.push_back((parcel, held));
        Ok(())
    }

    fn retain(&mut self, keep: impl Fn(&Parcel) -> bool) {
        self.parcels.retain(|(parcel, _)| keep(parcel));
        self.bytes = self.parcels.iter().map(|(parcel, _)| parcel.size()).sum();
    }
}

/// What waits, by node.
#[derive(Debug, Default)]
pub(crate) struct Parked(HashMap<Atom, Queue>);

impl Parked {
    /// Whether signals wait for this node.
    pub(super) fn is_waiting(&self, node: &Atom) -> bool {
        self.0.contains_key(node)
    }

    /// Puts a signal behind those that wait for a node; given back if no more may wait.
    pub(super) fn push(&mut self, node: &Atom, parcel: Parcel, limit: usize) -> Result<(), Parcel> {
        match self.0.get_mut(node) {
            Some(queue) => queue.push(parcel, limit),
            None => Err(parcel),
        }
    }

    /// Begins to wait: for room on a connection, or for one to be made.
    pub(super) fn open(&mut self, node: &Atom, connection: Option<Arc<Connection>>, first: Parcel) {
        let mut queue = Queue { connection, ..Queue::default() };
        // The first always fits.
        let _ = queue.push(first, usize::MAX);
        self.0.insert(node.clone(), queue);
    }

    /// The connection is made: from now on what waits does so for room.
    pub(super) fn connected(&mut self, node: &Atom, connection: &Arc<Connection>) {
        if let Some(queue) = self.0.get_mut(node) {
            queue.connection = Some(Arc::clone(connection));
            queue.is_full = false;
        }
    }

    /// What leaves next.
    pub(super) fn first(&self, node: &Atom) -> Option<&Parcel> {
        self.0.get(node)?.parcels.front().map(|(parcel, _)| parcel)
    }

    /// Takes what leaves next.
    pub(super) fn next(&mut self, node: &Atom) -> Option<Parcel> {
        let queue = self.0.get_mut(node)?;
        let (parcel, _) = queue.parcels.pop_front()?;
        queue.bytes -= parcel.size();
        queue.eased.notify_one();
        Some(parcel)
    }

    /// Ends the waiting for a node, and gives what was left.
    pub(super) fn take(&mut self, node: &Atom) -> Vec<Parcel> {
        let Some(queue) = self.0.remove(node) else { return Vec::new() };
        queue.eased.notify_one();
        queue.parcels.into_iter().map(|(parcel, _)| parcel).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells when something has left of more than `limit` bytes that wait for room toward one node, if there are.
    pub(super) fn crowded(&self, limit: usize) -> Option<Arc<Notify>> {
        let crowded = self.0.values().find(|queue| queue.connection.is_some() && queue.bytes > limit);
        crowded.map(|queue| Arc::clone(&queue.eased))
    }

    /// Takes back a link that has not been sent.
    pub(super) fn unlink(&mut self, pid: &Pid) {
        if let Some(queue) = self.0.get_mut(pid.node()) {
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

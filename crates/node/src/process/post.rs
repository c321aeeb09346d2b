//! How signals to other nodes leave: at once, or behind what is parked for a connection or for room.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, Target};
use beamline_proto::ties::Watch;
use beamline_term::Atom;
use beamline_term::codec::encode;
use bytes::Bytes;

use super::Message;
use super::cell::{Cell, State};
use super::message::reason;
use super::parked::Parcel;
use super::roll::Line;
use crate::connection::Connection;
use crate::node::Inner;

impl Inner {
    /// Sends a signal to another node, behind those that wait for it. What needs room and may wait for it does, if `waits`.
    pub(super) fn post(self: &Arc<Self>, own: &Arc<Cell>, node: &Atom, parcel: Parcel, waits: bool) {
        /// What came of it.
        enum Posted {
            Done,
            Parked(Option<Arc<Connection>>),
            Lost(Parcel),
        }
        let posted = own.with(|state| {
            if state.parked.is_waiting(node) {
                let pushed = state.parked.push(node, parcel, self.settings.limits.queue_reserve);
                return pushed.map_or_else(Posted::Lost, |()| Posted::Done);
            }
            let (parcel, connection) = match self.slots.get(node) {
                Some(connection) => match parcel.message(&own.pid).filter(|_| waits) {
                    Some((control, payload)) => match connection.offer(&control, payload) {
                        Some(()) => return Posted::Done,
                        None => (parcel, Some(connection)),
                    },
                    None => match self.emit(own, state, &connection, parcel) {
                        Ok(()) => return Posted::Done,
                        Err(parcel) => (parcel, None),
                    },
                },
                None => (parcel, None),
            };
            state.parked.open(node, connection.clone(), parcel);
            own.has_parked.store(true, Ordering::Release);
            Posted::Parked(connection)
        });
        match posted {
            Some(Posted::Parked(connection)) => {
                let (this, own, node) = (Arc::clone(self), Arc::clone(own), node.clone());
                self.spawn(async move { this.unpark(&own, &node, connection).await });
            }
            Some(Posted::Lost(parcel)) => self.not_sent(own, node, vec![parcel]),
            Some(Posted::Done) | None => {}
        }
    }

    /// Connects if need be, and sends what waits; each message when there is room for it. That of an ended process too: it was
    /// sent before the end.
    async fn unpark(self: &Arc<Self>, own: &Arc<Cell>, node: &Atom, connection: Option<Arc<Connection>>) {
        let connection = match (connection, NodeName::from_atom(node)) {
            (Some(connection), _) => Some(connection),
            (None, Ok(peer)) => self.reach(&peer).await.ok(),
            (None, Err(_)) => None,
        };
        let Some(connection) = connection else {
            let left = own.with_parked(|state| state.parked.take(node));
            return self.not_sent(own, node, left);
        };
        own.with_parked(|state| state.parked.connected(node, &connection));
        loop {
            let (failed, size) = own.with_parked(|state| self.emit_parked(own, state, &connection, node));
            self.not_sent(own, node, failed);
            let Some(size) = size else { return };
            let Ok(room) = connection.room(size).await else {
                let left = own.with_parked(|state| state.parked.take(node));
                return self.not_sent(own, node, left);
            };
            let _promise = connection.promise(room);
            own.with_parked(|state| {
                if let Some(parcel) = state.parked.next(node) {
                    // A message, which makes no tie.
                    let _ = self.emit(own, state, &connection, parcel);
                }
            });
        }
    }

    /// Sends what waits as far as it goes. Gives what is lost with the connection, and how large a message is for which there
    /// is no room; if there is none, nothing waits any more.
    fn emit_parked(
        &self,
        own: &Cell,
        state: &mut State,
        connection: &Arc<Connection>,
        node: &Atom,
    ) -> (Vec<Parcel>, Option<usize>) {
        let mut failed = Vec::new();
        while let Some(first) = state.parked.first(node) {
            if let Some(size) = first.needs_room() {
                return (failed, Some(size));
            }
            if let Some(parcel) = state.parked.next(node)
                && let Err(parcel) = self.emit(own, state, connection, parcel)
            {
                failed.push(parcel);
            }
        }
        state.parked.take(node);
        (failed, None)
    }

    /// Signals are lost, as their node cannot be reached.
    fn not_sent(&self, own: &Cell, node: &Atom, parcels: Vec<Parcel>) {
        for parcel in parcels {
            match parcel {
                Parcel::Link(pid) => own.exit_signal(&pid, reason("noconnection")),
                Parcel::Monitor { reference, target, tag } => {
                    own.with(|state| {
                        state.ties.unwatch(&reference);
                        if !state.is_alias(&reference) {
                            self.forget_alias(&reference);
                        }
                    });
                    own.message(Message::down(tag.as_ref(), &reference, (&target, node), &reason("noconnection")));
                }
                _ => {}
            }
        }
    }

    /// Queues a signal on a connection and notes the tie that it makes; given back if the connection is lost.
    fn emit(&self, own: &Cell, state: &mut State, connection: &Arc<Connection>, parcel: Parcel) -> Result<(), Parcel> {
        let line = Line(Arc::clone(connection));
        if matches!(parcel, Parcel::Link(_) | Parcel::Monitor { .. }) {
            if state.is_ended() {
                return Ok(());
            }
            if !state.join(&line, own.number) {
                return Err(parcel);
            }
        }
        let from = own.pid.clone();
        let (control, payload) = match parcel {
            Parcel::Link(pid) => {
                if !state.ties.link(&pid, Some(line)) {
                    return Ok(());
                }
                (Control::Link { from, to: pid }, None)
            }
            Parcel::Monitor { reference, target, tag } => {
                let node = connection.peer.name.to_atom();
                let watch = Watch { target: target.clone(), node, line: Some(line), tag };
                state.ties.watch(reference.clone(), watch);
                (Control::Monitor { from, to: target, reference }, None)
            }
            Parcel::Exit { to, reason } => (Control::Exit2 { from, to }, Some(reason)),
            Parcel::GroupLeader { leader, to } => (Control::GroupLeader { from: leader, to }, None),
            Parcel::Message { to: Target::Pid(to), payload } => (Control::Send { from: Some(from), to }, Some(payload)),
            Parcel::Message { to: Target::Name(to), payload } => (Control::RegSend { from, to }, Some(payload)),
            Parcel::AliasMessage { to, payload } => (Control::AliasSend { from, to }, Some(payload)),
            Parcel::End { line: Line(connection), control, reason } => {
                tell_end(&connection, &control, &reason);
                return Ok(());
            }
            Parcel::Turn(turn) => {
                // Who waited may have given up.
                let _ = turn.send(());
                return Ok(());
            }
        };
        // A reason or message that no frame can hold is dropped, as one to a process that is not there.
        let _ = match payload {
            Some(payload) => connection.send_bytes(&control, &payload),
            None => connection.send(&control, |_| {}),
        };
        Ok(())
    }

    /// Waits until nothing of this process is parked for a node, so that what follows comes after it.
    pub(crate) async fn turn(&self, own: &Cell, node: &Atom) {
        if !own.has_parked.load(Ordering::Acquire) {
            return;
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        let pushed = own.with_parked(|state| state.parked.push(node, Parcel::Turn(tell), 0));
        if pushed.is_ok() {
            // Sent or dropped, the queue is empty now.
            let _ = told.await;
        }
    }

    /// Waits while more of what a process has answered waits for room than the queue toward one node would hold.
    pub(crate) async fn eased(&self, own: &Cell) {
        while own.has_parked.load(Ordering::Acquire) {
            let crowded = own.with_parked(|state| state.parked.crowded(self.settings.limits.queue_bytes));
            let Some(eased) = crowded else { return };
            eased.notified().await;
        }
    }

    /// Tells the end of a process to one with a tie over a connection, behind what it sent there before.
    pub(super) fn post_end(&self, own: &Cell, line: Line, control: Control, reason: &Bytes) {
        let behind = own.with_parked(|state| {
            let node = line.0.peer.name.as_atom();
            state.parked.push(node, Parcel::End { line: line.clone(), control, reason: reason.clone() }, 0)
        });
        if let Err(Parcel::End { line: Line(connection), control, reason }) = behind {
            tell_end(&connection, &control, &reason);
        }
    }
}

fn tell_end(connection: &Connection, control: &Control, reason: &Bytes) {
    if let Err(error) = connection.send_bytes(control, reason) {
        // Who has the tie waits; that it is over must be told, if not how.
        tracing::warn!(%error, "an exit reason is too large to be told");
        let _ = connection.send(control, |out| encode::atom_str(out, "system_limit"));
    }
}

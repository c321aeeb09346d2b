//! Signals of local processes, to processes here or on other nodes. None of these waits: what is for a node that is not
//! connected is parked until it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, Target};
use beamline_proto::ties::{Alias, Watch, Watcher};
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;

use super::cell::{Cell, State};
use super::message::reason;
use super::parked::Parcel;
use super::roll::Line;
use super::{Message, encoded};
use crate::connection::Connection;
use crate::destination::Destination;
use crate::node::Inner;

impl Inner {
    fn is_own(&self, node: &Atom) -> bool {
        node == self.name.as_atom()
    }

    /// Sends a signal to another node, behind those that wait for it.
    fn post(self: &Arc<Self>, own: &Arc<Cell>, node: &Atom, parcel: Parcel) {
        let parked = own.with(|state| {
            if let Some(queue) = state.parked.queue(node) {
                queue.push(parcel);
                return false;
            }
            let parcel = match self.slots.get(node) {
                Some(connection) => match self.emit(own, state, &connection, parcel) {
                    Ok(()) => return false,
                    Err(parcel) => parcel,
                },
                None => parcel,
            };
            state.parked.open(node, parcel);
            own.has_parked.store(true, Ordering::Release);
            true
        });
        if parked == Some(true) {
            let (this, own, node) = (Arc::clone(self), Arc::clone(own), node.clone());
            self.spawn(async move { this.unpark(&own, &node).await });
        }
    }

    /// Connects, and sends what waits.
    async fn unpark(self: &Arc<Self>, own: &Arc<Cell>, node: &Atom) {
        let connection = match NodeName::from_atom(node) {
            Ok(peer) => self.reach(&peer).await.ok(),
            Err(_) => None,
        };
        let failed = own.with(|state| {
            let queue = state.parked.take(node);
            own.has_parked.store(!state.parked.is_empty(), Ordering::Release);
            let Some(connection) = connection else { return queue };
            queue.into_iter().filter_map(|parcel| self.emit(own, state, &connection, parcel).err()).collect()
        });
        for parcel in failed.unwrap_or_default() {
            match parcel {
                Parcel::Link(pid) => own.exit_signal(&pid, reason("noconnection")),
                Parcel::Monitor { reference, target, tag } => {
                    own.with(|state| state.ties.unwatch(&reference));
                    own.message(Message::down(tag.as_ref(), &reference, (&target, node), &reason("noconnection")));
                }
                _ => {}
            }
        }
    }

    /// Queues a signal on a connection and notes the tie that it makes; given back if the connection is lost.
    fn emit(&self, own: &Cell, state: &mut State, connection: &Arc<Connection>, parcel: Parcel) -> Result<(), Parcel> {
        let line = Line(Arc::clone(connection));
        let is_tie = matches!(parcel, Parcel::Link(_) | Parcel::Monitor { .. });
        if is_tie && !state.join(&line, own.number) {
            return Err(parcel);
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
        let waits = own.with(|state| state.parked.queue(node).map(|queue| queue.push(Parcel::Turn(tell)))).flatten();
        if waits.is_some() {
            // Sent or dropped, the queue is empty now.
            let _ = told.await;
        }
    }

    pub(crate) fn link(self: &Arc<Self>, own: &Arc<Cell>, pid: &Pid) {
        if *pid == own.pid {
            return;
        }
        if !self.is_own(pid.node()) {
            return self.post(own, pid.node(), Parcel::Link(pid.clone()));
        }
        let linked = self.cell(pid).is_some_and(|other| {
            Cell::with_both(own, &other, |a, b| match (a, b) {
                (Some(a), Some(b)) => {
                    a.ties.link(pid, None);
                    b.ties.linked(&own.pid, None);
                    true
                }
                (a, _) => a.is_none(),
            })
        });
        if !linked {
            own.exit_signal(pid, reason("noproc"));
        }
    }

    pub(crate) fn unlink(&self, own: &Cell, pid: &Pid) {
        if *pid == own.pid {
            return;
        }
        if let Some(other) = self.cell(pid) {
            return Cell::with_both(own, &other, |a, b| {
                a.map(|a| a.ties.unlink_here(pid));
                b.map(|b| b.ties.unlink_here(&own.pid));
            });
        }
        own.with(|state| {
            state.parked.unlink(pid);
            // The other end of a link within the node has ended, and its signal is on the way.
            state.ties.unlink_here(pid);
            let id = self.numbers.unlink_id();
            if let Some(Line(connection)) = state.ties.unlink(pid, id) {
                let control = Control::UnlinkId { id, from: own.pid.clone(), to: pid.clone() };
                let _ = connection.send(&control, |_| {});
            }
        });
    }

    pub(crate) fn monitor(
        self: &Arc<Self>,
        own: &Arc<Cell>,
        target: Destination,
        tag: Option<Term>,
        alias: Option<Alias>,
    ) -> Reference {
        let (reference, number) = self.numbers.reference();
        if let Some(alias) = alias {
            self.make_alias(own, reference.clone(), number, alias);
        }
        let own_node = self.name.to_atom();
        let (target, node) = match target {
            Destination::Pid(pid) => (Target::Pid(pid.clone()), pid.node().clone()),
            Destination::Name(name) => (Target::Name(name), own_node),
            Destination::Remote(name, node) => (Target::Name(name), node.to_atom()),
            // Not a process; what is no process does not exist.
            Destination::Alias(alias) => (Target::Name(Atom::from_static("")), alias.node().clone()),
        };
        if !self.is_own(&node) {
            self.post(own, &node, Parcel::Monitor { reference: reference.clone(), target, tag });
            return reference;
        }
        let watch = Watch { target: target.clone(), node, line: None, tag };
        own.with(|state| state.ties.watch(reference.clone(), watch));
        if !self.watch_here(&own.pid, &target, &reference) {
            self.down_here(own, &reference, None, &reason("noproc"));
        }
        reference
    }

    /// Sets a monitor on a process of this node for another of this node; false if it is not there.
    pub(crate) fn watch_here(&self, watcher: &Pid, target: &Target, reference: &Reference) -> bool {
        let (cell, name) = self.target(target);
        let watcher = Watcher { pid: watcher.clone(), name, line: None };
        cell.and_then(|cell| cell.with(|state| state.ties.watched(reference.clone(), watcher))).is_some()
    }

    /// The process that a target means, and the name if it was one.
    pub(super) fn target(&self, target: &Target) -> (Option<Arc<Cell>>, Option<Atom>) {
        match target {
            Target::Pid(pid) => (self.cell(pid), None),
            Target::Name(name) => (self.processes.named(name), Some(name.clone())),
        }
    }

    pub(crate) fn demonitor(&self, own: &Cell, reference: &Reference) {
        let watch = own.with(|state| {
            state.parked.demonitor(reference);
            let watch = state.ties.unwatch(reference);
            if !state.is_alias(reference) {
                self.forget_alias(reference);
            }
            if let Some(watch @ Watch { line: Some(_), .. }) = watch {
                self.unwatch(&own.pid, watch, reference.clone());
                return None;
            }
            watch
        });
        if let Some(Some(watch)) = watch {
            self.unwatch(&own.pid, watch, reference.clone());
        }
    }

    pub(super) fn make_alias(&self, own: &Arc<Cell>, reference: Reference, number: u64, rule: Alias) {
        own.with(|state| {
            state.ties.alias(reference, rule);
            // Under the lock: what the process has when it ends is taken out of the table then.
            self.processes.add_alias(number, own);
        });
    }

    pub(super) fn forget_alias(&self, reference: &Reference) {
        if let Some(number) = self.numbers.number_of(reference) {
            self.processes.remove_alias(number);
        }
    }

    /// Tells a watched process, here or there, that it is watched no longer.
    pub(super) fn unwatch(&self, from: &Pid, watch: Watch<Line>, reference: Reference) {
        match watch.line {
            Some(Line(connection)) => {
                let control = Control::Demonitor { from: from.clone(), to: watch.target, reference };
                let _ = connection.send(&control, |_| {});
            }
            None => self.unwatch_here(&watch.target, &reference),
        }
    }

    pub(crate) fn unwatch_here(&self, target: &Target, reference: &Reference) {
        let unwatch = |cell: &Arc<Cell>| cell.with(|state| state.ties.unwatched(reference, None)) == Some(true);
        let found = self.target(target).0.is_some_and(|cell| unwatch(&cell));
        // The name has gone to another process, which is rare enough to ask them all.
        if !found && matches!(target, Target::Name(_)) {
            self.processes.all().iter().any(unwatch);
        }
    }

    /// A process that one of this node watches is down.
    pub(super) fn down_here(&self, watcher: &Cell, reference: &Reference, line: Option<&Line>, reason: &Bytes) {
        if let Some(Some(watch)) = watcher.with(|state| {
            let watch = state.ties.down(reference, line);
            if watch.is_some() && !state.is_alias(reference) {
                self.forget_alias(reference);
            }
            watch
        }) {
            let object = (&watch.target, &watch.node);
            watcher.message(Message::down(watch.tag.as_ref(), reference, object, reason));
        }
    }

    /// `exit/2` in the name of a process.
    pub(crate) fn exit(self: &Arc<Self>, own: &Arc<Cell>, pid: &Pid, why: &Term) {
        let reason = encoded(why);
        if let Some(cell) = self.cell(pid) {
            cell.exit(&own.pid, reason);
        } else if !self.is_own(pid.node()) {
            self.post(own, pid.node(), Parcel::Exit { to: pid.clone(), reason });
        }
    }

    pub(crate) fn lead(self: &Arc<Self>, own: &Arc<Cell>, leader: &Pid, pid: &Pid) {
        if let Some(cell) = self.cell(pid) {
            cell.set_group_leader(leader.clone());
        } else if !self.is_own(pid.node()) {
            self.post(own, pid.node(), Parcel::GroupLeader { leader: leader.clone(), to: pid.clone() });
        }
    }

    /// Sends a message without waiting: what may not wait for room in the queue toward the peer.
    pub(crate) fn send_now(self: &Arc<Self>, own: &Arc<Cell>, to: &Destination, payload: Bytes) {
        let (node, parcel) = match to {
            Destination::Remote(name, node) if *node != self.name => {
                (node.to_atom(), Parcel::Message { to: Target::Name(name.clone()), payload })
            }
            Destination::Pid(pid) if !self.is_own(pid.node()) => {
                (pid.node().clone(), Parcel::Message { to: Target::Pid(pid.clone()), payload })
            }
            Destination::Alias(alias) if !self.is_own(alias.node()) => {
                (alias.node().clone(), Parcel::AliasMessage { to: alias.clone(), payload })
            }
            _ => return self.deliver_here(to, payload),
        };
        self.post(own, &node, parcel);
    }

    /// Gives a message to a process of this node; lost if there is none.
    pub(crate) fn deliver_here(&self, to: &Destination, payload: Bytes) {
        let cell = match to {
            Destination::Pid(pid) => self.cell(pid),
            Destination::Name(name) | Destination::Remote(name, _) => self.processes.named(name),
            Destination::Alias(alias) => return self.through_alias(alias, payload),
        };
        if let Some(cell) = cell {
            cell.message(Message::new(payload));
        }
    }
}

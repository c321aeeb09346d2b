//! Signals of local processes, to processes here or on other nodes. None of these waits: what is for a node that is not
//! connected is parked until it is, and answers are until there is room for them ([`post`](super::post)).

use std::sync::Arc;

use beamline_proto::control::{Control, Target};
use beamline_proto::ties::{Alias, Watch, Watcher};
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;

use super::cell::Cell;
use super::message::reason;
use super::parked::Parcel;
use super::roll::Line;
use super::{Message, encoded};
use crate::destination::Destination;
use crate::node::Inner;

impl Inner {
    fn is_own(&self, node: &Atom) -> bool {
        node == self.name.as_atom()
    }

    pub(crate) fn link(self: &Arc<Self>, own: &Arc<Cell>, pid: &Pid) {
        if *pid == own.pid {
            return;
        }
        if !self.is_own(pid.node()) {
            return self.post(own, pid.node(), Parcel::Link(pid.clone()), false);
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
            self.post(own, &node, Parcel::Monitor { reference: reference.clone(), target, tag }, false);
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
            self.post(own, pid.node(), Parcel::Exit { to: pid.clone(), reason }, false);
        }
    }

    pub(crate) fn lead(self: &Arc<Self>, own: &Arc<Cell>, leader: &Pid, pid: &Pid) {
        if let Some(cell) = self.cell(pid) {
            cell.set_group_leader(leader.clone());
        } else if !self.is_own(pid.node()) {
            self.post(own, pid.node(), Parcel::GroupLeader { leader: leader.clone(), to: pid.clone() }, false);
        }
    }

    /// Sends a message without waiting. If it `waits`, it is kept while there is no room for it in the queue toward its node,
    /// and the process does not receive while much is kept; else it draws on the reserve.
    pub(crate) fn send_now(self: &Arc<Self>, own: &Arc<Cell>, to: &Destination, payload: Bytes, waits: bool) {
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
        self.post(own, &node, parcel, waits);
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

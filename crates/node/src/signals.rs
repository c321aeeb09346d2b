//! Processes of this node and what ties them to others: spawning, links, monitors, exits.

use std::future::Future;
use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, Target};
use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;

use crate::node::Inner;
use crate::process::{Cell, Link, Message, Process, Signal, reason};

/// Ends a process in the tables and for its peers, however its task ends.
struct End {
    node: Arc<Inner>,
    cell: Arc<Cell>,
}

impl Drop for End {
    fn drop(&mut self) {
        let fallback = if std::thread::panicking() { "panic" } else { "normal" };
        self.node.process_ended(&self.cell, fallback);
    }
}

impl Inner {
    /// A process that has no task yet.
    pub(crate) fn new_cell(&self) -> Arc<Cell> {
        self.insert_cell(self.numbers.pid())
    }

    pub(crate) fn insert_cell(&self, pid: Pid) -> Arc<Cell> {
        let cell = Arc::new(Cell::new(pid, self.settings.limits.mailbox_bytes));
        if let Some(number) = self.numbers.number_of_pid(&cell.pid) {
            self.processes.insert(number, Arc::clone(&cell));
        }
        cell
    }

    pub(crate) fn spawn_process<F, Fut>(self: &Arc<Self>, run: F) -> Pid
    where
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let cell = self.new_cell();
        let future = run(Process { node: Arc::clone(self), cell: Arc::clone(&cell) });
        self.run(cell, future)
    }

    /// Gives a process its task.
    pub(crate) fn run(self: &Arc<Self>, cell: Arc<Cell>, future: impl Future<Output = ()> + Send + 'static) -> Pid {
        let pid = cell.pid.clone();
        let end = End { node: Arc::clone(self), cell };
        self.spawn(async move {
            let end = end;
            tokio::select! {
                () = future => {}
                () = end.cell.ending() => {}
            }
        });
        pid
    }

    fn process_ended(&self, cell: &Arc<Cell>, fallback: &str) {
        if let Some(number) = self.numbers.number_of_pid(&cell.pid) {
            self.processes.remove(number);
        }
        let (reason, ties, names) = cell.finish(fallback);
        names.iter().for_each(|name| self.processes.unregister(name));
        for (peer, link) in ties.links {
            if link == Link::Active {
                let control = Control::Exit { from: cell.pid.clone(), to: peer.clone() };
                let signal = Signal::LinkedExit { from: cell.pid.clone(), reason: reason.clone() };
                self.signal(&peer, control, signal, &reason);
            }
        }
        for (reference, (watcher, name)) in ties.watchers {
            let from = name.map_or_else(|| Target::Pid(cell.pid.clone()), Target::Name);
            let control =
                Control::MonitorExit { from: from.clone(), to: watcher.clone(), reference: reference.clone() };
            let signal = Signal::Down { reference, from, reason: reason.clone() };
            self.signal(&watcher, control, signal, &reason);
        }
        for (reference, (target, node)) in ties.watching {
            self.unwatch(&cell.pid, target, &node, reference);
        }
    }

    /// Sends a signal to a process here or there. Who is not connected is not told: it has heard already.
    fn signal(&self, to: &Pid, control: Control, signal: Signal, payload: &Bytes) {
        if let Some(cell) = self.cell(to) {
            cell.deliver(signal);
        } else if let Some(connection) = self.slots.get(to.node()) {
            let _ = connection.send(&control, |out| out.extend_from_slice(payload));
        }
    }

    fn unwatch(&self, from: &Pid, to: Target, node: &Atom, reference: Reference) {
        if node != self.name.as_atom() {
            if let Some(connection) = self.slots.get(node) {
                let control = Control::Demonitor { from: from.clone(), to, reference };
                let _ = connection.send(&control, |_| {});
            }
            return;
        }
        if let Target::Pid(pid) = to
            && let Some(cell) = self.cell(&pid)
        {
            cell.ties(|ties| ties.watchers.remove(&reference));
        }
    }

    pub(crate) fn monitor(self: &Arc<Self>, watcher: &Arc<Cell>, pid: &Pid) -> Reference {
        let (reference, _) = self.numbers.reference();
        let target = Target::Pid(pid.clone());
        watcher.ties(|ties| ties.watching.insert(reference.clone(), (target.clone(), pid.node().clone())));
        let down = |text| Signal::Down { reference: reference.clone(), from: target.clone(), reason: reason(text) };
        if pid.node() == self.name.as_atom() {
            let entry = (watcher.pid.clone(), None);
            let watched =
                self.cell(pid).and_then(|cell| cell.ties(|ties| ties.watchers.insert(reference.clone(), entry)));
            if watched.is_none() {
                watcher.deliver(down("noproc"));
            }
            return reference;
        }
        let control = Control::Monitor { from: watcher.pid.clone(), to: target.clone(), reference: reference.clone() };
        self.signal_there(pid, control, watcher, down("noconnection"));
        reference
    }

    /// Sends a signal to another node, connecting first; if that fails, `lost` arrives at the process that tried.
    fn signal_there(self: &Arc<Self>, to: &Pid, control: Control, cell: &Arc<Cell>, lost: Signal) {
        if let Some(connection) = self.slots.get(to.node()) {
            let _ = connection.send(&control, |_| {});
            return;
        }
        let Ok(peer) = NodeName::from_atom(to.node()) else { return cell.deliver(lost) };
        let (node, cell) = (Arc::clone(self), Arc::clone(cell));
        self.spawn(async move {
            match node.reach(&peer).await {
                Ok(connection) => {
                    let _ = connection.send(&control, |_| {});
                }
                Err(_) => cell.deliver(lost),
            }
        });
    }

    pub(crate) fn demonitor(&self, watcher: &Cell, reference: &Reference) {
        if let Some(Some((target, node))) = watcher.ties(|ties| ties.watching.remove(reference)) {
            self.unwatch(&watcher.pid, target, &node, reference.clone());
        }
    }

    pub(crate) fn link(self: &Arc<Self>, own: &Arc<Cell>, pid: &Pid) {
        if *pid == own.pid {
            return;
        }
        let fresh = own.ties(|ties| ties.links.insert(pid.clone(), Link::Active) != Some(Link::Active));
        if fresh != Some(true) {
            return;
        }
        let lost = |text| Signal::LinkedExit { from: pid.clone(), reason: reason(text) };
        if pid.node() != self.name.as_atom() {
            let control = Control::Link { from: own.pid.clone(), to: pid.clone() };
            return self.signal_there(pid, control, own, lost("noconnection"));
        }
        let linked = self.cell(pid).and_then(|cell| cell.ties(|ties| ties.links.insert(own.pid.clone(), Link::Active)));
        if linked.is_none() {
            own.deliver(lost("noproc"));
        }
    }

    pub(crate) fn unlink(&self, own: &Cell, pid: &Pid) {
        if let Some(cell) = self.cell(pid) {
            own.ties(|ties| ties.links.remove(pid));
            cell.ties(|ties| ties.links.remove(&own.pid));
            return;
        }
        let Some(connection) = self.slots.get(pid.node()) else { return };
        let (_, id) = self.numbers.reference();
        let unlinking = own.ties(|ties| match ties.links.get_mut(pid) {
            Some(link @ Link::Active) => {
                *link = Link::Unlinking(id);
                true
            }
            _ => false,
        });
        if unlinking == Some(true) {
            let control = Control::UnlinkId { id, from: own.pid.clone(), to: pid.clone() };
            let _ = connection.send(&control, |_| {});
        }
    }

    pub(crate) fn exit(&self, pid: &Pid, why: &Term) {
        let mut payload = Vec::new();
        encode::term(&mut payload, why);
        let payload = Bytes::from(payload);
        let control = Control::Exit2 { from: self.caller.clone(), to: pid.clone() };
        self.signal(pid, control, Signal::Exit { from: self.caller.clone(), reason: payload.clone() }, &payload);
    }

    /// Tells every process what it lost with a node.
    pub(crate) fn ties_lost(&self, node: &Atom) {
        for cell in self.processes.all() {
            let lost = cell.ties(|ties| {
                ties.watchers.retain(|_, (watcher, _)| watcher.node() != node);
                ties.links.retain(|peer, link| peer.node() != node || *link == Link::Active);
                let links: Vec<Pid> = ties.links.keys().filter(|peer| peer.node() == node).cloned().collect();
                let watching = ties.watching.iter().filter(|(_, (_, of))| of == node);
                let watching: Vec<_> =
                    watching.map(|(reference, (target, _))| (reference.clone(), target.clone())).collect();
                (links, watching)
            });
            let Some((links, watching)) = lost else { continue };
            for (reference, from) in watching {
                cell.deliver(Signal::Down { reference, from, reason: reason("noconnection") });
            }
            for from in links {
                cell.deliver(Signal::LinkedExit { from, reason: reason("noconnection") });
            }
        }
    }

    /// Sends a message of the node's own services, which do not wait. Who cannot be reached gets nothing.
    pub(crate) fn send_later(self: &Arc<Self>, to: Pid, message: Term) {
        let node = Arc::clone(self);
        self.spawn(async move {
            let _ = node.send((&to).into(), Message::of(&message)).await;
        });
    }

    /// Answers a `gen_server` call: to the alias in the tag if there is one, else to the caller.
    pub(crate) fn reply(&self, own: &Pid, to: &Pid, tag: &Term, answer: &Term) {
        let message: Term = (tag.clone(), answer.clone()).into();
        if let Some(cell) = self.cell(to) {
            return cell.deliver(Signal::Message(Message::of(&message)));
        }
        let Some(connection) = self.slots.get(to.node()) else { return };
        let control = match alias(tag) {
            Some(alias) => Control::AliasSend { from: own.clone(), to: alias.clone() },
            None => Control::Send { from: Some(own.clone()), to: to.clone() },
        };
        let _ = connection.send(&control, |out| encode::term(out, &message));
    }
}

/// The alias in a tag `[alias | Ref]` or `[[alias | Ref] | _]`.
fn alias(tag: &Term) -> Option<&Reference> {
    let Term::ImproperList(list) = tag else { return None };
    match list.elements() {
        [head] if head.is_atom("alias") => list.tail().as_reference(),
        [head @ Term::ImproperList(_)] => alias(head),
        _ => None,
    }
}

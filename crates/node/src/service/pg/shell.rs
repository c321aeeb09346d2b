//! The process of one scope.

use std::collections::HashMap;
use std::sync::Arc;

use beamline_proto::control::Control;
use beamline_proto::pg::{Effect, Scope};
use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference, Term};
use tokio::sync::mpsc;

use super::{Input, Shared};
use crate::node::{Inner, NodeSet};
use crate::process::{Message, NameTaken, Process};

struct Shell {
    node: Arc<Inner>,
    name: Atom,
    process: Process,
    core: Scope,
    shared: Arc<Shared>,
    watched: HashMap<Pid, Reference>,
}

/// Registers the scope's process and sets it going; gives who has the name if it is taken.
pub(super) fn start(
    node: &Arc<Inner>,
    name: &Atom,
    shared: Arc<Shared>,
    inputs: mpsc::UnboundedReceiver<Input>,
) -> Result<(), Pid> {
    let cell = node.service_cell("pg");
    if let Err(error) = node.processes.register(name, &cell) {
        node.processes.remove(cell.number);
        let NameTaken::Taken { pid, .. } = error else { return Err(cell.pid.clone()) };
        return Err(pid);
    }
    // From here on connections that come up are told; those that are up are looked at below.
    node.scopes.0.pin().insert(name.clone(), Arc::clone(&shared));
    let process = Process::of(node, &cell);
    process.trap_exit(true);
    let core = Scope::new(cell.pid.clone());
    let mut shell =
        Shell { node: Arc::clone(node), name: name.clone(), process, core, shared, watched: HashMap::new() };
    let set = if node.settings.hidden { NodeSet::Connected } else { NodeSet::Visible };
    for peer in node.nodes(set) {
        shell.core.node_up(&peer);
    }
    node.run(cell, shell.run(inputs));
    Ok(())
}

impl Shell {
    async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        loop {
            self.effects();
            tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(input) => self.input(input),
                    None => return,
                },
                message = self.process.receive() => match message {
                    Some(message) => self.message(&message),
                    None => return,
                },
            }
        }
    }

    fn input(&mut self, input: Input) {
        let (tell, done) = match input {
            Input::NodeUp(node) => return self.core.node_up(&node),
            Input::Join(group, pids, tell) => {
                self.core.join(&group, &pids);
                (tell, true)
            }
            Input::Leave(group, pids, tell) => {
                let done = self.core.leave(&group, &pids);
                (tell, done)
            }
        };
        // Whoever waits for it must find it done.
        self.effects();
        let _ = tell.send(done);
    }

    fn message(&mut self, message: &Message) {
        let Ok(term) = message.term() else { return };
        match term.as_tuple() {
            Some([tag, Term::Reference(reference), _, Term::Pid(pid), _]) if tag.is_atom("DOWN") => {
                if self.watched.get(pid) == Some(reference) {
                    self.watched.remove(pid);
                    self.core.process_down(pid);
                }
            }
            _ => self.core.message(&term),
        }
    }

    fn effects(&mut self) {
        let mut is_changed = false;
        while let Some(effect) = self.core.next_effect() {
            match effect {
                Effect::SendName { node, message } => {
                    let control = Control::RegSend { from: self.process.pid().clone(), to: self.name.clone() };
                    self.send(node.as_atom(), &control, &message);
                }
                Effect::Send { pid, message } => {
                    let node = pid.node().clone();
                    let control = Control::Send { from: Some(self.process.pid().clone()), to: pid };
                    self.send(&node, &control, &message);
                }
                // No connection is made for a process that somebody else names.
                Effect::Monitor(pid) if !self.node.is_near(pid.node()) => self.core.process_down(&pid),
                Effect::Monitor(pid) => {
                    let reference = self.process.monitor(&pid);
                    self.watched.insert(pid, reference);
                }
                Effect::Demonitor(pid) => {
                    if let Some(reference) = self.watched.remove(&pid) {
                        self.process.demonitor(&reference);
                    }
                }
                Effect::Changed(group) => {
                    is_changed = true;
                    let groups = self.shared.groups.pin();
                    match self.core.members(&group) {
                        Some(members) => drop(groups.insert(group, members.clone())),
                        None => drop(groups.remove(&group)),
                    }
                }
                _ => {}
            }
        }
        if is_changed {
            self.shared.changed.send_replace(());
        }
    }

    fn send(&self, node: &Atom, control: &Control, message: &Term) {
        if let Some(connection) = self.node.slots.get(node) {
            let _ = connection.send(control, |out| encode::term(out, message));
        }
    }
}

//! The process of one scope.

use std::collections::HashMap;
use std::sync::Arc;

use beamline_proto::control::Control;
use beamline_proto::pg::{Effect, Scope};
use beamline_term::codec::encode;
use beamline_term::{Atom, Pid, Reference, Term};
use bytes::Bytes;
use tokio::sync::{Mutex, mpsc, oneshot};
use tracing::error;

use super::super::keep::shown;
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

/// What a scope hears of; whoever runs it has the lock.
type Inputs = Arc<Mutex<mpsc::UnboundedReceiver<Input>>>;

/// Registers the scope's process and sets it going, now and whenever it has ended; gives who has the name if it is taken.
pub(super) fn start(
    node: &Arc<Inner>,
    name: &Atom,
    shared: Arc<Shared>,
    inputs: mpsc::UnboundedReceiver<Input>,
) -> Result<(), Pid> {
    let inputs = Arc::new(Mutex::new(inputs));
    let mut ended = begin(node, name, &shared, &inputs)?;
    let (this, name) = (Arc::clone(node), name.clone());
    node.spawn(async move {
        while let Ok(reason) = ended.await {
            error!(scope = %name, "a scope of pg has ended, and is started anew: {}", shown(&reason));
            match begin(&this, &name, &shared, &inputs) {
                Ok(again) => ended = again,
                Err(pid) => return error!(scope = %name, "its name belongs to {pid:?}; it is not started"),
            }
        }
    });
    Ok(())
}

/// Gives the reason of its end, when that has come. Members of this node that an earlier one had are members again; those of
/// others are told anew.
fn begin(
    node: &Arc<Inner>,
    name: &Atom,
    shared: &Arc<Shared>,
    inputs: &Inputs,
) -> Result<oneshot::Receiver<Bytes>, Pid> {
    let cell = node.service_cell("pg", None);
    if let Err(error) = node.processes.register(name, &cell) {
        node.processes.remove(cell.number);
        let NameTaken::Taken { pid, .. } = error else { return Err(cell.pid.clone()) };
        return Err(pid);
    }
    // From here on connections that come up are told; those that are up are looked at below.
    node.scopes.0.pin().insert(name.clone(), Arc::clone(shared));
    let process = Process::of(node, &cell);
    process.trap_exit(true);
    let core = Scope::new(cell.pid.clone());
    let (this, name, shared) = (Arc::clone(node), name.clone(), Arc::clone(shared));
    let mut shell = Shell { node: this, name, process, core, shared, watched: HashMap::new() };
    shell.restore();
    let set = if node.settings.hidden { NodeSet::Connected } else { NodeSet::Visible };
    for peer in node.nodes(set) {
        shell.core.node_up(&peer);
    }
    let (ended, inputs) = (cell.when_ended(), Arc::clone(inputs));
    node.run(cell, async move { shell.run(&mut *inputs.lock().await).await });
    Ok(ended)
}

impl Shell {
    /// Takes over what an earlier process of the scope has left in the table.
    fn restore(&mut self) {
        let groups = self.shared.groups.pin();
        for (group, members) in &groups {
            if members.local().is_empty() {
                groups.remove(group);
            } else {
                self.core.join(group, members.local());
            }
        }
    }

    async fn run(mut self, inputs: &mut mpsc::UnboundedReceiver<Input>) {
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

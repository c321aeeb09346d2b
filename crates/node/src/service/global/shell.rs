//! The process behind `global_name_server`: everything that reaches it goes into the core, and what the core wants is done.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_proto::control::{Control, Target};
use beamline_proto::global::{self, CallFailure, CallId, Completion, Config, Effect, RequestId};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Pid, Reference, Term, atom};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tracing::warn;

use super::super::keep::stop_with;
use super::{Input, Inputs, Request};
use crate::call::{Call, ServerCall};
use crate::error::CallError;
use crate::events::DownReason;
use crate::functions::FunctionName;
use crate::node::Inner;
use crate::process::{Mark, Message, Process};

const NAME: Atom = atom("global_name_server");

/// Starts the process.
pub(crate) fn start(node: &Arc<Inner>, inputs: Inputs) {
    let cell = node.service_cell("global", None);
    if node.processes.register(&NAME, &cell).is_err() {
        return tracing::error!("the name global_name_server was taken before global started");
    }
    let _ = node.global.server.set(Arc::clone(&cell));
    let process = Process::of(node, &cell);
    // Its names are known to all nodes by the connections that were; a new one could not be told of them.
    stop_with(node, &cell, "global_name_server");
    let shell = Shell::new(node, process);
    node.run(cell, shell.run(inputs));
}

struct Shell {
    node: Arc<Inner>,
    process: Process,
    core: global::Global,
    began: Instant,
    watched: HashMap<Pid, Reference>,
    requests: HashMap<RequestId, oneshot::Sender<Completion>>,
    next_request: u64,
}

impl Shell {
    fn new(node: &Arc<Inner>, process: Process) -> Shell {
        let locker = node.service_cell("global_locker", None);
        stop_with(node, &locker, "global_locker");
        node.run(Arc::clone(&locker), std::future::pending());
        let config = Config {
            node: node.name.clone(),
            name_server: process.pid().clone(),
            locker: locker.pid.clone(),
            connect_all: node.settings.connect_all,
            prevent_overlapping_partitions: node.settings.prevent_overlapping_partitions,
            seed: rand::random(),
        };
        Shell {
            node: Arc::clone(node),
            process,
            core: global::Global::new(config),
            began: Instant::now(),
            watched: HashMap::new(),
            requests: HashMap::new(),
            next_request: 0,
        }
    }

    async fn run(mut self, mut inputs: Inputs) {
        loop {
            let deadline = self.core.next_deadline().map(|after| self.began + after);
            tokio::select! {
                // What happens to a connection is told before what comes over it, and behind what came before.
                biased;
                input = inputs.recv() => match input {
                    Some(input) => self.input(input),
                    None => return,
                },
                message = self.process.receive() => match message {
                    Some(message) => self.message(&message),
                    None => return,
                },
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    self.core.tick(self.began.elapsed());
                }
            }
            self.effects();
        }
    }

    fn input(&mut self, input: Input) {
        let now = self.began.elapsed();
        match input {
            Input::NodeUp(node, mark) => {
                self.messages_before(mark);
                self.core.node_up(&node, self.began.elapsed());
            }
            Input::NodeDown(node, on_purpose, mark) => {
                self.messages_before(mark);
                self.core.node_down(&node, on_purpose, self.began.elapsed());
            }
            Input::Unwatched(pid) => self.core.process_down(&pid, now),
            Input::ConnectFailed(node) => self.core.connect_failed(&node, now),
            Input::Called(id, outcome) => self.core.reply(id, outcome, now),
            Input::Ran(id, outcome) => self.core.rpc_reply(id, outcome, now),
            Input::Request(request, tell) => {
                let id = RequestId(self.next_request);
                self.next_request += 1;
                self.requests.insert(id, tell);
                self.request(id, request, now);
            }
        }
    }

    /// What came before a connection was made or lost belongs to the time before.
    fn messages_before(&mut self, mark: Mark) {
        while let Some(message) = self.process.receive_before(mark) {
            self.message(&message);
            self.effects();
        }
    }

    fn request(&mut self, id: RequestId, request: Request, now: Duration) {
        let locker = self.process.pid().clone();
        match request {
            Request::Register(name, pid, method) => self.core.register_with(id, name, pid, &method, now),
            Request::Reregister(name, pid, method) => self.core.re_register(id, name, pid, &method, now),
            Request::Unregister(name) => self.core.unregister(id, name, now),
            Request::Sync => self.core.sync(id, now),
            Request::SetLock { lock, nodes, retries } => self.core.set_lock(id, locker, lock, nodes, retries, now),
            Request::DelLock { lock, nodes } => self.core.del_lock(id, locker, lock, nodes, now),
        }
    }

    fn message(&mut self, message: &Message) {
        let Ok(term) = message.term() else { return };
        let now = self.began.elapsed();
        if let Some([tag, Term::Reference(reference), _, Term::Pid(pid), _]) = term.as_tuple()
            && tag.is_atom("DOWN")
        {
            if self.watched.get(pid) == Some(reference) {
                self.watched.remove(pid);
                self.core.process_down(pid, now);
            }
            return;
        }
        self.core.message(&term, now);
    }

    fn effects(&mut self) {
        let mut is_changed = false;
        while let Some(effect) = self.core.next_effect() {
            match effect {
                Effect::Name { name, pid } => {
                    is_changed = true;
                    let names = self.node.global.names.pin();
                    match pid {
                        Some(pid) => drop(names.insert(name, pid)),
                        None => drop(names.remove(&name)),
                    }
                }
                Effect::Complete { request, completion } => {
                    if let Some(tell) = self.requests.remove(&request) {
                        let _ = tell.send(completion);
                    }
                }
                effect => self.effect(effect),
            }
        }
        if is_changed {
            self.node.global.changed.send_replace(());
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Send { node, message } => {
                if let Some(connection) = self.node.slots.get(node.as_atom()) {
                    let control = Control::RegSend { from: self.process.pid().clone(), to: NAME };
                    let _ = connection.send(&control, |out| encode::term(out, &message));
                }
            }
            Effect::SendPid { pid, message } => self.send(&pid, &message),
            Effect::Reply { to, reply } => {
                if let Some([Term::Pid(pid), tag]) = to.as_tuple() {
                    self.node.reply_at_once(&self.process.cell, pid, tag, reply);
                }
            }
            Effect::Call { id, node, from, request } => self.call(id, &node, from, &request),
            Effect::Rpc { id, node, module, function, arguments } => {
                self.rpc(id, &node, (&module, &function), &arguments);
            }
            Effect::Connect(peer) => {
                let node = Arc::clone(&self.node);
                self.node.spawn(async move {
                    // Also where calls make none by themselves: a mesh that is not whole is parted to prevent overlapping partitions.
                    if node.connect(&peer).await.is_err() {
                        node.global.tell(Input::ConnectFailed(peer));
                    }
                });
            }
            Effect::Disconnect(node) => {
                self.node.disconnect(&node, &DownReason::Disconnect);
            }
            // A connection that is gone is not made again for this: it may have been given up on purpose.
            Effect::Monitor(pid) if !self.node.is_near(pid.node()) => self.node.global.tell(Input::Unwatched(pid)),
            Effect::Monitor(pid) => {
                let reference = self.process.monitor(&pid);
                if let Some(earlier) = self.watched.insert(pid, reference) {
                    self.process.demonitor(&earlier);
                }
            }
            Effect::Demonitor(pid) => {
                if let Some(reference) = self.watched.remove(&pid) {
                    self.process.demonitor(&reference);
                }
            }
            Effect::Kill(pid) if self.node.is_near(pid.node()) => self.node.kill(&pid),
            Effect::Warn(text) => warn!("{text}"),
            _ => {}
        }
    }

    fn send(&self, to: &Pid, message: &Term) {
        if let Some(cell) = self.node.cell(to) {
            cell.message(Message::of(message));
        } else if let Some(connection) = self.node.slots.get(to.node()) {
            let control = Control::Send { from: Some(self.process.pid().clone()), to: to.clone() };
            let _ = connection.send(&control, |out| encode::term(out, message));
        }
    }

    /// Sends the request now: to the locks it matters what comes first.
    fn call(&self, id: CallId, peer: &NodeName, from: Pid, request: &Term) {
        let node = Arc::clone(&self.node);
        let Some(connection) = node.slots.get(peer.as_atom()) else {
            return node.global.tell(Input::Called(id, Err(CallFailure::NodeDown)));
        };
        let mut body = Vec::new();
        encode::term(&mut body, request);
        match ServerCall::send(&node, connection, &Target::Name(NAME), from, &body, None) {
            Ok(call) => drop(self.node.spawn(async move {
                let answer = call.answer(Duration::MAX).await.and_then(|answer| {
                    Decoder::new(&answer)
                        .term()
                        .map_err(|source| CallError::Answer { node: node.name.clone(), source: source.into() })
                });
                node.global.tell(Input::Called(id, answer.map_err(|error| failure(&error))));
            })),
            Err(error) => node.global.tell(Input::Called(id, Err(failure(&error)))),
        }
    }

    fn rpc(&self, id: CallId, peer: &NodeName, (module, function): (&Term, &Term), arguments: &[Term]) {
        let node = Arc::clone(&self.node);
        let (Term::Atom(module), Term::Atom(function)) = (module, function) else { return };
        if !node.is_near(peer.as_atom()) {
            return node.global.tell(Input::Ran(id, Err(CallFailure::NodeDown)));
        }
        let name = FunctionName { module: module.clone(), function: function.clone() };
        let call = Call::<Term>::function(&node, peer, name, &Term::list(arguments.iter().cloned()));
        self.node.spawn(async move {
            let outcome = call.await.map_err(|error| failure(&error));
            node.global.tell(Input::Ran(id, outcome));
        });
    }
}

fn failure(error: &CallError) -> CallFailure {
    match error {
        CallError::Timeout { .. } => CallFailure::Timeout,
        CallError::Exited { .. } => CallFailure::NoProcess,
        _ => CallFailure::NodeDown,
    }
}

//! Registrations of the local application, one after another under the lock of the whole partition.
//!
//! Follows `trans_all_known` of OTP's `global`: the boss is locked first, then all known nodes; if somebody became known
//! meanwhile, again from the start. While nobody else wants the lock, though, all are asked at once, which saves a round:
//! who is refused then goes by the boss for a while. Requests that wait share one lock.

use std::collections::VecDeque;
use std::time::Duration;

use beamline_term::{Pid, Term};

use super::call::{Ask, Owner};
use super::effect::{Completion, LockId, Method, RequestId};
use super::locker::global_lock;
use super::message::Entry;
use super::{Global, MAX_WAITING};
use crate::NodeName;

/// Requests under one lock: others want it too.
const SHARE: usize = 64;
/// After a refusal the boss is asked first so many times.
const WARY: u32 = 16;

#[derive(Debug, Default)]
pub(super) struct Registrar {
    queue: VecDeque<Job>,
    state: State,
    tries: u32,
    /// How many more times to ask the boss first.
    wary: u32,
}

#[derive(Debug)]
struct Job {
    request: RequestId,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Register(Entry),
    Reregister(Entry),
    Unregister(Term),
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Waiting(Duration),
    /// All of these are being locked.
    All(Vec<NodeName>),
    /// The boss of these is being locked.
    Boss(Vec<NodeName>),
    /// The others are.
    Rest(Vec<NodeName>),
    /// All are locked, and are told the names.
    Naming(Vec<NodeName>, Vec<(RequestId, Completion)>),
    /// All but the boss are being released.
    Releasing(NodeName, Next),
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Job,
    Retry,
}

impl Registrar {
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.state {
            State::Waiting(until) => Some(until),
            _ => None,
        }
    }
}

impl Global {
    /// Gives a name to a process, in the whole cluster, with OTP's default method.
    ///
    /// Completes with `Done`, `Taken`, `Named` or `Busy`.
    pub fn register(&mut self, request: RequestId, name: Term, pid: Pid, now: Duration) {
        self.register_with(request, name, pid, &Method::RandomExit, now);
    }

    /// As [`Global::register`], with the method for conflicts.
    pub fn register_with(&mut self, request: RequestId, name: Term, pid: Pid, method: &Method, now: Duration) {
        self.now = now;
        self.enqueue(request, Kind::Register(Entry { name, pid, method: method.to_term() }));
    }

    /// Gives a name to a process, whoever has it now. Completes with `Done` or `Busy`.
    pub fn re_register(&mut self, request: RequestId, name: Term, pid: Pid, method: &Method, now: Duration) {
        self.now = now;
        self.enqueue(request, Kind::Reregister(Entry { name, pid, method: method.to_term() }));
    }

    /// Takes a name away, whoever has it. Completes with `Done` or `Busy`.
    pub fn unregister(&mut self, request: RequestId, name: Term, now: Duration) {
        self.now = now;
        if self.names.get(&name).is_none() && self.registrar.queue.is_empty() {
            return self.complete(request, Completion::Done);
        }
        self.enqueue(request, Kind::Unregister(name));
    }

    fn enqueue(&mut self, request: RequestId, kind: Kind) {
        if self.registrar.queue.len() >= MAX_WAITING {
            return self.complete(request, Completion::Busy);
        }
        self.registrar.queue.push_back(Job { request, kind });
        if matches!(self.registrar.state, State::Idle) {
            self.lock_for_names();
        }
        self.settle();
    }

    fn registrar_lock(&self) -> LockId {
        global_lock(self.config.name_server.clone().into())
    }

    fn ask_registrar(&mut self, nodes: &[NodeName], ask: &Ask, owner: Owner) {
        let from = self.config.name_server.clone();
        self.ask_all(owner, &from, nodes, ask);
    }

    fn lock_for_names(&mut self) {
        if self.registrar.queue.is_empty() {
            self.registrar.state = State::Idle;
            return;
        }
        // Sorted, so the boss is the last.
        let mut nodes: Vec<NodeName> = self.known.keys().cloned().chain([self.config.node.clone()]).collect();
        nodes.sort();
        let lock = self.registrar_lock();
        if self.registrar.wary == 0 && self.locks.can_set(&lock) {
            self.registrar.state = State::All(nodes.clone());
            return self.ask_registrar(&nodes, &Ask::Set(lock), Owner::Registrar);
        }
        self.registrar.wary = self.registrar.wary.saturating_sub(1);
        let boss = self.boss();
        self.registrar.state = State::Boss(nodes);
        self.ask_registrar(&[boss], &Ask::Set(lock), Owner::Registrar);
    }

    pub(super) fn registrar_step(&mut self, agreed: bool) {
        match std::mem::take(&mut self.registrar.state) {
            State::All(_) if !agreed => {
                self.registrar.wary = WARY;
                self.retry_names();
            }
            State::Boss(nodes) if agreed => {
                let Some((boss, rest)) = nodes.split_last() else { return };
                if *boss != self.config.node && !self.locks.can_set(&self.registrar_lock()) {
                    return self.release_names(std::slice::from_ref(boss), Next::Retry);
                }
                let rest = rest.to_vec();
                self.registrar.state = State::Rest(nodes);
                self.ask_registrar(&rest, &Ask::Set(self.registrar_lock()), Owner::Registrar);
            }
            State::Boss(_) => self.retry_names(),
            State::Rest(nodes) if !agreed => self.release_names(&nodes[nodes.len() - 1..], Next::Retry),
            // Somebody has come or gone meanwhile. Names that we no longer see, because their node left, may still be there
            // for the others, who are about to part from it or from us.
            State::All(nodes) | State::Rest(nodes) if !self.are_all_members(&nodes) => {
                self.release_names(&nodes, Next::Retry);
            }
            State::All(nodes) | State::Rest(nodes) => self.change_names(nodes),
            State::Naming(nodes, completions) => {
                for (request, completion) in completions {
                    self.complete(request, completion);
                }
                self.release_names(&nodes, Next::Job);
            }
            State::Releasing(boss, next) => {
                self.ask_registrar(&[boss], &Ask::Release(self.registrar_lock()), Owner::Nobody);
                match next {
                    Next::Job => self.lock_for_names(),
                    Next::Retry => self.retry_names(),
                }
            }
            other => self.registrar.state = other,
        }
    }

    fn change_names(&mut self, nodes: Vec<NodeName>) {
        self.registrar.tries = 0;
        let from = self.config.name_server.clone();
        let (mut asks, mut completions) = (Vec::new(), Vec::new());
        let jobs = self.registrar.queue.len().min(SHARE);
        for Job { request, kind } in self.registrar.queue.drain(..jobs).collect::<Vec<_>>() {
            let (ask, completion) = match kind {
                Kind::Register(entry) => match self.objection(&entry) {
                    Some(objection) => (None, objection),
                    None => (Some(Ask::Register(entry)), Completion::Done),
                },
                Kind::Reregister(entry) => (Some(Ask::Register(entry)), Completion::Done),
                Kind::Unregister(name) => (Some(Ask::Unregister(name)), Completion::Done),
            };
            completions.push((request, completion));
            let Some(ask) = ask else { continue };
            // Here at once, since the next job looks it up.
            self.ask(Owner::Nobody, &from, vec![(self.config.node.clone(), ask.clone())]);
            let others = nodes.iter().filter(|node| **node != self.config.node);
            asks.extend(others.map(|node| (node.clone(), ask.clone())));
        }
        self.registrar.state = State::Naming(nodes, completions);
        self.ask(Owner::Registrar, &from, asks);
    }

    /// Whether these, in order, are the nodes of our partition, ourselves among them.
    fn are_all_members(&self, nodes: &[NodeName]) -> bool {
        nodes.len() == self.known.len() + 1 && self.known.keys().all(|node| nodes.binary_search(node).is_ok())
    }

    fn objection(&self, entry: &Entry) -> Option<Completion> {
        if let Some(pid) = self.whereis(&entry.name) {
            return Some(Completion::Taken(pid.clone()));
        }
        self.names.of(&entry.pid).first().map(|name| Completion::Named(name.clone()))
    }

    fn release_names(&mut self, nodes: &[NodeName], next: Next) {
        let Some((boss, others)) = nodes.split_last() else { return };
        let release = Ask::Release(self.registrar_lock());
        if self.registrar.wary == 0 && self.registrar.queue.is_empty() {
            // Nobody waits for it, here or elsewhere, as far as we know.
            self.ask_registrar(nodes, &release, Owner::Nobody);
            self.registrar.state = State::Idle;
            return;
        }
        // The boss goes last: whoever has it next should not find other nodes locked.
        self.registrar.state = State::Releasing(boss.clone(), next);
        self.ask_registrar(others, &release, Owner::Registrar);
    }

    fn retry_names(&mut self) {
        let wait = self.random.backoff(self.registrar.tries);
        self.registrar.tries = self.registrar.tries.saturating_add(1);
        self.registrar.state = State::Waiting(self.now + wait);
    }

    /// The lock has been freed here: a try is worth it earlier.
    pub(super) fn hasten_registrar(&mut self, soon: Duration) {
        if let State::Waiting(until) = &mut self.registrar.state {
            *until = soon.min(*until);
        }
    }

    pub(super) fn tick_registrar(&mut self) {
        if self.registrar.deadline().is_some_and(|until| until <= self.now) {
            self.lock_for_names();
        }
    }
}

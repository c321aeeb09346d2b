//! What the local application asks for. A name is given and taken under the lock of every member: first that of the
//! greatest name, then of all others; then all are told; then all locks are given back. One request after another.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use beamline_term::{Pid, Term, atom};

use super::message::{self, Entry};
use super::{Completion, Effect, Global, LockId, Method, Purpose, RequestId};
use crate::NodeName;

/// How many requests may wait.
const MAX_REQUESTS: usize = 100_000;

/// How often the lock is tried before a request is given up.
const MAX_TRIES: u32 = 12;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<(RequestId, Change)>,
    step: Step,
    /// Nodes whose answers to the current step are missing.
    missing: BTreeSet<NodeName>,
    /// Nodes that have granted the lock.
    locked: Vec<NodeName>,
    refused: bool,
    tries: u32,
    pub(super) retry_at: Option<Duration>,
}

#[derive(Debug, Clone)]
enum Change {
    Register(Term, Pid),
    Unregister(Term),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    LockBoss,
    LockAll,
    Tell,
}

impl Global {
    /// Gives a process of this node a name.
    pub fn register(&mut self, request: RequestId, name: Term, pid: Pid, now: Duration) {
        self.enqueue(request, Change::Register(name, pid), now);
    }

    /// Takes a name away.
    pub fn unregister(&mut self, request: RequestId, name: Term, now: Duration) {
        self.enqueue(request, Change::Unregister(name), now);
    }

    /// Completes when all connected nodes have the same table.
    pub fn sync(&mut self, request: RequestId, _now: Duration) {
        let missing = self.connected.iter().filter(|node| !self.synced.contains(*node)).cloned().collect();
        self.syncing.push((request, missing));
        self.check_syncs();
    }

    pub(super) fn check_syncs(&mut self) {
        let (synced, connected, known) = (&self.synced, &self.connected, &self.known);
        // Who is gone for good is not waited for; who is known and on its way is.
        let settled = |missing: &mut BTreeSet<NodeName>| {
            missing.retain(|node| !synced.contains(node) && (connected.contains(node) || known.contains_key(node)));
            missing.is_empty()
        };
        let mut effects = Vec::new();
        self.syncing.retain_mut(|(request, missing)| {
            let done = settled(missing);
            if done {
                effects.push(Effect::Complete { request: *request, completion: Completion::Done });
            }
            !done
        });
        self.sync_replies.retain_mut(|(to, missing)| {
            let done = settled(missing);
            if done {
                effects.push(Effect::Reply { to: to.clone(), reply: Term::atom("ok") });
            }
            !done
        });
        self.effects.extend(effects);
    }

    fn enqueue(&mut self, request: RequestId, change: Change, now: Duration) {
        if self.requests.waiting.len() >= MAX_REQUESTS {
            return self.effects.push_back(Effect::Complete { request, completion: Completion::Busy });
        }
        self.requests.waiting.push_back((request, change));
        self.request_step(now);
    }

    fn change_lock(&self) -> LockId {
        LockId { resource: atom("global").into(), requester: self.config.name_server.clone().into() }
    }

    /// Begins with the first request, if none is being worked on.
    pub(super) fn request_step(&mut self, now: Duration) {
        if self.requests.step != Step::Idle || self.requests.retry_at.is_some() {
            return;
        }
        let Some((request, change)) = self.requests.waiting.front().cloned() else { return };
        if let Change::Register(name, pid) = &change {
            let taken = self.names.get(name).map(|named| Completion::Taken(named.pid.clone()));
            let named = self.names.of(pid).first().map(|name| Completion::Named(name.clone()));
            if let Some(completion) = taken.or(named) {
                return self.finish_request(request, completion, now);
            }
        }
        let lock = self.change_lock();
        let own = self.config.name_server.clone();
        if !self.grant(&lock, &own) {
            return self.try_later(now);
        }
        self.requests.locked.clear();
        self.requests.refused = false;
        let boss = self.synced.iter().max().filter(|node| **node > self.config.node).cloned();
        match boss {
            Some(boss) => self.ask(Step::LockBoss, [boss], &message::set_lock(&lock), now),
            None => self.lock_all(now),
        }
    }

    fn lock_all(&mut self, now: Duration) {
        let lock = self.change_lock();
        let rest: Vec<NodeName> =
            self.synced.iter().filter(|node| !self.requests.locked.contains(node)).cloned().collect();
        self.ask(Step::LockAll, rest, &message::set_lock(&lock), now);
    }

    fn ask(&mut self, step: Step, nodes: impl IntoIterator<Item = NodeName>, request: &Term, now: Duration) {
        self.requests.step = step;
        self.requests.missing = nodes.into_iter().collect();
        let own = self.config.name_server.clone();
        for node in self.requests.missing.clone() {
            self.call(&node, &own, request.clone(), Purpose::RequestStep(node.clone()));
        }
        self.next_step(now);
    }

    pub(super) fn request_answered(&mut self, node: &NodeName, gone: bool, granted: bool, now: Duration) {
        if !self.requests.missing.remove(node) {
            return;
        }
        if matches!(self.requests.step, Step::LockBoss | Step::LockAll) {
            // A node that is gone, or has no `global`, is not asked for its consent.
            if granted && !gone {
                self.requests.locked.push(node.clone());
            } else if !gone {
                self.requests.refused = true;
            }
        }
        self.next_step(now);
    }

    /// A node is gone, and its answer will not come.
    pub(super) fn request_lost(&mut self, node: &NodeName, now: Duration) {
        if self.requests.missing.remove(node) {
            self.next_step(now);
        }
        self.requests.locked.retain(|locked| locked != node);
    }

    fn next_step(&mut self, now: Duration) {
        if !self.requests.missing.is_empty() {
            return;
        }
        match self.requests.step {
            Step::Idle => {}
            Step::LockBoss | Step::LockAll if self.requests.refused => {
                self.give_locks_back();
                self.try_later(now);
            }
            Step::LockBoss => self.lock_all(now),
            Step::LockAll => self.tell_change(now),
            Step::Tell => {
                self.give_locks_back();
                if let Some((request, _)) = self.requests.waiting.front() {
                    self.finish_request(*request, Completion::Done, now);
                }
            }
        }
    }

    fn tell_change(&mut self, now: Duration) {
        let Some((request, change)) = self.requests.waiting.front().cloned() else { return };
        let told = match change {
            Change::Register(name, pid) => {
                if let Some(named) = self.names.get(&name) {
                    let completion = Completion::Taken(named.pid.clone());
                    self.give_locks_back();
                    return self.finish_request(request, completion, now);
                }
                let entry = Entry { name, pid, method: Method::RandomExit.to_term() };
                let told = message::register(&entry);
                self.insert(entry, None);
                told
            }
            Change::Unregister(name) => {
                self.delete(&name);
                message::unregister(&name)
            }
        };
        let nodes: Vec<NodeName> = self.synced.iter().cloned().collect();
        self.ask(Step::Tell, nodes, &told, now);
    }

    fn give_locks_back(&mut self) {
        let (lock, own) = (self.change_lock(), self.config.name_server.clone());
        self.release(&lock, &own);
        let mut locked = std::mem::take(&mut self.requests.locked);
        // That of the greatest name is given back last.
        locked.sort();
        for node in locked {
            self.call(&node, &own, message::del_lock(&lock), Purpose::Unlock);
        }
        self.requests.step = Step::Idle;
    }

    fn try_later(&mut self, now: Duration) {
        self.requests.step = Step::Idle;
        if self.requests.tries >= MAX_TRIES
            && let Some((request, _)) = self.requests.waiting.front()
        {
            return self.finish_request(*request, Completion::NotLocked, now);
        }
        self.requests.retry_at = Some(now + self.random.backoff(self.requests.tries));
        self.requests.tries += 1;
    }

    fn finish_request(&mut self, request: RequestId, completion: Completion, now: Duration) {
        self.requests.waiting.pop_front();
        self.requests.tries = 0;
        self.requests.step = Step::Idle;
        self.effects.push_back(Effect::Complete { request, completion });
        self.request_step(now);
    }
}

//! `global`: one table of names for the whole cluster, as a deterministic state machine.
//!
//! Follows OTP's `global` of protocol version 8 (and 7, 6). A shell runs it in the process that is registered as
//! `global_name_server`: it hands in connections, messages, the ends of watched processes and the outcomes of calls, each
//! with the time since the start; then it takes [`Effect`]s until there are none, and comes back with
//! [`Global::tick`] at [`Global::next_deadline`]. There is no clock, socket or task in here, and chance comes from a seed.
//!
//! | file | concept |
//! | --- | --- |
//! | `message` | what peers say, parsed once |
//! | `session` | two nodes that meet lock, exchange names and merge their partitions |
//! | `partition` | who is known, and what a lost connection means for the others |
//! | `request` | registering and unregistering under the lock of all nodes; `sync` |
//! | `lock`, `names` | the two tables |

mod effect;
mod lock;
mod message;
mod names;
mod partition;
mod random;
mod request;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use beamline_term::{Pid, Term, atom};

pub use effect::{CallFailure, CallId, Completion, Effect, LockId, Method, RequestId};

use lock::{Locks, Setting};
use message::{Entry, Message, Op, Request};
use names::Names;
use random::Random;
use session::Session;

use crate::NodeName;

/// How many names one table takes; past it registrations of peers are refused.
const MAX_NAMES: usize = 1_000_000;

/// How many locks the processes of one node may hold.
const MAX_LOCKS_PER_NODE: usize = 10_000;

/// What a participant is told at its start.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node.
    pub node: NodeName,
    /// The process that is registered as `global_name_server`.
    pub name_server: Pid,
    /// The process in whose name sessions are locked. Peers watch it: it must live as long as the name server.
    pub locker: Pid,
    /// Whether to connect with every node that peers know.
    pub connect_all: bool,
    /// Whether a lost connection makes others drop the lost node too.
    pub prevent_overlapping_partitions: bool,
    /// For delays and tags.
    pub seed: u64,
}

/// A participant in `global`.
#[derive(Debug)]
pub struct Global {
    config: Config,
    random: Random,
    names: Names,
    locks: Locks,
    /// Nodes with which a session runs or that are connected and not yet merged.
    sessions: BTreeMap<NodeName, Session>,
    /// The members of our partition and their versions.
    known: BTreeMap<NodeName, u32>,
    /// Those of them that are connected and have our table.
    synced: BTreeSet<NodeName>,
    connected: BTreeSet<NodeName>,
    requests: request::Queue,
    lost: partition::Seen,
    calls: BTreeMap<CallId, Purpose>,
    next_call: u64,
    syncing: Vec<(RequestId, BTreeSet<NodeName>)>,
    /// Calls `{sync, Nodes}` of peers that wait.
    sync_replies: Vec<(Term, BTreeSet<NodeName>)>,
    effects: VecDeque<Effect>,
}

/// What an outgoing call is for.
#[derive(Debug, Clone)]
enum Purpose {
    SessionLock(NodeName),
    RequestStep(NodeName),
    Unlock,
    Resolve(NodeName, Entry, Pid),
}

impl Global {
    /// A participant that knows nobody.
    pub fn new(config: Config) -> Global {
        Global {
            random: Random::new(config.seed),
            config,
            names: Names::default(),
            locks: Locks::default(),
            sessions: BTreeMap::new(),
            known: BTreeMap::new(),
            synced: BTreeSet::new(),
            connected: BTreeSet::new(),
            requests: request::Queue::default(),
            lost: partition::Seen::default(),
            calls: BTreeMap::new(),
            next_call: 0,
            syncing: Vec::new(),
            sync_replies: Vec::new(),
            effects: VecDeque::new(),
        }
    }

    /// The next thing to do, if any. They are to be done in this order.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to come back with [`Global::tick`], since the start.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.sessions.values().filter_map(|session| session.retry_at).chain(self.requests.retry_at).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Duration) {
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= now);
        let sessions: Vec<NodeName> =
            self.sessions.iter().filter(|(_, session)| due(session.retry_at)).map(|(node, _)| node.clone()).collect();
        for node in sessions {
            self.begin_lock(&node, now);
        }
        if due(self.requests.retry_at) {
            self.requests.retry_at = None;
            self.request_step(now);
        }
    }

    /// What a peer sent to `global_name_server`. Who sent it, the message says itself; what makes no sense is dropped.
    pub fn message(&mut self, message: &Term, now: Duration) {
        let Some((sender, message)) = Message::parse(message) else { return };
        let sender = &sender;
        match message {
            Message::InitConnect { version, tag, locker } => self.init_connect(sender, version, tag, locker, now),
            Message::InitConnectAck { mine, .. } => self.init_connect_ack(sender, &mine, now),
            Message::CancelConnect { tag } => self.cancel_connect(sender, &tag, now),
            Message::LockSet { set, tag, .. } => self.lock_set(sender, set, tag.as_ref(), now),
            Message::Exchange { names, tag } => self.exchange(sender, names, &tag, now),
            Message::Resolved { ops, known, tag, .. } => self.resolved(sender, ops, known, &tag, now),
            Message::NewNodes { ops, nodes, .. } => self.new_nodes(sender, ops, nodes, now),
            Message::InSync => self.in_sync(sender),
            Message::LostConnection(lost) => self.lost_connection(lost),
            Message::RemoveConnection => self.remove_connection(sender),
            Message::Whereis { name, from } => {
                let reply =
                    self.names.get(&name).map_or_else(|| Term::atom("undefined"), |named| named.pid.clone().into());
                self.effects.push_back(Effect::Reply { to: from, reply });
            }
            Message::Call { from, caller, request } => self.request_of_peer(from, &caller, request),
        }
    }

    fn request_of_peer(&mut self, from: Term, caller: &Pid, request: Request) {
        let reply: Term = match request {
            Request::SetLock(lock) => self.grant(&lock, caller).into(),
            Request::DelLock(lock) => {
                self.release(&lock, caller);
                true.into()
            }
            Request::Register(entry, external) => {
                if self.names.len() < MAX_NAMES {
                    self.insert(entry, external);
                    Term::atom("yes")
                } else {
                    Term::atom("no")
                }
            }
            Request::Unregister(name) => {
                self.delete(&name);
                Term::atom("ok")
            }
            Request::GetKnown => self.known.keys().map(Term::from).collect::<Vec<_>>().into(),
            Request::GetSynced => self.synced.iter().map(Term::from).collect::<Vec<_>>().into(),
            Request::GetNamesExt => {
                self.names.externals().iter().map(message::external_term).collect::<Vec<_>>().into()
            }
            Request::GetProtocolVersion => Term::from(message::VERSION),
            Request::Info => Term::atom("undefined"),
            Request::Sync(nodes) => {
                let missing = nodes.into_iter().filter(|node| *node != self.config.node);
                let missing: BTreeSet<NodeName> = missing.filter(|node| !self.synced.contains(node)).collect();
                self.sync_replies.push((from, missing));
                return self.check_syncs();
            }
        };
        self.effects.push_back(Effect::Reply { to: from, reply });
    }

    /// Sets a lock for a process, which is watched from then on.
    fn grant(&mut self, lock: &LockId, holder: &Pid) -> bool {
        if self.locks.count_at(holder.node()) >= MAX_LOCKS_PER_NODE {
            return false;
        }
        match self.locks.set(lock, holder) {
            Setting::Set => {
                self.watch(holder);
                true
            }
            Setting::Again => true,
            Setting::Refused => false,
        }
    }

    fn release(&mut self, lock: &LockId, holder: &Pid) {
        if self.locks.release(lock, holder) {
            self.unwatch(holder);
        }
    }

    fn is_own(&self, pid: &Pid) -> bool {
        *pid == self.config.locker || *pid == self.config.name_server
    }

    fn watch(&mut self, pid: &Pid) {
        if !self.is_own(pid) {
            self.effects.push_back(Effect::Monitor(pid.clone()));
        }
    }

    /// Stops watching a process that neither has a name nor holds a lock.
    fn unwatch(&mut self, pid: &Pid) {
        if !self.is_own(pid) && self.names.of(pid).is_empty() && self.locks.of(pid).is_empty() {
            self.effects.push_back(Effect::Demonitor(pid.clone()));
        }
    }

    fn insert(&mut self, entry: Entry, external: Option<NodeName>) {
        let (name, pid) = (entry.name.clone(), entry.pid.clone());
        let before = self.names.insert(entry, external);
        if before.as_ref() != Some(&pid) {
            self.watch(&pid);
            if let Some(before) = before {
                self.unwatch(&before);
            }
        }
        self.effects.push_back(Effect::Name { name, pid: Some(pid) });
    }

    fn delete(&mut self, name: &Term) {
        if let Some(pid) = self.names.remove(name) {
            self.effects.push_back(Effect::Name { name: name.clone(), pid: None });
            self.unwatch(&pid);
        }
    }

    fn apply(&mut self, ops: Vec<Op>) {
        for op in ops {
            match op {
                Op::Insert(entry) if self.names.len() < MAX_NAMES => self.insert(entry, None),
                Op::Insert(_) => {}
                Op::Delete(name) => self.delete(&name),
            }
        }
    }

    /// A watched process has ended: its names and locks are gone.
    pub fn process_down(&mut self, pid: &Pid, _now: Duration) {
        for name in self.names.of(pid).to_vec() {
            self.names.remove(&name);
            self.effects.push_back(Effect::Name { name, pid: None });
        }
        for lock in self.locks.of(pid) {
            self.locks.release(&lock, pid);
        }
    }

    fn call(&mut self, node: &NodeName, from: &Pid, request: Term, purpose: Purpose) {
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.calls.insert(id, purpose);
        self.effects.push_back(Effect::Call { id, node: node.clone(), from: from.clone(), request });
    }

    /// The outcome of a call that was asked for.
    pub fn reply(&mut self, id: CallId, outcome: Result<Term, CallFailure>, now: Duration) {
        let granted = matches!(&outcome, Ok(answer) if !answer.is_atom("false"));
        match self.calls.remove(&id) {
            Some(Purpose::SessionLock(node)) => self.session_locked(&node, granted, now),
            Some(Purpose::RequestStep(node)) => self.request_answered(&node, outcome.is_err(), granted, now),
            Some(Purpose::Resolve(..) | Purpose::Unlock) | None => {}
        }
    }

    /// The outcome of an rpc that was asked for.
    pub fn rpc_reply(&mut self, id: CallId, outcome: Result<Term, CallFailure>, now: Duration) {
        if let Some(Purpose::Resolve(node, theirs, own)) = self.calls.remove(&id) {
            let winner = outcome.ok().and_then(|answer| answer.as_pid().cloned());
            self.conflict_resolved(&node, theirs, &own, winner, now);
        }
    }

    fn send(&mut self, node: &NodeName, message: Term) {
        self.effects.push_back(Effect::Send { node: node.clone(), message });
    }

    /// The lock that two nodes hold while they merge: named by both lockers, in Erlang's order.
    fn session_lock(&self, their_locker: &Pid) -> LockId {
        let mut lockers = [self.config.locker.clone(), their_locker.clone()];
        lockers.sort();
        let requester = Term::list(lockers.into_iter().map(Term::Pid));
        LockId { resource: atom("global").into(), requester }
    }
}

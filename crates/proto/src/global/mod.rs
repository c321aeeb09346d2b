//! `global`: one table of names for a whole cluster, and locks over its nodes.
//!
//! A full participant of the protocol of OTP's module `global`, versions 8, 7 and 6, as a deterministic state machine. It
//! opens no socket, reads no clock, starts no process and draws no randomness but from the seed it was given.
//!
//! | module | what |
//! | --- | --- |
//! | `message` | the messages, parsed at the edge |
//! | `names`, `lock` | the two tables |
//! | `session` | two nodes that meet exchange their names; `resolve` settles what both have |
//! | `locker` | locks both partitions for a session |
//! | `registrar`, `claim` | registrations and locks of the local application |
//! | `call` | one request to many nodes, and the sum of their answers |
//! | `member` | who is known, in sync, being dialed or removed; overlapping partitions |
//!
//! # How a shell drives it
//! The shell is a process registered as `global_name_server`. It hands in what happens: [`Global::node_up`] and
//! [`Global::node_down`] for *visible* peers (up before anything that the peer sent, down after), every message of the
//! mailbox ([`Global::message`]), the end of processes that it was asked to watch ([`Global::process_down`]), and
//! outcomes of what it was asked to do ([`Global::reply`], [`Global::rpc_reply`], [`Global::connect_failed`]). After every
//! input it carries out all of [`Global::next_effect`] in order, and calls [`Global::tick`] when [`Global::next_deadline`]
//! has come. `now` is the time since any fixed moment. `tests/global.rs` of this crate holds a shell over a virtual
//! network.
//!
//! It owns two processes, which live as long as it does: the name server and the locker; peers watch both. Functions of
//! `global` that peers call by rpc (`resolve_it/4`) are not messages: the shell answers them with [`resolve`].
//!
//! Before the node stops, [`Global::prepare_shutdown`] keeps it from reporting its own departures as lost connections.

mod call;
mod claim;
mod effect;
mod lock;
mod locker;
mod member;
mod message;
mod names;
mod random;
mod registrar;
mod resolve;
mod session;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use beamline_term::{Atom, Pid, Term, atom};

pub use effect::{CallFailure, CallId, Completion, Effect, LockId, Method, RequestId};
pub use resolve::{Resolution, resolve};

use crate::NodeName;
use call::Calls;
use claim::Claim;
use lock::{Locks, Setting};
use locker::Locker;
use member::{Dial, Doubt, Lost, Sync, Waiter};
use message::{Entry, External, Message, Request};
use names::Names;
use random::Random;
use registrar::Registrar;
use session::Session;

/// The resource under whose lock names change.
const GLOBAL: Atom = atom("global");

/// Names in the table; more are not taken in.
pub const MAX_NAMES: usize = 1 << 20;
/// Locks held by the processes of one node; more are refused.
pub const MAX_LOCKS_PER_NODE: usize = 10_000;
/// Nodes that are known, in a session, or being dialed; more are left alone.
pub const MAX_NODES: usize = 4096;
/// Local requests, and look-ups of peers, that may wait.
pub const MAX_WAITING: usize = 10_000;

/// What the core must be told at the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node.
    pub node: NodeName,
    /// The process named `global_name_server`; names are registered in its name.
    pub name_server: Pid,
    /// The process in whose name sessions are locked.
    pub locker: Pid,
    /// Take part, and dial every node that the others know. Without it, as in OTP, `global` only answers.
    pub connect_all: bool,
    /// Leave nodes that a member of the cluster has lost, so that partitions never overlap. Has to be the same on all
    /// nodes.
    pub prevent_overlapping_partitions: bool,
    /// For delays and tags; different on every start.
    pub seed: u64,
}

/// The state of `global` on one node.
#[derive(Debug)]
pub struct Global {
    config: Config,
    now: Duration,
    random: Random,
    effects: VecDeque<Effect>,
    /// Connected visible nodes.
    up: BTreeSet<NodeName>,
    /// The members of our partition with their versions, ourselves not among them; some may not be connected yet.
    known: BTreeMap<NodeName, u32>,
    /// Those of whom we have heard that their table is ours.
    synced: BTreeSet<NodeName>,
    /// Connected nodes that we asked to leave us.
    removing: BTreeSet<NodeName>,
    dialing: BTreeMap<NodeName, Dial>,
    sessions: BTreeMap<NodeName, Session>,
    /// When sessions that went out of step begin anew.
    restarts: BTreeMap<NodeName, Duration>,
    doubts: BTreeMap<NodeName, Doubt>,
    lost: Lost,
    syncs: Vec<Sync>,
    names: Names,
    locks: Locks,
    /// The holder of the lock `global` died with it: names that were sent under it are not to be believed.
    lock_broken: bool,
    watched: HashMap<Pid, Watch>,
    calls: Calls,
    locker: Locker,
    registrar: Registrar,
    claims: BTreeMap<RequestId, Claim>,
    lookups: Vec<(Term, Term)>,
    last_id: u64,
}

#[derive(Debug, Default)]
struct Watch {
    uses: usize,
    /// Not while the node is still being dialed.
    asked: bool,
}

/// By what right a name changes.
#[derive(Debug, Clone, Copy)]
enum Authority<'a> {
    /// A process that should hold the lock.
    Caller(&'a Pid),
    /// The requester of the lock under which two partitions merged.
    Session(Option<&'a Term>),
}

impl Global {
    /// A node on its own.
    pub fn new(config: Config) -> Global {
        Global {
            now: Duration::ZERO,
            random: Random::new(config.seed),
            effects: VecDeque::new(),
            up: BTreeSet::new(),
            known: BTreeMap::new(),
            synced: BTreeSet::new(),
            removing: BTreeSet::new(),
            dialing: BTreeMap::new(),
            sessions: BTreeMap::new(),
            restarts: BTreeMap::new(),
            doubts: BTreeMap::new(),
            lost: Lost::default(),
            syncs: Vec::new(),
            names: Names::default(),
            locks: Locks::default(),
            lock_broken: false,
            watched: HashMap::new(),
            calls: Calls::default(),
            locker: Locker::default(),
            registrar: Registrar::default(),
            claims: BTreeMap::new(),
            lookups: Vec::new(),
            last_id: 0,
            config,
        }
    }

    /// The next thing to do, until there is none.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When [`Global::tick`] is due, on the clock of `now`.
    pub fn next_deadline(&self) -> Option<Duration> {
        let claims = self.claims.values().filter_map(Claim::deadline).min();
        let sessions = [self.locker_deadline(), self.restart_deadline(), self.doubt_deadline()];
        sessions.into_iter().chain([self.registrar.deadline(), claims]).flatten().min()
    }

    /// Does what has become due.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        self.settle_doubts();
        self.tick_restarts();
        self.tick_locker();
        self.tick_registrar();
        self.tick_claims();
        self.settle();
    }

    /// A message came to `global_name_server`. What `global` does not understand, it ignores.
    pub fn message(&mut self, message: &Term, now: Duration) {
        self.now = now;
        if let Some((sender, message)) = Message::parse(message) {
            self.dispatch(&sender, message);
            self.settle();
        }
    }

    /// A watched process has ended, or could not be watched.
    pub fn process_down(&mut self, pid: &Pid, now: Duration) {
        self.now = now;
        if let Some(watch) = self.watched.get_mut(pid) {
            // The shell has dropped the monitor.
            watch.asked = false;
        }
        self.bury(pid);
        self.settle();
    }

    /// Whose a name is.
    pub fn whereis(&self, name: &Term) -> Option<&Pid> {
        self.names.get(name).map(|named| &named.pid)
    }

    /// The whole table.
    pub fn registered(&self) -> impl Iterator<Item = (&Term, &Pid)> {
        self.names.iter()
    }

    /// The locks on this node: resource, requester, holders.
    pub fn locks(&self) -> impl Iterator<Item = (&Term, &Term, &[Pid])> {
        self.locks.iter()
    }

    /// The other members of this node's partition.
    pub fn known(&self) -> impl Iterator<Item = &NodeName> {
        self.known.keys()
    }

    /// Connected visible nodes.
    pub fn visible(&self) -> impl Iterator<Item = &NodeName> {
        self.up.iter()
    }

    fn dispatch(&mut self, sender: &NodeName, message: Message) {
        match message {
            Message::InitConnect { version, tag, locker } => self.init_connect(sender, version, tag, locker),
            Message::InitConnectAck { mine, theirs } => self.init_connect_ack(sender, &mine, &theirs),
            Message::CancelConnect { tag } => self.cancel_connect(sender, &tag),
            Message::LockSet { locker, set, tag } => self.lock_set(sender, &locker, set, tag.as_ref()),
            Message::Exchange { names, tag } => self.exchange(sender, names, &tag),
            Message::Resolved { ops, known, externals, tag } => {
                self.resolved(sender, session::Outcome { ops, known, externals }, &tag);
            }
            Message::NewNodes { ops, externals, nodes, requester } => {
                self.new_nodes(sender, ops, &externals, nodes, requester.as_ref());
            }
            Message::InSync { known } => self.in_sync(sender, known),
            Message::LostConnection(lost) => self.lost_connection(lost),
            Message::RemoveConnection => self.remove_connection(sender),
            Message::Whereis { name, from } => {
                if self.lookups.len() < MAX_WAITING {
                    self.lookups.push((name, from));
                }
            }
            Message::Call { from, caller, request } => self.answer(from, &caller, request),
        }
    }

    fn answer(&mut self, from: Term, caller: &Pid, request: Request) {
        let reply = match request {
            Request::SetLock(lock) => self.set_local(&lock, caller).into(),
            Request::DelLock(lock) => {
                self.release_local(&lock, caller, false);
                true.into()
            }
            Request::Register(entry, external) => {
                self.insert_name(entry, external, Authority::Caller(caller));
                Term::atom("yes")
            }
            Request::Unregister(name) => {
                self.remove_name(&name);
                Term::atom("ok")
            }
            Request::GetKnown => self.known_terms(message::VERSION).into(),
            Request::GetSynced => self.synced.iter().map(Term::from).collect::<Vec<_>>().into(),
            Request::GetNamesExt => self.external_terms().into(),
            Request::GetProtocolVersion => i64::from(message::VERSION).into(),
            Request::Info => self.info(),
            Request::Sync(nodes) => return self.start_sync(nodes, Waiter::Caller(from)),
        };
        self.effects.push_back(Effect::Reply { to: from, reply });
    }

    /// What `global:info/0` shows is OTP's own state, which nobody can rely on; ours is a map.
    fn info(&self) -> Term {
        let pairs: [(Term, Term); 4] = [
            (Term::atom("node"), (&self.config.node).into()),
            (Term::atom("known"), self.known_terms(message::VERSION).into()),
            (Term::atom("synced"), self.synced.iter().map(Term::from).collect::<Vec<_>>().into()),
            (Term::atom("the_locker"), self.config.locker.clone().into()),
        ];
        Term::map(pairs)
    }

    fn known_terms(&self, version: u32) -> Vec<Term> {
        message::members_term(self.known.iter().map(|(node, version)| (node, *version)), version)
    }

    fn external_terms(&self) -> Vec<Term> {
        self.names.externals().iter().map(message::external_term).collect()
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn complete(&mut self, request: RequestId, completion: Completion) {
        self.effects.push_back(Effect::Complete { request, completion });
    }

    // The two tables, and the watching of their processes.

    fn set_local(&mut self, lock: &LockId, pid: &Pid) -> bool {
        if self.locks.count_at(pid.node()) >= MAX_LOCKS_PER_NODE {
            return false;
        }
        let setting = self.locks.set(lock, pid);
        if setting == Setting::Set {
            self.watch(pid);
        }
        setting != Setting::Refused
    }

    fn release_local(&mut self, lock: &LockId, pid: &Pid, died: bool) {
        if !self.locks.release(lock, pid) {
            return;
        }
        self.unwatch(pid);
        let global = Term::Atom(GLOBAL);
        if lock.resource == global && !self.locks.is_set(&global) {
            self.lock_broken = died;
            self.lock_was_freed();
        }
    }

    /// True if the lock that `authority` speaks of is still set.
    fn is_authorised(&self, authority: Authority<'_>) -> bool {
        let global = Term::Atom(GLOBAL);
        match (self.locks.requester(&global), authority) {
            (Some(_), Authority::Caller(pid)) => self.locks.is_holder(&global, pid),
            (Some(holder), Authority::Session(requester)) => Some(holder) == requester,
            (None, _) => !self.lock_broken,
        }
    }

    /// A name that is sent after its lock is gone belongs to a time before the sender was lost: then nobody has it.
    fn insert_name(&mut self, entry: Entry, external: Option<NodeName>, authority: Authority<'_>) {
        if !self.is_authorised(authority) {
            return self.remove_name(&entry.name);
        }
        if self.names.get(&entry.name).is_none() && self.names.len() >= MAX_NAMES {
            return;
        }
        let (name, pid) = (entry.name.clone(), entry.pid.clone());
        self.watch(&pid);
        let before = self.names.insert(entry, external);
        if let Some(before) = &before {
            self.unwatch(before);
        }
        if before.as_ref() != Some(&pid) {
            self.effects.push_back(Effect::Name { name, pid: Some(pid) });
        }
    }

    fn remove_name(&mut self, name: &Term) {
        if let Some(pid) = self.names.remove(name) {
            self.unwatch(&pid);
            self.effects.push_back(Effect::Name { name: name.clone(), pid: None });
        }
    }

    fn watch(&mut self, pid: &Pid) {
        let dialing = self.is_dialing(pid.node());
        let watch = self.watched.entry(pid.clone()).or_default();
        watch.uses += 1;
        if !watch.asked && !dialing {
            watch.asked = true;
            self.effects.push_back(Effect::Monitor(pid.clone()));
        }
    }

    fn unwatch(&mut self, pid: &Pid) {
        let Some(watch) = self.watched.get_mut(pid) else { return };
        watch.uses -= 1;
        if watch.uses == 0 {
            let asked = watch.asked;
            self.watched.remove(pid);
            if asked {
                self.effects.push_back(Effect::Demonitor(pid.clone()));
            }
        }
    }

    /// Watches the processes of a node that has come up.
    fn watch_arrived(&mut self, node: &NodeName) {
        for (pid, watch) in &mut self.watched {
            if pid.node() == node.as_atom() && !watch.asked {
                watch.asked = true;
                self.effects.push_back(Effect::Monitor(pid.clone()));
            }
        }
    }

    /// Takes everything from a dead process.
    fn bury(&mut self, pid: &Pid) {
        for lock in self.locks.of(pid) {
            self.release_local(&lock, pid, true);
        }
        for name in self.names.of(pid).to_vec() {
            self.remove_name(&name);
        }
    }

    /// Takes everything from the processes of a node that has gone.
    fn bury_node(&mut self, node: &NodeName) {
        let atom = node.as_atom();
        let pids: BTreeSet<Pid> = self.locks.pids_at(atom).chain(self.names.pids_at(atom)).cloned().collect();
        for pid in pids {
            self.bury(&pid);
        }
    }

    /// Look-ups of peers wait while names may be changing.
    fn answer_lookups(&mut self) {
        if self.lookups.is_empty() || self.locks.is_set(&Term::Atom(GLOBAL)) {
            return;
        }
        for (name, to) in std::mem::take(&mut self.lookups) {
            let reply = self.whereis(&name).map_or(Term::atom("undefined"), |pid| pid.clone().into());
            self.effects.push_back(Effect::Reply { to, reply });
        }
    }

    /// Follows up on everything that the input has set going.
    fn settle(&mut self) {
        loop {
            if let Some((owner, agreed)) = self.calls.next_done() {
                self.step_done(owner, agreed);
            } else if !self.next_invitation() {
                break;
            }
        }
        self.answer_lookups();
    }
}

/// Of the external names in a message, the node that registered this one.
fn external_of(externals: &[External], entry: &Entry) -> Option<NodeName> {
    let found = externals.iter().find(|(name, pid, _)| *name == entry.name && *pid == entry.pid)?;
    Some(found.2.clone())
}

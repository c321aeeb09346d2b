//! A session: two nodes that meet agree on a lock, exchange their names, resolve what clashes, and are one partition.
//!
//! Both tell each other a tag (`init_connect`). Then either side sets the lock at home and says so (`lock_set`); the other sets
//! it too, at both nodes, and agrees. Both send their names (`exchange`) and what they decided about clashes (`resolved`).
//! The node of the smaller name decides.

use std::time::Duration;

use beamline_term::{Pid, Term};

use super::message::{self, Entry, Member, Op, Tag};
use super::{CallId, Effect, Global, Method, Purpose};
use crate::NodeName;

#[derive(Debug)]
pub(super) struct Session {
    /// Ours of this attempt; the peer's messages carry it.
    pub(super) tag: Tag,
    pub(super) peer: Option<Counterpart>,
    lock: Lock,
    pub(super) retry_at: Option<Duration>,
    tries: u32,
    /// What the peer's names mean for our table.
    ops: Vec<Op>,
    exchanged: bool,
    /// Clashes whose outcome is not known yet.
    undecided: usize,
    decided: Vec<Op>,
    told: bool,
    resolved: Option<(Vec<Op>, Vec<Member>)>,
}

/// What `init_connect` told of the peer.
#[derive(Debug, Clone)]
pub(super) struct Counterpart {
    pub(super) version: u32,
    pub(super) tag: Tag,
    pub(super) locker: Pid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Lock {
    /// Set at home and told to the peer.
    ours: bool,
    /// The peer said that it has set it.
    theirs: bool,
}

impl Session {
    fn new(tag: Tag) -> Session {
        Session {
            tag,
            peer: None,
            lock: Lock::default(),
            retry_at: None,
            tries: 0,
            ops: Vec::new(),
            exchanged: false,
            undecided: 0,
            decided: Vec::new(),
            told: false,
            resolved: None,
        }
    }
}

impl Global {
    /// Begins a session, again if one fails: each attempt has a tag of its own.
    pub(super) fn open_session(&mut self, node: &NodeName) {
        let tag: Term = ((self.random.next() >> 5) as i64).into();
        let hello = message::init_connect(&self.config.node, &tag, &self.config.locker);
        self.sessions.insert(node.clone(), Session::new(tag));
        self.send(node, hello);
    }

    pub(super) fn init_connect(&mut self, node: &NodeName, version: u32, tag: Tag, locker: Pid, now: Duration) {
        if version < message::OLDEST || !self.connected.contains(node) {
            return;
        }
        if !self.sessions.contains_key(node) {
            // It began anew, or thinks that we do not know each other.
            self.known.remove(node);
            self.synced.remove(node);
            self.open_session(node);
        }
        let me = self.config.node.clone();
        let Some(session) = self.sessions.get_mut(node) else { return };
        session.peer = Some(Counterpart { version, tag: tag.clone(), locker });
        if version >= message::ACK_VERSION {
            let ack = message::init_connect_ack(&me, &tag, &session.tag);
            self.send(node, ack);
        }
        // One begins at once; should it be refused, or be slow, the other does later.
        let delay = if me > *node { Duration::ZERO } else { Duration::from_millis(400) };
        if let Some(session) = self.sessions.get_mut(node) {
            session.retry_at = Some(now + delay);
        }
    }

    pub(super) fn init_connect_ack(&mut self, node: &NodeName, mine: &Tag, _now: Duration) {
        let Some(session) = self.sessions.get(node).filter(|session| session.tag != *mine) else { return };
        // It took up an attempt that we have given up.
        if let Some(peer) = session.peer.clone() {
            let cancelled = message::cancel_connect(&self.config.node, &peer.tag);
            self.send(node, cancelled);
        }
        self.restart_session(node);
    }

    pub(super) fn cancel_connect(&mut self, node: &NodeName, mine: &Tag, _now: Duration) {
        if self.sessions.get(node).is_some_and(|session| session.tag == *mine) {
            self.restart_session(node);
        }
    }

    fn restart_session(&mut self, node: &NodeName) {
        self.unlock_session(node);
        self.open_session(node);
    }

    /// Tries to set the lock at home, and tells the peer.
    pub(super) fn begin_lock(&mut self, node: &NodeName, now: Duration) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        session.retry_at = None;
        let Some(peer) = session.peer.clone() else { return };
        if session.lock.ours {
            return;
        }
        let lock = self.session_lock(&peer.locker);
        let locker = self.config.locker.clone();
        if !self.grant(&lock, &locker) {
            return self.retry_later(node, now);
        }
        if let Some(session) = self.sessions.get_mut(node) {
            session.lock.ours = true;
        }
        self.tell_lock(node, &peer, true);
        self.both_locked(node, now);
    }

    fn tell_lock(&mut self, node: &NodeName, peer: &Counterpart, set: bool) {
        let members = self.known.iter().map(|(node, version)| (node, *version));
        let known = message::members_term(members, peer.version);
        let tag = (peer.version >= message::ACK_VERSION).then_some(&peer.tag);
        let told = message::lock_set(&self.config.locker, set, known, tag);
        self.send(node, told);
    }

    fn retry_later(&mut self, node: &NodeName, now: Duration) {
        if let Some(session) = self.sessions.get_mut(node) {
            let wait = self.random.backoff(session.tries);
            session.tries += 1;
            session.retry_at = Some(now + wait);
        }
    }

    /// The peer has set its lock, or could not.
    pub(super) fn lock_set(&mut self, node: &NodeName, set: bool, tag: Option<&Tag>, now: Duration) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        let Some(peer) = session.peer.clone() else { return };
        if tag.is_some_and(|tag| *tag != session.tag) {
            return;
        }
        let had_ours = session.lock.ours;
        if !set {
            self.unlock_session(node);
            if let Some(session) = self.sessions.get_mut(node) {
                session.lock = Lock::default();
            }
            return self.retry_later(node, now);
        }
        session.lock.theirs = true;
        let lock = self.session_lock(&peer.locker);
        let locker = self.config.locker.clone();
        if !had_ours && !self.grant(&lock, &locker) {
            if let Some(session) = self.sessions.get_mut(node) {
                session.lock = Lock::default();
            }
            self.tell_lock(node, &peer, false);
            return self.retry_later(node, now);
        }
        // The lock is held at both nodes in the name of both lockers.
        self.call(node, &locker, message::set_lock(&lock), Purpose::SessionLock(node.clone()));
    }

    /// The peer's answer to our setting the lock there.
    pub(super) fn session_locked(&mut self, node: &NodeName, granted: bool, now: Duration) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        let (Some(peer), had_ours) = (session.peer.clone(), session.lock.ours) else { return };
        if !granted {
            session.lock = Lock::default();
            self.unlock_session(node);
            self.tell_lock(node, &peer, false);
            return self.retry_later(node, now);
        }
        session.lock.ours = true;
        if !had_ours {
            self.tell_lock(node, &peer, true);
        }
        self.both_locked(node, now);
    }

    fn both_locked(&mut self, node: &NodeName, now: Duration) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        if session.told || session.lock != (Lock { ours: true, theirs: true }) {
            return;
        }
        session.told = true;
        session.retry_at = None;
        let Some(peer) = session.peer.clone() else { return };
        let names = message::exchange(&self.config.node, self.names.terms(), &peer.tag);
        self.send(node, names);
        self.answer_exchange(node, now);
    }

    /// The peer's names.
    pub(super) fn exchange(&mut self, node: &NodeName, names: Vec<Entry>, mine: &Tag, now: Duration) {
        let decides = self.config.node < *node;
        let Some(session) = self.sessions.get_mut(node).filter(|session| session.tag == *mine && !session.exchanged)
        else {
            return;
        };
        session.exchanged = true;
        let mut clashes = Vec::new();
        for entry in names {
            match self.names.get(&entry.name) {
                None => session.ops.push(Op::Insert(entry)),
                Some(own) if own.pid == entry.pid => {}
                Some(own) if decides => clashes.push((entry, own.pid.clone(), own.method.clone())),
                // The peer decides, and tells in `resolved`.
                Some(_) => {}
            }
        }
        session.undecided = clashes.len();
        for (theirs, own, method) in clashes {
            self.resolve(node, theirs, own, &method, now);
        }
        self.answer_exchange(node, now);
    }

    fn resolve(&mut self, node: &NodeName, theirs: Entry, own: Pid, method: &Term, now: Duration) {
        if let Method::Custom(fun) = Method::from_term(method) {
            let id = CallId(self.next_call);
            self.next_call += 1;
            let arguments = vec![fun, theirs.name.clone(), theirs.pid.clone().into(), own.clone().into()];
            let (module, function) = (Term::atom("global"), Term::atom("resolve_it"));
            let place = NodeName::from_atom(own.node()).unwrap_or_else(|_| self.config.node.clone());
            self.calls.insert(id, Purpose::Resolve(node.clone(), theirs, own));
            return self.effects.push_back(Effect::Rpc { id, node: place, module, function, arguments });
        }
        let (smaller, greater) = if own.node() < theirs.pid.node() { (&own, &theirs.pid) } else { (&theirs.pid, &own) };
        let conflict = |name: &Term, other: Option<&Pid>| -> Term {
            let mut elements = vec![Term::atom("global_name_conflict"), name.clone()];
            elements.extend(other.cloned().map(Term::Pid));
            Term::tuple(elements)
        };
        let winner = match Method::from_term(method) {
            Method::RandomNotify => {
                let message = conflict(&theirs.name, None);
                self.effects.push_back(Effect::SendPid { pid: greater.clone(), message });
                Some(smaller.clone())
            }
            Method::NotifyAll => {
                for (pid, other) in [(smaller, greater), (greater, smaller)] {
                    let message = conflict(&theirs.name, Some(other));
                    self.effects.push_back(Effect::SendPid { pid: pid.clone(), message });
                }
                None
            }
            _ => {
                self.effects.push_back(Effect::Warn(format!(
                    "global: Name conflict terminating {}",
                    Term::from((theirs.name.clone(), greater.clone()))
                )));
                self.effects.push_back(Effect::Kill(greater.clone()));
                Some(smaller.clone())
            }
        };
        self.conflict_resolved(node, theirs, &own, winner, now);
    }

    pub(super) fn conflict_resolved(
        &mut self,
        node: &NodeName,
        theirs: Entry,
        own: &Pid,
        winner: Option<Pid>,
        now: Duration,
    ) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        session.undecided = session.undecided.saturating_sub(1);
        session.decided.push(match winner {
            Some(pid) if pid == *own || pid == theirs.pid => Op::Insert(Entry { pid, ..theirs }),
            _ => Op::Delete(theirs.name),
        });
        self.answer_exchange(node, now);
    }

    /// Tells what was decided, once all is.
    fn answer_exchange(&mut self, node: &NodeName, now: Duration) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        if !(session.told && session.exchanged && session.undecided == 0) {
            return;
        }
        let Some(peer) = session.peer.clone() else { return };
        // Once only: what follows finds nothing undecided.
        session.undecided = usize::MAX;
        let members = self.known.iter().map(|(node, version)| (node, *version));
        let known = message::members_term(members, peer.version);
        let externals = self.names.externals().iter().map(message::external_term).collect();
        let told = message::resolved(&self.config.node, &session.decided, known, externals, &peer.tag);
        self.send(node, told);
        self.merge(node, now);
    }

    /// What the peer decided, and whom it knows.
    pub(super) fn resolved(&mut self, node: &NodeName, ops: Vec<Op>, known: Vec<Member>, mine: &Tag, now: Duration) {
        if let Some(session) = self.sessions.get_mut(node).filter(|session| session.tag == *mine) {
            session.resolved = Some((ops, known));
            self.merge(node, now);
        }
    }

    /// Both have told everything: the two partitions are one.
    fn merge(&mut self, node: &NodeName, now: Duration) {
        let ready = |session: &Session| session.undecided == usize::MAX && session.resolved.is_some();
        if !self.sessions.get(node).is_some_and(ready) {
            return;
        }
        self.unlock_session(node);
        let Some(session) = self.sessions.remove(node) else { return };
        let (Some((their_ops, their_known)), Some(peer)) = (session.resolved, session.peer) else { return };
        let lock = self.session_lock(&peer.locker);
        let ops: Vec<Op> = [session.ops, session.decided, their_ops].concat();
        let mut fresh: Vec<Member> = vec![(node.clone(), peer.version)];
        fresh.extend(their_known.into_iter().filter(|(other, _)| *other != self.config.node));
        fresh.retain(|(other, _)| !self.known.contains_key(other));
        for (member, version) in self.known.clone() {
            let nodes = message::members_term(fresh.iter().map(|(node, version)| (node, *version)), version);
            let news = message::new_nodes(&self.config.node, &ops, &[], nodes, message::VERSION.min(version), &lock);
            self.send(&member, news);
        }
        self.apply(ops);
        self.synced.insert(node.clone());
        self.learn(fresh);
        self.check_syncs();
        self.request_step(now);
    }

    /// Gives the lock of a session back, at home and at the peer.
    pub(super) fn unlock_session(&mut self, node: &NodeName) {
        let Some(peer) = self.sessions.get(node).and_then(|session| session.peer.clone()) else { return };
        let lock = self.session_lock(&peer.locker);
        let locker = self.config.locker.clone();
        self.release(&lock, &locker);
        if self.connected.contains(node) {
            self.call(node, &locker, message::del_lock(&lock), Purpose::Unlock);
        }
    }
}

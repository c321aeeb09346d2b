//! A session: two nodes that meet lock both their partitions, exchange their names, and tell the others.
//!
//! Follows "Connection algorithm" in OTP's `global`. `init_connect` both ways, acknowledged from version 8 on; the lockers
//! lock (see `locker`); `exchange`; conflicts are resolved (see `resolve`); `resolved`; then each side tells its
//! partition with `new_nodes`, and everybody greets the nodes that are new with `in_sync`.

use std::collections::HashSet;
use std::time::Duration;

use beamline_term::{Atom, Pid, Term};

use super::effect::{Effect, LockId};
use super::message::{self, ACK_VERSION, Entry, External, Member, OLDEST, Op, Tag, VERSION};
use super::resolve::Resolver;
use super::{Authority, Global, MAX_NODES, external_of};
use crate::NodeName;

/// Within this time a session that went out of step is begun anew.
const RESTART: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(super) struct Session {
    /// Ours; what the peer sends must carry it.
    pub(super) tag: Tag,
    /// Known once its `init_connect` is here.
    pub(super) peer: Option<Peer>,
    /// Set once both lockers have it.
    pub(super) lock: Option<LockId>,
    /// The peer's names, come before our locker was done.
    early_names: Option<Vec<Entry>>,
    pub(super) resolver: Option<Resolver>,
    /// What changes here, once our side has compared.
    here: Option<Vec<Op>>,
    /// What the peer has found, once it has.
    outcome: Option<Outcome>,
}

#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// The version that both speak.
    pub(super) version: u32,
    pub(super) tag: Tag,
    pub(super) locker: Pid,
}

/// A peer's `resolved`.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) ops: Vec<Op>,
    pub(super) known: Vec<Member>,
    pub(super) externals: Vec<External>,
}

impl Global {
    /// Makes ourselves known to a connected node that is not yet of our partition.
    pub(super) fn begin_session(&mut self, node: &NodeName) {
        self.restarts.remove(node);
        let begun = self.known.contains_key(node) || self.sessions.contains_key(node);
        if !self.config.connect_all || begun || !self.up.contains(node) || self.sessions.len() >= MAX_NODES {
            return;
        }
        let tag = Term::Integer((self.random.next() >> 16) as i64);
        self.send(node, message::init_connect(&self.config.node, &tag, &self.config.locker));
        let session =
            Session { tag, peer: None, lock: None, early_names: None, resolver: None, here: None, outcome: None };
        self.sessions.insert(node.clone(), session);
    }

    /// Ends a session, done or not, and gives back its lock. With `tell`, the peer is to start over too.
    pub(super) fn end_session(&mut self, node: &NodeName, tell: bool) {
        self.restarts.remove(node);
        let Some(session) = self.sessions.remove(node) else { return };
        if let (true, Some(peer)) = (tell, &session.peer)
            && peer.version >= ACK_VERSION
        {
            self.send(node, message::cancel_connect(&self.config.node, &peer.tag));
        }
        self.cancel_locking(node, &session);
    }

    /// Starts over in a while. If both sides did so at once, each would meet the other's new attempt in the middle of its
    /// own, and cancel it again, for ever; so the first to begin leads, and the other joins when it hears of it.
    fn restart_session(&mut self, node: &NodeName, tell: bool) {
        self.end_session(node, tell);
        let pause = self.random.within(RESTART);
        self.restarts.insert(node.clone(), self.now + pause);
    }

    pub(super) fn restart_deadline(&self) -> Option<Duration> {
        self.restarts.values().min().copied()
    }

    pub(super) fn tick_restarts(&mut self) {
        let due = self.restarts.iter().filter(|(_, at)| **at <= self.now);
        for node in due.map(|(node, _)| node.clone()).collect::<Vec<_>>() {
            self.begin_session(&node);
        }
    }

    pub(super) fn init_connect(&mut self, node: &NodeName, version: u32, tag: Tag, locker: Pid) {
        if version < OLDEST {
            let text =
                format!("global: {node} speaks version {version} of its protocol, {OLDEST} is the oldest served");
            return self.effects.push_back(Effect::Warn(text));
        }
        let peer = Peer { version: version.min(VERSION), tag, locker };
        // Beyond OTP, whose nodes say nothing: whoever waits to be in sync with them waits for ever.
        if !self.config.connect_all {
            return self.send(node, message::in_sync(&self.config.node, false));
        }
        if self.restarts.contains_key(node) {
            self.begin_session(node);
        }
        let Some(session) = self.sessions.get_mut(node) else {
            return self.doubt(node, Some(peer));
        };
        if session.peer.is_some() {
            // Out of step: one of us has missed that the other gave up.
            if peer.version < ACK_VERSION {
                return self.effects.push_back(Effect::Disconnect(node.clone()));
            }
            self.send(node, message::cancel_connect(&self.config.node, &peer.tag));
            return self.restart_session(node, true);
        }
        let acknowledge = message::init_connect_ack(&self.config.node, &peer.tag, &session.tag);
        let version = peer.version;
        session.peer = Some(peer);
        if version >= ACK_VERSION {
            self.send(node, acknowledge);
        }
        self.wake_locker();
    }

    pub(super) fn init_connect_ack(&mut self, node: &NodeName, mine: &Tag, theirs: &Tag) {
        let Some(session) = self.sessions.get(node) else { return };
        let in_step = session.tag == *mine && session.peer.as_ref().is_some_and(|peer| peer.tag == *theirs);
        if !in_step {
            self.send(node, message::cancel_connect(&self.config.node, theirs));
            self.restart_session(node, true);
        }
    }

    pub(super) fn cancel_connect(&mut self, node: &NodeName, tag: &Tag) {
        if self.sessions.get(node).is_some_and(|session| session.tag == *tag) {
            self.restart_session(node, false);
        }
    }

    /// Both lockers have the lock: the peer gets our names.
    pub(super) fn both_locked(&mut self, node: &NodeName, lock: LockId) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        let Some(peer) = &session.peer else { return };
        let names = message::exchange(&self.config.node, self.names.terms(), &peer.tag);
        session.lock = Some(lock);
        let early = session.early_names.take();
        self.send(node, names);
        if let Some(names) = early {
            self.start_comparing(node, names);
        }
    }

    pub(super) fn exchange(&mut self, node: &NodeName, names: Vec<Entry>, tag: &Tag) {
        let Some(session) = self.sessions.get_mut(node).filter(|session| session.tag == *tag) else { return };
        if session.lock.is_none() {
            session.early_names = Some(names);
        } else if session.resolver.is_none() {
            self.start_comparing(node, names);
        }
    }

    fn start_comparing(&mut self, node: &NodeName, names: Vec<Entry>) {
        if let Some(session) = self.sessions.get_mut(node) {
            session.resolver = Some(Resolver::new(names));
            self.compare_names(node);
        }
    }

    /// We have compared: the peer hears what changes at its side, and whom we know.
    pub(super) fn names_compared(&mut self, node: &NodeName) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        let (Some(resolver), Some(peer)) = (&mut session.resolver, &session.peer) else { return };
        let there = std::mem::take(&mut resolver.there);
        session.here = Some(std::mem::take(&mut resolver.here));
        let (version, tag) = (peer.version, peer.tag.clone());
        let known = self.known_terms(version);
        let message = message::resolved(&self.config.node, &there, known, self.external_terms(), &tag);
        self.send(node, message);
        self.finish_session(node);
    }

    pub(super) fn resolved(&mut self, node: &NodeName, outcome: Outcome, tag: &Tag) {
        let Some(session) = self.sessions.get_mut(node).filter(|session| session.tag == *tag) else { return };
        session.outcome = Some(outcome);
        self.finish_session(node);
    }

    /// If both sides have compared: applies what they found, and tells our partition of theirs.
    fn finish_session(&mut self, node: &NodeName) {
        let Some(session) = self.sessions.get_mut(node) else { return };
        let (Some(_), Some(_)) = (&session.here, &session.outcome) else { return };
        let (Some(peer), Some(lock)) = (session.peer.clone(), session.lock.clone()) else { return };
        let (Some(mut ops), Some(outcome)) = (session.here.take(), session.outcome.take()) else { return };
        ops.extend(outcome.ops);

        let mut nodes = vec![(node.clone(), peer.version)];
        let others = outcome.known.into_iter().filter(|(other, _)| *other != self.config.node && other != node);
        nodes.extend(others.map(|(other, version)| match version {
            0 => (other.clone(), self.version_of(&other)),
            version => (other, version),
        }));
        for (other, _) in &nodes[1..] {
            self.greet(other);
        }
        self.apply(&ops, &outcome.externals, Authority::Session(Some(&lock.requester)));
        self.now_synced(node);
        for (other, _) in &nodes[1..] {
            self.end_session(other, false);
        }
        // What we knew of them before, by others, a member may have lost with its own connection to them.
        let told: HashSet<&Term> = ops.iter().map(Op::name).collect();
        let of_new: HashSet<&Atom> = nodes.iter().map(|(node, _)| node.as_atom()).collect();
        let is_untold = |entry: &Entry| of_new.contains(entry.pid.node()) && !told.contains(&entry.name);
        let also: Vec<Op> = self.names.entries().filter(is_untold).map(Op::Insert).collect();
        ops.extend(also);
        for (member, version) in self.known.clone() {
            let news = message::members_term(nodes.iter().map(|(node, version)| (node, *version)), version);
            let me = &self.config.node;
            let message = message::new_nodes(me, &ops, &outcome.externals, news, peer.version, &lock);
            self.deliver(&member, Effect::Send { node: member.clone(), message });
        }
        // The lock goes after the news, so that whoever gets it next has them.
        self.end_session(node, false);
        self.add_known(nodes);
        self.synced.insert(node.clone());
        self.doubts.remove(node);
    }

    /// A member of our partition has met another partition.
    pub(super) fn new_nodes(
        &mut self,
        sender: &NodeName,
        ops: Vec<Op>,
        externals: &[External],
        nodes: Vec<Member>,
        requester: Option<&Term>,
    ) {
        if !self.up.contains(sender) {
            return;
        }
        for node in self.add_known(nodes) {
            self.greet(&node);
        }
        self.apply(&ops, externals, Authority::Session(requester));
    }

    /// A node of the other partition has our names; or, if we are not `known` to it, it takes no part, and nobody has to wait
    /// for it.
    pub(super) fn in_sync(&mut self, node: &NodeName, known: bool) {
        if !self.up.contains(node) {
            return;
        }
        self.synced.insert(node.clone());
        self.end_session(node, false);
        self.now_synced(node);
        if known {
            self.greeted(node);
        }
    }

    fn apply(&mut self, ops: &[Op], externals: &[External], authority: Authority<'_>) {
        for op in ops {
            if let Op::Insert(entry) = op {
                self.insert_name(entry.clone(), external_of(externals, entry), authority);
            }
        }
        for op in ops {
            if let Op::Delete(name) = op {
                self.remove_name(name);
            }
        }
    }
}

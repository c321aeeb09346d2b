//! `pg`: groups of processes over all nodes that run the same scope.
//!
//! The rules of OTP's module `pg` as a deterministic state machine, one for each scope. A scope is a process under the
//! scope's name; it tells the scopes of the same name on other nodes which of *its own node's* processes are in which
//! groups. There are no locks: each node's word counts for its own processes, and ends with the connection. A process may
//! be in a group several times.
//!
//! We speak version 0 of the protocol, which every release understands and OTP 29 falls back to; the discovery of version 1
//! is understood. A real scope process ends when it gets a message that it does not know, so nothing else is ever sent.
//!
//! # How a shell drives it
//! The shell is a process registered under the scope's name. It hands in nodes that come up ([`Scope::node_up`]), every
//! message of the mailbox ([`Scope::message`]), the end of processes it was asked to watch, among them the scopes of nodes
//! that went down ([`Scope::process_down`]), and what the application asks for. After every input it carries out all of
//! [`Scope::next_effect`] in order.

mod members;
mod message;

use std::collections::{HashMap, VecDeque};

use beamline_term::{Pid, Term};

use crate::NodeName;
pub use members::Members;
use members::Table;
use message::Message;

/// How many memberships of other nodes' processes one node may announce; beyond them it is not believed.
pub const MAX_MEMBERSHIPS: usize = 1 << 20;

/// Scopes of other nodes that are known; more are left alone.
pub const MAX_PEERS: usize = 4096;

/// One thing for the shell to do.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Send to the process of the scope's name on a connected node.
    SendName {
        /** The node. */
        node: NodeName,
        /** The message. */
        message: Term,
    },
    /// Send to the scope of a connected node; drop it if the connection is gone.
    Send {
        /** The scope's process. */
        pid: Pid,
        /** The message. */
        message: Term,
    },
    /// Watch a process; its end, or its being dead already, goes to [`Scope::process_down`].
    Monitor(Pid),
    /// Watch it no more.
    Demonitor(Pid),
    /// The members of a group are others now; none means that the group is no more.
    Changed(Term),
}

/// One scope on one node.
#[derive(Debug)]
pub struct Scope {
    me: Pid,
    table: Table,
    /// Our processes, with their groups, as often as they joined.
    local: HashMap<Pid, Vec<Term>>,
    /// The scopes of other nodes.
    peers: HashMap<Pid, Peer>,
    effects: VecDeque<Effect>,
}

#[derive(Debug, Default)]
struct Peer {
    groups: HashMap<Term, Vec<Pid>>,
    memberships: usize,
}

impl Scope {
    /// A scope without members, whose process is `me`.
    pub fn new(me: Pid) -> Scope {
        let (table, effects) = (Table::default(), VecDeque::new());
        Scope { me, table, local: HashMap::new(), peers: HashMap::new(), effects }
    }

    /// The next thing to do, until there is none.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The members of a group, as this node knows them.
    pub fn members(&self, group: &Term) -> Option<&Members> {
        self.table.get(group)
    }

    /// All groups that have members.
    pub fn groups(&self) -> impl Iterator<Item = &Term> {
        self.table.groups()
    }

    /// Scopes of other nodes that are known.
    pub fn peers(&self) -> impl Iterator<Item = &Pid> {
        self.peers.keys()
    }

    /// A node is connected. To be told of visible nodes only, unless this node is hidden: then of all.
    pub fn node_up(&mut self, node: &NodeName) {
        self.effects.push_back(Effect::SendName { node: node.clone(), message: message::discover(&self.me) });
    }

    /// Processes of this node join a group, each as often as it is given.
    pub fn join(&mut self, group: &Term, pids: &[Pid]) {
        let own: Vec<Pid> = pids.iter().filter(|pid| pid.node() == self.me.node()).cloned().collect();
        if own.is_empty() {
            return;
        }
        for pid in &own {
            let groups = self.local.entry(pid.clone()).or_default();
            if groups.is_empty() {
                self.effects.push_back(Effect::Monitor(pid.clone()));
            }
            groups.push(group.clone());
        }
        self.table.join(group, &own, true);
        self.tell_all(&message::join(&self.me, group, &own));
        self.changed(group);
    }

    /// Processes of this node leave a group, once for each time that they are given. False if none of them was in it.
    pub fn leave(&mut self, group: &Term, pids: &[Pid]) -> bool {
        let mut left = Vec::new();
        for pid in pids {
            let Some(groups) = self.local.get_mut(pid) else { continue };
            let Some(place) = groups.iter().position(|joined| joined == group) else { continue };
            groups.swap_remove(place);
            if groups.is_empty() {
                self.local.remove(pid);
                self.effects.push_back(Effect::Demonitor(pid.clone()));
            }
            left.push(pid.clone());
        }
        if left.is_empty() {
            return false;
        }
        self.table.leave(group, &left, true);
        self.tell_all(&message::leave(&self.me, &left, std::slice::from_ref(group)));
        self.changed(group);
        true
    }

    /// A watched process has ended, or could not be watched.
    pub fn process_down(&mut self, pid: &Pid) {
        if let Some(groups) = self.local.remove(pid) {
            self.tell_all(&message::leave(&self.me, std::slice::from_ref(pid), &groups));
            for group in groups {
                self.table.leave(&group, std::slice::from_ref(pid), true);
                self.changed(&group);
            }
        }
        if let Some(peer) = self.peers.remove(pid) {
            for (group, pids) in peer.groups {
                self.table.leave(&group, &pids, false);
                self.changed(&group);
            }
        }
    }

    /// A message came to the scope's process. What is not of the protocol is ignored.
    pub fn message(&mut self, message: &Term) {
        match Message::parse(message) {
            Some(Message::Discover(peer)) => self.discovered(peer),
            Some(Message::Sync(peer, groups)) => self.sync(peer, groups),
            Some(Message::Join(peer, group, pids)) => self.peer_joined(&peer, &group, &pids),
            Some(Message::Leave(peer, pids, groups)) => self.peer_left(&peer, &pids, &groups),
            None => {}
        }
    }

    fn discovered(&mut self, peer: Pid) {
        if peer.node() == self.me.node() {
            return;
        }
        let groups = self.table.local();
        self.effects.push_back(Effect::Send { pid: peer.clone(), message: message::sync(&self.me, groups) });
        if self.meet(&peer) {
            self.effects.push_back(Effect::Send { pid: peer, message: message::discover(&self.me) });
        }
    }

    /// Watches a scope that is new.
    fn meet(&mut self, peer: &Pid) -> bool {
        if self.peers.contains_key(peer) || self.peers.len() >= MAX_PEERS {
            return false;
        }
        self.peers.insert(peer.clone(), Peer::default());
        self.effects.push_back(Effect::Monitor(peer.clone()));
        true
    }

    /// All that a peer has; what it does not name is gone.
    fn sync(&mut self, from: Pid, groups: Vec<(Term, Vec<Pid>)>) {
        if from.node() == self.me.node() {
            return;
        }
        self.meet(&from);
        let Some(peer) = self.peers.get_mut(&from) else { return };
        let before = std::mem::take(peer);
        for (group, pids) in groups {
            peer.add(&from, &group, &pids);
        }
        let mut touched: Vec<Term> = Vec::new();
        for (group, pids) in &before.groups {
            if peer.groups.get(group) != Some(pids) {
                self.table.leave(group, pids, false);
                touched.push(group.clone());
            }
        }
        for (group, pids) in &peer.groups {
            if before.groups.get(group) != Some(pids) {
                self.table.join(group, pids, false);
                touched.extend((!before.groups.contains_key(group)).then(|| group.clone()));
            }
        }
        touched.iter().for_each(|group| self.changed(group));
    }

    fn peer_joined(&mut self, from: &Pid, group: &Term, pids: &[Pid]) {
        // Before its discovery, or after its connection was lost: it will be met anew and say everything.
        let Some(peer) = self.peers.get_mut(from) else { return };
        let added = peer.add(from, group, pids);
        if !added.is_empty() {
            self.table.join(group, &added, false);
            self.changed(group);
        }
    }

    fn peer_left(&mut self, from: &Pid, pids: &[Pid], groups: &[Term]) {
        for group in groups {
            let Some(peer) = self.peers.get_mut(from) else { return };
            let left = peer.remove(group, pids);
            if !left.is_empty() {
                self.table.leave(group, &left, false);
                self.changed(group);
            }
        }
    }

    fn tell_all(&mut self, message: &Term) {
        let told = self.peers.keys().map(|pid| Effect::Send { pid: pid.clone(), message: message.clone() });
        self.effects.extend(told);
    }

    fn changed(&mut self, group: &Term) {
        self.effects.push_back(Effect::Changed(group.clone()));
    }
}

impl Peer {
    /// Takes in those that the scope `of` may speak for, and gives them back.
    fn add(&mut self, of: &Pid, group: &Term, pids: &[Pid]) -> Vec<Pid> {
        let room = MAX_MEMBERSHIPS - self.memberships;
        let own: Vec<Pid> = pids.iter().filter(|pid| pid.node() == of.node()).take(room).cloned().collect();
        if !own.is_empty() {
            self.memberships += own.len();
            self.groups.entry(group.clone()).or_default().extend(own.iter().cloned());
        }
        own
    }

    /// Takes out those that are in it, once each time, and gives them back.
    fn remove(&mut self, group: &Term, pids: &[Pid]) -> Vec<Pid> {
        let Some(members) = self.groups.get_mut(group) else { return Vec::new() };
        let mut left = Vec::new();
        for pid in pids {
            if let Some(place) = members.iter().position(|member| member == pid) {
                left.push(members.swap_remove(place));
            }
        }
        self.memberships -= left.len();
        if members.is_empty() {
            self.groups.remove(group);
        }
        left
    }
}

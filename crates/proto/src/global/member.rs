//! Who belongs to the partition: nodes that come and go, are dialed, are in sync, or have to leave.
//!
//! Follows `sync_others`, `start_sync` and "Prevent Overlapping Partitions Algorithm" of OTP's `global`. Beyond OTP, a
//! member that behaves as if it did not know us (it restarted before we had dialed it) is met anew after [`DOUBT`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beamline_term::{Atom, Term};

use super::effect::{Completion, Effect, RequestId};
use super::message::{self, LostConnection, Member, PARTITION_VERSION};
use super::session::Peer;
use super::{Global, MAX_NODES, MAX_WAITING};
use crate::NodeName;

/// How long two nodes may disagree on whether they know each other; news from third parties takes less.
const DOUBT: Duration = Duration::from_secs(3);

/// For how long a lost connection is remembered.
const MEMORY: Duration = Duration::from_secs(3600);

/// What waits until a node is reached.
#[derive(Debug, Default)]
pub(super) struct Dial {
    waiting: Vec<Effect>,
}

/// A node that we know does not seem to know us, or the other way round.
#[derive(Debug)]
pub(super) struct Doubt {
    until: Duration,
    /// Its `init_connect`, which a member has no reason to send.
    peer: Option<Peer>,
}

/// Lost connections that we have heard of.
#[derive(Debug, Default)]
pub(super) struct Lost {
    heard: BTreeMap<(NodeName, NodeName), Heard>,
    operation: i64,
}

#[derive(Debug)]
struct Heard {
    creation: i64,
    operation: i64,
    at: Duration,
}

/// Somebody waits to be in sync with these.
#[derive(Debug)]
pub(super) struct Sync {
    waiting: BTreeSet<NodeName>,
    who: Waiter,
}

#[derive(Debug)]
pub(super) enum Waiter {
    Request(RequestId),
    /// `From` of a call.
    Caller(Term),
}

/// How a node left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    /// We lost it: the others are told.
    Lost,
    /// It was asked to go: nobody is told when its connection ends.
    Removed,
}

impl Lost {
    /// True if it was heard before.
    fn remember(&mut self, lost: &LostConnection, now: Duration) -> bool {
        let key = (lost.node.clone(), lost.other.clone());
        if let Some(heard) = self.heard.get(&key)
            && heard.creation == lost.creation
            && lost.operation <= heard.operation
        {
            return true;
        }
        if self.heard.len() >= MAX_WAITING {
            self.heard.retain(|_, heard| heard.at + MEMORY > now);
            if self.heard.len() >= MAX_WAITING {
                self.heard.pop_first();
            }
        }
        self.heard.insert(key, Heard { creation: lost.creation, operation: lost.operation, at: now });
        false
    }
}

impl Global {
    /// A visible node is connected; nothing that it sent has been handed in yet.
    pub fn node_up(&mut self, node: &NodeName, now: Duration) {
        self.now = now;
        if self.up.contains(node) {
            self.gone(node);
        }
        self.up.insert(node.clone());
        self.removing.remove(node);
        let dial = self.dialing.remove(node);
        self.watch_arrived(node);
        if let Some(dial) = dial {
            self.effects.extend(dial.waiting);
        }
        self.begin_session(node);
        self.settle();
    }

    /// The connection to a node has ended. `_on_purpose` makes no difference, as in OTP: the others hear of a node that
    /// we disconnected as of one that we lost, and leave it too. [`Global::prepare_shutdown`] is what keeps us quiet.
    pub fn node_down(&mut self, node: &NodeName, _on_purpose: bool, now: Duration) {
        self.now = now;
        if self.up.contains(node) {
            self.gone(node);
        }
        self.settle();
    }

    /// A node could not be reached.
    pub fn connect_failed(&mut self, node: &NodeName, now: Duration) {
        self.now = now;
        if !self.up.contains(node) {
            if self.dialing.remove(node).is_some() {
                let text = format!("global: {} failed to connect to {node}, which others know", self.config.node);
                self.effects.push_back(Effect::Warn(text));
                self.gone(node);
            }
            // Names may have come for a node that was given up while it was dialed: their watch has waited for this.
            self.bury_node(node);
        }
        self.settle();
    }

    /// This node is about to stop: connections that end from now on are nobody's loss.
    pub fn prepare_shutdown(&mut self) {
        self.config.connect_all = false;
        self.config.prevent_overlapping_partitions = false;
    }

    fn gone(&mut self, node: &NodeName) {
        self.up.remove(node);
        self.bury_node(node);
        self.forget(node, Departure::Lost);
        self.removing.remove(node);
        self.now_synced(node);
        self.fail_calls(node);
        // A method that was to be run there cannot be; its session goes on without.
        self.fail_rpcs(node);
    }

    fn forget(&mut self, node: &NodeName, departure: Departure) {
        self.end_session(node, true);
        self.known.remove(node);
        self.synced.remove(node);
        self.doubts.remove(node);
        match departure {
            Departure::Removed => {
                self.dialing.remove(node);
                if self.up.contains(node) {
                    self.removing.insert(node.clone());
                } else {
                    // Those that waited for the dial.
                    self.fail_calls(node);
                }
            }
            Departure::Lost if self.removing.contains(node) => {}
            Departure::Lost => self.report_loss(node),
        }
    }

    /// Sends to a connected node; to others, nothing.
    pub(super) fn send(&mut self, node: &NodeName, message: Term) {
        if self.up.contains(node) {
            self.effects.push_back(Effect::Send { node: node.clone(), message });
        }
    }

    /// Sends or calls now, or as soon as the node that is being dialed is there. False if it is neither.
    pub(super) fn deliver(&mut self, node: &NodeName, effect: Effect) -> bool {
        if self.up.contains(node) {
            self.effects.push_back(effect);
            return true;
        }
        let Some(dial) = self.dialing.get_mut(node).filter(|dial| dial.waiting.len() < MAX_WAITING) else {
            return false;
        };
        dial.waiting.push(effect);
        true
    }

    pub(super) fn is_dialing(&self, node: &Atom) -> bool {
        !self.dialing.is_empty() && NodeName::from_atom(node).is_ok_and(|node| self.dialing.contains_key(&node))
    }

    /// Tells a node of the other partition that we have its names, dialing it if need be.
    pub(super) fn greet(&mut self, node: &NodeName) {
        let greeting = Effect::Send { node: node.clone(), message: message::in_sync(&self.config.node, true) };
        if !self.up.contains(node) && !self.dialing.contains_key(node) {
            if self.dialing.len() >= MAX_NODES {
                return;
            }
            self.dialing.insert(node.clone(), Dial::default());
            self.effects.push_back(Effect::Connect(node.clone()));
        }
        self.deliver(node, greeting);
    }

    /// Adds to our partition, and says which of them are new.
    pub(super) fn add_known(&mut self, nodes: Vec<Member>) -> Vec<NodeName> {
        let mut added = Vec::new();
        for (node, version) in nodes {
            if node == self.config.node || self.known.len() >= MAX_NODES {
                continue;
            }
            let known = self.known.entry(node.clone()).or_insert_with(|| {
                added.push(node);
                version
            });
            // Version 0 came from a node that did not know it.
            *known = (*known).max(version);
        }
        added
    }

    pub(super) fn version_of(&self, node: &NodeName) -> u32 {
        let pending = || Some(self.sessions.get(node)?.peer.as_ref()?.version);
        self.known.get(node).copied().or_else(pending).unwrap_or(0)
    }

    fn is_potentially_known(&self, node: &NodeName) -> bool {
        self.known.contains_key(node) || self.sessions.get(node).is_some_and(|session| session.peer.is_some())
    }

    // Being in sync.

    /// Ends when the table is the same here and on all connected nodes.
    pub fn sync(&mut self, request: RequestId, now: Duration) {
        self.now = now;
        let nodes = self.up.iter().cloned().collect();
        self.start_sync(nodes, Waiter::Request(request));
        self.settle();
    }

    pub(super) fn start_sync(&mut self, nodes: Vec<NodeName>, who: Waiter) {
        let is_awaited = |node: &NodeName| self.up.contains(node) && !self.synced.contains(node);
        let waiting: BTreeSet<NodeName> = nodes.into_iter().filter(is_awaited).collect();
        if waiting.is_empty() || !self.config.connect_all {
            self.synced(who, Completion::Done);
        } else if self.syncs.len() >= MAX_WAITING {
            self.synced(who, Completion::Busy);
        } else {
            self.syncs.push(Sync { waiting, who });
        }
    }

    /// Nobody has to wait for this node any more.
    pub(super) fn now_synced(&mut self, node: &NodeName) {
        for sync in &mut self.syncs {
            sync.waiting.remove(node);
        }
        let (done, waiting) = std::mem::take(&mut self.syncs).into_iter().partition(|sync| sync.waiting.is_empty());
        self.syncs = waiting;
        let done: Vec<Sync> = done;
        for sync in done {
            self.synced(sync.who, Completion::Done);
        }
    }

    fn synced(&mut self, who: Waiter, completion: Completion) {
        match who {
            Waiter::Request(request) => self.complete(request, completion),
            Waiter::Caller(to) => self.effects.push_back(Effect::Reply { to, reply: Term::atom("ok") }),
        }
    }

    // Members in doubt.

    /// A member sent `init_connect` (`Some`), or a stranger greeted us as a member.
    pub(super) fn doubt(&mut self, node: &NodeName, peer: Option<Peer>) {
        if self.up.contains(node) && !self.removing.contains(node) && self.config.connect_all {
            self.doubts.insert(node.clone(), Doubt { until: self.now + DOUBT, peer });
        }
    }

    pub(super) fn greeted(&mut self, node: &NodeName) {
        if self.known.contains_key(node) {
            self.doubts.remove(node);
        } else {
            self.doubt(node, None);
        }
    }

    pub(super) fn doubt_deadline(&self) -> Option<Duration> {
        self.doubts.values().map(|doubt| doubt.until).min()
    }

    pub(super) fn settle_doubts(&mut self) {
        let due = self.doubts.iter().filter(|(_, doubt)| doubt.until <= self.now);
        for node in due.map(|(node, _)| node.clone()).collect::<Vec<_>>() {
            let Some(Doubt { peer, .. }) = self.doubts.remove(&node) else { continue };
            if self.known.contains_key(&node) && peer.is_none() {
                continue;
            }
            self.known.remove(&node);
            self.synced.remove(&node);
            self.begin_session(&node);
            if let Some(peer) = peer {
                self.init_connect(&node, peer.version, peer.tag, peer.locker);
            }
        }
    }

    // Overlapping partitions.

    fn prevents_overlap(&self) -> bool {
        self.config.connect_all && self.config.prevent_overlapping_partitions
    }

    fn report_loss(&mut self, other: &NodeName) {
        if !self.prevents_overlap() {
            return;
        }
        self.lost.operation += 1;
        let lost = LostConnection {
            node: self.config.node.clone(),
            creation: self.incarnation(),
            operation: self.lost.operation,
            other: other.clone(),
        };
        self.multicast(&lost, other);
    }

    /// Differs between restarts of this node: the creation, and a part of the seed above it; positive and below 2^59.
    fn incarnation(&self) -> i64 {
        let creation = u64::from(self.config.name_server.creation().get());
        (((self.config.seed & 0x3FF_FFFF) << 32) | creation) as i64
    }

    fn multicast(&mut self, lost: &LostConnection, except: &NodeName) {
        let pending = self.sessions.iter().filter_map(|(node, session)| Some((node, session.peer.as_ref()?.version)));
        let known = self.known.iter().map(|(node, version)| (node, *version));
        let heard = |(node, version): &(&NodeName, u32)| *node != except && *version >= PARTITION_VERSION;
        let nodes: BTreeSet<NodeName> = known.chain(pending).filter(heard).map(|(node, _)| node.clone()).collect();
        for node in nodes {
            self.send(&node, message::lost_connection(lost));
        }
    }

    /// Some node lost another: we pass it on once, and leave the lost one too.
    pub(super) fn lost_connection(&mut self, lost: LostConnection) {
        if !self.prevents_overlap() || self.lost.remember(&lost, self.now) {
            return;
        }
        self.multicast(&lost, &lost.node);
        // If it is we who were lost, the others leave us; it remains to leave the one that says so.
        let leaving = if lost.other == self.config.node { lost.node } else { lost.other };
        if !self.is_potentially_known(&leaving) {
            return;
        }
        let what = if self.version_of(&leaving) < PARTITION_VERSION {
            self.effects.push_back(Effect::Disconnect(leaving.clone()));
            "disconnected"
        } else {
            let message = message::remove_connection(&self.config.node);
            self.send(&leaving, message);
            "asked to be disconnected from"
        };
        self.warn_of_overlap(what, &leaving);
        self.forget(&leaving, Departure::Removed);
    }

    /// A node wants us gone. It will not deal with us over this connection again, so we go also if we have forgotten it
    /// already: both may have asked each other at once, and would then stay connected as strangers.
    pub(super) fn remove_connection(&mut self, node: &NodeName) {
        if self.up.contains(node) {
            self.effects.push_back(Effect::Disconnect(node.clone()));
            self.warn_of_overlap("disconnected", node);
            self.forget(node, Departure::Removed);
        }
    }

    fn warn_of_overlap(&mut self, what: &str, node: &NodeName) {
        let text = format!("global: {} {what} {node}, in order to prevent overlapping partitions", self.config.node);
        self.effects.push_back(Effect::Warn(text));
    }
}

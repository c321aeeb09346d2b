//! Who belongs to our partition, and what becomes of it when connections come and go.
//!
//! A member that loses another tells all; they drop the lost one too, so that partitions never overlap.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use beamline_term::Creation;

use super::message::{self, LostConnection, Member, Op};
use super::{Effect, Global};
use crate::NodeName;

/// How many reports of lost connections are remembered, so that each is passed on once.
const REMEMBERED: usize = 1024;

/// Reports that were passed on.
#[derive(Debug, Default)]
pub(super) struct Seen {
    reports: VecDeque<(NodeName, i64, i64, NodeName)>,
    next: i64,
}

impl Global {
    /// A visible peer is connected.
    pub fn node_up(&mut self, node: &NodeName, _now: Duration) {
        self.connected.insert(node.clone());
        if self.known.contains_key(node) {
            // Another member told us of it, and it has heard of us: it has our names already.
            self.synced.insert(node.clone());
            let told = message::in_sync(&self.config.node);
            self.send(node, told);
            return self.check_syncs();
        }
        self.open_session(node);
    }

    /// A visible peer is gone. `on_purpose`: we closed the connection ourselves.
    pub fn node_down(&mut self, node: &NodeName, on_purpose: bool, now: Duration) {
        self.connected.remove(node);
        let was_known = self.forget(node);
        if was_known && !on_purpose && self.config.prevent_overlapping_partitions {
            self.lost.next += 1;
            let own = &self.config.name_server;
            let creation = i64::from(Creation::get(own.creation()));
            let report = LostConnection {
                node: self.config.node.clone(),
                creation,
                operation: self.lost.next,
                other: node.clone(),
            };
            self.pass_on(&report);
        }
        self.check_syncs();
        self.request_lost(node, now);
    }

    /// Takes a node out of everything. True if it was a member, or was about to become one.
    fn forget(&mut self, node: &NodeName) -> bool {
        let atom = node.as_atom();
        let gone: BTreeSet<_> = self.names.pids_at(atom).chain(self.locks.pids_at(atom)).cloned().collect();
        for pid in gone {
            self.process_down(&pid, Duration::ZERO);
            self.effects.push_back(Effect::Demonitor(pid));
        }
        self.unlock_session(node);
        self.synced.remove(node);
        self.known.remove(node).is_some() | self.sessions.remove(node).is_some()
    }

    /// Could not be reached: it is no member after all.
    pub fn connect_failed(&mut self, node: &NodeName, now: Duration) {
        if !self.connected.contains(node) {
            self.known.remove(node);
            self.check_syncs();
            self.request_lost(node, now);
        }
    }

    /// Adds members, and connects with those that we are not connected with.
    pub(super) fn learn(&mut self, members: Vec<Member>) {
        for (node, version) in members {
            if node == self.config.node {
                continue;
            }
            let is_connected = self.connected.contains(&node);
            if !is_connected && !self.config.connect_all {
                continue;
            }
            let version = if version == 0 { message::VERSION } else { version };
            let is_new = self.known.insert(node.clone(), version).is_none();
            if !is_connected {
                self.effects.push_back(Effect::Connect(node));
            } else if is_new && self.sessions.remove(&node).is_some() {
                self.synced.insert(node.clone());
                let told = message::in_sync(&self.config.node);
                self.send(&node, told);
            }
        }
    }

    /// A member has merged with others.
    pub(super) fn new_nodes(&mut self, from: &NodeName, ops: Vec<Op>, nodes: Vec<Member>, now: Duration) {
        if !self.known.contains_key(from) {
            return;
        }
        self.apply(ops);
        self.learn(nodes);
        self.check_syncs();
        self.request_step(now);
    }

    pub(super) fn in_sync(&mut self, node: &NodeName) {
        if self.connected.contains(node) && self.known.contains_key(node) && self.synced.insert(node.clone()) {
            let told = message::in_sync(&self.config.node);
            self.send(node, told);
        }
        self.check_syncs();
    }

    /// A node has lost another: we drop that one too, unless it is we who are to go.
    pub(super) fn lost_connection(&mut self, report: LostConnection) {
        let key = (report.node.clone(), report.creation, report.operation, report.other.clone());
        if !self.config.prevent_overlapping_partitions || self.lost.reports.contains(&key) {
            return;
        }
        self.pass_on(&report);
        let removed = if report.other == self.config.node { &report.node } else { &report.other };
        if self.connected.contains(removed) && report.other != self.config.node {
            let goodbye = message::remove_connection(&self.config.node);
            self.effects.push_back(Effect::Warn(format!(
                "'global' at node {:?} requested disconnect from node {removed:?} in order to prevent overlapping partitions",
                self.config.node
            )));
            let removed = removed.clone();
            self.send(&removed, goodbye);
            self.effects.push_back(Effect::Disconnect(removed));
        }
    }

    fn pass_on(&mut self, report: &LostConnection) {
        let LostConnection { node, creation, operation, other } = report.clone();
        self.lost.reports.push_back((node, creation, operation, other));
        if self.lost.reports.len() > REMEMBERED {
            self.lost.reports.pop_front();
        }
        let told = message::lost_connection(report);
        let members: Vec<NodeName> = self
            .known
            .iter()
            .filter(|(node, version)| **version >= message::PARTITION_VERSION && **node != report.other)
            .map(|(node, _)| node.clone())
            .collect();
        for member in members {
            self.send(&member, told.clone());
        }
    }

    pub(super) fn remove_connection(&mut self, node: &NodeName) {
        if self.connected.contains(node) {
            self.effects.push_back(Effect::Warn(format!(
                "'global' at node {node:?} requested disconnect from node {:?} in order to prevent overlapping partitions",
                self.config.node
            )));
            self.effects.push_back(Effect::Disconnect(node.clone()));
        }
    }
}

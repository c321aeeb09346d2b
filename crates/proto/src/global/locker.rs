//! The locker: one session at a time, it sets the lock `global` on both partitions.
//!
//! Follows "The locker is a satellite process" in OTP's `global`. Both sides lock in the name of the sorted pair of their
//! lockers, so nodes common to both are locked by both. Whoever starts locks its greatest node first ("the boss", where
//! rivals find out early), then itself and the other node, then the rest, and offers `lock_set`; the other locks its own
//! partition and answers. Only a side that has its partition ever waits, and then it holds the other node too, which
//! therefore cannot be waiting for a third: no deadlock.
//!
//! OTP waits 0.2 s before a session, 1 to 3 s if it knows others. We begin within milliseconds, and wait longer, up to
//! OTP's times, only after failures; a BEAM answers an offer at once.

use std::collections::VecDeque;
use std::time::Duration;

use beamline_term::{Pid, Term};

use super::call::{Ask, Owner};
use super::effect::{Effect, LockId};
use super::message::{self, ACK_VERSION, Tag};
use super::session::{Peer, Session};
use super::{GLOBAL, Global, MAX_NODES};
use crate::NodeName;

#[derive(Debug, Default)]
pub(super) struct Locker {
    state: State,
    /// Peers that have locked their side and wait for ours.
    invitations: VecDeque<(NodeName, Tag)>,
    next_try: Option<Duration>,
    failures: u32,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Locking(Attempt, Stage),
    /// Our side is locked and the peer has been told.
    Offered(Hold),
    /// Both sides are.
    Held(Hold),
    /// All but the boss are being released.
    Releasing(LockId, NodeName),
}

#[derive(Debug)]
struct Attempt {
    hold: Hold,
    /// Ours was the idea; otherwise the peer waits for an answer.
    offering: bool,
    /// The session ended meanwhile.
    is_void: bool,
}

/// What is locked, and for which session.
#[derive(Debug)]
struct Hold {
    node: NodeName,
    tag: Tag,
    lock: LockId,
    nodes: Vec<NodeName>,
}

#[derive(Debug)]
enum Stage {
    Boss(NodeName),
    /// Us, and the other node.
    Pair(Vec<NodeName>),
    Rest(Vec<NodeName>),
}

impl Hold {
    fn is_for(&self, node: &NodeName, tag: &Tag) -> bool {
        self.node == *node && self.tag == *tag
    }
}

/// The lock of `global` in somebody's name.
pub(super) fn global_lock(requester: Term) -> LockId {
    LockId { resource: Term::Atom(GLOBAL), requester }
}

impl Global {
    pub(super) fn locker_deadline(&self) -> Option<Duration> {
        self.locker.next_try.filter(|_| matches!(self.locker.state, State::Idle))
    }

    /// There may be a session to lock for.
    pub(super) fn wake_locker(&mut self) {
        if self.locker.next_try.is_none() && !self.candidates().is_empty() {
            self.locker.next_try = Some(self.now + self.delay());
        }
    }

    pub(super) fn lock_was_freed(&mut self) {
        let soon = self.now + self.random.within(Duration::from_millis(10));
        if let Some(next) = &mut self.locker.next_try {
            *next = soon.min(*next);
        }
        self.hasten_registrar(soon);
    }

    fn delay(&mut self) -> Duration {
        let first = if self.known.is_empty() { 4 } else { 16 };
        let longest = (1000 + 100 * self.known.len() as u64).min(3000);
        self.random.within(Duration::from_millis((first << self.locker.failures.min(12)).min(longest)))
    }

    /// Sessions to lock for; those on this host first, as OTP has it.
    fn candidates(&self) -> Vec<(NodeName, Tag)> {
        let ready = |(node, session): &(&NodeName, &Session)| {
            session.peer.is_some() && session.lock.is_none() && !self.known.contains_key(*node)
        };
        let ready: Vec<_> = self.sessions.iter().filter(ready).collect();
        let is_near = |node: &NodeName| node.host() == self.config.node.host();
        let any_near = ready.iter().any(|(node, _)| is_near(node));
        let chosen = ready.into_iter().filter(|(node, _)| is_near(node) == any_near);
        chosen.map(|(node, session)| (node.clone(), session.tag.clone())).collect()
    }

    pub(super) fn tick_locker(&mut self) {
        if self.locker_deadline().is_none_or(|due| due > self.now) {
            return;
        }
        self.locker.next_try = None;
        let candidates = self.candidates();
        if candidates.is_empty() {
            return;
        }
        if self.locks.is_set(&Term::Atom(GLOBAL)) {
            return self.wake_locker();
        }
        let (node, tag) = candidates[self.random.below(candidates.len())].clone();
        self.try_locking(node, tag, true);
    }

    /// Takes up the next invitation; false if there is nothing to take up, or no time.
    pub(super) fn next_invitation(&mut self) -> bool {
        if !matches!(self.locker.state, State::Idle) {
            return false;
        }
        let Some((node, tag)) = self.locker.invitations.pop_front() else { return false };
        self.try_locking(node, tag, false);
        true
    }

    fn try_locking(&mut self, node: NodeName, tag: Tag, offering: bool) {
        let session = self.sessions.get(&node).filter(|session| session.tag == tag && session.lock.is_none());
        let Some(peer) = session.and_then(|session| session.peer.as_ref()) else { return };
        let mut pair = [self.config.locker.clone(), peer.locker.clone()];
        pair.sort();
        let lock = global_lock(Term::list(pair.map(Term::Pid)));
        let boss = self.boss();
        let hold = Hold { node, tag, lock, nodes: Vec::new() };
        let attempt = Attempt { hold, offering, is_void: false };
        // To lock ourselves first could stop a node that has the boss already.
        if boss != self.config.node && !self.locks.can_set(&attempt.hold.lock) {
            return self.give_up(attempt);
        }
        self.lock_stage(attempt, Stage::Boss(boss));
    }

    /// The greatest node of our partition.
    pub(super) fn boss(&self) -> NodeName {
        self.known.keys().next_back().filter(|last| **last > self.config.node).unwrap_or(&self.config.node).clone()
    }

    fn lock_stage(&mut self, attempt: Attempt, stage: Stage) {
        let nodes = match &stage {
            Stage::Boss(boss) => vec![boss.clone()],
            Stage::Pair(nodes) | Stage::Rest(nodes) => nodes.clone(),
        };
        let ask = Ask::Set(attempt.hold.lock.clone());
        self.locker.state = State::Locking(attempt, stage);
        let from = self.config.locker.clone();
        self.ask_all(Owner::Locker, &from, &nodes, &ask);
    }

    pub(super) fn locker_step(&mut self, agreed: bool) {
        match std::mem::take(&mut self.locker.state) {
            State::Locking(attempt, _) if !agreed => self.give_up(attempt),
            State::Locking(attempt, stage) => self.locked(attempt, stage),
            State::Releasing(lock, boss) => {
                let from = self.config.locker.clone();
                self.ask_all(Owner::Nobody, &from, &[boss], &Ask::Release(lock));
                self.wake_locker();
            }
            other => self.locker.state = other,
        }
    }

    fn locked(&mut self, mut attempt: Attempt, stage: Stage) {
        let (me, peer) = (self.config.node.clone(), attempt.hold.node.clone());
        match stage {
            Stage::Boss(boss) => {
                let mut pair = vec![me];
                pair.extend(attempt.offering.then_some(peer));
                pair.retain(|node| *node != boss);
                attempt.hold.nodes.push(boss);
                self.lock_stage(attempt, Stage::Pair(pair));
            }
            Stage::Pair(pair) => {
                attempt.hold.nodes.extend(pair);
                let taken = &attempt.hold.nodes;
                let rest = self.known.keys().filter(|node| !taken.contains(node)).cloned().collect();
                self.lock_stage(attempt, Stage::Rest(rest));
            }
            Stage::Rest(rest) => {
                attempt.hold.nodes.extend(rest);
                self.partition_locked(attempt);
            }
        }
    }

    fn partition_locked(&mut self, attempt: Attempt) {
        if attempt.is_void {
            return self.give_up(attempt);
        }
        self.locker.failures = 0;
        let Hold { node, tag, .. } = &attempt.hold;
        self.tell_lock_set(node, true);
        let invited = self.locker.invitations.iter().position(|(from, of)| from == node && of == tag);
        let both = invited.is_some() || !attempt.offering;
        if let Some(position) = invited {
            self.locker.invitations.remove(position);
        }
        match both {
            true => self.hold(attempt.hold),
            false => self.locker.state = State::Offered(attempt.hold),
        }
    }

    fn hold(&mut self, hold: Hold) {
        let (node, lock) = (hold.node.clone(), hold.lock.clone());
        self.locker.state = State::Held(hold);
        self.both_locked(&node, lock);
    }

    fn give_up(&mut self, attempt: Attempt) {
        if !attempt.offering && !attempt.is_void {
            self.tell_lock_set(&attempt.hold.node, false);
        }
        self.locker.failures += 1;
        self.release_hold(attempt.hold);
    }

    /// The boss goes last: whoever has it next should not find other nodes locked.
    fn release_hold(&mut self, hold: Hold) {
        let Hold { lock, mut nodes, .. } = hold;
        if nodes.is_empty() {
            self.locker.state = State::Idle;
            return self.wake_locker();
        }
        nodes.sort();
        let Some(boss) = nodes.pop() else { return };
        let from = self.config.locker.clone();
        self.locker.state = State::Releasing(lock.clone(), boss);
        self.ask_all(Owner::Locker, &from, &nodes, &Ask::Release(lock));
    }

    fn tell_lock_set(&mut self, node: &NodeName, set: bool) {
        let Some(Peer { version, tag, .. }) = self.sessions.get(node).and_then(|session| session.peer.clone()) else {
            return;
        };
        let tag = (version >= ACK_VERSION).then_some(&tag);
        let known = self.known.keys().map(Term::from).collect();
        let message = message::lock_set(&self.config.locker, set, known, tag);
        self.send(node, message);
    }

    /// The peer's locker has its partition, or could not get it.
    pub(super) fn lock_set(&mut self, node: &NodeName, locker: &Pid, set: bool, tag: Option<&Tag>) {
        let Some(session) = self.sessions.get(node) else {
            if set && tag.is_none() {
                self.refuse_invitation(locker);
            }
            return;
        };
        if tag.is_some_and(|tag| *tag != session.tag) {
            return;
        }
        let tag = session.tag.clone();
        match std::mem::take(&mut self.locker.state) {
            State::Offered(hold) if hold.is_for(node, &tag) => match set {
                true => self.hold(hold),
                false => {
                    self.locker.failures += 1;
                    self.release_hold(hold);
                }
            },
            state => {
                let is_held = matches!(&state, State::Held(hold) if hold.is_for(node, &tag));
                self.locker.state = state;
                let invitation = (node.clone(), tag);
                let invitations = &mut self.locker.invitations;
                if set && !is_held && invitations.len() < MAX_NODES && !invitations.contains(&invitation) {
                    invitations.push_back(invitation);
                }
            }
        }
    }

    /// A session has ended: its lock is given back, and a peer that waits for ours need not.
    pub(super) fn cancel_locking(&mut self, node: &NodeName, session: &Session) {
        let mut waits = self.locker.invitations.contains(&(node.clone(), session.tag.clone()));
        self.locker.invitations.retain(|(from, _)| from != node);
        match std::mem::take(&mut self.locker.state) {
            State::Offered(hold) | State::Held(hold) if hold.is_for(node, &session.tag) => self.release_hold(hold),
            State::Locking(mut attempt, stage) if attempt.hold.is_for(node, &session.tag) => {
                waits |= !attempt.offering;
                attempt.is_void = true;
                self.locker.state = State::Locking(attempt, stage);
            }
            other => self.locker.state = other,
        }
        if let (true, Some(peer)) = (waits && self.up.contains(node), &session.peer) {
            self.refuse_invitation(&peer.locker);
        }
    }

    /// There is no session any more whose tag could be sent.
    fn refuse_invitation(&mut self, locker: &Pid) {
        let known = self.known.keys().map(Term::from).collect();
        let message = message::untagged_lock_set(&self.config.locker, false, known);
        self.effects.push_back(Effect::SendPid { pid: locker.clone(), message });
    }
}

//! Locks of the local application: `set_lock` with retries, and `del_lock`.
//!
//! A transaction (`trans`) is the one, the work, and the other.

use std::time::Duration;

use beamline_term::Pid;

use super::call::{Ask, Owner};
use super::effect::{Completion, LockId, RequestId};
use super::{Global, MAX_WAITING};
use crate::NodeName;

/// A lock being asked for, or given back.
#[derive(Debug)]
pub(super) struct Claim {
    pid: Pid,
    lock: LockId,
    nodes: Vec<NodeName>,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    Set {
        retries: Option<u32>,
        tries: u32,
        again_at: Option<Duration>,
        /// It was given back while it was being asked for.
        is_void: bool,
    },
    Release,
}

impl Claim {
    pub(super) fn deadline(&self) -> Option<Duration> {
        match self.purpose {
            Purpose::Set { again_at, .. } => again_at,
            Purpose::Release => None,
        }
    }
}

impl Global {
    /// Sets a lock on nodes, for a process of this node; tries again `retries` times, for ever if `None`.
    ///
    /// Completes with `Locked`, `NotLocked` or `Busy`. `global:set_lock/1` locks this node and [`Global::visible`].
    pub fn set_lock(
        &mut self,
        request: RequestId,
        pid: Pid,
        lock: LockId,
        nodes: Vec<NodeName>,
        retries: Option<u32>,
        now: Duration,
    ) {
        let purpose = Purpose::Set { retries, tries: 1, again_at: None, is_void: false };
        self.claim(request, Claim { pid, lock, nodes, purpose }, now);
    }

    /// Gives a lock back on nodes, or no longer waits for it. Completes with `Done` or `Busy`.
    pub fn del_lock(&mut self, request: RequestId, pid: Pid, lock: LockId, nodes: Vec<NodeName>, now: Duration) {
        self.withdraw(&pid, &lock);
        self.claim(request, Claim { pid, lock, nodes, purpose: Purpose::Release }, now);
    }

    fn claim(&mut self, request: RequestId, claim: Claim, now: Duration) {
        self.now = now;
        if self.claims.len() >= MAX_WAITING {
            return self.complete(request, Completion::Busy);
        }
        self.claims.insert(request, claim);
        self.try_claim(request);
        self.settle();
    }

    /// Ends the tries for a lock. Of one that runs the outcome no longer counts: what it sets, the release that follows on the
    /// same connections takes away.
    fn withdraw(&mut self, pid: &Pid, lock: &LockId) {
        let is_meant = |claim: &Claim| claim.pid == *pid && claim.lock == *lock;
        let mut waiting = Vec::new();
        for (request, claim) in self.claims.iter_mut().filter(|(_, claim)| is_meant(claim)) {
            match &mut claim.purpose {
                Purpose::Set { again_at: Some(_), .. } => waiting.push(*request),
                Purpose::Set { is_void, .. } => *is_void = true,
                Purpose::Release => {}
            }
        }
        for request in waiting {
            self.claims.remove(&request);
            self.complete(request, Completion::NotLocked);
        }
    }

    fn try_claim(&mut self, request: RequestId) {
        let Some(claim) = self.claims.get_mut(&request) else { return };
        let (pid, nodes, lock) = (claim.pid.clone(), claim.nodes.clone(), claim.lock.clone());
        let ask = match &mut claim.purpose {
            Purpose::Set { again_at, .. } => {
                *again_at = None;
                Ask::Set(lock.clone())
            }
            Purpose::Release => Ask::Release(lock.clone()),
        };
        let hopeless = matches!(ask, Ask::Set(_))
            && nodes.len() > 1
            && nodes.contains(&self.config.node)
            && !self.locks.can_set(&lock);
        match hopeless {
            true => self.claim_step(request, false),
            false => self.ask_all(Owner::Claim(request), &pid, &nodes, &ask),
        }
    }

    pub(super) fn claim_step(&mut self, request: RequestId, agreed: bool) {
        let Some(claim) = self.claims.get_mut(&request) else { return };
        let completion = match &mut claim.purpose {
            Purpose::Release => Completion::Done,
            Purpose::Set { is_void: true, .. } | Purpose::Set { retries: Some(0), .. } if !agreed => {
                Completion::NotLocked
            }
            Purpose::Set { is_void, .. } if agreed => {
                if *is_void {
                    Completion::NotLocked
                } else {
                    Completion::Locked
                }
            }
            Purpose::Set { retries, tries, again_at, .. } => {
                *again_at = Some(self.now + self.random.backoff(*tries));
                *tries = tries.saturating_add(1);
                *retries = retries.map(|left| left - 1);
                return;
            }
        };
        self.claims.remove(&request);
        self.complete(request, completion);
    }

    pub(super) fn tick_claims(&mut self) {
        let is_due = |(_, claim): &(&RequestId, &Claim)| claim.deadline().is_some_and(|until| until <= self.now);
        for request in self.claims.iter().filter(is_due).map(|(request, _)| *request).collect::<Vec<_>>() {
            self.try_claim(request);
        }
    }
}

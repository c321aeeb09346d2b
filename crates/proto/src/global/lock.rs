//! The table of locks: a lock is free, or held by processes that name the same requester.
//!
//! Data only. Locks bind nobody but those who ask; `global`'s own is the resource `global`.

use std::collections::HashMap;

use beamline_term::{Atom, Pid, Term};

use super::effect::LockId;

#[derive(Debug)]
struct Lock {
    requester: Term,
    holders: Vec<Pid>,
}

#[derive(Debug, Default)]
pub(super) struct Locks {
    table: HashMap<Term, Lock>,
    by_pid: HashMap<Pid, Vec<Term>>,
    by_node: HashMap<Atom, usize>,
}

/// What [`Locks::set`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setting {
    /// The process holds it now.
    Set,
    /// It held it before.
    Again,
    /// Another has it.
    Refused,
}

impl Locks {
    /// Whether this requester could have it now.
    pub(super) fn can_set(&self, lock: &LockId) -> bool {
        self.table.get(&lock.resource).is_none_or(|held| held.requester == lock.requester)
    }

    pub(super) fn set(&mut self, lock: &LockId, pid: &Pid) -> Setting {
        if !self.can_set(lock) {
            return Setting::Refused;
        }
        let fresh = || Lock { requester: lock.requester.clone(), holders: Vec::new() };
        let held = self.table.entry(lock.resource.clone()).or_insert_with(fresh);
        if held.holders.contains(pid) {
            return Setting::Again;
        }
        held.holders.push(pid.clone());
        self.by_pid.entry(pid.clone()).or_default().push(lock.resource.clone());
        *self.by_node.entry(pid.node().clone()).or_default() += 1;
        Setting::Set
    }

    /// True if the process held it.
    pub(super) fn release(&mut self, lock: &LockId, pid: &Pid) -> bool {
        let Some(held) = self.table.get_mut(&lock.resource) else { return false };
        if held.requester != lock.requester || !held.holders.contains(pid) {
            return false;
        }
        held.holders.retain(|holder| holder != pid);
        if held.holders.is_empty() {
            self.table.remove(&lock.resource);
        }
        if let Some(count) = self.by_node.get_mut(pid.node()) {
            *count -= 1;
            if *count == 0 {
                self.by_node.remove(pid.node());
            }
        }
        if let Some(resources) = self.by_pid.get_mut(pid) {
            resources.retain(|resource| *resource != lock.resource);
            if resources.is_empty() {
                self.by_pid.remove(pid);
            }
        }
        true
    }

    /// The locks of a process.
    pub(super) fn of(&self, pid: &Pid) -> Vec<LockId> {
        let lock = |resource: &Term| {
            let held = self.table.get(resource)?;
            Some(LockId { resource: resource.clone(), requester: held.requester.clone() })
        };
        self.by_pid.get(pid).into_iter().flatten().filter_map(lock).collect()
    }

    pub(super) fn is_set(&self, resource: &Term) -> bool {
        self.table.contains_key(resource)
    }

    pub(super) fn requester(&self, resource: &Term) -> Option<&Term> {
        self.table.get(resource).map(|lock| &lock.requester)
    }

    pub(super) fn is_holder(&self, resource: &Term, pid: &Pid) -> bool {
        self.table.get(resource).is_some_and(|lock| lock.holders.contains(pid))
    }

    pub(super) fn pids_at<'a>(&'a self, node: &'a Atom) -> impl Iterator<Item = &'a Pid> {
        self.by_pid.keys().filter(move |pid| pid.node() == node)
    }

    /// How many locks processes of a node hold.
    pub(super) fn count_at(&self, node: &Atom) -> usize {
        self.by_node.get(node).copied().unwrap_or(0)
    }

    /// Resources with their requesters and holders.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Term, &Term, &[Pid])> {
        self.table.iter().map(|(resource, lock)| (resource, &lock.requester, lock.holders.as_slice()))
    }
}

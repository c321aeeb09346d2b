//! The table of a scope: for each group its members, those of this node apart.
//!
//! Data only. A group's members are shared and replaced, so that whoever looks keeps what it saw.

use std::collections::HashMap;
use std::sync::Arc;

use beamline_term::{Pid, Term};

/// The members of one group, each as often as it joined, in no particular order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    local: Arc<Vec<Pid>>,
    remote: Arc<Vec<Pid>>,
}

impl Members {
    /// Processes of this node.
    pub fn local(&self) -> &[Pid] {
        &self.local
    }

    /// Processes of other nodes.
    pub fn remote(&self) -> &[Pid] {
        &self.remote
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Pid> {
        self.local.iter().chain(self.remote.iter())
    }

    fn is_empty(&self) -> bool {
        self.local.is_empty() && self.remote.is_empty()
    }

    fn side(&mut self, is_local: bool) -> &mut Vec<Pid> {
        Arc::make_mut(if is_local { &mut self.local } else { &mut self.remote })
    }
}

#[derive(Debug, Default)]
pub(super) struct Table(HashMap<Term, Members>);

impl Table {
    pub(super) fn get(&self, group: &Term) -> Option<&Members> {
        self.0.get(group)
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = &Term> {
        self.0.keys()
    }

    /// Our own processes, as a scope tells them to others.
    pub(super) fn local(&self) -> Vec<(&Term, &[Pid])> {
        let own = self.0.iter().map(|(group, members)| (group, members.local()));
        own.filter(|(_, pids)| !pids.is_empty()).collect()
    }

    pub(super) fn join(&mut self, group: &Term, pids: &[Pid], is_local: bool) {
        self.0.entry(group.clone()).or_default().side(is_local).extend_from_slice(pids);
    }

    /// Takes each out once.
    pub(super) fn leave(&mut self, group: &Term, pids: &[Pid], is_local: bool) {
        let Some(members) = self.0.get_mut(group) else { return };
        let side = members.side(is_local);
        let mut leaving: HashMap<&Pid, usize> = HashMap::with_capacity(pids.len());
        for pid in pids {
            *leaving.entry(pid).or_default() += 1;
        }
        side.retain(|member| match leaving.get_mut(member) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        if members.is_empty() {
            self.0.remove(group);
        }
    }
}

//! One request to many nodes, and the sum of their answers: what OTP does with `gen_server:multi_call`.
//!
//! A node that is gone counts as if it had not been asked. A lock that some nodes refuse is given back on those that
//! granted it, before its owner hears of the refusal. Requests to this node are answered at once.

use std::collections::{BTreeMap, VecDeque};

use beamline_term::{Pid, Term};

use super::effect::{CallFailure, CallId, Effect, LockId, RequestId};
use super::message::{self, Entry};
use super::{Authority, Global};
use crate::NodeName;

/// Whose step it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Locker,
    Registrar,
    Claim(RequestId),
    /// Nobody waits.
    Nobody,
}

#[derive(Debug, Clone)]
pub(super) enum Ask {
    Set(LockId),
    Release(LockId),
    Register(Entry),
    Unregister(Term),
}

#[derive(Debug)]
struct Step {
    owner: Owner,
    /// Who calls, and for which lock.
    setting: Option<(Pid, LockId)>,
    waiting: usize,
    granted: Vec<NodeName>,
    refused: bool,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    steps: BTreeMap<u64, Step>,
    open: BTreeMap<CallId, (u64, NodeName)>,
    done: VecDeque<(Owner, bool)>,
}

impl Calls {
    pub(super) fn next_done(&mut self) -> Option<(Owner, bool)> {
        self.done.pop_front()
    }
}

impl Ask {
    fn term(&self) -> Term {
        match self {
            Ask::Set(lock) => message::set_lock(lock),
            Ask::Release(lock) => message::del_lock(lock),
            Ask::Register(entry) => message::register(entry),
            Ask::Unregister(name) => message::unregister(name),
        }
    }
}

impl Global {
    /// The outcome of an [`Effect::Call`].
    pub fn reply(&mut self, id: CallId, outcome: Result<Term, CallFailure>, now: std::time::Duration) {
        self.now = now;
        self.called(id, outcome.ok());
        self.settle();
    }

    /// Asks all of the nodes for one thing.
    pub(super) fn ask_all(&mut self, owner: Owner, from: &Pid, nodes: &[NodeName], ask: &Ask) {
        let asks = nodes.iter().map(|node| (node.clone(), ask.clone())).collect();
        self.ask(owner, from, asks);
    }

    /// Asks; the owner hears when all have answered, and whether none refused.
    pub(super) fn ask(&mut self, owner: Owner, from: &Pid, asks: Vec<(NodeName, Ask)>) {
        let id = self.fresh_id();
        let setting = asks.iter().find_map(|(_, ask)| match ask {
            Ask::Set(lock) => Some((from.clone(), lock.clone())),
            _ => None,
        });
        // One more than there are, so that the step does not end while it is being set up.
        let step = Step { owner, setting, waiting: asks.len() + 1, granted: Vec::new(), refused: false };
        self.calls.steps.insert(id, step);
        for (node, ask) in asks {
            if node == self.config.node {
                let granted = self.ask_here(from, ask);
                self.count(id, &node, Some(granted));
                continue;
            }
            let call = CallId(self.fresh_id());
            self.calls.open.insert(call, (id, node.clone()));
            let effect = Effect::Call { id: call, node: node.clone(), from: from.clone(), request: ask.term() };
            if !self.deliver(&node, effect) {
                self.called(call, None);
            }
        }
        self.counted(id);
    }

    fn ask_here(&mut self, from: &Pid, ask: Ask) -> bool {
        match ask {
            Ask::Set(lock) => return self.set_local(&lock, from),
            Ask::Release(lock) => self.release_local(&lock, from, false),
            Ask::Register(entry) => self.insert_name(entry, None, Authority::Caller(from)),
            Ask::Unregister(name) => self.remove_name(&name),
        }
        true
    }

    fn called(&mut self, call: CallId, reply: Option<Term>) {
        let Some((id, node)) = self.calls.open.remove(&call) else { return };
        self.count(id, &node, reply.map(|reply| !reply.is_atom("false")));
    }

    fn count(&mut self, id: u64, node: &NodeName, granted: Option<bool>) {
        if let Some(step) = self.calls.steps.get_mut(&id) {
            match granted {
                Some(true) => step.granted.push(node.clone()),
                Some(false) => step.refused = true,
                None => {}
            }
        }
        self.counted(id);
    }

    fn counted(&mut self, id: u64) {
        let Some(step) = self.calls.steps.get_mut(&id) else { return };
        step.waiting -= 1;
        if step.waiting > 0 {
            return;
        }
        let Some(step) = self.calls.steps.remove(&id) else { return };
        if let (true, Some((from, lock))) = (step.refused, &step.setting) {
            // Calls on one connection keep their order, so a later try does not meet this one's remains.
            self.ask_all(Owner::Nobody, from, &step.granted, &Ask::Release(lock.clone()));
        }
        if step.owner != Owner::Nobody {
            self.calls.done.push_back((step.owner, !step.refused));
        }
    }

    /// The calls to a node that is gone come to nothing.
    pub(super) fn fail_calls(&mut self, node: &NodeName) {
        let lost = self.calls.open.iter().filter(|(_, (_, asked))| asked == node).map(|(call, _)| *call);
        for call in lost.collect::<Vec<_>>() {
            self.called(call, None);
        }
    }

    pub(super) fn step_done(&mut self, owner: Owner, agreed: bool) {
        match owner {
            Owner::Locker => self.locker_step(agreed),
            Owner::Registrar => self.registrar_step(agreed),
            Owner::Claim(request) => self.claim_step(request, agreed),
            Owner::Nobody => {}
        }
    }
}

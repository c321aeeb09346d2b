//! Settles names that both sides of a session have. Follows `exchange_names` and `resolve_it` of OTP's `global`.
//!
//! The node with the smaller name decides: it has the method of the name run where its own process lives, and tells the
//! other side. The work of killing or telling the loser is the shell's.

use beamline_term::{Pid, Term};

use super::Global;
use super::effect::{CallFailure, CallId, Effect, Method};
use super::message::{Entry, Op};
use crate::NodeName;

/// The outcome of a method: who has the name, and what to do to the processes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolution {
    /// Who keeps the name; nobody if `None`.
    pub winner: Option<Pid>,
    /// To be killed.
    pub kill: Option<Pid>,
    /// To be told.
    pub notify: Vec<(Pid, Term)>,
}

impl Resolution {
    /// As `global:resolve_it/4` returns it.
    pub fn to_term(&self) -> Term {
        self.winner.clone().map_or(Term::atom("none"), Term::Pid)
    }
}

/// What a method makes of two processes with one name: the answer to `global:resolve_it(Method, Name, First, Second)`.
/// `None` if the method is not one of `global`'s own.
pub fn resolve(method: &Method, name: &Term, first: &Pid, second: &Pid) -> Option<Resolution> {
    let (least, greatest) = if first.node() < second.node() { (first, second) } else { (second, first) };
    let conflict = beamline_term::atom("global_name_conflict");
    Some(match method {
        Method::RandomExit => {
            Resolution { winner: Some(least.clone()), kill: Some(greatest.clone()), notify: Vec::new() }
        }
        Method::RandomNotify => {
            let told = (greatest.clone(), (conflict, name.clone()).into());
            Resolution { winner: Some(least.clone()), kill: None, notify: vec![told] }
        }
        Method::NotifyAll => {
            let tell = |whom: &Pid, of: &Pid| (whom.clone(), (conflict.clone(), name.clone(), of.clone()).into());
            Resolution { winner: None, kill: None, notify: vec![tell(first, second), tell(second, first)] }
        }
        Method::Custom(_) => return None,
    })
}

/// The names of a peer, being compared with ours.
#[derive(Debug)]
pub(super) struct Resolver {
    rest: std::vec::IntoIter<Entry>,
    /// What changes here.
    pub(super) here: Vec<Op>,
    /// What changes at the peer's.
    pub(super) there: Vec<Op>,
    asked: Option<(CallId, Entry, Entry)>,
}

impl Resolver {
    pub(super) fn new(names: Vec<Entry>) -> Resolver {
        Resolver { rest: names.into_iter(), here: Vec::new(), there: Vec::new(), asked: None }
    }

    pub(super) fn is_waiting_for(&self, id: CallId) -> bool {
        self.asked.as_ref().is_some_and(|(asked, ..)| *asked == id)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.asked.is_some()
    }

    /// Takes the method's verdict: a pid, or anything else for nobody. A method that could not be run leaves the name to
    /// the peer.
    pub(super) fn judge(&mut self, verdict: &Result<Term, CallFailure>) {
        let Some((_, theirs, ours)) = self.asked.take() else { return };
        match verdict {
            Ok(Term::Pid(pid)) if *pid == theirs.pid => self.here.push(Op::Insert(theirs)),
            Ok(Term::Pid(pid)) if *pid == ours.pid => self.there.push(Op::Insert(ours)),
            Ok(_) => {
                self.here.push(Op::Delete(theirs.name.clone()));
                self.there.push(Op::Delete(theirs.name));
            }
            Err(_) => self.here.push(Op::Insert(theirs)),
        }
    }
}

impl Global {
    /// The outcome of an [`Effect::Rpc`].
    pub fn rpc_reply(&mut self, id: CallId, outcome: Result<Term, CallFailure>, now: std::time::Duration) {
        self.now = now;
        self.judged(id, &outcome);
        self.settle();
    }

    /// What was to be run on a node that is gone was not.
    pub(super) fn fail_rpcs(&mut self, node: &NodeName) {
        let asked = |session: &super::Session| Some(session.resolver.as_ref()?.asked.as_ref()?.clone());
        let lost = self.sessions.values().filter_map(asked).filter(|(_, _, ours)| ours.pid.node() == node.as_atom());
        for (id, ..) in lost.collect::<Vec<_>>() {
            self.judged(id, &Err(CallFailure::NodeDown));
        }
    }

    fn judged(&mut self, id: CallId, outcome: &Result<Term, CallFailure>) {
        let asked = |session: &super::Session| session.resolver.as_ref().is_some_and(|r| r.is_waiting_for(id));
        let found = self.sessions.iter().find(|(_, session)| asked(session)).map(|(node, _)| node.clone());
        if let Some(node) = found {
            if let Some(resolver) = self.sessions.get_mut(&node).and_then(|session| session.resolver.as_mut()) {
                resolver.judge(outcome);
            }
            self.compare_names(&node);
        }
    }

    /// Goes on comparing until the end, or until a method has to be asked.
    pub(super) fn compare_names(&mut self, peer: &NodeName) {
        // Taken out, so that names and effects are free while it is at work.
        let Some(mut resolver) = self.sessions.get_mut(peer).and_then(|session| session.resolver.take()) else {
            return;
        };
        while !resolver.is_waiting() {
            let Some(theirs) = resolver.rest.next() else { break };
            let Some(ours) = self.names.get(&theirs.name) else {
                resolver.here.push(Op::Insert(theirs));
                continue;
            };
            // The other side settles it if its name is the smaller.
            if ours.pid != theirs.pid && self.config.node < *peer {
                let ours = Entry { name: theirs.name.clone(), pid: ours.pid.clone(), method: ours.method.clone() };
                self.ask_method(&mut resolver, theirs, ours);
            }
        }
        let is_done = !resolver.is_waiting();
        if let Some(session) = self.sessions.get_mut(peer) {
            session.resolver = Some(resolver);
        }
        if is_done {
            self.names_compared(peer);
        }
    }

    fn ask_method(&mut self, resolver: &mut Resolver, theirs: Entry, ours: Entry) {
        let id = CallId(self.fresh_id());
        let Ok(node) = NodeName::from_atom(ours.pid.node()) else { return };
        let (name, method) = (ours.name.clone(), ours.method.clone());
        let pids = [Term::Pid(theirs.pid.clone()), Term::Pid(ours.pid.clone())];
        let here = node == self.config.node;
        let resolution = here.then(|| resolve(&Method::from_term(&method), &name, &theirs.pid, &ours.pid)).flatten();
        resolver.asked = Some((id, theirs, ours));
        if let Some(resolution) = resolution {
            self.effects.extend(resolution.kill.iter().cloned().map(Effect::Kill));
            let notify = resolution.notify.iter().cloned();
            self.effects.extend(notify.map(|(pid, message)| Effect::SendPid { pid, message }));
            return resolver.judge(&Ok(resolution.to_term()));
        }
        let [first, second] = pids;
        let (module, function, arguments) = match method {
            Term::Export(fun) if here => (fun.module.into(), fun.function.into(), vec![name, first, second]),
            method => (Term::atom("global"), Term::atom("resolve_it"), vec![method, name, first, second]),
        };
        self.effects.push_back(Effect::Rpc { id, node, module, function, arguments });
    }
}

//! The table of names: who has which, and by which method a conflict is resolved.
//!
//! Data only: who may change it, and when, is the session's and the lock's business.

use std::collections::HashMap;

use beamline_term::{Atom, ExportFun, Pid, Term, atom};

use super::effect::Method;
use super::message::{Entry, External, entry_term};
use crate::NodeName;

#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) pid: Pid,
    pub(super) method: Term,
    /// The node that registered the name, if that is not the process's own.
    pub(super) external: Option<NodeName>,
}

#[derive(Debug, Default)]
pub(super) struct Names {
    table: HashMap<Term, Named>,
    by_pid: HashMap<Pid, Vec<Term>>,
}

impl Names {
    pub(super) fn get(&self, name: &Term) -> Option<&Named> {
        self.table.get(name)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Term, &Pid)> {
        self.table.iter().map(|(name, named)| (name, &named.pid))
    }

    /// Gives the name to a process, and says whose it was.
    pub(super) fn insert(&mut self, entry: Entry, external: Option<NodeName>) -> Option<Pid> {
        let Entry { name, pid, method } = entry;
        let before = self.remove(&name);
        self.by_pid.entry(pid.clone()).or_default().push(name.clone());
        self.table.insert(name, Named { pid, method, external });
        before
    }

    pub(super) fn remove(&mut self, name: &Term) -> Option<Pid> {
        let named = self.table.remove(name)?;
        if let Some(names) = self.by_pid.get_mut(&named.pid) {
            names.retain(|other| other != name);
            if names.is_empty() {
                self.by_pid.remove(&named.pid);
            }
        }
        Some(named.pid)
    }

    pub(super) fn of(&self, pid: &Pid) -> &[Term] {
        self.by_pid.get(pid).map_or(&[], Vec::as_slice)
    }

    /// The processes with names on a node.
    pub(super) fn pids_at<'a>(&'a self, node: &'a Atom) -> impl Iterator<Item = &'a Pid> {
        self.by_pid.keys().filter(move |pid| pid.node() == node)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let entry = |(name, named): (&Term, &Named)| Entry {
            name: name.clone(),
            pid: named.pid.clone(),
            method: named.method.clone(),
        };
        self.table.iter().map(entry)
    }

    /// All of it, as `exchange` sends it.
    pub(super) fn terms(&self) -> Vec<Term> {
        self.entries().map(|entry| entry_term(&entry)).collect()
    }

    pub(super) fn externals(&self) -> Vec<External> {
        let external =
            |(name, named): (&Term, &Named)| Some((name.clone(), named.pid.clone(), named.external.clone()?));
        self.table.iter().filter_map(external).collect()
    }
}

impl Method {
    /// The method as peers call it.
    pub fn to_term(&self) -> Term {
        let function = match self {
            Method::RandomExit => "random_exit_name",
            Method::RandomNotify => "random_notify_name",
            Method::NotifyAll => "notify_all_name",
            Method::Custom(fun) => return fun.clone(),
        };
        Term::Export(Box::new(ExportFun { module: atom("global"), function: atom(function), arity: 3 }))
    }

    /// What a method of the wire is to us. A closure of the BEAM cannot be run here, and is nearly always OTP's default.
    pub fn from_term(method: &Term) -> Method {
        let Term::Export(fun) = method else { return Method::RandomExit };
        match (fun.module.as_str(), fun.function.as_str(), fun.arity) {
            ("global", "random_notify_name", 3) => Method::RandomNotify,
            ("global", "notify_all_name", 3) => Method::NotifyAll,
            ("global", _, _) => Method::RandomExit,
            _ => Method::Custom(method.clone()),
        }
    }
}

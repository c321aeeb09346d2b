//! `erlang`: what the node, its processes and its connections are.

use std::sync::{Arc, Weak};

use beamline_term::{Atom, Pid, Term};

use super::statistics::Clocks;
use super::{alive, badarg, memory, names, node_sets, ports, process_info, system_info, with};
use crate::functions::{Function, Module};
use crate::node::{Inner, NodeSet};

pub(super) fn module(node: &Weak<Inner>) -> Module {
    Module::new("erlang")
        .function("node", with!(node, |inner| Ok(inner.name.to_atom())))
        .function("nodes", with!(node, |inner| Ok(names(&inner, NodeSet::Visible))))
        .function("nodes", with!(node, |inner, kinds: Term| node_sets(&inner, &kinds)))
        .function("is_alive", || async { Ok(true) })
        .function("registered", with!(node, |inner| Ok(inner.processes.names())))
        .function(
            "whereis",
            with!(node, |inner, name: Atom| Ok(match inner.processes.whereis(&name) {
                Some(pid) => Term::Pid(pid),
                None => Term::atom("undefined"),
            })),
        )
        .function(
            "function_exported",
            with!(node, |inner, module: Atom, function: Atom, arity: usize| {
                Ok(inner.functions.exports(&module).contains(&(function, arity)))
            }),
        )
        .function(
            "get_module_info",
            with!(node, |inner, module: Atom, item: Atom| {
                if item != "exports" || !inner.functions.has_module(&module) {
                    return Err(badarg());
                }
                let exports = inner.functions.exports(&module).into_iter();
                Ok(Term::list(exports.map(|(name, arity)| (name, arity as u64).into())))
            }),
        )
        .function("system_info", with!(node, |inner, item: Term| system_info::item(&inner, &item)))
        .function("memory", with!(node, |inner| Ok(memory::all(&inner))))
        .function("memory", with!(node, |inner, item: Term| memory::item(&inner, &item)))
        .function("statistics", statistics(node))
        .function("processes", with!(node, |inner| Ok(processes(&inner))))
        .function("process_info", with!(node, |inner, pid: Pid| process_info::usual(&inner, &pid)))
        .function("process_info", with!(node, |inner, pid: Pid, items: Term| process_info::items(&inner, &pid, &items)))
        .function("ports", with!(node, |inner| Ok(ports::all(&inner))))
        .function("port_info", with!(node, |inner, port: Term| ports::info(&inner, &port)))
        .function("port_info", with!(node, |inner, port: Term, item: Atom| ports::item(&inner, &port, &item)))
}

/// `statistics(Item)`, some of whose items tell what has been since they were last asked for.
fn statistics(node: &Weak<Inner>) -> impl Function<(Atom,)> {
    let (node, clocks) = (Weak::clone(node), Arc::new(Clocks::default()));
    move |item: Atom| {
        let (node, clocks) = (Weak::clone(&node), Arc::clone(&clocks));
        async move { clocks.item(&*alive(&node)?, &item) }
    }
}

/// All, the oldest first.
fn processes(node: &Inner) -> Term {
    Term::list(node.processes.in_order().into_iter().map(|cell| cell.pid.clone().into()))
}

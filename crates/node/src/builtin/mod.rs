//! The functions that every node has, one file a module. They only tell: none of them kills, writes, connects or sends, but for
//! `global:resolve_it/4`, which decides between two processes that claim the same name. What a node has only when its program
//! says so is in [`observer`].

mod code;
mod elixir;
mod erlang;
mod global;
mod memory;
mod net_kernel;
pub(crate) mod observer;
mod ports;
mod process_info;
mod statistics;
mod system_info;

use std::sync::{Arc, Weak};

use beamline_term::{Atom, Term, atom};

use crate::functions::{Module, Raise};
use crate::node::{Inner, NodeSet};

/// The modules of every node.
pub(crate) fn modules(node: &Weak<Inner>) -> Vec<Module> {
    let elixir = [elixir::node(node), elixir::system()];
    let erlang = [erlang::module(node), net_kernel::module(node), code::module(node), global::module(node)];
    elixir.into_iter().chain(erlang).collect()
}

fn alive(node: &Weak<Inner>) -> Result<Arc<Inner>, Raise> {
    node.upgrade().ok_or_else(|| Raise::exit(atom("shutdown")))
}

fn badarg() -> Raise {
    Raise::error(atom("badarg"))
}

/// A closure over the node: `with!(node, |inner, argument: Type| expression)`.
macro_rules! with {
    ($node:expr, |$inner:ident $(, $name:ident: $type:ty)*| $body:expr) => {{
        let node = Weak::clone($node);
        move |$($name: $type),*| {
            let node = Weak::clone(&node);
            async move {
                let $inner = alive(&node)?;
                $body
            }
        }
    }};
}
use with;

fn names(node: &Inner, set: NodeSet) -> Term {
    Term::list(node.nodes(set).iter().map(Term::from))
}

/// `visible`, `hidden`, `connected`, `this`, `known`, or a list of them.
fn node_sets(node: &Inner, kinds: &Term) -> Result<Term, Raise> {
    let mut found = std::collections::BTreeSet::new();
    let mut add = |kind: &Term| {
        let set = match kind.as_atom().map(Atom::as_str) {
            Some("visible") => NodeSet::Visible,
            Some("hidden") => NodeSet::Hidden,
            Some("connected") => NodeSet::Connected,
            Some("this") => NodeSet::This,
            Some("known") => NodeSet::Known,
            _ => return Err(badarg()),
        };
        found.extend(node.nodes(set));
        Ok(())
    };
    match kinds.as_list() {
        Some(kinds) => kinds.iter().try_for_each(|kind| add(&kind))?,
        None => add(kinds)?,
    }
    Ok(Term::list(found.iter().map(Term::from)))
}

//! The functions that every node has. They only tell: none of them kills, writes, connects or sends, but for
//! `global:resolve_it/4`, which decides between two processes that claim the same name.

use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use beamline_proto::global::{Method, resolve};
use beamline_term::codec::{Decoder, encode};
use beamline_term::{Atom, Pid, Term, atom};

use crate::functions::{FunctionName, Module, Raise};
use crate::node::{Inner, NodeSet};

fn alive(node: &Weak<Inner>) -> Result<Arc<Inner>, Raise> {
    node.upgrade().ok_or_else(|| Raise::exit(atom("shutdown")))
}

fn badarg() -> Raise {
    Raise::error(atom("badarg"))
}

pub(crate) fn modules(node: &Weak<Inner>) -> Vec<Module> {
    vec![erlang(node), elixir_node(node), net_kernel(node), code(node), global(node), system()]
}

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

fn erlang(node: &Weak<Inner>) -> Module {
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
        .function("system_info", with!(node, |inner, item: Atom| system_info(&inner, &item)))
}

fn system_info(node: &Inner, item: &Atom) -> Result<Term, Raise> {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    Ok(match item.as_str() {
        "system_version" => {
            Term::charlist(concat!("Beamline ", env!("CARGO_PKG_VERSION"), " (a Rust node; not Erlang/OTP)\n"))
        }
        "otp_release" => Term::charlist(OTP_RELEASE),
        "version" => Term::charlist(env!("CARGO_PKG_VERSION")),
        "machine" => Term::charlist("BEAMLINE"),
        "system_architecture" => Term::charlist(std::env::consts::ARCH),
        "wordsize" => (size_of::<usize>() as u64).into(),
        "process_count" => (node.processes.count() as u64).into(),
        "process_limit" | "port_limit" | "ets_limit" => (u64::from(u32::MAX)).into(),
        "schedulers" | "schedulers_online" | "logical_processors" | "logical_processors_online" => processors.into(),
        "dirty_cpu_schedulers" | "port_count" | "ets_count" | "atom_count" => 0.into(),
        "creation" => node.numbers.origin().creation().get().into(),
        "dist_buf_busy_limit" => (node.settings.limits.queue_bytes as u64).into(),
        "start_time" => 0.into(),
        _ => return Err(badarg()),
    })
}

/// What we call ourselves where a release of OTP is asked for: tools want a number, and we follow this one's manners.
const OTP_RELEASE: &str = "27";

fn elixir_node(node: &Weak<Inner>) -> Module {
    Module::new("Elixir.Node")
        .function("self", with!(node, |inner| Ok(inner.name.to_atom())))
        .function("list", with!(node, |inner| Ok(names(&inner, NodeSet::Visible))))
        .function("list", with!(node, |inner, kinds: Term| node_sets(&inner, &kinds)))
        .function("alive?", || async { Ok(true) })
        .function(
            "ping",
            // Tells who is connected. It does not connect, which a peer may not make us do.
            with!(node, |inner, name: Atom| {
                let up = name == *inner.name.as_atom() || inner.slots.get(&name).is_some();
                Ok(atom(if up { "pong" } else { "pang" }))
            }),
        )
}

fn net_kernel(node: &Weak<Inner>) -> Module {
    Module::new("net_kernel")
        .function("get_net_ticktime", with!(node, |inner| Ok(inner.settings.net_ticktime.as_secs().max(1))))
}

fn code(node: &Weak<Inner>) -> Module {
    Module::new("code")
        .function(
            "ensure_loaded",
            with!(node, |inner, module: Atom| Ok(if inner.functions.has_module(&module) {
                (atom("module"), module)
            } else {
                (atom("error"), atom("nofile"))
            })),
        )
        .function(
            "all_loaded",
            with!(node, |inner| {
                let modules = inner.functions.modules().into_iter();
                Ok(Term::list(modules.map(|module| (module, atom("preloaded")).into())))
            }),
        )
}

/// Another node asks which of two processes keeps a name, because one of them is ours. It is believed only if the name
/// is in our table as one of the two's.
fn global(node: &Weak<Inner>) -> Module {
    Module::new("global").function(
        "resolve_it",
        with!(node, |inner, method: Term, name: Term, first: Pid, second: Pid| {
            let holder = inner.global.whereis(&name);
            if holder.as_ref() != Some(&first) && holder.as_ref() != Some(&second) {
                return Err(badarg());
            }
            let method = Method::from_term(&method);
            if let Method::Custom(Term::Export(fun)) = &method {
                let function = FunctionName { module: fun.module.clone(), function: fun.function.clone() };
                return inner.evaluate(&function, &[name, first.into(), second.into()]).await;
            }
            let resolution = resolve(&method, &name, &first, &second).ok_or_else(badarg)?;
            if let Some(pid) = &resolution.kill {
                inner.kill(pid);
            }
            for (pid, message) in &resolution.notify {
                let _ = inner.send(pid.into(), crate::process::Message::of(message)).await;
            }
            Ok(resolution.to_term())
        }),
    )
}

impl Inner {
    /// Calls a function of our own table for ourselves.
    async fn evaluate(&self, function: &FunctionName, arguments: &[Term]) -> Result<Term, Raise> {
        let mut list = Vec::new();
        encode::term(&mut list, &Term::list(arguments.iter().cloned()));
        let own = self.name.as_atom();
        let value = self.functions.call(function, list.into(), own, own).await?;
        Decoder::new(&value.into()).term().map_err(|error| Raise::runtime_error(error.to_string()))
    }
}

fn since_epoch() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn system() -> Module {
    Module::new("Elixir.System")
        // No Elixir: tools that would load code for a version of it then end politely.
        .function("version", || async { Ok("0.0.0") })
        .function("otp_release", || async { Ok(OTP_RELEASE) })
        .function("system_time", || async { Ok(since_epoch().as_nanos() as u64) })
        .function("system_time", |unit: Term| async move {
            let now = since_epoch();
            Ok(match (unit.as_atom().map(Atom::as_str), unit.as_u64()) {
                (Some("second"), _) => now.as_secs(),
                (Some("millisecond"), _) => now.as_millis() as u64,
                (Some("microsecond"), _) => now.as_micros() as u64,
                (Some("nanosecond" | "native"), _) => now.as_nanos() as u64,
                (_, Some(parts)) if parts > 0 => (now.as_secs_f64() * parts as f64) as u64,
                _ => return Err(badarg()),
            })
        })
}

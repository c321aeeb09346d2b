//! `net_kernel`: how long silence may last, and the connections.

use std::sync::Weak;

use beamline_term::{Term, atom};

use super::{alive, with};
use crate::connection::Connection;
use crate::functions::Module;
use crate::node::Inner;

pub(super) fn module(node: &Weak<Inner>) -> Module {
    Module::new("net_kernel")
        .function("get_net_ticktime", with!(node, |inner| Ok(inner.settings.net_ticktime.as_secs().max(1))))
        .function("nodes_info", with!(node, |inner| Ok(nodes_info(&inner))))
}

/// `{ok, [{Node, [{owner, Pid}, {state, up}, ..]}]}`: `in` and `out` count frames, as OTP's do; the bytes are beside them.
fn nodes_info(node: &Inner) -> Term {
    let mut connections = node.slots.all();
    connections.sort_by(|a, b| a.peer.name.cmp(&b.peer.name));
    let infos = connections.iter().map(|connection| (connection.peer.name.to_atom(), info(node, connection)).into());
    (atom("ok"), Term::list(infos)).into()
}

fn info(node: &Inner, connection: &Connection) -> Term {
    let kind = if connection.is_hidden() { "hidden" } else { "normal" };
    let (read, written) = (connection.metrics.read.total(), connection.metrics.written.total());
    let counts = [
        ("in", read.frames),
        ("out", written.frames),
        ("in_bytes", read.bytes),
        ("out_bytes", written.bytes),
        ("in_ticks", read.ticks),
        ("out_ticks", written.ticks),
        ("queue_bytes", connection.queued() as u64),
        ("queue_limit", 2 * node.settings.limits.queue_bytes as u64),
    ];
    let mut info: Vec<Term> = vec![
        (atom("owner"), node.caller.clone()).into(),
        (atom("state"), atom("up")).into(),
        (atom("address"), Term::charlist(&connection.ends.remote.to_string())).into(),
        (atom("type"), atom(kind)).into(),
    ];
    info.extend(counts.into_iter().map(|(name, count)| (atom(name), count).into()));
    Term::list(info)
}

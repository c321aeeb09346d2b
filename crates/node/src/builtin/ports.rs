//! `erlang:ports/0` and `port_info/1,2`: the connections, which on the BEAM are ports of the driver `tcp_inet`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use beamline_term::{Atom, Term, atom};

use super::badarg;
use crate::connection::Connection;
use crate::functions::Raise;
use crate::node::Inner;

/// The connections in the order of their making.
fn connections(node: &Inner) -> Vec<Arc<Connection>> {
    let mut connections = node.slots.all();
    connections.sort_by_key(|connection| connection.ends.port.id());
    connections
}

/// The ports.
pub(super) fn all(node: &Inner) -> Term {
    Term::list(connections(node).iter().map(|connection| connection.ends.port.clone().into()))
}

/// `port_info(Port)`: items and values, or `undefined`.
pub(super) fn info(node: &Inner, port: &Term) -> Result<Term, Raise> {
    Ok(find(node, port)?.map_or_else(
        || Term::atom("undefined"),
        |connection| Term::list(items(node, &connection).into_iter().map(|(item, value)| (atom(item), value).into())),
    ))
}

/// `port_info(Port, Item)`: `{Item, Value}`, or `undefined`.
pub(super) fn item(node: &Inner, port: &Term, item: &Atom) -> Result<Term, Raise> {
    let Some(connection) = find(node, port)? else { return Ok(Term::atom("undefined")) };
    let all = items(node, &connection).into_iter().chain(extra(&connection));
    all.into_iter().find(|(name, _)| *item == **name).map(|found| (atom(found.0), found.1).into()).ok_or_else(badarg)
}

fn find(node: &Inner, port: &Term) -> Result<Option<Arc<Connection>>, Raise> {
    let Term::Port(port) = port else { return Err(badarg()) };
    Ok(node.slots.all().into_iter().find(|connection| connection.ends.port == *port))
}

fn items(node: &Inner, connection: &Connection) -> Vec<(&'static str, Term)> {
    let (read, written) = (connection.metrics.read.total(), connection.metrics.written.total());
    vec![
        // What a connection is called: by the peer.
        ("registered_name", connection.peer.name.to_atom().into()),
        ("name", Term::charlist("tcp_inet")),
        ("links", Term::nil()),
        ("id", connection.ends.port.id().into()),
        ("connected", node.caller.clone().into()),
        ("input", read.bytes.into()),
        ("output", written.bytes.into()),
        ("os_pid", Term::atom("undefined")),
    ]
}

fn extra(connection: &Connection) -> Vec<(&'static str, Term)> {
    vec![
        ("monitors", Term::nil()),
        ("monitored_by", Term::nil()),
        ("parallelism", false.into()),
        ("locking", Term::atom("port_level")),
        ("queue_size", connection.queued().into()),
        ("memory", size_of::<Connection>().into()),
    ]
}

/// What `observer_backend:get_port_list/0` tells: each port with all its items, and what `inet` knows of it.
/// `ticks_in` and `ticks_out` are how many of its frames only said "alive".
pub(super) fn list(node: &Inner) -> Term {
    Term::list(connections(node).iter().map(|connection| {
        let port = ("port_id", connection.ends.port.clone().into());
        let inet = ("inet", inet(connection));
        let metrics = &connection.metrics;
        let ticks = [("ticks_in", metrics.read.total().ticks), ("ticks_out", metrics.written.total().ticks)];
        let ticks = ticks.map(|(item, count)| (item, count.into()));
        let all = [port].into_iter().chain(items(node, connection)).chain(extra(connection));
        let all = all.chain([inet]).chain(ticks);
        Term::list(all.map(|(item, value)| (atom(item), value).into()))
    }))
}

fn inet(connection: &Connection) -> Term {
    let (read, written) = (connection.metrics.read.total(), connection.metrics.written.total());
    let statistics = [
        ("recv_oct", read.bytes),
        ("recv_cnt", read.frames + read.ticks),
        ("send_oct", written.bytes),
        ("send_cnt", written.frames + written.ticks),
        ("send_pend", connection.queued() as u64),
    ];
    let statistics = Term::list(statistics.map(|(item, count)| (atom(item), count).into()));
    let (local, remote) = (connection.ends.local, connection.ends.remote);
    Term::list([
        (atom("statistics"), statistics).into(),
        (atom("remote_address"), address(remote)).into(),
        (atom("remote_port"), remote.port()).into(),
        (atom("local_address"), address(local)).into(),
        (atom("local_port"), local.port()).into(),
        (atom("options"), Term::nil()).into(),
    ])
}

/// As `inet` has addresses: a tuple of four or eight numbers.
fn address(address: SocketAddr) -> Term {
    match address.ip() {
        IpAddr::V4(ip) => Term::tuple(ip.octets().map(Term::from)),
        IpAddr::V6(ip) => Term::tuple(ip.segments().map(Term::from)),
    }
}

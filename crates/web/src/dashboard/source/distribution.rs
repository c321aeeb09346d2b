//! The connections of a node with its peers, and what goes over them, as the node itself counts it.

use std::collections::HashMap;

use beamline_term::{Atom, Term, atom};
use serde::Serialize;

use super::ask::{Ask, optional};
use super::figures::PEERS;
use super::identity::{Identity, Kind};
use super::port::{self, Port};
use super::read::{Props, text};
use super::trouble::Trouble;

/// A connection with a peer. `None` is what the node does not tell.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Connection {
    pub(crate) peer: String,
    pub(crate) is_hidden: bool,
    /// Bytes since it was made.
    pub(crate) bytes_in: Option<u64>,
    pub(crate) bytes_out: Option<u64>,
    /// Messages, or parts of such, since it was made.
    pub(crate) frames_in: Option<u64>,
    pub(crate) frames_out: Option<u64>,
    /// Frames that only say "alive", of those.
    pub(crate) ticks_in: Option<u64>,
    pub(crate) ticks_out: Option<u64>,
    /// Bytes that wait to be sent.
    pub(crate) queue: Option<u64>,
    /// The peer's end.
    pub(crate) remote: Option<String>,
}

/// The connections of a node.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Distribution {
    pub(crate) connections: Vec<Connection>,
    /// Bytes that may wait for a peer before senders to it wait.
    pub(crate) limit: Option<u64>,
    /// After so many seconds of silence a peer is down.
    pub(crate) tick_time: Option<u64>,
    /// What is missing, and why.
    pub(crate) note: Option<String>,
}

/// Asks a node.
pub(crate) async fn distribution(ask: &Ask<'_>, identity: &Identity) -> Result<Distribution, Trouble> {
    let (connections, limit, tick_time) = tokio::join!(
        async {
            match identity.kind {
                Kind::Rust => rust(ask, identity).await,
                _ => beam(ask, identity).await,
            }
        },
        ask.system_info("dist_buf_busy_limit"),
        ask.call("net_kernel", "get_net_ticktime", ()),
    );
    let (mut connections, note) = connections?;
    connections.sort_by(|a, b| a.peer.cmp(&b.peer));
    let number = |answer| optional(answer).map(|term: Option<Term>| term.and_then(|term| term.as_u64()));
    Ok(Distribution { connections, limit: number(limit)?, tick_time: number(tick_time)?, note })
}

type Connections = (Vec<Connection>, Option<String>);

/// Whom a node is connected with, and nothing else.
async fn names(ask: &Ask<'_>) -> Result<Vec<Connection>, Trouble> {
    let (visible, hidden) =
        tokio::join!(ask.call("erlang", "nodes", ()), ask.call("erlang", "nodes", (atom("hidden"),)));
    let all = |answer: Term, is_hidden: bool| {
        let list = answer.as_list().map(|list| list.to_vec()).unwrap_or_default().into_iter().take(PEERS);
        list.map(move |peer| Connection { peer: text(&peer), is_hidden, ..Connection::default() })
    };
    Ok(all(visible?, false).chain(all(hidden?, true)).collect())
}

/// Of a Rust node: each of its ports has its peer's name.
async fn rust(ask: &Ask<'_>, identity: &Identity) -> Result<Connections, Trouble> {
    let (names, ports) = tokio::join!(names(ask), ports(ask));
    let mut connections = names?;
    let ports = ports?;
    let of = |peer: &str| ports.iter().find(|props| props.text("registered_name").as_deref() == Some(peer));
    for connection in &mut connections {
        if let Some(props) = of(&connection.peer) {
            connection.count(&Port::of(props), props);
        }
    }
    Ok((connections, identity.without_observer().map(str::to_owned)))
}

/// All ports; none if the node does not tell.
async fn ports(ask: &Ask<'_>) -> Result<Vec<Props>, Trouble> {
    let answer = optional(ask.call("observer_backend", "get_port_list", ()).await)?;
    let list = answer.as_ref().and_then(Term::as_list).into_iter().flat_map(|list| list.iter());
    Ok(list.take(port::MOST).filter_map(|it| Props::of(&it)).collect())
}

impl Connection {
    /// What its port counts.
    fn count(&mut self, port: &Port, props: &Props) {
        let counted = props.props("inet").props("statistics");
        (self.bytes_in, self.bytes_out) = (Some(port.received), Some(port.sent));
        (self.frames_in, self.frames_out) = (counted.number("recv_cnt"), counted.number("send_cnt"));
        (self.ticks_in, self.ticks_out) = (props.number("ticks_in"), props.number("ticks_out"));
        (self.queue, self.remote) = (Some(port.queue), port.remote.clone());
    }
}

/// Of a BEAM node: which port each connection has, and what that counts.
async fn beam(ask: &Ask<'_>, identity: &Identity) -> Result<Connections, Trouble> {
    let (names, controllers, ports) = tokio::join!(names(ask), ask.system_info("dist_ctrl"), ports(ask));
    let controllers: HashMap<Atom, Term> = match optional(controllers)?.as_ref().and_then(Props::of) {
        Some(props) => props.iter().map(|(peer, controller)| (peer.clone(), controller.clone())).collect(),
        None => HashMap::new(),
    };
    let ports = ports?;
    let ports: HashMap<String, &Props> =
        ports.iter().filter_map(|props| Some((port::id(props.get("port_id")?), props))).collect();
    let mut is_opaque = false;
    let mut connections = names?;
    for connection in &mut connections {
        let controller = Atom::new(&connection.peer).ok().and_then(|peer| controllers.get(&peer));
        match controller.map(port::id).and_then(|id| ports.get(&id)) {
            Some(props) => connection.count(&Port::of(props), props),
            None => is_opaque = true,
        }
    }
    let note = match identity.without_observer() {
        Some(note) => Some(note.to_owned()),
        None => is_opaque.then(|| {
            "Some connections are no sockets of the node's own (TLS, say): what goes over them is not counted."
                .to_owned()
        }),
    };
    Ok((connections, note))
}

//! The status as the exported function `Beamline.Cluster.status/0`, for other nodes and for `beamline cluster status`. It is
//! an empty list when the cluster has been dropped.

use std::{sync::Weak, time::Duration};

use beamline_node::Module;
use beamline_term::{Term, atom};

use crate::{
    reconciler::Shared,
    status::{PeerState, PeerStatus, TopologyStatus},
};

/// The module's name.
pub const MODULE: &str = "Elixir.Beamline.Cluster";

pub(crate) fn module(all: Vec<Weak<Shared>>) -> Module {
    Module::new(MODULE).function("status", move || {
        let status = Term::list(all.iter().filter_map(Weak::upgrade).map(|shared| topology(&shared.status())));
        async move { Ok(status) }
    })
}

fn map<const N: usize>(pairs: [(&'static str, Term); N]) -> Term {
    Term::map(pairs.map(|(key, value)| (Term::from(atom(key)), value)))
}

fn or_nil<T>(value: Option<T>, term: impl FnOnce(T) -> Term) -> Term {
    value.map_or_else(|| atom("nil").into(), term)
}

fn milliseconds(time: Duration) -> Term {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).into()
}

fn topology(status: &TopologyStatus) -> Term {
    map([
        ("topology", (&*status.name).into()),
        ("strategy", (&*status.strategy).into()),
        ("prune", status.prune.into()),
        ("grace_period", milliseconds(status.grace_period)),
        (
            "last_answer",
            or_nil(status.last_answer.as_ref(), |(nodes, age)| {
                let nodes = Term::list(nodes.iter().map(|node| Term::from(node.to_atom())));
                map([("nodes", nodes), ("age", milliseconds(*age))])
            }),
        ),
        (
            "last_error",
            or_nil(status.last_error.as_ref(), |(reason, age)| {
                map([("reason", (&**reason).into()), ("age", milliseconds(*age))])
            }),
        ),
        ("last_sighting", or_nil(status.last_sighting, |age| map([("age", milliseconds(age))]))),
        ("peers", Term::list(status.peers.iter().map(peer))),
    ])
}

fn peer(status: &PeerStatus) -> Term {
    let due = match status.state {
        PeerState::Waiting { retry_in } => Some(retry_in),
        PeerState::Leaving { disconnect_in } => Some(disconnect_in),
        _ => None,
    };
    map([
        ("node", status.node.to_atom().into()),
        ("state", atom(status.state.as_str()).into()),
        ("next", or_nil(due, milliseconds)),
        ("last_failure", or_nil(status.last_failure.as_ref(), |reason| (&**reason).into())),
    ])
}

//! How a Rust node finds its peers: what `Beamline.Cluster.status/0` there tells.

use beamline_term::Term;
use serde::Serialize;

use super::read::{cut, text};

/// So many topologies, and so many peers of each, are shown.
const MOST: usize = 256;

/// The longest reason that is shown.
const REASON: usize = 300;

/// The state of one topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Topology {
    pub(crate) name: String,
    pub(crate) strategy: String,
    /// How many nodes its last answer had, and how old that is, in milliseconds.
    pub(crate) last_answer: Option<(usize, u64)>,
    /// Why the strategy could not find out, if it could not since.
    pub(crate) last_error: Option<String>,
    pub(crate) peers: Vec<Peer>,
}

/// A node as a topology sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Peer {
    pub(crate) node: String,
    /// `connected`, `connected_hidden`, `connecting`, `waiting`, `heard` or `leaving`.
    pub(crate) state: String,
    /// When the next try is due, or the disconnect, in milliseconds.
    pub(crate) next: Option<u64>,
    /// Why the last dial failed, if it did.
    pub(crate) last_failure: Option<String>,
}

impl Topology {
    /// All that an answer has; what is of another shape is left out.
    pub(crate) fn all(answer: &Term) -> Vec<Topology> {
        let list = answer.as_list().into_iter().flat_map(|list| list.iter());
        list.take(MOST).filter_map(|topology| Topology::of(&topology)).collect()
    }

    fn of(term: &Term) -> Option<Topology> {
        let answer = get(term, "last_answer").map(|answer| {
            let nodes = get(answer, "nodes").and_then(Term::as_list).map_or(0, |nodes| nodes.len());
            (nodes, number(answer, "age").unwrap_or_default())
        });
        let peers = get(term, "peers").and_then(Term::as_list);
        Some(Topology {
            name: text(get(term, "topology")?),
            strategy: text(get(term, "strategy")?),
            last_answer: answer,
            last_error: get(term, "last_error").and_then(|error| reason(error, "reason")),
            peers: peers
                .into_iter()
                .flat_map(|peers| peers.iter())
                .take(MOST)
                .filter_map(|peer| Peer::of(&peer))
                .collect(),
        })
    }

    /// Its strategy without libcluster's prefix.
    pub(crate) fn short(&self) -> &str {
        self.strategy.strip_prefix("Cluster.Strategy.").unwrap_or(&self.strategy)
    }

    /// In a word: what a table shows.
    pub(crate) fn state(&self) -> &'static str {
        match (&self.last_error, self.peers.iter().any(|peer| peer.last_failure.is_some())) {
            (Some(_), _) => "cannot find out",
            (None, true) => "has unreachable peers",
            (None, false) => "ok",
        }
    }
}

impl Peer {
    fn of(term: &Term) -> Option<Peer> {
        Some(Peer {
            node: text(get(term, "node")?),
            state: text(get(term, "state")?),
            next: number(term, "next"),
            last_failure: reason(term, "last_failure"),
        })
    }
}

/// A value that is there and not nil.
fn get<'t>(term: &'t Term, key: &str) -> Option<&'t Term> {
    term.as_map()?.get_atom(key).filter(|value| !value.is_atom("nil"))
}

fn number(term: &Term, key: &str) -> Option<u64> {
    get(term, key)?.as_u64()
}

fn reason(term: &Term, key: &str) -> Option<String> {
    Some(cut(get(term, key)?.as_str()?.to_owned(), REASON))
}

#[cfg(test)]
mod tests {
    use beamline_term::term;

    use super::*;

    #[test]
    fn a_topology_as_a_rust_node_tells_it() {
        let status = term!([
            %{
                topology: "fixed",
                strategy: "Cluster.Strategy.Epmd",
                last_answer: %{nodes: [:"a@h", :"b@h"], age: 1500},
                last_error: nil,
                last_sighting: nil,
                peers: [
                    %{node: :"a@h", state: :connected, next: nil, last_failure: nil},
                    %{node: :"b@h", state: :waiting, next: 2000, last_failure: "it is down"}
                ]
            },
            :junk
        ]);
        let [topology] = Topology::all(&status).try_into().unwrap();
        assert_eq!((topology.short(), topology.state()), ("Epmd", "has unreachable peers"));
        assert_eq!(topology.last_answer, Some((2, 1500)));
        assert_eq!(topology.peers[1].last_failure.as_deref(), Some("it is down"));
        assert_eq!(topology.peers[1].next, Some(2000));
        assert_eq!(Topology::all(&term!(:junk)), []);
    }
}

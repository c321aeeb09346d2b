//! What a Beamline node says of its own discovery: `Beamline.Cluster.status()`. Other nodes do not have it.

use beamline_cluster::MODULE;
use beamline_term::{Atom, Term};

use super::super::{Outcome, Visit};
use crate::Finding;

pub(super) async fn status(visit: &Visit<'_>) -> Outcome {
    let Some(guest) = &visit.guest else { return Outcome::empty() };
    let asked = guest.call::<Vec<Term>>(visit.target, (MODULE, "status"), ()).timeout(visit.options.step());
    match asked.await {
        Ok(topologies) if !topologies.is_empty() => told(visit, &topologies),
        // A BEAM node, or one without discovery.
        _ => Outcome::empty(),
    }
}

fn told(visit: &Visit<'_>, topologies: &[Term]) -> Outcome {
    let mut outcome = Outcome::default();
    for topology in topologies {
        let name = text(topology, "topology");
        if let Some(error) = get(topology, "last_error").filter(|error| error.as_map().is_some()) {
            let what = format!("{} cannot find out by {name:?} who should be there", visit.target);
            outcome.findings.push(
                Finding::new("BL627", what)
                    .evidence("says", text(error, "reason"))
                    .fix(format!("beamline cluster status {}", visit.target)),
            );
        }
        let peers = get(topology, "peers").and_then(Term::as_list);
        for peer in peers.into_iter().flat_map(|peers| peers.iter()) {
            let (node, state) = (text(&peer, "node"), text(&peer, "state"));
            let failure = text(&peer, "last_failure");
            if matches!(state, "connected" | "connected_hidden") || matches!(failure, "" | "nil") {
                continue;
            }
            outcome.findings.push(
                Finding::new("BL628", format!("{} wants {node}, and cannot connect to it", visit.target))
                    .evidence("says", failure)
                    .fix(format!("on its machine: beamline doctor {node}")),
            );
        }
        outcome.facts.push(format!("{name} ({})", text(topology, "strategy")));
    }
    outcome
}

fn get<'t>(term: &'t Term, key: &str) -> Option<&'t Term> {
    term.as_map()?.get_atom(key)
}

fn text<'t>(term: &'t Term, key: &str) -> &'t str {
    get(term, key).and_then(|value| value.as_str().or_else(|| value.as_atom().map(Atom::as_str))).unwrap_or_default()
}

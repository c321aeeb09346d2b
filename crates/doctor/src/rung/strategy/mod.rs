//! Whether discovery finds the nodes: the strategies of this machine's configuration, each asked once, and what the node
//! itself says of its own.

mod ask;
mod gossip;
mod told;

use beamline_cluster::Gossip;

use super::{Outcome, Visit};
use crate::Finding;

pub(crate) use gossip::Ear;

pub(crate) async fn check(visit: &mut Visit<'_>, ear: Option<&Ear>) -> Outcome {
    let mut outcome = Outcome::empty();
    let topologies = &visit.options.topologies;
    for topology in topologies.iter() {
        outcome.empty = false;
        let name = topology.name();
        let found = match (topology.strategy() as &dyn std::any::Any).downcast_ref::<Gossip>() {
            Some(_) => match ear {
                Some(ear) => ear.heard(name, visit).await,
                None => Outcome::default(),
            },
            None => ask::once(topology, visit).await,
        };
        outcome.facts.extend(found.facts);
        outcome.findings.extend(found.findings);
    }
    let told = told::status(visit).await;
    outcome.empty &= told.empty;
    outcome.facts.extend(told.facts);
    outcome.findings.extend(told.findings);
    outcome
}

/// Discovery does not name the node.
fn not_named(topology: &str, visit: &Visit<'_>, named: &[String]) -> Finding {
    let what = format!("the topology {topology:?} does not name {}", visit.target);
    let finding = Finding::new("BL624", what);
    let finding = match named {
        [] => finding.evidence("names", "nobody"),
        named => finding.evidence("names", named.join(", ")),
    };
    finding.fix("compare the names: basename, mode and host; and labels, if it has a selector")
}

/// So many names are shown.
const SHOWN: usize = 12;

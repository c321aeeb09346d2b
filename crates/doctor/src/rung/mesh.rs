//! Whether the nodes are connected with each other: each that can be reached is asked whom it sees.
//!
//! A guest asks, which is hidden, so that nobody counts it. Who cannot be reached from here is asked through the node, as
//! far as that lets calls through, as BEAM nodes do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use beamline_node::{CallError, Epmd, Limits, Node, NodeName, StartError};
use beamline_term::{Atom, Term, atom};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::{Outcome, Visit};
use crate::Finding;

/// So many members are asked at most.
const MOST: usize = 100;

/// So many pairs are named.
const SHOWN: usize = 8;

/// A cluster that is just forming is not torn: it is asked again, after this.
const SETTLING: Duration = Duration::from_millis(400);

/// Whom each member sees.
type Views = BTreeMap<NodeName, BTreeSet<NodeName>>;

pub(crate) async fn check(visit: &mut Visit<'_>) -> Outcome {
    let guest = match guest(visit).await {
        Ok(Some(guest)) => guest,
        Ok(None) => return Outcome::empty(),
        Err(StartError::Guest(error)) => {
            let what = format!("the node let us in a moment ago, and now does not: {}", error.cause());
            return Finding::new(error.cause().code(), what).into();
        }
        Err(error) => return Finding::new("BL602", error.to_string()).into(),
    };
    visit.guest = Some(guest.clone());
    let step = visit.options.step();
    let begin = Instant::now();
    let mut rounds = 0;
    loop {
        rounds += 1;
        let (views, silent) = match ask(&guest, visit.target, step).await {
            Ok(answers) => answers,
            Err(error) => {
                let what = format!("the node does not tell whom it is connected with: {error}");
                return Finding::new("BL602", what).fix("is erlang:nodes/0 kept from callers there?").into();
            }
        };
        visit.company = views.get(visit.target).map_or(0, BTreeSet::len);
        let apart = apart(&views);
        if !apart.is_empty() && rounds < 3 && begin.elapsed() < step {
            sleep(SETTLING).await;
            continue;
        }
        let mut outcome = Outcome::default();
        let asked = views.len();
        outcome.facts.push(match visit.company {
            0 => "it is connected with nobody".to_owned(),
            others => format!("it is connected with {others} more; {asked} of {} were asked", others + 1),
        });
        outcome.facts.extend(silent.iter().map(|(member, why)| format!("{member} could not be asked: {why}")));
        if !apart.is_empty() {
            outcome.findings.push(torn(&apart));
        }
        return outcome;
    }
}

/// A guest of the node.
async fn guest(visit: &Visit<'_>) -> Result<Option<Node>, StartError> {
    let Some(cookie) = visit.cookie.clone() else { return Ok(None) };
    let mut limits = Limits::default();
    limits.setup_time = visit.options.step();
    let mut builder =
        Node::guest(visit.target).cookie(cookie).epmd(Epmd::on_port(visit.options.epmd_port)).limits(limits);
    if let Some(port) = visit.options.peer_port {
        builder = builder.peer_port(port);
    }
    builder.start().await.map(Some)
}

/// Asks the node, then all whom it sees.
async fn ask(guest: &Node, target: &NodeName, step: Duration) -> Result<(Views, Vec<(NodeName, String)>), CallError> {
    let seen = names(guest.call(target, ("erlang", "nodes"), ()).timeout(step).await?);
    let mut asking = JoinSet::new();
    for member in seen.iter().take(MOST).cloned() {
        let (guest, target) = (guest.clone(), target.clone());
        asking.spawn(async move {
            let answer = whom_sees(&guest, &target, &member, step).await;
            (member, answer)
        });
    }
    let mut views = Views::from([(target.clone(), seen)]);
    let mut silent = Vec::new();
    while let Some(Ok((member, answer))) = asking.join_next().await {
        match answer {
            Ok(seen) => drop(views.insert(member, seen)),
            Err(error) => silent.push((member, error)),
        }
    }
    silent.sort();
    Ok((views, silent))
}

async fn whom_sees(
    guest: &Node,
    target: &NodeName,
    member: &NodeName,
    step: Duration,
) -> Result<BTreeSet<NodeName>, String> {
    let direct = match guest.call(member, ("erlang", "nodes"), ()).timeout(step / 2).await {
        Ok(answer) => return Ok(names(answer)),
        Err(error) => error,
    };
    let question = (member.to_atom(), atom("erlang"), atom("nodes"), Term::nil());
    match guest.call(target, ("erpc", "call"), question).timeout(step / 2).await {
        Ok(answer) => Ok(names(answer)),
        Err(_) => Err(match direct {
            CallError::Connect(error) => format!("{} ({})", error.cause(), error.cause().code()),
            other => other.to_string(),
        }),
    }
}

fn names(answer: Vec<Atom>) -> BTreeSet<NodeName> {
    answer.iter().filter_map(|name| NodeName::from_atom(name).ok()).collect()
}

/// Who of those that were asked does not see whom of them.
fn apart(views: &Views) -> Vec<(&NodeName, &NodeName)> {
    let pairs = views.iter().flat_map(|(one, seen)| {
        views.keys().filter(move |other| *other != one && !seen.contains(*other)).map(move |other| (one, other))
    });
    pairs.collect()
}

fn torn(apart: &[(&NodeName, &NodeName)]) -> Finding {
    let what = "the cluster is not a whole mesh: some of its nodes are not connected with each other";
    let mut finding = Finding::new("BL603", what);
    for (one, other) in apart.iter().take(SHOWN) {
        finding = finding.evidence("apart", format!("{one} does not see {other}"));
    }
    if apart.len() > SHOWN {
        finding = finding.evidence("apart", format!("and {} more pairs", apart.len() - SHOWN));
    }
    let (one, other) = apart[0];
    finding.fix(format!("on the machine of {one}: beamline doctor {other}")).fix(
        "look for `global: ... disconnected to prevent overlapping partitions` in the logs, and for dist_auto_connect",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(list: &[(&str, &[&str])]) -> Views {
        let name = |text: &&str| text.parse::<NodeName>().unwrap();
        list.iter().map(|(one, seen)| (name(one), seen.iter().map(name).collect())).collect()
    }

    #[test]
    fn a_whole_mesh_and_a_torn_one() {
        let whole = views(&[("a@h", &["b@h", "c@h"]), ("b@h", &["a@h", "c@h"])]);
        assert!(apart(&whole).is_empty(), "c was not asked");
        let torn = views(&[("a@h", &["b@h", "c@h"]), ("b@h", &["a@h"]), ("c@h", &["a@h", "b@h"])]);
        let apart = apart(&torn);
        assert_eq!(apart.len(), 1);
        assert_eq!((apart[0].0.as_str(), apart[0].1.as_str()), ("b@h", "c@h"));
    }
}

//! Heartbeats: who is heard, and whether under our secret. The doctor sends none.
//!
//! Nodes send them after random pauses of up to five seconds, so the ear is open from the start, and a node that is heard, or
//! has company already, need not be waited for.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use beamline_cluster::{Gossip, Topology};
use beamline_node::NodeName;
use beamline_proto::gossip::Refused;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::super::{Outcome, Visit, is_here};
use crate::{Finding, Options};

/// Whoever gossips is heard once in this time.
const LONGEST: Duration = Duration::from_millis(5500);

/// So many senders are kept.
const MOST: usize = 64;

/// One for each topology that gossips.
pub(crate) struct Ear {
    topologies: Vec<(String, Result<Arc<Heard>, String>)>,
    begin: Instant,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Heard {
    state: Mutex<State>,
    more: Notify,
}

#[derive(Default, Clone)]
struct State {
    nodes: BTreeSet<NodeName>,
    foreign: Vec<(IpAddr, Refused)>,
}

impl Ear {
    /// Begins to listen, where there is something to listen for.
    pub(crate) fn open(options: &Options) -> Ear {
        let mut tasks = JoinSet::new();
        let topologies = options.topologies.iter().filter_map(|topology| {
            let gossip = gossip_of(topology)?;
            let heard = match gossip.overhear() {
                Ok(overhearing) => {
                    let heard = Arc::new(Heard::default());
                    let to = Arc::clone(&heard);
                    tasks.spawn(async move {
                        // An error here is an ICMP message about somebody else's datagram; the silence afterwards is told.
                        while let Ok((from, what)) = overhearing.next().await {
                            to.note(from, what);
                        }
                    });
                    Ok(heard)
                }
                Err(error) => Err(error.to_string()),
            };
            Some((topology.name().to_owned(), heard))
        });
        Ear { topologies: topologies.collect(), begin: Instant::now(), _tasks: tasks }
    }

    /// What was heard of a topology. Waits for the node's heartbeat, if there is a reason to.
    pub(super) async fn heard(&self, name: &str, visit: &Visit<'_>) -> Outcome {
        let heard = match self.topologies.iter().find(|(topology, _)| topology == name) {
            Some((_, Ok(heard))) => heard,
            Some((_, Err(error))) => return Finding::new("BL626", error.clone()).into(),
            None => return Outcome::empty(),
        };
        let until = self.begin + LONGEST.min(visit.options.timeout * 4 / 5);
        // A node that has company found it somehow; then what was heard so far is enough.
        while visit.company == 0 && !heard.state().nodes.contains(visit.target) {
            if timeout_at(until, heard.more.notified()).await.is_err() {
                break;
            }
        }
        judge(name, visit, &heard.state(), self.begin.elapsed())
    }
}

impl Heard {
    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, from: SocketAddr, what: Result<NodeName, Refused>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Ok(node) if state.nodes.len() < MOST => drop(state.nodes.insert(node)),
            Err(Refused::Junk) | Ok(_) => return,
            Err(refused) if state.foreign.len() < MOST && !state.foreign.contains(&(from.ip(), refused)) => {
                state.foreign.push((from.ip(), refused));
            }
            Err(_) => return,
        }
        drop(state);
        self.more.notify_one();
    }
}

fn gossip_of(topology: &Topology) -> Option<&Gossip> {
    (topology.strategy() as &dyn std::any::Any).downcast_ref()
}

fn judge(name: &str, visit: &Visit<'_>, state: &State, after: Duration) -> Outcome {
    let mut outcome = Outcome::default();
    if !state.nodes.is_empty() {
        let nodes: Vec<_> = state.nodes.iter().take(super::SHOWN).map(ToString::to_string).collect();
        outcome.facts.push(format!("{name}: heartbeats of {}", nodes.join(", ")));
    }
    let is_heard = state.nodes.contains(visit.target);
    let here = visit.addresses.iter().any(|address| is_here(*address));
    // From where the node's own heartbeats come: its address, or any of this machine if it runs here.
    let of_node = |from: &IpAddr| visit.addresses.contains(from) || (here && is_here(*from));
    if let Some((from, refused)) = state.foreign.iter().find(|(from, _)| of_node(from)).or(state.foreign.first()) {
        let what = match refused {
            Refused::Plain => "heartbeats are heard that are not encrypted, and we have a `secret`",
            Refused::Encrypted => "heartbeats are heard that are encrypted, and we have no `secret`",
            _ => "heartbeats are heard that are encrypted with another `secret` than ours",
        };
        let finding = Finding::new("BL621", format!("{name}: {what}"))
            .evidence("from", from.to_string())
            .fix("give all nodes of the cluster the same `secret` in the configuration of gossip, or all none")
            .fix("if those are of another cluster: give this one a `port` or a `multicast_addr` of its own");
        let others = is_heard || visit.company > 0 || !of_node(from);
        outcome.findings.push(if others { finding.warning() } else { finding });
    } else if !is_heard && visit.company == 0 {
        let what = format!("{name}: no heartbeat of {} was heard in {after:.1?}", visit.target);
        outcome.findings.push(
            Finding::new("BL625", what)
                .fix("does the node run, with the strategy gossip and the same `port` and `multicast_addr`?")
                .fix(
                    "does this network carry multicast? Clouds and most container networks do not: try broadcast_only",
                ),
        );
    }
    outcome
}

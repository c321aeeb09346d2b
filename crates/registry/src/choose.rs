//! Choosing one of several nodes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use beamline_proto::NodeName;
use rand::seq::{IndexedRandom, SliceRandom};
use tokio::time::{Instant, timeout};

use crate::NodeRegistry;

/// For how long a measured latency is believed.
const FRESH: Duration = Duration::from_secs(10);

/// Who does not answer within this time is taken to be slower than all that do.
const SLOWEST: Duration = Duration::from_secs(1);

/// How one node is chosen among several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Choice {
    /// Any, as the Elixir library does.
    #[default]
    Random,
    /// One after the other.
    RoundRobin,
    /// The one that answers a ping soonest; measured again after ten seconds. Those that do not answer come last.
    LeastLatency,
}

#[derive(Debug, Default)]
pub(crate) struct Chooser {
    turn: AtomicUsize,
    latencies: Mutex<HashMap<NodeName, (Duration, Instant)>>,
}

impl NodeRegistry {
    /// A node with a name that begins with this text, at random.
    pub fn random_node_with_prefix(&self, prefix: &str) -> Option<NodeName> {
        self.nodes_with_prefix(prefix).choose(&mut rand::rng()).cloned()
    }

    /// A node with a name that begins with this text.
    pub async fn choose(&self, prefix: &str, choice: Choice) -> Option<NodeName> {
        self.ranked(prefix, choice).await.into_iter().next()
    }

    /// The nodes with such a name, each once, the chosen one first.
    pub(crate) async fn ranked(&self, prefix: &str, choice: Choice) -> Vec<NodeName> {
        let mut nodes = self.nodes_with_prefix(prefix);
        nodes.sort();
        nodes.dedup();
        match choice {
            Choice::Random => nodes.shuffle(&mut rand::rng()),
            Choice::RoundRobin if !nodes.is_empty() => {
                let turn = self.chooser.turn.fetch_add(1, Ordering::Relaxed) % nodes.len();
                nodes.rotate_left(turn);
            }
            Choice::RoundRobin => {}
            Choice::LeastLatency => {
                self.measure(&nodes).await;
                let latencies = self.chooser.latencies.lock().unwrap_or_else(PoisonError::into_inner);
                nodes.sort_by_key(|node| latencies.get(node).map_or(SLOWEST, |(latency, _)| *latency));
            }
        }
        nodes
    }

    /// Pings those whose latency is not known or old, all at once.
    async fn measure(&self, nodes: &[NodeName]) {
        let now = Instant::now();
        let old: Vec<NodeName> = {
            let mut latencies = self.chooser.latencies.lock().unwrap_or_else(PoisonError::into_inner);
            // Nodes that have left are not remembered.
            latencies.retain(|_, (_, at)| *at + FRESH > now);
            nodes.iter().filter(|node| !latencies.contains_key(*node)).cloned().collect()
        };
        let pings = old.into_iter().map(|peer| {
            let node = self.node.clone();
            tokio::spawn(async move {
                let begun = Instant::now();
                let answered = timeout(SLOWEST, node.ping(&peer)).await;
                let latency = if matches!(answered, Ok(Ok(()))) { begun.elapsed() } else { SLOWEST };
                (peer, latency)
            })
        });
        for ping in pings.collect::<Vec<_>>() {
            if let Ok((peer, latency)) = ping.await {
                let mut latencies = self.chooser.latencies.lock().unwrap_or_else(PoisonError::into_inner);
                latencies.insert(peer, (latency, Instant::now()));
            }
        }
    }
}

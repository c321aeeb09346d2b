//! The state of a topology for those who ask.

use tokio::time::Instant;

use super::Shared;
use crate::status::{PeerState, PeerStatus, TopologyStatus};

impl Shared {
    pub(crate) fn status(&self) -> TopologyStatus {
        let state = self.lock();
        let since_begin = self.now();
        let mut peers: Vec<PeerStatus> = state
            .core
            .peers
            .iter()
            .map(|(node, peer)| PeerStatus {
                node: node.clone(),
                state: match peer.leaves_at() {
                    Some(at) => PeerState::Leaving { disconnect_in: at.saturating_sub(since_begin) },
                    None if peer.up && peer.hidden == Some(true) => PeerState::ConnectedHidden,
                    None if peer.up => PeerState::Connected,
                    None if peer.dialing => PeerState::Connecting,
                    None if peer.is_owed() => PeerState::Waiting { retry_in: peer.due.saturating_sub(since_begin) },
                    None => PeerState::Heard,
                },
                last_failure: peer.failure.as_ref().map(|failure| failure.reason.clone()),
            })
            .collect();
        peers.sort_by(|a, b| a.node.as_str().cmp(b.node.as_str()));
        let now = Instant::now();
        TopologyStatus {
            name: self.topology.name().into(),
            strategy: self.topology.strategy().name().into(),
            prune: self.topology.prunes(),
            grace_period: self.topology.grace_period(),
            last_answer: state.answer.as_ref().map(|answer| (answer.nodes.clone(), now - answer.at)),
            last_error: state.error.as_ref().map(|error| (error.reason.clone(), now - error.at)),
            last_sighting: state.heard.map(|at| now - at),
            peers,
        }
    }
}

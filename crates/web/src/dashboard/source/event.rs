//! What happened in the cluster since the dashboard looks: a ring of bounded length.

use std::collections::VecDeque;
use std::time::SystemTime;

use beamline_proto::NodeName;

/// So many are kept.
const MOST: usize = 1000;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// A node was first seen, or seen again.
    NodeUp,
    /// A node is gone; why, as far as it is known.
    NodeDown(String),
    /// The dashboard cannot reach a node that others see; why.
    Unreachable(String),
    /// A node does not see another of the same cluster.
    LinkMissing(NodeName),
    /// It sees it again.
    LinkBack(NodeName),
    /// A topology's strategy could not find out who should be there.
    StrategyFailed { topology: String, reason: String },
    /// It could again.
    StrategyBack { topology: String },
    /// A topology could not dial a node.
    DialFailed { peer: String, reason: String },
    /// The node was restarted under the same name.
    Restarted,
}

impl What {
    /// A word for machines.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            What::NodeUp => "node_up",
            What::NodeDown(_) => "node_down",
            What::Unreachable(_) => "unreachable",
            What::LinkMissing(_) => "link_missing",
            What::LinkBack(_) => "link_back",
            What::StrategyFailed { .. } => "strategy_failed",
            What::StrategyBack { .. } => "strategy_back",
            What::DialFailed { .. } => "dial_failed",
            What::Restarted => "restarted",
        }
    }

    /// Whether something got worse.
    pub(crate) fn is_bad(&self) -> bool {
        !matches!(self, What::NodeUp | What::LinkBack(_) | What::StrategyBack { .. })
    }

    /// It in a sentence without its subject.
    pub(crate) fn text(&self) -> String {
        match self {
            What::NodeUp => "is up".to_owned(),
            What::NodeDown(reason) => format!("is down: {reason}"),
            What::Unreachable(reason) => format!("cannot be reached from the dashboard: {reason}"),
            What::LinkMissing(peer) => format!("does not see {peer}"),
            What::LinkBack(peer) => format!("sees {peer} again"),
            What::StrategyFailed { topology, reason } => format!("topology {topology} cannot find its peers: {reason}"),
            What::StrategyBack { topology } => format!("topology {topology} finds its peers again"),
            What::DialFailed { peer, reason } => format!("cannot dial {peer}: {reason}"),
            What::Restarted => "was restarted".to_owned(),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Grows by one an event.
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
    pub(crate) node: NodeName,
    pub(crate) what: What,
}

/// The last events.
#[derive(Debug, Default)]
pub(crate) struct Events {
    ring: VecDeque<Event>,
    next: u64,
}

impl Events {
    pub(crate) fn add(&mut self, node: &NodeName, what: What) {
        if self.ring.len() == MOST {
            self.ring.pop_front();
        }
        self.ring.push_back(Event { number: self.next, at: SystemTime::now(), node: node.clone(), what });
        self.next += 1;
    }

    /// The newest first.
    pub(crate) fn newest(&self) -> impl ExactSizeIterator<Item = &Event> {
        self.ring.iter().rev()
    }

    /// How many there were in all.
    pub(crate) fn count(&self) -> u64 {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let mut events = Events::default();
        let node: NodeName = "a@b".parse().unwrap();
        (0..MOST + 5).for_each(|_| events.add(&node, What::NodeUp));
        assert_eq!((events.newest().len(), events.count()), (MOST, MOST as u64 + 5));
        assert_eq!(events.newest().next().unwrap().number, MOST as u64 + 4);
    }
}

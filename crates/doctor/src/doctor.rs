//! The ladder: one rung after another, with the time that is left; a rung that fails skips those that need it.

use std::collections::HashMap;

use beamline_node::NodeName;
use tokio::time::{Instant, timeout_at};

use crate::Options;
use crate::report::{Checked, Examination, State};
use crate::rung::{self, Outcome, Rung, Visit};

/// Examines nodes.
#[derive(Debug, Clone)]
pub struct Doctor {
    options: Options,
}

impl Doctor {
    /// One that looks by these.
    pub fn new(options: Options) -> Doctor {
        Doctor { options }
    }

    /// Looks at a node. Ends within [`Options::timeout`].
    pub async fn examine(&self, node: &NodeName) -> Examination {
        let mut visit = Visit::new(&self.options, node);
        let deadline = visit.begin + self.options.timeout;
        let selection = &self.options.selection;
        // Heartbeats come seldom, so somebody listens from the start.
        let ear = selection.wants(Rung::Strategy).then(|| rung::strategy::Ear::open(&self.options));
        let mut states: HashMap<Rung, State> = HashMap::new();
        let mut rungs = Vec::new();
        for rung in Rung::ALL.into_iter().filter(|rung| selection.climbs(*rung)) {
            let begin = Instant::now();
            let failed = rung.before().and_then(|before| match states.get(&before) {
                Some(State::Failed | State::Unfinished) => Some(before),
                Some(State::Skipped(root)) => Some(*root),
                _ => None,
            });
            let (state, outcome) = match failed {
                Some(root) => (State::Skipped(root), Outcome::default()),
                None => match timeout_at(deadline, climb(rung, &mut visit, ear.as_ref())).await {
                    Err(_) => (State::Unfinished, Outcome::default()),
                    Ok(outcome) if outcome.is_fatal() => (State::Failed, outcome),
                    Ok(outcome) if outcome.empty => (State::Empty, outcome),
                    Ok(outcome) => (State::Passed, outcome),
                },
            };
            states.insert(rung, state);
            if selection.wants(rung) {
                let Outcome { mut findings, facts, .. } = outcome;
                findings.retain(|finding| selection.wants_code(finding.code));
                rungs.push(Checked { rung, state, findings, facts, took: begin.elapsed() });
            }
        }
        if let Some(guest) = visit.guest.take() {
            guest.stop().await;
        }
        Examination { node: node.clone(), own: self.options.own.clone(), rungs }
    }
}

async fn climb(rung: Rung, visit: &mut Visit<'_>, ear: Option<&rung::strategy::Ear>) -> Outcome {
    match rung {
        Rung::Config => rung::config::check(visit),
        Rung::Name => rung::name::check(visit),
        Rung::Dns => rung::dns::check(visit).await,
        Rung::Epmd => rung::epmd::check(visit).await,
        Rung::Tcp => rung::tcp::check(visit).await,
        Rung::Handshake => rung::handshake::check(visit).await,
        Rung::Cookie => rung::cookie::check(visit).await,
        Rung::Mesh => rung::mesh::check(visit).await,
        Rung::Strategy => rung::strategy::check(visit, ear).await,
    }
}

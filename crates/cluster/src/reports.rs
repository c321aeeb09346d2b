//! The line from a strategy to the reconciler.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use beamline_proto::NodeName;
use tokio::{sync::mpsc, time::sleep};
use tracing::trace;

use crate::reconciler::Shared;

/// How many reports may wait.
const BACKLOG: usize = 256;

/// What a strategy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    Answer(BTreeSet<NodeName>),
    Sighting(NodeName),
    Failed(Arc<str>),
    Foreign(Arc<str>),
}

/// Where a strategy says what it knows. It cannot connect or disconnect anybody by itself.
#[derive(Debug)]
pub struct Reports {
    own: NodeName,
    epmd_port: u16,
    shared: Arc<Shared>,
    sender: mpsc::Sender<Report>,
}

impl Reports {
    pub(crate) fn new(own: NodeName, epmd_port: u16, shared: Arc<Shared>) -> (Self, mpsc::Receiver<Report>) {
        let (sender, receiver) = mpsc::channel(BACKLOG);
        (Self { own, epmd_port, shared, sender }, receiver)
    }

    /// The name of the node that is to be connected with the others.
    pub fn own_name(&self) -> &NodeName {
        &self.own
    }

    /// The topology's name, for what a strategy logs: `[libcluster:NAME] text`.
    pub fn topology(&self) -> &str {
        self.shared.topology.name()
    }

    /// The port on which this program's nodes ask epmd, for strategies that do.
    pub fn epmd_port(&self) -> u16 {
        self.epmd_port
    }

    /// These nodes should be here, and no others. Our own name among them does no harm. Whoever an earlier answer had and
    /// this one lacks has left.
    pub async fn answer(&self, nodes: impl IntoIterator<Item = NodeName>) {
        self.send(Report::Answer(nodes.into_iter().collect())).await;
    }

    /// This node is here; nothing is said about others. Meant for names that are said again and again: while too many
    /// wait to be looked at, it is let go.
    pub fn sighting(&self, node: NodeName) {
        if self.sender.try_send(Report::Sighting(node)).is_err() {
            trace!("[libcluster:{}] too many names at once", self.topology());
        }
    }

    /// It could not be found out who should be here; the last answer stays in force. The log has a reason once, however
    /// often it is given in a row.
    pub async fn failed(&self, reason: impl fmt::Display) {
        self.send(Report::Failed(reason.to_string().into())).await;
    }

    /// Somebody who does not share our secret is heard. A strategy says this once for each kind.
    pub async fn foreign(&self, what: impl fmt::Display) {
        self.send(Report::Foreign(what.to_string().into())).await;
    }

    /// Waits until a dial has failed: who cannot be dialed can perhaps dial us, if it hears of us.
    pub async fn unreachable(&self) {
        self.shared.unreachable.notified().await;
    }

    /// Asks for ever, with this pause after each answer.
    pub async fn poll<E, F>(&self, pause: Duration, mut ask: impl FnMut() -> F)
    where
        E: fmt::Display,
        F: Future<Output = Result<Vec<NodeName>, E>>,
    {
        loop {
            match ask().await {
                Ok(nodes) => self.answer(nodes).await,
                Err(error) => self.failed(error).await,
            }
            // A pause of nothing would leave no time for anything else.
            sleep(pause.max(Duration::from_millis(1))).await;
        }
    }

    async fn send(&self, report: Report) {
        // Nobody takes it when the cluster ends, and then nobody needs it.
        let _ = self.sender.send(report).await;
    }
}

//! Turns "who should be here" into connections.
//!
//! A strategy gives answers (these nodes and no others), names single nodes that it heard of, or says that it could not
//! find out; the reconciler alone connects and disconnects:
//!
//! - It dials who is wanted and not connected, many at once, one try at a time for each, with jittered pauses that grow
//!   from [`FIRST_PAUSE`] to [`LONGEST_PAUSE`]. A connection that is lost is made anew although no answer changed.
//! - It disconnects a node only when a successful answer left out what an earlier one had, when the topology's grace
//!   period has passed since, and when no other topology wants the node. A failure to find out changes nothing. Nodes that
//!   were connected by other means are left alone.
//! - Names that were only heard of may come from anybody (a datagram is enough), so all that they can cause is bounded:
//!   [`MAX_DIALS`] at once, [`DIALS_PER_SECOND`] in the long run, [`MAX_STRANGERS`] remembered; saying one again causes no
//!   dial before the pause is over. One that was connected counts as wanted until [`KEEP`] after its name was last heard.
//!
//! Here is the shell, which has the tasks, the clock and the log; the rules are in `core`, the figures in `pace`.

mod core;
mod pace;
mod snapshot;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use beamline_proto::NodeName;
use tokio::{
    sync::{Notify, mpsc},
    task::{Id, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::{debug, info, warn};

pub use self::core::{KEEP, MAX_DIALS, MAX_STRANGERS};
pub use self::pace::{BURST, DIALS_PER_SECOND, FIRST_PAUSE, FOREIGN_PAUSE, LONGEST_PAUSE};

use self::core::{Action, Core, Failure, News, Pruning};
use crate::{
    Connector, Topology,
    events::{ClusterEvent, Publisher},
    metrics::TopologyMetrics,
    reports::Report,
    status::{LastAnswer, LastError},
};

/// The state of a topology, which its reconciler changes and a status reads.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) topology: Topology,
    begin: Instant,
    state: Mutex<State>,
    /// A dial of a node that was only heard of has failed.
    pub(crate) unreachable: Notify,
}

#[derive(Debug)]
struct State {
    core: Core,
    answer: Option<LastAnswer>,
    error: Option<LastError>,
    heard: Option<Instant>,
}

impl Shared {
    pub(crate) fn new(topology: Topology, own: NodeName) -> Self {
        let pruning = Pruning { enabled: topology.prunes(), grace: topology.grace_period() };
        let core = Core::new(own, pruning, rand::random());
        let state = State { core, answer: None, error: None, heard: None };
        Self { topology, begin: Instant::now(), state: Mutex::new(state), unreachable: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.begin.elapsed()
    }
}

type Dial<E> = (NodeName, Result<(), E>);
type Cut<E> = (NodeName, Result<bool, E>);

/// The tasks of one topology.
pub(crate) struct Reconciler<C: Connector> {
    shared: Arc<Shared>,
    /// All topologies of the cluster, this one among them.
    all: Arc<OnceLock<Vec<Arc<Shared>>>>,
    connector: C,
    name: Arc<str>,
    dials: JoinSet<Dial<C::Error>>,
    names_of_dials: HashMap<Id, NodeName>,
    cuts: JoinSet<Cut<C::Error>>,
    metrics: TopologyMetrics,
    publisher: Publisher,
}

impl<C: Connector> Reconciler<C> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        all: Arc<OnceLock<Vec<Arc<Shared>>>>,
        connector: C,
        publisher: Publisher,
    ) -> Self {
        let name: Arc<str> = shared.topology.name().into();
        Self {
            metrics: TopologyMetrics::new(connector.name(), &name),
            shared,
            all,
            connector,
            name,
            dials: JoinSet::new(),
            names_of_dials: HashMap::new(),
            cuts: JoinSet::new(),
            publisher,
        }
    }

    /// Works for ever, also when the strategy has ended: its last answer then stays.
    pub(crate) async fn run(mut self, mut reports: mpsc::Receiver<Report>) {
        let mut listening = true;
        let mut changes = Box::pin(self.connector.changes());
        let mut next = self.act();
        loop {
            let everybody = tokio::select! {
                report = reports.recv(), if listening => match report {
                    Some(Report::Sighting(node)) => self.sighting(&node),
                    Some(report) => self.report(report),
                    None => {
                        warn!("[libcluster:{}] the strategy has ended; what it last said stays", self.name);
                        listening = false;
                        false
                    }
                },
                Some(ended) = self.dials.join_next_with_id() => {
                    let ended = ended.map_err(|panicked| panicked.id());
                    self.dialed(ended)
                }
                Some(ended) = self.cuts.join_next() => match ended {
                    Ok((node, result)) => self.disconnected(node, result),
                    Err(_) => false,
                },
                () = &mut changes => {
                    changes = Box::pin(self.connector.changes());
                    true
                }
                () = until(next) => true,
            };
            if everybody {
                next = self.act();
            }
        }
    }

    fn publish(&self, event: impl FnOnce(Arc<str>) -> ClusterEvent) {
        self.publisher.publish(event(self.name.clone()));
    }

    /// True if this may be about more than the one node.
    fn sighting(&mut self, node: &NodeName) -> bool {
        let is_connected = self.connector.is_connected(node);
        let (is_new, action) = {
            let now = self.shared.now();
            let mut state = self.shared.lock();
            state.heard = Some(Instant::now());
            let is_new = state.core.said(now, node, is_connected);
            (is_new, state.core.act_on(now, node, is_new))
        };
        self.metrics.sightings.increment(1);
        if is_new {
            self.publish(|topology| ClusterEvent::Discovered { topology, node: node.clone() });
        }
        if let Some(action) = action {
            self.carry_out(action);
        }
        false
    }

    fn report(&mut self, report: Report) -> bool {
        match report {
            Report::Answer(names) => {
                let now = self.shared.now();
                let discovered = {
                    let mut state = self.shared.lock();
                    state.answer = Some(LastAnswer { nodes: names.iter().cloned().collect(), at: Instant::now() });
                    state.error = None;
                    state.core.answer(now, &names)
                };
                self.metrics.answers_ok.increment(1);
                for node in discovered {
                    debug!("[libcluster:{}] discovered {node:?}", self.name);
                    self.publish(|topology| ClusterEvent::Discovered { topology, node });
                }
                true
            }
            Report::Failed(reason) => {
                let again = {
                    let mut state = self.shared.lock();
                    let again = state.error.as_ref().is_some_and(|last| last.reason == reason);
                    state.error = Some(LastError { reason: reason.clone(), at: Instant::now() });
                    again
                };
                self.metrics.answers_error.increment(1);
                if again {
                    debug!("[libcluster:{}] {reason}", self.name);
                } else {
                    warn!("[libcluster:{}] {reason}", self.name);
                    self.publish(|topology| ClusterEvent::AnswerKept { topology, reason });
                }
                false
            }
            Report::Foreign(what) => {
                warn!("[libcluster:{}] {what}", self.name);
                self.publish(|topology| ClusterEvent::Foreign { topology, what });
                false
            }
            Report::Sighting(node) => self.sighting(&node),
        }
    }

    /// Does what is due for anybody; when to look again.
    fn act(&mut self) -> Option<Instant> {
        let now = self.shared.now();
        let (actions, next) = {
            let mut state = self.shared.lock();
            let connector = &self.connector;
            let actions = state.core.act(now, |node| connector.is_connected(node), |node| connector.is_hidden(node));
            let (wanted, connected) = state.core.figures();
            self.metrics.peers(wanted, connected);
            (actions, state.core.next(now))
        };
        actions.into_iter().for_each(|action| self.carry_out(action));
        next.map(|next| self.shared.begin + next)
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Dial(node) => {
                let (connector, name) = (self.connector.clone(), node.clone());
                let dial = self.dials.spawn(async move {
                    let result = connector.connect(&name).await;
                    (name, result)
                });
                self.names_of_dials.insert(dial.id(), node);
            }
            Action::Disconnect(node) => {
                let all = self.all.get().map_or(&[][..], Vec::as_slice);
                let elsewhere =
                    |other: &&Arc<Shared>| !Arc::ptr_eq(other, &self.shared) && other.lock().core.wants(&node);
                if let Some(other) = all.iter().find(elsewhere) {
                    debug!("[libcluster:{}] {node:?} is left to {}", self.name, other.topology.name());
                    self.shared.lock().core.forget(&node);
                    return;
                }
                let connector = self.connector.clone();
                self.cuts.spawn(async move {
                    let result = connector.disconnect(&node).await;
                    (node, result)
                });
            }
            Action::Lost(node) => {
                debug!("[libcluster:{}] lost {node:?}, connecting again", self.name);
                self.publish(|topology| ClusterEvent::Lost { topology, node });
            }
        }
    }

    fn dialed(&mut self, ended: Result<(Id, Dial<C::Error>), Id>) -> bool {
        let (id, dial) = match ended {
            Ok((id, dial)) => (id, Some(dial)),
            Err(id) => (id, None),
        };
        let Some(node) = self.names_of_dials.remove(&id) else { return false };
        let result = match dial {
            Some((_, Ok(()))) => Ok(()),
            Some((_, Err(error))) => {
                Err(Failure { reason: error.to_string().into(), code: C::code(&error), foreign: C::is_foreign(&error) })
            }
            // It must not count as being dialed for ever.
            None => Err(Failure { reason: "the connector panicked".into(), code: "panic", foreign: false }),
        };
        let is_connected = self.connector.is_connected(&node);
        let news = self.shared.lock().core.dialed(self.shared.now(), &node, result.clone(), is_connected);
        self.metrics.dialed(result.as_ref().map_or_else(|failure| failure.code, |()| "ok"));
        match result {
            Ok(()) => {
                info!("[libcluster:{}] connected to {node:?}", self.name);
                self.publish(|topology| ClusterEvent::Connected { topology, node });
            }
            // It dialed us at the same moment, and its connection was the one that stayed.
            Err(_) if is_connected => {}
            Err(Failure { reason, code, .. }) => {
                match news {
                    News::Fresh => warn!("[libcluster:{}] unable to connect to {node:?}: {reason}", self.name),
                    News::Stale => debug!("[libcluster:{}] unable to connect to {node:?}: {reason}", self.name),
                }
                self.shared.unreachable.notify_one();
                self.publish(|topology| ClusterEvent::Unreachable { topology, node, code, reason });
            }
        }
        true
    }

    fn disconnected(&mut self, node: NodeName, result: Result<bool, C::Error>) -> bool {
        match result {
            Ok(true) => {
                info!("[libcluster:{}] disconnected from {node:?}", self.name);
                self.metrics.disconnects.increment(1);
                self.publish(|topology| ClusterEvent::Disconnected { topology, node });
            }
            Ok(false) => {
                debug!("[libcluster:{}] disconnect from {node:?} failed because we're already disconnected", self.name);
            }
            Err(error) => warn!("[libcluster:{}] disconnect from {node:?} failed with: {error}", self.name),
        }
        true
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;

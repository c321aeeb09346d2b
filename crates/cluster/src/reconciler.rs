//! Turns "who should be here" into connections.
//!
//! A strategy says names, as often as it likes; the reconciler dials those that are not connected. Names may come from
//! anybody (a datagram is enough), so all that they can cause is bounded: one dial at a time for a name, pauses between
//! failed ones that grow from [`FIRST_PAUSE`] to [`LONGEST_PAUSE`], so many dials at once and so many a second for all
//! names together, and a memory of so many names. It never blocks the strategy, and it never disconnects anybody.

use std::{collections::HashMap, sync::Arc, time::Duration};

use beamline_proto::NodeName;
use tokio::{
    task::{Id, JoinSet},
    time::Instant,
};
use tracing::{info, warn};

use crate::{
    Connector,
    events::{ClusterEvent, Publisher},
};

/// The pause after the first failed dial of a name; it doubles with each further one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How many dials may run at once.
pub const MAX_DIALS: usize = 64;
/// How many names are remembered; beyond that the one dialed longest ago is forgotten.
pub const MAX_NAMES: usize = 1024;
/// How many dials may be started in quick succession before [`DIALS_PER_SECOND`] holds.
pub const BURST: u32 = 128;
/// How many dials may be started a second in the long run.
pub const DIALS_PER_SECOND: u32 = 64;

/// A dial that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialed {
    /// Whether it ended with a connection.
    pub(crate) connected: bool,
}

#[derive(Debug)]
struct Attempt {
    /// When the last dial ended, or began if it runs.
    at: Instant,
    running: bool,
    pause: Duration,
}

/// The dials of one topology.
pub(crate) struct Reconciler<C: Connector> {
    topology: Arc<str>,
    connector: C,
    attempts: HashMap<NodeName, Attempt>,
    dials: JoinSet<(NodeName, Result<(), C::Error>)>,
    names_of_dials: HashMap<Id, NodeName>,
    budget: Budget,
    publisher: Publisher,
}

impl<C: Connector> Reconciler<C> {
    pub(crate) fn new(topology: &str, connector: C, publisher: Publisher) -> Self {
        Self {
            topology: topology.into(),
            connector,
            attempts: HashMap::new(),
            dials: JoinSet::new(),
            names_of_dials: HashMap::new(),
            budget: Budget::new(Instant::now()),
            publisher,
        }
    }

    pub(crate) fn topology(&self) -> &Arc<str> {
        &self.topology
    }

    pub(crate) fn own_name(&self) -> &NodeName {
        self.connector.name()
    }

    /// This node should be connected: dials it, if it is time to. What is refused now is asked for again, since
    /// strategies repeat themselves.
    pub(crate) fn want(&mut self, node: &NodeName) {
        if node == self.connector.name() || self.connector.is_connected(node) {
            return;
        }
        let now = Instant::now();
        let pause = match self.attempts.get(node) {
            Some(attempt) if attempt.running || now < attempt.at + attempt.pause => return,
            Some(attempt) => attempt.pause,
            None => Duration::ZERO,
        };
        if self.dials.len() >= MAX_DIALS || !self.budget.spend(now) {
            return;
        }
        if self.attempts.len() >= MAX_NAMES && !self.attempts.contains_key(node) {
            self.forget_one();
        }
        self.attempts.insert(node.clone(), Attempt { at: now, running: true, pause });
        let (connector, name) = (self.connector.clone(), node.clone());
        let dial = self.dials.spawn(async move {
            let result = connector.connect(&name).await;
            (name, result)
        });
        self.names_of_dials.insert(dial.id(), node.clone());
    }

    /// Waits until a dial ends, for ever if none runs. May be cancelled.
    pub(crate) async fn finished(&mut self) -> Dialed {
        let ended = match self.dials.join_next_with_id().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        };
        match ended {
            Ok((id, (node, result))) => {
                self.names_of_dials.remove(&id);
                self.dialed(node, result)
            }
            Err(error) => {
                // A connector that panicked: the name must not count as being dialed for ever.
                if let Some(node) = self.names_of_dials.remove(&error.id()) {
                    self.pause(&node);
                }
                Dialed { connected: false }
            }
        }
    }

    fn dialed(&mut self, node: NodeName, result: Result<(), C::Error>) -> Dialed {
        let topology = self.topology.clone();
        match result {
            Ok(()) => {
                info!("[libcluster:{topology}] connected to {node:?}");
                self.attempts.remove(&node);
                self.publisher.publish(ClusterEvent::Connected { topology, node });
                Dialed { connected: true }
            }
            Err(_) if self.connector.is_connected(&node) => {
                // It dialed us at the same moment, and its connection was the one that stayed.
                self.attempts.remove(&node);
                Dialed { connected: true }
            }
            Err(error) => {
                warn!("[libcluster:{topology}] unable to connect to {node:?}: {error}");
                self.pause(&node);
                let reason = error.to_string().into();
                self.publisher.publish(ClusterEvent::Unreachable { topology, node, reason });
                Dialed { connected: false }
            }
        }
    }

    fn pause(&mut self, node: &NodeName) {
        if let Some(attempt) = self.attempts.get_mut(node) {
            attempt.running = false;
            attempt.at = Instant::now();
            attempt.pause = (attempt.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        }
    }

    fn forget_one(&mut self) {
        let idle = self.attempts.iter().filter(|(_, attempt)| !attempt.running);
        if let Some(oldest) = idle.min_by_key(|(_, attempt)| attempt.at).map(|(name, _)| name.clone()) {
            self.attempts.remove(&oldest);
        }
    }
}

/// How many dials may still be started.
#[derive(Debug)]
struct Budget {
    left: f64,
    at: Instant,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self { left: f64::from(BURST), at: now }
    }

    fn spend(&mut self, now: Instant) -> bool {
        let earned = now.duration_since(self.at).as_secs_f64() * f64::from(DIALS_PER_SECOND);
        self.left = (self.left + earned).min(f64::from(BURST));
        self.at = now;
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("refused")]
    struct Refused;

    /// A node whose dials are counted, and end as told.
    #[derive(Clone)]
    struct Fake {
        name: NodeName,
        state: Arc<Mutex<State>>,
    }

    #[derive(Default)]
    struct State {
        dials: Vec<NodeName>,
        connected: Vec<NodeName>,
        refuse: bool,
        hang: bool,
    }

    impl Connector for Fake {
        type Error = Refused;

        fn name(&self) -> &NodeName {
            &self.name
        }

        fn is_connected(&self, node: &NodeName) -> bool {
            self.state.lock().unwrap().connected.contains(node)
        }

        async fn connect(&self, node: &NodeName) -> Result<(), Refused> {
            let hang = {
                let mut state = self.state.lock().unwrap();
                state.dials.push(node.clone());
                if state.refuse {
                    return Err(Refused);
                }
                state.hang
            };
            if hang {
                std::future::pending::<()>().await;
            }
            self.state.lock().unwrap().connected.push(node.clone());
            Ok(())
        }
    }

    fn name(text: &str) -> NodeName {
        text.parse().unwrap()
    }

    fn fake() -> (Fake, Reconciler<Fake>) {
        let fake = Fake { name: name("me@here"), state: Arc::default() };
        (fake.clone(), Reconciler::new("test", fake, Publisher::default()))
    }

    fn dials(fake: &Fake) -> usize {
        fake.state.lock().unwrap().dials.len()
    }

    #[tokio::test(start_paused = true)]
    async fn one_dial_for_a_name_that_is_said_often() {
        let (fake, mut reconciler) = fake();
        for _ in 0..100 {
            reconciler.want(&name("a@there"));
        }
        assert!(reconciler.finished().await.connected);
        reconciler.want(&name("a@there"));
        assert_eq!(dials(&fake), 1);
        assert!(reconciler.dials.is_empty() && reconciler.attempts.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn never_itself() {
        let (fake, mut reconciler) = fake();
        reconciler.want(&name("me@here"));
        assert!(reconciler.dials.is_empty());
        assert_eq!(dials(&fake), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow() {
        let (fake, mut reconciler) = fake();
        fake.state.lock().unwrap().refuse = true;
        let begin = Instant::now();
        let mut times = Vec::new();
        while times.len() < 7 {
            let before = reconciler.dials.len();
            reconciler.want(&name("a@there"));
            if reconciler.dials.len() > before {
                times.push(begin.elapsed().as_millis());
                assert!(!reconciler.finished().await.connected);
            }
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 8000]);
    }

    #[tokio::test(start_paused = true)]
    async fn comes_back_when_the_link_is_lost() {
        let (fake, mut reconciler) = fake();
        reconciler.want(&name("a@there"));
        reconciler.finished().await;
        fake.state.lock().unwrap().connected.clear();
        reconciler.want(&name("a@there"));
        assert!(reconciler.finished().await.connected);
        assert_eq!(dials(&fake), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn made_up_names_are_bounded() {
        let (fake, mut reconciler) = fake();
        fake.state.lock().unwrap().hang = true;
        for i in 0..10_000 {
            reconciler.want(&name(&format!("n{i}@nowhere")));
        }
        assert_eq!(reconciler.dials.len(), MAX_DIALS);

        let (fake, mut reconciler) = self::fake();
        fake.state.lock().unwrap().refuse = true;
        for i in 0..10_000 {
            reconciler.want(&name(&format!("n{i}@nowhere")));
            if !reconciler.dials.is_empty() {
                reconciler.finished().await;
            }
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(dials(&fake) as u32 <= BURST + 10 * DIALS_PER_SECOND + 1, "{}", dials(&fake));
        assert!(reconciler.attempts.len() <= MAX_NAMES);
        // A real one still gets its turn.
        fake.state.lock().unwrap().refuse = false;
        tokio::time::advance(Duration::from_secs(1)).await;
        reconciler.want(&name("a@there"));
        assert!(reconciler.finished().await.connected);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_of_names_is_bounded() {
        let (fake, mut reconciler) = fake();
        fake.state.lock().unwrap().refuse = true;
        for i in 0..2 * MAX_NAMES {
            tokio::time::advance(Duration::from_millis(20)).await;
            reconciler.want(&name(&format!("n{i}@nowhere")));
            reconciler.finished().await;
        }
        assert_eq!(reconciler.attempts.len(), MAX_NAMES);
        assert_eq!(reconciler.names_of_dials.len(), 0);
    }
}

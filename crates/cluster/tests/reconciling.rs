//! Strategies of a user's own, under tokio's paused clock: what their answers and errors lead to.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use beamline_cluster::{
    Cluster, ClusterBuilder, ClusterEvent, ClusterEvents, Connector, PeerState, Reports, Running, StartFailure,
    Strategy, Topologies, Topology,
};
use beamline_proto::NodeName;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tokio::{sync::watch, time::Instant};

/// Answers what the test last said.
#[derive(Debug)]
struct Told(watch::Receiver<Result<Vec<NodeName>, String>>);

impl Strategy for Told {
    fn name(&self) -> &str {
        "Told"
    }

    fn start(&self, reports: Reports) -> Result<Running, StartFailure> {
        let mut told = self.0.clone();
        told.mark_changed();
        Ok(Box::pin(async move {
            while told.changed().await.is_ok() {
                let answer = told.borrow_and_update().clone();
                match answer {
                    Ok(nodes) => reports.answer(nodes).await,
                    Err(error) => reports.failed(error).await,
                }
            }
        }))
    }
}

/// A network in which some nodes hang and some refuse.
#[derive(Clone)]
struct Net {
    name: NodeName,
    connected: watch::Sender<BTreeSet<NodeName>>,
    refusing: Arc<Mutex<BTreeSet<NodeName>>>,
}

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused;

impl Connector for Net {
    type Error = Refused;

    fn name(&self) -> &NodeName {
        &self.name
    }

    fn is_connected(&self, node: &NodeName) -> bool {
        self.connected.borrow().contains(node)
    }

    fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut changes = self.connected.subscribe();
        async move {
            if changes.changed().await.is_err() {
                std::future::pending().await
            }
        }
    }

    async fn connect(&self, node: &NodeName) -> Result<(), Refused> {
        if node.alive() == "hanging" {
            std::future::pending().await
        }
        if self.refusing.lock().unwrap().contains(node) {
            return Err(Refused);
        }
        self.connected.send_modify(|connected| {
            connected.insert(node.clone());
        });
        Ok(())
    }

    async fn disconnect(&self, node: &NodeName) -> Result<bool, Refused> {
        let mut was = false;
        self.connected.send_modify(|connected| was = connected.remove(node));
        Ok(was)
    }
}

fn net() -> Net {
    Net { name: "me@here".parse().unwrap(), connected: watch::Sender::default(), refusing: Arc::default() }
}

fn names(names: &[&str]) -> Vec<NodeName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn told(name: &str) -> (watch::Sender<Result<Vec<NodeName>, String>>, Topology) {
    let (sender, receiver) = watch::channel(Ok(vec![]));
    (sender, Topology::new(name, Told(receiver)))
}

fn builder(net: &Net, topologies: impl IntoIterator<Item = Topology>) -> (ClusterBuilder<Net>, ClusterEvents) {
    let builder = Cluster::of(net, topologies.into_iter().collect::<Topologies>());
    let events = builder.events();
    (builder, events)
}

/// The next event that is not the discovery of somebody.
async fn next(events: &mut ClusterEvents) -> ClusterEvent {
    loop {
        match events.recv().await.unwrap() {
            ClusterEvent::Discovered { .. } => {}
            event => return event,
        }
    }
}

fn node_of(event: ClusterEvent) -> (&'static str, String) {
    match event {
        ClusterEvent::Connected { node, .. } => ("connected", node.to_string()),
        ClusterEvent::Disconnected { node, .. } => ("disconnected", node.to_string()),
        ClusterEvent::Lost { node, .. } => ("lost", node.to_string()),
        ClusterEvent::Unreachable { node, .. } => ("unreachable", node.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_keeps_the_last_answer_and_a_hanging_node_keeps_nobody_waiting() {
    let net = net();
    let (say, topology) = told("ours");
    let (builder, mut events) = builder(&net, [topology]);
    say.send(Ok(names(&["hanging@h", "a@h"]))).unwrap();
    let cluster = builder.start().await.unwrap();
    assert_eq!(node_of(next(&mut events).await), ("connected", "a@h".to_owned()));
    for _ in 0..3 {
        say.send(Err("403".to_owned())).unwrap();
        tokio::time::sleep(Duration::from_secs(1000)).await;
    }
    assert!(matches!(next(&mut events).await, ClusterEvent::AnswerKept { reason, .. } if &*reason == "403"));
    let status = &cluster.status().topologies[0];
    assert_eq!(status.last_answer.as_ref().map(|(nodes, _)| nodes.len()), Some(2));
    assert_eq!(status.last_error.as_ref().map(|(reason, _)| &**reason), Some("403"));
    let states: Vec<_> = status.peers.iter().map(|peer| (peer.node.as_str(), peer.state)).collect();
    assert_eq!(states, [("a@h", PeerState::Connected), ("hanging@h", PeerState::Connecting)]);
    // It is lost and comes back although no answer came.
    net.connected.send_modify(BTreeSet::clear);
    assert_eq!(node_of(next(&mut events).await).0, "lost");
    assert_eq!(node_of(next(&mut events).await), ("connected", "a@h".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_is_removed_is_disconnected_after_the_grace_period_unless_another_topology_wants_it() {
    let net = net();
    net.connected.send_modify(|connected| connected.extend(names(&["other@h"])));
    let (say_first, first) = told("first");
    let (say_second, second) = told("second");
    let grace = Duration::from_secs(7);
    let (builder, mut events) = builder(&net, [first.grace(grace), second.grace(grace)]);
    say_first.send(Ok(names(&["a@h", "b@h"]))).unwrap();
    say_second.send(Ok(names(&["b@h"]))).unwrap();
    let cluster = builder.start().await.unwrap();
    while net.connected.borrow().len() < 3 {
        next(&mut events).await;
    }
    let begin = Instant::now();
    say_first.send(Ok(vec![])).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let peers = cluster.status().topologies[0].peers.clone();
    assert!(peers.iter().all(|peer| matches!(peer.state, PeerState::Leaving { disconnect_in } if disconnect_in <= grace - Duration::from_secs(2))), "{peers:?}");
    loop {
        if let ("disconnected", node) = node_of(next(&mut events).await) {
            assert_eq!(node, "a@h");
            break;
        }
    }
    assert!(begin.elapsed() >= grace && begin.elapsed() < grace + Duration::from_secs(1), "{:?}", begin.elapsed());
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(*net.connected.borrow(), names(&["b@h", "other@h"]).into_iter().collect());
    // Now nobody wants it any more.
    say_second.send(Ok(vec![])).unwrap();
    assert_eq!(node_of(next(&mut events).await), ("disconnected", "b@h".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn without_prune_nobody_is_disconnected() {
    let net = net();
    let (say, topology) = told("ours");
    let (builder, mut events) = builder(&net, [topology.prune(false)]);
    say.send(Ok(names(&["a@h"]))).unwrap();
    let _cluster = builder.start().await.unwrap();
    next(&mut events).await;
    say.send(Ok(vec![])).unwrap();
    tokio::time::sleep(Duration::from_secs(1000)).await;
    assert_eq!(net.connected.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_strategy_last_said_stays_when_it_ends() {
    let net = net();
    net.refusing.lock().unwrap().extend(names(&["a@h"]));
    let (say, topology) = told("ours");
    let (builder, mut events) = builder(&net, [topology]);
    say.send(Ok(names(&["a@h"]))).unwrap();
    let cluster = builder.start().await.unwrap();
    assert_eq!(node_of(next(&mut events).await).0, "unreachable");
    drop(say);
    assert_eq!(node_of(next(&mut events).await).0, "unreachable");
    let peer = cluster.status().topologies[0].peers[0].clone();
    assert!(matches!(peer.state, PeerState::Waiting { retry_in } if retry_in <= Duration::from_secs(1)), "{peer:?}");
    assert_eq!(peer.last_failure.as_deref(), Some("refused"));
    net.refusing.lock().unwrap().clear();
    assert_eq!(node_of(next(&mut events).await).0, "connected");
}

#[tokio::test(start_paused = true)]
async fn names_of_topologies_are_different() {
    let (_first, first) = told("ours");
    let (_second, second) = told("ours");
    let error = builder(&net(), [first, second]).0.start().await.unwrap_err();
    assert_eq!(error.to_string(), "there are two topologies named \"ours\"");
}

#[tokio::test(start_paused = true)]
async fn figures() {
    let recorder = DebuggingRecorder::new();
    let figures = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let net = net();
    net.refusing.lock().unwrap().extend(names(&["b@h"]));
    let (say, topology) = told("ours");
    let (builder, mut events) = builder(&net, [topology]);
    say.send(Ok(names(&["a@h", "b@h"]))).unwrap();
    let _cluster = builder.start().await.unwrap();
    for _ in 0..2 {
        next(&mut events).await;
    }
    say.send(Err("no".to_owned())).unwrap();
    next(&mut events).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let figures: Vec<(String, u64)> = figures
        .snapshot()
        .into_vec()
        .into_iter()
        .map(|(key, _, _, value)| {
            let key = key.key();
            let outcome =
                key.labels().find(|label| label.key() == "outcome").map(|label| format!(" {}", label.value()));
            let value = match value {
                DebugValue::Counter(value) => value,
                DebugValue::Gauge(value) => value.0 as u64,
                DebugValue::Histogram(_) => panic!("there is none"),
            };
            (format!("{}{}", key.name(), outcome.unwrap_or_default()), value)
        })
        .collect();
    for (name, value) in [
        ("beamline_cluster_wanted", 2),
        ("beamline_cluster_connected", 1),
        ("beamline_cluster_answers_total ok", 1),
        ("beamline_cluster_answers_total error", 1),
        ("beamline_cluster_dials_total ok", 1),
        ("beamline_cluster_dials_total error", 1),
    ] {
        assert!(figures.contains(&(name.to_owned(), value)), "{name} {value} in {figures:?}");
    }
}

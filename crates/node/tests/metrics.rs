//! The figures of a node, as an exporter gets them. Alone in its program, which has one recorder.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use std::net::Ipv4Addr;
use std::time::Duration;

use beamline_node::transport::{Memory, Transport};
use beamline_node::{Epmd, Listen, Module, Node, NodeName, Raise, Route};
use beamline_term::Term;
use metrics::{SharedString, Unit};
use metrics_util::CompositeKey;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

/// What was recorded since the last look.
struct Figures(Vec<(CompositeKey, Option<Unit>, Option<SharedString>, DebugValue)>);

impl Figures {
    /// The one figure of this name that has these labels among its own; of a histogram, how many values it has.
    #[track_caller]
    fn get(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let mut all = self.0.iter().filter(|(key, ..)| is(key, name, labels));
        match (all.next().map(|(.., value)| value), all.next()) {
            (Some(DebugValue::Counter(count)), None) => *count as f64,
            (Some(DebugValue::Gauge(value)), None) => value.0,
            (Some(DebugValue::Histogram(values)), None) => {
                assert!(values.iter().all(|seconds| seconds.0 < 10.0));
                values.len() as f64
            }
            (found, more) => panic!("{name} {labels:?}: {found:?}, more: {}", more.is_some()),
        }
    }

    fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.0.iter().any(|(key, ..)| is(key, name, labels))
    }
}

fn is(key: &CompositeKey, name: &str, labels: &[(&str, &str)]) -> bool {
    let has = |&(label, value): &(&str, &str)| key.key().labels().any(|l| l.key() == label && l.value() == value);
    key.key().name() == name && labels.iter().all(has)
}

#[tokio::test]
async fn connections_calls_and_bytes_are_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();
    let network = Memory::new();
    let start = async |name: &str, port, cookie: &str| {
        let builder = Node::builder(name).cookie(cookie).epmd(Epmd::None).transport(network.clone());
        let builder = builder.module(
            Module::new("Elixir.Test")
                .function("hello", || async { Ok("world") })
                .function("raise", || async { Err::<(), _>(Raise::runtime_error("oops")) })
                .function("sleep", || async {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    Ok(())
                }),
        );
        let resolver =
            async |peer: NodeName| Ok(Route::port(Ipv4Addr::LOCALHOST.into(), if peer.alive() == "a" { 1 } else { 2 }));
        builder.listen(Listen::Ports(port, port)).resolver(resolver).start().await.unwrap()
    };
    let (a, b) = (start("a@m", 1, "secret").await, start("b@m", 2, "secret").await);
    let stranger = start("c@m", 3, "other").await;
    assert!(stranger.connect(a.name()).await.is_err());
    for _ in 0..10 {
        a.call::<String>(b.name(), ("Elixir.Test", "hello"), ()).await.unwrap();
    }
    assert!(a.call::<Term>(b.name(), ("Elixir.Test", "raise"), ()).await.is_err());
    let late = a.call::<Term>(b.name(), ("Elixir.Test", "sleep"), ()).timeout(Duration::from_millis(20)).await;
    assert!(late.is_err());

    let figures = || Figures(snapshotter.snapshot().into_vec());
    let all = figures();
    let get = |name, labels: &[(&str, &str)]| all.get(name, labels);
    assert_eq!(get("beamline_connections", &[("node", "a@m")]), 1.0);
    assert_eq!(get("beamline_half_open", &[("node", "b@m")]), 0.0);
    assert_eq!(get("beamline_connects_total", &[("node", "a@m"), ("direction", "out"), ("outcome", "ok")]), 1.0);
    assert_eq!(get("beamline_connects_total", &[("node", "b@m"), ("direction", "in"), ("outcome", "ok")]), 1.0);
    assert_eq!(get("beamline_connects_total", &[("node", "c@m"), ("direction", "out"), ("outcome", "BL501")]), 1.0);
    assert_eq!(get("beamline_connects_total", &[("node", "a@m"), ("direction", "in"), ("outcome", "BL501")]), 1.0);
    assert_eq!(get("beamline_call_seconds", &[("node", "a@m"), ("side", "made"), ("outcome", "ok")]), 10.0);
    assert_eq!(get("beamline_call_seconds", &[("node", "a@m"), ("side", "made"), ("outcome", "error")]), 2.0);
    assert_eq!(get("beamline_call_seconds", &[("node", "b@m"), ("side", "served"), ("outcome", "ok")]), 10.0);
    assert_eq!(get("beamline_call_seconds", &[("node", "b@m"), ("side", "served"), ("outcome", "error")]), 1.0);
    assert_eq!(get("beamline_running_calls", &[("node", "b@m")]), 1.0);
    let flow = |node, peer, direction| {
        let labels = [("node", node), ("peer", peer), ("direction", direction)];
        (get("beamline_bytes_total", &labels), get("beamline_frames_total", &labels))
    };
    let (bytes, frames) = flow("b@m", "a@m", "in");
    assert!(bytes > 500.0 && frames >= 12.0, "{bytes} bytes in {frames} frames");
    assert!(flow("b@m", "a@m", "out").1 >= 24.0, "a reply and an end for each call");
    assert_eq!(get("beamline_queue_bytes", &[("node", "a@m"), ("peer", "b@m")]), 0.0);

    a.disconnect(b.name());
    assert_eq!(figures().get("beamline_connections", &[("node", "a@m")]), -1.0, "one less than at the last look");

    // A caller that says nothing is half open until it goes.
    let silent = network.connect(b.name(), (Ipv4Addr::LOCALHOST, 2).into()).await.unwrap();
    let half_open = || figures().get("beamline_half_open", &[("node", "b@m")]);
    let mut open = 0.0;
    until("a caller is half open", || {
        open += half_open();
        open == 1.0
    })
    .await;
    drop(silent);
    until("it is gone", || {
        open += half_open();
        open == 0.0
    })
    .await;

    let quick = Node::builder("d@m").cookie("secret").epmd(Epmd::None).transport(network.clone()).listen(Listen::Off);
    let quick = quick
        .net_ticktime(Duration::from_millis(200))
        .peer_port(2)
        .resolver(async |_| Ok(Route::port(Ipv4Addr::LOCALHOST.into(), 2)));
    let quick = quick.start().await.unwrap();
    quick.connect(b.name()).await.unwrap();
    for (node, peer, direction) in [("d@m", "hidden", "out"), ("b@m", "hidden", "in")] {
        let labels = [("node", node), ("peer", peer), ("direction", direction)];
        until("ticks are counted", || {
            let all = figures();
            all.has("beamline_ticks_total", &labels) && all.get("beamline_ticks_total", &labels) >= 1.0
        })
        .await;
    }
}

/// Waits for a condition, with a deadline.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect(what);
}

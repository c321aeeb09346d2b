//! Ticks: how often there is one, how long silence may last, and that those of many connections do not come at once. The clock
//! is the test's own, so no machine is too slow.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

use std::net::Ipv4Addr;
use std::time::Duration;

use beamline_node::transport::Memory;
use beamline_node::{DownReason, Epmd, Events, Listen, Node, NodeEvent, NodeName, Route};
use beamline_term::{Atom, Term};
use tokio::time::{Instant, sleep, sleep_until};

const TICK_TIME: Duration = Duration::from_secs(60);
/// A node with this is silent to all others.
const NEVER: Duration = Duration::from_secs(1 << 30);

/// A hidden node, so that nothing is said that a test does not say; its name is its port.
async fn node(network: &Memory, port: u16, tick_time: Duration, intensity: u32) -> Node {
    let builder = Node::builder(format!("{port}@memory"))
        .cookie("secret")
        .hidden(true)
        .epmd(Epmd::None)
        .transport(network.clone())
        .resolver(async |peer: NodeName| Ok(Route::port(Ipv4Addr::LOCALHOST.into(), peer.alive().parse().unwrap())));
    let builder = builder.listen(Listen::Ports(port, port)).net_ticktime(tick_time).net_tickintensity(intensity);
    builder.start().await.unwrap()
}

/// How many ticks have gone out to each peer.
async fn ticks(node: &Node) -> Vec<u64> {
    type Infos = Vec<(Atom, Vec<(Atom, Term)>)>;
    let (_, infos): (Atom, Infos) = node.call(node.name(), ("net_kernel", "nodes_info"), ()).await.unwrap();
    let count = |info: Vec<(Atom, Term)>| info.into_iter().find(|(item, _)| *item == "out_ticks").unwrap().1.as_u64();
    infos.into_iter().map(|(_, info)| count(info).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_down_after_the_tick_time() {
    for intensity in [4, 100] {
        let network = Memory::new();
        let part = TICK_TIME / intensity;
        let a = node(&network, 1, TICK_TIME, intensity).await;
        let mut events = a.events();
        // The ticks of each connection begin at a moment of their own.
        for port in 2..32 {
            let peer = node(&network, port, NEVER, 4).await;
            a.connect(peer.name()).await.unwrap();
            // A word later on counts from then.
            sleep(Duration::from_secs(20)).await;
            peer.ping(a.name()).await.unwrap();
            let heard = Instant::now();
            let silent = next_down(&mut events, peer.name()).await - heard;
            let (least, most) = (TICK_TIME - part, TICK_TIME + part);
            assert!(silent >= least && silent <= most + Duration::from_millis(10), "{intensity}: {silent:?}");
        }
    }
}

async fn next_down(events: &mut Events, peer: &NodeName) -> Instant {
    loop {
        if let NodeEvent::Down { node, reason, .. } = events.recv().await.unwrap() {
            assert_eq!((&node, reason), (peer, DownReason::NetTickTimeout));
            return Instant::now();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ticks_in_each_part_and_lives() {
    for intensity in [4, 100] {
        let network = Memory::new();
        let (a, b) = (node(&network, 1, TICK_TIME, intensity).await, node(&network, 2, TICK_TIME, intensity).await);
        a.connect(b.name()).await.unwrap();
        let mut events = a.events();
        let begun = Instant::now();
        sleep(10 * TICK_TIME).await;
        assert_eq!(begun.elapsed().as_secs(), 600, "nothing but the clock has passed");
        let expected = u64::from(10 * intensity);
        for sent in [ticks(&a).await, ticks(&b).await].concat() {
            // The first part has the handshake in it.
            assert!((expected - 2..=expected + 1).contains(&sent), "{sent} ticks in {expected} parts");
        }
        assert!(tokio::time::timeout(Duration::ZERO, events.recv()).await.is_err(), "they stay connected");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_something_does_not_tick() {
    let network = Memory::new();
    let (a, b) = (node(&network, 1, TICK_TIME, 4).await, node(&network, 2, NEVER, 4).await);
    a.connect(b.name()).await.unwrap();
    for _ in 0..100 {
        a.ping(b.name()).await.unwrap();
        sleep(TICK_TIME / 8).await;
    }
    assert_eq!(ticks(&a).await, [0]);
    assert!(a.is_connected(b.name()));
}

#[tokio::test(start_paused = true)]
async fn the_ticks_of_many_connections_are_spread() {
    const PEERS: u16 = 200;
    let network = Memory::new();
    let hub = node(&network, 1, TICK_TIME, 4).await;
    let begun = Instant::now();
    let mut peers = Vec::new();
    for port in 2..PEERS + 2 {
        let peer = node(&network, port, NEVER, 4).await;
        hub.connect(peer.name()).await.unwrap();
        peers.push(peer);
    }
    assert!(begun.elapsed() < Duration::from_millis(100), "all connect at once");
    // The second part, each quarter of it: a tick for each connection in all, and no quarter without its share.
    let part = TICK_TIME / 4;
    sleep_until(begun + 2 * part).await;
    let mut before: u64 = ticks(&hub).await.iter().sum();
    let mut sent = Vec::new();
    for quarter in 1..=4 {
        sleep_until(begun + 2 * part + part / 4 * quarter).await;
        let now = ticks(&hub).await.iter().sum();
        sent.push(now - before);
        before = now;
    }
    let total: u64 = sent.iter().sum();
    assert!(total.abs_diff(u64::from(PEERS)) <= 2, "{total} ticks in one part");
    assert!(sent.iter().all(|count| (20..=80).contains(count)), "{sent:?} ticks in each quarter");
}

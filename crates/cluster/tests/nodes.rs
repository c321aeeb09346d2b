//! Real nodes that find each other by gossip, and by epmd, and call each other.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use std::{net::Ipv4Addr, time::Duration};

use beamline_cluster::{Cluster, ClusterEvent, Gossip, LocalEpmd, MODULE, Topologies, Topology};
use beamline_node::{
    Node, NodeEvent,
    epmd::{Client, Epmd, Server, ServerOptions},
};
use beamline_term::Term;
use tokio::time::{Instant, sleep};

async fn epmd() -> Server {
    let mut options = ServerOptions::default();
    options.port = 0;
    options.addresses = Some(vec![]);
    Server::bind(options).await.unwrap()
}

async fn node(name: &str, epmd: &Server) -> Node {
    let epmd = Epmd::External(Client::local(epmd.port()).address());
    Node::builder(name).cookie("c").epmd(epmd).start().await.unwrap()
}

async fn six(epmd: &Server, topology: &Topology) -> Vec<(Node, Cluster)> {
    let mut started = Vec::new();
    for i in 1..=6 {
        let node = node(&format!("n{i}@127.0.0.1"), epmd).await;
        let topologies: Topologies = [topology.clone()].into_iter().collect();
        let cluster = Cluster::of(&node, topologies).start().await.unwrap();
        started.push((node, cluster));
    }
    started
}

async fn until_whole(nodes: &[(Node, Cluster)], within: Duration) {
    let begin = Instant::now();
    while !nodes.iter().all(|(node, _)| node.list().len() == nodes.len() - 1) {
        let lists: Vec<_> = nodes.iter().map(|(node, _)| node.list()).collect();
        assert!(begin.elapsed() < within, "{lists:?}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_nodes_are_one_cluster_by_gossip_half_a_second_after_the_last_start() {
    let mut gossip = Gossip::default();
    gossip.port = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    gossip.multicast_if = Some(Ipv4Addr::LOCALHOST);
    gossip.multicast_addr = Ipv4Addr::new(239, 255, 77, 2);
    let epmd = epmd().await;
    let nodes = six(&epmd, &Topology::new("gossip", gossip)).await;
    until_whole(&nodes, Duration::from_millis(500)).await;
    let peer = nodes[5].0.name().clone();
    nodes[0].0.ping(&peer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_nodes_are_one_cluster_by_epmd() {
    let epmd = epmd().await;
    let mut local_epmd = LocalEpmd::default();
    local_epmd.port = Some(epmd.port());
    let nodes = six(&epmd, &Topology::new("local_epmd", local_epmd)).await;
    until_whole(&nodes, Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disconnect_heals_within_a_second_and_another_cookie_is_no_member() {
    let mut gossip = Gossip::default();
    gossip.port = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    gossip.multicast_if = Some(Ipv4Addr::LOCALHOST);
    gossip.multicast_addr = Ipv4Addr::new(239, 255, 77, 4);
    let epmd = epmd().await;
    let topology = Topology::new("gossip", gossip);
    let nodes = six(&epmd, &topology).await;
    until_whole(&nodes, Duration::from_secs(5)).await;
    for round in 0..3 {
        let peer = nodes[round + 1].0.name().clone();
        let events = &mut nodes[0].0.events();
        assert!(nodes[0].0.disconnect(&peer));
        while !matches!(events.recv().await, Some(NodeEvent::Down { .. })) {}
        until_whole(&nodes, Duration::from_secs(1)).await;
    }
    let address = Epmd::External(Client::local(epmd.port()).address());
    let stranger = Node::builder("stranger@127.0.0.1").cookie("another").epmd(address).start().await.unwrap();
    let builder = Cluster::of(&stranger, [topology].into_iter().collect());
    let mut events = builder.events();
    let _cluster = builder.start().await.unwrap();
    let code = loop {
        if let Some(ClusterEvent::Unreachable { code, .. }) = events.recv().await {
            break code;
        }
    };
    assert_eq!(code, "BL501");
    assert!(stranger.list().is_empty());
    // Any node tells how it finds its cluster.
    let status: Vec<Term> = nodes[0].0.call(nodes[1].0.name(), (MODULE, "status"), ()).await.unwrap();
    let peers = status[0].as_map().and_then(|status| status.get_atom("peers")).and_then(Term::as_list).unwrap();
    assert!(peers.iter().count() >= 5, "{status:?}");
}

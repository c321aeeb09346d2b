//! Strategies on real sockets of this machine's loopback, with stand-ins for the nodes.

#![allow(clippy::unwrap_used, reason = "a test ends where a step fails")]

use std::{
    collections::BTreeSet,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex},
    time::Duration,
};

use beamline_cluster::{
    Cluster, ClusterEvent, Connector, ErlangHosts, Gossip, LocalEpmd, Secret, Topologies, Topology,
};
use beamline_node::epmd::{Client, Epmd, Registrant, Registration, Server, ServerOptions, register};
use beamline_proto::{NodeName, gossip};
use socket2::{Domain, Socket, Type};
use tokio::time::{Instant, sleep};

/// A node that is connected to whomever it is told to connect to.
#[derive(Clone)]
struct Fake {
    name: NodeName,
    dialed: Arc<Mutex<Vec<NodeName>>>,
}

impl Fake {
    fn new(name: &str) -> Self {
        Self { name: name.parse().unwrap(), dialed: Arc::default() }
    }

    fn dialed(&self) -> BTreeSet<String> {
        self.dialed.lock().unwrap().iter().map(NodeName::to_string).collect()
    }
}

impl Connector for Fake {
    type Error = Infallible;

    fn name(&self) -> &NodeName {
        &self.name
    }

    fn is_connected(&self, node: &NodeName) -> bool {
        self.dialed.lock().unwrap().contains(node)
    }

    fn changes(&self) -> impl Future<Output = ()> + Send + 'static {
        std::future::pending()
    }

    async fn connect(&self, node: &NodeName) -> Result<(), Infallible> {
        self.dialed.lock().unwrap().push(node.clone());
        Ok(())
    }

    async fn disconnect(&self, _: &NodeName) -> Result<bool, Infallible> {
        Ok(false)
    }
}

fn free_udp_port() -> u16 {
    std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Gossip that stays on this machine.
fn on_loopback(port: u16) -> Gossip {
    let mut gossip = Gossip::default();
    gossip.port = port;
    gossip.multicast_if = Some(Ipv4Addr::LOCALHOST);
    gossip.multicast_addr = Ipv4Addr::new(239, 255, 77, 1);
    gossip
}

async fn start(node: &Fake, topology: Topology) -> Cluster {
    Cluster::of(node, Topologies::new()).topology(topology).start().await.unwrap()
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < deadline, "never came: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A socket that shares the port as Erlang's does, and is in the group.
fn neighbour(config: &Gossip) -> std::net::UdpSocket {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, config.port).into()).unwrap();
    socket.join_multicast_v4(&config.multicast_addr, &Ipv4Addr::LOCALHOST).unwrap();
    socket.set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket.into()
}

#[tokio::test]
async fn six_nodes_hear_of_each_other_by_their_first_heartbeats() {
    let config = on_loopback(free_udp_port());
    let nodes: Vec<_> = (1..=6).map(|i| Fake::new(&format!("n{i}@127.0.0.1"))).collect();
    let mut clusters = Vec::new();
    for node in &nodes {
        clusters.push(start(node, Topology::new("gossip", config.clone())).await);
    }
    let begin = Instant::now();
    // Of each two one knows the other: its dial connects both.
    until("every pair", || nodes.iter().map(|node| node.dialed().len()).sum::<usize>() >= 15).await;
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn the_port_is_shared_and_the_first_heartbeat_comes_at_once() {
    let config = on_loopback(free_udp_port());
    let neighbour = neighbour(&config);
    let node = Fake::new("me@127.0.0.1");
    let begin = Instant::now();
    let cluster = start(&node, Topology::new("gossip", config.clone())).await;
    let mut events = cluster.events();
    let heard = tokio::task::spawn_blocking({
        let neighbour = neighbour.try_clone().unwrap();
        move || {
            let mut packet = [0; 100];
            let length = neighbour.recv(&mut packet).unwrap();
            packet[..length].to_vec()
        }
    });
    assert_eq!(heard.await.unwrap(), gossip::encode(&node.name));
    assert!(begin.elapsed() < Duration::from_millis(500));

    let group = SocketAddrV4::new(config.multicast_addr, config.port);
    neighbour.send_to(b"heartbeat::\x83t\0\0\0\x01d\0\x04noded\0\x05a@b.c", group).unwrap();
    let node_name = "a@b.c".parse().unwrap();
    let topology: Arc<str> = "gossip".into();
    let discovered = ClusterEvent::Discovered { topology: topology.clone(), node: node_name };
    assert_eq!(events.recv().await, Some(discovered));
    let connected = ClusterEvent::Connected { topology, node: "a@b.c".parse().unwrap() };
    assert_eq!(events.recv().await, Some(connected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_junk_datagrams() {
    let config = on_loopback(free_udp_port());
    let neighbour = neighbour(&config);
    let node = Fake::new("me@127.0.0.1");
    let _cluster = start(&node, Topology::new("gossip", config.clone())).await;
    let group = SocketAddrV4::new(config.multicast_addr, config.port);
    let flood = neighbour.try_clone().unwrap();
    tokio::task::spawn_blocking(move || {
        for i in 0..100_000_u32 {
            let noise = i.wrapping_mul(2_654_435_761).to_be_bytes();
            let packet = match i % 4 {
                0 => noise.to_vec(),
                1 => [b"heartbeat::".as_slice(), &noise].concat(),
                2 => [b"heartbeat::\x83t\0\0\0\x01w\x04node".as_slice(), &noise].concat(),
                _ => [b"heartbeat::\x83l\xff\xff\xff\xff".as_slice(), &noise.repeat(300)].concat(),
            };
            let _ = flood.send_to(&packet, group);
        }
    })
    .await
    .unwrap();
    until("the real one", || {
        neighbour.send_to(&gossip::encode(&"real@127.0.0.1".parse().unwrap()), group).unwrap();
        node.dialed().contains("real@127.0.0.1")
    })
    .await;
    assert_eq!(node.dialed().len(), 1);
}

#[tokio::test]
async fn dropping_the_cluster_ends_it() {
    let config = on_loopback(free_udp_port());
    let node = Fake::new("me@127.0.0.1");
    let cluster = start(&node, Topology::new("gossip", config.clone())).await;
    drop(cluster);
    // Its socket did not share the port with one that does not share either.
    let mut free = false;
    let deadline = Instant::now() + Duration::from_secs(5);
    while !free && Instant::now() < deadline {
        free = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, config.port)).is_ok();
        sleep(Duration::from_millis(5)).await;
    }
    assert!(free);
}

async fn registered(port: u16, alive: &str) -> Registration {
    let name = format!("{alive}@127.0.0.1").parse().unwrap();
    register(&Epmd::External(Client::local(port).address()), &Registrant::new(name, 1)).await.unwrap()
}

#[tokio::test]
async fn local_epmd_finds_who_is_there_and_who_comes_later() {
    let mut options = ServerOptions::default();
    options.port = 0;
    options.addresses = Some(vec![]);
    let server = Server::bind(options).await.unwrap();
    let port = server.port();
    let _me = registered(port, "me").await;
    let _early = registered(port, "early").await;
    let node = Fake::new("me@127.0.0.1");
    let mut local_epmd = LocalEpmd::default();
    local_epmd.port = Some(port);
    local_epmd.polling_interval = Duration::from_millis(20);
    let _cluster = start(&node, Topology::new("local_epmd", local_epmd)).await;
    until("the early one", || node.dialed() == BTreeSet::from(["early@127.0.0.1".to_owned()])).await;
    let _late = registered(port, "late").await;
    until("the late one", || node.dialed().contains("late@127.0.0.1")).await;
    assert!(!node.dialed().contains("me@127.0.0.1"));
}

#[tokio::test]
async fn local_epmd_waits_for_an_epmd_that_is_not_there() {
    let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let node = Fake::new("me@127.0.0.1");
    let mut local_epmd = LocalEpmd::default();
    local_epmd.port = Some(port);
    local_epmd.polling_interval = Duration::from_millis(20);
    let _cluster = start(&node, Topology::new("local_epmd", local_epmd)).await;
    let mut options = ServerOptions::default();
    options.port = port;
    options.addresses = Some(vec![]);
    let _server = Server::bind(options).await.unwrap();
    let _later = registered(port, "later").await;
    until("the later one", || node.dialed().contains("later@127.0.0.1")).await;
}

#[tokio::test]
async fn with_a_secret_only_those_who_share_it_are_heard() {
    let config = on_loopback(free_udp_port());
    let mut secret = config.clone();
    secret.secret = Some(Secret::new(b"somepassword"));
    let neighbour = neighbour(&config);
    let node = Fake::new("me@127.0.0.1");
    let builder = Cluster::of(&node, Topologies::new()).topology(Topology::new("gossip", secret));
    let mut events = builder.events();
    let _cluster = builder.start().await.unwrap();
    let group = SocketAddrV4::new(config.multicast_addr, config.port);
    let stranger: NodeName = "stranger@there".parse().unwrap();
    for vector in 0..20 {
        neighbour.send_to(&gossip::encode(&stranger), group).unwrap();
        neighbour.send_to(&Secret::new(b"another").encode(&stranger, [vector; 16]), group).unwrap();
    }
    let friend: NodeName = "friend@there".parse().unwrap();
    neighbour.send_to(&Secret::new(b"somepassword").encode(&friend, [7; 16]), group).unwrap();
    let mut told = Vec::new();
    loop {
        match events.recv().await.unwrap() {
            ClusterEvent::Foreign { what, .. } => told.push(what),
            ClusterEvent::Connected { node, .. } => {
                assert_eq!(node, friend);
                break;
            }
            other => assert!(matches!(other, ClusterEvent::Discovered { .. }), "{other:?}"),
        }
    }
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].starts_with("decryption failed") && told[1].starts_with("heartbeats without encryption"),
        "{told:?}"
    );
    assert_eq!(node.dialed(), BTreeSet::from(["friend@there".to_owned()]));
}

#[tokio::test]
async fn nodes_with_a_secret_and_broadcast_find_each_other() {
    let mut config = on_loopback(free_udp_port());
    config.secret = Some(Secret::new(b"somepassword"));
    config.broadcast_only = true;
    config.multicast_if = None;
    // The broadcast address of loopback's network.
    config.multicast_addr = Ipv4Addr::new(127, 255, 255, 255);
    let (a, b) = (Fake::new("a@h"), Fake::new("b@h"));
    let _a = start(&a, Topology::new("gossip", config.clone())).await;
    let _b = start(&b, Topology::new("gossip", config)).await;
    until("one hears the other", || a.dialed().contains("b@h") || b.dialed().contains("a@h")).await;
}

#[tokio::test]
async fn a_multicast_interface_of_another_machine_is_an_error_that_says_so() {
    let mut config = on_loopback(free_udp_port());
    config.multicast_if = Some(Ipv4Addr::new(192, 0, 2, 1));
    let node = Fake::new("me@127.0.0.1");
    let topology = Topology::new("lan", config);
    let error = Cluster::of(&node, Topologies::new()).topology(topology).start().await.unwrap_err().to_string();
    assert!(error.starts_with("[libcluster:lan] cannot join the multicast group 239.255.77.1 on 192.0.2.1"), "{error}");
}

#[tokio::test]
async fn erlang_hosts_reads_its_file_again_and_keeps_who_is_connected() {
    let mut options = ServerOptions::default();
    options.port = 0;
    options.addresses = Some(vec![]);
    let server = Server::bind(options).await.unwrap();
    let port = server.port();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".hosts.erlang");
    let node = Fake::new("me@127.0.0.1");
    let mut config = ErlangHosts::default();
    config.timeout = Duration::from_millis(20);
    config.path = Some(path.clone());
    let topologies = Topologies::from_iter([Topology::new("hosts", config)]).with_epmd_port(port);
    let builder = Cluster::of(&node, topologies);
    let mut events = builder.events();
    let cluster = builder.start().await.unwrap();
    let topology: Arc<str> = "hosts".into();
    let reason = "couldn't find .hosts.erlang file - not joining cluster".into();
    assert_eq!(events.recv().await, Some(ClusterEvent::AnswerKept { topology, reason }));
    let _a = registered(port, "a").await;
    std::fs::write(&path, "'127.0.0.1'.\n'nowhere.invalid'.\n").unwrap();
    until("a is dialed", || node.dialed().contains("a@127.0.0.1")).await;
    assert!(cluster.status().topologies[0].last_error.is_none());
}

//! Discovery by DNS against dnsmasq and Knot: who appears, who leaves, and what is no answer. The nodes are real ones on
//! addresses of the loopback network.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use beamline::cluster::{
    Cluster, ClusterEvent, ClusterEvents, KubernetesDns, KubernetesDnsSrv, Strategy, Topologies, Topology,
    TopologyStatus,
};
use beamline::node::dns::{Dns, DnsOptions, DnsResolver};
use beamline::node::{Listen, Node, Resolver};
use beamline::prelude::NodeName;
use tokio::runtime::Runtime;
use whole_clusters::{DEADLINE, DnsServer, free_port, unique, wait_until};

const DOMAIN: &str = "default.svc.cluster.local";
const SERVICE: &str = "beam-cluster.default.svc.cluster.local";
const POLL: Duration = Duration::from_millis(100);
const GRACE: Duration = Duration::from_millis(600);

fn options(server: &DnsServer) -> DnsOptions {
    let mut options = DnsOptions::default();
    options.nameservers = vec![server.address().parse().expect("an address")];
    options.search = Some(vec![DOMAIN.to_owned()]);
    options.deadline = Duration::from_secs(2);
    options
}

fn by_service(server: &DnsServer, alive: &str) -> KubernetesDns {
    let mut strategy = KubernetesDns::new(alive, "beam-cluster");
    strategy.options = options(server);
    strategy.polling_interval = POLL;
    strategy
}

/// Nodes with one name before the `@`, each on a host of its own, which epmd could not tell apart: each listens on a port that
/// the others know.
struct Nodes {
    runtime: Runtime,
    alive: String,
    ports: Arc<Mutex<HashMap<String, u16>>>,
    hosts: DnsResolver,
}

impl Nodes {
    fn new(server: &DnsServer) -> Self {
        let alive = unique("app").split('@').next().unwrap_or_default().to_owned();
        let mut hosts = DnsResolver::default();
        hosts.dns = Dns::new(options(server));
        Self { runtime: Runtime::new().expect("a runtime"), alive, ports: Arc::default(), hosts }
    }

    fn name(&self, host: &str) -> String {
        format!("{}@{host}", self.alive)
    }

    fn start(&self, host: &str, strategy: impl Strategy) -> Member {
        let port = free_port();
        self.ports.lock().expect("no panic").insert(host.to_owned(), port);
        let (ports, hosts) = (Arc::clone(&self.ports), self.hosts.clone());
        let resolver = move |peer: NodeName| {
            let (port, hosts) = (ports.lock().expect("no panic").get(peer.host()).copied(), hosts.clone());
            async move {
                let mut route = hosts.resolve(&peer).await?;
                route.port = Some(port.ok_or(io::ErrorKind::NotFound)?);
                Ok(route)
            }
        };
        let builder = Node::builder(self.name(host)).cookie("secret").listen(Listen::Ports(port, port));
        // Without `connect_all` nobody is connected but by the strategy.
        let builder = builder.epmd(beamline::node::Epmd::None).resolver(resolver).connect_all(false);
        self.runtime.block_on(async {
            let node = builder.start().await.expect("the node starts");
            let topology = Topology::new("dns", strategy).grace(GRACE);
            let builder = Cluster::of(&node, Topologies::new()).topology(topology);
            let events = builder.events();
            let cluster = builder.start().await.expect("the topology starts");
            Member { node, cluster, events }
        })
    }

    fn list(&self, hosts: &[&str]) -> Vec<String> {
        let mut names: Vec<_> = hosts.iter().map(|host| self.name(host)).collect();
        names.sort();
        names
    }

    /// Waits until the node is connected with those on these hosts, and no others.
    #[track_caller]
    fn until_connected(&self, member: &Member, hosts: &[&str]) {
        let expected = self.list(hosts);
        wait_until("the nodes are connected", DEADLINE, || {
            let nodes = member.connected();
            if nodes == expected { Ok(()) } else { Err(format!("{nodes:?}, not {expected:?}")) }
        });
    }
}

struct Member {
    node: Node,
    cluster: Cluster,
    events: ClusterEvents,
}

impl Member {
    fn connected(&self) -> Vec<String> {
        let mut nodes: Vec<_> = self.node.list().iter().map(ToString::to_string).collect();
        nodes.sort();
        nodes
    }

    fn status(&self) -> TopologyStatus {
        self.cluster.status().topologies.swap_remove(0)
    }

    fn answer(&self) -> Vec<String> {
        let answer = self.status().last_answer.map(|(nodes, _)| nodes).unwrap_or_default();
        answer.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn until_answer(&self, expected: &[String]) {
        wait_until("the answer is so", DEADLINE, || {
            let answer = self.answer();
            if answer == expected { Ok(()) } else { Err(format!("{answer:?}, {:?}", self.status().last_error)) }
        });
    }

    /// The next reason for which an answer was kept.
    fn kept(&mut self, runtime: &Runtime) -> String {
        let kept = async {
            loop {
                if let ClusterEvent::AnswerKept { reason, .. } = self.events.recv().await.expect("an event") {
                    return reason.to_string();
                }
            }
        };
        runtime.block_on(async { tokio::time::timeout(DEADLINE, kept).await.expect("in time") })
    }
}

/// A line of a hosts file.
fn at(host: &str, name: &str) -> String {
    format!("{host} {name}")
}

#[test]
fn nodes_come_and_go_with_their_addresses() {
    let all = [at("127.0.0.11", SERVICE), at("127.0.0.12", SERVICE)];
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let Some(server) = DnsServer::dnsmasq("nodes_come_and_go_with_their_addresses", &all, &[]) else { return };
    let nodes = Nodes::new(&server);
    let start = |host| nodes.start(host, by_service(&server, &nodes.alive));
    let (a, b) = (start("127.0.0.11"), start("127.0.0.12"));
    nodes.until_connected(&a, &["127.0.0.12"]);
    nodes.until_connected(&b, &["127.0.0.11"]);
    // Our own name is in libcluster's answer too.
    a.until_answer(&nodes.list(&["127.0.0.11", "127.0.0.12"]));

    // An address is added.
    let c = start("127.0.0.13");
    let more = at("127.0.0.13", SERVICE);
    server.set_hosts(&[all.as_slice(), &[&more]].concat());
    for (member, others) in
        [(&a, ["127.0.0.12", "127.0.0.13"]), (&b, ["127.0.0.11", "127.0.0.13"]), (&c, ["127.0.0.11", "127.0.0.12"])]
    {
        nodes.until_connected(member, &others);
        // However it was connected, each must have seen it in an answer, so as to see it leave.
        member.until_answer(&nodes.list(&["127.0.0.11", "127.0.0.12", "127.0.0.13"]));
    }

    // One is taken away, and its node goes with it, but not before the grace period is over.
    drop(c.cluster);
    let begin = Instant::now();
    server.set_hosts(&all);
    nodes.until_connected(&a, &["127.0.0.12"]);
    assert!(begin.elapsed() >= GRACE, "{:?}", begin.elapsed());
    nodes.until_connected(&b, &["127.0.0.11"]);
}

#[test]
fn what_is_no_answer_keeps_the_last_list() {
    let all = [at("127.0.0.21", SERVICE), at("127.0.0.22", SERVICE)];
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let name = "what_is_no_answer_keeps_the_last_list";
    let Some(mut server) = DnsServer::dnsmasq(name, &all, &["--txt-record=beam-cluster.default.svc.cluster.local,x"])
    else {
        return;
    };
    let nodes = Nodes::new(&server);
    let mut a = nodes.start("127.0.0.21", by_service(&server, &nodes.alive));
    let b = nodes.start("127.0.0.22", by_service(&server, &nodes.alive));
    nodes.until_connected(&a, &["127.0.0.22"]);
    let answer = nodes.list(&["127.0.0.21", "127.0.0.22"]);
    a.until_answer(&answer);

    let whole = |a: &Member, begin: Instant| {
        // Longer than the grace period and several intervals.
        while begin.elapsed() < GRACE * 2 {
            assert_eq!(a.connected(), nodes.list(&["127.0.0.22"]));
            assert_eq!(a.answer(), answer);
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // No such addresses.
    server.set_hosts(&[]);
    let reason = a.kept(&nodes.runtime);
    assert!(reason.starts_with("lookup against beam-cluster failed: :"), "{reason}");
    assert!(reason.contains(&format!("for A and AAAA of {SERVICE}.")), "{reason}");
    whole(&a, Instant::now());
    // It was told once, though it was asked many times: the next reason is another one.
    server.stop();
    let reason = a.kept(&nodes.runtime);
    assert!(reason.starts_with("lookup against beam-cluster failed: :timeout (no answer in time"), "{reason}");
    whole(&a, Instant::now());
    // A lost connection comes back by the list that was kept.
    assert!(a.node.disconnect(b.node.name()));
    nodes.until_connected(&a, &["127.0.0.22"]);
    server.set_hosts_and_start(&all);
    wait_until("there is an answer again", DEADLINE, || a.status().last_error.map_or(Ok(()), |(why, _)| Err(why)));
}

#[test]
fn the_ttl_is_waited_for() {
    let hosts = [at("127.0.0.31", SERVICE)];
    let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
    let Some(server) = DnsServer::dnsmasq("the_ttl_is_waited_for", &hosts, &["--local-ttl=2"]) else { return };
    let nodes = Nodes::new(&server);
    let mut strategy = by_service(&server, &nodes.alive);
    strategy.family = Some(beamline::node::Family::V4);
    let begin = Instant::now();
    let _a = nodes.start("127.0.0.31", strategy);
    wait_until("it has been asked three times", DEADLINE, || {
        let times = server.questions("A", SERVICE);
        if times >= 3 { Ok(()) } else { Err(times) }
    });
    // At once, and after 2 and 4 seconds, or one of them twice, if an answer was late; by intervals alone it would have been
    // after 200 ms.
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
    assert_eq!(server.questions("AAAA", SERVICE), 0);
}

#[test]
fn addresses_of_both_families_behind_an_alias() {
    let hosts = [at("127.0.0.41", SERVICE), at("::1", SERVICE)];
    let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
    let cname = format!("--cname=alias.{DOMAIN},{SERVICE}");
    let name = "addresses_of_both_families_behind_an_alias";
    let Some(server) = DnsServer::dnsmasq(name, &hosts, &[&cname]) else { return };
    let nodes = Nodes::new(&server);
    let mut strategy = by_service(&server, &nodes.alive);
    strategy.service = "alias".into();
    let four = nodes.start("127.0.0.41", strategy.clone());
    let six = nodes.start("::1", strategy.clone());
    nodes.until_connected(&four, &["::1"]);
    nodes.until_connected(&six, &["127.0.0.41"]);
    four.until_answer(&nodes.list(&["127.0.0.41", "::1"]));
    drop(four);
    strategy.family = Some(beamline::node::Family::V6);
    let one_family = nodes.start("127.0.0.42", strategy);
    one_family.until_answer(&nodes.list(&["::1"]));
}

#[test]
fn pods_of_a_stateful_set_by_their_names() {
    let pod = |i: usize| format!("app-a-{i}.{SERVICE}");
    let hosts: Vec<_> = (0..3).map(|i| at(&format!("127.0.0.5{i}"), &pod(i))).collect();
    let hosts: Vec<_> = hosts.iter().map(String::as_str).collect();
    let records: Vec<_> = (0..3).map(|i| format!("--srv-host={SERVICE},{},0,0,33", pod(i))).collect();
    let records: Vec<_> = records.iter().map(String::as_str).collect();
    let Some(server) = DnsServer::dnsmasq("pods_of_a_stateful_set_by_their_names", &hosts, &records) else { return };
    let nodes = Nodes::new(&server);
    let mut strategy = KubernetesDnsSrv::new(&*nodes.alive, "beam-cluster", "default");
    strategy.cluster_domain = "cluster.local".into();
    strategy.options = options(&server);
    strategy.polling_interval = POLL;
    let members: Vec<_> = (0..3).map(|i| nodes.start(&pod(i), strategy.clone())).collect();
    for (i, member) in members.iter().enumerate() {
        let others: Vec<_> = (0..3).filter(|j| *j != i).map(pod).collect();
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        nodes.until_connected(member, &others);
    }
    assert!(server.asked("SRV").iter().all(|name| name == SERVICE));
}

const ZONE: &str = "
$ORIGIN cluster.local.
$TTL 1
@ IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 1
@ IN NS ns.dns.cluster.local.
ns.dns IN A 127.0.0.1
$ORIGIN default.svc.cluster.local.
beam-cluster IN A 127.0.0.61
beam-cluster IN A 127.0.0.62
beam-cluster IN SRV 0 33 0 app-a-0.beam-cluster
app-a-0.beam-cluster IN A 127.0.0.61
empty IN TXT \"no addresses\"
";

#[test]
fn zones_of_knot() {
    let Some(mut server) = DnsServer::knot("zones_of_knot", ZONE) else { return };
    let nodes = Nodes::new(&server);
    // libcluster's keys, from a file, with the server's port.
    let both = nodes.list(&["127.0.0.61", "127.0.0.62"]);
    let pod = nodes.list(&[&format!("app-a-0.{SERVICE}")]);
    let text = format!(
        "[topologies.service]\nstrategy = \"Cluster.Strategy.Kubernetes.DNS\"\n\
         config = {{ service = \"beam-cluster\", application_name = {alive:?}, polling_interval = 100, \
         nameserver = {server:?}, search = \"{DOMAIN}\", ndots = 5 }}\n\
         [topologies.set]\nstrategy = \"Cluster.Strategy.Kubernetes.DNSSRV\"\n\
         config = {{ service = \"beam-cluster\", namespace = \"default\", application_name = {alive:?}, \
         polling_interval = 100, nameserver = {server:?} }}\n\
         [topologies.poll]\nstrategy = \"Cluster.Strategy.DNSPoll\"\n\
         config = {{ query = \"{SERVICE}\", node_basename = {alive:?}, polling_interval = 100, nameserver = [{server:?}] }}\n\
         [topologies.empty]\nstrategy = \"dns_poll\"\n\
         config = {{ query = \"empty.{DOMAIN}\", node_basename = {alive:?}, nameserver = {server:?} }}\n\
         [topologies.nobody]\nstrategy = \"dns_poll\"\n\
         config = {{ query = \"nobody.{DOMAIN}.\", node_basename = {alive:?}, nameserver = {server:?} }}\n",
        alive = nodes.alive,
        server = server.address(),
    );
    let topologies = Topologies::from_toml(&text, "beamline.toml").expect("a configuration");
    let builder = Node::builder(nodes.name("127.0.0.61")).cookie("secret").epmd(beamline::node::Epmd::None);
    let node = nodes.runtime.block_on(builder.start()).expect("the node starts");
    let cluster = nodes.runtime.block_on(Cluster::of(&node, topologies).start()).expect("the topologies start");
    let status = |name: &str| {
        let mut all = cluster.status().topologies.into_iter();
        all.find(|topology| &*topology.name == name).expect("it is there")
    };
    let is = |name: &str, expected: &[String]| {
        wait_until("the answer is so", DEADLINE, || {
            let status = status(name);
            let answer = status.last_answer.clone().map(|(nodes, _)| nodes).unwrap_or_default();
            let answer: Vec<_> = answer.iter().map(ToString::to_string).collect();
            if answer == expected { Ok(()) } else { Err(format!("{name}: {status:?}")) }
        });
    };
    let is_not = |name: &str, reason: &str| {
        wait_until("it is told", DEADLINE, || {
            let status = status(name);
            let error = status.last_error.clone().map(|(why, _)| why.to_string()).unwrap_or_default();
            if error.contains(reason) && status.last_answer.is_none() { Ok(()) } else { Err(format!("{status:?}")) }
        });
    };
    is("service", &both);
    is("set", &pod);
    // Without our own.
    is("poll", &both[1..]);
    is_not("empty", &format!("lookup against empty.{DOMAIN} failed: :nxdomain (the name has no such records; asked "));
    is_not("nobody", &format!("lookup against nobody.{DOMAIN}. failed: :nxdomain (no such name; asked "));

    // A node behind the service is gone from the zone, and the others stay.
    server.set_zone(&ZONE.replace("beam-cluster IN A 127.0.0.62\n", ""));
    is("service", &both[..1]);
    is("poll", &[]);
    is("set", &pod);
}

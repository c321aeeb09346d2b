//! The sources with real nodes of three releases.

use std::time::{Duration, Instant};

use beamline_node::{Epmd as UsedEpmd, Listen, Node, NodeName};
use tokio::runtime::Runtime;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique, wait_until};

use super::identity::Kind;
use super::mesh::{LinkState, links};
use super::state::{Member, Reach};
use super::{Cluster, Sources};

const COOKIE: &str = "secret";

/// A dashboard's node and its sources.
pub(super) struct Desk {
    pub(super) runtime: Runtime,
    pub(super) sources: Sources,
    pub(super) node: Node,
}

impl Desk {
    pub(super) fn of(targets: &[&str], epmd: &Epmd) -> Desk {
        let runtime = Runtime::new().expect("a runtime");
        let builder = Node::builder(unique("desk")).cookie(COOKIE).hidden(true).listen(Listen::Off);
        let node = runtime.block_on(builder.epmd(UsedEpmd::on_port(epmd.port())).start()).expect("it starts");
        let targets = targets.iter().map(|target| target.parse().expect("a name")).collect();
        let sources = runtime.block_on(async { Sources::new(&node, targets, None) });
        Desk { runtime, sources, node }
    }

    pub(super) fn cluster(&self) -> Cluster {
        self.runtime.block_on(self.sources.cluster())
    }

    #[track_caller]
    pub(super) fn until(&self, what: &str, limit: Duration, wanted: impl Fn(&Cluster) -> bool) -> Cluster {
        wait_until(what, limit, || {
            let cluster = self.cluster();
            if wanted(&cluster) { Ok(()) } else { Err(format!("{cluster:?}")) }
        });
        self.cluster()
    }
}

pub(super) fn beam(otp: Otp, name: &str, epmd: &Epmd) -> Beam {
    Beam::start(otp, &unique(name), epmd.port(), COOKIE)
}

fn rust(runtime: &Runtime, name: &str, epmd: &Epmd) -> Node {
    let builder = Node::builder(unique(name)).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    runtime.block_on(builder.start()).expect("it starts")
}

fn names(cluster: &Cluster) -> Vec<&str> {
    cluster.members.iter().map(|member| member.name.as_str()).collect()
}

/// All members have answered, and see each other.
fn whole(cluster: &Cluster, count: usize) -> bool {
    let sees_all = |member: &Member| member.visible().is_some_and(|seen| seen.len() == count - 1);
    cluster.members.len() == count && cluster.members.iter().all(sees_all)
}

fn a_cluster_is_found_through_one_node_and_a_node_that_stops_leaves_at_once(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (mut a, mut b) = (beam(otp, "a", &epmd), beam(otp, "b", &epmd));
    let runtime = Runtime::new().expect("a runtime");
    let c = rust(&runtime, "c", &epmd);
    assert_eq!(a.eval(&format!("Node.connect({})", b.atom())), "true");
    runtime.block_on(c.connect(&a.name().parse().expect("a name"))).expect("they connect");
    a.eval_until("length(Node.list())", "2");

    let desk = Desk::of(&[a.name()], &epmd);
    let cluster = desk.until("all answer", DEADLINE, |cluster| whole(cluster, 3));
    assert_eq!(names(&cluster), [a.name(), b.name(), c.name().as_str()]);
    for member in &cluster.members {
        let identity = member.identity.as_ref().expect("it has answered");
        let (sample, _) = member.sample.as_ref().expect("it has answered");
        assert_eq!(member.reach, Reach::Up);
        assert!(!member.is_hidden);
        assert_eq!(sample.visible.len(), 2, "{}", member.name);
        assert!(sample.hidden.contains(desk.node.name()), "the desk is hidden");
        match identity.kind {
            Kind::Rust => assert!(identity.version.starts_with("Beamline ")),
            kind => {
                assert_eq!(kind, Kind::Elixir);
                assert!(identity.version.starts_with("Elixir 1."), "{}", identity.version);
                assert!(identity.uptime().expect("known") < Duration::from_secs(600));
                let memory = sample.figures.memory.expect("BEAM nodes tell it");
                assert!(memory.total > memory.processes && memory.processes > 0);
                assert!(sample.figures.processes > Some(10) && sample.figures.io.is_some());
            }
        }
    }
    assert!(links(&cluster.members, cluster.at).iter().all(|link| link.state == LinkState::Up));
    // Whoever looks joins nothing.
    assert_eq!(a.eval("length(Node.list())"), "2");

    // Only while somebody looks, and only on nodes that can, schedulers are counted.
    let counted = |cluster: &Cluster| cluster.members.iter().filter(|member| member.utilisation.is_some()).count() >= 2;
    desk.until("schedulers are counted", DEADLINE, counted);

    let begun = Instant::now();
    b.kill();
    desk.until("it is gone", Duration::from_secs(2), |cluster| !names(cluster).contains(&b.name()));
    println!("a killed node left after {:?}", begun.elapsed());
    let gone: NodeName = b.name().parse().expect("a name");
    assert!(desk.sources.departed(&gone).expect("remembered").member.sample.is_some());
    assert!(desk.sources.history(&gone).expect("remembered").points().len() > 0);
    let (events, _) = desk.sources.events(10);
    assert_eq!((events[0].node.clone(), events[0].what.name()), (gone, "node_down"));
}

fn a_missing_link_is_seen(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let flags = "-start_epmd false -connect_all false -kernel prevent_overlapping_partitions false";
    let start = |name: &str| Beam::start_with(otp, &unique(name), epmd.port(), COOKIE, flags);
    let (mut a, b, c) = (start("a"), start("b"), start("c"));
    for other in [&b, &c] {
        assert_eq!(a.eval(&format!("Node.connect({})", other.atom())), "true");
    }
    let desk = Desk::of(&[a.name()], &epmd);
    let missing = |cluster: &Cluster| {
        let links = links(&cluster.members, cluster.at);
        links.into_iter().filter(|link| link.state == LinkState::Missing).collect::<Vec<_>>()
    };
    let cluster = desk.until("b and c lack each other", DEADLINE, |cluster| !missing(cluster).is_empty());
    let [link] = missing(&cluster).try_into().expect("one");
    assert_eq!((names(&cluster)[link.from], names(&cluster)[link.to]), (b.name(), c.name()));
    let is_told = |_: &Cluster| desk.sources.events(50).0.iter().any(|event| event.what.name() == "link_missing");
    desk.until("an event tells of it", DEADLINE, is_told);
}

fn a_node_that_hangs_delays_nobody(otp: Otp) {
    let epmd = Epmd::erlang(otp);
    let (mut a, mut b) = (beam(otp, "a", &epmd), beam(otp, "b", &epmd));
    assert_eq!(a.eval(&format!("Node.connect({})", b.atom())), "true");
    let desk = Desk::of(&[a.name()], &epmd);
    desk.until("both answer", DEADLINE, |cluster| whole(cluster, 2));
    let os_pid = b.eval("System.pid()").trim_matches('"').to_owned();
    let signal = |signal: &str| {
        let done = std::process::Command::new("kill").args([signal, &os_pid]).status();
        assert!(done.expect("kill runs").success());
    };
    signal("-STOP");
    let age = |cluster: &Cluster, name: &str| {
        let member = cluster.members.iter().find(|member| member.name.as_str() == name).expect("still a member");
        cluster.at.duration_since(member.sample.as_ref().expect("it answered once").1)
    };
    let is_late = |cluster: &Cluster| {
        cluster
            .members
            .iter()
            .any(|member| member.name.as_str() == b.name() && matches!(member.reach, Reach::Down { .. }))
    };
    let cluster = desk.until("it is late", DEADLINE, is_late);
    assert!(age(&cluster, a.name()) < Duration::from_secs(2), "the other one is as fresh as ever");
    assert!(age(&cluster, b.name()) >= Duration::from_secs(2), "what it said last is kept");
    signal("-CONT");
    desk.until("it is back", DEADLINE, |cluster| !is_late(cluster));
}

for_each_otp!(
    a_cluster_is_found_through_one_node_and_a_node_that_stops_leaves_at_once,
    a_missing_link_is_seen,
    a_node_that_hangs_delays_nobody,
);

//! Setting up connections between a Rust node and a real node: names that are given, restarts that the other side has not
//! noticed, IPv6, cookies for single peers.

use beamline::node::{AutoConnect, CallError, Cause, DownReason, Epmd as UsedEpmd, Listen, NodeBuilder, Route, Side};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, HOST, Otp, Program, Proxy, for_each_otp, free_port, unique, wait_until};

const COOKIE: &str = "secret";

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

fn name_of(beam: &Beam) -> NodeName {
    beam.name().parse().expect("a name")
}

fn start(runtime: &Runtime, builder: NodeBuilder) -> Node {
    runtime.block_on(builder.cookie(COOKIE).start()).expect("the node starts")
}

fn a_real_node_without_a_name_is_given_one_and_it_again(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let node = start(&runtime, Node::builder(unique("rust")).epmd(UsedEpmd::on_port(epmd.port())));
    let peer = format!(":{:?}", node.name().as_str());
    let mut beam = Beam::start(otp, &format!("undefined@{HOST}"), epmd.port(), COOKIE);
    assert_eq!(beam.eval("node()"), ":nonode@nohost");
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    let (given, creation) = (beam.eval("node()"), beam.eval(":erlang.system_info(:creation)"));
    let guest: NodeName = given.trim_start_matches(':').trim_matches('"').parse().expect("a name");
    assert_eq!(guest.host(), HOST);
    assert_eq!((node.list(), node.nodes(NodeSet::Hidden)), (vec![], vec![guest.clone()]));
    let seen: Atom = runtime.block_on(node.call(&guest, ("erlang", "node"), ()).into_future()).expect("an answer");
    assert_eq!(seen, *guest.as_atom());
    assert_eq!(beam.eval(&format!(":rpc.call({peer}, :erlang, :node, [])")), peer);

    assert_eq!(beam.eval(&format!("Node.disconnect({peer})")), "true");
    beam.eval_until("node()", ":nonode@nohost");
    wait_until("the guest is gone", DEADLINE, || if node.is_connected(&guest) { Err("it is there") } else { Ok(()) });
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    assert_eq!(beam.eval("node()"), given);
    let creation: u32 = creation.parse().expect("a number");
    assert_eq!(beam.eval(":erlang.system_info(:creation)"), (creation + 1).to_string());
}

fn a_guest_of_a_real_node_calls_is_called_and_stops_with_it(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let host = name_of(&beam);
    let guest = || start(&runtime, Node::guest(&host).epmd(UsedEpmd::on_port(epmd.port())));
    let node = guest();
    assert_eq!((node.name().host(), node.port()), (HOST, None));
    assert_eq!((node.list(), node.nodes(NodeSet::Hidden)), (vec![], vec![host.clone()]));
    let name = format!(":{:?}", node.name().as_str());
    assert_eq!(beam.eval("{Node.list(), Node.list(:hidden)}"), format!("{{[], [{name}]}}"));
    let sum: i64 = runtime.block_on(node.call(&host, ("Elixir.AppB", "add"), (1, 2)).into_future()).expect("an answer");
    assert_eq!(sum, 3);
    assert_eq!(beam.eval(&format!(":rpc.call({name}, :erlang, :node, [])")), name);

    beam.eval(&format!("Node.disconnect({name})"));
    runtime.block_on(async { timeout(DEADLINE, node.stopped()).await }).expect("it stops");
    let error = runtime.block_on(node.connect(&host)).expect_err("its name is gone");
    assert!(matches!(error.cause(), Cause::Stopped), "{error}");
    let again = guest();
    assert_eq!((again.name(), again.creation().get()), (node.name(), node.creation().get() + 1));
    let strangers = Node::guest(&host).epmd(UsedEpmd::on_port(epmd.port())).cookie("other");
    let error = runtime.block_on(strangers.start()).expect_err("the cookies differ");
    assert!(error.to_string().contains("cookie"), "{error}");
}

/// A Rust node dials as from a host that was cut off and comes back: the real node still holds the earlier connection.
fn a_restarted_rust_node_takes_the_place_of_its_earlier_self(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    beam.eval(":net_kernel.monitor_nodes(true, [:nodedown_reason, node_type: :all])");
    let port = epmd_port_of(otp, &epmd, beam.name());
    let (proxy, name) = (Proxy::to(port), unique("rust"));
    let through = proxy.port();
    let node = || {
        let builder = Node::builder(name.clone()).listen(Listen::Off);
        start(&runtime, builder.resolver(move |_| async move { Ok(Route::port([127, 0, 0, 1].into(), through)) }))
    };
    let first = node();
    runtime.block_on(first.ping(&name_of(&beam))).expect("pong");
    runtime.block_on(first.stop());
    assert_eq!(beam.eval("Node.list(:hidden)"), format!("[:{name:?}]"), "the earlier connection looks alive");
    let second = node();
    runtime.block_on(second.ping(&name_of(&beam))).expect("pong");
    let down = "receive do {:nodedown, _, info} -> info[:nodedown_reason] after 5000 -> :silence end";
    assert_eq!(beam.eval(down), ":wait_pending");
    assert_eq!(beam.eval(&format!(":rpc.call(:{name:?}, :erlang, :node, [])")), format!(":{name:?}"));
}

fn epmd_port_of(otp: Otp, epmd: &Epmd, name: &str) -> u16 {
    let output = otp.command("epmd").args(["-port", &epmd.port().to_string(), "-names"]).output().expect("epmd runs");
    let names = String::from_utf8_lossy(&output.stdout).into_owned();
    let alive = name.split('@').next().unwrap_or_default();
    let line = names.lines().find(|line| line.starts_with(&format!("name {alive} at"))).expect("it is registered");
    line.rsplit(' ').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// The same the other way round, after `kill -9`.
fn a_killed_real_node_takes_the_place_of_its_earlier_self(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let port = free_port();
    let node = start(&runtime, Node::builder(unique("rust")).epmd(UsedEpmd::None).listen(Listen::Ports(port, port)));
    let peer = format!(":{:?}", node.name().as_str());
    let mut events = node.events();
    let (proxy, name) = (Proxy::to(port), unique("a"));
    let flags = format!("-start_epmd false -dist_listen false -erl_epmd_port {}", proxy.port());
    let beam = || Beam::start_with(otp, &name, epmd.port(), COOKIE, &flags);
    let mut first = beam();
    assert_eq!(first.eval(&format!("Node.connect({peer})")), "true");
    first.kill();
    let name: NodeName = name.parse().expect("a name");
    assert!(node.is_connected(&name), "the earlier connection looks alive");
    let mut second = beam();
    assert_eq!(second.eval(&format!("Node.connect({peer})")), "true");
    let mut next =
        || runtime.block_on(async { timeout(DEADLINE, events.recv()).await.expect("in time").expect("lives") });
    let up = NodeEvent::Up { node: name.clone(), hidden: true };
    assert_eq!(next(), up);
    assert_eq!(next(), NodeEvent::Down { node: name.clone(), hidden: true, reason: DownReason::WaitPending });
    assert_eq!(next(), up);
    let seen: Atom = runtime.block_on(node.call(&name, ("erlang", "node"), ()).into_future()).expect("an answer");
    assert_eq!(seen, *name.as_atom());
}

fn nodes_meet_over_ipv6(otp: Otp) {
    for epmd in [Epmd::erlang(otp), Epmd::beamline()] {
        let runtime = runtime();
        let v6 = |alive| unique(alive).replace(HOST, "::1");
        let node = start(&runtime, Node::builder(v6("rust")).epmd(UsedEpmd::on_port(epmd.port())));
        let flags = "-start_epmd false -proto_dist inet6_tcp";
        let mut beam = Beam::start_with(otp, &v6("a"), epmd.port(), COOKIE, flags);
        let peer = format!(":{:?}", node.name().as_str());
        assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
        assert_eq!(node.list(), [name_of(&beam)]);
        assert_eq!(beam.eval(&format!("Node.disconnect({peer})")), "true");
        wait_until("both know", DEADLINE, || if node.list().is_empty() { Ok(()) } else { Err("not yet") });
        runtime.block_on(node.ping(&name_of(&beam))).expect("pong");
        let output = Program::run("beamline", epmd.port(), &["ping", beam.name(), "--cookie", COOKIE]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "pong\n");
    }
}

fn a_peer_has_a_cookie_of_its_own(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), "theirs");
    let host = name_of(&beam);
    // Hidden: nothing but this test makes connections.
    let builder = Node::builder(unique("rust")).hidden(true).epmd(UsedEpmd::on_port(epmd.port()));
    let node = start(&runtime, builder.cookie_for(&host, "shared"));
    let peer = format!(":{:?}", node.name().as_str());
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "false");
    beam.eval(&format!("Node.set_cookie({peer}, :shared)"));
    assert_eq!(beam.eval(&format!("Node.connect({peer})")), "true");
    assert!(node.disconnect(&host));
    beam.eval_until("Node.list(:hidden)", "[]");
    runtime.block_on(node.ping(&host)).expect("pong, the other way too");
    assert!(node.disconnect(&host));
    beam.eval_until("Node.list(:hidden)", "[]");
    node.set_cookie(&host, "wrong");
    let error = runtime.block_on(node.connect(&host)).expect_err("the cookies differ");
    assert!(matches!(error.cause(), Cause::Cookie { side: Side::Theirs }), "{error}");
}

/// A node with `dist_auto_connect once`, of either kind.
enum Once<'a> {
    Real(Beam),
    Rust(Node, &'a Runtime),
}

impl Once<'_> {
    fn atom(&self) -> String {
        match self {
            Once::Real(beam) => beam.atom(),
            Once::Rust(node, _) => format!(":{:?}", node.name().as_str()),
        }
    }

    fn pings(&mut self, peer: &Beam) -> bool {
        match self {
            Once::Real(beam) => beam.eval(&format!("Node.ping({})", peer.atom())) == ":pong",
            Once::Rust(node, runtime) => match runtime.block_on(node.ping(&name_of(peer))) {
                Ok(()) => true,
                Err(CallError::Connect(error)) if matches!(error.cause(), Cause::Barred) => false,
                Err(error) => panic!("another reason: {error}"),
            },
        }
    }

    fn connects(&mut self, peer: &Beam) -> bool {
        match self {
            Once::Real(beam) => beam.eval(&format!("Node.connect({})", peer.atom())) == "true",
            Once::Rust(node, runtime) => runtime.block_on(node.connect(&name_of(peer))).is_ok(),
        }
    }

    fn disconnect(&mut self, peer: &Beam) {
        match self {
            Once::Real(beam) => assert_eq!(beam.eval(&format!("Node.disconnect({})", peer.atom())), "true"),
            Once::Rust(node, _) => assert!(node.disconnect(&name_of(peer))),
        }
    }

    fn set_cookie(&mut self, peer: &Beam, cookie: &str) {
        match self {
            Once::Real(beam) => drop(beam.eval(&format!("Node.set_cookie({}, :{cookie})", peer.atom()))),
            Once::Rust(node, _) => node.set_cookie(&name_of(peer), cookie),
        }
    }

    /// Waits until both sides know that they are apart.
    fn until_apart(&mut self, peer: &mut Beam) {
        peer.eval_until("Node.list(:connected)", "[]");
        match self {
            Once::Real(beam) => drop(beam.eval_until("Node.list(:connected)", "[]")),
            Once::Rust(node, _) => {
                let is_apart = || if node.is_connected(&name_of(peer)) { Err("it is connected") } else { Ok(()) };
                wait_until("it is apart", DEADLINE, is_apart);
            }
        }
    }
}

/// The same story with a real node that has the setting, and with a Rust node.
fn with_once_a_lost_connection_comes_again_as_with_a_real_node(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::erlang(otp));
    let flags = "-start_epmd false -hidden -kernel dist_auto_connect once";
    let real = Once::Real(Beam::start_with(otp, &unique("once"), epmd.port(), COOKIE, flags));
    let builder = Node::builder(unique("rust")).hidden(true).epmd(UsedEpmd::on_port(epmd.port()));
    let rust = Once::Rust(start(&runtime, builder.auto_connect(AutoConnect::Once)), &runtime);
    for mut node in [real, rust] {
        let mut peer = Beam::start(otp, &unique("peer"), epmd.port(), COOKIE);
        let to_node = format!("(:{:?})", node.atom().trim_matches([':', '"']));
        assert!(node.pings(&peer), "the first time by itself");
        assert_eq!(peer.eval(&format!("Node.disconnect{to_node}")), "true");
        node.until_apart(&mut peer);
        assert!(!node.pings(&peer), "not after the peer gave it up");
        assert!(node.connects(&peer) && node.pings(&peer), "but when it is asked for");

        node.disconnect(&peer);
        node.until_apart(&mut peer);
        assert!(!node.pings(&peer), "nor after it gave it up itself");
        assert_eq!(peer.eval(&format!("Node.ping{to_node}")), ":pong", "the peer may come");
        assert!(node.pings(&peer), "and has come");

        node.disconnect(&peer);
        node.until_apart(&mut peer);
        node.set_cookie(&peer, "wrong");
        assert!(!node.connects(&peer), "asked for in vain");
        node.set_cookie(&peer, COOKIE);
        assert!(node.pings(&peer), "which lifts the bar all the same");
    }
}

for_each_otp!(
    a_real_node_without_a_name_is_given_one_and_it_again,
    a_guest_of_a_real_node_calls_is_called_and_stops_with_it,
    a_restarted_rust_node_takes_the_place_of_its_earlier_self,
    a_killed_real_node_takes_the_place_of_its_earlier_self,
    nodes_meet_over_ipv6,
    a_peer_has_a_cookie_of_its_own,
    with_once_a_lost_connection_comes_again_as_with_a_real_node,
);

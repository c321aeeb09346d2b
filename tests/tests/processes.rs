//! Processes of a Rust node and of a real node: calls to servers, monitors, names, in both directions.

use std::time::Duration;

use beamline::node::{CallError, Cause, Epmd as UsedEpmd, Request, Side};
use beamline::prelude::*;
use beamline::term::Reference;
use tokio::runtime::Runtime;
use tokio::time::timeout;
use whole_clusters::{Beam, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";
const DEADLINE: Duration = Duration::from_secs(10);

fn start(runtime: &Runtime, name: &str, epmd: &Epmd, cookie: &str) -> Node {
    let node = Node::builder(name).cookie(cookie).epmd(UsedEpmd::on_port(epmd.port()));
    runtime.block_on(node.start()).expect("the node starts")
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// Answers every call with what was asked, until it is told to stop.
fn echo(node: &Node) -> Pid {
    let pid = node.spawn(|mut me| async move {
        while let Some(message) = me.receive().await {
            let Ok(request) = message.term().map_err(drop).and_then(|term| Request::from_term(term).map_err(drop))
            else {
                return;
            };
            me.reply(&request, request.body.clone());
        }
    });
    node.register("echo", &pid).expect("the name is free");
    pid
}

fn elixir_calls_and_watches_a_rust_process(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::beamline());
    let name = unique("rust");
    let node = start(&runtime, &name, &epmd, COOKIE);
    echo(&node);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "true");
    let server = format!("{{:echo, :{name:?}}}");
    assert_eq!(beam.eval(&format!("GenServer.call({server}, {{:hello, %{{a: 1}}}})")), "{:hello, %{a: 1}}");
    let replies = beam.eval(&format!("GenServer.multi_call([:{name:?}], :echo, 7)"));
    assert_eq!(replies, format!("{{[{name:?}: 7], []}}"));
    beam.eval(&format!("ref = Process.monitor({server}); is_reference(ref)"));
    beam.eval(&format!("send({server}, :stop)"));
    let down = "receive do {:DOWN, ^ref, :process, {:echo, _}, reason} -> reason after 5000 -> :silence end";
    assert_eq!(beam.eval(down), ":normal");
    let missing = beam.try_eval(&format!("GenServer.call({server}, :hello)")).expect_err("it has ended");
    assert!(missing.contains(":noproc"), "{missing}");
}

fn rust_calls_and_watches_an_elixir_process(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::beamline());
    let node = start(&runtime, &unique("rust"), &epmd, COOKIE);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let peer: NodeName = beam.name().parse().expect("a name");
    beam.eval("{:ok, agent} = Agent.start(fn -> 41 end, name: :agent); is_pid(agent)");
    runtime.block_on(async {
        node.connect(&peer).await.expect("they connect");
        node.ping(&peer).await.expect("pong");
        let kinds: Vec<Atom> = node.call(&peer, ("erlang", "registered"), ()).await.expect("a list");
        assert!(kinds.iter().any(|name| *name == "agent"));
        let nobody = node.server_call::<Term>(atom("nobody"), &peer, 1).await.expect_err("nobody is there");
        assert!(matches!(&nobody, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{nobody}");

        let agent: Pid = node.call(&peer, ("erlang", "whereis"), (atom("agent"),)).await.expect("a pid");
        let (tell, told) = tokio::sync::oneshot::channel();
        let watched = agent.clone();
        node.spawn(|mut me| async move {
            me.monitor(&watched);
            let down = me.receive().await.expect("a message");
            let _ = tell.send(down.decode::<(Atom, Reference, Atom, Pid, Atom)>());
        });
        // The monitor is on its way before this, on the same connection.
        node.ping(&peer).await.expect("pong");
        node.exit(&agent, atom("kill"));
        let (tag, _, _, pid, reason) = timeout(DEADLINE, told).await.expect("in time").expect("told").expect("a DOWN");
        assert_eq!((tag.as_str(), pid, reason.as_str()), ("DOWN", agent, "killed"));
    });
}

fn names_are_seen_from_both_sides(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::beamline());
    let name = unique("rust");
    let node = start(&runtime, &name, &epmd, COOKIE);
    let pid = echo(&node);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "true");
    assert_eq!(beam.eval(":global.sync()"), ":ok");
    runtime
        .block_on(async { timeout(DEADLINE, node.global().register("echo", &pid)).await })
        .expect("in time")
        .expect("the name is free");
    beam.eval_until("GenServer.call({:global, \"echo\"}, 5)", "5");
    assert_eq!(beam.eval(":global.register_name(:theirs, self())"), ":yes");
    let theirs = node.global().whereis(&Term::atom("theirs")).expect("it was told before `yes`");
    assert_eq!(theirs.node().as_str(), beam.name());
    node.exit(&pid, atom("kill"));
    beam.eval_until(":global.whereis_name(\"echo\")", ":undefined");
}

fn a_wrong_cookie_has_its_cause_in_rust(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::beamline());
    let node = start(&runtime, &unique("rust"), &epmd, "other");
    let beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let peer: NodeName = beam.name().parse().expect("a name");
    let error = runtime.block_on(node.connect(&peer)).expect_err("the cookies differ");
    assert!(matches!(error.cause(), Cause::Cookie { side: Side::Theirs }), "{error}");
}

fn the_pids_of_a_restarted_node_are_dead(otp: Otp) {
    let (runtime, epmd) = (runtime(), Epmd::beamline());
    let name = unique("rust");
    let node = start(&runtime, &name, &epmd, COOKIE);
    echo(&node);
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    let whereis = format!(":rpc.call(:{name:?}, :erlang, :whereis, [:echo])");
    beam.eval(&format!("old = {whereis}; is_pid(old)"));
    drop(node);
    beam.eval_until("Node.list()", "[]");
    let node = start(&runtime, &name, &epmd, COOKIE);
    echo(&node);
    assert_eq!(beam.eval(&format!("new = {whereis}; new != old")), "true");
    assert_eq!(beam.eval("GenServer.call(new, 1)"), "1");
    let dead = beam.try_eval("GenServer.call(old, 1)").expect_err("it was of an earlier start");
    assert!(dead.contains(":noproc"), "{dead}");
}

for_each_otp!(
    elixir_calls_and_watches_a_rust_process,
    rust_calls_and_watches_an_elixir_process,
    names_are_seen_from_both_sides,
    a_wrong_cookie_has_its_cause_in_rust,
    the_pids_of_a_restarted_node_are_dead,
);

//! A real node that is killed and starts anew under its name, while processes and calls of a Rust node are tied to it: all hear
//! of it once, and nothing of what was meant for the old one reaches the new one.

use std::future::IntoFuture;
use std::time::Duration;

use beamline::node::{CallError, DownReason, Epmd as UsedEpmd, Message};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use whole_clusters::{Beam, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";
/// Longer than the test waits for anything.
const NEVER: Duration = Duration::from_secs(300);
/// Without the loss of time that is a timeout of somebody.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A process that only listens, and keeps what it hears.
const DEAF: &str = "spawn(fn -> Process.flag(:trap_exit, true); receive do: (:never -> :ok) end)";

fn whereis(runtime: &Runtime, node: &Node, peer: &NodeName, name: &'static str) -> Pid {
    let call = node.call(peer, ("erlang", "whereis"), (atom(name),));
    runtime.block_on(call.into_future()).expect("a pid")
}

fn a_real_node_that_starts_anew_is_another_one(otp: Otp) {
    let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("a"));
    let builder = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    let node = runtime.block_on(builder.start()).expect("the node starts");
    let mut beam = Beam::start(otp, &name, epmd.port(), COOKIE);
    let peer: NodeName = name.parse().expect("a name");
    // The number of the process that is tied is one that the successor comes to later.
    beam.eval(&format!("for _ <- 1..3000, do: spawn(fn -> :ok end); mute = {DEAF}; Process.register(mute, :mute)"));
    let number = beam.eval("to_string(:erlang.pid_to_list(mute))");
    let creation = beam.eval(":erlang.system_info(:creation)");
    runtime.block_on(node.connect(&peer)).expect("they connect");
    let mut events = node.events();
    let old = whereis(&runtime, &node, &peer, "mute");

    let (tell, mut told) = mpsc::unbounded_channel();
    let (target, server) = (old.clone(), (atom("mute"), peer.clone()));
    let watcher = node.spawn(|mut me| async move {
        me.trap_exit(true);
        me.link(&target);
        me.monitor(&target);
        me.monitor((server.0, &server.1));
        while let Some(message) = me.receive().await {
            let _ = tell.send(message);
        }
    });
    let arguments = (atom("mute"), 1, atom("infinity"));
    let call = node.call::<Term>(&peer, ("gen_server", "call"), arguments).timeout(NEVER);
    let call = runtime.spawn(call.into_future());
    let ask = node.server_call::<Term>(atom("mute"), &peer, 2).timeout(NEVER);
    let ask = runtime.spawn(ask.into_future());
    let tied = "info = Process.info(mute, [:message_queue_len, :links, :monitored_by]);
                mine = &(node(&1) == node()); {info[:message_queue_len], length(info[:links]),
                length(Enum.reject(info[:monitored_by], mine))}";
    // The calls; the link; two monitors, and that of the second call.
    beam.eval_until(tied, "{2, 1, 3}");

    beam.kill();
    let mut heard: Vec<String> = (0..3).map(|_| said(&next(&runtime, &mut told), &old)).collect();
    heard.sort();
    assert_eq!(heard, ["DOWN of a name", "DOWN of the pid", "EXIT"]);
    for call in [call, ask] {
        let call = runtime.block_on(async { timeout(AT_ONCE, call).await }).expect("at once").expect("it runs");
        assert!(matches!(&call, Err(CallError::NodeDown { node }) if *node == peer), "{call:?}");
    }
    let down = NodeEvent::Down { node: peer.clone(), hidden: false, reason: DownReason::ConnectionClosed };
    assert_eq!(runtime.block_on(async { timeout(AT_ONCE, events.recv()).await }), Ok(Some(down)));

    let mut beam = Beam::start(otp, &name, epmd.port(), COOKIE);
    assert_ne!(beam.eval(":erlang.system_info(:creation)"), creation);
    let find = format!(
        "find = fn find, left ->
           pid = {DEAF};
           cond do
             to_string(:erlang.pid_to_list(pid)) == {number} -> pid;
             left == 0 -> nil;
             true -> Process.exit(pid, :kill); find.(find, left - 1)
           end
         end;
         successor = find.(find, 100_000); is_pid(successor) and Process.register(successor, :mute)"
    );
    assert_eq!(beam.eval(&find), "true", "a process of the same number");
    runtime.block_on(node.connect(&peer)).expect("they connect");
    let up = NodeEvent::Up { node: peer.clone(), hidden: false };
    assert_eq!(runtime.block_on(async { timeout(AT_ONCE, events.recv()).await }), Ok(Some(up)));
    let new = whereis(&runtime, &node, &peer, "mute");
    assert!(new != old && new.id() == old.id() && new.serial() == old.serial(), "{old} {new}");

    let (done, end) = oneshot::channel();
    let (dead, there) = (old.clone(), peer.clone());
    node.spawn(|mut me| async move {
        me.trap_exit(true);
        let monitor = me.monitor(&dead);
        let down = me.receive_down(&monitor).await.expect("a DOWN");
        assert_eq!((down.object, down.reason), (dead.clone().into(), atom("noproc").into()));
        me.link(&dead);
        let exit = me.receive().await.expect("a message").as_exit().expect("an EXIT");
        assert_eq!((exit.from, exit.reason), (dead.clone(), atom("noproc").into()));
        me.send(&dead, &"nobody").await.expect("sent");
        me.send_exit(&dead, atom("kill"));
        me.set_group_leader(me.pid(), &dead);
        me.unlink(&dead);
        // The new ones are reached, by name and by pid.
        me.send((atom("mute"), &there), &"by name").await.expect("sent");
        me.send(&new, &"by pid").await.expect("sent");
        me.link(&new);
        me.send_exit(&new, atom("trapped"));
        let _ = done.send(me.pid().clone());
        std::future::pending::<()>().await;
    });
    let pid = runtime.block_on(async { timeout(AT_ONCE, end).await }).expect("at once").expect("it runs");
    runtime.block_on(node.ping(&peer)).expect("pong");
    let messages =
        "{:messages, [\"by name\", \"by pid\", {:EXIT, rust, :trapped}]} = Process.info(successor, :messages)";
    beam.eval(&format!("{messages}; leader = :erlang.process_info(successor, :group_leader)"));
    assert_eq!(beam.eval("elem(leader, 1) |> node() == node()"), "true", "of the old one nothing is set");
    assert_eq!(beam.eval("Process.info(successor, :links) == {:links, [rust]} and node(rust) != node()"), "true");
    assert_eq!(beam.eval("Process.info(successor, :monitored_by)"), "{:monitored_by, []}");
    assert!(node.process_info(&pid).is_some_and(|info| info.links.len() == 1 && info.ties == 1));
    assert!(node.process_info(&watcher).is_some_and(|info| info.ties == 0));
    assert!(told.try_recv().is_err(), "once is enough");
    let more = runtime.block_on(async { timeout(Duration::ZERO, events.recv()).await });
    assert!(more.is_err(), "{more:?}");
    assert!(!beam.said().contains("[error]"), "{}", beam.said());
}

fn next(runtime: &Runtime, told: &mut mpsc::UnboundedReceiver<Message>) -> Message {
    runtime.block_on(async { timeout(AT_ONCE, told.recv()).await }).expect("at once").expect("it lives")
}

/// What a message of the end of `old` is, which is for `noconnection`.
fn said(message: &Message, old: &Pid) -> String {
    if let Some(exit) = message.as_exit() {
        assert_eq!((exit.from, exit.reason), (old.clone(), atom("noconnection").into()));
        return "EXIT".to_owned();
    }
    let down = message.as_down().expect("a DOWN");
    assert!(down.reason.is_atom("noconnection"), "{}", down.reason);
    let object = if down.object == old.clone().into() { "the pid" } else { "a name" };
    format!("DOWN of {object}")
}

for_each_otp!(a_real_node_that_starts_anew_is_another_one);

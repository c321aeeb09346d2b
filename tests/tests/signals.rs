//! Signals between processes of a Rust node and of a real one, in both directions: links, exits, monitors, aliases, spawns,
//! group leaders, restarts.

mod common;

use std::time::Duration;

use beamline::node::{AliasKind, Epmd as UsedEpmd, Exit, Message, MonitorOptions, NodeBuilder, ProcessInfo, Spawned};
use beamline::prelude::*;
use beamline::term::Reference;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique, wait_until};

use self::common::{pid_in, run_in_process};

const COOKIE: &str = "secret";

/// A Rust node and a real one, connected.
struct Pair {
    runtime: Runtime,
    epmd: Epmd,
    name: String,
    node: Node,
    beam: Beam,
    peer: NodeName,
}

fn builder(name: &str, epmd: &Epmd) -> NodeBuilder {
    Node::builder(name).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port())).module(
        Module::new("Elixir.Test")
            .function("exit", |reason: Term| async { Err::<(), _>(Raise::exit(reason)) })
            .function("sleep", || async {
                tokio::time::sleep(Duration::from_secs(600)).await;
                Ok(())
            }),
    )
}

impl Pair {
    fn start(otp: Otp) -> Pair {
        let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("rust"));
        let node = runtime.block_on(builder(&name, &epmd).start()).expect("the node starts");
        let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
        assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "true");
        beam.eval("Process.flag(:trap_exit, true)");
        let peer = beam.name().parse().expect("a name");
        Pair { runtime, epmd, name, node, beam, peer }
    }

    /// Runs this in a Rust process.
    fn run<T, F, Fut>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(Process) -> Fut,
        Fut: Future<Output = T> + Send + 'static,
    {
        run_in_process(&self.runtime, &self.node, work)
    }

    /// A Rust process under a name, which does what it is told; what it hears otherwise comes out of the channel.
    fn puppet(&self, name: &str) -> (Pid, mpsc::UnboundedReceiver<Message>) {
        let (tell, told) = mpsc::unbounded_channel();
        let pid = self.node.spawn(|me| puppet(me, tell));
        self.node.register(name, &pid).expect("the name is free");
        (pid, told)
    }

    /// A process of the real node that ends with the reason that it is sent, bound to `variable`.
    fn sleeper(&mut self, variable: &str) -> Pid {
        let code = format!("{variable} = spawn(fn -> receive do reason -> exit(reason) end end); is_pid({variable})");
        self.beam.eval(&code);
        self.pid(variable)
    }

    /// The pid that a variable of the real node is bound to.
    fn pid(&mut self, variable: &str) -> Pid {
        pid_in(&mut self.beam, variable, &self.runtime, &self.node)
    }

    fn info(&self, pid: &Pid) -> Option<ProcessInfo> {
        self.node.process_info(pid)
    }

    fn hear(&self, told: &mut mpsc::UnboundedReceiver<Message>) -> Message {
        self.runtime.block_on(async { timeout(DEADLINE, told.recv()).await }).expect("in time").expect("it lives")
    }

    fn until(&self, what: &str, condition: impl Fn() -> bool) {
        wait_until(what, DEADLINE, || if condition() { Ok(()) } else { Err(String::new()) });
    }

    /// Everything that was sent before on this connection has been taken in on both sides when this returns.
    fn settle(&self) {
        self.runtime.block_on(self.node.ping(&self.peer)).expect("pong");
    }
}

async fn puppet(mut me: Process, tell: mpsc::UnboundedSender<Message>) {
    while let Some(message) = me.receive().await {
        let Ok(term) = message.term() else { continue };
        match term.as_tuple() {
            Some([order, Term::Pid(pid)]) if order.is_atom("link") => me.link(pid),
            Some([order, Term::Pid(pid)]) if order.is_atom("unlink") => me.unlink(pid),
            Some([order, trap]) if order.is_atom("trap") => drop(me.trap_exit(trap.is_atom("true"))),
            Some([order, reason]) if order.is_atom("exit") => {
                let reason = reason.clone();
                me.exit(reason).await;
                return;
            }
            Some([order, limit]) if order.is_atom("fill") => {
                me.set_mailbox_limit(limit.as_u64().expect("a size") as usize);
                std::future::pending::<()>().await;
            }
            _ => drop(tell.send(message)),
        }
    }
}

const EXIT: &str = "receive do {:EXIT, _, reason} -> reason after 5000 -> :silence end";
const SILENCE: &str = "receive do other -> other after 100 -> :silence end";

fn links_bind_elixir_to_rust(otp: Otp) {
    let mut pair = Pair::start(otp);
    // What the Rust process is told to end with, and what the linked Elixir process hears.
    for (order, heard) in
        [("{:exit, :oops}", ":oops"), ("{:exit, :normal}", ":normal"), ("{:exit, {:a, 1}}", "{:a, 1}")]
    {
        let (pid, _told) = pair.puppet("puppet");
        let at = format!("{{:puppet, :{:?}}}", pair.name);
        let find = format!("pid = :rpc.call(:{:?}, :erlang, :whereis, [:puppet]); Process.link(pid)", pair.name);
        assert_eq!(pair.beam.eval(&find), "true");
        pair.beam.eval(&format!("send({at}, {order}); :sent"));
        assert_eq!(pair.beam.eval(EXIT), heard);
        pair.until("it is gone", || pair.info(&pid).is_none());
    }
    // A link with the dead is told at once.
    pair.beam.eval("Process.link(pid)");
    assert_eq!(pair.beam.eval(EXIT), ":noproc");

    // The Elixir process ends: the Rust one hears it, or ends too.
    let (trapping, mut told) = pair.puppet("trapping");
    let (plain, _told) = pair.puppet("plain");
    let name = pair.name.clone();
    pair.beam.eval(&format!("send({{:trapping, :{name:?}}}, {{:trap, true}}); :sent"));
    for reason in ["oops", "normal", "kill"] {
        let sleeper = pair.sleeper("sleeper");
        for puppet in ["trapping", "plain"] {
            pair.beam.eval(&format!("send({{:{puppet}, :{name:?}}}, {{:link, sleeper}}); :sent"));
        }
        pair.beam
            .eval_until("length(elem(Process.info(sleeper, :links), 1))", if reason == "kill" { "1" } else { "2" });
        pair.beam.eval(&format!("send(sleeper, :{reason}); :sent"));
        let exit: Exit = pair.hear(&mut told).as_exit().expect("an EXIT");
        assert_eq!((exit.from, exit.reason), (sleeper, atom(reason).into()));
        match reason {
            "oops" => pair.until("the plain one ends", || pair.info(&plain).is_none()),
            _ => assert!(pair.info(&trapping).is_some()),
        }
        if reason == "oops" {
            pair.puppet("plain");
        } else if reason == "normal" {
            pair.settle();
            assert!(pair.node.whereis("plain").is_some(), "`normal` is no failure");
            pair.node.exit(&pair.node.whereis("plain").expect("it lives"), atom("kill"));
        }
    }
}

fn exit_signals_cross(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    let (pid, mut told) = pair.puppet("puppet");
    let find = format!("pid = :rpc.call(:{name:?}, :erlang, :whereis, [:puppet]); ref = Process.monitor(pid); :found");
    pair.beam.eval(&find);
    pair.beam.eval("Process.exit(pid, :normal)");
    pair.beam.eval("send(pid, {:trap, true}); :sent");
    pair.until("it traps exits", || pair.info(&pid).is_some_and(|info| info.trap_exit));
    pair.beam.eval("Process.exit(pid, :trapped)");
    let exit = pair.hear(&mut told).as_exit().expect("an EXIT");
    assert!(exit.reason.is_atom("trapped") && exit.from.node() == pair.peer.as_atom());
    pair.beam.eval("Process.exit(pid, :kill)");
    let down = "receive do {:DOWN, ^ref, :process, ^pid, reason} -> reason after 5000 -> :silence end";
    assert_eq!(pair.beam.eval(down), ":killed");
    assert!(pair.info(&pid).is_none());

    let sleeper = pair.sleeper("sleeper");
    pair.beam.eval("ref = Process.monitor(sleeper); :ok");
    pair.node.exit(&sleeper, atom("normal"));
    pair.settle();
    assert_eq!(pair.beam.eval("Process.alive?(sleeper)"), "true");
    pair.node.exit(&sleeper, atom("enough"));
    assert_eq!(
        pair.beam.eval("receive do {:DOWN, ^ref, _, _, reason} -> reason after 5000 -> :silence end"),
        ":enough"
    );
}

fn monitors_cross_by_pid_and_by_name(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    pair.puppet("puppet");
    let both = format!(
        "pid = :rpc.call(:{name:?}, :erlang, :whereis, [:puppet]);
         by_pid = Process.monitor(pid); by_name = Process.monitor({{:puppet, :{name:?}}});
         nobody = Process.monitor({{:nobody, :{name:?}}});
         dropped = Process.monitor(pid); Process.demonitor(dropped); :set"
    );
    pair.beam.eval(&both);
    let down = |reference: &str| {
        format!(
            "receive do {{:DOWN, ^{reference}, :process, object, reason}} -> {{object, reason}} after 5000 -> 0 end"
        )
    };
    assert_eq!(
        pair.beam.eval(&down("nobody")),
        format!("{{{{:nobody, {name:?}}}, :noproc}}").replace("\"rust", ":\"rust")
    );
    pair.beam.eval("send(pid, {:exit, :oops}); :sent");
    assert_eq!(pair.beam.eval(&format!("{} == {{pid, :oops}}", down("by_pid"))), "true");
    assert_eq!(pair.beam.eval(&format!("{} == {{{{:puppet, :{name:?}}}, :oops}}", down("by_name"))), "true");
    pair.beam.eval("again = Process.monitor(pid); :set");
    assert_eq!(pair.beam.eval(&format!("elem({}, 1)", down("again"))), ":noproc");
    assert_eq!(pair.beam.eval(SILENCE), ":silence");

    // A full mailbox is a reason as well.
    pair.puppet("full");
    let fill = format!(
        "full = {{:full, :{name:?}}}; by_name = Process.monitor(full); send(full, {{:fill, 20000}});
         for _ <- 1..100, do: send(full, String.duplicate(\"x\", 1000)); :sent"
    );
    pair.beam.eval(&fill);
    assert_eq!(pair.beam.eval(&format!("elem({}, 1)", down("by_name"))), ":message_queue_limit");

    let sleeper = pair.sleeper("sleeper");
    pair.beam.eval("Process.register(sleeper, :sleeper)");
    let (peer, watched, node) = (pair.peer.clone(), sleeper.clone(), pair.node.clone());
    pair.run(move |mut me| async move {
        let by_pid = me.monitor(&watched);
        let by_name = me.monitor((atom("sleeper"), &peer));
        let nobody = me.monitor((atom("nobody"), &peer));
        let dropped = me.monitor(&watched);
        me.demonitor(&dropped);
        let down = me.receive_down(&nobody).await.expect("a DOWN");
        assert_eq!((down.object, down.reason), ((atom("nobody"), peer.to_atom()).into(), atom("noproc").into()));
        me.send(&watched, &atom("bye")).await.expect("sent");
        let down = me.receive_down(&by_pid).await.expect("a DOWN");
        assert_eq!((down.object, down.reason), (watched.clone().into(), atom("bye").into()));
        let down = me.receive_down(&by_name).await.expect("a DOWN");
        assert_eq!((down.object, down.reason), ((atom("sleeper"), peer.to_atom()).into(), atom("bye").into()));
        let again = me.monitor(&watched);
        assert!(me.receive_down(&again).await.expect("a DOWN").reason.is_atom("noproc"));
        assert!(me.receive_within(Duration::from_millis(50)).await.is_none());
        assert_eq!(node.process_info(me.pid()).expect("it lives").ties, 0);
    });
}

fn aliases_cross(otp: Otp) {
    let mut pair = Pair::start(otp);
    // Sends twice to each alias that it gets.
    pair.beam.eval("twice = spawn(fn -> Enum.each(Stream.repeatedly(fn -> receive do a -> a end end), fn a -> send(a, 1); send(a, 2) end) end); is_pid(twice)");
    let twice = pair.pid("twice");
    pair.run(move |mut me| async move {
        let ask = async |me: &mut Process, alias: &Reference| {
            me.send(&twice, alias).await.expect("sent");
            let mut heard = Vec::new();
            while let Some(message) = me.receive_within(Duration::from_millis(300)).await {
                heard.push(message.decode::<i64>().expect("a number"));
            }
            heard
        };
        let explicit = me.alias(AliasKind::Explicit);
        assert_eq!(ask(&mut me, &explicit).await, [1, 2]);
        me.unalias(&explicit);
        assert_eq!(ask(&mut me, &explicit).await, [0; 0]);
        let once = me.alias(AliasKind::Reply);
        assert_eq!(ask(&mut me, &once).await, [1]);
        let watched = me.monitor_with(&twice, MonitorOptions::new().alias_until_reply());
        assert_eq!(ask(&mut me, &watched).await, [1]);
        me.send_exit(&twice, atom("kill"));
        assert!(me.receive_within(Duration::from_millis(100)).await.is_none(), "the monitor went with the reply");
    });
    // The other way: Elixir's aliases, from Rust.
    pair.beam.eval("kept = :erlang.alias(); once = :erlang.alias([:reply]); :persistent_term.put(:pid, [kept, once])");
    let call = pair.node.call::<Vec<Reference>>(&pair.peer, ("persistent_term", "get"), (atom("pid"),));
    let aliases = pair.runtime.block_on(call.into_future()).expect("two aliases");
    pair.run(move |me| async move {
        for alias in &aliases {
            for number in 1..=2 {
                me.send(alias, &number).await.expect("sent");
            }
        }
    });
    pair.beam.eval_until("{:messages, m} = Process.info(self(), :messages); m", "[1, 2, 1]");
}

fn spawned_functions_are_linked_and_watched(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    pair.beam.eval(&format!("pid = Node.spawn_link(:{name:?}, Test, :exit, [:oops]); is_pid(pid)"));
    assert_eq!(pair.beam.eval("receive do {:EXIT, ^pid, reason} -> reason after 5000 -> 0 end"), ":oops");
    pair.beam.eval(&format!("{{pid, ref}} = Node.spawn_monitor(:{name:?}, Test, :exit, [:oops]); is_pid(pid)"));
    let down = "receive do {:DOWN, ^ref, :process, ^pid, reason} -> reason after 5000 -> 0 end";
    assert_eq!(pair.beam.eval(down), ":oops");
    pair.beam.eval(&format!("{{pid, ref}} = Node.spawn_monitor(:{name:?}, Test, :nothing, [1]); is_pid(pid)"));
    assert_eq!(pair.beam.eval(down), "{:undef, [{Test, :nothing, [1], []}]}");
    pair.beam.eval(&format!("pid = Node.spawn_link(:{name:?}, Test, :sleep, []); Process.exit(pid, :kill)"));
    assert_eq!(pair.beam.eval(EXIT), ":killed");
    // A linked parent takes its child with it.
    let parent = format!(
        "test = self();
         parent = spawn(fn -> send(test, Node.spawn_link(:{name:?}, Test, :sleep, [])); receive do _ -> exit(:gone) end end);
         pid = receive do pid when is_pid(pid) -> pid end; ref = Process.monitor(pid); :ok"
    );
    pair.beam.eval(&parent);
    pair.beam.eval("send(parent, :go)");
    assert_eq!(pair.beam.eval(down), ":gone");

    let peer = pair.peer.clone();
    pair.run(move |mut me| async move {
        me.trap_exit(true);
        let Spawned { pid, monitor, .. } =
            me.spawn_monitor_on(&peer, ("erlang", "exit"), (atom("oops"),)).await.expect("it starts");
        let down = me.receive_down(&monitor.expect("a monitor")).await.expect("a DOWN");
        assert_eq!((down.object, down.reason), (pid.into(), atom("oops").into()));
        let spawned = me.spawn_link_on(&peer, ("erlang", "exit"), (atom("oops"),)).await.expect("it starts");
        let exit = me.receive().await.expect("a message").as_exit().expect("an EXIT");
        assert_eq!((exit.from, exit.reason), (spawned.pid, atom("oops").into()));
        let undefined = me.spawn_monitor_on(&peer, ("m", "nothing"), (1,)).await.expect("it starts");
        let down = me.receive_down(&undefined.monitor.expect("a monitor")).await.expect("a DOWN");
        assert_eq!(down.reason.to_string(), "{:undef, [{:m, :nothing, [1], []}]}");
        let sleeping = me.spawn_link_on(&peer, ("timer", "sleep"), (atom("infinity"),)).await.expect("it starts");
        me.send_exit(&sleeping.pid, atom("kill"));
        let exit = me.receive().await.expect("a message").as_exit().expect("an EXIT");
        assert!(exit.from == sleeping.pid && exit.reason.is_atom("killed"));
    });
}

/// Both sides link and unlink at once, many times; then nothing is left, and neither hears of the other's end.
fn unlink_races_leave_nothing(otp: Otp) {
    let mut pair = Pair::start(otp);
    for round in 0..5 {
        let churn = "churn = spawn(fn ->
            Process.flag(:trap_exit, true)
            other = receive do pid -> pid end
            for _ <- 1..2000, do: (if :rand.uniform(2) == 1, do: Process.link(other), else: Process.unlink(other))
            Process.unlink(other)
            receive do :never -> :ok end
        end); is_pid(churn)";
        pair.beam.eval(&churn.replace('\n', ";").replace("fn ->;", "fn ->"));
        let churn = pair.pid("churn");
        let (tell, done) = oneshot::channel();
        let peer = churn.clone();
        let pid = pair.node.spawn(move |mut me| async move {
            me.trap_exit(true);
            me.send(&peer, &me.pid().clone()).await.expect("sent");
            for step in 0..2000_u32 {
                if step.wrapping_mul(2_654_435_761) >> 31 == 0 {
                    me.link(&peer)
                } else {
                    me.unlink(&peer)
                }
                if step % 64 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            me.unlink(&peer);
            let _ = tell.send(());
            let heard = me.receive().await;
            panic!("it hears {heard:?}");
        });
        pair.runtime.block_on(done).expect("it comes to its end");
        pair.beam.eval_until("Process.info(churn, :status)", "{:status, :waiting}");
        pair.settle();
        pair.until("no tie is left here", || pair.info(&pid).is_some_and(|info| info.ties == 0));
        assert_eq!(pair.beam.eval("Process.info(churn, [:links, :messages])"), "[links: [], messages: []]");
        if round % 2 == 0 {
            pair.beam.eval("Process.exit(churn, :kill)");
            pair.settle();
            assert!(pair.info(&pid).is_some(), "nobody tells it");
        } else {
            pair.node.exit(&pid, atom("kill"));
            pair.settle();
            assert_eq!(pair.beam.eval("Process.info(churn, :messages)"), "{:messages, []}");
        }
    }
}

fn a_restarted_node_ends_ties_once(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    let (old, _told) = pair.puppet("puppet");
    let tie = format!(
        "old = :rpc.call(:{name:?}, :erlang, :whereis, [:puppet]); Process.link(old);
         ref = Process.monitor(old); named = Process.monitor({{:puppet, :{name:?}}}); :tied"
    );
    pair.beam.eval(&tie);
    pair.settle();
    pair.runtime.block_on(pair.node.clone().stop());
    let mut again = None;
    // epmd may not have noticed yet that the name is free.
    wait_until("it starts again", DEADLINE, || {
        let started = pair.runtime.block_on(builder(&name, &pair.epmd).start());
        again = Some(started.map_err(|error| error.to_string())?);
        Ok::<(), String>(())
    });
    // The old one is dropped with this.
    pair.node = again.expect("it has started");
    pair.puppet("puppet");
    pair.runtime.block_on(pair.node.connect(&pair.peer)).expect("they connect");
    for wanted in [
        "receive do {:DOWN, ^ref, :process, ^old, reason} -> reason after 5000 -> 0 end",
        "receive do {:DOWN, ^named, :process, {:puppet, _}, reason} -> reason after 5000 -> 0 end",
        "receive do {:EXIT, ^old, reason} -> reason after 5000 -> 0 end",
    ] {
        assert_eq!(pair.beam.eval(wanted), ":noconnection");
    }
    assert_eq!(
        pair.beam
            .eval("dead = Process.monitor(old); receive do {:DOWN, ^dead, _, _, reason} -> reason after 5000 -> 0 end"),
        ":noproc"
    );
    // What is sent to the old pid reaches nobody, least of all its successor of the same number.
    pair.beam.eval("send(old, {:exit, :oops}); Process.exit(old, :kill)");
    pair.settle();
    assert!(pair.node.whereis("puppet").is_some_and(|pid| pid != old));
    assert_eq!(pair.beam.eval(SILENCE), ":silence");
}

fn a_lost_connection_is_told_to_both_sides_once(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    let (pid, mut told) = pair.puppet("puppet");
    let sleeper = pair.sleeper("sleeper");
    pair.beam.eval(&format!(
        "at = {{:puppet, :{name:?}}}; send(at, {{:trap, true}}); send(at, {{:link, sleeper}}); ref = Process.monitor(at); :ok"
    ));
    pair.until("they are linked", || {
        pair.info(&pid).is_some_and(|info| info.links == [sleeper.clone()] && info.ties == 2)
    });
    pair.beam.eval("gone = Process.monitor(sleeper); :ok");
    assert!(pair.node.disconnect(&pair.peer));
    let exit = pair.hear(&mut told).as_exit().expect("an EXIT");
    assert_eq!((exit.from, exit.reason), (sleeper, atom("noconnection").into()));
    assert_eq!(pair.info(&pid).expect("it lives").ties, 0);
    let down =
        |reference: &str| format!("receive do {{:DOWN, ^{reference}, _, _, reason}} -> reason after 5000 -> 0 end");
    assert_eq!(pair.beam.eval(&down("ref")), ":noconnection");
    assert_eq!(pair.beam.eval(&down("gone")), ":noconnection", "the link took the sleeper with it");
    assert_eq!(pair.beam.eval(&format!("Node.connect(:{name:?})")), "true");
    assert_eq!(pair.beam.eval(SILENCE), ":silence");
    assert!(told.try_recv().is_err());
}

fn output_appears_where_the_group_leader_is(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    let printer = pair.node.spawn(|mut me| async move {
        while me.receive().await.is_some() {
            let line = format!("printed by {}", me.node_name());
            me.puts(&line).await.expect("it is printed");
        }
    });
    pair.node.register("printer", &printer).expect("the name is free");
    pair.beam.eval(&format!(
        "{{:ok, device}} = StringIO.open(\"\"); pid = :rpc.call(:{name:?}, :erlang, :whereis, [:printer]);
         Process.group_leader(pid, device); send(pid, :go); :ok"
    ));
    pair.beam.eval_until("elem(StringIO.contents(device), 1)", &format!("{:?}", format!("printed by {name}\n")));

    // The other way: what a function prints that a Rust process started there comes to that process.
    let peer = pair.peer.clone();
    pair.run(move |mut me| async move {
        me.set_group_leader(me.pid(), me.pid());
        me.spawn_on(&peer, ("Elixir.IO", "puts"), ("hello",)).await.expect("it starts");
        let request = me.receive_matching(|message| message.is_tagged("io_request", 4)).await.expect("a request");
        let (_, from, reference, chars): (Atom, Pid, Reference, Term) = request.decode().expect("a request");
        assert!(chars.to_string().contains("hello"), "{chars}");
        me.send(&from, &(atom("io_reply"), reference, atom("ok"))).await.expect("sent");
    });
}

/// A thousand messages, some by name and some by pid, between requests: all arrive, in order.
fn messages_of_a_pair_keep_their_order(otp: Otp) {
    let mut pair = Pair::start(otp);
    let name = pair.name.clone();
    let (pid, mut told) = pair.puppet("puppet");
    pair.beam.eval(&format!(
        "pid = :rpc.call(:{name:?}, :erlang, :whereis, [:puppet]);
         for n <- 1..1000, do: send(if(rem(n, 2) == 0, do: pid, else: {{:puppet, :{name:?}}}), n); :sent"
    ));
    for number in 1..=1000 {
        assert_eq!(pair.hear(&mut told).decode::<i64>().expect("a number"), number);
    }
    assert!(pair.info(&pid).is_some());
    pair.beam.eval("Process.register(self(), :here)");
    let own = pair.pid("self()");
    let peer = pair.peer.clone();
    pair.run(move |me| async move {
        for number in 1..=1000 {
            match number % 2 {
                0 => me.send(&own, &number).await.expect("sent"),
                _ => me.send((atom("here"), &peer), &number).await.expect("sent"),
            }
        }
    });
    pair.beam.eval_until("{:messages, m} = Process.info(self(), :messages); m == Enum.to_list(1..1000)", "true");
}

for_each_otp!(
    links_bind_elixir_to_rust,
    exit_signals_cross,
    monitors_cross_by_pid_and_by_name,
    aliases_cross,
    spawned_functions_are_linked_and_watched,
    unlink_races_leave_nothing,
    a_restarted_node_ends_ties_once,
    a_lost_connection_is_told_to_both_sides_once,
    output_appears_where_the_group_leader_is,
    messages_of_a_pair_keep_their_order,
);

//! A real node whose processes are traced (`seq_trace`): signals to a Rust node then carry a token, in forms of their own. All of
//! them are understood as those without.

use std::future::IntoFuture;

use beamline::node::{AliasKind, Epmd as UsedEpmd, Message};
use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";

struct Pair {
    runtime: Runtime,
    node: Node,
    beam: Beam,
    told: mpsc::UnboundedReceiver<Message>,
    _epmd: Epmd,
}

impl Pair {
    /// The Rust node has a process `ear` that hands on what it hears; `alias` is one of it.
    fn start(otp: Otp) -> Pair {
        let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::beamline());
        let module = Module::new("Elixir.Test")
            .function("echo", |value: Term| async move { Ok(value) })
            .function("exit", |reason: Term| async { Err::<(), _>(Raise::exit(reason)) });
        let builder = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port())).module(module);
        let node = runtime.block_on(builder.start()).expect("the node starts");
        let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
        let peer: NodeName = beam.name().parse().expect("a name");
        beam.eval(&format!("Process.register(self(), :driver); rust = :{:?}", node.name().as_str()));
        // What was sent with a token, as the tracer of the node sees it.
        let tracer = "tracer = spawn(fn -> loop = fn loop, seen ->
              receive do
                {:seq_trace, _, {:send, _, _, to, _}} -> loop.(loop, [to | seen]);
                {:seen, from} -> send(from, {:seen, Enum.reverse(seen)}); loop.(loop, [])
              end
            end; loop.(loop, []) end); :seq_trace.set_system_tracer(tracer)";
        beam.eval(tracer);
        // Work in a traced process; gives what it gave, and to whom on the Rust node something was sent with a token.
        let traced = "traced = fn work ->
              test = self();
              pid = spawn(fn ->
                :seq_trace.set_token(:label, {:any, \"term\"});
                :seq_trace.set_token(:send, true);
                result = work.();
                :seq_trace.set_token([]);
                send(test, {self(), result})
              end);
              result = receive do {^pid, result} -> result after 5000 -> :silence end;
              send(tracer, {:seen, self()});
              seen = receive do {:seen, seen} -> seen end;
              {result, Enum.count(seen, fn to when is_atom(to) -> to == rust; {_, node} -> node == rust;
                                           to when is_pid(to) or is_reference(to) -> node(to) == rust; _ -> false end)}
            end; is_function(traced)";
        beam.eval(traced);
        let (tell, told) = mpsc::unbounded_channel();
        let ear = node.spawn(|mut me| async move {
            me.trap_exit(true);
            let alias = me.alias(AliasKind::Explicit);
            me.send((atom("driver"), &peer), &(me.pid(), alias)).await.expect("sent");
            while let Some(message) = me.receive().await {
                let _ = tell.send(message);
            }
        });
        node.register("ear", &ear).expect("the name is free");
        beam.eval("{ear, alias} = receive do pair -> pair end; is_reference(alias)");
        Pair { runtime, node, beam, told, _epmd: epmd }
    }

    #[track_caller]
    fn hear(&mut self) -> Message {
        let told = &mut self.told;
        self.runtime.block_on(async { timeout(DEADLINE, told.recv()).await }).expect("in time").expect("it lives")
    }

    /// Runs this in a traced process, which sends so many signals with a token at least.
    #[track_caller]
    fn traced(&mut self, work: &str, least: usize) -> String {
        let answer = self.beam.eval(&format!("traced.(fn -> {work} end)"));
        let (result, count) = answer.trim_matches(['{', '}']).rsplit_once(", ").expect("a pair");
        let count: usize = count.parse().expect("a number");
        assert!(count >= least, "{work}: {count} with a token");
        result.to_owned()
    }
}

fn signals_with_a_token_are_understood(otp: Otp) {
    let mut pair = Pair::start(otp);
    let mut events = pair.node.events();
    for (target, what) in [("ear", "by pid"), ("{:ear, rust}", "by name"), ("alias", "by alias")] {
        pair.traced(&format!("send({target}, {what:?}); :sent"), 1);
        assert_eq!(pair.hear().decode::<&str>().expect("a text"), what);
    }
    // The end of a linked process, and `exit/2`, which has no form with a token from here on.
    let linked =
        "{_, ref} = spawn_monitor(fn -> :seq_trace.set_token(:send, true); Process.link(ear); exit(:linked) end);
                  receive do {:DOWN, ^ref, _, _, _} -> :ok end";
    pair.traced(linked, 1);
    let exit = pair.hear().as_exit().expect("an EXIT");
    assert!(exit.reason.is_atom("linked"), "{}", exit.reason);
    pair.traced("Process.exit(ear, :signalled)", 0);
    let exit = pair.hear().as_exit().expect("an EXIT");
    assert!(exit.reason.is_atom("signalled"), "{}", exit.reason);
    // Monitors, with what they tell.
    let watch = "ref = Process.monitor({:nobody, rust}); receive do {:DOWN, ^ref, _, _, reason} -> reason end";
    assert_eq!(pair.traced(watch, 0), ":noproc");
    // Processes that are started, and calls, which are those too.
    let spawn = "{pid, ref} = Node.spawn_monitor(rust, Test, :exit, [:oops]);
                 receive do {:DOWN, ^ref, _, ^pid, reason} -> reason end";
    assert_eq!(pair.traced(spawn, 1), ":oops");
    let spawn = "Process.flag(:trap_exit, true); pid = Node.spawn_link(rust, Test, :exit, [:oops]);
                 receive do {:EXIT, ^pid, reason} -> reason end";
    assert_eq!(pair.traced(spawn, 1), ":oops");
    assert_eq!(pair.traced(":erpc.call(rust, Test, :echo, [:hello])", 1), ":hello");
    assert_eq!(pair.traced(":rpc.call(rust, Test, :echo, [:hello])", 1), ":hello");
    assert_eq!(pair.traced("GenServer.call({:net_kernel, rust}, {:is_auth, node()})", 1), ":yes");
    assert_eq!(pair.traced("Node.ping(rust)", 0), ":pong");

    let peer: NodeName = pair.beam.name().parse().expect("a name");
    pair.runtime.block_on(pair.node.ping(&peer).into_future()).expect("pong");
    assert!(pair.told.try_recv().is_err(), "nothing else was heard");
    let more = pair.runtime.block_on(async { timeout(Duration::ZERO, events.recv()).await });
    assert!(more.is_err(), "{more:?}");
}

for_each_otp!(signals_with_a_token_are_understood);

//! The rarer ways in which real nodes call and start functions of a Rust node, and the other way round: `rpc` and `erpc` in all
//! their forms, broadcasts, processes that are both linked and watched, exits and group leaders.

mod common;

use std::sync::Mutex;

use beamline::node::{Epmd as UsedEpmd, Message, Spawned};
use beamline::prelude::*;
use beamline::term::Reference;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::time::timeout;
use whole_clusters::{Beam, DEADLINE, Epmd, Otp, for_each_otp, unique};

use self::common::{pid_in, run_in_process};

const COOKIE: &str = "secret";

struct Pair {
    runtime: Runtime,
    node: Node,
    beam: Beam,
    peer: NodeName,
    /// What the functions `Test.note/1` was called with, and what the process `ear` has heard.
    told: Mutex<mpsc::UnboundedReceiver<Term>>,
    _epmd: Epmd,
}

impl Pair {
    fn start(otp: Otp) -> Pair {
        let (runtime, epmd) = (Runtime::new().expect("a runtime"), Epmd::beamline());
        let (tell, told) = mpsc::unbounded_channel();
        let note = tell.clone();
        let module = Module::new("Elixir.Test")
            .function("note", move |value: Term| {
                let _ = note.send(value);
                async { Ok(atom("noted")) }
            })
            .function("echo", |value: Term| async move { Ok(value) })
            .function("exit", |reason: Term| async { Err::<(), _>(Raise::exit(reason)) });
        let builder = Node::builder(unique("rust")).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port())).module(module);
        let node = runtime.block_on(builder.start()).expect("the node starts");
        let ear = node.spawn(|mut me| async move {
            while let Some(message) = me.receive().await {
                let _ = tell.send(message.term().expect("a term"));
            }
        });
        node.register("ear", &ear).expect("the name is free");
        let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
        let peer = beam.name().parse().expect("a name");
        beam.eval(&format!("rust = :{:?}; nobody = :\"nobody@127.0.0.1\"", node.name().as_str()));
        assert_eq!(beam.eval("Process.flag(:trap_exit, true); Node.connect(rust)"), "true");
        Pair { runtime, node, beam, peer, told: Mutex::new(told), _epmd: epmd }
    }

    #[track_caller]
    fn told(&self) -> Term {
        let mut told = self.told.lock().expect("no test has failed");
        self.runtime.block_on(async { timeout(DEADLINE, told.recv()).await }).expect("in time").expect("it is open")
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

    /// The pid that a variable of the real node is bound to.
    fn pid(&mut self, variable: &str) -> Pid {
        pid_in(&mut self.beam, variable, &self.runtime, &self.node)
    }
}

fn every_form_of_rpc_reaches_a_rust_node(otp: Otp) {
    let mut pair = Pair::start(otp);
    let calls = [
        (":rpc.multicall([rust], Test, :echo, [:a])", "{[:a], []}"),
        (":rpc.multicall([node(), rust, nobody], :erlang, :node, []) == {[node(), rust], [nobody]}", "true"),
        (":rpc.multicall([rust], Test, :echo, [:b], 5000)", "{[:b], []}"),
        ("key = :rpc.async_call(rust, Test, :echo, [8]); :rpc.yield(key)", "8"),
        ("key = :rpc.async_call(rust, Test, :echo, [9]); :rpc.nb_yield(key, 5000)", "{:value, 9}"),
        (":rpc.block_call(rust, Test, :echo, [10])", "10"),
        (":erpc.multicall([rust, node()], :erlang, :node, []) == [ok: rust, ok: node()]", "true"),
        (":erpc.multicall([rust, nobody], Test, :echo, [1])", "[ok: 1, error: {:erpc, :noconnection}]"),
        ("id = :erpc.send_request(rust, Test, :echo, [11]); :erpc.receive_response(id, 5000)", "11"),
        ("id = :erpc.send_request(rust, Test, :echo, [12]); :erpc.wait_response(id, 5000)", "{:response, 12}"),
    ];
    for (call, wanted) in calls {
        assert_eq!(pair.beam.eval(call), wanted, "{call}");
    }
    // Nobody waits for these.
    let casts = [
        (":rpc.cast(rust, Test, :note, [1])", "true"),
        (":erpc.cast(rust, Test, :note, [1])", ":ok"),
        (":erpc.multicast([rust, node()], Test, :note, [1])", ":ok"),
        (":rpc.eval_everywhere([rust], Test, :note, [1])", ":abcast"),
        (":rpc.abcast([rust], :ear, 1)", ":abcast"),
        (":rpc.sbcast([rust], :ear, 1) == {[rust], []}", "true"),
        (":gen_server.abcast([rust], :ear, 1)", ":abcast"),
    ];
    for (cast, wanted) in casts {
        assert_eq!(pair.beam.eval(cast), wanted, "{cast}");
        let said = pair.told();
        let cast_to_server = said == (atom("$gen_cast"), 1).into();
        assert!(said.as_i64() == Some(1) || cast_to_server && cast.contains("gen_server"), "{cast}: {said}");
    }
    assert_eq!(pair.beam.eval(":rpc.sbcast([rust], :no_such_name, 1) == {[], [rust]}"), "true");
    assert_eq!(pair.beam.eval(":rpc.sbcast([rust, nobody], :ear, 2) == {[rust], [nobody]}"), "true");
    assert_eq!(pair.told().as_i64(), Some(2));
    // What fails does so where it is waited for.
    let failed = pair.beam.eval(":rpc.multicall([rust], Test, :exit, [:oops])");
    assert_eq!(failed, "{[badrpc: {:EXIT, :oops}], []}");
    assert_eq!(pair.beam.eval(":erpc.multicall([rust], Test, :exit, [:oops])"), "[exit: {:exception, :oops}]");
    assert_eq!(pair.beam.eval("receive do other -> other after 50 -> :silence end"), ":silence");
}

fn processes_are_linked_and_watched_at_once(otp: Otp) {
    let mut pair = Pair::start(otp);
    let both = "{receive(do: ({:EXIT, ^pid, reason} -> reason), after: (5000 -> 0)),
                 receive(do: ({:DOWN, ^ref, :process, ^pid, reason} -> reason), after: (5000 -> 0))}";
    pair.beam.eval("{pid, ref} = :erlang.spawn_opt(rust, Test, :exit, [:oops], [:link, :monitor]); is_pid(pid)");
    assert_eq!(pair.beam.eval(both), "{:oops, :oops}");
    let request = "ref = :erlang.spawn_request(rust, Test, :exit, [:oops], [:link, :monitor, {:priority, :high}]);
                   pid = receive do {:spawn_reply, ^ref, :ok, pid} -> pid after 5000 -> 0 end; is_pid(pid)";
    assert_eq!(pair.beam.eval(request), "true");
    assert_eq!(pair.beam.eval(both), "{:oops, :oops}");
    let tags = "ref = :erlang.spawn_request(rust, Test, :exit, [:oops],
                                            [:link, {:monitor, [tag: :gone]}, {:reply_tag, :begun}]);
                pid = receive do {:begun, ^ref, :ok, pid} -> pid after 5000 -> 0 end; is_pid(pid)";
    assert_eq!(pair.beam.eval(tags), "true");
    assert_eq!(pair.beam.eval(&both.replace(":DOWN", ":gone")), "{:oops, :oops}");
    // Without ties, and without a reply to a success.
    let plain = "ref = :erlang.spawn_request(rust, Test, :note, [:plain], [{:reply, :error_only}]); is_reference(ref)";
    assert_eq!(pair.beam.eval(plain), "true");
    assert_eq!(pair.told(), Term::atom("plain"));
    // The end of a function that returns is `normal`, for both.
    pair.beam.eval("{pid, ref} = :erlang.spawn_opt(rust, Test, :echo, [1], [:link, :monitor]); is_pid(pid)");
    assert_eq!(pair.beam.eval(both), "{:normal, :normal}");
    assert_eq!(pair.beam.eval("receive do other -> other after 50 -> :silence end"), ":silence");

    let (peer, own) = (pair.peer.clone(), pair.node.name().clone());
    pair.run(move |mut me| async move {
        me.trap_exit(true);
        for (node, module, function, argument) in
            [(&peer, "erlang", "exit", "oops"), (&own, "Elixir.Test", "exit", "oops")]
        {
            let started = me.spawn_link_monitor_on(node, (module, function), (atom(argument),));
            let Spawned { pid, monitor, .. } = started.await.expect("it starts");
            let down = me.receive_down(&monitor.expect("a monitor")).await.expect("a DOWN");
            assert_eq!((down.object, down.reason), (pid.clone().into(), atom("oops").into()));
            let exit = me.receive().await.expect("a message").as_exit().expect("an EXIT");
            assert_eq!((exit.from, exit.reason), (pid, atom("oops").into()));
        }
        let started =
            me.spawn_link_monitor_on(&peer, ("timer", "sleep"), (atom("infinity"),)).await.expect("it starts");
        me.send_exit(&started.pid, atom("kill"));
        let down = me.receive_down(&started.monitor.expect("a monitor")).await.expect("a DOWN");
        let exit = me.receive().await.expect("a message").as_exit().expect("an EXIT");
        assert!(down.reason.is_atom("killed") && exit.reason.is_atom("killed"));
    });
}

fn exits_and_group_leaders_come_from_rust(otp: Otp) {
    let mut pair = Pair::start(otp);
    pair.beam.eval(
        "test = self(); trapping = spawn(fn -> Process.flag(:trap_exit, true);
        loop = fn loop -> receive do
            :print -> IO.puts(\"printed\"); loop.(loop);
            other -> send(test, other); loop.(loop)
          end end; loop.(loop) end); is_pid(trapping)",
    );
    let trapping = pair.pid("trapping");
    let target = trapping.clone();
    let (sender, request) = pair.run(move |mut me| async move {
        me.send_exit(&target, (atom("reason"), 7));
        me.send_exit(&target, atom("normal"));
        me.set_group_leader(me.pid(), &target);
        me.send(&target, &atom("print")).await.expect("sent");
        let request: Message =
            me.receive_matching(|message| message.is_tagged("io_request", 4)).await.expect("a request");
        let (_, from, reference, chars): (Atom, Pid, Reference, Term) = request.decode().expect("a request");
        me.send(&from, &(atom("io_reply"), reference, atom("ok"))).await.expect("sent");
        (me.pid().clone(), (from, chars.to_string()))
    });
    assert!(request.0 == trapping && request.1.contains("printed"), "{request:?}");
    let heard = "{from, reason} = receive do {:EXIT, from, reason} -> {from, reason} after 5000 -> {0, 0} end; reason";
    assert_eq!(pair.beam.eval(heard), "{:reason, 7}");
    assert_eq!(pair.beam.eval("receive do {:EXIT, from, reason} -> reason after 5000 -> :silence end"), ":normal");
    assert_eq!(pair.pid("from"), sender);
    assert_eq!(pair.beam.eval("elem(Process.info(trapping, :group_leader), 1) == from"), "true");
    assert_eq!(pair.beam.eval("receive do other -> other after 50 -> :silence end"), ":silence");
}

for_each_otp!(
    every_form_of_rpc_reaches_a_rust_node,
    processes_are_linked_and_watched_at_once,
    exits_and_group_leaders_come_from_rust,
);

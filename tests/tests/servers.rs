//! Servers and supervisors of a Rust node called from a real one, and the other way round.

use std::time::Duration;

use beamline::node::{CallError, Epmd as UsedEpmd};
use beamline::prelude::*;
use beamline::term::term;
use tokio::runtime::Runtime;
use whole_clusters::{Beam, Epmd, Otp, for_each_otp, unique};

const COOKIE: &str = "secret";

/// A stack, as Elixir's `GenServer` documentation has it: requests are terms.
#[derive(Default)]
struct Stack {
    items: Vec<Term>,
    waiting: Option<Caller<Term>>,
}

impl GenServer for Stack {
    type Call = Term;
    type Reply = Term;
    type Cast = (Atom, Term);
    type Info = Term;

    async fn call(&mut self, request: Term, caller: Caller<Term>, _: &mut Process) -> Answer<Term> {
        match request.as_atom().map(Atom::as_str) {
            Some("pop") => self.items.pop().unwrap_or_else(Term::nil).into(),
            Some("wait") => {
                self.waiting = Some(caller);
                Answer::later()
            }
            Some("stop") => Answer::now(atom("stopped").into()).then(Next::stop()),
            Some("crash") => panic!("asked to"),
            _ => request.into(),
        }
    }

    async fn cast(&mut self, (order, item): (Atom, Term), _: &mut Process) -> Next {
        if order == "push" {
            self.items.push(item);
        }
        Next::Wait
    }

    async fn info(&mut self, message: Term, _: &mut Process) -> Next {
        if let Some(caller) = self.waiting.take() {
            caller.reply(&message).expect("terms are terms");
        }
        Next::Wait
    }

    fn state(&self) -> Option<Term> {
        Some(Term::list(self.items.iter().cloned()))
    }
}

fn start(otp: Otp) -> (Runtime, Epmd, Node, Beam, NodeName) {
    let (runtime, epmd, name) = (Runtime::new().expect("a runtime"), Epmd::beamline(), unique("rust"));
    let builder = Node::builder(&name).cookie(COOKIE).epmd(UsedEpmd::on_port(epmd.port()));
    let node = runtime.block_on(builder.start()).expect("the node starts");
    let mut beam = Beam::start(otp, &unique("a"), epmd.port(), COOKIE);
    assert_eq!(beam.eval(&format!("Node.connect(:{name:?})")), "true");
    beam.eval(&format!("stack = {{:stack, :{name:?}}}; rust = :{name:?}"));
    let peer = beam.name().parse().expect("a name");
    (runtime, epmd, node, beam, peer)
}

fn elixir_calls_a_rust_server(otp: Otp) {
    let (runtime, _epmd, node, mut beam, _peer) = start(otp);
    let stack = runtime.block_on(node.start_server(Stack::default()).name("stack").into_future()).expect("it starts");
    assert_eq!(beam.eval("GenServer.cast(stack, {:push, {:a, %{b: 1}}})"), ":ok");
    assert_eq!(beam.eval("GenServer.cast(stack, {:push, \"two\"})"), ":ok");
    assert_eq!(beam.eval("GenServer.call(stack, :pop)"), "\"two\"");
    assert_eq!(beam.eval("GenServer.call(stack, :pop, :infinity)"), "{:a, %{b: 1}}");
    assert_eq!(
        beam.eval("GenServer.multi_call([rust], :stack, :hello)"),
        format!("{{[{:?}: :hello], []}}", node.name().as_str())
    );
    assert_eq!(beam.eval("GenServer.multi_call([rust], :stack, :hello, 2000) |> elem(1)"), "[]");
    assert_eq!(beam.eval("GenServer.multi_call([rust], :nobody, :hello) == {[], [rust]}"), "true");
    // A late answer: it comes when another message does. One that is given up is not heard afterwards.
    let late = "task = Task.async(fn -> GenServer.call(stack, :wait) end); Process.sleep(50); send(stack, :now); Task.await(task)";
    assert_eq!(beam.eval(late), ":now");
    let late = beam.try_eval("GenServer.call(stack, :wait, 50)").expect_err("nobody answers");
    assert!(late.contains(":timeout"), "{late}");
    beam.eval("send(stack, :too_late); GenServer.call(stack, :hello)");
    assert_eq!(beam.eval("receive do other -> other after 50 -> :silence end"), ":silence");
    // `sys` looks in, and nothing waits for ever.
    beam.eval("pid = :rpc.call(rust, :erlang, :whereis, [:stack]); GenServer.cast(pid, {:push, 1})");
    assert_eq!(beam.eval("GenServer.call(pid, :hello); :sys.get_state(pid)"), "[1]");
    assert_eq!(beam.eval("elem(:sys.get_status(pid), 0)"), ":status");
    assert_eq!(beam.eval(":sys.suspend(pid)"), ":ok");
    let suspended = beam.try_eval("GenServer.call(pid, :hello, 50)").expect_err("it is suspended");
    assert!(suspended.contains(":timeout"), "{suspended}");
    assert_eq!(beam.eval(":sys.resume(pid)"), ":ok");
    assert_eq!(beam.eval("GenServer.call(pid, :hello)"), ":hello");
    beam.try_eval(":sys.replace_state(pid, fn state -> state end)").expect_err("state is not replaced");
    // How it ends.
    assert_eq!(beam.eval("ref = Process.monitor(pid); GenServer.call(pid, :stop)"), ":stopped");
    let down = "receive do {:DOWN, ^ref, _, _, reason} -> reason after 5000 -> 0 end";
    assert_eq!(beam.eval(down), ":normal");
    let gone = beam.try_eval("GenServer.call(pid, :hello)").expect_err("it has stopped");
    assert!(gone.contains(":noproc"), "{gone}");
    runtime.block_on(node.start_server(Stack::default()).name("stack").into_future()).expect("the name is free");
    let crash = beam.try_eval("GenServer.call(stack, :crash)").expect_err("it panics");
    assert!(crash.contains("{:panic, \"asked to\"}"), "{crash}");
    runtime.block_on(node.start_server(Stack::default()).name("stack").into_future()).expect("the name is free");
    assert_eq!(beam.eval("GenServer.stop(stack)"), ":ok");
    assert!(stack.pid().is_some_and(|pid| !node.is_alive(pid)));
}

/// A server in Elixir, on one line: it answers, keeps what it is cast, and can be slow or crash.
const AGENT: &str = "{:ok, agent} = Agent.start(fn -> [] end, name: :agent); is_pid(agent)";

fn rust_calls_elixir_servers(otp: Otp) {
    let (runtime, _epmd, node, mut beam, peer) = start(otp);
    beam.eval(AGENT);
    beam.eval("{:ok, echo} = GenServer.start(Echo, nil, name: :echo); is_pid(echo)");
    runtime.block_on(async {
        let request = term!({:echo, {:a, 1}});
        let answer: Term = node.server_call(atom("echo"), &peer, &request).await.expect("an answer");
        assert_eq!(answer, term!({:a, 1}));
        let nobody = node.server_call::<Term>(atom("nobody"), &peer, 1).await.expect_err("nobody is there");
        assert!(matches!(&nobody, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{nobody}");
        let nodes = [peer.clone(), node.name().clone()];
        let outcome = node.multi_call::<Term>(&nodes, atom("echo"), &request).await;
        assert_eq!(outcome.replies, [(peer.clone(), term!({:a, 1}))]);
        assert_eq!(outcome.failed.len(), 1, "{outcome:?}");
        // A cast: the agent runs `erlang:'++'(State, [1])`.
        let agent = node.server::<Stack>((atom("agent"), &peer));
        agent.cast(&(atom("cast"), term!({:erlang, :"++", [[1]]}))).await.expect("sent");
        agent.cast(&(atom("cast"), term!({:erlang, :"++", [[2]]}))).await.expect("sent");
        let state: Vec<i64> = node.call(&peer, ("sys", "get_state"), (atom("agent"),)).await.expect("an answer");
        assert_eq!(state, [1, 2]);
        // A server that crashes on what it is asked ends the call with its reason.
        let crash = node.server_call::<Term>(atom("echo"), &peer, atom("nonsense")).await.expect_err("it crashes");
        assert!(
            matches!(&crash, CallError::Exited { reason, .. } if reason.to_string().contains("function_clause")),
            "{crash}"
        );
        let slow = node.server_call::<Term>(atom("agent"), &peer, 1).timeout(Duration::from_millis(1)).await;
        assert!(slow.is_err());
    });
}

fn elixir_asks_a_rust_supervisor(otp: Otp) {
    let (runtime, _epmd, node, mut beam, _peer) = start(otp);
    let supervisor = Supervisor::new(Strategy::OneForOne)
        .child(ChildSpec::named_server("stack", Stack::default))
        .child(ChildSpec::process("idle", |mut me| async move { while me.receive().await.is_some() {} }));
    let supervisor = runtime.block_on(supervisor.start(&node)).expect("it starts");
    node.register("supervisor", supervisor.pid()).expect("the name is free");
    beam.eval("supervisor = {:supervisor, rust}");
    let children = "for {id, pid, kind, []} <- Supervisor.which_children(supervisor), is_pid(pid), do: {id, kind}";
    assert_eq!(beam.eval(children), "[{\"idle\", :worker}, {\"stack\", :worker}]");
    assert_eq!(beam.eval("Supervisor.count_children(supervisor).active"), "2");
    // It is started again when a peer ends it.
    beam.eval("old = :rpc.call(rust, :erlang, :whereis, [:stack]); Process.exit(old, :kill)");
    let new = "new = :rpc.call(rust, :erlang, :whereis, [:stack]); is_pid(new) and new != old";
    beam.eval_until(new, "true");
    assert_eq!(beam.eval("GenServer.call(new, :hello)"), ":hello");
    assert_eq!(beam.eval("Supervisor.terminate_child(supervisor, \"stack\")"), ":ok");
    assert_eq!(beam.eval(":rpc.call(rust, :erlang, :whereis, [:stack])"), ":undefined");
    assert_eq!(beam.eval("{:ok, pid} = Supervisor.restart_child(supervisor, \"stack\"); is_pid(pid)"), "true");
    assert_eq!(beam.eval("Supervisor.delete_child(supervisor, \"stack\")"), "{:error, :running}");
    assert_eq!(beam.eval("Supervisor.terminate_child(supervisor, \"nobody\")"), "{:error, :not_found}");
    assert!(supervisor.is_alive());
}

for_each_otp!(elixir_calls_a_rust_server, rust_calls_elixir_servers, elixir_asks_a_rust_supervisor);

//! Beamline as its users use it: `bench:echo/1` in the function table, `server` in the form of `gen_server`, `echo`, which
//! sends back what it is sent, and `sink`, which counts. `bench.erl` has the same names, so either calls the other.

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use beamline::node::{Epmd, Module, Node, NodeBuilder, NodeSet, Process, Request};
use beamline::proto::NodeName;
use beamline::term::{Pid, Term, atom};
use beamline_bench::asynchronous::{self, Commands};
use beamline_bench::protocol::{Command, Error, Limit, Report, say, say_result};
use tokio::sync::mpsc;

const COOKIE: &str = "bench";

fn main() -> ExitCode {
    asynchronous::main_with(serve, client, |arguments| async move {
        match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["many", count, address] => many(count.parse()?, address.parse()?).await,
            ["mesh", name] => mesh(name).await,
            _ => Err("serve; client NODE; many COUNT NODE; mesh NAME".into()),
        }
    })
}

fn builder(role: &str) -> NodeBuilder {
    let name = format!("beamline_{role}_{}@127.0.0.1", std::process::id());
    Node::builder(name).cookie(COOKIE).epmd(Epmd::from_env())
}

async fn serve() -> Result<(String, Node), Error> {
    let module = Module::new("bench").function("echo", |value: i64| async move { Ok(value) });
    let node = builder("server").module(module).start().await?;
    let taken = |_| "a name is taken";
    node.register("server", &node.spawn(answer_requests)).map_err(taken)?;
    let own = node.clone();
    node.register("echo", &node.spawn(|process| echo(own, process))).map_err(taken)?;
    let own = node.clone();
    node.register("sink", &node.spawn(|process| sink(own, process))).map_err(taken)?;
    Ok((node.name().to_string(), node))
}

async fn answer_requests(mut process: Process) {
    while let Some(message) = process.receive().await {
        let Ok(term) = message.term() else { continue };
        if let Ok(request) = Request::from_term(term) {
            process.reply(&request, request.body.clone());
        }
    }
}

/// `{From, Value}` is answered with `Value`.
async fn echo(node: Node, mut process: Process) {
    while let Some(message) = process.receive().await {
        if let Ok((from, value)) = message.decode::<(Pid, i64)>() {
            _ = node.send(&from, &value).await;
        }
    }
}

/// Counts binaries until `{done, From}` asks how many there were.
async fn sink(node: Node, mut process: Process) {
    let mut count = 0_i64;
    while let Some(message) = process.receive().await {
        match message.term() {
            Ok(Term::Binary(_)) => count += 1,
            Ok(term) => {
                if let Some([_, Term::Pid(from)]) = term.as_tuple() {
                    _ = node.send(from, &std::mem::take(&mut count)).await;
                }
            }
            Err(_) => return,
        }
    }
}

/// A process that hands on the numbers it is sent.
fn ear(node: &Node) -> (Pid, mpsc::UnboundedReceiver<i64>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let pid = node.spawn(|mut process: Process| async move {
        while let Some(message) = process.receive().await {
            let Ok(number) = message.decode() else { return };
            if sender.send(number).is_err() {
                return;
            }
        }
    });
    (pid, receiver)
}

async fn client(address: String, mut commands: Commands) -> Result<(), Error> {
    let node = builder("client").start().await?;
    let peer: NodeName = address.parse()?;
    node.connect(&peer).await?;
    say("ready");
    while let Some(command) = commands.next().await {
        say_result(match command {
            Command::Calls { kind, callers, limit } => calls(&node, &peer, &kind, callers, limit).await,
            Command::OneWay { size, limit } => one_way(&node, &peer, size, limit).await,
            Command::Connect { count, pause } => connects(&node, &peer, count, pause).await,
        });
    }
    Ok(())
}

async fn calls(node: &Node, peer: &NodeName, kind: &str, callers: usize, limit: Limit) -> Result<Report, Error> {
    let (node, peer) = (node.clone(), peer.clone());
    match kind {
        "erpc" => {
            let call = move || {
                let call = node.call::<i64>(&peer, ("bench", "echo"), (42,));
                async move { expect(call.await?) }
            };
            asynchronous::calls(callers, limit, call).await
        }
        "gen_server" => {
            let call = move || {
                let call = node.server_call::<i64>(atom("server"), &peer, 42);
                async move { expect(call.await?) }
            };
            asynchronous::calls(callers, limit, call).await
        }
        "send" => {
            // Each caller is a process with a mailbox, as in Erlang. They share a stock from which each call takes one.
            let stock: VecDeque<_> = (0..callers).map(|_| ear(&node)).collect();
            let stock = Arc::new(std::sync::Mutex::new(stock));
            let call = move || {
                let (node, peer, stock) = (node.clone(), peer.clone(), Arc::clone(&stock));
                async move {
                    let taken = stock.lock().map_err(|_| "poisoned")?.pop_front();
                    let (pid, mut ear) = taken.ok_or("more callers than processes")?;
                    node.send(("echo", &peer), &(pid.clone(), 42)).await?;
                    let answer = ear.recv().await.ok_or("no answer")?;
                    stock.lock().map_err(|_| "poisoned")?.push_back((pid, ear));
                    expect(answer)
                }
            };
            asynchronous::calls(callers, limit, call).await
        }
        _ => Err(format!("Beamline has no calls of the kind {kind}").into()),
    }
}

fn expect(answer: i64) -> Result<(), Error> {
    if answer == 42 { Ok(()) } else { Err(format!("{answer} is not 42").into()) }
}

async fn one_way(node: &Node, peer: &NodeName, size: usize, limit: Limit) -> Result<Report, Error> {
    let (pid, mut answers) = ear(node);
    let (node, peer) = (node.clone(), peer.clone());
    // On a task, as a program would: the runtime's own threads are quicker than the one that waits for it.
    let sending = tokio::spawn(async move {
        let message = Term::from(vec![7_u8; size]);
        let start = Instant::now();
        let mut count = 0;
        while !limit.reached(count, start.elapsed()) {
            for _ in 0..batch(size) {
                node.send(("sink", &peer), &message).await?;
            }
            count += batch(size);
        }
        node.send(("sink", &peer), &(atom("done"), pid)).await?;
        let arrived = tokio::time::timeout(Duration::from_secs(60), answers.recv()).await?;
        match arrived {
            Some(arrived) if arrived as u64 == count => Ok(Report::Counted { count, elapsed: start.elapsed() }),
            arrived => Err(format!("{arrived:?} of {count} messages arrived").into()),
        }
    });
    sending.await?
}

/// How many messages are sent between two looks at the clock.
fn batch(size: usize) -> u64 {
    if size > 4096 { 1 } else { 64 }
}

async fn connects(node: &Node, peer: &NodeName, count: usize, pause: Duration) -> Result<Report, Error> {
    node.disconnect(peer);
    tokio::time::sleep(pause).await;
    asynchronous::connects(count, pause, || async {
        let start = Instant::now();
        node.connect(peer).await?;
        let took = start.elapsed();
        node.disconnect(peer);
        Ok(took)
    })
    .await
}

/// So many hidden nodes in this process, each connected to that node, idle until stdin closes.
async fn many(count: usize, peer: NodeName) -> Result<(), Error> {
    let mut nodes = Vec::new();
    for number in 0..count {
        let name = format!("many_{}_{number}@127.0.0.1", std::process::id());
        let listen = beamline::node::Listen::Off;
        let node = Node::builder(name).cookie(COOKIE).epmd(Epmd::from_env()).listen(listen).start().await?;
        node.connect(&peer).await?;
        nodes.push(node);
    }
    say(format_args!("ready {count}"));
    tokio::task::spawn_blocking(beamline_bench::protocol::wait_for_end).await?;
    Ok(())
}

/// One node of many: prints `ready NAME`; told the names of all on one line, it connects to each, as libcluster does;
/// prints `full` when it lists them all and `synced` when `global` is in sync.
async fn mesh(name: &str) -> Result<(), Error> {
    let node = Node::builder(format!("{name}@127.0.0.1")).cookie(COOKIE).epmd(Epmd::from_env()).start().await?;
    say(format_args!("ready {}", node.name()));
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    let line = line.await??;
    let others = line.split_whitespace().map(str::parse).collect::<Result<Vec<NodeName>, _>>()?;
    let others: Vec<NodeName> = others.into_iter().filter(|other| other != node.name()).collect();
    let connecting: Vec<_> = others
        .iter()
        .map(|other| {
            let (node, other) = (node.clone(), other.clone());
            // Who cannot be reached now connects to us, or is tried again below.
            tokio::spawn(async move { _ = node.connect(&other).await })
        })
        .collect();
    for task in connecting {
        task.await?;
    }
    while node.nodes(NodeSet::Visible).len() < others.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        for other in others.iter().filter(|other| !node.is_connected(other)) {
            _ = node.connect(other).await;
        }
    }
    say("full");
    node.global().sync().await;
    say("synced");
    loop {
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = line.await??;
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] => return Ok(()),
            ["register", count] => say_result(registrations(&node, count.parse()?).await),
            ["whereis", count] => say_result(look_ups(&node, count.parse()?).await),
            _ => say("failed: a mesh knows register COUNT and whereis COUNT"),
        }
    }
}

async fn idle(mut process: Process) {
    while process.receive().await.is_some() {}
}

/// Names are given one after the other, each to a process of its own; taking them away again is not counted.
async fn registrations(node: &Node, count: u64) -> Result<Report, Error> {
    let begun = Instant::now();
    let mut latencies = Vec::new();
    for number in 0..count {
        let (name, pid) = (Term::from((atom("bench"), number)), node.spawn(idle));
        let start = Instant::now();
        node.global().register(name.clone(), &pid).await?;
        latencies.push(start.elapsed().as_nanos() as u64);
        node.global().unregister(name).await;
        node.exit(&pid, atom("kill"));
    }
    Ok(Report::timed("calls", latencies, begun.elapsed()))
}

async fn look_ups(node: &Node, count: u64) -> Result<Report, Error> {
    let (name, pid) = (Term::from(atom("bench_looked_up")), node.spawn(idle));
    node.global().register(name.clone(), &pid).await?;
    let begun = Instant::now();
    for _ in 0..count {
        if node.global().whereis(&name).is_none() {
            return Err("the name is not there".into());
        }
    }
    let elapsed = begun.elapsed();
    node.global().unregister(name).await;
    node.exit(&pid, atom("kill"));
    Ok(Report::Timed { word: "calls", count, elapsed, p50: 0, p99: 0 })
}

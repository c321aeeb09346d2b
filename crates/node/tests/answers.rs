//! Answers that wait: of servers, of `rex`, by timers. Calls through `rex` and how many may run. What waits for a node that is
//! not connected, and to whom services do not answer.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::future::IntoFuture;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beamline_node::{
    Answer, CallError, Caller, GenServer, Limits, Module, Next, Node, NodeBuilder, NodeName, Process, Server,
};
use beamline_term::{Binary, Pid, Term, atom};
use common::gates::{PATIENCE, apart_with, listener, next};
use common::{own_epmd, run, until};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The room for what may not wait, far less than the answers of a test.
const RESERVE: usize = 64 << 10;

fn little_reserve(builder: NodeBuilder) -> NodeBuilder {
    let mut limits = Limits::default();
    limits.queue_reserve = RESERVE;
    builder.limits(limits)
}

/// Answers with so many bytes; asked for none, it counts down to its end.
struct Filler {
    calls: Arc<AtomicUsize>,
    last: usize,
}

impl GenServer for Filler {
    type Call = usize;
    type Reply = (usize, Binary);
    type Cast = Term;
    type Info = Term;

    async fn call(&mut self, size: usize, _: Caller<Self::Reply>, _: &mut Process) -> Answer<Self::Reply> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let answer = Answer::now((number, Binary::from(vec![7; size])));
        if number == self.last { answer.then(Next::stop()) } else { answer }
    }
}

async fn filler(node: &Node, last: usize) -> (Server<Filler>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let server = Filler { calls: Arc::clone(&calls), last };
    (node.start_server(server).name("filler").await.unwrap(), calls)
}

/// Waits until all that was sent before has arrived.
async fn arrived(from: &Node, to: &Node) {
    let (pid, mut told) = listener(to, "sink");
    from.send(("sink", to.name()), &1).await.unwrap();
    next(&mut told).await;
    to.unregister("sink");
    to.exit(&pid, atom("kill"));
}

async fn all<T>(tasks: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut values = Vec::new();
    for task in tasks {
        values.push(timeout(PATIENCE, task).await.expect("in time").unwrap());
    }
    values
}

#[tokio::test]
async fn answers_of_a_server_wait_for_a_caller_that_does_not_read() {
    for size in [10_000, 100_000] {
        let (a, b, gates) = apart_with(little_reserve).await;
        let (_, calls) = filler(&b, usize::MAX).await;
        gates.from_b.send_replace(false);
        let asking: Vec<_> = (0..400)
            .map(|_| {
                let server: Server<Filler> = a.server(("filler", b.name()));
                tokio::spawn(server.call(&size).timeout(PATIENCE).into_future())
            })
            .collect();
        arrived(&a, &b).await;
        if size == 100_000 {
            // The queue holds ten, the buffers of the system some, and so does what waits for the process.
            let handled = calls.load(Ordering::Relaxed);
            assert!(handled < 400, "the server waits: {handled}");
        }
        gates.from_b.send_replace(true);
        for answer in all(asking).await {
            assert_eq!(answer.unwrap().1.len(), size);
        }
        assert!(a.is_connected(b.name()));
    }
}

#[tokio::test]
async fn the_end_of_a_server_comes_behind_its_last_answer() {
    const CALLS: usize = 100;
    let (a, b, gates) = apart_with(little_reserve).await;
    let (server, _) = filler(&b, CALLS).await;
    let pid = server.pid().unwrap().clone();
    gates.from_b.send_replace(false);
    // Until there is no room at all.
    let content = Binary::from(vec![7; 1000]);
    while timeout(Duration::from_millis(200), b.send(("nobody", a.name()), &content)).await.is_ok() {}
    let (begin, begun) = tokio::sync::oneshot::channel();
    let (peer, watched) = (b.name().clone(), pid.clone());
    let heard = tokio::spawn(async move {
        run(&a, |mut me| async move {
            let monitor = me.monitor(&watched);
            // Tags without an alias: the answers come to the mailbox.
            for number in 0..CALLS {
                let call = (atom("$gen_call"), (me.pid(), number), 100);
                me.send(("filler", &peer), &call).await.unwrap();
            }
            let _ = begin.send(());
            let mut heard = Vec::new();
            while heard.len() <= CALLS {
                let message = me.receive().await.unwrap();
                heard.push(match message.as_down() {
                    Some(down) => {
                        assert_eq!((down.reference, down.reason), (monitor.clone(), atom("normal").into()));
                        CALLS
                    }
                    None => message.decode::<(usize, (usize, Binary))>().unwrap().0,
                });
            }
            heard
        })
        .await
    });
    begun.await.unwrap();
    until("it has answered all, and ended", || !b.is_alive(&pid)).await;
    gates.from_b.send_replace(true);
    assert_eq!(heard.await.unwrap(), (0..=CALLS).collect::<Vec<_>>());
}

/// Calls by way of `rex`, as OTP 22 and older did.
fn by_rex<A: serde::Serialize>(
    from: &Node,
    to: &Node,
    kind: &'static str,
    function: &'static str,
    arguments: A,
) -> JoinHandle<Result<Term, CallError>> {
    let request = (atom(kind), atom("Elixir.Test"), atom(function), arguments, atom("user"));
    tokio::spawn(from.server_call(atom("rex"), to.name(), request).timeout(PATIENCE).into_future())
}

#[tokio::test]
async fn answers_of_rex_and_of_timers_wait_for_a_peer_that_does_not_read() {
    let (a, b, gates) = apart_with(little_reserve).await;
    let (_, mut told) = listener(&a, "timed");
    gates.from_b.send_replace(false);
    let asking: Vec<_> = (0..400)
        .map(|number| by_rex(&a, &b, if number % 2 == 0 { "call" } else { "block_call" }, "bytes", vec![10_000usize]))
        .collect();
    let timers: Vec<_> =
        (0..400).map(|_| b.send_after(Duration::ZERO, ("timed", a.name()), &Binary::from(vec![7; 10_000]))).collect();
    arrived(&a, &b).await;
    drop(timers);
    gates.from_b.send_replace(true);
    for answer in all(asking).await {
        assert_eq!(answer.unwrap().as_binary().map(<[u8]>::len), Some(10_000));
    }
    for _ in 0..400 {
        assert_eq!(next(&mut told).await.as_binary().map(<[u8]>::len), Some(10_000));
    }
    assert!(a.is_connected(b.name()));
}

/// Functions that wait for the test, and note who runs.
#[derive(Clone)]
struct Held {
    go_on: Arc<Semaphore>,
    begun: Arc<Mutex<Vec<i64>>>,
}

impl Held {
    fn new() -> Held {
        Held { go_on: Arc::new(Semaphore::new(0)), begun: Arc::default() }
    }

    fn module(&self) -> Module {
        let held = self.clone();
        Module::new("Elixir.Test")
            .function("hold", move |number: i64| {
                let held = held.clone();
                async move {
                    held.begun.lock().unwrap().push(number);
                    held.go_on.acquire().await.unwrap().forget();
                    Ok(number)
                }
            })
            .function("fail", || async { if true { panic!("it fails") } else { Ok(()) } })
    }

    fn begun(&self) -> Vec<i64> {
        self.begun.lock().unwrap().clone()
    }
}

async fn pair(held: &Held, b_is: impl FnOnce(NodeBuilder) -> NodeBuilder) -> (Node, Node) {
    let epmd = own_epmd();
    let start = |name: &str| Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone());
    let a = start("a").start().await.unwrap();
    let b = b_is(start("b").module(held.module())).start().await.unwrap();
    a.connect(b.name()).await.unwrap();
    (a, b)
}

#[tokio::test]
async fn block_calls_run_one_after_another_in_order() {
    let held = Held::new();
    let (a, b) = pair(&held, |builder| builder).await;
    let failing = by_rex(&a, &b, "block_call", "fail", Vec::<i64>::new());
    let failed = timeout(PATIENCE, failing).await.unwrap().unwrap().unwrap();
    assert!(failed.to_string().starts_with("{:badrpc, {:EXIT, {:panic, "), "{failed}");
    let peer = b.name().clone();
    // From one process, so that their order is known.
    a.spawn(move |me| async move {
        for number in 0..5i64 {
            let body = (atom("block_call"), atom("Elixir.Test"), atom("hold"), vec![number], atom("user"));
            me.send(("rex", &peer), &(atom("$gen_call"), (me.pid(), number), body)).await.unwrap();
        }
    });
    for done in 0..5 {
        until("the next begins", || held.begun().len() > done).await;
        // Another way in is not held up, and by its answer all of them have arrived.
        let other = by_rex(&a, &b, "call", "hold", vec![100 + done]);
        until("it begins beside", || held.begun().len() > done + 1).await;
        assert_eq!(held.begun().pop(), Some(100 + done as i64));
        held.begun.lock().unwrap().pop();
        held.go_on.add_permits(2);
        timeout(PATIENCE, other).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(held.begun(), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn calls_by_rex_and_spawn_requests_count_together() {
    let held = Held::new();
    let mut limits = Limits::default();
    limits.running_calls = 3;
    let (a, b) = pair(&held, |builder| builder.limits(limits)).await;
    let blocked = by_rex(&a, &b, "block_call", "hold", vec![1i64]);
    let called = by_rex(&a, &b, "call", "hold", vec![2i64]);
    let spawned = tokio::spawn(a.call::<i64>(b.name(), ("Elixir.Test", "hold"), (3,)).into_future());
    until("all three run", || held.begun().len() == 3).await;
    let limit = |answer: &Term| answer.to_string() == "{:badrpc, {:EXIT, :system_limit}}";
    for kind in ["call", "block_call"] {
        let answer = by_rex(&a, &b, kind, "hold", vec![4i64]).await.unwrap().unwrap();
        assert!(limit(&answer), "{answer}");
    }
    let peer = b.name().clone();
    let plain = run(&a, |mut me| async move {
        let call = (atom("call"), atom("Elixir.Test"), atom("hold"), vec![4i64], atom("user"));
        me.send(("rex", &peer), &(me.pid(), call)).await.unwrap();
        me.receive().await.unwrap().decode::<(Term, Term)>().unwrap().1
    });
    let plain = plain.await;
    assert!(limit(&plain), "{plain}");
    a.send(
        ("rex", b.name()),
        &(atom("$gen_cast"), (atom("cast"), atom("Elixir.Test"), atom("hold"), vec![4i64], atom("user"))),
    )
    .await
    .unwrap();
    let error = a.call::<i64>(b.name(), ("Elixir.Test", "hold"), (4,)).await.unwrap_err();
    assert!(matches!(&error, CallError::Refused { reason, .. } if *reason == "system_limit"), "{error}");
    let error = a.spawn_on(b.name(), ("Elixir.Test", "hold"), (4,)).await.unwrap_err();
    assert!(matches!(&error, CallError::Refused { reason, .. } if *reason == "system_limit"), "{error}");
    assert_eq!(held.begun().len(), 3);
    held.go_on.add_permits(3);
    assert_eq!(blocked.await.unwrap().unwrap().as_i64(), Some(1));
    assert_eq!(called.await.unwrap().unwrap().as_i64(), Some(2));
    assert_eq!(spawned.await.unwrap().unwrap(), 3);
    held.go_on.add_permits(1);
    assert_eq!(a.call::<i64>(b.name(), ("Elixir.Test", "hold"), (5,)).await.unwrap(), 5);
}

/// A node whose look-ups wait, and then fail; each is told.
async fn searching(limits: Limits) -> (Node, Arc<Semaphore>, mpsc::UnboundedReceiver<NodeName>) {
    let (tell, told) = mpsc::unbounded_channel();
    let go_on = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go_on);
    let resolver = move |peer: NodeName| {
        let _ = tell.send(peer);
        let gate = Arc::clone(&gate);
        async move {
            let _ = gate.acquire().await;
            Err(io::Error::other("there is no such node"))
        }
    };
    let epmd = own_epmd();
    let builder = Node::builder("a@127.0.0.1").cookie("secret").epmd(epmd).resolver(resolver).limits(limits);
    (builder.start().await.unwrap(), go_on, told)
}

fn of_node(name: &str) -> Pid {
    Pid::new(
        atom(match name {
            "ghost" => "ghost@127.0.0.1",
            _ => "other@127.0.0.1",
        }),
        7,
        0,
        beamline_term::Creation::new(9),
    )
}

#[tokio::test]
async fn what_waits_for_a_node_that_is_not_there_is_limited() {
    let mut limits = Limits::default();
    limits.queue_reserve = RESERVE;
    limits.setup_time = PATIENCE;
    let (a, go_on, mut looked) = searching(limits).await;
    run(&a, |mut me| async move {
        let ghost = of_node("ghost");
        let monitors: Vec<_> = (0..2000).map(|_| me.monitor(&ghost)).collect();
        // What is over the limit is told at once, while the node is looked for.
        let mut down = 0;
        while let Some(message) = me.receive_within(Duration::ZERO).await {
            let message = message.as_down().unwrap();
            assert_eq!(message.reason, atom("noconnection").into());
            assert_eq!(message.reference, monitors[monitors.len() - 2000 + RESERVE / 96 + down]);
            down += 1;
        }
        assert_eq!(down, 2000 - RESERVE / 96);
        assert_eq!(looked.recv().await.unwrap().alive(), "ghost");
        // Another node is none of that, and neither are sends, which wait.
        let other = me.monitor(of_node("other"));
        assert!(timeout(Duration::from_millis(50), me.send(&ghost, "late")).await.is_err());
        assert!(me.receive_within(Duration::ZERO).await.is_none());
        go_on.close();
        for _ in 0..=RESERVE / 96 {
            assert!(timeout(PATIENCE, me.receive()).await.unwrap().unwrap().as_down().is_some());
        }
        assert!(me.receive_within(Duration::ZERO).await.is_none());
        me.demonitor(&other);
    })
    .await;
}

#[tokio::test]
async fn services_make_no_connections_to_answer() {
    let (a, _go_on, mut looked) = searching(Limits::default()).await;
    a.pg("pg").unwrap();
    let b = Node::builder("b@127.0.0.1").cookie("secret").epmd(own_epmd()).resolver({
        let port = a.port().unwrap();
        move |_: NodeName| std::future::ready(Ok(beamline_node::Route::port([127, 0, 0, 1].into(), port)))
    });
    let b = b.start().await.unwrap();
    let peer = a.name().clone();
    run(&b, |mut me| async move {
        let ghost = of_node("ghost");
        let tag = (atom("alias"), 1);
        for from in [&ghost, me.pid()] {
            let chars = (atom("put_chars"), atom("unicode"), "text");
            me.send(("user", &peer), &(atom("io_request"), from, 1, chars)).await.unwrap();
            me.send(("rex", &peer), &(from, atom("features_request"))).await.unwrap();
            me.send(("rex", &peer), &(from, (atom("sbcast"), atom("nobody"), 1))).await.unwrap();
            me.send(("rex", &peer), &(atom("$gen_call"), (from, tag.clone()), atom("what"))).await.unwrap();
            me.send(("net_kernel", &peer), &(atom("$gen_call"), (from, tag.clone()), (atom("is_auth"), 1)))
                .await
                .unwrap();
            me.send(("pg", &peer), &(atom("discover"), from)).await.unwrap();
        }
        // The second round is answered when the first has been seen to.
        for _ in 0..6 {
            timeout(PATIENCE, me.receive()).await.unwrap().unwrap();
        }
    })
    .await;
    assert!(looked.try_recv().is_err(), "nobody was looked for");
}

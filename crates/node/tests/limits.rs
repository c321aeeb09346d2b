//! Each field of `Limits`, set low, holds. `setup_time` and `half_open` are tested in `connections`, `running_calls` and what
//! else draws on `queue_reserve` in `answers`.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use beamline_node::transport::Memory;
use beamline_node::{CallError, DownReason, Epmd, Events, Limits, Listen, Module, Node, NodeEvent, NodeName, Route};
use beamline_term::{Binary, Term, atom};
use common::{DEADLINE, run, until};
use tokio::time::timeout;

/// Two nodes that are connected by a pipe of 64 KiB; `b` has limits.
async fn pair(limits: Limits) -> (Node, Node) {
    let network = Memory::new();
    let start = async |name: &str, port, limits: Limits| {
        let module = Module::new("Elixir.Test").function("never", || async {
            std::future::pending::<()>().await;
            Ok(())
        });
        let resolver =
            async |peer: NodeName| Ok(Route::port(Ipv4Addr::LOCALHOST.into(), if peer.alive() == "a" { 1 } else { 2 }));
        let builder = Node::builder(name).cookie("secret").epmd(Epmd::None).transport(network.clone()).module(module);
        builder.listen(Listen::Ports(port, port)).resolver(resolver).limits(limits).start().await.unwrap()
    };
    let (a, b) = (start("a@m", 1, Limits::default()).await, start("b@m", 2, limits).await);
    b.connect(a.name()).await.unwrap();
    a.ping(b.name()).await.unwrap();
    (a, b)
}

fn with(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

async fn down(events: &mut Events) -> DownReason {
    loop {
        if let Some(NodeEvent::Down { reason, .. }) = timeout(DEADLINE, events.recv()).await.expect("it is cut") {
            return reason;
        }
    }
}

#[tokio::test]
async fn a_queue_holds_queue_bytes() {
    const QUEUE: usize = 10_000;
    let (a, b) = pair(with(|limits| limits.queue_bytes = QUEUE)).await;
    // As this runs on one thread, nobody reads while messages are sent without waiting.
    let mut taken = 0;
    let content = Binary::from(vec![7; 1000]);
    while let Some(sent) = at_once(b.send(("nobody", a.name()), &content)) {
        sent.unwrap();
        taken += 1000;
        assert!(taken < 200_000, "{taken} bytes were taken");
    }
    assert!(taken >= QUEUE - 2000, "{taken} bytes were taken");
    timeout(DEADLINE, b.send(("nobody", a.name()), &content)).await.expect("it waits, and then goes").unwrap();
    assert!(b.is_connected(a.name()));
}

/// What a future gives that does not wait.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn what_may_not_wait_has_queue_reserve() {
    for (reserve, is_cut) in [(4096, true), (16 << 20, false)] {
        let (a, b) = pair(with(|limits| limits.queue_reserve = reserve)).await;
        let peer = a.name().clone();
        let mut events = b.events();
        run(&b, |me| async move {
            let far = me.whereis("rex").map(|own| beamline_term::Pid::new(peer.to_atom(), own.id(), 0, own.creation()));
            // None of these waits, and nobody reads meanwhile.
            for _ in 0..5000 {
                me.send_exit(far.as_ref().unwrap(), atom("normal"));
            }
        })
        .await;
        if is_cut {
            assert_eq!(down(&mut events).await, DownReason::Flooded);
        } else {
            b.ping(a.name()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_message_has_max_message() {
    let (a, b) = pair(with(|limits| limits.max_message = 100_000)).await;
    let mut events = b.events();
    a.send(("nobody", b.name()), &Binary::from(vec![7; 90_000])).await.unwrap();
    a.ping(b.name()).await.unwrap();
    a.send(("nobody", b.name()), &Binary::from(vec![7; 110_000])).await.unwrap();
    let DownReason::Protocol(said) = down(&mut events).await else { panic!("another reason") };
    assert!(said.contains("100000"), "{said}");
}

#[tokio::test]
async fn a_mailbox_has_mailbox_bytes() {
    let (a, b) = pair(with(|limits| limits.mailbox_bytes = 10_000)).await;
    let deaf = b.spawn(|_| std::future::pending());
    let reason = run(&a, |mut me| async move {
        let monitor = me.monitor(&deaf);
        for _ in 0..9 {
            me.send(&deaf, &Binary::from(vec![7; 1000])).await.unwrap();
        }
        assert!(me.receive_within(Duration::from_millis(50)).await.is_none(), "it has room for nine");
        me.send(&deaf, &Binary::from(vec![7; 1000])).await.unwrap();
        timeout(DEADLINE, me.receive_down(&monitor)).await.expect("it ends").unwrap().reason
    })
    .await;
    assert_eq!(reason, Term::atom("message_queue_limit"));
    // The services take what the connection takes.
    let rex = b.whereis("rex").unwrap();
    a.send(("rex", b.name()), &Binary::from(vec![7; 100_000])).await.unwrap();
    a.ping(b.name()).await.unwrap();
    until("rex has it", || b.process_info(&rex).is_some_and(|info| info.handled > 0)).await;
    assert_eq!(b.whereis("rex"), Some(rex));
}

#[tokio::test]
async fn a_call_has_call_timeout() {
    let (a, b) = pair(with(|limits| limits.call_timeout = Duration::from_millis(100))).await;
    let begin = Instant::now();
    let error = b.call::<()>(a.name(), ("Elixir.Test", "never"), ()).await.unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(4), "less than the default of five");
    let spawn = b.call::<()>(a.name(), ("Elixir.Test", "never"), ()).timeout(Duration::from_millis(300));
    let begin = Instant::now();
    assert!(spawn.await.is_err() && begin.elapsed() >= Duration::from_millis(300), "unless the call has its own");
}

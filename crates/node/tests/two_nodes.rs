//! Two nodes in one process, over real sockets, with an epmd of their own.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use beamline_node::{
    Call, CallError, Cause, DownReason, Epmd, Listen, Module, Node, NodeBuilder, NodeEvent, NodeSet, Raise, Request,
    Side,
};
use beamline_proto::NodeName;
use beamline_term::{Atom, Pid, Reference, Term, atom};
use common::{free_port, own_epmd, until};
use tokio::time::timeout;

fn node(name: &str, epmd: &Epmd) -> NodeBuilder {
    Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).module(
        Module::new("Elixir.Test")
            .function("hello", || async { Ok(atom("world")) })
            .function("add", |a: i64, b: i64| async move { Ok(a + b) })
            .function("raise", || async { Err::<(), _>(Raise::runtime_error("oops")) })
            .function("throw", || async { Err::<(), _>(Raise::throw(1)) })
            .function("sleep", || async {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Ok(())
            }),
    )
}

async fn pair() -> (Node, Node) {
    let epmd = own_epmd();
    let a = node("a", &epmd).start().await.unwrap();
    let b = node("b", &epmd).start().await.unwrap();
    (a, b)
}

#[tokio::test]
async fn they_connect_list_each_other_and_ping() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    a.ping(b.name()).await.unwrap();
    assert_eq!(a.list(), [b.name().clone()]);
    until("b lists a", || b.list() == [a.name().clone()]).await;
    assert_eq!(b.nodes(NodeSet::Known), [a.name().clone(), b.name().clone()]);
    b.ping(a.name()).await.unwrap();
}

/// A timeout of a second and more has no timer of its own.
#[tokio::test]
async fn a_long_timeout_ends_in_time_whatever_was_called() {
    let (a, b) = pair().await;
    let time = Duration::from_millis(1200);
    let late = async |call: Call<Term>| {
        let began = Instant::now();
        let outcome = call.timeout(time).await;
        assert!(matches!(&outcome, Err(CallError::Timeout { after, .. }) if *after == time), "{outcome:?}");
        let took = began.elapsed();
        assert!(took >= time && took < time + Duration::from_secs(5), "{took:?}");
    };
    for _ in 0..2 {
        tokio::join!(
            late(a.call(b.name(), ("Elixir.Test", "sleep"), ())),
            late(a.call(a.name(), ("Elixir.Test", "sleep"), ())),
            late(a.server_call(atom("user"), b.name(), 1)),
            late(a.server_call(atom("user"), a.name(), 1)),
        );
    }
}

#[tokio::test]
async fn calls_bring_values_and_every_kind_of_failure() {
    let (a, b) = pair().await;
    let peer = b.name();
    let hello: Atom = a.call(peer, ("Elixir.Test", "hello"), ()).await.unwrap();
    assert_eq!(hello, "world");
    assert_eq!(a.call::<i64>(peer, ("Elixir.Test", "add"), (2, 3)).await.unwrap(), 5);
    assert_eq!(a.call::<Atom>(peer, ("erlang", "node"), ()).await.unwrap(), *peer.as_atom());
    let raised = a.call::<Term>(peer, ("Elixir.Test", "raise"), ()).await.unwrap_err();
    assert!(matches!(&raised, CallError::Raised { reason, .. } if reason.to_string().contains("oops")), "{raised}");
    let thrown = a.call::<Term>(peer, ("Elixir.Test", "throw"), ()).await.unwrap_err();
    assert!(matches!(&thrown, CallError::Thrown { value: Term::Integer(1), .. }), "{thrown}");
    let undefined = a.call::<Term>(peer, ("Elixir.Test", "nothing"), (1,)).await.unwrap_err();
    assert!(matches!(&undefined, CallError::Raised { reason, .. } if reason.is_atom("undef")), "{undefined}");
    let wrong = a.call::<i64>(peer, ("Elixir.Test", "hello"), ()).await.unwrap_err();
    assert!(matches!(wrong, CallError::Answer { .. }), "{wrong}");
    let late = a.call::<Term>(peer, ("Elixir.Test", "sleep"), ()).timeout(Duration::from_millis(50)).await;
    assert!(matches!(late, Err(CallError::Timeout { .. })));
}

#[tokio::test]
async fn a_call_ends_when_the_node_does() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    let call = a.call::<Term>(b.name(), ("Elixir.Test", "sleep"), ()).timeout(Duration::from_secs(30));
    let call = tokio::spawn(call);
    tokio::task::yield_now().await;
    b.stop().await;
    let error = timeout(Duration::from_secs(5), call).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, CallError::NodeDown { .. } | CallError::Connect(_)), "{error}");
}

#[tokio::test]
async fn every_failed_connection_has_its_cause() {
    let epmd = own_epmd();
    let a = node("a", &epmd).start().await.unwrap();
    let other = node("b", &epmd).cookie("other").start().await.unwrap();
    let connect = async |name: &str| {
        let name: NodeName = name.parse().unwrap();
        a.connect(&name).await.unwrap_err().cause().clone()
    };
    let cause = connect("b@127.0.0.1").await;
    assert!(matches!(cause, Cause::Cookie { side: Side::Theirs }), "{cause}");
    let cause = connect("nobody@127.0.0.1").await;
    assert!(matches!(&cause, Cause::NotRegistered { registered } if registered.contains(&"b".to_owned())), "{cause}");
    let cause = connect("b@no-such-host.invalid").await;
    assert!(matches!(cause, Cause::NotResolvable { .. }), "{cause}");
    let cause = connect("a@127.0.0.1").await;
    assert!(matches!(cause, Cause::Itself), "{cause}");
    drop(other);

    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let c = node("c", &epmd).listen(Listen::Off).peer_port(port).start().await.unwrap();
    let greeter = std::thread::spawn(move || {
        use std::io::Write;
        let (mut socket, _) = silent.accept().unwrap();
        socket.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
    });
    let cause = c.connect(&"x@127.0.0.1".parse().unwrap()).await.unwrap_err().cause().clone();
    assert!(matches!(cause, Cause::NotErlang { .. }), "{cause}");
    greeter.join().unwrap();
    let cause = c.connect(&"x@127.0.0.1".parse().unwrap()).await.unwrap_err().cause().clone();
    assert!(matches!(cause, Cause::PortRefused { .. }), "{cause}");
    let no_epmd = node("d", &Epmd::External((Ipv4Addr::LOCALHOST, free_port()).into())).listen(Listen::Off);
    let cause = no_epmd.start().await.unwrap().connect(a.name()).await.unwrap_err().cause().clone();
    assert!(matches!(cause, Cause::EpmdUnreachable(_)), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_that_meet_make_one_connection() {
    for _ in 0..50 {
        let (a, b) = pair().await;
        let (mut a_events, mut b_events) = (a.events(), b.events());
        let connect = |from: &Node, to: &Node| {
            let (from, to) = (from.clone(), to.name().clone());
            tokio::spawn(async move { from.connect(&to).await })
        };
        let (one, two) = tokio::join!(connect(&a, &b), connect(&b, &a));
        one.unwrap().unwrap();
        two.unwrap().unwrap();
        for (events, peer) in [(&mut a_events, &b), (&mut b_events, &a)] {
            assert_eq!(events.recv().await, Some(NodeEvent::Up { node: peer.name().clone(), hidden: false }));
            let more = timeout(Duration::from_millis(10), events.recv()).await;
            assert!(more.is_err(), "one connection, and it stays: {more:?}");
        }
        assert_eq!(a.call::<i64>(b.name(), ("Elixir.Test", "add"), (1, 1)).await.unwrap(), 2);
        assert_eq!(b.call::<i64>(a.name(), ("Elixir.Test", "add"), (1, 1)).await.unwrap(), 2);
        assert_eq!((a.list().len(), b.list().len()), (1, 1));
    }
}

#[tokio::test]
async fn events_tell_who_comes_and_goes() {
    let (a, b) = pair().await;
    let mut events = a.events();
    a.connect(b.name()).await.unwrap();
    assert_eq!(events.recv().await, Some(NodeEvent::Up { node: b.name().clone(), hidden: false }));
    assert!(a.disconnect(b.name()));
    assert!(!a.disconnect(b.name()));
    let down = NodeEvent::Down { node: b.name().clone(), hidden: false, reason: DownReason::Disconnect };
    assert_eq!(events.recv().await, Some(down));
    until("b sees it too", || b.list().is_empty()).await;
}

#[tokio::test]
async fn a_hidden_node_is_not_listed_but_can_call() {
    let epmd = own_epmd();
    let a = node("a", &epmd).start().await.unwrap();
    let tool = node("tool", &epmd).listen(Listen::Off).start().await.unwrap();
    assert_eq!(tool.call::<Vec<Atom>>(a.name(), ("erlang", "nodes"), ()).await.unwrap(), Vec::<Atom>::new());
    let hidden: Vec<Atom> = tool.call(a.name(), ("Elixir.Node", "list"), (atom("hidden"),)).await.unwrap();
    assert_eq!(hidden, [tool.name().to_atom()]);
    assert!(a.list().is_empty() && tool.list().is_empty());
}

#[tokio::test]
async fn messages_monitors_and_links_cross_nodes() {
    let (a, b) = pair().await;
    let counter = b.spawn(|mut me| async move {
        let mut sum = 0;
        while let Some(message) = me.receive().await {
            match Request::from_term(message.term().unwrap()) {
                Ok(request) => me.reply(&request, sum),
                Err(other) => sum += other.as_i64().unwrap(),
            }
        }
    });
    b.register("counter", &counter).unwrap();
    a.connect(b.name()).await.unwrap();
    for number in 1..=100i64 {
        a.send(("counter", b.name()), &number).await.unwrap();
    }
    assert_eq!(a.server_call::<i64>(atom("counter"), b.name(), atom("sum")).await.unwrap(), 5050);
    let nobody = a.server_call::<i64>(atom("nobody"), b.name(), 1).await.unwrap_err();
    assert!(matches!(&nobody, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{nobody}");

    let (tell, told) = tokio::sync::oneshot::channel();
    let watched = counter.clone();
    let linked = a.spawn(|mut me| async move {
        me.monitor(&watched);
        let down: (Atom, Reference, Atom, Pid, Atom) = me.receive().await.unwrap().decode().unwrap();
        let _ = tell.send(down);
        me.link(&watched);
        me.receive().await;
    });
    until("the monitor is set or has fired", || a.is_connected(b.name())).await;
    a.ping(b.name()).await.unwrap();
    a.exit(&counter, atom("kill"));
    let (tag, _, _, pid, reason) = timeout(Duration::from_secs(5), told).await.unwrap().unwrap();
    assert_eq!((tag.as_str(), &pid, reason.as_str()), ("DOWN", &counter, "killed"));
    // It links with the dead, which ends it.
    until("the linked process ends", || !a.is_alive(&linked)).await;
}

#[tokio::test]
async fn a_restarted_node_comes_back_as_another() {
    let epmd = own_epmd();
    let a = node("a", &epmd).start().await.unwrap();
    let b = node("b", &epmd).start().await.unwrap();
    a.connect(b.name()).await.unwrap();
    let (old, creation) = (b.spawn(|mut me| async move { while me.receive().await.is_some() {} }), b.creation());
    drop(b);
    until("b is down", || a.list().is_empty()).await;
    let b = node("b", &epmd).start().await.unwrap();
    a.connect(b.name()).await.unwrap();
    assert_ne!(b.creation(), creation);
    let error = a.server_call_pid::<Term>(&old, 1).await.unwrap_err();
    assert!(matches!(&error, CallError::Exited { reason, .. } if reason.is_atom("noproc")), "{error}");
}

#[tokio::test]
async fn names_of_the_cluster_are_shared_and_vanish_with_their_process() {
    let (a, b) = pair().await;
    a.connect(b.name()).await.unwrap();
    let holder = a.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    timeout(Duration::from_secs(10), a.global().register("here", &holder)).await.unwrap().unwrap();
    timeout(Duration::from_secs(10), b.global().sync()).await.unwrap();
    until("b knows the name", || b.global().whereis(&"here".into()) == Some(holder.clone())).await;
    let rival = b.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    assert!(b.global().register("here", &rival).await.is_err());
    a.exit(&holder, atom("kill"));
    until("the name is gone", || b.global().names().is_empty() && a.global().names().is_empty()).await;
}

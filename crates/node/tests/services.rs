//! The node's own services: they are there again when somebody has ended them, or the node stops and says why.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use beamline_node::{Node, StopReason};
use beamline_term::{Pid, Term, atom};
use common::gates::node;
use common::{DEADLINE, own_epmd, run, until};
use tokio::time::timeout;

async fn pair() -> (Node, Node) {
    let epmd = own_epmd();
    let (a, b) = (node("a", &epmd).start().await.unwrap(), node("b", &epmd).start().await.unwrap());
    a.connect(b.name()).await.unwrap();
    (a, b)
}

/// Ends a service as a member of the cluster can; gives its new pid.
async fn kill(from: &Node, node: &Node, service: &str) -> Pid {
    let pid = node.whereis(service).unwrap();
    let (killed, peer) = (pid.clone(), node.name().clone());
    let service = service.to_owned();
    run(from, |mut me| async move {
        let monitor = me.monitor(&killed);
        me.send_exit(&killed, atom("kill"));
        let down = timeout(DEADLINE, me.receive_down(&monitor)).await.unwrap().unwrap();
        assert_eq!(down.reason, Term::atom("killed"), "{service} of {peer}");
    })
    .await;
    pid
}

#[tokio::test]
async fn a_service_without_state_is_started_anew() {
    let (a, b) = pair().await;
    for service in ["rex", "net_kernel", "logger_proxy", "user", "rex"] {
        let before = kill(&a, &b, service).await;
        until("it is there again", || b.whereis(service).is_some()).await;
        // What we call on other nodes knows its group leader by pid.
        assert_eq!(b.whereis(service) == Some(before), service == "user");
    }
    a.ping(b.name()).await.unwrap();
    let call = (atom("call"), atom("Elixir.Test"), atom("echo"), vec![1_000_000], atom("user"));
    assert_eq!(a.server_call::<i64>(atom("rex"), b.name(), call).await.unwrap(), 1_000_000);
    let peer = b.name().clone();
    let printed = run(&a, |mut me| async move {
        let request = (atom("put_chars"), atom("unicode"), "text");
        me.send(("user", &peer), &(atom("io_request"), me.pid(), 1, request)).await.unwrap();
        me.receive_within(DEADLINE).await.unwrap().decode::<(Term, i64, Term)>().unwrap()
    });
    assert_eq!(printed.await, (atom("io_reply").into(), 1, atom("ok").into()));
}

#[tokio::test]
async fn a_scope_of_pg_keeps_its_members() {
    let (a, b) = pair().await;
    let group = Term::from("workers");
    let (of_a, of_b) = (a.pg("pg").unwrap(), b.pg("pg").unwrap());
    let idle = |node: &Node| node.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    let (there, here) = (idle(&a), idle(&b));
    of_a.join("workers", std::slice::from_ref(&there)).await;
    of_b.join("workers", &[here.clone(), here.clone()]).await;
    let everybody = || [&of_a, &of_b].iter().all(|pg| pg.members(&group).iter().count() == 3);
    until("all know all", everybody).await;
    let before = kill(&a, &b, "pg").await;
    until("it is there again", || b.whereis("pg").is_some_and(|pid| pid != before)).await;
    until("all know all again", everybody).await;
    assert!(of_b.leave("workers", std::slice::from_ref(&here)).await, "it hears its node");
    b.exit(&here, atom("kill"));
    until("and its members", || [&of_a, &of_b].iter().all(|pg| pg.members(&group).iter().eq([&there]))).await;
}

#[tokio::test]
async fn without_global_the_node_stops_and_says_why() {
    let (a, b) = pair().await;
    kill(&a, &b, "global_name_server").await;
    let reason = timeout(DEADLINE, b.stopped()).await.expect("it stops");
    let killed = Term::atom("killed");
    assert_eq!(reason, StopReason::ServiceLost { service: "global_name_server", reason: killed });
    until("others see it go", || a.list().is_empty()).await;
    let name = a.name().clone();
    a.clone().stop().await;
    assert_eq!(timeout(DEADLINE, a.stopped()).await.unwrap(), StopReason::Asked, "{name}");
}

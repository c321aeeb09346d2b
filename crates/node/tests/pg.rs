//! Process groups on nodes in one process, over real sockets.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use beamline_node::{Change, Epmd, Node, NodeBuilder, PgError};
use beamline_term::Pid;
use common::{own_epmd, until};

fn builder(name: &str, epmd: &Epmd) -> NodeBuilder {
    Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone())
}

fn idle(node: &Node) -> Pid {
    node.spawn(|mut me| async move { while me.receive().await.is_some() {} })
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_known_everywhere_and_leave_with_their_process_or_node() {
    let epmd = own_epmd();
    let (a, b) = (builder("a", &epmd).start().await.unwrap(), builder("b", &epmd).start().await.unwrap());
    let (pg_a, pg_b) = (a.pg("pg").unwrap(), b.pg("pg").unwrap());
    let early = idle(&a);
    pg_a.join("g", std::slice::from_ref(&early)).await;
    a.connect(b.name()).await.unwrap();
    until("b knows the early one", || pg_b.members(&"g".into()).remote() == [early.clone()]).await;

    let (before, mut watch) = pg_b.watch("g");
    assert_eq!(before.iter().collect::<Vec<_>>(), [&early]);
    let late = idle(&b);
    pg_b.join("g", &[late.clone(), late.clone()]).await;
    assert_eq!(watch.next().await.unwrap(), Change { joined: vec![late.clone(), late.clone()], left: vec![] });
    until("a knows both", || pg_a.members(&"g".into()).iter().count() == 3).await;
    assert_eq!(pg_a.local_groups(), ["g".into()]);
    assert!(pg_b.leave("g", std::slice::from_ref(&late)).await);
    assert!(!pg_b.leave("other", std::slice::from_ref(&late)).await);
    until("one is left", || pg_a.members(&"g".into()).remote() == [late.clone()]).await;

    a.exit(&early, beamline_term::atom("kill"));
    until("it left", || pg_b.members(&"g".into()).remote().is_empty()).await;
    b.stop().await;
    until("b's members left", || pg_a.groups().is_empty()).await;
    assert!(watch.next().await.is_some_and(|change| change.left.contains(&early)), "what was not read is summed up");
    assert_eq!(watch.next().await, None, "the node has stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_node_takes_part() {
    let epmd = own_epmd();
    let a = builder("a", &epmd).start().await.unwrap();
    let h = builder("h", &epmd).hidden(true).start().await.unwrap();
    let (pg_a, pg_h) = (a.pg("news").unwrap(), h.pg("news").unwrap());
    h.connect(a.name()).await.unwrap();
    let (one, two) = (idle(&a), idle(&h));
    pg_a.join(1, std::slice::from_ref(&one)).await;
    pg_h.join(1, std::slice::from_ref(&two)).await;
    until("the visible one sees it", || pg_a.members(&1.into()).remote() == [two.clone()]).await;
    until("the hidden one sees it", || pg_h.members(&1.into()).remote() == [one.clone()]).await;
    // Who starts its scope later finds the others too.
    let b = builder("b", &epmd).start().await.unwrap();
    b.connect(a.name()).await.unwrap();
    let pg_b = b.pg("news").unwrap();
    until("b sees a's", || pg_b.members(&1.into()).remote() == [one.clone()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_no_scope() {
    let node = builder("a", &own_epmd()).start().await.unwrap();
    let pid = idle(&node);
    node.register("busy", &pid).unwrap();
    assert!(matches!(node.pg("busy"), Err(PgError::Taken { pid: taken, .. }) if taken == pid));
    assert!(node.pg("pg").is_ok() && node.pg("pg").is_ok());
}

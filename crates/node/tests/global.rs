//! `global` on nodes in one process, over real sockets: names, conflicts, and locks.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use beamline_node::{Access, CallError, Epmd, GlobalSendError, Module, Node, RegisterError, Resolve};
use beamline_term::{Atom, Pid, Term, atom};
use common::{own_epmd, until};

async fn start(name: &str, epmd: &Epmd) -> Node {
    Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).start().await.unwrap()
}

async fn mesh(names: &[&str]) -> Vec<Node> {
    let epmd = own_epmd();
    let mut nodes: Vec<Node> = Vec::new();
    for name in names {
        let node = start(name, &epmd).await;
        for other in &nodes {
            node.connect(other.name()).await.unwrap();
        }
        nodes.push(node);
    }
    for node in &nodes {
        node.global().sync().await;
    }
    nodes
}

fn idle(node: &Node) -> Pid {
    node.spawn(|mut me| async move { while me.receive().await.is_some() {} })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_everywhere_and_has_one_owner() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let (first, second) = (idle(&nodes[0]), idle(&nodes[1]));
    nodes[0].global().register("it", &first).await.unwrap();
    for node in &nodes {
        assert_eq!(node.global().whereis(&"it".into()), Some(first.clone()));
    }
    let taken = nodes[1].global().register("it", &second).await.unwrap_err();
    assert_eq!(taken, RegisterError::Taken { name: "it".into(), pid: first.clone() });
    let mut changes = nodes[2].global().changes();
    nodes[1].global().re_register("it", &second, &Resolve::default()).await.unwrap();
    assert_eq!(nodes[0].global().whereis(&"it".into()), Some(second.clone()));
    changes.next().await.unwrap();
    assert_eq!(nodes[2].global().names(), [("it".into(), second.clone())]);
    nodes[2].global().unregister("it").await;
    until("the name is gone", || nodes.iter().all(|node| node.global().names().is_empty())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_goes_to_whom_the_name_belongs() {
    let nodes = mesh(&["a", "b"]).await;
    let (tell, told) = tokio::sync::oneshot::channel();
    let pid = nodes[0].spawn(|mut me| async move {
        let message = me.receive().await.unwrap().term().unwrap();
        tell.send(message).unwrap();
    });
    nodes[0].global().register(atom("sink"), &pid).await.unwrap();
    assert_eq!(nodes[1].global().send(atom("sink"), &"hello").await.unwrap(), pid);
    assert_eq!(told.await.unwrap(), Term::from("hello"));
    until("the name goes with its process", || nodes[1].global().names().is_empty()).await;
    assert!(matches!(nodes[1].global().send(atom("sink"), &1).await, Err(GlobalSendError::NoName { .. })));
}

/// Two nodes that do not know each other have the same name; then they meet. Gives whom each thinks the owner, and both
/// processes.
async fn conflict(resolve: Resolve, export: impl Fn(&Node)) -> ([Option<Pid>; 2], [Pid; 2], [Node; 2]) {
    let epmd = own_epmd();
    let nodes = [start("a", &epmd).await, start("b", &epmd).await];
    nodes.iter().for_each(export);
    let pids = [idle(&nodes[0]), idle(&nodes[1])];
    for (node, pid) in nodes.iter().zip(&pids) {
        node.global().register_with("it", pid, &resolve).await.unwrap();
    }
    nodes[0].connect(nodes[1].name()).await.unwrap();
    for node in &nodes {
        node.global().sync().await;
    }
    let own = |node: &Node| node.global().whereis(&"it".into());
    until("both agree", || own(&nodes[0]) == own(&nodes[1])).await;
    ([own(&nodes[0]), own(&nodes[1])], pids, nodes)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_with_one_name_one_stays() {
    let (owners, pids, nodes) = conflict(Resolve::RandomExit, |_| {}).await;
    assert_eq!(owners, [Some(pids[0].clone()), Some(pids[0].clone())]);
    let monitored = nodes[0].clone();
    let loser = pids[1].clone();
    let (tell, told) = tokio::sync::oneshot::channel();
    monitored.spawn(|mut me| async move {
        me.monitor(&loser);
        tell.send(me.receive().await.unwrap().term().unwrap().to_string()).unwrap();
    });
    let down = told.await.unwrap();
    assert!(down.contains(":DOWN") && (down.contains(":noproc") || down.contains(":killed")), "{down}");
    assert!(nodes.iter().all(|node| node.global().names().len() == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_the_program_decides() {
    let greater = |node: &Node| {
        node.export(Module::new("Elixir.Names").function(
            "greater",
            |_name: Term, first: Pid, second: Pid| async move {
                Ok(if first.node() > second.node() { first } else { second })
            },
        ));
    };
    let (owners, pids, _nodes) = conflict(Resolve::Function(("Elixir.Names", "greater").into()), greater).await;
    assert_eq!(owners, [Some(pids[1].clone()), Some(pids[1].clone())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_may_keep_it() {
    let (owners, _, _nodes) = conflict(Resolve::NotifyAll, |_| {}).await;
    assert_eq!(owners, [None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_held_by_one_at_a_time() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let (inside, passed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for turn in 0..6 {
        let node = nodes[turn % nodes.len()].clone();
        let (inside, passed) = (Arc::clone(&inside), Arc::clone(&passed));
        tasks.push(tokio::spawn(async move {
            let work = async {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "alone");
                tokio::time::sleep(Duration::from_millis(1)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                passed.fetch_add(1, Ordering::SeqCst);
            };
            node.global().trans("job", work).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(passed.load(Ordering::SeqCst), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_dropped_or_given_up_is_free() {
    let nodes = mesh(&["a", "b"]).await;
    let held = nodes[0].global().lock("job").await.unwrap();
    assert_eq!(held.nodes().len(), 2);
    assert!(nodes[1].global().try_lock("job", 0).await.unwrap().is_none());
    // Somebody waits for it, and then does not any more.
    let waiting = tokio::time::timeout(Duration::from_millis(50), nodes[1].global().lock("job")).await;
    assert!(waiting.is_err());
    drop(held);
    let again = nodes[1].global().try_lock("job", 20).await.unwrap().unwrap();
    again.release().await;
    assert!(nodes[0].global().try_lock("job", 0).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lock_of_a_node_that_ends_is_free() {
    let mut nodes = mesh(&["a", "b"]).await;
    let held = nodes[1].global().lock("job").await.unwrap();
    std::mem::forget(held);
    nodes.pop().unwrap().stop().await;
    assert!(nodes[0].global().try_lock("job", 20).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_opens_no_module_that_is_closed() {
    let nodes = mesh(&["a", "b"]).await;
    let secret = Module::new("Elixir.Secret").function("tell", || async { Ok(atom("secret")) });
    nodes[0].export(secret.access(Access::Local));
    let arguments = (atom("Elixir.Secret"), atom("tell"), Vec::<Atom>::new());
    let refused = nodes[1].call::<Atom>(nodes[0].name(), ("erlang", "apply"), &arguments).await.unwrap_err();
    assert!(matches!(&refused, CallError::Raised { reason, .. } if reason.is_atom("access_denied")), "{refused}");
    let own: Atom = nodes[0].call(nodes[0].name(), ("erlang", "apply"), &arguments).await.unwrap();
    assert_eq!(own, "secret");
}

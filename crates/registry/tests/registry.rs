//! The registry on nodes in one process, over real sockets.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

#[path = "../../node/tests/common/mod.rs"]
mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use beamline_node::{CallError, Epmd, Module, Node, Raise};
use beamline_proto::NodeName;
use beamline_registry::{Choice, Event, NodeRegistry, RegistryError, RemoteError, Rule};
use beamline_term::{Term, atom};
use common::{own_epmd, until};

async fn start(name: &str, epmd: &Epmd) -> (Node, NodeRegistry) {
    let own = atom(Box::leak(name.to_owned().into_boxed_str()));
    let module = Module::new("Elixir.Service")
        .function("whoami", move || {
            let own = own.clone();
            async { Ok(own) }
        })
        .function("fail", || async { Err::<(), _>(Raise::runtime_error("no")) })
        .function("sleep", || async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(())
        });
    let node = Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).module(module);
    let node = node.start().await.unwrap();
    let registry = NodeRegistry::new(&node);
    registry.export();
    (node, registry)
}

async fn mesh(names: &[&str]) -> Vec<(Node, NodeRegistry)> {
    let epmd = own_epmd();
    let mut nodes: Vec<(Node, NodeRegistry)> = Vec::new();
    for name in names {
        let node = start(name, &epmd).await;
        for (other, _) in &nodes {
            node.0.connect(other.name()).await.unwrap();
        }
        nodes.push(node);
    }
    for (node, _) in &nodes {
        node.global().sync().await;
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_found_by_name_and_prefix() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let [(a, reg_a), (b, reg_b), (c, reg_c)] = nodes.as_slice() else { panic!("three") };
    let _one = reg_a.register("app_a_1").await.unwrap();
    let _two = reg_b.register(atom("app_b_1")).await.unwrap();
    let three = reg_c.register("app_a_2").await.unwrap();
    assert_eq!(reg_b.as_map().to_string(), reg_a.as_map().to_string());
    let all = "%{:app_b_1 => :\"b@127.0.0.1\", \"app_a_1\" => :\"a@127.0.0.1\", \"app_a_2\" => :\"c@127.0.0.1\"}";
    assert_eq!(reg_a.as_map().to_string(), all);
    assert_eq!(reg_c.node_with_name("app_a_1").as_ref(), Some(a.name()));
    assert_eq!(reg_c.node_with_name("app_b_1").as_ref(), Some(b.name()), "an atom is found by its text");
    assert_eq!(reg_c.node_with_name("nobody"), None);
    assert_eq!(reg_b.nodes_with_prefix("app_a"), [a.name().clone(), c.name().clone()]);
    assert!(reg_b.random_node_with_prefix("app_a").is_some());
    assert_eq!(reg_b.random_node_with_prefix("x"), None);
    let taken = reg_c.register("app_a_1").await.unwrap_err();
    assert!(matches!(&taken, RegistryError::Taken { node, .. } if node == a.name().as_atom()), "{taken}");
    drop(three);
    until("the name is free", || reg_a.all().len() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_say_who_they_are() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let (reg_a, reg_b) = (&nodes[0].1, &nodes[1].1);
    let _one = reg_a.register("one").await.unwrap();
    let two = reg_b.register("two").await.unwrap();
    let info = reg_a.info_of(nodes[1].0.name()).await.unwrap().unwrap();
    assert_eq!((&info.name, &info.node, &info.pid), (&"two".into(), nodes[1].0.name(), two.pid()));
    assert_eq!(reg_a.info_of(nodes[2].0.name()).await.unwrap(), None);
    let all = nodes[2].1.info_of_all().await;
    let names: Vec<Term> = all.into_iter().map(|(_, info)| info.unwrap().unwrap().name).collect();
    assert_eq!(names, ["one".into(), "two".into()]);
    // As an Elixir node asks.
    let asked =
        |of: &'static str| nodes[2].0.call::<Term>(nodes[0].0.name(), ("Elixir.NodeRegistry", "info"), (atom(of),));
    assert_eq!(asked("self").await.unwrap(), reg_a.info().unwrap().to_term());
    assert_eq!(asked("b@127.0.0.1").await.unwrap(), info.to_term());
    assert_eq!(asked("all").await.unwrap().as_list().unwrap().len(), 2);
    let nobody = nodes[0].0.call::<Term>(nodes[2].0.name(), ("Elixir.NodeRegistry", "info"), (atom("self"),)).await;
    assert!(matches!(nobody, Err(CallError::Exited { .. })), "{nobody:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_rule_lets_nodes_share_a_name() {
    let nodes = mesh(&["a", "b"]).await;
    let registries: Vec<NodeRegistry> =
        nodes.iter().map(|(_, registry)| registry.clone().rule(Rule::WithNode)).collect();
    let one = registries[0].register("service").await.unwrap();
    let _two = registries[1].register("service").await.unwrap();
    assert_eq!(one.name(), &atom("service_a@127.0.0.1").into());
    assert_eq!(registries[1].nodes_with_prefix("service").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_goes_to_a_node_of_the_prefix() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let registry = &nodes[0].1;
    let none = registry.remote::<Term>("app", ("Elixir.Service", "whoami"), ()).await.unwrap_err();
    assert!(matches!(none, RemoteError::NoNode { .. }));
    let _entries = (nodes[1].1.register("app_1").await.unwrap(), nodes[2].1.register("app_2").await.unwrap());
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let call = registry.remote::<Term>("app", ("Elixir.Service", "whoami"), ()).choice(Choice::RoundRobin);
        seen.insert(call.await.unwrap().to_string());
    }
    assert_eq!(seen, BTreeSet::from([":b".to_owned(), ":c".to_owned()]), "each in its turn");
    let near = registry.choose("app", Choice::LeastLatency).await.unwrap();
    assert!(registry.nodes_with_prefix("app").contains(&near));
    let raised = registry.remote::<Term>("app", ("Elixir.Service", "fail"), ()).repeatable(2).await.unwrap_err();
    assert!(matches!(raised, RemoteError::Call { source: CallError::Raised { .. }, .. }), "an error is an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeatable_call_goes_to_another_node() {
    let nodes = mesh(&["a", "b", "c"]).await;
    let registry = &nodes[0].1;
    let tried = Arc::new(AtomicUsize::new(0));
    for (node, _) in &nodes[1..] {
        let tried = Arc::clone(&tried);
        // The first that is called never answers.
        node.export(Module::new("Elixir.Service").function("slow", move || {
            let first = tried.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if first {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
                Ok(atom("done"))
            }
        }));
    }
    let _entries = (nodes[1].1.register("app_1").await.unwrap(), nodes[2].1.register("app_2").await.unwrap());
    let call = registry.remote::<Term>("app", ("Elixir.Service", "slow"), ()).timeout(Duration::from_millis(200));
    assert_eq!(call.repeatable(2).await.unwrap(), atom("done").into());
    assert_eq!(tried.load(Ordering::SeqCst), 2);
    let call = registry.remote::<()>("app", ("Elixir.Service", "sleep"), ()).timeout(Duration::from_millis(50));
    match call.repeatable(9).await {
        Err(RemoteError::AllFailed { failed }) => assert_eq!(failed.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_can_be_watched() {
    let mut nodes = mesh(&["a", "b"]).await;
    let registry = nodes[0].1.clone();
    let _here = registry.register("app_0").await.unwrap();
    let mut watch = registry.watch("app");
    let (a, b): (NodeName, NodeName) = (nodes[0].0.name().clone(), nodes[1].0.name().clone());
    assert_eq!(watch.next().await, Some(Event::Added { name: "app_0".into(), node: a }));
    let entry = nodes[1].1.register("app_1").await.unwrap();
    let _other = nodes[1].1.register("other").await.unwrap();
    assert_eq!(watch.next().await, Some(Event::Added { name: "app_1".into(), node: b.clone() }));
    std::mem::forget(entry);
    nodes.pop().unwrap().0.stop().await;
    assert_eq!(watch.next().await, Some(Event::Removed { name: "app_1".into(), node: b }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_hears_that_it_is_lost() {
    let epmd = own_epmd();
    let (a, reg_a) = start("a", &epmd).await;
    let (b, reg_b) = start("b", &epmd).await;
    let _kept = reg_a.register("app").await.unwrap();
    let mut lost = reg_b.register("app").await.unwrap();
    a.connect(b.name()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), lost.lost()).await.unwrap();
    until("b sees whose it is", || reg_b.node_with_name("app").as_ref() == Some(a.name())).await;
}

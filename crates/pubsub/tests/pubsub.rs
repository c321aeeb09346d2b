//! A PubSub on nodes in one process, over real sockets.

#![allow(clippy::unwrap_used, reason = "a failed test may panic anywhere")]

#[path = "../../node/tests/common/mod.rs"]
mod common;

use std::time::Duration;

use beamline_node::Node;
use beamline_pubsub::{PubSub, PubSubError, Subscription};
use common::{own_epmd, until};
use tokio::time::timeout;

async fn pair() -> (Node, Node) {
    let epmd = own_epmd();
    let start =
        |name: &'static str| Node::builder(format!("{name}@127.0.0.1")).cookie("secret").epmd(epmd.clone()).start();
    let (a, b) = (start("a").await.unwrap(), start("b").await.unwrap());
    a.connect(b.name()).await.unwrap();
    (a, b)
}

async fn heard(subscription: &mut Subscription) -> String {
    let next = timeout(Duration::from_secs(10), subscription.next()).await.unwrap().unwrap();
    next.term().unwrap().to_string()
}

/// Waits until the two see each other's processes.
async fn meet(a: &Node, b: &Node, group: &'static str) {
    let group = beamline_term::atom(group).into();
    let sees = |node: &Node| !node.pg("Elixir.Phoenix.PubSub").unwrap().members(&group).remote().is_empty();
    until("they see each other", || sees(a) && sees(b)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broadcast_reaches_all_nodes_in_order() {
    let (a, b) = pair().await;
    let (here, there) = (PubSub::new(&a, "App.PubSub").await.unwrap(), PubSub::new(&b, "App.PubSub").await.unwrap());
    meet(&a, &b, "Elixir.App.PubSub.Adapter").await;
    let (mut near, mut far, mut other) = (here.subscribe("t"), there.subscribe("t"), there.subscribe("other"));
    for number in 0..100 {
        here.broadcast("t", &("n", number)).await.unwrap();
    }
    for number in 0..100 {
        assert_eq!(heard(&mut near).await, format!("{{\"n\", {number}}}"));
        assert_eq!(heard(&mut far).await, format!("{{\"n\", {number}}}"));
    }
    here.direct_broadcast(b.name(), "t", &"direct").await.unwrap();
    here.local_broadcast("t", &"local").unwrap();
    here.broadcast("other", &1).await.unwrap();
    assert_eq!(heard(&mut far).await, "\"direct\"");
    assert_eq!(heard(&mut near).await, "\"local\"");
    assert_eq!(heard(&mut other).await, "1");
    assert_eq!(there.topics(), 2);
    drop((far, other));
    assert_eq!(there.topics(), 0, "a topic goes with its last subscriber");
    drop(here);
    assert!(a.whereis("Elixir.App.PubSub.Adapter").is_some(), "a subscription keeps it going");
    a.stop().await;
    assert!(timeout(Duration::from_secs(10), near.next()).await.unwrap().is_none(), "the node has stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_misses_the_oldest_and_hears_how_many() {
    let (a, _b) = pair().await;
    let pubsub = PubSub::new(&a, "App.PubSub").await.unwrap();
    let mut slow = pubsub.subscribe("t");
    for number in 0..1500 {
        pubsub.local_broadcast("t", &number).unwrap();
    }
    assert_eq!(heard(&mut slow).await, "476");
    assert_eq!(slow.missed(), 476);
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_and_names_are_as_phoenix_has_them() {
    let (a, b) = pair().await;
    let pool = |node: &Node| PubSub::builder(node, "App").adapter("bus").pool_size(3).start();
    let (here, there) = (pool(&a).await.unwrap(), pool(&b).await.unwrap());
    for name in ["bus", "bus_2", "bus_3"] {
        assert!(a.whereis(name).is_some(), "{name}");
        meet(&a, &b, name).await;
    }
    let mut far: Vec<Subscription> = (0..20).map(|topic| there.subscribe(topic.to_string())).collect();
    for topic in 0..20 {
        here.broadcast(&topic.to_string(), &topic).await.unwrap();
    }
    for (topic, subscription) in far.iter_mut().enumerate() {
        assert_eq!(heard(subscription).await, topic.to_string());
    }
    assert!(matches!(pool(&a).await, Err(PubSubError::Taken { .. })));
    drop(here);
    until("its names are free", || a.whereis("bus").is_none()).await;
    assert!(matches!(PubSub::new(&a, "x".repeat(300)).await, Err(PubSubError::Name { .. })));
}

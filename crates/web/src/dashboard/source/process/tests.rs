//! Nodes that have to be asked about each process.

use beamline_node::{Epmd, Listen, Node, NodeName};

use super::super::ask::Ask;
use super::*;

#[tokio::test]
async fn processes_that_are_too_many_to_ask_about_are_counted() {
    let node = Node::builder("many@127.0.0.1").cookie("secret").listen(Listen::Off).epmd(Epmd::None);
    let node = node.start().await.expect("a node");
    for _ in 0..5 {
        node.spawn(|mut me| async move { while me.receive().await.is_some() {} });
    }
    let name: NodeName = node.name().clone();
    let ask = Ask::new(&node, &name);
    let query = Query { sort: Sort::Pid, descending: false, search: String::new(), limit: 100 };
    let mut top = top::Top::new(&query);
    plain::one_by_one(&ask, &mut top, 3).await.expect("it tells");
    let listing = top.finish(None);
    assert_eq!((listing.rows.len(), listing.matched), (3, 3));
    assert!(listing.unasked >= 2 && listing.total == listing.unasked + 3, "{listing:?}");
    let mut top = top::Top::new(&query);
    plain::one_by_one(&ask, &mut top, plain::MOST).await.expect("it tells");
    let listing = top.finish(None);
    assert!(listing.unasked == 0 && listing.total == listing.rows.len(), "{listing:?}");
}

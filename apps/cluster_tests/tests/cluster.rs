//! The article's test: six nodes that list each other and know each other's names in the registry, asked from outside. And
//! what may happen to such a cluster: a node killed, paused, parted and back again.

use std::collections::BTreeMap;

use beamline::prelude::*;
use beamline::testing::{Error, LocalCluster};
use cluster_tests::{DEADLINE, articles_cluster};

/// Waits until each of these nodes has exactly these names in its registry.
async fn wait_for_registry(cluster: &LocalCluster, asked: &[&str], there: &[&str]) -> Result<(), Error> {
    let wanted: BTreeMap<String, Atom> = there
        .iter()
        .map(|node| {
            let (app, number) = node.split_at(node.len() - 1);
            Ok((format!("{app}_{number}"), cluster.name(*node)?.to_atom()))
        })
        .collect::<Result<_, Error>>()?;
    for node in asked {
        let look = async || {
            let all: BTreeMap<String, Atom> =
                cluster.call(*node, ("Elixir.NodeRegistry", "all"), ()).await.map_err(|error| error.to_string())?;
            if all == wanted { Ok(()) } else { Err(format!("{all:?}")) }
        };
        cluster.wait_for(&format!("{node} has all names in its registry"), DEADLINE, look).await?;
    }
    Ok(())
}

const ALL: [&str; 6] = ["app_a1", "app_a2", "app_a3", "app_b1", "app_b2", "app_b3"];

fn without(out: &str) -> Vec<&'static str> {
    ALL.into_iter().filter(|node| *node != out).collect()
}

#[tokio::test]
async fn six_nodes_list_each_other_and_share_a_registry() -> Result<(), Error> {
    let cluster = articles_cluster(&[]).await?;
    for node in ALL {
        let mut listed: Vec<Atom> = cluster.call(node, ("Elixir.Node", "list"), ()).await?;
        listed.sort();
        let others: Result<Vec<Atom>, Error> =
            without(node).into_iter().map(|other| Ok(cluster.name(other)?.to_atom())).collect();
        assert_eq!(listed, others?, "{node}");
    }
    wait_for_registry(&cluster, &ALL, &ALL).await?;
    let a: Atom = cluster.call("app_a1", ("Elixir.AppA", "hello"), ()).await?;
    let b: Atom = cluster.call("app_b1@127.0.0.1", ("Elixir.AppB", "hello"), ()).await?;
    assert_eq!((a.as_str(), b.as_str()), ("world", "world"));
    for index in 0..ALL.len() {
        cluster.stop(index).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_node_that_is_killed_is_gone_and_comes_back() -> Result<(), Error> {
    let cluster = articles_cluster(&[]).await?;
    cluster.kill("app_a2").await?;
    cluster.wait_until_connected(DEADLINE).await?;
    let left = without("app_a2");
    wait_for_registry(&cluster, &left, &left).await?;
    cluster.start_again("app_a2").await?;
    cluster.wait_until_connected(DEADLINE).await?;
    wait_for_registry(&cluster, &ALL, &ALL).await
}

#[tokio::test]
async fn a_node_that_is_paused_is_missed_and_comes_back() -> Result<(), Error> {
    // Silence is noticed after a minute unless they are told otherwise.
    let cluster = articles_cluster(&["--erl", "-kernel net_ticktime 2"]).await?;
    cluster.pause("app_b3")?;
    // Now the five list only each other.
    cluster.wait_until_connected(DEADLINE).await?;
    let left = without("app_b3");
    wait_for_registry(&cluster, &left, &left).await?;
    cluster.resume("app_b3")?;
    cluster.wait_until_connected(DEADLINE).await?;
    wait_for_registry(&cluster, &ALL, &ALL).await
}

#[tokio::test]
async fn a_cluster_that_is_parted_is_two_and_heals() -> Result<(), Error> {
    let cluster = articles_cluster(&[]).await?;
    let (one, other) = (["app_a1", "app_b1"], ["app_a2", "app_a3", "app_b2", "app_b3"]);
    cluster.partition(one, other)?;
    for side in [&one[..], &other[..]] {
        for node in side {
            let rest = side.iter().filter(|peer| *peer != node).copied();
            cluster.wait_until_lists(*node, rest, DEADLINE).await?;
        }
        wait_for_registry(&cluster, side, side).await?;
    }
    cluster.heal(one, other)?;
    cluster.wait_until_connected(DEADLINE).await?;
    wait_for_registry(&cluster, &ALL, &ALL).await
}

#[tokio::test]
async fn nothing_is_left_of_a_test_that_panics() -> Result<(), Error> {
    let cluster = LocalCluster::programs("app_b", 2).await?;
    let cookie = cluster.cookie().to_owned();
    assert_eq!(processes_with(&cookie), 2);
    cluster.pause(1)?;
    assert!(cluster.output(0)?.contains("topologies: "), "{:?}", cluster.output(0)?);
    let test = tokio::spawn(async move {
        let _cluster = cluster;
        panic!("as a test does that fails");
    });
    assert!(test.await.is_err_and(|error| error.is_panic()));
    assert_eq!(processes_with(&cookie), 0);
    Ok(())
}

/// How many processes have this among their arguments.
fn processes_with(argument: &str) -> usize {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())).count()
}

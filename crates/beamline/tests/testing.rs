//! The test kit on nodes of this process, and what it says when something is wrong.
#![cfg(all(feature = "testing", unix))]

use beamline::node::NodeBuilder;
use beamline::prelude::*;
use beamline::testing::{Error, LocalCluster, Program};

const DEADLINE: Duration = Duration::from_secs(30);

async fn three_that_notice_silence_soon() -> Result<LocalCluster, Error> {
    let start = |builder: NodeBuilder| builder.net_ticktime(Duration::from_secs(1)).start();
    let cluster = LocalCluster::builder().nodes("app_a", 3, start).start().await?;
    cluster.wait_until_connected(DEADLINE).await?;
    Ok(cluster)
}

#[tokio::test]
async fn names_are_as_elixirs_local_cluster_gives_them() -> Result<(), Error> {
    let cluster = LocalCluster::start("app_a", 2).await?;
    cluster.wait_until_connected(DEADLINE).await?;
    let names: Vec<String> = cluster.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["app_a1@127.0.0.1", "app_a2@127.0.0.1"]);
    let own: Atom = cluster.call(1, ("erlang", "node"), ()).await?;
    assert_eq!(own, "app_a2@127.0.0.1");
    assert_eq!(cluster.node(0)?.list(), cluster.names()[1..]);
    // Of two that run at once, neither meets the other.
    let other = LocalCluster::start("app_a", 1).await?;
    let other_port = other.node(0)?.port();
    assert_ne!(cluster.node(0)?.port(), other_port);
    assert_eq!(other.list(0).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_is_given_with_a_node_lives_and_ends_with_it() -> Result<(), Error> {
    let start = async |builder: NodeBuilder| {
        let node = builder.start().await?;
        let entry = NodeRegistry::new(&node).register(node.name().alive()).await?;
        Ok::<_, beamline::Error>((node, entry))
    };
    let cluster = LocalCluster::builder().nodes("s", 2, start).start().await?;
    let names = |cluster: &LocalCluster| {
        let registry = NodeRegistry::new(&cluster.node(0)?);
        Ok::<_, Error>(registry.all().iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>())
    };
    let wait = async |wanted: usize| {
        cluster
            .wait_for("the names are there", DEADLINE, async || match names(&cluster) {
                Ok(names) if names.len() == wanted => Ok(()),
                other => Err(format!("{other:?}")),
            })
            .await
    };
    wait(2).await?;
    cluster.stop(1).await?;
    wait(1).await?;
    cluster.start_again(1).await?;
    wait(2).await
}

#[tokio::test]
async fn a_killed_node_is_gone_and_can_be_started_again() -> Result<(), Error> {
    let cluster = three_that_notice_silence_soon().await?;
    cluster.kill(2).await?;
    cluster.wait_until_lists(0, [1], DEADLINE).await?;
    assert!(matches!(cluster.kill(2).await, Err(Error::NotRunning(_))));
    assert!(matches!(cluster.node(2), Err(Error::NotRunning(_))));
    cluster.start_again(2).await?;
    cluster.wait_until_connected(DEADLINE).await?;
    assert!(matches!(cluster.start_again(2).await, Err(Error::Running(_))));
    Ok(())
}

#[tokio::test]
async fn a_paused_node_is_missed_after_its_silence() -> Result<(), Error> {
    let cluster = three_that_notice_silence_soon().await?;
    cluster.pause("app_a2")?;
    cluster.wait_until_lists("app_a1", ["app_a3"], DEADLINE).await?;
    assert!(cluster.list("app_a2").await.is_err(), "nothing passes to it");
    cluster.resume("app_a2")?;
    cluster.wait_until_connected(DEADLINE).await
}

#[tokio::test]
async fn parted_nodes_do_not_reach_each_other_until_they_are_healed() -> Result<(), Error> {
    let cluster = three_that_notice_silence_soon().await?;
    cluster.partition([0], [1, 2])?;
    cluster.wait_until_lists(0, [0usize; 0], DEADLINE).await?;
    cluster.wait_until_lists(1, [2], DEADLINE).await?;
    let (near, far) = (cluster.node(0)?, cluster.name(1)?);
    let error = near.connect(&far).await.expect_err("they are parted");
    assert!(error.to_string().contains("app_a2@127.0.0.1"), "{error}");
    cluster.heal([0], [1])?;
    near.connect(&far).await.expect("healed");
    assert!(near.connect(&cluster.name(2)?).await.is_err(), "this pair is not");
    cluster.heal_all();
    cluster.wait_until_connected(DEADLINE).await
}

#[tokio::test]
async fn without_discovery_nobody_is_found() -> Result<(), Error> {
    let start = |builder: NodeBuilder| builder.start();
    let cluster = LocalCluster::builder().nodes("app_a", 2, start).discovery(false).start().await?;
    let error = cluster.wait_until_connected(Duration::from_millis(300)).await.expect_err("nobody connects them");
    assert!(error.to_string().contains("seen last: app_a1@127.0.0.1 lists nobody"), "{error}");
    cluster.node(0)?.connect(&cluster.name(1)?).await.expect("the test may");
    cluster.wait_until_connected(DEADLINE).await
}

#[tokio::test]
async fn a_wait_tells_what_was_seen_last() -> Result<(), Error> {
    let cluster = LocalCluster::start("app_a", 1).await?;
    let mut looks = 0;
    let look = async || {
        looks += 1;
        Err::<(), _>(if looks < 3 { "too early" } else { "a crowd" })
    };
    let error = cluster.wait_for("peace", Duration::from_millis(500), look).await.expect_err("never");
    assert_eq!(error.to_string(), "not within 500ms: peace; seen last: a crowd");
    let hang = async || std::future::pending::<Result<(), String>>().await;
    let error = cluster.wait_for("an end", Duration::from_millis(50), hang).await.expect_err("never");
    assert!(error.to_string().contains("did not end"), "{error}");
    Ok(())
}

#[tokio::test]
async fn mistakes_are_told() -> Result<(), Error> {
    let cluster = LocalCluster::start("app_a", 2).await?;
    let error = cluster.stop("app_c1").await.expect_err("there is none");
    assert_eq!(error.to_string(), "the cluster has no node app_c1; it has app_a1@127.0.0.1, app_a2@127.0.0.1");
    assert!(matches!(LocalCluster::start("a b@", 1).await, Err(Error::Name { .. })));
    let start = |builder: NodeBuilder| builder.start();
    let twice = LocalCluster::builder().nodes("a", 1, start).nodes("a", 1, start).start().await;
    assert!(matches!(twice, Err(Error::SameName(_))), "{twice:?}");
    let error = LocalCluster::programs("no_such_program", 1).await.expect_err("there is none");
    assert!(error.to_string().contains("cargo build --bin"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_program_that_ends_is_told_with_what_it_wrote() {
    let program =
        Program::new("/bin/sh").args(["-c", "echo \"no $0 for number $N, nor a cookie\" >&2; exit 3", "{name}"]);
    let program = program.env("N", "{number}").env("UNUSED", "{cookie}");
    let error = LocalCluster::builder().programs("p", 1, program).start().await.expect_err("it ends");
    let Error::Ended { node, status, output } = &error else { panic!("{error}") };
    assert_eq!((node.as_str(), status.code()), ("p1@127.0.0.1", Some(3)));
    assert_eq!(output, "no p1@127.0.0.1 for number 1, nor a cookie\n");
}

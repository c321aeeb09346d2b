//! A cluster of nodes of this process and a real Elixir node, which the kit calls, parts, pauses, kills and starts again as it
//! does its own.

use beamline::node::NodeBuilder;
use beamline::testing::{Error, LocalCluster, Program};
use cluster_tests::DEADLINE;
use whole_clusters::Otp;

#[test]
fn an_elixir_node_is_a_program_like_any_other() {
    Otp::Host.run("cluster_tests::elixir::an_elixir_node_is_a_program_like_any_other", |_| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(test()).unwrap_or_else(|error| panic!("{error}"));
    });
}

async fn test() -> Result<(), Error> {
    let ours = |builder: NodeBuilder| builder.start();
    let elixir = Program::new("/usr/bin/env").args(["elixir", "--name", "{name}", "--cookie", "{cookie}"]);
    let elixir = elixir.args(["--erl", "-kernel net_ticktime 4", "--no-halt", "-e", "IO.puts(node())"]);
    let cluster = LocalCluster::builder().nodes("ours", 2, ours).programs("elixir", 1, elixir).start().await?;
    cluster.wait_until_connected(DEADLINE).await?;
    let sum: i64 = cluster.call("elixir1", ("Elixir.Enum", "sum"), (vec![1, 2, 3],)).await?;
    assert_eq!(sum, 6);
    let said = async || {
        let output = cluster.output("elixir1").map_err(|error| error.to_string())?;
        if output.contains("elixir1@127.0.0.1") { Ok(()) } else { Err(output) }
    };
    cluster.wait_for("what it prints is kept", DEADLINE, said).await?;

    cluster.partition(["elixir1"], ["ours1", "ours2"])?;
    cluster.wait_until_lists("elixir1", [0usize; 0], DEADLINE).await?;
    cluster.wait_until_lists("ours1", ["ours2"], DEADLINE).await?;
    cluster.heal_all();
    cluster.wait_until_connected(DEADLINE).await?;

    cluster.kill("elixir1").await?;
    cluster.wait_until_connected(DEADLINE).await?;
    cluster.start_again("elixir1").await?;
    cluster.wait_until_connected(DEADLINE).await?;
    // It misses ours by its own tick time.
    cluster.pause("ours1")?;
    cluster.wait_until_lists("elixir1", ["ours2"], DEADLINE).await?;
    cluster.resume("ours1")?;
    cluster.wait_until_connected(DEADLINE).await?;
    cluster.stop("elixir1").await
}

//! app_b of the article: a node with one function, `AppB.hello/0`, and a page.
//!
//! ```sh
//! LIBCLUSTER_STRATEGY=gossip START_SERVER=true app_b --name app_b@127.0.0.1 --cookie secret
//! curl http://localhost:5001/
//! ```
//!
//! Environment: `LIBCLUSTER_STRATEGY` (gossip, local_epmd, kubernetes, kubernetes.dns), `START_SERVER=true`, `PORT` (5001),
//! `POSTFIX` (of the name in the registry).

use beamline::console::Shell;
use beamline::flags::{NodeFlags, TopologyFlags};
use beamline::prelude::*;
use beamline::remsh::Remsh;
use clap::Parser;
use tracing::info;

/// A node of the article's cluster: AppB.hello() answers :world
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    node: NodeFlags,
    #[command(flatten)]
    topologies: TopologyFlags,
    /// Open a prompt at this node; Ctrl-D ends both
    #[arg(long)]
    shell: bool,
}

#[tokio::main]
async fn main() -> beamline::Result<()> {
    let Arguments { node: flags, topologies, shell } = Arguments::parse();
    // The log would be in the midst of what is typed.
    article::log(if shell { "warn" } else { "info" });
    let topologies = topologies.read(&flags)?;
    info!("topologies: {topologies}");

    let hello = || async { Ok(atom("world")) };
    let module = Module::new("Elixir.AppB").function("hello", hello).doc("Says :world, to show that it is there.");
    let node = flags.builder()?.module(module).observer(true).start().await?;
    let _page = article::serve("AppB", 5001, &node).await?;
    let _cluster = Cluster::of(&node, topologies).start().await?;
    let registry = NodeRegistry::new(&node);
    registry.export();
    let _entry = registry.register(format!("app_b_{}", article::postfix())).await?;

    Remsh::new().serve(&node);

    if shell {
        Shell::new().run(&node).await?;
    } else {
        article::told_to_stop(&node).await?;
    }
    node.stop().await;
    Ok(())
}

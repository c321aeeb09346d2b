//! `beamline node`: a plain node until Ctrl-C. It offers the built-in functions and its cluster's status, and finds its
//! peers by `--config` or `LIBCLUSTER_STRATEGY`.

use beamline::cluster::Cluster;
use beamline::node::NodeEvent;

use super::arguments::Plain;
use super::exit::Exit;
use super::start::{interrupted, start};

/// Runs until it is interrupted.
pub(crate) async fn node(Plain { flags, topologies }: Plain) -> Exit {
    let topologies = match topologies.read(&flags) {
        Ok(topologies) => topologies,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Config;
        }
    };
    let node = match start(flags.builder().map(|builder| builder.observer(true))).await {
        Ok(node) => node,
        Err(exit) => return exit,
    };
    let mut events = node.events();
    let cluster = match Cluster::of(&node, topologies).start().await {
        Ok(cluster) => cluster,
        Err(error) => {
            eprintln!("{error}");
            return Exit::Config;
        }
    };
    match node.port() {
        Some(port) => eprintln!("{} is up on port {port}; Ctrl-C ends it", node.name()),
        None => eprintln!("{} is up and does not listen; Ctrl-C ends it", node.name()),
    }
    let mut interrupted = std::pin::pin!(interrupted());
    loop {
        let event = tokio::select! {
            () = &mut interrupted => break,
            reason = node.stopped() => {
                eprintln!("{} has stopped: {reason}", node.name());
                return Exit::Unreachable;
            }
            event = events.recv() => event,
        };
        match event {
            Some(NodeEvent::Up { node, .. }) => eprintln!("{node} is up"),
            Some(NodeEvent::Down { node, reason, .. }) => eprintln!("{node} is down: {reason}"),
            Some(_) => {}
            None => break,
        }
    }
    drop(cluster);
    node.stop().await;
    Exit::Ok
}

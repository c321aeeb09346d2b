//! What tests do with a Rust node of their own process that is connected with a real one.

use beamline::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use whole_clusters::{Beam, DEADLINE};

/// Runs this in a process of the Rust node, and gives what comes of it.
pub(crate) fn run_in_process<T, F, Fut>(runtime: &Runtime, node: &Node, work: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Process) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    node.spawn(|me| {
        let work = work(me);
        async move { drop(tell.send(work.await)) }
    });
    runtime.block_on(async { timeout(DEADLINE, told).await }).expect("in time").expect("it runs to its end")
}

/// The pid that a variable of the real node is bound to.
pub(crate) fn pid_in(beam: &mut Beam, variable: &str, runtime: &Runtime, node: &Node) -> Pid {
    beam.eval(&format!(":persistent_term.put(:pid, {variable})"));
    let peer = beam.name().parse().expect("a name");
    runtime.block_on(node.call(&peer, ("persistent_term", "get"), (atom("pid"),))).expect("a pid")
}

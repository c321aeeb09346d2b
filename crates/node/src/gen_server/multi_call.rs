//! One request to the servers of a name on many nodes, as `GenServer.multi_call`.

use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use beamline_proto::NodeName;
use beamline_term::Atom;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use crate::call::Call;
use crate::destination::Destination;
use crate::error::CallError;
use crate::node::Node;

/// A call to many that has not begun: `.await` it, or set a [`timeout`](MultiCall::timeout) first.
#[must_use = "a call does nothing until it is awaited"]
pub struct MultiCall<T> {
    calls: Vec<(NodeName, Call<T>)>,
    timeout: Duration,
}

impl<T> std::fmt::Debug for MultiCall<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MultiCall").field("nodes", &self.calls.len()).field("timeout", &self.timeout).finish()
    }
}

/// What came of a call to many, in no order.
#[derive(Debug)]
#[non_exhaustive]
pub struct Replies<T> {
    /// The answers.
    pub replies: Vec<(NodeName, T)>,
    /// Nodes that gave none, and why.
    pub failed: Vec<(NodeName, CallError)>,
}

impl Node {
    /// Calls the servers of this name on all these nodes at once.
    ///
    /// ```no_run
    /// # async fn example(node: beamline_node::Node) {
    /// let counts = node.multi_call::<i64>(&node.list(), beamline_term::atom("counter"), beamline_term::atom("get")).await;
    /// for (peer, count) in &counts.replies {
    ///     println!("{peer}: {count}");
    /// }
    /// # }
    /// ```
    pub fn multi_call<T: DeserializeOwned + Send + 'static>(
        &self,
        nodes: &[NodeName],
        name: Atom,
        request: impl Serialize,
    ) -> MultiCall<T> {
        let to = |node: &NodeName| Destination::Remote(name.clone(), node.clone());
        let calls = nodes.iter().map(|node| (node.clone(), Call::to(self.inner(), to(node), &request)));
        MultiCall { calls: calls.collect(), timeout: self.inner().settings.limits.call_timeout }
    }
}

impl<T> MultiCall<T> {
    /// How long to wait for all answers. Default 5 s.
    pub fn timeout(mut self, timeout: Duration) -> MultiCall<T> {
        self.timeout = timeout;
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for MultiCall<T> {
    type Output = Replies<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut running = JoinSet::new();
            for (node, call) in self.calls {
                let call = call.timeout(self.timeout);
                running.spawn(async move { (node, call.await) });
            }
            let mut outcome = Replies { replies: Vec::new(), failed: Vec::new() };
            while let Some(joined) = running.join_next().await {
                match joined {
                    Ok((node, Ok(answer))) => outcome.replies.push((node, answer)),
                    Ok((node, Err(error))) => outcome.failed.push((node, error)),
                    // A call neither panics nor is aborted while this waits.
                    Err(_) => {}
                }
            }
            outcome
        })
    }
}

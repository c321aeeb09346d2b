//! Calling a function on one of the nodes whose name begins with a text: `NodeRegistry.Remote.remote/4`.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use beamline_node::{CallError, FunctionName};
use beamline_proto::NodeName;
use beamline_term::Term;
use beamline_term::serde::to_term;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::NodeRegistry;
use crate::choose::Choice;

/// A call that has not begun: `.await` it.
#[must_use = "a call does nothing until it is awaited"]
pub struct Remote<T> {
    registry: NodeRegistry,
    prefix: String,
    function: FunctionName,
    arguments: Result<Term, beamline_term::serde::Error>,
    choice: Choice,
    tries: usize,
    timeout: Option<Duration>,
    answer: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote").field("prefix", &self.prefix).field("function", &self.function).finish_non_exhaustive()
    }
}

impl NodeRegistry {
    /// Calls a function on a node with a name that begins with this text. Arguments are a tuple of values, or a sequence; `()`
    /// for none.
    pub fn remote<T: DeserializeOwned + Send + 'static>(
        &self,
        prefix: impl Into<String>,
        function: impl Into<FunctionName>,
        arguments: impl Serialize,
    ) -> Remote<T> {
        Remote {
            registry: self.clone(),
            prefix: prefix.into(),
            function: function.into(),
            arguments: to_term(&arguments),
            choice: Choice::default(),
            tries: 1,
            timeout: None,
            answer: PhantomData,
        }
    }
}

impl<T> Remote<T> {
    /// How the node is chosen. Default [`Choice::Random`].
    pub fn choice(mut self, choice: Choice) -> Remote<T> {
        self.choice = choice;
        self
    }

    /// Says that the call may be made again, as long as so many nodes have not been tried: on another node if one cannot be
    /// reached, refuses, is lost during the call, or does not answer in time. It may then run more than once. An error that the
    /// function raises is an answer, and is not tried again. Default 1: the call is made once.
    pub fn repeatable(mut self, tries: usize) -> Remote<T> {
        self.tries = tries.max(1);
        self
    }

    /// How long to wait for the answer of each node. Default 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Remote<T> {
        self.timeout = Some(timeout);
        self
    }
}

impl<T: DeserializeOwned + Send + 'static> IntoFuture for Remote<T> {
    type Output = Result<T, RemoteError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let arguments = self.arguments.map_err(RemoteError::Arguments)?;
            let nodes = self.registry.ranked(&self.prefix, self.choice).await;
            let mut failed = Vec::new();
            for node in nodes.into_iter().take(self.tries) {
                let mut call = self.registry.node.call::<T>(&node, self.function.clone(), &arguments);
                if let Some(timeout) = self.timeout {
                    call = call.timeout(timeout);
                }
                match call.await {
                    Ok(value) => return Ok(value),
                    Err(error) if is_of_the_way(&error) => failed.push((node, error)),
                    Err(source) => return Err(RemoteError::Call { node, source }),
                }
            }
            match failed.pop() {
                None => Err(RemoteError::NoNode { prefix: self.prefix }),
                Some((node, source)) if failed.is_empty() => Err(RemoteError::Call { node, source }),
                Some(last) => {
                    failed.push(last);
                    Err(RemoteError::AllFailed { failed })
                }
            }
        })
    }
}

/// Whether the node, not the function, is the reason.
fn is_of_the_way(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Connect(_) | CallError::NodeDown { .. } | CallError::Timeout { .. } | CallError::Refused { .. }
    )
}

/// Why a call by prefix brought no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// No node has such a name.
    #[error("no node with prefix {prefix} found")]
    NoNode {
        /// With what the name was to begin.
        prefix: String,
    },
    /// The call failed.
    #[error("the call to {node} failed: {source}")]
    Call {
        /// The node.
        node: NodeName,
        /// Why.
        source: CallError,
    },
    /// The call failed on every node that was tried.
    #[error("the call failed on {} nodes: {}", failed.len(), list(failed))]
    AllFailed {
        /// Each with its reason, in the order of the tries.
        failed: Vec<(NodeName, CallError)>,
    },
    /// The arguments could not be written as terms.
    #[error("the arguments cannot be sent: {0}")]
    Arguments(beamline_term::serde::Error),
}

fn list(failed: &[(NodeName, CallError)]) -> String {
    failed.iter().map(|(node, error)| format!("{node}: {error}")).collect::<Vec<_>>().join("; ")
}

//! Locks over the nodes of the cluster, as `global:set_lock` and `global:trans` of OTP set them.

use std::sync::Arc;

use beamline_proto::NodeName;
use beamline_proto::global::{Completion, LockId};
use beamline_term::Term;
use tokio::sync::oneshot;

use super::{Global, Input, Request};
use crate::node::{Inner, NodeSet};

/// A lock that is held on this node and on all visible ones that it was connected with; dropping it gives it back.
///
/// It binds nobody but those who ask for a lock on the same resource, on any node of the cluster. If this node ends or is
/// cut off, the others free it.
#[must_use = "the lock is given back when this is dropped"]
pub struct Lock {
    node: Arc<Inner>,
    lock: LockId,
    nodes: Vec<NodeName>,
    is_held: bool,
}

impl std::fmt::Debug for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lock")
            .field("resource", &self.lock.resource)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

/// Why a lock was not even asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// As many requests as may wait, do; or the node stops.
    #[error(
        "the lock on {resource} could not be asked for: too many requests wait, or the node stops; try again later"
    )]
    Busy {
        /// What was to be locked.
        resource: Term,
    },
}

impl Lock {
    /// What is locked.
    pub fn resource(&self) -> &Term {
        &self.lock.resource
    }

    /// The nodes that hold it, this one among them.
    pub fn nodes(&self) -> &[NodeName] {
        &self.nodes
    }

    /// Gives it back, and waits until all nodes have heard.
    pub async fn release(mut self) {
        self.is_held = false;
        let _ = self.give_back().await;
    }

    fn give_back(&self) -> oneshot::Receiver<Completion> {
        let (tell, done) = oneshot::channel();
        let request = Request::DelLock { lock: self.lock.clone(), nodes: self.nodes.clone() };
        self.node.global.tell(Input::Request(request, tell));
        done
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_held {
            drop(self.give_back());
        }
    }
}

impl Global {
    /// Locks a resource in the whole cluster, waiting for as long as another has it. Each call is a requester of its own, so
    /// that tasks of one node exclude each other too.
    ///
    /// ```no_run
    /// # async fn example(node: beamline_node::Node) -> Result<(), beamline_node::LockError> {
    /// let lock = node.global().lock("migration").await?;
    /// // Nobody else in the cluster, on Rust or Erlang nodes, is here now.
    /// lock.release().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Too many requests wait.
    pub async fn lock(&self, resource: impl Into<Term>) -> Result<Lock, LockError> {
        let resource = resource.into();
        let busy = LockError::Busy { resource: resource.clone() };
        self.acquire(resource, None).await?.ok_or(busy)
    }

    /// As [`lock`](Global::lock), but tries only so many times more after the first; `None` if another has it still. Between
    /// tries it waits as OTP does, up to 1/4 s at first and 8 s in the end.
    ///
    /// # Errors
    /// Too many requests wait.
    pub async fn try_lock(&self, resource: impl Into<Term>, retries: u32) -> Result<Option<Lock>, LockError> {
        self.acquire(resource.into(), Some(retries)).await
    }

    /// Runs some work while it holds the lock on a resource.
    ///
    /// # Errors
    /// As [`lock`](Global::lock); the work was not begun.
    pub async fn trans<T>(&self, resource: impl Into<Term>, work: impl Future<Output = T>) -> Result<T, LockError> {
        let lock = self.lock(resource).await?;
        let value = work.await;
        lock.release().await;
        Ok(value)
    }

    async fn acquire(&self, resource: Term, retries: Option<u32>) -> Result<Option<Lock>, LockError> {
        let requester = Term::Reference(self.node.numbers.reference().0);
        let lock = LockId { resource: resource.clone(), requester };
        let mut nodes = self.node.nodes(NodeSet::Visible);
        nodes.push(self.node.name.clone());
        // Made before it is had: if nobody waits for it any more, this gives it back.
        let mut held = Lock { node: Arc::clone(&self.node), lock: lock.clone(), nodes: nodes.clone(), is_held: true };
        match self.ask(Request::SetLock { lock, nodes, retries }).await {
            Some(Completion::Locked) => Ok(Some(held)),
            Some(Completion::NotLocked) => {
                held.is_held = false;
                Ok(None)
            }
            _ => {
                held.is_held = false;
                Err(LockError::Busy { resource })
            }
        }
    }
}

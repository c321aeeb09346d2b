//! What the user of a supervisor holds.

use std::sync::Arc;

use beamline_term::{Pid, Term};
use tokio::sync::{mpsc, oneshot};

use super::spec::ChildSpec;
use crate::node::Inner;

/// A running supervisor. Dropping this does not stop it.
#[derive(Clone)]
pub struct SupervisorHandle {
    pub(super) node: Arc<Inner>,
    pub(super) pid: Pid,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

impl std::fmt::Debug for SupervisorHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SupervisorHandle({:?})", self.pid)
    }
}

/// What a supervisor is asked to do.
pub(super) enum Command {
    Start(ChildSpec, oneshot::Sender<Result<Pid, SupervisorError>>),
    Restart(String, oneshot::Sender<Result<Pid, SupervisorError>>),
    Terminate(String, oneshot::Sender<Result<(), SupervisorError>>),
    Delete(String, oneshot::Sender<Result<(), SupervisorError>>),
    Which(oneshot::Sender<Vec<ChildInfo>>),
    Count(oneshot::Sender<ChildCounts>),
    Stop(oneshot::Sender<()>),
}

/// A child as its supervisor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildInfo {
    /// Its id.
    pub id: String,
    /// Whether it runs.
    pub state: ChildState,
    /// Its pid, if it runs.
    pub pid: Option<Pid>,
    /// Whether it is a supervisor itself.
    pub is_supervisor: bool,
}

/// Whether a child runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChildState {
    /// It does.
    Running,
    /// It has ended and is not started again by itself.
    Stopped,
    /// It failed to start again, and is tried once more.
    Restarting,
}

/// How many children there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChildCounts {
    /// All, running or not.
    pub specs: usize,
    /// Those that run.
    pub active: usize,
    /// Supervisors among all.
    pub supervisors: usize,
    /// The others.
    pub workers: usize,
}

/// Why a supervisor did not do what it was asked to. Its children are as they were.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SupervisorError {
    /// A child of this id runs.
    #[error("the child {id} runs already, as {pid:?}")]
    AlreadyStarted {
        /// The id.
        id: String,
        /// Its pid.
        pid: Pid,
    },
    /// A child of this id is there, but does not run.
    #[error("there is a child {id}, which does not run; restart or delete it")]
    AlreadyPresent {
        /// The id.
        id: String,
    },
    /// The child did not start.
    #[error("the child {id} did not start: {reason}")]
    NotStarted {
        /// The id.
        id: String,
        /// Why.
        reason: Term,
    },
    /// There is no child of this id.
    #[error("there is no child {id}")]
    NotFound {
        /// The id.
        id: String,
    },
    /// The child runs; terminate it first.
    #[error("the child {id} runs; terminate it first")]
    Running {
        /// The id.
        id: String,
    },
    /// The child is about to be tried again.
    #[error("the child {id} is being started again")]
    Restarting {
        /// The id.
        id: String,
    },
    /// The supervisor has ended.
    #[error("the supervisor has ended")]
    Ended,
}

impl SupervisorHandle {
    /// Its pid.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Whether it runs.
    pub fn is_alive(&self) -> bool {
        self.node.cell(&self.pid).is_some_and(|cell| cell.is_alive())
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, SupervisorError> {
        let (tell, told) = oneshot::channel();
        self.commands.send(command(tell)).map_err(|_| SupervisorError::Ended)?;
        told.await.map_err(|_| SupervisorError::Ended)
    }

    /// Adds a child behind the others and starts it. A temporary one is forgotten when it ends, so that a supervisor of
    /// temporary children under ids of their own is what Elixir calls a dynamic supervisor.
    ///
    /// # Errors
    /// The id is taken, or it did not start and is not added.
    pub async fn start_child(&self, child: ChildSpec) -> Result<Pid, SupervisorError> {
        self.ask(|tell| Command::Start(child, tell)).await?
    }

    /// Stops a child. It is not started again by itself; a temporary one is forgotten.
    ///
    /// # Errors
    /// There is none of this id.
    pub async fn terminate_child(&self, id: impl Into<String>) -> Result<(), SupervisorError> {
        self.ask(|tell| Command::Terminate(id.into(), tell)).await?
    }

    /// Starts a child that does not run.
    ///
    /// # Errors
    /// There is none of this id, or it runs, or does not start.
    pub async fn restart_child(&self, id: impl Into<String>) -> Result<Pid, SupervisorError> {
        self.ask(|tell| Command::Restart(id.into(), tell)).await?
    }

    /// Forgets a child that does not run.
    ///
    /// # Errors
    /// There is none of this id, or it runs.
    pub async fn delete_child(&self, id: impl Into<String>) -> Result<(), SupervisorError> {
        self.ask(|tell| Command::Delete(id.into(), tell)).await?
    }

    /// All children, in the order of their start.
    ///
    /// # Errors
    /// The supervisor has ended.
    pub async fn which_children(&self) -> Result<Vec<ChildInfo>, SupervisorError> {
        self.ask(Command::Which).await
    }

    /// How many children there are.
    ///
    /// # Errors
    /// The supervisor has ended.
    pub async fn count_children(&self) -> Result<ChildCounts, SupervisorError> {
        self.ask(Command::Count).await
    }

    /// Stops all children, the last one first, then the supervisor, with the reason `shutdown`.
    pub async fn stop(&self) {
        // One that has ended already is as stopped as can be.
        let _ = self.ask(Command::Stop).await;
    }
}
